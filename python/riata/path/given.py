"""What the path functions take, said once: the arguments of `fit_path`, read and checked in one place."""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypedDict

from numpy.typing import ArrayLike

from riata._input.alignment import check_rows_named_alike
from riata._input.design import DesignView, as_design
from riata._input.renamed import warn_renamed
from riata._input.validation import Float, check_choice, check_flag, check_offset, check_weights
from riata.losses import Gaussian, Loss
from riata.losses._known import check_loss
from riata.losses._loss import Labels, Target
from riata.path.arguments import (
    SEVERAL_OUTPUTS,
    Features,
    Options,
    Watch,
    check_features,
    check_options,
)
from riata.path.fit_warnings import warn_if_constant
from riata.path.run_options import RunOptions
from riata.penalties import ElasticNet, Penalty
from riata.penalties._groups import Groups


class Shorthand(TypedDict, total=False):
    """Keywords for what sits in the loss, in the penalty or in `RunOptions`."""

    start: ArrayLike | None
    strata: ArrayLike | None
    ties: str | None
    huber_delta: float | None
    grouped: bool
    row_grouped: bool  # the earlier name
    solver: str
    max_iter: int
    n_threads: int | None
    progress: Watch
    max_active: int | None
    max_groups: int | None
    feature_groups: Groups | None
    memory: int | str | None
    alphas_per_pass: int | None
    checkpoint: str | os.PathLike[str] | None
    keep_checkpoint: bool


class FitArguments(Shorthand, total=False):
    """Keywords of `fit_path`, which `cv_path` and the functions for several responses take as they are."""

    selection: str  # the earlier name of `alpha_rule` of cross-validations
    loss: str | Loss
    penalty: Penalty | None
    alphas: int | Sequence[float] | Float
    eps: float | None
    sample_weight: ArrayLike | None
    offset: ArrayLike | None
    fit_intercept: bool
    standardize: bool
    l1_ratio: float
    penalty_factor: ArrayLike | Mapping[str, float] | None
    lower: float | ArrayLike | Mapping[str, float] | None
    upper: float | ArrayLike | Mapping[str, float] | None
    exclude: ArrayLike | None
    tol: float
    impute: str | None
    run: RunOptions | None


#: What is taken where it is not given.
DEFAULTS: dict[str, Any] = {
    "loss": Gaussian.name, "penalty": None, "alphas": 100, "eps": None, "sample_weight": None, "offset": None,
    "fit_intercept": True, "standardize": True, "l1_ratio": 1.0, "penalty_factor": None, "lower": None,
    "upper": None, "exclude": None, "tol": 1e-6, "impute": None, "run": None,
}  # fmt: skip
#: How alpha is chosen: the best mean score, or the largest alpha within one standard error of it.
ALPHA_RULES = ("min", "1se")
_OF_A_LOSS = ("start", "strata", "ties", "huber_delta")
_OF_A_RUN = tuple(item.name for item in fields(RunOptions))
_KNOWN = (*DEFAULTS, *_OF_A_LOSS, "grouped", "row_grouped", *_OF_A_RUN)


@dataclass(slots=True)
class Given:
    """Arguments of a path function: checked where that needs no data, else as they were given."""

    loss: Loss
    options: Options
    data: dict[str, Any]  # of samples and features
    feature_groups: Groups | None

    def view(self, X: Any) -> DesignView:
        """Return X as a design."""
        return as_design(X, self.data["impute"])

    def features(self, design: DesignView) -> Features:
        """Check what describes features."""
        names = ("penalty_factor", "lower", "upper", "exclude")
        return check_features(
            design,
            *(self.data[name] for name in names),
            grouped=self.options.grouped,
            penalty=self.options.penalty,
            counted=self.feature_groups,
            count=self.options.max_groups >= 0,
        )

    def of_rows(self) -> dict[str, Any]:
        """What has a value for every sample, beside y."""
        return {name: self.data[name] for name in ("sample_weight", "offset")} | self.loss.beside


@dataclass(slots=True)
class Problem:
    """X, y and what stands beside them, checked."""

    design: DesignView
    target: Target
    labels: Labels
    weights: Float
    offset: Float | None
    features: Features


