"""Time riata and its peers on the same problems, alphas and machine, at equal certified suboptimality.

    python bench/compare/run.py --problem ar-500x20000 --packages riata,sklearn,celer --out results/ar.csv

Each package runs in a process of its own. One judge (certify.py) then works out, for every alpha, the
objective P of the returned coefficients and a dual value D. Reported, as the largest over alphas and as a
share of the null objective: own_gap = P - D with D from the package's own residual, and the yardstick,
suboptimality = P - (best D of any package in the run). A penalty that is not convex has no D: the yardstick
is then violation, the largest of a condition of stationarity, over alpha. Of a cross-validation, what is
judged (curves.py) is curve_error, the largest relative difference of the held-out errors to the exact ones.
Settings that are the fastest to reach a target are repeated, and their median kept.
"""

from __future__ import annotations

import argparse
import shlex
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import children
import numpy as np
import provenance
from certify import Certificate, Judge
from curves import CurveJudge
from peers import NAMES
from problems import SMOKE_SKIPS, SPECS, Problem, build
from reading import read_seconds
from results import write
from scipy import sparse
from summary import by_package, error, fastest, report, targets

SIZES = ("n", "p", "responses", "penalty")
ABOUT_PROBLEM = ("problem", "loss", "kind", *SIZES, "x_mb", "n_alphas", "alpha_ratio", "cv", "threads")
ABOUT_RUN = ("package", "version", "tol", "status", "repeats", "seconds", "seconds_min")
ABOUT_FIT = ("suboptimality", "curve_error", "violation", "own_gap", "reported_gap", "excess", "agreeing")
ABOUT_FIT += ("max_support", "passes", "peak_mb")
FIELDS = ("date", "commit", "machine", "command", *ABOUT_PROBLEM, "read_seconds", *ABOUT_RUN, *ABOUT_FIT)
GOOD_ENOUGH = 0.1  # of the tightest target: no need to tighten further


@dataclass
class Run:
    """One package at one tolerance: the times so far and what the judge said."""

    package: str
    tol: float
    status: str = "ok"
    seconds: list[float] = field(default_factory=list)
    certificate: Certificate | None = None
    curve_error: float | None = None
    facts: dict = field(default_factory=dict)


def session(package: str, folder: Path, args: argparse.Namespace) -> children.Session:
    return children.Session(package, interpreter(package, args), folder, args.threads, args.scratch)


def judged(run: Run, arrays: dict, judge: Judge | CurveJudge, n_alphas: int, every: int) -> None:
    """Attach verdict and facts to a finished run; every so many alphas are judged, and the last."""
    names = ("reported_gap", "passes", "peak_mb")
    run.facts = {name: float(arrays[name]) for name in names if name in arrays}
    if isinstance(judge, CurveJudge):
        run.curve_error = judge.error(arrays["curve"], arrays["alphas"])
        return
    parts = arrays["data"], arrays["indices"], arrays["indptr"]
    coefs = sparse.csc_matrix(parts, shape=tuple(arrays["shape"]))
    coefs.eliminate_zeros()
    run.facts["max_support"] = largest_support(coefs, judge.problem.X.shape[1])
    if coefs.shape[1] != n_alphas or not np.isfinite(coefs.data).all():
        run.status = "did not return finite coefficients for every alpha"
        return
    picks = slice((n_alphas - 1) % every, None, every)
    run.certificate = judge.certify(coefs[:, picks], arrays["intercepts"][..., picks])


def largest_support(coefs: sparse.csc_matrix, p: int) -> int:
    """Features in use at the alpha that uses most, each counted once however many responses use it."""
    return max(len(np.unique(used % p)) for used in np.split(coefs.indices, coefs.indptr[1:-1]))


def inaccuracy(run: Run, judge: Judge | CurveJudge) -> float:
    """What is known of a run on its own: gap, violation or error of the curve; infinite when it failed."""
    if run.certificate is not None:
        return judge.alone(run.certificate)
    return np.inf if run.curve_error is None else run.curve_error


def sweep(problem: Problem, judge: Judge | CurveJudge, folder: Path, args: argparse.Namespace) -> list[Run]:
    """Every package at every tolerance, loosest first, until the tightest target is met or time runs out."""
    runs = []
    for package in args.packages:
        why = unavailable(package, problem, args)
        if why:
            print(f"  {package}: {why}", flush=True)
            continue
        with session(package, folder, args) as fits:
            runs += sweep_package(package, fits, problem, judge, args)
    return runs


