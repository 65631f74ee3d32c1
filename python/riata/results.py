"""The files that a fit and a report have in common: hits, weights, partners and the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from riata.fitted import Fitted
from riata.ld import partner_columns
from riata.many_classes import file_part
from riata.outputs import OutputSet, write_tsv
from riata.report import Page, render
from riata.weights import SCORE_COMMAND, SCORE_NOTE, score_problem, write_score, write_weights


def write_results(outputs: OutputSet, fitted: Fitted, page: Page) -> dict[str, Any]:
    """Write what follows from a path at one alpha; return what the manifest says of it."""
    hits, account = fitted.hits, fitted.account
    counts: dict[str, Any] = {"hits.tsv": len(hits)}
    write_tsv(outputs.path("hits.tsv"), hits.columns)
    if account.is_genotypes:
        weights = hits.by_class or {"": hits.beta}
        for label, beta in weights.items():
            part = f"{file_part(label)}." if label else ""
            name = Path(fitted.prefix).name + (f" {label}" if label else "")
            write_weights(
                outputs.path(f"{part}weights.tsv"), hits, beta, name=name, trait=account.response,
                loss=fitted.path.loss, version=fitted.version, build=fitted.build,
            )  # fmt: skip
            write_score(outputs.path(f"{part}score"), hits, beta)
            count = int(np.count_nonzero(beta))
            counts |= {f"{part}weights.tsv": count, f"{part}score": count}
    if fitted.groups is not None:
        write_tsv(outputs.path("groups.tsv"), fitted.groups.columns)
        counts["groups.tsv"] = len(fitted.groups)
    if fitted.partners is not None:
        write_tsv(outputs.path("ld.tsv"), partner_columns(fitted.partners, hits))
        counts["ld.tsv"] = len(fitted.partners.hits)
    outputs.path("html").write_text(render(page), encoding="utf-8")
    return counts


def scoring_record(fitted: Fitted) -> dict[str, Any]:
    """Return how other programs use ``PREFIX.score``, for the manifest."""
    part = "CLASS." if fitted.hits.by_class else ""
    record = {"command": SCORE_COMMAND.format(file=f"{fitted.prefix}.{part}score"), "note": SCORE_NOTE}
    problem = score_problem(fitted.hits)
    return record | ({"warning": problem} if problem else {})


def scoring_lines(fitted: Fitted) -> list[str]:
    """Return how other programs use ``PREFIX.score``, for the terminal and the log; none if empty."""
    if len(fitted.hits) == 0:
        return []
    record = scoring_record(fitted)
    lines = ["", "Score with PLINK", f"  {record['command']}", f"  {record['note']}"]
    return [*lines, f"  warning: {record['warning']}"] if "warning" in record else lines
