"""The problems every package solves: deterministic generators, and the folder that child processes read.

Dense columns are centred and scaled to unit (1/n) standard deviation, sparse ones are counts as they are, and
nobody standardises again, so that every package solves the same problem. Genotypes keep their 0/1/2 counts:
there the standardised problem is meant and coefficients are per allele.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from losses import LOSSES
from penalties import LASSO, MCP, SLOPE, Groups, Net, Penalty, Rows, packed, unpacked
from responses import MISSING, RESPONSES, linear_predictor
from scipy import signal, sparse
from stored import BED_MAGIC, MICE, SHARED, golub, mouse_columns, mouse_counts, simulated

CHUNK = 2048  # columns decoded at a time


@dataclass
class Problem:
    """One path to fit: min (1/n) sum_i loss(y_i, b0 + x_i b) + penalty of s_j b_j, for every alpha.

    s is 1, or the standard deviations of the columns when `standardize` is set. With K responses or classes
    b_j is a row of K coefficients. Of the loss "cox" it is minus the log partial likelihood that is divided
    by n, and there is no b0.

    Attributes
    ----------
    y : (n,), of the loss "multinomial" class numbers 0 .. K - 1; "cox": columns [time, event];
        "multigaussian": (n, K).
    X : float64 ndarray in Fortran order, scipy.sparse.csc_matrix, or int8 allele counts (-9 missing).
    bed : path of the same genotypes as a PLINK 1 file, or None.
    folds : fold of each sample when the path is to be cross-validated, else None.
    """

    name: str
    loss: str
    X: np.ndarray | sparse.csc_matrix
    y: np.ndarray
    alphas: np.ndarray
    standardize: bool = False
    bed: Path | None = None
    folds: np.ndarray | None = None
    penalty: Penalty = LASSO

    @property
    def n_responses(self) -> int:
        """K: responses of the multigaussian, classes of the multinomial, else 1."""
        if self.loss == "multinomial":
            return int(self.y.max()) + 1
        return self.y.shape[1] if self.loss == "multigaussian" else 1

    @property
    def kind(self) -> str:
        return "sparse" if sparse.issparse(self.X) else "genotypes" if self.X.dtype == np.int8 else "dense"

    @property
    def nbytes(self) -> int:
        if self.kind == "sparse":
            return self.X.data.nbytes + self.X.indices.nbytes + self.X.indptr.nbytes
        return self.bed.stat().st_size if self.bed else self.X.nbytes

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Means and (1/n) standard deviations of the columns, missing counts replaced by the column mean.

        Worked out once: what packages do with them afterwards is part of the time of a fit.
        """
        return self._moments

    @cached_property
    def _moments(self) -> tuple[np.ndarray, np.ndarray]:
        p = self.X.shape[1]
        if self.kind == "sparse":
            mean = np.asarray(self.X.mean(axis=0)).ravel()
            square = np.asarray(self.X.multiply(self.X).mean(axis=0)).ravel()
            return mean, np.sqrt(np.maximum(square - mean**2, 0.0))
        mean, scale = np.empty(p), np.empty(p)
        for at in range(0, p, CHUNK):
            block = self.columns(at, at + CHUNK)
            mean[at : at + CHUNK], scale[at : at + CHUNK] = block.mean(axis=0), block.std(axis=0)
        return mean, scale

    def columns(self, start: int, stop: int) -> np.ndarray:
        """Columns start..stop as dense float64."""
        block = self.X[:, start:stop]
        if self.kind == "sparse":
            return block.toarray(order="F")
        if self.kind == "dense":
            return block
        called = block != MISSING
        mean = np.where(called, block, 0).sum(axis=0) / called.sum(axis=0)
        return np.where(called, block, mean)

    def slopes(self, u: np.ndarray, scale: np.ndarray) -> Iterator[np.ndarray]:
        """x_j' u_k / s_j of u (n, K, L), as (m, K, L) for CHUNK columns at a time; 0 for constant columns."""
        n, K, L = u.shape
        flat, scale = np.ascontiguousarray(u.reshape(n, K * L)), np.where(scale > 0.0, scale, np.inf)
        for at in range(0, len(scale), CHUNK):
            part = slice(at, at + CHUNK)
            columns = self.X[:, part] if self.kind == "sparse" else self.columns(at, at + CHUNK)
            yield (np.asarray(columns.T @ flat) / scale[part, None]).reshape(-1, K, L)

    def standardized(self) -> np.ndarray:
        """Genotypes as centred, scaled float64 columns, for packages that read nothing else."""
        mean, scale = self.moments()
        dense = np.empty(self.X.shape, order="F")
        for at in range(0, self.X.shape[1], CHUNK):
            part = slice(at, at + CHUNK)
            dense[:, part] = (self.columns(at, at + CHUNK) - mean[part]) / scale[part]
        return dense

    def unscale(
        self, coefs: sparse.csc_matrix, intercepts: np.ndarray
    ) -> tuple[sparse.csc_matrix, np.ndarray]:
        """Coefficients of standardised columns, back on the scale of X."""
        mean, scale = self.moments()
        raw = sparse.csc_matrix(sparse.diags(1.0 / scale) @ coefs)
        return raw, intercepts - raw.T @ mean

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if self.kind == "sparse":
            for part in ("data", "indices", "indptr"):
                np.save(folder / f"{part}.npy", getattr(self.X, part))
        else:
            np.save(folder / "X.npy", self.X)
        np.save(folder / "y.npy", self.y)
        np.save(folder / "alphas.npy", self.alphas)
        if self.folds is not None:
            np.save(folder / "folds.npy", self.folds)
        meta = {"name": self.name, "loss": self.loss, "standardize": self.standardize, "kind": self.kind}
        meta |= {"shape": self.X.shape, "bed": str(self.bed) if self.bed else None}
        meta |= {"penalty": packed(self.penalty)}
        (folder / "meta.json").write_text(json.dumps(meta))

    @classmethod
    def load(cls, folder: Path) -> Problem:
        meta = json.loads((folder / "meta.json").read_text())
        if meta["kind"] == "sparse":
            parts = [np.load(folder / f"{part}.npy") for part in ("data", "indices", "indptr")]
            X = sparse.csc_matrix(tuple(parts), shape=meta["shape"])
            X.has_sorted_indices = X.has_canonical_format = True
        else:
            X = np.load(folder / "X.npy", mmap_mode="r" if meta["kind"] == "genotypes" else None)
        y, alphas = np.load(folder / "y.npy"), np.load(folder / "alphas.npy")
        bed = Path(meta["bed"]) if meta["bed"] else None
        folds = np.load(folder / "folds.npy") if (folder / "folds.npy").exists() else None
        about = meta["standardize"], bed, folds, unpacked(meta["penalty"])
        return cls(meta["name"], meta["loss"], X, y, alphas, *about)

    def head(self, p: int = 50) -> Problem:
        """The first p columns at a few alphas: what packages warm up on."""
        X = self.X[:, :p] if self.kind == "sparse" else np.asfortranarray(self.X[:, :p])
        alphas, about = self.alphas[::33], {"folds": self.folds, "penalty": self.penalty}
        return Problem(self.name, self.loss, X, self.y, alphas, self.standardize, **about)

    def at(self, alphas: np.ndarray) -> Problem:
        """The same problem at other alphas."""
        other = copy(self)  # with the moments, where they are known
        other.alphas = alphas
        return other

    def splits(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Row numbers to train on and to hold out, one pair a fold."""
        return [
            (np.flatnonzero(self.folds != k), np.flatnonzero(self.folds == k))
            for k in range(self.folds.max() + 1)
        ]


def scaled(X: np.ndarray) -> np.ndarray:
    """Centre and scale in place to unit (1/n) standard deviation; constant columns become zero."""
    for at in range(0, X.shape[1], CHUNK):
        block = X[:, at : at + CHUNK]
        block -= block.mean(axis=0)
        scale = block.std(axis=0)
        block /= np.where(scale > 0.0, scale, 1.0)
    return X


def ar1(rng: np.random.Generator, n: int, p: int, rho: float = 0.5) -> np.ndarray:
    """Neighbouring columns have correlation rho."""
    X = np.empty((n, p), order="F")
    for i in range(n):
        noise = rng.standard_normal(p)
        noise[1:] *= np.sqrt(1.0 - rho**2)
        X[i] = signal.lfilter([1.0], [1.0, -rho], noise)
    return scaled(X)


def blocks(rng: np.random.Generator, n: int, p: int, rho: float = 0.9, size: int = 50) -> np.ndarray:
    """Blocks of `size` columns, every pair within a block correlated rho."""
    X = np.asfortranarray(rng.standard_normal((n, p)))
    X *= np.sqrt(1.0 - rho)
    for at in range(0, p, size):
        X[:, at : at + size] += np.sqrt(rho) * rng.standard_normal((n, 1))
    return scaled(X)


def expression(rng: np.random.Generator, n: int, p: int, n_factors: int = 10) -> np.ndarray:
    """Like gene expression: a few shared factors explain half of the variance of each column."""
    factors, loadings = (
        rng.standard_normal((n, n_factors)),
        rng.standard_normal((n_factors, p)) / np.sqrt(n_factors),
    )
    return scaled(np.asfortranarray(factors @ loadings + rng.standard_normal((n, p))))


def words(rng: np.random.Generator, n: int, p: int, per_row: int = 80) -> sparse.csc_matrix:
    """About per_row nonzeros a row, column popularity falling like rank**-1/2, as counts of words do."""
    rows = np.repeat(np.arange(n), per_row)
    columns = np.minimum((p * rng.random(n * per_row) ** 2).astype(np.int64), p - 1)
    X = sparse.coo_matrix((np.ones(n * per_row), (rows, columns)), shape=(n, p)).tocsc()
    X.sum_duplicates()
    X.indices, X.indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return X


def genotypes(rng: np.random.Generator, n: int, p: int, block: int = 50, rho: float = 0.95) -> np.ndarray:
    """Allele counts in LD blocks: two haplotypes a person, thresholded AR(rho) normals, 1 % missing."""
    X = np.zeros((n, p), dtype=np.int8, order="F")
    for at in range(0, p, block):
        width = min(block, p - at)
        cut = np.quantile(rng.standard_normal(10_000), 1.0 - rng.uniform(0.05, 0.5, width))
        for _ in range(2):
            noise = rng.standard_normal((n, width))
            noise[:, 1:] *= np.sqrt(1.0 - rho**2)
            X[:, at : at + width] += signal.lfilter([1.0], [1.0, -rho], noise, axis=1) > cut
        X[:, at : at + width][rng.random((n, width)) < 0.01] = MISSING
    return X


def write_bed(prefix: Path, X: np.ndarray) -> Path:
    """PLINK 1 files whose A1 (first allele of the .bim) is the one X counts; returns the .bed path."""
    n, p = X.shape
    code = np.array([3, 2, 0, 1], dtype=np.uint8)  # 0, 1, 2 copies of A1, missing
    with prefix.with_suffix(".bed").open("wb") as bed:
        bed.write(BED_MAGIC)
        for at in range(0, p, CHUNK):
            block = X[:, at : at + CHUNK]
            bits = np.zeros((block.shape[1], -(-n // 4) * 4), dtype=np.uint8)
            bits[:, :n] = code[np.where(block == MISSING, 3, block)].T
            quads = bits.reshape(block.shape[1], -1, 4)
            bed.write((quads << np.array([0, 2, 4, 6], dtype=np.uint8)).sum(axis=2, dtype=np.uint8).tobytes())
    prefix.with_suffix(".bim").write_text("".join(f"1\tv{j}\t0\t{j + 1}\tA\tG\n" for j in range(p)))
    prefix.with_suffix(".fam").write_text("".join(f"s{i}\ts{i}\t0\t0\t0\t-9\n" for i in range(n)))
    return prefix.with_suffix(".bed")


def alpha_grid(problem: Problem, ratio: float, count: int = 100) -> np.ndarray:
    """Geometric grid from the smallest alpha with no feature selected down to ratio times it."""
    n, p = problem.X.shape
    residual = LOSSES[problem.loss](problem.y).null_residual
    scale = problem.moments()[1] if problem.standardize else np.ones(p)
    largest = problem.penalty.dual_norm(problem.slopes(residual[:, :, None], scale))
    return largest / n * np.geomspace(1.0, ratio, count)


def shuffled_folds(n: int, count: int) -> np.ndarray:
    """Fold of each sample: the assignment adelie's cv_grpnet draws for seed 0, since it takes no other."""
    folds = np.empty(n, dtype=np.int32)
    for k, rows in enumerate(np.array_split(np.random.RandomState(0).permutation(n), count)):
        folds[rows] = k
    return folds


@dataclass(frozen=True)
class Spec:
    """How to make one problem: loss, generator, full and smoke sizes, last alpha / first, and what y is."""

    loss: str
    make: Callable | None
    shape: tuple[int, int]
    smoke: tuple[int, int]
    ratio: float
    n_signals: int = 50  # columns, or groups of them
    snr: float = 3.0  # variance of the signal over that of the noise, (multi)gaussian only
    cv: int = 0  # folds, or 0 for the path alone
    n_responses: int = 1  # or classes
    penalty: Penalty = LASSO
    n_alphas: int = 100
    judged: int = 1  # every so many alphas are judged, the last one among them
    read: Callable | None = None  # X, y and perhaps a .bed, in place of `make`
    needs: str = ""  # file of SHARED that it reads

    def missing(self) -> str | None:
        """Why it cannot be made here."""
        gone = self.needs and not (SHARED / self.needs).exists()
        return f"there is no {self.needs} in {SHARED} (RIATA_SHARED_DATA)" if gone else None


SPECS = {
    "small-100x50": Spec("gaussian", ar1, (100, 50), (100, 50), 1e-3, 10),
    "small-500x5000": Spec("gaussian", ar1, (500, 5_000), (60, 200), 0.01),
    "ar-500x20000": Spec("gaussian", ar1, (500, 20_000), (60, 400), 0.01),
    "ar-1000x100000": Spec("gaussian", ar1, (1_000, 100_000), (80, 600), 0.01),
    "blocks-400x10000": Spec("gaussian", blocks, (400, 10_000), (60, 300), 0.01),
    "net-0.5-500x20000": Spec("gaussian", ar1, (500, 20_000), (60, 400), 0.01, penalty=Net(0.5), n_alphas=50),
    "net-0.1-500x20000": Spec("gaussian", ar1, (500, 20_000), (60, 400), 0.01, penalty=Net(0.1), n_alphas=50),
    "net-0.01-500x20000": Spec(
        "gaussian", ar1, (500, 20_000), (60, 400), 0.01, penalty=Net(0.01), n_alphas=50
    ),
    "tall-20000x500": Spec("gaussian", ar1, (20_000, 500), (400, 40), 1e-3),
    "tall-200000x100": Spec("gaussian", ar1, (200_000, 100), (1_000, 20), 1e-3),
    "binomial-200x20000": Spec("binomial", expression, (200, 20_000), (60, 300), 0.01, 20),
    "sparse-20000x500000": Spec("gaussian", words, (20_000, 500_000), (300, 1_000), 0.01, 500, 2.0),
    "sparse-binomial-20000x500000": Spec("binomial", words, (20_000, 500_000), (300, 1_000), 0.01, 500),
    "genotypes-2000x100000": Spec("gaussian", genotypes, (2_000, 100_000), (100, 400), 0.01, 100),
    "sparse-5000x50000": Spec("gaussian", words, (5_000, 50_000), (200, 600), 0.01, 100, 2.0),
    "genotypes-2000x20000": Spec("gaussian", genotypes, (2_000, 20_000), (100, 400), 0.01, 100),
    "genotypes-5000x300000": Spec("gaussian", genotypes, (5_000, 300_000), (120, 600), 0.05, 500, 1.0),
    "simulated-40000x40000": Spec(
        "gaussian", None, (40_000, 40_000), (200, 400), 0.03, judged=20, read=simulated
    ),
    "simulated-deep-40000x40000": Spec(
        "gaussian", None, (40_000, 40_000), (200, 400), 0.01, judged=20, read=simulated
    ),
    "mouse-1810x10346": Spec(
        "gaussian", None, (1_810, 10_346), (200, 400), 0.01, read=mouse_counts, needs=MICE
    ),
    "cox-5000x5000": Spec("cox", ar1, (5_000, 5_000), (80, 60), 0.05, 1_000, judged=20),
    "cox-300x10000": Spec("cox", ar1, (300, 10_000), (60, 200), 0.05, 20),
    "poisson-500x10000": Spec("poisson", ar1, (500, 10_000), (60, 200), 0.05, 20),
    "multinomial-200x10000": Spec("multinomial", ar1, (200, 10_000), (60, 120), 0.05, 20, n_responses=4),
    "multinomial-grouped-200x10000": Spec(
        "multinomial", ar1, (200, 10_000), (60, 120), 0.05, 20, n_responses=4, penalty=Rows()
    ),
    "multigaussian-300x10000x20": Spec(
        "multigaussian", ar1, (300, 10_000), (60, 200), 0.05, 20, n_responses=20, penalty=Rows()
    ),
    "group-500x20000": Spec("gaussian", ar1, (500, 20_000), (60, 400), 0.01, 18, penalty=Groups(10)),
    "mcp-500x20000": Spec("gaussian", ar1, (500, 20_000), (60, 400), 0.05, penalty=MCP(3.0)),
    "slope-200x5000": Spec("gaussian", ar1, (200, 5_000), (60, 200), 0.05, 20, penalty=SLOPE(0.1)),
    "golub-72x7129": Spec("binomial", None, (72, 7_129), (72, 7_129), 0.01, read=golub),
    "cv-ar-500x20000": Spec("gaussian", ar1, (500, 20_000), (60, 400), 0.01, cv=10),
    "cv-mouse-1810x10346": Spec(
        "gaussian", None, (1_810, 10_346), (200, 400), 0.01, cv=10, read=mouse_columns, needs=MICE
    ),
    "cv-blocks-400x10000": Spec("gaussian", blocks, (400, 10_000), (60, 300), 0.01, cv=10),
}
SMOKE_SKIPS = ("golub-72x7129", "mouse-1810x10346", "cv-mouse-1810x10346")


def build(name: str, folder: Path, *, smoke: bool = False, seed: int = 1) -> Problem:
    """Make the problem called `name` and save it under `folder`; the same seed gives the same bits."""
    spec = SPECS[name]
    shape = spec.smoke if smoke else spec.shape
    rng = np.random.default_rng([seed, *shape])  # problems of one size and kind share X, multinomial ones y
    folder.mkdir(parents=True, exist_ok=True)
    bed = None
    if spec.read is not None:
        X, y, bed = spec.read(folder, *shape)
    else:
        X = spec.make(rng, *shape)
        predictor = linear_predictor(rng, X, spec.n_signals, spec.n_responses, spec.penalty.size)
        y = RESPONSES[spec.loss](rng, predictor, spec.snr)
    problem = Problem(name, spec.loss, X, y, np.empty(0), penalty=spec.penalty)
    if problem.kind == "genotypes":
        problem.standardize, problem.bed = True, bed or write_bed(folder / "X", X)
    elif spec.read is not None:
        problem.X = scaled(X)
    problem.alphas = alpha_grid(problem, spec.ratio, spec.n_alphas)
    if spec.cv:
        problem.folds = shuffled_folds(len(y), spec.cv)
    problem.save(folder)
    return problem
