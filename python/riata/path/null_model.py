"""The intercept alone: the constant that predicts best, which every model has to improve on."""

from __future__ import annotations

import numpy as np

from riata._input.survival import SurvivalTarget
from riata._input.validation import Float
from riata.path.arguments import Options


def null_predictor(
    y: Float | SurvivalTarget, weights: Float, offset: Float | None, options: Options
) -> Float:
    """Linear predictors of every sample, (n,) or (n, K), by the intercept fitted to those of weight > 0.

    The offset is part of them. Without an intercept, as in the Cox loss, there is nothing else.
    """
    outputs = () if isinstance(y, SurvivalTarget) else y.shape[1:]
    shift = np.zeros((len(y), *outputs)) if offset is None else np.asarray(offset, dtype=np.float64)
    if isinstance(y, SurvivalTarget) or not options.fit_intercept:
        return shift
    rows = weights > 0.0
    return shift + options.loss.null_level(y[rows], weights[rows], shift[rows])
