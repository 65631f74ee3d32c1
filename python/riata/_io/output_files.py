"""Output files that appear whole or not at all, and the manifest that says where they came from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.staging import (
    MANIFEST,
    Stage,
    check_folder,
    check_regular,
    final,
    held,
    settle,
    sha256_of,
    sweep_files,
    umask,
)
from riata._io.wording import counted

#: Files up to this size are hashed whole, larger ones by size, first and last stretch.
WHOLE_HASH_BYTES = 1 << 30
_STRETCH = 64 << 20


class OutputSet:
    """Files ``PREFIX.suffix`` that appear together, or not at all.

    They are written in a hidden folder beside their destination. Entering makes the folder, so an unwritable
    destination is refused before any work. Leaving normally puts every file in place; on any error nothing is
    left behind and files of an earlier run are as they were. What a run that was killed has left is removed,
    or finished when the run had its files complete: see `riata.staging`.

    Parameters
    ----------
    prefix : str
        Destination without suffix, such as ``"results/height"``; missing folders are made.
    kinds : sequence of str
        What the suffixes may be, with ``*`` for any text. Files of an earlier run of these kinds that are
        neither changed since nor written again are removed with the others' replacement.

    Raises
    ------
    OSError
        When the destination cannot be written, or something that is not a file has the name of an output.

    Examples
    --------
    >>> with OutputSet("results/height") as outputs:                  # doctest: +SKIP
    ...     outputs.path("log").write_text("fitted")
    """

    def __init__(self, prefix: str, kinds: Sequence[str] = ()) -> None:
        if not prefix or prefix.endswith(("/", os.sep)) or Path(prefix).is_dir():
            raise ValueError(f"--out must be a file prefix such as results/height, got {prefix!r}")
        self.prefix, self.kinds = prefix, tuple(kinds)
        self.suffixes: list[str] = []
        self._stage: Stage | None = None
        self._made: list[Path] = []

    def __enter__(self) -> OutputSet:
        target = Path(self.prefix)
        missing = [folder for folder in (target.parent, *target.parent.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            self._made.append(folder)
        try:
            for path in _matching(target, self.kinds):
                check_regular(path)
            self._stage = Stage(self.prefix)
        except OSError:
            self._remove_folders()
            raise
        return self

    def path(self, suffix: str) -> Path:
        """Return where to write ``PREFIX.suffix`` for now."""
        assert self._stage is not None, "an OutputSet is used in a with statement"
        if suffix not in self.suffixes:
            self.suffixes.append(suffix)
        return self._stage / suffix

    def final(self, suffix: str) -> str:
        """Return where ``PREFIX.suffix`` will be."""
        return final(self.prefix, suffix)

    def refuse_inputs(self, files: Sequence[str]) -> None:
        """Refuse, before any work, to write over what was read.

        Raises
        ------
        ValueError
            When a file has the name of an output.
        """
        for path in _matching(Path(self.prefix), self.kinds):
            for file in files:
                if os.path.exists(path) and os.path.exists(file) and os.path.samefile(path, file):
                    raise ValueError(f"--out {self.prefix} would write over {file}, which is read")

    def write_manifest(self, record: dict[str, Any]) -> None:
        """Write ``PREFIX.json``, after all others: a record that also tells them, with their SHA-256.

        Where it holds, the files beside it are one set.
        """
        others = [suffix for suffix in self.suffixes if suffix != MANIFEST]
        hashes = {suffix: sha256_of(self.path(suffix)) for suffix in others}
        told = [self.final(suffix) for suffix in (*others, MANIFEST)]
        write_json(self.path(MANIFEST), {**record, "outputs": told, "sha256": hashes})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._stage is not None
        try:
            if kind is None:
                self._commit(self._stage)
            else:
                self._name(error)
        except BaseException as failure:
            kind = OSError
            self._name(failure)
            raise
        finally:
            self._stage.close()
            if kind is not None:
                self._remove_folders()

    def _name(self, error: BaseException | None) -> None:
        """Make an error of the system name the output it belongs to; a full disk names no file by itself."""
        if not isinstance(error, OSError) or error.errno is None:
            return
        assert self._stage is not None
        name = Path(os.fsdecode(error.filename)) if isinstance(error.filename, (str, bytes)) else None
        if name is None:
            error.filename = self.prefix
        elif name.parent == self._stage.folder:
            error.filename = self.final(name.name.removeprefix("_"))

    def _commit(self, stage: Stage) -> None:
        written = [suffix for suffix in self.suffixes if (stage / suffix).exists()]
        before = _hashes(self.final(MANIFEST))
        stale = {
            suffix: digest
            for suffix, digest in before.items()
            if suffix not in written and any(fnmatchcase(suffix, kind) for kind in self.kinds)
        }
        stage.commit(written, stale)

    def _remove_folders(self) -> None:
        for folder in reversed(self._made):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _matching(target: Path, kinds: Sequence[str]) -> list[str]:
    """Return what there is under the names of outputs of some kinds."""
    start = f"{target.name}."
    with contextlib.suppress(FileNotFoundError), os.scandir(target.parent) as entries:
        return sorted(
            os.path.join(target.parent, entry.name)
            for entry in entries
            if entry.name.startswith(start)
            and any(fnmatchcase(entry.name.removeprefix(start), kind) for kind in kinds)
        )
    return []


def _hashes(manifest: str) -> dict[str, str]:
    """Return the suffixes and hashes of a set by its manifest; none where it does not tell."""
    try:
        told = json.loads(Path(manifest).read_text("utf-8"))["sha256"]
        return {str(suffix): str(digest) for suffix, digest in told.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def set_lines(manifest: str) -> list[str]:
    """Say whether the files beside a manifest are those that it tells of."""
    prefix = manifest.removesuffix(f".{MANIFEST}")
    finished = settle(prefix)
    lines = [f"{manifest}: finished what a run that was killed had begun"] if finished else []
    hashes = _hashes(manifest)
    if not hashes:
        raise OSError(f"{manifest}: not the record of a run of riata that tells its outputs")
    lines.append(f"{manifest}: the record of {counted(len(hashes), 'output')}")
    for suffix, digest in hashes.items():
        path = final(prefix, suffix)
        if not os.path.isfile(path):
            state = "GONE"
        else:
            state = "as written" if sha256_of(path) == digest else "CHANGED since, or of another run"
        lines.append(f"  {path}  {state}")
    return lines


def write_tsv(
    path: Path,
    columns: Sequence[tuple[str, Iterable[Any]]],
    *,
    comments: Sequence[str] = (),
    digits: int = 10,
) -> None:
    """Write a tab-separated table: comments, a header, one line per row; numbers to `digits`, NaN as NA."""
    names = [name for name, _ in columns]
    with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.writelines(f"{line}\n" for line in comments)
        file.write("\t".join(names) + "\n")
        for row in zip(*(_listed(values) for _, values in columns), strict=True):
            file.write("\t".join(_cell(value, digits) for value in row) + "\n")


def _listed(values: Iterable[Any]) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _cell(value: Any, digits: int) -> str:
    if isinstance(value, float):
        return "NA" if value != value else f"{value:.{digits}g}"
    return str(value).replace("\t", " ").replace("\r", " ").replace("\n", " ")


def write_text(path: Path, text: str) -> None:
    """Write text; bytes of names of files that are not UTF-8 are escaped, as JSON has them too."""
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON: see `json_text`."""
    write_text(path, json_text(content))


def json_text(content: dict[str, Any]) -> str:
    """Return indented JSON; NumPy numbers and arrays become plain ones, NaN becomes null."""
    return json.dumps(_plain(content), indent=2, ensure_ascii=False) + "\n"


def replace_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON beside its destination, then rename it into place."""
    replace_text(path, json_text(content))


def replace_text(path: str | os.PathLike[str], text: str) -> None:
    """Write text beside its destination, then rename it into place."""
    replace_file(path, lambda aside: write_text(aside, text))


def replace_file(path: str | os.PathLike[str], write: Callable[[Path], object]) -> None:
    """Have `write` write a file beside its destination, then rename it into place."""
    target = Path(path)
    check_folder(target)
    sweep_files(target)
    handle, aside = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    try:
        with held(aside):
            write(Path(aside))
            os.chmod(aside, 0o666 & ~umask())
            os.replace(aside, target)
    except BaseException:
        os.unlink(aside)
        raise


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
