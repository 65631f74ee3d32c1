"""Options of ``riata fit`` and ``riata cv``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from riata.cli.arguments import values
from riata.cli.arguments.parsing import Parser, picked
from riata.cli.arguments.shared import (
    ONE_SOURCE,
    add_cells,
    add_cluster,
    add_data,
    add_l1_ratio,
    add_ld,
    add_ld_groups,
    add_limits,
    add_output,
    add_precision,
    add_scale,
    add_threshold,
    add_times,
)
from riata.cli.options import (
    DEFAULT_PATIENCE,
    Command,
    FitOptions,
    LDOptions,
    LimitOptions,
    ModelOptions,
    OutputOptions,
)
from riata.study.options import FoldOptions, StudyOptions

EXAMPLES = """examples:
  riata {verb} --bfile study --pheno traits.txt --pheno-name height --covar age_sex.txt --out results/height
  riata {verb} --bfile study --pheno traits.txt --pheno-name t2d --loss binomial --out results/t2d
  riata {verb} --bfile study --pheno traits.txt --pheno-name height,weight,bmi --out results/body
  riata {verb} --pfile ukb_chr@ --pheno traits.txt --pheno-name height --split part --out results/height
  riata {verb} --matrix expression.tsv --target relapse --loss binomial --out results/relapse
  riata {verb} --matrix expression.tsv --loss cox --time months --event died --out results/survival
