"""Samples and variants chosen by mask, position or id."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._io.tables import some
from riata._io.text_columns import TextColumn


def positions_of(chosen: ArrayLike | None, ids: TextColumn, what: str) -> NDArray[np.int64] | None:
    """Return the positions that a mask, positions or ids choose; None for all."""
    if chosen is None:
        return None
    wanted = np.asarray(chosen)
    if wanted.ndim != 1:
        raise ValueError(f"{what} must be one-dimensional, got shape {wanted.shape}")
    if wanted.dtype == bool:
        if len(wanted) != len(ids):
            raise ValueError(f"{what} mask must have {len(ids)} entries, got {len(wanted)}")
        return np.flatnonzero(wanted).astype(np.int64)
    if wanted.dtype.kind in "UO":
        names = [str(name) for name in wanted]
        found, count = ids.find(names)
        unknown = [names[k] for k in np.flatnonzero(count == 0)]
        if unknown:
            raise ValueError(f"{what} not in the file: {some(unknown)}")
        ambiguous = [names[k] for k in np.flatnonzero(count > 1)]
        if ambiguous:
            raise ValueError(
                f"{what} named more than once in the file: {some(ambiguous)}; give positions instead"
            )
    elif wanted.dtype.kind in "iu" or wanted.size == 0:
        found = wanted.astype(np.int64)
        if found.size and (found.min() < -len(ids) or found.max() >= len(ids)):
            raise ValueError(
                f"{what} positions must lie in [0, {len(ids)}), got {found.min()} to {found.max()}"
            )
        found = np.where(found < 0, found + len(ids), found)
    else:
        raise TypeError(f"{what} must be a boolean mask, integer positions or ids, got dtype {wanted.dtype}")
    seen = np.zeros(len(ids), dtype=np.bool_)
    seen[found] = True
    if np.count_nonzero(seen) != len(found):
        raise ValueError(f"{what} must be distinct, got the same one twice")
    return found


def compose(outer: NDArray[np.int64] | None, inner: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """Return a choice made among those that another chose, as positions in the whole."""
    if outer is None or inner is None:
        return inner if outer is None else outer
    return outer[inner]
