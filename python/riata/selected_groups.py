"""The groups of which a feature was selected, as a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.hits import Hits


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
        alpha with any of them active, and the order of entry.
    """

    def __init__(self, hits: Hits, path: Any) -> None:
        group = path.groups[hits.positions]
        self.numbers, inverse = np.unique(group, return_inverse=True)
        count = len(self.numbers)
        norm = np.sqrt(np.bincount(inverse, hits.beta_std**2, minlength=count))
        entry = np.zeros(count)
        np.maximum.at(entry, inverse, hits.entry)
        order = np.lexsort((-norm, -entry))
        self.numbers = self.numbers[order]
        offered = np.isfinite(1.0 if path.penalty_factor is None else path.penalty_factor)
        sizes = np.bincount(path.groups, np.broadcast_to(offered, path.groups.shape)).astype(np.int64)
        self.columns: list[tuple[str, NDArray[Any]]] = [
            ("GROUP", path.group_names[self.numbers]),
            ("SIZE", sizes[self.numbers]),
            ("NONZERO", np.bincount(inverse, minlength=count)[order]),
            ("NORM_STD", norm[order]),
            ("ENTRY_ALPHA", entry[order]),
            ("RANK", np.arange(1, count + 1)),
        ]

    def __len__(self) -> int:
        return len(self.numbers)

    def column(self, name: str) -> NDArray[Any]:
        """Return one column of the table."""
        return dict(self.columns)[name]
