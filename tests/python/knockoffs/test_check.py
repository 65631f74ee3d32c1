"""The check of knockoffs: passes those that are right, fails those that are wrong in every way we know."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp

import riata
from riata.knockoffs import Knockoffs, KnockoffWarning

N, P, RHO = 400, 60, 0.6


def law(p=P):
    return RHO ** np.abs(np.subtract.outer(np.arange(p), np.arange(p)))


def drawn(seed, noise=1.0):
    """AR(1) columns and Gaussian knockoffs, right with a noise of 1."""
    rng = np.random.default_rng(seed)
    sigma = law()
    X = rng.standard_normal((N, P)) @ np.linalg.cholesky(sigma).T
    s = 2.0 * np.linalg.eigvalsh(sigma)[0] * 0.999 * np.eye(P)
    inverse = np.linalg.inv(sigma)
    factor = np.linalg.cholesky(2 * s - s @ inverse @ s)
    return X, X - X @ inverse @ s + noise * rng.standard_normal((N, P)) @ factor.T


def test_right_knockoffs_pass():
    ratios = []
    for seed in range(6):
        X, made = drawn(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check = Knockoffs(made).check(X, random_state=seed)
        assert check.ok
        ratios.append((check.ratio_between, check.ratio_across))
    assert np.all(np.abs(np.mean(ratios, axis=0) - 1.0) < 0.35)
    assert "times what sampling explains" in check.explain()
    assert repr(check).startswith("<riata.knockoffs.KnockoffCheck: ok, ")


WRONG = {
    "an independent copy": lambda X, made, rng: rng.standard_normal((N, P)) @ np.linalg.cholesky(law()).T,
    "permuted samples": lambda X, made, rng: X[rng.permutation(N)],
    "permuted columns": lambda X, made, rng: made[:, rng.permutation(P)],
    "noise": lambda X, made, rng: rng.standard_normal((N, P)),
    "columns permuted one by one": lambda X, made, rng: rng.permuted(X, axis=0),
    "too little noise": lambda X, made, rng: drawn(0, noise=0.0)[1],
}


@pytest.mark.parametrize("how", WRONG)
def test_wrong_knockoffs_fail(how):
    X, made = drawn(0)
    wrong = WRONG[how](X, made, np.random.default_rng(5))
    with pytest.warns(KnockoffWarning, match="do not have the law of X"):
        check = Knockoffs(wrong).check(X)
    assert not check.ok
    assert max(check.ratio_between, check.ratio_across) > 2.0
    assert check.excess > 0.05


def test_what_is_a_little_wrong_passes_however_many_samples_show_it():
    """Correlations of 0.5 in X and 0.45 in the knockoffs: far beyond chance, but 1 % of the squares."""
    rng = np.random.default_rng(3)
    p, n = 12, 20_000

    def columns(r):
        return np.sqrt(r) * common + np.sqrt(1 - r) * rng.standard_normal((n, p))

    common = rng.standard_normal((n, 1))
    X, near, far = columns(0.5), columns(0.45), columns(0.3)
    check = Knockoffs(near).check(X)
    assert check.ratio_between > 20.0
    assert check.between > check.most_between
    assert check.squared == pytest.approx(0.25, abs=0.02)
    assert check.excess == pytest.approx(0.05**2 / 0.25, rel=0.3)
    assert check.ok
    assert check.doubtful
    assert "may be somewhat above the one asked for" in check.explain()
    with pytest.warns(KnockoffWarning):
        failed = Knockoffs(far).check(X)
    assert not failed.ok
    assert not failed.doubtful
    right = Knockoffs(columns(0.5)).check(X)
    assert right.ok
    assert not right.doubtful
    assert "somewhat" not in right.explain()


def test_a_factor_the_wrong_way_round_fails():
    """Noise is U L', not U L: of blocks of columns that are equally correlated the two differ."""
    rng = np.random.default_rng(2)
    sigma = np.kron(np.eye(10), 0.7 * np.ones((6, 6))) + 0.3 * np.eye(60)
    X = rng.standard_normal((N, 60)) @ np.linalg.cholesky(sigma).T
    s = 2.0 * 0.3 * 0.999 * np.eye(60)
    inverse = np.linalg.inv(sigma)
    factor = np.linalg.cholesky(2 * s - s @ inverse @ s)
    mean, noise = X - X @ inverse @ s, rng.standard_normal((N, 60))
    assert Knockoffs(mean + noise @ factor.T).check(X).ok
    with pytest.warns(KnockoffWarning):
        assert not Knockoffs(mean + noise @ factor).check(X).ok


