"""Child processes: every fit runs in one, under the interpreter that has the package."""

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

HERE = Path(__file__).resolve().parent
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
SETUP_LIMIT = 600.0  # seconds for loading, compiling and format conversion, none of it timed


@functools.lru_cache
def describe(package: str, python: str) -> dict:
    """Version, tolerances and refusals of a package.

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


def fit(
    package: str, python: str, folder: Path, tol: float, threads: int, limit: float, scratch: Path | None
) -> dict | str:
    """Run worker.py on the problem in `folder`; its arrays, or one line saying why there are none.

    The limit, in seconds, starts when the child has loaded and warmed up.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as own:
        out, log = Path(own) / "fit.npz", Path(own) / "stderr"
        # TMPDIR: a child that is stopped leaves nothing behind.
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"TMPDIR": own}
        command = [python, str(HERE / "worker.py"), "--package", package, "--problem", str(folder)]
        command += ["--tol", repr(tol), "--threads", str(threads), "--out", str(out)]
        with log.open("w") as errors:
            process = subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        timer = threading.Timer(SETUP_LIMIT, stop, [process])
        timer.start()
        try:
            ready = process.stdout.readline() == "ready\n"
            timer.cancel()
            process.communicate(timeout=limit if ready else 10.0)
        except subprocess.TimeoutExpired:
            return f"over {limit:g} s"
        finally:  # Ctrl-C too
            timer.cancel()
            stop(process)
            process.wait()
        if process.returncode != 0 or not out.exists():
            last = log.read_text().strip().splitlines()[-1:]
            return last[0][:120] if last else f"exit status {process.returncode}"
        with np.load(out) as arrays:
            return dict(arrays)


def stop(process: subprocess.Popen) -> None:
    """End the child, if it still runs, and what it started (R)."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
