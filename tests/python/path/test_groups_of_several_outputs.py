"""Group lassos for losses with several outputs: the norm of a group is that of all its coefficients."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp, softmax

import riata
from riata.penalties import MCP, SLOPE, GroupLasso, SparseGroupLasso

#: Grids are short here, and may end at the best alpha.
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

N, P, K = 60, 18, 3
LABELS = np.repeat(np.arange(6), [1, 2, 3, 3, 4, 5])
SETS = {"a": [0, 1, 2, 3], "b": [2, 3, 4], "c": [4, 5, 6, 7, 8], "d": [9, 10, 11], "e": [3, 9]}
PENALTIES = {
    "group": GroupLasso(LABELS),
    "ridge": GroupLasso(LABELS, weights="ones", l2_ratio=0.3),
    "sparse": SparseGroupLasso(LABELS, l1_ratio=0.4),
}


def make(loss, seed=0):
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((N, P)) + 0.5 * rng.standard_normal((N, 1)))
    B = np.zeros((P, K))
    B[[1, 2, 9]] = rng.standard_normal((3, K))
    eta = X @ B
    if loss == "multigaussian":
        return X, eta + 0.5 * rng.standard_normal((N, K))
    return X, (eta + rng.gumbel(size=(N, K))).argmax(axis=1)


def targets(loss, y):
    return y if loss == "multigaussian" else np.eye(K)[y]


def loss_value(loss, Y, eta):
    if loss == "multigaussian":
        return 0.5 * np.sum((Y - eta) ** 2) / N
    return np.mean(logsumexp(eta, axis=1) - np.sum(Y * eta, axis=1))


def gradient(loss, X, Y, eta):
    mean = eta if loss == "multigaussian" else softmax(eta, axis=1)
    return X.T @ (Y - mean) / N


def coefficients(path, k):
    return np.column_stack([one.toarray()[:, k] for one in path.coefs])


def shares(penalty):
    """(of absolute values, of norms, of squares) and the weights of groups."""
    weights = np.ones(6) if penalty.weights == "ones" else np.sqrt(np.bincount(LABELS))
    if isinstance(penalty, SparseGroupLasso):
        return penalty.l1_ratio, (1.0 - penalty.l1_ratio) * weights, 0.0 * weights
    return 0.0, (1.0 - penalty.l2_ratio) * weights, penalty.l2_ratio * weights


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("loss", ["multigaussian", "multinomial"])
def test_conditions_of_optimality(loss, name):
    """From the subdifferential, of every group: zero where no more is asked, else c is in it."""
    X, y = make(loss)
    Y = targets(loss, y)
    penalty = PENALTIES[name]
    path = riata.fit_path(
        X, y, loss=loss, penalty=penalty, alphas=8, eps=0.1, standardize=False, tol=1e-11, max_iter=200_000
    )
    assert path.converged.all()
    each, first, second = shares(penalty)
    zero, active = 0, 0
    for k in (1, 4, 7):
        alpha, B = path.alphas[k], coefficients(path, k)
        eta = X @ B + path.intercepts[:, k]
        C = gradient(loss, X, Y, eta)
        value = loss_value(loss, Y, eta) + alpha * each * np.abs(B).sum()
        for g in range(6):
            mine, size = C[g == LABELS], np.linalg.norm(B[g == LABELS])
            value += alpha * (first[g] * size + second[g] / 2 * size**2)
            if size == 0.0:
                over = np.maximum(np.abs(mine) - alpha * each, 0.0)
                assert np.linalg.norm(over) <= alpha * first[g] * (1 + 1e-4)
                zero += 1
                continue
            b = B[g == LABELS]
            rest = mine - alpha * (first[g] / size + second[g]) * b
            assert_allclose(rest[b != 0], alpha * each * np.sign(b[b != 0]), atol=2e-4 * alpha)
            assert (np.abs(rest[b == 0]) <= alpha * each + 2e-4 * alpha).all()
            active += 1
        assert_allclose(path.primal[k], value, rtol=1e-10)
    assert zero > 0
    assert active > 0


@pytest.mark.parametrize("loss", ["multigaussian", "multinomial"])
def test_groups_of_one_feature_are_rows(loss):
    X, y = make(loss)
    options = {"loss": loss, "alphas": 10, "eps": 0.05, "tol": 1e-9, "max_iter": 100_000}
    rows = riata.fit_path(X, y, grouped=True, **options)
    path = riata.fit_path(X, y, penalty=GroupLasso(None), **options)
    assert path.grouped
    assert_allclose(path.alpha_max, rows.alpha_max, rtol=1e-10)
    assert_allclose(path.primal, rows.primal, rtol=1e-7)
    assert_allclose(path.null_objective, rows.null_objective, rtol=1e-10)


def test_one_response_of_several_is_one():
    X, y = make("multigaussian")
    options = {"penalty": GroupLasso(LABELS), "alphas": 10, "eps": 0.05, "tol": 1e-10, "max_iter": 100_000}
    one = riata.fit_path(X, y[:, 0], **options)
    path = riata.fit_path(X, y[:, :1], loss="multigaussian", **options)
    assert_allclose(path.primal, one.primal, rtol=1e-8)
    assert_allclose(path.coefs[0].toarray(), one.coefs.toarray(), atol=1e-4)


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("loss", ["multigaussian", "multinomial"])
def test_groups_that_overlap_are_those_of_copies(loss, standardize):
    X, y = make(loss)
    alone = [j for j in range(P) if not any(j in members for members in SETS.values())]
    copied = [j for members in SETS.values() for j in members] + alone
    labels = np.repeat(np.arange(len(SETS) + len(alone)), [*map(len, SETS.values()), *(1 for _ in alone)])
    options = {"loss": loss, "standardize": standardize, "tol": 1e-9, "max_iter": 100_000}
    path = riata.fit_path(X, y, penalty=GroupLasso(SETS), alphas=8, eps=0.1, **options)
    copies = riata.fit_path(X[:, copied], y, penalty=GroupLasso(labels), alphas=path.alphas, **options)
    assert_allclose(path.primal, copies.primal, rtol=1e-7)
    alpha = path.alphas[5]
    parts = [path.group_coef(name, alpha) for name in path.group_names]
    assert parts[0].shape == (P, K)
    assert_allclose(sum(parts), path.coef(alpha), atol=1e-12)
    assert set(path.selected_groups(alpha)) == {
        name for name, part in zip(path.group_names, parts, strict=True) if part.any()
    }
    assert_array_equal(path.n_active[5], np.count_nonzero(path.coef(alpha).any(axis=1)))


def test_unpenalised_and_excluded_features():
    X, y = make("multinomial")
    factor = np.ones(P)
    factor[4], factor[17] = 0.0, np.inf
    path = riata.fit_path(
        X, y, loss="multinomial", penalty=GroupLasso(LABELS), penalty_factor=factor, alphas=6, eps=0.2
    )
    for k in range(6):
        B = coefficients(path, k)
        assert B[4].all()
        assert not B[17].any()
    assert path.converged.all()


def test_storages_folds_and_tables(tmp_path):
    import scipy.sparse as sp

    rng = np.random.default_rng(3)
    X = rng.integers(0, 3, (N, P)).astype(float)
    _, y = make("multinomial")
    options = {"loss": "multinomial", "penalty": GroupLasso(SETS), "alphas": 8, "eps": 0.1, "tol": 1e-10}
    dense, sparse = (riata.fit_path(design, y, **options) for design in (X, sp.csc_array(X)))
    assert_allclose(dense.primal, sparse.primal, rtol=1e-8)
    cv = riata.cv_path(X, y, cv=3, loss="multinomial", penalty=GroupLasso(SETS), alphas=8, eps=0.1)
    assert np.isfinite(cv.mean_score).all()
    dense.save(tmp_path / "p.npz")
    again = riata.load(tmp_path / "p.npz")
    alpha = dense.alphas[5]
    assert_array_equal(again.group_coef("a", alpha), dense.group_coef("a", alpha))
    assert_allclose(again.predict(X, alpha).sum(axis=1), 1.0)
    table = dense.table(alpha)
    assert set(table["feature"]) == set(np.flatnonzero(dense.coef(alpha).any(axis=1)))


@pytest.mark.parametrize(
    ("penalty", "options", "message"),
    [
        (MCP(), {}, "penalty must be ElasticNet, GroupLasso or SparseGroupLasso with loss='multinomial'"),
        (SLOPE(), {}, "the others are for losses of one output"),
        (GroupLasso(LABELS), {"solver": "cd"}, "solver must be 'auto' or 'prox' with penalty=GroupLasso"),
        (GroupLasso(LABELS), {"lower": 0.0}, "lower is not available where a feature enters"),
        (SparseGroupLasso(LABELS), {"lower": 0.0}, "lower must be left out with penalty=SparseGroupLasso"),
    ],
)
def test_what_is_refused(penalty, options, message):
    X, y = make("multinomial")
    with pytest.raises(ValueError, match=message):
        riata.fit_path(X, y, loss="multinomial", penalty=penalty, **options)
