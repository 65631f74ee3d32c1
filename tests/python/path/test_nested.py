"""Nested cross-validation: each outer fold is predicted by a cross-validation of the other samples alone."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import response_to

import riata

LOSSES = ["gaussian", "binomial", "poisson", "huber", "cox", "multinomial", "multigaussian"]
#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings(r"ignore:(ys\[.\]. )?the best alpha is the last of the grid")


def problem(loss, n=70, p=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    score = X[:, 0] - X[:, 1] + rng.standard_normal(n)
    if loss == "multinomial":
        return X, np.array(["a", "b", "c"])[np.digitize(score, [-0.7, 0.7])]
    if loss == "multigaussian":
        return X, np.column_stack([score, X[:, 3] + rng.standard_normal(n)])
    return X, response_to(loss, score, rng)


@pytest.mark.parametrize("rule", ["min", "1se"])
@pytest.mark.parametrize("loss", LOSSES)
def test_outer_folds_are_separate_runs(loss, rule):
    X, y = problem(loss)
    options = {"loss": loss, "cv": 4, "alphas": 15, "eps": 0.1, "tol": 1e-11, "alpha_rule": rule}
    cv = riata.cv_path(X, y, nested=3, **options)
    found = cv.nested
    assert len(found.folds) == 3
    assert_array_equal(np.sort(np.concatenate(found.folds)), np.arange(70))
    for k, test in enumerate(found.folds):
        train = np.setdiff1d(np.arange(70), test)
        alone = riata.cv_path(X[train], y[train], **options)
        assert_allclose(found.alphas[k], alone.alpha, rtol=1e-9)
        assert found.n_active[k] == alone.path.n_active[alone.position]
        link = alone.predict(X[test], kind="link")
        if loss == "cox":
            link = link - alone.predict(X[train], kind="link").mean()
        assert_allclose(found.link[test], link, rtol=1e-5, atol=1e-6)
    plain = riata.cv_path(X, y, **options)
    assert plain.nested is None
    assert_allclose(cv.mean_score, plain.mean_score, rtol=1e-6)
    assert cv.alpha == plain.alpha


def test_the_lasso_of_scikit_learn_nested():
    from sklearn.linear_model import LassoCV
    from sklearn.model_selection import KFold, cross_val_predict

    X, y = problem("gaussian", n=60, p=30)
    alphas = np.geomspace(1.0, 0.02, 12)
    theirs = cross_val_predict(
        LassoCV(alphas=alphas, cv=KFold(4), tol=1e-10, max_iter=100_000), X, y, cv=KFold(5)
    )
    ours = riata.cv_path(X, y, cv=KFold(4), nested=KFold(5), alphas=alphas, standardize=False, tol=1e-11)
    assert_allclose(ours.nested.link, theirs, atol=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_intercept_alone(loss):
    """Its level is that of a fit without features."""
    X, y = problem(loss, seed=1)
    rng = np.random.default_rng(5)
    outputs = {"multinomial": (3,), "multigaussian": (2,)}.get(loss, ())
    offset = 0.3 * rng.standard_normal((70, *outputs))
    weight = rng.integers(1, 4, 70).astype(float)
    cv = riata.cv_path(
        X, y, loss=loss, cv=4, nested=3, alphas=3, eps=0.2, offset=offset, sample_weight=weight
    )
    scores = []
    for test in cv.folds:
        train = np.setdiff1d(np.arange(70), test)
        null = riata.cv_path(
            np.zeros((70, 1)), y, cv=[(train, test)], loss=loss, alphas=[1.0], offset=offset,
            sample_weight=weight, tol=1e-13,
        )  # fmt: skip
        scores.append(null.mean_score[0])
    sizes = [weight[test].sum() for test in cv.folds]
    assert_allclose(cv.null_score, np.average(scores, weights=sizes), rtol=1e-6)
    test = cv.nested.folds[1]
    train = np.setdiff1d(np.arange(70), test)
    fit = riata.fit_path(
        np.zeros((len(train), 1)), y[train], loss=loss, alphas=[1.0], offset=offset[train],
        sample_weight=weight[train], tol=1e-13,
    )  # fmt: skip
    expected = fit.predict(np.zeros((len(test), 1)), 1.0, kind="link", offset=offset[test])
    assert_allclose(cv.nested.null[test], expected, atol=2e-6)


def test_folds_that_are_given():
    X, y = problem("gaussian")
    groups = np.repeat(np.arange(14), 5)
    cv = riata.cv_path(X, y, cv=4, nested=True, groups=groups, alphas=5, eps=0.1)
    assert len(cv.nested.folds) == 4
    for test in cv.nested.folds:
        assert not set(groups[test]) & set(groups[np.setdiff1d(np.arange(70), test)])
    rows = np.arange(70)
    given = [(np.setdiff1d(rows, part), part) for part in np.array_split(rows, 5)]
    cv = riata.cv_path(X, y, cv=iter(given), nested=True, alphas=[0.5, 0.2])
    train = np.setdiff1d(rows, given[2][1])
    inner = [(np.setdiff1d(train, part), part) for k, (_, part) in enumerate(given) if k != 2]
    numbers = [(np.searchsorted(train, a), np.searchsorted(train, b)) for a, b in inner]
    alone = riata.cv_path(X[train], y[train], cv=numbers, alphas=[0.5, 0.2])
    assert cv.nested.alphas[2] == alone.alpha
    assert_allclose(cv.nested.link[given[2][1]], alone.predict(X[given[2][1]]), rtol=1e-6)


def test_time_goes_on_in_outer_folds_too():
    from sklearn.model_selection import TimeSeriesSplit

    X, y = problem("gaussian")
    cv = riata.cv_path(X, y, cv=TimeSeriesSplit(3), nested=TimeSeriesSplit(4), alphas=[0.5, 0.2])
    first = cv.nested.folds[0]
    assert np.isnan(cv.nested.link[: first[0]]).all()
    alone = riata.cv_path(X[: first[0]], y[: first[0]], cv=TimeSeriesSplit(3), alphas=[0.5, 0.2])
    assert_allclose(cv.nested.link[first], alone.predict(X[first]), rtol=1e-6)


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox"])
def test_several_responses_nest_as_each_alone(loss):
    X, first = problem(loss)
    second = problem(loss, seed=3)[1]
    second[:6] = np.nan
    options = {"loss": loss, "cv": 3, "nested": 4, "alphas": 10, "eps": 0.1, "tol": 1e-11}
    together = riata.cv_multi_path(X, [first, second], **options)
    for cv, y, rows in zip(together, (first, second), (slice(None), slice(6, None)), strict=True):
        alone = riata.cv_path(X[rows], y[rows], **options)
        assert_allclose(cv.nested.alphas, alone.nested.alphas, rtol=1e-9)
        assert_allclose(cv.nested.link[rows], alone.nested.link, rtol=1e-5, atol=1e-6)
        assert_array_equal(cv.nested.fold_ids[rows], alone.nested.fold_ids)
    assert np.isnan(together[1].nested.link[:6]).all()
    assert_array_equal(together[1].nested.fold_ids[:6], -1)


def test_saved_and_loaded(tmp_path):
    X, y = problem("binomial")
    cv = riata.cv_path(X, y, loss="binomial", cv=3, nested=3, alphas=5, eps=0.1)
    cv.save(tmp_path / "cv.npz")
    again = riata.load(tmp_path / "cv.npz")
    assert (again.null_score, again.null_se) == (cv.null_score, cv.null_se)
    assert again.nested.n_train == cv.nested.n_train == 47
    for name in ("alphas", "n_active", "link", "null", "fold_ids"):
        assert_array_equal(getattr(again.nested, name), getattr(cv.nested, name))
    assert repr(again.nested) == repr(cv.nested)
    assert "3 folds" in repr(cv.nested)


def test_refused():
    X, y = problem("binomial", n=30)
    with pytest.raises(ValueError, match="nested must be >= 2, got 1"):
        riata.cv_path(X, y, loss="binomial", nested=1)
    rows = np.arange(30)
    twice = [(rows[:20], rows[20:]), (rows[:25], rows[25:])]
    with pytest.raises(ValueError, match="nested must hold out no sample twice"):
        riata.cv_path(X, y, loss="binomial", cv=3, nested=twice)
    with pytest.raises(ValueError, match="nested must give at least two folds"):
        riata.cv_path(X, y, loss="binomial", cv=3, nested=twice[:1])
    few = np.zeros(30)
    few[:2] = 1.0
    with pytest.raises(ValueError, match=r"within outer fold 0 of nested: .* one class only"):
        riata.cv_path(X, few, loss="binomial", cv=2, nested=2)
