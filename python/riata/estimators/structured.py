"""Group lasso, sparse group lasso, MCP, SCAD and SLOPE as scikit-learn estimators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riata import penalties
from riata._input.design import DesignView
from riata.estimators._base import TakesGroups
from riata.estimators.linear import OneResponse
from riata.path.arguments import Features, check_features
from riata.path.cross_validation import CVPath
from riata.penalties import Groups, Penalty

__all__ = [
    "SLOPE",
    "SLOPECV",
    "GroupLasso",
    "GroupLassoCV",
    "MCPRegressor",
    "MCPRegressorCV",
    "SCADRegressor",
    "SCADRegressorCV",
    "SparseGroupLasso",
    "SparseGroupLassoCV",
]


class _Structured(OneResponse):
    """A penalty of `riata.penalties`, without bounds on the coefficients."""

    def _candidates(self) -> list[Penalty]:
        return [self._penalty()]

    def _check_features(self, design: DesignView, penalty: Penalty) -> Features:
        return check_features(design, self.penalty_factor, None, None, penalty=penalty)


class _AtAlpha(_Structured):
    """The parameters of a fit at one alpha."""

    def __init__(
        self,
        alpha: float,
        *,
        fit_intercept: bool,
        standardize: bool,
        penalty_factor: ArrayLike | None,
        tol: float,
        max_iter: int,
        solver: str,
        n_threads: int | None,
        verbose: int,
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.n_threads = n_threads
        self.verbose = verbose

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        """Fit the model.

        Parameters
        ----------
        X : array, memory map, SciPy sparse matrix, DataFrame or Genotypes, shape (n, p)
            float64, float32 and int8 arrays and SciPy CSC are read where they are.
        y : array of shape (n,)
        sample_weight : float or array of shape (n,), optional
            Non-negative; only their proportions matter.

        Returns
        -------
        self
        """
        self._fit(X, y, sample_weight)
        return self


class _ChoosesAlpha(TakesGroups, _Structured):
    """The parameters of a cross-validation."""

    def __init__(
        self,
        *,
        alphas: int | ArrayLike,
        eps: float | None,
        cv: Any,
        selection: str,
        fit_intercept: bool,
        standardize: bool,
        penalty_factor: ArrayLike | None,
        tol: float,
        max_iter: int,
        solver: str,
        n_threads: int | None,
        n_jobs: int | None,
        verbose: int,
    ) -> None:
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

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Any:
        """Cross-validate and fit.

        Parameters
        ----------
        X : array, memory map, SciPy sparse matrix, DataFrame or Genotypes, shape (n, p)
            float64, float32 and int8 arrays and SciPy CSC are read where they are.
        y : array of shape (n,)
        sample_weight : float or array of shape (n,), optional
            Non-negative. Held-out samples count by their weights within a fold.
        groups : array of shape (n,), optional
            Groups of samples, not of features: handed to the splitter.

        Returns
        -------
        self
        """
        self._cross_validate(X, y, sample_weight, groups)
        return self


class _Grouped(_Structured):
    """A group lasso."""

    groups: Any
    weights: Any
    l2_ratio: Any

    def _penalty(self) -> Penalty:
        return penalties.GroupLasso(self.groups, weights=self.weights, l2_ratio=self.l2_ratio)


class _SparseGrouped(_Structured):
    """A sparse group lasso."""

    groups: Any
    weights: Any

    def _penalty(self) -> Penalty:
        return penalties.SparseGroupLasso(self.groups, l1_ratio=self.l1_ratio, weights=self.weights)


class _Sorted(_Structured):
    """A sorted L1 norm."""

    q: Any
    weights: Any

    def _penalty(self) -> Penalty:
        return penalties.SLOPE(q=self.q, weights=self.weights)


class _Concave(_Structured):
    """A penalty that is not convex: where a fit ends depends on where it comes from."""

    gamma: Any

    def _keep_fit(self, fit: dict[str, Any], *rest: Any) -> None:
        super()._keep_fit(fit, *rest)
        self.locally_convex_ = bool(fit["locally_convex"][-1])

    def _keep_selected(self, result: CVPath) -> None:
        super()._keep_selected(result)
        self.locally_convex_ = bool(np.asarray(result.path.locally_convex)[result.position])


class _MinimaxConcave(_Concave):
    def _penalty(self) -> Penalty:
        return penalties.MCP(self.gamma)


class _ClippedDeviation(_Concave):
    def _penalty(self) -> Penalty:
        return penalties.SCAD(self.gamma)


class GroupLasso(_Grouped, _AtAlpha):
    """Linear regression with a group lasso penalty, certified by its duality gap: groups enter whole.

    Minimises, with sample weights w (ones by default) and b_g the coefficients of group g,

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)²
            + alpha Σ_g w_g ((1 - l2_ratio) ‖b_g‖₂ + l2_ratio/2 ‖b_g‖₂²).

    For other losses use `riata.fit_path` with `riata.penalties.GroupLasso`.

    Parameters
    ----------
    groups : array-like of shape (p,), mapping, or list of lists, optional
        A label for each feature, in any order; or for each label, or in a list of lists, the numbers or names
        of its features, those of no group being groups of their own. Groups may overlap, as gene sets do:
        `coef_` is then the sum of a part for each group, and the penalty that of the parts (see
        `riata.penalties.GroupLasso`). None: every feature by itself, the lasso.
    alpha : float, default=1.0
        Strength of the penalty, > 0.
    weights : "sqrt_size", "ones", array-like or mapping, default="sqrt_size"
        w_g >= 0: the square root of the group's size, 1, one for each of the sorted labels, or one for each
        label. A group of weight zero is not penalised.
    l2_ratio : float, default=0.0
        Share of the squared norm, in [0, 1].
    fit_intercept : bool, default=True
    standardize : bool, default=False
        Penalise coefficients as on columns of unit standard deviation. They come back on the original scale.
    penalty_factor : array of shape (p,), dict or Series by feature name, optional
        0 leaves a feature unpenalised, infinity leaves it out; otherwise 1.
    tol : float, default=1e-6
        Bound on the relative duality gap, (primal - dual) / (half the weighted variance of y).
    max_iter : int, default=10000
    solver : {"auto", "cd", "prox"}, default="auto"
    n_threads : int, optional
        Default: every available core, or OMP_NUM_THREADS, or one for a small problem. The result is the same
        to the last bit for any value.
    verbose : int, default=0
        1 prints one line about the fit.

    Attributes
    ----------
    coef_ : ndarray of shape (p,)
    sparse_coef_ : scipy.sparse.csr_matrix of shape (1, p)
    intercept_ : float
    certificate_ : "duality_gap"
    dual_gap_ : float
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
    Yuan & Lin (2006), Model selection and estimation in regression with grouped variables, JRSS B 68.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 2]
    >>> model = riata.GroupLasso(np.arange(200) // 4, alpha=0.5).fit(X, y)
    >>> model.get_support(indices=True)
    array([0, 1, 2, 3])
    """

    def __init__(
        self,
        groups: Groups | None = None,
        alpha: float = 1.0,
        *,
        weights: str | ArrayLike | Mapping[Any, float] = "sqrt_size",
        l2_ratio: float = 0.0,
        fit_intercept: bool = True,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.groups, self.weights, self.l2_ratio = groups, weights, l2_ratio
        super().__init__(
            alpha,
            fit_intercept=fit_intercept,
            standardize=standardize,
            penalty_factor=penalty_factor,
            tol=tol,
            max_iter=max_iter,
            solver=solver,
            n_threads=n_threads,
            verbose=verbose,
        )


class SparseGroupLasso(_SparseGrouped, _AtAlpha):
    """Linear regression with few groups and few features in each, certified by its duality gap.

    Minimises, with sample weights w (ones by default) and b_g the coefficients of group g,

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)²
            + alpha (l1_ratio ‖b‖₁ + (1 - l1_ratio) Σ_g w_g ‖b_g‖₂).

    For other losses use `riata.fit_path` with `riata.penalties.SparseGroupLasso`.

    Parameters
    ----------
    groups, alpha
        As in `GroupLasso`.
    l1_ratio : float, default=0.5
        Share of the absolute values, from 0 (group lasso) to 1 (lasso).
    weights, fit_intercept, standardize, penalty_factor, tol, max_iter, solver, n_threads, verbose
        As in `GroupLasso`.

    Attributes
    ----------
    coef_, sparse_coef_, intercept_, certificate_, dual_gap_, converged_, n_iter_, n_features_in_
        As in `GroupLasso`, as is `feature_names_in_`.

    References
    ----------
    Simon, Friedman, Hastie & Tibshirani (2013), A sparse-group lasso, Journal of Computational and Graphical
    Statistics 22.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 2]
    >>> model = riata.SparseGroupLasso(np.arange(200) // 4, alpha=0.5).fit(X, y)
    >>> model.get_support(indices=True)
    array([0, 2])
    """

    def __init__(
        self,
        groups: Groups | None = None,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        weights: str | ArrayLike | Mapping[Any, float] = "sqrt_size",
        fit_intercept: bool = True,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.groups, self.l1_ratio, self.weights = groups, l1_ratio, weights
        super().__init__(
            alpha,
            fit_intercept=fit_intercept,
            standardize=standardize,
            penalty_factor=penalty_factor,
            tol=tol,
            max_iter=max_iter,
            solver=solver,
            n_threads=n_threads,
            verbose=verbose,
        )


class MCPRegressor(_MinimaxConcave, _AtAlpha):
    """Linear regression with the minimax concave penalty, which does not shrink large coefficients.

    Seeks, with sample weights w (ones by default), a minimum of

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)² + Σ_j P(|b_j|),   l_j = alpha pf_j,
        P(t) = l_j t - t² / (2 gamma) up to t = gamma l_j, and gamma l_j² / 2 from there on.

    The problem is not convex and may have many. The fit goes down a path, from the largest alpha at which no
    feature is active (25 alphas for each factor of ten), each point from the last, and ends at `alpha` where
    the conditions of optimality hold to within `tol`. Another way there, such as that of `riata.fit_path` or
    `MCPRegressorCV`, may end at another such point: see `locally_convex_`.

    Parameters
    ----------
    alpha : float, default=1.0
        Slope of the penalty at zero, > 0.
    gamma : float, default=3.0
        Above 1. Small values are close to best-subset selection, infinity is the lasso. Meant for columns of
        unit standard deviation: see `standardize`.
    fit_intercept : bool, default=True
    standardize : bool, default=False
        Penalise coefficients as on columns of unit standard deviation. They come back on the original scale.
    penalty_factor : array of shape (p,), dict or Series by feature name, optional
        Multiplies the alpha of each feature: 0 leaves it unpenalised, infinity leaves the feature out.
    tol : float, default=1e-6
        Bound on the largest violation of an optimality condition, over alpha.
    max_iter : int, default=10000
        For each alpha on the way.
    solver : {"auto", "cd", "prox"}, default="auto"
    n_threads : int, optional
        Default: every available core, or OMP_NUM_THREADS, or one for a small problem. The result is the same
        to the last bit for any value.
    verbose : int, default=0
        1 prints one line about the fit.

    Attributes
    ----------
    coef_ : ndarray of shape (p,)
    sparse_coef_ : scipy.sparse.csr_matrix of shape (1, p)
    intercept_ : float
    certificate_ : "kkt"
    kkt_violation_ : float
        The largest violation of an optimality (Karush-Kuhn-Tucker) condition, over alpha: what `tol` bounds.
        It does not bound the objective, as a duality gap would.
    locally_convex_ : bool
        Whether the objective is strictly convex in the active features, whatever their size: given these
        features, there is no other minimum.
    converged_ : bool
    n_iter_ : int
        Over the whole way.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (p,)
        Only when X has names that are all strings.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the violation is above `tol` after `max_iter` iterations.

    References
    ----------
    Zhang (2010), Nearly unbiased variable selection under minimax concave penalty, Annals of Statistics 38.
    Breheny & Huang (2011), Coordinate descent algorithms for nonconvex penalized regression, Annals of
    Applied Statistics 5.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7]
    >>> model = riata.MCPRegressor(alpha=0.5).fit(X, y)
    >>> model.coef_[[0, 7]].round(6)
    array([ 3., -2.])
    >>> model.locally_convex_
    True
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        gamma: float = 3.0,
        fit_intercept: bool = True,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.gamma = gamma
        super().__init__(
            alpha,
            fit_intercept=fit_intercept,
            standardize=standardize,
            penalty_factor=penalty_factor,
            tol=tol,
            max_iter=max_iter,
            solver=solver,
            n_threads=n_threads,
            verbose=verbose,
        )


