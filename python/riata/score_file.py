"""Reading score files: a weight for each variant, by id or by position, and the allele it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.tables import StrPath, TextTable, is_missing, parse_numbers, read_text_table, some, text_array

#: Headers of each column, compared without case: PGS Catalog, riata's own, and plink's.
_HEADERS = {
    "id": ("rsid", "id", "snp", "variant_id", "varid", "hm_rsid"),
    "chrom": ("chr_name", "chrom", "chr", "hm_chr"),
    "pos": ("chr_position", "pos", "bp", "hm_pos"),
    "effect": ("effect_allele", "a1", "alt"),
    "other": ("other_allele", "reference_allele", "a2", "ref"),
    "weight": ("effect_weight", "weight", "beta", "score"),
    "frequency": ("allelefrequency_effect", "eaf"),
}


@dataclass(frozen=True)
class Weights:
    """Variants and what one copy of their effect allele adds to a score.

    `id` is empty where a variant is known by position only, `other` where the second allele is not told,
    `pos` -1 and `frequency` (of the effect allele) NaN where unknown; `weight` is (k,), or (k, K) for a model
    of K classes.
    """

    source: str
    id: NDArray[Any]
    chrom: NDArray[Any]
    pos: NDArray[np.int64]
    effect: NDArray[Any]
    other: NDArray[Any]
    weight: NDArray[np.float64]
    frequency: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weight)

    def label(self, k: int) -> str:
        """Name variant `k` for a message."""
        return str(self.id[k]) or f"{self.chrom[k]}:{self.pos[k]}"


def read_weights(path: StrPath) -> Weights:
    """Read a score file: PGS Catalog columns, ``PREFIX.weights.tsv``, ``PREFIX.score``, or plink's like.

    Lines before the header that begin with ``#`` are comments, unless they name columns as ``#ID`` does.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When a needed column is absent, a weight is not a number, or a variant is listed twice.
    """
    table = read_text_table(path, comments=True)
    names = [name.lstrip("#").lower() for name in table.header]
    where = {
        what: next((names.index(name) for name in known if name in names), None)
        for what, known in _HEADERS.items()
    }
    by_id, by_place = where["id"] is not None, where["chrom"] is not None and where["pos"] is not None
    if where["effect"] is None or where["weight"] is None or not (by_id or by_place):
        raise ValueError(
            f"{table.path}: a score file needs columns for the variant (rsID or ID, or chr_name and "
            f"chr_position), effect_allele and effect_weight (or BETA); the first line has "
            f"{some(table.header)}"
        )
    n = len(table.rows)
    if n == 0:
        raise ValueError(f"{table.path}: no rows below the header")

    def text(what: str) -> list[str]:
        k = where[what]
        return [""] * n if k is None else ["" if is_missing(row[k]) else row[k] for row in table.rows]

    def numbers(what: str) -> NDArray[np.float64]:
        k = where[what]
        if k is None:
            return np.full(n, np.nan)
        return parse_numbers([row[k] for row in table.rows], f"{table.path}, {table.header[k]}", table.lines)

    weights = Weights(
        source=table.path,
        id=text_array(text("id")),
        chrom=text_array(text("chrom")),
        pos=np.nan_to_num(numbers("pos"), nan=-1.0).astype(np.int64),
        effect=text_array(text("effect")),
        other=text_array(text("other")),
        weight=numbers("weight"),
        frequency=numbers("frequency"),
    )
    _check(weights, table)
    return weights


def _check(weights: Weights, table: TextTable) -> None:
    seen: dict[tuple[Any, ...], int] = {}
    for k in range(len(weights)):
        line = f"{table.path}, line {table.lines[k]}"
        if not np.isfinite(weights.weight[k]):
            raise ValueError(f"{line}: the weight of {weights.label(k)} is missing or infinite")
        if not weights.effect[k]:
            raise ValueError(f"{line}: the effect allele of {weights.label(k)} is missing")
        if not weights.id[k] and (not weights.chrom[k] or weights.pos[k] < 0):
            raise ValueError(f"{line}: the variant has neither an id nor a position")
        key = (weights.id[k], weights.chrom[k], weights.pos[k], weights.effect[k], weights.other[k])
        if key in seen:
            raise ValueError(f"{line}: variant {weights.label(k)} is listed more than once")
        seen[key] = k
