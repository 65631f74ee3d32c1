"""One alpha, or few, of riata and its peers at equal certified gap, beside riata's path of 100 down to there.

    python bench/compare/single_fits.py --out bench/results/single-fits.csv

Asked for are single alphas of 0.3, 0.1, 0.03 and 0.01 of the largest, and grids of 2, 5 and 20 down to the
smallest of these. Each package runs in a process of its own, on one thread; its tolerance is the loosest of
its sweep whose gap, worked out here from X, y and the coefficients (certify.py), is at most 1e-6 of the null
objective. Times are processor seconds, medians of --repeats; path_s is riata's for the path of 100 alphas
down to 0.01 of the largest, as far as the alpha asked for.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import children
import numpy as np
import provenance
from certify import Judge
from problems import SPECS, Problem, build
from results import write
from run import unavailable
from scipy import sparse

PROBLEMS = ("ar-500x20000", "blocks-400x10000", "binomial-200x20000", "poisson-500x10000", "cox-300x10000")
PACKAGES = ("riata", "celer", "skglm", "sklearn")
RATIOS = (0.3, 0.1, 0.03, 0.01)
COUNTS = (2, 5, 20)
ENOUGH = 1e-6  # of the null objective
FIELDS = ("date", "commit", "machine", "problem", "n", "p", "asked", "support", "path_s")
FIELDS += ("package", "version", "tol", "gap", "seconds")


def gap_of(arrays: dict, judge: Judge) -> float:
    """The largest gap of a fit, as a share of the null objective."""
    parts = arrays["data"], arrays["indices"], arrays["indptr"]
    coefs = sparse.csc_matrix(parts, shape=tuple(arrays["shape"]))
    return judge.alone(judge.certify(coefs, arrays["intercepts"]))


def timed(package: str, problem: Problem, folder: Path, args: argparse.Namespace) -> dict | str:
    """Processor seconds of a package at the loosest tolerance that is close enough, or why there are none."""
    python = sys.executable if package == "riata" else args.peer_python
    judge, said = Judge(problem), children.describe(package, python)
    with children.Session(package, python, folder, 1, args.scratch) as fits:
        for tol in said["tolerances"]:
            if tol > (1e-1 if package == "sklearn" else 1e-4) and package != "celer":
                continue  # far from close enough
            arrays = fits.fit(tol, args.limit)
            if isinstance(arrays, str):
                return arrays
            gap = gap_of(arrays, judge)
            if gap > ENOUGH:
                continue
            seconds = [float(arrays["processor_seconds"])]
            for _ in range(args.repeats - 1):
                again = fits.fit(tol, args.limit)
                if isinstance(again, str):
                    return again
                seconds.append(float(again["processor_seconds"]))
            support = int(np.diff(arrays["indptr"])[-1])
            return {
                "version": said["version"],
                "tol": tol,
                "gap": gap,
                "seconds": statistics.median(seconds),
                "support": support,
            }
    return f"no tolerance brought its gap to {ENOUGH:g}"


def grids(largest: float) -> dict[str, np.ndarray]:
    """What is asked for, by name."""
    out = {f"{ratio:g}": np.array([ratio * largest]) for ratio in RATIOS}
    return out | {f"{n} to {RATIOS[-1]:g}": largest * np.geomspace(1.0, RATIOS[-1], n) for n in COUNTS}


def rows_of(name: str, args: argparse.Namespace) -> list[dict]:
    """Every package at everything asked for on one problem."""
    rows = []
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
        folder = Path(scratch)
        problem = build(name, folder, smoke=args.smoke)
        largest = problem.alphas[0]
        dense = largest * np.geomspace(1.0, RATIOS[-1], 100)
        about = {"date": provenance.today(), "commit": provenance.commit(), "machine": provenance.machine()}
        about |= {"problem": name, "n": problem.X.shape[0], "p": problem.X.shape[1]}
        packages = []
        for package in args.packages:
            why = unavailable(package, problem, args)
            print(f"{name} {package}: {why}" if why else f"{name} {package}", flush=True)
            packages += [] if why else [package]
        for asked, alphas in grids(largest).items():
            problem.alphas = dense[: np.searchsorted(-dense, -alphas[-1] * (1.0 - 1e-9))]
            problem.save(folder)
            path = timed("riata", problem, folder, args)
            problem.alphas = alphas
            problem.save(folder)
            for package in packages:
                found = timed(package, problem, folder, args)
                if isinstance(found, str):
                    print(f"  {asked} {package}: {found}", flush=True)
                    continue
                row = about | {"asked": asked, "package": package} | found
                row["path_s"] = np.nan if isinstance(path, str) else path["seconds"]
                rows.append(row)
                print(
                    f"  {asked} {package}: {found['seconds']:.3g} s (gap {found['gap']:.0e}), "
                    f"path {row['path_s']:.3g} s, {found['support']} active",
                    flush=True,
                )
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problem", default=",".join(PROBLEMS), help=f"from {', '.join(SPECS)}")
    parser.add_argument("--packages", default=",".join(PACKAGES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds one fit may take")
    parser.add_argument("--scratch", type=Path, default=None, help="folder for the problems")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peers")
    parser.add_argument("--smoke", action="store_true", help="tiny problems, riata alone, one repeat")
    parser.add_argument("--out", type=Path, default=None, help="CSV to write")
    args = parser.parse_args()
    args.packages = ["riata"] if args.smoke else args.packages.split(",")
    args.repeats = 1 if args.smoke else args.repeats
    rows = [row for name in args.problem.split(",") for row in rows_of(name, args)]
    if args.out:
        write(rows, args.out, FIELDS)
    asked = len(args.problem.split(",")) * (len(RATIOS) + len(COUNTS))
    missing = asked - sum(row["package"] == "riata" for row in rows)
    if missing:
        print(f"riata missed the gap asked for {missing} times", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
