"""Storages of one's own: a matrix that answers four questions about its columns."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._input.annotated import is_anndata
from riata._input.validation import Float

__all__ = ["Design"]

Columns = NDArray[np.int64]

BLOCK = 2**23  # bytes of columns that are made at a time
COMPARED = 6  # columns whose answers are compared before a fit
AGREEMENT = 1e-9  # of these, relative to the norms: what float32 has not


class Design(ABC):
    """A matrix X that need not lie in memory: the base class for storages of your own.

    Fits see X through four questions about many columns at once. A subclass has a `shape` and answers
    `gather`; the other three follow from that, block by block, and are overridden where there is a faster
    way. Such an object is used as `X` wherever riata takes one: `fit_path`, `cv_path`, estimators, `predict`.

    Attributes
    ----------
    shape : tuple of int
        Samples n and features p, both at least 1.
    feature_names : sequence of str, optional
        Names of the p features, kept with the fit and compared when it predicts.

    Notes
    -----
    `columns` are int64 numbers of columns within ``[0, p)``, without repeats, usually in increasing order.
    Every answer is a float64 array, in any memory order, of finite numbers about one and the same real
    matrix; their rounding limits what a certificate is worth, so take sums in double precision, and give the
    same answer to the same question every time. Arrays that are passed belong to the object.

    A fit asks for `moments` once, for `correlate` a few times for each alpha or less, of all columns or of
    those that no bound could rule out, and for `gather` when columns enter the working set, where they are
    kept. `multiply` makes predictions. Calls are made one at a time, on the thread that called riata and with
    the GIL held; exceptions that they raise are passed on unchanged. Before a fit the answers for a few
    columns are compared with one another.

    Rows of weight zero, as those held out by cross-validation, still hold finite numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import riata
    >>> class Powers(riata.Design):
    ...     "Column j is t to the power j + 1: computed when asked for."
    ...     def __init__(self, t, p):
    ...         self.t, self.shape = t, (len(t), p)
    ...     def gather(self, columns):
    ...         return self.t[:, None] ** (columns + 1)
    >>> t = np.linspace(-1, 1, 50)
    >>> path = riata.fit_path(Powers(t, 9), t - t**3, alphas=[1e-3])
    >>> [int(j) + 1 for j in path.coefs[:, [0]].nonzero()[0]]
    [1, 3, 5]
    """

    shape: tuple[int, int]
    feature_names: Sequence[str] | None = None

    @abstractmethod
    def gather(self, columns: Columns) -> Float:
        """Return X[:, columns], (n, k)."""

    def correlate(self, columns: Columns, R: Float) -> Float:
        """Return X[:, columns].T @ R, (k, m), for the m right-hand sides R, (n, m)."""
        return np.concatenate([block.T @ R for _, block in self._blocks(columns)])

    def multiply(self, columns: Columns, B: Float) -> Float:
        """Return X[:, columns] @ B, (n, m), for the m vectors of coefficients B, (k, m)."""
        out = np.zeros((self.shape[0], B.shape[1]))
        for part, block in self._blocks(columns):
            out += block @ B[part]
        return out

    def moments(self, columns: Columns, weights: Float) -> tuple[Float, Float]:
        """Return weighted means and variances of columns, (k, F) each.

        Parameters
        ----------
        columns : int64 array, shape (k,)
        weights : float64 array, shape (n, F)
            F sets of sample weights, each with the sum 1: that of the fit, and one for each fold of
            cross-validation. Weights are at least 0.

        Returns
        -------
        mean, variance : float64 arrays, shape (k, F)
            Of column x and weights w: ``sum(w * x)`` and ``sum(w * (x - mean)**2)``. Sum the squares about
            the mean or a value near it: ``sum(w * x**2) - mean**2`` loses the variance of a column that lies
            far from 0, and may come out below 0, which is refused.
        """
        mean = np.empty((len(columns), weights.shape[1]))
        variance = np.empty_like(mean)
        for part, block in self._blocks(columns):
            mean[part] = block.T @ weights
            for f, weight in enumerate(weights.T):
                variance[part, f] = weight @ (block - mean[part, f]) ** 2
        return mean, variance

    def _blocks(self, columns: Columns) -> Iterator[tuple[slice, Float]]:
        checked = CheckedDesign(self)
        size = max(1, BLOCK // (8 * self.shape[0]))
        for first in range(0, len(columns), size):
            part = slice(first, first + size)
            yield part, checked.gather(columns[part])

    def _design(self) -> tuple[_core.Design, None]:
        """See `_design.as_design`."""
        name = type(self).__name__
        shape = getattr(self, "shape", None)
        if not (
            isinstance(shape, tuple)
            and len(shape) == 2
            and all(isinstance(size, int | np.integer) and size >= 1 for size in shape)
        ):
            raise ValueError(f"{name}.shape must be a tuple of two whole numbers >= 1, got {shape!r}")
        if self.feature_names is not None and len(self.feature_names) != shape[1]:
            raise ValueError(
                f"{name}.feature_names must hold {shape[1]} names, got {len(self.feature_names)}"
            )
        checked = CheckedDesign(self)
        compare_answers(checked)
        module = f"{type(self).__module__}.{type(self).__qualname__}"
        return _core.python_design(checked, int(shape[0]), int(shape[1]), zlib.crc32(module.encode())), None


def shown_to_splitter(X: Any) -> Any:
    """X, or rows that can be counted in the place of what scikit-learn would not take."""
    return np.zeros((X.shape[0], 1)) if isinstance(X, Design) or is_anndata(X) else X


class CheckedDesign:
    """The four questions put to a `Design`; an answer of another form than asked for is refused."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self.name = type(design).__name__
        self.shape = design.shape

    def moments(self, columns: Columns, weights: Float) -> tuple[Float, Float]:
        """See `Design.moments`."""
        answer = self.design.moments(columns, weights)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise TypeError(
                f"{self.name}.moments() must return two arrays, means and variances, got {_kind(answer)}"
            )
        shape = (len(columns), weights.shape[1])
        mean = self._array("moments", answer[0], shape, columns)
        variance = self._array("moments", answer[1], shape, columns)
        if variance.size and variance.min() < 0:
            k, f = np.unravel_index(variance.argmin(), shape)
            raise ValueError(
                f"{self.name}.moments() must return variances >= 0, summed about the mean, "
                f"got {variance[k, f]:.6g} for column {columns[k]}"
            )
        return mean, variance

    def correlate(self, columns: Columns, R: Float) -> Float:
        """See `Design.correlate`."""
        answer = self.design.correlate(columns, R)
        return self._array("correlate", answer, (len(columns), R.shape[1]), columns)

    def multiply(self, columns: Columns, B: Float) -> Float:
        """See `Design.multiply`."""
        return self._array("multiply", self.design.multiply(columns, B), (self.shape[0], B.shape[1]))

    def gather(self, columns: Columns) -> Float:
        """See `Design.gather`."""
        return self._array(
            "gather", self.design.gather(columns), (self.shape[0], len(columns)), columns, axis=1
        )

    def _array(
        self, method: str, answer: Any, shape: tuple[int, int], columns: Columns | None = None, axis: int = 0
    ) -> Float:
        """`answer` as it is; `columns` are what its `axis` stands for, if anything."""
        if not isinstance(answer, np.ndarray) or answer.dtype != np.float64:
            raise TypeError(
                f"{self.name}.{method}() must return a float64 array of shape {shape}, got {_kind(answer)}"
            )
        if answer.shape != shape:
            raise ValueError(
                f"{self.name}.{method}() must return an array of shape {shape}, got {answer.shape}"
            )
        finite = np.isfinite(answer)
        if not finite.all():
            place = tuple(int(i) for i in np.argwhere(~finite)[0])
            where = f" for column {columns[place[axis]]}" if columns is not None else f" in row {place[0]}"
            raise ValueError(f"{self.name}.{method}() must return finite numbers, got {answer[place]}{where}")
        return answer


