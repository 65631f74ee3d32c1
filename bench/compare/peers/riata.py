"""riata: the path engine on arrays, sparse matrices and .bed files as they are."""

import numpy as np
from scipy import sparse

import riata
from peers import CVFit, PathFit

TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10)


def version():
    return riata.__version__


def refuses(problem):
    return None


def prepare(problem, threads):
    return riata.open_genotypes(str(problem.bed)) if problem.bed else problem.X


def fit(data, problem, tol, threads):
    path = riata.fit_path(
        data,
        problem.y,
        loss=problem.loss,
        alphas=problem.alphas,
        standardize=problem.standardize,
        tol=tol,
        n_threads=threads,
        **penalised(problem),
    )
    coefs = sparse.vstack(path.coefs, format="csc") if problem.n_responses > 1 else path.coefs
    return PathFit(coefs, np.asarray(path.intercepts), float(path.dual_gaps.max()), float(path.n_passes))


def penalised(problem):
    """How fit_path is told the penalty."""
    penalty = problem.penalty
    if penalty.name == "l1":
        return {}
    if penalty.name == "net":
        return {"l1_ratio": penalty.l1_ratio}
    if penalty.name == "rows":
        return {"grouped": True}
    if penalty.name == "groups":
        return {"penalty": riata.penalties.GroupLasso(np.arange(problem.X.shape[1]) // penalty.size)}
    if penalty.name == "mcp":
        return {"penalty": riata.penalties.MCP(penalty.gamma)}
    return {"penalty": riata.penalties.SLOPE(penalty.q)}


def cross_validate(data, problem, tol, threads):
    cv = riata.cv_path(
        data,
        problem.y,
        cv=problem.splits(),
        alphas=problem.alphas,
        standardize=problem.standardize,
        tol=tol,
        n_threads=threads,
    )
    return CVFit(cv.mean_score, cv.alphas, float(cv.path.n_passes))
