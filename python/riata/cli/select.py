"""``riata select``: stability selection for one phenotype or several, and everything written about it."""

from __future__ import annotations

import contextlib
import time
import warnings
from pathlib import Path
from typing import Any

from riata._io import stopping, streams
from riata._io.input_files import InputFiles
from riata._io.output_files import OutputSet, write_text, write_tsv
from riata._io.progress import Progress
from riata._io.tables import align_columns
from riata._io.wording import counted
from riata.cli.fit import check_files
from riata.cli.joint import outputs_of, phenotypes
from riata.cli.log import Log
from riata.cli.manifest import inputs_record, today, version
from riata.cli.options import SelectOptions
from riata.cli.outputs import conclude_outputs, write_left_out
from riata.cli.study_lines import study_lines
from riata.genetics.genotypes import Genotypes
from riata.grouping.groups import CorrelationGroups
from riata.losses._known import loss_of
from riata.report.page import render
from riata.report.selection_page import SelectionRun, selection_lines, selection_page
from riata.selection.plan import stability_plan
from riata.selection.record import pairs_done
from riata.selection.result import StabilitySelected
from riata.study.account import account_of
from riata.study.loading import load_studies
from riata.study.resume import Resume
from riata.study.selection_columns import frequency_columns, member_columns, selected_columns
from riata.study.study import Study

LD_R2 = 0.5  # of groups of variants, where it is not given
SELECT_OUTPUTS = (
    "html", "selected.tsv", "frequencies.tsv", "groups.tsv", "excluded.tsv", "dropped.tsv", "sets.tsv",
    "selection.npz", "json", "log",
)  # fmt: skip


def run_select(options: SelectOptions) -> int:
    """Select features for each phenotype, and write what was found."""
    began = time.perf_counter()
    _check_options(options)
    asked = phenotypes(options.study)
    prefixes = outputs_of(options.output.out, asked)
    log = Log(quiet=options.output.quiet)
    inputs = InputFiles(options.command.asked)
    done: list[SelectionRun] = []
    with contextlib.ExitStack() as stack:
        outputs = [stack.enter_context(OutputSet(prefix, SELECT_OUTPUTS)) for prefix in prefixes]
        studies = load_studies(asked).studies
        for written in outputs:
            written.refuse_inputs(studies[0].files)
        read = time.perf_counter() - began
        resumes = []
        for study, written in zip(studies, outputs, strict=True):
            own = log if len(asked) == 1 else Log(quiet=True)
            own.say(*study_lines(study, written.prefix), "")
            described = inputs.describe(study.files)
            resume = stack.enter_context(
                Resume(written.prefix, described, options.command.asked, unit="pairs", progress=pairs_done)
            )
            own.say(*(line for note in resume.notes for line in (note, "")))
            resumes.append(resume)
            run = _select(study, options, written, resume, own, {"read": read})
            own.say(*selection_lines(run))
            _write(run, study, options, written, inputs, own)
            done.append(run)
            if run.interrupted:
                break
        if len(done) < len(outputs):
            raise KeyboardInterrupt
        if len(asked) > 1:
            log.say(
                *_table(done),
                "",
                "Written, for each of them",
                *(f"  {prefix}.html and others" for prefix in prefixes),
            )
    if done[-1].interrupted:
        streams.tell(f"riata: {stopping.told()}; the pairs so far were kept, --resume goes on with them")
        return stopping.exit_status()
    for resume in resumes:
        resume.remove()
    return 0


def _check_options(options: SelectOptions) -> None:
    """Refuse options that need no file to be found wrong."""
    chosen = options.selection
    loss = loss_of(options.study.loss)
    if loss.many_responses:
        raise ValueError("--loss multigaussian is for riata.stability_selection; give phenotypes one by one")
    if chosen.p_values and not loss.likelihood:
        raise ValueError(f"--p-values needs a loss with a likelihood, which {loss.name} does not have")
    if chosen.p_values and chosen.stop_early:
        raise ValueError("--p-values are of all pairs of halves: leave out --stop-early")
    if chosen.grouped and not loss.many_classes:
        raise ValueError("--grouped needs --loss multinomial")
    if chosen.ld_groups and options.study.matrix is not None:
        raise ValueError("--ld-groups is for genotypes, not for --matrix: give --groups FILE")
    if chosen.ld_groups and options.study.groups is not None:
        raise ValueError("give --groups or --ld-groups, not both")
    if chosen.l1_ratio == 0.0:
        raise ValueError("--l1-ratio must be above 0: ridge regression selects nothing")
    if chosen.pfer is not None and chosen.threshold is not None and chosen.q is not None:
        raise ValueError("give at most two of --pfer, --threshold and --q: each follows from the other two")
    if chosen.q is None:  # whether there is a plan at all, of more features than any table has
        stability_plan(
            10**7, pfer=chosen.pfer, threshold=chosen.threshold, n_pairs=chosen.pairs, bound=chosen.bound
        )


