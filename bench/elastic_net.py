"""Elastic net paths of riata beside adelie, at equal certified gap, on made-up wide data.

Columns with correlation 0.5 to their neighbours (500 x 20,000), 50 alphas from the largest down to 0.01 of
it, for L1 shares of 0.5, 0.1 and 0.01. Each package has the loosest of its tolerances whose largest gap over
the path, from the data and by code of its own, is at most 1e-6 of the null model's objective. One CSV row a
share and package: features active at the end, median processor seconds of --repeats fits, and that gap.
adelie is used where it is installed. Run with OMP_NUM_THREADS=1.
"""

import argparse
import csv
import importlib.util
import sys
import time

import numpy as np
from ridge import autoregressive, columns, respond

import riata

SHARES, ALPHAS, ENOUGH = (0.5, 0.1, 0.01), 50, 1e-6
FIELDS = ("l1_ratio", "package", "tol", "active", "seconds", "gap")


def largest_gap(X, y, coefs, intercepts, alphas, l1_ratio):
    """Objective less a dual value, over that of the null model: the largest of a path."""
    n, gaps = len(y), []
    for coef, intercept, alpha in zip(coefs, intercepts, alphas, strict=True):
        residual, l1, l2 = y - X @ coef - intercept, alpha * l1_ratio, alpha * (1.0 - l1_ratio)
        primal = 0.5 * np.mean(residual**2) + l1 * np.abs(coef).sum() + 0.5 * l2 * coef @ coef
        u = (residual - residual.mean()) / n
        excess = np.maximum(np.abs(X.T @ u) - l1, 0.0)
        gaps.append(primal - (u @ y - 0.5 * n * u @ u - excess @ excess / (2.0 * l2)))
    return max(gaps) / (0.5 * np.var(y))


def by_riata(X, y, alphas, l1_ratio, tol):
    """Coefficients, a row an alpha, and intercepts of riata."""
    path = riata.fit_path(X, y, alphas=alphas, l1_ratio=l1_ratio, standardize=False, tol=tol, n_threads=1)
    return path.coefs.T, path.intercepts


def by_adelie(X, y, alphas, l1_ratio, tol):
    """The same of adelie."""
    import adelie

    state = adelie.grpnet(
        X=adelie.matrix.dense(X, method="naive", n_threads=1), glm=adelie.glm.gaussian(y=y),
        groups=np.arange(X.shape[1]), alpha=l1_ratio, lmda_path=alphas, tol=tol, early_exit=False,
        intercept=True, progress_bar=False, n_threads=1,
    )  # fmt: skip
    return state.betas, state.intercepts


def main():
    """Print a CSV."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    packages = {"riata": (by_riata, (1e-6,))}
    if importlib.util.find_spec("adelie"):
        packages["adelie"] = (by_adelie, (1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12))
    out = csv.DictWriter(sys.stdout, FIELDS)
    out.writeheader()
    rng = np.random.default_rng(0)
    X = columns(autoregressive(rng, 500, 20_000))
    y = respond(rng, X, "gaussian")
    largest = float(np.abs(X.T @ (y - y.mean())).max()) / len(y)
    for l1_ratio in SHARES:
        alphas = np.geomspace(largest, 1e-2 * largest, ALPHAS) / l1_ratio
        for package, (fit, tolerances) in packages.items():
            for tol in tolerances:
                spent = []
                for _ in range(options.repeats):
                    began = time.process_time()
                    coefs, intercepts = fit(X, y, alphas, l1_ratio, tol)
                    spent.append(time.process_time() - began)
                coefs = coefs.toarray()
                gap = largest_gap(X, y, coefs, intercepts, alphas, l1_ratio)
                if gap <= ENOUGH:
                    break
            out.writerow(
                {
                    "l1_ratio": l1_ratio, "package": package, "tol": tol,
                    "active": np.count_nonzero(coefs[-1]), "seconds": f"{np.median(spent):.3f}",
                    "gap": f"{gap:.1e}",
                }
            )  # fmt: skip
            sys.stdout.flush()


if __name__ == "__main__":
    main()
