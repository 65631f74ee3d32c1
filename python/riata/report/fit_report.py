"""The page about a fit that is held or was saved, at any of its penalties."""

from __future__ import annotations

import datetime
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._core import __version__
from riata._input.survival import SurvivalTarget
from riata._input.validation import Float
from riata._io.output_files import replace_text
from riata.losses._known import check_loss
from riata.report.fit_page import fit_page
from riata.report.methods import methods_text
from riata.report.page import render
from riata.study.account import Kept, load_account
from riata.study.fit_result import Fitted
from riata.study.hits import Hits
from riata.study.model_file import Model, model_of
from riata.study.response import Response
from riata.study.survival_times import TIMES


def write_report(
    fit: Any, file: str | os.PathLike[str], alpha: float | None, *, y: Any = None, **beside: Any
) -> None:
    """Write the page of a RegularizationPath or CVPath: see `CVPath.report`."""
    model = model_of(fit)
    fitted = restore(model, load_account("the fit", model), alpha)
    if y is not None:
        _compare(fitted, alpha, y, **beside)
    replace_text(file, render(fit_page(fitted)))


def _compare(fitted: Fitted, alpha: float | None, y: Any, start: Any, strata: Any, offset: Any) -> None:
    """Compare predictions of held-out samples with their responses."""
    cv = fitted.cv
    found = cv.evaluate(y, alpha, start=start, strata=strata, offset=offset)
    fitted.evaluation = found if len(fitted.hits) else found.of_nothing
    outer = cv.nested is not None and alpha is None
    link = cv.nested.link if outer else cv.predict_held_out(fitted.alpha, kind="link")
    target, _ = check_loss(cv.path.loss, start=start, strata=strata).check_target(
        y, len(link), np.ones(len(link))
    )
    known = np.isfinite(link.reshape(len(link), -1)).all(axis=1)
    fitted.held_out = _observed(target)[known], link[known]


def _observed(target: Float | SurvivalTarget) -> NDArray[Any]:
    """Return responses as charts take them: numbers, those of the classes, or survival times."""
    if not isinstance(target, SurvivalTarget):
        return np.asarray(target.argmax(axis=1) if target.ndim > 1 else target)
    times = np.zeros(len(target), dtype=TIMES)
    times["time"], times["event"] = target.time, target.event == 1.0
    times["start"] = -np.inf if target.start is None else target.start
    times["stratum"] = 0 if target.strata is None else target.strata
    return times


def methods_of(fit: Any, alpha: float | None) -> str:
    """Return what was done, in words: see `CVPath.methods`."""
    model = model_of(fit)
    return methods_text(restore(model, load_account("the fit", model), alpha))


def restore(
    model: Model,
    kept: Kept,
    alpha: float | None,
    *,
    prefix: str = "",
    saved: str = "",
    threshold: float | None = None,
) -> Fitted:
    """Return the fit that a model comes from, at another alpha when one is asked for.

    `threshold`, of two classes, is by default that of the fit. `prefix` is where outputs go and `saved`
    where the model is; both are empty where there are none.
    """
    run = kept.run
    at, rule = run["alpha"], run["rule"]
    same = alpha is None or alpha == at
    if alpha is not None and not same:
        at, rule = float(alpha), "as asked with --alpha" if prefix else "as asked"
    fitted = Fitted(
        account=kept.account,
        fit=model.path if model.cv is None else model.cv,
        hits=Hits(kept.source, model.path, at, model.covariates),
        alpha=at,
        rule=rule,
        prefix=prefix,
        version=str(__version__),
        command=run["command"],
        date=run["date"] or datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        seconds=run["seconds"],
        interrupted=run["interrupted"],
        warnings=run["warnings"],
        build=run["build"],
        together=run["together"],
        saved=saved,
    )
    if kept.aside is not None:
        response = Response(
            kept.account.response, model.path.loss, kept.aside.y, tuple(kept.account.classes), "",
            huber_delta=model.path.huber_delta,
        )  # fmt: skip
        chosen = same and not rule.startswith("as asked")
        fitted.held_out, evaluation = kept.aside.at(
            model.path, at, response, chosen=chosen, selected=len(fitted.hits)
        )
        fitted.evaluation = kept.evaluation if same else evaluation
        was = None if kept.evaluation is None or kept.evaluation.table is None else kept.evaluation.table
        threshold = was.threshold if threshold is None and was is not None else threshold
        if threshold is not None and fitted.evaluation is not None:
            fitted.evaluation = fitted.evaluation.at_threshold(*fitted.held_out, threshold)
    return fitted
