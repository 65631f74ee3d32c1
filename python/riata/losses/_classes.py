"""Losses of classes: two, or several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from riata._input.responses import check_binomial_target, check_two_outcomes
from riata._input.targets import check_every_class, check_multinomial_target
from riata._input.validation import Float
from riata.losses._loss import Labels, Loss, Rows, Target, level_where_zero, numbers_of
from riata.losses._scores import (
    Scorer,
    area_under_curve,
    area_under_curves,
    binomial_deviance,
    class_deviance,
    class_error,
    expit,
    outcome_error,
    softmax,
)


@dataclass(frozen=True)
class Binomial(Loss):
    """``log(1 + exp(eta)) - y eta``, for two classes or for proportions within [0, 1].

    The second of two labels in sorted order is coded 1, and its probability is modelled.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 20))
    >>> y = np.where(X[:, 3] + 0.5 * rng.standard_normal(60) > 0, "case", "control")
    >>> path = riata.fit_path(X, y, loss=riata.losses.Binomial(), alphas=[0.2])
    >>> np.flatnonzero(path.coef(0.2)), path.classes.tolist()
    (array([3]), ['case', 'control'])
    """

    name: ClassVar[str] = "binomial"
    synonyms: ClassVar[tuple[str, ...]] = ("logistic", "logit", "binary", "bernoulli")
    scores: ClassVar[Mapping[str, Scorer]] = {
        "deviance": binomial_deviance,
        "auc": area_under_curve,
        "misclassification": outcome_error,
    }
    has_classes: ClassVar[bool] = True
    balanced_by: ClassVar[str] = "class"
    model: ClassVar[str] = "logistic regression"
    weight_type: ClassVar[str] = "log(OR)"
    separated: ClassVar[str] = "separate the classes of y, so that their coefficients have no finite optimum"

    def _read(self, y: Any, n: int, weights: Float) -> tuple[Target, Labels]:
        return check_binomial_target(y, n, weights)

    def mean(self, link: Float) -> Float:
        """The probability of the second class."""
        return expit(link)

    def null_level(self, y: Float, weights: Float, offset: Float) -> Float:
        """Return the log of the odds; with an offset by halving."""
        from scipy.special import logit

        share = float(weights @ y / weights.sum())
        around = logit(share) - np.array([offset.min(), offset.max()])
        return level_where_zero(lambda b: float(weights @ (expit(offset + b) - y)), around)

    def curvature(self, link: Float, y: Float, weights: Float) -> Float | None:
        """The variance of each outcome."""
        mean = self.mean(link)
        return mean * (1.0 - mean)

    def check_part(self, y: Target, weights: Float, labels: Labels, where: str) -> None:
        """Refuse outcomes all of one class."""
        if labels is not None:
            check_two_outcomes(numbers_of(y), weights, labels, where)

    def check_held_out(
        self, scoring: str, y: Target, test: Rows, weights: Float, labels: Labels, where: str
    ) -> None:
        """For the auc refuse outcomes all of one class."""
        if scoring == "auc" and labels is not None:
            check_two_outcomes(numbers_of(y)[test], weights[test], labels, f"scoring='auc': {where}")


@dataclass(frozen=True)
class Multinomial(Loss):
    """``log Σ_k exp(eta_k) - Σ_k y_k eta_k``, of classes or their proportions, with coefficients for each.

    With ``penalty=riata.penalties.ElasticNet(grouped=True)`` a feature enters for all classes together.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 20))
    >>> y = np.digitize(X[:, 3], [-0.5, 0.5])
    >>> path = riata.fit_path(X, y, loss=riata.losses.Multinomial(), alphas=[0.1])
    >>> path.predict(X, 0.1).shape
    (60, 3)
    """

    name: ClassVar[str] = "multinomial"
    synonyms: ClassVar[tuple[str, ...]] = ("softmax", "categorical")
    scores: ClassVar[Mapping[str, Scorer]] = {
        "deviance": class_deviance,
        "misclassification": class_error,
        "auc": area_under_curves,
    }
    has_classes: ClassVar[bool] = True
    several_outputs: ClassVar[bool] = True
    balanced_by: ClassVar[str] = "class"
    model: ClassVar[str] = "multinomial logistic regression"
    weight_type: ClassVar[str] = "log(OR)"
    separated: ClassVar[str] = Binomial.separated

    def _read(self, y: Any, n: int, weights: Float) -> tuple[Target, Labels]:
        return check_multinomial_target(y, n, weights)

    def mean(self, link: Float) -> Float:
        """The probabilities of the classes."""
        return softmax(link)

    def null_level(self, y: Float, weights: Float, offset: Float) -> Float:
        """Newton's method on the log of the shares; exact at once without an offset."""
        level = np.log(weights @ y / weights.sum())
        if not np.any(offset):
            return np.asarray(level - level.mean())
        for _ in range(100):
            shares = softmax(offset + level)
            gradient = weights @ (shares - y)
            hessian = np.diag(weights @ shares) - (shares * weights[:, None]).T @ shares
            step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
            level = level - step / max(1.0, float(np.abs(step).max()))
            if np.abs(step).max() < 1e-12:
                break
        return np.asarray(level - level.mean())

    def check_part(self, y: Target, weights: Float, labels: Labels, where: str) -> None:
        """Refuse classes without a sample."""
        if labels is not None:
            check_every_class(numbers_of(y), weights, labels, where)

    def check_held_out(
        self, scoring: str, y: Target, test: Rows, weights: Float, labels: Labels, where: str
    ) -> None:
        """For the auc refuse classes without a sample."""
        if scoring == "auc" and labels is not None:
            check_every_class(numbers_of(y)[test], weights[test], labels, f"scoring='auc': {where}")
