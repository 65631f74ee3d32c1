"""Adaptive lasso: weighted lassos, whose cross-validation leaves held-out samples out of the weights too."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit
from support import deviation, kkt_violation, make_problem, write_plink

import riata

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

TIGHT = {"tol": 1e-11}
WEIGHTS = np.random.default_rng(1).uniform(0.0, 2.0, 40) * (np.arange(40) % 9 > 0)


def inverse(size, power=1.0):
    with np.errstate(divide="ignore"):
        return np.abs(size) ** -power


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("initial", ["ridge", "lasso", "marginal", "array"])
def test_equals_the_lasso_with_these_penalty_factors(initial, standardize, weights):
    X, y = make_problem()
    X = X * np.geomspace(0.1, 10.0, 60) + 1.0
    options = {"standardize": standardize, **TIGHT}
    if initial == "ridge":
        first = riata.ElasticNet(0.3, l1_ratio=0.0, **options).fit(X, y, sample_weight=weights).coef_
    elif initial == "lasso":
        first = riata.Lasso(0.3, **options).fit(X, y, sample_weight=weights).coef_
    elif initial == "marginal":
        each = (LinearRegression().fit(x[:, None], y, sample_weight=weights) for x in X.T)
        first = np.array([one.coef_[0] for one in each])
    else:
        first = np.linspace(-1.0, 1.0, 60) * (np.arange(60) % 3)
    model = riata.AdaptiveLasso(
        0.05,
        initial=first if initial == "array" else initial,
        initial_alpha=0.3 if initial in ("ridge", "lasso") else None,
        power=1.5,
        **options,
    ).fit(X, y, sample_weight=weights)
    scale = deviation(X, weights) if standardize else np.ones(60)
    factor = inverse(first * scale, 1.5)
    lasso = riata.Lasso(0.05, penalty_factor=factor, **options).fit(X, y, sample_weight=weights)
    assert 0 < model.get_support().sum() < 40
    assert_allclose(model.initial_coef_, first, atol=1e-8)
    assert_allclose(model.penalty_factor_, factor, rtol=1e-4)
    assert_allclose(model.coef_, lasso.coef_, atol=1e-5)
    assert_allclose(model.intercept_, lasso.intercept_, atol=1e-5)
    certified = {"factor": model.penalty_factor_, "scale": scale, "weights": weights}
    assert kkt_violation(X, y, model.coef_, model.intercept_, 0.05, **certified) < 1e-4
    assert 0.0 <= abs(model.relative_gap_) <= 1e-11
    assert model.converged_
    assert model.initial_alpha_ == model.initial_alpha


def test_marginal_slopes_without_an_intercept():
    X, y = make_problem()
    model = riata.AdaptiveLasso(0.1, initial="marginal", fit_intercept=False).fit(X + 1.0, y)
    assert_allclose(model.initial_coef_, (X + 1.0).T @ y / np.sum((X + 1.0) ** 2, axis=0))


@pytest.mark.parametrize("n", [40, 90])  # fewer samples than features, and more
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("initial", ["ridge", "lasso"])
def test_the_alpha_of_the_first_estimate_is_cross_validated(initial, fit_intercept, n):
    X, y = make_problem(n=n, noise=3.0)
    X = X + 0.5
    options = {"cv": 4, "fit_intercept": fit_intercept, **TIGHT}
    model = riata.AdaptiveLasso(0.1, initial=initial, **options).fit(X, y)
    if initial == "ridge":
        total = np.mean((X - X.mean(axis=0) * fit_intercept) ** 2, axis=0).sum()
        search = riata.ElasticNetCV(l1_ratio=0.0, alphas=total * np.geomspace(1.0, 1e-6, 20), **options)
    else:
        search = riata.LassoCV(**options)
    search.fit(X, y)
    assert_allclose(model.initial_alpha_, search.alpha_)
    assert_allclose(model.initial_coef_, search.coef_, atol=1e-6)
    assert search.alphas_.min() < search.alpha_ < search.alphas_.max()


@pytest.mark.parametrize("n", [40, 90])
def test_ridge_with_unpenalised_and_weighted_features(n):
    X, y = make_problem(n=n)
    X[:, 9] = 4.0
    factor = np.linspace(0.5, 2.0, 60)
    factor[[3, 30]], factor[5] = 0.0, np.inf
    weights = np.random.default_rng(1).uniform(0.0, 2.0, n)
    options = {"standardize": True, "penalty_factor": factor, **TIGHT}
    model = riata.AdaptiveLasso(0.01, initial_alpha=0.2, **options).fit(X, y, sample_weight=weights)
    ridge = riata.ElasticNet(0.2, l1_ratio=0.0, **options).fit(X, y, sample_weight=weights)
    assert_allclose(model.initial_coef_, ridge.coef_, atol=1e-6)
    assert model.initial_coef_[9] == model.initial_coef_[5] == 0.0


def test_unpenalised_and_left_out_features():
    X, y = make_problem()
    factor = np.ones(60)
    factor[[40, 41]], factor[0] = 0.0, np.inf
    for initial in ("ridge", "lasso", "marginal"):
        model = riata.AdaptiveLasso(0.3, initial=initial, penalty_factor=factor).fit(X, y)
        assert model.coef_[0] == 0.0
        assert np.all(model.coef_[[40, 41]] != 0.0)
        assert np.all(model.penalty_factor_[[40, 41]] == 0.0)
        assert np.isinf(model.penalty_factor_[0])


def test_further_steps_are_weighted_by_the_step_before():
    X, y = make_problem()
    X = X * np.geomspace(0.1, 10.0, 60)
    scale = deviation(X)
    options = {"standardize": True, **TIGHT}
    model = riata.AdaptiveLasso(0.02, initial_alpha=0.5, n_steps=3, **options).fit(X, y)
    coef = riata.ElasticNet(0.5, l1_ratio=0.0, **options).fit(X, y).coef_
    sizes = []
    for _ in range(3):
        factor = inverse(coef * scale)
        lasso = riata.Lasso(0.02, penalty_factor=factor, **options).fit(X, y)
        coef = lasso.coef_
        sizes.append(np.count_nonzero(coef))
    assert sizes[0] > sizes[-1] > 0
    assert_array_equal(np.flatnonzero(model.coef_), np.flatnonzero(coef))
    assert_allclose(model.coef_, coef, rtol=1e-5)
    assert_allclose(model.intercept_, lasso.intercept_, rtol=1e-5)
    assert_allclose(model.penalty_factor_, factor, rtol=1e-5)
    again = riata.Lasso(0.02, penalty_factor=model.penalty_factor_, **options).fit(X, y)
    assert_allclose(model.coef_, again.coef_, rtol=1e-6)
    assert abs(model.relative_gap_) <= 1e-11


def test_all_features_left_out():
    X, y = make_problem()
    for initial, alpha in (("lasso", 1e3), (np.zeros(60), None)):
        model = riata.AdaptiveLasso(0.1, initial=initial, initial_alpha=alpha, n_steps=2)
        with pytest.warns(
            UserWarning, match="every penalised feature is left out, as the first estimate is zero"
        ):
            model.fit(X, y)
        assert not model.coef_.any()
        assert_allclose(model.intercept_, y.mean())
        search = riata.AdaptiveLassoCV(initial=initial, initial_alpha=alpha, cv=3)
        with pytest.warns(UserWarning, match="every penalised feature is left out"):
            search.fit(X, y)
        assert not search.coef_.any()


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("n_steps", [1, 2])
@pytest.mark.parametrize("initial", ["ridge", "lasso", "marginal"])
def test_cross_validation_is_a_loop_over_training_sets(initial, n_steps, weights):
    """No leakage: errors are those of models that were handed the training rows alone."""
    X, y = make_problem()
    alphas = np.geomspace(0.3, 0.003, 5)
    options = {"initial": initial, "n_steps": n_steps, "tol": 1e-11}
    cv = KFold(4, shuffle=True, random_state=0)
    model = riata.AdaptiveLassoCV(alphas=alphas, cv=cv, **options).fit(X, y, sample_weight=weights)
    folds = list(cv.split(X))
    weights = np.ones(40) if weights is None else weights
    for k, (train, test) in enumerate(folds):
        others = [held for j, (_, held) in enumerate(folds) if j != k]
        inner = [
            (np.flatnonzero(~np.isin(train, held)), np.flatnonzero(np.isin(train, held))) for held in others
        ]
        for i, alpha in enumerate(alphas):
            one = riata.AdaptiveLasso(alpha, cv=inner, **options).fit(X[train], y[train], weights[train])
            error = np.average((y[test] - one.predict(X[test])) ** 2, weights=weights[test])
            assert_allclose(model.mse_path_[i, k], error, rtol=1e-5)
    assert model.alpha_ == alphas[np.argmin(model.mse_path_.mean(axis=1))]
    final = riata.AdaptiveLasso(model.alpha_, cv=cv, **options).fit(X, y, weights)
    assert_allclose(model.coef_, final.coef_, atol=1e-7)
    assert_allclose(model.intercept_, final.intercept_, atol=1e-7)
    assert_allclose(model.penalty_factor_, final.penalty_factor_, rtol=1e-5)
    assert_array_equal(model.initial_coef_, final.initial_coef_)
    assert model.relative_gap_ <= 1e-11


def test_weights_from_all_samples_would_promise_too_much():
    """Of noise, features chosen with the held-out samples predict them; those chosen without do not."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((60, 1000)), rng.standard_normal(60)
    honest = riata.AdaptiveLassoCV(initial="marginal", power=2.0, cv=KFold(5)).fit(X, y)
    marginal = riata.AdaptiveLasso(0.1, initial="marginal").fit(X, y).initial_coef_
    leaking = riata.LassoCV(penalty_factor=inverse(marginal, 2.0), cv=KFold(5)).fit(X, y)
    assert leaking.mse_path_.mean(axis=1).min() < 0.6 * np.var(y)
    assert honest.mse_path_.mean(axis=1).min() > 0.95 * np.var(y)


