"""Groups that overlap: the latent group lasso, whose definition is copies of the columns, one per group."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from support import make_problem, residual_of, storages

import riata
import riata.path.fit
from riata.penalties import GroupLasso, SparseGroupLasso

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

P = 24
#: Runs of five, two apart, one within another, one of a single feature; 22 and 23 are in none.
SETS = {f"run {j}": list(range(j, j + 5)) for j in range(0, 18, 2)} | {"within": [1, 2, 3], "one": [7]}
ALONE = [j for j in range(P) if not any(j in members for members in SETS.values())]
#: Every group's members side by side: the columns that the definition copies.
COPIED = [j for members in SETS.values() for j in members] + ALONE
LABELS = np.repeat(np.arange(len(SETS) + len(ALONE)), [*map(len, SETS.values()), *(1 for _ in ALONE)])
TIGHT = {"tol": 1e-10, "max_iter": 100_000}
PENALTIES = {
    "group": (GroupLasso, {}),
    "ones": (GroupLasso, {"weights": "ones"}),
    "ridge": (GroupLasso, {"l2_ratio": 0.3}),
    "sparse": (SparseGroupLasso, {"l1_ratio": 0.4}),
}


def sums(parts):
    """Coefficients of copies, added up for each feature."""
    out = np.zeros((P, *parts.shape[1:]))
    np.add.at(out, COPIED, parts)
    return out


def with_and_without_copies(X, y, name, **options):
    kind, more = PENALTIES[name]
    got = riata.fit_path(X, y, penalty=kind(SETS, **more), **options)
    options["alphas"] = got.alphas
    return got, riata.fit_path(X[:, COPIED], y, penalty=kind(LABELS, **more), **options)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("loss", ["gaussian", "binomial", "poisson", "huber", "cox"])
@pytest.mark.parametrize("name", PENALTIES)
def test_is_the_fit_on_copies_of_the_columns(name, loss, standardize):
    X, y = make_problem(loss, 60, P, seed=3)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, 60)
    options = {"loss": loss, "standardize": standardize, "sample_weight": weights, "tol": 1e-9}
    got, copies = with_and_without_copies(X, y, name, alphas=12, eps=0.05, **options)
    assert got.converged.all()
    unit = got.null_objective - got.saturated_objective
    assert_allclose(got.alpha_max, copies.alpha_max, rtol=1e-10)
    assert_allclose(got.primal, copies.primal, atol=2e-9 * unit)
    assert_allclose(got.dual, copies.dual, atol=2e-9 * unit)
    assert_allclose(
        X @ got.coefs.toarray(),
        X @ sums(copies.coefs.toarray()),
        atol=2e-3 * np.abs(X @ sums(copies.coefs.toarray())).max(),
    )
    assert_array_equal(got.n_active, np.count_nonzero(got.coefs.toarray(), axis=0))
    assert_allclose(got.scale[COPIED], copies.scale, rtol=1e-12)
    assert got.n_features == P


@pytest.mark.slow
@pytest.mark.parametrize("name", PENALTIES)
def test_is_the_minimum_by_another_way(name):
    """Proximal gradient steps on the copies, from the definition of the penalty alone."""
    X, y = make_problem("gaussian", 40, P, seed=5)
    X, y = X - X.mean(axis=0), y - y.mean()
    kind, more = PENALTIES[name]
    path = riata.fit_path(X, y, penalty=kind(SETS, **more), alphas=6, eps=0.1, standardize=False, **TIGHT)
    alpha = path.alphas[4]
    weights = np.ones(LABELS.max() + 1) if more.get("weights") == "ones" else np.sqrt(np.bincount(LABELS))
    share = more.get("l1_ratio", 0.0)
    ridge = more.get("l2_ratio", 0.0)
    A = X[:, COPIED]
    step = 40 / np.linalg.norm(A, 2) ** 2
    v = np.zeros(len(COPIED))
    for _ in range(20_000):
        z = v + step * A.T @ (y - A @ v) / 40
        z = np.sign(z) * np.maximum(np.abs(z) - step * alpha * share, 0.0)
        for g in range(len(weights)):
            mine = g == LABELS
            weight = alpha * (1.0 - share) * weights[g]
            size = np.linalg.norm(z[mine])
            z[mine] *= 0.0 if size == 0.0 else max(1.0 - step * weight * (1.0 - ridge) / size, 0.0)
            z[mine] /= 1.0 + step * weight * ridge
        v = z
    sizes = np.array([np.linalg.norm(v[g == LABELS]) for g in range(len(weights))])
    objective = 0.5 * np.mean((y - A @ v) ** 2) + alpha * (
        share * np.abs(v).sum() + (1 - share) * weights @ ((1 - ridge) * sizes + 0.5 * ridge * sizes**2)
    )
    assert_allclose(path.primal[4], objective, rtol=1e-8)
    assert_allclose(X @ path.coefs.toarray()[:, 4], A @ v, atol=1e-3)


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "cox"])
def test_satisfies_the_conditions_of_the_latent_norm(loss):
    """Obozinski, Jacob & Vert (2011): the dual norm is the largest of the groups'; active parts reach it."""
    X, y = make_problem(loss, 60, P, seed=4)
    path = riata.fit_path(
        X,
        y,
        loss=loss,
        penalty=GroupLasso(SETS),
        alphas=8,
        eps=0.1,
        standardize=False,
        tol=1e-12,
        max_iter=100_000,
    )
    groups = {label: list(members) for label, members in SETS.items()} | {j: [j] for j in ALONE}
    for k in (2, 5, 7):
        alpha = path.alphas[k]
        b = path.coefs.toarray()[:, k]
        c = X.T @ residual_of(loss, y, X @ b + path.intercepts[k], np.ones(60))
        total = np.zeros(P)
        for label, members in groups.items():
            part, weight = path.group_coef(f"{label}", alpha), np.sqrt(len(members))
            assert not np.delete(part, members).any()
            size = np.linalg.norm(part)
            assert np.linalg.norm(c[members]) <= alpha * weight * (1 + 1e-4)
            if size > 1e-3:
                assert_allclose(c[members], alpha * weight * part[members] / size, atol=1e-3 * alpha)
            total += part
        assert_allclose(total, b, atol=1e-12)


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "poisson"])
def test_storages_agree(loss):
    rng = np.random.default_rng(6)
    X = rng.integers(0, 3, (50, P)).astype(float)
    X[:, 3] = 1.0
    _, y = make_problem(loss, 50, P, seed=6)
    penalty = GroupLasso(SETS)
    paths = {
        kind: riata.fit_path(
            design, y, loss=loss, penalty=penalty, alphas=10, eps=0.1, tol=1e-11, max_iter=10**5
        )
        for kind, design in storages(X).items()
    }
    first = paths.popitem()[1]
    assert first.n_active[-1] > 0
    for kind, path in paths.items():
        assert_allclose(path.alphas, first.alphas, rtol=1e-6, err_msg=kind)
        assert_allclose(path.primal, first.primal, rtol=1e-6, err_msg=kind)
        assert_allclose(path.coefs.toarray(), first.coefs.toarray(), atol=2e-3, err_msg=kind)


