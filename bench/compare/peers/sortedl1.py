"""sortedl1: Slope.path, which ends early on its own unless told not to."""

import numpy as np
import sortedl1
from scipy import sparse

from peers import PathFit, lacks

TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)
WHOLE_PATH = {"tol_dev_change": 0.0, "tol_dev_ratio": 1.0, "max_clusters": 2**31 - 1}


def version():
    return sortedl1.__version__


def refuses(problem):
    return lacks(problem, "slope")


def prepare(problem, threads):
    return problem.X


def fit(data, problem, tol, threads):
    model = sortedl1.Slope(lam=problem.penalty.weights(data.shape[1]), tol=tol, max_iter=10_000_000)
    path = model.path(data, problem.y, alphas=problem.alphas, **WHOLE_PATH)
    coefs = sparse.csc_matrix(path.coefs[:, 0])  # p x 1 x L
    return PathFit(coefs, np.asarray(path.intercepts)[0])
