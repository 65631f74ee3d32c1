"""Functions of time that jump at events and are constant between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riata._input.validation import Float


@dataclass(frozen=True, slots=True, eq=False)
class StepFunction:
    """A function of time that is constant between its jumps, with the names of scikit-survival's.

    It is continuous from the right, keeps its last value, and may be called with any times.

    Parameters
    ----------
    x : ndarray of shape (k,)
        The times of the jumps, increasing.
    y : ndarray of shape (k,)
        The values from each of them on.
    before : float, default=0.0
        The value before the first.
    resolution : float, default=0.0
        Times that are nearer to a jump than this count as the time of the jump.

    Examples
    --------
    >>> import numpy as np
    >>> from riata.estimators.step_function import StepFunction
    >>> hazard = StepFunction(np.array([1.0, 3.0]), np.array([0.2, 0.7]))
    >>> hazard(2.0), hazard([0.0, 1.0, 5.0])
    (0.2, array([0. , 0.2, 0.7]))
    """

    x: Float
    y: Float
    before: float = 0.0
    resolution: float = 0.0

    def __call__(self, times: ArrayLike) -> Any:
        """Return the value at a time, or an array of them at several."""
        at = np.asarray(times, dtype=np.float64)
        if np.isnan(at).any():
            raise ValueError("times must not be NaN")
        place = np.searchsorted(self.x, at + self.resolution, side="right")
        values = np.concatenate([[self.before], self.y])[place]
        return float(values) if at.ndim == 0 else values

    def __repr__(self) -> str:
        return f"StepFunction({len(self.x)} jumps)"

    @property
    def domain(self) -> tuple[float, float]:
        """The times it may be called with."""
        return -np.inf, np.inf

    def survival(self) -> StepFunction:
        """Return exp(-self): of a cumulative hazard the chance to be without the event."""
        return StepFunction(self.x, np.exp(-self.y), float(np.exp(-self.before)), self.resolution)
