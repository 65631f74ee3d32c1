"""How time and memory of a lasso path grow with features, samples, support and alphas, beside adelie and
celer.

    python bench/growth.py --minutes 15 --peer-python PEERS/bin/python --out bench/results/growth.csv
    python bench/growth.py --figure bench/results/growth.svg --out bench/results/growth.csv

Six lines of points, on all of which but one thing is held: features as genotypes in 2 bits (500 samples,
`riata simulate`), dense (500 samples) and sparse (2,000 samples, twenty nonzeros a column); samples (2,000
dense features); the support (2,000 x 20,000, by the last alpha); the number of alphas (500 x 20,000). Every
point and package has a process of its own, one thread. A row says processor seconds (the median of three
where one takes less than three seconds), what the fit adds to the memory of the process at its peak, pages
of mapped files apart, the largest support, and the gap at the last alpha: judged by compare/certify.py up
to 10^9 entries of X, beyond that as riata reports it. A package whose next point would take more than
--limit seconds, by how its last ones grew, is not asked for it, nor is one whose X does not fit. Points
that the file has of this commit are not run again; after --minutes no point is begun.

Slopes are fitted to the logarithms over the upper half of the decades of each line.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, os.fspath(HERE / "compare"))

import provenance  # noqa: E402
from problems import Problem, alpha_grid  # noqa: E402
from results import read, write  # noqa: E402
from scipy import signal, sparse  # noqa: E402

TOLERANCES = {"riata": 1e-6, "adelie": 1e-7, "celer": 1e-6}
FIELDS = ("date", "commit", "machine", "line", "at", "package", "version", "n", "p", "alphas", "last_alpha")
FIELDS += ("seconds", "peak_mb", "x_mb", "support", "gap", "outcome")
JUDGED = 1e9  # entries of X up to which the gap is judged
QUICK = 3.0  # seconds below which a fit is repeated
STRETCH = 4096  # columns made at a time


@dataclass(frozen=True)
class Point:
    """One problem: `at` is where it lies on its line."""

    line: str
    at: float
    kind: str
    n: int
    p: int
    ratio: float = 0.1
    alphas: int = 100
    signals: int = 50

    @property
    def gigabytes(self) -> float:
        """Of X as it is given to riata; peers have genotypes decoded as well."""
        bytes_of = {"dense": 8.0 * self.n, "sparse": 12.0 * 20, "genotypes": self.n / 4}
        return bytes_of[self.kind] * self.p / 2**30


def decades(first: int, last: int) -> list[int]:
    """1, 3, 10, 30, ... times 10^first, up to 10^last."""
    steps = [
        round(10 ** (k / 2)) if k % 2 == 0 else 3 * 10 ** (k // 2) for k in range(2 * first, 2 * last + 1)
    ]
    return [int(step) for step in steps]


LINES: dict[str, list[Point]] = {
    "features, 2 bits": [Point("features, 2 bits", p, "genotypes", 500, p) for p in decades(3, 7)],
    "features, dense": [Point("features, dense", p, "dense", 500, p) for p in decades(3, 6)],
    "features, sparse": [Point("features, sparse", p, "sparse", 2_000, p) for p in decades(3, 6)],
    "samples": [Point("samples", n, "dense", n, 2_000) for n in decades(2, 5)],
    "support": [
        Point("support", ratio, "dense", 2_000, 20_000, ratio, signals=500)
        for ratio in (0.5, 0.3, 0.2, 0.1, 0.05, 0.02)
    ],
    "alphas": [Point("alphas", k, "dense", 500, 20_000, 0.01, k) for k in (10, 30, 100, 300, 1_000)],
}
PACKAGES = ("riata", "adelie", "celer")


def quick_lines() -> dict[str, list[Point]]:
    """Tiny ones, for tests."""
    return {
        "features, 2 bits": [Point("features, 2 bits", p, "genotypes", 100, p) for p in (300, 1_000)],
        "features, dense": [Point("features, dense", p, "dense", 60, p) for p in (100, 300)],
        "features, sparse": [Point("features, sparse", p, "sparse", 200, p) for p in (300, 1_000)],
        "alphas": [Point("alphas", k, "dense", 60, 100, 0.1, k) for k in (10, 30)],
    }


# What one process does: the problem, the package, one row.


def dense(rng: np.random.Generator, n: int, p: int) -> np.ndarray:
    """Neighbouring columns have correlation 0.5; each is centred and scaled."""
    X, state = np.empty((n, p), order="F"), rng.standard_normal((n, 1)) * 0.5
    for at in range(0, p, STRETCH):
        noise = rng.standard_normal((n, min(STRETCH, p - at))) * np.sqrt(0.75)
        block, state = signal.lfilter([1.0], [1.0, -0.5], noise, axis=1, zi=state)
        X[:, at : at + STRETCH] = (block - block.mean(axis=0)) / block.std(axis=0)
    return X


def sparse_counts(rng: np.random.Generator, n: int, p: int) -> sparse.csc_matrix:
    """Twenty ones a column, at random samples."""
    rows = rng.integers(0, n, 20 * p)
    X = sparse.coo_matrix((np.ones(20 * p), (rows, np.repeat(np.arange(p), 20))), shape=(n, p)).tocsc()
    X.sum_duplicates()
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return X


def made(point: Point, folder: Path) -> tuple[object, np.ndarray, Path | None]:
    """X as riata takes it, y of variance 1 and mean 0, and the .bed of genotypes."""
    rng = np.random.default_rng(0)
    if point.kind == "genotypes":
        import riata

        bed = riata.simulate_genotypes(folder / "X", point.n, point.p, n_causal=point.signals, seed=1)
        opened = riata.open_genotypes(bed)
        X, y = opened, np.asarray(opened.samples.phenotype, dtype=np.float64)
        return X, (y - y.mean()) / y.std(), Path(bed)
    X = (dense if point.kind == "dense" else sparse_counts)(rng, point.n, point.p)
    chosen = np.sort(rng.choice(point.p, point.signals, replace=False))
    truth = np.asarray(X[:, chosen] @ rng.standard_normal(len(chosen))).ravel()
    y = truth / truth.std() + rng.standard_normal(point.n) / np.sqrt(3.0)
    return X, (y - y.mean()) / y.std(), None


def problem_of(point: Point, X: object, y: np.ndarray, bed: Path | None) -> Problem:
    """The same for the judge and for peers, with its alphas."""
    from stored import read_bed

    problem = Problem("growth", "gaussian", read_bed(bed) if bed else X, y, np.empty(0), bed is not None, bed)
    problem.alphas = alpha_grid(problem, point.ratio, point.alphas)
    return problem


def measure(point: Point, package: str, repeats: int) -> dict:
    """Fit once, or a few times, and say what it took."""
    from importlib import import_module

    from certify import Judge
    from worker import reset_peak, status_mb

    peer = import_module(f"peers.{package}")
    with tempfile.TemporaryDirectory() as folder:
        X, y, bed = made(point, Path(folder))
        judged = point.n * point.p <= JUDGED
        problem = problem_of(point, X, y, bed) if judged or package != "riata" else None
        small = problem.head() if problem else None
        if small is not None:
            peer.fit(peer.prepare(small, 1), small, 1e-3, 1)  # compile and import
        if package == "riata":
            fit = lambda: riata_path(X, y, point, bed)  # noqa: E731
        else:
            data = peer.prepare(problem, 1)
            fit = lambda: peer.fit(data, problem, TOLERANCES[package], 1)  # noqa: E731
        spent, peaks = [], []
        while not spent or (spent[0] < QUICK and len(spent) < repeats):
            reset_peak()
            before, mapped, began = status_mb("VmRSS"), status_mb("RssFile"), time.process_time()
            found = fit()
            spent.append(time.process_time() - began)
            mapped = max(status_mb("RssFile") - mapped, 0.0)
            peaks.append(max(status_mb("VmHWM") - before - mapped, 0.0))
        coefs, intercepts, reported = found.coefs, found.intercepts, found.reported_gap
        support = int(np.diff(coefs.indptr).max())
        gap = reported
        if problem is not None and judged:
            judge = Judge(problem.at(problem.alphas[-1:]))
            gap = judge.alone(judge.certify(coefs[:, -1:], np.asarray(intercepts)[-1:]))
    return {
        "version": peer.version(),
        "seconds": statistics.median(spent),
        "peak_mb": statistics.median(peaks),
        "support": support,
        "gap": gap,
    }


def riata_path(X: object, y: np.ndarray, point: Point, bed: Path | None) -> object:
    """The path on a grid of riata's own, which is that of `alpha_grid`."""
    from peers import PathFit

    import riata

    path = riata.fit_path(
        X,
        y,
        alphas=point.alphas,
        eps=point.ratio,
        standardize=bed is not None,
        tol=TOLERANCES["riata"],
        n_threads=1,
    )
    return PathFit(path.coefs, np.asarray(path.intercepts), float(path.dual_gaps.max()))


