"""Fits without a penalty on the supports of a path: what the penalty shrank, fitted again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_solve

from riata._input.design import DesignView, check_finite_result, view
from riata._input.survival import SurvivalTarget
from riata._input.validation import Float, threads_for
from riata.losses import Loss
from riata.path.arguments import LASSO, Features, Options
from riata.path.fit import solve
from riata.path.result import RegularizationPath

DEPENDENT = (
    1e-10  # share of a column's variance that others leave unexplained, below which singular values decide
)
REFINEMENTS = 2  # steps; each takes off all but cond(X)^2 1e-16 of the error
NEWTON_STEPS = 100  # many more than a finite optimum takes
FLAT = 1e-8  # curvature of a likelihood below which its optimum is at infinity


@dataclass(frozen=True, slots=True)
class Gathered:
    """Columns of X held in memory: `values` (n, u) are X[:, features], `features` increasing."""

    features: NDArray[np.int64]
    values: Float


@dataclass(frozen=True, slots=True)
class Refits:
    """One fit per alpha; where `exists` is False the coefficients are zero and the intercept is NaN."""

    coefs: Any
    intercepts: Float
    exists: NDArray[np.bool_]


def gather_supports(design: DesignView, coefs: list[Any], n_threads: int) -> Gathered:
    """Gather every column with a nonzero coefficient in one of the matrices (p, L)."""
    features = np.unique(np.concatenate([np.asarray(each.indices) for each in coefs])).astype(np.int64)
    threads = threads_for(n_threads, float(design.n_samples) * len(features))
    values = design.gather(features, threads)
    check_finite_result(values)
    return Gathered(features, values)


def refit_supports(
    path: RegularizationPath,
    gathered: Gathered,
    y: Float | SurvivalTarget,
    weights: Float,
    offset: Float | None,
) -> Refits:
    """Fit the loss of `path` without a penalty on each support of it.

    A refit exists where samples of positive weight outnumber coefficients and intercept and the optimum is
    finite. Among the minimisers on linearly dependent columns it is the one of the least norm on columns of
    unit standard deviation. Supports that come back are fitted once.
    """
    fitter = _Fitter(path, gathered, y, weights, offset)
    found: dict[bytes, tuple[Float, float] | None] = {}
    intercepts = np.full(len(path), np.nan)
    columns, values, ends = [], [], [0]
    for i in range(len(path)):
        one = path.coefs[:, [i]]
        support = np.sort(one.indices[one.data != 0.0])
        if len(support) == 0:
            intercepts[i] = path.intercepts[i]  # nothing was shrunk
        else:
            key = support.tobytes()
            if key not in found:
                found[key] = fitter.fit(np.searchsorted(gathered.features, support))
            refit = found[key]
            if refit is not None:
                columns.append(support)
                values.append(refit[0])
                intercepts[i] = refit[1]
        ends.append(sum(map(len, columns)))
    parts = [np.concatenate(part) if part else np.empty(0) for part in (values, columns)]
    coefs = sp.csc_array((parts[0], parts[1].astype(np.int64), ends), shape=path.coefs.shape)
    return Refits(coefs, intercepts, np.isfinite(intercepts))


@dataclass(frozen=True, slots=True)
class Model:
    """What a fit without a penalty needs to know of a path."""

    loss_function: Loss
    fit_intercept: bool


def fit_columns(
    loss: Loss,
    fit_intercept: bool,
    columns: Float,
    y: Float | SurvivalTarget,
    weights: Float,
    offset: Float | None,
) -> tuple[Float, float] | None:
    """Fit a loss of one output without a penalty to all columns: coefficients and intercept.

    None where samples are too few or there is no finite optimum.
    """
    every = np.arange(columns.shape[1])
    return _Fitter(Model(loss, fit_intercept), Gathered(every, columns), y, weights, offset).fit(every)


class _Fitter:
    """Fits on subsets of the gathered columns, which are centred and scaled once."""

    def __init__(
        self,
        path: RegularizationPath | Model,
        gathered: Gathered,
        y: Float | SurvivalTarget,
        weights: Float,
        offset: Float | None,
    ) -> None:
        self.path, self.y, self.weights, self.offset = path, y, weights, offset
        self.share = weights / weights.sum()
        self.loss = path.loss_function
        centred = path.fit_intercept or not self.loss.has_intercept
        self.mean = self.share @ gathered.values if centred else np.zeros(len(gathered.features))
        self.columns = gathered.values - self.mean
        size = np.sqrt(self.share @ self.columns**2)
        self.size = np.where(size > 0.0, size, 1.0)
        self.columns /= self.size
        self.room = int(np.count_nonzero(weights)) - path.fit_intercept
        if self.loss.least_squares:
            target = np.asarray(y) if offset is None else np.asarray(y) - offset
            self.level = float(self.share @ target) if path.fit_intercept else 0.0
            self.target = target - self.level
            self.gram = self.columns.T @ (self.share[:, None] * self.columns)

    def fit(self, chosen: NDArray[np.intp]) -> tuple[Float, float] | None:
        """Coefficients of the chosen columns and the intercept, or None."""
        if len(chosen) >= self.room:
            return None
        columns = self.columns[:, chosen]
        if self.loss.least_squares:
            found = (self._least_squares(columns, self.gram[np.ix_(chosen, chosen)]), self.level)
        else:
            other = self._likelihood(columns)
            if other is None:
                return None
            found = other
        coef = found[0] / self.size[chosen]
        moved = self.mean[chosen] @ coef if self.path.fit_intercept else 0.0
        return coef, float(found[1] - moved)

    def _least_squares(self, columns: Float, gram: Float) -> Float:
        """Cholesky on the Gram matrix, refined with residuals (Björck 1987); else by singular values."""
        try:
            factor = np.linalg.cholesky(gram)
        except np.linalg.LinAlgError:
            factor = np.zeros_like(gram)
        if np.diag(factor).min() ** 2 < DEPENDENT:
            basis, to_coef = self._orthonormal(columns)
            return np.asarray(to_coef @ (basis.T @ (self.share * self.target)))
        coef = np.zeros(len(gram))
        for _ in range(1 + REFINEMENTS):
            residual = self.target - columns @ coef
            coef += cho_solve((factor, True), columns.T @ (self.share * residual))
        return coef

    def _likelihood(self, columns: Float) -> tuple[Float, float] | None:
        """Newton's method of the core, on orthonormal columns that span the same."""
        basis, to_coef = self._orthonormal(columns)
        options = _unpenalised(self.path)
        factor = Features(np.zeros(basis.shape[1]))
        design = view(np.asfortranarray(basis))
        fit = solve(design, self.y, self.weights[:, None], self.offset, factor, options, tell=False)[0]
        if fit["exhausted"]:  # there is no finite one
            return None
        coef = np.zeros(basis.shape[1])
        coef[fit["coef_indices"]] = fit["coef_values"]
        intercept = float(fit["intercepts"][0])
        link = basis @ coef + intercept if self.offset is None else basis @ coef + intercept + self.offset
        finite = fit["converged"][0] and not self._flat(columns, basis, link)
        return (to_coef @ coef, intercept) if finite else None

    def _flat(self, columns: Float, basis: Float, link: Float) -> bool:
        """Whether the likelihood hardly changes in some direction, as it does where classes are separated.

        For the Cox loss only directions along a column are looked at.
        """
        y = self.y
        if isinstance(y, SurvivalTarget):
            steps = np.column_stack([columns, -columns, np.zeros(len(columns))])
            values = y.objective(np.asfortranarray(link[:, None] + steps), self.weights) / self.weights.sum()
            second = values[: columns.shape[1]] + values[columns.shape[1] : -1] - 2.0 * values[-1]
            return bool(second.min() < FLAT * (self.share @ y.event))
        curvature = self.loss.curvature(link, y, self.weights)
        if curvature is None:
            return False
        if self.path.fit_intercept:
            basis = np.column_stack([basis, np.ones(len(basis))])
        return bool(np.linalg.eigvalsh(basis.T @ ((self.share * curvature)[:, None] * basis))[0] < FLAT)

    def _orthonormal(self, columns: Float) -> tuple[Float, Float]:
        """(B, T) with B = columns T orthonormal for the weights and T of full rank in the row space."""
        weighted = np.sqrt(self.share)[:, None] * columns
        _, size, right = np.linalg.svd(weighted, full_matrices=False)
        kept = size > size[0] * max(columns.shape) * np.finfo(float).eps
        to_coef = right[kept].T / size[kept]
        return columns @ to_coef, to_coef


def _unpenalised(path: RegularizationPath | Model) -> Options:
    return Options(
        loss=path.loss_function,
        penalty=LASSO,
        l1_ratio=1.0,
        alphas=np.ones(1),
        n_alphas=1,
        eps=0.5,
        fit_intercept=path.fit_intercept,
        standardize=False,
        tol=1e-10,
        max_iter=NEWTON_STEPS,
        solver="auto",
        n_threads=1,
        max_active=-1,
        memory=0.0,
        progress=None,
        stop_early=False,
    )
