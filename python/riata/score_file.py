"""Reading score files: a weight for each variant, by id or by position, and the allele it counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.tables import StrPath, TextTable, is_missing, parse_numbers, read_text_table, some, text_array

Float = NDArray[np.float64]

#: Headers of each column (PGS Catalog, GWAS-SSF, riata, PLINK), in small letters; the first that is there.
_HEADERS = {
    "id": ("rsid", "id", "snp", "variant_id", "varid"),
    "chrom": ("chr_name", "chrom", "chr", "chromosome"),
    "pos": ("chr_position", "pos", "bp", "base_pair_location"),
    "effect": ("effect_allele", "a1", "alt"),
    "other": ("other_allele", "reference_allele", "a2"),
    "ref": ("ref",),
    "alt": ("alt",),
    "rest": ("ax", "omitted"),
    "weight": ("effect_weight", "weight", "beta", "score"),
    "ratio": ("or", "hr", "odds_ratio", "hazard_ratio"),
    "frequency": ("allelefrequency_effect", "effect_allele_frequency", "eaf", "a1_freq"),
}
#: METAL's: its "Weight" is a number of samples.
_METAL_HEADERS = {
    "id": ("markername",),
    "chrom": ("chromosome",),
    "pos": ("position",),
    "effect": ("allele1",),
    "other": ("allele2",),
    "weight": ("effect",),
    "frequency": ("freq1",),
}
_KNOWN = frozenset(name for names in [*_HEADERS.values(), *_METAL_HEADERS.values()] for name in names)

#: What 0, 1 and 2 copies of the effect allele count.
_EFFECT_TYPES = {"additive": (0.0, 1.0, 2.0), "dominant": (0.0, 1.0, 1.0), "recessive": (0.0, 0.0, 1.0)}
#: The same, as PLINK's association files name them; their other rows are about covariates, or ...
_PLINK_TESTS = {"add": "additive", "dom": "dominant", "rec": "recessive"}
#: ... parts of a model that is none of these three.
_PLINK_PARTS = re.compile(r"domdev|het|hom|(add|dom|rec|domdev)x.*")
#: Columns of the PGS Catalog for what is not a weight times copies of one allele.
_NOT_SUMS = ("is_haplotype", "is_diplotype", "is_interaction")
_DOSAGES = ("dosage_0_weight", "dosage_1_weight", "dosage_2_weight")
_TRUE, _FALSE = frozenset({"true", "t", "1", "yes"}), frozenset({"false", "f", "0", "no"})


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
    columns = _Columns(read_text_table(path, is_comment=_is_comment))
    columns.keep_variants()
    _refuse_what_is_no_sum(columns)
    weight, by_copies = _weights(columns)
    effect = columns.alleles("effect")
    ids, chrom, pos, build = _places(columns)
    weights = Weights(
        source=columns.path,
        id=text_array(ids),
        chrom=text_array(chrom),
        pos=pos,
        effect=text_array(effect),
        other=text_array(_partners(columns, effect)),
        weight=weight,
        frequency=columns.numbers("frequency"),
        by_copies=by_copies,
        lines=np.asarray(columns.lines, dtype=np.int64),
        name=columns.name(),
        build=build,
        notes=tuple(columns.notes),
    )
    _check(weights, columns)
    return weights


def _names_in(line: str) -> list[str]:
    return [cell.strip("# ").lower() for cell in re.split(r"[\t ,]+", line.strip("# \t"))]


def _is_comment(line: str) -> bool:
    """Whether a line that may be the header begins with ``#`` and does not name columns."""
    return line.startswith("#") and (line.startswith("##") or len(_KNOWN.intersection(_names_in(line))) < 2)


