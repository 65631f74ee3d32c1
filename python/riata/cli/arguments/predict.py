"""Options of ``riata predict``."""

from __future__ import annotations

import argparse

from riata.cli.arguments import values
from riata.cli.arguments.parsing import Parser, picked
from riata.cli.arguments.shared import (
    ONE_SOURCE,
    add_cells,
    add_data,
    add_output,
    add_threshold,
    add_times,
)
from riata.cli.options import Command, OutputOptions, PredictOptions
from riata.study.options import StudyOptions

EXAMPLES = """examples:
  riata predict --model results/height.path.npz --bfile newcomers --covar age_sex.txt --out results/new
  riata predict --model results/relapse.path.npz --matrix new.tsv --out results/new
  riata predict --weights PGS000001.txt.gz --bfile newcomers --allow-missing --out results/pgs
"""
USAGE = f"(--model FILE | --weights FILE) {ONE_SOURCE} --out PREFIX [option ...]"


def declare(parser: Parser, verb: str) -> None:
    """Declare the options."""
    what = parser.add_argument_group("what to score with")
    add = what.add_argument
    add(
        "--model",
        metavar="FILE",
        help="a PREFIX.path.npz of riata fit or riata cv, or what save wrote in Python",
    )
    add("--alpha", type=values.positive, metavar="A", help="penalty of the model (default: the one reported)")
    add(
        "--weights", metavar="FILE",
        help="a score file instead: of the PGS or GWAS Catalog, PLINK, METAL or riata",
    )  # fmt: skip
    add_data(parser)
    add = parser.add_argument_group("samples and variants").add_argument
    add(
        "--covar", metavar="FILE",
        help="covariates of the new samples, when the model has any (default: columns of the table)",
    )  # fmt: skip
    add_cells(add)
    add(
        "--allow-missing", action="store_true",
        help="score without variants that the new genotypes lack: their mean stands in, PREFIX.missing.tsv "
        "lists them",
    )  # fmt: skip
    add(
        "--ignore-positions", action="store_true",
        help="take variants by id where they lie at another position: for files of another genome build",
    )  # fmt: skip
    add = parser.add_argument_group("how good the score is").add_argument
    add(
        "--pheno", metavar="FILE",
        help="phenotypes to compare with; samples without one are scored too (default: the columns of "
        "--matrix that the fit had)",
    )  # fmt: skip
    add("--pheno-name", metavar="NAME", help="column of that file, or of --matrix (default: as in the fit)")
    add_times(add)
    add("--offset", metavar="NAME", help="column that the model adds to the linear predictor")
    add(
        "--case", "--positive", dest="positive", metavar="LABEL",
        help="class of cases, label of events (default: as in the fit)",
    )  # fmt: skip
    add(
        "--missing-code", metavar="CODE[,CODE]",
        help="values of phenotype and covariates that mean missing, beside NA (default: as in the fit)",
    )  # fmt: skip
    add(
        "--loss", type=values.LibraryNames("riata.losses._known", "OF_SCORE_FILES"), metavar="LOSS",
        help="with --weights: gaussian for numbers, binomial for two classes, cox for survival times",
    )  # fmt: skip
    add_threshold(parser.add_argument, "that of the fit, else 0.5")
    add_output(parser)
    parser.take_defaults(StudyOptions, PredictOptions, OutputOptions)


def read(given: argparse.Namespace, command: Command) -> PredictOptions:
    """Return the options as they were given."""
    return picked(
        PredictOptions,
        given,
        command=command,
        study=picked(StudyOptions, given),
        output=picked(OutputOptions, given),
    )
