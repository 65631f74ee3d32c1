"""Penalties that `fit_path` and `cv_path` accept.

Where there are several weights, they are on the scale of alpha: with `standardize` coefficients are measured
on columns of unit standard deviation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._validation import Float, Names, check_feature_set, check_real, check_vector

__all__ = ["MCP", "SCAD", "SLOPE", "ElasticNet", "GroupLasso", "Penalty", "SparseGroupLasso"]


@dataclass(slots=True)
class Structure:
    """What a penalty tells the core about p features, beside their penalty factors."""

    arguments: dict[str, Any] = field(default_factory=dict)
    free: NDArray[np.bool_] | None = None  # features that it leaves unpenalised


class Penalty(ABC):
    """A penalty, times alpha, of the coefficients of all features."""

    kind: ClassVar[str]
    certificate: ClassVar[str] = "duality_gap"
    ties_features: ClassVar[bool] = False  # penalty factors are 0, 1 or infinity then

    @property
    def l1_share(self) -> float:
        """Share of the penalty that is not squared."""
        return 1.0

    @property
    def parameters(self) -> dict[str, float | str]:
        """Those parameters that are numbers or words."""
        given = ((item.name, getattr(self, item.name)) for item in fields(self))  # type: ignore[arg-type]
        return {
            name: value if isinstance(value, str) else float(value)
            for name, value in given
            if isinstance(value, str | int | float | np.integer | np.floating)
        }

    def groups_of(self, n_features: int, names: Names | None) -> tuple[NDArray[np.intp], list[Any]] | None:
        """Return the number of each feature's group, and what the groups are called; None without groups."""
        return None

    @abstractmethod
    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        """Check what depends on the features; `factor` are their penalty factors."""


@dataclass(frozen=True, slots=True)
class ElasticNet(Penalty):
    """The elastic net, ``alpha * sum_j pf_j (l1_ratio |b_j| + (1 - l1_ratio) / 2 b_j^2)``.

    Parameters
    ----------
    l1_ratio : float, default=1.0
        Share of the absolute values, from 0 (ridge) to 1 (lasso).

    Examples
    --------
    >>> import riata
    >>> riata.penalties.ElasticNet(l1_ratio=0.5)
    ElasticNet(l1_ratio=0.5)
    """

    l1_ratio: float = 1.0

    kind: ClassVar[str] = "elastic_net"

    def __post_init__(self) -> None:
        check_real("l1_ratio", self.l1_ratio, at_least=0.0, at_most=1.0)

    @property
    def l1_share(self) -> float:
        return float(self.l1_ratio)

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        return Structure()


@dataclass(frozen=True, slots=True, eq=False)
class GroupLasso(Penalty):
    """The group lasso, ``alpha * sum_g w_g ((1 - l2_ratio) ‖b_g‖₂ + l2_ratio/2 ‖b_g‖₂²)``.

    The features of a group enter together.

    Parameters
    ----------
    groups : array-like of shape (p,), or mapping
        A label for each feature, in any order; or for each label the numbers or names of its features, those
        of no group being groups of their own. Groups must not overlap: a feature that belongs to two would
        have to leave with either of them. To have it enter with either instead (the latent group lasso), give
        each group a copy of its column. None: every feature by itself.
    weights : "sqrt_size", "ones", array-like or mapping, default="sqrt_size"
        w_g >= 0: the square root of the group's size (features left out or unpenalised do not count), 1, one
        for each of the sorted labels, or one for each label. A group of weight zero is not penalised.
    l2_ratio : float, default=0.0
        Share of the squared norm, in [0, 1].

    References
    ----------
    Yuan & Lin (2006), Model selection and estimation in regression with grouped variables, JRSS B 68.

    Examples
    --------
    >>> import riata
    >>> riata.penalties.GroupLasso([0, 0, 1, 1, 1])
    GroupLasso(2 groups of 5 features)
    """

    groups: ArrayLike | Mapping[Any, ArrayLike] | None
    weights: str | ArrayLike | Mapping[Any, float] = "sqrt_size"
    l2_ratio: float = 0.0

    kind: ClassVar[str] = "group"
    ties_features: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_real("l2_ratio", self.l2_ratio, at_least=0.0, at_most=1.0)

    def __repr__(self) -> str:
        return _describe("GroupLasso", self.groups)

    @property
    def l1_share(self) -> float:
        return 1.0 - self.l2_ratio

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        return _grouped(self.groups, self.weights, n_features, names, factor)

    def groups_of(self, n_features: int, names: Names | None) -> tuple[NDArray[np.intp], list[Any]]:
        return _labels_of(self.groups, n_features, names)


