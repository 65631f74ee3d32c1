"""P-values from halves: from their definitions, by other implementations, and their error rate."""

import numpy as np
import pytest
import scipy.optimize
from scipy import stats
from scipy.stats import binom
from tests.python.support import cox_terms, make_problem, survival_times

import riata
from riata._input.survival import check_survival_target
from riata.losses import Binomial, Cox, Gaussian, Multigaussian, Multinomial, Poisson
from riata.path.given import read_given, read_problem
from riata.selection.halves import draw_pair
from riata.selection.information import cox_information
from riata.selection.multi_split import combine
from riata.selection.wald import wald_p_values


def p_values(X, y, loss, place, weights=None, **fit):
    """The p-values of groups of columns in the fit to all samples."""
    asked = read_given("test", {"loss": loss, **fit})
    problem = read_problem(X, y, asked)
    w = problem.weights if weights is None else weights
    return wald_p_values(problem, asked.options, X, w, np.asarray(place), max(place) + 1)


def combined_by_hand(table, gamma_min=0.05):
    """The definition, with gamma over a fine grid; table (splits, items), 1 where an item is not tested."""
    n = len(table)
    out = []
    for column in table.T:
        ranked = np.sort(column)
        q = [min(1.0, ranked[int(np.ceil(g * n - 1e-9)) - 1] / g) for g in np.linspace(gamma_min, 1, 1901)]
        out.append(min(1.0, (1 - np.log(gamma_min)) * min(q)))
    return np.array(out)


def test_combined_as_defined():
    rng = np.random.default_rng(0)
    table = np.where(rng.random((20, 6)) < 0.7, rng.random((20, 6)) ** 6 / 20, 1.0)
    table[:, 5] = 1.0
    values = [(np.flatnonzero(row < 1.0), row[row < 1.0]) for row in table]
    assert np.allclose(combine(values, 6), combined_by_hand(table), rtol=1e-9)


def test_tiny_problem_by_hand():
    """Least squares on the other half with scipy's t distribution, times the size of the set."""
    X, y = make_problem(n=60, p=20)
    found = riata.stability_selection(X, y, q=4, n_pairs=4, p_values=True)
    table = np.ones((8, 20))
    chosen = found.coefs.toarray() != 0.0
    for b in range(4):
        halves = draw_pair(0, b, np.arange(60))
        for side in range(2):
            mine = np.flatnonzero(chosen[2 * b + side])
            other = halves[1 - side]
            Z = np.column_stack([np.ones(len(other)), X[np.ix_(other, mine)]])
            beta, rss, *_ = np.linalg.lstsq(Z, y[other], rcond=None)
            freedom = len(other) - Z.shape[1]
            se = np.sqrt(rss[0] / freedom * np.diag(np.linalg.inv(Z.T @ Z)))
            p = 2 * stats.t.sf(np.abs(beta / se), freedom)[1:]
            table[2 * b + side, mine] = np.minimum(p * len(mine), 1.0)
    assert np.allclose(found.p_values, combined_by_hand(table), rtol=1e-6)
    assert (found.p_values < 0.05).any()


def test_f_test_of_a_group_and_weights():
    rng = np.random.default_rng(1)
    X, weights = rng.standard_normal((40, 5)), rng.integers(1, 4, 40).astype(float)
    y = X[:, 0] + rng.standard_normal(40)
    root = np.sqrt(weights)

    def rss(columns):
        Z = root[:, None] * np.column_stack([np.ones(40), X[:, columns]])
        return np.sum((root * y - Z @ np.linalg.lstsq(Z, root * y, rcond=None)[0]) ** 2)

    full, without = rss([0, 1, 2, 3, 4]), rss([0, 4])
    f = (without - full) / 3 / (full / 34)
    found = p_values(X, y, Gaussian(), [0, 1, 1, 1, 2], sample_weight=weights)
    assert found[1] == pytest.approx(stats.f.sf(f, 3, 34), rel=1e-9)


