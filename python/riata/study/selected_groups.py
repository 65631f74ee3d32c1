"""The groups of which a feature was selected, as a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.path.group_parts import groups_of, members_at
from riata.study.hits import Hits


class SelectedGroups:
    """Groups with a nonzero coefficient at one alpha, in the order they entered the path.

    Parameters
    ----------
    hits : Hits
    path : Path
        With groups.

    Attributes
    ----------
    columns : list of (name, values)
        As written to ``.groups.tsv``: the group, its features that were offered to the fit, those with a
        nonzero coefficient, the norm of the coefficients on columns of unit standard deviation, the largest
        alpha with any of them active, and the order of entry. Where groups overlap, coefficients are the
        parts of them that are the group's.
    """

    def __init__(self, hits: Hits, path: Any) -> None:
        spread = np.full(path.n_features, np.nan)
        spread[hits.source.positions] = hits.source.spread
        members = members_at(path, hits.alpha, hits.positions)  # covariates are no hits
        found = groups_of(members, spread[members.features])
        order = np.lexsort((-found.norm, -found.entry))
        self.numbers = found.numbers[order]
        offered = np.isfinite(
            np.ones(path.n_features) if path.penalty_factor is None else path.penalty_factor
        )
        offered = offered if path.members is None else offered[path.members]
        counts = np.bincount(path.groups, offered).astype(np.int64)
        self.columns: list[tuple[str, NDArray[Any]]] = [
            ("GROUP", path.group_names[self.numbers]),
            ("SIZE", counts[self.numbers]),
            ("NONZERO", found.n_features[order]),
            ("NORM_STD", found.norm[order]),
            ("ENTRY_ALPHA", found.entry[order]),
            ("RANK", np.arange(1, len(order) + 1)),
        ]

    def __len__(self) -> int:
        return len(self.numbers)

    def column(self, name: str) -> NDArray[Any]:
        """Return one column of the table."""
        return dict(self.columns)[name]
