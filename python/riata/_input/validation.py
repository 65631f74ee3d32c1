"""Checks of arguments: each message names the argument, the value received and what is allowed."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.text_columns import TextColumn, plain_column

Float = NDArray[np.float64]
Names = NDArray[Any] | TextColumn  # of features

SOLVERS = ("auto", "homotopy", "cd", "prox")
UNPENALISED = "penalty_factor of zeros leaves features unpenalised"
SMALL_WORK = 1e6  # multiplications in a pass that are not worth a second thread


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def check_real(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return `value` as a finite float within the given limits."""
    if type(value) is not float and (isinstance(value, bool | np.bool_) or not isinstance(value, Real)):
        raise TypeError(f"{name} must be a number, got {_show(value)} of type {type(value).__name__}")
    number = float(value)
    inside = (
        math.isfinite(number)
        and (above is None or number > above)
        and (at_least is None or number >= at_least)
        and (below is None or number < below)
        and (at_most is None or number <= at_most)
    )
    if not inside:
        signs = ((">", above), (">=", at_least), ("<", below), ("<=", at_most))
        allowed = " and ".join(f"{sign} {limit:g}" for sign, limit in signs if limit is not None) or "finite"
        raise ValueError(f"{name} must be {allowed}, got {_show(value)}")
    return number


def check_integer(name: str, value: Any, *, at_least: int) -> int:
    """Return `value` as an int of at least `at_least`."""
    if type(value) is not int and (isinstance(value, bool | np.bool_) or not isinstance(value, Integral)):
        raise TypeError(f"{name} must be an integer, got {_show(value)} of type {type(value).__name__}")
    if value < at_least:
        raise ValueError(f"{name} must be >= {at_least}, got {_show(value)}")
    return int(value)


def check_flag(name: str, value: Any) -> bool:
    """Return `value` as a bool; numbers other than numpy's and Python's booleans are refused."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {_show(value)} of type {type(value).__name__}")
    return bool(value)


def check_choice(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Return `value` if it is one of the words `allowed`."""
    if not isinstance(value, str):
        raise TypeError(
            f"{name} must be one of {list(allowed)}, got {_show(value)} of type {type(value).__name__}"
        )
    if value not in allowed:
        raise ValueError(f"{name} must be one of {list(allowed)}, got {value!r}")
    return value


def check_threads(n_threads: Any, n_jobs: Any = None) -> int:
    """Return the number of threads asked for, by `n_jobs` where `n_threads` is None.

    0, by None or -1, leaves it to `threads_for`; -2 is all cores but one, and so on, as in joblib.
    """
    name, value = ("n_jobs", n_jobs) if n_threads is None else ("n_threads", n_threads)
    if value is None or (isinstance(value, Integral) and value == -1):
        return 0
    if isinstance(value, Integral) and value < 0:
        return max(1, available_cores() + 1 + int(value))
    return check_integer(name, value, at_least=1)


def check_alpha(alpha: Any, *, may_be_zero: bool = False) -> float:
    """Return the strength of a penalty, > 0, or 0 where that is allowed."""
    if may_be_zero:
        return check_real("alpha", alpha, at_least=0.0)
    if isinstance(alpha, Real) and float(alpha) == 0.0:
        raise ValueError(f"alpha must be > 0, got {_show(alpha)}; {UNPENALISED}")
    return check_real("alpha", alpha, above=0.0)


