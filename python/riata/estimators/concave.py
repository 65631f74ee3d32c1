"""MCP and SCAD as scikit-learn estimators: penalties that leave large coefficients alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from riata import penalties
from riata.estimators._base import Problem
from riata.estimators._params import Linear, Running, RunningJobs, Search, Strength, declared
from riata.estimators.linear import AtAlpha, ByError, OneResponse
from riata.path.cv_result import CVPath
from riata.penalties import Penalty

__all__ = ["MCPRegressor", "MCPRegressorCV", "SCADRegressor", "SCADRegressorCV"]


@declared
class _Shape:
    """How soon the penalty ends."""

    gamma: float = 3.0


@declared
class _LaterShape(_Shape):
    """As recommended for SCAD."""

    gamma: float = 3.7


class _Concave(OneResponse):
    """A penalty that is not convex: where a fit ends depends on where it comes from.

    Parameters
    ----------
    alpha : float
        Slope of the penalty at zero, > 0.
    penalty_factor : array of shape (p,), dict or Series by feature name
        What the alpha of each feature is multiplied by, pf: 0 leaves it unpenalised, infinity leaves the
        feature out. Default: 1 for all.
    tol : float
        Bound on the largest violation of an optimality condition, over alpha.
    solver : {"auto", "cd", "prox"}
        "cd" is coordinate descent and "prox" accelerated proximal gradient. They may end at different points
        that both satisfy the conditions of optimality.

    Attributes
    ----------
    certificate_ : str
        What certifies the fit: "kkt".
    kkt_violation_ : float
        The largest violation of an optimality (Karush-Kuhn-Tucker) condition, over alpha: what `tol` bounds.
        It does not bound the objective, as a duality gap would.
    locally_convex_ : bool
        Whether the objective is strictly convex in the active features, whatever their size: given these
        features, there is no other minimum.

    Absent
    ------
    dual_gap_, relative_gap_, relative_gaps_

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the violation is above `tol` after `max_iter` iterations.
    """

    gamma: Any

    def _keep_fit(self, fit: dict[str, Any], *rest: Any) -> None:
        super()._keep_fit(fit, *rest)
        self.locally_convex_ = bool(fit["locally_convex"][-1])

    def _keep_selected(self, result: CVPath, problem: Problem) -> None:
        super()._keep_selected(result, problem)
        self.locally_convex_ = bool(np.asarray(result.path.locally_convex)[result.position])


class _MinimaxConcave(_Concave):
    """MCP.

    Parameters
    ----------
    gamma : float
        Above 1. Small values are close to best-subset selection, infinity is the lasso. Meant for columns of
        unit standard deviation: see `standardize`.

    Objective
    ---------
    Seeks, with sample weights w (ones by default), a minimum of

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)² + Σ_j P(|b_j|),   l_j = alpha pf_j,
        P(t) = l_j t - t² / (2 gamma) up to t = gamma l_j, and gamma l_j² / 2 from there on.

    References
    ----------
    Zhang (2010), Nearly unbiased variable selection under minimax concave penalty, Annals of Statistics 38.
    Breheny & Huang (2011), Coordinate descent algorithms for nonconvex penalized regression, Annals of
    Applied Statistics 5.
    """

    def _penalty(self, l1_ratio: Any) -> Penalty:
        return penalties.MCP(self.gamma)


class _ClippedDeviation(_Concave):
    """SCAD.

    Parameters
    ----------
    gamma : float
        Above 2; infinity is the lasso. Meant for columns of unit standard deviation: see `standardize`.

    Objective
    ---------
    Seeks, with sample weights w (ones by default), a minimum of

        (1 / (2 Σw)) Σ_i w_i (y_i - b0 - x_i·b)² + Σ_j P(|b_j|),   l_j = alpha pf_j,

    where P has the slope l_j up to |b_j| = l_j, from there on one that falls linearly, and none from
    gamma l_j on.

    References
    ----------
    Fan & Li (2001), Variable selection via nonconcave penalized likelihood and its oracle properties, Journal
    of the American Statistical Association 96.
    """

    def _penalty(self, l1_ratio: Any) -> Penalty:
        return penalties.SCAD(self.gamma)


class _DownThePath(AtAlpha):
    """A fit at one alpha, the end of a path.

    Parameters
    ----------
    max_iter : int
        Most iterations of the solver at each alpha on the way.

    Attributes
    ----------
    n_iter_ : int
        Iterations of the solver at `alpha`.

    Notes
    -----
    The problem is not convex and may have many minima. The fit goes down a path, from the largest alpha at
    which no feature is active (40 alphas for each factor of ten), each point from the last, and ends at
    `alpha` where the conditions of optimality hold to within `tol`. Another way there, such as that of
    `riata.fit_path` or of a cross-validation, may end at another such point: see `locally_convex_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7]
    >>> model = riata.NAME(alpha=0.5).fit(X, y)
    >>> model.coef_[[0, 7]].round(6)
    array([ 3., -2.])
    >>> model.locally_convex_
    True
    """


class _AlongThePath(ByError):
    """A fit chosen from a path.

    Notes
    -----
    The problem is not convex and may have many minima. Every fold goes down the same path as the fit to all
    samples, each alpha from the one before, and the conditions of optimality hold to within `tol` at each.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 100))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> riata.NAME(alpha_rule="1se").fit(X, y).get_support(indices=True)
    array([0, 7])
    """


@declared
class MCPRegressor(_MinimaxConcave, _DownThePath, Running, Linear, _Shape, Strength):
    """Linear regression with the minimax concave penalty, which does not shrink large coefficients."""


@declared
class SCADRegressor(_ClippedDeviation, _DownThePath, Running, Linear, _LaterShape, Strength):
    """Linear regression with the smoothly clipped absolute deviation, which keeps large coefficients."""


@declared
class MCPRegressorCV(_MinimaxConcave, _AlongThePath, RunningJobs, Linear, Search, _Shape):
    """Linear regression with the minimax concave penalty chosen by cross-validation."""


@declared
class SCADRegressorCV(_ClippedDeviation, _AlongThePath, RunningJobs, Linear, Search, _LaterShape):
    """Linear regression with the smoothly clipped absolute deviation chosen by cross-validation."""
