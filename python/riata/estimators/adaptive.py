"""The adaptive lasso as scikit-learn estimators."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from riata.estimators._base import CrossValidated, Problem
from riata.estimators._params import Linear, Running, Search, Strength, declared, parameter
from riata.estimators.linear import OneByOne
from riata.path.adaptive_fit import AdaptiveFit, Recipe, check_recipe, fit_adaptive
from riata.path.arguments import LASSO, Features, Options
from riata.path.cross_validation import (
    collect_folds,
    warn_if_grid_ends,
    warn_unless_all_converged,
)
from riata.path.fold_scores import fold_columns
from riata.penalties import Penalty

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["AdaptiveLasso", "AdaptiveLassoCV"]


@declared
class _Recipe:
    initial: str | ArrayLike = parameter(
        '{"ridge", "lasso", "marginal"} or array of shape (p,)',
        """The first estimate. Ridge and lasso are fitted with the options of this model; "marginal" is the
        slope of y on each feature alone. An array holds coefficients on the original scale of X. With more
        features than samples a ridge takes n² p operations and 8 n² bytes: of very many samples use
        another.""",
        default="ridge",
    )
    initial_alpha: float | None = parameter(
        "float",
        """The alpha of the ridge (penalty alpha/2 Σ pf_j b_j²) or lasso. Default: the one with the smallest
        mean squared error in a cross-validation by `cv`: for the ridge of 20 values, from the sum of the
        variances of the columns down to 1e-6 of it, and for the lasso of the grid of `LassoCV`.""",
        default=None,
    )
    power: float = parameter(
        "float",
        "How much smaller the penalty of large coefficients is, > 0.",
        default=1.0,
    )
    n_steps: int = parameter(
        "int",
        """More than 1: the weights of each further step are from the coefficients of the one before, at the
        same alpha. Features that a step leaves out stay out.""",
        default=1,
    )


@declared
class _FirstFolds:
    cv: Any = parameter(
        "int, splitter or iterable of (train, test)",
        """Folds that choose the alpha of the first estimate. An integer gives consecutive folds without
        shuffling.""",
        default=5,
    )


class _Adaptive(OneByOne):
    """What both share: where the weights came from.

    Parameters
    ----------
    standardize : bool
        Penalise coefficients, and measure the first estimate, as on columns of unit standard deviation.
    penalty_factor : array of shape (p,), dict or Series by feature name
        What the penalty of each feature is multiplied by, pf: 0 leaves it unpenalised, infinity leaves it
        out. Used in the first estimate, too. Default: 1 for all.

    Attributes
    ----------
    penalty_factor_ : ndarray of shape (p,), or (K, p)
        pf_j / |c_j|^power of the last step: with them as `penalty_factor`, `Lasso` at `alpha` gives the same
        fit.
    initial_coef_ : ndarray of shape (p,)
        The first estimate, on the original scale.
    initial_alpha_ : float or None
        That of the ridge or lasso.
    dual_gap_, relative_gap_ : float, or ndarray of shape (K,) for y with columns
        Duality gap of the weighted lasso (of the last step), and the same on the scale of `tol`. They say
        nothing of the choice of weights.

    Objective
    ---------
    Minimises, with sample weights w (ones by default) and a first estimate c of the coefficients,

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)² + alpha Σ_j pf_j |b_j| / |c_j|^power.

    Features with c_j = 0 are left out. Large effects are shrunk little and false ones much, so that, unlike
    the lasso, with a consistent first estimate it can select the right features and be unbiased both (Zou's
    oracle property). The weights are used as they are, not rescaled: alpha has the unit of y² for power 1.

    Warns
    -----
    UserWarning
        When the first estimate is zero for every penalised feature: all of them are left out.

    References
    ----------
    Zou (2006), The adaptive lasso and its oracle properties, JASA 101(476). Huang, Ma & Zhang (2008),
    Adaptive lasso for sparse high-dimensional regression models, Statistica Sinica 18: marginal weights.
    Bühlmann & Meier (2008), discussion of "One-step sparse estimates", Annals of Statistics 36(4): more
    steps, which they give an alpha each. Candès, Wakin & Boyd (2008), Enhancing sparsity by reweighted l1
    minimization, J. Fourier Analysis and Applications 14: more steps at one alpha. Krämer, Schäfer &
    Boulesteix (2009), Regularized estimation of large-scale gene association networks using graphical
    Gaussian models, BMC Bioinformatics 10: weights within each fold.
    """

    def _may_be_zero(self, penalty: Penalty) -> bool:
        return False

    initial: Any
    initial_alpha: Any
    power: Any
    n_steps: Any

    def _recipe(self) -> Recipe:
        return check_recipe(self.initial, self.initial_alpha, self.power, self.n_steps)

    def _keep_weights(self, result: AdaptiveFit, position: int) -> None:
        self.initial_coef_, self.initial_alpha_ = result.first.coef, result.first.alpha
        self.penalty_factor_ = result.factor(position)
        if result.empty:
            warnings.warn(
                "every penalised feature is left out, as the first estimate is zero for all of them. "
                "Give another initial, or a smaller initial_alpha.",
                UserWarning,
                stacklevel=3,
            )


@declared
class AdaptiveLasso(_Adaptive, Running, Linear, _FirstFolds, _Recipe, Strength):
    """Lasso that penalises features the less, the larger a first estimate found them.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 30))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + rng.standard_normal(100)
    >>> riata.AdaptiveLasso(0.1).fit(X, y).get_support(indices=True)
    array([0, 7])
    """

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Estimate first, then fit with the weights that follow.

        Later steps gather the columns that the first selected in memory, as float64.
        """
        if self._fit_each(X, y, sample_weight=sample_weight):
            return self
        return self._fit_at_alpha(X, y, sample_weight)

    def _fit_problem(self, problem: Problem, features: Features, options: Options) -> None:
        recipe = self._recipe()
        splits = self._splits(problem, None, options) if recipe.searches else []
        data = (problem.design, problem.target, problem.weights)
        result = fit_adaptive(recipe, *data, features, options, splits)
        self._keep_fit(result.fit, problem, replace(features, penalty_factor=result.factor(0)), options)
        self._keep_weights(result, 0)


