"""Time against certified suboptimality, riata and peers, one panel a problem.

python bench/compare/figure.py bench/results/ar.csv --out bench/results/time-against-gap.svg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from results import by_problem, concave, title
from summary import by_package, error

COLOURS = {
    "riata": "#c8102e",
    "sklearn": "#e08e00",
    "celer": "#3b7dd8",
    "skglm": "#2a9d8f",
    "adelie": "#7b5ea7",
    "glmnet": "#6b6b6b",
    "glmstar": "#17807e",
    "sortedl1": "#8c564b",
}
YARDSTICKS = {
    False: "suboptimality, share of the null objective",
    True: "largest violation of stationarity / alpha",
}
FLOOR = 1e-14  # rounding: nothing smaller is meaningful
PANELS_A_ROW = 3


def draw(rows: list[dict], ax: Axes) -> None:
    """One line a package, one marker a tolerance setting; down and left is better."""
    for package, settings in by_package(rows).items():
        finished = [row for row in settings if row["status"] == "ok" and row["seconds"]]
        if not finished:
            continue
        ours, colour = package == "riata", COLOURS[package]
        x = [float(row["seconds"]) for row in finished]
        y = [max(error(row), FLOOR) for row in finished]
        ax.plot(
            x,
            y,
            "o-",
            color=colour,
            lw=2.2 if ours else 1.2,
            ms=5.5 if ours else 3.5,
            zorder=3 if ours else 2,
        )
        weight = "bold" if ours else "normal"
        offset = {"xytext": (5, 4), "textcoords": "offset points"}
        ax.annotate(package, (x[-1], y[-1]), color=colour, fontweight=weight, **offset)
    ax.set(xscale="log", yscale="log", ylim=(FLOOR / 3, 2.0))
    ax.margins(x=0.15)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(which="major", color="#e6e6e6", lw=0.6)
    first = rows[0]
    loss, size = title(first)
    ax.set_title(f"{loss}, {first['kind']}, {size}", fontsize=10, loc="left")
    ax.set_xlabel("seconds for the whole path")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="+", help="CSV files that run.py wrote")
    parser.add_argument("--out", type=Path, required=True, help="image to write: .svg, .png or .pdf")
    args = parser.parse_args()
    groups = by_problem(args.results)
    mpl.rcParams.update({"svg.hashsalt": "riata", "font.size": 9})
    columns = min(len(groups), PANELS_A_ROW)
    n_rows = -(-len(groups) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.6 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, columns, squeeze=False)
    for ax in axes.flat[len(groups) :]:
        ax.set_visible(False)
    for at, (ax, rows) in enumerate(zip(axes.flat, groups, strict=False)):
        draw(rows, ax)
        if at % columns == 0 or concave(rows[0]):
            ax.set_ylabel(YARDSTICKS[concave(rows[0])])
    figure.savefig(args.out, dpi=200, metadata={"Date": None} if args.out.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