def read_given(function: str, given: Mapping[str, Any], *, stop_early: bool = True) -> Given:
    """Check what needs no data; keywords of earlier versions are understood, unknown ones refused."""
    for name in given:
        if name not in _KNOWN:
            close = difflib.get_close_matches(name, _KNOWN, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"{function}() got an unexpected keyword argument {name!r}{hint}")
    asked = DEFAULTS | dict(given)
    loss = check_loss(asked["loss"], **{name: asked.get(name) for name in _OF_A_LOSS})
    run = _run(asked)
    counted = run.pop("feature_groups")
    if counted is not None and run["max_groups"] is None:
        raise ValueError("feature_groups must be left out without max_groups, which counts them")
    options = check_options(
        loss=loss,
        penalty=_penalty(asked, loss),
        **{
            name: asked[name] for name in ("alphas", "eps", "fit_intercept", "standardize", "l1_ratio", "tol")
        },
        **run,
    )
    options.stop_early = stop_early
    return Given(loss, options, asked, counted)


def check_alpha_rule(alpha_rule: str, given: FitArguments) -> str:
    """Check how alpha is chosen, and take the keyword's earlier name out of the others."""
    if "selection" in given:
        warn_renamed("selection", "alpha_rule", stacklevel=4)
        alpha_rule = given.pop("selection")
    return check_choice("alpha_rule", alpha_rule, ALPHA_RULES)


def _run(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the run, of which each may also stand by itself."""
    run = asked["run"]
    if run is not None and not isinstance(run, RunOptions):
        raise TypeError(f"run must be riata.RunOptions, got {run!r} of type {type(run).__name__}")
    alone = {name: asked[name] for name in _OF_A_RUN if name in asked}
    if run is None:
        run = RunOptions()
    elif alone:
        raise ValueError(f"{next(iter(alone))} must be left out when run is given, since run holds it")
    return {name: getattr(run, name) for name in _OF_A_RUN} | alone


def _penalty(asked: Mapping[str, Any], loss: Loss) -> Any:
    """Return the penalty, with `grouped` put into it where that stands by itself."""
    penalty = asked["penalty"]
    grouped = check_grouped(asked, loss, or_else=getattr(penalty, "grouped", False))
    if not isinstance(penalty, Penalty | None):
        return penalty  # refused beside the others
    if not grouped:
        return penalty
    if penalty is None:
        return ElasticNet(asked["l1_ratio"], grouped=True)
    return replace(penalty, grouped=True) if isinstance(penalty, ElasticNet) else penalty


def check_grouped(asked: Mapping[str, Any], loss: Loss, *, or_else: bool = False) -> bool:
    """Return whether a feature is asked to enter for all outputs together, by today's name or the earlier."""
    grouped = asked.get("grouped", or_else)
    if asked.get("row_grouped") is not None:
        if asked.get("grouped"):
            raise ValueError("row_grouped is the earlier name of grouped: give grouped alone")
        warn_renamed("row_grouped", "grouped", stacklevel=5)
        grouped = asked["row_grouped"]
    if check_flag("grouped", grouped) and not loss.several_outputs:
        raise ValueError(
            f"grouped must be False unless loss is one of {SEVERAL_OUTPUTS}, got True with loss={loss.name!r}"
        )
    return bool(grouped)


def read_problem(X: Any, y: Any, asked: Given) -> Problem:
    """Check X, y and what stands beside them, of a single response."""
    check_rows_named_alike(X, y=y, **asked.of_rows())
    design = asked.view(X)
    n = design.n_samples
    weights = check_weights(asked.data["sample_weight"], n)
    target, labels = asked.loss.check_target(y, n, weights)
    shift = check_offset(asked.data["offset"], n, target.shape[1:])
    features = asked.features(design)
    warn_if_constant(target, weights, shift, asked.options, stacklevel=4)
    return Problem(design, target, labels, weights, shift, features)


def shows_arguments_of(
    shown: Callable[..., Any], without: Sequence[str] = (), **defaults: Any
) -> Callable[[Any], Any]:
    """Decorate a function that hands keywords on, so that its signature lists those of another.

    Those of `without` are left out; `defaults` are its own.
    """

    def decorate(function: Any) -> Any:
        own = inspect.signature(function)
        other = inspect.signature(shown).parameters
        hidden = {*without, *own.parameters}
        shared = [other[name] for name in DEFAULTS if name in other and name not in hidden]
        more = [one.replace(default=defaults.get(one.name, one.default)) for one in shared]
        last = [one for one in other.values() if one.kind is one.VAR_KEYWORD]
        first = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
        function.__signature__ = own.replace(parameters=[*first, *more, *last])
        return function

    return decorate
