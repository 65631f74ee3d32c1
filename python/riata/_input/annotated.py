"""AnnData as X: recognised by its parts, so that the package need not be installed."""

from __future__ import annotations

from typing import Any

import numpy as np

from riata._input.lazy import check_computed


def is_anndata(X: Any) -> bool:
    """Whether `X` is an AnnData: a matrix X with names of observations and variables."""
    return hasattr(X, "obs_names") and hasattr(X, "var_names") and hasattr(X, "layers")


def matrix_of(X: Any) -> Any:
    """Return the matrix of an AnnData as an array or a SciPy sparse matrix; of a backed one, read whole.

    Raises
    ------
    ValueError
        When it has none.
    """
    matrix = X.X
    if matrix is None:
        layers = ", ".join(map(repr, X.layers)) or "none"
        raise ValueError(
            f"X must be an AnnData with a matrix X, got one whose X is None (its layers: {layers}); "
            "set X.X = X.layers[...]"
        )
    check_computed(matrix, "X.X")
    if hasattr(matrix, "to_memory"):  # sparse, on disk
        matrix = matrix.to_memory()
    sparse = hasattr(matrix, "tocsc")
    return matrix if sparse else np.asarray(matrix)
