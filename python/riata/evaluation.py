"""How good a score is on samples that did not make it: R², AUC, concordance, and what covariates reach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._arguments import HUBER_DELTA
from riata._survival import SurvivalTarget, check_survival_target
from riata._validation import check_choice

Float = NDArray[np.float64]

#: Two-sided 95 % of the normal distribution.
_Z = 1.959963984540054

#: What each measure is called in words.
LABELS = {
    "r2": "R\u00b2",
    "correlation": "correlation",
    "auc": "AUC",
    "log_loss": "log-loss",
    "concordance": "concordance",
    "accuracy": "share of right classes",
    "d2": "D\u00b2 (deviance explained)",
    "r2_nagelkerke": "Nagelkerke R\u00b2",
    "r2_covariates": "R\u00b2 of the covariates alone",
    "d2_covariates": "D\u00b2 of the covariates alone",
    "concordance_covariates": "concordance of the covariates alone",
    "auc_covariates": "AUC of the covariates alone",
    "r2_nagelkerke_covariates": "Nagelkerke R\u00b2 of the covariates alone",
    "r2_increment": "R\u00b2 added to the covariates",
    "d2_increment": "D\u00b2 added to the covariates",
    "concordance_increment": "concordance added to the covariates",
    "auc_increment": "AUC added to the covariates",
    "r2_nagelkerke_increment": "Nagelkerke R\u00b2 added to the covariates",
}


#: Pairs of an event and another sample that are compared at a time.
_PAIRS = 1 << 22


@dataclass(frozen=True)
class Measure:
    """A value with its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Evaluation:
    """How well predictions fit samples they were not made from. Made by :func:`evaluate`.

    Attributes
    ----------
    loss : {"gaussian", "binomial", "cox", "poisson", "huber", "multinomial"}
    n : int
        Samples.
    n_cases : int or None
        Those of the second class for the binomial loss, those with an event for the Cox loss.
    measures : dict of str to Measure
        ``r2, correlation`` for the gaussian, ``auc, log_loss, r2_nagelkerke`` for the binomial,
        ``concordance`` for the Cox, ``d2`` for the Poisson and Huber loss, ``accuracy, log_loss, d2`` for the
        multinomial loss; with a baseline also
        ``r2_covariates, r2_increment`` and the like: the baseline alone, and the difference.
    part : str
        Which samples these are.
    """

    loss: str
    n: int
    n_cases: int | None
    measures: dict[str, Measure] = field(default_factory=dict)
    part: str = "held-out samples"

    def lines(self) -> list[str]:
        """Return the evaluation as aligned text."""
        which = "with an event" if self.loss == "cox" else "of the class modelled"
        cases = "" if self.n_cases is None else f", {self.n_cases:,} of them {which}"
        width = max(len(LABELS[name]) for name in self.measures)
        lines = [f"{self.part}: {self.n:,} samples{cases}"]
        for name, m in self.measures.items():
            lines.append(f"  {LABELS[name]:<{width}}  {m.value:.4f}  (95 % {m.low:.4f} to {m.high:.4f})")
        return lines

    def _repr_html_(self) -> str:
        """Show a card in notebooks."""
        from riata.cards import evaluation_card

        return evaluation_card(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, for the manifest."""
        measures = {
            name: {"value": m.value, "low": m.low, "high": m.high} for name, m in self.measures.items()
        }
        return {"part": self.part, "loss": self.loss, "n": self.n, "n_cases": self.n_cases, **measures}


def evaluate(
    y: ArrayLike,
    link: ArrayLike,
    *,
    loss: str = "gaussian",
    baseline: ArrayLike | None = None,
    part: str = "held-out samples",
    start: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    huber_delta: float = HUBER_DELTA,
) -> Evaluation:
    """Compare predictions with the responses of samples that did not take part in the fit.

    Parameters
    ----------
    y : array of shape (n,)
        Responses; 0 and 1 for the binomial loss; survival times as in `fit_path` for the Cox loss; numbers of
        at least 0 for the Poisson loss; numbers of classes, from 0, for the multinomial loss.
    link : array of shape (n,)
        Linear predictors, as from ``path.predict(X, alpha, kind="link")``, offset included;
        (n, K) for K classes.
    loss : {"gaussian", "binomial", "cox", "poisson", "huber", "multinomial"}, default="gaussian"
    baseline : array of shape (n,), optional
        Linear predictors of the covariates alone, fitted to the same training samples. Adds what they reach
        by themselves, and what `link` reaches beyond it.
    part : str, default="held-out samples"
        What to call these samples.
    start, strata : arrays of shape (n,), optional
        Cox loss: as in `fit_path`.
    offset : array of shape (n,), optional
        Poisson loss: what `link` holds of it, such as the log of exposures.
    huber_delta : float, default=1.345
        Of the Huber loss.

    Returns
    -------
    Evaluation

    Raises
    ------
    ValueError
        When lengths differ, values are not finite, fewer than two samples are given, `y` does not vary, or no
        two survival times can be compared.

    Notes
    -----
    With residuals e and deviations d of `y` from its mean here, R² = 1 - Σe²/Σd²: negative when the
    prediction is worse than that mean. The AUC is the share of case-control pairs in the right order, ties
    counting half. Nagelkerke's R² is (1 - exp(2(l0 - l))) / (1 - exp(2 l0)), with l the mean log-likelihood
    of the predicted probabilities as they are and l0 that of the share of cases here. The concordance is
    Harrell's c: of the pairs of an event and a sample of its stratum still at risk after it, the share in
    which the event has the larger score, equal scores counting half. D² = 1 - Σd/Σd0 with d the deviances of
    the predictions and d0 those of the best constant here: of the rate, mean count over mean exp(offset), of
    the number with the least Huber loss, or of the shares of the classes.

    Intervals are for 95 %. Correlation: Fisher's z, tanh(artanh r ± 1.96/√(n - 3)). AUC and its increment:
    value ± 1.96 standard errors of DeLong et al. Concordance: ± 1.96 standard errors by the infinitesimal
    jackknife (Therneau & Watson). Others: ± 1.96 standard errors by the delta method, the
    standard deviation of the influence of each sample over √n. All take the fitted model as given.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, 837. Harrell et al. (1982), JAMA 247, 2543.
    Nagelkerke (1991), Biometrika 78, 691. Therneau & Watson (2017), The concordance statistic and the Cox
    model, Mayo Clinic Technical Report 85.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> link = rng.standard_normal(500)
    >>> result = riata.evaluate(link + rng.standard_normal(500), link)
    >>> bool(result.measures["r2"].low < 0.5 < result.measures["r2"].high)
    True
    """
    check_choice("loss", loss, ("gaussian", "binomial", "cox", "poisson", "huber", "multinomial"))
    if loss == "multinomial":
        return _evaluate_classes(y, link, baseline, part)
    if loss == "cox":
        return _evaluate_times(y, link, baseline, part, start, strata)
    if start is not None or strata is not None:
        raise ValueError(f"start and strata must be left out unless loss is 'cox', got loss={loss!r}")
    target = _checked("y", y, None)
    eta = _checked("link", link, len(target))
    base = None if baseline is None else _checked("baseline", baseline, len(target))
    if len(target) < 2:
        raise ValueError(f"y must hold at least two samples, got {len(target)}")
    if len(np.unique(target)) < 2:
        raise ValueError(f"y must vary to be predicted, got {target[0]:g} for all {len(target)} samples")
    if loss in ("poisson", "huber"):
        shift = np.zeros(len(target)) if offset is None else _checked("offset", offset, len(target))
        if loss == "poisson" and target.min() < 0.0:
            raise ValueError(f"y must hold numbers >= 0 for loss='poisson', got {target.min():g}")
        measures = _measure_deviance(target, eta, base, loss, shift, huber_delta)
        return Evaluation(loss, len(target), None, measures, part)
    if loss == "gaussian":
        measures = _measure_numbers(target, eta, base)
        return Evaluation(loss, len(target), None, measures, part)
    if not np.all((target == 0.0) | (target == 1.0)):
        raise ValueError("y must hold 0 and 1 only for loss='binomial'")
    return Evaluation(loss, len(target), int(target.sum()), _measure_classes(target, eta, base), part)


def _evaluate_classes(y: ArrayLike, link: ArrayLike, baseline: ArrayLike | None, part: str) -> Evaluation:
    codes = _checked("y", y, None).astype(np.int64)
    n = len(codes)
    eta = np.asarray(link, dtype=np.float64)
    if eta.ndim != 2 or len(eta) != n or not np.isfinite(eta).all():
        raise ValueError(f"link must be {n} rows of finite numbers, one a class, got shape {eta.shape}")
    if codes.min() < 0 or codes.max() >= eta.shape[1]:
        raise ValueError(f"y must hold the numbers of classes, 0 to {eta.shape[1] - 1}")
    if len(np.unique(codes)) < 2:
        raise ValueError(f"y must vary to be predicted, got class {codes[0]} for all {n} samples")
    null = -np.log(np.bincount(codes)[codes] / n)
    loss = _log_losses(codes, eta)
    right = (eta.argmax(axis=1) == codes).astype(np.float64)
    value, influence = _explained(loss, null)
    out = {
        "accuracy": _within(_wald(float(right.mean()), right - right.mean()), 0.0),
        "log_loss": _wald(float(loss.mean()), loss - loss.mean()),
        "d2": _wald(value, influence),
    }
    if baseline is not None:
        alone, of_alone = _explained(_log_losses(codes, np.asarray(baseline, dtype=np.float64)), null)
        out["d2_covariates"] = _wald(alone, of_alone)
        out["d2_increment"] = _wald(value - alone, influence - of_alone)
    return Evaluation("multinomial", n, None, out, part)


def _log_losses(codes: NDArray[np.int64], eta: Float) -> Float:
    from scipy.special import logsumexp

    return np.asarray(logsumexp(eta, axis=1) - eta[np.arange(len(codes)), codes])


def _measure_deviance(
    y: Float, link: Float, base: Float | None, loss: str, offset: Float, delta: float
) -> dict[str, Measure]:
    def deviances(predictor: Float) -> Float:
        return _poisson_deviances(y, predictor) if loss == "poisson" else _huber_losses(y - predictor, delta)

    if loss == "poisson":
        constant = offset + np.log(y.mean() / np.exp(offset).mean())
    else:
        constant = np.full(len(y), _huber_location(y, delta))
    null = deviances(constant)
    value, influence = _explained(deviances(link), null)
    out = {"d2": _wald(value, influence)}
    if base is not None:
        alone, of_alone = _explained(deviances(base), null)
        out["d2_covariates"] = _wald(alone, of_alone)
        out["d2_increment"] = _wald(value - alone, influence - of_alone)
    return out


def _explained(left: Float, null: Float) -> tuple[float, Float]:
    """1 - Σd/Σd0 and the influence of each sample on it; the constant of d0 is at its best and has none."""
    share = float(left.mean() / null.mean())
    return 1.0 - share, (share * null - left) / null.mean()


def _poisson_deviances(y: Float, link: Float) -> Float:
    from scipy.special import xlogy

    return np.asarray(2.0 * (xlogy(y, y) - y * link - y + np.exp(link)))


def _huber_losses(residual: Float, delta: float) -> Float:
    size = np.abs(residual)
    inner = np.minimum(size, delta)
    return np.asarray(inner * (size - 0.5 * inner))


def _huber_location(y: Float, delta: float) -> float:
    """Return the number with the least Huber loss, where the pull of residuals cut at delta is zero."""
    low, high = float(y.min()), float(y.max())
    for _ in range(200):
        middle = 0.5 * (low + high)
        if np.clip(y - middle, -delta, delta).sum() > 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _evaluate_times(
    y: ArrayLike, link: ArrayLike, baseline: ArrayLike | None, part: str, start: Any, strata: Any
) -> Evaluation:
    n = len(np.asarray(y))
    target = check_survival_target(y, n, np.ones(n), start, strata)
    value, influence = _concordance(target, _checked("link", link, n))
    if np.isnan(value):
        raise ValueError("y must hold an event at whose time another sample is at risk, got none")
    measures = {"concordance": _within(_wald(value, influence), 0.0)}
    if baseline is not None:
        alone, of_alone = _concordance(target, _checked("baseline", baseline, n))
        measures["concordance_covariates"] = _within(_wald(alone, of_alone), 0.0)
        measures["concordance_increment"] = _within(_wald(value - alone, influence - of_alone), -1.0)
    return Evaluation("cox", n, int(target.event.sum()), measures, part)


def _within(measure: Measure, lowest: float) -> Measure:
    """Cut an interval at the smallest and largest value there can be."""
    return Measure(measure.value, max(measure.low, lowest), min(measure.high, 1.0))


def _concordance(target: SurvivalTarget, score: Float) -> tuple[float, Float]:
    """Harrell's c and the influence of each sample on it: see `evaluate`. Time: events x samples."""
    n, time = len(target), target.time
    concordant, comparable = np.zeros(n), np.zeros(n)
    events = np.flatnonzero(target.event)
    for part in np.array_split(events, max(1, len(events) * n // _PAIRS)):
        now = time[part, None]
        later = (time > now) | ((time == now) & (target.event == 0.0))
        if target.start is not None:
            later &= target.start < now
        if target.strata is not None:
            later &= target.strata == target.strata[part, None]
        right = later * (0.5 * (score <= score[part, None]) + 0.5 * (score < score[part, None]))
        concordant[part] += right.sum(axis=1)
        comparable[part] += later.sum(axis=1)
        concordant += right.sum(axis=0)
        comparable += later.sum(axis=0)
    pairs = comparable.sum() / 2.0
    if pairs == 0.0:
        return np.nan, comparable
    value = float(concordant.sum() / 2.0 / pairs)
    return value, n * (concordant - value * comparable) / pairs


def _checked(name: str, values: ArrayLike, n: int | None) -> Float:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or (n is not None and len(array) != n):
        wanted = "(n,)" if n is None else f"({n},), as y"
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must hold finite numbers only")
    return array


def _measure_numbers(y: Float, link: Float, base: Float | None) -> dict[str, Measure]:
    value, influence = _r_squared(y, link)
    out = {"r2": _wald(value, influence), "correlation": _correlation(y, link)}
    if base is not None:
        alone, of_alone = _r_squared(y, base)
        out["r2_covariates"] = _wald(alone, of_alone)
        out["r2_increment"] = _wald(value - alone, influence - of_alone)
    return out


def _measure_classes(y: Float, link: Float, base: Float | None) -> dict[str, Measure]:
    places = _placements(y, link)
    loss = np.logaddexp(0.0, link) - y * link
    value, influence = _nagelkerke(y, loss)
    out = {
        "auc": _area(places, y),
        "log_loss": _wald(float(loss.mean()), loss - loss.mean()),
        "r2_nagelkerke": _wald(value, influence),
    }
    if base is not None:
        alone, of_alone = _nagelkerke(y, np.logaddexp(0.0, base) - y * base)
        of_base = _placements(y, base)
        out["auc_covariates"] = _area(of_base, y)
        out["auc_increment"] = _area(places - of_base, y, lowest=-1.0)
        out["r2_nagelkerke_covariates"] = _wald(alone, of_alone)
        out["r2_nagelkerke_increment"] = _wald(value - alone, influence - of_alone)
    return out


def _wald(value: float, influence: Float) -> Measure:
    half = _Z * float(np.sqrt(np.mean(influence**2) / len(influence)))
    return Measure(value, value - half, value + half)


def _r_squared(y: Float, link: Float) -> tuple[float, Float]:
    """1 - Σe²/Σd² and the influence of each sample on it."""
    error, spread = (y - link) ** 2, (y - y.mean()) ** 2
    left = float(error.mean() / spread.mean())
    return 1.0 - left, (left * spread - error) / spread.mean()


def _correlation(y: Float, link: Float) -> Measure:
    n = len(y)
    a, b = y - y.mean(), link - link.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    if size == 0.0:  # one prediction for all
        return Measure(np.nan, np.nan, np.nan)
    r = min(max(float(a @ b) / size, -1.0), 1.0)
    if n <= 3 or abs(r) == 1.0:
        return Measure(r, -1.0 if n <= 3 else r, 1.0 if n <= 3 else r)
    z, half = np.arctanh(r), _Z / np.sqrt(n - 3)
    return Measure(r, float(np.tanh(z - half)), float(np.tanh(z + half)))


def _placements(y: Float, link: Float) -> Float:
    """Return, for each sample, the share of the other class that it is on the right side of, ties half."""
    _, group = np.unique(link, return_inverse=True)
    cases, controls = np.bincount(group, y), np.bincount(group, 1.0 - y)
    controls_below = (np.cumsum(controls) - 0.5 * controls) / controls.sum()
    cases_above = 1.0 - (np.cumsum(cases) - 0.5 * cases) / cases.sum()
    return np.asarray(np.where(y == 1.0, controls_below[group], cases_above[group]))


def _area(places: Float, y: Float, lowest: float = 0.0) -> Measure:
    """Mean placement with the variance of DeLong et al. (1988)."""
    value = float(places[y == 1.0].mean())
    parts = [places[y == label] for label in (0.0, 1.0)]
    variance = sum(float(np.var(part, ddof=1)) / len(part) if len(part) > 1 else np.inf for part in parts)
    half = _Z * float(np.sqrt(variance))
    return Measure(value, max(value - half, lowest), min(value + half, 1.0))


def _nagelkerke(y: Float, loss: Float) -> tuple[float, Float]:
    """Nagelkerke's R² of log-likelihoods -loss, and the influence of each sample on it."""
    share = float(y.mean())
    null = share * np.log(share) + (1.0 - share) * np.log1p(-share)
    ratio, room = np.exp(2.0 * (null + loss.mean())), 1.0 - np.exp(2.0 * null)
    value = float((1.0 - ratio) / room)
    by_loss = -2.0 * ratio / room
    by_null = (-2.0 * ratio + 2.0 * value * (1.0 - room)) / room
    logit = np.log(share) - np.log1p(-share)
    return value, by_loss * (loss - loss.mean()) + by_null * logit * (y - share)
