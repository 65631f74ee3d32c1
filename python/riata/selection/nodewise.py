"""Nodewise regressions: what the other features leave of each feature that is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._input.design import DesignView
from riata._input.validation import Float, threads_for
from riata.path.arguments import Features, Options

TOL = 1e-4
STEP = 1.25  # how much more noise is taken for less bias


@dataclass(frozen=True, slots=True)
class Residual:
    """A feature less what the others explain of it: `values`, (n,), with its bias and noise factors."""

    values: Float
    bias: float
    noise: float


def nodewise(
    design: DesignView, asked: NDArray[np.int64], weights: Float, features: Features, options: Options
) -> list[Residual]:
    """Regress each of the features asked about on all others, with `weights` (n,), by a lasso each.

    Of the path of a feature that point is taken which has the least bias among those with at most 1.25 times
    the noise of the least noisy one whose bias is at most sqrt(2 log p) (Zhang & Zhang 2014).
    """
    columns = design.gather(asked, threads_for(options.n_threads, float(design.n_samples) * len(asked)))
    return [
        _choose(
            design, columns[:, k], weights, _path(design, int(j), columns[:, k], weights, features, options),
            options.n_threads,
        )
        for k, j in enumerate(asked)
    ]  # fmt: skip


def _path(
    design: DesignView, j: int, column: Float, weights: Float, features: Features, options: Options
) -> dict[str, Any]:
    """Fit feature `j` by all others; unpenalised and excluded ones are so here too."""
    factor = np.ones(design.n_features)
    given = features.penalty_factor
    if given is not None:  # which says how much the model shrinks coefficients, but for 0 and infinity
        factor = np.where((given > 0.0) & np.isfinite(given), 1.0, given)
    factor[j] = np.inf
    work = float(design.core.shape[0]) * design.n_features
    return _core.fit_paths(
        design.core,
        design.spread(column),
        np.asfortranarray(design.spread(weights[:, None])),
        None,
        factor,
        None,
        None,
        fit_intercept=options.fit_intercept,
        tol=TOL,
        n_threads=threads_for(options.n_threads, work),
    )[0]


def _choose(
    design: DesignView, column: Float, weights: Float, fit: dict[str, Any], n_threads: int
) -> Residual:
    """Take a point of the path of one feature."""
    indptr, indices = np.asarray(fit["coef_indptr"]), np.asarray(fit["coef_indices"])
    used = np.unique(indices).astype(np.int64)
    coefs = np.zeros((len(used), len(fit["alphas"])))
    at = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    coefs[np.searchsorted(used, indices), at] = fit["coef_values"]
    work = float(design.n_samples) * len(used) * coefs.shape[1]
    left = (
        column[:, None]
        - np.asarray(fit["intercepts"])
        - design.multiply(used, coefs, threads_for(n_threads, work))
    )
    size = np.sqrt(weights @ left**2)
    bias = float(weights.sum()) * np.asarray(fit["alphas"]) / size
    noise = size / np.abs(weights @ (left * column[:, None]))
    allowed = bias <= np.sqrt(2.0 * np.log(max(design.n_features, 2)))
    if not allowed.any():  # no other combination of features leaves enough of it
        best = int(np.argmin(bias))
        return Residual(left[:, best], float(bias[best]), np.inf)
    most = STEP * noise[allowed].min()
    within = np.flatnonzero(noise <= most)
    best = within[np.argmin(bias[within])]
    return Residual(left[:, best], float(bias[best]), float(noise[best]))
