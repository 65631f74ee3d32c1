"""`max_groups` ends a path before features of more groups are active; many problems share a response."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from support import make_problem

import riata
from riata import _core

LABELS = np.arange(120) // 4
OPTIONS = {"n_alphas": 60, "eps": 0.02, "tol": 1e-10}
FIELDS = ("alphas", "coef_indptr", "coef_indices", "coef_values", "intercepts", "dual", "dual_gaps")


def groups_active(path, labels=LABELS, counted=slice(None)):
    """The number of different labels of active features at each alpha, from the coefficients."""
    active = path.coefs.toarray() != 0.0
    return [len(np.unique(labels[counted][row[counted]])) for row in active.T]


def halves(n, pairs, seed=0):
    rng = np.random.default_rng(seed)
    weights = np.zeros((n, 2 * pairs), order="F")
    for b in range(pairs):
        rows = rng.permutation(n)
        weights[rows[: n // 2], 2 * b] = 1.0
        weights[rows[n // 2 : 2 * (n // 2)], 2 * b + 1] = 1.0
    return weights


def core_fits(X, y, weights, **options):
    design = riata._core.dense_design(np.asfortranarray(X))
    return _core.fit_paths(
        design, np.asfortranarray(y), np.asfortranarray(weights), None, None, None, None, **OPTIONS | options
    )


def coefs_of(fit):
    parts = (fit["coef_values"], fit["coef_indices"], fit["coef_indptr"])
    return sp.csc_array(parts, shape=(120, len(fit["alphas"]))).toarray()


def assert_same(fit, other):
    for name in FIELDS:
        assert_array_equal(np.asarray(fit[name]), np.asarray(other[name]), err_msg=name)


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "multinomial"])
@pytest.mark.parametrize("storage", [np.asfortranarray, sp.csc_array])
def test_a_path_ends_before_one_group_too_many(loss, storage):
    X, y = make_problem(loss, n=90, p=120, seed=3)
    whole = riata.fit_path(storage(X), y, loss=loss)
    counts = [len(np.unique(LABELS[rows])) for rows in map(active_features, all_coefs(whole))]
    for most in (2, 5):
        path = riata.fit_path(storage(X), y, loss=loss, max_groups=most, feature_groups=LABELS)
        end = next(i for i, count in enumerate(counts) if count > most)
        assert path.stop_reason == "max_groups"
        assert len(path) == end
        assert_array_equal(path.alphas, whole.alphas[:end])
        for mine, theirs in zip(all_coefs(path), all_coefs(whole), strict=False):
            assert_array_equal(mine, theirs)


def all_coefs(path):
    parts = path.coefs if isinstance(path.coefs, list) else [path.coefs]
    return np.stack([part.toarray() for part in parts], axis=-1).transpose(1, 0, 2)


def active_features(coef):
    return np.flatnonzero((coef != 0.0).any(axis=1))


def test_the_groups_of_the_penalty_are_counted_by_default():
    X, y = make_problem(n=90, p=120, seed=3)
    path = riata.fit_path(X, y, penalty=riata.penalties.GroupLasso(LABELS), max_groups=3)
    assert path.stop_reason == "max_groups"
    assert max(groups_active(path)) <= 3
    assert path.n_active.max() > 3


def test_features_without_a_penalty_do_not_count():
    X, y = make_problem(n=90, p=120, seed=3)
    factor = np.ones(120)
    factor[[0, 40, 80]] = 0.0
    path = riata.fit_path(X, y, penalty_factor=factor, max_groups=1, feature_groups=LABELS)
    counts = groups_active(path, counted=np.flatnonzero(factor))
    assert path.stop_reason == "max_groups"
    assert max(counts) == 1
    assert max(groups_active(path)) > 1


def test_groups_by_their_members():
    X, y = make_problem(n=90, p=120, seed=3)
    members = {f"g{k}": np.flatnonzero(k == LABELS).tolist() for k in range(30)}
    by_label = riata.fit_path(X, y, max_groups=4, feature_groups=LABELS)
    by_member = riata.fit_path(X, y, run=riata.RunOptions(max_groups=4, feature_groups=members))
    assert_array_equal(by_label.coefs.toarray(), by_member.coefs.toarray())


@pytest.mark.parametrize("unit", [1, 10])
def test_goes_on_to_the_same_bits(tmp_path, monkeypatch, unit):
    monkeypatch.setattr(riata.path.fit, "CHECKPOINT_SECONDS", 0.0)
    X, y = make_problem(n=90, p=120, seed=3)
    options = {"max_groups": 8, "feature_groups": LABELS, "checkpoint": tmp_path / "state"}
    expected = riata.fit_path(X, y, **options)
    part = riata.fit_path(X, y, **options, progress=lambda done, *_: done < unit)
    assert part.stop_reason == "progress"
    for other in ({"max_groups": 9}, {"feature_groups": LABELS[::-1]}):
        with pytest.raises(ValueError, match=r"what differs: .*max_groups"):
            riata.fit_path(X, y, **options | other)
    path = riata.fit_path(X, y, **options)
    assert path.stop_reason == "max_groups"
    assert_array_equal(path.coefs.toarray(), expected.coefs.toarray())
    assert_array_equal(path.dual_gaps, expected.dual_gaps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_groups": 3}, "max_groups needs feature_groups"),
        ({"max_groups": 0, "feature_groups": LABELS}, "max_groups must be >= 1, got 0"),
        ({"feature_groups": LABELS}, "feature_groups must be left out without max_groups"),
        ({"max_groups": 3, "feature_groups": LABELS[1:]}, "groups must have one label for each of the 120"),
        ({"max_groups": 3, "feature_groups": [[0, 1], [1, 2]]}, "feature_groups must be disjoint"),
        ({"max_groups": 2, "feature_groups": LABELS, "l1_ratio": 0.0}, "max_groups must be at least 30"),
    ],
)
def test_what_is_refused(options, message):
    X, y = make_problem(n=90, p=120, seed=3)
    with pytest.raises(ValueError, match=message):
        riata.fit_path(X, y, **options)


def test_each_of_many_weight_columns_leads_with_one_response():
    X, y = make_problem(n=90, p=120, seed=3)
    weights = halves(90, 4)
    common = {"leaders": list(range(8)), "max_groups": 6, "label": LABELS}
    fits = core_fits(X, y, weights, **common)
    assert len({fit["alpha_max"] for fit in fits}) == 8
    for f, fit in enumerate(fits):
        assert fit["stopped"] == "max_groups"
        assert max(fit["n_groups"]) <= 6
        rows = weights[:, f] > 0.0
        twice = core_fits(X, y, weights[:, [f, f]], **common | {"leaders": [0, 1]})
        assert_same(fit, twice[1])  # the same bits beside any others
        alone = riata.fit_path(X[rows], y[rows], alphas=60, eps=0.02, tol=1e-10)
        count = len(fit["alphas"])
        assert_allclose(fit["alphas"], alone.alphas[:count], rtol=1e-12)
        assert_allclose(coefs_of(fit), alone.coefs.toarray()[:, :count], atol=1e-8)
        counts = groups_active(alone)
        assert_array_equal(fit["n_groups"], counts[:count])
        assert counts[count] > 6
    for threads in (1, 2):
        for fit, other in zip(fits, core_fits(X, y, weights, n_threads=threads, **common), strict=True):
            assert_same(fit, other)


def test_problems_name_the_column_of_their_response():
    X = make_problem(n=90, p=120, seed=3)[0]
    rng = np.random.default_rng(1)
    ys = np.column_stack([X[:, k] + rng.standard_normal(90) for k in range(2)])
    weights = np.hstack([halves(90, 2), halves(90, 2)])
    responses = [0, 0, 0, 0, 1, 1, 1, 1]
    offset = 0.1 * rng.standard_normal((90, 2))
    leaders = list(range(8))
    design = _core.dense_design(np.asfortranarray(X))

    def fits(y, offset, **more):
        common = OPTIONS | more | {"leaders": leaders}
        y, offset = np.asfortranarray(y), np.asfortranarray(offset)
        return _core.fit_paths(design, y, weights, offset, None, None, None, **common)

    named = fits(ys, offset, responses=responses)
    for fit, other in zip(named, fits(ys[:, responses], offset[:, responses]), strict=True):
        assert_same(fit, other)
    for wrong in ([0] * 7, [0] * 7 + [2], [0] * 7 + [-1]):
        with pytest.raises(ValueError, match="responses must"):
            fits(ys, offset, responses=wrong)
    with pytest.raises(ValueError, match="responses must be left out"):
        _core.fit_paths(design, ys[:, 0].copy(), weights, None, None, None, None, responses=responses)


def test_labels_are_checked_by_the_core():
    X, y = make_problem(n=90, p=120, seed=3)
    weights = np.ones((90, 1))
    with pytest.raises(ValueError, match="max_groups needs label"):
        core_fits(X, y, weights, max_groups=3)
    with pytest.raises(ValueError, match="label must have one value for each column"):
        core_fits(X, y, weights, label=LABELS[1:])
    with pytest.raises(ValueError, match="label must hold numbers >= 0, or -1, got -2"):
        core_fits(X, y, weights, label=np.where(LABELS == 7, -2, LABELS))
    fit = core_fits(X, y, weights, label=np.where(LABELS < 5, -1, LABELS))[0]
    active = coefs_of(fit)[20:] != 0.0
    assert_array_equal(fit["n_groups"], [len(np.unique(LABELS[20:][column])) for column in active.T])
