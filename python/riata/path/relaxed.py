"""Relaxed paths: between what the penalty shrank and fits without it on the same features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from riata._docs import described_by
from riata._input.alignment import check_rows_named_alike
from riata._input.design import as_design, check_same_features
from riata._input.validation import Float, check_new_offset, check_real, check_threads, check_weights
from riata.losses import Cox
from riata.losses._known import check_loss
from riata.path.cv_result import CVPath
from riata.path.fit import fit_path
from riata.path.refits import gather_supports, refit_supports
from riata.path.result import RegularizationPath
from riata.path.run_options import RunOptions

__all__ = ["RelaxedPath", "relax"]

SAME = 1e-6  # relative difference allowed between the response of the path and the one given


@dataclass(frozen=True, slots=True, repr=False)
class RelaxedPath:
    """A path and, on the support of each of its fits, the fit without a penalty. Made by `relax`.

    For `gamma` from 0 to 1 it stands for

        b(alpha, gamma) = gamma b(alpha) + (1 - gamma) r(alpha),

    b(alpha) being the coefficients of the path and r(alpha) those that minimise the loss alone among all that
    are zero where b(alpha) is; likewise the intercept. So gamma 1 is the path, and 0 the refit.

    Attributes
    ----------
    path : RegularizationPath
        The penalised path, with its certificates.
    refit_coefs : scipy.sparse.csc_array of shape (p, L)
        r(alpha) at the grid of the path, on the original scale of X; zero where there is no refit.
    refit_intercepts : ndarray of shape (L,)
        NaN where there is no refit.
    relaxed : ndarray of bool, shape (L,)
        Where there is a refit: the samples of positive weight outnumber the coefficients and the intercept,
        and the refit is finite (in separated classes, for instance, it is not). Elsewhere gamma must be 1.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7]
    >>> relaxed = riata.relax(riata.fit_path(X, y, alphas=[0.5]), X, y)
    >>> relaxed.coef(0.5, gamma=0.0)[[0, 7]].round(6)
    array([ 3., -2.])
    """

    path: RegularizationPath
    refit_coefs: Any
    refit_intercepts: Float
    relaxed: NDArray[np.bool_]

    @property
    def alphas(self) -> Float:
        """The grid of the path."""
        return self.path.alphas

    def __len__(self) -> int:
        return len(self.path)

    def __repr__(self) -> str:
        path = self.path
        return (
            f"<riata.RelaxedPath {path.loss}, {path.n_samples} samples x {path.n_features} features, "
            f"{len(path)} alphas from {path.alphas[0]:.3g}, {int(self.relaxed.sum())} of them relaxed>"
        )

    def _repr_html_(self) -> str:
        """Show a card in notebooks."""
        from riata.report.cards import relaxed_card

        return relaxed_card(self)

    def coef(self, alpha: float | ArrayLike | None = None, gamma: float = 0.0) -> Any:
        """Coefficients at `alpha` and `gamma`; between grid points path and refit are both interpolated.

        Parameters
        ----------
        alpha : float or sequence of float, optional
            Where on the path; between grid points coefficients are interpolated. None: the whole grid.
        gamma : float, default=0.0
            Share of the penalised fit, from 0 to 1.

        Returns
        -------
        ndarray of shape (p,), or scipy.sparse.csc_array of shape (p, k)
            Sparse for a sequence of alphas and for None.

        Raises
        ------
        ValueError
            When gamma < 1 at an alpha without a refit: see `relaxed`. When `alpha` lies outside the grid.
        """
        return self._blend(alpha, gamma).coef(alpha)

    def intercept(self, alpha: float | ArrayLike | None = None, gamma: float = 0.0) -> Any:
        """Intercept at `alpha` and `gamma`: a float, or an array for a sequence and for None."""
        return self._blend(alpha, gamma).intercept(alpha)

    def predict(
        self,
        X: Any,
        alpha: float | ArrayLike | None = None,
        gamma: float = 0.0,
        *,
        kind: str = "response",
        offset: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> NDArray[Any]:
        """Predict at `alpha` and `gamma`, as `RegularizationPath.predict` does at its alpha."""
        return self._blend(alpha, gamma).predict(X, alpha, kind=kind, offset=offset, n_threads=n_threads)

    def _blend(self, alpha: Any, gamma: float) -> RegularizationPath:
        """The path with the coefficients at `gamma`, correct at `alpha`."""
        gamma = check_real("gamma", gamma, at_least=0.0, at_most=1.0)
        path = self.path
        if gamma == 1.0:
            return path
        needed = np.arange(len(path))
        if alpha is not None:
            left, right, share = path._between(alpha)
            needed = np.concatenate([right, left[share > 0.0]])
        lacking = needed[~self.relaxed[needed]]
        if len(lacking):
            i = int(lacking.min())
            raise ValueError(
                f"gamma must be 1 at alpha={path.alphas[i]:.6g}, where the refit of {path.n_samples} samples "
                f"on {path.n_active[i]} features is not unique or not finite, got {gamma:g}"
            )
        if gamma == 0.0:
            return replace(path, coefs=self.refit_coefs, intercepts=self.refit_intercepts)
        return replace(
            path,
            coefs=sp.csc_array(gamma * path.coefs + (1.0 - gamma) * self.refit_coefs),
            intercepts=gamma * path.intercepts + (1.0 - gamma) * self.refit_intercepts,
        )


@described_by(fit_path, RunOptions, Cox)
def relax(
    path: RegularizationPath | CVPath,
    X: Any,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    start: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    ties: str = "breslow",
    n_threads: int | None = None,
) -> RelaxedPath:
    """Fit again, without a penalty, on each set of features that a path selected.

    The lasso shrinks what it selects; a refit on the selected features does not, and blends of both shrink
    less than the lasso: see `RelaxedPath`. The data are those that `fit_path` or `cv_path` was given. Of X
    only columns with a nonzero coefficient somewhere on the path are read, once, and held as float64: 8 n u
    bytes for u columns, and up to twice as much more while fitting.

    Least squares (gaussian loss) are solved by Cholesky factors of the Gram matrix of these columns with
    iterative refinement, or by singular values where columns are dependent; other losses by Newton's method
    on an orthonormal basis, to a relative duality gap of 1e-10. Of several minimisers, on dependent columns,
    the refit is the one with the least norm on columns of unit standard deviation. Unpenalised features
    and the intercept, as `path` has one or not, stay in. Bounds on coefficients do not bind the refit.

    The selection has used y: standard errors and p values computed as for an ordinary regression would be too
    small.

    Parameters
    ----------
    path : RegularizationPath or CVPath
        A path with a loss with one output: gaussian, binomial, poisson, huber or cox.
    n_threads : int, optional
        The number of threads for reading X.

    Returns
    -------
    RelaxedPath
        The path, its refits and their blends.

    Raises
    ------
    ValueError, TypeError
        For bad input, for data that differ from those of the path, and for losses with several outputs.

    References
    ----------
    Meinshausen (2007), Relaxed lasso, Computational Statistics & Data Analysis 52. Hastie, Tibshirani &
    Tibshirani (2020), Best subset, forward stepwise or lasso? Analysis and recommendations based on extensive
    comparisons, Statistical Science 35(4), whose simplified form this is.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> path = riata.fit_path(X, y)
    >>> relaxed = riata.relax(path, X, y)
    >>> [f"{b:.1f}" for b in relaxed.coef(0.5, gamma=0.0)[[0, 7]]]
    ['3.0', '-2.0']
    """
    path = path.path if isinstance(path, CVPath) else path
    if not isinstance(path, RegularizationPath):
        raise TypeError(
            f"path must be a RegularizationPath or a CVPath, got an object of type {type(path).__name__}"
        )
    if path.loss_function.several_outputs:
        raise ValueError(f"path must have a loss with one output to be relaxed, got {path.loss!r}")
    loss = check_loss(path.loss, start=start, strata=strata, ties=ties, huber_delta=path.huber_delta)
    threads = check_threads(n_threads)
    check_rows_named_alike(X, y=y, sample_weight=sample_weight, offset=offset, start=start, strata=strata)
    design = as_design(X)
    check_same_features(design, path.n_features, path.feature_names, path.variants)
    weights = check_weights(sample_weight, design.n_samples)
    target, _ = loss.check_target(y, design.n_samples, weights)
    if offset is not None and path.has_offset is False:
        raise ValueError("offset must be left out, as the path was fitted without one")
    shift = check_new_offset(offset, design.n_samples, fitted=path.has_offset)
    _check_same_data(path, np.asarray(getattr(target, "time", target)), weights)
    gathered = gather_supports(design, [path.coefs], threads)
    refits = refit_supports(path, gathered, target, weights, shift)
    return RelaxedPath(path, refits.coefs, refits.intercepts, refits.exists)


def _check_same_data(path: RegularizationPath, y: Float, weights: Float) -> None:
    used = int(np.count_nonzero(weights))
    if used != path.n_samples:
        raise ValueError(
            f"X, y and sample_weight must be those of the path, with {path.n_samples} samples of positive "
            f"weight, got {used}"
        )
    share = weights / weights.sum()
    scale = float(np.sqrt(share @ (y - share @ y) ** 2))
    if abs(scale - path.response_scale) > SAME * max(path.response_scale, SAME * float(np.abs(y).max())):
        raise ValueError(
            f"y and sample_weight must be those of the path, whose standard deviation of y is "
            f"{path.response_scale:.6g}, got {scale:.6g}"
        )
