"""95 % confidence intervals of what evaluations measure, none of them beyond what is possible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Two-sided 95 % of the normal distribution.
Z = 1.959963984540054


@dataclass(frozen=True)
class Measure:
    """A value with its 95 % confidence interval, None where none can be given."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def interval(self) -> str:
        """The interval as text, empty where there is none."""
        return "" if self.low is None or self.high is None else f"{self.low:.4f} to {self.high:.4f}"

    @property
    def bare(self) -> Measure:
        """The value alone."""
        return Measure(self.value)

    def to_dict(self) -> dict[str, float]:
        """Return plain numbers, for the manifest."""
        if self.low is None or self.high is None:
            return {"value": self.value}
        return {"value": self.value, "low": self.low, "high": self.high}


def share(count: float, n: float, inflation: float = 1.0) -> Measure:
    """A share of n with the interval of Wilson (1927); n counts for n / inflation samples."""
    value = count / n if n > 0 else float("nan")
    return wilson(value, n / inflation)


def wilson(value: float, n: float) -> Measure:
    """A share with the interval of Wilson (1927) for n samples, which need not be a whole number."""
    if not n > 0.0:
        return Measure(value)
    centre, spread = value + Z**2 / (2.0 * n), np.sqrt(value * (1.0 - value) / n + (Z / (2.0 * n)) ** 2)
    low, high = (centre - Z * spread) / (1.0 + Z**2 / n), (centre + Z * spread) / (1.0 + Z**2 / n)
    return Measure(value, max(float(low), 0.0), min(float(high), 1.0))


#: Expected errors (or right answers) below which the logit scale makes intervals too long.
_FEW = 5.0


def on_logit(value: float, error: float, n: float) -> Measure:
    """A number within [0, 1] with a symmetric interval on the logit scale.

    Near 0 and 1, where less than five of as many independent answers as have this error would be wrong (or
    right), Wilson's interval for that many. At 0 and 1 themselves the error vanishes, and it is Wilson's
    for `n`, which holds the variance of any rank statistic: that of an AUC is at most value (1 - value) /
    min(cases, controls) (Birnbaum & Klose 1957).
    """
    if not np.isfinite(error):
        return Measure(value, 0.0, 1.0)
    if not 0.0 < value < 1.0 or error == 0.0:
        return wilson(value, n)
    answers = value * (1.0 - value) / error**2
    if answers * min(value, 1.0 - value) < _FEW:
        return wilson(value, answers)
    from scipy.special import expit, logit

    half = Z * error / (value * (1.0 - value))
    low, high = expit(logit(value) + half * np.array([-1.0, 1.0]))
    return Measure(value, float(low), float(high))


def on_log(value: float, error: float) -> Measure:
    """A number above 0, such as a mean loss, with a symmetric interval on the logarithm."""
    return Measure(value, *_on_log(value, error))


def _on_log(value: float, error: float) -> tuple[float, float]:
    if not value > 0.0:
        return value, value
    factor = float(np.exp(Z * error / value))
    return value / factor, value * factor


def explained(value: float, error: float) -> Measure:
    """A share explained, at most 1: what is left of it has a symmetric interval on the logarithm."""
    low, high = _on_log(1.0 - value, error)
    return Measure(value, 1.0 - high, 1.0 - low)


def difference(value: float, error: float, bound: float = np.inf) -> Measure:
    """A difference with value ± 1.96 standard errors, within ± bound."""
    half = Z * error if np.isfinite(error) else np.inf
    return Measure(value, max(value - half, -bound), min(value + half, bound))


def correlation(value: float, freedom: float, inflation: float = 1.0) -> Measure:
    """A correlation with Fisher's interval: of its inverse hyperbolic tangent, variance 1 / freedom."""
    if not np.isfinite(value):
        return Measure(value)
    if freedom <= 0.0:
        return Measure(value, -1.0, 1.0)
    if abs(value) == 1.0:
        return Measure(value, value, value)
    z, half = np.arctanh(value), Z * np.sqrt(inflation / freedom)
    return Measure(value, float(np.tanh(z - half)), float(np.tanh(z + half)))