class _Columns:
    """Rows of a score file by what their columns mean."""

    def __init__(self, table: TextTable) -> None:
        self.path, self.header, self.rows, self.lines = table.path, table.header, table.rows, table.lines
        self.names = [name.lstrip("# ").lower() for name in table.header]
        headers = _METAL_HEADERS if "markername" in self.names else _HEADERS
        self.known = {what: self._first(known) for what, known in headers.items()}
        self.metadata = {
            key.strip(): value.strip()
            for key, mark, value in (line[1:].partition("=") for line in table.comments)
            if mark and not key.startswith("#")
        }
        self.notes: list[str] = []
        has_place = self.has("chrom", "pos") or self.has("hm_chr", "hm_pos")
        has_weight = self.has("weight") or self.has("ratio") or self.has(*_DOSAGES)
        if not (self.has("effect") and has_weight and (self.has("id") or self.has("hm_rsid") or has_place)):
            raise ValueError(
                f"{self.path}: a score file needs columns for the variant (rsID or ID, or chr_name and "
                f"chr_position), effect_allele and effect_weight (or BETA); the first line has "
                f"{some(self.header)}"
            )
        if not self.rows:
            raise ValueError(f"{self.path}: no rows below the header")

    def __len__(self) -> int:
        return len(self.rows)

    def _first(self, known: Sequence[str]) -> int | None:
        return next((self.names.index(name) for name in known if name in self.names), None)

    def _at(self, name: str) -> int | None:
        """Return where a column is, by what it means or by its own name in small letters."""
        return self.known[name] if name in self.known else self._first([name])

    def has(self, *names: str) -> bool:
        """Whether all these columns are there."""
        return all(self._at(name) is not None for name in names)

    def text(self, name: str) -> list[str]:
        """Return the cells of a column, empty where missing or where there is no such column."""
        k = self._at(name)
        return [""] * len(self) if k is None else ["" if is_missing(row[k]) else row[k] for row in self.rows]

    def numbers(self, name: str) -> Float:
        """Return the cells of a column as numbers, NaN where missing or where there is no such column."""
        k = self._at(name)
        if k is None:
            return np.full(len(self), np.nan)
        return parse_numbers([row[k] for row in self.rows], f"{self.path}, {self.header[k]}", self.lines)

    def alleles(self, name: str) -> list[str]:
        """Return the cells of a column of alleles: capitals, several between commas, empty where unknown."""
        return ["" if cell == "0" else cell.upper().replace("/", ",") for cell in self.text(name)]

    def flags(self, name: str) -> NDArray[np.bool_]:
        """Return a column of TRUE and FALSE; empty cells are FALSE."""
        out = np.zeros(len(self), dtype=np.bool_)
        for k, cell in enumerate(self.text(name)):
            out[k] = cell.lower() in _TRUE
            if cell and not out[k] and cell.lower() not in _FALSE:
                raise self.error(k, f"{self.title(name)} must be TRUE or FALSE, got {cell!r}")
        return out

    def title(self, name: str) -> str:
        """Return a column's own name."""
        k = self._at(name)
        return name if k is None else self.header[k].lstrip("# ")

    def error(self, k: int, what: str) -> ValueError:
        """Return an error about row `k`."""
        return ValueError(f"{self.path}, line {self.lines[k]}: {what}")

    def keep_variants(self) -> None:
        """Leave out what association files tell of covariates; refuse several scores in one file."""
        tests = [cell.lower() for cell in self.text("test")]
        if self.has("a1") and any(tests):
            for k, test in enumerate(tests):
                if _PLINK_PARTS.fullmatch(test):
                    raise self.error(k, f"TEST {self.text('test')[k]} is a part of another model than ADD")
            kept = [k for k, test in enumerate(tests) if test in _PLINK_TESTS or not test]
            if len(kept) < len(tests):
                self.notes.append(
                    f"{len(tests) - len(kept):,} rows are about covariates (TEST): they are left out"
                )
            self.rows, self.lines = [self.rows[k] for k in kept], [self.lines[k] for k in kept]
            if not kept:
                raise ValueError(f"{self.path}: no row has a TEST of ADD, DOM or REC")
        scores = sorted(set(self.text("accession")))
        if len(scores) > 1:
            raise ValueError(
                f"{self.path}: {len(scores):,} scores in one file, {some(scores)} (accession): give the rows "
                "of one"
            )

    def name(self) -> str:
        """Return the name of the score as its header has it."""
        for key in ("pgs_id", "score_id", "omicspred_id", "pgs_name"):
            if self.metadata.get(key):
                return self.metadata[key]
        return self.text("accession")[0]


