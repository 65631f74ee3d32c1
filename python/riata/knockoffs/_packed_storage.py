"""Where knockoffs of genotypes are put as they are drawn: packed in memory, or a ``.bed``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.output_files import OutputSet
from riata.genetics.bed_writer import write_tables
from riata.genetics.genotypes import Genotypes
from riata.genetics.opening import open_genotypes
from riata.genetics.sources import PackedSource

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]

_MAGIC = b"\x6c\x1b\x01"


@contextmanager
def storage(geno: Genotypes, out: str | os.PathLike[str] | None) -> Iterator[tuple[Bytes, Positions]]:
    """Packed variants to be filled, and where each sample of `geno` stands in them.

    In memory they have the samples of the file, those not in use missing; in a file those in use alone.
    """
    n, p = geno.shape
    if out is None:
        total = geno.sources[0].n
        packed = np.full((p, -(-total // 4)), 0x55, dtype=np.uint8)
        if total % 4:
            packed[:, -1] &= (1 << (2 * (total % 4))) - 1
        yield packed, np.arange(n, dtype=np.int64) if geno._rows is None else geno._rows
        return
    with OutputSet(_bed_prefix(out)) as outputs:
        outputs.refuse_inputs(geno.files)
        with open(outputs.path("bed"), "wb") as bed:
            bed.write(_MAGIC)
            bed.truncate(len(_MAGIC) + p * -(-n // 4))
        mapped = np.memmap(
            outputs.path("bed"), dtype=np.uint8, mode="r+", offset=len(_MAGIC), shape=(p, -(-n // 4))
        )
        yield mapped, np.arange(n, dtype=np.int64)
        mapped.flush()
        del mapped
        write_tables(outputs, geno)


def _bed_prefix(out: str | os.PathLike[str]) -> str:
    """Return the name of a ``.bed`` without its ending."""
    name = os.fspath(out)
    if not name.endswith(".bed"):
        raise ValueError(f"out must end in .bed, got {name!r}")
    return name[:-4]


def genotypes_of(geno: Genotypes, packed: Bytes, out: str | os.PathLike[str] | None) -> Genotypes:
    """The knockoffs as genotypes of the samples and variants of `geno`."""
    if out is not None:
        counted: Any = geno.counted_allele
        return open_genotypes(out, counted_allele=counted, chr_set=geno.chromosome_set)
    n, p = geno.sources[0].n, geno.shape[1]
    return Genotypes(
        [PackedSource("knockoffs", n, p, packed=packed)],
        geno.variants,
        geno.samples,
        geno.counted_allele,
        chromosome_set=geno.chromosome_set,
        _rows=geno._rows,
    )
