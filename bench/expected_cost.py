"""What ``riata info`` says that ``riata cv`` takes, beside what it does: memory and processor time.

    python bench/expected_cost.py

One thread, ten folds, a response of ten effects and as much noise. Ratios should lie between 1/2 and 2.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import scipy.sparse as sp

import riata
from riata.study.expected_cost import expected_cost

SIZES = [(100, 2000), (72, 7129), (200, 20_000), (500, 5000), (1000, 20_000), (500, 60_000)]
SIZES += [(2000, 300), (5000, 50)]  # taller than wide


def main() -> None:
    rng = np.random.default_rng(0)
    tables = [("dense", rng.standard_normal((n, p))) for n, p in SIZES]
    tables += [("sparse", sp.random(n, 20_000, 0.01, format="csc", random_state=0)) for n in (500, 2000)]
    riata.cv_path(tables[0][1], rng.standard_normal(SIZES[0][0]), alphas=5, n_threads=1)  # imports
    print(f"{'table':<22}{'memory, MiB':>24}{'ratio':>7}{'processor time, s':>24}{'ratio':>7}")
    for kind, X in tables:
        X = np.asfortranarray(X) if kind == "dense" else X
        eta = np.asarray(X[:, :10] @ rng.standard_normal(10)).ravel()
        y = eta + (eta.std() or 1.0) * rng.standard_normal(X.shape[0])
        told = expected_cost(X)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            began = time.process_time()
            path = riata.cv_path(X, y, n_threads=1).path
            spent = time.process_time() - began
        memory = path.counters["memory"]
        n, p = X.shape
        print(
            f"{kind + f' {n:,} x {p:,}':<22}"
            f"{f'{told.memory / 2**20:.1f} told, {memory / 2**20:.1f}':>24}{told.memory / memory:>7.2f}"
            f"{f'{told.seconds:.2f} told, {spent:.2f}':>24}{told.seconds / spent:>7.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
