"""Sparse Poisson regression as scikit-learn estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from sklearn.base import RegressorMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import column_or_1d

from riata._input.alignment import check_rows_named_alike
from riata._input.design import DesignView
from riata._input.validation import (
    Float,
    check_alpha,
    check_flag,
    check_offset,
    check_poisson_target,
    check_real,
    check_threads,
    check_weights,
    refuse_text,
)
from riata.estimators._base import CrossValidated, SparseLinearModel
from riata.path.arguments import Features, check_features
from riata.path.cross_validation import poisson_deviance
from riata.path.fit import solve
from riata.path.result import mean_response

__all__ = ["SparsePoissonRegressor", "SparsePoissonRegressorCV"]


class _Counts(RegressorMixin, SparseLinearModel):  # type: ignore[misc]
    """Checks, prediction and score common to the Poisson estimators."""

    positive: bool
    penalty_factor: Any
    lower: Any
    upper: Any

    def predict(self, X: Any, offset: ArrayLike | None = None) -> Float:
        """Predict the mean count, ``exp(X @ coef_ + intercept_ + offset)``.

        Parameters
        ----------
        X : as in `fit`, shape (m, p)
        offset : array of shape (m,) or number, optional
            Needed when `fit` was given one; 0 predicts without, rates for one unit of exposure.

        Returns
        -------
        ndarray of shape (m,)
        """
        return mean_response("poisson", self._shifted_links(X, offset)[0][:, 0])

    def score(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> float:
        """D², the share of the Poisson deviance explained, as scikit-learn's `PoissonRegressor` has it.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        offset : array of shape (m,) or number, optional
            As in `predict`.

        Returns
        -------
        float
            1 for a perfect fit, 0 for one as good as the mean of `y` (with an offset, as the mean rate),
            negative for worse. Where that mean is perfect, 1 for a perfect fit and 0 for any other.
        """
        check_rows_named_alike(X, y=y, sample_weight=sample_weight)
        links, given = self._shifted_links(X, offset)
        link, shift = links[:, 0], np.zeros(len(links)) if given is None else given
        weights = check_weights(sample_weight, len(link))
        counts = check_poisson_target(column_or_1d(y, warn=True), len(link), weights)
        exposure = logsumexp(shift, b=weights) - np.log(weights.sum())
        centre = (shift - exposure + np.log(np.average(counts, weights=weights)))[:, None]
        deviance = float(poisson_deviance(counts, link[:, None], weights)[0])
        null = float(poisson_deviance(counts, centre, weights)[0])
        if null <= 1e-15 * counts.max():
            return 1.0 if deviance <= 1e-15 * counts.max() else 0.0
        return 1.0 - deviance / null

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags

    def _check_all(
        self, X: Any, y: Any, sample_weight: Any, offset: Any
    ) -> tuple[DesignView, Float, Float, Float | None, Features]:
        design, y, weights = self._check_fit_input(X, y, sample_weight, offset=offset)
        counts = y if type(y) is np.ndarray and y.ndim == 1 else column_or_1d(y, warn=True)
        if counts.dtype.kind not in "fiubO":
            raise TypeError(f"y must hold numbers, got values of type {counts.dtype}")
        refuse_text("y", counts)
        counts = np.ascontiguousarray(counts, dtype=np.float64)
        assert_all_finite(counts, input_name="y")
        target = check_poisson_target(counts, design.n_samples, weights)
        shift = check_offset(offset, design.n_samples)
        self.has_offset_ = shift is not None
        positive = check_flag("positive", self.positive)
        features = check_features(design, self.penalty_factor, self.lower, self.upper, positive=positive)
        return design, target, weights, shift, features


class SparsePoissonRegressor(_Counts):
    """Poisson regression with an elastic-net penalty, certified by its duality gap.

    Minimises, for counts y >= 0, means mu_i = exp(b0 + x_i·b + offset_i) and weights w (ones by default),
    half the mean deviance plus the penalty,

        (1 / Σw) Σ_i w_i (mu_i - y_i - y_i log(mu_i / y_i))
            + alpha Σ_j pf_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j²)   with lower <= b <= upper.

    Parameters
    ----------
    alpha : float, default=0.01
        Strength of the penalty, > 0. With ``l1_ratio=0`` that of scikit-learn's `PoissonRegressor`.
    l1_ratio : float, default=1.0
        From 0 (ridge) to 1 (lasso).
    fit_intercept : bool, default=True
        The intercept is not penalised.
    positive : bool, default=False
        Keep all coefficients >= 0.
    standardize : bool, default=False
        Penalise coefficients as on columns of unit standard deviation. They come back on the original scale.
    penalty_factor : array of shape (p,), dict or Series by feature name, optional
        Multiplies the penalty of each feature: 0 leaves it unpenalised, infinity leaves the feature out.
    lower, upper : float, array of shape (p,), dict or Series by feature name, optional
        Bounds on the coefficients, ``lower <= 0 <= upper``.
    tol : float, default=1e-6
        Bound on the relative duality gap, (primal - dual) / (loss of the intercept alone).
    max_iter : int, default=10000
    warm_start : bool, default=False
        Accepted as in scikit-learn. The solution does not depend on where the solver starts.
    solver : {"auto", "homotopy", "cd", "prox"}, default="auto"
    n_threads : int, optional
        Default: every available core, or OMP_NUM_THREADS, or one for a small problem. The result is the same
        to the last bit for any value.
    verbose : int, default=0
        1 prints one line about the fit.
    n_jobs, random_state : any
        Accepted so that code written for scikit-learn runs; `n_jobs` is used for `n_threads` when that is
        None.

    Attributes
    ----------
    coef_ : ndarray of shape (p,)
    sparse_coef_ : scipy.sparse.csr_matrix of shape (1, p)
    intercept_ : float
    has_offset_ : bool
        Whether `fit` was given an offset.
    dual_gap_ : float
        Relative duality gap, on the scale of `tol`.
    converged_ : bool
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (p,)
        Only when X has names that are all strings.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the gap is above `tol` after `max_iter` iterations.

    References
    ----------
    Friedman, Hastie & Tibshirani (2010), Regularization paths for generalized linear models via coordinate
    descent, J. Statistical Software 33.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> y = rng.poisson(np.exp(1 + X[:, 3]))
    >>> model = riata.SparsePoissonRegressor(alpha=1.5).fit(X, y)
    >>> model.get_support(indices=True)
    array([3])
    >>> bool(model.predict(X).min() > 0)
    True
    """

    def __init__(
        self,
        alpha: float = 0.01,
        *,
        l1_ratio: float = 1.0,
        fit_intercept: bool = True,
        positive: bool = False,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower: float | ArrayLike | None = None,
        upper: float | ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        warm_start: bool = False,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower = lower
        self.upper = upper
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.solver = solver
        self.n_threads = n_threads
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> SparsePoissonRegressor:
        """Fit the model.

        Parameters
        ----------
        X : array, memory map, SciPy sparse matrix, DataFrame or Genotypes, shape (n, p)
            float64, float32 and int8 arrays and SciPy CSC are read where they are.
        y : array of shape (n,)
            Counts, or any numbers >= 0 that are not all 0.
        sample_weight : float or array of shape (n,), optional
            Non-negative.
        offset : array of shape (n,), optional
            Added to the linear predictor: for counts over unequal times, areas or populations the log of
            these. Rates, count over exposure, with the exposures as `sample_weight` give the same fit, but
            for the factor that the mean exposure is in `alpha`.

        Returns
        -------
        self
        """
        alpha = check_alpha(self.alpha)
        l1_ratio = check_real("l1_ratio", self.l1_ratio, at_least=0.0, at_most=1.0)
        options = self._options("poisson", np.array([alpha]), l1_ratio=l1_ratio)
        options.n_threads = check_threads(self.n_threads, self.n_jobs)
        design, target, weights, shift, features = self._check_all(X, y, sample_weight, offset)
        fit = solve(design, target, weights[:, None], shift, features, options)[0]
        self._keep_fit(fit, target, weights, features, options)
        return self


class SparsePoissonRegressorCV(_Counts, CrossValidated):
    """`SparsePoissonRegressor` with `alpha` chosen by cross-validation.

    All folds and the final fit share every pass over X, and no row is copied.

    Parameters
    ----------
    alphas : int or sequence of float, default=100
        A number of grid points or the values themselves.
    eps : float, optional
        Smallest over largest alpha of the grid. Default as in `riata.fit_path`.
    cv : int, splitter or iterable of (train, test), default=5
        An integer gives folds without shuffling, as in scikit-learn.
    scoring : {"deviance", "mse", "mae"}, optional
        What the held-out folds are scored by, default "deviance"; errors are those of the mean.
    selection : {"min", "1se"}, default="min"
        The alpha with the best score, or the largest one within a standard error of it.
    l1_ratio, fit_intercept, positive, standardize, penalty_factor, lower, upper
        As in `SparsePoissonRegressor`.
    tol, max_iter, solver, n_threads, verbose, n_jobs, random_state
        As in `SparsePoissonRegressor`.

    Attributes
    ----------
    alpha_ : float
        The alpha of the final fit: `alpha_min_` or `alpha_1se_`, as `selection` says.
    alpha_min_, alpha_1se_ : float
    alphas_ : ndarray of shape (L,)
    score_path_ : ndarray of shape (L, K)
        Score on each held-out fold; see `scoring`.
    coef_path_ : scipy.sparse.csc_array of shape (p, L)
        Coefficients of the final fit along its path.
    dual_gaps_ : ndarray of shape (L,)
    cv_path_ : riata.CVPath
        All of the cross-validation, with `predict` and `plot`.
    coef_, sparse_coef_, intercept_, has_offset_, dual_gap_, converged_, n_iter_, n_features_in_,
    feature_names_in_
        As in `SparsePoissonRegressor`, at `alpha_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> y = rng.poisson(np.exp(1 + X[:, 3]))
    >>> model = riata.SparsePoissonRegressorCV(selection="1se").fit(X, y)
    >>> model.get_support(indices=True)
    array([3])
    """

    def __init__(
        self,
        *,
        alphas: int | ArrayLike = 100,
        eps: float | None = None,
        cv: Any = 5,
        scoring: str | None = None,
        selection: str = "min",
        l1_ratio: float = 1.0,
        fit_intercept: bool = True,
        positive: bool = False,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower: float | ArrayLike | None = None,
        upper: float | ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.alphas = alphas
        self.eps = eps
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower = lower
        self.upper = upper
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.n_threads = n_threads
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> SparsePoissonRegressorCV:
        """Cross-validate and fit.

        Parameters
        ----------
        X, y, sample_weight, offset
            As in `SparsePoissonRegressor.fit`. Held-out samples count by their weights within a fold.
        groups : array of shape (n,), optional
            Handed to the splitter.

        Returns
        -------
        self
        """
        options = self._check_search("poisson")
        options.n_threads = check_threads(self.n_threads, self.n_jobs)
        design, target, weights, shift, features = self._check_all(X, y, sample_weight, offset)
        self._search(options, (X, y), design, target, weights, features, groups, offset=shift)
        return self
