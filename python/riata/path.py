"""Regularisation paths: fitting one, reading it, keeping it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path as FilePath
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from riata import _core
from riata._design import DesignView, as_design, check_finite_result
from riata._survival import SurvivalTarget, check_survival_target, refuse_survival_arguments
from riata._validation import (
    LOSSES,
    SOLVERS,
    Float,
    Names,
    check_alphas,
    check_binomial_target,
    check_bounds,
    check_checkpoint,
    check_choice,
    check_exclude,
    check_flag,
    check_gaussian_target,
    check_integer,
    check_memory,
    check_offset,
    check_penalty_factor,
    check_poisson_target,
    check_progress,
    check_real,
    check_threads,
    check_weights,
    threads_for,
)
from riata.penalties import ElasticNet
from riata.text_columns import PlainColumn, TextColumn, differing_rows, plain_column

__all__ = ["Path", "fit_path", "load"]

Progress = Callable[[int, int, float, int, float, float], "bool | None"]

FORMAT = 1  # of saved paths
HUBER_DELTA = 1.345  # with residuals of unit spread, 95 % as efficient as least squares
CHECKPOINT_SECONDS = 60.0  # between two writes, at least
KINDS = ("response", "link", "class")


@dataclass(slots=True, repr=False)
class Path:
    """A regularisation path: one certified fit for each alpha of a decreasing grid.

    Made by `fit_path`; kept with `save` and read back with `riata.load`.

    Attributes
    ----------
    alphas : ndarray of shape (L,)
        Penalty strengths, decreasing.
    coefs : scipy.sparse.csc_array of shape (p, L)
        Coefficients on the original scale of X, one column an alpha.
    intercepts : ndarray of shape (L,)
    primal, dual : ndarray of shape (L,)
        The objective and a lower bound of its minimum, both computed from the data in float64.
    dual_gaps : ndarray of shape (L,)
        Certificates: (primal - dual) / (null_objective - saturated_objective). `tol` bounds them.
    converged : ndarray of bool, shape (L,)
        Whether the dual gap is at most `tol`.
    deviance_ratio : ndarray of shape (L,)
        Share of the null deviance explained; R² for the gaussian loss.
    n_active : ndarray of int, shape (L,)
        Nonzero coefficients, unpenalised features included, the intercept not.
    n_iter : ndarray of int, shape (L,)
        Inner iterations.
    solver : list of str
        The solver used at each alpha.
    loss : str
    l1_ratio : float
    alpha_max : float
        The smallest alpha at which no penalised feature is active.
    null_objective, saturated_objective : float
        Loss of the intercept and unpenalised features alone; loss of a perfect fit.
    mean, scale : ndarray of shape (p,)
        Weighted column means, and the scales the penalty was measured on (ones when not standardised).
    standardize, fit_intercept : bool
    tol : float
    n_samples : int
        Samples of positive weight.
    weight_sum : float
        Sum of the observation weights.
    response_scale : float
        Weighted standard deviation of y (1/n), of the times for the Cox loss.
    feature_names : ndarray of str or TextColumn, shape (p,), or None
    classes : ndarray of shape (2,), or None
        Labels coded 0 and 1 by the binomial loss.
    stopped : {"", "progress", "deviance", "max_active", "memory"}
        Why the path ended before the end of the grid: the progress function asked for it, the deviance ratio
        passed 0.999, more features than `max_active` were active, or more memory than `memory` was held.
    counters : dict
        Work done: passes over X, columns streamed, solver steps, bytes held beside X, seconds.
    certificate : str
        ``"duality_gap"``: what `tol` bounds.
    huber_delta : float or None
        Of the Huber loss.
    """

    alphas: Float
    coefs: Any
    intercepts: Float
    primal: Float
    dual: Float
    dual_gaps: Float
    converged: NDArray[np.bool_]
    deviance_ratio: Float
    n_active: NDArray[np.int64]
    n_iter: NDArray[np.int64]
    solver: list[str]
    loss: str
    l1_ratio: float
    alpha_max: float
    null_objective: float
    saturated_objective: float
    mean: Float
    scale: Float
    standardize: bool
    fit_intercept: bool
    tol: float
    n_samples: int
    weight_sum: float
    response_scale: float
    feature_names: Names | None = None
    classes: NDArray[Any] | None = None
    stopped: str = ""
    counters: dict[str, float] = field(default_factory=dict)
    certificate: str = "duality_gap"
    huber_delta: float | None = None

    @property
    def n_features(self) -> int:
        """Number of features p."""
        return int(self.coefs.shape[0])

    @property
    def interrupted(self) -> bool:
        """Whether the progress function ended the path."""
        return self.stopped == "progress"

    @property
    def n_passes(self) -> float:
        """Reads of the whole of X that the fit took."""
        return float(self.counters.get("passes", np.nan))

    def __len__(self) -> int:
        return len(self.alphas)

    def __repr__(self) -> str:
        last = f"{self.n_active[-1]} active at {self.alphas[-1]:.3g}"
        state = "" if self.converged.all() else f", {int((~self.converged).sum())} not converged"
        return (
            f"<riata.Path {self.loss}, {self.n_samples} samples x {self.n_features} features, "
            f"{len(self)} alphas from {self.alphas[0]:.3g}, {last}, "
            f"deviance ratio {self.deviance_ratio[-1]:.3f}, largest gap {self.dual_gaps.max():.1e}{state}>"
        )

    def coef(self, alpha: float | ArrayLike | None = None) -> Any:
        """Coefficients at `alpha`, interpolated linearly between the two nearest grid points.

        Parameters
        ----------
        alpha : float or sequence of float, optional
            Within the grid. Above `alpha_max` nothing changes any more, so there any value is allowed as soon
            as the grid starts at `alpha_max` or above. None: the whole grid.

        Returns
        -------
        ndarray of shape (p,), or scipy.sparse.csc_array of shape (p, k)
            Sparse for a sequence of alphas and for None.

        Raises
        ------
        ValueError
            When `alpha` lies outside the grid.
        """
        if alpha is None:
            return self.coefs
        coefs, _ = self._at(alpha)
        return coefs.toarray()[:, 0] if np.ndim(alpha) == 0 else coefs

    def intercept(self, alpha: float | ArrayLike | None = None) -> Any:
        """Intercept at `alpha`, interpolated as `coef` is: a float, or an array for a sequence."""
        if alpha is None:
            return self.intercepts
        _, intercepts = self._at(alpha)
        return float(intercepts[0]) if np.ndim(alpha) == 0 else intercepts

    def predict(
        self,
        X: Any,
        alpha: float | ArrayLike | None = None,
        *,
        kind: str = "response",
        offset: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> NDArray[Any]:
        """Predict for the samples of `X`.

        Parameters
        ----------
        X : as in `fit_path`, shape (m, p)
        alpha : float or sequence of float, optional
            Where on the path; interpolated as `coef` does. None: every alpha of the grid.
        kind : {"response", "link", "class"}, default="response"
            The mean (for the binomial loss the probability of ``classes[1]``, for the Poisson loss the
            exponential of the linear predictor), the linear predictor, or the class label (binomial only).
            For the Cox loss the linear predictor is what there is: the log of the hazard relative to the
            baseline.
        offset : array of shape (m,), optional
            Added to the linear predictor.
        n_threads : int, optional
            Default: every available core.

        Returns
        -------
        ndarray of shape (m,) for one alpha, else (m, k)
        """
        check_choice("kind", kind, KINDS)
        if kind == "class" and self.classes is None:
            raise ValueError(f"kind must be 'response' or 'link' for the {self.loss} loss, got 'class'")
        coefs, intercepts = (self.coefs, self.intercepts) if alpha is None else self._at(alpha)
        design = as_design(X)
        self._check_features(design)
        shift = check_offset(offset, design.n_samples)
        link = linear_predictor(design, coefs, intercepts, check_threads(n_threads))
        if shift is not None:
            link += shift[:, None]
        out: NDArray[Any] = link
        if kind == "response":
            out = mean_response(self.loss, link)
        elif kind == "class" and self.classes is not None:
            out = self.classes[(link > 0.0).astype(np.intp)]
        return out[:, 0] if alpha is not None and np.ndim(alpha) == 0 else out

    def to_frame(self) -> Any:
        """The nonzero coefficients as a long pandas table: alpha, feature, coef, in the order of the path."""
        import pandas as pd

        coefs = self.coefs
        names = self.feature_names
        feature = coefs.indices if names is None else np.asarray(names[coefs.indices])
        alpha = np.repeat(self.alphas, np.diff(coefs.indptr))
        return pd.DataFrame({"alpha": alpha, "feature": feature, "coef": coefs.data})

    def plot(self, ax: Any = None, *, xaxis: str = "alpha", labels: int = 0) -> Any:
        """Draw the coefficients along the path with matplotlib; returns the axes."""
        from riata.plots import plot_path

        return plot_path(self, ax=ax, xaxis=xaxis, labels=labels)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the path to an ``.npz`` archive, whole or not at all; read it back with `riata.load`."""
        write_archive(path, self._pack())

    def _at(self, alpha: float | ArrayLike) -> tuple[Any, Float]:
        left, right, share = self._between(alpha)
        coefs = self.coefs[:, right]
        intercepts = self.intercepts[right].copy()
        if share.any():
            coefs = coefs @ sp.diags_array(1.0 - share) + self.coefs[:, left] @ sp.diags_array(share)
            intercepts = (1.0 - share) * intercepts + share * self.intercepts[left]
        return sp.csc_array(coefs), intercepts

    def _between(self, alpha: float | ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.intp], Float]:
        """Return, for each alpha, the grid points on either side of it and the share of the left one."""
        wanted = np.atleast_1d(np.asarray(alpha, dtype=np.float64))
        if wanted.ndim != 1 or not np.all(np.isfinite(wanted)):
            raise ValueError(f"alpha must be a finite number or a 1-D sequence of them, got {alpha!r}")
        grid = self.alphas
        high, low = grid[0], grid[-1]
        starts_empty = self.l1_ratio > 0.0 and high >= self.alpha_max * (1.0 - 1e-12)
        slack = 1e-9
        outside = wanted < low * (1.0 - slack)
        if not starts_empty:
            outside |= wanted > high * (1.0 + slack)
        if outside.any():
            raise ValueError(
                f"alpha must lie within the fitted path, from {low:.6g} to {high:.6g}, got "
                f"{wanted[outside][0]:.6g}; fit a longer path or pass alphas= to fit_path"
            )
        wanted = np.clip(wanted, low, high)
        right = np.minimum(np.searchsorted(-grid, -wanted, side="left"), len(grid) - 1)
        left = np.maximum(right - 1, 0)
        width = grid[left] - grid[right]
        share = np.where(width > 0.0, (wanted - grid[right]) / np.where(width > 0.0, width, 1.0), 0.0)
        exact = wanted == grid[right]
        share[exact] = 0.0
        return left, right, share

    def _check_features(self, design: DesignView) -> None:
        if design.n_features != self.n_features:
            raise ValueError(
                f"X must have the {self.n_features} features of the fit, got {design.n_features}"
            )
        ours, theirs = self.feature_names, design.feature_names
        if ours is None or theirs is None:
            return
        differ = differing_rows(ours, theirs)
        if len(differ):
            j = int(differ[0])
            raise ValueError(
                "X must have the features of the fit in the same order, "
                f"got {theirs[j]!r} where the fit had {ours[j]!r}"
            )

    def _pack(self) -> dict[str, Any]:
        arrays: dict[str, Any] = {
            "coef_indptr": self.coefs.indptr,
            "coef_indices": self.coefs.indices,
            "coef_values": self.coefs.data,
        }
        meta: dict[str, Any] = {"kind": "path", "format": FORMAT}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                arrays[item.name] = value
            elif isinstance(value, TextColumn):
                plain = plain_column(value)
                arrays[f"{item.name}_data"], arrays[f"{item.name}_offsets"] = plain.data, plain.offsets
            elif item.name != "coefs":
                meta[item.name] = value
        arrays["meta"] = np.array(json.dumps(meta))
        return arrays

    @classmethod
    def _unpack(cls, arrays: dict[str, Any]) -> Path:
        meta = json.loads(str(arrays["meta"]))
        parts: dict[str, Any] = {}
        for item in fields(cls):
            if item.name == "coefs":
                shape = (len(arrays["mean"]), len(arrays["alphas"]))
                csc = (arrays["coef_values"], arrays["coef_indices"], arrays["coef_indptr"])
                parts["coefs"] = sp.csc_array(csc, shape=shape)
            elif item.name in arrays:
                parts[item.name] = arrays[item.name]
            elif f"{item.name}_offsets" in arrays:
                parts[item.name] = PlainColumn(arrays[f"{item.name}_data"], arrays[f"{item.name}_offsets"])
            elif item.name in meta:  # else it came to riata after the file was written
                parts[item.name] = meta[item.name]
        return cls(**parts)


