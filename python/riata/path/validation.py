"""Scores of folds while paths are fitted: one alpha after the other, to show them and to stop by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from riata._input.design import DesignView
from riata._input.survival import SURVIVAL_SCORERS, SurvivalTarget
from riata._input.validation import Float, check_integer
from riata.losses._known import GREATER_IS_BETTER
from riata.path.arguments import Options
from riata.path.fold_scores import summarise
from riata.path.folds import Split, count_repeats

#: What the core asks at an alpha: the problem that leads, alpha, what all problems predict; the answer is a
#: mean cost and its standard error, or None, which says nothing.
HeldOut = Callable[[int, float, list[Float]], "tuple[float, float] | None"]


def check_patience(patience: Any, options: Options) -> Options:
    """Return options with how many alphas a path is given to improve again; 0, for None, is no end."""
    if patience is None:
        return options
    if options.penalty.fits_features_alone:
        raise ValueError(
            f"patience must be None with penalty={options.penalty!r}, whose folds are fitted one after the "
            f"other, got {patience!r}"
        )
    return replace(options, patience=check_integer("patience", patience, at_least=1))


class FoldScorer:
    """Scores what the fits without each fold predict of it, at one alpha.

    The fits are those to `columns`, as `fold_columns` makes them, of which the first leads; `weights` are
    those of held-out samples.
    """

    def __init__(
        self,
        columns: Float,
        design: DesignView,
        y: Float | SurvivalTarget,
        weights: Float,
        offset: Float | None,
        options: Options,
        splits: list[Split],
        scoring: str,
        *,
        weigh_folds: bool,
    ) -> None:
        self._columns, self._design, self._y, self._weights = columns, design, y, weights
        self._loss, self.scoring = options.loss, scoring
        self._tests = [test for _, test in splits]
        self._sizes = np.array([weights[test].sum() if weigh_folds else 1.0 for test in self._tests])
        self._repeats = count_repeats(self._tests)
        self._places: list[Any] | None = None
        #: Whether what is scored has to be predicted for every sample, not for those of weight zero alone.
        self.needs_every_row = isinstance(y, SurvivalTarget) or any(
            np.any(columns[test, 1 + k]) for k, test in enumerate(self._tests)
        )

    def scores(self, predictors: list[Float], *, every_row: bool) -> Float:
        """Return the score of each fold, given what each fit predicts: of all samples, or those left out."""
        return np.array(
            [self._of_fold(k, predictors[1 + k], every_row=every_row) for k in range(len(self._tests))]
        )

    def summary(self, scores: Float) -> tuple[float, float]:
        """Return the mean of scores as a cost, the lower the better, and its standard error."""
        mean, error = summarise(scores[None], self._sizes, self._repeats)
        sign = -1.0 if self.scoring in GREATER_IS_BETTER else 1.0
        return sign * float(mean[0]), float(error[0])

    def _of_fold(self, k: int, eta: Float, *, every_row: bool) -> float:
        test, y = self._tests[k], self._y
        if isinstance(y, SurvivalTarget):
            held = np.zeros(len(y))
            held[test] = self._weights[test]
            score = SURVIVAL_SCORERS[self.scoring](y, eta[:, None], self._columns[:, 1 + k], held)
            return float(score[0])
        mine = eta[test] if every_row else eta[self._held_out(k)]
        return float(self._loss.scorer(self.scoring)(y[test], mine[..., None], self._weights[test])[0])

    def _held_out(self, k: int) -> Any:
        """Where the samples of a fold stand among the rows of weight zero of its fit."""
        if self._places is None:
            self._places = []
            for at, test in enumerate(self._tests):
                held = np.flatnonzero(self._design.spread(self._columns[:, 1 + at]) == 0.0)
                rows = test if self._design.rows is None else self._design.rows[test]
                self._places.append(np.searchsorted(held, rows))
        return self._places[k]


def needs_every_row(scorers: Mapping[int, FoldScorer], options: Options) -> bool:
    """Whether the core has to tell what fits predict of every sample for them to be scored on the way."""
    return options.patience > 0 and any(scorer.needs_every_row for scorer in scorers.values())


def score_on_the_way(scorers: Mapping[int, FoldScorer], options: Options) -> HeldOut | None:
    """Return what scores the folds of each leading problem as its path is fitted; None if nobody asks.

    Progress is shown the scores of the only one, where there is no other.
    """
    every_row = needs_every_row(scorers, options)
    scored = every_row or not any(scorer.needs_every_row for scorer in scorers.values())
    watch = getattr(options.progress, "watch_scores", None) if scored and len(scorers) == 1 else None
    if watch is None and options.patience == 0:
        return None

    def held_out(leader: int, alpha: float, predictors: list[Float]) -> tuple[float, float]:
        scorer = scorers[leader]
        scores = scorer.scores(predictors[leader:], every_row=every_row)
        if watch is not None:
            watch(scorer.scoring, scores)
        return scorer.summary(scores)

    return held_out
