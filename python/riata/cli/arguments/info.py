"""Options of ``riata info``."""

from __future__ import annotations

import argparse

from riata.cli.arguments.parsing import Parser, picked
from riata.cli.arguments.shared import add_data
from riata.cli.options import Command, InfoOptions
from riata.study.options import SourceOptions

EXAMPLES = """examples:
  riata info study.bed
  riata info results/height.path.npz
"""


def declare(parser: Parser, verb: str) -> None:
    """Declare the options."""
    parser.add_argument(
        "path",
        nargs="?",
        metavar="FILE",
        help="what to describe: genotypes, a table, a PREFIX.path.npz or a PREFIX.json",
    )
    add_data(parser)
    parser.add_argument(
        "--model", metavar="FILE", help="PREFIX.path.npz of riata fit or riata cv, or a fit saved in Python"
    )
    parser.take_defaults(SourceOptions, InfoOptions)


def read(given: argparse.Namespace, command: Command) -> InfoOptions:
    """Return the options as they were given."""
    return picked(InfoOptions, given, command=command, source=picked(SourceOptions, given))
