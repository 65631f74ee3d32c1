"""Where variants lie: chromosomes in reading order, and stretches of them as column numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riata.tables import Table

Columns = NDArray[np.int64]
Float = NDArray[np.float64]

#: Names of a chromosome that stands for "not placed".
UNPLACED = ("0", "")


@dataclass(frozen=True)
class Chromosome:
    """One chromosome of a file: its variants sorted by position, and whether they have positions at all."""

    name: str
    columns: Columns
    pos: NDArray[np.int64]

    @property
    def placed(self) -> bool:
        return self.name not in UNPLACED and len(self.pos) > 0 and int(self.pos[-1]) > 0

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


def chromosomes(variants: Table) -> list[Chromosome]:
    """Return the chromosomes of a variant table in reading order."""
    found: dict[str, list[Columns]] = {}
    for name, start, stop in _runs(variants):
        found.setdefault(name, []).append(np.arange(start, stop, dtype=np.int64))
    out = []
    for name in sorted(found, key=chromosome_order):
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


def chromosome_order(name: str) -> tuple[int, str]:
    """Sort chromosomes as people do: 1 to 22, X, Y, XY, MT, other names, and last what has no place."""
    bare = name.removeprefix("chr")
    if bare in UNPLACED:
        return 2000, bare
    if bare.isdigit():
        return int(bare), bare
    letters = {"X": 23, "Y": 24, "XY": 25, "M": 26, "MT": 26}
    return letters.get(bare.upper(), 1000), bare


def drawn_positions(genome: list[Chromosome], columns: Columns) -> Float:
    """Return where each of `columns` is drawn on its chromosome, in the units of its `extent`."""
    out = np.empty(len(columns))
    for chromosome in genome:
        at = chromosome.locate(columns)
        here = at >= 0
        out[here] = chromosome.pos[at[here]] if chromosome.placed else at[here]
    return out
