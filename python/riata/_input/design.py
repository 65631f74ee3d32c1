"""What users call X, seen as a `_core.Design`: viewed in place wherever its storage allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._input.annotated import is_anndata, matrix_of
from riata._input.features import Names, as_names
from riata._input.gaps import Gaps, fill_gaps
from riata._input.lazy import check_computed
from riata._input.storage import Design
from riata._input.validation import Float
from riata._io.text_columns import differing_rows

if TYPE_CHECKING:
    from riata.genetics.genotypes import Genotypes
    from riata.genetics.variants import FittedVariants

VIEWED = (np.dtype(np.float64), np.dtype(np.float32), np.dtype(np.int8))
INDICES = (np.dtype(np.int32), np.dtype(np.int64))


@dataclass(frozen=True, slots=True)
class DesignView:
    """A core design and how its rows relate to the user's samples.

    `rows` holds, for each of the user's samples, its row in the design; None when they are the same. Rows of
    the design that belong to no sample of the user get weight zero. `genotypes` are those that the first
    features are. `gaps` are the cells of X that are missing, to stand at the mean of what each fit trains on;
    None: such cells are refused.
    """

    core: _core.Design
    n_samples: int
    n_features: int
    feature_names: Names | None = None
    rows: NDArray[np.int64] | None = None
    genotypes: Genotypes | None = None
    gaps: Gaps | None = None

    def spread(self, values: Float, fill: float = 0.0) -> Float:
        """Values per sample (n or n x k) to values per row of the design."""
        if self.rows is None:
            return values
        out = np.full((self.core.shape[0], *values.shape[1:]), fill, order="F")
        out[self.rows] = values
        return out

    def collect(self, values: Float) -> Float:
        """Values per row of the design to values per sample."""
        return values if self.rows is None else values[self.rows]

    def multiply(self, columns: NDArray[np.int64], B: Float, n_threads: int = 1) -> Float:
        """X[:, columns] @ B for the user's samples, n x k."""
        if len(columns) == 0:
            return np.zeros((self.n_samples, B.shape[1]))
        return self.collect(self.core.multiply(columns, np.asfortranarray(B), n_threads))

    def gather(self, columns: NDArray[np.int64], n_threads: int = 1) -> Float:
        """X[:, columns] for the user's samples, n x k."""
        if len(columns) == 0:
            return np.zeros((self.n_samples, 0))
        return self.collect(self.core.gather(columns, n_threads))


def as_design(X: Any, impute: str | None = None) -> DesignView:
    """View `X` as a design.

    Parameters
    ----------
    X : 2-D array, memory map, SciPy sparse matrix, DataFrame, AnnData, Genotypes or Design, shape (n, p)
        Used where it is, without a copy: float64, float32 and int8 arrays of any strides, memory maps, SciPy
        CSC with float64 or float32 values, `riata.Genotypes` and `riata.Design`. Converted once, to float64
        unless already one of the three types above: other sparse formats (to CSC, at the cost of one copy of
        the nonzeros), DataFrames whose columns are not already one block, other integers, booleans and
        float16. Of an AnnData its matrix X, a backed one read whole, and the names of its variables.
    impute : {"mean"}, optional
        Take NaN for missing values, as `DesignView.gaps`, at the cost of a copy.

    Raises
    ------
    TypeError
        When X is of no such kind, holds text, objects or complex numbers, or is Dask's and not computed.
    ValueError
        When X is not 2-D, has no rows or no columns, or is a malformed sparse matrix.
    """
    if impute not in (None, "mean"):
        raise ValueError(f"impute must be 'mean' or None, got {impute!r}")
    if isinstance(X, Design):
        if impute is not None:
            raise ValueError("impute must be None for a riata.Design, whose numbers are all finite")
        core, _ = X._design()
        return DesignView(core, *core.shape, None if X.feature_names is None else as_names(X.feature_names))
    if hasattr(X, "_design"):
        if impute is not None:
            raise ValueError(
                "impute must be None for genotypes, whose missing calls are set to the mean anyway"
            )
        return _genotypes(X)
    table, names = as_table(X)
    if impute is None:
        return view(table, names)
    if not isinstance(table, np.ndarray):
        raise ValueError("impute='mean' needs a dense X: absent entries of a sparse one are zeros")
    filled, gaps = fill_gaps(table)
    return replace(view(filled, names), gaps=gaps)


