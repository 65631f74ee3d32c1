"""skglm: AndersonCD on the gaussian, ProxNewton on the binomial (labels -1, 1), warm starts down the path.

tol bounds the largest KKT violation; it is taken as a share of the first alpha.
"""

import warnings

import numpy as np
import skglm
from scipy import sparse
from skglm.datafits import Logistic, Quadratic
from skglm.penalties import L1
from skglm.solvers import AndersonCD, ProxNewton

from peers import PathFit

TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


def version():
    return skglm.__version__


def refuses(problem):
    return None


def prepare(problem, threads):
    return problem.standardized() if problem.kind == "genotypes" else problem.X


def fit(data, problem, tol, threads):
    gaussian = problem.loss == "gaussian"
    y = problem.y if gaussian else 2.0 * problem.y - 1.0
    solver = (AndersonCD if gaussian else ProxNewton)(
        tol=tol * problem.alphas[0], fit_intercept=True, max_iter=1000
    )
    path = solver.path if gaussian else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if path is not None:
            coefs = path(data, y, Quadratic(), L1(1.0), problem.alphas)[1]
        else:
            coefs = warm_started(solver, data, y, problem.alphas)
    coefs, intercepts = sparse.csc_matrix(coefs[:-1]), coefs[-1].copy()
    if problem.kind == "genotypes":
        coefs, intercepts = problem.unscale(coefs, intercepts)
    return PathFit(coefs, intercepts)


def warm_started(solver, X, y, alphas):
    """ProxNewton has no path of its own: each fit starts from the one before."""
    n, p = X.shape
    coefs = np.zeros((p + 1, len(alphas)), order="F")
    w, eta = np.zeros(p + 1), np.zeros(n)
    for k, alpha in enumerate(alphas):
        w = solver.solve(X, y, Logistic(), L1(alpha), w, eta)[0].copy()
        eta = X @ w[:-1] + w[-1]
        coefs[:, k] = w
    return coefs
