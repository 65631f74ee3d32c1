"""What people do with estimators: select from them, route metadata, give frames and parameters by name."""

import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn
import sklearn.exceptions
import sklearn.linear_model
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.model_selection import GroupKFold, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support import make_problem

import riata

pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")


def selectable(n=80, p=20):
    rng = np.random.default_rng(4)
    X = rng.standard_normal((n, p))
    return X, X[:, 3] * 2 + X[:, 4] * 0.3 + X[:, 5] * 0.2 + rng.standard_normal(n) * 0.3


def counts(y):
    return np.exp(y).round()


def times(y):
    return np.column_stack([np.exp(-y), np.ones(len(y))])


SELECTORS = [
    (riata.Lasso(alpha=0.02), None),
    (riata.ElasticNet(alpha=0.02, l1_ratio=0.8), None),
    (riata.LassoCV(), None),
    (riata.ElasticNetCV(l1_ratio=[0.7, 0.9]), None),
    (riata.SparseLogisticRegression(C=1.0), lambda y: y > 0),
    (riata.SparseLogisticRegressionCV(), lambda y: y > 0),
    (riata.SparsePoissonRegressor(alpha=0.01), counts),
    (riata.SparsePoissonRegressorCV(cv=3, alphas=10), counts),
    (riata.SparseCox(alpha=0.02), times),
    (riata.GroupLasso(groups=np.arange(20), alpha=0.02), None),
    (riata.SparseGroupLasso(groups=np.arange(20) // 2, alpha=0.02), None),
    (riata.MCPRegressor(alpha=0.02), None),
    (riata.SCADRegressorCV(), None),
    (riata.SLOPE(alpha=0.01), None),
    (riata.AdaptiveLasso(alpha=0.02), None),
    (riata.RelaxedLasso(alpha=0.05), None),
    (riata.MultiTaskLasso(alpha=0.02), lambda y: np.column_stack([y, -y])),
]


@pytest.mark.parametrize(("model", "as_target"), SELECTORS, ids=lambda value: type(value).__name__)
def test_select_from_model_keeps_what_was_selected(model, as_target):
    """What is at least 1e-5, scikit-learn's threshold for penalties that set coefficients to zero."""
    X, y = selectable()
    target = y if as_target is None else as_target(y)
    selector = SelectFromModel(model, norm_order=2).fit(X, target)
    coef = np.linalg.norm(np.atleast_2d(selector.estimator_.coef_), axis=0)
    assert 0 < (coef >= 1e-5).sum() < 20 or as_target in (counts, times)
    assert_array_equal(selector.get_support(), coef >= 1e-5)


def test_ridge_selects_what_is_above_the_mean():
    X, y = selectable()
    selector = SelectFromModel(riata.ElasticNet(alpha=0.1, l1_ratio=0.0)).fit(X, y)
    size = np.abs(selector.estimator_.coef_)
    assert_array_equal(selector.get_support(), size >= size.mean())


@pytest.fixture
def routing():
    sklearn.set_config(enable_metadata_routing=True)
    yield
    sklearn.set_config(enable_metadata_routing=False)


CV_KINDS = [
    riata.LassoCV,
    riata.ElasticNetCV,
    riata.RelaxedLassoCV,
    riata.AdaptiveLassoCV,
    riata.MCPRegressorCV,
    riata.GroupLassoCV,
    riata.SparsePoissonRegressorCV,
    riata.SparseLogisticRegressionCV,
]


@pytest.mark.parametrize("kind", CV_KINDS)
def test_groups_are_routed_without_a_request(routing, kind):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60, 6))
    y = X[:, 0] + rng.standard_normal(60)
    if kind is riata.SparsePoissonRegressorCV:
        y = counts(y)
    if kind is riata.SparseLogisticRegressionCV:
        y = y > 0
    given = {"alphas": 5, "eps": 0.1} | ({"groups": np.arange(6)} if kind is riata.GroupLassoCV else {})
    groups = np.repeat(np.arange(6), 10)
    right = []
    for train, test in GroupKFold(3).split(X, y, groups):
        inner = list(GroupKFold(3).split(X[train], y[train], groups[train]))
        model = make_pipeline(StandardScaler(), kind(cv=inner, **given)).fit(X[train], y[train])
        right.append(model.score(X[test], y[test]))
    model = make_pipeline(StandardScaler(), kind(cv=GroupKFold(3), **given))
    found = cross_validate(model, X, y, params={"groups": groups}, cv=GroupKFold(3), error_score="raise")
    assert_allclose(found["test_score"], right, atol=1e-9)


