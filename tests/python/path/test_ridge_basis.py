"""Ridge with many more features than samples: all alphas in one Krylov space, without products of rows."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from support import storages, write_plink

import riata

N, P = 500, 4000
TIGHT = {"tol": 1e-12}


def ridge(X, y, **options):
    return riata.fit_path(X, y, **({"l1_ratio": 0.0} | options))


def in_a_basis(path):
    """Whether X met fewer vectors than the products of all rows take."""
    return set(path.solver) == {"samples"} and path.counters["products"] < N


def normal_problem(seed=0):
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((N, P)) + 0.5 * rng.standard_normal((N, 1)))
    return X, X[:, :10].sum(axis=1) + rng.standard_normal(N) + 3.0


def closed_form(X, y, alpha, *, factor=None, weights=None, offset=0.0, standardize=True, intercept=True):
    """Minimises half the weighted mean square + alpha/2 sum of factor (scale coef)^2.

    By generalised least squares: where y - F g = Z c + e, c of variance 1/alpha and e of variance 1, g is the
    weighted mean of y, and c what is to be expected then.
    """
    factor = np.ones(X.shape[1]) if factor is None else factor
    weights = np.ones(len(y)) if weights is None else weights
    root = np.sqrt(weights / weights.sum())[:, None]
    mean = root.T**2 @ X
    scale = np.sqrt(root.T**2 @ (X - mean) ** 2).ravel() if standardize else np.ones(X.shape[1])
    free, used = factor == 0.0, (factor > 0.0) & np.isfinite(factor)
    F = root * np.column_stack([np.ones(len(y))] * intercept + [X[:, free]])
    per = scale[used] * np.sqrt(factor[used])
    Z, left = root * X[:, used] / per, root[:, 0] * (y - offset)
    variance = Z @ Z.T + alpha * np.eye(len(y))
    g = np.linalg.solve(F.T @ np.linalg.solve(variance, F), F.T @ np.linalg.solve(variance, left))
    coef = np.zeros(X.shape[1])
    coef[used] = Z.T @ np.linalg.solve(variance, left - F @ g) / per
    coef[free] = g[int(intercept) :]
    level = g[0] if intercept else 0.0
    residual = y - offset - X @ coef - level
    penalised = factor[used] @ (scale[used] * coef[used]) ** 2
    return coef, level, 0.5 * np.sum(root[:, 0] ** 2 * residual**2) + 0.5 * alpha * penalised


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("free", [0, 2])
def test_is_the_closed_form(standardize, intercept, free):
    X, y = normal_problem()
    rng = np.random.default_rng(1)
    weights, offset = rng.integers(0, 4, N).astype(float), 0.2 * rng.standard_normal(N)
    factor = rng.uniform(0.5, 2.0, P)
    factor[[3, 8][:free]], factor[40] = 0.0, np.inf
    given = {"factor": factor, "weights": weights, "offset": offset}
    path = ridge(
        X, y, alphas=20, eps=1e-4, standardize=standardize, fit_intercept=intercept,
        penalty_factor=factor, sample_weight=weights, offset=offset, **TIGHT,
    )  # fmt: skip
    assert in_a_basis(path)
    assert np.all(path.converged)
    assert np.abs(path.dual_gaps).max() <= 1e-12
    for k in [0, 7, 13, 19]:
        coef, level, best = closed_form(
            X, y, path.alphas[k], **given, standardize=standardize, intercept=intercept
        )
        assert_allclose(path.coefs.toarray()[:, k], coef, atol=1e-6 * np.abs(coef).max())
        assert_allclose(path.intercepts[k], level, atol=1e-6)
        assert_allclose(path.primal[k], best, rtol=1e-11)


def test_gaps_bound_what_is_left():
    """At the usual tolerance solutions are not exact: the certificates say how far they are."""
    X, y = normal_problem()
    path = ridge(X, y, alphas=12, eps=1e-4, standardize=False)
    assert in_a_basis(path)
    assert np.all(path.converged)
    null = 0.5 * np.var(y)
    for k, alpha in enumerate(path.alphas):
        coef = path.coefs.toarray()[:, k]
        residual = y - X @ coef - path.intercepts[k]
        here = 0.5 * np.mean(residual**2) + 0.5 * alpha * coef @ coef
        best = closed_form(X, y, alpha, standardize=False)[2]
        assert_allclose(path.primal[k], here, rtol=1e-12)
        assert path.dual[k] <= best * (1.0 + 1e-12)
        assert (here - best) / null <= path.dual_gaps[k] + 1e-14 <= 1e-6


def test_storages_hold_the_same_problem(tmp_path):
    rng = np.random.default_rng(5)
    X = (rng.integers(1, 3, (N, P)) * (rng.random((N, P)) < 0.1)).astype(float)
    y = X[:, :40].sum(axis=1) + rng.standard_normal(N)
    write_plink(tmp_path / "x", X)
    names = ["F", "C", "float32", "int8", "csc", "csc float32", "csr"]
    made = storages(X)
    designs = {name: made[name] for name in names} | {"plink": riata.open_genotypes(tmp_path / "x.bed")}
    coef = closed_form(X, y, 0.5)[0]
    for name, design in designs.items():
        path = ridge(design, y, alphas=[40.0, 0.5], **TIGHT)
        assert in_a_basis(path), name
        assert_allclose(path.coefs.toarray()[:, 1], coef, atol=1e-6 * np.abs(coef).max(), err_msg=name)


def test_what_belongs_to_too_many_columns_is_read_again():
    rng = np.random.default_rng(6)
    X = sp.random(300, 300_000, 0.003, format="csc", random_state=rng)
    y = rng.standard_normal(300)
    path = ridge(X, y, alphas=[0.4, 0.1], standardize=False, fit_intercept=False, **TIGHT)
    assert set(path.solver) == {"samples"}
    assert path.counters["products"] < 300
    assert path.counters["memory"] < 8 * 300_000 * 100  # not so much as 100 vectors would take
    a = np.linalg.solve((X @ X.T).toarray() / 300 + 0.1 * np.eye(300), y / 300)
    assert_allclose(path.coefs.toarray()[:, 1], X.T @ a, atol=1e-7 * np.abs(X.T @ a).max())
    assert np.all(path.converged)


def test_tiny_alphas_and_far_eigenvalues_take_the_products_of_rows():
    rng = np.random.default_rng(3)
    spread = np.logspace(0, -4, N)
    X = np.asfortranarray(spread[:, None] * rng.standard_normal((N, P)))
    y = rng.standard_normal(N)
    path = ridge(X, y, alphas=[1e-2, 1e-5], standardize=False, fit_intercept=False, **TIGHT)
    assert set(path.solver) == {"samples"}
    assert path.counters["products"] >= N
    assert np.all(path.converged)
    for k, alpha in enumerate(path.alphas):
        coef = closed_form(X, y, alpha, standardize=False, intercept=False)[0]
        assert_allclose(path.coefs.toarray()[:, k], coef, atol=1e-6 * np.abs(coef).max())


def test_rows_of_few_dimensions_end_the_basis():
    rng = np.random.default_rng(3)
    X = np.asfortranarray(rng.standard_normal((N, 4)) @ rng.standard_normal((4, P)))
    y = X[:, 0] + 0.1 * rng.standard_normal(N)
    path = ridge(X, y, alphas=[100.0, 10.0], standardize=False, **TIGHT)
    assert in_a_basis(path)
    assert path.counters["passes"] <= 7.0
    coef = closed_form(X, y, 10.0, standardize=False)[0]
    assert_allclose(path.coefs.toarray()[:, 1], coef, atol=1e-9 * np.abs(coef).max())


def test_several_responses_have_a_basis_each_from_the_same_passes():
    X, y = normal_problem()
    ys = [y, np.sin(7.0 * y), y**2]
    paths = riata.fit_multi_path(X, ys, l1_ratio=0.0, alphas=[50.0, 2.0], **TIGHT)
    alone = [ridge(X, one, alphas=[50.0, 2.0], **TIGHT) for one in ys]
    assert paths[0].counters["passes"] == max(path.counters["passes"] for path in alone)
    for path, one in zip(paths, ys, strict=True):
        assert in_a_basis(path)
        coef = closed_form(X, one, 2.0)[0]
        assert_allclose(path.coefs.toarray()[:, 1], coef, atol=1e-6 * np.abs(coef).max())


@pytest.mark.filterwarnings("ignore::riata.path.cross_validation.GridEndWarning")
def test_folds_are_fits_of_their_training_rows():
    X, y = normal_problem()
    folds = np.arange(N) % 3
    split = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(3)]
    cv = riata.cv_path(X, y, l1_ratio=0.0, cv=split, alphas=[60.0, 4.0], **TIGHT)
    assert in_a_basis(cv.path)
    for fold, (train, test) in enumerate(split):
        coef, level, _ = closed_form(X[train], y[train], 4.0)
        assert_allclose(cv.scores[1, fold], np.mean((y[test] - X[test] @ coef - level) ** 2), rtol=1e-6)


def test_threads_do_not_show():
    X, y = normal_problem()
    for design in (X, sp.csc_matrix(np.where(X > 1.0, X, 0.0))):
        one, two = (ridge(design, y, alphas=30, n_threads=t) for t in (1, 2))
        assert in_a_basis(one)
        assert_array_equal(one.coefs.toarray(), two.coefs.toarray())
        assert_array_equal(one.dual_gaps, two.dual_gaps)


def test_memory_is_respected():
    X, y = normal_problem()
    whole = ridge(X, y, alphas=4)
    assert in_a_basis(whole)
    held = int(whole.counters["memory"])
    assert in_a_basis(ridge(X, y, alphas=4, memory=held + 1))
    less = ridge(X, y, alphas=4, memory=held - 1000)
    assert set(less.solver) == {"samples"}
    assert not in_a_basis(less)
    assert less.counters["memory"] < held


def test_where_passes_are_dear_the_products_of_rows_take_one():
    X, y = normal_problem()
    path = ridge(X, y, alphas=4, alphas_per_pass=4)
    assert set(path.solver) == {"samples"}
    assert path.counters["passes"] == 2.0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_no_tolerance_takes_the_products_of_rows():
    X, y = normal_problem()
    path = ridge(X, y, tol=0.0)
    assert not in_a_basis(path)
    assert path.counters["passes"] == 2.0
