"""Random small problems, each certificate judged by code that shares nothing with the library.

`python tests/fuzz/certificates.py --problems 10000 --seed 0` looks at so many problems and prints one line
for each fault with the seed that makes it; `--one SEED` shows a single one. A fault is a dual value above a
primal value (weak duality, in long double), `converged` with a gap above `tol`, a primal value that is not
that of the coefficients, a number that is not finite, an exception or a refusal, bits that depend on
threads, or more than 20 CPU seconds. tests/python/path/test_fuzz.py runs a few hundred of them.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

import riata

LONG = np.longdouble
LOSSES = ("gaussian", "gaussian", "binomial", "poisson", "huber", "cox", "multigaussian", "multinomial")
STORAGES = ("fortran", "c", "float32", "strided", "csc", "csr", "csc")
MOST_SECONDS = 20.0
ROUNDING = 1e-11  # of the unit of the gap: what double precision may take from primal and dual values


@dataclass
class Problem:
    """Arguments of `fit_path`, and what is needed to evaluate its objective."""

    X: np.ndarray
    y: np.ndarray
    storage: str
    options: dict[str, Any]
    groups: np.ndarray | None = None
    words: list[str] = field(default_factory=list)

    @property
    def loss(self) -> str:
        return self.options["loss"]

    def stored(self, storage: str | None = None) -> Any:
        """X as it is given to the library."""
        storage = storage or self.storage
        if storage == "fortran":
            return np.asfortranarray(self.X)
        if storage == "c":
            return np.ascontiguousarray(self.X)
        if storage == "float32":
            return np.asfortranarray(self.X.astype(np.float32))
        if storage == "strided":
            return np.repeat(self.X, 2, axis=1)[:, ::2]
        return {"csc": sp.csc_array, "csr": sp.csr_array}[storage](self.X)


def make_columns(rng: np.random.Generator, n: int, p: int, words: list[str]) -> np.ndarray:
    """Columns of one of several kinds, some of them spoilt."""
    kind = rng.choice(["normal", "correlated", "dosages", "rare", "counts"])
    X = rng.standard_normal((n, p))
    if kind == "correlated":
        rho = rng.choice([0.5, 0.9, 0.99, 0.999])
        for j in range(1, p):
            X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    elif kind == "dosages":
        X = rng.binomial(2, rng.uniform(0.05, 0.5, p), (n, p)).astype(float)
    elif kind == "rare":
        X = X * (rng.random((n, p)) < 0.2)
    elif kind == "counts":
        X = rng.poisson(3.0, (n, p)).astype(float)
    words.append(str(kind))
    spoil = rng.choice(["", "", "", "far", "copy", "near copy", "constant", "sum", "scales", "powers"])
    j = int(rng.integers(p))
    if spoil == "far":
        X[:, j] += 10.0 ** rng.integers(2, 9)
    elif spoil == "copy" and p > 1:
        X[:, j] = X[:, j - 1] * rng.choice([1.0, -1.0, 2.0])
    elif spoil == "near copy" and p > 1:
        X[:, j] = X[:, j - 1] + 10.0 ** -rng.integers(3, 9) * rng.standard_normal(n)
    elif spoil == "constant":
        X[:, j] = rng.choice([0.0, 1.0, 3.7])
    elif spoil == "sum" and p > 2:
        X[:, 0] = X[:, 1:3].sum(axis=1)
    elif spoil == "scales":
        X = X * 10.0 ** rng.integers(-8, 9, p)
    elif spoil == "powers" and p > 2:
        X[:, :3] = (1990.0 + rng.integers(0, 30, n))[:, None] ** np.arange(1, 4)
    words.append(str(spoil))
    return X


def make_response(rng: np.random.Generator, X: np.ndarray, loss: str, words: list[str]) -> np.ndarray:
    """A response with some signal, or none left beside it."""
    n, p = X.shape
    Z = (X - X.mean(0)) / np.where(X.std(0) > 1e-9 * np.abs(X.mean(0)), X.std(0), np.inf)
    outputs = 3 if loss == "multinomial" else 2 if loss == "multigaussian" else 1
    b = rng.standard_normal((p, outputs)) * (rng.random((p, 1)) < max(0.2, 2 / p))
    noise = rng.choice([0.0, 0.3, 1.0, 3.0], p=[0.05, 0.25, 0.5, 0.2])
    eta = rng.choice([0.5, 1.0, 2.0]) * Z @ b + noise * rng.standard_normal((n, outputs))
    words.append(f"noise {noise}")
    if loss == "multigaussian":
        return eta
    if loss == "multinomial":
        classes = eta.argmax(axis=1)
        classes[:3] = [0, 1, 2]
        return classes
    eta = eta[:, 0]
    if loss == "binomial":
        if rng.random() < 0.2:
            return 1 / (1 + np.exp(-eta))
        y = (eta + rng.logistic(size=n) * noise > 0).astype(float)
        y[:2] = [0, 1]
        return y
    if loss == "poisson":
        y = rng.poisson(np.exp(np.clip(eta, -5, 5))).astype(float)
        y[0] += 1
        return y
    if loss == "cox":
        event = (rng.random(n) < 0.7) * 1.0
        event[0] = 1.0
        return np.column_stack([np.ceil(rng.exponential(np.exp(-np.clip(eta, -5, 5))) * 10), event])
    if loss == "huber":
        return eta + 20.0 * (rng.random(n) < 0.1)
    return eta


def make_problem(seed: int) -> Problem:
    """The problem of a seed."""
    rng = np.random.default_rng(seed)
    n, p = int(rng.integers(8, 50)), int(rng.choice([1, 2, 4, 8, 20, 60]))
    loss = str(rng.choice(LOSSES))
    words: list[str] = [loss]
    X = make_columns(rng, n, p, words)
    y = make_response(rng, X, loss, words)
    squares = loss in ("gaussian", "huber", "multigaussian")
    size = 10.0 ** rng.integers(-60, 61) if squares and rng.random() < 0.2 else 1.0
    y = y * size if squares else y
    storage = str(rng.choice(STORAGES))
    if storage == "float32":
        X = X.astype(np.float32).astype(float)
    options: dict[str, Any] = {
        "loss": loss,
        "alphas": int(rng.integers(2, 8)),
        "eps": float(10.0 ** -rng.integers(1, 5)),
        "tol": float(10.0 ** -rng.integers(4, 9)),
        "fit_intercept": bool(rng.random() < 0.8),
        "standardize": bool(rng.random() < 0.6),
        "solver": str(rng.choice(["auto", "auto", "auto", "cd", "prox", "active_set"])),
    }
    if loss == "huber":
        options["huber_delta"] = 1.345 * size
    if rng.random() < 0.4:
        weights = rng.exponential(size=n) * 10.0 ** rng.choice([0, 0, -30, 30])
        weights[3:] *= rng.random(n - 3) < 0.8  # the first rows have every class
        options["sample_weight"] = weights
    if rng.random() < 0.2:
        outputs = {"multinomial": (n, 3), "multigaussian": (n, 2)}.get(loss, (n,))
        options["offset"] = size * rng.standard_normal(outputs)
    if loss == "cox":
        options["ties"] = str(rng.choice(["breslow", "efron"]))
    problem = Problem(X, y, storage, options, words=words)
    kind = rng.choice(["elastic_net", "elastic_net", "group", "slope"])
    if kind == "elastic_net" or loss in ("multinomial", "multigaussian"):
        options["l1_ratio"] = float(rng.choice([1.0, 1.0, 0.9, 0.5, 0.0]))
        if loss == "multinomial" and rng.random() < 0.5:
            options["grouped"] = True
        if rng.random() < 0.3:
            options["penalty_factor"] = rng.choice([0.0, 0.0, 0.5, 1.0, 3.0, np.inf], p)
        if rng.random() < 0.2 and loss != "multigaussian" and not options.get("grouped"):
            options["lower"] = -rng.choice([0.0, 0.1, 1.0]) * size
            options["upper"] = float(rng.choice([0.1, 1.0, np.inf])) * size
    else:
        if options["solver"] == "active_set":
            options["solver"] = "auto"
        if rng.random() < 0.3:
            options["penalty_factor"] = rng.choice([0.0, 1.0, 1.0], p)
        if kind == "group":
            problem.groups = rng.integers(0, max(p // 3, 1), p)
            options["penalty"] = riata.penalties.GroupLasso(problem.groups)
        else:
            options["penalty"] = riata.penalties.SLOPE(weights=np.sort(rng.uniform(0.5, 2, p))[::-1])
    words += [str(kind), storage, f"{n} x {p}", options["solver"]]
    return problem


def cox_loss(y: np.ndarray, eta: np.ndarray, weights: np.ndarray, efron: bool) -> Any:
    """Minus the log partial likelihood over the sum of weights, by its definition."""
    time, event = y.T
    value = LONG(0)
    for t in np.unique(time[(event > 0) & (weights > 0)]):
        tied = (time == t) & (event > 0) & (weights > 0)
        risk = (time >= t) & (weights > 0)
        top = eta[risk].max()
        share = weights * np.exp(np.where(risk, eta - top, -np.inf))
        mass, m = weights[tied].sum(), int(tied.sum())
        value -= (weights[tied] * (eta[tied] - top)).sum()
        for k in range(m) if efron else [0]:
            value += mass / (m if efron else 1) * np.log(share[risk].sum() - LONG(k) / m * share[tied].sum())
    return value / weights.sum()


def row_losses(problem: Problem, eta: np.ndarray) -> np.ndarray:
    """The loss of each row, at the linear predictors."""
    y, loss = problem.y.astype(LONG), problem.loss
    if loss == "multigaussian":
        return ((y - eta) ** 2).sum(axis=1) / 2
    if loss == "multinomial":
        row = np.arange(len(y))
        eta = eta - eta[row, problem.y.astype(int)][:, None]
        largest = eta.argmax(axis=1)
        top = eta[row, largest]
        rest = np.exp(eta - top[:, None])
        rest[row, largest] = 0  # its 1 would take digits of the others, all that is left of a close fit
        return top + np.log1p(rest.sum(axis=1))
    eta = eta[:, 0]
    if loss == "gaussian":
        return (y - eta) ** 2 / 2
    if loss == "huber":
        delta, size = LONG(problem.options["huber_delta"]), np.abs(y - eta)
        return np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))
    if loss == "binomial":
        return np.log1p(np.exp(-np.abs(eta))) + np.where(eta > 0, (1 - y) * eta, -y * eta)
    mu = np.exp(eta)
    return mu - y - np.where(y > 0, y * (eta - np.log(np.where(y > 0, y, 1))), 0)


def column_scales(problem: Problem, weights: np.ndarray) -> np.ndarray:
    """Standard deviations in the weights, or ones."""
    X = problem.X.astype(LONG)
    if not problem.options["standardize"]:
        return np.ones(X.shape[1], LONG)
    share = weights / weights.sum()
    return np.sqrt(share @ (X - share @ X) ** 2)


def penalty_value(problem: Problem, b: np.ndarray, scale: np.ndarray) -> Any:
    """The penalty at alpha = 1 of coefficients p x K on the original scale."""
    options, p = problem.options, len(b)
    b = b * scale[:, None]
    factor = np.asarray(options.get("penalty_factor", np.ones(p)), LONG)
    if problem.groups is not None:
        value = LONG(0)
        for group in np.unique(problem.groups):
            inside = (problem.groups == group) & (factor > 0)
            value += np.sqrt(LONG(inside.sum())) * np.sqrt((b[inside] ** 2).sum())
        return value
    if "penalty" in options:
        sizes = np.sort(np.abs(b[factor > 0, 0]))[::-1]
        return (np.asarray(options["penalty"].weights, LONG)[: len(sizes)] * sizes).sum()
    ratio = LONG(options["l1_ratio"])
    grouped = problem.loss == "multigaussian" or options.get("grouped", False)
    norms = np.sqrt((b**2).sum(axis=1)) if grouped else np.abs(b).sum(axis=1)
    each = ratio * norms + (1 - ratio) / 2 * (b**2).sum(axis=1)
    used = np.isfinite(factor) & (each > 0)
    return (factor[used] * each[used]).sum()


def objectives(problem: Problem, path: riata.RegularizationPath) -> tuple[list[Any], list[float]]:
    """The objective at each point of a path, in long double, from what the path says its coefficients are.

    And what a change of every column by its rounding would make of it: columns that nearly agree have huge
    coefficients, of which little is left in the linear predictor.
    """
    X, options = problem.X.astype(LONG), problem.options
    weights = np.asarray(options.get("sample_weight", np.ones(len(X))), LONG)
    scale, used = column_scales(problem, weights), weights > 0
    parts = path.coefs if isinstance(path.coefs, list) else [path.coefs]
    out, rounding = [], []

    def loss_at(eta: np.ndarray) -> np.ndarray:
        """What each row adds to the loss; of a Cox model the whole."""
        if problem.loss == "cox":
            return np.array([cox_loss(problem.y, eta[:, 0], weights, options["ties"] == "efron")])
        return (weights[used] / weights.sum()) * row_losses(problem, eta)[used]

    for k, alpha in enumerate(path.alphas):
        b = np.column_stack([part.toarray()[:, k] for part in parts]).astype(LONG)
        level = np.asarray(path.intercepts, LONG).reshape(len(parts), -1)[:, k]
        given = np.asarray(options.get("offset", np.zeros((len(X), len(parts)))), LONG).reshape(len(X), -1)
        eta = X @ b + level + given
        value = loss_at(eta)
        out.append(value.sum() + LONG(alpha) * penalty_value(problem, b, scale))
        step = np.finfo(float).eps * (np.abs(X).max(axis=0) @ np.abs(b) + np.abs(level) + np.abs(given))
        moved = [np.abs(loss_at(eta + sign * step) - value).sum() for sign in (-1, 1)]
        terms = np.finfo(LONG).eps * ((1 + np.abs(eta)) * (1 + np.abs(problem.y).max())).max()
        rounding.append(float(max(moved) + terms))
    return out, rounding


def fit(problem: Problem, storage: str | None = None, **other: Any) -> riata.RegularizationPath:
    """The path of a problem, warnings aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return riata.fit_path(
            problem.stored(storage), problem.y, **{**problem.options, "n_threads": 1, **other}
        )


