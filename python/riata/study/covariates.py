"""Covariates as columns: numbers as they are, classes as one indicator per level but the most frequent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.missing_codes import MissingCodes
from riata._io.tables import TextTable, expand_names, no_number, quoted, some, to_numbers
from riata.study.joining import Joiner, repeated

Float = NDArray[np.float64]

#: More levels than this make a covariate an identifier, not a class.
MAX_LEVELS = 100


@dataclass(frozen=True)
class Coding:
    """How one column of a covariate file becomes columns of the design.

    `levels` is None for numbers. Of a class it holds the levels that have an indicator, in order, named
    ``column=level``; all of them are 0 for `reference`.
    """

    name: str
    levels: tuple[str, ...] | None = None
    reference: str | None = None

    @property
    def columns(self) -> list[str]:
        """Names of the columns made."""
        return [self.name] if self.levels is None else [f"{self.name}={level}" for level in self.levels]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as kept with a model."""
        levels = None if self.levels is None else list(self.levels)
        return {"name": self.name, "levels": levels, "reference": self.reference}

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Coding:
        """Read what `to_dict` wrote."""
        levels = kept["levels"]
        return cls(kept["name"], None if levels is None else tuple(levels), kept["reference"])


class Covariates:
    """Covariates of every sample of a source; those that lack one have been dropped from the join.

    Attributes
    ----------
    names : list of str
        Columns of the file.
    """

    def __init__(
        self, path: str, names: Sequence[str], cells: Sequence[Float | list[str]], place: Callable[[int], str]
    ) -> None:
        self.path, self.names = path, list(names)
        self._cells, self._place = cells, place

    @classmethod
    def none(cls) -> Covariates:
        """Return no covariates."""
        return cls("", [], [], str)

    def codings(self, rows: NDArray[np.int64]) -> list[Coding]:
        """Choose the levels by samples `rows`: the most frequent is the reference, by name among equals.

        Raises
        ------
        ValueError
            When a class has more than 100 levels.
        """
        return [self._coding(name, cells, rows) for name, cells in zip(self.names, self._cells, strict=True)]

    def columns(self, codings: Sequence[Coding], rows: NDArray[np.int64]) -> Float:
        """Return the columns of `codings` for samples `rows`.

        Raises
        ------
        ValueError
            When a sample has a level that is neither coded nor the reference, or text stands for a number.
        """
        blocks = [np.empty((len(rows), 0))]
        for coding in codings:
            cells = self._cells[self.names.index(coding.name)]
            if isinstance(cells, np.ndarray):
                blocks.append(cells[rows][:, None])
            else:
                blocks.append(self._indicators(coding, cells, rows))
        return np.ascontiguousarray(np.hstack(blocks))

    def _coding(self, name: str, cells: Float | list[str], rows: NDArray[np.int64]) -> Coding:
        if isinstance(cells, np.ndarray):
            return Coding(name)
        count = Counter(cells[i] for i in rows)
        if len(count) > MAX_LEVELS:
            raise ValueError(
                f"{self.path}: covariate {name} has {len(count):,} levels among {len(rows):,} samples; "
                f"at most {MAX_LEVELS} become indicators: leave it out with --covar-name, or merge levels"
            )
        reference = min(count, key=lambda level: (-count[level], level))
        return Coding(name, tuple(sorted(level for level in count if level != reference)), reference)

    def _indicators(self, coding: Coding, cells: list[str], rows: NDArray[np.int64]) -> Float:
        levels = coding.levels or ()
        place = {level: k for k, level in enumerate(levels)}
        out = np.zeros((len(rows), len(levels)))
        for i, row in enumerate(rows):
            k = place.get(cells[row])
            if k is not None:
                out[i, k] = 1.0
            elif cells[row] != coding.reference:
                known = sorted([*levels, str(coding.reference)])
                raise ValueError(
                    f"{self._place(int(row))}: covariate {coding.name} is {quoted(cells[row])}, "
                    f"a level the model was not fitted to; it knows {some(known)}"
                )
        return out


def read_covariates(
    joiner: Joiner,
    table: TextTable | None,
    *,
    chosen: Sequence[str] | None = None,
    classes: Sequence[str] = (),
    beside: Sequence[str] = (),
    codings: Sequence[Coding] | None = None,
    missing_code: str | None = None,
) -> Covariates:
    """Match covariates to the samples of `joiner`, and drop the samples that lack one.

    Parameters
    ----------
    joiner : Joiner
    table : TextTable or None
    chosen : sequence of str, optional
        Columns to take; default all but those in `beside`.
    classes : sequence of str
        Columns whose numbers are labels; those that hold no number at all are classes anyway.
    beside : sequence of str
        Columns that are no covariates.
    codings : sequence of Coding, optional
        Take the columns a model was fitted to, coded as there, instead of `chosen` and `classes`.
    missing_code : str, optional
        Cells that mean missing beside NA, as in `riata.study.response.code_response`; a 0 among them is a
        value.

    Raises
    ------
    ValueError
        When a column is absent or named twice, or mixes numbers and text.
    """
    if table is None:
        return Covariates.none()
    rows, data = joiner.match(table)
    if codings is not None:
        chosen = [coding.name for coding in codings]
        classes = [coding.name for coding in codings if coding.levels is not None]
    where = f"--covar-name: {table.path}"
    names = [name for name in data if name not in beside]
    if chosen is not None:
        names = list(chosen) if codings is not None else expand_names(chosen, data, where)
    if codings is None:
        classes = expand_names(classes, data, f"--cat-covar: {table.path}")
    twice = repeated(names)
    if twice:
        raise ValueError(f"--covar-name: {twice[0]} is given twice")
    names += [name for name in classes if name not in names]
    numeric = {} if codings is None else {coding.name: coding.levels is None for coding in codings}
    joiner.drop(rows >= 0, f"not in {Path(table.path).name}")
    present = np.ones(len(rows), dtype=bool)
    cells: list[Float | list[str]] = []
    codes = MissingCodes.parse(missing_code).for_measurements()
    here = rows[joiner.use]
    for name in names:
        column = table.column(name)
        values = to_numbers(column)
        hidden, missing = codes.split(column, values)
        numbers = None
        if name in classes or (not numeric.get(name, False) and _is_text(values, missing)):
            cells.append([column[i] if i >= 0 and not missing[i] else "" for i in rows])
            present &= np.array([cell != "" for cell in cells[-1]], dtype=bool)
        else:
            numbers = _numbers(table, name, values, missing)
            mine = np.where(rows >= 0, numbers[np.maximum(rows, 0)], np.nan)
            cells.append(mine)
            present &= np.isfinite(mine)
        told = codes.note(hidden[here], None if numbers is None else numbers[here])
        if told:
            joiner.report.notes.append(f"covariate {name}: {told}")
    joiner.drop(present, "a covariate is missing")
    return Covariates(table.path, names, cells, lambda i: table.place(int(rows[i])))


def _is_text(values: Float, missing: NDArray[np.bool_]) -> bool:
    """Say whether some cell is present and none is a number."""
    return not missing.all() and bool(np.isnan(values[~missing]).all())


def _numbers(table: TextTable, name: str, values: Float, missing: NDArray[np.bool_]) -> Float:
    for i in np.flatnonzero(~missing & ~np.isfinite(values)).tolist():
        cell, where = table.column(name)[i], f"{table.place(i)}: covariate {name}"
        if np.isnan(values[i]):
            raise ValueError(f"{where}: {no_number(cell)}; if it holds labels of classes, say --cat-covar")
        raise ValueError(f"{where} must be finite, got {quoted(cell)}")
    return np.where(missing, np.nan, values)
