"""Measures of predictions and the influence of each sample on them: R², D², AUC, concordance, log-loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._input.survival import SurvivalTarget
from riata._input.validation import Float
from riata.losses import Loss
from riata.path import intervals
from riata.path.intervals import Measure

#: Pairs of an event and another sample that are compared at a time.
_PAIRS = 1 << 22


@dataclass(frozen=True)
class HeldOut:
    """How the samples were held out: together, or by `folds` whose fits share samples.

    `inflation` is by how much intervals of means over folds are longer, squared, than for as many independent
    samples: the corrected resampled t of Nadeau & Bengio.
    """

    folds: NDArray[np.int64]
    inflation: float

    @property
    def count(self) -> int:
        return int(self.folds.max()) + 1

    def error(self, influence: Float) -> float:
        """Standard error of a mean from the influence of each sample on it."""
        return float(np.sqrt(self.inflation * np.mean(influence**2) / len(influence)))

    def centred(self, values: Float) -> Float:
        """Values less their mean in the fold."""
        means = np.bincount(self.folds, values) / np.bincount(self.folds)
        return np.asarray(values - means[self.folds])


def held_by(folds: ArrayLike | None, n: int, n_train: int | None) -> HeldOut:
    """Read the folds that held samples out, None for all together: see `evaluate`."""
    from scipy.special import stdtrit

    if folds is None:
        return HeldOut(np.zeros(n, dtype=np.int64), 1.0)
    ids = np.asarray(folds)
    if ids.shape != (n,):
        raise ValueError(f"folds must hold one number per sample, shape ({n},), got shape {ids.shape}")
    numbers = np.unique(ids, return_inverse=True)[1].astype(np.int64)
    count = int(numbers.max()) + 1
    if count < 2:
        raise ValueError("folds must tell at least two folds apart, got one")
    trained = n - n / count if n_train is None else n_train
    quantile = float(stdtrit(count - 1, 0.975))  # of Student's t
    return HeldOut(numbers, (1.0 + n / trained) * (quantile / intervals.Z) ** 2)


def add_baseline(
    out: dict[str, Measure], name: str, ours: tuple[float, Float], alone: tuple[float, Float], held: HeldOut
) -> None:
    """Add what the covariates alone explain, and the difference."""
    out[f"{name}_covariates"] = intervals.explained(alone[0], held.error(alone[1]))
    out[f"{name}_increment"] = intervals.difference(ours[0] - alone[0], held.error(ours[1] - alone[1]))


def log_losses(codes: NDArray[np.int64], eta: Float) -> Float:
    """Return minus the log-probability of the class of each sample."""
    from scipy.special import logsumexp

    return np.asarray(logsumexp(eta, axis=1) - eta[np.arange(len(codes)), codes])


def measure_deviance(
    y: Float, link: Float, base: Float | None, loss: Loss, null: Float, held: HeldOut
) -> dict[str, Measure]:
    """Share of the deviance explained: D²."""

    def share(predictor: Float) -> tuple[float, Float]:
        return explained(loss.deviances(y, predictor), loss.deviances(y, null))

    value, influence = share(link)
    out = {"d2": intervals.explained(value, held.error(influence))}
    if base is not None:
        add_baseline(out, "d2", (value, influence), share(base), held)
    return out


def explained(left: Float, null: Float) -> tuple[float, Float]:
    """1 - Σd/Σd0 and the influence of each sample on it; the constant of d0 is at its best and has none."""
    share = float(left.mean() / null.mean())
    return 1.0 - share, (share * null - left) / null.mean()


def concordance(target: SurvivalTarget, score: Float) -> tuple[float, Float]:
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


def measure_numbers(
    y: Float, link: Float, base: Float | None, null: Float, held: HeldOut
) -> dict[str, Measure]:
    """R² and correlation of numbers."""
    value, influence = explained((y - link) ** 2, (y - null) ** 2)
    out = {
        "r2": intervals.explained(value, held.error(influence)),
        "correlation": _correlation(y, link, held),
    }
    if base is not None:
        add_baseline(out, "r2", (value, influence), explained((y - base) ** 2, (y - null) ** 2), held)
    return out


def measure_classes(
    y: Float, link: Float, base: Float | None, null: Float, held: HeldOut
) -> dict[str, Measure]:
    """AUC, log-loss and Nagelkerke's R² of two classes."""

    def losses(predictor: Float) -> Float:
        return np.asarray(np.logaddexp(0.0, predictor) - y * predictor)

    pairs = _Pairs(y, held)
    places = pairs.placements(link)
    loss = losses(link)
    value, influence = _nagelkerke(loss, losses(null))
    out = {"auc": pairs.area(places)} if pairs.any else {}
    out["log_loss"] = intervals.on_log(float(loss.mean()), held.error(loss - loss.mean()))
    out["r2_nagelkerke"] = intervals.explained(value, held.error(influence))
    if base is not None:
        if pairs.any:
            of_base = pairs.placements(base)
            out["auc_covariates"] = pairs.area(of_base)
            out["auc_increment"] = pairs.increment(places - of_base)
        add_baseline(out, "r2_nagelkerke", (value, influence), _nagelkerke(losses(base), losses(null)), held)
    return out


