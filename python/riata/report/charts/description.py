"""What a chart shows, whoever draws it: axes, curves, a band, and lines that mark a place or a level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from riata.report.charts.scales import log_ticks, nice_ticks, number

Float = NDArray[np.float64]

#: Curves told apart by colour; the rest are grey.
N_COLOURS = 8
#: Enough for ticks to be written as what they are: 172.5, not 172.
TICK_DIGITS = 7


@dataclass(frozen=True)
class Axis:
    """An axis from `first`, at the left or the bottom, to `last`; logarithmic where `log`."""

    label: str
    first: float
    last: float
    log: bool = False

    def share(self, value: float) -> float:
        """Return where a value stands: 0 at the beginning of the axis, 1 at its end."""
        first, last, place = (math.log10(v) if self.log else v for v in (self.first, self.last, value))
        return (place - first) / ((last - first) or 1.0)

    def ticks(self, about: int = 6) -> list[tuple[float, str]]:
        """Return round values within the axis, and how each is written."""
        low, high = sorted((self.first, self.last))
        if self.log:
            values = [10.0**t for t in log_ticks(math.log10(low), math.log10(high))]
        else:
            values = nice_ticks(low, high, about)
        return [(value, number(value, TICK_DIGITS)) for value in values]


@dataclass(frozen=True)
class Curve:
    """A line through points; `colour` counts from 0, None is one of the rest; `label` stands at its end."""

    x: Float
    y: Float
    name: str = ""
    colour: int | None = None
    label: str = ""


@dataclass(frozen=True)
class Mark:
    """A line across the chart at a value of the horizontal axis, and what it is called."""

    value: float
    text: str
    strong: bool = False


@dataclass(frozen=True)
class Level:
    """A line across the chart at a value of the vertical axis, and what it is called."""

    value: float
    text: str


@dataclass(frozen=True)
class Stem:
    """A bar from zero to `y`; `colour` as of a curve, `name` for a pointer on it, `label` beside its end."""

    x: float
    y: float
    name: str = ""
    colour: int | None = None
    label: str = ""


def apart(stems: Sequence[Stem], gap: float) -> list[Stem]:
    """Return those with a label that are at least `gap` apart, from the left on."""
    out: list[Stem] = []
    for stem in stems:
        if stem.label and (not out or stem.x - out[-1].x >= gap):
            out.append(stem)
    return out


@dataclass(frozen=True)
class Chart:
    """Everything that a chart shows.

    Attributes
    ----------
    title : str
        For those who cannot see it.
    x, y : Axis
    curves : sequence of Curve
        The first lie above the others.
    counts : sequence of (value, str)
        Written above the chart, at values of the horizontal axis, under `counted`.
    band : (x, low, high), optional
    dot : (x, y), optional
        A point that is pointed out.
    marks : sequence of Mark
    levels : sequence of Level
    stems : sequence of Stem
        One at each whole number of the horizontal axis.
    zero : bool
        Whether there is a line at 0.
    """

    title: str
    x: Axis
    y: Axis
    curves: Sequence[Curve]
    counts: Sequence[tuple[float, str]] = ()
    counted: str = "active features"
    band: tuple[Float, Float, Float] | None = None
    dot: tuple[float, float] | None = None
    marks: Sequence[Mark] = ()
    levels: Sequence[Level] = ()
    stems: Sequence[Stem] = ()
    zero: bool = False
