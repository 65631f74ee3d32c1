"""What goes over the wire while something is fitted, where workers hold columns of X."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from riata._io.sizes import bytes_text


@dataclass
class Traffic:
    """Messages of a fit to workers, and what they cost.

    Attributes
    ----------
    messages : int
        Questions, each to some workers or all, and awaited.
    bytes_out, bytes_in : int
        Bytes that left this process, and that came; of what all workers are told one copy leaves it.
    seconds_waiting : float
        Time spent waiting for answers.
    parts_lost : int
        How often a part had to be opened again, its worker being gone.
    workers : int
        Those that hold parts.
    """

    messages: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    seconds_waiting: float = 0.0
    parts_lost: int = 0
    workers: int = 0

    def counters(self) -> dict[str, float]:
        """What the counters of a result say of it: nothing where nothing was sent."""
        if not self.messages:
            return {}
        names = ("messages", "bytes_out", "bytes_in", "seconds_waiting", "parts_lost")
        return {name: float(getattr(self, name)) for name in names}

    def words(self) -> list[str]:
        """What the progress of a fit says of it."""
        if not self.messages:
            return []
        return [
            f"in {bytes_text(self.bytes_in)}",
            f"out {bytes_text(self.bytes_out)}",
            f"{self.workers} worker{'s' * (self.workers != 1)}",
        ]


_counting = threading.local()


@contextlib.contextmanager
def counted() -> Iterator[Traffic]:
    """Count what this thread sends meanwhile; within another one, in the place of that."""
    before, traffic = current(), Traffic()
    _counting.traffic = traffic
    try:
        yield traffic
    finally:
        _counting.traffic = before


def current() -> Traffic | None:
    """Where what this thread sends is to be counted."""
    return getattr(_counting, "traffic", None)
