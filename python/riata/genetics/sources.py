"""Where genotypes lie: the files and arrays a `Genotypes` is made of, and designs over them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._io.tables import Table
from riata.genetics.bed_file import BedFile
from riata.genetics.chromosomes import ChromosomeSet
from riata.genetics.dosages import DosagePart, Dosages, ratio
from riata.genetics.loading import Reader, load

Positions = NDArray[np.int64]

#: Copies of A1 for the 2-bit codes 0, 1, 2, 3.
_A1_COPIES = np.array([2.0, np.nan, 1.0, 0.0])


@dataclass(frozen=True)
class PackedSource:
    """Genotype calls of n samples at p variants in PLINK's 2-bit codes.

    Attributes
    ----------
    path : str
        The file they come from, named in messages.
    n, p : int
    packed : (p, ceil(n / 4)) array of uint8, C-contiguous, or None
        Variant after variant, sample i at bits ``2 * (i % 4)`` of byte ``i // 4``; 0 is two copies of A1,
        1 missing, 2 one copy, 3 none. None: `bed` has them, which stays on disk, memory-mapped.
    bed : BedFile or None
    """

    path: str
    n: int
    p: int
    packed: NDArray[np.uint8] | None = None
    bed: BedFile | None = None

    @property
    def bytes_of(self) -> _core.MappedFile | NDArray[np.uint8]:
        """What the core reads: an open file or an array."""
        if self.packed is not None:
            return self.packed
        assert self.bed is not None
        return self.bed.core

    def rows(self) -> NDArray[np.uint8]:
        """The packed variants, (p, ceil(n / 4)), whatever holds them."""
        if self.packed is not None:
            return self.packed
        assert self.bed is not None
        return self.bed.rows(self.p, self.n)

    def check(self) -> None:
        """Raise OSError when the file has changed since it was opened."""
        if self.bed is not None:
            self.bed.check()

    def load(self, columns: Positions) -> tuple[PackedSource, Positions]:
        """Itself: nothing needs loading."""
        return self, columns


class ReaderSource:
    """Genotypes of a file in a format that has to be decoded: when a design or counts need them.

    Hard calls are kept, packed, for the views that come after the first; dosages belong to one view.

    Attributes
    ----------
    path : str
        The file they come from, named in messages.
    n, p : int
    """

    def __init__(self, reader: Reader) -> None:
        self.path, self.n, self.p = reader.path, len(reader.samples), len(reader.variants)
        self._reader = reader
        self._kept: tuple[Positions, PackedSource] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without what was decoded."""
        return {**self.__dict__, "_kept": None}

    def read_allele(self, column: int, allele: int) -> NDArray[np.float64]:
        """Copies of one ALT allele (1 is the first) of a variant with several, NaN where missing."""
        return self._reader.read_allele(column, allele)

    def read_phase(self, columns: Positions) -> NDArray[np.uint8]:
        """Whether first haplotypes have a1, variants x samples; 3 where missing."""
        return self._reader.read_phase(columns)

    def load(self, columns: Positions) -> tuple[PackedSource | Dosages, Positions]:
        """Decode some variants; returns what holds them, and where in it they are."""
        if self._kept is not None:
            have, source = self._kept
            if len(have) == self.p and np.array_equal(have, np.arange(self.p)):
                return source, columns
            if np.array_equal(have, columns):
                return source, np.arange(source.p)
        loaded = load(self._reader, columns)
        if loaded.copies is not None:
            return Dosages(loaded.copies), np.arange(len(columns))
        source = PackedSource(self.path, self.n, len(columns), loaded.packed)
        self._kept = columns, source
        return source, np.arange(len(columns))


Source = PackedSource | ReaderSource


@dataclass(frozen=True)
class Opened:
    """What a reader of a file format returns: genotypes with the tables that describe them.

    Attributes
    ----------
    source : PackedSource or ReaderSource
    variants : Table
        ``chrom, id, cm, pos, a1, a2``, text as `read_fields`, `plain_column` and `coded_texts` (chromosomes,
        alleles) make it; formats that name a reference allele have it as `a2`, and the alternate allele,
        which is counted by default, as `a1`.
    samples : Table
        ``fid, iid, father, mother, sex`` and phenotypes as columns of text, missing parts as in a ``.fam``
        (`riata.genetics.pgen.sample_table`).
    files : list of str
        Every file read.
    chromosome_set : ChromosomeSet or None
        What the file declares of its species; None where it says nothing.
    notes : list of str
        What the user should know of the files.
    """

    source: Source
    variants: Table
    samples: Table
    files: list[str]
    chromosome_set: ChromosomeSet | None = None
    notes: list[str] = field(default_factory=list)


