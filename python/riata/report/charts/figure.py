"""Charts with Matplotlib, which is imported when one is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from riata._io.extras import needs
from riata.report.charts.description import Chart, Curve, apart
from riata.report.charts.scales import cut, spread
from riata.report.styles import palette

MAX_NAME = 24  # characters of a name beside a curve


def pyplot() -> Any:
    """Return Matplotlib's pyplot; ImportError says how to get it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise needs("plotting", "Matplotlib") from None
    return plt


def shades(ax: Any) -> dict[str, str]:
    """Return the colours that are legible on the background of some axes."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(ax.get_facecolor())
    return palette(dark=0.299 * red + 0.587 * green + 0.114 * blue < 0.5)


def _lifted(ax: Any) -> list[Any]:
    """Return the effect that keeps lines away from words written over them."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=3, foreground=ax.get_facecolor())]


def prepared(ax: Any = None) -> Any:
    """Return axes with quiet lines: those given, or those of a new figure."""
    if ax is None:
        _, ax = pyplot().subplots(figsize=(7.2, 4.4), layout="constrained")
    soft, grey = (shades(ax)[name] for name in ("soft", "grey"))
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(soft)
    ax.tick_params(colors=soft, labelsize=9)
    ax.xaxis.label.set_color(soft)
    ax.yaxis.label.set_color(soft)
    ax.grid(axis="y", color=grey, alpha=0.35, lw=0.8)
    ax.set_axisbelow(True)
    return ax


def draw(chart: Chart, ax: Any, title: str = "") -> Any:
    """Draw a chart on prepared axes."""
    colours = shades(ax)
    for curve in reversed(chart.curves):
        _curve(ax, curve, colours)
    _stems(ax, chart, colours)
    if chart.zero:
        ax.axhline(0.0, color=colours["soft"], lw=0.8, zorder=1)
    if chart.band is not None:
        ax.fill_between(*chart.band, color=colours["s0"], alpha=0.2, lw=0)
    if chart.dot is not None:
        x, y = chart.dot
        ax.plot(x, y, "o", ms=7, mfc=ax.get_facecolor(), mec=colours["s0"], mew=1.8, zorder=4)
    ax.set_xlabel(chart.x.label)
    ax.set_ylabel(chart.y.label)
    if title:
        ax.set_title(title, loc="left", fontsize=10, color=colours["soft"])
    if chart.x.log:
        ax.set_xscale("log")
    ax.set_xlim(chart.x.first, chart.x.last)
    _counts(ax, chart, colours["soft"])
    _levels(ax, chart, colours["soft"])
    _marks(ax, chart, colours["soft"])
    _end_labels(ax, [curve for curve in chart.curves if curve.label], colours)
    return ax


def _of(curve: Curve, colours: dict[str, str], rest: str) -> str:
    return colours[rest if curve.colour is None else f"s{curve.colour}"]


def _curve(ax: Any, curve: Curve, colours: dict[str, str]) -> None:
    rest = curve.colour is None
    ax.plot(
        curve.x, curve.y, color=_of(curve, colours, "grey"), lw=0.7 if rest else 1.6, zorder=2 if rest else 3,
        solid_joinstyle="round",
    )  # fmt: skip


def _stems(ax: Any, chart: Chart, colours: dict[str, str]) -> None:
    if chart.stems:
        fills = [colours["grey" if stem.colour is None else f"s{stem.colour}"] for stem in chart.stems]
        ax.bar([stem.x for stem in chart.stems], [stem.y for stem in chart.stems], color=fills, zorder=2)
        ax.set_ylim(chart.y.first, chart.y.last)
    for stem in apart(chart.stems, 0.03 * (chart.x.last - chart.x.first)):
        ax.annotate(
            cut(stem.label, MAX_NAME), (stem.x, stem.y), xytext=(2, 3), textcoords="offset points",
            fontsize=8.5, rotation=50, rotation_mode="anchor", path_effects=_lifted(ax),
        )  # fmt: skip


def _counts(ax: Any, chart: Chart, soft: str) -> None:
    """Write the numbers along the top."""
    top = ax.secondary_xaxis("top")
    top.set_xticks([x for x, _ in chart.counts], [words for _, words in chart.counts])
    top.minorticks_off()
    top.spines["top"].set_visible(False)
    top.tick_params(colors=soft, labelsize=9, length=0)
    top.set_xlabel(chart.counted, color=soft, fontsize=9)


def _levels(ax: Any, chart: Chart, soft: str) -> None:
    for level in chart.levels:
        below = chart.y.share(level.value) < 0.5 and level.value < 0.0
        ax.axhline(level.value, color=soft, lw=1.0, ls=":", zorder=1)
        ax.annotate(
            level.text, (1.0, level.value), xycoords=("axes fraction", "data"),
            xytext=(-4, -4 if below else 4), textcoords="offset points", fontsize=9, color=soft, ha="right",
            va="top" if below else "bottom", path_effects=_lifted(ax),
        )  # fmt: skip


def _marks(ax: Any, chart: Chart, soft: str) -> None:
    from matplotlib import rcParams

    strong = rcParams["text.color"]  # legible on the background of any style
    for row, mark in enumerate(chart.marks):
        colour = strong if mark.strong else soft
        ax.axvline(mark.value, color=colour, lw=1.0, ls=(0, (3, 3)), zorder=1)
        right = chart.x.share(mark.value) > 0.75
        ax.annotate(
            mark.text, (mark.value, 0.97 - 0.07 * row), xycoords=("data", "axes fraction"),
            xytext=(-4 if right else 4, 0), textcoords="offset points", fontsize=9, color=colour, va="top",
            ha="right" if right else "left", path_effects=_lifted(ax),
        )  # fmt: skip


def _end_labels(ax: Any, curves: list[Curve], colours: dict[str, str]) -> None:
    """Write names beside the ends of curves, kept apart."""
    if not curves:
        return
    low, high = ax.get_ylim()
    ends = np.array([curve.y[-1] for curve in curves])
    order = np.argsort(ends, kind="stable")
    heights = spread(ends[order].tolist(), 0.05 * (high - low), low, high)
    for k, height in zip(order.tolist(), heights, strict=True):
        curve = curves[k]
        ax.annotate(
            cut(curve.label, MAX_NAME), (curve.x[-1], curve.y[-1]), xytext=(1.015, height),
            textcoords=("axes fraction", "data"), fontsize=8.5, va="center",
            color=_of(curve, colours, "soft"), annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colours["grey"], "lw": 0.6, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
