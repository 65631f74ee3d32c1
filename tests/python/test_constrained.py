"""The constrained form: what the path says, what a brute-force solver says, and a bound that is one."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose
from scipy.optimize import linprog, minimize
from sklearn.exceptions import ConvergenceWarning
from support import cox_value, loss_value, make_problem, residual_of, write_plink

import riata
from riata import constrained
from riata._arguments import check_options
from riata._budget import BudgetProblem, Candidate
from riata._cox_loss import CoxLoss
from riata._design import as_design
from riata._losses import loss_of
from riata._survival import check_survival_target

ROWWISE = ("gaussian", "binomial", "poisson", "huber")
LOSSES = (*ROWWISE, "cox")
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


def budget_problem(X, y, loss, *, fit_intercept=True, **given):
    """What constrained_lasso minimises, for itself."""
    options = check_options(
        loss=loss, penalty=None, alphas=1, eps=None, fit_intercept=fit_intercept, l1_ratio=1.0, tol=1e-6,
        max_iter=1, standardize=given.get("standardize", False), solver="auto", n_threads=1, progress=None,
        max_active=None,
    )  # fmt: skip
    weights = np.broadcast_to(given.get("sample_weight", 1.0), len(y)).astype(float)
    target = check_survival_target(y, len(y), weights) if loss == "cox" else y
    return BudgetProblem(
        as_design(X), target, weights, given.get("offset"), given.get("penalty_factor"), options, 1.0
    )


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
def test_weak_duality_at_random_feasible_points(loss, which):
    """Any u with Z'u = 0 in the domain bounds any b within the budget from below, and often by little."""
    n, p = 20, 8
    X, y = make_problem(loss, n, p, seed=5)
    given, rng = settings(n, p)[which], np.random.default_rng(0)
    weights, offset = given.get("sample_weight", np.ones(n)), given.get("offset", 0.0)
    problem = budget_problem(X, y, loss, **given)
    finite = 0
    for _ in range(200):
        radius = rng.exponential(2.0)
        b = rng.standard_normal(p) * rng.exponential(1.0) * problem.usable
        b[problem.priced] *= rng.uniform() * radius / problem.norm(b)
        eta = X @ b + rng.standard_normal() + offset
        primal = loss_value(loss, y, eta, weights)
        _, elsewhere = problem._settle(problem.offset + rng.standard_normal(len(problem.rows)))
        u, _ = problem.loss.certificate(elsewhere, problem.free_columns, problem.offset)
        assert_allclose(problem.free_columns.T @ u, 0.0, atol=1e-12)
        dual = problem.dual(elsewhere, radius)
        finite += np.isfinite(dual)
        assert dual <= primal + 1e-12
    assert finite > 150
    best = riata.constrained_lasso(X, y, 0.5, loss=loss, **given)
    assert best.dual <= best.primal + 1e-12


