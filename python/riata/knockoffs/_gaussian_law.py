"""The law of the rows of a table for Gaussian knockoffs: scales, factors, and correlations in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._input.design import DesignView

Float = NDArray[np.float64]
Numbers = NDArray[np.int64]

#: Squared correlations that join blocks: MOST of few samples, less of many, but not less than can be told
#: from chance over the rows that they are taken over.
MOST, OF_SAMPLES, LEAST = 0.1, 50.0, 0.01
MUCH_LEFT = 0.005  # mean squared correlation between blocks, above chance, from which factors are taken away
CONSTANT = 1e-10  # deviation of a column, relative to its mean, below which it counts as constant
EXPLAINED = 1e-6  # share of a column's variance beside the factors, below which nothing of it is left
MOST_FACTORS = 20
WIDTH, ROUNDS = 32, 8  # of the subspace that singular vectors are found in


@dataclass(frozen=True)
class Standard:
    """Standardised columns z = (x - mean) / scale - F loadings', F = (x - mean) weights.

    A column with scale 0 does not vary.
    """

    mean: Float
    scale: Float
    weights: Float
    loadings: Float

    def source(self, design: DesignView) -> tuple[_core.Design, Numbers, Float, Float, Float, Float]:
        """The columns of a design as the core is told of them."""
        rows = np.arange(design.n_samples) if design.rows is None else design.rows
        scores = np.zeros((design.n_samples, self.weights.shape[1]), order="F")
        if scores.shape[1]:
            every = np.arange(design.n_features)
            scores = np.asfortranarray(design.multiply(every, self.weights) - self.mean @ self.weights)
        return design.core, rows, self.mean, self.scale, scores, self.loadings


@dataclass(frozen=True)
class BlockLaw:
    """Correlations in blocks, which count as independent.

    Block b holds the columns ``order[first[b]:first[b + 1]]``; `sigma` has their correlation matrices one
    after the other. Columns that do not vary are in no block, and have the label -1.
    """

    columns: Standard
    label: Numbers
    order: Numbers
    first: Numbers
    sigma: Float
    left: float

    @property
    def info(self) -> dict[str, Any]:
        """What there is to tell of the law."""
        n_factors = self.columns.loadings.shape[1]
        structure = "factors" if n_factors else "blocks"
        blocks = len(self.first) - 1
        return {"structure": structure, "n_blocks": blocks, "n_factors": n_factors, "left": self.left}

    def __str__(self) -> str:
        blocks, factors = len(self.first) - 1, self.columns.loadings.shape[1]
        largest = int(np.diff(self.first).max(initial=0))
        words = f"{blocks:,} block{'' if blocks == 1 else 's'} of up to {largest:,}"
        return words if factors == 0 else f"{factors} factor{'' if factors == 1 else 's'}, {words}"

    def distances(self, labels: Numbers | None, method: str, threads: int) -> tuple[Numbers, Float]:
        """Return the group of each of `order` within its block, and the gamma of that group."""
        group = self.groups_within(labels)
        return group, _core.knockoff_distances(self.first, self.sigma, group, method, n_threads=threads)

    def draw(
        self,
        design: DesignView,
        distances: tuple[Numbers, Float],
        seed: tuple[int, int],
        out: NDArray[np.float32],
        threads: int,
    ) -> None:
        """Fill `out` with knockoffs of the rows of a design."""
        source = self.columns.source(design)
        group, gamma = distances
        law = (self.order, self.first, self.sigma, group, gamma)
        _core.draw_gaussian(*source, *law, *seed, out, threads)

    def holds(self, labels: Numbers) -> bool:
        """Whether every group lies in one block."""
        inside = (labels >= 0) & (self.label >= 0)
        if not inside.any():
            return True
        block = np.full(int(labels.max()) + 1, -1, dtype=np.int64)
        block[labels[inside]] = self.label[inside]
        return bool((block[labels[inside]] == self.label[inside]).all())

    def groups_within(self, labels: Numbers | None) -> Numbers:
        """Return the group of each of `order`, numbered from 0 on within each block."""
        given = np.full(len(self.label), -1, dtype=np.int64) if labels is None else labels
        alone = given < 0
        of_column = np.where(alone, np.arange(len(given)) + given.max(initial=0) + 1, given)
        out = np.empty(len(self.order), dtype=np.int64)
        for start, end in zip(self.first[:-1], self.first[1:], strict=True):
            _, where, number = np.unique(
                of_column[self.order[start:end]], return_index=True, return_inverse=True
            )
            place = np.empty(len(where), dtype=np.int64)
            place[np.argsort(where, kind="stable")] = np.arange(len(where))
            out[start:end] = place[number]
        return out


def learn(
    design: DesignView,
    structure: str,
    block_size: int,
    n_factors: int | str,
    *,
    threads: int,
    together: Numbers | None = None,
    progress: Any = None,
) -> BlockLaw:
    """Learn the law of the rows of a design; columns of the same number in `together` share a block."""
    columns = standardise(design, threads)
    if structure == "factors":
        columns = _without_factors(design, columns, n_factors, threads)
    label, left = _blocks(design, columns, block_size, together, threads)
    if structure == "auto" and left > MUCH_LEFT:
        columns = _without_factors(design, columns, n_factors, threads)
        label, left = _blocks(design, columns, block_size, together, threads)
    _tell(progress, 1)
    order = np.argsort(label, kind="stable")
    order = np.ascontiguousarray(order[label[order] >= 0], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(np.bincount(label[order]))]).astype(np.int64)
    sigma, _ = _core.knockoff_correlations(*columns.source(design), order, first, threads)
    _tell(progress, 2)
    return BlockLaw(columns, label, order, first, sigma, left)


def _tell(progress: Any, done: int) -> None:
    if progress is not None:
        progress(done, 2, 0.0, 0, 0.0, 0.0)


def standardise(design: DesignView, threads: int) -> Standard:
    """Means of columns and standard deviations, 0 of those that do not vary."""
    share = design.spread(np.full((design.n_samples, 1), 1.0 / design.n_samples))
    mean, variance = design.core.moments(np.asfortranarray(share), threads)
    bad = np.flatnonzero(~np.isfinite(variance[:, 0]))
    if len(bad):
        raise ValueError(
            f"X must hold finite numbers only, got NaN, infinity or numbers whose squares are infinite in "
            f"column {bad[0]}: impute='mean' takes NaN for missing values"
        )
    deviation = np.sqrt(np.maximum(variance[:, 0], 0.0))
    centre = np.ascontiguousarray(mean[:, 0])
    none = np.zeros((len(centre), 0), order="F")
    scale = np.where(deviation > CONSTANT * np.abs(centre), deviation, 0.0)
    return Standard(centre, scale, none, none)


def _blocks(
    design: DesignView, columns: Standard, block_size: int, together: Numbers | None, threads: int
) -> tuple[Numbers, float]:
    labels = np.zeros(0, dtype=np.int64) if together is None else together
    least = min(MOST, max(OF_SAMPLES / design.n_samples, LEAST))
    label, left = _core.knockoff_blocks(*columns.source(design), least, block_size, labels, n_threads=threads)
    return label, float(left)


def _without_factors(design: DesignView, columns: Standard, n_factors: int | str, threads: int) -> Standard:
    """Take the leading singular vectors of the standardised columns away, and standardise what is left."""
    mean, deviation = columns.mean, columns.scale
    values, loadings = _leading(design, mean, deviation, threads)
    count = min(MOST_FACTORS, len(values) - 1)
    if count < 1:
        return columns
    ratio = values[:count] / np.maximum(values[1 : count + 1], 1e-12 * values[0])
    k = int(np.argmax(ratio)) + 1 if n_factors == "auto" else min(int(n_factors), count)
    loadings, values = loadings[:, :k], values[:k]
    inverse = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    weights = inverse[:, None] * loadings / values
    rest = 1.0 - (loadings**2).sum(axis=1)
    some = (deviation > 0) & (rest > EXPLAINED)
    share = np.sqrt(np.where(some, rest, 1.0))
    scale = np.where(some, deviation * share, 0.0)
    return Standard(mean, scale, np.asfortranarray(weights), np.asfortranarray(loadings / share[:, None]))


def _leading(design: DesignView, mean: Float, deviation: Float, threads: int) -> tuple[Float, Float]:
    """Leading eigenvalues of the correlation matrix Z'Z / n, and Z'u / sqrt(n) for its left singular vectors.

    By subspace iteration (Halko, Martinsson & Tropp 2011), a pass over X and back in each round.
    """
    n, p = design.n_samples, design.n_features
    every = np.arange(p)
    inverse = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)[:, None]
    basis = np.random.Generator(np.random.Philox(key=0)).standard_normal((n, min(WIDTH, n, p)))
    for _ in range(ROUNDS):
        basis = np.linalg.qr(basis - basis.mean(axis=0))[0]
        back = inverse * _correlate(design, basis, mean, threads)
        scaled = inverse * back
        basis = design.multiply(every, np.asfortranarray(scaled), threads) - mean @ scaled
    basis = np.linalg.qr(basis - basis.mean(axis=0))[0]
    back = inverse * _correlate(design, basis, mean, threads)
    turn, values, _ = np.linalg.svd(back.T @ back, hermitian=True)
    return values / n, back @ turn / np.sqrt(n)


def _correlate(design: DesignView, sides: Float, mean: Float, threads: int) -> Float:
    """(X - mean)' sides, for sides over samples."""
    sums = design.core.correlate(np.asfortranarray(design.spread(sides)), n_threads=threads)
    return np.asarray(sums - mean[:, None] * sides.sum(axis=0))
