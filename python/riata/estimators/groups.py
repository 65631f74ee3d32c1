"""Group lasso and sparse group lasso as scikit-learn estimators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from riata import penalties
from riata.estimators._params import Linear, Running, RunningJobs, Search, Strength, declared, parameter
from riata.estimators.linear import AtAlpha, ByError, OneResponse
from riata.penalties import Penalty
from riata.penalties._groups import Groups

__all__ = ["GroupLasso", "GroupLassoCV", "SparseGroupLasso", "SparseGroupLassoCV"]


@declared
class _Groups:
    groups: Groups | None = parameter(
        "array-like of shape (p,), mapping, or list of lists",
        """A label for each feature, in any order; or for each label, or in a list of lists, the numbers or
        names of its features, those of no group being groups of their own. Groups may overlap, as gene
        sets do: `coef_` is then the sum of a part for each group, and the penalty that of the parts (see
        `riata.penalties.GroupLasso`). None: every feature by itself, the lasso.""",
        default=None,
        kw_only=False,
    )


@declared
class _Weights:
    weights: str | ArrayLike | Mapping[Any, float] = parameter(
        '"sqrt_size", "ones", array-like or mapping',
        """Weights w_g >= 0: the square root of the group's size, 1, one for each of the sorted labels, or one
        for each label. A group of weight zero is not penalised.""",
        default="sqrt_size",
    )


@declared
class _SquaredShare:
    l2_ratio: float = parameter("float", "Share of the squared norm, from 0 to 1.", default=0.0)


@declared
class _Share:
    l1_ratio: float = parameter(
        "float",
        "Share of the absolute values, from 0 (group lasso) to 1 (lasso).",
        default=0.5,
    )


@declared
class _Shares:
    l1_ratio: float | ArrayLike = parameter(
        "float or sequence of float",
        """Share of the absolute values, from 0 (group lasso) to 1 (lasso). Of several values all are tried,
        and the one with the best mean score is taken.""",
        default=0.5,
    )


class _ByGroup(OneResponse):
    """What penalties of groups share.

    Parameters
    ----------
    penalty_factor : array of shape (p,), dict or Series by feature name
        0 leaves a feature unpenalised, infinity leaves it out; otherwise 1, the default for all.
    solver : {"auto", "cd", "prox"}
        "cd" is descent group by group and "prox" accelerated proximal gradient. Both fit the same model.
    """

    groups: Any
    weights: Any


class _Grouped(_ByGroup):
    """A group lasso.

    Objective
    ---------
    Minimises, with sample weights w (ones by default) and b_g the coefficients of group g,

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)²
            + alpha Σ_g w_g ((1 - l2_ratio) ‖b_g‖₂ + l2_ratio/2 ‖b_g‖₂²).

    For other losses use `riata.fit_path` with `riata.penalties.GroupLasso`.

    References
    ----------
    Yuan & Lin (2006), Model selection and estimation in regression with grouped variables, JRSS B 68.
    """

    l2_ratio: Any

    def _penalty(self, l1_ratio: Any) -> Penalty:
        return penalties.GroupLasso(self.groups, weights=self.weights, l2_ratio=self.l2_ratio)


class _SparseGrouped(_ByGroup):
    """A sparse group lasso.

    Objective
    ---------
    Minimises, with sample weights w (ones by default) and b_g the coefficients of group g,

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)²
            + alpha (l1_ratio ‖b‖₁ + (1 - l1_ratio) Σ_g w_g ‖b_g‖₂).

    For other losses use `riata.fit_path` with `riata.penalties.SparseGroupLasso`.

    References
    ----------
    Simon, Friedman, Hastie & Tibshirani (2013), A sparse-group lasso, Journal of Computational and Graphical
    Statistics 22.
    """

    _ridge_at_zero = False

    def _penalty(self, l1_ratio: Any) -> Penalty:
        return penalties.SparseGroupLasso(self.groups, l1_ratio=l1_ratio, weights=self.weights)


@declared
class GroupLasso(_Grouped, AtAlpha, Running, Linear, _SquaredShare, _Weights, Strength, _Groups):
    """Linear regression with a group lasso penalty, certified by its duality gap: groups enter whole.

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


@declared
class SparseGroupLasso(_SparseGrouped, AtAlpha, Running, Linear, _Weights, _Share, Strength, _Groups):
    """Linear regression with few groups and few features in each, certified by its duality gap.

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


@declared
class GroupLassoCV(_Grouped, ByError, RunningJobs, Linear, Search, _SquaredShare, _Weights, _Groups):
    """Linear regression with a group lasso penalty chosen by cross-validation: groups enter whole.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(1)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 2] + rng.standard_normal(50)
    >>> model = riata.GroupLassoCV(np.arange(100) // 4, alpha_rule="1se").fit(X, y)
    >>> model.get_support(indices=True)
    array([0, 1, 2, 3])
    """


@declared
class SparseGroupLassoCV(_SparseGrouped, ByError, RunningJobs, Linear, Search, _Weights, _Shares, _Groups):
    """Linear regression with few groups and few features in each, chosen by cross-validation.

    Attributes
    ----------
    l1_ratio_ : float
        The `l1_ratio` of the final fit.
    alphas_ : ndarray of shape (L,), or (R, L) for a sequence of R values of `l1_ratio`
        The grid, decreasing.
    mse_path_ : ndarray of shape (L, F), or (R, L, F)
        Mean squared error at each alpha on each of F held-out folds.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 2] + 0.1 * rng.standard_normal(50)
    >>> model = riata.SparseGroupLassoCV(np.arange(100) // 4, l1_ratio=0.9, alpha_rule="1se").fit(X, y)
    >>> model.get_support(indices=True)
    array([0, 2])
    """
