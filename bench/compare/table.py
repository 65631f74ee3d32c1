"""Write the tables of bench/README.md from result files: python bench/compare/table.py bench/results/*.csv

First one line per problem and thread count: riata's time, passes and time over one plain read of X, and how
many times that the fastest peer took, beside what is aimed at. Then for each the seconds to reach each target
(the fastest setting that does), how many times that is riata's, and gap, memory and passes of the last
setting quoted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from results import by_problem, concave, read, title
from sections import SECTIONS, fill
from summary import by_package, error, fastest, targets_of

README = Path(__file__).resolve().parents[1] / "README.md"
GOALS = {  # how many times riata's time the fastest peer should take, at the loosest and the tightest target
    "ar-500x20000": (4, 20),
    "ar-1000x100000": (5, 5),
    "blocks-400x10000": (4, 15),
    "tall-20000x500": (1.5, 1.5),
    "binomial-200x20000": (4, 4),
    "sparse-20000x500000": (8, 12),
    "sparse-binomial-20000x500000": (8, 6),
    "genotypes-2000x100000": (5, 5),
    "genotypes-5000x300000": (5, 5),
    "cox-300x10000": (4, 4),
    "cox-5000x5000": (4, 4),
    "net-0.5-500x20000": (4, 4),
    "net-0.1-500x20000": (4, 4),
    "net-0.01-500x20000": (4, 4),
    "tall-200000x100": (1.5, 1.5),
    "simulated-40000x40000": (4, 4),
    "simulated-deep-40000x40000": (4, 4),
    "cv-mouse-1810x10346": (10, 10),
    "poisson-500x10000": (4, 4),
    "multinomial-200x10000": (4, 4),
    "multinomial-grouped-200x10000": (4, 4),
    "multigaussian-300x10000x20": (5, 5),
    "group-500x20000": (4, 8),
    "mcp-500x20000": (1, 1),
    "slope-200x5000": (1, 1),
    "cv-ar-500x20000": (6, 6),
    "cv-blocks-400x10000": (6, 6),
}
HEADS = {
    "own_gap": "own gap",
    "reported_gap": "reported gap",
    "excess": "objective above the lowest",
    "agreeing": "alphas where it is riata's",
}
PASS_LIMITS = {"ar-500x20000": 60, "ar-1000x100000": 30}  # time over that of one plain read of X, at most
CONCAVE = """\
The penalty is not convex, so there is no gap: the bounds are on the largest violation of a condition of
stationarity, over alpha, and packages may end at different stationary points. Beside the times: how far the
objective is above the lowest of this run, at most, as a share of the null objective; and at how many alphas
it is that of riata's tightest setting, to 1e-6 of the null objective.
"""


def seconds(row: dict | None, ours: dict | None, settings: list[dict]) -> str:
    """A cell: time, and in brackets how many times riata's."""
    if row is None:
        over = [setting["status"] for setting in settings if setting["status"].startswith("over")]
        return f"not reached ({over[0]})" if over else "not reached"
    text = f"{float(row['seconds']):.3g} s"
    if ours is not None and row["package"] != "riata":
        text += f" ({float(row['seconds']) / float(ours['seconds']):.1f}×)"
    return text


def number(row: dict | None, name: str, form: str) -> str:
    missing = row is None or row.get(name, "") in ("", "nan")
    return "" if missing else format(float(row[name]), form)


def tightest(settings: list[dict]) -> str:
    """The tightest tolerance tried, and why the sweep ended there if it had to."""
    last = settings[-1]
    return f"{float(last['tol']):.0e}" + ("" if last["status"] == "ok" else f": {last['status']}")


