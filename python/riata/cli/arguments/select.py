"""Options of ``riata select``."""

from __future__ import annotations

import argparse

from riata.cli.arguments import values
from riata.cli.arguments.fit import add_loss, add_study
from riata.cli.arguments.parsing import Parser, picked
from riata.cli.arguments.shared import (
    ONE_SOURCE,
    add_cluster,
    add_data,
    add_l1_ratio,
    add_ld_groups,
    add_limits,
    add_output,
    add_precision,
    add_scale,
)
from riata.cli.options import (
    Command,
    KnockoffOptions,
    LimitOptions,
    OutputOptions,
    SelectionOptions,
    SelectOptions,
)
from riata.study.options import StudyOptions

EXAMPLES = """examples:
  riata {verb} --bfile study --pheno traits.txt --pheno-name height --covar age_sex.txt --out results/height
  riata {verb} --matrix genes.tsv --target relapse --loss binomial --pfer 0.5 --p-values --out results/relapse
  riata {verb} --matrix visits.tsv --target score --blocks patient --out results/score
  riata {verb} --bfile study --pheno traits.txt --pheno-name height --fdr 0.1 --keep-knockoffs --out results/h
"""
USAGE = f"{ONE_SOURCE} --out PREFIX [option ...]"


def declare(parser: Parser, verb: str) -> None:
    """Declare the options."""
    add_data(parser)
    add_cluster(parser)
    add_study(parser)
    add_loss(parser)
    _add_errors(parser)
    _add_halves(parser)
    _add_filter(parser)
    _add_fits(parser)
    output = add_output(parser)
    output.add_argument(
        "--resume", action="store_true",
        help="continue a run that was cut short, from its checkpoint beside PREFIX, to the same result",
    )  # fmt: skip
    parser.take_defaults(StudyOptions, SelectionOptions, KnockoffOptions, LimitOptions, OutputOptions)


def read(given: argparse.Namespace, command: Command) -> SelectOptions:
    """Return the options as they were given."""
    return SelectOptions(
        command=command,
        study=picked(StudyOptions, given, fit_validation=True),
        selection=picked(SelectionOptions, given, grouped=given.row_grouped),
        filter=picked(KnockoffOptions, given),
        limits=picked(LimitOptions, given),
        output=picked(OutputOptions, given),
    )


def _add_errors(parser: Parser) -> None:
    add = parser.add_argument_group(
        "errors (a false discovery rate; or two of the next three, of which the third follows)",
    ).add_argument
    add(
        "--fdr", type=values.open_share, metavar="Q",
        help="select with the knockoff filter: of what is selected at most this share is false, on average. "
        "With --pfer both selections are made",
    )  # fmt: skip
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
        help="column of families, patients and the like, each of which stays within one half (with "
        "knockoffs: one fold); FID for the families of genotypes",
    )  # fmt: skip
    add("--seed", type=values.whole, metavar="S", help="seed of halves and knockoffs (default 0)")
    add(
        "--stop-early", action="store_true",
        help="stop when the rest of the pairs cannot change what is selected",
    )  # fmt: skip


def _add_filter(parser: Parser) -> None:
    add = parser.add_argument_group(
        "knockoffs (with --fdr)", "Copies of the features that know nothing of the response."
    ).add_argument
    add(
        "--knockoffs", metavar="auto|gaussian|haplotypes|FILE",
        help="what they are drawn from: a hidden Markov model of haplotypes (auto, with genotypes), a normal "
        "distribution (auto, with --matrix); or where there are ready-made ones: a second .bed, or a table",
    )  # fmt: skip
    add(
        "--keep-knockoffs",
        action="store_true",
        help="keep them, as PREFIX.knockoffs.bed, or .npz with --matrix",
    )
    add(
        "--draws", type=values.count, metavar="M",
        help="draw knockoffs M times and combine what is found, so that the answer hardly hangs on the seed; "
        "costs power: ask for --fdr 0.2 then (default 1)",
    )  # fmt: skip
    add(
        "--statistic", choices=("coef-difference", "entry"),
        help="what features and knockoffs are compared by: their coefficients at the penalty that "
        "cross-validation chooses (the default), or which enters the path first",
    )  # fmt: skip
    add("--cv", type=values.count, metavar="N", help="folds of the cross-validation (default 10)")
    add(
        "--knockoff-offset", type=values.zero_or_one, metavar="0|1",
        help="1 controls the false discovery rate and cannot select fewer than 1/Q; 0 controls a slightly "
        "different rate and can (default 1)",
    )  # fmt: skip
    add(
        "--clusters", type=values.count, metavar="K",
        help="haplotypes that those of the samples are mosaics of: more explain more linkage disequilibrium, "
        "where the check of the knockoffs fails; time grows with the square of K, with --phased with K "
        "(default 10)",
    )  # fmt: skip
    add(
        "--phased", action="store_true",
        help="learn from the haplotypes of each sample, which --bgen files have to hold, each allele with "
        "probability 0 or 1: --clusters 50 takes less time then than 20 without",
    )  # fmt: skip
    add(
        "--populations", metavar="NAME",
        help="column of populations, each with its own model of haplotypes",
    )  # fmt: skip
    add(
        "--related", choices=("ok",), metavar="ok",
        help="go on although samples are related, which the model of haplotypes does not know of",
    )  # fmt: skip


def _add_fits(parser: Parser) -> None:
    add = parser.add_argument_group("fits and groups").add_argument
    add(
        "--groups", metavar="FILE",
        help="disjoint groups of features, which are selected together: a file with a feature and its group "
        "on each line. A feature in no group is a group of its own",
    )  # fmt: skip
    add_ld_groups(
        add, "with genotypes: select groups of neighbouring variants in linkage disequilibrium, whose mean "
        "r2 is at least R2 (default 0.5, without --groups); several with --fdr, each with its own list; "
        "none: single variants, which share their votes", several=True,
    )  # fmt: skip
    add_l1_ratio(add, "the elastic net lies between 0 and 1 (default 1)")
    add_scale(add)
    add_precision(add, " (default 1e-4; with knockoffs 1e-5)")
    add_limits(add, "fit as many halves together as this has room for")
