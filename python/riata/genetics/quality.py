"""Quality control of variants: what `Genotypes.qc` reports."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._io.tables import Table
from riata.genetics.chromosomes import Kind
from riata.genetics.dosages import ratio

if TYPE_CHECKING:
    from riata.genetics.genotypes import Genotypes

#: Sexes as a ``.fam`` has them.
MALE, FEMALE = "1", "2"


@dataclass(frozen=True)
class Observed:
    """What is known of each variant: haploid calls count once, samples without the chromosome not at all.

    Attributes
    ----------
    asked, called : (p,) array of int
        Samples that have the chromosome, and those with a call among them.
    frequency : (p,) array
        Of the counted allele among the calls; NaN where there is none.
    """

    asked: NDArray[np.int64]
    called: NDArray[np.int64]
    frequency: NDArray[np.float64]

    @property
    def missing_rate(self) -> NDArray[np.float64]:
        """Share of the samples that have the chromosome without a call; NaN where there are none."""
        return ratio(self.asked - self.called, self.asked)


def observe(geno: Genotypes, chosen: NDArray[np.int64] | None = None) -> Observed:
    """Count the chosen variants as PLINK 2 does: one allele a man on X, men alone on Y, else as stored.

    Samples of unknown sex count as women on X, and not at all on Y.
    """
    where = np.arange(geno.shape[1]) if chosen is None else chosen
    called = len(geno) - geno.counts()[where, 3].astype(np.int64)
    asked = np.full(len(where), len(geno), dtype=np.int64)
    frequency = geno.allele_frequency()[where]
    by_sex = np.flatnonzero(of_kind(geno, "X", "Y")[where])
    if len(by_sex) == 0:
        return Observed(asked, called, frequency)
    men = geno.subset(samples=geno.samples.sex == MALE, variants=where[by_sex])
    on_y = of_kind(men, "Y")
    men_called, of_men = np.zeros(len(by_sex), dtype=np.int64), np.full(len(by_sex), np.nan)
    if len(men):
        men_called = len(men) - men.counts()[:, 3].astype(np.int64)
        of_men = men.allele_frequency()
    alleles = 2 * called[by_sex] - men_called
    copies = 2.0 * called[by_sex] * np.nan_to_num(frequency[by_sex]) - men_called * np.nan_to_num(of_men)
    frequency[by_sex] = np.where(on_y, of_men, ratio(copies, alleles))
    called[by_sex[on_y]], asked[by_sex[on_y]] = men_called[on_y], len(men)
    return Observed(asked, called, frequency)


def quality_table(geno: Genotypes) -> Table:
    """Return one row per variant; see `Genotypes.qc`."""
    seen = observe(geno)
    variants = geno.variants
    return Table(
        {
            "chrom": variants.chrom,
            "id": variants.id,
            "pos": variants.pos,
            "n_called": seen.called,
            "missing_rate": seen.missing_rate,
            "frequency": seen.frequency,
            "maf": np.minimum(seen.frequency, 1.0 - seen.frequency),
            "hwe_p": hardy_weinberg(geno),
            "monomorphic": geno.monomorphic(),
            "duplicate_id": variants.id.repeated(),
            "duplicate_site": repeated_sites(geno),
            "identical_to": geno.identical_to(),
        }
    )


def hardy_weinberg(geno: Genotypes) -> NDArray[np.float64]:
    """Return p values of the exact test, (p,): over women on X, NaN on Y, on MT and without calls.

    Of haploid genomes all are NaN.
    """
    threads = os.cpu_count() or 1
    if geno.chromosome_set.haploid:
        return np.full(geno.shape[1], np.nan)
    out = _core.hardy_weinberg(geno.counts(), threads)
    on_x = np.flatnonzero(of_kind(geno, "X"))
    if len(on_x):
        women = geno.subset(samples=geno.samples.sex == FEMALE, variants=on_x)
        out[on_x] = _core.hardy_weinberg(women.counts(), threads) if len(women) else np.nan
    out[of_kind(geno, "Y", "MT")] = np.nan
    return out


def of_kind(geno: Genotypes, *kinds: Kind) -> NDArray[np.bool_]:
    """Say which variants are on chromosomes of some kinds, (p,)."""
    chrom = geno.variants.chrom
    return np.asarray(
        chrom.isin([name for name in chrom.unique() if geno.chromosome_set.kind(name) in kinds])
    )


def repeated_sites(geno: Genotypes) -> NDArray[np.bool_]:
    """Say which variants share chromosome, position and pair of alleles with an earlier one, (p,)."""
    variants, plain = geno.variants, geno.chromosome_set.plain
    out = np.zeros(len(variants), dtype=np.bool_)
    _, number = np.unique([plain(name) for name in variants.chrom.names], return_inverse=True)
    chrom = number[variants.chrom.codes]
    order = np.lexsort((variants.pos, chrom))
    chrom, pos = chrom[order], variants.pos[order]
    same = np.flatnonzero((chrom[1:] == chrom[:-1]) & (pos[1:] == pos[:-1]))
    shared = np.unique(order[np.union1d(same, same + 1)])
    seen: set[tuple[object, ...]] = set()
    for j, chromosome, place, *alleles in zip(
        shared.tolist(),
        *(variants[name][shared].tolist() for name in ("chrom", "pos", "a1", "a2")),
        strict=True,
    ):
        site = (plain(chromosome), place, *sorted(alleles))
        out[j] = site in seen
        seen.add(site)
    return out
