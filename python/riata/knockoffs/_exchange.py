"""What changes places together, kept beside a file of knockoffs: the file alone does not tell."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riata._io.output_files import write_tsv

Labels = NDArray[np.int64]
Flags = NDArray[np.bool_]

ENDING = "exchange.tsv"
_HEADER = ["FEATURE", "GROUP", "FIXED"]
_WORDS = ("no", "yes")


def exchange_file(name: str | os.PathLike[str]) -> Path:
    """Return where the groups of the knockoffs in a file are kept."""
    return Path(f"{os.path.splitext(os.fspath(name))[0]}.{ENDING}")


def write_exchange(path: Path, names: Sequence[str], labels: Labels | None, fixed: Flags) -> None:
    """Write the group of each feature, ``NA`` by itself, and whether it is its own knockoff."""
    groups = np.full(len(names), -1) if labels is None else labels
    columns = [list(names), [k if k >= 0 else "NA" for k in groups.tolist()], [_WORDS[k] for k in fixed * 1]]
    write_tsv(path, list(zip(_HEADER, columns, strict=True)))


def read_exchange(path: Path, names: Sequence[str]) -> tuple[Labels | None, Flags]:
    """Read what `write_exchange` wrote beside a file that holds the features of these names.

    Raises
    ------
    ValueError
        When it is damaged, or of other features.
    """
    header, *rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()] or [[]]
    if header != _HEADER or any(len(row) != len(_HEADER) for row in rows):
        raise ValueError(f"{path}: must have the columns {', '.join(_HEADER)}")
    for number, (name, group, word) in enumerate(rows, start=2):
        if word not in _WORDS or not (group == "NA" or group.isdecimal()):
            raise ValueError(
                f"{path}, line {number}: feature {name} must have a number or NA for its group, and yes or "
                f"no, got {group} and {word}"
            )
    if [row[0] for row in rows] != [_told(name) for name in names]:
        raise ValueError(
            f"{path}: must tell of the {len(names):,} features of the knockoffs beside it, in their order: "
            "it is of others; remove it if the knockoffs are of single features"
        )
    labels = np.array([-1 if group == "NA" else int(group) for _, group, _ in rows], dtype=np.int64)
    return (labels if (labels >= 0).any() else None), np.array(
        [word == "yes" for *_, word in rows], dtype=bool
    )


def parted(labels: Labels, items: Labels, of: Flags) -> tuple[int, int] | None:
    """Return two features `of` one group of `labels` that are of different `items`, None without such."""
    inside = np.flatnonzero((labels >= 0) & of)
    label, item = labels[inside], items[inside]
    _, first, number = np.unique(label, return_index=True, return_inverse=True)
    apart = np.flatnonzero(item != item[first[number]])
    if len(apart) == 0:
        return None
    b = int(apart[0])
    return int(inside[first[number[b]]]), int(inside[b])


def _told(name: str) -> str:
    """A name as a cell of a table has it."""
    return str(name).replace("\t", " ").replace("\r", " ").replace("\n", " ")