def check_memory(memory: Any) -> float:
    """Return a bound in bytes, given as such or as text like "4G"; 0 for None."""
    if memory is None:
        return 0.0
    if isinstance(memory, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([kmgt]?)(?:i?b)?\s*", memory.lower())
        if found is None:
            raise ValueError(f"memory must be bytes, or a size like '800M' or '4G', got {memory!r}")
        memory = float(found[1]) * 1024 ** " kmgt".index(found[2] or " ")
    return check_real("memory", memory, above=0.0)


def threads_for(n_threads: int, work: float) -> int:
    """Return how many threads to use for a pass of `work` multiplications.

    When none were asked for: every core this process may run on, or OMP_NUM_THREADS when that is set; one for
    work so small that starting others would take longer. Results do not depend on it.
    """
    if n_threads > 0:
        return n_threads
    if work < SMALL_WORK:
        return 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    return available_cores()


def available_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def refuse_text(name: str, values: NDArray[Any]) -> None:
    """Refuse numbers that are spelt: nothing here knows which of them, such as -9, stand for missing ones."""
    if values.dtype.kind == "O":
        spelt = next(((i, v) for i, v in enumerate(values.ravel()) if isinstance(v, str | bytes)), None)
        if spelt is not None:
            raise TypeError(
                f"{name} must hold numbers, got text {spelt[1]!r} at position {spelt[0]}; convert it, and "
                "what stands for missing values"
            )


def _as_floats(name: str, value: Any, what: str) -> Float:
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of unequal length
        raise TypeError(f"{name} must hold {what}, got {_show(value)}") from error
    refuse_text(name, array)
    try:
        if array.dtype.kind not in "fiubO":
            raise TypeError(f"dtype {array.dtype}")
        array = array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must hold {what}, got {_show(value)}") from error
    return np.asarray(array, order="C")


def _first_bad(name: str, array: Float, bad: NDArray[np.bool_], allowed: str) -> None:
    if bad.any():
        where = int(np.flatnonzero(bad)[0])
        raise ValueError(f"{name} must hold {allowed}, got {array[where]} at position {where}")


def check_vector(name: str, value: Any, length: int, per: str, *, scalar: bool = False) -> Float:
    """Return `value` as `length` float64 numbers, one a `per` ("sample", "feature").

    With `scalar`, one number stands for all. NaN is refused, infinity is not.
    """
    array = _as_floats(name, value, "numbers")
    if scalar and array.ndim == 0:
        array = np.full(length, float(array))
    if array.shape != (length,):
        raise ValueError(f"{name} must hold one number a {per}, shape ({length},), got shape {array.shape}")
    _first_bad(name, array, np.isnan(array), "numbers")
    return array


def check_finite(name: str, value: Any, length: int, per: str) -> Float:
    """As `check_vector`, and infinity is refused too."""
    array = check_vector(name, value, length, per)
    _first_bad(name, array, ~np.isfinite(array), "finite numbers")
    return array


def check_weights(sample_weight: Any, n: int) -> Float:
    """Return observation weights as n finite non-negative float64 numbers, not all zero; None means ones."""
    if sample_weight is None:
        return np.ones(n)
    weights = check_vector("sample_weight", sample_weight, n, "sample", scalar=True)
    _first_bad("sample_weight", weights, ~np.isfinite(weights) | (weights < 0.0), "finite numbers >= 0")
    if not np.any(weights > 0.0):
        raise ValueError("sample_weight must have a value > 0 for at least one sample, got zeros only")
    return weights


def check_table(name: str, value: Any, shape: tuple[int, int], one: str) -> Float:
    """Return `value` as a new table of finite float64 numbers in Fortran order, `shape` samples x outputs."""
    array: Float = np.array(_as_floats(name, value, "numbers"), dtype=np.float64, order="F")
    if array.shape != shape:
        raise ValueError(
            f"{name} must hold {shape[1]} {one}s a sample, shape {shape}, got shape {array.shape}"
        )
    bad = ~np.isfinite(array)
    if bad.any():
        i, k = np.argwhere(bad)[0]
        raise ValueError(f"{name} must hold finite numbers, got {array[i, k]} at position ({i}, {k})")
    return array


def check_offset(offset: Any, n: int, outputs: tuple[int, ...] = ()) -> Float | None:
    """Return the offset as finite float64 numbers, n or n x K when there are K outputs, or None."""
    if offset is None:
        return None
    if outputs:
        return check_table("offset", offset, (n, outputs[0]), "number")
    return check_finite("offset", offset, n, "sample")


def check_new_offset(
    offset: Any, m: int, outputs: tuple[int, ...] = (), *, fitted: bool | None
) -> Float | None:
    """Return the offset of new samples, m or m x K, or None; one number stands for all.

    It is asked for where the model was `fitted` with one. Where that is not known, as of models that older
    versions saved, a prediction without it warns.
    """
    if offset is None and fitted:
        raise ValueError(
            "offset must be given: the model was fitted with one (offset=0 predicts without, as rates)"
        )
    if offset is None and fitted is None:
        import warnings

        warnings.warn(
            "the saved model does not tell whether it was fitted with an offset, and predicts without: "
            "give offset=, or offset=0 where there was none",
            UserWarning,
            stacklevel=3,
        )
    if offset is not None and np.ndim(offset) == 0:
        number = check_real("offset", offset)
        return np.full((m, *outputs), number)
    return check_offset(offset, m, outputs)


def check_penalty_factor(penalty_factor: Any, p: int) -> Float | None:
    """Return p factors >= 0 (0: not penalised, infinity: left out), or None."""
    if penalty_factor is None:
        return None
    array = check_vector("penalty_factor", penalty_factor, p, "feature")
    _first_bad("penalty_factor", array, array < 0.0, "numbers >= 0 (infinity leaves a feature out)")
    return array


def check_bounds(
    lower: Any, upper: Any, p: int, *, positive: bool = False
) -> tuple[Float | None, Float | None]:
    """Return lower <= 0 <= upper as float64 vectors of length p, or None where unbounded."""
    low = None if lower is None else check_vector("lower", lower, p, "feature", scalar=True)
    high = None if upper is None else check_vector("upper", upper, p, "feature", scalar=True)
    if low is not None:
        _first_bad("lower", low, low > 0.0, "numbers <= 0")
    if high is not None:
        _first_bad("upper", high, high < 0.0, "numbers >= 0")
    if positive:
        low = np.zeros(p)
    return low, high


def by_feature(name: str, value: Any, p: int, feature_names: Names | None, others: float) -> Any:
    """Return values given by the names of features in the order of X; anything else as it is.

    A dict gives the others what `others` is; a pandas Series with names for labels has all of them.
    """
    series = not isinstance(value, Mapping) and hasattr(value, "index") and hasattr(value, "to_numpy")
    if series:
        labels = list(value.index)
        if feature_names is None or not all(isinstance(label, str) for label in labels):
            return value
        given = value.to_numpy()
        if len(labels) == p and labels == [str(feature) for feature in feature_names]:
            return given
        if len(set(labels)) != len(labels):
            raise ValueError(f"{name} must have labels that are distinct, or those of X in the same order")
        value = dict(zip(labels, given.tolist(), strict=True))
    if not isinstance(value, Mapping):
        return value
    keys = list(value)
    if not all(isinstance(key, str) for key in keys):
        raise TypeError(f"{name} must hold values by feature name, got {_show(keys)}")
    at = check_feature_set(name, keys, p, feature_names)
    if series and len(at) < p:
        lacking = np.setdiff1d(np.arange(p), at)[:1]
        assert feature_names is not None
        raise ValueError(
            f"{name} must hold a value for every feature, got none for {str(feature_names[lacking][0])!r}"
        )
    out = np.full(p, others, dtype=object)
    if len(at):
        assert feature_names is not None
        out[at] = [value[str(feature)] for feature in feature_names[at]]
    return out


def check_exclude(exclude: Any, p: int, feature_names: Names | None) -> NDArray[np.int64] | None:
    """Return the numbers of the features to leave out."""
    return None if exclude is None else check_feature_set("exclude", exclude, p, feature_names)


def check_feature_set(name: str, value: Any, p: int, feature_names: Names | None) -> NDArray[np.int64]:
    """Return the numbers of some features, from numbers, a boolean mask or names."""
    array = np.atleast_1d(np.asarray(value))
    if array.size == 0:
        return np.empty(0, dtype=np.int64)
    if array.dtype.kind == "b":
        if array.shape != (p,):
            raise ValueError(
                f"{name} must hold one truth value a feature, shape ({p},), got shape {array.shape}"
            )
        return np.flatnonzero(array).astype(np.int64)
    if array.dtype.kind in "UO":
        if feature_names is None:
            raise ValueError(f"{name} may hold names only when X has feature names, as a DataFrame has")
        wanted = array.astype(np.str_)  # a name that several features share means them all
        if isinstance(feature_names, TextColumn):
            found = feature_names.isin(wanted.tolist())
        else:
            found = np.isin(feature_names, wanted)
        unknown = np.setdiff1d(wanted, np.asarray(feature_names[found], dtype=np.str_))
        if len(unknown):
            raise ValueError(f"{name} must hold names of features of X, got {str(unknown[0])!r}")
        return np.flatnonzero(found).astype(np.int64)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise TypeError(f"{name} must hold feature numbers, names or a mask, got {_show(value)}")
    if array.min() < 0 or array.max() >= p:
        raise ValueError(f"{name} must hold feature numbers from 0 to {p - 1}, got {_show(value)}")
    return np.asarray(array, dtype=np.int64)


def check_feature_sets(
    name: str, sets: Mapping[Any, Any], p: int, feature_names: Names | None
) -> list[NDArray[np.int64]]:
    """Return the numbers of the features of each set, increasing, as `check_feature_set` does for one.

    Names are looked up together: sets may be many, and large.
    """
    arrays = {label: np.atleast_1d(np.asarray(sets[label])) for label in sets}
    named = [label for label, array in arrays.items() if array.size and array.dtype.kind in "UO"]
    if named and feature_names is not None:
        texts = [arrays[label].astype(np.str_) for label in named]
        wanted, which = np.unique(np.concatenate([text.ravel() for text in texts]), return_inverse=True)
        rows, starts = rows_named(feature_names, wanted.tolist())
        unknown = np.flatnonzero(np.diff(starts) == 0)
        ends = np.cumsum([text.size for text in texts])
        for label, which_here in zip(named, np.split(which, ends[:-1]), strict=True):
            absent = np.intersect1d(which_here, unknown)
            if len(absent):
                raise ValueError(
                    f"{name}[{label!r}] must hold names of features of X, got {str(wanted[absent[0]])!r}; "
                    "riata.read_gene_sets(sets, names) leaves out what is not among names"
                )
            arrays[label] = np.concatenate([rows[starts[k] : starts[k + 1]] for k in which_here])
    return [
        np.unique(check_feature_set(f"{name}[{label!r}]", array, p, feature_names))
        for label, array in arrays.items()
    ]


def rows_named(names: Names, wanted: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of features by name: those of `wanted[k]` are ``rows[starts[k] : starts[k + 1]]``.

    A name that several features share means them all.
    """
    column = names if isinstance(names, TextColumn) else plain_column([str(name) for name in names])
    match = np.asarray(column.match(wanted), dtype=np.int64)
    rows = np.argsort(match, kind="stable").astype(np.int64)
    return rows, np.searchsorted(match[rows], np.arange(len(wanted) + 1))


def check_alphas(alphas: Any) -> tuple[Float | None, int]:
    """Return (values in decreasing order, how many), or (None, n) when `alphas` is the integer n."""
    if isinstance(alphas, int | np.integer) and not isinstance(alphas, bool):
        return None, check_integer("alphas", alphas, at_least=1)
    if alphas is None or isinstance(alphas, str | bool | np.bool_ | float):
        raise TypeError(f"alphas must be an integer or a sequence of numbers >= 0, got {_show(alphas)}")
    for k, alpha in enumerate(alphas if np.ndim(alphas) == 1 else ()):  # in scikit-learn's words
        if isinstance(alpha, str | bytes):
            raise TypeError(f"alphas[{k}] must be an instance of float, not {type(alpha).__name__}")
        if isinstance(alpha, Real) and alpha < 0.0:
            raise ValueError(f"alphas[{k}] == {alpha}, must be >= 0.0.")
    array = _as_floats("alphas", alphas, "numbers >= 0")
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"alphas must be an integer or a non-empty 1-D sequence, got shape {array.shape}")
    _first_bad("alphas", array, ~(np.isfinite(array) & (array >= 0.0)), "finite numbers >= 0")
    return np.sort(array)[::-1].copy(), array.size


def check_gaussian_target(y: Any, n: int) -> Float:
    """Return a numeric response as n finite float64 numbers."""
    array = _as_floats("y", y, "numbers")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0].copy()
    if array.ndim != 1:
        raise ValueError(
            f"y must be 1-D, one number a sample, got shape {array.shape}; "
            "loss='multigaussian' takes several responses together, fit_multi_path each by itself"
        )
    if array.shape[0] != n:
        raise ValueError(f"y must hold one number a sample of X: {n}, got {array.shape[0]}")
    _first_bad("y", array, ~np.isfinite(array), "finite numbers")
    return array


def check_binomial_target(y: Any, n: int, weights: Float) -> tuple[Float, NDArray[Any]]:
    """Return (y as n numbers in [0, 1], the two classes).

    Numbers within [0, 1] are kept: 0/1 outcomes or proportions. Anything else must hold exactly two labels;
    the second in sorted order is coded 1.
    """
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"y must be 1-D, one outcome a sample, got shape {array.shape}")
    if array.shape[0] != n:
        raise ValueError(f"y must hold one outcome a sample of X: {n}, got {array.shape[0]}")
    if array.dtype.kind in "fiub":
        values = array.astype(np.float64)
        _first_bad("y", values, ~np.isfinite(values), "finite numbers")
        if values.min() >= 0.0 and values.max() <= 1.0:
            outcomes = np.array([False, True]) if array.dtype.kind == "b" else np.array([0, 1])
            check_two_outcomes(values, weights, outcomes)
            return values, outcomes
    try:
        classes, codes = np.unique(array, return_inverse=True)
    except TypeError as error:
        raise TypeError(f"y must hold two labels that can be ordered, got {_show(y)}") from error
    classes = plain_labels(classes)
    if len(classes) != 2:
        shown = ", ".join(_show(label) for label in classes[:4].tolist()) + (
            ", ..." if len(classes) > 4 else ""
        )
        raise ValueError(
            f"y must hold two classes or numbers from 0 to 1 for the binomial loss, got {len(classes)} class"
            f"{'es' if len(classes) != 1 else ''}: {shown}"
        )
    codes01 = codes.astype(np.float64)
    check_two_outcomes(codes01, weights, classes)
    return codes01, classes


def check_poisson_target(y: Any, n: int, weights: Float) -> Float:
    """Return counts, or any numbers >= 0 that are not all 0, as n float64 numbers."""
    array = check_gaussian_target(y, n)
    _first_bad("y", array, array < 0.0, "numbers >= 0 for the poisson loss")
    check_some_count(array, weights)
    return array


def check_some_count(y: Float, weights: Float, where: str = "y") -> None:
    """Refuse counts that are all 0 where the weight is positive: no finite intercept exists."""
    if not np.any(y[weights > 0.0] > 0.0):
        raise ValueError(f"{where} must hold a count above 0 with positive weight, got zeros only")


def check_two_outcomes(y: Float, weights: Float, classes: NDArray[Any], where: str = "y") -> None:
    """Refuse outcomes all 0 or all 1 where the weight is positive: no finite intercept exists."""
    seen = y[weights > 0.0]
    for value, label in zip((0.0, 1.0), classes, strict=True):
        if np.all(seen == value):
            raise ValueError(
                f"{where} must hold two classes with positive weight, got one class only: {show_label(label)}"
            )


def plain_labels(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels held as objects, as pandas holds text, as an array of text, which files can keep."""
    text = labels.dtype == object and all(isinstance(label, str) for label in labels)
    return labels.astype(np.str_) if text else labels


def show_label(label: Any) -> str:
    """A label as the user wrote it, without numpy's name for its type."""
    return repr(label.item() if isinstance(label, np.generic) else label)


def check_progress(progress: Any, certificate: str = "gap") -> Any:
    """Return a callable or None; True asks for the bar that is built in."""
    if progress is True:
        from riata._io.progress import Bar

        return Bar(certificate)
    if progress is None or progress is False:
        return None
    if not callable(progress):
        raise TypeError(f"progress must be True, False, None or a callable, got {_show(progress)}")
    return progress


def check_checkpoint(checkpoint: Any) -> str:
    """Return a file name, empty for None."""
    if checkpoint is None:
        return ""
    name = os.fspath(checkpoint) if isinstance(checkpoint, str | os.PathLike) else None
    if not isinstance(name, str):
        raise TypeError(f"checkpoint must be a file name or None, got {_show(checkpoint)}")
    if not name or os.path.isdir(name):
        raise ValueError(f"checkpoint must be the name of a file, got {name!r}")
    return name


def as_names(names: Iterable[Any]) -> Names:
    """Return feature names as an array of str; columns of text stay what they are."""
    if isinstance(names, TextColumn) or (isinstance(names, np.ndarray) and names.dtype.kind == "U"):
        return names
    listed = [str(name) for name in names]
    return np.array(listed, dtype=np.str_) if listed else np.empty(0, dtype=np.str_)
