"""Child process: fit one path with one package at one tolerance, and write what came back.

Kept in its own process so that threads, memory and compiled code of one package never meet another's.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

import numpy as np
from problems import Problem


def status_mb(field: str) -> float:
    """A line of /proc/self/status in MiB: VmRSS, VmHWM, RssFile."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def reset_peak() -> None:
    """Let VmHWM start again from what is resident now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        print("the peak memory includes loading", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", required=True)
    parser.add_argument("--problem", type=Path, required=True)
    parser.add_argument("--tol", type=float, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    peer = importlib.import_module(f"peers.{args.package}")
    problem = Problem.load(args.problem)
    small = problem.head()
    peer.fit(peer.prepare(small, args.threads), small, args.tol, args.threads)  # compile and import, untimed
    data = peer.prepare(problem, args.threads)
    reset_peak()
    before, mapped = status_mb("VmRSS"), status_mb("RssFile")
    print("ready", flush=True)
    start = time.perf_counter()
    fit = peer.fit(data, problem, args.tol, args.threads)
    seconds = time.perf_counter() - start
    mapped = max(status_mb("RssFile") - mapped, 0.0)
    peak = status_mb("VmHWM") - before - mapped
    np.savez(
        args.out,
        data=fit.coefs.data,
        indices=fit.coefs.indices,
        indptr=fit.coefs.indptr,
        shape=fit.coefs.shape,
        intercepts=fit.intercepts,
        seconds=seconds if fit.seconds is None else fit.seconds,
        peak_mb=peak if fit.peak_mb is None else fit.peak_mb,
        reported_gap=np.nan if fit.reported_gap is None else fit.reported_gap,
        passes=np.nan if fit.passes is None else fit.passes,
    )


if __name__ == "__main__":
    main()
