"""Small SVG charts for the HTML report: no dependency, colours from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

Float = NDArray[np.float64]

#: Lines told apart by colour; the rest are grey. The colours are CSS classes s0, s1, ...
N_COLOURS = 8
_CHARACTER = 7.8  # pixels of one in the margin, on average of a wide font


@dataclass(frozen=True)
class Frame:
    """A plotting area within an SVG of ``width`` x ``height``: data to pixels."""

    x0: float
    x1: float
    y0: float
    y1: float
    width: int = 860
    height: int = 380
    left: int = 64
    right: int = 24
    top: int = 58
    bottom: int = 52

    def x(self, value: float) -> float:
        """Return the horizontal pixel of a data value."""
        inner = self.width - self.left - self.right
        return self.left + inner * (value - self.x0) / ((self.x1 - self.x0) or 1.0)

    def y(self, value: float) -> float:
        """Return the vertical pixel of a data value."""
        inner = self.height - self.top - self.bottom
        return self.height - self.bottom - inner * (value - self.y0) / ((self.y1 - self.y0) or 1.0)

    def points(self, x: Float, y: Float) -> str:
        """Return the points attribute of a polyline."""
        return " ".join(
            f"{self.x(a):.1f},{self.y(b):.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)
        )


def nice_ticks(low: float, high: float, about: int = 6) -> list[float]:
    """Return round numbers that divide [low, high] into about `about` steps."""
    span = high - low
    if not span > 0.0 or not math.isfinite(span):
        return [low]
    raw = span / about
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * k for k in (1, 2, 2.5, 5, 10) if unit * k >= raw)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return the log10 of round numbers in [10**low, 10**high]: 1, 2 and 5 of each decade when roomy."""
    digits = (1, 2, 5) if high - low < 2.5 else (1, 3) if high - low < 4 else (1,)
    decades = range(math.floor(low) - 1, math.ceil(high) + 1)
    ticks = [d + math.log10(k) for d in decades for k in digits]
    return [t for t in ticks if low - 1e-9 <= t <= high + 1e-9]


def number(value: float) -> str:
    """Write a tick label."""
    if value == 0.0 or abs(value) < 1e-12:
        return "0"
    text = f"{value:.3g}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("-", "\u2212", 1 if value < 0 else 0)


def _axes(frame: Frame, x_label: str, y_label: str, y_ticks: Sequence[float]) -> list[str]:
    out = []
    bottom = frame.height - frame.bottom
    for t in y_ticks:
        y = frame.y(t)
        out.append(
            f'<line class="grid" x1="{frame.left}" x2="{frame.width - frame.right}" y1="{y:.1f}" '
            f'y2="{y:.1f}"/>'
            f'<text class="tick" x="{frame.left - 8}" y="{y + 4:.1f}" text-anchor="end">{number(t)}</text>'
        )
    for t in log_ticks(min(frame.x0, frame.x1), max(frame.x0, frame.x1)):
        x = frame.x(t)
        out.append(
            f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}"/>'
            f'<text class="tick" x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{number(10.0**t)}</text>'
        )
    middle = (frame.left + frame.width - frame.right) / 2
    out.append(
        f'<line class="axis" x1="{frame.left}" x2="{frame.width - frame.right}" y1="{bottom}" y2="{bottom}"/>'
        f'<text class="label" x="{middle:.0f}" y="{frame.height - 8}" text-anchor="middle">'
        f"{escape(x_label)}</text>"
        f'<text class="label" transform="translate(15 {(frame.top + bottom) / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_label)}</text>'
    )
    return out


def _active_axis(frame: Frame, log_alphas: Float, n_active: NDArray[np.int64]) -> list[str]:
    """Number of selected features along the top."""
    count = min(9, len(log_alphas))
    positions = np.linspace(log_alphas[0], log_alphas[-1], count)
    nearest = sorted({int(np.argmin(np.abs(log_alphas - p))) for p in positions})
    out = [f'<text class="label" x="{frame.left}" y="{frame.top - 30}">active features</text>']
    for k in nearest:
        x = frame.x(float(log_alphas[k]))
        out.append(
            f'<text class="tick" x="{x:.1f}" y="{frame.top - 12}" text-anchor="middle">'
            f"{int(n_active[k])}</text>"
        )
    return out


def _row(frame: Frame, row: int) -> float:
    """Return where the text of a mark stands, in rows from the top."""
    return frame.top + 14 + 16 * row


