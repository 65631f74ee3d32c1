"""glmstar, glmnet's path code in C++ without R: one estimator a loss, on X as it is.

Genotypes are decoded beforehand. Its gaussian path divides y by its standard deviation, which is 1 in the
problems here, so that its elastic net is ours.
"""

import warnings
from importlib.metadata import version as installed

import glmnet
import numpy as np
import pandas as pd
from glmnet.paths.fastnet import FastNetControl
from scipy import sparse

from peers import PathFit, lacks

TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-14, 1e-16)
ESTIMATORS = {
    "gaussian": glmnet.GaussNet,
    "binomial": glmnet.LogNet,
    "poisson": glmnet.FishNet,
    "multinomial": glmnet.MultiClassNet,
    "multigaussian": glmnet.MultiGaussNet,
    "cox": glmnet.CoxNet,
}


def version():
    return installed("glmstar")


def refuses(problem):
    return lacks(problem, "l1", "net", "rows")


def prepare(problem, threads):
    return problem.standardized() if problem.kind == "genotypes" else problem.X


def fit(data, problem, tol, threads):
    model, y = estimator(problem, tol), problem.y
    if problem.loss == "cox":
        y = pd.DataFrame({"event": y[:, 0], "status": y[:, 1].astype(int)})
    elif problem.loss in ("binomial", "multinomial"):
        y = y.astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(data, y)
    fitted = len(model.lambda_values_)
    if fitted != len(problem.alphas):
        raise RuntimeError(f"glmstar stopped after {fitted} of {len(problem.alphas)} values of alpha")
    intercepts = np.asarray(model.intercepts_, dtype=np.float64)
    if problem.n_responses > 1:  # L x p x K
        columns = [sparse.csc_matrix(model.coefs_[:, :, k].T) for k in range(problem.n_responses)]
        return PathFit(sparse.vstack(columns, format="csc"), intercepts.reshape(fitted, -1).T)
    coefs = sparse.csc_matrix(model.coefs_.T)
    intercepts = np.zeros(fitted) if problem.loss == "cox" else intercepts.ravel()
    if problem.kind == "genotypes":
        coefs, intercepts = problem.unscale(coefs, intercepts)
    return PathFit(coefs, intercepts)


def estimator(problem, tol):
    """What fits this problem to this tolerance, at all of its alphas."""
    penalty = problem.penalty
    control = FastNetControl(fdev=0.0, devmax=1.0, mnlam=len(problem.alphas), thresh=tol, maxit=10**9)
    given = {"standardize": False, "lambda_values": problem.alphas, "control": control}
    given["alpha"] = penalty.l1_ratio if penalty.name == "net" else 1.0
    if problem.loss == "multinomial":
        given["grouped"] = penalty.name == "rows"
    if problem.loss == "cox":
        given |= {"fit_intercept": False, "family": glmnet.cox.CoxFamily(tie_breaking="breslow")}
    return ESTIMATORS[problem.loss](**given)
