"""Result files: CSV, a row a measurement."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from problems import SPECS


def write(rows: list[dict], out: Path, fields: Sequence[str]) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, fields, restval="")
        writer.writeheader()
        writer.writerows(
            {key: f"{v:.6g}" if isinstance(v, float) else v for key, v in row.items()} for row in rows
        )


def read(file: Path) -> list[dict]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def title(row: dict) -> tuple[str, str]:
    """Loss and size for a heading; files from before there were several responses do not name them."""
    penalty, size = SPECS[row["problem"]].penalty.title, f"{int(row['n']):,} × {int(row['p']):,}"
    responses = int(row.get("responses") or 1)
    return row["loss"] + (f", {penalty}" if penalty else ""), size + (
        f" × {responses}" if responses > 1 else ""
    )


def concave(row: dict) -> bool:
    """Whether its problem has no dual: what is judged is the violation of stationarity."""
    return not SPECS[row["problem"]].penalty.convex


def by_problem(files: list[Path]) -> list[list[dict]]:
    """The rows of files that run.py wrote, grouped by problem and number of threads."""
    groups: dict[tuple[str, str], list[dict]] = {}
    for file in files:
        for row in read(file):
            groups.setdefault((row["problem"], row["threads"]), []).append(row)
    order = list(SPECS)
    return [groups[key] for key in sorted(groups, key=lambda key: (order.index(key[0]), int(key[1])))]
