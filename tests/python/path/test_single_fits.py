"""One alpha and few: reached by alphas in between, which no result shows, and optimal by definition."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from support import make_problem

import riata

N, P = 60, 1000  # more features than one step may make active
RESIDUALS = {
    "gaussian": lambda y, eta: y - eta,
    "binomial": lambda y, eta: y - 1.0 / (1.0 + np.exp(-eta)),
    "poisson": lambda y, eta: y - np.exp(eta),
    "huber": lambda y, eta: np.clip(y - eta, -1.345, 1.345),
}


def assert_optimal(X, y, path, loss, alphas):
    """Zero is a subgradient: products with the residual are alpha at most, those of the selected alpha."""
    assert path.alphas.tolist() == list(alphas)
    for alpha in alphas:
        coef = np.ravel(path.coef(alpha))
        u = RESIDUALS[loss](y, X @ coef + path.intercept(alpha)) / len(y)
        slopes = X.T @ u
        assert abs(u.sum()) <= 1e-8
        assert np.abs(slopes).max() <= alpha * (1.0 + 1e-4)
        assert_allclose(slopes[coef != 0.0], alpha * np.sign(coef[coef != 0.0]), rtol=1e-4)


@pytest.mark.parametrize("loss", RESIDUALS)
def test_one_alpha_is_optimal(loss):
    X, y = make_problem(loss, n=N, p=P)
    options = {"loss": loss, "standardize": False, "tol": 1e-10}
    alpha = 0.05 * riata.fit_path(X, y, alphas=1, **options).alpha_max
    path = riata.fit_path(X, y, alphas=[alpha], **options)
    assert path.counters["inserted"] > 10
    assert path.converged.all()
    assert_optimal(X, y, path, loss, [alpha])


@pytest.mark.parametrize("storage", [np.asfortranarray, sp.csc_array, np.float32])
def test_few_alphas_in_every_storage(storage):
    X, y = make_problem(n=N, p=P, seed=1)
    X = X.astype(np.float32).astype(np.float64)
    largest = riata.fit_path(X, y, alphas=1, standardize=False).alpha_max
    alphas = largest * np.array([2.0, 0.9, 0.3, 0.29, 0.03])
    told = []
    path = riata.fit_path(
        storage(X), y, alphas=alphas, standardize=False, tol=1e-10,
        progress=lambda done, total, alpha, *_: told.append((done, total, alpha)),
    )  # fmt: skip
    assert told == [(k + 1, 5, alpha) for k, alpha in enumerate(alphas)]
    assert path.counters["inserted"] > 10
    assert_optimal(X, y, path, "gaussian", alphas)


def test_grids_of_many_alphas_have_none_in_between():
    X, y = make_problem(n=N, p=P)
    assert riata.fit_path(X, y).counters["inserted"] == 0
    assert riata.fit_path(X, y, l1_ratio=0.01).counters["inserted"] == 0
    assert riata.fit_path(X, y, alphas=2).counters["inserted"] > 10
    assert riata.fit_path(X[:, :400], y, alphas=2).counters["inserted"] == 0


def test_folds_and_estimators_at_one_alpha():
    X, y = make_problem(n=N, p=P, seed=2)
    alpha = 0.05 * riata.fit_path(X, y, alphas=1, standardize=False).alpha_max
    cv = riata.cv_path(X, y, alphas=[alpha], cv=3, standardize=False, tol=1e-10)
    for k, rows in enumerate(cv.folds):
        train = np.setdiff1d(np.arange(N), rows)
        fold = riata.fit_path(X[train], y[train], alphas=[alpha], standardize=False, tol=1e-10)
        assert_allclose(
            cv.scores[:, k], ((y[rows, None] - fold.predict(X[rows])) ** 2).mean(axis=0), rtol=1e-4
        )
    model = riata.Lasso(alpha, tol=1e-10).fit(X, y)
    assert_allclose(model.coef_, cv.path.coef(alpha), atol=1e-6)
    assert_array_equal(cv.path.alphas, [alpha])
