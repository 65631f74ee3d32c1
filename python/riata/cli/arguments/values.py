"""What values of options may be: each function parses one kind, or says what was expected."""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Iterator


class LibraryNames:
    """A name that a table of the library holds, which is imported when one is given, and not for its help."""

    def __init__(self, module: str, table: str) -> None:
        self.module, self.table = module, table

    def __call__(self, text: str) -> str:
        return text

    def __iter__(self) -> Iterator[str]:
        found = getattr(importlib.import_module(self.module), self.table)
        rows = found.values() if isinstance(found, dict) else [found]
        return iter(dict.fromkeys(name for row in rows for name in row))


def _number(text: str) -> float:
    """Parse a number in ASCII, without the underscores that Python alone takes."""
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return float(text)


def real(text: str) -> float:
    try:
        return _number(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, got {text!r}") from None


def whole(text: str) -> int:
    if not re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}")
    return int(text)


def patience(text: str) -> int:
    """Parse a number of alphas; 0 for "off"."""
    if text == "off":
        return 0
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number >= 1, or off, got {text!r}")
    return int(text)


def share(text: str) -> float:
    """Parse a number in [0, 1]."""
    try:
        value = _number(text)
    except ValueError:
        value = float("nan")
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"must lie in [0, 1], got {text}")
    return value


def share_or_none(text: str) -> float:
    """Parse a number in [0, 1]; 0 for "none"."""
    return 0.0 if text == "none" else share(text)


def shares_or_none(text: str) -> tuple[float, ...]:
    """Parse numbers in [0, 1] with commas between them; 0 for "none"."""
    found = tuple(share_or_none(part.strip()) for part in text.split(","))
    if len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"expected distinct numbers, got {text!r}")
    if len(found) > 1 and 0.0 in found:
        raise argparse.ArgumentTypeError(f"must lie in (0, 1] where there are several, got {text!r}")
    return found


def open_share(text: str) -> float:
    """Parse a number in (0, 1)."""
    try:
        value = _number(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, got {text}")
    return value


def solver(text: str) -> str:
    """Return the word for an inner solver; "homotopy" is an earlier one of "active-set"."""
    return "active-set" if text in ("homotopy", "active_set") else text


def zero_or_one(text: str) -> int:
    if text not in ("0", "1"):
        raise argparse.ArgumentTypeError(f"must be 0 or 1, got {text!r}")
    return int(text)


def names_of(text: str) -> tuple[str, ...]:
    from riata._io.tables import split_names

    try:
        names = tuple(split_names(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if not names:
        raise argparse.ArgumentTypeError(f"expected names separated by commas, got {text!r}")
    return names


def build(text: str) -> str:
    from riata.study.weights import check_build

    try:
        return check_build(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def count(text: str) -> int:
    value = int(text) if re.fullmatch(r"[-+]?[0-9]{1,18}", text) else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return value


def positive(text: str) -> float:
    try:
        value = _number(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def not_negative(text: str) -> float:
    try:
        value = _number(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, got {text!r}")
    return value


def memory(text: str) -> str:
    from riata._input.validation import check_memory

    try:
        check_memory(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a size such as 800M or 4G, got {text!r}") from None
    return text


def alphas(text: str) -> int | list[float]:
    if "," in text or "." in text or "e" in text.lower():
        return [not_negative(part) for part in text.split(",") if part.strip()]
    return count(text)
