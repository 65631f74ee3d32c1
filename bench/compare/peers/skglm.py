"""skglm: AndersonCD on the gaussian, MultiTaskBCD on several responses, ProxNewton with warm starts else.

tol bounds the largest KKT violation; it is taken as a share of the first alpha.
"""

import warnings

import numpy as np
import skglm
from scipy import sparse
from skglm.datafits import Cox, Logistic, Poisson, Quadratic, QuadraticMultiTask
from skglm.penalties import L1, L2_1
from skglm.solvers import AndersonCD, MultiTaskBCD, ProxNewton

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
    settings = {"tol": tol * problem.alphas[0], "max_iter": 1000}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if problem.loss == "multigaussian":
            return fit_rows(data, problem, settings)
        if problem.loss == "gaussian":
            path = AndersonCD(fit_intercept=True, **settings).path
            coefs = path(data, problem.y, Quadratic(), L1(1.0), problem.alphas)[1]
        else:
            coefs = warm_started(data, problem, settings)
    coefs, intercepts = sparse.csc_matrix(coefs[:-1]), coefs[-1].copy()
    if problem.kind == "genotypes":
        coefs, intercepts = problem.unscale(coefs, intercepts)
    return PathFit(coefs, intercepts)


def fit_rows(X, problem, settings):
    """X is centred, so the intercepts are the means of y."""
    share = problem.y.mean(axis=0)
    path = MultiTaskBCD(fit_intercept=False, **settings).path
    y = np.asfortranarray(problem.y - share)
    coefs = path(X, y, QuadraticMultiTask(), L2_1(1.0), problem.alphas)[1]  # K x p x L
    stacked = sparse.csc_matrix(coefs.reshape(-1, coefs.shape[2]))
    return PathFit(stacked, np.repeat(share[:, None], coefs.shape[2], axis=1))


def warm_started(X, problem, settings):
    """ProxNewton has no path of its own: each fit starts from the one before. (p + 1) x L, intercept last."""
    datafit, intercept = DATAFITS[problem.loss](), int(problem.loss != "cox")
    y = 2.0 * problem.y - 1.0 if problem.loss == "binomial" else problem.y
    solver = ProxNewton(fit_intercept=bool(intercept), **settings)
    n, p = X.shape
    coefs = np.zeros((p + 1, len(problem.alphas)), order="F")
    w, eta = np.zeros(p + intercept), np.zeros(n)
    for k, alpha in enumerate(problem.alphas):
        w = solver.solve(X, y, datafit, L1(alpha), w, eta)[0].copy()
        coefs[: p + intercept, k] = w
        eta = X @ w[:p] + coefs[p, k]
    return coefs
