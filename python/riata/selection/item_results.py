"""What results of selections share: items are features or groups of them, with names, members and places."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.features import Names
from riata.genetics.variants import FittedVariants

Numbers = NDArray[np.int64]


class ItemResult:
    """Names and members of the items of a selection."""

    of_feature: Numbers
    n_items: int
    group_names: NDArray[Any] | None
    feature_names: Names | None
    variants: FittedVariants | None

    @property
    def n_features(self) -> int:
        """p, the number of features."""
        return len(self.of_feature)

    def members(self, item: int) -> Numbers:
        """Return the features of an item.

        Parameters
        ----------
        item : int
            Its number.

        Returns
        -------
        ndarray of int
            Feature numbers, increasing.
        """
        return np.flatnonzero(self.of_feature == item).astype(np.int64)

    def item_name(self, item: int) -> str:
        """Return what an item is called: the name of its group or feature, or its number.

        Parameters
        ----------
        item : int
            Its number.

        Returns
        -------
        str
            The name.
        """
        if self.group_names is not None:
            return str(self.group_names[item])
        return str(item) if self.feature_names is None else str(self.feature_names[item])

    @property
    def _what(self) -> str:
        return "group" if self.group_names is not None else "feature"

    def _named(self, items: Numbers, lead: Numbers) -> dict[str, Any]:
        """Columns of a table that say which items these are, by their leads, and where those lie."""
        features = lead if self.feature_names is None else self.feature_names[lead]
        columns: dict[str, Any] = {"feature": features}
        if self.group_names is not None:
            inside = self.of_feature[self.of_feature >= 0]
            columns = {
                "group": self.group_names[items],
                "lead": features,
                "n_features": np.bincount(inside, minlength=self.n_items)[items],
            }
        if self.variants is not None:
            from riata.path.selected_table import variant_columns

            places = variant_columns(self.variants, lead)
            columns |= {
                {"frequency": "allele_frequency"}.get(name, name): part for name, part in places.items()
            }
        return columns
