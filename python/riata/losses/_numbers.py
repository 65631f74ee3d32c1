"""Losses of numbers: squares, counts, outliers, several responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from riata._input.responses import check_gaussian_target, check_poisson_target, check_some_count
from riata._input.targets import check_multigaussian_target
from riata._input.validation import Float, check_real
from riata.losses._loss import Labels, Loss, Target, level_where_zero, numbers_of
from riata.losses._scores import (
    Scorer,
    counted,
    huber_losses,
    mean_absolute,
    mean_huber,
    mean_squared,
    of_mean,
    poisson_deviance,
)

#: With residuals of unit spread, 95 % as efficient as least squares.
HUBER_DELTA = 1.345


@dataclass(frozen=True)
class Gaussian(Loss):
    """Half the squared residual, of numbers.

    Examples
    --------
    >>> import numpy as np, riata
    >>> X = np.eye(4)
    >>> path = riata.fit_path(X, [1.0, 2.0, 3.0, 4.0], loss=riata.losses.Gaussian(), alphas=[0.5])
    >>> path.loss
    'gaussian'
    """

    name: ClassVar[str] = "gaussian"
    synonyms: ClassVar[tuple[str, ...]] = ("linear", "normal", "quantitative", "squared")
    scores: ClassVar[Mapping[str, Scorer]] = {"mse": mean_squared, "mae": mean_absolute}
    squares: ClassVar[bool] = True
    model: ClassVar[str] = "linear regression"
    objective: ClassVar[str] = "RSS/2"

    def _read(self, y: Any, n: int, weights: Float) -> tuple[Target, Labels]:
        return check_gaussian_target(y, n), None

    def size(self, spread: float) -> float:
        """The variance."""
        return spread**2


@dataclass(frozen=True)
class Poisson(Loss):
    """``exp(eta) - y eta``, minus its minimum, for counts or any numbers >= 0: half the deviance.

    The log of an exposure goes into `offset`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 20))
    >>> hours = rng.uniform(1, 5, 60)
    >>> y = rng.poisson(hours * np.exp(X[:, 3]))
    >>> path = riata.fit_path(X, y, loss=riata.losses.Poisson(), offset=np.log(hours), alphas=[2.0])
    >>> np.flatnonzero(path.coef(2.0))
    array([3])
    """

    name: ClassVar[str] = "poisson"
    synonyms: ClassVar[tuple[str, ...]] = ("counts",)
    scores: ClassVar[Mapping[str, Scorer]] = {
        "deviance": poisson_deviance,
        "mse": of_mean(mean_squared, np.exp),
        "mae": of_mean(mean_absolute, np.exp),
    }
    has_counts: ClassVar[bool] = True
    model: ClassVar[str] = "Poisson regression"
    log_of: ClassVar[str] = "rate"
    ratio: ClassVar[str] = "RR"
    weight_type: ClassVar[str] = "log(RR)"
    alike: ClassVar[str] = "are all zero"

    @property
    def modelled_by(self) -> str:
        """The model with this loss, in words for a methods paragraph."""
        return f"{self.model} with a log link"

    def _read(self, y: Any, n: int, weights: Float) -> tuple[Target, Labels]:
        return check_poisson_target(y, n, weights), None

    def mean(self, link: Float) -> Float:
        """The rate."""
        with np.errstate(over="ignore"):
            return np.exp(link)

    def null_level(self, y: Float, weights: Float, offset: Float) -> Float:
        """Return the log of the mean count over the mean exposure."""
        return np.asarray(np.log(weights @ y) - np.log(weights @ np.exp(offset)))

    def deviances(self, y: Float, link: Float) -> Float:
        """The deviance of each sample."""
        from scipy.special import xlogy

        return np.asarray(2.0 * (xlogy(y, y) - y * link - y + np.exp(link)))

    def curvature(self, link: Float, y: Float, weights: Float) -> Float | None:
        """The mean, in units of the least count above 0, of which more makes no difference."""
        least = y[(y > 0.0) & (weights > 0.0)].min()
        return np.asarray(np.minimum(self.mean(link) / least, 1.0))

    def size(self, spread: float) -> float:
        """The standard deviation: the loss is in the unit of y."""
        return spread

    def check_part(self, y: Target, weights: Float, labels: Labels, where: str) -> None:
        """Refuse counts that are all 0."""
        check_some_count(numbers_of(y), weights, where)


@dataclass(frozen=True)
class Huber(Loss):
    """Half the squared residual r up to ``|r| = delta``, and ``delta (|r| - delta/2)`` beyond (Huber 1964).

    Parameters
    ----------
    delta : float, default=1.345
        The size of residuals, in units of y, beyond which the loss grows linearly. 1.345 suits residuals
        whose bulk has unit standard deviation: otherwise scale it, or y.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 20))
    >>> y = X[:, 3] + 0.1 * rng.standard_normal(50)
    >>> y[:3] += 100.0
    >>> path = riata.fit_path(X, y, loss=riata.losses.Huber(delta=0.2), eps=0.1)
    >>> path.huber_delta, int(np.argmax(np.abs(path.coef(path.alphas[-1]))))
    (0.2, 3)
    """

    delta: float = HUBER_DELTA

    name: ClassVar[str] = "huber"
    synonyms: ClassVar[tuple[str, ...]] = ("robust",)
    scores: ClassVar[Mapping[str, Scorer]] = {
        "huber": mean_huber(HUBER_DELTA),
        "mae": mean_absolute,
        "mse": mean_squared,
    }
    likelihood: ClassVar[bool] = False
    model: ClassVar[str] = "robust (Huber) regression"
    objective: ClassVar[str] = "Huber loss"

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", check_real("delta", self.delta, above=0.0))

    @property
    def modelled_by(self) -> str:
        """The model with this loss, in words for a methods paragraph."""
        return (
            f"linear regression with Huber's loss, which grows linearly from a residual of {self.delta:g} on"
        )

    @property
    def huber_delta(self) -> float | None:
        """The residual beyond which the loss is linear."""
        return self.delta

    def _read(self, y: Any, n: int, weights: Float) -> tuple[Target, Labels]:
        return check_gaussian_target(y, n), None

    def null_level(self, y: Float, weights: Float, offset: Float) -> Float:
        """Return the level of least mean loss, by halving."""
        delta, around = self.delta, y - offset
        return level_where_zero(lambda b: -float(weights @ np.clip(around - b, -delta, delta)), around)

    def deviances(self, y: Float, link: Float) -> Float:
        """The loss of each sample."""
        return huber_losses(y - link, self.delta)

    def size(self, spread: float) -> float:
        """The order of the squared loss up to `delta`, and of the linear loss beyond it."""
        return spread * min(spread, self.delta)

    def scorer(self, scoring: str) -> Scorer:
        """As for any loss; the Huber loss of held-out samples has this `delta`."""
        return counted(mean_huber(self.delta)) if scoring == self.name else super().scorer(scoring)


@dataclass(frozen=True)
class Multigaussian(Loss):
    """Half the sum of the squared residuals of K responses; a feature enters for all of them together.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 20))
    >>> path = riata.fit_path(X, X[:, [3, 5]], loss=riata.losses.Multigaussian(), alphas=[0.2])
    >>> [np.flatnonzero(coef).tolist() for coef in path.coef(0.2).T]
    [[3, 5], [3, 5]]
    """

    name: ClassVar[str] = "multigaussian"
    scores: ClassVar[Mapping[str, Scorer]] = {"mse": mean_squared, "mae": mean_absolute}
    several_outputs: ClassVar[bool] = True
    always_grouped: ClassVar[bool] = True
    is_evaluated: ClassVar[bool] = False
    squares: ClassVar[bool] = True
    model: ClassVar[str] = "linear regression of several responses"
    objective: ClassVar[str] = "RSS/2"

    @property
    def modelled_by(self) -> str:
        """The model with this loss, in words for a methods paragraph."""
        return "one linear regression"

    def _read(self, y: Any, n: int, weights: Float) -> tuple[Target, Labels]:
        return check_multigaussian_target(y, n)
