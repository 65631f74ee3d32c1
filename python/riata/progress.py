"""Watching long work: a one-line progress bar on terminals, and Ctrl-C that keeps the path so far."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from types import FrameType, TracebackType
from typing import IO, Any


class Progress:
    """A progress callback for :func:`riata.fit_path` and :func:`riata.cv_path`.

    Draws one line on a terminal and nothing elsewhere. Within its ``with`` block the first Ctrl-C asks the
    solver to stop after the alphas it has certified (`interrupted` becomes true); the second raises
    KeyboardInterrupt.

    Parameters
    ----------
    stream : text stream, default ``sys.stderr``
    quiet : bool, default False
        Draw nothing even on a terminal.
    """

    def __init__(self, stream: IO[str] | None = None, *, quiet: bool = False) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.shown = not quiet and self.stream.isatty()
        self.interrupted = False
        plain = not str(getattr(self.stream, "encoding", None) or "").lower().startswith("utf")
        self._marks = ("#", "-") if plain else ("\u2501", "\u2500")
        self._began = self._drawn = 0.0
        self._before: Any = None
        self._installed = False

    def __enter__(self) -> Progress:
        self._began = time.monotonic()
        try:
            self._before = signal.signal(signal.SIGINT, self._on_interrupt)
            self._installed = True
        except ValueError:  # not the main thread: whoever runs it owns the signals
            self._installed = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, self._before)
        self._clear()

    def __call__(self, done: int, total: int, alpha: float, n_active: int, gap: float, passes: float) -> bool:
        """Draw the line; return False when the user asked to stop."""
        now = time.monotonic()
        if self.shown and (now - self._drawn > 0.1 or done >= total):
            self._drawn = now
            self._draw(done, total, alpha, n_active, gap, passes, now - self._began)
        return not self.interrupted

    def _draw(
        self, done: int, total: int, alpha: float, n_active: int, gap: float, passes: float, spent: float
    ) -> None:
        width = shutil.get_terminal_size((100, 20)).columns
        text = (
            f" {done}/{total} alphas  alpha {alpha:.3g}  active {n_active:,}  gap {max(gap, 0.0):.0e}  "
            f"passes {passes:.1f}  {time_left(done, total, spent)}"
        )
        room = max(min(24, width - len(text) - 2), 0)
        filled = round(room * done / max(total, 1))
        bar = self._marks[0] * filled + self._marks[1] * (room - filled)
        self.stream.write("\r\x1b[2K" + (bar + text)[: width - 1])
        self.stream.flush()

    def _clear(self) -> None:
        if self.shown and self._drawn:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        if self.shown:
            self._clear()
            self.stream.write("stopping; keeping the path so far (Ctrl-C again to give up)\n")
            self.stream.flush()


def time_left(done: int, total: int, spent: float) -> str:
    """Say how long the rest may take at the pace so far."""
    if done <= 0 or spent < 0.5:
        return ""
    left = spent * (total - done) / done
    if left < 60:
        return f"{left:.0f} s left"
    if left < 5400:
        return f"{left / 60:.0f} min left"
    return f"{left / 3600:.1f} h left"
