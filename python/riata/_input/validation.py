"""Checks of arguments: each message names the argument, the value received and what is allowed."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]

SOLVERS = ("auto", "active_set", "cd", "prox")
UNPENALISED = "a penalty_factor of zeros leaves features unpenalised"
SMALL_WORK = 1e6  # multiplications in a pass that are not worth a second thread


def show_value(value: object) -> str:
    """Return a value as messages show it, shortened."""
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
        raise TypeError(f"{name} must be a number, got {show_value(value)} of type {type(value).__name__}")
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
        raise ValueError(f"{name} must be {allowed}, got {show_value(value)}")
    return number


def check_integer(name: str, value: Any, *, at_least: int) -> int:
    """Return `value` as an int of at least `at_least`."""
    if type(value) is not int and (isinstance(value, bool | np.bool_) or not isinstance(value, Integral)):
        raise TypeError(f"{name} must be an integer, got {show_value(value)} of type {type(value).__name__}")
    if value < at_least:
        raise ValueError(f"{name} must be >= {at_least}, got {show_value(value)}")
    return int(value)


def check_seed(random_state: Any) -> int:
    """Return a seed: an integer as it is, else drawn from a generator or from the system."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> np.uint64(11))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    return check_integer("random_state", random_state, at_least=0)


def check_flag(name: str, value: Any) -> bool:
    """Return `value` as a bool; numbers other than numpy's and Python's booleans are refused."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(
            f"{name} must be True or False, got {show_value(value)} of type {type(value).__name__}"
        )
    return bool(value)


def check_choice(name: str, value: Any, allowed: Sequence[str]) -> str:
    """Return `value` if it is one of the words `allowed`."""
    if not isinstance(value, str):
        raise TypeError(
            f"{name} must be one of {list(allowed)}, got {show_value(value)} of type {type(value).__name__}"
        )
    if value not in allowed:
        raise ValueError(f"{name} must be one of {list(allowed)}, got {value!r}")
    return value


def check_solver(value: Any) -> str:
    """Return the name of an inner solver; "homotopy" is an earlier name of "active_set"."""
    return check_choice("solver", "active_set" if value == "homotopy" else value, SOLVERS)


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
        raise ValueError(f"alpha must be > 0, got {show_value(alpha)}; {UNPENALISED}")
    return check_real("alpha", alpha, above=0.0)


def check_memory(memory: Any) -> float:
    """Return a bound in bytes, given as such or as text like "4G"; 0 for None."""
    if memory is None:
        return 0.0
    if isinstance(memory, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([kmgt]?)(?:i?b)?\s*", memory.lower())
        if found is None:
            raise ValueError(
                f"memory must be a number of bytes, or a size like '800M' or '4G', got {memory!r}"
            )
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
    """Refuse numbers held as text, since nothing here knows which of them, as -9, stand for missing ones."""
    if values.dtype.kind == "O":
        spelt = next(((i, v) for i, v in enumerate(values.ravel()) if isinstance(v, str | bytes)), None)
        if spelt is not None:
            raise TypeError(
                f"{name} must hold numbers, got text {spelt[1]!r} at position {spelt[0]}; convert the "
                "text, and the codes of missing values, to numbers"
            )


def as_floats(name: str, value: Any, what: str) -> Float:
    """Return `value` as float64 numbers of any shape, which messages call `what`."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of unequal length
        raise TypeError(f"{name} must hold {what}, got {show_value(value)}") from error
    refuse_text(name, array)
    try:
        if array.dtype.kind not in "fiubO":
            raise TypeError(f"dtype {array.dtype}")
        array = array.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must hold {what}, got {show_value(value)}") from error
    return np.asarray(array, order="C")


def refuse_first(name: str, array: Float, bad: NDArray[np.bool_], allowed: str) -> None:
    """Refuse an array with `bad` elements, naming the first of them."""
    if bad.any():
        where = int(np.flatnonzero(bad)[0])
        raise ValueError(f"{name} must hold {allowed}, got {array[where]} at position {where}")


