"""The knockoff filter as a selector of scikit-learn."""

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
from riata.selection.knockoff_result import KnockoffSelected
from riata.selection.knockoff_selection import CV, PATIENCE, TOL, knockoff_selection, select

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["KnockoffSelector"]

#: Parameters that say what is done with the fits.
OF_THE_FILTER = (
    "fdr", "knockoffs", "groups", "statistic", "knockoff_offset", "n_draws", "cv", "scoring", "alpha_rule",
    "patience", "check", "random_state",
)  # fmt: skip


class _AsTheFunction(ItemSelector):
    """Parameters mean what they mean to `riata.knockoff_selection`."""

    __doc__ = knockoff_selection.__doc__

    result_: KnockoffSelected
    W_: Float
    threshold_: float
    q_values_: Float


@declared
class KnockoffSelector(_AsTheFunction):
    """Select as many features as possible at a false discovery rate, by the knockoff filter.

    A selector for pipelines: see `riata.knockoff_selection` for what is fitted to the features and their
    knockoffs, and what the rate means. `transform` keeps all features of a selected group, and drops features
    that are unpenalised, which are not selected from.

    Parameters
    ----------
    memory : int or str
        Bytes, or a size such as "4G", that the fits may hold beside X and its knockoffs.
    n_threads : int
        Default: every available core. The result does not depend on it.

    Attributes
    ----------
    result_ : KnockoffSelected
        Everything found.
    W_ : ndarray of shape (G,)
        Statistic of each feature, or group: positive where it does better than its knockoff.
    threshold_ : float
        The least W that is selected, of several draws the least e-value; infinite for none.
    q_values_ : ndarray of shape (G,)
        The least fdr at which each would be selected.

    Absent
    ------
    coef_, sparse_coef_, intercept_ : of a linear model
        There is none.

    References
    ----------
    Candès, Fan, Janson & Lv (2018), Panning for gold: model-X knockoffs for high dimensional controlled
    variable selection, J. R. Statist. Soc. B 80.

    Examples
    --------
    Knockoffs of independent features are new draws:

    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(4)
    >>> X, made = rng.standard_normal((2, 200, 100))
    >>> y = np.where(X[:, :12].sum(axis=1) + 0.5 * rng.standard_normal(200) > 0, "case", "control")
    >>> selector = riata.KnockoffSelector(loss="binomial", knockoffs=made).fit(X, y)
    >>> selector.get_support(indices=True), selector.transform(X).shape
    (array([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11]), (200, 12))
    """

    fdr: float = 0.1
    knockoffs: Any = "auto"
    groups: Any = None
    statistic: str = "coef_difference"
    knockoff_offset: int = 1
    n_draws: int = 1
    cv: Any = CV
    scoring: str | None = None
    alpha_rule: str = "min"
    patience: int | None = PATIENCE
    check: bool = True
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
        """Fit the features beside their knockoffs, and select.

        Parameters
        ----------
        X : array, memory map, SciPy sparse matrix, DataFrame, Arrow table, AnnData or Genotypes, shape (n, p)
            float64, float32 and int8 arrays and SciPy CSC are read where they are.
        y : array of shape (n,)
            The response, as the loss takes it.
        sample_weight : array of shape (n,), optional
            Non-negative. A sample of weight zero is as good as absent.
        offset : array of shape (n,), optional
            Added to the linear predictor.
        blocks : array of shape (n,), optional
            Labels of samples that stay together in one fold.

        Returns
        -------
        self : object
            This selector, fitted.
        """
        asked = read_given(
            "KnockoffSelector",
            {**self._of_fits(), "sample_weight": sample_weight, "offset": offset},
            stop_early=self.statistic == "entry",
        )
        read = partial(self._read, asked, X, y, sample_weight, offset, blocks)
        found = select(
            asked, read, X, y, names_beside(asked.loss, y, offset), blocks=blocks,
            **{name: getattr(self, name) for name in OF_THE_FILTER},
        )  # fmt: skip
        self._keep(found)
        self.W_ = found.W
        self.threshold_ = found.threshold
        self.q_values_ = found.q_values
        return self
