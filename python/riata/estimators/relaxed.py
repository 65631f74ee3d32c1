"""The relaxed lasso as scikit-learn estimators."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from riata._input.validation import Float, check_real
from riata.estimators._base import CrossValidated, Problem
from riata.estimators._params import Choice, Folds, Grid, Linear, Running, Strength, declared, parameter
from riata.estimators.linear import AtAlpha, OneResponse
from riata.losses._scores import counted, mean_squared
from riata.path.arguments import LASSO, Features, Options
from riata.path.cross_validation import (
    collect_folds,
    warn_if_grid_ends,
    warn_unless_all_converged,
)
from riata.path.fit import make_path, solve
from riata.path.fold_scores import fold_columns, summarise
from riata.path.refits import Gathered, Refits, gather_supports, refit_supports
from riata.path.relaxed import RelaxedPath
from riata.path.result import RegularizationPath
from riata.penalties import Penalty

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["RelaxedLasso", "RelaxedLassoCV"]


@declared
class _LassoShare:
    gamma: float = parameter("float", "Share of the lasso, from 0 to 1.", default=0.0)


@declared
class _LassoShares:
    gammas: ArrayLike = parameter(
        "sequence of float",
        "Shares of the lasso, from 0 to 1.",
        default=(0.0, 0.25, 0.5, 0.75, 1.0),
    )


class _Relaxed(OneResponse):
    """What both share.

    Parameters
    ----------
    alpha : float
        Strength of the penalty that selects, > 0.
    standardize : bool
        The lasso penalises coefficients as on columns of unit standard deviation.
    penalty_factor : array of shape (p,), dict or Series by feature name
        Multiplies the penalty of each feature: 0 leaves it unpenalised and so always among the features,
        infinity leaves the feature out. Default: 1 for all.

    Attributes
    ----------
    dual_gap_, relative_gap_ : float
        Duality gap of the lasso that selected, and the same on the scale of `tol`.

    Objective
    ---------
    With b(alpha) the coefficients of the lasso, which minimise, with sample weights w (ones by default),

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)² + alpha Σ_j pf_j |b_j|,

    and r(alpha) those of weighted least squares on its support,

        coef_ = gamma b(alpha) + (1 - gamma) r(alpha),

    likewise the intercept. gamma 1 is the lasso, and 0 least squares after selection.

    References
    ----------
    Meinshausen (2007), Relaxed lasso, Computational Statistics & Data Analysis 52. Hastie, Tibshirani &
    Tibshirani (2020), Best subset, forward stepwise or lasso?, Statistical Science 35(4).
    """

    def _may_be_zero(self, penalty: Penalty) -> bool:
        return False


@declared
class RelaxedLasso(_Relaxed, AtAlpha, Running, Linear, _LassoShare, Strength):
    """Linear regression on the features of a lasso, shrunk less than the lasso does or not at all.

    Columns of the support are gathered in memory, as float64.

    Attributes
    ----------
    gamma_ : float
        `gamma`, but 1.0 where least squares are not unique: see Warns.
    relaxed_path_ : riata.RelaxedPath
        Lasso and least squares at `alpha`, for any other gamma.

    Warns
    -----
    UserWarning
        When gamma < 1 but the coefficients and the intercept are as many as the samples, so that least
        squares would follow every sample: the fit is then the lasso.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> [f"{b:.1f}" for b in riata.Lasso(0.5).fit(X, y).coef_[[0, 7]]]
    ['2.6', '-1.2']
    >>> [f"{b:.1f}" for b in riata.RelaxedLasso(0.5).fit(X, y).coef_[[0, 7]]]
    ['3.0', '-2.0']
    """

    def _fit_problem(self, problem: Problem, features: Features, options: Options) -> None:
        gamma = check_real("gamma", self.gamma, at_least=0.0, at_most=1.0)
        design, target, weights = problem.design, problem.target, problem.weights
        fit = solve(design, target, weights[:, None], None, features, options)[0]
        self._keep_fit(fit, problem, features, options)
        path = make_path(fit, design, target, weights, features, options, None, offset=None)
        gathered = gather_supports(design, [path.coefs], options.n_threads)
        refits = refit_supports(path, gathered, target, weights, None)
        relaxed = RelaxedPath(path, refits.coefs, refits.intercepts, refits.exists)
        if gamma < 1.0 and not relaxed.relaxed[0]:
            warnings.warn(
                f"gamma={gamma:g} was taken as 1: with {path.n_samples} samples least squares on "
                f"{path.n_active[0]} features are not unique. Raise alpha.",
                UserWarning,
                stacklevel=4,
            )
            gamma = 1.0
        self.gamma_, self.relaxed_path_ = gamma, relaxed
        alpha = float(path.alphas[0])
        self.coef_, self.intercept_ = relaxed.coef(alpha, gamma), relaxed.intercept(alpha, gamma)


@declared
class RelaxedLassoCV(CrossValidated, _Relaxed, Running, Linear, Choice, Folds, _LassoShares, Grid):
    """Relaxed lasso with `alpha` and `gamma` chosen together by one cross-validation.

    All folds and the final fit share every pass over X. The columns that some of them selected are then
    gathered in memory, 8 n u bytes for u columns and up to twice as much more while fitting, and give the
    least squares fits and the held-out predictions of every pair (alpha, gamma): nothing else is fitted or
    read again.

    Parameters
    ----------
    alpha_rule : {"min", "1se"}
        The pair with the smallest mean squared error; or, among those within a standard error of it, the
        one with the fewest features, of these that with the largest alpha, and then the largest gamma.

    Attributes
    ----------
    alpha_, gamma_ : float
        The pair of the final fit, as `alpha_rule` says.
    alpha_min_, gamma_min_ : float
        The pair with the best mean score.
    alpha_1se_, gamma_1se_ : float
        The sparsest pair whose mean score is within a standard error of it.
    gammas_ : ndarray of shape (G,)
        The shares tried, increasing.
    mse_path_ : ndarray of shape (L, G, F)
        Mean squared error on each of F held-out folds; NaN where a fold has no unique least squares fit.
        Pairs with one, or without a unique fit to all samples, are not chosen.
    relaxed_path_ : riata.RelaxedPath
        Lasso and least squares fits to all samples along the path.
    cv_result_ : riata.CVPath
        The path and cross-validation of the lasso itself, gamma 1.
    coef_path_ : scipy.sparse.csc_array of shape (p, L)
        Coefficients of the lasso along its path.
    dual_gaps_, relative_gaps_ : ndarray of shape (L,)
        Duality gaps of the lasso, and the same on the scale of `tol`.
    dual_gap_, relative_gap_ : float
        Those at `alpha_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> model = riata.RelaxedLassoCV().fit(X, y)
    >>> model.gamma_, model.get_support(indices=True)
    (0.0, array([0, 7]))
    """

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Choose `alpha` and `gamma` by cross-validation, and fit the model to all samples there."""
        options = self._grid_options(LASSO)
        rule = self._rule()
        gammas = _check_gammas(self.gammas)
        problem = self._check_data(X, y, sample_weight, options)
        design, target, weights = problem.design, problem.target, problem.weights
        features = self._check_features(design, LASSO)
        splits = self._splits(problem, groups, options)
        columns = fold_columns(target, weights, splits, options, "mse", None)
        fits = solve(design, target, columns, None, features, options, keep_linear_predictor=True)
        result = collect_folds(
            fits, columns, design, target, weights, None, features, options, splits, "mse", "min", None,
            weigh_folds=False, keep=False,
        )  # fmt: skip
        paths = [
            make_path(fit, design, target, columns[:, k], features, options, None, offset=None)
            for k, fit in enumerate(fits)
        ]
        gathered = gather_supports(design, [path.coefs for path in paths], options.n_threads)
        refits = [refit_supports(path, gathered, target, columns[:, k], None) for k, path in enumerate(paths)]
        scores = np.empty((len(paths[0]), len(gammas), len(splits)))
        for k, (_, test) in enumerate(splits):
            scores[..., k] = _scores(
                paths[1 + k], refits[1 + k], gathered, gammas, target[test], weights[test], test
            )
        best, frugal = _choose(scores, refits[0].exists, paths[0].n_active, gammas, result.repeats)
        i, j = frugal if rule == "1se" else best

        relaxed = RelaxedPath(paths[0], refits[0].coefs, refits[0].intercepts, refits[0].exists)
        self.relaxed_path_, self.cv_result_, self.mse_path_ = relaxed, result, scores
        self.alphas_, self.gammas_ = relaxed.alphas, gammas
        self.alpha_min_, self.gamma_min_ = float(relaxed.alphas[best[0]]), float(gammas[best[1]])
        self.alpha_1se_, self.gamma_1se_ = float(relaxed.alphas[frugal[0]]), float(gammas[frugal[1]])
        self.alpha_, self.gamma_ = float(relaxed.alphas[i]), float(gammas[j])
        self.coef_path_ = relaxed.path.coefs
        at = (self.alpha_, self.gamma_)
        self._keep_at(relaxed.path, i, relaxed.coef(*at)[None], np.array([relaxed.intercept(*at)]))
        warn_unless_all_converged(result, options)
        warn_if_grid_ends(result, options)
        return self


def _check_gammas(gammas: Any) -> Float:
    """Return the distinct values, increasing, each from 0 to 1."""
    if isinstance(gammas, str) or np.ndim(gammas) != 1 or len(gammas) == 0:
        raise ValueError(f"gammas must be a non-empty 1-D sequence of numbers from 0 to 1, got {gammas!r}")
    return np.unique([check_real("gammas", gamma, at_least=0.0, at_most=1.0) for gamma in gammas])


def _scores(
    path: RegularizationPath,
    refits: Refits,
    gathered: Gathered,
    gammas: Float,
    y: Float,
    weights: Float,
    rows: Any,
) -> Float:
    """Mean squared error of each alpha and gamma on held-out rows, (L, G)."""
    values = gathered.values[rows]
    shrunk = values @ path.coefs[gathered.features].toarray() + path.intercepts
    free = values @ refits.coefs[gathered.features].toarray() + refits.intercepts
    score = counted(mean_squared)
    blends = [shrunk if gamma == 1.0 else gamma * shrunk + (1.0 - gamma) * free for gamma in gammas]
    return np.stack([score(y, blend, weights) for blend in blends], axis=1)


def _choose(
    scores: Float, exists: Any, n_active: Any, gammas: Float, repeats: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Positions (alpha, gamma) of the best mean score and of the sparsest within a standard error of it."""
    shape = scores.shape[:2]
    mean, error = summarise(scores.reshape(-1, scores.shape[2]), np.ones(scores.shape[2]), repeats)
    at, share = (index.ravel() for index in np.indices(shape))
    allowed = np.isfinite(mean) & (exists[at] | (gammas[share] == 1.0))
    if not allowed.any():
        raise ValueError(
            f"gammas must hold 1 when no alpha has a unique least squares fit in every fold, got {gammas}"
        )
    cost = np.where(allowed, mean, np.inf)
    best = int(np.lexsort((-share, at, cost))[0])
    beyond = ~allowed | (cost > cost[best] + error[best])
    frugal = int(np.lexsort((-share, at, n_active[at], beyond))[0])
    return (int(at[best]), int(share[best])), (int(at[frugal]), int(share[frugal]))
