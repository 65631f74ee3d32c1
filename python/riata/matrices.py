"""Expression tables and the like: samples by features from csv, tsv, parquet or npz."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from os import fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.joining import Joiner
from riata.reading import reading
from riata.tables import Table, is_missing, quoted, some, to_number, to_numbers
from riata.text_files import StrPath, TextRows

ORIENTATIONS = ("samples-rows", "samples-columns")
#: Headers that mark the first column as sample (or feature) names even when they are numbers.
_ID_WORDS = frozenset(
    {"", "#", "id", "iid", "#iid", "sample", "samples", "sample_id", "sampleid", "unnamed: 0", "index"}
)
#: The first columns of the tables that ``plink --recode A`` and ``plink2 --export A`` write.
RAW_COLUMNS = ("FID", "IID", "PAT", "MAT", "SEX", "PHENOTYPE")
#: Where pandas keeps the index of a table in parquet.
_PANDAS_INDEX = "__index_level_0__"
#: Rows looked at to tell columns of text from columns of numbers.
_LOOK_AHEAD = 50


@dataclass
class MatrixTable:
    """A numeric table: `X` is (n samples, p features), with names for both and any text columns apart.

    `text` maps the name of each non-numeric feature (a class label, say) to its n cells; `beside` likewise
    what is stored beside the features of an ``.npz``, or before those of a PLINK ``.raw``. `families` are
    FIDs where the table has them.
    """

    path: str
    X: NDArray[Any]
    feature_names: NDArray[Any]
    sample_ids: NDArray[Any]
    text: dict[str, list[str]] = field(default_factory=dict)
    beside: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    families: NDArray[Any] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape[0], self.X.shape[1]

    def joiner(self) -> Joiner:
        """Return the samples, for other files to be matched to."""
        joiner = Joiner(
            self.path, list(self.sample_ids), None if self.families is None else list(self.families)
        )
        joiner.report.notes.extend(self.notes)
        return joiner

    def samples(self, rows: NDArray[np.int64]) -> Table:
        """Return the ids of some samples, ``fid`` and ``iid`` or ``id``."""
        if self.families is None:
            return Table({"id": self.sample_ids[rows]})
        return Table({"fid": self.families[rows], "iid": self.sample_ids[rows]})

    def pop_column(self, name: str) -> list[str]:
        """Take feature `name` out of the table and return its cells as text."""
        for apart in (self.text, self.beside):
            if name in apart:
                return apart.pop(name)
        where = np.flatnonzero(self.feature_names == name)
        if len(where) == 0:
            names = [*self.text, *self.beside, *self.feature_names]
            raise ValueError(f"{self.path}: no column {quoted(name)}; columns are {some(names)}")
        cells = [repr(value) for value in self.X[:, where[0]].tolist()]
        kept = np.arange(self.shape[1]) != where[0]
        self.X, self.feature_names = self.X[:, kept], self.feature_names[kept]
        return cells


def read_matrix(path: StrPath, orient: str = "samples-rows") -> MatrixTable:
    """Read a samples by features table.

    Parameters
    ----------
    path : str or path-like
        ``.csv``, ``.tsv``, ``.txt`` or ``.raw`` (also packed), ``.parquet``, or ``.npz`` with ``X`` and, if
        wanted, ``feature_names``, ``sample_ids`` and arrays of one value a sample, such as ``y``.
    orient : {"samples-rows", "samples-columns"}
        What a row of the file is. In text tables the first line names the columns; the first column names
        the rows when it holds text or its header is empty or says ``id`` or ``sample``. Columns FID and IID
        name samples; where PAT and MAT are there too, as in a PLINK ``.raw``, these, SEX and PHENOTYPE are no
        features.

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
    stem = name.lower()
    for packed in (".gz", ".bz2", ".xz", ".zst"):
        stem = stem.removesuffix(packed)
    if stem.endswith(".npz"):
        table = _read_npz(name, orient)
    elif stem.endswith((".parquet", ".pq")):
        table = _read_parquet(name, orient)
    elif stem.endswith(".raw") and orient == "samples-columns":
        raise ValueError(f"{name}: a PLINK .raw has a sample a row: leave out --orient samples-columns")
    elif stem.endswith((".csv", ".tsv", ".txt", ".tab", ".raw")):
        table = _read_text(name, orient)
    else:
        raise ValueError(
            f"{name}: the name must end in .csv, .tsv, .txt or .raw (also .gz), .parquet or .npz"
        )
    _check_names(table)
    return table


