"""Fisher information for tests: of Cox's partial likelihood, and of many classes with their fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riata._input.survival import SurvivalTarget
from riata._input.validation import Float
from riata.losses._scores import softmax

STEPS = 100
FLAT = 1e-8  # information a unit of weight below which an estimate is at infinity


def cox_information(target: SurvivalTarget, eta: Float, weights: Float, columns: Float) -> Float:
    """Return minus the second derivatives of the log partial likelihood in the coefficients, (k, k).

    The sum over events of weight times the variance of the columns among those at risk, each with
    probability proportional to w exp(eta) (Cox 1972); with Efron's ties those who have an event at that time
    count less from one of them to the next.
    """
    k = columns.shape[1]
    out = np.zeros((k, k))
    strata = np.zeros(len(target)) if target.strata is None else target.strata
    for stratum in np.unique(strata):
        out += _of_stratum(target, eta, weights, columns, np.flatnonzero(strata == stratum))
    return out


def _of_stratum(
    target: SurvivalTarget, eta: Float, weights: Float, columns: Float, rows: NDArray[np.intp]
) -> Float:
    time, event, w, x = target.time[rows], target.event[rows] > 0.0, weights[rows], columns[rows]
    risk = w * np.exp(eta[rows] - eta[rows].max())
    event &= w > 0.0
    times = np.unique(time[event])
    by_time = _sums_from(time, risk, x, times)
    if target.start is not None:
        late = _sums_from(target.start[rows], risk, x, times)
        by_time = by_time[0] - late[0], by_time[1] - late[1]
    at = np.searchsorted(times, time[event])
    dead = np.bincount(at, risk[event], len(times)), np.zeros((len(times), x.shape[1]))
    np.add.at(dead[1], at, risk[event, None] * x[event])
    weight, number = np.bincount(at, w[event], len(times)), np.bincount(at, minlength=len(times))
    out = np.zeros((x.shape[1], x.shape[1]))
    alive, dying = np.zeros(len(times)), np.zeros(len(times))  # what one unit of risk counts, at each time
    for step in range(int(number.max(initial=0)) if target.ties == "efron" else 1):
        here = number > step
        less = step / np.maximum(number, 1) if target.ties == "efron" else np.zeros(len(times))
        share = np.where(here, weight / number if target.ties == "efron" else weight, 0.0)
        total = by_time[0] - less * dead[0]
        mean = (by_time[1] - less[:, None] * dead[1]) / total[:, None]
        out -= mean.T @ (share[:, None] * mean)
        alive += share / total
        dying += share * less / total
    steps = np.concatenate([[0.0], np.cumsum(alive)])
    counted = steps[np.searchsorted(times, time, side="right")]
    if target.start is not None:
        counted = counted - steps[np.searchsorted(times, target.start[rows], side="right")]
    counted[event] -= dying[at]
    return np.asarray(out + x.T @ ((risk * counted)[:, None] * x))


def _sums_from(when: Float, risk: Float, x: Float, times: Float) -> tuple[Float, Float]:
    """Sums of the risk, and of risk times columns, over samples with `when` at each time or later."""
    order = np.argsort(-when, kind="stable")
    ends = np.searchsorted(-when[order], -times, side="right")
    total = np.concatenate([[0.0], np.cumsum(risk[order])])
    wide = np.vstack([np.zeros(x.shape[1]), np.cumsum(risk[order, None] * x[order], axis=0)])
    return total[ends], wide[ends]


def multinomial_fit(
    columns: Float, weights: Float, y: Float, offset: Float | None
) -> tuple[Float, Float] | None:
    """Fit K classes without a penalty, the first as reference: coefficients, and their covariance.

    Newton's method with halved steps (Böhning 1992 has the information). Coefficients of a column for the
    K - 1 classes stand together. None where there is no finite estimate.
    """
    n, classes = y.shape
    x = np.column_stack([columns, np.ones(n)])
    width, others = x.shape[1], classes - 1
    shift = np.zeros((n, classes)) if offset is None else offset
    beta = np.zeros((width, others))

    def link(beta: Float) -> Float:
        return shift + np.column_stack([np.zeros(n), x @ beta])

    def loss(beta: Float) -> float:
        eta = link(beta)
        top = eta.max(axis=1)
        level = top + np.log(np.exp(eta - top[:, None]).sum(axis=1))
        return float(weights @ (level * y.sum(axis=1) - (y * eta).sum(axis=1)))

    value = loss(beta)
    for _ in range(STEPS):
        mean = softmax(link(beta))[:, 1:]
        gradient = x.T @ (weights[:, None] * (mean - y[:, 1:]))
        information = np.empty((width, others, width, others))
        for a in range(others):
            for b in range(others):
                bend = weights * mean[:, a] * ((a == b) - mean[:, b])
                information[:, a, :, b] = x.T @ (bend[:, None] * x)
        flat = information.reshape(width * others, width * others)
        if np.linalg.eigvalsh(flat)[0] < FLAT * weights.sum():
            return None
        step = np.linalg.solve(flat, gradient.ravel()).reshape(width, others)
        if float(np.abs(step).max()) < 1e-9:
            covariance = np.linalg.inv(flat)
            size = (width - 1) * others
            return beta[:-1].ravel(), covariance[:size, :size]
        scale = 1.0
        while scale > 1e-6 and not (after := loss(beta - scale * step)) <= value:
            scale /= 2.0
        beta, value = beta - scale * step, after
    return None
