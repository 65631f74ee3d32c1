"""Lasso and elastic net for several responses that share their features, as scikit-learn estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from riata._input.design import DesignView
from riata._input.validation import Float, refuse_text
from riata.estimators._base import TakesGroups
from riata.estimators.linear import LinearRegressor
from riata.path.arguments import Features, check_features
from riata.penalties import Penalty

__all__ = ["MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV"]


class _MultiTask(LinearRegressor):
    """Checks and prediction of several responses."""

    _loss = "multigaussian"

    def predict(self, X: Any) -> Float:
        """Predict ``X @ coef_.T + intercept_``.

        Parameters
        ----------
        X : as in `fit`, shape (m, p)

        Returns
        -------
        ndarray of shape (m, K)
        """
        return self._links(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = False
        tags.target_tags.multi_output = True
        return tags

    def _check_target(self, y: Any, n_samples: int) -> Float:
        refuse_text("y", np.asarray(y))
        target = check_array(y, dtype=np.float64, order="F", ensure_2d=False, input_name="y")
        if target.ndim != 2:
            raise ValueError(
                f"y must be 2-D, samples x tasks, got shape {target.shape}. For mono-task outputs, use "
                f"{type(self).__name__.removeprefix('MultiTask')}"
            )
        return np.asarray(target)

    def _check_features(self, design: DesignView, penalty: Penalty) -> Features:
        return check_features(design, self.penalty_factor, None, None)

    def _shaped(self, coef: Float, intercept: Float) -> tuple[Float, Any]:
        return coef, intercept


class MultiTaskElasticNet(_MultiTask):
    """Linear regression of several responses on the same few features, certified by its duality gap.

    Minimises, with sample weights w (ones by default), for n x K responses Y and b_j the K coefficients of
    feature j,

        (1 / (2 Σw)) Σ_i w_i ‖y_i - b0 - B'x_i‖₂²
            + alpha Σ_j pf_j (l1_ratio ‖b_j‖₂ + (1 - l1_ratio)/2 ‖b_j‖₂²),

    which at the same `alpha` and `l1_ratio` is what `sklearn.linear_model.MultiTaskElasticNet` minimises. A
    feature enters for all responses or for none.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, > 0.
    l1_ratio : float, default=0.5
        From 0 (ridge) to 1 (the norm of each feature's coefficients alone).
    fit_intercept : bool, default=True
    standardize : bool, default=False
        Penalise coefficients as on columns of unit standard deviation. They come back on the original scale.
    penalty_factor : array of shape (p,), dict or Series by feature name, optional
        Multiplies the penalty of each feature: 0 leaves it unpenalised, infinity leaves the feature out.
    tol : float, default=1e-6
        Bound on the relative duality gap, (primal - dual) / (half the sum of the weighted variances of Y).
    max_iter : int, default=10000
    warm_start : bool, default=False
        Accepted as in scikit-learn. The solution does not depend on where the solver starts.
    solver : {"auto", "homotopy", "cd", "prox"}, default="auto"
    n_threads : int, optional
        Default: every available core, or OMP_NUM_THREADS, or one for a small problem. The result is the same
        to the last bit for any value.
    verbose : int, default=0
        1 prints one line about the fit.
    copy_X, random_state, selection : any
        Accepted so that code written for scikit-learn runs; they have no effect. X is never changed.

    Attributes
    ----------
    coef_ : ndarray of shape (K, p)
    sparse_coef_ : scipy.sparse.csr_matrix of shape (K, p)
    intercept_ : ndarray of shape (K,)
    dual_gap_ : float
        Relative duality gap, on the scale of `tol`.
    converged_ : bool
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (p,)
        Only when X has names that are all strings.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the gap is above `tol` after `max_iter` iterations.

    References
    ----------
    Obozinski, Taskar & Jordan (2010), Joint covariate selection and joint subspace selection for multiple
    classification problems, Statistics and Computing 20.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> Y = np.column_stack([3 * X[:, 0] - 2 * X[:, 7], X[:, 0] + X[:, 7]])
    >>> model = riata.MultiTaskElasticNet(alpha=0.5, l1_ratio=0.9).fit(X, Y)
    >>> model.get_support(indices=True)
    array([0, 7])
    >>> model.coef_.shape
    (2, 200)
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        warm_start: bool = False,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
        copy_X: bool = True,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.solver = solver
        self.n_threads = n_threads
        self.verbose = verbose
        self.copy_X = copy_X
        self.random_state = random_state
        self.selection = selection

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> MultiTaskElasticNet:
        """Fit the model.

        Parameters
        ----------
        X : array, memory map, SciPy sparse matrix, DataFrame or Genotypes, shape (n, p)
            float64, float32 and int8 arrays and SciPy CSC are read where they are.
        y : array of shape (n, K)
        sample_weight : float or array of shape (n,), optional
            Non-negative; only their proportions matter.

        Returns
        -------
        self
        """
        self._fit(X, y, sample_weight)
        return self


class MultiTaskLasso(MultiTaskElasticNet):
    """Linear regression of several responses with an L1/L2 penalty, certified by its duality gap.

    Minimises, with sample weights w (ones by default), for n x K responses Y and b_j the K coefficients of
    feature j,

        (1 / (2 Σw)) Σ_i w_i ‖y_i - b0 - B'x_i‖₂² + alpha Σ_j pf_j ‖b_j‖₂,

    which at the same `alpha` is what `sklearn.linear_model.MultiTaskLasso` minimises.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, > 0.
    fit_intercept, standardize, penalty_factor
        As in `MultiTaskElasticNet`.
    tol, max_iter, warm_start, solver, n_threads, verbose, copy_X, random_state, selection
        As in `MultiTaskElasticNet`.

    Attributes
    ----------
    coef_, sparse_coef_, intercept_, dual_gap_, converged_, n_iter_, n_features_in_, feature_names_in_
        As in `MultiTaskElasticNet`.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the gap is above `tol` after `max_iter` iterations.

    References
    ----------
    Yuan & Lin (2006), Model selection and estimation in regression with grouped variables, JRSS B 68(1).

    Examples
    --------
    >>> import riata
    >>> model = riata.MultiTaskLasso(alpha=0.1).fit([[0, 0], [1, 1], [2, 2.5]], [[0, 0], [1, 1], [2, 3]])
    >>> bool(model.dual_gap_ <= model.tol)
    True
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        warm_start: bool = False,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
        copy_X: bool = True,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        super().__init__(
            alpha,
            l1_ratio=1.0,
            fit_intercept=fit_intercept,
            standardize=standardize,
            penalty_factor=penalty_factor,
            tol=tol,
            max_iter=max_iter,
            warm_start=warm_start,
            solver=solver,
            n_threads=n_threads,
            verbose=verbose,
            copy_X=copy_X,
            random_state=random_state,
            selection=selection,
        )


class MultiTaskElasticNetCV(TakesGroups, _MultiTask):
    """`MultiTaskElasticNet` with `alpha`, and if asked `l1_ratio`, chosen by cross-validation.

    All folds and the final fit share every pass over X, and no row is copied.

    Parameters
    ----------
    l1_ratio : float or sequence of float, default=0.5
        Several values are all tried.
    alphas : int or sequence of float, default=100
        A number of grid points or the values themselves.
    eps : float or None, default=1e-3
        Smallest over largest alpha of the grid, as in scikit-learn; with `l1_ratio` 0, for which it has no
        grid, as for the lasso. None: as in `riata.fit_path`.
    cv : int, splitter or iterable of (train, test), default=5
        An integer gives consecutive folds without shuffling, as in scikit-learn.
    selection : {"min", "1se"}, default="min"
        The alpha with the smallest mean squared error, or the largest one within a standard error of it.
        scikit-learn's "cyclic" and "random" are read as "min".
    n_jobs : int, optional
        Used for `n_threads` when that is None.
    fit_intercept, standardize, penalty_factor
        As in `MultiTaskElasticNet`.
    tol, max_iter, solver, n_threads, verbose, copy_X, random_state
        As in `MultiTaskElasticNet`.

    Attributes
    ----------
    alpha_ : float
        The alpha of the final fit: `alpha_min_` or `alpha_1se_`, as `selection` says.
    alpha_min_, alpha_1se_ : float
    l1_ratio_ : float
    alphas_ : ndarray of shape (L,) or (n_l1_ratio, L)
    mse_path_ : ndarray of shape (L, F) or (n_l1_ratio, L, F)
        Mean squared error on each of F held-out folds, the mean over responses.
    coef_path_ : list of K scipy.sparse.csc_array of shape (p, L)
        Coefficients of the final fit along its path.
    dual_gaps_ : ndarray of shape (L,)
    cv_path_ : riata.CVPath
        All of the cross-validation at `l1_ratio_`, with `predict` and `plot`.
    coef_, sparse_coef_, intercept_, dual_gap_, converged_, n_iter_, n_features_in_, feature_names_in_
        As in `MultiTaskElasticNet`, at `alpha_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> Y = X[:, [0, 7]] @ [[3, 1], [-2, 1]] + 0.1 * rng.standard_normal((50, 2))
    >>> model = riata.MultiTaskElasticNetCV(l1_ratio=[0.5, 1.0], selection="1se").fit(X, Y)
    >>> model.l1_ratio_
    1.0
    """

    def __init__(
        self,
        *,
        l1_ratio: float | ArrayLike = 0.5,
        alphas: int | ArrayLike = 100,
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
        n_jobs: int | None = None,
        verbose: int = 0,
        copy_X: bool = True,
        random_state: Any = None,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.alphas = alphas
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
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.copy_X = copy_X
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> MultiTaskElasticNetCV:
        """Cross-validate and fit.

        Parameters
        ----------
        X, y, sample_weight
            As in `MultiTaskElasticNet.fit`. Held-out samples count by their weights within a fold.
        groups : array of shape (n,), optional
            Handed to the splitter.

        Returns
        -------
        self
        """
        self._cross_validate(X, y, sample_weight, groups)
        return self


class MultiTaskLassoCV(MultiTaskElasticNetCV):
    """`MultiTaskLasso` with `alpha` chosen by cross-validation.

    All folds and the final fit share every pass over X, and no row is copied.

    Parameters
    ----------
    alphas, eps, cv, selection, n_jobs
        As in `MultiTaskElasticNetCV`.
    fit_intercept, standardize, penalty_factor
        As in `MultiTaskLasso`.
    tol, max_iter, solver, n_threads, verbose, copy_X, random_state
        As in `MultiTaskLasso`.

    Attributes
    ----------
    alpha_, alpha_min_, alpha_1se_, alphas_, mse_path_, coef_path_, dual_gaps_, cv_path_
        As in `MultiTaskElasticNetCV`.
    coef_, sparse_coef_, intercept_, dual_gap_, converged_, n_iter_, n_features_in_, feature_names_in_
        As in `MultiTaskLasso`, at `alpha_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> Y = X[:, [0, 7]] @ [[3, 1], [-2, 1]] + 0.1 * rng.standard_normal((50, 2))
    >>> riata.MultiTaskLassoCV(selection="1se").fit(X, Y).get_support(indices=True)
    array([0, 7])
    """

    def __init__(
        self,
        *,
        alphas: int | ArrayLike = 100,
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
        n_jobs: int | None = None,
        verbose: int = 0,
        copy_X: bool = True,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            l1_ratio=1.0,
            alphas=alphas,
            eps=eps,
            cv=cv,
            selection=selection,
            fit_intercept=fit_intercept,
            standardize=standardize,
            penalty_factor=penalty_factor,
            tol=tol,
            max_iter=max_iter,
            solver=solver,
            n_threads=n_threads,
            n_jobs=n_jobs,
            verbose=verbose,
            copy_X=copy_X,
            random_state=random_state,
        )