# The parent.


def available_gb() -> float:
    """Memory that is free or can be freed."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) / 2**20


def needed_gb(point: Point, package: str) -> float:
    """X in the process, and what a fit or the judge have beside it."""
    if point.kind == "genotypes":
        decoded = package != "riata" or point.n * point.p <= JUDGED
        return point.gigabytes + decoded * 2.0 * point.n * point.p / 2**30 + 60.0 * 8 * point.p / 2**30
    return 1.5 * point.gigabytes + 100.0 * 12 * point.p / 2**30


def in_child(point: Point, package: str, args: argparse.Namespace) -> dict:
    """The row of a point, from a process of its own."""
    python = sys.executable if package == "riata" else args.peer_python
    command = [python, os.fspath(HERE / "growth.py"), "--child", json.dumps(asdict(point))]
    command += ["--package", package, "--repeats", str(args.repeats)]
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    environment = os.environ | dict.fromkeys(threads, "1")
    if args.scratch:
        environment["TMPDIR"] = os.fspath(args.scratch)
    try:
        run = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=environment,
            timeout=300.0 + 4 * args.limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"outcome": f"over {300.0 + 4 * args.limit:g} s with the making of X"}
    if run.returncode != 0:
        return {"outcome": (run.stderr.strip().splitlines() or [f"status {run.returncode}"])[-1][:120]}
    return {"outcome": "ok"} | json.loads(run.stdout.strip().splitlines()[-1])


def foreseen(found: list[tuple[float, float]], point: Point) -> float:
    """Seconds of the next point, by the growth between the last two, at least as the size grows."""
    if not found:
        return 0.0
    if len(found) == 1:
        return found[0][1] * max(point.at / found[0][0], found[0][0] / point.at)
    (x1, t1), (x2, t2) = found[-2:]
    power = max(np.log(t2 / t1) / abs(np.log(x2 / x1)), 1.0) if t1 > 0.05 else 1.0
    return t2 * max(point.at / x2, x2 / point.at) ** power


def collect(lines: dict[str, list[Point]], args: argparse.Namespace) -> list[dict]:
    """All points, those of this commit in the file as they are."""
    end, commit = time.monotonic() + 60.0 * args.minutes, provenance.commit()
    rows = [row for row in (read(args.out) if args.out.exists() else []) if row["commit"] == commit]
    have = {(row["line"], float(row["at"]), row["package"]): row for row in rows}
    about = {"date": provenance.today(), "commit": commit, "machine": provenance.machine()}
    for package in args.packages:  # riata's lines first: they are what is asked
        for line, points in lines.items():
            if package == "celer" and line == "features, 2 bits":
                continue
            found: list[tuple[float, float]] = []
            for point in points:
                row = have.get((line, point.at, package))
                if row is None:
                    why = refused(point, package, found, end, args)
                    if why:
                        print(f"{line} {point.at:g} {package}: not run: {why}", flush=True)
                        break
                    row = about | {
                        "line": line,
                        "at": point.at,
                        "package": package,
                        "n": point.n,
                        "p": point.p,
                    }
                    row |= {"alphas": point.alphas, "last_alpha": point.ratio, "x_mb": point.gigabytes * 1024}
                    row |= in_child(point, package, args)
                    rows.append(row)
                    write(rows, args.out, FIELDS)
                    said = (
                        f"{row['seconds']:.3g} s, {row['peak_mb']:.0f} MB"
                        if "seconds" in row
                        else row["outcome"]
                    )
                    print(f"{line} {point.at:g} {package}: {said}", flush=True)
                if row["outcome"] != "ok":
                    break
                found.append((point.at, float(row["seconds"])))
    return rows


def refused(
    point: Point, package: str, found: list[tuple[float, float]], end: float, args: argparse.Namespace
) -> str | None:
    """Why a point is not begun."""
    if time.monotonic() > end:
        return "the minutes are over"
    if foreseen(found, point) > args.limit:
        return f"it would take {foreseen(found, point):.0f} s"
    needed, free = needed_gb(point, package), available_gb()
    return f"it needs {needed:.1f} GB, {free:.1f} are free" if needed > 0.9 * free else None


# Slopes, table and figure.


def place(row: dict) -> float:
    """Where a row lies on its line: the support that there was, or what was asked for."""
    return float(row["support"] if row["line"] == "support" else row["at"])


def slope(rows: list[dict], what: str) -> float | None:
    """Least squares on logarithms, over the upper half of the decades."""
    points = sorted((place(row), float(row[what])) for row in rows if float(row[what]) > 0.0)
    if len(points) < 2:
        return None
    x, y = np.log10(np.array(points)).T
    upper = x >= (x[0] + x[-1]) / 2.0 - 1e-9
    if upper.sum() < 2 or np.ptp(x[upper]) == 0.0:
        return None
    return float(np.polyfit(x[upper], y[upper], 1)[0])


def grouped(rows: list[dict]) -> dict[str, dict[str, list[dict]]]:
    """By line and package, those that ran."""
    lines: dict[str, dict[str, list[dict]]] = {}
    for row in rows:
        if row["outcome"] == "ok":
            lines.setdefault(row["line"], {}).setdefault(row["package"], []).append(row)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15.0, help="after which no point is begun")
    parser.add_argument("--limit", type=float, default=40.0, help="seconds a fit may be expected to take")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--packages", default=",".join(PACKAGES), help="comma-separated")
    parser.add_argument(
        "--lines", default=None, help=f"comma-separated, with / for the comma in: {'; '.join(LINES)}"
    )
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peers")
    parser.add_argument("--scratch", type=Path, help="where genotypes are made, up to 2 GB")
    parser.add_argument(
        "--quick", action="store_true", help="tiny lines, riata alone; the times mean nothing"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("growth.csv"), help="CSV to write, and to go on from"
    )
    parser.add_argument("--figure", type=Path, help="draw what the CSV has, and run nothing")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--package", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measure(Point(**json.loads(args.child)), args.package, args.repeats)))
        return
    if args.figure:
        from growth_figure import draw

        draw(grouped(read(args.out)), args.figure)
        return
    args.packages = ["riata"] if args.quick else args.packages.split(",")
    lines = quick_lines() if args.quick else LINES
    if args.lines:
        wanted = [name.replace("/", ",") for name in args.lines.split(",")]
        lines = {name: lines[name] for name in wanted}
    collect(lines, args)


if __name__ == "__main__":
    main()
