"""Effects along the genome: one stem a hit, chromosomes side by side, the strongest named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from riata.report.charts import Frame, nice_ticks, number, svg
from riata.study.account import Stretch

Float = NDArray[np.float64]

#: Hits that are named, when there is room.
N_NAMED = 10
#: Stems are left out where they would run into one another.
_MAX_STEMS = 400
_CHARACTER = 6.9  # mean width of a character in pixels


@dataclass(frozen=True)
class Mark:
    """A hit to draw: its chromosome, place there, effect, name, and what a pointer resting on it shows."""

    chromosome: str
    place: float
    effect: float
    name: str
    told: str


def genome_chart(genome: Sequence[Stretch], marks: Sequence[Mark], label: str) -> Markup:
    """Draw effects along the genome.

    Parameters
    ----------
    genome : sequence of Stretch
        Chromosomes in reading order; one alone is drawn in megabases.
    marks : sequence of Mark
        Strongest first.
    label : str
        What the height is.
    """
    starts, ends = _spans(genome)
    offset = {s.name: start - s.first for s, start in zip(genome, starts, strict=True)}
    effects = np.array([m.effect for m in marks])
    low, high = min(float(effects.min(initial=0.0)), 0.0), max(float(effects.max(initial=0.0)), 0.0)
    pad = 0.16 * (high - low) or 1.0
    frame = Frame(0.0, ends[-1], low - pad, high + pad, height=360, top=16, bottom=50)
    parts = _bands(frame, genome, starts, ends)
    for t in nice_ticks(frame.y0, frame.y1):
        y = frame.y(t)
        parts.append(
            f'<line class="grid" x1="{frame.left}" x2="{frame.width - frame.right}" y1="{y:.1f}" '
            f'y2="{y:.1f}"/>'
            f'<text class="tick" x="{frame.left - 8}" y="{y + 4:.1f}" text-anchor="end">{number(t)}</text>'
        )
    spots = [(frame.x(offset[m.chromosome] + m.place), frame.y(m.effect)) for m in marks]
    parts += _stems(frame, marks, spots)
    parts += _names(frame, marks, spots)
    return svg(frame, [*parts, *_labels(frame, genome, label)], "Effects along the genome")


def _spans(genome: Sequence[Stretch]) -> tuple[list[float], list[float]]:
    """Return where each chromosome begins and ends on the common axis; none is narrower than 1 %."""
    lengths = np.array([s.last - s.first for s in genome])
    placed = np.array([s.placed for s in genome])
    total = float(lengths[placed].sum()) or 1.0
    # what has no positions counts variants, not base pairs: it gets a twentieth of the width
    lengths = np.where(placed, lengths, total / 20 if placed.any() else np.maximum(lengths, 1.0))
    lengths = np.maximum(lengths, lengths.sum() / 100)
    ends = np.cumsum(lengths)
    return [0.0, *ends[:-1].tolist()], ends.tolist()


def _bands(frame: Frame, genome: Sequence[Stretch], starts: list[float], ends: list[float]) -> list[str]:
    bottom = frame.height - frame.bottom
    if len(genome) == 1 and genome[0].placed:
        stretch = genome[0]
        out = []
        for t in nice_ticks(stretch.first / 1e6, stretch.last / 1e6, 8):
            x = frame.x(t * 1e6 - stretch.first)
            out.append(
                f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}"/>'
                f'<text class="tick" x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{number(t)}</text>'
            )
        return out
    out = []
    free = 0.0
    for k, stretch in enumerate(genome):
        a, b = frame.x(starts[k]), frame.x(ends[k])
        if k % 2 == 0:
            out.append(
                f'<rect class="stripe" x="{a:.1f}" y="{frame.top}" width="{b - a:.1f}" '
                f'height="{bottom - frame.top}"/>'
            )
        name = _short(chromosome_label(stretch), 14)
        half = 0.5 * _CHARACTER * len(name)
        middle = min((a + b) / 2, frame.width - half)
        if middle - half >= free:
            free = middle + half + 4
            out.append(
                f'<text class="tick" x="{middle:.1f}" y="{bottom + 18}" text-anchor="middle">'
                f"{escape(name)}</text>"
            )
    return out


def chromosome_label(stretch: Stretch) -> str:
    """Name a chromosome under the axis."""
    return "unplaced" if stretch.name == "0" else stretch.name


def _stems(frame: Frame, marks: Sequence[Mark], spots: Sequence[tuple[float, float]]) -> list[str]:
    zero = frame.y(0.0)
    radius = 3.4 if len(marks) <= 100 else 2.8 if len(marks) <= 600 else 2.2
    out = []
    for mark, (x, y) in reversed(list(zip(marks, spots, strict=True))):
        side = "up" if mark.effect > 0 else "down"
        stem = f'<line class="stem" x1="{x:.1f}" x2="{x:.1f}" y1="{zero:.1f}" y2="{y:.1f}"/>'
        out.append(
            f'<g class="{side}">{stem if len(marks) <= _MAX_STEMS else ""}'
            f'<circle class="head" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'
            f"<title>{escape(mark.told)}</title></g>"
        )
    out.append(
        f'<line class="zero" x1="{frame.left}" x2="{frame.width - frame.right}" y1="{zero:.1f}" '
        f'y2="{zero:.1f}"/>'
    )
    return out


def _names(frame: Frame, marks: Sequence[Mark], spots: Sequence[tuple[float, float]]) -> list[str]:
    """Name the strongest hits beyond the tips of their stems, leaving out names that would touch."""
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in spots[: 4 * N_NAMED]]
    out = []
    for mark, (x, y) in list(zip(marks, spots, strict=True))[:N_NAMED]:
        name = _short(mark.name, 20)
        width = _CHARACTER * len(name)
        up = mark.effect > 0
        middle = min(max(x, frame.left + width / 2), frame.width - frame.right - width / 2)
        base = y - 8 if up else y + 17
        box = (middle - width / 2, base - 11, middle + width / 2, base + 3)
        if any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
            continue
        taken.append(box)
        out.append(
            f'<text class="hitname" x="{middle:.1f}" y="{base:.1f}" text-anchor="middle">'
            f"{escape(name)}</text>"
        )
    return out


def _labels(frame: Frame, genome: Sequence[Stretch], label: str) -> list[str]:
    bottom = frame.height - frame.bottom
    below = "chromosome"
    if len(genome) == 1:
        below = f"position on chromosome {chromosome_label(genome[0])}, megabases"
        if not genome[0].placed:
            below = "order in the file: the variants have no positions"
    return [
        f'<text class="label" x="{(frame.left + frame.width - frame.right) / 2:.0f}" '
        f'y="{frame.height - 8}" text-anchor="middle">{escape(below)}</text>'
        f'<text class="label" transform="translate(15 {(frame.top + bottom) / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">{escape(label)}</text>'
    ]


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "\u2026"
