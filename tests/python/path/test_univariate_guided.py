"""The univariate-guided lasso against its definition, written out with loops."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import expit

import riata

PENALTY = riata.penalties.UniLasso


def problem(seed=0, n=60, p=25):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) * rng.uniform(0.5, 3.0, p) + rng.uniform(-2, 2, p)
    eta = 1.2 * (X[:, 0] - X[:, 0].mean()) - 0.8 * (X[:, 2] - X[:, 2].mean())
    return X, eta, rng


def response(loss, eta, rng):
    n = len(eta)
    if loss == "gaussian":
        return eta + rng.standard_normal(n)
    if loss == "binomial":
        return (rng.random(n) < expit(eta)).astype(float)
    if loss == "poisson":
        return rng.poisson(np.exp(0.3 * eta)).astype(float)
    time = rng.exponential(np.exp(-eta))
    return np.column_stack([time, rng.random(n) < 0.7])


def cox_derivatives(y, weights):
    """Minus gradient and diagonal Hessian of the Breslow partial likelihood, by its definition."""
    time, event = y[:, 0], y[:, 1] > 0
    share = weights / weights.sum()

    def at(eta):
        u, h = np.zeros(len(eta)), np.zeros(len(eta))
        for i in np.flatnonzero(event & (share > 0)):
            risk = time >= time[i]
            q = np.where(risk, weights * np.exp(eta), 0.0)
            q /= q.sum()
            u[i] += share[i]
            u -= share[i] * q
            h += share[i] * q * (1 - q)
        return u, h

    return at


def derivatives(loss, y, weights):
    share = weights / weights.sum()
    if loss == "cox":
        return cox_derivatives(y, weights)
    if loss == "gaussian":
        return lambda eta: (share * (y - eta), share)
    if loss == "binomial":
        return lambda eta: (share * (y - expit(eta)), share * expit(eta) * (1 - expit(eta)))
    return lambda eta: (share * (y - np.exp(eta)), share * np.exp(eta))


def deviance(loss, y, link, weights):
    """Mean deviance of linear predictors (L, n), by its definition, up to a factor."""
    if loss == "gaussian":
        return (weights * (y - link) ** 2).sum(axis=1)
    if loss == "binomial":
        return (weights * (np.logaddexp(0.0, link) - y * link)).sum(axis=1)
    if loss == "poisson":
        saturated = np.where(y > 0, y * np.log(np.maximum(y, 1e-300)) - y, 0.0)
        return (weights * (np.exp(link) - y * link + saturated)).sum(axis=1)
    time, event = y[:, 0], y[:, 1] > 0
    out = np.zeros(len(link))
    for i in np.flatnonzero(event & (weights > 0)):
        risk = weights * (time >= time[i])
        out += weights[i] * (np.log((risk * np.exp(link)).sum(axis=1)) - link[:, i] - np.log(weights[i]))
    return out


def null_deviance(loss, y, weights, offset):
    shift = np.zeros(len(y)) if offset is None else offset
    g = 0.0 if loss == "cox" else null_intercept(derivatives(loss, y, weights), len(y), shift)
    return deviance(loss, y, (shift + g)[None], weights)


def null_intercept(at, n, offset):
    g = 0.0
    for _ in range(100):
        u, h = at(np.full(n, g) + offset)
        g += u.sum() / h.sum()
    return g


def leave_one_out(loss, x, y, weights, offset, steps):
    """Slope and intercept of a one-feature model, and each row's prediction by least squares without it."""
    n = len(x)
    at = derivatives(loss, y, weights)
    eta = np.full(n, 0.0 if loss == "cox" else null_intercept(at, n, offset)) + offset
    A = np.column_stack([np.ones(n), x])
    for _ in range(steps):
        u, h = at(eta)
        used = h > 0
        working = np.zeros(n)
        working[used] = eta[used] - offset[used] + u[used] / h[used]

        def fitted(keep, h=h, working=working):
            root = np.sqrt(h[keep])
            return np.linalg.lstsq(A[keep] * root[:, None], working[keep] * root, rcond=None)[0]

        coef = fitted(used)
        eta = A @ coef + offset
    out = A @ coef
    for i in np.flatnonzero(weights > 0):
        out[i] = A[i] @ fitted(used & (np.arange(n) != i))
    return coef, out


