"""One file per chromosome: the files that a name with @ stands for."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from riata._io.tables import some
from riata.genetics.chromosomes import HUMAN, ChromosomeSet
from riata.genetics.sources import Opened

#: Tables of variants beside genotypes, which show that a file was meant to be there.
_TABLES = {".bed": (".bim",), ".pgen": (".pvar", ".pvar.zst"), ".bgen": (".bgen.bgi",)}


@dataclass
class Matched:
    """The files that a name stands for, opened, in reading order.

    Attributes
    ----------
    opened : list of Opened
    notes : list of str
        Which files were taken, and which that look alike were not, with the reason.
    gap : str
        Which chromosomes have none, where most have one; else empty.
    """

    opened: list[Opened]
    notes: list[str] = field(default_factory=list)
    gap: str = ""


def is_pattern(name: str, suffixes: Iterable[str]) -> bool:
    """Say whether an @ in a file's name stands for the chromosome: not where there is a file of that name."""
    there = any(Path(file).is_file() for file in (name, *(name + suffix for suffix in suffixes)))
    return "@" in Path(name).name and not there


def open_pattern(
    pattern: str, suffixes: Sequence[str], asked: ChromosomeSet | None, open_one: Callable[[str], Opened]
) -> Matched:
    """Open the files with a chromosome in place of the last @ of their name.

    A chromosome is any name that `asked` (else the human set) knows. A file named otherwise (2L, LG01,
    scaffold_7, 29) is taken where all its variants lie on one chromosome that none of the others is named
    after; a name that goes on after a chromosome (1_backup) is not one.

    Raises
    ------
    FileNotFoundError
        When there is none, or the table of variants of one lies there alone.
    ValueError
        When two files are of the same chromosome.
    """
    files = matching_files(pattern, suffixes)
    taken, left_out = _take(pattern, files, HUMAN if asked is None else asked, open_one)
    chromosomes = ChromosomeSet.guess(taken) if asked is None else asked
    order = sorted(taken, key=lambda label: (chromosomes.order(label), label))
    for first, second in pairwise(order):
        if chromosomes.plain(first) == chromosomes.plain(second):
            raise _twins(pattern, files[first], files[second], chromosomes.plain(first))
    _refuse_lone_tables(pattern, suffixes, chromosomes, order)
    told = f"left out {some(left_out, 5)}" if left_out else ""
    if not order:
        what = f"{pattern}: no such file for any chromosome in place of @"
        raise FileNotFoundError(f"{what}; {told}" if told else what)
    opened = [found if isinstance(found := taken[label], Opened) else open_one(found) for label in order]
    plural = "s" * (len(order) > 1)
    notes = [
        f"{len(order):,} file{plural}, of chromosome{plural} {chromosomes.listed(order)}",
        told,
        _strangers(chromosomes, dict(zip(order, opened, strict=True))),
    ]
    gap = _gap(chromosomes, order)
    return Matched(
        opened, [f"{pattern}: {note}" for note in notes if note], f"{pattern}: {gap}" if gap else ""
    )


def _take(
    pattern: str, files: dict[str, str], known: ChromosomeSet, open_one: Callable[[str], Opened]
) -> tuple[dict[str, str | Opened], list[str]]:
    """Return the files that are of one chromosome, by what stands for the @, and others with the reason.

    Files that had to be looked into come opened.
    """
    taken: dict[str, str | Opened] = {k: file for k, file in files.items() if known.kind(k) != "other"}
    named = {known.plain(label): files[label] for label in taken}
    holders: dict[str, str] = {}
    left_out = []
    for label in sorted(files.keys() - taken.keys()):
        found = _by_its_variants(label, files[label], known, named, open_one)
        if isinstance(found, str):
            left_out.append(f"{Path(files[label]).name} ({found})")
            continue
        taken[label] = found
        only = known.plain(found.variants.chrom[0])
        if holders.setdefault(only, files[label]) != files[label]:
            raise _twins(pattern, holders[only], files[label], only)
    return taken, left_out


