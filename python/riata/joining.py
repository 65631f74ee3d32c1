"""Joining files sample by sample: who is kept, who is dropped and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from os import fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.tables import StrPath, TextTable, read_list, some

Key = tuple[str, str]


@dataclass
class JoinReport:
    """What became of the samples: how many there were, which were dropped and why, how many are analysed."""

    source: str
    n_source: int
    dropped: list[tuple[str, list[str]]] = field(default_factory=list)
    unmatched: list[tuple[str, list[str]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    n_analysed: int = 0

    def rows(self) -> list[tuple[str, int, str]]:
        """Return (what, count, examples) for each line of the report."""
        rows = [(f"samples in {self.source}", self.n_source, "")]
        rows += [(f"dropped: {why}", len(names), some(names, 3)) for why, names in self.dropped if names]
        rows.append(("analysed", self.n_analysed, ""))
        rows += [(f"ignored: {what}", len(names), some(names, 3)) for what, names in self.unmatched if names]
        return rows

    def lines(self) -> list[str]:
        """Return the report as aligned text."""
        rows = self.rows()
        width = max(len(what) for what, _, _ in rows)
        lines = [f"  {what:<{width}}  {n:>9,}" + (f"   {shown}" if shown else "") for what, n, shown in rows]
        return lines + [f"  note: {note}" for note in self.notes]


class Joiner:
    """Samples of one source, and which of them every other file knows.

    Parameters
    ----------
    source : str
        The file the samples come from.
    ids : sequence of str
        IID, or the sample name of a table.
    families : sequence of str, optional
        FID; without it samples are matched by `ids` alone.
    """

    def __init__(self, source: str, ids: Sequence[str], families: Sequence[str] | None = None) -> None:
        self.source = source
        self.ids = [str(name) for name in ids]
        self.families = None if families is None else [str(name) for name in families]
        self.use = np.ones(len(self.ids), dtype=bool)
        self.report = JoinReport(Path(source).name, len(self.ids))
        keys = self.ids if self.families is None else list(zip(self.families, self.ids, strict=True))
        twice = repeated(keys)
        if twice:
            raise ValueError(
                f"{source}: samples must be distinct, repeated: {some([_show(k) for k in twice])}"
            )

    def drop(self, keep: NDArray[np.bool_], why: str) -> None:
        """Drop the samples in use for which `keep` is false, and report them under `why`."""
        gone = np.flatnonzero(self.use & ~keep)
        if len(gone):
            self.report.dropped.append((why, [self.label(int(i)) for i in gone]))
            self.use &= keep

    def label(self, i: int) -> str:
        """Name sample `i` for a message."""
        if self.families is None or self.families[i] in ("0", self.ids[i]):
            return self.ids[i]
        return f"{self.families[i]} {self.ids[i]}"

    def match(self, table: TextTable) -> tuple[NDArray[np.int64], list[str]]:
        """Return, for each sample, its row in `table` or -1, and the columns that are not ids."""
        keys, data = self._table_keys(table)
        twice = repeated(keys)
        if twice:
            line = table.lines[max(i for i, key in enumerate(keys) if key == twice[0])]
            raise ValueError(f"{table.path}, line {line}: sample {_show(twice[0])} appears more than once")
        row = {key: i for i, key in enumerate(keys)}
        mine = self._keys(paired=bool(keys) and isinstance(keys[0], tuple), path=table.path)
        rows = np.array([row.get(key, -1) for key in mine], dtype=np.int64)
        if (rows < 0).all():
            raise ValueError(
                f"{table.path}: no sample of {self.source} is in it; ids look like "
                f"{some([_show(k) for k in keys], 2)} there, {some([_show(k) for k in mine], 2)} here"
            )
        known = set(mine)
        unknown = [_show(key) for key in keys if key not in known]
        self.report.unmatched.append((f"in {Path(table.path).name} only", unknown))
        return rows, data

    def listed(self, path: StrPath) -> NDArray[np.bool_]:
        """Say which samples a list file (FID IID, or IID, a line) names."""
        fields = read_list(path)
        if fields and fields[0][0].upper() in ("#FID", "FID", "#IID", "IID"):
            fields = fields[1:]
        if not fields:
            raise ValueError(f"{fspath(path)}: the list is empty")
        paired = self.families is not None and len(fields[0]) > 1
        named: set[Any] = {(row[0], row[1]) if paired and len(row) > 1 else row[0] for row in fields}
        mine = self._keys(paired=paired, path=fspath(path))
        return np.array([key in named for key in mine], dtype=bool)

    def finish(self) -> NDArray[np.int64]:
        """Return the rows in use, and count them in the report; ValueError says why none is left."""
        rows = np.flatnonzero(self.use).astype(np.int64)
        self.report.n_analysed = len(rows)
        if len(rows) == 0:
            why = "; ".join(f"{len(names):,} {reason}" for reason, names in self.report.dropped)
            raise ValueError(f"no sample is left of {self.report.n_source:,}: {why}")
        return rows

    def _keys(self, *, paired: bool, path: str) -> Sequence[Key | str]:
        if paired and self.families is not None:
            return list(zip(self.families, self.ids, strict=True))
        if self.families is not None:
            twice = repeated(self.ids)
            if twice:
                raise ValueError(
                    f"{path}: needs FID and IID, since IID {twice[0]} appears twice in {self.source}"
                )
        return self.ids

    def _table_keys(self, table: TextTable) -> tuple[list[Any], list[str]]:
        header = [name.lstrip("#").upper() for name in table.header]
        if "FID" in header and "IID" in header:
            f, i = header.index("FID"), header.index("IID")
            data = [name for k, name in enumerate(table.header) if k not in (f, i)]
            if self.families is None:
                return [row[i] for row in table.rows], data
            return [(row[f], row[i]) for row in table.rows], data
        if "IID" in header:
            i = header.index("IID")
        elif self.families is None:
            i = 0
        else:
            raise ValueError(
                f"{table.path}: the first line must name the columns and start with FID IID (or IID), got "
                f"{some(table.header, 3)}"
            )
        return [row[i] for row in table.rows], [name for k, name in enumerate(table.header) if k != i]


def repeated(keys: Iterable[Any]) -> list[Any]:
    """Return the keys met before, in order."""
    seen: set[Any] = set()
    twice: list[Any] = []
    for key in keys:
        if key in seen:
            twice.append(key)
        seen.add(key)
    return twice


def _show(key: Any) -> str:
    return " ".join(key) if isinstance(key, tuple) else str(key)
