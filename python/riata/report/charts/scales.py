"""Scales of charts: where ticks stand, how numbers are written, how names are kept apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


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


def on_log_axis(alphas: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return alphas for a logarithmic axis, on which 0 stands a decade beyond the smallest one above it."""
    above = alphas[alphas > 0.0]
    return np.where(alphas > 0.0, alphas, above.min() / 10.0 if len(above) else 1.0)


def number(value: float, digits: int = 3) -> str:
    """Write a number for a chart, in at most so many digits."""
    if value == 0.0 or abs(value) < 1e-12:
        return "0"
    text = f"{value:.{digits}g}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("-", "\u2212", 1 if value < 0 else 0)


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
    """Shorten a name to what there is room for."""
    return name if len(name) <= limit else name[: limit - 1] + "\u2026"
