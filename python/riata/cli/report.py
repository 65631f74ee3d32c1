"""``riata report``: the results of a saved path at any of its penalties, without fitting again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.input_files import InputFiles
from riata._io.output_files import OutputSet
from riata._io.tables import some
from riata.cli.log import Log
from riata.cli.manifest import today, version
from riata.cli.options import LDOptions, ReportOptions
from riata.cli.outputs import REPORT_OUTPUTS, conclude_outputs
from riata.genetics.genotypes import Genotypes
from riata.genetics.variant_matching import find_variants, refusal
from riata.path.polygenic_score import weights_of
from riata.report.fit_page import fit_page, summary_lines
from riata.report.fit_report import restore
from riata.report.methods import methods_lines, methods_text
from riata.report.results import scoring_lines, scoring_record, write_results
from riata.study.account import Kept, load_account
from riata.study.hits import Hits
from riata.study.inputs import SOURCES, check_chr_set, genotypes_of
from riata.study.ld import Partners, find_partners
from riata.study.model_file import Model, load_model
from riata.study.scoring import model_features


def run_report(options: ReportOptions) -> int:
    """Write hits, weights and page of a saved path."""
    log = Log(quiet=options.output.quiet)
    check_chr_set(options.source)
    prefix, command = options.output.out, options.command.line
    inputs = InputFiles(options.command.asked)
    with OutputSet(prefix, REPORT_OUTPUTS) as outputs:
        model = load_model(options.model)
        kept = load_account(options.model, model)
        fitted = restore(
            model, kept, options.alpha,
            prefix=prefix, saved=options.model, threshold=options.threshold,
        )  # fmt: skip
        files = [options.model]
        if any(getattr(options.source, name) is not None for name in SOURCES):
            geno = genotypes_of(options.source)
            files += geno.files
            fitted.partners = partners_in(geno, model, kept, fitted.hits, options.ld, options.threads)
        log.say(*summary_lines(fitted))
        if fitted.evaluation is not None:
            log.say("", *fitted.evaluation.lines())
        log.say("", *methods_lines(fitted))
        counts = write_results(outputs, fitted, fit_page(fitted))
        record: dict[str, Any] = {
            "riata": fitted.version,
            "date": today(),
            "command": command,
            "options": dict(sorted(options.command.asked.items())),
            "inputs": inputs.describe(files),
            "fit": fitted.command,
            "selected": {"alpha": fitted.alpha, "rule": fitted.rule, "features": len(fitted.hits)},
            "methods": methods_text(fitted),
            "evaluation": None if fitted.evaluation is None else fitted.evaluation.to_dict(),
            "rows": counts,
        }
        if fitted.account.is_genotypes:
            record["scoring"] = scoring_record(fitted)
            log.say(*scoring_lines(fitted))
        conclude_outputs(outputs, record, log, [f"riata {version()}, {today()}", command])
    return 0


def partners_in(
    geno: Genotypes, model: Model, kept: Kept, hits: Hits, ld: LDOptions, threads: int | None
) -> Partners:
    """Find LD partners among the variants of a fileset, over the samples that were analysed.

    Raises
    ------
    ValueError
        When the fileset lacks a selected variant, or a sample that was analysed.
    """
    if not kept.account.is_genotypes:
        raise ValueError("the model was fitted to a table: linkage disequilibrium needs genotypes")
    if not kept.samples:
        raise ValueError(
            "the model was saved from Python, which keeps no ids of its samples: linkage disequilibrium is "
            "that among them"
        )
    chosen = geno.subset(samples=_analysed(geno, kept.samples))
    features = model_features(model, hits.alpha)
    weights = weights_of(model.path.variants, features, np.zeros(len(features)))
    found = find_variants(weights, geno, fitted=model.path.variants, features=features)
    if found.absent:
        raise ValueError(refusal(weights, geno.path, found.absent))
    order = np.argsort(np.argsort(hits.positions))  # weights are by position, hits are not
    where = found.where[order]
    partners = find_partners(
        chosen, where, hits.strongest, window_kb=ld.ld_window_kb, least_r2=ld.ld_r2, n_threads=threads,
    )  # fmt: skip
    return partners.renumbered(dict(zip(where.tolist(), hits.positions.tolist(), strict=True)))


def _analysed(geno: Genotypes, samples: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return the rows of the samples that were analysed."""
    row = {key: i for i, key in enumerate(zip(geno.samples.fid, geno.samples.iid, strict=True))}
    wanted = list(zip(samples["fid"].tolist(), samples["iid"].tolist(), strict=True))
    absent = [" ".join(key) for key in wanted if key not in row]
    if absent:
        raise ValueError(
            f"{geno.path}: {len(absent):,} of the {len(wanted):,} samples analysed are not in it: "
            f"{some(absent)}"
        )
    return np.sort(np.array([row[key] for key in wanted], dtype=np.int64))
