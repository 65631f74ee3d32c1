"""Several phenotypes in one run of the command line: one reading of the genotypes, outputs for each."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io import stopping, streams
from riata._io.input_files import InputFiles
from riata._io.output_files import OutputSet
from riata._io.progress import Progress
from riata._io.tables import align_columns, expand_names, split_names
from riata._io.text_files import TextRows
from riata.cli import fit as one
from riata.cli.log import Log
from riata.cli.options import FitOptions
from riata.cli.outputs import FIT_OUTPUTS
from riata.cli.penalty_options import group_by_ld
from riata.cli.study_lines import feature_lines, study_lines
from riata.genetics.pgen import phenotypes_of
from riata.losses._known import check_scoring, loss_of
from riata.path.certificates import CERTIFICATES, gap_text
from riata.path.evaluation import LABELS
from riata.path.fitted import FitResult
from riata.path.many_classes import check_file_parts, file_part
from riata.study.cluster import cluster_of
from riata.study.cv_choices import choice_notes
from riata.study.fit_result import Fitted, seconds_text
from riata.study.fold_plan import FoldPlan, plan_folds
from riata.study.inputs import genotypes_of
from riata.study.loading import load_studies
from riata.study.options import StudyOptions
from riata.study.resume import Resume
from riata.study.study import Studies
from riata.study.survival_times import has_times, two_columns

#: The measure of each loss that the table of a run shows.
_MEASURES = ("r2", "auc", "concordance", "d2")


def run_fit(options: FitOptions) -> int:
    """Run ``riata fit`` or ``riata cv``, for one phenotype or several."""
    asked = phenotypes(options.study)
    if len(asked) == 1:
        return one.run_fit(replace(options, study=asked[0]))
    return _run_several(options, asked)


def phenotypes(options: StudyOptions) -> list[StudyOptions]:
    """Return the options of each phenotype that commas part.

    Raises
    ------
    ValueError
        When one is named twice, or times and events do not pair.
    """
    if loss_of(options.loss).has_times:
        times, events = _parted(options.time), _parted(options.event)
        if len(times) == 1:
            times *= len(events)
        if len(times) != len(events):
            raise ValueError(
                f"--time must name one column, or one for each of --event, got {len(times)} for {len(events)}"
            )
        asked = [replace(options, time=time, event=event) for time, event in zip(times, events, strict=True)]
        names = events
    else:
        flag = "target" if options.target is not None else "pheno_name"
        names = _parted(getattr(options, flag))
        if flag == "pheno_name" and any("-" in (name or "") for name in names):
            names = [*expand_names([name for name in names if name], _phenotypes_of(options), "--pheno-name")]
        each: list[dict[str, Any]] = [{flag: name} for name in names]
        asked = [replace(options, **given) for given in each]
    if loss_of(options.loss).many_classes and len(asked) > 1:
        raise ValueError("--loss multinomial takes one phenotype at a time")
    twice = [name for k, name in enumerate(names) if name is not None and name in names[:k]]
    if twice:
        raise ValueError(f"phenotype {twice[0]} is named twice")
    check_file_parts([_name(given) for given in asked], "phenotypes")
    return asked


def outputs_of(prefix: str, asked: Sequence[StudyOptions]) -> list[str]:
    """Return where the outputs of each phenotype go.

    Raises
    ------
    ValueError
        When one has the name of another file of the run.
    """
    if len(asked) == 1:
        return [prefix]
    prefixes = [f"{prefix}.{file_part(_name(given))}" for given in asked]
    if f"{prefix}.checkpoint" in prefixes:
        raise ValueError("phenotype 'checkpoint' has the name of a file of the run: give it another")
    return prefixes


def _parted(names: str | None) -> list[str | None]:
    if names is None:
        return [None]
    return [*split_names(names)] or [names]


def _phenotypes_of(options: StudyOptions) -> list[str]:
    """Return which phenotypes there are, in order."""
    if options.pheno is not None:
        return TextRows(options.pheno).header
    if options.matrix is not None:
        return []
    return list(phenotypes_of(genotypes_of(options).samples))


def _run_several(options: FitOptions, asked: Sequence[StudyOptions]) -> int:
    began = time.perf_counter()
    log = Log(quiet=options.output.quiet)
    prefix = options.output.out
    one.check_options(options)
    prefixes = outputs_of(prefix, asked)
    inputs = InputFiles(options.command.asked)
    with contextlib.ExitStack() as stack:
        outputs = [stack.enter_context(OutputSet(each, FIT_OUTPUTS)) for each in prefixes]
        joint = load_studies(asked, stack.enter_context(cluster_of(options.study)))
        studies = joint.studies
        for written in outputs:
            written.refuse_inputs(studies[0].files)
        group_by_ld(studies, options.model, options.limits.threads)
        scoring = check_scoring(options.model.scoring, studies[0].response.loss)
        plan = None
        if options.folds is not None:
            plan = plan_folds(studies, joint.rows, len(joint.X), options.folds, scoring)
            for report in (joint.join, *(study.join for study in studies)):
                report.notes.extend(plan.notes)
        read = time.perf_counter() - began
        log.say(*_lines(joint, prefix), "")
        resume = stack.enter_context(
            Resume(prefix, inputs.describe(studies[0].files), one.resumed_by(options))
        )
        log.say(*(line for note in resume.notes for line in (note, "")))
        fits, interrupted, messages, spent = fit_studies(joint, options, plan, resume, log)
        done: list[Fitted] = []
        for study, fit, written in zip(studies, fits, outputs, strict=True):
            own = Log(quiet=True)
            others = [other.response.name for other in studies if other is not study]
            own.say(*study_lines(study, written.prefix), "")
            seconds = {"read": read, "fit": spent}
            done.append(
                one.conclude(
                    study, fit, options, written, own, inputs,
                    interrupted=interrupted, warnings=messages, seconds=seconds, together=others,
                )
            )  # fmt: skip
        log.say(*_table(done, spent), "", *(f"warning: {message}" for message in messages))
        log.say("Written, for each of them", *_written(outputs))
    if interrupted:
        streams.tell(f"riata: {stopping.told()}; the paths so far were kept, --resume goes on with them")
        return stopping.exit_status()
    resume.remove()
    return 0


def fit_studies(
    joint: Studies, options: FitOptions, plan: FoldPlan | None, resume: Resume, log: Log | None = None
) -> tuple[list[Any], bool, list[str], float]:
    """Fit studies together; return a fit for each, whether it was cut short, warnings, and seconds."""
    import riata

    first = joint.studies[0]
    n = len(joint.X)
    shared: dict[str, Any] = {"loss": first.response.loss}
    ys: list[NDArray[Any]] = []
    starts, strata, offset = np.full(n, -np.inf), np.zeros(n, dtype=np.int64), np.zeros(n)
    for study, rows in zip(joint.studies, joint.rows, strict=True):
        values = two_columns(study.y) if has_times(study.y) else study.y
        y = np.full((n, *values.shape[1:]), np.nan)
        y[rows] = values
        ys.append(y)
        if has_times(study.y):
            starts[rows], strata[rows] = study.y["start"], study.y["stratum"]
        if study.offset is not None:
            offset[rows] = study.offset
            shared["offset"] = offset
    if first.response.huber_delta is not None:
        shared["huber_delta"] = first.response.huber_delta
    if first.response.loss_function.has_times:
        shared["ties"] = first.response.ties
        if np.isfinite(starts).any():
            shared["start"] = starts
        if np.any(strata != strata[0]):
            shared["strata"] = strata
    arguments = one.fit_arguments(first, options, plan, resume.kept)

    def fit_with(progress: Progress) -> list[Any]:
        if plan is None:
            return [*riata.fit_multi_path(joint.X, ys, progress=progress, **shared, **arguments)]
        with plan.named():
            fits = riata.cv_multi_path(joint.X, ys, progress=progress, **shared, **arguments)
        for fit in fits:
            fit.folds_made = plan.made
        return [*fits]

    fits, interrupted, messages, spent = one.watched(fit_with, options, log)
    if any(len(fit.path.alphas) == 0 for fit in fits):
        raise KeyboardInterrupt
    parts = zip(fits, joint.rows, strict=True)
    return [_of_rows(fit, rows) for fit, rows in parts], interrupted, messages, spent


def _of_rows(fit: FitResult, rows: NDArray[np.int64]) -> FitResult:
    """Number the rows of a cross-validation as those of its study."""
    cv = fit.cv
    if cv is None:
        return fit
    assert cv.trained_on is not None
    held_out = None if cv.oof_link is None else cv.oof_link[rows]
    folds, trained_on = (
        [np.searchsorted(rows, part) for part in parts] for parts in (cv.folds, cv.trained_on)
    )
    nested = None if cv.nested is None else cv.nested.of_rows(rows)
    return replace(cv, folds=folds, trained_on=trained_on, oof_link=held_out, nested=nested)


def _name(given: StudyOptions) -> str:
    """Name a phenotype, and its outputs."""
    return str(given.event if loss_of(given.loss).has_times else given.pheno_name or given.target)


def _lines(joint: Studies, prefix: str) -> list[str]:
    """Return what was read: samples in common, those of each phenotype, features."""
    studies = joint.studies
    width = max(len(study.response.name) for study in studies)
    lines = ["Samples", *joint.join.lines(), "Phenotypes"]
    for study in studies:
        note = f"   {study.response.note}" if study.response.note else ""
        lines.append(f"  {study.response.name:<{width}}  {study.n_samples:>9,} samples to fit{note}")
    return lines + feature_lines(studies[0], f"{prefix}.{studies[0].response.name}")


def _table(done: Sequence[Fitted], seconds: float) -> list[str]:
    """Return the fits side by side."""
    path = done[0].path
    gap = gap_text(max(fitted.largest_gap for fitted in done))
    words = CERTIFICATES[path.certificate]
    certified = all(bool(np.all(fitted.path.converged)) for fitted in done)
    head = ["phenotype", "samples", "alphas", "alpha", "selected"]
    rows = [
        [
            fitted.account.response,
            f"{fitted.account.n_samples:,}",
            f"{len(fitted.path.alphas)}",
            f"{fitted.alpha:.4g}",
            f"{len(fitted.hits):,}",
        ]
        for fitted in done
    ]
    for name, title in _measured(done):
        head.append(title)
        for row, fitted in zip(rows, done, strict=True):
            row.append(_measure_text(fitted, name))
    lines = [
        "Fit",
        f"  {done[0].model_name} of {len(done)} phenotypes together, {seconds_text(seconds)}, "
        f"{path.n_passes:.1f} passes over the data",
        f"  largest {words.name} {gap} (tol {gap_text(path.tol)})"
        + ("" if certified else f"; NOT all fits are {words.reached}"),
        "",
    ]
    lines += [f"  {line}".rstrip() for line in align_columns(head, rows)]
    parts = dict.fromkeys(fitted.evaluation.part for fitted in done if fitted.evaluation is not None)
    lines += ["", *(f"  measures: {part}" for part in parts)] if parts else []
    for fitted in done:
        lines += [f"  note: {fitted.account.response}: {text}" for text in choice_notes(fitted)]
    return lines


def _measured(done: Sequence[Fitted]) -> list[tuple[str, str]]:
    """Return the measure to show, and what covariates have to do with it, each with its title."""
    known = {name for fitted in done if fitted.evaluation is not None for name in fitted.evaluation.measures}
    first = next((name for name in _MEASURES if {name, f"{name}_covariates"} & known), "")
    titles = {"": LABELS.get(first, ""), "_covariates": "covariates alone", "_increment": "added to them"}
    return [(f"{first}{what}", title) for what, title in titles.items() if f"{first}{what}" in known]


def _measure_text(fitted: Fitted, name: str) -> str:
    found = _measure(fitted, name)
    if found is None:
        nothing = fitted.evaluation is not None and fitted.evaluation.nothing
        return "nothing selected" if nothing and name in _MEASURES else ""
    return f"{found.value:.4f}" if found.low is None else f"{found.value:.4f} ({found.interval})"


def _measure(fitted: Fitted, name: str) -> Any:
    return None if fitted.evaluation is None else fitted.evaluation.measures.get(name)


def _written(outputs: Sequence[OutputSet]) -> list[str]:
    return [f"  {written.prefix}.html, .{', .'.join(_others(written))}" for written in outputs]


def _others(written: OutputSet) -> list[str]:
    return [suffix for suffix in written.suffixes if suffix != "html"]
