"""What is selected: features, or disjoint groups of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.design import DesignView
from riata._input.validation import Float
from riata.genetics.variants import FittedVariants, fitted_variants
from riata.path.arguments import Features
from riata.path.given import Problem
from riata.penalties import GroupLasso


@dataclass(frozen=True, slots=True)
class Items:
    """The items that halves choose from.

    Attributes
    ----------
    of_feature : ndarray of int, shape (p,)
        The item of each feature; -1 for features that are unpenalised or left out, which are in none.
    count : int
        Items in all, those without a feature to choose among them.
    labels : list or None
        What groups are called; None where every feature is an item.
    left_out : ndarray of int, shape (p,), or None
        Of features that are left out of the model, the item of the group that they were given in; else -1.
    """

    of_feature: NDArray[np.int64]
    count: int
    labels: list[Any] | None = None
    left_out: NDArray[np.int64] | None = None

    @property
    def grouped(self) -> bool:
        """Whether items are groups of features."""
        return self.labels is not None

    @property
    def eligible(self) -> NDArray[np.bool_]:
        """Items with a feature that can be chosen."""
        out = np.zeros(self.count, dtype=np.bool_)
        out[self.of_feature[self.of_feature >= 0]] = True
        return out


def items_of(design: DesignView, features: Features, groups: Any) -> Items:
    """Return the items: every penalised feature, or `groups` of them, given as to a group lasso."""
    p, factor = design.n_features, features.penalty_factor
    names, label = None, np.arange(p, dtype=np.int64)
    if groups is not None:
        found = GroupLasso(groups).groups_of(p, design.feature_names)
        if found.feature is not None:
            twice = found.feature[1:][np.diff(found.feature) == 0]
            of = design.feature_names
            which = twice[0] if of is None else repr(str(of[int(twice[0])]))
            raise ValueError(
                f"groups must be disjoint, got feature {which} in more than one: false selections are "
                "counted by group, and a group is selected or it is not"
            )
        names, label = found.labels, found.group.astype(np.int64)
    left_out = None
    if factor is not None:
        left_out = np.where(np.isinf(factor), label, -1)
        label = np.where(_penalised(factor), label, -1)
    if not (label >= 0).any():
        raise ValueError("penalty_factor and exclude must leave a penalised feature to select, got none")
    return Items(label, p if names is None else len(names), names, left_out)


def free_features(features: Features) -> NDArray[np.int64]:
    """Return the features that are not penalised, such as covariates."""
    if features.penalty_factor is None:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(features.penalty_factor == 0.0).astype(np.int64)


def variants_of(problem: Problem, coefs: Any, outputs: int) -> FittedVariants | None:
    """Return the variants, of genotypes, by the columns that coefficients are stored for."""
    genotypes = problem.design.genotypes
    if genotypes is None:
        return None
    active = np.unique(coefs.indices // outputs).astype(np.int64)
    return fitted_variants(genotypes, active=active[active < genotypes.shape[1]])


def _penalised(factor: Float) -> NDArray[np.bool_]:
    return np.asarray((factor > 0.0) & np.isfinite(factor))
