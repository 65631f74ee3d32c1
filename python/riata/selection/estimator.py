"""Stability selection as a selector of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted, column_or_1d

from riata._input.validation import Float, check_offset
from riata.estimators._selector import SparseSelector
from riata.losses import Loss
from riata.path.fit import names_beside
from riata.path.given import Problem, read_given
from riata.selection.plan import StabilityPlan
from riata.selection.result import StabilitySelected
from riata.selection.stability import TOL, select

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["StabilitySelection"]


class StabilitySelection(SparseSelector):
    """Select the features that come back when half the samples are used, with a bound on the false ones.

    A selector for pipelines: see `riata.stability_selection` for what is fitted to each half of the samples,
    and what the error rate means.

    Parameters
    ----------
    pfer : float, optional
        Expected number of false selections (per-family error rate), at most. Of `pfer`, `threshold` and `q`
        two may be given, and the third follows. By default 1, with `threshold` 0.75,
        or down to 0.6 when samples are so few that they, and not `pfer`, limit q.
    threshold : float, optional
        Share of the halves that must select a feature.
    q : int, optional
        Features, or groups, that each half selects, at most.
    n_pairs : int, default=50
        Pairs of halves.
    bound : {"r-concave", "unimodal", "worst"}, default="r-concave"
        The bound on false selections; see `riata.pfer_bound`.
    groups : array-like of shape (p,), mapping, or list of lists, optional
        Disjoint groups of features, which are selected together: `transform` keeps all features of a group.
    p_values : bool, default=False
        Also multi-split p-values, `p_values_`.
    stop_early : bool, default=False
        Stop when the rest of the pairs cannot change what is selected.
    loss : str or Loss, default="gaussian"
        "gaussian", "binomial", "multinomial", "poisson", "huber", "cox" or "multigaussian", or an object of
        `riata.losses`.
    l1_ratio : float, default=1.0
        Above 0, to 1 (lasso).
    standardize : bool, default=True
        Penalise coefficients as on columns of unit standard deviation.
    penalty_factor : array of shape (p,), dict or Series, optional
        Multiplies the penalty of each feature: 0 leaves it unpenalised, infinity leaves it out. Neither is an
        item to select, and `transform` drops both.
    exclude : sequence of feature numbers or names, or boolean mask, optional
        Features to leave out.
    tol : float, default=1e-4
        Bound on the relative duality gap of every fit.
    memory : int or str, optional
        Bytes, or a size such as "4G", that halves fitted together may hold beside X.
    n_threads : int, optional
        Default: every available core. The result does not depend on it.
    random_state : int, RandomState, Generator or None, default=0
        Seed of the halves.

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
    n_features_in_ : int
        p, the number of features.
    feature_names_in_ : ndarray of str, shape (p,)
        Names of the features; only when X has names that are all strings.
    variants_ : riata.FittedVariants
        The variants; only when X holds genotypes.

    References
    ----------
    Meinshausen & Bühlmann (2010), Stability selection, J. R. Statist. Soc. B 72. Shah & Samworth (2013),
    Variable selection with error control: another look at stability selection, J. R. Statist. Soc. B 75.

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

    _fitted = "result_"

    result_: StabilitySelected

    def __init__(
        self,
        *,
        pfer: float | None = None,
        threshold: float | None = None,
        q: int | None = None,
        n_pairs: int = 50,
        bound: str = "r-concave",
        groups: Any = None,
        p_values: bool = False,
        stop_early: bool = False,
        loss: str | Loss = "gaussian",
        l1_ratio: float = 1.0,
        standardize: bool = True,
        penalty_factor: Any = None,
        exclude: Any = None,
        tol: float = TOL,
        memory: int | str | None = None,
        n_threads: int | None = None,
        random_state: Any = 0,
    ) -> None:
        self.pfer = pfer
        self.threshold = threshold
        self.q = q
        self.n_pairs = n_pairs
        self.bound = bound
        self.groups = groups
        self.p_values = p_values
        self.stop_early = stop_early
        self.loss = loss
        self.l1_ratio = l1_ratio
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.exclude = exclude
        self.tol = tol
        self.memory = memory
        self.n_threads = n_threads
        self.random_state = random_state

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
        given = {
            name: getattr(self, name)
            for name in (
                "loss", "l1_ratio", "standardize", "penalty_factor", "exclude", "tol", "memory", "n_threads"
            )
        }  # fmt: skip
        asked = read_given("StabilitySelection", {**given, "sample_weight": sample_weight, "offset": offset})
        loss = asked.loss

        def read() -> Problem:
            design, values, weights = self._check_fit_input(X, y, sample_weight, offset=offset, blocks=blocks)
            if not loss.several_outputs and not loss.has_times:
                values = column_or_1d(values, warn=True)
            target, labels = loss.check_target(values, design.n_samples, weights)
            shift = check_offset(offset, design.n_samples, target.shape[1:])
            return Problem(design, target, labels, weights, shift, asked.features(design))

        names = ("pfer", "threshold", "q", "n_pairs", "bound", "groups", "p_values", "stop_early")
        self.result_ = select(
            asked, read, names_beside(loss, y, offset), blocks=blocks, random_state=self.random_state,
            **{name: getattr(self, name) for name in names},
        )  # fmt: skip
        del self._genotypes
        self.plan_ = self.result_.plan
        self.frequency_ = self.result_.frequency
        if self.result_.p_values is not None:
            self.p_values_ = self.result_.p_values
        if self.result_.variants is not None:
            self.variants_ = self.result_.variants
        return self

    plan_: StabilityPlan
    frequency_: Float

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self, self._fitted)
        return np.isin(self.result_.of_feature, self.result_.selected)
