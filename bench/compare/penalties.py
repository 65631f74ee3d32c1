"""The penalties of the problems, for the judge: value, and what bounds the gradient at a solution, in numpy.

A penalty sees coefficients b as the sparse matrix (p, K L) with response k and alpha l in column k L + l, and
slopes c_jk = x_j' u_k, u being minus the gradient of the loss, as (m, K, L) arrays of m neighbouring columns
at a time. Both are on the scale on which columns are measured. It offers

    value(b, alphas)               its value, (L,)
    dual_norm(slopes)              the smallest alpha at which c is allowed (of MCP, where b = 0), (L,)
    violation(slopes, b, alphas)   MCP alone: the largest of a condition of stationarity, over alpha, (L,)

with dual norms, from

    L1       sum_jk |b_jk|                       max_jk |c_jk|
    EN       sum_j r |b_j| + (1 - r)/2 b_j^2     max_j |c_j| / r
    Rows     sum_j ‖b_j‖                         max_j ‖c_j‖
    Groups   sum_g sqrt(size) ‖b_g‖              max_g ‖c_g‖ / sqrt(size)
    SLOPE    sum_i w_i |b|_(i)                   max_i (|c|_(1) + .. + |c|_(i)) / (w_1 + .. + w_i)

all times alpha. EN is the elastic net, r its l1_ratio: any c is allowed, dual_norm is where b = 0, and
conjugate(slopes, alphas), (L,), is what the dual value of least squares loses. K is 1 for EN, Groups, SLOPE
and MCP.

References
----------
Bogdan, van den Berg, Sabatti, Su, Candès (2015), SLOPE: adaptive variable selection via convex optimization,
Annals of Applied Statistics 9.
Zhang (2010), Nearly unbiased variable selection under minimax concave penalty, Annals of Statistics 38.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse
from scipy.stats import norm


@dataclass(frozen=True)
class Penalty:
    """What all have: a name for files, a title for tables, and whether there is a dual to certify by."""

    name: ClassVar[str]
    title: ClassVar[str]
    convex: ClassVar[bool] = True
    size: ClassVar[int] = 1  # neighbouring columns that enter together


@dataclass(frozen=True)
class L1(Penalty):
    """The sum of magnitudes."""

    name: ClassVar[str] = "l1"
    title: ClassVar[str] = ""

    def value(self, b: sparse.csc_matrix, alphas: np.ndarray) -> np.ndarray:
        return alphas * np.asarray(abs(b).sum(axis=0)).reshape(-1, len(alphas)).sum(axis=0)

    def dual_norm(self, slopes: Iterable[np.ndarray]) -> np.ndarray:
        return np.max([np.abs(block).max(axis=(0, 1)) for block in slopes], axis=0)


@dataclass(frozen=True)
class Net(Penalty):
    """The elastic net."""

    l1_ratio: float = 0.5

    name: ClassVar[str] = "net"
    title: ClassVar[str] = "elastic net"

    def value(self, b: sparse.csc_matrix, alphas: np.ndarray) -> np.ndarray:
        squares = np.asarray(b.multiply(b).sum(axis=0)).ravel()
        return self.l1_ratio * LASSO.value(b, alphas) + 0.5 * (1.0 - self.l1_ratio) * alphas * squares

    def dual_norm(self, slopes: Iterable[np.ndarray]) -> np.ndarray:
        """From this alpha on zero is the solution."""
        return LASSO.dual_norm(slopes) / self.l1_ratio

    def conjugate(self, slopes: Iterable[np.ndarray], alphas: np.ndarray) -> np.ndarray:
        excess = sum(
            (np.maximum(np.abs(block[:, 0]) - self.l1_ratio * alphas, 0.0) ** 2).sum(axis=0)
            for block in slopes
        )
        return excess / (2.0 * (1.0 - self.l1_ratio) * alphas)


@dataclass(frozen=True)
class Rows(Penalty):
    """The sum of the norms of rows, one row per column of X."""

    name: ClassVar[str] = "rows"
    title: ClassVar[str] = "rows"

    def value(self, b: sparse.csc_matrix, alphas: np.ndarray) -> np.ndarray:
        L, squares = len(alphas), b.multiply(b).tocsc()
        total = sum(squares[:, at : at + L] for at in range(0, b.shape[1], L))
        return alphas * np.asarray(total.sqrt().sum(axis=0)).ravel()

    def dual_norm(self, slopes: Iterable[np.ndarray]) -> np.ndarray:
        return np.max([np.linalg.norm(block, axis=1).max(axis=0) for block in slopes], axis=0)


@dataclass(frozen=True)
class Groups(Penalty):
    """The group lasso: neighbouring columns in groups of one size, each weighted by the root of it."""

    size: int = 10

    name: ClassVar[str] = "groups"
    title: ClassVar[str] = "group lasso"

    def value(self, b: sparse.csc_matrix, alphas: np.ndarray) -> np.ndarray:
        entries = b.tocoo()
        where = entries.row // self.size, entries.col  # equal places are added up
        squares = sparse.coo_matrix((entries.data**2, where), (b.shape[0] // self.size, len(alphas)))
        return alphas * np.sqrt(self.size) * np.asarray(squares.tocsc().sqrt().sum(axis=0)).ravel()

    def dual_norm(self, slopes: Iterable[np.ndarray]) -> np.ndarray:
        c = np.concatenate(list(slopes))[:, 0]
        return np.linalg.norm(c.reshape(-1, self.size, c.shape[1]), axis=1).max(axis=0) / np.sqrt(self.size)


@dataclass(frozen=True)
class SLOPE(Penalty):
    """The sorted L1 norm with the weights of Benjamini & Hochberg's procedure at level q."""

    q: float = 0.1

    name: ClassVar[str] = "slope"
    title: ClassVar[str] = "SLOPE"

    def weights(self, p: int) -> np.ndarray:
        """(p,), in decreasing order."""
        return norm.isf(np.arange(1, p + 1) * self.q / (2 * p))

    def value(self, b: sparse.csc_matrix, alphas: np.ndarray) -> np.ndarray:
        weights = self.weights(b.shape[0])
        columns = [np.sort(np.abs(used))[::-1] for used in np.split(b.data, b.indptr[1:-1])]
        return alphas * [column @ weights[: len(column)] for column in columns]

    def dual_norm(self, slopes: Iterable[np.ndarray]) -> np.ndarray:
        c = np.sort(np.abs(np.concatenate(list(slopes))[:, 0]), axis=0)[::-1]
        return np.max(c.cumsum(axis=0) / self.weights(len(c)).cumsum()[:, None], axis=0)


