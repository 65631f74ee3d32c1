"""Paths of several outputs: optimality from its definition, invariances, storages, limits, reading a path."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from several_outputs import KINDS, NAMES, assert_optimal, dense, make_outputs, mean_of, objective
from sklearn.linear_model import LogisticRegression
from support import make_problem, storages, write_plink

import riata

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

SOLVERS = ["active_set", "cd", "prox"]
TIGHT = {"tol": 1e-12}

every_kind = pytest.mark.parametrize(("loss", "grouped"), KINDS, ids=NAMES)


def fit(X, y, loss, grouped, *, tol=1e-12, **options):
    return riata.fit_path(X, y, loss=loss, grouped=grouped, tol=tol, **options)


def assert_same_fit(a, b, atol=1e-6):
    assert_allclose(b.alphas, a.alphas, rtol=1e-10)
    assert_allclose(dense(b), dense(a), atol=atol)
    assert_allclose(b.intercepts, a.intercepts, atol=atol)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(KINDS),
    l1_ratio=st.sampled_from([1.0, 0.5]),
    standardize=st.booleans(),
    fit_intercept=st.booleans(),
)
def test_every_point_satisfies_kkt(seed, kind, l1_ratio, standardize, fit_intercept):
    X, y = make_outputs(kind[0], 25, 30, seed=seed)
    path = fit(
        X, y, *kind, alphas=5, eps=0.1,
        l1_ratio=l1_ratio, standardize=standardize, fit_intercept=fit_intercept,
    )  # fmt: skip
    assert np.all(path.dual_gaps >= -1e-14)
    assert path.converged.all()
    assert_optimal(path, X, y, at=3e-6)
    if path.loss == "multinomial":
        assert_allclose(path.intercepts.sum(axis=0), 0.0, atol=1e-10)


@every_kind
@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
def test_certificate_bounds_the_objective(loss, grouped, l1_ratio):
    """The primal is the objective at the returned coefficients, and no other path goes below the dual."""
    X, y = make_outputs(loss)
    rough = fit(X, y, loss, grouped, alphas=12, l1_ratio=l1_ratio, tol=1e-3)
    sharp = fit(X, y, loss, grouped, alphas=rough.alphas, l1_ratio=l1_ratio)
    for path in (rough, sharp):
        values = [objective(path, X, y, k) for k in range(len(path))]
        assert_allclose(path.primal, values, rtol=1e-11)
        span = path.null_objective - path.saturated_objective
        assert_allclose(path.dual_gaps, (path.primal - path.dual) / span, atol=1e-13)
        assert np.all(path.dual_gaps <= path.tol)
        assert np.all(path.dual_gaps >= -1e-14)
    assert np.all(rough.dual <= sharp.primal + 1e-13)


@every_kind
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers_agree(loss, grouped, l1_ratio, solver):
    X, y = make_outputs(loss, 50, 15)
    alphas = np.geomspace(0.5, 0.02, 6)
    auto = fit(X, y, loss, grouped, alphas=alphas, l1_ratio=l1_ratio)
    other = fit(X, y, loss, grouped, alphas=alphas, l1_ratio=l1_ratio, solver=solver, max_iter=100_000)
    assert other.converged.all()
    assert_same_fit(auto, other, atol=3e-5)
    assert_optimal(other, X, y, at=1e-5)


@every_kind
def test_any_number_of_threads_gives_the_same_bits(loss, grouped):
    X, y = make_outputs(loss, 60, 300)
    one, two = (fit(X, y, loss, grouped, alphas=12, tol=1e-6, n_threads=k) for k in (1, 2))
    for name in ("alphas", "intercepts", "primal", "dual", "dual_gaps"):
        assert_array_equal(getattr(one, name), getattr(two, name))
    assert_array_equal(dense(one), dense(two))


@every_kind
def test_storages_agree(loss, grouped):
    rng = np.random.default_rng(5)
    X = rng.binomial(2, 0.3, (40, 30)).astype(float)
    _, y = make_outputs(loss)
    plain = fit(X, y, loss, grouped, alphas=8)
    for name, other in storages(X).items():
        path = fit(other, y, loss, grouped, alphas=8)
        assert_allclose(dense(path), dense(plain), atol=1e-6, err_msg=name)
        alpha = 0.5 * path.alpha_max
        assert_allclose(path.predict(other, alpha), plain.predict(X, alpha), atol=1e-6)


@every_kind
@pytest.mark.parametrize("chosen", [None, [31, 4, 7, *range(10, 29)]])
def test_genotypes_are_as_good_as_their_dosages(loss, grouped, chosen, tmp_path):
    """Whole files, and chosen samples in any order: rows of y and of the offset stay with their samples."""
    rng = np.random.default_rng(5)
    dosage = rng.binomial(2, 0.3, (33, 30)).astype(float)
    _, y = make_outputs(loss, 33)
    genotypes = riata.open_genotypes(write_plink(tmp_path / "study", dosage))
    if chosen is not None:
        genotypes, dosage, y = genotypes.subset(samples=chosen), dosage[chosen], y[chosen]
    ids = np.arange(len(y)) % 2
    a, b = (
        riata.cv_path(
            Z, y, loss=loss, grouped=grouped, alphas=6, eps=0.1, **TIGHT,
            cv=[(np.flatnonzero(ids != k), np.flatnonzero(ids == k)) for k in range(2)],
            sample_weight=np.linspace(0.5, 2.0, len(y)), offset=np.arange(y.size).reshape(y.shape) % 7 / 7.0,
        )
        for Z in (dosage, genotypes)
    )  # fmt: skip
    assert_same_fit(a.path, b.path)
    assert_allclose(b.scores, a.scores, rtol=1e-5)
    assert_allclose(b.oof_link, a.oof_link, atol=1e-5)
    assert_allclose(b.predict(genotypes, offset=0), a.predict(dosage, offset=0), atol=1e-6)


@every_kind
def test_rescaling_a_column_rescales_only_its_coefficients(loss, grouped):
    X, y = make_outputs(loss)
    stretched = X.copy()
    stretched[:, 0] *= 1000.0
    plain, other = (fit(Z, y, loss, grouped, alphas=8) for Z in (X, stretched))
    coefs = dense(other)
    coefs[0] *= 1000.0
    assert_allclose(coefs, dense(plain), atol=1e-5)


@every_kind
def test_outputs_have_no_order(loss, grouped):
    X, y = make_outputs(loss)
    order = [2, 0, 1]
    a, b = fit(X, y, loss, grouped, alphas=8), fit(X, y[:, order], loss, grouped, alphas=8)
    assert_allclose(dense(b), dense(a)[:, order], atol=1e-6)
    assert_allclose(b.intercepts, a.intercepts[order], atol=1e-6)


def test_rotated_responses_have_rotated_coefficients():
    X, y = make_outputs()
    Q, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((3, 3)))
    a, b = fit(X, y, "multigaussian", True, alphas=8), fit(X, y @ Q, "multigaussian", True, alphas=8)
    assert_allclose(dense(b), np.einsum("jkl,km->jml", dense(a), Q), atol=1e-6)


@every_kind
def test_weights_are_repetitions(loss, grouped):
    X, y = make_outputs(loss)
    weights = np.ones(len(y))
    weights[5:12], weights[20:25] = 2.0, 0.0
    repeated = np.repeat(np.arange(len(y)), weights.astype(int))
    a = fit(X, y, loss, grouped, alphas=8, sample_weight=3.0 * weights)
    b = fit(X[repeated], y[repeated], loss, grouped, alphas=8)
    assert_same_fit(b, a, atol=1e-5)
    assert a.n_samples == np.count_nonzero(weights)


@every_kind
def test_weights_and_offset_satisfy_kkt(loss, grouped):
    X, y = make_outputs(loss)
    rng = np.random.default_rng(1)
    weights, offset = rng.uniform(0.1, 5.0, len(y)), rng.standard_normal(y.shape)
    path = fit(X, y, loss, grouped, alphas=8, sample_weight=weights, offset=offset)
    assert_optimal(path, X, y, weights=weights, offset=offset)
    alpha = path.alphas[-1]
    link = X @ path.coef(alpha) + path.intercept(alpha) + offset
    assert_allclose(path.predict(X, alpha, offset=offset), mean_of(loss, link), atol=1e-12)


@pytest.mark.parametrize("grouped", [False, True])
def test_proportions_satisfy_kkt(grouped):
    X, y = make_outputs("multinomial")
    y = 0.7 * y + 0.1
    path = fit(X, y, "multinomial", grouped, alphas=8)
    assert_optimal(path, X, y)
    assert path.saturated_objective > 0.1
    assert path.classes.tolist() == [0, 1, 2]


@every_kind
def test_penalty_factors(loss, grouped):
    """Zero leaves unpenalised, infinity leaves out, the rest weighs, as written in the objective."""
    X, y = make_outputs(loss, noise=2.0)
    factor = np.random.default_rng(2).uniform(0.5, 2.0, X.shape[1])
    factor[7], factor[[0, 9]] = 0.0, np.inf
    path = fit(X, y, loss, grouped, alphas=8, eps=0.1, penalty_factor=factor, l1_ratio=0.9)
    assert_optimal(path, X, y, factor=factor)
    coefs = dense(path)
    assert np.all(coefs[[0, 9]] == 0.0)
    assert np.all(np.any(coefs[7] != 0.0, axis=0))
    assert_array_equal(np.flatnonzero(coefs[:, :, 0].any(axis=1)), [7])  # at alpha_max
    factor[[0, 9]] = 1.0
    excluded = fit(
        X, y, loss, grouped, alphas=8, eps=0.1, penalty_factor=factor, exclude=[0, 9], l1_ratio=0.9
    )
    assert_array_equal(dense(excluded), coefs)


@pytest.mark.parametrize(("lower", "upper"), [(0.0, None), (None, 0.0), (-0.2, 0.3)])
def test_bounds_are_those_of_every_class(lower, upper):
    X, y = make_outputs("multinomial")
    path = fit(X, y, "multinomial", False, alphas=8, eps=0.05, lower=lower, upper=upper)
    low, high = -np.inf if lower is None else lower, np.inf if upper is None else upper
    assert path.converged.all()
    assert_optimal(path, X, y, at=3e-6, lower=low, upper=high)


# Where several outputs are one


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_one_response_is_the_gaussian_loss(l1_ratio):
    X, y = make_problem()
    a = riata.fit_path(X, y, alphas=10, l1_ratio=l1_ratio, **TIGHT)
    b = fit(X, y[:, None], "multigaussian", False, alphas=10, l1_ratio=l1_ratio)
    assert_allclose(b.alphas, a.alphas, rtol=1e-10)
    assert_allclose(dense(b)[:, 0], a.coefs.toarray(), atol=1e-6)
    assert_allclose(b.intercepts, a.intercepts[None], atol=1e-6)
    assert_allclose(b.primal, a.primal, rtol=1e-10)
    assert_allclose(b.deviance_ratio, a.deviance_ratio, atol=1e-9)
    assert b.predict(X, b.alphas[-1]).shape == (len(y), 1)
    cv = riata.cv_path(X, y[:, None], loss="multigaussian", cv=3, alphas=a.alphas, l1_ratio=l1_ratio, **TIGHT)
    single = riata.cv_path(X, y, cv=3, alphas=a.alphas, l1_ratio=l1_ratio, **TIGHT)
    assert_allclose(cv.scores, single.scores, rtol=1e-5)


def test_responses_without_a_common_feature_are_apart():
    """With orthogonal columns each feature is shrunk by the norm of its own correlations."""
    rng = np.random.default_rng(0)
    X, _ = np.linalg.qr(rng.standard_normal((40, 6)))
    X *= np.sqrt(40)
    y = rng.standard_normal((40, 3))
    path = fit(X, y, "multigaussian", True, alphas=[0.1], standardize=False, fit_intercept=False)
    pull = X.T @ y / 40
    size = np.linalg.norm(pull, axis=1, keepdims=True)
    assert_allclose(path.coef(0.1), pull * np.maximum(1.0 - 0.1 / size, 0.0), atol=1e-9)


@pytest.mark.parametrize(("grouped", "factor"), [(False, 1.0), (True, np.sqrt(2.0))])
def test_two_classes_are_the_binomial_loss(grouped, factor):
    """|b_1| + |b_2| given b_2 - b_1 = d is at least |d|, and the norm of the pair at least |d| / sqrt(2)."""
    X, y = make_problem("binomial")
    single = riata.fit_path(X, y, loss="binomial", alphas=8, **TIGHT)
    path = fit(X, y.astype(int), "multinomial", grouped, alphas=factor * single.alphas)
    assert_allclose(path.primal, single.primal, rtol=1e-9)
    coefs = dense(path)
    assert_allclose(coefs[:, 1] - coefs[:, 0], single.coefs.toarray(), atol=1e-5)
    assert_allclose(path.predict(X)[:, 1], single.predict(X), atol=1e-5)


@pytest.mark.parametrize("alpha", [0.1, 0.02])
def test_as_good_as_scikit_learn(alpha):
    X, y = make_outputs("multinomial", 60, 8)
    path = fit(X, y, "multinomial", False, alphas=[alpha], standardize=False)
    model = LogisticRegression(
        C=riata.conversions(path).sklearn_C, l1_ratio=1.0, solver="saga", tol=1e-10, max_iter=100_000
    ).fit(X, y.argmax(axis=1))
    assert_allclose(path.coef(alpha), model.coef_.T, atol=1e-4)
    share = model.predict_proba(X)[y == 1.0]
    theirs = alpha * np.abs(model.coef_).sum() - np.log(share).mean()
    assert path.primal[0] <= theirs + 1e-12
    assert_allclose(path.primal[0], theirs, rtol=1e-7)


# Hazards


@pytest.mark.parametrize("grouped", [False, True])
def test_separable_classes(grouped):
    X, _ = make_outputs("multinomial")
    labels = np.digitize(X[:, 0], [-0.5, 0.5])
    path = fit(X, labels, "multinomial", grouped, tol=1e-6, alphas=20)
    assert path.converged.all()
    assert np.all(np.isfinite(dense(path)))
    assert np.mean(path.predict(X, path.alphas[-1], kind="class") == labels) > 0.95


@every_kind
def test_constant_and_duplicate_columns(loss, grouped):
    X, y = make_outputs(loss, p=8)
    wide = np.column_stack([X, np.full(len(y), 3.0), X[:, 0], -X[:, 1], np.zeros(len(y))])
    path = fit(wide, y, loss, grouped, alphas=8, tol=1e-10)
    assert path.converged.all()
    assert np.all(dense(path)[[8, 11]] == 0.0)
    plain = fit(X, y, loss, grouped, alphas=path.alphas, tol=1e-10)
    assert_allclose(path.primal, plain.primal, atol=1e-9)


def test_a_response_without_variance():
    X, y = make_outputs()
    y[:, 1] = 2.0
    path = fit(X, y, "multigaussian", True, alphas=8)
    assert_optimal(path, X, y)
    assert_allclose(dense(path)[:, 1], 0.0, atol=1e-12)
    assert_allclose(path.intercepts[1], 2.0)
    with pytest.warns(UserWarning, match="y has the same values for all samples"):
        nothing = fit(X, np.ones((len(X), 2)), "multigaussian", True, alphas=3)
    assert nothing.converged.all()
    assert np.all(nothing.n_active == 0)


def test_many_outputs():
    X, y = make_outputs(n=60, K=20)
    path = fit(X, y, "multigaussian", True, alphas=6)
    assert_optimal(path, X, y)


@every_kind
def test_active_features_are_counted_and_limited(loss, grouped):
    X, y = make_outputs(loss)
    path = fit(X, y, loss, grouped, tol=1e-6, alphas=20)
    assert_array_equal(path.n_active, dense(path).any(axis=1).sum(axis=0))
    assert path.n_active[0] == 0
    short = fit(X, y, loss, grouped, tol=1e-6, max_active=4)
    assert short.stop_reason == "max_active"
    assert short.n_active.max() <= 4


@every_kind
def test_a_stopped_fit_goes_on_from_its_checkpoint(loss, grouped, tmp_path, monkeypatch):
    monkeypatch.setattr("riata.path.fit.CHECKPOINT_SECONDS", 0.0)
    X, y = make_outputs(loss, 60, 200, noise=2.0)
    options = {"alphas": 20, "eps": 0.05, "tol": 1e-6}
    checkpoint = tmp_path / "state"
    part = fit(X, y, loss, grouped, checkpoint=checkpoint, progress=lambda done, *rest: done < 8, **options)
    assert part.interrupted
    assert checkpoint.exists()
    whole = fit(X, y, loss, grouped, **options)
    again = fit(X, y, loss, grouped, checkpoint=checkpoint, **options)
    for name in ("alphas", "intercepts", "primal", "dual_gaps", "n_iter"):
        assert_array_equal(getattr(again, name), getattr(whole, name))
    assert_array_equal(dense(again), dense(whole))


# Reading a path


@pytest.fixture(scope="module", params=KINDS, ids=NAMES)
def path(request):
    X, y = make_outputs(request.param[0])
    return fit(X, y, *request.param, alphas=12, tol=1e-6)


def test_coef_and_intercept_interpolate(path):
    a, b = path.alphas[3], path.alphas[4]
    coefs = dense(path)
    assert isinstance(path.coefs, list)
    assert path.intercepts.shape == (3, len(path))
    assert path.coef(a).shape == (path.n_features, 3)
    assert_array_equal(path.coef(a), coefs[:, :, 3])
    assert_allclose(path.coef(0.25 * a + 0.75 * b), 0.25 * coefs[:, :, 3] + 0.75 * coefs[:, :, 4], atol=1e-12)
    assert_allclose(path.intercept((a + b) / 2), path.intercepts[:, 3:5].mean(axis=1))
    several = path.coef([a, b])
    assert_array_equal(several[2].toarray(), coefs[:, 2, 3:5])
    assert path.intercept([a, b]).shape == (3, 2)
    assert path.coef() is path.coefs


def test_predict_shapes_and_kinds(path):
    X, _ = make_outputs(path.loss)
    alpha = path.alphas[-1]
    link = path.predict(X, alpha, kind="link")
    assert_allclose(link, X @ path.coef(alpha) + path.intercept(alpha), atol=1e-12)
    assert_allclose(path.predict(X, alpha), mean_of(path.loss, link))
    assert path.predict(X).shape == (len(X), 3, len(path))
    assert path.predict(X, [alpha, 2 * alpha]).shape == (len(X), 3, 2)
    assert_array_equal(path.predict(X, [alpha])[:, :, 0], path.predict(X, alpha))
    if path.loss == "multinomial":
        assert_array_equal(path.predict(X, alpha, kind="class"), link.argmax(axis=1))
        assert path.predict(X, kind="class").shape == (len(X), len(path))
    else:
        with pytest.raises(ValueError, match="kind must be 'response' or 'link' for the multigaussian loss"):
            path.predict(X, alpha, kind="class")
    with pytest.raises(ValueError, match=r"offset must hold 3 numbers per sample, shape \(40, 3\)"):
        path.predict(X, alpha, offset=np.zeros(40))


@pytest.mark.parametrize("labels", [("AML", "ALL", "MLL"), (5, 2, 9), (0.0, 2.0, 1.0)])
def test_labels_are_the_classes(labels):
    X, y = make_outputs("multinomial")
    named = np.array(labels)[y.argmax(axis=1)]
    path = fit(X, named, "multinomial", False, alphas=6)
    assert path.classes.tolist() == sorted(labels)
    assert path.outputs.tolist() == sorted(labels)
    assert set(path.predict(X, path.alphas[-1], kind="class")) <= set(labels)
    plain = fit(X, y, "multinomial", False, alphas=6)
    assert_allclose(dense(path), dense(plain)[:, np.argsort(labels)], atol=1e-6)


def test_frames_name_the_outputs():
    pd = pytest.importorskip("pandas")
    X, y = make_outputs()
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    path = fit(frame, pd.DataFrame(y, columns=["height", "weight", "age"]), "multigaussian", True, alphas=6)
    assert path.outputs.tolist() == ["height", "weight", "age"]
    table = path.to_frame()
    assert list(table.columns) == ["alpha", "feature", "coef", "output"]
    assert len(table) == sum(coefs.nnz for coefs in path.coefs)
    assert np.all(np.diff(table["alpha"]) <= 0.0)
    row = table.iloc[-1]
    j, k = int(row.feature[1:]), ["height", "weight", "age"].index(row.output)
    assert dense(path)[j, k, -1] == row.coef
    shares = pd.DataFrame(make_outputs("multinomial")[1], columns=["a", "b", "c"])
    assert fit(frame, shares, "multinomial", False, alphas=3).classes.tolist() == ["a", "b", "c"]


def test_repr_is_short(path):
    what = "3 classes" if path.loss == "multinomial" else "3 responses"
    assert f"riata.RegularizationPath {path.loss}, 40 samples x 25 features, {what}" in repr(path)
    assert len(repr(path)) < 250


@pytest.mark.parametrize("cross_validated", [False, True])
def test_saved_and_loaded(path, cross_validated, tmp_path):
    kept = path
    if cross_validated:
        X, y = make_outputs(path.loss)
        cv = riata.cv_path(X, y, loss=path.loss, grouped=path.grouped, alphas=4, eps=0.1, cv=3)
        cv.save(tmp_path / "kept.npz")
        again = riata.load(tmp_path / "kept.npz")
        assert_array_equal(again.scores, cv.scores)
        kept, again = cv.path, again.path
    else:
        path.save(tmp_path / "kept.npz")
        again = riata.load(tmp_path / "kept.npz")
    assert_array_equal(dense(again), dense(kept))
    for item in fields(kept):
        if item.name != "coefs":
            assert_array_equal(getattr(again, item.name), getattr(kept, item.name), err_msg=item.name)


def test_files_from_before_there_were_several_outputs_are_read(tmp_path):
    import json

    X, y = make_problem()
    path = riata.fit_path(X, y, alphas=5)
    path.save(tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as archive:
        arrays = dict(archive)
    meta = json.loads(str(arrays["meta"]))
    del meta["row_grouped"], meta["responses"]
    arrays["meta"] = np.array(json.dumps(meta))
    np.savez(tmp_path / "old.npz", **arrays)
    old = riata.load(tmp_path / "old.npz")
    assert_array_equal(old.coefs.toarray(), path.coefs.toarray())
    assert not old.grouped
    assert old.outputs is None


# Refusals

Y = np.eye(3)[np.arange(40) % 3]


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        (
            "multinomial",
            np.zeros(40),
            r"at least two classes for the multinomial loss, got one class only: 0",
        ),
        ("multinomial", np.linspace(0.0, 1.0, 40), r"labels .*whole numbers or text.*, got .* at position 1"),
        ("multinomial", np.full(40, np.nan), r"y must hold labels .*, got nan at position 0"),
        ("multinomial", np.arange(39) % 3, r"y must hold one label per sample of X: 40, got 39"),
        ("multinomial", 2.0 * Y, r"proportions with the sum 1 in each row, got 2 in row 0"),
        ("multinomial", 1.5 * Y - 0.5 * Y[:, [1, 2, 0]], r"proportions >= 0, got -0.5 at position \(0, 2\)"),
        ("multinomial", Y[:, [0, 0]] * 0.0, r"proportions with the sum 1 in each row, got 0 in row 0"),
        ("multinomial", Y @ [[1, 0, 0], [1, 0, 0], [0, 0, 1]], r"every class .* got none of 1"),
        ("multinomial", Y[:39], r"3 proportions per sample, shape \(40, 3\), got shape \(39, 3\)"),
        ("multigaussian", np.zeros(40), r"y must be 2-D, samples x responses, .*got shape \(40,\)"),
        ("multigaussian", np.zeros((40, 0)), r"at least one response per sample, got shape \(40, 0\)"),
        ("multigaussian", np.zeros((39, 2)), r"y must hold 2 numbers per sample, shape \(40, 2\)"),
        ("multigaussian", np.where(Y > 0, np.nan, Y), r"finite numbers, got nan at position \(0, 0\)"),
        ("gaussian", Y, r"y must be 1-D"),
    ],
)
def test_bad_targets(loss, y, message):
    X, _ = make_outputs()
    with pytest.raises(ValueError, match=message):
        riata.fit_path(X, y, loss=loss)


def test_labels_that_cannot_be_ordered():
    X, _ = make_outputs()
    with pytest.raises(TypeError, match="labels of one kind"):
        riata.fit_path(X, np.array([0, "a", None, 1] * 10, dtype=object), loss="multinomial")


def test_a_class_of_weight_zero_is_no_class():
    X, y = make_outputs("multinomial")
    with pytest.raises(ValueError, match="every class with positive weight, got none of 1"):
        riata.fit_path(X, y, loss="multinomial", sample_weight=1.0 - y[:, 1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "gaussian", "grouped": True}, r"grouped must be False unless loss is one of"),
        ({"loss": "multinomial", "grouped": True, "lower": 0.0}, r"lower is not available where a feature"),
        ({"loss": "multinomial", "grouped": True, "upper": 1.0}, r"upper is not available where a feature"),
        ({"loss": "multigaussian", "lower": 0.0}, r"lower is not available where a feature .*, got 0.0"),
        ({"loss": "multigaussian", "offset": np.zeros(40)}, r"offset must hold 3 numbers per sample"),
        ({"loss": "multigaussian", "start": np.zeros(40)}, r"start must be left out unless loss is 'cox'"),
        ({"loss": "gaussian", "offset": np.zeros((40, 3))}, r"offset must hold one number per sample"),
    ],
)
def test_bad_options(options, message):
    X, y = make_outputs()
    y = Y if options["loss"] == "multinomial" else y[:, 0] if options["loss"] == "gaussian" else y
    for call in (riata.fit_path, riata.cv_path):
        with pytest.raises(ValueError, match=message):
            call(X, y, **options)


def test_row_grouped_is_a_flag():
    X, y = make_outputs()
    with pytest.raises(TypeError, match="grouped must be True or False, got 'yes'"):
        riata.fit_path(X, y, loss="multigaussian", grouped="yes")
