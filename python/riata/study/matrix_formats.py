"""Readers of tables of samples by features, one per format."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.extras import needs
from riata._io.h5ad_files import read_h5ad
from riata._io.id_columns import IdColumns, looks_numeric
from riata._io.reading import reading
from riata._io.sparse_files import SparseTable, from_archive, is_sparse_archive, read_names
from riata._io.tables import cell_text, is_missing, quoted, some, to_numbers
from riata._io.text_files import TextRows
from riata.study.matrix_table import (
    Asked,
    MatrixTable,
    assembled,
    counted_names,
    numbered_names,
    refuse_repeated,
)

#: How the columns begin in which pandas keeps an index without a name.
_PANDAS_INDEX = "__index_level_"
#: Rows looked at to tell columns of text from columns of numbers.
_LOOK_AHEAD = 50


def read_text(path: str, asked: Asked) -> MatrixTable:
    rows = TextRows(path)
    return _read_features(rows) if asked.transposed else _read_samples(rows, asked)


def _numbers(cells: Sequence[str], names: Sequence[str], path: str, number: int) -> NDArray[np.float64]:
    return to_numbers(cells, lambda k: f"{path}, line {number}, column {quoted(names[k])}")


def _read_samples(source: TextRows, asked: Asked) -> MatrixTable:
    path, header = source.path, source.header
    if asked.duplicates is None:
        refuse_repeated(header, path, "column")
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
    return assembled(path, np.vstack(values), names, found, header, cells_of, text)


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


def read_npz(path: str, asked: Asked) -> MatrixTable:
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
    features = arrays.pop("feature_names", np.array(numbered_names(p)))
    samples = arrays.pop("sample_ids", np.array(counted_names(n)))
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


def _of_archive(path: str, arrays: dict[str, NDArray[Any]], asked: Asked) -> MatrixTable:
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
    return of_sparse(path, found, asked, asked.transposed)


def of_sparse(path: str, found: SparseTable, asked: Asked, transposed: bool) -> MatrixTable:
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
        np.array(features or numbered_names(p), dtype=object),
        np.array(samples or counted_names(n), dtype=object),
        beside=found.beside,
        notes=notes,
    )


def read_arrow(path: str, asked: Asked) -> MatrixTable:
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
        refuse_repeated(header, path, "column")
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
        rows = cells[found.sample] if found.sample >= 0 else counted_names(data.num_rows)
        return MatrixTable(path, X.T, np.array(rows, dtype=object), np.array(features, dtype=object))
    return assembled(path, X, features, found, header, cells, text)


def _index_first(data: Any, asked: Asked) -> tuple[list[str], list[NDArray[Any]], IdColumns | None]:
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


def of_h5ad(path: str, asked: Asked) -> MatrixTable:
    """Read the matrix of an AnnData file; columns of its ``obs`` stand beside the features."""
    if asked.transposed:
        raise ValueError(f"{path}: an .h5ad has one sample per row: leave out --orient samples-columns")
    found = read_h5ad(path, asked.layer)
    if found.X.dtype.kind not in "iufb":
        raise ValueError(f"{path}: must hold real numbers, got {found.X.dtype}")
    if not isinstance(found.X, np.ndarray):
        sparse = SparseTable(found.X, columns=found.features, rows=found.samples, beside=found.columns)
        return of_sparse(path, sparse, asked, transposed=False)
    features, samples = (np.array(names, dtype=object) for names in (found.features, found.samples))
    return MatrixTable(path, found.X, features, samples, beside=found.columns)
