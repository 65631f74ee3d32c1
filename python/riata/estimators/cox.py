"""Sparse proportional hazards models, with scikit-learn's methods and scikit-survival's conventions."""

from __future__ import annotations

import warnings
from dataclasses import field
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from riata import _core
from riata._input.alignment import check_rows_named_alike
from riata._input.survival import (
    TIES,
    check_comparable,
    check_strata,
    check_survival_target,
    concordance,
)
from riata._input.validation import (
    Float,
    check_choice,
    check_finite,
    check_flag,
    check_offset,
    check_weights,
    show_label,
)
from riata.estimators._base import ByScore, Problem, SparseLinearModel
from riata.estimators._params import (
    Bounds,
    Mixing,
    Mixtures,
    Precision,
    Running,
    Scale,
    ScoredSearch,
    Sign,
    Strength,
    declared,
    parameter,
)
from riata.estimators._selector import lazy_on_dask
from riata.estimators.step_function import StepFunction
from riata.path.arguments import Options
from riata.path.coefs import linear_predictor
from riata.path.cv_result import CVPath

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["SparseCox", "SparseCoxCV"]


@declared
class _Ties:
    ties: str = parameter(
        '{"breslow", "efron"}',
        "How events at the same time are handled.",
        default="breslow",
    )


class _Cox(SparseLinearModel):
    """Checks and prediction common to the proportional hazards estimators.

    Attributes
    ----------
    intercept_ : float
        Always 0: the baseline hazard takes its place.
    cum_baseline_hazard_ : StepFunction, or dict of them by label of stratum
        Cumulative hazard of a sample with the linear predictor 0 (Breslow 1974; with Efron's ties his). Where
        columns are far from zero it may be too large or small for a number; predictions do not depend on it.
    baseline_survival_ : StepFunction, or dict of them by label of stratum
        Chance of such a sample to be without the event, ``exp(-cum_baseline_hazard_)``.
    mean_link_ : float
        The weighted mean of x·b, plus the offset, over the samples of `fit`.
    unique_times_ : ndarray
        The distinct times of `y`, in its unit, in order: those of events and those of censoring.
    event_times_ : ndarray
        Those of them at which there are events, in any stratum: where curves jump.
    has_offset_ : bool
        Whether `fit` was given an offset.

    Objective
    ---------
    Minimises, for hazards proportional to exp(x·b + offset) and weights w (ones by default),

        -(1 / Σw) log partial likelihood(b)
            + alpha Σ_j pf_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j²)   with lower <= b <= upper.

    Data
    ----
    y : structured array of shape (n,), or array of shape (n, 2)
        A boolean field (event) and a numeric one (time), as scikit-survival has it; or columns [time, event]
        with events 1 or 0.
    start : array of shape (n,)
        Samples are at risk after their `start` up to their time (late entry, left truncation). Default: at
        risk from the beginning.
    strata : array of shape (n,)
        Labels, numbers or text. Samples are compared within their stratum only, each with its own baseline
        hazard. Default: one stratum.
    offset : array of shape (n,)
        Added to the linear predictor: a known log hazard ratio, such as that of an earlier model.

    New data
    --------
    times : float or array of shape (k,)
        Times to predict at, in the unit of `y`. Default: functions of time are returned.
    return_array : bool
        Without `times`: return the values at `unique_times_`, an array of shape (m, k), and not functions.
    strata : array of shape (m,)
        Labels seen in `fit`; needed when it had any.

    Notes
    -----
    Times, those of `start` too, that differ by less than 1.5e-8 of their mean size are ties, as in R's
    survival: 0.1 + 0.2 and 0.3 are the same time.

    References
    ----------
    Cox (1972), Regression models and life-tables, JRSS B 34. Simon, Friedman, Hastie & Tibshirani (2011),
    Regularization paths for Cox's proportional hazards model via coordinate descent, J. Statistical Software
    39.
    """

    _loss = "cox"
    fit_intercept = False

    ties: Any

    @lazy_on_dask
    def predict(self, X: Any, offset: ArrayLike | None = None) -> Float:
        """Predict risk scores: the log of the hazard relative to the baseline, x·b plus the offset.

        Returns
        -------
        ndarray of shape (m,)
            The higher, the earlier the event is expected.
        """
        return self._shifted_links(X, offset)[0][:, 0]

    @property
    def cum_baseline_hazard_(self) -> StepFunction | dict[Any, StepFunction]:
        """Cumulative hazard of a sample with the linear predictor 0; of strata a dict by their labels."""
        at = self.unique_times_
        with np.errstate(over="ignore"):
            steps = {
                label: self._steps(np.exp(self._log_hazard(label, at) - self.mean_link_))
                for label in self._log_baseline
            }
        return steps[None] if list(steps) == [None] else steps

    @property
    def baseline_survival_(self) -> StepFunction | dict[Any, StepFunction]:
        """Chance of such a sample to be without the event, exp(-`cum_baseline_hazard_`)."""
        hazard = self.cum_baseline_hazard_
        if isinstance(hazard, StepFunction):
            return hazard.survival()
        return {label: steps.survival() for label, steps in hazard.items()}

    @property
    def baseline_(self) -> dict[Any, tuple[Float, Float]]:
        """Event times and cumulative hazards of a sample at `mean_link_`, for each stratum: the old name."""
        warnings.warn(
            "baseline_ will go: use cum_baseline_hazard_, the hazard at a linear predictor of 0 as in "
            "scikit-survival, times exp(mean_link_)",
            FutureWarning,
            stacklevel=2,
        )
        with np.errstate(over="ignore"):
            return {label: (times, np.exp(logs)) for label, (times, logs) in self._log_baseline.items()}

    def predict_cumulative_hazard_function(
        self,
        X: Any,
        times: float | ArrayLike | None = None,
        strata: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        *,
        return_array: bool = False,
    ) -> NDArray[Any]:
        """Predict the cumulative hazard, that of `cum_baseline_hazard_` times the exponential of `predict`.

        Returns
        -------
        ndarray of shape (m,), or (m, k), or (m,) for a single number as `times`
            Step functions with a value at each of `unique_times_`, or those at `times`. They keep their
            last value, and are zero in strata without events.
        """
        link = self.predict(X, offset) - self.mean_link_
        check_rows_named_alike(X, strata=strata)
        chosen = self._strata_of(strata, len(link))
        as_functions = not check_flag("return_array", return_array) and times is None
        at = self.unique_times_ if times is None else check_times(times)
        logs = np.empty((len(link), len(at)))
        for label, rows in chosen:
            logs[rows] = self._log_hazard(label, at)
        with np.errstate(over="ignore"):  # infinity: an event is certain
            hazard = np.exp(link[:, None] + logs)
        if as_functions:
            return _as_objects([self._steps(row) for row in hazard])
        return hazard[:, 0] if times is not None and np.ndim(times) == 0 else hazard

    def predict_survival_function(
        self,
        X: Any,
        times: float | ArrayLike | None = None,
        strata: ArrayLike | None = None,
        offset: ArrayLike | None = None,
        *,
        return_array: bool = False,
    ) -> NDArray[Any]:
        """Predict the probability to be without the event beyond each time, exp(-cumulative hazard).

        Returns
        -------
        ndarray of shape (m,), or (m, k), or (m,) for a single number as `times`
            Step functions with a value at each of `unique_times_`, or those at `times`. They keep their
            last value, and are one in strata without events.
        """
        hazard = self.predict_cumulative_hazard_function(X, times, strata, offset, return_array=return_array)
        if hazard.dtype == object:
            return _as_objects([steps.survival() for steps in hazard])
        return np.asarray(np.exp(-hazard))

    def _steps(self, values: Float) -> StepFunction:
        return StepFunction(self.unique_times_, values, resolution=self._resolution)

    def _log_hazard(self, label: Any, at: Float) -> Float:
        """Log of a stratum's cumulative hazard at `mean_link_`, at each of some times."""
        event_times, logs = self._log_baseline[label]
        place = np.searchsorted(event_times, at + self._resolution, side="right")
        return np.asarray(np.concatenate([[-np.inf], logs])[place])

    def score(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        start: ArrayLike | None = None,
        strata: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> float:
        """Return Harrell's concordance of the risk scores with the times.

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

    def _check_data(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        options: Options,
        start: Any = None,
        strata: Any = None,
        offset: Any = None,
        **beside: Any,
    ) -> Problem:
        check_choice("ties", self.ties, TIES)
        design, given, weights = self._check_fit_input(
            X, y, sample_weight, start=start, strata=strata, offset=offset
        )
        target = check_survival_target(given, design.n_samples, weights, start, strata, self.ties)
        return Problem((X, y), design, target, weights, check_offset(offset, design.n_samples))

    def _keep_fit(self, fit: dict[str, Any], problem: Problem, *rest: Any) -> None:
        super()._keep_fit(fit, problem, *rest)
        self._keep_baseline(problem)

    def _keep_selected(self, result: CVPath, problem: Problem) -> None:
        super()._keep_selected(result, problem)
        self._keep_baseline(problem)

    def _keep_baseline(self, problem: Problem) -> None:
        """Breslow's estimate of the hazard at the mean linear predictor, in logarithms, for each stratum."""
        design, target, weights, offset = problem.design, problem.target, problem.weights, problem.offset
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
        self.unique_times_ = np.unique(target.time[weights > 0.0])
        self.event_times_ = np.unique(times)
        self._resolution = target.resolution


def _as_objects(items: list[Any]) -> NDArray[np.object_]:
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out


def check_times(times: Any) -> Float:
    """Return times to predict at as finite numbers; one stands for itself."""
    return check_finite("times", np.atleast_1d(np.asarray(times)), np.size(times), "time")


@declared
class SparseCox(_Cox, Running, Precision, Bounds, Scale, Sign, _Ties, Mixing, Strength):
    """Cox proportional hazards with an elastic-net penalty, certified by its duality gap.

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

    alpha: float = field(default=0.01, kw_only=False)

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        start: ArrayLike | None = None,
        strata: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> Self:
        """Fit the model at `alpha`."""
        return self._fit_at_alpha(X, y, sample_weight, start=start, strata=strata, offset=offset)


@declared
class SparseCoxCV(ByScore, _Cox, Running, Precision, Bounds, Scale, Sign, _Ties, Mixtures, ScoredSearch):
    """Cox proportional hazards with an elastic-net penalty chosen by cross-validation.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        An integer gives folds without shuffling, stratified by event.
    scoring : {"deviance", "concordance"}
        What the held-out folds are scored by. Default: "deviance". See `riata.cv_path`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> time = rng.exponential(np.exp(-X[:, 3]))
    >>> y = np.column_stack([np.minimum(time, 2), time < 2])
    >>> model = riata.SparseCoxCV(alpha_rule="1se").fit(X, y)
    >>> model.get_support(indices=True)
    array([3])
    """

    eps: float | None = None

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        start: ArrayLike | None = None,
        strata: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> Self:
        """Choose `alpha` by cross-validation, and fit the model to all samples there."""
        return self._choose_alpha(X, y, sample_weight, groups, start=start, strata=strata, offset=offset)
