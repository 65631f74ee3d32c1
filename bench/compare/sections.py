"""Tables of bench/README.md that are not of run.py: between marks with the name of their result file.

`<!-- ridge: begin -->` and `<!-- ridge: end -->` hold what bench/results/ridge.csv says. A file that is not
there leaves what stands.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

sys.path.append(os.fspath(Path(__file__).resolve().parents[1]))  # growth.py

Rows = list[dict]


def markdown(heads: list[str], rows: list[list[str]], words: int = 1) -> str:
    """A table; the first `words` columns are text."""
    rule = ["---"] * words + ["---:"] * (len(heads) - words)
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *rows))


def origin(rows: Rows, command: str) -> str:
    """What was run, at which commit and where."""
    first = rows[0]
    return f"Commit {first['commit']}, {first['date']}, {first['machine']}.\n\n    {command}\n\n"


def size(row: dict) -> str:
    return f"{int(row['n']):,} × {int(row['p']):,}"


def package(row: dict) -> str:
    """With its settings."""
    return f"{row['package']} ({row['settings']})" if row.get("settings") else row["package"]


def ridge(rows: Rows) -> str:
    """The packages of a problem, one below the other."""
    cells = [
        [row["problem"], size(row), package(row), row["alphas"], row["seconds"], row["gap"]] for row in rows
    ]
    heads = ["problem", "n × p", "package", "alphas", "seconds", "gap"]
    return origin(rows, "OMP_NUM_THREADS=1 python bench/ridge.py --repeats 3") + markdown(heads, cells, 3)


def folds(rows: Rows) -> str:
    """One line a problem."""
    cells = []
    for row in rows:
        times = [
            f"{row['cv_s']} ({row['cv_over_path']}×)",
            f"{row['patience_s']} ({row['patience_over_path']}×)",
        ]
        ends = f"{row['alphas_with_patience']} of {row['alphas']}"
        cells.append([row["problem"], size(row), row["path_s"], *times, ends, row["same_choice"]])
    heads = ["problem", "n × p", "path, s", "ten folds", "with patience", "alphas", "same choices"]
    return origin(rows, "OMP_NUM_THREADS=1 python bench/folds.py --repeats 3") + markdown(heads, cells)


def single_fits(rows: Rows) -> str:
    """One line a problem and what is asked for."""
    packages = list(dict.fromkeys(row["package"] for row in rows))
    peers = [package for package in packages if package != "riata"]
    cells = []
    for (problem, asked), group in groupby(rows, lambda row: (row["problem"], row["asked"])):
        found = {row["package"]: row for row in group}
        ours = found.get("riata")
        line = [f"`{problem}`", asked if " to " in asked else f"{asked} of the largest"]
        line += [next(iter(found.values()))["support"]]
        line += (
            [f"{float(ours['path_s']):.3g}", f"{float(ours['seconds']):.3g}"] if ours else ["", "not reached"]
        )
        for package in peers:
            row = found.get(package)
            line.append(against(row, ours))
        cells.append(line)
    heads = ["problem", "asked for", "active", "path, s", "riata, s", *(f"{peer}, s" for peer in peers)]
    names = ",".join(dict.fromkeys(row["problem"] for row in rows))
    command = (
        f"python bench/compare/single_fits.py --problem {names} --packages {','.join(packages)} --repeats 3"
    )
    return origin(rows, command) + markdown(heads, cells, 2)


def against(row: dict | None, ours: dict | None) -> str:
    """Seconds of a peer, and how many times riata's."""
    if row is None:
        return "not reached"
    times = f" ({float(row['seconds']) / float(ours['seconds']):.1f}×)" if ours else ""
    return f"{float(row['seconds']):.3g}{times}"


