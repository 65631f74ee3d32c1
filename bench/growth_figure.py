"""The figure of growth.py: time and memory on log axes, one column a line, with the fitted slopes."""

from __future__ import annotations

import math
from pathlib import Path

import matplotlib as mpl
from figure import COLOURS
from growth import place, slope
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

WORDS = {
    "features, 2 bits": ("features, 2-bit genotypes", "500 samples"),
    "features, dense": ("features, dense", "500 samples"),
    "features, sparse": ("features, sparse", "2,000 samples"),
    "samples": ("samples, dense", "2,000 features"),
    "support": ("features in use at the last alpha", "2,000 × 20,000, dense"),
    "alphas": ("alphas", "500 × 20,000, dense"),
}
ROWS = (("seconds", "processor seconds"), ("peak_mb", "MB that the fit adds"))


RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
A_ROW = 3


def plain(value: float, _: object = None) -> str:
    """1,000 and less as they are, above that as powers of ten."""
    if 0.001 <= value <= 1000:
        return f"{value:,g}"
    return "10" + str(round(math.log10(value))).translate(RAISED)


def panel(ax: Axes, packages: dict[str, list[dict]], what: str) -> None:
    """One quantity along one line."""
    for package, rows in packages.items():
        points = sorted(
            (place(row), max(float(row[what]), 0.05 if what == "peak_mb" else 1e-4)) for row in rows
        )
        ours, grown = package == "riata", slope(rows, what)
        colour = COLOURS[package]
        x, y = zip(*points, strict=True)
        ax.plot(
            x, y, "o-", color=colour, lw=2.2 if ours else 1.2, ms=5 if ours else 3.5, zorder=3 if ours else 2
        )
        label = package if grown is None else f"{package}  {grown:.2f}"
        ax.annotate(
            label,
            (x[-1], y[-1]),
            xytext=(-3, 5),
            textcoords="offset points",
            ha="right",
            color=colour,
            fontweight="bold" if ours else "normal",
        )
    ax.set(xscale="log", yscale="log")
    ax.margins(0.1, 0.18)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(numticks=8))
        axis.set_major_formatter(FuncFormatter(plain))
        axis.set_minor_formatter(NullFormatter())
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(which="major", color="#e6e6e6", lw=0.6)


def draw(lines: dict[str, dict[str, list[dict]]], out: Path) -> None:
    """Write the figure: time above memory, three lines beside each other."""
    mpl.rcParams.update({"svg.hashsalt": "riata", "font.size": 9})
    names = [name for name in WORDS if name in lines]
    bands = -(-len(names) // A_ROW)
    figure = Figure(figsize=(4.0 * A_ROW, 5.6 * bands), layout="constrained")
    axes = figure.subplots(2 * bands, A_ROW, squeeze=False)
    for ax in axes.flat:
        ax.set_visible(False)
    for row, (what, _) in enumerate(ROWS):  # one scale for all panels of a quantity
        shown = [axes[2 * (k // A_ROW) + row][k % A_ROW] for k in range(len(names))]
        for ax in shown[1:]:
            ax.sharey(shown[0])
        for ax, name in zip(shown, names, strict=True):
            ax.set_visible(True)
            panel(ax, lines[name], what)
    for k, name in enumerate(names):
        words, held = WORDS[name]
        for row, (_, label) in enumerate(ROWS):
            ax = axes[2 * (k // A_ROW) + row][k % A_ROW]
            ax.set_xlabel(words)
            if k % A_ROW == 0:
                ax.set_ylabel(label)
        axes[2 * (k // A_ROW)][k % A_ROW].set_title(held, fontsize=9, loc="left", color="#555555")
    figure.savefig(out, dpi=120, metadata={"Date": None} if out.suffix == ".svg" else None)