class SCADRegressor(_ClippedDeviation, _AtAlpha):
    """Linear regression with the smoothly clipped absolute deviation, which leaves large coefficients alone.

    Seeks, with sample weights w (ones by default), a minimum of

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)² + Σ_j P(|b_j|),   l_j = alpha pf_j,

    where P has the slope l_j up to |b_j| = l_j, from there on one that falls linearly, and none from
    gamma l_j on. It is not convex: what `MCPRegressor` says of the way to `alpha` holds here too.

    Parameters
    ----------
    alpha : float, default=1.0
        Slope of the penalty at zero, > 0.
    gamma : float, default=3.7
        Above 2; infinity is the lasso. Meant for columns of unit standard deviation: see `standardize`.
    fit_intercept, standardize, penalty_factor, tol, max_iter, solver, n_threads, verbose
        As in `MCPRegressor`.

    Attributes
    ----------
    coef_, sparse_coef_, intercept_, certificate_, kkt_violation_, locally_convex_, converged_, n_iter_
        As in `MCPRegressor`, as are `n_features_in_` and `feature_names_in_`.

    References
    ----------
    Fan & Li (2001), Variable selection via nonconcave penalized likelihood and its oracle properties, Journal
    of the American Statistical Association 96.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7]
    >>> riata.SCADRegressor(alpha=0.5).fit(X, y).coef_[[0, 7]].round(6)
    array([ 3., -2.])
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        gamma: float = 3.7,
        fit_intercept: bool = True,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.gamma = gamma
        super().__init__(
            alpha,
            fit_intercept=fit_intercept,
            standardize=standardize,
            penalty_factor=penalty_factor,
            tol=tol,
            max_iter=max_iter,
            solver=solver,
            n_threads=n_threads,
            verbose=verbose,
        )


class SLOPE(_Sorted, _AtAlpha):
    """Linear regression with the sorted L1 norm, certified by its duality gap.

    Minimises, with sample weights w (ones by default) and |b|_(1) >= |b|_(2) >= ...,

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)² + alpha Σ_i lambda_i |b|_(i).

    Larger coefficients are penalised more, which on orthogonal columns controls the false discovery rate, and
    those of correlated features come out equal. For other losses use `riata.fit_path` with
    `riata.penalties.SLOPE`.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, > 0. With the weights of `q` and columns of unit standard deviation,
        sigma / sqrt(n) is the choice for noise of standard deviation sigma.
    q : float, default=0.1
        In (0, 1), the rate of false discoveries aimed at: lambda_i is the normal quantile at
        ``1 - i q / (2 m)`` for the i-th of m penalised features.
    weights : array-like of shape (p,), optional
        Other lambda_i, in decreasing order, >= 0; the first m are used.
    fit_intercept, standardize, penalty_factor, tol, max_iter, solver, n_threads, verbose
        As in `GroupLasso`.

    Attributes
    ----------
    coef_, sparse_coef_, intercept_, certificate_, dual_gap_, converged_, n_iter_, n_features_in_
        As in `GroupLasso`, as is `feature_names_in_`.

    References
    ----------
    Bogdan, van den Berg, Sabatti, Su & Candès (2015), SLOPE: adaptive variable selection via convex
    optimization, Annals of Applied Statistics 9.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.5 * rng.standard_normal(50)
    >>> riata.SLOPE(alpha=0.5 / 50**0.5, q=0.05).fit(X, y).get_support(indices=True)
    array([0, 7])
    """

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        q: float = 0.1,
        weights: ArrayLike | None = None,
        fit_intercept: bool = True,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.q, self.weights = q, weights
        super().__init__(
            alpha,
            fit_intercept=fit_intercept,
            standardize=standardize,
            penalty_factor=penalty_factor,
            tol=tol,
            max_iter=max_iter,
            solver=solver,
            n_threads=n_threads,
            verbose=verbose,
        )


class GroupLassoCV(_Grouped, _ChoosesAlpha):
    """`GroupLasso` with `alpha` chosen by cross-validation.

    All folds and the final fit share every pass over X, and no row is copied.

    Parameters
    ----------
    groups, weights, l2_ratio
        As in `GroupLasso`.
    alphas, eps, cv, selection, n_jobs
        As in `ElasticNetCV`.
    fit_intercept, standardize, penalty_factor, tol, max_iter, solver, n_threads, verbose
        As in `GroupLasso`.

    Attributes
    ----------
    alpha_, alpha_min_, alpha_1se_, alphas_, mse_path_, coef_path_, cv_path_
        As in `ElasticNetCV`.
    dual_gaps_ : ndarray of shape (L,)
        What `certificate_` says, along the path.
    coef_, sparse_coef_, intercept_, certificate_, dual_gap_, converged_, n_iter_, n_features_in_
        As in `GroupLasso`, at `alpha_`, as is `feature_names_in_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(1)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 2] + rng.standard_normal(50)
    >>> model = riata.GroupLassoCV(np.arange(100) // 4, selection="1se").fit(X, y)
    >>> model.get_support(indices=True)
    array([0, 1, 2, 3])
    """

    def __init__(
        self,
        groups: Groups | None = None,
        *,
        weights: str | ArrayLike | Mapping[Any, float] = "sqrt_size",
        l2_ratio: float = 0.0,
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
    ) -> None:
        self.groups, self.weights, self.l2_ratio = groups, weights, l2_ratio
        super().__init__(
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
        )


class SparseGroupLassoCV(_SparseGrouped, _ChoosesAlpha):
    """`SparseGroupLasso` with `alpha` chosen by cross-validation.

    All folds and the final fit share every pass over X, and no row is copied.

    Parameters
    ----------
    groups, l1_ratio, weights
        As in `SparseGroupLasso`.
    alphas, eps, cv, selection, n_jobs
        As in `ElasticNetCV`.
    fit_intercept, standardize, penalty_factor, tol, max_iter, solver, n_threads, verbose
        As in `SparseGroupLasso`.

    Attributes
    ----------
    alpha_, alpha_min_, alpha_1se_, alphas_, mse_path_, coef_path_, cv_path_
        As in `ElasticNetCV`.
    dual_gaps_ : ndarray of shape (L,)
        What `certificate_` says, along the path.
    coef_, sparse_coef_, intercept_, certificate_, dual_gap_, converged_, n_iter_, n_features_in_
        As in `SparseGroupLasso`, at `alpha_`, as is `feature_names_in_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 2] + 0.1 * rng.standard_normal(50)
    >>> model = riata.SparseGroupLassoCV(np.arange(100) // 4, l1_ratio=0.9, selection="1se").fit(X, y)
    >>> model.get_support(indices=True)
    array([0, 2])
    """

    def __init__(
        self,
        groups: Groups | None = None,
        *,
        l1_ratio: float = 0.5,
        weights: str | ArrayLike | Mapping[Any, float] = "sqrt_size",
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
    ) -> None:
        self.groups, self.l1_ratio, self.weights = groups, l1_ratio, weights
        super().__init__(
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
        )


class MCPRegressorCV(_MinimaxConcave, _ChoosesAlpha):
    """`MCPRegressor` with `alpha` chosen by cross-validation.

    All folds and the final fit share every pass over X, and no row is copied.

    Every fold goes down the same path as the fit to all samples, each alpha from the one before.

    Parameters
    ----------
    gamma
        As in `MCPRegressor`.
    alphas, eps, cv, selection, n_jobs
        As in `ElasticNetCV`.
    fit_intercept, standardize, penalty_factor, tol, max_iter, solver, n_threads, verbose
        As in `MCPRegressor`.

    Attributes
    ----------
    alpha_, alpha_min_, alpha_1se_, alphas_, mse_path_, coef_path_, cv_path_
        As in `ElasticNetCV`.
    dual_gaps_ : ndarray of shape (L,)
        What `certificate_` says, along the path.
    coef_, sparse_coef_, intercept_, certificate_, kkt_violation_, locally_convex_, converged_, n_iter_
        As in `MCPRegressor`, at `alpha_`, as are `n_features_in_` and `feature_names_in_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> riata.MCPRegressorCV(selection="1se").fit(X, y).get_support(indices=True)
    array([0, 7])
    """

    def __init__(
        self,
        *,
        gamma: float = 3.0,
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
    ) -> None:
        self.gamma = gamma
        super().__init__(
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
        )


class SCADRegressorCV(_ClippedDeviation, _ChoosesAlpha):
    """`SCADRegressor` with `alpha` chosen by cross-validation.

    All folds and the final fit share every pass over X, and no row is copied.

    Every fold goes down the same path as the fit to all samples, each alpha from the one before.

    Parameters
    ----------
    gamma
        As in `SCADRegressor`.
    alphas, eps, cv, selection, n_jobs
        As in `ElasticNetCV`.
    fit_intercept, standardize, penalty_factor, tol, max_iter, solver, n_threads, verbose
        As in `SCADRegressor`.

    Attributes
    ----------
    alpha_, alpha_min_, alpha_1se_, alphas_, mse_path_, coef_path_, cv_path_
        As in `ElasticNetCV`.
    dual_gaps_ : ndarray of shape (L,)
        What `certificate_` says, along the path.
    coef_, sparse_coef_, intercept_, certificate_, kkt_violation_, locally_convex_, converged_, n_iter_
        As in `SCADRegressor`, at `alpha_`, as are `n_features_in_` and `feature_names_in_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> riata.SCADRegressorCV(selection="1se").fit(X, y).get_support(indices=True)
    array([0, 7])
    """

    def __init__(
        self,
        *,
        gamma: float = 3.7,
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
    ) -> None:
        self.gamma = gamma
        super().__init__(
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
        )


class SLOPECV(_Sorted, _ChoosesAlpha):
    """`SLOPE` with `alpha` chosen by cross-validation.

    All folds and the final fit share every pass over X, and no row is copied.

    Parameters
    ----------
    q, weights
        As in `SLOPE`.
    alphas, eps, cv, selection, n_jobs
        As in `ElasticNetCV`.
    fit_intercept, standardize, penalty_factor, tol, max_iter, solver, n_threads, verbose
        As in `SLOPE`.

    Attributes
    ----------
    alpha_, alpha_min_, alpha_1se_, alphas_, mse_path_, coef_path_, cv_path_
        As in `ElasticNetCV`.
    dual_gaps_ : ndarray of shape (L,)
        What `certificate_` says, along the path.
    coef_, sparse_coef_, intercept_, certificate_, dual_gap_, converged_, n_iter_, n_features_in_
        As in `SLOPE`, at `alpha_`, as is `feature_names_in_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + rng.standard_normal(50)
    >>> riata.SLOPECV(selection="1se").fit(X, y).get_support(indices=True)
    array([0, 7])
    """

    def __init__(
        self,
        *,
        q: float = 0.1,
        weights: ArrayLike | None = None,
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
    ) -> None:
        self.q, self.weights = q, weights
        super().__init__(
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
        )