def _select(
    study: Study,
    options: SelectOptions,
    outputs: OutputSet,
    resume: Resume,
    log: Log,
    seconds: dict[str, float],
) -> SelectionRun:
    """Fit the halves, watching for Ctrl-C."""
    import riata

    chosen, limits = options.selection, options.limits
    groups = study.groups if study.groups is not None else _ld_groups(study, chosen.ld_groups, limits.threads)
    if isinstance(groups, CorrelationGroups):
        log.say(f"  {counted(len(groups), 'group')} in linkage disequilibrium, r2 {groups.r2:g}", "")
    began = time.perf_counter()
    blocks = study.fold_column
    with (
        Progress(quiet=options.output.quiet, unit="pairs") as progress,
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        try:
            found = riata.stability_selection(
                study.X, **study.target, penalty_factor=study.penalty_factor, groups=groups,
                pfer=chosen.pfer, threshold=chosen.threshold, q=chosen.q, n_pairs=chosen.pairs,
                bound=chosen.bound, p_values=chosen.p_values, stop_early=chosen.stop_early,
                blocks=None if blocks is None else blocks.labels, random_state=chosen.seed,
                l1_ratio=chosen.l1_ratio, standardize=chosen.standardize, tol=chosen.tol,
                memory=limits.memory, n_threads=limits.threads, progress=progress,
                checkpoint=resume.kept, keep_checkpoint=True, grouped=chosen.grouped,
            )  # fmt: skip
        except ValueError:
            if progress.interrupted:  # before any pair was complete
                raise KeyboardInterrupt from None
            raise
    messages = [item for item in caught if not issubclass(item.category, riata.StabilityWarning)]
    return SelectionRun(
        found=found,
        account=account_of(study, found.lead[found.selected]),
        columns=selected_columns(found, study),
        prefix=outputs.prefix,
        version=version(),
        command=options.command.line,
        date=today(),
        blocks="" if blocks is None else blocks.name,
        ld_r2=groups.r2 if isinstance(groups, CorrelationGroups) else 0.0,
        seconds=seconds | {"fit": time.perf_counter() - began},
        interrupted=progress.interrupted and found.n_halves < 2 * chosen.pairs,
        warnings=list(dict.fromkeys(str(item.message) for item in messages)),
    )


def _ld_groups(study: Study, r2: float | None, threads: int | None) -> CorrelationGroups | None:
    """Return groups of variants in linkage disequilibrium; None for tables, and where `r2` is 0."""
    import riata

    if not isinstance(study.main, Genotypes) or r2 == 0.0:
        return None
    found: CorrelationGroups = riata.ld_groups(study.main, r2=LD_R2 if r2 is None else r2, n_threads=threads)
    return found


def _write(
    run: SelectionRun, study: Study, options: SelectOptions, outputs: OutputSet, inputs: InputFiles, log: Log
) -> None:
    """Write tables, page, record and the result itself."""
    changes = check_files(study, inputs)
    log.say(*(f"  warning: {change}" for change in changes))
    run.warnings += changes
    found = run.found
    record = _record(run, study, options, inputs)
    tables = {"selected.tsv": run.columns, "frequencies.tsv": frequency_columns(found, study)}
    if found.group_names is not None:
        tables["groups.tsv"] = member_columns(found, study)
    for suffix, columns in tables.items():
        write_tsv(outputs.path(suffix), columns)
        record["rows"][suffix] = len(list(columns[0][1]))
    write_left_out(outputs, study, record)
    found.save(Path(outputs.path("selection.npz")))
    write_text(outputs.path("html"), render(selection_page(run)))
    conclude_outputs(outputs, record, log, [f"riata {run.version}, {run.date}", run.command])


def _record(run: SelectionRun, study: Study, options: SelectOptions, inputs: InputFiles) -> dict[str, Any]:
    """Return the record of a run: what was asked, read, done and found."""
    found, plan = run.found, run.found.plan
    return {
        **inputs_record(study, options.command, run.version, run.date, inputs.records),
        "selection": {
            "seed": found.seed,
            "halves": found.n_halves,
            "q": plan.q,
            "q_capped": plan.capped,
            "threshold": plan.threshold,
            "items": plan.p,
            "bound": plan.bound,
            "pfer": plan.pfer,
            "pfer_observed": found.pfer_observed,
            "bounds": plan.bounds,
            "mean_size": float(found.sizes.mean()),
            "blocks": run.blocks,
            "ld_groups": run.ld_r2,
            "interrupted": run.interrupted,
            "warnings": run.warnings,
            "notes": found.notes,
            "selected": len(found.selected),
            "splits_without_p_values": found.splits_without_p_values,
        },
        "words": found.explain(),
        "seconds": run.seconds,
        "rows": {},
    }


def _table(done: list[SelectionRun]) -> list[str]:
    """Return the selections side by side."""
    head = ["phenotype", "samples", "q", "selected", "false ones, at most"]
    rows = [[run.account.response, f"{run.account.n_samples:,}", *_numbers(run.found)] for run in done]
    notes = [f"  note: {run.account.response}: {note}" for run in done for note in run.found.notes]
    return ["Stability selection", *(f"  {line}".rstrip() for line in align_columns(head, rows)), *notes]


def _numbers(found: StabilitySelected) -> list[str]:
    return [f"{found.plan.q:,}", f"{len(found.selected):,}", f"{found.plan.pfer:.2g}"]