def filled_design(X: Any, values: Float) -> DesignView:
    """View `X` with `values`, one per column, in the place of NaN."""
    if hasattr(X, "_design"):
        return as_design(X)
    table, names = as_table(X)
    if isinstance(table, np.ndarray) and table.shape[1] == len(values):
        table = fill_gaps(table, values)[0]
    return view(table, names)


def as_table(X: Any) -> tuple[Any, Names | None]:
    """Return (ndarray or CSC matrix that can be viewed, feature names or None); `X` itself when it can."""
    if isinstance(X, np.ndarray):
        return _dense(X), None
    check_computed(X)
    if is_scipy_sparse(X):
        return _sparse(X), None
    if is_anndata(X):
        return as_table(matrix_of(X))[0], as_names(X.var_names)
    if is_arrow(X):
        return _from_columns(X.shape, zip(X.column_names, X.itercolumns(), strict=True)), as_names(
            X.column_names
        )
    if hasattr(X, "columns") and hasattr(X, "to_numpy"):
        return _frame(X), as_names(X.columns)
    if hasattr(X, "__array__") or isinstance(X, list | tuple):
        try:
            array = np.asarray(X)
        except ValueError as error:
            raise ValueError(f"X must be a 2-D array of numbers: {error}") from error
        return _dense(array), None
    raise TypeError(
        "X must be a 2-D array, a SciPy sparse matrix, a DataFrame, an AnnData, riata.Genotypes or a "
        f"riata.Design, got an object of type {type(X).__name__}"
    )


def view(table: Any, names: Names | None = None) -> DesignView:
    """See a table of `as_table` as a design."""
    n, p = table.shape
    if isinstance(table, np.ndarray):
        return DesignView(_core.dense_design(table), n, p, names)
    return DesignView(_core.csc_design(table.indptr, table.indices, table.data, n), n, p, names)


def check_finite_result(values: Float) -> None:
    """Refuse predictions that are not finite: X held NaN or infinity."""
    if not np.isfinite(values).all():
        raise ValueError(
            "X must hold finite numbers only, got NaN or infinity in a column with a nonzero coefficient"
        )


def check_same_features(
    design: DesignView,
    n_features: int,
    feature_names: Names | None,
    variants: FittedVariants | None = None,
) -> None:
    """Refuse a design whose features are not those of a fit: by number, and by name where both have names.

    Genotypes must count the same alleles as well.
    """
    if design.n_features != n_features:
        raise ValueError(f"X must have the {n_features} features of the fit, got {design.n_features}")
    ours, theirs = feature_names, design.feature_names
    if ours is None or theirs is None:
        return
    differ = differing_rows(ours, theirs)
    if len(differ):
        j = int(differ[0])
        raise ValueError(
            "X must have the features of the fit in the same order, "
            f"got {str(theirs[j])!r} where the fit had {str(ours[j])!r}"
        )
    if variants is not None and design.genotypes is not None:
        differ_in = variants.difference(design.genotypes)
        if differ_in:
            raise ValueError(f"X must count the alleles that the fit counted, but it {differ_in}")


def is_scipy_sparse(X: Any) -> bool:
    """Whether `X` is a SciPy sparse matrix or array, asked without importing scipy.sparse for other types."""
    if not any(base.__module__.startswith("scipy.sparse") for base in type(X).__mro__):
        return False
    import scipy.sparse

    return bool(scipy.sparse.issparse(X))


