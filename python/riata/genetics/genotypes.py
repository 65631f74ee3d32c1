"""Genotypes seen through their files, which stay on disk; variants and samples as light tables."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._io.staging import commit_folder
from riata._io.tables import StrPath, Table, concat_tables, some
from riata._io.text_columns import TextColumn
from riata._io.wording import counted
from riata.genetics.bed_file import open_bed_file
from riata.genetics.bgen import BgenReader
from riata.genetics.chromosome_files import Matched, is_pattern, open_pattern
from riata.genetics.chromosomes import HUMAN, ChromosomeSet, ChromosomeWarning, ChrSet
from riata.genetics.loading import Reader
from riata.genetics.pgen import PgenReader
from riata.genetics.plink_tables import read_bim, read_fam
from riata.genetics.sources import (
    Opened,
    PackedSource,
    Part,
    ReaderSource,
    Source,
    Weighing,
    decode,
    make_parts,
    side_by_side,
)

if TYPE_CHECKING:
    from riata import _core

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
    if counted_allele is not None and counted_allele not in _ALLELES:
        raise ValueError(f"counted_allele must be one of {', '.join(_ALLELES)}, got {counted_allele!r}")
    asked = None if chr_set is None else ChromosomeSet.of(chr_set)
    given: list[StrPath] = [path] if isinstance(path, str | os.PathLike) else list(path)
    if not given:
        raise ValueError("path must name at least one file, got none")
    matched = [_open_named(fspath(name), sample, asked) for name in given]
    opened = [one for each in matched for one in each.opened]
    for other in opened[1:]:
        _check_same_samples(opened[0], other)
    variants = concat_tables([one.variants for one in opened])
    chromosome_set, odd = _chromosomes(variants.chrom.unique(), _agreed(opened, asked))
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
        _ALLELES[counted_allele or "A1"],
        files=[file for one in opened for file in one.files],
        chromosome_set=chromosome_set,
        left_out=[("negative position, which switches them off", off)] if off else [],
        _columns=on if off else None,
        notes=[*(note for each in matched for note in each.notes), *gaps, *odd, *odd_files],
    )


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


class Genotypes:
    """Genotypes of n samples at p variants, seen through their files.

    Made by :func:`open_genotypes`. Element (i, j) is the number of copies (0, 1, 2) of the counted allele;
    missing calls stand at the variant's mean count over the samples in use. Nothing is decoded until asked
    for, and the files are never written to.

    Attributes
    ----------
    samples : Table
        ``fid, iid, father, mother, sex, phenotype``, n rows, text; phenotypes of a ``.psam`` or
        ``.sample`` have their own names, too, and where there are several none is ``phenotype``.
    variants : Table
        ``chrom, id, cm, pos, a1, a2``, p rows; the text stays compact until it is asked for.
    shape : tuple of int
        (n, p).
    counted_allele : {"A1", "A2"}
    path : str
        The genotype file, the first of them if there are several.
    files : list of str
        Every file that belongs to the genotypes.
    chromosome_set : ChromosomeSet
        What the names of chromosomes mean.
    notes : list of str
        What opening the files has to tell: which an ``@`` stood for, and what looked odd.
    left_out : list of (reason, count)
        Variants of the files that were left out on opening.

    Examples
    --------
    >>> import riata, tempfile
    >>> geno = riata.open_genotypes(riata.simulate_genotypes(tempfile.mkdtemp() + "/study", 60, 200))
    >>> geno.subset(samples=range(20)).shape
    (20, 200)
    """

    def __init__(
        self,
        sources: Sequence[Source],
        variants: Table,
        samples: Table,
        counted_allele: str,
        *,
        files: Sequence[str] = (),
        chromosome_set: ChromosomeSet = HUMAN,
        notes: Sequence[str] = (),
        left_out: Sequence[tuple[str, int]] = (),
        _rows: NDArray[np.int64] | None = None,
        _columns: NDArray[np.int64] | None = None,
    ) -> None:
        self.sources, self.variants, self.samples = tuple(sources), variants, samples
        self.counted_allele, self.files = counted_allele, list(files)
        self.chromosome_set, self.notes = chromosome_set, list(notes)
        self.left_out = list(left_out)
        self._rows, self._columns = _rows, _columns
        self._opened: list[Part] | None = None
        self._frequency: NDArray[np.float64] | None = None

    @property
    def path(self) -> str:
        """The file, or the first of several."""
        return self.sources[0].path

    @property
    def shape(self) -> tuple[int, int]:
        """Number of samples and of variants."""
        return len(self.samples), len(self.variants)

    def __len__(self) -> int:
        return len(self.samples)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the memory map, which the copy opens again when it needs it."""
        return {**self.__dict__, "_opened": None, "_frequency": None}

    def __repr__(self) -> str:
        n, p = self.shape
        more = f" and {len(self.sources) - 1} more" if len(self.sources) > 1 else ""
        return (
            f"Genotypes({self.path!r}{more}: {counted(n, 'sample')} x {counted(p, 'variant')}, counting "
            f"{self.counted_allele})"
        )

    def _repr_html_(self) -> str:
        """Show a card in notebooks."""
        from riata.report.cards import genotypes_card

        return genotypes_card(self)

    @property
    def feature_names(self) -> TextColumn:
        """Variant ids, (p,)."""
        ids: TextColumn = self.variants.id
        return ids

    @property
    def effect_allele(self) -> TextColumn:
        """The counted allele of each variant, (p,)."""
        counted: TextColumn = self.variants.a1 if self.counted_allele == "A1" else self.variants.a2
        return counted

    @property
    def other_allele(self) -> TextColumn:
        """The allele that is not counted, (p,)."""
        other: TextColumn = self.variants.a2 if self.counted_allele == "A1" else self.variants.a1
        return other

    def subset(self, *, samples: ArrayLike | None = None, variants: ArrayLike | None = None) -> Genotypes:
        """Return a view on some samples and variants, for fits too; no genotype is copied.

        Parameters
        ----------
        samples, variants : boolean mask, positions, or ids, optional
            Samples are named by IID, variants by ID. The order given is kept.

        Raises
        ------
        ValueError
            When a position is out of range or given twice, or an id is unknown or ambiguous.
        """
        rows = _positions(samples, self.samples.iid, "samples")
        columns = _positions(variants, self.variants.id, "variants")
        return Genotypes(
            self.sources,
            self.variants if columns is None else self.variants[columns],
            self.samples if rows is None else self.samples[rows],
            self.counted_allele,
            files=self.files,
            chromosome_set=self.chromosome_set,
            notes=self.notes,
            left_out=self.left_out,
            _rows=_compose(self._rows, rows),
            _columns=_compose(self._columns, columns),
        )

    def counts(self) -> NDArray[np.uint32]:
        """Count, per variant, the samples with 0, 1 and 2 copies and with no call: (p, 4).

        A dosage counts as the nearest number of copies. One pass over the genotypes, the first time.
        """
        return _joined([part.counts for part in self._parts()], np.empty((0, 4), dtype=np.uint32))

    def allele_frequency(self) -> NDArray[np.float64]:
        """Return half the mean count of the counted allele among the calls, (p,); NaN where there is none.

        Everybody counts two alleles, as X of a fit has them: twice this is what missing calls stand at. On X
        and Y it is not the frequency that PLINK reports: see `sex_aware_frequency`.
        """
        return _joined([part.frequency() for part in self._parts()], np.empty(0))

    def sex_aware_frequency(self) -> NDArray[np.float64]:
        """Return the frequency of the counted allele as PLINK 2 has it, (p,); NaN where there is no call.

        A man has one allele on X; on Y men alone count. Samples of unknown sex count as women. Elsewhere it
        is `allele_frequency`.
        """
        from riata.genetics.quality import observe

        return observe(self).frequency

    def missing_rate(self) -> NDArray[np.float64]:
        """Return the share of samples without a call, (p,); on Y of the men, NaN without any."""
        from riata.genetics.quality import observe

        return observe(self).missing_rate

    def monomorphic(self) -> NDArray[np.bool_]:
        """Say which variants do not vary: at most one kind of genotype is called, (p,)."""
        return _joined([part.constant() for part in self._parts()], np.empty(0, dtype=np.bool_))

    def qc(self) -> Table:
        """Return what quality control asks of each variant, over the samples in use; one row a variant.

        Returns
        -------
        Table
            ``chrom, id, pos``; ``n_called``, samples with a call, and ``missing_rate``, of the men on Y;
            ``frequency`` of the counted allele, see `sex_aware_frequency`, and ``maf``, the smaller of the
            two; ``hwe_p``, the exact test of Hardy-Weinberg equilibrium; ``monomorphic``; ``duplicate_id``
            and ``duplicate_site`` (the same chromosome, position and pair of alleles) of an earlier variant;
            ``identical_to``, the position of the first variant with the same genotypes, -1 where there is
            none before it.

        Notes
        -----
        ``hwe_p`` is over the women (sex 2) on X, and NaN on Y and MT. Dosages are tested as the nearest
        number of copies, and compared with those of their own file.

        References
        ----------
        Wigginton, Cutler & Abecasis (2005), A note on exact tests of Hardy-Weinberg equilibrium, American
        Journal of Human Genetics 76.
        """
        from riata.genetics.quality import quality_table

        return quality_table(self)

    def identical_to(self) -> NDArray[np.int64]:
        """Return the first variant with the same genotypes in the samples in use, (p,); -1: it is that."""
        pieces, first = [], 0
        for part in self._parts():
            same = part.identical()
            pieces.append(np.where(same >= 0, same + first, -1))
            first += part.p
        return _joined(pieces, np.empty(0, dtype=np.int64))

    def to_numpy(self, variants: ArrayLike | None = None) -> NDArray[np.float64]:
        """Decode genotypes to float64, samples x variants, NaN where missing.

        Parameters
        ----------
        variants : boolean mask, positions or ids, optional
            Variants to decode; default all (8 bytes a genotype: meant for small pieces).
        """
        return self._decode(_positions(variants, self.variants.id, "variants"))

    def _decode(self, columns: NDArray[np.int64] | None) -> NDArray[np.float64]:
        """`to_numpy` for distinct positions."""
        return decode(self._make_parts(_compose(self._columns, columns)), self.shape[0])

    def _weighing(self, columns: NDArray[np.int64]) -> Weighing:
        """Products of some variants, at distinct positions, with weights."""
        return Weighing(self._make_parts(_compose(self._columns, columns)), self.shape[0])

    def _copies_of_allele(self, column: int, allele: int) -> NDArray[np.float64]:
        """Copies of one allele of a variant that counts several (1 is the first), NaN where missing."""
        k = column if self._columns is None else int(self._columns[column])
        for source in self.sources:
            if k < source.p:
                break
            k -= source.p
        if not isinstance(source, ReaderSource):
            raise ValueError(
                f"{source.path}: variant {self.variants.id[column]} counts the alleles "
                f"{self.effect_allele[column]} together and cannot tell them apart"
            )
        copies = source.read_allele(k, allele)
        return copies if self._rows is None else copies[self._rows]

    def _imputed_frequency(self) -> NDArray[np.float64]:
        """Frequency of the counted allele that a missing call stands for, (p,): that of the calls, else 0."""
        if self._frequency is None:  # every fit to these samples keeps it
            self._frequency = _joined([part.imputed() for part in self._parts()], np.empty(0)) / 2.0
        return self._frequency

    def _standard_deviations(self) -> NDArray[np.float64]:
        """Of the samples in use, 1/n, missing calls at their mean, (p,)."""
        return _joined([part.standard_deviations() for part in self._parts()], np.empty(0))

    def check_files(self) -> None:
        """Refuse results of two files.

        Raises
        ------
        OSError
            When a ``.bed`` was written to since it was opened; one that another has replaced is as it was.
        """
        for source in self.sources:
            if isinstance(source, PackedSource):
                source.check()

    def _make_parts(self, columns: NDArray[np.int64] | None) -> list[Part]:
        return make_parts(self.sources, self._rows, columns, self.counted_allele == "A1")

    def _parts(self) -> list[Part]:
        """Return the storages of the variants in use; missing calls stand at the mean of its samples."""
        if self._opened is None:
            self._opened = self._make_parts(self._columns)
        return self._opened

    def _design(self) -> tuple[_core.Design, NDArray[np.int64] | None]:
        """Return the core design and, when samples were chosen, the row of the file of each of them."""
        if 0 in self.shape:
            raise ValueError(f"X must have at least one sample and one variant, got shape {self.shape}")
        return side_by_side(self._parts()), self._rows


