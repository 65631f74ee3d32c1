"""The relaxed lasso as scikit-learn estimators."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riata._input.design import DesignView
from riata._input.validation import Float, check_alpha, check_choice, check_real
from riata.estimators._base import TakesGroups
from riata.estimators.linear import _Regressor
from riata.path.arguments import Features, check_features
from riata.path.cross_validation import (
    SELECTIONS,
    collect_folds,
    fold_columns,
    scorer,
    summarise,
    warn_if_grid_ends,
    warn_unless_all_converged,
)
from riata.path.fit import make_path, solve
from riata.path.folds import make_splits
from riata.path.refits import Gathered, Refits, gather_supports, refit_supports
from riata.path.relaxed import RelaxedPath
from riata.path.result import Path
from riata.penalties import Penalty

__all__ = ["RelaxedLasso", "RelaxedLassoCV"]


class _Relaxed(_Regressor):
    """What both share: coefficients without bounds."""

    def _check_features(self, design: DesignView, penalty: Penalty) -> Features:
        return check_features(design, self.penalty_factor, None, None)


class RelaxedLasso(_Relaxed):
    """Linear regression on the features of a lasso, shrunk less than the lasso does or not at all.

    With b(alpha) the coefficients of `Lasso` and r(alpha) those of weighted least squares on its support,

        coef_ = gamma b(alpha) + (1 - gamma) r(alpha),

    likewise the intercept. gamma 1 is the lasso, and 0 least squares after selection.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty that selects, > 0.
    gamma : float, default=0.0
        Share of the lasso, from 0 to 1.
    fit_intercept : bool, default=True
    standardize : bool, default=False
        The lasso penalises coefficients as on columns of unit standard deviation.
    penalty_factor : array of shape (p,), dict or Series by feature name, optional
        Multiplies the penalty of each feature: 0 leaves it unpenalised and so always among the features,
        infinity leaves the feature out.
    tol : float, default=1e-6
        Bound on the relative duality gap of the lasso, as in `Lasso`.
    max_iter, solver, n_threads, verbose
        As in `Lasso`.

    Attributes
    ----------
    coef_ : ndarray of shape (p,)
    sparse_coef_ : scipy.sparse.csr_matrix of shape (1, p)
    intercept_ : float
    gamma_ : float
        `gamma`, but 1.0 where least squares are not unique: see Warns.
    relaxed_path_ : riata.RelaxedPath
        Lasso and least squares at `alpha`, for any other gamma.
    dual_gap_ : float
        Relative duality gap of the lasso that selected.
    converged_, n_iter_, n_features_in_, feature_names_in_
        As in `Lasso`.

    Warns
    -----
    UserWarning
        When gamma < 1 but the coefficients and the intercept are as many as the samples, so that least
        squares would follow every sample: the fit is then the lasso.
    sklearn.exceptions.ConvergenceWarning
        When the gap is above `tol` after `max_iter` iterations.

    References
    ----------
    Meinshausen (2007), Relaxed lasso, Computational Statistics & Data Analysis 52. Hastie, Tibshirani &
    Tibshirani (2020), Best subset, forward stepwise or lasso?, Statistical Science 35(4).

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

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        gamma: float = 0.0,
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
        self.gamma = gamma
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.n_threads = n_threads
        self.verbose = verbose

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> RelaxedLasso:
        """Fit the lasso, then least squares on its support.

        Parameters
        ----------
        X, y, sample_weight
            As in `Lasso.fit`. Columns of the support are gathered in memory, as float64.

        Returns
        -------
        self
        """
        alpha = check_alpha(self.alpha)
        gamma = check_real("gamma", self.gamma, at_least=0.0, at_most=1.0)
        options = self._options(self._loss, np.array([alpha]))
        design, target, weights, features = self._check_all(X, y, sample_weight)
        fit = solve(design, target, weights[:, None], None, features, options)[0]
        self._keep_fit(fit, target, weights, features, options)
        path = make_path(fit, design, target, weights, features, options, None, offset=None)
        gathered = gather_supports(design, [path.coefs], options.n_threads)
        refits = refit_supports(path, gathered, target, weights, None)
        relaxed = RelaxedPath(path, refits.coefs, refits.intercepts, refits.exists)
        if gamma < 1.0 and not relaxed.relaxed[0]:
            warnings.warn(
                f"gamma={gamma:g} was taken as 1: with {path.n_samples} samples least squares on "
                f"{path.n_active[0]} features are not unique. Raise alpha.",
                UserWarning,
                stacklevel=2,
            )
            gamma = 1.0
        self.gamma_, self.relaxed_path_ = gamma, relaxed
        self.coef_, self.intercept_ = relaxed.coef(alpha, gamma), relaxed.intercept(alpha, gamma)
        return self


