"""Options of ``riata simulate``."""

from __future__ import annotations

import argparse

from riata.cli.arguments import values
from riata.cli.arguments.parsing import Parser, picked
from riata.cli.options import Command, SimulateOptions

EXAMPLES = """examples:
  riata simulate --samples 500 --variants 10000 --out trial/height
  riata cv --bfile trial/height --out results/height
"""


def declare(parser: Parser, verb: str) -> None:
    """Declare the options."""
    add = parser.add_argument
    add(
        "--out", required=True, metavar="PREFIX",
        help="where to write: PREFIX.bed, .bim, .fam, .pheno.txt and .truth.tsv (the causal variants)",
    )  # fmt: skip
    add("--quiet", action="store_true", help="print errors only")
    add("--seed", type=values.whole, metavar="S", help="seed of the random numbers (default 0)")
    add = parser.add_argument_group("genotypes").add_argument
    add("--samples", type=values.count, required=True, metavar="N", help="number of samples")
    add("--variants", type=values.count, required=True, metavar="P", help="number of variants")
    add("--chromosomes", type=values.count, metavar="N", help="number of autosomes (default 22)")
    add("--maf-min", type=values.real, metavar="F", help="smallest allele frequency (default 0.05)")
    add("--missing", type=values.share, metavar="F", help="share of missing calls (default 0.01)")
    add("--block", type=values.count, metavar="N", help="variants in an LD block (default 50)")
    add("--ld", type=values.share, metavar="R", help="strength of LD within a block (default 0.95)")
    add = parser.add_argument_group("phenotype").add_argument
    add(
        "--loss", type=values.LibraryNames("riata.genetics.simulate", "SIMULATED"),
        metavar="LOSS",
        help="gaussian for a phenotype of numbers (the default), binomial for cases and controls",
    )  # fmt: skip
    add("--h2", type=values.share, metavar="H", help="heritability (default 0.5)")
    add(
        "--causal",
        type=values.count,
        metavar="N",
        help="number of causal variants (default 100, or all if there are fewer)",
    )
    add(
        "--prevalence",
        type=values.share,
        metavar="F",
        help="with --loss binomial: share of cases (default 0.5)",
    )
    parser.take_defaults(SimulateOptions)


def read(given: argparse.Namespace, command: Command) -> SimulateOptions:
    """Return the options as they were given."""
    return picked(SimulateOptions, given, command=command)