def _joined(pieces: list[NDArray[Any]], none: NDArray[Any]) -> NDArray[Any]:
    """The pieces as one array; `none` when there is none of them."""
    return pieces[0] if len(pieces) == 1 else np.concatenate([none, *pieces])


def _chromosomes(names: list[str], asked: ChromosomeSet | None) -> tuple[ChromosomeSet, list[str]]:
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


def _positions(chosen: ArrayLike | None, ids: TextColumn, what: str) -> NDArray[np.int64] | None:
    if chosen is None:
        return None
    wanted = np.asarray(chosen)
    if wanted.ndim != 1:
        raise ValueError(f"{what} must be one-dimensional, got shape {wanted.shape}")
    if wanted.dtype == bool:
        if len(wanted) != len(ids):
            raise ValueError(f"{what} mask must have {len(ids)} entries, got {len(wanted)}")
        return np.flatnonzero(wanted).astype(np.int64)
    if wanted.dtype.kind in "UO":
        names = [str(name) for name in wanted]
        found, count = ids.find(names)
        unknown = [names[k] for k in np.flatnonzero(count == 0)]
        if unknown:
            raise ValueError(f"{what} not in the file: {some(unknown)}")
        ambiguous = [names[k] for k in np.flatnonzero(count > 1)]
        if ambiguous:
            raise ValueError(
                f"{what} named more than once in the file: {some(ambiguous)}; give positions instead"
            )
    elif wanted.dtype.kind in "iu" or wanted.size == 0:
        found = wanted.astype(np.int64)
        if found.size and (found.min() < -len(ids) or found.max() >= len(ids)):
            raise ValueError(
                f"{what} positions must lie in [0, {len(ids)}), got {found.min()} to {found.max()}"
            )
        found = np.where(found < 0, found + len(ids), found)
    else:
        raise TypeError(f"{what} must be a boolean mask, integer positions or ids, got dtype {wanted.dtype}")
    seen = np.zeros(len(ids), dtype=np.bool_)
    seen[found] = True
    if np.count_nonzero(seen) != len(found):
        raise ValueError(f"{what} must be distinct, got the same one twice")
    return found


def _compose(outer: NDArray[np.int64] | None, inner: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    if outer is None or inner is None:
        return inner if outer is None else outer
    return outer[inner]
