"""A ridge path of riata beside scikit-learn's models one by one, on made-up wide data.

Columns with correlation 0.5 to their neighbours (500 x 20,000), or tens with 0.9 (400 x 10,000), dense; the
first also with two classes or counts as y; genotypes of 2,000 people, as a .bed and, for scikit-learn,
decoded; counts of words. riata fits 100 alphas, scikit-learn a few of them, in turn, each --repeats times.
With squares scikit-learn is given what it needs: of the solvers and tolerances of Ridge the quickest that
leaves no larger gap than riata does (or 1e-8), and, for dense X, all 100 alphas in one call, which shares the
products of rows. One CSV row a problem and package: alphas, median processor seconds, and the largest duality
gap at the alphas of both, from the data and by code of its own, as a share of the null model's objective. Run
with OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TextIO

import numpy as np
from compare import provenance
from compare.losses import LOSSES
from scipy import signal, sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge

import riata

ALPHAS = 100
FIELDS = ("date", "commit", "machine", "problem", "n", "p")
FIELDS += ("package", "settings", "alphas", "seconds", "gap")


@dataclass
class Case:
    """One problem: X as each package takes it, and the loss; scikit-learn fits every `apart`-th alpha."""

    name: str
    loss: str
    ours: object
    theirs: np.ndarray | sparse.csc_matrix
    y: np.ndarray
    apart: int = 5


def autoregressive(rng: np.random.Generator, n: int, p: int) -> np.ndarray:
    """Columns that each have the correlation 0.5 with the one before."""
    noise = rng.standard_normal((n, p)) * np.sqrt(0.75)
    return signal.lfilter([1.0], [1.0, -0.5], noise, axis=1)


def blocks(rng: np.random.Generator, n: int, p: int) -> np.ndarray:
    """Columns in tens that have the correlation 0.9 with each other."""
    common = np.repeat(rng.standard_normal((n, p // 10)), 10, axis=1)
    return np.sqrt(0.9) * common + np.sqrt(0.1) * rng.standard_normal((n, p))


def words(rng: np.random.Generator, n: int, p: int) -> sparse.csc_matrix:
    """Counts, some fifty a row."""
    rows = np.repeat(np.arange(n), 50)
    X = sparse.coo_matrix(
        (np.ones(len(rows)), (rows, (p * rng.random(len(rows)) ** 2).astype(int))), (n, p)
    ).tocsc()
    X.sum_duplicates()
    return X


def columns(X: np.ndarray) -> np.ndarray:
    """Standardised, in Fortran order."""
    return np.asfortranarray((X - X.mean(axis=0)) / X.std(axis=0))


def respond(rng: np.random.Generator, X: np.ndarray | sparse.csc_matrix, loss: str) -> np.ndarray:
    """A response of twenty columns, and as much noise."""
    chosen = X[:, :: X.shape[1] // 20][:, :20]
    truth = np.asarray(chosen.sum(axis=1)).ravel()
    truth = (truth - truth.mean()) / truth.std()
    if loss == "binomial":
        return (rng.random(len(truth)) < 1.0 / (1.0 + np.exp(-2.0 * truth))).astype(np.float64)
    if loss == "poisson":
        return rng.poisson(2.0 * np.exp(0.5 * truth)).astype(np.float64)
    return truth + rng.standard_normal(len(truth))


def cases(folder: Path, shrink: int) -> list[Callable[[], Case]]:
    """What is compared; sizes are divided by `shrink`."""

    def dense(name: str, make: Callable, n: int, p: int, loss: str, apart: int) -> Case:
        rng = np.random.default_rng(0)
        X = columns(make(rng, n // shrink, p // shrink))
        return Case(name, loss, X, X, respond(rng, X, loss), apart)

    def counts() -> Case:
        rng = np.random.default_rng(0)
        X = words(rng, 1_000 // shrink, 20_000 // shrink)
        return Case("words", "gaussian", X, X, respond(rng, X, "gaussian"))

    def genotypes() -> Case:
        bed = riata.simulate_genotypes(folder / "ridge", 2_000 // shrink, 20_000 // shrink, missing=0.0)
        opened = riata.open_genotypes(bed)
        X = columns(opened.to_numpy())
        y = np.asarray(opened.samples.phenotype, dtype=np.float64)
        return Case("genotypes", "gaussian", opened, X, y, 20)

    return [
        lambda: dense("autoregressive", autoregressive, 500, 20_000, "gaussian", 5),
        lambda: dense("blocks", blocks, 400, 10_000, "gaussian", 5),
        lambda: dense("autoregressive, two classes", autoregressive, 500, 20_000, "binomial", 20),
        lambda: dense("autoregressive, counts", autoregressive, 500, 20_000, "poisson", 20),
        genotypes,
        counts,
    ]


def gap(case: Case, coef: np.ndarray, intercept: float, alpha: float) -> float:
    """Objective, mean loss + alpha/2 |b|^2, less a dual value, over that of the null model."""
    X, loss = case.theirs, LOSSES[case.loss](case.y)
    eta = (X @ coef + intercept)[:, None, None]
    u = loss.residual(eta)
    slopes = X.T @ u[:, 0, 0]
    dual = loss.dual_at(u) if case.loss == "gaussian" else loss.dual(u, np.ones(1), eta)
    primal = loss.primal(eta)[0] + 0.5 * alpha * coef @ coef
    return max(float(primal - dual[0] + slopes @ slopes / (2.0 * alpha)), 0.0) / loss.null


def quickest(case: Case, alphas: np.ndarray, enough: float) -> dict:
    """Options with which Ridge, one alpha after the other, is quickest and leaves at most so large a gap."""
    tried = [{}] + [{"solver": "sparse_cg", "tol": 10.0**-k} for k in range(1, 11)]
    best, least = {}, np.inf
    for options in tried:
        models, seconds = timed(one_by_one, case, alphas, options)
        if seconds < least and max(gaps(case, models, alphas)) <= enough:
            best, least = options, seconds
    return best


def one_by_one(case: Case, alphas: np.ndarray, options: dict) -> list[object]:
    """Fit scikit-learn's model at each alpha, to gaps that compare."""
    n = len(case.y)
    make = {
        "gaussian": lambda alpha: Ridge(alpha=alpha * n, **options),
        "binomial": lambda alpha: LogisticRegression(C=1.0 / (alpha * n), tol=1e-6, max_iter=10_000),
        "poisson": lambda alpha: PoissonRegressor(alpha=alpha, tol=1e-6, max_iter=10_000),
    }[case.loss]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return [make(alpha).fit(case.theirs, case.y) for alpha in alphas]


