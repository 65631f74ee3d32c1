"""Variants that take no part in a fit, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import read_list, some
from riata._io.text_columns import CodedColumn
from riata._io.wording import agree
from riata.genetics.chromosomes import ChromosomeSet, Kind
from riata.genetics.genotypes import Genotypes
from riata.genetics.quality import FEMALE, MALE, hardy_weinberg, observe, of_kind
from riata.genetics.score_file import own_id
from riata.genetics.variant_matching import NO_ID

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
        on_them, absent = _on_chromosomes(geno, options.chrom)
        if absent:
            notes.append(f"--chr: no variant on chromosome {some(absent)}")
        narrow(on_them, "not on the chromosomes of --chr")
    for path, flag in ((options.extract, "--extract"), (options.exclude, "--exclude")):
        if path is not None:
            files.append(path)
            named, remarks = _named(geno, path)
            notes += [f"{path} ({flag}): {what}" for what in remarks]
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
    if options.geno < 1.0 or options.maf > 0.0:
        seen = observe(geno)
        mark(seen.missing_rate > options.geno, f"missing rate above {options.geno:g}")
        rare = np.minimum(seen.frequency, 1.0 - seen.frequency) < options.maf
        mark(rare, f"minor allele frequency below {options.maf:g}")
    if options.hwe > 0.0:
        mark(hardy_weinberg(geno) < options.hwe, f"Hardy-Weinberg p below {options.hwe:g}")
    return [(int(j), reasons[why[j]]) for j in np.flatnonzero(why)]


def filter_notes(geno: Genotypes, options: Any) -> list[str]:
    """Say which filters see children, whom PLINK leaves out, and which lack a sex they need on X or Y."""
    told = []
    looking = [flag for flag, asked in (("--maf", options.maf), ("--hwe", options.hwe)) if asked > 0.0]
    children = ~(geno.samples.father.isin(["0"]) & geno.samples.mother.isin(["0"]))
    if looking and children.any():
        what = "samples have parents: they count too, as in PLINK with --nonfounders"
        told.append(f"{' and '.join(looking)}: {int(children.sum()):,} {what}")
    kinds: tuple[Kind, Kind] = ("X", "Y")
    asked = [{"--hwe": options.hwe > 0.0}, {"--geno": options.geno < 1.0, "--maf": options.maf > 0.0}]
    for kind, sex, who, flags in zip(kinds, (FEMALE, MALE), ("woman", "man"), asked, strict=True):
        given = [flag for flag, wanted in flags.items() if wanted]
        if given and of_kind(geno, kind).any() and not (geno.samples.sex == sex).any():
            told.append(f"{' and '.join(given)}: not on {kind}, no {who} (sex {sex}) is among the samples")
    return told


def _many_alleles(geno: Genotypes) -> Mask:
    alleles = geno.variants.a1
    names = alleles.names if isinstance(alleles, CodedColumn) else alleles
    many = np.array(["," in name for name in names], dtype=np.bool_)
    return many[alleles.codes] if isinstance(alleles, CodedColumn) else many


def _on_chromosomes(geno: Genotypes, chosen: tuple[str, ...]) -> tuple[Mask, list[str]]:
    """Say which variants are on the chromosomes of ``--chr``, and which parts of it none is on.

    Raises
    ------
    ValueError
        When none is on any of them, or a part names no chromosome at all.
    """
    column: CodedColumn = geno.variants.chrom
    there = column.unique()
    known = geno.chromosome_set
    wanted = {part: _meant(part, there, known) for part in chosen}
    absent = [part for part, names in wanted.items() if not names]
    strange = [part for part in absent if not (known.knows(part) or _ends(part, known))]
    if strange or len(absent) == len(wanted):
        raise ValueError(
            f"--chr: no variant on chromosome {some(strange or absent)}; there are {known.listed(there)}"
        )
    return column.isin({name for names in wanted.values() for name in names}), absent


def _meant(part: str, there: list[str], known: ChromosomeSet) -> list[str]:
    """Return which of the names of a file a name, or a range such as 1-4 or 22-X, means."""
    named = [name for name in there if known.plain(name) == known.plain(part)]
    ends = None if named else _ends(part, known)
    if ends is None:
        return named
    first, last = map(known.order, ends)
    if first > last:
        raise ValueError(f"--chr: the range {part} must go upwards")
    return [name for name in there if _in_range(name, known) and first <= known.order(name) <= last]


def _ends(part: str, known: ChromosomeSet) -> tuple[str, str] | None:
    """Return the ends of a range; None where it is none."""
    first, _, last = part.partition("-")
    return (first, last) if _in_range(first, known) and _in_range(last, known) else None


def _in_range(name: str, known: ChromosomeSet) -> bool:
    """Say whether a name can be an end of a range, or within one: numbers, and chromosomes that are known."""
    return known.knows(name) or (known.plain(name).isdecimal() and known.kind(name) != "unplaced")


def _named(geno: Genotypes, path: str) -> tuple[Mask, list[str]]:
    """Say which variants a list names, and what is to be told of it.

    Without a header every word is an id, as in PLINK, also ``.``; in a table a row without an id, such as one
    of a table of hits, names nothing.
    """
    header, rows = read_list(path, ID_HEADER)
    column = next((k for k, name in enumerate(header) if name in ID_HEADER), None)
    if column is None:
        words = [word for row in rows for word in row]
    else:
        words = [word for row in rows if (word := _id_of(row, column, header)) not in NO_ID]
    listed = list(dict.fromkeys(words))
    match = geno.variants.id.match(listed)
    named: Mask = match >= 0
    told = []
    if column is not None and (blank := len(rows) - len(words)):
        have, name = agree(blank, "has", "have"), agree(blank, "names", "name")
        told.append(f"{blank:,} of its rows {have} no id, and {name} no variant")
    if not named.any():
        more = f" ({told[0]})" if told else ""
        raise ValueError(f"{path}: none of its {len(listed):,} variant ids is in {geno.path}{more}")
    found = set(np.unique(match[named]).tolist())
    absent = [name for k, name in enumerate(listed) if k not in found]
    if absent:
        are = agree(len(absent), "is", "are")
        told.append(f"{len(absent):,} of its ids {are} not here: {some(absent, 3)}")
    return named, told


def _id_of(row: list[str], column: int, header: list[str]) -> str:
    """Return the id of a row of a table; in one of riata's own weights it may stand in the description."""
    cells = dict(zip(header, row, strict=False))
    return (row[column] if column < len(row) else "") or own_id(cells.get("variant_description", ""))
