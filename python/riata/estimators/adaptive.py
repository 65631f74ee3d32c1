"""The adaptive lasso as scikit-learn estimators."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riata._input.design import DesignView
from riata._input.validation import check_alpha, check_choice
from riata.estimators._base import TakesGroups
from riata.estimators.adaptive_fit import AdaptiveFit, check_recipe, fit_adaptive
from riata.estimators.linear import OneByOne
from riata.path.arguments import Features, check_features
from riata.path.cross_validation import (
    SELECTIONS,
    collect_folds,
    fold_columns,
    warn_if_grid_ends,
    warn_unless_all_converged,
)
from riata.path.folds import make_splits
from riata.penalties import Penalty

__all__ = ["AdaptiveLasso", "AdaptiveLassoCV"]


class _Adaptive(OneByOne):
    """What both share: no bounds, and where the weights came from."""

    initial: Any
    initial_alpha: Any
    power: Any
    n_steps: Any

    def _check_features(self, design: DesignView, penalty: Penalty) -> Features:
        return check_features(design, self.penalty_factor, None, None)

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


class AdaptiveLasso(_Adaptive):
    """Lasso that penalises features the less, the larger a first estimate found them.

    Minimises, with sample weights w (ones by default) and a first estimate c of the coefficients,

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)² + alpha Σ_j pf_j |b_j| / |c_j|^power.

    Features with c_j = 0 are left out. Large effects are shrunk little and false ones much, so that, unlike
    the lasso, with a consistent first estimate it can select the right features and be unbiased both (Zou's
    oracle property). The weights are used as they are, not rescaled: alpha has the unit of y² for
    power 1. Given the weights this is a lasso, and `dual_gap_` certifies it as that; it says nothing of the
    choice of weights.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, > 0.
    initial : {"ridge", "lasso", "marginal"} or array of shape (p,), default="ridge"
        The first estimate. Ridge and lasso are fitted with the options of this model; "marginal" is the slope
        of y on each feature alone. An array holds coefficients on the original scale of X. With more features
        than samples a ridge takes n² p operations and 8 n² bytes: of very many samples use another.
    initial_alpha : float, optional
        alpha of the ridge (penalty alpha/2 Σ pf_j b_j²) or lasso. Default: the one with the smallest mean
        squared error in a cross-validation by `cv`: for the ridge of 20 values, from the sum of the variances
        of the columns down to 1e-6 of it, and for the lasso of the grid of `LassoCV`.
    power : float, default=1.0
        > 0.
    n_steps : int, default=1
        More than 1: the weights of each further step are from the coefficients of the one before, at the same
        alpha. Features that a step leaves out stay out.
    cv : int, splitter or iterable of (train, test), default=5
        Folds that choose the alpha of the first estimate. An integer gives consecutive folds without
        shuffling.
    fit_intercept : bool, default=True
    standardize : bool, default=False
        Penalise coefficients, and measure the first estimate, as on columns of unit standard deviation.
    penalty_factor : array of shape (p,), dict or Series by feature name, optional
        pf: 0 leaves a feature unpenalised, infinity leaves it out. Used in the first estimate, too.
    tol : float, default=1e-6
        Bound on the relative duality gap of every fit, as in `Lasso`.
    max_iter, solver, n_threads, verbose
        As in `Lasso`.

    Attributes
    ----------
    coef_ : ndarray of shape (p,), or (K, p) for K > 1 responses
    sparse_coef_ : scipy.sparse.csr_matrix of shape (1, p), or (K, p)
    intercept_ : float, or ndarray of shape (K,) when y has two dimensions
    penalty_factor_ : ndarray of shape (p,), or (K, p)
        pf_j / |c_j|^power of the last step: with them as `penalty_factor`, `Lasso` at `alpha` gives the same
        fit.
    initial_coef_ : ndarray of shape (p,)
        The first estimate, on the original scale.
    initial_alpha_ : float or None
        That of the ridge or lasso.
    dual_gap_ : float
        Relative duality gap of the weighted lasso (of the last step).
    converged_, n_iter_, n_features_in_, feature_names_in_
        As in `Lasso`.

    Warns
    -----
    UserWarning
        When the first estimate is zero for every penalised feature: all of them are left out.
    sklearn.exceptions.ConvergenceWarning
        When a gap is above `tol` after `max_iter` iterations.

    References
    ----------
    Zou (2006), The adaptive lasso and its oracle properties, JASA 101(476). Huang, Ma & Zhang (2008),
    Adaptive lasso for sparse high-dimensional regression models, Statistica Sinica 18: marginal weights.
    Bühlmann & Meier (2008), discussion of "One-step sparse estimates", Annals of Statistics 36(4): more
    steps, which they give an alpha each. Candès, Wakin & Boyd (2008), Enhancing sparsity by reweighted l1
    minimization, J. Fourier Analysis and Applications 14: more steps at one alpha.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 30))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + rng.standard_normal(100)
    >>> riata.AdaptiveLasso(0.1).fit(X, y).get_support(indices=True)
    array([0, 7])
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        initial: str | ArrayLike = "ridge",
        initial_alpha: float | None = None,
        power: float = 1.0,
        n_steps: int = 1,
        cv: Any = 5,
        fit_intercept: bool = True,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.alpha = alpha
        self.initial = initial
        self.initial_alpha = initial_alpha
        self.power = power
        self.n_steps = n_steps
        self.cv = cv
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.n_threads = n_threads
        self.verbose = verbose

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> AdaptiveLasso:
        """Estimate first, then fit with the weights that follow.

        Parameters
        ----------
        X, y, sample_weight
            As in `Lasso.fit`, y of shape (n, K) to fit K responses one by one: attributes have a row for each
            then. Later steps gather the columns that the first selected in memory, as float64.

        Returns
        -------
        self
        """
        if self._fit_each(X, y, sample_weight=sample_weight):
            return self
        options = self._options(self._loss, np.array([check_alpha(self.alpha)]))
        recipe = check_recipe(self.initial, self.initial_alpha, self.power, self.n_steps)
        design, target, weights, features = self._check_all(X, y, sample_weight)
        cv = 5 if self.cv is None else self.cv
        splits = []
        if recipe.searches:
            splits = make_splits(cv, X, y, target, weights, None, loss=self._loss, shuffle=False)
        result = fit_adaptive(recipe, design, target, weights, features, options, splits)
        used = replace(features, penalty_factor=result.factor(0))
        self._keep_fit(result.fit, target, weights, used, options)
        self._keep_weights(result, 0)
        return self