"""
USAGE = f"{ONE_SOURCE} --out PREFIX [option ...]"


def declare(parser: Parser, verb: str) -> None:
    """Declare the options."""
    add_data(parser)
    add_cluster(parser)
    add_study(parser)
    cross_validate = verb == "cv"
    add_loss(parser)
    _add_penalty(parser.add_argument_group("penalty").add_argument)
    _add_path(parser.add_argument_group("path").add_argument, cross_validate=cross_validate)
    choice = parser.add_argument_group("cross-validation" if cross_validate else "evaluation").add_argument
    if cross_validate:
        _add_folds(choice)
    _add_scoring(choice, cross_validate=cross_validate)
    add_ld(parser)
    parser.add_argument_group("weights (with genotypes)").add_argument(
        "--genome-build", type=values.build, metavar="NAME",
        help="genome build of the positions, such as GRCh38, to note in PREFIX.weights.tsv",
    )  # fmt: skip
    output = add_output(parser)
    output.add_argument(
        "--verbose", action="store_true", help="print a line for each penalty as it is fitted"
    )
    output.add_argument(
        "--resume", action="store_true",
        help="continue a run that was cut short, from PREFIX.checkpoint, to the same result",
    )  # fmt: skip
    parser.take_defaults(StudyOptions, ModelOptions, FoldOptions, LimitOptions, LDOptions, OutputOptions)


def read(given: argparse.Namespace, command: Command) -> FitOptions:
    """Return the options as they were given."""
    cross_validate = command.verb == "cv"
    return FitOptions(
        command=command,
        study=picked(StudyOptions, given, fit_validation=cross_validate),
        model=picked(ModelOptions, given, grouped=given.row_grouped),
        folds=picked(FoldOptions, given) if cross_validate else None,
        limits=picked(LimitOptions, given),
        ld=picked(LDOptions, given),
        output=picked(OutputOptions, given),
    )


def add_study(parser: Parser) -> None:
    """Response, covariates, samples, and variants."""
    study = parser.add_argument_group("response, covariates, samples")
    add = study.add_argument
    add(
        "--pheno",
        metavar="FILE",
        help="phenotype file, with a header; samples are matched on FID and IID (default: the phenotypes "
        "that come with the genotypes)",
    )
    add(
        "--pheno-name", metavar="NAME[,NAME]",
        help="column of the phenotype file, or of the .psam or .sample. Several, with commas between them or "
        "as a range such as bmi-hdl, are fitted together: they share the passes over the data, and each has "
        "outputs of its own, PREFIX.NAME.html and so on. The same goes for --event and --target",
    )  # fmt: skip
    add_times(add, "NAME[,NAME]")
    add("--offset", metavar="NAME", help="column that is added to the linear predictor, such as log exposure")
    add("--target", metavar="NAME[,NAME]", help="column of the --matrix table that is the response")
    add(
        "--case",
        "--positive",
        dest="positive",
        metavar="LABEL",
        help="class whose probability is modelled, or label of an event (default: 1 of 0/1, 2 of 1/2, or as "
        "words such as case, yes, control and healthy suggest)",
    )
    add(
        "--missing-code", metavar="CODE[,CODE]",
        help="values that mean missing in phenotypes and covariates, besides NA, such as -9,-99 (default -9; "
        "NA: no number does). A 0 means missing in phenotypes and events only. Codes given here also count "
        "in features of --matrix that otherwise hold 0, 1 and 2",
    )  # fmt: skip
    add(
        "--covar", metavar="FILE|A,B",
        help="covariates, which are not penalised: a file, or columns of the --matrix table. Text is coded "
        "as indicators of its classes",
    )  # fmt: skip
    add(
        "--covar-name",
        type=values.names_of,
        metavar="A,B",
        help="which columns of the covariate file (default: all) or, without one, of the --matrix table, "
        "such as sex,PC1-PC10",
    )
    add("--cat-covar", type=values.names_of, metavar="A,B", help="covariates whose numbers stand for classes")
    add(
        "--split", metavar="NAME",
        help="column that says train, validation or test: riata fit trains on the first and chooses alpha on "
        "the second, riata cv draws its folds from both; the third is for evaluation alone",
    )  # fmt: skip
    add("--keep", metavar="FILE", help="file of samples to keep, FID and IID on each line")
    add("--remove", metavar="FILE", help="file of samples to remove, likewise")
    add("--drop", type=values.names_of, metavar="A,B", help="columns of the --matrix table to leave out")
    add_cells(
        add,
        "replace missing values of the table by the mean over the training samples, in each fold its own; "
        "riata predict then uses the means of the fit (default: an error)",
    )
    variants = parser.add_argument_group("variants (with genotypes)")
    add = variants.add_argument
    add(
        "--counted-allele",
        choices=("A1", "A2", "ALT", "REF"),
        help="allele whose copies are counted (default A1, and ALT is the same)",
    )
    add("--extract", metavar="FILE", help="file of variant ids to keep")
    add("--exclude", metavar="FILE", help="file of variant ids to leave out")
    add("--chr", type=values.names_of, dest="chrom", metavar="A,B", help="chromosomes to keep, such as 1-4,X")
    add("--maf", type=values.real, metavar="F", help="smallest minor allele frequency to keep (default 0)")
    add("--geno", type=values.real, metavar="F", help="largest share of missing calls to keep (default 1)")
    add(
        "--hwe",
        type=values.real,
        metavar="P",
        help="smallest p-value of the exact Hardy-Weinberg test to keep (default 0)",
    )


def add_loss(parser: Parser) -> None:
    """The loss, and what belongs to it."""
    add = parser.add_argument_group("loss").add_argument
    add(
        "--loss", type=values.LibraryNames("riata.losses._known", "NAMES"), metavar="LOSS",
        help="gaussian for numbers (the default), binomial for two classes, multinomial for more, cox for "
        "survival times, poisson for counts, huber for numbers with outliers",
    )  # fmt: skip
    add(
        "--ties", choices=("breslow", "efron"),
        help="with --loss cox: how events at the same time are handled (default breslow)",
    )  # fmt: skip
    grouped = add(
        "--grouped", action="store_true", dest="row_grouped",  # as the records of runs call it
        help="with --loss multinomial: a feature enters for all classes at once",
    )  # fmt: skip
    parser.add_earlier_name("--row-grouped", grouped)
    add(
        "--huber-delta", type=values.positive, metavar="D",
        help="with --loss huber: residual, in units of the phenotype, beyond which the loss grows in "
        "proportion rather than as its square (default 1.345)",
    )  # fmt: skip


def _add_path(add: Callable[..., Any], *, cross_validate: bool) -> None:
    """At which penalties, how closely and how the models are fitted, and which of them is reported."""
    add(
        "--alphas",
        type=values.alphas,
        metavar="N|A,B",
        help="number of penalties, or their values; 0 is no penalty (default 100)",
    )
    add(
        "--eps",
        type=values.positive,
        metavar="E",
        help="smallest penalty as a share of the largest (default 0.01, or 1e-4 with more samples than "
        "features)",
    )
    add(
        "--max-active",
        type=values.count,
        metavar="N",
        help="end the path before more than N features are active",
    )
    add(
        "--alpha",
        type=values.positive,
        metavar="A",
        help="penalty to report (default: the one with the best score"
        + ("" if cross_validate else " in the validation part of --split, else the weakest")
        + ")",
    )
    add_precision(
        add, "; with mcp and scad, largest violation of an optimality condition as a share of alpha (default "
        "1e-6)",
    )  # fmt: skip
    add(
        "--solver",
        type=values.solver,
        choices=("auto", "active-set", "cd", "prox"),
        help="inner solver (default auto)",
    )
    add_limits(add, "end the path before a fit needs more memory than this")
    add(
        "--alphas-per-pass", type=values.count, metavar="N",
        help="penalties that may be solved before one pass over the data certifies them all: this pays where "
        "these are on a disk or at workers that answer slowly (default 1, or 16 where they do not fit into "
        "the memory of the machine)",
    )  # fmt: skip


def _add_folds(add: Callable[..., Any]) -> None:
    """How samples are dealt out to folds, and what chooses alpha."""
    add(
        "--cv", type=values.count, metavar="K",
        help="number of folds (default 10, fewer where a class has fewer members)",
    )  # fmt: skip
    add("--repeats", type=values.count, metavar="N", help="how often the folds are drawn (default 1)")
    add(
        "--fold-groups", metavar="NAME",
        help="column of families, patients and the like, each of which stays within one fold; FID for "
        "the families of genotypes",
    )  # fmt: skip
    add("--folds", metavar="NAME", help="column that says which fold each sample is in")
    add(
        "--time-order", metavar="NAME",
        help="column of times, as numbers or as dates that begin with the year: each of K folds is later "
        "than all that its fit is trained on",
    )  # fmt: skip
    add(
        "--seed",
        type=values.whole,
        metavar="S",
        help="seed of the folds that are drawn at random (default 0)",
    )
    add(
        "--select",
        choices=("min", "1se"),
        help="report the best score, or the sparsest model within one standard error of it (default min)",
    )
    add(
        "--patience", type=values.patience, metavar="N|off",
        help="end the path once the score has been worse than its best, by more than one standard error, at "
        f"N penalties in a row; off fits the whole path (default {DEFAULT_PATIENCE}, off with values of "
        "--alphas, with --alpha and with --penalty unilasso)",
    )  # fmt: skip
    add(
        "--nested", nargs="?", type=values.count, const=True, metavar="K",
        help="nested cross-validation: alpha is chosen anew in each of K outer folds (default: as many "
        "as --cv), which tells, with confidence intervals, how good the whole procedure is on samples "
        "that it has not seen; K times as many fits, which share the passes over the data",
    )  # fmt: skip


def _add_scoring(add: Callable[..., Any], *, cross_validate: bool) -> None:
    add(
        "--scoring", type=values.LibraryNames("riata.losses._known", "SCORINGS"), metavar="SCORE",
        help="score of held-out samples" + ("" if cross_validate else " (with --split)")
        + ": mse (the default) or mae for numbers; deviance (the default), auc or misclassification for "
        "classes; deviance (the default) or concordance for survival times; deviance for counts; huber for "
        "numbers with outliers",
    )  # fmt: skip
    add_threshold(add)


def _add_penalty(add: Callable[..., Any]) -> None:
    """What is penalised: see `riata.cli.penalty_options`."""
    add(
        "--penalty", choices=("elastic-net", "group", "sparse-group", "mcp", "scad", "slope", "unilasso"),
        metavar="PENALTY",
        help="elastic-net (the default; the lasso unless --l1-ratio says otherwise), group (whole groups "
        "enter), sparse-group (few groups, few features in each), mcp or scad (large effects are not "
        "shrunk), slope (larger effects are penalised more, which aims at a share of false discoveries), "
        "unilasso (features that predict well alone enter first, with the sign that they have alone)",
    )  # fmt: skip
    add_scale(add)
    add(
        "--groups", metavar="FILE",
        help="groups for --penalty group and sparse-group: gene sets (.gmt), or a file with a feature and "
        "its group on each line. Groups may overlap: an effect is then a sum of parts, one for each group. A "
        "feature in no group is a group of its own",
    )  # fmt: skip
    add_ld_groups(
        add, "with genotypes, instead of --groups: groups of neighbouring variants in linkage "
        "disequilibrium, whose mean r2 is at least R2, for --penalty group and sparse-group (default none)",
    )  # fmt: skip
    add(
        "--min-set-size", type=values.count, metavar="N",
        help="leave out groups with fewer than N features in the data (default 1; 15 is usual in gene set "
        "enrichment)",
    )  # fmt: skip
    add(
        "--max-set-size", type=values.count, metavar="N",
        help="leave out groups with more than N features in the data (default: none; 500 is usual in gene "
        "set enrichment)",
    )  # fmt: skip
    add(
        "--sets-only", action="store_true",
        help="leave out features that are in no group",
    )  # fmt: skip
    add_l1_ratio(
        add, "0 ridge regression, the elastic net lies between (default 1); with --penalty sparse-group 1 is "
        "the lasso, 0 the group lasso (default 0.5)",
    )  # fmt: skip
    add(
        "--gamma", type=values.positive, metavar="G",
        help="with --penalty mcp (above 1, default 3) or scad (above 2, default 3.7): effects of one "
        "standard deviation that exceed G times alpha are not shrunk",
    )  # fmt: skip
    add(
        "--slope-q", type=values.open_share, metavar="Q",
        help="with --penalty slope: share of false discoveries to aim at (default 0.1)",
    )  # fmt: skip
    add(
        "--univariate", metavar="FILE",
        help="with --penalty unilasso: slopes of one-feature models in other samples, such as an association "
        "study's (variant, effect allele, beta or odds ratio), or a feature and a slope on each line. "
        "Default: models of each feature alone are fitted to these data",
    )  # fmt: skip
