"""Samples by population, and the variants, that haplotype models are of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.genetics.genotypes import Genotypes
from riata.genetics.variants import FittedVariants, fitted_variants

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class Populations:
    """Which population each sample belongs to.

    Attributes
    ----------
    names : list of str
        One that has no name: all samples belong to it.
    of_sample : dict
        The number of the population of each (FID, IID); empty where there is one alone.
    variants : FittedVariants
        Of the fit.
    members : list of (str, array)
        The samples of each population among the genotypes in hand.
    """

    names: list[str]
    of_sample: dict[tuple[str, str], int]
    variants: FittedVariants | None = None
    members: list[tuple[str, Positions]] = field(default_factory=list)


def fitted_populations(geno: Genotypes, strata: Any) -> Populations:
    """Return the populations of the samples that a model is fitted to, by their labels."""
    n, variants = geno.shape[0], fitted_variants(geno)
    if strata is None:
        return Populations([""], {}, variants, [("", np.arange(n, dtype=np.int64))])
    labels = np.asarray(strata)
    if labels.shape != (n,):
        raise ValueError(f"strata must have a label for each of {n} samples, got shape {labels.shape}")
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError("strata must have a label for each sample, got NaN")
    values, number = np.unique(labels.astype(str), return_inverse=True)
    of_sample = dict(zip(_ids(geno), number.tolist(), strict=True))
    return Populations(
        [str(value) for value in values], of_sample, variants, _members([str(v) for v in values], number)
    )


def populations_of(geno: Genotypes, fitted: Populations | None) -> Populations:
    """Return the populations of other samples, as they were when a model was fitted to the same variants."""
    if fitted is None or not fitted.of_sample:
        if fitted is not None:
            _check_variants(geno, fitted)
        return Populations([""], {}, None, [("", np.arange(geno.shape[0], dtype=np.int64))])
    _check_variants(geno, fitted)
    ids = _ids(geno)
    for sample in ids:
        if sample not in fitted.of_sample:
            raise ValueError(
                f"X must have samples of which strata told the population, got {' '.join(sample)}"
            )
    number = np.array([fitted.of_sample[sample] for sample in ids], dtype=np.int64)
    return Populations(fitted.names, fitted.of_sample, None, _members(fitted.names, number))


def _check_variants(geno: Genotypes, fitted: Populations) -> None:
    assert fitted.variants is not None
    if not fitted.variants.describes(geno):
        raise ValueError(
            f"X must have the {len(fitted.variants):,} variants that the model was fitted to, in their order "
            f"and counting the same alleles, got {geno.shape[1]:,} others"
        )


def _ids(geno: Genotypes) -> list[tuple[str, str]]:
    return list(zip(map(str, geno.samples.fid), map(str, geno.samples.iid), strict=True))


def _members(names: list[str], number: NDArray[Any]) -> list[tuple[str, Positions]]:
    found = ((name, np.flatnonzero(number == k).astype(np.int64)) for k, name in enumerate(names))
    return [(name, rows) for name, rows in found if len(rows)]