def test_sample_weights_are_routed_on_request(routing):
    X, y = make_problem(n=60, p=6)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 60)
    right = []
    for train, test in KFold(3).split(X):
        model = riata.LassoCV(alphas=5).fit(X[train], y[train], weights[train])
        right.append(model.score(X[test], y[test], weights[test]))
    model = riata.LassoCV(alphas=5).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    found = cross_validate(model, X, y, params={"sample_weight": weights}, cv=KFold(3), error_score="raise")
    assert_allclose(found["test_score"], right, atol=1e-9)


NAMES = ["age", "sex", "x1", "x2", "x3"]


def named():
    X, y = make_problem(n=50, p=5)
    return pd.DataFrame(X, columns=NAMES), y


@pytest.mark.parametrize(
    "given",
    [
        {"age": 0.0, "x3": 3.0},
        pd.Series([3.0, 0.0, 1.0, 1.0, 1.0], index=["x3", "age", "sex", "x1", "x2"]),
        pd.Series([0.0, 1.0, 1.0, 1.0, 3.0]),
        [0.0, 1.0, 1.0, 1.0, 3.0],
    ],
    ids=["dict", "named series", "series", "list"],
)
@pytest.mark.parametrize(
    "fit",
    [
        lambda X, y, f: riata.fit_path(X, y, alphas=[0.2], penalty_factor=f).coef(0.2),
        lambda X, y, f: riata.cv_path(X, y, alphas=[0.2], cv=3, penalty_factor=f).path.coef(0.2),
        lambda X, y, f: riata.fit_multi_path(X, [y], alphas=[0.2], penalty_factor=f)[0].coef(0.2),
        lambda X, y, f: riata.Lasso(0.2, standardize=True, penalty_factor=f).fit(X, y).coef_,
        lambda X, y, f: riata.LassoCV(alphas=[0.2], standardize=True, penalty_factor=f).fit(X, y).coef_,
    ],
)
def test_penalty_factors_by_name(fit, given):
    X, y = named()
    right = riata.fit_path(X.to_numpy(), y, alphas=[0.2], penalty_factor=[0.0, 1.0, 1.0, 1.0, 3.0]).coef(0.2)
    assert_allclose(fit(X, y, given), right, atol=1e-5)


def test_bounds_by_name():
    X, y = named()
    found = riata.Lasso(
        0.01, lower={"sex": 0.0}, upper=pd.Series([9.0, 8.0, 7.0, 0.5, 0.25], NAMES[::-1])
    ).fit(X, y)
    right = riata.Lasso(0.01, lower=[-np.inf, 0.0, *[-np.inf] * 3], upper=[0.25, 0.5, 7.0, 8.0, 9.0])
    assert_allclose(found.coef_, right.fit(X.to_numpy(), y).coef_, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"weight": 0.0}, ValueError, "penalty_factor must hold names of features of X, got 'weight'"),
        ({3: 0.0}, TypeError, r"penalty_factor must hold values by feature name, got \[3\]"),
        ({"age": -1.0}, ValueError, "penalty_factor must hold numbers >= 0"),
        ({"age": "none"}, TypeError, "penalty_factor must hold numbers"),
        (pd.Series([1.0, 2.0], ["age", "sex"]), ValueError, "a value for every feature, got none for 'x1'"),
        (pd.Series(np.ones(5), ["age"] * 5), ValueError, "penalty_factor must have distinct labels"),
    ],
)  # fmt: skip
def test_bad_names(given, error, message):
    X, y = named()
    with pytest.raises(error, match=message):
        riata.fit_path(X, y, penalty_factor=given)
    with pytest.raises(ValueError, match="only when X has feature names"):
        riata.fit_path(X.to_numpy(), y, penalty_factor={"age": 0.0})


