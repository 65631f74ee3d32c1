"""Scores of linear predictors against responses: score(y, eta, weights), eta with the alphas last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from riata._input.validation import Float

Scorer = Callable[[Float, Float, Float], Float]


def expit(eta: Float) -> Float:
    """1 / (1 + exp(-eta)), without overflow."""
    from scipy.special import expit as logistic

    return np.asarray(logistic(eta), dtype=np.float64)


def softmax(eta: Float) -> Float:
    """Probabilities of the classes, which are the second axis."""
    from scipy.special import softmax as shares

    return np.asarray(shares(eta, axis=1), dtype=np.float64)


def counted(score: Scorer) -> Scorer:
    """Leave out rows of weight zero: they do not count, not even where their mean is infinite."""

    def of_counted(y: Float, eta: Float, weights: Float) -> Float:
        rows = weights > 0.0
        with np.errstate(over="ignore"):
            return score(y[rows], eta[rows], weights[rows])

    return of_counted


def of_mean(score: Scorer, mean: Callable[[Any], Any]) -> Scorer:
    """Score the mean at the linear predictors."""
    return lambda y, eta, weights: score(y, mean(eta), weights)


def over_samples(losses: Float, weights: Float) -> Float:
    """Weighted mean over samples, and the mean over outputs when there are several, of each alpha."""
    mean = np.tensordot(weights, losses, 1) / weights.sum()
    return np.asarray(mean.reshape(-1, mean.shape[-1]).mean(axis=0))


def mean_squared(y: Float, eta: Float, weights: Float) -> Float:
    """Mean squared error."""
    return over_samples((y[..., None] - eta) ** 2, weights)


def mean_absolute(y: Float, eta: Float, weights: Float) -> Float:
    """Mean absolute error."""
    return over_samples(np.abs(y[..., None] - eta), weights)


def binomial_deviance(y: Float, eta: Float, weights: Float) -> Float:
    """Mean binomial deviance."""
    from scipy.special import entr

    saturated = weights @ (entr(y) + entr(1.0 - y))
    total = weights @ (np.logaddexp(0.0, eta) - y[:, None] * eta)
    return np.asarray(2.0 * (total - saturated) / weights.sum())


def class_deviance(y: Float, eta: Float, weights: Float) -> Float:
    """Mean multinomial deviance."""
    from scipy.special import entr, logsumexp

    saturated = weights @ entr(y).sum(axis=1)
    total = weights @ (logsumexp(eta, axis=1) - np.einsum("ik,ikl->il", y, eta))
    return np.asarray(2.0 * (total - saturated) / weights.sum())


def outcome_error(y: Float, eta: Float, weights: Float) -> Float:
    """Share of outcomes whose probability is on the wrong side of a half."""
    said = eta > 0.0
    wrong = np.where(said, 1.0 - y[:, None], y[:, None])
    return np.asarray(weights @ wrong / weights.sum())


def class_error(y: Float, eta: Float, weights: Float) -> Float:
    """Share of samples whose class is not the most probable one."""
    right = np.take_along_axis(y, eta.argmax(axis=1), axis=1)
    return np.asarray(weights @ (1.0 - right) / weights.sum())


def area_under_curve(y: Float, eta: Float, weights: Float) -> Float:
    """Probability that a case scores above a control, ties counting half; proportions count on both sides."""
    out = np.empty(eta.shape[1])
    cases, controls = weights * y, weights * (1.0 - y)
    for k in range(eta.shape[1]):
        _, group = np.unique(eta[:, k], return_inverse=True)
        case = np.bincount(group, cases)
        control = np.bincount(group, controls)
        below = np.cumsum(control) - control
        out[k] = case @ (below + 0.5 * control) / (case.sum() * control.sum())
    return out


def area_under_curves(y: Float, eta: Float, weights: Float) -> Float:
    """Mean over classes of the auc of each against the others, by its probability."""
    likely = softmax(eta)
    each = [area_under_curve(y[:, k], likely[:, k], weights) for k in range(y.shape[1])]
    return np.asarray(np.mean(each, axis=0))


def poisson_deviance(y: Float, eta: Float, weights: Float) -> Float:
    """Mean Poisson deviance."""
    from scipy.special import xlogy

    y = y[:, None]
    with np.errstate(over="ignore"):
        terms = np.exp(eta) - y * eta + xlogy(y, y) - y
    return np.asarray(2.0 * (weights @ terms) / weights.sum())


def huber_losses(residual: Float, delta: float) -> Float:
    """Huber's loss of each residual."""
    size = np.abs(residual)
    inner = np.minimum(size, delta)
    return np.asarray(inner * (size - 0.5 * inner))


def mean_huber(delta: float) -> Scorer:
    """Mean Huber loss."""
    return lambda y, eta, weights: np.asarray(weights @ huber_losses(y[:, None] - eta, delta) / weights.sum())
