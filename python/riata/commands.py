"""What each verb of the command line does, given its parsed options."""

from __future__ import annotations

import contextlib
import datetime
import shlex
import sys
import time
import warnings
from argparse import Namespace
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from riata.account import account_of, describe_active, save_account
from riata.fitted import Fitted, gap_text
from riata.genotypes import Genotypes, open_genotypes
from riata.hits import Hits
from riata.joining import Joiner
from riata.ld import Partners, find_partners
from riata.matrices import read_matrix
from riata.model_file import Model, load_model, save_model
from riata.outputs import OutputSet, describe_file, write_json, write_tsv
from riata.pages import fit_page, summary_lines
from riata.progress import Progress
from riata.report import Page
from riata.results import scoring_lines, scoring_record, write_results
from riata.resume import Resume
from riata.scoring import Scores, score_genotypes, score_matrix
from riata.study import Study, StudyOptions, load_study, read_covariates
from riata.tables import some, text_array


class Log:
    """Lines for the terminal that are also kept for the ``.log`` file."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.lines: list[str] = []

    def say(self, *lines: str) -> None:
        """Print lines unless quiet, and keep them."""
        self.lines.extend(lines)
        if not self.quiet:
            for line in lines:
                print(line)
            sys.stdout.flush()


def run_fit(options: Namespace) -> int:
    """Fit a path (``riata fit``) or a cross-validated one (``riata cv``), and write everything about it."""
    began = time.perf_counter()
    log = Log(quiet=options.quiet)
    with OutputSet(options.out) as outputs, contextlib.ExitStack() as stack:
        study = load_study(study_options(options))
        read = time.perf_counter() - began
        log.say(*study_lines(study, options.out), "")
        resume = stack.enter_context(Resume(options.out, study.files, wanted=options.resume))
        log.say(*(line for note in resume.notes for line in (note, "")))
        fit, interrupted, messages, spent = fit_study(study, options, resume.checkpoint)
        alpha, rule = choose_alpha(fit, options)
        path = getattr(fit, "path", fit)
        hits = Hits(describe_active(study, path), path, alpha, study.covariate_names)
        fitted = Fitted(
            account=account_of(study, hits.source.positions),
            study=study,
            fit=fit,
            hits=hits,
            alpha=alpha,
            rule=rule,
            prefix=options.out,
            version=version(),
            command=options.command_line,
            date=today(),
            seconds={"read": read, "fit": spent},
            interrupted=interrupted,
            warnings=messages,
            partners=study_partners(study, hits, options),
            build=options.genome_build,
        )
        log.say(*summary_lines(fitted))
        write_fit(outputs, fitted, fit_page(fitted), manifest(fitted, options), log)
    if interrupted:
        print("riata: interrupted; the path so far was kept, --resume goes on with it", file=sys.stderr)
        return 130
    resume.remove()
    return 0


def study_options(options: Namespace) -> StudyOptions:
    """Pick the options that say what to read."""
    return StudyOptions(**{item.name: getattr(options, item.name) for item in fields(StudyOptions)})


def study_lines(study: Study, prefix: str) -> list[str]:
    """Return what was read and what was left out."""
    lines = ["Samples", *study.join.lines(), "Features"]
    lines.append(f"  {study.n_features:,} {study.noun}")
    reasons: dict[str, int] = {}
    for _, why in study.excluded:
        reasons[why] = reasons.get(why, 0) + 1
    lines += [f"  {count:,} set aside: {why}" for why, count in reasons.items()]
    if study.excluded:
        lines.append(f"  listed in {prefix}.excluded.tsv")
    if isinstance(study.main, Genotypes):
        missing = float(study.main.missing_rate().mean())
        lines.append(
            f"  counting allele {study.main.counted_allele} of the .bim; {100 * missing:.2g} % of calls "
            "missing"
        )
    if study.covariate_names:
        lines.append(f"  covariates, not penalised: {some(study.covariate_names)}")
    return lines


def fit_study(
    study: Study, options: Namespace, checkpoint: Path | None = None
) -> tuple[Any, bool, list[str], float]:
    """Fit, watching for Ctrl-C; return the fit, whether it was cut short, warnings, and seconds."""
    import riata

    if options.verb == "cv":
        import sklearn.model_selection  # noqa: F401  # slow to import, and not part of the fit

    max_active = options.max_active
    if max_active is not None:
        max_active += len(study.covariate_names)  # always active, and not what the user counts
    common: dict[str, Any] = {
        "loss": study.response.loss,
        "alphas": options.alphas,
        "eps": options.eps,
        "l1_ratio": options.l1_ratio,
        "standardize": options.standardize,
        "penalty_factor": study.penalty_factor,
        "tol": options.tol,
        "solver": options.solver,
        "n_threads": options.threads,
        "max_active": max_active,
        "checkpoint": checkpoint,
        "keep_checkpoint": True,  # until the outputs are written
    }
    began = time.perf_counter()
    with Progress(quiet=options.quiet) as progress, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit: Any
        if options.verb == "cv":
            fit = riata.cv_path(
                study.X, study.y, cv=options.cv, random_state=options.seed, selection=options.select,
                scoring=options.scoring, progress=progress, **common,
            )  # fmt: skip
        else:
            fit = riata.fit_path(study.X, study.y, progress=progress, **common)
    path = getattr(fit, "path", fit)
    if len(path.alphas) == 0:
        raise KeyboardInterrupt
    messages = list(dict.fromkeys(str(item.message) for item in caught))
    return fit, progress.interrupted, messages, time.perf_counter() - began


def choose_alpha(fit: Any, options: Namespace) -> tuple[float, str]:
    """Return the alpha to report, and how it was chosen."""
    path = getattr(fit, "path", fit)
    if options.alpha is not None:
        path.coef(options.alpha)  # refuses values outside the path
        return float(options.alpha), "as asked with --alpha"
    if hasattr(fit, "path"):
        if options.select == "1se":
            return fit.alpha_1se, "the sparsest within one standard error of the best cross-validation score"
        return fit.alpha_min, "the best cross-validation score"
    return float(path.alphas[-1]), "the weakest penalty fitted, not validated: riata cv chooses one"


def study_partners(study: Study, hits: Hits, options: Namespace) -> Partners | None:
    """Find the variants in linkage disequilibrium with the hits; None for tables."""
    if not isinstance(study.main, Genotypes):
        return None
    return find_partners(
        study.main, hits.positions, hits.strongest, window_kb=options.ld_window_kb, least_r2=options.ld_r2,
        n_threads=options.threads,
    )  # fmt: skip


def manifest(fitted: Fitted, options: Namespace) -> dict[str, Any]:
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
        "inputs": [describe_file(file) for file in dict.fromkeys(study.files)],
        "samples": {
            "in_file": study.join.n_source,
            "analysed": study.n_samples,
            "dropped": {why: len(names) for why, names in study.join.dropped},
            "notes": study.join.notes,
        },
        "features": {
            "in_file": study.n_features,
            "set_aside": len(study.excluded),
            "covariates": study.covariate_names,
        },
        "response": {
            "name": study.response.name,
            "loss": path.loss,
            "classes": list(study.response.classes),
        },
        "fit": {
            "alphas": len(path.alphas),
            "alpha_max": path.alpha_max,
            "alpha_smallest": path.alphas[-1],
            "l1_ratio": path.l1_ratio,
            "standardize": path.standardize,
            "tol": path.tol,
            "certificate": path.certificate,
            "largest_gap": fitted.largest_gap,
            "converged": bool(np.all(path.converged)),
            "passes": path.n_passes,
            "counters": path.counters,
            "interrupted": fitted.interrupted,
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
        "seconds": fitted.seconds,
    }
    if isinstance(study.main, Genotypes):
        record["features"]["counted_allele"] = study.main.counted_allele
    if cv is not None:
        record["cross_validation"] = {
            "folds": len(cv.folds),
            "scoring": cv.scoring,
            "alpha_min": cv.alpha_min,
            "alpha_1se": cv.alpha_1se,
            "mean_score": cv.mean_score[fitted.at],
            "se_score": cv.se_score[fitted.at],
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
    save_model(outputs.path("path.npz"), fitted.fit, study, fitted.alpha)
    save_account(outputs.path("path.npz"), fitted)
    outputs.path("json"), outputs.path("log")
    record["outputs"] = [outputs.final(suffix) for suffix in outputs.suffixes]
    write_json(outputs.path("json"), record)
    log.say("", "Written", *written_lines(outputs))
    outputs.path("log").write_text(
        log_text(fitted.command, fitted.version, fitted.date, log), encoding="utf-8"
    )


_WHAT = {
    "html": "the report: open it in a browser",
    "hits.tsv": "what was selected",
    "weights.tsv": "their weights, as the PGS Catalog lists them",
    "score": "their weights, for plink --score",
    "ld.tsv": "variants in linkage disequilibrium with them",
    "excluded.tsv": "what was set aside, and why",
    "path.npz": "the whole path, for riata predict and riata.load",
    "json": "the record of this run",
    "log": "this text",
    "scores.tsv": "the scores",
}


def written_lines(outputs: OutputSet) -> list[str]:
    """Return one line for each output file and what it holds."""
    order = [suffix for suffix in _WHAT if suffix in outputs.suffixes]
    width = max(len(outputs.final(suffix)) for suffix in order)
    return [f"  {outputs.final(suffix):<{width}}  {_WHAT[suffix]}" for suffix in order]


def log_text(command: str, number: str, date: str, log: Log) -> str:
    """Return the contents of the log file."""
    return "\n".join([f"riata {number}, {date}", command, "", *log.lines]) + "\n"


def run_predict(options: Namespace) -> int:
    """Score new samples with a saved model (``riata predict``)."""
    if (options.bfile is None) == (options.matrix is None):
        raise ValueError("give exactly one of --bfile and --matrix")
    log = Log(quiet=options.quiet)
    with OutputSet(options.out) as outputs:
        model = load_model(options.model)
        alpha = model.alpha if options.alpha is None else float(options.alpha)
        model.path.coef(alpha)
        scores, joiner, files = _score(model, options, alpha)
        columns = _score_columns(model, scores, joiner, genotypes=options.bfile is not None)
        log.say("Samples", *joiner.report.lines())
        log.say(*(f"  note: {note}" for note in scores.notes), "")
        log.say(f"Scored {joiner.report.n_analysed:,} samples for {model.response} at alpha {alpha:.4g}")
        write_tsv(outputs.path("scores.tsv"), columns)
        outputs.path("json"), outputs.path("log")
        record = {
            "riata": version(),
            "date": today(),
            "command": options.command_line,
            "inputs": [describe_file(file) for file in [options.model, *files]],
            "alpha": alpha,
            "response": model.response,
            "samples": {"in_file": joiner.report.n_source, "scored": joiner.report.n_analysed},
            "notes": scores.notes,
            "outputs": [outputs.final(suffix) for suffix in outputs.suffixes],
        }
        write_json(outputs.path("json"), record)
        log.say("", "Written", *written_lines(outputs))
        outputs.path("log").write_text(
            log_text(options.command_line, version(), today(), log), encoding="utf-8"
        )
    return 0


def _score(model: Model, options: Namespace, alpha: float) -> tuple[Scores, Joiner, list[str]]:
    files: list[str] = []
    if options.bfile is not None:
        geno = open_genotypes(options.bfile)
        prefix = geno.path.removesuffix(".bed")
        files += [f"{prefix}.bed", f"{prefix}.bim", f"{prefix}.fam"]
        joiner = Joiner(f"{prefix}.fam", list(geno.samples.iid), list(geno.samples.fid))
        covariates, rows = _model_covariates(model, joiner, options, files)
        chosen = geno if len(rows) == len(geno) else geno.subset(samples=rows)
        return score_genotypes(model, chosen, covariates[rows], alpha), joiner, files
    files.append(options.matrix)
    table = read_matrix(options.matrix, options.orient)
    joiner = Joiner(options.matrix, list(table.sample_ids))
    joiner.report.notes.extend(table.notes)
    covariates, rows = _model_covariates(model, joiner, options, files)
    table.X = table.X[rows]
    return score_matrix(model, table, covariates[rows], alpha), joiner, files


def _model_covariates(model: Model, joiner: Joiner, options: Namespace, files: list[str]) -> tuple[Any, Any]:
    if model.covariates and options.covar is None:
        raise ValueError(f"the model has covariates {some(model.covariates)}: give them with --covar FILE")
    if options.covar is not None and not model.covariates:
        raise ValueError("--covar: the model has no covariates")
    covariates, _ = read_covariates(joiner, options.covar, model.covariates or None, files)
    return covariates, joiner.finish()


def _score_columns(model: Model, scores: Scores, joiner: Joiner, *, genotypes: bool) -> list[tuple[str, Any]]:
    rows = np.flatnonzero(joiner.use)
    ids = text_array([joiner.ids[i] for i in rows])
    columns: list[tuple[str, Any]] = [("ID", ids)]
    if joiner.families is not None:
        columns = [("FID", text_array([joiner.families[i] for i in rows])), ("IID", ids)]
    if genotypes:
        columns.append(("MISSING_CALLS", scores.missing))
    if model.path.loss == "binomial":
        from scipy.special import expit

        return [*columns, ("LINEAR_PREDICTOR", scores.link), ("PROBABILITY", expit(scores.link))]
    return [*columns, ("PREDICTION", scores.link)]


def run_info(options: Namespace) -> int:
    """Describe a fileset, a table or a saved model (``riata info``)."""
    given = [options.bfile, options.matrix, options.model]
    if sum(item is not None for item in given) != 1:
        raise ValueError("give exactly one of --bfile, --matrix and --model")
    if options.bfile is not None:
        lines = genotype_lines(open_genotypes(options.bfile))
    elif options.matrix is not None:
        table = read_matrix(options.matrix, options.orient)
        n, p = table.shape
        finite = np.isfinite(table.X).all(axis=0)
        constant = int((table.X.min(axis=0) == table.X.max(axis=0)).sum())
        lines = [
            f"{options.matrix}: {n:,} samples x {p:,} features, {table.X.dtype}",
            f"  features    {some(list(table.feature_names), 4)}",
            f"  samples     {some(list(table.sample_ids), 4)}",
            f"  incomplete  {int((~finite).sum()):,} features with missing or infinite values",
            f"  constant    {constant:,} features",
        ]
        lines += [
            f"  text        {name}: {some(sorted(set(cells)), 4)}" for name, cells in table.text.items()
        ]
        lines += [
            f"  beside      {name}: {some(list(dict.fromkeys(cells)), 4)}"
            for name, cells in table.beside.items()
        ]
        lines += [f"  note        {note}" for note in table.notes]
    else:
        lines = model_lines(options.model, load_model(options.model))
    print("\n".join(lines))
    return 0


def genotype_lines(geno: Genotypes) -> list[str]:
    """Describe a PLINK fileset."""
    n, p = geno.shape
    size = Path(geno.path).stat().st_size
    missing = geno.missing_rate()
    frequency = geno.allele_frequency()
    minor = np.minimum(frequency, 1.0 - frequency)
    chromosomes = list(dict.fromkeys(geno.variants.chrom))
    still = int(geno.monomorphic().sum())
    lines = [
        f"{geno.path}: {n:,} samples x {p:,} variants, {size / 1e6:,.1f} MB",
        "  samples      "
        f"{some([f'{f} {i}' for f, i in zip(geno.samples.fid[:3], geno.samples.iid[:3], strict=True)], 3)}",
        f"  chromosomes  {some(chromosomes, 12)}",
        f"  counting     allele {geno.counted_allele} of the .bim",
        f"  missing      {100 * float(missing.mean()):.3g} % of calls, at worst "
        f"{100 * float(missing.max()):.3g} % of a variant",
        f"  monomorphic  {still:,} variants",
    ]
    if np.isfinite(minor).any():
        called = minor[np.isfinite(minor)]
        rare = int((called < 0.01).sum())
        lines.append(
            f"  frequency    median minor allele {float(np.median(called)):.3g}; {rare:,} variants below 0.01"
        )
    return lines


def model_lines(name: str, model: Model) -> list[str]:
    """Describe a saved model."""
    path = model.path
    lines = [
        f"{name}: {path.loss} path of {model.response}",
        f"  samples     {path.n_samples:,}",
        f"  features    {model.n_features:,}, {len(model.active):,} of them active somewhere on the path",
        f"  alphas      {len(path.alphas)}, from {path.alphas[0]:.4g} to {path.alphas[-1]:.4g}",
        f"  reported    alpha {model.alpha:.4g}, "
        f"{int(np.count_nonzero(path.coef(model.alpha)[: model.n_features])):,} selected",
        f"  certificate largest relative duality gap {gap_text(float(np.max(path.dual_gaps)))}, tol "
        f"{path.tol:g}",
    ]
    if model.covariates:
        lines.append(f"  covariates  {some(model.covariates)}")
    if model.classes:
        lines.append(f"  classes     models the probability of {model.classes[1]} against {model.classes[0]}")
    if model.cv is not None:
        lines.append(
            f"  validation  {len(model.cv.folds)} folds, {model.cv.scoring}; best alpha "
            f"{model.cv.alpha_min:.4g}, one standard error {model.cv.alpha_1se:.4g}"
        )
    return lines


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
