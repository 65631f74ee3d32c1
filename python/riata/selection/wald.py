"""Wald tests of coefficients in fits without a penalty, one p-value for each group of columns."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from riata._input.survival import SurvivalTarget
from riata._input.validation import Float
from riata.losses import Loss
from riata.path.arguments import Options
from riata.path.given import Problem
from riata.path.refits import fit_columns
from riata.selection.information import cox_information, multinomial_fit

DEPENDENT = 1e-12  # share of the largest eigenvalue below which columns depend on each other
INVOLVED = 1e-6  # weight of a column in such a dependence from which it is part of it


def wald_p_values(
    problem: Problem, options: Options, values: Float, weights: Float, place: NDArray[np.intp], count: int
) -> Float:
    """Test that all coefficients of a group of columns are zero, beside all other columns.

    F tests for squares (of several responses Wilks' lambda with Rao's F), chi-squared tests otherwise, with
    the Fisher information at the estimate.

    Parameters
    ----------
    problem, options
        The response, what stands beside it, the loss.
    values : ndarray of shape (n, k)
        The columns.
    weights : ndarray of shape (n,)
        Zero for samples that take no part.
    place : ndarray of int, shape (k,)
        The group of each column, from 0 to `count` - 1; -1 for columns that are not tested.
    count : int

    Returns
    -------
    ndarray of shape (count,)
        1 for groups with a column that is a combination of others, where there is no finite fit, and for a
        response of squares that is constant.
    """
    rows = np.flatnonzero(weights > 0.0)
    loss, w = options.loss, weights[rows] * (len(rows) / weights[rows].sum())  # whose unit is of no account
    y = _rows_of(problem.target, rows)
    offset = None if problem.offset is None else problem.offset[rows]
    share = w / w.sum()
    if loss.squares and _constant(np.asarray(y), share):
        return np.ones(count)
    columns = values[rows]
    columns = columns - share @ columns if options.fit_intercept or loss.has_times else columns
    size = np.sqrt(share @ columns**2)
    flat = size <= 1e-12 * np.abs(values[rows]).max(axis=0, initial=0.0)
    columns = columns / np.where(flat, 1.0, size)
    eigen = np.linalg.eigh(columns.T @ (share[:, None] * columns))
    spoilt = flat | _dependent(*eigen)
    out = np.ones(count)
    if spoilt.all():
        return out
    tests: _Tests
    if loss.squares:
        tests = _squares(columns, share, np.asarray(y), offset, options.fit_intercept, len(rows), *eigen)
    else:
        used = ~spoilt | _spanning(columns, spoilt)
        found = _likelihood(loss, columns[:, used], w, y, offset, options.fit_intercept)
        if found is None:
            return out
        tests = _Widened(found, used)
    for group in range(count):
        mine = np.flatnonzero(place == group)
        if len(mine) and not spoilt[mine].any():
            out[group] = tests.p_value(mine)
    return out


def _constant(y: Float, share: Float) -> bool:
    """Whether a response is the same for all samples but for rounding: there is nothing to test."""
    wide = y.reshape(len(y), -1)
    return bool(np.all(share @ (wide - share @ wide) ** 2 <= 1e-24 * np.abs(wide).max(axis=0) ** 2))


class _Tests(Protocol):
    def p_value(self, mine: NDArray[np.intp]) -> float:
        """Test that all coefficients of some columns are zero."""


def _rows_of(target: Any, rows: NDArray[np.int64]) -> Any:
    if not isinstance(target, SurvivalTarget):
        return target[rows]
    return replace(
        target,
        time=target.time[rows],
        event=target.event[rows],
        start=None if target.start is None else target.start[rows],
        strata=None if target.strata is None else target.strata[rows],
    )


def _dependent(values: Float, vectors: Float) -> NDArray[np.bool_]:
    """Which columns take part in a combination of columns that is zero, by the eigenvectors of their Gram."""
    null = values <= DEPENDENT * values[-1]
    return np.asarray((np.abs(vectors[:, null]) > INVOLVED).any(axis=1))


def _spanning(columns: Float, spoilt: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Choose columns among those `spoilt` that span the same space and do not depend on each other."""
    from scipy.linalg import qr

    out = np.zeros(len(spoilt), dtype=np.bool_)
    if spoilt.any():
        _, triangle, order = qr(columns[:, spoilt], mode="economic", pivoting=True)
        size = np.abs(np.diag(triangle))
        rank = int(np.count_nonzero(size > math.sqrt(DEPENDENT) * max(size[0], 1e-300)))
        out[np.flatnonzero(spoilt)[order[:rank]]] = True
    return out


