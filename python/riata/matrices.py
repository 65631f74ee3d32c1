"""Expression tables and the like: samples by features from csv, tsv, parquet or npz."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from os import fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.tables import StrPath, find_delimiter, is_missing, open_text, some, split_cells

ORIENTATIONS = ("samples-rows", "samples-columns")
#: Headers that mark the first column as sample (or feature) names even when they are numbers.
_ID_WORDS = frozenset(
    {"", "#", "id", "iid", "#iid", "sample", "samples", "sample_id", "sampleid", "unnamed: 0", "index"}
)


@dataclass
class MatrixTable:
    """A numeric table: `X` is (n samples, p features), with names for both and any text columns apart.

    `text` maps the name of each non-numeric feature (a class label, say) to its n cells; `beside` likewise
    what is stored beside the features of an ``.npz``.
    """

    path: str
    X: NDArray[Any]
    feature_names: NDArray[Any]
    sample_ids: NDArray[Any]
    text: dict[str, list[str]] = field(default_factory=dict)
    beside: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape[0], self.X.shape[1]

    def pop_column(self, name: str) -> list[str]:
        """Take feature `name` out of the table and return its cells as text."""
        for apart in (self.text, self.beside):
            if name in apart:
                return apart.pop(name)
        where = np.flatnonzero(self.feature_names == name)
        if len(where) == 0:
            names = [*self.text, *self.beside, *self.feature_names]
            raise ValueError(f"{self.path}: no column {name!r}; columns are {some(names)}")
        cells = [repr(value) for value in self.X[:, where[0]].tolist()]
        kept = np.arange(self.shape[1]) != where[0]
        self.X, self.feature_names = self.X[:, kept], self.feature_names[kept]
        return cells


def read_matrix(path: StrPath, orient: str = "samples-rows") -> MatrixTable:
    """Read a samples by features table.

    Parameters
    ----------
    path : str or path-like
        ``.csv``, ``.tsv`` or ``.txt`` (also with ``.gz``), ``.parquet``, or ``.npz`` with ``X`` and, if
        wanted, ``feature_names``, ``sample_ids`` and arrays of one value a sample, such as ``y``.
    orient : {"samples-rows", "samples-columns"}
        What a row of the file is. In text tables the first line names the columns; the first column names
        the rows when it holds text or its header is empty or says ``id`` or ``sample``.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When the table is ragged, empty, names a feature twice, or holds text where a number belongs.
    """
    if orient not in ORIENTATIONS:
        raise ValueError(f"orient must be one of {', '.join(ORIENTATIONS)}, got {orient!r}")
    name = fspath(path)
    if not Path(name).is_file():
        raise FileNotFoundError(f"{name}: no such file")
    stem = name.removesuffix(".gz").lower()
    if stem.endswith(".npz"):
        table = _read_npz(name, orient)
    elif stem.endswith((".parquet", ".pq")):
        table = _read_parquet(name, orient)
    elif stem.endswith((".csv", ".tsv", ".txt", ".tab")):
        table = _read_text(name, orient)
    else:
        raise ValueError(f"{name}: the name must end in .csv, .tsv, .txt (also .gz), .parquet or .npz")
    _check_names(table)
    return table


def _check_names(table: MatrixTable) -> None:
    if 0 in table.shape:
        raise ValueError(
            f"{table.path}: the table is empty, {table.shape[0]} samples x {table.shape[1]} features"
        )
    for names, what in ((table.feature_names, "feature"), (table.sample_ids, "sample")):
        values, counts = np.unique(np.asarray(names, dtype=str), return_counts=True)
        if (counts > 1).any():
            raise ValueError(
                f"{table.path}: {what} names must be distinct, repeated: {some(list(values[counts > 1]))}"
            )


def _read_text(path: str, orient: str) -> MatrixTable:
    with open_text(path) as file:
        lines = ((number, line.rstrip("\r\n")) for number, line in enumerate(file, 1))
        lines = ((number, line) for number, line in lines if line.strip())
        try:
            _, first = next(lines)
        except StopIteration:
            raise ValueError(f"{path}: the file is empty") from None
        delimiter = find_delimiter(path, first)
        header = split_cells(first, delimiter)
        if orient == "samples-columns":
            return _read_features(path, header, lines, delimiter)
        return _read_samples(path, header, lines, delimiter)


def _row(path: str, number: int, line: str, delimiter: str | None, width: int) -> list[str]:
    cells = split_cells(line, delimiter)
    if len(cells) != width:
        raise ValueError(f"{path}, line {number}: expected {width} cells as in the header, got {len(cells)}")
    return cells


def _numbers(cells: Sequence[str], names: Sequence[str], path: str, number: int) -> NDArray[np.float64]:
    try:
        return np.array(cells, dtype=np.float64)
    except ValueError:
        out = np.full(len(cells), np.nan)
        for k, cell in enumerate(cells):
            try:
                out[k] = float(cell)
            except ValueError:
                if not is_missing(cell):
                    message = f"{path}, line {number}, column {names[k]!r}: {cell!r} is not a number"
                    raise ValueError(message) from None
        return out


def _looks_numeric(cell: str) -> bool:
    if is_missing(cell):
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _read_samples(path: str, header: list[str], lines: Any, delimiter: str | None) -> MatrixTable:
    ids: list[str] = []
    rows: list[NDArray[np.float64]] = []
    has_ids = False
    text_columns: list[int] = []
    numeric: list[int] = []
    text: dict[str, list[str]] = {}
    names: list[str] = []
    for number, line in lines:
        cells = split_cells(line, delimiter)
        if not rows:
            if len(cells) == len(header) + 1:  # as R's write.table: the row names have no header
                header = ["", *header]
            has_ids = header[0].lower() in _ID_WORDS or not _looks_numeric(cells[0])
            start = 1 if has_ids else 0
            text_columns = [
                k for k in range(start, min(len(header), len(cells))) if not _looks_numeric(cells[k])
            ]
            numeric = [k for k in range(start, len(header)) if k not in set(text_columns)]
            text = {header[k]: [] for k in text_columns}
            names = [header[k] for k in numeric]
        if len(cells) != len(header):
            raise ValueError(
                f"{path}, line {number}: expected {len(header)} cells as in the header, got {len(cells)}"
            )
        ids.append(cells[0] if has_ids else str(len(ids) + 1))
        for k in text_columns:
            text[header[k]].append(cells[k])
        rows.append(_numbers([cells[k] for k in numeric], names, path, number))
    if not rows:
        raise ValueError(f"{path}: no rows below the header")
    table = MatrixTable(
        path, np.vstack(rows), np.array(names, dtype=object), np.array(ids, dtype=object), text
    )
    table.notes.append(
        f"sample ids from column {header[0]!r}"
        if has_ids and header[0]
        else "sample ids from the first column"
        if has_ids
        else "no column of sample ids: samples are numbered from 1"
    )
    return table


def _read_features(path: str, header: list[str], lines: Any, delimiter: str | None) -> MatrixTable:
    names: list[str] = []
    rows: list[NDArray[np.float64]] = []
    text: dict[str, list[str]] = {}
    ids: list[str] | None = None
    for number, line in lines:
        if ids is None:
            width = len(split_cells(line, delimiter))
            ids = header if width == len(header) + 1 else header[1:]
        cells = _row(path, number, line, delimiter, len(ids) + 1)
        values = cells[1:]
        if any(_looks_numeric(cell) and not is_missing(cell) for cell in values):
            rows.append(_numbers(values, ids, path, number))
            names.append(cells[0])
        else:
            text[cells[0]] = values
    if not rows or ids is None:
        raise ValueError(f"{path}: no numeric rows below the header")
    X = np.ascontiguousarray(np.vstack(rows)).T
    return MatrixTable(path, X, np.array(names, dtype=object), np.array(ids, dtype=object), text)


def _read_npz(path: str, orient: str) -> MatrixTable:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except ValueError as error:
        raise ValueError(f"{path}: cannot be read as plain arrays ({error})") from None
    if "X" not in arrays:
        raise ValueError(f"{path}: no array named 'X'; arrays are {some(list(arrays))}")
    X = arrays.pop("X")
    if X.ndim != 2 or X.dtype.kind not in "iufb":
        raise ValueError(
            f"{path}: X must be a two-dimensional array of numbers, got shape {X.shape}, dtype {X.dtype}"
        )
    if X.dtype not in (np.float64, np.float32, np.int8):
        X = X.astype(np.float64)
    if orient == "samples-columns":
        X = X.T
    n, p = X.shape
    features = arrays.pop("feature_names", np.array([f"x{j + 1}" for j in range(p)]))
    samples = arrays.pop("sample_ids", np.array([str(i + 1) for i in range(n)]))
    if features.shape != (p,) or samples.shape != (n,):
        raise ValueError(
            f"{path}: X is {n} samples x {p} features ({orient}), but there are "
            f"{len(features)} feature_names and {len(samples)} sample_ids"
        )
    beside = {key: [str(v) for v in value.tolist()] for key, value in arrays.items() if value.shape == (n,)}
    ids = samples.astype(str).astype(object)
    return MatrixTable(path, X, features.astype(str).astype(object), ids, beside=beside)


def _read_parquet(path: str, orient: str) -> MatrixTable:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise ImportError(f'{path}: reading parquet needs pyarrow; pip install "riata[cli]"') from None
    try:
        data = parquet.read_table(path)
    except OSError:
        raise
    except Exception as error:  # pyarrow's own classes for damaged files
        raise OSError(f"{path}: cannot be read as parquet ({error})".splitlines()[0]) from None
    columns = {name: data.column(name).to_numpy() for name in data.column_names if data.num_rows}
    text = {
        name: [str(v) for v in values] for name, values in columns.items() if values.dtype.kind not in "iufb"
    }
    numeric = [name for name in columns if name not in text]
    if not numeric:
        raise ValueError(f"{path}: no numeric columns")
    first = data.column_names[0]
    ids: NDArray[Any] | None = None
    if first in text or first.lower() in _ID_WORDS or first == "__index_level_0__":
        ids = np.array([str(v) for v in columns[first].tolist()], dtype=object)
    elif "__index_level_0__" in columns:
        first = "__index_level_0__"
        ids = np.array([str(v) for v in columns[first].tolist()], dtype=object)
    if ids is not None:
        text.pop(first, None)
        numeric = [name for name in numeric if name != first]
    X = np.empty((data.num_rows, len(numeric)), order="F")
    for k, name in enumerate(numeric):
        X[:, k] = columns[name]
    rows = ids if ids is not None else np.array([str(i + 1) for i in range(data.num_rows)], dtype=object)
    if orient == "samples-columns":
        if text:
            raise ValueError(f"{path}: columns must be samples, but {some(list(text))} hold text")
        return MatrixTable(path, X.T, rows, np.array(numeric, dtype=object))
    return MatrixTable(path, X, np.array(numeric, dtype=object), rows, text)
