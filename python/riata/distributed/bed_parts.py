"""Ranges of the variants of PLINK 1 files, opened on workers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata.distributed.held_genotypes import Positions, parts_of
from riata.distributed.host import Host
from riata.genetics.sources import PackedSource, make_parts

if TYPE_CHECKING:
    from distributed import Client

Load = Literal["memory", "map"]


class BedFiles:
    """``.bed`` files that workers read by their names, as `Holding`."""

    def __init__(self, sources: Sequence[PackedSource], load: Load) -> None:
        self.sources, self.load = list(sources), load

    def host(self, client: Client, columns: Positions, rows: Positions | None, a1: bool) -> Host:
        cuts = parts_of(len(columns), len(client.nthreads()))
        openers = [
            BedPart(self.sources, columns[first:last], rows, a1, self.load) for first, last in pairwise(cuts)
        ]
        return Host(client, cuts[:-1], openers)


class BedPart:
    """Opens a range of the variants of ``.bed`` files on a worker."""

    def __init__(
        self,
        sources: Sequence[PackedSource],
        columns: NDArray[np.int64],
        rows: NDArray[np.int64] | None,
        a1: bool,
        load: Load,
    ) -> None:
        self.sources, self.columns, self.rows, self.a1, self.load = list(sources), columns, rows, a1, load

    def __call__(self, data: Any) -> tuple[Any, _core.Design]:
        """The part, and its design."""
        if self.load == "memory":
            part = make_parts([self.in_memory()], self.rows, None, self.a1)[0]
        else:
            part = make_parts(self.sources, self.rows, self.columns, self.a1)[0]
        return part, part.core

    def in_memory(self) -> PackedSource:
        """The variants of the part, read from the files."""
        ends = np.cumsum([source.p for source in self.sources])
        owner = np.searchsorted(ends, self.columns, side="right")
        n = self.sources[0].n
        packed = np.empty((len(self.columns), -(-n // 4)), dtype=np.uint8)
        for k, source in enumerate(self.sources):
            mine = owner == k
            if mine.any():
                packed[mine] = source.rows()[self.columns[mine] - (ends[k] - source.p)]
                source.check()
        return PackedSource(self.sources[0].path, n, len(packed), packed)
