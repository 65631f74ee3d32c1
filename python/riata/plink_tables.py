"""The text files beside PLINK genotypes as tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from os import fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.tables import StrPath, Table, text_array

_BIM = ("chrom", "id", "cm", "pos", "a1", "a2")
_FAM = ("fid", "iid", "father", "mother", "sex", "phenotype")


def read_bim(path: StrPath) -> Table:
    """Read a ``.bim`` file: one variant a line, chromosome, id, centimorgans, position, A1, A2."""
    columns = _read_columns(path, _BIM)
    known: dict[str, str] = {}
    return Table(
        {
            "chrom": text_array([known.setdefault(c, c) for c in columns[0]]),
            "id": text_array(columns[1]),
            "cm": _numbers(columns[2], path, "centimorgans", np.float64),
            "pos": _numbers(columns[3], path, "position", np.int64),
            "a1": text_array([known.setdefault(a, a) for a in columns[4]]),
            "a2": text_array([known.setdefault(a, a) for a in columns[5]]),
        }
    )


def read_fam(path: StrPath) -> Table:
    """Read a ``.fam`` file: one sample a line, FID, IID, father, mother, sex, phenotype, all as text."""
    return Table(
        {name: text_array(values) for name, values in zip(_FAM, _read_columns(path, _FAM), strict=True)}
    )


def _read_columns(path: StrPath, names: Sequence[str]) -> list[list[str]]:
    columns: list[list[str]] = [[] for _ in names]
    first = 1
    with open(path, encoding="utf-8", errors="replace") as file:
        while rows := list(map(str.split, islice(file, 1 << 16))):
            for number, row in enumerate(rows, first):
                if len(row) != len(names) and row:
                    raise ValueError(
                        f"{fspath(path)}, line {number}: expected {len(names)} fields "
                        f"({', '.join(names)}), got {len(row)}"
                    )
            for column, values in zip(columns, zip(*filter(None, rows), strict=True), strict=False):
                column.extend(values)
            first += len(rows)
    if not columns[0]:
        raise ValueError(f"{fspath(path)}: the file is empty")
    return columns


def _numbers(cells: list[str], path: StrPath, what: str, dtype: type[Any]) -> NDArray[Any]:
    convert: type[Any] = int if dtype is np.int64 else float
    try:
        return np.fromiter(map(convert, cells), dtype=dtype, count=len(cells))
    except ValueError:
        for number, cell in enumerate(cells, 1):
            try:
                convert(cell)
            except ValueError:
                raise ValueError(f"{fspath(path)}, line {number}: {what} {cell!r} is not a number") from None
        raise
