"""Columns of a score file by what they mean, whichever format names them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import StrPath, is_missing, parse_numbers, read_text_table, some

Float = NDArray[np.float64]
T = TypeVar("T")

Headers = dict[str, tuple[str, ...]]

#: Headers of each column (PGS Catalog, GWAS-SSF, riata, PLINK), in small letters; the first that is there.
_HEADERS: Headers = {
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
_METAL_HEADERS: Headers = {
    "id": ("markername",),
    "chrom": ("chromosome",),
    "pos": ("position",),
    "effect": ("allele1",),
    "other": ("allele2",),
    "weight": ("effect",),
    "frequency": ("freq1",),
}
#: Of the GWAS Catalog's harmonised files, whose other columns may be of another build and strand.
_GWAS_HEADERS: Headers = {
    "id": ("hm_rsid", "hm_variant_id"),
    "chrom": ("hm_chrom",),
    "pos": ("hm_pos",),
    "effect": ("hm_effect_allele",),
    "other": ("hm_other_allele",),
    "weight": ("hm_beta",),
    "ratio": ("hm_odds_ratio",),
    "frequency": ("hm_effect_allele_frequency",),
}
#: The last two by a column that such files have.
_OTHER_HEADERS = {"markername": _METAL_HEADERS, "hm_effect_allele": _GWAS_HEADERS}
_KNOWN = frozenset(
    name for table in (_HEADERS, *_OTHER_HEADERS.values()) for names in table.values() for name in names
)
#: The PGS Catalog's, for what each count of the effect allele adds.
DOSAGES = ("dosage_0_weight", "dosage_1_weight", "dosage_2_weight")
_TRUE, _FALSE = frozenset({"true", "t", "1", "yes"}), frozenset({"false", "f", "0", "no", ""})


class ScoreColumns:
    """The rows of a score file.

    Columns are asked for by what they mean (the keys of `_HEADERS`) or by their own names in small letters.

    Attributes
    ----------
    path : str
    lines : sequence of int
        Line number of each row.
    metadata : dict of str to str
        The header's lines ``#key=value``.
    notes : list of str
        What is to be told of the file.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it lacks a needed column or has no rows.
    """

    def __init__(self, path: StrPath) -> None:
        table = read_text_table(path, is_comment=_is_comment)
        self.path, self.lines, self._table = table.path, table.lines, table
        self._header, self._rows = table.header, np.arange(len(table))
        self._names = [name.lstrip("# ").lower() for name in table.header]
        headers = next((_OTHER_HEADERS[name] for name in self._names if name in _OTHER_HEADERS), _HEADERS)
        self._known = {what: self._first(known) for what, known in headers.items()}
        self.metadata = {
            key.strip(): value.strip()
            for key, mark, value in (line[1:].partition("=") for line in table.comments)
            if mark and not key.startswith("#")
        }
        self.notes = [line.lstrip("#") for line in table.comments if line.startswith("##LEFT OUT:")]
        has_name = self.has("id") or self.has("hm_rsid") or self.has("chrom", "pos") or self.is_harmonised
        has_weight = self.has("weight") or self.has("ratio") or self.has(*DOSAGES)
        if not (self.has("effect") and has_weight and has_name):
            raise ValueError(
                f"{self.path}: a score file needs columns for the variant (rsID or ID, or chr_name and "
                f"chr_position), effect_allele and effect_weight (or BETA); the first line has "
                f"{some(self._header)}"
            )
        several = [self._header[self._names.index(name)] for name in headers["weight"] if name in self._names]
        if len(several) > 1:
            if several[0].lower() != "effect_weight":
                raise ValueError(
                    f"{self.path}: {' and '.join(several)} may be the weight: rename all but one"
                )
            self.notes.append(f"weights are those of effect_weight, not of {some(several[1:])}")
        if len(self) == 0:
            raise ValueError(f"{self.path}: no rows below the header")

    def __len__(self) -> int:
        return len(self._rows)

    def _first(self, known: Sequence[str]) -> int | None:
        return next((self._names.index(name) for name in known if name in self._names), None)

    def _at(self, name: str) -> int | None:
        return self._known[name] if name in self._known else self._first([name])

    def has(self, *names: str) -> bool:
        """Whether all these columns are there."""
        return all(self._at(name) is not None for name in names)

    @property
    def is_harmonised(self) -> bool:
        """Whether the PGS Catalog added places of its own."""
        return self.has("hm_chr", "hm_pos")

    @property
    def name(self) -> str:
        """Name of the score as the file has it."""
        for key in ("pgs_id", "score_id", "omicspred_id", "pgs_name"):
            if self.metadata.get(key):
                return self.metadata[key]
        return self.text("accession")[0]

    def title(self, name: str) -> str:
        """Return a column's own name."""
        k = self._at(name)
        return name if k is None else self._header[k].lstrip("# ")

    def each(self, name: str, convert: Callable[[str], T]) -> list[T]:
        """Return the cells of a column converted; they are empty where missing or without such a column."""
        k = self._at(name)
        if k is None:
            return [convert("")] * len(self)
        cells = self._cells(k)
        done = {cell: convert("" if is_missing(cell) else cell) for cell in set(cells)}
        return [done[cell] for cell in cells]

    def text(self, name: str) -> list[str]:
        """Return the cells of a column."""
        return self.each(name, str)

    def alleles(self, name: str) -> list[str]:
        """Return a column of alleles: capitals, several between commas, empty where unknown."""
        return self.each(name, lambda cell: "" if cell == "0" else cell.upper().replace("/", ","))

    def numbers(self, name: str) -> Float:
        """Return a column as numbers, NaN where missing or without such a column."""
        k = self._at(name)
        if k is None:
            return np.full(len(self), np.nan)
        return parse_numbers(self._cells(k), f"{self.path}, {self._header[k]}", self.lines)

    def flags(self, name: str) -> NDArray[np.bool_]:
        """Return a column of TRUE and FALSE; empty cells are FALSE."""
        words = self.each(name, str.lower)
        if unknown := set(words) - _TRUE - _FALSE:
            k = next(k for k, word in enumerate(words) if word in unknown)
            raise self.error(k, f"{self.title(name)} must be TRUE or FALSE, got {self.text(name)[k][:40]!r}")
        return np.array([word in _TRUE for word in words], dtype=np.bool_)

    def error(self, k: int, what: str) -> ValueError:
        """Return an error about row `k`."""
        return ValueError(f"{self.path}, line {self.lines[k]}: {what}")

    def keep(self, rows: Sequence[int]) -> None:
        """Leave out all other rows."""
        self._rows, self.lines = self._rows[list(rows)], [self.lines[k] for k in rows]

    def _cells(self, k: int) -> list[str]:
        """Return the cells of column `k` in the rows that are left."""
        column = self._table.column(self._header[k])
        return [column[row] for row in self._rows.tolist()]


def _is_comment(line: str) -> bool:
    """Whether a line that may be the header begins with ``#`` and does not name columns."""
    if not line.startswith("#"):
        return False
    words = [word.strip("# ").lower() for word in re.split(r"[\t ,]+", line.strip("# \t"))]
    return line.startswith("##") or len(_KNOWN.intersection(words)) < 2