def table(rows: list[dict]) -> str:
    """One problem at one thread count."""
    packages, targets = by_package(rows), targets_of(rows)
    ours = {target: fastest(packages.get("riata", []), target) for target in targets}
    heads = [f"≤ {target:.0e}" for target in targets]
    accuracy = ("excess", "agreeing") if concave(rows[0]) else ("own_gap", "reported_gap")
    heads += [HEADS[name] for name in accuracy] + ["peak memory, MB", "passes", "tightest tol tried"]
    lines = ["| package | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for package, settings in packages.items():
        bests = [fastest(settings, target) for target in targets]
        finished = [row for row in settings if row["status"] == "ok"]
        last = next((best for best in reversed(bests) if best), finished[-1] if finished else None)
        cells = [seconds(best, ours[target], settings) for best, target in zip(bests, targets, strict=True)]
        cells += [number(last, name, ".0f" if name == "agreeing" else ".0e") for name in accuracy]
        cells += [number(last, "peak_mb", ".0f"), number(last, "passes", ".1f"), tightest(settings)]
        lines.append(f"| {package} {settings[0]['version']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def section(rows: list[dict]) -> str:
    """Heading, what was run and where, and the table."""
    first = rows[0]
    loss, size = title(first)
    judged = [row for row in rows if row["seconds"]]
    best = min(judged, key=error, default=None)
    threads = "one thread" if first["threads"] == "1" else f"{first['threads']} threads"
    ratio = float(first["alpha_ratio"])
    folds = f", {first['cv']}-fold cross-validation" if int(first.get("cv") or 0) else ""
    support = number(best, "max_support", ".0f")
    parts = [
        f"### {loss}, {size}, {first['kind']}{folds}, {threads}\n",
        f"`{first['problem']}`: {first['n_alphas']} alphas down to {ratio:.2g} of the largest"
        + (f", support up to {support};" if support else ";"),
        f"X takes {float(first['x_mb']):.3g} MB.",
        f"Commit {first['commit']}, {first['date']}, {first['machine']}.\n",
        f"    {first['command']}\n",
        *([CONCAVE] if concave(first) else []),
        table(rows),
        "",
    ]
    return "\n".join(parts)


def overview(groups: list[list[dict]]) -> str:
    """One line per problem and thread count, at its loosest and its tightest target."""
    heads = [
        "riata",
        "passes",
        "time / plain read",
        "aim",
        "fastest peer, loose",
        "aim",
        "fastest peer, tight",
        "aim",
    ]
    lines = ["| problem | threads | " + " | ".join(heads) + " | met |"]
    lines.append("| --- |" + " ---: |" * (len(heads) + 1) + " --- |")
    lines += [overview_line(rows) for rows in groups]
    return "\n".join(lines) + "\n"


def overview_line(rows: list[dict]) -> str:
    packages, targets, first = by_package(rows), targets_of(rows), rows[0]
    wanted, limit = GOALS.get(first["problem"], ()), PASS_LIMITS.get(first["problem"])
    ours = [fastest(packages.get("riata", []), target) for target in (targets[0], targets[-1])]
    peers = [row for package, settings in packages.items() if package != "riata" for row in settings]
    cells, met = [], []
    for own, target, goal in zip(ours, (targets[0], targets[-1]), wanted or (None, None), strict=True):
        text, ratio = against(own, peers, target)
        cells += [text, f"{goal}×" if goal else ""]
        met += [ratio is not None and ratio >= goal] if goal else []
    quoted = ours[-1] or ours[0]
    reads = reads_of(quoted)
    met += [reads is not None and reads <= limit] if limit else []
    verdict = "" if not met else "yes" if all(met) else "no"
    cells = [
        f"{float(quoted['seconds']):.3g} s" if quoted else "not reached",
        number(quoted, "passes", ".1f"),
        f"{reads:.0f}" if reads else "",
        f"≤ {limit}" if limit else "",
        *cells,
    ]
    return f"| `{first['problem']}` | {first['threads']} | " + " | ".join(cells) + f" | {verdict} |"


def single_fits(rows: list[dict]) -> str:
    """One line an estimator and problem, from small.py."""
    heads = ["riata", "its gap", "sklearn, defaults", "its gap", "sklearn, gap ≤ 1e-06", "Python alone"]
    first = rows[0]
    lines = ["### Single fits, one thread\n"]
    lines += [f"Commit {first['commit']}, {first['date']}, {first['machine']}.\n"]
    lines += ["    python bench/compare/small.py\n", "| fit | " + " | ".join(heads) + " |"]
    lines += ["| --- |" + " ---: |" * len(heads)]
    for row in rows:
        ours, theirs, equal = (
            f"{float(row[name]):.3g} ms" if row[name] else "not reached"
            for name in ("riata_ms", "sklearn_ms", "equal_ms")
        )
        default, matched = (
            f" ({float(row[name]) / float(row['riata_ms']):.1f}×)" if row[name] else ""
            for name in ("sklearn_ms", "equal_ms")
        )
        cells = [ours, number(row, "riata_gap", ".0e"), theirs + default, number(row, "sklearn_gap", ".0e")]
        cells += [equal + matched, f"{float(row['overhead_us']):.0f} µs"]
        size = f"{int(row['n']):,} × {int(row['p']):,}"
        lines.append(f"| {row['estimator']}, {size} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def reads_of(row: dict | None) -> float | None:
    """Seconds of a fit over those of one plain read of X."""
    if row is None or not row.get("read_seconds"):
        return None
    return float(row["seconds"]) / float(row["read_seconds"])


def against(own: dict | None, peers: list[dict], target: float) -> tuple[str, float | None]:
    """The fastest peer at a target, and how many times riata's time it took; a bound where none got there."""
    best = fastest(peers, target)
    if best is None:
        return ("none got there", np.inf if own else None) if peers else ("", None)
    if own is None:
        return f"{best['package']} {float(best['seconds']):.3g} s", None
    ratio = float(best["seconds"]) / float(own["seconds"])
    return f"{best['package']} {float(best['seconds']):.3g} s, {ratio:.1f}×", ratio


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="+", help="CSV files that run.py wrote")
    parser.add_argument("--stdout", action="store_true", help="print instead of rewriting bench/README.md")
    args = parser.parse_args()
    small = [file for file in args.results if file.stem == "small"]
    apart = [file for file in args.results if file.stem in SECTIONS]
    groups = by_problem([file for file in args.results if file not in (*small, *apart)])
    parts = [overview(groups)] + [single_fits(read(file)) for file in small]
    text = "\n".join([*parts, *(section(rows) for rows in groups)])
    if args.stdout:
        print(text)
        return
    page = fill(README.read_text(), "tables", text)
    for file in apart:
        page = fill(page, file.stem, SECTIONS[file.stem](read(file)))
    README.write_text(page)


if __name__ == "__main__":
    main()
