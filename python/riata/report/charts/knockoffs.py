"""Description of the chart of a knockoff filter: items against the mirror image that chance alone makes."""

from __future__ import annotations

from typing import Any

import numpy as np

from riata.report.charts.description import Axis, Chart, Level, Stem

#: Items drawn: those that are farthest from zero, and all that are selected.
MAX_ITEMS = 150


def knockoff_chart(found: Any, labels: int = 8, noun: str = "features") -> Chart:
    """Describe the statistics W of a `KnockoffSelected`, largest first; the `labels` first are named.

    Upwards are items that stand out from their knockoffs, downwards those whose knockoffs stand out, which
    happens by chance alone: as many as go below the lower line are expected above the upper one by chance.
    """
    W = np.asarray(found.W, dtype=np.float64)
    order = np.argsort(-np.abs(W), kind="stable")
    order = order[W[order] != 0.0]
    selected = set(np.asarray(found.selected).tolist())
    last = max((k for k, item in enumerate(order.tolist()) if item in selected), default=-1)
    order = order[: max(MAX_ITEMS, last + 1)]
    what = "groups" if found.group_names is not None else noun
    T = float(found.threshold) if found.e_values is None else np.inf  # of several draws it is of e-values
    bounded = np.isfinite(T)
    stems = []
    for rank, item in enumerate(order.tolist(), start=1):
        value = float(W[item])
        colour = 0 if item in selected else 1 if bounded and value <= -T else None
        name = found.item_name(item)
        label = name if rank <= labels and value > 0.0 else ""
        stems.append(Stem(float(rank), value, f"{name}: {value:.3g}", colour, label))
    top = float(np.abs(W[order]).max(initial=0.0)) or 1.0
    deepest = float(-W[order].min(initial=0.0))
    low = max(1.2 * deepest, (T if bounded else 0.0) + 0.16 * top, 0.2 * top)
    levels = []
    if bounded:
        levels = [Level(T, "selected above this line"), Level(-T, "its mirror image: chance alone")]
    return Chart(
        f"How far {what} stand out from their knockoffs",
        Axis(f"{what}, the largest difference first", 0.0, max(len(stems), 9) + 1.0),
        Axis("W, below zero where the knockoff is ahead", -low, (1.3 if labels else 1.08) * top),
        [],
        counted="",
        levels=levels,
        stems=stems,
        zero=True,
    )
