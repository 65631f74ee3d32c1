"""What is asked of a cluster before any work, and refused in one sentence."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as FuturesTimeoutError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import riata
from riata import _core
from riata._io.sizes import bytes_text
from riata._io.wording import counted
from riata.distributed.workers import UnfitError

if TYPE_CHECKING:
    from distributed import Client

#: What Dask and others raise at the end of a deadline: three classes before Python 3.11.
TIMED_OUT: tuple[type[Exception], ...] = (TimeoutError, asyncio.TimeoutError, FuturesTimeoutError)
#: Seconds to wait for a worker when there is none, and for answers of all.
PATIENCE = 60.0
#: Seconds between looks.
SLICE = 0.5
#: Instruction sets, the lowest first.
LEVELS = ("baseline", "avx2", "avx512", "avx512vnni")
#: Bytes at the beginning and end of a file that are compared.
_ENDS = 2**16


def check_client(client: Client) -> None:
    """Refuse a client that is closed.

    Raises
    ------
    ValueError
    """
    if client.status in ("closed", "closing"):
        raise ValueError(f"client must be open, got one that is {client.status}")


def running(client: Client) -> list[str]:
    """Addresses of the workers that take tasks: not paused, not about to close.

    Raises
    ------
    ValueError
        When the client is closed.
    RuntimeError
        When the scheduler does not answer.
    """
    check_client(client)
    try:
        return sorted(client.sync(client.scheduler.ncores_running))
    except OSError as error:
        raise RuntimeError(f"the scheduler of the cluster does not answer: {error}") from error


def awaited(client: Client) -> list[str]:
    """Addresses of the workers that take tasks, see `running`; waits for one.

    Raises
    ------
    RuntimeError
        When none comes.
    """
    since = time.monotonic()
    while not (there := running(client)):
        if time.monotonic() - since > PATIENCE:
            raise RuntimeError(f"client must have workers, got none within {PATIENCE:.0f} seconds")
        time.sleep(SLICE)
    return there


def asked(client: Client, question: Callable[..., Any], *told: Any) -> dict[str, Any]:
    """What a function returns on each worker.

    Raises
    ------
    RuntimeError
        When not all of them have answered in time.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return dict(client.run(question, *told, callback_timeout=max(until - time.monotonic(), SLICE)))
        except TIMED_OUT as error:
            silent = [address for address in running(client) if not _answers(client, address)]
            raise RuntimeError(
                f"workers must answer within {PATIENCE:.0f} seconds, got nothing from "
                f"{', '.join(silent) or 'some of them'}: they have stopped, or cannot be reached"
            ) from error
        except OSError as error:  # one has gone meanwhile, and then it is not asked again
            if time.monotonic() > until:
                raise RuntimeError(f"the workers of the cluster cannot be asked: {error}") from error
        running(client)
        time.sleep(SLICE)


def _answers(client: Client, address: str) -> bool:
    try:
        client.run(os.getpid, workers=[address], callback_timeout=SLICE)
    except Exception:
        return False
    return True


class Patience:
    """Whether tasks are worth waiting for: False once no worker has taken any for a minute."""

    def __init__(self, client: Client) -> None:
        self.client, self.since = client, time.monotonic()

    def __call__(self) -> bool:
        """Look, now and then."""
        if running(self.client):
            self.since = time.monotonic()
        return time.monotonic() - self.since <= PATIENCE


def check_workers(client: Client) -> None:
    """Wait for a worker, and make all of them and this process ones that compute the same bits.

    Raises
    ------
    RuntimeError
        When no worker comes.
    ValueError
        When one has another version of riata, or none.

    Warns
    -----
    UserWarning
        When instruction sets differ: all use the lowest there is from then on.
    """

    def look() -> tuple[str, str]:  # inside, so that it goes to workers by value: they may have another riata
        try:
            import riata
            from riata import _core
        except ImportError as error:
            return str(error), ""
        return riata.__version__, _core.isa()

    awaited(client)
    found = asked(client, look)
    for address, (version, isa) in found.items():
        if version != riata.__version__:
            at = f"{version} at worker {address}" if isa else f"none at worker {address} ({version})"
            raise ValueError(
                f"the version of riata must be the same on all workers and here, got {at} "
                f"and {riata.__version__} here"
            )
    sets = {isa for _, isa in found.values()} | {_core.isa()}
    if len(sets) > 1:
        _lower(client, min(sets, key=LEVELS.index), sorted(sets, key=LEVELS.index))


def _lower(client: Client, level: str, sets: Sequence[str]) -> None:
    try:
        asked(client, _core.set_isa, level)
        _core.set_isa(level)
    except ValueError as error:
        raise ValueError(
            f"the instruction set must be the same on all workers and here, got {' and '.join(sets)}: {error}"
        ) from error
    warnings.warn(
        f"workers and this process have different instruction sets, {' and '.join(sets)}: for the same bits "
        f"all of them use {level} from now on",
        UserWarning,
        stacklevel=4,
    )


