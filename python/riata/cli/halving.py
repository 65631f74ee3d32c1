"""``riata select`` by halves of the samples: stability selection for one study, and its record."""

from __future__ import annotations

import time
import warnings
from typing import Any

from riata._io.output_files import OutputSet
from riata._io.progress import Progress
from riata._io.wording import counted
from riata.cli.log import Log
from riata.cli.manifest import today, version
from riata.cli.options import SelectOptions
from riata.genetics.genotypes import Genotypes
from riata.grouping.groups import CorrelationGroups
from riata.report.selection_page import SelectionRun
from riata.study.account import account_of
from riata.study.resume import Resume
from riata.study.selection_columns import selected_columns
from riata.study.study import Study

LD_R2 = 0.5  # of groups of variants, where it is not given


def halve(
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
    groups: Any = study.groups
    if groups is None:
        found_groups = ld_groups(study.main, chosen.ld_groups, limits.threads)
        groups = found_groups[0] if found_groups else None
    if isinstance(groups, CorrelationGroups):
        log.say(f"  {counted(len(groups), 'group')} in linkage disequilibrium, r2 {groups.r2:g}", "")
    began = time.perf_counter()
    tol = {} if chosen.tol is None else {"tol": chosen.tol}
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
                l1_ratio=chosen.l1_ratio, standardize=chosen.standardize, **tol,
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


def ld_groups(main: Any, r2: tuple[float, ...], threads: int | None) -> list[CorrelationGroups]:
    """Return groups of variants in linkage disequilibrium at each r2; none for tables, and where it is 0."""
    import riata

    if not isinstance(main, Genotypes) or r2 == (0.0,):
        return []
    found: list[CorrelationGroups] = riata.ld_groups(main, r2=list(r2) or [LD_R2], n_threads=threads)
    return found


def stability_record(run: SelectionRun) -> dict[str, Any]:
    """Return what a manifest tells of a stability selection."""
    found, plan = run.found, run.found.plan
    return {
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
    }