@pytest.mark.parametrize("loss", ROWWISE)
def test_conjugates(loss):
    """-f*(-rho) <= f(eta) + rho eta, with equality where rho = -f'(eta), and -inf outside the domain."""
    rng = np.random.default_rng(1)
    y = make_problem(loss, 200, 5)[1]
    if loss == "binomial":
        y[:50] = rng.random(50)  # proportions
    f, eta, rho = loss_of(loss, y, 1.345), 2.0 * rng.standard_normal(200), rng.standard_normal(200)
    assert_allclose(f.value(eta).mean(), loss_value(loss, y, eta, np.ones(200)), rtol=1e-12)
    bound = f.minus_conjugate(rho)
    assert np.isfinite(bound).sum() > 40
    assert np.all(bound <= f.value(eta) + rho * eta + 1e-12)
    at = f.residual(eta)
    assert_allclose(f.minus_conjugate(at), f.value(eta) + at * eta, atol=1e-9)
    step = 1e-6
    assert_allclose(f.value(eta - step) - f.value(eta + step), 2.0 * step * at, atol=1e-9)
    smooth = np.abs(np.abs(y - eta) - 1.345) > 1e-3
    change = f.residual(eta - step) - f.residual(eta + step)
    assert_allclose(change[smooth], 2.0 * step * f.curvature(eta)[smooth], atol=1e-9)
    if loss != "gaussian":
        assert np.all(f.minus_conjugate(y + 1e3) == -np.inf)


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
def test_partial_likelihood(which):
    """Value, gradient and curvature from the definition."""
    X, y, given = survival_problem(which)
    rng = np.random.default_rng(3)
    weights, eta = rng.integers(0, 3, 40).astype(float), rng.standard_normal(40)
    rows = np.flatnonzero(weights)
    f = CoxLoss(check_survival_target(y, 40, weights, **given), rows, weights)
    assert_allclose(f.value(eta[rows]), cox_value(y, eta, weights, **given), rtol=1e-12)
    expected = residual_of("cox", y, eta, weights, **given)[rows]
    assert_allclose(f.slope(eta[rows]), expected, atol=1e-14)
    step = 1e-5
    change = [f.slope(eta[rows] - step * column) - f.slope(eta[rows] + step * column) for column in X[rows].T]
    assert_allclose(f.hessian(eta[rows], X[rows]), X[rows].T @ np.transpose(change) / (2.0 * step), atol=1e-8)


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
    X, y = make_problem("binomial", 20, 40)
    fit = riata.constrained_lasso(X, y, 30.0, loss="binomial")
    assert fit.active
    assert fit.converged


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
    fit = riata.constrained_lasso(X, np.full(20, 3.0), 1.0)
    assert np.all(fit.coef == 0.0)
    assert not fit.active
    assert fit.converged
    assert_allclose(fit.intercept, 3.0)
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
    """The first grid brackets the price, and the support at an end of the bracket is that of the solution."""
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
            assert len(calls) <= 3, (loss, radius)


@pytest.mark.parametrize("loss", LOSSES)
def test_without_newton_brackets_alone_converge(loss, monkeypatch):
    """Convex combinations of the ends of narrower and narrower brackets reach the tolerance."""
    X, y = make_problem(loss, 40, 60)
    expected = riata.constrained_lasso(X, y, 1.0, loss=loss)
    monkeypatch.setattr(BudgetProblem, "newton", lambda *args: None)
    fit = riata.constrained_lasso(X, y, 1.0, loss=loss, tol=1e-8)
    assert fit.converged
    assert fit.norm <= 1.0
    assert_allclose(fit.primal, expected.primal, rtol=1e-6)
    assert_allclose(fit.alpha, expected.alpha, rtol=1e-2)


def test_newton_gives_up_on_a_wrong_support():
    X, y = make_problem(n=40, p=60)
    problem = budget_problem(X, y, "gaussian")
    wrong = np.zeros(60)
    wrong[0] = -1.0  # its coefficient is positive
    assert problem.newton(Candidate(wrong, 0.0, 0.1), 0.5) is None
    assert problem.newton(Candidate(np.ones(60), 0.0, 0.1), 0.5) is None  # singular
    assert problem.newton(Candidate(np.zeros(60), 0.0, 0.1), 0.5) is None  # nobody to spend it


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
    for radius, error in ((-1.0, "radius must be >= 0, got -1"), (np.inf, "radius must be >= 0, got inf")):
        with pytest.raises(ValueError, match=error):
            riata.constrained_lasso(X, y, radius)
    with pytest.raises(TypeError, match="radius must be a number"):
        riata.constrained_lasso(X, y, "big")
    with pytest.raises(ValueError, match="loss must be one for a single number a sample, got 'multinomial'"):
        riata.constrained_lasso(X, y, 1.0, loss="multinomial")
    with pytest.raises(ValueError, match="tol must be > 0"):
        riata.constrained_lasso(X, y, 1.0, tol=0.0)


def test_warns_above_the_tolerance(monkeypatch):
    X, y = make_problem("huber", 40, 60)
    monkeypatch.setattr(BudgetProblem, "newton", lambda *args: None)
    monkeypatch.setattr(constrained, "MOST_PATHS", 1)
    with pytest.warns(ConvergenceWarning, match="above tol=1e-09"):
        fit = riata.constrained_lasso(X, y, 1.0, loss="huber", tol=1e-9)
    assert not fit.converged
    assert "not converged" in repr(fit)
