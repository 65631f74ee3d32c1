"""A path on genotypes too many to hold decoded: seconds, passes, and what stays in memory.

    python bench/genome_scale.py --samples 5000 --variants 300000 --eps 0.05
    python bench/genome_scale.py --samples 973 --variants 11800000 --eps 0.1 --folder /scratch
    python bench/genome_scale.py --bfile study --eps 0.05
    systemd-run --user --scope -p MemoryMax=2500M python bench/genome_scale.py --bfile study

Genotypes are simulated (riata simulate, its defaults) unless --bfile names some, whose .fam then holds the
phenotype. The fit runs in a process of its own that maps the .bed; a thread there samples what is resident
every 20 ms, split into the process's own memory and pages of mapped files, which the system can drop. With
less memory than the .bed takes, as in the last line, `read_mb` tells what came from the disk. One CSV row on
standard output.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import platform
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from compare import provenance

import riata
from riata import fit_path, open_genotypes

SAMPLE_SECONDS = 0.02
MEMORY = {"RssAnon": "own_mb", "RssFile": "mapped_mb", "VmHWM": "resident_mb"}


class Resident:
    """The largest memory of this process seen between entering and leaving, in MB; empty off Linux."""

    def __init__(self) -> None:
        self.peak: dict[str, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Resident:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            for name, value in resident().items():
                self.peak[name] = max(self.peak.get(name, 0.0), value)
            if self._stop.wait(SAMPLE_SECONDS):
                return


def resident() -> dict[str, float]:
    """What is resident now, in MB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return {}
    fields = dict(line.split(":", 1) for line in lines)
    return {what: int(fields[name].split()[0]) / 1024 for name, what in MEMORY.items() if name in fields}


def read_from_disk() -> float:
    """What this process has read from disks so far, in MB; 0 off Linux."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return 0.0
    return int(dict(line.split(": ") for line in lines)["read_bytes"]) / 2**20


def fit(bed: str, args: argparse.Namespace) -> dict[str, object]:
    """Open, fit and check the path; runs in the child process."""
    with Resident() as memory:
        before = resident().get("own_mb", 0.0)
        began = time.perf_counter()
        genotypes = open_genotypes(bed)
        y = np.asarray(genotypes.samples.phenotype, dtype=np.float64)
        opened, read = time.perf_counter(), read_from_disk()
        path = fit_path(
            genotypes, y, alphas=args.alphas, eps=args.eps, tol=args.tol, n_threads=args.threads,
            alphas_per_pass=args.alphas_per_pass,
        )  # fmt: skip
        done, cpu = time.perf_counter(), time.process_time()
    n, p = genotypes.shape
    if not path.converged.all():
        raise RuntimeError(f"gap {path.dual_gaps.max():.3g} above tol {args.tol:g}: such a path has no speed")
    return {
        "n": n,
        "p": p,
        "bed_mb": round(Path(bed).stat().st_size / 2**20, 1),
        "threads": args.threads,
        "alphas": len(path.alphas),
        "last_alpha": f"{path.alphas[-1] / path.alpha_max:.4g}",
        "tol": args.tol,
        "open_s": f"{opened - began:.4g}",
        "fit_s": f"{done - opened:.4g}",
        "cpu_s": f"{cpu:.4g}",
        "alphas_per_pass": args.alphas_per_pass or "",
        "rounds": path.counters["rounds"],
        "passes": f"{path.n_passes:.4g}",
        "read_mb": round(read_from_disk() - read, 1),
        "support": int(path.n_active.max()),
        "gap": f"{path.dual_gaps.max():.3g}",
        "before_mb": round(before, 1),
        **{name: round(value, 1) for name, value in memory.peak.items()},
    }


def run(args: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        began = time.perf_counter()
        if args.bfile:
            bed = f"{args.bfile.removesuffix('.bed')}.bed"
        else:
            bed = riata.simulate_genotypes(f"{folder}/simulated", args.samples, args.variants, seed=args.seed)
        simulated = time.perf_counter() - began
        with multiprocessing.get_context("spawn").Pool(1) as child:
            facts = child.apply(fit, (bed, args))
    about = {
        "commit": provenance.commit(),
        "date": provenance.today(),
        "machine": provenance.machine(),
        "python": platform.python_version(),
    }
    return about | ({} if args.bfile else {"simulate_s": f"{simulated:.4g}"}) | facts


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=1_000)
    parser.add_argument("--variants", type=int, default=50_000)
    parser.add_argument("--bfile", help="PLINK files to fit instead of simulated ones")
    parser.add_argument("--alphas", type=int, default=100)
    parser.add_argument("--eps", type=float, default=0.1, help="last alpha over the first")
    parser.add_argument("--tol", type=float, default=1e-6)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--alphas-per-pass", type=int, help="default: as riata chooses")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="where to simulate (default: the system's temporary folder)")
    parser.add_argument("--smoke", action="store_true", help="200 x 4,000 and 20 alphas; times mean nothing")
    args = parser.parse_args()
    if args.smoke:
        args.samples, args.variants, args.alphas = 200, 4_000, 20
    row = run(args)
    writer = csv.DictWriter(sys.stdout, row, lineterminator="\n")
    writer.writeheader()
    writer.writerow(row)


if __name__ == "__main__":
    main()