def at_once(case: Case, alphas: np.ndarray) -> list[object]:
    """Fit scikit-learn's Ridge at all alphas in one call, as if each had a response of its own."""
    n = len(case.y)
    fit = Ridge(alpha=alphas * n, solver="cholesky").fit(case.theirs, np.tile(case.y[:, None], len(alphas)))
    return [SimpleNamespace(coef_=b, intercept_=a) for b, a in zip(fit.coef_, fit.intercept_, strict=True)]


def gaps(case: Case, models: list, alphas: np.ndarray) -> list[float]:
    """Of scikit-learn's models."""
    return [
        gap(case, np.ravel(model.coef_), float(np.ravel(model.intercept_)[0]), alpha)
        for model, alpha in zip(models, alphas, strict=True)
    ]


def together(case: Case, alphas: np.ndarray) -> object:
    """Fit riata's path; genotypes are standardised by it, the others are as they are."""
    genotypes = case.ours is not case.theirs
    return riata.fit_path(
        case.ours, case.y, loss=case.loss, l1_ratio=0.0, alphas=alphas, standardize=genotypes, n_threads=1
    )


def timed(fit: Callable, *given: object) -> tuple[object, float]:
    """What a fit returns, and processor seconds."""
    began = time.process_time()
    result = fit(*given)
    return result, time.process_time() - began


def rows_of(case: Case, repeats: int) -> list[dict]:
    """Both packages on one problem."""
    X, y = case.theirs, case.y
    largest = float(np.abs(X.T @ (y - y.mean())).max()) / len(y)
    alphas = np.geomspace(largest, 1e-2 * largest, ALPHAS) * 1e3
    picks = list(range(case.apart - 1, ALPHAS, case.apart))
    few = alphas[picks]
    together(case, alphas[:2])  # warms up
    path, _ = timed(together, case, alphas)
    coefs, intercepts = path.coefs.toarray(), path.intercepts
    if case.ours is not X:  # per allele: on the scale of the columns
        scale = case.ours.to_numpy()
        intercepts = intercepts + scale.mean(axis=0) @ coefs
        coefs = coefs * scale.std(axis=0)[:, None]
    worst = {"riata": max(gap(case, coefs[:, k], intercepts[k], alphas[k]) for k in picks)}
    options = quickest(case, few, max(worst["riata"], 1e-8)) if case.loss == "gaussian" else {}
    ways = {
        "riata": (ALPHAS, lambda: together(case, alphas)),
        "scikit-learn": (len(few), lambda: one_by_one(case, few, options)),
    }
    if case.loss == "gaussian" and not sparse.issparse(X):
        ways["scikit-learn, at once"] = (ALPHAS, lambda: at_once(case, alphas))
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, (count, way) in ways.items():
            models, seconds = timed(way)
            spent[name].append(seconds)
            if name != "riata":
                models = models if count == len(few) else [models[k] for k in picks]
                worst[name] = max(gaps(case, models, few))
    about = {"date": provenance.today(), "commit": provenance.commit(), "machine": provenance.machine()}
    about |= {"problem": case.name, "n": X.shape[0], "p": X.shape[1]}
    return [
        about
        | {"package": name, "settings": written(options) if name == "scikit-learn" else "", "alphas": count}
        | {"seconds": f"{np.median(spent[name]):.3g}", "gap": f"{worst[name]:.1e}"}
        for name, (count, _) in ways.items()
    ]


def written(options: dict) -> str:
    """Options as words."""
    return " ".join(str(v) for v in options.values())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes; the times mean nothing")
    parser.add_argument("--out", type=Path, help="CSV to write; default: the terminal")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for make in cases(Path(folder), 10 if args.quick else 1):
            made = rows_of(make(), 1 if args.quick else args.repeats)
            rows += made
            if args.out:  # each as it comes
                print(*made, sep="\n", flush=True)
                with args.out.open("w", newline="") as file:
                    put(rows, file)
    if not args.out:
        put(rows, sys.stdout)


def put(rows: list[dict], file: TextIO) -> None:
    """Write a CSV."""
    writer = csv.DictWriter(file, FIELDS)
    writer.writeheader()
    writer.writerows(rows)


if __name__ == "__main__":
    main()
