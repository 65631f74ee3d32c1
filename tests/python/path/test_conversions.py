"""The same fit in other parametrisations, each checked by what it claims."""

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
import sklearn.linear_model
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from several_outputs import make_outputs
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, MultiTaskLasso
from sklearn.preprocessing import StandardScaler
from support import loss_value, make_problem
from test_references import NEARLY_COLLINEAR, SHARED_FILES, STORED, needs_shared, read_shared, read_stored

import riata

TIGHT = {"tol": 1e-12}


def test_rss_lambda_minimises_rss_plus_lambda_norm():
    """A smooth solver on positive and negative parts agrees."""
    X, y = make_problem(n=30, p=4)
    X, y = X - X.mean(axis=0), y - y.mean()
    path = riata.fit_path(X, y, alphas=[0.2], standardize=False, **TIGHT)
    lam = riata.conversions(path).rss_lambda
    assert_allclose(lam, 2 * 30 * 0.2)

    def value(parts):
        b = parts[:4] - parts[4:]
        residual = y - X @ b
        grad = -2 * X.T @ residual
        return residual @ residual + lam * parts.sum(), np.r_[grad + lam, lam - grad]

    found = minimize(
        value, np.zeros(8), jac=True, bounds=[(0, None)] * 8, method="L-BFGS-B", options={"ftol": 1e-15}
    )
    assert_allclose(found.x[:4] - found.x[4:], path.coef(0.2), atol=1e-4)


def test_sklearn_c_gives_the_same_fit():
    X, y = make_problem("binomial", 60, 6)
    path = riata.fit_path(X, y, loss="binomial", alphas=[0.03], standardize=False, **TIGHT)
    same = riata.conversions(path)
    theirs = LogisticRegression(
        C=same.sklearn_C, l1_ratio=1.0, solver="saga", tol=1e-12, max_iter=100_000
    ).fit(X, y)
    assert_allclose(theirs.coef_[0], path.coef(0.03), atol=1e-5)
    assert same.rss_lambda is None
    assert_allclose(same.laplace_scale, 1.0 / (60 * 0.03))


def test_classes_and_responses_have_the_parameters_of_scikit_learn():
    X, y = make_outputs("multinomial")
    path = riata.fit_path(X, y, loss="multinomial", alphas=3)
    assert_allclose(riata.conversions(path, path.alphas[1]).sklearn_C, 1.0 / (len(y) * path.alphas[1]))
    assert_allclose(
        riata.conversions(path).radius, np.abs(path.coef(path.alphas[-1]) * X.std(axis=0)[:, None]).sum()
    )
    together = riata.fit_path(X, y, loss="multinomial", alphas=3, grouped=True)
    assert riata.conversions(together).sklearn_C is None
    assert riata.conversions(together).laplace_scale is None
    X, y = make_outputs()
    path = riata.fit_path(X, y, loss="multigaussian", alphas=3)
    same = riata.conversions(path, path.alphas[1])
    theirs = MultiTaskLasso(same.alpha, tol=1e-10, max_iter=100_000).fit(StandardScaler().fit_transform(X), y)
    assert_allclose(same.radius, np.linalg.norm(theirs.coef_, axis=0).sum(), rtol=1e-4)
    assert_allclose(same.rss_lambda, 2 * len(y) * same.alpha)
    assert "RSS + λΣ‖b_j‖₂: λ" in repr(same)


def test_radius_is_the_norm_on_the_scale_of_the_penalty():
    X, y = make_problem()
    path = riata.fit_path(X, y, alphas=10)
    assert_allclose(riata.conversions(path).radius, np.abs(path.coef(path.alphas[-1]) * X.std(axis=0)).sum())


