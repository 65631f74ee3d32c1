"""Charts as SVG, small and without a dependency: colours are those of the page's style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from riata.report.charts.description import Axis, Chart, Curve, Level, Mark, Stem, apart
from riata.report.charts.scales import cut, spread

Float = NDArray[np.float64]

_CHARACTER = 7.8  # pixels of one in the margin, on average of a wide font
_LINE = 17.0  # pixels from one name in the margin to the next


@dataclass(frozen=True)
class Frame:
    """A plotting area within an SVG of ``width`` x ``height``: data to pixels."""

    across: Axis
    up: Axis
    width: int = 860
    height: int = 380
    left: int = 64
    right: int = 24
    top: int = 58
    bottom: int = 52

    @property
    def side(self) -> int:
        """The pixel of the right edge of the area."""
        return self.width - self.right

    @property
    def floor(self) -> int:
        """The pixel of the lower edge of the area."""
        return self.height - self.bottom

    def x(self, value: float) -> float:
        """Return the horizontal pixel of a data value."""
        return self.left + (self.side - self.left) * self.across.share(value)

    def y(self, value: float) -> float:
        """Return the vertical pixel of a data value."""
        return self.floor - (self.floor - self.top) * self.up.share(value)

    def points(self, x: Float, y: Float) -> str:
        """Return the points attribute of a polyline."""
        return " ".join(
            f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)
        )


def element(tag: str, *inside: Any, **given: Any) -> Markup:
    """Return an element, everything in it escaped that is no Markup.

    Attributes are named as in Python, ``class_`` and ``text_anchor``; floats are written with one decimal,
    and those that are None or empty are left out.
    """
    attributes = Markup().join(
        Markup(' {}="{}"').format(
            name.rstrip("_").replace("_", "-"), f"{value:.1f}" if isinstance(value, float) else value
        )
        for name, value in given.items()
        if value not in (None, "")
    )
    if not inside:
        return Markup("<{}{}/>").format(tag, attributes)
    return Markup("<{0}{1}>{2}</{0}>").format(tag, attributes, Markup().join(inside))


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """Return a straight line between two pixels."""
    return element("line", class_=kind, x1=float(x1), x2=float(x2), y1=float(y1), y2=float(y2))


def text(kind: str, x: float, y: float, words: str, anchor: str = "") -> Markup:
    """Return words at a pixel; `anchor` is "middle", "end" or empty, where they begin there."""
    return element("text", words, class_=kind, x=float(x), y=float(y), text_anchor=anchor)


def polyline(kind: str, points: str, told: str = "") -> Markup:
    """Return a line through points; `told` is shown by a pointer that rests on it."""
    return element("polyline", *([element("title", told)] if told else []), class_=kind, points=points)


def svg(frame: Frame, parts: Iterable[Markup], title: str) -> Markup:
    """Return a chart of ready parts; `title` says what it shows to those who cannot see it."""
    box = f"0 0 {frame.width} {frame.height}"
    wide = "wide" if frame.width > 600 else None
    # the attributes of SVG have capitals
    return Markup('<svg{} viewBox="{}" role="img" aria-label="{}">{}</svg>').format(
        Markup(' class="wide"') if wide else "", box, title, Markup().join(parts)
    )


def y_axis(frame: Frame, about: int = 6) -> list[Markup]:
    """Return lines at round values, the values beside them, and what they are."""
    parts = []
    for value, words in frame.up.ticks(about):
        y = frame.y(value)
        parts += [
            line("grid", frame.left, y, frame.side, y),
            text("tick", frame.left - 8, y + 4, words, "end"),
        ]
    middle = (frame.top + frame.floor) / 2
    turned = f"translate({frame.left - 49} {middle:.0f}) rotate(-90)"
    parts.append(element("text", frame.up.label, class_="label", transform=turned, text_anchor="middle"))
    return parts


def x_ticks(frame: Frame, ticks: Sequence[tuple[float, str]]) -> list[Markup]:
    """Return strokes below the area at some values, and what is written at them."""
    parts = []
    for value, words in ticks:
        x = frame.x(value)
        parts += [
            line("axis", x, frame.floor, x, frame.floor + 5),
            text("tick", x, frame.floor + 19, words, "middle"),
        ]
    return parts


def x_label(frame: Frame, words: str) -> Markup:
    """Return what the horizontal axis is, below its ticks."""
    return text("label", (frame.left + frame.side) / 2, frame.floor + 43, words, "middle")


def axes(frame: Frame, about: int = 6) -> list[Markup]:
    """Return both axes with their ticks and labels."""
    return [
        *y_axis(frame, about),
        *x_ticks(frame, frame.across.ticks(about)),
        line("axis", frame.left, frame.floor, frame.side, frame.floor),
        x_label(frame, frame.across.label),
    ]


def end_labels(frame: Frame, ends: Sequence[tuple[float, float, str, str]]) -> list[Markup]:
    """Return names in the right margin, pushed apart where they would overlap.

    `ends` are the pixels at which curves end, what they are called, and the class of their colour.
    """
    order = sorted(ends, key=lambda end: end[1])
    placed = spread([y for _, y, _, _ in order], _LINE, frame.top, frame.floor)
    parts = []
    for (x, y, name, kind), place in zip(order, placed, strict=True):
        parts += [
            element("path", class_="lead", d=f"M{x:.1f} {y:.1f} L{frame.side + 12} {place:.1f}"),
            text(f"name {kind}", frame.side + 16, place + 4, name),
        ]
    return parts


def drawn(chart: Chart, size: tuple[int, int] = (860, 380)) -> Markup:
    """Draw a chart; nothing where it has no axis to draw along."""
    width, height = size
    most = int(width / 4 / _CHARACTER)
    labels = [cut(curve.label, most) for curve in chart.curves if curve.label]
    right = round(28 + _CHARACTER * max(map(len, labels))) if labels else 24
    frame = Frame(chart.x, chart.y, width=width, height=height, right=right)
    parts = [*axes(frame), *_counts(frame, chart)]
    if chart.zero:
        parts.append(line("zero", frame.left, frame.y(0.0), frame.side, frame.y(0.0)))
    parts += _stems(frame, chart.stems)
    for level in chart.levels:
        parts += _level(frame, level, left=_strong(chart) > 0.5)
    if chart.band is not None:
        along, low, high = chart.band
        points = f"{frame.points(along, high)} {frame.points(along[::-1], low[::-1])}"
        parts.append(element("polygon", class_="band", points=points))
    parts += [_curve(frame, curve) for curve in reversed(chart.curves)]
    parts += _marks(frame, chart.marks)
    if chart.dot is not None:
        x, y = chart.dot
        parts.append(element("circle", class_="dot", cx=frame.x(x), cy=frame.y(y), r="4.5"))
    ends = [
        (float(frame.side), frame.y(float(curve.y[-1])), cut(curve.label, most), f"s{curve.colour}")
        for curve in chart.curves
        if curve.label
    ]
    return svg(frame, [*parts, *end_labels(frame, ends)], chart.title)


def _curve(frame: Frame, curve: Curve) -> Markup:
    kind = "curve rest" if curve.colour is None else f"curve s{curve.colour}"
    return polyline(kind, frame.points(curve.x, curve.y), curve.name)


def _stems(frame: Frame, stems: Sequence[Stem]) -> list[Markup]:
    """Return bars from zero, with what they are for a pointer that rests on them."""
    if not stems:
        return []
    zero, width = frame.y(0.0), max(0.8 * (frame.x(1.0) - frame.x(0.0)), 0.6)
    parts = []
    for stem in stems:
        y = frame.y(stem.y)
        parts.append(
            element(
                "rect", element("title", stem.name), class_=filled_as(stem.colour), y=min(y, zero),
                x=frame.x(stem.x) - width / 2, width=width, height=max(abs(y - zero), 0.5),
            )
        )  # fmt: skip
    return parts + [
        _turned(frame, stem) for stem in apart(stems, 0.85 * _LINE / (frame.x(1.0) - frame.x(0.0)))
    ]


def _turned(frame: Frame, stem: Stem) -> Markup:
    """Return the name of a bar, rising from its end."""
    x, y = frame.x(stem.x) + 4, frame.y(stem.y) - 6
    place = f"translate({x:.1f} {y:.1f}) rotate(-50)"
    return element("text", cut(stem.label, 24), class_="hitname", transform=place)


def filled_as(colour: int | None) -> str:
    """Return the class of an area of a colour, None for one of the rest."""
    return "fill rest" if colour is None else f"fill s{colour}"


def _counts(frame: Frame, chart: Chart) -> list[Markup]:
    """Return the numbers along the top."""
    if not chart.counts:
        return []
    told = [text("tick", frame.x(x), frame.top - 12, words, "middle") for x, words in chart.counts]
    return [text("label", frame.left, frame.top - 30, chart.counted), *told]


def _strong(chart: Chart) -> float:
    """Return where the mark stands that matters most: 0 on the left, 1 on the right."""
    return next((chart.x.share(mark.value) for mark in chart.marks if mark.strong), 0.0)


def _row(frame: Frame, row: int) -> float:
    """Return where the words of a mark stand, in rows from the top."""
    return frame.top + 14 + 16 * row


def _marks(frame: Frame, marks: Sequence[Mark]) -> list[Markup]:
    """Return lines at the marks, then their words: of a strong one on the right side unless at the edge."""
    lines, words = [], []
    for row, mark in enumerate(marks):
        x, strong = frame.x(mark.value), " strong" if mark.strong else ""
        left = frame.across.share(mark.value) > 0.75 if mark.strong else x - frame.left > 100
        lines.append(line(f"mark{strong}", x, frame.top, x, frame.floor))
        place, anchor = (x - 6, "end") if left else (x + 6, "start")
        words.append(text(f"marktext{strong}", place, _row(frame, row), mark.text, anchor))
    return lines + words


def _level(frame: Frame, level: Level, *, left: bool) -> list[Markup]:
    """Return a line at a value, and what it is at an end of it, away from the words of marks.

    `left` is the end to prefer; there the words of a first mark may stand, and a row below, at the right,
    those of a second.
    """
    y = frame.y(level.value)
    beside = -6 if frame.up.share(level.value) > 0.5 else 15  # away from the curve, which begins near it
    on_first, on_second = (abs(y + beside - _row(frame, row)) < 14 for row in (0, 1))
    left = left and (on_second or not on_first)
    x, anchor = (frame.left + 0.16 * (frame.side - frame.left), "start") if left else (frame.side - 6, "end")
    return [
        line("mark", frame.left, y, frame.side, y),
        text("marktext", x, y + beside, level.text, anchor),
    ]
