"""The text files beside PLINK genotypes as tables."""

from __future__ import annotations

from os import fspath
from typing import Any, Literal

import numpy as np

from riata import _core
from riata._io.tables import StrPath, Table
from riata._io.text_columns import PlainColumn, coded_column, coded_texts

Kind = Literal["code", "text", "integer", "real"]

_BIM: dict[str, Kind] = {
    "chrom": "code",
    "id": "text",
    "cm": "real",
    "pos": "integer",
    "a1": "code",
    "a2": "code",
}
_FAM: dict[str, Kind] = {
    "fid": "text",
    "iid": "text",
    "father": "text",
    "mother": "text",
    "sex": "code",
    "phenotype": "text",
}
_SEX = {"1": "1", "2": "2", "M": "1", "F": "2", "MALE": "1", "FEMALE": "2"}
_LABELS = {"cm": "centimorgans", "pos": "position"}


def read_bim(path: StrPath) -> Table:
    """Read a ``.bim`` file: one variant per line, chromosome, id, centimorgans, position, A1, A2."""
    return _read_all(path, _BIM)


def read_fam(path: StrPath) -> Table:
    """Read a ``.fam`` file: one sample a line, FID, IID, father, mother, sex, phenotype, all as text."""
    table = _read_all(path, _FAM)
    return Table(
        {**{name: table[name] for name in table.columns}, "sex": coded_texts(map(sex_code, table.sex))}
    )


def sex_code(text: str) -> str:
    """Return 1 for a man, 2 for a woman and 0 for anything else, as PLINK 2 reads numbers and letters."""
    return _SEX.get(text.upper(), "0")


def read_fields(
    source: StrPath | bytes,
    fields: dict[str, tuple[int, Kind]],
    *,
    name: str,
    n_fields: int = 0,
    field_names: str = "",
    skipped_lines: int = 0,
) -> Table:
    """Read some fields of a table whose cells stand between blanks, millions of lines in seconds.

    Parameters
    ----------
    source : path or bytes
    fields : dict
        For each column wanted its place in a line, counted from 0, and its kind: ``"code"`` for texts that
        repeat, ``"text"`` for others, ``"integer"`` or ``"real"``.
    name : str
        What messages call the source.
    n_fields : int
        How many fields each line must have; 0: at least those that are read.
    field_names : str
        All of them, for messages.
    skipped_lines : int
        Lines before the first row: comments and header.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When a line has another number of fields or a number does not read as one (naming the line), and when
        there is no line.
    """
    columns = _core.read_text_columns(
        source if isinstance(source, bytes) else fspath(source),
        [(place, kind, _LABELS.get(column, column)) for column, (place, kind) in fields.items()],
        name=name,
        n_fields=n_fields,
        field_names=field_names,
        skipped_lines=skipped_lines,
    )
    return Table({column: _column(values) for column, values in zip(fields, columns, strict=True)})


def _read_all(path: StrPath, kinds: dict[str, Kind]) -> Table:
    fields = {column: (place, kind) for place, (column, kind) in enumerate(kinds.items())}
    names = ", ".join(kinds)
    return read_fields(path, fields, name=fspath(path), n_fields=len(kinds), field_names=names)


def _column(values: Any) -> Any:
    if isinstance(values, np.ndarray):
        return values
    if len(values) == 2:
        return PlainColumn(*values)
    codes, data, offsets = values
    return coded_column(codes, PlainColumn(data, offsets).tolist())
