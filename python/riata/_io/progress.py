"""Watching long work: progress on one line, and on the command line Ctrl-C that keeps the path so far."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from riata._io import stopping, traffic

SECONDS_A_LINE = 5.0  # between lines that stay


class Progress:
    """A progress callback for :func:`riata.fit_path` and :func:`riata.cv_path`.

    Draws one line on a terminal and nothing elsewhere. Within its ``with`` block the first Ctrl-C asks the
    solver to stop after the alphas it has certified (`interrupted` becomes true); the second raises
    KeyboardInterrupt. So do, on the command line, SIGTERM and SIGHUP.

    Parameters
    ----------
    stream : text stream, default ``sys.stderr``
    quiet : bool, default False
        Draw nothing even on a terminal.
    note : callable, optional
        Called with one line about each alpha, in place of the drawn line.
    certificate : str, default "gap"
        What the number that certifies a fit is called.
    unit : str, default "alphas"
        What is counted.
    stops : bool, default True
        Whether the first Ctrl-C asks to stop; else it raises KeyboardInterrupt as without a Progress.
    """

    def __init__(
        self,
        stream: IO[str] | None = None,
        *,
        quiet: bool = False,
        note: Callable[[str], None] | None = None,
        certificate: str = "gap",
        unit: str = "alphas",
        stops: bool = True,
    ) -> None:
        self._unit, self._stops = unit, stops
        self.stream = sys.stderr if stream is None else stream
        self.shown = not quiet and note is None and self.stream.isatty()
        self._note, self._certificate = note, certificate
        self._seen: list[tuple[float, int]] = []  # seconds spent, alphas done
        self._score: list[str] = []
        self.interrupted = False
        plain = not str(getattr(self.stream, "encoding", None) or "").lower().startswith("utf")
        self._marks = ("#", "-") if plain else ("\u2501", "\u2500")
        self._began = self._drawn = 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Progress:
        self._began = time.monotonic()
        with contextlib.suppress(ValueError):  # not the main thread: whoever runs it owns the signals
            for number in stopping.to_watch() if self._stops else ():
                self._before[number] = signal.signal(number, self._on_interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._clear()

    def __call__(self, done: int, total: int, alpha: float, n_active: int, gap: float, passes: float) -> bool:
        """Draw the line; return False when the user asked to stop."""
        now = time.monotonic()
        self._seen.append((now - self._began, done))
        state = [*state_words(alpha, n_active, gap, passes, self._certificate), *self._score]
        if self._note is not None:
            self._note(f"  {done}/{total}  {'  '.join(state)}  {now - self._began:.1f} s")
        if self.shown and (now - self._drawn > 0.1 or done >= total):
            self._drawn = now
            self._draw(done, total, state)
        return not self.interrupted

    def count(self, done: int, total: int, *_: Any) -> bool:
        """Draw the line of work that has no alphas; return False when the user asked to stop."""
        now = time.monotonic()
        self._seen.append((now - self._began, done))
        if self.shown and (now - self._drawn > 0.1 or done >= total):
            self._drawn = now
            self._draw(done, total, [])
        return not self.interrupted

    def watch_scores(self, scoring: str, scores: NDArray[np.float64]) -> None:
        """Take the scores of the folds at the alpha that is told next, to show their mean."""
        self._score = [f"{scoring} {scores.mean():.4g}"]

    def _draw(self, done: int, total: int, state: list[str]) -> None:
        width = shutil.get_terminal_size((100, 20)).columns
        state = [*state, left] if (left := time_left(self._seen, total)) else list(state)
        text = f" {done}/{total} {self._unit}"
        while state and len(text := f" {done}/{total} {self._unit}  {'  '.join(state)}") > width - 3:
            state.pop(0)  # what comes last matters most to who waits
        room = max(min(24, width - len(text) - 2), 0)
        filled = round(room * done / max(total, 1))
        bar = self._marks[0] * filled + self._marks[1] * (room - filled)
        self._write("\r\x1b[2K" + (bar + text)[: width - 1])

    def _clear(self) -> None:
        if self.shown and self._drawn:
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        """Write to the stream, as long as that is possible: a terminal may be closed meanwhile."""
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):
            self.shown = False

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        stopping.note(number)
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        if self.shown:
            self._clear()
            self._write("stopping; keeping what is done so far (Ctrl-C again to give up)\n")


class Bar:
    """What ``progress=True`` shows: a bar of tqdm where that is installed, else one line of text.

    The line is drawn anew in terminals and notebooks; elsewhere, as in log files, there is a line every few
    seconds. It leaves signals alone.

    Parameters
    ----------
    certificate : str, default "gap"
        What the number that certifies a fit is called.
    """

    def __init__(self, certificate: str = "gap") -> None:
        self._certificate = certificate
        self._score: list[str] = []
        self._show: _Tqdm | _Line | None = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._show is not None:
            self._show.close()
        self._show = None

    def __call__(self, done: int, total: int, alpha: float, n_active: int, gap: float, passes: float) -> bool:
        """Draw what is done; the path goes on."""
        if self._show is None:
            self._show = _shown(total)
        state = [*state_words(alpha, n_active, gap, passes, self._certificate), *self._score]
        self._show.draw(done, total, state)
        return True

    def watch_scores(self, scoring: str, scores: NDArray[np.float64]) -> None:
        """Take the scores of the folds at the alpha that is told next, to show their mean."""
        self._score = [f"{scoring} {scores.mean():.4g}"]


class _Tqdm:
    """A bar of tqdm, which knows notebooks and terminals."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def draw(self, done: int, total: int, state: list[str]) -> None:
        self._bar.set_postfix_str(", ".join(reversed(state)), refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class _Line:
    """One line of text."""

    def __init__(self) -> None:
        notebook = "ipykernel" in sys.modules
        self._stream = sys.stdout if notebook else sys.stderr
        self._same_line = notebook or self._stream.isatty()
        self._began = time.monotonic()
        self._drawn = self._began if not self._same_line else 0.0
        self._seen: list[tuple[float, int]] = []
        self._width = 0

    def draw(self, done: int, total: int, state: list[str]) -> None:
        now = time.monotonic()
        self._seen.append((now - self._began, done))
        if done < total and now - self._drawn < (0.1 if self._same_line else SECONDS_A_LINE):
            return
        self._drawn = now
        left = time_left(self._seen, total) if done < total else f"{now - self._began:.1f} s"
        words = "  ".join([f"{done}/{total} alphas", *reversed(state), *([left] if left else [])])
        text = f"riata  {words}"
        if not self._same_line:
            self._write(f"{text}\n")
            return
        self._write("\r" + text.ljust(self._width))
        self._width = len(text)

    def close(self) -> None:
        if self._same_line and self._width:
            self._write("\n")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a terminal may be closed meanwhile
            self._stream.write(text)
            self._stream.flush()


def _shown(total: int) -> _Tqdm | _Line:
    try:
        tqdm = importlib.import_module("tqdm.auto").tqdm
    except ImportError:
        return _Line()
    return _Tqdm(tqdm(total=total, desc="riata", unit="alpha"))


def bar_of(progress: Any) -> contextlib.AbstractContextManager[Any]:
    """Return a `Bar`, to be closed when the fit ends; nothing to close of other callables."""
    return progress if isinstance(progress, Bar) else contextlib.nullcontext()


def state_words(alpha: float, n_active: int, gap: float, passes: float, certificate: str) -> list[str]:
    """Return how a fit stands, what matters least to who waits first; before that what went over the wire."""
    sent = traffic.current()
    return [
        *(sent.words() if sent else []),
        f"passes {passes:.1f}",
        f"{certificate} {max(gap, 0.0):.0e}",
        f"alpha {alpha:.3g}",
        f"active {n_active:,}",
    ]


def time_left(seen: Sequence[tuple[float, int]], total: int) -> str:
    """Say how long the rest may take at the pace of the latest third: alphas get dearer along a path.

    `seen` holds (seconds spent, alphas done), in order.
    """
    spent, done = seen[-1]
    if done <= 0 or spent < 0.5:
        return ""
    start, first = next(((t, k) for t, k in seen if k >= 2 * done / 3), seen[0])
    if first == done:
        start, first = 0.0, 0
    left = (spent - start) / (done - first) * (total - done)
    if left < 60:
        return f"{left:.0f} s left"
    if left < 5400:
        return f"{left / 60:.0f} min left"
    return f"{left / 3600:.1f} h left"
