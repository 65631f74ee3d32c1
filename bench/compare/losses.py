"""The losses of the problems, for the judge: value, residual at the best intercepts, dual value, in numpy.

Each is made from y and offers, for linear predictors eta of shape (n, K, L) (K responses or classes, else 1,
at L alphas):

    null_residual        u of the null model times n, (n, K)
    null                 objective of the null model less that of the saturated one
    primal(eta)          objective without its penalty, (L,)
    residual(eta)        u = -(gradient) with the intercepts moved to their optimum, (n, K, L); sums to 0
    dual(u, limit, eta)  dual value, (L,), of a multiple s u that the penalty allows, |s| <= limit

with dual values, mu and pi being y - n s u,

    gaussian      sum u y - n u^2 / 2, over samples and responses
    binomial      -(1/n) sum_i [ mu_i log mu_i + (1 - mu_i) log(1 - mu_i) ]
    poisson       -(1/n) sum_i [ mu_i log mu_i - mu_i ]
    multinomial   -(1/n) sum_ik pi_ik log pi_ik
    cox           -(1/n) sum_e sum_j r_ej log r_ej,   r_e = (1 - s) (unit mass at event e) + s q_e

where q_e are the probabilities e^eta_j / sum of them over those at risk at event e (Breslow's ties).

References
----------
Ndiaye, Fercoq, Gramfort, Salmon (2017), Gap safe screening rules for sparsity enforcing penalties, JMLR 18.
Breslow (1974), Covariance analysis of censored survival data, Biometrics 30.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_softmax, logsumexp, softmax, xlogy

NEWTON_STEPS = 30
LONGEST_STEP = 2.0  # of an intercept


class Gaussian:
    """Half the squared error, summed over responses; y of shape (n,) or (n, K)."""

    def __init__(self, y: np.ndarray) -> None:
        self.n = len(y)
        self.y = y.reshape(self.n, -1)
        self.null_residual = self.y - self.y.mean(axis=0)
        self.null = 0.5 * np.sum(self.null_residual**2) / self.n

    def primal(self, eta: np.ndarray) -> np.ndarray:
        return 0.5 * np.sum((self.y[:, :, None] - eta) ** 2, axis=(0, 1)) / self.n

    def residual(self, eta: np.ndarray) -> np.ndarray:
        residual = self.y[:, :, None] - eta
        return (residual - residual.mean(axis=0)) / self.n

    def dual(self, u: np.ndarray, limit: np.ndarray, eta: np.ndarray) -> np.ndarray:
        """At the best feasible multiple of u."""
        inner = np.einsum("ikl,ik->l", u, self.y)
        square = np.maximum(np.einsum("ikl,ikl->l", u, u), 1e-300)
        s = np.clip(inner / (self.n * square), -limit, limit)
        return s * inner - 0.5 * self.n * s**2 * square

    def dual_at(self, u: np.ndarray) -> np.ndarray:
        """At u itself."""
        return np.einsum("ikl,ik->l", u, self.y) - 0.5 * self.n * np.einsum("ikl,ikl->l", u, u)


class Binomial:
    """log(1 + e^eta) - y eta; y 0 or 1."""

    def __init__(self, y: np.ndarray) -> None:
        self.n = len(y)
        self.y = y[:, None]
        share = y.mean()
        self.null_residual = self.y - share
        self.null = -(xlogy(share, share) + xlogy(1.0 - share, 1.0 - share))

    def primal(self, eta: np.ndarray) -> np.ndarray:
        return np.mean(np.logaddexp(0.0, eta[:, 0]) - self.y * eta[:, 0], axis=0)

    def residual(self, eta: np.ndarray) -> np.ndarray:
        """The intercept by Newton steps, and the last defect removed."""
        y, eta = self.y, eta[:, 0]
        shift = np.zeros(eta.shape[1])
        for _ in range(NEWTON_STEPS):
            mu = expit(eta + shift)
            curvature = np.maximum((mu * (1.0 - mu)).sum(axis=0), 1e-12)
            shift += np.clip((y - mu).sum(axis=0) / curvature, -LONGEST_STEP, LONGEST_STEP)
        mu = expit(eta + shift)
        weight = mu * (1.0 - mu)
        defect = (y - mu).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-300)
        return (y - np.clip(mu + weight * defect, 0.0, 1.0))[:, None] / self.n

    def dual(self, u: np.ndarray, limit: np.ndarray, eta: np.ndarray) -> np.ndarray:
        mu = np.clip(self.y - self.n * np.minimum(limit, 1.0) * u[:, 0], 0.0, 1.0)  # no further than rounding
        return -np.mean(xlogy(mu, mu) + xlogy(1.0 - mu, 1.0 - mu), axis=0)


class Poisson:
    """e^eta - y eta; y counts."""

    def __init__(self, y: np.ndarray) -> None:
        self.n = len(y)
        self.y = y[:, None]
        self.mean = y.mean()
        self.null_residual = self.y - self.mean
        self.null = np.mean(xlogy(y, y)) - xlogy(self.mean, self.mean)

    def primal(self, eta: np.ndarray) -> np.ndarray:
        return np.mean(np.exp(eta[:, 0]) - self.y * eta[:, 0], axis=0)

    def residual(self, eta: np.ndarray) -> np.ndarray:
        """At the best intercept the fitted means sum to the counts."""
        mu = self.n * self.mean * softmax(eta[:, 0], axis=0)
        return (self.y - mu)[:, None] / self.n

    def dual(self, u: np.ndarray, limit: np.ndarray, eta: np.ndarray) -> np.ndarray:
        mu = np.maximum(self.y - self.n * np.minimum(limit, 1.0) * u[:, 0], 0.0)  # no further than rounding
        return -np.mean(xlogy(mu, mu) - mu, axis=0)


class Multinomial:
    """log sum_k e^eta_k - eta_y; y class numbers 0 .. K - 1, each of which occurs."""

    def __init__(self, y: np.ndarray) -> None:
        self.n = len(y)
        self.y = np.eye(int(y.max()) + 1)[y.astype(int)]
        share = self.y.mean(axis=0)
        self.null_residual = self.y - share
        self.null = -np.sum(xlogy(share, share))

    def primal(self, eta: np.ndarray) -> np.ndarray:
        return -np.einsum("ik,ikl->l", self.y, log_softmax(eta, axis=1)) / self.n

    def residual(self, eta: np.ndarray) -> np.ndarray:
        """The intercepts by Newton steps, and the last defect removed."""
        y, shift = self.y[:, :, None], np.zeros(eta.shape[1:])
        for _ in range(NEWTON_STEPS):
            shift += np.clip(self.newton_step(softmax(eta + shift, axis=1)), -LONGEST_STEP, LONGEST_STEP)
        pi = softmax(eta + shift, axis=1)
        step = self.newton_step(pi)
        pi += pi * (step - np.sum(pi * step, axis=1, keepdims=True))
        return (y - np.maximum(pi, 0.0)) / self.n

    def newton_step(self, pi: np.ndarray) -> np.ndarray:
        """Of the intercepts, (K, L); a common shift of all classes changes nothing and is left out."""
        gradient = self.y.sum(axis=0)[:, None] - pi.sum(axis=0)
        hessian = -np.einsum("ikl,iml->lkm", pi, pi)
        hessian += np.eye(len(gradient)) * pi.sum(axis=0).T[:, :, None]
        inverse = np.linalg.pinv(hessian, rcond=1e-13, hermitian=True)
        return np.einsum("lkm,ml->kl", inverse, gradient)

    def dual(self, u: np.ndarray, limit: np.ndarray, eta: np.ndarray) -> np.ndarray:
        pi = self.y[:, :, None] - self.n * np.minimum(limit, 1.0) * u
        pi = np.maximum(pi, 0.0)  # no further than rounding
        return -np.sum(xlogy(pi, pi), axis=(0, 1)) / self.n


class Cox:
    """Minus the log partial likelihood over n; y columns [time, event]. There is no intercept.

    Sums over risk sets are spelt out, events times samples, which is slow and plain.
    """

    def __init__(self, y: np.ndarray) -> None:
        self.n = len(y)
        self.event = y[:, 1] == 1.0
        self.at_risk = y[None, :, 0] >= y[self.event, 0][:, None]  # events x n
        self.own = np.eye(self.n)[self.event]
        size = self.at_risk.sum(axis=1)
        self.null_residual = (self.event - (self.at_risk / size[:, None]).sum(axis=0))[:, None]
        self.null = np.sum(np.log(size)) / self.n

    def masked(self, eta: np.ndarray) -> np.ndarray:
        """Of one alpha, events x n: eta where at risk, else -inf."""
        return np.where(self.at_risk, eta, -np.inf)

    def primal(self, eta: np.ndarray) -> np.ndarray:
        columns = eta[:, 0].T
        totals = [np.sum(logsumexp(self.masked(column), axis=1) - column[self.event]) for column in columns]
        return np.array(totals) / self.n

    def residual(self, eta: np.ndarray) -> np.ndarray:
        shares = [softmax(self.masked(column), axis=1).sum(axis=0) for column in eta[:, 0].T]
        return (self.event[:, None] - np.array(shares).T)[:, None] / self.n

    def dual(self, u: np.ndarray, limit: np.ndarray, eta: np.ndarray) -> np.ndarray:
        values = []
        for column, s in zip(eta[:, 0].T, np.minimum(limit, 1.0), strict=True):
            r = (1.0 - s) * self.own + s * softmax(self.masked(column), axis=1)
            values.append(-np.sum(xlogy(r, r)) / self.n)
        return np.array(values)


LOSSES = {
    "gaussian": Gaussian,
    "multigaussian": Gaussian,
    "binomial": Binomial,
    "poisson": Poisson,
    "multinomial": Multinomial,
    "cox": Cox,
}
