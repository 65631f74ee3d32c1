"""One judge for every package: objective, a dual bound and the gap between them, from the raw data in numpy.

For u whose columns sum to 0 and with |x_j' u_k| <= alpha s_j for all j and k (where rows are penalised as
groups: |x_j' u|_2 <= alpha s_j), the dual value D(u) of the loss (losses.py) is below the objective P at any
coefficients. u is the residual of the coefficients under judgement, with the intercepts moved to their
optimum, and scaled until feasible. No package's own claim enters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from losses import LOSSES
from problems import CHUNK, Problem
from scipy import sparse

BALANCED = 1e-10  # largest |sum of a column of u| that still counts as 0


@dataclass
class Certificate:
    """Objective and dual value at every alpha, each (L,), on the scale of the objective."""

    primal: np.ndarray
    dual: np.ndarray


class Judge:
    """Certifies coefficients of one problem; keeps what does not depend on them.

    null is the objective of the null model less that of the saturated one.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.n = len(problem.y)
        self.scale = problem.moments()[1] if problem.standardize else np.ones(problem.X.shape[1])
        self.loss = LOSSES[problem.loss](problem.y)
        self.null = self.loss.null

    def certify(self, coefs: sparse.csc_matrix, intercepts: np.ndarray) -> Certificate:
        """P and D at every alpha, of coefs (K p x L) and intercepts (L,) or (K, L), as in peers.PathFit."""
        alphas, p, K = self.problem.alphas, self.problem.X.shape[1], self.problem.n_responses
        coefs = sparse.csc_matrix(coefs)
        beside = sparse.hstack([coefs[k * p : (k + 1) * p] for k in range(K)], format="csc")
        eta = self.multiply(beside).reshape(self.n, K, -1) + intercepts.reshape(K, -1)
        u = self.loss.residual(eta)
        limit = alphas / np.maximum(self.largest_correlation(u), 1e-300)
        dual = self.loss.dual(u, limit, eta)
        dual[np.abs(u.sum(axis=0)).max(axis=0) > BALANCED] = -np.inf
        return Certificate(self.loss.primal(eta) + alphas * self.norms(beside), dual)

    def norms(self, beside: sparse.csc_matrix) -> np.ndarray:
        """sum_j s_j |b_j| at every alpha, of coefs p x K L: sums of magnitudes, or of norms of rows."""
        K = self.problem.n_responses
        L = beside.shape[1] // K
        if not self.problem.row_grouped:
            return (abs(beside).T @ self.scale).reshape(K, L).sum(axis=0)
        squares = beside.multiply(beside).tocsc()
        return sum(squares[:, k * L : (k + 1) * L] for k in range(K)).sqrt().T @ self.scale

    def multiply(self, coefs: sparse.csc_matrix) -> np.ndarray:
        """X coefs, dense."""
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
        """The largest over j (and k) of what alpha has to bound, (L,); constant columns count nothing."""
        _, K, L = u.shape
        largest, flat = np.zeros(L), np.ascontiguousarray(u.reshape(self.n, K * L))
        scale = np.where(self.scale > 0.0, self.scale, np.inf)
        for at in range(0, len(scale), CHUNK):
            part = slice(at, at + CHUNK)
            if self.problem.kind == "sparse":
                block = np.asarray(self.problem.X[:, part].T @ flat)
            else:
                block = self.problem.columns(part.start, part.stop).T @ flat
            block = (np.abs(block) / scale[part, None]).reshape(-1, K, L)
            size = np.linalg.norm(block, axis=1) if self.problem.row_grouped else block.max(axis=1)
            np.maximum(largest, size.max(axis=0), out=largest)
        return largest
