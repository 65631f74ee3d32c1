"""Cells that mean missing: NA and its like, and codes such as the -9 of PLINK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import is_missing, to_number, to_numbers
from riata._io.wording import counted

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class MissingCodes:
    """Cells that mean missing beside NA.

    Attributes
    ----------
    codes : tuple of str
        Compared as numbers where they are, else without case.
    chosen : bool
        Whether the user named them; else they are the -9 of PLINK.
    zero_counts : bool
        Whether a code 0 applies: it marks a missing class, as in phenotypes coded 1 and 2, but is a value
        among measurements.
    """

    codes: tuple[str, ...] = ("-9",)
    chosen: bool = False
    zero_counts: bool = True

    @classmethod
    def parse(cls, text: str | None) -> MissingCodes:
        """Read the value of ``--missing-code``: codes between commas, None for -9."""
        if text is None:
            return cls()
        return cls(tuple(code.strip() for code in text.split(",")), chosen=True)

    def for_measurements(self) -> MissingCodes:
        """Return the codes of a column in which 0 is a value: covariates, times, offsets, strata."""
        return replace(self, zero_counts=False)

    def numbers(self) -> list[float]:
        """Return the codes that are numbers."""
        return [number for code in self.codes for number in [_number(code)] if number is not None]

    def _find(self, cells: Sequence[str], values: NDArray[np.float64]) -> Mask:
        words = {code.lower() for code in self.codes if _number(code) is None}
        hidden = np.isin(values, [number for number in self.numbers() if self.zero_counts or number != 0.0])
        for i in np.flatnonzero(np.isnan(values)).tolist() if words else ():
            hidden[i] = cells[i].lower() in words
        return hidden

    def split(self, cells: Sequence[str], values: NDArray[np.float64] | None = None) -> tuple[Mask, Mask]:
        """Say which cells are one of the codes, and which are that or spell a missing value.

        `values` are what `riata._io.tables.to_numbers` makes of the cells, where that is known.
        """
        if values is None:
            values = to_numbers(cells)
        hidden = self._find(cells, values)
        missing = hidden.copy()
        for i in np.flatnonzero(np.isnan(values)).tolist():
            missing[i] |= is_missing(cells[i])
        return hidden, missing

    def note(self, hidden: Mask, values: NDArray[np.float64] | None = None) -> str:
        """Return what is to be told of a column; empty when there is nothing.

        Parameters
        ----------
        hidden : (n,) array of bool
            Which cells are one of the codes.
        values : (n,) array, optional
            The other cells as numbers, NaN where missing, of a measurement: among values below zero -9 may
            have been meant as one, and codes of one's own leave -9 a number.
        """
        told = []
        if hidden.any():
            codes = [code for code in self.codes if self.zero_counts or _number(code) != 0.0]
            told = [f"{' or '.join(codes)} counts as missing ({counted(int(hidden.sum()), 'sample')})"]
        if values is not None and not self.chosen and told:
            smallest = float(np.nanmin(values, initial=0.0))
            if smallest < 0.0:
                told[0] += (
                    f" though others are negative ({smallest:g}): --missing-code NA keeps -9 as a number"
                )
        if values is not None and self.chosen and any(_number(code) is not None for code in self.codes):
            kept = int(np.count_nonzero(values == -9.0))
            if kept:
                told.append(f"-9 is a number ({counted(kept, 'sample')}): --missing-code leaves it out")
        return "; ".join(told)


def same_cell(cell: str, code: str) -> bool:
    """Say whether two cells are the same text or the same number."""
    number = _number(cell)
    return cell == code or (number is not None and number == _number(code))


def _number(cell: str) -> float | None:
    try:
        return to_number(cell)
    except ValueError:
        return None
