"""The knockoff filter as a selector of scikit-learn."""

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
from riata.selection.knockoff_result import KnockoffSelected
from riata.selection.knockoff_selection import PATIENCE, TOL, select

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["KnockoffSelector"]

_OF_THE_FIT = ("loss", "l1_ratio", "standardize", "penalty_factor", "exclude", "tol", "memory", "n_threads")
_OF_THE_FILTER = (
    "fdr", "knockoffs", "groups", "statistic", "knockoff_offset", "n_draws", "cv", "alpha_rule", "patience",
    "check", "random_state",
)  # fmt: skip


class KnockoffSelector(SparseSelector):
    """Select as many features as possible at a false discovery rate, by the knockoff filter.

    A selector for pipelines: see `riata.knockoff_selection` for what is fitted to the features and their
    knockoffs, and what the rate means.

    Parameters
    ----------
    fdr : float, default=0.1
        The expected share of false ones among those selected, at most. Fewer than 1/fdr are never selected.
    knockoffs : {"auto"}, sampler, Knockoffs, array, or list of several draws, default="auto"
        "auto" is `riata.knockoffs.Haplotypes` for genotypes of hard calls and `riata.knockoffs.Gaussian`
        else. What is ready made has the shape of X.
    groups : array-like of shape (p,), mapping, or list of lists, optional
        Disjoint groups of features, which are selected together: `transform` keeps all features of a group.
    statistic : {"coef_difference", "entry"}, default="coef_difference"
        What is compared: sizes of coefficients at an alpha of cross-validation, or the alphas of entry.
    knockoff_offset : {1, 0}, default=1
        0 controls a modified rate, and can select fewer than 1/fdr.
    n_draws : int, default=1
        Independent draws of the knockoffs, put together by e-values.
    cv : int, splitter or iterable of (train, test), default=10
        Folds.
    alpha_rule : {"min", "1se"}, default="min"
        How alpha is chosen.
    patience : int, optional
        End the path once the score has been worse than its best by more than a standard error at this many
        alphas in a row; None fits all of it.
    check : bool, default=True
        Compare correlations of the knockoffs with those of X, and warn when they differ.
    loss : str or Loss, default="gaussian"
        "gaussian", "binomial", "multinomial", "poisson", "huber", "cox" or "multigaussian", or an object of
        `riata.losses`.
    l1_ratio : float, default=1.0
        Above 0, to 1 (lasso).
    standardize : bool, default=True
        Penalise coefficients as on columns of unit standard deviation.
    penalty_factor : array of shape (p,), dict or Series, optional
        Multiplies the penalty of each feature: 0 leaves it unpenalised and without knockoff, infinity leaves
        it out. Neither is an item to select, and `transform` drops both.
    exclude : sequence of feature numbers or names, or boolean mask, optional
        Features to leave out.
    tol : float, default=1e-5
        Bound on the relative duality gap of every fit.
    memory : int or str, optional
        Bytes, or a size such as "4G", that the fits may hold beside X and its knockoffs.
    n_threads : int, optional
        Default: every available core. The result does not depend on it.
    random_state : int, RandomState, Generator or None, default=0
        Seed of the knockoffs, of the order inside pairs and of the folds.

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
    n_features_in_ : int
        p, the number of features.
    feature_names_in_ : ndarray of str, shape (p,)
        Names of the features; only when X has names that are all strings.
    variants_ : riata.FittedVariants
        The variants; only when X holds genotypes.

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

    _fitted = "result_"

    result_: KnockoffSelected
    W_: Float
    threshold_: float
    q_values_: Float

    def __init__(
        self,
        *,
        fdr: float = 0.1,
        knockoffs: Any = "auto",
        groups: Any = None,
        statistic: str = "coef_difference",
        knockoff_offset: int = 1,
        n_draws: int = 1,
        cv: Any = 10,
        alpha_rule: str = "min",
        patience: int | None = PATIENCE,
        check: bool = True,
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
        self.fdr = fdr
        self.knockoffs = knockoffs
        self.groups = groups
        self.statistic = statistic
        self.knockoff_offset = knockoff_offset
        self.n_draws = n_draws
        self.cv = cv
        self.alpha_rule = alpha_rule
        self.patience = patience
        self.check = check
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
        given = {name: getattr(self, name) for name in _OF_THE_FIT}
        asked = read_given(
            "KnockoffSelector",
            {**given, "sample_weight": sample_weight, "offset": offset},
            stop_early=self.statistic == "entry",
        )
        loss = asked.loss

        def read() -> Problem:
            design, values, weights = self._check_fit_input(X, y, sample_weight, offset=offset, blocks=blocks)
            if not loss.several_outputs and not loss.has_times:
                values = column_or_1d(values, warn=True)
            target, labels = loss.check_target(values, design.n_samples, weights)
            shift = check_offset(offset, design.n_samples, target.shape[1:])
            return Problem(design, target, labels, weights, shift, asked.features(design))

        self.result_ = select(
            asked, read, X, y, names_beside(loss, y, offset), blocks=blocks, scoring=None,
            **{name: getattr(self, name) for name in _OF_THE_FILTER},
        )  # fmt: skip
        del self._genotypes
        self.W_ = self.result_.W
        self.threshold_ = self.result_.threshold
        self.q_values_ = self.result_.q_values
        if self.result_.variants is not None:
            self.variants_ = self.result_.variants
        return self

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self, self._fitted)
        return np.isin(self.result_.of_feature, self.result_.selected)
