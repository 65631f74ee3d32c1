"""Sparse logistic regression against scikit-learn, and as a scikit-learn classifier."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from several_outputs import make_outputs
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from support import kkt_violation, make_problem

import riata

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

TIGHT = {"tol": 1e-13}


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("weighted", [True, False])
def test_same_numbers_as_scikit_learn(fit_intercept, l1_ratio, weighted):
    X, y = make_problem("binomial", 60, 10)
    weights = np.random.default_rng(1).uniform(0.2, 2.0, 60) if weighted else None
    ours = riata.SparseLogisticRegression(C=0.7, l1_ratio=l1_ratio, fit_intercept=fit_intercept, **TIGHT)
    theirs = LogisticRegression(
        C=0.7, l1_ratio=l1_ratio, solver="saga", fit_intercept=fit_intercept, tol=1e-12, max_iter=100_000
    )
    ours.fit(X, y, sample_weight=weights)
    theirs.fit(X, y, sample_weight=weights)
    assert ours.coef_.shape == theirs.coef_.shape
    assert ours.intercept_.shape == theirs.intercept_.shape
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-5)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    assert_array_equal(ours.predict(X), theirs.predict(X))


def test_c_is_one_over_alpha_n():
    X, y = make_problem("binomial")
    a = riata.SparseLogisticRegression(alpha=1.0 / (2.0 * len(y)), **TIGHT).fit(X, y)
    b = riata.SparseLogisticRegression(C=2.0, **TIGHT).fit(X, y)
    assert_allclose(a.coef_, b.coef_, atol=1e-10)


@pytest.mark.parametrize("solver", ["auto", "active_set", "cd", "prox"])
def test_satisfies_kkt(solver):
    X, y = make_problem("binomial")
    model = riata.SparseLogisticRegression(0.02, solver=solver, max_iter=100_000, tol=1e-12).fit(X, y)
    assert model.converged_
    assert kkt_violation(X, y, model.coef_[0], model.intercept_[0], 0.02, loss="binomial") < 1e-5


def test_predictions_are_consistent():
    X, y = make_problem("binomial")
    labels = np.where(y > 0, "sick", "healthy")
    model = riata.SparseLogisticRegression(0.02).fit(X, labels)
    link, proba = model.decision_function(X), model.predict_proba(X)
    assert is_classifier(model)
    assert model.classes_.tolist() == ["healthy", "sick"]
    assert_allclose(proba.sum(axis=1), 1.0)
    assert_allclose(proba[:, 1], 1.0 / (1.0 + np.exp(-link)))
    assert_allclose(model.predict_log_proba(X), np.log(proba), atol=1e-12)
    assert_array_equal(model.predict(X), np.where(link > 0, "sick", "healthy"))
    assert model.score(X, labels) > 0.8
    far = riata.SparseLogisticRegression(0.02).fit(X, labels)
    far.coef_ = far.coef_ * 1e4
    assert np.all(np.isfinite(far.predict_log_proba(X)))


def test_class_weight_multiplies_sample_weight():
    X, y = make_problem("binomial")
    a = riata.SparseLogisticRegression(0.02, class_weight={0: 1.0, 1: 3.0}, **TIGHT).fit(X, y)
    b = riata.SparseLogisticRegression(0.02, **TIGHT).fit(X, y, sample_weight=np.where(y > 0, 3.0, 1.0))
    assert_allclose(a.coef_, b.coef_, atol=1e-8)
    riata.SparseLogisticRegression(0.02, class_weight="balanced").fit(X, y)


def test_cross_validation_by_hand():
    X, y = make_problem("binomial", 60, 30)
    alphas = np.geomspace(0.2, 0.01, 8)
    model = riata.SparseLogisticRegressionCV(alphas=alphas, cv=3, tol=1e-10).fit(X, y)
    for k, (train, test) in enumerate(StratifiedKFold(3).split(X, y)):
        for i, alpha in enumerate(alphas):
            fit = riata.SparseLogisticRegression(alpha, tol=1e-10).fit(X[train], y[train])
            assert_allclose(
                model.score_path_[i, k], 2 * log_loss(y[test], fit.predict_proba(X[test])), rtol=1e-3
            )
    assert model.alpha_ == alphas[np.argmin(model.score_path_.mean(axis=1))] == model.alpha_min_
    assert model.coef_.shape == (1, 30)
    assert model.coef_path_.shape == (30, 8)
    assert model.alpha_1se_ >= model.alpha_min_


@pytest.mark.parametrize("scoring", ["deviance", "auc", "misclassification"])
def test_scorings(scoring):
    X, y = make_problem("binomial", 80)
    model = riata.SparseLogisticRegressionCV(alphas=10, cv=3, scoring=scoring, alpha_rule="1se").fit(X, y)
    assert model.cv_result_.scoring == scoring
    assert model.alpha_ == model.alpha_1se_
    assert_array_equal(model.predict(X), model.cv_result_.predict(X, kind="class"))


def test_fits_in_with_scikit_learn():
    X, y = make_problem("binomial", 80)
    search = GridSearchCV(riata.SparseLogisticRegression(), {"alpha": [0.01, 0.1]}, scoring="roc_auc", cv=3)
    assert search.fit(X, y).best_score_ > 0.6
    model = riata.SparseLogisticRegressionCV(alphas=8, cv=3).fit(X, y)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), model.predict_proba(X))
    assert clone(model).get_params() == model.get_params()
    assert_array_equal(model.transform(X), X[:, model.get_support()])


@pytest.mark.parametrize("grouped", [False, True])
def test_many_classes(grouped):
    X, y = make_outputs("multinomial", 90)
    labels = np.array(["low", "mid", "top"])[y.argmax(axis=1)]
    model = riata.SparseLogisticRegression(0.03, grouped=grouped, **TIGHT).fit(X, labels)
    path = riata.fit_path(
        X, labels, loss="multinomial", alphas=[0.03], grouped=grouped, standardize=False, **TIGHT
    )
    assert model.classes_.tolist() == ["low", "mid", "top"]
    assert model.coef_.shape == (3, X.shape[1])
    assert model.intercept_.shape == (3,)
    assert_allclose(model.coef_, path.coef(0.03).T, atol=1e-10)
    assert_allclose(model.intercept_, path.intercept(0.03), atol=1e-10)
    assert_allclose(model.sparse_coef_.toarray(), model.coef_)
    link = model.decision_function(X)
    assert_allclose(link, X @ model.coef_.T + model.intercept_)
    assert_allclose(model.predict_proba(X), path.predict(X, 0.03), atol=1e-10)
    assert_allclose(model.predict_log_proba(X), np.log(model.predict_proba(X)), atol=1e-12)
    assert_array_equal(model.predict(X), model.classes_[link.argmax(axis=1)])
    assert_array_equal(model.get_support(), model.coef_.any(axis=0))
    assert_array_equal(model.transform(X), X[:, model.get_support()])
    if grouped:
        assert_array_equal((model.coef_ != 0.0).all(axis=0), model.get_support())
    balanced = riata.SparseLogisticRegression(0.03, class_weight="balanced").fit(X, labels)
    weights = len(y) / (3 * y.sum(axis=0))[y.argmax(axis=1)]
    weighted = riata.SparseLogisticRegression(0.03).fit(X, labels, sample_weight=weights)
    assert_allclose(balanced.coef_, weighted.coef_, atol=1e-10)


def test_many_classes_as_scikit_learn():
    X, y = make_outputs("multinomial", 60, 8)
    labels = y.argmax(axis=1)
    ours = riata.SparseLogisticRegression(C=1.0, **TIGHT).fit(X, labels)
    theirs = LogisticRegression(C=1.0, l1_ratio=1.0, solver="saga", tol=1e-10, max_iter=100_000)
    theirs.fit(X, labels)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)


@pytest.mark.parametrize("bound", [{"lower": 0.0}, {"upper": 0.0}, {"positive": True}])
def test_bounds_and_classes(bound):
    X, y = make_outputs("multinomial")
    coef = riata.SparseLogisticRegression(0.01, **bound).fit(X, y.argmax(axis=1)).coef_
    assert np.all(coef <= 0.0) if "upper" in bound else np.all(coef >= 0.0)
    with pytest.raises(ValueError, match=f"{next(iter(bound))} is not available where a feature enters"):
        riata.SparseLogisticRegression(grouped=True, **bound).fit(X, y.argmax(axis=1))


@pytest.mark.parametrize(
    ("kind", "options"),
    [(riata.SparseLogisticRegression, {}), (riata.SparseLogisticRegressionCV, {"alphas": 5, "cv": 3})],
)
def test_the_earlier_name_of_grouped(kind, options):
    X, y = make_outputs("multinomial")
    labels = y.argmax(axis=1)
    today, alone = kind(grouped=True, **options).fit(X, labels), kind(**options).fit(X, labels)
    earlier = kind(row_grouped=True, **options)
    for model in (earlier, clone(earlier), kind(**options).set_params(row_grouped=True)):
        with pytest.warns(FutureWarning, match="row_grouped is now called grouped") as told:
            assert_array_equal(model.fit(X, labels).coef_, today.coef_)
        assert [item.filename for item in told if item.category is FutureWarning] == [__file__]
    assert not np.array_equal(today.coef_, alone.coef_)
    with pytest.warns(FutureWarning, match="understood for one version"):
        assert_array_equal(kind(row_grouped=False, **options).fit(X, labels).coef_, alone.coef_)
    with (
        pytest.warns(FutureWarning, match="row_grouped"),
        pytest.raises(ValueError, match="give grouped alone"),
    ):
        kind(grouped=True, row_grouped=False, **options).fit(X, labels)
    for name in ("grouped", "row_grouped"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            with pytest.raises(TypeError, match=f"^{name} must be"):
                kind(**{name: "yes"}, **options).fit(X, labels)


@pytest.mark.parametrize("scoring", ["deviance", "auc", "misclassification"])
@pytest.mark.parametrize("grouped", [False, True])
def test_cross_validated_classes(scoring, grouped):
    X, y = make_outputs("multinomial", 90)
    labels = np.array(["low", "mid", "top"])[y.argmax(axis=1)]
    model = riata.SparseLogisticRegressionCV(alphas=8, cv=3, scoring=scoring, grouped=grouped)
    model.fit(X, labels)
    assert model.coef_.shape == (3, X.shape[1])
    assert [coefs.shape for coefs in model.coef_path_] == [(X.shape[1], len(model.alphas_))] * 3
    assert_array_equal(model.predict(X), model.cv_result_.predict(X, kind="class"))
    assert_allclose(model.predict_proba(X), model.cv_result_.predict(X), atol=1e-12)
    assert model.score(X, labels) > 0.6


@pytest.mark.parametrize("labels", [(False, True), (0, 1), (-1, 1), (2.0, 7.0), (1, 2), ("a", "b")])
def test_labels_of_every_type_mean_the_same_two_classes(labels):
    X, y = make_problem("binomial")
    expected = riata.SparseLogisticRegression(0.02).fit(X, y)
    model = riata.SparseLogisticRegression(0.02).fit(X, np.where(y > 0, labels[1], labels[0]))
    assert_array_equal(model.classes_, labels)
    assert_array_equal(model.coef_, expected.coef_)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(40), "y must hold at least two classes, got one class only: 0.0"),
        (np.linspace(0.0, 1.0, 40), "Unknown label type: continuous"),
        (np.arange(40) % 2 / 2, "Unknown label type: continuous"),
        (np.full(40, np.nan), "Input y contains NaN"),
    ],
)
def test_bad_targets(y, message):
    X, _ = make_problem()
    with pytest.raises(ValueError, match=message):
        riata.SparseLogisticRegression().fit(X, y)


def test_a_class_of_weight_zero_is_no_class():
    X, y = make_problem("binomial")
    assert_array_equal(riata.SparseLogisticRegression().fit(X, y, sample_weight=y).predict(X), np.ones(40))
    with pytest.raises(ValueError, match="two classes with positive weight"):
        riata.SparseLogisticRegressionCV().fit(X, y, sample_weight=y)