def minus_log_likelihood(loss, y):
    if loss == "binomial":
        return lambda eta: np.sum(np.logaddexp(0.0, eta) - y * eta)
    return lambda eta: np.sum(np.exp(eta) - y * eta)


def hessian(f, x, h=1e-3):
    steps = h * np.eye(len(x))
    return np.array([[
        (f(x + a + b) - f(x + a - b) - f(x - a + b) + f(x - a - b)) / (4 * h * h) for a in steps
    ] for b in steps])  # fmt: skip


@pytest.mark.parametrize("loss", ["binomial", "poisson"])
def test_wald_tests_of_maximum_likelihood(loss):
    X, y = make_problem(loss, n=90, p=3, seed=2)
    nll = minus_log_likelihood(loss, y)
    Z = np.column_stack([X, np.ones(90)])
    best = scipy.optimize.minimize(lambda b: nll(Z @ b), np.zeros(4), tol=1e-12).x
    covariance = np.linalg.inv(hessian(lambda b: nll(Z @ b), best))
    expected = 2 * stats.norm.sf(np.abs(best / np.sqrt(np.diag(covariance))))[:3]
    found = p_values(X, y, Binomial() if loss == "binomial" else Poisson(), [0, 1, 2])
    assert np.allclose(found, expected, rtol=2e-3)
    both = best[:2] @ np.linalg.solve(covariance[:2, :2], best[:2])
    grouped = p_values(X, y, Binomial() if loss == "binomial" else Poisson(), [0, 0, 1])
    assert grouped[0] == pytest.approx(stats.chi2.sf(both, 2), rel=5e-3)


@pytest.mark.parametrize("ties", ["breslow", "efron"])
@pytest.mark.parametrize("extra", [False, True])
def test_information_of_the_partial_likelihood(ties, extra):
    """Second differences of the partial likelihood as `cox_terms` writes it out."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((50, 2))
    y = survival_times(X[:, 0], rng)
    start = np.where(rng.random(50) < 0.5, 0.3 * y[:, 0], 0.0) - 0.043 if extra else None
    strata = rng.integers(0, 2, 50) if extra else None
    weights = rng.integers(1, 3, 50).astype(float)
    target = check_survival_target(y, 50, weights, start, strata, ties)
    beta = np.array([0.4, -0.2])

    def nll(b):
        eta = X @ b
        terms = cox_terms(y, eta, weights, start, strata, ties)
        return sum(mass * total for mass, _, _, total in terms) - weights @ (y[:, 1] * eta)

    expected = hessian(nll, beta)
    assert np.allclose(cox_information(target, X @ beta, weights, X), expected, rtol=1e-5, atol=1e-6)


def test_cox_wald_test():
    rng = np.random.default_rng(4)
    X = rng.standard_normal((80, 2))
    y = survival_times(X[:, 0], rng)

    def nll(b):
        terms = cox_terms(y, X @ b, np.ones(80))
        return sum(mass * total for mass, _, _, total in terms) - y[:, 1] @ (X @ b)

    best = scipy.optimize.minimize(nll, np.zeros(2), tol=1e-12).x
    se = np.sqrt(np.diag(np.linalg.inv(hessian(nll, best))))
    assert np.allclose(p_values(X, y, Cox(), [0, 1]), 2 * stats.norm.sf(np.abs(best / se)), rtol=2e-3)


def test_multinomial_wald_test():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((150, 2))
    y = np.digitize(0.5 * X[:, 0] + rng.standard_normal(150), [-0.5, 0.5])
    Z = np.column_stack([X, np.ones(150)])

    def nll(b):
        eta = np.column_stack([np.zeros(150), Z @ b.reshape(3, 2)])
        return np.sum(np.log(np.exp(eta).sum(axis=1)) - eta[np.arange(150), y])

    best = scipy.optimize.minimize(nll, np.zeros(6), tol=1e-12).x
    covariance = np.linalg.inv(hessian(nll, best))
    expected = [
        stats.chi2.sf(best[at] @ np.linalg.solve(covariance[np.ix_(at, at)], best[at]), 2)
        for at in ([0, 1], [2, 3])
    ]
    assert np.allclose(p_values(X, y, Multinomial(), [0, 1]), expected, rtol=5e-3)


def test_several_responses_by_hotelling():
    """One column: Hotelling's T squared, which is exactly F."""
    rng = np.random.default_rng(6)
    X = rng.standard_normal((40, 3))
    Y = 0.4 * X[:, [0]] + rng.standard_normal((40, 2))
    Z = np.column_stack([X, np.ones(40)])
    B = np.linalg.lstsq(Z, Y, rcond=None)[0]
    S = (Y - Z @ B).T @ (Y - Z @ B) / 36
    t2 = B[0] @ np.linalg.solve(S, B[0]) / np.linalg.inv(Z.T @ Z)[0, 0]
    expected = stats.f.sf(t2 * 35 / (36 * 2), 2, 35)
    assert p_values(X, Y, Multigaussian(), [0, 1, 2])[0] == pytest.approx(expected, rel=1e-9)
    # One response alone is the F test of least squares, whatever the size of the group.
    alone = p_values(X, Y[:, 0], Gaussian(), [0, 0, 1])
    assert p_values(X, Y[:, :1], Multigaussian(), [0, 0, 1]) == pytest.approx(alone, rel=1e-9)


