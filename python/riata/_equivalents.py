"""The same fit in the parameters of other packages and textbooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riata._targets import CLASSIFIERS
from riata.path import Path

__all__ = ["Equivalents", "equivalents"]

SQUARES = ("gaussian", "multigaussian")


@dataclass(frozen=True, slots=True)
class Equivalents:
    """One point of a path, as other formulations parametrise it. Made by `riata.equivalents`.

    Attributes
    ----------
    alpha, l1_ratio : float
        riata's and scikit-learn's `Lasso`, `ElasticNet`, `MultiTaskLasso`, `MultiTaskElasticNet`: loss
        averaged over samples plus alpha times the penalty.
    row_grouped : bool
        Whether the penalty is on the norms of the coefficients of each feature: then read Σ_j ‖b_j‖₂ for
        ‖b‖₁ below.
    rss_lambda : float or None
        λ of RSS + λ‖b‖₁, ``2 Σw alpha``; gaussian and multigaussian lasso only.
    sum_lambda : float
        λ of the summed loss (half the RSS, or minus the log-likelihood) plus λ times the penalty, ``Σw
        alpha``.
    glmnet_lambda : float or None
        glmnet's lambda, for penalty factors of mean one, which is what glmnet rescales them to. None for the
        Huber loss, which it does not have.
    glmnet_note : str
        What else glmnet does differently, empty when nothing.
    sklearn_C : float or None
        `C` of `sklearn.linear_model.LogisticRegression`, ``1 / (Σw alpha)``; binomial and multinomial
        only, which it does not group by rows.
    poisson_regressor_alpha : float or None
        `alpha` of `sklearn.linear_model.PoissonRegressor`, which has ridge penalties only; Poisson loss with
        l1_ratio 0.
    radius : float
        t of the constrained form: the same loss minimised subject to ‖b‖₁ <= t (on the scale the penalty
        uses; exact for l1_ratio 1 and penalty factors of one).
    laplace_scale : float or None
        Scale of independent Laplace priors on the coefficients whose posterior mode this is, for unit noise
        variance in the gaussian case (multiply by the noise variance), ``1 / (Σw alpha)``; l1_ratio 1 only,
        not for the Huber loss, and not grouped by rows.
    """

    alpha: float
    l1_ratio: float
    loss: str
    rss_lambda: float | None
    sum_lambda: float
    glmnet_lambda: float | None
    glmnet_note: str
    sklearn_C: float | None
    poisson_regressor_alpha: float | None
    radius: float
    laplace_scale: float | None
    row_grouped: bool = False

    def __repr__(self) -> str:
        squares = self.loss in SQUARES
        names = {"huber": "Huber loss", "cox": "-log partial likelihood"}
        name = "RSS/2" if squares else names.get(self.loss, "-log-likelihood")
        scale = "Laplace prior scale" + (" / noise variance" if squares else "")
        norm = "Σ‖b_j‖₂" if self.row_grouped else "‖b‖₁"
        rows: list[tuple[str, float | None]] = [
            ("riata, scikit-learn alpha" if squares else "riata alpha", self.alpha),
            ("l1_ratio", self.l1_ratio),
            (f"RSS + λ{norm}: λ", self.rss_lambda),
            (f"{name} + λ penalty: λ", self.sum_lambda),
            ("glmnet lambda", self.glmnet_lambda),
            ("scikit-learn C", self.sklearn_C),
            ("PoissonRegressor alpha", self.poisson_regressor_alpha),
            (f"{norm} ≤ t: t", self.radius),
            (scale, self.laplace_scale),
        ]
        width = max(len(label) for label, _ in rows)
        lines = [f"{label:<{width}}  {value:.8g}" for label, value in rows if value is not None]
        if self.glmnet_note:
            lines.append(f"note: {self.glmnet_note}")
        return "\n".join(lines)


def equivalents(fit: Any, alpha: float | None = None) -> Equivalents:
    """Convert a fit to the parameters of other formulations.

    All of them have the same minimiser: multiplying the objective by a constant changes nothing.

    Parameters
    ----------
    fit : Path, CVPath or fitted cross-validated estimator
    alpha : float, optional
        Where on the path. Default: the selected alpha of a cross-validation, the last one of a path.

    Returns
    -------
    Equivalents

    Raises
    ------
    TypeError
        When `fit` is none of these.
    ValueError
        When `alpha` lies outside the path.

    Examples
    --------
    >>> import numpy as np, riata
    >>> X = np.eye(4)
    >>> path = riata.fit_path(X, [1.0, 2.0, 3.0, 4.0], alphas=[0.5, 0.25], standardize=False)
    >>> riata.equivalents(path, 0.25).rss_lambda
    2.0
    """
    source = getattr(fit, "cv_path_", fit)
    if alpha is None:
        alpha = float(getattr(source, "alpha", np.nan))
    path = getattr(source, "path", source)
    if not isinstance(path, Path):
        raise TypeError(
            f"fit must be a Path, a CVPath or a fitted cross-validated estimator, got {type(fit).__name__}"
        )
    if np.isnan(alpha):
        alpha = float(path.alphas[-1])
    scaled = path.scale[:, None] * path.coef(alpha).reshape(len(path.scale), -1)
    total, squares = path.weight_sum, path.loss in SQUARES
    note = ""
    if path.loss == "gaussian" and path.l1_ratio < 1.0:  # of several responses it does not
        note = (
            "glmnet divides y by its standard deviation before penalising squares, so its elastic net is "
            f"this one only on y / {path.response_scale:.8g}, "
            f"at glmnet lambda {alpha / path.response_scale:.8g}"
        )
    prior = path.l1_ratio == 1.0 and path.loss != "huber" and not path.row_grouped
    return Equivalents(
        alpha=float(alpha),
        l1_ratio=path.l1_ratio,
        loss=path.loss,
        rss_lambda=2.0 * total * alpha if squares and path.l1_ratio == 1.0 else None,
        sum_lambda=total * alpha,
        glmnet_lambda=None if path.loss == "huber" else float(alpha),
        glmnet_note=note,
        sklearn_C=1.0 / (total * alpha) if path.loss in CLASSIFIERS and not path.row_grouped else None,
        poisson_regressor_alpha=float(alpha) if path.loss == "poisson" and path.l1_ratio == 0.0 else None,
        radius=float((np.linalg.norm(scaled, axis=1) if path.row_grouped else np.abs(scaled)).sum()),
        laplace_scale=1.0 / (total * alpha) if prior else None,
        row_grouped=path.row_grouped,
    )
