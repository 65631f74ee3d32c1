"""The ``.h5ad`` files of AnnData, read with h5py alone: a matrix, its names, and columns of the samples.

The layout is AnnData's on-disk format since version 0.7: https://anndata.readthedocs.io/en/stable/fileformat-prose.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from riata._io.extras import needs
from riata._io.reading import reading
from riata._io.tables import cell_text, quoted, some

_MISSING = "NA"


@dataclass
class H5adFile:
    """What a file holds: `X` (dense, or sparse in CSC), names of both sides, ``obs`` as columns of text."""

    X: Any
    features: list[str]
    samples: list[str]
    columns: dict[str, list[str]]


def read_h5ad(path: str, layer: str | None = None) -> H5adFile:
    """Read the matrix ``X`` of a file, or one of its layers.

    Raises
    ------
    ImportError
        When h5py is not installed.
    OSError
        When the file cannot be read.
    ValueError
        When it is not AnnData's, has no such layer, or no matrix.
    """
    try:
        import h5py
    except ImportError:
        raise needs(f"{path}: reading .h5ad", "h5py") from None
    with reading(path), h5py.File(path, "r") as file:
        for part in ("obs", "var"):
            if not isinstance(file.get(part), h5py.Group) or "_index" not in file[part].attrs:
                raise ValueError(f"{path}: no {part} with names as AnnData writes since version 0.7")
        matrix = _matrix(_matrix_of(path, file, layer))
        features, samples = (_names(file[part]) for part in ("var", "obs"))
        if matrix.shape != (len(samples), len(features)):
            raise ValueError(
                f"{path}: the matrix has shape {matrix.shape}, but there are {len(samples):,} names of "
                f"observations and {len(features):,} of variables"
            )
        return H5adFile(matrix, features, samples, _columns(path, file["obs"], len(samples)))


def _matrix_of(path: str, file: Any, layer: str | None) -> Any:
    layers = list(file["layers"]) if "layers" in file else []
    if layer is not None and layer not in layers:
        raise ValueError(f"{path}: no layer {quoted(layer)}; layers are {some(layers) or 'none'}")
    if layer is None and ("X" not in file or file["X"].attrs.get("encoding-type") == "null"):
        raise ValueError(f"{path}: it has no X; choose a layer with --layer: {some(layers) or 'none'}")
    return file["X"] if layer is None else file["layers"][layer]


def _matrix(stored: Any) -> Any:
    """Return a stored matrix: an array as it is, a sparse one in CSC."""
    import scipy.sparse

    if not hasattr(stored, "keys"):
        return stored[...]
    kind = str(stored.attrs.get("encoding-type", stored.attrs.get("h5sparse_format", "?")))
    if kind not in ("csr_matrix", "csc_matrix", "csr", "csc"):
        raise ValueError(f"a matrix of the encoding {kind!r} cannot be read")
    shape = tuple(
        int(size) for size in stored.attrs["shape" if "shape" in stored.attrs else "h5sparse_shape"]
    )
    make = scipy.sparse.csr_array if kind.startswith("csr") else scipy.sparse.csc_array
    out = make(tuple(stored[name][...] for name in ("data", "indices", "indptr")), shape=shape)
    out.check_format()
    return out.tocsc()


def _names(frame: Any) -> list[str]:
    index = frame.attrs["_index"]
    return _cells(frame, frame[index.decode() if isinstance(index, bytes) else index])


def _columns(path: str, frame: Any, n: int) -> dict[str, list[str]]:
    """Return the columns of a stored data frame as text, NA where missing; of what is no column, nothing."""
    out = {}
    order = [name.decode() if isinstance(name, bytes) else str(name) for name in frame.attrs["column-order"]]
    for name in order:
        cells = _cells(frame, frame[name])
        if len(cells) != n:
            raise ValueError(f"{path}: column {quoted(name)} of obs has {len(cells):,} of {n:,} values")
        out[name] = cells
    return out


def _cells(frame: Any, column: Any) -> list[str]:
    """Return a stored column as text: plain, categorical, or with a mask."""
    if not hasattr(column, "keys"):
        values = _texts(column)
        labels = column.attrs.get("categories")  # before version 0.8: codes, and where the labels are
        return values if labels is None else _labels(column[...], _texts(frame[labels]))
    if "codes" in column:
        return _labels(column["codes"][...], _texts(column["categories"]))
    if {"values", "mask"} <= set(column):
        gone = column["mask"][...].tolist()
        return [
            _MISSING if hidden else cell for cell, hidden in zip(_texts(column["values"]), gone, strict=True)
        ]
    kind = column.attrs.get("encoding-type", "?")
    raise ValueError(f"{column.name}: a column of the encoding {kind!r} cannot be read")


def _labels(codes: NDArray[Any], labels: list[str]) -> list[str]:
    return [_MISSING if code < 0 else labels[code] for code in codes.tolist()]


def _texts(stored: Any) -> list[str]:
    values = stored[...]
    if values.dtype.kind in "OS":
        values = stored.asstr()[...]
    return [cell_text(value) for value in values.tolist()]