def plain(loss, X, y, alphas, *, weights=None, offset=None, steps=2):
    """Coefficients (p, L) of the plain construction: all predictions in a matrix, a lasso with bounds."""
    n, p = X.shape
    weights = np.ones(n) if weights is None else weights
    shift = np.zeros(n) if offset is None else offset
    steps = 1 if loss == "gaussian" else steps
    found = [leave_one_out(loss, X[:, j], y, weights, shift, steps) for j in range(p)]
    Z = np.column_stack([z for _, z in found])
    slope = np.array([coef[1] for coef, _ in found])
    path = riata.fit_path(
        Z, y, loss=loss, alphas=alphas, standardize=False, lower=0.0, tol=1e-12, sample_weight=weights,
        offset=offset,
    )  # fmt: skip
    theta = path.coefs.toarray()
    intercept = path.intercepts
    if loss != "cox":
        intercept = intercept + theta.T @ np.array([coef[0] for coef, _ in found])
    return slope[:, None] * theta, intercept, path


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox", "poisson"])
@pytest.mark.parametrize("weighted", [False, True])
def test_is_the_plain_construction(loss, weighted):
    X, eta, rng = problem(1)
    y = response(loss, eta, rng)
    weights = rng.uniform(0.5, 2.0, len(X)) if weighted else None
    offset = 0.3 * rng.standard_normal(len(X)) if weighted else None
    if weighted:
        weights[[3, 17]] = 0.0
    path = riata.fit_path(
        X, y, loss=loss, penalty=PENALTY(), alphas=20, tol=1e-12, sample_weight=weights, offset=offset
    )
    coefs, intercepts, reference = plain(loss, X, y, path.alphas, weights=weights, offset=offset)
    assert path.alpha_max == pytest.approx(reference.alpha_max, rel=1e-10)
    np.testing.assert_allclose(path.coefs.toarray(), coefs, atol=1e-10)
    np.testing.assert_allclose(path.intercepts, intercepts, atol=1e-9)
    assert path.converged.all()
    assert np.count_nonzero(coefs[:, -1]) >= 2
    share = np.ones(len(X)) if weights is None else weights
    link = coefs.T @ X.T + intercepts[:, None] + (0.0 if offset is None else offset)
    ratio = 1.0 - deviance(loss, y, link, share) / null_deviance(loss, y, share, offset)
    np.testing.assert_allclose(path.deviance_ratio, ratio, atol=1e-8)


def test_squares_leave_one_out_by_refitting():
    """z_ij of squares is the prediction of row i by the regression on the other rows."""
    X, eta, rng = problem(2, n=12, p=3)
    y = eta + rng.standard_normal(12)
    from riata import _core

    design, intercept, slope = _core.leave_one_out_design(
        _core.dense_design(X), y, np.ones(12), None, "gaussian", None, True, 1
    )
    Z = design.gather(np.arange(3))
    for j in range(3):
        assert (slope[j], intercept[j]) == pytest.approx(np.polyfit(X[:, j], y, 1), abs=1e-12)
        for i in range(12):
            rest = np.arange(12) != i
            b, a = np.polyfit(X[rest, j], y[rest], 1)
            assert Z[i, j] == pytest.approx(a + b * X[i, j], abs=1e-11)


def test_a_row_that_alone_varies():
    """A singleton variant: without its carrier there is nothing to fit but the mean."""
    from riata import _core

    x = np.zeros((8, 1))
    x[2] = 1.0
    y = np.arange(8.0)
    design, _, slope = _core.leave_one_out_design(
        _core.dense_design(x), y, np.ones(8), None, "gaussian", None, True, 1
    )
    others = np.delete(y, 2).mean()
    z = design.gather(np.array([0]))[:, 0]
    assert slope[0] == pytest.approx(2.0 - others)
    assert z[2] == pytest.approx(others)
    assert z[0] == pytest.approx(np.delete(y, [0, 2]).mean())


def test_signs_are_those_of_each_feature_alone():
    X, eta, rng = problem(3, n=80, p=200)
    y = eta + rng.standard_normal(80)
    path = riata.fit_path(X, y, penalty=PENALTY())
    alone = np.array([np.polyfit(x, y, 1)[0] for x in X.T])
    coefs = path.coefs.toarray()
    assert (coefs * alone[:, None] >= 0.0).all()
    assert (coefs != 0).any()


def test_the_scale_of_a_feature_is_of_no_account():
    X, eta, rng = problem(4)
    y = eta + rng.standard_normal(len(X))
    factor = np.geomspace(0.1, 50.0, X.shape[1])
    one = riata.fit_path(X, y, penalty=PENALTY(), alphas=10, tol=1e-12)
    other = riata.fit_path(X * factor, y, penalty=PENALTY(), alphas=one.alphas, tol=1e-12, standardize=False)
    np.testing.assert_allclose(other.coefs.toarray() * factor[:, None], one.coefs.toarray(), atol=1e-9)


