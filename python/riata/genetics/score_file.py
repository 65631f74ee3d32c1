"""Reading score files: a weight for each variant, by id or by position, and the allele it counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import StrPath, some, text_array
from riata._io.wording import agree, counted
from riata.genetics.score_columns import DOSAGES, ScoreColumns

Float = NDArray[np.float64]

#: What 0, 1 and 2 copies of the effect allele count.
_EFFECT_TYPES = {
    "additive": np.array([0.0, 1.0, 2.0]),
    "dominant": np.array([0.0, 1.0, 1.0]),
    "recessive": np.array([0.0, 0.0, 1.0]),
}
#: The same, as PLINK's association files name them; their other rows are about covariates, or ...
_PLINK_TESTS = {"add": "additive", "dom": "dominant", "rec": "recessive"}
#: ... parts of a model that is none of these three.
_PLINK_PARTS = re.compile(r"domdev|het|hom|(add|dom|rec|domdev)x.*", re.IGNORECASE)
#: Columns of the PGS Catalog for what is not a weight times copies of one allele.
_NOT_SUMS = ("is_haplotype", "is_diplotype", "is_interaction")
#: Ids that tell a place, and two alleles where they go on.
_PLACE_IDS = (
    re.compile(r"(?:chr)?([\w.-]+):([0-9]{1,12})(?::([^:]+):([^:]+))?", re.IGNORECASE),
    re.compile(r"(?:chr)?([0-9]+|X|Y|MT?)_([0-9]{1,12})_([ACGT]+)_([ACGT]+)", re.IGNORECASE),
)


@dataclass(frozen=True)
class Weights:
    """Variants and what one copy of their effect allele adds to a score.

    Attributes
    ----------
    source : str
        Where they come from.
    id : (k,) array of str
        Empty where a variant is known by position only.
    chrom, pos : (k,) arrays
        Empty and -1 where unknown.
    effect, other : (k,) arrays of str
        Alleles in capitals; `other` is empty where it is not told, and may be several between commas.
    weight : (k,) or (k, K) array
        What one copy adds; of a model of K classes, to each.
    frequency : (k,) array
        Of the effect allele, NaN where unknown.
    by_copies : (k, 3) array, optional
        What 0, 1 and 2 copies add, where not every row adds `weight` a copy.
    lines : (k,) array, optional
        Line numbers in the file.
    name, build : str
        As the file's header has them: of the score, and of the positions.
    notes : tuple of str
        What was done with the file.
    """

    source: str
    id: NDArray[Any]
    chrom: NDArray[Any]
    pos: NDArray[np.int64]
    effect: NDArray[Any]
    other: NDArray[Any]
    weight: Float
    frequency: Float
    by_copies: Float | None = None
    lines: NDArray[np.int64] | None = None
    name: str = ""
    build: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.weight)

    def label(self, k: int) -> str:
        """Name variant `k` for a message."""
        if self.id[k] or self.pos[k] >= 0 or self.lines is None:
            return str(self.id[k]) or f"{self.chrom[k]}:{self.pos[k]}"
        return f"line {self.lines[k]}"


def read_weights(path: StrPath) -> Weights:
    """Read a score file: PGS Catalog columns, ``PREFIX.weights.tsv``, ``PREFIX.score``, or PLINK's like.

    Lines before the header that begin with ``#`` are comments, unless they name columns as ``#ID`` does.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When a needed column is absent, a weight is not a number, a variant is listed twice, or a row is not a
        weight for the copies of one allele.
    """
    columns = ScoreColumns(path)
    _keep_variants(columns)
    _refuse_what_is_no_sum(columns)
    weight, by_copies = _weights(columns)
    effect = columns.alleles("effect")
    other = _partners(columns, effect)
    ids, chrom, pos, build = _places(columns)
    if not columns.is_harmonised:
        _read_place_ids(ids, chrom, pos, effect, other)
    weights = Weights(
        source=columns.path,
        id=text_array(ids),
        chrom=text_array(chrom),
        pos=pos,
        effect=text_array(effect),
        other=text_array(other),
        weight=weight,
        frequency=columns.numbers("frequency"),
        by_copies=by_copies,
        lines=np.asarray(columns.lines, dtype=np.int64),
        name=columns.name,
        build=build,
        notes=tuple(columns.notes),
    )
    _check(weights, columns)
    return weights


def _keep_variants(columns: ScoreColumns) -> None:
    """Leave out what association files tell of covariates; refuse several scores in one file."""
    tests = _plink_tests(columns)
    if any(tests):
        for k, test in enumerate(tests):
            if _PLINK_PARTS.fullmatch(test):
                raise columns.error(k, f"TEST {test[:40]} is a part of another model than ADD")
        kept = [k for k, test in enumerate(tests) if not test or test.lower() in _PLINK_TESTS]
        if not kept:
            raise ValueError(f"{columns.path}: no row has a TEST of ADD, DOM or REC")
        if lost := len(tests) - len(kept):
            columns.notes.append(f"{counted(lost, 'row')} about covariates (TEST): left out")
        columns.keep(kept)
    scores = sorted(set(columns.text("accession")))
    if len(scores) > 1:
        raise ValueError(
            f"{columns.path}: {len(scores):,} scores in one file, {some(scores)} (accession): give the "
            "rows of one"
        )


def _plink_tests(columns: ScoreColumns) -> list[str]:
    return columns.text("test" if columns.has("a1") else "")


def _refuse_what_is_no_sum(columns: ScoreColumns) -> None:
    for name in _NOT_SUMS:
        flagged = np.flatnonzero(columns.flags(name))
        if len(flagged):
            raise columns.error(
                int(flagged[0]),
                f"{columns.title(name)} is TRUE ({len(flagged):,} of {len(columns):,} rows): only weights of "
                "single alleles can be applied",
            )
    for k, cell in enumerate(columns.text("inclusion_criteria")):
        if cell:
            raise columns.error(k, f"inclusion_criteria {cell[:40]!r} cannot be applied")


def _weights(columns: ScoreColumns) -> tuple[Float, Float | None]:
    """Return what one copy adds, and what 0, 1 and 2 copies do unless all rows are additive."""
    weight = columns.numbers("weight")
    ratio, title = columns.numbers("ratio"), columns.title("ratio")
    from_ratio = np.isnan(weight) & ~np.isnan(ratio)
    for k in np.flatnonzero(from_ratio & ~(ratio > 0.0)).tolist():
        raise columns.error(k, f"{title} must be > 0, got {ratio[k]:g}")
    weight[from_ratio] = np.log(ratio[from_ratio])
    if count := int(from_ratio.sum()):
        of_all = f"{count:,} of {counted(len(weight), 'weight')}"
        columns.notes.append(f"{of_all} {agree(count, 'is', 'are')} the logarithm of {title}")
    if (kind := columns.metadata.get("weight_type", "")).upper() in ("OR", "HR", "OR/HR"):
        columns.notes.append(f"the file's weight_type is {kind}: its weights are added as they are")
    with np.errstate(invalid="ignore"):  # an infinite weight is refused below
        by_copies = weight[:, None] * _effect_types(columns)
    dosages = np.column_stack([columns.numbers(name) for name in DOSAGES])
    given = ~np.isnan(dosages)
    for k in np.flatnonzero(given.any(axis=1)).tolist():
        if not given[k].all():
            raise columns.error(k, f"{', '.join(DOSAGES)} must be given together")
        if np.isnan(weight[k]):
            weight[k] = (dosages[k, 2] - dosages[k, 0]) / 2.0
            by_copies[k] = dosages[k]
        elif not np.array_equal(dosages[k], by_copies[k]):
            raise columns.error(
                k, f"{columns.title('weight')} {weight[k]:g} and dosage_0_weight to dosage_2_weight differ"
            )
    bad = np.flatnonzero(~np.isfinite(weight) | ~np.isfinite(by_copies).all(axis=1))
    if len(bad):
        k = int(bad[0])
        name = columns.text("id")[k] or f"{columns.text('chrom')[k]}:{columns.text('pos')[k]}"
        raise columns.error(k, f"the weight of {name} is missing or infinite")
    other = int(np.any(by_copies != weight[:, None] * _EFFECT_TYPES["additive"], axis=1).sum())
    if other == 0:
        return weight, None
    columns.notes.append(
        f"{other:,} of {counted(len(weight), 'weight')} {agree(other, 'is', 'are')} not additive (dominant, "
        "recessive, or one for each count)"
    )
    return weight, by_copies


def _effect_types(columns: ScoreColumns) -> Float:
    """Return what 0, 1 and 2 copies count in each row, (k, 3)."""
    said = [  # (column, what it says of each row; empty where nothing)
        ("is_dominant", np.where(columns.flags("is_dominant"), "dominant", "").tolist()),
        ("is_recessive", np.where(columns.flags("is_recessive"), "recessive", "").tolist()),
        ("effect_type", columns.each("effect_type", str.lower)),
        ("TEST", [_PLINK_TESTS.get(test.lower(), "") for test in _plink_tests(columns)]),
    ]
    out = np.tile(_EFFECT_TYPES["additive"], (len(columns), 1))
    first = [""] * len(columns)
    for name, kinds in said:
        for k, kind in enumerate(kinds):
            if not kind:
                continue
            if kind not in _EFFECT_TYPES:
                raise columns.error(
                    k, f"{name} must be additive, dominant or recessive, got {columns.text(name)[k][:40]!r}"
                )
            if first[k] and first[k] != kind:
                raise columns.error(k, f"the weight is both {first[k]} and {kind} ({name})")
            first[k] = kind
            out[k] = _EFFECT_TYPES[kind]
    return out


def _places(columns: ScoreColumns) -> tuple[list[str], list[str], NDArray[np.int64], str]:
    """Return ids, chromosomes, positions and build: the harmonised ones where the file has such columns.

    An author's place is of another build than the harmonised ones: it does not stand in for one.
    """
    ids = [new or old for new, old in zip(columns.text("hm_rsid"), columns.text("id"), strict=True)]
    if columns.has("variant_description"):  # of riata's own files, where an id is not an rs number
        own = columns.each("variant_description", own_id)
        ids = [name or other for name, other in zip(ids, own, strict=True)]
    harmonised = columns.is_harmonised
    chrom = columns.each("hm_chr" if harmonised else "chrom", _tidy_chromosome)
    pos = _positions(columns, "hm_pos" if harmonised else "pos")
    build = columns.metadata.get("HmPOS_build" if harmonised else "genome_build", "")
    if harmonised:
        pos[columns.numbers("hm_code") < 0] = -1  # not mapped
    placed = np.array([name not in ("", "0") for name in chrom], dtype=np.bool_) & (pos > 0)
    pos = np.where(placed, pos, -1)
    chrom = [name if here else "" for name, here in zip(chrom, placed.tolist(), strict=True)]
    if harmonised and not placed.all():
        lost = [ids[k] for k in np.flatnonzero(~placed).tolist()]
        nameless = lost.count("")
        columns.notes.append(
            f"{len(lost):,} of {counted(len(ids), 'variant')} {agree(len(lost), 'has', 'have')} no "
            "harmonised position: found by rsID alone"
            + (f"; {nameless:,} of them {agree(nameless, 'has', 'have')} none: not found" if nameless else "")
        )
    if build and build != "NR":
        kind = "harmonised positions" if harmonised else "positions"
        columns.notes.append(f"{columns.name or columns.path}: {kind} of build {build}")
    return ids, chrom, pos, build


def own_id(description: str) -> str:
    """Return the id that riata's own score files keep in a description where it is no rs number."""
    found = re.match(r"ID=(\S+)", description)
    return found[1] if found else ""


