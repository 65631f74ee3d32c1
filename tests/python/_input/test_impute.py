"""Missing values at the mean of the samples that train: against scikit-learn's imputer, fold by fold."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support import make_problem

import riata
from riata.penalties import MCP

ALPHAS = [0.3, 0.1, 0.03]


def with_gaps(X, share=0.05, seed=0):
    """Half of the columns, and most of the rows, have gaps, at values that are not typical."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(X + 3.0)
    gaps = rng.random(X.shape) < share * (1.0 + (X > 3.0))
    gaps[:, ::2] = False
    X[gaps] = np.nan
    return X


def folds_of(n, k=4):
    return list(KFold(k, shuffle=True, random_state=1).split(np.empty((n, 1))))


def filled(X, train):
    return SimpleImputer().fit(X[train]).transform(X)


def test_folds_learn_their_own_means():
    X, y = make_problem(n=60, p=30)
    X = with_gaps(X)
    folds = folds_of(60)
    cv = riata.cv_path(X, y, cv=folds, alphas=ALPHAS, impute="mean", tol=1e-10)
    for train, test in folds:
        for k, alpha in enumerate(ALPHAS):
            lasso = Lasso(alpha, tol=1e-12, max_iter=100_000)
            model = make_pipeline(SimpleImputer(), StandardScaler(), lasso).fit(X[train], y[train])
            assert_allclose(cv.oof_link[test, k], model.predict(X[test]), rtol=1e-5, atol=1e-6)
    for k, alpha in enumerate(ALPHAS):
        model = make_pipeline(SimpleImputer(), StandardScaler(), Lasso(alpha, tol=1e-12, max_iter=100_000))
        model.fit(X, y)
        assert_allclose(cv.path.predict(X, alpha), model.predict(X), rtol=1e-5, atol=1e-6)
        scores = [np.mean((y[test] - cv.oof_link[test, k]) ** 2) for _, test in folds]
        assert_allclose(cv.scores[k], scores, rtol=1e-10)


@pytest.mark.parametrize(
    ("loss", "penalty"),
    [
        *((loss, None) for loss in ("binomial", "cox", "poisson", "huber", "multinomial")),
        *((loss, MCP()) for loss in ("binomial", "cox", "poisson", "huber")),
    ],
)
def test_every_loss_fits_its_own_filled_table(loss, penalty):
    X, y = make_problem("gaussian" if loss == "multinomial" else loss, n=80, p=30)
    if loss == "multinomial":
        y = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    X = with_gaps(X)
    folds = folds_of(80)
    given = {"loss": loss, "alphas": ALPHAS[:2], "tol": 1e-10, "penalty": penalty}
    if penalty is not None:
        given["alphas"] = [0.3, 0.2]  # where the objective is convex, and its minimum one
    weights = np.resize([1.0, 2.0, 0.5], 80)
    cv = riata.cv_path(X, y, cv=folds, impute="mean", sample_weight=weights, **given)
    for train, test in folds:
        mean = np.nansum(X[train] * weights[train, None], axis=0) / (
            weights[train] @ np.isfinite(X[train]).astype(float)
        )
        table = np.where(np.isnan(X), mean, X)
        path = riata.fit_path(table[train], y[train], sample_weight=weights[train], **given)
        link = path.predict(table, kind="link")
        if loss == "cox":
            link -= np.average(link[train], axis=0, weights=weights[train])
        assert_allclose(cv.oof_link[test], link[test], rtol=1e-4, atol=1e-5)


def test_what_the_folds_hold_out_is_scored_beside_them():
    """The Cox deviance of a fold takes all samples, at the means of that fold."""
    X, y = make_problem("cox", n=60, p=20)
    X = with_gaps(X)
    folds = folds_of(60)
    cv = riata.cv_path(X, y, cv=folds, alphas=ALPHAS, loss="cox", impute="mean", tol=1e-10)
    for k, (train, _) in enumerate(folds):
        alone = riata.cv_path(filled(X, train), y, cv=[folds[k]], alphas=ALPHAS, loss="cox", tol=1e-10)
        assert_allclose(cv.scores[:, k], alone.scores[:, 0], rtol=1e-6)


def test_nested_folds_learn_their_own_means():
    X, y = make_problem(n=60, p=20)
    X = with_gaps(X)
    folds = folds_of(60, 3)
    given = {"alphas": ALPHAS, "tol": 1e-10}
    cv = riata.cv_path(X, y, cv=KFold(3), nested=folds, impute="mean", **given)
    for k, (train, test) in enumerate(folds):
        inner = riata.cv_path(X[train], y[train], cv=KFold(3), impute="mean", **given)
        assert_allclose(cv.nested.alphas[k], inner.alpha)
        assert_allclose(cv.nested.link[test], inner.predict(X[test]), rtol=1e-6, atol=1e-8)


