"""What goes wrong in the libraries that read files becomes one sentence that names the file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from riata._io.tables import StrPath

_SHOWN = 80  # characters of another library's words


@contextlib.contextmanager
def reading(path: StrPath, what: str = "") -> Iterator[None]:
    """Name the file in every error of a library, of whatever class, that reads it.

    Parameters
    ----------
    path : str or path-like
    what : str
        What of the file is read.

    Raises
    ------
    OSError
        In place of any exception but those that name the file already, and of packages that are missing.
    """
    name = os.fspath(path)
    try:
        yield
    except ImportError:
        raise
    except Exception as error:
        if name in str(error) or (isinstance(error, OSError) and error.filename is not None):
            raise
        reason = " ".join(str(error).split())[:_SHOWN] or type(error).__name__
        if not isinstance(error, ValueError):  # which say what is wrong
            reason = f"cannot be decoded, the file is damaged or cut short ({reason})"
        raise OSError(f"{name}: {what}: {reason}" if what else f"{name}: {reason}") from error
