"""Poisson and Huber losses: against scikit-learn and SciPy, hazards, estimators and cross-validation."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mean_poisson_deviance
from sklearn.model_selection import KFold
from support import SHARED, kkt_violation, loss_value, make_problem

import riata

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

TIGHT = {"tol": 1e-12}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_ridge_is_that_of_scikit_learn(weighted, fit_intercept):
    X, y = make_problem("poisson", 60, 6)
    weights = np.random.default_rng(1).uniform(0.2, 2.0, 60) if weighted else None
    ours = riata.SparsePoissonRegressor(0.3, l1_ratio=0.0, fit_intercept=fit_intercept, **TIGHT)
    theirs = PoissonRegressor(alpha=0.3, fit_intercept=fit_intercept, tol=1e-10, max_iter=10_000)
    ours.fit(X, y, sample_weight=weights)
    theirs.fit(X, y, sample_weight=weights)
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5)
    assert_allclose(ours.score(X, y, weights), theirs.score(X, y, weights), rtol=1e-6)
    path = riata.fit_path(X, y, loss="poisson", l1_ratio=0.0, alphas=[0.3], standardize=False)
    assert riata.conversions(path).poisson_regressor_alpha == 0.3
    assert "PoissonRegressor alpha" in repr(riata.conversions(path))


@pytest.mark.parametrize("delta", [0.3, 1.345])
def test_huber_fits_are_those_of_a_smooth_minimiser(delta):
    X, y = make_problem("huber", 60, 4)
    path = riata.fit_path(
        X, y, loss="huber", huber_delta=delta, l1_ratio=0.0, alphas=[0.2], standardize=False, **TIGHT
    )

    def value(b):
        r = y - X @ b[1:] - b[0]
        size = np.abs(r)
        loss = np.where(size <= delta, 0.5 * r**2, delta * (size - 0.5 * delta)).mean()
        u = np.clip(r, -delta, delta) / len(y)
        return loss + 0.1 * b[1:] @ b[1:], np.r_[-u.sum(), 0.2 * b[1:] - X.T @ u]

    found = minimize(value, np.zeros(5), jac=True, method="BFGS", options={"gtol": 1e-9})
    assert_allclose(path.coef(0.2), found.x[1:], atol=1e-5)
    assert_allclose(path.primal, found.fun, rtol=1e-10)


def test_a_huge_delta_is_least_squares():
    X, y = make_problem("huber", 60, 100)
    for delta in (1e4, 1e300):
        huber = riata.fit_path(X, y, loss="huber", huber_delta=delta, alphas=20, **TIGHT)
        plain = riata.fit_path(X, y, alphas=huber.alphas, **TIGHT)
        assert_allclose(huber.coefs.toarray(), plain.coefs.toarray(), atol=1e-5)
        assert_allclose(huber.primal, plain.primal, rtol=1e-9)


@pytest.mark.parametrize("size", [1e2, 1e4])
@pytest.mark.parametrize("shape", [(100, 20), (60, 200)])
def test_outliers_without_number_are_no_obstacle(size, shape):
    rng = np.random.default_rng(1)
    X = rng.standard_normal(shape)
    far = rng.random(shape[0]) < 0.4
    y = X[:, :5] @ [2, -1.5, 1, -0.7, 0.5] + np.where(far, size, 1.0) * rng.standard_normal(shape[0])
    path = riata.fit_path(X, y, loss="huber", alphas=20, eps=0.05, tol=1e-9)
    assert path.converged.all()
    assert path.dual_gaps.min() >= -1e-12
    assert path.huber_delta == 1.345


@pytest.mark.parametrize("loss", ["poisson", "huber"])
def test_every_certificate_is_a_bound(loss):
    X, y = make_problem(loss, 40, 80, seed=4)
    sharp = riata.fit_path(X, y, loss=loss, alphas=20, tol=1e-12)
    for tol in (0.5, 0.1, 1e-2, 1e-4):
        rough = riata.fit_path(X, y, loss=loss, alphas=sharp.alphas, tol=tol)
        assert np.all(rough.dual <= sharp.primal + 1e-13)
        assert np.all(rough.primal >= sharp.dual - 1e-13)
        assert np.all(rough.dual_gaps <= tol)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_counts_does_not_matter(unit):
    X, y = make_problem("poisson", 50, 30)
    plain = riata.fit_path(X, y, loss="poisson", alphas=15, tol=1e-10)
    path = riata.fit_path(X, unit * y, loss="poisson", alphas=15, tol=1e-10)
    assert path.converged.all()
    assert_allclose(path.alphas, unit * plain.alphas, rtol=1e-12)
    assert_allclose(path.coefs.toarray(), plain.coefs.toarray(), atol=1e-9)
    assert_allclose(path.intercepts, plain.intercepts + np.log(unit), rtol=1e-9)


def test_large_counts_that_hardly_differ():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 20))
    y = np.round(1e9 * (1.0 + 1e-3 * rng.standard_normal(100)))
    path = riata.fit_path(X, y, loss="poisson", tol=1e-10)
    assert path.converged.all()
    assert path.dual_gaps.min() >= -1e-12


@pytest.mark.parametrize("offset", [-700.0, 700.0])
def test_a_constant_offset_goes_into_the_intercept(offset):
    X, y = make_problem("poisson", 50, 30)
    plain = riata.fit_path(X, y, loss="poisson", alphas=15, tol=1e-10)
    path = riata.fit_path(X, y, loss="poisson", alphas=15, offset=np.full(50, offset), tol=1e-10)
    assert path.converged.all()
    assert_allclose(path.coefs.toarray(), plain.coefs.toarray(), atol=1e-9)
    assert_allclose(path.intercepts, plain.intercepts - offset, rtol=1e-12)


def test_offsets_of_e_to_1400_between_samples():
    X, y = make_problem("poisson", 50, 10)
    path = riata.fit_path(X, y, loss="poisson", alphas=10, offset=700.0 * np.sign(X[:, 0]), tol=1e-6)
    assert path.converged.all()
    assert np.isfinite(path.coefs.data).all()
    with pytest.raises(ValueError, match="offset must be smaller for the poisson loss without an intercept"):
        riata.fit_path(X, y, loss="poisson", offset=np.full(50, 700.0), fit_intercept=False)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_exposures_of_the_estimators_are_scikit_learns_weighted_rates(fit_intercept):
    """Ridge, so that scikit-learn has the same model: rates weighted by their exposures."""
    X, y = make_problem("poisson", 60, 6)
    exposure = np.random.default_rng(1).uniform(0.5, 4.0, 60)
    offset = np.log(exposure)
    theirs = PoissonRegressor(alpha=0.3, fit_intercept=fit_intercept, tol=1e-10, max_iter=10_000)
    theirs.fit(X, y / exposure, sample_weight=exposure)
    alpha = 0.3 * exposure.mean()
    given = {"l1_ratio": 0.0, "fit_intercept": fit_intercept, **TIGHT}
    ours = riata.SparsePoissonRegressor(alpha, **given).fit(X, y, offset=offset)
    folds = riata.SparsePoissonRegressorCV(alphas=[2 * alpha, alpha], cv=3, **given).fit(X, y, offset=offset)
    assert_array_equal(
        folds.score_path_,
        riata.cv_path(
            X,
            y,
            loss="poisson",
            offset=offset,
            alphas=[2 * alpha, alpha],
            cv=KFold(3),
            standardize=False,
            **given,
        ).scores,
    )
    assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    assert_allclose(ours.predict(X, offset=0), theirs.predict(X), rtol=1e-5)
    assert_allclose(ours.predict(X, offset=offset), exposure * theirs.predict(X), rtol=1e-5)
    rate = theirs.score(X, y / exposure, sample_weight=exposure)
    assert_allclose(ours.score(X, y, offset=offset), rate, rtol=1e-6)
    for model in (ours, folds):
        assert model.has_offset_
        for ask in (lambda model=model: model.predict(X), lambda model=model: model.score(X, y)):
            with pytest.raises(ValueError, match="offset must be given: the model was fitted with one"):
                ask()
        with pytest.raises(ValueError, match="offset must hold one number per sample"):
            model.predict(X, offset=offset[:5])
    assert not ours.fit(X, y).has_offset_
    assert_allclose(ours.predict(X, offset=offset), exposure * ours.predict(X))


def test_exposures_are_an_offset_or_weights():
    X, y = make_problem("poisson", 60, 20)
    exposure = np.random.default_rng(1).uniform(0.5, 4.0, 60)
    a = riata.fit_path(
        X, y, loss="poisson", offset=np.log(exposure), alphas=[0.2], standardize=False, **TIGHT
    )
    alpha = 0.2 * 60 / exposure.sum()
    b = riata.SparsePoissonRegressor(alpha, **TIGHT).fit(X, y / exposure, sample_weight=exposure)
    assert_allclose(b.coef_, a.coef(0.2), atol=1e-6)


BAD = {
    "negative": ([1.0, -1.0], "y must hold numbers >= 0 for the poisson loss, got -1.0 at position 1"),
    "zeros": ([0.0, 0.0], "y must hold a count above 0 with positive weight, got zeros only"),
    "nan": ([np.nan, 1.0], "y must hold finite numbers, got nan at position 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_counts_are_refused(case):
    y, message = BAD[case]
    X = np.eye(2)
    with pytest.raises(ValueError, match=message):
        riata.fit_path(X, y, loss="poisson")
    with pytest.raises(ValueError, match=message if case != "nan" else "NaN"):
        riata.SparsePoissonRegressor().fit(X, y)
    with pytest.raises(ValueError, match="got zeros only"):
        riata.fit_path(X, [0.0, 3.0], loss="poisson", sample_weight=[1.0, 0.0])
    folds = [([0, 1], [2, 3])]
    with pytest.raises(ValueError, match="y of the training rows of split 0 must hold a count above 0"):
        riata.cv_path(np.eye(4), [0.0, 0.0, 1.0, 2.0], loss="poisson", cv=folds)


@pytest.mark.parametrize("delta", [0.0, -1.0, np.inf, np.nan])
def test_bad_deltas_are_refused(delta):
    X, y = make_problem()
    with pytest.raises(ValueError, match="huber_delta must be > 0, got"):
        riata.fit_path(X, y, loss="huber", huber_delta=delta)


@pytest.mark.parametrize("scoring", [None, "mse", "mae"])
def test_cross_validated_poisson_scores_by_hand(scoring):
    X, y = make_problem("poisson", 60, 20)
    cv = riata.cv_path(X, y, loss="poisson", cv=KFold(3), alphas=6, eps=0.05, scoring=scoring, **TIGHT)
    assert cv.scoring == (scoring or "deviance")
    for k, (train, test) in enumerate(KFold(3).split(X)):
        fold = riata.fit_path(X[train], y[train], loss="poisson", alphas=cv.alphas, **TIGHT)
        for a, alpha in enumerate(cv.alphas):
            mean = fold.predict(X[test], alpha)
            assert_allclose(mean, np.exp(fold.predict(X[test], alpha, kind="link")))
            error = y[test] - mean
            by_hand = {"deviance": mean_poisson_deviance(y[test], mean), "mse": (error**2).mean()}
            expected = by_hand.get(cv.scoring, np.abs(error).mean())
            assert_allclose(cv.scores[a, k], expected, rtol=1e-5)
        if scoring is None:
            assert_allclose(
                cv.predict_held_out(cv.alphas[3])[test], fold.predict(X[test], cv.alphas[3]), rtol=1e-5
            )


@pytest.mark.parametrize("scoring", [None, "mse", "mae"])
def test_cross_validated_huber_scores_by_hand(scoring):
    X, y = make_problem("huber", 60, 20)
    cv = riata.cv_path(X, y, loss="huber", cv=3, alphas=6, eps=0.05, scoring=scoring, **TIGHT)
    assert cv.scoring == (scoring or "huber")
    for a, alpha in enumerate(cv.alphas):
        eta = cv.predict_held_out(alpha)
        for k, test in enumerate(cv.folds):
            error = y[test] - eta[test]
            by_hand = {"mae": np.abs(error).mean(), "mse": (error**2).mean()}
            expected = by_hand.get(cv.scoring, loss_value("huber", y[test], eta[test], np.ones(len(test))))
            assert_allclose(cv.scores[a, k], expected, rtol=1e-9)


def test_held_out_predictions_have_the_offset():
    X, y = make_problem("poisson", 60, 20)
    offset = np.random.default_rng(1).uniform(0.0, 3.0, 60)
    cv = riata.cv_path(X, y, loss="poisson", cv=3, alphas=5, offset=offset, **TIGHT)
    for test in cv.folds:
        weights = np.ones(60)
        weights[test] = 0.0
        fold = riata.fit_path(
            X, y, loss="poisson", alphas=cv.alphas, offset=offset, sample_weight=weights, **TIGHT
        )
        for alpha in cv.alphas:
            expected = fold.predict(X[test], alpha, offset=offset[test])
            assert_allclose(cv.predict_held_out(alpha)[test], expected, rtol=1e-6)


@pytest.mark.parametrize("loss", ["poisson", "huber"])
def test_saved_paths_come_back(loss, tmp_path):
    X, y = make_problem(loss)
    cv = riata.cv_path(X, y, loss=loss, cv=3, alphas=5, huber_delta=2.0)
    cv.save(tmp_path / "fit.npz")
    back = riata.load(tmp_path / "fit.npz")
    assert back.path.huber_delta == (2.0 if loss == "huber" else None)
    assert_array_equal(back.predict(X), cv.predict(X))


def test_another_delta_is_another_fit(tmp_path):
    X, y = make_problem("huber")
    given = {"loss": "huber", "checkpoint": tmp_path / "state"}
    riata.fit_path(X, y, progress=lambda done, *rest: done < 5, **given)
    with pytest.raises(ValueError, match="what differs: huber_delta"):
        riata.fit_path(X, y, huber_delta=2.0, **given)


def test_huber_has_no_equivalent_in_glmnet():
    X, y = make_problem("huber")
    same = riata.conversions(riata.fit_path(X, y, loss="huber", alphas=3))
    assert same.glmnet_lambda is None
    assert same.laplace_scale is None
    assert "Huber loss + λ penalty: λ" in repr(same)


# Estimators


def test_estimator_is_the_point_of_the_path():
    X, y = make_problem("poisson", 60, 100)
    given = {"l1_ratio": 0.7, "penalty_factor": np.linspace(0.5, 2.0, 100), "upper": 0.3}
    path = riata.fit_path(X, y, loss="poisson", alphas=[0.1], standardize=False, **given)
    model = riata.SparsePoissonRegressor(0.1, **given).fit(X, y)
    assert_array_equal(model.coef_, path.coef(0.1))
    assert_allclose(model.predict(X), path.predict(X, 0.1))
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    assert str(clone(model).get_params()) == str(model.get_params())
    positive = riata.SparsePoissonRegressor(0.05, positive=True, **TIGHT).fit(X, y)
    assert positive.coef_.min() >= 0.0
    assert kkt_violation(X, y, positive.coef_, positive.intercept_, 0.05, loss="poisson", lower=0.0) <= 1e-5


def test_score_of_counts_that_are_all_the_same():
    model = riata.SparsePoissonRegressor().fit([[0.0], [1.0], [2.0]], [2, 2, 2])
    assert model.score([[0.0], [1.0]], [2, 2]) == 1.0
    assert model.score([[0.0], [1.0]], [3, 3]) == 0.0


@pytest.mark.skipif(
    not (SHARED / "bikeshare_poisson.npz").exists(), reason="the data are not beside the checkout"
)
def test_bike_hires():
    with np.load(SHARED / "bikeshare_poisson.npz", allow_pickle=False) as data:
        X, y = data["X"].astype(float), data["y"].astype(float)
    rows = np.random.default_rng(0).permutation(len(y))
    train, test = rows[:6000], rows[6000:]
    model = riata.SparsePoissonRegressorCV(standardize=True, alphas=30).fit(X[train], y[train])
    assert model.cv_result_.path.converged.all()
    assert model.cv_result_.fold_gaps.max() <= 1e-6
    assert model.score(X[test], y[test]) > 0.6
    frugal = riata.SparsePoissonRegressorCV(standardize=True, alphas=30, alpha_rule="1se").fit(
        X[train], y[train]
    )
    assert np.count_nonzero(frugal.coef_) < X.shape[1]
    assert frugal.score(X[test], y[test]) > 0.6
