"""The lasso guided by what each feature does alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from riata._input.features import Names, by_feature
from riata._input.validation import Float, check_integer
from riata.penalties._penalty import Penalty, Structure


@dataclass(frozen=True, slots=True, eq=False)
class UniLasso(Penalty):
    """The univariate-guided lasso: signs and sizes of one-feature models guide the joint model.

    First a model ``a_j + b_j x_j`` of each feature alone is fitted. Then

        loss(t0 + Σ_j t_j z_j) + alpha Σ_j pf_j t_j    over t_j >= 0

    is minimised, where z_ij is the one-feature prediction for sample i by a fit that left i out. Coefficients
    are ``b_j t_j``: none has another sign than its feature has alone, and features that predict well alone
    are penalised less. Selections are sparser than the lasso's at about the same accuracy.

    The scale of X is of no account, so nothing is standardised. Leave-one-out predictions are computed from X
    as they are needed, and not held in full precision. For other losses than squares they are those of the
    last Newton step. Features with penalty factor 0 are fitted first, by themselves, and stand beside each
    one-feature model as an offset; in the joint model they are free. The certificate is the duality gap of
    the joint problem. In a cross-validation the one-feature models are fitted anew without the held-out
    samples, which is why folds do not share passes.

    Parameters
    ----------
    univariate : array of shape (p,), dict or Series by feature name, optional
        Slopes b_j from elsewhere, such as an association study in other samples, per unit of X. No
        sample of these data took part in them, so z_j is ``b_j x_j`` itself: the lasso with factors
        ``pf_j / |b_j|`` whose coefficients have the signs of b_j. Features with NaN or 0, and those
        that a dict does not name, are left out; a Series has an entry for each.
    newton_steps : int, default=2
        Newton steps of a one-feature model; squares take one. Two are what its authors use.

    References
    ----------
    Chatterjee, Hastie & Tibshirani (2025), Univariate-guided sparse regression, arXiv 2501.18360. Richland et
    al. (2025), Univariate-guided sparse regression for biobank-scale high-dimensional -omics data, arXiv
    2511.22049: slopes from elsewhere. Rad & Maleki (2020), A scalable estimate of the out-of-sample
    prediction error via approximate leave-one-out cross-validation, J. R. Statist. Soc. B 82.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 200))
    >>> y = 2 * X[:, 0] - X[:, 7] + rng.standard_normal(100)
    >>> cv = riata.cv_path(X, y, penalty=riata.penalties.UniLasso(), alpha_rule="1se")
    >>> np.flatnonzero(cv.coef())
    array([0, 7])
    """

    univariate: ArrayLike | Mapping[str, float] | None = None
    newton_steps: int = 2

    kind: ClassVar[str] = "unilasso"
    standardizes: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_integer("newton_steps", self.newton_steps, at_least=1)

    def __repr__(self) -> str:
        told = [] if self.univariate is None else [f"univariate={_count(self.univariate)} slopes"]
        told += [] if self.newton_steps == 2 else [f"newton_steps={self.newton_steps}"]
        return f"UniLasso({', '.join(told)})"

    @property
    def parameters(self) -> dict[str, float | str]:
        if self.univariate is not None:
            return {"slopes": "given"}
        return {"slopes": "fitted", "newton_steps": float(self.newton_steps)}

    @property
    def core_kind(self) -> str:
        return "elastic_net"

    @property
    def fits_features_alone(self) -> bool:
        return self.univariate is None

    def structure(self, n_features: int, names: Names | None, factor: Float | None) -> Structure:
        if self.fits_features_alone:
            return Structure()
        slope = by_feature("univariate", self.univariate, n_features, names, np.nan)
        slope = _check_slopes(slope, n_features)
        base = np.ones(n_features) if factor is None else factor
        guided, free = (slope != 0.0) & (base > 0.0), base == 0.0
        weighed = np.full(n_features, np.inf)
        weighed[guided] = base[guided] / np.abs(slope[guided])
        weighed[free] = 0.0
        return Structure(
            factor=weighed,
            lower=np.where(free | (slope < 0.0), -np.inf, 0.0),
            upper=np.where(free | (slope > 0.0), np.inf, 0.0),
        )


def _count(given: Any) -> int:
    return len(given) if hasattr(given, "__len__") else 1


def _check_slopes(given: Any, n_features: int) -> Float:
    """Slopes (p,), those that are not known at zero."""
    slope = np.array(given, dtype=np.float64)
    if slope.shape != (n_features,):
        raise ValueError(
            f"univariate must have one slope per feature, shape ({n_features},), got {slope.shape}"
        )
    slope[np.isnan(slope)] = 0.0
    if np.isinf(slope).any():
        raise ValueError(f"univariate must hold finite slopes or NaN, got {slope[np.isinf(slope)][0]:g}")
    if not slope.any():
        raise ValueError("univariate must hold a slope other than 0 or NaN, got none")
    return slope