def test_finds_the_true_features_where_the_lasso_does_not():
    """The oracle property (Zou 2006) in a design in which false features resemble true ones."""
    right = {"lasso": 0, "adaptive": 0}
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((300, 12))
        X[:, 3] = 0.65 * (X[:, 0] + X[:, 1]) + 0.4 * X[:, 3]  # the lasso takes it in for both
        y = 3.0 * X[:, 0] + 3.0 * X[:, 1] - 3.0 * X[:, 2] + rng.standard_normal(300)
        options = {"cv": 5, "alpha_rule": "1se"}
        for name, model in (
            ("lasso", riata.LassoCV(**options)),
            ("adaptive", riata.AdaptiveLassoCV(power=2.0, **options)),
        ):
            right[name] += set(model.fit(X, y).get_support(indices=True)) == {0, 1, 2}
    assert right["adaptive"] >= 18
    assert right["lasso"] <= 5


def test_attributes_and_conventions():
    X, y = make_problem(n=100)
    model = riata.AdaptiveLassoCV(alphas=20, cv=4, alpha_rule="1se").fit(X, y)
    assert model.alpha_ == model.alpha_1se_ >= model.alpha_min_
    assert model.coef_path_.shape == (60, len(model.alphas_))
    assert model.mse_path_.shape == (len(model.alphas_), 4)
    assert model.dual_gaps_.max() <= model.tol
    assert_allclose(model.cv_result_.predict(X), model.predict(X))
    assert_array_equal(model.sparse_coef_.toarray()[0], model.coef_)
    assert model.transform(X).shape[1] == model.get_support().sum()
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


