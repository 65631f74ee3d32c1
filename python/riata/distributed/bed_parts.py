"""Ranges of the variants of PLINK 1 files, opened on workers."""

from __future__ import annotations

import mmap
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._io.sizes import bytes_text
from riata.distributed.doors import FileSeen, asked, check_files, check_files_here, check_memory, running
from riata.distributed.held_genotypes import Positions, parts_of
from riata.distributed.host import Host
from riata.distributed.workers import check_stop
from riata.genetics.sources import PackedSource, make_parts

if TYPE_CHECKING:
    from distributed import Client

#: Bytes read at a time.
_PIECE = 1 << 26
Load = Literal["memory", "map"]


class BedFiles:
    """``.bed`` files that workers read by their names, as `Holding`."""

    def __init__(self, sources: Sequence[PackedSource], load: Load, scratch: str | None) -> None:
        self.sources, self.load, self.scratch = list(sources), load, scratch
        self._seen = [FileSeen.of(source.path) for source in self.sources]

    def about(self) -> dict[str, Any]:
        """See `Holding`."""
        return {"load": self.load, "scratch": self.scratch}

    def host(self, client: Client, columns: Positions, rows: Positions | None, a1: bool) -> Host:
        """See `Holding`.

        Raises
        ------
        OSError
            When a worker does not see a file, or another one, or the folder for copies is not there for it or
            has no room.
        ValueError
            When its memory has no room.
        """
        cuts = parts_of(len(columns), len(running(client)))
        check_files(client, self._seen)
        size = max(np.diff(cuts)) * -(-self.sources[0].n // 4)
        check_memory(client, float(size), self.load if self.scratch is None else "map")
        if self.scratch is not None:
            check_room(client, self.scratch, size)
        openers = [
            BedPart(self.sources, self._seen, columns[first:last], rows, a1, self.load, self.scratch)
            for first, last in pairwise(cuts)
        ]
        return Host(client, cuts[:-1], openers)


class BedPart:
    """Opens a range of the variants of ``.bed`` files on a worker."""

    def __init__(
        self,
        sources: Sequence[PackedSource],
        seen: Sequence[FileSeen],
        columns: NDArray[np.int64],
        rows: NDArray[np.int64] | None,
        a1: bool,
        load: Load,
        scratch: str | None,
    ) -> None:
        self.sources, self.columns, self.rows, self.a1 = list(sources), columns, rows, a1
        self.load, self.scratch, self.seen = load, scratch, list(seen)

    def __call__(self, data: Any) -> tuple[Any, _core.Design]:
        """The part, and its design."""
        check_files_here(self.seen)
        if self.load == "memory" or self.scratch is not None:
            part = make_parts([self.copied()], self.rows, None, self.a1)[0]
        else:
            part = make_parts(self.sources, self.rows, self.columns, self.a1)[0]
        return part, part.core

    def copied(self) -> PackedSource:
        """The variants of the part, read from the files into memory, or to a file that has no name."""
        ends = np.cumsum([source.p for source in self.sources])
        owner = np.searchsorted(ends, self.columns, side="right")
        n = self.sources[0].n
        shape = len(self.columns), -(-n // 4)
        packed = np.empty(shape, np.uint8) if self.scratch is None else nameless(shape, self.scratch)
        step = max(_PIECE // shape[1], 1)
        for k, source in enumerate(self.sources):
            mine = np.flatnonzero(owner == k)
            for start in range(0, len(mine), step):
                check_stop()
                some = mine[start : start + step]
                packed[some] = source.rows()[self.columns[some] - (ends[k] - source.p)]
            source.check()
        return PackedSource(self.sources[0].path, n, len(packed), packed)


def nameless(shape: tuple[int, int], folder: str) -> NDArray[np.uint8]:
    """Bytes in a file of a folder, mapped; nothing of it is left when this process ends, however it ends."""
    size = shape[0] * shape[1]
    try:
        with tempfile.TemporaryFile(prefix="riata-", suffix=".genotypes", dir=folder) as file:
            if hasattr(os, "posix_fallocate"):  # a full disk found later, through the map, ends the process
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                os.ftruncate(file.fileno(), size)
            return np.frombuffer(mmap.mmap(file.fileno(), size), dtype=np.uint8).reshape(shape)
    except OSError as error:
        raise OSError(
            error.errno,
            f"scratch: no copy of {bytes_text(size)} can be made in {folder} ({error.strerror})",
        ) from error


def check_room(client: Client, folder: str, size: int) -> None:
    """Refuse a folder that is not there for each worker, or has no room for a part of each that shares it."""
    answers: dict[str, tuple[Any, int] | str] = asked(client, room, folder)
    found: dict[str, tuple[Any, int]] = {}
    for address, there in answers.items():
        if isinstance(there, str):
            raise OSError(f"scratch must be a folder that workers can write to, but {address} says: {there}")
        found[address] = there
    sharing = Counter(disk for disk, _ in found.values())
    for address, (disk, free) in found.items():
        if sharing[disk] * size > free:
            raise OSError(
                f"scratch: {folder} of {address} has {bytes_text(free)} free, and needs "
                f"{bytes_text(sharing[disk] * size)}: name another folder, or use load='memory'"
            )


def room(folder: str) -> tuple[Any, int] | str:
    """Which disk of which machine a folder of this worker is on, and its free bytes; or what is wrong."""
    import socket

    try:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OSError(
                f"{folder} cannot be written to" if os.path.isdir(folder) else f"no folder {folder}"
            )
        return (socket.gethostname(), os.stat(folder).st_dev), shutil.disk_usage(folder).free
    except OSError as error:
        return str(error)
