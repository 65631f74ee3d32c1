"""Groups of features from a file: gene sets (GMT), or a feature and its group a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riata.tables import StrPath, some
from riata.text_columns import TextColumn, plain_column
from riata.text_files import find_layout, is_comment, numbered_lines, split_cells


@dataclass(frozen=True)
class FeatureGroups:
    """Groups of the features of a study.

    Attributes
    ----------
    path : str
    members : dict of str to (k,) arrays
        For each group that has any, the positions of its features.
    absent : list of str
        Groups of the file without a feature in the data.
    n_alone : int
        Features of no group.
    n_unknown : int
        Features of the file that are not in the data.
    """

    path: str
    members: dict[str, NDArray[np.int64]]
    absent: list[str]
    n_alone: int
    n_unknown: int = 0

    def lines(self, noun: str) -> list[str]:
        """Return what was read, for the terminal."""
        sizes = sorted({len(rows) for rows in self.members.values()})
        range_ = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
        lines = [f"  {len(self.members):,} groups of {range_} {noun} from {self.path}"]
        if self.n_alone:
            lines.append(f"  {self.n_alone:,} {noun} in no group: each is a group of its own")
        if self.n_unknown:
            lines.append(f"  {self.n_unknown:,} {noun} of {self.path} are not here")
        if self.absent:
            lines.append(f"  groups without {noun} here: {len(self.absent):,}, {some(self.absent)}")
        return lines


def read_groups(path: StrPath) -> dict[str, list[str]]:
    """Read the features of each group.

    A name that ends in ``.gmt`` (also ``.gmt.gz``) means gene sets, one a line: name, description, genes,
    with tabs between. Other files have two columns, feature and group; the first line may be a header.

    Raises
    ------
    OSError, ValueError
        When the file cannot be read or a line is something else; the message names it.
    """
    name = str(path)
    sets = name.removesuffix(".gz").lower().endswith(".gmt")
    groups: dict[str, list[str]] = {}
    lines = list(dropwhile(lambda item: is_comment(item[1]), numbered_lines(path)))
    delimiter: str | None = "\t"
    if not sets and lines:
        delimiter = find_layout(path, lines[0][1], [line for _, line in lines[1:50]], name).delimiter
    for number, line in lines:
        cells = split_cells(line, delimiter, f"{name}, line {number}")
        while cells and not cells[-1]:
            cells.pop()
        if sets:
            if len(cells) < 3 or not cells[0]:
                raise ValueError(
                    f"{name}, line {number}: expected a gene set: name, description and genes, with tabs "
                    f"between, got {len(cells)} columns"
                )
            if cells[0] in groups:
                raise ValueError(f"{name}, line {number}: gene set {cells[0]} stands in an earlier line")
            groups[cells[0]] = [cell for cell in cells[2:] if cell]
        elif len(cells) != 2 or not all(cells):
            raise ValueError(
                f"{name}, line {number}: expected a feature and its group, got {len(cells)} columns; "
                "gene sets are read from a file whose name ends in .gmt"
            )
        else:
            groups.setdefault(cells[1], []).append(cells[0])
    if not groups:
        raise ValueError(f"{name}: no groups in it")
    return groups


def find_groups(
    path: StrPath, features: TextColumn | Sequence[str] | NDArray[np.str_], noun: str
) -> FeatureGroups:
    """Read groups and find their features by name; a name that several features share means them all.

    Raises
    ------
    OSError, ValueError
        As `read_groups` does, when no feature is found, and when one is in two groups.
    """
    groups = read_groups(path)
    listed: dict[str, str] = {}  # the group of each feature of the file
    twice: dict[str, tuple[str, str]] = {}
    for label, members in groups.items():
        for feature in members:
            other = listed.setdefault(feature, label)
            if other != label:
                twice.setdefault(feature, (other, label))
    column = features if isinstance(features, TextColumn) else plain_column([str(name) for name in features])
    wanted = list(listed)
    match = column.match(wanted)
    found = [wanted[k] for k in np.unique(match[match >= 0])]
    if not found:
        raise ValueError(
            f"{path}: none of its {len(wanted):,} features is among the {len(column):,} {noun}: it has "
            f"{some(wanted, 3)}, the data {some(column[:3].tolist(), 3)}"
        )
    overlap = [name for name in found if name in twice]
    if overlap:
        a, b = twice[overlap[0]]
        more = f" (one of {len(overlap):,} such {noun})" if len(overlap) > 1 else ""
        raise ValueError(
            f"{path}: {overlap[0]} is in both {a} and {b}{more}; groups must not overlap: leave it in one"
        )
    order = {label: k for k, label in enumerate(groups)}
    number = np.full(len(column), -1, dtype=np.int64)
    number[match >= 0] = np.array([order[listed[name]] for name in wanted], dtype=np.int64)[match[match >= 0]]
    rows = np.argsort(number, kind="stable")
    parts = np.searchsorted(number[rows], np.arange(len(order) + 1))
    taken = {label: rows[parts[k] : parts[k + 1]] for label, k in order.items() if parts[k + 1] > parts[k]}
    absent = [label for label in groups if label not in taken]
    n_unknown = len(wanted) - len(found)
    if absent[:1] == [next(iter(groups))] and _is_header(groups[absent[0]], path):
        del absent[0]
        n_unknown -= 1
    return FeatureGroups(str(path), taken, absent, int(np.count_nonzero(number < 0)), n_unknown)


def _is_header(members: list[str], path: StrPath) -> bool:
    """Whether the first group of a file, which has no feature in the data, is the header of two columns."""
    return len(members) == 1 and ".gmt" not in Path(path).suffixes
