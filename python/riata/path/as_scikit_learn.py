"""`lasso_path` and `enet_path` with the arguments and results of scikit-learn's functions."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riata._docs import described_by
from riata._input.design import as_design
from riata._input.validation import Float, check_choice, check_flag, check_weights
from riata.path.arguments import check_features, check_options
from riata.path.coefs import each_output
from riata.path.fit import make_path, solve
from riata.path.fit_warnings import warn_unless_converged

__all__ = ["enet_path", "lasso_path"]

#: What scikit-learn's functions take beside the named arguments; riata's solver and threads too.
DEFAULTS: dict[str, Any] = {
    "sample_weight": None,
    "tol": 1e-6,
    "max_iter": 10_000,
    "solver": "auto",
    "n_threads": None,
    "selection": "cyclic",
    "random_state": None,
    "do_screening": True,
}


def enet_path(
    X: Any,
    y: ArrayLike,
    *,
    l1_ratio: float = 0.5,
    eps: float = 1e-3,
    n_alphas: Any = "deprecated",
    alphas: Any = 100,
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: Any = False,
    return_n_iter: bool = False,
    positive: bool = False,
    check_input: bool = True,
    **params: Any,
) -> tuple[Any, ...]:
    """Fit the elastic net at each of a grid of alphas, as scikit-learn's function of this name does.

    Minimises, without an intercept,

        (1 / (2 n)) ‖y - X b‖² + alpha (l1_ratio ‖b‖₁ + (1 - l1_ratio)/2 ‖b‖²),

    and for a response with columns the same with the norms of each feature's coefficients in the place of
    their absolute values. `riata.fit_path` has an intercept, predicts and reports.

    Parameters
    ----------
    X : array, memory map, SciPy sparse matrix or DataFrame, shape (n, p)
        Read where it is, and never changed.
    y : array of shape (n,) or (n, K)
        The response, or several.
    l1_ratio : float, default=0.5
        From 0 (ridge) to 1 (lasso).
    eps : float, default=1e-3
        Smallest over largest alpha of the grid.
    n_alphas : int, deprecated
        Another name for `alphas` as a number.
    alphas : int or sequence of float, default=100
        A number of grid points or the values themselves.
    precompute : any
        Accepted so that code written for scikit-learn runs, without effect.
    Xy : any
        Accepted, without effect.
    copy_X : bool
        Accepted, without effect.
    coef_init : any
        Accepted, without effect.
    verbose : any
        Accepted, without effect.
    return_n_iter : bool, default=False
        Whether to return the number of iterations too.
    positive : bool, default=False
        Keep all coefficients >= 0; for one response.
    check_input : bool, default=True
        Accepted, without effect: input is checked always.
    **params : any
        `sample_weight`, `tol` (of the relative duality gap, default 1e-6), `max_iter`, `solver` and
        `n_threads` as in `riata.fit_path`; `selection`, `random_state` and `do_screening` have no effect.

    Returns
    -------
    alphas : ndarray of shape (L,)
        Decreasing.
    coefs : ndarray of shape (p, L) or (K, p, L)
        Coefficients at each alpha.
    dual_gaps : ndarray of shape (L,)
        Duality gaps, in units of the objective.
    n_iters : list of int
        Iterations at each alpha, when asked for.

    Raises
    ------
    ValueError, TypeError
        When an argument is not what it must be; the message says what is allowed.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the gap of some fit is above `tol` after `max_iter` iterations.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> alphas, coefs, gaps = riata.enet_path(X, 3 * X[:, 0] - 2 * X[:, 7], alphas=5)
    >>> coefs.shape
    (200, 5)
    """
    unknown = sorted(set(params) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"Unexpected parameters in params: must be among {sorted(DEFAULTS)}, got {unknown}")
    given = DEFAULTS | params
    check_choice("selection", given["selection"], ("cyclic", "random"))
    several = np.ndim(y) == 2
    if check_flag("positive", positive) and several:
        raise ValueError("positive must be False with a response of several columns, got True")
    options = check_options(
        loss="multigaussian" if several else "gaussian",
        penalty=None,
        alphas=_number_of_alphas(alphas, n_alphas),
        eps=eps,
        fit_intercept=False,
        standardize=False,
        l1_ratio=l1_ratio,
        tol=given["tol"],
        max_iter=given["max_iter"],
        solver=given["solver"],
        n_threads=given["n_threads"],
        progress=None,
        max_active=None,
    )
    options.stop_early = False
    design = as_design(X)
    weights = check_weights(given["sample_weight"], design.n_samples)
    target, labels = options.loss.check_target(y, design.n_samples, weights)
    features = check_features(design, None, None, None, positive=positive)
    fit = solve(design, target, weights[:, None], None, features, options)[0]
    path = make_path(fit, design, target, weights, features, options, labels, offset=None)
    warn_unless_converged(path.alphas, path.dual_gaps, path.converged, options, path.n_iter)
    coefs: Float = np.stack([one.toarray() for one in each_output(path.coefs)])
    gaps = path.dual_gaps * (path.null_objective - path.saturated_objective)
    found = (path.alphas, coefs if several else coefs[0], gaps)
    return (*found, path.n_iter.tolist()) if check_flag("return_n_iter", return_n_iter) else found


@described_by(enet_path)
def lasso_path(
    X: Any,
    y: ArrayLike,
    *,
    eps: float = 1e-3,
    n_alphas: Any = "deprecated",
    alphas: Any = 100,
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: Any = False,
    return_n_iter: bool = False,
    positive: bool = False,
    **params: Any,
) -> tuple[Any, ...]:
    """Fit the lasso at each of a grid of alphas, as scikit-learn's function of this name does.

    Minimises ``(1 / (2 n)) ‖y - X b‖² + alpha ‖b‖₁`` without an intercept, and for a response with columns
    the same with the norms of each feature's coefficients in the place of their absolute values.

    Returns
    -------
    alphas : ndarray of shape (L,)
        Decreasing.
    coefs : ndarray of shape (p, L) or (K, p, L)
        Coefficients at each alpha.
    dual_gaps : ndarray of shape (L,)
        Duality gaps, in units of the objective.
    n_iters : list of int
        Iterations at each alpha, when asked for.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> alphas, coefs, gaps = riata.lasso_path(X, 3 * X[:, 0] - 2 * X[:, 7], alphas=[1.0, 0.5])
    >>> np.flatnonzero(coefs[:, -1])
    array([0, 7])
    """
    same = {"eps": eps, "alphas": alphas, "n_alphas": n_alphas, "return_n_iter": return_n_iter}
    return enet_path(X, y, l1_ratio=1.0, positive=positive, **same, **params)


def _number_of_alphas(alphas: Any, n_alphas: Any) -> Any:
    """Return `alphas`, or what scikit-learn's older code gives in its place, with its warnings."""
    if not isinstance(n_alphas, str):
        warnings.warn(
            "'n_alphas' was deprecated in 1.9 and will be removed in 1.11 of scikit-learn: give alphas, a "
            "number or the values themselves.",
            FutureWarning,
            stacklevel=3,
        )
    elif alphas is None:
        warnings.warn(
            "'alphas=None' is deprecated and will be removed in 1.11 of scikit-learn: leave alphas out, or "
            "give a number or the values themselves.",
            FutureWarning,
            stacklevel=3,
        )
    if alphas is not None and np.ndim(alphas) == 1:
        return alphas
    number = n_alphas if not isinstance(n_alphas, str) else alphas
    return 100 if number is None else number