def cluster_times(rows: Rows) -> str:
    """One line a way."""
    cells = []
    for row in rows:
        told = f"{float(row['predicted']):.3g}" if row["predicted"] else ""
        off = f" ({float(row['predicted']) / float(row['seconds']) - 1.0:+.0%})" if told else ""
        line = [
            row["way"],
            size(row),
            f"{float(row['seconds']):.3g}",
            f"{float(row['over_two_threads']):.2f}",
        ]
        cells.append([*line, told + off, row["same_bits"]])
    heads = ["way", "n × p", "seconds", "over two threads", "predicted", "same bits as one thread"]
    return origin(rows, "python bench/cluster/local.py --out bench/results") + markdown(heads, cells)


def cluster_bytes(rows: Rows) -> str:
    """One line a kind of message, problem and direction."""
    cells = []
    for row in rows:
        times, measured = int(row["times"]), float(row["measured"])
        rule = f"{float(row['counted']):,.0f}" if row["counted"] else ""
        ratio = f"{measured / float(row['counted']):.3f}" if row["counted"] else ""
        head = [f"{row['problems']}, {size(row)}", row["message"], row["direction"], row["counted_as"]]
        cells.append([*head, str(times), f"{measured:,.0f}", rule, ratio, f"{measured / times:,.0f}"])
    heads = [
        "problems, n × p",
        "message",
        "way",
        "counted as",
        "messages",
        "bytes",
        "counted",
        "ratio",
        "bytes a message",
    ]
    return origin(rows, "python bench/cluster/local.py --out bench/results") + markdown(heads, cells, 4)


def cluster_simulated(rows: Rows) -> str:
    """One line a problem and number of machines."""
    cells = []
    for row in rows:
        numbers = [minutes(float(row[name])) for name in ("seconds", "workers_s", "wire_s", "client_s")]
        room = f"{float(row['gigabytes_a_machine']):,.0f}" + ("" if row["fits"] == "yes" else ", too much")
        cells.append(
            [size(row), row["problems"], f"{int(row['support']):,}", row["machines"], *numbers, room]
        )
    heads = ["n × p", "problems", "in use", "machines", "in all", "workers", "wire", "client", "GB a machine"]
    return origin(rows, "python bench/cluster/simulate.py --results bench/results") + markdown(heads, cells)


def minutes(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 100
        else f"{seconds / 60:.0f} min"
        if seconds < 6000
        else f"{seconds / 3600:.1f} h"
    )


def growth(rows: Rows) -> str:
    """One line a line of points and package: ends, and slopes."""
    from growth import grouped, place, slope

    cells = []
    for line, packages in grouped(rows).items():
        for package, points in packages.items():
            points = sorted(points, key=place)
            ends = [f"{place(points[0]):,.0f}", f"{place(points[-1]):,.0f}"]
            for what in ("seconds", "peak_mb"):
                grown = slope(points, what)
                ends += [f"{float(points[0][what]):.3g}", f"{float(points[-1][what]):.3g}"]
                ends += ["" if grown is None else f"{grown:.2f}"]
            worst = max(float(point["gap"]) for point in points)
            cells.append([line, f"{package} {points[0]['version']}", *ends, f"{worst:.0e}"])
    heads = [
        "line",
        "package",
        "from",
        "to",
        "s, first",
        "s, last",
        "slope",
        "MB, first",
        "MB, last",
        "slope",
        "worst gap",
    ]
    return origin(rows, "python bench/growth.py --minutes 15 --out bench/results/growth.csv") + markdown(
        heads, cells, 2
    )


SECTIONS: dict[str, Callable[[Rows], str]] = {
    "ridge": ridge,
    "folds": folds,
    "single-fits": single_fits,
    "single-fits-losses": single_fits,
    "single-fits-storages": single_fits,
    "cluster-times": cluster_times,
    "cluster-bytes": cluster_bytes,
    "cluster-simulated": cluster_simulated,
    "growth": growth,
}


def fill(page: str, name: str, text: str) -> str:
    """The page with what stands between the marks of a name replaced."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page must have {begin} and {end} once each")
    head, rest = page.split(begin)
    return f"{head}{begin}\n\n{text.strip()}\n\n{end}{rest.split(end)[1]}"
