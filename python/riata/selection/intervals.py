"""Intervals for effects of a sparse model, as `debiased_lasso` returns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.validation import Float

__all__ = ["Intervals"]


@dataclass(frozen=True)
class Intervals:
    """Effects of some features with intervals and p-values, corrected for the lasso's bias.

    Parameters
    ----------
    features : ndarray of int, shape (m,)
        The features asked about.
    names : list of str
        What they are called.
    coef : ndarray of shape (m,)
        The corrected coefficients, on the original scale.
    lasso : ndarray of shape (m,)
        The coefficients of the lasso that they correct.
    se : ndarray of shape (m,)
        Standard errors.
    lower, upper : ndarray of shape (m,)
        Ends of the intervals.
    p_values : ndarray of shape (m,)
        Two-sided p-values of no effect, each by itself: not adjusted for how many there are.
    level : float
        The level asked for.
    adjust : {"none", "fcr", "bonferroni"}
        What it was adjusted for.
    level_each : float
        The level of each interval by itself.
    alpha : float
        The penalty of the lasso.
    n_active : int
        Active features of the lasso.
    slope : float
        By what the lasso's coefficients were multiplied, so that held-out samples bear out what it predicts.
        1 for least squares.
    stretch : float
        By what corrected coefficients and errors were multiplied for effects that the lasso has not found. 1
        but for classes.
    bias, noise : ndarray of shape (m,)
        Of each nodewise regression, the largest product of its residual with a column of unit spread, and the
        size of the residual over its product with the feature: what bounds the bias and makes the error.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 300))
    >>> y = X[:, 4] + rng.standard_normal(200)
    >>> found = riata.debiased_lasso(X, y, features=[4, 9])
    >>> bool(found.lower[0] < 1.0 < found.upper[0]), bool(found.p_values[0] < 1e-10)
    (True, True)
    """

    features: NDArray[np.int64]
    names: list[str]
    coef: Float
    lasso: Float
    se: Float
    lower: Float
    upper: Float
    p_values: Float
    level: float
    adjust: str
    level_each: float
    alpha: float
    n_active: int
    slope: float
    stretch: float
    bias: Float
    noise: Float

    def __len__(self) -> int:
        return len(self.features)

    def to_frame(self) -> Any:
        """Return coefficient, standard error, interval and p-value as a pandas table, by feature."""
        import pandas as pd

        names = ("coef", "se", "lower", "upper", "p_values", "lasso")
        columns = {name.replace("p_values", "p_value"): getattr(self, name) for name in names}
        return pd.DataFrame(columns, index=pd.Index(self.names, name="feature"))