def expit(eta: Float) -> Float:
    """1 / (1 + exp(-eta)), without overflow."""
    from scipy.special import expit as logistic

    return np.asarray(logistic(eta), dtype=np.float64)


def mean_response(loss: str, link: Float) -> Float:
    """Return the mean of the response at a linear predictor; for the Cox loss the predictor itself."""
    if loss == "binomial":
        return expit(link)
    if loss == "poisson":
        with np.errstate(over="ignore"):
            return np.exp(link)
    return link


def linear_predictor(design: DesignView, coefs: Any, intercepts: Float, n_threads: int) -> Float:
    """intercepts + X coefs, shape (n, k), touching only the columns of X with a nonzero coefficient."""
    rows = np.unique(coefs.indices).astype(np.int64)
    if len(rows) == 0:
        return np.repeat(intercepts[None, :], design.n_samples, axis=0)
    block = np.asfortranarray(coefs.tocsr()[rows].toarray())
    threads = threads_for(n_threads, float(design.core.shape[0]) * block.size)
    out = design.multiply(rows, block, threads) + intercepts
    check_finite_result(out)
    return out


@dataclass(slots=True)
class Options:
    """Checked arguments of a fit that do not depend on the data."""

    loss: str
    l1_ratio: float
    alphas: Float | None
    n_alphas: int
    eps: float
    fit_intercept: bool
    standardize: bool
    tol: float
    max_iter: int
    solver: str
    n_threads: int
    max_active: int
    memory: float
    progress: Progress | None
    stop_early: bool = True
    checkpoint: str = ""
    keep_checkpoint: bool = False
    huber_delta: float = HUBER_DELTA


