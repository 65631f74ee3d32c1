"""The sorted L1 norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from riata._input.features import Names
from riata._input.validation import Float, check_real, check_vector
from riata.penalties._penalty import Penalty, Structure


@dataclass(frozen=True, slots=True, eq=False)
class SLOPE(Penalty):
    """The sorted L1 norm, ``alpha * sum_i w_i |b|_(i)`` with ``|b|_(1) >= |b|_(2) >= ...``.

    Larger coefficients are penalised more, which on orthogonal columns controls the false discovery rate, and
    those of correlated features come out equal. Equal weights give the lasso.

    Parameters
    ----------
    q : float, default=0.1
        In (0, 1): the weights are those of Benjamini & Hochberg's procedure at level q, the normal quantiles
        at ``1 - i q / (2 m)`` for the i-th of m penalised features. With them and columns of unit standard
        deviation, alpha = sigma / sqrt(n) is the choice for noise of standard deviation sigma.
    weights : array-like of shape (p,), optional
        Other weights, in decreasing order, >= 0; the first m are used.

    References
    ----------
    Bogdan, van den Berg, Sabatti, Su & Candès (2015), SLOPE: adaptive variable selection via convex
    optimization, Annals of Applied Statistics 9.

    Examples
    --------
    >>> import riata
    >>> riata.penalties.SLOPE(q=0.2)
    SLOPE(q=0.2)
    """

    q: float = 0.1
    weights: ArrayLike | None = None

    kind: ClassVar[str] = "slope"
    ties_features: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_real("q", self.q, above=0.0, below=1.0)

    def __repr__(self) -> str:
        return f"SLOPE(q={self.q!r})" if self.weights is None else "SLOPE(weights=...)"

    @property
    def parameters(self) -> dict[str, float | str]:
        return {"q": float(self.q)} if self.weights is None else {}

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        if self.weights is None:
            from scipy.stats import norm

            count = (
                n_features
                if factor is None
                else max(int(np.count_nonzero((factor > 0) & np.isfinite(factor))), 1)
            )
            rank = np.minimum(np.arange(1, n_features + 1), count)
            return Structure({"sorted_weights": norm.isf(rank * self.q / (2 * count))})
        weights = check_vector("weights", self.weights, n_features, "feature")
        if not (weights >= 0.0).all() or (np.diff(weights) > 0.0).any() or weights[0] == 0.0:
            raise ValueError(
                "weights must be >= 0, in decreasing order and not all zero, "
                f"got {np.array2string(weights, threshold=6)}"
            )
        return Structure({"sorted_weights": weights})
