"""Effects along the genome: one stem a hit, chromosomes side by side, the strongest named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from riata.report.charts.description import TICK_DIGITS, Axis
from riata.report.charts.scales import cut, nice_ticks, number
from riata.report.charts.svg import Frame, element, line, svg, text, x_label, x_ticks, y_axis
from riata.study.account import Stretch

Float = NDArray[np.float64]

#: Hits that are named, when there is room.
N_NAMED = 10
#: Stems are left out where they would run into one another.
_MAX_STEMS = 400
_CHARACTER = 6.9  # mean width of a character in pixels


@dataclass(frozen=True)
class Hit:
    """A hit to draw: its chromosome, place there, effect, name, and what a pointer resting on it shows."""

    chromosome: str
    place: float
    effect: float
    name: str
    told: str


def genome_chart(genome: Sequence[Stretch], marks: Sequence[Hit], label: str) -> Markup:
    """Draw effects along the genome.

    Parameters
    ----------
    genome : sequence of Stretch
        Chromosomes in reading order; one alone is drawn in megabases.
    marks : sequence of Hit
        Strongest first.
    label : str
        What the height is.
    """
    starts, ends = spans(genome)
    offset = {s.name: start - s.first for s, start in zip(genome, starts, strict=True)}
    effects = np.array([m.effect for m in marks])
    low, high = min(float(effects.min(initial=0.0)), 0.0), max(float(effects.max(initial=0.0)), 0.0)
    pad = 0.16 * (high - low) or 1.0
    frame = Frame(
        Axis(below(genome), 0.0, ends[-1]), Axis(label, low - pad, high + pad), height=360, top=16, bottom=50
    )
    spots = [(frame.x(offset[m.chromosome] + m.place), frame.y(m.effect)) for m in marks]
    parts = [*bands(frame, genome, starts, ends), *y_axis(frame), x_label(frame, frame.across.label)]
    parts += [*_stems(frame, marks, spots), *_names(frame, marks, spots)]
    return svg(frame, parts, "Effects along the genome")


def spans(genome: Sequence[Stretch]) -> tuple[list[float], list[float]]:
    """Return where each chromosome begins and ends on the common axis; none is narrower than 1 %."""
    lengths = np.array([s.last - s.first for s in genome])
    placed = np.array([s.placed for s in genome])
    total = float(lengths[placed].sum()) or 1.0
    # what has no positions counts variants, not base pairs: it gets a twentieth of the width
    lengths = np.where(placed, lengths, total / 20 if placed.any() else np.maximum(lengths, 1.0))
    lengths = np.maximum(lengths, lengths.sum() / 100)
    ends = np.cumsum(lengths)
    return [0.0, *ends[:-1].tolist()], ends.tolist()


def bands(frame: Frame, genome: Sequence[Stretch], starts: list[float], ends: list[float]) -> list[Markup]:
    if len(genome) == 1 and genome[0].placed:
        stretch = genome[0]
        megabases = nice_ticks(stretch.first / 1e6, stretch.last / 1e6, 8)
        return x_ticks(frame, [(t * 1e6 - stretch.first, number(t, TICK_DIGITS)) for t in megabases])
    out = []
    free = 0.0
    for k, stretch in enumerate(genome):
        a, b = frame.x(starts[k]), frame.x(ends[k])
        if k % 2 == 0:
            height = frame.floor - frame.top
            out.append(element("rect", class_="stripe", x=a, y=frame.top, width=b - a, height=height))
        name = cut(chromosome_label(stretch), 14)
        half = 0.5 * _CHARACTER * len(name)
        middle = min((a + b) / 2, frame.width - half)
        if middle - half >= free:
            free = middle + half + 4
            out.append(text("tick", middle, frame.floor + 18, name, "middle"))
    return out


def chromosome_label(stretch: Stretch) -> str:
    """Name a chromosome under the axis."""
    return "unplaced" if stretch.name == "0" else stretch.name


def _stems(frame: Frame, marks: Sequence[Hit], spots: Sequence[tuple[float, float]]) -> list[Markup]:
    zero = frame.y(0.0)
    radius = 3.4 if len(marks) <= 100 else 2.8 if len(marks) <= 600 else 2.2
    out = []
    for mark, (x, y) in reversed(list(zip(marks, spots, strict=True))):
        stem = [line("stem", x, zero, x, y)] if len(marks) <= _MAX_STEMS else []
        head = element("circle", class_="head", cx=x, cy=y, r=radius)
        side = "up" if mark.effect > 0 else "down"
        out.append(element("g", *stem, head, element("title", mark.told), class_=side))
    return [*out, line("zero", frame.left, zero, frame.side, zero)]


def _names(frame: Frame, marks: Sequence[Hit], spots: Sequence[tuple[float, float]]) -> list[Markup]:
    """Name the strongest hits beyond the tips of their stems, leaving out names that would touch."""
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in spots[: 4 * N_NAMED]]
    out = []
    for mark, (x, y) in list(zip(marks, spots, strict=True))[:N_NAMED]:
        name = cut(mark.name, 20)
        width = _CHARACTER * len(name)
        up = mark.effect > 0
        middle = min(max(x, frame.left + width / 2), frame.side - width / 2)
        base = y - 8 if up else y + 17
        box = (middle - width / 2, base - 11, middle + width / 2, base + 3)
        if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
            continue
        taken.append(box)
        out.append(text("hitname", middle, base, name, "middle"))
    return out


def below(genome: Sequence[Stretch]) -> str:
    """Say what the horizontal axis is."""
    if len(genome) > 1:
        return "chromosome"
    if not genome[0].placed:
        return "order in the file: the variants have no positions"
    return f"position on chromosome {chromosome_label(genome[0])}, megabases"
