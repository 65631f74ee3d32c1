"""Messages of a fit to the parts of X, recorded: bytes, seconds of the parts, and seconds of the client in
between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from riata import _core

FIELDS = ("problems", "n", "p", "alphas", "method", "common", "own", "answers", "parts", "seconds", "before")


@dataclass(frozen=True)
class Message:
    """One call: bytes that all parts are sent, that each is sent alone, and that come back, each in total.

    seconds is the time until all have answered, before that of the client since the last message.
    """

    method: str
    common: int
    own: int
    answers: int
    parts: int
    seconds: float
    before: float


class Recorder:
    """Stands before the `call` of a host and writes down what goes through."""

    def __init__(self, call: Callable[..., Iterable[tuple[int, bytes]]], clock: Callable[[], float]) -> None:
        self.inner, self.clock = call, clock
        self.start()

    def start(self) -> None:
        """Begin anew."""
        self.messages: list[Message] = []
        self.last = self.clock()

    def call(
        self, method: str, common: bytes, parts: Sequence[int], own: Sequence[bytes]
    ) -> Iterator[tuple[int, bytes]]:
        """See `_core.hosted_design`."""
        began = self.clock()
        answers = list(self.inner(method, common, parts, own))
        ended = self.clock()
        sizes = len(common), sum(map(len, own)), sum(len(answer) for _, answer in answers)
        self.messages.append(Message(method, *sizes, len(parts), ended - began, began - self.last))
        self.last = ended
        return iter(answers)


class Here:
    """X in this process behind messages: one part on one thread, no wire. Seconds are of the clock given."""

    def __init__(self, X: object, clock: Callable[[], float] = time.process_time) -> None:
        self.X, self.shape = X, X.shape
        self.server = _core.ColumnServer(X._design()[0], 0, 1)
        self.recorder = Recorder(self.answers, clock)
        self.core = _core.hosted_design(self.recorder, 1)

    def answers(
        self, method: str, common: bytes, parts: Sequence[int], own: Sequence[bytes]
    ) -> Iterator[tuple[int, bytes]]:
        for part, message in zip(parts, own, strict=True):
            yield part, self.server.answer(method, common, message)

    def _design(self) -> tuple[object, np.ndarray | None]:
        """What riata asks of an X that is its own."""
        return self.core, None
