"""The law of the rows of a table whose columns have an order: each depends on a few before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._input.design import DesignView
from riata.knockoffs._gaussian_law import Float, Numbers, Standard, standardise

LOOKED_AT = 200  # columns that the bandwidth is chosen by
WIDEST = 32  # bandwidth that is chosen


@dataclass(frozen=True)
class BandedLaw:
    """Column ``order[k]`` is ``sum(before[l, k] * z[k - 1 - l])`` plus noise of variance ``rest[k]``."""

    columns: Standard
    order: Numbers
    before: Float
    rest: Float

    @property
    def info(self) -> dict[str, Any]:
        """What there is to tell of the law."""
        return {"structure": "banded", "bandwidth": self.before.shape[0]}

    def __str__(self) -> str:
        return f"bandwidth {self.before.shape[0]}"

    def holds(self, labels: Numbers) -> bool:
        """Whether every group is a feature by itself: others are not for bands."""
        inside = labels[labels >= 0]
        if len(np.unique(inside)) < len(inside):
            raise ValueError("groups must be None with structure='banded': use structure='blocks'")
        return True

    def distances(self, labels: Numbers | None, method: str, threads: int) -> tuple[Float]:
        """Return S, the diagonal of it."""
        return (_core.banded_distances(self.before, self.rest, method, n_threads=threads),)

    def draw(
        self,
        design: DesignView,
        distances: tuple[Float],
        seed: tuple[int, int],
        out: NDArray[np.float32],
        threads: int,
    ) -> None:
        """Fill `out` with knockoffs of the rows of a design."""
        source = self.columns.source(design)
        _core.draw_banded(*source, self.order, self.before, self.rest, *distances, *seed, out, threads)


def learn_banded(design: DesignView, bandwidth: int | str, *, threads: int) -> BandedLaw:
    """Learn the regressions of columns on those before them, in the order that they are in."""
    columns = standardise(design, threads)
    order = np.flatnonzero(columns.scale > 0.0).astype(np.int64)
    reach = _choose(design, columns, order) if bandwidth == "auto" else int(bandwidth)
    reach = min(reach, max(len(order) - 1, 0), max(design.n_samples - 1, 0))
    before, rest = _core.knockoff_band(*columns.source(design), order, reach, threads)
    return BandedLaw(columns, order, before, rest)


def _choose(design: DesignView, columns: Standard, order: Numbers) -> int:
    """Return the bandwidth with the least mean AIC of regressions of some columns."""
    n, most = design.n_samples, min(WIDEST, design.n_samples // 4, len(order) - 1)
    if most < 2:
        return max(most, 0)
    ends = np.unique(np.linspace(most, len(order) - 1, min(LOOKED_AT, len(order) - most)).astype(np.int64))
    criterion = np.zeros(most + 1)
    for end in ends.tolist():
        which = order[end - most : end + 1][::-1]  # the column, and those before it, the nearest first
        Z = (design.gather(np.sort(which)) - columns.mean[np.sort(which)]) / columns.scale[np.sort(which)]
        R = Z.T @ Z / n
        R = R[::-1, ::-1] + 1e-9 * np.eye(most + 1)
        explained = np.linalg.solve(np.linalg.cholesky(R[1:, 1:]), R[1:, 0]) ** 2
        left = 1.0 - np.concatenate([[0.0], np.cumsum(explained)])
        criterion += n * np.log(np.maximum(left, 1e-9)) + 2.0 * np.arange(most + 1)
    return int(np.argmin(criterion))
