"""Cox models with about as many features in use as there are events: gaps by definition, steps, threads."""

import numpy as np
import pytest
from support import cox_terms, cox_value, residual_of

import riata

TOL = 1e-6


def wide_problem(n=300, p=300, signals=60, seed=5):
    """Neighbours correlated 0.5, effects on every few columns, a third or so of the times censored."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = 0.5 * X[:, j - 1] + np.sqrt(0.75) * X[:, j]
    X = np.asfortranarray((X - X.mean(axis=0)) / X.std(axis=0))
    score = X[:, :: p // signals] @ rng.standard_normal(len(range(0, p, p // signals)))
    time = rng.exponential(np.exp(-score / score.std()))
    end = rng.exponential(2.0 * np.median(time), n)
    return X, np.column_stack([np.minimum(time, end), time <= end]).astype(float)


def gap(X, y, b, alpha, **survival):
    """Objective less a dual value: of distributions over risk sets between those of the fit and the events.

    That of a term is r = (1 - s) a + s q, q that of the fit and a the weights of the tied rows; the dual
    value is minus the sum of mass r'log(r / weights), whatever the r whose residual X'u is within alpha.
    """
    eta, weights = X @ b, np.ones(len(y))
    s = min(1.0, alpha / np.abs(X.T @ residual_of("cox", y, eta, weights, **survival)).max()) * (1.0 - 1e-15)
    dual = 0.0
    for mass, tied, q, log_total in cox_terms(y, eta, weights, **survival):
        used = q > 0.0
        r = ((1.0 - s) * tied / tied.sum() + s * q)[used]
        dual -= mass * (r @ (np.log(r / q[used]) + eta[used] - log_total))
    return cox_value(y, eta, weights, **survival) + alpha * np.abs(b).sum() - dual / weights.sum()


@pytest.fixture
def survival(request):
    """Ties, late entry and strata."""
    rng = np.random.default_rng(1)
    X, y = wide_problem()
    if request.param == "breslow":
        return X, y, {}
    y[:, 0] = np.ceil(20.0 * y[:, 0]) / 20.0
    if request.param == "efron":
        return X, y, {"ties": "efron"}
    start = y[:, 0] * np.where(rng.random(len(y)) < 0.5, 0.0, 0.61)
    return X, y, {"ties": "efron", "start": start, "strata": np.arange(len(y)) % 3}


@pytest.mark.parametrize("survival", ["breslow", "efron", "late entry and strata"], indirect=True)
def test_gaps_by_definition(survival):
    X, y, kind = survival
    path = riata.fit_path(X, y, loss="cox", **kind, alphas=40, eps=0.02, tol=TOL, standardize=False)
    assert path.converged.all()
    assert path.n_active[-1] > 0.4 * y[:, 1].sum()
    null = cox_value(y, np.zeros(len(y)), np.ones(len(y)), **kind)
    for k in (len(path.alphas) // 2, len(path.alphas) - 1):
        found = gap(X, y, path.coefs[:, [k]].toarray()[:, 0], path.alphas[k], **kind) / null
        assert -1e-12 <= found <= TOL


def test_it_ends_where_more_features_are_active_than_there_are_events():
    X, y = wide_problem(400, 400, signals=20)
    path = riata.fit_path(X, y, loss="cox", alphas=100, eps=3e-4, tol=TOL, standardize=False)
    assert path.n_active.max() > y[:, 1].sum()
    assert path.converged.all()


def test_the_same_bits_for_any_number_of_threads():
    X, y = wide_problem()
    one, two, three = (
        riata.fit_path(X, y, loss="cox", alphas=40, eps=0.02, tol=TOL, n_threads=threads)
        for threads in (1, 2, 3)
    )
    for other in (two, three):
        np.testing.assert_array_equal(one.coefs.toarray(), other.coefs.toarray())
        np.testing.assert_array_equal(one.dual_gaps, other.dual_gaps)