@dataclass(frozen=True)
class FileSeen:
    """A file as this process sees it: its size, last change, and a digest of its first and last bytes."""

    path: str
    size: int
    changed: int
    digest: str

    @classmethod
    def of(cls, path: str) -> FileSeen:
        """Look at a file."""
        with open(path, "rb") as file:
            about = os.fstat(file.fileno())
            size = about.st_size
            first = file.read(_ENDS)
            file.seek(max(size - _ENDS, 0))
            return cls(path, size, about.st_mtime_ns, hashlib.sha256(first + file.read(_ENDS)).hexdigest())

    def difference(self) -> str | None:
        """What is different about the file of that name in the process that asks."""
        try:
            mine = FileSeen.of(self.path)
        except OSError as error:
            return f"cannot read {self.path} ({error.strerror})"
        if mine.size != self.size:
            return f"has {self.path} with {mine.size:,} bytes, not {self.size:,}"
        if mine.digest != self.digest:
            return f"has {self.path} with the same size and other bytes"
        if mine.changed != self.changed:
            return f"has {self.path} with another time of change, which copies must keep (cp -p, rsync -t)"
        return None


def differences(files: Sequence[FileSeen]) -> tuple[str, str | None]:
    """The name of this host, and what is different about the first file that differs here."""
    return socket.gethostname(), next((text for file in files if (text := file.difference())), None)


def check_files_here(files: Sequence[FileSeen]) -> None:
    """See `differences`; raises UnfitError."""
    for file in files:
        if text := file.difference():
            raise UnfitError(f"it {text}")


def check_files(client: Client, files: Sequence[FileSeen]) -> None:
    """Refuse files that some worker does not see, or that differ there.

    Raises
    ------
    OSError
        Naming the worker, its host and the file.
    """
    for address, (host, text) in asked(client, differences, list(files)).items():
        if text:
            raise OSError(f"path must name the same files on every worker: {address} on {host} {text}")


@dataclass(frozen=True)
class Room:
    """What a worker may use: bytes, 0 for no limit, and the shares of it at which Dask steps in, or False."""

    limit: int
    target: float | Literal[False]
    spill: float | Literal[False]
    pause: float | Literal[False]
    terminate: float | Literal[False]

    @property
    def share(self) -> float:
        """Of the limit, what may be used before the worker is paused or killed."""
        return min([share for share in (self.pause, self.terminate) if share] or [1.0])


def room(dask_worker: Any) -> Room:
    """That of this worker."""
    from dask import config

    manager = dask_worker.memory_manager
    return Room(
        int(manager.memory_limit or 0),
        manager.memory_target_fraction,
        manager.memory_spill_fraction,
        manager.memory_pause_fraction,
        config.get("distributed.worker.memory.terminate") if dask_worker.nanny else False,
    )


def check_memory_in_all(client: Client, size: float, chunk: float) -> None:
    """Refuse an array of so many bytes, and so many in its largest chunk, that workers together cannot hold.

    Raises
    ------
    ValueError
        When its sizes and what workers may use do not go together; where one has no limit, nothing is known.
    """
    rooms = asked(client, room).values()
    if not rooms or not all(found.limit for found in rooms):
        return
    usable = [found.share * found.limit for found in rooms]
    if size > sum(usable) or chunk > max(usable):
        raise ValueError(
            f"array must fit the memory of the workers, got {bytes_text(size)}, {bytes_text(chunk)} in its "
            f"largest chunk, and {counted(len(usable), 'worker')} that may use {bytes_text(sum(usable))} in "
            f"all, {bytes_text(max(usable))} at most: use more workers or larger ones"
        )


def check_memory(client: Client, need: float, load: Literal["memory", "map"], may_map: bool = True) -> None:
    """Refuse parts of `need` bytes that a worker cannot hold; warn where it is to map them.

    `may_map` says whether there is another `load` to be told of.

    Raises
    ------
    ValueError
        Naming the worker, what it needs and what it may use.

    Warns
    -----
    UserWarning
        When a worker may be paused or killed for pages of mapped files.
    """
    for address, found in asked(client, room).items():
        if not found.limit or need <= found.share * found.limit:
            continue
        needs = f"{bytes_text(need)} a worker"
        limit = f"{address} may use {found.share:g} of its limit of {bytes_text(found.limit)}"
        if load == "memory":
            raise ValueError(
                f"X must fit the memory of the workers, got {needs}, and {limit}: use more workers or larger "
                "ones" + (", or load='map'" if may_map else "")
            )
        if found.pause or found.terminate:
            warnings.warn(
                f"X maps {needs}, which Dask counts as memory of the worker, and {limit}, beyond "
                "which it is paused or killed: set distributed.worker.memory.target, spill, pause and "
                "terminate to false",
                UserWarning,
                stacklevel=4,
            )
            return
