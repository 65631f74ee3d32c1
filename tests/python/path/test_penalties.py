"""Group lasso, sparse group lasso, MCP, SCAD and SLOPE, from their definitions alone."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import xlogy
from scipy.stats import norm
from support import (
    cox_terms,
    deviation,
    loss_value,
    make_problem,
    residual_of,
    response_to,
    storages,
    write_plink,
)

import riata
import riata.path.fit
from riata.penalties import MCP, SCAD, SLOPE, ElasticNet, GroupLasso, SparseGroupLasso

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings(r"ignore:(ys\[.\]. )?the best alpha is the last of the grid")

LOSSES = ["gaussian", "binomial", "poisson", "cox"]
P = 24
GROUPS = np.repeat(np.arange(8), [1, 2, 3, 3, 3, 4, 4, 4])
CONVEX = {
    "group": GroupLasso(GROUPS),
    "group with ridge": GroupLasso(GROUPS, weights="ones", l2_ratio=0.3),
    "sparse group": SparseGroupLasso(GROUPS, l1_ratio=0.4),
    "slope": SLOPE(q=0.2),
}
CONCAVE = {"mcp": MCP(), "scad": SCAD()}
PENALTIES = CONVEX | CONCAVE
TIGHT = {"tol": 1e-10, "max_iter": 100_000}


def tight(name, loss):
    """How exactly to fit per penalty: concave ones reach less where the loss is not quadratic."""
    return {"tol": 1e-6} if name in CONCAVE and loss != "gaussian" else TIGHT


def dense(path):
    return path.coefs.toarray()


def group_weights(penalty):
    return np.ones(8) if penalty.weights == "ones" else np.sqrt(np.bincount(GROUPS))


def norms(c):
    return np.array([np.linalg.norm(c[g == GROUPS]) for g in range(8)])


def sorted_weights(penalty, p=P):
    return norm.isf(np.arange(1, p + 1) * penalty.q / (2 * p))


def value(penalty, b, alpha):
    """The penalty of coefficients b."""
    if isinstance(penalty, GroupLasso):
        size = norms(b)
        return (
            alpha * group_weights(penalty) @ ((1 - penalty.l2_ratio) * size + penalty.l2_ratio / 2 * size**2)
        )
    if isinstance(penalty, SparseGroupLasso):
        share = penalty.l1_ratio
        return alpha * (share * np.abs(b).sum() + (1 - share) * group_weights(penalty) @ norms(b))
    if isinstance(penalty, SLOPE):
        return alpha * sorted_weights(penalty, len(b)) @ np.sort(np.abs(b))[::-1]
    return sum(concave_value(penalty, abs(t), alpha) for t in b)


def concave_value(penalty, size, alpha):
    """The integral of the slope from zero to the size of a coefficient."""
    grid = np.linspace(0.0, size, 20_001)
    middle = 0.5 * (grid[1:] + grid[:-1])
    return slope(penalty, middle, alpha).mean() * size


def slope(penalty, size, alpha):
    """The derivative at sizes > 0: Zhang (2010), eq. 2.1; Fan & Li (2001), eq. 2.7."""
    if isinstance(penalty, MCP):
        return np.maximum(alpha - size / penalty.gamma, 0.0)
    falling = np.maximum(penalty.gamma * alpha - size, 0.0) / (penalty.gamma - 1.0)
    return np.where(size <= alpha, alpha, falling)


def dual_norm(penalty, c):
    """The largest c·b over coefficients of penalty 1 at alpha = 1 (of its part that is a norm)."""
    if isinstance(penalty, SLOPE):
        return np.max(np.cumsum(np.sort(np.abs(c))[::-1]) / np.cumsum(sorted_weights(penalty, len(c))))
    weights = group_weights(penalty)
    if isinstance(penalty, GroupLasso):
        return np.max(norms(c) / weights)
    share = penalty.l1_ratio
    low, high = (
        0.0,
        np.abs(c).max() / share,
    )  # of the group, the t at which ‖S(c_g, t share)‖ = t (1 - share) w_g
    for _ in range(200):
        t = 0.5 * (low + high)
        left = np.sign(c) * np.maximum(np.abs(c) - t * share, 0.0)
        low, high = (t, high) if np.any(norms(left) > t * (1 - share) * weights) else (low, t)
    return high


def minus_conjugate(loss, y, eta, scale, weights):
    """A lower bound on loss plus penalty: minus the conjugate of the loss at its gradient times `scale`."""
    a = weights / weights.sum()
    if loss == "cox":  # log-sum-exp in each term: its conjugate is a relative entropy
        total = 0.0
        for mass, tied, share, _ in cox_terms(y, eta, weights):
            p = (1 - scale) * tied * weights / weights[tied].sum() + scale * share
            total -= mass * np.sum(xlogy(p, p / np.where(p > 0, weights, 1.0)))
        return total / weights.sum()
    q = -scale * residual_of(loss, y, eta, weights) / a
    m = y + q
    if loss == "gaussian":
        return -a @ (0.5 * q**2 + q * y)
    if loss == "binomial":
        return -a @ (xlogy(m, m) + xlogy(1 - m, 1 - m))
    return -a @ (xlogy(m, m) - m - xlogy(y, y) + y)


def certificates(penalty, loss, X, y, path):
    """For each point of the path: the objective and a lower bound of its minimum, from the coefficients."""
    scale, weights = path.scale, np.ones(len(X))
    out = []
    for k, alpha in enumerate(path.alphas):
        b = dense(path)[:, k]
        eta = X @ b + path.intercepts[k]
        residual = residual_of(loss, y, eta, weights)
        c = (X - X.mean(axis=0)).T @ residual / scale
        if (
            isinstance(penalty, GroupLasso) and penalty.l2_ratio > 0
        ):  # its squared part has a conjugate of its own
            w = alpha * group_weights(penalty)
            excess = np.maximum(norms(c) - (1 - penalty.l2_ratio) * w, 0.0)
            dual = minus_conjugate(loss, y, eta, 1.0, weights) - np.sum(
                excess**2 / (2 * penalty.l2_ratio * w)
            )
        else:
            share = min(1.0, alpha / dual_norm(penalty, c))
            dual = minus_conjugate(loss, y, eta, share, weights)
        out.append((loss_value(loss, y, eta, weights) + value(penalty, b * scale, alpha), dual))
    return np.array(out).T


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", CONVEX)
def test_objective_and_gap(name, loss):
    penalty = CONVEX[name]
    X, y = make_problem(loss, 60, P)
    path = riata.fit_path(X, y, loss=loss, penalty=penalty, alphas=12, eps=0.05, **TIGHT)
    primal, dual = certificates(penalty, loss, X, y, path)
    assert_allclose(path.primal, primal, rtol=1e-11)
    assert np.all(path.dual <= primal + 1e-12)
    unit = path.null_objective - path.saturated_objective
    assert np.all(primal - dual >= -1e-12)
    assert np.all(primal - dual <= 1e-8 * unit)
    assert path.certificate == "duality_gap"
    assert path.converged.all()
    assert path.locally_convex is None
    assert path.n_active[0] == 0 < path.n_active[-1]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", CONCAVE)
def test_stationary(name, loss):
    penalty = CONCAVE[name]
    X, y = make_problem(loss, 200 if loss == "binomial" else 60, P)
    path = riata.fit_path(X, y, loss=loss, penalty=penalty, alphas=12, eps=0.1, tol=1e-7, max_iter=100_000)
    weights, scale = np.ones(len(X)), path.scale
    for k, alpha in enumerate(path.alphas):
        b = dense(path)[:, k] * scale
        eta = X @ dense(path)[:, k] + path.intercepts[k]
        residual = residual_of(loss, y, eta, weights)
        c = (X - X.mean(axis=0)).T @ residual / scale
        at_zero = np.maximum(np.abs(c) - alpha, 0.0)
        violation = np.where(b == 0.0, at_zero, np.abs(c - np.sign(b) * slope(penalty, np.abs(b), alpha)))
        assert violation.max() / alpha <= 1.01e-7
        assert_allclose(violation.max() / alpha, path.dual_gaps[k], atol=1e-9)
        if loss != "cox":
            assert abs(residual.sum()) <= 1e-9
        assert_allclose(
            path.primal[k], loss_value(loss, y, eta, weights) + value(penalty, b, alpha), rtol=1e-7
        )
    assert path.certificate == "kkt"
    assert np.isnan(path.dual).all()
    assert path.converged.all()


def test_concave_where_the_loss_is_not_quadratic():
    X, y = make_problem("cox", 60, P)[0][:50], make_problem("cox", 60, P, seed=1)[1][:50]
    train = np.setdiff1d(np.arange(50), riata.cv_path(X, y, loss="cox", cv=3, alphas=2).folds[1])
    alphas = [0.1130986050682584, 0.0862493835581503, 0.06577407528299133]
    path = riata.fit_path(X[train], y[train], loss="cox", penalty=MCP(), alphas=alphas)
    assert path.converged.all()


def test_slope_far_down_the_path():
    X, y = make_problem(n=60, p=300)
    path = riata.fit_path(X, y, penalty=SLOPE(q=0.2), alphas=15)
    assert path.converged.all()


def alike(rho, n=60, p=160):
    """Columns of which each is correlated at rho with the next."""
    X = np.random.default_rng(1).standard_normal((n, p))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    return X


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rho", [0.9, 0.99, 0.999, 0.9999])
def test_slope_on_columns_that_are_nearly_the_same(rho, loss):
    X = alike(rho)
    y = response_to(loss, X[:, ::40].sum(axis=1), np.random.default_rng(2))
    path = riata.fit_path(X, y, loss=loss, penalty=SLOPE(q=0.2), alphas=10, eps=0.03)
    assert path.converged.all()
    primal, dual = certificates(SLOPE(q=0.2), loss, X, y, path)
    unit = path.null_objective - path.saturated_objective
    assert np.all(primal - dual >= -1e-12)
    assert np.all(primal - dual <= 1.001e-6 * unit)
    assert path.counters["prox_steps"] < 700  # thousands where descent has to find the sizes too


def test_slope_on_many_columns_that_are_nearly_the_same():
    X = alike(0.999, n=250, p=800)
    rng = np.random.default_rng(2)
    y = X[:, ::100] @ rng.standard_normal(8) + rng.standard_normal(250)
    path = riata.fit_path(X, y, penalty=SLOPE(), alphas=15, eps=0.002)
    assert path.converged.all()
    assert np.count_nonzero(np.unique(np.abs(dense(path)[:, -1] * path.scale).round(9))) > 20  # clusters


@pytest.mark.parametrize("loss", LOSSES)
def test_slope_gives_copies_one_coefficient(loss):
    """The weights are distinct, so that at equal correlations no two sizes may differ."""
    X = alike(0.5, p=30)
    y = response_to(loss, X[:, ::10].sum(axis=1), np.random.default_rng(2))
    path = riata.fit_path(
        np.hstack([X, -X, 3 * X + 1]), y, loss=loss, penalty=SLOPE(q=0.2), alphas=8, eps=0.03, **TIGHT
    )
    assert path.converged.all()
    first, turned, scaled = dense(path).reshape(3, 30, -1)
    assert np.count_nonzero(first[:, -1]) >= 3
    assert_allclose(turned, -first, atol=1e-6)
    assert_allclose(3 * scaled, first, atol=1e-6)


def test_slope_of_equal_weights_on_copies_is_the_lasso():
    """No single solution, but one fit."""
    X = alike(0.99, p=40)
    y = response_to("gaussian", X[:, ::10].sum(axis=1), np.random.default_rng(2))
    twice = np.hstack([X, X])
    path = riata.fit_path(twice, y, penalty=SLOPE(weights=np.ones(80)), alphas=8, eps=0.01, **TIGHT)
    lasso = riata.fit_path(X, y, alphas=path.alphas, **TIGHT)
    assert path.converged.all()
    assert_allclose(path.primal, lasso.primal, rtol=1e-9)


@pytest.mark.parametrize("name", CONCAVE)
def test_locally_convex(name):
    """The smallest eigenvalue of the active columns' Gram matrix against the concavity of the penalty."""
    X, y = make_problem(n=60, p=P)
    path = riata.fit_path(X, y, penalty=CONCAVE[name], alphas=20, eps=0.02)
    Z = (X - X.mean(axis=0)) / path.scale
    gamma = CONCAVE[name].gamma
    concavity = 1.0 / gamma if name == "mcp" else 1.0 / (gamma - 1.0)
    for k in range(len(path)):
        active = np.flatnonzero(dense(path)[:, k])
        least = np.linalg.eigvalsh(Z[:, active].T @ Z[:, active] / len(X)).min(initial=np.inf)
        assert path.locally_convex[k] == (least > concavity)
    assert path.locally_convex.any()
    assert not path.locally_convex.all()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "penalty",
    [
        GroupLasso(np.arange(P)),
        GroupLasso(None),
        GroupLasso({}),
        SparseGroupLasso(np.arange(P)[::-1]),
        SparseGroupLasso(GROUPS, l1_ratio=1.0),
        SLOPE(weights=np.ones(P)),
        MCP(gamma=1e8),
        SCAD(gamma=1e8),
    ],
    ids=["group of one", "no groups", "groups of none", "sparse group of one", "l1", "slope", "mcp", "scad"],
)
def test_special_cases_are_the_lasso(penalty, loss):
    X, y = make_problem(loss, 60, P)
    lasso = riata.fit_path(X, y, loss=loss, alphas=8, eps=0.05, **TIGHT)
    path = riata.fit_path(X, y, loss=loss, penalty=penalty, alphas=lasso.alphas, **TIGHT)
    assert_allclose(path.alpha_max, lasso.alpha_max, rtol=1e-9)
    assert_allclose(dense(path), dense(lasso), atol=2e-5)


