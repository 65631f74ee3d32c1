"""Groups of features along a path: which are active, and their parts in the coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.path.coefs import entry_alphas
from riata.path.many_classes import sizes

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ActiveMembers:
    """Members of groups that have a part in the coefficients: feature, group and, a row each, their parts."""

    features: NDArray[np.int64]
    groups: NDArray[np.int64]
    parts: Float  # (k, K)
    entry: Float  # largest alpha at which each was active


@dataclass(frozen=True, slots=True)
class ActiveGroups:
    """Groups with a nonzero part, by their numbers: its norm, its features, the alpha it entered at."""

    numbers: NDArray[np.int64]
    norm: Float
    n_features: NDArray[np.int64]
    entry: Float


def members_at(path: Any, alpha: float, among: NDArray[np.int64] | None = None) -> ActiveMembers:
    """Return the members of groups that are active at `alpha`, of all features or of those `among` them."""
    every = path._parts_at(alpha).tocsr()
    active = np.flatnonzero(np.diff(every.indptr)).astype(np.int64)
    if among is not None:
        active = active[np.isin(active if path.members is None else path.members[active], among)]
    parts = every[active].toarray()
    nonzero = parts.any(axis=1)
    active, parts = active[nonzero], parts[nonzero]
    entry = entry_alphas(sizes(path.coefs if path.parts is None else path.parts), path.alphas)[active]
    # an interpolated alpha may hold a member of the next grid point only
    return ActiveMembers(
        active if path.members is None else path.members[active],
        path.groups[active],
        parts,
        np.where(np.isnan(entry), alpha, entry),
    )


def groups_of(members: ActiveMembers, spread: Float) -> ActiveGroups:
    """Gather members by their groups; `spread` is what makes the coefficients of each one comparable."""
    numbers, inverse = np.unique(members.groups, return_inverse=True)
    count = len(numbers)
    squares = np.sum((members.parts * spread[:, None]) ** 2, axis=1)
    entry = np.zeros(count)
    np.maximum.at(entry, inverse, members.entry)
    norm = np.sqrt(np.bincount(inverse, squares, minlength=count))
    return ActiveGroups(numbers, norm, np.bincount(inverse, minlength=count), entry)


def groups_at(path: Any, alpha: float) -> ActiveGroups:
    """Return the groups of a path that are active at `alpha`, with norms on the scale of the penalty.

    Raises
    ------
    ValueError
        When the path has no groups, or `alpha` lies outside its grid.
    """
    if path.groups is None:
        raise ValueError(f"the path must have groups, as GroupLasso makes them, got penalty {path.penalty!r}")
    members = members_at(path, float(alpha))
    return groups_of(members, path.scale[members.features])


def part_of(path: Any, group: Any, alpha: float) -> Float:
    """Return the part of one group in the coefficients: see `RegularizationPath.group_coef`."""
    if path.groups is None:
        raise ValueError(f"the path must have groups, as GroupLasso makes them, got penalty {path.penalty!r}")
    found = np.flatnonzero(path.group_names == (str(group) if path.group_names.dtype.kind == "U" else group))
    if len(found) == 0:
        raise ValueError(f"group must be one of the group_names of the path, got {group!r}")
    members = members_at(path, float(alpha))
    mine = np.isin(members.groups, found)
    out = np.zeros((path.n_features, members.parts.shape[1]))
    out[members.features[mine]] = members.parts[mine]
    return out if path.outputs is not None else out[:, 0]


def main_groups(path: Any, features: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one group a feature: where it is in several, the one with the largest part along the path."""
    if path.members is None:
        return np.asarray(path.groups[features])
    weight = np.asarray(abs(sizes(path.parts)).sum(axis=1)).ravel()
    best = np.lexsort((weight, path.members))  # by feature, the largest part last
    last = np.searchsorted(path.members[best], features, side="right") - 1
    return np.asarray(path.groups[best[last]])


def names_of_groups(path: Any, alpha: float, features: NDArray[np.int64]) -> NDArray[Any]:
    """Return what the groups of each feature are called; of several those that have a part at `alpha`."""
    if path.members is None:
        return np.asarray(path.group_names[path.groups[features]])
    members = members_at(path, alpha)
    names: dict[int, list[str]] = {}
    for feature, group in zip(members.features.tolist(), members.groups.tolist(), strict=True):
        names.setdefault(feature, []).append(str(path.group_names[group]))
    return np.array([";".join(names.get(int(feature), [])) for feature in features], dtype=object)
