"""Expression tables and the like: samples by features from text, parquet, feather, npz and sparse files."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from os import fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.extras import needs
from riata._io.id_columns import COUNTED, IdColumns, find_ids, looks_numeric
from riata._io.reading import reading
from riata._io.repeated_names import DUPLICATES, means_of_repeated, repeated_note, suffixed
from riata._io.sparse_files import (
    MATRIX_MARKET,
    SVMLIGHT,
    SparseTable,
    from_archive,
    is_sparse_archive,
    read_matrix_market,
    read_names,
    read_svmlight,
)
from riata._io.tables import Table, cell_text, expand_names, frame_ids, is_missing, quoted, some, to_numbers
from riata._io.text_files import StrPath, TextRows
from riata._io.wording import counted
from riata.study.joining import TURN, Joiner, repeated

ORIENTATIONS = ("samples-rows", "samples-columns")
#: How the columns begin in which pandas keeps an index without a name.
_PANDAS_INDEX = "__index_level_"
#: Rows looked at to tell columns of text from columns of numbers.
_LOOK_AHEAD = 50
_ARROW = (".parquet", ".pq", ".feather", ".arrow")


@dataclass
class MatrixTable:
    """A numeric table: `X` is (n samples, p features), with names for both and any text columns apart.

    `X` is an array or, of sparse files, in CSC. With `open_ended` a feature that it does not name is zero.
    `text` maps the name of each non-numeric feature (a class label, say) to its n cells; `beside` likewise
    what is stored beside the features of an ``.npz``, or before those of a PLINK ``.raw``. `families` are
    FIDs where the table has them. `header` names all columns as they follow each other in the file.
    """

    path: str
    X: Any
    feature_names: NDArray[Any]
    sample_ids: NDArray[Any]
    text: dict[str, list[str]] = field(default_factory=dict)
    beside: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    families: NDArray[Any] | None = None
    header: Sequence[str] = ()
    open_ended: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        return self.X.shape[0], self.X.shape[1]

    @property
    def columns(self) -> list[str]:
        """Names of all columns but those of ids, in the order of the file."""
        names = dict.fromkeys([*self.text, *self.beside, *(str(name) for name in self.feature_names)])
        first = [name for name in self.header if name in names]
        return list(dict.fromkeys([*first, *names]))

    def joiner(self, named: Collection[str] = ()) -> Joiner:
        """Return the samples, for other files to be matched to; columns `named` there are no ids."""
        joiner = Joiner(
            self.path, list(self.sample_ids), None if self.families is None else list(self.families)
        )
        joiner.report.notes.extend(self.notes)
        joiner.named = frozenset(named)
        joiner.other_axis = frozenset(str(name) for name in self.feature_names)
        return joiner

    def samples(self, rows: NDArray[np.int64]) -> Table:
        """Return the ids of some samples, ``fid`` and ``iid`` or ``id``."""
        if self.families is None:
            return Table({"id": self.sample_ids[rows]})
        return Table({"fid": self.families[rows], "iid": self.sample_ids[rows]})

    def pop_column(self, name: str) -> list[str]:
        """Take feature `name` out of the table and return its cells as text."""
        return self.pop_columns([name])[name]

    def pop_columns(self, names: Sequence[str]) -> dict[str, list[str]]:
        """Take features out of the table and return the cells of each as text."""
        place = {str(name): j for j, name in enumerate(self.feature_names)} if names else {}
        out: dict[str, list[str]] = {}
        taken: list[int] = []
        for name in names:
            apart = next((columns for columns in (self.text, self.beside) if name in columns), None)
            if apart is not None:
                out[name] = apart.pop(name)
            elif name in place:
                taken.append(place[name])
                out[name] = [repr(value) for value in _column(self.X, place[name]).tolist()]
            elif name not in out:
                turned = f"; a row is called so: {TURN}" if name in set(self.sample_ids) else ""
                raise ValueError(
                    f"{self.path}: no column {quoted(name)}; columns are {some(self.columns)}{turned}"
                )
        if taken:
            kept = ~np.isin(np.arange(self.shape[1]), taken)
            self.X, self.feature_names = self.X[:, kept], self.feature_names[kept]
        return out


def _column(X: Any, j: int) -> NDArray[Any]:
    return np.asarray(X[:, j] if isinstance(X, np.ndarray) else X[:, [j]].toarray()[:, 0])


def dense_columns(X: Any, columns: NDArray[np.int64] | Sequence[int]) -> NDArray[np.float64]:
    """Return some columns of an array or a sparse matrix as doubles."""
    chosen = X[:, columns]
    return np.asarray(chosen if isinstance(chosen, np.ndarray) else chosen.toarray(), dtype=np.float64)


def constant_columns(X: Any) -> NDArray[np.int64]:
    """Return which columns hold one value alone."""
    if isinstance(X, np.ndarray):
        return np.flatnonzero(X.min(axis=0) == X.max(axis=0))
    return np.flatnonzero(X.min(axis=0).toarray().ravel() == X.max(axis=0).toarray().ravel())


def read_matrix(
    path: StrPath,
    orient: str = "samples-rows",
    *,
    named: Collection[str] = (),
    duplicates: str | None = None,
    feature_names: StrPath | None = None,
    sample_ids: StrPath | None = None,
) -> MatrixTable:
    """Read a samples by features table.

    Parameters
    ----------
    path : str or path-like
        ``.csv``, ``.tsv``, ``.txt`` or ``.raw`` (also packed), ``.parquet``, ``.feather``, or ``.npz`` with
        ``X`` and, if wanted, ``feature_names``, ``sample_ids`` and arrays of one value a sample, such as
        ``y``. Sparse: ``.npz`` with the parts that `scipy.sparse.save_npz` writes instead of ``X``, svmlight
        text (``.svm``, ``.svmlight``, ``.libsvm``), whose labels are the column ``label``, and Matrix Market
        (``.mtx``; of 10x Genomics with the files beside ``matrix.mtx``).
    orient : {"samples-rows", "samples-columns"}
        What a row of the file is. Samples in rows are named by columns FID and IID, by the index that pandas
        saved with a parquet, or by the first column that is not among `named` and whose text does not repeat,
        when its header says so (``id``, ``sample``, ``patient_id`` and so on) or it holds text. Where PAT and
        MAT are there too, as in a PLINK ``.raw``, these, SEX and PHENOTYPE are no features.
    named : collection of str
        Columns, or ranges of them, that are something else: never ids.
    duplicates : {"suffix", "mean"}, optional
        What becomes of features of one name: all are kept, those after the first as ``name.1`` and so on, or
        their mean. By default they are refused.
    feature_names, sample_ids : str or path-like, optional
        Files with a name a line, for ``.npz`` and sparse files that hold none.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When the table is ragged, empty, names a feature twice, or holds text where a number belongs.
    """
    if orient not in ORIENTATIONS:
        raise ValueError(f"orient must be one of {', '.join(ORIENTATIONS)}, got {orient!r}")
    if duplicates is not None and duplicates not in DUPLICATES:
        raise ValueError(f"duplicates must be one of {', '.join(DUPLICATES)}, got {duplicates!r}")
    name = fspath(path)
    if not Path(name).is_file():
        raise FileNotFoundError(f"{name}: no such file")
    asked = _Asked(orient, named, duplicates, feature_names, sample_ids)
    stem = name.lower()
    for packed in (".gz", ".bz2", ".xz", ".zst"):
        stem = stem.removesuffix(packed)
    if stem.endswith(".npz"):
        table = _read_npz(name, asked)
    elif stem.endswith(SVMLIGHT):
        table = _of_sparse(name, read_svmlight(name), asked, asked.transposed)
        table.open_ended = feature_names is None
    elif stem.endswith(MATRIX_MARKET):
        found, of_cells = read_matrix_market(name, duplicates is not None)
        table = _of_sparse(name, found, asked, of_cells or asked.transposed)
    elif feature_names is not None or sample_ids is not None:
        raise ValueError(f"{name}: --feature-names and --sample-ids are for .npz and sparse files")
    elif stem.endswith(_ARROW):
        table = _read_arrow(name, asked)
    elif stem.endswith(".raw") and orient == "samples-columns":
        raise ValueError(f"{name}: a PLINK .raw has a sample a row: leave out --orient samples-columns")
    elif stem.endswith((".csv", ".tsv", ".txt", ".tab", ".raw")):
        table = _read_text(name, asked)
    else:
        raise ValueError(
            f"{name}: the name must end in .csv, .tsv, .txt or .raw (also .gz), .parquet, .feather, .npz, "
            ".svm or .mtx"
        )
    _settle_names(table, asked)
    return table


def matrix_of_frame(frame: Any, name: str = "data", duplicates: str | None = None) -> MatrixTable:
    """See a DataFrame as a table: columns of numbers are features, its index or FID and IID name samples.

    What becomes of features of one name is told by `duplicates` as in `read_matrix`.
    """
    header = [str(column) for column in frame.columns]
    features: list[str] = []
    numeric: list[NDArray[np.float64]] = []
    text: dict[str, list[str]] = {}
    for j, label in enumerate(header):
        column = frame.iloc[:, j] if hasattr(frame, "iloc") else frame[frame.columns[j]]
        numbers = None if label in ("FID", "IID") else _column_of_numbers(column.to_numpy())
        if numbers is None:
            text[label] = [cell_text(value) for value in column.to_numpy().tolist()]
        else:
            features.append(label)
            numeric.append(numbers)
    families, ids = text.pop("FID", None), text.pop("IID", None)
    X = np.empty((len(frame), len(numeric)), order="F")
    for k, values in enumerate(numeric):
        X[:, k] = values
    table = MatrixTable(
        name,
        X,
        np.array(features, dtype=object),
        np.array(frame_ids(frame) if ids is None else ids, dtype=object),
        text,
        families=None if families is None or ids is None else np.array(families, dtype=object),
        header=header,
    )
    _settle_names(table, _Asked("samples-rows", (), duplicates))
    return table


def _column_of_numbers(values: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return numbers, NaN where missing; None for other values. Those with a mask of pandas are objects."""
    if values.dtype.kind in "iufb":
        return values.astype(np.float64)
    cells = values.tolist()
    known = [cell_text(cell) != "NA" for cell in cells]
    if values.dtype.kind != "O" or not all(
        isinstance(cell, (int, float)) for cell, there in zip(cells, known, strict=True) if there
    ):
        return None
    return np.array(
        [cell if there else np.nan for cell, there in zip(cells, known, strict=True)], dtype=float
    )


