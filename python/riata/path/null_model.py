"""The intercept alone: the constant that predicts best, which every model has to improve on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from riata._input.survival import SurvivalTarget
from riata._input.validation import Float
from riata.path.arguments import Options


def null_predictor(
    y: Float | SurvivalTarget, weights: Float, offset: Float | None, options: Options
) -> Float:
    """Linear predictors of every sample, (n,) or (n, K), by the intercept fitted to those of weight > 0.

    The offset is part of them. Without an intercept, as in the Cox loss, there is nothing else.
    """
    outputs = () if isinstance(y, SurvivalTarget) else y.shape[1:]
    shift = np.zeros((len(y), *outputs)) if offset is None else np.asarray(offset, dtype=np.float64)
    if isinstance(y, SurvivalTarget) or not options.fit_intercept:
        return shift
    rows = weights > 0.0
    return shift + null_level(options.loss, y[rows], weights[rows], shift[rows], options.huber_delta)


def null_level(loss: str, y: Float, weights: Float, offset: Float, delta: float) -> Float:
    """Return the intercept of least mean loss, a number or one an output."""
    if loss in ("gaussian", "multigaussian"):
        return np.asarray(weights @ (y - offset) / weights.sum())
    if loss == "poisson":
        return np.asarray(np.log(weights @ y) - np.log(weights @ np.exp(offset)))
    if loss == "huber":
        return _root(lambda b: -float(weights @ np.clip(y - offset - b, -delta, delta)), y - offset)
    if loss == "binomial":
        return _logistic_level(y, weights, offset)
    return _class_levels(y, weights, offset)


def _logistic_level(y: Float, weights: Float, offset: Float) -> Float:
    from scipy.special import expit, logit

    share = float(weights @ y / weights.sum())
    around = logit(share) - np.array([offset.min(), offset.max()])
    return _root(lambda b: float(weights @ (expit(offset + b) - y)), around)


def _class_levels(y: Float, weights: Float, offset: Float) -> Float:
    """Newton's method on the log of the shares; exact at once without an offset."""
    from scipy.special import softmax

    level = np.log(weights @ y / weights.sum())
    if not np.any(offset):
        return np.asarray(level - level.mean())
    for _ in range(100):
        shares = softmax(offset + level, axis=1)
        gradient = weights @ (shares - y)
        hessian = np.diag(weights @ shares) - (shares * weights[:, None]).T @ shares
        step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        level = level - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-12:
            break
    return np.asarray(level - level.mean())


def _root(increasing: Callable[[float], float], around: Float) -> Float:
    """Return where a function that increases between the ends of `around` is zero, by halving."""
    low, high = float(np.min(around)), float(np.max(around))
    for _ in range(200):
        middle = 0.5 * (low + high)
        if increasing(middle) < 0.0:
            low = middle
        else:
            high = middle
    return np.asarray(0.5 * (low + high))
