"""Calls of functions on workers: past the scheduler where they can be reached, else as tasks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import CancelledError
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from riata.distributed import workers

if TYPE_CHECKING:
    from distributed import Client

_LOG = logging.getLogger("riata.distributed")
#: Seconds for a worker to answer the first time before it is said to be out of reach.
_CONNECT = 10.0
#: Bytes up to which an argument is copied into the envelope of a call.
_COPIED = 2**14


class LostError(Exception):
    """What was sent has ended with its worker, or on the way."""


class Carrier:
    """Calls of functions at the workers of a client, on its loop.

    A call over a connection of the client to the worker takes a fraction of a millisecond, a task that the
    scheduler hands to the worker and an answer that is fetched some ten. Which of the two it is is found out
    once a worker: between a client and workers may be a gateway, or ports that are closed.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self._reached: dict[str, bool] = {}
        self._reaching: dict[str, asyncio.Lock] = {}

    def reaches_all(self, homes: Collection[str]) -> bool:
        """Whether no worker is known to be out of reach."""
        return all(self._reached.get(home, True) for home in homes)

    async def ask(self, home: str, what: Callable[..., Any], *told: Any) -> Any:
        """What `workers.answer` or `workers.ask` return there: None where the part is not there.

        Raises
        ------
        LostError
        """
        if await self._reaches(home):
            return await self._directly(home, what, told)
        return await self.run(home, what, *told)

    async def run(self, home: str, what: Callable[..., Any], *told: Any) -> Any:
        """What a task returns that is pinned to a worker.

        Waits without end for one that goes between the end of the task and the fetch of what it returns.

        Raises
        ------
        LostError
        """
        from distributed import KilledWorker

        future = self.client.submit(
            what, *told, workers=[home], allow_other_workers=False, pure=False, retries=0
        )
        try:
            return await self.client.gather(future, asynchronous=True)
        except Exception as error:
            if future.status == "error" and not isinstance(error, KilledWorker | CancelledError):
                raise
            raise LostError from error
        finally:
            future.release()

    def avoid(self, home: str) -> None:
        """Use tasks for a worker from now on: nothing answers at its address, or something else does."""
        if not self._reached.get(home, True):
            return
        self._reached[home] = False
        _LOG.warning(
            "worker %s cannot be reached from this process: messages go through the scheduler, which takes "
            "some ten milliseconds each",
            home,
        )

    async def _reaches(self, home: str) -> bool:
        """Whether a worker can be called directly; it listens from then on."""
        from distributed.protocol.pickle import dumps

        async with self._reaching.setdefault(home, asyncio.Lock()):
            if home not in self._reached:
                try:
                    listens = self.client.rpc(home).run(function=dumps(workers.listen), wait=True)
                    await asyncio.wait_for(listens, _CONNECT)
                except Exception as error:  # of the network, of certificates, of a scheme not known here
                    if not await self._runs(home):
                        raise LostError from error
                    self.avoid(home)
                else:
                    self._reached[home] = True
            return self._reached[home]

    async def _runs(self, home: str) -> bool:
        """Whether the scheduler says that a worker is there; False where the client has been closed."""
        try:
            return home in await self.client.scheduler.ncores_running()
        except Exception:
            return False

    async def _directly(self, home: str, what: Callable[..., Any], told: tuple[Any, ...]) -> Any:
        from distributed import Future
        from distributed.core import clean_exception
        from distributed.protocol import to_serialize
        from distributed.protocol.pickle import dumps

        handed = [workers.Handed(each.key) if isinstance(each, Future) else each for each in told]
        large = {  # as they are, not within the envelope, which would be copied four times
            str(place): to_serialize(each)
            for place, each in enumerate(handed)
            if isinstance(each, bytes) and len(each) > _COPIED
        }
        small = [None if str(place) in large else each for place, each in enumerate(handed)]
        try:
            found = await getattr(self.client.rpc(home), workers.HANDLER)(
                told=dumps((what, *small)), large=large
            )
        except (OSError, RuntimeError) as error:  # the worker has gone, or connections are closed
            self._reached.pop(home, None)
            raise LostError from error
        if found is None:  # another process at its address, which does not listen yet
            self._reached.pop(home, None)
            raise LostError
        if found["status"] == "OK":
            return found["result"]
        _, raised, trace = clean_exception(**found)
        if raised is None or isinstance(raised, workers.NotHandedError):
            raise LostError from raised
        raise raised.with_traceback(trace)


@dataclass(eq=False)
class Letter:
    """A question to a part, at the worker that has it."""

    part: int
    home: str
    call: str
    what: tuple[Any, ...]
    doing: asyncio.Task[None] | None = None


class Round:
    """Letters under way, all at once, and answers as they come.

    Parameters
    ----------
    client : distributed.Client
        Whose loop carries them.
    carry : callable
        What it does for one: a coroutine.
    taken_back : callable
        Called with those that nobody waits for any more.
    """

    def __init__(
        self,
        client: Client,
        carry: Callable[[Letter], Awaitable[Any]],
        taken_back: Callable[[list[Letter]], None],
    ) -> None:
        self._client, self._carry, self._taken_back = client, carry, taken_back
        self._ended: SimpleQueue[tuple[Letter, Any, Exception | None]] = SimpleQueue()
        self.left: set[Letter] = set()

    def __enter__(self) -> Round:
        return self

    def __exit__(self, *_: object) -> None:
        self.take_back(list(self.left))

    def send(self, letters: list[Letter]) -> None:
        """Begin."""
        self.left.update(letters)

        def begin() -> None:
            for letter in letters:
                letter.doing = asyncio.ensure_future(self._carried(letter))

        self._client.loop.add_callback(begin)

    async def _carried(self, letter: Letter) -> None:
        try:
            self._ended.put((letter, await self._carry(letter), None))
        except asyncio.CancelledError:
            self._ended.put((letter, None, None))
            raise
        except Exception as error:  # raised where it is waited for
            self._ended.put((letter, None, error))

    def next(self, seconds: float) -> tuple[Letter, Any] | None:
        """One that has ended, with its answer; None after so long. Raises what it has raised."""
        while True:
            try:
                letter, answer, error = self._ended.get(timeout=seconds)
            except Empty:
                return None
            if letter not in self.left:
                continue  # taken back meanwhile
            self.left.discard(letter)
            if error is not None:
                raise error
            return letter, answer

    def take_back(self, letters: list[Letter]) -> None:
        """Nobody waits for these any more."""
        self.left.difference_update(letters)
        if not letters:
            return

        def end() -> None:
            for letter in letters:
                if letter.doing is not None:
                    letter.doing.cancel()

        with contextlib.suppress(RuntimeError):  # the loop may have ended
            self._client.loop.add_callback(end)
        self._taken_back(letters)
