"""Text tables: a light column table, and readers that name the file, line and column of anything wrong."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from riata.text_columns import TextColumn, join_columns

StrPath = str | PathLike[str]

#: Spellings of "no value" in any text table, compared without case.
MISSING_WORDS = frozenset({"", "na", "nan", "n/a", "null", "none", "."})

Column = NDArray[Any] | TextColumn


class Table:
    """Named columns of equal length: a mapping of NumPy arrays and text columns with attribute access.

    Parameters
    ----------
    columns : mapping of str to (n,) array or TextColumn
        The columns, in order. They are kept as given, not copied.

    Raises
    ------
    ValueError
        When the columns differ in length.

    Examples
    --------
    >>> import numpy as np
    >>> from riata.tables import Table
    >>> table = Table({"id": np.array(["rs1", "rs2"], dtype=object), "pos": np.array([10, 20])})
    >>> table.pos.sum(), len(table), table[table.pos > 10].id[0]
    (np.int64(30), 2, 'rs2')
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns must have equal lengths, got {lengths}")
        self._columns = dict(columns)

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self._columns)

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()), ()))

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._columns:
            raise AttributeError(
                f"no column {name!r}; columns are {', '.join(self.__dict__.get('_columns', {}))}"
            )
        return self._columns[name]

    def __getitem__(self, key: Any) -> Any:
        """Return one column for a name, a table of those in a list of names, or the rows chosen by a mask,
        slice or array of positions.
        """
        if isinstance(key, str):
            return self._columns[key]
        if isinstance(key, list) and key and all(isinstance(name, str) for name in key):
            return Table({name: self._columns[name] for name in key})
        return Table({name: values[key] for name, values in self._columns.items()})

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._columns]

    def __repr__(self) -> str:
        return f"Table({len(self)} rows: {', '.join(self._columns)})"

    def to_frame(self) -> Any:
        """Return a ``pandas.DataFrame``, which shares the columns of numbers (needs pandas)."""
        import pandas as pd

        return pd.DataFrame({name: np.asarray(values) for name, values in self._columns.items()})


def concat_tables(tables: Sequence[Table]) -> Table:
    """The rows of tables with the same columns, one table after the other."""
    if len(tables) == 1:
        return tables[0]
    return Table({name: _concat([table[name] for table in tables]) for name in tables[0].columns})


def _concat(columns: Sequence[Any]) -> Column:
    text = any(isinstance(column, TextColumn) for column in columns)
    return join_columns(columns) if text else np.concatenate(columns)


class TextTable:
    """Cells of a delimited text file as strings, by row, with the line each row came from.

    Attributes
    ----------
    path : str
    header : list of str
    rows : list of list of str
        As many cells as the header, stripped of blanks.
    lines : list of int
        Line number of each row, counted from 1.
    comments : list of str
        Lines before the header that were passed over.
    """

    def __init__(
        self,
        path: str,
        header: list[str],
        rows: list[list[str]],
        lines: list[int],
        comments: Sequence[str] = (),
    ) -> None:
        self.path, self.header, self.rows, self.lines = path, header, rows, lines
        self.comments = list(comments)

    def position(self, name: str) -> int:
        """Return where column `name` is; ValueError lists the columns there are."""
        try:
            return self.header.index(name)
        except ValueError:
            raise ValueError(f"{self.path}: no column {name!r}; columns are {some(self.header)}") from None

    def column(self, name: str) -> list[str]:
        """Return the cells of column `name`."""
        k = self.position(name)
        return [row[k] for row in self.rows]


def some(names: Sequence[object], limit: int = 8) -> str:
    """List the first few names for a message: ``a, b, c and 12 more``."""
    shown = ", ".join(str(name) for name in names[:limit])
    return shown + (f" and {len(names) - limit:,} more" if len(names) > limit else "")


def open_text(path: StrPath) -> IO[str]:
    """Open a text file, through gzip when its name ends in ``.gz``; a byte-order mark is skipped."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"{fspath(path)}: no such file")
    if fspath(path).endswith(".gz"):
        return cast("IO[str]", gzip.open(path, "rt", encoding="utf-8-sig", errors="replace"))
    return open(path, encoding="utf-8-sig", errors="replace")


def split_cells(line: str, delimiter: str | None) -> list[str]:
    """Split one line; quotes around whole cells are honoured when there is a delimiter."""
    if delimiter is None:
        return line.split()
    if '"' in line:
        import csv

        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    return [cell.strip() for cell in line.split(delimiter)]


def find_delimiter(path: StrPath, first_line: str) -> str | None:
    """Return the delimiter that the name or the header shows: tab, comma, or None for runs of blanks."""
    name = fspath(path).removesuffix(".gz").lower()
    first_line = re.sub(r'"[^"]*"', "", first_line)  # quoted cells may hold any of the marks
    if name.endswith(".csv"):
        for mark in (",", ";", "\t"):
            if mark in first_line:
                return mark
        return ","
    if "\t" in first_line:
        return "\t"
    if "," in first_line and len(first_line.split()) == 1:
        return ","
    return "\t" if name.endswith(".tsv") else None


def read_text_table(path: StrPath, *, is_comment: Callable[[str], bool] | None = None) -> TextTable:
    """Read a table with a header line; blank lines are skipped.

    So are lines before the header of which `is_comment` is true: they are kept in ``comments``.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is empty, names a column twice, or a line has another number of cells than the header.
    """
    name = fspath(path)
    rows: list[list[str]] = []
    lines: list[int] = []
    header: list[str] | None = None
    comments: list[str] = []
    delimiter: str | None = None
    with open_text(path) as file:
        for number, raw in enumerate(file, 1):
            line = raw.rstrip("\r\n")
            if not line.strip():
                continue
            if header is None and is_comment is not None and is_comment(line):
                comments.append(line)
                continue
            if header is None:
                delimiter = find_delimiter(path, line)
                header = split_cells(line, delimiter)
                continue
            cells = split_cells(line, delimiter)
            if len(cells) != len(header):
                raise ValueError(
                    f"{name}, line {number}: expected {len(header)} cells as in the header, got {len(cells)}"
                )
            rows.append(cells)
            lines.append(number)
    if header is None:
        raise ValueError(f"{name}: the file is empty")
    twice = (
        sorted({column for column in header if header.count(column) > 1})
        if len(set(header)) < len(header)
        else []
    )
    if twice:
        raise ValueError(
            f"{name}: the first line must name each column once, it has {some(twice)} more than once"
        )
    return TextTable(name, header, rows, lines, comments)


def read_list(path: StrPath) -> list[list[str]]:
    """Read the blank-separated fields of each non-empty line (sample and variant lists)."""
    with open_text(path) as file:
        return [fields for fields in (line.split() for line in file) if fields]


def is_missing(cell: str) -> bool:
    """Say whether a cell spells a missing value (``NA``, ``nan``, ``.``, empty)."""
    return cell.strip().lower() in MISSING_WORDS


def parse_numbers(
    cells: Sequence[str], where: str, lines: Sequence[int] | None = None
) -> NDArray[np.float64]:
    """Convert cells to float64 with NaN for missing values; ValueError names `where` and the line."""
    out = np.empty(len(cells))
    for i, cell in enumerate(cells):
        try:
            out[i] = float(cell)
        except ValueError:
            if not is_missing(cell):
                line = f", line {lines[i]}" if lines is not None else ""
                raise ValueError(f"{where}{line}: {cell!r} is not a number") from None
            out[i] = np.nan
    return out


def text_array(values: Sequence[str]) -> NDArray[Any]:
    """Return strings as an object array: one long allele does not widen every row."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