@dataclass(frozen=True)
class _Asked:
    """How a table is to be read: see `read_matrix`."""

    orient: str
    named: Collection[str]
    duplicates: str | None
    feature_names: StrPath | None = None
    sample_ids: StrPath | None = None

    @property
    def transposed(self) -> bool:
        return self.orient == "samples-columns"

    def ids(self, header: Sequence[str], head: Sequence[Sequence[str]], path: str) -> IdColumns:
        """Find the ids of a table, given the first cells of each column."""
        first = [next((cell for cell in cells if not is_missing(cell)), "NA") for cells in head]
        text = (k for k, cell in enumerate(first) if not looks_numeric(cell))
        classes = {k for k in text if repeated(cell for cell in head[k] if not is_missing(cell))}
        return find_ids(header, first, set(expand_names(list(self.named), header, path)), classes)


def _settle_names(table: MatrixTable, asked: _Asked) -> None:
    """Refuse names that repeat; of features, do what was asked for."""
    if 0 in table.shape:
        raise ValueError(
            f"{table.path}: the table is empty, {table.shape[0]} samples x {table.shape[1]} features"
        )
    names = [str(name) for name in table.feature_names]
    if asked.duplicates is not None:
        if note := repeated_note(names, asked.duplicates):
            table.notes.append(note)
        if asked.duplicates == "mean":
            table.X, names = means_of_repeated(table.X, names)
        else:
            names = suffixed(names)
        table.feature_names = np.array(names, dtype=object)
    samples = table.sample_ids
    if table.families is not None:
        samples = np.array([f"{f} {i}" for f, i in zip(table.families, samples, strict=True)], dtype=object)
    _refuse_repeated([*names, *table.text], table.path, "feature")
    _refuse_repeated(samples, table.path, "sample")


