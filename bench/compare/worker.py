"""Child process: fit one problem with one package, at every tolerance that arrives as a line of input.

Kept in its own process so that threads, memory and compiled code of one package never meet another's. Answers
"ready" once the data are loaded and the package has warmed up, then a line a fit, after writing its arrays.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
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
    """Give free memory back, and let VmHWM start again from what is resident then."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
    except (OSError, AttributeError):
        print("the peak memory includes what came before", file=sys.stderr)


def answer(fit: object) -> dict:
    """The arrays of a PathFit or a CVFit."""
    if hasattr(fit, "curve"):
        return {"curve": fit.curve, "alphas": fit.alphas}
    return {
        "data": fit.coefs.data,
        "indices": fit.coefs.indices,
        "indptr": fit.coefs.indptr,
        "shape": fit.coefs.shape,
        "intercepts": fit.intercepts,
        "reported_gap": np.nan if fit.reported_gap is None else fit.reported_gap,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", required=True)
    parser.add_argument("--problem", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    peer = importlib.import_module(f"peers.{args.package}")
    problem = Problem.load(args.problem)
    timed = peer.fit if problem.folds is None else peer.cross_validate
    small = problem.head()
    timed(peer.prepare(small, args.threads), small, 1e-3, args.threads)  # compile and import, untimed
    data = peer.prepare(problem, args.threads)
    print("ready", flush=True)
    for line in sys.stdin:
        reset_peak()
        before, mapped = status_mb("VmRSS"), status_mb("RssFile")
        start, processor = time.perf_counter(), time.process_time()
        fit = timed(data, problem, float(line), args.threads)
        seconds, processor = time.perf_counter() - start, time.process_time() - processor
        mapped = max(status_mb("RssFile") - mapped, 0.0)
        peak = status_mb("VmHWM") - before - mapped
        np.savez(
            args.out,
            **answer(fit),
            seconds=seconds if fit.seconds is None else fit.seconds,
            processor_seconds=processor,
            peak_mb=peak if fit.peak_mb is None else fit.peak_mb,
            passes=np.nan if fit.passes is None else fit.passes,
        )
        del fit
        print("done", flush=True)


if __name__ == "__main__":
    main()
