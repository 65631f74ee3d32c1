"""Survival times as a response: reading them, and the scores of held-out ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._input.design import DesignView
from riata._input.validation import Float, check_choice, check_vector, refuse_text

if TYPE_CHECKING:
    from riata._input.gaps import LaidOut

TIES = ("breslow", "efron")
ROUNDING = float(np.sqrt(np.finfo(np.float64).eps))  # of computed times, relative to their mean size
ABSENT = ("<NA>", "nan", "NaT")


@dataclass(frozen=True, slots=True)
class SurvivalTarget:
    """Checked survival times: `time` is when a sample stops being at risk, `event` 1.0 if by an event.

    `strata` holds codes, the positions of the labels in `labels`. Times within `resolution` of each other are
    the same: see `rejoin_ties`.
    """

    time: Float
    event: Float
    start: Float | None
    strata: Float | None
    labels: NDArray[Any] | None
    ties: str
    resolution: float

    def __len__(self) -> int:
        return len(self.time)

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array: one number per sample."""
        return self.time.shape

    @property
    def core(self) -> _core.Survival:
        """What the core takes beside the times."""
        return _core.Survival(self.event, self.start, self.strata, self.ties == "efron")

    def spread(self, design: DesignView | LaidOut) -> SurvivalTarget:
        """The same for the rows of the design."""
        return replace(
            self,
            time=design.spread(self.time),
            event=design.spread(self.event),
            start=None if self.start is None else design.spread(self.start),
            strata=None if self.strata is None else design.spread(self.strata),
        )

    def objective(self, eta: Float, weights: Float) -> Float:
        """Minus the log partial likelihood of each column of eta, summed over samples."""
        return np.asarray(weights.sum() * _core.cox_objective(self.time, self.core, weights, eta))


def check_survival_target(
    y: Any, n: int, weights: Float, start: Any = None, strata: Any = None, ties: Any = "breslow"
) -> SurvivalTarget:
    """Return survival times from a structured (event, time) array or columns [time, event]."""
    ties = check_choice("ties", ties, TIES)
    time, event = _time_and_event(y, n)
    bad = ~np.isfinite(time)
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        raise ValueError(f"y must hold finite times, got {time[i]} at position {i}")
    bad = (event != 0.0) & (event != 1.0)
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        raise ValueError(
            "y must hold events that are True or False (1 or 0); without field names its columns are "
            f"[time, event]; got event {event[i]} at position {i}"
        )
    if start is not None:
        start = check_vector("start", start, n, "sample")
        late = ~(start < time) | ~np.isfinite(start)
        _refuse_late(start, time, late)
        (joined, start), resolution = rejoin_ties(time, start)
        _refuse_late(start, time, start >= joined)
        time = joined
    else:
        (time,), resolution = rejoin_ties(time)
    codes = labels = None
    if strata is not None:
        labels, places = np.unique(check_strata(strata, n), return_inverse=True)
        codes = places.astype(np.float64)
    target = SurvivalTarget(time, event, start, codes, labels, ties, resolution)
    check_events(target, weights)
    return target


def _refuse_late(start: Float, time: Float, late: NDArray[np.bool_]) -> None:
    if late.any():
        i = int(np.flatnonzero(late)[0])
        raise ValueError(
            "start must hold finite numbers less than the times of y, "
            f"got {start[i]} at position {i}, where the time is {time[i]}"
        )


def rejoin_ties(*times: Float) -> tuple[list[Float], float]:
    """Make times equal that differ by rounding alone, as 0.1 + 0.2 and 0.3 do; also return how near that is.

    The rule is that of R's survival (its `timefix`): of all times in order, those that follow each other by
    at most 1.5e-8 of their mean size are the same time, the smallest of them.
    """
    each = np.unique(np.concatenate(times))
    resolution = ROUNDING * float(np.mean(np.abs(each)))
    first = np.concatenate([[True], each[1:] - each[:-1] > resolution])
    smallest = each[first][np.cumsum(first) - 1]
    return [smallest[np.searchsorted(each, part)] for part in times], resolution


