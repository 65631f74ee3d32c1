"""Lasso and elastic net as scikit-learn estimators."""

from __future__ import annotations

import warnings
from copy import copy
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin, clone
from sklearn.utils import assert_all_finite, metadata_routing
from sklearn.utils.validation import column_or_1d

from riata._input.alignment import check_rows_named_alike
from riata._input.validation import Float, refuse_text
from riata.estimators._base import CrossValidated, Problem, SparseLinearModel
from riata.estimators._params import (
    BoundedLinear,
    Copying,
    Mixing,
    Mixtures,
    Precompute,
    Randomness,
    Running,
    RunningJobs,
    Search,
    Strength,
    Sweeps,
    WarmStart,
    declared,
)
from riata.estimators._selector import lazy_on_dask
from riata.path.arguments import Options
from riata.path.multi_response import Response, solve_responses

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["ElasticNet", "ElasticNetCV", "Lasso", "LassoCV"]

MULTI_TASK = ("MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV")


class LinearRegressor(RegressorMixin, SparseLinearModel):  # type: ignore[misc]
    """What the regressions on numbers share."""

    _scores = "mse_path_"

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return R², the share of the variance that is explained, as scikit-learn's regressors have it.

        Returns
        -------
        float
            1 for a perfect fit, 0 for one as good as the mean of `y`, negative for worse.
        """
        check_rows_named_alike(X, y=y, sample_weight=sample_weight)
        return float(super().score(X, y, sample_weight=sample_weight))

    def _check_target(self, y: Any) -> Float:
        """Return the response as finite numbers."""
        raise NotImplementedError

    def _warn_without_penalty(self, alpha: float) -> None:
        if alpha == 0.0:
            warnings.warn(
                "With alpha=0, this algorithm does not converge well. You are advised to use the "
                "LinearRegression estimator; what it fits is fitted here too, least squares of least norm.",
                UserWarning,
                stacklevel=5,
            )

    def _check_data(self, X: Any, y: Any, sample_weight: Any, options: Options, **beside: Any) -> Problem:
        design, y, weights = self._check_fit_input(X, y, sample_weight)
        return Problem((X, y), design, self._check_target(y), weights)


class AtAlpha(LinearRegressor):
    """Regressions at one alpha."""

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model at `alpha`."""
        return self._fit_at_alpha(X, y, sample_weight)


class ByFolds(CrossValidated, LinearRegressor):
    """Regressions that choose alpha by the mean squared error.

    Attributes
    ----------
    mse_path_ : ndarray of shape (L, F)
        Mean squared error at each alpha on each of F held-out folds.
    """

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Choose `alpha` by cross-validation, and fit the model to all samples there."""
        return self._choose_alpha(X, y, sample_weight, groups)


class ByError(ByFolds):
    """Folds that are fitted together.

    Notes
    -----
    All folds and the final fit share every pass over X, and no row is copied.
    """


class OneResponse(LinearRegressor):
    """Checks and prediction of one response."""

    _loss = "gaussian"

    @lazy_on_dask
    def predict(self, X: Any) -> Float:
        """Predict ``X @ coef_ + intercept_``.

        Returns
        -------
        ndarray of shape (m,)
            The predicted response of each sample.
        """
        return self._link(X)

    def _check_target(self, y: Any) -> Float:
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


class OneByOne(OneResponse):
    """Regressions that fit each of several responses by itself.

    Attributes
    ----------
    coef_ : ndarray of shape (p,), or (K, p) for K > 1 responses
        Coefficients on the original scale of X.
    sparse_coef_ : scipy.sparse.csr_matrix of shape (1, p), or (K, p)
        The same, sparse.
    intercept_ : float, or ndarray of shape (K,) for y with columns
        The intercept; 0 without.
    dual_gap_ : float, or ndarray of shape (K,) for y with columns
        Duality gap, as in scikit-learn: the objective is at most this far above its least value.
    relative_gap_ : float, or ndarray of shape (K,) for y with columns
        The same as a share of what there is to explain, on the scale of `tol`.

    Data
    ----
    y : array of shape (n,), or (n, K) to fit K responses one by one
        The response. `MultiTaskLasso` and `MultiTaskElasticNet` fit several together, on the same features.
    """

    @lazy_on_dask
    def predict(self, X: Any) -> Float:
        """Predict ``X @ coef_.T + intercept_``.

        Returns
        -------
        ndarray of shape (m,), or (m, K) for K > 1 responses
            The predicted responses of each sample.
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
        check_rows_named_alike(X, y=y)
        fits = self._fit_columns(X, [np.ascontiguousarray(column) for column in Y.T], **beside)
        given = self.get_params(deep=False)
        names = [name for name in vars(fits[0]) if name not in given]
        self.__dict__.update({name: _merged(name, [vars(fit)[name] for fit in fits]) for name in names})
        return True

    def _fit_columns(self, X: Any, columns: list[Any], **beside: Any) -> list[Self]:
        """A fit to each response. Each by itself: what one tells of features is not for the others."""
        return [clone(self).fit(X, column, **beside) for column in columns]


