"""The debiased lasso: by its formulae on small data, and how often its intervals cover what is true."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import binom, norm

import riata
from riata.selection.nodewise import nodewise
from riata.selection.signal import LOGISTIC, firth


def data(n=120, p=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = 0.5 * X[:, j - 1] + np.sqrt(0.75) * X[:, j]
    return X, X[:, 3] - X[:, 9] + rng.standard_normal(n)


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_formulae_of_least_squares(robust, weighted):
    X, y = data()
    rng = np.random.default_rng(1)
    w = rng.uniform(0.5, 2.0, 120) if weighted else np.ones(120)
    asked = [3, 4, 20]
    found = riata.debiased_lasso(X, y, features=asked, robust=robust, sample_weight=w, level=0.9)
    cv = riata.cv_path(X, y, alpha_rule="1se", sample_weight=w)
    b = cv.coef()
    w = w * 120 / w.sum()
    r = y - X @ b - cv.intercept()
    k = np.count_nonzero(b)
    for at, j in enumerate(asked):
        others = np.delete(np.arange(60), j)
        path = riata.fit_path(X[:, others], X[:, j], sample_weight=w, tol=1e-9)
        z = X[:, j, None] - X[:, others] @ path.coefs.toarray() - path.intercepts
        unit = (X[:, others] - np.average(X[:, others], axis=0, weights=w)) / path.scale
        size = np.sqrt((w[:, None] * z**2).sum(axis=0))
        bias = np.abs(unit.T @ (w[:, None] * z)).max(axis=0) / size
        noise = size / np.abs(z.T @ (w * X[:, j]))
        least = noise[bias <= np.sqrt(2 * np.log(60))].min()
        best = min(np.flatnonzero(noise <= 1.25 * least), key=lambda i: bias[i])
        z = z[:, best]
        assert_allclose([found.bias[at], found.noise[at]], [bias[best], noise[best]], rtol=1e-2)
        product = z @ (w * X[:, j])
        coef = b[j] + z @ (w * r) / ((1 - k / 120) * product)
        sigma2 = 120 * (w @ r**2) / (120 - k) ** 2
        square = 120**2 * (w**2 * z**2) @ r**2 / (120 - k) ** 2 if robust else sigma2 * (w @ z**2)
        assert_allclose(found.coef[at], coef, rtol=1e-2, atol=1e-3)
        assert_allclose(found.se[at], np.sqrt(square) / abs(product), rtol=1e-2)
    assert_array_equal(found.lasso, b[asked])
    reach = norm.ppf(0.95) * found.se
    assert_allclose([found.coef - reach, found.coef + reach], [found.lower, found.upper])
    assert_allclose(found.p_values, 2 * norm.sf(np.abs(found.coef / found.se)))
    assert (found.adjust, found.level_each, found.n_active) == ("none", 0.9, k)


@pytest.mark.parametrize("loss", ["binomial", "poisson"])
def test_the_formulae_of_classes_and_counts(loss):
    X, _ = data()
    rng = np.random.default_rng(1)
    y = response(loss, 0.7 * X[:, 3] - 0.7 * X[:, 9], rng)
    found = riata.debiased_lasso(X, y, features=[3, 20], loss=loss)
    cv = riata.cv_path(X, y, alpha_rule="1se", loss=loss)
    seen = cv.predict_held_out(kind="link")
    slope = riata.fit_path(seen[:, None], y, loss=loss, alphas=[0.0], tol=1e-9).coef(0.0)[0]
    assert_allclose(found.slope, slope, rtol=1e-3)
    assert found.stretch >= 1.0 if loss == "binomial" else found.stretch == 1.0
    b = cv.coef()
    k = np.count_nonzero(b)
    alone = riata.fit_path(np.zeros((120, 1)), y, loss=loss, alphas=[0.0], offset=X @ b * slope, tol=1e-9)
    eta = X @ b * slope + alone.intercept(0.0)
    mu, bend = (expit(eta), expit(eta) * expit(-eta)) if loss == "binomial" else (np.exp(eta), np.exp(eta))
    sigma = 1.0 if loss == "binomial" else np.sqrt(120 * ((y - mu) ** 2 / bend).sum()) / (120 - k)
    given = riata.path.given.read_given("fit_path", {})
    problem = riata.path.given.read_problem(X, y, given)
    asked = np.array([3, 20])
    for at, z in enumerate(nodewise(problem.design, asked, bend, problem.features, given.options)):
        x = X[:, asked[at]]
        product = z.values @ (bend * x)
        coef = slope * b[asked[at]] + z.values @ (y - mu) / ((1 - k / 120) * product)
        assert_allclose(found.coef[at], found.stretch * coef, rtol=1e-2, atol=2e-3)
        least = found.stretch * sigma * np.sqrt(bend @ z.values**2) / abs(product)
        assert least * 0.99 <= found.se[at] <= 1.5 * least
        if loss == "poisson":
            assert_allclose(found.se[at], least, rtol=1e-2)


def test_effects_look_flatter_beside_others_by_so_much():
    """A logistic curve averaged over a normal law is one over sqrt(1 + c² v), to a hundredth."""
    for v in (0.5, 1.0, 2.0):
        for eta in (0.3, 1.0, 2.0):
            mean = quad(lambda u, eta=eta, v=v: expit(eta + np.sqrt(v) * u) * norm.pdf(u), -8, 8)[0]
            assert_allclose(expit(eta / np.sqrt(1 + LOGISTIC * v)), mean, atol=0.01)


def test_refits_maximise_the_likelihood_times_the_prior_of_jeffreys():
    rng = np.random.default_rng(4)
    X = np.column_stack([np.ones(40), rng.standard_normal((40, 3))])
    y = (X[:, 1] + rng.standard_normal(40) > 0).astype(float)
    w, shift = rng.uniform(0.5, 2.0, 40), 0.3 * rng.standard_normal(40)

    def cost(b):
        eta = X @ b + shift
        bend = w * expit(eta) * expit(-eta)
        return w @ (np.logaddexp(0, eta) - y * eta) - 0.5 * np.linalg.slogdet(X.T @ (bend[:, None] * X))[1]

    best = minimize(cost, np.zeros(4), tol=1e-12).x
    assert_allclose(firth(X, y, w, shift), best, atol=1e-4)


def test_refits_of_separated_classes_are_finite():
    """Of one group and another this is half a case and half a control more in each (Firth 1993)."""
    x = np.repeat([0.0, 1.0], [6, 4])
    y = np.r_[np.zeros(6), np.ones(4)]
    found = firth(np.column_stack([np.ones(10), x]), y, np.ones(10), None)
    low, high = np.log(0.5 / 6.5), np.log(4.5 / 0.5)
    assert_allclose(found, [low, high - low], rtol=1e-6)


def test_what_is_left_of_a_feature_is_at_right_angles_to_covariates():
    X, y = data()
    factor = np.ones(60)
    factor[[0, 1]] = 0.0
    given = riata.path.given.read_given("fit_path", {"penalty_factor": factor})
    problem = riata.path.given.read_problem(X, y, given)
    for z in nodewise(problem.design, np.array([2, 30]), np.ones(120), problem.features, given.options):
        assert_allclose(X[:, :2].T @ z.values, 0.0, atol=1e-3)
        assert_allclose(z.values.sum(), 0.0, atol=1e-8)


@pytest.mark.parametrize(("adjust", "share"), [("fcr", 5 / 60), ("bonferroni", 1 / 60), ("none", 1.0)])
def test_levels(adjust, share):
    X, y = data()
    asked = [1, 3, 9, 20, 40]
    found = riata.debiased_lasso(X, y, features=asked, adjust=adjust, level=0.8)
    assert_allclose(found.level_each, 1 - 0.2 * share)
    assert_allclose(found.upper - found.coef, norm.isf(0.1 * share) * found.se)


def test_selected_features_are_adjusted_for():
    X, y = data()
    found = riata.debiased_lasso(X, y, features="selected")
    active = np.flatnonzero(riata.cv_path(X, y, alpha_rule="1se").coef())
    assert_array_equal(found.features, active)
    assert found.adjust == "fcr"
    assert_allclose(found.level_each, 1 - 0.05 * len(active) / 60)
    with pytest.warns(UserWarning, match="selected by the same data"):
        riata.debiased_lasso(X, y, features="selected", adjust="none")
    stable = riata.stability_selection(X, y, n_pairs=10)
    again = riata.debiased_lasso(X, y, features=stable)
    assert_array_equal(again.features, stable.selected)
    assert again.adjust == "fcr"
    beaten = riata.knockoff_selection(X, y, fdr=0.3)
    assert len(beaten.selected) >= 4
    among = riata.debiased_lasso(X, y, features=beaten)
    assert_array_equal(np.sort(among.features), np.sort(beaten.selected))
    assert_allclose(among.level_each, 1 - 0.05 * len(beaten.selected) / 60)
    by_group = riata.knockoff_selection(X, y, fdr=0.3, groups=np.arange(60) // 2)
    with pytest.raises(ValueError, match="features must be selected by feature, got groups"):
        riata.debiased_lasso(X, y, features=by_group)


def response(loss, eta, rng):
    if loss == "gaussian":
        return eta + rng.standard_normal(len(eta))
    if loss == "binomial":
        return (rng.random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(float)
    return rng.poisson(np.exp(eta)).astype(float)


SETTINGS = [("gaussian", 120, 0.7), ("binomial", 300, 0.7), ("poisson", 200, 0.3)]


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "n", "size"), SETTINGS)
def test_intervals_cover(loss, n, size):
    """Of intervals at 95 % so many cover as a right program fails to reach once in 10,000 times."""
    p, signals = 150, [10, 50, 90, 130]
    asked = [*signals, 11, 30, 70, 110]
    covered = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = data(n, p, seed)[0]
        beta = np.zeros(p)
        beta[signals] = size * np.array([1, -1, 1, -1])
        y = response(loss, X @ beta, rng)
        found = riata.debiased_lasso(X, y, features=asked, loss=loss, cv=5)
        covered.append((found.lower <= beta[asked]) & (beta[asked] <= found.upper))
    for part in (np.array(covered)[:, :4], np.array(covered)[:, 4:]):
        assert part.sum() >= binom.ppf(1e-4, part.size, 0.93)


@pytest.mark.slow
def test_intervals_cover_strong_effects_in_two_classes():
    """Ten effects of which the lasso misses some and shrinks all, beside dozens of others that it selects."""
    signals = 20 + 40 * np.arange(10)
    beta = np.zeros(400)
    beta[signals] = 0.7 * np.where(np.arange(10) % 2, -1.0, 1.0)
    covered = []
    for seed in range(14):
        X = data(300, 400, seed)[0]
        y = response("binomial", X @ beta, np.random.default_rng(seed))
        found = riata.debiased_lasso(X, y, features=signals, loss="binomial", cv=5)
        covered.append((found.lower <= beta[signals]) & (beta[signals] <= found.upper))
    assert np.sum(covered) >= binom.ppf(1e-4, 140, 0.93)


def test_a_frame_names_its_features():
    X, y = data()
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(60)])
    found = riata.debiased_lasso(frame, y, features=["x9", "x3"])
    assert found.names == ["x3", "x9"]
    table = found.to_frame()
    assert table.loc["x9", "upper"] < 0.0 < table.loc["x3", "lower"]
    assert list(table.columns) == ["coef", "se", "lower", "upper", "p_value", "lasso"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"features": [60]}, ValueError, "features must hold feature numbers from 0 to 59"),
        ({"features": []}, ValueError, "features must hold at least one feature"),
        ({"features": [1, 1]}, ValueError, "features must not hold a feature twice"),
        ({"features": "active"}, ValueError, "features must be"),
        ({"features": [1], "level": 1.0}, ValueError, "level must be > 0 and < 1, got 1.0"),
        ({"features": [1], "adjust": "holm"}, ValueError, "adjust must be"),
        ({"features": [1], "loss": "huber"}, ValueError, "loss must be gaussian, binomial or poisson"),
        ({"features": [1], "l1_ratio": 0.5}, TypeError, "takes no l1_ratio"),
        (
            {"features": [0], "penalty_factor": np.r_[0.0, np.ones(59)]},
            ValueError,
            "features must be penalised",
        ),
    ],
)
def test_what_is_refused(options, error, message):
    X, y = data()
    with pytest.raises(error, match=message):
        riata.debiased_lasso(X, y, **options)


def test_a_feature_with_a_copy_has_no_interval():
    """Nothing tells the effect of a feature from that of its copy."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 60))
    X = np.column_stack([X, X[:, 1] + 0.003 * rng.standard_normal(120)])
    y = X[:, 1] + 0.5 * rng.standard_normal(120)
    with pytest.warns(UserWarning, match="cannot be told apart"):
        found = riata.debiased_lasso(X, y, features=[1, 60, 5])
    assert np.isinf(found.se[:2]).all()
    assert_array_equal(found.p_values[:2], 1.0)
    assert np.isfinite(found.se[2])


