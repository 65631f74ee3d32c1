"""The estimators of group lasso, sparse group lasso, MCP, SCAD, SLOPE and UniLasso."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold
from support import make_problem

import riata

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

P = 12
GROUPS = np.repeat([2, 0, 1, 3], 3)
CASES = {
    "group": (riata.GroupLasso, riata.GroupLassoCV, {"groups": GROUPS, "l2_ratio": 0.1}),
    "sparse group": (riata.SparseGroupLasso, riata.SparseGroupLassoCV, {"groups": GROUPS, "l1_ratio": 0.3}),
    "mcp": (riata.MCPRegressor, riata.MCPRegressorCV, {"gamma": 2.5}),
    "scad": (riata.SCADRegressor, riata.SCADRegressorCV, {"gamma": 3.0}),
    "slope": (riata.SLOPE, riata.SLOPECV, {"q": 0.2}),
    "unilasso": (riata.UniLasso, riata.UniLassoCV, {}),
}
PENALTIES = {
    "group": riata.penalties.GroupLasso(GROUPS, l2_ratio=0.1),
    "sparse group": riata.penalties.SparseGroupLasso(GROUPS, l1_ratio=0.3),
    "mcp": riata.penalties.MCP(gamma=2.5),
    "scad": riata.penalties.SCAD(gamma=3.0),
    "slope": riata.penalties.SLOPE(q=0.2),
    "unilasso": riata.penalties.UniLasso(),
}
CONCAVE = ("mcp", "scad")


def concave_objective(X, y, coef, intercept, alpha, gamma):
    """Of MCP, from its definition."""
    size = np.abs(coef) * X.std(axis=0)
    each = np.where(size < gamma * alpha, alpha * size - size**2 / (2 * gamma), gamma * alpha**2 / 2)
    return 0.5 * np.mean((y - intercept - X @ coef) ** 2) + each.sum()


AT = {
    "fit_path": riata.fit_path,
    "grid": riata.fit_path,
    "fit_paths": lambda X, y, **given: riata.fit_multi_path(X, [y, -y], **given)[0],
    "cv_path": lambda X, y, **given: riata.cv_path(X, y, cv=3, **given).path,
}


@pytest.mark.parametrize("door", [*AT, "MCPRegressor"])
def test_given_alphas_are_reached_down_a_path(door):
    """As good a point as the path from alpha_max gives, where the fit from zero is often a worse one."""
    gamma = 1.5
    penalty = riata.penalties.MCP(gamma)
    for seed in (2, 4, 11, 17, 23, 31):
        rng = np.random.default_rng(seed)
        X = 0.6 * rng.standard_normal((60, 1)) + 0.8 * rng.standard_normal((60, 100))
        y = X[:, :5] @ [2.0, -2.0, 1.5, 1.0, 1.0] + rng.standard_normal(60)
        way = riata.fit_path(X, y, penalty=penalty).alphas
        alpha = 0.1 * way[0]
        path = riata.fit_path(X, y, penalty=penalty, alphas=np.append(way[way > 1.0001 * alpha], alpha))
        best = concave_objective(X, y, path.coef(alpha), path.intercept(alpha), alpha, gamma)
        if door == "MCPRegressor":
            model = riata.MCPRegressor(alpha=alpha, gamma=gamma, standardize=True).fit(X, y)
            coef, intercept = model.coef_, model.intercept_
        else:
            given = [0.5 * way[0], alpha] if door == "grid" else [alpha]
            found = AT[door](X, y, penalty=penalty, alphas=given)
            assert found.alphas.tolist() == given
            assert found.converged.shape == found.locally_convex.shape == (len(given),)
            coef, intercept = found.coef(alpha), found.intercept(alpha)
        assert concave_objective(X, y, coef, intercept, alpha, gamma) <= best * (1.0 + 1e-3)


def test_folds_of_concave_fits_at_one_alpha_are_fits_to_the_other_rows():
    X, y = make_problem(n=60, p=P)
    penalty = riata.penalties.SCAD(3.0)
    cv = riata.cv_path(X, y, penalty=penalty, alphas=[0.3, 0.1], cv=3, tol=1e-9)
    for k, rows in enumerate(cv.folds):
        train = np.setdiff1d(np.arange(60), rows)
        fold = riata.fit_path(X[train], y[train], penalty=penalty, alphas=[0.3, 0.1], tol=1e-9)
        assert_allclose(cv.oof_link[rows], fold.predict(X[rows]), atol=1e-5)
        assert_allclose(
            cv.scores[:, k], ((y[rows, None] - fold.predict(X[rows])) ** 2).mean(axis=0), rtol=1e-4
        )


def test_max_active_below_the_first_alpha_of_a_concave_penalty_is_told():
    X, y = make_problem(n=60, p=P)
    with pytest.raises(
        ValueError, match=r"max_active must be at least \d+, the number of features active at the"
    ):
        riata.fit_path(X, y, penalty=riata.penalties.MCP(), alphas=[0.01], max_active=2)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_the_fit_of_fit_path(name, standardize):
    X, y = make_problem(n=60, p=P)
    weights = np.random.default_rng(0).integers(1, 4, 60)
    factor = np.ones(P)
    factor[4], factor[7] = 0.0, np.inf
    common = {"standardize": standardize, "penalty_factor": factor, "tol": 1e-9}
    model = CASES[name][0](alpha=0.2, **CASES[name][2], **common).fit(X, y, weights)
    options = {"penalty": PENALTIES[name], "sample_weight": weights, **common}
    alphas = [0.2]
    if name in CONCAVE:
        alphas = np.geomspace(riata.fit_path(X, y, alphas=1, **options).alpha_max, 0.2, 40)
        alphas[-1] = 0.2
    path = riata.fit_path(X, y, alphas=alphas, **options)
    assert_allclose(model.coef_, path.coef(0.2), atol=1e-8)
    assert_allclose(model.intercept_, path.intercept(0.2), atol=1e-8)
    assert model.certificate_ == path.certificate
    assert model.converged_
    assert model.coef_[4] != 0.0
    assert model.coef_[7] == 0.0
    assert_allclose(model.predict(X), X @ model.coef_ + model.intercept_)
    if name in CONCAVE:
        assert model.kkt_violation_ <= 1e-9
        assert model.locally_convex_ == path.locally_convex[-1]
        assert not hasattr(model, "dual_gap_")
    else:
        assert model.relative_gap_ <= 1e-9
        assert not hasattr(model, "kkt_violation_")
        assert not hasattr(model, "locally_convex_")


@pytest.mark.parametrize("name", CASES)
def test_cross_validation_is_that_of_cv_path(name):
    X, y = make_problem(n=60, p=P)
    split = list(GroupKFold(3).split(X, y, np.arange(60) // 5))
    model = CASES[name][1](alphas=15, eps=0.05, cv=split, alpha_rule="1se", **CASES[name][2]).fit(X, y)
    cv = riata.cv_path(X, y, penalty=PENALTIES[name], alphas=15, eps=0.05, cv=split, standardize=False)
    assert_allclose(model.mse_path_, cv.scores, rtol=1e-9)
    assert_allclose(model.alphas_, cv.alphas)
    assert model.alpha_min_ == cv.alpha_min
    assert_array_equal(model.coef_, cv.coef(model.alpha_))
    assert model.certificate_ == cv.path.certificate
    assert hasattr(model, "locally_convex_") == (name in CONCAVE)
    again = CASES[name][1](
        alphas=15, eps=0.05, cv=GroupKFold(3), alpha_rule="1se", **CASES[name][2]
    ).fit(X, y, groups=np.arange(60) // 5)  # of samples  # fmt: skip
    assert_array_equal(again.mse_path_, model.mse_path_)


def test_without_groups_the_lasso():
    X, y = make_problem(n=60, p=P)
    lasso = riata.Lasso(0.1, tol=1e-12).fit(X, y)
    for model in (riata.GroupLasso(alpha=0.1, tol=1e-12), riata.SparseGroupLasso(alpha=0.1, tol=1e-12)):
        assert_allclose(model.fit(X, y).coef_, lasso.coef_, atol=1e-6)


def test_groups_by_name():
    pd = pytest.importorskip("pandas")
    X, y = make_problem(n=60, p=4)
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = riata.GroupLasso({"first": ["a", "c"]}, alpha=0.1, weights={"first": 1, "b": 1, "d": 2}).fit(
        frame, y
    )
    plain = riata.GroupLasso([0, 1, 0, 2], alpha=0.1, weights=[1, 1, 2]).fit(X, y)
    assert_allclose(model.coef_, plain.coef_, atol=1e-9)
    with pytest.raises(ValueError, match="groups must have one label for each of the 4 features"):
        riata.GroupLasso([0, 1]).fit(X, y)


@pytest.mark.parametrize("name", CONCAVE)
def test_large_coefficients_are_not_shrunk(name):
    """Where every active coefficient is beyond gamma alpha the fit is least squares on them."""
    X, y = make_problem(n=200, p=P, noise=0.1)
    model = CASES[name][0](alpha=0.1, **CASES[name][2], tol=1e-10).fit(X, y)
    support = model.get_support()
    assert np.array_equal(np.flatnonzero(support), np.arange(5))
    Z = X[:, support] - X[:, support].mean(axis=0)
    assert_allclose(model.coef_[support], np.linalg.lstsq(Z, y - y.mean(), rcond=None)[0], rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_parameters(name):
    one, several, own = CASES[name]
    for kind in (one, several):
        model = clone(kind(**own))
        given = model.get_params()
        for key, value in own.items():
            assert_array_equal(given[key], value)
        assert kind.__name__ in repr(model)
    X, y = make_problem(n=30, p=P)
    search = GridSearchCV(one(**own), {"alpha": [0.3, 0.1]}, cv=3).fit(X, y)
    assert search.best_params_["alpha"] in (0.3, 0.1)


def test_constant_response():
    X, _ = make_problem(n=30, p=P)
    for one, several, own in CASES.values():
        assert not one(**own).fit(X, np.full(30, 2.0)).coef_.any()
        assert several(cv=3, **own).fit(X, np.full(30, 2.0)).intercept_ == pytest.approx(2.0)


@pytest.mark.parametrize("name", CASES)
def test_verbose_and_bad_parameters(name, capsys):
    X, y = make_problem(n=30, p=P)
    one, _, own = CASES[name]
    one(alpha=0.1, verbose=1, **own).fit(X, y)
    assert (", KKT " if name in CONCAVE else ", gap ") in capsys.readouterr().out
    with pytest.raises(ValueError, match="alpha must be > 0"):
        one(alpha=0.0, **own).fit(X, y)
    bad = {
        "group": {"l2_ratio": 2.0},
        "sparse group": {"l1_ratio": 2.0},
        "slope": {"q": 2.0},
        "unilasso": {"univariate": np.zeros(3)},
    }
    options = bad.get(name, {"gamma": 0.5})
    with pytest.raises(ValueError, match=f"{next(iter(options))} must"):
        one(alpha=1.0, **own | options).fit(X, y)


def test_equivalents_are_those_of_the_elastic_net_alone():
    X, y = make_problem(n=30, p=P)
    for one, several, own in CASES.values():
        for model in (one(alpha=0.1, **own), several(alphas=5, cv=3, **own)):
            with pytest.raises(ValueError, match="fit must have the elastic net for its penalty"):
                riata.conversions(model.fit(X, y))
