"""Two threads beside one, and how many parallel regions a fit enters.

    python bench/threads.py --repeats 7 --out bench/results/scale/threads.csv

Each problem of bench/compare/problems.py is built once, loaded by two processes, one with one thread and one
with --threads, and fitted by them in turn. One CSV row a problem: median wall seconds of both, the median of
the ratios pair by pair, whether that is above 1.05, the regions that OpenMP is asked to run by a fit with
several threads, and those for each alpha. Regions are counted by a library that is loaded before OpenMP's and
hands each call on (g++ compiles it; libgomp, so Linux and GCC).
"""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, os.fspath(Path(__file__).resolve().parent / "compare"))
import children
import provenance
from problems import SPECS, Problem, build
from results import write

PROBLEMS = (
    "ar-500x20000",
    "blocks-400x10000",
    "genotypes-2000x100000",
    "sparse-20000x500000",
    "binomial-200x20000",
    "cox-300x10000",
    "poisson-500x10000",
    "group-500x20000",
    "multigaussian-300x10000x20",
    "multinomial-grouped-200x10000",
    "tall-20000x500",
    "net-0.1-500x20000",
    "golub-72x7129",
)
SLOWER = 1.05  # of the median of the ratios
FIELDS = (
    "date",
    "commit",
    "machine",
    "threads",
    "problem",
    "one_s",
    "several_s",
    "ratio",
    "slower",
    "alphas",
)
FIELDS += ("regions", "regions_an_alpha")
COUNTER = r"""
#include <atomic>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>

namespace {
std::atomic<long>* counter() {
  static auto* const count = [] {
    const int file = ::open(std::getenv("REGIONS_FILE"), O_RDWR);
    void* page = ::mmap(nullptr, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return static_cast<std::atomic<long>*>(page);
  }();
  return count;
}
using Run = void (*)(void (*)(void*), void*, unsigned, unsigned);
}  // namespace

extern "C" void GOMP_parallel(void (*work)(void*), void* data, unsigned threads, unsigned flags) {
  static const auto run = reinterpret_cast<Run>(::dlsym(RTLD_NEXT, "GOMP_parallel"));
  if (threads != 1) ++*counter();
  run(work, data, threads, flags);
}
"""


def counting_library(folder: Path) -> Path:
    """Compile COUNTER."""
    source, library = folder / "regions.cpp", folder / "regions.so"
    source.write_text(COUNTER)
    command = ["g++", "-std=c++17", "-O1", "-fPIC", "-shared", os.fspath(source), "-o", os.fspath(library)]
    subprocess.run([*command, "-Wl,--no-as-needed", "-lgomp", "-ldl"], check=True)
    return library


def regions_of_a_fit(folder: Path, library: Path, args: argparse.Namespace) -> int:
    """What a process counts during its second fit."""
    count = folder / "regions"
    count.write_bytes(struct.pack("l", 0))
    with children.Session("riata", sys.executable, folder, args.threads, None) as child:
        child.environment |= {"LD_PRELOAD": os.fspath(library), "REGIONS_FILE": os.fspath(count)}
        child.fitted(args.tol, args.limit)
        (before,) = struct.unpack("l", count.read_bytes())
        child.fitted(args.tol, args.limit)
        (after,) = struct.unpack("l", count.read_bytes())
    return after - before


def row_of(problem: Problem, folder: Path, library: Path, args: argparse.Namespace) -> dict[str, str]:
    """One problem."""
    seconds: dict[int, list[float]] = {1: [], args.threads: []}
    with (
        children.Session("riata", sys.executable, folder, 1, None) as one,
        children.Session("riata", sys.executable, folder, args.threads, None) as several,
    ):
        sides = {1: one, args.threads: several}
        for child in sides.values():
            child.fitted(args.tol, args.limit)  # warms up
        for pair in range(args.repeats):
            for threads in sorted(sides, reverse=pair % 2 == 0):
                seconds[threads].append(float(sides[threads].fitted(args.tol, args.limit)["seconds"]))
    ratio = median(b / a for a, b in zip(*seconds.values(), strict=True))
    regions, alphas = regions_of_a_fit(folder, library, args), len(problem.alphas)
    measured = [median(seconds[1]), median(seconds[args.threads]), ratio]
    who = [provenance.today(), provenance.commit(), provenance.machine(), str(args.threads), problem.name]
    told = [f"{number:.3g}" for number in measured] + ["yes" if ratio > SLOWER else "no"]
    counted = [str(alphas), str(regions), f"{regions / alphas:.3g}"]
    return dict(zip(FIELDS, [*who, *told, *counted], strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", default=",".join(PROBLEMS), help="names from bench/compare/problems.py")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--tol", type=float, default=1e-6)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds a fit may take")
    parser.add_argument("--out", type=Path, help="CSV to write, as well as the terminal")
    parser.add_argument("--quick", action="store_true", help="two tiny problems; the times mean nothing")
    args = parser.parse_args()
    names = list(PROBLEMS[:2]) if args.quick else args.problems.split(",")
    unknown = [name for name in names if name not in SPECS]
    if unknown:
        parser.error(f"--problems: no problem {unknown[0]!r}; there are {', '.join(SPECS)}")
    if args.threads < 2:
        parser.error(f"--threads must be 2 or more, got {args.threads}")
    rows = []
    print(*FIELDS, sep=",")
    with tempfile.TemporaryDirectory() as tools:
        library = counting_library(Path(tools))
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                problem = build(name, Path(folder), smoke=args.quick)
                rows.append(row_of(problem, Path(folder), library, args))
            print(*rows[-1].values(), sep=",", flush=True)
            if args.out:
                write(rows, args.out, FIELDS)


if __name__ == "__main__":
    main()
