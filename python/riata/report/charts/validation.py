"""Charts of predictions for samples held out: calibration by tenths, and the ROC curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from riata._io.wording import counted
from riata.report.charts.description import Axis
from riata.report.charts.scales import number
from riata.report.charts.svg import Frame, axes, element, line, polyline, svg, text

Float = NDArray[np.float64]

#: Groups of equal size that a calibration chart compares.
GROUPS = 10
#: Corners of a ROC curve that are drawn: more cannot be seen.
_MAX_CORNERS = 400
_Z = 1.96


@dataclass(frozen=True)
class Calibration:
    """Samples in groups by increasing prediction: means of both, and 95 % limits of the observed mean."""

    predicted: Float
    observed: Float
    low: Float
    high: Float
    sizes: NDArray[np.int64]
    slope: float


def calibrate(y: Float, predicted: Float, *, shares: bool, groups: int = GROUPS) -> Calibration:
    """Compare responses with predictions in groups of about equal size.

    Parameters
    ----------
    y, predicted : (n,) arrays
        On the scale of the response: for two classes 0/1 and probabilities.
    shares : bool
        Whether the means are shares of samples; their limits are then those of Wilson (1927), else
        mean ± 1.96 standard errors.
    groups : int, default 10
    """
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, min(groups, len(order))) if len(part)]
    sizes = np.array([len(part) for part in parts])
    means = np.array([y[part].mean() for part in parts])
    if shares:
        z2 = _Z**2 / sizes
        centre = (means + z2 / 2) / (1 + z2)
        half = _Z * np.sqrt(means * (1 - means) / sizes + z2 / (4 * sizes)) / (1 + z2)
    else:
        centre = means
        spread = np.array([y[part].std(ddof=1) if len(part) > 1 else 0.0 for part in parts])
        half = _Z * spread / np.sqrt(sizes)
    deviation = predicted - predicted.mean()
    varies = float(deviation @ deviation)
    slope = float(deviation @ (y - y.mean())) / varies if varies > 0.0 else float("nan")
    return Calibration(
        predicted=np.array([predicted[part].mean() for part in parts]),
        observed=means,
        low=centre - half,
        high=centre + half,
        sizes=sizes,
        slope=slope,
    )


def roc_curve(y: Float, score: Float) -> tuple[Float, Float]:
    """Return the corners of the ROC curve: shares of controls and of cases above each threshold."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    cases = np.cumsum(y[order])[ends]
    controls = ends + 1 - cases
    return np.append(0.0, controls / controls[-1]), np.append(0.0, cases / cases[-1])


def calibration_chart(result: Calibration, x_label: str, y_label: str, *, whiskers: bool = True) -> Markup:
    """Draw observed against predicted means with the line on which they agree, `whiskers` at their limits."""
    limits = [result.low, result.high] if whiskers else [result.observed]
    everything = np.concatenate([result.predicted, *limits])
    low, high = float(everything.min()), float(everything.max())
    pad = 0.05 * (high - low) or 0.5
    frame = _square(low - pad, high + pad, x_label, y_label)
    parts = [*axes(frame, 5), _line(frame, "mark", low - pad, low - pad, high + pad, high + pad)]
    for x, y, least, most, size in zip(
        result.predicted, result.observed, result.low, result.high, result.sizes, strict=True
    ):
        if whiskers:
            parts.append(_line(frame, "whisker", x, least, x, most))
        told = f"{counted(int(size), 'sample')}: predicted {number(x)}, observed {number(y)}"
        point = element("title", told)
        parts.append(element("circle", point, class_="point", cx=frame.x(x), cy=frame.y(y), r=4.2))
    return svg(frame, parts, "Observed against predicted")


def roc_chart(controls: Float, cases: Float, case: str, note: Sequence[str] = ()) -> Markup:
    """Draw a ROC curve, with lines of text in its empty corner."""
    frame = _square(
        0.0, 1.0, f"share of the others that are predicted to be {case}",
        f"share of {case} predicted to be so",
    )  # fmt: skip
    parts = [*axes(frame, 5), _line(frame, "mark", 0.0, 0.0, 1.0, 1.0)]
    if len(controls) > _MAX_CORNERS:
        kept = np.unique(np.linspace(0, len(controls) - 1, _MAX_CORNERS).round().astype(np.int64))
        controls, cases = controls[kept], cases[kept]
    parts.append(polyline("curve s0", frame.points(controls, cases)))
    for k, words in enumerate(note):
        kind = "marktext strong" if k == 0 else "marktext"
        parts.append(text(kind, frame.x(0.97), frame.y(0.06) - 17 * (len(note) - 1 - k), words, "end"))
    return svg(frame, parts, "ROC curve")


def _square(low: float, high: float, x_label: str, y_label: str) -> Frame:
    across, up = Axis(x_label, low, high), Axis(y_label, low, high)
    return Frame(across, up, width=420, height=400, left=62, right=20, top=18, bottom=52)


def _line(frame: Frame, kind: str, x0: float, y0: float, x1: float, y1: float) -> Markup:
    return line(kind, frame.x(x0), frame.y(y0), frame.x(x1), frame.y(y1))
