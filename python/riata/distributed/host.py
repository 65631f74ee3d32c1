"""Calls of the core, carried to the workers that hold parts of X: bytes in, bytes out."""

from __future__ import annotations

import contextlib
import itertools
import logging
import time
import uuid
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from riata._io import traffic
from riata._io.extras import needs
from riata.distributed import doors, workers
from riata.distributed.carrier import Carrier, Letter, LostError, Round
from riata.distributed.turns import Turn
from riata.distributed.waiting import Shared

if TYPE_CHECKING:
    from distributed import Client

_LOG = logging.getLogger("riata.distributed")
#: Bytes for all workers but one from which what all are sent is given to one, which hands it on.
_LARGE = 2**25
#: The same where some get it as a task, which Dask warns of from 10 MB on.
_LARGE_TASK = 2**21
#: Seconds after which the scheduler is shown that the cluster is in use: it sees tasks alone.
_BEAT = 30.0
#: Seconds that a worker may be paused, or take to close, before its parts are opened on another.
_GRACE = 5.0
#: Workers lost over one question to one part.
_MOST_LOSSES = 20
#: What the core takes for an empty answer.
_TAKEN = b"\0"


def client_of(client: Client | None) -> Client:
    """The client given, or the one in use, with workers that compute the same bits.

    Raises
    ------
    ImportError
        Without Dask.
    TypeError
        When it is something else.
    ValueError
        When there is no client, it is closed, or workers have another version of riata.
    RuntimeError
        When no worker comes.
    """
    try:
        from distributed import Client, get_client
    except ImportError as error:
        raise needs("riata.distributed", "dask") from error
    if client is None:
        try:
            client = get_client()
        except ValueError:
            raise ValueError("client must be a dask.distributed.Client: none is in use") from None
    if not isinstance(client, Client):
        raise TypeError(
            f"client must be a dask.distributed.Client, got an object of type {type(client).__name__}"
        )
    if client.asynchronous:
        raise ValueError("client must not be asynchronous: riata's functions return when they have ended")
    doors.check_workers(client)
    return client


