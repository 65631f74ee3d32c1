"""Lasso and elastic net as scikit-learn users meet them: the same numbers, and they fit in everywhere."""

import pickle
import timeit

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import linear_model as reference
from sklearn.base import clone, is_regressor
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.feature_selection import SelectFromModel
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support import make_problem

import riata

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

TIGHT = {"tol": 1e-13}


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), ratio=st.sampled_from([0.1, 0.5, 0.9, 1.1])
)  # rounding blurs ratio == 1
def test_lasso_satisfies_kkt(seed, ratio):
    """Optimality from its definition: holds for any data, needs no other solver."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((20, 60)), rng.standard_normal(20)
    alpha = ratio * np.abs(X.T @ y).max() / 20
    w = riata.Lasso(alpha, fit_intercept=False, tol=1e-14).fit(X, y).coef_
    grad, active = X.T @ (X @ w - y) / 20, w != 0
    assert_allclose(grad[active], -alpha * np.sign(w[active]), atol=1e-6)
    assert np.all(np.abs(grad[~active]) <= alpha + 1e-6)
    assert active.any() == (ratio < 1)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("positive", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.05])
def test_same_numbers_as_scikit_learn(fit_intercept, positive, weighted, l1_ratio):
    X, y = make_problem(n=50, p=30)
    X *= np.linspace(0.2, 5.0, 30)
    weights = np.random.default_rng(1).uniform(0.0, 3.0, 50) if weighted else None
    options = {"alpha": 0.1, "fit_intercept": fit_intercept, "positive": positive}
    if l1_ratio == 1.0:
        ours, theirs = (
            riata.Lasso(**options, **TIGHT),
            reference.Lasso(**options, tol=1e-12, max_iter=100_000),
        )
    else:
        options["l1_ratio"] = l1_ratio
        ours = riata.ElasticNet(**options, **TIGHT)
        theirs = reference.ElasticNet(**options, tol=1e-12, max_iter=100_000)
    ours.fit(X, y, sample_weight=weights)
    theirs.fit(X, y, sample_weight=weights)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-6)
    assert_allclose(ours.score(X, y), theirs.score(X, y), atol=1e-6)


def test_l1_ratio_zero_is_ridge():
    X, y = make_problem(n=50, p=20)
    ours = riata.ElasticNet(0.1, l1_ratio=0.0, **TIGHT).fit(X, y)
    theirs = reference.Ridge(0.1 * 50).fit(X, y)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)


def test_standardize_is_the_scaler_in_front():
    X, y = make_problem()
    X *= np.geomspace(0.01, 100.0, X.shape[1])
    ours = riata.Lasso(0.1, standardize=True, **TIGHT).fit(X, y)
    piped = make_pipeline(StandardScaler(), riata.Lasso(0.1, **TIGHT)).fit(X, y)
    assert_allclose(ours.predict(X), piped.predict(X), atol=1e-6)
    assert_allclose(ours.coef_ * X.std(axis=0), piped[-1].coef_, atol=1e-6)


@pytest.mark.parametrize("cv", [3, KFold(4, shuffle=True, random_state=0)])
@pytest.mark.parametrize("n", [40, 41])  # folds of unequal size: the mean over folds is plain
def test_lasso_cv_chooses_as_scikit_learn(cv, n):
    X, y = make_problem(n=n)
    alphas = np.geomspace(1.0, 0.01, 15)
    ours = riata.LassoCV(alphas=alphas, cv=cv, tol=1e-10).fit(X, y)
    theirs = reference.LassoCV(alphas=alphas, cv=cv, tol=1e-10, max_iter=100_000).fit(X, y)
    assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-3)
    assert_allclose(ours.alpha_, theirs.alpha_)
    assert_allclose(ours.alphas_, theirs.alphas_)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-3)


def test_elastic_net_cv_tries_every_l1_ratio():
    X, y = make_problem()
    ratios, alphas = [0.2, 0.6, 1.0], np.geomspace(1.0, 0.05, 8)
    ours = riata.ElasticNetCV(l1_ratio=ratios, alphas=alphas, cv=3, tol=1e-10).fit(X, y)
    theirs = reference.ElasticNetCV(l1_ratio=ratios, alphas=alphas, cv=3, tol=1e-10, max_iter=100_000).fit(
        X, y
    )
    assert ours.mse_path_.shape == (3, 8, 3)
    assert_allclose(ours.alphas_, theirs.alphas_)
    assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-3)
    assert ours.l1_ratio_ == theirs.l1_ratio_
    assert_allclose(ours.alpha_, theirs.alpha_)


def test_cv_attributes():
    X, y = make_problem()
    model = riata.LassoCV(alphas=20, cv=4, alpha_rule="1se").fit(X, y)
    assert model.alpha_ == model.alpha_1se_ >= model.alpha_min_
    assert model.coef_path_.shape == (X.shape[1], len(model.alphas_))
    assert model.mse_path_.shape == (len(model.alphas_), 4)
    at = np.flatnonzero(model.alphas_ == model.alpha_)[0]
    assert_array_equal(model.coef_path_.toarray()[:, at], model.coef_)
    assert model.relative_gap_ == model.relative_gaps_[at] <= model.tol
    assert model.dual_gap_ == model.dual_gaps_[at]
    assert_array_equal(model.cv_result_.predict(X), model.predict(X))
    refit = riata.Lasso(model.alpha_, tol=1e-12).fit(X, y)
    assert_allclose(model.coef_, refit.coef_, atol=1e-2)


def test_attributes():
    X, y = make_problem()
    model = riata.Lasso(0.1).fit(X, y)
    assert isinstance(model.intercept_, float)
    assert model.coef_.shape == (60,)
    assert sp.issparse(model.sparse_coef_)
    assert model.sparse_coef_.shape == (1, 60)
    assert_array_equal(model.sparse_coef_.toarray()[0], model.coef_)
    assert model.converged_ is True
    assert 0.0 <= model.relative_gap_ + 1e-15 <= model.tol
    assert model.n_iter_ >= 1
    assert is_regressor(model)


def test_selects_features():
    pd = pytest.importorskip("pandas")
    X, y = make_problem()
    frame = pd.DataFrame(X, columns=[f"g{j}" for j in range(X.shape[1])])
    model = riata.Lasso(0.3).fit(frame, y)
    support = np.flatnonzero(model.coef_)
    assert_array_equal(model.get_support(indices=True), support)
    assert model.get_feature_names_out().tolist() == [f"g{j}" for j in support]
    assert_array_equal(model.transform(frame), X[:, support])
    table = clone(model).set_output(transform="pandas").fit(frame, y).transform(frame)
    assert list(table.columns) == [f"g{j}" for j in support]
    outer = SelectFromModel(riata.Lasso(0.3), threshold=1e-10).fit(frame, y)
    assert_array_equal(outer.get_support(), model.get_support())


def test_works_inside_scikit_learn():
    X, y = make_problem()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), riata.Lasso()), {"lasso__alpha": [0.01, 0.1, 1.0]}, cv=3
    )
    assert search.fit(X, y).best_params_["lasso__alpha"] in (0.01, 0.1)
    model = riata.LassoCV(alphas=10, cv=3, alpha_rule="1se")
    assert clone(model).get_params() == model.get_params()
    fitted = model.fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(again.predict(X), fitted.predict(X))


def test_sample_weight_is_routed():
    X, y = make_problem()
    weights = np.random.default_rng(0).uniform(size=len(y))
    direct = riata.LassoCV(alphas=10, cv=3).fit(X, y, sample_weight=weights)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = make_pipeline(riata.LassoCV(alphas=10, cv=3).set_fit_request(sample_weight=True))
        routed.fit(X, y, sample_weight=weights)
    assert_array_equal(routed[-1].coef_, direct.coef_)


@pytest.mark.parametrize("kind", [sp.csc_matrix, sp.csr_matrix, sp.csc_array])
def test_sparse_input(kind):
    X, y = make_problem()
    X[np.abs(X) < 0.8] = 0.0
    dense, sparse = (riata.Lasso(0.1, **TIGHT).fit(Z, y) for Z in (X, kind(X)))
    assert_allclose(sparse.coef_, dense.coef_, atol=1e-8)
    assert_allclose(sparse.predict(kind(X)), dense.predict(X), atol=1e-8)


def test_options_of_scikit_learn_are_accepted():
    X, y = make_problem()
    plain = riata.Lasso(0.1).fit(X, y)
    dressed = riata.Lasso(
        0.1, precompute=True, copy_X=False, random_state=0, selection="random", warm_start=True
    )
    assert_array_equal(dressed.fit(X, y).coef_, plain.coef_)
    riata.LassoCV(alphas=5, n_jobs=1, random_state=0, selection="cyclic", precompute="auto").fit(X, y)


def test_responses_that_are_not_one_column():
    X, y = make_problem()
    with pytest.warns(DataConversionWarning, match="column-vector y was passed"):
        column = riata.LassoCV().fit(X, y[:, None])
    assert_array_equal(column.coef_, riata.LassoCV().fit(X, y).coef_)
    with pytest.raises(ValueError, match="1d array"):
        riata.LassoCV().fit(X, np.column_stack([y, y]))


def test_too_few_iterations_warn():
    X, y = make_problem()
    with pytest.warns(ConvergenceWarning, match=r"duality gap is .* above tol=1e-12"):
        model = riata.Lasso(0.01, solver="prox", max_iter=1, tol=1e-12).fit(X, y)
    assert model.converged_ is False
    assert model.relative_gap_ > 1e-12


def test_verbose_prints_one_line(capsys):
    X, y = make_problem()
    riata.Lasso(0.1, verbose=1).fit(X, y)
    assert capsys.readouterr().out.startswith("Lasso: alpha 0.1, ")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"alpha": -0.5}, ValueError, r"alpha must be >= 0, got -0\.5"),
        ({"alpha": "1"}, TypeError, r"alpha must be a number, got '1' of type str"),
        ({"alpha": np.nan}, ValueError, r"alpha must be >= 0, got nan"),
        ({"tol": -1.0}, ValueError, r"tol must be >= 0, got -1\.0"),
        ({"max_iter": 0}, ValueError, r"max_iter must be >= 1, got 0"),
        ({"max_iter": 1.5}, TypeError, r"max_iter must be an integer, got 1\.5 of type float"),
        (
            {"solver": "lbfgs"},
            ValueError,
            r"solver must be one of \['auto', 'active_set', 'cd', 'prox'\], got 'lbfgs'",
        ),
        ({"positive": "yes"}, TypeError, r"positive must be True or False, got 'yes' of type str"),
        ({"n_threads": 0}, ValueError, r"n_threads must be >= 1, got 0"),
        ({"lower": 1.0}, ValueError, r"lower must hold numbers <= 0, got 1\.0"),
        (
            {"penalty_factor": [1.0]},
            ValueError,
            r"penalty_factor must hold one number per feature, shape \(60,\)",
        ),
    ],
)
def test_bad_parameters_are_refused_by_fit(options, error, message):
    X, y = make_problem()
    model = riata.Lasso(**options)  # stored as given: checks belong to fit
    with pytest.raises(error, match=message):
        model.fit(X, y)


def test_python_costs_little():
    """A small fit is mostly the core's work: far below what a few validation passes would take."""
    X, y = make_problem(n=100, p=20)
    model = riata.Lasso(0.1, n_threads=1)
    assert min(timeit.repeat(lambda: model.fit(X, y), number=20, repeat=5)) / 20 < 5e-3