def test_free_features_stand_beside():
    """By definition: their own fit is an offset of the one-feature models; in the joint one they are free."""
    X, eta, rng = problem(5)
    y = eta + 2.0 * X[:, 5] + rng.standard_normal(len(X))
    free = np.array([5, 9])
    factor = np.ones(X.shape[1])
    factor[free] = 0.0
    path = riata.fit_path(X, y, penalty=PENALTY(), alphas=12, penalty_factor=factor, tol=1e-12)
    A = np.column_stack([np.ones(len(X)), X[:, free]])
    offset = A @ np.linalg.lstsq(A, y, rcond=None)[0]
    found = [leave_one_out("gaussian", x, y - offset, np.ones(len(X)), np.zeros(len(X)), 1) for x in X.T]
    slope = np.array([coef[1] for coef, _ in found])
    Z = np.column_stack([z for _, z in found])
    Z[:, free] = X[:, free]
    lower = np.where(factor == 0.0, -np.inf, 0.0)
    reference = riata.fit_path(
        Z, y, alphas=path.alphas, penalty_factor=factor, lower=lower, standardize=False, tol=1e-12
    )
    slope[free] = 1.0
    np.testing.assert_allclose(path.coefs.toarray(), slope[:, None] * reference.coefs.toarray(), atol=1e-9)


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox"])
def test_folds_fit_features_anew(loss):
    """A fold of a cross-validation is the fit to its training rows alone."""
    X, eta, rng = problem(6, n=90)
    y = response(loss, eta, rng)
    folds = [(np.setdiff1d(np.arange(90), t), t) for t in np.array_split(np.arange(90), 3)]
    cv = riata.cv_path(X, y, loss=loss, penalty=PENALTY(), cv=folds, tol=1e-10, alphas=10)
    for train, test in folds:
        alone = riata.fit_path(
            X[train], y[train], loss=loss, penalty=PENALTY(), alphas=cv.path.alphas, tol=1e-10
        )
        for i, alpha in enumerate(cv.path.alphas):
            link = alone.predict(X, alpha=alpha, kind="link")
            if loss == "cox":  # which is told less the mean of the training rows
                link = link - link[train].mean()
            np.testing.assert_allclose(cv.oof_link[test][:, i], link[test], atol=1e-6)


@pytest.mark.parametrize("loss", ["gaussian", "cox"])
def test_several_responses_are_fitted_one_by_one(loss):
    X, eta, rng = problem(14)
    ys = [response(loss, eta, rng), response(loss, -0.5 * eta, rng)]
    ys[1] = np.array(ys[1], dtype=float)
    ys[1][:7] = np.nan
    paths = riata.fit_multi_path(X, ys, loss=loss, penalty=PENALTY(), alphas=8)
    cvs = riata.cv_multi_path(X, ys, loss=loss, penalty=PENALTY(), alphas=8, cv=3)
    for path, cv, y, rows in zip(paths, cvs, ys, [slice(0, None), slice(7, None)], strict=True):
        alone = riata.fit_path(X[rows], y[rows], loss=loss, penalty=PENALTY(), alphas=8)
        np.testing.assert_allclose(path.coefs.toarray(), alone.coefs.toarray(), atol=1e-7)
        np.testing.assert_allclose(cv.path.coefs.toarray(), alone.coefs.toarray(), atol=1e-7)


def test_storages_agree():
    X, eta, rng = problem(7)
    X = np.where(np.abs(X) > 1.5, X, 0.0)
    y = eta + rng.standard_normal(len(X))
    dense = riata.fit_path(X, y, penalty=PENALTY(), alphas=10, tol=1e-10)
    for other in (sp.csc_matrix(X), X.copy(order="C"), X[:, ::1]):
        path = riata.fit_path(other, y, penalty=PENALTY(), alphas=10, tol=1e-10)
        np.testing.assert_allclose(path.coefs.toarray(), dense.coefs.toarray(), atol=1e-8)


def test_threads_give_the_same_bits():
    X, eta, rng = problem(8, n=300, p=2000)
    y = eta + rng.standard_normal(len(X))
    run = [
        riata.fit_path(X, y, penalty=PENALTY(), alphas=15, run=riata.RunOptions(n_threads=k))
        for k in (1, 2, 3)
    ]
    for path in run[1:]:
        assert (path.coefs != run[0].coefs).nnz == 0
        assert np.array_equal(path.dual_gaps, run[0].dual_gaps)