def check_options(
    *,
    loss: Any,
    penalty: Any,
    alphas: Any,
    eps: Any,
    fit_intercept: Any,
    standardize: Any,
    l1_ratio: Any,
    tol: Any,
    max_iter: Any,
    solver: Any,
    n_threads: Any,
    progress: Any,
    max_active: Any,
    memory: Any = None,
    checkpoint: Any = None,
    keep_checkpoint: Any = False,
    huber_delta: Any = HUBER_DELTA,
) -> Options:
    """Check the arguments of `fit_path` that need no data, in the order of its signature."""
    check_choice("loss", loss, LOSSES)
    if penalty is not None:
        if not isinstance(penalty, ElasticNet):
            kind = type(penalty).__name__
            raise TypeError(
                "penalty must be None or riata.penalties.ElasticNet(l1_ratio), "
                f"got {penalty!r} of type {kind}"
            )
        if l1_ratio != 1.0 and l1_ratio != penalty.l1_ratio:
            raise ValueError(
                f"l1_ratio must be left out when penalty is given, got {l1_ratio!r} and {penalty!r}"
            )
        l1_ratio = penalty.l1_ratio
    grid, n_alphas = check_alphas(alphas)
    ratio = check_real("l1_ratio", l1_ratio, at_least=0.0, at_most=1.0)
    return Options(
        loss=loss,
        l1_ratio=ratio,
        alphas=grid,
        n_alphas=n_alphas,
        eps=0.0 if eps is None else check_real("eps", eps, above=0.0, below=1.0),
        fit_intercept=check_flag("fit_intercept", fit_intercept) and loss != "cox",
        standardize=check_flag("standardize", standardize),
        tol=check_real("tol", tol, above=0.0),
        max_iter=check_integer("max_iter", max_iter, at_least=1),
        solver=check_choice("solver", solver, SOLVERS),
        n_threads=check_threads(n_threads),
        max_active=-1 if max_active is None else check_integer("max_active", max_active, at_least=1),
        memory=check_memory(memory),
        progress=check_progress(progress),
        checkpoint=check_checkpoint(checkpoint),
        keep_checkpoint=check_flag("keep_checkpoint", keep_checkpoint),
        huber_delta=check_real("huber_delta", huber_delta, above=0.0),
    )


