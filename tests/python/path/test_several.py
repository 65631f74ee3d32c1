"""Several responses in one run: the paths of separate runs, with fewer passes over X."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import make_problem, response_to

import riata

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings(r"ignore:(ys\[.\]. )?the best alpha is the last of the grid")

LOSSES = ["gaussian", "binomial", "poisson", "huber", "cox"]


def responses(loss, X, seed=0):
    """Three responses of different difficulty; samples are missing from the second and third."""
    rng = np.random.default_rng(seed)
    n = len(X)
    scores = [
        2.0 * X[:, 0] - X[:, 1] + 0.3 * rng.standard_normal(n),
        X[:, 5] + 2.0 * rng.standard_normal(n),
        X[:, 0] + X[:, 7] - X[:, 9] + rng.standard_normal(n),
    ]
    ys = [response_to(loss, score, rng) for score in scores]
    ys[1][rng.permutation(n)[:9]] = np.nan
    ys[2][[0, n - 1]] = np.nan
    return ys


def known(y):
    return np.isfinite(y if y.ndim == 1 else y[:, 0])


def assert_close(path, other):
    assert len(path) == len(other)
    assert_allclose(path.alphas, other.alphas, rtol=1e-12)
    assert_allclose(path.coefs.toarray(), other.coefs.toarray(), atol=1e-10)
    assert_allclose(path.intercepts, other.intercepts, atol=1e-10)
    assert_allclose(path.dual, other.dual, rtol=1e-10)
    assert (path.stop_reason, path.n_samples) == (other.stop_reason, other.n_samples)
    assert_allclose([path.alpha_max, path.null_objective], [other.alpha_max, other.null_objective])
    assert_allclose(path.mean, other.mean, atol=1e-12)
    assert_allclose(path.scale, other.scale, rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_paths_of_separate_runs(loss):
    X = make_problem(n=90, p=300)[0]
    ys = responses(loss, X)
    options = {"loss": loss, "tol": 1e-13, "eps": 0.05, "alphas": 40}
    paths = riata.fit_multi_path(X, ys, **options)
    apart = [riata.fit_path(X[known(y)], y[known(y)], **options) for y in ys]
    for path, other in zip(paths, apart, strict=True):
        assert path.converged.all()
        assert_close(path, other)
    assert paths[0].n_passes < sum(path.n_passes for path in apart)
    assert paths[0].counters == paths[2].counters


def test_the_same_bits_on_a_shared_layout():
    """Where no sample is missing the pool holds what a run of folds holds, and each path has its bits."""
    X = make_problem(n=90, p=300)[0]
    rng = np.random.default_rng(1)
    ys = [X[:, k] + rng.standard_normal(90) for k in range(3)]
    together = riata.fit_multi_path(X, ys)
    for y, path in zip(ys, together, strict=True):
        twice = riata.fit_multi_path(X, [y, y])
        for other in twice:
            assert_array_equal(path.coefs.toarray(), other.coefs.toarray())
            assert_array_equal(path.dual_gaps, other.dual_gaps)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_folds_are_those_of_separate_runs(loss, n_threads):
    X = make_problem(n=120, p=200)[0]
    ys = responses(loss, X, seed=2)
    options = {"loss": loss, "tol": 1e-12, "eps": 0.1, "alphas": 20, "cv": 4}
    together = riata.cv_multi_path(X, ys, **options, n_threads=n_threads, alpha_rule="1se")
    apart = []
    for y, cv in zip(ys, together, strict=True):
        rows = np.flatnonzero(known(y))
        other = riata.cv_path(X[rows], y[rows], **options)
        apart.append(other)
        assert_close(cv.path, other.path)
        for mine, theirs in zip(cv.folds, other.folds, strict=True):
            assert_array_equal(mine, rows[theirs])
        assert_allclose(cv.scores, other.scores, rtol=1e-7)
        assert_allclose(cv.oof_link[rows], other.oof_link, atol=1e-8)
        assert np.isnan(np.delete(cv.oof_link, rows, axis=0)).all()
        assert (cv.alpha_min, cv.alpha_1se) == pytest.approx((other.alpha_min, other.alpha_1se))
        assert cv.alpha == cv.alpha_1se
    assert together[0].path.n_passes < sum(cv.path.n_passes for cv in apart)


@pytest.mark.parametrize("unit", [1.0, 1e-10, 1e10])
def test_entry_strata_offset_and_weights(unit):
    X = make_problem(n=90, p=60)[0]
    ys = [y * [unit, 1.0] for y in responses("cox", X)]
    rng = np.random.default_rng(5)
    start = np.nanmin([y[:, 0] for y in ys], axis=0) * rng.uniform(0.0, 0.9, 90)
    strata, offset = rng.integers(0, 2, 90), 0.2 * rng.standard_normal(90)
    weights = rng.uniform(0.5, 2.0, 90)
    options = {"loss": "cox", "tol": 1e-12, "alphas": [0.2, 0.1, 0.05], "ties": "efron"}
    paths = riata.fit_multi_path(
        X, ys, start=start, strata=strata, offset=offset, sample_weight=weights, **options
    )
    for y, path in zip(ys, paths, strict=True):
        k = known(y)
        parts = {"start": start, "strata": strata, "offset": offset, "sample_weight": weights}
        parts = {name: values[k] for name, values in parts.items()}
        assert_close(path, riata.fit_path(X[k], y[k], **parts, **options))


def test_each_ends_on_its_own():
    X = make_problem(n=60, p=150)[0]
    rng = np.random.default_rng(3)
    ys = [X[:, 0] + 1e-3 * rng.standard_normal(60), X[:, 1] + 3.0 * rng.standard_normal(60)]
    told = []
    paths = riata.fit_multi_path(X, ys, progress=lambda *news: told.append(news))
    assert paths[0].stop_reason == "deviance"
    assert len(paths[0]) < len(paths[1])
    done, total = [news[0] for news in told], {news[1] for news in told}
    assert total == {200}
    assert done == sorted(done)
    assert len(told) == len(paths[0]) + len(paths[1])
    if paths[1].stop_reason == "":
        assert done[-1] == 200
    few = riata.fit_multi_path(X, ys, max_active=4)
    for path, other in zip(few, paths, strict=True):
        assert path.stop_reason == "max_active" or len(path) == len(other)
        assert path.n_active.max() <= 4


@pytest.mark.parametrize("verb", ["fit", "cv"])
@pytest.mark.parametrize("stop_at", [1, 13, 40])
def test_goes_on_to_the_same_bits(tmp_path, verb, stop_at):
    X = make_problem(n=80, p=120)[0]
    rng = np.random.default_rng(4)
    ys = [X[:, 0] + 1e-2 * rng.standard_normal(80), X[:, 1] + 2.0 * rng.standard_normal(80)]
    ys[1][3] = np.nan
    file = tmp_path / "state"

    def fit(**more):
        given = {"alphas": 30, **more}
        if verb == "fit":
            return riata.fit_multi_path(X, ys, **given)
        return [cv.path for cv in riata.cv_multi_path(X, ys, cv=3, **given)]

    whole = fit()
    part = fit(checkpoint=file, progress=lambda done, *rest: done < stop_at)
    assert any(path.interrupted for path in part)
    assert all(len(path) < len(other) for path, other in zip(part, whole, strict=True) if path.interrupted)
    for path, other in zip(part, whole, strict=True):
        assert_array_equal(path.coefs.toarray(), other.coefs.toarray()[:, : len(path)])
    with pytest.raises(ValueError, match="which problems lead"):
        riata.cv_path(X, ys[0], alphas=30, cv=len(part), checkpoint=file)
    on = fit(checkpoint=file)
    assert not file.exists()
    for path, other in zip(on, whole, strict=True):
        assert_array_equal(path.coefs.toarray(), other.coefs.toarray())
        assert_array_equal(path.dual_gaps, other.dual_gaps)
        assert path.stop_reason == other.stop_reason


def test_memory_ends_all_that_go_on():
    X = make_problem(n=60, p=2000)[0]
    rng = np.random.default_rng(6)
    ys = [X[:, k] + rng.standard_normal(60) for k in range(2)]
    whole = riata.fit_multi_path(X, ys)
    bound = int(0.7 * whole[0].counters["memory"])
    with pytest.warns(UserWarning, match="the path ended after"):
        paths = riata.fit_multi_path(X, ys, memory=bound)
    assert [path.stop_reason for path in paths] == ["memory", "memory"]
    assert len({len(path) for path in paths}) == 1


@pytest.mark.parametrize(
    ("ys", "given", "message"),
    [
        ([], {}, "ys must hold at least one response"),
        ([np.full(20, np.nan)], {}, r"ys\[0\]: y must hold finite numbers, got none"),
        (
            [np.arange(20.0), np.arange(19.0)],
            {},
            r"ys\[1\]: y must hold one number per sample of X: 20, got 19",
        ),
        ([np.arange(20.0)], {"loss": "binomial"}, r"ys\[0\]: y must hold two classes or numbers from 0 to 1"),
        ([np.ones(20)], {"loss": "binomial"}, r"ys\[0\]: .*one class only"),
        ([np.arange(20.0)], {"loss": "multinomial"}, "loss must be one for a single number per sample"),
    ],
)
def test_refusals(ys, given, message):
    X = make_problem(n=20, p=5)[0]
    with pytest.raises(ValueError, match=message):
        riata.fit_multi_path(X, ys, **given)
