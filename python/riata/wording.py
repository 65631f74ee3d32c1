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