@dataclass(slots=True)
class Features:
    """Checked arguments of a fit that describe features, each of length p or None."""

    penalty_factor: Float | None = None
    lower: Float | None = None
    upper: Float | None = None


def check_features(
    design: DesignView,
    penalty_factor: Any,
    lower: Any,
    upper: Any,
    exclude: Any = None,
    *,
    positive: bool = False,
) -> Features:
    """Check penalty factors, bounds and exclusions against the number of features."""
    p = design.n_features
    factor = check_penalty_factor(penalty_factor, p)
    low, high = check_bounds(lower, upper, p, positive=positive)
    left_out = check_exclude(exclude, p, design.feature_names)
    if left_out is not None:
        factor = np.ones(p) if factor is None else factor.copy()
        factor[left_out] = np.inf
    return Features(factor, low, high)


def check_target(
    loss: str, y: Any, n: int, weights: Float, start: Any = None, strata: Any = None, ties: Any = "breslow"
) -> tuple[Float | SurvivalTarget, NDArray[Any] | None]:
    """Return (y as float64 or survival times, classes or None)."""
    if y is None:
        raise TypeError("y must hold one value a sample, got None")
    if loss == "cox":
        return check_survival_target(y, n, weights, start, strata, ties), None
    refuse_survival_arguments(loss, start, strata, ties)
    if loss == "binomial":
        return check_binomial_target(y, n, weights)
    if loss == "poisson":
        return check_poisson_target(y, n, weights), None
    return check_gaussian_target(y, n), None


