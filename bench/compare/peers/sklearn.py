"""scikit-learn: enet_path for one response or more; one fit per alpha for the binomial (liblinear) and the
multinomial (saga, with warm starts).

liblinear penalises its intercept; a large intercept_scaling makes that penalty negligible. Its objective is
C * (sum of losses) + |b|_1, as is that of saga, so C = 1 / (n alpha).
"""

import warnings

import numpy as np
import sklearn
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV, LogisticRegression, enet_path

from peers import CVFit, PathFit, lacks

TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
INTERCEPT_SCALING = 1e3


def version():
    return sklearn.__version__


def refuses(problem):
    if problem.loss == "multinomial" and problem.penalty.name == "rows":
        return "its logistic regression does not penalise rows"
    others = {"cox": "it has no Cox loss", "poisson": "its Poisson loss has no L1 penalty"}
    return lacks(problem, "l1", "net", "rows") or others.get(problem.loss)


def prepare(problem, threads):
    return problem.standardized() if problem.kind == "genotypes" else problem.X


def fit(data, problem, tol, threads):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        if problem.loss == "binomial":
            return fit_binomial(data, problem, tol)
        if problem.loss == "multinomial":
            return fit_multinomial(data, problem, tol)
        return fit_gaussian(data, problem, tol)


def fit_gaussian(X, problem, tol):
    share = problem.y.mean(axis=0)
    l1_ratio = problem.penalty.l1_ratio if problem.penalty.name == "net" else 1.0
    settings = {
        "l1_ratio": l1_ratio,
        "alphas": problem.alphas,
        "copy_X": False,
        "tol": tol,
        "max_iter": 100_000,
    }
    mean = np.zeros(X.shape[1])
    if sparse.issparse(X):
        mean = np.asarray(X.mean(axis=0)).ravel()
        settings |= {"X_offset": mean, "X_scale": np.ones(X.shape[1])}
    _, coefs, gaps = enet_path(X, problem.y - share, **settings)
    if problem.loss == "multigaussian":  # K x p x L; X is centred
        stacked = sparse.csc_matrix(coefs.reshape(-1, coefs.shape[2]))
        null = 0.5 * problem.y.var(axis=0).sum()
        return PathFit(stacked, np.repeat(share[:, None], len(gaps), axis=1), float(gaps.max() / null))
    coefs = sparse.csc_matrix(coefs)
    intercepts = share - coefs.T @ mean
    if problem.kind == "genotypes":
        coefs, intercepts = problem.unscale(coefs, intercepts)
    return PathFit(coefs, intercepts, float(gaps.max() / (0.5 * problem.y.var())))


def fit_binomial(X, problem, tol):
    columns, intercepts = [], []
    for alpha in problem.alphas:
        model = LogisticRegression(
            C=1.0 / (len(problem.y) * alpha),
            l1_ratio=1.0,
            solver="liblinear",
            intercept_scaling=INTERCEPT_SCALING,
            tol=tol,
            max_iter=10_000,
            random_state=0,
        ).fit(X, problem.y)
        columns.append(sparse.csc_matrix(model.coef_.T))
        intercepts.append(model.intercept_[0])
    return PathFit(sparse.hstack(columns, format="csc"), np.array(intercepts))


def fit_multinomial(X, problem, tol):
    columns, intercepts = [], []
    model = LogisticRegression(
        l1_ratio=1.0, solver="saga", tol=tol, max_iter=10_000, random_state=0, warm_start=True
    )
    for alpha in problem.alphas:
        model.set_params(C=1.0 / (len(problem.y) * alpha)).fit(X, problem.y)
        columns.append(sparse.csc_matrix(model.coef_.reshape(-1, 1)))
        intercepts.append(model.intercept_.copy())
    return PathFit(sparse.hstack(columns, format="csc"), np.array(intercepts).T)


def cross_validate(data, problem, tol, threads):
    settings = {"alphas": problem.alphas, "cv": problem.splits(), "tol": tol, "max_iter": 100_000}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LassoCV(**settings, n_jobs=threads).fit(data, problem.y)
    return CVFit(model.mse_path_.mean(axis=1), model.alphas_)