class AdaptiveLassoCV(TakesGroups, _Adaptive):
    """`AdaptiveLasso` with `alpha` chosen by cross-validation; each fold makes its own first estimate.

    Weights that held-out samples had a part in make their errors too small, and the more so the more features
    there are. Here nothing of a fold's fit, neither the first estimate nor the choice of its alpha, has seen
    the samples it is tested on: within what a split trains on, the parts of the other splits are the folds
    that choose the alpha of its first estimate. So `mse_path_` is that of `AdaptiveLasso`, with those folds
    as `cv`, fitted to the training samples and tested on the others. (The grid of alphas is from all samples,
    as in `LassoCV`. An array as `initial` is used in every fold: it has to be from other data.)

    Parameters
    ----------
    alphas : int or sequence of float, default=100
        A number of grid points or the values themselves.
    eps : float or None, default=1e-3
        Smallest over largest alpha of the grid. None: as in `riata.fit_path`.
    cv : int, splitter or iterable of (train, test), default=5
        An integer gives consecutive folds without shuffling, as in scikit-learn. At least three folds, unless
        the first estimate needs none ("marginal", an array, or `initial_alpha` given).
    selection : {"min", "1se"}, default="min"
        The alpha with the smallest mean squared error, or the largest one within a standard error of it.
    initial, initial_alpha, power, n_steps
        As in `AdaptiveLasso`.
    fit_intercept, standardize, penalty_factor, tol, max_iter, solver, n_threads, verbose
        As in `AdaptiveLasso`.

    Attributes
    ----------
    alpha_ : float
        The alpha of the final fit: `alpha_min_` or `alpha_1se_`, as `selection` says.
    alpha_min_, alpha_1se_ : float
    alphas_ : ndarray of shape (L,)
    mse_path_ : ndarray of shape (L, K)
        Mean squared error on each held-out fold.
    coef_path_ : scipy.sparse.csc_array of shape (p, L)
        Coefficients of the fits to all samples.
    dual_gaps_ : ndarray of shape (L,)
        Relative duality gaps of these, given their weights.
    cv_path_ : riata.CVPath
        All of the cross-validation, with `predict` and `plot`.
    coef_, sparse_coef_, intercept_, penalty_factor_, initial_coef_, initial_alpha_, dual_gap_, converged_,
    n_iter_
        As in `AdaptiveLasso`, at `alpha_`, from all samples.
    n_features_in_, feature_names_in_
        As in `Lasso`.

    Of several responses, fitted one by one, each has its own `alpha_`; attributes that are arrays of one
    shape have a row for each, others are lists.

    References
    ----------
    As for `AdaptiveLasso`. Krämer, Schäfer & Boulesteix (2009), Regularized estimation of large-scale gene
    association networks using graphical Gaussian models, BMC Bioinformatics 10: weights within each fold.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 30))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + rng.standard_normal(100)
    >>> riata.AdaptiveLassoCV(selection="1se").fit(X, y).get_support(indices=True)
    array([0, 7])
    """

    def __init__(
        self,
        *,
        alphas: int | ArrayLike = 100,
        eps: float | None = 1e-3,
        cv: Any = 5,
        selection: str = "min",
        initial: str | ArrayLike = "ridge",
        initial_alpha: float | None = None,
        power: float = 1.0,
        n_steps: int = 1,
        fit_intercept: bool = True,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.alphas = alphas
        self.eps = eps
        self.cv = cv
        self.selection = selection
        self.initial = initial
        self.initial_alpha = initial_alpha
        self.power = power
        self.n_steps = n_steps
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.n_threads = n_threads
        self.verbose = verbose

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> AdaptiveLassoCV:
        """Cross-validate and fit.

        Parameters
        ----------
        X, y, sample_weight
            As in `AdaptiveLasso.fit`. Held-out samples count by their weights within a fold.
        groups : array of shape (n,), optional
            Handed to the splitter.

        Returns
        -------
        self
        """
        if self._fit_each(X, y, sample_weight=sample_weight, groups=groups):
            return self
        options = self._grid_options(self._loss)
        selection = check_choice("selection", self.selection, SELECTIONS)
        recipe = check_recipe(self.initial, self.initial_alpha, self.power, self.n_steps)
        design, target, weights, features = self._check_all(X, y, sample_weight)
        cv = 5 if self.cv is None else self.cv
        splits = make_splits(cv, X, y, target, weights, groups, loss=self._loss, shuffle=False)
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
            fits, columns, design, target, weights, None, used, options, splits, "mse", selection, None,
            weigh_folds=False, keep=False,
        )  # fmt: skip
        self._keep_selected(result)
        self.mse_path_ = result.scores
        self._keep_weights(full, result.position)
        warn_unless_all_converged(result, options)
        warn_if_grid_ends(result, options)
        return self
