"""Options of the command line as they are typed."""

from __future__ import annotations

from typing import Any

#: Those whose names in the code are others.
_FLAGS = {"positive": "--case", "chrom": "--chr"}


def flag_of(name: str) -> str:
    """Return an option as it is typed."""
    return _FLAGS.get(name, f"--{name.replace('_', '-')}")


def shown(value: Any) -> str:
    """Return the value of an option as it is typed; empty where it was not given."""
    if value is None or value is False or value == ():
        return ""
    if isinstance(value, (list, tuple)):
        return ",".join(str(item) for item in value)
    return "given" if value is True else f"{value:.15g}" if isinstance(value, float) else str(value)
