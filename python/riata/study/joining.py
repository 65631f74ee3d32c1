"""Joining files sample by sample: who is kept, who is dropped and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from os import fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import StrPath, TextTable, expand_names, quoted, read_list, some, to_number

Key = tuple[str, str]

#: What to say where a table may lie on its side.
TURN = "is --orient the other one (samples-rows, samples-columns)?"

#: Names of columns that make the first line of a list of samples a header.
_LIST_HEADER = frozenset({"fid", "iid", "sample", "sample_id", "sampleid"})


@dataclass
class JoinReport:
    """What became of the samples: how many there were, which were dropped and why, how many are analysed.

    `dropped` and `unmatched` are (reason, names); `lost` holds the ids (FID and IID, or one id) of each
    dropped sample with the reason.
    """

    source: str
    n_source: int
    dropped: list[tuple[str, list[str]]] = field(default_factory=list)
    lost: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
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

    def columns(self) -> list[tuple[str, list[str]]]:
        """Return the dropped samples as a table: their ids, and the reason."""
        names = ("FID", "IID") if self.lost and len(self.lost[0][0]) == 2 else ("ID",)
        ids = [(name, [sample[k] for sample, _ in self.lost]) for k, name in enumerate(names)]
        return [*ids, ("REASON", [why for _, why in self.lost])]

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
        FID; without it, or when it is 0 for all, samples are matched by `ids` alone.
    """

    def __init__(self, source: str, ids: Sequence[str], families: Sequence[str] | None = None) -> None:
        self.source = source
        self.ids = [str(name) for name in ids]
        self.families = None if families is None else [str(name) for name in families]
        self._paired = self.families is not None and any(name != "0" for name in self.families)
        self.use = np.ones(len(self.ids), dtype=bool)
        self.other_axis: frozenset[str] = frozenset()  # names of the columns of a table of samples in rows
        self.named: frozenset[str] = frozenset()  # columns that options name: no ids in other tables
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
            self.report.lost += [(self.key(int(i)), why) for i in gone]
            self.use &= keep

    def report_without(
        self, reasons: Sequence[tuple[str, NDArray[np.bool_]]], notes: list[str]
    ) -> JoinReport:
        """Return the report of those samples in use that no (why, mask) of `reasons` takes out."""
        of_all = self.report
        report = replace(
            of_all, dropped=list(of_all.dropped), lost=list(of_all.lost), notes=[*of_all.notes, *notes]
        )
        left = self.use.copy()
        for why, bad in reasons:
            gone = np.flatnonzero(left & bad)
            if len(gone):
                report.dropped.append((why, [self.label(int(i)) for i in gone]))
                report.lost += [(self.key(int(i)), why) for i in gone]
                left &= ~bad
        report.n_analysed = int(left.sum())
        return report

    def key(self, i: int) -> tuple[str, ...]:
        """Return the ids of sample `i`: FID and IID, or the only one it has."""
        return (self.ids[i],) if self.families is None else (self.families[i], self.ids[i])

    def label(self, i: int) -> str:
        """Name sample `i` for a message."""
        if self.families is None or self.families[i] in ("0", self.ids[i]):
            return self.ids[i]
        return f"{self.families[i]} {self.ids[i]}"

    def match(self, table: TextTable) -> tuple[NDArray[np.int64], list[str]]:
        """Return, for each sample, its row in `table` or -1, and the columns that are not ids.

        Samples that only the table knows are reported.
        """
        rows, data, unknown = self._match(table)
        here = (f"in {Path(table.path).name} only", unknown)
        if here not in self.report.unmatched:  # one file may hold phenotypes and covariates
            self.report.unmatched.append(here)
        return rows, data

    def rows(self, table: TextTable) -> NDArray[np.int64]:
        """Return, for each sample, its row in `table` or -1."""
        return self._match(table)[0]

    def _match(self, table: TextTable) -> tuple[NDArray[np.int64], list[str], list[str]]:
        keys, data = self._table_keys(table)
        twice = repeated(keys)
        if twice:
            line = table.lines[max(i for i, key in enumerate(keys) if key == twice[0])]
            alone = "" if data else "; there is no column beside these, which are taken for ids of samples"
            raise ValueError(
                f"{table.path}, line {line}: sample {_show(twice[0])} appears more than once{alone}"
            )
        row = {key: i for i, key in enumerate(keys)}
        if not keys:
            raise ValueError(f"{table.path}: no rows below the header")
        mine = self._keys(paired=isinstance(keys[0], tuple), path=table.path)
        rows = np.array([row.get(key, -1) for key in mine], dtype=np.int64)
        if (rows < 0).all():
            turned = sum(key in self.other_axis for key in keys) > len(keys) / 2
            raise ValueError(
                f"{table.path}: no sample of {self.source} is in it; ids look like "
                f"{some([_show(k) for k in keys], 2)} there, {some([_show(k) for k in mine], 2)} here"
                + (f"; its ids are what the columns of {self.source} are called: {TURN}" if turned else "")
            )
        known = set(mine)
        unknown = [_show(key) for key in keys if key not in known]
        return rows, data, unknown

    def listed(self, path: StrPath, flag: str) -> NDArray[np.bool_]:
        """Say which samples a list names: FID IID, or IID, a line, or columns of these names.

        Those that it names and the source lacks are reported.

        Raises
        ------
        ValueError
            When the list is empty, or names no sample there is.
        """
        name = fspath(path)
        header, rows = read_list(path, _LIST_HEADER)
        if not rows:
            raise ValueError(f"{name}: the list of {flag} is empty")
        family, sample = self._id_columns(name, header, rows)
        pairs = [(row[family], row[min(sample, len(row) - 1)]) for row in rows]
        no_families = all(fid == "0" for fid, _ in pairs)
        paired = family != sample and self._paired and not no_families
        if family != sample and no_families == self._paired:
            self._tell_by_iid(name, name if no_families else self.source)
        named: list[Any] = pairs if paired else [iid for _, iid in pairs]
        mine = self._keys(paired=paired, path=name)
        known, wanted = set(mine), set(named)
        if not known & wanted:
            raise ValueError(
                f"{name}: {flag} names no sample of {self.source}; ids look like "
                f"{some([_show(k) for k in named], 2)} there, {some([_show(k) for k in mine], 2)} here"
            )
        absent = [_show(key) for key in dict.fromkeys(named) if key not in known]
        self.report.unmatched.append((f"in {Path(name).name} ({flag}) only", absent))
        return np.array([key in wanted for key in mine], dtype=bool)

    def _tell_by_iid(self, path: str, without: str) -> None:
        if self.families is None:
            return  # a table of samples that have one name each
        note = (
            f"{Path(path).name}: samples are matched by IID alone, FID is 0 throughout {Path(without).name}"
        )
        if note not in self.report.notes:
            self.report.notes.append(note)

    def _id_columns(self, path: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[int, int]:
        """Return which columns of a list are FID and IID, the same where it has no FID."""
        if header:
            sample = next((k for k, name in enumerate(header) if name in _LIST_HEADER and name != "fid"), 0)
            return header.index("fid") if "fid" in header else sample, sample
        second = min(1, len(rows[0]) - 1)
        if self.families is not None or second == 0:
            return 0, second
        known = set(self.ids)  # of one name each: the list may be FID IID, or a name and more
        named = [any(row[min(k, len(row) - 1)] in known for row in rows) for k in (0, 1)]
        if all(named) and any(row[0] != row[min(1, len(row) - 1)] for row in rows):
            raise ValueError(
                f"{path}: names of samples are in both its columns; put a header above them, such as FID IID"
            )
        return (1, 1) if named[1] else (0, 0)

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
        if "IID" not in header and (self.families is not None or _is_data(table.header[1:])):
            raise ValueError(
                f"{table.path}: the first line must name the columns, FID and IID (or IID) first, but it "
                f"reads {quoted(' '.join(table.header))}; put a line such as 'FID IID height' above it"
            )
        i = header.index("IID") if "IID" in header else self._first_unnamed(table)
        if "FID" not in header or "IID" not in header:
            data = [name for k, name in enumerate(table.header) if k != i and name]
            return table.column(table.header[i]), data
        f = header.index("FID")
        data = [name for k, name in enumerate(table.header) if k not in (f, i) and name]
        families, ids = (table.column(table.header[k]) for k in (f, i))
        no_families = all(family == "0" for family in families)
        if no_families or not self._paired:
            if no_families == self._paired:  # only one of the two has families
                self._tell_by_iid(table.path, table.path if no_families else self.source)
            return ids, data
        return list(zip(families, ids, strict=True)), data

    def _first_unnamed(self, table: TextTable) -> int:
        """Return where the first column is that no option names; told where it is not the first of all."""
        named = set(expand_names(sorted(self.named), table.header, table.path))
        k = next((k for k, name in enumerate(table.header) if name not in named), 0)
        note = f"{Path(table.path).name}: sample ids from column {quoted(table.header[k])}"
        if k and note not in self.report.notes:
            self.report.notes.append(note)
        return k


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


def _is_data(cells: Sequence[str]) -> bool:
    """Say whether what should be names of columns are numbers."""
    try:
        return bool([to_number(cell) for cell in cells])
    except ValueError:
        return False