def test_ridge_of_groups_is_ridge():
    X, y = make_problem(n=60, p=P)
    ridge = riata.fit_path(X, y, l1_ratio=0.0, alphas=[1.0, 0.1], **TIGHT)
    path = riata.fit_path(
        X, y, penalty=GroupLasso(GROUPS, weights="ones", l2_ratio=1.0), alphas=[1.0, 0.1], **TIGHT
    )
    assert_allclose(dense(path), dense(ridge), atol=1e-6)


@pytest.mark.parametrize("name", PENALTIES)
def test_columns_in_another_order(name):
    """Labels need not be in order, nor may the order of columns matter."""
    X, y = make_problem(n=60, p=P)
    order = np.random.default_rng(3).permutation(P)
    other = PENALTIES[name]
    if name.startswith("group"):
        other = GroupLasso(
            np.array([f"g{g}" for g in GROUPS])[order], weights=other.weights, l2_ratio=other.l2_ratio
        )
    elif name == "sparse group":
        other = SparseGroupLasso((9 - GROUPS)[order], l1_ratio=other.l1_ratio)
    path = riata.fit_path(X, y, penalty=PENALTIES[name], alphas=12, eps=0.1, **TIGHT)
    again = riata.fit_path(np.asfortranarray(X[:, order]), y, penalty=other, alphas=path.alphas, **TIGHT)
    assert_allclose(dense(again), dense(path)[order], atol=2e-5)


