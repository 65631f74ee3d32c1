"""y of the generated problems: a sparse linear predictor, and a response drawn from it for each loss.

Predictors have mean 0 and variance 1, one column a response or class.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

MISSING = -9  # genotype
CENSORED = 0.4  # share of the samples of the loss "cox"


def linear_predictor(
    rng: np.random.Generator,
    X: np.ndarray | sparse.csc_matrix,
    n_signals: int,
    n_responses: int,
    size: int = 1,
) -> np.ndarray:
    """n_signals random columns with normal effects on all responses alike, (n, n_responses), standardised.

    Or that many groups of `size` neighbouring columns.
    """
    filled = np.flatnonzero(np.diff(X.indptr) > 20) if sparse.issparse(X) else np.arange(X.shape[1] // size)
    chosen = np.sort(rng.choice(filled, size=min(n_signals, len(filled) // 2), replace=False))
    chosen = (size * chosen[:, None] + np.arange(size)).ravel()
    part = (
        X[:, chosen].toarray() if sparse.issparse(X) else np.where(X[:, chosen] == MISSING, 0, X[:, chosen])
    )
    truth = part @ rng.standard_normal((len(chosen), n_responses))
    return (truth - truth.mean(axis=0)) / truth.std(axis=0)


def multigaussian(rng: np.random.Generator, truth: np.ndarray, snr: float) -> np.ndarray:
    """truth plus noise of variance 1/snr, then mean 0 and variance 1 in every response."""
    y = truth + rng.standard_normal(truth.shape) / np.sqrt(snr)
    return (y - y.mean(axis=0)) / y.std(axis=0)


def gaussian(rng: np.random.Generator, truth: np.ndarray, snr: float) -> np.ndarray:
    return multigaussian(rng, truth, snr)[:, 0]


def binomial(rng: np.random.Generator, truth: np.ndarray, snr: float) -> np.ndarray:
    """0 or 1, with log odds 3 truth."""
    return (rng.random(len(truth)) < 1.0 / (1.0 + np.exp(-3.0 * truth[:, 0]))).astype(np.float64)


def poisson(rng: np.random.Generator, truth: np.ndarray, snr: float) -> np.ndarray:
    """Counts of mean 2 e^(0.8 truth)."""
    return rng.poisson(2.0 * np.exp(0.8 * truth[:, 0])).astype(np.float64)


def multinomial(rng: np.random.Generator, truth: np.ndarray, snr: float) -> np.ndarray:
    """Class numbers 0 .. K - 1 with probabilities proportional to e^(3 truth)."""
    return np.argmax(3.0 * truth + rng.gumbel(size=truth.shape), axis=1).astype(np.float64)


def cox(rng: np.random.Generator, truth: np.ndarray, snr: float) -> np.ndarray:
    """Columns [time, event]: exponential times of rate e^(1.5 truth), no ties, the share CENSORED cut short.

    Censoring times are exponential, too, and independent, on the scale that gives that share.
    """
    times = rng.exponential(size=len(truth)) / np.exp(1.5 * truth[:, 0])
    limits = rng.exponential(size=len(truth))
    limits *= np.quantile(times / limits, 1.0 - CENSORED)
    return np.column_stack([np.minimum(times, limits), (times <= limits).astype(np.float64)])


RESPONSES = {
    "gaussian": gaussian,
    "multigaussian": multigaussian,
    "binomial": binomial,
    "poisson": poisson,
    "multinomial": multinomial,
    "cox": cox,
}
