"""The same fit in other parametrisations, each checked by what it claims."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from several_outputs import make_outputs
from sklearn.linear_model import LogisticRegression, MultiTaskLasso
from sklearn.preprocessing import StandardScaler
from support import make_problem

import riata

TIGHT = {"tol": 1e-12}


def test_rss_lambda_minimises_rss_plus_lambda_norm():
    """A smooth solver on positive and negative parts agrees."""
    X, y = make_problem(n=30, p=4)
    X, y = X - X.mean(axis=0), y - y.mean()
    path = riata.fit_path(X, y, alphas=[0.2], standardize=False, **TIGHT)
    lam = riata.equivalents(path).rss_lambda
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
    same = riata.equivalents(path)
    theirs = LogisticRegression(
        C=same.sklearn_C, l1_ratio=1.0, solver="saga", tol=1e-12, max_iter=100_000
    ).fit(X, y)
    assert_allclose(theirs.coef_[0], path.coef(0.03), atol=1e-5)
    assert same.rss_lambda is None
    assert_allclose(same.laplace_scale, 1.0 / (60 * 0.03))


def test_classes_and_responses_have_the_parameters_of_scikit_learn():
    X, y = make_outputs("multinomial")
    path = riata.fit_path(X, y, loss="multinomial", alphas=3)
    assert_allclose(riata.equivalents(path, path.alphas[1]).sklearn_C, 1.0 / (len(y) * path.alphas[1]))
    assert_allclose(
        riata.equivalents(path).radius, np.abs(path.coef(path.alphas[-1]) * X.std(axis=0)[:, None]).sum()
    )
    together = riata.fit_path(X, y, loss="multinomial", alphas=3, row_grouped=True)
    assert riata.equivalents(together).sklearn_C is None
    assert riata.equivalents(together).laplace_scale is None
    X, y = make_outputs()
    path = riata.fit_path(X, y, loss="multigaussian", alphas=3)
    same = riata.equivalents(path, path.alphas[1])
    theirs = MultiTaskLasso(same.alpha, tol=1e-10, max_iter=100_000).fit(StandardScaler().fit_transform(X), y)
    assert_allclose(same.radius, np.linalg.norm(theirs.coef_, axis=0).sum(), rtol=1e-4)
    assert_allclose(same.rss_lambda, 2 * len(y) * same.alpha)
    assert "RSS + λΣ‖b_j‖₂: λ" in repr(same)


def test_radius_is_the_norm_on_the_scale_of_the_penalty():
    X, y = make_problem()
    path = riata.fit_path(X, y, alphas=10)
    assert_allclose(riata.equivalents(path).radius, np.abs(path.coef(path.alphas[-1]) * X.std(axis=0)).sum())


def test_glmnet_note_only_where_glmnet_differs():
    X, y = make_problem()
    assert riata.equivalents(riata.fit_path(X, y, alphas=3)).glmnet_note == ""
    note = riata.equivalents(riata.fit_path(X, y, alphas=3, l1_ratio=0.5)).glmnet_note
    assert f"{y.std():.8g}" in note


def test_takes_cross_validations_and_estimators():
    X, y = make_problem()
    cv = riata.cv_path(X, y, cv=3, alphas=10)
    assert riata.equivalents(cv).alpha == cv.alpha
    model = riata.LassoCV(alphas=10, cv=3).fit(X, y)
    assert riata.equivalents(model).alpha == model.alpha_
    table = repr(riata.equivalents(cv))
    assert "RSS + λ‖b‖₁" in table
    assert "nan" not in table
    with pytest.raises(TypeError, match="fit must be a Path, a CVPath or a fitted"):
        riata.equivalents(riata.Lasso())