@dataclass(frozen=True, slots=True, eq=False)
class SparseGroupLasso(Penalty):
    """``alpha * (l1_ratio ‖b‖₁ + (1 - l1_ratio) sum_g w_g ‖b_g‖₂)``: few groups, and few features in each.

    Parameters
    ----------
    groups, weights
        As for `GroupLasso`. A group of weight zero is not penalised at all.
    l1_ratio : float, default=0.5
        Share of the absolute values, from 0 (group lasso) to 1 (lasso).

    References
    ----------
    Simon, Friedman, Hastie & Tibshirani (2013), A sparse-group lasso, Journal of Computational and Graphical
    Statistics 22.

    Examples
    --------
    >>> import riata
    >>> riata.penalties.SparseGroupLasso({"a": [0, 1], "b": [2, 3, 4]}, l1_ratio=0.25)
    SparseGroupLasso(2 groups of 5 features, l1_ratio=0.25)
    """

    groups: ArrayLike | Mapping[Any, ArrayLike] | None
    l1_ratio: float = 0.5
    weights: str | ArrayLike | Mapping[Any, float] = "sqrt_size"

    kind: ClassVar[str] = "group"
    ties_features: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_real("l1_ratio", self.l1_ratio, at_least=0.0, at_most=1.0)

    def __repr__(self) -> str:
        return _describe("SparseGroupLasso", self.groups, f", l1_ratio={self.l1_ratio:g}")

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        out = _grouped(self.groups, self.weights, n_features, names, factor)
        out.arguments["sparse_share"] = float(self.l1_ratio)
        return out

    def groups_of(self, n_features: int, names: Names | None) -> tuple[NDArray[np.intp], list[Any]]:
        return _labels_of(self.groups, n_features, names)


@dataclass(frozen=True, slots=True)
class MCP(Penalty):
    """The minimax concave penalty: like ``alpha |b_j|`` at zero, flat from ``gamma * alpha`` on.

    ``alpha |b| - b²/(2 gamma)`` up to there, with alpha times the penalty factor in the place of alpha. Large
    coefficients are not shrunk. The problem is not convex: fits go down the path from zero, each one from the
    last, and end where the optimality conditions hold (``certificate == "kkt"``); `Path.locally_convex` tells
    up to which alpha the active features leave no other choice.

    Parameters
    ----------
    gamma : float, default=3.0
        Above 1. Small values are close to best-subset selection, large ones to the lasso. On columns of unit
        standard deviation.

    References
    ----------
    Zhang (2010), Nearly unbiased variable selection under minimax concave penalty, Annals of Statistics 38.
    Breheny & Huang (2011), Coordinate descent algorithms for nonconvex penalized regression, Annals of
    Applied Statistics 5.

    Examples
    --------
    >>> import riata
    >>> riata.penalties.MCP()
    MCP(gamma=3.0)
    """

    gamma: float = 3.0

    kind: ClassVar[str] = "mcp"
    certificate: ClassVar[str] = "kkt"

    def __post_init__(self) -> None:
        check_real("gamma", self.gamma, above=1.0)

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        return Structure({"gamma": float(self.gamma)})


@dataclass(frozen=True, slots=True)
class SCAD(Penalty):
    """The smoothly clipped absolute deviation: ``alpha |b_j|`` up to alpha, flat from ``gamma * alpha`` on.

    In between its slope falls linearly. As for `MCP`, large coefficients are not shrunk and the problem is
    not convex.

    Parameters
    ----------
    gamma : float, default=3.7
        Above 2; large values are close to the lasso.

    References
    ----------
    Fan & Li (2001), Variable selection via nonconcave penalized likelihood and its oracle properties, Journal
    of the American Statistical Association 96.

    Examples
    --------
    >>> import riata
    >>> riata.penalties.SCAD()
    SCAD(gamma=3.7)
    """

    gamma: float = 3.7

    kind: ClassVar[str] = "scad"
    certificate: ClassVar[str] = "kkt"

    def __post_init__(self) -> None:
        check_real("gamma", self.gamma, above=2.0)

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        return Structure({"gamma": float(self.gamma)})


