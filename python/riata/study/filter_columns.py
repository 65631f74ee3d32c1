"""Tables of a knockoff filter: what was selected, how everything compares with its knockoff, members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.study.resolutions import Resolution
from riata.study.selection_columns import Columns, lead_columns, places
from riata.study.study import Study

Items = NDArray[np.int64]


def filter_columns(found: Any, study: Study) -> Columns:
    """Return one row per item that is selected, those farthest ahead of their knockoffs first."""
    return _item_columns(found, study, found.selected)


def statistic_columns(found: Any, study: Study) -> Columns:
    """Return one row per item that differs from its knockoff, those farthest ahead of theirs first."""
    chosen = np.isin(found.ranked, found.selected)
    return [*_item_columns(found, study, found.ranked), ("SELECTED", np.where(chosen, "yes", "no"))]


def member_columns(found: Any, study: Study) -> Columns:
    """Return one row per feature of the groups that are selected."""
    items = found.selected
    members = [found.members(int(item)) for item in items]
    item = np.repeat(items, [len(each) for each in members])
    feature = np.concatenate([np.empty(0, dtype=np.int64), *members]).astype(np.int64)
    return [
        ("GROUP", [found.item_name(int(k)) for k in item]),
        *places(study, feature),
        ("LEAD", np.where(found.lead[item] == feature, "yes", "no")),
    ]


def within_columns(found: Any, fine: Resolution, coarser: Sequence[tuple[Resolution, Any]]) -> Columns:
    """Return the group of the next coarser resolution that holds each item selected, and whether it is, too.

    Parameters
    ----------
    found : KnockoffSelected
    fine : Resolution
        Of `found`.
    coarser : sequence of (Resolution, KnockoffSelected)
        From the coarsest on; empty for the coarsest itself.
    """
    if not coarser:
        return []
    resolution, result = coarser[-1]
    assert resolution.labels is not None
    of = resolution.labels[found.lead[found.selected]]
    names = [str(resolution.names[k]) for k in of.tolist()]
    chosen = {result.item_name(int(item)) for item in result.selected}
    return [
        ("WITHIN", names),
        ("WITHIN_SELECTED", ["yes" if name in chosen else "no" for name in names]),
    ]


def _item_columns(found: Any, study: Study, items: Items) -> Columns:
    columns = lead_columns(found, study, items)
    if found.outputs is None:
        columns.append(("BETA", found.coef_mean[items]))
    columns += [("W", found.W[items]), ("Q_VALUE", found.q_values[items])]
    if found.e_values is not None:
        columns += [("E_VALUE", found.e_values[items]), ("SHARE", found.share[items])]
    return columns
