"""What each verb of the command line does, given its parsed options."""

from __future__ import annotations

import contextlib
import datetime
import shlex
import time
import warnings
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from riata._io import stopping, streams
from riata._io.input_files import InputFiles, settle_named
from riata._io.missing_codes import MissingCodes
from riata._io.output_files import OutputSet, set_lines, write_text, write_tsv
from riata._io.progress import Progress
from riata._io.staging import MANIFEST
from riata._io.tables import some
from riata._io.wording import agree, counted, counted_of
from riata.cli.penalty_options import check_penalty_options, penalty_of
from riata.genetics.chromosome_files import matching_files
from riata.genetics.chromosomes import HUMAN
from riata.genetics.genotypes import Genotypes
from riata.genetics.pgen import phenotypes_of
from riata.genetics.quality import repeated_sites
from riata.path.certificates import CERTIFICATES, gap_text
from riata.path.class_tables import threshold_of
from riata.path.cross_validation import GridEndWarning, check_scoring
from riata.path.many_classes import check_file_parts
from riata.penalties import penalty_name
from riata.report.fit_page import fit_page, summary_lines
from riata.report.methods import methods_lines, methods_text
from riata.report.page import Page
from riata.report.plots import score_label
from riata.report.results import scoring_lines, scoring_record, write_results
from riata.study.account import account_of, describe_active, rule_of, save_account
from riata.study.cv_choices import choices_of
from riata.study.expected_cost import cost_line
from riata.study.fit_result import Fitted
from riata.study.fold_plan import FoldPlan, check_fold_options, plan_folds
from riata.study.held_out import Validation, held_out_of, validate
from riata.study.hits import Hits
from riata.study.inputs import SOURCES, check_chr_set, genotype_joiner, genotypes_of, opening_notes
from riata.study.ld import Partners, find_partners
from riata.study.model_file import Model, is_model, load_model, save_model
from riata.study.response import modelled_text
from riata.study.resume import Resume
from riata.study.study import Study, StudyOptions, load_study
from riata.study.survival_times import has_times
from riata.study.table_info import matrix_lines

#: What a report may write, and a fit beside it.
REPORT_OUTPUTS = (
    "html", "hits.tsv", "weights.tsv", "*.weights.tsv", "score", "*.score", "afreq", "groups.tsv", "ld.tsv",
    "json", "log",
)  # fmt: skip
FIT_OUTPUTS = (*REPORT_OUTPUTS, "sets.tsv", "excluded.tsv", "dropped.tsv", "path.npz")
#: Names of dropped samples in the manifest, for each reason; all are in ``.dropped.tsv``.
MAX_NAMES = 1000


