"""Output files that appear whole or not at all, and the manifest that says where they came from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Files up to this size are hashed whole, larger ones by size, first and last stretch.
WHOLE_HASH_BYTES = 1 << 30
_STRETCH = 64 << 20


class OutputSet:
    """Files ``PREFIX.suffix`` written in a hidden folder beside their destination, then renamed together.

    Entering makes the folder, so an unwritable destination is refused before any work. Leaving normally moves
    every file into place; on any error nothing is left behind and files of an earlier run are as they were.

    Parameters
    ----------
    prefix : str
        Destination without suffix, such as ``"results/height"``; missing folders are made.

    Raises
    ------
    OSError
        When the destination cannot be written.

    Examples
    --------
    >>> with OutputSet("results/height") as outputs:                  # doctest: +SKIP
    ...     outputs.path("log").write_text("fitted")
    """

    def __init__(self, prefix: str) -> None:
        if not prefix or prefix.endswith(("/", os.sep)) or Path(prefix).is_dir():
            raise ValueError(f"--out must be a file prefix such as results/height, got {prefix!r}")
        self.prefix = prefix
        self.suffixes: list[str] = []
        self._aside: Path | None = None
        self._made: list[Path] = []

    def __enter__(self) -> OutputSet:
        target = Path(self.prefix)
        missing = [folder for folder in (target.parent, *target.parent.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            self._made.append(folder)
        try:
            self._aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
        except OSError:
            self._remove_folders()
            raise
        return self

    def path(self, suffix: str) -> Path:
        """Return where to write ``PREFIX.suffix`` for now."""
        assert self._aside is not None, "an OutputSet is used in a with statement"
        if suffix not in self.suffixes:
            self.suffixes.append(suffix)
        return self._aside / suffix

    def final(self, suffix: str) -> str:
        """Return where ``PREFIX.suffix`` will be."""
        return f"{self.prefix}.{suffix}"

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._aside is not None
        try:
            if kind is None:
                self._commit(self._aside)
            else:
                self._name(error)
        except BaseException as failure:
            kind = OSError
            self._name(failure)
            raise
        finally:
            shutil.rmtree(self._aside, ignore_errors=True)
            if kind is not None:
                self._remove_folders()

    def _name(self, error: BaseException | None) -> None:
        """Make an error of the system name the output it belongs to; a full disk names no file by itself."""
        if not isinstance(error, OSError) or error.errno is None:
            return
        name = Path(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else None
        if name is None:
            error.filename = self.prefix
        elif name.parent == self._aside:
            error.filename = self.final(name.name)

    def _commit(self, aside: Path) -> None:
        """Rename every file into place; when one fails, put back what was there."""
        written = [suffix for suffix in self.suffixes if (aside / suffix).exists()]
        for suffix in written:
            with open(aside / suffix, "rb+") as file:
                os.fsync(file.fileno())
        done: list[tuple[str, bool]] = []
        try:
            for suffix in written:
                final = Path(self.final(suffix))
                had = final.exists()
                if had:
                    os.replace(final, aside / f"{suffix}.before")
                done.append((suffix, had))
                os.replace(aside / suffix, final)
        except BaseException:
            for suffix, had in reversed(done):
                final = Path(self.final(suffix))
                with contextlib.suppress(OSError):
                    final.unlink(missing_ok=True)
                    if had:
                        os.replace(aside / f"{suffix}.before", final)
            raise

    def _remove_folders(self) -> None:
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):
                folder.rmdir()


def write_tsv(
    path: Path,
    columns: Sequence[tuple[str, Iterable[Any]]],
    *,
    comments: Sequence[str] = (),
    digits: int = 10,
) -> None:
    """Write a tab-separated table: comments, a header, one line a row; numbers to `digits`, NaN as NA."""
    names = [name for name, _ in columns]
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in comments)
        file.write("\t".join(names) + "\n")
        for row in zip(*(_listed(values) for _, values in columns), strict=True):
            file.write("\t".join(_cell(value, digits) for value in row) + "\n")


def _listed(values: Iterable[Any]) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _cell(value: Any, digits: int) -> str:
    if isinstance(value, float):
        return "NA" if value != value else f"{value:.{digits}g}"
    return str(value).replace("\t", " ").replace("\n", " ")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write indented JSON; NumPy numbers and arrays become plain ones, NaN becomes null."""
    path.write_text(json.dumps(_plain(content), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def describe_file(path: str) -> dict[str, Any]:
    """Return path, size and SHA-256 of an input (of its two ends when it is over 1 GiB, and says so)."""
    size = os.path.getsize(path)
    digest = hashlib.sha256()
    whole = size <= WHOLE_HASH_BYTES
    with open(path, "rb") as file:
        if whole:
            while block := file.read(1 << 20):
                digest.update(block)
        else:
            digest.update(file.read(_STRETCH))
            file.seek(-_STRETCH, os.SEEK_END)
            digest.update(file.read(_STRETCH))
    hashed = "whole" if whole else f"first and last {_STRETCH >> 20} MiB"
    return {"path": path, "bytes": size, "sha256": digest.hexdigest(), "hashed": hashed}


def append_arrays(archive: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Add arrays to an ``.npz`` archive; readers that do not know them pass over them."""
    import io
    import zipfile

    with zipfile.ZipFile(archive, "a", compression=zipfile.ZIP_DEFLATED) as zipped:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            zipped.writestr(f"{name}.npy", buffer.getvalue())
