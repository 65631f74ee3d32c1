"""The univariate-guided lasso as scikit-learn estimators."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from riata import penalties
from riata.estimators._params import Linear, Running, RunningJobs, Search, Strength, declared
from riata.estimators.linear import AtAlpha, ByFolds, OneResponse
from riata.penalties import Penalty

__all__ = ["UniLasso", "UniLassoCV"]


@declared
class _Alone:
    """Where the models of each feature alone come from.

    Parameters
    ----------
    univariate : array of shape (p,), dict or Series by feature name
        Slopes b_j from other samples, NaN or 0 for features to leave out. Default: those of X and y.
    """

    univariate: ArrayLike | None = None


class _Guided(OneResponse):
    """A lasso of one-feature predictions.

    Parameters
    ----------
    alpha : float
        Strength of the penalty, > 0.
    standardize : bool
        Without effect: the scale of a feature is of no account.
    penalty_factor : array of shape (p,), dict or Series by feature name
        What the penalty of each feature is multiplied by, pf: 0 leaves it unpenalised and unguided, infinity
        leaves it out. Default: 1 for all.

    Attributes
    ----------
    dual_gap_, relative_gap_ : float
        Duality gap of the lasso of one-feature predictions, and the same on the scale of `tol`.

    Objective
    ---------
    With slopes b_j and intercepts a_j of the regressions of y on each feature alone, and z_ij what such a
    regression predicts for sample i when i is left out of it, minimises over t_j >= 0, with sample weights w
    (ones by default),

        (1 / (2 Σw)) Σ_i w_i (y_i - t0 - Σ_j t_j z_ij)² + alpha Σ_j pf_j t_j,

    and returns the coefficients b_j t_j. With slopes from other samples z_ij is ``b_j x_ij``. No coefficient
    has another sign than its feature has alone. For other losses use `riata.fit_path` with
    `riata.penalties.UniLasso`.

    References
    ----------
    Chatterjee, Hastie & Tibshirani (2025), Univariate-guided sparse regression, arXiv 2501.18360.
    """

    univariate: Any

    def _penalty(self, l1_ratio: Any) -> Penalty:
        return penalties.UniLasso(self.univariate)


class _OneByOne(ByFolds):
    """Folds that have models of each feature alone of their own.

    Notes
    -----
    Every fold fits the models of each feature alone to its own training samples, and so the folds are fitted
    one after the other. No row is copied.
    """


@declared
class UniLasso(_Guided, AtAlpha, Running, Linear, _Alone, Strength):
    """Linear regression by the univariate-guided lasso: sparser than the lasso, with signs one can explain.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7]
    >>> riata.UniLasso(alpha=2.0).fit(X, y).get_support(indices=True)
    array([0, 7])
    """


@declared
class UniLassoCV(_Guided, _OneByOne, RunningJobs, Linear, Search, _Alone):
    """Linear regression by the univariate-guided lasso, its strength chosen by cross-validation.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + rng.standard_normal(50)
    >>> riata.UniLassoCV(alpha_rule="1se").fit(X, y).get_support(indices=True)
    array([0, 7])
    """