def compare_answers(design: CheckedDesign) -> None:
    """Refuse a design whose answers for some columns are not those of one matrix in double precision."""
    n, p = design.shape
    columns = np.unique(np.linspace(0, p - 1, COMPARED).astype(np.int64))[::-1].copy()
    X = design.gather(columns)
    side = np.cos(np.arange(1.0, n + 1.0))  # any vector will do
    weights = (2.0 + side) / (2.0 + side).sum()
    mean = X.T @ weights
    deviation = np.sqrt(weights @ X**2)
    coef = np.cos(np.arange(1.0, len(columns) + 1.0))
    answered_mean, variance = design.moments(columns, weights[:, None])
    norms = np.linalg.norm(X, axis=0)
    for method, got, expected, size in (
        ("moments", answered_mean[:, 0], mean, deviation),
        ("moments", variance[:, 0], weights @ (X - mean) ** 2, deviation**2),
        (
            "correlate",
            design.correlate(columns, side[:, None])[:, 0],
            X.T @ side,
            norms * np.linalg.norm(side),
        ),
        ("multiply", design.multiply(columns, coef[:, None])[:, 0], X @ coef, np.abs(X) @ np.abs(coef)),
    ):
        allowed = AGREEMENT * (size + 1e-3 * size.max())
        differs = np.abs(got - expected) > allowed
        if differs.any():
            at = int(differs.argmax())
            where = f"row {at}" if method == "multiply" else f"column {columns[at]}"
            raise ValueError(
                f"{design.name}.{method}() must agree with {design.name}.gather() to {AGREEMENT:g}, "
                f"got {got[at]:.10g} where the columns give {expected[at]:.10g} ({where})"
            )


def _kind(answer: Any) -> str:
    if isinstance(answer, np.ndarray):
        return f"an array of {answer.dtype}"
    return f"an object of type {type(answer).__name__}"
