"""Fits at alpha = 0: least squares of least norm, or the loss without a penalty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from riata import _core
from riata._input.validation import Float
from riata._io.machine import machine_memory
from riata._io.sizes import bytes_text
from riata.path.arguments import Features, Options

MEMORY_SHARE = 0.5  # of the machine's, for the dense copy of X that least squares needs
COPIES = 4  # of it that a decomposition holds

Fits = list[dict[str, Any]]
Call = Callable[[Options, Features], Fits]

#: What a fit of the core has one entry of for each alpha.
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


def down_to_zero(
    call: Call, core: _core.Design, ys: Sequence[Float], weights: Float, offset: Float | None,
    features: Features, options: Options, *, leaders: Sequence[int], keep_linear_predictor: bool,
) -> Fits:  # fmt: skip
    """Fit with `call` at the alphas above 0, and at those that are 0 without a penalty.

    Problem k has the response `ys[k]` and the weights of column k. Where it or another that follows
    the same leader ended early, all that follow it have no fit at 0.

    That is least squares where the loss is, as ridge regression approaches it: of all that minimise the loss
    the coefficients of least norm, as the penalty measures it. Elsewhere, and within bounds, the core fits
    with features that are not penalised.
    """
    if options.alphas is None or options.alphas[-1] > 0.0:
        return call(options, features)
    squares = options.loss.squares and features.lower is None and features.upper is None
    if squares:
        rows = int(np.count_nonzero(weights > 0.0, axis=0).max())
        _check_room(rows, len(_used(features, core.shape[1])), options.memory)
    positive = options.alphas[options.alphas > 0.0]
    if len(positive):
        fits = call(replace(options, alphas=positive), features)
    else:
        alone = options.quietly(alphas=None, n_alphas=1)
        fits = [_at_positions(fit, np.empty(0, dtype=np.int64)) for fit in call(alone, features)]
    ended = {leader for leader, fit in zip(leaders, fits, strict=True) if fit["stopped"]}
    if ended.issuperset(leaders):
        return fits
    if squares:
        ends = [
            _least_squares(
                core, ys[k], weights[:, k], offset, features, options, fit, keep=keep_linear_predictor
            )
            for k, fit in enumerate(fits)
        ]
    else:
        ends = _unpenalised(call, features, options, len(fits[0]["mean"]))
    count = len(options.alphas) - len(positive)
    return [
        fit if leader in ended else _joined(fit, end, count, options)
        for leader, fit, end in zip(leaders, fits, ends, strict=True)
    ]


def _at_positions(fit: dict[str, Any], kept: NDArray[np.integer[Any]]) -> dict[str, Any]:
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


def _unpenalised(call: Call, features: Features, options: Options, p: int) -> Fits:
    """Fit with features that have no penalty, whatever alpha is."""
    factor = np.zeros(p) if features.penalty_factor is None else features.penalty_factor.copy()
    factor[np.isfinite(factor)] = 0.0
    alone = options.quietly(alphas=np.ones(1))
    return call(alone, replace(features, penalty_factor=factor))


def _least_squares(
    core: _core.Design, y: Float, weights: Float, offset: Float | None, features: Features,
    options: Options, fit: dict[str, Any], *, keep: bool,
) -> dict[str, Any]:  # fmt: skip
    """The least-squares coefficients of least norm, by the singular values of X."""
    p, outputs = len(fit["mean"]), y.shape[1:]
    factor = np.ones(p) if features.penalty_factor is None else features.penalty_factor
    used = _used(features, p)
    rows = np.flatnonzero(weights > 0.0)
    values = np.asarray(core.gather(used))
    share = weights[rows] / weights.sum()
    root = np.sqrt(share)[:, None]
    shift = np.zeros(y.shape) if offset is None else offset
    Z, target = values[rows], np.reshape((y - shift)[rows], (len(rows), -1))
    centre = share @ Z if options.fit_intercept else np.zeros(len(used))
    level = share @ target if options.fit_intercept else np.zeros(target.shape[1])
    Z, target = root * (Z - centre), root * (target - level)
    size = np.sqrt(factor[used]) * (np.asarray(fit["scale"])[used] if options.standardize else 1.0)
    coef, left, gap = _least_norm(Z, target, size)
    intercept = level - centre @ coef
    primal = 0.5 * float((left**2).sum())
    wide = np.zeros((p, target.shape[1]))
    wide[used] = coef
    held = np.flatnonzero(weights == 0.0)
    ahead = values[held] @ coef + intercept + shift[held].reshape(len(held), target.shape[1])
    return {
        "wide": wide,
        "intercepts": intercept.reshape(1, *outputs),
        "primal": [primal],
        "dual": [primal - gap],
        "deviance_ratio": [1.0 - primal / max(float(fit["null_objective"]), np.finfo(float).tiny)],
        "n_active": [int(np.count_nonzero(wide.any(axis=1)))],
        "n_iter": [1],
        "solver": ["least squares"],
        "linear_predictor": ahead if keep else None,
    }


def _used(features: Features, p: int) -> NDArray[np.int64]:
    """The features that are not left out."""
    if features.penalty_factor is None:
        return np.arange(p, dtype=np.int64)
    return np.flatnonzero(np.isfinite(features.penalty_factor)).astype(np.int64)


def _least_norm(Z: Float, target: Float, size: Float) -> tuple[Float, Float, float]:
    """Minimise ½‖target - Z b‖², then ‖size · b‖: b, what is left, and ½‖·‖² of that within reach of Z."""
    import scipy.linalg

    free, tied = size == 0.0, size > 0.0
    basis = scipy.linalg.orth(Z[:, free]) if free.any() else np.zeros((len(Z), 0))
    scaled = Z[:, tied] / size[tied]
    scaled -= basis @ (basis.T @ scaled)
    left_vectors, singular, right_vectors = scipy.linalg.svd(scaled, full_matrices=False)
    least = singular.max(initial=0.0) * max(Z.shape) * np.finfo(float).eps
    rank = int(np.count_nonzero(singular > least))
    left_vectors, right_vectors = left_vectors[:, :rank], right_vectors[:rank]
    coef = np.zeros((Z.shape[1], target.shape[1]))
    left = target
    for _ in range(2):  # the second takes out the rounding of the first
        pull = left_vectors.T @ (left - basis @ (basis.T @ left)) / singular[:rank, None]
        coef[tied] += (right_vectors.T @ pull) / size[tied, None]
        if free.any():
            coef[free] += scipy.linalg.lstsq(Z[:, free], target - Z @ coef)[0]
        left = target - Z @ coef
    reach = np.vstack([left_vectors.T @ left, basis.T @ left])
    return coef, left, 0.5 * float((reach**2).sum())


def _joined(fit: dict[str, Any], end: dict[str, Any], count: int, options: Options) -> dict[str, Any]:
    """Put what was fitted at alpha 0 at the end of a path, `count` times."""
    out = dict(fit)
    if "wide" in end:
        flat = end["wide"].reshape(-1)
        at = np.flatnonzero(flat)
        values = flat[at]
    else:
        at, values = np.asarray(end["coef_indices"]), np.asarray(end["coef_values"])
        for name in ("exhausted", "separated"):
            out[name] = fit[name] or end[name]
        out["dependent"] = end["dependent"]
    unit = float(fit["null_objective"]) - float(fit["saturated_objective"])
    gap = float(end["primal"][0] - end["dual"][0])
    relative = gap / unit if unit > 0.0 else 0.0
    tail = {
        "alphas": [0.0],
        "dual_gaps": [relative],
        "converged": [abs(relative) <= options.tol],
        **{
            name: end[name]
            for name in ("intercepts", "primal", "dual", "deviance_ratio", "n_active", "n_iter")
        },
    }
    for name, value in tail.items():
        before = np.asarray(fit[name])
        one = np.reshape(np.asarray(value, dtype=before.dtype), (1, *before.shape[1:]))
        out[name] = np.concatenate([before, *[one] * count])
    out["solver"] = [*fit["solver"], *list(end["solver"]) * count]
    out["coef_indices"] = np.concatenate([fit["coef_indices"], *[at] * count])
    out["coef_values"] = np.concatenate([fit["coef_values"], *[values] * count])
    starts = np.asarray(fit["coef_indptr"])
    out["coef_indptr"] = np.concatenate([starts, starts[-1] + len(at) * np.arange(1, count + 1)])
    if fit["linear_predictor"] is not None:
        kept = np.asarray(fit["linear_predictor"])
        last = np.asarray(end["linear_predictor"]).reshape(*kept.shape[:-1], 1)
        out["linear_predictor"] = np.concatenate([kept, *[last] * count], axis=-1)
    return out


def _check_room(n_rows: int, n_columns: int, memory: float) -> None:
    """Refuse least squares that the `memory` asked for, or the machine, has no room for."""
    needed = COPIES * 8.0 * n_rows * n_columns
    if 0.0 < memory < needed:
        raise ValueError(
            f"memory must be at least {needed:.0f} bytes for an alpha of 0, got {memory:.0f}: least squares "
            f"takes dense copies of {n_rows} x {n_columns}"
        )
    if needed > MEMORY_SHARE * machine_memory():
        raise ValueError(
            f"alphas must be > 0 where X is as large as {n_rows} x {n_columns}, got 0: least squares takes "
            f"{bytes_text(needed)} of memory"
        )
