"""Problems, and what optimality means, written from the definitions: shared by the tests."""

import os
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.special import xlogy

DELTA = 1.345  # of the Huber loss

#: Real data that is not part of the repository; tests that need it skip when it is absent.
SHARED = Path(
    os.environ.get("RIATA_SHARED_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data")
)


def make_problem(loss="gaussian", n=40, p=60, seed=0, noise=0.5):
    """Correlated columns, five of which matter; y numeric, 0/1, counts, or columns [time, event].

    For the Huber loss the noise has heavy tails, so that a third or so of the residuals are beyond 1.345.
    """
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n, 1))
    X = np.asfortranarray(0.8 * rng.standard_normal((n, p)) + 0.6 * shared)
    eta = X[:, :5] @ np.array([2.0, -1.5, 1.0, -0.7, 0.5])[: X[:, :5].shape[1]]
    if loss == "gaussian":
        return X, 0.3 + eta + noise * rng.standard_normal(n)
    if loss == "cox":
        return X, survival_times(eta, rng)
    if loss == "poisson":
        return X, rng.poisson(np.exp(0.5 + 0.4 * eta)).astype(float)
    if loss == "huber":
        return X, 0.3 + eta + 2.0 * noise * rng.standard_t(1.5, n)
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-eta))).astype(float)
    y[:2] = 0.0, 1.0
    return X, y


def survival_times(eta, rng):
    """Columns [time, event], with ties and two thirds or so of the times observed."""
    time = np.ceil(10.0 * rng.exponential(np.exp(-eta))) / 10.0
    end = np.ceil(10.0 * rng.exponential(3.0 * np.median(time), len(eta))) / 10.0
    return np.column_stack([np.minimum(time, end), time <= end])


def response_to(loss, score, rng):
    """A response of the kind that the loss takes, that goes with a score."""
    if loss == "cox":
        return survival_times(score, rng)
    if loss == "poisson":
        return rng.poisson(np.exp(0.5 * score)).astype(float)
    return (score > score.mean()).astype(float) if loss == "binomial" else score


def cox_terms(y, eta, weights, start=None, strata=None, ties="breslow"):
    """Of each term of the partial likelihood: mass, tied rows, distribution over rows, log of its total."""
    time, event = y.T
    start = np.full(len(time), -np.inf) if start is None else start
    strata = np.zeros(len(time)) if strata is None else strata
    counts = (event == 1.0) & (weights > 0.0)
    for stratum, now in sorted(set(zip(strata[counts], time[counts], strict=True))):
        at_risk = (strata == stratum) & (start < now) & (now <= time)
        tied = at_risk & counts & (time == now)
        m = tied.sum() if ties == "efron" else 1
        for k in range(m):
            share = at_risk * weights * np.exp(eta) * (1.0 - tied * k / m)
            yield weights[tied].sum() / m, tied, share / share.sum(), np.log(share.sum())


def cox_value(y, eta, weights, **survival):
    """Minus the log partial likelihood over the sum of weights."""
    total = 0.0
    for mass, tied, _, log_sum in cox_terms(y, eta, weights, **survival):
        total += mass * (log_sum - weights[tied] @ eta[tied] / weights[tied].sum())
    return total / weights.sum()


def residual_of(loss, y, eta, weights, **survival):
    """Minus the gradient of the weighted mean of the loss."""
    if loss == "huber":
        return weights / weights.sum() * np.clip(y - eta, -DELTA, DELTA)
    if loss != "cox":
        return weights / weights.sum() * (y - mean_of(loss, eta))
    out = np.zeros(len(eta))
    for mass, tied, share, _ in cox_terms(y, eta, weights, **survival):
        out += mass * (tied * weights / weights[tied].sum() - share)
    return out / weights.sum()


def mean_of(loss, eta):
    """The mean of y at a linear predictor."""
    if loss in ("binomial", "poisson"):
        return 1.0 / (1.0 + np.exp(-eta)) if loss == "binomial" else np.exp(eta)
    return eta


def loss_value(loss, y, eta, weights):
    """The weighted mean of the loss."""
    if loss == "cox":
        return cox_value(y, eta, weights)
    if loss == "poisson":
        terms = np.exp(eta) - y * eta - y + xlogy(y, y)
    elif loss == "huber":
        size = np.abs(y - eta)
        terms = np.where(size <= DELTA, 0.5 * size**2, DELTA * (size - 0.5 * DELTA))
    else:
        terms = 0.5 * (y - eta) ** 2 if loss == "gaussian" else np.logaddexp(0.0, eta) - y * eta
    return float(weights @ terms / weights.sum())


