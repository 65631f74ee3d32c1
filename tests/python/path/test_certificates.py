"""Certificates that hold, at every door, where columns or numbers are at the edge of double precision."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose

import riata

RNG = np.random.default_rng
YEAR = np.repeat(np.arange(1990.0, 2020.0), 3)
FREE = np.r_[np.zeros(3), np.ones(4)]


def raw_and_tidy(seed=0):
    """The same covariates as powers of a year and of its difference from the middle, and four features."""
    d = (YEAR - 2005) / 10
    G = RNG(seed).standard_normal((len(YEAR), 4))
    y = 2 * d - d**2 + 0.5 * d**3 + G[:, 0] + RNG(seed + 1).standard_normal(len(YEAR))
    powers = [1, 2, 3]
    return np.column_stack([YEAR[:, None] ** powers, G]), np.column_stack([d[:, None] ** powers, G]), y


@pytest.mark.parametrize("storage", [np.asfortranarray, np.ascontiguousarray, sp.csc_array, sp.csr_array])
@pytest.mark.parametrize("loss", ["gaussian", "huber", "binomial"])
def test_collinear_covariates_as_they_come(storage, loss):
    raw, tidy, y = raw_and_tidy()
    y = (y > np.median(y)) * 1.0 if loss == "binomial" else y
    kw = {"loss": loss, "penalty_factor": FREE, "alphas": [0.1, 0.03], "tol": 1e-10}
    path, right = riata.fit_path(storage(raw), y, **kw), riata.fit_path(tidy, y, **kw)
    assert path.converged.all()
    assert_allclose(path.coefs.toarray()[3:], right.coefs.toarray()[3:], atol=1e-6)
    assert_allclose(path.deviance_ratio, right.deviance_ratio, atol=1e-8)


def test_collinear_covariates_at_other_doors():
    raw, tidy, y = raw_and_tidy()
    ours, right = (riata.Lasso(0.1, penalty_factor=FREE, tol=1e-10).fit(X, y) for X in (raw, tidy))
    assert_allclose(ours.predict(raw), right.predict(tidy), atol=1e-5)
    kw = {"penalty_factor": FREE, "cv": 4, "random_state": 0, "alphas": np.geomspace(0.5, 0.05, 6)}
    assert_allclose(
        riata.cv_path(raw, y, **kw).mean_score, riata.cv_path(tidy, y, **kw).mean_score, rtol=1e-6
    )
    several = riata.fit_multi_path(
        raw, [y, -y], penalty_factor=FREE, alphas=[0.1], tol=1e-10, standardize=False
    )
    for path, sign in zip(several, (1, -1), strict=True):
        assert_allclose(sign * path.coefs.toarray()[3:, 0], right.coef_[3:], atol=1e-6)


def test_dependent_covariates_are_named():
    X = RNG(3).random((30, 5))
    X[:, :3] /= X[:, :3].sum(axis=1, keepdims=True)
    with pytest.warns(
        UserWarning, match=r"1 unpenalised feature is a combination of others.*coefficient 0: [012]"
    ):
        path = riata.fit_path(X, RNG(4).standard_normal(30), penalty_factor=[0, 0, 0, 1, 1], alphas=[0.01])
    assert path.converged.all()


@pytest.mark.parametrize(
    ("loss", "word"),
    [("gaussian", "explain y"), ("binomial", "separate the classes"), ("cox", "order the events")],
)
def test_nothing_left_is_said_in_one_sentence(loss, word):
    X = RNG(5).standard_normal((40, 4))
    y = {
        "gaussian": X[:, 0],
        "binomial": (X[:, 0] > 0) * 1.0,
        "cox": np.column_stack([np.exp(X[:, 0]), np.ones(40)]),
    }[loss]
    with pytest.warns(UserWarning, match=word) as said:
        path = riata.fit_path(X, y, loss=loss, penalty_factor=[0, 1, 1, 1], alphas=[0.1])
    assert len(said) == 1
    assert path.converged.all()
    assert np.count_nonzero(path.coefs.toarray()[1:]) == 0


def test_memory_has_the_basis_of_dependent_covariates():
    X, n = RNG(14).standard_normal((5000, 20)), 5000
    factor = np.r_[np.zeros(10), np.ones(10)]
    held = []
    for depend in (False, True):
        if depend:
            X[:, 9] = X[:, :9].sum(axis=1) + 1e-6 * X[:, 9]
        path = riata.fit_path(X, X[:, 15] + X[:, 3], penalty_factor=factor, alphas=[0.5])
        held.append(path.counters["memory"])
    assert held[1] - held[0] >= 8 * n * 10


def with_a_level(loss, level):
    """Responses for 120 samples, the first 12 of which are of one level; at `level` they are all alike."""
    rng = RNG(10)
    score = rng.standard_normal(120)
    score[:12] = np.linspace(-1, 1, 12)
    if loss == "binomial":
        y = (score + rng.standard_normal(120) > 0) * 1.0
    elif loss == "multinomial":
        y = rng.integers(0, 3, 120) * 1.0
    elif loss == "poisson":
        y = rng.poisson(np.exp(score)) * 1.0
    else:
        y = np.column_stack([rng.exponential(size=120), np.ones(120)])
    if loss == "cox":
        y[:12, 1] = 0.0 if level == "alike" else y[:12, 1]
        y[0] = [0.001, float(level != "alike")]
    else:
        y[:12] = {"binomial": 1.0, "multinomial": 2.0, "poisson": 0.0}[loss]
        y[0] = y[0] if level == "alike" else 1.0 - (loss == "binomial")
    return y


@pytest.mark.parametrize("loss", ["binomial", "multinomial", "poisson", "cox"])
@pytest.mark.parametrize("beside", [0, 2])
def test_a_level_of_one_kind_is_said_in_one_sentence(loss, beside):
    """Its coefficient has no finite optimum, the others have one: those of the samples without it."""
    X = RNG(11).standard_normal((120, 8))
    X[:, 0] = np.arange(120) < 12
    factor = np.array([0.0] * (1 + beside) + [1.0] * (7 - beside))
    options = {"loss": loss, "penalty_factor": factor, "alphas": [0.2, 0.1]}
    with pytest.warns(UserWarning, match="samples are all of one class|are all zero|have no event") as said:
        path = riata.fit_path(X, with_a_level(loss, "alike"), **options)
    assert len(said) == 1
    assert path.converged.all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        riata.fit_path(X, with_a_level(loss, "mixed"), **options)


def test_what_separates_may_be_a_combination():
    """Half of the samples of a level are cases, and all of those that are in another one too."""
    rng = RNG(12)
    a, b, x = np.arange(100) < 20, np.arange(100) % 4 == 0, rng.standard_normal(100)
    y = (rng.random(100) < 0.5) * 1.0
    y[a & b] = 1.0
    X = np.column_stack([a, b, a & b, x, rng.standard_normal((100, 3))]) * 1.0
    mixed = X @ np.array([[1, 0, 1], [0, 1, 1], [2, 1, 5]] + 4 * [[0, 0, 0]])  # the same span
    for columns in (X[:, :3], mixed):
        with pytest.warns(UserWarning, match="all of one class"):
            riata.fit_path(
                np.hstack([columns, X[:, 3:]]),
                y,
                loss="binomial",
                penalty_factor=[0, 0, 0, 0, 1, 1, 1],
                alphas=[0.1],
            )
    x[:40], y[:40] = 0.0, rng.random(40) < 0.5  # ties where both classes are, classes apart elsewhere
    x[40:] += np.sign(x[40:])
    y[40:] = x[40:] > 0
    with pytest.warns(UserWarning, match="all of one class"):
        riata.fit_path(np.column_stack([x, X[:, 4]]), y, loss="binomial", penalty_factor=[0, 1], alphas=[0.1])


def test_samples_far_out_are_not_called_separate():
    """Fitted all but surely, but by a coefficient that the other samples hold."""
    rng = RNG(13)
    x = rng.standard_normal(200)
    y = (x + rng.logistic(size=200) > 0) * 1.0
    x[:3], y[:3] = 60.0, 1.0
    X = np.column_stack([x, rng.standard_normal((200, 2))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = riata.fit_path(X, y, loss="binomial", penalty_factor=[0, 1, 1], alphas=[0.1])
    assert path.predict(X)[0, 0] > 1 - 1e-6


def test_a_covariate_far_from_zero_hides_no_other():
    """A time in seconds beside two readings that differ little: all of them count, and none is named."""
    X, noise = RNG(8).standard_normal((5000, 5)), RNG(9).standard_normal(5000)
    y = X[:, 2] + noise
    X[:, 0] = 1e12 + 1e4 * X[:, 0]
    X[:, 2] = X[:, 1] + 1e-4 * X[:, 2]
    path = riata.fit_path(X, y, penalty_factor=[0, 0, 0, 1, 1], alphas=[10.0])
    Z = np.column_stack([np.ones(5000), (X[:, :3] - X[:, :3].mean(axis=0)) / X[:, :3].std(axis=0)])
    assert path.converged.all()
    assert_allclose(path.predict(X)[:, 0], Z @ np.linalg.lstsq(Z, y, rcond=None)[0], atol=1e-6)


def test_more_free_columns_than_samples():
    X, y = RNG(6).standard_normal((20, 30)), RNG(7).standard_normal(20)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        path = riata.fit_path(X, y, penalty_factor=np.zeros(30))
    assert ["combinations" in str(w.message) or "explain y" in str(w.message) for w in said] == [True, True]
    assert_allclose(path.predict(X)[:, 0], y, atol=1e-8)


def test_sparse_columns_far_from_zero_end_as_dense_ones():
    X, y = RNG(8).standard_normal((31, 3)), RNG(9).standard_normal(31)
    X[:, 0] += 1e8
    for penalty in (None, riata.penalties.SLOPE(), riata.penalties.GroupLasso([0, 0, 1])):
        sparse, dense = (riata.fit_path(A, y, penalty=penalty, alphas=5) for A in (sp.csc_array(X), X))
        assert sparse.converged.all()
        assert_allclose(sparse.primal, dense.primal, rtol=1e-5)


def test_alphas_below_rounding_are_not_told_to_raise_max_iter():
    X = RNG(10).standard_normal((60, 5))
    y = X[:, 0] + RNG(11).standard_normal(60)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = riata.Lasso(1e-16).fit(X, y)
    assert not any("max_iter" in str(w.message) for w in said)
    right = np.linalg.lstsq(np.column_stack([X, np.ones(60)]), y, rcond=None)[0][:5]
    assert_allclose(model.coef_, right, atol=1e-10)


@pytest.mark.parametrize("unit", [1e-165, 1e165])
def test_squares_out_of_range_are_refused_by_name(unit):
    X, y = RNG(12).standard_normal((20, 3)), RNG(13).standard_normal(20)
    with pytest.raises(ValueError, match="X must hold numbers whose squares"):
        riata.fit_path(X * unit, y)
    with pytest.raises(ValueError, match="y must hold numbers whose squares"):
        riata.Lasso(0.1).fit(X, y * unit)


@pytest.mark.parametrize("seed", [17, 27, 29])
def test_more_features_than_weighted_samples_leave_no_coefficients_of_rounding(seed: int) -> None:
    """24 samples with a weight and 46 columns of correlation 0.99: no point of the path is above the last."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((32, 46))
    for j in range(1, 46):
        X[:, j] = 0.99 * X[:, j - 1] + 0.14 * X[:, j]
    weights, factor = np.repeat([1.0, 0.0], [24, 8]), np.repeat([0.0, 1.0], [17, 29])
    Y = rng.standard_normal((32, 2))
    options = {"loss": "multigaussian", "alphas": 5, "eps": 1e-4, "tol": 1e-5}
    options |= {"fit_intercept": False, "standardize": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = riata.fit_path(X, Y, sample_weight=weights, penalty_factor=factor, **options)
    for k, alpha in enumerate(path.alphas):
        b = np.column_stack([part.toarray()[:, k] for part in path.coefs])
        loss = ((Y - X @ b)[:24] ** 2).sum() / (2 * 24)
        value = loss + alpha * (factor * np.linalg.norm(b, axis=1)).sum()
        assert value == pytest.approx(path.primal[k], rel=1e-8)
        assert value <= path.primal[max(k - 1, 0)] * (1 + 1e-9)
        assert np.abs(b).max() < 1e3