def test_columns_of_one_name_are_columns_by_place():
    X, y = make_problem(n=40, p=3)
    frame = pd.DataFrame(X, columns=["BRCA1", "BRCA1", "TP53"])
    mixed = pd.concat([frame.iloc[:, :2].astype("Float64"), frame.iloc[:, 2:].astype(object)], axis=1)
    right = riata.fit_path(X, y, alphas=[0.1]).coef(0.1)
    for given in (frame, frame.astype("Float64"), mixed):
        path = riata.fit_path(given, y, alphas=[0.1])
        assert_allclose(path.coef(0.1), right, atol=1e-8)
        assert_allclose(path.predict(given, 0.1), path.predict(X, 0.1))
        with pytest.raises(ValueError, match=r"column names that differ, got .BRCA1. more"):
            riata.Lasso(0.1).fit(given, y)
    left_out = riata.fit_path(frame, y, alphas=[0.1], exclude=["BRCA1"]).coef(0.1)
    assert_array_equal(left_out[:2], [0.0, 0.0])
    assert_allclose(
        left_out, riata.fit_path(frame, y, alphas=[0.1], penalty_factor={"BRCA1": np.inf}).coef(0.1)
    )


def test_sparse_frames_stay_sparse():
    S = sp.random(300, 200, density=0.02, random_state=0, format="csc")
    y = np.random.default_rng(1).standard_normal(300)
    frame = pd.DataFrame.sparse.from_spmatrix(S, columns=[f"g{j}" for j in range(200)])
    path = riata.fit_path(frame, y, alphas=[0.1])
    assert_allclose(path.coef(0.1), riata.fit_path(S, y, alphas=[0.1]).coef(0.1), atol=1e-10)
    assert list(path.feature_names[:2]) == ["g0", "g1"]
    model = riata.Lasso(0.005).fit(frame, y)
    assert_allclose(model.coef_, riata.Lasso(0.005).fit(S, y).coef_, atol=1e-10)
    assert_allclose(model.predict(frame), S @ model.coef_ + model.intercept_)
    ones = pd.DataFrame(
        {
            name: pd.arrays.SparseArray(column, fill_value=1.0)
            for name, column in zip("ab", S.toarray().T, strict=False)
        }
    )  # most entries are one: no use for such storage
    assert_allclose(
        riata.fit_path(ones, y, alphas=[0.1]).coef(0.1), riata.fit_path(S[:, :2], y, alphas=[0.1]).coef(0.1)
    )


