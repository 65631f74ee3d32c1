"""From rows (one a package and tolerance setting) to seconds at equal suboptimality."""

from __future__ import annotations

from collections.abc import Iterable

TARGETS = (1e-4, 1e-6, 1e-8)
CV_TARGETS = (1e-2, 1e-3, 1e-4)  # their square roots: held-out errors follow coefficients, not objectives

YARDSTICKS = ("curve_error", "violation", "suboptimality")


def targets(cross_validated: bool) -> tuple[float, ...]:
    return CV_TARGETS if cross_validated else TARGETS


def targets_of(rows: list[dict]) -> tuple[float, ...]:
    return targets(int(rows[0].get("cv") or 0) > 0)


def error(row: dict) -> float:
    """The yardstick of a finished row: the one of these that its problem has."""
    return next(float(row[name]) for name in YARDSTICKS if row.get(name) not in (None, ""))


def fastest(rows: Iterable[dict], target: float) -> dict | None:
    """The fastest setting whose yardstick is within target at every alpha, or None."""
    reached = [row for row in rows if row["status"] == "ok" and error(row) <= target]
    return min(reached, key=lambda row: float(row["seconds"]), default=None)


def by_package(rows: Iterable[dict]) -> dict[str, list[dict]]:
    grouped: dict[str, list[dict]] = {}
    for row in rows:
        grouped.setdefault(row["package"], []).append(row)
    return grouped


def report(rows: list[dict]) -> str:
    """Plain-text lines for the terminal: one a package, seconds at each target, ratio to riata."""
    packages = by_package(rows)
    goals = targets_of(rows) if rows else TARGETS
    ours = {target: fastest(packages.get("riata", []), target) for target in goals}
    lines = []
    for package, settings in packages.items():
        cells = []
        for target in goals:
            best = fastest(settings, target)
            if best is None:
                cells.append("not reached")
                continue
            ratio = ""
            if package != "riata" and ours[target] is not None:
                ratio = f" ({float(best['seconds']) / float(ours[target]['seconds']):.1f}x)"
            cells.append(f"{float(best['seconds']):.3g} s{ratio}")
        failed = "; ".join(sorted({row["status"] for row in settings if row["status"] != "ok"}))
        lines.append(
            f"  {package:8s}" + "".join(f"{cell:>20s}" for cell in cells) + (f"  {failed}" if failed else "")
        )
    head = "  " + " " * 8 + "".join(f"{f'<= {target:.0e}':>20s}" for target in goals)
    return "\n".join([head, *lines])
