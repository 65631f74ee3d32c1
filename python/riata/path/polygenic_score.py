"""Polygenic scores: sums of weights times copies of alleles, over variants found in the genotypes scored."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from riata._input.validation import Float
from riata._io.tables import text_array
from riata._io.wording import agree, counted
from riata.genetics.score_file import Weights
from riata.genetics.variants import FittedVariants

if TYPE_CHECKING:
    from riata.genetics.chromosomes import Kind
    from riata.genetics.genotypes import Genotypes
    from riata.genetics.variant_matching import Found

Rows = NDArray[np.int64]


@dataclass
class Scores:
    """Scores of new samples.

    `total` is the sum of weights times copies, (m,) or (m, K) for K columns of weights, without intercept and
    covariates; `missing` the genotypes of each sample that stood at a mean, (m,), empty where they were not
    to be counted; `absent` (variant, reason) of those that did so for all; `notes` say what was done to make
    the files fit, `doubts` those of them that deserve a second look; `found` is where the variants were.
    """

    total: Float
    missing: NDArray[np.int64]
    absent: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    found: Found | None = None


def check_found(wanted: Weights, geno: Genotypes, found: Found, hint: str, *, allow_missing: bool) -> None:
    """Refuse variants that are absent without consent, and genotypes that have none of them."""
    from riata.genetics.variant_matching import refusal

    none = len(found.rows) == 0
    if found.absent and (none or not allow_missing):
        end = "; none of the variants fits: there is nothing to score" if none else hint
        raise ValueError(refusal(wanted, geno.path, found.absent) + end)


def weights_of(variants: FittedVariants, features: Rows, weight: Float) -> Weights:
    """Return some features of a model as what a score file holds."""
    rows = variants.rows(features)
    return Weights(
        source="the model",
        id=text_array(["" if name == "." else name for name in variants.id.take(rows)]),
        chrom=text_array(variants.chrom.take(rows).tolist()),
        pos=variants.pos[rows],
        effect=text_array(variants.effect.take(rows).tolist()),
        other=text_array(variants.other.take(rows).tolist()),
        weight=weight,
        frequency=variants.frequency[rows],
    )


def score_genotypes(
    weights: Weights,
    geno: Genotypes,
    *,
    allow_missing: bool = False,
    ignore_positions: bool = False,
    fitted: FittedVariants | None = None,
    features: Rows | None = None,
    hint: str = "; --allow-missing lets the mean stand in for missing variants",
    count_missing: bool = True,
) -> Scores:
    """Sum weights times copies of the effect alleles.

    Variants are found as `find_variants` tells; where the genotypes name the alleles the other way round,
    copies are counted from the other side. Missing calls are set to twice the frequency that `weights` tell,
    else to the mean over the samples scored. A model counts all chromosomes as they are stored, a score file
    (without `fitted`) haploid ones as PLINK does: one copy on Y and MT, and none on Y in women.

    Raises
    ------
    ValueError
        When a variant is absent, has other alleles or lies elsewhere, unless `allow_missing` puts the mean in
        its place.
    """
    from riata.genetics.quality import MALE
    from riata.genetics.variant_matching import find_variants

    found = find_variants(weights, geno, ignore_positions=ignore_positions, fitted=fitted, features=features)
    check_found(weights, geno, found, hint, allow_missing=allow_missing)
    values, notes = _values(weights), found.notes()
    men_alone = np.zeros(len(weights), dtype=np.bool_)
    if fitted is None:
        one_copy: list[Kind] = ["Y", "MT", "autosome"] if geno.chromosome_set.haploid else ["Y", "MT"]
        haploid = _of_kind(weights, geno, found, *one_copy)
        men_alone = _of_kind(weights, geno, found, "Y")
        notes += _haploid_notes(values, haploid, haploid | _of_kind(weights, geno, found, "X"))
        unknown = int((~geno.samples.sex.isin(["1", "2"])).sum()) if men_alone.any() else 0
        if unknown:
            what = "samples are of unknown sex: variants on Y add nothing to them, as in PLINK"
            notes.append((f"{unknown:,} {what}", True))
        values = values.of_haploids(haploid)
    total = np.zeros((len(geno), values.block.shape[1]))
    missing = np.zeros(len(geno) if count_missing else 0, dtype=np.int64)
    men = np.flatnonzero(geno.samples.sex == MALE) if men_alone.any() else np.arange(0)
    for part in _rounds(found):
        of_men = men_alone[found.rows[part]]
        _add(total, missing, values, geno, found, part[~of_men])
        if len(men):
            men_total, men_missing = total[men], missing[men] if count_missing else missing
            _add(men_total, men_missing, values, geno.subset(samples=men), found, part[of_men])
            total[men] = men_total
            if count_missing:
                missing[men] = men_missing
    if found.absent:
        gone = np.array([k for k, _ in found.absent])
        stand_in = np.nan_to_num(values.of_missing(gone))[:, None] * values.block[gone]
        total += stand_in[~men_alone[gone]].sum(axis=0)
        total[men] += stand_in[men_alone[gone]].sum(axis=0)
        missing += len(gone)
        notes.append((absence_note(weights, found), True))
    return Scores(
        total.reshape(len(geno), *weights.weight.shape[1:]),
        missing,
        found.absent,
        [note for note, _ in notes],
        [note for note, doubt in notes if doubt],
        found,
    )


@dataclass(frozen=True)
class _Values:
    """What 0, 1, 2 copies of the effect allele stand for, `copies` (k, 3), times `block` (k, L)."""

    copies: Float
    block: Float
    frequency: Float

    def of_missing(self, rows: Rows, frequency: Float | None = None) -> Float:
        """What a missing call stands for: between no and two copies as the effect allele's frequency is.

        So it does in PLINK, for dominant and recessive weights too.
        """
        none, two = self.copies[rows, 0], self.copies[rows, 2]
        return np.asarray(none + (self.frequency[rows] if frequency is None else frequency) * (two - none))

    @property
    def additive(self) -> NDArray[np.bool_]:
        """Whether each copy adds the same."""
        none, one, two = self.copies.T
        return np.asarray(one - none == two - one)

    def of_haploids(self, haploid: NDArray[np.bool_]) -> _Values:
        """The same where the one copy there is is stored as two.

        It adds what one copy does, as in PLINK; where weights are not additive, what two do.
        """
        none, one, two = self.copies.T
        full = np.where(self.additive, one, two)
        out = np.where(haploid[:, None], np.column_stack([none, (none + full) / 2.0, full]), self.copies)
        return _Values(out, self.block, self.frequency)


def _of_kind(weights: Weights, geno: Genotypes, found: Found, *kinds: Kind) -> NDArray[np.bool_]:
    """Which variants are on chromosomes of some kinds; those that are absent by what is told of them."""
    from riata.genetics.quality import of_kind

    names = weights.chrom.tolist()
    among = {name: geno.chromosome_set.kind(name) in kinds for name in set(names)}
    out = np.array([among[name] for name in names], dtype=np.bool_)
    out[found.rows] = of_kind(geno, *kinds)[found.where]
    return out


def _haploid_notes(
    values: _Values, haploid: NDArray[np.bool_], by_sex: NDArray[np.bool_]
) -> list[tuple[str, bool]]:
    told = []
    if count := int(haploid.sum()):
        told.append(
            (
                f"{counted(count, 'variant')} on Y, MT or haploid chromosomes "
                f"{agree(count, 'counts', 'count')} one copy, as in PLINK",
                False,
            )
        )
    if count := int((~values.additive & by_sex).sum()):
        what = f"{counted(count, 'weight')} on X, Y, MT or haploid chromosomes {agree(count, 'is', 'are')}"
        told.append((f"{what} not additive: a single copy counts as two there", True))
    return told


def _values(weights: Weights) -> _Values:
    if weights.by_copies is not None:
        return _Values(weights.by_copies, np.ones((len(weights), 1)), weights.frequency)
    copies = np.broadcast_to([0.0, 1.0, 2.0], (len(weights), 3))
    block = weights.weight.reshape(len(weights), math.prod(weights.weight.shape[1:]))
    return _Values(copies, block, weights.frequency)


def _rounds(found: Found) -> list[Rows]:
    """Parts of what was found in which no variant of the genotypes is met twice, in the order of the file."""
    from riata.genetics.variant_matching import runs

    order = np.argsort(found.where, kind="stable")
    start, size = runs(found.where[order])
    rank = np.arange(len(order)) - np.repeat(start, size)
    single = found.allele[order] > 0
    parts = [order[~single & (rank == r)] for r in range(int(rank.max(initial=-1)) + 1)]
    return [part for part in (*parts, order[single]) if len(part)]


def _add(
    total: Float, missing: NDArray[np.int64], values: _Values, geno: Genotypes, found: Found, part: Rows
) -> None:
    """Add what some of the found variants contribute, and count their missing calls."""
    if len(part) == 0:
        return
    if found.allele[part].any():
        _add_single_alleles(total, missing, values, geno, found, part)
        return
    rows, flipped = found.rows[part], found.flipped[part]
    copies = values.copies[rows]
    knots = np.empty((len(part), 4))  # at 0, 1, 2 copies of the counted allele and at a missing call
    knots[:, :3] = np.where(flipped[:, None], copies[:, ::-1], copies)
    knots[:, 3] = values.of_missing(rows)
    columns = geno._weighing(found.where[part])
    unknown = np.isnan(knots[:, 3])
    if unknown.any():
        seen = _frequency_here(geno, found.where[part][unknown], columns.imputed()[unknown] / 2.0)
        frequency = np.where(flipped[unknown], 1.0 - seen, seen)
        knots[unknown, 3] = values.of_missing(rows[unknown], frequency)
    total += columns.multiply(knots, values.block[rows])
    if len(missing):
        missing += columns.missing_calls()


def _frequency_here(geno: Genotypes, where: Rows, stored: Float) -> Float:
    """Frequencies in the samples scored: half the mean of what is stored, but men have one allele on X.

    So PLINK has missing calls stand.
    """
    from riata.genetics.quality import observe, of_kind

    here = geno.subset(variants=where)
    on_x = of_kind(here, "X")
    out: Float = stored.copy()
    if on_x.any():
        out[on_x] = np.nan_to_num(observe(here.subset(variants=on_x)).frequency)
    return out


def _add_single_alleles(
    total: Float, missing: NDArray[np.int64], values: _Values, geno: Genotypes, found: Found, part: Rows
) -> None:
    """The same, one by one, for alleles of variants whose genotypes count several alleles together."""
    from riata.genetics.quality import MALE, of_kind

    on_x, men = of_kind(geno, "X"), np.asarray(geno.samples.sex == MALE)
    for row, column, allele in zip(found.rows[part], found.where[part], found.allele[part], strict=True):
        copies = geno._copies_of_allele(int(column), int(allele))
        gone = np.isnan(copies)
        known = values.of_missing(np.array([row]))
        if np.isnan(known[0]):
            alleles = np.where(on_x[column] & men, 1.0, 2.0)[~gone]
            frequency = np.average(copies[~gone], weights=alleles) / 2.0 if not gone.all() else 0.0
            known = values.of_missing(np.array([row]), np.array([frequency]))
        contribution = np.where(gone, known, np.interp(copies, [0.0, 1.0, 2.0], values.copies[row]))
        total += contribution[:, None] * values.block[row]
        if len(missing):
            missing += gone


def absence_note(weights: Weights, found: Found) -> str:
    gone = [k for k, _ in found.absent]
    unknown = int(np.isnan(weights.frequency[gone]).sum())
    are, them = agree(len(gone), "is", "are"), agree(len(gone), "it", "them")
    have = agree(unknown, "has no known frequency and adds", "have no known frequency and add")
    return (
        f"{len(gone):,} of {counted(len(weights), 'variant')} {are} missing: the mean stands in for {them}"
        + (f", but {unknown:,} {have} nothing" if unknown else "")
    )
