"""Child processes: every package runs in one, under the interpreter that has it."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import numpy as np
from problems import Problem

HERE = Path(__file__).resolve().parent
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
SETUP_LIMIT = 600.0  # seconds for loading, compiling and format conversion, none of it timed


def asked(problem: Problem) -> str:
    """What a package is asked whether it can express."""
    return f"{problem.loss} {problem.penalty.name} {problem.kind}"


@functools.lru_cache
def describe(package: str, python: str) -> dict:
    """Version, tolerances and refusals of a package, and whether it cross-validates.

    Raises
    ------
    ImportError
        With the last line of what went wrong.
    """
    command = [python, str(HERE / "describe.py"), package]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode != 0:
        raise ImportError((asked.stderr.strip().splitlines() or ["cannot be imported"])[-1])
    return json.loads(asked.stdout.strip().splitlines()[-1])


class Session:
    """One package on one problem: worker.py, which loads and warms up once and then fits as often as asked.

    A fit that fails or runs out of time ends the child; the next one starts another.
    """

    def __init__(self, package: str, python: str, folder: Path, threads: int, scratch: Path | None) -> None:
        self.scratch = tempfile.TemporaryDirectory(dir=scratch)
        own = Path(self.scratch.name)
        self.out, self.log = own / "fit.npz", own / "stderr"
        # TMPDIR: a child that is stopped leaves nothing behind.
        self.environment = (
            os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"TMPDIR": self.scratch.name}
        )
        self.command = [python, str(HERE / "worker.py"), "--package", package, "--problem", str(folder)]
        self.command += ["--threads", str(threads), "--out", str(self.out)]
        self.process: subprocess.Popen | None = None
        self.expired = False

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.scratch.cleanup()

    def fit(self, tol: float, limit: float) -> dict | str:
        """The arrays of one fit, or one line saying why there are none; `limit` seconds without the setup."""
        if self.process is None:
            self.start()
            if not self.heard("ready", SETUP_LIMIT):
                return self.failure(f"not ready within {SETUP_LIMIT:g} s")
        try:
            self.process.stdin.write(f"{tol!r}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return self.failure("ended early")
        if not self.heard("done", limit):
            return self.failure(f"over {limit:g} s")
        with np.load(self.out) as arrays:
            return dict(arrays)

    def fitted(self, tol: float, limit: float) -> dict:
        """The arrays of one fit; a fit that fails ends the bench."""
        arrays = self.fit(tol, limit)
        if isinstance(arrays, str):
            where = self.environment.get("PYTHONPATH", self.command[0])
            raise SystemExit(f"{where}: {arrays}")
        return arrays

    def start(self) -> None:
        self.expired = False
        with self.log.open("w") as errors:
            self.process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def heard(self, word: str, limit: float) -> bool:
        """Whether the child says `word` before it ends, or is ended after `limit` seconds."""
        timer = threading.Timer(limit, self.expire)
        timer.start()
        try:
            return any(line == f"{word}\n" for line in self.process.stdout)  # packages may print, too
        finally:
            timer.cancel()

    def expire(self) -> None:
        self.expired = True
        stop(self.process)

    def failure(self, late: str) -> str:
        """Why the child is no more: `late` when its time was up, else its last words."""
        status, self.process = self.process.wait(), None
        if self.expired:
            return late
        last = self.log.read_text().strip().splitlines()[-1:]
        return last[0][:120] if last else f"exit status {status}"

    def end(self) -> None:
        if self.process is not None:
            stop(self.process)
            self.process.wait()
            self.process = None


def stop(process: subprocess.Popen) -> None:
    """End the child, if it still runs, and what it started (R)."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
