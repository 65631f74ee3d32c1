"""Samples that break a haplotype model: relatives, and mixtures of populations."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._io.tables import some
from riata._io.wording import counted
from riata.genetics.genome import Chromosome
from riata.genetics.genotypes import Genotypes
from riata.knockoffs._check import KnockoffWarning
from riata.knockoffs._genotype_words import words_of

Positions = NDArray[np.int64]

MOST_SAMPLES = 6000  # whose pairs are counted
SHARE, MARGIN, LEAST = 0.2, 1.2, 40  # a fifth of the stretches, beyond what chance gives of at least 40
MOST_VARIANTS, LEAST_PAIRS, APART = 300, 1000, 10_000_000
INFLATED = 2.0


def refuse_relatives(geno: Genotypes, genome: list[Chromosome]) -> None:
    """Refuse samples of which two share rare alleles in more than a fifth of the stretches that have any.

    Of unrelated samples two share them in a few of a hundred, of cousins in about an eighth, of relatives of
    second degree in a quarter, of brothers, sisters, parents and children in half. Of more than 6,000 samples
    those are looked at alone; where rare alleles are few, nothing is refused.
    """
    n = min(geno.shape[0], MOST_SAMPLES)
    sharing = _core.RareSharing(n)
    for chromosome in genome:
        sharing.add(words_of(geno, chromosome.columns, np.arange(n, dtype=np.int64)), n)
    pairs = sharing.pairs(SHARE, MARGIN, LEAST)
    if len(pairs) == 0:
        return
    named = [f"{geno.samples.iid[a]} and {geno.samples.iid[b]}" for a, b, *_ in pairs[:3].tolist()]
    closest = float((pairs[:, 2] / pairs[:, 3]).max())
    raise ValueError(
        f"X must hold unrelated samples for haplotype models, but {counted(len(pairs), 'pair')} share rare "
        f"alleles as relatives do (in up to {closest:.0%} of the stretches that have any): {some(named, 3)}; "
        "leave out one of each, or set related='ok' to go on with a false discovery rate that is not kept"
    )


def warn_of_structure(geno: Genotypes, genome: list[Chromosome], rows: Positions, name: str) -> None:
    """Warn when common variants far apart are correlated beyond chance: n times r² is 1 on average, not 2.

    Of at most 300 variants, those of different chromosomes or more than 10 million base pairs apart.
    """
    some_samples = geno if len(rows) == geno.shape[0] else geno.subset(samples=rows)
    frequency = some_samples.allele_frequency()
    common = [
        (k, chromosome.columns[j], chromosome.pos[j] if chromosome.placed else 0)
        for k, chromosome in enumerate(genome)
        for j in np.flatnonzero(np.abs(frequency[chromosome.columns] - 0.5) < 0.45)
    ]
    if not common:
        return
    chosen = np.array(common)[np.unique(np.linspace(0, len(common) - 1, MOST_VARIANTS).astype(np.int64))]
    copies = some_samples._decode(chosen[:, 1])
    copies = np.where(np.isnan(copies), np.nanmean(copies, axis=0), copies)
    copies -= copies.mean(axis=0)
    copies /= copies.std(axis=0)
    excess = (copies.T @ copies) ** 2 / len(copies)
    apart = chosen[:, None, 0] != chosen[None, :, 0]
    apart |= np.abs(chosen[:, None, 2] - chosen[None, :, 2]) > APART
    if np.count_nonzero(apart) < 2 * LEAST_PAIRS or excess[apart].mean() < INFLATED:
        return
    where = f" of population {name}" if name else ""
    warnings.warn(
        f"variants far apart are correlated in the samples{where}: n r² is {excess[apart].mean():.1f} on "
        "average, and 1 in one population of unrelated samples; the false discovery rate may not be kept: "
        "give the populations as strata",
        KnockoffWarning,
        stacklevel=4,
    )
