"""One judge for every package: objective, a dual bound and the gap between them, from the raw data in numpy.

For u with sum(u) = 0 and |x_j' u| <= alpha s_j for all j, the dual value

    gaussian   D(u) = sum_i u_i y_i - n u_i^2 / 2
    binomial   D(u) = -(1/n) sum_i [ mu_i log mu_i + (1 - mu_i) log(1 - mu_i) ],   mu = y - n u in [0, 1]

is below the objective P at any coefficients. u is the residual of the coefficients under judgement, made to
sum to zero and scaled until feasible. No package's own claim enters.

References
----------
Ndiaye, Fercoq, Gramfort, Salmon (2017), Gap safe screening rules for sparsity enforcing penalties, JMLR 18.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from problems import CHUNK, Problem
from scipy import sparse
from scipy.special import expit, xlogy


@dataclass
class Certificate:
    """Objective and dual value at every alpha, each (L,), on the scale of the objective."""

    primal: np.ndarray
    dual: np.ndarray


class Judge:
    """Certifies coefficients of one problem; keeps what does not depend on them."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.n = len(problem.y)
        self.scale = problem.moments()[1] if problem.standardize else np.ones(problem.X.shape[1])
        share = problem.y.mean()
        if problem.loss == "gaussian":
            self.null = 0.5 * np.mean((problem.y - share) ** 2)
        else:
            self.null = -(xlogy(share, share) + xlogy(1.0 - share, 1.0 - share))

    def certify(self, coefs: sparse.csc_matrix, intercepts: np.ndarray) -> Certificate:
        """P and D at every column of coefs (p x L), intercepts (L,), for the columns of X as stored."""
        alphas, y = self.problem.alphas, self.problem.y[:, None]
        eta = self.multiply(coefs) + intercepts
        penalty = alphas * np.asarray(abs(coefs).T @ self.scale).ravel()
        if self.problem.loss == "gaussian":
            residual = y - eta
            primal = 0.5 * np.mean(residual**2, axis=0) + penalty
            u = (residual - residual.mean(axis=0)) / self.n
            limit = alphas / np.maximum(self.largest_correlation(u), 1e-300)
            inner, square = (u * y).sum(axis=0), np.maximum((u**2).sum(axis=0), 1e-300)
            s = np.clip(inner / (self.n * square), -limit, limit)  # the best feasible multiple of u
            dual = s * inner - 0.5 * self.n * s**2 * square
        else:
            primal = np.mean(np.logaddexp(0.0, eta) - y * eta, axis=0) + penalty
            u = self.balanced_residual(eta)
            s = np.minimum(1.0, alphas / np.maximum(self.largest_correlation(u), 1e-300))
            mu = y - self.n * s * u
            dual = -np.mean(xlogy(mu, mu) + xlogy(1.0 - mu, 1.0 - mu), axis=0)
        return Certificate(primal, dual)

    def balanced_residual(self, eta: np.ndarray) -> np.ndarray:
        """(y - mu)/n with the intercept moved to its optimum by Newton steps, and the last defect removed."""
        y = self.problem.y[:, None]
        shift = np.zeros(eta.shape[1])
        for _ in range(20):
            mu = expit(eta + shift)
            curvature = np.maximum((mu * (1.0 - mu)).sum(axis=0), 1e-12)
            shift += np.clip((y - mu).sum(axis=0) / curvature, -2.0, 2.0)
        mu = expit(eta + shift)
        weight = mu * (1.0 - mu)
        defect = (y - mu).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-300)
        return (y - np.clip(mu + weight * defect, 0.0, 1.0)) / self.n

    def multiply(self, coefs: sparse.csc_matrix) -> np.ndarray:
        """X coefs, n x L."""
        if self.problem.kind == "sparse":
            return (self.problem.X @ coefs).toarray()
        used = np.unique(coefs.indices)
        eta = np.zeros((self.n, coefs.shape[1]))
        rows = coefs.tocsr()
        for at in range(0, len(used), CHUNK):
            part = used[at : at + CHUNK]
            block = np.concatenate([self.problem.columns(j, j + 1) for j in part], axis=1)
            eta += block @ rows[part].toarray()
        return eta

    def largest_correlation(self, u: np.ndarray) -> np.ndarray:
        """max_j |x_j' u| / s_j for each column of u; constant columns count nothing."""
        largest, u = np.zeros(u.shape[1]), np.ascontiguousarray(u)
        scale = np.where(self.scale > 0.0, self.scale, np.inf)
        for at in range(0, len(scale), CHUNK):
            part = slice(at, at + CHUNK)
            if self.problem.kind == "sparse":
                block = np.asarray(self.problem.X[:, part].T @ u)
            else:
                block = self.problem.columns(part.start, part.stop).T @ u
            np.maximum(largest, np.abs(block / scale[part, None]).max(axis=0), out=largest)
        return largest