def test_groups_by_name_or_number():
    pd = pytest.importorskip("pandas")
    X, y = make_problem(n=60, p=6)
    path = riata.fit_path(X, y, penalty=GroupLasso([0, 0, 1, 1, 2, 3]), alphas=8)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    for groups, table in (({"u": [0, 1], "v": [3, 2]}, X), ({"v": ["d", "c"], "u": ["a", "b"]}, frame)):
        again = riata.fit_path(table, y, penalty=GroupLasso(groups), alphas=8)
        assert_allclose(dense(again), dense(path), atol=1e-9)
    assert again.group_names[again.groups].tolist() == ["u", "u", "v", "v", "e", "f"]
    assert path.group_names[path.groups].tolist() == [0, 0, 1, 1, 2, 3]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", [GroupLasso, SparseGroupLasso])
def test_group_of_weight_zero_is_not_penalised(kind, loss):
    X, y = make_problem(loss, 60, P)
    weights = np.sqrt(np.bincount(GROUPS))
    free = np.where(np.arange(8) == 3, 0.0, weights)
    factor = np.where(GROUPS == 3, 0.0, 1.0)
    alphas = riata.fit_path(X, y, loss=loss, penalty=kind(GROUPS), penalty_factor=factor, alphas=5).alphas
    by_weight = riata.fit_path(X, y, loss=loss, penalty=kind(GROUPS, weights=free), alphas=alphas, **TIGHT)
    by_factor = riata.fit_path(
        X, y, loss=loss, penalty=kind(GROUPS), penalty_factor=factor, alphas=alphas, **TIGHT
    )
    assert_allclose(dense(by_weight), dense(by_factor), atol=1e-6)
    assert np.all(dense(by_weight)[GROUPS == 3] != 0.0)
    named = dict(enumerate(free))
    by_name = riata.fit_path(X, y, loss=loss, penalty=kind(GROUPS, weights=named), alphas=alphas, **TIGHT)
    assert_array_equal(dense(by_name), dense(by_weight))


