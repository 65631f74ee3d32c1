"""How far a lasso of classes or counts falls short of the linear predictor, by samples it has not seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from riata._input.validation import Float
from riata.losses import Loss
from riata.path.arguments import Options
from riata.path.cv_result import CVPath
from riata.path.fit import solve
from riata.path.given import Problem
from riata.path.refits import fit_columns

__all__ = ["Signal", "firth", "learn_signal"]

THIN = 2  # of the grid, every second alpha has refits
SHARE = 8  # refits have at most an eighth as many features as samples: beyond, they follow the noise;
MOST = 150  # and this many, as each takes n k² multiplications a step
PATIENCE = 6  # refits in a row that score worse than the best, after which a fold's are at their end
LOGISTIC = (16.0 * math.sqrt(3.0) / (15.0 * math.pi)) ** 2  # a logistic law's share of a normal one's scale
DEPENDENT = 1e-5  # of a column's spread what others leave, below which it is taken to depend on them
STEPS, SMALL, LONGEST = 50, 1e-8, 2.0  # of Newton's method


@dataclass(frozen=True, slots=True)
class Signal:
    """What the coefficients of the lasso lack.

    Attributes
    ----------
    slope : float
        Of the linear predictors of held-out samples, in a fit of the response to them: above 1 where the
        penalty shrinks.
    stretch, stretch_se : float
        How much flatter, for classes, effects look beside effects that are not accounted for; and its
        standard error. 1 and 0 for counts, whose means do not flatten.
    """

    slope: float
    stretch: float
    stretch_se: float


def learn_signal(problem: Problem, cv: CVPath, alpha: float, loss: Loss, options: Options) -> Signal:
    """Compare held-out samples with what the fits without them predict.

    With L the calibrated predictor, slope times that of the lasso, and v the variance of the true one about
    it, classes have the probability E expit(L' + √v Z), which is nearly expit(L' / √(1 + c² v)) with c =
    16√3 / 15π (Zeger, Liang & Albert 1988): the coefficients that explain classes best are those of the model
    over √(1 + c² v). Refits of the features of sparser models, chosen by held-out deviance, say how far true
    predictors spread in all; v is what L leaves of that.
    """
    assert cv.trained_on is not None
    folds = [(train, test) for train, test in zip(cv.trained_on, cv.folds, strict=True)]
    weights = problem.weights
    columns = np.zeros((len(weights), len(folds)))
    for k, (train, _) in enumerate(folds):
        columns[train, k] = weights[train]
    grid = _grid(cv, alpha, refitted=loss.two_classes)
    run = options.quietly(alphas=grid, stop_early=False, memory=0.0)
    fits = solve(problem.design, problem.target, columns, problem.offset, problem.features, run, tell=False)
    paths = [_coefs(fit, problem.design.n_features) for fit in fits]
    used = np.unique(np.concatenate([path.indices for path in paths])).astype(np.int64)
    values = problem.design.gather(used)
    fold_data = _Folds(problem, loss, options.fit_intercept, folds, columns, used, values, paths, fits)
    at = int(np.argmin(np.abs(grid - alpha)))
    slope, spread = fold_data.calibrated(at)
    if not loss.two_classes:
        return Signal(slope, 1.0, 0.0)
    beyond = np.maximum(fold_data.spreads() - spread, 0.0) / (1.0 + LOGISTIC * spread)
    stretch = np.sqrt(1.0 + LOGISTIC * beyond)
    error = math.sqrt((len(folds) - 1) * float(stretch.var()))  # by the jackknife of folds
    return Signal(slope, float(stretch.mean()), error)


def firth(
    columns: Float, y: Float, weights: Float, offset: Float | None, start: Float | None = None
) -> Float:
    """Coefficients of a logistic regression with Jeffreys' prior, which are finite and hardly biased.

    Newton's method on the score X'(w (y - μ) + h (1/2 - μ)), h the leverages (Firth 1993).
    """
    coef = np.zeros(columns.shape[1]) if start is None else start.copy()
    for _ in range(STEPS):
        link = columns @ coef if offset is None else columns @ coef + offset
        mean = 1.0 / (1.0 + np.exp(-link))
        bend = weights * mean * (1.0 - mean)
        inverse = _inverse(columns.T @ (bend[:, None] * columns))
        leverage = bend * ((columns @ inverse) * columns).sum(axis=1)
        step = inverse @ (columns.T @ (weights * (y - mean) + leverage * (0.5 - mean)))
        reach = float(np.abs(columns @ step).max())
        coef += step * min(1.0, LONGEST / max(reach, SMALL))
        if reach < SMALL:
            break
    return np.asarray(coef)


def _inverse(information: Float) -> Float:
    """The inverse, or for columns that depend on each other a generalised one."""
    size = np.sqrt(np.maximum(np.diag(information), np.finfo(float).tiny))
    scaled = information / size / size[:, None]
    try:
        factor = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        factor = np.zeros_like(scaled)
    if np.diag(factor).min(initial=1.0) < DEPENDENT:
        return np.asarray(np.linalg.pinv(information, hermitian=True))
    return np.asarray(np.linalg.inv(scaled) / size / size[:, None])


def _grid(cv: CVPath, alpha: float, *, refitted: bool) -> Float:
    """The alphas at which folds are fitted again, decreasing."""
    path = cv.path
    few = np.asarray(path.n_active) <= _most(path.n_samples)
    end = max(int(np.count_nonzero(few)), 1)
    grid = np.asarray(path.alphas)[:end:THIN] if refitted else np.asarray(path.alphas)[:1]
    return np.asarray(np.unique(np.append(grid, alpha))[::-1].copy())


def _most(n_samples: int) -> int:
    """How many features a refit may have."""
    return max(min(n_samples // SHARE, MOST), 1)


def _coefs(fit: dict[str, Any], n_features: int) -> sp.csc_array:
    parts = (fit["coef_values"], fit["coef_indices"], fit["coef_indptr"])
    return sp.csc_array(parts, shape=(n_features, len(fit["alphas"])))


@dataclass(frozen=True, slots=True)
class _Folds:
    """The fits without each fold, on the columns `values` of the features `used`."""

    problem: Problem
    loss: Loss
    fit_intercept: bool
    folds: list[tuple[Any, Any]]
    weights: Float  # of the training samples of each fold
    used: NDArray[np.int64]
    values: Float
    paths: list[sp.csc_array]
    fits: list[dict[str, Any]]

    def calibrated(self, at: int) -> tuple[float, float]:
        """Slope of the response on held-out predictors, and the variance of these times it."""
        rows = np.concatenate([test for _, test in self.folds])
        parts = [
            self.values[test] @ path[self.used][:, [at]].toarray()[:, 0] + fit["intercepts"][at]
            for (_, test), path, fit in zip(self.folds, self.paths, self.fits, strict=True)
        ]
        link, weights = np.concatenate(parts), self.problem.weights[rows]
        if not any(path[:, [at]].nnz for path in self.paths) or np.ptp(link) == 0.0:
            return 1.0, 0.0
        offset = None if self.problem.offset is None else self.problem.offset[rows]
        target = np.asarray(self.problem.target)[rows]
        found = fit_columns(self.loss, self.fit_intercept, link[:, None], target, weights, offset)
        slope = 1.0 if found is None else max(float(found[0][0]), 0.0)
        return slope, slope**2 * _variance(link, weights)

    def spreads(self) -> Float:
        """The variance of linear predictors by the refits that predict best, one without each fold."""
        count = len(self.fits[0]["alphas"])
        scores = np.full((count, len(self.folds)), np.inf)
        spreads = np.zeros((count, len(self.folds)))
        for k in range(len(self.folds)):
            self._refit(k, scores[:, k], spreads[:, k])
        best = int(np.argmin(scores.mean(axis=1)))
        return np.asarray(spreads[best])

    def _refit(self, k: int, scores: Float, spreads: Float) -> None:
        """Fill in the deviance of a fold's held-out samples, and how far predictors spread."""
        target, offset = np.asarray(self.problem.target), self.problem.offset
        test, every = self.folds[k][1], self.problem.weights
        trained = np.flatnonzero(self.weights[:, k] > 0.0)
        weights = self.weights[trained, k]
        weights = weights * (len(weights) / weights.sum())
        shift = None if offset is None else offset[trained]
        path = self.paths[k]
        last, worse = b"", 0
        found = np.zeros(len(self.used) + 1)  # the intercept last
        for at in range(len(scores)):
            column = path[:, [at]]
            support = np.sort(column.indices[column.data != 0.0])
            if support.tobytes() == last and at > 0:
                scores[at], spreads[at] = scores[at - 1], spreads[at - 1]
                continue
            last = support.tobytes()
            if len(support) > _most(len(trained)):
                return
            chosen = np.searchsorted(self.used, support)
            columns = self.values[:, chosen]
            if self.fit_intercept:
                columns = np.column_stack([np.ones(len(columns)), columns])
                chosen = np.append(-1, chosen)
            coef = firth(columns[trained], target[trained], weights, shift, found[chosen])
            found[:] = 0.0
            found[chosen] = coef  # where the next begins
            link = columns @ coef
            spreads[at] = _variance(link, every)
            seen = link[test] if offset is None else link[test] + offset[test]
            deviance = np.logaddexp(0.0, seen) - target[test] * seen
            scores[at] = float(every[test] @ deviance) / float(every[test].sum())
            worse = worse + 1 if scores[at] > scores[:at].min(initial=np.inf) else 0
            if worse >= PATIENCE:
                return


def _variance(values: Float, weights: Float) -> float:
    share = weights / weights.sum()
    return float(share @ (values - share @ values) ** 2)