def _correlation(y: Float, link: Float, held: HeldOut) -> Measure:
    a, b = held.centred(y), held.centred(link)
    size = float(np.sqrt((a @ a) * (b @ b)))
    if size == 0.0:  # one prediction for all
        return Measure(np.nan)
    r = min(max(float(a @ b) / size, -1.0), 1.0)
    return intervals.correlation(r, len(y) - held.count - 2.0, held.inflation)


class _Pairs:
    """Pairs of a case and a control of the same fold: shares of them in the right order.

    Folds weigh as many pairs as they have. Standard errors are those of DeLong et al. (1988), the variances
    of the placements of cases and of controls about their means in the fold pooled over folds.
    """

    def __init__(self, y: Float, held: HeldOut) -> None:
        self.y, self.held = y, held
        cases, controls = np.bincount(held.folds, y), np.bincount(held.folds, 1.0 - y)
        self.pairs = cases * controls
        self.both = self.pairs > 0.0  # folds with both classes
        self.sizes = {1.0: cases[self.both], 0.0: controls[self.both]}

    @property
    def any(self) -> bool:
        return bool(self.both.any())

    def placements(self, link: Float) -> Float:
        """Return for each sample the share of the other class of its fold that it is on the right side of."""
        out = np.full(len(link), np.nan)
        for k in np.flatnonzero(self.both):
            rows = np.flatnonzero(self.held.folds == k)
            out[rows] = _placements(self.y[rows], link[rows])
        return out

    def _mean_and_error(self, places: Float) -> tuple[float, float]:
        cases = np.where(self.y == 1.0, places, 0.0)
        each = np.bincount(self.held.folds, cases)[self.both] / self.sizes[1.0]
        share = self.pairs[self.both] / self.pairs.sum()
        variance = 0.0
        for label, sizes in self.sizes.items():
            rows = (self.y == label) & self.both[self.held.folds]
            fold = np.cumsum(self.both)[self.held.folds[rows]] - 1
            means = np.bincount(fold, places[rows]) / sizes
            freedom = sizes.sum() - len(sizes)
            squares = float(np.sum((places[rows] - means[fold]) ** 2))
            variance += np.inf if freedom <= 0 else squares / freedom * float(share**2 @ (1.0 / sizes))
        return float(share @ each), float(np.sqrt(self.held.inflation * variance))

    def area(self, places: Float) -> Measure:
        """Return the share of pairs in the right order."""
        value, error = self._mean_and_error(places)
        room = min(float(sizes.sum()) for sizes in self.sizes.values())
        return intervals.on_logit(value, error, room / self.held.inflation)

    def increment(self, places: Float) -> Measure:
        """Return the difference of two such shares."""
        return intervals.difference(*self._mean_and_error(places), 1.0)


def _placements(y: Float, link: Float) -> Float:
    """Return, for each sample, the share of the other class that it is on the right side of, ties half."""
    _, group = np.unique(link, return_inverse=True)
    cases, controls = np.bincount(group, y), np.bincount(group, 1.0 - y)
    controls_below = (np.cumsum(controls) - 0.5 * controls) / controls.sum()
    cases_above = 1.0 - (np.cumsum(cases) - 0.5 * cases) / cases.sum()
    return np.asarray(np.where(y == 1.0, controls_below[group], cases_above[group]))


def _nagelkerke(loss: Float, null: Float) -> tuple[float, Float]:
    """Nagelkerke's R² of log-likelihoods -loss and -null, and the influence of each sample on it."""
    least = float(null.mean())
    ratio, room = np.exp(2.0 * (loss.mean() - least)), 1.0 - np.exp(-2.0 * least)
    value = float((1.0 - ratio) / room)
    by_loss = -2.0 * ratio / room
    by_null = (2.0 * ratio - 2.0 * value * (1.0 - room)) / room
    return value, by_loss * (loss - loss.mean()) + by_null * (null - least)
