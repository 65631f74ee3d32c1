"""Relaxed lasso: refits are what they are called, blends are linear, one cross-validation chooses both."""

import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import KFold, ShuffleSplit
from support import make_problem, residual_of, write_plink

import riata

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

LOSSES = ["gaussian", "binomial", "poisson", "huber", "cox"]


def least_squares(X, y, weights, fit_intercept=True):
    """Coefficients and intercept by numpy."""
    root = np.sqrt(weights)[:, None]
    wide = np.column_stack([X, np.ones(len(y))]) if fit_intercept else X
    found = np.linalg.lstsq(root * wide, root[:, 0] * y, rcond=None)[0]
    return (found[:-1], found[-1]) if fit_intercept else (found, 0.0)


@pytest.fixture
def weights():
    return np.random.default_rng(1).uniform(0.0, 2.0, 40) * (np.arange(40) % 9 > 0)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
def test_gamma_zero_is_least_squares_on_the_support(fit_intercept, standardize, weights):
    X, y = make_problem()
    X = X * np.geomspace(1e-3, 1e3, 60) + 1.0
    offset = np.random.default_rng(2).standard_normal(40)
    factor = np.ones(60)
    factor[[2, 50]] = 0.0
    path = riata.fit_path(
        X,
        y,
        sample_weight=weights,
        offset=offset,
        fit_intercept=fit_intercept,
        standardize=standardize,
        penalty_factor=factor,
    )
    relaxed = riata.relax(path, X, y, sample_weight=weights, offset=offset)
    assert relaxed.relaxed.sum() > 20
    for alpha in path.alphas[relaxed.relaxed]:
        support = np.flatnonzero(path.coef(alpha))
        coef, intercept = least_squares(X[:, support], y - offset, weights, fit_intercept)
        refit = relaxed.coef(alpha)
        assert np.all(refit[np.setdiff1d(np.arange(60), support)] == 0.0)
        assert_allclose(refit[support], coef, rtol=1e-8, atol=1e-8 * np.abs(coef).max())
        assert_allclose(relaxed.intercept(alpha, 0.0), intercept, rtol=1e-8, atol=1e-8)
        assert {2, 50} <= set(support)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_refit_is_an_optimum_without_penalty(loss):
    X, y = make_problem(loss, n=120, p=30)
    weights = np.random.default_rng(1).uniform(0.0, 2.0, 120)
    offset = 0.2 * np.random.default_rng(2).standard_normal(120)
    path = riata.fit_path(X, y, loss=loss, sample_weight=weights, offset=offset)
    relaxed = riata.relax(path, X, y, sample_weight=weights, offset=offset)
    assert relaxed.relaxed.all()
    for i in range(0, len(path), 9):
        support = np.flatnonzero(path.coef(path.alphas[i]))
        coef, intercept = relaxed.coef(path.alphas[i]), relaxed.intercept(path.alphas[i])
        assert_array_equal(np.flatnonzero(coef), support)
        residual = residual_of(loss, y, X @ coef + intercept + offset, weights)
        pull = (X - np.average(X, axis=0, weights=weights)).T @ residual
        assert np.abs(pull[support]).max(initial=0.0) < 1e-5
        assert abs(residual.sum()) < 1e-5


@pytest.mark.parametrize("loss", LOSSES)
def test_gamma_one_is_the_path_and_blends_are_linear(loss):
    X, y = make_problem(loss, n=120, p=30)
    path = riata.fit_path(X, y, loss=loss, alphas=20)
    relaxed = riata.relax(path, X, y)
    assert_array_equal(relaxed.coef(None, 1.0).toarray(), path.coefs.toarray())
    assert_array_equal(relaxed.predict(X, None, 1.0), path.predict(X))
    between = float(path.alphas[8:10].mean())
    for alpha in (path.alphas[8], between, list(path.alphas[5:8])):
        ends = [relaxed.predict(X, alpha, gamma, kind="link") for gamma in (0.0, 1.0)]
        assert_allclose(
            relaxed.predict(X, alpha, 0.3, kind="link"), 0.7 * ends[0] + 0.3 * ends[1], atol=1e-12
        )
    assert_allclose(relaxed.coef(between), (relaxed.coef(path.alphas[8]) + relaxed.coef(path.alphas[9])) / 2)


def test_of_a_cross_validated_path_and_of_the_elastic_net():
    X, y = make_problem()
    cv = riata.cv_path(X, y, cv=3, l1_ratio=0.9, alphas=20, eps=0.2)
    relaxed = riata.relax(cv, X, y)
    support = np.flatnonzero(cv.coef())
    assert_allclose(relaxed.coef(cv.alpha)[support], least_squares(X[:, support], y, np.ones(40))[0])


