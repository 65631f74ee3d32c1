"""A ridge path of riata beside `sklearn.linear_model.Ridge`, alpha by alpha, on made-up wide data.

Columns with correlation 0.5 to their neighbours (500 x 20,000), or tens with 0.9 (400 x 10,000). riata fits
100 alphas, scikit-learn every fifth of them, in turn, each --repeats times. One CSV row a problem and
package: alphas, median processor seconds, and the largest duality gap, from the data and by code of its own,
as a share of the null model's objective. Run with OMP_NUM_THREADS=1.
"""

import argparse
import csv
import sys
import time

import numpy as np
from scipy import signal
from sklearn.linear_model import Ridge

import riata

ALPHAS, APART = 100, 5
FIELDS = ("problem", "n", "p", "package", "alphas", "seconds", "gap")


def autoregressive(rng):
    """Columns that each have the correlation 0.5 with the one before."""
    noise = rng.standard_normal((500, 20_000)) * np.sqrt(0.75)
    return signal.lfilter([1.0], [1.0, -0.5], noise, axis=1)


def blocks(rng):
    """Columns in tens that have the correlation 0.9 with each other."""
    common = np.repeat(rng.standard_normal((400, 1_000)), 10, axis=1)
    return np.sqrt(0.9) * common + np.sqrt(0.1) * rng.standard_normal((400, 10_000))


def problem(X, rng):
    """Standardise the columns; a response of 20 of them, and as much noise."""
    X = np.asfortranarray((X - X.mean(axis=0)) / X.std(axis=0))
    signal_of = X[:, :: X.shape[1] // 20][:, :20].sum(axis=1)
    return X, signal_of / signal_of.std() + rng.standard_normal(len(X))


def gap(X, y, coef, intercept, alpha):
    """Objective of (1/2n) |y - Xb - b0|^2 + alpha/2 |b|^2 less a dual value, over that of the null model."""
    n = len(y)
    residual = y - X @ coef - intercept
    primal = 0.5 * np.mean(residual**2) + 0.5 * alpha * coef @ coef
    u = (residual - residual.mean()) / n
    slopes = X.T @ u
    dual = u @ y - 0.5 * n * u @ u - slopes @ slopes / (2.0 * alpha)
    return max(float(primal - dual), 0.0) / (0.5 * np.var(y))


def one_by_one(X, y, alphas):
    """Fit scikit-learn's Ridge at each alpha."""
    return [Ridge(alpha=alpha * len(y)).fit(X, y) for alpha in alphas]


def together(X, y, alphas):
    """Fit riata's path."""
    return riata.fit_path(X, y, l1_ratio=0.0, alphas=alphas, standardize=False, n_threads=1)


def timed(fit, *given):
    """Return what a fit returns, and processor seconds."""
    began = time.process_time()
    result = fit(*given)
    return result, time.process_time() - began


def main():
    """Print a CSV."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    out = csv.DictWriter(sys.stdout, FIELDS)
    out.writeheader()
    for make in (autoregressive, blocks):
        rng = np.random.default_rng(0)
        X, y = problem(make(rng), rng)
        largest = float(np.abs(X.T @ (y - y.mean())).max()) / len(y)
        alphas = np.geomspace(largest, 1e-2 * largest, ALPHAS) * 1e3
        few = alphas[APART - 1 :: APART]
        spent = {"riata": [], "scikit-learn": []}
        for _ in range(options.repeats):
            path, seconds = timed(together, X, y, alphas)
            spent["riata"].append(seconds)
            models, seconds = timed(one_by_one, X, y, few)
            spent["scikit-learn"].append(seconds)
        coefs = path.coefs.toarray()
        ours = [gap(X, y, coefs[:, k], path.intercepts[k], alphas[k]) for k in range(0, ALPHAS, APART)]
        theirs = [gap(X, y, model.coef_, model.intercept_, a) for model, a in zip(models, few, strict=True)]
        for package, count, worst in (("riata", ALPHAS, ours), ("scikit-learn", len(few), theirs)):
            out.writerow(
                {
                    "problem": make.__name__, "n": len(y), "p": X.shape[1], "package": package,
                    "alphas": count, "seconds": f"{np.median(spent[package]):.3f}",
                    "gap": f"{max(worst):.1e}",
                }
            )  # fmt: skip
        sys.stdout.flush()


if __name__ == "__main__":
    main()