def _refuse_repeated(names: Sequence[Any] | NDArray[Any], path: str, what: str) -> None:
    values, counts = np.unique(np.asarray(names, dtype=str), return_counts=True)
    if (counts > 1).any():
        hint = (
            ""
            if what == "sample"
            else "; --duplicates suffix keeps each under a name of its own, --duplicates mean their mean"
        )
        raise ValueError(
            f"{path}: {what} names must be distinct, repeated: {some(list(values[counts > 1]))}{hint}"
        )


def _read_text(path: str, asked: _Asked) -> MatrixTable:
    rows = TextRows(path)
    return _read_features(rows) if asked.transposed else _read_samples(rows, asked)


def _numbers(cells: Sequence[str], names: Sequence[str], path: str, number: int) -> NDArray[np.float64]:
    return to_numbers(cells, lambda k: f"{path}, line {number}, column {quoted(names[k])}")


def _read_samples(source: TextRows, asked: _Asked) -> MatrixTable:
    path, header = source.path, source.header
    if asked.duplicates is None:
        _refuse_repeated(header, path, "column")
    rows = iter(source)
    head = list(islice(rows, _LOOK_AHEAD))
    if not head:
        raise ValueError(f"{path}: no rows below the header")
    shown = [next((row[k] for _, row in head if not is_missing(row[k])), "NA") for k in range(len(header))]
    found = asked.ids(header, [[row[k] for _, row in head] for k in range(len(header))], path)
    rest = [k for k in range(len(header)) if k not in found.all()]
    numeric = [k for k in rest if looks_numeric(shown[k])]
    apart = sorted(set(range(len(header))) - set(numeric))
    names = [header[k] for k in numeric]
    cells_of: dict[int, list[str]] = {k: [] for k in apart}
    values: list[NDArray[np.float64]] = []
    for number, cells in chain(head, rows):
        for k, kept in cells_of.items():
            kept.append(cells[k])
        values.append(_numbers([cells[k] for k in numeric], names, path, number))
    text = [k for k in rest if k in cells_of]
    return _table(path, np.vstack(values), names, found, header, cells_of, text)


