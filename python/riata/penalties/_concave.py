"""Penalties that leave large coefficients as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from riata._input.features import Names
from riata._input.validation import Float, check_real
from riata.penalties._penalty import Penalty, Structure


@dataclass(frozen=True, slots=True)
class MCP(Penalty):
    """The minimax concave penalty: like ``alpha |b_j|`` at zero, flat from ``gamma * alpha`` on.

    ``alpha |b| - b²/(2 gamma)`` up to there, with alpha times the penalty factor in the place of alpha. Large
    coefficients are not shrunk. The problem is not convex: fits go down the path from zero, each starting
    from the one before, and end where the optimality conditions hold (``certificate == "kkt"``);
    `locally_convex` tells at which alphas the objective is strictly convex in the active features.

    Parameters
    ----------
    gamma : float, default=3.0
        Above 1. Small values are close to best-subset selection, large ones to the lasso. On columns of unit
        standard deviation.

    References
    ----------
    Zhang (2010), Nearly unbiased variable selection under minimax concave penalty, Annals of Statistics 38.
    Breheny & Huang (2011), Coordinate descent algorithms for nonconvex penalized regression, Annals of
    Applied Statistics 5.

    Examples
    --------
    >>> import riata
    >>> riata.penalties.MCP()
    MCP(gamma=3.0)
    """

    gamma: float = 3.0

    kind: ClassVar[str] = "mcp"
    certificate: ClassVar[str] = "kkt"

    def __post_init__(self) -> None:
        check_real("gamma", self.gamma, above=1.0)

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        return Structure({"gamma": float(self.gamma)})


@dataclass(frozen=True, slots=True)
class SCAD(Penalty):
    """The smoothly clipped absolute deviation: ``alpha |b_j|`` up to alpha, flat from ``gamma * alpha`` on.

    In between its slope falls linearly. As for `MCP`, large coefficients are not shrunk and the problem is
    not convex.

    Parameters
    ----------
    gamma : float, default=3.7
        Above 2; large values are close to the lasso.

    References
    ----------
    Fan & Li (2001), Variable selection via nonconcave penalized likelihood and its oracle properties, Journal
    of the American Statistical Association 96.

    Examples
    --------
    >>> import riata
    >>> riata.penalties.SCAD()
    SCAD(gamma=3.7)
    """

    gamma: float = 3.7

    kind: ClassVar[str] = "scad"
    certificate: ClassVar[str] = "kkt"

    def __post_init__(self) -> None:
        check_real("gamma", self.gamma, above=2.0)

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        return Structure({"gamma": float(self.gamma)})
