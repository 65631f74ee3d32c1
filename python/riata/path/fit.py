"""Fitting a path: calling the core, and what its result says."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata import _core
from riata._input.design import DesignView
from riata._input.gaps import LaidOut, fitted_values, lay_out
from riata._input.survival import SurvivalTarget
from riata._input.validation import Float, threads_for
from riata._io import traffic
from riata._io.progress import bar_of
from riata.genetics.variants import FittedVariants, fitted_variants
from riata.losses import Loss
from riata.losses._numbers import HUBER_DELTA
from riata.path.alphas_per_pass import alphas_per_pass_for
from riata.path.arguments import Features, Options
from riata.path.coefs import coefs_of, intercepts_of
from riata.path.fit_point import response_scale
from riata.path.fit_warnings import warn_if_memory_ended, warn_of_free_features, warn_unless_converged
from riata.path.given import Shorthand, read_given, read_problem
from riata.path.result import RegularizationPath
from riata.path.run_options import RunOptions
from riata.path.univariate_guided import solve_guided
from riata.path.validation import HeldOut
from riata.path.without_penalty import down_to_zero
from riata.penalties import Penalty
from riata.penalties._penalty import Membership

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["fit_path"]

CHECKPOINT_SECONDS = 60.0  # between two writes, at least


def solve(
    design: DesignView,
    y: Float | SurvivalTarget,
    weights: Float,
    offset: Float | None,
    features: Features,
    options: Options,
    *,
    keep_linear_predictor: bool = False,
    held_out: HeldOut | None = None,
    every_row: bool = False,
    leaders: list[int] | None = None,
    tell: bool = True,
    apart: bool = False,
) -> list[dict[str, Any]]:
    """Call the core for the weight columns of `weights` (n x F); rows of `design` are put in its order.

    Each column follows the grid of the one that leads it, by default the first. `held_out` scores held-out
    samples at each alpha that was asked for: see `riata.path.validation`. With `apart`, columns that all lead
    are fits to rows of their own, those of positive weight.
    Warns of what is odd about unpenalised features, unless `tell` is false: they are not the user's then.
    """
    count = weights.shape[1]
    if options.penalty.fits_features_alone:
        fits = solve_guided(
            design, [y] * count, weights, offset, features, options, core_arguments,
            leaders=leaders or [0] * count, keep_linear_predictor=keep_linear_predictor,
        )  # fmt: skip
        if tell:
            warn_of_free_features(fits, design, options)
        return fits
    laid = lay_out(design, weights)
    work = float(laid.core.shape[0]) * design.n_features * count * math.prod(y.shape[1:])
    survival = None
    if isinstance(y, SurvivalTarget):
        rows = y.spread(laid)
        y, survival = rows.time, rows.core
    else:
        y = np.asfortranarray(laid.spread(y))
    shift = None if offset is None else np.asfortranarray(laid.spread(offset))

    def call(options: Options, features: Features) -> list[dict[str, Any]]:
        return _core.fit_paths(
            laid.core,
            y,
            laid.weights,
            shift,
            **core_arguments(laid.core, features, options, threads_for(options.n_threads, work)),
            keep_linear_predictor=keep_linear_predictor,
            **asks_of(held_out, laid, options, every_row=every_row),
            survival=survival,
            leaders=leaders,
            apart=apart,
        )

    fits = fit_grids(
        call, laid, [y] * count, shift, features, options,
        leaders=leaders or [0] * count, keep_linear_predictor=keep_linear_predictor,
    )  # fmt: skip
    if tell:
        warn_of_free_features(fits, design, options)
    return fits


def asks_of(held_out: HeldOut | None, laid: LaidOut, options: Options, *, every_row: bool) -> dict[str, Any]:
    """Return what a call of the core takes so that `held_out` scores what it fits."""
    if held_out is None or not (options.progress or options.patience):
        return {}
    score = held_out

    def told(leader: int, alpha: float, predictors: list[Float]) -> tuple[float, float] | None:
        of_samples = laid.every_row if every_row else laid.predictors
        return score(
            leader, alpha, [of_samples(k, eta) if len(eta) else eta for k, eta in enumerate(predictors)]
        )

    return {"held_out": told, "tell_every_row": every_row}


def fit_grids(
    call: Callable[[Options, Features], list[dict[str, Any]]], laid: LaidOut, ys: Sequence[Float],
    offset: Float | None, features: Features, options: Options, *,
    leaders: Sequence[int], keep_linear_predictor: bool,
) -> list[dict[str, Any]]:  # fmt: skip
    """Fit problems, each with a response of `ys`, at all their alphas by `call`s of the core."""
    with bar_of(options.progress), traffic.counted() as sent:
        fits = down_to_zero(
            call, laid.core, ys, laid.weights, offset, features, options,
            leaders=leaders, keep_linear_predictor=keep_linear_predictor,
        )  # fmt: skip
    for fit in fits:
        fit["counters"].update(sent.counters())
    laid.settle(fits)
    return fits


def leaders_of(blocks: Sequence[Float]) -> list[int]:
    """Return what each column of weights follows, of blocks side by side: the first column of its block."""
    leaders: list[int] = []
    for block in blocks:
        leaders += [len(leaders)] * block.shape[1]
    return leaders


def core_arguments(X: _core.Design, features: Features, options: Options, n_threads: int) -> dict[str, Any]:
    """Return what every call of the core on `X` takes of the options and of the features."""
    return {
        "penalty_factor": features.penalty_factor,
        "lower": features.lower,
        "upper": features.upper,
        "label": features.label,
        "loss": options.loss.name,
        "solver": options.solver,
        "fit_intercept": options.fit_intercept,
        "standardize": options.standardize,
        "l1_ratio": options.l1_ratio,
        "alphas": options.alphas,
        "n_alphas": options.n_alphas,
        "eps": options.eps,
        "stop_early": options.stop_early,
        "max_active": options.max_active,
        "max_groups": options.max_groups,
        "patience": options.patience,
        "memory": options.memory,
        "alphas_per_pass": options.alphas_per_pass or alphas_per_pass_for(X),
        "tol": options.tol,
        "max_iter": options.max_iter,
        "n_threads": n_threads,
        "progress": options.progress,
        "checkpoint": options.checkpoint,
        "checkpoint_seconds": CHECKPOINT_SECONDS,
        "keep_checkpoint": options.keep_checkpoint,
        "row_grouped": options.grouped,
        "huber_delta": options.loss.huber_delta or HUBER_DELTA,
        "penalty": options.penalty.core_kind,
        **features.structure,
    }


def make_path(
    fit: dict[str, Any],
    design: DesignView,
    y: Float | SurvivalTarget,
    weights: Float,
    features: Features,
    options: Options,
    labels: NDArray[Any] | None,
    *,
    offset: Float | None,
) -> RegularizationPath:
    """Wrap one result of the core; of `offset` that there was one is kept."""
    n_events = None
    if isinstance(y, SurvivalTarget):
        n_events = float(weights @ y.event)
        y = y.time
    outputs = y.shape[1:]
    groups = options.penalty.groups_of(design.n_features, design.feature_names)
    return RegularizationPath(
        alphas=np.asarray(fit["alphas"], dtype=np.float64),
        coefs=coefs_of(fit, design.n_features, outputs),
        intercepts=intercepts_of(fit, outputs),
        primal=np.asarray(fit["primal"]),
        dual=np.asarray(fit["dual"]),
        dual_gaps=np.asarray(fit["dual_gaps"]),
        converged=np.asarray(fit["converged"], dtype=np.bool_),
        deviance_ratio=np.asarray(fit["deviance_ratio"]),
        n_active=np.asarray(fit["n_active"], dtype=np.int64),
        n_iter=np.asarray(fit["n_iter"], dtype=np.int64),
        solver=list(fit["solver"]),
        loss=options.loss.name,
        l1_ratio=options.l1_ratio,
        alpha_max=float(fit["alpha_max"]),
        null_objective=float(fit["null_objective"]),
        saturated_objective=float(fit["saturated_objective"]),
        mean=np.asarray(fit["mean"]),
        scale=np.asarray(fit["scale"]),
        standardize=options.standardize,
        fit_intercept=options.fit_intercept,
        tol=options.tol,
        n_samples=int(np.count_nonzero(weights)),
        weight_sum=float(weights.sum()),
        response_scale=response_scale(y, weights),
        feature_names=design.feature_names,
        classes=labels if options.loss.has_classes else None,
        stop_reason=str(fit["stopped"]),
        counters={name: float(value) for name, value in fit["counters"].items()},
        grouped=options.grouped,
        huber_delta=options.loss.huber_delta,
        responses=labels if options.loss.many_responses else None,
        penalty=options.penalty.kind,
        penalty_parameters=options.penalty.parameters,
        certificate=options.penalty.certificate,
        locally_convex=np.asarray(fit["locally_convex"], dtype=np.bool_)
        if len(fit["locally_convex"])
        else None,
        **group_fields(fit, groups, outputs),
        penalty_factor=features.penalty_factor,
        n_events=n_events,
        has_offset=offset is not None,
        variants=variants_of(fit, design, options),
        fill=fitted_values(design, fit, weights),
        sd=None if options.standardize else np.asarray(fit["spread"]),
    )


def group_fields(fit: dict[str, Any], found: Membership | None, outputs: tuple[int, ...]) -> dict[str, Any]:
    """What a path keeps of groups of features."""
    if found is None:
        return {}
    fields = {"groups": found.group.astype(np.int64), "group_names": as_labels(found.labels)}
    if found.feature is not None:
        fields["members"] = found.feature.astype(np.int64)
        fields["parts"] = coefs_of(fit, len(found.feature), outputs, "part")
    return fields


def variants_of(fit: dict[str, Any], design: DesignView, options: Options) -> FittedVariants | None:
    """What a model of genotypes keeps of its variants."""
    if design.genotypes is None:
        return None
    p = design.genotypes.shape[1]
    if options.standardize:
        return fitted_variants(design.genotypes, sd=np.asarray(fit["scale"])[:p])
    outputs = np.shape(fit["intercepts"])[1:]
    active = np.unique(np.asarray(fit["coef_indices"]) // math.prod(outputs)).astype(np.int64)
    return fitted_variants(design.genotypes, active=active[active < p])


def as_labels(labels: list[Any]) -> NDArray[Any]:
    """Return what groups are called as an array that files can keep."""
    array = np.asarray(labels)
    return array if array.ndim == 1 and array.dtype.kind in "iufbU" else np.array([str(x) for x in labels])


def fit_path(
    X: Any,
    y: ArrayLike,
    *,
    loss: str | Loss = "gaussian",
    penalty: Penalty | None = None,
    alphas: int | Sequence[float] | Float = 100,
    eps: float | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    fit_intercept: bool = True,
    standardize: bool = True,
    l1_ratio: float = 1.0,
    penalty_factor: ArrayLike | Mapping[str, float] | None = None,
    lower: float | ArrayLike | Mapping[str, float] | None = None,
    upper: float | ArrayLike | Mapping[str, float] | None = None,
    exclude: ArrayLike | None = None,
    tol: float = 1e-6,
    impute: str | None = None,
    run: RunOptions | None = None,
    **shorthand: Unpack[Shorthand],
) -> RegularizationPath:
    """Fit a whole regularisation path, each point with a certificate of optimality.

    Minimises, for each alpha,

        (1 / Σw) Σ_i w_i loss(y_i, b0 + x_i·b + offset_i)
            + alpha Σ_j pf_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j²)   with lower <= b <= upper.

    The gaussian loss is half the squared residual and the binomial loss is log(1 + exp(eta)) - y eta. The
    Poisson loss is half the deviance, mu - y - y log(mu / y) at mu = exp(eta): that is, exp(eta) - y eta
    minus its minimum. The Huber loss is half the squared residual r up to |r| = delta, and delta (|r| -
    delta/2) beyond. For the Cox loss minus the log partial likelihood takes the place of the sum, and there
    is no intercept. The multinomial loss is log Σ_k exp(eta_k) - Σ_k y_k eta_k, with coefficients for every
    class, and the multigaussian loss half the sum of the squared residuals of K responses; there the penalty
    is summed over outputs, or with ``ElasticNet(grouped=True)``, and always for the multigaussian loss,

        alpha Σ_j pf_j (l1_ratio ‖b_j‖₂ + (1 - l1_ratio)/2 ‖b_j‖₂²),   b_j the K coefficients of feature j,

    under which a feature enters for all outputs together. With
    `standardize` (the default here, as in glmnet; the estimators default to False, as in scikit-learn) the
    penalty measures coefficients on columns of unit standard deviation (1/n, weighted). Coefficients always
    come back on the original scale, and X is read in place and never changed.

    Parameters
    ----------
    X : array, memory map, SciPy sparse matrix, DataFrame, Arrow table, AnnData or Genotypes, shape (n, p)
        Arrays of float64, float32 and int8 of any layout, and SciPy CSC, are used where they are. Anything
        else is converted once (see the guide on inputs).
    y : array of shape (n,)
        Numbers for the gaussian and Huber losses; counts, or any numbers >= 0 that are not all 0, for the
        Poisson loss. For the binomial loss numbers within [0, 1], or two labels of which the
        second in sorted order is coded 1. For the Cox loss a structured array with a boolean field (event)
        and a numeric one (time), as scikit-survival has it, or columns [time, event] of shape (n, 2). For the
        multinomial loss labels, or proportions of the classes of shape (n, K); for the multigaussian loss
        numbers of shape (n, K).
    loss : {"gaussian", "binomial", "poisson", "huber", "cox", "multinomial", "multigaussian"} or Loss
        Default "gaussian". An object of `riata.losses` also holds the parameters of the loss.
    penalty : one of riata.penalties, optional
        ElasticNet (another way to give `l1_ratio`), GroupLasso, SparseGroupLasso, MCP, SCAD, SLOPE or
        UniLasso, times alpha, in place of the penalty above. Bounds are for the first only, and all but
        groups are for losses with one output; MCP and SCAD are not convex, and given alphas are reached down
        a path from no feature.
    alphas : int or sequence of float, default=100
        A number of grid points, from alpha_max down to ``eps * alpha_max`` on a log scale; the grid ends
        early when the fit is nearly saturated (0.999 of the deviance about the mean explained). Or the values
        themselves, which are all fitted, in decreasing order: one or few small ones take no longer than a
        path down to them, for others are fitted in between and not kept. 0 is the fit without a penalty:
        with squared errors and no bounds the least-squares coefficients of least norm (as the penalty
        measures it), which ridge regression approaches; not with `penalty` beyond ElasticNet.
    eps : float, optional
        At most 1. Default 0.01 when p > n, else 1e-4, times `l1_ratio` (at least 0.001): as far down as for
        the lasso.
    sample_weight : array of shape (n,), optional
        Non-negative. A sample of weight zero is as good as absent.
    offset : array of shape (n,), or (n, K), optional
        Added to the linear predictor. For counts over unequal times or areas, the log of these.
    fit_intercept : bool, default=True
        The intercept is not penalised. Those of the multinomial loss, which are determined up to a constant,
        sum to zero.
    standardize : bool, default=True
        Penalise coefficients as on columns of unit standard deviation. They come back on the original scale.
    l1_ratio : float, default=1.0
        From 0 (ridge) to 1 (lasso).
    penalty_factor : array of shape (p,), dict or Series, optional
        Multiplies the penalty of each feature: 0 leaves it unpenalised, infinity leaves the feature out. Used
        as given, never rescaled. A dict holds factors by the names of features, one for the others; a Series
        with names for labels is put in the order of X.
    lower, upper : float, array of shape (p,), dict or Series, optional
        Bounds on the coefficients, on the original scale, with ``lower <= 0 <= upper``: the same for every
        output. Not available where coefficients enter together.
    exclude : sequence of feature numbers or names, or boolean mask, optional
        Features to leave out, the same as an infinite penalty factor.
    tol : float, default=1e-6
        Bound on the relative duality gap, (primal - dual) / (null objective - saturated objective), of every
        fit; for MCP and SCAD on the largest violation of an optimality condition, over alpha. 0: as small as
        rounding allows, with a warning if it stays above 0.
    impute : {"mean"}, optional
        Take NaN in a dense X for missing values, and replace them by the weighted mean of the values that
        each fit sees: in `cv_path` the mean over the training samples, also to predict the held-out ones, and
        in `RegularizationPath.predict` the mean of the fit (`fill`). Takes a copy of X; with folds, every
        sample with a missing value is held once for each of them. By default NaN is refused.
    run : RunOptions, optional
        How the fit runs: solver, iterations, threads, progress, `max_active`, `max_groups`, `memory`,
        checkpoint.
    **shorthand
        Any parameter of `RunOptions` by itself; `start`, `strata` and `ties` (`riata.losses.Cox`) or
        `huber_delta` (`riata.losses.Huber`) with a loss given by name; `grouped` with an elastic net.

    Returns
    -------
    RegularizationPath
        The fits at all alphas, with their certificates.

    Raises
    ------
    ValueError, TypeError
        For bad input, naming the argument, the value and what is allowed, before any fitting; also for a
        checkpoint of another fit. When `max_active`, `max_groups` or `memory` is below what the first alpha
        has.
    OSError
        For a checkpoint that cannot be written or is damaged.
    KeyboardInterrupt
        On Ctrl-C, within half a second.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the certificate of some fit is above `tol` after `max_iter` iterations.
    UserWarning
        When the path ended because of `memory`; when unpenalised features are combinations of others, or
        leave nothing to explain; when y has one value for all samples, which the intercept predicts.

    References
    ----------
    Friedman, Hastie & Tibshirani (2010), Regularization paths for generalized linear models via coordinate
    descent, Journal of Statistical Software 33(1). Fercoq, Gramfort & Salmon (2015), Mind the duality gap,
    ICML. Huber (1964), Robust estimation of a location parameter, Annals of Mathematical Statistics 35.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> path = riata.fit_path(X, y)
    >>> np.flatnonzero(path.coef(0.5))
    array([0, 7])
    >>> bool(path.dual_gaps.max() <= 1e-6)
    True
    """
    given = {
        "loss": loss, "penalty": penalty, "alphas": alphas, "eps": eps, "sample_weight": sample_weight,
        "offset": offset, "fit_intercept": fit_intercept, "standardize": standardize, "l1_ratio": l1_ratio,
        "penalty_factor": penalty_factor, "lower": lower, "upper": upper, "exclude": exclude, "tol": tol,
        "impute": impute, "run": run,
    }  # fmt: skip
    asked = read_given("fit_path", given | shorthand)
    problem, options = read_problem(X, y, asked), asked.options
    fit = solve(
        problem.design, problem.target, problem.weights[:, None], problem.offset, problem.features, options
    )[0]
    path = make_path(
        fit, problem.design, problem.target, problem.weights, problem.features, options, problem.labels,
        offset=problem.offset,
    )  # fmt: skip
    path.columns = names_beside(asked.loss, y, offset)
    warn_unless_converged(path.alphas, path.dual_gaps, path.converged, options, path.n_iter)
    warn_if_memory_ended(path, options)
    return path


def names_beside(loss: Loss, y: Any, offset: Any) -> dict[str, str]:
    """Return what the response and what stands beside it are called, of those that have names."""
    found: dict[str, Any] = {
        "y": getattr(y, "name", None),
        "entry": loss.beside.get("start"),
        "strata": loss.beside.get("strata"),
        "offset": offset,
    }
    for what in ("entry", "strata", "offset"):
        found[what] = getattr(found[what], "name", None)
    if loss.has_times:
        del found["y"]
        fields = getattr(getattr(y, "dtype", None), "names", None)
        if fields:
            found["event"], found["time"] = sorted(fields, key=lambda name: y.dtype[name].kind != "b")
        elif hasattr(y, "columns"):
            found["time"], found["event"] = y.columns
    elif hasattr(y, "columns") and len(y.columns) == 1:
        found["y"] = y.columns[0]
    return {what: name for what, name in found.items() if isinstance(name, str)}
