"""Text files as lines and cells, whatever they are packed in, encoded as, or have between their cells."""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from os import fspath
from typing import IO

from riata._io.packed_files import StrPath as StrPath
from riata._io.packed_files import damage, open_binary

#: How many rows are looked at before it is decided what parts the cells.
_LOOK_AHEAD = 50
#: What may part cells, for each end of a file's name; None: runs of blanks and tabs.
_DELIMITERS: dict[str, tuple[str | None, ...]] = {
    ".csv": (",", ";", "\t", None),
    "": ("\t", ",", ";", None),
}
_CALLED: dict[str | None, str] = {",": "commas", ";": "semicolons", "\t": "tabs", None: "blanks"}
#: First cells of a header that begins with ``#``, without it; other lines that do are comments.
_HEADED = frozenset(
    {"fid", "iid", "sid", "id", "sample", "name", "chrom", "chr", "pos", "snp", "rsid", "variant", "gene"}
)
_QUOTED = re.compile(r'"((?:[^"]|"")*)"(?=\s|$)|(\S+)')


def _latin1(error: UnicodeError) -> tuple[str, int]:
    """Read a byte that is no UTF-8 as Latin-1: what differs in the file stays different."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


#: How names that are not UTF-8 are decoded.
NOT_UTF8 = "riata-latin1"
codecs.register_error(NOT_UTF8, _latin1)


def open_text(path: StrPath) -> IO[str]:
    """Open a text file that `open_binary` opens: UTF-8 or, when it begins with their mark, UTF-16 or -32."""
    file = open_binary(path)
    try:
        start = file.peek(4)[:4]
    except damage() as error:
        file.close()
        raise OSError(f"{fspath(path)}: cannot be decompressed: {error}") from None
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return io.TextIOWrapper(file, encoding="utf-32")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return io.TextIOWrapper(file, encoding="utf-16")
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors=NOT_UTF8)


def numbered_lines(path: StrPath) -> Iterator[tuple[int, str]]:
    """Yield the number of each line that is not blank, counted from 1, and the line without its end.

    Raises
    ------
    OSError
        When the file is missing or damaged.
    ValueError
        When it is no text: a line holds a NUL, or is not what its byte-order mark says.
    """
    name = fspath(path)
    with open_text(path) as file:
        number = 0
        try:
            for number, raw in enumerate(file, 1):
                if "\0" in raw:
                    raise ValueError(
                        f"{name}, line {number}: holds a NUL byte: not a text file, or one in UTF-16 without "
                        "its mark; save it as UTF-8"
                    )
                line = raw.rstrip("\r\n")
                if line and not line.isspace():
                    yield number, line
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{name}, line {number + 1}: cannot be read as {error.encoding} ({error.reason}); save it as "
                "UTF-8"
            ) from None
        except damage() as error:
            raise OSError(f"{name}: cannot be decompressed: {error}") from None


def is_comment(line: str) -> bool:
    """Say whether a line before the header begins with ``#`` and is no header, as ``#FID IID`` is."""
    return _is_certain_comment(line) or (
        line.startswith("#") and not _names_ids(line) and not re.search(r"[\t,;]|^#$", line)
    )


def _is_certain_comment(line: str) -> bool:
    return line.startswith(("##", "# ")) or re.match(r"#[^\t,]*=", line) is not None


def _names_ids(line: str) -> bool:
    """Say whether the first word of a line is a name that columns of ids have."""
    first = re.split(r"[\s,;]", line.lstrip("#"), maxsplit=1)[0].strip('"')
    return first.lower() in _HEADED


def split_cells(line: str, delimiter: str | None, where: str) -> list[str]:
    """Split one line, stripping cells of blanks and of the quotes around them.

    Raises
    ------
    ValueError
        When a quote that opens a cell is not closed; the message begins with `where`.
    """
    if delimiter is None:
        if '"' not in line:
            return line.split()
        found = [(quoted, bare) for quoted, bare in _QUOTED.findall(line)]
        if any(bare.startswith('"') for _, bare in found):
            raise ValueError(f"{where}: a quote that opens a cell is not closed at its end")
        return [bare or quoted.replace('""', '"') for quoted, bare in found]
    if '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    try:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True))
    except csv.Error:
        raise ValueError(f"{where}: a quote that opens a cell is not closed at its end") from None
    return [cell.strip() for cell in cells]


def list_cells(path: StrPath, line: str, where: str) -> list[str]:
    """Split a line of a list without a header: between blanks or tabs, or commas when the name says .csv."""
    return split_cells(line, "," if _is_csv(path) and "," in line else None, where)


def same_file(one: str, other: str) -> bool:
    """Say whether two names are those of one file."""
    return one == other or (os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other))


def _is_csv(path: StrPath) -> bool:
    """Say whether a file's name ends in .csv, before what it is packed with."""
    return re.search(r"\.csv(\.(gz|bz2|xz|zst))?$", fspath(path).lower()) is not None