@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
def test_columns_that_depend_on_each_other_are_not_tested(loss):
    X, y = make_problem(loss, n=80, p=4)
    X = np.column_stack([X, X[:, 0] + X[:, 1], np.ones(80)])
    found = p_values(X, y, Gaussian() if loss == "gaussian" else Binomial(), [0, 1, 2, 3, 4, 5])
    assert found[[0, 1, 4, 5]].tolist() == [1.0] * 4
    whole = p_values(X[:, :4], y, Gaussian() if loss == "gaussian" else Binomial(), [0, 1, 2, 3])
    assert np.allclose(found[[2, 3]], whole[[2, 3]], rtol=1e-6)


def test_classes_that_are_separated_have_no_p_value():
    X, _ = make_problem(n=40, p=2)
    assert p_values(X, (X[:, 0] > 0).astype(float), Binomial(), [0, 1]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("loss", ["binomial", "poisson", "cox", "multinomial", "multigaussian"])
def test_every_loss_with_a_likelihood(loss):
    rng = np.random.default_rng(7)
    if loss == "multinomial":
        X = rng.standard_normal((240, 30))
        y = np.digitize(2.0 * X[:, 0] + 0.5 * rng.standard_normal(240), [-0.8, 0.8])
    elif loss == "multigaussian":
        X = rng.standard_normal((240, 30))
        y = X[:, [0, 0]] + rng.standard_normal((240, 2))
    else:
        X, y = make_problem(loss, n=240, p=30, seed=1)
    found = riata.stability_selection(X, y, loss=loss, q=4, n_pairs=5, p_values=True)
    assert found.p_values[0] < 0.05
    assert np.median(found.p_values) == 1.0


def test_too_many_features_for_the_other_half_are_told():
    X, y = make_problem(n=40, p=60)
    found = riata.stability_selection(X, y, q=12, n_pairs=3, p_values=True)
    assert found.splits_without_p_values > 0
    assert "too many to be tested on the other half" in found.explain()


def test_family_wise_error():
    """At most 5 % of no-signal and sparse problems have a null with p <= 0.05; limit at 1 in 10,000."""
    replicates, errors = 40, 0
    for seed in range(replicates):
        rng = np.random.default_rng(500 + seed)
        X = rng.standard_normal((80, 100))
        k = 2 * (seed % 2)
        y = X[:, :k].sum(axis=1) + rng.standard_normal(80)
        found = riata.stability_selection(X, y, q=5, n_pairs=10, p_values=True, n_threads=1)
        errors += bool((found.p_values[k:] <= 0.05).any())
    assert errors <= binom.ppf(1 - 1e-4, replicates, 0.05)
