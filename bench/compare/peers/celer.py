"""celer: celer_path on centred columns (sparse ones lazily); its logistic regression has no intercept."""

import warnings

import celer
import numpy as np
from scipy import sparse

from peers import PathFit

TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)


def version():
    return celer.__version__


def refuses(problem):
    return "its logistic regression fits no intercept" if problem.loss == "binomial" else None


def prepare(problem, threads):
    return problem.standardized() if problem.kind == "genotypes" else problem.X


def fit(data, problem, tol, threads):
    share = problem.y.mean()
    settings = {"alphas": problem.alphas, "tol": tol, "max_iter": 1000, "prune": True}
    mean = np.zeros(data.shape[1])
    if sparse.issparse(data):
        mean = np.asarray(data.mean(axis=0)).ravel()
        settings |= {"X_offset": mean, "X_scale": np.ones(data.shape[1])}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, coefs, gaps = celer.celer_path(data, problem.y - share, "lasso", **settings)
    coefs = sparse.csc_matrix(coefs)
    intercepts = share - coefs.T @ mean
    if problem.kind == "genotypes":
        coefs, intercepts = problem.unscale(coefs, intercepts)
    return PathFit(coefs, intercepts, float(gaps.max() / (0.5 * problem.y.var())))
