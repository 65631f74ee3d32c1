"""Standard streams that are closed, full or no longer read: the files of a run do not depend on them."""

from __future__ import annotations

import contextlib
import os
import sys


def open_closed() -> None:
    """Put something in the place of standard streams that are closed, as under cron.

    Else the next file that is opened would have the number of one of them, and get what is printed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  # to the end


def tell(line: str) -> None:
    """Print a line to standard error, if that is possible."""
    with contextlib.suppress(OSError, ValueError):
        print(line, file=sys.stderr, flush=True)


def say(*lines: str) -> bool:
    """Print lines to standard output; return whether somebody reads on."""
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:  # as after head
        _discard()
        return False
    except OSError as error:
        _discard()
        tell(f"riata: warning: standard output: {error.strerror}; the files are written all the same")
        return False
    return True


def show(text: str) -> None:
    """Print what a command is for.

    Raises
    ------
    OSError
        When standard output cannot take it, naming that.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        _discard()
    except OSError as error:
        _discard()
        error.filename = "standard output"
        raise


def finish(status: int) -> int:
    """Write out what waits in standard output; return the exit status, 2 where it could not be written."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard()
    except OSError as error:
        _discard()
        tell(f"riata: error: standard output: {error.strerror}")
        return status or 2
    return status


def _discard() -> None:
    """Throw away what is written to standard output from now on, what it could not write before too."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