class Log:
    """Lines for the terminal that are also kept for the ``.log`` file."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.lines: list[str] = []

    def say(self, *lines: str) -> None:
        """Print lines unless quiet, and keep them."""
        self.lines.extend(lines)
        if not self.quiet:
            self.quiet = not streams.say(*lines)

    def note(self, line: str) -> None:
        """Print a line about work under way to standard error unless quiet, and keep it."""
        self.lines.append(line)
        if not self.quiet:
            streams.tell(line)


def run_fit(options: Namespace) -> int:
    """Fit a path (``riata fit``) or a cross-validated one (``riata cv``), and write everything about it."""
    began = time.perf_counter()
    log = Log(quiet=options.quiet)
    check_options(options)
    inputs = InputFiles(options)
    with OutputSet(options.out, FIT_OUTPUTS) as outputs, contextlib.ExitStack() as stack:
        study = load_study(study_options(options))
        outputs.refuse_inputs(study.files)
        if study.is_genotypes and len(study.response.classes) > 2:  # which have weights of their own
            check_file_parts(study.response.classes)
        scoring = check_scoring(options.scoring, study.response.loss)
        plan = None
        if options.verb == "cv":
            plan = plan_folds([study], [np.arange(study.n_samples)], study.n_samples, options, scoring)
            study.join.notes.extend(plan.notes)
        read = time.perf_counter() - began
        log.say(*study_lines(study, options.out), "")
        resume = stack.enter_context(Resume(options.out, inputs.describe(study.files), options))
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
    study: Study, fit: Any, options: Namespace, outputs: OutputSet, log: Log, inputs: InputFiles, **run: Any
) -> Fitted:
    """Choose the penalty of a finished fit, evaluate it, tell of it and write everything about it."""
    path = getattr(fit, "path", fit)
    validation = validation_of(study, fit, options)
    alpha, rule = choose_alpha(fit, options, validation)
    hits = Hits(describe_active(study, path), path, alpha, study.covariate_names)
    aside = held_out_of(study, fit)
    held_out = evaluation = None
    if aside is not None:
        held_out, evaluation = aside.at(
            path, alpha, study.response,
            chosen=options.alpha is None, selected=len(hits),
            threshold=threshold_of(options, study.response.loss),
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
        command=options.command_line,
        date=today(),
        partners=study_partners(study, hits, options),
        build=options.genome_build,
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
    record = manifest(fitted, options, inputs.records)
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


def study_options(options: Namespace) -> StudyOptions:
    """Pick the options that say what to read."""
    given = {item.name: getattr(options, item.name) for item in fields(StudyOptions) if item.name in options}
    return StudyOptions(**given, fit_validation=options.verb == "cv")


def check_options(options: Namespace) -> None:
    """Refuse options that need no file to be found wrong."""
    check_penalty_options(options)
    if options.verb == "cv":
        check_fold_options(options)
    if options.row_grouped and options.loss != "multinomial":
        raise ValueError("--row-grouped needs --loss multinomial")
    threshold_of(options, options.loss)
    if options.loss == "multigaussian":
        raise ValueError(
            "--loss multigaussian is for riata.fit_path; --pheno-name A,B with other losses fits each apart"
        )
    if options.scoring is not None and options.verb == "fit" and options.split is None:
        raise ValueError("--scoring needs a validation part: give --split NAME, or use riata cv")
    if options.alpha is not None and isinstance(options.alphas, list) and options.alpha < min(options.alphas):
        raise ValueError(
            f"--alpha {options.alpha:g} lies below the path that --alphas asks for, which ends at "
            f"{min(options.alphas):g}"
        )


def study_lines(study: Study, prefix: str) -> list[str]:
    """Return what was read and what was left out."""
    lines = ["Samples", *study.join.lines()]
    if study.join.lost:
        lines.append(f"  {counted(len(study.join.lost), 'sample')} dropped: see {prefix}.dropped.tsv")
    return lines + feature_lines(study, prefix)


def feature_lines(study: Study, prefix: str) -> list[str]:
    """Return which features take part."""
    lines = ["Features"]
    lines += [f"  {counted_of(count, study.noun)} left out: {why}" for why, count in study.left_out]
    lines.append(f"  {counted_of(study.n_features, study.noun)}")
    reasons: dict[str, int] = {}
    for _, why in study.excluded:
        reasons[why] = reasons.get(why, 0) + 1
    if study.groups is not None:
        lines += [f"  {line}" for line in study.groups.lines(study.noun)]
        lines.append(f"  what each group lists and has here is in {prefix}.sets.tsv")
    lines += [f"  {count:,} set aside: {why}" for why, count in reasons.items()]
    if study.excluded:
        lines.append(f"  listed in {prefix}.excluded.tsv")
    if isinstance(study.main, Genotypes):
        missing = float(study.main.counts()[:, 3].mean()) / study.main.shape[0]
        lines.append(
            f"  counting allele {study.main.counted_allele}{_of_table(study.main)}; {100 * missing:.2g} % of "
            "calls missing"
        )
        lines += _duplicates(study.main)
    if study.covariate_names:
        lines.append(f"  covariates, not penalised: {some(study.covariate_names)}")
    return lines


def _duplicates(geno: Genotypes) -> list[str]:
    """Say how many variants are listed again, which other programs may refuse."""
    table = geno.variants
    told = (
        (repeated_sites(geno) & (table.pos > 0), "chromosome, position and alleles"),
        (table.id.repeated() & ~table.id.isin([".", ""]), "the id"),
    )
    counts = [(int(mask.sum()), what) for mask, what in told]
    return [
        f"  note: {counted(n, 'variant')} {agree(n, 'shares', 'share')} {what} with an earlier one: all are "
        "kept"
        for n, what in counts
        if n
    ]


def _of_table(geno: Genotypes) -> str:
    """Say where the allele that is counted has its name."""
    if geno.path.endswith(".bed"):
        return " of the .bim"
    return ", the alternative one" if geno.counted_allele == "A1" else ", the reference one"


def fit_study(
    study: Study,
    options: Namespace,
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
        with plan.named(options):
            fit = riata.cv_path(study.X, progress=progress, **study.target, **arguments)
        fit.folds_made = plan.made
        return fit

    fit, interrupted, messages, spent = watched(fit_with, options, log)
    if len(getattr(fit, "path", fit).alphas) == 0:
        raise KeyboardInterrupt
    return fit, interrupted, messages, spent


def fit_arguments(
    study: Study, options: Namespace, plan: FoldPlan | None, checkpoint: Path | None
) -> dict[str, Any]:
    """Return what `fit_path` or `cv_path` takes beside features and response."""
    max_active = options.max_active
    if max_active is not None:
        max_active += len(study.covariate_names)  # always active, and not what the user counts
    arguments: dict[str, Any] = {
        "alphas": options.alphas,
        "eps": options.eps,
        "penalty": penalty_of(options, study.groups),
        "standardize": options.standardize,
        "penalty_factor": study.penalty_factor,
        "tol": options.tol,
        "solver": options.solver,
        "n_threads": options.threads,
        "max_active": max_active,
        "memory": options.memory,
        "checkpoint": checkpoint,
        "keep_checkpoint": True,  # until the outputs are written
    }
    if options.row_grouped:
        arguments["row_grouped"] = True
    if plan is not None:
        arguments |= {
            **plan.arguments,
            "random_state": options.seed,
            "selection": options.select,
            "scoring": options.scoring,
            "nested": plan.nested(options.nested),
        }
    return arguments


def watched(
    fit: Callable[[Progress], Any], options: Namespace, log: Log | None
) -> tuple[Any, bool, list[str], float]:
    """Fit, watching for Ctrl-C; return the result, whether it was cut short, warnings, and seconds."""
    if options.verb == "cv":
        import sklearn.model_selection  # noqa: F401  # slow to import, and not part of the fit

    began = time.perf_counter()
    note = log.note if log is not None and options.verbose else None
    certificate = CERTIFICATES[penalty_of(options, None).certificate].short
    with (
        Progress(quiet=options.quiet, note=note, certificate=certificate) as progress,
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        result = fit(progress)
    told = [item for item in caught if not issubclass(item.category, GridEndWarning)]  # see `end_note`
    messages = list(dict.fromkeys(str(item.message) for item in told))
    return result, progress.interrupted, messages, time.perf_counter() - began


def validation_of(study: Study, fit: Any, options: Namespace) -> Validation | None:
    """Score the path on the validation part of a split; None when there is none, or it took part in folds."""
    part = study.part("validation")
    if part is None or hasattr(fit, "path"):
        return None
    return validate(fit, part, check_scoring(options.scoring, fit.loss), study)


def choose_alpha(fit: Any, options: Namespace, validation: Validation | None = None) -> tuple[float, str]:
    """Return the alpha to report, and how it was chosen."""
    path = getattr(fit, "path", fit)
    if options.alpha is not None:
        check_alpha(path, options.alpha)
        fitted = bool(np.any(np.isclose(path.alphas, options.alpha, rtol=1e-9, atol=0.0)))
        between = (
            "" if fitted or options.alpha > path.alphas[0] else ", interpolated between two that were fitted"
        )
        return float(options.alpha), f"as asked with --alpha{between}"
    if hasattr(fit, "path"):
        return fit.alpha, rule_of(fit)
    if validation is not None:
        score = f"{score_label(validation.scoring).split(',')[0]} {validation.best:.4g}"
        judged = counted(validation.n, "validation sample")
        return validation.alpha, f"the best on {judged}: {score}; no refit"
    return float(path.alphas[-1]), rule_of(path)


def check_alpha(path: Any, alpha: float) -> None:
    """Refuse a penalty that the path does not reach."""
    try:
        path.coef([alpha])
    except ValueError:
        raise ValueError(
            f"--alpha {alpha:g} lies outside the fitted path, which goes from {path.alphas[0]:.4g} to "
            f"{path.alphas[-1]:.4g}; --eps or --alphas of riata fit and riata cv make it longer"
        ) from None


def study_partners(study: Study, hits: Hits, options: Namespace) -> Partners | None:
    """Find the variants in linkage disequilibrium with the hits; None for tables."""
    if not isinstance(study.main, Genotypes):
        return None
    return find_partners(
        study.main, hits.positions, hits.strongest, window_kb=options.ld_window_kb, least_r2=options.ld_r2,
        n_threads=options.threads,
    )  # fmt: skip


def manifest(fitted: Fitted, options: Namespace, inputs: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return the record of a run: what was asked, read, done and found."""
    study, path, cv = fitted.study, fitted.path, fitted.cv
    asked = {
        key: value
        for key, value in sorted(vars(options).items())
        if key not in ("run", "command_line", "debug")
    }
    record: dict[str, Any] = {
        "riata": fitted.version,
        "date": fitted.date,
        "command": fitted.command,
        "options": asked,
        "inputs": list(inputs),
        "samples": {
            "in_file": study.join.n_source,
            "analysed": study.n_samples,
            "dropped": {why: len(names) for why, names in study.join.dropped},
            "dropped_names": {why: names[:MAX_NAMES] for why, names in study.join.dropped},
            "parts": {part.name: len(part.y) for part in study.parts},
            "notes": study.join.notes,
        },
        "features": {
            "in_file": study.n_features + sum(count for _, count in study.left_out),
            "left_out": dict(study.left_out),
            "set_aside": len(study.excluded),
            "covariates": study.covariate_names,
        },
        "response": {
            "name": study.response.name,
            "loss": path.loss,
            "classes": list(study.response.classes),
            **({"models": models} if (models := modelled_text(study.response.classes)) else {}),
            **study.response_columns,
        },
        "fit": {
            "alphas": len(path.alphas),
            "alpha_max": path.alpha_max,
            "alpha_smallest": path.alphas[-1],
            "penalty": path.penalty,
            "penalty_parameters": path.penalty_parameters,
            "l1_ratio": path.l1_ratio,
            "standardize": path.standardize,
            "tol": path.tol,
            "certificate": path.certificate,
            f"largest_{CERTIFICATES[path.certificate].short.lower()}": fitted.largest_gap,
            "converged": bool(np.all(path.converged)),
            "passes": path.n_passes,
            "counters": path.counters,
            "interrupted": fitted.interrupted,
            "together": fitted.together,
            "warnings": fitted.warnings,
        },
        "selected": {
            "alpha": fitted.alpha,
            "rule": fitted.rule,
            "features": len(fitted.hits),
            "deviance_ratio": path.deviance_ratio[fitted.at],
            "intercept": path.intercept(fitted.alpha),
            "covariates": dict(fitted.hits.covariates),
        },
        "evaluation": None if fitted.evaluation is None else fitted.evaluation.to_dict(),
        "methods": methods_text(fitted),
        "seconds": fitted.seconds,
    }
    if has_times(study.y):
        record["response"] |= {"ties": study.response.ties, "events": int(study.y["event"].sum())}
    if isinstance(study.main, Genotypes):
        record["features"]["counted_allele"] = study.main.counted_allele
    if study.groups is not None and path.groups is not None:
        record["features"]["groups"] = study.groups.to_dict()
    if cv is not None:
        record["cross_validation"] = {
            "folds": len(cv.first_folds),
            "repeats": cv.repeats,
            "made": cv.folds_made,
            "sizes": [len(rows) for rows in cv.folds],
            "scoring": cv.scoring,
            "alpha_min": cv.alpha_min,
            "alpha_1se": cv.alpha_1se,
            "mean_score": cv.mean_score[fitted.at],
            "se_score": cv.se_score[fitted.at],
            "null_score": cv.null_score,
            "null_se": cv.null_se,
            "choices": [asdict(choice) for choice in choices_of(fitted)],
            "best_is_last": cv.best_is_last,
        }
    return record


