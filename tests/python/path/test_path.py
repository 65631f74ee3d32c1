"""Paths: optimality from its definition, invariances, storages, solvers, hazards, and reading a path."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from support import deviation, kkt_violation, make_problem, objective, response_to, storages, write_plink

import riata

LOSSES = ["gaussian", "binomial", "poisson", "huber", "cox"]
SOLVERS = ["active_set", "cd", "prox"]
TIGHT = {"tol": 1e-12}


def dense(path):
    return path.coefs.toarray()


def assert_optimal(path, X, y, at=1e-6, **problem):
    scale = path.scale if path.standardize else 1.0
    coefs = dense(path)
    for k, alpha in enumerate(path.alphas):
        violation = kkt_violation(
            X,
            y,
            coefs[:, k],
            path.intercepts[k],
            alpha,
            loss=path.loss,
            l1_ratio=path.l1_ratio,
            scale=scale,
            **problem,
        )
        assert violation <= at, (k, alpha, violation)


def assert_same_fit(a, b, atol=1e-7):
    assert_allclose(b.alphas, a.alphas, rtol=1e-10)
    assert_allclose(dense(b), dense(a), atol=atol)
    assert_allclose(b.intercepts, a.intercepts, atol=atol)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    loss=st.sampled_from(LOSSES),
    l1_ratio=st.sampled_from([1.0, 0.5]),
    standardize=st.booleans(),
    fit_intercept=st.booleans(),
)
# A feature came and went in these.
@example(seed=867, loss="binomial", l1_ratio=1.0, standardize=True, fit_intercept=False)
@example(seed=604, loss="binomial", l1_ratio=1.0, standardize=True, fit_intercept=True)
def test_every_point_satisfies_kkt(seed, loss, l1_ratio, standardize, fit_intercept):
    """Optimality from its definition: holds for any data, needs no other solver."""
    X, y = make_problem(loss, 20, 30, seed)
    path = riata.fit_path(
        X,
        y,
        loss=loss,
        alphas=6,
        eps=0.1,
        l1_ratio=l1_ratio,
        standardize=standardize,
        fit_intercept=fit_intercept,
        **TIGHT,
    )
    assert np.all(path.dual_gaps >= -1e-14)
    assert path.converged.all()
    assert_optimal(path, X, y, at=3e-6, fit_intercept=fit_intercept)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
def test_certificate_bounds_the_objective(loss, l1_ratio):
    """The primal is the objective at the returned coefficients, and no other path goes below the dual."""
    X, y = make_problem(loss)
    rough = riata.fit_path(X, y, loss=loss, alphas=15, l1_ratio=l1_ratio, tol=1e-3)
    sharp = riata.fit_path(X, y, loss=loss, alphas=rough.alphas, l1_ratio=l1_ratio, tol=1e-12)
    for path in (rough, sharp):
        coefs = dense(path)
        values = [
            objective(
                X, y, coefs[:, k], path.intercepts[k], alpha, loss=loss, l1_ratio=l1_ratio, scale=path.scale
            )
            for k, alpha in enumerate(path.alphas)
        ]
        assert_allclose(path.primal, values, rtol=1e-11)
        span = path.null_objective - path.saturated_objective
        assert_allclose(path.dual_gaps, (path.primal - path.dual) / span, atol=1e-13)
        assert np.all(path.dual_gaps <= path.tol)
    assert np.all(rough.dual <= sharp.primal + 1e-13)


@pytest.mark.parametrize("loss", LOSSES)
def test_any_number_of_threads_gives_the_same_bits(loss):
    X, y = make_problem(loss, 60, 300)
    one, two = (riata.fit_path(X, y, loss=loss, alphas=20, n_threads=k) for k in (1, 2))
    for name in ("alphas", "intercepts", "primal", "dual", "dual_gaps"):
        assert_array_equal(getattr(one, name), getattr(two, name))
    assert_array_equal(dense(one), dense(two))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers_agree(loss, l1_ratio, solver):
    X, y = make_problem(loss, 50, 20)
    alphas = np.geomspace(1.0, 0.02, 8)
    auto = riata.fit_path(X, y, loss=loss, alphas=alphas, l1_ratio=l1_ratio, **TIGHT)
    other = riata.fit_path(
        X, y, loss=loss, alphas=alphas, l1_ratio=l1_ratio, solver=solver, max_iter=100_000, **TIGHT
    )
    assert other.converged.all()
    assert_same_fit(auto, other, atol=2e-5)
    assert_optimal(other, X, y, at=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_storages_agree(loss, tmp_path):
    rng = np.random.default_rng(5)
    X = rng.binomial(2, 0.3, (40, 50)).astype(float)
    y = response_to(loss, X[:, 0] - X[:, 3] + 0.5 * rng.standard_normal(40), rng)
    np.save(tmp_path / "x.npy", X)
    kinds = storages(X) | {"memmap": np.load(tmp_path / "x.npy", mmap_mode="r")}
    plain = riata.fit_path(X, y, loss=loss, alphas=10, **TIGHT)
    for name, other in kinds.items():
        path = riata.fit_path(other, y, loss=loss, alphas=10, **TIGHT)
        assert_allclose(dense(path), dense(plain), atol=1e-6, err_msg=name)
        assert_allclose(
            path.predict(other, 0.5 * path.alpha_max), plain.predict(X, 0.5 * path.alpha_max), atol=1e-6
        )


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("chosen", [None, [31, 4, 7, *range(10, 29)]])
def test_genotypes_are_as_good_as_their_dosages(loss, chosen, tmp_path):
    """Whole files, and chosen samples in any order: what belongs to a sample stays with it."""
    rng = np.random.default_rng(5)
    dosage = rng.binomial(2, 0.3, (33, 40)).astype(float)
    score = dosage[:, 0] - dosage[:, 3] + rng.standard_normal(33)
    y = response_to(loss, score, rng)
    genotypes = riata.open_genotypes(write_plink(tmp_path / "study", dosage))
    if chosen is not None:
        genotypes, dosage = genotypes.subset(samples=chosen), dosage[chosen]
        y, score = y[chosen], score[chosen]
    weights = rng.uniform(0.5, 2.0, len(y))
    ids = np.arange(len(y)) % 3
    folds = [(np.flatnonzero(ids != k), np.flatnonzero(ids == k)) for k in range(3)]
    a, b = (
        riata.cv_path(Z, y, loss=loss, cv=folds, sample_weight=weights, alphas=8, eps=0.1, **TIGHT)
        for Z in (dosage, genotypes)
    )
    assert_same_fit(a.path, b.path, atol=1e-6)
    assert_allclose(b.scores, a.scores, rtol=1e-5)
    assert_allclose(b.predict(genotypes), a.predict(dosage), atol=1e-6)
    assert b.path.feature_names[:2].tolist() == ["rs0", "rs1"]
    model = riata.Lasso(0.05, **TIGHT)
    plain = model.fit(dosage, score, sample_weight=weights).predict(dosage)
    assert_allclose(model.fit(genotypes, score, sample_weight=weights).predict(genotypes), plain, atol=1e-6)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_carry_names(library):
    module = pytest.importorskip(library)
    X, y = make_problem(p=4)
    names = ["age", "weight", "height", "dose"]
    frame = module.DataFrame({name: X[:, j] for j, name in enumerate(names)})
    path = riata.fit_path(frame, y, alphas=5)
    assert path.feature_names.tolist() == names
    assert_same_fit(riata.fit_path(X, y, alphas=5), path)
    assert_array_equal(path.predict(frame), path.predict(X))
    with pytest.raises(ValueError, match="same order"):
        path.predict(frame[names[::-1]])
    named = riata.fit_path(frame, y, alphas=5, exclude=["weight"])
    assert np.all(dense(named)[1] == 0.0)
    with pytest.raises(ValueError, match="exclude must hold names of features of X, got 'shoe size'"):
        riata.fit_path(frame, y, alphas=5, exclude=["dose", "shoe size"])


@pytest.mark.parametrize("call", ["path", "estimator"])
def test_x_is_never_written_and_never_copied(call):
    X, y = make_problem(n=50, p=4000)
    before = X.copy()
    X.flags.writeable = False

    def fit():
        if call == "path":
            riata.fit_path(X, y, alphas=5).predict(X)
        else:
            riata.Lasso(0.5).fit(X, y).predict(X)

    fit()  # imports
    tracemalloc.start()
    fit()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 0.3 * X.nbytes
    assert_array_equal(X, before)


@pytest.mark.parametrize("loss", LOSSES)
def test_rescaling_a_column_rescales_only_its_coefficient(loss):
    X, y = make_problem(loss)
    stretched = X.copy()
    stretched[:, 0] *= 1000.0
    plain, other = (riata.fit_path(Z, y, loss=loss, alphas=10, **TIGHT) for Z in (X, stretched))
    coefs = dense(other)
    coefs[0] *= 1000.0
    assert_allclose(coefs, dense(plain), atol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_weight_zero_is_as_good_as_absent(loss):
    X, y = make_problem(loss)
    weights = np.ones(len(y))
    weights[5:12] = 0.0
    kept = weights > 0
    a = riata.fit_path(X, y, loss=loss, alphas=10, sample_weight=weights, **TIGHT)
    b = riata.fit_path(X[kept], y[kept], loss=loss, alphas=10, **TIGHT)
    assert_same_fit(b, a, atol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_weight_two_is_the_sample_twice(loss):
    X, y = make_problem(loss)
    weights = np.ones(len(y))
    weights[5:12] = 2.0
    twice = np.repeat(np.arange(len(y)), weights.astype(int))
    a = riata.fit_path(X, y, loss=loss, alphas=10, sample_weight=3.0 * weights, **TIGHT)
    b = riata.fit_path(X[twice], y[twice], loss=loss, alphas=10, **TIGHT)
    assert_same_fit(b, a, atol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_fractional_weights_satisfy_kkt(loss):
    X, y = make_problem(loss)
    weights = np.random.default_rng(1).uniform(0.1, 5.0, len(y))
    path = riata.fit_path(X, y, loss=loss, alphas=10, sample_weight=weights, **TIGHT)
    assert_allclose(path.scale, deviation(X, weights), rtol=1e-10)
    assert_optimal(path, X, y, weights=weights)


def test_gaussian_offset_is_subtracted_from_the_response():
    X, y = make_problem()
    offset = np.random.default_rng(1).standard_normal(len(y))
    a = riata.fit_path(X, y, offset=offset, alphas=10, **TIGHT)
    b = riata.fit_path(X, y - offset, alphas=10, **TIGHT)
    assert_same_fit(b, a, atol=1e-6)
    assert_allclose(a.predict(X, offset=offset), b.predict(X) + offset[:, None], atol=1e-6)


@pytest.mark.parametrize("loss", ["binomial", "poisson", "huber"])
def test_an_offset_satisfies_kkt(loss):
    X, y = make_problem(loss)
    offset = np.random.default_rng(1).standard_normal(len(y))
    path = riata.fit_path(X, y, loss=loss, offset=offset, alphas=10, **TIGHT)
    assert_optimal(path, X, y, offset=offset)


def test_binomial_takes_proportions():
    X, y = make_problem("binomial")
    y = 0.8 * y + 0.1
    path = riata.fit_path(X, y, loss="binomial", alphas=10, **TIGHT)
    assert_optimal(path, X, y)
    assert path.saturated_objective > 0.1


@pytest.mark.parametrize("loss", LOSSES)
def test_penalty_factors(loss):
    """Zero leaves unpenalised, infinity leaves out, the rest weighs, as written in the objective."""
    X, y = make_problem(loss)
    factor = np.random.default_rng(2).uniform(0.5, 2.0, X.shape[1])
    factor[[7, 8]] = 0.0
    factor[[0, 9]] = np.inf
    path = riata.fit_path(X, y, loss=loss, alphas=10, eps=0.1, penalty_factor=factor, l1_ratio=0.9, **TIGHT)
    assert_optimal(path, X, y, factor=factor)
    coefs = dense(path)
    assert np.all(coefs[[0, 9]] == 0.0)
    assert np.all(coefs[[7, 8]] != 0.0)
    assert_array_equal(np.flatnonzero(coefs[:, 0]), [7, 8])  # at alpha_max nothing penalised is active
    plain = factor.copy()
    plain[[0, 9]] = 1.0
    excluded = riata.fit_path(
        X, y, loss=loss, alphas=10, eps=0.1, penalty_factor=plain, exclude=[0, 9], l1_ratio=0.9, **TIGHT
    )
    assert_array_equal(dense(excluded), coefs)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("lower", "upper"), [(0.0, None), (None, 0.0), (-0.2, 0.3)])
@pytest.mark.parametrize("solver", ["auto", *SOLVERS])
def test_bounds(loss, lower, upper, solver):
    X, y = make_problem(loss, 40, 25)
    path = riata.fit_path(
        X, y, loss=loss, alphas=8, eps=0.05, lower=lower, upper=upper, solver=solver, **TIGHT
    )
    low, high = -np.inf if lower is None else lower, np.inf if upper is None else upper
    assert path.converged.all()
    assert_optimal(path, X, y, at=3e-6, lower=low, upper=high)


def test_bounds_by_feature():
    X, y = make_problem()
    lower, upper = np.full(X.shape[1], -np.inf), np.full(X.shape[1], np.inf)
    lower[1], upper[0] = -0.1, 0.0
    path = riata.fit_path(X, y, alphas=10, lower=lower, upper=upper, **TIGHT)
    assert_optimal(path, X, y, lower=lower, upper=upper)


# Hazards


def test_constant_and_duplicate_columns():
    X, y = make_problem(p=10)
    X = np.column_stack([X, np.full(len(y), 3.0), X[:, 0], -X[:, 1], X[:, 2] + X[:, 3], np.zeros(len(y))])
    path = riata.fit_path(X, y, alphas=10, **TIGHT)
    assert path.converged.all()
    assert np.all(dense(path)[[10, 14]] == 0.0)
    assert np.all(np.isfinite(dense(path)))
    assert_optimal(path, X, y)
    plain = riata.fit_path(X[:, :10], y, alphas=path.alphas, **TIGHT)
    assert np.all(path.primal <= plain.primal + 1e-12)  # more columns, no worse


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("solver", ["auto", *SOLVERS])
def test_exact_copies_of_every_column(loss, solver):
    X, y = make_problem(loss, 30, 8)
    path = riata.fit_path(np.hstack([X, X]), y, loss=loss, alphas=8, solver=solver, tol=1e-9)
    plain = riata.fit_path(X, y, loss=loss, alphas=path.alphas, tol=1e-9)
    assert path.converged.all()
    assert_allclose(path.primal, plain.primal, atol=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_one_feature(loss):
    X, y = make_problem(loss, 30, 1)
    path = riata.fit_path(X, y, loss=loss, alphas=10, **TIGHT)
    assert_optimal(path, X, y)


def test_one_sample():
    with pytest.warns(UserWarning, match="y has the value 3 for all samples"):
        path = riata.fit_path([[1.0, 2.0]], [3.0], alphas=[1.0, 0.1])
    assert_array_equal(dense(path), np.zeros((2, 2)))
    assert_allclose(path.intercepts, [3.0, 3.0])
    assert path.converged.all()


def test_response_without_variance():
    X, _ = make_problem()
    with pytest.warns(UserWarning, match="y has the value 2 for all samples"):
        path = riata.fit_path(X, np.full(len(X), 2.0), alphas=5)
    assert path.coefs.nnz == 0
    assert_allclose(path.intercepts, 2.0)
    assert path.converged.all()


@pytest.mark.parametrize("scale", [1e-12, 1e12])
@pytest.mark.parametrize("response", [1e-9, 1e9])
def test_huge_and_tiny_scales(scale, response):
    X, y = make_problem()
    plain = riata.fit_path(X, y, alphas=10, **TIGHT)
    path = riata.fit_path(scale * X, response * y, alphas=10, **TIGHT)
    assert path.converged.all()
    assert_allclose(path.alphas, response * plain.alphas, rtol=1e-9)
    assert_allclose(dense(path) * scale / response, dense(plain), atol=1e-6)


def test_large_common_offset_of_a_column():
    X, y = make_problem()
    shifted = X + 1e6
    plain, path = (riata.fit_path(Z, y, alphas=10, tol=1e-9) for Z in (X, shifted))
    assert_allclose(dense(path), dense(plain), atol=1e-4)
    assert_allclose(path.predict(shifted), plain.predict(X), atol=1e-3)


def test_separable_classes():
    X, _ = make_problem()
    y = (X[:, 0] > 0).astype(float)
    path = riata.fit_path(X, y, loss="binomial", alphas=20)
    assert path.converged.all()
    assert np.all(np.isfinite(dense(path)))
    assert_array_equal(path.predict(X, path.alphas[-1], kind="class"), y)


def test_one_case_only():
    X, _ = make_problem()
    y = np.zeros(len(X))
    y[3] = 1.0
    path = riata.fit_path(X, y, loss="binomial", alphas=10, **TIGHT)
    assert_optimal(path, X, y)


# Grids


@pytest.mark.parametrize("loss", LOSSES)
def test_grid_starts_where_the_first_feature_enters(loss):
    X, y = make_problem(loss)
    path = riata.fit_path(X, y, loss=loss, alphas=30)
    assert_allclose(path.alphas[0], path.alpha_max, rtol=1e-12)
    assert path.n_active[0] == 0
    just_below = riata.fit_path(X, y, loss=loss, alphas=[path.alpha_max * 0.999])
    assert just_below.n_active[0] >= 1
    steps = np.diff(np.log(path.alphas))
    assert_allclose(steps, steps[0], rtol=1e-6)
    assert steps[0] < 0.0


def test_default_eps_depends_on_the_shape():
    for n, p, eps in ((20, 60, 0.01), (60, 5, 1e-4)):
        X, y = make_problem(n=n, p=p, noise=3.0)
        path = riata.fit_path(X, y, alphas=10)
        ratio = (path.alphas[-1] / path.alphas[0]) ** (9 / (len(path) - 1))
        assert_allclose(ratio, eps, rtol=1e-6)


def test_alphas_are_all_fitted_in_decreasing_order():
    X, y = make_problem()
    path = riata.fit_path(X, y, alphas=[0.1, 5000.0, 0.5, 1e-3])
    assert_allclose(path.alphas, [5000.0, 0.5, 0.1, 1e-3])
    assert path.n_active[0] == 0
    assert_optimal(riata.fit_path(X, y, alphas=[0.1, 0.5], **TIGHT), X, y)


@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
def test_memory_ends_the_path_with_a_warning(loss):
    X, y = make_problem(loss, n=150, p=4000)
    whole = riata.fit_path(X, y, loss=loss)
    assert whole.stop_reason != "memory"
    held = whole.counters["memory"]
    least = riata.fit_path(X, y, loss=loss, alphas=[2.0 * whole.alpha_max]).counters["memory"]
    assert least < held  # nor is it more than the copy and the working set
    with pytest.warns(UserWarning, match=r"ended after \d+ of 100 alphas.*memory=\d.* [KM]iB allows no more"):
        path = riata.fit_path(X, y, loss=loss, memory=f"{int(1.3 * least) / 1024}K")
    assert path.stop_reason == "memory"
    assert 0 < len(path) < len(whole)
    assert path.converged.all()
    assert_allclose(path.coefs.toarray(), whole.coefs[:, : len(path)].toarray(), atol=1e-4)
    assert riata.fit_path(X, y, loss=loss, memory=2 * held).stop_reason == whole.stop_reason


def test_memory_below_the_least_is_refused():
    X, y = make_problem("gaussian", n=20, p=400)
    with pytest.raises(
        ValueError, match=r"memory must be at least \d+ bytes for the rows and columns of X, got 10"
    ):
        riata.fit_path(X, y, memory=10)


def test_max_active_ends_the_path():
    X, y = make_problem()
    path = riata.fit_path(X, y, max_active=4)
    assert path.n_active.max() <= 4
    assert len(path) < 100


def test_progress_sees_every_alpha_and_can_stop():
    X, y = make_problem()
    seen = []

    def watch(done, total, alpha, n_active, gap, passes):
        seen.append((done, total, alpha, n_active, gap, passes))
        return done < 5

    path = riata.fit_path(X, y, alphas=50, progress=watch)
    assert path.interrupted
    assert 5 <= len(path) < 50
    assert seen[-1][1] == 50
    assert all(a[0] < b[0] for a, b in itertools.pairwise(seen))


def test_an_error_in_progress_comes_through():
    X, y = make_problem()

    def fail(*args):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        riata.fit_path(X, y, progress=fail)


# Reading a path


@pytest.fixture(scope="module")
def path():
    X, y = make_problem()
    return riata.fit_path(X, y, alphas=20)


def test_coef_interpolates_between_grid_points(path):
    a, b = path.alphas[3], path.alphas[4]
    assert_array_equal(path.coef(a), dense(path)[:, 3])
    assert_allclose(
        path.coef(0.25 * a + 0.75 * b), 0.25 * dense(path)[:, 3] + 0.75 * dense(path)[:, 4], atol=1e-12
    )
    assert_allclose(path.intercept((a + b) / 2), path.intercepts[3:5].mean())
    assert path.coef([a, b, (a + b) / 2]).shape == (path.n_features, 3)
    assert path.coef() is path.coefs


def test_coef_refuses_to_extrapolate(path):
    with pytest.raises(ValueError, match=r"alpha must lie within the fitted path, from .* to .*, got"):
        path.coef(path.alphas[-1] * 0.5)
    assert np.all(path.coef(path.alpha_max * 10.0) == 0.0)  # nothing changes above alpha_max
    X, y = make_problem()
    inner = riata.fit_path(X, y, alphas=[0.2, 0.1])
    with pytest.raises(ValueError, match="within the fitted path"):
        inner.coef(0.3)


def test_predict_shapes_and_kinds():
    X, y = make_problem("binomial")
    labels = np.where(y > 0, "sick", "healthy")
    path = riata.fit_path(X, labels, loss="binomial", alphas=10)
    assert path.classes.tolist() == ["healthy", "sick"]
    alpha = path.alphas[-1]
    link = path.predict(X, alpha, kind="link")
    assert link.shape == (len(y),)
    assert path.predict(X).shape == (len(y), len(path))
    assert path.predict(X, [alpha, 2 * alpha]).shape == (len(y), 2)
    assert_allclose(link, X @ path.coef(alpha) + path.intercept(alpha), atol=1e-12)
    assert_allclose(path.predict(X, alpha), 1.0 / (1.0 + np.exp(-link)))
    assert_array_equal(path.predict(X, alpha, kind="class"), np.where(link > 0, "sick", "healthy"))


def test_to_frame_holds_the_nonzeros(path):
    pytest.importorskip("pandas")
    frame = path.to_frame()
    assert list(frame.columns) == ["alpha", "feature", "coef"]
    assert len(frame) == path.coefs.nnz
    row = frame.iloc[-1]
    assert dense(path)[int(row.feature), -1] == row.coef


def test_repr_is_short(path):
    assert "riata.RegularizationPath gaussian, 40 samples x 60 features" in repr(path)
    assert len(repr(path)) < 250


def test_a_fit_that_did_not_converge_says_so():
    from sklearn.exceptions import ConvergenceWarning

    X, y = make_problem(n=60, p=100)
    with pytest.warns(
        ConvergenceWarning, match=r"relative duality gap is .* above tol=1e-12.*Raise max_iter=1"
    ):
        path = riata.fit_path(X, y, solver="prox", max_iter=1, tol=1e-12, alphas=5)
    assert not path.converged.all()
    assert "not converged" in repr(path)
