"""The files that a run reads: what they were when it began, and that they still are."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from riata._io.output_files import describe_file
from riata._io.staging import settle

#: Files that are read as long as a fit goes on; others are read once, before it.
_READ_ON = (".bed", ".pgen", ".bgen")

Identity = tuple[int, int, int, int]


class InputFiles:
    """Made before anything is read, so that a hash is that of the file which was read.

    Parameters
    ----------
    asked : mapping
        Options of the command line by their names: every text among them may name a file, or the beginning of
        the names of several.

    Attributes
    ----------
    records : list of dict
        Path, size and SHA-256 of each file that was described.
    """

    def __init__(self, asked: Mapping[str, Any]) -> None:
        settle_named(asked)
        self.records: list[dict[str, Any]] = []
        self._before = {path: identity_of(path) for path in _named_by(asked)}

    def describe(self, files: Sequence[str]) -> list[dict[str, Any]]:
        """Hash the files that were read.

        Raises
        ------
        OSError
            When one has changed since the run began.
        """
        for path in dict.fromkeys(files):
            now = identity_of(path)
            record = describe_file(path)
            if now != self._before.get(path, now) or now != identity_of(path):
                raise OSError(f"{path}: the file changed while it was read: run it again")
            self._before[path] = now
            self.records.append(record)
        return self.records

    def check(self) -> list[str]:
        """Return what happened to the files since they were described, as notes.

        Raises
        ------
        OSError
            When genotypes were written to while they were read.
        """
        notes = []
        for record in self.records:
            path = record["path"]
            now, before = identity_of(path), self._before[path]
            if now == before:
                continue
            if now is None or before is None or now[:2] != before[:2]:
                what = "deleted" if now is None else "replaced"
                notes.append(f"{path} was {what} during the run: the results are of the file as it was")
            elif describe_file(path) != record:
                if path.endswith(_READ_ON):
                    raise OSError(f"{path}: the file was written to while it was in use: run it again")
                notes.append(f"{path} was written to during the run: the results are of the file as it was")
        return notes


def identity_of(path: str) -> Identity | None:
    """Return device, inode, size and time of the last change of a file; None when there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def settle_named(asked: Mapping[str, Any]) -> None:
    """Finish outputs, under names that options hold, of runs that were killed while putting them in place.

    Raises
    ------
    OSError
        When that is not possible.
    """
    for text in _texts(asked):
        folder, name = os.path.split(text)
        parts = name.split(".")
        for k in range(1, len(parts) + 1):
            prefix = os.path.join(folder, ".".join(parts[:k]))
            try:
                settle(prefix)
            except OSError as error:
                raise OSError(
                    f"{prefix}: the run that wrote it was killed before all files were in place, and they "
                    f"cannot be put there now: {error.strerror or error}"
                ) from error


def _named_by(asked: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that there are under the names that options hold, an @ standing for any text."""
    for text in _texts(asked):
        yield text
        start = "*".join(glob.escape(part) for part in text.split("@"))
        stem = "*".join(glob.escape(part) for part in os.path.splitext(text)[0].split("@"))
        for pattern in dict.fromkeys((start, f"{start}.*", f"{stem}.*")):
            yield from glob.iglob(pattern)


def _texts(asked: Mapping[str, Any]) -> Iterator[str]:
    """Yield every text that options hold: each may be the name of a file."""
    for value in asked.values():
        for text in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(text, str) and text and "\0" not in text:
                yield text
