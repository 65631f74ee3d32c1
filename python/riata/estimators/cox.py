"""Sparse proportional hazards models, with scikit-learn's methods and scikit-survival's conventions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata import _core
from riata._input.alignment import check_rows_named_alike
from riata._input.design import DesignView
from riata._input.survival import (
    TIES,
    SurvivalTarget,
    check_comparable,
    check_strata,
    check_survival_target,
    concordance,
)
from riata._input.validation import (
    Float,
    check_alpha,
    check_choice,
    check_finite,
    check_flag,
    check_offset,
    check_real,
    check_weights,
    show_label,
)
from riata.estimators._base import CrossValidated, SparseLinearModel
from riata.path.arguments import Features, check_features
from riata.path.coefs import linear_predictor
from riata.path.fit import solve

__all__ = ["SparseCox", "SparseCoxCV"]


class _Cox(SparseLinearModel):
    """Checks and prediction common to the proportional hazards estimators."""

    fit_intercept = False

    positive: bool
    ties: str
    penalty_factor: Any
    lower: Any
    upper: Any

    def predict(self, X: Any, offset: ArrayLike | None = None) -> Float:
        """Predict risk scores: the log of the hazard relative to the baseline, x·b plus the offset.

        Parameters
        ----------
        X : as in `fit`, shape (m, p)
        offset : array of shape (m,) or number, optional
            Needed when `fit` was given one; 0 predicts without.

        Returns
        -------
        ndarray of shape (m,)
            The higher, the earlier the event is expected.
        """
        return self._shifted_links(X, offset)[0][:, 0]

    @property
    def baseline_(self) -> dict[Any, tuple[Float, Float]]:
        """Event times and cumulative hazards of a sample at `mean_link_`, for each stratum."""
        with np.errstate(over="ignore"):
            return {label: (times, np.exp(logs)) for label, (times, logs) in self._log_baseline.items()}

    def predict_cumulative_hazard_function(
        self,
        X: Any,
        times: float | ArrayLike | None = None,
        strata: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> Float:
        """Predict the cumulative hazard, that of the baseline times exp(x·b - `mean_link_`).

        Parameters
        ----------
        X : as in `fit`, shape (m, p)
        times : float or array of shape (k,), optional
            Default `unique_times_`.
        strata : array of shape (m,), optional
            Labels seen in `fit`; needed when it had any.
        offset : array of shape (m,) or number, optional
            Needed when `fit` was given one; 0 predicts without.

        Returns
        -------
        ndarray of shape (m, k), or (m,) for a single number as `times`
            Values of step functions that jump at the event times of `fit` and keep their last value; zero in
            strata without events.
        """
        link = self.predict(X, offset) - self.mean_link_
        check_rows_named_alike(X, strata=strata)
        at = self.unique_times_ if times is None else check_times(times)
        logs = np.empty((len(link), len(at)))
        for label, rows in self._strata_of(strata, len(link)):
            event_times, cumulative = self._log_baseline[label]
            place = np.searchsorted(event_times, at + self._resolution, side="right")
            logs[rows] = np.concatenate([[-np.inf], cumulative])[place]
        with np.errstate(over="ignore"):  # infinity: an event is certain
            hazard = np.exp(link[:, None] + logs)
        return hazard[:, 0] if times is not None and np.ndim(times) == 0 else hazard

    def predict_survival_function(
        self,
        X: Any,
        times: float | ArrayLike | None = None,
        strata: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> Float:
        """Predict the probability to be without the event beyond each time, exp(-cumulative hazard).

        Parameters
        ----------
        X, times, strata, offset
            As in `predict_cumulative_hazard_function`.

        Returns
        -------
        ndarray of shape (m, k), or (m,) for a single number as `times`
        """
        return np.exp(-self.predict_cumulative_hazard_function(X, times, strata, offset))

    def score(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        start: ArrayLike | None = None,
        strata: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> float:
        """Harrell's concordance of the risk scores with the times.

        Parameters
        ----------
        X, y, sample_weight, start, strata
            As in `fit`.
        offset : array of shape (m,) or number, optional
            As in `predict`.

        Returns
        -------
        float
            The share of comparable pairs of samples in which the one with the higher score has the earlier
            event; pairs with equal scores count half.
        """
        link = self.predict(X, offset)
        check_rows_named_alike(X, y=y, sample_weight=sample_weight, start=start, strata=strata)
        weights = check_weights(sample_weight, len(link))
        target = check_survival_target(y, len(link), weights, start, strata)
        check_comparable(target, weights, "y")
        return float(concordance(target, link[:, None], weights)[0])

    def _strata_of(self, strata: Any, m: int) -> list[tuple[Any, NDArray[np.bool_]]]:
        """The rows of each stratum of the fit."""
        labels = list(self._log_baseline)
        if labels == [None]:
            if strata is not None:
                raise ValueError("strata must be left out: the model was fitted without")
            return [(None, np.ones(m, dtype=bool))]
        if strata is None:
            raise ValueError("strata must be given: the model was fitted with a baseline for each")
        number = {label: k for k, label in enumerate(labels)}
        given = check_strata(strata, m).tolist()
        unknown = [label for label in given if label not in number]
        if unknown:
            raise ValueError(f"strata must hold labels of the fit, got {show_label(unknown[0])}")
        codes = np.array([number[label] for label in given])
        return [(label, codes == k) for k, label in enumerate(labels)]

    def _check_all(
        self, X: Any, y: Any, sample_weight: Any, start: Any, strata: Any, offset: Any
    ) -> tuple[DesignView, SurvivalTarget, Float, Float | None, Features]:
        check_choice("ties", self.ties, TIES)
        design, y, weights = self._check_fit_input(
            X, y, sample_weight, start=start, strata=strata, offset=offset
        )
        target = check_survival_target(y, design.n_samples, weights, start, strata, self.ties)
        shift = check_offset(offset, design.n_samples)
        positive = check_flag("positive", self.positive)
        features = check_features(design, self.penalty_factor, self.lower, self.upper, positive=positive)
        return design, target, weights, shift, features

    def _keep_baseline(
        self, design: DesignView, target: SurvivalTarget, weights: Float, offset: Float | None
    ) -> None:
        """Breslow's estimate of the hazard at the mean linear predictor, in logarithms, for each stratum."""
        import scipy.sparse as sp

        coefs = sp.csc_array(np.asarray(self.coef_)[:, None])
        link = linear_predictor(design, coefs, np.zeros(1), 1)[:, 0]
        if offset is not None:
            link = link + offset
        self.has_offset_ = offset is not None
        self.mean_link_ = float(np.average(link, weights=weights))
        codes, times, jumps = _core.cox_log_hazards(target.time, target.core, weights, link - self.mean_link_)
        known = np.zeros(1) if target.strata is None else np.unique(target.strata[weights > 0.0])
        self._log_baseline = {}
        for code in known:
            here = codes == code
            label = None if target.labels is None else target.labels[int(code)].item()
            self._log_baseline[label] = (times[here], np.logaddexp.accumulate(jumps[here]))
        self.unique_times_ = np.unique(times)
        self._resolution = target.resolution