class _Squares:
    """F tests of least squares, for one response or several."""

    def __init__(self, coefs: Float, inverse: Float, errors: Float, freedom: int) -> None:
        self.coefs, self.inverse, self.errors, self.freedom = coefs, inverse, errors, freedom

    def p_value(self, mine: NDArray[np.intp]) -> float:
        from scipy.special import fdtrc

        h, k = len(mine), self.coefs.shape[1]
        b = self.coefs[mine]
        explained = b.T @ np.linalg.solve(self.inverse[np.ix_(mine, mine)], b)
        if k == 1:
            left = float(self.errors[0, 0])
            if left <= 0.0:
                return 0.0 if explained[0, 0] > 0.0 else 1.0
            return float(fdtrc(h, self.freedom, float(explained[0, 0]) / h / (left / self.freedom)))
        logs = np.linalg.slogdet(self.errors)[1] - np.linalg.slogdet(self.errors + explained)[1]
        s = math.sqrt((k * k * h * h - 4.0) / (k * k + h * h - 5.0)) if k * k + h * h > 5 else 1.0
        second = (self.freedom - (k - h + 1.0) / 2.0) * s - k * h / 2.0 + 1.0
        if second <= 0.0:
            return 1.0
        root = math.exp(logs / s)
        return float(fdtrc(k * h, second, (1.0 - root) / root * second / (k * h)))


def _squares(
    columns: Float, share: Float, y: Float, offset: Float | None, intercept: bool, n: int,
    values: Float, vectors: Float,
) -> _Squares:  # fmt: skip
    """Weighted least squares by the eigenvectors of the Gram matrix: of least norm where columns depend."""
    target = y.reshape(len(y), -1) - (0.0 if offset is None else offset.reshape(len(y), -1))
    target = target - share @ target if intercept else target
    kept = values > DEPENDENT * values[-1]
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    coefs = np.zeros((columns.shape[1], target.shape[1]))
    for _ in range(2):  # the second takes off the rounding of the first
        coefs = coefs + inverse @ (columns.T @ (share[:, None] * (target - columns @ coefs)))
    residual = np.sqrt(share)[:, None] * (target - columns @ coefs)
    return _Squares(coefs, inverse, residual.T @ residual, n - int(kept.sum()) - int(intercept))


class _Normal:
    """Chi-squared tests of estimates with a covariance; `outputs` coefficients a column, side by side."""

    def __init__(self, coefs: Float, covariance: Float, outputs: int = 1) -> None:
        self.coefs, self.covariance, self.outputs = coefs, covariance, outputs

    def p_value(self, mine: NDArray[np.intp]) -> float:
        from scipy.special import chdtrc

        at = (mine[:, None] * self.outputs + np.arange(self.outputs)).ravel()
        b = self.coefs[at]
        statistic = float(b @ np.linalg.solve(self.covariance[np.ix_(at, at)], b))
        return float(chdtrc(len(at), max(statistic, 0.0)))


class _Widened:
    """Tests that know only some columns, asked by the numbers of all."""

    def __init__(self, tests: _Normal, usable: NDArray[np.bool_]) -> None:
        self.tests, self.place = tests, np.cumsum(usable) - 1

    def p_value(self, mine: NDArray[np.intp]) -> float:
        return self.tests.p_value(self.place[mine])


def _likelihood(
    loss: Loss, columns: Float, weights: Float, y: Any, offset: Float | None, intercept: bool
) -> _Normal | None:
    """Maximum likelihood with its Fisher information; None where there is no finite estimate."""
    k = columns.shape[1]
    if loss.several_outputs:
        found = multinomial_fit(columns, weights, np.asarray(y), offset)
        return None if found is None else _Normal(found[0], found[1], y.shape[1] - 1)
    fitted = fit_columns(loss, intercept, columns, y, weights, offset)
    if fitted is None:
        return None
    coef, level = fitted
    eta = columns @ coef + level + (0.0 if offset is None else offset)
    if isinstance(y, SurvivalTarget):
        information = cox_information(y, eta, weights, columns)
    else:
        mean = loss.mean(eta)
        bend = mean * (1.0 - mean) if loss.has_classes else mean
        wide = np.column_stack([columns, np.ones(len(columns))]) if intercept else columns
        information = wide.T @ ((weights * bend)[:, None] * wide)
    try:
        covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    covariance = covariance[:k, :k]
    return _Normal(coef, covariance) if np.all(np.diag(covariance) > 0.0) else None
