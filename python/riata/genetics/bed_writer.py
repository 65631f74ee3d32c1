"""Writing genotypes as a ``.bed`` with its ``.bim`` and ``.fam``, some variants at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.output_files import OutputSet
from riata.genetics.genotypes import Genotypes

_MAGIC = b"\x6c\x1b\x01"
_BYTES_AT_ONCE = 1 << 26  # of decoded genotypes
_CODES = np.array([3, 2, 0, 1], dtype=np.uint8)  # of 0, 1, 2 copies of A1 and of a missing call


def write_bed(geno: Genotypes, prefix: str) -> None:
    """Write PREFIX.bed, .bim and .fam, together or not at all.

    Raises
    ------
    ValueError
        When a genotype is no whole number of copies.
    OSError
        When they cannot be written.
    """
    n, p = geno.shape
    step = max(1, _BYTES_AT_ONCE // (8 * n))
    with OutputSet(prefix) as outputs:
        with open(outputs.path("bed"), "wb") as bed:
            bed.write(_MAGIC)
            for begin in range(0, p, step):
                columns = np.arange(begin, min(begin + step, p), dtype=np.int64)
                bed.write(packed_codes(geno._decode(columns), geno.counted_allele == "A1").tobytes())
        write_tables(outputs, geno)


def write_tables(outputs: OutputSet, geno: Genotypes) -> None:
    """Write the ``.bim`` and ``.fam`` of genotypes."""
    _write_rows(outputs, "bim", geno.variants, ("chrom", "id", "cm", "pos", "a1", "a2"))
    _write_rows(outputs, "fam", geno.samples, ("fid", "iid", "father", "mother", "sex", "phenotype"))


def packed_codes(copies: NDArray[np.float64], a1: bool) -> NDArray[np.uint8]:
    """Return variants x bytes, four samples a byte, of copies of the counted allele, NaN where missing."""
    n, p = copies.shape
    gone = np.isnan(copies)
    whole = np.where(gone, 0.0, copies if a1 else 2.0 - copies)
    kind = whole.astype(np.int64)
    if (kind != whole).any() or kind.min(initial=0) < 0 or kind.max(initial=0) > 2:
        raise ValueError("X must hold 0, 1 or 2 copies to be written as .bed, got others")
    codes = np.zeros((4 * -(-n // 4), p), dtype=np.uint8)
    codes[:n] = _CODES[np.where(gone, 3, kind)]
    first, second, third, fourth = (codes[k::4] for k in range(4))
    return np.ascontiguousarray((first | second << 2 | third << 4 | fourth << 6).T)


def _write_rows(outputs: OutputSet, suffix: str, table: Any, names: tuple[str, ...]) -> None:
    present = set(table.columns)
    length = len(table)
    columns = [[str(value) for value in table[name]] if name in present else ["0"] * length for name in names]
    with open(outputs.path(suffix), "w", encoding="utf-8", newline="\n") as file:
        file.writelines("\t".join(row) + "\n" for row in zip(*columns, strict=True))