def test_between_items_alone():
    """Within a group correlations with the knockoffs are free: a copy of each group will do."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(20), 3)

    def columns():
        return np.repeat(rng.standard_normal((N, 20)), 3, axis=1) + 0.3 * rng.standard_normal((N, 60))

    X, made = columns(), columns()
    assert Knockoffs(made, groups=groups).check(X).ok
    assert Knockoffs(made).check(X, groups=groups).ok
    with pytest.warns(KnockoffWarning):
        assert not Knockoffs(made).check(X).ok


def test_storages_and_constant_columns():
    X, made = drawn(3)
    X, made = np.round(2 * X), np.round(2 * made)
    X[:, 5] = made[:, 5] = 1.0
    check = Knockoffs(made).check(X)
    again = Knockoffs(sp.csc_array(made)).check(X.astype(np.float32))
    assert again.between == pytest.approx(check.between, rel=1e-6)
    assert again.across == pytest.approx(check.across, rel=1e-6)
    with pytest.raises(ValueError, match=r"X must have the shape of its knockoffs, \(400, 60\)"):
        Knockoffs(made).check(X[:50])


def test_genotypes(tmp_path):
    bed = riata.simulate_genotypes(str(tmp_path / "study"), 300, 100, seed=4)
    geno = riata.open_genotypes(bed)
    order = np.random.default_rng(0).permutation(300)
    Knockoffs(geno.subset(samples=order)).save(tmp_path / "made.bed")
    made = riata.open_genotypes(str(tmp_path / "made.bed"))
    with pytest.warns(KnockoffWarning):
        assert not Knockoffs(made).check(geno).ok  # of others' haplotypes
    rows = np.arange(0, 300, 2)
    with pytest.warns(KnockoffWarning):
        Knockoffs(made.subset(samples=rows)).check(geno.subset(samples=rows))


def test_missing_values_are_set_to_the_mean_or_refused():
    """NaN compares with nothing: it must not pass for small differences."""
    X, made = drawn(4)
    gaps = np.random.default_rng(1).random(X.shape) < 0.05
    X[gaps] = made[gaps] = np.nan
    with pytest.raises(ValueError, match=r"X must hold finite numbers only to be compared, got NaN"):
        Knockoffs(made).check(X)
    check = Knockoffs(made).check(X, impute="mean")
    assert check.ok
    filled = [np.where(np.isnan(part), np.nanmean(part, axis=0), part) for part in (X, made)]
    again = Knockoffs(filled[1]).check(filled[0])
    assert check.between == pytest.approx(again.between, rel=1e-9)
    with pytest.raises(ValueError, match=r"knockoffs must hold finite numbers only"):
        Knockoffs(made).check(filled[0])
    wrong = np.where(gaps, np.nan, np.random.default_rng(2).standard_normal(X.shape))
    with pytest.warns(KnockoffWarning):
        assert not Knockoffs(wrong).check(X, impute="mean").ok
    y = filled[0][:, :10].sum(axis=1)
    with pytest.warns(KnockoffWarning):
        found = riata.knockoff_selection(X, y, knockoffs=wrong, impute="mean", fdr=0.2, cv=3)
    assert not found.check.ok
