"""Fits without each fold: their weights, what they predict of it, and its score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.design import DesignView
from riata._input.gaps import of_gaps
from riata._input.survival import SURVIVAL_SCORERS, SurvivalTarget
from riata._input.validation import Float
from riata.path.arguments import Options
from riata.path.coefs import Outputs, coefs_of, intercepts_of, linear_predictor, side_by_side
from riata.path.folds import Rows, Split, count_repeats
from riata.path.null_model import null_predictor

#: Weights of the samples that train, from their observation weights: by class, say.
Reweigh = Callable[[Float], Float]


def fold_columns(
    y: Float | SurvivalTarget,
    weights: Float,
    splits: list[Split],
    options: Options,
    scoring: str,
    labels: NDArray[Any] | None,
    reweigh: Reweigh | None = None,
) -> Float:
    """Return the weights of the full fit and of each fold, (n, 1 + K); refuse folds that cannot be fitted."""
    columns = np.zeros((len(y), 1 + len(splits)), order="F")
    columns[:, 0] = weights if reweigh is None else reweigh(weights)
    for k, (train, test) in enumerate(splits):
        np.add.at(columns[:, 1 + k], train, weights[train])
        if reweigh is not None:
            columns[:, 1 + k] = reweigh(columns[:, 1 + k])
        _check_fold(k, y, columns[:, 1 + k], weights, test, options, scoring, labels)
    return columns


@dataclass(slots=True)
class ScoredFolds:
    """Scores and certificates of the fits without each fold, (L, K), and what they predict of it."""

    scores: Float
    gaps: Float
    held_out: Float | None


def score_folds(
    fits: list[dict[str, Any]],
    columns: Float,
    design: DesignView,
    y: Float | SurvivalTarget,
    weights: Float,
    offset: Float | None,
    options: Options,
    splits: list[Split],
    scoring: str,
    *,
    keep: bool,
) -> ScoredFolds:
    """Score the held-out rows of every fold at every alpha; lets go of the predictions of the fits."""
    outputs = y.shape[1:]
    scores = np.empty((len(fits[0]["alphas"]), len(splits)))
    gaps = np.empty_like(scores)
    folds = [test for _, test in splits]
    repeats = count_repeats(folds)
    first = len(folds) // repeats
    dealt = np.concatenate(folds[:first])
    held_out = None
    if keep and len(np.unique(dealt)) == len(dealt):
        # not filled, so that it takes memory as the predictions of the folds are let go
        held_out = np.empty((len(y), *outputs, len(scores)))
        held_out[np.setdiff1d(np.arange(len(y)), dealt)] = np.nan
    for k, (_, test) in enumerate(splits):
        fit = fits[1 + k]
        if isinstance(y, SurvivalTarget):
            held = np.zeros(len(y))
            held[test] = weights[test]
            eta = _all_rows(fit, design, outputs, offset, options.n_threads)
            scores[:, k] = SURVIVAL_SCORERS[scoring](y, eta, columns[:, 1 + k], held)
            eta = _less_mean(eta, columns[:, 1 + k], test)
        else:
            eta = predict_fold(fit, columns[:, 1 + k], design, outputs, test, offset, options.n_threads)
            score = options.loss.scorer(scoring)
            scores[:, k] = score(y[test], eta, weights[test])
        if held_out is not None and k < first:
            held_out[test] = eta
        fit["linear_predictor"] = None  # of every row held out, at every alpha: not needed any more
        gaps[:, k] = fit["dual_gaps"]
    return ScoredFolds(scores, gaps, held_out)


def score_nulls(
    columns: Float,
    y: Float | SurvivalTarget,
    weights: Float,
    offset: Float | None,
    options: Options,
    splits: list[Split],
    scoring: str,
) -> Float:
    """Score of the intercept alone on each held-out fold, fitted to the other samples, (K,)."""
    out = np.empty(len(splits))
    for k, (_, test) in enumerate(splits):
        eta = null_predictor(y, columns[:, 1 + k], offset, options)
        if isinstance(y, SurvivalTarget):
            held = np.zeros(len(y))
            held[test] = weights[test]
            out[k] = SURVIVAL_SCORERS[scoring](y, eta[:, None], columns[:, 1 + k], held)[0]
        else:
            score = options.loss.scorer(scoring)
            out[k] = score(y[test], eta[test][..., None], weights[test])[0]
    return out


def _check_fold(
    k: int,
    y: Float | SurvivalTarget,
    train_weights: Float,
    weights: Float,
    test: Rows,
    options: Options,
    scoring: str,
    labels: NDArray[Any] | None,
) -> None:
    if not np.any(train_weights > 0.0):
        raise ValueError(f"cv must leave samples of positive weight to train on, got none in split {k}")
    if not np.any(weights[test] > 0.0):
        raise ValueError(f"cv must hold out samples of positive weight, got none in split {k}")
    options.loss.check_part(y, train_weights, labels, f"cv: y of the training rows of split {k}")
    options.loss.check_held_out(scoring, y, test, weights, labels, f"y of the held-out rows of split {k}")


def predict_fold(
    fit: dict[str, Any],
    train_weights: Float,
    design: DesignView,
    outputs: Outputs,
    test: Rows,
    offset: Float | None,
    n_threads: int,
) -> Float:
    """Linear predictors of the rows `test`: kept by the core for rows of weight zero, else computed."""
    if not np.any(train_weights[test]):
        held = np.flatnonzero(design.spread(train_weights) == 0.0)
        rows = test if design.rows is None else design.rows[test]
        kept = np.asarray(fit["linear_predictor"])[np.searchsorted(held, rows)]
        return kept.reshape(len(rows), *outputs, -1)
    return _all_rows(fit, design, outputs, offset, n_threads)[test]


def held_out_rows(
    fit: dict[str, Any],
    train_weights: Float,
    design: DesignView,
    y: Float | SurvivalTarget,
    test: Rows,
    offset: Float | None,
    n_threads: int,
) -> Float:
    """Linear predictors of the rows `test` at every alpha, as `CVPath.oof_link` has them."""
    if isinstance(y, SurvivalTarget):
        return _less_mean(_all_rows(fit, design, (), offset, n_threads), train_weights, test)
    return predict_fold(fit, train_weights, design, y.shape[1:], test, offset, n_threads)


def _less_mean(eta: Float, train_weights: Float, test: Rows) -> Float:
    """Linear predictors of the rows `test` less the mean of those of the training samples."""
    return np.asarray(eta[test] - train_weights @ eta / train_weights.sum())


def _all_rows(
    fit: dict[str, Any], design: DesignView, outputs: Outputs, offset: Float | None, n_threads: int
) -> Float:
    """Linear predictors of every sample."""
    coefs = coefs_of(fit, design.n_features, outputs)
    eta = linear_predictor(design, coefs, intercepts_of(fit, outputs), n_threads)
    if design.gaps is not None:
        eta += of_gaps(design, fit, side_by_side(coefs)).reshape(eta.shape)
    return eta if offset is None else eta + offset[..., None]


def summarise(scores: Float, sizes: Float, repeats: int = 1) -> tuple[Float, Float]:
    """Mean over folds, weighted by their sizes, and the standard error of that mean (0 for a single fold).

    Of folds drawn several times, one draw after the other, the standard error is that of one draw, the root
    mean square over draws: all are of the same samples. Both are infinite where a score is: that of a mean
    which overflows.
    """
    share = (sizes / sizes.sum()).reshape(repeats, -1) * repeats
    scores = scores.reshape(len(scores), repeats, -1)
    means = np.einsum("lrk,rk->lr", scores, share)
    mean = means.mean(axis=1)
    with np.errstate(invalid="ignore"):
        variance = np.einsum("lrk,rk->lr", (scores - means[..., None]) ** 2, share).mean(axis=1)
    return mean, np.where(np.isinf(mean), np.inf, np.sqrt(variance / max(scores.shape[2] - 1, 1)))


def choose(mean: Float, error: Float, *, greater_is_better: bool = False) -> tuple[int, int]:
    """Positions of the largest alpha with the best mean and of the largest within a standard error of it.

    Means that are equal but for rounding count as equal: those of MCP and SCAD often are, as they do not
    change while no active coefficient is shrunk.
    """
    cost = -mean if greater_is_better else mean
    least = cost.min()
    best = int(np.argmax(cost <= least + 1e-10 * abs(least)))
    within = cost <= cost[best] + error[best]
    return best, int(np.argmax(within))
