"""Files that may be packed: gzip, bzip2, xz and zstd are known by their first bytes, whatever the name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from os import PathLike, fspath
from pathlib import Path
from typing import Any, cast

from riata._io.extras import needs

StrPath = str | PathLike[str]

_PACKED = {
    b"\x1f\x8b": "gzip",
    b"1AY&": "bzip2",  # after BZh and a digit
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}


def open_binary(path: StrPath) -> io.BufferedReader:
    """Open a file, through gzip, bzip2, xz or zstd when its first bytes are theirs, whatever its name.

    Raises
    ------
    OSError
        When there is no such file.
    ImportError
        When it is zstd and the package zstandard is not installed.
    ValueError
        When it is a zip archive, as spreadsheets are.
    """
    name = fspath(path)
    if not Path(name).is_file():
        pipe = Path(name).exists() and not Path(name).is_dir()
        raise FileNotFoundError(f"{name}: {'a pipe, not a file: save it first' if pipe else 'no such file'}")
    with open(name, "rb") as file:
        start = file.read(8)
    marks = (start, start[4:] if start.startswith(b"BZh") else b"")
    kind = next((kind for magic, kind in _PACKED.items() if any(m.startswith(magic) for m in marks)), "")
    if kind == "gzip":
        return cast("io.BufferedReader", gzip.open(name, "rb"))
    if kind == "bzip2":
        return cast("io.BufferedReader", bz2.open(name, "rb"))
    if kind == "xz":
        return cast("io.BufferedReader", lzma.open(name, "rb"))
    if kind == "zstd":
        return _open_zstd(name)
    if kind == "zip":
        raise ValueError(f"{name}: a zip archive or a spreadsheet; save it as text, with tabs between cells")
    return open(name, "rb")


def _open_zstd(name: str) -> io.BufferedReader:
    try:
        import zstandard
    except ImportError:
        raise needs(f"{name}: is packed with zstd, and reading it", "zstandard") from None
    file = open(name, "rb")  # noqa: SIM115  # closed with what reads it
    return io.BufferedReader(_ZstdFile(file, zstandard.ZstdDecompressor().decompressobj), 1 << 17)


class _ZstdFile(io.RawIOBase):
    """Frames of zstd, one after the other; unlike the package's own reader it refuses a file cut short."""

    def __init__(self, file: io.BufferedReader, new_frame: Callable[[], Any]) -> None:
        self._file, self._new_frame = file, new_frame
        self._frame: Any = None
        self._packed, self._held = b"", memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._held:
            packed = self._packed or self._file.read(1 << 16)
            if not packed and self._frame is not None:
                raise EOFError("it ends within a frame")
            if not packed:
                return 0
            self._frame = self._frame or self._new_frame()
            self._held = memoryview(self._frame.decompress(packed))
            self._packed = self._frame.unused_data if self._frame.eof else b""
            if self._frame.eof:
                self._frame = None
        n = min(len(buffer), len(self._held))
        buffer[:n], self._held = self._held[:n], self._held[n:]
        return n

    def close(self) -> None:
        self._file.close()
        super().close()


def damage() -> tuple[type[Exception], ...]:
    """Return what readers of packed files raise when one is damaged or cut short."""
    known: tuple[type[Exception], ...] = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError)
    try:
        import zstandard
    except ImportError:
        return known
    return (*known, zstandard.ZstdError)


def unpacked(path: StrPath) -> bytes:
    """Return the whole content of a file that may be packed; OSError when it is damaged."""
    with open_binary(path) as file:
        try:
            return file.read()
        except damage() as error:
            raise OSError(f"{fspath(path)}: cannot be decompressed: {error}") from None
