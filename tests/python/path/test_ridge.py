"""Ridge with more features than samples: solved in the space of samples, certified from the data."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from support import kkt_violation, make_problem, storages, write_plink

import riata
from riata.study.study import StudyDesign

LOSSES = ["gaussian", "binomial", "poisson", "huber", "cox"]
TIGHT = {"tol": 1e-12}


def ridge(X, y, **options):
    return riata.fit_path(X, y, **({"l1_ratio": 0.0} | options))


def in_sample_space(path):
    return set(path.solver) == {"samples"}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("count", [12, 80])
def test_every_point_is_optimal(loss, standardize, fit_intercept, count):
    X, y = make_problem(loss, n=30, p=90, seed=4)
    rng = np.random.default_rng(1)
    weights, offset = rng.integers(0, 4, 30).astype(float), 0.2 * rng.standard_normal(30)
    factor = rng.uniform(0.5, 2.0, 90)
    factor[[3, 8]], factor[40], X[:, 50] = 0.0, np.inf, 2.5
    given = {"sample_weight": weights, "offset": offset, "penalty_factor": factor, "loss": loss}
    path = ridge(
        X, y, alphas=count, eps=1e-4, standardize=standardize, fit_intercept=fit_intercept, **given, **TIGHT
    )
    assert in_sample_space(path)
    assert np.all(path.converged)
    assert np.abs(path.dual_gaps).max() <= 1e-12
    level = fit_intercept or loss == "cox"
    left_out = [40, 50] if level or standardize else [40]  # excluded, and constant where that is of no use
    used = np.setdiff1d(np.arange(90), left_out)
    for k, alpha in list(enumerate(path.alphas))[:: count // 12]:
        coef = path.coefs.toarray()[:, k]
        assert_array_equal(np.flatnonzero(coef), used)
        violation = kkt_violation(
            X[:, used], y, coef[used], path.intercepts[k], alpha,
            loss=loss, l1_ratio=0.0, factor=factor[used], weights=weights, offset=offset,
            scale=path.scale[used] if standardize else 1.0, fit_intercept=level,
        )  # fmt: skip
        assert violation <= 1e-6 * max(1.0, alpha), (alpha, violation)


@pytest.mark.parametrize("alpha", [3.0, 0.1, 1e-3])
def test_ridge_of_scikit_learn(alpha):
    X, y = make_problem(n=40, p=200)
    ours = ridge(X, y, alphas=[alpha], standardize=False)
    theirs = Ridge(alpha=40 * alpha, solver="svd").fit(X, y)
    assert in_sample_space(ours)
    assert_allclose(ours.coefs.toarray()[:, 0], theirs.coef_, atol=1e-9)
    assert_allclose(ours.intercepts[0], theirs.intercept_, atol=1e-9)


@pytest.mark.parametrize("alpha", [1.0, 0.03])
def test_regressions_of_scikit_learn(alpha):
    X, y = make_problem("binomial", n=40, p=120)
    ours = ridge(X, y, loss="binomial", alphas=[alpha], standardize=False, **TIGHT)
    theirs = LogisticRegression(C=1.0 / (40 * alpha), tol=1e-12, max_iter=10_000).fit(X, y)
    assert_allclose(ours.coefs.toarray()[:, 0], theirs.coef_[0], atol=1e-6)
    X, y = make_problem("poisson", n=40, p=120)
    ours = ridge(X, y, loss="poisson", alphas=[alpha], standardize=False, **TIGHT)
    theirs = PoissonRegressor(alpha=alpha, tol=1e-12, max_iter=10_000, solver="newton-cholesky").fit(X, y)
    assert_allclose(ours.coefs.toarray()[:, 0], theirs.coef_, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_is_what_the_working_set_finds(loss):
    X, y = make_problem(loss, n=30, p=80, seed=2)
    factor = np.ones(80)
    factor[0] = 0.0
    common = {"loss": loss, "penalty_factor": factor, **TIGHT}
    ours, other = (
        ridge(X, y, alphas=10, eps=1e-3, **common),
        ridge(X, y, alphas=10, eps=1e-3, solver="cd", **common),
    )
    assert in_sample_space(ours)
    assert not in_sample_space(other)
    assert_allclose(ours.alphas, other.alphas, rtol=1e-9)
    for name in ("primal", "dual", "deviance_ratio", "intercepts", "null_objective"):
        assert_allclose(getattr(ours, name), getattr(other, name), rtol=1e-6, atol=1e-8, err_msg=name)
    assert_allclose(ours.coefs.toarray(), other.coefs.toarray(), atol=1e-5)
    assert_array_equal(ours.n_active, other.n_active)


def test_storages_hold_the_same_problem(tmp_path):
    rng = np.random.default_rng(5)
    X = rng.integers(0, 3, (30, 100)).astype(float)
    y = X[:, :4].sum(axis=1) + rng.standard_normal(30)
    want = ridge(X, y, alphas=6)
    write_plink(tmp_path / "x", X)
    designs = storages(X) | {"plink": riata.open_genotypes(tmp_path / "x.bed")}
    for name, design in designs.items():
        path = ridge(design, y, alphas=6)
        assert in_sample_space(path), name
        assert_allclose(path.coefs.toarray(), want.coefs.toarray(), atol=1e-9, err_msg=name)


class OnRequest(riata.Design):
    """Columns of a matrix, as a storage written in Python gives them."""

    def __init__(self, X):
        self.X, self.shape = X, X.shape

    def gather(self, columns):
        return np.ascontiguousarray(self.X[:, columns])


@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
def test_storages_written_in_python_and_side_by_side(loss, tmp_path):
    """Genotypes beside covariates without a penalty are two storages in one."""
    rng = np.random.default_rng(6)
    X = rng.integers(0, 3, (40, 120)).astype(float)
    y = X[:, :4].sum(axis=1) + rng.standard_normal(40)
    if loss == "binomial":
        y = (y > np.median(y)).astype(float)
    want = ridge(X, y, loss=loss, alphas=6)
    path = ridge(OnRequest(X), y, loss=loss, alphas=6)
    assert in_sample_space(path)
    assert_allclose(path.coefs.toarray(), want.coefs.toarray(), atol=1e-7)

    beside = rng.standard_normal((40, 2))
    write_plink(tmp_path / "x", X)
    both = StudyDesign(riata.open_genotypes(tmp_path / "x.bed"), beside, [f"g{j}" for j in range(122)])
    factor = np.repeat([1.0, 0.0], [120, 2])
    dense = ridge(np.hstack([X, beside]), y, loss=loss, alphas=6, penalty_factor=factor)
    joined = ridge(both, y, loss=loss, alphas=6, penalty_factor=factor)
    assert in_sample_space(joined)
    assert_allclose(joined.coefs.toarray(), dense.coefs.toarray(), atol=1e-7)


@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
def test_a_checkpoint_of_the_other_way_is_gone_on_with(loss, tmp_path):
    """What was begun outside the space of samples ends there, with the bits of a fit that was not stopped."""
    X, y = make_problem(loss, n=30, p=90)
    state = tmp_path / "state"
    options = {"loss": loss, "alphas": 9, "solver": "cd"}
    whole = ridge(X, y, **options)
    cut = ridge(X, y, checkpoint=state, progress=lambda done, *_: done < 4, **options)
    assert cut.stop_reason == "progress"
    assert state.exists()
    again = ridge(X, y, checkpoint=state, **options)
    assert not state.exists()
    assert_array_equal(again.coefs.toarray(), whole.coefs.toarray())

    # in the space of samples a path is solved at once: stopped, it leaves no state, and is fitted anew
    options = {"loss": loss, "alphas": 9}
    whole = ridge(X, y, **options)
    cut = ridge(X, y, checkpoint=state, progress=lambda done, *_: done < 4, **options)
    assert len(cut) == 4
    assert not state.exists()
    again = ridge(X, y, checkpoint=state, **options)
    assert in_sample_space(again)
    assert_array_equal(again.coefs.toarray(), whole.coefs.toarray())


def test_means_far_from_zero_and_scales_far_apart():
    X, y = make_problem(n=30, p=90)
    moved = X * np.logspace(-3, 3, 90) + 1e4
    path, want = ridge(moved, y, alphas=8, eps=1e-3), ridge(X, y, alphas=8, eps=1e-3)
    assert np.all(path.converged)
    assert_allclose(path.coefs.toarray() * np.logspace(-3, 3, 90)[:, None], want.coefs.toarray(), atol=1e-5)


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox"])
@pytest.mark.parametrize("count", [5, 60])
def test_threads_do_not_show(loss, count):
    X, y = make_problem(loss, n=120, p=2000)
    one, two = (ridge(X, y, loss=loss, alphas=count, n_threads=t) for t in (1, 2))
    assert_array_equal(one.coefs.toarray(), two.coefs.toarray())
    assert_array_equal(one.dual_gaps, two.dual_gaps)


@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.filterwarnings("ignore::riata.path.cross_validation.GridEndWarning")
def test_folds_are_fits_of_their_training_rows(loss, standardize):
    X, y = make_problem(loss, n=40, p=100)
    folds = np.arange(40) % 4
    split = [(np.flatnonzero(folds != k), np.flatnonzero(folds == k)) for k in range(4)]
    cv = riata.cv_path(X, y, loss=loss, l1_ratio=0.0, cv=split, alphas=6, eps=1e-2, standardize=standardize)
    assert in_sample_space(cv.path)
    train = folds != 1
    alone = ridge(
        X[train], y[train], loss=loss, alphas=cv.path.alphas, standardize=standardize, solver="cd", **TIGHT
    )
    link = X[~train] @ alone.coefs.toarray() + alone.intercepts
    error = (
        (y[~train, None] - link) ** 2
        if loss == "gaussian"
        else 2.0 * (np.logaddexp(0.0, link) - y[~train, None] * link)
    )
    assert_allclose(cv.scores[:, 1], error.mean(axis=0), rtol=1e-5)


def test_several_responses_share_the_pass():
    X, y = make_problem(n=40, p=300)
    ys = [y, np.sin(7.0 * y), y**2]
    paths = riata.fit_multi_path(X, ys, l1_ratio=0.0, alphas=7)
    assert paths[0].counters["passes"] <= 3.0
    for path, one in zip(paths, ys, strict=True):
        want = ridge(X, one, alphas=7)
        assert_allclose(path.coefs.toarray(), want.coefs.toarray(), atol=1e-12)


def test_progress_sees_each_alpha_and_may_stop():
    X, y = make_problem(n=30, p=90)
    seen = []
    path = ridge(X, y, alphas=9, progress=lambda *state: seen.append(state) or len(seen) < 4)
    assert len(seen) == len(path.alphas) == 4
    assert path.stop_reason == "progress"


def test_memory_that_does_not_hold_the_products_is_respected():
    X, y = make_problem(n=300, p=310)
    whole = ridge(X, y, alphas=4)
    held = int(whole.counters["memory"])
    assert held >= 8 * 300 * 300
    assert in_sample_space(whole)
    assert in_sample_space(ridge(X, y, alphas=4, memory=held + 1))
    small = ridge(X, y, alphas=4, memory=held // 2)
    assert not in_sample_space(small)
    assert small.counters["memory"] <= held // 2


@pytest.mark.parametrize("options", [{"lower": 0.0}, {"solver": "cd"}, {"l1_ratio": 0.1}, {"max_active": 90}])
def test_what_has_no_solution_in_sample_space_goes_the_other_way(options):
    X, y = make_problem(n=30, p=90)
    assert not in_sample_space(ridge(X, y, alphas=3, **options))


def test_more_samples_than_features():
    X, y = make_problem(n=90, p=30)
    path = ridge(X, y, alphas=5, standardize=False)
    theirs = Ridge(alpha=90 * path.alphas[-1]).fit(X, y)
    assert_allclose(path.coefs.toarray()[:, -1], theirs.coef_, atol=1e-6)


def test_nan_is_named():
    X, y = make_problem(n=30, p=90)
    X[3, 77] = np.nan
    with pytest.raises(ValueError, match="column 77"):
        ridge(X, y)


@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
def test_duplicated_samples_and_features(loss):
    X, y = make_problem(loss, n=20, p=60)
    X, y = np.vstack([X, X, X]), np.concatenate([y, y, y])
    X = np.hstack([X, X])
    path = ridge(X, y, loss=loss, alphas=8, eps=1e-4)
    assert in_sample_space(path)
    assert np.all(path.converged)
    coefs = path.coefs.toarray()
    assert_allclose(coefs[:60], coefs[60:], rtol=1e-9)


def test_many_alphas_are_those_of_one_at_a_time():
    X, y = make_problem(n=60, p=300)
    X[:, 1] = X[:, 0] * 1e4  # eigenvalues far apart
    path = ridge(X, y, alphas=100, eps=1e-8, standardize=False, **TIGHT)
    assert in_sample_space(path)
    for k in range(0, 100, 11):
        alone = ridge(X, y, alphas=path.alphas[[k]], standardize=False, **TIGHT)
        assert_allclose(path.coefs.toarray()[:, k], alone.coefs.toarray()[:, 0], rtol=1e-7, atol=1e-9)
        assert_allclose(path.primal[k], alone.primal[0], rtol=1e-10)
