"""What is to be kept of a fit, beside its coefficients, to say what it minimised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riata._input.validation import Float

if TYPE_CHECKING:
    from riata.path.result import RegularizationPath

__all__ = ["FitPoint", "response_scale"]


@dataclass(frozen=True, slots=True)
class FitPoint:
    """One fit: its penalty, and the scales that conversions need.

    `scale` (p,) is None when not standardised, `penalty_factor` (p,) when all are 1.
    """

    loss: str
    alpha: float
    l1_ratio: float
    grouped: bool
    fit_intercept: bool
    weight_sum: float
    response_scale: float
    scale: Float | None
    penalty_factor: Float | None
    penalty: str = "elastic_net"

    @classmethod
    def of_path(cls, path: RegularizationPath, alpha: float) -> FitPoint:
        """The fit of a path at `alpha`."""
        return cls(
            loss=path.loss,
            alpha=alpha,
            l1_ratio=path.l1_ratio,
            grouped=path.grouped,
            fit_intercept=path.fit_intercept,
            weight_sum=path.weight_sum,
            response_scale=path.response_scale,
            scale=path.scale if path.standardize else None,
            penalty_factor=path.penalty_factor,
            penalty=path.penalty,
        )


def response_scale(y: Float, weights: Float) -> float:
    """Weighted standard deviation (1/n); of several responses the root of the sum of their variances."""
    total = weights.sum()
    return float(np.sqrt(np.sum(weights @ (y - weights @ y / total) ** 2) / total))
