"""BGEN genotypes (UK Biobank and others): probabilities become expected copies, not rounded."""

from __future__ import annotations

import warnings
from os import fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.extras import needs
from riata._io.reading import reading
from riata._io.tables import StrPath, Table
from riata._io.text_columns import coded_texts, plain_column
from riata._io.text_files import numbered_lines
from riata.genetics.chromosomes import ChromosomeSet
from riata.genetics.loading import MISSING
from riata.genetics.pgen import sample_table

#: Columns of a .sample file that are no phenotypes, and what a .psam calls them.
_SAMPLE_COLUMNS = {"missing": "missing", "sex": "SEX", "father": "PAT", "mother": "MAT"}


class BgenReader:
    """Reads one ``.bgen`` file; genotypes are not decoded until asked for.

    Copies are of a1, the second allele; a2 is the first allele, usually the reference. A value is P(one copy)
    + 2 P(two copies) in float32. Haploid genotypes count 0 or 2, as in PLINK. Where a variant has more than
    two alleles, copies of all but the first are counted together and a1 lists them, ``C,T``.

    Parameters
    ----------
    path : str or path-like
        ``"study.bgen"``.
    sample : str or path-like, optional
        Oxford ``.sample`` file; default ``study.sample`` when it exists. Without one the ids inside the file
        are the IIDs and FID is ``0``; ids that repeat one name around ``_`` (``S1_S1``, as PLINK 2 writes FID
        and IID) are taken apart. Without ids inside either, samples are named 1, 2, ... with a warning.

    Attributes
    ----------
    files : list of str
        ``study.bgen`` and the ``.sample`` file, if one was read.
    samples, variants : Table
        Columns as of a ``.fam`` and a ``.bim``; a variant's id is its rsid, or the other id where that is
        empty or ``.``.
    has_dosages : None
        Only reading the values tells.

    Raises
    ------
    OSError
        When a file is missing, not BGEN, or damaged.
    ValueError
        When the ``.sample`` file names other samples, or is malformed.
    """

    has_dosages: bool | None = None
    chromosome_set: ChromosomeSet | None = None

    def __init__(self, path: StrPath, sample: StrPath | None = None) -> None:
        self.path = fspath(path)
        self._file: Any = None
        with reading(self.path):
            file = self._open()
        beside = Path(self.path).with_suffix(".sample")
        if sample is None and beside.is_file():
            sample = beside
        self.files = [self.path] if sample is None else [self.path, fspath(sample)]
        with reading(self.path):
            ids = file.samples
            self.variants = _variants(self.path, file)
        self.samples = _samples(self.path, sample, ids, file.header.has_sample_ids)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the open file, which the copy opens again when it needs it."""
        return {**self.__dict__, "_file": None}

    def read(self, columns: NDArray[np.int64]) -> NDArray[Any]:
        """Return expected copies of a1, variants x samples, float32; NaN where missing."""
        file = self._open()
        out = np.empty((len(columns), len(self.samples)), dtype=np.float32)
        for k, j in enumerate(columns):
            with reading(self.path, f"variant {self.variants.id[j]}"):
                out[k] = _copies(file[int(j)])
        return out

    def read_allele(self, column: int, allele: int) -> NDArray[np.float64]:
        """Return expected copies of one allele but the first (1 is the second), NaN where missing."""
        with reading(self.path, f"variant {self.variants.id[column]}"):
            return _copies_of_allele(self._open()[int(column)], allele)

    def read_phase(self, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return whether the first haplotype of each sample has a1, variants x samples; 3 where missing.

        Raises
        ------
        ValueError
            Where haplotypes are not given, not certain, or not two.
        """
        file = self._open()
        out = np.empty((len(columns), len(self.samples)), dtype=np.uint8)
        for k, j in enumerate(columns):
            name = f"variant {self.variants.id[j]}"
            with reading(self.path, name):
                out[k] = _first_haplotypes(file[int(j)], f"{self.path}: {name}")
        return out

    def _open(self) -> Any:
        if self._file is None:
            if not Path(self.path).is_file():
                raise FileNotFoundError(f"{self.path}: no such file")
            try:
                import bgen
            except ImportError:
                raise needs("reading .bgen files", "bgen") from None
            try:
                self._file = bgen.BgenReader(self.path, delay_parsing=False)
            except ValueError as error:
                raise OSError(f"{self.path}: cannot be read as BGEN: {error}") from None
        return self._file


def read_sample(path: StrPath) -> Table:
    """Read an Oxford ``.sample`` file: ID_1 is FID and ID_2 IID, line 2 has types, other columns are kept."""
    name = fspath(path)
    rows = [(number, line.split()) for number, line in numbered_lines(path)]
    if len(rows) < 2 or rows[1][1][0] != "0":
        raise ValueError(
            f"{name}: not a .sample file (line 1 must be ID_1 ID_2 missing ..., line 2 begin with 0)"
        )
    header = rows[0][1]
    for number, row in rows[2:]:
        if len(row) != len(header):
            raise ValueError(f"{name}, line {number}: expected {len(header)} fields, got {len(row)}")
    if len(rows) == 2:
        raise ValueError(f"{name}: no sample is in it")
    columns = dict(zip(header, zip(*(row for _, row in rows[2:]), strict=True), strict=True))
    paired = len(header) > 1 and rows[1][1][1] == "0" and header[1].lower() != "missing"
    named = {"IID": columns[header[1]] if paired else columns[header[0]]}
    if paired:
        named["FID"] = columns[header[0]]
    for name in header[1 + paired :]:
        named[_SAMPLE_COLUMNS.get(name.lower(), name)] = columns[name]
    named.pop("missing", None)
    return sample_table(named, list(named))