@needs_shared
@pytest.mark.parametrize("file", SHARED_FILES, ids=lambda file: file.stem)
def test_glmnet_parameters_of_shared_references(file):
    """What glmnet was given comes back from our fit of the same coefficients."""
    reference = read_shared(file)
    with np.load(file, allow_pickle=False) as data:
        lambdas = data["lambda"]
        settings = dict(setting.split("=") for setting in data["settings"].tolist())
    few = [len(lambdas) // 3, 2 * len(lambdas) // 3]
    path, coefs = replace(reference, alphas=reference.alphas[few]).fit()
    size = np.abs(reference.coefs).max()
    for k, at in enumerate(few):
        if file.stem not in NEARLY_COLLINEAR:
            assert_allclose(coefs[:, k], reference.coefs[:, at], atol=1e-4 * size)
        same = riata.conversions(path, path.alphas[k])
        assert_allclose(same.glmnet_lambda, lambdas[at], rtol=1e-12)
        assert_allclose(same.glmnet_alpha, float(settings.get("alpha", 1.0)), rtol=1e-12)


@pytest.mark.parametrize("name", ["gaussian", "binomial"])
def test_glmnet_rescales_penalty_factors(name):
    """tests/data/references/make.py stored alpha as lambda p / sum(pf)."""
    reference = read_stored(STORED / f"{name}_penalty_factor.npz")
    path, coefs = reference.fit()
    assert_allclose(coefs, reference.coefs, atol=1e-5 * np.abs(reference.coefs).max())
    factor = reference.penalty_factor
    lambdas = reference.alphas * factor.sum() / len(factor)
    found = [riata.conversions(path, alpha).glmnet_lambda for alpha in path.alphas]
    assert_allclose(found, lambdas, rtol=1e-12)


def test_glmnet_note_only_where_glmnet_differs():
    X, y = make_problem()
    assert riata.conversions(riata.fit_path(X, y, alphas=3)).glmnet_note == ""
    mixed = riata.conversions(riata.fit_path(X, y, alphas=3, l1_ratio=0.5))
    assert f"{y.std():.8g}" in mixed.glmnet_note
    assert "glmnet alpha" in repr(mixed)
    without = riata.fit_path(X, y, alphas=3, l1_ratio=0.5, fit_intercept=False)
    assert riata.conversions(without).glmnet_lambda is None


@pytest.mark.parametrize("l1_ratio", [0.4, 1.0])
def test_sklearn_alpha_gives_the_same_fit(l1_ratio):
    X, y = make_problem(n=60, p=8)
    path = riata.fit_path(X, y, l1_ratio=l1_ratio, standardize=False, alphas=[0.3, 0.05], **TIGHT)
    for alpha in path.alphas:
        same = riata.conversions(path, alpha)
        theirs = sklearn.linear_model.ElasticNet(
            same.alpha, l1_ratio=same.l1_ratio, tol=1e-12, max_iter=100_000
        )
        assert_allclose(theirs.fit(X, y).coef_, path.coef(alpha), atol=1e-6)


def test_ridge_alpha_gives_the_same_fit():
    X, y = make_problem(n=60, p=8)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 60)
    path = riata.fit_path(X, y, l1_ratio=0.0, standardize=False, alphas=[0.3], sample_weight=weights, **TIGHT)
    same = riata.conversions(path)
    theirs = sklearn.linear_model.Ridge(same.ridge_alpha).fit(X, y, sample_weight=weights)
    assert_allclose(theirs.coef_, path.coef(0.3), atol=1e-6)
    assert riata.conversions(riata.fit_path(X, y, alphas=3)).ridge_alpha is None


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("loss", ["gaussian", "binomial", "poisson", "huber"])
def test_radius_gives_the_same_fit(loss, standardize):
    X, y = make_problem(loss, 50, 20)
    X = X * np.geomspace(0.5, 3.0, 20)
    given = {"penalty_factor": np.linspace(0.5, 2.0, 20), "exclude": [3], "standardize": standardize}
    path = riata.fit_path(X, y, loss=loss, alphas=8, eps=0.01, **given, tol=1e-11)
    for alpha in path.alphas[[2, 7]]:
        same = riata.conversions(path, alpha)
        fit = riata.constrained_lasso(X, y, same.radius, loss=loss, **given)
        assert_allclose(fit.coef, path.coef(alpha), atol=1e-5)
        assert_allclose(fit.alpha, alpha, rtol=1e-4)
        again = riata.conversions(fit)
        assert_allclose(again.radius, same.radius, rtol=1e-8)
        assert_allclose(again.sum_lambda, same.sum_lambda, rtol=1e-4)
        raw = given["penalty_factor"] @ np.abs(path.coef(alpha))
        assert_allclose(same.raw_radius, raw, rtol=1e-10)
        assert (same.raw_radius == same.radius) is not standardize


@pytest.mark.parametrize("l1_ratio", [1.0, 0.6, 0.0])
@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
def test_prior_has_the_fit_for_its_mode(loss, l1_ratio):
    """Minus the log posterior under the prior, minimised on positive and negative parts."""
    X, y = make_problem(loss, 40, 4)
    factor, variance = np.array([1.0, 2.0, 0.5, 1.0]), 0.3 if loss == "gaussian" else 1.0
    path = riata.fit_path(X, y, loss=loss, l1_ratio=l1_ratio, alphas=[0.05], penalty_factor=factor, **TIGHT)
    same = riata.conversions(path)
    laplace = np.inf if same.laplace_scale is None else same.laplace_scale * variance
    normal = np.inf if same.normal_scale is None else same.normal_scale * np.sqrt(variance)
    assert (same.laplace_scale is None) == (l1_ratio == 0.0)
    assert (same.normal_scale is None) == (l1_ratio == 1.0)
    scaled = X / X.std(axis=0)

    def minus_log_posterior(v):
        c = v[:4] - v[4:8]
        likelihood = 40.0 * loss_value(loss, y, scaled @ c + v[8], np.ones(40)) / variance
        return likelihood + factor @ ((v[:4] + v[4:8]) / laplace + c**2 / (2.0 * normal**2))

    found = minimize(
        minus_log_posterior, np.full(9, 0.1), bounds=[(0, None)] * 8 + [(None, None)], method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10, "maxfun": 100_000},
    )  # fmt: skip
    assert_allclose((found.x[:4] - found.x[4:8]) / X.std(axis=0), path.coef(0.05), atol=3e-4)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.0])
