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
    add_data,
    add_ld,
    add_output,
    add_threshold,
    add_times,
)
from riata.cli.options import Command, FitOptions, LDOptions, ModelOptions, OutputOptions, RunOptions
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
    _add_study(parser)
    _add_model(parser, cross_validate=verb == "cv")
    add_ld(parser)
    parser.add_argument_group("weights (with genotypes)").add_argument(
        "--genome-build", type=values.build, metavar="NAME",
        help="build of the positions, such as GRCh38, to note in PREFIX.weights.tsv",
    )  # fmt: skip
    output = add_output(parser)
    output.add_argument("--verbose", action="store_true", help="tell about each penalty as it is fitted")
    output.add_argument(
        "--resume", action="store_true",
        help="go on with a run that was cut short, from PREFIX.checkpoint, to the same result",
    )  # fmt: skip
    parser.take_defaults(StudyOptions, ModelOptions, FoldOptions, RunOptions, LDOptions, OutputOptions)


def read(given: argparse.Namespace, command: Command) -> FitOptions:
    """Return the options as they were given."""
    cross_validate = command.verb == "cv"
    return FitOptions(
        command=command,
        study=picked(StudyOptions, given, fit_validation=cross_validate),
        model=picked(ModelOptions, given),
        folds=picked(FoldOptions, given) if cross_validate else None,
        run=picked(RunOptions, given),
        ld=picked(LDOptions, given),
        output=picked(OutputOptions, given),
    )


def _add_study(parser: Parser) -> None:
    study = parser.add_argument_group("response, covariates, samples")
    add = study.add_argument
    add(
        "--pheno",
        metavar="FILE",
        help="phenotypes, with a header; samples are joined on FID and IID (default: the .fam)",
    )
    add(
        "--pheno-name", metavar="NAME[,NAME]",
        help="column of the phenotype file, or of the .psam or .sample; several between commas, or a range "
        "such as bmi-hdl, are fitted together (so are several of --event and --target): they share the "
        "passes over the data and are written to PREFIX.NAME.html and so on",
    )  # fmt: skip
    add_times(add, "NAME[,NAME]")
    add("--offset", metavar="NAME", help="column to add to the linear predictor, such as log exposure")
    add("--target", metavar="NAME[,NAME]", help="column of the table of --matrix that is the response")
    add(
        "--case",
        "--positive",
        dest="positive",
        metavar="LABEL",
        help="class whose probability is modelled, or label of events (default: 1 of 0/1, 2 of 1/2, or what "
        "words such as case, yes, control, healthy tell)",
    )
    add(
        "--missing-code", metavar="CODE[,CODE]",
        help="values of phenotype and covariates that mean missing, beside NA, such as -9,-99; NA alone: no "
        "number does (default -9); a 0 counts in phenotypes and events only; those that are given count in "
        "features of --matrix too that else hold 0, 1 and 2",
    )  # fmt: skip
    add(
        "--covar", metavar="FILE|A,B",
        help="covariates, not penalised: a file, or columns of the table of --matrix; text becomes one "
        "indicator a class",
    )  # fmt: skip
    add(
        "--covar-name",
        type=values.names_of,
        metavar="A,B",
        help="columns of the covariate file (default: all), or of the table of --matrix without one, such as "
        "sex,PC1-PC10",
    )
    add("--cat-covar", type=values.names_of, metavar="A,B", help="covariates whose numbers are classes")
    add(
        "--split", metavar="NAME",
        help="column that says train, validation or test: riata fit fits on the first and chooses on the "
        "second, riata cv draws folds from both; evaluated on the third",
    )  # fmt: skip
    add("--keep", metavar="FILE", help="samples to keep, FID IID a line")
    add("--remove", metavar="FILE", help="samples to remove")
    add("--drop", type=values.names_of, metavar="A,B", help="columns of the table to leave out")
    add_cells(add)
    variants = parser.add_argument_group("variants (with genotypes)")
    add = variants.add_argument
    add(
        "--counted-allele",
        choices=("A1", "A2", "ALT", "REF"),
        help="allele that genotypes count: A1 (or ALT, the same) unless told",
    )
    add("--extract", metavar="FILE", help="variant ids to keep")
    add("--exclude", metavar="FILE", help="variant ids to leave out")
    add("--chr", type=values.names_of, dest="chrom", metavar="A,B", help="chromosomes to keep, such as 1-4,X")
    add("--maf", type=values.real, metavar="F", help="least minor allele frequency")
    add("--geno", type=values.real, metavar="F", help="largest share of missing calls")
    add("--hwe", type=values.real, metavar="P", help="least p of the exact Hardy-Weinberg test")


