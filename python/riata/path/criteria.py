"""Information criteria along a path: fit against number of coefficients, without held-out samples."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riata._input.validation import Float, check_choice, check_real
from riata.path.coefs import side_by_side

if TYPE_CHECKING:
    from riata.path.result import RegularizationPath

CRITERIA = ("aic", "bic", "ebic")


def information_criterion(
    path: RegularizationPath, criterion: Any, ebic_gamma: Any = 1.0, noise_variance: Any = None
) -> Float:
    """See `RegularizationPath.information_criterion`."""
    check_choice("criterion", criterion, CRITERIA)
    gamma = check_real("ebic_gamma", ebic_gamma, at_least=0.0, at_most=1.0)
    if not path.loss_function.likelihood:
        raise ValueError(
            f"criterion: {criterion!r} needs a likelihood, which the {path.loss} loss does not have"
        )
    if path.l1_ratio == 0.0:
        raise ValueError(
            f"criterion: {criterion!r} counts coefficients, and with l1_ratio=0 none is ever zero"
        )
    if noise_variance is not None:
        if not path.loss_function.squares:
            raise ValueError(
                f"noise_variance must be left out for the {path.loss} loss, got {noise_variance!r}"
            )
        noise_variance = check_real("noise_variance", noise_variance, above=0.0)
    price = 2.0 if criterion == "aic" else float(np.log(sample_size(path, criterion)))
    out = minus_twice_log_likelihood(path, noise_variance) + price * degrees_of_freedom(path)
    return out + 2.0 * gamma * log_number_of_models(path) if criterion == "ebic" else out


def select(
    path: RegularizationPath, criterion: Any, ebic_gamma: Any = 1.0, noise_variance: Any = None
) -> float:
    """See `RegularizationPath.select`."""
    values = information_criterion(path, criterion, ebic_gamma, noise_variance)
    best = int(np.argmin(values))
    coefficients, n = int(degrees_of_freedom(path)[best]), sample_size(path, criterion)
    if noise_variance is None and coefficients > 0.5 * n:
        squares = path.loss_function.squares
        warnings.warn(
            f"{criterion} is smallest where {coefficients} coefficients for {n:g} "
            f"{'events' if path.loss_function.has_times and criterion != 'aic' else 'samples'} leave "
            f"{'no residuals to tell the noise from' if squares else 'little to tell chance from'}. "
            f"{'Give noise_variance, or use' if squares else 'Use ebic, or'} cv_path.",
            UserWarning,
            stacklevel=3,
        )
    return float(path.alphas[best])


def minus_twice_log_likelihood(path: RegularizationPath, noise_variance: float | None) -> Float:
    """-2 log L of every fit: of a normal law for squares, else less that of a perfect fit (the deviance)."""
    losses = np.maximum(mean_losses(path) - path.saturated_objective, 0.0)
    if not path.loss_function.squares:
        return 2.0 * path.weight_sum * losses
    numbers = sample_size(path, "aic")
    squares = 2.0 * path.weight_sum * losses
    if noise_variance is not None:
        return np.asarray(numbers * np.log(2.0 * np.pi * noise_variance) + squares / noise_variance)
    with np.errstate(divide="ignore"):  # minus infinity for a perfect fit
        return np.asarray(numbers * (np.log(2.0 * np.pi * squares / numbers) + 1.0))


def mean_losses(path: RegularizationPath) -> Float:
    """The weighted mean of the loss at every alpha: the objective less the penalty."""
    if path.penalty != "elastic_net":  # whose value takes more than a path keeps
        return path.saturated_objective + (1.0 - path.deviance_ratio) * _null_deviance(path)
    features, at, coefs = _nonzero(path)
    sizes = np.abs(coefs) * path.scale[features]
    if path.grouped:
        features, at, sizes = _by_feature(path, features, at, sizes**2)
        sizes = np.sqrt(sizes)
    factor = 1.0 if path.penalty_factor is None else path.penalty_factor[features]
    terms = factor * (path.l1_ratio * sizes + 0.5 * (1.0 - path.l1_ratio) * sizes**2)
    return np.asarray(path.primal - path.alphas * np.bincount(at, terms, len(path)))


def _null_deviance(path: RegularizationPath) -> float:
    """Loss of the intercept alone less that of a perfect fit, which deviance ratios are relative to."""
    null = path.null_objective - path.saturated_objective  # of the unpenalised features as well
    if path.penalty_factor is None or np.all(path.penalty_factor > 0.0):
        return null
    if path.alphas[0] < path.alpha_max * (1.0 - 1e-12):
        raise ValueError(
            f"criterion: with unpenalised features the path must begin at alpha_max={path.alpha_max:.6g}, "
            f"got {path.alphas[0]:.6g}"
        )
    return float(null / (1.0 - path.deviance_ratio[0]))


def degrees_of_freedom(path: RegularizationPath) -> Float:
    """Nonzero coefficients; of a feature's K of the multinomial loss at most K - 1, which say it all."""
    features, at, _ = _nonzero(path)
    _, at, counts = _by_feature(path, features, at, np.ones(len(at)))
    if path.loss_function.many_classes:
        counts = np.minimum(counts, len(path.coefs) - 1)
    return np.asarray(np.bincount(at, counts, len(path)))


def sample_size(path: RegularizationPath, criterion: str) -> float:
    """The sum of the weights, of all responses; for BIC of the Cox loss that of the events."""
    loss = path.loss_function
    if not loss.has_times or criterion == "aic":
        return path.weight_sum * (len(path.coefs) if loss.many_responses else 1)
    if path.n_events is None:
        raise ValueError(
            f"criterion: {criterion!r} needs the number of events, which this saved path does not hold"
        )
    return path.n_events


def log_number_of_models(path: RegularizationPath) -> Float:
    """log binom(p, k): in how many ways k features can be chosen among the p that are penalised."""
    from scipy.special import gammaln

    features, at, _ = _nonzero(path)
    features, at, _ = _by_feature(path, features, at, np.ones(len(at)))
    p = float(path.n_features)
    if path.penalty_factor is not None:
        penalised = (path.penalty_factor > 0.0) & np.isfinite(path.penalty_factor)
        p, at = float(penalised.sum()), at[penalised[features]]
    k = np.bincount(at, minlength=len(path))
    return np.asarray(gammaln(p + 1.0) - gammaln(k + 1.0) - gammaln(p - k + 1.0))


def _nonzero(path: RegularizationPath) -> tuple[NDArray[np.int64], NDArray[np.int64], Float]:
    """(feature, number of the alpha, value) of every nonzero coefficient."""
    wide = side_by_side(path.coefs)
    at = np.repeat(np.arange(wide.shape[1]), np.diff(wide.indptr)) % len(path)
    return wide.indices.astype(np.int64), at, wide.data


def _by_feature(
    path: RegularizationPath, features: NDArray[np.int64], at: NDArray[np.int64], values: Float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Float]:
    """Sums over the outputs: (feature, number of the alpha, sum of `values`)."""
    keys, place = np.unique(features * len(path) + at, return_inverse=True)
    return (
        keys // len(path),
        keys % len(path),
        np.asarray(np.bincount(place, values, len(keys)), dtype=np.float64),
    )
