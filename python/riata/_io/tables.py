"""Text tables: a light column table, and readers that name the file, line and column of anything wrong."""

from __future__ import annotations

import contextlib
import os
import re
from array import array
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from itertools import islice
from os import fspath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.arrow import arrow_stream
from riata._io.text_columns import TextBuilder, TextColumn, join_columns
from riata._io.text_files import StrPath as StrPath
from riata._io.text_files import TextRows, is_comment, list_cells, numbered_lines, split_cells

#: Spellings of "no value" in any text table, compared without case.
MISSING_WORDS = frozenset({"", "na", "nan", "n/a", "#n/a", "<na>", "null", "."})

_QUOTED = 80  # characters of a file that a message quotes
_FEW_COLUMNS = 16  # all are kept: cheaper than to read the file again for one that nobody named
_BLOCK_CELLS = 1 << 16  # held as Python strings at a time

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
    >>> from riata._io.tables import Table
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

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Hand the columns to `polars.DataFrame`, `pyarrow.table` and other readers of Arrow streams."""
        return arrow_stream(self._columns, requested_schema)


def frame_or_table(columns: Mapping[str, Any]) -> Any:
    """Return columns as a ``pandas.DataFrame``, where pandas is not installed as a `Table`."""
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    try:
        import pandas as pd
    except ImportError:
        return Table(arrays)
    return pd.DataFrame(arrays)


def concat_tables(tables: Sequence[Table]) -> Table:
    """The rows of tables with the same columns, one table after the other."""
    if len(tables) == 1:
        return tables[0]
    return Table({name: _concat([table[name] for table in tables]) for name in tables[0].columns})


def _concat(columns: Sequence[Any]) -> Column:
    text = any(isinstance(column, TextColumn) for column in columns)
    return join_columns(columns) if text else np.concatenate(columns)


class TextTable:
    """Columns of a delimited text file as strings, with the line each row came from.

    Parameters
    ----------
    path : str
    header : list of str
        Names of the columns, each once.
    columns : mapping of str to sequence of str
        Cells by column, stripped of blanks. Those of the header that are missing are read when asked for.
    lines : sequence of int
        Line number of each row, counted from 1.
    comments : list of str
        Lines before the header that were passed over.
    """

    def __init__(
        self,
        path: str,
        header: list[str],
        columns: Mapping[str, Sequence[str] | TextColumn],
        lines: Sequence[int],
        comments: Sequence[str] = (),
    ) -> None:
        self.path, self.header, self.lines = path, header, lines
        self.comments = list(comments)
        self._columns = dict(columns)

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> list[str]:
        """Return the cells of column `name`; ValueError lists the columns there are."""
        if name not in self.header:
            raise ValueError(f"{self.path}: no column {quoted(name)}; columns are {some(self.header)}")
        if name not in self._columns:
            again = read_text_table(self.path, wanted=[name])
            if again.header != self.header or again.lines != self.lines:
                raise OSError(f"{self.path}: the file changed while it was read")
            self._columns.update(again._columns)
        return list(self._columns[name])

    def place(self, i: int) -> str:
        """Say where row `i` is, for a message."""
        return f"{self.path}, line {self.lines[i]}"


def text_table_of(frame: Any, name: str) -> TextTable:
    """Return a DataFrame as a table of text: its index is the ids, unless it has a column IID."""
    header = [str(column) for column in frame.columns]
    if len(set(header)) < len(header):
        twice = sorted({column for column in header if header.count(column) > 1})
        raise ValueError(f"{name}: columns must have distinct names, {some(twice)} more than once")
    columns = {
        str(column): [cell_text(value) for value in frame[column].to_numpy().tolist()]
        for column in frame.columns
    }
    if "IID" not in columns:
        columns = {"IID": frame_ids(frame), **columns}
    return TextTable(name, list(columns), columns, range(1, len(frame) + 1))


def frame_ids(frame: Any) -> list[str]:
    """Return the ids of the rows of a DataFrame: its index, or numbers from 0 where it has none."""
    index = getattr(frame, "index", None)
    return [str(label) for label in (range(len(frame)) if index is None else index)]


def cell_text(value: Any) -> str:
    """Write a value as a cell of text that reads back as the same; missing values as NA."""
    try:
        missing = value is None or bool(value != value)
    except TypeError:  # pandas.NA compares to neither
        missing = True
    return "NA" if missing else str(value)


def split_names(text: str) -> list[str]:
    """Split names at commas; one that holds a comma stands in quotes: ``"a, b",c``.

    Raises
    ------
    ValueError
        When a quote is not closed.
    """
    cells = split_cells(text, ",", "names between commas")
    return [cell for cell in cells if cell]


def expand_names(names: Sequence[str], columns: Sequence[str], where: str) -> list[str]:
    """Write ranges such as PC1-PC10 in full, by the order of the columns; a column of that name is itself.

    Raises
    ------
    ValueError
        When the first column of a range stands after the last; the message begins with `where`.
    """
    out: list[str] = []
    place = {column: k for k, column in enumerate(columns)}
    for name in names:
        ends = [(name[:k], name[k + 1 :]) for k, letter in enumerate(name) if letter == "-"]
        found = next(((a, b) for a, b in ends if a in place and b in place), None)
        if name in place or found is None:
            out.append(name)
            continue
        first, last = found
        if place[first] > place[last]:
            raise ValueError(f"{where}: column {first} of {name} stands after column {last}")
        out += columns[place[first] : place[last] + 1]
    return out


def some(names: Sequence[object], limit: int = 8) -> str:
    """List the first few names for a message: ``a, b, c and 12 more``."""
    shown = ", ".join(shortened(str(name)) for name in names[:limit])
    return shown + (f" and {len(names) - limit:,} more" if len(names) > limit else "")


def align_columns(head: Sequence[str], rows: Sequence[Sequence[str]], width: int = 100) -> list[str]:
    """Align cells in columns, the first to the left; columns beyond `width` go on below, rows named again."""
    sizes = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    parts: list[list[int]] = [[]]
    for k in range(1, len(head)):
        if parts[-1] and sizes[0] + sum(2 + sizes[j] for j in [*parts[-1], k]) > width:
            parts.append([])
        parts[-1].append(k)
    lines: list[str] = []
    for part in parts:
        lines += [""] if lines else []
        for row in (head, *rows):
            cells = [row[0].ljust(sizes[0]), *(row[k].rjust(sizes[k]) for k in part)]
            lines.append("  ".join(cells).rstrip())
    return lines


def read_text_table(
    path: StrPath,
    *,
    is_comment: Callable[[str], bool] | None = None,
    wanted: Collection[str] | None = None,
) -> TextTable:
    """Read a table with a header line; blank lines are skipped.

    So are lines before the header of which `is_comment` is true (default `riata._io.text_files.is_comment`):
    they are kept in ``comments``.

    Parameters
    ----------
    path : str or path-like
    is_comment : callable, optional
    wanted : collection of str, optional
        Columns to keep, ranges such as PC1-PC10 among them, of a table that has many; default all. Columns of
        ids are kept too, and others are read from the file when they are asked for.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is empty, names a column twice, or a line has another number of cells than the header.
    """
    source = TextRows(path, is_comment)
    header = source.header
    if len(set(header)) < len(header):
        twice = sorted({column for column in header if header.count(column) > 1})
        raise ValueError(
            f"{source.path}: the first line must name each column once, it has {some(twice)} more than once"
        )
    kept = _kept(header, wanted) if os.path.isfile(path) else list(range(len(header)))
    builders = [TextBuilder() for _ in kept]
    lines = array("Q")
    for block in _blocks(source, max(1, _BLOCK_CELLS // len(header))):
        lines.extend(number for number, _ in block)
        for k, builder in zip(kept, builders, strict=True):
            builder.extend([cells[k] for _, cells in block])
    columns = {header[k]: builder.column() for k, builder in zip(kept, builders, strict=True)}
    return TextTable(source.path, header, columns, lines, source.comments)


def _kept(header: Sequence[str], wanted: Collection[str] | None) -> list[int]:
    """Return which columns of a table to keep: all of few, else those wanted, and those of ids."""
    if wanted is None or len(header) <= _FEW_COLUMNS:
        return list(range(len(header)))
    place = {name: k for k, name in enumerate(header)}
    ids = [name for name in header if name.lstrip("#").upper() in ("FID", "IID")] or header[:1]
    names = set(ids)
    for name in wanted:
        with contextlib.suppress(ValueError):  # a range that ends before it begins: refused where it is used
            names.update(expand_names([name], header, ""))
    return sorted(place[name] for name in names if name in place)


def _blocks(source: TextRows, size: int) -> Iterator[list[tuple[int, list[str]]]]:
    rows = iter(source)
    while block := list(islice(rows, size)):
        yield block


def read_list(path: StrPath, header_words: Container[str] = ()) -> tuple[list[str], list[list[str]]]:
    """Read the cells of each line of a list of samples or variants.

    The first line is a header when one of its cells, in small letters and without a leading ``#``, is among
    `header_words`; then the list is a table. Comments are skipped.

    Returns
    -------
    header : list of str
        In small letters; empty when there is none.
    rows : list of list of str
    """
    name = fspath(path)
    lines = [(k, line) for k, line in numbered_lines(path) if not is_comment(line)]
    first = lines[0][1] if lines else ""
    words = [word.strip('"').lstrip("#").lower() for word in re.split(r"[\s,;]+", first)]
    if any(word in header_words for word in words):
        table = TextRows(path)
        return [cell.lstrip("#").lower() for cell in table.header], [cells for _, cells in table]
    return [], [list_cells(path, line, f"{name}, line {k}") for k, line in lines]


def is_missing(cell: str) -> bool:
    """Say whether a cell spells a missing value (``NA``, ``nan``, ``N/A``, ``null``, ``.``, empty)."""
    return cell.strip().lower() in MISSING_WORDS


def quoted(text: str) -> str:
    """Quote at most 80 characters of a file for a message; what would steer a terminal is escaped."""
    return repr(text if len(text) <= _QUOTED else text[: _QUOTED - 3] + "...")


def shortened(text: str) -> str:
    """Return a name as `quoted` has it, without the quotes."""
    return text if len(text) <= _QUOTED and text.isprintable() else quoted(text)[1:-1]


def spells_plainly(text: str) -> bool:
    """Say whether Python reads numbers in a text as others do: 1_000, or digits not of ASCII, are its own."""
    return "_" not in text and text.isascii()


def to_number(cell: str) -> float:
    """Return the number that a cell spells; ValueError when it is none."""
    if not spells_plainly(cell):
        raise ValueError(f"{quoted(cell)} is not a number")
    return float(cell)


def no_number(cell: str) -> str:
    """Say that a cell is no number, and what may have been meant."""
    hint = f"; write {cell.replace(',', '.')}" if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", cell) else ""
    return f"{quoted(cell)} is not a number{hint}"


def to_numbers(cells: Sequence[str], place: Callable[[int], str] | None = None) -> NDArray[np.float64]:
    """Return the number that each cell spells, NaN where missing.

    What spells no number is refused, with the `place` of the cell before it, or without `place` NaN too.
    """
    if spells_plainly("".join(cells)):
        with contextlib.suppress(ValueError):  # which of them is no number is found one by one
            return np.array(cells, dtype=np.float64)
    out = np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        try:
            out[i] = to_number(cell)
        except ValueError:
            if place is not None and not is_missing(cell):
                raise ValueError(f"{place(i)}: {no_number(cell)}") from None
    return out


def parse_numbers(
    cells: Sequence[str], where: str, lines: Sequence[int] | None = None
) -> NDArray[np.float64]:
    """Convert cells to float64 with NaN for missing values; ValueError names `where` and the line."""
    return to_numbers(cells, lambda i: where if lines is None else f"{where}, line {lines[i]}")


def text_array(values: Sequence[str]) -> NDArray[Any]:
    """Return strings as an object array: one long allele does not widen every row."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out
