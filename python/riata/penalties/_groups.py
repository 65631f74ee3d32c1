"""Penalties of groups of features, which may overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._docs import described_by
from riata._input.features import Names, check_feature_sets
from riata._input.validation import Float, check_real, check_vector
from riata.penalties._penalty import Membership, Penalty, Structure

#: Groups of features: a label for each, or the members of each.
Groups = ArrayLike | Mapping[Any, Any] | Sequence[Any]


@dataclass(frozen=True, slots=True, eq=False)
class GroupLasso(Penalty):
    """The group lasso, ``alpha * sum_g w_g ((1 - l2_ratio) ‖b_g‖₂ + l2_ratio/2 ‖b_g‖₂²)``.

    The features of a group enter together; with several outputs they enter for all outputs, and b_g holds all
    coefficients of the group's features.

    Parameters
    ----------
    groups : array-like of shape (p,), mapping, or list of lists
        A label for each feature, in any order. Or a mapping from labels to the numbers or names of their
        features, or a list of such lists; each feature in no group is then a group of its own. Groups may
        overlap, as gene sets do: see Notes. None: every feature by itself.
    weights : "sqrt_size", "ones", array-like or mapping, default="sqrt_size"
        Weights w_g >= 0: the square root of the group's size (features left out or unpenalised do not count),
        1, one for each of the sorted labels or of the lists, or one for each label; features in no group have
        weight 1. A group of weight zero is not penalised.
    l2_ratio : float, default=0.0
        Share of the squared norm, in [0, 1].

    Notes
    -----
    Where groups overlap, coefficients are sums of parts, b = Σ_g v_g with v_g zero outside g, and the penalty
    is that of the parts, at the best of all such sums: the latent group lasso. A feature enters with any of
    its groups and stays as long as one of them does, so that what is selected is a union of groups. It is the
    fit in which every group has its own copy of the columns of its features, though no copy is made. The
    parts are `RegularizationPath.parts`, see `RegularizationPath.group_coef`.

    References
    ----------
    Yuan & Lin (2006), Model selection and estimation in regression with grouped variables, JRSS B 68.
    Jacob, Obozinski & Vert (2009), Group lasso with overlap and graph lasso, ICML.

    Examples
    --------
    >>> import riata
    >>> riata.penalties.GroupLasso([0, 0, 1, 1, 1])
    GroupLasso(2 groups of 5 features)
    """

    groups: Groups | None
    weights: str | ArrayLike | Mapping[Any, float] = "sqrt_size"
    l2_ratio: float = 0.0

    kind: ClassVar[str] = "group"
    ties_features: ClassVar[bool] = True
    several_outputs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_real("l2_ratio", self.l2_ratio, at_least=0.0, at_most=1.0)

    def __repr__(self) -> str:
        return _describe("GroupLasso", self.groups)

    @property
    def l1_share(self) -> float:
        return 1.0 - self.l2_ratio

    @property
    def ties_outputs(self) -> bool:
        return True

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        return _grouped(self.groups, self.weights, n_features, names, factor)

    def groups_of(self, n_features: int, names: Names | None) -> Membership:
        return _membership(self.groups, n_features, names)


@described_by(GroupLasso)
@dataclass(frozen=True, slots=True, eq=False)
class SparseGroupLasso(Penalty):
    """``alpha * (l1_ratio ‖b‖₁ + (1 - l1_ratio) sum_g w_g ‖b_g‖₂)``: few groups, and few features in each.

    Parameters
    ----------
    l1_ratio : float, default=0.5
        Share of the absolute values, from 0 (group lasso) to 1 (lasso).

    Notes
    -----
    A group of weight zero is not penalised at all. Where groups overlap, coefficients are sums of parts, one
    for each group, and both norms are those of the parts (Rao, Cox, Nowak & Rogers 2013).

    References
    ----------
    Simon, Friedman, Hastie & Tibshirani (2013), A sparse-group lasso, Journal of Computational and Graphical
    Statistics 22. Rao, Cox, Nowak & Rogers (2013), Sparse overlapping sets lasso for multitask learning and
    its application to fMRI analysis, NeurIPS 26.

    Examples
    --------
    >>> import riata
    >>> riata.penalties.SparseGroupLasso({"a": [0, 1], "b": [2, 3, 4]}, l1_ratio=0.25)
    SparseGroupLasso(2 groups of 5 features, l1_ratio=0.25)
    """

    groups: Groups | None
    l1_ratio: float = 0.5
    weights: str | ArrayLike | Mapping[Any, float] = "sqrt_size"

    kind: ClassVar[str] = "group"
    ties_features: ClassVar[bool] = True
    several_outputs: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_real("l1_ratio", self.l1_ratio, at_least=0.0, at_most=1.0)

    def __repr__(self) -> str:
        return _describe("SparseGroupLasso", self.groups, f", l1_ratio={self.l1_ratio:g}")

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        out = _grouped(self.groups, self.weights, n_features, names, factor)
        out.arguments["l1_within_ratio"] = float(self.l1_ratio)
        return out

    def groups_of(self, n_features: int, names: Names | None) -> Membership:
        return _membership(self.groups, n_features, names)


def _describe(name: str, groups: Any, rest: str = "") -> str:
    if groups is None:
        return f"{name}(every feature by itself{rest})"
    sets = _as_sets(groups)
    if sets is None:
        count, features = len(np.unique(groups)), np.size(groups)
    else:
        found = [_as_list(members) for members in sets.values()]
        count, features = len(found), len({each for members in found for each in np.ravel(members).tolist()})
    return f"{name}({count} groups of {features} features{rest})"


def _as_list(members: Any) -> Any:
    """Members of a set in an order, as an array can hold them."""
    return list(members) if isinstance(members, Set) else members


def _as_sets(groups: Any) -> Mapping[Any, Any] | None:
    """Groups that are given by their members, with names or without; None where features have labels."""
    if isinstance(groups, Mapping):
        return groups
    listed = isinstance(groups, list | tuple) and len(groups) > 0
    if listed and all(isinstance(each, list | set | frozenset | range | np.ndarray) for each in groups):
        return dict(enumerate(groups))
    return None


def _membership(groups: Any, n_features: int, names: Names | None) -> Membership:
    sets = {} if groups is None else _as_sets(groups)
    if sets is not None:
        return _from_sets(sets, n_features, names)
    given = np.asarray(groups)
    if given.ndim != 1 or len(given) != n_features:
        raise ValueError(
            f"groups must have one label for each of the {n_features} features, got shape {given.shape}"
        )
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        raise ValueError(
            "groups must not hold NaN or infinity: give features of no group labels of their own"
        )
    try:
        unique, number = np.unique(given, return_inverse=True)
    except TypeError:
        raise TypeError("groups must hold labels of one kind, got some that cannot be compared") from None
    return Membership(number.astype(np.intp), unique.tolist(), len(unique))


def _from_sets(sets: Mapping[Any, Any], n_features: int, names: Names | None) -> Membership:
    """Groups by their members; a feature in none is a group of its own."""
    labels = list(sets)
    members = check_feature_sets(
        "groups", {label: _as_list(sets[label]) for label in labels}, n_features, names
    )
    feature = np.concatenate([*members, np.empty(0, dtype=np.intp)]).astype(np.intp)
    group = np.repeat(np.arange(len(labels)), [len(each) for each in members]).astype(np.intp)
    alone = np.setdiff1d(np.arange(n_features), feature)
    feature = np.concatenate([feature, alone])
    group = np.concatenate([group, len(labels) + np.arange(len(alone))])
    labels += _labels_alone(labels, alone, names)
    order = np.argsort(feature, kind="stable")
    feature, group = feature[order], group[order]
    return Membership(group, labels, len(sets), None if len(feature) == n_features else feature)


def _labels_alone(labels: list[Any], alone: NDArray[np.intp], names: Names | None) -> list[Any]:
    """What features in no group are called, as groups: by name or number, or on from those of a list.

    Where a group has such a name they are called "feature 3" and so on.
    """
    if names is None and labels and labels == list(range(len(labels))):
        return [len(labels) + k for k in range(len(alone))]
    own = alone.tolist() if names is None else [names[j] for j in alone]
    taken = {str(label) for label in labels}
    return [f"feature {name}" for name in own] if any(str(name) in taken for name in own) else own


def _grouped(
    groups: Any, weights: Any, n_features: int, names: Names | None, factor: Float | None
) -> Structure:
    found = _membership(groups, n_features, names)
    group, count = found.group, len(found.labels)
    if factor is not None:
        group = group[found.of_members((factor > 0.0) & np.isfinite(factor))]
    out = _group_weights(weights, found, np.bincount(group, minlength=count).astype(np.float64))
    free = out == 0.0
    arguments: dict[str, Any] = {
        "group": found.group.astype(np.int64),
        "group_weights": np.where(free, 1.0, out),
    }
    if found.feature is None:
        return Structure(arguments, free[found.group] if free.any() else None)
    arguments["column"] = found.feature.astype(np.int64)
    if not free.any():
        return Structure(arguments)
    free_features = np.zeros(n_features, dtype=np.bool_)
    free_features[found.feature[free[found.group]]] = True
    return Structure(arguments, free_features)


def _group_weights(weights: Any, found: Membership, size: Float) -> Float:
    """The weight of each group; of features in none 1 unless they are given too."""
    labels, count = found.labels, len(found.labels)
    if isinstance(weights, str):
        if weights not in ("sqrt_size", "ones"):
            raise ValueError(
                f'weights must be "sqrt_size", "ones" or one number for each group, got {weights!r}'
            )
        return np.sqrt(size) if weights == "sqrt_size" else np.ones(count)
    if isinstance(weights, Mapping):
        missing = [label for label in labels[: found.n_sets] if label not in weights]
        if missing:
            raise ValueError(f"weights must have one number for each group, got none for {missing[0]!r}")
        weights = [weights.get(label, 1.0) for label in labels]
    elif np.ndim(weights) == 1 and len(weights) == found.n_sets:
        weights = np.concatenate([weights, np.ones(count - found.n_sets)])
    out = check_vector("weights", weights, count, "group")
    if not (out >= 0.0).all():
        raise ValueError(f"weights must be >= 0, got {out.min():g}")
    return out
