"""Penalty factors of the adaptive lasso."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riata._input.features import check_penalty_factor
from riata._input.validation import Float, check_finite, check_real
from riata.path.cv_result import CVPath
from riata.path.result import RegularizationPath

__all__ = ["adaptive_weights"]


def adaptive_weights(
    initial: RegularizationPath | CVPath | ArrayLike,
    *,
    alpha: float | None = None,
    power: float = 1.0,
    penalty_factor: ArrayLike | None = None,
) -> Float:
    """Penalty factors of the adaptive lasso from a first estimate, for any loss.

        pf_j = v_j / |b_j|^power,

    infinite where b_j is zero, so that the feature is left out. b_j is measured as the penalty measures it:
    times the standard deviation of the feature when the fit standardised. With several outputs |b_j| is the
    norm of the coefficients of feature j.

    Pass them to `fit_path` or `cv_path` with the same `standardize`. When the first estimate saw all samples,
    the scores of `cv_path` are too good, since the held-out samples influenced the factors: trust them at
    most for the choice of alpha. `AdaptiveLassoCV` estimates anew within each fold.

    Parameters
    ----------
    initial : RegularizationPath, CVPath or array of shape (p,) or (p, K)
        A fit, often with l1_ratio 0, or coefficients.
    alpha : float, optional
        Where on the path. Default: the selected alpha of a CVPath.
    power : float, default=1.0
        The exponent, > 0: the larger it is, the smaller the penalty of large coefficients.
    penalty_factor : array of shape (p,), optional
        The factors v_j; ones by default. Features with 0 stay unpenalised.

    Returns
    -------
    ndarray of shape (p,)
        To be passed as `penalty_factor`.

    Raises
    ------
    ValueError, TypeError
        For bad input; for a RegularizationPath without `alpha`.

    References
    ----------
    Zou (2006), The adaptive lasso and its oracle properties, JASA 101(476), equation 4.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 30))
    >>> y = rng.random(200) < 1 / (1 + np.exp(-2 * X[:, 0] + 2 * X[:, 7]))
    >>> ridge = riata.cv_path(X, y, loss="binomial", l1_ratio=0.0)
    >>> path = riata.fit_path(X, y, loss="binomial", penalty_factor=riata.adaptive_weights(ridge))
    """
    power = check_real("power", power, above=0.0)
    if isinstance(initial, RegularizationPath | CVPath):
        if alpha is None and isinstance(initial, RegularizationPath):
            raise ValueError("alpha must say where on the path the first estimate is, got None")
        path = initial.path if isinstance(initial, CVPath) else initial
        size = _norms(np.asarray(initial.coef(alpha))) * path.scale
    else:
        if alpha is not None:
            raise ValueError(f"alpha must be left out when initial holds coefficients, got {alpha!r}")
        size = _norms(_check_coef(initial))
    return weigh(size, power, check_penalty_factor(penalty_factor, len(size)))


def weigh(size: Float, power: float, base: Float | None) -> Float:
    """base / size^power, zero where base is."""
    base = np.ones(len(size)) if base is None else base
    out = np.zeros(len(size))
    used = base > 0.0
    with np.errstate(divide="ignore", over="ignore"):
        out[used] = base[used] * size[used] ** -power
    return out


def _norms(coef: Float) -> Float:
    return np.asarray(np.linalg.norm(coef, axis=1) if coef.ndim == 2 else np.abs(coef))


def _check_coef(coef: Any) -> Float:
    """Coefficients, (p,) or (p, K), as float64."""
    array = np.asarray(coef)
    if array.ndim not in (1, 2):
        raise ValueError(f"initial must be a path, or coefficients (p,) or (p, K), got shape {array.shape}")
    return check_finite("initial", array.ravel(), array.size, "coefficient").reshape(array.shape)