def _merged(name: str, values: list[Any]) -> Any:
    """One attribute of fits to several responses: stacked where that can be, else a list."""
    first = values[0]
    if name in ("converged_", "n_iter_"):
        return all(values) if name == "converged_" else max(values)
    if name in ("n_features_in_", "feature_names_in_", "variants_") or not name.endswith("_"):
        return first  # the same for all, or not for users
    if len(values) == 1 and name not in ("intercept_", "dual_gap_", "relative_gap_"):
        return first
    plain = all(isinstance(value, np.ndarray | float | int) for value in values)
    return np.array(values) if plain and len({np.shape(value) for value in values}) == 1 else values


class _Squares:
    """The elastic net on one response.

    Objective
    ---------
    Minimises, with sample weights w (ones by default),

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)²
            + alpha Σ_j pf_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j²)   with lower <= b <= upper,

    which at the same `alpha` and `l1_ratio` is what `sklearn.linear_model.ElasticNet` minimises.

    References
    ----------
    Zou & Hastie (2005), Regularization and variable selection via the elastic net, JRSS B 67(2).
    """


class _AbsoluteSquares:
    """The lasso on one response.

    Objective
    ---------
    Minimises, with sample weights w (ones by default),

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)² + alpha Σ_j pf_j |b_j|   with lower <= b <= upper,

    which at the same `alpha` is what `sklearn.linear_model.Lasso` minimises. Textbooks that write RSS + λ‖b‖₁
    mean ``alpha = λ / (2 n)``: see `riata.conversions`.

    References
    ----------
    Tibshirani (1996), Regression shrinkage and selection via the lasso, JRSS B 58(1).
    """


@declared
class ElasticNet(
    _Squares, OneByOne, Sweeps, Randomness, Copying, Precompute, Running, WarmStart, BoundedLinear, Mixing,
    Strength,
):  # fmt: skip
    """Linear regression with an elastic-net penalty, certified by its duality gap.

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

    l1_ratio: float = 0.5

    # `check_input` is not for users of pipelines.
    __metadata_request__fit = {"check_input": metadata_routing.UNUSED}  # noqa: RUF012

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None, check_input: bool = True
    ) -> Self:
        """Fit the model at `alpha`.

        Parameters
        ----------
        check_input : bool
            Accepted so that code written for scikit-learn runs; input is checked always.
        """
        if self._fit_each(X, y, sample_weight=sample_weight):
            return self
        return self._fit_at_alpha(X, y, sample_weight)

    def _fit_columns(self, X: Any, columns: list[Any], **beside: Any) -> list[Self]:
        """A fit to each response; all of them share every pass over X."""
        first = clone(self)
        problem, features, options = first._read_at_alpha(X, columns[0], **beside)
        targets = [problem.target, *(first._check_target(column) for column in columns[1:])]
        every = np.arange(problem.design.n_samples)
        responses = [Response(target, None, problem.weights, None, every) for target in targets]
        weights = np.column_stack([problem.weights] * len(targets))
        fits = solve_responses(
            problem.design, responses, weights, list(range(len(targets))), features, options
        )
        models = [copy(first) for _ in targets]
        for model, target, fit in zip(models, targets, fits, strict=True):
            model._keep_fit(fit, replace(problem, target=target), features, options)
        return models


@declared
class Lasso(_AbsoluteSquares, ElasticNet):
    """Linear regression with an L1 penalty, certified by its duality gap.

    Examples
    --------
    >>> import riata
    >>> model = riata.Lasso(alpha=0.1).fit([[0, 0], [1, 1], [2, 2.5]], [0, 1, 2])
    >>> bool(model.relative_gap_ <= model.tol)
    True
    """

    l1_ratio: float = field(default=1.0, init=False)


@declared
class ElasticNetCV(
    _Squares, ByError, OneResponse, Randomness, Copying, Precompute, RunningJobs, BoundedLinear, Search,
    Mixtures,
):  # fmt: skip
    """Linear regression with an elastic-net penalty chosen by cross-validation.

    Attributes
    ----------
    l1_ratio_ : float
        The `l1_ratio` of the final fit.
    alphas_ : ndarray of shape (L,), or (R, L) where each of R > 1 values of `l1_ratio` has a grid of its own
        The grid, decreasing.
    mse_path_ : ndarray of shape (L, F), or (R, L, F) for R > 1 values of `l1_ratio`
        Mean squared error at each alpha on each of F held-out folds.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> model = riata.ElasticNetCV(l1_ratio=[0.5, 1.0], alpha_rule="1se").fit(X, y)
    >>> model.l1_ratio_
    1.0
    """

    l1_ratio: float | ArrayLike = 0.5
    precompute: Any = "auto"


@declared
class LassoCV(_AbsoluteSquares, ElasticNetCV):
    """Linear regression with an L1 penalty chosen by cross-validation.

    Attributes
    ----------
    l1_ratio_ : float
        1.0, that of the lasso.
    alphas_ : ndarray of shape (L,)
        The grid, decreasing.
    mse_path_ : ndarray of shape (L, F)
        Mean squared error at each alpha on each of F held-out folds.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> riata.LassoCV(alpha_rule="1se").fit(X, y).get_support(indices=True)
    array([0, 7])
    """

    l1_ratio: float | ArrayLike = field(default=1.0, init=False)
