"""Parameters that fastPHASE estimated: files of one chromosome, read as a chain of haplotype clusters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from riata.knockoffs._chains import Chain


def read_fastphase(name: str, prefix: str) -> Chain:
    """Read PREFIX_rhat.txt, PREFIX_alphahat.txt and PREFIX_thetahat.txt (Scheet & Stephens 2006).

    A line for each variant: the rate of jumps before it, r, for which b = exp(-r); where they land; the
    frequency of allele 1 in each cluster.

    Raises
    ------
    OSError
        When a file cannot be read.
    ValueError
        When a file holds something else, naming it and the line.
    """
    rates = _numbers(f"{prefix}_rhat.txt")
    landing, allele = (_numbers(f"{prefix}_{what}.txt") for what in ("alphahat", "thetahat"))
    for what, table in (("rhat", rates), ("alphahat", landing), ("thetahat", allele)):
        expected = (len(allele), 1 if what == "rhat" else allele.shape[1])
        if table.shape != expected:
            raise ValueError(
                f"{prefix}_{what}.txt: {table.shape[0]:,} lines of {table.shape[1]} numbers, but "
                f"{prefix}_thetahat.txt goes with {expected[0]:,} lines of {expected[1]}"
            )
        low = np.nanmin(table) if len(table) else 0.0
        if not np.isfinite(table).all() or low < 0.0 or (what != "rhat" and table.max() > 1.0):
            allowed = ">= 0" if what == "rhat" else "in [0, 1]"
            raise ValueError(f"{prefix}_{what}.txt: numbers must be {allowed}")
    sums = landing.sum(axis=1, keepdims=True)
    if (np.abs(sums - 1.0) > 1e-2).any():
        line = int(np.flatnonzero(np.abs(sums[:, 0] - 1.0) > 1e-2)[0]) + 1
        raise ValueError(f"{prefix}_alphahat.txt: line {line} must sum to 1, got {sums[line - 1, 0]:g}")
    stay = np.exp(-rates[:, 0])
    stay[0] = 0.0
    least = 1e-5  # so that what was never seen in so few samples stays possible
    landing = np.maximum(landing / sums, least)
    landing /= landing.sum(axis=1, keepdims=True)
    return Chain(name, np.minimum(stay, 1.0 - least), landing, np.clip(allele, least, 1.0 - least))


def _numbers(path: str) -> NDArray[np.float64]:
    """The numbers of a file, line by line; headings of runs begin with >."""
    rows: list[list[float]] = []
    headings = 0
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith(">"):
            headings += 1
            continue
        if not line.strip():
            continue
        try:
            rows.append([float(field) for field in line.split()])
        except ValueError:
            raise ValueError(f"{path}: line {number} must hold numbers, got {line[:40]!r}") from None
        if len(rows[-1]) != len(rows[0]):
            raise ValueError(
                f"{path}: line {number} has {len(rows[-1])} numbers where the first has {len(rows[0])}"
            )
    if headings > 1:
        raise ValueError(f"{path}: holds {headings} runs of EM; run fastPHASE with -T1")
    if not rows:
        raise ValueError(f"{path}: holds no numbers")
    return np.asarray(rows, dtype=np.float64)
