"""Intervals of the debiased lasso as a selector of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted, column_or_1d

from riata.estimators._params import declared
from riata.estimators._selector import SparseSelector, checked_table
from riata.losses import Loss
from riata.selection.debiased import debiased_lasso
from riata.selection.intervals import Intervals

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["DebiasedLasso"]

PARAMETERS = (
    "features", "level", "adjust", "robust", "cv", "loss", "fit_intercept", "standardize", "penalty_factor",
    "exclude", "tol", "n_threads", "random_state",
)  # fmt: skip


class _AsTheFunction(SparseSelector):
    """Parameters mean what they mean to `riata.debiased_lasso`."""

    __doc__ = debiased_lasso.__doc__

    _fitted = "result_"

    result_: Intervals


@declared
class DebiasedLasso(_AsTheFunction):
    """Intervals for the effects of features, and a selector of those whose interval leaves out zero.

    See `riata.debiased_lasso` for what is computed, and what the level means.

    Parameters
    ----------
    n_threads : int
        Default: every available core. The result does not depend on it.

    Attributes
    ----------
    result_ : riata.Intervals
        Corrected coefficients with standard errors, intervals and p-values.

    Absent
    ------
    coef_, sparse_coef_, intercept_ : of a linear model
        There is none: corrected coefficients are for reading, and predict worse than those of the lasso.
    variants_ : riata.FittedVariants
        Not kept.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 300))
    >>> y = X[:, 4] - X[:, 9] + rng.standard_normal(200)
    >>> selector = riata.DebiasedLasso().fit(X, y)
    >>> selector.get_support(indices=True)
    array([4, 9])
    """

    features: Any = "selected"
    level: float = 0.95
    adjust: str = "auto"
    robust: bool = False
    cv: Any = 10
    loss: str | Loss = "gaussian"
    fit_intercept: bool = True
    standardize: bool = True
    penalty_factor: Any = None
    exclude: Any = None
    tol: float = 1e-6
    n_threads: int | None = None
    random_state: Any = 0

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Cross-validate the lasso, and correct its coefficients.

        Parameters
        ----------
        sample_weight : array of shape (n,)
            Non-negative; only their proportions matter. Default: 1 for all.
        groups : array of shape (n,)
            Groups of samples, not of features: with an integer `cv` those of one stay together.

        Returns
        -------
        self : object
            This selector, fitted.
        """
        design, values, _ = self._check_fit_input(X, y, sample_weight, offset=offset, groups=groups)
        del self._genotypes
        plain = design.feature_names is None and not hasattr(X, "_design")
        self.result_ = debiased_lasso(
            checked_table(X)[0] if plain else X, column_or_1d(values, warn=True) if plain else y,
            sample_weight=sample_weight, offset=offset, groups=groups,
            **{name: getattr(self, name) for name in PARAMETERS},
        )  # fmt: skip
        return self

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self, self._fitted)
        found = self.result_
        mask = np.zeros(self.n_features_in_, dtype=np.bool_)
        mask[found.features[(found.lower > 0.0) | (found.upper < 0.0)]] = True
        return mask
