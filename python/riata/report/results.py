"""The files that a fit and a report have in common: hits, weights, partners and the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from riata._io.output_files import OutputSet, write_text, write_tsv
from riata.genetics.chromosomes import ChromosomeSet
from riata.path.many_classes import file_part
from riata.report.page import Page, render
from riata.study.account import Account
from riata.study.fit_result import Fitted
from riata.study.ld import partner_columns
from riata.study.plink_score import (
    SCORE_NOTE,
    PlinkNames,
    plink_names,
    score_command,
    score_notes,
    write_frequencies,
    write_score,
)
from riata.study.response import modelled_text
from riata.study.weights import Copies, copies_of, write_weights


def write_results(outputs: OutputSet, fitted: Fitted, page: Page) -> dict[str, Any]:
    """Write what follows from a path at one alpha; return what the manifest says of it."""
    hits, account = fitted.hits, fitted.account
    counts: dict[str, Any] = {"hits.tsv": len(hits)}
    write_tsv(outputs.path("hits.tsv"), hits.columns)
    if account.is_genotypes:
        copies, names = _for_others(fitted)
        weights = hits.by_class or {"": hits.beta}
        for label, beta in weights.items():
            part = f"{file_part(label)}." if label else ""
            name = Path(fitted.prefix).name + (f" {label}" if label else "")
            counts[f"{part}weights.tsv"] = write_weights(
                outputs.path(f"{part}weights.tsv"), hits, beta, copies, name=name, trait=_trait(account),
                loss=fitted.path.loss, version=fitted.version, build=fitted.build,
            )  # fmt: skip
            counts[f"{part}score"] = write_score(outputs.path(f"{part}score"), hits, beta, copies, names)
        write_frequencies(outputs.path("afreq"), hits, copies, names)
    if fitted.groups is not None:
        write_tsv(outputs.path("groups.tsv"), fitted.groups.columns)
        counts["groups.tsv"] = len(fitted.groups)
    if fitted.partners is not None:
        write_tsv(outputs.path("ld.tsv"), partner_columns(fitted.partners, hits))
        counts["ld.tsv"] = len(fitted.partners.hits)
    write_text(outputs.path("html"), render(page))
    return counts


def _for_others(fitted: Fitted) -> tuple[Copies, PlinkNames]:
    """Return how other programs count and name the variants."""
    chromosome_set = ChromosomeSet.of(fitted.account.chromosome_set)
    copies = copies_of(fitted.hits, chromosome_set)
    return copies, plink_names(fitted.hits, copies, chromosome_set)


def _trait(account: Account) -> str:
    """Return what a score is of: the phenotype, and which of its two classes."""
    return f"{account.response} ({modelled_text(account.pair)})" if account.pair else account.response


def scoring_record(fitted: Fitted) -> dict[str, Any]:
    """Return how other programs use ``PREFIX.score``, for the manifest."""
    copies, names = _for_others(fitted)
    part = "CLASS." if fitted.hits.by_class else ""
    return {
        "command": score_command(fitted.prefix, part, names, fitted.account.file_type),
        "note": SCORE_NOTE,
        "notes": score_notes(fitted.hits, copies, names),
    }


def scoring_lines(fitted: Fitted) -> list[str]:
    """Return how other programs use ``PREFIX.score``, for the terminal and the log; none if empty."""
    if len(fitted.hits) == 0:
        return []
    record = scoring_record(fitted)
    notes = [f"  note: {note}" for note in record["notes"]]
    return ["", "Score with PLINK", f"  {record['command']}", f"  {record['note']}", *notes]
