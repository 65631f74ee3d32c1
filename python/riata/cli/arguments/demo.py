"""Options of ``riata demo``."""

from __future__ import annotations

import argparse

from riata.cli.arguments import values
from riata.cli.arguments.parsing import Parser, picked
from riata.cli.options import Command, DemoOptions


def declare(parser: Parser, verb: str) -> None:
    """Declare the options."""
    parser.add_argument("--out", metavar="PREFIX", help="where to write (default riata-demo)")
    parser.add_argument("--threads", type=values.count, metavar="N", help="number of threads (default: all)")
    parser.take_defaults(DemoOptions)


def read(given: argparse.Namespace, command: Command) -> DemoOptions:
    """Return the options as they were given."""
    return picked(DemoOptions, given, command=command)
