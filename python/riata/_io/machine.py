"""What the machine has, and lets this process have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_LIMITS = (  # of control groups, of version 2 and 1: folder, file
    (Path("/sys/fs/cgroup"), "memory.max"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
)


def machine_memory(
    limits: tuple[tuple[Path, str], ...] = _LIMITS, process: Path = Path("/proc/self/cgroup")
) -> float:
    """Return the bytes of memory that this process may ever have, page cache included; inf if unknown."""
    there = float("inf")
    if hasattr(os, "sysconf"):
        there = float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    for file in _limit_files(limits, process):
        try:
            text = file.read_text().strip()
        except OSError:
            continue
        if text.isdigit():  # else "max"
            there = min(there, float(text))
    return there


def _limit_files(limits: tuple[tuple[Path, str], ...], process: Path) -> Iterator[Path]:
    """Files that may hold a limit: of the control groups of the process, and of those around them."""
    try:
        groups = {line.rstrip("\n").split(":", 2)[2] for line in process.read_text().splitlines()}
    except (OSError, IndexError):
        groups = set()
    for folder, name in limits:
        for group in sorted(groups | {"/"}):
            inside = Path(group.lstrip("/"))
            for part in (inside, *inside.parents):
                yield folder / part / name