def _read_place_ids(
    ids: list[str], chrom: list[str], pos: NDArray[np.int64], effect: list[str], other: list[str]
) -> None:
    """Fill in what is not told otherwise from ids such as 1:1000:A:G."""
    for k in np.flatnonzero(pos < 0).tolist():
        found = next((match for kind in _PLACE_IDS if (match := kind.fullmatch(ids[k]))), None)
        if found is None or int(found[2]) == 0:
            continue
        chrom[k], pos[k] = _tidy_chromosome(found[1]), int(found[2])
        alleles = [found[3].upper(), found[4].upper()] if found[3] else []
        if not other[k] and effect[k] in alleles:
            other[k] = alleles[1 - alleles.index(effect[k])]


def _tidy_chromosome(name: str) -> str:
    """Return a chromosome without what spreadsheets add or take: 1.0 and 01 are 1."""
    whole = re.sub(r"^([0-9]+)\.0+$", r"\1", name)
    return re.sub(r"^0+(?=.)", "", whole)


def _positions(columns: ScoreColumns, name: str) -> NDArray[np.int64]:
    values = columns.numbers(name)
    known = ~np.isnan(values)
    for k in np.flatnonzero(known & ~((values == np.floor(values)) & (np.abs(values) < 2**53))).tolist():
        raise columns.error(k, f"{columns.title(name)} must be a whole number, got {values[k]:g}")
    return np.where(known, values, -1.0).astype(np.int64)


