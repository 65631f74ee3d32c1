"""Which haplotype of a sample has which allele, where files tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from riata.genetics.loading import MISSING, blocks, buffer, pack
from riata.genetics.sources import ReaderSource, Source


def read_phase(sources: Sequence[Source], columns: NDArray[np.int64] | None) -> NDArray[np.uint8]:
    """Return the first haplotype of each sample at some variants, numbered over all sources.

    Returns
    -------
    (variants, ceil(n / 4)) array of uint8
        PLINK's 2-bit codes: a haplotype with a1 is that of two copies, one without it that of none.

    Raises
    ------
    ValueError
        When a file does not tell, naming it.
    """
    n, ends = sources[0].n, np.cumsum([source.p for source in sources])
    if columns is None:
        columns = np.arange(ends[-1])
    owner = np.searchsorted(ends, columns, side="right")
    out: NDArray[np.uint8] = buffer((len(columns), -(-n // 4)), np.uint8)
    for k, source in enumerate(sources):
        mine = np.flatnonzero(owner == k)
        if len(mine) == 0:
            continue
        if not isinstance(source, ReaderSource):
            raise ValueError(f"{source.path}: phased genotypes are read from .bgen files (phased=True)")
        for start, part in blocks(columns[mine] - (ends[k] - source.p), n):
            has = source.read_phase(part)
            out[mine[start : start + len(part)]] = pack(np.where(has == MISSING, has, 2 * has))
    return out
