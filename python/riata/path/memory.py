"""How much memory a fit will take, known before it starts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from riata._docs import described_by
from riata._input.annotated import is_anndata, matrix_of
from riata._input.design import as_table, is_scipy_sparse, is_sparse_frame
from riata._input.lazy import check_computed
from riata._input.validation import check_integer
from riata._io.sizes import bytes_text
from riata.losses import Cox, Loss
from riata.losses._known import check_loss
from riata.path.fit import fit_path
from riata.path.given import check_grouped
from riata.path.run_options import RunOptions

__all__ = ["MemoryEstimate", "estimate_memory"]

DOUBLE = 8
SHARED_COLUMN = (
    52  # bytes kept for each column of X once: means and spreads, its place, what the path returns
)
PROBLEM_COLUMN = 45  # and for the fit and each fold: mean, scale, bounds
VECTORS, RESIDUALS = 14, 58  # of length n: the current solution, residuals kept as references
PRODUCT_VECTORS, PENDING = 20, 4  # where all inner products are kept, and those of each alpha solved ahead,
BATCH, BATCH_NUMBERS = 32, 1 << 21  # of which there are so many, and not more numbers in one vector of each
FACTOR_SLACK = 1.25  # rows of the factor keep the room they once needed
GROUP_FACTORS, COUPLED = 3.0, 0.5  # matrices of the size of the active features, of all their coefficients
CLASSES_OF_A_FEATURE = 1.25  # in which it is active, unless in all together
OUTPUT_COLUMN = 24  # for each output of each column
RESULT = 32  # of a coefficient at one alpha, while it is handed over
GATHERED, GATHERED_FOLDS = 2.0, 4.5  # columns brought close for each that is active at the end
REFERENCE_ROWS = 4096  # columns of column-major float64 at least this long are used in place
COPY_BYTES = 2  # of an entry in the copy that later passes read
COPY_ROWS = 32  # to a multiple of which it is padded
COPY_COLUMN = 24  # what is kept with each of its columns
COPY_LIMIT = 2 << 30  # the largest such copy,
COPY_SHARE = 0.6  # also as a share of X,
COPY_ALPHAS = 8  # and the shortest path that has one
GRAM_COLUMNS, GRAM_COLUMNS_FOLDS = 4096, 1024  # most columns of which a whole Gram matrix is kept


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """The bytes a fit takes on top of X, by part. Made by `riata.estimate_memory`.

    Attributes
    ----------
    design : int
        X as it is now. Read in place.
    conversion : int
        One-time conversion of X, for the kinds that need one.
    compact_copy : int
        Copy of a dense X in 16-bit integers, a quarter of float64, which all passes but the first read. None
        above 2 GiB, nor for gaussian fits that keep all inner products.
    working_set : int
        Copies of the columns being optimised, as doubles, sparse or packed genotypes; none for column-major
        float64 when columns are long (4,096 rows) or there are folds: these are used in place.
    gram : int
        Their inner products or factor.
    certificates : int
        Bounds, means, scales and counts kept for every column; of several outputs also their coefficients on
        the way to the result.
    responses : int
        Vectors of length n: responses, weights, residuals, linear predictors.
    cross_validation : int
        What the folds add.

    Examples
    --------
    >>> import numpy as np, riata
    >>> estimate = riata.estimate_memory(np.zeros((100, 2000)), cv=10)
    >>> estimate.design
    1600000
    """

    design: int
    conversion: int
    compact_copy: int
    working_set: int
    gram: int
    certificates: int
    responses: int
    cross_validation: int

    @property
    def total(self) -> int:
        """Bytes on top of X."""
        return sum(int(getattr(self, part.name)) for part in fields(self)) - self.design

    def __repr__(self) -> str:
        rows = [(part.name.replace("_", " "), int(getattr(self, part.name))) for part in fields(self)]
        rows.append(("total on top of X", self.total))
        return "\n".join(f"{label:<18} {bytes_text(size):>10}" for label, size in rows)


@described_by(fit_path, RunOptions, Cox)
def estimate_memory(
    X: Any,
    *,
    alphas: int = 100,
    cv: int | None = None,
    loss: str | Loss = "gaussian",
    max_active: int | None = None,
    outputs: int = 1,
    grouped: bool = False,
    row_grouped: bool | None = None,
) -> MemoryEstimate:
    """Estimate the memory that fitting a path on `X` takes, without fitting.

    Measured peaks are within a fifth of it when `max_active` is the number at the end of the path; with the
    default, the largest possible, it is an upper estimate. Ridge (``l1_ratio=0``), which works on all
    columns, takes more, and so do elastic nets with more active features than samples, which keep two
    n x n matrices for the fit and each fold.

    Parameters
    ----------
    X : array, memory map, SciPy sparse matrix, DataFrame, Arrow table, AnnData or Genotypes, shape (n, p)
        Only its shape and storage matter.
    alphas : int, default=100
        Number of grid points.
    cv : int, optional
        Number of folds, for `cv_path`.
    max_active : int, optional
        Features active at the end of the path. Default: as many as samples or features.
    outputs : int, default=1
        Number K of classes or responses, for the losses with several.
    grouped : bool, default=False
        Whether a feature enters for all classes together.
    row_grouped : bool, optional
        The earlier name of `grouped`, understood for one version, with a warning.

    Returns
    -------
    MemoryEstimate
        Bytes by part.

    Raises
    ------
    ValueError, TypeError
        For bad input, naming the argument, the value and what is allowed.

    Examples
    --------
    >>> import numpy as np, riata
    >>> estimate = riata.estimate_memory(np.zeros((100, 2000)), cv=10)
    >>> estimate.design
    1600000
    >>> estimate.total < 4 * estimate.design
    True
    """
    n_alphas = check_integer("alphas", alphas, at_least=1)
    several = check_integer("outputs", outputs, at_least=1)
    folds = 0 if cv is None else check_integer("cv", cv, at_least=2)
    loss = check_loss(loss)
    if not loss.several_outputs and several > 1:
        raise ValueError(f"outputs must be 1 for the {loss.name} loss, got {several}")
    together = loss.always_grouped or check_grouped({"grouped": grouped, "row_grouped": row_grouped}, loss)
    held = _storage(X, folds > 0)
    n, p = held.n, held.p
    active = min(n, p)
    if max_active is not None:
        active = min(active, check_integer("max_active", max_active, at_least=1))
    products = loss.least_squares and p <= min(n, GRAM_COLUMNS_FOLDS if folds else GRAM_COLUMNS)
    columns = min(p, int(GATHERED * active) + COPY_ROWS)
    fold_columns = min(p, columns + int(GATHERED_FOLDS * active)) - columns if folds else 0
    gram = int(FACTOR_SLACK * active * (active + 1) / 2 * DOUBLE) + (p * p * DOUBLE if products else 0)
    problem_column = PROBLEM_COLUMN
    result = 0
    if loss.several_outputs:
        coefs = several * active if together else int(CLASSES_OF_A_FEATURE * active)
        if together:
            gram = int(GROUP_FACTORS * active**2 * DOUBLE)
        if loss.has_classes:
            gram += int(COUPLED * coefs**2 * DOUBLE)
        problem_column += OUTPUT_COLUMN * several
        result = coefs * n_alphas * RESULT
    batch = min(max(BATCH_NUMBERS // (several * n * (1 + folds)), 1), BATCH)
    vectors = PRODUCT_VECTORS + PENDING * batch if products else VECTORS + RESIDUALS
    responses = several * n * DOUBLE * vectors
    # Held-out predictions, and those of one fold as they are collected.
    kept = several * n * n_alphas * DOUBLE * (1 + folds) // folds if folds else 0
    return MemoryEstimate(
        design=held.size,
        conversion=held.conversion,
        compact_copy=0 if products else _copy(n, p, held.size, n_alphas),
        working_set=0 if products else int(columns * held.column),
        gram=gram,
        certificates=p * (SHARED_COLUMN + problem_column) + result,
        responses=responses,
        cross_validation=folds * (p * problem_column + responses + gram + result)
        + int(fold_columns * held.column)
        + kept,
    )


def _copy(n: int, p: int, size: int, n_alphas: int) -> int:
    """Bytes of the copy that passes after the first read."""
    copy = -(-n // COPY_ROWS) * COPY_ROWS * p * COPY_BYTES
    wanted = n_alphas >= COPY_ALPHAS and copy <= COPY_SHARE * size
    return copy + p * COPY_COLUMN if wanted and copy <= COPY_LIMIT else 0


@dataclass(frozen=True, slots=True)
class _Storage:
    """An X: its shape, its bytes, those of its conversion, and of one column in the working set."""

    n: int
    p: int
    size: int
    conversion: int
    column: float


def _storage(X: Any, folds: bool) -> _Storage:
    check_computed(X)
    if is_anndata(X):
        return _storage(matrix_of(X), folds)
    if hasattr(X, "_design"):
        core, rows = X._design()
        n, p = core.shape
        column = n / 4 if core.kind == "plink" else float(n * DOUBLE)
        return _Storage(n if rows is None else len(rows), p, int(core.nbytes), 0, column)
    if isinstance(X, np.ndarray):
        n, p = X.shape if X.ndim == 2 else as_table(X)[0].shape
        viewed = X.dtype in (np.float64, np.float32, np.int8)
        columns_in_order = not viewed or (X.dtype == np.float64 and X.strides[0] == X.itemsize)
        in_place = columns_in_order and (folds or n >= REFERENCE_ROWS)
        return _Storage(n, p, X.nbytes, 0 if viewed else n * p * DOUBLE, 0.0 if in_place else n * DOUBLE)
    if is_scipy_sparse(X):
        n, p = X.shape
        size = X.data.nbytes if hasattr(X, "data") and hasattr(X.data, "nbytes") else X.nnz * DOUBLE
        size += sum(getattr(X, part).nbytes for part in ("indices", "indptr") if hasattr(X, part))
        conversion = 0 if X.format == "csc" else int(X.nnz) * 12
        return _Storage(n, p, int(size), conversion, 12.0 * X.nnz / max(p, 1))
    if is_sparse_frame(X):
        n, p = X.shape
        entries = round(X.sparse.density * n * p)
        return _Storage(n, p, 12 * entries, 28 * entries, 12.0 * entries / max(p, 1))
    if not hasattr(X, "columns"):
        X = as_table(X)[0]
    n, p = X.shape
    size = n * p * DOUBLE
    return _Storage(n, p, size, size, 0.0 if folds or n >= REFERENCE_ROWS else float(n * DOUBLE))
