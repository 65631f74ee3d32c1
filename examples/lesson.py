"""What all lessons share: the look of their figures, and how they are run and saved."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

BLUE, ORANGE, GREEN, PINK = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
OCHRE, SKY, PURPLE, INK = "#b58900", "#56b4e9", "#6a3d9a", "#333333"
GREY, SOFT = "#b9c0c7", "#59636e"

#: What stands for what in every figure. Line styles differ too, so that greyscale prints can be read.
LASSO: dict[str, Any] = {"color": BLUE, "ls": "-", "lw": 2.0}
RIDGE: dict[str, Any] = {"color": ORANGE, "ls": (0, (5, 2)), "lw": 2.0}
PLAIN: dict[str, Any] = {"color": SOFT, "ls": ":", "lw": 1.6}

#: ``path_effects`` of a text that stands on lines.
HALO = [withStroke(linewidth=3, foreground="white")]

LOOK = {
    "font.family": "DejaVu Sans",  # comes with Matplotlib, so that figures are the same everywhere
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e7ea",
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.handlelength": 2.8,
    "figure.facecolor": "white",
    "savefig.dpi": 150,
    "svg.hashsalt": "riata",
}
WIDTH = 7.2  # inches: 700 pixels in a README

Lesson = Callable[[], dict[str, Figure]]


def blank_figure(height: float) -> Figure:
    """Return a figure of `height` inches, without the state that pyplot keeps."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    return figure


def new_figure(height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """Return a figure of `height` inches and its axes."""
    figure = blank_figure(height)
    return figure, figure.subplots(rows, columns, **options)


def run(lesson: Lesson, folder: Path, kind: str = "svg") -> list[Path]:
    """Run a lesson and save its figures as ``folder/NAME.kind``; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    with mpl.rc_context(LOOK):
        for name, figure in lesson().items():
            files.append(folder / f"{name}.{kind}")
            figure.savefig(files[-1], metadata={"Date": None} if kind == "svg" else None)
    return files


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return the parser of ``python LESSON.py [FOLDER] [--kind svg|png]``."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    here = Path(__file__).resolve().parent / "gallery"
    parser.add_argument("folder", nargs="?", type=Path, default=here, help="for the figures (%(default)s)")
    parser.add_argument("--kind", choices=("svg", "png"), default="svg")
    return parser


def main(lesson: Lesson, description: str | None) -> None:
    """Run a lesson as a program."""
    given = arguments(description).parse_args()
    for file in run(lesson, given.folder, given.kind):
        print("wrote", file)
