"""What every loss says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from riata._input.survival import SurvivalTarget
from riata._input.validation import Float
from riata.losses._scores import Scorer, counted

Target = Float | SurvivalTarget
Labels = NDArray[Any] | None
Rows = NDArray[np.int64]


class Loss:
    """What a model pays for a response at a linear predictor, and all that the package knows about it.

    Attributes
    ----------
    name : str
        Its name in functions, estimators, the command line and saved paths.
    synonyms : tuple of str
        Other names for it, for hints on the command line.
    scores : mapping of str to callable
        Scores of held-out samples, by name; the first is the default.
    has_classes, has_times, has_counts, several_outputs : bool
        Whether a response is a class, a survival time, a number of at least 0, or several numbers.
    always_grouped : bool
        Whether a feature always enters for all outputs together.
    has_intercept : bool
        False where the linear predictor has no intercept.
    squares, likelihood : bool
        Whether it is half a squared residual; whether it is minus a log-likelihood.
    balanced_by : str
        What randomly drawn folds are balanced by: "class", "event" or nothing.
    is_evaluated : bool
        Whether `riata.evaluate` accepts it.

    Examples
    --------
    >>> import riata
    >>> isinstance(riata.losses.Huber(delta=2.0), riata.losses.Loss)
    True
    """

    name: ClassVar[str]
    synonyms: ClassVar[tuple[str, ...]] = ()
    scores: ClassVar[Mapping[str, Callable[..., Float]]]
    has_classes: ClassVar[bool] = False
    has_times: ClassVar[bool] = False
    has_counts: ClassVar[bool] = False
    several_outputs: ClassVar[bool] = False
    always_grouped: ClassVar[bool] = False
    has_intercept: ClassVar[bool] = True
    squares: ClassVar[bool] = False
    likelihood: ClassVar[bool] = True
    balanced_by: ClassVar[str] = ""
    is_evaluated: ClassVar[bool] = True

    # Words of reports
    model: ClassVar[str]  # what a model of it is called
    log_of: ClassVar[str] = ""  # what its linear predictor is the log of
    ratio: ClassVar[str] = ""  # what the exponential of an effect is called, as a column
    weight_type: ClassVar[str] = "beta"  # as the PGS Catalog has it
    objective: ClassVar[str] = "-log-likelihood"
    separated: ClassVar[str] = "explain y up to rounding"  # what unpenalised features do that leave nothing
    alike: ClassVar[str] = "are all of one class"  # samples of a level that has no finite coefficient
    glmnet_note: ClassVar[str] = ""

    @property
    def least_squares(self) -> bool:
        """Whether a response is one number, whose residual is squared."""
        return self.squares and not self.several_outputs

    @property
    def two_classes(self) -> bool:
        """Whether a response is one of two classes, with one linear predictor."""
        return self.has_classes and not self.several_outputs

    @property
    def many_classes(self) -> bool:
        """Whether a response is one of several classes, each with its linear predictor."""
        return self.has_classes and self.several_outputs

    @property
    def many_responses(self) -> bool:
        """Whether a response is several numbers."""
        return self.several_outputs and not self.has_classes

    @property
    def modelled_by(self) -> str:
        """The model with this loss, in words for a methods paragraph."""
        return self.model

    @property
    def huber_delta(self) -> float | None:
        """The residual beyond which the loss is linear; None when there is none."""
        return None

    @property
    def beside(self) -> dict[str, Any]:
        """The values it holds for each sample, by argument name."""
        return {}

    def check_target(self, y: Any, n: int, weights: Float) -> tuple[Target, Labels]:
        """Return (y as float64 or survival times, labels or None): of classes, or of several responses."""
        if y is None:
            raise TypeError("y must hold one value per sample, got None")
        return self._read(y, n, weights)

    def _read(self, y: Any, n: int, weights: Float) -> tuple[Target, Labels]:
        """Check and code a response."""
        raise NotImplementedError

    def mean(self, link: Float) -> Float:
        """Mean of y at linear predictors, (m, L), or (m, K, L) with K outputs; by default these."""
        return link

    def null_level(self, y: Float, weights: Float, offset: Float) -> Float:
        """Return the intercept of least mean loss, a number or one per output."""
        return np.asarray(weights @ (y - offset) / weights.sum())

    def deviances(self, y: Float, link: Float) -> Float:
        """What each sample adds to what a model leaves unexplained, up to a factor."""
        raise NotImplementedError

    def curvature(self, link: Float, y: Float, weights: Float) -> Float | None:
        """How much the loss of each sample bends, next to most; None where it never goes flat."""
        return None

    def size(self, spread: float) -> float:
        """Order of magnitude of the loss for responses with this standard deviation."""
        return 1.0

    def scorer(self, scoring: str) -> Scorer:
        """Return the function that scores each alpha: score(y, eta, weights), eta with the alphas last.

        Rows of weight zero do not count, not even where their mean is infinite.
        """
        return counted(self.scores[scoring])

    def check_part(self, y: Target, weights: Float, labels: Labels, where: str) -> None:
        """Refuse samples to train on from which no finite fit exists."""

    def check_held_out(
        self, scoring: str, y: Target, test: Rows, weights: Float, labels: Labels, where: str
    ) -> None:
        """Refuse samples `test`, called `where`, that cannot be scored."""


def numbers_of(y: Target) -> Float:
    """Return a response that is no survival time."""
    assert not isinstance(y, SurvivalTarget)
    return y


def level_where_zero(increasing: Callable[[float], float], around: Float) -> Float:
    """Return where a function that increases between the ends of `around` is zero, by halving."""
    low, high = float(np.min(around)), float(np.max(around))
    for _ in range(200):
        middle = 0.5 * (low + high)
        if increasing(middle) < 0.0:
            low = middle
        else:
            high = middle
    return np.asarray(0.5 * (low + high))
