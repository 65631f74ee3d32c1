"""Resolutions of a knockoff filter: groups of the features, nested, each resolution analysed by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.grouping.groups import CorrelationGroups
from riata.penalties import GroupLasso
from riata.study.study import Study


@dataclass(frozen=True, eq=False)
class Resolution:
    """What is selected at one resolution.

    Attributes
    ----------
    name : str
        Of its outputs, such as ``r2_0.5``.
    groups : CorrelationGroups, FeatureGroups or None
        As `riata.knockoff_selection` takes them; None for single features.
    labels : (p,) array of int, or None
        The group of each penalised feature.
    names : sequence of str
        What groups are called.
    r2 : float
        Of groups in linkage disequilibrium, else 0.
    """

    name: str
    groups: Any
    labels: NDArray[np.int64] | None
    names: Sequence[str]
    r2: float = 0.0

    def count(self, study: Study) -> int:
        """Return how many items there are to select from."""
        aside = np.zeros(study.n_features, dtype=np.bool_)
        aside[[j for j, _ in study.excluded]] = True
        return len(np.unique(self.labels[~aside])) if self.labels is not None else int((~aside).sum())

    @property
    def plain(self) -> str:
        """What the resolution is, as the terminal shows it."""
        return f"r2 {in_digits(self.r2)}" if self.r2 else ""

    @property
    def told(self) -> str:
        """What the resolution is, as pages show it."""
        return (
            f"r\u00b2 \u2265 {in_digits(self.r2)}" if self.r2 else "groups" if self.groups is not None else ""
        )


def in_digits(r2: float) -> str:
    """Return as many digits as tell a number from every other: 0.2, 0.1234567."""
    return np.format_float_positional(r2, trim="-")


def resolutions_of(study: Study, found: Sequence[CorrelationGroups]) -> list[Resolution]:
    """Return the resolutions of a study, the coarsest first.

    Parameters
    ----------
    study : Study
    found : sequence of CorrelationGroups
        Groups in linkage disequilibrium; without them there is one resolution, by the groups of a file or by
        single features.
    """
    if found:
        coarse = sorted(found, key=lambda groups: groups.r2)
        return [Resolution(f"r2_{in_digits(g.r2)}", g, g.labels, g.names, g.r2) for g in coarse]
    if study.groups is None:
        return [Resolution("", None, None, ())]
    names = [str(name) for name in study.features["id" if study.is_genotypes else "name"]]
    read = GroupLasso(study.groups).groups_of(study.n_features, np.array(names, dtype=object))
    if read.feature is not None:
        twice = read.feature[1:][np.diff(read.feature) == 0]
        raise ValueError(f"--groups must be disjoint with --fdr, got {names[int(twice[0])]} in more than one")
    return [Resolution("", study.groups, read.group.astype(np.int64), [str(name) for name in read.labels])]
