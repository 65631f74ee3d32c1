"""Write the tables of bench/README.md from result files: python bench/compare/table.py bench/results/*.csv

For each problem and thread count: seconds to reach each suboptimality (the fastest setting that does), how
many times that is riata's, and gap, memory and passes of the last setting quoted.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from summary import TARGETS, by_package, fastest

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def read(files: list[Path]) -> list[list[dict]]:
    """The rows of all files, grouped by problem and number of threads."""
    groups: dict[tuple[str, str], list[dict]] = {}
    for file in files:
        with file.open(newline="") as lines:
            for row in csv.DictReader(lines):
                groups.setdefault((row["problem"], row["threads"]), []).append(row)
    return list(groups.values())


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
    packages = by_package(rows)
    ours = {target: fastest(packages.get("riata", []), target) for target in TARGETS}
    heads = [f"≤ {target:.0e}" for target in TARGETS]
    heads += ["own gap", "reported gap", "peak memory, MB", "passes", "tightest tol tried"]
    lines = ["| package | " + " | ".join(heads) + " |", "| --- |" + " ---: |" * len(heads)]
    for package, settings in packages.items():
        bests = [fastest(settings, target) for target in TARGETS]
        finished = [row for row in settings if row["status"] == "ok"]
        last = next((best for best in reversed(bests) if best), finished[-1] if finished else None)
        cells = [seconds(best, ours[target], settings) for best, target in zip(bests, TARGETS, strict=True)]
        cells += [number(last, "own_gap", ".0e"), number(last, "reported_gap", ".0e")]
        cells += [number(last, "peak_mb", ".0f"), number(last, "passes", ".1f"), tightest(settings)]
        lines.append(f"| {package} {settings[0]['version']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def section(rows: list[dict]) -> str:
    """Heading, what was run and where, and the table."""
    first = rows[0]
    size = f"{int(first['n']):,} × {int(first['p']):,}"
    judged = [row for row in rows if row["suboptimality"]]
    best = min(judged, key=lambda row: float(row["suboptimality"]), default=None)
    threads = "one thread" if first["threads"] == "1" else f"{first['threads']} threads"
    ratio = float(first["alpha_ratio"])
    parts = [
        f"### {first['loss']}, {size}, {first['kind']}, {threads}\n",
        f"`{first['problem']}`: {first['n_alphas']} alphas down to {ratio:.2g} of the largest,",
        f"support up to {number(best, 'max_support', '.0f')}; X takes {float(first['x_mb']):.3g} MB.",
        f"Commit {first['commit']}, {first['date']}, {first['machine']}.\n",
        f"    {first['command']}\n",
        table(rows),
        "",
    ]
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="+", help="CSV files that run.py wrote")
    parser.add_argument("--stdout", action="store_true", help="print instead of rewriting bench/README.md")
    args = parser.parse_args()
    text = "\n".join(section(rows) for rows in read(args.results))
    if args.stdout:
        print(text)
        return
    head, rest = README.read_text().split(BEGIN)
    tail = rest.split(END)[1]
    README.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}")


if __name__ == "__main__":
    main()