def _mark(
    frame: Frame, alpha: float, text: str, row: int, *, strong: bool, left: bool = False
) -> tuple[str, str]:
    """Return a line at an alpha, and what is written beside it, to be drawn after all lines."""
    x = frame.x(math.log10(alpha))
    y = _row(frame, row)
    side = -6 if left else 6
    anchor = "end" if left else "start"
    return (
        f'<line class="mark{" strong" if strong else ""}" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.top}" '
        f'y2="{frame.height - frame.bottom}"/>',
        f'<text class="marktext{" strong" if strong else ""}" x="{x + side:.1f}" y="{y}" '
        f'text-anchor="{anchor}">'
        f"{escape(text)}</text>",
    )


def on_log_axis(alphas: Float) -> Float:
    """Return alphas for a logarithmic axis, on which 0 stands a decade beyond the smallest one above it."""
    above = alphas[alphas > 0.0]
    return np.where(alphas > 0.0, alphas, above.min() / 10.0 if len(above) else 1.0)


def _share(frame: Frame, alpha: float) -> float:
    """Return where an alpha stands: 0 on the left, 1 on the right."""
    return (math.log10(alpha) - frame.x0) / ((frame.x1 - frame.x0) or 1.0)


def _level(frame: Frame, value: float, text: str, high: float, *, left: bool) -> list[str]:
    """Return a line at a value, and what it is at an end of it, away from marks at alphas.

    `left` is the end to prefer; there the text of a first mark may stand, and a row below, at the right, that
    of a second.
    """
    first, last, y = frame.left, frame.width - frame.right, frame.y(value)
    beside = -6 if value > (frame.y0 + high) / 2 else 15  # away from the curve, which begins near it
    on_first, on_second = (abs(y + beside - _row(frame, row)) < 14 for row in (0, 1))
    left = left and (on_second or not on_first)
    x, anchor = (first + 0.16 * (last - first), "start") if left else (last - 6, "end")
    return [
        f'<line class="mark" x1="{first}" x2="{last}" y1="{y:.1f}" y2="{y:.1f}"/>',
        f'<text class="marktext" x="{x:.1f}" y="{y + beside:.1f}" text-anchor="{anchor}">{text}</text>',
    ]