SPARSE_PEAK = """
import resource, warnings
import numpy as np, pandas as pd, scipy.sparse as sp
import riata
S = sp.random(3000, 3000, density=0.001, random_state=0, format="csc")
frame = pd.DataFrame.sparse.from_spmatrix(S)
y = np.random.default_rng(1).standard_normal(3000)
riata.Lasso(alpha=0.001).fit(S, y)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
riata.Lasso(alpha=0.001).fit(frame, y)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="units of ru_maxrss")
def test_sparse_frames_take_no_room():
    done = subprocess.run([sys.executable, "-c", SPARSE_PEAK], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 30 * 1024  # KiB; dense it is 69 MiB
    S = sp.random(3000, 3000, density=0.001, random_state=0, format="csc")
    estimate = riata.estimate_memory(pd.DataFrame.sparse.from_spmatrix(S), max_active=100)
    assert estimate.design + estimate.conversion < 2**20


def test_arrow_tables_keep_their_names():
    pa = pytest.importorskip("pyarrow")
    X, y = make_problem(n=40, p=3)
    table = pa.table({"a": X[:, 0], "b": X[:, 1], "n": np.arange(40)})
    plain = np.column_stack([X[:, :2], np.arange(40.0)])
    batch = table.to_batches()[0]
    for given in (table, batch):
        path = riata.fit_path(given, y, alphas=[0.1], exclude=["a"])
        assert list(path.feature_names) == ["a", "b", "n"]
        assert_allclose(path.coef(0.1), riata.fit_path(plain, y, alphas=[0.1], exclude=[0]).coef(0.1))
        assert_allclose(path.predict(given, 0.1), path.predict(plain, 0.1))
    model = riata.Lasso(0.1).fit(table, y)
    assert_allclose(model.coef_, riata.Lasso(0.1).fit(plain, y).coef_, atol=1e-8)
    assert_allclose(model.predict(table), plain @ model.coef_ + model.intercept_)
    with pytest.raises(TypeError, match="got other values in column 't'"):
        riata.fit_path(pa.table({"a": X[:, 0], "t": ["x"] * 40}), y)
    holes = pa.table({"a": [None, *X[1:, 0].tolist()]})
    with pytest.raises(ValueError, match=r"X must hold finite numbers|NaN"):
        riata.fit_path(holes, y)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_room_left_over_in_sparse_storage(dtype):
    S = sp.random(60, 20, density=0.2, random_state=0, format="csc", dtype=np.float64).astype(dtype)
    y = np.random.default_rng(1).standard_normal(60)
    roomy = S.copy()
    roomy.data = np.r_[S.data, np.full(7, np.nan)].astype(dtype)
    roomy.indices = np.r_[S.indices, np.full(7, 10**6)].astype(S.indices.dtype)
    right = riata.fit_path(S, y, alphas=[0.02])
    found = riata.fit_path(roomy, y, alphas=[0.02])
    assert_array_equal(found.coefs.toarray(), right.coefs.toarray())
    assert_array_equal(found.predict(roomy), right.predict(S))
    model = riata.Lasso(0.02).fit(roomy, y)
    assert_allclose(model.predict(roomy), model.predict(S))


def test_numbers_of_jobs_count_from_the_end():
    X, y = make_problem(n=40, p=5)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    from riata._input.validation import check_threads

    assert [check_threads(n) for n in (None, -1, -2, -1000, 3)] == [0, 0, max(1, cores - 1), 1, 3]
    right = riata.LassoCV().fit(X, y).coef_
    assert_array_equal(riata.LassoCV(n_jobs=-2).fit(X, y).coef_, right)
    assert_array_equal(riata.LassoCV(n_threads=-2).fit(X, y).coef_, right)
    with pytest.raises(ValueError, match="n_jobs must be >= 1, got 0"):
        riata.LassoCV(n_jobs=0).fit(X, y)
    with pytest.raises(ValueError, match="n_threads must be >= 1, got 0"):
        riata.fit_path(X, y, n_threads=0)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (riata.MCPRegressor(alpha=0.0), r"alpha must be > 0, got 0.0; a penalty_factor of zeros"),
        (riata.SparseLogisticRegression(C=0.0), r"C must be > 0, got 0.0"),
        (riata.AdaptiveLasso(alpha=0), r"alpha must be > 0, got 0; a penalty_factor"),
        (riata.AdaptiveLassoCV(alphas=[1.0, 0.0]), r"alphas must be > 0 for AdaptiveLassoCV, got 0"),
        (riata.RelaxedLasso(alpha=0), r"alpha must be > 0, got 0; a penalty_factor"),
    ],
)
def test_no_penalty_at_all_is_refused_in_words(model, message):
    X, y = make_problem("binomial", 40, 5)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda X, Y: riata.LassoCV().fit(X, Y), "MultiTaskLassoCV"),
        (lambda X, Y: riata.ElasticNetCV().fit(X, Y), "MultiTaskElasticNetCV"),
        (lambda X, Y: riata.MCPRegressor().fit(X, Y), "MultiTaskLasso"),
        (lambda X, Y: riata.fit_path(X, Y), "multigaussian"),
        (lambda X, Y: riata.cv_path(X, Y), "multigaussian"),
    ],
)
def test_several_responses_where_one_is_wanted(call, words):
    X, y = make_problem(n=40, p=5)
    with pytest.raises(ValueError, match=words):
        call(X, np.column_stack([y, -y]))


def test_truth_values_are_classes_as_they_are():
    X, y = make_problem("binomial", 40, 5)
    path = riata.fit_path(X, y == 1.0, loss="binomial", alphas=[0.1])
    assert_array_equal(path.classes, [False, True])
    assert path.predict(X, 0.1, kind="class").dtype == bool
    assert_allclose(path.coef(0.1), riata.fit_path(X, y, loss="binomial", alphas=[0.1]).coef(0.1))


def classes(k, n=60):
    X, y = selectable(n)
    return X, np.array(["a", "b", "c", "d"])[np.digitize(y, np.quantile(y, np.arange(1, k) / k))]


@pytest.mark.parametrize("k", [3, 4])
def test_a_class_of_weight_zero_is_as_good_as_absent(k):
    X, y = classes(k)
    weights = np.where(y == "b", 0.0, 1.0)
    kept = y != "b"
    model = riata.SparseLogisticRegression(C=1.0, tol=1e-10).fit(X, y, weights)
    assert list(model.classes_) == list("abcd"[:k])
    assert model.coef_.shape == (k, 20)
    assert model.converged_
    share = model.predict_proba(X)
    assert_array_equal(share[:, 1], np.zeros(60))
    assert_allclose(share.sum(axis=1), 1.0)
    assert "b" not in model.predict(X)
    right = riata.SparseLogisticRegression(C=1.0, tol=1e-10).fit(X[kept], y[kept]).predict_proba(X)
    assert_allclose(share[:, model.classes_ != "b"], right, atol=1e-5)


@pytest.mark.parametrize("k", [2, 3])
def test_only_one_class_of_positive_weight_is_certain(k):
    X, y = classes(k)
    for label in "abc"[:k]:
        model = riata.SparseLogisticRegression().fit(X, y, (y == label).astype(float))
        assert_array_equal(model.predict(X), np.full(60, label))
        assert_array_equal(model.predict_proba(X), np.tile(model.classes_ == label, (60, 1)).astype(float))
        assert not model.coef_.any()
    with pytest.raises(ValueError, match="with positive weight"):
        riata.SparseLogisticRegression(fit_intercept=False).fit(X, y, (y == "a").astype(float))
    with pytest.raises(ValueError, match="with positive weight"):
        riata.SparseLogisticRegressionCV().fit(X, y, (y == "a").astype(float))


@pytest.mark.parametrize("k", [2, 3])
def test_bagging_where_some_bags_lack_a_rare_class(k):
    X, y = classes(k)
    y = np.where(y == "b", "a" if k == 2 else "c", y)
    y[:2] = "b"
    bags = BaggingClassifier(riata.SparseLogisticRegression(C=1.0), n_estimators=20, random_state=0).fit(X, y)
    lacking = [rows for rows in bags.estimators_samples_ if "b" not in y[rows]]
    assert lacking
    share = bags.predict_proba(X)
    assert share.shape == (60, k)
    assert_allclose(share.sum(axis=1), 1.0)


@pytest.mark.parametrize("name", ["Lasso", "ElasticNet"])
@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_several_responses_one_by_one_are_those_of_scikit_learn(name, columns, weighted):
    X, y = make_problem(n=50, p=6)
    Y = np.column_stack([y, -2.0 * y + X[:, 5], X[:, 1]])[:, :columns]
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 50) if weighted else None
    ours = getattr(riata, name)(alpha=0.1, tol=1e-12).fit(X, Y, weights)
    theirs = getattr(sklearn.linear_model, name)(alpha=0.1, tol=1e-12).fit(X, Y, weights)
    assert ours.coef_.shape == theirs.coef_.shape
    assert np.shape(ours.intercept_) == np.shape(theirs.intercept_) == (columns,)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-6)
    assert ours.predict(X).shape == theirs.predict(X).shape
    assert ours.score(X, Y) == pytest.approx(theirs.score(X, Y))
    assert ours.converged_
    assert np.all(ours.relative_gap_ <= 1e-12)
    assert_array_equal(ours.get_support(), np.any(np.atleast_2d(ours.coef_) != 0.0, axis=0))


def test_several_responses_one_by_one_leave_the_parameters_as_they_are():
    X, y = make_problem(n=50, p=6)
    factors = np.ones(6)
    assert riata.Lasso(penalty_factor=factors).fit(X, np.column_stack([y, -y])).penalty_factor is factors


@pytest.mark.parametrize("given", [{}, {"positive": True}, {"standardize": True, "fit_intercept": False}])
@pytest.mark.parametrize("shape", [(50, 6), (40, 200)])
@pytest.mark.parametrize("name", ["Lasso", "ElasticNet"])
def test_several_responses_share_the_passes_of_separate_fits(name, shape, given, capsys):
    X, y = make_problem(n=shape[0], p=shape[1])
    Y = np.column_stack([y, X[:, 1], X[:, 2] - y])
    weights = np.random.default_rng(0).uniform(0.5, 2.0, shape[0])

    def fit(y):
        model = getattr(riata, name)(alpha=0.05, tol=1e-12, verbose=1, **given).fit(X, y, weights)
        return model, [float(passes) for passes in re.findall(r"([\d.]+) passes", capsys.readouterr().out)]

    together, passes = fit(Y)
    apart = [fit(column) for column in Y.T]
    assert_allclose(together.coef_, [model.coef_ for model, _ in apart], atol=1e-12)
    assert_allclose(together.intercept_, [model.intercept_ for model, _ in apart], atol=1e-12)
    assert_allclose(together.dual_gap_, [model.dual_gap_ for model, _ in apart], atol=1e-12)
    assert vars(together).keys() == vars(apart[0][0]).keys()
    assert len(passes) == 3
    assert max(passes) < sum(alone for _, (alone,) in apart)


def test_several_responses_without_penalty_are_those_of_separate_fits():
    X, y = make_problem(n=15, p=30)
    Y = np.column_stack([y, X[:, 1]])
    expected = sklearn.linear_model.LinearRegression().fit(X, Y)
    with pytest.warns(UserWarning, match=WITHOUT_PENALTY):
        model = riata.Lasso(alpha=0).fit(X, Y)
    assert_allclose(model.coef_, expected.coef_, atol=1e-10)
    assert_allclose(model.intercept_, expected.intercept_, atol=1e-10)


@pytest.mark.parametrize("name", ["Lasso", "AdaptiveLasso"])
def test_rows_of_several_responses_are_named_as_the_samples(name, tmp_path):
    geno = riata.open_genotypes(riata.simulate_genotypes(tmp_path / "study", 30, 20))
    responses = pd.DataFrame(np.random.default_rng(0).standard_normal((30, 2)), [*geno.samples.iid][::-1])
    with pytest.raises(ValueError, match="y must have the samples of X in the same order"):
        getattr(riata, name)().fit(geno, responses)


WITHOUT_PENALTY = (
    "With alpha=0, this algorithm does not converge well. You are advised to use the LinearRegression"
)


@pytest.mark.parametrize("shape", [(40, 6), (15, 30)])
@pytest.mark.parametrize("name", ["Lasso", "ElasticNet", "MultiTaskLasso", "MultiTaskElasticNet"])
def test_alpha_zero_is_least_squares_of_least_norm(name, shape):
    """As `LinearRegression`; scikit-learn's descent goes elsewhere where the solution is not unique."""
    X, y = make_problem(n=shape[0], p=shape[1])
    weights = np.random.default_rng(1).uniform(0.5, 2.0, shape[0])
    if name.startswith("Multi"):
        y = np.column_stack([y, y**2])
    for fit_intercept in (True, False):
        peer = sklearn.linear_model.LinearRegression(fit_intercept=fit_intercept).fit(X, y, weights)
        with pytest.warns(UserWarning, match=WITHOUT_PENALTY):
            model = getattr(riata, name)(alpha=0, fit_intercept=fit_intercept).fit(X, y, weights)
        assert_allclose(model.coef_, peer.coef_, atol=1e-9)
        assert_allclose(model.intercept_, peer.intercept_, atol=1e-9)
        assert model.dual_gap_ <= 1e-20
        assert model.converged_


