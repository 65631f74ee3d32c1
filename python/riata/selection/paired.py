"""X beside its knockoffs as one design of pairs, in a fair order inside them, and back to their items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._input.gaps import Gaps
from riata.path.arguments import Features
from riata.path.given import Problem
from riata.selection.beside import core_beside
from riata.selection.items import Items

ORDER = 0x6F726465725F6F66  # what the generator of the order is keyed by, beside the seed


@dataclass(frozen=True, slots=True)
class Pairs:
    """Where each feature and its knockoff stand in the paired design.

    Attributes
    ----------
    turned : ndarray of bool, shape (p,)
        Whether the knockoff comes first.
    """

    turned: NDArray[np.bool_]

    @property
    def originals(self) -> NDArray[np.int64]:
        """The columns of the features."""
        return 2 * np.arange(len(self.turned), dtype=np.int64) + self.turned

    @property
    def knockoffs(self) -> NDArray[np.int64]:
        """The columns of the knockoffs."""
        return 2 * np.arange(len(self.turned), dtype=np.int64) + ~self.turned

    def spread(self, of_original: Any, of_knockoff: Any) -> Any:
        """Values of features and of their knockoffs as values of columns."""
        out = np.empty(2 * len(self.turned), dtype=np.result_type(of_original, of_knockoff))
        out[self.originals], out[self.knockoffs] = of_original, of_knockoff
        return out


def draw_order(items: Items, seed: int, draw: int) -> Pairs:
    """Toss a fair coin for each item, from the seed and the number of the draw alone.

    Of two equal columns a solver keeps the first: without the coin, every pair of a feature and a knockoff
    that equals it would count for the same side.
    """
    key = np.array([(seed ^ ORDER) % 2**64, draw], dtype=np.uint64)
    coins = np.asarray(np.random.Philox(key=key).random_raw(items.count)) >> np.uint64(63) == 1
    turned = np.zeros(len(items.of_feature), dtype=np.bool_)
    inside = items.of_feature >= 0
    turned[inside] = coins[items.of_feature[inside]]
    return Pairs(turned)


def pair(problem: Problem, knockoffs: Any, items: Items, pairs: Pairs) -> Problem:
    """Return the problem with each feature beside its knockoff; features of no item have none.

    Penalty factors and bounds are those of the feature for both; the knockoff of a covariate is left out.
    """
    design = problem.design
    other = core_beside(design, knockoffs)
    core = _core.paired_design(design.core, other, pairs.turned.astype(np.uint8))
    gaps = design.gaps
    if gaps is not None:  # a cell that is missing is missing in both
        columns = np.concatenate([pairs.originals[gaps.columns], pairs.knockoffs[gaps.columns]])
        gaps = Gaps(np.tile(gaps.rows, 2), columns)
    both = replace(
        design, core=core, n_features=2 * design.n_features, feature_names=None, genotypes=None, gaps=gaps
    )
    return replace(problem, design=both, features=_features(problem.features, items, pairs))


def _features(features: Features, items: Items, pairs: Pairs) -> Features:
    inside = items.of_feature >= 0
    factor = features.penalty_factor
    if factor is not None or not inside.all():
        own = np.ones(len(inside)) if factor is None else factor
        factor = pairs.spread(own, np.where(inside, own, np.inf))
    bounds = (
        None if bound is None else pairs.spread(bound, bound) for bound in (features.lower, features.upper)
    )
    lower, upper = bounds
    return replace(features, penalty_factor=factor, lower=lower, upper=upper)
