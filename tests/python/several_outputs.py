"""Problems with several outputs, and what optimality means for them, written from the definitions."""

import numpy as np

#: The losses with K outputs, and whether a feature enters all of them together.
KINDS = [("multinomial", False), ("multinomial", True), ("multigaussian", True)]
NAMES = ["classes", "classes together", "responses"]


def make_outputs(loss="multigaussian", n=40, p=25, K=3, seed=0, noise=0.5):
    """Correlated columns, five of which matter; y is n x K: class memberships, or numbers."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(0.8 * rng.standard_normal((n, p)) + 0.6 * rng.standard_normal((n, 1)))
    eta = X[:, :5] @ rng.standard_normal((5, K))[: min(p, 5)] * 1.5
    if loss == "multigaussian":
        return X, np.arange(K) + eta + noise * rng.standard_normal((n, K))
    codes = (eta + rng.gumbel(size=(n, K))).argmax(axis=1)
    codes[:K] = np.arange(K)
    return X, np.eye(K)[codes]


def dense(path):
    """Coefficients of a path, p x K x L."""
    return np.stack([coefs.toarray() for coefs in path.coefs], axis=1)


def mean_of(loss, eta):
    """The mean of y at linear predictors, n x K."""
    if loss == "multigaussian":
        return eta
    share = np.exp(eta - eta.max(axis=1, keepdims=True))
    return share / share.sum(axis=1, keepdims=True)


def loss_value(loss, y, eta, weights):
    """The weighted mean of the loss."""
    if loss == "multigaussian":
        terms = 0.5 * np.sum((y - eta) ** 2, axis=1)
    else:
        top = eta.max(axis=1)
        terms = top + np.log(np.exp(eta - top[:, None]).sum(axis=1)) - np.sum(y * eta, axis=1)
    return weights @ terms / weights.sum()


def objective(path, X, y, k, *, factor=None, weights=None, offset=0.0):
    """What is minimised, at alpha number k of a path, from its definition."""
    weights = np.ones(len(y)) if weights is None else weights
    factor = np.ones(X.shape[1]) if factor is None else factor
    coef = dense(path)[:, :, k]
    b = coef * (path.scale[:, None] if path.standardize else 1.0)
    size = np.linalg.norm(b, axis=1) if path.grouped else np.abs(b).sum(axis=1)
    each = path.l1_ratio * size + 0.5 * (1.0 - path.l1_ratio) * np.sum(b**2, axis=1)
    used = each > 0.0
    eta = X @ coef + path.intercepts[:, k] + offset
    return loss_value(path.loss, y, eta, weights) + path.alphas[k] * factor[used] @ each[used]


def kkt_violation(path, X, y, k, *, factor=None, weights=None, offset=0.0, lower=-np.inf, upper=np.inf):
    """The largest violation of optimality at alpha number k, on the scale of the standardised gradient."""
    p = X.shape[1]
    weights = np.ones(len(y)) if weights is None else weights
    factor = np.ones(p) if factor is None else factor
    coef, keep = dense(path)[:, :, k], np.isfinite(factor)
    assert np.all(coef[~keep] == 0.0)
    assert np.all((lower <= coef) & (coef <= upper))
    eta = X @ coef + path.intercepts[:, k] + offset
    residual = (weights / weights.sum())[:, None] * (y - mean_of(path.loss, eta))
    centre = weights @ X / weights.sum() if path.fit_intercept else 0.0
    scale = path.scale[keep, None] if path.standardize else 1.0
    X, coef, factor = (X - centre)[:, keep], coef[keep], factor[keep, None]
    l1, l2 = path.alphas[k] * factor * path.l1_ratio, path.alphas[k] * factor * (1.0 - path.l1_ratio)
    pull = X.T @ residual / scale - l2 * coef * scale
    if path.grouped:
        size = np.linalg.norm(coef * scale, axis=1, keepdims=True)
        direction = np.divide(coef * scale, size, out=np.zeros_like(coef), where=size > 0.0)
        at_zero = np.maximum(np.linalg.norm(pull, axis=1, keepdims=True) - l1, 0.0)
        wrong = np.where(size == 0.0, at_zero, np.linalg.norm(pull - l1 * direction, axis=1, keepdims=True))
    else:
        at_zero = np.maximum(np.abs(pull) - l1, 0.0)
        at_zero = np.where((pull > 0) & (upper <= 0) | (pull < 0) & (lower >= 0), 0.0, at_zero)
        inside = pull - np.sign(coef) * l1
        inside = np.where((coef == upper) & (inside > 0) | (coef == lower) & (inside < 0), 0.0, inside)
        wrong = np.where(coef == 0.0, at_zero, np.abs(inside))
    intercepts = np.abs(residual.sum(axis=0)).max() if path.fit_intercept else 0.0
    return max(wrong.max(initial=0.0), intercepts)


def assert_optimal(path, X, y, at=1e-6, **problem):
    """Every fit of a path satisfies the conditions of optimality."""
    for k, alpha in enumerate(path.alphas):
        violation = kkt_violation(path, X, y, k, **problem)
        assert violation <= at, (k, alpha, violation)
