"""Every loss by its word, and what a user gave turned into one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from riata._input.survival import TIES
from riata._input.validation import check_choice, check_real
from riata.losses._classes import Binomial, Multinomial
from riata.losses._loss import Loss
from riata.losses._numbers import Gaussian, Huber, Multigaussian, Poisson
from riata.losses._times import Cox

#: Every loss by its word, in the order that errors and help list them.
LOSSES: dict[str, type[Loss]] = {
    loss.name: loss for loss in (Gaussian, Binomial, Poisson, Huber, Cox, Multinomial, Multigaussian)
}
NAMES = tuple(LOSSES)
#: Those that a score of weights made elsewhere can be compared with responses by.
OF_SCORE_FILES = (Gaussian.name, Binomial.name, Cox.name)
#: Other names of losses, and what they mean.
SYNONYMS = {word: name for name, loss in LOSSES.items() for word in loss.synonyms}
#: What held-out samples of each loss can be scored by, the default first.
SCORINGS = {name: tuple(loss.scores) for name, loss in LOSSES.items()}
GREATER_IS_BETTER = ("auc", "concordance")
#: What scores are called that are not their own name.
SCORE_NAMES = {
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "misclassification": "share misclassified",
    "auc": "area under the ROC curve",
    "huber": "mean Huber loss",
}
#: What the exponential of an effect is, by the column that holds it.
RATIO_NAMES = {loss.ratio: f"{loss.log_of} ratio" for loss in LOSSES.values() if loss.ratio}


def loss_of(word: str | Loss | None, huber_delta: float | None = None) -> Loss:
    """Return the loss of a word, as a fit or a response keeps it; the gaussian one of None."""
    if isinstance(word, Loss):
        return word
    kind = LOSSES[word or Gaussian.name]
    return Huber(huber_delta) if kind is Huber and huber_delta is not None else kind()


def check_loss(
    loss: Any, *, start: Any = None, strata: Any = None, ties: Any = None, huber_delta: Any = None
) -> Loss:
    """Return the loss that `fit_path` and its like were given, with what was given beside its word."""
    if isinstance(loss, Loss):
        beside = {"start": start, "strata": strata, "ties": ties, "huber_delta": huber_delta}
        for name, value in beside.items():
            if value is not None:
                raise ValueError(f"{name} must be left out when loss is an object, which holds it: {loss!r}")
        return loss
    kind = LOSSES[check_choice("loss", loss, tuple(LOSSES))]
    if ties is not None:
        check_choice("ties", ties, TIES)
    if huber_delta is not None:
        huber_delta = check_real("huber_delta", huber_delta, above=0.0)
    if kind is Cox:
        return Cox(TIES[0] if ties is None else ties, strata, start)
    for name, value in (("start", start), ("strata", strata)):
        if value is not None:
            raise ValueError(f"{name} must be left out unless loss is 'cox', got it with loss={loss!r}")
    return Huber(huber_delta) if kind is Huber and huber_delta is not None else kind()


def check_scoring(scoring: Any, loss: str | Loss) -> str:
    """Return the name of the score, the first of those of the loss by default."""
    names = tuple(loss_of(loss).scores)
    return names[0] if scoring is None else check_choice("scoring", scoring, names)


def with_start(loss: Loss, start: Any) -> Loss:
    """The Cox loss with other times of entry."""
    assert isinstance(loss, Cox)
    return replace(loss, start=start)
