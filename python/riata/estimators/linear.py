"""Lasso and elastic net as scikit-learn estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin, clone
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import column_or_1d

from riata import penalties
from riata._input.alignment import check_rows_named_alike
from riata._input.design import DesignView
from riata._input.validation import Float, check_alpha, check_choice, check_flag, check_threads, refuse_text
from riata.estimators._base import SparseLinearModel, TakesGroups
from riata.path.arguments import LASSO, Features, Options, check_features
from riata.path.cross_validation import cross_validate, warn_if_grid_ends, warn_unless_all_converged
from riata.path.fit import solve
from riata.path.folds import make_splits
from riata.penalties import Penalty

__all__ = ["ElasticNet", "ElasticNetCV", "Lasso", "LassoCV"]

#: The l1_ratio that stands for 0 where the grid begins: to end where that of the lasso does.
RIDGE_RATIO = 1e-3

MULTI_TASK = ("MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV")
SELECTIONS = ("min", "1se", "cyclic", "random")


class LinearRegressor(RegressorMixin, SparseLinearModel):  # type: ignore[misc]
    """What the regressions on numbers share: fitting at one alpha, or choosing it by cross-validation."""

    _loss: str

    penalty_factor: Any
    alpha: Any
    l1_ratio: Any
    cv: Any
    selection: Any
    n_jobs: Any

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """R², the share of the variance that is explained, as scikit-learn's regressors have it.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        float
        """
        check_rows_named_alike(X, y=y, sample_weight=sample_weight)
        return float(super().score(X, y, sample_weight=sample_weight))

    def _check_target(self, y: Any, n_samples: int) -> Float:
        """Return the response as finite numbers."""
        raise NotImplementedError

    def _check_features(self, design: DesignView, penalty: Penalty) -> Features:
        """Return the checked parameters that describe features."""
        raise NotImplementedError

    def _penalty(self) -> Penalty:
        """Return the penalty of the parameters."""
        return penalties.ElasticNet(self.l1_ratio)

    def _candidates(self) -> list[Penalty]:
        """Return the penalties that cross-validation chooses from: one for each `l1_ratio`."""
        values = np.atleast_1d(np.asarray(self.l1_ratio, dtype=object))
        if values.ndim != 1 or len(values) == 0:
            raise ValueError(f"l1_ratio must be a number or a 1-D sequence of numbers, got {self.l1_ratio!r}")
        return [penalties.ElasticNet(value) for value in values]

    def _check_all(
        self, X: Any, y: Any, sample_weight: Any, penalty: Penalty = LASSO
    ) -> tuple[DesignView, Float, Float, Features]:
        design, y, weights = self._check_fit_input(X, y, sample_weight)
        return design, self._check_target(y, design.n_samples), weights, self._check_features(design, penalty)

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Fit at `alpha`."""
        alpha = check_alpha(self.alpha)
        penalty = self._penalty()
        options = self._options(self._loss, np.array([alpha]), penalty=penalty, l1_ratio=penalty.l1_share)
        design, target, weights, features = self._check_all(X, y, sample_weight, penalty)
        fit = self._solve(design, target, weights, features, options)
        self._keep_fit(fit, target, weights, features, options)

    def _solve(
        self, design: DesignView, target: Float, weights: Float, features: Features, options: Options
    ) -> dict[str, Any]:
        """Fit a path whose last point is `alpha`: it alone, unless the way there matters."""
        return solve(design, target, weights[:, None], None, features, options)[0]

    def _cross_validate(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> None:
        """Choose alpha, and l1_ratio when there are several; keep the fit to all samples there."""
        candidates = self._candidates()
        selection = check_choice("selection", self.selection, SELECTIONS)
        options = self._grid_options(self._loss)
        eps = options.eps
        options.n_threads = check_threads(self.n_threads, self.n_jobs)
        design, target, weights, features = self._check_all(X, y, sample_weight, candidates[0])
        cv = 5 if self.cv is None else self.cv
        splits = make_splits(cv, X, y, target, weights, groups, loss=self._loss, shuffle=False)
        results = []
        for penalty in candidates:
            options.penalty, options.l1_ratio = penalty, penalty.l1_share
            if isinstance(penalty, penalties.ElasticNet) and penalty.l1_share == 0.0:
                options.eps = eps * RIDGE_RATIO
            else:
                options.eps = eps
            results.append(
                cross_validate(
                    design,
                    target,
                    weights,
                    None,
                    features,
                    options,
                    splits,
                    "mse",
                    "1se" if selection == "1se" else "min",
                    None,
                    weigh_folds=False,
                )
            )
        best = int(np.argmin([result.mean_score.min() for result in results]))
        self._keep_selected(results[best])
        several = False
        if isinstance(candidates[best], penalties.ElasticNet):
            self.l1_ratio_ = candidates[best].l1_share
            several = np.ndim(self.l1_ratio) > 0
        self.alphas_ = (
            np.stack([result.path.alphas for result in results]) if several else results[0].path.alphas
        )
        self.mse_path_ = np.stack([result.scores for result in results]) if several else results[0].scores
        warn_unless_all_converged(results[best], options)
        warn_if_grid_ends(results[best], options)


class OneResponse(LinearRegressor):
    """Checks and prediction of one response."""

    _loss = "gaussian"

    def predict(self, X: Any) -> Float:
        """Predict ``X @ coef_ + intercept_``.

        Parameters
        ----------
        X : as in `fit`, shape (m, p)

        Returns
        -------
        ndarray of shape (m,)
        """
        return self._link(X)

    def _check_target(self, y: Any, n_samples: int) -> Float:
        shape = np.asarray(y).shape
        if len(shape) == 2 and shape[1] > 1:
            name = type(self).__name__
            several = f"MultiTask{name}" if f"MultiTask{name}" in MULTI_TASK else "MultiTaskLasso"
            raise ValueError(
                f"y should be a 1d array, got an array of shape {shape} instead; "
                f"for several responses there is {several}"
            )
        target = y if type(y) is np.ndarray and y.ndim == 1 else column_or_1d(y, warn=True)
        if target.dtype.kind not in "fiubO":
            raise TypeError(f"y must hold numbers, got values of type {target.dtype}")
        refuse_text("y", target)
        target = np.ascontiguousarray(target, dtype=np.float64)
        assert_all_finite(target, input_name="y")
        return target


class _Regressor(OneResponse):
    """Lasso and elastic net, whose coefficients may have bounds."""

    positive: bool
    lower: Any
    upper: Any

    def _check_features(self, design: DesignView, penalty: Penalty) -> Features:
        positive = check_flag("positive", self.positive)
        return check_features(design, self.penalty_factor, self.lower, self.upper, positive=positive)


class OneByOne(_Regressor):
    """Regressions that fit each of several responses by itself."""

    def predict(self, X: Any) -> Float:
        """Predict ``X @ coef_.T + intercept_``.

        Parameters
        ----------
        X : as in `fit`, shape (m, p)

        Returns
        -------
        ndarray of shape (m,), or (m, K) for K > 1 responses
        """
        links = self._links(X)
        return links[:, 0] if links.shape[1] == 1 else links

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _fit_each(self, X: Any, y: Any, **beside: Any) -> bool:
        """Fit each column of y by itself, as scikit-learn does; false when y is one response."""
        Y = np.asarray(y)
        if Y.ndim != 2:
            return False
        if Y.shape[1] == 0:
            raise ValueError(f"y must hold at least one response, got shape {Y.shape}")
        fits = [clone(self).fit(X, np.ascontiguousarray(column), **beside) for column in Y.T]
        given = self.get_params(deep=False)
        names = [name for name in vars(fits[0]) if name not in given]
        self.__dict__.update({name: _merged(name, [vars(fit)[name] for fit in fits]) for name in names})
        return True


def _merged(name: str, values: list[Any]) -> Any:
    """One attribute of fits to several responses: stacked where that can be, else a list."""
    first = values[0]
    if name in ("converged_", "n_iter_"):
        return all(values) if name == "converged_" else max(values)
    if name in ("n_features_in_", "feature_names_in_", "variants_") or not name.endswith("_"):
        return first  # the same for all, or not for users
    if len(values) == 1 and name != "intercept_" and name != "dual_gap_":
        return first
    plain = all(isinstance(value, np.ndarray | float | int) for value in values)
    return np.array(values) if plain and len({np.shape(value) for value in values}) == 1 else values


class ElasticNet(OneByOne):
    """Linear regression with an elastic-net penalty, certified by its duality gap.

    Minimises, with sample weights w (ones by default),

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)²
            + alpha Σ_j pf_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j²)   with lower <= b <= upper,

    which at the same `alpha` and `l1_ratio` is what `sklearn.linear_model.ElasticNet` minimises.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, > 0.
    l1_ratio : float, default=0.5
        From 0 (ridge) to 1 (lasso).
    fit_intercept : bool, default=True
    positive : bool, default=False
        Keep all coefficients >= 0.
    standardize : bool, default=False
        Penalise coefficients as on columns of unit standard deviation. They come back on the original scale.
    penalty_factor : array of shape (p,), dict or Series by feature name, optional
        Multiplies the penalty of each feature: 0 leaves it unpenalised, infinity leaves the feature out.
    lower, upper : float, array of shape (p,), dict or Series by feature name, optional
        Bounds on the coefficients, ``lower <= 0 <= upper``.
    tol : float, default=1e-6
        Bound on the relative duality gap, (primal - dual) / (half the weighted variance of y).
    max_iter : int, default=10000
    warm_start : bool, default=False
        Accepted as in scikit-learn. The solution does not depend on where the solver starts.
    solver : {"auto", "homotopy", "cd", "prox"}, default="auto"
    n_threads : int, optional
        Default: every available core, or OMP_NUM_THREADS, or one for a small problem. The result is the same
        to the last bit for any value.
    verbose : int, default=0
        1 prints one line about the fit.
    precompute, copy_X, random_state, selection : any
        Accepted so that code written for scikit-learn runs; they have no effect. X is never changed.

    Attributes
    ----------
    coef_ : ndarray of shape (p,), or (K, p) for K > 1 responses
    sparse_coef_ : scipy.sparse.csr_matrix of shape (1, p), or (K, p)
    intercept_ : float, or ndarray of shape (K,) for y with columns
    dual_gap_ : float, or ndarray of shape (K,) for y with columns
        Relative duality gap, on the scale of `tol`: the objective is at most this share of its null value
        above the optimum.
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
    Zou & Hastie (2005), Regularization and variable selection via the elastic net, JRSS B 67(2).

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7]
    >>> model = riata.ElasticNet(alpha=0.5, l1_ratio=0.9).fit(X, y)
    >>> model.get_support(indices=True)
    array([0, 7])
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        positive: bool = False,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower: float | ArrayLike | None = None,
        upper: float | ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        warm_start: bool = False,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
        precompute: Any = False,
        copy_X: bool = True,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower = lower
        self.upper = upper
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.solver = solver
        self.n_threads = n_threads
        self.verbose = verbose
        self.precompute = precompute
        self.copy_X = copy_X
        self.random_state = random_state
        self.selection = selection

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> ElasticNet:
        """Fit the model.

        Parameters
        ----------
        X : array, memory map, SciPy sparse matrix, DataFrame or Genotypes, shape (n, p)
            float64, float32 and int8 arrays and SciPy CSC are read where they are.
        y : array of shape (n,), or (n, K) to fit K responses one by one
            `MultiTaskLasso` and `MultiTaskElasticNet` fit them together, on the same features.
        sample_weight : float or array of shape (n,), optional
            Non-negative; only their proportions matter.

        Returns
        -------
        self
        """
        if not self._fit_each(X, y, sample_weight=sample_weight):
            self._fit(X, y, sample_weight)
        return self


class Lasso(ElasticNet):
    """Linear regression with an L1 penalty, certified by its duality gap.

    Minimises, with sample weights w (ones by default),

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)² + alpha Σ_j pf_j |b_j|   with lower <= b <= upper,

    which at the same `alpha` is what `sklearn.linear_model.Lasso` minimises. Textbooks that write RSS + λ‖b‖₁
    mean ``alpha = λ / (2 n)``: see `riata.equivalents`.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, > 0.
    fit_intercept, positive, standardize, penalty_factor, lower, upper
        As in `ElasticNet`.
    tol, max_iter, warm_start, solver, n_threads, verbose, precompute, copy_X, random_state, selection
        As in `ElasticNet`.

    Attributes
    ----------
    coef_, sparse_coef_, intercept_, dual_gap_, converged_, n_iter_, n_features_in_, feature_names_in_
        As in `ElasticNet`.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the gap is above `tol` after `max_iter` iterations.

    References
    ----------
    Tibshirani (1996), Regression shrinkage and selection via the lasso, JRSS B 58(1).

    Examples
    --------
    >>> import riata
    >>> model = riata.Lasso(alpha=0.1).fit([[0, 0], [1, 1], [2, 2.5]], [0, 1, 2])
    >>> bool(model.dual_gap_ <= model.tol)
    True
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        positive: bool = False,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower: float | ArrayLike | None = None,
        upper: float | ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        warm_start: bool = False,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
        precompute: Any = False,
        copy_X: bool = True,
        random_state: Any = None,
        selection: str = "cyclic",
    ) -> None:
        super().__init__(
            alpha,
            l1_ratio=1.0,
            fit_intercept=fit_intercept,
            positive=positive,
            standardize=standardize,
            penalty_factor=penalty_factor,
            lower=lower,
            upper=upper,
            tol=tol,
            max_iter=max_iter,
            warm_start=warm_start,
            solver=solver,
            n_threads=n_threads,
            verbose=verbose,
            precompute=precompute,
            copy_X=copy_X,
            random_state=random_state,
            selection=selection,
        )


