"""What a warm start would save of a refit at a neighbouring alpha, which estimators do from nothing.

Prints CSV, in milliseconds of CPU: `cold`, a fit at one alpha from nothing; `idle`, one that has nothing to
solve, as at the largest alpha, but reads X and certifies all the same, which no start spares `fit`; and
`added`, what the alpha adds to a path that has its neighbour, where coefficients and all that was measured of
X are kept. A warm start that keeps the coefficients lies between `idle` and `cold`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

import riata

SIZES = ((1000, 100), (200, 2000), (500, 10_000), (20_000, 500))


def problem(n: int, p: int, loss: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return normal columns correlated 0.5 with their neighbours, and a response of ten of them."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((n, p)))
    for j in range(1, p):
        X[:, j] = 0.5 * X[:, j - 1] + np.sqrt(0.75) * X[:, j]
    noisy = X[:, :: p // 10][:, :10] @ rng.choice([-1.0, 1.0], 10) + 2.0 * rng.standard_normal(n)
    return X, noisy if loss == "gaussian" else (noisy > 0.0).astype(float)


def timed(fit: Callable[[list[float]], riata.RegularizationPath], alphas: list[float]) -> tuple[float, float]:
    """Return the CPU seconds of a fit, and its passes over X."""
    began = time.process_time()
    path = fit(alphas)
    return time.process_time() - began, path.n_passes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratio", type=float, default=0.9, help="of the alpha refitted to the one before")
    parser.add_argument("--depth", type=float, default=0.1, help="of the alpha before to the largest alpha")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print("loss,n,p,active,cold_ms,idle_ms,added_ms,cold_passes,idle_passes,added_passes", flush=True)
    for loss in ("gaussian", "binomial"):
        for n, p in SIZES:
            X, y = problem(n, p, loss, asked.seed)

            def fit(alphas: list[float] | int, X=X, y=y, loss=loss) -> riata.RegularizationPath:
                return riata.fit_path(X, y, loss=loss, alphas=alphas, n_threads=1)

            largest = fit(1).alphas[0]
            before, after = asked.depth * largest, asked.depth * asked.ratio * largest
            grids = ([after], [1.01 * largest], [before], [before, after])
            runs = [[timed(fit, grid) for grid in grids] for _ in range(asked.repeats)]
            cold, idle = (statistics.median(run[k][0] for run in runs) for k in range(2))
            added = statistics.median(run[3][0] - run[2][0] for run in runs)
            passes = [passes for _, passes in runs[0]]
            active = fit([after]).n_active[0]
            print(
                f"{loss},{n},{p},{active},{1e3 * cold:.1f},{1e3 * idle:.1f},{1e3 * added:.1f},"
                f"{passes[0]:.1f},{passes[1]:.1f},{passes[3] - passes[2]:.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
