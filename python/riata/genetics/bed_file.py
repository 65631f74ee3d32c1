"""A ``.bed`` file, opened once and mapped: what tells that it is one, and that it stays the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata import _core

_MAGIC = b"\x6c\x1b\x01"
_SAMPLE_MAJOR = b"\x6c\x1b\x00"
#: Variants whose last byte is looked at when a file is opened.
_LOOKED_AT = 4096
#: Fewer variants than this may well look alike in one sample.
_TELLING = 64


class BedFile:
    """A ``.bed`` that was opened once: what it holds stays the same whatever takes its name.

    Parameters
    ----------
    path : str

    Attributes
    ----------
    identity : tuple of int
        Device, inode, bytes and time of the last change (ns), when it was opened.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: _core.MappedFile | None = _core.MappedFile(path)
        self.identity = self._file.identity

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the memory map, which the copy opens again when it needs it."""
        return {**self.__dict__, "_file": None}

    @property
    def core(self) -> _core.MappedFile:
        """The memory map.

        Raises
        ------
        OSError
            In a copy of another process, when the file has changed since it was opened.
        """
        if self._file is None:
            again = _core.MappedFile(self.path)
            if again.identity[2:] != self.identity[2:]:  # other machines number devices and inodes otherwise
                raise OSError(f"{self.path}: the file has changed since it was opened; open it again")
            self._file = again
        return self._file

    def rows(self, p: int, n: int) -> NDArray[np.uint8]:
        """The packed variants, (p, ceil(n / 4))."""
        return self.core.bytes[len(_MAGIC) :].reshape(p, -(-n // 4))

    def check(self) -> None:
        """Raise OSError when what is mapped has been written to since it was opened."""
        self.core.check()
        if self.core.identity[2:] != self.identity[2:]:
            raise OSError(f"{self.path}: the file was written to while it was in use; open it again")


def open_bed_file(path: str, n: int, p: int) -> tuple[BedFile, list[str]]:
    """Open the ``.bed`` of n samples (of its ``.fam``) and p variants (of its ``.bim``); notes come along.

    Raises
    ------
    OSError
        When it is no such file: by its first bytes, its size, or the bits beside the last sample.
    """
    file = BedFile(path)
    magic = file.core.bytes[: len(_MAGIC)].tobytes()
    if magic == _SAMPLE_MAJOR:
        raise OSError(f"{path}: sample-major .bed files are not supported; convert with plink --make-bed")
    if magic != _MAGIC:
        raise OSError(
            f"{path}: not a PLINK 1 .bed file (it must begin with bytes 6c 1b 01, got {magic.hex(' ')})"
        )
    expected, size = len(_MAGIC) + p * -(-n // 4), file.identity[2]
    if size != expected:
        raise OSError(
            f"{path}: {size:,} bytes, but {n:,} samples (.fam) and {p:,} variants (.bim) need "
            f"{expected:,}; the three files do not belong together or the .bed is damaged"
        )
    note = _check_last_bytes(path, file.rows(p, n), n)
    file.core.check()
    return file, [note] if note else []


def _check_last_bytes(path: str, rows: NDArray[np.uint8], n: int) -> str:
    """Tell a ``.fam`` with a line too few by the bits after the last sample, of some variants.

    They are zero, which would be two copies of A1. A line too many makes a sample of them: that may be a true
    one, and is noted.
    """
    p = len(rows)
    chosen = np.unique(np.linspace(0, p - 1, min(p, _LOOKED_AT)).astype(np.int64))
    last = np.asarray(rows[chosen, -1])
    used = n - 4 * (rows.shape[1] - 1)  # samples of the last byte
    beside = last >> np.uint8(2 * used) if used < 4 else np.zeros_like(last)
    if beside.any():
        variant = int(chosen[np.flatnonzero(beside)[0]]) + 1
        raise OSError(
            f"{path}: bits that {n:,} samples (.fam) leave unused are set, first in variant {variant:,}: the "
            ".fam lacks a line, or the files do not belong together"
        )
    codes = last[:, None] >> np.arange(0, 2 * used, 2, dtype=np.uint8) & 3
    if len(chosen) >= _TELLING and used > 1 and not codes[:, -1].any() and codes[:, 0].any():
        return (
            f"{path}: the last of its {n:,} samples has two copies of A1 at all {len(chosen):,} variants "
            "looked at, as a line too many in the .fam would have"
        )
    return ""
