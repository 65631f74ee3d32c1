"""Complementary halves of the samples: each pair drawn by itself, from its number and the seed alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def draw_pair(
    seed: int,
    pair: int,
    rows: Rows,
    strata: NDArray[np.int64] | None = None,
    units: NDArray[np.int64] | None = None,
) -> tuple[Rows, Rows]:
    """Draw two disjoint halves of `rows`, the same for a seed and a pair number whatever else is drawn.

    Samples are paired at random with others of their class, as far as there are any, and a fair coin parts
    each pair: so halves differ by at most one sample of a class. Of an odd number one, of a class with an odd
    number, is in neither half. The same with `units` of samples that stay together, which are paired with
    those of the same class and about the same size.

    Parameters
    ----------
    seed : int
        From 0 to 2^64 - 1.
    pair : int
    rows : ndarray of int, shape (m,)
        The samples to be halved, as row numbers.
    strata : ndarray of int, shape (n,), optional
        The class of every sample, of a unit that of most of its samples.
    units : ndarray of int, shape (n,), optional
        The unit of every sample.

    Returns
    -------
    ndarray of int, shape (m // 2,), twice
        Row numbers, in increasing order. With units each half has half of them, rounded down.
    """
    classes = np.zeros(len(rows), dtype=np.int64) if strata is None else strata[rows]
    if units is None:
        of_row, kind, size = None, classes, np.ones(len(rows), dtype=np.int64)
    else:
        of_row, kind, size = _units(units[rows], classes)
    count = len(kind)
    random = _numbers(seed, pair, 2 * count)
    order = np.argsort(random[:count], kind="stable")
    by_class = order[np.argsort(kind[order], kind="stable")]
    begins = np.flatnonzero(np.diff(kind[by_class], prepend=-1))
    odd = begins[np.diff(begins, append=count) % 2 == 1]
    loose = order[np.isin(order, by_class[odd])][count % 2 :]  # one of each odd class, paired with each other
    tied = np.delete(by_class, odd)
    order = np.concatenate([tied[np.lexsort((size[tied], kind[tied]))], loose])
    first = order[0::2]
    other = order[1::2]
    heads = random[count : count + len(first)] >> np.uint64(63) == 1
    left, right = np.where(heads, first, other), np.where(heads, other, first)
    if of_row is None:
        return np.sort(rows[left]), np.sort(rows[right])
    side = np.zeros(count, dtype=np.int8)
    side[left], side[right] = 1, 2
    return rows[side[of_row] == 1], rows[side[of_row] == 2]


def _units(labels: Rows, classes: NDArray[np.int64]) -> tuple[Rows, NDArray[np.int64], NDArray[np.int64]]:
    """Return the unit of each row as a number, and the class and the size of each unit."""
    of_row = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    counts = np.zeros((int(of_row.max()) + 1, int(classes.max()) + 1), dtype=np.int64)
    np.add.at(counts, (of_row, classes), 1)
    return of_row, counts.argmax(axis=1), counts.sum(axis=1)


def _numbers(seed: int, pair: int, count: int) -> NDArray[np.uint64]:
    """Random numbers of 64 bits that hang on the seed and the pair alone (Philox, Salmon et al. 2011)."""
    key = np.array([seed % 2**64, pair], dtype=np.uint64)
    return np.asarray(np.random.Philox(key=key).random_raw(count))
