"""``riata fit`` and ``riata cv`` of one phenotype, and what fits of several have in common with it."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from riata._io import stopping, streams
from riata._io.input_files import InputFiles
from riata._io.output_files import OutputSet
from riata._io.progress import Progress
from riata.cli.choosing import choose_alpha, validation_of
from riata.cli.log import Log
from riata.cli.manifest import manifest, today, version
from riata.cli.options import FitOptions, LDOptions
from riata.cli.outputs import FIT_OUTPUTS, write_fit
from riata.cli.penalty_options import check_penalty_options, group_by_ld, penalty_of
from riata.cli.study_lines import study_lines
from riata.genetics.genotypes import Genotypes
from riata.losses._known import check_scoring, loss_of
from riata.path.certificates import CERTIFICATES
from riata.path.class_tables import threshold_of
from riata.path.cross_validation import GridEndWarning
from riata.path.fitted import FitResult
from riata.path.many_classes import check_file_parts
from riata.report.fit_page import fit_page, summary_lines
from riata.report.methods import methods_lines
from riata.study.account import account_of, describe_active
from riata.study.cluster import check_cluster, cluster_of
from riata.study.fit_result import Fitted
from riata.study.fold_plan import FoldPlan, check_fold_options, plan_folds
from riata.study.held_out import held_out_of
from riata.study.hits import Hits
from riata.study.ld import Partners, find_partners
from riata.study.loading import load_study
from riata.study.resume import Resume
from riata.study.study import Study


def run_fit(options: FitOptions) -> int:
    """Fit a path, or with folds a cross-validated one, and write everything about it."""
    began = time.perf_counter()
    log = Log(quiet=options.output.quiet)
    check_options(options)
    prefix = options.output.out
    inputs = InputFiles(options.command.asked)
    with OutputSet(prefix, FIT_OUTPUTS) as outputs, contextlib.ExitStack() as stack:
        client = stack.enter_context(cluster_of(options.study))
        study = load_study(options.study, client)
        outputs.refuse_inputs(study.files)
        group_by_ld([study], options.model, options.limits.threads)
        if study.is_genotypes and len(study.response.classes) > 2:  # which have weights of their own
            check_file_parts(study.response.classes)
        scoring = check_scoring(options.model.scoring, study.response.loss)
        plan = None
        if options.folds is not None:
            every = np.arange(study.n_samples)
            plan = plan_folds([study], [every], study.n_samples, options.folds, scoring)
            study.join.notes.extend(plan.notes)
        read = time.perf_counter() - began
        log.say(*study_lines(study, prefix), "")
        resume = stack.enter_context(Resume(prefix, inputs.describe(study.files), resumed_by(options)))
        log.say(*(line for note in resume.notes for line in (note, "")))
        fit, interrupted, messages, spent = fit_study(study, options, plan, resume.kept, log)
        seconds = {"read": read, "fit": spent}
        conclude(
            study, fit, options, outputs, log, inputs,
            interrupted=interrupted, warnings=messages, seconds=seconds,
        )  # fmt: skip
    if interrupted:
        streams.tell(f"riata: {stopping.told()}; the path so far was kept, --resume goes on with it")
        return stopping.exit_status()
    resume.remove()
    return 0


def conclude(
    study: Study,
    fit: FitResult,
    options: FitOptions,
    outputs: OutputSet,
    log: Log,
    inputs: InputFiles,
    **run: Any,
) -> Fitted:
    """Choose the penalty of a finished fit, evaluate it, tell of it and write everything about it."""
    path = fit.path
    validation = validation_of(study, fit, options.model)
    alpha, rule = choose_alpha(fit, options.model, validation)
    hits = Hits(describe_active(study, path), path, alpha, study.covariate_names)
    aside = held_out_of(study, fit)
    held_out = evaluation = None
    if aside is not None:
        held_out, evaluation = aside.at(
            path, alpha, study.response,
            chosen=options.model.alpha is None, selected=len(hits),
            threshold=threshold_of(options.model.threshold, study.response.loss),
        )  # fmt: skip
    fitted = Fitted(
        account=account_of(study, hits.source.positions),
        study=study,
        fit=fit,
        hits=hits,
        alpha=alpha,
        rule=rule,
        prefix=outputs.prefix,
        version=version(),
        command=options.command.line,
        date=today(),
        partners=study_partners(study, hits, options.ld, options.limits.threads),
        build=options.output.genome_build,
        aside=aside,
        held_out=held_out,
        evaluation=evaluation,
        **run,
    )
    log.say(*summary_lines(fitted))
    if fitted.evaluation is not None:
        log.say("", *fitted.evaluation.lines())
    changes = check_files(study, inputs)
    log.say(*(f"  warning: {change}" for change in changes))
    fitted.warnings = [*fitted.warnings, *changes]
    log.say("", *methods_lines(fitted))
    record = manifest(fitted, options.command, inputs.records)
    if validation is not None:
        record["validation"] = validation.to_dict()
    write_fit(outputs, fitted, fit_page(fitted), record, log)
    check_files(study, inputs)
    return fitted


def check_files(study: Study, inputs: InputFiles) -> list[str]:
    """Return which files were replaced while they were in use; refuse results of two files."""
    if isinstance(study.main, Genotypes):
        study.main.check_files()
    return inputs.check()


def check_options(options: FitOptions) -> None:
    """Refuse options that need no file to be found wrong."""
    study, model = options.study, options.model
    check_cluster(study)
    check_penalty_options(study, model)
    if options.folds is not None:
        check_fold_options(study, options.folds)
    if model.grouped and not loss_of(study.loss).many_classes:
        raise ValueError("--grouped needs --loss multinomial")
    threshold_of(model.threshold, study.loss)
    if loss_of(study.loss).many_responses:
        raise ValueError(
            "--loss multigaussian is for riata.fit_path; --pheno-name A,B with other losses fits each apart"
        )
    if model.scoring is not None and options.folds is None and study.split is None:
        raise ValueError("--scoring needs a validation part: give --split NAME, or use riata cv")
    if model.alpha is not None and isinstance(model.alphas, tuple) and model.alpha < min(model.alphas):
        raise ValueError(
            f"--alpha {model.alpha:g} lies below the path that --alphas asks for, which ends at "
            f"{min(model.alphas):g}"
        )


def fit_study(
    study: Study,
    options: FitOptions,
    plan: FoldPlan | None = None,
    checkpoint: Path | None = None,
    log: Log | None = None,
) -> tuple[Any, bool, list[str], float]:
    """Fit, watching for Ctrl-C; return the fit, whether it was cut short, warnings, and seconds."""
    import riata

    arguments = fit_arguments(study, options, plan, checkpoint)

    def fit_with(progress: Progress) -> Any:
        if plan is None:
            return riata.fit_path(study.X, progress=progress, **study.target, **arguments)
        with plan.named():
            fit = riata.cv_path(study.X, progress=progress, **study.target, **arguments)
        fit.folds_made = plan.made
        return fit

    fit, interrupted, messages, spent = watched(fit_with, options, log)
    if len(fit.path.alphas) == 0:
        raise KeyboardInterrupt
    return fit, interrupted, messages, spent


def fit_arguments(
    study: Study, options: FitOptions, plan: FoldPlan | None, checkpoint: Path | None
) -> dict[str, Any]:
    """Return what `fit_path` or `cv_path` takes beside features and response."""
    model, limits, folds = options.model, options.limits, options.folds
    max_active = limits.max_active
    if max_active is not None:
        max_active += len(study.covariate_names)  # always active, and not what the user counts
    arguments: dict[str, Any] = {
        "alphas": model.alphas,
        "eps": model.eps,
        "penalty": penalty_of(model, study),
        "standardize": model.standardize,
        "penalty_factor": study.penalty_factor,
        "tol": model.tol,
        "solver": model.solver.replace("-", "_"),
        "n_threads": limits.threads,
        "max_active": max_active,
        "memory": limits.memory,
        "alphas_per_pass": limits.alphas_per_pass,
        "checkpoint": checkpoint,
        "keep_checkpoint": True,  # until the outputs are written
    }
    if model.grouped:
        arguments["grouped"] = True
    if plan is not None:
        assert folds is not None
        arguments |= {
            **plan.arguments,
            "random_state": folds.seed,
            "alpha_rule": folds.select,
            "scoring": model.scoring,
            "patience": options.patience,
            "nested": plan.nested(folds.nested),
        }
    return arguments


def resumed_by(options: FitOptions) -> dict[str, Any]:
    """Return the options that a run must share with one that it goes on from."""
    if options.folds is None:
        return dict(options.command.asked)
    return {**options.command.asked, "patience": options.patience or "off"}


def watched(
    fit: Callable[[Progress], Any], options: FitOptions, log: Log | None
) -> tuple[Any, bool, list[str], float]:
    """Fit, watching for Ctrl-C; return the result, whether it was cut short, warnings, and seconds."""
    if options.folds is not None:
        import sklearn.model_selection  # noqa: F401  # slow to import, and not part of the fit

    began = time.perf_counter()
    note = log.note if log is not None and options.output.verbose else None
    certificate = CERTIFICATES[penalty_of(options.model, None).certificate].short
    with (
        Progress(quiet=options.output.quiet, note=note, certificate=certificate) as progress,
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        result = fit(progress)
    told = [item for item in caught if not issubclass(item.category, GridEndWarning)]  # see `end_note`
    messages = list(dict.fromkeys(str(item.message) for item in told))
    return result, progress.interrupted, messages, time.perf_counter() - began


def study_partners(study: Study, hits: Hits, ld: LDOptions, threads: int | None) -> Partners | None:
    """Find the variants in linkage disequilibrium with the hits; None for tables."""
    if not isinstance(study.main, Genotypes):
        return None
    return find_partners(
        study.main, hits.positions, hits.strongest, window_kb=ld.ld_window_kb, least_r2=ld.ld_r2,
        n_threads=threads,
    )  # fmt: skip