def test_several_responses_learn_means_from_their_own_samples():
    X, y = make_problem(n=60, p=20)
    X = with_gaps(X)
    ys = [y, X[:, 0] ** 2]
    ys[1][:15] = np.nan
    given = {"alphas": ALPHAS, "tol": 1e-10, "impute": "mean"}
    paths = riata.fit_multi_path(X, ys, **given)
    assert_allclose(paths[0].predict(X), riata.fit_path(X, y, **given).predict(X), rtol=1e-6)
    alone = riata.fit_path(X[15:], ys[1][15:], **given)
    assert_allclose(paths[1].predict(X), alone.predict(X), rtol=1e-6)
    cvs = riata.cv_multi_path(X, ys, cv=3, **given)
    alone = riata.cv_path(X[15:], ys[1][15:], cv=3, **given)
    assert_allclose(cvs[1].scores, alone.scores, rtol=1e-6)
    assert_allclose(cvs[0].scores, riata.cv_path(X, y, cv=3, **given).scores, rtol=1e-6)


def test_a_saved_path_fills_new_tables(tmp_path):
    X, y = make_problem(n=60, p=20)
    X = with_gaps(X)
    weights = np.resize([1.0, 3.0], 60)
    path = riata.fit_path(X, y, alphas=ALPHAS, impute="mean", sample_weight=weights, tol=1e-10)
    known = np.isfinite(X)
    mean = (weights @ np.where(known, X, 0.0)) / (weights @ known)
    assert_allclose(path.fill, mean, rtol=1e-10)
    new = with_gaps(make_problem(n=10, p=20, seed=9)[0], 0.2, seed=4)
    new[0] = np.nan
    path.save(tmp_path / "p.npz")
    again = riata.load(tmp_path / "p.npz")
    wanted = path.intercept(0.1) + np.where(np.isnan(new), mean, new) @ path.coef(0.1)
    assert_allclose(path.predict(new, 0.1), wanted)
    assert_allclose(again.predict(new, 0.1), wanted)
    assert_array_equal(again.fill, path.fill)


def test_columns_that_a_fold_does_not_know():
    """Missing in all samples that train: no effect there."""
    X, y = make_problem(n=40, p=6)
    X = with_gaps(X, 0.0)
    folds = folds_of(40, 2)
    X[folds[0][0], 1] = np.nan
    X[:, 3] = np.nan
    cv = riata.cv_path(X, y, cv=folds, alphas=[0.05], impute="mean", tol=1e-10)
    train, test = folds[0]
    lasso = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), Lasso(0.05, tol=1e-12))
    assert_allclose(
        cv.oof_link[test, 0], lasso.fit(X[train], y[train]).predict(X[test]), rtol=1e-5, atol=1e-6
    )
    assert cv.path.coef(0.05)[3] == 0.0


def test_a_run_goes_on_from_its_checkpoint(tmp_path):
    X, y = make_problem(n=60, p=20)
    X = with_gaps(X)
    whole = riata.cv_path(X, y, cv=3, alphas=12, impute="mean")
    file = tmp_path / "c"

    def stop(done, *_):
        return done < 5

    riata.cv_path(X, y, cv=3, alphas=12, impute="mean", checkpoint=file, progress=stop)
    assert file.exists()
    rest = riata.cv_path(X, y, cv=3, alphas=12, impute="mean", checkpoint=file)
    assert_array_equal(rest.scores, whole.scores)
    assert_array_equal(rest.oof_link, whole.oof_link)


def test_complete_tables_are_as_without():
    X, y = make_problem(n=50, p=20)
    cv = riata.cv_path(X, y, cv=3, alphas=10)
    same = riata.cv_path(X, y, cv=3, alphas=10, impute="mean")
    assert_array_equal(cv.scores, same.scores)
    assert_allclose(same.path.fill, X.mean(axis=0), rtol=1e-10, atol=1e-12)
    assert cv.path.fill is None


def test_bad_arguments():
    X, y = make_problem(n=30, p=5)
    with pytest.raises(ValueError, match="impute must be 'mean' or None, got 'median'"):
        riata.cv_path(X, y, impute="median")
    with pytest.raises(ValueError, match="impute='mean' needs a dense X"):
        riata.fit_path(sp.csc_matrix(X), y, impute="mean")
    X[3, 2] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity in column 2"):
        riata.fit_path(X, y)
    X[4, 3] = np.inf
    with pytest.raises(ValueError, match="NaN or infinity in column 3"):
        riata.fit_path(X, y, impute="mean")