def test_a_constant_feature_is_refused():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((80, 40))
    X[:, 7] = 3.0
    with pytest.raises(ValueError, match="features must vary among the samples, got 7"):
        riata.debiased_lasso(X, X[:, 1] + rng.standard_normal(80), features=[1, 7])


@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
def test_nothing_selected_has_no_intervals(loss):
    rng = np.random.default_rng(5)
    X = rng.standard_normal((80, 30))
    y = response(loss, np.zeros(80), rng)
    assert not riata.cv_path(X, y, loss=loss, alpha_rule="1se").coef().any()
    found = riata.debiased_lasso(X, y, features="selected", loss=loss)
    assert len(found) == 0
    assert found.to_frame().shape == (0, 6)
    assert np.isfinite(riata.debiased_lasso(X, y, features=[3], loss=loss).se).all()


def test_groups_of_samples_stay_together_in_folds():
    X, y = data()
    families = np.argsort(np.argsort(y)) // 30  # unlike each other
    found = riata.debiased_lasso(X, y, features=[3], groups=families, cv=4)
    cv = riata.cv_path(X, y, groups=families, cv=4)
    assert found.alpha == cv.alpha_1se != riata.cv_path(X, y, cv=4).alpha_1se


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "poisson"])
def test_the_unit_of_weights_is_of_no_account(loss):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((150, 30))
    y = {
        "gaussian": X[:, 1] + rng.standard_normal(150),
        "binomial": (X[:, 1] + rng.standard_normal(150) > 0).astype(float),
        "poisson": rng.poisson(np.exp(0.5 * X[:, 1])).astype(float),
    }[loss]
    weights = rng.uniform(0.5, 2.0, 150)
    one, ten = (
        riata.debiased_lasso(X, y, features=[1, 4], loss=loss, sample_weight=k * weights) for k in (1.0, 10.0)
    )
    assert_allclose(ten.se, one.se, rtol=1e-6)


def test_refits_leave_the_checkpoint_alone(tmp_path):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((150, 30))
    y = (X[:, 1] + rng.standard_normal(150) > 0).astype(float)
    given = {"features": [1], "loss": "binomial", "checkpoint": tmp_path / "c", "keep_checkpoint": True}
    assert np.isfinite(riata.debiased_lasso(X, y, **given).se).all()
