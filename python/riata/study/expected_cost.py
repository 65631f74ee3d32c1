"""What ``riata cv`` would take, told before it runs: memory by its parts, time by rates of this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from riata._input.design import DesignView, as_design
from riata._io.sizes import bytes_text
from riata.path.memory import GRAM_COLUMNS_FOLDS, estimate_memory
from riata.study.fit_result import seconds_text

FOLDS, ALPHAS = 10, 100  # defaults of riata cv
ACTIVE = 0.9  # features active at the end of a path, as a share of the most there can be
PASSES = 12  # over the data
PROBE_ENTRIES = 2_000_000  # of the data that are read to see how long a pass takes
UNIT = 4.4e-11  # seconds of a multiplication, on the machine of the other figures
# Seconds there, as fitted to runs of bench/expected_cost.py:
ACTIVE_ROW = 1.75e-6  # for each sample and active feature
COLUMN = 1.3e-8  # for each feature, fit and alpha
GRAM_ENTRY = 9e-7  # where all inner products are kept, for each of them
GRAM_ROW = 1.8e-8  # and for each sample, fit and alpha
FIXED = 0.02


@dataclass(frozen=True, slots=True)
class ExpectedCost:
    """Bytes beside the data, and seconds of processor time."""

    memory: int
    seconds: float

    def __str__(self) -> str:
        return f"{seconds_text(self.seconds)} of processor time and {bytes_text(self.memory)} beside the data"


def cost_line(X: Any, width: int) -> str:
    """Say it in a line of ``riata info``, whose labels are `width` wide."""
    what = f"{FOLDS} folds, {ALPHAS} penalties, a response of numbers"
    return f"  {'riata cv':<{width}}about {expected_cost(X)} ({what})"


def expected_cost(X: Any) -> ExpectedCost:
    """Estimate what `riata.cv_path` takes with its defaults, for a response of numbers.

    Parameters
    ----------
    X : array, sparse matrix or Genotypes
    """
    design = as_design(X)
    n, p = design.n_samples, design.n_features
    active = max(1, round(ACTIVE * min(n, p)))
    memory = estimate_memory(X, alphas=ALPHAS, cv=FOLDS, max_active=active)
    unit, fits = _multiplication(), FOLDS + 1
    if p <= min(n, GRAM_COLUMNS_FOLDS):
        seconds = unit * (fits * n * p * p + (GRAM_ENTRY * p * p + GRAM_ROW * n * fits * ALPHAS) / UNIT)
    else:
        own = ACTIVE_ROW * active * n + COLUMN * p * fits * ALPHAS
        seconds = unit / UNIT * own + PASSES * _pass(design)
    return ExpectedCost(memory.total, FIXED + seconds)


def _multiplication() -> float:
    """Seconds of a multiplication and addition here."""
    design = as_design(np.ones((512, 1024), order="F"))
    return _pass(design) / (512 * 1024 * (FOLDS + 1))


def _pass(design: DesignView) -> float:
    """Seconds of products of all columns with a vector for each fit, by some columns; the best of three."""
    n, p = design.core.shape
    columns = np.arange(min(p, max(1, PROBE_ENTRIES // n)), dtype=np.int64)
    sides = np.asfortranarray(np.ones((n, FOLDS + 1)))
    best = np.inf
    for _ in range(3):
        began = time.process_time()
        design.core.correlate(sides, columns, 1)
        best = min(best, time.process_time() - began)
    return best * p / len(columns)
