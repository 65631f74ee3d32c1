"""Survival of samples held out, in thirds by score: Kaplan-Meier curves with the numbers at risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from riata._input.survival import rejoin_ties
from riata.report.charts.description import Axis
from riata.report.charts.svg import Frame, axes, end_labels, polyline, svg, text

Float = NDArray[np.float64]

_ROW = 18  # pixels of a line of numbers at risk


@dataclass(frozen=True)
class Group:
    """Samples with a curve of their own: survival falls to `survival` at `times`.

    `y` are survival times, of dtype `riata.study.survival_times.TIMES`; `colour` is a class of the style
    sheet.
    """

    name: str
    colour: str
    y: NDArray[Any]
    times: Float
    survival: Float

    def at_risk(self, time: float) -> int:
        """Return how many samples are under observation at a time, which rounding may have moved."""
        earlier = time - rejoin_ties(self.y["time"])[1]
        return int(np.sum((self.y["start"] < earlier) & (self.y["time"] >= earlier)))

    @property
    def median(self) -> float:
        """The time by which half have had an event; NaN when it is not reached."""
        below = np.flatnonzero(self.survival <= 0.5)
        return float(self.times[below[0]]) if len(below) else float("nan")


def kaplan_meier(y: NDArray[Any]) -> tuple[Float, Float]:
    """Return the times of events, increasing, and the share without one after each (Kaplan & Meier 1958).

    Samples are at risk after their start, up to and at their time.
    """
    times, events = np.unique(y["time"][y["event"]], return_counts=True)
    left = np.searchsorted(np.sort(y["time"]), times, side="left")
    to_come = len(y) - np.searchsorted(np.sort(y["start"]), times, side="left")
    return times, np.asarray(np.cumprod(1.0 - events / (len(y) - left - to_come)), dtype=np.float64)


def thirds(y: NDArray[Any], score: Float) -> list[Group]:
    """Part samples in thirds by score, the highest first; equal scores stay together."""
    cuts = np.quantile(score, [1.0 / 3.0, 2.0 / 3.0])
    third = (score > cuts[0]).astype(int) + (score > cuts[1])
    groups = []
    for k, name, colour in ((2, "highest third", "s1"), (1, "middle third", "s7"), (0, "lowest third", "s0")):
        part = y[third == k]
        if len(part):
            groups.append(Group(name, colour, part, *kaplan_meier(part)))
    return groups


def survival_chart(groups: Sequence[Group], x_label: str, y_label: str) -> Markup:
    """Draw a Kaplan-Meier curve for each group, and below it how many are at risk."""
    last = max(float(group.y["time"].max()) for group in groups)
    first = min(0.0, *(float(group.y["time"].min()) for group in groups))
    bottom = 84 + _ROW * len(groups)
    frame = Frame(
        Axis(x_label, first, last), Axis(y_label, 0.0, 1.0), height=312 + bottom, left=136, right=120, top=16,
        bottom=bottom,
    )  # fmt: skip
    parts, ends = axes(frame), []
    for group in groups:
        until = float(group.y["time"].max())
        x = np.concatenate([[first], np.repeat(group.times, 2), [until]])
        y = np.repeat(np.concatenate([[1.0], group.survival]), 2)
        parts.append(polyline(f"curve {group.colour}", frame.points(x, y), group.name))
        ends.append((frame.x(until), frame.y(float(y[-1])), group.name, group.colour))
    parts += end_labels(frame, ends)
    top = frame.floor + 72
    parts.append(text("label", 12, top - _ROW, "at risk"))
    for row, group in enumerate(groups):
        height = top + _ROW * row
        parts.append(text(f"name {group.colour}", 12, height, group.name))
        parts += [
            text("tick", frame.x(t), height, f"{group.at_risk(t):,}", "middle")
            for t, _ in frame.across.ticks()
        ]
    return svg(frame, parts, "Kaplan-Meier curves by thirds of the score")