@pytest.mark.parametrize("name", PENALTIES)
def test_features_left_out_are_as_good_as_absent(name):
    X, y = make_problem(n=60, p=P)
    out = [1, 7, 20]
    stay = np.setdiff1d(np.arange(P), out)
    penalty = PENALTIES[name]
    fewer = penalty
    if name.startswith("group"):
        fewer = GroupLasso(GROUPS[stay], weights=penalty.weights, l2_ratio=penalty.l2_ratio)
    elif name == "sparse group":
        fewer = SparseGroupLasso(GROUPS[stay], l1_ratio=penalty.l1_ratio)
    path = riata.fit_path(X, y, penalty=penalty, exclude=out, alphas=12, eps=0.1, **TIGHT)
    again = riata.fit_path(np.asfortranarray(X[:, stay]), y, penalty=fewer, alphas=path.alphas, **TIGHT)
    assert not dense(path)[out].any()
    assert_allclose(dense(path)[stay], dense(again), atol=1e-7)
    assert_allclose(path.alpha_max, again.alpha_max)


@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
@pytest.mark.parametrize("name", PENALTIES)
def test_storages_agree(name, loss, tmp_path):
    rng = np.random.default_rng(5)
    X = rng.binomial(2, 0.3, (60, P)).astype(float)
    y = response_to(loss, X[:, 0] - X[:, 3] + 0.5 * rng.standard_normal(60), rng)
    options = {"loss": loss, "penalty": PENALTIES[name], "alphas": 8, "eps": 0.1, **tight(name, loss)}
    plain = riata.fit_path(X, y, **options)
    kinds = {kind: storages(X)[kind] for kind in ("C", "float32", "int8", "csc")}
    kinds["genotypes"] = riata.open_genotypes(write_plink(tmp_path / "toy", X))
    for kind, other in kinds.items():
        assert_allclose(dense(riata.fit_path(other, y, **options)), dense(plain), atol=1e-6, err_msg=kind)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", PENALTIES)