def _genotypes(X: Any) -> DesignView:
    core, rows = X._design()
    names, main = getattr(X, "feature_names", None), getattr(X, "main", X)
    n = core.shape[0] if rows is None else len(rows)
    rows = None if rows is None else np.asarray(rows, dtype=np.int64)
    genotypes = main if hasattr(main, "effect_allele") else None
    gaps = getattr(X, "gaps", None)
    return DesignView(
        core, n, core.shape[1], None if names is None else as_names(names), rows, genotypes, gaps
    )


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 2:
        raise ValueError(f"X must be 2-D, samples x features, got shape {shape}")
    if shape[0] == 0 or shape[1] == 0:
        raise ValueError(f"X must have at least one sample and one feature, got shape {shape}")


def _check_numeric(dtype: np.dtype[Any]) -> None:
    if dtype.kind == "c":
        raise TypeError(f"X must hold real numbers, got complex ones ({dtype})")
    if dtype.kind not in "fiub":
        raise TypeError(f"X must hold numbers, got values of type {dtype}")


def _dense(X: NDArray[Any]) -> NDArray[Any]:
    _check_shape(X.shape)
    if X.dtype not in VIEWED:
        _check_numeric(X.dtype)
        return np.asarray(X, dtype=np.float64, order="F")
    if not X.flags.aligned or any(stride % X.itemsize for stride in X.strides):
        return np.array(X, order="F")  # a field of packed records: no stride in whole items describes it
    return X


def _sparse(X: Any) -> Any:
    import scipy.sparse

    _check_shape(X.shape)
    _check_numeric(X.dtype)
    if X.format != "csc":
        X = X.tocsc()
    data, indices, indptr = X.data, X.indices, X.indptr
    if len(indptr) != X.shape[1] + 1:
        raise ValueError(f"X.indptr must hold {X.shape[1] + 1} positions, got {len(indptr)}")
    used = int(indptr[-1])
    if used < len(data) or used < len(indices):  # room left over at the end
        data, indices = data[:used], indices[:used]
        X = scipy.sparse.csc_array((data, indices, indptr), shape=X.shape)
    fits = indices.dtype == indptr.dtype and indices.dtype in INDICES
    if fits and data.dtype in VIEWED[:2]:
        return X
    if not fits:
        indices, indptr = indices.astype(np.int64), indptr.astype(np.int64)
    if data.dtype not in VIEWED[:2]:
        data = data.astype(np.float64)
    return scipy.sparse.csc_array((data, indices, indptr), shape=X.shape)


def is_arrow(X: Any) -> bool:
    """Whether `X` is a table or record batch of pyarrow."""
    return hasattr(X, "column_names") and hasattr(X, "itercolumns")


def is_sparse_frame(X: Any) -> bool:
    """Whether all columns are pandas' sparse ones that leave out zeros."""
    kinds = getattr(X, "dtypes", ())
    return hasattr(X, "sparse") and all(
        type(kind).__name__ == "SparseDtype" and kind.fill_value == 0 for kind in kinds
    )


def _frame(X: Any) -> Any:
    """A pandas, polars or similar DataFrame: one conversion, unless it already is one block of numbers."""
    _check_shape(X.shape)
    if is_sparse_frame(X):
        return _sparse(X.sparse.to_coo())
    array = X.to_numpy()
    if array.dtype in VIEWED or array.dtype.kind in "fiub":
        return _dense(array)
    # By place, as names may stand for several columns.
    columns = ((name, X.iloc[:, j] if hasattr(X, "iloc") else X[name]) for j, name in enumerate(X.columns))
    return _from_columns(array.shape, columns)


def _from_columns(shape: tuple[int, ...], columns: Iterable[tuple[Any, Any]]) -> NDArray[Any]:
    """Columns that are held one by one, with their names, as one block of doubles."""
    _check_shape(shape)
    out = np.empty(shape, dtype=np.float64, order="F")
    for j, (name, values) in enumerate(columns):
        try:
            column = np.asarray(values.to_numpy())
            if column.dtype.kind not in "fiubO":
                raise TypeError(f"of type {column.dtype}")
            out[:, j] = column.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"X must hold numbers only, got other values in column {name!r}: {error}"
            ) from error
    return out
