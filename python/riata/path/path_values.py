"""The numbers of a path, at the points of its grid and between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from riata._input.features import Names
from riata._input.validation import Float
from riata.genetics.variants import FittedVariants
from riata.losses import Loss
from riata.losses._known import loss_of
from riata.path.coefs import each_output, side_by_side


def nearest(grid: Float, value: float) -> int:
    """Return the place of the point of a grid that is nearest to a value."""
    return int(np.argmin(np.abs(grid - value)))


@dataclass(slots=True, repr=False)
class PathValues:
    """What a `RegularizationPath` holds, which describes it, and the coefficients at any alpha."""

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
    stop_reason: str = ""
    counters: dict[str, float] = field(default_factory=dict)
    certificate: str = "duality_gap"
    grouped: bool = False
    responses: NDArray[Any] | None = None
    huber_delta: float | None = None
    penalty: str = "elastic_net"
    penalty_parameters: dict[str, float | str] = field(default_factory=dict)
    locally_convex: NDArray[np.bool_] | None = None
    groups: NDArray[np.int64] | None = None
    group_names: NDArray[Any] | None = None
    members: NDArray[np.int64] | None = None
    parts: Any = None
    penalty_factor: Float | None = None
    n_events: float | None = None
    has_offset: bool | None = None
    variants: FittedVariants | None = None
    sd: Float | None = None
    columns: dict[str, str] = field(default_factory=dict)
    kept: dict[str, NDArray[Any]] = field(default_factory=dict)
    fill: Float | None = None

    def __len__(self) -> int:
        return len(self.alphas)

    @property
    def loss_function(self) -> Loss:
        """The loss as an object of `riata.losses`, its parameters included."""
        return loss_of(self.loss, self.huber_delta)

    @property
    def spreads(self) -> Float:
        """Standard deviations of the features in the samples of the fit, (p,); NaN where not known."""
        if self.standardize:
            return self.scale
        return np.full(len(self.scale), np.nan) if self.sd is None else self.sd

    @property
    def n_features(self) -> int:
        """Number of features p."""
        return int(each_output(self.coefs)[0].shape[0])

    @property
    def outputs(self) -> NDArray[Any] | None:
        """Labels of the K outputs: classes, names or numbers of responses. None for losses with one."""
        if self.intercepts.ndim == 1:
            return None
        labels = self.responses if self.classes is None else self.classes
        return np.arange(len(self.intercepts)) if labels is None else labels

    def coef(self, alpha: float | ArrayLike | None = None) -> Any:
        """Coefficients at `alpha`, interpolated linearly between the two nearest grid points.

        Parameters
        ----------
        alpha : float or sequence of float, optional
            Within the grid. Above `alpha_max` nothing changes, so any value there is allowed as soon as the
            grid starts at `alpha_max` or above. None: the whole grid.

        Returns
        -------
        ndarray of shape (p,), or scipy.sparse.csc_array of shape (p, k)
            Sparse for a sequence of alphas and for None. With K outputs of shape (p, K), or a list of K
            sparse arrays.

        Raises
        ------
        ValueError
            When `alpha` lies outside the grid.
        """
        if alpha is None:
            return self.coefs
        coefs, intercepts = self._at(alpha)
        if np.ndim(alpha) > 0:
            return coefs
        dense = side_by_side(coefs).toarray()  # one column per output
        return dense if intercepts.ndim > 1 else dense[:, 0]

    def intercept(self, alpha: float | ArrayLike | None = None) -> Any:
        """Intercept at `alpha`, interpolated as `coef` is: a float, or an array for a sequence.

        With K outputs of shape (K,), or (K, k).
        """
        if alpha is None:
            return self.intercepts
        _, intercepts = self._at(alpha)
        if np.ndim(alpha) > 0:
            return intercepts
        return intercepts[:, 0] if intercepts.ndim > 1 else float(intercepts[0])

    def _at(self, alpha: float | ArrayLike) -> tuple[Any, Float]:
        left, right, share = self._between(alpha)
        found = [_mixed(coefs, left, right, share) for coefs in each_output(self.coefs)]
        intercepts: Float = self.intercepts[..., right].copy()
        if share.any():
            intercepts = np.asarray((1.0 - share) * intercepts + share * self.intercepts[..., left])
        return found if intercepts.ndim > 1 else found[0], intercepts

    def _parts_at(self, alpha: float) -> Any:
        """What each member of a group adds to the coefficients: a column for each output."""
        parts = self.coefs if self.parts is None else self.parts
        at = self._between(alpha)
        return side_by_side([_mixed(each, *at) for each in each_output(parts)])

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

    def interpolate(self, values: Float, alpha: float) -> Float:
        """Interpolate values at the grid points (last axis) to `alpha`, as is done with coefficients.

        Parameters
        ----------
        values : ndarray of shape (..., L)
            Linear in the coefficients, as linear predictors are.
        alpha : float
            Within the grid: see `coef`.

        Returns
        -------
        ndarray of shape (...)
        """
        (left,), (right,), (share,) = self._between(alpha)
        out: Float = (1.0 - share) * values[..., right]
        return out if share == 0.0 else np.asarray(out + share * values[..., left])


def _mixed(coefs: Any, left: NDArray[np.intp], right: NDArray[np.intp], share: Float) -> Any:
    """Columns between two others, with the share of the left one."""
    here = coefs[:, right]
    if share.any():
        here = here @ sp.diags_array(1.0 - share) + coefs[:, left] @ sp.diags_array(share)
    return sp.csc_array(here)
