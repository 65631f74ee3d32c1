"""MultiTask estimators as scikit-learn users meet them: the same numbers, and they fit in everywhere."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from several_outputs import make_outputs
from sklearn import linear_model as reference
from sklearn.base import clone, is_regressor
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import riata

TIGHT = {"tol": 1e-13}


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.05])
@pytest.mark.parametrize("shape", [(50, 30), (30, 60)])
def test_same_numbers_as_scikit_learn(fit_intercept, l1_ratio, shape):
    X, Y = make_outputs("multigaussian", *shape)
    X *= np.linspace(0.2, 5.0, shape[1])
    options = {"alpha": 0.3, "fit_intercept": fit_intercept}
    precise = {"tol": 1e-12, "max_iter": 100_000}
    if l1_ratio == 1.0:
        ours, theirs = (
            riata.MultiTaskLasso(**options, **TIGHT),
            reference.MultiTaskLasso(**options, **precise),
        )
    else:
        options["l1_ratio"] = l1_ratio
        ours = riata.MultiTaskElasticNet(**options, **TIGHT)
        theirs = reference.MultiTaskElasticNet(**options, **precise)
    ours.fit(X, Y)
    theirs.fit(X, Y)
    assert ours.coef_.shape == theirs.coef_.shape == (3, shape[1])
    assert np.shape(ours.intercept_) == np.shape(theirs.intercept_ if fit_intercept else np.zeros(3))
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-5)
    assert_allclose(ours.score(X, Y), theirs.score(X, Y), atol=1e-6)
    assert_array_equal(ours.get_support(), np.any(ours.coef_ != 0.0, axis=0))
    assert_array_equal(ours.sparse_coef_.toarray(), ours.coef_)
    assert ours.converged_
    assert 0.0 <= ours.relative_gap_ + 1e-15 <= 1e-13 + 1e-15


def test_l1_ratio_zero_is_ridge():
    X, Y = make_outputs(n=50, p=20)
    ours = riata.MultiTaskElasticNet(0.1, l1_ratio=0.0, **TIGHT).fit(X, Y)
    assert_allclose(ours.coef_, reference.Ridge(0.1 * 50).fit(X, Y).coef_, atol=1e-6)


def test_one_task_is_the_lasso():
    X, Y = make_outputs(K=1)
    model = riata.MultiTaskLasso(0.1, **TIGHT).fit(X, Y)
    single = riata.Lasso(0.1, **TIGHT).fit(X, Y[:, 0])
    assert model.coef_.shape == (1, X.shape[1])
    assert model.intercept_.shape == (1,)
    assert_allclose(model.coef_[0], single.coef_, atol=1e-7)
    assert model.predict(X).shape == Y.shape


def test_options_of_our_own():
    X, Y = make_outputs()
    scaled = X * np.geomspace(0.01, 100.0, X.shape[1])
    ours = riata.MultiTaskLasso(0.1, standardize=True, **TIGHT).fit(scaled, Y)
    piped = make_pipeline(StandardScaler(), riata.MultiTaskLasso(0.1, **TIGHT)).fit(scaled, Y)
    assert_allclose(ours.predict(scaled), piped.predict(scaled), atol=1e-6)
    factor = np.ones(X.shape[1])
    factor[3], factor[4] = 0.0, np.inf
    model = riata.MultiTaskLasso(1.0, penalty_factor=factor).fit(X, Y)
    assert np.all(model.coef_[:, 3] != 0.0)
    assert np.all(model.coef_[:, 4] == 0.0)
    weights = np.ones(len(Y))
    weights[::3] = 2.0
    repeated = np.repeat(np.arange(len(Y)), weights.astype(int))
    a = riata.MultiTaskLasso(0.1, **TIGHT).fit(X, Y, sample_weight=weights)
    b = riata.MultiTaskLasso(0.1, **TIGHT).fit(X[repeated], Y[repeated])
    assert_allclose(a.predict(X), b.predict(X), atol=1e-5)
    sparse = riata.MultiTaskLasso(0.1, **TIGHT).fit(sp.csr_matrix(X), Y)
    assert_allclose(sparse.predict(X), riata.MultiTaskLasso(0.1, **TIGHT).fit(X, Y).predict(X), atol=1e-6)


@pytest.mark.parametrize("l1_ratio", [1.0, [0.3, 0.9]])
def test_cross_validation_as_scikit_learn(l1_ratio):
    X, Y = make_outputs(n=60, noise=2.0)
    alphas = np.geomspace(2.0, 0.02, 8)
    precise = {"tol": 1e-8, "max_iter": 100_000}
    if l1_ratio == 1.0:
        ours = riata.MultiTaskLassoCV(alphas=alphas, cv=4, tol=1e-11)
        theirs = reference.MultiTaskLassoCV(alphas=alphas, cv=4, **precise)
    else:
        ours = riata.MultiTaskElasticNetCV(l1_ratio=l1_ratio, alphas=alphas, cv=4, tol=1e-11)
        theirs = reference.MultiTaskElasticNetCV(l1_ratio=l1_ratio, alphas=alphas, cv=4, **precise)
    ours.fit(X, Y)
    theirs.fit(X, Y)
    assert ours.mse_path_.shape == theirs.mse_path_.shape
    assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-4)
    assert_allclose(ours.alpha_, theirs.alpha_)
    assert_allclose(ours.l1_ratio_, 1.0 if l1_ratio == 1.0 else theirs.l1_ratio_)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-4)
    assert ours.alpha_ == ours.alpha_min_ <= ours.alpha_1se_
    assert len(ours.coef_path_) == 3
    assert_allclose(ours.predict(X), ours.cv_result_.predict(X), atol=1e-10)


def test_groups_and_selection():
    X, Y = make_outputs(n=60, noise=2.0)
    groups = np.arange(60) // 5
    model = riata.MultiTaskLassoCV(cv=4, alphas=20, alpha_rule="1se").fit(X, Y, groups=groups)
    assert all(len(set(model.cv_result_.fold_ids[groups == g])) == 1 for g in range(12))
    assert model.alpha_ == model.alpha_1se_
    assert_allclose(
        riata.MultiTaskLassoCV(cv=KFold(4), alphas=10).fit(X, Y).mse_path_,
        riata.MultiTaskLassoCV(cv=4, alphas=10).fit(X, Y).mse_path_,
    )


def test_fits_in_with_scikit_learn():
    X, Y = make_outputs(n=60)
    search = GridSearchCV(riata.MultiTaskElasticNet(), {"alpha": [0.01, 0.1, 1.0]}, cv=3).fit(X, Y)
    assert search.best_score_ > 0.8
    model = riata.MultiTaskLasso(0.1).fit(X, Y)
    assert is_regressor(model)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert clone(model).get_params() == model.get_params()
    assert_array_equal(model.transform(X), X[:, model.get_support()])


def test_refusals(capsys):
    X, Y = make_outputs()
    with pytest.raises(ValueError, match=r"For mono-task outputs, use Lasso$"):
        riata.MultiTaskLasso().fit(X, Y[:, 0])
    with pytest.raises(ValueError, match=r"For mono-task outputs, use ElasticNetCV$"):
        riata.MultiTaskElasticNetCV().fit(X, Y[:, 0])
    with pytest.raises(ValueError, match="contains NaN"):
        riata.MultiTaskLasso().fit(X, np.where(Y > 0, np.nan, Y))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        riata.MultiTaskLasso().fit(X, Y[:-1])
    with pytest.raises(ValueError, match="alpha must be >= 0"):
        riata.MultiTaskLasso(-1.0).fit(X, Y)
    with pytest.raises(TypeError, match="positive"):
        riata.MultiTaskLasso(positive=True)
    riata.MultiTaskLasso(0.5, verbose=1).fit(X, Y)
    assert "MultiTaskLasso: alpha 0.5, " in capsys.readouterr().out
