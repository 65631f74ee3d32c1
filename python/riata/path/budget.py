"""The alpha at which a path spends a budget for the norm: root finding on certified fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from riata._input.validation import Float
from riata.path.result import RegularizationPath

EXACT = 1e-6  # over tol: what may be left to gain from a narrower bracket
NEAR = 1e-2  # over tol: what may be left to gain from the budget that is not spent
MOST_PATHS = 40
TWO_DECADES = 20  # alphas of a path that goes on further down
LEAD = 3.0  # fits per decade on the way to where a path goes on
LEAST_ALPHA = 1e-12  # over alpha_max
ASIDE = 0.05  # most of a bracket to either side of where its line crosses the radius
LARGEST_FREE = 2000  # features up to which the fit without a budget is looked for by itself
ROUNDING = 1e-14  # of a loss, relative to that of the level of y
EPS = float(np.finfo(np.float64).eps)


class Follow(Protocol):
    """Fits the path on the first grid or at given alphas; `free`, the loss alone."""

    def __call__(self, alphas: Float | None, *, free: bool = False) -> RegularizationPath:
        """Return one path."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A fit: its norm and its loss, and a lower bound of loss + alpha norm whatever the coefficients."""

    coef: Float
    intercept: float
    alpha: float
    norm: float
    loss: float
    dual: float


