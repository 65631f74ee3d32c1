"""celer: celer_path on centred columns (sparse ones lazily), mtl_path where there are several responses.

Its group lasso has weights 1 unless told others.

mtl_path is what its MultiTaskLasso calls: that of celer 0.7.4 does not start with scikit-learn 1.9. Its
logistic regression has no intercept.
"""

import warnings

import celer
import numpy as np
from celer.homotopy import mtl_path
from joblib import Parallel, delayed
from problems import Problem
from scipy import sparse

from peers import CVFit, PathFit, lacks

TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)


def version():
    return celer.__version__


def refuses(problem):
    if problem.loss == "binomial":
        return "its logistic regression fits no intercept"
    if problem.loss not in ("gaussian", "multigaussian"):
        return f"it has no {problem.loss} loss"
    return lacks(problem, "l1", "rows", "groups")


def prepare(problem, threads):
    return problem.standardized() if problem.kind == "genotypes" else problem.X


def fit(data, problem, tol, threads):
    return (fit_rows if problem.penalty.name == "rows" else fit_gaussian)(data, problem, tol)


def fit_rows(data, problem, tol):
    """X is centred, so the intercepts are the means of y."""
    share = problem.y.mean(axis=0)
    y = np.asfortranarray(problem.y - share)
    settings = {"alphas": problem.alphas, "tol": tol, "max_iter": 1000, "prune": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, coefs, gaps = mtl_path(data, y, **settings)  # coefs K x p x L
    stacked = sparse.csc_matrix(coefs.reshape(-1, coefs.shape[2]))
    null = 0.5 * problem.y.var(axis=0).sum()
    return PathFit(stacked, np.repeat(share[:, None], len(gaps), axis=1), float(gaps.max() / null))


def fit_gaussian(data, problem, tol):
    share = problem.y.mean()
    settings = {"alphas": problem.alphas, "tol": tol, "max_iter": 1000, "prune": True}
    mean, size, kind = np.zeros(data.shape[1]), problem.penalty.size, "lasso"
    if problem.penalty.name == "groups":
        kind = "grouplasso"
        settings |= {"groups": size, "weights": np.full(data.shape[1] // size, np.sqrt(size))}
    if sparse.issparse(data):
        mean = np.asarray(data.mean(axis=0)).ravel()
        settings |= {"X_offset": mean, "X_scale": np.ones(data.shape[1])}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, coefs, gaps = celer.celer_path(data, problem.y - share, kind, **settings)
    coefs = sparse.csc_matrix(coefs)
    intercepts = share - coefs.T @ mean
    if problem.kind == "genotypes":
        coefs, intercepts = problem.unscale(coefs, intercepts)
    return PathFit(coefs, intercepts, float(gaps.max() / (0.5 * problem.y.var())))


def cross_validate(data, problem, tol, threads):
    """What its LassoCV does, by hand: that of celer 0.7.4 does not start with scikit-learn 1.9."""
    fit(data, problem, tol, threads)
    folds = (delayed(held_out)(data, problem, tol, *split) for split in problem.splits())
    return CVFit(np.mean(Parallel(n_jobs=threads, prefer="threads")(folds), axis=0), problem.alphas)


def held_out(X, problem, tol, train, test):
    """Mean squared errors on the rows `test` of a path on the rows `train`, centred by themselves."""
    mean = X[train].mean(axis=0)
    part = Problem(
        problem.name, problem.loss, np.asfortranarray(X[train] - mean), problem.y[train], problem.alphas
    )
    path = fit(part.X, part, tol, 1)
    return np.mean((problem.y[test, None] - (X[test] - mean) @ path.coefs - path.intercepts) ** 2, axis=0)