def sweep_package(
    package: str,
    fits: children.Session,
    problem: Problem,
    judge: Judge | CurveJudge,
    args: argparse.Namespace,
) -> list[Run]:
    runs = []
    for tol in tolerances(package, args):
        run = Run(package, tol)
        runs.append(run)
        arrays = fits.fit(tol, args.limit)
        if isinstance(arrays, str):
            run.status = arrays
            print(f"  {package} tol={tol:g}: {arrays}", flush=True)
            if arrays.startswith(("over", "not ready")):  # a tighter one would be, too
                break
            continue
        run.seconds.append(float(arrays["seconds"]))
        judged(run, arrays, judge, len(problem.alphas), SPECS[problem.name].judged)
        reached = inaccuracy(run, judge)
        print(f"  {package} tol={tol:g}: {run.seconds[0]:.3g} s, {known(problem)} {reached:.1e}", flush=True)
        if reached <= GOOD_ENOUGH * targets(problem.folds is not None)[-1]:
            break
    return runs


def known(problem: Problem) -> str:
    """What `inaccuracy` tells."""
    if problem.folds is not None:
        return "curve error"
    return "own gap" if problem.penalty.convex else "violation"


def rows_of(runs: list[Run], judge: Judge | CurveJudge, common: dict, versions: dict) -> list[dict]:
    """The yardstick needs every run: the best dual value at each alpha, whoever found it."""
    certified = [run for run in runs if run.certificate is not None]
    ours = min((run for run in certified if run.package == "riata"), key=lambda run: run.tol, default=None)
    verdicts = {}
    if certified:
        of_all = judge.compare([run.certificate for run in certified], ours and ours.certificate)
        verdicts = {id(run): verdict for run, verdict in zip(certified, of_all, strict=True)}
    rows = []
    for run in runs:
        row = {
            **common,
            "package": run.package,
            "version": versions[run.package],
            "tol": run.tol,
            "status": run.status,
        }
        if run.seconds:
            row |= run.facts
            row["repeats"], row["seconds"] = len(run.seconds), statistics.median(run.seconds)
            row["seconds_min"] = min(run.seconds)
        if run.curve_error is not None:
            row["curve_error"] = run.curve_error
        rows.append(row | verdicts.get(id(run), {}))
    return rows


def repeat(runs: list[Run], rows: list[dict], folder: Path, args: argparse.Namespace) -> None:
    """Time again the settings that a summary would quote."""
    for package, settings in by_package(rows).items():
        bests = [fastest(settings, target) for target in targets(settings[0]["cv"] > 0)]
        wanted = {best["tol"] for best in bests if best is not None}
        with session(package, folder, args) as fits:
            for _ in range(args.repeats - 1):
                for run in runs:
                    if run.package == package and run.tol in wanted:
                        arrays = fits.fit(run.tol, args.limit)
                        if not isinstance(arrays, str):
                            run.seconds.append(float(arrays["seconds"]))


def interpreter(package: str, args: argparse.Namespace) -> str:
    return sys.executable if package == "riata" else args.peer_python


def unavailable(package: str, problem: Problem, args: argparse.Namespace) -> str | None:
    """Why a package sits this problem out: not installed, or it cannot express it."""
    try:
        said = children.describe(package, interpreter(package, args))
    except ImportError as error:
        return f"not run: {error}"
    if problem.folds is not None and not said["cross_validates"]:
        return "not run: it offers no cross-validation"
    answer = said["refuses"][children.asked(problem)]
    return answer and f"not run: {answer}"


def tolerances(package: str, args: argparse.Namespace) -> list[float]:
    """What to sweep, loosest first."""
    if args.tolerances:
        return args.tolerances
    if package in args.settings:
        return args.settings[package]
    if args.smoke:
        return [1e-8 if package == "riata" else 1e-4]
    return children.describe(package, interpreter(package, args))["tolerances"][:: args.stride]


def command(name: str, args: argparse.Namespace) -> str:
    """How to make these rows again, without paths of this machine."""
    parts = ["python", "bench/compare/run.py", "--problem", name, "--packages", ",".join(args.packages)]
    parts += ["--threads", str(args.threads), "--repeats", str(args.repeats), "--limit", f"{args.limit:g}"]
    if args.tolerances:
        parts += ["--tolerances", ",".join(f"{tol:g}" for tol in args.tolerances)]
    if args.settings:
        parts += ["--settings", ",".join(f"{name}={spelt(tols)}" for name, tols in args.settings.items())]
    if args.stride > 1:
        parts += ["--stride", str(args.stride)]
    return shlex.join(parts + ["--smoke"] * args.smoke)


def spelt(tolerances: Sequence[float]) -> str:
    """As `--settings` has them."""
    return "/".join(f"{tol:g}" for tol in tolerances)


def settings(text: str | None) -> dict[str, list[float]]:
    """The way back, of all packages."""
    pairs = (part.split("=", 1) for part in text.split(",")) if text else ()
    return {package: sorted(map(float, tols.split("/")), reverse=True) for package, tols in pairs}