class TestSlopesFromElsewhere:
    def test_is_the_lasso_with_factors_and_signs(self):
        X, eta, rng = problem(9)
        y = eta + rng.standard_normal(len(X))
        slope = rng.standard_normal(X.shape[1])
        slope[[2, 7]] = np.nan, 0.0
        path = riata.fit_path(X, y, penalty=PENALTY(slope), alphas=15, tol=1e-12)
        scaled = np.nan_to_num(slope)
        Z = X * scaled
        reference = riata.fit_path(
            Z, y, alphas=path.alphas, lower=0.0, standardize=False, tol=1e-12, exclude=[2, 7]
        )
        np.testing.assert_allclose(
            path.coefs.toarray(), scaled[:, None] * reference.coefs.toarray(), atol=1e-9
        )
        assert path.alpha_max == pytest.approx(reference.alpha_max, rel=1e-12)

    def test_by_name(self):
        import pandas as pd

        X, eta, rng = problem(10, p=4)
        y = eta + rng.standard_normal(len(X))
        frame = pd.DataFrame(X, columns=list("abcd"))
        slopes = np.array([1.0, 0.0, -0.5, -2.0])
        named = PENALTY({"d": -2.0, "a": 1.0, "c": -0.5})
        one = riata.fit_path(frame, y, penalty=named, alphas=5)
        other = riata.fit_path(X, y, penalty=PENALTY(slopes), alphas=5)
        np.testing.assert_allclose(one.coefs.toarray(), other.coefs.toarray(), atol=1e-12)
        assert not one.coefs.toarray()[1].any()

    @pytest.mark.parametrize(
        ("given", "text"),
        [
            ([1.0, 2.0], "one slope per feature"),
            ([np.inf] + [1.0] * 24, "finite"),
            ([0.0] * 25, "other than 0"),
        ],
    )
    def test_refused(self, given, text):
        X, eta, _ = problem(11)
        with pytest.raises(ValueError, match=text):
            riata.fit_path(X, eta, penalty=PENALTY(np.array(given)))


def test_refused():
    X, eta, _ = problem(12)
    with pytest.raises(ValueError, match="newton_steps"):
        PENALTY(newton_steps=0)
    with pytest.raises(ValueError, match="lower must be left out"):
        riata.fit_path(X, eta, penalty=PENALTY(), lower=0.0)
    with pytest.raises(ValueError, match="penalty must be"):
        riata.fit_path(X, np.column_stack([eta, eta]), loss="multigaussian", penalty=PENALTY())


def test_resumes(tmp_path):
    X, eta, rng = problem(13)
    y = eta + rng.standard_normal(len(X))
    file = tmp_path / "fit.ckpt"
    whole = riata.cv_path(X, y, penalty=PENALTY(), cv=3, alphas=20)
    seen = []

    def stop(done, total, *rest):
        seen.append((done, total))
        if done >= 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        riata.cv_path(X, y, penalty=PENALTY(), cv=3, alphas=20, checkpoint=file, progress=stop)
    assert seen[-1][1] == 80
    again = riata.cv_path(X, y, penalty=PENALTY(), cv=3, alphas=20, checkpoint=file)
    np.testing.assert_array_equal(again.scores, whole.scores)
    assert not list(tmp_path.iterdir())


def test_max_groups_counts_groups_of_features():
    X, _, rng = problem(15, n=100, p=40)
    y = X @ rng.standard_normal(40) + rng.standard_normal(100)
    groups = np.repeat(np.arange(10), 4)
    factor = np.ones(40)
    factor[3] = 0.0
    run = riata.RunOptions(max_groups=3, feature_groups=groups)
    path = riata.fit_path(X, y, penalty=PENALTY(), penalty_factor=factor, run=run)
    assert path.stop_reason == "max_groups"
    active = path.coefs[:, [-1]].toarray()[:, 0] != 0.0
    active[3] = False
    assert 1 <= len(np.unique(groups[active])) <= 3


def test_reads_slopes_by_header(tmp_path):
    file = tmp_path / "slopes.tsv"
    file.write_text("gene\tpvalue\tlog2fc\na\t0.01\t2\n")
    with pytest.raises(ValueError, match="must have a column of features"):
        riata.read_univariate(file, ["a", "b"])
    file.write_text("gene\tp\tbeta\na\t0.01\t-2\n")
    np.testing.assert_array_equal(riata.read_univariate(file, ["b", "a"]).slopes, [np.nan, -2.0])
    with pytest.raises(ValueError, match="some name twice"):
        riata.read_univariate(file, ["a", "b", "a"])


def test_penalties_with_slopes_can_be_compared_and_shown():
    one = PENALTY({"a": 1.0, "b": 2.0, "c": 3.0})
    assert repr(one) == "UniLasso(univariate=3 slopes)"
    assert one == one
    assert PENALTY(np.ones(3)) != PENALTY(np.ones(3))
