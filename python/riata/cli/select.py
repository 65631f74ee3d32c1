"""``riata select``: what to believe of one phenotype or several, by halves of the samples or by knockoffs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from riata._io import stopping, streams
from riata._io.input_files import InputFiles
from riata._io.output_files import OutputSet, write_text, write_tsv
from riata._io.shell_words import in_shell
from riata._io.tables import align_columns
from riata.cli.filtering import (
    SAMPLERS,
    Filtering,
    check_filter,
    check_knockoff_options,
    filter_record,
    keep_knockoffs,
    new_run,
    table_row,
)
from riata.cli.fit import check_files
from riata.cli.halving import halve, ld_groups, stability_record
from riata.cli.joint import outputs_of, phenotypes
from riata.cli.log import Log
from riata.cli.manifest import inputs_record, today, version
from riata.cli.options import KnockoffOptions, SelectionOptions, SelectOptions
from riata.cli.outputs import conclude_outputs, write_left_out
from riata.cli.study_lines import study_lines
from riata.losses._known import loss_of
from riata.report.filter_page import FilterRun, filter_lines
from riata.report.page import render
from riata.report.selection_page import SelectionRun, selection_lines
from riata.report.selection_report import selection_report
from riata.selection.plan import stability_plan
from riata.selection.record import pairs_done
from riata.study.cluster import check_cluster, cluster_of, flag_of_scheduler
from riata.study.filter_columns import member_columns as members_of_filter
from riata.study.filter_columns import statistic_columns
from riata.study.knockoff_store import KnockoffStore
from riata.study.loading import load_studies
from riata.study.ready_knockoffs import files_of
from riata.study.resolutions import resolutions_of
from riata.study.resume import Resume
from riata.study.selection_columns import frequency_columns, member_columns
from riata.study.study import Studies, Study

_LISTS = ("selected.tsv", "groups.tsv", "frequencies.tsv", "statistics.tsv", "selection.npz")
_KNOCKOFFS = (
    "knockoffs.bed", "knockoffs.bim", "knockoffs.fam", "knockoffs.npz", "knockoffs.exchange.tsv",
)  # fmt: skip
SELECT_OUTPUTS = (
    "html", *_LISTS, *(f"*.{kind}" for kind in _LISTS), "excluded.tsv", "dropped.tsv", "sets.tsv",
    *_KNOCKOFFS, *(f"*.{kind}" for kind in _KNOCKOFFS), "json", "log",
)  # fmt: skip
#: Options of stability selection alone, and what says that it is asked for.
_OF_HALVES = ("pairs", "bound", "p_values", "stop_early")


def run_select(options: SelectOptions) -> int:
    """Select features for each phenotype, and write what was found."""
    began = time.perf_counter()
    _check_options(options)
    asked = phenotypes(options.study)
    prefixes = outputs_of(options.output.out, asked)
    log = Log(quiet=options.output.quiet)
    inputs = InputFiles(options.command.asked)
    with contextlib.ExitStack() as stack:
        outputs = [stack.enter_context(OutputSet(prefix, SELECT_OUTPUTS)) for prefix in prefixes]
        joint = load_studies(asked, stack.enter_context(cluster_of(options.study)))
        run = _Run(options, joint, outputs, inputs, stack, log, {"read": time.perf_counter() - began})
        interrupted = run.go()
        if len(asked) > 1:
            log.say("Written, for each of them", *(f"  {prefix}.html and others" for prefix in prefixes))
    if interrupted:
        streams.tell(f"riata: {stopping.told()}; the pairs so far were kept, --resume goes on with them")
        return stopping.exit_status()
    run.forget()
    return 0


class _Run:
    """One run: the studies, their outputs, and what may be resumed."""

    def __init__(
        self,
        options: SelectOptions,
        joint: Studies,
        outputs: Sequence[OutputSet],
        inputs: InputFiles,
        stack: contextlib.ExitStack,
        log: Log,
        seconds: dict[str, float],
    ) -> None:
        self.options, self.joint, self.outputs, self.inputs = options, joint, outputs, inputs
        self.stack, self.log, self.seconds = stack, log, seconds
        self.resumes: list[Resume] = []
        ready = options.filter.knockoffs
        if options.does_filter and ready not in SAMPLERS:
            joint.studies[0].files.extend(files_of(ready, genotypes=options.study.matrix is None))
        for written in outputs:
            written.refuse_inputs(joint.studies[0].files)
        several = len(outputs) > 1
        self.logs = [Log(quiet=True) if several else log for _ in outputs]

    def go(self) -> bool:
        """Select and write for each study; return whether Ctrl-C ended it."""
        studies, asked = self.joint.studies, self.options
        described = self.inputs.describe(studies[0].files)
        for study, written, own in zip(studies, self.outputs, self.logs, strict=True):
            own.say(*study_lines(study, written.prefix), "")
        filtered = self._filter(described) if asked.does_filter else [None] * len(studies)
        found: list[SelectionRun] = []
        for k, (study, written, own) in enumerate(zip(studies, self.outputs, self.logs, strict=True)):
            halved = None
            if asked.does_stability:
                resume = self._resume(Resume(
                    written.prefix, described, asked.command.asked, unit="pairs", progress=pairs_done
                ), own)  # fmt: skip
                halved = halve(study, asked, written, resume, own, self.seconds)
                halved.prefix = f"{written.prefix}.{self._stem('stability')}"[:-1]
                own.say(*selection_lines(halved))
                found.append(halved)
            self._write(halved, filtered[k], study, written, own)
            if halved is not None and halved.interrupted:
                break
        interrupted = bool(found) and found[-1].interrupted
        if interrupted and len(found) < len(studies):
            raise KeyboardInterrupt
        if len(studies) > 1:
            self.log.say(*_tables(found, [one for one in filtered if one is not None]), "")
        return interrupted

    def forget(self) -> None:
        """Remove what a run could be resumed from."""
        for resume in self.resumes:
            resume.remove()

    def _resume(self, resume: Any, log: Log) -> Any:
        self.stack.enter_context(resume)
        self.resumes.append(resume)
        log.say(*(line for note in resume.notes for line in (note, "")))
        return resume

    def _filter(self, described: list[dict[str, Any]]) -> list[FilterRun]:
        """Compare all features with knockoffs, at every resolution."""
        options, studies = self.options, self.joint.studies
        given, limits = options.selection, options.limits
        own_groups = studies[0].groups is not None
        cuts = [] if own_groups else ld_groups(self.joint.X.main, given.ld_groups, limits.threads)
        resolutions = resolutions_of(studies[0], cuts)
        check_filter(options, studies, resolutions)
        store = self._resume(
            KnockoffStore(options.output.out, described, options.command.asked), self.log
        )  # fmt: skip
        work = Filtering(self.joint, options, resolutions, store, self.log)
        lists = work.go()
        self.log.say("")
        kept = self._keep(work) if options.filter.keep_knockoffs else []
        out = []
        for study, written, own, each in zip(studies, self.outputs, self.logs, lists, strict=True):
            if own is not self.log:
                own.say(*work.lines, "")
            for one in each:
                one.file = f"{written.prefix}.{self._stem('knockoffs', one.resolution.name)}selected.tsv"
            run = new_run(study, options, work, each, written.prefix, kept)
            run.seconds |= self.seconds
            own.say(*filter_lines(run), *([""] if options.does_stability else []))
            out.append(run)
        return out

    def _keep(self, work: Filtering) -> list[str]:
        """Write the knockoffs, which all phenotypes share, under the name of the run."""
        single = len(self.outputs) == 1
        shared = self.outputs[0] if single else self.stack.enter_context(
            OutputSet(self.options.output.out, SELECT_OUTPUTS)
        )  # fmt: skip
        return keep_knockoffs(work, shared)

    def _stem(self, analysis: str, resolution: str = "") -> str:
        """Return what stands before the name of a list: nothing, where the run has no other."""
        both = self.options.does_filter and self.options.does_stability
        several = len(self.options.selection.ld_groups) > 1
        parts = [*([analysis] if both else []), *([resolution] if several and resolution else [])]
        return "".join(f"{part}." for part in parts)

    def _write(
        self,
        halved: SelectionRun | None,
        filtered: FilterRun | None,
        study: Study,
        outputs: OutputSet,
        log: Log,
    ) -> None:
        """Write tables, page, record and the results themselves."""
        changes = check_files(study, self.inputs)
        log.say(*(f"  warning: {change}" for change in changes))
        date = today()
        record: dict[str, Any] = {
            **inputs_record(study, self.options.command, version(), date, self.inputs.records),
            "words": "",
            "seconds": {},
            "rows": {},
        }
        words = []
        if filtered is not None:
            filtered.warnings += changes
            record["knockoffs"] = filter_record(filtered)
            record["seconds"] |= filtered.seconds
            for one in filtered.lists:
                stem = self._stem("knockoffs", one.resolution.name)
                tables = {"selected.tsv": one.columns, "statistics.tsv": statistic_columns(one.found, study)}
                if one.found.group_names is not None:
                    tables["groups.tsv"] = members_of_filter(one.found, study)
                _write_list(outputs, record, stem, tables, one.found)
                words.append(one.found.explain())
        if halved is not None:
            halved.warnings += changes
            record["selection"] = stability_record(halved)
            record["seconds"] |= halved.seconds
            tables = {
                "selected.tsv": halved.columns,
                "frequencies.tsv": frequency_columns(halved.found, study),
            }
            if halved.found.group_names is not None:
                tables["groups.tsv"] = member_columns(halved.found, study)
            _write_list(outputs, record, self._stem("stability"), tables, halved.found)
            words.append(halved.found.explain())
        record["words"] = " ".join(words)
        write_left_out(outputs, study, record)
        write_text(outputs.path("html"), render(selection_report(halved, filtered)))
        conclude_outputs(outputs, record, log, [f"riata {version()}, {date}", self.options.command.line])


def _write_list(
    outputs: OutputSet, record: dict[str, Any], stem: str, tables: dict[str, Any], found: Any
) -> None:
    """Write the tables of a list and the result that they are of."""
    for suffix, columns in tables.items():
        write_tsv(outputs.path(f"{stem}{suffix}"), columns)
        record["rows"][f"{stem}{suffix}"] = len(list(columns[0][1]))
    found.save(Path(outputs.path(f"{stem}selection.npz")))


def _check_options(options: SelectOptions) -> None:
    """Refuse options that need no file to be found wrong."""
    chosen, study = options.selection, options.study
    check_cluster(study)
    flag = flag_of_scheduler(study)
    if flag is not None and options.does_filter and options.filter.knockoffs in SAMPLERS:
        raise ValueError(
            f"--fdr draws knockoffs where the genotypes are in one process: leave out {flag}, or give "
            "--knockoffs FILE"
        )
    loss = loss_of(study.loss)
    if loss.many_responses:
        raise ValueError("--loss multigaussian is for riata.stability_selection; give phenotypes one by one")
    if chosen.p_values and not loss.likelihood:
        raise ValueError(f"--p-values needs a loss with a likelihood, which {loss.name} does not have")
    if chosen.p_values and chosen.stop_early:
        raise ValueError("--p-values are of all pairs of halves: leave out --stop-early")
    if chosen.grouped and not loss.many_classes:
        raise ValueError("--grouped needs --loss multinomial")
    if chosen.ld_groups and study.matrix is not None:
        raise ValueError("--ld-groups is for genotypes, not for --matrix: give --groups FILE")
    if chosen.ld_groups and study.groups is not None:
        raise ValueError("give --groups or --ld-groups, not both")
    if chosen.l1_ratio == 0.0:
        raise ValueError("--l1-ratio must be above 0: ridge regression selects nothing")
    _check_analyses(options)
    if not options.does_stability:
        return
    if chosen.pfer is not None and chosen.threshold is not None and chosen.q is not None:
        raise ValueError("give at most two of --pfer, --threshold and --q: each follows from the other two")
    if chosen.q is None:  # whether there is a plan at all, of more features than any table has
        stability_plan(
            10**7, pfer=chosen.pfer, threshold=chosen.threshold, n_pairs=chosen.pairs, bound=chosen.bound
        )


def _check_analyses(options: SelectOptions) -> None:
    """Refuse options of an analysis that is not asked for."""
    chosen, study = options.selection, options.study
    if not options.does_filter:
        names = [item.name for item in fields(KnockoffOptions)]
        _refuse(options.filter, KnockoffOptions(), names, "--fdr, which asks for knockoffs")
        if study.populations is not None:
            raise ValueError("--populations needs --fdr, which asks for knockoffs")
    else:
        check_knockoff_options(options)
    if not options.does_stability:
        _refuse(chosen, SelectionOptions(), _OF_HALVES, "--pfer, which asks for halves of the samples")
    if options.does_stability and len(chosen.ld_groups) > 1:
        raise ValueError(
            f"--ld-groups: {len(chosen.ld_groups)} resolutions are for --fdr alone; by halves of the samples "
            "give one"
        )


def _refuse(given: Any, default: Any, names: Sequence[str], what: str) -> None:
    for name in names:
        if getattr(given, name) != getattr(default, name):
            raise ValueError(f"--{name.replace('_', '-')} needs {what}")


def _tables(halved: Sequence[SelectionRun], filtered: Sequence[FilterRun]) -> list[str]:
    """Return the selections side by side."""
    lines = []
    if filtered:
        names = [one.resolution.plain for one in filtered[0].lists]
        selected = [f"selected at {name}" for name in names] if len(names) > 1 else ["selected"]
        head = ["phenotype", "samples", *selected, filtered[0].rate_of]
        lines += [
            "Knockoff filter",
            *(f"  {x}".rstrip() for x in align_columns(head, [*map(table_row, filtered)])),
        ]
        lines += [
            f"  WARNING: {run.account.response}: the check of the knockoffs FAILED: see {run.prefix}.html"
            for run in filtered
            if run.failed
        ]
    if halved:
        head = ["phenotype", "samples", "q", "selected", "false ones, at most"]
        rows = [[run.account.response, f"{run.account.n_samples:,}", *_numbers(run)] for run in halved]
        lines += ["Stability selection", *(f"  {line}".rstrip() for line in align_columns(head, rows))]
    runs: list[tuple[str, list[str]]] = [(run.account.response, run.found.notes) for run in halved]
    runs += [(run.account.response, one.found.notes) for run in filtered for one in run.lists]
    return lines + [f"  note: {name}: {in_shell(note)}" for name, notes in runs for note in notes]


def _numbers(run: SelectionRun) -> list[str]:
    found = run.found
    return [f"{found.plan.q:,}", f"{len(found.selected):,}", f"{found.plan.pfer:.2g}"]
