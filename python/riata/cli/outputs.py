"""The files that a run writes, and what it says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from riata._io.output_files import OutputSet, write_text, write_tsv
from riata.cli.log import Log
from riata.report.page import Page
from riata.report.results import scoring_lines, scoring_record, write_results
from riata.study.account import save_account
from riata.study.fit_result import Fitted
from riata.study.model_file import save_model
from riata.study.study import Study

#: What a report may write, and a fit beside it.
REPORT_OUTPUTS = (
    "html", "hits.tsv", "weights.tsv", "*.weights.tsv", "score", "*.score", "afreq", "groups.tsv", "ld.tsv",
    "json", "log",
)  # fmt: skip
FIT_OUTPUTS = (*REPORT_OUTPUTS, "sets.tsv", "excluded.tsv", "dropped.tsv", "path.npz")


def write_fit(outputs: OutputSet, fitted: Fitted, page: Page, record: dict[str, Any], log: Log) -> None:
    """Write results, excluded features, manifest, path archive and log of a fit."""
    study = fitted.study
    record["rows"] = write_results(outputs, fitted, page)
    if fitted.account.is_genotypes:
        record["scoring"] = scoring_record(fitted)
        log.say(*scoring_lines(fitted))
    write_left_out(outputs, study, record)
    save_model(outputs.path("path.npz"), fitted.fit, study, fitted.alpha)
    save_account(outputs.path("path.npz"), fitted)
    conclude_outputs(outputs, record, log, [f"riata {fitted.version}, {fitted.date}", fitted.command])


def write_left_out(outputs: OutputSet, study: Study, record: dict[str, Any]) -> None:
    """Write what was set aside, the groups of a file, and samples that were dropped, as far as there are "
    "any."""
    if study.excluded:
        where = np.array([j for j, _ in study.excluded], dtype=np.int64)
        described: list[tuple[str, Any]] = (
            [("FEATURE", study.features["name"][where])]
            if not study.is_genotypes
            else [
                ("CHROM", study.features["chrom"][where]),
                ("POS", study.features["pos"][where]),
                ("ID", study.features["id"][where]),
            ]
        )
        write_tsv(outputs.path("excluded.tsv"), [*described, ("REASON", [why for _, why in study.excluded])])
        record["rows"]["excluded.tsv"] = len(study.excluded)
    if study.groups is not None:
        write_tsv(outputs.path("sets.tsv"), study.groups.columns)
        record["rows"]["sets.tsv"] = len(study.groups.names)
    if study.join.lost:
        write_tsv(outputs.path("dropped.tsv"), study.join.columns())
        record["rows"]["dropped.tsv"] = len(study.join.lost)


def conclude_outputs(outputs: OutputSet, record: dict[str, Any], log: Log, head: Sequence[str]) -> None:
    """Write the log, which begins with `head`, and, last of all, the manifest."""
    outputs.path("log"), outputs.path("json")
    log.say("", "Written", *written_lines(outputs))
    write_text(outputs.path("log"), "\n".join([*head, "", *log.lines]) + "\n")
    outputs.write_manifest(record)


_WHAT = {
    "html": "the report: open it in a browser",
    "hits.tsv": "what was selected",
    "selected.tsv": "what was selected",
    "statistics.tsv": "how everything compares with its knockoff",
    "frequencies.tsv": "how often all that some half selected was",
    "weights.tsv": "their weights, as the PGS Catalog lists them",
    "score": "their weights, for plink2 --score",
    "afreq": "their frequencies in the fit, for plink2 --read-freq",
    "groups.tsv": "the groups that they are in",
    "sets.tsv": "what each group of the file lists, and how much of it is here",
    "ld.tsv": "variants in linkage disequilibrium with them",
    "excluded.tsv": "what was set aside, and why",
    "dropped.tsv": "samples that were dropped, and why",
    "path.npz": "the whole path, for riata predict and riata.load",
    "selection.npz": "the whole result, for riata.load",
    "knockoffs.bed": "the knockoffs, for --knockoffs",
    "knockoffs.bim": "their variants",
    "knockoffs.fam": "their samples",
    "knockoffs.npz": "the knockoffs, for --knockoffs",
    "knockoffs.exchange.tsv": "the groups that they were made for",
    "json": "the record of this run",
    "log": "this text",
    "scores.tsv": "the scores",
    "missing.tsv": "variants that were not found, and why",
}


#: Of which a run may write several.
_OF_SEVERAL = (
    *("weights.tsv", "score", "selected.tsv", "statistics.tsv", "frequencies.tsv", "groups.tsv"),
    *("selection.npz", "knockoffs.bed", "knockoffs.bim", "knockoffs.fam", "knockoffs.npz"),
    "knockoffs.exchange.tsv",
)


def written_lines(outputs: OutputSet) -> list[str]:
    """Return one line for each output file and what it holds."""
    order = [
        (suffix, what) for kind, what in _WHAT.items() for suffix in outputs.suffixes if _is(suffix, kind)
    ]
    width = max(len(outputs.final(suffix)) for suffix, _ in order)
    return [f"  {outputs.final(suffix):<{width}}  {what}" for suffix, what in order]


def _is(suffix: str, kind: str) -> bool:
    """Say whether an output is of a kind, or that of one of several classes, lists or knockoffs."""
    return suffix == kind or (kind in _OF_SEVERAL and suffix.endswith(f".{kind}"))
