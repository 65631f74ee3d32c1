"""Fits of one X that others hold take turns: calls of one at a time are what its design is made for."""

from __future__ import annotations

import logging
import threading

_LOG = logging.getLogger("riata.distributed")
#: Seconds between looks whether Ctrl-C was pressed.
_SLICE = 0.5

_CHANGED = threading.Condition()
#: What each thread waits for.
_WAITS: dict[int, Turn] = {}


class Turn:
    """Whose turn it is with an X: that of a thread, as long as it has fits of it under way."""

    def __init__(self) -> None:
        self._thread: int | None = None
        self._fits: set[bytes] = set()

    def take(self, fit: bytes) -> None:
        """Begin a fit; waits until those of other threads have ended.

        Raises
        ------
        RuntimeError
            When these wait, in turn, for one of this thread.
        """
        me = threading.get_ident()
        with _CHANGED:
            if self._is_another(me):
                _LOG.warning("waits for another fit of this X to end")
                _WAITS[me] = self
                try:
                    while self._is_another(me):
                        self._refuse_circle(me)
                        _CHANGED.wait(_SLICE)
                finally:
                    del _WAITS[me]
            self._thread = me
            self._fits.add(fit)

    def give(self, fit: bytes) -> None:
        """A fit has ended, whether it had begun or not."""
        with _CHANGED:
            self._fits.discard(fit)
            if not self._fits:
                self._thread = None
                _CHANGED.notify_all()

    def _is_another(self, me: int) -> bool:
        return self._thread is not None and self._thread != me

    def _refuse_circle(self, me: int) -> None:
        turn: Turn | None = self
        while turn is not None and turn._thread is not None:
            if turn._thread == me:
                raise RuntimeError(
                    "X must not stand beside another held X in two fits at once, which wait for each other"
                )
            turn = _WAITS.get(turn._thread)
