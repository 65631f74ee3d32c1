"""The same fit in the parameters of other packages and textbooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from riata._input.renamed import old_name
from riata._input.validation import Float
from riata.losses._known import loss_of
from riata.path.fit_point import FitPoint
from riata.path.result import RegularizationPath

__all__ = ["Conversions", "conversions"]


@dataclass(frozen=True, slots=True)
class Conversions:
    """One fit in the parameters of other formulations. Made by `riata.conversions`.

    Σw is the sum of the weights, without weights the number of samples; pf_j are the penalty factors and s_j
    the scales of the penalty: standard deviations of the columns (1/n, weighted), or 1 when not standardised.
    For packages with neither factors nor standardisation the numbers hold for columns on which both are all
    1; bounds on coefficients carry over unchanged. None marks formulations without such a parameter.

    Attributes
    ----------
    alpha, l1_ratio : float
        riata's: loss averaged over samples plus alpha times the penalty. scikit-learn's `Lasso`,
        `ElasticNet`, `MultiTaskLasso` and `MultiTaskElasticNet` have the same.
    loss : str
    grouped : bool
        Whether the penalty is on the norms of the coefficients of each feature: then read Σ_j ‖b_j‖₂ for
        ‖b‖₁ below.
    rss_lambda : float or None
        λ of RSS + λ‖b‖₁, ``2 Σw alpha``; gaussian and multigaussian lasso only.
    sum_lambda : float
        λ of the summed loss (half the RSS, or minus the log-likelihood) plus λ times the penalty, ``Σw
        alpha``.
    glmnet_lambda, glmnet_alpha : float or None
        glmnet's `lambda` and its mixing parameter `alpha`, given the same `penalty.factor` and an x without
        the features left out. It rescales factors to the mean one, so that lambda is ``alpha mean(pf)``.
        For the gaussian loss it first divides y by its standard deviation sd, which multiplies the ridge part
        of the same lambda by 1/sd: then lambda is that times ``l1_ratio + (1 - l1_ratio) sd`` and alpha
        ``l1_ratio`` over the same. sd is that of y less the offset, if there is one; given here without. None
        for the Huber loss, which glmnet does not have.
    glmnet_note : str
        A further remark on glmnet; empty when there is none.
    sklearn_C : float or None
        `C` of `sklearn.linear_model.LogisticRegression`, ``1 / (Σw alpha)``, at the same l1_ratio; binomial
        and multinomial only, which it does not group by rows. (Its "liblinear" penalises the intercept.)
    ridge_alpha : float or None
        `alpha` of `sklearn.linear_model.Ridge`, ``Σw alpha``; gaussian and l1_ratio 0.
    poisson_regressor_alpha : float or None
        `alpha` of `sklearn.linear_model.PoissonRegressor`, which has ridge penalties only; Poisson loss with
        l1_ratio 0.
    radius : float
        t of the constrained form, Σ_j pf_j s_j |b_j|: with l1_ratio 1 this fit is that of
        `constrained_lasso` with this radius and the same `standardize`.
    raw_radius : float
        Σ_j pf_j |b_j| of the coefficients on the original scale. The same where not standardised.
    laplace_scale, normal_scale : float or None
        The prior under which these coefficients are the posterior mode, given a flat one of the intercept:
        pf_j-weighted and independent, with density proportional to exp(-pf_j (|c_j| / laplace_scale + c_j² /
        (2 normal_scale²))) at c_j = s_j b_j. A Laplace law for l1_ratio 1, a normal one for 0 (of standard
        deviation normal_scale / √pf_j), and the product of both in between, with 1 / laplace_scale = ``Σw
        alpha l1_ratio`` and 1 / normal_scale² = ``Σw alpha (1 - l1_ratio)``. For squares this is for noise of
        unit variance; for variance σ², multiply laplace_scale by σ² and normal_scale by σ. Not for the Huber
        loss, and not for coefficients grouped by rows.
    feature_penalty : ndarray of shape (p,), or None
        What each coefficient costs on the original scale, alpha pf_j s_j; infinity where left out. As
        `penalty_factor` with alphas=[1.0] and standardize=False it gives the same fit. With l1_ratio 0 alpha
        pf_j s_j², for squares of coefficients. None in between, when standardised: the two parts then need
        different factors.

    Examples
    --------
    >>> import numpy as np, riata
    >>> path = riata.fit_path(np.eye(4), [1.0, 2.0, 3.0, 4.0], alphas=[0.5, 0.25], standardize=False)
    >>> riata.conversions(path, 0.25).rss_lambda
    2.0
    """

    alpha: float
    l1_ratio: float
    loss: str
    rss_lambda: float | None
    sum_lambda: float
    glmnet_lambda: float | None
    glmnet_alpha: float | None
    glmnet_note: str
    sklearn_C: float | None
    ridge_alpha: float | None
    poisson_regressor_alpha: float | None
    radius: float
    raw_radius: float
    laplace_scale: float | None
    normal_scale: float | None
    grouped: bool = False
    feature_penalty: Float | None = field(default=None, compare=False)

    row_grouped = old_name("row_grouped", "grouped")

    def __repr__(self) -> str:
        loss = loss_of(self.loss)
        squares, name = loss.squares, loss.objective
        per_noise = (" / noise variance", " / noise sd") if squares else ("", "")
        norm = "Σ‖b_j‖₂" if self.grouped else "‖b‖₁"
        mixed = self.glmnet_alpha is not None and self.glmnet_alpha != self.l1_ratio
        rows: list[tuple[str, float | None]] = [
            ("riata, scikit-learn alpha" if squares else "riata alpha", self.alpha),
            ("l1_ratio", self.l1_ratio),
            (f"RSS + λ{norm}: λ", self.rss_lambda),
            (f"{name} + λ penalty: λ", self.sum_lambda),
            ("glmnet lambda", self.glmnet_lambda),
            ("glmnet alpha", self.glmnet_alpha if mixed else None),
            ("scikit-learn C", self.sklearn_C),
            ("Ridge alpha", self.ridge_alpha),
            ("PoissonRegressor alpha", self.poisson_regressor_alpha),
            (f"{norm} ≤ t: t", self.radius),
            (f"{norm} on the original scale", self.raw_radius if self.raw_radius != self.radius else None),
            (f"Laplace prior scale{per_noise[0]}", self.laplace_scale),
            (f"normal prior sd{per_noise[1]}", self.normal_scale),
        ]
        width = max(len(label) for label, _ in rows)
        lines = [f"{label:<{width}}  {value:.8g}" for label, value in rows if value is not None]
        if self.glmnet_note:
            lines.append(f"note: {self.glmnet_note}")
        return "\n".join(lines)


def conversions(fit: Any, alpha: float | None = None) -> Conversions:
    """Convert a fit to the parameters of other formulations.

    All of them have the same minimiser: multiplying the objective by a constant changes nothing.

    Parameters
    ----------
    fit : RegularizationPath, CVPath, ConstrainedFit or fitted estimator
        With the penalty of the elastic net.
    alpha : float, optional
        Where on the path. Default: the selected alpha of a cross-validation, the last one of a path. Only
        for these, as other fits have one alpha.

    Returns
    -------
    Conversions
        The parameters by name; `print` shows them all.

    Raises
    ------
    TypeError
        When `fit` is none of these.
    ValueError
        When `alpha` lies outside the path, or is given for a fit that has no path; for penalties other than
        the elastic net.

    Examples
    --------
    >>> import numpy as np, riata
    >>> X = np.eye(4)
    >>> path = riata.fit_path(X, [1.0, 2.0, 3.0, 4.0], alphas=[0.5, 0.25], standardize=False)
    >>> riata.conversions(path, 0.25).rss_lambda
    2.0
    >>> model = riata.SparseLogisticRegression(alpha=0.1).fit([[0], [1], [2], [3]], [0, 1, 0, 1])
    >>> riata.conversions(model).sklearn_C
    2.5
    """
    point, coef = _read(fit, alpha)
    if point.penalty != "elastic_net":
        raise ValueError(f"fit must have the elastic net for its penalty, got {point.penalty!r}")
    alpha, a, total, loss = point.alpha, point.l1_ratio, point.weight_sum, loss_of(point.loss)
    factor = np.ones(len(coef)) if point.penalty_factor is None else point.penalty_factor
    kept = np.isfinite(factor)
    scale = np.ones(len(coef)) if point.scale is None else point.scale
    size = np.linalg.norm(coef, axis=1) if point.grouped else np.abs(coef).sum(axis=1)
    paid = np.where(kept, factor, 0.0) * size
    glmnet_lambda, glmnet_alpha, note = _glmnet(point, float(factor[kept].mean()) if kept.any() else 1.0)
    likelihood = loss.likelihood and not point.grouped
    feature_penalty = None
    if a in (0.0, 1.0) or point.scale is None:
        feature_penalty = np.full(len(coef), np.inf)
        feature_penalty[kept] = alpha * factor[kept] * (scale if a > 0.0 else scale**2)[kept]
    return Conversions(
        alpha=alpha,
        l1_ratio=a,
        loss=point.loss,
        rss_lambda=2.0 * total * alpha if loss.squares and a == 1.0 else None,
        sum_lambda=total * alpha,
        glmnet_lambda=glmnet_lambda,
        glmnet_alpha=glmnet_alpha,
        glmnet_note=note,
        sklearn_C=_inverse(total * alpha) if loss.has_classes and not point.grouped else None,
        ridge_alpha=total * alpha if loss.least_squares and a == 0.0 else None,
        poisson_regressor_alpha=alpha if loss.has_counts and a == 0.0 else None,
        radius=float(paid.sum() if point.scale is None else paid @ scale),
        raw_radius=float(paid.sum()),
        laplace_scale=_inverse(total * alpha * a) if likelihood and a > 0.0 else None,
        normal_scale=_inverse(np.sqrt(total * alpha * (1.0 - a))) if likelihood and a < 1.0 else None,
        grouped=point.grouped,
        feature_penalty=feature_penalty,
    )


def _read(fit: Any, alpha: float | None) -> tuple[FitPoint, Float]:
    """What there is to know of a fit, and its coefficients, (p, K)."""
    source = getattr(fit, "cv_result_", fit)
    path = getattr(source, "path", source)
    if isinstance(path, RegularizationPath):
        if alpha is None:
            alpha = float(getattr(source, "alpha", path.alphas[-1]))
        coef = np.asarray(path.coef(alpha))
        return FitPoint.of_path(path, float(alpha)), coef.reshape(path.n_features, -1)
    point = getattr(fit, "_fit_point", None)
    if not isinstance(point, FitPoint):
        raise TypeError(
            "fit must be a RegularizationPath, a CVPath or a fitted estimator, or come from "
            f"constrained_lasso, got {type(fit).__name__}"
        )
    if alpha is not None:
        raise ValueError(f"alpha must be left out for a fit that has no path, got {alpha!r}")
    coef = np.asarray(fit.coef_ if hasattr(fit, "coef_") else fit.coef)
    return point, np.atleast_2d(coef).T


def _glmnet(point: FitPoint, mean_factor: float) -> tuple[float | None, float | None, str]:
    """glmnet's lambda and alpha, and what else is to be known."""
    a, strength, loss = point.l1_ratio, point.alpha * mean_factor, loss_of(point.loss)
    if not loss.likelihood:
        return None, None, ""
    if loss.least_squares and a < 1.0:  # of several responses it does not scale y
        sd = point.response_scale
        if not point.fit_intercept or sd == 0.0:
            return (
                None,
                None,
                "a ridge part is converted to glmnet only with an intercept, and a y that varies",
            )
        mix = a + (1.0 - a) * sd
        return strength * mix, a / mix, f"glmnet divides y by its sd, {sd:.8g}, before it penalises squares"
    return strength, a, loss.glmnet_note


def _inverse(value: float) -> float:
    return float(1.0 / value) if value > 0.0 else float("inf")
