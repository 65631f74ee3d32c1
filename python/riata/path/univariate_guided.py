"""The univariate-guided lasso: one-feature models first, then a lasso of what they predict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from riata import _core
from riata._input.design import DesignView
from riata._input.gaps import LaidOut, lay_out
from riata._input.survival import SurvivalTarget
from riata._input.validation import Float, threads_for
from riata._io.progress import bar_of
from riata.losses._loss import Target
from riata.path.arguments import Features, Options

_ALPHAS = 16  # whose linear predictors are held together

Arguments = Callable[[_core.Design, Features, Options, int], dict[str, Any]]


def solve_guided(
    design: DesignView,
    targets: Sequence[Target],
    weights: Float,
    offset: Float | None,
    features: Features,
    options: Options,
    arguments: Arguments,
    *,
    leaders: Sequence[int],
    keep_linear_predictor: bool,
) -> list[dict[str, Any]]:
    """Fit problems, each a column of `weights` and a target; each has one-feature models of its own.

    A problem follows the grid of the one that leads it. `arguments` says what the core takes of the options.
    """
    fits: list[dict[str, Any]] = []
    files = []
    with bar_of(options.progress):
        for k, leader in enumerate(leaders):
            own = replace(options, progress=_part_of(options.progress, k, len(leaders)))
            if leader != k:
                own = replace(own, alphas=np.asarray(fits[leader]["alphas"]), max_active=-1, stop_early=False)
            if options.checkpoint and len(leaders) > 1:
                own = replace(
                    own, checkpoint=options.checkpoint + (f".{k}" if k else ""), keep_checkpoint=True
                )
                files.append(Path(own.checkpoint))
            problem = _Problem(design, targets[k], weights[:, [k]], offset, features, own, arguments)
            fits.append(problem.fit(keep_linear_predictor))
    for file in files[options.keep_checkpoint :]:
        file.unlink(missing_ok=True)
    return fits


def _part_of(progress: Any, done: int, count: int) -> Any:
    """Progress of one of several problems, told as that of all; only the first can end its path."""
    if progress is None or count == 1:
        return progress

    def told(at: int, total: int, *state: Any) -> bool | None:
        answer = progress(done * total + at, count * total, *state)
        return None if done else answer

    return told


@dataclass(slots=True)
class _Alone:
    """One-feature models: a design of their leave-one-out predictions, their intercepts and slopes."""

    core: _core.Design
    intercept: Float
    slope: Float


class _Problem:
    """One column of weights."""

    def __init__(
        self,
        design: DesignView,
        target: Target,
        weights: Float,
        offset: Float | None,
        features: Features,
        options: Options,
        arguments: Arguments,
    ) -> None:
        self.laid: LaidOut = lay_out(design, weights)
        self.weights = np.asfortranarray(self.laid.weights)
        self.survival: Any = None
        if isinstance(target, SurvivalTarget):
            rows = target.spread(self.laid)
            self.y, self.survival = rows.time, rows.core
        else:
            self.y = np.asfortranarray(self.laid.spread(target))
        self.offset = None if offset is None else np.asfortranarray(self.laid.spread(offset))
        p = design.n_features
        factor = np.ones(p) if features.penalty_factor is None else features.penalty_factor
        self.factor, self.free = factor, np.flatnonzero(factor == 0.0).astype(np.int64)
        self.options, self.arguments, self.p, self.label = options, arguments, p, features.label
        self.threads = threads_for(options.n_threads, float(self.laid.core.shape[0]) * p)

    def fit(self, keep_linear_predictor: bool) -> dict[str, Any]:
        beside = None
        if len(self.free):
            beside = _core.dense_design(self.laid.core.gather(self.free, self.threads))
        alone = self._fit_alone(beside)
        guided = np.where((self.factor > 0.0) & (alone.slope != 0.0), self.factor, np.inf)
        core, factor, lower = alone.core, guided, np.zeros(self.p)
        label = self.label
        if beside is not None:
            q = len(self.free)
            core = _core.hstack_design([core, beside])
            factor, lower = np.append(guided, np.zeros(q)), np.append(lower, np.full(q, -np.inf))
            label = None if label is None else np.append(label, np.full(q, -1))
        fit = self._call(core, Features(factor, lower, label=label), self.options, keep_linear_predictor)
        self._settle(fit, alone)
        self.laid.settle([fit])
        return fit

    def _call(self, core: _core.Design, features: Features, options: Options, keep: bool) -> dict[str, Any]:
        return _core.fit_paths(
            core,
            self.y,
            self.weights,
            self.offset,
            **self.arguments(core, features, options, self.threads),
            keep_linear_predictor=keep,
            survival=self.survival,
        )[0]

    def _fit_alone(self, beside: _core.Design | None) -> _Alone:
        """Fit a model to each feature, beside an offset that holds what free features do by themselves."""
        offset = self.offset
        if beside is not None:
            null = self.options.quietly(alphas=np.ones(1), n_alphas=1)
            fit = self._call(beside, Features(np.zeros(beside.shape[1])), null, keep=False)
            coef = np.zeros((beside.shape[1], 1), order="F")
            coef[fit["coef_indices"], 0] = fit["coef_values"]
            predicted = beside.multiply(np.arange(len(coef)), coef, self.threads)[:, 0]
            offset = predicted if offset is None else offset + predicted
        return _Alone(
            *_core.leave_one_out_design(
                self.laid.core, self.y, self.weights[:, 0], offset, self.options.loss.name, self.survival,
                self.options.fit_intercept or self.options.loss.has_times,
                getattr(self.options.penalty, "newton_steps", 1), self.threads,
            )
        )  # fmt: skip

    def _settle(self, fit: dict[str, Any], alone: _Alone) -> None:
        """Turn coefficients of predictions into those of features, on the scale of X."""
        shape = (self.p + len(self.free), len(fit["alphas"]))
        theta = sp.csc_array((fit["coef_values"], fit["coef_indices"], fit["coef_indptr"]), shape=shape)
        if not self.options.loss.has_times:
            fit["intercepts"] = np.asarray(fit["intercepts"]) + theta[: self.p].T @ alone.intercept
        number = np.append(np.arange(self.p), self.free)
        slope = np.append(alone.slope, np.ones(len(self.free)))
        coefs = sp.csc_array(
            (theta.data * slope[theta.indices], number[theta.indices], theta.indptr), shape=(self.p, shape[1])
        )
        coefs.sort_indices()
        fit |= {"coef_values": coefs.data, "coef_indices": coefs.indices, "coef_indptr": coefs.indptr}
        fit["dependent"] = number[np.asarray(fit["dependent"], dtype=np.int64)]
        share = np.asfortranarray(self.weights / self.weights.sum())
        mean, variance = (part[:, 0] for part in self.laid.core.moments(share, self.threads))
        fit |= {"mean": mean, "scale": np.ones(self.p), "spread": np.sqrt(variance)}
        fit["deviance_ratio"] = self._explained(coefs, np.asarray(fit["intercepts"]))

    def _explained(self, coefs: Any, intercepts: Float) -> Float:
        """Share of the deviance that the coefficients themselves explain, of each alpha."""
        used = np.unique(coefs.indices).astype(np.int64)
        shift = np.zeros(len(self.y)) if self.offset is None else self.offset
        weights = self.weights[:, 0]
        left = np.empty(len(intercepts))
        for start in range(0, len(left), _ALPHAS):
            here = slice(start, start + _ALPHAS)
            eta = np.add.outer(shift, intercepts[here])
            if len(used):
                some = np.asfortranarray(coefs[used][:, here].toarray())
                eta += self.laid.core.multiply(used, some, self.threads)
            left[here] = self._unexplained(np.asfortranarray(eta), weights)
        null = shift
        if self.options.fit_intercept:
            null = shift + self.options.loss.null_level(self.y, weights, shift)
        whole = float(self._unexplained(np.asfortranarray(null[:, None]), weights)[0])
        return 1.0 - left / whole if whole > 0.0 else np.zeros(len(left))

    def _unexplained(self, eta: Float, weights: Float) -> Float:
        """Mean deviance at linear predictors (n, L), up to a factor."""
        loss = self.options.loss
        if self.survival is not None:
            least = _core.cox_saturated(self.y, self.survival, weights)
            return np.asarray(_core.cox_objective(self.y, self.survival, weights, eta) - least)
        return np.asarray(loss.scorer(next(iter(loss.scores)))(self.y, eta, weights))
