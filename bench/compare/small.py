"""Single fits of estimators on small problems, riata beside scikit-learn, one thread, in one process.

    python bench/compare/small.py --out bench/results/small.csv

Each estimator is fitted at one alpha by both packages: at their defaults, and scikit-learn again at the
loosest of its tolerances whose gap is within riata's default (1e-6 of the null objective). Gaps are worked
out here, from X, y and the coefficients. The calls take turns; medians are reported. overhead_us is the least
time of `fit` when the compiled core answers at once, in microseconds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import provenance
import sklearn.linear_model as peer
from certify import Judge
from problems import SPECS, Problem, build
from results import write
from scipy import sparse
from threadpoolctl import threadpool_limits

import riata
from riata import _core

PROBLEMS = ("small-100x50", "golub-72x7129", "tall-20000x500")
ALPHA = 0.1  # of the largest
ENOUGH = 1e-6
TOLERANCES = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)
FITS = 200  # of each kind
SECONDS = 10.0  # after which seven fits do
FIELDS = ("date", "commit", "machine", "problem", "n", "p", "estimator", "riata_ms", "riata_gap")
FIELDS += ("sklearn_ms", "sklearn_gap", "equal_tol", "equal_ms", "overhead_us", "fits")


@dataclass
class Case:
    """One estimator on one problem: how each package says it, and the judge of both."""

    name: str
    X: np.ndarray
    y: np.ndarray
    ours: Any
    theirs: Callable[[float | None], Any]
    gap: Callable[[Any], float]


def cases(problem: Problem) -> list[Case]:
    """Lasso, elastic net and logistic regression on the same X."""
    X, y = problem.X, problem.y
    if problem.loss == "binomial":  # two classes, taken as numbers by the gaussian estimators
        labels, y = y, (y - y.mean()) / y.std()
    else:
        labels = (y > np.median(y)).astype(np.float64)
    n = len(y)
    largest = np.abs(X.T @ y).max() / n
    alpha, mixed = ALPHA * largest, 2.0 * ALPHA * largest
    share = ALPHA * np.abs(X.T @ (labels - labels.mean())).max() / n
    logistic = {
        "C": 1.0 / (n * share),
        "l1_ratio": 1.0,
        "solver": "liblinear",
        "intercept_scaling": 1e3,
        "random_state": 0,
    }
    return [
        Case(
            "Lasso",
            X,
            y,
            riata.Lasso(alpha, n_threads=1),
            within(peer.Lasso, alpha=alpha),
            lasso_gap("gaussian", X, y, alpha),
        ),
        Case(
            "ElasticNet",
            X,
            y,
            riata.ElasticNet(mixed, l1_ratio=0.5, n_threads=1),
            within(peer.ElasticNet, alpha=mixed, l1_ratio=0.5),
            lambda model: elastic_net_gap(X, y, model, mixed, 0.5),
        ),
        Case(
            "logistic",
            X,
            labels,
            riata.SparseLogisticRegression(share, n_threads=1),
            within(peer.LogisticRegression, **logistic, tight={"intercept_scaling": 1e5}),
            lasso_gap("binomial", X, labels, share),
        ),
    ]


def within(
    estimator: type, *, tight: dict[str, Any] | None = None, **given: Any
) -> Callable[[float | None], Any]:
    """The estimator at its defaults for None, else at a tolerance, with iterations and settings to match."""
    closer = given | {"max_iter": 100_000} | (tight or {})
    return lambda tol: estimator(**given) if tol is None else estimator(**closer, tol=tol)


def lasso_gap(loss: str, X: np.ndarray, y: np.ndarray, alpha: float) -> Callable[[Any], float]:
    judge = Judge(Problem("", loss, X, y, np.array([alpha])))

    def gap(model: Any) -> float:
        verdict = judge.certify(
            sparse.csc_matrix(np.reshape(model.coef_, (-1, 1))), np.ravel(model.intercept_)
        )
        return max(float(verdict.primal[0] - verdict.dual[0]), 0.0) / judge.null

    return gap


def elastic_net_gap(X: np.ndarray, y: np.ndarray, model: Any, alpha: float, l1_ratio: float) -> float:
    """The ridge part lets every u of sum zero in, at the price of (|x_j'u| - l1)_+^2 / (2 l2) a feature."""
    n, l1, l2 = len(y), alpha * l1_ratio, alpha * (1.0 - l1_ratio)
    residual = y - X @ model.coef_ - model.intercept_
    primal = 0.5 * np.mean(residual**2) + l1 * np.abs(model.coef_).sum() + 0.5 * l2 * np.sum(model.coef_**2)
    u = (residual - residual.mean()) / n
    excess = np.maximum(np.abs(X.T @ u) - l1, 0.0)
    dual = u @ y - 0.5 * n * u @ u - excess @ excess / (2.0 * l2)
    return max(float(primal - dual), 0.0) / (0.5 * np.var(y))


def without_core(fit: Callable[[], Any]) -> float:
    """Least seconds of `fit` once the compiled core gives the answer it gave before: Python alone."""
    solve = _core.fit_paths
    answers: list[Any] = []

    def remembered(*args: Any, **named: Any) -> Any:
        if not answers:
            answers.append(solve(*args, **named))
        return answers[0]

    _core.fit_paths = remembered
    try:
        return min(take_turns({"fit": fit}, FITS + 1)["fit"])
    finally:
        _core.fit_paths = solve


def take_turns(calls: dict[str, Callable[[], Any]], fits: int) -> dict[str, list[float]]:
    """Seconds of each call, one after the other, `fits` times, or as many as time allows."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + SECONDS
    for k in range(fits):
        if k >= 7 and time.perf_counter() > end:
            break
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return times


def row_of(case: Case, fits: int) -> dict:
    """Both packages on one case."""
    default = case.theirs(None)
    gaps = case.gap(case.ours.fit(case.X, case.y)), case.gap(default.fit(case.X, case.y))
    equal_tol = next(
        (tol for tol in TOLERANCES if case.gap(case.theirs(tol).fit(case.X, case.y)) <= ENOUGH), None
    )
    calls = {
        "riata": lambda: case.ours.fit(case.X, case.y),
        "sklearn": lambda: default.fit(case.X, case.y),
    }
    if equal_tol is not None:
        equal = case.theirs(equal_tol)
        calls["equal"] = lambda: equal.fit(case.X, case.y)
    times = take_turns(calls, fits)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    return {
        "estimator": case.name,
        "riata_ms": 1e3 * medians["riata"],
        "riata_gap": gaps[0],
        "sklearn_ms": 1e3 * medians["sklearn"],
        "sklearn_gap": gaps[1],
        "equal_tol": "" if equal_tol is None else equal_tol,
        "equal_ms": "" if equal_tol is None else 1e3 * medians["equal"],
        "overhead_us": 1e6 * without_core(calls["riata"]),
        "fits": len(times["riata"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problem", default=",".join(PROBLEMS), help=f"from {', '.join(SPECS)}")
    parser.add_argument("--fits", type=int, default=FITS)
    parser.add_argument("--smoke", action="store_true", help="tiny problems, three fits")
    parser.add_argument("--out", type=Path, default=None, help="CSV to write")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # scikit-learn's defaults do not always converge: the gap says so
    about = {"date": provenance.today(), "commit": provenance.commit(), "machine": provenance.machine()}
    rows = []
    threadpool_limits(1)
    for name in args.problem.split(","):
        with tempfile.TemporaryDirectory() as folder:
            problem = build(name, Path(folder), smoke=args.smoke)
        n, p = problem.X.shape
        for case in cases(problem):
            row = about | {"problem": name, "n": n, "p": p} | row_of(case, 3 if args.smoke else args.fits)
            rows.append(row)
            equal = (
                f"{row['equal_ms']:.3g} ms at tol {row['equal_tol']:g}" if row["equal_ms"] else "not reached"
            )
            print(
                f"{name} {case.name}: riata {row['riata_ms']:.3g} ms (gap {row['riata_gap']:.0e}), sklearn "
                f"{row['sklearn_ms']:.3g} ms (gap {row['sklearn_gap']:.0e}), at equal gap {equal}; "
                f"Python alone {row['overhead_us']:.0f} us",
                flush=True,
            )
    if args.out:
        write(rows, args.out, FIELDS)


if __name__ == "__main__":
    main()
