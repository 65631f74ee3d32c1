"""Which genotype files the command line was given, opened."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from riata._io.tables import TextTable
from riata._io.wording import counted
from riata.genetics.genotypes import Genotypes
from riata.genetics.opening import open_genotypes
from riata.study.joining import Joiner
from riata.study.options import SourceOptions

#: Options that name genotypes, and what they hold.
SOURCES = {"bfile": ".bed", "pfile": ".pgen", "bgen": ".bgen"}


def given_source(options: SourceOptions) -> str:
    """Return which of ``bfile, pfile, bgen, matrix`` is given.

    Raises
    ------
    ValueError
        When none or several are.
    """
    given = [name for name in (*SOURCES, "matrix") if getattr(options, name)]
    if len(given) != 1:
        told = f", got {' and '.join(f'--{name}' for name in given)}" if given else ""
        raise ValueError(f"give exactly one of --bfile, --pfile, --bgen and --matrix{told}")
    if options.sample is not None and given != ["bgen"]:
        raise ValueError("--sample is for --bgen")
    check_chr_set(options)
    return given[0]


def check_chr_set(options: SourceOptions) -> None:
    """Refuse ``--chr-set`` without genotypes."""
    if options.chr_set is not None and not any(getattr(options, name) for name in SOURCES):
        raise ValueError("--chr-set is for genotypes: --bfile, --pfile or --bgen")


def genotypes_of(options: SourceOptions, counted_allele: str = "A1") -> Genotypes:
    """Open the genotypes that ``--bfile``, ``--pfile`` or ``--bgen`` name: one file, several, a pattern."""
    name = given_source(options)
    suffix = SOURCES[name]
    value = getattr(options, name)
    paths = [value] if isinstance(value, str) else list(value)
    paths = [path if path.endswith(suffix) else path + suffix for path in paths]
    more: dict[str, Any] = {} if options.sample is None else {"sample": options.sample}
    if options.chr_set is not None:
        more["chr_set"] = " ".join(options.chr_set)
    allele: Any = counted_allele
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        geno = open_genotypes(paths[0] if len(paths) == 1 else paths, counted_allele=allele, **more)
    told = (str(item.message) for item in caught)
    geno.notes.extend(note for note in dict.fromkeys(told) if note not in geno.notes)
    return geno


def opening_notes(geno: Genotypes) -> list[str]:
    """Return what opening genotypes has to tell, variants that were left out too."""
    return [*geno.notes, *(f"{counted(count, 'variant')} left out: {why}" for why, count in geno.left_out)]


class _SampleTable(TextTable):
    """Columns that the samples came with: of a row, the sample is known and not the line."""

    def place(self, i: int) -> str:
        return f"{self.path}, sample {self.column('IID')[i]}"


def sample_text_table(joiner: Joiner, columns: Mapping[str, Sequence[str]]) -> TextTable:
    """Return columns that the samples came with as a table with their ids, as if read from a file."""
    ids = {} if joiner.families is None else {"FID": joiner.families}
    ids["IID"] = joiner.ids
    every = {**ids, **{name: cells for name, cells in columns.items() if name not in ids}}
    return _SampleTable(joiner.source, list(every), every, range(1, len(joiner.ids) + 1))


def genotype_joiner(geno: Genotypes) -> Joiner:
    """Return the samples of genotypes, for other files to be matched to."""
    tables = (file for file in geno.files if file.endswith((".fam", ".psam", ".sample")))
    return Joiner(next(tables, geno.path), list(geno.samples.iid), list(geno.samples.fid))