def solve(
    design: DesignView,
    y: Float | SurvivalTarget,
    weights: Float,
    offset: Float | None,
    features: Features,
    options: Options,
    *,
    keep_linear_predictor: bool = False,
    held_out: Callable[[list[Float]], None] | None = None,
) -> list[dict[str, Any]]:
    """Call the core for the weight columns of `weights` (n x F); rows of `design` are put in its order."""
    eps = options.eps
    if eps == 0.0:  # by the samples that count: those of weight zero are as good as absent
        eps = 0.01 if design.n_features > np.count_nonzero(weights[:, 0]) else 1e-4
    work = float(design.core.shape[0]) * design.n_features * weights.shape[1]
    survival = None
    if isinstance(y, SurvivalTarget):
        rows = y.spread(design)
        y, survival = rows.time, rows.core
    else:
        y = np.ascontiguousarray(design.spread(y))
    return _core.fit_paths(
        design.core,
        y,
        np.asfortranarray(design.spread(weights)),
        None if offset is None else np.ascontiguousarray(design.spread(offset)),
        **core_arguments(features, options, threads_for(options.n_threads, work)),
        eps=eps,
        keep_linear_predictor=keep_linear_predictor,
        held_out=held_out,
        survival=survival,
    )


def core_arguments(features: Features, options: Options, n_threads: int) -> dict[str, Any]:
    """Return what every call of the core takes of the options and of the features."""
    return {
        "penalty_factor": features.penalty_factor,
        "lower": features.lower,
        "upper": features.upper,
        "loss": options.loss,
        "solver": options.solver,
        "fit_intercept": options.fit_intercept,
        "standardize": options.standardize,
        "l1_ratio": options.l1_ratio,
        "alphas": options.alphas,
        "n_alphas": options.n_alphas,
        "stop_early": options.stop_early,
        "max_active": options.max_active,
        "memory": options.memory,
        "tol": options.tol,
        "max_iter": options.max_iter,
        "n_threads": n_threads,
        "progress": options.progress,
        "checkpoint": options.checkpoint,
        "checkpoint_seconds": CHECKPOINT_SECONDS,
        "keep_checkpoint": options.keep_checkpoint,
        "huber_delta": options.huber_delta,
    }


