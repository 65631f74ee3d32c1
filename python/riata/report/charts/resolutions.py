"""What was selected along the genome at several resolutions: a row for each, a bar for each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from riata._io.tables import Table
from riata.genetics.genome import chromosomes, drawn_positions
from riata.report.charts.description import Axis
from riata.report.charts.figure import prepared, shades
from riata.report.charts.genome import bands, below, chromosome_label, spans
from riata.report.charts.scales import nice_ticks
from riata.report.charts.svg import Frame, element, filled_as, line, svg, text, x_label
from riata.study.account import Stretch

ROW, BAR, LEAST = 34, 18, 4.0  # pixels of a row and a bar, and of the width that can be seen


@dataclass(frozen=True)
class Bar:
    """A group that was selected: its chromosome, first and last place there, and what it is."""

    chromosome: str
    first: float
    last: float
    told: str


@dataclass(frozen=True)
class Resolutions:
    """Rows of bars along the genome, the coarsest resolution first.

    Attributes
    ----------
    genome : sequence of Stretch
        Chromosomes in reading order.
    rows : list of (str, sequence of Bar)
        What each row is called, and its bars.
    starts, ends : list of float
        Where each chromosome begins and ends on the common axis.
    """

    genome: Sequence[Stretch]
    rows: Sequence[tuple[str, Sequence[Bar]]]
    starts: list[float] = field(init=False)
    ends: list[float] = field(init=False)

    def __post_init__(self) -> None:
        starts, ends = spans(self.genome)
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "ends", ends)

    def span(self, bar: Bar) -> tuple[float, float]:
        """Return where a bar begins and ends on the common axis."""
        places = zip(self.genome, self.starts, strict=True)
        offset = next(start - s.first for s, start in places if s.name == bar.chromosome)
        return offset + bar.first, offset + bar.last

    @property
    def title(self) -> str:
        """What the chart shows, for those who cannot see it."""
        return f"Groups selected along the genome at {len(self.rows)} resolutions"


def resolutions_chart(selections: Sequence[Any], names: Sequence[str]) -> Resolutions:
    """Describe what several `KnockoffSelected` of the same variants selected along the genome."""
    variants = selections[0].variants
    table = Table({"chrom": variants.chrom, "pos": variants.pos})
    genome = chromosomes(table, variants.chromosome_set)
    rows = []
    for found, name in zip(selections, names, strict=True):
        bars = []
        for item in found.selected.tolist():
            members = variants.rows(found.members(item))
            at = drawn_positions(genome, members)
            where = variants.chromosome_set.plain(str(variants.chrom[int(members[0])]))
            told = f"{found.item_name(item)}, W {found.W[item]:.3g}"
            bars.append(Bar(where, float(at.min()), float(at.max()), told))
        rows.append((name, bars))
    return Resolutions([Stretch(c.name, *c.extent, c.placed) for c in genome], rows)


def resolutions_svg(chart: Resolutions) -> Markup:
    """Draw the rows as SVG."""
    left = 20 + round(7.0 * max(len(name) for name, _ in chart.rows))
    height = 16 + ROW * len(chart.rows) + 50
    frame = Frame(
        Axis(below(chart.genome), 0.0, chart.ends[-1]), Axis("", 0.0, float(len(chart.rows))),
        height=height, top=16, bottom=50, left=left,
    )  # fmt: skip
    parts = [*bands(frame, chart.genome, chart.starts, chart.ends), x_label(frame, frame.across.label)]
    for row, (name, bars) in enumerate(chart.rows):
        middle = frame.top + ROW * (row + 0.5)
        parts.append(line("grid", frame.left, middle, frame.side, middle))
        parts.append(text("tick", frame.left - 8, middle + 4, name, "end"))
        for bar in bars:
            first, last = (frame.x(value) for value in chart.span(bar))
            wide = max(last - first, LEAST)
            parts.append(
                element(
                    "rect", element("title", bar.told), class_=filled_as(row % 8), width=wide,
                    x=(first + last - wide) / 2, y=middle - BAR / 2, height=float(BAR), rx="1.5",
                )
            )  # fmt: skip
    return svg(frame, parts, chart.title)


def draw_resolutions(chart: Resolutions, ax: Any = None) -> Any:
    """Draw the rows with Matplotlib; return the axes."""
    ax = prepared(ax)
    colours = shades(ax)
    least = LEAST / 800 * chart.ends[-1]
    for row, (_, bars) in enumerate(chart.rows):
        pieces = [(first, max(last - first, least)) for first, last in map(chart.span, bars)]
        ax.broken_barh(pieces, (row - 0.3, 0.6), color=colours[f"s{row % 8}"], zorder=2)
    ax.set_yticks(range(len(chart.rows)), [name for name, _ in chart.rows])
    ax.set_ylim(len(chart.rows) - 0.5, -0.5)
    ax.set_xlim(0.0, chart.ends[-1])
    ax.set_xlabel(below(chart.genome))
    if len(chart.genome) == 1 and chart.genome[0].placed:
        one = chart.genome[0]
        ticks = nice_ticks(one.first / 1e6, one.last / 1e6, 8)
        ax.set_xticks([1e6 * tick - one.first for tick in ticks], [f"{tick:g}" for tick in ticks])
    else:
        for k, (start, end) in enumerate(zip(chart.starts, chart.ends, strict=True)):
            if k % 2 == 0:
                ax.axvspan(start, end, color=colours["grey"], alpha=0.15, lw=0, zorder=0)
        middles = [(a + b) / 2 for a, b in zip(chart.starts, chart.ends, strict=True)]
        ax.set_xticks(middles, [chromosome_label(stretch) for stretch in chart.genome])
    return ax
