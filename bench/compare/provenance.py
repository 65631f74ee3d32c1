"""What a result needs to be believed: commit, machine, versions, date."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path

WRITTEN = ("bench/results", "bench/README.md", "README.md")  # by the runs themselves
FLAGS_WORTH_NAMING = ("avx2", "fma", "avx512f", "avx512_vnni")


def commit() -> str:
    """Short hash of the checkout, with + when tracked files other than those WRITTEN differ from it."""
    here = Path(__file__).resolve().parents[2]
    described = git(here, "describe", "--always", "--exclude=*")
    changed = git(here, "status", "--porcelain", "-uno", "--", ".", *(f":!{name}" for name in WRITTEN))
    return described + "+" * bool(changed) or "unknown"


def git(folder: Path, *command: str) -> str:
    """What git answers, or nothing where there is none."""
    asked = subprocess.run(["git", "-C", str(folder), *command], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def machine() -> str:
    """Processor, cores and the instruction sets that matter here."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()}, {os.cpu_count()} cores"
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    flags = [flag for flag in FLAGS_WORTH_NAMING if flag in fields.get("flags", "").split()]
    return f"{fields.get('model name', platform.machine())}, {os.cpu_count()} cores, {' '.join(flags)}"


def today() -> str:
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()
