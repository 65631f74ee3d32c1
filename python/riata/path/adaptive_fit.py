"""The adaptive lasso on one set of samples: a first estimate, and lassos weighted by what came before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riata import _core
from riata._input.design import DesignView
from riata._input.validation import Float, check_choice, check_finite, check_integer, check_real, threads_for
from riata.path.adaptive import weigh
from riata.path.arguments import Features, Options
from riata.path.coefs import coefs_of
from riata.path.cross_validation import cross_validate, warn_unless_all_converged
from riata.path.fit import make_path, solve
from riata.path.fit_warnings import warn_unless_converged
from riata.path.folds import Split
from riata.path.ridge import KernelRidge, Moments

INITIAL = ("ridge", "lasso", "marginal")
SEARCHED = ("ridge", "lasso")
RIDGE_GRID = np.geomspace(1.0, 1e-6, 20)  # times the sum of the variances: from hardly any fit to all of it
CONSTANT = 1e-9  # standard deviation, as a share of the mean, up to which a column counts as constant


@dataclass(frozen=True, slots=True)
class Recipe:
    """How weights come about, checked.

    `initial` is a word or coefficients (p,); `alpha` that of the ridge or lasso, None to cross-validate.
    """

    initial: str | Float
    alpha: float | None
    power: float
    n_steps: int

    @property
    def searches(self) -> bool:
        """Whether the first estimate needs folds."""
        return isinstance(self.initial, str) and self.initial in SEARCHED and self.alpha is None


@dataclass(frozen=True, slots=True)
class FirstEstimate:
    """Coefficients on the original scale, what the penalty multiplies them by, the alpha they are from."""

    coef: Float
    scale: Float
    alpha: float | None


@dataclass(frozen=True, slots=True)
class AdaptiveFit:
    """Weighted lassos on a grid: what the core says of the last step, and where the weights came from."""

    first: FirstEstimate
    fit: dict[str, Any]
    before: Any  # coefficients of the step before, (p, L); None when that is the first estimate
    base: Float | None
    power: float

    @property
    def empty(self) -> bool:
        """Whether the first estimate is zero for every feature that is penalised and not left out anyway."""
        base = np.ones(len(self.first.coef)) if self.base is None else self.base
        return not np.any(self.first.coef[(base > 0.0) & np.isfinite(base)])

    def factor(self, i: int) -> Float:
        """Penalty factors of the last step at position i of the grid, (p,)."""
        coef = self.first.coef if self.before is None else self.before[:, [i]].toarray()[:, 0]
        return weigh(np.abs(coef) * self.first.scale, self.power, self.base)


def check_recipe(initial: Any, initial_alpha: Any, power: Any, n_steps: Any) -> Recipe:
    """Check what needs no data."""
    if isinstance(initial, str):
        initial = check_choice("initial", initial, INITIAL)
        if initial == "marginal" and initial_alpha is not None:
            raise ValueError(f"initial_alpha must be None when initial='marginal', got {initial_alpha!r}")
    elif initial_alpha is not None:
        raise ValueError(f"initial_alpha must be None when initial holds coefficients, got {initial_alpha!r}")
    return Recipe(
        initial,
        None if initial_alpha is None else check_real("initial_alpha", initial_alpha, above=0.0),
        check_real("power", power, above=0.0),
        check_integer("n_steps", n_steps, at_least=1),
    )


def fit_adaptive(
    recipe: Recipe,
    design: DesignView,
    y: Float,
    weights: Float,
    features: Features,
    options: Options,
    splits: list[Split],
) -> AdaptiveFit:
    """Estimate, and fit the lasso with the weights that follow, `n_steps` times; by samples of weight > 0."""
    first = _estimate(recipe, design, y, weights, features, options, splits)
    base = features.penalty_factor
    if options.alphas is None and not np.any(first.coef):  # nothing depends on the grid then
        options = replace(options, alphas=np.array([first.alpha or 1.0]))
    factor = weigh(np.abs(first.coef) * first.scale, recipe.power, base)
    fit = solve(design, y, weights[:, None], None, Features(factor), options, keep_linear_predictor=True)[0]
    before = None
    for _ in range(recipe.n_steps - 1):
        before = coefs_of(fit, design.n_features, ())
        fit = _weighted_by(before, fit, first.scale, recipe.power, design, y, weights, base, options)
    return AdaptiveFit(first, fit, before, base, recipe.power)


def _estimate(
    recipe: Recipe,
    design: DesignView,
    y: Float,
    weights: Float,
    features: Features,
    options: Options,
    splits: list[Split],
) -> FirstEstimate:
    if not isinstance(recipe.initial, str):
        coef = check_finite("initial", recipe.initial, design.n_features, "feature")
        scale = _moments(design, weights, options).scale if options.standardize else np.ones(len(coef))
        return FirstEstimate(coef, scale, None)
    if recipe.initial == "marginal":
        return _marginal(design, y, weights, options)
    usable = [pair for pair in splits if all(np.any(weights[rows] > 0.0) for rows in pair)]
    if recipe.alpha is None and not usable:
        raise ValueError(
            f"cv must leave rows to train and rows to test initial={recipe.initial!r} on within what each "
            "split trains on, as three folds do; or give initial_alpha"
        )
    if recipe.initial == "lasso":
        search = replace(options, alphas=None, n_alphas=100, eps=1e-3)
        return _searched(recipe.alpha, design, y, weights, features, search, usable)
    moments = _moments(design, weights, options)
    grid = RIDGE_GRID * _trace(moments, features.penalty_factor)
    if design.n_features <= np.count_nonzero(weights):
        search = replace(options, l1_ratio=0.0, alphas=grid, n_alphas=len(grid), stop_early=False)
        return _searched(recipe.alpha, design, y, weights, features, search, usable)
    ridge = KernelRidge(design, y, weights, features.penalty_factor, moments, options)
    alpha = ridge.choose(grid, usable) if recipe.alpha is None else recipe.alpha
    return FirstEstimate(ridge.coef(alpha), moments.scale, alpha)


def _searched(
    alpha: float | None,
    design: DesignView,
    y: Float,
    weights: Float,
    features: Features,
    options: Options,
    splits: list[Split],
) -> FirstEstimate:
    """The elastic net at alpha, or where its mean squared error is smallest."""
    if alpha is not None:
        options = replace(options, alphas=np.array([alpha]), n_alphas=1)
        fit = solve(design, y, weights[:, None], None, features, options)[0]
        path = make_path(fit, design, y, weights, features, options, None, offset=None)
        warn_unless_converged(path.alphas, path.dual_gaps, path.converged, options, path.n_iter)
        return FirstEstimate(path.coef(alpha), path.scale, alpha)
    result = cross_validate(
        design, y, weights, None, features, options, splits, "mse", "min", None, weigh_folds=False
    )
    warn_unless_all_converged(result, options)
    return FirstEstimate(result.coef(), result.path.scale, result.alpha)


def _moments(design: DesignView, weights: Float, options: Options) -> Moments:
    """Of each column; of those that are constant the mean square and the scale are zero and one."""
    share = np.asfortranarray(design.spread(weights / weights.sum())[:, None])
    threads = threads_for(options.n_threads, float(design.core.shape[0]) * design.n_features)
    mean, variance = (part[:, 0] for part in design.core.moments(share, threads))
    square = variance if options.fit_intercept else variance + mean**2
    varies = (square if not options.standardize else variance) > (CONSTANT * mean) ** 2
    scale = np.sqrt(variance, out=np.ones(len(mean)), where=varies & options.standardize)
    return Moments(
        mean if options.fit_intercept else np.zeros(len(mean)), np.where(varies, square, 0.0), scale
    )


def _trace(moments: Moments, base: Float | None) -> float:
    """Sum of the mean squares of penalised columns, as the penalty measures them; 1 when there are none."""
    ratio = moments.square / moments.scale**2
    if base is not None:
        ratio = ratio[base > 0.0] / base[base > 0.0]
    return float(ratio.sum()) or 1.0


def _marginal(design: DesignView, y: Float, weights: Float, options: Options) -> FirstEstimate:
    """The slope of y on each feature alone, with an intercept if the model has one."""
    moments = _moments(design, weights, options)
    share = weights / weights.sum()
    centred = y - share @ y if options.fit_intercept else y
    side = np.asfortranarray(design.spread(share * centred)[:, None])
    threads = threads_for(options.n_threads, float(design.core.shape[0]) * design.n_features)
    pull = design.core.correlate(side, None, threads)[:, 0]
    slope = np.divide(pull, moments.square, out=np.zeros(len(pull)), where=moments.square > 0.0)
    return FirstEstimate(slope, moments.scale, None)


def _weighted_by(
    before: Any,
    fit: dict[str, Any],
    scale: Float,
    power: float,
    design: DesignView,
    y: Float,
    weights: Float,
    base: Float | None,
    options: Options,
) -> dict[str, Any]:
    """At each alpha, the lasso weighted by the coefficients there: only their columns of X take part."""
    union = np.unique(before.indices).astype(np.int64)
    if len(union) == 0:
        return fit
    small = DesignView(
        _core.dense_design(design.core.gather(union)), design.n_samples, len(union), None, design.rows
    )
    sizes = np.abs(before[union].toarray()) * scale[union, None]
    own = None if base is None else base[union]
    parts = []
    for alpha, size in zip(fit["alphas"], sizes.T, strict=True):
        single = replace(options, alphas=np.array([alpha]), n_alphas=1, stop_early=False)
        factor = Features(weigh(size, power, own))
        parts.append(solve(small, y, weights[:, None], None, factor, single, keep_linear_predictor=True)[0])
    return fit | _joined(parts, union)


def _joined(parts: list[dict[str, Any]], features: Any) -> dict[str, Any]:
    """Fits at one alpha each as one on the grid, of columns that stand for `features`."""
    each = ("intercepts", "primal", "dual", "dual_gaps", "deviance_ratio", "converged", "n_active", "n_iter")
    out: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in each}
    out["solver"] = [part["solver"][0] for part in parts]
    out["linear_predictor"] = np.column_stack([part["linear_predictor"] for part in parts])
    out["coef_values"] = np.concatenate([part["coef_values"] for part in parts])
    out["coef_indices"] = features[np.concatenate([part["coef_indices"] for part in parts])]
    out["coef_indptr"] = np.cumsum([0] + [len(part["coef_values"]) for part in parts])
    return out
