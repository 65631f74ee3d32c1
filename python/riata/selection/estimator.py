"""Stability selection as a selector of scikit-learn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from riata._input.validation import Float
from riata.estimators._params import declared
from riata.losses import Loss
from riata.path.fit import names_beside
from riata.path.given import read_given
from riata.penalties import Penalty
from riata.selection.item_selector import ItemSelector
from riata.selection.plan import StabilityPlan
from riata.selection.result import StabilitySelected
from riata.selection.stability import TOL, select, stability_selection

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["StabilitySelection"]

#: Parameters that say what is done with the halves.
OF_HALVES = ("pfer", "threshold", "q", "n_pairs", "bound", "groups", "p_values", "stop_early", "random_state")


class _AsTheFunction(ItemSelector):
    """Parameters mean what they mean to `riata.stability_selection`."""

    __doc__ = stability_selection.__doc__

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
        asked = read_given(
            "StabilitySelection", {**self._of_fits(), "sample_weight": sample_weight, "offset": offset}
        )
        read = partial(self._read, asked, X, y, sample_weight, offset, blocks)
        found = select(
            asked, read, names_beside(asked.loss, y, offset), blocks=blocks,
            **{name: getattr(self, name) for name in OF_HALVES},
        )  # fmt: skip
        self._keep(found)
        self.plan_ = found.plan
        self.frequency_ = found.frequency
        if found.p_values is not None:
            self.p_values_ = found.p_values
        return self
