"""How many alphas one pass over X may certify: more than one where X does not fit into memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from riata import _core

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Alphas solved ahead at most, where a pass reads X from a disk.
FROM_DISK = 16
KEPT_OF_A_COLUMN = 97.0  # bytes, by a fit of one problem at least
ALWAYS_FITS = 2.0**25  # bytes of X for which the machine is not asked, as that takes longer than small fits
_LIMITS = (  # of control groups, of version 2 and 1: folder, file
    (Path("/sys/fs/cgroup"), "memory.max"),
    (Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
)


def alphas_per_pass_for(X: _core.Design) -> int:
    """Return how many alphas a pass may certify where nothing is asked for.

    One, unless X and what a fit keeps beside it do not fit into memory, so that X can only lie on a disk. It
    depends on the machine and not on what else runs there: a fit has the same bits when it is made again.
    """
    if X.hosted or X.nbytes < ALWAYS_FITS:
        return 1
    return FROM_DISK if X.nbytes + KEPT_OF_A_COLUMN * X.shape[1] > machine_memory() else 1


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
