"""What a cross-validation has to choose from, side by side: nothing, the best, one standard error from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riata._io.tables import align_columns
from riata.losses._known import GREATER_IS_BETTER, SCORE_NAMES, loss_of
from riata.path.path_values import nearest

if TYPE_CHECKING:
    from riata.path.nested import NestedCV
    from riata.study.fit_result import Fitted

#: What each score is called in a table.
SCORES = SCORE_NAMES | {"auc": "AUC"}


@dataclass(frozen=True)
class Choice:
    """A penalty with its cross-validated score; the intercept alone has no penalty."""

    name: str
    score: float
    error: float
    alpha: float | None
    selected: int
    chosen: bool


def null_name(loss: str) -> str:
    """Name the model without features: the Cox loss has no intercept."""
    return "intercept alone" if loss_of(loss).has_intercept else "no effects"


def choices_of(fitted: Fitted) -> list[Choice]:
    """Return what cross-validation compares: the intercept alone, the best and the sparsest near it."""
    cv, alphas, counts = fitted.cv, fitted.path.alphas, fitted.n_active

    def at(name: str, alpha: float) -> Choice:
        k = nearest(alphas, alpha)
        score, error = float(cv.mean_score[k]), float(cv.se_score[k])
        return Choice(name, score, error, alpha, int(counts[k]), alpha == fitted.alpha)

    out = []
    if np.isfinite(cv.null_score):
        out.append(Choice(null_name(cv.path.loss), cv.null_score, cv.null_se, None, 0, False))
    if cv.alpha_1se == cv.alpha_min:
        out.append(at("best, and one standard error", cv.alpha_min))
    else:
        out += [at("one standard error", cv.alpha_1se), at("best", cv.alpha_min)]
    if not any(choice.chosen for choice in out):
        there = float(alphas[fitted.at])
        out.append(at("asked for" if there == fitted.alpha else "nearest to that asked for", there))
    return out


def score_name(scoring: str) -> str:
    """What a score is called in a table, and which way is better."""
    return f"{SCORES.get(scoring, scoring)} ({_better(scoring)})"


def _better(scoring: str) -> str:
    return f"{'higher' if scoring in GREATER_IS_BETTER else 'lower'} is better"


def choice_lines(fitted: Fitted) -> list[str]:
    """Return the choices as aligned text."""
    scoring = fitted.cv.scoring
    head = [_better(scoring), SCORES.get(scoring, scoring), "standard error", "alpha", fitted.noun]
    rows = [
        [
            f"{choice.name}, reported" if choice.chosen else choice.name,
            f"{choice.score:.4g}",
            f"{choice.error:.2g}",
            "" if choice.alpha is None else f"{choice.alpha:.4g}",
            f"{choice.selected:,}",
        ]
        for choice in choices_of(fitted)
    ]
    return align_columns(head, rows)


def nested_text(fitted: Fitted) -> str:
    """Say what the outer folds of a nested cross-validation chose."""
    nested = fitted.cv.nested
    least, most = float(nested.alphas.min()), float(nested.alphas.max())
    counts = nested.n_active - len(fitted.account.covariate_names)
    fewest, highest = f"{int(counts.min()):,}", f"{int(counts.max()):,}"
    selected = f"{fewest} to {highest}" if fewest != highest else "no" if fewest == "0" else fewest
    return (
        f"nested: {len(nested.alphas)} outer folds, {_trained_text(nested)}, chose "
        f"alpha {least:.4g} to {most:.4g} and {selected} {fitted.noun}"
    )


def _trained_text(nested: NestedCV) -> str:
    """Say how many samples the outer folds train on; a saved model keeps the mean alone."""
    if nested.trained_on is None:
        return f"with {nested.n_train:,} samples to train on, on average"
    sizes = [len(rows) for rows in nested.trained_on]
    if min(sizes) == max(sizes):
        return f"each with {sizes[0]:,} samples to train on"
    return f"with {min(sizes):,} to {max(sizes):,} samples to train on"


def choice_notes(fitted: Fitted) -> list[str]:
    """Return what a reader should know of the choice of the penalty."""
    return [note for note in (null_note(fitted), end_note(fitted)) if note]


def null_note(fitted: Fitted) -> str:
    """Say that the best model is hardly better than none, where it is; else nothing."""
    cv = fitted.cv
    if cv is None or fitted.interrupted or not np.isfinite(cv.null_score):
        return ""
    best = nearest(fitted.path.alphas, cv.alpha_min)
    gain = (cv.mean_score[best] - cv.null_score) * (1.0 if cv.scoring in GREATER_IS_BETTER else -1.0)
    if fitted.n_active[best] == 0 or gain > cv.se_score[best]:
        return ""
    none = "the intercept alone" if cv.path.loss_function.has_intercept else "a model without effects"
    told = f"the best score is within one standard error of that of {none}"
    return f"{told}: {fitted.noun} may be selected by chance"


def end_note(fitted: Fitted) -> str:
    """Say that the best penalty is the last of the path, where it is; else nothing."""
    cv, path = fitted.cv, fitted.path
    if cv is None or not cv.best_is_last or fitted.interrupted:
        return ""
    where = f"the best alpha, {cv.alpha_min:.4g}, is the last of the path"
    if path.stop_reason in ("max_active", "memory"):
        option = f"--{path.stop_reason.replace('_', '-')}"
        return f"{where}, which {option} ended: smaller ones may do better"
    if not cv.still_gains:
        return f"{where}, where the score hardly changes any more"
    return f"{where}: smaller ones may do better (a smaller --eps, or --alphas, goes on)"