def _table(
    path: str,
    X: NDArray[Any],
    names: Sequence[str],
    found: IdColumns,
    header: Sequence[str],
    cells: Mapping[int, list[str]],
    text: Sequence[int],
) -> MatrixTable:
    """Put a table of samples in rows together; `cells` are those of the columns that are no features."""
    ids, note = _counted(len(X)), found.told
    text = list(text)
    if found.sample >= 0 and not found.certain and repeated(cells[found.sample]):
        note = f"{COUNTED}, since column {quoted(header[found.sample])} repeats"
        text.insert(0, found.sample)
    elif found.sample >= 0:
        ids = cells[found.sample]
    apart = dict(zip(suffixed([header[k] for k in text]), (cells[k] for k in text), strict=True))
    notes = [note]
    twice = sum(name.endswith("_HET") for name in names) if found.beside else 0
    if twice:
        notes.append(
            f"{counted(twice, 'feature')} whose name ends in _HET: indicators of heterozygotes, as plink "
            "--recode AD writes"
        )
    return MatrixTable(
        path,
        X,
        np.array(names, dtype=object),
        np.array(ids, dtype=object),
        text=apart,
        beside={header[k]: cells[k] for k in found.beside if header[k]},
        notes=notes,
        families=None if found.family < 0 else np.array(cells[found.family], dtype=object),
        header=header,
    )


def _counted(n: int) -> list[str]:
    return [str(k + 1) for k in range(n)]


