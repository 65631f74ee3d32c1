"""The constrained form: what the path says, what a brute-force solver says, and a bound that is one."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from scipy.optimize import linprog, minimize
from sklearn.exceptions import ConvergenceWarning
from support import cox_value, loss_value, make_problem, write_plink

import riata
from riata.path import budget as _budget
from riata.path import constrained

LOSSES = ("gaussian", "binomial", "poisson", "huber", "cox")
PATH_ONLY = {"tol": 1e-12}


def settings(n, p, seed=3):
    """Arguments that fit_path and constrained_lasso share."""
    rng = np.random.default_rng(seed)
    factor = rng.uniform(0.5, 2.0, p)
    factor[[2, p - 1]] = 0.0, np.inf
    return {
        "plain": {},
        "standardised": {"standardize": True},
        "no intercept": {"fit_intercept": False},
        "weights, offset": {"sample_weight": rng.integers(0, 3, n), "offset": 0.3 * rng.standard_normal(n)},
        "factors": {"penalty_factor": factor, "exclude": [4]},
        "all": {
            "sample_weight": rng.uniform(0.5, 2.0, n),
            "offset": 0.3 * rng.standard_normal(n),
            "penalty_factor": factor,
            "standardize": True,
        },
    }


def norm_of(fit, X, given):
    """The norm that the budget bounds, from its definition."""
    p = len(fit)
    factor = np.where(
        np.isfinite(given.get("penalty_factor", np.ones(p))), given.get("penalty_factor", 1.0), 0.0
    )
    weights = np.broadcast_to(given.get("sample_weight", 1.0), len(X))
    centre = np.average(X, axis=0, weights=weights)
    spread = np.sqrt(np.average((X - centre) ** 2, axis=0, weights=weights))
    return np.abs(fit * (spread if given.get("standardize") else 1.0)) @ factor


@pytest.mark.parametrize("storage", [np.asfortranarray, sp.csc_matrix, lambda X: X.astype(np.float32)])
@pytest.mark.parametrize("loss", LOSSES)
def test_penalty_to_budget_and_back(loss, storage):
    X, y = make_problem(loss, 40, 60)
    X = storage(np.where(np.abs(X) < 0.7, 0.0, X))
    path = riata.fit_path(X, y, loss=loss, standardize=False, alphas=12, **PATH_ONLY)
    for k in (1, 5, 11):
        b = path.coef(path.alphas[k])
        fit = riata.constrained_lasso(X, y, np.abs(b).sum(), loss=loss)
        assert fit.converged
        assert fit.active
        assert_allclose(fit.alpha, path.alphas[k], rtol=1e-5)
        assert_allclose(fit.coef, b, atol=1e-5 * np.abs(b).max())
        assert_allclose(fit.intercept, path.intercepts[k], atol=1e-5)


@pytest.mark.parametrize("which", settings(40, 60))
@pytest.mark.parametrize("loss", LOSSES)
def test_budget_to_penalty_and_back(loss, which):
    X, y = make_problem(loss, 50, 60)
    given = settings(*X.shape)[which]
    for radius in (0.3, 2.0):
        fit = riata.constrained_lasso(X, y, radius, loss=loss, **given)
        assert fit.converged
        assert fit.active
        assert fit.dual_gap >= -1e-12
        assert_allclose(fit.norm, radius, rtol=1e-9)
        assert_allclose(norm_of(fit.coef, X, given), radius, rtol=1e-9)
        shared = {"standardize": False} | given
        path = riata.fit_path(X, y, loss=loss, alphas=[fit.alpha], **shared, **PATH_ONLY)
        assert_allclose(fit.coef, path.coef(fit.alpha), atol=1e-5)
        assert_allclose(fit.intercept, path.intercept(fit.alpha), atol=1e-5)
        again = riata.constrained_lasso(X, y, norm_of(path.coef(fit.alpha), X, given), loss=loss, **given)
        assert_allclose(again.alpha, fit.alpha, rtol=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_brute_force(loss):
    """A general solver on positive and negative parts finds nothing better, and the same."""
    X, y = make_problem(loss, 30, 3, seed=4)
    cost, radius, weights = np.array([1.0, 2.0, 0.5]), 0.8, np.ones(30)
    fit = riata.constrained_lasso(X, y, radius, loss=loss, penalty_factor=cost)

    def value(v):
        return loss_value(loss, y, X @ (v[:3] - v[3:6]) + v[6], weights)

    found = minimize(
        value,
        np.r_[np.full(6, 0.01), y.mean() if loss in ("gaussian", "huber") else 0.0],
        bounds=[(0, None)] * 6 + [(None, None)],
        constraints={"type": "ineq", "fun": lambda v: radius - np.r_[cost, cost] @ v[:6]},
        method="SLSQP",
        options={"ftol": 1e-13, "maxiter": 1000},
    )
    assert_allclose(fit.primal, loss_value(loss, y, X @ fit.coef + fit.intercept, weights), rtol=1e-10)
    assert fit.primal <= found.fun + 1e-10
    assert_allclose(fit.coef, found.x[:3] - found.x[3:6], atol=2e-4)


@pytest.mark.parametrize("which", ["plain", "weights, offset", "all"])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_dual_is_a_bound(loss, which):
    """No random point within the budget, nor one near the fit, has a loss below it; nor has a sharper fit."""
    n, p = 20, 8
    X, y = make_problem(loss, n, p, seed=5)
    given, rng = settings(n, p)[which], np.random.default_rng(0)
    weights, offset = given.get("sample_weight", np.ones(n)), given.get("offset", 0.0)
    fits = [riata.constrained_lasso(X, y, 0.5, loss=loss, tol=tol, **given) for tol in (0.1, 1e-2, 1e-6)]
    best = fits[-1]
    for rough in fits[:-1]:
        assert rough.dual <= best.primal + 1e-12
        assert rough.dual_gap <= rough.tol
    for k in range(200):
        b = rng.standard_normal(p) * rng.exponential(1.0)
        if k % 2:
            b = best.coef + 1e-3 * b
        b[~(np.isfinite(given.get("penalty_factor", np.ones(p))))] = 0.0
        b[given.get("exclude", [])] = 0.0
        norm = norm_of(b, X, given)
        free = given.get("penalty_factor", np.ones(p)) == 0.0
        b = np.where(free, b, b * min(1.0, 0.5 / norm))
        level = best.intercept + (1e-3 if k % 2 else 1.0) * rng.standard_normal()
        value = loss_value(loss, y, X @ b + level + offset, weights)
        assert best.dual <= value + 1e-12
    assert best.dual <= best.primal + 1e-12


SURVIVALS = {
    "breslow": {},
    "efron": {"ties": "efron"},
    "strata": {"strata": np.arange(40) % 3, "ties": "efron"},
    "late entry": {"start": 1, "ties": "efron"},
    "all": {"start": 1, "strata": np.arange(40) % 2},
}


def survival_problem(which):
    X, y = make_problem("cox", 40, 12)
    given = dict(SURVIVALS[which])
    if "start" in given:
        given["start"] = y[:, 0] * np.random.default_rng(2).uniform(-0.5, 0.95, 40)
    return X, y, given


@pytest.mark.parametrize("which", SURVIVALS)
def test_survival_times(which):
    X, y, given = survival_problem(which)
    for radius in (0.5, 2.0):
        fit = riata.constrained_lasso(X, y, radius, loss="cox", penalty_factor=np.arange(12) != 5, **given)
        path = riata.fit_path(
            X, y, loss="cox", standardize=False, alphas=[fit.alpha], penalty_factor=np.arange(12) != 5,
            **given, **PATH_ONLY,
        )  # fmt: skip
        assert fit.converged
        assert fit.dual_gap <= 1e-12
        assert_allclose(fit.coef, path.coef(fit.alpha), atol=1e-5)
        assert fit.intercept == 0.0


@pytest.mark.parametrize("loss", LOSSES)
def test_no_budget(loss):
    X, y = make_problem(loss, 40, 60)
    factor = np.ones(60)
    factor[3] = 0.0
    fit = riata.constrained_lasso(X, y, 0.0, loss=loss, penalty_factor=factor)
    path = riata.fit_path(X, y, loss=loss, standardize=False, alphas=1, penalty_factor=factor, **PATH_ONLY)
    assert np.flatnonzero(fit.coef).tolist() == [3]
    assert fit.norm == 0.0
    assert_allclose(fit.coef, path.coef(path.alphas[0]), atol=1e-6)
    assert_allclose(fit.alpha, path.alpha_max, rtol=1e-6)
    assert_allclose(fit.primal, path.null_objective, rtol=1e-10)
    assert fit.converged


def test_a_budget_that_does_not_bind_is_least_squares():
    X, y = make_problem(n=60, p=8)
    fit = riata.constrained_lasso(X, y, 1e3)
    expected = np.linalg.lstsq(np.column_stack([np.ones(60), X]), y, rcond=None)[0]
    assert not fit.active
    assert fit.alpha == 0.0
    assert fit.converged
    assert_allclose(fit.coef, expected[1:], rtol=1e-10)
    assert_allclose(fit.intercept, expected[0], rtol=1e-10)
    just = np.abs(expected[1:]).sum()
    assert not riata.constrained_lasso(X, y, just * (1.0 + 1e-6)).active
    below = riata.constrained_lasso(X, y, just * (1.0 - 1e-6))
    assert below.active
    assert 0.0 < below.alpha < 1e-5


@pytest.mark.parametrize("radius", [1e3, 1e9, 1e12, 1e300, np.inf])
@pytest.mark.parametrize("loss", LOSSES)
def test_budgets_without_effect(loss, radius):
    """The minimum without a budget, by a general solver, whatever the radius."""
    X, y = make_problem(loss, 60, 3, seed=6)
    cost, weights = np.array([1.0, 2.0, 0.5]), np.ones(60)
    fit = riata.constrained_lasso(X, y, radius, loss=loss, penalty_factor=cost)
    level = y.mean() if loss in ("gaussian", "huber") else 0.0
    found = minimize(
        lambda v: loss_value(loss, y, X @ v[:3] + v[3], weights), np.r_[np.zeros(3), level], tol=1e-10
    )
    assert fit.converged
    assert not fit.active
    assert fit.alpha == 0.0
    assert_allclose(fit.coef, found.x[:3], atol=1e-4)
    assert_allclose(fit.primal, found.fun, atol=1e-9)
    assert_allclose(fit.norm, cost @ np.abs(fit.coef))


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("radius", [10.0, 30.0, 300.0, np.inf])
def test_budgets_of_survival_times(radius, late):
    """More features than samples: up to budgets that leave only what ties cost. Loss by the definition."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((25, 40))
        time = np.round(rng.exponential(np.exp(-X[:, 0] - X[:, 1])), 1) + 0.1
        y = np.column_stack([time, rng.random(25) < 0.7])
        given = {"start": time * rng.uniform(0.0, 0.95, 25)} if late else {}
        fit = riata.constrained_lasso(X, y, radius, loss="cox", **given)
        assert fit.converged
        assert fit.norm <= radius
        assert -1e-12 <= fit.dual_gap <= 1e-6
        assert_allclose(fit.primal, cox_value(y, X @ fit.coef, np.ones(25), **given), atol=1e-10)
        tied = np.unique(time[y[:, 1] == 1.0], return_counts=True)[1]
        assert fit.active or fit.primal <= tied @ np.log(tied) / 25 + 1e-6
        assert fit.active or radius >= 300.0