class PackedPart:
    """Some variants of packed sources that follow each other."""

    def __init__(
        self, sources: Sequence[PackedSource], rows: Positions | None, columns: Positions | None, a1: bool
    ) -> None:
        self.sources, self.rows, self.columns, self.a1 = sources, rows, columns, a1
        self.p = sum(source.p for source in sources) if columns is None else len(columns)

    @cached_property
    def core(self) -> _core.PlinkDesign:
        n = self.sources[0].n
        include = None
        if self.rows is not None:
            include = np.zeros(n, dtype=np.uint8)
            include[self.rows] = 1
        data = [source.bytes_of for source in self.sources]
        sizes = [source.p for source in self.sources]
        return _core.plink_design(data, n, sizes, self.a1, include, self.columns, _threads())

    @cached_property
    def counts(self) -> NDArray[np.uint32]:
        counts = self.core.counts(_threads())
        counts.flags.writeable = False  # it is kept
        return counts

    def frequency(self) -> NDArray[np.float64]:
        called = self.counts[:, :3].sum(axis=1)
        return ratio(self.counts[:, 1] + 2.0 * self.counts[:, 2], 2.0 * called)

    def constant(self) -> NDArray[np.bool_]:
        return np.asarray((self.counts[:, :3] > 0).sum(axis=1) <= 1)

    def identical(self) -> Positions:
        return self.core.identical(_threads())

    def imputed(self) -> NDArray[np.float64]:
        """What stands for a missing call of each variant: the mean of the samples in use, 0 without calls."""
        return self.core.imputed()

    def standard_deviations(self) -> NDArray[np.float64]:
        """Of the samples in use, 1/n, missing calls at their mean."""
        none, one, two, gone = self.counts.astype(np.float64).T
        called = np.maximum(none + one + two, 1.0)
        mean = (one + 2.0 * two) / called
        squares = none * mean**2 + one * (1.0 - mean) ** 2 + two * (2.0 - mean) ** 2
        return np.asarray(np.sqrt(squares / np.maximum(called + gone, 1.0)))

    def multiply(self, knots: NDArray[np.float64], B: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Weighing.multiply`."""
        order = [2, 3, 1, 0] if self.a1 else [0, 3, 1, 2]
        out = self.core.multiply_tables(
            np.asfortranarray(knots[:, order].T), np.asfortranarray(B), _threads()
        )
        return out if self.rows is None else out[self.rows]

    def missing_calls(self) -> NDArray[np.int64]:
        """How many variants have no call, for each sample in use."""
        gone = np.broadcast_to([0.0, 0.0, 0.0, 1.0], (self.p, 4))
        return np.rint(self.multiply(gone, np.ones((self.p, 1)))[:, 0]).astype(np.int64)

    def decode(self, out: NDArray[np.float64]) -> None:
        n = self.sources[0].n
        copies = _A1_COPIES if self.a1 else 2.0 - _A1_COPIES
        lookup = copies[np.arange(256)[:, None] >> np.array([0, 2, 4, 6]) & 3]
        for k, packed in enumerate(self.packed()):
            column = lookup[packed].reshape(-1)[:n]
            out[:, k] = column if self.rows is None else column[self.rows]
        for source in self.sources:
            if source.bed is not None:
                source.bed.core.check()

    def packed(self) -> Iterator[NDArray[np.uint8]]:
        """The bytes of each variant."""
        ends = np.cumsum([source.p for source in self.sources])
        columns = np.arange(ends[-1]) if self.columns is None else self.columns
        for k, run in _runs(np.searchsorted(ends, columns, side="right")):
            rows = self.sources[k].rows()
            yield from (rows[j] for j in columns[run] - (ends[k] - self.sources[k].p))


Part = PackedPart | DosagePart


def make_parts(
    sources: Sequence[Source], rows: Positions | None, columns: Positions | None, a1: bool
) -> list[Part]:
    """Split the columns in use, numbered over all sources, into runs that one storage can hold.

    Packed sources that follow each other are one storage, also those that had to be decoded; dosages of each
    source are their own. Genotypes count A1 when `a1`, else A2.
    """
    if all(isinstance(source, PackedSource) for source in sources):
        held: list[Any] = list(sources)
    else:
        held, columns = _load(sources, columns)
    groups = [
        list(group)
        for _, group in groupby(held, key=lambda s: "packed" if isinstance(s, PackedSource) else id(s))
    ]
    if columns is None:
        return [_part(group, rows, None, a1) for group in groups]
    sizes = [sum(source.p for source in group) for group in groups]
    ends = np.cumsum(sizes)
    return [
        _part(groups[k], rows, columns[run] - (ends[k] - sizes[k]), a1)
        for k, run in _runs(np.searchsorted(ends, columns, side="right"))
    ]


def _load(
    sources: Sequence[Source], columns: Positions | None
) -> tuple[list[PackedSource | Dosages], Positions]:
    """Decode what is in use of each source; returns what holds it, and the columns numbered over that."""
    ends = np.cumsum([source.p for source in sources])
    if columns is None:
        columns = np.arange(ends[-1])
    owner = np.searchsorted(ends, columns, side="right")
    held: list[PackedSource | Dosages] = []
    place, first = np.empty_like(columns), 0
    for k, source in enumerate(sources):
        mine = np.flatnonzero(owner == k)
        if len(mine) == 0:
            continue
        loaded, where = source.load(columns[mine] - (ends[k] - source.p))
        held.append(loaded)
        place[mine] = first + where
        first += loaded.p
    return held, place


def decode(parts: Sequence[Part], n: int) -> NDArray[np.float64]:
    """Copies of the counted allele in the n samples in use, NaN where missing."""
    out = np.empty((n, sum(part.p for part in parts)), order="F")
    first = 0
    for part in parts:
        part.decode(out[:, first : first + part.p])
        first += part.p
    return out


class Weighing:
    """Sums over some variants of weights times what genotypes stand for, without decoding them as a whole."""

    def __init__(self, parts: Sequence[Part], n: int) -> None:
        self._parts, self._n = parts, n
        self._ends = np.cumsum([part.p for part in parts])

    def imputed(self) -> NDArray[np.float64]:
        """The mean copies of each variant among the calls of the samples in use, 0 without calls."""
        return np.concatenate([part.imputed() for part in self._parts])

    def multiply(self, knots: NDArray[np.float64], B: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n, L): sums over variants of rows of `B`, (p, L), times what genotypes stand for.

        `knots`, (p, 4), say what 0, 1, 2 copies of the counted allele and a missing call stand for; what lies
        between whole numbers of copies is interpolated.
        """
        out = np.zeros((self._n, B.shape[1]))
        for part, end in zip(self._parts, self._ends, strict=True):
            out += part.multiply(knots[end - part.p : end], B[end - part.p : end])
        return out

    def missing_calls(self) -> NDArray[np.int64]:
        """How many of the variants have no call, for each sample."""
        return np.asarray(np.sum([part.missing_calls() for part in self._parts], axis=0, dtype=np.int64))


def side_by_side(parts: Sequence[Part]) -> _core.Design:
    """One design over all parts."""
    return parts[0].core if len(parts) == 1 else _core.hstack_design([part.core for part in parts])


def _part(group: list[Any], rows: Positions | None, columns: Positions | None, a1: bool) -> Part:
    if isinstance(group[0], PackedSource):
        return PackedPart(group, rows, columns, a1)
    return DosagePart(group[0], rows, columns, a1)


def _threads() -> int:
    return os.cpu_count() or 1


def _runs(keys: NDArray[np.int64]) -> Iterator[tuple[int, slice]]:
    """Each run of equal keys: its key and where it is."""
    if len(keys) == 0:
        return
    edges = np.flatnonzero(np.diff(keys)) + 1
    for start, stop in zip([0, *edges], [*edges, len(keys)], strict=True):
        yield int(keys[start]), slice(int(start), int(stop))
