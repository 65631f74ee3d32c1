"""Sparse tables: archives of SciPy, svmlight text, and Matrix Market as 10x Genomics writes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.packed_files import open_binary
from riata._io.reading import reading
from riata._io.tables import read_list, some
from riata._io.text_files import StrPath

SVMLIGHT = (".svm", ".svmlight", ".libsvm")
MATRIX_MARKET = (".mtx",)
#: What the label of an svmlight file is called.
LABEL = "label"

_COMPRESSED = {"data", "indices", "indptr", "shape"}
_COORDINATES = {"data", "row", "col", "shape"}
_PACKED = ("", ".gz", ".bz2", ".xz", ".zst")


@dataclass
class SparseTable:
    """A sparse matrix as a file has it, with what the file or those beside it say of its columns and rows."""

    X: Any
    columns: list[str] | None = None
    rows: list[str] | None = None
    beside: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def is_sparse_archive(arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Say whether arrays of an ``.npz`` are the parts of a sparse matrix."""
    return set(arrays) >= _COMPRESSED or set(arrays) >= _COORDINATES


def from_archive(path: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """Take a sparse matrix out of the arrays that `scipy.sparse.save_npz` wrote."""
    import scipy.sparse

    kind = arrays.pop("format", None)
    shape = tuple(int(size) for size in arrays.pop("shape"))
    with reading(path):
        if "row" in arrays:
            cells = arrays.pop("data"), (arrays.pop("row"), arrays.pop("col"))
            return scipy.sparse.coo_array(cells, shape=shape).tocsc()
        parts = tuple(arrays.pop(name) for name in ("data", "indices", "indptr"))
        name = "" if kind is None else np.asarray(kind).astype(str).item()
        if name not in ("", "csr", "csc"):
            raise ValueError(f"a sparse matrix of format {name}: save it as csr, csc or coo")
        by_rows = name == "csr" or (not name and len(parts[2]) == shape[0] + 1)
        make = scipy.sparse.csr_array if by_rows else scipy.sparse.csc_array
        out = make(parts, shape=shape)
        out.check_format()
        return out.tocsc()


def is_svmlight(path: str) -> bool:
    """Say whether a file has the name of svmlight text, also packed."""
    return path.lower().endswith(tuple(ending + packed for ending in SVMLIGHT for packed in _PACKED))


def read_svmlight(path: str) -> SparseTable:
    """Read svmlight text: a label and ``column:value`` pairs per line; columns are named ``x1`` etc."""
    from sklearn.datasets import load_svmlight_file

    with reading(path), open_binary(path) as file:
        X, label = load_svmlight_file(file, zero_based=True)
    X = X.tocsc()
    first = 0 if X.shape[1] and X[:, [0]].nnz else 1  # most files count columns from 1
    names = [f"x{j}" for j in range(first, X.shape[1])]
    table = SparseTable(X[:, first:], columns=names, beside={LABEL: [f"{value:.15g}" for value in label]})
    table.notes.append(
        f"columns are called x{first} and so on, as the file numbers them; the label is {LABEL!r}"
    )
    return table


def read_matrix_market(path: str, prefer_symbols: bool) -> tuple[SparseTable, bool]:
    """Read Matrix Market; return it and whether its rows are features, as those of 10x Genomics are.

    That is so where ``features.tsv`` (or ``genes.tsv``) and ``barcodes.tsv`` lie beside a ``matrix.mtx`` and
    have as many lines as it has rows and columns.
    """
    from scipy.io import mmread

    with reading(path), open_binary(path) as file:
        X = mmread(file)
    if isinstance(X, np.ndarray):
        raise ValueError(f"{path}: a dense Matrix Market array: save it as .csv or .npz")
    table = SparseTable(X.tocsc())
    features, barcodes = _beside(path, ("features", "genes")), _beside(path, ("barcodes",))
    if features is None or barcodes is None:
        return table, False
    named, cells = _cells(features), [row[0] for row in _cells(barcodes)]
    if X.shape != (len(named), len(cells)):
        raise ValueError(
            f"{path}: {X.shape[0]:,} rows x {X.shape[1]:,} columns, but {Path(features).name} has "
            f"{len(named):,} lines and {Path(barcodes).name} {len(cells):,}"
        )
    ids, symbols = [row[0] for row in named], [row[min(1, len(row) - 1)] for row in named]
    by_symbol = prefer_symbols or len(set(symbols)) == len(symbols)
    table.rows, table.columns = symbols if by_symbol else ids, cells
    what = "symbols" if by_symbol else "ids, since symbols repeat (--duplicates takes these)"
    table.notes.append(
        f"features are named by {Path(features).name}: its {what}; samples by {Path(barcodes).name}"
    )
    return table, True


def read_names(path: StrPath, n: int, what: str) -> list[str]:
    """Read the first cell of each line of a file that names all features or samples."""
    names = [row[0] for row in read_list(path)[1]]
    if len(names) != n:
        raise ValueError(
            f"{fspath(path)}: {len(names):,} names for {n:,} {what}; it begins with {some(names, 3)}"
        )
    return names


def _cells(path: str) -> list[list[str]]:
    return read_list(path)[1]


def _beside(path: str, names_of: tuple[str, ...]) -> str | None:
    """Find the file beside ``matrix.mtx``, or ``GSM1_matrix.mtx``, that names its features or samples."""
    folder, name = Path(path).parent, Path(path).name
    found = re.fullmatch(r"(.*?)matrix\.mtx(\.[a-z0-9]+)?", name, re.IGNORECASE)
    if found is None:
        return None
    candidates = (folder / f"{found[1]}{what}.tsv{packed}" for what in names_of for packed in _PACKED)
    return next((str(file) for file in candidates if file.is_file()), None)
