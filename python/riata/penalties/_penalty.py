"""What all penalties have: their share of absolute values, their parameters, and what the core is told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from riata._input.features import Names
from riata._input.validation import Float


@dataclass(slots=True)
class Structure:
    """What a penalty tells the core about p features, beside their penalty factors."""

    arguments: dict[str, Any] = field(default_factory=dict)
    free: NDArray[np.bool_] | None = None  # features that it leaves unpenalised
    factor: Float | None = None  # in the place of the user's penalty factors
    lower: Float | None = None
    upper: Float | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """Which features are in which groups."""

    group: NDArray[np.intp]  # of each member, a position in `labels`
    labels: list[Any]  # what the groups are called, those of features in no set last
    n_sets: int  # groups that were given, each by its own members or label
    feature: NDArray[np.intp] | None = None  # of each member, in order; None: one member a feature

    def of_members(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values per feature to values per member."""
        return values if self.feature is None else values[self.feature]


class Penalty(ABC):
    """A penalty on the coefficients of all features, which alpha multiplies.

    Examples
    --------
    >>> import riata
    >>> isinstance(riata.penalties.MCP(gamma=3.0), riata.penalties.Penalty)
    True
    """

    kind: ClassVar[str]
    certificate: ClassVar[str] = "duality_gap"
    ties_features: ClassVar[bool] = False  # penalty factors are 0, 1 or infinity then
    several_outputs: ClassVar[bool] = False  # whether it is for losses with several outputs too
    standardizes: ClassVar[bool] = True  # whether it may measure coefficients on standardised columns

    @property
    def core_kind(self) -> str:
        """What the core calls it."""
        return self.kind

    @property
    def fits_features_alone(self) -> bool:
        """Whether a model of each feature alone comes first."""
        return False

    @property
    def l1_share(self) -> float:
        """Share of the penalty that is not squared."""
        return 1.0

    @property
    def ties_outputs(self) -> bool:
        """Whether a feature enters for all of several outputs together."""
        return False

    @property
    def parameters(self) -> dict[str, float | str]:
        """Those parameters that are numbers or words."""
        given = ((item.name, getattr(self, item.name)) for item in fields(self))  # type: ignore[arg-type]
        return {
            name: value if isinstance(value, str) else float(value)
            for name, value in given
            if isinstance(value, str | int | float | np.integer | np.floating) and not isinstance(value, bool)
        }

    def groups_of(self, n_features: int, names: Names | None) -> Membership | None:
        """Return which features are in which groups; None without groups."""
        return None

    @abstractmethod
    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        """Check what depends on the features; `factor` are their penalty factors."""


def penalty_name(kind: str, parameters: Mapping[str, Any]) -> str:
    """Return what a penalty other than the elastic net is called."""
    if kind == "group":
        return "sparse group lasso" if "l1_ratio" in parameters else "group lasso"
    return "uniLasso" if kind == "unilasso" else kind.upper()
