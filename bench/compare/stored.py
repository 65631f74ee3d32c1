"""Problems that are read, not made by a formula: X, y, and the .bed that holds X where there is one.

Data sets that do not ship with riata are looked for in the folder that RIATA_SHARED_DATA names.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from responses import MISSING

HERE = Path(__file__).resolve()
SHARED = Path(os.environ.get("RIATA_SHARED_DATA", HERE.parents[2].parent / "shared" / "data"))
MICE = "mouse_hs.npz"
BED_MAGIC = b"\x6c\x1b\x01"
STRETCH = 2048  # variants decoded at a time

Read = tuple[np.ndarray, np.ndarray, Path | None]


def standard(y: np.ndarray) -> np.ndarray:
    """Mean 0 and variance 1."""
    y = np.asarray(y, dtype=np.float64)
    return (y - y.mean()) / y.std()


def golub(folder: Path, n: int, p: int) -> Read:
    """The leukaemia expression set that ships with riata (Golub et al. 1999)."""
    with np.load(HERE.parents[2] / "python" / "riata" / "data" / "golub.npz", allow_pickle=False) as data:
        return np.array(data["X"], dtype=np.float64, order="F"), np.asarray(data["y"], dtype=np.float64), None


def mouse_counts(folder: Path, n: int, p: int) -> Read:
    """Allele counts and body weights of the first n heterogeneous stock mice (Valdar et al. 2006)."""
    with np.load(SHARED / MICE, allow_pickle=False) as data:
        return np.asfortranarray(data["X"][:n, :p]), standard(data["body_weight"][:n]), None


def mouse_columns(folder: Path, n: int, p: int) -> Read:
    """The same as float64 columns."""
    X, y, _ = mouse_counts(folder, n, p)
    return np.array(X, dtype=np.float64, order="F"), y, None


def simulated(folder: Path, n: int, p: int) -> Read:
    """Allele counts and phenotype as `riata simulate` writes them with its defaults."""
    from riata import simulate_genotypes  # peers live where riata may not

    bed = Path(simulate_genotypes(folder / "X", n, p))
    phenotypes = [line.split()[5] for line in bed.with_suffix(".fam").read_text().splitlines()]
    return read_bed(bed), standard(phenotypes), bed


def read_bed(bed: Path) -> np.ndarray:
    """Allele counts of PLINK 1 files, (n, p) int8."""
    n = len(bed.with_suffix(".fam").read_text().splitlines())
    packed = np.fromfile(bed, dtype=np.uint8, offset=len(BED_MAGIC)).reshape(-1, -(-n // 4))
    count = np.array([2, MISSING, 1, 0], dtype=np.int8)
    four = count[(np.arange(256)[:, None] >> np.array([0, 2, 4, 6])) & 3]  # samples of each byte
    X = np.empty((n, len(packed)), dtype=np.int8, order="F")
    for at in range(0, len(packed), STRETCH):
        X[:, at : at + STRETCH] = four[packed[at : at + STRETCH]].reshape(-1, 4 * packed.shape[1])[:, :n].T
    return X