class ElasticNetCV(TakesGroups, _Regressor):
    """`ElasticNet` with `alpha`, and if asked `l1_ratio`, chosen by cross-validation.

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
    fit_intercept, positive, standardize, penalty_factor, lower, upper
        As in `ElasticNet`.
    tol, max_iter, solver, n_threads, verbose, precompute, copy_X, random_state
        As in `ElasticNet`.

    Attributes
    ----------
    alpha_ : float
        The alpha of the final fit: `alpha_min_` or `alpha_1se_`, as `selection` says.
    alpha_min_, alpha_1se_ : float
    l1_ratio_ : float
    alphas_ : ndarray of shape (L,) or (n_l1_ratio, L)
    mse_path_ : ndarray of shape (L, K) or (n_l1_ratio, L, K)
        Mean squared error on each held-out fold.
    coef_path_ : scipy.sparse.csc_array of shape (p, L)
        Coefficients of the final fit along its path.
    dual_gaps_ : ndarray of shape (L,)
    cv_path_ : riata.CVPath
        All of the cross-validation at `l1_ratio_`, with `predict` and `plot`.
    coef_, sparse_coef_, intercept_, dual_gap_, converged_, n_iter_, n_features_in_, feature_names_in_
        As in `ElasticNet`, at `alpha_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> model = riata.ElasticNetCV(l1_ratio=[0.5, 1.0], selection="1se").fit(X, y)
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
        positive: bool = False,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower: float | ArrayLike | None = None,
        upper: float | ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        precompute: Any = "auto",
        copy_X: bool = True,
        random_state: Any = None,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.alphas = alphas
        self.eps = eps
        self.cv = cv
        self.selection = selection
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower = lower
        self.upper = upper
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.n_threads = n_threads
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.precompute = precompute
        self.copy_X = copy_X
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> ElasticNetCV:
        """Cross-validate and fit.

        Parameters
        ----------
        X, y, sample_weight
            As in `ElasticNet.fit`. Held-out samples count by their weights within a fold.
        groups : array of shape (n,), optional
            Handed to the splitter.

        Returns
        -------
        self
        """
        self._cross_validate(X, y, sample_weight, groups)
        return self


class LassoCV(ElasticNetCV):
    """`Lasso` with `alpha` chosen by cross-validation.

    All folds and the final fit share every pass over X, and no row is copied.

    Parameters
    ----------
    alphas, eps, cv, selection, n_jobs
        As in `ElasticNetCV`.
    fit_intercept, positive, standardize, penalty_factor, lower, upper
        As in `Lasso`.
    tol, max_iter, solver, n_threads, verbose, precompute, copy_X, random_state
        As in `Lasso`.

    Attributes
    ----------
    alpha_, alpha_min_, alpha_1se_, alphas_, mse_path_, coef_path_, dual_gaps_, cv_path_
        As in `ElasticNetCV`.
    coef_, sparse_coef_, intercept_, dual_gap_, converged_, n_iter_, n_features_in_, feature_names_in_
        As in `Lasso`, at `alpha_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> riata.LassoCV(selection="1se").fit(X, y).get_support(indices=True)
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
        positive: bool = False,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower: float | ArrayLike | None = None,
        upper: float | ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        precompute: Any = "auto",
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
            positive=positive,
            standardize=standardize,
            penalty_factor=penalty_factor,
            lower=lower,
            upper=upper,
            tol=tol,
            max_iter=max_iter,
            solver=solver,
            n_threads=n_threads,
            n_jobs=n_jobs,
            verbose=verbose,
            precompute=precompute,
            copy_X=copy_X,
            random_state=random_state,
        )
