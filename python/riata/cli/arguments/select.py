"""Options of ``riata select``."""

from __future__ import annotations

import argparse

from riata.cli.arguments import values
from riata.cli.arguments.fit import add_loss, add_study
from riata.cli.arguments.parsing import Parser, picked
from riata.cli.arguments.shared import (
    ONE_SOURCE,
    add_data,
    add_l1_ratio,
    add_ld_groups,
    add_limits,
    add_output,
    add_precision,
    add_scale,
)
from riata.cli.options import Command, LimitOptions, OutputOptions, SelectionOptions, SelectOptions
from riata.study.options import StudyOptions

EXAMPLES = """examples:
  riata {verb} --bfile study --pheno traits.txt --pheno-name height --covar age_sex.txt --out results/height
  riata {verb} --matrix genes.tsv --target relapse --loss binomial --pfer 0.5 --p-values --out results/relapse
  riata {verb} --matrix visits.tsv --target score --blocks patient --out results/score
"""
USAGE = f"{ONE_SOURCE} --out PREFIX [option ...]"


def declare(parser: Parser, verb: str) -> None:
    """Declare the options."""
    add_data(parser)
    add_study(parser)
    add_loss(parser)
    _add_errors(parser)
    _add_halves(parser)
    _add_fits(parser)
    output = add_output(parser)
    output.add_argument(
        "--resume", action="store_true",
        help="continue a run that was cut short, from PREFIX.checkpoint, to the same result",
    )  # fmt: skip
    parser.take_defaults(StudyOptions, SelectionOptions, LimitOptions, OutputOptions)


def read(given: argparse.Namespace, command: Command) -> SelectOptions:
    """Return the options as they were given."""
    return SelectOptions(
        command=command,
        study=picked(StudyOptions, given, fit_validation=True),
        selection=picked(SelectionOptions, given, grouped=given.row_grouped),
        limits=picked(LimitOptions, given),
        output=picked(OutputOptions, given),
    )


def _add_errors(parser: Parser) -> None:
    add = parser.add_argument_group(
        "errors (two of the first three; the third follows)",
    ).add_argument
    add(
        "--pfer", type=values.positive, metavar="E",
        help="false selections expected, at most: 1 is one on average among all that is selected (default 1)",
    )  # fmt: skip
    add(
        "--threshold", type=values.share, metavar="T",
        help="share of the halves that must select a feature (default 0.75, or down to 0.6 "
        "when few samples limit what a half selects)",
    )  # fmt: skip
    add("--q", type=values.count, metavar="Q", help="features that each half selects, at most")
    add(
        "--bound", choices=("r-concave", "unimodal", "worst"),
        help="what is assumed of how often halves select a false feature: the most and the sharpest bound "
        "(r-concave, the default), less, or nothing",
    )  # fmt: skip
    add(
        "--p-values", action="store_true",
        help="also p-values for the features, which bound the chance of any false one: what a half selects "
        "is tested on the other half",
    )  # fmt: skip


def _add_halves(parser: Parser) -> None:
    add = parser.add_argument_group("halves of the samples").add_argument
    add("--pairs", type=values.count, metavar="B", help="pairs of halves (default 50)")
    add(
        "--blocks", metavar="NAME",
        help="column of families, patients and the like, each of which stays within one half; FID for the "
        "families of genotypes",
    )  # fmt: skip
    add("--seed", type=values.whole, metavar="S", help="seed of the halves (default 0)")
    add(
        "--stop-early", action="store_true",
        help="stop when the rest of the pairs cannot change what is selected",
    )  # fmt: skip


def _add_fits(parser: Parser) -> None:
    add = parser.add_argument_group("fits to the halves").add_argument
    add(
        "--groups", metavar="FILE",
        help="disjoint groups of features, which are selected together: a file with a feature and its group "
        "on each line. A feature in no group is a group of its own",
    )  # fmt: skip
    add_ld_groups(
        add, "with genotypes: select groups of neighbouring variants in linkage disequilibrium, whose mean "
        "r2 is at least R2 (default 0.5, without --groups); none: single variants, which share their votes",
    )  # fmt: skip
    add_l1_ratio(add, "the elastic net lies between 0 and 1 (default 1)")
    add_scale(add)
    add_precision(add, " (default 1e-4)")
    add_limits(add, "fit as many halves together as this has room for")
