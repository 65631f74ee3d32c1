"""One judge for every package: objective, a dual bound and the gap between them, from the raw data in numpy.

For u whose columns sum to 0 and whose products with the columns of X the penalty allows (penalties.py), the
dual value D(u) of the loss (losses.py) is below the objective P at any coefficients; an elastic net allows
any u, and takes its conjugate from the dual value. u is the residual of the coefficients under judgement,
with the intercepts moved to their optimum, and scaled until feasible. No package's own claim enters.

A penalty that is not convex leaves no such bound. What is judged then is how far the coefficients are from
being a stationary point; which one they are near to is told by P alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from losses import LOSSES
from penalties import Net
from problems import CHUNK, Problem
from scipy import sparse

BALANCED = 1e-10  # largest |sum of a column of u| that still counts as 0
SAME = 1e-6  # objectives no further apart, as a share of that of the null model, are the same


@dataclass
class Certificate:
    """At every alpha, each (L,): the objective, and a dual value or the largest violation of stationarity.

    Values are on the scale of the objective, violations of subgradients are over alpha.
    """

    primal: np.ndarray
    dual: np.ndarray | None = None
    violation: np.ndarray | None = None


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
        """What holds at every alpha, of coefs (K p x L) and intercepts (L,) or (K, L) as in peers.PathFit."""
        problem, penalty = self.problem, self.problem.penalty
        alphas, p, K = problem.alphas, problem.X.shape[1], problem.n_responses
        coefs = sparse.csc_matrix(coefs)
        beside = sparse.hstack([coefs[k * p : (k + 1) * p] for k in range(K)], format="csc")
        eta = self.multiply(beside).reshape(self.n, K, -1) + intercepts.reshape(K, -1)
        u = self.loss.residual(eta)
        slopes, b = problem.slopes(u, self.scale), sparse.csc_matrix(sparse.diags(self.scale) @ beside)
        primal = self.loss.primal(eta) + penalty.value(b, alphas)
        if not penalty.convex:
            return Certificate(primal, violation=penalty.violation(slopes, b, alphas))
        if isinstance(penalty, Net):
            dual = self.loss.dual_at(u) - penalty.conjugate(slopes, alphas)
        else:
            dual = self.loss.dual(u, alphas / np.maximum(penalty.dual_norm(slopes), 1e-300), eta)
        dual[np.abs(u.sum(axis=0)).max(axis=0) > BALANCED] = -np.inf
        return Certificate(primal, dual)

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

    def alone(self, certificate: Certificate) -> float:
        """What a certificate says on its own: the largest gap, as a share of null, or largest violation."""
        if certificate.violation is not None:
            return float(np.max(certificate.violation))
        return max(float(np.max(certificate.primal - certificate.dual)) / self.null, 0.0)

    def compare(self, certificates: Sequence[Certificate], ours: Certificate | None) -> list[dict]:
        """Figures of each certificate beside all of them, by the names of the columns of a result file.

        suboptimality of P is measured from the best dual value that any of them reached. Where there is none,
        P is told from the lowest that any of them reached (excess), and at how many alphas it is that of
        `ours` (agreeing).
        """
        if self.problem.penalty.convex:
            best = np.max([certificate.dual for certificate in certificates], axis=0)
            above = [float(np.max(one.primal - best)) / self.null for one in certificates]
            return [
                {"suboptimality": max(more, 0.0), "own_gap": self.alone(one)}
                for more, one in zip(above, certificates, strict=True)
            ]
        lowest = np.min([certificate.primal for certificate in certificates], axis=0)
        rows = []
        for one in certificates:
            row = {"violation": self.alone(one), "excess": float(np.max(one.primal - lowest)) / self.null}
            if ours is not None:
                row["agreeing"] = int(np.sum(np.abs(one.primal - ours.primal) <= SAME * self.null))
            rows.append(row)
        return rows
