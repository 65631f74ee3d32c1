"""Files written in a hidden folder beside their destination, then put in place as one set, or none of them.

A set is complete by one step: its folder ``.NAME.XXXX.part`` gets the name ``.NAME.commit``. What follows,
putting each file in its place, is finished by whoever comes next (`settle`) when the process is killed on its
way. No file is absent in between: each is replaced by renaming the new one over it. The manifest comes last;
one that was there is first replaced by a note that the set is not complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

if os.name != "nt":
    import fcntl

_LOCK, _JOURNAL, _UNDO, _BEFORE = "lock", "journal", "undo", "before"
_PENDING = "pending"  # what stands for the manifest on the way
_YOUNG = 60.0  # seconds in which a file may not yet be held
_OWN = (_LOCK, _JOURNAL, _UNDO, _BEFORE, _PENDING)
#: Signals that end a program, as far as the system has them.
_ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
#: The file of a set that tells of the others: it is put in place last.
MANIFEST = "json"
_UNDER_WAY = (
    "the outputs beside this file were being replaced when the run ended: some are of that run, others of an "
    "earlier one. The next run with this --out finishes it, as does riata info with this file."
)


class Stage:
    """A hidden folder beside ``PREFIX.*``, held by this process as long as it is open.

    Parameters
    ----------
    prefix : str
        Its own folder must exist.
    """

    def __init__(self, prefix: str) -> None:
        settle(prefix)
        sweep(prefix)
        target = Path(prefix)
        while True:
            self.folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
            self._lock = _hold(self.folder, new=True)
            if self._lock is not None or os.name == "nt":
                break  # else another process took it for abandoned, before it was held
        self.prefix = prefix
        (self.folder / _BEFORE).mkdir()

    def __truediv__(self, suffix: str) -> Path:
        return self.folder / f"_{suffix}"  # no name of a file of the set is one of the stage's own

    def close(self) -> None:
        """Remove what is left."""
        _discard(self.folder)
        if self._lock is not None:
            self._lock.close()

    def commit(self, suffixes: Sequence[str], stale: dict[str, str]) -> None:
        """Put all files in place; when one cannot be, put back what was there.

        Parameters
        ----------
        suffixes : sequence of str
            Of the files that were written.
        stale : dict of str to str
            Suffixes of files of an earlier set that are to go, with their SHA-256: others are left alone.
        """
        for suffix in suffixes:
            check_regular(final(self.prefix, suffix))
        new = [suffix for suffix in suffixes if not os.path.lexists(final(self.prefix, suffix))]
        if MANIFEST in suffixes and MANIFEST not in new:
            _write_json(self.folder / _PENDING, {"incomplete": _UNDER_WAY})
        for suffix in suffixes:
            _force(self / suffix)
        _write_json(self.folder / _JOURNAL, {"suffixes": list(suffixes), "new": new, "stale": stale})
        _force(self.folder)
        with _signals_later():
            self._take_turn()
            try:
                _finish(self.folder, self.prefix)
            except BaseException:
                os.replace(self.folder / _JOURNAL, self.folder / _UNDO)
                _undo(self.folder, self.prefix)
                raise
            _force(Path(self.prefix).parent)
            self.close()

    def _take_turn(self) -> None:
        """Give the folder the name that says it is complete, once no other run is at that point."""
        name = commit_folder(self.prefix)
        while True:
            try:
                os.rename(self.folder, name)
            except OSError:
                if not name.is_dir():
                    raise
                settle(self.prefix)
            else:
                self.folder = name
                return


def final(prefix: str, suffix: str) -> str:
    """Return where ``PREFIX.suffix`` lies."""
    return f"{prefix}.{suffix}"


def commit_folder(prefix: str) -> Path:
    """Return the folder of a set that is complete but not in place."""
    target = Path(prefix)
    return target.parent / f".{target.name}.commit"


def check_regular(path: str) -> None:
    """Refuse to replace what is neither a file nor a link: a folder, a device, a pipe."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "something that is not a file"
        raise OSError(f"{path}: {what} has the name of an output; move it away, or give another --out")


def settle(prefix: str) -> bool:
    """Finish what a run that was killed while it put its files in place has begun; say whether there was any.

    A run that is at it is waited for.
    """
    folder = commit_folder(prefix)
    if not os.path.isdir(folder):
        return False
    lock = _hold(folder)
    try:
        if not folder.is_dir():
            return False  # its run has ended meanwhile
        with _signals_later():
            if (folder / _UNDO).exists():
                _undo(folder, prefix)
            elif (folder / _JOURNAL).exists():
                _finish(folder, prefix)
            else:
                raise OSError(f"{folder}: a folder of another program is in the way")
            _discard(folder)
    finally:
        if lock is not None:
            lock.close()
    return True


def sweep(prefix: str) -> None:
    """Remove the folders of runs to ``PREFIX`` that have ended without doing so: no process holds them."""
    target = Path(prefix)
    if os.name == "nt":
        return  # nothing tells there whether a run has ended
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if not (entry.name.startswith(f".{target.name}.") and entry.name.endswith(".part")):
                continue
            if entry.is_dir(follow_symlinks=False):
                _sweep_one(Path(entry.path))


def check_folder(file: Path) -> None:
    """Refuse to write into a folder that is not there."""
    if not file.parent.is_dir():
        raise FileNotFoundError(f"{file}: no such folder: {file.parent}")