def _check_names(table: MatrixTable) -> None:
    if 0 in table.shape:
        raise ValueError(
            f"{table.path}: the table is empty, {table.shape[0]} samples x {table.shape[1]} features"
        )
    samples = table.sample_ids
    if table.families is not None:
        samples = np.array([f"{f} {i}" for f, i in zip(table.families, samples, strict=True)], dtype=object)
    for names, what in (([*table.feature_names, *table.text], "feature"), (samples, "sample")):
        _refuse_repeated(names, table.path, what)


def _read_text(path: str, orient: str) -> MatrixTable:
    rows = TextRows(path)
    return _read_features(rows) if orient == "samples-columns" else _read_samples(rows)


def _numbers(cells: Sequence[str], names: Sequence[str], path: str, number: int) -> NDArray[np.float64]:
    return to_numbers(cells, lambda k: f"{path}, line {number}, column {quoted(names[k])}")


def _looks_numeric(cell: str) -> bool:
    if is_missing(cell):
        return True
    try:
        to_number(cell)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class _Columns:
    """Which columns of a table hold ids, what is no feature, and features.

    `family` and `sample` are -1 where there is none; `beside` are the other leading columns of a PLINK
    ``.raw``; `told` says where ids come from.
    """

    family: int
    sample: int
    beside: list[int]
    told: str

    def all(self) -> set[int]:
        """The columns that are no features."""
        return {k for k in (self.family, self.sample, *self.beside) if k >= 0}


def _columns_of(header: Sequence[str], first: Sequence[str]) -> _Columns:
    """Find the columns of ids by their names: FID and IID, or a first column that names rows."""
    names = [name.lstrip("#").upper() for name in header]
    if "IID" in names:
        sample, family = names.index("IID"), names.index("FID") if "FID" in names else -1
        told = "sample ids from columns FID and IID" if family >= 0 else "sample ids from column IID"
        unnamed = [0] if names[0] == "" else []
        if not {"PAT", "MAT"} <= set(names):
            return _Columns(family, sample, unnamed, told)
        beside = [names.index(name) for name in RAW_COLUMNS[2:] if name in names]
        told += f"; {', '.join(header[k] for k in beside)} are those of a PLINK .raw: no features"
        return _Columns(family, sample, unnamed + beside, told)
    if header[0].lower() in _ID_WORDS or not _looks_numeric(first[0]):
        told = (
            f"sample ids from column {quoted(header[0])}" if header[0] else "sample ids from the first column"
        )
        return _Columns(-1, 0, [], told)
    return _Columns(-1, -1, [], "no column of sample ids: samples are numbered from 1")


def _read_samples(source: TextRows) -> MatrixTable:
    path, header = source.path, source.header
    _refuse_repeated(header, path, "column")
    rows = iter(source)
    head = list(islice(rows, _LOOK_AHEAD))
    if not head:
        raise ValueError(f"{path}: no rows below the header")
    found = _columns_of(header, head[0][1])
    rest = [k for k in range(len(header)) if k not in found.all()]
    shown = {k: next((row[k] for _, row in head if not is_missing(row[k])), "NA") for k in rest}
    numeric = [k for k in rest if _looks_numeric(shown[k])]
    names = [header[k] for k in numeric]
    cells_of: dict[str, list[str]] = {header[k]: [] for k in range(len(header)) if k not in set(numeric)}
    places = [(header.index(name), kept) for name, kept in cells_of.items()]
    values: list[NDArray[np.float64]] = []
    for number, cells in chain(head, rows):
        for k, kept in places:
            kept.append(cells[k])
        values.append(_numbers([cells[k] for k in numeric], names, path, number))
    text = {header[k]: cells_of[header[k]] for k in rest if header[k] in cells_of}
    return _table(path, np.vstack(values), names, found, header, cells_of, text)