def test_groups_that_do_not_overlap_give_the_same_bits():
    X, y = make_problem("gaussian", 40, P)
    labels = np.arange(P) // 4
    sets = {f"{g}": np.flatnonzero(labels == g) for g in range(6)}
    by_label = riata.fit_path(X, y, penalty=GroupLasso(labels), alphas=20, eps=0.05)
    for groups in (sets, list(sets.values()), [members.tolist() for members in sets.values()]):
        path = riata.fit_path(X, y, penalty=GroupLasso(groups), alphas=20, eps=0.05)
        assert path.members is None
        assert path.parts is None
        for field in ("alphas", "intercepts", "primal", "dual", "n_iter"):
            assert_array_equal(getattr(path, field), getattr(by_label, field))
        assert_array_equal(path.coefs.toarray(), by_label.coefs.toarray())


def test_groups_by_lists_sets_and_names():
    pd = pytest.importorskip("pandas")
    X, y = make_problem("gaussian", 40, P)
    frame = pd.DataFrame(X, columns=[f"g{j}" for j in range(P)])
    options = {"alphas": 8, "eps": 0.1}
    want = riata.fit_path(X, y, penalty=GroupLasso(SETS), **options)
    for given, groups in (
        (X, list(SETS.values())),
        (X, [set(members) for members in SETS.values()]),
        (X, {label: [*members, members[0]] for label, members in SETS.items()}),  # listed twice is once
        (frame, {label: {f"g{j}" for j in members} for label, members in SETS.items()}),
        (frame, {label: pd.Index([f"g{j}" for j in members]) for label, members in SETS.items()}),
    ):
        path = riata.fit_path(given, y, penalty=GroupLasso(groups), **options)
        assert_array_equal(path.coefs.toarray(), want.coefs.toarray())
    names = [*SETS, *(f"g{j}" for j in ALONE)]
    assert path.group_names.tolist() == names
    with pytest.raises(
        ValueError,
        match=r"groups\['x'\] must hold names of features of X, got 'nowhere'; riata.read_gene_sets",
    ):
        riata.fit_path(frame, y, penalty=GroupLasso({"a": ["g0"], "x": ["g0", "nowhere"]}))
    assert repr(GroupLasso(SETS)) == "GroupLasso(11 groups of 21 features)"


