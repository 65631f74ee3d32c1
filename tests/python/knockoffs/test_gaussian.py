"""Gaussian knockoffs against their definition: the law of (X, knockoffs), S, and who draws which numbers."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

import riata
from riata import _core
from riata.knockoffs import Gaussian


def correlated(p, seed, kind="ar"):
    """A correlation matrix: neighbours alike, one factor that counts less and less, or any."""
    if kind == "factor":
        loading = np.linspace(0.9, 0.3, p)
        return np.outer(loading, loading) + np.diag(1 - loading**2)
    if kind == "ar":
        return 0.6 ** np.abs(np.subtract.outer(np.arange(p), np.arange(p)))
    A = np.random.default_rng(seed).standard_normal((p, 2 * p))
    A[:, :2] *= 3.0
    cov = A @ A.T
    return cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov)))


def table(sigma, n, seed):
    return np.random.default_rng(seed).standard_normal((n, len(sigma))) @ np.linalg.cholesky(sigma).T


def exact(sigma, n, seed):
    """Samples whose correlations over the n of them are those of sigma."""
    Z = np.random.default_rng(seed).standard_normal((n, len(sigma)))
    Z = np.linalg.qr(Z - Z.mean(axis=0))[0] * np.sqrt(n)
    return Z @ np.linalg.cholesky(sigma).T


def gammas(sigma, group=None, method="mvr", tol=1e-9):
    m = len(sigma)
    group = np.arange(m) if group is None else np.asarray(group)
    return _core.knockoff_distances(np.array([0, m]), sigma.ravel(), group, method, tol, 500)


def whole_S(sigma, gamma, group=None):
    group = np.arange(len(sigma)) if group is None else np.asarray(group)
    return np.where(np.equal.outer(group, group), gamma * sigma, 0.0)


def objective(sigma, S, method):
    left = 2 * sigma - S
    if min(np.linalg.eigvalsh(S)[0], np.linalg.eigvalsh(left)[0]) <= 0:
        return np.inf
    if method == "mvr":
        return np.trace(np.linalg.inv(S)) + np.trace(np.linalg.inv(left))
    return -np.linalg.slogdet(S)[1] - np.linalg.slogdet(left)[1]


def follows(X, knockoffs, sigma, S):
    """Whether covariances of (X, knockoffs) are those they should have, up to sampling error."""
    both = np.hstack([X, knockoffs])
    target = np.block([[sigma, sigma - S], [sigma - S, sigma]])
    return np.abs(np.cov(both.T) - target).max() < 5.0 * np.sqrt(2.0 / len(X))


@pytest.mark.parametrize("groups", [None, [0, 0, 1, 2, 2, 2, 3, 4]])
@pytest.mark.parametrize("method", ["mvr", "entropy"])
def test_covariance_of_features_and_knockoffs(groups, method):
    sigma = correlated(8, 3, "factor")
    X = exact(sigma, 20_000, 1)
    made = Gaussian(structure="blocks", method=method).fit(X).draw(X, groups=groups, random_state=5)
    S = whole_S(sigma, gammas(sigma, groups, method), groups)
    assert follows(X, made.X, sigma, S)
    noise = 2 * S - S @ np.linalg.solve(sigma, S)
    L = np.linalg.cholesky(noise)
    U = np.random.default_rng(0).standard_normal(X.shape)
    mean = X - X @ np.linalg.solve(sigma, S)
    assert follows(X, mean + U @ L.T, sigma, S)
    assert not follows(X, mean + U @ L, sigma, S)  # the check tells a factor used the wrong way round


def test_groups_swap_as_a_whole():
    sigma, groups = correlated(6, 1, "any"), np.array([0, 1, 1, 0, 2, 2])
    S = whole_S(sigma, gammas(sigma, groups), groups)
    joint = np.block([[sigma, sigma - S], [sigma - S, sigma]])
    assert np.linalg.eigvalsh(joint)[0] > 0
    for g in range(3):
        members = np.flatnonzero(groups == g)
        order = np.arange(12)
        order[members], order[members + 6] = members + 6, members
        np.testing.assert_allclose(joint[np.ix_(order, order)], joint, atol=1e-12)


@pytest.mark.parametrize("method", ["mvr", "entropy"])
@pytest.mark.parametrize("groups", [None, [0, 0, 1, 2, 1], [0, 0, 0, 0, 0]])
@pytest.mark.parametrize("seed", [0, 1])
def test_S_is_the_best(method, groups, seed):
    sigma = correlated(5, seed, "any" if seed else "ar")
    labels = np.arange(5) if groups is None else np.array(groups)
    found = gammas(sigma, labels, method)
    start = 0.3 * np.linalg.eigvalsh(sigma)[0] * np.ones(labels.max() + 1)
    best = scipy.optimize.minimize(
        lambda t: objective(sigma, whole_S(sigma, np.exp(t)[labels], labels), method),
        np.log(start),
        method="Nelder-Mead",
        options={"maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-9, "fatol": 1e-12},
    )
    value = objective(sigma, whole_S(sigma, found, labels), method)
    assert value <= best.fun + 1e-8 * abs(best.fun)
    np.testing.assert_allclose(found, np.exp(best.x)[labels], rtol=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_S_is_feasible(seed):
    sigma = correlated(40, seed, "any")
    sigma[:, 1] = sigma[:, 0]
    sigma[1] = sigma[0]
    sigma = (1 - 1e-6) * sigma + 1e-6 * np.eye(40)  # two columns that are almost the same
    for method in ("mvr", "entropy"):
        s = gammas(sigma, None, method, 1e-3)
        assert s.min() > 0
        assert np.linalg.eigvalsh(2 * sigma - np.diag(s))[0] > 0


def philox(counter, key):
    """Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011), in whole numbers of Python."""
    a, b, c, d = counter
    for _ in range(10):
        first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (
            (second >> 32) ^ b ^ key[0],
            second & 0xFFFFFFFF,
            (first >> 32) ^ d ^ key[1],
            first & 0xFFFFFFFF,
        )
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return a, b, c, d


def noise(n, columns, seed, draw):
    out = np.empty((n, len(columns)))
    for k, j in enumerate(columns):
        for i in range(0, n, 2):
            words = philox([i // 2, j & 0xFFFFFFFF, j >> 32, draw], [seed & 0xFFFFFFFF, seed >> 32])
            u, v = ((((words[w] << 32 | words[w + 1]) >> 12) + 0.5) * 2.0**-52 for w in (0, 2))
            pair = np.sqrt(-2 * np.log(u)) * np.array([np.cos(2 * np.pi * v), np.sin(2 * np.pi * v)])
            out[i : i + 2, k] = pair[: n - i]
    return out


def ledoit_wolf(Z):
    n, p = Z.shape
    R = Z.T @ Z / n
    spread = sum(np.sum((np.outer(z, z) - R) ** 2) for z in Z) / n**2
    rho = min(1.0, spread / np.sum((R - np.eye(p)) ** 2))
    return (1 - rho) * R + rho * np.eye(p)


def dense_knockoffs(Z, sigma, U, groups):
    S = whole_S(sigma, gammas(sigma, groups, tol=1e-3), groups)
    solved = np.linalg.solve(sigma, S)
    return Z - Z @ solved + U @ np.linalg.cholesky(2 * S - S @ solved).T


def test_matrices_that_are_no_correlations_are_refused():
    with pytest.raises(ValueError, match="sigma must hold positive definite matrices"):
        gammas(np.array([[1.0, 2.0], [2.0, 1.0]]))


def test_random_numbers_are_those_of_the_paper():
    assert philox([0] * 4, [0] * 2) == (
        0x6627E8D5,
        0xE169C58D,
        0xBC57AC4C,
        0x9B00DBD8,
    )  # Random123's kat_vectors


@pytest.mark.parametrize("groups", [None, np.array([0, 1, 1, 0, 1, 2, 3, 4, 5, 2])])
def test_blocks_are_the_dense_formula(groups):
    """Two sets of columns that have nothing in common, interleaved."""
    p, n = 10, 601
    X = np.empty((n, p))
    odd = np.array([0, 3, 5, 8, 9]), np.array([1, 2, 4, 6, 7])
    X[:, odd[0]], X[:, odd[1]] = np.hsplit(exact(np.kron(np.eye(2), correlated(5, 0)), n, 2), 2)
    X = 3.0 + X * np.arange(1, p + 1)
    made = Gaussian(structure="blocks").fit(X)
    assert made.info_["n_blocks"] == 2
    got = made.draw(X, groups=groups, random_state=2**40 + 7, draw=3).X
    mean, scale = X.mean(axis=0), X.std(axis=0)
    for block in odd:
        Z = (X[:, block] - mean[block]) / scale[block]
        labels = None if groups is None else np.unique(groups[block], return_inverse=True)[1]
        expected = dense_knockoffs(Z, ledoit_wolf(Z), noise(n, block.tolist(), 2**40 + 7, 3), labels)
        np.testing.assert_allclose(got[:, block], mean[block] + scale[block] * expected, rtol=1e-5, atol=1e-4)


def test_factors_are_the_dense_formula():
    rng = np.random.default_rng(4)
    n, p, k = 200, 300, 2
    X = rng.standard_normal((n, k)) @ rng.standard_normal((k, p)) + rng.standard_normal((n, p))
    sampler = Gaussian(block_size=20).fit(X)
    assert sampler.info_["n_factors"] == 2  # found by themselves: no blocks follow them
    got = sampler.draw(X, random_state=1).X
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    U, d, Vt = np.linalg.svd(Z, full_matrices=False)
    common = U[:, :2] * d[:2] @ Vt[:2]
    rest = Z - common
    whole = Gaussian(structure="blocks", block_size=20).fit(rest)  # of what is left, the same numbers drawn
    expected = common + whole.draw(rest, random_state=1).X
    np.testing.assert_allclose(got, X.mean(axis=0) + X.std(axis=0) * expected, atol=2e-3)


def test_groups_in_several_blocks_make_one():
    X = table(np.kron(np.eye(4), correlated(5, 0)), 500, 3)
    groups = np.arange(20)
    groups[[0, 7, 19]] = 0
    sampler = Gaussian(structure="blocks", block_size=15).fit(X)
    assert sampler.info_["n_blocks"] == 4
    made = sampler.draw(X, groups=groups)
    inside = np.corrcoef(np.hstack([X, made.X]).T)
    assert made.info["n_blocks"] == 2  # of 15 and of 5
    assert np.abs(inside[20:, 20:] - inside[:20, :20]).max() < 0.3
    again = sampler.draw(X)  # and the law of single features is still there
    assert again.info["n_blocks"] == 4


def test_same_bits_for_any_threads_place_and_storage(tmp_path):
    X = table(correlated(60, 0), 130, 7)
    first = Gaussian(block_size=16).fit(X, n_threads=1)
    many = Gaussian(block_size=16).fit(X, n_threads=3)
    expected = first.draw(X, random_state=9, n_threads=1).X
    np.testing.assert_array_equal(many.draw(X, random_state=9, n_threads=4).X, expected)
    np.testing.assert_array_equal(first.draw(X, random_state=9, out=tmp_path / "made.npy").X, expected)
    np.testing.assert_array_equal(np.load(tmp_path / "made.npy"), expected)
    mine = np.memmap(tmp_path / "raw", dtype=np.float32, mode="w+", shape=X.shape, order="F")
    assert first.draw(X, random_state=9, out=mine).X is mine
    np.testing.assert_array_equal(mine, expected)
    assert np.abs(first.draw(X, random_state=9, draw=1).X - expected).max() > 1
    assert np.abs(first.draw(X, random_state=10).X - expected).max() > 1
    part = first.draw(X[:57], random_state=9).X  # noise belongs to a sample and a feature
    np.testing.assert_allclose(part, expected[:57], atol=1e-5)


def test_storages_agree():
    pandas = pytest.importorskip("pandas")
    X = np.random.default_rng(0).integers(0, 3, (90, 30)).astype(np.int8)
    X[:, 10:20] = np.where(np.random.default_rng(1).random((90, 10)) < 0.7, X[:, :10], X[:, 10:20])
    expected = Gaussian().fit(X).draw(X).X
    for other in (X.astype(np.float32), scipy.sparse.csc_array(X.astype(float)), pandas.DataFrame(X)):
        np.testing.assert_allclose(Gaussian().fit(other).draw(other).X, expected, atol=1e-5)


def test_constant_columns_are_their_own_knockoffs():
    X = table(correlated(6, 0), 80, 0)
    X[:, [1, 4]] = 7.5, 0.0
    made = Gaussian().fit(X).draw(X)
    np.testing.assert_array_equal(made.X[:, [1, 4]], X[:, [1, 4]])
    np.testing.assert_array_equal(made.fixed, [False, True, False, False, True, False])
    X[:] = 1.0
    assert Gaussian().fit(X).draw(X).fixed.all()


def test_missing_cells():
    X = table(correlated(6, 0), 80, 0)
    holes = np.random.default_rng(0).random(X.shape) < 0.1
    gaps = np.where(holes, np.nan, X)
    with pytest.raises(ValueError, match="impute"):
        Gaussian().fit(gaps)
    made = Gaussian().fit(gaps, impute="mean").draw(gaps, impute="mean")
    np.testing.assert_array_equal(np.isnan(made.X), holes)


def test_genotype_dosages(tmp_path):
    path = riata.simulate_genotypes(tmp_path / "study", 60, 40)
    geno = riata.open_genotypes(path)
    made = Gaussian().fit(geno).draw(geno)
    assert made.X.shape == geno.shape


def test_no_matrix_of_all_features():
    """8,000 features, whose correlations would take 512 MB, within a quarter of that."""
    code = (
        "import numpy as np, resource; from riata.knockoffs import Gaussian\n"
        "X = np.random.default_rng(0).standard_normal((40, 8_000)).astype(np.float32)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "Gaussian(block_size=64).fit(X, n_threads=1).draw(X, n_threads=1)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(told.stdout) * unit < 8_000**2 * 8 / 4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"structure": "tree"}, "structure"),
        ({"block_size": 1}, "block_size"),
        ({"n_factors": 21}, "n_factors"),
        ({"method": "sdp"}, "method"),
        ({"n_copies": 2}, "n_copies must be 1, got 2"),
    ],
)
def test_bad_options(options, told):
    with pytest.raises(ValueError, match=told):
        Gaussian(**options)


def test_bad_calls():
    X = table(correlated(6, 0), 80, 0)
    with pytest.raises(RuntimeError, match="fit"):
        Gaussian().draw(X)
    sampler = Gaussian().fit(X)
    with pytest.raises(ValueError, match="6 features"):
        sampler.draw(X[:, :5])
    for out in (np.empty((80, 6), dtype=np.float32), np.empty((80, 6), order="F"), "made.bin"):
        with pytest.raises(ValueError, match="out must"):
            sampler.draw(X, out=out)
    with pytest.raises(ValueError, match="groups"):
        sampler.draw(X, groups=[0, 1])


def test_bands_are_the_dense_formula():
    """Columns that depend on the two before them, standardised and with regressions by the same estimate."""
    n, p, h = 251, 30, 2
    X = 2.0 + table(correlated(p, 0), n, 5)
    got = Gaussian(structure="banded", bandwidth=h).fit(X).draw(X, random_state=11, draw=2).X
    mean, scale = X.mean(axis=0), X.std(axis=0)
    Z = (X - mean) / scale
    A, D, sigma = np.zeros((p, p)), np.ones(p), np.eye(p)
    for j in range(1, p):
        before = np.arange(max(0, j - h), j)
        R = ledoit_wolf(Z[:, [*before, j]])
        A[j, before] = np.linalg.solve(R[:-1, :-1], R[:-1, -1])
        sigma[j, :j] = sigma[:j, j] = A[j, :j] @ sigma[:j, :j]
        D[j] = 1.0 - A[j, :j] @ sigma[:j, :j] @ A[j, :j]
    theta = (np.eye(p) - A).T @ np.diag(1 / D) @ (np.eye(p) - A)
    np.testing.assert_allclose(np.linalg.inv(theta), sigma, atol=1e-10)
    s = gammas(sigma, tol=1e-3)  # one window
    S = np.diag(s)
    expected = Z - Z @ theta @ S + noise(n, range(p), 11, 2) @ np.linalg.cholesky(2 * S - S @ theta @ S).T
    np.testing.assert_allclose(got, mean + scale * expected, atol=1e-4)


def test_bands_follow_the_covariance():
    sigma = correlated(200, 0)  # several windows of S, and chunks of columns
    X = table(sigma, 4_000, 5)
    sampler = Gaussian(structure="banded").fit(X)
    assert 1 <= sampler.info_["bandwidth"] <= 3
    made = sampler.draw(X, random_state=3)
    both = np.corrcoef(np.hstack([X, made.X]).T)
    away = both[200:, 200:] - both[:200, :200]
    across = (both[:200, 200:] - both[:200, :200])[~np.eye(200, dtype=bool)]
    assert np.abs(away).max() < 6.0 / np.sqrt(4_000)
    assert np.abs(across).max() < 6.0 / np.sqrt(4_000)
    s = 1.0 - np.diag(both[:200, 200:])
    np.testing.assert_allclose(s, gammas(sigma), atol=0.08)
    np.testing.assert_array_equal(sampler.draw(X, random_state=3, n_threads=4).X, made.X)
    with pytest.raises(ValueError, match="banded"):
        sampler.draw(X, groups=np.arange(200) // 2)


def features(kind, n, p, rng):
    X = rng.standard_normal((n, p))
    if kind == "blocks":
        return np.sqrt(0.5) * (X + np.repeat(rng.standard_normal((n, p // 10)), 10, axis=1))
    if kind == "factors":
        return X + rng.standard_normal((n, 3)) @ rng.standard_normal((3, p))
    return X @ np.linalg.cholesky(correlated(p, 0)).T


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("ar", {}),
        ("ar", {"structure": "banded"}),
        ("blocks", {"block_size": 30}),
        ("factors", {"block_size": 30}),
    ],
)
def test_false_discovery_rate(kind, options):
    """Shares of false selections over replicates with an estimated law, and enough power for them to tell."""
    n, p, k, fdr, runs = 150, 120, 15, 0.2, 25
    wrong, right = [], []
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        X = features(kind, n, p, rng)
        beta = np.zeros(p)
        beta[rng.choice(p, k, replace=False)] = 6.0 * rng.choice([-1, 1], k) / np.sqrt(n)
        y = X @ beta + rng.standard_normal(n)
        made = Gaussian(**options).fit(X, n_threads=1).draw(X, random_state=seed, n_threads=1).X
        first = rng.random(p) < 0.5
        both = np.empty((n, 2 * p), order="F")
        both[:, 0::2], both[:, 1::2] = np.where(first, X, made), np.where(first, made, X)
        size = np.abs(np.ravel(riata.cv_path(both, y, cv=5, eps=1e-3, n_threads=1).coef())) * both.std(axis=0)
        lead = np.where(first, 1, -1) * (size[0::2] - size[1::2])
        reached = np.abs(lead[lead != 0])
        allowed = [t for t in reached if 1 + np.sum(lead <= -t) <= fdr * max(1, np.sum(lead >= t))]
        chosen = lead >= min([*allowed, np.inf])
        wrong.append(np.sum(chosen & (beta == 0)) / max(1, np.sum(chosen)))
        right.append(np.sum(chosen & (beta != 0)) / k)
    assert np.mean(wrong) <= fdr + 2 * np.std(wrong) / np.sqrt(runs)
    assert np.mean(right) > 0.3
