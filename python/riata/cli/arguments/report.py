"""Options of ``riata report``."""

from __future__ import annotations

import argparse

from riata.cli.arguments import values
from riata.cli.arguments.parsing import Parser, picked
from riata.cli.arguments.shared import SEVERAL, add_genotypes, add_ld, add_output, add_threshold
from riata.cli.options import Command, LDOptions, OutputOptions, ReportOptions
from riata.study.options import SourceOptions

EXAMPLES = """example:
  riata report --model results/height.path.npz --alpha 0.05 --bfile study --out results/height-sparse
"""


def declare(parser: Parser, verb: str) -> None:
    """Declare the options."""
    parser.add_argument(
        "--model",
        required=True,
        metavar="FILE",
        help="PREFIX.path.npz of riata fit or riata cv, or a fit saved in Python",
    )
    parser.add_argument(
        "--alpha",
        type=values.positive,
        metavar="A",
        help="penalty to report (default: the one that the run reported)",
    )
    add_genotypes(
        parser.add_argument_group(
            "genotypes of the fit, for linkage disequilibrium (optional, one of these)", SEVERAL
        )
    )
    add_threshold(parser.add_argument, "that of the fit")
    parser.add_argument("--threads", type=values.count, metavar="N", help="number of threads (default: all)")
    add_ld(parser)
    add_output(parser)
    parser.take_defaults(SourceOptions, ReportOptions, LDOptions, OutputOptions)


def read(given: argparse.Namespace, command: Command) -> ReportOptions:
    """Return the options as they were given."""
    return picked(
        ReportOptions,
        given,
        command=command,
        source=picked(SourceOptions, given),
        ld=picked(LDOptions, given),
        output=picked(OutputOptions, given),
    )
