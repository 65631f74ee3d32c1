"""Variants that stand for each other: squared correlations of each hit with what lies around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.validation import check_real, check_threads, threads_for
from riata.genetics.genome import Chromosome, chromosomes
from riata.genetics.genotypes import Genotypes
from riata.study.hits import Hits

Columns = NDArray[np.int64]
Float = NDArray[np.float64]

#: Hits looked at, strongest first: beyond some hundreds no one reads on.
MAX_HITS = 500
#: r2 from which two variants count as the same: they differ by rounding alone.
SAME = 1.0 - 1e-9
_GROUP = 32


@dataclass(frozen=True)
class Partners:
    """Pairs of a hit and a variant near it whose squared correlation is high.

    Attributes
    ----------
    hits : (m,) array
        Row of each pair's hit among the hits asked about; increasing, and r2 decreasing within a hit.
    columns : (m,) array
        Number of the other variant.
    chrom, pos, names : (m,) arrays
        Chromosome, position and id of the other variant.
    r2 : (m,) array
        Squared Pearson correlation of allele counts over the samples in use, missing calls at their mean.
    window_kb : float
        Farthest distance, in thousand base pairs.
    least_r2 : float
    looked_at : (h,) array
        Rows of the hits that were looked at.
    """

    hits: Columns
    columns: Columns
    chrom: NDArray[Any]
    pos: NDArray[np.int64]
    names: NDArray[Any]
    r2: Float
    window_kb: float
    least_r2: float
    looked_at: Columns

    def renumbered(self, numbers: dict[int, int]) -> Partners:
        """Return the same pairs with other variants called by the number that `numbers` gives them, or -1."""
        columns = [numbers.get(int(j), -1) for j in self.columns]
        return replace(self, columns=np.array(columns, dtype=np.int64))

    def of(self, hit: int) -> slice:
        """Return which pairs belong to a hit."""
        first, last = np.searchsorted(self.hits, [hit, hit + 1])
        return slice(int(first), int(last))


def find_partners(
    geno: Genotypes,
    columns: Columns,
    strongest: Columns,
    *,
    window_kb: float = 500.0,
    least_r2: float = 0.5,
    n_threads: int | None = None,
) -> Partners:
    """Find the variants near each hit that are highly correlated with it.

    Only the windows around the hits are read. Hits without a position, and variants that do not vary, have no
    partners.

    Parameters
    ----------
    geno : Genotypes
    columns : (k,) array
        Variants that are hits.
    strongest : (k,) array
        Rows of `columns` by importance; the first `MAX_HITS` are looked at.
    window_kb : float, default 500
        Distance on either side, in thousand base pairs, at most.
    least_r2 : float in (0, 1], default 0.5
        Squared correlation, at least.
    n_threads : int, optional

    Returns
    -------
    Partners
    """
    window_kb = check_real("window_kb", window_kb, at_least=0.0)
    least_r2 = check_real("least_r2", least_r2, above=0.0, at_most=1.0)
    looked_at = np.sort(strongest[:MAX_HITS])
    correlator = _Correlator(geno, check_threads(n_threads))
    reach = round(1000.0 * window_kb)
    found: list[tuple[Columns, Columns, Float]] = []
    for chromosome in chromosomes(geno.variants, geno.chromosome_set) if len(looked_at) else []:
        for rows, places in _groups(chromosome, columns, looked_at, reach):
            found += correlator.pairs(chromosome, rows, places, columns[rows], reach, least_r2)
    hit, other, r2 = (
        np.concatenate([np.empty(0, dtype=kind), *(pair[i] for pair in found)])
        for i, kind in enumerate((np.int64, np.int64, np.float64))
    )
    order = np.lexsort((other, -r2, hit))
    hit, other, r2 = hit[order], other[order], r2[order]
    found_there = geno.variants[other]
    return Partners(
        hit, other, found_there.chrom, found_there.pos, found_there.id, r2, window_kb, least_r2, looked_at
    )


def partner_columns(partners: Partners, hits: Hits) -> list[tuple[str, Any]]:
    """Return the table of ``.ld.tsv``: each pair, and the effect of the other variant if it is a hit."""
    effects = dict(zip(hits.positions.tolist(), hits.beta.tolist(), strict=True))
    return [
        ("HIT", [hits.names[k] for k in partners.hits]),
        ("HIT_RANK", partners.hits + 1),
        ("CHROM", partners.chrom),
        ("POS", partners.pos),
        ("ID", partners.names),
        ("R2", partners.r2),
        ("BETA", [effects.get(int(j), 0.0) for j in partners.columns]),
    ]


def _groups(
    chromosome: Chromosome, columns: Columns, looked_at: Columns, reach: int
) -> list[tuple[Columns, Columns]]:
    """Return the hits of a chromosome in groups whose windows overlap: rows and positions, by position."""
    if not chromosome.placed:
        return []
    at = chromosome.locate(columns[looked_at])
    rows = looked_at[at >= 0]
    places = chromosome.pos[at[at >= 0]]
    order = np.argsort(places, kind="stable")
    rows, places = rows[order], places[order]
    groups, start = [], 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or end - start == _GROUP or places[end] - places[end - 1] > 2 * reach:
            groups.append((rows[start:end], places[start:end]))
            start = end
    return groups


class _Correlator:
    """Correlations of a few columns with many, through the core's products."""

    def __init__(self, geno: Genotypes, n_threads: int) -> None:
        self.core, rows = geno._design()
        n, p = self.core.shape
        self.inside = np.zeros(n)
        self.inside[slice(None) if rows is None else rows] = 1.0
        self.n_threads = threads_for(n_threads, float(n) * p)
        self.samples = int(self.inside.sum())
        mean, variance = self.core.moments((self.inside / self.samples)[:, None], self.n_threads)
        self.mean, self.deviation = mean[:, 0], np.sqrt(variance[:, 0])

    def pairs(
        self,
        chromosome: Chromosome,
        rows: Columns,
        places: Columns,
        hits: Columns,
        reach: int,
        least_r2: float,
    ) -> list[tuple[Columns, Columns, Float]]:
        """Return (row of the hit, other variant, r2) for a group of hits with overlapping windows."""
        windows = [chromosome.within(int(place), reach) for place in places]
        near = np.unique(np.concatenate(windows))
        squares = self.squared(near, hits)
        out = []
        for k, window in enumerate(windows):
            others = window[window != hits[k]]
            r2 = squares[np.searchsorted(near, others), k]
            high = r2 >= least_r2
            out.append((np.full(int(high.sum()), rows[k]), others[high], r2[high]))
        return out

    def squared(self, columns: Columns, hits: Columns) -> Float:
        """Return r2 of each of `columns` with each of `hits`; 0 where one does not vary."""
        sides = (self.core.gather(hits, self.n_threads) - self.mean[hits]) * self.inside[:, None]
        products = self.core.correlate(np.asfortranarray(sides), columns, self.n_threads)
        size = self.samples * self.deviation[columns][:, None] * self.deviation[hits]
        r = np.divide(products, size, out=np.zeros_like(products), where=size > 1e-12 * self.samples)
        return np.asarray(np.minimum(r * r, 1.0))
