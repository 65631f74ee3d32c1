"""Knockoffs of tables: seconds of each step, and power at measured error, also of knockpy where installed.

    python bench/selection/knockoffs.py cost [--shape 1000x20000] [--threads 1] [--structure blocks]
    python bench/selection/knockoffs.py power [--seeds 24] [--design ar] [--shrunk 12] [--peers 5]

`cost` prints processor seconds of what is learned, of S and of a draw, and how much the peak of the process
grew beside X, of columns each of which has a correlation of 0.7 with the one before. `power` draws 500
samples of 1,000 features: neighbours with a correlation of 0.5 (``ar``), sets of 20 with 0.5 (``blocks``), or
five factors with half of the variance (``factors``); 40 of the features matter, by 5 / sqrt(n). The same
statistic, the lasso's coefficients at the alpha of 10-fold cross-validation, is computed for each kind of
knockoffs: riata's; those of one matrix of all features, shrunk as a whole (``shrunk``); and knockpy's, on
the first few replicates, for they take long. It prints the false discovery rate and the power at two
nominal rates, with standard errors, and processor seconds of a draw. CSV on standard output.
"""

import argparse
import csv
import resource
import sys
import time
from functools import partial

import numpy as np

import riata
from riata import _core
from riata.knockoffs import Gaussian


def seconds(run):
    """Processor seconds that a call takes, and what it returns."""
    began = time.process_time()
    out = run()
    return time.process_time() - began, out