def check_times(times: Any) -> Float:
    """Return times to predict at as finite numbers; one stands for itself."""
    return check_finite("times", np.atleast_1d(np.asarray(times)), np.size(times), "time")


class SparseCox(_Cox):
    """Cox proportional hazards with an elastic-net penalty, certified by its duality gap.

    Minimises, for hazards proportional to exp(x·b) and weights w (ones by default),

        -(1 / Σw) log partial likelihood(b)
            + alpha Σ_j pf_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j²)   with lower <= b <= upper.

    Parameters
    ----------
    alpha : float, default=0.01
        Strength of the penalty, > 0.
    l1_ratio : float, default=1.0
        From 0 (ridge) to 1 (lasso).
    ties : {"breslow", "efron"}, default="breslow"
        How events at the same time are handled.
    positive : bool, default=False
        Keep all coefficients >= 0.
    standardize : bool, default=False
        Penalise coefficients as on columns of unit standard deviation. They come back on the original scale.
    penalty_factor : array of shape (p,), dict or Series by feature name, optional
        Multiplies the penalty of each feature: 0 leaves it unpenalised, infinity leaves the feature out.
    lower, upper : float, array of shape (p,), dict or Series by feature name, optional
        Bounds on the coefficients, ``lower <= 0 <= upper``.
    tol : float, default=1e-6
        Bound on the relative duality gap, (primal - dual) / (null objective - saturated objective).
    max_iter : int, default=10000
    solver : {"auto", "homotopy", "cd", "prox"}, default="auto"
    n_threads : int, optional
        Default: every available core, or OMP_NUM_THREADS, or one for a small problem. The result is the same
        to the last bit for any value.
    verbose : int, default=0
        1 prints one line about the fit.

    Attributes
    ----------
    coef_ : ndarray of shape (p,)
    sparse_coef_ : scipy.sparse.csr_matrix of shape (1, p)
    intercept_ : float
        Always 0: the baseline hazard takes its place.
    baseline_ : dict
        For each stratum, with None for a fit without, a pair of arrays: the event times and the cumulative
        baseline hazard, that of a sample at `mean_link_` (Breslow 1974; with Efron's ties his).
    mean_link_ : float
        The weighted mean of x·b, plus the offset, over the samples of `fit`.
    unique_times_ : ndarray
        All event times.
    has_offset_ : bool
        Whether `fit` was given an offset.
    dual_gap_ : float
        Relative duality gap, on the scale of `tol`.
    converged_ : bool
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (p,)
        Only when X has names that are all strings.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the gap is above `tol` after `max_iter` iterations.

    References
    ----------
    Cox (1972), Regression models and life-tables, JRSS B 34. Simon, Friedman, Hastie & Tibshirani (2011),
    Regularization paths for Cox's proportional hazards model via coordinate descent, J. Statistical Software
    39.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> time = rng.exponential(np.exp(-X[:, 3]))
    >>> event = time < 2
    >>> y = np.rec.fromarrays([event, np.minimum(time, 2)], names="event,time")
    >>> model = riata.SparseCox(alpha=0.2).fit(X, y)
    >>> model.get_support(indices=True)
    array([3])
    >>> bool(model.score(X, y) > 0.7)
    True
    >>> model.predict_survival_function(X[:2], times=[0.5, 1.0]).shape
    (2, 2)
    """

    def __init__(
        self,
        alpha: float = 0.01,
        *,
        l1_ratio: float = 1.0,
        ties: str = "breslow",
        positive: bool = False,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower: float | ArrayLike | None = None,
        upper: float | ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.ties = ties
        self.positive = positive
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower = lower
        self.upper = upper
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.n_threads = n_threads
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        start: ArrayLike | None = None,
        strata: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> SparseCox:
        """Fit the model.

        Parameters
        ----------
        X : array, memory map, SciPy sparse matrix, DataFrame or Genotypes, shape (n, p)
            float64, float32 and int8 arrays and SciPy CSC are read where they are.
        y : structured array of shape (n,), or array of shape (n, 2)
            A boolean field (event) and a numeric one (time), as scikit-survival has it; or columns
            [time, event] with events 1 or 0.
        sample_weight : float or array of shape (n,), optional
            Non-negative.
        start : array of shape (n,), optional
            Samples are at risk after their `start` up to their time (late entry, left truncation).
        strata : array of shape (n,), optional
            Labels, numbers or text. Samples are compared within their stratum only, each with its own
            baseline hazard.
        offset : array of shape (n,), optional
            Added to the linear predictor: a known log hazard ratio, such as that of an earlier model.

        Returns
        -------
        self

        Notes
        -----
        Times, those of `start` too, that differ by less than 1.5e-8 of their mean size are ties, as in R's
        survival: 0.1 + 0.2 and 0.3 are the same time.
        """
        alpha = check_alpha(self.alpha)
        l1_ratio = check_real("l1_ratio", self.l1_ratio, at_least=0.0, at_most=1.0)
        options = self._options("cox", np.array([alpha]), l1_ratio=l1_ratio)
        design, target, weights, shift, features = self._check_all(X, y, sample_weight, start, strata, offset)
        fit = solve(design, target, weights[:, None], shift, features, options)[0]
        self._keep_fit(fit, target, weights, features, options)
        self._keep_baseline(design, target, weights, shift)
        return self


class SparseCoxCV(_Cox, CrossValidated):
    """`SparseCox` with `alpha` chosen by cross-validation.

    All folds and the final fit share every pass over X, and no row is copied.

    Parameters
    ----------
    alphas : int or sequence of float, default=100
        A number of grid points or the values themselves.
    eps : float, optional
        Smallest over largest alpha of the grid. Default as in `riata.fit_path`.
    cv : int, splitter or iterable of (train, test), default=5
        An integer gives folds without shuffling, stratified by event.
    scoring : {"deviance", "concordance"}, optional
        What the held-out folds are scored by, default "deviance"; see `riata.cv_path`.
    selection : {"min", "1se"}, default="min"
        The alpha with the best score, or the largest one within a standard error of it.
    l1_ratio, ties, positive, standardize, penalty_factor, lower, upper
        As in `SparseCox`.
    tol, max_iter, solver, n_threads, verbose
        As in `SparseCox`.

    Attributes
    ----------
    alpha_ : float
        The alpha of the final fit: `alpha_min_` or `alpha_1se_`, as `selection` says.
    alpha_min_, alpha_1se_ : float
    alphas_ : ndarray of shape (L,)
    score_path_ : ndarray of shape (L, K)
        Score on each held-out fold; see `scoring`.
    coef_path_ : scipy.sparse.csc_array of shape (p, L)
        Coefficients of the final fit along its path.
    dual_gaps_ : ndarray of shape (L,)
    cv_path_ : riata.CVPath
        All of the cross-validation, with `predict` and `plot`.
    coef_, sparse_coef_, intercept_, baseline_, mean_link_, unique_times_, has_offset_, dual_gap_,
    converged_, n_iter_, n_features_in_, feature_names_in_
        As in `SparseCox`, at `alpha_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> time = rng.exponential(np.exp(-X[:, 3]))
    >>> y = np.column_stack([np.minimum(time, 2), time < 2])
    >>> model = riata.SparseCoxCV(selection="1se").fit(X, y)
    >>> model.get_support(indices=True)
    array([3])
    """

    def __init__(
        self,
        *,
        alphas: int | ArrayLike = 100,
        eps: float | None = None,
        cv: Any = 5,
        scoring: str | None = None,
        selection: str = "min",
        l1_ratio: float = 1.0,
        ties: str = "breslow",
        positive: bool = False,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower: float | ArrayLike | None = None,
        upper: float | ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
    ) -> None:
        self.alphas = alphas
        self.eps = eps
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.l1_ratio = l1_ratio
        self.ties = ties
        self.positive = positive
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower = lower
        self.upper = upper
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.n_threads = n_threads
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        start: ArrayLike | None = None,
        strata: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> SparseCoxCV:
        """Cross-validate and fit.

        Parameters
        ----------
        X, y, sample_weight, start, strata, offset
            As in `SparseCox.fit`. Held-out samples count by their weights within a fold.
        groups : array of shape (n,), optional
            Handed to the splitter.

        Returns
        -------
        self
        """
        options = self._check_search("cox")
        design, target, weights, shift, features = self._check_all(X, y, sample_weight, start, strata, offset)
        self._search(options, (X, y), design, target, weights, features, groups, offset=shift)
        self._keep_baseline(design, target, weights, shift)
        return self