def test_weights_are_repeated_rows(name, loss):
    X, y = make_problem(loss, 50, P)
    times = np.random.default_rng(1).integers(0, 4, 50)
    times[:2] = 1
    options = {"loss": loss, "penalty": PENALTIES[name], "alphas": 8, "eps": 0.15, **tight(name, loss)}
    weighted = riata.fit_path(X, y, sample_weight=times, **options)
    repeated = riata.fit_path(np.repeat(X, times, axis=0), np.repeat(y, times, axis=0), **options)
    assert_allclose(weighted.alphas, repeated.alphas, rtol=1e-9)
    assert_allclose(dense(weighted), dense(repeated), atol=1e-6)


@pytest.mark.parametrize("loss", ["gaussian", "poisson"])
@pytest.mark.parametrize("name", PENALTIES)
def test_any_number_of_threads_gives_the_same_bits(name, loss):
    X, y = make_problem(loss, 60, 300)
    penalty = PENALTIES[name]
    if "group" in name:
        penalty = type(penalty)(np.arange(300) // 7)
    one, two = (
        riata.fit_path(X, y, loss=loss, penalty=penalty, alphas=15, eps=0.1, n_threads=k) for k in (1, 2)
    )
    for field in ("alphas", "intercepts", "primal", "dual_gaps"):
        assert_array_equal(getattr(one, field), getattr(two, field))
    assert_array_equal(dense(one), dense(two))


@pytest.mark.parametrize("solver", ["cd", "prox"])
@pytest.mark.parametrize("name", CONVEX)
def test_solvers_agree(name, solver):
    X, y = make_problem(n=60, p=P)
    auto = riata.fit_path(X, y, penalty=CONVEX[name], alphas=8, eps=0.05, **TIGHT)
    other = riata.fit_path(X, y, penalty=CONVEX[name], alphas=8, eps=0.05, solver=solver, **TIGHT)
    assert other.converged.all()
    assert_allclose(dense(other), dense(auto), atol=2e-5)


@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
@pytest.mark.parametrize("name", PENALTIES)
def test_goes_on_from_a_checkpoint_to_the_same_bits(name, loss, tmp_path, monkeypatch):
    monkeypatch.setattr(riata.path.fit, "CHECKPOINT_SECONDS", 0.0)
    X, y = make_problem(loss, 60, 80)
    penalty = PENALTIES[name]
    if "group" in name:
        penalty = type(penalty)(np.arange(80) // 4)
    options = {"loss": loss, "penalty": penalty, "alphas": 20, "eps": 0.1}
    whole = riata.fit_path(X, y, **options)
    state = tmp_path / "state"
    part = riata.fit_path(X, y, checkpoint=state, progress=lambda done, *rest: done < 6, **options)
    assert len(part) == 6
    again = riata.fit_path(X, y, checkpoint=state, **options)
    for field in ("alphas", "intercepts", "primal", "dual_gaps", "n_active", "n_iter", "locally_convex"):
        assert_array_equal(getattr(again, field), getattr(whole, field), err_msg=field)
    assert_array_equal(dense(again), dense(whole))


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (MCP(), MCP(gamma=4.0)),
        (MCP(), SCAD()),
        (GroupLasso(GROUPS), GroupLasso(GROUPS, weights="ones")),
        (GroupLasso(GROUPS), GroupLasso(GROUPS[::-1])),
        (SparseGroupLasso(GROUPS), SparseGroupLasso(GROUPS, l1_ratio=0.3)),
        (SLOPE(), SLOPE(q=0.2)),
        (SLOPE(), ElasticNet()),
    ],
)
def test_refuses_a_checkpoint_of_another_penalty(first, then, tmp_path):
    X, y = make_problem(n=60, p=P)
    state = tmp_path / "state"
    riata.fit_path(X, y, penalty=first, checkpoint=state, progress=lambda done, *rest: done < 3)
    with pytest.raises(ValueError, match="what differs"):
        riata.fit_path(X, y, penalty=then, checkpoint=state)


