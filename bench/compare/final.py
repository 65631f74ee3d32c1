"""The whole comparison in one run: every table of bench/README.md and the figures of README.md.

    python bench/compare/final.py --list --peer-python PEERS/bin/python         # rows and what they will take
    python bench/compare/final.py --minutes 25 --peer-python PEERS/bin/python

Rows run in the order of PLAN, the most telling first, each by a command of its own that writes one file of
bench/results. One that is not expected to fit in the minutes left is skipped, and named; one that takes far
longer than expected is ended. A row whose file is of this commit already is not run again, so the same
command goes on where it was ended. Peers try the tolerances that their last results were quoted at, a few
more where there are none; the problems of the figure are swept. What rows took is kept in
bench/results/rows.csv and expected the next time.
"""

from __future__ import annotations

import argparse
import csv
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import provenance
from problems import SPECS
from results import read
from run import spelt
from sections import fill
from summary import by_package, fastest, targets_of

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"
TOOK = RESULTS / "rows.csv"
FIGURE = ("ar-500x20000", "blocks-400x10000", "binomial-200x20000")  # its panels
PATIENCE = 3.0  # times what is expected, and no less than three minutes, after which a row is ended
STARTING = 6.0  # seconds a package: imports, compiling, loading, twice


@dataclass(frozen=True)
class Row:
    """One command: seconds are what it is expected to take where nothing is known of it."""

    name: str
    seconds: float
    packages: str = ""
    threads: int = 1
    limit: float = 20.0
    repeats: int = 3
    stride: int = 2
    settings: str = ""
    script: str = ""  # of another bench, with its options

    @property
    def stem(self) -> str:
        return self.name if self.threads == 1 or self.script else f"{self.name}-{self.threads}"

    @property
    def out(self) -> Path:
        return RESULTS / f"{self.stem}.csv"

    def command(self, args: argparse.Namespace) -> list[str]:
        """Without the interpreter."""
        out = ["--out", os.fspath((RESULTS if self.name == "cluster-times" else self.out).relative_to(ROOT))]
        if self.script:
            script, *options = shlex.split(self.script)
            peers = ["--peer-python", args.peer_python] if "{peers}" in options else []
            return [script, *(option for option in options if option != "{peers}"), *peers, *out]
        parts = ["bench/compare/run.py", "--problem", self.name, "--packages", self.packages]
        parts += [
            "--threads",
            str(self.threads),
            "--repeats",
            str(self.repeats),
            "--limit",
            f"{self.limit:g}",
        ]
        settings = self.settings or ("" if self.name in FIGURE else quoted(self))
        parts += ["--settings", settings] * bool(settings) + ["--stride", str(self.stride)]
        return [*parts, "--peer-python", args.peer_python, *out]


