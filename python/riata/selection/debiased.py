"""Intervals for effects of single features: the debiased lasso."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._docs import described_by
from riata._input.features import check_feature_set
from riata._input.validation import check_choice, check_flag, check_real
from riata.path.cross_validation import cv_path
from riata.path.fit import fit_path
from riata.path.given import FitArguments, Problem, read_given, read_problem, shows_arguments_of
from riata.selection.corrected import Fitted
from riata.selection.intervals import Intervals
from riata.selection.knockoff_result import KnockoffSelected
from riata.selection.nodewise import nodewise
from riata.selection.result import StabilitySelected
from riata.selection.signal import Signal, learn_signal

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["debiased_lasso"]

ADJUST = ("auto", "fcr", "bonferroni", "none")
SELECTED = (StabilitySelected, KnockoffSelected)
NO_LOSS = Signal(1.0, 1.0, 0.0)  # least squares take the lasso as it is


@described_by(fit_path)
@shows_arguments_of(fit_path, without=("penalty", "l1_ratio", "lower", "upper", "impute"))
def debiased_lasso(
    X: Any,
    y: ArrayLike,
    *,
    features: Any,
    level: float = 0.95,
    adjust: str = "auto",
    robust: bool = False,
    cv: Any = 10,
    groups: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = 0,
    **fit: Unpack[FitArguments],
) -> Intervals:
    """Intervals and p-values for the effects of single features, corrected for the lasso's bias.

    With b the lasso at the one-standard-error alpha of `cv_path`, k its number of active features, r = y - μ
    its residual and z_j what a lasso of feature j on all others leaves of it, the coefficient of j becomes

        b_j + z_j·r / ((1 - k/n) z_j·x_j),   standard error  σ ‖z_j‖ / |z_j·x_j|,   σ² = n ‖r‖² / (n - k)².

    For classes and counts b is that lasso times the slope of the held-out responses on what the fits without
    them predict, which undoes the shrinkage of the linear predictor; products are weighted with the curvature
    F'' of the loss there. Counts have σ² = n Σ_i r_i²/F''_i / (n - k)², classes σ = 1, and coefficients and
    errors of classes are stretched by √(1 + c² v), c = 16√3 / 15π: beside effects that the lasso has not
    found, those of a logistic model look so much flatter. v, the variance of the true linear predictor about
    the lasso's, is judged by refits of sparser models, chosen by held-out deviance.

    Parameters
    ----------
    features : sequence of feature numbers or names, boolean mask, or what selected them
        The features asked about, of which none may be unpenalised. A `StabilitySelected` or
        `KnockoffSelected`: those that it selected on the same data. ``"selected"``: those active in the
        lasso. Where nothing is selected, there are no intervals.
    level : float, default=0.95
        Of all intervals that are made so, the share meant to cover the true effect; see `adjust`.
    adjust : {"auto", "fcr", "bonferroni", "none"}, default="auto"
        What an interval means when features were chosen by looking at the data. ``"fcr"``: of the m intervals
        of the selected features an expected share of ``1 - level`` at most misses, each having the level
        ``1 - (1 - level) m / p`` (Benjamini & Yekutieli 2005). ``"bonferroni"``: the intervals of all p
        features hold together. ``"none"``: the level holds for features named before looking. ``"auto"``: fcr
        for selected features, none for named ones.
    robust : bool, default=False
        Standard errors that hold where the variance of the noise differs between samples.
    cv : int or splitter, default=10
        Folds of the cross-validation.
    groups : array of shape (n,), optional
        Groups of samples, as of `cv_path`: with an integer `cv` those of a family or patient stay together.
    random_state : int, RandomState or None, default=0
        Seed of the folds.

    Returns
    -------
    Intervals
        Corrected coefficients with standard errors, intervals and p-values, in the order of X where features
        are named or masked.

    Raises
    ------
    ValueError, TypeError
        For bad input, naming the argument, the value and what is allowed.

    Warns
    -----
    UserWarning
        When `adjust` is "none" for features that were selected.

    Notes
    -----
    The model is taken to be sparse and right: effects of features are given all others. Each feature takes a
    path of its own over X.

    References
    ----------
    Zhang & Zhang (2014), Confidence intervals for low dimensional parameters in high dimensional linear
    models, J. R. Statist. Soc. B 76. van de Geer, Bühlmann, Ritov & Dezeure (2014), On asymptotically optimal
    confidence regions and tests for high-dimensional models, Annals of Statistics 42. Bellec & Zhang (2022),
    De-biasing the lasso with degrees-of-freedom adjustment, Bernoulli 28. Zeger, Liang & Albert (1988),
    Models for longitudinal data, Biometrics 44 (effects beside others that are left out). Firth (1993), Bias
    reduction of maximum likelihood estimates, Biometrika 80 (the refits). Benjamini & Yekutieli (2005), False
    discovery rate-adjusted multiple confidence intervals, J. Am. Statist. Assoc. 100.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 300))
    >>> y = X[:, 4] - X[:, 9] + rng.standard_normal(200)
    >>> found = riata.debiased_lasso(X, y, features=[4, 100])
    >>> bool(found.lower[0] < 1.0 < found.upper[0]), bool(found.lower[1] < 0.0 < found.upper[1])
    (True, True)
    """
    for name in ("penalty", "l1_ratio", "lower", "upper", "impute"):
        if name in fit:
            raise TypeError(f"debiased_lasso() takes no {name}")
    given = read_given("debiased_lasso", fit, stop_early=False)
    loss = given.loss
    if not (loss.least_squares or loss.two_classes or loss.has_counts):
        raise ValueError(f"loss must be gaussian, binomial or poisson, got {loss.name!r}")
    level = check_real("level", level, above=0.0, below=1.0)
    check_choice("adjust", adjust, ADJUST)
    robust = check_flag("robust", robust)
    problem = read_problem(X, y, given)
    named = _named(problem, features)
    path = cv_path(X, y, cv=cv, groups=groups, random_state=random_state, alpha_rule="1se", **fit)
    coef = np.asarray(path.coef())
    signal = NO_LOSS if loss.least_squares else learn_signal(problem, path, path.alpha, loss, given.options)
    asked = np.flatnonzero(coef != 0.0).astype(np.int64) if named is None else named
    if named is None and problem.features.penalty_factor is not None:
        asked = asked[problem.features.penalty_factor[asked] > 0.0]
    selected = named is None or isinstance(features, SELECTED)
    if len(asked) == 0 and not selected:
        raise ValueError("features must hold at least one feature, got none")
    _refuse_constant(problem, asked)
    rule = _rule(adjust, selected)
    p = problem.design.n_features
    share = {"none": 1.0, "fcr": len(asked) / p, "bonferroni": 1.0 / p}[rule]
    fitted = Fitted(problem, coef, float(np.asarray(path.intercept())), loss, signal, given.options)
    residuals = nodewise(problem.design, asked, fitted.curvature, problem.features, given.options)
    pairs = [fitted.correct(int(j), z, robust) for j, z in zip(asked, residuals, strict=True)]
    estimate, se = np.array(pairs).reshape(-1, 2).T
    if np.isinf(se).any():
        first = int(asked[np.isinf(se)][0])
        warnings.warn(
            f"no interval for {int(np.isinf(se).sum())} of the features, feature {first} first: others are "
            "so much like them that their effects cannot be told apart; exclude all but one of such a group",
            UserWarning,
            stacklevel=2,
        )
    from scipy.stats import norm

    reach = norm.isf(0.5 * (1.0 - level) * share) * se
    names = problem.design.feature_names
    return Intervals(
        features=asked,
        names=[str(j) if names is None else str(names[int(j)]) for j in asked],
        coef=estimate,
        lasso=coef[asked],
        slope=signal.slope,
        stretch=signal.stretch,
        se=se,
        lower=estimate - reach,
        upper=estimate + reach,
        p_values=2.0 * norm.sf(np.abs(estimate) / se),
        level=level,
        adjust=rule,
        level_each=1.0 - (1.0 - level) * share,
        alpha=float(path.alpha),
        n_active=int(np.count_nonzero(coef)),
        bias=np.array([z.bias for z in residuals]),
        noise=np.array([z.noise for z in residuals]),
    )


def _refuse_constant(problem: Problem, asked: NDArray[np.int64]) -> None:
    """Refuse features without variance: they have no effect that could be told from the intercept."""
    values = problem.design.gather(asked)[problem.weights > 0.0]
    flat = np.ptp(values, axis=0) <= 1e-12 * np.abs(values).max(axis=0)
    if flat.any():
        raise ValueError(
            f"features must vary among the samples, got {int(asked[flat][0])}, which has one value for all"
        )


def _named(problem: Problem, features: Any) -> NDArray[np.int64] | None:
    """The numbers of the features asked about; None for those that the lasso selects."""
    design, factor = problem.design, problem.features.penalty_factor
    if isinstance(features, str):
        check_choice("features", features, ("selected",))
        return None
    if isinstance(features, SELECTED):
        if features.group_names is not None:
            raise ValueError("features must be selected by feature, got groups: name one of each instead")
        features = features.selected
    asked = check_feature_set("features", features, design.n_features, design.feature_names)
    if len(np.unique(asked)) < len(asked):
        raise ValueError("features must not hold a feature twice")
    if factor is not None and not ((factor[asked] > 0.0) & np.isfinite(factor[asked])).all():
        raise ValueError("features must be penalised and not excluded: others have no lasso coefficient")
    return asked


def _rule(adjust: str, selected: bool) -> str:
    """What intervals are adjusted for."""
    if adjust == "auto":
        return "fcr" if selected else "none"
    if adjust == "none" and selected:
        warnings.warn(
            "adjust='none' for features selected by the same data: their intervals cover the effects less "
            "often than the level says, as those looked at came out large; adjust='fcr' allows for it",
            UserWarning,
            stacklevel=3,
        )
    return adjust