def test_no_refit_where_features_are_as_many_as_samples():
    X, y = make_problem(n=20)
    path = riata.fit_path(X, y)
    relaxed = riata.relax(path, X, y)
    assert_array_equal(relaxed.relaxed, path.n_active + 1 < 20)
    assert not relaxed.relaxed[-1]
    assert f"{relaxed.relaxed.sum()} of them relaxed" in repr(relaxed)
    last = path.alphas[-1]
    assert_array_equal(relaxed.coef(last, 1.0), path.coef(last))
    for alpha in (last, None, [path.alphas[0], last]):
        with pytest.raises(
            ValueError, match=r"gamma must be 1 at alpha=.* 20 samples on \d+ features is not unique"
        ):
            relaxed.coef(alpha, 0.5)
    assert np.isfinite(relaxed.predict(X, path.alphas[relaxed.relaxed])).all()


@pytest.mark.parametrize("loss", ["binomial", "cox"])
def test_no_refit_where_it_has_no_end(loss):
    """Classes that a selected feature separates, and times that it orders."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    y = (X[:, 0] > 0).astype(float) if loss == "binomial" else np.column_stack([9.0 - X[:, 0], np.ones(60)])
    path = riata.fit_path(X, y, loss=loss, alphas=5, eps=0.5)
    relaxed = riata.relax(path, X, y)
    assert_array_equal(relaxed.relaxed, path.n_active == 0)


@pytest.mark.parametrize("loss", ["binomial", "poisson", "cox"])
def test_no_refit_where_part_of_it_has_no_end(loss):
    """A group without events: its coefficient has no finite optimum, the others have."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 2))
    X[:, 1] = rng.random(200) < 0.3
    y = (rng.random(200) < 0.5) * (X[:, 1] == 0.0) * 1.0
    if loss == "cox":
        y = np.column_stack([rng.exponential(np.exp(-X[:, 0])), y])
    path = riata.fit_path(X, y, loss=loss, alphas=10, eps=0.3)
    relaxed = riata.relax(path, X, y)
    assert_array_equal(relaxed.relaxed, path.coefs.toarray()[1] == 0.0)


def test_rates_of_very_different_size_have_a_refit():
    rng = np.random.default_rng(0)
    group = np.arange(200) % 2
    y = rng.poisson(np.where(group, 1e8, 0.5)).astype(float)
    X = np.column_stack([group, rng.standard_normal(200)])
    path = riata.fit_path(X, y, loss="poisson", alphas=5, eps=1e-3)
    relaxed = riata.relax(path, X, y)
    assert relaxed.relaxed.all()
    fitted = relaxed.predict(X, path.alphas[path.n_active == 1][-1])
    assert_allclose([fitted[0], fitted[1]], [y[::2].mean(), y[1::2].mean()], rtol=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_dependent_columns_share_the_effect(loss):
    """The refit on two copies, at different scales, has the least norm in standard deviations."""
    X, y = make_problem(loss, n=100, p=3)
    path = riata.fit_path(X, y, loss=loss, l1_ratio=0.9, alphas=[0.05])
    single = riata.relax(path, X, y).coef(0.05)
    doubled = np.column_stack([X, 5.0 * X[:, 0] - 1.0])
    path = riata.fit_path(doubled, y, loss=loss, l1_ratio=0.9, alphas=[0.05])
    assert path.n_active[0] == 4
    coef = riata.relax(path, doubled, y).coef(0.05)
    assert_allclose(coef[1:3], single[1:], rtol=1e-5)
    assert_allclose([coef[0], 5.0 * coef[3]], single[0] / 2, rtol=1e-5)


def test_nearly_dependent_columns_are_solved_as_numpy_does():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 4))
    X[:, 3] = X[:, 0] + 1e-4 * rng.standard_normal(50)
    y = X @ [1.0, -1.0, 0.0, 1.0] + rng.standard_normal(50)
    for _ in range(3):
        path = riata.fit_path(X, y, l1_ratio=0.5, alphas=[0.01], fit_intercept=False)
        support = np.flatnonzero(path.coef(0.01))
        coef = riata.relax(path, X, y).coef(0.01)[support]
        assert_allclose(coef, np.linalg.lstsq(X[:, support], y, rcond=None)[0], rtol=1e-6)
        X[:, 3] = X[:, 0] + 0.03 * (X[:, 3] - X[:, 0])