def write_fit(outputs: OutputSet, fitted: Fitted, page: Page, record: dict[str, Any], log: Log) -> None:
    """Write results, excluded features, manifest, path archive and log of a fit."""
    study = fitted.study
    record["rows"] = write_results(outputs, fitted, page)
    if fitted.account.is_genotypes:
        record["scoring"] = scoring_record(fitted)
        log.say(*scoring_lines(fitted))
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
    save_model(outputs.path("path.npz"), fitted.fit, study, fitted.alpha)
    save_account(outputs.path("path.npz"), fitted)
    conclude_outputs(outputs, record, log, [f"riata {fitted.version}, {fitted.date}", fitted.command])


def conclude_outputs(outputs: OutputSet, record: dict[str, Any], log: Log, head: Sequence[str]) -> None:
    """Write the log, which begins with `head`, and, last of all, the manifest."""
    outputs.path("log"), outputs.path("json")
    log.say("", "Written", *written_lines(outputs))
    write_text(outputs.path("log"), "\n".join([*head, "", *log.lines]) + "\n")
    outputs.write_manifest(record)


_WHAT = {
    "html": "the report: open it in a browser",
    "hits.tsv": "what was selected",
    "weights.tsv": "their weights, as the PGS Catalog lists them",
    "score": "their weights, for plink2 --score",
    "afreq": "their frequencies in the fit, for plink2 --read-freq",
    "groups.tsv": "the groups that they are in",
    "sets.tsv": "what each group of the file lists, and how much of it is here",
    "ld.tsv": "variants in linkage disequilibrium with them",
    "excluded.tsv": "what was set aside, and why",
    "dropped.tsv": "samples that were dropped, and why",
    "path.npz": "the whole path, for riata predict and riata.load",
    "json": "the record of this run",
    "log": "this text",
    "scores.tsv": "the scores",
    "missing.tsv": "variants that were not found, and why",
}