def _partners(columns: ScoreColumns, effect: Sequence[str]) -> list[str]:
    """Return the other allele of each row; of PLINK's results whichever of REF and ALT is not counted."""
    if columns.has("other"):
        told = columns.alleles("other")
    elif columns.has("ref", "alt"):
        told = []
        for k, (own, ref, alt) in enumerate(
            zip(effect, columns.alleles("ref"), columns.alleles("alt"), strict=True)
        ):
            here = [allele for allele in (ref, *alt.split(",")) if allele]
            if here and own and own not in here:
                raise columns.error(k, f"the effect allele {own} is neither REF {ref} nor ALT {alt}")
            told.append(",".join(allele for allele in here if allele != own))
    else:
        told = columns.alleles("rest")
        if not columns.has("rest"):  # REF alone may be the allele that is counted
            pairs = zip(columns.alleles("ref"), effect, strict=True)
            told = ["" if allele == own else allele for allele, own in pairs]
    inferred = columns.alleles("hm_inferotherallele")
    told = [own or other for own, other in zip(told, inferred, strict=True)]
    both = [k for k, one in enumerate(effect) if one and one in told[k].split(",")]
    for k in both:
        told[k] = ",".join(allele for allele in told[k].split(",") if allele != effect[k])
    if both:
        columns.notes.append(
            f"{counted(len(both), 'row')} {agree(len(both), 'has', 'have')} the effect allele among the "
            f"others too (first in line {columns.lines[both[0]]}): left out of these"
        )
    return told