class Host:
    """Parts of X at the workers of a client.

    Every message goes to the worker of its part. Before and while it waits the host looks which workers
    there are; the part of one that has gone, or does not take tasks for some seconds, is opened again on
    another, which is told by the core what it has to know.

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
        self._kind = workers.Kind.here()
        self._numbers = itertools.count()
        self._turn = Turn()
        self._carrier = Carrier(client)
        self._opened: set[int] = set()
        self._beat: tuple[float, Any] = time.monotonic(), None
        self._looked = float("-inf")  # when it was seen last which workers there are
        self._idle_since: dict[str, float] = {}
        self._unfit: dict[str, str] = {}
        weakref.finalize(self, _tell, client, workers.close, self.key)
        _tell(client, workers.keep_those_of, _clients(client))

    def call(
        self, method: str, common: bytes, parts: Sequence[int], own: Sequence[bytes]
    ) -> Iterator[tuple[int, bytes]]:
        """See `_core.hosted_design`. Fits take turns."""
        fit = bytes(own[0][:8])
        if method == "end":
            self._turn.give(fit)
            _tell(self.client, workers.end, self.key, dict(zip(parts, own, strict=True)))
            yield from ((part, _TAKEN) for part in parts)
            return
        if method == "begin":
            self._turn.take(fit)
        most = _LARGE if self._carrier.reaches_all(self.homes) else min(_LARGE, _LARGE_TASK)
        shared = Shared(self.client, common) if len(common) * (len(parts) - 1) > most else None
        sent = dict(zip(parts, own, strict=True))
        seen = traffic.current() or traffic.Traffic()
        seen.messages += 1
        since = time.monotonic()

        def told(part: int, call: str) -> tuple[Any, ...]:
            large = common if shared is None else shared.value()
            seen.bytes_out += len(sent[part]) + (len(common) if shared is None else 0)
            return workers.answer, self.key, part, call, method, large, sent[part]

        for part, answer in self._run(parts, told, None if shared is None else shared.renew):
            seen.bytes_in += len(answer)
            yield part, answer
        seen.bytes_out += 0 if shared is None else shared.sent
        seen.seconds_waiting += time.monotonic() - since
        seen.workers = len(set(self.homes))

    def ask(self, question: Callable[[Any], Any]) -> list[Any]:
        """What a function says of the source of each part."""
        parts = range(len(self.firsts))
        found = dict(self._run(parts, lambda part, _: (workers.ask, self.key, part, question)))
        return [found[part][0] for part in parts]

    def _run(
        self,
        parts: Sequence[int],
        told: Callable[[int, str], tuple[Any, ...]],
        lost: Callable[[], None] | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """Pairs of part and answer, as they come.

        `told` has what a part is asked in a call of that name; `lost` is called where one was lost.
        """
        if time.monotonic() - self._looked > doors.SLICE or any(not self.homes[part] for part in parts):
            self._place(parts)
        losses: Counter[int] = Counter()
        seen = traffic.current() or traffic.Traffic()

        def letters(parts: Sequence[int]) -> list[Letter]:
            calls = [f"{self.key}-{next(self._numbers)}" for _ in parts]
            return [
                Letter(part, self.homes[part], call, told(part, call))
                for part, call in zip(parts, calls, strict=True)
            ]

        with Round(self.client, lambda letter: self._carried(letter, seen), self._stop) as under_way:
            under_way.send(letters(parts))
            while under_way.left:
                ended = under_way.next(doors.SLICE)
                if ended is None:
                    again = self._moved(under_way.left)
                    under_way.take_back(again)
                elif ended[1] is not None:
                    yield ended[0].part, ended[1]
                    continue
                else:
                    again = [ended[0]]
                    self._count_loss(ended[0], losses)
                    if lost is not None:
                        lost()
                    self._place([ended[0].part])
                under_way.send(letters([letter.part for letter in again]))

    async def _carried(self, letter: Letter, seen: traffic.Traffic) -> Any:
        """The answer to a letter, whose part is opened where it is not there; None when it was lost."""
        with contextlib.suppress(LostError):
            for _ in range(2):
                if (found := await self._carrier.ask(letter.home, *letter.what)) is not None:
                    return found
                if not await self._open(letter, seen):
                    return None
            self._carrier.avoid(letter.home)
        return None

    async def _open(self, letter: Letter, seen: traffic.Traffic) -> bool:
        """Open the part of a letter at its worker, where it can be."""
        part = letter.part
        seen.parts_lost += part in self._opened
        self._opened.add(part)
        why = await self._carrier.run(
            letter.home, workers.open_part, self.key, part, letter.call, self.firsts[part],
            self.openers[part], self._kind, self.client.id, self.data[part],
        )  # fmt: skip
        if why is not None:
            self._unfit[letter.home] = why[0]
        return why is None

    def _count_loss(self, letter: Letter, losses: Counter[int]) -> None:
        losses[letter.part] += letter.home not in self._unfit
        if losses[letter.part] > _MOST_LOSSES:
            raise RuntimeError(f"part {letter.part} of X was lost {_MOST_LOSSES} times over one question")

    def _moved(self, letters: Collection[Letter]) -> list[Letter]:
        """Those to workers that have gone, whose parts have others now."""
        self._place([letter.part for letter in letters])
        return [letter for letter in letters if self.homes[letter.part] != letter.home]

    def _stop(self, letters: Sequence[Letter]) -> None:
        """Nobody waits for these any more: those that have begun are told to end."""
        _tell(self.client, workers.stop, self.key, [letter.call for letter in letters])

    def _data_of(self, part: int) -> Any:
        """What the opener of a part is given.

        Raises
        ------
        RuntimeError
            When the cluster has let go of it, as it does when it is restarted.
        """
        data = self.data[part]
        if data is not None and data.status == "cancelled":
            raise RuntimeError(
                "the cluster has the data of X no longer: use riata.distributed.from_array again"
            )
        return data

    def _place(self, parts: Sequence[int]) -> None:
        """Give each part that has none a worker: the one that has its data, or that with the fewest parts.

        Waits for one when there is none.
        """
        since = time.monotonic()
        while True:
            live = doors.running(self.client)
            self._looked = time.monotonic()
            if self._looked - self._beat[0] > _BEAT:
                self._beat = self._looked, self.client.submit(int, pure=False)
            homeless = [part for part in parts if not self._stays(self.homes[part], live)]
            fit = [address for address in live if address not in self._unfit]
            if fit or not homeless:
                break
            if self._unfit and live:
                address = live[0]
                raise RuntimeError(f"no worker can hold X: {address} cannot, for {self._unfit[address]}")
            if time.monotonic() - since > doors.PATIENCE:
                raise RuntimeError(
                    f"no worker of the cluster takes tasks, for {doors.PATIENCE:.0f} seconds: they have "
                    "gone, or are paused for want of memory"
                )
            time.sleep(doors.SLICE)
        for part in homeless:
            before = self.homes[part]
            load = {address: self.homes.count(address) for address in fit}
            near = [] if self._data_of(part) is None else self.client.who_has([self.data[part]])
            holders = [address for held in dict(near).values() for address in held if address in load]
            self.homes[part] = min(holders or fit, key=lambda address: (load[address], address))
            if before:
                _LOG.warning(
                    "worker %s has gone or takes no tasks: %s reads its columns from %d on again",
                    before, self.homes[part], self.firsts[part],
                )  # fmt: skip
                _tell(self.client, workers.close, self.key, [part], workers=[before])

    def _stays(self, home: str, live: Collection[str]) -> bool:
        """Whether a worker is there; one that is paused, or closes, is for a while."""
        if home in self._unfit:
            return False
        if home in live:
            self._idle_since.pop(home, None)
            return True
        if not home or home not in self.client.nthreads():
            return False
        now = time.monotonic()
        return now - self._idle_since.setdefault(home, now) < _GRACE


def _clients(client: Client) -> list[str]:
    """Names of the clients of the cluster."""

    def names(dask_scheduler: Any) -> list[str]:
        return list(dask_scheduler.clients)

    return list(client.run_on_scheduler(names))


def _tell(client: Client, what: Callable[..., Any], *told: Any, workers: list[str] | None = None) -> None:
    """Run a coroutine on workers, by default all, that nobody waits for.

    On the loop of the client, for garbage is collected in any thread, that of the loop as well.
    """

    async def tell() -> None:
        with contextlib.suppress(Exception):  # workers go, and the cluster may be on its way down
            await client.run(what, *told, workers=workers, wait=False, on_error="ignore")

    with contextlib.suppress(Exception):
        if client.status == "running":
            client.loop.add_callback(tell)