def features(design, n, p, rng):
    """Samples of features that are correlated in one of three ways."""
    X = rng.standard_normal((n, p))
    if design == "ar":
        noise = np.sqrt(0.75) * X
        for j in range(1, p):
            X[:, j] = 0.5 * X[:, j - 1] + noise[:, j]
    elif design == "blocks":
        X = np.sqrt(0.5) * (X + np.repeat(rng.standard_normal((n, p // 20)), 20, axis=1))
    else:
        X = np.sqrt(0.5) * X + np.sqrt(0.1) * rng.standard_normal((n, 5)) @ rng.standard_normal((5, p))
    return np.asfortranarray(X)


def cost(given):
    """Print what a draw costs."""
    n, p = (int(number) for number in given.shape.split("x"))
    X = np.random.default_rng(0).standard_normal((n, p)).T.copy().T
    for j in range(1, p):
        X[:, j] = 0.7 * X[:, j - 1] + np.sqrt(0.51) * X[:, j]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sampler = Gaussian(structure=given.structure)
    learned, _ = seconds(lambda: sampler.fit(X, n_threads=given.threads))
    first, _ = seconds(lambda: sampler.draw(X, n_threads=given.threads))
    again, _ = seconds(lambda: sampler.draw(X, draw=1, n_threads=given.threads))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    yield "shape", "learn_s", "s_s", "draw_s", "mib"
    yield given.shape, *(f"{value:.1f}" for value in (learned, first - again, again)), f"{grown:.0f}"


def shrunk(X, seed):
    """Knockoffs by one correlation matrix of all features, shrunk as a whole: a p x p matrix."""
    n, p = X.shape
    none = np.zeros((n, 0)), np.zeros((p, 0))
    columns = (_core.dense_design(X), np.arange(n), X.mean(axis=0), X.std(axis=0), *none)
    order, first = np.arange(p), np.array([0, p])
    sigma, _ = _core.knockoff_correlations(*columns, order, first)
    gamma = _core.knockoff_distances(first, sigma, order, "mvr")
    out = np.empty((n, p), dtype=np.float32, order="F")
    _core.draw_gaussian(*columns, order, first, sigma, order, gamma, seed, 0, out)
    return out


def knockpy(X, seed):
    """Knockoffs of knockpy, by its estimate of the covariance."""
    from knockpy.knockoffs import GaussianSampler
    from knockpy.utilities import estimate_covariance

    np.random.seed(seed)  # noqa: NPY002, the generator that it uses
    return GaussianSampler(X, Sigma=estimate_covariance(X)[0], method="mvr").sample_knockoffs()


def statistic(X, knockoffs, y, seed):
    """Differences of absolute coefficients of standardised features and knockoffs, in a fair order."""
    p = X.shape[1]
    first = np.random.default_rng([seed, 1]).random(p) < 0.5
    both = np.empty((len(X), 2 * p), order="F")
    both[:, 0::2], both[:, 1::2] = np.where(first, X, knockoffs), np.where(first, knockoffs, X)
    size = np.abs(np.ravel(riata.cv_path(both, y, cv=10, n_threads=1).coef())) * both.std(axis=0)
    return np.where(first, 1.0, -1.0) * (size[0::2] - size[1::2])


def selected(W, fdr):
    """The features that knockoff+ selects."""
    for t in np.sort(np.abs(W[W != 0])):
        if (1 + np.sum(-t >= W)) <= fdr * max(1, np.sum(t <= W)):
            return t <= W
    return np.zeros(len(W), dtype=bool)


def kinds_of(given, seed):
    """What draws knockoffs of X with a seed, in the replicates that it takes part in."""
    out = {f"riata {structure}": partial(ours, structure) for structure in given.structures.split(",")}
    if seed < given.shrunk:
        out["all shrunk"] = shrunk
    if seed < given.peers:
        out["knockpy"] = knockpy
    return out


def ours(structure, X, seed):
    """Knockoffs of riata."""
    return Gaussian(structure=structure).fit(X, n_threads=1).draw(X, random_state=seed, n_threads=1).X


def power(given):
    """Print error and power of each kind of knockoffs."""
    n, p, found, spent = 500, 1_000, {}, {}
    for seed in range(given.seeds):
        rng = np.random.default_rng(seed)
        X = features(given.design, n, p, rng)
        beta = np.zeros(p)
        beta[rng.choice(p, 40, replace=False)] = rng.choice([-5, 5], 40) / np.sqrt(n)
        y = X @ beta + rng.standard_normal(n)
        for kind, draw in kinds_of(given, seed).items():
            took, made = seconds(partial(draw, X, seed))
            W = statistic(X, made, y, seed)
            spent.setdefault(kind, []).append(took)
            for fdr in (0.1, 0.2):
                chosen = selected(W, fdr)
                wrong = np.sum(chosen & (beta == 0)) / max(1, np.sum(chosen))
                found.setdefault((kind, fdr), []).append((wrong, np.sum(chosen & (beta != 0)) / 40))
    yield "design", "knockoffs", "replicates", "nominal", "fdr", "se", "power", "se", "draw_s"
    for (kind, fdr), pairs in found.items():
        mean, error = np.mean(pairs, axis=0), np.std(pairs, axis=0) / np.sqrt(len(pairs))
        numbers = [f"{value:.3f}" for value in (mean[0], error[0], mean[1], error[1])]
        yield given.design, kind, len(pairs), fdr, *numbers, f"{np.mean(spent[kind]):.2f}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(required=True)
    one = verbs.add_parser("cost")
    one.add_argument("--shape", default="1000x20000")
    one.add_argument("--threads", type=int, default=1)
    one.add_argument("--structure", default="blocks")
    one.set_defaults(run=cost)
    two = verbs.add_parser("power")
    two.add_argument("--seeds", type=int, default=24)
    two.add_argument("--design", choices=("ar", "blocks", "factors"), default="ar")
    two.add_argument("--structures", default="auto")
    two.add_argument("--shrunk", type=int, default=0, help="replicates of one shrunk matrix of all features")
    two.add_argument("--peers", type=int, default=0, help="replicates of knockpy")
    two.set_defaults(run=power)
    given = parser.parse_args()
    csv.writer(sys.stdout).writerows(given.run(given))


if __name__ == "__main__":
    main()
