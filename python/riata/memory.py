"""How much memory a fit will take, known before it starts."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from riata._design import as_table, is_scipy_sparse
from riata._validation import check_integer

__all__ = ["MemoryEstimate", "estimate_memory"]

DOUBLE = 8
PER_COLUMN = 63  # means, scales, bounds and counts of one column of X, for each problem
SETUP = 16  # moments of one column while they are handed over
RESIDUALS = 72  # residuals kept as references, and the vectors of the current solution
REFERENCE_ROWS = 4096  # columns of column-major float64 at least this long are used in place
COPY_BYTES = 2  # of an entry in the copy that later passes read
COPY_ROWS = 32  # to a multiple of which it is padded
COPY_COLUMN = 24  # what is kept with each of its columns
COPY_LIMIT = 2 << 30  # the largest such copy,
COPY_SHARE = 0.6  # also as a share of X,
COPY_ALPHAS = 8  # and the shortest path that has one
GRAM_COLUMNS = 4096  # a whole Gram matrix is kept up to this many columns, when there are more rows


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes a fit takes on top of X, by part: upper estimates. Made by `riata.estimate_memory`.

    Attributes
    ----------
    design : int
        X as it is now. Read in place.
    conversion : int
        One-time conversion of X, for the kinds that need one.
    compact_copy : int
        Copy of a dense X in 16-bit integers, a quarter of float64, which all passes but the first read. None
        above 2 GiB, nor for gaussian fits that keep all inner products, although it is counted here.
    working_set : int
        Copies of the columns being optimised, as doubles, sparse or packed genotypes; none for long columns
        (4,096 rows) of column-major float64, which are used in place.
    gram : int
        Their inner products or factor.
    certificates : int
        Bounds, means, scales and counts kept for every column.
    responses : int
        Vectors of length n: responses, weights, residuals, linear predictors.
    cross_validation : int
        What the folds add.
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
        return "\n".join(f"{label:<18} {_human(size):>10}" for label, size in rows)


def _human(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024.0:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024.0
    return f"{size:.1f} TiB"


def estimate_memory(X: Any, *, alphas: int = 100, cv: int | None = None) -> MemoryEstimate:
    """Estimate the memory that fitting a path on `X` takes, without fitting.

    Parameters
    ----------
    X : as in `fit_path`, shape (n, p)
        Only its shape and storage matter.
    alphas : int, default=100
        Number of grid points.
    cv : int, optional
        Number of folds, for `cv_path`.

    Returns
    -------
    MemoryEstimate

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
    folds = 0 if cv is None else check_integer("cv", cv, at_least=2)
    n, p, size, conversion, column_bytes = _storage(X)
    rank = min(n, p)
    columns = min(p, 2 * rank + 256)
    fold_columns = min(p, columns + 4 * rank) - columns if folds else 0
    gram = p * p * DOUBLE if p <= min(n, GRAM_COLUMNS) else rank * (rank + 1) // 2 * DOUBLE
    problem = p * (PER_COLUMN + SETUP) + n * RESIDUALS * DOUBLE
    return MemoryEstimate(
        design=size,
        conversion=conversion,
        compact_copy=_copy(n, p, size, n_alphas),
        working_set=int(columns * column_bytes),
        gram=gram,
        certificates=p * (PER_COLUMN + SETUP),
        responses=n * RESIDUALS * DOUBLE,
        cross_validation=folds * (problem + gram)
        + int(fold_columns * column_bytes)
        + (n * n_alphas * DOUBLE if folds else 0),
    )


def _copy(n: int, p: int, size: int, n_alphas: int) -> int:
    """Bytes of the copy that passes after the first read."""
    copy = -(-n // COPY_ROWS) * COPY_ROWS * p * COPY_BYTES
    wanted = n_alphas >= COPY_ALPHAS and copy <= COPY_SHARE * size
    return copy + p * COPY_COLUMN if wanted and copy <= COPY_LIMIT else 0


def _storage(X: Any) -> tuple[int, int, int, int, float]:
    """(n, p, bytes of X, bytes of its conversion, bytes of one column brought into the working set)."""
    if hasattr(X, "_design"):
        core, rows = X._design()
        n, p = core.shape
        column = n / 4 if core.kind == "plink" else float(n * DOUBLE)
        return (n if rows is None else len(rows)), p, int(core.nbytes), 0, column
    if isinstance(X, np.ndarray):
        n, p = X.shape if X.ndim == 2 else as_table(X)[0].shape
        viewed = X.dtype in (np.float64, np.float32, np.int8)
        columns_in_order = not viewed or (X.dtype == np.float64 and X.strides[0] == X.itemsize)
        copied = 0 if columns_in_order and n >= REFERENCE_ROWS else n * DOUBLE
        return n, p, X.nbytes, 0 if viewed else n * p * DOUBLE, float(copied)
    if is_scipy_sparse(X):
        n, p = X.shape
        size = X.data.nbytes if hasattr(X, "data") and hasattr(X.data, "nbytes") else X.nnz * DOUBLE
        size += sum(getattr(X, part).nbytes for part in ("indices", "indptr") if hasattr(X, part))
        return n, p, int(size), 0 if X.format == "csc" else int(X.nnz) * 12, 12.0 * X.nnz / max(p, 1)
    if not hasattr(X, "columns"):
        X = as_table(X)[0]
    n, p = X.shape
    return n, p, n * p * DOUBLE, n * p * DOUBLE, 0.0 if n >= REFERENCE_ROWS else float(n * DOUBLE)
