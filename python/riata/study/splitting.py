"""A column that says which samples train, which choose the penalty, and which judge the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.missing_codes import MissingCodes
from riata._io.tables import Table, quoted
from riata.genetics.genotypes import Genotypes

PARTS = ("train", "validation", "test")
_WORDS = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}


@dataclass(frozen=True)
class Part:
    """Samples that take no part in the fit: their features, responses and covariates."""

    name: str
    main: Genotypes | NDArray[Any]
    y: NDArray[Any]
    covariates: NDArray[np.float64]
    samples: Table
    offset: NDArray[np.float64] | None = None


def code_split(
    cells: Sequence[str], name: str, where: str, missing_code: str | None = None
) -> NDArray[np.int64]:
    """Return the part of each cell as its position in `PARTS`, -1 where missing or none.

    Raises
    ------
    ValueError
        When a cell is another word than train, validation (or valid, val), test and none.
    """
    out = np.full(len(cells), -1, dtype=np.int64)
    missing = MissingCodes.parse(missing_code).split(cells)[1]
    for i, cell in enumerate(cells):
        if missing[i] or cell.strip().lower() == "none":
            continue
        part = _WORDS.get(cell.strip().lower())
        if part is None:
            raise ValueError(
                f"{where}: --split {name} must hold train, validation (or valid, val), test and none, "
                f"got {quoted(cell)}"
            )
        out[i] = PARTS.index(part)
    return out
