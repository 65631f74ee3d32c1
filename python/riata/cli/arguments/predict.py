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
        help="PREFIX.path.npz of riata fit or riata cv, or a fit saved in Python",
    )
    add("--alpha", type=values.positive, metavar="A", help="penalty of the model (default: the reported one)")
    add(
        "--weights", metavar="FILE",
        help="instead of a model: a score file of the PGS or GWAS Catalog, PLINK, METAL or riata",
    )  # fmt: skip
    add_data(parser)
    add = parser.add_argument_group("samples and variants").add_argument
    add(
        "--covar", metavar="FILE",
        help="covariates of the new samples, where the model has any (default: columns of the table)",
    )  # fmt: skip
    add_cells(add, "replace missing values of the table by the means of the fit (default: an error)")
    add(
        "--allow-missing", action="store_true",
        help="score without variants that the new genotypes lack: their mean stands in for them, and "
        "PREFIX.missing.tsv lists them",
    )  # fmt: skip
    add(
        "--ignore-positions", action="store_true",
        help="match variants by id, whatever their positions: for files of another genome build",
    )  # fmt: skip
    add = parser.add_argument_group("how good the score is").add_argument
    add(
        "--pheno", metavar="FILE",
        help="phenotypes to compare the scores with; samples without one are scored too (default: the "
        "columns of --matrix that the fit had)",
    )  # fmt: skip
    add("--pheno-name", metavar="NAME", help="column of that file, or of --matrix (default: as in the fit)")
    add_times(add)
    add(
        "--offset",
        metavar="NAME",
        help="column that is added to the linear predictor (default: as in the fit)",
    )
    add(
        "--case", "--positive", dest="positive", metavar="LABEL",
        help="class of cases, or label of an event (default: as in the fit)",
    )  # fmt: skip
    add(
        "--missing-code", metavar="CODE[,CODE]",
        help="values that mean missing in phenotypes and covariates, besides NA (default: as in the fit)",
    )  # fmt: skip
    add(
        "--loss", type=values.LibraryNames("riata.losses._known", "OF_SCORE_FILES"), metavar="LOSS",
        help="with --weights: gaussian for numbers, binomial for two classes, cox for survival times",
    )  # fmt: skip
    add_threshold(add, "that of the fit, else 0.5")
    add_output(parser, "PREFIX.scores.tsv")
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
