"""Hard calls of a chromosome as the haplotype models read them: 16 samples in a word of 2-bit codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata.genetics.genome import Chromosome, chromosomes
from riata.genetics.genotypes import Genotypes
from riata.genetics.sources import PackedPart, PackedSource

Positions = NDArray[np.int64]
Words = NDArray[np.uint32]

BATCH = 16  # samples in a word
_VARIANTS_AT_ONCE = 512


def check_genotypes(geno: Any) -> list[Chromosome]:
    """Return the chromosomes of genotypes that haplotype models apply to; refuse others."""
    if not isinstance(geno, Genotypes):
        raise TypeError(f"X must be riata.Genotypes for haplotype models, got {type(geno).__name__}")
    if 0 in geno.shape:
        raise ValueError(f"X must have at least one sample and one variant, got shape {geno.shape}")
    if not all(isinstance(part, PackedPart) for part in geno._parts()):
        if all(isinstance(source, PackedSource) for source in geno.sources):
            raise ValueError(
                "X must be genotypes of this process for haplotype models, got some that workers hold: use "
                "riata.open_genotypes"
            )
        raise ValueError(
            "X must hold hard calls (0, 1 or 2 copies) for haplotype models, got imputed dosages: take the "
            "most likely calls"
        )
    genome = chromosomes(geno.variants, geno.chromosome_set)
    for chromosome in genome:
        _check_two_copies(geno, chromosome)
    return genome


def _check_two_copies(geno: Genotypes, chromosome: Chromosome) -> None:
    kind = geno.chromosome_set.kind(chromosome.name)
    several = len(chromosome.columns)
    if kind == "unplaced":
        why = "without a chromosome, which have no neighbours"
    elif geno.chromosome_set.haploid or kind in ("Y", "MT"):
        why = f"on {chromosome.name}, of which samples have one copy"
    elif kind == "X" and any(str(sex) != "2" for sex in geno.samples.sex.unique()):
        why = f"on {chromosome.name}, of which some samples have one copy (sex is not 2 in the .fam)"
    else:
        return
    raise ValueError(
        f"X must have variants with two copies in every sample for haplotype models, got {several:,} {why}: "
        "leave them out with geno.subset(variants=...)"
    )


def words_of(geno: Genotypes, columns: Positions, samples: Positions) -> Words:
    """Return words of some samples, numbered as in `geno`, at some variants: (batches, variants)."""
    rows = samples if geno._rows is None else geno._rows[samples]
    out = np.empty((-(-len(rows) // BATCH), len(columns)), dtype=np.uint32)
    packed, start = packed_rows(geno, columns), 0
    while block := list(islice(packed, _VARIANTS_AT_ONCE)):
        out[:, start : start + len(block)] = _core.gather_samples(np.stack(block), rows)
        start += len(block)
    geno.check_files()
    return out


def packed_rows(geno: Genotypes, columns: Positions) -> Iterator[NDArray[np.uint8]]:
    """Yield the packed samples of the files at some variants."""
    parts = cast("Sequence[PackedPart]", geno._parts())
    ends = np.cumsum([part.p for part in parts])
    owner = np.searchsorted(ends, columns, side="right")
    edges = np.flatnonzero(np.diff(owner)) + 1
    for run in np.split(np.arange(len(columns)), edges):
        part = parts[owner[run[0]]]
        inside = columns[run] - (ends[owner[run[0]]] - part.p)
        own = inside if part.columns is None else part.columns[inside]
        yield from PackedPart(part.sources, part.rows, own, part.a1).packed()
