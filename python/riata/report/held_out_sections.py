"""The part of a report on samples that were held out: predictions beside what was observed."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from riata._io.wording import counted
from riata.path.evaluation import LABELS, NOTHING, NOTHING_ADDED, Evaluation
from riata.report.charts.survival import survival_chart, thirds
from riata.report.charts.validation import calibrate, calibration_chart, roc_chart, roc_curve
from riata.report.page import Section, figure, note, pair, stack, table
from riata.study.fit_result import Fitted
from riata.study.survival_times import has_times

HEADING = "How predictions compare with what was observed"


def held_out_section(fitted: Fitted) -> Section | None:
    """Return predictions against what was observed in samples held out, and how good they are."""
    if fitted.held_out is None:
        return None
    y, link = fitted.held_out
    found = fitted.evaluation
    if found is not None and found.nothing:
        told = NOTHING_ADDED if found.measures else NOTHING
        return Section(HEADING, f"{told[0].upper()}{told[1:]}.", _measures(found) if found.measures else "")
    if has_times(y):
        return survival_section(fitted, y, link)
    if link.ndim > 1:
        return classes_section(fitted, y)
    account, classes = fitted.account, fitted.account.pair
    predicted = fitted.path.loss_function.mean(link)
    judged = found is None or found.has_intervals
    calibration = calibrate(y, predicted, shares=bool(classes))
    what = f"share of {classes[1]}" if classes else account.response
    chart = calibration_chart(calibration, f"predicted {what}", f"observed {what}", whiskers=judged)
    text = (
        f"{_said_of(y, found)} Points are tenths of the samples by increasing prediction"
        f"{', with 95 % intervals' if judged else ''}; on the dashed line prediction and observation agree. "
        f"The slope of observation on prediction is {calibration.slope:.2f}; below 1 predictions are too "
        "extreme, above 1 too timid."
    )
    if classes and found is not None and found.inflation > 1.0:
        text += " The AUC compares samples of the same fold."
    if not classes:
        return Section(HEADING, text, pair([figure(chart), _measures(found)]) + _footnote(found))
    n_cases = int(y.sum())
    counts = [f"{n_cases:,} of class {classes[1]}", f"{len(y) - n_cases:,} of class {classes[0]}"]
    if found is not None and "auc" in found.measures:
        counts.insert(0, f"AUC {found.measures['auc'].value:.3f}")
    charts = [figure(chart), figure(roc_chart(*roc_curve(y, link), classes[1], counts))]
    body = stack(pair(charts) + _measures(found), _class_table(found))
    return Section(HEADING, text, body + _footnote(found))


def _said_of(y: NDArray[Any], found: Evaluation | None) -> str:
    """Say which samples these are, and by which fits they were predicted."""
    if found is not None and found.part == "test part":
        count = counted(len(y), "sample")
        return f"Predictions for the {count} of the test part, which took no part in the fit."
    return f"Predictions for {counted(len(y), 'sample')} made by fits that had not seen them."


def classes_section(fitted: Fitted, y: NDArray[Any]) -> Section:
    """Return which classes were predicted for samples held out, and how good the predictions are."""
    found = fitted.evaluation
    body = stack(_measures(found), _class_table(found)) + _footnote(found)
    return Section(HEADING, _said_of(y, found), body)


def survival_section(fitted: Fitted, y: NDArray[Any], score: NDArray[np.float64]) -> Section:
    """Return the survival of samples held out, in thirds by score, and how well it puts them in order."""
    event, time = fitted.account.response, fitted.account.columns.get("time", "time")
    groups = thirds(y, score)
    events = int(y["event"].sum())
    text = (
        f"Scores for {counted(len(y), 'sample')}, {events:,} of them with an event, made by fits that had "
        "not seen them. The samples are parted in thirds by score; each curve is the Kaplan-Meier estimate "
        f"of the share still without the event ({event}). The further the curves lie apart, the better the "
        "score tells who is at risk. Concordance is the share of comparable pairs in which the one with the "
        "earlier event has the higher score: 0.5 is chance."
    )
    if len(groups) < 3:
        text += " Many scores are equal, so that there are fewer than three groups."
    told = table(
        [
            ("By score", [group.name.capitalize() for group in groups]),
            ("Samples", [len(group.y) for group in groups]),
            ("Events", [int(group.y["event"].sum()) for group in groups]),
            (f"Median {time}", [group.median for group in groups]),
        ],
        numeric=("Samples", "Events", f"Median {time}"),
    )
    found = fitted.evaluation
    chart = figure(survival_chart(groups, time, "share without the event"))
    body = stack(chart, pair([told, _measures(found)])) + _footnote(found)
    return Section("How the score tells who is at risk", text, body)


def _measures(found: Evaluation | None) -> Markup:
    """Return the table of an evaluation; empty without one."""
    if found is None:
        return Markup()
    return _values(found.part, {LABELS[name]: m for name, m in found.measures.items()})


def _values(title: str, measures: dict[str, Any]) -> Markup:
    """Return measures by what they are called, with intervals where they have any."""
    columns: list[tuple[str, Any]] = [
        (title[0].upper() + title[1:], list(measures)),
        ("Value", [_minus(f"{m.value:.3f}") for m in measures.values()]),
    ]
    if any(m.low is not None for m in measures.values()):
        limits = ["" if m.low is None else f"{m.low:.3f} to {m.high:.3f}" for m in measures.values()]
        columns.append(("95 % interval", [_minus(text) for text in limits]))
    return table(columns, numeric=("Value", "95 % interval"))


def _minus(text: str) -> str:
    return text.replace("-", "\u2212").replace("nan", "\u2013")


def _class_table(found: Evaluation | None) -> Markup:
    """Return observed classes by predicted ones, and the rates of right predictions."""
    if found is None or found.table is None:
        return Markup()
    told = found.table
    columns = [
        (f"predicted {label}", [row[k] for row in told.counts]) for k, label in enumerate(told.classes)
    ]
    counts = table([("Observed", told.classes), *columns], numeric=[name for name, _ in columns])
    title = "Recall, the share found" if told.threshold is None else told.heading
    rates = _values(title, {told.rate_words(name): rate for name, rate in told.rates.items()})
    if len(told.classes) > 3:  # wide
        return stack(counts, rates)
    return pair([counts, rates])


def _footnote(found: Evaluation | None) -> Markup:
    """Say what the figures are, where they are not those of a test."""
    if found is None or found.has_intervals:
        return Markup()
    if "optimistic" in found.part:
        told = "These samples had a part in the choice of the penalty: the figures flatter"
    else:
        told = "If the penalty was chosen after a look at these samples, the figures flatter"
    return note(
        f"{told}, and have no confidence intervals. Nested cross-validation (riata cv --nested, in Python "
        "nested=True) or a test part (--split) gives some that do not flatter."
    )
