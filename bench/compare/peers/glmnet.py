"""glmnet through Rscript: arrays pass as .npy files, and R times its own call after a warm-up."""

import atexit
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from scipy import sparse

from peers import CVFit, PathFit, lacks

TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-14, 1e-16)
SCRIPT = Path(__file__).with_name("glmnet.R")


def version():
    if shutil.which("Rscript") is None:
        raise ImportError("Rscript not found")
    asked = subprocess.run(
        ["Rscript", "-e", 'cat(as.character(packageVersion("glmnet")))'],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode != 0:
        raise ImportError("R has no glmnet")
    return asked.stdout


def refuses(problem):
    return lacks(problem, "l1", "rows")


def prepare(problem, threads):
    """A folder of .npy files that glmnet.R reads."""
    folder = Path(tempfile.mkdtemp(prefix="glmnet-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if problem.kind == "sparse":
        for part in ("data", "indices", "indptr"):
            np.save(folder / f"{part}.npy", getattr(problem.X, part))
    else:
        np.save(folder / "X.npy", problem.standardized() if problem.kind == "genotypes" else problem.X)
    np.save(folder / "y.npy", np.asfortranarray(problem.y))
    np.save(folder / "alphas.npy", problem.alphas)
    if problem.folds is not None:
        np.save(folder / "folds.npy", problem.folds)
    return folder


def run(data, problem, tol):
    """Let R do it; what it wrote is read back by name."""
    n, p = problem.X.shape
    family = "mgaussian" if problem.loss == "multigaussian" else problem.loss
    command = ["Rscript", str(SCRIPT), str(data), str(n), str(p), problem.kind, family, repr(tol)]
    command.append("grouped" if problem.penalty.name == "rows" else "ungrouped")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return lambda name, dtype=np.float64: np.fromfile(data / f"out_{name}.bin", dtype=dtype)


def fit(data, problem, tol, threads):
    read = run(data, problem, tol)
    parts = read("x"), read("i", np.int32), read("p", np.int32)
    intercepts, (seconds, peak_mb) = read("a0").reshape(-1, problem.n_responses).T, read("cost")
    fitted = intercepts.shape[1]
    if fitted != len(problem.alphas):
        raise RuntimeError(f"glmnet stopped after {fitted} of {len(problem.alphas)} values of alpha")
    coefs = sparse.csc_matrix(parts, shape=(problem.n_responses * problem.X.shape[1], fitted))
    if problem.n_responses == 1:
        intercepts = intercepts[0]
    if problem.kind == "genotypes":
        coefs, intercepts = problem.unscale(coefs, intercepts)
    return PathFit(coefs, intercepts, seconds=float(seconds), peak_mb=float(peak_mb))


def cross_validate(data, problem, tol, threads):
    read = run(data, problem, tol)
    seconds, peak_mb = read("cost")
    return CVFit(read("curve"), read("alphas"), seconds=float(seconds), peak_mb=float(peak_mb))