def matching_files(pattern: str, suffixes: Sequence[str]) -> dict[str, str]:
    """Return the files that fit a pattern by what stands for its @, the first of several formats."""
    before, after = pattern.rsplit("@", 1)
    ends = [after] if after.endswith(tuple(suffixes)) else [after + suffix for suffix in suffixes]
    found: dict[str, str] = {}
    for end in ends:
        for label in _labels(before, end):
            found.setdefault(label, f"{before}{label}{end}")
    return found


def _labels(before: str, end: str) -> list[str]:
    """Return what stands between the beginning and the end of a path in the files there are."""
    folder, head = os.path.split(before)
    here = Path(folder or ".")
    if not here.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    names = (file.name for file in here.iterdir() if file.is_file())
    least = len(head) + len(end)
    return sorted(
        name[len(head) : len(name) - len(end)]
        for name in names
        if name.startswith(head) and name.endswith(end) and len(name) > least
    )


def _by_its_variants(
    label: str,
    file: str,
    known: ChromosomeSet,
    named: dict[str, str],
    open_one: Callable[[str], Opened],
) -> Opened | str:
    """Open a file whose name is no known chromosome, or return why it is none of them."""
    first = re.match(r"([^\s._-]+)[\s._-]", label)
    if first is not None and known.kind(first[1]) != "other":
        return f"its name goes on after chromosome {known.plain(first[1])}"
    try:
        opened = open_one(file)
    except (OSError, ValueError) as error:
        return str(error)
    there = {known.plain(name) for name in opened.variants.chrom.unique()}
    if len(there) != 1:
        return f"it holds chromosomes {known.listed(there)}"
    (only,) = there
    if only in named:
        return f"it holds chromosome {only}, as {Path(named[only]).name} does by its name"
    return opened


def _twins(pattern: str, first: str, second: str, chromosome: str) -> ValueError:
    return ValueError(
        f"{pattern}: {Path(first).name} and {Path(second).name} are both of chromosome {chromosome}; give "
        "the files one by one"
    )


def _refuse_lone_tables(
    pattern: str, suffixes: Sequence[str], chromosomes: ChromosomeSet, taken: Iterable[str]
) -> None:
    """Refuse a table of variants of a known chromosome that has lost its genotypes."""
    before, after = pattern.rsplit("@", 1)
    given = [suffix for suffix in suffixes if after.endswith(suffix)]
    here = {chromosomes.plain(label) for label in taken}
    for suffix in given or suffixes:
        for table in _TABLES[suffix]:
            end = after.removesuffix(suffix) + table
            for label in _labels(before, end):
                if chromosomes.kind(label) != "other" and chromosomes.plain(label) not in here:
                    stem = before + label + after.removesuffix(suffix)
                    raise FileNotFoundError(f"{stem}{suffix}: no such file, but {stem}{table} is there")


def _strangers(chromosomes: ChromosomeSet, opened: dict[str, Opened]) -> str:
    """Say which files hold other chromosomes than the one they are named after; XY may lie with X."""

    def placed(name: str) -> str:
        return "X" if chromosomes.kind(name) == "XY" else chromosomes.plain(name)

    out = []
    for label, one in opened.items():
        there = [name for name in one.variants.chrom.unique() if chromosomes.knows(name)]
        if chromosomes.knows(label) and any(placed(name) != placed(label) for name in there):
            out.append(f"{Path(one.source.path).name} holds chromosome {chromosomes.listed(there)}")
    return some(out, 5)


def _gap(chromosomes: ChromosomeSet, labels: Iterable[str]) -> str:
    """Say which numbers are missing, where most are there."""
    plain = [chromosomes.plain(label) for label in labels]
    there = {int(name) for name in plain if name.isdecimal() and name != "0"}
    most = 2 * len(there) > chromosomes.autosomes
    last = max(there, default=0) if not most else max(*there, chromosomes.autosomes)
    missing = [str(k) for k in range(1, last + 1) if k not in there]
    if not missing or len(missing) >= len(there):
        return ""
    return f"there is no file of chromosome {chromosomes.listed(missing)}"
