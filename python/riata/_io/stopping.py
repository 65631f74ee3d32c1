"""Signals that ask a run to end: Ctrl-C, those of batch systems, and of a terminal that is closed."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

#: What is taken as Ctrl-C is, where the system has it and it is not ignored (as ``nohup`` asks).
_ALIKE = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_received: list[int] = []


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Make the signals that end a program raise KeyboardInterrupt, as Ctrl-C does."""
    _received.clear()
    before = {}
    try:
        for number in _ALIKE:
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, _raise)
    except ValueError:  # not the main thread: whoever runs it owns the signals
        pass
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def to_watch() -> list[int]:
    """Return the signals that a fit keeps its path for: those that would end it, and are not ignored."""
    alike = [number for number in _ALIKE if signal.getsignal(number) is _raise]
    ignored = signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None)
    return alike if ignored else [signal.SIGINT, *alike]


def note(number: int) -> None:
    """Remember the first signal that came."""
    _received.append(number)


def exit_status() -> int:
    """Return the exit status of a run that was stopped: 128 and the number of the signal, 130 for Ctrl-C."""
    return 128 + (_received[0] if _received else int(signal.SIGINT))


def told() -> str:
    """Say what stopped the run."""
    if not _received or _received[0] == signal.SIGINT:
        return "interrupted"
    return f"ended by {signal.Signals(_received[0]).name}"


def _raise(number: int, frame: FrameType | None) -> None:
    note(number)
    raise KeyboardInterrupt
