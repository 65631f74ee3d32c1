"""adelie: grpnet, with groups of one column where there are none; genotypes from its own compressed format,
written beforehand.

With K responses or classes a group is a row of coefficients, and the loss is divided by n K, not n.
"""

import tempfile
from pathlib import Path

import adelie as ad
import numpy as np
from scipy import sparse

from peers import CVFit, PathFit, lacks

TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-14)


def version():
    return ad.__version__


def refuses(problem):
    if problem.loss == "multinomial" and problem.penalty.name != "rows":
        return "its multinomial loss penalises whole rows"
    return lacks(problem, "l1", "net", "rows", "groups")


def prepare(problem, threads):
    if problem.kind == "dense":
        return problem.X
    if problem.kind == "sparse":
        return ad.matrix.sparse(problem.X, method="naive", n_threads=threads)
    with tempfile.TemporaryDirectory() as folder:
        file = ad.io.snp_unphased(str(Path(folder) / "X.snpdat"), read_mode="file")
        file.write(np.asfortranarray(problem.X), impute_method="mean", n_threads=threads)
        file.read()
        counts = ad.matrix.snp_unphased(file, n_threads=threads)
        mean, scale = problem.moments()  # given, since the matrix's own mean is 0 in adelie 1.1.52
        return ad.matrix.standardize(counts, mean, scale, n_threads=threads)


def settings(tol, threads):
    limits = {"max_iters": 10_000_000, "early_exit": False, "progress_bar": False}
    return limits | {"tol": tol, "irls_tol": tol, "n_threads": threads}


def glm(problem):
    y = problem.y
    if problem.loss == "cox":
        return ad.glm.cox(np.zeros(len(y)), y[:, 0].copy(), y[:, 1].copy(), tie_method="breslow")
    if problem.loss == "multinomial":
        return ad.glm.multinomial(y=np.eye(problem.n_responses)[y.astype(int)])
    return getattr(ad.glm, problem.loss)(y=y)


def grpnet(data, problem, tol, threads):
    size = problem.penalty.size
    starts = np.arange(0, problem.X.shape[1], size)
    return ad.grpnet(
        X=data,
        glm=glm(problem),
        lmda_path=problem.alphas / problem.n_responses,
        groups=starts,
        penalty=np.full(len(starts), np.sqrt(size)),  # its default is the root of size times K
        alpha=problem.penalty.l1_ratio if problem.penalty.name == "net" else 1.0,
        intercept=problem.loss != "cox",
        **settings(tol, threads),
    )


def fit(data, problem, tol, threads):
    state, K = grpnet(data, problem, tol, threads), problem.n_responses
    if K > 1:  # its columns run over responses first
        coefs = sparse.vstack([state.betas[:, k::K].T for k in range(K)], format="csc")
        return PathFit(coefs, np.asarray(state.intercepts).T)
    coefs, intercepts = sparse.csc_matrix(state.betas.T), np.array(state.intercepts)
    if problem.kind == "genotypes":
        coefs, intercepts = problem.unscale(coefs, intercepts)
    return PathFit(coefs, intercepts)


def cross_validate(data, problem, tol, threads):
    """cv_grpnet takes neither folds nor alphas: the problem has those of its seed 0, the grid is its own."""
    grpnet(data, problem, tol, threads)
    grid = {"min_ratio": problem.alphas[-1] / problem.alphas[0], "lmda_path_size": len(problem.alphas)}
    count = int(problem.folds.max()) + 1
    glm = ad.glm.gaussian(y=problem.y)
    cv = ad.cv_grpnet(data, glm, n_folds=count, seed=0, **grid, **settings(tol, threads))
    squares = [np.mean(problem.y[test] ** 2) for _, test in problem.splits()]
    return CVFit(np.mean(squares) + 2.0 * cv.avg_losses, cv.lmdas)  # its loss is eta^2/2 - y eta
