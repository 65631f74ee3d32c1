"""Ridge regression with more features than samples, in the space of samples: exact, with one pass over X."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from riata._input.design import DesignView, check_finite_result
from riata._input.validation import Float, threads_for
from riata.path.arguments import Options
from riata.path.folds import Rows, Split

BLOCK = 1024  # columns gathered at a time


@dataclass(frozen=True, slots=True)
class Moments:
    """Weighted mean and mean square about it, or about 0 without an intercept; the penalty's scale."""

    mean: Float
    square: Float
    scale: Float


@dataclass(frozen=True, slots=True)
class _Solution:
    """By eigenvectors of the kernel: dual variables at alpha are `vectors @ (pull / (values + alpha))`."""

    rows: Rows
    root: Float
    free: Float
    values: Float
    vectors: Float
    pull: Float

    def dual(self, alpha: float) -> Float:
        """q, one number per row, with coefficients Z'q of the penalised columns Z."""
        return np.asarray(self.root * (self.vectors @ (self.pull / (self.values + alpha))))


class KernelRidge:
    """Ridge fits to the samples of positive weight: minimises, for columns x_j and penalty factors v_j > 0,

        1/2 Σ_i ω_i (y_i - b0 - x_i·b)² + alpha/2 Σ_j v_j (s_j b_j)²,    ω = w / Σw,

    by the eigenvalues of an n x n kernel (Hastie & Tibshirani 2004, Biostatistics 5): n² p + n³ operations
    and 8 n² bytes, however many alphas. Unpenalised features are projected out.
    """

    def __init__(
        self,
        design: DesignView,
        y: Float,
        weights: Float,
        factor: Float | None,
        moments: Moments,
        options: Options,
    ) -> None:
        self.design, self.options, self.moments = design, options, moments
        factor = np.ones(design.n_features) if factor is None else factor
        varies = moments.square > 0.0
        self.used = np.flatnonzero(varies & (factor > 0.0) & np.isfinite(factor)).astype(np.int64)
        self.unpenalised = np.flatnonzero(varies & (factor == 0.0)).astype(np.int64)
        self.cost = (factor * moments.scale**2)[self.used]
        self.rows = np.flatnonzero(weights > 0.0)
        self.y, self.weights = y[self.rows], weights[self.rows]
        threads = threads_for(options.n_threads, float(design.core.shape[0]) * design.n_features)
        self.free = self._columns(self.unpenalised, threads)
        self.kernel = np.zeros((len(self.rows), len(self.rows)))
        for start in range(0, len(self.used), BLOCK):
            here = slice(start, start + BLOCK)
            block = self._columns(self.used[here], threads) / np.sqrt(self.cost[here])
            self.kernel += block @ block.T
        self.threads = threads

    def choose(self, alphas: Float, splits: list[Split]) -> float:
        """The first of the alphas with the smallest mean over folds of the mean squared error."""
        errors = np.empty((len(alphas), len(splits)))
        place = np.full(self.design.n_samples, -1)
        place[self.rows] = np.arange(len(self.rows))
        for k, (train, test) in enumerate(splits):
            weights = np.zeros(len(self.rows))
            train, test = (rows[rows >= 0] for rows in (place[train], place[test]))
            np.add.at(weights, train, self.weights[train])
            solution = self._solve(weights)
            for i, alpha in enumerate(alphas):
                q = solution.dual(alpha)
                level = self._free_part(solution, q, alpha)
                fitted = self.kernel[np.ix_(test, solution.rows)] @ q + self._free_columns(test) @ level
                errors[i, k] = np.average((self.y[test] - fitted) ** 2, weights=self.weights[test])
        return float(alphas[np.argmin(errors.mean(axis=1))])

    def coef(self, alpha: float) -> Float:
        """Coefficients on the original scale, (p,)."""
        solution = self._solve(self.weights)
        q = solution.dual(alpha)
        side = np.zeros(self.design.n_samples)
        side[self.rows[solution.rows]] = q
        right = np.asfortranarray(self.design.spread(side)[:, None])
        pull = self.design.core.correlate(right, self.used, self.threads)[:, 0]
        coef = np.zeros(self.design.n_features)
        coef[self.used] = (pull - self.moments.mean[self.used] * q.sum()) / self.cost
        coef[self.unpenalised] = self._free_part(solution, q, alpha)[: len(self.unpenalised)]
        return coef

    def _columns(self, features: Rows, threads: int) -> Float:
        """Columns of X for the samples that count, less their means."""
        values = self.design.gather(features, threads)[self.rows]
        check_finite_result(values)
        return values - self.moments.mean[features]

    def _free_columns(self, rows: Rows) -> Float:
        """What is not penalised: features, and the intercept."""
        free = self.free[rows]
        return np.column_stack([free, np.ones(len(rows))]) if self.options.fit_intercept else free

    def _solve(self, weights: Float) -> _Solution:
        rows = np.flatnonzero(weights > 0.0)
        root = np.sqrt(weights[rows] / weights.sum())
        free = root[:, None] * self._free_columns(rows)
        basis = scipy.linalg.orth(free) if free.shape[1] else np.zeros((len(rows), 0))
        kernel = root[:, None] * self.kernel[np.ix_(rows, rows)] * root
        kernel -= basis @ (basis.T @ kernel)
        kernel -= (kernel @ basis) @ basis.T
        target = root * self.y[rows]
        values, vectors = scipy.linalg.eigh(kernel)
        return _Solution(
            rows,
            root,
            free,
            np.maximum(values, 0.0),
            vectors,
            vectors.T @ (target - basis @ (basis.T @ target)),
        )

    def _free_part(self, solution: _Solution, q: Float, alpha: float) -> Float:
        """Coefficients of `_free_columns`: of y less the residual and what the others explain."""
        if solution.free.shape[1] == 0:
            return np.zeros(0)
        fitted = self.kernel[np.ix_(solution.rows, solution.rows)] @ q
        left = solution.root * (self.y[solution.rows] - fitted) - alpha * (q / solution.root)
        return np.asarray(np.linalg.lstsq(solution.free, left, rcond=None)[0])
