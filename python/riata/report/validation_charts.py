"""Charts of predictions for samples held out: calibration by tenths, and the ROC curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from riata._io.wording import counted
from riata.report.charts import Frame, nice_ticks, number, svg

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
    frame = _square(low - pad, high + pad)
    ticks = nice_ticks(frame.x0, frame.x1, 5)
    parts = _grid(frame, ticks, x_label, y_label)
    a, b = frame.x0, frame.x1
    parts.append(_line(frame, "mark", a, a, b, b))
    for x, y, least, most, size in zip(
        result.predicted, result.observed, result.low, result.high, result.sizes, strict=True
    ):
        if whiskers:
            parts.append(_line(frame, "whisker", x, least, x, most))
        parts.append(
            f'<circle class="point" cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="4.2">'
            f"<title>{counted(int(size), 'sample')}: predicted {number(x)}, observed {number(y)}</title>"
            "</circle>"
        )
    return svg(frame, parts, "Observed against predicted")


def roc_chart(controls: Float, cases: Float, case: str, note: Sequence[str] = ()) -> Markup:
    """Draw a ROC curve, with lines of text in its empty corner."""
    frame = _square(0.0, 1.0)
    parts = _grid(
        frame, nice_ticks(0.0, 1.0, 5), f"share of the others that are predicted to be {case}",
        f"share of {case} predicted to be so",
    )  # fmt: skip
    parts.append(_line(frame, "mark", 0.0, 0.0, 1.0, 1.0))
    if len(controls) > _MAX_CORNERS:
        kept = np.unique(np.linspace(0, len(controls) - 1, _MAX_CORNERS).round().astype(np.int64))
        controls, cases = controls[kept], cases[kept]
    parts.append(f'<polyline class="curve s0" points="{frame.points(controls, cases)}"/>')
    for k, text in enumerate(note):
        parts.append(
            f'<text class="marktext{" strong" if k == 0 else ""}" x="{frame.x(0.97):.1f}" '
            f'y="{frame.y(0.06) - 17 * (len(note) - 1 - k):.1f}" text-anchor="end">{escape(text)}</text>'
        )
    return svg(frame, parts, "ROC curve")


def _square(low: float, high: float) -> Frame:
    return Frame(low, high, low, high, width=420, height=400, left=62, right=20, top=18, bottom=52)


def _grid(frame: Frame, ticks: Sequence[float], x_label: str, y_label: str) -> list[str]:
    bottom, side = frame.height - frame.bottom, frame.width - frame.right
    out = []
    for t in ticks:
        x, y = frame.x(t), frame.y(t)
        out.append(
            f'<line class="grid" x1="{frame.left}" x2="{side}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{frame.left - 8}" y="{y + 4:.1f}" text-anchor="end">{number(t)}</text>'
            f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}"/>'
            f'<text class="tick" x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{number(t)}</text>'
        )
    out.append(
        f'<line class="axis" x1="{frame.left}" x2="{side}" y1="{bottom}" y2="{bottom}"/>'
        f'<text class="label" x="{(frame.left + side) / 2:.0f}" y="{frame.height - 8}" '
        f'text-anchor="middle">{escape(x_label)}</text>'
        f'<text class="label" transform="translate(15 {(frame.top + bottom) / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_label)}</text>'
    )
    return out


def _line(frame: Frame, kind: str, x0: float, y0: float, x1: float, y1: float) -> str:
    return (
        f'<line class="{kind}" x1="{frame.x(x0):.1f}" y1="{frame.y(y0):.1f}" '
        f'x2="{frame.x(x1):.1f}" y2="{frame.y(y1):.1f}"/>'
    )
