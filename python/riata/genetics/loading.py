"""Genotypes of compressed formats, brought once into a form that a fit can stream over.

Hard calls become PLINK 1's 2-bit codes (n / 4 bytes per variant), anything else float32 copies (4 n bytes).
What would not fit beside other work lies in a temporary file that is memory-mapped like a ``.bed``.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from riata._io.sizes import bytes_text
from riata._io.tables import Table
from riata.genetics.chromosomes import ChromosomeSet

#: Buffers of more bytes than this lie in a temporary file.
MEMORY_LIMIT = 1 << 30
#: Genotypes decoded at a time.
_BLOCK = 1 << 22
#: Codes of .bed for 0, 1, 2 copies of A1, and for no call (3).
_CODES = np.array([0b11, 0b10, 0b00, 0b01], dtype=np.uint8)
MISSING = 3


class Reader(Protocol):
    """One genotype file in a format that has to be decoded.

    `variants` has the columns of a ``.bim``; a1 is the allele that copies are of. `files` are all that were
    read. `has_dosages` is None when only reading all values would tell, `chromosome_set` when the file does
    not declare a species.
    """

    path: str
    files: list[str]
    samples: Table
    variants: Table
    has_dosages: bool | None
    chromosome_set: ChromosomeSet | None

    def read(self, columns: NDArray[np.int64]) -> NDArray[Any]:
        """Return copies of a1, variants x samples: uint8 calls (3: missing), or float32 (NaN: missing)."""

    def read_allele(self, column: int, allele: int) -> NDArray[np.float64]:
        """Return copies of one ALT allele (1 is the first) of a variant with several, NaN where missing."""

    def read_phase(self, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return whether first haplotypes have a1, variants x samples (3: missing), or refuse."""


@dataclass(frozen=True)
class Loaded:
    """Some variants of one file: `packed` (variants x ceil(n / 4), codes of .bed) or `copies` (float32).

    Copies are of a1, variants x samples, NaN where missing.
    """

    packed: NDArray[np.uint8] | None = None
    copies: NDArray[np.float32] | None = None


def load(reader: Reader, columns: NDArray[np.int64]) -> Loaded:
    """Read variants of a file: hard calls packed; float32 as soon as one value is not a whole number."""
    n = len(reader.samples)
    if reader.has_dosages:
        return Loaded(copies=_as_copies(reader, columns, np.empty((0, 0), np.uint8), 0))
    packed = buffer((len(columns), -(-n // 4)), np.uint8)
    for start, part in blocks(columns, n):
        calls = whole_calls(reader.read(part))
        if calls is None:
            return Loaded(copies=_as_copies(reader, columns, packed, start))
        packed[start : start + len(part)] = pack(calls)
    return Loaded(packed=packed)


def read_copies(reader: Reader, columns: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return copies of a1 in float32, variants x samples, NaN where missing."""
    values = reader.read(columns)
    if values.dtype == np.float32:
        return values
    return np.asarray(np.array([0.0, 1.0, 2.0, np.nan], dtype=np.float32)[values])


def blocks(columns: NDArray[np.int64], n: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Cut columns into pieces of a few million genotypes, each with the place where it starts."""
    step = max(_BLOCK // max(n, 1), 1)
    for start in range(0, len(columns), step):
        yield start, columns[start : start + step]


def whole_calls(values: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Return copies as hard calls (0, 1, 2; 3 missing), or None when one of them is none of these."""
    if values.dtype == np.uint8:
        return values
    missing = np.isnan(values)
    calls = np.where(missing, np.float32(MISSING), values).astype(np.uint8)
    whole = (calls == values) & (calls < MISSING)
    return calls if bool((whole | missing).all()) else None


def pack(calls: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pack copies of a1 (0, 1, 2; 3 missing), variants x samples, as the codes of a .bed."""
    p, n = calls.shape
    stride = -(-n // 4)
    codes = np.zeros((p, 4 * stride), dtype=np.uint8)
    codes[:, :n] = _CODES[calls]
    packed: NDArray[np.uint8] = codes[:, 0::4].copy()
    for k in range(1, 4):
        packed |= codes[:, k::4] << np.uint8(2 * k)
    return packed


def unpack(packed: NDArray[np.uint8], n: int) -> NDArray[np.float32]:
    """Return packed codes as float32 copies of a1, variants x samples, NaN where missing."""
    copies = np.array([2.0, np.nan, 1.0, 0.0], dtype=np.float32)
    codes = np.arange(256)[:, None] >> np.array([0, 2, 4, 6]) & 3
    return np.asarray(copies[codes][packed].reshape(len(packed), -1)[:, :n])


def buffer(shape: tuple[int, int], dtype: type[Any]) -> NDArray[Any]:
    """Return an array to fill: in memory, or mapped to a nameless temporary file when it is large."""
    size = shape[0] * shape[1] * np.dtype(dtype).itemsize
    if size <= MEMORY_LIMIT:
        return np.empty(shape, dtype=dtype)
    with tempfile.TemporaryFile(prefix="riata-", suffix=".genotypes") as file:
        _reserve(file.fileno(), size)
        return np.frombuffer(mmap.mmap(file.fileno(), size), dtype=dtype).reshape(shape)


def _reserve(descriptor: int, size: int) -> None:
    """Take the disk space now: a full disk found later, through the map, would end the process."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            os.ftruncate(descriptor, size)
    except OSError as error:
        raise OSError(
            error.errno,
            f"{tempfile.gettempdir()}: no room for {bytes_text(size)} of decoded genotypes; set TMPDIR "
            f"to a folder that has it, or take fewer variants ({error.strerror})",
        ) from error


def _as_copies(
    reader: Reader, columns: NDArray[np.int64], packed: NDArray[np.uint8], done: int
) -> NDArray[np.float32]:
    """Copies in float32: those of the first `done` variants from their packed codes, the others read."""
    n = len(reader.samples)
    out: NDArray[np.float32] = buffer((len(columns), n), np.float32)
    for start, part in blocks(columns[:done], n):
        out[start : start + len(part)] = unpack(packed[start : start + len(part)], n)
    for start, part in blocks(columns[done:], n):
        out[done + start : done + start + len(part)] = read_copies(reader, part)
    return out