OUTPUTS = "riata,celer,adelie,glmnet,glmstar"
ALL = "riata,sklearn,celer,skglm,adelie,glmnet,glmstar"
SPARSE = "riata,celer,adelie,glmnet,glmstar"
PLAN = (
    Row("ar-500x20000", 110, ALL, limit=10),
    Row("ridge", 100, script="bench/ridge.py --repeats 3"),
    Row(
        "single-fits",
        150,
        script="bench/compare/single_fits.py --problem ar-500x20000,blocks-400x10000 --packages riata,celer "
        "--repeats 3 --limit 10 {peers}",
    ),
    Row("net-0.5-500x20000", 60, "riata,sklearn,skglm,adelie,glmnet,glmstar", limit=15),
    Row("net-0.1-500x20000", 70, "riata,adelie,glmnet,glmstar", limit=15),
    Row("net-0.01-500x20000", 90, "riata,adelie,glmnet,glmstar", limit=15),
    Row("folds", 60, script="bench/folds.py --repeats 3"),
    Row("blocks-400x10000", 60, "riata,celer,adelie,glmnet,glmstar", limit=8),
    Row("genotypes-2000x100000", 90, "riata,adelie", limit=40),
    Row("sparse-20000x500000", 150, SPARSE, limit=30, stride=3),
    Row("sparse-binomial-20000x500000", 110, "riata,adelie,glmnet,glmstar", limit=25, stride=3),
    Row("group-500x20000", 60, "riata,adelie,celer", limit=12),
    Row("multigaussian-300x10000x20", 80, OUTPUTS, limit=25, repeats=3, stride=3),
    Row("multinomial-grouped-200x10000", 30, "riata,adelie,glmnet,glmstar", limit=20),
    Row("tall-20000x500", 30, "riata,sklearn,celer,adelie,glmnet,glmstar", limit=8),
    Row("tall-200000x100", 40, "riata,sklearn,adelie,glmnet,glmstar", limit=10, stride=3),
    Row(
        "simulated-40000x40000",
        240,
        "riata,adelie",
        threads=2,
        limit=120,
        repeats=3,
        settings="riata=1e-6,adelie=1e-7",
    ),
    Row(
        "cluster-times",
        400,
        script="bench/cluster/local.py --repeats 3",
    ),
    Row("cluster-simulated", 5, script="bench/cluster/simulate.py --results bench/results"),
    Row("binomial-200x20000", 30, "riata,sklearn,adelie,glmnet,glmstar", limit=8),
    Row("cox-300x10000", 60, "riata,skglm,adelie,glmnet,glmstar", limit=15),
    Row("poisson-500x10000", 30, "riata,skglm,adelie,glmnet,glmstar", limit=10),
    Row("multinomial-200x10000", 25, "riata,glmnet,glmstar", limit=15),
    Row("mcp-500x20000", 60, "riata,skglm", limit=30),
    Row("slope-200x5000", 50, "riata,sortedl1,skglm", limit=15),
    Row("mouse-1810x10346", 40, "riata,adelie,glmstar", limit=20, stride=3),
    Row("cv-mouse-1810x10346", 200, "riata,adelie", limit=60, repeats=1, settings="riata=1e-4,adelie=1e-7"),
    Row("cv-ar-500x20000", 60, "riata,adelie,glmnet", limit=25, stride=3),
    Row("cv-blocks-400x10000", 60, "riata,adelie,glmnet", limit=20, stride=3),
    Row("cox-5000x5000", 240, "riata,adelie", limit=60, repeats=1, settings="riata=1e-4/1e-6,adelie=1e-6"),
    Row(
        "simulated-deep-40000x40000",
        300,
        "riata,adelie",
        threads=2,
        limit=150,
        repeats=1,
        settings="riata=1e-6,adelie=1e-7",
    ),
    Row(
        "single-fits-losses",
        150,
        script="bench/compare/single_fits.py --problem binomial-200x20000,poisson-500x10000,cox-300x10000 "
        "--packages riata,skglm --repeats 3 --limit 10 {peers}",
    ),
    Row(
        "single-fits-storages",
        120,
        script="bench/compare/single_fits.py --problem genotypes-2000x20000,sparse-5000x50000 "
        "--packages riata,celer --repeats 3 --limit 15 {peers}",
    ),
    Row("growth", 900, script="bench/growth.py --minutes 14 {peers}"),
    Row("ar-500x20000", 40, "riata,adelie,glmnet", threads=2, limit=8),
    Row("blocks-400x10000", 40, "riata,adelie,glmnet", threads=2, limit=8),
    Row("tall-20000x500", 20, "riata,sklearn,adelie", threads=2, limit=8, stride=3),
    Row("cv-ar-500x20000", 50, "riata,adelie,glmnet", threads=2, limit=10, stride=3),
    Row("genotypes-2000x100000", 70, "riata,adelie", threads=2, limit=20, stride=3),
    Row("golub-72x7129", 30, "riata,sklearn,skglm,adelie,glmnet,glmstar", limit=5),
    Row("small", 60, script="bench/compare/small.py"),
    Row("ar-1000x100000", 70, "riata,adelie,glmnet", limit=12, stride=4),
    Row(
        "genotypes-5000x300000", 180, "riata,adelie", threads=2, limit=100, repeats=1, settings="adelie=1e-4"
    ),
)


SHOWN = """\
![Time and memory of a path against features, samples and alphas, on log axes](bench/results/growth.svg)

How processor time and memory of a path grow with features, samples, the features in use and the alphas, one
thread, beside adelie and celer where they run in the time; the numbers are slopes on the log axes (1:
proportional). `bench/growth.py` drew it."""


def quoted(row: Row) -> str:
    """The tolerances at which packages were quoted in the last results, as run.py takes them."""
    if not row.out.exists():
        return ""
    rows = read(row.out)
    found = {}
    for package, settings in by_package(rows).items():
        bests = [fastest(settings, target) for target in targets_of(rows)]
        tols = sorted({float(best["tol"]) for best in bests if best is not None}, reverse=True)
        if tols and package != "riata" and package in row.packages.split(","):
            found[package] = tols
    if "glmnet" in found and "glmstar" in row.packages:
        found.setdefault("glmstar", found["glmnet"])  # the same tolerance
    return ",".join(f"{package}={spelt(tols)}" for package, tols in found.items())


