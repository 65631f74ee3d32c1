"""The lasso in its constrained form: the smallest loss within a budget for the norm of the coefficients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._docs import described_by
from riata._input.alignment import check_rows_named_alike
from riata._input.design import as_design
from riata._input.features import Names
from riata._input.validation import (
    Float,
    check_choice,
    check_new_offset,
    check_offset,
    check_real,
    check_threads,
    check_weights,
)
from riata.genetics.variants import FittedVariants
from riata.losses import Cox, Loss
from riata.losses._known import check_loss, loss_of
from riata.path.applying import LinkTo, applied, n_samples_of
from riata.path.arguments import check_features, check_options
from riata.path.budget import BudgetSearch
from riata.path.fit import fit_path, make_path, solve
from riata.path.fit_point import FitPoint
from riata.path.fit_warnings import warn_if_constant
from riata.path.result import KINDS, RegularizationPath
from riata.path.run_options import RunOptions

__all__ = ["ConstrainedFit", "constrained_lasso"]

DECADE = 10  # alphas of the first path, from alpha_max to a tenth of it
SPENT = 1e-9  # share of the budget that may be left where it binds
INNER = 1e-6  # tolerance of the paths, over that of the fit
LEAST_INNER = 1e-10


@dataclass(frozen=True, slots=True, repr=False)
class ConstrainedFit:
    """The fit of the smallest loss within a budget. Made by `constrained_lasso`.

    Attributes
    ----------
    coef : ndarray of shape (p,)
        On the original scale of X.
    intercept : float
    alpha : float
        The price of the budget: how fast the loss falls as the radius grows, and the `alpha` at which
        `fit_path` finds the same coefficients. 0, or nearly so, where the budget does not bind.
    radius : float
        The budget.
    norm : float
        The part of it that is spent, Σ_j pf_j |b_j|, on standardised columns if the fit was standardised.
    active : bool
        Whether the budget binds. False when the smallest loss without it is as good, to the tolerance.
    primal, dual : float
        The loss (where the fit did not converge, a number above it) and a lower bound of the smallest one
        within the budget, both computed from the data in float64.
    dual_gap : float
        Certificate: (primal - dual) / (null objective - saturated objective).
    converged : bool
        Whether the dual gap is at most `tol`.
    tol : float
    loss : str
    standardize : bool
    feature_names : ndarray of str or TextColumn, shape (p,), or None
    classes : ndarray of shape (2,), or None
        Labels coded 0 and 1 by the binomial loss.
    has_offset : bool
        Whether the fit had an offset, which `predict` then requires.
    variants : FittedVariants or None
        For genotypes: ids, places and alleles of the variants, the frequencies of the counted alleles, and
        standard deviations.

    Examples
    --------
    >>> import numpy as np, riata
    >>> fit = riata.constrained_lasso(np.eye(4), [1.0, 2.0, 3.0, 4.0], radius=2.0)
    >>> float(np.abs(fit.coef).sum().round(6))
    2.0
    """

    coef: Float
    intercept: float
    alpha: float
    radius: float
    norm: float
    active: bool
    primal: float
    dual: float
    dual_gap: float
    converged: bool
    tol: float
    loss: str
    standardize: bool
    feature_names: Names | None = None
    classes: NDArray[Any] | None = None
    has_offset: bool = False
    _fit_point: FitPoint | None = None
    variants: FittedVariants | None = None

    @property
    def n_features(self) -> int:
        """Number of features p."""
        return len(self.coef)

    def __repr__(self) -> str:
        bound = "binds" if self.active else "does not bind"
        scale = " on standardised columns" if self.standardize else ""
        state = "" if self.converged else ", not converged"
        return (
            f"<riata.ConstrainedFit {self.loss}, {np.count_nonzero(self.coef)} of {len(self.coef)} features, "
            f"norm {self.norm:.6g} of {self.radius:.6g}{scale} ({bound}), alpha {self.alpha:.6g}, "
            f"gap {self.dual_gap:.1e}{state}>"
        )

    def _repr_html_(self) -> str:
        """Show a card in notebooks."""
        from riata.report.cards import constrained_card

        return constrained_card(self)

    def predict(
        self,
        X: Any,
        *,
        kind: str = "response",
        offset: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> NDArray[Any]:
        """Predict for the samples of `X`: see `RegularizationPath.predict`.

        Parameters
        ----------
        X : array, memory map, SciPy sparse matrix, DataFrame, Arrow table, AnnData or Genotypes, shape (m, p)
            New samples; columns of frames and variants of genotypes are matched by name.
        kind : {"response", "link", "class"}, default="response"
            The mean, the linear predictor, or the class label (binomial loss only).
        offset : array of shape (m,) or number, optional
            Added to the linear predictor; needed when the fit had one. 0 predicts without.
        n_threads : int, optional
            Default: every available core.

        Returns
        -------
        ndarray of shape (m,)
            Class labels when `kind` is "class".
        """
        import scipy.sparse as sp

        check_choice("kind", kind, KINDS)
        if kind == "class" and self.classes is None:
            raise ValueError(f"kind must be 'response' or 'link' for the {self.loss} loss, got 'class'")
        shift = check_new_offset(offset, n_samples_of(X), fitted=self.has_offset)
        check_rows_named_alike(X, offset=offset)
        coefs, intercepts = sp.csc_array(self.coef[:, None]), np.array([self.intercept])
        finish = LinkTo(kind, loss_of(self.loss), self.classes, alone=True)
        return applied(self, X, coefs, intercepts, check_threads(n_threads), finish, shift)


@described_by(fit_path, RunOptions, Cox)
def constrained_lasso(
    X: Any,
    y: ArrayLike,
    radius: float,
    *,
    loss: str | Loss = "gaussian",
    sample_weight: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    fit_intercept: bool = True,
    standardize: bool = False,
    penalty_factor: ArrayLike | None = None,
    exclude: ArrayLike | None = None,
    tol: float = 1e-6,
    max_iter: int = 10_000,
    n_threads: int | None = None,
    start: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    ties: str | None = None,
    huber_delta: float | None = None,
) -> ConstrainedFit:
    """Find the fit with the smallest loss within a budget for the L1 norm, certified by its own duality gap.

    Minimises

        (1 / Σw) Σ_i w_i loss(y_i, b0 + x_i·b + offset_i)   subject to   Σ_j pf_j |b_j| <= radius,

    with the losses of `fit_path`. By default the norm is that of the coefficients returned, on the columns of
    X as they are, whereas `fit_path` has `standardize=True`: with `standardize=True` here, each |b_j| counts
    times the standard deviation of its column (1/n, weighted), as `riata.conversions` gives it for a
    standardised path.

    Parameters
    ----------
    radius : float
        The budget, >= 0. With 0 only the intercept and unpenalised features are fitted; with infinity the
        loss alone counts.
    loss : {"gaussian", "binomial", "poisson", "huber", "cox"}
        The loss, as in `fit_path`.
    standardize : bool, default=False
        Measure the norm on columns of unit standard deviation. Coefficients come back on the original scale.
    penalty_factor : array of shape (p,), dict or Series by feature name, optional
        What a unit of each coefficient costs: 0 leaves the feature free, infinity leaves it out.
    exclude : sequence of feature numbers or names, or boolean mask, optional
        Features to leave out.
    tol : float, default=1e-6
        Bound on the relative duality gap, (primal - dual) / (null objective - saturated objective).
    max_iter : int, default=10000
        Inner iterations allowed at each alpha of the paths that search for the price.
    n_threads : int, optional
        Default: every available core, or OMP_NUM_THREADS, or one for a small problem.
    huber_delta : float, optional
        Huber loss: the size of residuals beyond which it is linear, by default 1.345.

    Returns
    -------
    ConstrainedFit
        The coefficients, their gap, and what the budget costs.

    Raises
    ------
    ValueError, TypeError
        For bad input, naming the argument, the value and what is allowed, before any fitting.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the gap is above `tol`.
    UserWarning
        When y has one value for all samples, which the intercept predicts.

    Notes
    -----
    The norm of the penalised fit falls as alpha grows, and its dual value less alpha times the radius bounds
    the loss of all fits within the budget. The alpha whose norm is the radius is bracketed closer and closer
    by paths, until the combination of the ends of the bracket with that norm, which is returned, has no gap
    beyond those of the ends. It is exact for the gaussian loss, where the path is linear in alpha.

    A radius above the norm of the unpenalised fit does not bind, and that fit is found: `active` is False.
    With more features than samples many fits interpolate y. From the smallest norm among them on, every
    radius allows a perfect fit; the one returned is the limit of the path, which has that smallest norm, to
    the tolerance. Where the loss has no smallest value (separable classes) every radius binds, to the
    tolerance.

    References
    ----------
    Tibshirani (1996), Regression shrinkage and selection via the lasso, JRSS B 58(1). Osborne, Presnell &
    Turlach (2000), On the lasso and its dual, J. Computational and Graphical Statistics 9.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> fit = riata.constrained_lasso(X, y, radius=4.0)
    >>> np.flatnonzero(fit.coef)
    array([0, 7])
    >>> bool(abs(np.abs(fit.coef).sum() - 4.0) < 1e-9)
    True
    """
    radius = (
        np.inf if np.ndim(radius) == 0 and radius == np.inf else check_real("radius", radius, at_least=0.0)
    )
    chosen = check_loss(loss, start=start, strata=strata, ties=ties, huber_delta=huber_delta)
    if chosen.several_outputs:
        raise ValueError(f"loss must be one for a single number per sample, got {chosen.name!r}")
    options = check_options(
        loss=chosen,
        penalty=None,
        alphas=DECADE,
        eps=0.1,
        fit_intercept=fit_intercept,
        standardize=standardize,
        l1_ratio=1.0,
        tol=tol,
        max_iter=max_iter,
        solver="auto",
        n_threads=n_threads,
        progress=None,
        max_active=None,
    )
    check_rows_named_alike(X, y=y, sample_weight=sample_weight, offset=offset, **chosen.beside)
    design = as_design(X)
    weights = check_weights(sample_weight, design.n_samples)
    target, classes = chosen.check_target(y, design.n_samples, weights)
    shift = check_offset(offset, design.n_samples)
    features = check_features(design, penalty_factor, None, None, exclude)
    warn_if_constant(target, weights, shift, options)
    inner = replace(options, tol=max(INNER * options.tol, LEAST_INNER), stop_early=False)

    def follow(alphas: Float | None, *, free: bool = False) -> RegularizationPath:
        """Fit the penalised path at given alphas, or on the first grid; or, free, the loss alone."""
        here, of = replace(inner, alphas=alphas), features
        if free:
            factor = np.zeros(design.n_features)
            if features.penalty_factor is not None:
                factor[np.isinf(features.penalty_factor)] = np.inf
            of = replace(features, penalty_factor=factor)
        found = solve(design, target, weights[:, None], shift, of, here, tell=alphas is None)[0]
        return make_path(found, design, target, weights, of, here, classes, offset=shift)

    search = BudgetSearch(follow, radius, features.penalty_factor, options.tol)
    best = search.run()
    fit = ConstrainedFit(
        coef=best.coef,
        intercept=best.intercept,
        alpha=best.alpha,
        radius=radius,
        norm=best.norm,
        active=best.alpha > 0.0 and best.norm >= radius * (1.0 - SPENT),
        primal=best.loss,
        dual=search.bound,
        dual_gap=search.gap(best),
        converged=search.gap(best) <= options.tol,
        tol=options.tol,
        loss=chosen.name,
        standardize=options.standardize,
        feature_names=design.feature_names,
        classes=classes,
        has_offset=shift is not None,
        _fit_point=FitPoint.of_path(search.path, best.alpha),
        variants=search.path.variants,
    )
    if not fit.converged:
        import warnings

        from sklearn.exceptions import ConvergenceWarning

        warnings.warn(
            f"the fit did not converge: the relative duality gap is {fit.dual_gap:.2e} at radius={radius:g}, "
            f"above tol={options.tol:g}. Raise max_iter={max_iter} or tol.",
            ConvergenceWarning,
            stacklevel=2,
        )
    return fit