def _add_model(parser: Parser, *, cross_validate: bool) -> None:
    model = parser.add_argument_group("model")
    add = model.add_argument
    _add_penalty(add)
    add(
        "--loss", type=values.LibraryNames("riata.losses._known", "NAMES"), metavar="LOSS",
        help="gaussian for numbers (the default), binomial for two classes, cox for survival times, poisson "
        "for counts, huber for numbers with outliers, multinomial for more classes than two",
    )  # fmt: skip
    add(
        "--ties", choices=("breslow", "efron"),
        help="how --loss cox handles events at the same time (default breslow)",
    )  # fmt: skip
    add(
        "--row-grouped", action="store_true",
        help="with --loss multinomial: a feature enters for all classes together",
    )  # fmt: skip
    add(
        "--huber-delta", type=values.positive, metavar="D",
        help="residual, in units of the phenotype, from which --loss huber stops squaring (default 1.345)",
    )  # fmt: skip
    add(
        "--no-standardize",
        dest="standardize",
        action="store_false",
        help="penalise coefficients on the data's own scale",
    )
    add(
        "--alphas",
        type=values.alphas,
        metavar="N|A,B",
        help="number of penalties, or their values, of which 0 is none (default 100)",
    )
    add("--eps", type=values.positive, metavar="E", help="smallest penalty as a share of the largest")
    add(
        "--memory", type=values.memory, metavar="SIZE",
        help="end the path before a fit holds more than this beside the data, such as 4G",
    )  # fmt: skip
    add("--max-active", type=values.count, metavar="N", help="stop before more features than this are active")
    add(
        "--alpha",
        type=values.positive,
        metavar="A",
        help="penalty to report (default: the best score"
        + ("" if cross_validate else ", or the weakest")
        + ")",
    )
    add(
        "--tol",
        type=values.real,
        metavar="T",
        help="bound on the relative duality gap, or with mcp and scad on the violation of an optimality "
        "condition over alpha (default 1e-6)",
    )
    add(
        "--solver",
        choices=("auto", "homotopy", "cd", "prox"),
        help="inner solver (default auto)",
    )
    add(
        "--threads",
        type=values.count,
        metavar="N",
        help="threads to use (default: all); results do not depend on it",
    )
    if cross_validate:
        add(
            "--cv", type=values.count, metavar="K",
            help="number of folds (default 10, or fewer where a class has fewer members)",
        )  # fmt: skip
        add("--repeats", type=values.count, metavar="N", help="draw the folds anew N times (default 1)")
        add(
            "--fold-groups", metavar="NAME",
            help="column of families, patients and the like, none of which a fold parts; FID for those "
            "of genotypes",
        )  # fmt: skip
        add("--folds", metavar="NAME", help="column of given folds")
        add(
            "--time-order", metavar="NAME",
            help="column of times, numbers or dates from the year on: each of K folds is tested on what "
            "follows all it is trained on",
        )  # fmt: skip
        add("--seed", type=values.whole, metavar="S", help="of the shuffled folds (default 0)")
        add(
            "--select",
            choices=("min", "1se"),
            help="best score, or sparsest within one standard error",
        )
        add(
            "--nested", nargs="?", type=values.count, const=True, metavar="K",
            help="nested cross-validation: K outer folds (default: as --cv), in each of which alpha is "
            "chosen anew, say how good the procedure is on samples it has not seen, with confidence "
            "intervals; K times as many fits, which share the passes over the data",
        )  # fmt: skip
    add(
        "--scoring", type=values.LibraryNames("riata.losses._known", "SCORINGS"), metavar="SCORE",
        help="score of held-out samples" + ("" if cross_validate else " (with --split)")
        + ": mse (the default) or mae of numbers; deviance (the default), auc or misclassification of "
        "classes; deviance (the default) or concordance of survival times; deviance of counts; huber of "
        "numbers with outliers",
    )  # fmt: skip
    add_threshold(add)


def _add_penalty(add: Callable[..., Any]) -> None:
    """What is penalised: see `riata.penalty_options`."""
    add(
        "--penalty", choices=("elastic-net", "group", "sparse-group", "mcp", "scad", "slope"),
        metavar="PENALTY",
        help="elastic-net (the default, with --l1-ratio 1 the lasso); group: groups enter whole; "
        "sparse-group: few groups, and few features in each; mcp, scad: large effects are not shrunk; slope: "
        "penalises large effects more, aiming at a share of false discoveries",
    )  # fmt: skip
    add(
        "--groups", metavar="FILE",
        help="groups of --penalty group and sparse-group: gene sets (.gmt), or a feature and its group a "
        "line; they may overlap: an effect is then a sum of parts, one for each group, and a group enters "
        "whole. Features in none are groups of their own",
    )  # fmt: skip
    add(
        "--min-set-size", type=values.count, metavar="N",
        help="use the groups that have N features or more in the data (default 1; gene set enrichment "
        "usually asks for 15)",
    )  # fmt: skip
    add(
        "--max-set-size", type=values.count, metavar="N",
        help="and N at most (default: any number; gene set enrichment usually asks for 500)",
    )  # fmt: skip
    add(
        "--sets-only", action="store_true",
        help="leave out features that are in no group (default: each is a group of its own)",
    )  # fmt: skip
    add(
        "--l1-ratio", type=values.share, metavar="R",
        help="1 lasso, 0 ridge, between them elastic net (default 1); with --penalty sparse-group 1 lasso, 0 "
        "group lasso (default 0.5)",
    )  # fmt: skip
    add(
        "--gamma", type=values.positive, metavar="G",
        help="with --penalty mcp (above 1, default 3) and scad (above 2, default 3.7): effects of one "
        "standard deviation are not shrunk from G times alpha on",
    )  # fmt: skip
    add(
        "--slope-q", type=values.open_share, metavar="Q",
        help="with --penalty slope: share of false discoveries aimed at (default 0.1)",
    )  # fmt: skip