@pytest.mark.parametrize("loss", ["gaussian", "cox"])
def test_feature_penalty_gives_the_same_fit_without_standardising(loss, l1_ratio):
    X, y = make_problem(loss, 50, 12)
    X = X * np.geomspace(0.2, 5.0, 12)
    factor = np.linspace(0.5, 2.0, 12)
    factor[2] = np.inf
    path = riata.fit_path(
        X, y, loss=loss, l1_ratio=l1_ratio, alphas=[0.2, 0.05], penalty_factor=factor, **TIGHT
    )
    for alpha in path.alphas:
        penalty = riata.conversions(path, alpha).feature_penalty
        assert penalty[2] == np.inf
        raw = riata.fit_path(
            X, y, loss=loss, l1_ratio=l1_ratio, alphas=[1.0], penalty_factor=penalty, standardize=False,
            **TIGHT,
        )  # fmt: skip
        assert_allclose(raw.coef(1.0), path.coef(alpha), atol=1e-6)
    mixed = riata.fit_path(X, y, loss=loss, l1_ratio=0.5, alphas=3)
    assert riata.conversions(mixed).feature_penalty is None


ESTIMATORS = [
    (riata.Lasso(0.2), "gaussian"),
    (riata.ElasticNet(0.2, l1_ratio=0.5, standardize=True), "gaussian"),
    (riata.SparseLogisticRegression(0.05), "binomial"),
    (riata.SparseLogisticRegression(C=0.5, standardize=True), "binomial"),
    (riata.SparsePoissonRegressor(0.1, penalty_factor=np.linspace(0.5, 2.0, 10)), "poisson"),
    (riata.SparseCox(0.05, standardize=True), "cox"),
    (riata.MultiTaskLasso(0.1), "multigaussian"),
    (riata.SparseLogisticRegression(0.05, grouped=True), "multinomial"),
]


@pytest.mark.parametrize(("estimator", "loss"), ESTIMATORS, ids=lambda value: str(value)[:40])
def test_estimators_say_what_a_path_says(estimator, loss):
    several = loss.startswith("multi")
    X, y = make_outputs(loss) if several else make_problem(loss, 50, 10)
    if loss == "multinomial":
        y = y.argmax(axis=1)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, len(X))
    model = clone(estimator).set_params(tol=1e-10).fit(X, y, sample_weight=weights)
    same = riata.conversions(model)
    path = riata.fit_path(
        X, y, loss=loss, alphas=[same.alpha], l1_ratio=same.l1_ratio, standardize=model.standardize,
        sample_weight=weights, tol=1e-10, grouped=loss == "multinomial",
        penalty_factor=model.penalty_factor,
    )  # fmt: skip
    other = riata.conversions(path)
    for item in fields(same):
        ours, theirs = getattr(same, item.name), getattr(other, item.name)
        if isinstance(ours, float | np.ndarray):
            assert_allclose(ours, theirs, rtol=1e-5, err_msg=item.name)
        else:
            assert ours == theirs, item.name
    assert_allclose(same.sum_lambda, weights.sum() * same.alpha)
    if getattr(model, "C", None) is not None:
        assert_allclose(same.sklearn_C, model.C)
    model.set_params(alpha=7.0, standardize=not model.standardize)  # changes nothing of what was fitted
    assert repr(riata.conversions(model)) == repr(same)
    kept = pickle.loads(pickle.dumps(model))
    assert repr(riata.conversions(kept)) == repr(same)


def test_an_inactive_budget_has_no_price():
    X, y = make_problem("binomial", 80, 4)
    same = riata.conversions(riata.constrained_lasso(X, y, 1e3, loss="binomial", exclude=[1]))
    assert same.alpha == 0.0
    assert same.sklearn_C == np.inf
    assert same.laplace_scale == np.inf
    assert same.feature_penalty.tolist() == [0.0, np.inf, 0.0, 0.0]


def test_takes_cross_validations_and_estimators():
    X, y = make_problem()
    cv = riata.cv_path(X, y, cv=3, alphas=10)
    assert riata.conversions(cv).alpha == cv.alpha
    model = riata.LassoCV(alphas=10, cv=3).fit(X, y)
    assert riata.conversions(model).alpha == model.alpha_
    table = repr(riata.conversions(cv))
    assert "RSS + λ‖b‖₁" in table
    assert "nan" not in table
    with pytest.raises(TypeError, match="fit must be a RegularizationPath, a CVPath or a fitted"):
        riata.conversions(riata.Lasso())
    with pytest.raises(ValueError, match=r"alpha must be left out for a fit that has no path, got 0\.1"):
        riata.conversions(riata.Lasso().fit(X, y), 0.1)
