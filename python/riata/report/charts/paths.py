"""Descriptions of the two charts of a path: its coefficients, and what cross-validation found along it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.path.path_values import nearest
from riata.report.charts.description import Axis, Chart, Curve, Float, Level, Mark
from riata.report.charts.scales import number, on_log_axis

#: Names of the horizontal axes that coefficients can be drawn along.
X_LABELS = {
    "alpha": "penalty alpha, weaker to the right",
    "l1_norm": "sum of absolute coefficients",
    "deviance_ratio": "share of deviance explained",
}


def path_chart(
    x: Float,
    curves: Float,
    names: Sequence[str],
    n_active: NDArray[np.int64],
    *,
    colours: Sequence[int | None],
    labels: Sequence[int] = (),
    marks: Sequence[Mark] = (),
    xaxis: str = "alpha",
    label: str = "effect of one standard deviation",
    n_counts: int = 9,
) -> Chart:
    """Describe coefficients along a path.

    Parameters
    ----------
    x : (L,) array
        Alphas, decreasing, or what else `xaxis` says.
    curves : (k, L) array
        One row per feature, most important first. Those that are zero throughout are left out.
    names : sequence of k str
    n_active : (L,) array
    colours : sequence of k (int or None)
    labels : sequence of int
        Which curves are named at their ends.
    marks : sequence of Mark
    xaxis : {"alpha", "l1_norm", "deviance_ratio"}
    label : str
        What the height is.
    n_counts : int
        How many numbers of active features to write above, at most.
    """
    x = on_log_axis(x) if xaxis == "alpha" else x
    named = set(labels)
    drawn = []
    for k, y in enumerate(curves):
        if np.any(y != 0.0):
            start = max(int(np.argmax(y != 0.0)) - 1, 0)
            told = names[k] if k in named else ""
            drawn.append(Curve(x[start:], y[start:], names[k], colours[k], told))
    low, high = padded(curves) if curves.size else (-1.0, 1.0)
    return Chart(
        "Coefficients along the regularisation path",
        _along(x, xaxis),
        Axis(label, min(low, 0.0), max(high, 0.0)),
        drawn,
        counts=counts_along(x, n_active, n_counts, log=xaxis == "alpha"),
        marks=marks,
        zero=True,
    )


def cv_chart(
    alphas: Float,
    mean: Float,
    error: Float,
    n_active: NDArray[np.int64],
    *,
    alpha_min: float,
    alpha_1se: float,
    score: str,
    null: float = math.nan,
    null_name: str = "intercept alone",
) -> Chart:
    """Describe a cross-validation curve: the mean over folds, one standard error on each side, and `null`."""
    choices = marks_of_choice(alphas, n_active, alpha_min, alpha_1se)
    best = nearest(alphas, alpha_min)
    alphas = on_log_axis(alphas)
    finite = np.isfinite(mean) & np.isfinite(error)
    x, m, e = alphas[finite], mean[finite], error[finite]
    reach = np.concatenate([m - e, m + e])
    if reach.size and math.isfinite(null):
        reach = np.append(reach, null)
    low, high = padded(reach) if reach.size else (0.0, 1.0)
    return Chart(
        "Cross-validation curve",
        _along(alphas, "alpha"),
        Axis(score, low, high),
        [Curve(x, m, "mean score", 0)],
        counts=counts_along(alphas, n_active, 9, log=True),
        band=(x, m - e, m + e),
        dot=(float(alphas[best]), float(mean[best])),
        marks=choices,
        levels=[Level(null, null_name)] if math.isfinite(null) else (),
    )


def marks_of_choice(
    alphas: Float, n_active: NDArray[np.int64], alpha_min: float, alpha_1se: float
) -> list[Mark]:
    """Return marks at the two choices of a cross-validation, with how many features are active there."""
    best, frugal = (nearest(alphas, alpha) for alpha in (alpha_min, alpha_1se))
    places, counts = on_log_axis(alphas), [f"{int(count)} active" for count in n_active]
    if best == frugal:
        return [Mark(float(places[best]), f"best and 1 SE: {counts[best]}", strong=True)]
    return [
        Mark(float(places[frugal]), f"1 SE: {counts[frugal]}"),
        Mark(float(places[best]), f"best: {counts[best]}", strong=True),
    ]


def mark_of_chosen(alphas: Float, chosen: float) -> Mark:
    """Return a mark at one alpha, which may lie between those of the grid."""
    place = chosen if chosen > 0.0 else float(on_log_axis(alphas)[-1])
    return Mark(place, f"alpha {number(chosen)}", strong=True)


def counts_along(x: Float, n_active: NDArray[np.int64], most: int, *, log: bool) -> list[tuple[float, str]]:
    """Return numbers of active features at places that lie apart."""
    if len(x) == 0:
        return []
    places = np.log(x) if log else x
    wanted = np.linspace(places[0], places[-1], min(most, len(x)))
    shown = sorted({nearest(places, place) for place in wanted})
    return [(float(x[k]), str(int(n_active[k]))) for k in shown]


def padded(values: Any, margin: float = 0.06) -> tuple[float, float]:
    """Return the range of values with some room around it."""
    low, high = float(np.min(values)), float(np.max(values))
    pad = margin * (high - low) or max(abs(high), 1.0) * 0.1
    return low - pad, high + pad


def _along(x: Float, xaxis: str) -> Axis:
    """Return the horizontal axis; one alpha alone stands at its left."""
    log = xaxis == "alpha"
    if len(x) == 0:
        return Axis(X_LABELS[xaxis], 1.0, 0.1, log)
    first, last = (float(x[0]), float(x[-1])) if log else (float(x.min()), float(x.max()))
    if first == last:
        last = first / 10**0.1 if log else first + 1.0
    return Axis(X_LABELS[xaxis], first, last, log)