@dataclass(frozen=True, slots=True, eq=False)
class SLOPE(Penalty):
    """The sorted L1 norm, ``alpha * sum_i w_i |b|_(i)`` with ``|b|_(1) >= |b|_(2) >= ...``.

    Larger coefficients are penalised more, which on orthogonal columns controls the false discovery rate, and
    those of correlated features come out equal. Equal weights give the lasso.

    Parameters
    ----------
    q : float, default=0.1
        In (0, 1): the weights are those of Benjamini & Hochberg's procedure at level q, the normal quantiles
        at ``1 - i q / (2 m)`` for the i-th of m penalised features. With them and columns of unit standard
        deviation, alpha = sigma / sqrt(n) is the choice for noise of standard deviation sigma.
    weights : array-like of shape (p,), optional
        Other weights, in decreasing order, >= 0; the first m are used.

    References
    ----------
    Bogdan, van den Berg, Sabatti, Su & Candès (2015), SLOPE: adaptive variable selection via convex
    optimization, Annals of Applied Statistics 9.

    Examples
    --------
    >>> import riata
    >>> riata.penalties.SLOPE(q=0.2)
    SLOPE(q=0.2)
    """

    q: float = 0.1
    weights: ArrayLike | None = None

    kind: ClassVar[str] = "slope"
    ties_features: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_real("q", self.q, above=0.0, below=1.0)

    def __repr__(self) -> str:
        return f"SLOPE(q={self.q!r})" if self.weights is None else "SLOPE(weights=...)"

    @property
    def parameters(self) -> dict[str, float | str]:
        return {"q": float(self.q)} if self.weights is None else {}

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        if self.weights is None:
            from scipy.stats import norm

            count = (
                n_features
                if factor is None
                else max(int(np.count_nonzero((factor > 0) & np.isfinite(factor))), 1)
            )
            rank = np.minimum(np.arange(1, n_features + 1), count)
            return Structure({"sorted_weights": norm.isf(rank * self.q / (2 * count))})
        weights = check_vector("weights", self.weights, n_features, "feature")
        if not (weights >= 0.0).all() or (np.diff(weights) > 0.0).any() or weights[0] == 0.0:
            raise ValueError(
                "weights must be >= 0, in decreasing order and not all zero, "
                f"got {np.array2string(weights, threshold=6)}"
            )
        return Structure({"sorted_weights": weights})


def penalty_name(kind: str, parameters: Mapping[str, Any]) -> str:
    """Return what a penalty other than the elastic net is called."""
    if kind == "group":
        return "sparse group lasso" if "l1_ratio" in parameters else "group lasso"
    return kind.upper()


def _describe(name: str, groups: Any, rest: str = "") -> str:
    if groups is None:
        return f"{name}(every feature by itself{rest})"
    if isinstance(groups, Mapping):
        count, features = len(groups), sum(np.size(members) for members in groups.values())
    else:
        count, features = len(np.unique(groups)), np.size(groups)
    return f"{name}({count} groups of {features} features{rest})"


def _labels_of(groups: Any, n_features: int, names: Names | None) -> tuple[NDArray[np.intp], list[Any]]:
    """The number of each feature's group, and what the groups are called."""
    if groups is None:
        groups = {}
    if isinstance(groups, Mapping):
        number = np.full(n_features, -1, dtype=np.intp)
        labels = list(groups)
        for k, label in enumerate(labels):
            members = check_feature_set(f"groups[{label!r}]", groups[label], n_features, names)
            taken = members[number[members] >= 0]
            if len(taken):
                j = int(taken[0])
                what = j if names is None else repr(names[j])
                raise ValueError(
                    f"groups must not overlap, got feature {what} in {labels[number[j]]!r} and {label!r}: "
                    "leave it in one of them, or give each a copy of its column"
                )
            number[members] = k
        alone = np.flatnonzero(number < 0)
        number[alone] = len(labels) + np.arange(len(alone))
        return number, labels + [int(j) if names is None else names[j] for j in alone]
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
    return number.astype(np.intp), unique.tolist()


def _grouped(
    groups: Any, weights: Any, n_features: int, names: Names | None, factor: Float | None
) -> Structure:
    number, labels = _labels_of(groups, n_features, names)
    penalised = number if factor is None else number[(factor > 0.0) & np.isfinite(factor)]
    size = np.bincount(penalised, minlength=len(labels)).astype(np.float64)
    if isinstance(weights, str):
        if weights not in ("sqrt_size", "ones"):
            raise ValueError(
                f'weights must be "sqrt_size", "ones" or one number for each group, got {weights!r}'
            )
        out = np.sqrt(size) if weights == "sqrt_size" else np.ones(len(labels))
    elif isinstance(weights, Mapping):
        missing = [label for label in labels if label not in weights]
        if missing:
            raise ValueError(f"weights must have one number for each group, got none for {missing[0]!r}")
        out = check_vector("weights", [weights[label] for label in labels], len(labels), "group")
    else:
        out = check_vector("weights", weights, len(labels), "group")
    if not (out >= 0.0).all():
        raise ValueError(f"weights must be >= 0, got {out.min():g}")
    free = out == 0.0
    arguments = {"group": number.tolist(), "group_weights": np.where(free, 1.0, out)}
    return Structure(arguments, free[number] if free.any() else None)
