"""Lasso and elastic net for several responses that share their features, as scikit-learn estimators."""

from __future__ import annotations

from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from riata._input.validation import Float, refuse_text
from riata.estimators._params import (
    Copying,
    Linear,
    Mixing,
    Mixtures,
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
from riata.estimators.linear import AtAlpha, ByError, LinearRegressor

__all__ = ["MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso", "MultiTaskLassoCV"]


class _MultiTask(LinearRegressor):
    """Checks and prediction of several responses.

    Attributes
    ----------
    coef_ : ndarray of shape (K, p)
        Coefficients on the original scale of X, a row for each response.
    sparse_coef_ : scipy.sparse.csr_matrix of shape (K, p)
        The same, sparse.
    intercept_ : ndarray of shape (K,)
        The intercepts; 0 without.

    Objective
    ---------
    Minimises, with sample weights w (ones by default), for n x K responses Y and b_j the K coefficients of
    feature j,

        (1 / (2 Σw)) Σ_i w_i ‖y_i - b0 - B'x_i‖₂²
            + alpha Σ_j pf_j (l1_ratio ‖b_j‖₂ + (1 - l1_ratio)/2 ‖b_j‖₂²),

    which at the same `alpha` and `l1_ratio` is what `sklearn.linear_model.MultiTaskElasticNet` minimises. A
    feature enters for all responses or for none.

    Data
    ----
    y : array of shape (n, K)
        The responses.

    References
    ----------
    Obozinski, Taskar & Jordan (2010), Joint covariate selection and joint subspace selection for multiple
    classification problems, Statistics and Computing 20.
    """

    _loss = "multigaussian"

    @lazy_on_dask
    def predict(self, X: Any) -> Float:
        """Predict ``X @ coef_.T + intercept_``.

        Returns
        -------
        ndarray of shape (m, K)
            The predicted responses of each sample.
        """
        return self._links(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = False
        tags.target_tags.multi_output = True
        return tags

    def _check_target(self, y: Any) -> Float:
        refuse_text("y", np.asarray(y))
        target = check_array(y, dtype=np.float64, order="F", ensure_2d=False, input_name="y")
        if target.ndim != 2:
            raise ValueError(
                f"y must be 2-D, samples x tasks, got shape {target.shape}. For mono-task outputs, use "
                f"{type(self).__name__.removeprefix('MultiTask')}"
            )
        return np.asarray(target)

    def _shaped(self, coef: Float, intercept: Float) -> tuple[Float, Any]:
        return coef, intercept


class _Norms:
    """The lasso on several responses.

    Objective
    ---------
    Minimises, with sample weights w (ones by default), for n x K responses Y and b_j the K coefficients of
    feature j,

        (1 / (2 Σw)) Σ_i w_i ‖y_i - b0 - B'x_i‖₂² + alpha Σ_j pf_j ‖b_j‖₂,

    which at the same `alpha` is what `sklearn.linear_model.MultiTaskLasso` minimises. A feature enters for
    all responses or for none.

    References
    ----------
    Yuan & Lin (2006), Model selection and estimation in regression with grouped variables, JRSS B 68(1).
    """


@declared
class MultiTaskElasticNet(
    _MultiTask, AtAlpha, Sweeps, Randomness, Copying, Running, WarmStart, Linear, Mixing, Strength
):
    """Linear regression of several responses on the same few features, certified by its duality gap.

    Parameters
    ----------
    l1_ratio : float
        From 0 (ridge) to 1 (the norm of each feature's coefficients alone).

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

    l1_ratio: float = 0.5


@declared
class MultiTaskLasso(_Norms, MultiTaskElasticNet):
    """Linear regression of several responses with an L1/L2 penalty, certified by its duality gap.

    Examples
    --------
    >>> import riata
    >>> model = riata.MultiTaskLasso(alpha=0.1).fit([[0, 0], [1, 1], [2, 2.5]], [[0, 0], [1, 1], [2, 3]])
    >>> bool(model.relative_gap_ <= model.tol)
    True
    """

    l1_ratio: float = field(default=1.0, init=False)


@declared
class MultiTaskElasticNetCV(_MultiTask, ByError, Randomness, Copying, RunningJobs, Linear, Search, Mixtures):
    """Linear regression of several responses on the same few features, chosen by cross-validation.

    Attributes
    ----------
    l1_ratio_ : float
        The `l1_ratio` of the final fit.
    alphas_ : ndarray of shape (L,), or (R, L) where each of R > 1 values of `l1_ratio` has a grid of its own
        The grid, decreasing.
    mse_path_ : ndarray of shape (L, F), or (R, L, F) for R > 1 values of `l1_ratio`
        Mean squared error at each alpha on each of F held-out folds, the mean over responses.
    coef_path_ : list of K scipy.sparse.csc_array of shape (p, L)
        Coefficients of the final fit along its path.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> Y = X[:, [0, 7]] @ [[3, 1], [-2, 1]] + 0.1 * rng.standard_normal((50, 2))
    >>> model = riata.MultiTaskElasticNetCV(l1_ratio=[0.5, 1.0], alpha_rule="1se").fit(X, Y)
    >>> model.l1_ratio_
    1.0
    """

    l1_ratio: float | ArrayLike = 0.5


@declared
class MultiTaskLassoCV(_Norms, MultiTaskElasticNetCV):
    """Linear regression of several responses with an L1/L2 penalty chosen by cross-validation.

    Attributes
    ----------
    l1_ratio_ : float
        1.0, that of the lasso.
    alphas_ : ndarray of shape (L,)
        The grid, decreasing.
    mse_path_ : ndarray of shape (L, F)
        Mean squared error at each alpha on each of F held-out folds, the mean over responses.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> Y = X[:, [0, 7]] @ [[3, 1], [-2, 1]] + 0.1 * rng.standard_normal((50, 2))
    >>> riata.MultiTaskLassoCV(alpha_rule="1se").fit(X, Y).get_support(indices=True)
    array([0, 7])
    """

    l1_ratio: float | ArrayLike = field(default=1.0, init=False)
