"""Groups of variants in linkage disequilibrium, consecutive along each chromosome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._input.validation import check_integer, check_real, check_threads, threads_for
from riata.genetics.genome import Chromosome, chromosomes
from riata.genetics.genotypes import Genotypes
from riata.grouping.groups import CorrelationGroups, check_cuts, distinct

__all__ = ["ld_groups"]

Labels = NDArray[np.int64]


def ld_groups(
    geno: Genotypes,
    *,
    r2: float | Sequence[float] = 0.5,
    window_kb: float = 1000.0,
    max_size: int = 200,
    n_threads: int | None = None,
) -> Any:
    """Group the variants of each chromosome that are in linkage disequilibrium.

    Of all neighbouring groups A and B the two with the largest mean squared correlation,

        mean(A, B) = Σ_{a in A, b in B} r²_ab / (|A| |B|),

    become one, the leftmost of several, as long as that mean is at least `r2`. Groups are runs of
    consecutive variants; those for a smaller r2 hold the ones for a larger r2 whole. Only genotypes are
    looked at, never a phenotype, so that the groups may be used to select among.

    Parameters
    ----------
    geno : Genotypes
        Squared correlations are those of allele counts over its samples, missing calls set to the mean.
    r2 : float in (0, 1], or sequence of float, default=0.5
        Where to stop: of a sequence, for each of them.
    window_kb : float, default=1000
        Variants further apart, in thousand base pairs, count as not correlated.
    max_size : int, default=200
        Variants in a group, at most.
    n_threads : int, optional
        The groups are the same for any number.

    Returns
    -------
    CorrelationGroups, or list of them
        One for each r2. Groups are called ``chromosome:position`` or ``chromosome:first-last``.

    Raises
    ------
    TypeError, ValueError
        For bad input, naming the argument, the value and what is allowed.

    Notes
    -----
    A variant that does not vary is a group by itself and does not part its neighbours, as is one without a
    chromosome (0). On a chromosome without positions the variants are taken in the order of the file, and
    `window_kb` is not used. Time is about n p h / 64 word operations for h = `max_size` neighbours; memory is
    8 p h bytes for the p variants of the largest chromosome.

    References
    ----------
    Ambroise, Dehman, Neuvial, Rigaill & Vialaneix (2019), Adjacency-constrained hierarchical clustering of a
    band similarity matrix with application to genomics, Algorithms for Molecular Biology 14.

    Examples
    --------
    >>> import riata, tempfile
    >>> path = riata.simulate_genotypes(tempfile.mkdtemp() + "/study", 300, 400)
    >>> geno = riata.open_genotypes(path)
    >>> fine, coarse = riata.ld_groups(geno, r2=[0.8, 0.2])
    >>> len(fine) > len(coarse), int(fine.sizes.sum())
    (True, 400)
    """
    if not isinstance(geno, Genotypes):
        raise TypeError(
            f"geno must be riata.Genotypes, got {type(geno).__name__}: "
            "use riata.correlation_groups for tables"
        )
    cuts, places, one = check_cuts(r2)
    reach = round(1000.0 * check_real("window_kb", window_kb, at_least=0.0))
    size = check_integer("max_size", max_size, at_least=1)
    threads = check_threads(n_threads)
    core, rows = geno._design()
    n, p = core.shape
    counted = np.zeros(n)
    counted[slice(None) if rows is None else rows] = 1.0
    threads = threads_for(threads, float(n) * p * min(size, p))
    labels = [np.empty(p, dtype=np.int64) for _ in cuts]
    names: list[list[str]] = [[] for _ in cuts]
    for chromosome in chromosomes(geno.variants, geno.chromosome_set):
        far = _reach(chromosome, reach)
        found = _core.neighbour_groups(core, chromosome.columns, far, counted, cuts, size, threads)
        for group, mine, called in zip(found, labels, names, strict=True):
            mine[chromosome.columns] = len(called) + group
            called += _names(chromosome, group)
    made = [_in_order(a, b, geno, cut) for a, b, cut in zip(labels, names, cuts, strict=True)]
    return made[0] if one else [made[k] for k in places]


def _reach(chromosome: Chromosome, window: int) -> Labels:
    """How many variants that follow each on its chromosome are within the window."""
    count = len(chromosome.columns)
    if chromosome.name == "0":
        return np.zeros(count, dtype=np.int64)
    if not chromosome.placed:
        return np.arange(count - 1, -1, -1, dtype=np.int64)
    ends = np.searchsorted(chromosome.pos, chromosome.pos + window, side="right")
    out: Labels = np.asarray(ends - np.arange(count) - 1, dtype=np.int64)
    return out


def _names(chromosome: Chromosome, group: Labels) -> list[str]:
    """What the groups of a chromosome are called."""
    count = int(group.max()) + 1
    first, last = np.full(count, np.iinfo(np.int64).max), np.zeros(count, dtype=np.int64)
    np.minimum.at(first, group, chromosome.pos)
    np.maximum.at(last, group, chromosome.pos)
    return [
        f"{chromosome.name}:{a}" if a == b else f"{chromosome.name}:{a}-{b}"
        for a, b in zip(first.tolist(), last.tolist(), strict=True)
    ]


def _in_order(labels: Labels, names: list[str], geno: Genotypes, r2: float) -> CorrelationGroups:
    """Number the groups by their first variants in `geno`."""
    first = np.full(len(names), len(labels), dtype=np.int64)
    np.minimum.at(first, labels, np.arange(len(labels)))
    order = np.argsort(first)
    number = np.empty(len(names), dtype=np.int64)
    number[order] = np.arange(len(names))
    called = distinct([names[k] for k in order])
    return CorrelationGroups(number[labels], called, geno.feature_names, r2)
