"""A loss under a budget on the weighted L1 norm: certificates, and Newton's method on a known support."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riata._arguments import Options
from riata._cox_loss import CoxLoss
from riata._design import DesignView
from riata._losses import LossOfRows, TotalLoss, loss_of
from riata._survival import SurvivalTarget
from riata._validation import Float, threads_for

SHIFTED = ("gaussian", "huber")
CONSTANT = 1e-9  # spread of a column, relative to its mean, below which it is left out (as the core does)
LARGEST_GATHER = 2**26  # numbers: columns of a support beyond that are not copied
NEWTON_STEPS = 50
LARGEST_PREDICTOR = 700.0  # about the intercept; a step of Newton's beyond is lost
ROUNDING = 1e-14  # of a loss, relative to that of the intercept's level
TINY = float(np.finfo(np.float64).tiny)
ORTHOGONAL = 1e-15  # what is left of z'u, relative to the sum of its absolute terms
SETTLED = 1e-10  # relative size of a step of a method that doubles its digits


@dataclass(frozen=True, slots=True)
class Candidate:
    """Coefficients within the budget, and the price (Lagrange multiplier) they were found at."""

    coef: Float
    intercept: float
    alpha: float


@dataclass(frozen=True, slots=True)
class Certified:
    """A candidate, its intercept and free coefficients settled, between its loss and a lower bound."""

    point: Candidate
    primal: float
    dual: float
    gap: float


class BudgetProblem:
    """min F(eta) subject to Σ_j cost_j |b_j| <= radius, everything evaluated in double from the data.

    F is the weighted mean of the loss and eta = offset + b0 + X b. `cost` is the penalty factor times the
    scale that the norm is measured on; features whose cost is zero are free, those with an infinite penalty
    factor or a constant column are left out. Gaps are relative to `unit`.
    """

    def __init__(
        self,
        design: DesignView,
        y: Float | SurvivalTarget,
        weights: Float,
        offset: Float | None,
        penalty_factor: Float | None,
        options: Options,
        unit: float,
    ) -> None:
        fit_intercept, standardize = options.fit_intercept, options.standardize
        self.design, self.fit_intercept = design, fit_intercept
        self.rows = np.flatnonzero(weights > 0.0)
        self.omega = weights[self.rows] / weights.sum()
        self.offset = np.zeros(len(self.rows)) if offset is None else offset[self.rows]
        self.level = 0.0
        self.loss: TotalLoss
        if isinstance(y, SurvivalTarget):
            self.loss = CoxLoss(y, self.rows, weights)
        else:
            y = y[self.rows]
            if options.loss in SHIFTED:  # only y - offset counts, which is taken about its middle
                y, self.offset = y - self.offset, np.zeros(len(self.rows))
                self.level = float(np.median(y)) if fit_intercept else 0.0
            self.loss = LossOfRows(loss_of(options.loss, y - self.level, options.huber_delta), self.omega)
        work = float(design.core.shape[0]) * design.n_features
        self.n_threads = threads_for(options.n_threads, work)
        factor = np.ones(design.n_features) if penalty_factor is None else penalty_factor
        spread = design.spread(weights / weights.sum())[:, None]
        mean, variance = (part[:, 0] for part in design.core.moments(spread, self.n_threads))
        deviation = np.sqrt(np.maximum(variance, 0.0))
        constant = (deviation <= CONSTANT * np.abs(mean)) | (deviation == 0.0)
        if not (fit_intercept or standardize):
            constant = (deviation == 0.0) & (mean == 0.0)
        self.usable = np.isfinite(factor) & ~constant
        self.mean = mean if fit_intercept else np.zeros_like(mean)
        scale = np.where(constant, 1.0, deviation) if standardize else np.ones_like(mean)
        self.cost = np.where(self.usable, np.where(self.usable, factor, 0.0) * scale, 0.0)
        self.free = np.flatnonzero(self.usable & (self.cost == 0.0))
        self.priced = np.flatnonzero(self.cost > 0.0)
        self.free_columns = self._columns(self.free)
        self.free_sizes = np.sqrt(self.omega @ self.free_columns**2)
        self.unit = max(unit, ROUNDING * self.loss.value(self.offset))  # no less than what is lost in sums

    def norm(self, coef: Float) -> float:
        """What the budget bounds, Σ_j cost_j |b_j|."""
        return float(self.cost @ np.abs(coef))

    def dual(self, eta: Float, radius: float) -> float:
        """D_t(u) = -F*(-u) - offset'u - radius max_j |x_j'u| / cost_j at u = -F'(eta): below the minimum.

        Z'u has to be 0, Z the columns of the intercept and of free features; what rounding leaves of it at
        eta is taken out.
        """
        u, bound = self.loss.certificate(eta, self.free_columns / self.free_sizes, self.offset)
        return bound - radius * self.price(u)

    def price(self, u: Float) -> float:
        """max_j |x_j'u| / cost_j over the features under the budget."""
        spread = np.zeros(self.design.n_samples)
        spread[self.rows] = u
        side = np.asfortranarray(self.design.spread(spread)[:, None])
        pull = self.design.core.correlate(side, n_threads=self.n_threads)[:, 0] - self.mean * u.sum()
        return float(np.max(np.abs(pull[self.priced]) / self.cost[self.priced], initial=0.0))

    def certify(self, candidate: Candidate, radius: float) -> Certified:
        """Settle the intercept and free coefficients exactly, then bound the distance to the minimum."""
        coef = candidate.coef
        norm = self.norm(coef)
        if norm > radius:  # by rounding
            coef = np.where(self.cost > 0.0, coef * (radius / norm), coef)
        support = np.flatnonzero(coef)
        eta = self.design.multiply(support, coef[support][:, None], self.n_threads)[self.rows, 0]
        eta += self.offset + (candidate.intercept - self.level)
        shift, eta = self._settle(eta)
        moves = np.zeros_like(coef)
        moves[self.free] = shift[1:] if self.fit_intercept else shift
        coef, intercept = coef + moves, 0.0
        if self.fit_intercept:
            intercept = candidate.intercept + float(shift[0] - self.mean @ moves)
        primal, dual = self.loss.value(eta), self.dual(eta, radius)
        gap = (primal - dual) / self.unit if self.unit > 0.0 else primal - dual
        return Certified(Candidate(coef, intercept, candidate.alpha), primal, dual, gap)

    def newton(self, start: Candidate, radius: float | None) -> Candidate | None:
        """Solve on the support and signs of `start`: the budget spent exactly, or with None without one.

        With v the costs times the signs, H = Z'diag(F'')Z and g = Z'u over intercept, free and active
        columns, a step goes to theta + H⁻¹g - alpha H⁻¹v, where alpha is what makes v'theta = radius. For
        squares one step is exact. None when H is singular, a sign changes, alpha turns negative, or the steps
        do not settle.
        """
        import scipy.linalg

        active = self.priced[start.coef[self.priced] != 0.0]
        if len(active) == 0 or len(self.rows) * (len(active) + len(self.free) + 1) > LARGEST_GATHER:
            return None
        Z = np.column_stack([self.free_columns, self._columns(active, with_intercept=False)])
        theta = np.concatenate([start.coef[self.free], start.coef[active]])
        if self.fit_intercept:
            theta = np.concatenate([[start.intercept - self.level + self.mean @ start.coef], theta])
        first = len(theta) - len(active)
        signs = np.sign(start.coef[active])
        v = np.concatenate([np.zeros(first), signs * self.cost[active]])
        alpha = 0.0
        for _ in range(NEWTON_STEPS):
            eta = self.offset + Z @ theta
            if not np.max(np.abs(eta)) < LARGEST_PREDICTOR:
                return None
            H, g = self.loss.hessian(eta, Z), Z.T @ self.loss.slope(eta)
            size = np.sqrt(np.maximum(H.diagonal(), 0.0))
            if np.any(size == 0.0):
                return None
            try:
                factor = scipy.linalg.cho_factor(H / np.outer(size, size))
            except scipy.linalg.LinAlgError:
                return None
            move = scipy.linalg.cho_solve(factor, g / size) / size
            if radius is not None:
                along = scipy.linalg.cho_solve(factor, v / size) / size
                alpha = float((v @ (theta + move) - radius) / (v @ along))
                move -= alpha * along
            theta = theta + move
            if np.max(np.abs(move) * size, initial=0.0) <= SETTLED * np.max(
                np.abs(theta) * size, initial=0.0
            ):
                break
        else:
            return None
        if alpha < 0.0 or np.any(theta[first:] * signs < 0.0):
            return None
        coef = np.zeros(self.design.n_features)
        coef[self.free], coef[active] = theta[first - len(self.free) : first], theta[first:]
        intercept = float(theta[0] + self.level - self.mean @ coef) if self.fit_intercept else 0.0
        return Candidate(coef, intercept, alpha)

    def _columns(self, features: NDArray[np.intp], *, with_intercept: bool = True) -> Float:
        """Columns of X in double, for rows of positive weight: centred, and after that of an intercept."""
        columns = self.design.core.gather(features.astype(np.int64), self.n_threads)
        columns = self.design.collect(columns)[self.rows] - self.mean[features]
        if with_intercept and self.fit_intercept:
            columns = np.column_stack([np.ones(len(self.rows)), columns])
        return columns

    def _settle(self, eta: Float) -> tuple[Float, Float]:
        """Minimise F over the intercept and the free coefficients: their change, and the new eta.

        Newton's method, with a thousandth of the mean curvature added where there may be none, and the length
        of a step where F is least along it.
        """
        Z = self.free_columns / self.free_sizes
        total, last = np.zeros(Z.shape[1]), np.inf
        for _ in range(NEWTON_STEPS if Z.shape[1] else 0):
            u = self.loss.slope(eta)
            fall = Z.T @ u
            left = float(np.max(np.abs(fall) / np.maximum(np.abs(Z).T @ np.abs(u), TINY)))
            if left <= ORTHOGONAL or 0.5 * last < left < 1e3 * ORTHOGONAL:  # all, or all but rounding
                break
            last = left
            H = self.loss.hessian(eta, Z)
            H += (1e-3 * H.trace() / len(H) or 1.0) * np.eye(len(H))
            move = np.linalg.solve(H, fall)
            length = self._least_along(eta, Z @ move)
            total, eta = total + length * move, eta + length * (Z @ move)
        return total / self.free_sizes, eta

    def _least_along(self, eta: Float, direction: Float) -> float:
        """The length of a step of descent at which F is least; 1 where that is near enough."""
        import scipy.optimize

        def fall(length: float) -> float:
            return float(direction @ self.loss.slope(eta + length * direction))

        reach, start = 1.0, fall(0.0)
        if abs(fall(reach)) <= 0.1 * start:
            return reach
        while fall(reach) > 0.0 and reach < 2.0**30:
            reach *= 2.0
        if not fall(reach) < 0.0 < start:
            return reach
        return float(scipy.optimize.brentq(fall, 0.0, reach, rtol=1e-14))