def _refuse_what_is_no_sum(columns: _Columns) -> None:
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


def _weights(columns: _Columns) -> tuple[Float, Float | None]:
    """Return what one copy adds, and what 0, 1 and 2 copies do unless all rows are additive."""
    weight = columns.numbers("weight")
    if not columns.has("weight") and columns.has("ratio"):
        ratio, title = columns.numbers("ratio"), columns.title("ratio")
        for k in np.flatnonzero(ratio <= 0.0).tolist():
            raise columns.error(k, f"{title} must be > 0, got {ratio[k]:g}")
        weight = np.log(ratio)
        columns.notes.append(f"weights are the logarithms of {title}")
    types = _effect_types(columns)
    by_copies = weight[:, None] * np.array([_EFFECT_TYPES[kind] for kind in types])
    dosages = np.column_stack([columns.numbers(name) for name in _DOSAGES])
    given = ~np.isnan(dosages)
    for k in np.flatnonzero(given.any(axis=1)).tolist():
        if not given[k].all():
            raise columns.error(k, f"{', '.join(_DOSAGES)} must be given together")
        if np.isnan(weight[k]):
            weight[k] = (dosages[k, 2] - dosages[k, 0]) / 2.0
            by_copies[k] = dosages[k]
        elif not np.array_equal(dosages[k], by_copies[k]):
            raise columns.error(
                k, f"{columns.title('weight')} {weight[k]:g} and dosage_0_weight to dosage_2_weight differ"
            )
    not_finite = ~np.isfinite(weight) | ~np.isfinite(by_copies).all(axis=1)
    for k in np.flatnonzero(not_finite).tolist():
        raise columns.error(k, f"the weight of {_variant(columns, k)} is missing or infinite")
    other = int(np.any(by_copies != weight[:, None] * np.arange(3.0), axis=1).sum())
    if other == 0:
        return weight, None
    columns.notes.append(
        f"{other:,} of {len(weight):,} weights are not additive (dominant, recessive, or one for each count)"
    )
    return weight, by_copies


def _effect_types(columns: _Columns) -> list[str]:
    """Return additive, dominant or recessive for each row."""
    said: list[dict[str, str]] = [{} for _ in range(len(columns))]
    for kind in ("dominant", "recessive"):
        name = f"is_{kind}"
        for k in np.flatnonzero(columns.flags(name)).tolist():
            said[k][name] = kind
    for k, cell in enumerate(columns.text("effect_type")):
        if cell and cell.lower() not in _EFFECT_TYPES:
            raise columns.error(k, f"effect_type must be additive, dominant or recessive, got {cell!r}")
        if cell:
            said[k]["effect_type"] = cell.lower()
    if columns.has("a1"):
        for k, cell in enumerate(columns.text("test")):
            if cell:
                said[k]["TEST"] = _PLINK_TESTS[cell.lower()]
    for k, ways in enumerate(said):
        if len(set(ways.values())) > 1:
            told = " and ".join(f"{kind} ({name})" for name, kind in ways.items())
            raise columns.error(k, f"the weight is both {told}")
    return [next(iter(ways.values()), "additive") for ways in said]


def _places(columns: _Columns) -> tuple[list[str], list[str], NDArray[np.int64], str]:
    """Return ids, chromosomes, positions and build: the harmonised ones where the file has such columns.

    An author's place is of another build than the harmonised ones: it does not stand in for one.
    """
    ids = [new or old for new, old in zip(columns.text("hm_rsid"), columns.text("id"), strict=True)]
    if columns.has("variant_description"):  # of riata's own files, where an id is not an rs number
        own = [re.match(r"ID=(\S+)", cell) for cell in columns.text("variant_description")]
        ids = [name or (found[1] if found else "") for name, found in zip(ids, own, strict=True)]
    harmonised = columns.has("hm_chr", "hm_pos")
    chrom_name, pos_name = ("hm_chr", "hm_pos") if harmonised else ("chrom", "pos")
    chrom = [_tidy_chromosome(name) for name in columns.text(chrom_name)]
    pos = _positions(columns, pos_name)
    build = columns.metadata.get("genome_build", "")
    if harmonised:
        build = columns.metadata.get("HmPOS_build", "")
        pos[columns.numbers("hm_code") < 0] = -1  # not mapped
    placed = np.array([name not in ("", "0") for name in chrom], dtype=np.bool_) & (pos > 0)
    pos = np.where(placed, pos, -1)
    chrom = [name if here else "" for name, here in zip(chrom, placed.tolist(), strict=True)]
    if harmonised and not placed.all():
        nameless = sum(not name for name, here in zip(ids, placed.tolist(), strict=True) if not here)
        columns.notes.append(
            f"{int((~placed).sum()):,} of {len(ids):,} variants have no harmonised position: they are found "
            "by rsID alone" + (f"; {nameless:,} of them have none and cannot be found" if nameless else "")
        )
    if build and build != "NR":
        kind = "harmonised positions" if harmonised else "positions"
        columns.notes.append(f"{columns.name() or columns.path}: {kind} of build {build}")
    return ids, chrom, pos, build


