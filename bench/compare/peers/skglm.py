"""skglm: AndersonCD on the gaussian, MultiTaskBCD on several responses, ProxNewton with warm starts else.

Groups by GroupBCD and SLOPE by FISTA, with warm starts. tol bounds the largest KKT violation, of FISTA that
of the fixed point; it is taken as a share of the first alpha, or of every alpha where the yardstick is one.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import skglm
from scipy import sparse
from skglm.datafits import Cox, Logistic, Poisson, Quadratic, QuadraticGroup, QuadraticMultiTask
from skglm.penalties import L1, L2_1, SLOPE, L1_plus_L2, MCPenalty, WeightedGroupL2
from skglm.solvers import FISTA, AndersonCD, GroupBCD, MultiTaskBCD, ProxNewton

from peers import PathFit

TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
DATAFITS = {"binomial": Logistic, "poisson": Poisson, "cox": Cox}


def version():
    return skglm.__version__


def refuses(problem):
    return "it has no multinomial loss" if problem.loss == "multinomial" else None


def prepare(problem, threads):
    return problem.standardized() if problem.kind == "genotypes" else problem.X


def fit(data, problem, tol, threads):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if problem.loss == "multigaussian":
            return fit_rows(data, problem, tol)
        if problem.loss == "gaussian" and problem.penalty.name == "l1":
            path = AndersonCD(fit_intercept=True, tol=tol * problem.alphas[0], max_iter=1000).path
            coefs = path(data, problem.y, Quadratic(), L1(1.0), problem.alphas)[1]
        else:
            coefs = warm_started(data, problem, tol)
    coefs, intercepts = sparse.csc_matrix(coefs[:-1]), coefs[-1].copy()
    if problem.kind == "genotypes":
        coefs, intercepts = problem.unscale(coefs, intercepts)
    return PathFit(coefs, intercepts)


def fit_rows(X, problem, tol):
    """X is centred, so the intercepts are the means of y."""
    share = problem.y.mean(axis=0)
    path = MultiTaskBCD(fit_intercept=False, tol=tol * problem.alphas[0], max_iter=1000).path
    y = np.asfortranarray(problem.y - share)
    coefs = path(X, y, QuadraticMultiTask(), L2_1(1.0), problem.alphas)[1]  # K x p x L
    stacked = sparse.csc_matrix(coefs.reshape(-1, coefs.shape[2]))
    return PathFit(stacked, np.repeat(share[:, None], coefs.shape[2], axis=1))


@dataclass
class Parts:
    """What skglm solves one alpha with, and y as it wants it."""

    solver: object
    datafit: object
    penalty: Callable  # of alpha
    y: np.ndarray
    intercept: bool = True  # among the coefficients


def parts_for(problem):
    y, kind, p = problem.y, problem.penalty, problem.X.shape[1]
    if kind.name == "groups":
        groups = np.arange(0, p + 1, kind.size, dtype=np.int32), np.arange(p, dtype=np.int32)
        weights = np.full(p // kind.size, np.sqrt(kind.size))
        solver = GroupBCD(fit_intercept=True, max_iter=1000)
        return Parts(
            solver, QuadraticGroup(*groups), lambda alpha: WeightedGroupL2(alpha, weights, *groups), y
        )
    if kind.name == "net":
        solver = AndersonCD(fit_intercept=True, max_iter=1000)
        return Parts(solver, Quadratic(), lambda alpha: L1_plus_L2(alpha, kind.l1_ratio), y)
    if kind.name == "mcp":
        solver = AndersonCD(fit_intercept=True, max_iter=1000)
        return Parts(solver, Quadratic(), lambda alpha: MCPenalty(alpha, kind.gamma), y)
    if kind.name == "slope":
        solver, weights = FISTA(max_iter=100_000, opt_strategy="fixpoint"), kind.weights(p)
        return Parts(solver, Quadratic(), lambda alpha: SLOPE(weights, alpha), y - y.mean(), intercept=False)
    y = 2.0 * y - 1.0 if problem.loss == "binomial" else y
    solver = ProxNewton(fit_intercept=problem.loss != "cox", max_iter=1000)
    return Parts(solver, DATAFITS[problem.loss](), L1, y, problem.loss != "cox")


def warm_started(X, problem, tol):
    """For solvers without a path: each fit starts from the one before. (p + 1) x L, intercept last."""
    parts, (n, p) = parts_for(problem), X.shape
    coefs = np.zeros((p + 1, len(problem.alphas)), order="F")
    w, eta = np.zeros(p + parts.intercept), np.zeros(n)
    for k, alpha in enumerate(problem.alphas):
        parts.solver.tol = tol * (problem.alphas[0] if problem.penalty.convex else alpha)
        w = parts.solver.solve(X, parts.y, parts.datafit, parts.penalty(alpha), w, eta)[0].copy()
        coefs[: p + parts.intercept, k] = w
        eta = X @ w[:p] + coefs[p, k]
    if problem.penalty.name == "slope":  # no intercept: X is centred, so it is the mean of y
        coefs[p] = problem.y.mean()
    return coefs