def svg(frame: Frame, parts: Sequence[str], title: str) -> Markup:
    """Return a chart of ready parts; `title` says what it shows to those who cannot see it."""
    wide = ' class="wide"' if frame.width > 600 else ""
    return Markup(
        f'<svg{wide} viewBox="0 0 {frame.width} {frame.height}" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )


def _range(values: Float, margin: float = 0.06) -> tuple[float, float]:
    low, high = float(np.min(values)), float(np.max(values))
    pad = margin * (high - low) or max(abs(high), 1.0) * 0.1
    return low - pad, high + pad


def path_chart(
    alphas: Float,
    curves: Float,
    names: Sequence[str],
    n_active: NDArray[np.int64],
    *,
    chosen: float | None = None,
    n_highlighted: int = N_COLOURS,
    label: str = "effect of one standard deviation",
    size: tuple[int, int] = (860, 450),
) -> Markup:
    """Draw coefficients along the path.

    Parameters
    ----------
    alphas : (L,) array, decreasing and positive
    curves : (k, L) array
        One row a feature, most important first: the first `n_highlighted` are coloured and named.
    names : sequence of k str
    n_active : (L,) array
    chosen : float, optional
        Alpha to mark.
    size : (width, height)
    """
    if len(alphas) == 0:
        return Markup()
    alphas = on_log_axis(alphas)
    log_alphas = np.log10(alphas)
    low, high = _range(curves) if curves.size else (-1.0, 1.0)
    low, high = min(low, 0.0), max(high, 0.0)
    end = log_alphas[-1] if len(alphas) > 1 else log_alphas[0] - 0.1
    width, height = size
    shown = min(n_highlighted, N_COLOURS, len(names))
    written = [cut(name, int(width / 4 / _CHARACTER)) for name in names[:shown]]
    frame = Frame(
        float(log_alphas[0]), float(end), low, high,
        width=width, height=height, right=round(28 + _CHARACTER * max(map(len, written), default=0)),
    )  # fmt: skip
    parts = _axes(frame, "penalty alpha, weaker to the right", label, nice_ticks(low, high))
    parts += _active_axis(frame, log_alphas, n_active)
    zero = frame.y(0.0)
    parts.append(
        f'<line class="zero" x1="{frame.left}" x2="{frame.width - frame.right}" y1="{zero:.1f}" '
        f'y2="{zero:.1f}"/>'
    )
    for k in range(len(names) - 1, -1, -1):
        start = max(int(np.argmax(curves[k] != 0.0)) - 1, 0)
        style = f"curve s{k}" if k < shown else "curve rest"
        points = frame.points(log_alphas[start:], curves[k, start:])
        parts.append(
            f'<polyline class="{style}" points="{points}"><title>{escape(names[k])}</title></polyline>'
        )
    if chosen is not None and chosen > 0:
        parts += _mark(frame, chosen, f"alpha {number(chosen)}", 0, strong=True)
    parts += _end_labels(frame, [float(curves[k, -1]) for k in range(shown)], written)
    return svg(frame, parts, "Coefficients along the regularisation path")


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move sorted positions apart by at least `gap`, each group about its own middle, within [low, high]."""
    groups: list[list[float]] = []  # [sum of positions, count]: members lie `gap` apart around the mean
    for y in wanted:
        groups.append([y, 1.0])
        while len(groups) > 1:
            (s0, n0), (s1, n1) = groups[-2], groups[-1]
            if s1 / n1 - s0 / n0 >= gap * (n0 + n1) / 2:
                break
            groups[-2:] = [[s0 + s1, n0 + n1]]
    placed: list[float] = []
    for total, count in groups:
        middle = max(min(total / count, high - gap * (count - 1) / 2), low + gap * (count - 1) / 2)
        placed += [middle + gap * (i - (count - 1) / 2) for i in range(int(count))]
    return placed


def cut(name: str, limit: int) -> str:
    """Shorten a name to what the margin holds."""
    return name if len(name) <= limit else name[: limit - 1] + "\u2026"


def _end_labels(frame: Frame, ends: Sequence[float], names: Sequence[str]) -> list[str]:
    """Names of the coloured curves in the right margin, pushed apart where they would overlap."""
    order = sorted(range(len(ends)), key=lambda k: -ends[k])
    wanted = [frame.y(ends[k]) for k in order]
    placed = spread(wanted, 17.0, frame.top, frame.height - frame.bottom)
    x = frame.width - frame.right
    out = []
    for k, y, target in zip(order, placed, wanted, strict=True):
        out.append(
            f'<path class="lead" d="M{x} {target:.1f} L{x + 12} {y:.1f}"/>'
            f'<text class="name s{k}" x="{x + 16}" y="{y + 4:.1f}">{escape(names[k])}</text>'
        )
    return out


def cv_chart(
    alphas: Float,
    mean: Float,
    error: Float,
    n_active: NDArray[np.int64],
    *,
    alpha_min: float,
    alpha_1se: float,
    score: str,
    size: tuple[int, int] = (860, 380),
    null: float = math.nan,
    null_name: str = "intercept alone",
) -> Markup:
    """Draw the cross-validation curve: the mean over folds, one standard error on each side, and `null`."""
    if len(alphas) == 0:
        return Markup()
    alphas = on_log_axis(alphas)
    alpha_min, alpha_1se = (alpha if alpha > 0.0 else float(alphas[-1]) for alpha in (alpha_min, alpha_1se))
    log_alphas = np.log10(alphas)
    finite = np.isfinite(mean) & np.isfinite(error)
    spread = np.concatenate([mean[finite] - error[finite], mean[finite] + error[finite]])
    if spread.size and math.isfinite(null):
        spread = np.append(spread, null)
    low, high = _range(spread) if spread.size else (0.0, 1.0)
    end = log_alphas[-1] if len(alphas) > 1 else log_alphas[0] - 0.1
    frame = Frame(float(log_alphas[0]), float(end), low, high, width=size[0], height=size[1])
    parts = _axes(frame, "penalty alpha, weaker to the right", score, nice_ticks(low, high))
    parts += _active_axis(frame, log_alphas, n_active)
    if math.isfinite(null):
        parts += _level(frame, null, null_name, high, left=_share(frame, alpha_min) > 0.5)
    x, m, e = log_alphas[finite], mean[finite], error[finite]
    band = f"{frame.points(x, m + e)} {frame.points(x[::-1], (m - e)[::-1])}"
    parts.append(f'<polygon class="band" points="{band}"/>')
    parts.append(f'<polyline class="curve s0" points="{frame.points(x, m)}"/>')
    same = alpha_min == alpha_1se
    low_min = _share(frame, alpha_min) > 0.75

    def active(alpha: float) -> int:
        return int(n_active[int(np.argmin(np.abs(alphas - alpha)))])

    marks = []
    if not same:
        room = frame.x(math.log10(alpha_1se)) - frame.left > 100
        marks.append(_mark(frame, alpha_1se, f"1 SE: {active(alpha_1se)} active", 0, strong=False, left=room))
    text = f"{'best and 1 SE' if same else 'best'}: {active(alpha_min)} active"
    marks.append(_mark(frame, alpha_min, text, 0 if same else 1, strong=True, left=low_min))
    parts += [line for line, _ in marks] + [told for _, told in marks]
    k = int(np.argmin(np.abs(alphas - alpha_min)))
    parts.append(
        f'<circle class="dot" cx="{frame.x(float(log_alphas[k])):.1f}" cy="{frame.y(float(mean[k])):.1f}" '
        'r="4.5"/>'
    )
    return svg(frame, parts, "Cross-validation curve")
