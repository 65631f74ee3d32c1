"""Genotypes seen through their files, which stay on disk; variants and samples as light tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._io.tables import Table
from riata._io.text_columns import TextColumn
from riata._io.wording import counted
from riata.genetics.chromosomes import HUMAN, ChromosomeSet
from riata.genetics.phase import read_phase
from riata.genetics.sources import (
    PackedSource,
    Part,
    ReaderSource,
    Source,
    Weighing,
    decode,
    make_parts,
    side_by_side,
)
from riata.genetics.subsets import compose, positions_of

if TYPE_CHECKING:
    from riata import _core


class Genotypes:
    """Genotypes of n samples at p variants, seen through their files.

    Made by :func:`open_genotypes`. Element (i, j) is the number of copies (0, 1, 2) of the counted allele;
    missing calls are set to the variant's mean count over the samples in use. Nothing is decoded until asked
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
        self._phase: NDArray[np.uint8] | None = None
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
        return {**self.__dict__, "_opened": None, "_phase": None, "_frequency": None}

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
        rows = positions_of(samples, self.samples.iid, "samples")
        columns = positions_of(variants, self.variants.id, "variants")
        return Genotypes(
            self.sources,
            self.variants if columns is None else self.variants[columns],
            self.samples if rows is None else self.samples[rows],
            self.counted_allele,
            files=self.files,
            chromosome_set=self.chromosome_set,
            notes=self.notes,
            left_out=self.left_out,
            _rows=compose(self._rows, rows),
            _columns=compose(self._columns, columns),
        )

    def counts(self) -> NDArray[np.uint32]:
        """Count, per variant, the samples with 0, 1 and 2 copies and with no call: (p, 4).

        A dosage counts as the nearest number of copies. One pass over the genotypes, the first time.
        """
        return _joined([part.counts for part in self._parts()], np.empty((0, 4), dtype=np.uint32))

    def allele_frequency(self) -> NDArray[np.float64]:
        """Return half the mean count of the counted allele among the calls, (p,); NaN where there is none.

        Everybody counts two alleles, as X of a fit has them: missing calls are set to twice this. On X and Y
        it is not the frequency that PLINK reports: see `sex_aware_frequency`.
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
        """Return what quality control asks of each variant, over the samples in use; one row per variant.

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
            Variants to decode; default all (8 bytes per genotype: meant for small pieces).
        """
        return self._decode(positions_of(variants, self.variants.id, "variants"))

    def _decode(self, columns: NDArray[np.int64] | None) -> NDArray[np.float64]:
        """`to_numpy` for distinct positions."""
        return decode(self._make_parts(compose(self._columns, columns)), self.shape[0])

    def _weighing(self, columns: NDArray[np.int64]) -> Weighing:
        """Products of some variants, at distinct positions, with weights."""
        return Weighing(self._make_parts(compose(self._columns, columns)), self.shape[0])

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

    def _first_haplotypes(self) -> NDArray[np.uint8]:
        """First haplotypes of the samples of the files at the variants in use, see `read_phase`."""
        if self._phase is None:  # every draw of knockoffs asks for it
            self._phase = read_phase(self.sources, self._columns)
        return self._phase

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
        """Return the storages of the variants in use; missing calls are set to the mean of its samples."""
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