def written_lines(outputs: OutputSet) -> list[str]:
    """Return one line for each output file and what it holds."""
    order = [
        (suffix, what) for kind, what in _WHAT.items() for suffix in outputs.suffixes if _is(suffix, kind)
    ]
    width = max(len(outputs.final(suffix)) for suffix, _ in order)
    return [f"  {outputs.final(suffix):<{width}}  {what}" for suffix, what in order]


def _is(suffix: str, kind: str) -> bool:
    """Say whether an output is of a kind, or that of one of several classes."""
    return suffix == kind or (kind in ("weights.tsv", "score") and suffix.endswith(f".{kind}"))


def run_info(options: Namespace) -> int:
    """Describe genotypes, a table, a saved model or a set of outputs (``riata info``)."""
    settle_named(options)
    if options.path is not None:
        _place_path(options)
    given = [name for name in (*SOURCES, "matrix", "model") if getattr(options, name) is not None]
    if len(given) != 1:
        raise ValueError("give one file, or exactly one of --bfile, --pfile, --bgen, --matrix and --model")
    check_chr_set(options)
    if given == ["matrix"] and str(options.matrix).endswith(f".{MANIFEST}"):
        streams.show("\n".join(set_lines(options.matrix)))
        return 0
    if given == ["model"]:
        lines = model_lines(options.model, load_model(options.model))
    elif given == ["matrix"]:
        lines = matrix_lines(options)
    else:
        lines = genotype_lines(genotypes_of(options))
    streams.show("\n".join(lines))
    return 0