@pytest.mark.parametrize("initial", ["ridge", "lasso", "marginal"])
def test_every_kind_of_x(tmp_path, initial):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (60, 90)).astype(float)
    y = X[:, :4].sum(axis=1) + rng.standard_normal(60)
    genotypes = riata.open_genotypes(write_plink(tmp_path / "g", X))
    frame = pd.DataFrame(X, columns=[f"g{j}" for j in range(90)])
    model = riata.AdaptiveLassoCV(initial=initial, n_steps=2, standardize=True, alphas=10, eps=0.1, tol=1e-10)
    expected = None
    for kind in (X, sp.csc_matrix(X), sp.csr_array(X), frame, X.astype(np.int8), genotypes):
        model.fit(kind, y)
        found = model.coef_, model.mse_path_, model.predict(kind)
        expected = expected or found
        for ours, theirs in zip(found, expected, strict=True):
            assert_allclose(ours, theirs, atol=1e-5)
    some = genotypes.subset(samples=np.arange(10, 60))
    assert_allclose(model.fit(some, y[10:]).coef_, model.fit(X[10:], y[10:]).coef_, atol=1e-5)
    model.fit(frame, y)
    assert_array_equal(model.get_feature_names_out(), frame.columns[model.get_support()])


def test_splits_that_leave_a_training_set_without_folds():
    X, y = make_problem()
    for cv in (2, TimeSeriesSplit(3)):
        with pytest.raises(
            ValueError, match="cv must leave rows to train and rows to test initial='ridge' on"
        ):
            riata.AdaptiveLassoCV(cv=cv).fit(X, y)
        for options in ({"initial": "marginal"}, {"initial_alpha": 1.0}, {"initial": np.ones(60)}):
            assert np.isfinite(riata.AdaptiveLassoCV(cv=cv, **options).fit(X, y).mse_path_).all()
    riata.AdaptiveLassoCV(cv=ShuffleSplit(3, random_state=0)).fit(X, y)
    groups = np.arange(40) // 10
    model = riata.AdaptiveLassoCV(cv=4).fit(X, y, groups=groups)
    assert {tuple(np.unique(groups[rows])) for rows in model.cv_result_.folds} == {(0,), (1,), (2,), (3,)}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"initial": "ols"},
            ValueError,
            r"initial must be one of \['ridge', 'lasso', 'marginal'\], got 'ols'",
        ),
        ({"initial": np.ones(3)}, ValueError, r"initial must hold one number per feature, shape \(60,\)"),
        ({"initial": np.full(60, np.nan)}, ValueError, "initial must hold numbers, got nan at position 0"),
        (
            {"initial": np.full(60, np.inf)},
            ValueError,
            "initial must hold finite numbers, got inf at position 0",
        ),
        (
            {"initial": "marginal", "initial_alpha": 1.0},
            ValueError,
            "initial_alpha must be None when initial='m",
        ),
        (
            {"initial": np.ones(60), "initial_alpha": 1.0},
            ValueError,
            "initial_alpha must be None when initial h",
        ),
        ({"initial_alpha": -1.0}, ValueError, "initial_alpha must be > 0, got -1.0"),
        ({"power": 0.0}, ValueError, "power must be > 0, got 0.0"),
        ({"n_steps": 0}, ValueError, "n_steps must be >= 1, got 0"),
        ({"n_steps": 1.5}, TypeError, "n_steps must be an integer, got 1.5"),
    ],
)
def test_bad_parameters(options, error, message):
    X, y = make_problem()
    for model in (riata.AdaptiveLasso(**options), riata.AdaptiveLassoCV(**options)):
        with pytest.raises(error, match=message):
            model.fit(X, y)