class BudgetSearch:
    """min F(b) subject to N(b) = Σ_j cost_j |b_j| <= radius, from fits that minimise F(b) + alpha N(b).

    Each of them bounds the minimum from below by dual - alpha radius (the Lagrangian), and is within the
    budget from alphas on where N is low enough. Where N passes the radius between two alphas, the combination
    of both fits with that norm is within the budget, as N is convex, and its loss is at most the combined
    one, as F is: with s the share of the second its gap is at most

        (1 - s) gap_1 + s gap_2 + s (1 - s) (alpha_1 - alpha_2) (N_2 - N_1),

    which vanishes with the square of the bracket.
    """

    def __init__(self, follow: Follow, radius: float, penalty_factor: Float | None, tol: float) -> None:
        self.follow, self.radius = follow, radius
        self.path = path = follow(None)
        factor = np.ones(path.n_features) if penalty_factor is None else penalty_factor
        usable = np.isfinite(factor)
        self.cost = np.where(usable, factor, 0.0) * path.scale
        self.n_usable = int(np.count_nonzero(usable))
        self.unit = max(path.null_objective - path.saturated_objective, ROUNDING * _size_of_loss(path))
        self.exact, self.near = EXACT * tol * self.unit, NEAR * tol * self.unit
        self.bound = path.saturated_objective
        start = next(self._points(path))
        none = np.where(self.cost > 0.0, 0.0, start.coef)
        self.above = replace(start, coef=none, alpha=path.alpha_max, norm=0.0, loss=path.null_objective)
        self.below: Point | None = None
        self.trusted = tol if np.any(path.dual_gaps[1:] <= tol) else np.inf

    def gap(self, point: Point) -> float:
        """Its loss over the best bound."""
        gap = point.loss - self.bound
        return gap / self.unit if self.unit > 0.0 else gap

    def run(self) -> Point:
        """Return the best point within the budget."""
        self._bound_by(self.above)
        if self.radius == 0.0 or self.path.alpha_max == 0.0:
            return self.above
        self._take_all(self.path)
        if self.below is None and self.n_usable < self.path.n_samples:
            self._take_end()
        for _ in range(MOST_PATHS):
            alphas = np.empty(0) if self._settled() else self._next()
            if len(alphas) == 0 or not self._take_all(self.follow(self._led_to(alphas))):
                break
        if self.below is None and not self._settled():
            self._take_end()
        return self._combined()

    def _points(self, path: RegularizationPath) -> Iterator[Point]:
        for k, alpha in enumerate(path.alphas):
            coef = path.coefs[:, [k]].toarray()[:, 0]
            norm = float(self.cost @ np.abs(coef))
            loss = float(path.primal[k]) - float(alpha) * norm
            yield Point(coef, float(path.intercepts[k]), float(alpha), norm, loss, float(path.dual[k]))

    def _bound_by(self, point: Point) -> None:
        """Bound the minimum by the Lagrangian."""
        price = point.alpha * self.radius if point.alpha > 0.0 else 0.0
        self.bound = max(self.bound, point.dual - price)

    def _take_all(self, path: RegularizationPath) -> bool:
        """Take every point of a path; whether the bracket is narrower then."""
        before = self.above, self.below
        for point, gap in zip(self._points(path), path.dual_gaps, strict=True):
            self._bound_by(point)
            if gap <= self.trusted:
                self._take(point)
        return (self.above, self.below) != before

    def _take(self, point: Point) -> None:
        """Narrow the bracket."""
        if self.below is not None and point.alpha <= self.below.alpha:
            return
        if point.norm > self.radius:
            self.below = point
        elif point.alpha < self.above.alpha:
            self.above = point

    def _take_end(self) -> None:
        """The fit without a budget, where it is cheap: the end of the path, at alpha 0."""
        if self.n_usable > LARGEST_FREE:
            return
        path = self.follow(np.ones(1), free=True)
        end = replace(next(self._points(path)), alpha=0.0, loss=float(path.primal[0]))
        perfect = end.norm <= self.radius and end.loss - self.path.saturated_objective <= self.near
        self._bound_by(end)
        if path.converged[0] or perfect:
            self._take(end)

    def _settled(self) -> bool:
        """Whether a narrower bracket, or a smaller alpha, gains nothing to speak of."""
        above, below = self.above, self.below
        if below is None:
            left = above.alpha * (self.radius - above.norm) if above.alpha > 0.0 else 0.0
            return min(left, above.loss - self.path.saturated_objective) <= self.near
        s = self._share()
        return s * (1.0 - s) * (above.alpha - below.alpha) * (below.norm - above.norm) <= self.exact

    def _led_to(self, alphas: Float) -> Float:
        """The same after a few from alpha_max on: far down the path no fit begins well from nothing."""
        ratio = self.path.alpha_max / self.above.alpha
        return np.concatenate(
            [np.geomspace(self.path.alpha_max, self.above.alpha, int(LEAD * np.log10(ratio)) + 1)[1:], alphas]
        )

    def _next(self) -> Float:
        """Alphas about where the norm is expected to be the radius, or further down; none at the end."""
        above, below = self.above, self.below
        if below is None:
            end = max(above.alpha / 100.0, LEAST_ALPHA * self.path.alpha_max)
            if not end < above.alpha:
                return np.empty(0)
            return np.geomspace(above.alpha, end, TWO_DECADES + 1)[1:]
        width = above.alpha - below.alpha
        middle = above.alpha - self._share() * width
        fine = ASIDE * width / above.alpha  # where nothing enters in between, the line is wrong by no more
        near = middle + width * np.array([ASIDE, fine, 0.0, -fine, -ASIDE])
        between = np.array([0.5 * (above.alpha + near[0]), *near, 0.5 * (near[-1] + below.alpha)])
        return np.unique(between[(between < above.alpha) & (between > below.alpha)])[::-1]

    def _share(self) -> float:
        """Share of `below` in the combination that spends the budget."""
        assert self.below is not None
        return (self.radius - self.above.norm) / (self.below.norm - self.above.norm)

    def _combined(self) -> Point:
        above, below = self.above, self.below
        if below is None:
            return above
        s = self._share()
        coef = (1.0 - s) * above.coef + s * below.coef
        while (norm := float(self.cost @ np.abs(coef))) > self.radius:  # by rounding
            coef = np.where(self.cost > 0.0, coef * (self.radius / norm * (1.0 - EPS)), coef)
        return Point(
            coef,
            (1.0 - s) * above.intercept + s * below.intercept,
            (1.0 - s) * above.alpha + s * below.alpha,
            norm,
            (1.0 - s) * above.loss + s * below.loss,
            self.bound,
        )


def _size_of_loss(path: RegularizationPath) -> float:
    """Of what order the loss is, in the unit of y that it has."""
    return path.loss_function.size(path.response_scale)
