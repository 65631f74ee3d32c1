"""What runs on workers: parts of X, opened once, and their answers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from threading import Lock, local
from typing import TYPE_CHECKING, Any

import riata
from riata import _core

if TYPE_CHECKING:
    from distributed.threadpoolexecutor import ThreadPoolExecutor

#: Makes the source and the design of a part of the data that a task brings, where there are such.
Opener = Callable[[Any], tuple[Any, _core.Design]]


class UnfitError(Exception):
    """This worker cannot hold a part: others may."""


class StoppedError(Exception):
    """Nobody waits any more for what is being done."""


class NotHandedError(Exception):
    """Bytes that were handed out to all workers are not here."""


@dataclass(frozen=True)
class Handed:
    """Bytes that every worker has been handed, by the name Dask keeps them under."""

    key: str


@dataclass(frozen=True)
class Kind:
    """What has to be the same in all processes for the same bits: the version, and the instruction set."""

    version: str
    isa: str

    @classmethod
    def here(cls) -> Kind:
        """That of this process."""
        return cls(riata.__version__, _core.isa())

    def take(self) -> None:
        """Make this process one of the kind.

        Raises
        ------
        UnfitError
            When it has another version of riata, or lacks the instruction set.
        """
        if riata.__version__ != self.version:
            raise UnfitError(f"it has riata {riata.__version__}, not {self.version}")
        if _core.isa() != self.isa:
            try:
                _core.set_isa(self.isa)
            except ValueError as error:
                raise UnfitError(f"it lacks the instruction set: {error}") from None


@dataclass
class Opened:
    """A part of X in this process: what it was made of, its server, and a lock for one answer at a time."""

    source: Any
    server: _core.ColumnServer
    owner: str
    lock: Lock = field(default_factory=Lock)
    ends: list[bytes] = field(default_factory=list)  # of fits, told while another answer was being made


_PARTS: dict[tuple[str, int], Opened] = {}
#: What ends the answers that are being made, by the key of X and the name of the call.
_RUNNING: dict[tuple[str, str], _core.StopFlag] = {}
#: Calls that nobody waits for any more, some before they have begun.
_STOPPED: deque[str] = deque(maxlen=1000)


#: What ends the opening of a part that this thread is at.
_OPENING = local()


def check_stop() -> None:
    """For openers, now and then: raises StoppedError when nobody waits for the part any more."""
    flag = getattr(_OPENING, "flag", None)
    if flag is not None and flag.is_set:
        raise StoppedError


def open_part(
    key: str, part: int, call: str, first: int, opener: Opener, kind: Kind, owner: str, data: Any
) -> tuple[str] | None:
    """Open a part of X in this process, for a client: sent when a message has not found it here.

    Returns why it cannot be opened here but may be elsewhere.
    """
    _OPENING.flag = _RUNNING[key, call] = _core.StopFlag()
    try:
        kind.take()
        source, design = opener(data)
        check_stop()  # what is forgotten meanwhile must not come back
    except UnfitError as error:
        return (str(error),)
    except StoppedError:
        return None
    finally:
        _OPENING.flag = None
        _RUNNING.pop((key, call), None)
    _PARTS[key, part] = Opened(source, _core.ColumnServer(design, first, n_threads()), owner)
    return None


def n_threads() -> int:
    """Threads of this worker."""
    from distributed import get_worker

    return int(get_worker().state.nthreads)


def answer(key: str, part: int, call: str, method: str, common: bytes, own: bytes) -> bytes | None:
    """What a part answers to a message of a fit; None: it is not here, or nobody waits any more."""
    mine = _PARTS.get((key, part))
    if mine is None:
        return None
    flag = _RUNNING[key, call] = _core.StopFlag()
    try:
        with mine.lock:
            if flag.is_set or call in _STOPPED:
                return None
            return mine.server.answer(method, common, own, flag)
    finally:
        _RUNNING.pop((key, call), None)
        _end(mine)


def ask(key: str, part: int, question: Callable[[Any], Any]) -> tuple[Any] | None:
    """What a function finds out about the source of a part; None: it is not here."""
    mine = _PARTS.get((key, part))
    if mine is None:
        return None
    try:
        with mine.lock:
            return (question(mine.source),)
    finally:
        _end(mine)


#: What the calls are named that a worker answers without the scheduler.
HANDLER = "riata_answer"


def listen(dask_worker: Any) -> None:
    """Answer direct calls from now on, one at a time: each takes all threads of the worker.

    In a thread of riata's own: those of the worker may be full of tasks of others, or take none while it is
    paused.
    """
    if HANDLER in dask_worker.handlers:
        return
    from distributed.threadpoolexecutor import ThreadPoolExecutor

    thread = ThreadPoolExecutor(1, thread_name_prefix="riata")

    async def riata_answer(told: bytes, large: dict[str, bytes]) -> dict[str, Any]:
        return await answer_directly(dask_worker, thread, told, large)

    dask_worker.handlers[HANDLER] = riata_answer


async def answer_directly(
    dask_worker: Any, thread: ThreadPoolExecutor, told: bytes, large: dict[str, bytes]
) -> dict[str, Any]:
    """What `answer` or `ask` return, without the scheduler. The loop of the worker goes on meanwhile.

    `told` has the function and its arguments, but for large ones, which are told by their places.
    """
    from distributed.core import error_message
    from distributed.protocol import to_serialize
    from distributed.protocol.pickle import loads

    try:
        what, *arguments = loads(told)
        for number, data in large.items():
            arguments[int(number)] = data
        if (arguments[0], arguments[1]) not in _PARTS:
            return {"status": "OK", "result": None}
        for place, each in enumerate(arguments):
            if isinstance(each, Handed):
                if each.key not in dask_worker.data:
                    raise NotHandedError(each.key)
                arguments[place] = dask_worker.data[each.key]
        try:
            doing = thread.submit(what, *arguments)
        except RuntimeError:  # the process is ending
            return {"status": "OK", "result": None}
        found = await asyncio.wrap_future(doing)
    except Exception as error:
        return dict(error_message(error))
    return {"status": "OK", "result": to_serialize(found)}


def _end(mine: Opened) -> None:
    """Let the server forget fits that have ended, unless it is at work: then this is called after that."""
    while mine.ends and mine.lock.acquire(blocking=False):
        try:
            while mine.ends:
                mine.server.answer("end", b"", mine.ends.pop())
        finally:
            mine.lock.release()


# Dask runs what nobody waits for only where it is a coroutine, beside the tasks.


async def end(key: str, ends: dict[int, bytes]) -> None:
    """A fit has ended: forget what parts know of it."""
    for part, message in ends.items():
        if (mine := _PARTS.get((key, part))) is not None:
            mine.ends.append(message)
            _end(mine)


async def stop(key: str, calls: Collection[str]) -> None:
    """End what is done for calls that nobody waits for any more."""
    _STOPPED.extend(calls)
    for call in calls:
        if (flag := _RUNNING.get((key, call))) is not None:
            flag.set()


async def close(key: str, parts: Collection[int] | None = None) -> None:
    """Forget parts of an X, by default all, and end what is done for it."""
    for name in [name for name in _PARTS if name[0] == key and (parts is None or name[1] in parts)]:
        _PARTS.pop(name, None)
    if parts is None:
        for (owner, _), flag in list(_RUNNING.items()):
            if owner == key:
                flag.set()


async def keep_those_of(owners: Collection[str]) -> None:
    """Forget the parts of clients that are no more."""
    for key in {name[0] for name, mine in list(_PARTS.items()) if mine.owner not in owners}:
        await close(key)