def _place_path(options: Namespace) -> None:
    """Put the file given without a flag where its name says it belongs."""
    path = str(options.path)
    for name, suffix in SOURCES.items():
        if path.endswith(suffix) or Path(path + suffix).is_file():
            setattr(options, name, [*(getattr(options, name) or []), path])
            return
    if "@" in Path(path).name:
        found = (name for name, suffix in SOURCES.items() if matching_files(path + suffix, [suffix]))
        setattr(options, next(found, "bfile"), [path])
    elif path.endswith(".npz") and is_model(path):
        options.model = path
    elif Path(path).is_file():
        options.matrix = path
    else:
        raise FileNotFoundError(f"{path}: no such file, nor one with .bed, .pgen or .bgen after it")


def _phenotype_names(geno: Genotypes) -> str:
    """Name the phenotypes beside genotypes that some sample has."""
    codes = MissingCodes()
    named = [
        name for name, cells in phenotypes_of(geno.samples).items() if not codes.split(list(cells))[1].all()
    ]
    return some(named) or "none beside the genotypes"


def genotype_lines(geno: Genotypes) -> list[str]:
    """Describe genotypes."""
    n, p = geno.shape
    size = sum(Path(source.path).stat().st_size for source in geno.sources)
    more = f" and {len(geno.sources) - 1} more" if len(geno.sources) > 1 else ""
    known = geno.chromosome_set
    species = "" if known == HUMAN else f" of --chr-set {known}"
    missing = geno.counts()[:, 3] / n
    frequency = geno.sex_aware_frequency()
    minor = np.minimum(frequency, 1.0 - frequency)
    still = int(geno.monomorphic().sum())
    lines = [
        f"{geno.path}{more}: {counted(n, 'sample')} x {counted(p, 'variant')}, {size / 1e6:,.1f} MB",
        "  samples      "
        f"{some([genotype_joiner(geno.subset(samples=[k])).label(0) for k in range(min(n, 3))], 3)}",
        f"  phenotypes   {_phenotype_names(geno)}",
        f"  chromosomes  {known.listed(geno.variants.chrom.unique())}{species}",
        f"  counting     allele {geno.counted_allele}{_of_table(geno)}",
        f"  missing      {100 * float(missing.mean()):.3g} % of calls, at worst "
        f"{100 * float(missing.max()):.3g} % of a variant",
        f"  monomorphic  {counted(still, 'variant')}",
    ]
    if np.isfinite(minor).any():
        called = minor[np.isfinite(minor)]
        rare = int((called < 0.01).sum())
        lines.append(
            f"  frequency    median minor allele {float(np.median(called)):.3g}; {counted(rare, 'variant')} "
            "below 0.01"
        )
    lines += [f"  note         {note}" for note in opening_notes(geno)]
    return [*lines, cost_line(geno, 13)]


