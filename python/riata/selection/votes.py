"""What each half of the samples selected, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from riata._input.validation import Float
from riata.selection.items import Items

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Vote:
    """What one half selected.

    Attributes
    ----------
    features : ndarray of int, shape (k,)
        Features active at the smallest alpha at which at most q items are, increasing; unpenalised ones not.
    coefs : ndarray of shape (k, K)
        Their coefficients there, on the original scale.
    entered, ranks : ndarray of int, shape (m,)
        Items in the order they entered the path, and how many had entered when each had, itself included.
    at_end : bool
        Whether the path ended before more than q items were active.
    """

    features: Numbers
    coefs: Float
    entered: Numbers
    ranks: Numbers
    at_end: bool

    def items(self, items: Items) -> Numbers:
        """The items selected, increasing."""
        return np.unique(items.of_feature[self.features])


def read_vote(fit: dict[str, Any], q: int, items: Items, outputs: int) -> Vote:
    """Read from a path of the core what its half selects.

    Any fixed rule on the samples of a half would do; this one takes the last alpha of the path at which at
    most q items are active.
    """
    indptr = np.asarray(fit["coef_indptr"], dtype=np.int64)
    rows, values = np.asarray(fit["coef_indices"], dtype=np.int64), np.asarray(fit["coef_values"])
    length = len(indptr) - 1
    column = np.repeat(np.arange(length), np.diff(indptr))
    feature, output = np.divmod(rows, outputs)
    item = items.of_feature[feature]
    used = (values != 0.0) & (item >= 0)
    column, feature, output, item, values = (a[used] for a in (column, feature, output, item, values))
    pairs = np.unique(column * items.count + item)  # of an alpha and an item, by alpha
    at, which = np.divmod(pairs, items.count)
    allowed = np.flatnonzero(np.bincount(at, minlength=length) <= q)
    last = int(allowed[-1]) if len(allowed) else -1

    entered, place = np.unique(which, return_index=True)
    first = at[place]
    order = np.argsort(first, kind="stable")
    entered, first = entered[order], first[order]
    ranks = np.searchsorted(first, first, side="right")  # those that enter together share the last place
    within = (first <= last) & (ranks <= q)

    mine = column == last
    chosen, row = np.unique(feature[mine], return_inverse=True)
    coefs = np.zeros((len(chosen), outputs))
    coefs[row, output[mine]] = values[mine]
    at_end = str(fit["stopped"]) != "max_groups" and last == length - 1
    return Vote(chosen, coefs, entered[within], ranks[within], at_end)


@dataclass(slots=True)
class Votes:
    """What the halves selected so far, two a pair, in order."""

    items: Items
    outputs: int
    votes: list[Vote]

    def __len__(self) -> int:
        return len(self.votes)

    def counts(self) -> Numbers:
        """How many halves selected each item, (G,)."""
        chosen = [vote.items(self.items) for vote in self.votes]
        return np.bincount(np.concatenate([np.empty(0, dtype=np.int64), *chosen]), minlength=self.items.count)

    def coefs(self) -> Any:
        """Coefficients as a sparse matrix: a row a half, K columns a feature."""
        width = len(self.items.of_feature) * self.outputs
        columns = [
            (vote.features[:, None] * self.outputs + np.arange(self.outputs)).ravel() for vote in self.votes
        ]
        return _rows(columns, [vote.coefs.ravel() for vote in self.votes], width)

    def ranks(self) -> Any:
        """Places in the order of entry as a sparse matrix: a row a half, a column an item."""
        return _rows(
            [vote.entered for vote in self.votes], [vote.ranks for vote in self.votes], self.items.count
        )

    def pack(self) -> dict[str, NDArray[Any]]:
        """Return arrays to be kept, read back by `unpack`."""
        votes = self.votes
        return {
            "features": np.concatenate([np.empty(0, dtype=np.int64), *(v.features for v in votes)]),
            "coefs": np.concatenate([np.empty((0, self.outputs)), *(v.coefs for v in votes)]),
            "sizes": np.array([len(v.features) for v in votes], dtype=np.int64),
            "entered": np.concatenate([np.empty(0, dtype=np.int64), *(v.entered for v in votes)]),
            "ranks": np.concatenate([np.empty(0, dtype=np.int64), *(v.ranks for v in votes)]),
            "entries": np.array([len(v.entered) for v in votes], dtype=np.int64),
            "at_end": np.array([v.at_end for v in votes], dtype=np.bool_),
        }

    @staticmethod
    def unpack(arrays: dict[str, NDArray[Any]], items: Items, outputs: int) -> Votes:
        """Restore what `pack` gave the arrays of."""
        by_feature, by_entry = (np.cumsum(arrays[name])[:-1] for name in ("sizes", "entries"))
        parts = [
            np.split(arrays[name], ends)
            for name, ends in (
                ("features", by_feature), ("coefs", by_feature), ("entered", by_entry), ("ranks", by_entry)
            )
        ]  # fmt: skip
        votes = [
            Vote(features, coefs, entered, ranks, bool(at_end))
            for features, coefs, entered, ranks, at_end in zip(*parts, arrays["at_end"], strict=True)
        ]
        return Votes(items, outputs, votes)


def _rows(columns: list[Numbers], values: list[NDArray[Any]], width: int) -> Any:
    """Return a sparse matrix, given the columns and values of each row."""
    ends = np.concatenate([[0], np.cumsum([len(each) for each in columns])]).astype(np.int64)
    none = np.empty(0)
    return sp.csr_array(
        (np.concatenate([none, *values]), np.concatenate([none.astype(np.int64), *columns]), ends),
        shape=(len(columns), width),
    )
