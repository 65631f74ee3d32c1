"""Quality control of variants: what `Genotypes.qc` reports."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata.chromosomes import Kind
from riata.tables import Table

if TYPE_CHECKING:
    from riata.genotypes import Genotypes

_FEMALE = "2"


def quality_table(geno: Genotypes) -> Table:
    """Return one row a variant; see `Genotypes.qc`."""
    frequency = geno.allele_frequency()
    variants = geno.variants
    return Table(
        {
            "chrom": variants.chrom,
            "id": variants.id,
            "pos": variants.pos,
            "n_called": len(geno) - geno.counts()[:, 3].astype(np.int64),
            "missing_rate": geno.missing_rate(),
            "frequency": frequency,
            "maf": np.minimum(frequency, 1.0 - frequency),
            "hwe_p": hardy_weinberg(geno),
            "monomorphic": geno.monomorphic(),
            "duplicate_id": variants.id.repeated(),
            "duplicate_site": repeated_sites(variants),
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
        women = geno.subset(samples=geno.samples.sex == _FEMALE, variants=on_x)
        out[on_x] = _core.hardy_weinberg(women.counts(), threads) if len(women) else np.nan
    out[of_kind(geno, "Y", "MT")] = np.nan
    return out


def of_kind(geno: Genotypes, *kinds: Kind) -> NDArray[np.bool_]:
    """Say which variants are on chromosomes of some kinds, (p,)."""
    chrom = geno.variants.chrom
    return np.asarray(
        chrom.isin([name for name in chrom.unique() if geno.chromosome_set.kind(name) in kinds])
    )


def repeated_sites(variants: Table) -> NDArray[np.bool_]:
    """Say which variants share chromosome, position and pair of alleles with an earlier one, (p,)."""
    out = np.zeros(len(variants), dtype=np.bool_)
    order = np.lexsort((variants.pos, variants.chrom.codes))
    chrom, pos = variants.chrom.codes[order], variants.pos[order]
    same = np.flatnonzero((chrom[1:] == chrom[:-1]) & (pos[1:] == pos[:-1]))
    shared = np.unique(order[np.union1d(same, same + 1)])
    seen: set[tuple[object, ...]] = set()
    for j, chromosome, place, *alleles in zip(
        shared.tolist(),
        *(variants[name][shared].tolist() for name in ("chrom", "pos", "a1", "a2")),
        strict=True,
    ):
        site = (chromosome, place, *sorted(alleles))
        out[j] = site in seen
        seen.add(site)
    return out
