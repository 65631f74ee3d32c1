"""Options of ``riata config``."""

from __future__ import annotations

import argparse

from riata.cli.arguments.parsing import Parser, picked
from riata.cli.options import Command, ConfigOptions

USAGE = "RUN"
EXAMPLES = """examples:
  riata config results/height > height.toml
  riata cv --config height.toml
  riata cv --config height.toml --seed 1 --out results/height-seed1
"""


def declare(parser: Parser, verb: str) -> None:
    """Declare the options."""
    parser.add_argument("run", metavar="RUN", help="the PREFIX of a run, or its PREFIX.json")


def read(given: argparse.Namespace, command: Command) -> ConfigOptions:
    """Return the options as they were given."""
    return picked(ConfigOptions, given, command=command)
