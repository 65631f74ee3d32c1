"""Opening genotype files: what a name stands for, which format it is, and whether files agree."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from os import fspath
from pathlib import Path
from typing import Literal

import numpy as np

from riata._io.staging import commit_folder
from riata._io.tables import StrPath, concat_tables
from riata._io.wording import counted
from riata.genetics.bed_file import open_bed_file
from riata.genetics.bgen import BgenReader
from riata.genetics.chromosome_files import Matched, is_pattern, open_pattern
from riata.genetics.chromosomes import HUMAN, ChromosomeSet, ChromosomeWarning, ChrSet
from riata.genetics.genotypes import Genotypes
from riata.genetics.loading import Reader
from riata.genetics.pgen import PgenReader
from riata.genetics.plink_tables import read_bim, read_fam
from riata.genetics.sources import (
    Opened,
    PackedSource,
    ReaderSource,
)

_ALLELES = {"A1": "A1", "ALT": "A1", "A2": "A2", "REF": "A2"}


def open_genotypes(
    path: StrPath | Sequence[StrPath],
    *,
    counted_allele: Literal["A1", "A2", "ALT", "REF"] | None = None,
    sample: StrPath | None = None,
    chr_set: ChrSet = None,
) -> Genotypes:
    """Open genotype files (PLINK 1 ``.bed``, PLINK 2 ``.pgen``, ``.bgen``) without reading the genotypes.

    Parameters
    ----------
    path : str, path-like, or sequence of them
        ``"study.bed"`` or the prefix ``"study"``; ``study.bim`` and ``study.fam`` lie beside it. Several
        files are one design, their variants one after the other; they must hold the same samples in the same
        order. ``"study_chr@"`` stands for the files there are with a chromosome in place of the ``@``, in
        natural order: 1, 01 or chr1, X, PAR1, 2L, scaffold_7. Which they are, ``.notes`` of the result say.
        Where a file is called so, @ and all, it is that file.
    counted_allele : {"A1", "A2", "ALT", "REF"}, optional
        Which allele a genotype counts. A1 (the default for ``.bed``) is column 5 of the ``.bim``, in PLINK 1
        usually the minor allele, A2 column 6. Formats that name a reference allele count ALT by default;
        their ALT is the `a1` of ``.variants`` and their REF the `a2`, and ALT and A1 mean the same here,
        as do REF and A2. The ALT of a ``.bgen`` is its second allele, whichever of the two is the reference.
    sample : str or path-like, optional
        Oxford ``.sample`` file of a ``.bgen``, or of several; default ``study.sample`` where it exists.
    chr_set : str, int or ChromosomeSet, optional
        Which chromosomes there are, as PLINK's ``--chr-set``: a species (``"cow"``), a number of autosomes or
        a `riata.ChromosomeSet`. By default what a ``.pvar`` declares (``##chrSet``), else those
        of humans, where 23 to 26 are X, Y, XY and MT; in files that count beyond 26 all numbers are
        autosomes.

    Returns
    -------
    Genotypes
        To be given as X.

    Raises
    ------
    OSError
        When a file is missing, or the ``.bed`` has the wrong magic bytes, is sample-major, or its size or the
        unused bits of its variants do not match the number of samples and variants.
    ValueError
        When a line of the ``.bim`` or ``.fam`` is malformed (the message names file and line), or files
        opened together do not hold the same samples.

    Warns
    -----
    ChromosomeWarning
        When ``@`` leaves a gap in the numbers of the chromosomes.

    Notes
    -----
    Variants with a negative position are switched off, as in PLINK: they are left out, and ``.left_out``
    counts them. Those at position 0 or on chromosome 0 have no place, and stay.

    Genotypes on X, Y and MT are counted as they are stored: haploid calls are homozygous, so that a man has 0
    or 2 copies on X, which is full dosage compensation.

    A ``.bed`` is opened once and mapped, not read: it may be replaced or deleted while in use. When a program
    shortens or lengthens the very file that is mapped, what uses it ends with an error (on POSIX systems by
    a handler of the signal SIGBUS, for the first thousand files that are open).

    Examples
    --------
    >>> import riata, tempfile
    >>> geno = riata.open_genotypes(riata.simulate_genotypes(tempfile.mkdtemp() + "/study", 60, 200))
    >>> geno.shape, geno.counted_allele
    ((60, 200), 'A1')
    >>> bool(geno.missing_rate().max() < 0.2)
    True

    Files of chromosomes, as one design:

    >>> geno = riata.open_genotypes("ukb_chr@.bed")  # doctest: +SKIP
    """
    allele = allele_named(counted_allele)
    asked = None if chr_set is None else ChromosomeSet.of(chr_set)
    given: list[StrPath] = [path] if isinstance(path, str | os.PathLike) else list(path)
    if not given:
        raise ValueError("path must name at least one file, got none")
    matched = [_open_named(fspath(name), sample, asked) for name in given]
    opened = [one for each in matched for one in each.opened]
    for other in opened[1:]:
        _check_same_samples(opened[0], other)
    variants = concat_tables([one.variants for one in opened])
    chromosome_set, odd = chromosomes_of(variants.chrom.unique(), _agreed(opened, asked))
    gaps = [each.gap for each in matched if each.gap]
    odd_files = [note for one in opened for note in one.notes]
    for note in odd_files:
        warnings.warn(note, UserWarning, stacklevel=2)
    for gap in gaps:
        warnings.warn(gap, ChromosomeWarning, stacklevel=2)
    on = np.flatnonzero(variants.pos >= 0)
    off = len(variants) - len(on)
    if len(on) == 0:
        raise ValueError(
            f"{fspath(given[0])}: all {counted(off, 'variant')} at negative positions, which switch them off"
        )
    return Genotypes(
        [one.source for one in opened],
        variants[on] if off else variants,
        opened[0].samples,
        allele,
        files=[file for one in opened for file in one.files],
        chromosome_set=chromosome_set,
        left_out=[("negative position, which switches them off", off)] if off else [],
        _columns=on if off else None,
        notes=[*(note for each in matched for note in each.notes), *gaps, *odd, *odd_files],
    )


def allele_named(given: str | None) -> str:
    """Return ``A1`` or ``A2`` for any of its names."""
    if given is not None and given not in _ALLELES:
        raise ValueError(f"counted_allele must be one of {', '.join(_ALLELES)}, got {given!r}")
    return _ALLELES[given or "A1"]


def open_bed(path: str) -> Opened:
    """Open a ``.bed`` with the ``.bim`` and ``.fam`` beside it."""
    prefix = path.removesuffix(".bed")
    bed, bim, fam = f"{prefix}.bed", f"{prefix}.bim", f"{prefix}.fam"
    for file in (bed, bim, fam):
        if not Path(file).is_file():
            raise FileNotFoundError(f"{file}: no such file (a PLINK fileset is .bed, .bim and .fam together)")
    variants, samples = read_bim(bim), read_fam(fam)
    if commit_folder(prefix).is_dir():
        raise OSError(f"{bed}: the run that wrote it was killed before all files were in place: repeat it")
    n, p = len(samples), len(variants)
    opened, notes = open_bed_file(bed, n, p)
    return Opened(PackedSource(bed, n, p, bed=opened), variants, samples, [bed, bim, fam], notes=notes)


def _decoded(reader: Reader) -> Opened:
    tables = reader.variants, reader.samples, reader.files
    return Opened(ReaderSource(reader), *tables, chromosome_set=reader.chromosome_set)


#: How a file is opened, by the end of its name; prefixes are tried in this order.
_READERS: dict[str, Callable[[str, StrPath | None], Opened]] = {
    ".bed": lambda path, _: open_bed(path),
    ".pgen": lambda path, _: _decoded(PgenReader(path)),
    ".bgen": lambda path, sample: _decoded(BgenReader(path, sample)),
}


def chromosomes_of(names: list[str], asked: ChromosomeSet | None) -> tuple[ChromosomeSet, list[str]]:
    """Return what the names of a file's chromosomes mean, and what is odd about them."""
    if asked is not None:
        beyond = [name for name in names if asked.plain(name).isdecimal() and asked.kind(name) == "other"]
        told = f"chromosome {asked.listed(beyond)} is not among those of --chr-set {asked}"
        return asked, [told] if beyond else []
    guessed = ChromosomeSet.guess(names)
    told = (
        f"chromosomes are numbered to {guessed.autosomes}, beyond the human 26: all numbers are taken for "
        "autosomes; chr_set (--chr-set) says which species it is"
    )
    return guessed, [] if guessed == HUMAN else [told]


def _agreed(opened: Sequence[Opened], asked: ChromosomeSet | None) -> ChromosomeSet | None:
    """Return the chromosomes asked for, else those that the files declare; refuse what does not agree."""
    agreed, whose = asked, "chr_set (--chr-set) says"
    for one in opened:
        declared = one.chromosome_set
        if declared is None:
            continue
        if agreed is None:
            agreed, whose = declared, one.source.path
        if (declared.autosomes, declared.haploid) != (agreed.autosomes, agreed.haploid):
            raise ValueError(
                f"{one.source.path} declares chromosomes {declared} (##chrSet of its .pvar), {whose} {agreed}"
            )
    return agreed


def _open_named(name: str, sample: StrPath | None, asked: ChromosomeSet | None) -> Matched:
    """Open what a name stands for: one file, or those of the chromosomes there are in place of an @."""
    if is_pattern(name, _READERS):
        return open_pattern(name, list(_READERS), asked, lambda file: _open_one(file, sample))
    return Matched([_open_one(name, sample)])


def _open_one(name: str, sample: StrPath | None) -> Opened:
    suffixed = [name] if name.endswith(tuple(_READERS)) else [name + suffix for suffix in _READERS]
    path = next((file for file in suffixed if Path(file).is_file()), suffixed[0])
    suffix = Path(path).suffix
    if sample is not None and suffix != ".bgen":
        raise ValueError(f"sample is for .bgen files, got {fspath(sample)!r} with {path}")
    return _READERS[suffix](path, sample)


def _check_same_samples(first: Opened, other: Opened) -> None:
    """Refuse files of other samples, naming the first difference."""
    mine, theirs = ([*zip(o.samples.fid, o.samples.iid, strict=True)] for o in (first, other))
    if mine == theirs:
        return
    why = f"{other.source.path}: files opened together must hold the same samples in the same order, but "
    if len(mine) != len(theirs):
        raise ValueError(f"{why}it has {len(theirs):,} samples and {first.source.path} has {len(mine):,}")
    k = next(k for k, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b)
    raise ValueError(
        f"{why}sample {k + 1:,} is {' '.join(theirs[k])} and in {first.source.path} {' '.join(mine[k])}"
    )
