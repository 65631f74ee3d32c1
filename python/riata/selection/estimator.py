"""Stability selection as a selector of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted, column_or_1d

from riata._input.validation import Float, check_offset
from riata.estimators._params import declared
from riata.estimators._selector import SparseSelector
from riata.losses import Loss
from riata.path.fit import names_beside
from riata.path.fit_warnings import warn_if_constant
from riata.path.given import Problem, read_given
from riata.penalties import Penalty
from riata.selection.plan import StabilityPlan
from riata.selection.result import StabilitySelected
from riata.selection.stability import TOL, select, stability_selection

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["StabilitySelection"]

#: Parameters of the selector that go to the fits of the halves, and those that say what is done with them.
OF_FITS = (
    "loss", "penalty", "l1_ratio", "standardize", "penalty_factor", "lower", "upper", "exclude", "tol",
    "impute", "memory", "n_threads",
)  # fmt: skip
OF_HALVES = ("pfer", "threshold", "q", "n_pairs", "bound", "groups", "p_values", "stop_early", "random_state")


class _AsTheFunction(SparseSelector):
    """Parameters mean what they mean to `riata.stability_selection`."""

    __doc__ = stability_selection.__doc__

    _fitted = "result_"

    result_: StabilitySelected
    plan_: StabilityPlan
    frequency_: Float


@declared
class StabilitySelection(_AsTheFunction):
    """Select the features that come back when half the samples are used, with a bound on the false ones.

    A selector for pipelines: see `riata.stability_selection` for what is fitted to each half of the samples,
    and what the error rate means. `transform` keeps all features of a selected group, and drops features that
    are unpenalised, which are not selected from.

    Parameters
    ----------
    memory : int or str
        Bytes, or a size such as "4G", that halves fitted together may hold beside X.
    n_threads : int
        Default: every available core. The result does not depend on it.

    Attributes
    ----------
    result_ : StabilitySelected
        Everything found.
    frequency_ : ndarray of shape (G,)
        Share of the halves that selected each feature, or group.
    plan_ : StabilityPlan
        q, threshold and error rate.
    p_values_ : ndarray of shape (G,)
        Only with `p_values`.

    Absent
    ------
    coef_, sparse_coef_, intercept_ : of a linear model
        There is none.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((120, 300))
    >>> y = np.where(2 * X[:, 4] - 2 * X[:, 9] + rng.standard_normal(120) > 0, "case", "control")
    >>> selector = riata.StabilitySelection(loss="binomial").fit(X, y)
    >>> selector.get_support(indices=True), selector.transform(X).shape
    (array([4, 9]), (120, 2))
    """

    pfer: float | None = None
    threshold: float | None = None
    q: int | None = None
    n_pairs: int = 50
    bound: str = "r-concave"
    groups: Any = None
    p_values: bool = False
    stop_early: bool = False
    loss: str | Loss = "gaussian"
    penalty: Penalty | None = None
    l1_ratio: float = 1.0
    standardize: bool = True
    penalty_factor: Any = None
    lower: Any = None
    upper: Any = None
    exclude: Any = None
    tol: float = TOL
    impute: str | None = None
    memory: int | str | None = None
    n_threads: int | None = None
    random_state: Any = 0

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        blocks: ArrayLike | None = None,
    ) -> Self:
        """Fit the halves, and select.

        Parameters
        ----------
        X : array, memory map, SciPy sparse matrix, DataFrame, Arrow table, AnnData or Genotypes, shape (n, p)
            float64, float32 and int8 arrays and SciPy CSC are read where they are.
        y : array of shape (n,)
            The response, as the loss takes it.
        sample_weight : array of shape (n,), optional
            Non-negative. A sample of weight zero is in no half.
        offset : array of shape (n,), optional
            Added to the linear predictor.
        blocks : array of shape (n,), optional
            Labels of samples that stay together in one half.

        Returns
        -------
        self : object
            This selector, fitted.
        """
        given = {name: getattr(self, name) for name in OF_FITS}
        asked = read_given("StabilitySelection", {**given, "sample_weight": sample_weight, "offset": offset})
        loss = asked.loss

        def read() -> Problem:
            design, values, weights = self._check_fit_input(X, y, sample_weight, offset=offset, blocks=blocks)
            if self.impute is not None:
                design = asked.view(X)
            if not loss.several_outputs and not loss.has_times:
                values = column_or_1d(values, warn=True)
            target, labels = loss.check_target(values, design.n_samples, weights)
            shift = check_offset(offset, design.n_samples, target.shape[1:])
            warn_if_constant(target, weights, shift, asked.options, stacklevel=5)
            return Problem(design, target, labels, weights, shift, asked.features(design))

        self.result_ = select(
            asked, read, names_beside(loss, y, offset), blocks=blocks,
            **{name: getattr(self, name) for name in OF_HALVES},
        )  # fmt: skip
        del self._genotypes
        self.plan_ = self.result_.plan
        self.frequency_ = self.result_.frequency
        if self.result_.p_values is not None:
            self.p_values_ = self.result_.p_values
        if self.result_.variants is not None:
            self.variants_ = self.result_.variants
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.impute is not None
        return tags

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self, self._fitted)
        return np.isin(self.result_.of_feature, self.result_.selected)