def _table(
    path: str,
    X: NDArray[Any],
    names: Sequence[str],
    found: _Columns,
    header: Sequence[str],
    cells: Mapping[str, list[str]],
    text: dict[str, list[str]],
) -> MatrixTable:
    """Put a table of samples in rows together; `cells` are those of the columns that are no features."""
    ids = cells[header[found.sample]] if found.sample >= 0 else _counted(len(X))
    notes = [found.told]
    twice = sum(name.endswith("_HET") for name in names) if found.beside else 0
    if twice:
        notes.append(
            f"{twice:,} features end in _HET: indicators of heterozygotes, as plink --recode AD writes"
        )
    return MatrixTable(
        path,
        X,
        np.array(names, dtype=object),
        np.array(ids, dtype=object),
        text=text,
        beside={header[k]: cells[header[k]] for k in found.beside if header[k]},
        notes=notes,
        families=None if found.family < 0 else np.array(cells[header[found.family]], dtype=object),
    )


def _counted(n: int) -> list[str]:
    return [str(k + 1) for k in range(n)]


def _refuse_repeated(names: Sequence[Any] | NDArray[Any], path: str, what: str) -> None:
    values, counts = np.unique(np.asarray(names, dtype=str), return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"{path}: {what} names must be distinct, repeated: {some(list(values[counts > 1]))}")


def _read_features(source: TextRows) -> MatrixTable:
    path, ids = source.path, source.header[1:]
    names: list[str] = []
    rows: list[NDArray[np.float64]] = []
    text: dict[str, list[str]] = {}
    for number, cells in source:
        values = cells[1:]
        if any(_looks_numeric(cell) and not is_missing(cell) for cell in values):
            rows.append(_numbers(values, ids, path, number))
            names.append(cells[0])
        elif cells[0] in text:
            raise ValueError(f"{path}, line {number}: feature names must be distinct, repeated: {cells[0]}")
        else:
            text[cells[0]] = values
    if not rows:
        raise ValueError(f"{path}: no numeric rows below the header")
    X = np.ascontiguousarray(np.vstack(rows)).T
    return MatrixTable(path, X, np.array(names, dtype=object), np.array(ids, dtype=object), text)


def _read_npz(path: str, orient: str) -> MatrixTable:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except Exception as error:  # zipfile's, zlib's and NumPy's own
        if isinstance(error, OSError) and error.filename is not None:
            raise
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
    with reading(path):
        data = parquet.read_table(path)
    if data.num_rows == 0:
        raise ValueError(f"{path}: the table is empty, 0 samples")
    columns = {name: data.column(name).to_numpy() for name in data.column_names}
    if _PANDAS_INDEX in columns:  # stored last
        columns = {_PANDAS_INDEX: columns.pop(_PANDAS_INDEX), **columns}
    header = list(columns)
    found = _columns_of(
        ["" if name == _PANDAS_INDEX else name for name in header], [_text(c[0]) for c in columns.values()]
    )
    apart = {header[k]: [_text(v) for v in columns[header[k]].tolist()] for k in found.all()}
    rest = [name for name in header if name not in apart]
    text = {
        name: [_text(v) for v in columns[name].tolist()]
        for name in rest
        if columns[name].dtype.kind not in "iufb"
    }
    numeric = [name for name in rest if name not in text]
    if not numeric:
        raise ValueError(f"{path}: no numeric columns")
    X = np.empty((data.num_rows, len(numeric)), order="F")
    for k, name in enumerate(numeric):
        X[:, k] = columns[name]
    if orient == "samples-columns":
        if text:
            raise ValueError(f"{path}: columns must be samples, but {some(list(text))} hold text")
        rows = apart[header[found.sample]] if found.sample >= 0 else _counted(data.num_rows)
        return MatrixTable(path, X.T, np.array(rows, dtype=object), np.array(numeric, dtype=object))
    return _table(path, X, numeric, found, header, apart, text)


def _text(value: Any) -> str:
    """Write a value of a typed table as a cell."""
    return "NA" if value is None or value != value else str(value)