SCRIPT = """
import os, signal, sys, threading, time
import numpy as np
import riata
from riata.penalties import *

rng = np.random.default_rng(0)
X = np.asfortranarray(rng.standard_normal((600, 6000)) + rng.standard_normal((600, 1)))
y = rng.standard_normal(600)
groups = np.arange(6000) // 10
penalty = eval(sys.argv[1])
sent = []

def interrupt():
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)

timer = threading.Timer(0.7, interrupt)
timer.start()
try:
    while True:
        riata.fit_path(X, y, penalty=penalty, alphas=1000, eps=1e-6, tol=1e-14, max_iter=10**9)
except KeyboardInterrupt:
    print(f"{time.perf_counter() - sent[0]:.3f}")
"""


@pytest.mark.skipif(os.name == "nt", reason="signals are sent differently there")
@pytest.mark.parametrize(
    "penalty", ["GroupLasso(groups)", "SparseGroupLasso(groups)", "MCP()", "SCAD()", "SLOPE()"]
)
def test_control_c(penalty):
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(SCRIPT), penalty]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 0.5


BAD = {
    "too few labels": (GroupLasso([0, 0, 1]), {}, "groups must have one label for each of the 24 features"),
    "nan label": (GroupLasso(np.full(P, np.nan)), {}, "groups must not hold NaN"),
    "no such feature": (GroupLasso({"a": [24]}), {}, r"groups\['a'\] must hold feature numbers from 0 to 23"),
    "names of none": (GroupLasso({"a": ["x"]}), {}, r"groups\['a'\] may hold names only when X has"),
    "weights word": (GroupLasso(GROUPS, weights="size"), {}, 'weights must be "sqrt_size", "ones" or'),
    "too few weights": (GroupLasso(GROUPS, weights=[1.0]), {}, "weights must hold one number per group"),
    "negative weight": (GroupLasso(GROUPS, weights=-np.ones(8)), {}, "weights must be >= 0, got -1"),
    "weight missing": (GroupLasso(GROUPS, weights={0: 1.0}), {}, "one number for each group, got none for 1"),
    "penalty factor": (
        GroupLasso(GROUPS),
        {"penalty_factor": np.full(P, 0.5)},
        "penalty_factor must be 0, 1 or infinity with penalty=GroupLasso",
    ),
    "slope factor": (SLOPE(), {"penalty_factor": np.full(P, 2.0)}, "penalty_factor must be 0, 1 or infinity"),
    "bounds": (MCP(), {"lower": 0.0}, r"lower must be left out with penalty=MCP\(gamma=3.0\)"),
    "upper": (SLOPE(), {"upper": 1.0}, r"upper must be left out with penalty=SLOPE"),
    "several outputs": (
        MCP(),
        {"loss": "multinomial"},
        "penalty must be ElasticNet, GroupLasso or SparseGroupLasso with loss='multinomial'",
    ),
    "earlier name of the active set": (
        SCAD(),
        {"solver": "homotopy"},
        "solver must be 'auto', 'cd' or 'prox' with penalty=SCAD",
    ),
    "l1_ratio": (MCP(), {"l1_ratio": 0.5}, "l1_ratio must be left out when penalty is given"),
    "increasing": (SLOPE(weights=np.arange(P)), {}, "weights must be >= 0, in decreasing order"),
    "short": (SLOPE(weights=[1.0]), {}, "weights must hold one number per feature"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_argument(case):
    penalty, options, message = BAD[case]
    X, y = make_problem(n=30, p=P)
    with pytest.raises(ValueError, match=message):
        riata.fit_path(X, y, penalty=penalty, **options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GroupLasso(GROUPS, l2_ratio=1.5), r"l2_ratio must lie in \[0, 1\]|l2_ratio must be"),
        (lambda: SparseGroupLasso(GROUPS, l1_ratio=-0.1), "l1_ratio must"),
        (lambda: MCP(gamma=1.0), "gamma must be > 1"),
        (lambda: SCAD(gamma=2.0), "gamma must be > 2"),
        (lambda: SLOPE(q=0.0), "q must"),
    ],
)
def test_bad_parameter(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", PENALTIES)
def test_saved_and_loaded(name, tmp_path):
    X, y = make_problem(n=60, p=P)
    cv = riata.cv_path(X, y, penalty=PENALTIES[name], cv=3, alphas=8)
    cv.save(tmp_path / "cv.npz")
    again = riata.load(tmp_path / "cv.npz")
    for field in ("certificate", "penalty", "penalty_parameters"):
        assert getattr(again.path, field) == getattr(cv.path, field)
    for field in ("locally_convex", "groups", "group_names"):
        if getattr(cv.path, field) is None:
            assert getattr(again.path, field) is None
        else:
            assert_array_equal(getattr(again.path, field), getattr(cv.path, field))
    assert repr(again) == repr(cv)
    assert repr(again.path) == repr(cv.path)
    assert_array_equal(again.predict(X), cv.predict(X))


def test_representation_names_penalty_and_certificate():
    X, y = make_problem(n=60, p=P)
    told = {
        name: repr(riata.fit_path(X, y, penalty=penalty, alphas=5)) for name, penalty in PENALTIES.items()
    }
    assert "<riata.RegularizationPath sparse group lasso, gaussian, " in told["sparse group"]
    assert "<riata.RegularizationPath group lasso, gaussian, " in told["group"]
    assert "<riata.RegularizationPath MCP, gaussian, " in told["mcp"]
    for name, text in told.items():
        assert ("largest KKT" in text) == (name in CONCAVE)
        assert ("largest gap" in text) == (name in CONVEX)


@pytest.mark.parametrize("name", ["group", "scad"])
def test_warning_names_the_certificate(name):
    X, y = make_problem(n=60, p=P)
    name_of = "KKT violation over alpha" if name == "scad" else "relative duality gap"
    with pytest.warns(UserWarning, match=f"did not converge: the {name_of} is .* above tol=1e-14"):
        riata.fit_path(X, y, penalty=PENALTIES[name], alphas=[0.05], tol=1e-14, max_iter=1, solver="cd")


@pytest.mark.parametrize("loss", ["gaussian", "cox"])
@pytest.mark.parametrize("name", PENALTIES)
def test_several_responses(name, loss):
    """Fitted together as one by one, cross-validated or not."""
    X, y = make_problem(loss, 60, P)
    other = make_problem(loss, 60, P, seed=2)[1].copy()
    other[50:] = np.nan
    known = ~np.isnan(other).reshape(60, -1).any(axis=1)
    options = {"loss": loss, "penalty": PENALTIES[name], "alphas": 8, "eps": 0.15, **tight(name, loss)}
    alone = [riata.fit_path(X, y, **options), riata.fit_path(X[known], other[known], **options)]
    for path, one in zip(riata.fit_multi_path(X, [y, other], **options), alone, strict=True):
        assert_allclose(path.alphas, one.alphas, rtol=1e-9)
        assert_allclose(dense(path), dense(one), atol=1e-6)
        assert path.certificate == PENALTIES[name].certificate
    together = riata.cv_multi_path(X, [y, other], cv=3, **options)
    assert_allclose(together[0].scores, riata.cv_path(X, y, cv=3, **options).scores, rtol=1e-5)


@pytest.mark.parametrize("name", PENALTIES)
def test_folds_are_fits_to_the_other_rows(name):
    X, y = make_problem(n=60, p=P)
    options = {"penalty": PENALTIES[name], **TIGHT}
    cv = riata.cv_path(X, y, cv=3, alphas=8, eps=0.1, **options)
    for k, test in enumerate(cv.folds):
        train = np.setdiff1d(np.arange(60), test)
        alone = riata.fit_path(X[train], y[train], alphas=cv.alphas, **options)
        score = np.mean((y[test, None] - alone.predict(X[test])) ** 2, axis=0)
        assert_allclose(cv.scores[:, k], score, rtol=1e-5)


def test_sparse_columns_of_many_groups():
    """More features than samples, in sparse columns, and groups larger than the number of samples."""
    rng = np.random.default_rng(0)
    X = sp.random(40, 400, density=0.2, random_state=0, format="csc")
    y = X[:, :60] @ np.ones(60) + 0.1 * rng.standard_normal(40)
    groups = np.minimum(np.arange(400) // 60, 5)
    for penalty in (GroupLasso(groups), SparseGroupLasso(groups)):
        path = riata.fit_path(X, y, penalty=penalty, alphas=20)
        again = riata.fit_path(X.toarray(), y, penalty=penalty, alphas=path.alphas)
        assert path.converged.all()
        assert_allclose(path.primal, again.primal, rtol=1e-6)


def test_curves_have_the_colour_of_their_group():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    X, y = make_problem(n=60, p=6)
    path = riata.fit_path(X, y, penalty=GroupLasso([0, 0, 1, 1, 2, 2]), alphas=8)
    ax = path.plot(labels=2)
    colours = [line.get_color() for line in ax.lines[:-1]]
    assert len(colours) == 6
    assert len(set(colours)) == 3
    plt.close("all")


def test_group_lasso_is_that_of_adelie():
    ad = pytest.importorskip("adelie")
    X, y = make_problem(n=60, p=P)
    starts = np.flatnonzero(np.diff(GROUPS, prepend=-1))
    for ridge in (0.0, 0.3):
        path = riata.fit_path(
            X, y, penalty=GroupLasso(GROUPS, l2_ratio=ridge), alphas=8, eps=0.05, standardize=False, **TIGHT
        )
        peer = ad.grpnet(
            X, ad.glm.gaussian(y), groups=starts, alpha=1.0 - ridge, lmda_path=path.alphas, tol=1e-14,
            early_exit=False, progress_bar=False,
        )  # fmt: skip
        assert_allclose(dense(path).T, peer.betas.toarray(), atol=1e-5)
        assert_allclose(path.intercepts, peer.intercepts, atol=1e-5)


def test_group_lasso_is_that_of_skglm():
    skglm = pytest.importorskip("skglm")
    X, y = make_problem(n=60, p=P)
    path = riata.fit_path(X, y, penalty=GroupLasso(GROUPS), alphas=[0.3, 0.1], standardize=False, **TIGHT)
    members = [np.flatnonzero(g == GROUPS).tolist() for g in range(8)]
    for k, alpha in enumerate(path.alphas):
        peer = skglm.GroupLasso(members, alpha, weights=np.sqrt(np.bincount(GROUPS)), tol=1e-10).fit(X, y)
        assert_allclose(dense(path)[:, k], peer.coef_, atol=1e-6)


def test_mcp_is_that_of_skglm():
    """On columns that are nearly orthogonal, where there is one stationary point."""
    skglm = pytest.importorskip("skglm")
    rng = np.random.default_rng(0)
    X = np.linalg.qr(rng.standard_normal((80, 10)))[0] * np.sqrt(80) + 0.05 * rng.standard_normal((80, 10))
    y = X[:, :3] @ [2.0, -1.0, 0.4] + 0.3 * rng.standard_normal(80)
    alphas = [0.5, 0.2, 0.05]
    path = riata.fit_path(X, y, penalty=MCP(), alphas=alphas, standardize=False, **TIGHT)
    assert path.locally_convex.all()
    for k, alpha in enumerate(alphas):
        peer = skglm.MCPRegression(alpha, gamma=3.0, tol=1e-12).fit(X, y)
        assert_allclose(dense(path)[:, k], peer.coef_, atol=1e-8)


def test_scale_of_the_columns():
    """Standardising is fitting to columns of unit standard deviation."""
    X, y = make_problem(n=60, p=P)
    X = X * np.geomspace(0.1, 10.0, P)
    scale = deviation(X)
    for penalty in PENALTIES.values():
        path = riata.fit_path(X, y, penalty=penalty, alphas=8, eps=0.1, **TIGHT)
        again = riata.fit_path(X / scale, y, penalty=penalty, alphas=path.alphas, standardize=False, **TIGHT)
        assert_allclose(dense(path) * scale[:, None], dense(again), atol=1e-6)