@pytest.mark.parametrize("unit", [1e-100, 1e-9, 1e6, 1e100])
@pytest.mark.parametrize("loss", ["gaussian", "huber"])
def test_the_unit_of_y_is_that_of_the_coefficients(loss, unit):
    X, y = make_problem(loss, 40, 60)
    for radius in (0.5, 3.0):
        fit = riata.constrained_lasso(X, y, radius, loss=loss, huber_delta=1.0)
        other = riata.constrained_lasso(X, unit * y, unit * radius, loss=loss, huber_delta=unit)
        assert other.converged
        assert_allclose(other.coef, unit * fit.coef, atol=1e-7 * unit)
        assert_allclose(other.primal, unit**2 * fit.primal, rtol=1e-8)
        assert_allclose(other.alpha, unit * fit.alpha, rtol=1e-5)


@pytest.mark.parametrize("unit", [1e-30, 1e30])
def test_the_unit_of_time_changes_nothing(unit):
    X, y = make_problem("cox", 40, 60)
    fit = riata.constrained_lasso(X, y, 1.0, loss="cox")
    other = riata.constrained_lasso(X, y * [unit, 1.0], 1.0, loss="cox")
    assert_allclose(other.coef, fit.coef, atol=1e-12)
    assert_allclose(other.dual_gap, fit.dual_gap, atol=1e-12)