def _read_features(source: TextRows) -> MatrixTable:
    path, ids = source.path, source.header[1:]
    names: list[str] = []
    rows: list[NDArray[np.float64]] = []
    text: dict[str, list[str]] = {}
    for number, cells in source:
        values = cells[1:]
        if any(looks_numeric(cell) and not is_missing(cell) for cell in values):
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


def _read_npz(path: str, asked: _Asked) -> MatrixTable:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except Exception as error:  # zipfile's, zlib's and NumPy's own
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise ValueError(f"{path}: cannot be read as plain arrays ({error})") from None
    if "X" not in arrays and is_sparse_archive(arrays):
        return _of_archive(path, arrays, asked)
    if "X" not in arrays:
        raise ValueError(f"{path}: no array named 'X'; arrays are {some(list(arrays))}")
    X = arrays.pop("X")
    if X.ndim != 2 or X.dtype.kind not in "iufb":
        raise ValueError(
            f"{path}: X must be a two-dimensional array of numbers, got shape {X.shape}, dtype {X.dtype}"
        )
    if X.dtype not in (np.float64, np.float32, np.int8):
        X = X.astype(np.float64)
    if asked.transposed:
        X = X.T
    n, p = X.shape
    features = arrays.pop("feature_names", np.array(_numbered(p)))
    samples = arrays.pop("sample_ids", np.array(_counted(n)))
    if asked.feature_names is not None:
        features = np.array(read_names(asked.feature_names, p, "features"))
    if asked.sample_ids is not None:
        samples = np.array(read_names(asked.sample_ids, n, "samples"))
    if features.shape != (p,) or samples.shape != (n,):
        raise ValueError(
            f"{path}: X is {n} samples x {p} features ({asked.orient}), but there are "
            f"{len(features)} feature_names and {len(samples)} sample_ids"
        )
    ids = samples.astype(str).astype(object)
    beside = _values_a_sample(arrays, n)
    return MatrixTable(path, X, features.astype(str).astype(object), ids, beside=beside)


def _values_a_sample(arrays: Mapping[str, NDArray[Any]], n: int) -> dict[str, list[str]]:
    return {key: [str(v) for v in value.tolist()] for key, value in arrays.items() if value.shape == (n,)}


def _numbered(p: int) -> list[str]:
    return [f"x{j + 1}" for j in range(p)]


def _of_archive(path: str, arrays: dict[str, NDArray[Any]], asked: _Asked) -> MatrixTable:
    """Put the parts of a sparse matrix together, and the names and values stored with them."""
    found = SparseTable(from_archive(path, arrays))
    n, p = found.X.shape[::-1] if asked.transposed else found.X.shape
    names: dict[str, list[str] | None] = {}
    for name, size in (("feature_names", p), ("sample_ids", n)):
        stored = arrays.pop(name, None)
        if stored is not None and stored.shape != (size,):
            raise ValueError(f"{path}: {name} must be {size:,}, one for each, got {len(stored):,}")
        names[name] = None if stored is None else stored.astype(str).tolist()
    found.columns, found.rows = names["feature_names"], names["sample_ids"]
    if asked.transposed:
        found.columns, found.rows = found.rows, found.columns
    found.beside = _values_a_sample(arrays, n)
    return _of_sparse(path, found, asked, asked.transposed)


def _of_sparse(path: str, found: SparseTable, asked: _Asked, transposed: bool) -> MatrixTable:
    """Put a sparse table together, its rows features when `transposed`."""
    X, features, samples = found.X, found.columns, found.rows
    if transposed:
        X, features, samples = X.T.tocsc(), samples, features
    if X.dtype.kind not in "iufb":
        raise ValueError(f"{path}: must hold real numbers, got {X.dtype}")
    X = X.astype(np.float64)
    X.sum_duplicates()
    n, p = X.shape
    if asked.feature_names is not None:
        features = read_names(asked.feature_names, p, "features")
    if asked.sample_ids is not None:
        samples = read_names(asked.sample_ids, n, "samples")
    notes = list(found.notes)
    if samples is None:
        notes.append("samples have no ids: they are numbered from 1 (--sample-ids FILE names them)")
    return MatrixTable(
        path,
        X,
        np.array(features or _numbered(p), dtype=object),
        np.array(samples or _counted(n), dtype=object),
        beside=found.beside,
        notes=notes,
    )