def test_every_kind_of_x(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (60, 90)).astype(float)
    y = X[:, :4].sum(axis=1) + rng.standard_normal(60)
    genotypes = riata.open_genotypes(write_plink(tmp_path / "g", X))
    some = genotypes.subset(samples=np.arange(10, 60))
    expected = None
    for kind in (X, sp.csc_matrix(X), sp.csr_array(X), pd.DataFrame(X), X.astype(np.int8), genotypes):
        path = riata.fit_path(kind, y, alphas=10, eps=0.2)
        coefs = riata.relax(path, kind, y).coef().toarray()
        model = riata.RelaxedLasso(0.1).fit(kind, y)
        cv = riata.RelaxedLassoCV(alphas=10, eps=0.2).fit(kind, y)
        found = coefs, model.coef_, model.predict(kind), cv.mse_path_, cv.coef_
        expected = expected or found
        for ours, theirs in zip(found, expected, strict=True):
            assert_allclose(ours, theirs, atol=1e-5)
    missing = np.where(rng.random(X.shape) < 0.05, np.nan, X)
    called = riata.open_genotypes(write_plink(tmp_path / "missing", missing))
    filled = np.where(np.isnan(missing), np.nanmean(missing, axis=0), missing)
    assert_allclose(
        riata.RelaxedLasso(0.1).fit(called, y).coef_, riata.RelaxedLasso(0.1).fit(filled, y).coef_
    )
    path, plain = riata.fit_path(some, y[10:]), riata.fit_path(X[10:], y[10:])
    alpha = path.alphas[20]
    assert_allclose(
        riata.relax(path, some, y[10:]).coef(alpha), riata.relax(plain, X[10:], y[10:]).coef(alpha), atol=1e-8
    )


def test_the_data_have_to_be_those_of_the_path():
    X, y = make_problem()
    path = riata.fit_path(X, y)
    with pytest.raises(ValueError, match=r"y and sample_weight must be those of the path, whose standard"):
        riata.relax(path, X, y + np.arange(40))
    with pytest.raises(ValueError, match="with 40 samples of positive weight, got 39"):
        riata.relax(path, X, y, sample_weight=np.arange(40))
    with pytest.raises(ValueError, match="X must have the 60 features of the fit, got 59"):
        riata.relax(path, X[:, 1:], y)
    with pytest.raises(
        TypeError, match="path must be a RegularizationPath or a CVPath, got an object of type Lasso"
    ):
        riata.relax(riata.Lasso(), X, y)
    several = riata.fit_path(X, np.column_stack([y, y[::-1]]), loss="multigaussian", alphas=3)
    with pytest.raises(ValueError, match="path must have a loss with one output to be relaxed, got 'multig"):
        riata.relax(several, X, y)
    with pytest.raises(ValueError, match=r"gamma must be >= 0 and <= 1, got 1\.5"):
        riata.relax(path, X, y).coef(path.alphas[3], 1.5)


@pytest.mark.parametrize("weighted", [True, False])
def test_relaxed_lasso_is_between_both(weighted, weights):
    X, y = make_problem()
    weights = weights if weighted else None
    lasso = riata.Lasso(0.2).fit(X, y, sample_weight=weights)
    support = lasso.get_support(indices=True)
    coef, intercept = least_squares(X[:, support], y, np.ones(40) if weights is None else weights)
    for gamma in (0.0, 0.4, 1.0):
        model = riata.RelaxedLasso(0.2, gamma=gamma).fit(X, y, sample_weight=weights)
        assert_allclose(model.coef_[support], gamma * lasso.coef_[support] + (1 - gamma) * coef, atol=1e-10)
        assert_allclose(model.intercept_, gamma * lasso.intercept_ + (1 - gamma) * intercept, atol=1e-10)
        assert_array_equal(model.get_support(indices=True), support)
        assert model.dual_gap_ == lasso.dual_gap_
        assert model.converged_
        assert model.gamma_ == gamma
    assert_array_equal(model.relaxed_path_.coef(0.2, 0.0), riata.RelaxedLasso(0.2).fit(X, y, weights).coef_)
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_relaxed_lasso_says_when_it_does_not_relax():
    X, y = make_problem(n=10)
    with pytest.warns(
        UserWarning, match=r"gamma=0 was taken as 1: with 10 samples least squares on \d+ feat"
    ):
        model = riata.RelaxedLasso(1e-4).fit(X, y)
    assert model.gamma_ == 1.0
    assert_array_equal(model.coef_, riata.Lasso(1e-4).fit(X, y).coef_)


