"""Missing values of a table at the mean of the samples that each fit trains on.

A design holds one number per cell, but what a missing cell stands at differs from fold to fold. So every
sample with a missing cell has a row for each problem, and weight in that of its own problem alone: all
problems still share every pass, and each is exactly the fit of its own filled-in table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riata import _core

if TYPE_CHECKING:
    from riata._input.design import DesignView

Float = NDArray[np.float64]
Rows = NDArray[np.int64]

_BLOCK = 256  # columns worked on together


@dataclass(frozen=True, slots=True)
class Gaps:
    """The missing cells of a table: a row and a column for each."""

    rows: Rows
    columns: Rows

    def __len__(self) -> int:
        return len(self.rows)


def fill_gaps(X: NDArray[Any], values: Float | None = None) -> tuple[Float, Gaps]:
    """Copy a table with `values`, (p,), or else the means of its columns, in the place of NaN."""
    out = np.array(X, dtype=np.float64, order="F")
    rows, columns = [], []
    for j in range(out.shape[1]):
        missing = np.flatnonzero(np.isnan(out[:, j]))
        if len(missing) == 0:
            continue
        rows.append(missing)
        columns.append(np.full(len(missing), j))
        if values is not None:
            out[missing, j] = values[j]
        else:
            known = len(out) - len(missing)
            out[missing, j] = np.delete(out[:, j], missing).sum() / known if known else 0.0
    none = np.empty(0, dtype=np.int64)
    return out, Gaps(np.concatenate([none, *rows]), np.concatenate([none, *columns]))


@dataclass(slots=True)
class LaidOut:
    """What the core is given for the weights of some problems: a design, and how samples are its rows."""

    core: _core.Design
    design: DesignView
    weights: Float

    def spread(self, values: Float) -> Float:
        """Values per sample to values per row."""
        return self.design.spread(values)

    def predictors(self, problem: int, kept: Any) -> Any:
        """Linear predictors of rows of weight zero, as of a problem to the design itself."""
        return kept

    def every_row(self, problem: int, told: Any) -> Any:
        """Values a row to values a sample, as a problem has them."""
        return told if self.design.rows is None else told[self.design.rows]

    def settle(self, fits: list[dict[str, Any]]) -> None:
        """Make results of the core those of fits to the design itself."""


def lay_out(design: DesignView, weights: Float) -> LaidOut:
    """Lay a design out for problems, each a column of `weights`, (n, F)."""
    if design.gaps is None or len(design.gaps) == 0:
        return LaidOut(design.core, design, np.asfortranarray(design.spread(weights)))
    return _Filled(design, design.gaps, weights)


class _Filled(LaidOut):
    """Rows for the first problem, then those of samples with gaps for each of the others."""

    def __init__(self, design: DesignView, gaps: Gaps, weights: Float) -> None:
        n, n_problems = weights.shape
        self.columns, where = np.unique(gaps.columns, return_inverse=True)
        incomplete, at = np.unique(gaps.rows, return_inverse=True)
        self.means = _means(design, gaps, weights, self.columns, where)
        self.samples = np.concatenate([np.arange(n), np.tile(incomplete, n_problems - 1)])
        rows = np.tile(np.arange(n), (n_problems, 1))
        for k in range(1, n_problems):
            rows[k, incomplete] = n + (k - 1) * len(incomplete) + np.arange(len(incomplete))
        laid = np.zeros((len(self.samples), n_problems), order="F")
        for k in range(n_problems):
            laid[rows[k], k] = weights[:, k]
        X = np.empty((len(self.samples), design.n_features), order="F")
        for start in range(0, design.n_features, _BLOCK):
            block = np.arange(start, min(start + _BLOCK, design.n_features))
            X[:, block] = design.gather(block)[self.samples]
        X[gaps.rows, gaps.columns] = self.means[0, where]
        for k in range(1, n_problems):
            X[n + (k - 1) * len(incomplete) + at, gaps.columns] = self.means[k, where]
        super().__init__(_core.dense_design(X), design, laid)
        self._kept_weights, self._rows = weights, rows

    def spread(self, values: Float) -> Float:
        return np.asfortranarray(values[self.samples])

    def predictors(self, problem: int, kept: Any) -> Any:
        held = np.flatnonzero(self.weights[:, problem] == 0.0)
        mine = self._rows[problem, self._kept_weights[:, problem] == 0.0]
        return np.asfortranarray(np.asarray(kept)[np.searchsorted(held, mine)])

    def every_row(self, problem: int, told: Any) -> Any:
        return told[self._rows[problem]]

    def settle(self, fits: list[dict[str, Any]]) -> None:
        for k, fit in enumerate(fits):
            if fit["linear_predictor"] is not None:
                fit["linear_predictor"] = self.predictors(k, fit["linear_predictor"])
            fit["gap_means"] = self.columns, self.means[k]


def _means(design: DesignView, gaps: Gaps, weights: Float, columns: Rows, where: Rows) -> Float:
    """Means of columns over what each problem sees of them, (F, columns); 0 where it sees nothing."""
    import scipy.sparse

    total = np.empty((weights.shape[1], len(columns)))
    for start in range(0, len(columns), _BLOCK):
        here = slice(start, start + _BLOCK)
        block = np.array(design.gather(columns[here]))
        inside = (where >= start) & (where < start + _BLOCK)
        block[gaps.rows[inside], where[inside] - start] = 0.0
        total[:, here] = weights.T @ block
    cells = (np.ones(len(gaps)), (gaps.rows, where))
    mask = scipy.sparse.csc_array(cells, shape=(len(weights), len(columns)))
    seen = weights.sum(axis=0)[:, None] - (mask.T @ weights).T
    seen[seen < 1e-12 * weights.sum(axis=0)[:, None]] = np.inf
    return np.asarray(total / seen)


def fitted_values(design: DesignView, fit: dict[str, Any], weights: Float) -> Float | None:
    """What a missing value of each column stands at in a fit and in what it predicts; None without gaps."""
    if design.gaps is None:
        return None
    share = np.asfortranarray((weights / weights.sum())[:, None])
    out = design.core.correlate(np.asfortranarray(design.spread(share)))[:, 0]
    if "gap_means" in fit:
        columns, means = fit["gap_means"]
        out[columns] = means
    return np.asarray(out)


def of_gaps(design: DesignView, fit: dict[str, Any], wide: Any) -> Float:
    """What linear predictors X @ `wide` of the design lack where gaps stand at the means of a fit."""
    if design.gaps is None or "gap_means" not in fit:
        return np.zeros((design.n_samples, wide.shape[1]))
    import scipy.sparse

    columns, means = fit["gap_means"]
    gaps = design.gaps
    there = np.empty(len(gaps))
    for start in range(0, len(columns), _BLOCK):
        block = design.gather(columns[start : start + _BLOCK])
        place = np.searchsorted(columns, gaps.columns)
        inside = (place >= start) & (place < start + _BLOCK)
        there[inside] = block[gaps.rows[inside], place[inside] - start]
    shift = means[np.searchsorted(columns, gaps.columns)] - there
    cells = scipy.sparse.csr_array(
        (shift, (gaps.rows, gaps.columns)), shape=(design.n_samples, design.n_features)
    )
    return np.asarray((cells @ wide).toarray())
