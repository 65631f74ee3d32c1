"""Where variants lie: chromosomes in reading order, and stretches of them as column numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import Table
from riata.genetics.chromosomes import HUMAN, ChromosomeSet

Columns = NDArray[np.int64]
Float = NDArray[np.float64]


@dataclass(frozen=True)
class Chromosome:
    """One chromosome by its one name: its variants by position, and whether they have positions at all."""

    name: str
    columns: Columns
    pos: NDArray[np.int64]

    @property
    def placed(self) -> bool:
        return self.name != "0" and len(self.pos) > 0 and int(self.pos[-1]) > 0

    @property
    def extent(self) -> tuple[float, float]:
        """Return where drawings begin and end: base pairs, or the order in the file without positions."""
        if not self.placed:
            return 0.0, float(max(len(self.columns) - 1, 0))
        return float(self.pos[0]), float(self.pos[-1])

    def locate(self, columns: Columns) -> Columns:
        """Return where each of `columns` stands in `self.columns`, -1 for those of other chromosomes."""
        order = np.argsort(self.columns, kind="stable")
        at = order[np.minimum(np.searchsorted(self.columns, columns, sorter=order), len(order) - 1)]
        return np.where(self.columns[at] == columns, at, -1)

    def within(self, centre: int, reach: int) -> Columns:
        """Return the columns at most `reach` base pairs from `centre`."""
        first, last = np.searchsorted(self.pos, [centre - reach, centre + reach + 1])
        return self.columns[first:last]


def chromosomes(variants: Table, chromosome_set: ChromosomeSet = HUMAN) -> list[Chromosome]:
    """Return the chromosomes of a variant table in reading order; names for the same one are one."""
    found: dict[str, list[Columns]] = {}
    for name, start, stop in _runs(variants):
        found.setdefault(chromosome_set.plain(name), []).append(np.arange(start, stop, dtype=np.int64))
    out = []
    for name in sorted(found, key=chromosome_set.order):
        columns = np.concatenate(found[name])
        pos = np.asarray(variants.pos[columns], dtype=np.int64)
        order = np.argsort(pos, kind="stable")
        out.append(Chromosome(name, columns[order], pos[order]))
    return out


def _runs(variants: Table) -> list[tuple[str, int, int]]:
    """Return stretches of lines on one chromosome as (name, first, past the last)."""
    chrom = variants.chrom
    if len(chrom) == 0:
        return []
    ends = np.flatnonzero(np.asarray(chrom[1:] != chrom[:-1], dtype=bool)) + 1
    starts = [0, *ends.tolist()]
    return [(str(chrom[a]), a, b) for a, b in zip(starts, [*starts[1:], len(chrom)], strict=True)]


def drawn_positions(genome: list[Chromosome], columns: Columns) -> Float:
    """Return where each of `columns` is drawn on its chromosome, in the units of its `extent`."""
    out = np.empty(len(columns))
    for chromosome in genome:
        at = chromosome.locate(columns)
        here = at >= 0
        out[here] = chromosome.pos[at[here]] if chromosome.placed else at[here]
    return out
