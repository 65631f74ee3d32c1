"""Two builds of riata in turn on the same problems: what a change costs.

    git worktree add /tmp/before COMMIT        # and build riata._core beside python/riata there
    python bench/compare/paired.py --before /tmp/before/python --after python --repeats 9

Each folder holds a package `riata` with its compiled module. Every problem is built once; each build has a
process of its own that loads it, warms up and then fits when told, before and after in turn (the one that
starts changes from pair to pair). A row a problem: the median seconds of both, the median, least and
largest of the ratios after/before pair by pair, the ratio of the least seconds, how far both curves of
coefficients are apart relative to their largest entry (0: the same bits), and whether the median ratio is
above 1.03. Seconds of one thread are of the processor, so that other work on the machine does not count.
With --out a problem that the file has already is not run again, and after --minutes none is begun.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import children
import numpy as np
import provenance
from problems import SPECS, Problem, build
from results import read, write

# Every storage, loss and penalty of the tables; those of README.md first.
PROBLEMS = (
    "ar-500x20000",
    "genotypes-2000x100000",
    "cox-300x10000",
    "group-500x20000",
    "mcp-500x20000",
    "slope-200x5000",
    "sparse-20000x500000",
    "sparse-binomial-20000x500000",
    "blocks-400x10000",
    "binomial-200x20000",
    "tall-20000x500",
    "poisson-500x10000",
    "multinomial-200x10000",
    "multinomial-grouped-200x10000",
    "multigaussian-300x10000x20",
    "net-0.5-500x20000",
    "net-0.1-500x20000",
    "golub-72x7129",
    "cv-ar-500x20000",
    "cv-blocks-400x10000",
    "mouse-1810x10346",
)
SLOWER = 1.03  # of the median of the ratios: more than noise
FIELDS = (
    "problem",
    "before_s",
    "after_s",
    "ratio_median",
    "ratio_min",
    "ratio_max",
    "ratio_of_least",
    "apart",
    "slower",
)


def session(package: Path, folder: Path, args: argparse.Namespace) -> children.Session:
    """A process that imports riata from `package`."""
    child = children.Session("riata", sys.executable, folder, args.threads, args.scratch)
    child.environment["PYTHONPATH"] = os.fspath(package.resolve())
    return child


def apart(before: dict, after: dict) -> float:
    """Largest difference of two results over the largest size of the first."""
    if "curve" in before:
        one, other = before["curve"], after["curve"]
    elif len(before["data"]) == len(after["data"]) and (before["indices"] == after["indices"]).all():
        one, other = before["data"], after["data"]
    else:
        return float("nan")  # other supports
    return float(np.abs(one - other).max(initial=0.0) / max(np.abs(one).max(initial=0.0), 1e-300))


def compare(problem: Problem, folder: Path, args: argparse.Namespace) -> dict[str, str]:
    """One row of the table."""
    clock = "processor_seconds" if args.threads == 1 else "seconds"
    seconds: dict[str, list[float]] = {"before": [], "after": []}
    with session(args.before, folder, args) as before, session(args.after, folder, args) as after:
        sides = {"before": before, "after": after}
        arrays = {side: child.fitted(args.tol, args.limit) for side, child in sides.items()}
        for pair in range(args.repeats):
            for side in sorted(sides, reverse=pair % 2 == 0):
                seconds[side].append(float(sides[side].fitted(args.tol, args.limit)[clock]))
    ratios = [b / a for a, b in zip(seconds["before"], seconds["after"], strict=True)]
    least = min(seconds["after"]) / min(seconds["before"])
    numbers = [statistics.median(seconds["before"]), statistics.median(seconds["after"])]
    numbers += [statistics.median(ratios), min(ratios), max(ratios), least]
    numbers.append(apart(arrays["before"], arrays["after"]))
    slower = "yes" if numbers[2] > SLOWER else "no"
    return dict(zip(FIELDS, [problem.name, *(f"{number:.3g}" for number in numbers), slower], strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, required=True, help="folder that holds the package riata")
    parser.add_argument("--after", type=Path, required=True)
    parser.add_argument("--problems", default=",".join(PROBLEMS), help="names from problems.py, or 'all'")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tol", type=float, default=1e-6)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds a fit may take")
    parser.add_argument("--scratch", type=Path, help="where problems are kept meanwhile")
    parser.add_argument("--minutes", type=float, default=60.0, help="after which no problem is begun")
    parser.add_argument("--out", type=Path, help="CSV to add to, as well as the terminal")
    parser.add_argument("--smoke", action="store_true", help="tiny problems; the times mean nothing")
    args = parser.parse_args()
    names = list(SPECS) if args.problems == "all" else args.problems.split(",")
    unknown = [name for name in names if name not in SPECS]
    for folder in (args.before, args.after):
        if not list((folder / "riata").glob("_core*.so")):
            parser.error(f"{folder} holds no package riata with its compiled module")
    if unknown:
        parser.error(f"--problems: no problem {unknown[0]!r}; there are {', '.join(SPECS)}")
    print(f"# {provenance.today()}, {provenance.machine()}, {args.threads} thread(s), {args.repeats} pairs")
    print(*FIELDS, sep=",")
    rows = read(args.out) if args.out and args.out.exists() else []
    end = time.monotonic() + 60.0 * args.minutes
    for name in names:
        why = SPECS[name].missing() or (time.monotonic() > end and "the minutes are over")
        if why or name in {row["problem"] for row in rows}:
            print(f"# {name}: {why or 'in the file already'}", flush=True)
            continue
        with tempfile.TemporaryDirectory(dir=args.scratch) as folder:
            problem = build(name, Path(folder), smoke=args.smoke)
            rows.append(compare(problem, Path(folder), args))
            print(*rows[-1].values(), sep=",", flush=True)
        if args.out:
            write(rows, args.out, FIELDS)
    slower = [row["problem"] for row in rows if row["slower"] == "yes"]
    print(f"# slower by more than {SLOWER - 1.0:.0%}: {', '.join(slower) or 'none'}")


if __name__ == "__main__":
    main()
