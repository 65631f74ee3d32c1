"""Variants that take no part in a fit, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.chromosomes import HUMAN, ChromosomeSet
from riata.genotypes import Genotypes
from riata.quality import hardy_weinberg
from riata.tables import read_list, some
from riata.text_columns import CodedColumn

Mask = NDArray[np.bool_]

#: Names of the column of ids in a list with a header, such as PREFIX.hits.tsv, in small letters.
ID_HEADER = frozenset({"id", "snp", "rsid", "variant_id", "varid", "variant", "marker", "markername"})


@dataclass
class Chosen:
    """Genotypes of the variants asked for, (reason, count) of the others, and what else to tell."""

    geno: Genotypes
    left_out: list[tuple[str, int]]
    notes: list[str]


def choose_variants(geno: Genotypes, options: Any, files: list[str]) -> Chosen:
    """Narrow genotypes to what ``--chr``, ``--extract`` and ``--exclude`` ask for; the rest is not read.

    Raises
    ------
    ValueError
        When a chromosome or a list of ids matches nothing, or nothing is left.
    """
    keep = np.ones(geno.shape[1], dtype=np.bool_)
    left_out, notes = list(geno.left_out), list[str]()

    def narrow(stays: Mask, why: str) -> None:
        if gone := int(np.count_nonzero(keep & ~stays)):
            left_out.append((why, gone))
        keep[:] &= stays

    if options.chrom is not None:
        narrow(_on_chromosomes(geno, options.chrom), "not on the chromosomes of --chr")
    for path, flag in ((options.extract, "--extract"), (options.exclude, "--exclude")):
        if path is not None:
            files.append(path)
            named, absent = _named(geno, path)
            if absent:
                notes.append(f"{path} ({flag}): {len(absent):,} of its ids not here: {some(absent, 3)}")
            why = f"not in {path} (--extract)" if flag == "--extract" else f"in {path} (--exclude)"
            narrow(named if flag == "--extract" else ~named, why)
    if not keep.any():
        told = "; ".join(f"{count:,} {why}" for why, count in left_out)
        raise ValueError(f"no variant is left of {geno.shape[1]:,}: {told}")
    return Chosen(geno if keep.all() else geno.subset(variants=keep), left_out, notes)


def set_aside(geno: Genotypes, options: Any) -> list[tuple[int, str]]:
    """Return (position, reason) of the variants that their own genotypes rule out.

    Parameters
    ----------
    geno : Genotypes
        With the samples of the fit only: frequencies and missing rates are theirs.
    options : StudyOptions
    """
    why = np.zeros(geno.shape[1], dtype=np.uint8)
    reasons = [""]

    def mark(mask: Mask, reason: str) -> None:
        reasons.append(reason)
        why[mask & (why == 0)] = len(reasons) - 1

    mark(_many_alleles(geno), "more than two alleles")
    mark(geno.counts()[:, 3] == len(geno), "all calls missing")
    mark(geno.monomorphic(), "monomorphic")
    if options.geno < 1.0:
        mark(geno.missing_rate() > options.geno, f"missing rate above {options.geno:g}")
    if options.maf > 0.0:
        frequency = geno.allele_frequency()
        rare = np.minimum(frequency, 1.0 - frequency) < options.maf
        mark(rare, f"minor allele frequency below {options.maf:g}")
    if options.hwe > 0.0:
        mark(hardy_weinberg(geno) < options.hwe, f"Hardy-Weinberg p below {options.hwe:g}")
    return [(int(j), reasons[why[j]]) for j in np.flatnonzero(why)]


def _many_alleles(geno: Genotypes) -> Mask:
    alleles = geno.variants.a1
    names = alleles.names if isinstance(alleles, CodedColumn) else alleles
    many = np.array(["," in name for name in names], dtype=np.bool_)
    return many[alleles.codes] if isinstance(alleles, CodedColumn) else many


def _on_chromosomes(geno: Genotypes, chosen: tuple[str, ...]) -> Mask:
    plain = geno.chromosome_set.plain
    wanted = {plain(name) for part in chosen for name in _spread(part)}
    column: CodedColumn = geno.variants.chrom
    here = column.isin([name for name in column.names if plain(name) in wanted])
    if not here.any():
        raise ValueError(
            f"--chr: no variant on chromosome {some(sorted(wanted))}; there are {some(column.unique())}"
        )
    return here


def _spread(part: str) -> list[str]:
    """Write a range such as 1-4 in full."""
    first, _, last = part.partition("-")
    if first.isdigit() and last.isdigit() and int(first) <= int(last):
        return [str(k) for k in range(int(first), int(last) + 1)]
    return [part]


def plain_chromosome(name: str, chromosome_set: ChromosomeSet = HUMAN) -> str:
    """Name a chromosome in one way: chr1 is 1, 23 is X."""
    return chromosome_set.plain(name)


def _named(geno: Genotypes, path: str) -> tuple[Mask, list[str]]:
    """Say which variants a list names, and which of its ids are no variant's."""
    header, rows = read_list(path, ID_HEADER)
    column = next((k for k, name in enumerate(header) if name in ID_HEADER), 0)
    listed = list(dict.fromkeys(row[column] for row in rows))
    match = geno.variants.id.match(listed)
    named: Mask = match >= 0
    if not named.any():
        raise ValueError(f"{path}: none of its {len(listed):,} variant ids is in {geno.path}")
    found = set(np.unique(match[named]).tolist())
    return named, [name for k, name in enumerate(listed) if k not in found]