def expected(row: Row) -> float:
    """Seconds a row will take: as it took, else as its last results add up to, else as the plan says."""
    took = [
        float(line["took_s"]) for line in known() if line["row"] == row.stem and line["outcome"] == "done"
    ]
    if took:
        return took[-1]
    if row.script or not row.out.exists():
        return row.seconds
    spent = 0.0
    for package, settings in by_package(read(row.out)).items():
        if package in row.packages.split(","):
            bests = [fastest(settings, target) for target in targets_of(settings)]
            spent += STARTING + row.repeats * sum(
                float(best["seconds"]) for best in {id(best): best for best in bests if best}.values()
            )
    return max(spent, row.seconds if row.name in FIGURE else 0.0)


def known() -> list[dict]:
    return read(TOOK) if TOOK.exists() else []


def remember(row: Row, expected_s: float, took_s: float, outcome: str) -> None:
    """Add a line to what is known of rows."""
    lines = known()
    line = {"row": row.stem, "commit": provenance.commit(), "expected_s": f"{expected_s:.0f}"}
    lines.append(line | {"took_s": f"{took_s:.0f}", "outcome": outcome})
    TOOK.parent.mkdir(parents=True, exist_ok=True)
    with TOOK.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[-1]))
        writer.writeheader()
        writer.writerows(lines)


def done(row: Row) -> bool:
    """Whether its file is of this commit."""
    return row.out.exists() and {line["commit"] for line in read(row.out)} == {provenance.commit()}


def impossible(row: Row) -> str | None:
    """Why this machine cannot run it."""
    if row.name == "cluster-simulated" and not (RESULTS / "cluster" / "messages.csv").exists():
        return "cluster-times has recorded nothing"
    return None if row.script else SPECS[row.name].missing()


def perform(row: Row, args: argparse.Namespace, allowed: float) -> str:
    """Run one row; what became of it."""
    command = [sys.executable, *row.command(args)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        status = process.wait(allowed)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # it ends its children
        process.wait()
        return f"ended after {allowed:.0f} s"
    except KeyboardInterrupt:
        process.wait()
        raise
    return "done" if status == 0 else f"failed with status {status}"


def rewrite() -> None:
    """Tables and figure, from what there is."""
    files = sorted(os.fspath(file.relative_to(ROOT)) for file in RESULTS.glob("*.csv") if file != TOOK)
    panels = [f"bench/results/{name}.csv" for name in FIGURE]
    commands = [["bench/compare/table.py", *files]]
    growth = RESULTS / "growth.csv"
    if growth.exists():
        drawn = ["--figure", "bench/results/growth.svg", "--out", os.fspath(growth.relative_to(ROOT))]
        commands += [["bench/growth.py", *drawn]]
    commands += [["bench/compare/figure.py", *panels, "--out", "bench/results/time-against-gap.svg"]]
    for command in commands:
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
    if growth.exists():
        page = ROOT / "README.md"
        page.write_text(fill(page.read_text(), "growth", SHOWN))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=25.0, help="after which no row is begun")
    parser.add_argument("--rows", default=None, help="comma-separated, of those that --list names")
    parser.add_argument("--list", action="store_true", help="print rows, seconds expected and commands")
    parser.add_argument("--again", action="store_true", help="rows that are of this commit already, too")
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peers")
    args = parser.parse_args()
    wanted = args.rows.split(",") if args.rows else [row.stem for row in PLAN]
    unknown = set(wanted) - {row.stem for row in PLAN}
    if unknown:
        parser.error(f"--rows: no row {sorted(unknown)[0]!r}; --list names them")
    rows = [row for row in PLAN if row.stem in wanted]
    if args.list:
        total = 0.0
        for row in rows:
            total += expected(row)
            print(
                f"{expected(row):6.0f} s  {total / 60:5.1f} min  {row.stem}: {shlex.join(row.command(args))}"
            )
        return 0
    end = time.monotonic() + 60.0 * args.minutes
    outcomes: dict[str, str] = {}
    for row in rows:
        left, seconds = end - time.monotonic(), expected(row)
        if why := impossible(row):
            outcomes[row.stem] = f"not run: {why}"
        elif done(row) and not args.again:
            outcomes[row.stem] = "of this commit already"
        elif seconds > left:
            outcomes[row.stem] = f"skipped: {seconds:.0f} s expected, {max(left, 0.0):.0f} s left"
        else:
            print(f"\n{row.stem}: {seconds:.0f} s expected, {left:.0f} s left", flush=True)
            began = time.monotonic()
            outcomes[row.stem] = perform(row, args, max(180.0, PATIENCE * seconds))
            remember(row, seconds, time.monotonic() - began, outcomes[row.stem])
    rewrite()
    print("\n" + "\n".join(f"{name}: {outcome}" for name, outcome in outcomes.items()))
    return 1 if any(outcome.startswith(("failed", "ended")) for outcome in outcomes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