def test_alpha_zero_chosen_by_cross_validation_warns_too():
    X, y = make_problem(n=200, p=5)
    with pytest.warns(UserWarning, match=WITHOUT_PENALTY):
        model = riata.LassoCV(alphas=[1.0, 0.0]).fit(X, y)
    assert model.alpha_ == 0.0
    assert_allclose(model.coef_, sklearn.linear_model.LinearRegression().fit(X, y).coef_, atol=1e-9)


@pytest.mark.parametrize(
    ("model", "loss", "peer"),
    [
        (
            riata.SparseLogisticRegression(C=np.inf, tol=1e-12),
            "binomial",
            sklearn.linear_model.LogisticRegression(C=np.inf),
        ),
        (
            riata.SparsePoissonRegressor(alpha=0.0, tol=1e-12),
            "poisson",
            sklearn.linear_model.PoissonRegressor(alpha=0.0),
        ),
    ],
)
def test_alpha_zero_of_other_losses(model, loss, peer):
    X, y = make_problem(loss, 150, 4, noise=3.0)
    peer.set_params(tol=1e-10, max_iter=10_000).fit(X, y)
    assert_allclose(model.fit(X, y).coef_, peer.coef_, rtol=1e-3)


@pytest.mark.parametrize("name", ["Lasso", "ElasticNet", "MultiTaskLasso"])
def test_the_duality_gap_bounds_the_objective_in_its_own_units(name):
    X, y = make_problem(n=30, p=50)
    Y = np.column_stack([y, X[:, 7]]) if name.startswith("Multi") else y[:, None]
    y = Y if name.startswith("Multi") else y
    share = 0.5 if name == "ElasticNet" else 1.0

    def objective(model):
        B = np.atleast_2d(model.coef_)
        norms = np.sqrt((B**2).sum(axis=0))
        penalty = 0.05 * (share * norms + (1 - share) / 2 * norms**2).sum()
        return ((Y - X @ B.T) ** 2).sum() / 60 + penalty

    model = getattr(riata, name)(0.05, fit_intercept=False, solver="cd", max_iter=3, tol=1e-15)
    with pytest.warns(
        sklearn.exceptions.ConvergenceWarning, match="Objective did not converge. You might want"
    ):
        model.fit(X, y)
    exact = getattr(riata, name)(0.05, fit_intercept=False, tol=1e-12).fit(X, y)
    assert 0.0 < objective(model) - objective(exact) <= model.dual_gap_
    assert model.dual_gap_ == pytest.approx(model.relative_gap_ * (Y**2).sum() / 60)


