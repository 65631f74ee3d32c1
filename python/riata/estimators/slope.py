"""The sorted L1 norm as scikit-learn estimators."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from riata import penalties
from riata.estimators._params import Linear, Running, RunningJobs, Search, Strength, declared, parameter
from riata.estimators.linear import AtAlpha, ByError, OneResponse
from riata.penalties import Penalty

__all__ = ["SLOPE", "SLOPECV"]


@declared
class _Ranks:
    q: float = parameter(
        "float",
        """In (0, 1), the rate of false discoveries aimed at: lambda_i is the normal quantile at ``1 - i q /
        (2 m)`` for the i-th of m penalised features.""",
        default=0.1,
    )
    weights: ArrayLike | None = parameter(
        "array-like of shape (p,)",
        "Other lambda_i, in decreasing order, >= 0; the first m are used. Default: those of `q`.",
        default=None,
    )


class _Sorted(OneResponse):
    """A sorted L1 norm.

    Parameters
    ----------
    alpha : float
        Strength of the penalty, > 0. With the weights of `q` and columns of unit standard deviation,
        sigma / sqrt(n) is the choice for noise of standard deviation sigma.
    penalty_factor : array of shape (p,), dict or Series by feature name
        0 leaves a feature unpenalised, infinity leaves it out; otherwise 1, the default for all.
    solver : {"auto", "cd", "prox"}
        "prox" is accelerated proximal gradient. All fit the same model.

    Objective
    ---------
    Minimises, with sample weights w (ones by default) and |b|_(1) >= |b|_(2) >= ...,

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)² + alpha Σ_i lambda_i |b|_(i).

    Larger coefficients are penalised more, which on orthogonal columns controls the false discovery rate, and
    those of correlated features come out equal. For other losses use `riata.fit_path` with
    `riata.penalties.SLOPE`.

    References
    ----------
    Bogdan, van den Berg, Sabatti, Su & Candès (2015), SLOPE: adaptive variable selection via convex
    optimization, Annals of Applied Statistics 9.
    """

    q: Any
    weights: Any

    def _penalty(self, l1_ratio: Any) -> Penalty:
        return penalties.SLOPE(q=self.q, weights=self.weights)


@declared
class SLOPE(_Sorted, AtAlpha, Running, Linear, _Ranks, Strength):
    """Linear regression with the sorted L1 norm, certified by its duality gap.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.5 * rng.standard_normal(50)
    >>> riata.SLOPE(alpha=0.5 / 50**0.5, q=0.05).fit(X, y).get_support(indices=True)
    array([0, 7])
    """


@declared
class SLOPECV(_Sorted, ByError, RunningJobs, Linear, Search, _Ranks):
    """Linear regression with the sorted L1 norm, its strength chosen by cross-validation.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + rng.standard_normal(50)
    >>> riata.SLOPECV(alpha_rule="1se").fit(X, y).get_support(indices=True)
    array([0, 7])
    """
