"""Expected copies of an allele, as designs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata.genetics.loading import blocks

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Dosages:
    """Expected copies of a1, variants x samples, float32, NaN where missing; a `DosagePart` uses them up."""

    copies: NDArray[np.float32]

    @property
    def p(self) -> int:
        return len(self.copies)


@dataclass(frozen=True)
class Summary:
    """What the samples in use have, by variant."""

    counts: NDArray[np.uint32]
    frequency: NDArray[np.float64]
    constant: NDArray[np.bool_]


class DosagePart:
    """Some variants of one file with dosages.

    The design is made in place, missing values at the mean of the samples in use: what is decoded or counted
    is decoded or counted before.
    """

    def __init__(self, dosages: Dosages, rows: Positions | None, columns: Positions | None, a1: bool) -> None:
        self.copies = dosages.copies if columns is None else dosages.copies[_as_slice(columns)]
        if not a1:
            np.subtract(np.float32(2.0), self.copies, out=self.copies)
        self.rows = rows
        self.p = len(self.copies)

    @cached_property
    def core(self) -> _core.Design:
        frequency = self.summary.frequency
        mean = np.where(np.isnan(frequency), 0.0, 2.0 * frequency).astype(np.float32)
        for part in self._blocks():
            block = self.copies[part]
            self.copies[part] = np.where(np.isnan(block), mean[part, None], block)
        return _core.dense_design(self.copies.T)

    @cached_property
    def summary(self) -> Summary:
        """Counts of the nearest numbers of copies, frequencies, and what does not vary; in one pass."""
        counts = np.empty((self.p, 4), dtype=np.uint32)
        total, low, high = np.empty(self.p), np.empty(self.p), np.empty(self.p)
        for part in self._blocks():
            block = self._used(part)
            missing = np.isnan(block)
            near = np.rint(block)
            for k in range(3):
                counts[part, k] = (near == k).sum(axis=1)
            counts[part, 3] = missing.sum(axis=1)
            total[part] = np.where(missing, 0.0, block).sum(axis=1, dtype=np.float64)
            low[part] = np.where(missing, np.inf, block).min(axis=1, initial=np.inf)
            high[part] = np.where(missing, -np.inf, block).max(axis=1, initial=-np.inf)
        frequency = ratio(total, 2.0 * counts[:, :3].sum(axis=1))
        counts.flags.writeable = frequency.flags.writeable = False  # they are kept
        return Summary(counts, frequency, high <= low)

    @property
    def counts(self) -> NDArray[np.uint32]:
        return self.summary.counts

    def frequency(self) -> NDArray[np.float64]:
        return self.summary.frequency

    def constant(self) -> NDArray[np.bool_]:
        return self.summary.constant

    def identical(self) -> Positions:
        """For each variant the first with the same values (missing ones at the mean), -1 where it is that."""
        _ = self.core
        seen: dict[bytes, int] = {}
        out = np.full(self.p, -1, dtype=np.int64)
        for j in range(self.p):
            used = self.copies[j] if self.rows is None else self.copies[j, self.rows]
            first = seen.setdefault(hashlib.sha256(used.tobytes()).digest(), j)
            out[j] = -1 if first == j else first
        return out

    def imputed(self) -> NDArray[np.float64]:
        """What stands for a missing value: the mean of the samples in use, 0 without values."""
        return 2.0 * np.nan_to_num(self.frequency())

    def standard_deviations(self) -> NDArray[np.float64]:
        """Of the samples in use, 1/n, missing values at their mean."""
        out, mean = np.empty(self.p), self.imputed()
        for part in self._blocks():
            block = self._used(part).astype(np.float64)
            apart = np.where(np.isnan(block), 0.0, block - mean[part, None])
            out[part] = np.sqrt(np.mean(apart**2, axis=1))
        return out

    def multiply(self, knots: NDArray[np.float64], B: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Weighing.multiply`."""
        n = self.copies.shape[1] if self.rows is None else len(self.rows)
        out = np.zeros((n, B.shape[1]))
        for part in self._blocks():
            copies = self._used(part).astype(np.float64)
            none, one, two, gone = (knots[part, k, None] for k in range(4))
            values = (
                none + (one - none) * np.minimum(copies, 1.0) + (two - one) * np.maximum(copies - 1.0, 0.0)
            )
            out += np.where(np.isnan(copies), gone, values).T @ B[part]
        return out

    def missing_calls(self) -> NDArray[np.int64]:
        """How many variants have no value, for each sample in use."""
        gone = [np.isnan(self._used(part)).sum(axis=0) for part in self._blocks()]
        return np.asarray(np.sum(gone, axis=0, dtype=np.int64))

    def decode(self, out: NDArray[np.float64]) -> None:
        for part in self._blocks():
            out[:, part] = self._used(part).T

    def _blocks(self) -> Iterator[slice]:
        n = self.copies.shape[1]
        return (slice(start, start + len(part)) for start, part in blocks(np.arange(self.p), n))

    def _used(self, part: slice) -> NDArray[np.float32]:
        block = self.copies[part]
        return block if self.rows is None else block[:, self.rows]


def ratio(top: NDArray[Any], bottom: NDArray[Any]) -> NDArray[np.float64]:
    """The quotient; NaN over zero."""
    out = np.full(len(top), np.nan)
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out


def _as_slice(columns: Positions) -> slice | Positions:
    """Columns that follow each other as a slice, which copies nothing."""
    first = int(columns[0])
    follow = np.array_equal(columns, np.arange(first, first + len(columns)))
    return slice(first, first + len(columns)) if follow else columns
