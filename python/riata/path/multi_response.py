"""Paths of several responses to the same features, which share every pass over X."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata import _core
from riata._docs import described_by
from riata._input.alignment import check_rows_named_alike
from riata._input.design import DesignView
from riata._input.gaps import lay_out
from riata._input.survival import SurvivalTarget
from riata._input.validation import Float, check_offset, check_weights, threads_for
from riata.losses import Loss
from riata.losses._known import check_scoring, with_start
from riata.path.arguments import (
    Features,
    Options,
)
from riata.path.cross_validation import (
    collect_folds,
    cv_path,
    warn_if_grid_ends,
    warn_unless_all_converged,
)
from riata.path.cv_result import CVPath
from riata.path.fit import (
    asks_of,
    core_arguments,
    fit_grids,
    fit_path,
    leaders_of,
    make_path,
    names_beside,
)
from riata.path.fit_warnings import (
    warn_if_constant,
    warn_if_memory_ended,
    warn_of_free_features,
    warn_unless_converged,
)
from riata.path.fold_scores import fold_columns
from riata.path.folds import (
    Split,
    check_groups,
    describe_folds,
    looks_at_tables,
    make_splits,
    rows_of_given,
    rows_of_target,
)
from riata.path.given import FitArguments, check_alpha_rule, read_given, shows_arguments_of
from riata.path.nested import (
    OuterColumns,
    OuterFold,
    collect_nested,
    outer_columns,
    outer_folds,
    outer_scorers,
)
from riata.path.result import RegularizationPath
from riata.path.univariate_guided import solve_guided
from riata.path.validation import FoldScorer, HeldOut, check_patience, needs_every_row, score_on_the_way

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["cv_multi_path", "fit_multi_path"]


@dataclass(slots=True)
class Response:
    """One response: `weights` are zero where it is missing, `rows` are the others."""

    target: Float | SurvivalTarget
    classes: NDArray[Any] | None
    weights: Float
    offset: Float | None
    rows: NDArray[np.int64]


@described_by(fit_path)
@shows_arguments_of(fit_path)
def fit_multi_path(
    X: Any,
    ys: Sequence[ArrayLike],
    **fit: Unpack[FitArguments],
) -> list[RegularizationPath]:
    """Fit a path to each of several responses; they share every pass over X.

    Each path is that of `fit_path` on the samples whose response is known: it has a grid of its own and ends
    on its own.

    Parameters
    ----------
    ys : sequence of arrays of shape (n,)
        The responses, as numbers, with NaN for samples without that response; of survival times columns
        [time, event], of shape (n, 2). `fit_path` says which numbers each loss takes.
    loss : {"gaussian", "binomial", "poisson", "huber", "cox"}
        The loss of all responses.
    progress : bool or callable
        True shows the progress of the fit. A callable is called as ``progress(done, total, alpha, n_active,
        gap, passes)``, counting the alphas of all paths, for one path at a time; returning False ends them.
    max_active : int
        End a path before more than this many features are active in it.
    max_groups : int
        End a path before features of more than this many groups (`feature_groups`) are active in it.
    memory : int or str
        Bytes, or a size such as "4G", that all fits together may hold beside X; see `estimate_memory`.

    Returns
    -------
    list of RegularizationPath
        `counters` are those of all paths together.

    Raises
    ------
    ValueError, TypeError
        For bad input, naming the argument and the response, before any fitting.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 200))
    >>> ys = [X[:, 3] + 0.1 * rng.standard_normal(60), X[:, 8] - X[:, 9]]
    >>> ys[1][:5] = np.nan
    >>> [path.n_samples for path in riata.fit_multi_path(X, ys)]
    [60, 55]
    """
    asked = read_given("fit_multi_path", fit)
    loss, options = asked.loss, asked.options
    _refuse_several_outputs(loss)
    _check_rows(X, ys, **asked.of_rows())
    design = asked.view(X)
    responses = _read(design, ys, loss, asked.data["sample_weight"], asked.data["offset"])
    features = asked.features(design)
    for k, response in enumerate(responses):
        warn_if_constant(response.target, response.weights, response.offset, options, f"ys[{k}]: ")
    weights = np.column_stack([response.weights for response in responses])
    fits = solve_responses(design, responses, weights, list(range(len(responses))), features, options)
    paths = []
    for y, response, found in zip(ys, responses, fits, strict=True):
        path = make_path(
            found, design, response.target, response.weights, features, options, response.classes,
            offset=response.offset,
        )  # fmt: skip
        path.columns = names_beside(loss, y, fit.get("offset"))
        warn_unless_converged(path.alphas, path.dual_gaps, path.converged, options, path.n_iter)
        paths.append(path)
    _warn_if_memory_ended(paths, options)
    return paths


@described_by(fit_multi_path, cv_path)
@shows_arguments_of(fit_path)
def cv_multi_path(
    X: Any,
    ys: Sequence[ArrayLike],
    *,
    cv: int | Any = 10,
    groups: ArrayLike | None = None,
    repeats: int = 1,
    nested: bool | int | Any | None = None,
    scoring: str | None = None,
    alpha_rule: str = "min",
    patience: int | None = None,
    random_state: int | np.random.RandomState | None = 0,
    **fit: Unpack[FitArguments],
) -> list[CVPath]:
    """Fit and cross-validate a path for each of several responses; all folds share every pass over X.

    Parameters
    ----------
    cv : int or splitter
        Applied to the samples whose response is known. An integer draws that many shuffled folds, stratified
        by class or event for the binomial and Cox losses.
    groups : array of shape (n,)
        Passed to the splitter, for all samples of X; with an integer `cv`, samples of one group (a family, a
        patient) stay together.

    Returns
    -------
    list of CVPath
        Rows of `folds` and `oof_link` are those of X.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 100))
    >>> ys = [X[:, 3] + 0.1 * rng.standard_normal(60), X[:, 8] - X[:, 9] + 0.1 * rng.standard_normal(60)]
    >>> [np.flatnonzero(cv.coef()).tolist() for cv in riata.cv_multi_path(X, ys, cv=5, alpha_rule="1se")]
    [[3], [8, 9]]
    """
    alpha_rule = check_alpha_rule(alpha_rule, fit)
    asked = read_given("cv_multi_path", fit, stop_early=False)
    loss, options = asked.loss, check_patience(patience, asked.options)
    _refuse_several_outputs(loss)
    scoring = check_scoring(scoring, loss)
    _check_rows(X, ys, groups=groups, **asked.of_rows())
    design = asked.view(X)
    responses = _read(design, ys, loss, asked.data["sample_weight"], asked.data["offset"])
    features = asked.features(design)
    for k, response in enumerate(responses):
        warn_if_constant(response.target, response.weights, response.offset, options, f"ys[{k}]: ")
    if groups is not None:
        check_groups(groups, design.n_samples)
    splits: list[list[Split]] = []
    columns: list[Float] = []
    outer: list[list[OuterColumns]] = []
    for k, (y, response) in enumerate(zip(ys, responses, strict=True)):
        try:
            folds, judged = _draw(X, y, response, cv, groups, repeats, nested, loss, random_state)
            splits.append(folds)
            columns.append(
                fold_columns(response.target, response.weights, folds, options, scoring, response.classes)
            )
            outer.append(
                outer_columns(judged, response.target, response.weights, options, scoring, response.classes)
            )
        except (ValueError, TypeError) as error:
            raise type(error)(f"ys[{k}]: {error}") from error
    blocks = [[own, *(part.columns for part in parts)] for own, parts in zip(columns, outer, strict=True)]
    scorers: dict[int, FoldScorer] = {}
    first = 0
    for response, folds, own, parts in zip(responses, splits, columns, outer, strict=True):
        shared = (design, response.target, response.weights, response.offset, options)
        scorers[first] = FoldScorer(own, *shared, folds, scoring, weigh_folds=True)
        first += own.shape[1]
        scorers |= outer_scorers(
            parts, first, design, response.target, response.offset, options, scoring, weigh_folds=True
        )
        first += sum(part.columns.shape[1] for part in parts)
    fits = _solve_blocks(design, responses, blocks, features, options, scorers)
    results: list[CVPath] = []
    for y, response, folds, own, parts in zip(ys, responses, splits, columns, outer, strict=True):
        count = own.shape[1] + sum(part.columns.shape[1] for part in parts)
        mine, fits = fits[:count], fits[count:]
        result = collect_folds(
            mine[: own.shape[1]], own, design, response.target, response.weights, response.offset, features,
            options, folds, scoring, alpha_rule, response.classes, weigh_folds=True, keep=True,
        )  # fmt: skip
        result.folds_made = describe_folds(
            cv, folds, loss=loss, grouped=groups is not None, repeats=repeats, random_state=random_state
        )
        if parts:
            result.nested = collect_nested(
                mine[own.shape[1] :], parts, design, response.target, response.offset, options, scoring,
                alpha_rule, weigh_folds=True,
            )  # fmt: skip
        result.path.columns = names_beside(loss, y, fit.get("offset"))
        warn_unless_all_converged(result, options)
        warn_if_grid_ends(result, options, f"ys[{len(results)}]: ")
        results.append(result)
    _warn_if_memory_ended([result.path for result in results], options)
    return results


def _draw(
    X: Any,
    y: Any,
    response: Response,
    cv: Any,
    groups: ArrayLike | None,
    repeats: int,
    nested: Any,
    loss: Loss,
    random_state: Any,
) -> tuple[list[Split], list[OuterFold]]:
    """Draw the folds of a response from the samples that have it, and outer folds where they are wanted."""
    rows = response.rows
    known, weights = rows_of_target(response.target, rows), response.weights[rows]
    shown: tuple[Any, Any] = (None, None)
    if looks_at_tables(cv) or looks_at_tables(nested):
        shown = (rows_of_given(X, rows), rows_of_given(y, rows))
    mine = None if groups is None else np.asarray(groups)[rows]
    drawn: dict[str, Any] = {"loss": loss, "random_state": random_state, "repeats": repeats}
    folds = make_splits(cv, *shown, known, weights, mine, shuffle=True, **drawn)
    judged: list[OuterFold] = []
    if nested is not None and nested is not False:
        judged = outer_folds(nested, cv, *shown, known, weights, mine, **drawn)
    return (
        [(rows[train], rows[test]) for train, test in folds],
        [fold.of_rows(rows) for fold in judged],
    )


def _solve_blocks(
    design: DesignView,
    responses: list[Response],
    blocks: list[list[Float]],
    features: Features,
    options: Options,
    scorers: dict[int, FoldScorer],
) -> list[dict[str, Any]]:
    """Fit the blocks of weights of each response, the first column of a block leading it."""
    leading = [response for response, parts in zip(responses, blocks, strict=True) for _ in parts]
    flat = [part for parts in blocks for part in parts]
    keep = not options.loss.has_times  # which is scored beside the training rows
    return solve_responses(
        design, leading, np.hstack(flat), leaders_of(flat), features, options, keep=keep,
        held_out=score_on_the_way(scorers, options), every_row=needs_every_row(scorers, options),
    )  # fmt: skip


def _check_rows(X: Any, ys: Any, **shared: Any) -> None:
    named = {f"ys[{k}]": y for k, y in enumerate(ys)} if isinstance(ys, list | tuple) else {"ys": ys}
    check_rows_named_alike(X, **named, **shared)


def _refuse_several_outputs(loss: Loss) -> None:
    if loss.several_outputs:
        raise ValueError(
            f"loss must be one for a single number per sample, got {loss.name!r}; use fit_path or cv_path"
        )


def _read(
    design: DesignView,
    ys: Sequence[ArrayLike],
    loss: Loss,
    sample_weight: Any,
    offset: Any,
) -> list[Response]:
    n = design.n_samples
    weights, shift = check_weights(sample_weight, n), check_offset(offset, n)
    if len(ys) == 0:
        raise ValueError("ys must hold at least one response, got none")
    out = []
    for k, given in enumerate(ys):
        try:
            array = np.array(given, dtype=np.float64)
            known = np.asarray(np.isfinite(array).all(axis=tuple(range(1, array.ndim))))
            if not known.any():
                raise ValueError("y must hold finite numbers, got none")
            if len(known) == n:
                array[~known] = array[known][0]  # of weight zero
            mine, start = loss, loss.beside.get("start")
            if start is not None:  # of the sample whose time stands in for missing ones, too
                begin = np.asarray(start, dtype=np.float64)
                mine = with_start(loss, np.where(known, begin, begin[known][0]))
            here = np.where(known, weights, 0.0) if len(known) == n else weights
            target, classes = mine.check_target(array, n, here)
        except (ValueError, TypeError) as error:
            raise type(error)(f"ys[{k}]: {error}") from error
        out.append(Response(target, classes, here, shift, np.flatnonzero(known)))
    return out


def solve_responses(
    design: DesignView,
    responses: list[Response],
    weights: Float,
    leaders: list[int],
    features: Features,
    options: Options,
    *,
    keep: bool = False,
    held_out: HeldOut | None = None,
    every_row: bool = False,
) -> list[dict[str, Any]]:
    """Call the core for all: one column of `weights` per problem, one response per problem that leads."""
    if options.penalty.fits_features_alone:
        place = np.unique(leaders, return_inverse=True)[1]
        fits = solve_guided(
            design, [responses[k].target for k in place], weights, responses[0].offset, features, options,
            core_arguments, leaders=leaders, keep_linear_predictor=keep,
        )  # fmt: skip
        warn_of_free_features(fits, design, options)
        return fits
    laid = lay_out(design, weights)
    times: list[_core.Survival] = []
    columns = []
    for response in responses:
        target = response.target
        if isinstance(target, SurvivalTarget):
            rows = target.spread(laid)
            times.append(rows.core)
            columns.append(rows.time)
        else:
            columns.append(laid.spread(target))
    offset = responses[0].offset
    shift = None if offset is None else laid.spread(offset)
    shifts = None if shift is None else np.asfortranarray(np.column_stack([shift] * len(responses)))
    work = float(laid.core.shape[0]) * design.n_features * weights.shape[1]
    ys = np.asfortranarray(np.column_stack(columns))
    place = np.unique(leaders, return_inverse=True)[1]  # of each problem's response, among those that lead

    def call(options: Options, features: Features) -> list[dict[str, Any]]:
        return _core.fit_paths(
            laid.core,
            ys,
            laid.weights,
            shifts,
            **core_arguments(laid.core, features, options, threads_for(options.n_threads, work)),
            keep_linear_predictor=keep,
            **asks_of(held_out, laid, options, every_row=every_row),
            survival=times or None,
            leaders=leaders,
        )

    fits = fit_grids(
        call, laid, [columns[k] for k in place], shift, features, options,
        leaders=leaders, keep_linear_predictor=keep,
    )  # fmt: skip
    warn_of_free_features(fits, design, options)
    return fits


def _warn_if_memory_ended(paths: Sequence[RegularizationPath], options: Options) -> None:
    """Warn once when `memory` ended paths: all of those under way end together."""
    for path in paths:
        if path.stop_reason == "memory":
            warn_if_memory_ended(path, options)
            return
