"""What a pass over X costs at the least: one plain read of the bytes that hold it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from problems import Problem

RUNS = 7


def stored(problem: Problem) -> list[np.ndarray]:
    """The arrays of X as whole words, the last few bytes aside; of genotypes, the .bed file in memory."""
    if problem.kind == "sparse":
        arrays = [problem.X.data, problem.X.indices, problem.X.indptr]
    else:
        arrays = [np.fromfile(problem.bed, dtype=np.uint8) if problem.bed else problem.X.ravel(order="K")]
    flat = [array.view(np.uint8) for array in arrays]
    return [part[: part.size // 8 * 8].view(np.uint64) for part in flat]


def read_seconds(problem: Problem, threads: int) -> float:
    """Median seconds of summing the stored words of X, equal shares to each thread."""
    shares = [share for array in stored(problem) for share in np.array_split(array, threads)]
    times = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(RUNS + 1):  # the first warms up
            start = time.perf_counter()
            list(pool.map(np.add.reduce, shares))
            times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))
