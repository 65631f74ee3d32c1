"""Several values of `l1_ratio` in one cross-validation: each is tried as it would be alone."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_selection import SelectFromModel
from support import make_problem

import riata

pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

RATIOS = [0.2, 0.9, 0.5]
SEARCH = {"alphas": 12, "eps": 0.05, "cv": 3}


def numbers(y):
    return y


def classes(y):
    return np.digitize(y, [-0.5, 0.5])


def outcomes(y):
    return y > 0


def counts(y):
    return np.floor(np.exp(y / 2))


def times(y):
    return np.column_stack([np.exp(-y), np.arange(len(y)) % 4 > 0])


def responses(y):
    return np.column_stack([y, -y])


MODELS = [
    (riata.ElasticNetCV, numbers, {}),
    (riata.MultiTaskElasticNetCV, responses, {}),
    (riata.SparseLogisticRegressionCV, outcomes, {}),
    (riata.SparseLogisticRegressionCV, outcomes, {"scoring": "auc"}),
    (riata.SparseLogisticRegressionCV, classes, {}),
    (riata.SparsePoissonRegressorCV, counts, {}),
    (riata.SparseCoxCV, times, {}),
    (riata.SparseCoxCV, times, {"scoring": "concordance"}),
    (riata.SparseGroupLassoCV, numbers, {"groups": np.arange(12) // 3}),
]


def scores_of(model):
    return model.mse_path_ if hasattr(model, "mse_path_") else model.score_path_


@pytest.mark.parametrize(("kind", "target", "given"), MODELS)
def test_the_best_of_several_is_taken(kind, target, given):
    X, y = make_problem(n=60, p=12)
    y = target(y)
    model = kind(l1_ratio=RATIOS, **SEARCH, **given).fit(X, y)
    alone = [kind(l1_ratio=ratio, **SEARCH, **given).fit(X, y) for ratio in RATIOS]
    assert_allclose(model.alphas_, [one.alphas_ for one in alone])
    assert_allclose(scores_of(model), [scores_of(one) for one in alone], atol=1e-12)
    larger = given.get("scoring") in ("auc", "concordance")
    means = np.array([scores_of(one).mean(axis=1) for one in alone])
    best = np.argmax(means.max(axis=1)) if larger else np.argmin(means.min(axis=1))
    assert model.l1_ratio_ == RATIOS[best]
    assert model.alpha_ == alone[best].alpha_
    assert_array_equal(model.coef_, alone[best].coef_)
    assert_array_equal(model.cv_result_.path.alphas, alone[best].alphas_)


@pytest.mark.parametrize(("kind", "target", "given"), MODELS)
def test_a_sequence_of_one_has_the_shapes_of_a_number_as_in_scikit_learn(kind, target, given):
    X, y = make_problem(n=60, p=12)
    model = kind(l1_ratio=[0.5], **SEARCH, **given).fit(X, target(y))
    assert model.alphas_.shape == (12,)
    assert scores_of(model).shape == (12, 3)
    with pytest.raises(ValueError, match="l1_ratio must be a number or a 1-D sequence of numbers"):
        kind(l1_ratio=[], **SEARCH, **given).fit(X, target(y))
    with pytest.raises(ValueError, match="l1_ratio must be >= 0 and <= 1, got 2"):
        kind(l1_ratio=[0.5, 2], **SEARCH, **given).fit(X, target(y))


@pytest.mark.parametrize(("kind", "target"), [(m[0], m[1]) for m in MODELS[2:8] if not m[2]])
def test_the_grid_of_a_ridge_ends_where_that_of_a_lasso_does(kind, target):
    """At l1_ratio 0 no alpha leaves every feature out: the grid begins far above, and ends at the same."""
    X, y = make_problem(n=60, p=12)
    model = kind(l1_ratio=[0.0, 1.0], **SEARCH).fit(X, target(y))
    assert_allclose(model.alphas_[0, -1], model.alphas_[1, -1])


def test_a_sparse_group_lasso_selects_at_any_share():
    """With no absolute values it is the group lasso, whose other groups are zero: no ridge."""
    X, y = make_problem(n=60, p=12)
    model = riata.SparseGroupLasso(np.arange(12) // 3, alpha=0.3, l1_ratio=0.0)
    selector = SelectFromModel(model).fit(X, y)
    kept = np.abs(selector.estimator_.coef_) >= 1e-5
    assert 0 < kept.sum() < 12
    assert_array_equal(selector.get_support(), kept)