def judge(problem: Problem) -> list[str]:
    """What is wrong with the path of a problem."""
    start = time.process_time()
    try:
        path = fit(problem)
        twice = fit(problem, n_threads=2)
        # Another point of the same problem, nearer to its optimum: no dual value is above its objective.
        closer = {"alphas": path.alphas, "eps": None, "tol": 1e-12, "solver": "auto", "max_iter": 3000}
        near = fit(problem, "fortran", **closer)
    except Exception as error:  # a refusal too: each of them is a problem to fit
        return [f"{type(error).__name__}: {error}"]
    faults = []
    seconds = time.process_time() - start
    if seconds > MOST_SECONDS:
        faults.append(f"{seconds:.0f} CPU seconds")
    if not np.array_equal(path.primal, twice.primal) or not np.array_equal(path.dual, twice.dual):
        faults.append("other bits for two threads")
    numbers = [path.primal, path.dual_gaps, path.deviance_ratio, path.intercepts]
    numbers += [part.data for part in (path.coefs if isinstance(path.coefs, list) else [path.coefs])]
    if not all(np.isfinite(number).all() for number in numbers):
        return [*faults, "numbers that are not finite"]
    unit = float(path.null_objective - path.saturated_objective)
    if not (unit > 0.0 and path.alpha_max > 0.0):
        return faults  # nothing to explain, or the unpenalised features explain it
    (here, rounding), (there, _) = objectives(problem, path), objectives(problem, near)
    tol = problem.options["tol"]
    for k, alpha in enumerate(path.alphas):
        size = max(unit, float(abs(path.primal[k])))
        slack = ROUNDING * size + 1e-3 * tol * unit + rounding[k]
        if (off := float(abs(here[k] - path.primal[k]))) > slack:
            faults.append(f"alpha {alpha:.3g}: primal off by {off / unit:.1e} of the unit")
        if (above := float(path.dual[k] - min(here[k], there[k]))) > slack:
            said = "converged" if path.converged[k] else "not converged"
            faults.append(
                f"alpha {alpha:.3g}: dual above the optimum by {above / unit:.1e} of the unit, {said}"
            )
        if path.converged[k] and abs(float(path.dual_gaps[k])) > tol:
            faults.append(f"alpha {alpha:.3g}: converged with a gap of {path.dual_gaps[k]:.1e}")
        if path.converged[k] and float(here[k] - there[k]) > 1.01 * tol * unit + slack:
            faults.append(f"alpha {alpha:.3g}: converged {float(here[k] - there[k]) / unit:.1e} too high")
    return faults


def run(seeds: range, *, every: int = 0) -> list[str]:
    """One line for each problem with a fault."""
    lines = []
    for seed in seeds:
        problem = make_problem(seed)
        if faults := judge(problem):
            lines.append(f"seed {seed} ({', '.join(w for w in problem.words if w)}): {faults[0]}")
            lines[-1] += f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        if every and (seed + 1) % every == 0:
            print(f"{seed + 1}: {len(lines)} faults", flush=True)
    return lines


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--problems", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first problem")
    parser.add_argument("--one", type=int, help="look at the problem of one seed only")
    arguments = parser.parse_args()
    if arguments.one is not None:
        problem = make_problem(arguments.one)
        print(problem.words, {k: v for k, v in problem.options.items() if np.ndim(v) == 0})
        print("\n".join(judge(problem)) or "no fault")
        return 0
    lines = run(range(arguments.seed, arguments.seed + arguments.problems), every=500)
    print("\n".join(lines))
    print(f"{len(lines)} of {arguments.problems} problems with a fault")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