@pytest.mark.parametrize("check_input", [True, False])
def test_check_input_is_accepted_and_changes_nothing(check_input):
    X, y = make_problem()
    model = riata.ElasticNet(0.1).fit(X, y, check_input=check_input)
    assert_array_equal(model.coef_, riata.ElasticNet(0.1).fit(X, y).coef_)


def test_the_old_name_of_a_cross_validation_warns():
    X, y = make_problem(n=40, p=5)
    model = riata.LassoCV(cv=3, alphas=5).fit(X, y)
    with pytest.warns(FutureWarning, match="cv_path_ is now called cv_result_"):
        assert model.cv_path_ is model.cv_result_


@pytest.mark.parametrize(
    ("model", "as_target"),
    [
        (riata.Lasso(0.05), None),
        (riata.MultiTaskElasticNet(0.05), lambda y: np.column_stack([y, -y])),
        (riata.SparseLogisticRegression(0.05), lambda y: y > 0),
        (riata.SparsePoissonRegressor(0.05), counts),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_warm_start_changes_nothing(model, as_target):
    """A fit does not go on from the one before: the same data give the same bits."""
    X, y = selectable()
    target = y if as_target is None else as_target(y)
    model.set_params(warm_start=True).fit(X, target[::-1])
    again = model.fit(X, target)
    assert_array_equal(again.coef_, sklearn.clone(model).set_params(warm_start=False).fit(X, target).coef_)


def few(name):
    """A cross-validation of few fits, and data for it."""
    given = {"groups": np.arange(12) // 3} if "Group" in name else {}
    loss = {"SparseLogisticRegressionCV": "binomial", "SparsePoissonRegressorCV": "poisson"}.get(
        name, "gaussian"
    )
    X, y = make_problem("cox" if "Cox" in name else loss, 60, 12)
    if name.startswith("Multi"):
        y = np.column_stack([y, X[:, 2]])
    return getattr(riata, name)(alphas=8, eps=0.05, cv=3, **given), X, y


SEARCHES = [name for name in riata.__all__ if name.endswith("CV")]


@pytest.mark.parametrize("name", SEARCHES)
def test_selection_is_that_of_scikit_learn_and_alpha_rule_chooses(name):
    model, X, y = few(name)
    best = clone(model).fit(X, y)
    frugal = clone(model).set_params(alpha_rule="1se").fit(X, y)
    assert best.alpha_ == best.alpha_min_
    assert frugal.alpha_ == frugal.alpha_1se_
    for selection in ("cyclic", "random"):  # no effect, whatever the rule
        given = clone(model).set_params(alpha_rule="1se", selection=selection).fit(X, y)
        assert_array_equal(given.coef_, frugal.coef_)
    with pytest.warns(FutureWarning, match="selection='1se' is now alpha_rule='1se'"):
        old = clone(model).set_params(selection="1se").fit(X, y)
    assert_array_equal(old.coef_, frugal.coef_)
    with pytest.warns(FutureWarning, match="selection='min' is now alpha_rule='min'"):
        old = clone(model).set_params(selection="min").fit(X, y)
    assert_array_equal(old.coef_, best.coef_)
    with pytest.raises(ValueError, match=r"alpha_rule must be one of .*, got 'best'"):
        clone(model).set_params(alpha_rule="best").fit(X, y)
    with pytest.raises(ValueError, match=r"selection must be one of .*, got 'first'"):
        clone(model).set_params(selection="first").fit(X, y)


@pytest.mark.parametrize("name", ["Lasso", "ElasticNet", "MultiTaskLasso", "MultiTaskElasticNet"])
def test_a_fit_at_one_alpha_has_nothing_to_select(name):
    X, y = make_problem()
    y = y[:, None] if name.startswith("Multi") else y
    with pytest.raises(ValueError, match=r"selection must be one of \['cyclic', 'random'\], got '1se'"):
        getattr(riata, name)(selection="1se").fit(X, y)