def compare(name: str, args: argparse.Namespace) -> list[dict]:
    """All packages on one problem; the rows of the table."""
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
        folder = Path(scratch) / name
        problem = build(name, folder, smoke=args.smoke)
        every = SPECS[name].judged
        few = problem.at(problem.alphas[(len(problem.alphas) - 1) % every :: every])
        judge = Judge(few) if problem.folds is None else CurveJudge(problem)
        n, p = problem.X.shape
        print(
            f"{name}{' (smoke)' if args.smoke else ''}: {problem.loss}, {n} x {p}, {problem.kind}", flush=True
        )
        common = {
            "date": provenance.today(),
            "commit": provenance.commit(),
            "machine": provenance.machine(),
            "command": command(name, args),
            "problem": name,
            "loss": problem.loss,
            "kind": problem.kind,
            "n": n,
            "p": p,
            "responses": problem.n_responses,
            "penalty": problem.penalty.name,
            "x_mb": problem.nbytes / 2**20,
            "n_alphas": len(problem.alphas),
            "alpha_ratio": problem.alphas[-1] / problem.alphas[0],
            "cv": 0 if problem.folds is None else int(problem.folds.max()) + 1,
            "threads": args.threads,
            "read_seconds": read_seconds(problem, args.threads),
        }
        runs = sweep(problem, judge, folder, args)
        ran = {run.package for run in runs}
        versions = {
            package: children.describe(package, interpreter(package, args))["version"] for package in ran
        }
        rows = rows_of(runs, judge, common, versions)
        repeat(runs, rows, folder, args)
        return rows_of(runs, judge, common, versions)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problem", default="all", help=f"comma-separated, or all: {', '.join(SPECS)}")
    parser.add_argument("--packages", default=None, help=f"comma-separated, from {', '.join(NAMES)}")
    parser.add_argument("--tolerances", default=None, help="comma-separated, instead of each sweep")
    parser.add_argument(
        "--settings",
        default=None,
        help="of some packages, instead of their sweeps: adelie=1e-5/1e-7,celer=1e-4",
    )
    parser.add_argument("--stride", type=int, default=1, help="2: every second tolerance of each sweep")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds one fit may take")
    parser.add_argument("--out", type=Path, default=None, help="CSV to write")
    parser.add_argument("--scratch", type=Path, default=None, help="folder for the problems, a few GB")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peers")
    parser.add_argument(
        "--smoke", action="store_true", help="tiny problems, one tolerance, riata and few others"
    )
    args = parser.parse_args(arguments)
    args.packages = args.packages.split(",") if args.packages else None
    skipped = SMOKE_SKIPS if args.smoke else ()
    everything = [name for name in SPECS if name not in skipped]
    args.problem = everything if args.problem == "all" else args.problem.split(",")
    args.settings = settings(args.settings)
    args.tolerances = [float(tol) for tol in args.tolerances.split(",")] if args.tolerances else None
    if args.smoke:
        args.repeats = 1
    for value, allowed, option in (
        (args.problem, SPECS, "--problem"),
        (args.packages or (), NAMES, "--packages"),
        (args.settings, NAMES, "--settings"),
    ):
        unknown = set(value) - set(allowed)
        if unknown:
            parser.error(f"{option} must be from {', '.join(allowed)}, got {', '.join(sorted(unknown))}")
    return args


def smoke_packages(name: str) -> Sequence[str]:
    """riata and scikit-learn, or everybody where scikit-learn lacks the penalty."""
    return ("riata", "sklearn") if SPECS[name].penalty.name in ("l1", "rows") else NAMES


def promised(row: dict) -> float:
    """tol bounds the suboptimality; held-out errors follow the coefficients, which it pins to its root."""
    return np.sqrt(row["tol"]) if row["cv"] else row["tol"]


def main() -> int:
    args = parse()
    everything: list[dict] = []
    for name in args.problem:
        if why := SPECS[name].missing():
            print(f"{name}: not run: {why}", flush=True)
            continue
        packages = args.packages or list(smoke_packages(name) if args.smoke else NAMES)
        rows = compare(name, argparse.Namespace(**vars(args) | {"packages": packages}))
        print(report(rows), flush=True)
        everything += rows
        if args.out:
            write(everything, args.out, FIELDS)
    ours = [row for row in everything if row["package"] == "riata"]
    loose = [row for row in ours if row["status"] != "ok" or error(row) > promised(row)]
    for row in loose:
        print(f"riata missed its own tolerance on {row['problem']}: {row}", file=sys.stderr)
    return 1 if loose else 0


if __name__ == "__main__":
    sys.exit(main())