def check_vector(name: str, value: Any, length: int, per: str, *, scalar: bool = False) -> Float:
    """Return `value` as `length` float64 numbers, one a `per` ("sample", "feature").

    With `scalar`, one number stands for all. NaN is refused, infinity is not.
    """
    array = as_floats(name, value, "numbers")
    if scalar and array.ndim == 0:
        array = np.full(length, float(array))
    if array.shape != (length,):
        raise ValueError(f"{name} must hold one number per {per}, shape ({length},), got shape {array.shape}")
    refuse_first(name, array, np.isnan(array), "numbers")
    return array


def check_finite(name: str, value: Any, length: int, per: str) -> Float:
    """As `check_vector`, and infinity is refused too."""
    array = check_vector(name, value, length, per)
    refuse_first(name, array, ~np.isfinite(array), "finite numbers")
    return array


def check_weights(sample_weight: Any, n: int) -> Float:
    """Return observation weights as n finite non-negative float64 numbers, not all zero; None means ones."""
    if sample_weight is None:
        return np.ones(n)
    weights = check_vector("sample_weight", sample_weight, n, "sample", scalar=True)
    refuse_first("sample_weight", weights, ~np.isfinite(weights) | (weights < 0.0), "finite numbers >= 0")
    if not np.any(weights > 0.0):
        raise ValueError("sample_weight must have a value > 0 for at least one sample, got zeros only")
    return weights


def check_table(name: str, value: Any, shape: tuple[int, int], one: str) -> Float:
    """Return `value` as a new table of finite float64 numbers in Fortran order, `shape` samples x outputs."""
    array: Float = np.array(as_floats(name, value, "numbers"), dtype=np.float64, order="F")
    if array.shape != shape:
        raise ValueError(
            f"{name} must hold {shape[1]} {one}s per sample, shape {shape}, got shape {array.shape}"
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
            "offset must be given: the model was fitted with one (offset=0 predicts without it, as rates)"
        )
    if offset is None and fitted is None:
        import warnings

        warnings.warn(
            "the saved model does not record whether it had an offset, and predicts without one: "
            "give offset=, or offset=0 if there was none",
            UserWarning,
            stacklevel=3,
        )
    if offset is not None and np.ndim(offset) == 0:
        number = check_real("offset", offset)
        return np.full((m, *outputs), number)
    return check_offset(offset, m, outputs)


def check_alphas(alphas: Any) -> tuple[Float | None, int]:
    """Return (values in decreasing order, how many), or (None, n) when `alphas` is the integer n."""
    if isinstance(alphas, int | np.integer) and not isinstance(alphas, bool):
        return None, check_integer("alphas", alphas, at_least=1)
    if alphas is None or isinstance(alphas, str | bool | np.bool_ | float):
        raise TypeError(f"alphas must be an integer or a sequence of numbers >= 0, got {show_value(alphas)}")
    for k, alpha in enumerate(alphas if np.ndim(alphas) == 1 else ()):  # in scikit-learn's words
        if isinstance(alpha, str | bytes):
            raise TypeError(f"alphas[{k}] must be an instance of float, not {type(alpha).__name__}")
        if isinstance(alpha, Real) and alpha < 0.0:
            raise ValueError(f"alphas[{k}] == {alpha}, must be >= 0.0.")
    array = as_floats("alphas", alphas, "numbers >= 0")
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"alphas must be an integer or a non-empty 1-D sequence, got shape {array.shape}")
    refuse_first("alphas", array, ~(np.isfinite(array) & (array >= 0.0)), "finite numbers >= 0")
    return np.sort(array)[::-1].copy(), array.size


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
        raise TypeError(f"progress must be True, False, None or a callable, got {show_value(progress)}")
    return progress


def check_checkpoint(checkpoint: Any) -> str:
    """Return a file name, empty for None."""
    if checkpoint is None:
        return ""
    name = os.fspath(checkpoint) if isinstance(checkpoint, str | os.PathLike) else None
    if not isinstance(name, str):
        raise TypeError(f"checkpoint must be a file name or None, got {show_value(checkpoint)}")
    if not name or os.path.isdir(name):
        raise ValueError(f"checkpoint must be the name of a file, got {name!r}")
    return name
