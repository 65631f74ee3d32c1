"""PLINK 1 genotypes: ``.bed`` stays on disk, memory-mapped; ``.bim`` and ``.fam`` become light tables."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from os import fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata.tables import StrPath, Table, some, text_array

if TYPE_CHECKING:
    from riata import _core

_MAGIC = b"\x6c\x1b\x01"
_SAMPLE_MAJOR = b"\x6c\x1b\x00"
_BIM = ("chrom", "id", "cm", "pos", "a1", "a2")
_FAM = ("fid", "iid", "father", "mother", "sex", "phenotype")
#: Copies of A1 for the 2-bit codes 0, 1, 2, 3.
_A1_COPIES = np.array([2.0, np.nan, 1.0, 0.0])


def open_genotypes(path: StrPath, *, counted_allele: Literal["A1", "A2"] = "A1") -> Genotypes:
    """Open a PLINK 1 binary fileset without reading the genotypes.

    Parameters
    ----------
    path : str or path-like
        ``"study.bed"`` or the prefix ``"study"``; ``study.bim`` and ``study.fam`` lie beside it.
    counted_allele : {"A1", "A2"}, default "A1"
        Which allele a genotype counts: A1 is column 5 of the ``.bim`` (in PLINK 1 usually the minor allele),
        A2 column 6.

    Returns
    -------
    Genotypes

    Raises
    ------
    OSError
        When a file is missing, or the ``.bed`` has the wrong magic bytes, is sample-major, or its size does
        not match the number of samples and variants.
    ValueError
        When a line of the ``.bim`` or ``.fam`` is malformed; the message names file and line.

    Examples
    --------
    >>> geno = riata.open_genotypes("study.bed")                       # doctest: +SKIP
    >>> geno.shape, geno.variants.id[:2], geno.missing_rate().max()    # doctest: +SKIP
    """
    if counted_allele not in ("A1", "A2"):
        raise ValueError(f"counted_allele must be 'A1' or 'A2', got {counted_allele!r}")
    prefix = fspath(path).removesuffix(".bed")
    bed, bim, fam = f"{prefix}.bed", f"{prefix}.bim", f"{prefix}.fam"
    for file in (bed, bim, fam):
        if not Path(file).is_file():
            raise FileNotFoundError(f"{file}: no such file (a PLINK fileset is .bed, .bim and .fam together)")
    variants, samples = read_bim(bim), read_fam(fam)
    _check_bed(bed, len(samples), len(variants))
    return Genotypes(bed, variants, samples, counted_allele)


class Genotypes:
    """Genotypes of n samples at p variants, seen through their files.

    Made by :func:`open_genotypes`. Element (i, j) is the number of copies (0, 1, 2) of the counted allele;
    missing calls stand at the variant's mean count over the samples in use. Nothing is decoded until asked
    for, and the file is never written to.

    Attributes
    ----------
    samples : Table
        ``fid, iid, father, mother, sex, phenotype``, n rows, text.
    variants : Table
        ``chrom, id, cm, pos, a1, a2``, p rows.
    shape : tuple of int
        (n, p).
    counted_allele : {"A1", "A2"}
    path : str
        The ``.bed`` file.
    """

    def __init__(
        self,
        bed: str,
        variants: Table,
        samples: Table,
        counted_allele: str,
        *,
        _rows: NDArray[np.int64] | None = None,
        _columns: NDArray[np.int64] | None = None,
        _file_shape: tuple[int, int] | None = None,
    ) -> None:
        self.path, self.variants, self.samples, self.counted_allele = bed, variants, samples, counted_allele
        self._rows, self._columns = _rows, _columns
        self._file_shape = _file_shape if _file_shape is not None else (len(samples), len(variants))
        self._core: _core.PlinkDesign | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.samples), len(self.variants)

    def __len__(self) -> int:
        return len(self.samples)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the memory map, which the copy opens again when it needs it."""
        return {**self.__dict__, "_core": None}

    def __repr__(self) -> str:
        n, p = self.shape
        return f"Genotypes({self.path!r}: {n:,} samples x {p:,} variants, counting {self.counted_allele})"

    @property
    def feature_names(self) -> NDArray[Any]:
        """Variant ids, (p,)."""
        return self.variants.id

    @property
    def effect_allele(self) -> NDArray[Any]:
        """The counted allele of each variant, (p,)."""
        return self.variants.a1 if self.counted_allele == "A1" else self.variants.a2

    @property
    def other_allele(self) -> NDArray[Any]:
        """The allele that is not counted, (p,)."""
        return self.variants.a2 if self.counted_allele == "A1" else self.variants.a1

    def subset(self, *, samples: ArrayLike | None = None, variants: ArrayLike | None = None) -> Genotypes:
        """Return a view on some samples and variants; no genotype is copied.

        Parameters
        ----------
        samples, variants : boolean mask, positions, or ids, optional
            Samples are named by IID, variants by ID. The order given is kept. A fit takes any subset of
            samples; to leave variants out of a fit, give it the whole file and ``exclude=``.

        Raises
        ------
        ValueError
            When a position is out of range or given twice, or an id is unknown or ambiguous.
        """
        rows = _positions(samples, self.samples.iid, "samples")
        columns = _positions(variants, self.variants.id, "variants")
        return Genotypes(
            self.path,
            self.variants if columns is None else self.variants[columns],
            self.samples if rows is None else self.samples[rows],
            self.counted_allele,
            _rows=_compose(self._rows, rows),
            _columns=_compose(self._columns, columns),
            _file_shape=self._file_shape,
        )

    def counts(self) -> NDArray[np.int64]:
        """Count, per variant, the samples with 0, 1 and 2 copies and with no call: (p, 4)."""
        counts = self._open().counts()
        return counts if self._columns is None else np.asarray(counts[self._columns])

    def allele_frequency(self) -> NDArray[np.float64]:
        """Return the frequency of the counted allele among the calls, (p,); NaN where there is none."""
        counts = self.counts()
        called = counts[:, :3].sum(axis=1)
        copies = counts[:, 1] + 2.0 * counts[:, 2]
        frequency = np.full(len(counts), np.nan)
        np.divide(copies, 2.0 * called, out=frequency, where=called > 0)
        return frequency

    def missing_rate(self) -> NDArray[np.float64]:
        """Return the share of samples without a call, (p,)."""
        counts = self.counts()
        return np.asarray(counts[:, 3] / max(self.shape[0], 1), dtype=np.float64)

    def monomorphic(self) -> NDArray[np.bool_]:
        """Say which variants do not vary: at most one kind of genotype is called, (p,)."""
        return np.asarray((self.counts()[:, :3] > 0).sum(axis=1) <= 1)

    def to_numpy(self, variants: ArrayLike | None = None) -> NDArray[np.float64]:
        """Decode genotypes to float64, samples x variants, NaN where missing.

        Parameters
        ----------
        variants : boolean mask, positions or ids, optional
            Variants to decode; default all (8 bytes a genotype: meant for small pieces).
        """
        columns = _compose(self._columns, _positions(variants, self.variants.id, "variants"))
        n_file, p_file = self._file_shape
        stride = -(-n_file // 4)
        if columns is None:
            columns = np.arange(p_file)
        copies = _A1_COPIES if self.counted_allele == "A1" else 2.0 - _A1_COPIES
        codes = np.arange(256)[:, None] >> np.array([0, 2, 4, 6]) & 3
        lookup = copies[codes]
        out = np.empty((self.shape[0], len(columns)), order="F")
        if out.size == 0:
            return out
        packed = np.memmap(self.path, dtype=np.uint8, mode="r", offset=3, shape=(p_file, stride))
        for k, j in enumerate(columns):
            column = lookup[packed[j]].reshape(-1)[:n_file]
            out[:, k] = column if self._rows is None else column[self._rows]
        return out

    def _open(self) -> _core.PlinkDesign:
        """Return the design of the whole file; missing calls stand at the mean of the samples in use."""
        if self._core is None:
            from riata import _core

            n, p = self._file_shape
            include = None
            if self._rows is not None:
                include = np.zeros(n, dtype=np.uint8)
                include[self._rows] = 1
            threads = os.cpu_count() or 1
            self._core = _core.plink_design(self.path, n, p, self.counted_allele == "A1", include, threads)
        return self._core

    def _design(self) -> tuple[_core.PlinkDesign, NDArray[np.int64] | None]:
        """Return the core design and, when samples were chosen, the row of the file of each of them."""
        if self._columns is not None:
            raise ValueError(
                "X must hold all variants of its file: pass the whole Genotypes and exclude= for the rest"
            )
        return self._open(), self._rows


def read_bim(path: StrPath) -> Table:
    """Read a ``.bim`` file: one variant a line, chromosome, id, centimorgans, position, A1, A2."""
    columns = _read_columns(path, _BIM)
    known: dict[str, str] = {}
    return Table(
        {
            "chrom": text_array([known.setdefault(c, c) for c in columns[0]]),
            "id": text_array(columns[1]),
            "cm": _numbers(columns[2], path, "centimorgans", np.float64),
            "pos": _numbers(columns[3], path, "position", np.int64),
            "a1": text_array([known.setdefault(a, a) for a in columns[4]]),
            "a2": text_array([known.setdefault(a, a) for a in columns[5]]),
        }
    )


def read_fam(path: StrPath) -> Table:
    """Read a ``.fam`` file: one sample a line, FID, IID, father, mother, sex, phenotype, all as text."""
    return Table(
        {name: text_array(values) for name, values in zip(_FAM, _read_columns(path, _FAM), strict=True)}
    )


def _read_columns(path: StrPath, names: Sequence[str]) -> list[list[str]]:
    columns: list[list[str]] = [[] for _ in names]
    first = 1
    with open(path, encoding="utf-8", errors="replace") as file:
        while rows := list(map(str.split, islice(file, 1 << 16))):
            for number, row in enumerate(rows, first):
                if len(row) != len(names) and row:
                    raise ValueError(
                        f"{fspath(path)}, line {number}: expected {len(names)} fields "
                        f"({', '.join(names)}), got {len(row)}"
                    )
            for column, values in zip(columns, zip(*filter(None, rows), strict=True), strict=False):
                column.extend(values)
            first += len(rows)
    if not columns[0]:
        raise ValueError(f"{fspath(path)}: the file is empty")
    return columns


def _numbers(cells: list[str], path: StrPath, what: str, dtype: type[Any]) -> NDArray[Any]:
    convert: type[Any] = int if dtype is np.int64 else float
    try:
        return np.fromiter(map(convert, cells), dtype=dtype, count=len(cells))
    except ValueError:
        for number, cell in enumerate(cells, 1):
            try:
                convert(cell)
            except ValueError:
                raise ValueError(f"{fspath(path)}, line {number}: {what} {cell!r} is not a number") from None
        raise


def _check_bed(path: str, n: int, p: int) -> None:
    with open(path, "rb") as file:
        magic = file.read(3)
    if magic == _SAMPLE_MAJOR:
        raise OSError(f"{path}: sample-major .bed files are not supported; convert with plink --make-bed")
    if magic != _MAGIC:
        raise OSError(
            f"{path}: not a PLINK 1 .bed file (it must begin with bytes 6c 1b 01, got {magic.hex(' ')})"
        )
    expected, size = 3 + p * -(-n // 4), os.path.getsize(path)
    if size != expected:
        raise OSError(
            f"{path}: {size:,} bytes, but {n:,} samples (.fam) and {p:,} variants (.bim) need "
            f"{expected:,}; the three files do not belong together or the .bed is damaged"
        )


def _positions(chosen: ArrayLike | None, ids: NDArray[Any], what: str) -> NDArray[np.int64] | None:
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
        place: dict[Any, int] = {}
        again: set[Any] = set()
        for k, name in enumerate(ids):
            if place.setdefault(name, k) != k:
                again.add(name)
        unknown = [name for name in wanted if name not in place]
        if unknown:
            raise ValueError(f"{what} not in the file: {some(unknown)}")
        ambiguous = [name for name in wanted if name in again]
        if ambiguous:
            raise ValueError(
                f"{what} named more than once in the file: {some(ambiguous)}; give positions instead"
            )
        found = np.array([place[name] for name in wanted], dtype=np.int64)
    elif wanted.dtype.kind in "iu" or wanted.size == 0:
        found = wanted.astype(np.int64)
        if found.size and (found.min() < -len(ids) or found.max() >= len(ids)):
            raise ValueError(
                f"{what} positions must lie in [0, {len(ids)}), got {found.min()} to {found.max()}"
            )
        found = np.where(found < 0, found + len(ids), found)
    else:
        raise TypeError(f"{what} must be a boolean mask, integer positions or ids, got dtype {wanted.dtype}")
    if len(np.unique(found)) != len(found):
        raise ValueError(f"{what} must be distinct, got the same one twice")
    return found


def _compose(outer: NDArray[np.int64] | None, inner: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    if outer is None or inner is None:
        return inner if outer is None else outer
    return outer[inner]