def test_weights_of_sets():
    """One for each set, features in none have 1; by name as well; zero leaves the whole group free."""
    X, y = make_problem("gaussian", 60, P)
    options = {"alphas": 8, "eps": 0.1}
    weights = np.linspace(1.0, 2.0, len(SETS))
    by_name = dict(zip(SETS, weights, strict=True))
    want = riata.fit_path(
        X[:, COPIED],
        y,
        penalty=GroupLasso(LABELS, weights=[*weights, *(1.0 for _ in ALONE)]),
        tol=1e-10,
        **options,
    )
    for given in (weights, by_name, [*weights, *(1.0 for _ in ALONE)]):
        path = riata.fit_path(X, y, penalty=GroupLasso(SETS, weights=given), tol=1e-10, **options)
        assert_allclose(path.primal, want.primal, rtol=1e-8)
    by_name["run 0"] = 0.0
    path = riata.fit_path(X, y, penalty=GroupLasso(SETS, weights=by_name), tol=1e-10, **options)
    free = np.ones(P)
    free[SETS["run 0"]] = 0.0
    same = riata.fit_path(
        X,
        y,
        penalty=GroupLasso(SETS, weights=by_name | {"run 0": 1.0}),
        penalty_factor=free,
        tol=1e-10,
        **options,
    )
    assert_allclose(path.alphas, same.alphas, rtol=1e-8)
    assert_allclose(path.primal, same.primal, rtol=1e-7)
    assert (path.coefs.toarray()[SETS["run 0"], 0] != 0.0).all()


def test_factors_of_features_in_several_groups():
    """Free features are free once, those left out are in no group: sizes count the others."""
    X, y = make_problem("gaussian", 60, P)
    factor = np.ones(P)
    factor[[2, 3]] = 0.0
    factor[[4, 9]] = np.inf
    path = riata.fit_path(
        X, y, penalty=GroupLasso(SETS), penalty_factor=factor, alphas=10, eps=0.05, tol=1e-10
    )
    coefs = path.coefs.toarray()
    assert not coefs[[4, 9]].any()
    assert (coefs[[2, 3]] != 0.0).all()
    kept = {label: [j for j in members if factor[j] == 1.0] for label, members in SETS.items()}
    columns = [2, 3] + [j for members in kept.values() for j in members] + ALONE
    labels = [-1, -2] + [label for label, members in kept.items() for _ in members] + ALONE
    numbers = np.unique([str(label) for label in labels], return_inverse=True)[1]
    free = np.ones(len(columns))
    free[:2] = 0.0
    want = riata.fit_path(
        X[:, columns], y, penalty=GroupLasso(numbers), penalty_factor=free, alphas=path.alphas, tol=1e-10
    )
    assert_allclose(path.primal, want.primal, rtol=1e-8)
    assert_allclose(path.null_objective, want.null_objective, rtol=1e-10)


