"""Coefficients along a path: one sparse matrix (features x alphas), or a list of them, one per output.

Arrays beside them have the outputs, if there are several, before the alphas: intercepts are (L,) or (K, L),
linear predictors (m, L) or (m, K, L). What comes between samples and alphas, () or (K,), is called `outputs`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from riata._input.design import DesignView, check_finite_result
from riata._input.validation import Float, threads_for

Outputs = tuple[int, ...]


def coefs_of(fit: dict[str, Any], n_features: int, outputs: Outputs, name: str = "coef") -> Any:
    """The coefficients of a result of the core, whose row j K + k is feature j of output k.

    Or, with the `name` "part", what each member of its groups adds to them.
    """
    values, rows, indptr = (np.asarray(fit[f"{name}_{part}"]) for part in ("values", "indices", "indptr"))
    shape = (n_features, len(indptr) - 1)
    if not outputs:
        return sp.csc_array((values, rows, indptr), shape=shape)
    features, output = np.divmod(rows, outputs[0])
    coefs = []
    for k in range(outputs[0]):
        mine = output == k
        ends = np.concatenate([[0], np.cumsum(mine)])[indptr]
        coefs.append(sp.csc_array((values[mine], features[mine], ends), shape=shape))
    return coefs


def intercepts_of(fit: dict[str, Any], outputs: Outputs) -> Float:
    """The intercepts of a result of the core, which has the alphas first."""
    return np.ascontiguousarray(np.reshape(fit["intercepts"], (-1, *outputs)).T)


def each_output(coefs: Any) -> list[Any]:
    """The matrix of every output."""
    return coefs if isinstance(coefs, list) else [coefs]


def side_by_side(coefs: Any) -> Any:
    """One matrix, the alphas of the first output before those of the second."""
    return sp.csc_array(sp.hstack(coefs, format="csc")) if isinstance(coefs, list) else coefs


def taken_apart(wide: Any, outputs: Outputs) -> Any:
    """What `side_by_side` put together."""
    if not outputs:
        return wide
    n_alphas = wide.shape[1] // outputs[0]
    return [wide[:, k * n_alphas : (k + 1) * n_alphas] for k in range(outputs[0])]


def linear_predictor(design: DesignView, coefs: Any, intercepts: Float, n_threads: int) -> Float:
    """intercepts + X coefs, shape (n, *outputs, L), reading only columns of X with a nonzero coefficient."""
    wide = side_by_side(coefs)
    rows = np.unique(wide.indices).astype(np.int64)
    if len(rows) == 0:
        return np.repeat(intercepts[None], design.n_samples, axis=0)
    block = np.asfortranarray(wide.tocsr()[rows].toarray())
    threads = threads_for(n_threads, float(design.core.shape[0]) * block.size)
    out = design.multiply(rows, block, threads) + intercepts.ravel()
    check_finite_result(out)
    return out.reshape(len(out), *intercepts.shape)


def entry_alphas(coefs: Any, alphas: Float) -> Float:
    """Return the largest alpha at which each feature is active, (p,); NaN for those that never are.

    `coefs` is the (p, L) CSC array of a path whose `alphas` decrease.
    """
    first = np.full(coefs.shape[0], np.nan)
    column = np.repeat(np.arange(coefs.shape[1]), np.diff(coefs.indptr))
    nonzero = coefs.data != 0.0
    rows, column = coefs.indices[nonzero], column[nonzero]
    first[rows[::-1]] = alphas[column[::-1]]  # columns run from large to small alpha: the first one wins
    return first
