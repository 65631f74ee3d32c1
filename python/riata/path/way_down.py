"""Penalties that are not convex, at given alphas: where a fit ends depends on where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from riata._input.validation import Float
from riata.path.arguments import Options

#: Alphas on the way to that of a concave penalty, for each factor of ten: those of a path of 50 down to 1 %.
STEPS_A_DECADE = 25

Fits = list[dict[str, Any]]


def way_down(largest: float, alpha: float) -> Float:
    """Return the alphas that lead from the largest of a path to `alpha`."""
    if alpha >= largest:
        return np.array([alpha])
    return np.geomspace(largest, alpha, 1 + int(np.ceil(STEPS_A_DECADE * np.log10(largest / alpha) - 1e-9)))


def down_a_path(call: Callable[[Options], Fits], options: Options) -> Fits:
    """Fit with `call`, at given alphas on a path that begins with no feature and takes no long steps.

    Returned are the fits at the given alphas that the path reached.
    """
    if options.penalty.certificate != "kkt" or options.alphas is None:
        return call(options)
    start = options.quietly(alphas=None, n_alphas=1, memory=0.0)
    largest = max(float(fit["alpha_max"]) for fit in call(start))
    before = max(largest, options.alphas[0])
    steps = [np.array([before])] if before > options.alphas[0] else []
    for alpha in options.alphas:
        steps.append(way_down(before, alpha)[0 if alpha == before else 1 :])
        before = alpha
    fits = call(replace(options, alphas=np.concatenate(steps)))
    return [_at(fit, options.alphas, options) for fit in fits]


def _at(fit: dict[str, Any], wanted: Float, options: Options) -> dict[str, Any]:
    """Keep of a path the fits at `wanted`."""
    alphas = np.asarray(fit["alphas"])
    kept = np.flatnonzero(np.isin(alphas, wanted))
    if len(kept) == 0 and fit["stopped"] != "progress":
        limit = str(fit["stopped"])
        raise ValueError(
            f"{limit} must be larger to reach alpha={wanted[0]:.6g}, got {getattr(options, limit)}: "
            f"the path there ends at alpha={alphas[-1]:.6g}"
        )
    if len(kept) == 0:
        kept = np.array([len(alphas) - 1])  # what there is
    return at_positions(fit, kept)


def at_positions(fit: dict[str, Any], kept: NDArray[np.integer[Any]]) -> dict[str, Any]:
    """Keep of a path the fits at some positions of its grid."""
    out = dict(fit)
    for name in EACH_ALPHA:
        if len(fit[name]):
            out[name] = np.asarray(fit[name])[kept]
    out["solver"] = [fit["solver"][i] for i in kept]
    n_outputs = int(np.prod(np.shape(fit["intercepts"])[1:], dtype=np.int64))
    shape = (len(fit["mean"]) * n_outputs, len(fit["alphas"]))
    coefs = sp.csc_array((fit["coef_values"], fit["coef_indices"], fit["coef_indptr"]), shape=shape)[:, kept]
    out |= {"coef_values": coefs.data, "coef_indices": coefs.indices, "coef_indptr": coefs.indptr}
    if fit["linear_predictor"] is not None:
        out["linear_predictor"] = np.asarray(fit["linear_predictor"])[..., kept]
    return out


EACH_ALPHA = (
    "alphas",
    "intercepts",
    "primal",
    "dual",
    "dual_gaps",
    "deviance_ratio",
    "converged",
    "locally_convex",
    "n_active",
    "n_groups",
    "n_iter",
)
