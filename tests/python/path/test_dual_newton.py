"""Elastic nets with more active features than samples, which are solved in the space of samples."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import ElasticNet
from support import make_problem, residual_of

import riata
import riata.path.fit

SOLVERS = ("auto", "active_set", "cd", "prox")


def wide_problem(loss="gaussian", n=60, p=400, seed=0):
    X, y = make_problem(loss, n, p, seed)
    return (X - X.mean(axis=0)) / X.std(axis=0), y


def coefs_of(path):
    """Rows are alphas."""
    return path.coefs.toarray().T


def violations(loss, X, y, path, weights, k):
    """Largest distance from the conditions of the k-th solution, over alpha."""
    alpha, l1 = path.alphas[k], path.l1_ratio
    b = coefs_of(path)[k]
    eta = path.intercepts[k] + X @ b
    u = residual_of(loss, y, eta, weights)
    left = X.T @ u - alpha * (1 - l1) * b
    off = np.where(b == 0, np.maximum(np.abs(left) - alpha * l1, 0), np.abs(left - alpha * l1 * np.sign(b)))
    return max(off.max(), abs(u.sum())) / alpha


@pytest.mark.parametrize("l1_ratio", [0.5, 0.1, 0.01])
def test_least_squares_are_those_of_scikit_learn(l1_ratio):
    X, y = wide_problem()
    path = riata.fit_path(X, y, l1_ratio=l1_ratio, alphas=20, eps=0.01, tol=1e-12, standardize=False)
    assert path.converged.all()
    assert ("samples" in path.solver) == (path.n_active[:-1].max() >= 1.1 * len(y)) == (l1_ratio < 0.5)
    assert path.n_active.max() > len(y) / 2
    for k in (9, 14, 19):
        net = ElasticNet(alpha=path.alphas[k], l1_ratio=l1_ratio, tol=1e-13, max_iter=1_000_000).fit(X, y)
        np.testing.assert_allclose(coefs_of(path)[k], net.coef_, atol=1e-6)
        np.testing.assert_allclose(path.intercepts[k], net.intercept_, atol=1e-6)


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "poisson", "huber"])
@pytest.mark.parametrize("weighted", [False, True])
def test_conditions_by_definition(loss, weighted):
    X, y = wide_problem(loss, seed=3)
    weights = np.random.default_rng(4).uniform(0.2, 2.0, len(y)) if weighted else np.ones(len(y))
    path = riata.fit_path(
        X,
        y,
        loss=loss,
        l1_ratio=0.05,
        alphas=15,
        eps=0.02,
        tol=1e-13,
        sample_weight=weights if weighted else None,
        standardize=False,
    )
    assert path.converged.all()
    assert "samples" in path.solver
    for k in range(15):
        assert violations(loss, X, y, path, weights, k) < 1e-5


def test_the_solvers_agree_with_bounds_and_factors():
    X, y = wide_problem(seed=5)
    factor = np.random.default_rng(6).uniform(0.5, 2.0, X.shape[1])
    asked = {"l1_ratio": 0.1, "eps": 0.02, "alphas": 10, "tol": 1e-12, "penalty_factor": factor}
    paths = [
        riata.fit_path(X, y, lower=-0.02, upper=0.05, **asked, run=riata.RunOptions(solver=solver))
        for solver in SOLVERS
    ]
    assert "samples" in paths[0].solver
    assert all("samples" not in path.solver for path in paths[1:])
    for path in paths:
        np.testing.assert_allclose(coefs_of(path), coefs_of(paths[0]), atol=1e-6)
        assert path.coefs.data.min() >= -0.02
        assert path.coefs.data.max() <= 0.05


def test_storages_and_threads_agree():
    X, y = wide_problem(n=150, p=500, seed=7)
    X[np.abs(X) < 0.8] = 0.0
    one, other, sparse = (
        riata.fit_path(kind, y, l1_ratio=0.02, alphas=10, eps=0.05, run=riata.RunOptions(n_threads=threads))
        for kind, threads in ((X, 1), (X, 3), (sp.csc_array(X), 1))
    )
    assert "samples" in one.solver
    np.testing.assert_array_equal(coefs_of(one), coefs_of(other))
    np.testing.assert_allclose(coefs_of(one), coefs_of(sparse), atol=1e-4)


def test_a_bound_of_memory_keeps_the_dual_out():
    X, y = wide_problem(n=300, p=900, seed=8)
    asked = {"l1_ratio": 0.02, "alphas": 10, "eps": 0.01}
    free = riata.fit_path(X, y, **asked)
    held = free.counters["memory"]
    bounded = riata.fit_path(X, y, **asked, run=riata.RunOptions(memory=int(3 * held)))
    assert "samples" in free.solver
    assert 2 * 8 * 300**2 < held < 6 * X.nbytes  # the matrices of the dual, and the room of all solvers
    assert "samples" not in bounded.solver
    np.testing.assert_allclose(coefs_of(bounded), coefs_of(free), atol=1e-3)


def test_few_active_features_keep_to_the_factor():
    X, y = wide_problem(seed=9)
    path = riata.fit_path(X, y, l1_ratio=0.9, alphas=10, eps=0.5)
    assert path.n_active.max() < len(y) / 2
    assert "samples" not in path.solver


def test_goes_on_from_a_checkpoint_to_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(riata.path.fit, "CHECKPOINT_SECONDS", 0.0)
    X, y = wide_problem(n=80, p=500, seed=10)
    asked = {"l1_ratio": 0.1, "alphas": 20, "eps": 0.02}
    run = riata.RunOptions(checkpoint=tmp_path / "state", progress=lambda done, *rest: done < 14)
    begun = riata.fit_path(X, y, **asked, run=run)
    assert len(begun) == 14
    assert "samples" in begun.solver
    whole = riata.fit_path(X, y, **asked, run=riata.RunOptions(checkpoint=tmp_path / "state"))
    once = riata.fit_path(X, y, **asked)
    np.testing.assert_array_equal(coefs_of(whole), coefs_of(once))
    np.testing.assert_array_equal(whole.dual_gaps, once.dual_gaps)
