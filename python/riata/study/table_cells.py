"""Cells of a table that are missing, or may mean so."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.gaps import Gaps, fill_gaps
from riata._io.missing_codes import MissingCodes
from riata._io.tables import some
from riata._io.wording import counted
from riata.study.matrix_table import MatrixTable

_BLOCK = 1024  # columns looked at together


def code_missing(table: MatrixTable, missing_code: str | None) -> None:
    """Tell of -9 among genotypes, or take codes that were named for missing there.

    These are features that hold no other numbers than 0, 1 and 2: in a measurement -9 is a number.
    """
    if not isinstance(table.X, np.ndarray):
        return
    codes = MissingCodes.parse(missing_code)
    numbers = [number for number in codes.numbers() if number not in (0.0, 1.0, 2.0)]
    found, cells = [], 0
    for start in range(0, table.shape[1], _BLOCK):
        block = table.X[:, start : start + _BLOCK]
        coded = np.isin(block, numbers)
        of_genotypes = (coded | np.isnan(block) | np.isin(block, (0, 1, 2))).all(axis=0)
        here = np.flatnonzero(of_genotypes & coded.any(axis=0) & ~coded.all(axis=0))
        if len(here) == 0:
            continue
        found += [str(name) for name in table.feature_names[start + here]]
        cells += int(coded[:, here].sum())
        if codes.chosen:
            table.X = _floats(table.X)
            table.X[:, start + here] = np.where(coded[:, here], np.nan, block[:, here])
    if not found:
        return
    written = " or ".join(f"{number:g}" for number in numbers)
    else_hold = "holds" if len(found) == 1 else "hold"
    where = (
        f"{counted(cells, 'cell')} of {counted(len(found), 'feature')} that else {else_hold} 0, 1 and 2 "
        f"({some(found, 3)})"
    )
    if codes.chosen:
        table.notes.append(f"{written} counts as missing in {where}")
    else:
        table.notes.append(
            f"{written} is in {where} and is taken as a number: if it means missing, say --missing-code "
            f"{written}"
        )


def _floats(X: NDArray[Any]) -> NDArray[Any]:
    return X if X.dtype.kind == "f" else X.astype(np.float64)


def check_complete(X: Any, table: MatrixTable, impute: str | None = None) -> list[str]:
    """Refuse infinity, and missing values that are not to be filled in; say which are.

    Parameters
    ----------
    X : (n, p) array, or sparse matrix in CSC
        Rows of the table.
    table : MatrixTable
        Says what the columns are called.
    impute : {"mean"}, optional
    """
    if not isinstance(X, np.ndarray):
        return _check_sparse(X, table, impute)
    bad = np.flatnonzero(~np.isfinite(X).all(axis=0))
    if len(bad) == 0:
        return []
    cells = np.asarray(X[:, bad], dtype=np.float64)
    infinite = bad[np.isinf(cells).any(axis=0)]
    names = [str(table.feature_names[j]) for j in (infinite if len(infinite) else bad)]
    if len(infinite):
        raise ValueError(f"{table.path}: infinite values in {some(names)}; leave them out with --drop")
    gaps = np.isnan(cells)
    count, samples = int(gaps.sum()), int(gaps.any(axis=1).sum())
    if impute is not None:
        return [
            f"{counted(count, 'missing value')} in {counted(len(names), 'feature')} and "
            f"{counted(samples, 'sample')} at the mean of the samples that train (--impute {impute})"
        ]
    hint = "; genotypes with gaps are read from PLINK files, with --bfile" if "PAT" in table.beside else ""
    raise ValueError(
        f"{table.path}: {count:,} of {counted(X.size, 'value')} missing, in {len(names):,} of "
        f"{counted(X.shape[1], 'feature')} ({some(names, 5)}) and {samples:,} of "
        f"{counted(len(X), 'sample')}: --impute mean puts the mean of the samples that train in their place, "
        f"--drop leaves features out{hint}"
    )


def _check_sparse(X: Any, table: MatrixTable, impute: str | None) -> list[str]:
    if impute is not None:
        raise ValueError(f"{table.path}: --impute is for tables that are not sparse: what is absent is zero")
    bad = np.unique(np.repeat(np.arange(X.shape[1]), np.diff(X.indptr))[~np.isfinite(X.data)])
    if len(bad):
        names = some([str(table.feature_names[j]) for j in bad])
        raise ValueError(f"{table.path}: missing or infinite values in {names}; leave them out with --drop")
    return []


def completed(X: Any, impute: str | None) -> tuple[Any, Gaps | None]:
    """Return a table with means in the place of missing values, and which these were."""
    return (X, None) if impute is None else fill_gaps(X)
