"""Sparse Poisson regression as scikit-learn estimators."""

from __future__ import annotations

from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from sklearn.base import RegressorMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import column_or_1d

from riata._input.alignment import check_rows_named_alike
from riata._input.responses import check_poisson_target
from riata._input.validation import Float, check_offset, check_weights, refuse_text
from riata.estimators._base import ChoiceWithOffset, FitWithOffset, Problem, SparseLinearModel
from riata.estimators._params import (
    BoundedLinear,
    Jobs,
    Mixing,
    Mixtures,
    Randomness,
    Running,
    ScoredSearch,
    Strength,
    WarmStart,
    declared,
)
from riata.estimators._selector import lazy_on_dask
from riata.losses import Poisson
from riata.losses._scores import poisson_deviance
from riata.path.arguments import Options

__all__ = ["SparsePoissonRegressor", "SparsePoissonRegressorCV"]


class _Counts(RegressorMixin, SparseLinearModel):  # type: ignore[misc]
    """Checks, prediction and score common to the Poisson estimators.

    Attributes
    ----------
    has_offset_ : bool
        Whether `fit` was given an offset.

    Objective
    ---------
    Minimises, for counts y >= 0, means mu_i = exp(b0 + x_i·b + offset_i) and weights w (ones by default),
    half the mean deviance plus the penalty,

        (1 / Σw) Σ_i w_i (mu_i - y_i - y_i log(mu_i / y_i))
            + alpha Σ_j pf_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j²)   with lower <= b <= upper.

    Data
    ----
    y : array of shape (n,)
        Counts, or any numbers >= 0 that are not all 0.
    offset : array of shape (n,)
        Added to the linear predictor: for counts over unequal times, areas or populations the log of these.
        Rates, count over exposure, with the exposures as `sample_weight` give the same fit, but for the
        factor that the mean exposure is in `alpha`.

    References
    ----------
    Friedman, Hastie & Tibshirani (2010), Regularization paths for generalized linear models via coordinate
    descent, J. Statistical Software 33.
    """

    _loss = "poisson"

    @lazy_on_dask
    def predict(self, X: Any, offset: ArrayLike | None = None) -> Float:
        """Predict the mean count, ``exp(X @ coef_ + intercept_ + offset)``.

        Parameters
        ----------
        offset : array of shape (m,) or float
            Added to the linear predictor; needed when `fit` was given one. 0 predicts without: rates for one
            unit of exposure.

        Returns
        -------
        ndarray of shape (m,)
            Means, > 0.
        """
        return Poisson().mean(self._shifted_links(X, offset)[0][:, 0])

    def score(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> float:
        """Return D², the share of the Poisson deviance explained, as scikit-learn's `PoissonRegressor` does.

        Returns
        -------
        float
            1 for a perfect fit, 0 for one as good as the mean of `y` (with an offset, as the mean rate),
            negative for worse. Where that mean is perfect, 1 for a perfect fit and 0 for any other.
        """
        check_rows_named_alike(X, y=y, sample_weight=sample_weight)
        links, given = self._shifted_links(X, offset)
        link, shift = links[:, 0], np.zeros(len(links)) if given is None else given
        weights = check_weights(sample_weight, len(link))
        counts = check_poisson_target(column_or_1d(y, warn=True), len(link), weights)
        exposure = logsumexp(shift, b=weights) - np.log(weights.sum())
        centre = (shift - exposure + np.log(np.average(counts, weights=weights)))[:, None]
        deviance = float(poisson_deviance(counts, link[:, None], weights)[0])
        null = float(poisson_deviance(counts, centre, weights)[0])
        if null <= 1e-15 * counts.max():
            return 1.0 if deviance <= 1e-15 * counts.max() else 0.0
        return 1.0 - deviance / null

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags

    def _check_data(
        self, X: Any, y: Any, sample_weight: Any, options: Options, offset: Any = None, **beside: Any
    ) -> Problem:
        design, given, weights = self._check_fit_input(X, y, sample_weight, offset=offset)
        plain = type(given) is np.ndarray and given.ndim == 1
        counts = given if plain else column_or_1d(given, warn=True)
        if counts.dtype.kind not in "fiubO":
            raise TypeError(f"y must hold numbers, got values of type {counts.dtype}")
        refuse_text("y", counts)
        counts = np.ascontiguousarray(counts, dtype=np.float64)
        assert_all_finite(counts, input_name="y")
        target = check_poisson_target(counts, design.n_samples, weights)
        shift = check_offset(offset, design.n_samples)
        self.has_offset_ = shift is not None
        return Problem((X, y), design, target, weights, shift)


@declared
class SparsePoissonRegressor(
    FitWithOffset, _Counts, Randomness, Jobs, Running, WarmStart, BoundedLinear, Mixing, Strength
):
    """Poisson regression with an elastic-net penalty, certified by its duality gap.

    Parameters
    ----------
    alpha : float
        Strength of the penalty, > 0. With ``l1_ratio=0`` that of scikit-learn's `PoissonRegressor`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> y = rng.poisson(np.exp(1 + X[:, 3]))
    >>> model = riata.SparsePoissonRegressor(alpha=1.5).fit(X, y)
    >>> model.get_support(indices=True)
    array([3])
    >>> bool(model.predict(X).min() > 0)
    True
    """

    alpha: float = field(default=0.01, kw_only=False)


@declared
class SparsePoissonRegressorCV(
    ChoiceWithOffset, _Counts, Randomness, Jobs, Running, BoundedLinear, Mixtures, ScoredSearch
):
    """Poisson regression with an elastic-net penalty chosen by cross-validation.

    Parameters
    ----------
    scoring : {"deviance", "mse", "mae"}
        What the held-out folds are scored by; errors are those of the mean. Default: "deviance".

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> y = rng.poisson(np.exp(1 + X[:, 3]))
    >>> model = riata.SparsePoissonRegressorCV(alpha_rule="1se").fit(X, y)
    >>> model.get_support(indices=True)
    array([3])
    """

    eps: float | None = None
