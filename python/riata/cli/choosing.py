"""Which penalty of a finished fit is reported, and why."""

from __future__ import annotations

from typing import Any

import numpy as np

from riata._io.wording import counted
from riata.cli.options import ModelOptions
from riata.losses._known import check_scoring
from riata.path.fitted import FitResult
from riata.report.plots import score_label
from riata.study.account import rule_of
from riata.study.held_out import Validation, validate
from riata.study.study import Study


def validation_of(study: Study, fit: FitResult, options: ModelOptions) -> Validation | None:
    """Score the path on the validation part of a split; None when there is none, or it took part in folds."""
    part = study.part("validation")
    if part is None or fit.cv is not None:
        return None
    return validate(fit.path, part, check_scoring(options.scoring, fit.path.loss), study)


def choose_alpha(
    fit: FitResult, options: ModelOptions, validation: Validation | None = None
) -> tuple[float, str]:
    """Return the alpha to report, and how it was chosen."""
    path = fit.path
    if options.alpha is not None:
        check_alpha(path, options.alpha)
        fitted = bool(np.any(np.isclose(path.alphas, options.alpha, rtol=1e-9, atol=0.0)))
        between = (
            "" if fitted or options.alpha > path.alphas[0] else ", interpolated between two that were fitted"
        )
        return float(options.alpha), f"as asked with --alpha{between}"
    if fit.cv is not None:
        return fit.cv.alpha, rule_of(fit)
    if validation is not None:
        score = f"{score_label(validation.scoring).split(',')[0]} {validation.best:.4g}"
        judged = counted(validation.n, "validation sample")
        return validation.alpha, f"the best on {judged}: {score}; no refit"
    return float(path.alphas[-1]), rule_of(path)


def check_alpha(path: Any, alpha: float) -> None:
    """Refuse a penalty that the path does not reach."""
    try:
        path.coef([alpha])
    except ValueError:
        raise ValueError(
            f"--alpha {alpha:g} lies outside the fitted path, which goes from {path.alphas[0]:.4g} to "
            f"{path.alphas[-1]:.4g}; --eps or --alphas of riata fit and riata cv make it longer"
        ) from None