@dataclass(frozen=True)
class Layout:
    """What parts the cells of a table, the names of its columns, and whether rows have a name before them."""

    delimiter: str | None
    header: list[str]
    row_names: bool = False

    def cells(self, line: str, where: str) -> list[str]:
        """Split a row; ValueError when it has another number of cells than the header.

        Empty cells beyond the header are dropped.
        """
        cells = split_cells(line, self.delimiter, where)
        width = len(self.header)
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if len(cells) != width:
            named = ", the first naming the row" if self.row_names else ""
            raise ValueError(
                f"{where}: expected {width} cells as in the header{named}, got {len(cells)} (with "
                f"{_CALLED[self.delimiter]} between cells)"
            )
        return cells


def find_layout(path: StrPath, line: str, rows: Sequence[str], where: str) -> Layout:
    """Find what parts the cells of a table, from its header and its first rows.

    That is what gives every row as many cells as the header: tabs rather than commas, semicolons and blanks,
    in a ``.csv`` commas first. Rows may all have one cell more, which names them, as R writes tables. Of
    several ways that agree, one that finds a column IID is taken. When none does, the header decides.
    """
    candidates = _DELIMITERS[".csv" if _is_csv(path) else ""]
    layouts = []
    for delimiter in candidates:
        layout = _layout(line, rows, delimiter, where)
        if layout is not None:
            layouts.append(layout)
    if layouts:
        return next((layout for layout in layouts if _has_ids(layout.header)), layouts[0])
    in_header = (d for d in candidates if d is None or d in re.sub(r'"[^"]*"', "", line))
    delimiter = next(in_header)
    return Layout(delimiter, _header(line, delimiter, where))


def _has_ids(header: Sequence[str]) -> bool:
    return any(name.lstrip("#").upper() == "IID" for name in header)


def _header(line: str, delimiter: str | None, where: str) -> list[str]:
    header = split_cells(line, delimiter, where)
    while len(header) > 1 and not header[-1]:
        header.pop()
    return header


def _layout(line: str, rows: Sequence[str], delimiter: str | None, where: str) -> Layout | None:
    """Return how a delimiter splits header and rows alike, or None when it does not."""
    try:
        full = split_cells(line, delimiter, where)
        header = _header(line, delimiter, where)
        cells = [split_cells(row, delimiter, where) for row in rows]
    except ValueError:
        return None
    width = len(header)
    more = [len(row) > width and any(row[width:]) for row in cells]
    if cells and all(more) and all(len(row) == width + 1 for row in cells) and len(full) == width:
        named = [row[0] for row in cells]
        written_by_r = all(row.startswith('"') for row in rows) or named == [
            str(k + 1) for k in range(len(cells))
        ]
        # where a column names the samples, a name that the header lacks is more likely to be that of another
        return (
            Layout(delimiter, ["", *header], row_names=True) if written_by_r or not _has_ids(header) else None
        )
    if any(more) or any(len(row) < width for row in cells):
        return None
    if width == 1 and (delimiter is not None or re.search(r"[\t,;]", line)):
        return None  # one column agrees with everything
    return Layout(delimiter, header)


class TextRows:
    """Rows of a table with a header, read one by one.

    Parameters
    ----------
    path : str or path-like
    skip : callable, optional
        Which lines before the header are comments; by default those that `is_comment` may mean and that are
        not, by the number of their cells, the header of what follows.

    Attributes
    ----------
    path : str
    header : list of str
        The first is empty where rows have a name that the header lacks.
    comments : list of str
        Lines before the header that were passed over.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it is empty; from iterating, when a row has another number of cells than the header.
    """

    def __init__(self, path: StrPath, skip: Callable[[str], bool] | None = None) -> None:
        self.path = fspath(path)
        self.comments: list[str] = []
        lines = numbered_lines(path)
        first: list[tuple[int, str]] = []
        for item in lines:
            if not (skip or _is_certain_comment)(item[1]):
                first = [item, *islice(lines, _LOOK_AHEAD)]
                break
            self.comments.append(item[1])
        while skip is None and first and self._is_comment([line for _, line in first]):
            self.comments.append(first.pop(0)[1])
        if not first:
            raise ValueError(f"{self.path}: the file is empty")
        number, line = first.pop(0)
        where = f"{self.path}, line {number}"
        self._layout = find_layout(path, line, [row for _, row in first], where)
        self._lines = chain(first, lines)

    def _is_comment(self, lines: Sequence[str]) -> bool:
        """Say whether the first of some lines is a comment, and not the header of those that follow."""
        if _is_certain_comment(lines[0]) or not lines[0].startswith("#") or _names_ids(lines[0]):
            return _is_certain_comment(lines[0])
        rows = lines[1:]
        if not rows or rows[0].startswith("#") or _names_ids(rows[0]):
            return True
        return all(_layout(lines[0], rows, delimiter, self.path) is None for delimiter in _DELIMITERS[""])

    @property
    def header(self) -> list[str]:
        return list(self._layout.header)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of each line and its cells, as many as the header has."""
        for number, line in self._lines:
            cells = self._layout.cells(line, f"{self.path}, line {number}")
            if any(cells):
                yield number, cells