@pytest.mark.parametrize("unit", [1e-60, 1e-3, 1e60])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_unit_of_the_columns_divides_the_coefficients(loss, unit):
    X, y = make_problem(loss, 40, 60)
    fit = riata.constrained_lasso(X, y, 1.0, loss=loss)
    other = riata.constrained_lasso(unit * X, y, 1.0 / unit, loss=loss)
    assert other.converged
    assert_allclose(unit * other.coef, fit.coef, atol=1e-6)
    same = riata.constrained_lasso(unit * X, y, 1.0, loss=loss, standardize=True)
    assert_allclose(
        unit * same.coef, riata.constrained_lasso(X, y, 1.0, loss=loss, standardize=True).coef, atol=1e-6
    )


def test_beyond_interpolation_the_fit_has_the_smallest_norm():
    """The limit of the lasso path solves min |b|_1 subject to Xb = y, a linear program."""
    X, y = make_problem(n=12, p=30)
    X, y = X - X.mean(axis=0), y - y.mean()
    lp = linprog(np.ones(60), A_eq=np.hstack([X, -X]), b_eq=y)
    fit = riata.constrained_lasso(X, y, 10.0 * lp.fun)
    assert not fit.active
    assert fit.converged
    assert fit.primal <= 1e-6 * y.var()
    assert_allclose(fit.norm, lp.fun, rtol=1e-3)
    inside = riata.constrained_lasso(X, y, 0.99 * lp.fun)
    assert inside.active
    assert inside.primal > 0.0