def _read_arrow(path: str, asked: _Asked) -> MatrixTable:
    """Read a parquet or feather file; an index that pandas saved with it names the rows."""
    what = "parquet" if path.lower().endswith((".parquet", ".pq")) else "feather"
    try:
        import pyarrow.feather as feather
        import pyarrow.parquet as parquet
    except ImportError:
        raise needs(f"{path}: reading {what}", "pyarrow") from None
    with reading(path):
        data = parquet.ParquetFile(path).read() if what == "parquet" else feather.read_table(path)
    if data.num_rows == 0:
        raise ValueError(f"{path}: the table is empty, 0 samples")
    header, columns, found = _index_first(data, asked)
    if asked.duplicates is None and not asked.transposed:
        _refuse_repeated(header, path, "column")
    if found is None:
        found = asked.ids(header, [_head(column) for column in columns], path)
    rest = [k for k in range(len(header)) if k not in found.all()]
    text = [k for k in rest if columns[k].dtype.kind not in "iufb"]
    cells = {k: [cell_text(v) for v in columns[k].tolist()] for k in (*found.all(), *text)}
    numeric = [k for k in rest if k not in cells]
    if not numeric:
        raise ValueError(f"{path}: no numeric columns")
    X = np.empty((data.num_rows, len(numeric)), order="F")
    for j, k in enumerate(numeric):
        X[:, j] = columns[k]
    features = [header[k] for k in numeric]
    if asked.transposed:
        if text:
            raise ValueError(
                f"{path}: columns must be samples, but {some([header[k] for k in text])} hold text"
            )
        rows = cells[found.sample] if found.sample >= 0 else _counted(data.num_rows)
        return MatrixTable(path, X.T, np.array(rows, dtype=object), np.array(features, dtype=object))
    return _table(path, X, features, found, header, cells, text)


def _index_first(data: Any, asked: _Asked) -> tuple[list[str], list[NDArray[Any]], IdColumns | None]:
    """Return names and cells of the columns, the index that pandas saved first, and ids if it holds them.

    It does unless there are IIDs, or an option names it. Several levels become one column.
    """
    names = list(data.column_names)
    columns = [data.column(k).to_numpy() for k in range(len(names))]
    saved = [names.index(name) for name in _saved_index(data.schema)]
    levels = ["" if names[k].startswith(_PANDAS_INDEX) else names[k] for k in saved]
    rest = [k for k in range(len(names)) if k not in saved]
    header = [*levels, *(names[k] for k in rest)]
    ordered = [columns[k] for k in (*saved, *rest)]
    plink = any(name.lstrip("#").upper() == "IID" for name in header)
    if not saved or plink or set(levels) & set(asked.named):
        return header, ordered, None
    told = f"sample ids from the index {quoted(levels[0])} saved with the table"
    if len(saved) == 1:
        return header, ordered, IdColumns(-1, 0, [], told if levels[0] else "sample ids from the saved index")
    joined = np.array([":".join(map(cell_text, row)) for row in zip(*ordered[: len(saved)], strict=True)])
    told = f"sample ids from the saved index: {' and '.join(map(quoted, levels))}, joined by colons"
    return (
        [":".join(levels), *header[len(saved) :]],
        [joined, *ordered[len(saved) :]],
        IdColumns(-1, 0, [], told),
    )


def _saved_index(schema: Any) -> list[str]:
    """Return the columns that hold an index of pandas; one that counts rows is none."""
    kept = (schema.metadata or {}).get(b"pandas")
    columns = [] if kept is None else json.loads(kept).get("index_columns", [])
    return [name for name in columns if isinstance(name, str) and name in schema.names]


def _head(column: NDArray[Any]) -> list[str]:
    """Return the first cells as text."""
    return [cell_text(value) for value in column[:_LOOK_AHEAD].tolist()]
