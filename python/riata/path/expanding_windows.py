"""Folds in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._input.validation import check_integer
from riata.path.folds import Split, check_groups

__all__ = ["ExpandingWindows"]


class ExpandingWindows:
    """Splits in order of time: each is tested on samples later than all it is trained on.

    The samples, by their times, are cut into ``n_splits + 1`` runs of about as many samples each; split k is
    trained on the first k runs and tested on the next. Samples with the same time are never separated. For
    distinct times in order, and runs of equal size, these are the splits of scikit-learn's `TimeSeriesSplit`.

    Parameters
    ----------
    n_splits : int, default=5
        The number of splits, one less than the number of runs.

    Examples
    --------
    >>> import numpy as np, riata
    >>> year = np.array([2003, 2001, 2002, 2001, 2003, 2002])
    >>> for train, test in riata.ExpandingWindows(2).split(year, groups=year):
    ...     print(year[train], year[test])
    [2001 2001] [2002 2002]
    [2001 2002 2001 2002] [2003 2003]
    """

    by_groups_alone = True  # splits without a look at X

    def __init__(self, n_splits: int = 5) -> None:
        self.n_splits = n_splits

    def __repr__(self) -> str:
        return f"ExpandingWindows({self.n_splits})"

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: ArrayLike | None = None) -> Iterator[Split]:
        """Yield the (train, test) row numbers of each split.

        Parameters
        ----------
        X : of n rows, or None with `groups`
        y : ignored
        groups : array of shape (n,), optional
            The time of each sample: numbers, dates, or text whose order is that of time. By default rows are
            in order of time.

        Raises
        ------
        ValueError
            When there are fewer than ``n_splits + 1`` times, or one is missing.
        """
        n_splits = check_integer("n_splits", self.n_splits, at_least=1)
        n = int(X.shape[0] if hasattr(X, "shape") else len(X if X is not None else np.asarray(groups)))
        time = np.arange(n) if groups is None else check_groups(groups, n)
        run = _runs(np.bincount(time), n_splits + 1)[time]
        for k in range(1, n_splits + 1):
            yield np.flatnonzero(run < k), np.flatnonzero(run == k)


def _runs(counts: NDArray[np.int64], runs: int) -> NDArray[np.int64]:
    """Return the run of each time, in runs of about as many samples; times hold `counts` of them."""
    if len(counts) < runs:
        raise ValueError(
            f"n_splits must be less than the number of distinct times, {len(counts)}, got {runs - 1}"
        )
    ends = np.cumsum(counts)
    first = np.zeros(runs, dtype=np.int64)
    for k in range(1, runs):
        nearest = int(np.abs(ends - ends[-1] * k / runs).argmin()) + 1
        first[k] = min(max(nearest, first[k - 1] + 1), len(counts) - (runs - k))
    return np.searchsorted(first, np.arange(len(counts)), side="right") - 1
