"""What runs on workers: parts of X, opened once, and their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from riata import _core

#: Makes the source of a part and its core design of the data that a task brings, where there are such.
Opener = Callable[[Any], tuple[Any, _core.Design]]


@dataclass
class Opened:
    """A part of X in this process: what it was made of, its server, and a lock for one answer at a time."""

    source: Any
    server: _core.ColumnServer
    lock: Lock = field(default_factory=Lock)


_PARTS: dict[tuple[str, int], Opened] = {}


def open_part(key: str, part: int, first: int, opener: Opener, data: Any) -> None:
    """Open a part of X in this process. A message that finds none here says so, and this is sent."""
    source, design = opener(data)
    _PARTS[key, part] = Opened(source, _core.ColumnServer(design, first, n_threads()))


def n_threads() -> int:
    """Threads of this worker."""
    from distributed import get_worker

    return int(get_worker().state.nthreads)


def answer(key: str, part: int, method: str, common: bytes, own: bytes) -> bytes | None:
    """What a part answers to a message of a fit; None: it is not here."""
    mine = _PARTS.get((key, part))
    if mine is None:
        return None
    with mine.lock:
        return mine.server.answer(method, common, own)


def ask(key: str, part: int, question: Callable[[Any], Any]) -> tuple[Any] | None:
    """What a function finds out about the source of a part; None: it is not here."""
    mine = _PARTS.get((key, part))
    if mine is None:
        return None
    with mine.lock:
        return (question(mine.source),)


async def close(key: str) -> None:
    """Forget all parts of an X. Dask runs what nobody waits for only where it is a coroutine."""
    for name in [name for name in _PARTS if name[0] == key]:
        _PARTS.pop(name, None)