def model_lines(name: str, model: Model) -> list[str]:
    """Describe a saved model."""
    path = model.path
    words, gap = CERTIFICATES[path.certificate], gap_text(float(np.max(path.dual_gaps)))
    chosen = np.atleast_2d(path.coef(model.alpha)[: model.n_features].T)
    lines = [
        f"{name}: {path.loss} path of {model.response}{_penalty_of(path)}",
        f"  samples     {path.n_samples:,}",
        f"  features    {model.n_features:,}, {len(model.active):,} of them active somewhere on the path",
        f"  alphas      {len(path.alphas)}, from {path.alphas[0]:.4g} to {path.alphas[-1]:.4g}",
        f"  reported    alpha {model.alpha:.4g}, {int(np.count_nonzero(chosen.any(axis=0))):,} selected",
        f"  certificate largest {words.name} {gap}, tol {path.tol:g}",
    ]
    if model.covariates:
        lines.append(f"  covariates  {some(model.covariates)}")
    if path.fill is not None:
        lines.append("  missing     values of features stand at the means of the fit")
    if model.columns:
        lines.append(f"  columns     {', '.join(f'{what} = {name}' for what, name in model.columns.items())}")
    if len(model.classes) > 2:
        lines.append(f"  classes     {some(model.classes, 8)}")
    elif model.classes:
        lines.append(f"  classes     models the {modelled_text(model.classes)}")
    if model.cv is not None:
        lines.append(
            f"  validation  {model.cv.folds_text}, {model.cv.scoring}; best alpha "
            f"{model.cv.alpha_min:.4g}, one standard error {model.cv.alpha_1se:.4g}"
        )
    return lines


def _penalty_of(path: Any) -> str:
    """Say which penalty a path has, and its parameters; empty for the elastic net."""
    if path.penalty == "elastic_net":
        return ""
    given = path.penalty_parameters
    told = [f"{name} {value:g}" for name, value in given.items() if not isinstance(value, str)]
    return f", {', '.join([penalty_name(path.penalty, given), *told])}"


def version() -> str:
    """Return riata's version."""
    import riata

    return str(riata.__version__)


def today() -> str:
    """Return the date and time in ISO form, to the minute."""
    return datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")


def command_line(arguments: list[str]) -> str:
    """Return the command as it can be typed again."""
    return shlex.join(["riata", *arguments])
