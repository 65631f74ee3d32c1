"""Statistics of pairs: what a fit to features beside their knockoffs makes of each of the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from riata._input.validation import Float
from riata.path.arguments import Options
from riata.path.coefs import each_output
from riata.path.cross_validation import cross_validate, warn_if_grid_ends, warn_unless_all_converged
from riata.path.cv_result import CVPath
from riata.path.fit import make_path, solve
from riata.path.fit_warnings import warn_if_memory_ended, warn_unless_converged
from riata.path.folds import Split, make_splits
from riata.path.given import Problem
from riata.path.result import RegularizationPath
from riata.selection.items import Items
from riata.selection.paired import Pairs

STATISTICS = ("coef_difference", "entry")


@dataclass(frozen=True, slots=True)
class Folds:
    """How alpha is chosen: arguments of `cv_path`."""

    cv: Any
    blocks: ArrayLike | None
    scoring: str
    alpha_rule: str
    seed: int
    X: Any
    y: Any

    def of(self, problem: Problem, options: Options) -> list[Split]:
        """The folds, which do not depend on features: the same for every draw."""
        return make_splits(
            self.cv, self.X, self.y, problem.target, problem.weights, self.blocks, shuffle=True,
            loss=options.loss, random_state=self.seed % 2**32,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Strengths:
    """What one draw of knockoffs says of each feature and of its knockoff.

    Attributes
    ----------
    features, knockoffs : ndarray of shape (p,)
        Sizes of coefficients on the scale of the penalty, or alphas of entry; 0 for what never entered.
    coefs : scipy.sparse.csr_array of shape (1, p K)
        Coefficients of the features themselves, on the original scale.
    alpha : float
        Where they were read.
    """

    features: Float
    knockoffs: Float
    coefs: Any
    alpha: float

    def of_items(self, items: Items, statistic: str, fixed: NDArray[np.bool_]) -> Float:
        """W, (G,): positive where an item does better than its knockoff; 0 for what is no item.

        Features that are `fixed`, their own knockoffs, count for neither side: which of the two equal columns
        is active would be a coin.
        """
        inside = items.of_feature >= 0
        inside[: len(fixed)] &= ~fixed
        label = items.of_feature[inside]
        sides = []
        for side in (self.features[inside], self.knockoffs[inside]):
            total = np.zeros(items.count)
            combine = np.maximum if statistic == "entry" else np.add
            combine.at(total, label, side)
            sides.append(total)
        real, copy = sides
        if statistic == "entry":
            return np.asarray(np.maximum(real, copy) * np.sign(real - copy))
        return np.asarray(real - copy)


def fit_pairs(
    both: Problem, pairs: Pairs, options: Options, statistic: str, splits: list[Split], folds: Folds
) -> Strengths:
    """Fit features beside their knockoffs, and read what each has off the path."""
    if statistic == "entry":
        path = _path(both, options)
        at = len(path) - 1
        sides = _entries(path)
    else:
        result = _cross_validated(both, options, splits, folds)
        path = result.path
        at = int(np.argmin(np.abs(path.alphas - result.alpha)))
        sides = _sizes(path, at)
    coefs = [sp.csr_array(matrix[:, [at]].tocsr()[pairs.originals].T) for matrix in each_output(path.coefs)]
    return Strengths(
        sides[pairs.originals], sides[pairs.knockoffs], _interleaved(coefs), float(path.alphas[at])
    )


def _path(both: Problem, options: Options) -> RegularizationPath:
    fit = solve(
        both.design, both.target, both.weights[:, None], both.offset, both.features, options, tell=False
    )[0]
    path = make_path(
        fit, both.design, both.target, both.weights, both.features, options, both.labels, offset=both.offset
    )
    warn_unless_converged(path.alphas, path.dual_gaps, path.converged, options, path.n_iter)
    warn_if_memory_ended(path, options)
    return path


def _cross_validated(both: Problem, options: Options, splits: list[Split], folds: Folds) -> CVPath:
    result = cross_validate(
        both.design, both.target, both.weights, both.offset, both.features, options, splits, folds.scoring,
        folds.alpha_rule, both.labels, weigh_folds=True,
    )  # fmt: skip
    warn_unless_all_converged(result, options)
    warn_if_grid_ends(result, options)
    warn_if_memory_ended(result.path, options)
    return result


def _sizes(path: RegularizationPath, at: int) -> Float:
    """Sums over outputs of |coefficients| on the scale of the penalty, for each column."""
    total = sum(np.abs(matrix[:, [at]].toarray()[:, 0]) for matrix in each_output(path.coefs))
    return np.asarray(total * path.scale)


def _entries(path: RegularizationPath) -> Float:
    """The largest alpha at which each column is active; 0 for those that never are."""
    out = np.zeros(each_output(path.coefs)[0].shape[0])
    for matrix in each_output(path.coefs):
        which = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))
        active = matrix.data != 0.0
        np.maximum.at(out, matrix.indices[active], path.alphas[which[active]])
    return out


def _interleaved(rows: list[Any]) -> Any:
    """Coefficients of K outputs, (1, p) each, as (1, p K), those of a feature together."""
    width, p = len(rows), rows[0].shape[1]
    index = np.concatenate([row.indices.astype(np.int64) * width + k for k, row in enumerate(rows)])
    values = np.concatenate([row.data for row in rows])
    order = np.argsort(index, kind="stable")
    return sp.csr_array((values[order], index[order], [0, len(index)]), shape=(1, p * width))
