"""How often intervals of the debiased lasso cover the true effects, and how far they lean.

    python bench/selection/intervals.py [--loss gaussian ...] [--size S] [--replicates 60] [...]

Features are AR(1) with correlation 0.5; ten of them, far apart, matter, with signs in turn and sizes of half
the noise (gaussian), 0.5 on the log odds (binomial), 0.25 on the log mean (poisson). Each replicate asks for
the ten and for ten that do not matter, named beforehand, half of which stand beside one that does; then for
those that the lasso selects, at the level that allows for the selection (fcr). Printed for each loss and kind
of features: intervals, the share that covers with its standard error, the mean error towards the true sign in
standard errors (`lean`), the spread of errors in standard errors (`spread`, 1 if these are right), and the
median width. For the selected: the mean share of a replicate's intervals that misses. CSV.
"""

import argparse
import csv
import sys
import time
import warnings

import numpy as np

import riata

SIZES = {"gaussian": 0.5, "binomial": 0.5, "poisson": 0.25}


def draw(loss, size, n, p, seed):
    """X, y and the true coefficients of a replicate."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = 0.5 * X[:, j - 1] + np.sqrt(0.75) * X[:, j]
    beta = np.zeros(p)
    beta[signals(p)] = size * np.where(np.arange(10) % 2, -1.0, 1.0)
    link = X @ beta
    if loss == "gaussian":
        return X, link + rng.standard_normal(n), beta
    if loss == "binomial":
        return X, (rng.random(n) < 1 / (1 + np.exp(-link))).astype(float), beta
    return X, rng.poisson(np.exp(link)).astype(float), beta


def signals(p):
    """The ten features that matter."""
    return p // 20 + p // 10 * np.arange(10)


def main():
    """Print a CSV."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--loss", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--size", type=float, help="of the effects, in place of the sizes above")
    parser.add_argument("--replicates", type=int, default=60)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--features", type=int, default=800)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    out = csv.writer(sys.stdout)
    out.writerow(
        ["loss", "size", "features", "intervals", "cover", "se", "lean", "spread", "width", "seconds"]
    )
    active = signals(given.features)
    idle = np.sort(np.r_[active[:5] + 1, active[5:] + 20])
    for loss in given.loss:
        size = SIZES[loss] if given.size is None else given.size
        named, chosen, began = {"active": [], "inactive": []}, [], time.process_time()
        for seed in range(given.replicates):
            X, y, beta = draw(loss, size, given.samples, given.features, seed)
            run = {"loss": loss, "n_threads": 1, "random_state": seed}
            asked = np.sort(np.r_[active, idle])
            found = riata.debiased_lasso(X, y, features=asked, **run)
            way = np.where(beta[asked] < 0, -1.0, 1.0)
            off = way * (found.coef - beta[asked]) / found.se
            rows = np.column_stack(
                [(found.lower <= beta[asked]) & (beta[asked] <= found.upper), off, found.upper - found.lower]
            )
            named["active"].append(rows[np.isin(asked, active)])
            named["inactive"].append(rows[np.isin(asked, idle)])
            try:
                found = riata.debiased_lasso(X, y, features="selected", **run)
            except ValueError:  # nothing is selected, so nothing misses
                chosen.append((0, 0.0))
                continue
            true = beta[found.features]
            chosen.append((len(true), np.mean((true < found.lower) | (found.upper < true))))
        spent = (time.process_time() - began) / given.replicates
        for kind, rows in named.items():
            table = np.concatenate(rows)
            cover = table[:, 0].mean()
            error = np.sqrt(cover * (1 - cover) / len(table))
            lean, spread, width = table[:, 1].mean(), table[:, 1].std(), np.median(table[:, 2])
            numbers = [f"{value:.3f}" for value in (cover, error, lean, spread, width, spent)]
            out.writerow([loss, size, kind, len(table), *numbers])
        miss = np.array([share for _, share in chosen])
        out.writerow(
            [loss, size, "selected, fcr", sum(count for count, _ in chosen), f"{1 - miss.mean():.3f}",
             f"{miss.std(ddof=1) / np.sqrt(len(miss)):.3f}", "", "", "", f"{spent:.3f}"]
        )  # fmt: skip
        sys.stdout.flush()


if __name__ == "__main__":
    main()