def check_events(target: SurvivalTarget, weights: Float, where: str = "y") -> None:
    """Refuse times from which nothing can be learnt: no event, or none with anybody else at risk."""
    if not np.any(target.event[weights > 0.0]):
        raise ValueError(f"{where} must hold an event with positive weight, got censored times only")
    try:
        _core.cox_saturated(target.time, target.core, weights)
    except ValueError as error:
        raise ValueError(
            f"{where} must hold an event at whose time another sample is at risk, got none"
        ) from error


def _time_and_event(y: Any, n: int) -> tuple[Float, Float]:
    array = np.asarray(y)
    names = array.dtype.names
    if names is not None:
        events = [name for name in names if array.dtype[name].kind == "b"]
        if array.ndim != 1 or len(names) != 2 or len(events) != 1:
            raise ValueError(
                "y must be a structured array of two fields, a boolean event and a time, "
                f"got fields {', '.join(f'{name} ({array.dtype[name]})' for name in names)}"
            )
        (other,) = (name for name in names if name != events[0])
        array = np.column_stack([array[other].astype(np.float64), array[events[0]].astype(np.float64)])
    refuse_text("y", array)
    try:
        array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"y must hold times and events, got values of type {array.dtype}") from error
    if array.shape != (n, 2):
        raise ValueError(
            "y must hold a time and an event per sample: a structured (event, time) array or columns "
            f"[time, event], shape ({n}, 2); got shape {array.shape}"
        )
    return np.ascontiguousarray(array[:, 0]), np.ascontiguousarray(array[:, 1])


def check_strata(strata: Any, n: int) -> NDArray[Any]:
    """Return labels, one per sample, as an array of numbers or text, whatever held them."""
    array = np.asarray(strata)
    if array.shape != (n,):
        raise ValueError(f"strata must hold one label per sample, shape ({n},), got shape {array.shape}")
    if array.dtype.kind in ("O", "T"):  # text of pandas, of numpy 2, or a mixture
        for i, label in enumerate(array.tolist()):
            if not isinstance(label, str) and (label is None or str(label) in ABSENT):
                raise ValueError(f"strata must hold a label for every sample, got {label} at position {i}")
        if len({isinstance(label, str) for label in array.tolist()}) > 1:
            raise TypeError("strata must hold labels of one kind, numbers or text, got both")
        array = np.array(array.tolist())
    if array.dtype.kind not in "USiufb":
        raise TypeError(f"strata must hold numbers or text, got values of type {array.dtype}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("strata must hold labels, got NaN or infinity")
    return array


def concordance(target: SurvivalTarget, eta: Float, weights: Float) -> Float:
    """Harrell's c of each column of eta; NaN when no samples are comparable."""
    return np.asarray(_core.concordance(target.time, target.core, weights, np.asfortranarray(eta)))


def check_comparable(target: SurvivalTarget, weights: Float, where: str) -> None:
    """Refuse held-out times of which no two can be put in order."""
    if np.isnan(concordance(target, np.zeros((len(target), 1)), weights)[0]):
        raise ValueError(f"scoring='concordance': {where} must hold samples that can be compared, got none")


def deviance(target: SurvivalTarget, eta: Float, train: Float, test: Float) -> Float:
    """What the held-out samples add to minus twice the log partial likelihood, over their weight.

    Their own partial likelihood would compare them among each other only; the difference of that of all and
    that of the training samples compares them to those as well (Verweij & van Houwelingen 1993).
    """
    both = np.where(train > 0.0, train, test)
    added = target.objective(eta, both) - target.objective(eta, train)
    return np.asarray(2.0 * added / test.sum())


SURVIVAL_SCORERS: dict[str, Callable[[SurvivalTarget, Float, Float, Float], Float]] = {
    "deviance": deviance,
    "concordance": lambda target, eta, train, test: concordance(target, eta, test),
}