def test_separable_classes_spend_any_budget():
    for p in (40, 3):
        X, y = make_problem("binomial", 20, p)
        y = (X[:, 0] > 0.1).astype(float)
        fit = riata.constrained_lasso(X, y, 30.0, loss="binomial")
        assert fit.active
        assert fit.converged
        assert_allclose(fit.norm, 30.0)
        assert fit.primal > 1e-5
        for radius in (1e6, np.inf):
            fit = riata.constrained_lasso(X, y, radius, loss="binomial")
            assert fit.converged
            assert fit.norm < radius
            assert 0.0 <= fit.primal <= 1e-6


@pytest.mark.parametrize("loss", LOSSES)
def test_columns_that_are_copies_or_constant(loss):
    X, y = make_problem(loss, 40, 10)
    X = np.column_stack([X, X[:, :4], -X[:, 2], np.full(40, 3.0), np.zeros(40)])
    expected = riata.constrained_lasso(X[:, :10], y, 1.0, loss=loss)
    for radius in (1.0, 1e4):
        fit = riata.constrained_lasso(X, y, radius, loss=loss)
        assert fit.converged
        assert fit.norm <= radius
        assert np.all(fit.coef[-2:] == 0.0)
        if radius == 1.0:
            assert_allclose(fit.primal, expected.primal, rtol=1e-6)


def test_nothing_to_explain():
    X, _ = make_problem(n=20, p=5)
    with pytest.warns(UserWarning, match="y has the value 3 for all samples"):
        fit = riata.constrained_lasso(X, np.full(20, 3.0), 1.0)
    assert np.all(fit.coef == 0.0)
    assert not fit.active
    assert fit.converged
    assert_allclose(fit.intercept, 3.0)
    with pytest.warns(UserWarning, match="the unpenalised features explain y up to rounding"):
        free = riata.constrained_lasso(X, X[:, 0] + 1.0, 1.0, penalty_factor=np.zeros(5))
    assert_allclose(free.coef, [1.0, 0.0, 0.0, 0.0, 0.0], atol=1e-10)


