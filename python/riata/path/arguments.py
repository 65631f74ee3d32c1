"""The arguments of a fit, checked: options, what describes features, and the response."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.design import DesignView
from riata._input.features import Names, by_feature, check_bounds, check_exclude, check_penalty_factor
from riata._input.validation import (
    Float,
    check_alphas,
    check_checkpoint,
    check_flag,
    check_integer,
    check_memory,
    check_progress,
    check_real,
    check_solver,
    check_threads,
)
from riata.losses import Loss
from riata.losses._known import LOSSES, check_loss
from riata.path.certificates import CERTIFICATES
from riata.penalties import ElasticNet, GroupLasso, Penalty

Progress = Callable[[int, int, float, int, float, float], "bool | None"]
Watch = Progress | bool | None  # what `progress` may be

LASSO = ElasticNet()
SEVERAL_OUTPUTS = [name for name, kind in LOSSES.items() if kind.several_outputs]


@dataclass(slots=True)
class Options:
    """Checked arguments of a fit that do not depend on the data."""

    loss: Loss
    penalty: Penalty
    l1_ratio: float
    alphas: Float | None
    n_alphas: int
    eps: float
    fit_intercept: bool
    standardize: bool
    tol: float
    max_iter: int
    solver: str
    n_threads: int
    max_active: int
    memory: float
    progress: Progress | None
    alphas_per_pass: int = 0  # 0: as X wants it
    max_groups: int = -1
    stop_early: bool = True
    checkpoint: str = ""
    keep_checkpoint: bool = False
    grouped: bool = False
    patience: int = 0  # of a cross-validation

    def __post_init__(self) -> None:
        self.standardize = self.standardize and self.penalty.standardizes

    def quietly(self, **changes: Any) -> Options:
        """Return these options with some changed, for a fit on the way: nothing tells of it or ends it."""
        quiet = replace(self, progress=None, checkpoint="", max_active=-1, max_groups=-1, patience=0)
        return replace(quiet, **changes)


def check_options(
    *,
    loss: Any,
    penalty: Any,
    alphas: Any,
    eps: Any,
    fit_intercept: Any,
    standardize: Any,
    l1_ratio: Any,
    tol: Any,
    max_iter: Any,
    solver: Any,
    n_threads: Any,
    progress: Any,
    max_active: Any,
    max_groups: Any = None,
    memory: Any = None,
    alphas_per_pass: Any = None,
    checkpoint: Any = None,
    keep_checkpoint: Any = False,
) -> Options:
    """Check the arguments of `fit_path` that need no data, in the order of its signature."""
    loss = check_loss(loss)
    if penalty is not None:
        if not isinstance(penalty, Penalty):
            raise TypeError(
                "penalty must be None or one of riata.penalties, such as ElasticNet(l1_ratio), "
                f"got {penalty!r} of type {type(penalty).__name__}"
            )
        if l1_ratio != 1.0 and l1_ratio != penalty.l1_share:
            raise ValueError(
                f"l1_ratio must be left out when penalty is given, got {l1_ratio!r} and {penalty!r}"
            )
        l1_ratio = penalty.l1_share
        if penalty.kind != "elastic_net":
            if loss.several_outputs and not penalty.several_outputs:
                raise ValueError(
                    "penalty must be ElasticNet, GroupLasso or SparseGroupLasso with "
                    f"loss={loss.name!r}, got {penalty!r}: the others are for losses of one output"
                )
            if loss.several_outputs and solver == "cd":
                raise ValueError(
                    f"solver must be 'auto' or 'prox' with penalty={penalty!r} and loss={loss.name!r}, "
                    "got 'cd'"
                )
            if solver in ("active_set", "homotopy"):
                raise ValueError(
                    f"solver must be 'auto', 'cd' or 'prox' with penalty={penalty!r}, got {solver!r}"
                )
    grid, n_alphas = check_alphas(alphas)
    if grid is not None and grid[-1] == 0.0 and penalty is not None and penalty.kind != "elastic_net":
        raise ValueError(f"alphas must be > 0 with penalty={penalty!r}, got 0")
    ratio = check_real("l1_ratio", l1_ratio, at_least=0.0, at_most=1.0)
    return Options(
        loss=loss,
        penalty=ElasticNet(ratio) if penalty is None else penalty,
        l1_ratio=ratio,
        alphas=grid,
        n_alphas=n_alphas,
        eps=0.0 if eps is None else check_real("eps", eps, above=0.0, at_most=1.0),
        fit_intercept=check_flag("fit_intercept", fit_intercept) and loss.has_intercept,
        standardize=check_flag("standardize", standardize),
        tol=check_real("tol", tol, at_least=0.0),
        max_iter=check_integer("max_iter", max_iter, at_least=1),
        solver=check_solver(solver),
        n_threads=check_threads(n_threads),
        max_active=-1 if max_active is None else check_integer("max_active", max_active, at_least=1),
        max_groups=-1 if max_groups is None else check_integer("max_groups", max_groups, at_least=1),
        memory=check_memory(memory),
        alphas_per_pass=0
        if alphas_per_pass is None
        else check_integer("alphas_per_pass", alphas_per_pass, at_least=1),
        progress=check_progress(progress, CERTIFICATES[(penalty or LASSO).certificate].short),
        checkpoint=check_checkpoint(checkpoint),
        keep_checkpoint=check_flag("keep_checkpoint", keep_checkpoint),
        grouped=loss.always_grouped
        or (loss.several_outputs and penalty is not None and penalty.ties_outputs),
    )


@dataclass(slots=True)
class Features:
    """Checked arguments of a fit that describe features, each of length p or None."""

    penalty_factor: Float | None = None
    lower: Float | None = None
    upper: Float | None = None
    structure: dict[str, Any] = field(default_factory=dict)  # what the penalty adds
    label: NDArray[np.int64] | None = None  # of the group that `max_groups` counts


def check_features(
    design: DesignView,
    penalty_factor: Any,
    lower: Any,
    upper: Any,
    exclude: Any = None,
    *,
    positive: bool = False,
    grouped: bool = False,
    penalty: Penalty = LASSO,
    counted: Any = None,
    count: bool = False,
) -> Features:
    """Check penalty factors, bounds and exclusions against the number of features.

    With `count` the groups `counted`, or else those of the penalty, are numbered for `max_groups`.
    """
    p = design.n_features
    if grouped:
        refuse_bounds(lower=lower, upper=upper, positive=positive or None)
    names = design.feature_names
    factor = check_penalty_factor(by_feature("penalty_factor", penalty_factor, p, names, 1.0), p)
    lower = by_feature("lower", lower, p, names, -np.inf)
    upper = by_feature("upper", upper, p, names, np.inf)
    low, high = check_bounds(lower, upper, p, positive=positive)
    left_out = check_exclude(exclude, p, design.feature_names)
    if left_out is not None:
        factor = np.ones(p) if factor is None else factor.copy()
        factor[left_out] = np.inf
    if penalty.kind != "elastic_net":
        for name, bound in (("lower", low), ("upper", high)):
            if bound is not None:
                raise ValueError(f"{name} must be left out with penalty={penalty!r}")
    if penalty.ties_features and factor is not None:
        odd = factor[(factor != 0.0) & (factor != 1.0) & (factor != np.inf)]
        if len(odd):
            raise ValueError(
                f"penalty_factor must be 0, 1 or infinity with penalty={penalty!r}, got {odd[0]:g}"
            )
    structure = penalty.structure(p, design.feature_names, factor)
    if structure.free is not None:
        factor = np.ones(p) if factor is None else factor.copy()
        factor[structure.free & np.isfinite(factor)] = 0.0
    if structure.factor is not None:
        factor, low, high = structure.factor, structure.lower, structure.upper
    label = _labels(counted, penalty, p, names) if count else None
    return Features(factor, low, high, structure.arguments, label)


def _labels(counted: Any, penalty: Penalty, p: int, names: Names | None) -> NDArray[np.int64]:
    """Return the number of the group of each feature."""
    groups = penalty.groups_of(p, names) if counted is None else GroupLasso(counted).groups_of(p, names)
    if groups is None:
        raise ValueError(f"max_groups needs feature_groups, the groups to count, with penalty={penalty!r}")
    if groups.feature is not None:
        raise ValueError(
            "feature_groups must be disjoint for max_groups to count them, got some that overlap"
        )
    return groups.group.astype(np.int64)


def refuse_bounds(**bounds: Any) -> None:
    """Refuse bounds where the coefficients of a feature enter together."""
    for name, value in bounds.items():
        if value is not None:
            raise ValueError(
                f"{name} is not available where a feature enters for all outputs together, got {value!r}"
            )