def test_factors_from_paths_and_coefficients():
    X, y = make_problem("binomial")
    cv = riata.cv_path(X, y, loss="binomial", l1_ratio=0.0, cv=3, alphas=10)
    factor = riata.adaptive_weights(cv)
    assert_allclose(factor, 1.0 / np.abs(cv.coef() * deviation(X)))
    assert_allclose(riata.adaptive_weights(cv.path, alpha=cv.alpha), factor)
    assert_allclose(riata.adaptive_weights(cv.coef() * deviation(X), power=2.0), factor**2)
    assert riata.fit_path(X, y, loss="binomial", penalty_factor=factor, eps=0.1).converged.all()

    base = np.array([1.0, 2.0, 0.0, 1.0, np.inf, 0.0])
    found = riata.adaptive_weights([2.0, -4.0, 0.0, 0.0, 1.0, 3.0], penalty_factor=base)
    assert_array_equal(found, [0.5, 0.5, 0.0, np.inf, np.inf, 0.0])
    assert_allclose(riata.adaptive_weights([[3.0, 4.0], [0.0, 0.0]]), [0.2, np.inf])

    Y = np.column_stack([y, X[:, 0]])
    several = riata.fit_path(X, Y, loss="multigaussian", alphas=5)
    alpha = several.alphas[3]
    expected = inverse(np.linalg.norm(several.coef(alpha) * deviation(X)[:, None], axis=1))
    assert_allclose(riata.adaptive_weights(several, alpha=alpha), expected)


