"""What is given a feature: penalty factors, bounds, values by name, and sets of features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.validation import Float, check_vector, refuse_first, show_value
from riata._io.text_columns import TextColumn, plain_column

Names = NDArray[Any] | TextColumn  # of features


def check_penalty_factor(penalty_factor: Any, p: int) -> Float | None:
    """Return p factors >= 0 (0: not penalised, infinity: left out), or None."""
    if penalty_factor is None:
        return None
    array = check_vector("penalty_factor", penalty_factor, p, "feature")
    refuse_first("penalty_factor", array, array < 0.0, "numbers >= 0 (infinity leaves a feature out)")
    return array


def check_bounds(
    lower: Any, upper: Any, p: int, *, positive: bool = False
) -> tuple[Float | None, Float | None]:
    """Return lower <= 0 <= upper as float64 vectors of length p, or None where unbounded."""
    low = None if lower is None else check_vector("lower", lower, p, "feature", scalar=True)
    high = None if upper is None else check_vector("upper", upper, p, "feature", scalar=True)
    if low is not None:
        refuse_first("lower", low, low > 0.0, "numbers <= 0")
    if high is not None:
        refuse_first("upper", high, high < 0.0, "numbers >= 0")
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
            raise ValueError(f"{name} must have distinct labels, or those of X in the same order")
        value = dict(zip(labels, given.tolist(), strict=True))
    if not isinstance(value, Mapping):
        return value
    keys = list(value)
    if not all(isinstance(key, str) for key in keys):
        raise TypeError(f"{name} must hold values by feature name, got {show_value(keys)}")
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
                f"{name} must hold one boolean for each feature, shape ({p},), got shape {array.shape}"
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
        raise TypeError(f"{name} must hold feature numbers, names or a mask, got {show_value(value)}")
    if array.min() < 0 or array.max() >= p:
        raise ValueError(f"{name} must hold feature numbers from 0 to {p - 1}, got {show_value(value)}")
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


def as_names(names: Iterable[Any]) -> Names:
    """Return feature names as an array of str; columns of text stay what they are."""
    if isinstance(names, TextColumn) or (isinstance(names, np.ndarray) and names.dtype.kind == "U"):
        return names
    listed = [str(name) for name in names]
    return np.array(listed, dtype=np.str_) if listed else np.empty(0, dtype=np.str_)
