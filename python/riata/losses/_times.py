"""The loss of survival times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from riata._input.survival import (
    SURVIVAL_SCORERS,
    TIES,
    SurvivalTarget,
    check_comparable,
    check_events,
    check_survival_target,
)
from riata._input.validation import Float, check_choice
from riata.losses._loss import Labels, Loss, Rows, Target


@dataclass(frozen=True, eq=False)
class Cox(Loss):
    """Minus the log partial likelihood of survival times: proportional hazards, without an intercept.

    Parameters
    ----------
    ties : {"breslow", "efron"}, default="breslow"
        How events at the same time are handled. Times that differ by less than 1.5e-8 of their mean size are
        the same, as in R's survival.
    strata : array of shape (n,), optional
        Labels. Samples are compared within their stratum only, each with its own baseline hazard.
    start : array of shape (n,), optional
        Samples are at risk after their `start` up to their time (late entry, left truncation).

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 20))
    >>> time = rng.exponential(np.exp(-X[:, 3]))
    >>> y = np.column_stack([time, time < 1.0])
    >>> clinic = np.repeat(["a", "b"], 30)
    >>> path = riata.fit_path(X, y, loss=riata.losses.Cox(ties="efron", strata=clinic))
    >>> int(np.argmax(np.abs(path.coef(path.alphas[-1]))))
    3
    """

    ties: str = TIES[0]
    strata: ArrayLike | None = None
    start: ArrayLike | None = None

    name: ClassVar[str] = "cox"
    synonyms: ClassVar[tuple[str, ...]] = ("survival", "coxph")
    scores: ClassVar[Mapping[str, Callable[..., Float]]] = SURVIVAL_SCORERS
    has_times: ClassVar[bool] = True
    has_intercept: ClassVar[bool] = False
    balanced_by: ClassVar[str] = "event"
    model: ClassVar[str] = "Cox regression"
    log_of: ClassVar[str] = "hazard"
    ratio: ClassVar[str] = "HR"
    weight_type: ClassVar[str] = "log(HR)"
    objective: ClassVar[str] = "-log partial likelihood"
    separated: ClassVar[str] = (
        "order the events without error, so that their coefficients have no finite optimum"
    )
    alike: ClassVar[str] = "have no event"
    glmnet_note: ClassVar[str] = "glmnet handles ties by Breslow's method"

    def __post_init__(self) -> None:
        check_choice("ties", self.ties, TIES)

    @property
    def modelled_by(self) -> str:
        """The model with this loss, in words for a methods paragraph."""
        return "Cox's proportional hazards model"

    @property
    def beside(self) -> dict[str, Any]:
        """Times of entry and strata."""
        return {"start": self.start, "strata": self.strata}

    def _read(self, y: Any, n: int, weights: Float) -> tuple[Target, Labels]:
        return check_survival_target(y, n, weights, self.start, self.strata, self.ties), None

    def check_part(self, y: Target, weights: Float, labels: Labels, where: str) -> None:
        """Refuse times without an event."""
        check_events(times_of(y), weights, where)

    def check_held_out(
        self, scoring: str, y: Target, test: Rows, weights: Float, labels: Labels, where: str
    ) -> None:
        """For the concordance refuse times of which no two can be put in order."""
        if scoring == "concordance":
            held = np.zeros(len(y))
            held[test] = weights[test]
            check_comparable(times_of(y), held, where)


def times_of(y: Target) -> SurvivalTarget:
    """Return a response that is survival times."""
    assert isinstance(y, SurvivalTarget)
    return y