def objective(
    X, y, coef, intercept, alpha, *, loss="gaussian", l1_ratio=1.0, factor=None, weights=None, scale=1.0
):
    """What is minimised, from its definition; `scale` are the standard deviations when standardising."""
    weights = np.ones(len(y)) if weights is None else weights
    factor = np.ones(X.shape[1]) if factor is None else factor
    b = coef * scale
    used = b != 0.0
    penalty = factor[used] @ (l1_ratio * np.abs(b[used]) + 0.5 * (1.0 - l1_ratio) * b[used] ** 2)
    return loss_value(loss, y, X @ coef + intercept, weights) + alpha * penalty


def kkt_violation(
    X,
    y,
    coef,
    intercept,
    alpha,
    *,
    loss="gaussian",
    l1_ratio=1.0,
    factor=None,
    weights=None,
    offset=0.0,
    scale=1.0,
    lower=-np.inf,
    upper=np.inf,
    fit_intercept=True,
    **survival,
):
    """The largest violation of optimality, on the scale of the standardised gradient."""
    X = X.toarray() if sp.issparse(X) else np.asarray(X, dtype=float)
    p = X.shape[1]
    weights = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float)
    factor = np.ones(p) if factor is None else np.asarray(factor, dtype=float)
    residual = residual_of(loss, y, X @ coef + intercept + offset, weights, **survival)
    keep = np.isfinite(factor)
    assert np.all(coef[~keep] == 0.0)
    X, coef, factor = X[:, keep], coef[keep], factor[keep]
    scale, lower, upper = (np.broadcast_to(v, (p,))[keep] for v in (scale, lower, upper))
    assert np.all((lower <= coef) & (coef <= upper))
    centre = weights @ X / weights.sum() if fit_intercept else 0.0
    pull = (X - centre).T @ residual / scale - alpha * factor * (1.0 - l1_ratio) * coef * scale
    l1 = alpha * factor * l1_ratio
    at_zero = np.maximum(np.abs(pull) - l1, 0.0)
    at_zero = np.where((pull > 0) & (upper <= 0) | (pull < 0) & (lower >= 0), 0.0, at_zero)
    inside = pull - np.sign(coef) * l1
    inside = np.where((coef == upper) & (inside > 0) | (coef == lower) & (inside < 0), 0.0, inside)
    worst = np.where(coef == 0.0, at_zero, np.abs(inside)).max(initial=0.0)
    return max(worst, abs(residual.sum()) if fit_intercept else 0.0)


def deviation(X, weights=None):
    """Weighted standard deviations of the columns, 1/n."""
    X = np.asarray(X, dtype=float)
    weights = np.ones(len(X)) if weights is None else weights
    centre = np.average(X, axis=0, weights=weights)
    return np.sqrt(np.average((X - centre) ** 2, axis=0, weights=weights))


def storages(X):
    """The same small integers in every storage."""
    read_only = X.copy(order="F")
    read_only.flags.writeable = False
    wide = np.zeros((2 * X.shape[0], 3 * X.shape[1]))
    wide[::2, ::3] = X
    return {
        "F": np.asfortranarray(X),
        "C": np.ascontiguousarray(X),
        "float32": X.astype(np.float32),
        "int8": X.astype(np.int8),
        "int8 C": np.ascontiguousarray(X.astype(np.int8)),
        "int64": X.astype(np.int64),
        "float16": X.astype(np.float16),
        "read-only": read_only,
        "strided": wide[::2, ::3],
        "reversed": X[::-1, ::-1].copy()[::-1, ::-1],
        "csc": sp.csc_matrix(X),
        "csc float32": sp.csc_array(X.astype(np.float32)),
        "csr": sp.csr_matrix(X),
        "coo": sp.coo_array(X),
        "list": X.tolist(),
    }


def write_plink(stem, dosage, *, chrom=None, pos=None, sex=None):
    """Write copies of A1 (0, 1, 2; NaN missing) as stem.bed/.bim/.fam; returns the .bed file's name.

    Chromosomes (1), positions (100 on) and sexes (unknown) are lists.
    """
    n, p = dosage.shape
    places = zip(
        ["1"] * p if chrom is None else chrom, range(100, 100 + p) if pos is None else pos, strict=True
    )
    codes = np.zeros((-(-n // 4) * 4, p), dtype=np.uint8)
    codes[:n] = np.where(np.isnan(dosage), 1, np.choose(np.nan_to_num(dosage).astype(int), [3, 2, 0]))
    packed = (codes.reshape(-1, 4, p) << np.array([0, 2, 4, 6])[:, None]).sum(axis=1).astype(np.uint8)
    bed = Path(f"{stem}.bed")
    bed.write_bytes(b"\x6c\x1b\x01" + packed.T.tobytes())
    variants = "".join(f"{name} rs{j} 0 {place} A G\n" for j, (name, place) in enumerate(places))
    samples = "".join(f"f{i} i{i} 0 0 {0 if sex is None else sex[i]} -9\n" for i in range(n))
    Path(f"{stem}.bim").write_text(variants)
    Path(f"{stem}.fam").write_text(samples)
    return str(bed)
