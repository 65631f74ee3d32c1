"""A lasso's coefficient of a feature, corrected for what the penalty and unseen effects do to it."""

from __future__ import annotations

import math

import numpy as np

from riata._input.validation import Float
from riata.losses import Loss
from riata.path.arguments import Options
from riata.path.given import Problem
from riata.selection.nodewise import Residual
from riata.selection.signal import Signal

STEPS, SMALL = 50, 1e-10  # of Newton's method for an intercept


class Fitted:
    """The lasso's residuals and curvature, and what they say of a feature."""

    def __init__(
        self, problem: Problem, coef: Float, intercept: float, loss: Loss, signal: Signal, options: Options
    ) -> None:
        self.design, self.signal = problem.design, signal
        self.coef = coef * signal.slope
        used = problem.weights > 0.0
        self.n = int(used.sum())
        weights = problem.weights * (self.n / problem.weights.sum())  # whose unit is of no account
        active = np.flatnonzero(coef).astype(np.int64)
        self.active = len(active)
        if self.active >= self.n:
            raise ValueError(f"the lasso must have fewer active features than samples, got {self.active}")
        self.left = 1.0 - self.active / self.n
        link = self.design.multiply(active, self.coef[active][:, None])[:, 0] + intercept
        if problem.offset is not None:
            link = link + problem.offset
        target = np.asarray(problem.target)
        if signal.slope != 1.0 and options.fit_intercept:
            link = link + _level(loss, link, target, weights)
        fitted = np.asarray(loss.mean(link))
        bend = _bend(loss, fitted)  # of the loss of a sample
        self.curvature = np.where(used, weights * bend, 0.0)
        self.score = np.where(used, weights * (target - fitted), 0.0)
        self.sigma = 1.0
        if not loss.two_classes:  # whose variance goes with the mean
            squares = np.divide(self.score**2, self.curvature, out=np.zeros_like(link), where=used).sum()
            self.sigma = math.sqrt(squares / self.n) / self.left

    def correct(self, j: int, z: Residual, robust: bool) -> tuple[float, float]:
        """The corrected coefficient of a feature and its standard error."""
        column = self.design.gather(np.array([j], dtype=np.int64))[:, 0]
        unit = float((self.curvature * z.values) @ column)
        estimate = float(self.coef[j]) + float(z.values @ self.score) / (self.left * unit)
        if robust:
            size = math.sqrt(float((z.values**2) @ (self.score**2))) / self.left
        else:
            size = self.sigma * math.sqrt(float(self.curvature @ z.values**2))
        if not np.isfinite(z.noise):
            return estimate * self.signal.stretch, np.inf
        error = math.hypot(size / abs(unit) * self.signal.stretch, estimate * self.signal.stretch_se)
        return estimate * self.signal.stretch, error


def _bend(loss: Loss, mean: Float) -> Float:
    """The second derivative of the loss at a mean."""
    if loss.two_classes:
        return mean * (1.0 - mean)
    return mean if loss.has_counts else np.ones_like(mean)


def _level(loss: Loss, link: Float, target: Float, weights: Float) -> float:
    """What to add to `link` so that residuals sum to zero."""
    level = 0.0
    for _ in range(STEPS):
        mean = np.asarray(loss.mean(link + level))
        step = float(weights @ (target - mean)) / float(weights @ _bend(loss, mean))
        level += step
        if abs(step) < SMALL:
            break
    return level
