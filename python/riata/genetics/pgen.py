"""PLINK 2 genotypes: ``.pgen`` with ``.pvar`` (or ``.pvar.zst``, ``.bim``) and ``.psam`` (or ``.fam``)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from os import fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.extras import needs
from riata._io.packed_files import unpacked
from riata._io.reading import reading
from riata._io.tables import StrPath, Table, quoted
from riata._io.text_columns import coded_texts, plain_column
from riata._io.text_files import numbered_lines
from riata.genetics.chromosomes import ChromosomeSet
from riata.genetics.loading import MISSING
from riata.genetics.plink_tables import Kind, read_bim, read_fam, read_fields, sex_code

_MAGIC = b"\x6c\x1b"
#: Storage modes of byte 3: fixed-width hard calls, and records of variable width behind a header.
_FIXED_CALLS, _VARIABLE = 0x02, 0x10
#: Variants to a block of the header.
_HEADER_BLOCK = 1 << 16
#: Bits of a record's type that say it has dosages.
_DOSAGE_BITS = 0x60
_PVAR: dict[str, tuple[str, Kind]] = {
    "chrom": ("CHROM", "code"),
    "id": ("ID", "text"),
    "cm": ("CM", "real"),
    "pos": ("POS", "integer"),
    "a1": ("ALT", "code"),
    "a2": ("REF", "code"),
}


class PgenReader:
    """Reads one ``.pgen``; nothing is decoded until asked for.

    Copies are of a1, the ALT allele (A2 is REF). Where a variant has several ALT alleles, written ``C,T`` in
    a1, copies of all of them are counted together. Genotypes are taken as stored: haploid calls count 0 or 2.

    Parameters
    ----------
    path : str or path-like
        ``"study.pgen"``.

    Attributes
    ----------
    files : list of str
        ``study.pgen`` and the two tables beside it.
    samples, variants : Table
        Columns as of a ``.fam`` and a ``.bim``.
    has_dosages : bool or None
        Whether any variant has dosages; None for storage modes that do not tell.
    chromosome_set : ChromosomeSet or None
        What a line ``##chrSet`` of the ``.pvar`` declares.

    Raises
    ------
    OSError
        When a file is missing or not a ``.pgen``.
    ValueError
        When the files do not fit one another, or a line is malformed.
    """

    def __init__(self, path: StrPath) -> None:
        _pgenlib()
        self.path = fspath(path)
        prefix = self.path.removesuffix(".pgen")
        header = _read_header(self.path)
        variants = _beside(prefix, ".pvar", ".pvar.zst", ".bim")
        samples = _beside(prefix, ".psam", ".fam")
        self.files = [self.path, variants, samples]
        self.variants = read_bim(variants) if variants.endswith(".bim") else read_pvar(variants)
        self.chromosome_set = declared_chromosomes(variants)
        self.samples = read_fam(samples) if samples.endswith(".fam") else read_psam(samples)
        for n, stored, what, file in (
            (len(self.variants), int.from_bytes(header[3:7], "little"), "variants", variants),
            (len(self.samples), int.from_bytes(header[7:11], "little"), "samples", samples),
        ):
            if n != stored:
                raise ValueError(
                    f"{self.path} holds {stored:,} {what}, {file} lists {n:,}: they do not belong together"
                )
        self.has_dosages = _has_dosages(self.path, header, len(self.variants))
        self._file: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the open file, which the copy opens again when it needs it."""
        return {**self.__dict__, "_file": None}

    def read(self, columns: NDArray[np.int64]) -> NDArray[Any]:
        """Return copies of a1, variants x samples: uint8 hard calls (3: missing), or float32 (NaN: missing).

        Hard calls when the file has no dosages. Dosages are multiples of 1/16384, exact in float32.
        """
        shape = len(columns), len(self.samples)
        if self.has_dosages is False:
            calls = self._copies("read_list", columns, np.empty(shape, dtype=np.int8))
            return np.asarray(np.where(calls < 0, np.int8(MISSING), np.int8(2) - calls).view(np.uint8))
        dosages = self._copies("read_dosages_list", columns, np.empty(shape, dtype=np.float32))
        return np.asarray(np.where(dosages < 0, np.float32(np.nan), np.float32(2) - dosages))

    def read_allele(self, column: int, allele: int) -> NDArray[np.float64]:
        """Return copies of one ALT allele (1 is the first) of a variant with several, NaN where missing."""
        out = np.empty((1, len(self.samples)), dtype=np.float32)
        copies = self._copies("read_dosages_list", np.array([column]), out, allele)[0].astype(np.float64)
        return np.where(copies < 0.0, np.nan, copies)

    def read_phase(self, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Refuse: which haplotype has which allele is read from ``.bgen`` files alone."""
        raise ValueError(f"{self.path}: phased genotypes are read from .bgen files (phased=True)")

    def _copies(
        self, method: str, columns: NDArray[np.int64], out: NDArray[Any], allele: int = 0
    ) -> NDArray[Any]:
        """Fill `out` with copies of an allele (0: REF), negative where missing."""
        with reading(self.path):
            if self._file is None:
                self._file = _pgenlib().PgenReader(
                    os.fsencode(self.path),
                    raw_sample_ct=len(self.samples),
                    variant_ct=len(self.variants),
                    allele_idx_offsets=self._allele_offsets(),
                )
            getattr(self._file, method)(columns.astype(np.uint32), out, allele_idx=allele)
        return out

    def _allele_offsets(self) -> NDArray[np.uintp]:
        a1 = self.variants.a1
        alleles = np.array([2 + name.count(",") for name in a1.names], dtype=np.uintp)[a1.codes]
        return np.concatenate((np.zeros(1, dtype=np.uintp), np.cumsum(alleles, dtype=np.uintp)))


def read_pvar(path: StrPath) -> Table:
    """Read a ``.pvar`` or ``.pvar.zst``: columns by name, a1 = ALT (``C,T`` when several), a2 = REF.

    Without a header line the columns are those of a ``.bim``, with or without centimorgans.
    """
    name = fspath(path)
    header, skipped = _pvar_header(path)
    fields: dict[str, tuple[int, Kind]] = {
        column: (header.index(field), kind) for column, (field, kind) in _PVAR.items() if field in header
    }
    source = unpacked(name) if name.endswith(".zst") else path
    table = read_fields(source, fields, name=name, field_names=", ".join(header), skipped_lines=skipped)
    columns = {column: table[column] if column in table else np.zeros(len(table)) for column in _PVAR}
    return Table(columns)


def declared_chromosomes(path: StrPath) -> ChromosomeSet | None:
    """Return the chromosomes that a line ``##chrSet`` before the header of a ``.pvar`` declares, or None."""
    for _, line in numbered_lines(path):
        if not line.startswith("##"):
            return None
        found = ChromosomeSet.of_header(line)
        if found is not None:
            return found
    return None


def read_psam(path: StrPath) -> Table:
    """Read a ``.psam``: columns by name, as `sample_table` keeps them; FID is ``0`` where the file has none.

    Without a header line the columns are those of a ``.fam``.
    """
    name = fspath(path)
    rows: list[list[str]] = []
    header: list[str] | None = None
    for number, line in numbered_lines(path):
        if line.startswith("##"):
            continue
        fields = line.split()
        if header is None:
            if not fields[0].startswith("#"):
                return read_fam(path)
            header = [fields[0][1:], *fields[1:]]
            if header[0] not in ("FID", "IID") or "IID" not in header:
                raise ValueError(
                    f"{name}, line {number}: it must begin with #FID IID or #IID, got {quoted(fields[0])}"
                )
            continue
        if len(fields) != len(header):
            raise ValueError(f"{name}, line {number}: expected {len(header)} fields, got {len(fields)}")
        rows.append(fields)
    if header is None or not rows:
        raise ValueError(f"{name}: no sample is in it")
    return sample_table(dict(zip(header, zip(*rows, strict=True), strict=True)), header)


def sample_table(columns: Mapping[str, Sequence[str]], header: Sequence[str]) -> Table:
    """Return the columns of a ``.fam`` from named ones: FID, IID, PAT, MAT, SEX, and phenotypes.

    A single phenotype is the column ``phenotype``, and that of its own name; of several each has its own name
    and none is ``phenotype``.
    """
    n = len(columns["IID"])
    table: dict[str, Any] = {
        "fid": plain_column(columns.get("FID", ["0"] * n)),
        "iid": plain_column(columns["IID"]),
        "father": plain_column(columns.get("PAT", ["0"] * n)),
        "mother": plain_column(columns.get("MAT", ["0"] * n)),
        "sex": coded_texts(map(sex_code, columns.get("SEX", ["0"] * n))),
    }
    own = [name for name in header if name not in ("FID", "IID", "SID", "PAT", "MAT", "SEX")]
    named = {f"{name} (phenotype)" if name in table else name: plain_column(columns[name]) for name in own}
    if len(own) < 2:
        only = next(iter(named.values()), plain_column(["NA"] * n))
        named = {"phenotype": only, **{name: only for name in named if name != "PHENO1"}}
    return Table({**table, **named})


def phenotypes_of(samples: Table) -> dict[str, Any]:
    """Return the phenotypes of a table of samples by name; that of a ``.fam`` is PHENO1, as in PLINK 2."""
    names = samples.columns[5:]
    if names == ["phenotype"]:
        return {"PHENO1": samples.phenotype}
    if len(names) == 2 and names[0] == "phenotype":
        names = names[1:]  # the one there is
    return {name: samples[name] for name in names}


def covariates_of(samples: Table) -> dict[str, Any]:
    """Return what samples have for covariates: the phenotypes, and SEX, 1 or 2, NA where unknown."""
    sex = [code if code in ("1", "2") else "NA" for code in samples.sex]
    return {"SEX": sex, **phenotypes_of(samples)}


def _pgenlib() -> Any:
    try:
        import pgenlib
    except ImportError:
        raise needs("reading .pgen files", "Pgenlib") from None
    return pgenlib


def _beside(prefix: str, *suffixes: str) -> str:
    for suffix in suffixes:
        if Path(prefix + suffix).is_file():
            return prefix + suffix
    raise FileNotFoundError(
        f"{prefix}{suffixes[0]}: no such file (a .pgen needs one of {', '.join(suffixes)} beside it)"
    )


def _pvar_header(path: StrPath) -> tuple[list[str], int]:
    """Return the names of the columns, and how many lines stand before the first variant."""
    name = fspath(path)
    number, line = next(((k, line) for k, line in numbered_lines(name) if not line.startswith("##")), (0, ""))
    fields = line.split()
    if not fields:
        raise ValueError(f"{name}: no variant is in it")
    if fields[0] == "#CHROM":
        header = ["CHROM", *fields[1:]]
        missing = [field for field, _ in _PVAR.values() if field not in ("CM", *header)]
        if missing:
            raise ValueError(f"{name}, line {number}: the header lacks {', '.join(missing)}")
        return header, number
    if len(fields) not in (5, 6) or fields[0].startswith("#"):
        raise ValueError(
            f"{name}, line {number}: expected a header that begins with #CHROM, got {quoted(fields[0])}"
        )
    return ["CHROM", "ID", *(["CM"] if len(fields) == 6 else []), "POS", "ALT", "REF"], number - 1


def _read_header(path: str) -> bytes:
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file")
    with open(path, "rb") as file:
        header = file.read(12)
    if header[:2] != _MAGIC:
        raise OSError(f"{path}: not a .pgen file (it must begin with bytes 6c 1b, got {header[:2].hex(' ')})")
    if len(header) < 12:
        raise OSError(f"{path}: {len(header)} bytes are too few for a .pgen file, it is cut short")
    if header[2] in (0x00, 0x01):
        raise OSError(f"{path}: a PLINK 1 .bed file under the name of a .pgen; rename it to .bed")
    return header


def _has_dosages(path: str, header: bytes, p: int) -> bool | None:
    """Look in the header for records with dosages (its layout: the PLINK 2 file format specification)."""
    if header[2] == _FIXED_CALLS:
        return False
    layout = header[11] & 15
    if header[2] != _VARIABLE or layout > 7:
        return None
    if layout < 4:
        return False  # types of four bits have no room for dosages
    sizes = 1 + (layout & 3) + 1 + (header[11] >> 4 & 3)
    with open(path, "rb") as file:
        file.seek(12 + 8 * -(-p // _HEADER_BLOCK))
        for start in range(0, p, _HEADER_BLOCK):
            k = min(_HEADER_BLOCK, p - start)
            types = np.frombuffer(file.read(k), dtype=np.uint8)
            if len(types) < k:
                raise OSError(f"{path}: the file is cut short within its header")
            if (types & _DOSAGE_BITS).any():
                return True
            file.seek(k * (sizes - 1) + (-(-k // 8) if header[11] >> 6 == 3 else 0), 1)
    return False
