"""Expression tables and the like: samples by features from files of every format and from DataFrames."""

from __future__ import annotations

from collections.abc import Collection
from os import fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.design import as_table
from riata._io.repeated_names import DUPLICATES, means_of_repeated, repeated_note, suffixed
from riata._io.sparse_files import MATRIX_MARKET, SVMLIGHT, read_matrix_market, read_svmlight
from riata._io.tables import cell_text, frame_ids
from riata._io.text_files import StrPath
from riata.study.matrix_formats import of_h5ad, of_sparse, read_arrow, read_npz, read_text
from riata.study.matrix_table import Asked, MatrixTable, refuse_repeated

ORIENTATIONS = ("samples-rows", "samples-columns")
_ARROW = (".parquet", ".pq", ".feather", ".arrow")


def read_matrix(
    path: StrPath,
    orient: str = "samples-rows",
    *,
    named: Collection[str] = (),
    duplicates: str | None = None,
    feature_names: StrPath | None = None,
    sample_ids: StrPath | None = None,
    layer: str | None = None,
) -> MatrixTable:
    """Read a samples by features table.

    Parameters
    ----------
    path : str or path-like
        ``.csv``, ``.tsv``, ``.txt`` or ``.raw`` (also packed), ``.parquet``, ``.feather``, or ``.npz`` with
        ``X`` and, if wanted, ``feature_names``, ``sample_ids`` and arrays of one value per sample, such as
        ``y``. Sparse: ``.npz`` with the parts that `scipy.sparse.save_npz` writes instead of ``X``, svmlight
        text (``.svm``, ``.svmlight``, ``.libsvm``), whose labels are the column ``label``, and Matrix Market
        (``.mtx``; of 10x Genomics with the files beside ``matrix.mtx``). Either: ``.h5ad`` of AnnData, with
        the columns of its ``obs``.
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
        Files with one name per line, for ``.npz`` and sparse files that hold none.
    layer : str, optional
        The layer of an ``.h5ad`` to take in place of its ``X``.

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
    asked = Asked(orient, named, duplicates, feature_names, sample_ids, layer)
    stem = name.lower()
    for packed in (".gz", ".bz2", ".xz", ".zst"):
        stem = stem.removesuffix(packed)
    if layer is not None and not stem.endswith(".h5ad"):
        raise ValueError(f"{name}: --layer is for .h5ad files")
    if stem.endswith(".npz"):
        table = read_npz(name, asked)
    elif stem.endswith(SVMLIGHT):
        table = of_sparse(name, read_svmlight(name), asked, asked.transposed)
        table.open_ended = feature_names is None
    elif stem.endswith(MATRIX_MARKET):
        found, of_cells = read_matrix_market(name, duplicates is not None)
        table = of_sparse(name, found, asked, of_cells or asked.transposed)
    elif feature_names is not None or sample_ids is not None:
        raise ValueError(f"{name}: --feature-names and --sample-ids are for .npz and sparse files")
    elif name.lower().endswith(".h5ad"):
        table = of_h5ad(name, asked)
    elif stem.endswith(_ARROW):
        table = read_arrow(name, asked)
    elif stem.endswith(".raw") and orient == "samples-columns":
        raise ValueError(f"{name}: a PLINK .raw has one sample per row: leave out --orient samples-columns")
    elif stem.endswith((".csv", ".tsv", ".txt", ".tab", ".raw")):
        table = read_text(name, asked)
    else:
        raise ValueError(
            f"{name}: the name must end in .csv, .tsv, .txt or .raw (also .gz), .parquet, .feather, .npz, "
            ".svm, .mtx or .h5ad"
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
    _settle_names(table, Asked("samples-rows", (), duplicates))
    return table


def matrix_of_anndata(data: Any, name: str = "data", duplicates: str | None = None) -> MatrixTable:
    """See an AnnData as a table: its matrix, its names, and beside it the columns of ``obs``."""
    beside = {str(column): [cell_text(v) for v in data.obs[column].tolist()] for column in data.obs.columns}
    features, samples = (np.array(list(map(str, n)), dtype=object) for n in (data.var_names, data.obs_names))
    table = MatrixTable(name, as_table(data)[0], features, samples, beside=beside)
    _settle_names(table, Asked("samples-rows", (), duplicates))
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


def _settle_names(table: MatrixTable, asked: Asked) -> None:
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
    refuse_repeated([*names, *table.text], table.path, "feature")
    refuse_repeated(samples, table.path, "sample")
