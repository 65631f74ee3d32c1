"""Going on with a run of the command line that was cut short: its checkpoint, and what its inputs were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from riata import _core
from riata.outputs import replace_json
from riata.staging import check_regular


class Resume:
    """``PREFIX.checkpoint`` of a run, and ``PREFIX.checkpoint.json``, what its inputs were.

    Entering decides whether the fit goes on from a checkpoint or starts anew; `notes` say so.

    Parameters
    ----------
    prefix : str
        Of the outputs.
    inputs : sequence of dict
        What `describe_file` says of each input of the run.
    wanted : bool
        Whether to go on from a checkpoint, should there be one; else it makes room for a new one.

    Raises
    ------
    ValueError
        When the checkpoint was made from other inputs, naming the file.
    OSError
        When the checkpoint is damaged, or its name that of something that is not a file.

    Attributes
    ----------
    kept : Path or None
        Where the fit is to keep its state; None where that cannot be written, as on a full disk.
    """

    def __init__(self, prefix: str, inputs: Sequence[dict[str, Any]], *, wanted: bool) -> None:
        self.checkpoint = Path(f"{prefix}.checkpoint")
        self.kept: Path | None = self.checkpoint
        self.notes: list[str] = []
        self._inputs = Path(f"{prefix}.checkpoint.json")
        self._now = list(inputs)
        self._wanted = wanted

    def __enter__(self) -> Resume:
        for path in (self.checkpoint, self._inputs):
            check_regular(str(path))
        if self._wanted and self.checkpoint.exists():
            self._check(self._now)
            done, total = _core.checkpoint_progress(str(self.checkpoint))
            self.notes.append(f"Resuming after {done} of {total} alphas")
            return self
        if self._wanted:
            self.notes.append(
                f"Nothing to resume: there is no {self.checkpoint}; starting from the beginning"
            )
        elif self.checkpoint.exists():
            self.notes.append(f"Starting anew over {self.checkpoint}, which --resume would have gone on from")
        self.remove()
        try:
            replace_json(self._inputs, {"inputs": self._now})
        except OSError as error:
            self.kept = None
            self.notes.append(
                f"warning: {self._inputs}: {error.strerror}; the fit goes on, but could not be resumed"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.checkpoint.exists():
            self.remove()
        elif kind is KeyboardInterrupt:
            raise KeyboardInterrupt(f"--resume goes on from {self.checkpoint}") from None

    def remove(self) -> None:
        """Remove both files: the outputs are written, or will be from the beginning."""
        self.checkpoint.unlink(missing_ok=True)
        self._inputs.unlink(missing_ok=True)

    def _check(self, now: list[dict[str, Any]]) -> None:
        """Refuse inputs that are not those of the checkpoint."""
        start_anew = "leave out --resume to start anew"
        try:
            before = {item["path"]: item for item in json.loads(self._inputs.read_text("utf-8"))["inputs"]}
        except FileNotFoundError:
            raise ValueError(
                f"--resume: {self._inputs}, which tells what {self.checkpoint} was made from, is missing; "
                f"{start_anew}"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"--resume: {self._inputs} is damaged; {start_anew}") from error
        for item in now:
            file = item["path"]
            if file not in before:
                raise ValueError(f"--resume: {file} was no input of {self.checkpoint}; {start_anew}")
            if item != before.pop(file):
                raise ValueError(
                    f"--resume: {file} has changed since {self.checkpoint} was made from it; {start_anew}"
                )
        for file in before:
            raise ValueError(f"--resume: {self.checkpoint} was made from {file} as well; {start_anew}")