@dataclass(frozen=True)
class MCP(Penalty):
    """The minimax concave penalty: alpha |b| - b^2 / (2 gamma), and gamma alpha^2 / 2 from gamma alpha on."""

    gamma: float = 3.0

    name: ClassVar[str] = "mcp"
    title: ClassVar[str] = "MCP"
    convex: ClassVar[bool] = False

    def value(self, b: sparse.csc_matrix, alphas: np.ndarray) -> np.ndarray:
        entries = b.tocoo()
        alpha = alphas[entries.col]
        size = np.minimum(np.abs(entries.data), self.gamma * alpha)
        return np.bincount(entries.col, alpha * size - size**2 / (2.0 * self.gamma), len(alphas))

    def dual_norm(self, slopes: Iterable[np.ndarray]) -> np.ndarray:
        """From this alpha on zero is stationary."""
        return LASSO.dual_norm(slopes)

    def violation(self, slopes: Iterable[np.ndarray], b: sparse.csc_matrix, alphas: np.ndarray) -> np.ndarray:
        """Largest |c_j| - alpha of the zeros, and largest |c_j - slope of the penalty| of the others."""
        c, b = np.concatenate(list(slopes))[:, 0], b.toarray()
        wanted = np.sign(b) * np.maximum(alphas - np.abs(b) / self.gamma, 0.0)
        off = np.where(b == 0.0, np.abs(c) - alphas, np.abs(c - wanted))
        return np.maximum(off.max(axis=0), 0.0) / alphas


LASSO = L1()
PENALTIES = {kind.name: kind for kind in (L1, Net, Rows, Groups, MCP, SLOPE)}


def packed(penalty: Penalty) -> dict:
    """For a file; `unpacked` is the way back."""
    return {"name": penalty.name, **asdict(penalty)}


def unpacked(packed: dict) -> Penalty:
    return PENALTIES[packed["name"]](**{key: value for key, value in packed.items() if key != "name"})
