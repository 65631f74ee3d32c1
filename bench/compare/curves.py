"""The judge of cross-validation: how far a package's curve of held-out errors is from the exact one.

The exact curve comes from one path a fold on a copy of its training rows, each certified by certify.py. It
owes nothing to how any package, riata's cross-validation included, handles folds.
"""

from __future__ import annotations

import numpy as np
from certify import Judge
from problems import Problem

import riata

TIGHT = 1e-11  # certified suboptimality of the reference, as a share of the null objective


class CurveJudge:
    """Compares curves for one problem; keeps the exact curve of every grid it met."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.exact: dict[bytes, np.ndarray] = {}

    def error(self, curve: np.ndarray, alphas: np.ndarray) -> float:
        """Largest relative difference to the exact mean squared errors, over alphas."""
        if alphas.shape == self.problem.alphas.shape and np.allclose(alphas, self.problem.alphas, rtol=1e-9):
            alphas = self.problem.alphas  # rounded otherwise, no other grid
        key = alphas.tobytes()
        if key not in self.exact:
            self.exact[key] = self.reference(alphas)
        return float(np.max(np.abs(curve / self.exact[key] - 1.0)))

    def reference(self, alphas: np.ndarray) -> np.ndarray:
        """Mean over folds, all of one size, of the mean squared error on the samples held out."""
        return np.mean([self.held_out(train, test, alphas) for train, test in self.problem.splits()], axis=0)

    def held_out(self, train: np.ndarray, test: np.ndarray, alphas: np.ndarray) -> np.ndarray:
        X, y = self.problem.X, self.problem.y
        part = Problem(self.problem.name, self.problem.loss, np.asfortranarray(X[train]), y[train], alphas)
        path = riata.fit_path(part.X, part.y, alphas=alphas, standardize=False, tol=TIGHT)
        judge = Judge(part)
        certificate = judge.certify(path.coefs, path.intercepts)
        gap = np.max(certificate.primal - certificate.dual) / judge.null
        if gap > TIGHT:
            raise RuntimeError(f"the reference curve is certified to {gap:.1e} only, not to {TIGHT:g}")
        predicted = X[test] @ path.coefs + path.intercepts
        return np.mean((y[test, None] - predicted) ** 2, axis=0)
