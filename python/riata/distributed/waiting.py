"""Waiting for what Dask does with a worker, only as long as that worker is there."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from riata.distributed import doors

if TYPE_CHECKING:
    from distributed import Client, Future

TIMED_OUT: tuple[type[Exception], ...] = doors.TIMED_OUT
#: Seconds to hand out a message, beside those that its bytes take at so many a second.
_PATIENCE = 5.0
_LEAST_RATE = 1e7


def waited(
    client: Client, what: Callable[[], Awaitable[Any]], worth: Callable[[], bool]
) -> tuple[Any] | None:
    """What a coroutine returns on the loop of a client; None when it is not worth waiting for any more."""

    async def run() -> tuple[Any, Exception | None]:
        try:
            return await what(), None
        except Exception as error:  # which may come when nobody waits any more
            return None, error

    doing = asyncio.run_coroutine_threadsafe(run(), client.loop.asyncio_loop)
    try:
        while not doing.done():
            try:
                doing.result(timeout=doors.SLICE)
            except TIMED_OUT:
                if not worth():
                    return None
            except CancelledError:
                return None
        found, error = doing.result()
    finally:
        doing.cancel()
    if isinstance(error, CancelledError):
        return None
    if error is not None:
        raise error
    return (found,)


def settle(client: Client, futures: Sequence[Future]) -> None:
    """Wait until tasks have ended; raises what one of them has raised.

    Raises
    ------
    RuntimeError
        When no worker takes tasks any more.
    """
    from distributed import wait

    worth = doors.Patience(client)
    while pending := [future for future in futures if future.status == "pending"]:
        with contextlib.suppress(*TIMED_OUT, CancelledError), client.as_current():
            wait(pending, timeout=doors.SLICE)
        if not worth():
            raise _left_alone()
    for future in futures:
        if future.status != "finished":
            future.result(timeout=doors.PATIENCE)


def fetched(client: Client, futures: Sequence[Future]) -> list[Any]:
    """What tasks return, see `settle`."""
    settle(client, futures)
    found = waited(client, lambda: client.gather(list(futures), asynchronous=True), doors.Patience(client))
    if found is None:
        raise _left_alone()
    return list(found[0])


def _left_alone() -> RuntimeError:
    return RuntimeError(
        f"no worker of the cluster takes tasks, for {doors.PATIENCE:.0f} seconds: X cannot be read"
    )


class Shared:
    """Bytes for all workers: one gets them and hands them on, and where some get lost each has its own."""

    def __init__(self, client: Client, data: bytes) -> None:
        self.client, self.data = client, data
        self.sent = 0  # bytes
        self._future: Future | None = None
        self._each = False

    def value(self) -> Future | bytes:
        """The bytes, as a task takes them."""
        if not self._each and self._future is None:
            self._future = self._scattered()
            self._each = self._future is None
            self.sent += len(self.data)
        if self._future is not None and not self._each:
            return self._future
        self.sent += len(self.data)
        return self.data

    def renew(self) -> None:
        """A worker was lost, and the bytes may be with it, which Dask does not always tell."""
        self._each = True

    def _scattered(self) -> Future | None:
        """Hand them out; none when a worker has gone meanwhile: Dask tries to reach it for half a minute."""
        there = set(doors.running(self.client))
        until = time.monotonic() + _PATIENCE + len(self.data) / _LEAST_RATE

        async def scatter() -> Any:
            return await self.client.scatter(self.data, broadcast=True, hash=False, asynchronous=True)

        def worth() -> bool:
            return time.monotonic() < until and there <= set(doors.running(self.client))

        try:
            found = waited(self.client, scatter, worth)
        except Exception:  # Dask trips over workers that go meanwhile
            return None
        return None if found is None else found[0]
