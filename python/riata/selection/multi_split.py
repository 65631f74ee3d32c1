"""P-values from the halves of stability selection: what one half selects is tested on the other.

Meinshausen, Meier & Bühlmann (2009), p-Values for high-dimensional regression, JASA 104.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.validation import Float, threads_for
from riata.path.arguments import Options
from riata.path.given import Problem
from riata.selection.items import Items, free_features
from riata.selection.wald import wald_p_values

GAMMA_MIN = 0.05  # smallest quantile looked at
ROOM = 2  # samples for each coefficient of a refit, at least

Numbers = NDArray[np.int64]
Tested = tuple[Numbers, Float]  # items, and p-values of theirs


@dataclass(slots=True)
class SplitValues:
    """P-values of each half so far: of the items it selected, adjusted for how many those are."""

    values: list[Tested]

    @property
    def refused(self) -> int:
        """Halves that could not be tested."""
        return sum(len(items) > 0 and bool(np.isnan(p).all()) for items, p in self.values)

    def pack(self) -> dict[str, NDArray[Any]]:
        """Return arrays to be kept, read back by `unpack`."""
        return {
            "tested": np.concatenate([np.empty(0, dtype=np.int64), *(items for items, _ in self.values)]),
            "tested_p": np.concatenate([np.empty(0), *(p for _, p in self.values)]),
            "tested_sizes": np.array([len(items) for items, _ in self.values], dtype=np.int64),
        }

    @staticmethod
    def unpack(arrays: dict[str, NDArray[Any]]) -> SplitValues:
        """Restore what `pack` gave the arrays of."""
        if not len(arrays["tested_sizes"]):
            return SplitValues([])
        ends = np.cumsum(arrays["tested_sizes"])[:-1]
        parts = (np.split(arrays[name], ends) for name in ("tested", "tested_p"))
        return SplitValues(list(zip(*parts, strict=True)))


@dataclass(frozen=True, slots=True)
class Splits:
    """Tests what a half selected on the other half of its pair."""

    problem: Problem
    options: Options
    items: Items

    def test(self, chosen: Numbers, weights: Float) -> Tested:
        """Return the items of the features `chosen`, and their p-values times how many items there are.

        Fits the loss without a penalty to the samples of positive weight, on these features and those that
        are never penalised. NaN where the samples are fewer than `ROOM` for each coefficient.
        """
        item = self.items.of_feature[chosen]
        tested = np.unique(item)
        if len(tested) == 0:
            return tested, np.empty(0)
        design = self.problem.design
        free = free_features(self.problem.features)
        rows = np.flatnonzero(weights > 0.0)
        if (len(chosen) + len(free)) * ROOM >= len(rows):
            return tested, np.full(len(tested), np.nan)
        columns = np.concatenate([chosen, free]).astype(np.int64)
        threads = threads_for(self.options.n_threads, float(design.n_samples) * len(columns))
        values = design.gather(columns, threads)
        place = np.concatenate([np.searchsorted(tested, item), np.full(len(free), -1)])
        p = wald_p_values(self.problem, self.options, values, weights, place, len(tested))
        return tested, np.minimum(p * len(tested), 1.0)


def combine(values: list[Tested], n_items: int, gamma_min: float = GAMMA_MIN) -> Float:
    """Combine the p-values of all splits into one an item, (G,), with family-wise error control.

    With Q(gamma) = min{1, gamma-quantile of P / gamma} over the splits, where P is 1 for what a split does
    not test, min{1, (1 - log gamma_min) inf Q(gamma)} over gamma in [gamma_min, 1]. The quantile is the
    ceil(gamma N)-th smallest of N, so that the infimum is the least of P_(i) N / i over i >= gamma_min N.
    """
    count = len(values)
    out = np.ones(n_items)
    first = max(int(np.ceil(gamma_min * count - 1e-9)), 1)
    items = np.concatenate([np.empty(0, dtype=np.int64), *(items for items, _ in values)])
    p = np.nan_to_num(np.concatenate([np.empty(0), *(p for _, p in values)]), nan=1.0)
    order = np.lexsort((p, items))
    items, p = items[order], p[order]
    tested, begin, size = np.unique(items, return_index=True, return_counts=True)
    place = np.arange(len(items)) - np.repeat(begin, size) + 1
    quantile = np.where(place >= first, p * count / place, np.inf)
    least = np.minimum.reduceat(quantile, begin) if len(begin) else np.empty(0)
    out[tested] = np.minimum((1.0 - np.log(gamma_min)) * np.minimum(least, 1.0), 1.0)
    return out
