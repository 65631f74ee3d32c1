"""adelie: grpnet with groups of one; genotypes from its own compressed format, written beforehand."""

import tempfile
from pathlib import Path

import adelie as ad
import numpy as np
from scipy import sparse

from peers import PathFit

TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-14)


def version():
    return ad.__version__


def refuses(problem):
    return None


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


def fit(data, problem, tol, threads):
    glm = (ad.glm.gaussian if problem.loss == "gaussian" else ad.glm.binomial)(y=problem.y)
    state = ad.grpnet(
        X=data,
        glm=glm,
        lmda_path=problem.alphas,
        tol=tol,
        irls_tol=tol,
        max_iters=10_000_000,
        early_exit=False,
        n_threads=threads,
        progress_bar=False,
    )
    coefs, intercepts = sparse.csc_matrix(state.betas.T), np.array(state.intercepts)
    if problem.kind == "genotypes":
        coefs, intercepts = problem.unscale(coefs, intercepts)
    return PathFit(coefs, intercepts)
