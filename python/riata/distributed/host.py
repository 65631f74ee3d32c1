"""Calls of the core, carried to the workers that hold parts of X: bytes in, bytes out."""

from __future__ import annotations

import time
import uuid
import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from riata._io.extras import needs
from riata.distributed import workers

if TYPE_CHECKING:
    from distributed import Client, Future

#: Bytes from which what all parts are sent is given to one worker, which hands it on.
_LARGE = 2**16
#: Seconds between looks at which workers there are.
_SLICE = 0.5
#: Seconds to wait for a worker when there is none.
_PATIENCE = 60.0


def client_of(client: Client | None) -> Client:
    """The client given, or the one in use.

    Raises
    ------
    ImportError
        Without Dask.
    ValueError
        When there is no client.
    """
    try:
        from distributed import get_client
    except ImportError as error:
        raise needs("riata.distributed", "dask") from error
    if client is not None:
        if client.asynchronous:
            raise ValueError("client must not be asynchronous: riata's functions return when they have ended")
        return client
    try:
        return get_client()
    except ValueError:
        raise ValueError("client must be a dask.distributed.Client: none is in use") from None


class Host:
    """Parts of X at the workers of a client.

    Every task is pinned to the worker of its part. Before and while it waits the host looks which workers
    there are; the part of one that has gone is opened again on another, which is told by the core what it has
    to know.

    Parameters
    ----------
    client : distributed.Client
    firsts : sequence of int
        The first column of each part.
    openers : sequence of callable
        What makes the source and the design of each part, on the worker.
    data : sequence, optional
        For each part a future that the opener is given.
    """

    def __init__(
        self,
        client: Client,
        firsts: Sequence[int],
        openers: Sequence[workers.Opener],
        data: Sequence[Any] | None = None,
    ) -> None:
        self.client, self.firsts, self.openers = client, list(firsts), list(openers)
        self.data = [None] * len(self.firsts) if data is None else list(data)
        self.key = f"riata-{uuid.uuid4().hex}"
        self.homes: list[str] = [""] * len(self.firsts)
        weakref.finalize(self, _forget, client, self.key)

    def call(
        self, method: str, common: bytes, parts: Sequence[int], own: Sequence[bytes]
    ) -> Iterator[tuple[int, bytes]]:
        """See `_core.hosted_design`."""
        shared = Shared(self.client, common) if len(common) > _LARGE and len(parts) > 1 else None
        sent = dict(zip(parts, own, strict=True))

        def task_of(part: int) -> tuple[Any, ...]:
            large = common if shared is None else shared.future()
            return workers.answer, self.key, part, method, large, sent[part]

        return self._run(parts, task_of)

    def ask(self, question: Callable[[Any], Any]) -> list[Any]:
        """What a function says of the source of each part."""
        parts = range(len(self.firsts))
        found = dict(self._run(parts, lambda part: (workers.ask, self.key, part, question)))
        return [found[part][0] for part in parts]

    def _run(
        self, parts: Sequence[int], task_of: Callable[[int], tuple[Any, ...]]
    ) -> Iterator[tuple[int, Any]]:
        """Pairs of part and answer, as they come. A task that finds its part not there answers None."""
        self._place(parts)
        waiting = {self._submit(part, task_of(part)): (part, True) for part in parts}
        try:
            while waiting:
                done = self._ended(waiting)
                for future in done:
                    part, answers = waiting.pop(future)
                    if self._was_lost(future):
                        self.homes[part] = ""
                        self._place([part])
                    elif (found := future.result()) is not None:
                        yield part, found
                        continue
                    elif answers:
                        waiting[self._submit(part, self._opening(part))] = (part, False)
                        continue
                    waiting[self._submit(part, task_of(part))] = (part, True)
                if not done:
                    self._move_on(waiting, task_of)
        finally:
            if waiting:
                self.client.cancel(list(waiting), force=True)

    @staticmethod
    def _ended(waiting: Collection[Future]) -> list[Future]:
        """Those that have ended, or none after a while."""
        from distributed import wait

        try:
            wait(list(waiting), timeout=_SLICE, return_when="FIRST_COMPLETED")
        except TimeoutError:
            return []
        except CancelledError:
            pass
        return [future for future in waiting if future.status != "pending"]

    def _opening(self, part: int) -> tuple[Any, ...]:
        return workers.open_part, self.key, part, self.firsts[part], self.openers[part], self.data[part]

    def _submit(self, part: int, task: tuple[Any, ...]) -> Future:
        """Send a function and its arguments to the worker of a part."""
        return self.client.submit(
            *task, workers=[self.homes[part]], allow_other_workers=False, pure=False, retries=0
        )

    @staticmethod
    def _was_lost(future: Future) -> bool:
        """Whether a task ended with its worker, not by itself."""
        from distributed import KilledWorker

        if future.status in ("cancelled", "lost"):
            return True
        return future.status == "error" and isinstance(future.exception(), KilledWorker | CancelledError)

    def _move_on(
        self, waiting: dict[Future, tuple[int, bool]], task_of: Callable[[int], tuple[Any, ...]]
    ) -> None:
        """Send what waits for a worker that has gone to another one."""
        live = set(self.client.nthreads())
        for future, (part, _) in list(waiting.items()):
            if self.homes[part] in live:
                continue
            del waiting[future]
            future.cancel()
            self._place([part])
            waiting[self._submit(part, task_of(part))] = (part, True)

    def _place(self, parts: Sequence[int]) -> None:
        """Give each part that has none a worker: the one that has its data, or that with the fewest parts."""
        live = self._live()
        for part in parts:
            if self.homes[part] in live:
                continue
            load = {address: self.homes.count(address) for address in live}
            near = [] if self.data[part] is None else self.client.who_has([self.data[part]])
            holders = [address for held in dict(near).values() for address in held if address in live]
            self.homes[part] = min(holders or live, key=lambda address: (load[address], address))

    def _live(self) -> list[str]:
        """Addresses of the workers there are; waits for one."""
        since = time.monotonic()
        while not (live := sorted(self.client.nthreads())):
            if time.monotonic() - since > _PATIENCE:
                raise RuntimeError(f"no worker of the cluster has come within {_PATIENCE:.0f} seconds")
            time.sleep(_SLICE)
        return live


class Shared:
    """Bytes that all workers have; again, where they have got lost with some."""

    def __init__(self, client: Client, data: bytes) -> None:
        self.client, self.data = client, data
        self._future: Future | None = None

    def future(self) -> Future:
        """The bytes, as a task takes them."""
        if self._future is None or self._future.status != "finished":
            self._future = self.client.scatter(self.data, broadcast=True, hash=False)
        return self._future


def _forget(client: Client, key: str) -> None:
    """Let workers drop the parts of an X that is no more in use.

    On the loop of the client, for garbage is collected in any thread, that of the loop as well.
    """
    try:
        if client.status == "running":
            client.loop.add_callback(client.run, workers.close, key, wait=False, on_error="ignore")
    except Exception:  # the cluster may be on its way down
        return
