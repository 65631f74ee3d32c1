"""Chains of haplotype clusters along chromosomes: fitted by EM, and groups as stretches of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata.genetics.genome import Chromosome
from riata.genetics.genotypes import Genotypes
from riata.knockoffs._genotype_words import Words

Float = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Chain:
    """A model of the haplotypes of one chromosome, its variants by position.

    Attributes
    ----------
    name : str
        The chromosome.
    stay : (m,) array
        b_j, the probability to stay in the cluster of the variant before; 0 at the first.
    landing, allele : (m, K) arrays
        alpha, where jumps land, and theta, the probability of the counted allele.
    log_likelihood : tuple of float
        Before each step of the fit.
    """

    name: str
    stay: Float
    landing: Float
    allele: Float
    log_likelihood: tuple[float, ...] = ()

    @property
    def arrays(self) -> tuple[Float, Float, Float]:
        return self.stay, self.landing, self.allele

    def of_a1(self, counted: str) -> tuple[Float, Float, Float]:
        """The arrays with the probability of A1, where the model counts the allele `counted`."""
        return self.stay, self.landing, self.allele if counted == "A1" else 1.0 - self.allele


def key_of(*parts: Any) -> int:
    """Return a key of 64 bits for random numbers that belong to `parts` alone."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def fit_chain(
    name: str,
    words: Words,
    n_samples: int,
    counted: str,
    *,
    n_clusters: int,
    n_iter: int,
    key: int,
    n_threads: int,
    phased: bool,
    tell: Callable[[], None],
) -> Chain:
    """Fit a chain to words of genotypes by `n_iter` steps of EM; `tell` is called after each.

    When `phased`, samples are haplotypes.
    """
    arrays = _core.start_haplotypes(words, n_samples, n_clusters, key)
    likelihood = []
    for _ in range(n_iter):
        arrays, before = _core.step_haplotypes(words, n_samples, *arrays, n_threads, phased)
        likelihood.append(before)
        tell()
    stay, landing, allele = arrays
    return Chain(name, stay, landing, allele if counted == "A1" else 1.0 - allele, tuple(likelihood))


def ends_of(
    geno: Genotypes, genome: list[Chromosome], labels: Labels | None, fixed: NDArray[np.bool_]
) -> list[Labels]:
    """Return, for each chromosome, where its groups end; refuse groups that are not runs of variants.

    Features of a negative label are each by themselves. A variant that is its own knockoff parts no group.
    """
    if labels is None:
        return [np.arange(1, len(chromosome.columns) + 1) for chromosome in genome]
    out, owner = [], np.full(int(labels.max(initial=-1)) + 1, -1, dtype=np.int64)
    for chromosome in genome:
        columns = chromosome.columns
        mine = labels[columns].copy()
        alone = mine < 0
        mine[alone] = len(owner) + np.flatnonzero(alone)
        moving = np.flatnonzero(~fixed[columns])
        if len(moving):  # the others go with the one before them
            before = np.searchsorted(moving, np.arange(len(columns)), side="right") - 1
            mine = mine[moving[np.maximum(before, 0)]]
        ends = np.append(np.flatnonzero(np.diff(mine)) + 1, len(columns))
        for end, group in zip(ends.tolist(), mine[ends - 1].tolist(), strict=True):
            if group >= len(owner):
                continue
            if owner[group] >= 0:
                j = int(columns[end - 1])
                raise ValueError(
                    "groups must be runs of consecutive variants of one chromosome for haplotype models, but "
                    f"others lie between variants {geno.variants.id[int(owner[group])]} and "
                    f"{geno.variants.id[j]} of one group: use riata.ld_groups"
                )
            owner[group] = columns[end - 1]
        out.append(ends.astype(np.int64))
    return out
