"""A Dask array as X: each part of its columns stays at the worker that has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riata import _core
from riata._input.design import INDICES, VIEWED, is_scipy_sparse, view
from riata.distributed.doors import check_memory_in_all
from riata.distributed.host import Host, client_of
from riata.distributed.waiting import settle

if TYPE_CHECKING:
    from distributed import Client

#: Parts begin at multiples of this many columns.
LANE = 16


class HeldArray:
    """A matrix whose columns workers hold. Made by :func:`from_array`; it is an `X` for `riata.fit_path`.

    Attributes
    ----------
    shape : tuple of int
        Samples n and features p.
    dtype : dtype
        float64, float32 or int8.
    """

    def __init__(self, host: Host, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = shape, dtype
        self._host = host
        self._core: _core.Design | None = None

    def __repr__(self) -> str:
        n, p = self.shape
        return f"HeldArray({n:,} x {p:,} {self.dtype}, in {len(self._host.firsts):,} parts)"

    def __getstate__(self) -> dict[str, Any]:
        """Refuse: a client is one of its process."""
        raise TypeError("an array that workers hold cannot be pickled: use from_array where it is used")

    def _design(self) -> tuple[_core.Design, None]:
        """See `riata._input.design.as_design`."""
        if self._core is None:
            self._core = _core.hosted_design(self._host, len(self._host.firsts))
        return self._core, None


def from_array(array: Any, client: Client | None = None) -> HeldArray:
    """Keep a Dask array at the workers of a cluster, for fits.

    Parameters
    ----------
    array : dask.array.Array, shape (n, p)
        Values are float64, float32 or int8, in chunks of whole columns; other integers, booleans and float16
        become float64. It is computed once. Parts are its chunks, which are made to begin at multiples of 16
        columns. Chunks may be SciPy sparse matrices, as those of `anndata`: they become CSC, with float64 or
        float32 values.
    client : distributed.Client, optional
        Default: the one in use.

    Returns
    -------
    HeldArray
        To be given as X.

    Raises
    ------
    TypeError
        When it is no 2-D Dask array of real numbers.
    ValueError
        When the array is divided along its samples, its shape is not known, it does not fit the memory of the
        workers, or there is no client.
    RuntimeError
        When no worker takes tasks for a minute.

    Notes
    -----
    A fit is the same, to the last bit, as that of the same array in memory, in Fortran order or as CSC, for
    any chunks and workers. When a worker is lost its chunks are computed again on another, which reads them
    twice, whatever the lost one had read.

    Examples
    --------
    >>> import riata.distributed
    >>> X = riata.distributed.from_array(array, client=client)  # doctest: +SKIP
    >>> path = riata.fit_path(X, y)  # doctest: +SKIP
    """
    client = client_of(client)
    if getattr(array, "ndim", None) != 2 or not hasattr(array, "rechunk"):
        raise TypeError(f"array must be a 2-D dask.array, got an object of type {type(array).__name__}")
    if any(np.isnan(size) for size in array.shape):
        raise ValueError("array must have a shape that is known: call its compute_chunk_sizes()")
    if array.numblocks[0] > 1:
        raise ValueError(
            f"array must have chunks of whole columns, got {array.numblocks[0]} along the samples: use "
            "array.rechunk({0: -1, 1: 'auto'})"
        )
    if array.dtype.kind not in "fiub":
        raise TypeError(f"array must hold real numbers, got values of type {array.dtype}")
    sparse = is_scipy_sparse(array._meta)
    if array.dtype not in (VIEWED[:2] if sparse else VIEWED):
        array = array.astype(np.float64)
    array = array.rechunk({1: whole_lanes(array.chunks[1])})
    if not sparse:
        check_memory_in_all(client, array.nbytes, array.nbytes / array.shape[1] * max(array.chunks[1]))
    blocks = client.compute(list(array.to_delayed().ravel()))
    wide = array.shape[0] * max(array.chunks[1]) > np.iinfo(np.int32).max
    index = INDICES[1] if wide else INDICES[0]
    columns = [client.submit(as_columns, block, array.dtype, index, pure=False) for block in blocks]
    settle(client, columns)
    firsts = np.concatenate([[0], np.cumsum(array.chunks[1])[:-1]]).astype(int).tolist()
    host = Host(client, firsts, [open_block] * len(firsts), columns)
    return HeldArray(host, tuple(array.shape), array.dtype)


def whole_lanes(sizes: tuple[int, ...], lane: int = LANE) -> tuple[int, ...]:
    """Sizes near those given whose sums are multiples of `lane`, but for the last."""
    ends = np.cumsum(sizes)
    ends[:-1] -= ends[:-1] % lane
    cuts = np.unique(np.concatenate([[0], ends]))
    return tuple(int(size) for size in np.diff(cuts))


def as_columns(block: Any, dtype: np.dtype[Any], index: np.dtype[Any]) -> Any:
    """A chunk, column after column: in Fortran order, or CSC with indices of one type in all chunks."""
    if not is_scipy_sparse(block):
        return np.asfortranarray(block)
    import scipy.sparse

    block = scipy.sparse.csc_array(block)
    data = block.data.astype(np.float64 if dtype not in VIEWED[:2] else dtype, copy=False)
    indices, indptr = (values.astype(index, copy=False) for values in (block.indices, block.indptr))
    block.data, block.indices, block.indptr = data, indices, indptr
    return block


def open_block(block: Any) -> tuple[Any, _core.Design]:
    """A part of an array, on a worker."""
    if is_scipy_sparse(block):  # what came from another worker may lie anywhere
        block.data, block.indices, block.indptr = (
            np.require(values, requirements="A") for values in (block.data, block.indices, block.indptr)
        )
    else:
        block = np.require(block, requirements=("F", "A"))
    return block, view(block).core