def make_path(
    fit: dict[str, Any],
    design: DesignView,
    y: Float | SurvivalTarget,
    weights: Float,
    options: Options,
    classes: NDArray[Any] | None,
) -> Path:
    """Wrap one result of the core."""
    if isinstance(y, SurvivalTarget):
        y = y.time
    total = float(weights.sum())
    centre = float(weights @ y) / total
    alphas = np.asarray(fit["alphas"], dtype=np.float64)
    csc = (fit["coef_values"], fit["coef_indices"], fit["coef_indptr"])
    return Path(
        alphas=alphas,
        coefs=sp.csc_array(csc, shape=(design.n_features, len(alphas))),
        intercepts=np.asarray(fit["intercepts"]),
        primal=np.asarray(fit["primal"]),
        dual=np.asarray(fit["dual"]),
        dual_gaps=np.asarray(fit["dual_gaps"]),
        converged=np.asarray(fit["converged"], dtype=np.bool_),
        deviance_ratio=np.asarray(fit["deviance_ratio"]),
        n_active=np.asarray(fit["n_active"], dtype=np.int64),
        n_iter=np.asarray(fit["n_iter"], dtype=np.int64),
        solver=list(fit["solver"]),
        loss=options.loss,
        l1_ratio=options.l1_ratio,
        alpha_max=float(fit["alpha_max"]),
        null_objective=float(fit["null_objective"]),
        saturated_objective=float(fit["saturated_objective"]),
        mean=np.asarray(fit["mean"]),
        scale=np.asarray(fit["scale"]),
        standardize=options.standardize,
        fit_intercept=options.fit_intercept,
        tol=options.tol,
        n_samples=int(np.count_nonzero(weights)),
        weight_sum=total,
        response_scale=float(np.sqrt(weights @ (y - centre) ** 2 / total)),
        feature_names=design.feature_names,
        classes=classes,
        stopped=str(fit["stopped"]),
        counters={name: float(value) for name, value in fit["counters"].items()},
        huber_delta=options.huber_delta if options.loss == "huber" else None,
    )


def warn_unless_converged(
    alphas: Float, gaps: Float, converged: NDArray[np.bool_], tol: float, max_iter: int
) -> None:
    """Warn with the worst gap and what to raise when some fit missed the tolerance."""
    missed = np.flatnonzero(~converged)
    if len(missed) == 0:
        return
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    worst = missed[np.argmax(gaps[missed])]
    warnings.warn(
        f"{len(missed)} of {len(alphas)} fits did not converge: "
        f"the relative duality gap is {gaps[worst]:.2e} at alpha={alphas[worst]:.6g}, above tol={tol:g}. "
        f"Raise max_iter={max_iter} or tol, or use larger alphas.",
        ConvergenceWarning,
        stacklevel=3,
    )