def test_response_far_from_zero():
    X, y = make_problem(n=40, p=60)
    fit = riata.constrained_lasso(X, y, 1.0)
    far = riata.constrained_lasso(X, y + 1e8, 1.0, offset=np.full(40, 1e7))
    assert far.converged
    assert_allclose(far.coef, fit.coef, atol=1e-6)
    assert_allclose(far.intercept, fit.intercept + 9e7)


def test_few_paths(monkeypatch):
    """A bracket closes with the square of its width, at once for squares when it has no kink."""
    calls = []

    def counted(*args, **kwargs):
        calls.append(1)
        return solve(*args, **kwargs)

    solve = constrained.solve
    monkeypatch.setattr(constrained, "solve", counted)
    for loss in LOSSES:
        X, y = make_problem(loss, 40, 60)
        for radius in (0.1, 0.5, 1.0, 2.0):
            calls.clear()
            riata.constrained_lasso(X, y, radius, loss=loss)
            assert len(calls) <= 6, (loss, radius)


def test_genotypes(tmp_path):
    rng = np.random.default_rng(1)
    dosage = rng.binomial(2, 0.3, (40, 25)).astype(float)
    dosage[rng.random(dosage.shape) < 0.05] = np.nan
    y = np.nan_to_num(dosage[:, 3]) + 0.1 * rng.standard_normal(40)
    genotypes = riata.open_genotypes(write_plink(tmp_path / "g", dosage))
    fit = riata.constrained_lasso(genotypes, y, 0.4, standardize=True)
    predicted = fit.predict(genotypes)
    filled = np.where(np.isnan(dosage), np.nanmean(dosage, axis=0), dosage)
    same = riata.constrained_lasso(filled, y, 0.4, standardize=True)
    assert_allclose(fit.coef, same.coef, atol=1e-6)
    assert_allclose(predicted, same.predict(filled), atol=1e-6)


def test_predict_and_repr():
    pd = pytest.importorskip("pandas")
    X, y = make_problem("binomial", 40, 6)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    labels = np.where(y > 0, "yes", "no")
    fit = riata.constrained_lasso(frame, labels, 2.0, loss="binomial", exclude=["b"])
    assert fit.coef[1] == 0.0
    link = X @ fit.coef + fit.intercept
    assert_allclose(fit.predict(frame, kind="link"), link)
    assert_allclose(fit.predict(frame, offset=np.ones(40)), 1.0 / (1.0 + np.exp(-link - 1.0)))
    assert fit.predict(frame, kind="class").tolist() == np.where(link > 0, "yes", "no").tolist()
    assert "norm 2 of 2 (binds)" in repr(fit)
    with pytest.raises(ValueError, match="same order, got 'b' where the fit had 'a'"):
        fit.predict(frame[list("bacdef")])
    with pytest.raises(ValueError, match="X must have the 6 features of the fit, got 5"):
        fit.predict(X[:, :5])
    with pytest.raises(AttributeError):
        fit.alpha = 1.0
    numbers = riata.constrained_lasso(X, y, 2.0)
    with pytest.raises(ValueError, match="kind must be 'response' or 'link'"):
        numbers.predict(X, kind="class")


def test_errors():
    X, y = make_problem(n=20, p=5)
    for radius, error in ((-1.0, "radius must be >= 0, got -1"), (np.nan, "radius must be >= 0, got nan")):
        with pytest.raises(ValueError, match=error):
            riata.constrained_lasso(X, y, radius)
    with pytest.raises(TypeError, match="radius must be a number"):
        riata.constrained_lasso(X, y, "big")
    with pytest.raises(ValueError, match="for a single number per sample, got 'multinomial'"):
        riata.constrained_lasso(X, y, 1.0, loss="multinomial")
    with pytest.raises(ValueError, match="tol must be >= 0"):
        riata.constrained_lasso(X, y, 1.0, tol=-1.0)


def test_warns_above_the_tolerance(monkeypatch):
    X, y = make_problem("huber", 40, 60)
    monkeypatch.setattr(_budget, "MOST_PATHS", 1)
    with pytest.warns(ConvergenceWarning, match="above tol=1e-09"):
        fit = riata.constrained_lasso(X, y, 1.0, loss="huber", tol=1e-9)
    assert not fit.converged
    assert "not converged" in repr(fit)