@pytest.mark.parametrize("cv", [3, KFold(4, shuffle=True, random_state=0), ShuffleSplit(3, random_state=0)])
@pytest.mark.parametrize("weighted", [True, False])
def test_one_cross_validation_equals_refits_fold_by_fold(cv, weighted, weights):
    X, y = make_problem()
    weights = weights if weighted else np.ones(40)
    alphas, gammas = np.geomspace(1.0, 0.02, 8), [0.0, 0.3, 1.0]
    model = riata.RelaxedLassoCV(alphas=alphas, gammas=gammas, cv=cv, tol=1e-10)
    model.fit(X, y, sample_weight=weights)
    splits = KFold(cv) if isinstance(cv, int) else cv
    for k, (train, test) in enumerate(splits.split(X)):
        for i, alpha in enumerate(alphas):
            lasso = riata.Lasso(alpha, tol=1e-10).fit(X[train], y[train], weights[train])
            support = lasso.coef_ != 0.0
            free = support.sum() + 1 < np.count_nonzero(weights[train])
            coef, level = least_squares(X[train][:, support], y[train], weights[train])
            for j, gamma in enumerate(gammas):
                eta = gamma * lasso.predict(X[test]) + (1 - gamma) * (X[test][:, support] @ coef + level)
                error = np.average((y[test] - eta) ** 2, weights=weights[test])
                found = model.mse_path_[i, j, k]
                assert_allclose(found, error if free or gamma == 1.0 else np.nan, rtol=1e-4)
    mean = model.mse_path_.mean(axis=2)
    i, j = np.unravel_index(np.nanargmin(mean), mean.shape)
    assert (model.alpha_, model.gamma_) == (alphas[i], gammas[j])
    refit = riata.RelaxedLasso(alphas[i], gamma=gammas[j], tol=1e-10).fit(X, y, weights)
    assert_allclose(model.coef_, refit.coef_, atol=1e-6)
    assert_allclose(model.intercept_, refit.intercept_, atol=1e-6)


def test_gamma_one_alone_is_the_cross_validated_lasso():
    X, y = make_problem()
    ours = riata.RelaxedLassoCV(gammas=[1.0]).fit(X, y)
    lasso = riata.LassoCV().fit(X, y)
    assert_allclose(ours.mse_path_[:, 0], lasso.mse_path_, rtol=1e-10)
    assert ours.alpha_ == lasso.alpha_
    assert_array_equal(ours.coef_, lasso.coef_)
    assert_array_equal(ours.dual_gaps_, lasso.dual_gaps_)
    assert_array_equal(ours.cv_result_.scores, lasso.mse_path_)


def test_one_standard_error_takes_the_sparsest_then_the_most_regularised():
    X, y = make_problem(noise=2.0)
    model = riata.RelaxedLassoCV(alpha_rule="1se", cv=4).fit(X, y)
    mean = model.mse_path_.mean(axis=2)
    error = model.mse_path_.std(axis=2) / np.sqrt(3)
    i, j = np.unravel_index(np.nanargmin(mean), mean.shape)
    assert (model.alphas_[i], model.gammas_[j]) == (model.alpha_min_, model.gamma_min_)
    within = mean <= mean[i, j] + error[i, j]
    size = np.diff(model.coef_path_.indptr)
    pairs = [(size[a], -model.alphas_[a], -model.gammas_[g]) for a, g in np.argwhere(within)]
    assert (np.count_nonzero(model.coef_), -model.alpha_, -model.gamma_) == min(pairs)
    assert model.alpha_ == model.alpha_1se_ > model.alpha_min_
    assert model.gamma_ == model.gamma_1se_


def test_a_sparser_and_better_model_than_the_lasso():
    """Strong effects among much noise (Hastie et al. 2020): shrinking less lets fewer features in."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100, 300))
    beta = np.zeros(300)
    beta[:5] = 2.0
    y = X @ beta + rng.standard_normal(100)
    relaxed, lasso = riata.RelaxedLassoCV().fit(X, y), riata.LassoCV().fit(X, y)
    assert relaxed.gamma_ < 1.0
    assert set(range(5)) <= set(relaxed.get_support(indices=True))
    assert relaxed.get_support().sum() < lasso.get_support().sum()
    assert np.linalg.norm(relaxed.coef_ - beta) < 0.5 * np.linalg.norm(lasso.coef_ - beta)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (riata.RelaxedLasso(gamma=-0.1), "gamma must be >= 0 and <= 1, got -0.1"),
        (riata.RelaxedLasso(alpha=0.0), "alpha must be > 0, got 0.0"),
        (riata.RelaxedLassoCV(gammas=[]), r"gammas must be a non-empty 1-D sequence of numbers .* got \[\]"),
        (riata.RelaxedLassoCV(gammas=[2.0]), "gammas must be >= 0 and <= 1, got 2.0"),
        (riata.RelaxedLassoCV(alpha_rule="best"), "alpha_rule must be one of .*, got 'best'"),
        (
            riata.RelaxedLassoCV(alphas=[1e-6], gammas=[0.0], cv=2),
            "gammas must hold 1 when no alpha has a unique least squares fit in every fold",
        ),
    ],
)
def test_bad_parameters(model, message):
    X, y = make_problem()
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


def test_any_number_of_threads_gives_the_same_bits():
    X, y = make_problem()
    one, two = (riata.RelaxedLassoCV(n_threads=t).fit(X, y) for t in (1, 2))
    assert_array_equal(one.mse_path_, two.mse_path_)
    assert_array_equal(one.coef_, two.coef_)