def sweep_files(target: Path) -> None:
    """Remove the files ``.NAME.XXXX.part`` beside a file of runs that have ended: no process holds them."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError), os.scandir(target.parent) as entries:
        for entry in entries:
            if not (entry.name.startswith(f".{target.name}.") and entry.name.endswith(".part")):
                continue
            if entry.is_file(follow_symlinks=False) and time.time() - entry.stat().st_mtime > _YOUNG:
                with contextlib.suppress(OSError), open(entry.path, "rb") as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(entry.path)


@contextlib.contextmanager
def held(path: str) -> Iterator[None]:
    """Let `sweep_files` of other processes know that a file is in use."""
    if os.name == "nt":
        yield
        return
    with open(path, "rb") as file:
        with contextlib.suppress(OSError):  # in a file system without locks, where none is swept
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sweep_one(folder: Path) -> None:
    if not all(entry.name in _OWN or entry.name.startswith(("_", "._")) for entry in folder.iterdir()):
        return  # of another program
    try:
        lock = _hold(folder, wait=False)
    except OSError:  # held, or in a file system that cannot tell
        return
    if lock is None:
        with contextlib.suppress(OSError):
            folder.rmdir()  # killed before it was held: it is empty
        return
    _remove(folder)
    lock.close()


def _discard(folder: Path) -> None:
    """Remove a folder of ours; one that is complete loses the name that says so first."""
    if folder.name.endswith(".commit"):
        with contextlib.suppress(OSError):
            aside = folder.with_name(f"{folder.name.removesuffix('commit')}{os.getpid()}.part")
            os.rename(folder, aside)
            folder = aside
    _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder of ours, what tells whether it is abandoned last."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != _LOCK:
                os.unlink(entry)
        (folder / _LOCK).unlink(missing_ok=True)
        folder.rmdir()


@contextlib.contextmanager
def _signals_later() -> Iterator[None]:
    """Keep signals that end a program waiting for the moment that it takes to put files in place.

    Masking them would not do: one that is sent to the process then comes by another of its threads.
    """
    came: list[int] = []
    before: dict[int, Any] = {}
    try:
        for number in _ENDING:
            handler = signal.getsignal(number)
            if handler not in (None, signal.SIG_IGN):
                signal.signal(number, lambda number, _: came.append(number))
                before[number] = handler
    except ValueError:  # not the main thread: no handler interrupts this one
        pass
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in dict.fromkeys(came):
            signal.raise_signal(number)


def _hold(folder: Path, *, new: bool = False, wait: bool = True) -> IO[bytes] | None:
    """Return the lock of a folder, held; None when the folder is gone, or has none.

    Raises
    ------
    OSError
        Without `wait`, when another process holds it.
    """
    if os.name == "nt":
        return None
    path = folder / _LOCK
    try:
        file = open(path, "xb" if new else "rb")  # noqa: SIM115  # it stays open
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # held, or in a file system without locks
        if not wait:
            file.close()
            raise
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
            return file
    file.close()
    return None


def _finish(folder: Path, prefix: str) -> None:
    """Put in place what is not yet; may be called again, whenever it was cut short."""
    journal = json.loads((folder / _JOURNAL).read_text("utf-8"))
    suffixes: list[str] = journal["suffixes"]
    pending = folder / _PENDING
    if pending.exists():
        _keep(folder, prefix, MANIFEST)
        os.replace(pending, final(prefix, MANIFEST))
    for suffix in sorted(suffixes, key=lambda s: s == MANIFEST):  # that one last
        if suffix == MANIFEST:
            _remove_stale(folder, prefix, journal["stale"])
        if (folder / f"_{suffix}").exists():
            _keep(folder, prefix, suffix)
            os.replace(folder / f"_{suffix}", final(prefix, suffix))


def _remove_stale(folder: Path, prefix: str, stale: dict[str, str]) -> None:
    for suffix, digest in stale.items():
        path = final(prefix, suffix)
        with contextlib.suppress(FileNotFoundError):
            if sha256_of(path) == digest:
                _keep(folder, prefix, suffix)
                os.unlink(path)


def _keep(folder: Path, prefix: str, suffix: str) -> None:
    """Keep what is in place, once, to be put back: by another link to it, or by a copy."""
    path, kept = final(prefix, suffix), folder / _BEFORE / suffix
    check_regular(path)
    if not os.path.lexists(path) or os.path.lexists(kept):
        return
    try:
        os.link(path, kept, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(path, kept, follow_symlinks=False)


def _undo(folder: Path, prefix: str) -> None:
    """Put back what was there; may be called again."""
    journal = json.loads((folder / _UNDO).read_text("utf-8"))
    for suffix in [*journal["suffixes"], *journal["stale"]]:
        kept = folder / _BEFORE / suffix
        if os.path.lexists(kept):
            os.replace(kept, final(prefix, suffix))
        elif suffix in journal["new"] and not (folder / f"_{suffix}").exists():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(final(prefix, suffix))


def umask() -> int:
    """Return which permissions new files do not have."""
    given = os.umask(0)
    os.umask(given)
    return given


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a whole file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in _blocks(file):
            digest.update(block)
    return digest.hexdigest()


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(1 << 20):
        yield block


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    _force(path)


def _force(path: Path) -> None:
    """Force a file, or the names in a folder, onto the disk; not every file system can do the latter."""
    folder = path.is_dir()
    if folder and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if folder or os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError:
        if not folder:
            raise
    finally:
        os.close(descriptor)
