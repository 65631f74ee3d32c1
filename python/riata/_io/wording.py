"""Counts with their nouns, for what people read."""

from __future__ import annotations


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """Write a number with its noun: ``1 feature``, ``1,204 features``.

    Parameters
    ----------
    n : int
    noun : str
        One of them.
    plural : str, optional
        Several of them, by default with an s.
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def counted_of(n: int, plural: str) -> str:
    """Write a number with a noun that is known in the plural, such as ``variants``."""
    return counted(n, plural.removesuffix("s"), plural)


def agree(n: int, one: str, several: str) -> str:
    """Return the word that goes with so many."""
    return one if n == 1 else several