def test_what_a_path_keeps(tmp_path):
    X, y = make_problem("gaussian", 60, P)
    path = riata.fit_path(X, y, penalty=GroupLasso(SETS), alphas=10, eps=0.05)
    assert path.parts.shape == (len(COPIED), 10)
    assert path.members.tolist() == sorted(COPIED)
    total = sum(path.group_coef(name, path.alphas[6]) for name in path.group_names)
    assert_allclose(total, path.coef(path.alphas[6]), atol=1e-14)
    middle = 0.5 * (path.alphas[6] + path.alphas[7])
    total = sum(path.group_coef(name, middle) for name in path.group_names)
    assert_allclose(total, path.coef(middle), atol=1e-14)
    selected = path.selected_groups(path.alphas[3])
    norms = [np.linalg.norm(path.group_coef(name, path.alphas[3]) * path.scale) for name in selected]
    assert min(norms) > 0.0
    assert sorted(norms, reverse=True) == norms
    others = set(path.group_names.tolist()) - set(selected.tolist())
    assert not any(path.group_coef(name, path.alphas[3]).any() for name in others)
    path.save(tmp_path / "p.npz")
    again = riata.load(tmp_path / "p.npz")
    assert_array_equal(again.parts.toarray(), path.parts.toarray())
    assert_array_equal(again.group_coef("within", middle), path.group_coef("within", middle))
    with pytest.raises(ValueError, match="group must be one of the group_names of the path, got 'nothing'"):
        path.group_coef("nothing", middle)
    plain = riata.fit_path(X, y, alphas=3)
    with pytest.raises(ValueError, match="the path must have groups, as GroupLasso makes them"):
        plain.selected_groups(plain.alphas[1])
    single = riata.fit_path(X, y, penalty=GroupLasso(np.arange(P) // 4), alphas=10, eps=0.05)
    part = single.group_coef(0, single.alphas[5])
    assert_array_equal(part[:4], single.coef(single.alphas[5])[:4])
    assert not part[4:].any()


def test_cross_validation_is_that_of_copies():
    X, y = make_problem("gaussian", 60, P)
    folds = [(np.delete(np.arange(60), test), test) for test in np.array_split(np.arange(60), 4)]
    options = {"cv": folds, "tol": 1e-10}
    cv = riata.cv_path(X, y, penalty=GroupLasso(SETS), alphas=12, eps=0.05, **options)
    want = riata.cv_path(X[:, COPIED], y, penalty=GroupLasso(LABELS), alphas=cv.path.alphas, **options)
    assert_allclose(cv.mean_score, want.mean_score, rtol=1e-3)
    assert cv.alpha_min == want.alpha_min


def test_several_responses_and_estimators():
    X, y = make_problem("gaussian", 60, P)
    ys = np.column_stack([y, y[::-1]])
    alone = [riata.fit_path(X, one, penalty=GroupLasso(SETS), alphas=8, eps=0.1) for one in ys.T]
    together = riata.fit_multi_path(X, list(ys.T), penalty=GroupLasso(SETS), alphas=8, eps=0.1)
    for one, other in zip(alone, together, strict=True):
        assert_allclose(one.primal, other.primal, rtol=1e-5)
        assert other.parts.shape == one.parts.shape
    path = riata.fit_path(X, y, penalty=GroupLasso(SETS), alphas=[0.2], standardize=False, **TIGHT)
    model = riata.GroupLasso(SETS, alpha=0.2, **TIGHT).fit(X, y)
    assert_allclose(model.coef_, path.coefs.toarray()[:, 0], atol=1e-6)
    assert_allclose(model.predict(X), path.predict(X, 0.2), atol=1e-6)
    sparse = riata.SparseGroupLasso(list(SETS.values()), alpha=0.2).fit(sp.csc_array(X), y)
    assert 0 < np.count_nonzero(sparse.coef_) < P
    chosen = riata.GroupLassoCV(SETS, alphas=8, eps=0.1).fit(X, y)
    assert chosen.cv_result_.path.parts.shape == (len(COPIED), 8)


def test_max_active_counts_features_not_their_parts():
    X, y = make_problem("gaussian", 60, P)
    whole = riata.fit_path(X, y, penalty=GroupLasso(SETS), alphas=12, eps=0.02)
    counts = whole.n_active
    assert (np.diff(whole.parts.indptr) > counts).any()
    most = int(counts[5])
    path = riata.fit_path(X, y, penalty=GroupLasso(SETS), alphas=12, eps=0.02, max_active=most)
    assert path.stop_reason == "max_active"
    assert len(path) == np.flatnonzero(counts > most)[0]


def test_goes_on_from_a_checkpoint_to_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.setattr(riata.path.fit, "CHECKPOINT_SECONDS", 0.0)
    X, y = make_problem("binomial", 60, P)
    options = {"loss": "binomial", "penalty": GroupLasso(SETS), "alphas": 12, "eps": 0.05}
    whole = riata.fit_path(X, y, **options)
    state = tmp_path / "state"
    stopped = riata.fit_path(X, y, checkpoint=state, progress=lambda done, *rest: done < 5, **options)
    assert len(stopped) == 5
    other = options | {"penalty": GroupLasso(SETS | {"within": [1, 2, 4]})}
    with pytest.raises(ValueError, match=r"what differs: .*penalty"):
        riata.fit_path(X, y, checkpoint=state, **other)
    again = riata.fit_path(X, y, checkpoint=state, **options)
    for field in ("intercepts", "primal", "dual_gaps", "n_active", "n_iter"):
        assert_array_equal(getattr(again, field), getattr(whole, field))
    assert_array_equal(again.parts.toarray(), whole.parts.toarray())


def test_same_bits_for_any_number_of_threads():
    X, y = make_problem("gaussian", 60, P)
    one, two = (
        riata.fit_path(X, y, penalty=GroupLasso(SETS), alphas=10, eps=0.05, n_threads=k) for k in (1, 2)
    )
    assert_array_equal(one.parts.toarray(), two.parts.toarray())
    assert_array_equal(one.dual_gaps, two.dual_gaps)


def test_a_bad_column_is_named_by_its_own_number():
    X, y = make_problem("gaussian", 40, P)
    X[3, 11] = np.nan
    with pytest.raises(ValueError, match="got NaN or infinity in column 11"):
        riata.fit_path(X, y, penalty=GroupLasso(SETS))


def test_table_and_report_in_python(tmp_path):
    X, y = make_problem("gaussian", 60, P)
    path = riata.fit_path(X, y, penalty=GroupLasso(SETS), alphas=10, eps=0.05)
    table = path.table(path.alphas[6])
    for feature, groups in zip(table["feature"], table["group"], strict=True):
        parts = {name for name in path.group_names if path.group_coef(name, path.alphas[6])[feature]}
        assert set(groups.split(";")) == parts
    path.report(tmp_path / "page.html", path.alphas[6])
    assert "Groups overlap" in (tmp_path / "page.html").read_text()


def test_plot_gives_each_feature_one_colour():
    pytest.importorskip("matplotlib")
    X, y = make_problem("gaussian", 60, P)
    path = riata.fit_path(X, y, penalty=GroupLasso(SETS), alphas=10, eps=0.05)
    assert len(path.plot().lines) >= path.n_active[-1]
