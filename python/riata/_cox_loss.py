"""Cox's partial likelihood in double precision, from its definition: value, gradient and curvature."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riata._survival import SurvivalTarget
from riata._validation import Float

__all__ = ["CoxLoss"]


class CoxLoss:
    """F(eta) = Σ_terms α log Σ_R w_j (1 - θ [j in T]) exp(eta_j) - Σ_events ω_i eta_i.

    A term has the rows R at risk at the time of an event and the rows T that have theirs then: one a time
    with θ = 0 for Breslow's ties, m = |T| with θ = l / m for Efron's; α = W_T / (m W). Rows are those of
    positive weight. Sums over risk sets are running sums over sorted rows.
    """

    def __init__(self, target: SurvivalTarget, rows: NDArray[np.intp], weights: Float) -> None:
        weights, total = weights[rows], weights[rows].sum()
        self.events = weights * target.event[rows] / total
        strata = np.zeros(len(rows)) if target.strata is None else target.strata[rows]
        start = None if target.start is None else target.start[rows]
        self.strata = []
        for code in np.unique(strata):
            here = np.flatnonzero(strata == code)
            if np.any(target.event[rows][here]):
                entry = None if start is None else start[here]
                self.strata.append(
                    _Stratum(
                        here, target.time[rows][here], target.event[rows][here], entry, weights[here], total,
                        efron=target.ties == "efron",
                    )
                )  # fmt: skip

    def value(self, eta: Float) -> float:
        """F(eta)."""
        total = -float(self.events @ eta)
        for stratum in self.strata:
            top, mass = stratum.masses(eta)
            total += float(stratum.alpha @ (np.log(stratum.over_risk_sets(mass)) + top))
        return total

    def slope(self, eta: Float) -> Float:
        """u = -F'(eta)."""
        return np.asarray(self.events - self._expected(eta))

    def hessian(self, eta: Float, Z: Float) -> Float:
        """Z' F''(eta) Z: within each risk set the covariance of the columns."""
        out = Z.T @ (self._expected(eta)[:, None] * Z)
        for stratum in self.strata:
            _, mass = stratum.masses(eta)
            means = stratum.over_risk_sets(mass[:, None] * Z[stratum.rows])
            means /= stratum.over_risk_sets(mass)[:, None]
            out -= means.T @ (stratum.alpha[:, None] * means)
        return np.asarray(out)

    def certificate(self, eta: Float, Z: Float, offset: Float) -> tuple[Float, float]:
        """u = -F'(eta) and -F*(-u) - offset'u, which there is F(eta) + u'(eta - offset); Z'u is 0 at eta."""
        u = self.slope(eta)
        return u, self.value(eta) + float(u @ (eta - offset))

    def _expected(self, eta: Float) -> Float:
        """Σ_terms α q, q the distribution of a term over its rows."""
        out = np.zeros(len(eta))
        for stratum in self.strata:
            out[stratum.rows] = stratum.expected(eta)
        return out


class _Stratum:
    """The terms of one stratum, and where its rows stand in them."""

    def __init__(
        self,
        rows: NDArray[np.intp],
        time: Float,
        event: Float,
        start: Float | None,
        weights: Float,
        total: float,
        *,
        efron: bool,
    ) -> None:
        order = np.argsort(time, kind="stable")
        self.rows, self.weights = rows[order], weights[order]
        time = time[order]
        had = np.flatnonzero(event[order] == 1.0)
        times, place = np.unique(time[had], return_inverse=True)
        self.had, self.place = had, place
        size = np.bincount(place) if efron else np.ones(len(times), dtype=np.int64)
        self.at = np.repeat(np.arange(len(times)), size)
        nth = np.arange(len(self.at)) - np.repeat(np.cumsum(size) - size, size)
        self.theta = nth / size[self.at]
        self.alpha = (np.bincount(place, self.weights[had]) / (size * total))[self.at]
        self.first = np.searchsorted(time, times, side="left")
        self.until = np.searchsorted(times, time, side="right")
        self.entry: NDArray[np.intp] | None = None
        if start is not None:
            start = start[order]
            self.entry = np.argsort(start, kind="stable")
            self.late = np.searchsorted(start[self.entry], times, side="left")
            self.since = np.searchsorted(times, start, side="right")

    def masses(self, eta: Float) -> tuple[float, Float]:
        """The largest predictor, and w exp(eta) relative to it."""
        eta = eta[self.rows]
        top = float(eta.max())
        return top, self.weights * np.exp(eta - top)

    def over_risk_sets(self, values: Float) -> Float:
        """Of each term the sum over R, those of T times 1 - θ; values (rows, ...)."""
        out = _from_the_end(values)[self.first]
        if self.entry is not None:
            out = out - _from_the_end(values[self.entry])[self.late]
        tied = np.zeros_like(out)
        np.add.at(tied, self.place, values[self.had])
        theta = self.theta.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(out[self.at] - theta * tied[self.at])

    def expected(self, eta: Float) -> Float:
        """Σ_terms α q of each row."""
        _, mass = self.masses(eta)
        jump = self.alpha / self.over_risk_sets(mass)
        hazard = np.concatenate([[0.0], np.cumsum(np.bincount(self.at, jump))])
        out = hazard[self.until]
        if self.entry is not None:
            out = out - hazard[self.since]
        out[self.had] -= np.bincount(self.at, self.theta * jump)[self.place]
        return np.asarray(mass * out)


def _from_the_end(values: Float) -> Float:
    """Sums of the rows from each on, and 0 after the last."""
    sums = np.cumsum(values[::-1], axis=0)[::-1]
    return np.concatenate([sums, np.zeros((1, *values.shape[1:]))])
