"""Going on with a run of the command line that was cut short: its checkpoint, and what its inputs were."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from riata import _core
from riata._io.option_names import flag_of, shown
from riata._io.output_files import replace_json
from riata._io.staging import check_regular

#: Options that a fit does not depend on.
_FREE = frozenset(
    {
        *("quiet", "verbose", "resume", "out", "threads", "memory", "keep_knockoffs"),
        *("scheduler", "scheduler_file", "load", "scratch"),
        *("standardize", "alpha", "select", "ld_window_kb", "ld_r2", "genome_build"),
    }
)


class Resume:
    """``PREFIX.checkpoint`` of a run, and ``PREFIX.checkpoint.json``, what its inputs were.

    Entering decides whether the fit goes on from a checkpoint or starts anew; `notes` say so.

    Parameters
    ----------
    prefix : str
        Of the outputs.
    inputs : sequence of dict
        What `describe_file` says of each input of the run.
    asked : mapping
        Every option of the command line by its name; `resume` says whether to go on from a checkpoint, should
        there be one.
    unit : str
        What a checkpoint counts.
    progress : callable
        Tells how many are done, and how many there are, from the name of a checkpoint.

    Raises
    ------
    ValueError
        When there is a checkpoint and `resume` is not asked for: nothing but a finished run removes one. When
        the checkpoint was made with other options or from other inputs, naming them.
    OSError
        When the checkpoint is damaged, or its name that of something that is not a file.

    Attributes
    ----------
    kept : Path or None
        Where the fit is to keep its state; None where that cannot be written, as on a full disk.
    """

    def __init__(
        self,
        prefix: str,
        inputs: Sequence[dict[str, Any]],
        asked: Mapping[str, Any],
        *,
        unit: str = "alphas",
        progress: Callable[[str], tuple[int, int]] = _core.checkpoint_progress,
    ) -> None:
        self._unit, self._progress = unit, progress
        self.checkpoint = Path(f"{prefix}.checkpoint")
        self.kept: Path | None = self.checkpoint
        self.notes: list[str] = []
        self._inputs = Path(f"{prefix}.checkpoint.json")
        self._now = list(inputs)
        self._wanted: bool = asked["resume"]
        given = {**asked, "no_standardize": not asked["standardize"]}
        self._options = {name: shown(value) for name, value in given.items() if name not in _FREE}

    def __enter__(self) -> Resume:
        for path in (self.checkpoint, self._inputs):
            check_regular(str(path))
        if self.checkpoint.exists():
            if not self._wanted:
                raise ValueError(
                    f"{self.checkpoint} is of a run that was cut short: --resume goes on with it; to start "
                    "anew, delete it or give another --out"
                )
            before = self._read()
            self._check_options(before.get("options"))
            self._check(before["inputs"], self._now)
            done, total = self._progress(str(self.checkpoint))
            self.notes.append(f"Resuming after {done} of {total} {self._unit}")
            return self
        if self._wanted:
            self.notes.append(
                f"Nothing to resume: there is no {self.checkpoint}; starting from the beginning"
            )
        self.remove()
        try:
            replace_json(self._inputs, {"inputs": self._now, "options": self._options})
        except OSError as error:
            self.kept = None
            self.notes.append(
                f"warning: {self._inputs}: {error.strerror}; the fit goes on, but could not be resumed"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        refused = kind is not None and issubclass(kind, Exception)  # and not interrupted
        if not self.checkpoint.exists() or (refused and self._is_empty()):
            self.remove()
        elif kind is KeyboardInterrupt:
            raise KeyboardInterrupt(f"--resume goes on from {self.checkpoint}") from None

    def _is_empty(self) -> bool:
        """Whether nothing has been fitted yet."""
        with contextlib.suppress(OSError, ValueError):
            return self._progress(str(self.checkpoint))[0] == 0
        return False

    def remove(self) -> None:
        """Remove both files: the outputs are written, or will be from the beginning."""
        self.checkpoint.unlink(missing_ok=True)
        self._inputs.unlink(missing_ok=True)

    @property
    def _anew(self) -> str:
        return f"delete {self.checkpoint}, or give another --out, to start anew"

    def _read(self) -> dict[str, Any]:
        """Read what the checkpoint was made from."""
        try:
            kept = json.loads(self._inputs.read_text("utf-8"))
            return {**kept, "inputs": {item["path"]: item for item in kept["inputs"]}}
        except FileNotFoundError:
            raise ValueError(
                f"--resume: {self._inputs}, which tells what {self.checkpoint} was made from, is missing; "
                f"{self._anew}"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"--resume: {self._inputs} is damaged; {self._anew}") from error

    def _check_options(self, before: dict[str, Any] | None) -> None:
        """Refuse options that are not those of the checkpoint; an older one does not tell them."""
        if before is None:
            return
        if before.get("verb") != self._options["verb"]:
            raise ValueError(f"--resume: {self.checkpoint} is of riata {before.get('verb')}; {self._anew}")
        told = [
            f"{flag_of(name)} was {before[name] or 'not given'}, is {now or 'not given'}"
            for name, now in self._options.items()
            if before.get(name, now) != now
        ]
        if told:
            raise ValueError(
                f"--resume: {'; '.join(told)}: give what {self.checkpoint} was made with, or {self._anew}"
            )

    def _check(self, before: dict[str, Any], now: list[dict[str, Any]]) -> None:
        """Refuse inputs that are not those of the checkpoint."""
        for item in now:
            file = item["path"]
            if file not in before:
                raise ValueError(f"--resume: {file} was no input of {self.checkpoint}; {self._anew}")
            if item != before.pop(file):
                raise ValueError(
                    f"--resume: {file} has changed since {self.checkpoint} was made from it; {self._anew}"
                )
        for file in before:
            raise ValueError(f"--resume: {self.checkpoint} was made from {file} as well; {self._anew}")