def _check(weights: Weights, columns: ScoreColumns) -> None:
    effect, ids, unplaced = weights.effect, weights.id == "", weights.pos < 0
    nameless = ids & unplaced
    several = np.array(["," in allele for allele in effect], dtype=np.bool_)
    odd = (weights.frequency < 0.0) | (weights.frequency > 1.0)
    for wrong, what in (
        (effect == "", "the effect allele of {label} is missing"),
        (several, "the effect allele of {label} must be one, got {effect}"),
        (nameless & (not columns.is_harmonised), "the variant has neither an id nor a position"),
        (odd, "the frequency of {effect} must be from 0 to 1, got {frequency:g}"),
    ):
        if np.any(wrong):
            k = int(np.argmax(wrong))
            told = {"label": weights.label(k), "effect": effect[k], "frequency": weights.frequency[k]}
            raise columns.error(k, what.format(**told))
    _refuse_repeated(weights, columns, np.flatnonzero(~nameless & ~columns.flags("is_duplicated")).tolist())


def _refuse_repeated(weights: Weights, columns: ScoreColumns, rows: list[int]) -> None:
    """Refuse two rows for one allele of one variant; a dominant and a recessive row add up."""
    if len(set(weights.id.tolist())) == len(weights):
        return
    of_variants = [weights.id, weights.chrom, weights.pos, weights.effect, weights.other]
    if weights.by_copies is not None:
        of_variants += list(np.diff(weights.by_copies, axis=1).T == 0.0)
    seen: dict[tuple[Any, ...], int] = {}
    keys = zip(*(values[rows].tolist() for values in of_variants), strict=True)
    for k, key in zip(rows, keys, strict=True):
        first = seen.setdefault(key, k)
        if first != k:
            raise columns.error(
                k,
                f"variant {weights.label(k)} is listed more than once, first in line {columns.lines[first]}",
            )