def _samples(path: str, sample: StrPath | None, ids: list[str], embedded: bool) -> Table:
    if sample is not None:
        table = read_sample(sample)
        _check_samples(path, fspath(sample), table, ids, embedded)
        return table
    if not embedded:
        warnings.warn(
            f"{path}: holds no sample ids and {Path(path).stem}.sample is not beside it: samples are named "
            f"1 to {len(ids)}",
            stacklevel=2,
        )
        ids = [str(k) for k in range(1, len(ids) + 1)]
    halves = [name[: len(name) // 2] for name in ids]
    if all(name == f"{half}_{half}" for name, half in zip(ids, halves, strict=True)):
        return sample_table({"FID": halves, "IID": halves}, ("FID", "IID"))
    return sample_table({"IID": ids}, ("IID",))


def _check_samples(path: str, file: str, table: Table, ids: list[str], embedded: bool) -> None:
    if len(table) != len(ids):
        raise ValueError(
            f"{path} holds {len(ids):,} samples, {file} lists {len(table):,}: they do not belong together"
        )
    if not embedded:
        return
    for inside, fid, iid in zip(ids, table.fid, table.iid, strict=True):
        if inside not in (iid, fid, f"{fid}_{iid}"):
            raise ValueError(
                f"{file}: names sample {fid} {iid} where {path} has {inside}: they do not belong together"
            )


def _variants(path: str, file: Any) -> Table:
    ids, first, others = [], [], []
    for variant in file:
        alleles = variant.alleles
        if len(alleles) < 2:
            raise ValueError(
                f"{path}: variant {variant.rsid} has {len(alleles)} allele, at least 2 are needed"
            )
        ids.append(variant.rsid if variant.rsid not in ("", ".") else variant.varid)
        first.append(alleles[0])
        others.append(",".join(alleles[1:]))
    return Table(
        {
            "chrom": coded_texts(file.chroms()),
            "id": plain_column(ids),
            "cm": np.zeros(len(ids)),
            "pos": np.array(file.positions(), dtype=np.int64),
            "a1": coded_texts(others),
            "a2": coded_texts(first),
        }
    )


def _copies(variant: Any) -> NDArray[np.float32]:
    """Expected copies of all alleles but the first, two for a haploid one."""
    ploidy = variant.ploidy
    if (ploidy > 2).any():
        raise ValueError(f"ploidy must be 1 or 2, got {int(ploidy.max())}")
    if len(variant.alleles) == 2:
        copies = np.asarray(variant.alt_dosage, dtype=np.float32)
    else:
        copies = _copies_of_many(variant, ploidy)
    haploid = ploidy != 2
    return np.where(haploid, 2 * copies, copies) if haploid.any() else copies


def _first_haplotypes(variant: Any, what: str) -> NDArray[np.uint8]:
    """Whether first haplotypes have an allele other than the first; 3 where missing."""
    if not variant.is_phased:
        raise ValueError(f"{what}: genotypes must be phased (phased=True), got those without phase")
    if (variant.ploidy != 2).any():
        raise ValueError(f"{what}: samples must have two haplotypes each (phased=True), got some with one")
    first_allele = np.asarray(variant.probabilities)[:, [0, len(variant.alleles)]]
    missing = np.isnan(first_allele).any(axis=1)
    uncertain = ~missing & ((first_allele != 0.0) & (first_allele != 1.0)).any(axis=1)
    if uncertain.any():
        k = int(np.flatnonzero(uncertain)[0])
        raise ValueError(
            f"{what}: alleles of phased haplotypes must be certain, of probability 0 or 1 (phased=True), got "
            f"{first_allele[k].max():.3g} and {first_allele[k].min():.3g} in sample {k + 1}"
        )
    return np.where(missing, MISSING, first_allele[:, 0] == 0.0).astype(np.uint8)


def _copies_of_many(variant: Any, ploidy: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Copies of all alleles but the first: ploidy less those of the first."""
    return np.asarray(ploidy - _allele_sum(variant, ploidy, 0), dtype=np.float32)


def _copies_of_allele(variant: Any, allele: int) -> NDArray[np.float64]:
    """Expected copies of one allele of many, two for a haploid one."""
    ploidy = variant.ploidy
    copies = _allele_sum(variant, ploidy, allele)
    return np.where(ploidy == 2, copies, 2.0 * copies)


def _allele_sum(variant: Any, ploidy: NDArray[np.uint8], allele: int) -> NDArray[np.float64]:
    """Expected copies of one allele, from all probabilities."""
    probabilities, k = np.asarray(variant.probabilities, dtype=np.float64), len(variant.alleles)
    if variant.is_phased:
        second = probabilities[:, k + allele] if probabilities.shape[1] > k else 0.0
        return np.asarray(probabilities[:, allele] + np.where(ploidy == 2, second, 0.0))
    # genotypes in colex order: 00, 01, 11, 02, 12, 22, ...; haploid ones are the alleles in order
    pairs = [(a, b) for b in range(k) for a in range(b + 1)]
    count = np.array([(a == allele) + (b == allele) for a, b in pairs], dtype=np.float64)
    return np.asarray(np.where(ploidy == 2, probabilities @ count, probabilities[:, allele]))