@declared
class AdaptiveLassoCV(CrossValidated, _Adaptive, Running, Linear, _Recipe, Search):
    """Adaptive lasso chosen by cross-validation; each fold makes its own first estimate.

    Weights that held-out samples had a part in make their errors too small, and the more so the more features
    there are. Here nothing of a fold's fit, neither the first estimate nor the choice of its alpha, has seen
    the samples it is tested on: within what a split trains on, the parts of the other splits are the folds
    that choose the alpha of its first estimate. So `mse_path_` is that of `AdaptiveLasso`, with those folds
    as `cv`, fitted to the training samples and tested on the others. (The grid of alphas is from all samples,
    as in `LassoCV`. An array as `initial` is used in every fold: it has to be from other data.)

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        An integer gives consecutive folds without shuffling, as in scikit-learn. At least three folds, unless
        the first estimate needs none ("marginal", an array, or `initial_alpha` given).

    Attributes
    ----------
    mse_path_ : ndarray of shape (L, F)
        Mean squared error at each alpha on each of F held-out folds.

    Notes
    -----
    Of several responses, fitted one by one, each has its own `alpha_`; attributes that are arrays of one
    shape have a row for each, others are lists.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 30))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + rng.standard_normal(100)
    >>> riata.AdaptiveLassoCV(alpha_rule="1se").fit(X, y).get_support(indices=True)
    array([0, 7])
    """

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Choose `alpha` by cross-validation, and fit the model to all samples there."""
        if self._fit_each(X, y, sample_weight=sample_weight, groups=groups):
            return self
        options = self._grid_options(LASSO)
        rule = self._rule()
        recipe = self._recipe()
        problem = self._check_data(X, y, sample_weight, options)
        design, target, weights = problem.design, problem.target, problem.weights
        features = self._check_features(design, LASSO)
        splits = self._splits(problem, groups, options)
        columns = fold_columns(target, weights, splits, options, "mse", None)
        full = fit_adaptive(recipe, design, target, weights, features, options, splits)
        grid = np.asarray(full.fit["alphas"])
        same = replace(options, alphas=grid, n_alphas=len(grid), stop_early=False)
        fits = [full.fit]
        for k in range(len(splits)):
            others = splits[:k] + splits[k + 1 :]
            fold = fit_adaptive(recipe, design, target, columns[:, 1 + k], features, same, others)
            fits.append(fold.fit)
        used = replace(features, penalty_factor=full.factor(0))
        result = collect_folds(
            fits, columns, design, target, weights, None, used, options, splits, "mse", rule, None,
            weigh_folds=False, keep=False,
        )  # fmt: skip
        self._keep_selected(result, problem)
        self.mse_path_ = result.scores
        self._keep_weights(full, result.position)
        warn_unless_all_converged(result, options)
        warn_if_grid_ends(result, options)
        return self
