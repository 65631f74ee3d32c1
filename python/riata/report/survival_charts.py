"""Survival of samples held out, in thirds by score: Kaplan-Meier curves with the numbers at risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from riata._input.survival import rejoin_ties
from riata.report.charts import Frame, nice_ticks, number, spread, svg

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
    frame = Frame(first, last, 0.0, 1.0, height=396 + _ROW * len(groups), left=136, right=120, top=16,
                  bottom=84 + _ROW * len(groups))  # fmt: skip
    ticks = nice_ticks(first, last)
    parts = _grid(frame, ticks, x_label, y_label)
    for group in groups:
        x = np.concatenate([[first], np.repeat(group.times, 2), [group.y["time"].max()]])
        y = np.repeat(np.concatenate([[1.0], group.survival]), 2)
        parts.append(f'<polyline class="curve {group.colour}" points="{frame.points(x, y)}"/>')
    parts += _names(frame, groups)
    top = frame.height - frame.bottom + 72
    parts.append(f'<text class="label" x="12" y="{top - _ROW:.0f}">at risk</text>')
    for row, group in enumerate(groups):
        y_text = top + _ROW * row
        parts.append(f'<text class="name {group.colour}" x="12" y="{y_text}">{escape(group.name)}</text>')
        parts += [
            f'<text class="tick" x="{frame.x(t):.1f}" y="{y_text}" text-anchor="middle">'
            f"{group.at_risk(t):,}</text>"
            for t in ticks
        ]
    return svg(frame, parts, "Kaplan-Meier curves by thirds of the score")


def _names(frame: Frame, groups: Sequence[Group]) -> list[str]:
    """Names of the curves at their ends, pushed apart where they would overlap."""
    ends = [float(group.survival[-1]) if len(group.survival) else 1.0 for group in groups]
    order = sorted(range(len(groups)), key=lambda k: -ends[k])
    placed = spread([frame.y(ends[k]) for k in order], 17.0, frame.top, frame.height - frame.bottom)
    out = []
    for k, y in zip(order, placed, strict=True):
        x = frame.x(float(groups[k].y["time"].max()))
        out.append(
            f'<path class="lead" d="M{x:.1f} {frame.y(ends[k]):.1f} L{frame.width - frame.right + 12} '
            f'{y:.1f}"/><text class="name {groups[k].colour}" x="{frame.width - frame.right + 16}" '
            f'y="{y + 4:.1f}">{escape(groups[k].name)}</text>'
        )
    return out


def _grid(frame: Frame, ticks: Sequence[float], x_label: str, y_label: str) -> list[str]:
    bottom, side = frame.height - frame.bottom, frame.width - frame.right
    out = []
    for t in nice_ticks(0.0, 1.0, 5):
        y = frame.y(t)
        out.append(
            f'<line class="grid" x1="{frame.left}" x2="{side}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{frame.left - 8}" y="{y + 4:.1f}" text-anchor="end">{number(t)}</text>'
        )
    for t in ticks:
        x = frame.x(t)
        out.append(
            f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}"/>'
            f'<text class="tick" x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{number(t)}</text>'
        )
    middle = (frame.top + bottom) / 2
    out.append(
        f'<line class="axis" x1="{frame.left}" x2="{side}" y1="{bottom}" y2="{bottom}"/>'
        f'<text class="label" x="{(frame.left + side) / 2:.0f}" y="{bottom + 40}" text-anchor="middle">'
        f"{escape(x_label)}</text>"
        f'<text class="label" transform="translate(88 {middle:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>"
    )
    return out