class RelaxedLassoCV(TakesGroups, _Relaxed):
    """`RelaxedLasso` with `alpha` and `gamma` chosen together by one cross-validation.

    All folds and the final fit share every pass over X. The columns that some of them selected are then
    gathered in memory, 8 n u bytes for u columns and up to twice as much more while fitting, and give the
    least squares fits and the held-out predictions of every pair (alpha, gamma): nothing else is fitted or
    read again.

    Parameters
    ----------
    alphas : int or sequence of float, default=100
        A number of grid points or the values themselves.
    gammas : sequence of float, default=(0, 0.25, 0.5, 0.75, 1)
        Shares of the lasso, from 0 to 1.
    eps : float or None, default=1e-3
        Smallest over largest alpha of the grid. None: as in `riata.fit_path`.
    cv : int, splitter or iterable of (train, test), default=5
        An integer gives consecutive folds without shuffling, as in scikit-learn.
    selection : {"min", "1se"}, default="min"
        The pair with the smallest mean squared error; or, among those within a standard error of it, the
        one with the fewest features, of these that with the largest alpha, and then the largest gamma.
    fit_intercept, standardize, penalty_factor, tol, max_iter, solver, n_threads, verbose
        As in `RelaxedLasso`.

    Attributes
    ----------
    alpha_, gamma_ : float
        The pair of the final fit, as `selection` says.
    alpha_min_, gamma_min_, alpha_1se_, gamma_1se_ : float
    alphas_ : ndarray of shape (L,)
        Decreasing.
    gammas_ : ndarray of shape (G,)
        Increasing.
    mse_path_ : ndarray of shape (L, G, K)
        Mean squared error on each held-out fold; NaN where a fold has no unique least squares fit. Pairs
        with one, or without a unique fit to all samples, are not chosen.
    relaxed_path_ : riata.RelaxedPath
        Lasso and least squares fits to all samples along the path.
    cv_path_ : riata.CVPath
        The path and cross-validation of the lasso itself, gamma 1.
    coef_path_ : scipy.sparse.csc_array of shape (p, L)
        Coefficients of the lasso along its path.
    dual_gaps_ : ndarray of shape (L,)
        Relative duality gaps of the lasso.
    dual_gap_ : float
        That at `alpha_`.
    coef_, sparse_coef_, intercept_, converged_, n_iter_, n_features_in_, feature_names_in_
        As in `RelaxedLasso`, at `alpha_` and `gamma_`.

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

    gammas: Any

    def __init__(
        self,
        *,
        alphas: int | ArrayLike = 100,
        gammas: ArrayLike = (0.0, 0.25, 0.5, 0.75, 1.0),
        eps: float | None = 1e-3,
        cv: Any = 5,
        selection: str = "min",
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
        self.gammas = gammas
        self.eps = eps
        self.cv = cv
        self.selection = selection
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
    ) -> RelaxedLassoCV:
        """Cross-validate and fit.

        Parameters
        ----------
        X, y, sample_weight
            As in `RelaxedLasso.fit`. Held-out samples count by their weights within a fold.
        groups : array of shape (n,), optional
            Handed to the splitter.

        Returns
        -------
        self
        """
        options = self._grid_options(self._loss)
        selection = check_choice("selection", self.selection, SELECTIONS)
        gammas = _check_gammas(self.gammas)
        design, target, weights, features = self._check_all(X, y, sample_weight)
        cv = 5 if self.cv is None else self.cv
        splits = make_splits(cv, X, y, target, weights, groups, loss=self._loss, shuffle=False)
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
        i, j = frugal if selection == "1se" else best

        relaxed = RelaxedPath(paths[0], refits[0].coefs, refits[0].intercepts, refits[0].exists)
        self.relaxed_path_, self.cv_path_, self.mse_path_ = relaxed, result, scores
        self.alphas_, self.gammas_ = relaxed.alphas, gammas
        self.alpha_min_, self.gamma_min_ = float(relaxed.alphas[best[0]]), float(gammas[best[1]])
        self.alpha_1se_, self.gamma_1se_ = float(relaxed.alphas[frugal[0]]), float(gammas[frugal[1]])
        self.alpha_, self.gamma_ = float(relaxed.alphas[i]), float(gammas[j])
        self.coef_path_, self.dual_gaps_ = relaxed.path.coefs, relaxed.path.dual_gaps
        self._keep(
            self.alpha_,
            relaxed.coef(self.alpha_, self.gamma_)[None],
            np.array([relaxed.intercept(self.alpha_, self.gamma_)]),
            relaxed.path.certificate,
            float(relaxed.path.dual_gaps[i]),
            bool(relaxed.path.converged[i]),
            int(relaxed.path.n_iter[i]),
            relaxed.path.counters,
        )
        warn_unless_all_converged(result, options)
        warn_if_grid_ends(result, options)
        return self


def _check_gammas(gammas: Any) -> Float:
    """Return the distinct values, increasing, each from 0 to 1."""
    if isinstance(gammas, str) or np.ndim(gammas) != 1 or len(gammas) == 0:
        raise ValueError(f"gammas must be a non-empty 1-D sequence of numbers from 0 to 1, got {gammas!r}")
    return np.unique([check_real("gammas", gamma, at_least=0.0, at_most=1.0) for gamma in gammas])


def _scores(
    path: Path, refits: Refits, gathered: Gathered, gammas: Float, y: Float, weights: Float, rows: Any
) -> Float:
    """Mean squared error of each alpha and gamma on held-out rows, (L, G)."""
    values = gathered.values[rows]
    shrunk = values @ path.coefs[gathered.features].toarray() + path.intercepts
    free = values @ refits.coefs[gathered.features].toarray() + refits.intercepts
    score = scorer("gaussian", "mse")
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