def test_factors_of_bad_input():
    X, y = make_problem()
    path = riata.fit_path(X, y, alphas=3)
    with pytest.raises(ValueError, match="alpha must say where on the path the first estimate is, got None"):
        riata.adaptive_weights(path)
    with pytest.raises(ValueError, match=r"alpha must be left out when initial holds coefficients, got 0\.1"):
        riata.adaptive_weights([1.0], alpha=0.1)
    with pytest.raises(ValueError, match=r"initial must be a path, or coefficients .*, got shape \(\)"):
        riata.adaptive_weights(1.0)
    with pytest.raises(ValueError, match="initial must hold finite numbers, got inf at position 1"):
        riata.adaptive_weights([1.0, np.inf])
    with pytest.raises(ValueError, match=r"penalty_factor must hold one number per feature, shape \(1,\)"):
        riata.adaptive_weights([1.0], penalty_factor=[1.0, 2.0])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("steps", [1, 3])
def test_several_responses_are_fitted_one_by_one(steps, weighted):
    X, y = make_problem(n=60, p=8)
    Y = np.column_stack([y, X[:, 3] - 2.0 * X[:, 6] + 0.1 * y, -y + X[:, 1]])
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 60) if weighted else None
    model = riata.AdaptiveLasso(0.05, n_steps=steps, tol=1e-10).fit(X, Y, weights)
    alone = [riata.AdaptiveLasso(0.05, n_steps=steps, tol=1e-10).fit(X, column, weights) for column in Y.T]
    for name in ("coef_", "intercept_", "penalty_factor_", "initial_coef_", "initial_alpha_", "dual_gap_"):
        assert_array_equal(getattr(model, name), np.stack([getattr(one, name) for one in alone]))
    assert_array_equal(model.predict(X), np.column_stack([one.predict(X) for one in alone]))
    assert model.sparse_coef_.shape == (3, 8)
    assert model.converged_
    assert model.n_iter_ == max(one.n_iter_ for one in alone)
    assert model.score(X, Y, weights) == pytest.approx(
        np.mean([one.score(X, column, weights) for one, column in zip(alone, Y.T, strict=True)])
    )
    assert riata.AdaptiveLasso(0.05).fit(X, y[:, None]).coef_.shape == (8,)


def test_each_response_has_its_own_alpha():
    X, y = make_problem(n=60, p=8)
    Y = np.column_stack([y, X[:, 3] - 2.0 * X[:, 6] + 0.1 * y])
    groups = np.repeat(np.arange(20), 3)
    model = riata.AdaptiveLassoCV(alphas=12, cv=GroupKFold(4)).fit(X, Y, groups=groups)
    alone = [
        riata.AdaptiveLassoCV(alphas=12, cv=GroupKFold(4)).fit(X, column, groups=groups) for column in Y.T
    ]
    assert_array_equal(model.alpha_, [one.alpha_ for one in alone])
    assert_array_equal(model.coef_, [one.coef_ for one in alone])
    assert_array_equal(model.mse_path_, [one.mse_path_ for one in alone])
    assert [cv.alpha for cv in model.cv_result_] == [one.alpha_ for one in alone]
    with pytest.raises(ValueError, match="y must hold at least one response"):
        model.fit(X, np.empty((60, 0)))
