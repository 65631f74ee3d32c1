"""Cross-validated paths: every fold and the full fit in one call, without copying rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._docs import described_by
from riata._input.design import DesignView
from riata._input.survival import SurvivalTarget
from riata._input.validation import (
    Float,
)
from riata.losses._known import GREATER_IS_BETTER, check_scoring
from riata.path.arguments import (
    Features,
    Options,
)
from riata.path.cv_result import CVPath
from riata.path.fit import (
    fit_path,
    leaders_of,
    make_path,
    names_beside,
    solve,
)
from riata.path.fit_warnings import warn_if_memory_ended, warn_unless_converged
from riata.path.fold_scores import (
    Reweigh,
    choose,
    fold_columns,
    score_folds,
    score_nulls,
    summarise,
)
from riata.path.folds import Split, count_repeats, describe_folds, make_splits
from riata.path.given import FitArguments, check_alpha_rule, read_given, read_problem, shows_arguments_of
from riata.path.validation import FoldScorer, check_patience, needs_every_row, score_on_the_way

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from riata.path.nested import OuterFold

__all__ = ["cv_path"]


@described_by(fit_path)
@shows_arguments_of(fit_path)
def cv_path(
    X: Any,
    y: ArrayLike,
    *,
    cv: int | Any | Iterable[tuple[ArrayLike, ArrayLike]] = 10,
    groups: ArrayLike | None = None,
    repeats: int = 1,
    nested: bool | int | Any | None = None,
    scoring: str | None = None,
    alpha_rule: str = "min",
    patience: int | None = None,
    random_state: int | np.random.RandomState | None = 0,
    **fit: Unpack[FitArguments],
) -> CVPath:
    """Fit a path and cross-validate it; the folds share every pass over X and no row is copied.

    The objective is that of `fit_path`. Every fold is fitted on the grid of the full fit, with its own
    centres, scales and intercept, by giving its held-out rows the weight zero.

    Parameters
    ----------
    alphas : int or sequence of float
        A number of grid points, from alpha_max down to ``eps * alpha_max`` on a log scale; the whole grid is
        fitted, as held-out samples show where it is best, unless `patience` ends it. Or the values
        themselves, in decreasing order.
    checkpoint : str or path-like
        A file that keeps the state of the fit, written at most once a minute. When it exists, the fit goes on
        from it and ends with the same bits as one that was never stopped, however the earlier one ended. The
        arguments must be those it was made with, except for `n_threads` and `progress`, and the folds must be
        the same: use a splitter or `random_state` that draws them again. The file is removed at the end of
        the path.
    cv : int, splitter or iterable of (train, test), default=10
        An integer draws that many shuffled folds from the samples of positive weight, stratified by class or
        event for the binomial, multinomial and Cox losses; as many folds as samples give leave-one-out. A
        splitter is used unchanged, and sees X, y and `groups` as given: `LeaveOneGroupOut()` takes `groups`
        for given folds, `riata.ExpandingWindows()` for times, so that each fold is tested on later samples
        than it was trained on. Folds need not cover all samples: those in neither part of a split are left
        out of it, as in time-series splits.
    groups : array of shape (n,), optional
        Passed to the splitter; with an integer `cv`, samples of one group (a family, a patient) stay
        together, and folds are shuffled and stratified as far as that allows.
    repeats : int, default=1
        How often an integer `cv` draws folds, each time anew; the first draw is that of ``repeats=1``.
    nested : bool, int, splitter or iterable of (train, test), optional
        Nested cross-validation (Stone 1974): the whole procedure, the choice of alpha included, is repeated
        on the training samples of outer folds, and predicts those that they hold out; see `CVPath.nested` and
        `CVPath.evaluate`. True draws outer folds as `cv` does, an integer that many; within each, folds are
        drawn by `cv` again, or are those of `cv` as far as they lie within. Each outer fold has a grid of its
        own. All fits share the passes over X: (outer folds) x (1 + folds) more fits.
    scoring : str, optional
        "mse" or "mae" (gaussian and multigaussian loss), "deviance", "auc" or "misclassification" (binomial
        and multinomial), "deviance", "mse" or "mae" (Poisson, errors of the mean), "huber", "mae" or "mse"
        (Huber), "deviance" or "concordance" (Cox); the first by default. With several responses the mean over
        them, and with several classes the auc is the mean of that of each against the others (by its
        probability). Held-out samples count by their weights. The Cox deviance
        of a fold is the difference between that of training and held-out samples together and that of the
        training samples (Verweij & van Houwelingen 1993).
    alpha_rule : {"min", "1se"}, default="min"
        The rule for `CVPath.alpha`, and so for `predict`.
    patience : int, optional
        End the path, of the full fit and all folds, once the mean score has been worse than its best by more
        than one standard error (that of the best) at this many alphas in a row; `stop_reason` of the path is
        then "patience". Most of the work is at the smallest alphas, which are seldom chosen. What was fitted
        is the same to the last bit, and 10 has left `alpha_min` and `alpha_1se` where the whole path puts
        them on all data we have tried. Each response, and each outer fold of `nested`, ends by itself. None
        fits the whole path.
    random_state : int, RandomState or None, default=0
        Seed for the shuffled folds of an integer `cv`.

    Returns
    -------
    CVPath
        The path of all samples, the scores of the folds, and what they choose.

    Warns
    -----
    GridEndWarning
        When the best alpha is the last of an automatic grid, and the score is still improving there.

    References
    ----------
    Friedman, Hastie & Tibshirani (2010), Journal of Statistical Software 33(1), section 7. Verweij & van
    Houwelingen (1993), Cross-validation in survival analysis, Statistics in Medicine 12. Stone (1974),
    Cross-validatory choice and assessment of statistical predictions, J. R. Statist. Soc. B 36.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(3)
    >>> X = rng.standard_normal((60, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.5 * rng.standard_normal(60)
    >>> cv = riata.cv_path(X, y, cv=5, alpha_rule="1se")
    >>> np.flatnonzero(cv.coef())
    array([0, 7])
    """
    alpha_rule = check_alpha_rule(alpha_rule, fit)
    asked = read_given("cv_path", fit, stop_early=False)
    loss, options = asked.loss, check_patience(patience, asked.options)
    scoring = check_scoring(scoring, loss)
    problem = read_problem(X, y, asked)
    target, weights = problem.target, problem.weights
    if not hasattr(cv, "split") and isinstance(cv, Iterable) and not isinstance(cv, str):
        cv = list(cv)
    drawn: dict[str, Any] = {"loss": loss, "random_state": random_state, "repeats": repeats}
    splits = make_splits(cv, X, y, target, weights, groups, shuffle=True, **drawn)
    outer = None
    if nested is not None and nested is not False:
        from riata.path.nested import outer_folds

        outer = outer_folds(nested, cv, X, y, target, weights, groups, **drawn)
    result = cross_validate(
        problem.design,
        target,
        weights,
        problem.offset,
        problem.features,
        options,
        splits,
        scoring,
        alpha_rule,
        problem.labels,
        weigh_folds=True,
        keep=True,
        outer=outer,
    )
    result.folds_made = describe_folds(
        cv, splits, loss=loss, grouped=groups is not None, repeats=repeats, random_state=random_state
    )
    result.path.columns = names_beside(loss, y, fit.get("offset"))
    warn_unless_all_converged(result, options)
    warn_if_grid_ends(result, options)
    warn_if_memory_ended(result.path, options)
    return result


def warn_unless_all_converged(result: CVPath, options: Options) -> None:
    """Warn when the full fit or that of some fold missed the tolerance."""
    path = result.path
    gaps = np.column_stack([path.dual_gaps, result.fold_gaps])
    converged = path.converged & (np.abs(result.fold_gaps) <= options.tol).all(axis=1)
    warn_unless_converged(path.alphas, gaps.max(axis=1), converged, options)


class GridEndWarning(UserWarning):
    """The best alpha is the last of an automatic grid."""


def warn_if_grid_ends(result: CVPath, options: Options, of: str = "") -> None:
    """Warn when an automatic grid ends at the best alpha while the score still gains on the way there.

    Not for less than a hundredth of the standard error from one alpha to the next: then nothing is missed.
    """
    path = result.path
    asked = options.alphas is not None or path.stop_reason != ""
    if asked or not (result.best_is_last and result.still_gains):
        return
    warnings.warn(
        f"{of}the best alpha is the last of the grid, {path.alphas[-1]:.4g}: smaller ones may score better. "
        "Give a smaller eps, or alphas.",
        GridEndWarning,
        stacklevel=3,
    )


def cross_validate(
    design: DesignView,
    y: Float | SurvivalTarget,
    weights: Float,
    offset: Float | None,
    features: Features,
    options: Options,
    splits: list[Split],
    scoring: str,
    alpha_rule: str,
    labels: NDArray[Any] | None,
    *,
    weigh_folds: bool,
    keep: bool = False,
    reweigh: Reweigh | None = None,
    outer: list[OuterFold] | None = None,
) -> CVPath:
    """Fit the full data and every fold in one call of the core; score held-out rows, `keep` predictions.

    Training samples count by their weights as `reweigh` changes them, held-out samples by `weights`. With
    `outer` folds these and the folds within them are fitted in the same call, on grids of their own.
    """
    columns = fold_columns(y, weights, splits, options, scoring, labels, reweigh)
    alone = not isinstance(y, SurvivalTarget)  # else held-out rows are scored beside the training rows
    asked, leaders = columns, None
    shared = (design, y, weights, offset, options)
    scorers = {0: FoldScorer(columns, *shared, splits, scoring, weigh_folds=weigh_folds)}
    if outer is not None:
        from riata.path.nested import collect_nested, outer_columns, outer_scorers

        parts = outer_columns(outer, y, weights, options, scoring, labels, reweigh)
        blocks = [columns, *(part.columns for part in parts)]
        asked, leaders = np.hstack(blocks), leaders_of(blocks)
        scorers |= outer_scorers(
            parts, columns.shape[1], design, y, offset, options, scoring, weigh_folds=weigh_folds
        )
    fits = solve(
        design, y, asked, offset, features, options, keep_linear_predictor=alone, leaders=leaders,
        held_out=score_on_the_way(scorers, options), every_row=needs_every_row(scorers, options),
    )  # fmt: skip
    own = columns.shape[1]
    result = collect_folds(
        fits[:own], columns, design, y, weights, offset, features, options, splits, scoring, alpha_rule,
        labels, weigh_folds=weigh_folds, keep=keep,
    )  # fmt: skip
    if outer is not None:
        result.nested = collect_nested(
            fits[own:], parts, design, y, offset, options, scoring, alpha_rule, weigh_folds=weigh_folds
        )
    return result


def collect_folds(
    fits: list[dict[str, Any]],
    columns: Float,
    design: DesignView,
    y: Float | SurvivalTarget,
    weights: Float,
    offset: Float | None,
    features: Features,
    options: Options,
    splits: list[Split],
    scoring: str,
    alpha_rule: str,
    labels: NDArray[Any] | None,
    *,
    weigh_folds: bool,
    keep: bool,
) -> CVPath:
    """Score the held-out rows of every fold, given the fits to the columns of `fold_columns`."""
    path = make_path(fits[0], design, y, columns[:, 0], features, options, labels, offset=offset)
    scored = score_folds(fits, columns, design, y, weights, offset, options, splits, scoring, keep=keep)
    sizes = np.array([weights[test].sum() for _, test in splits]) if weigh_folds else np.ones(len(splits))
    repeats = count_repeats([test for _, test in splits])
    mean, error = summarise(scored.scores, sizes, repeats)
    best, frugal = choose(mean, error, greater_is_better=scoring in GREATER_IS_BETTER)
    null = score_nulls(columns, y, weights, offset, options, splits, scoring)
    null_mean, null_error = summarise(null[None], sizes, repeats)
    return CVPath(
        path=path,
        scores=scored.scores,
        scoring=scoring,
        mean_score=mean,
        se_score=error,
        alpha_min=float(path.alphas[best]),
        alpha_1se=float(path.alphas[frugal]),
        alpha_rule=alpha_rule,
        folds=[test for _, test in splits],
        fold_gaps=scored.gaps,
        oof_link=scored.held_out,
        trained_on=[train for train, _ in splits],
        null_score=float(null_mean[0]),
        null_se=float(null_error[0]),
    )
