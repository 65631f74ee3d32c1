"""Columns that say which samples are held out together: families, given folds, times."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.missing_codes import MissingCodes
from riata._io.option_names import flag_of
from riata._io.tables import TextTable, quoted, some, to_numbers
from riata.study.joining import Joiner
from riata.study.options import FOLD_OPTIONS

_DATE = re.compile(
    r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?Z?)?"
)
_PART_OF_YEAR = re.compile(r"(\d{4})[-: ]?([QMW])(\d{1,2})", re.IGNORECASE)


@dataclass(frozen=True)
class FoldColumn:
    """A column of labels, one per sample, and the option (of `FOLD_OPTIONS`) that names it."""

    option: str
    name: str
    labels: NDArray[Any]

    def of(self, rows: NDArray[np.int64]) -> FoldColumn:
        """Return that of some samples."""
        return FoldColumn(self.option, self.name, self.labels[rows])


class SampleColumns:
    """Columns with one value per sample, wherever they are.

    Parameters
    ----------
    joiner : Joiner
    tables : sequence of (TextTable or None)
        Looked through in order: the phenotype file, the covariate file.
    taken : dict of str to columns
        Taken from the table of ``--matrix``: looked at first.
    beside : dict of str to columns
        What comes with the samples of genotypes: looked at last.
    others : sequence of str
        Other columns of the table of ``--matrix``, to name in messages.
    """

    def __init__(
        self,
        joiner: Joiner,
        tables: Sequence[TextTable | None],
        taken: Mapping[str, Sequence[str]],
        beside: Mapping[str, Sequence[str]],
        others: Sequence[str] = (),
    ) -> None:
        self.joiner, self.taken, self.beside, self.others = joiner, taken, beside, others
        self.tables = [table for table in tables if table is not None]

    def cells(self, name: str, flag: str) -> tuple[list[str], str]:
        """Return a column, NA for samples without a row, and the file that it is of.

        Raises
        ------
        ValueError
            When no file has it, listing what they have.
        """
        source = self.joiner.source
        families = self.joiner.families
        if name in self.taken:
            return list(self.taken[name]), source
        if families is not None and name.lstrip("#").upper() == "FID":
            pairs = zip(families, self.joiner.ids, strict=True)
            return [f"0 {iid}" if fid == "0" else fid for fid, iid in pairs], source  # 0 is no family
        for table in self.tables:
            if name in table.header:
                column = table.column(name)
                return [column[i] if i >= 0 else "NA" for i in self.joiner.rows(table)], table.path
        if name in self.beside:
            return list(self.beside[name]), source
        there = [f"{table.path} has {some(table.header)}" for table in self.tables]
        mine = [*(["FID"] if families is not None else []), *self.beside, *self.others]
        there += [f"{source} has {some(mine)}"] if mine else []
        raise ValueError(f"{flag}: no column {quoted(name)}; {'; '.join(there) or 'give --pheno or --covar'}")


def read_fold_column(
    columns: SampleColumns, options: Any, missing_code: str | None = None
) -> FoldColumn | None:
    """Read the column that folds go by; samples without a label are dropped. None where no option names one.

    Raises
    ------
    ValueError
        When the column is absent, or should tell times and does not.
    """
    option = next((item for item in FOLD_OPTIONS if getattr(options, item) is not None), None)
    return None if option is None else read_labels(columns, option, getattr(options, option), missing_code)


def read_labels(
    columns: SampleColumns, option: str, name: str, missing_code: str | None = None
) -> FoldColumn:
    """Read the column of labels, or of times, that an option names: see `read_fold_column`."""
    flag = flag_of(option)
    cells, path = columns.cells(name, flag)
    cells = [cell.strip() for cell in cells]
    missing = MissingCodes.parse(missing_code).for_measurements().split(cells)[1]
    known = [cell for cell, gone in zip(cells, missing, strict=True) if not gone]
    where = f"{path}: {flag} {name}"
    read = read_times(known, where) if option == "time_order" else _labels(known)
    labels = np.zeros(len(cells), dtype=read.dtype)
    labels[~missing] = read
    columns.joiner.drop(~missing, f"{name} ({flag}) missing")
    return FoldColumn(option, name, labels)


def _labels(cells: Sequence[str]) -> NDArray[Any]:
    """Return labels, as numbers where all are."""
    numbers = to_numbers(cells)
    return np.array(cells, dtype=np.str_) if np.isnan(numbers).any() else numbers


def read_times(cells: Sequence[str], where: str) -> NDArray[np.float64]:
    """Return times as numbers in their order: numbers as they are, dates as seconds.

    Dates begin with the year: 1999, 1999-04, 1999-04-03, 1999-04-03 12:30, 1999Q2, 1999M04, 1999W14.

    Raises
    ------
    ValueError
        When a cell is neither; the message begins with `where`.
    """
    numbers = to_numbers(cells)
    if not np.isnan(numbers).any():
        return numbers
    out = np.empty(len(cells))
    for i, cell in enumerate(cells):
        seconds = seconds_of(cell)
        if seconds is None:
            raise ValueError(
                f"{where} must hold numbers, or dates that begin with the year such as 1999-04-03 or 1999Q2, "
                f"got {quoted(cell)}"
            )
        out[i] = seconds
    return out


def seconds_of(cell: str) -> float | None:
    """Return the seconds up to a date, None where a cell is none."""
    found = _DATE.fullmatch(cell)
    try:
        if found is not None:
            year, month, day, hour, minute = (int(part or 0) for part in found.groups()[:5])
            when = datetime.datetime(year, month or 1, day or 1, hour, minute)
            return when.toordinal() * 86400.0 + hour * 3600.0 + minute * 60.0 + float(found[6] or 0.0)
        found = _PART_OF_YEAR.fullmatch(cell)
        if found is None:
            return None
        year, kind, number = int(found[1]), found[2].upper(), int(found[3])
        if kind == "W":
            return datetime.date.fromisocalendar(year, number, 1).toordinal() * 86400.0
        month = number if kind == "M" else 3 * number - 2
        return datetime.date(year, month, 1).toordinal() * 86400.0
    except ValueError:  # a month 13, and the like
        return None
