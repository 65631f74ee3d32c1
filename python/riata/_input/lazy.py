"""Dask arrays: what is computed row by row stays lazy, and what is not refuses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.validation import Float


def is_lazy(X: Any) -> bool:
    """Whether X is a Dask array, asked without importing Dask."""
    return hasattr(X, "to_delayed") and hasattr(X, "rechunk") and hasattr(X, "map_blocks")


def check_computed(X: Any, name: str = "X") -> None:
    """Refuse what Dask has not computed where numbers are needed here: it may be larger than this machine.

    Of Dask arrays, data frames, and those of xarray that hold them.

    Raises
    ------
    TypeError
    """
    if is_lazy(X):
        array = name
    elif type(X).__module__.startswith(("dask.dataframe", "dask_expr")):
        array = f"{name}.to_dask_array(lengths=True)"
    elif getattr(X, "chunks", None) and is_lazy(getattr(X, "data", None)):
        array = f"{name}.data"
    else:
        return
    raise TypeError(
        f"X must be in memory or held by workers, got an object of type {type(X).__name__} that Dask has not "
        f"computed: give riata.distributed.from_array({array}), or {name}.compute() to bring all of it here"
    )


def check_lazy_shape(X: Any, n_features: int) -> None:
    """Refuse a Dask array that is no table with the features of the fit."""
    if X.ndim != 2:
        raise ValueError(f"X must be 2-D, samples x features, got shape {X.shape}")
    if X.shape[1] != n_features:
        raise ValueError(f"X must have the {n_features} features of the fit, got {X.shape[1]}")


def by_rows(
    X: Any, columns: NDArray[Any], of_rows: Callable[..., NDArray[Any]], offset: Float | None = None
) -> Any:
    """Return the Dask array of what is computed from each block of rows.

    Parameters
    ----------
    X : dask.array.Array, shape (m, p)
        In chunks of any shape.
    columns : (k,) array of int
        The columns that are read.
    of_rows : callable
        Makes an array of r rows of X[:, columns], (r, k), and, where there is an offset, those rows of it.
    offset : (m,) or (m, K) array, optional
    """
    from dask import array as arrays

    make: Any = arrays

    def of_block(block: Any, *offset: Float) -> NDArray[Any]:
        return of_rows(np.asfortranarray(block) if isinstance(block, np.ndarray) else block, *offset)

    if offset is not None and np.isnan(X.shape[0]):
        raise ValueError(
            "X must have a known number of rows beside an offset: call its compute_chunk_sizes()"
        )
    chosen = X[:, columns].rechunk({1: -1})
    few = [np.zeros((1, len(columns)))] + ([] if offset is None else [np.zeros((1, *offset.shape[1:]))])
    like = of_block(*few)
    beside: list[Any] = []
    if offset is not None:
        rows = make.from_array(offset, chunks=(chosen.chunks[0], *offset.shape[1:]))
        beside = [rows, ("row", "output")[: offset.ndim]]
    more = tuple(f"axis {k}" for k in range(1, like.ndim))
    return make.blockwise(
        of_block,
        ("row", *more),
        chosen,
        ("row", "column"),
        *beside,
        new_axes=dict(zip(more, like.shape[1:], strict=True)),
        concatenate=True,
        dtype=like.dtype,
        meta=like[:0],
    )