def fit_path(
    X: Any,
    y: ArrayLike,
    *,
    loss: str = "gaussian",
    penalty: ElasticNet | None = None,
    alphas: int | Sequence[float] | Float = 100,
    eps: float | None = None,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    fit_intercept: bool = True,
    standardize: bool = True,
    l1_ratio: float = 1.0,
    penalty_factor: ArrayLike | None = None,
    lower: float | ArrayLike | None = None,
    upper: float | ArrayLike | None = None,
    exclude: ArrayLike | None = None,
    tol: float = 1e-6,
    max_iter: int = 10_000,
    solver: str = "auto",
    n_threads: int | None = None,
    progress: Progress | None = None,
    max_active: int | None = None,
    memory: int | str | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    keep_checkpoint: bool = False,
    start: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    ties: str = "breslow",
    huber_delta: float = HUBER_DELTA,
) -> Path:
    """Fit a whole regularisation path, each point with a certificate of optimality.

    Minimises, for each alpha,

        (1 / Σw) Σ_i w_i loss(y_i, b0 + x_i·b + offset_i)
            + alpha Σ_j pf_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j²)   with lower <= b <= upper.

    The gaussian loss is half the squared residual and the binomial loss is log(1 + exp(eta)) - y eta. The
    Poisson loss is half the deviance, mu - y - y log(mu / y) at mu = exp(eta): as exp(eta) - y eta, less what
    that is at its least. The Huber loss is half the squared residual r up to |r| = huber_delta, and
    huber_delta (|r| - huber_delta/2) beyond. For the Cox loss minus the log partial likelihood takes the
    place of the sum, and there is no intercept. With `standardize` (the default here, as in glmnet; the
    estimators default to False, as in scikit-learn) the penalty measures coefficients on columns of unit
    standard deviation (1/n, weighted). Coefficients always come back on the original scale, and X is read in
    place and never changed.

    Parameters
    ----------
    X : array, memory map, SciPy sparse matrix, DataFrame or Genotypes, shape (n, p)
        float64, float32 and int8 arrays of any layout, and SciPy CSC, are used where they are. Anything else
        is converted once (see the guide on inputs).
    y : array of shape (n,)
        Numbers for the gaussian and Huber losses; counts, or any numbers >= 0 that are not all 0, for the
        Poisson loss. For the binomial loss numbers within [0, 1], or two labels of which the
        second in sorted order is coded 1. For the Cox loss a structured array with a boolean field (event)
        and a numeric one (time), as scikit-survival has it, or columns [time, event] of shape (n, 2).
    loss : {"gaussian", "binomial", "poisson", "huber", "cox"}, default="gaussian"
    penalty : riata.penalties.ElasticNet, optional
        Another way to give `l1_ratio`.
    alphas : int or sequence of float, default=100
        A number of grid points, from alpha_max down to ``eps * alpha_max`` on a log scale; the grid ends
        early when the fit is nearly saturated (deviance ratio 0.999) or no longer improves. Or the values
        themselves, which are all fitted, in decreasing order.
    eps : float, optional
        Default 0.01 when p > n, else 1e-4.
    sample_weight : array of shape (n,), optional
        Non-negative. A sample of weight zero is as good as absent.
    offset : array of shape (n,), optional
        Added to the linear predictor. For counts over unequal times or areas, the log of these.
    fit_intercept : bool, default=True
        The intercept is not penalised.
    standardize : bool, default=True
    l1_ratio : float, default=1.0
        From 0 (ridge) to 1 (lasso).
    penalty_factor : array of shape (p,), optional
        Multiplies the penalty of each feature: 0 leaves it unpenalised, infinity leaves the feature out. Used
        as given, never rescaled.
    lower, upper : float or array of shape (p,), optional
        Bounds on the coefficients, on the original scale, with ``lower <= 0 <= upper``.
    exclude : sequence of feature numbers or names, or boolean mask, optional
        Features to leave out, the same as an infinite penalty factor.
    tol : float, default=1e-6
        Bound on the relative duality gap, (primal - dual) / (null objective - saturated objective), of every
        fit.
    max_iter : int, default=10000
        Inner iterations allowed for each alpha.
    solver : {"auto", "homotopy", "cd", "prox"}, default="auto"
        Active-set Newton on the Gram matrix, cyclic coordinate descent, or accelerated proximal gradient. All
        reach the same solution.
    n_threads : int, optional
        Default: every available core, or OMP_NUM_THREADS, or one for a small problem. The result is the same
        to the last bit for any value.
    progress : callable, optional
        Called as ``progress(done, total, alpha, n_active, gap, passes)``. Returning False ends the path
        there.
    max_active : int, optional
        End the path before more than this many features are active.
    memory : int or str, optional
        Bytes, or a size such as "4G", that the fit may hold beside X. The copy of a dense X is made when it
        fits in, and the path ends, with a warning, at the alpha after which more is held: raise the bound or
        use larger alphas. See `estimate_memory`. Pages of memory-mapped files are not counted, as the system
        takes them back when it needs room.
    checkpoint : str or path-like, optional
        A file that keeps the state of the fit, written at most once a minute. When it exists, the fit goes on
        from it and ends with the same bits as one that was never stopped, however the earlier one ended
        (killed, power cut, stopped by `progress`). The arguments must be those it was made with, but for
        `n_threads` and `progress`. The file is removed at the end of the path.
    keep_checkpoint : bool, default=False
        Keep the file at the end of the path too, so that nothing is fitted again should what follows fail.
    start : array of shape (n,), optional
        Cox loss: samples are at risk after their `start` up to their time (late entry, left truncation).
    strata : array of shape (n,), optional
        Cox loss: labels. Samples are compared within their stratum only, each with its own baseline hazard.
    ties : {"breslow", "efron"}, default="breslow"
        Cox loss: how events at the same time are handled.
    huber_delta : float, default=1.345
        Huber loss: the size of residuals, in units of y, from which they count as they are instead of
        squared. 1.345 is for residuals whose bulk has unit standard deviation: scale it, or y.

    Returns
    -------
    Path

    Raises
    ------
    ValueError, TypeError
        For bad input, naming the argument, the value and what is allowed, before any fitting; so for a
        checkpoint of another fit.
    OSError
        For a checkpoint that cannot be written or is damaged.
    KeyboardInterrupt
        On Ctrl-C, within half a second.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the gap of some fit is above `tol` after `max_iter` iterations.
    UserWarning
        When the path ended because of `memory`.

    References
    ----------
    Friedman, Hastie & Tibshirani (2010), Regularization paths for generalized linear models via coordinate
    descent, Journal of Statistical Software 33(1). Fercoq, Gramfort & Salmon (2015), Mind the duality gap,
    ICML. Huber (1964), Robust estimation of a location parameter, Annals of Mathematical Statistics 35.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> path = riata.fit_path(X, y)
    >>> np.flatnonzero(path.coef(0.5))
    array([0, 7])
    >>> bool(path.dual_gaps.max() <= 1e-6)
    True
    """
    options = check_options(
        loss=loss,
        penalty=penalty,
        alphas=alphas,
        eps=eps,
        fit_intercept=fit_intercept,
        standardize=standardize,
        l1_ratio=l1_ratio,
        tol=tol,
        max_iter=max_iter,
        solver=solver,
        n_threads=n_threads,
        progress=progress,
        max_active=max_active,
        memory=memory,
        checkpoint=checkpoint,
        keep_checkpoint=keep_checkpoint,
        huber_delta=huber_delta,
    )
    design = as_design(X)
    weights = check_weights(sample_weight, design.n_samples)
    target, classes = check_target(loss, y, design.n_samples, weights, start, strata, ties)
    shift = check_offset(offset, design.n_samples)
    features = check_features(design, penalty_factor, lower, upper, exclude)
    fit = solve(design, target, weights[:, None], shift, features, options)[0]
    path = make_path(fit, design, target, weights, options, classes)
    warn_unless_converged(path.alphas, path.dual_gaps, path.converged, path.tol, options.max_iter)
    warn_if_memory_ended(path, options)
    return path


