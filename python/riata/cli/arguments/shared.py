"""Options that several verbs have."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from riata.cli.arguments import values
from riata.cli.arguments.parsing import Parser

SEVERAL = "Several genotype files, or one name with @ for the chromosome (chr@), are used together."
ONE_SOURCE = "(--bfile PREFIX | --pfile PREFIX | --bgen FILE | --matrix FILE)"


def add_data(parser: Parser) -> None:
    data = parser.add_argument_group("data (one of these)", SEVERAL)
    add_genotypes(data)
    data.add_argument(
        "--matrix", metavar="FILE",
        help="a table: .csv or .tsv (also .gz), .parquet, .feather, .npz, .h5ad; or sparse: .npz, .svm, .mtx",
    )  # fmt: skip
    data.add_argument(
        "--orient", choices=("samples-rows", "samples-columns"),
        help="whether samples are rows or columns of the --matrix table (default samples-rows)",
    )  # fmt: skip
    data.add_argument(
        "--feature-names",
        metavar="FILE",
        help="file of feature names for an .npz, .svm or .mtx, one on each line",
    )
    data.add_argument("--sample-ids", metavar="FILE", help="file of sample ids for it, likewise")
    data.add_argument("--layer", metavar="NAME", help="layer of an .h5ad to use instead of its X")


def add_cluster(parser: Parser) -> None:
    """Which cluster holds the genotypes, and how."""
    add = parser.add_argument_group("genotypes on a Dask cluster (with --bfile)").add_argument
    add(
        "--scheduler", metavar="ADDRESS",
        help="scheduler, such as tcp://host:8786, whose workers hold the variants, each a range of them; "
        "they read the .bed files by the names given here. Results are the same",
    )  # fmt: skip
    add(
        "--scheduler-file", metavar="FILE", help="file in which the scheduler wrote its address, in its place"
    )
    add(
        "--load", choices=("memory", "map"),
        help="whether workers read their variants into memory, 2 bits a genotype, or map the files (default "
        "memory)",
    )  # fmt: skip
    add(
        "--scratch", metavar="FOLDER",
        help="with --load map: folder on local disks, to which each worker first copies its variants",
    )  # fmt: skip


def add_genotypes(data: argparse._ArgumentGroup) -> None:
    data.add_argument(
        "--bfile", nargs="+", metavar="PREFIX", help="PLINK 1 genotypes: PREFIX.bed, .bim and .fam"
    )
    data.add_argument(
        "--pfile", nargs="+", metavar="PREFIX", help="PLINK 2 genotypes: PREFIX.pgen, .pvar and .psam"
    )
    data.add_argument("--bgen", nargs="+", metavar="FILE", help="BGEN genotypes")
    data.add_argument("--sample", metavar="FILE", help=".sample file of --bgen (default: the one beside it)")
    data.add_argument(
        "--chr-set", nargs="+", metavar="SPECIES|N",
        help="chromosomes of the species: human (the default), cow, dog, horse, mouse, rice or sheep; or the "
        "number of autosomes, then any of no-x, no-y, no-xy and no-mt",
    )  # fmt: skip


def add_cells(add: Callable[..., Any], impute: str) -> None:
    """What to do with a table that is not as it should be."""
    add("--impute", choices=("mean",), metavar="mean", help=impute)
    add(
        "--duplicates", type=values.LibraryNames("riata._io.repeated_names", "DUPLICATES"),
        metavar="suffix|mean",
        help="what becomes of features of the table that share a name, as gene symbols do: each is kept, as "
        "NAME, NAME.1 and so on, or their mean is (default: an error)",
    )  # fmt: skip


def add_times(add: Callable[..., Any], metavar: str = "NAME") -> None:
    """Columns of survival times."""
    add("--time", metavar=metavar, help="with --loss cox: column of the times of the event or of censoring")
    add(
        "--event", metavar=metavar,
        help="with --loss cox: column of 1 (event) and 0, of 2 (event) and 1, or of labels (see --case)",
    )  # fmt: skip
    add(
        "--entry", metavar="NAME",
        help="with --loss cox: column of the times at which samples come under observation",
    )  # fmt: skip
    add(
        "--strata", metavar="NAME",
        help="with --loss cox: column of groups, each with its own baseline hazard",
    )  # fmt: skip


def add_threshold(add: Callable[..., Any], told: str = "0.5") -> None:
    """Above what probability the second of two classes is predicted."""
    add(
        "--threshold", type=values.open_share, metavar="P",
        help=f"of two classes, predict the second where its probability is above P (default {told})",
    )  # fmt: skip


def add_ld(parser: Parser) -> None:
    ld = parser.add_argument_group("linkage disequilibrium of the hits (with genotypes)")
    ld.add_argument(
        "--ld-window-kb", type=values.positive, metavar="KB",
        help="largest distance of a partner, in thousands of base pairs (default 500)",
    )  # fmt: skip
    ld.add_argument("--ld-r2", type=values.share, metavar="R2", help="smallest r2 of a partner (default 0.5)")


def add_l1_ratio(add: Callable[..., Any], told: str) -> None:
    """How much of the penalty is of absolute values."""
    add("--l1-ratio", type=values.share, metavar="R", help=f"1 is the lasso, {told}")


def add_scale(add: Callable[..., Any]) -> None:
    """On which scale coefficients are penalised."""
    add(
        "--no-standardize", dest="standardize", action="store_false",
        help="penalise coefficients per unit of the data, not per standard deviation",
    )  # fmt: skip


def add_precision(add: Callable[..., Any], told: str) -> None:
    """How closely models are fitted."""
    add(
        "--tol", type=values.real, metavar="T", help=f"largest relative duality gap that a fit may have{told}"
    )


def add_limits(add: Callable[..., Any], memory: str) -> None:
    """What fits may take of the machine."""
    add("--memory", type=values.memory, metavar="SIZE", help=f"{memory} beside the data, such as 4G")
    add(
        "--threads", type=values.count, metavar="N",
        help="number of threads (default: all); results do not depend on it",
    )  # fmt: skip


def add_ld_groups(add: Callable[..., Any], told: str, *, several: bool = False) -> None:
    """Groups of variants, made of the genotypes, at one r2 or several."""
    if several:
        add("--ld-groups", type=values.shares_or_none, metavar="R2[,R2]|none", help=told)
    else:
        add("--ld-groups", type=values.share_or_none, metavar="R2|none", help=told)


def add_output(parser: Parser, first: str = "PREFIX.html") -> argparse._ArgumentGroup:
    output = parser.add_argument_group("output")
    output.add_argument("--out", required=True, metavar="PREFIX", help=f"where to write: {first} and so on")
    output.add_argument("--quiet", action="store_true", help="print errors only")
    return output