def _tidy_chromosome(name: str) -> str:
    """Return a chromosome without what spreadsheets add or take: 1.0 and 01 are 1."""
    whole = re.sub(r"^(\d+)\.0+$", r"\1", name)
    return re.sub(r"^0+(?=.)", "", whole)


def _positions(columns: _Columns, name: str) -> NDArray[np.int64]:
    values = columns.numbers(name)
    known = ~np.isnan(values)
    for k in np.flatnonzero(known & ~((values == np.floor(values)) & (np.abs(values) < 2**53))).tolist():
        raise columns.error(k, f"{columns.title(name)} must be a whole number, got {values[k]:g}")
    return np.where(known, values, -1.0).astype(np.int64)


def _partners(columns: _Columns, effect: Sequence[str]) -> list[str]:
    """Return the other allele of each row; of PLINK's results whichever of REF and ALT is not counted."""
    if columns.has("other"):
        told = columns.alleles("other")
    elif columns.has("ref", "alt"):
        told = []
        for k, (counted, ref, alt) in enumerate(
            zip(effect, columns.alleles("ref"), columns.alleles("alt"), strict=True)
        ):
            here = [allele for allele in (ref, *alt.split(",")) if allele]
            if here and counted and counted not in here:
                raise columns.error(k, f"the effect allele {counted} is neither REF {ref} nor ALT {alt}")
            told.append(",".join(allele for allele in here if allele != counted))
    else:
        told = columns.alleles("rest" if columns.has("rest") else "ref")
        told = ["" if other == counted else other for other, counted in zip(told, effect, strict=True)]
    inferred = columns.alleles("hm_inferotherallele")
    return [own or other for own, other in zip(told, inferred, strict=True)]


def _variant(columns: _Columns, k: int) -> str:
    place = f"{columns.text('chrom')[k]}:{columns.text('pos')[k]}"
    return columns.text("id")[k] or place


def _check(weights: Weights, columns: _Columns) -> None:
    summed = columns.flags("is_duplicated")
    harmonised = columns.has("hm_chr", "hm_pos")
    by_copies = weights.by_copies
    seen: dict[tuple[Any, ...], int] = {}
    for k in range(len(weights)):
        effect, frequency = weights.effect[k], weights.frequency[k]
        if not effect:
            raise columns.error(k, f"the effect allele of {weights.label(k)} is missing")
        if "," in effect:
            raise columns.error(k, f"the effect allele of {weights.label(k)} must be one, got {effect}")
        if not weights.id[k] and weights.pos[k] < 0 and not harmonised:
            raise columns.error(k, "the variant has neither an id nor a position")
        if frequency < 0.0 or frequency > 1.0:
            raise columns.error(k, f"the frequency of {effect} must be from 0 to 1, got {frequency:g}")
        if summed[k] or (not weights.id[k] and weights.pos[k] < 0):
            continue
        shape = None if by_copies is None else tuple((np.diff(by_copies[k]) == 0.0).tolist())
        key = (weights.id[k], weights.chrom[k], weights.pos[k], effect, weights.other[k], shape)
        if key in seen:
            first = columns.lines[seen[key]]
            raise columns.error(
                k, f"variant {weights.label(k)} is listed more than once, first in line {first}"
            )
        seen[key] = k
