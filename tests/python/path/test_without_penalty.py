"""Fits at alpha = 0: what ridge regression goes to, or the fit without a penalty."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model as peers
from numpy.testing import assert_allclose
from several_outputs import make_outputs
from support import make_problem

import riata
from riata.cli.parser import main


def least_norm(X, y, size=None):
    """Least squares about means, by the pseudo-inverse of columns over `size`, which measures the norm."""
    size = np.ones(X.shape[1]) if size is None else size
    return (
        np.linalg.pinv((X - X.mean(axis=0)) / size)
        @ (y - y.mean(axis=0))
        / (size if y.ndim == 1 else size[:, None])
    )


@pytest.mark.parametrize("shape", [(30, 8), (20, 50)])
@pytest.mark.parametrize("storage", [np.asarray, sp.csc_array])
@pytest.mark.parametrize("standardize", [False, True])
def test_least_squares_of_least_norm(shape, storage, standardize):
    X, y = make_problem(n=shape[0], p=shape[1])
    X[:, 3] = 2.0 * X[:, 1] - X[:, 0]
    path = riata.fit_path(storage(X), y, alphas=[0.5, 0.0], standardize=standardize)
    assert path.alphas.tolist() == [0.5, 0.0]
    expected = least_norm(X, y, X.std(axis=0) if standardize else None)
    assert_allclose(path.coef(0.0), expected, atol=1e-10)
    assert_allclose(path.predict(X, 0.0), y.mean() + (X - X.mean(axis=0)) @ expected, atol=1e-10)
    before = riata.fit_path(storage(X), y, alphas=[0.5], standardize=standardize)
    assert np.array_equal(path.coef(0.5), before.coef(0.5))
    assert path.converged.all()
    assert path.dual_gaps[-1] <= 1e-20
    assert path.primal[-1] == pytest.approx(
        0.5 * np.mean((y - path.predict(X, 0.0)) ** 2), rel=1e-12, abs=1e-20
    )


def test_it_is_where_ridge_regression_goes():
    X, y = make_problem(n=25, p=40)
    rng = np.random.default_rng(3)
    factor = rng.uniform(0.3, 3.0, 40)
    factor[:2], factor[5] = 0.0, np.inf
    given = {
        "sample_weight": rng.integers(0, 3, 25),
        "offset": rng.standard_normal(25),
        "penalty_factor": factor,
        "tol": 1e-12,
    }
    for fit_intercept in (True, False):
        path = riata.fit_path(X, y, alphas=[1e-7, 0.0], l1_ratio=0.0, fit_intercept=fit_intercept, **given)
        scale = np.abs(path.coef(0.0)).max()
        assert_allclose(path.coef(0.0), path.coef(1e-7), atol=1e-5 * scale)
        assert_allclose(path.intercept(0.0), path.intercept(1e-7), atol=1e-5 * scale)
        assert_allclose(path.deviance_ratio[-1], path.deviance_ratio[0], atol=1e-8)
        assert path.coef(0.0)[5] == 0.0


@pytest.mark.parametrize("columns", [1, 3])
def test_several_responses(columns):
    X, Y = make_outputs("multigaussian", 20, 30, columns)
    path = riata.fit_path(X, Y, loss="multigaussian", alphas=[0.3, 0.0, 0.0], standardize=False)
    assert_allclose(path.coef(0.0), least_norm(X, Y), atol=1e-10)
    assert path.n_active.tolist()[1:] == [30, 30]


@pytest.mark.parametrize(
    ("loss", "peer"),
    [
        ("binomial", peers.LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000)),
        ("poisson", peers.PoissonRegressor(alpha=0.0, tol=1e-12, max_iter=10_000)),
        ("huber", None),
    ],
)
def test_other_losses_are_fitted_without_a_penalty(loss, peer):
    X, y = make_problem(loss, 80, 4, noise=2.0)
    path = riata.fit_path(X, y, loss=loss, alphas=[0.1, 0.0], tol=1e-12)
    if peer is None:
        r = y - path.predict(X, 0.0)
        score = np.clip(r, -1.345, 1.345)
        assert_allclose(np.c_[X, np.ones(80)].T @ score, 0.0, atol=1e-7)
    else:
        peer.fit(X, y)
        assert_allclose(path.coef(0.0), np.ravel(peer.coef_), rtol=1e-4)
        assert_allclose(path.intercept(0.0), float(np.ravel(peer.intercept_)[0]), rtol=1e-4)


def test_bounds_hold():
    X, y = make_problem(n=60, p=4)
    path = riata.fit_path(X, y, alphas=[0.0], lower=0.0)
    peer = peers.LinearRegression(positive=True).fit(X, y)
    assert_allclose(path.coef(0.0), peer.coef_, atol=1e-6)
    twice = np.c_[X, X[:, 0], -X[:, 1]]
    path = riata.fit_path(twice, y, alphas=[0.0], lower=0.0, tol=1e-12)
    peer.fit(twice, y)
    assert_allclose(path.predict(twice, 0.0), peer.predict(twice), atol=1e-6)
    assert path.coef(0.0).min() >= 0.0


def test_cross_validation_scores_it_as_any_other():
    X, y = make_problem(n=40, p=6)
    cv = riata.cv_path(X, y, cv=4, alphas=[0.5, 0.0], standardize=False)
    for k, rows in enumerate(cv.folds):
        train = np.setdiff1d(np.arange(40), rows)
        told = peers.LinearRegression().fit(X[train], y[train]).predict(X[rows])
        assert_allclose(cv.oof_link[rows, -1], told, atol=1e-10)
        assert cv.scores[-1, k] == pytest.approx(np.mean((y[rows] - told) ** 2))


def test_what_the_machine_cannot_hold_is_refused(monkeypatch):
    monkeypatch.setattr("riata.path.without_penalty.MEMORY_SHARE", 1e-9)
    X, y = make_problem(n=40, p=6)
    with pytest.raises(ValueError, match="alphas must be > 0 where X is as large as 40 x 6, got 0"):
        riata.fit_path(X, y, alphas=[0.0])


def test_the_memory_asked_for_holds_before_any_fit():
    X, y = make_problem(n=40, p=6)
    told = []
    with pytest.raises(ValueError, match="memory must be at least 7680 bytes for an alpha of 0, got 7000"):
        riata.fit_path(X, y, alphas=[1.0, 0.0], memory=7000, progress=lambda *state: told.append(state))
    assert not told
    with pytest.raises(ValueError, match="memory must be at least 5120 bytes for an alpha of 0"):
        riata.fit_path(X, y, alphas=[0.0], memory=5000, exclude=[1, 2])


def test_the_command_line_takes_it_and_draws_it(tmp_path):
    X, y = make_problem(n=60, p=3)
    table = np.c_[y, X]
    np.savetxt(tmp_path / "x.csv", table, delimiter=",", comments="", header="y,a,b,c")
    given = [
        "cv",
        "--matrix",
        tmp_path / "x.csv",
        "--target",
        "y",
        "--alphas",
        "1,0.1,0",
        "--out",
        tmp_path / "o",
    ]
    assert main([*map(str, given)]) == 0
    cv = riata.load(tmp_path / "o.path.npz")
    assert_allclose(cv.path.coef(0.0), peers.LinearRegression().fit(X, y).coef_, atol=1e-9)
    pytest.importorskip("matplotlib").use("Agg")
    for axes in (cv.plot(), cv.path.plot()):
        low, high = sorted(axes.get_xlim())
        assert (low, high) == pytest.approx((0.01, 1.0))


@pytest.mark.parametrize("loss", ["gaussian", "poisson"])
def test_of_several_responses_each_is_that_of_its_own_fit(loss):
    X, y = make_problem(n=40, p=5)
    ys = [np.abs(y), np.abs(X[:, 1] - y)]
    ys[1][:6] = np.nan
    given = {"loss": loss, "alphas": [0.1, 0.0], "tol": 1e-12, "offset": 0.1 * X[:, 4]}
    paths = riata.fit_multi_path(X, ys, **given)
    known = np.isfinite(ys[1])
    given_here = given | {"offset": given["offset"][known]}
    apart = [riata.fit_path(X, ys[0], **given), riata.fit_path(X[known], ys[1][known], **given_here)]
    for path, other in zip(paths, apart, strict=True):
        assert path.alphas.tolist() == [0.1, 0.0]
        assert_allclose(path.coefs.toarray(), other.coefs.toarray(), atol=1e-8)
        assert_allclose(path.intercepts, other.intercepts, atol=1e-8)


def test_of_several_responses_folds_are_those_of_each():
    X, y = make_problem(n=40, p=5)
    ys = [y, X[:, 1] + y**2]
    given = {"cv": 4, "alphas": [0.5, 0.0], "tol": 1e-12}
    for cv, each in zip(riata.cv_multi_path(X, ys, **given), ys, strict=True):
        for rows in cv.folds:
            train = np.setdiff1d(np.arange(40), rows)
            told = peers.LinearRegression().fit(X[train], each[train]).predict(X[rows])
            assert_allclose(cv.oof_link[rows, -1], told, atol=1e-9)


def test_of_several_responses_one_that_ends_early_leaves_the_others_theirs():
    X, y = make_problem(n=40, p=6)
    short, whole = riata.fit_multi_path(
        X, [y + X.sum(axis=1), X[:, 0]], alphas=[50.0, 0.01, 0.0], max_active=1
    )
    assert (short.stop_reason, whole.stop_reason) == ("max_active", "")
    assert 0.0 not in short.alphas
    assert whole.alphas.tolist() == [50.0, 0.01, 0.0]
    assert_allclose(whole.coef(0.0), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0], atol=1e-12)
