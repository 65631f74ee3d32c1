"""Features that share a name, as gene symbols do: told apart, or put together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import some

#: What ``--duplicates`` does with features of one name.
DUPLICATES = ("suffix", "mean")


def suffixed(names: Iterable[str]) -> list[str]:
    """Give names that were met before a number: ``TP53``, ``TP53.1``, as R and pandas do."""
    out = list(names)
    taken, count = set(out), dict.fromkeys(out, 0)
    seen: set[str] = set()
    for k, name in enumerate(out):
        if name not in seen:
            seen.add(name)
            continue
        new = name
        while new in taken:
            count[name] += 1
            new = f"{name}.{count[name]}"
        out[k] = new
        taken.add(new)
    return out


def means_of_repeated(X: Any, names: Sequence[str]) -> tuple[Any, list[str]]:
    """Put columns of one name together at their mean, missing values left out.

    Parameters
    ----------
    X : (n, p) array or SciPy sparse matrix
    names : sequence of str
        p names.

    Returns
    -------
    X : (n, q)
        A column for each distinct name, in the order they first appear.
    names : list of str
    """
    place: dict[str, int] = {}
    group = np.array([place.setdefault(name, len(place)) for name in names], dtype=np.int64)
    if len(place) == len(names):
        return X, list(names)
    if not isinstance(X, np.ndarray):
        return _sparse_means(X, group, len(place)), list(place)
    first = np.unique(group, return_index=True)[1]
    out = np.asfortranarray(X[:, first], dtype=np.float64)
    for g in np.flatnonzero(np.bincount(group) > 1):
        columns = np.asarray(X[:, group == g], dtype=np.float64)
        known = ~np.isnan(columns)
        with np.errstate(invalid="ignore"):
            out[:, g] = np.where(known, columns, 0.0).sum(axis=1) / known.sum(axis=1)
    return out, list(place)


def _sparse_means(X: Any, group: NDArray[np.int64], n_groups: int) -> Any:
    import scipy.sparse

    share = 1.0 / np.bincount(group)[group]
    average = scipy.sparse.csc_array((share, (np.arange(len(group)), group)), shape=(len(group), n_groups))
    return (X @ average).tocsc()


def repeated_note(names: Sequence[str], duplicates: str) -> str:
    """Say what was done about names that repeat; empty when none does."""
    values, counts = np.unique(np.asarray(names, dtype=str), return_counts=True)
    shared = list(values[counts > 1])
    if not shared:
        return ""
    n = int(counts[counts > 1].sum())  # two at least
    what = "took the mean of those" if duplicates == "mean" else "numbered those after the first"
    return f"{n:,} features share a name with another ({some(shared, 3)}): {what} (--duplicates {duplicates})"
