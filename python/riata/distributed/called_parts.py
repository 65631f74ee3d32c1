"""Alleles called, in the chunks of a Dask array, packed at 2 bits a genotype where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._io.tables import Table
from riata._io.wording import counted
from riata.distributed.arrays import whole_lanes
from riata.distributed.doors import awaited, check_memory
from riata.distributed.held_genotypes import Positions, parts_of
from riata.distributed.host import Host
from riata.distributed.waiting import fetched, settle
from riata.genetics.chromosomes import ChromosomeSet
from riata.genetics.loading import MISSING, pack
from riata.genetics.sources import PackedSource, make_parts

if TYPE_CHECKING:
    from distributed import Client

#: What stands in the place of an allele that a haploid call does not have.
_FILL = -2
#: Samples to a byte: chunks along the samples begin at its multiples.
_A_BYTE = 4


@dataclass(frozen=True)
class Calls:
    """Alleles that were called at p variants in n samples, as `Holding`.

    Attributes
    ----------
    name : str
        What messages call them.
    alleles : dask.array.Array of int, shape (p, n, 2)
        0 for REF, 1 for ALT; -1 is missing, and -2 in the second place a haploid call.
    mask : dask.array.Array of bool, same shape, or None
        True: missing, whatever was called.
    """

    name: str
    alleles: Any
    mask: Any = None

    def packed(self, columns: Positions) -> Any:
        """Some variants, as a delayed list of what `join_samples` returns."""
        from dask.delayed import delayed

        several = len(columns) > 1 and np.array_equal(columns, np.arange(columns[0], columns[-1] + 1))
        chosen = slice(int(columns[0]), int(columns[-1]) + 1) if several else columns
        alleles = self.alleles[chosen]
        alleles = alleles.rechunk({1: whole_lanes(alleles.chunks[1], _A_BYTE), 2: -1})
        called = alleles.to_delayed()[:, :, 0]
        mask = np.full(called.shape, None)
        if self.mask is not None:
            mask = self.mask[chosen].rechunk(alleles.chunks).to_delayed()[:, :, 0]
        one, join = delayed(pack_calls, pure=True), delayed(join_samples, pure=True)
        blocks = [
            join([one(block, gone) for block, gone in zip(row, hidden, strict=True)])
            for row, hidden in zip(called, mask, strict=True)
        ]
        return delayed(list)(blocks)

    def about(self) -> dict[str, Any]:
        """See `Holding`."""
        return {"load": "memory", "scratch": None}

    def host(self, client: Client, columns: Positions, rows: Positions | None, a1: bool) -> Host:
        """See `Holding`.

        Raises
        ------
        ValueError
            When calls are of a third allele, or parts do not fit the memory of a worker.
        RuntimeError
            When no worker takes tasks.
        """
        homes = awaited(client)
        cuts = parts_of(len(columns), len(homes))
        n = self.alleles.shape[1]
        check_memory(client, float(max(np.diff(cuts)) * -(-n // _A_BYTE)), "memory", may_map=False)
        futures = [
            client.compute(
                self.packed(columns[first:last]), workers=[homes[k % len(homes)]], allow_other_workers=True
            )
            for k, (first, last) in enumerate(pairwise(cuts))
        ]
        settle(client, futures)
        beyond = sum(fetched(client, [client.submit(variants_beyond, part) for part in futures]))
        if beyond:
            raise ValueError(
                f"{self.name}: call_genotype must hold alleles 0 and 1, got others at "
                f"{counted(beyond, 'variant')}: leave these out with .subset(variants=...), or split them "
                "before (bcftools norm -m-)"
            )
        return Host(client, cuts[:-1], [CalledPart(self.name, n, rows, a1)] * len(futures), futures)


class CalledPart:
    """Opens a range of the variants on a worker that has them packed."""

    def __init__(self, name: str, n: int, rows: Positions | None, a1: bool) -> None:
        self.name, self.n, self.rows, self.a1 = name, n, rows, a1

    def __call__(self, blocks: Sequence[tuple[NDArray[np.uint8], int]]) -> tuple[Any, _core.Design]:
        """The part, and its design."""
        sources = [PackedSource(self.name, self.n, len(codes), codes) for codes, _ in blocks]
        part = make_parts(sources, self.rows, None, self.a1)[0]
        return part, part.core


class CallReader:
    """Brings variants that workers read to this process: see `riata.genetics.loading.Reader`."""

    has_dosages: bool | None = False
    chromosome_set: ChromosomeSet | None = None

    def __init__(self, client: Client, calls: Calls, variants: Table, samples: Table) -> None:
        self.path, self.files = calls.name, [calls.name]
        self.variants, self.samples = variants, samples
        self._client, self._calls = client, calls

    def read(self, columns: Positions) -> NDArray[Any]:
        """Return copies of a1 (0, 1, 2; 3 missing), variants x samples."""
        awaited(self._client)
        blocks = fetched(self._client, [self._client.compute(self._calls.packed(columns))])[0]
        packed = np.concatenate([codes for codes, _ in blocks])
        codes = packed[:, :, None] >> np.arange(0, 8, 2, dtype=np.uint8) & 3
        copies = np.array([2, MISSING, 1, 0], dtype=np.uint8)[codes]
        return np.asarray(copies.reshape(len(packed), -1)[:, : len(self.samples)])

    def read_allele(self, column: int, allele: int) -> NDArray[np.float64]:
        """Refuse: calls are of one ALT allele."""
        raise ValueError(f"{self.path}: variants have one ALT allele, got {allele} asked for")

    def read_phase(self, columns: Positions) -> NDArray[np.uint8]:
        """Refuse: which haplotype has which allele is read from ``.bgen`` files alone."""
        raise ValueError(f"{self.path}: phased genotypes are read from .bgen files (phased=True)")


def pack_calls(
    alleles: NDArray[Any], mask: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Pack calls (variants x samples x 2) as the codes of a ``.bed``; say where a third allele is.

    A call with one allele missing is missing. A haploid one counts 0 or 2.
    """
    first, second = alleles[..., 0], alleles[..., 1]
    if mask is not None:
        hidden = mask & (alleles != _FILL)
        first, second = np.where(hidden[..., 0], -1, first), np.where(hidden[..., 1], -1, second)
    second = np.where(second == _FILL, first, second)
    beyond = ((first > 1) | (second > 1)).any(axis=1)
    copies = np.where((first < 0) | (second < 0), MISSING, np.clip(first, 0, 1) + np.clip(second, 0, 1))
    return pack(copies.astype(np.uint8)), np.asarray(beyond)


def join_samples(
    blocks: Sequence[tuple[NDArray[np.uint8], NDArray[np.bool_]]],
) -> tuple[NDArray[np.uint8], int]:
    """Codes of some variants, and at how many of them a third allele is, from chunks of the samples."""
    beyond = np.any([found for _, found in blocks], axis=0)
    return np.concatenate([codes for codes, _ in blocks], axis=1), int(np.count_nonzero(beyond))


def variants_beyond(blocks: Sequence[tuple[NDArray[np.uint8], int]]) -> int:
    """At how many variants of a part a third allele was called."""
    return sum(beyond for _, beyond in blocks)