def warn_if_memory_ended(path: Path, options: Options) -> None:
    """Warn when the path ended because it held more than it was allowed to."""
    if path.stopped != "memory":
        return
    import warnings

    asked = options.n_alphas if options.alphas is None else len(options.alphas)
    warnings.warn(
        f"the path ended after {len(path)} of {asked} alphas, at alpha={path.alphas[-1]:.6g}: it holds "
        f"{path.counters['memory'] / 2**20:.0f} MiB and memory={options.memory / 2**20:.0f} MiB allows no "
        "more. Raise memory, or use larger alphas.",
        UserWarning,
        stacklevel=3,
    )


def write_archive(path: str | os.PathLike[str], arrays: dict[str, Any]) -> None:
    """Write an .npz archive beside its destination, then rename it into place."""
    target = FilePath(path)
    handle, aside = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez_compressed(stream, **arrays)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(aside, 0o666 & ~umask)
        os.replace(aside, target)
    except BaseException:
        os.unlink(aside)
        raise


def load(path: str | os.PathLike[str]) -> Any:
    """Read what `Path.save` or `CVPath.save` wrote.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    Path or CVPath

    Raises
    ------
    OSError
        When the file is missing or is not an archive of riata.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        meta = json.loads(str(arrays["meta"]))
        kind, version = meta["kind"], int(meta["format"])
    except FileNotFoundError:
        raise
    except Exception as error:
        name = os.fspath(path)
        raise OSError(f"{name} is not a path saved by riata: that is a .npz, PREFIX.path.npz") from error
    if version > FORMAT:
        raise OSError(
            f"{os.fspath(path)} was written by a newer riata (format {version}, this one reads {FORMAT})"
        )
    if kind == "cv_path":
        from riata.model_selection import CVPath

        return CVPath._unpack(arrays)
    return Path._unpack(arrays)
