"""``riata info``: what genotypes, a table, a saved model or the outputs of a run are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from riata._io import streams
from riata._io.input_files import settle_named
from riata._io.missing_codes import MissingCodes
from riata._io.output_files import set_lines
from riata._io.sizes import bytes_text
from riata._io.staging import MANIFEST
from riata._io.tables import some
from riata._io.wording import counted
from riata.cli.options import InfoOptions
from riata.cli.study_lines import allele_source
from riata.genetics.chromosome_files import matching_files
from riata.genetics.chromosomes import HUMAN
from riata.genetics.genotypes import Genotypes
from riata.genetics.pgen import phenotypes_of
from riata.path.certificates import CERTIFICATES, gap_text
from riata.penalties._penalty import penalty_name
from riata.study.expected_cost import cost_line
from riata.study.inputs import SOURCES, check_chr_set, genotype_joiner, genotypes_of, opening_notes
from riata.study.model_file import Model, is_model, load_model
from riata.study.response import modelled_text
from riata.study.table_info import matrix_lines


def run_info(options: InfoOptions) -> int:
    """Describe genotypes, a table, a saved model or a set of outputs (``riata info``)."""
    settle_named(options.command.asked)
    options = placed(options)
    source = options.source
    given = [name for name in (*SOURCES, "matrix") if getattr(source, name) is not None]
    given += [] if options.model is None else ["model"]
    if len(given) != 1:
        raise ValueError("give one file, or exactly one of --bfile, --pfile, --bgen, --matrix and --model")
    check_chr_set(source)
    if given == ["matrix"] and str(source.matrix).endswith(f".{MANIFEST}"):
        streams.show("\n".join(set_lines(str(source.matrix))))
        return 0
    if options.model is not None:
        lines = model_lines(options.model, load_model(options.model))
    elif given == ["matrix"]:
        lines = matrix_lines(source)
    else:
        lines = genotype_lines(genotypes_of(source))
    streams.show("\n".join(lines))
    return 0


def placed(options: InfoOptions) -> InfoOptions:
    """Return options with the file that was given without a flag where its name says it belongs."""
    if options.path is None:
        return options
    path, source = options.path, options.source
    for name, suffix in SOURCES.items():
        if path.endswith(suffix) or Path(path + suffix).is_file():
            given: dict[str, Any] = {name: (*(getattr(source, name) or ()), path)}
            return replace(options, source=replace(source, **given))
    if "@" in Path(path).name:
        found = (name for name, suffix in SOURCES.items() if matching_files(path + suffix, [suffix]))
        given = {next(found, "bfile"): (path,)}
        return replace(options, source=replace(source, **given))
    if path.endswith(".npz") and is_model(path):
        return replace(options, model=path)
    if Path(path).is_file():
        return replace(options, source=replace(source, matrix=path))
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
        f"{geno.path}{more}: {counted(n, 'sample')} x {counted(p, 'variant')}, {bytes_text(size)}",
        "  samples      "
        f"{some([genotype_joiner(geno.subset(samples=[k])).label(0) for k in range(min(n, 3))], 3)}",
        f"  phenotypes   {_phenotype_names(geno)}",
        f"  chromosomes  {known.listed(geno.variants.chrom.unique())}{species}",
        f"  counting     allele {geno.counted_allele}{allele_source(geno)}",
        f"  missing      {100 * float(missing.mean()):.3g} % of calls, at most "
        f"{100 * float(missing.max()):.3g} % of one variant",
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
        lines.append("  missing     values of features are set to the means of the fit")
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
