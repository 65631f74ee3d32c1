"""Description of the chart of a stability selection: how often items are among the first to enter."""

from __future__ import annotations

from typing import Any

import numpy as np

from riata.report.charts.description import N_COLOURS, Axis, Chart, Curve, Level

#: Items drawn that are not selected: the most frequent ones.
MAX_OTHERS = 60


def stability_chart(found: Any, labels: int = 8, noun: str = "features") -> Chart:
    """Describe the stability path of a `StabilitySelected`; the `labels` most frequent items are named."""
    items = found.ranked
    items = items[: max(len(found.selected), 1) + MAX_OTHERS]
    shares = found.first_q(items)
    x = np.arange(1.0, found.plan.q + 1.0)
    selected = set(found.selected.tolist())
    curves = []
    for k, item in enumerate(items.tolist()):
        colour = k if item in selected and k < N_COLOURS else None
        name = found.item_name(item)
        curves.append(Curve(x, shares[k], name, colour, name if k < labels else ""))
    what = "groups" if found.group_names is not None else noun
    share = f"{100 * found.plan.threshold:g} % of the halves"
    return Chart(
        f"How often {what} are among the first to enter the path of a half",
        Axis(f"{what} that each half selects", 1.0, max(float(found.plan.q), 2.0)),
        Axis("share of the halves", 0.0, 1.0),
        curves,
        counted="",
        levels=[Level(found.plan.threshold, share)],
    )
