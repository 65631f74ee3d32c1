"""The knockoff filter at work: symmetric in the two halves of pairs, and true to its rate."""

import os

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from tests.python.support import make_problem

import riata
from riata.knockoffs import Knockoffs, KnockoffWarning
from riata.selection import knockoff_selection as module
from riata.selection.paired import Pairs, draw_order

LOSSES = ("gaussian", "binomial", "poisson", "huber", "cox")


def independent(n=120, p=30, k=8, seed=0, size=1.0):
    """Independent features, knockoffs that are right (an independent copy), and a response to the first k."""
    rng = np.random.default_rng(seed)
    X, made = rng.standard_normal((2, n, p))
    return X, made, X[:, :k].sum(axis=1) * size + rng.standard_normal(n), rng


def by_hand(X, made, y, turned, **fit):
    """W of single features from `cv_path` on an interleaved copy."""
    p = X.shape[1]
    both = np.empty((len(X), 2 * p))
    first = 2 * np.arange(p) + turned
    other = 2 * np.arange(p) + ~turned
    both[:, first], both[:, other] = X, made
    cv = riata.cv_path(both, y, patience=10, tol=1e-5, **fit)
    coefs = cv.path.coefs if isinstance(cv.path.coefs, list) else [cv.path.coefs]
    at = int(np.flatnonzero(cv.path.alphas == cv.alpha)[0])
    size = sum(np.abs(matrix[:, [at]].toarray()[:, 0]) for matrix in coefs) * cv.path.scale
    return size[first] - size[other]


def turned_of(seed, p, draw=0):
    return draw_order(type("", (), {"count": p, "of_feature": np.arange(p)})(), seed, draw).turned


@pytest.mark.parametrize("loss", LOSSES)
def test_W_is_that_of_a_fit_to_both(loss):
    X, y = make_problem(loss, n=80, p=15)
    made = np.random.default_rng(1).standard_normal(X.shape)
    found = riata.knockoff_selection(X, y, knockoffs=made, loss=loss, fdr=0.3, cv=5, check=False)
    expected = by_hand(X, made, y, turned_of(0, 15), loss=loss, cv=5)
    np.testing.assert_allclose(found.W, expected, rtol=1e-6, atol=1e-9)
    threshold = riata.knockoff_threshold(expected, 0.3)
    assert found.threshold == pytest.approx(threshold, rel=1e-6)
    assert set(found.selected) == set(np.flatnonzero(expected >= threshold))


@pytest.mark.parametrize("loss", ["multinomial", "multigaussian"])
def test_several_outputs_are_summed(loss):
    X, made, y, _ = independent(n=90, p=12)
    target = (
        np.digitize(y, np.quantile(y, [0.3, 0.7])) if loss == "multinomial" else np.stack([y, X[:, 9]], 1)
    )
    found = riata.knockoff_selection(X, target, knockoffs=made, loss=loss, fdr=0.3, cv=4, check=False)
    expected = by_hand(X, made, target, turned_of(0, 12), loss=loss, cv=4)
    np.testing.assert_allclose(found.W, expected, rtol=1e-6, atol=1e-9)
    assert found.coef_mean.shape == (12, 3 if loss == "multinomial" else 2)


def test_every_storage_says_the_same():
    X, made, y, _ = independent()
    X, made = (
        np.round(X, 1).astype(np.float32).astype(float),
        np.round(made, 1).astype(np.float32).astype(float),
    )
    found = riata.knockoff_selection(X, y, knockoffs=made, fdr=0.2, check=False)
    assert set(range(8)) <= set(found.selected)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(30)])
    for other, copies in ((sp.csc_array(X), made.astype(np.float32)), (frame, Knockoffs(sp.csc_array(made)))):
        again = riata.knockoff_selection(other, y, knockoffs=copies, fdr=0.2, check=False)
        np.testing.assert_allclose(again.W, found.W, atol=1e-6)
        assert np.array_equal(again.selected, found.selected)
    assert again.item_name(again.selected[0]) == f"x{found.selected[0]}"


@pytest.mark.parametrize("statistic", ["coef_difference", "entry"])
@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
def test_swapped_pairs_flip_their_signs_and_no_others(statistic, loss, monkeypatch):
    X, made, y, rng = independent(n=100, p=20)
    y = y if loss == "gaussian" else (y > 0).astype(float)
    fit = {"statistic": statistic, "loss": loss, "fdr": 0.2, "check": False, "tol": 1e-9}
    fit |= {"cv": 5} if statistic == "coef_difference" else {}
    found = riata.knockoff_selection(X, y, knockoffs=made, **fit)
    assert np.count_nonzero(found.W) >= 8
    for _ in range(3):
        swap = rng.random(20) < 0.5
        one, other = np.where(swap, made, X), np.where(swap, X, made)
        again = riata.knockoff_selection(one, y, knockoffs=other, **fit)
        np.testing.assert_allclose(again.W, np.where(swap, -found.W, found.W), atol=1e-5)
        # With the coins of these pairs turned as well the design is the same, to the last bit.
        same = Pairs(turned_of(0, 20) ^ swap)
        with monkeypatch.context() as patch:
            patch.setattr(module, "draw_order", lambda *_, same=same: same)
            exact = riata.knockoff_selection(one, y, knockoffs=other, **fit)
        assert np.array_equal(exact.W, np.where(swap, -found.W, found.W))


def test_knockoffs_equal_to_their_features_give_fair_signs():
    """Solvers keep the first of two equal columns: 240 coins, two-sided, once in 10,000 by chance."""
    X, _, y, _ = independent(n=60, p=12, k=12)
    signs = []
    for seed in range(20):
        found = riata.knockoff_selection(
            X, y, knockoffs=X, statistic="entry", random_state=seed, fdr=0.2, check=False
        )
        signs += np.sign(found.draws[0]).tolist()
    signs = np.array(signs)
    heads = (signs > 0).sum()
    count = np.count_nonzero(signs)
    assert count == 0 or abs(heads - count / 2) <= 3.89 * np.sqrt(count) / 2
    values = []
    for seed in range(20):
        found = riata.knockoff_selection(X, y, knockoffs=X, random_state=seed, fdr=0.2, cv=3, check=False)
        values += found.draws[0].tolist()
    values = np.array(values)
    count = np.count_nonzero(values)
    assert count >= 200
    assert abs((values > 0).sum() - count / 2) <= 3.89 * np.sqrt(count) / 2


def test_fixed_features_count_for_neither_side():
    X, made, y, _ = independent(n=150, p=30, k=15)
    made[:, [0, 3]] = X[:, [0, 3]]
    fixed = np.isin(np.arange(30), [0, 3])
    groups = np.arange(30) // 3
    free = riata.knockoff_selection(X, y, knockoffs=made, fdr=0.2, check=False)
    held = riata.knockoff_selection(X, y, knockoffs=Knockoffs(made, fixed=fixed), fdr=0.2, check=False)
    assert (np.abs(free.W[[0, 3]]) > 0.3).all()
    assert np.array_equal(held.W, np.where(fixed, 0.0, free.W))
    found = riata.knockoff_selection(
        X, y, knockoffs=Knockoffs(made, fixed=fixed, groups=groups), groups=groups, fdr=0.2, check=False
    )
    parts = by_hand(X, made, y, turned_of(0, 10)[groups], cv=10)
    expected = np.where(fixed, 0.0, parts).reshape(10, 3).sum(axis=1)
    np.testing.assert_allclose(found.W, expected, rtol=1e-6, atol=1e-9)


def test_groups_swap_and_are_selected_whole():
    X, made, y, _ = independent(n=150, p=60, k=24)
    groups = np.repeat(np.arange(20), 3)
    found = riata.knockoff_selection(X, y, knockoffs=Knockoffs(made, groups=groups), groups=groups, fdr=0.2)
    single = by_hand(X, made, y, turned_of(0, 20)[groups], cv=10)
    np.testing.assert_allclose(found.W, single.reshape(20, 3).sum(axis=1), rtol=1e-6, atol=1e-9)
    assert set(range(8)) <= set(found.selected)
    assert found.members(2).tolist() == [6, 7, 8]
    strongest = np.asarray(found.strengths.todense()).ravel().reshape(20, 3).argmax(axis=1)
    assert found.lead[:8].tolist() == (3 * np.arange(8) + strongest[:8]).tolist()
    table = found.to_frame()
    assert table.columns.tolist() == ["group", "lead", "n_features", "selected", "W", "q_value", "coef"]
    assert (table["n_features"] == 3).all()
    assert table["selected"].sum() == len(found.selected)


def test_entry_is_the_largest_alpha_of_either():
    X, made, y, _ = independent(n=60, p=10)
    found = riata.knockoff_selection(X, y, knockoffs=made, statistic="entry", fdr=0.2, alphas=60, check=False)
    turned = turned_of(0, 10)
    both = np.empty((60, 20))
    first, other = 2 * np.arange(10) + turned, 2 * np.arange(10) + ~turned
    both[:, first], both[:, other] = X, made
    path = riata.fit_path(both, y, alphas=60, tol=1e-5)
    active = path.coefs.toarray() != 0
    entry = np.where(active.any(axis=1), path.alphas[active.argmax(axis=1)], 0.0)
    real, copy = entry[first], entry[other]
    np.testing.assert_allclose(found.W, np.maximum(real, copy) * np.sign(real - copy))


def test_covariates_stay_unpenalised_without_knockoffs():
    X, made, y, rng = independent(n=120, p=30)
    y = y + 5.0 * X[:, 29]
    factor = np.ones(30)
    factor[29] = 0.0
    given = {"penalty_factor": factor, "exclude": [20], "fdr": 0.2, "check": False}
    found = riata.knockoff_selection(X, y, knockoffs=made, **given)
    assert found.W[[20, 29]].tolist() == [0.0, 0.0]
    assert found.of_feature[[20, 29]].tolist() == [-1, -1]
    assert not set(found.selected) & {20, 29}
    assert set(range(8)) <= set(found.selected)
    assert found.coefs[0, 29] == pytest.approx(5.0, abs=1.0)
    # The knockoff of a covariate does not matter.
    made[:, 29] = rng.standard_normal(120)
    again = riata.knockoff_selection(X, y, knockoffs=made, **given)
    assert np.array_equal(again.W, found.W)


def test_weights_offsets_blocks_and_missing_values_are_passed_on():
    X, made, y, rng = independent(n=80, p=12)
    weights, offset = rng.integers(0, 3, 80).astype(float), rng.standard_normal(80)
    blocks = np.arange(80) // 4
    given = {"sample_weight": weights, "offset": offset, "cv": 4}
    found = riata.knockoff_selection(X, y, knockoffs=made, fdr=0.2, blocks=blocks, check=False, **given)
    expected = by_hand(X, made, y, turned_of(0, 12), groups=blocks, **given)
    np.testing.assert_allclose(found.W, expected, rtol=1e-6, atol=1e-9)
    assert found.n_samples == np.count_nonzero(weights)
    holes, other = X.copy(), made.copy()
    holes[3, 2] = holes[5, 7] = np.nan
    other[3, 2] = other[5, 7] = np.nan
    found = riata.knockoff_selection(
        holes, y, knockoffs=made, fdr=0.2, impute="mean", cv=4, tol=1e-5, check=False
    )
    expected = by_hand(holes, other, y, turned_of(0, 12), impute="mean", cv=4)
    np.testing.assert_allclose(found.W, expected, rtol=1e-6, atol=1e-9)


def test_threads_and_seeds():
    X, made, y, _ = independent()
    one = riata.knockoff_selection(X, y, knockoffs=made, n_threads=1)
    two = riata.knockoff_selection(X, y, knockoffs=made, n_threads=2)
    assert np.array_equal(one.W, two.W)
    other = riata.knockoff_selection(X, y, knockoffs=made, random_state=1)
    assert other.seed == 1
    assert not np.array_equal(other.W, one.W)  # of other folds


class Copies:
    """Draws independent copies of independent columns; tells what it was asked."""

    def __init__(self):
        self.asked = []

    def fit(self, X, *, n_threads=None, progress=None):
        self.law_ = X.shape
        self.asked.append("fit")
        return self

    def draw(self, X, *, groups=None, random_state=0, draw=0, out=None, n_threads=None):
        self.asked.append((random_state, draw, None if groups is None else list(groups)))
        rng = np.random.default_rng([random_state, draw, 99])
        return Knockoffs(rng.standard_normal(X.shape), groups=groups, sampler="copies", draw=draw)


def test_samplers_are_fitted_once_and_asked_for_each_draw():
    X, _, y, _ = independent()
    asked = Copies()
    found = riata.knockoff_selection(X, y, knockoffs=asked, n_draws=3, fdr=0.3, random_state=5, check=False)
    assert asked.asked == ["fit", (5, 0, None), (5, 1, None), (5, 2, None)]
    assert not hasattr(asked, "law_")  # what is passed is not changed
    assert found.draws.shape == (3, 30)
    assert found.sampler == "copies"
    np.testing.assert_array_equal(found.W, found.draws.mean(axis=0))
    np.testing.assert_array_equal(found.e_values, riata.knockoff_e_values(found.draws, 0.3))
    assert set(found.selected) == set(np.flatnonzero(found.e_values >= found.threshold))
    assert set(np.flatnonzero(found.q_values <= 0.3)) == set(found.selected)
    chosen = [riata.knockoff_threshold(W, 0.3) <= W for W in found.draws]
    np.testing.assert_allclose(found.share, np.mean(chosen, axis=0))
    one = riata.knockoff_selection(X, y, knockoffs=Copies(), fdr=0.3, random_state=5, check=False)
    assert np.array_equal(one.W, found.draws[0])
    ready = Copies().fit(X)
    riata.knockoff_selection(X, y, knockoffs=ready, groups=np.arange(30) // 2, fdr=0.3, check=False)
    assert ready.asked == ["fit", (0, 0, list(np.arange(30) // 2))]


def test_groups_of_samplers_keep_what_is_left_out_but_no_covariates():
    """A variant left out parts no group; a covariate stays in the model and cannot change places."""
    X, _, y, _ = independent()
    groups = np.arange(30) // 3
    ready = Copies().fit(X)
    factor = np.ones(30)
    factor[[1, 4]] = np.inf, 0.0
    given = {"groups": groups, "fdr": 0.3, "check": False}
    riata.knockoff_selection(X, y, knockoffs=ready, penalty_factor=factor, **given)
    label = np.array(ready.asked[1][2])
    assert (label[[0, 1, 2]] == label[0]).all()
    assert label[3] == label[5] != label[4]
    assert np.count_nonzero(label == label[4]) == 1


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_covariate_within_a_group_of_variants_parts_its_knockoffs_alone(tmp_path, at):
    """The group is an item as before; for a model of haplotypes its knockoffs are of the runs beside it."""
    study = riata.open_genotypes(
        riata.simulate_genotypes(tmp_path / "g", 100, 40, missing=0.0, n_chromosomes=1, seed=1)
    )
    y = np.random.default_rng(0).standard_normal(100)
    groups, factor = np.arange(40) // 3, np.ones(40)
    j = 6 + at  # of the group 6, 7, 8
    factor[j], factor[20] = 0.0, np.inf
    sampler = riata.knockoffs.Haplotypes(n_clusters=3, n_iter=2).fit(study)
    given = {"groups": groups, "penalty_factor": factor, "fdr": 0.3, "cv": 3, "check": False}
    found = riata.knockoff_selection(study, y, knockoffs=sampler, **given)
    parts = groups.copy()
    parts[j] = 40
    if at == 1:
        parts[8] = 41  # beyond the covariate
    made = sampler.draw(study, groups=parts)
    assert np.array_equal(found.W, riata.knockoff_selection(study, y, knockoffs=made.X, **given).W)
    assert np.count_nonzero(found.W) > 0
    assert found.members(2).tolist() == [k for k in (6, 7, 8) if k != j]
    factor[j] = 1.0
    apart = np.where(np.isin(np.arange(40), [9, 11]), 50, groups)  # with 10 between them
    with pytest.raises(ValueError, match="groups must be runs of consecutive variants"):
        riata.knockoff_selection(study, y, knockoffs=sampler, **{**given, "groups": apart})


@pytest.mark.filterwarnings("ignore::riata.knockoffs.KnockoffWarning")  # of few samples; not what is asked
def test_auto_is_gaussian_for_tables_and_haplotypes_for_genotypes(tmp_path):
    X, _, y, _ = independent()
    given = {"fdr": 0.3, "cv": 3, "random_state": 2}
    found = riata.knockoff_selection(X, y, **given)
    assert found.sampler.startswith("Gaussian")
    by_hand = riata.knockoffs.Gaussian().fit(X).draw(X, random_state=2)
    assert np.array_equal(found.W, riata.knockoff_selection(X, y, knockoffs=by_hand, **given).W)
    for other in (pd.DataFrame(X), sp.csc_array(X)):
        assert riata.knockoff_selection(other, y, **given).sampler == found.sampler
    selector = riata.KnockoffSelector(**given).fit(X, y)
    assert np.array_equal(selector.W_, found.W)

    study = riata.open_genotypes(riata.simulate_genotypes(tmp_path / "g", 100, 40, seed=1))
    trait = [float(value) for value in study.samples["phenotype"]]
    groups = riata.ld_groups(study, r2=0.3)
    found = riata.knockoff_selection(study, trait, groups=groups, **given)
    assert found.sampler == "haplotypes"
    made = riata.knockoffs.Haplotypes().fit(study).draw(study, groups=groups, random_state=2)
    ready = riata.knockoff_selection(study, trait, groups=groups, knockoffs=made, **given)
    assert np.array_equal(found.W, ready.W)
    assert np.count_nonzero(found.W) > 0


def test_a_list_holds_several_draws():
    X, made, y, rng = independent()
    several = [made, Knockoffs(rng.standard_normal(X.shape))]
    found = riata.knockoff_selection(X, y, knockoffs=several, n_draws=2, fdr=0.3, check=False)
    assert found.draws.shape == (2, 30)
    with pytest.raises(ValueError, match="n_draws must be the number of ready-made knockoffs, 2, got 1"):
        riata.knockoff_selection(X, y, knockoffs=several, fdr=0.3)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_of_ready_made_draws_the_worst_is_the_check(at):
    rng = np.random.default_rng(8)
    common = rng.standard_normal((300, 1))
    X, *several = (common + rng.standard_normal((300, 12)) for _ in range(4))
    several[at] = rng.standard_normal((300, 12))  # knows nothing of what features have in common
    y = X.sum(axis=1) + rng.standard_normal(300)
    given = {"n_draws": 3, "fdr": 0.3, "cv": 3}
    with pytest.warns(KnockoffWarning, match="do not have the law of X") as caught:
        found = riata.knockoff_selection(X, y, knockoffs=several, **given)
    assert len(caught) == 1
    assert str(caught[0].message).startswith(f"draw {at + 1} of 3: Correlations")
    alone = riata.knockoffs.Knockoffs(several[at])
    with pytest.warns(KnockoffWarning):
        assert found.check == alone.check(X)
    assert not found.check.ok
    several[at] = common + rng.standard_normal((300, 12))
    found = riata.knockoff_selection(X, y, knockoffs=several, **given)  # warnings are errors here
    assert found.check.excess == max(Knockoffs(one).check(X).excess for one in several)


def test_genotypes(tmp_path):
    bed = riata.simulate_genotypes(str(tmp_path / "study"), 200, 80, n_causal=1, seed=1)
    geno = riata.open_genotypes(bed)
    copies = geno.to_numpy()

    def filled(part):
        return np.where(np.isnan(part), np.nanmean(part, axis=0), part)

    rng = np.random.default_rng(0)
    order = rng.permutation(200)
    Knockoffs(geno.subset(samples=order)).save(tmp_path / "made.bed")
    made = riata.open_genotypes(str(tmp_path / "made.bed"))
    whole = filled(copies)
    scaled = (whole - whole.mean(axis=0)) / np.maximum(whole.std(axis=0), 1e-9)
    y = scaled[:, ::5].sum(axis=1) + 0.5 * rng.standard_normal(200)
    found = riata.knockoff_selection(geno, y, knockoffs=made, fdr=0.2, check=False)
    by_numbers = riata.knockoff_selection(whole, y, knockoffs=whole[order], fdr=0.2, check=False)
    np.testing.assert_allclose(found.W, by_numbers.W, atol=2e-3)
    assert len(found.selected) >= 5
    table = found.to_frame()
    assert {"feature", "chrom", "pos", "W", "q_value"} <= set(table.columns)
    rows = np.sort(rng.choice(200, 150, replace=False))
    part = riata.knockoff_selection(
        geno.subset(samples=rows), y[rows], knockoffs=made.subset(samples=rows), fdr=0.2, check=False
    )
    numbers = riata.knockoff_selection(
        filled(copies[rows]), y[rows], knockoffs=filled(copies[order][rows]), fdr=0.2, check=False
    )
    np.testing.assert_allclose(part.W, numbers.W, atol=2e-3)


def run(n, p, k, size, fdr, seed, rho=0.0, **fit):
    """False discovery proportion and power of one replicate; AR(1) columns with knockoffs from their law."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    if rho:
        for j in range(1, p):
            X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
        made = gaussian_knockoffs(X, rho ** np.abs(np.subtract.outer(np.arange(p), np.arange(p))), rng)
    else:
        made = rng.standard_normal((n, p))
    true = rng.choice(p, k, replace=False)
    y = size * X[:, true] @ rng.choice([-1, 1], k) + rng.standard_normal(n)
    found = riata.knockoff_selection(
        X, y, knockoffs=made, fdr=fdr, check=False, n_threads=1, random_state=seed, tol=1e-4, **fit
    )
    false = np.setdiff1d(found.selected, true)
    return len(false) / max(1, len(found.selected)), np.isin(true, found.selected).mean(), found


def gaussian_knockoffs(X, sigma, rng):
    """Equicorrelated knockoffs of rows N(0, sigma) (Candès et al. 2018, equation 3.2)."""
    p = len(sigma)
    s = min(1.0, 2.0 * np.linalg.eigvalsh(sigma)[0]) * 0.999 * np.eye(p)
    inverse = np.linalg.inv(sigma)
    noise = np.linalg.cholesky(2 * s - s @ inverse @ s)
    return X - X @ inverse @ s + rng.standard_normal(X.shape) @ noise.T


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rho", "fit"),
    [(0.0, {"cv": 5}), (0.5, {"cv": 5}), (0.0, {"statistic": "entry"})],
    ids=["independent", "AR", "entry"],
)
def test_the_rate_is_kept(rho, fit):
    runs = [run(150, 60, 15, 0.45, 0.2, seed, rho, **fit)[:2] for seed in range(60)]
    fdp, power = np.array(runs).T
    assert fdp.mean() <= 0.2 + 2 * fdp.std() / np.sqrt(len(fdp))
    assert power.mean() > 0.4


@pytest.mark.slow
def test_the_rate_is_kept_by_several_draws():
    fdp, power = [], []
    for seed in range(30):
        X, _, y, _ = independent(n=150, p=50, k=15, seed=seed, size=0.6)
        found = riata.knockoff_selection(
            X, y, knockoffs=Copies(), n_draws=3, fdr=0.3, cv=4, check=False, tol=1e-4
        )
        fdp.append(np.mean(found.selected >= 15) if len(found.selected) else 0.0)
        power.append(np.mean(found.selected < 15) * len(found.selected) / 15 if len(found.selected) else 0.0)
    assert np.mean(fdp) <= 0.3 + 2 * np.std(fdp) / np.sqrt(30)
    assert np.mean(power) > 0.4


def test_without_a_signal_little_is_selected():
    """Any selection is false: at most a share of fdr of the runs, and two standard errors."""
    hits = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        X, made = rng.standard_normal((2, 60, 20))
        found = riata.knockoff_selection(
            X,
            rng.standard_normal(60),
            knockoffs=made,
            fdr=0.2,
            cv=3,
            check=False,
            random_state=seed,
            tol=1e-4,
        )
        hits.append(len(found.selected) > 0)
    assert np.mean(hits) <= 0.2 + 2 * np.sqrt(0.2 * 0.8 / 80)


def test_what_the_result_says():
    X, made, y, rng = independent(n=200, p=100, k=12)
    found = riata.knockoff_selection(X, y, knockoffs=Knockoffs(made, sampler="copies"))
    assert repr(found) == "<KnockoffSelected: 12 of 100 features, false discovery rate at most 0.1>"
    assert found.check.ok
    told = found.explain()
    assert "100 features of 200 samples were fitted beside their knockoffs" in told
    assert "at most 10 % are expected to be false" in told
    assert "<svg" in found._repr_html_()
    assert found.ranked[:12].tolist() == found.selected.tolist()
    assert (np.diff(found.W[found.ranked]) <= 0).all()
    assert found.lead.tolist() == list(range(100))
    np.testing.assert_allclose(found.coef_mean[:12], 1.0, atol=0.35)
    none = riata.knockoff_selection(X, rng.standard_normal(200), knockoffs=made, random_state=3)
    assert "No feature did so much better as to be selected." in none.explain()
    assert "fewer than 10 (1/fdr) are never selected" in none.explain()
    assert "What would change that: a larger fdr" in none.explain()
    assert none.threshold == np.inf
    modified = riata.knockoff_selection(X, y, knockoffs=made, knockoff_offset=0, check=False)
    assert "modified false discovery rate at most 0.1" in repr(modified)
    words = "(selected + 10) is expected to be at most 0.1, false meaning to tell nothing about y beyond"
    assert words in modified.explain()


def test_knockoffs_that_are_a_little_wrong_are_told_of_in_notes(tmp_path):
    """Correlations of 0.5 in X and 0.44 in the knockoffs: more than chance, less than 5 % of the squares."""
    rng = np.random.default_rng(4)
    common = rng.standard_normal((2000, 1))
    X, near, right = (
        np.sqrt(r) * common + np.sqrt(1 - r) * rng.standard_normal((2000, 12)) for r in (0.5, 0.44, 0.5)
    )
    y = X[:, :8].sum(axis=1) + rng.standard_normal(2000)
    found = riata.knockoff_selection(X, y, knockoffs=near, fdr=0.2, cv=3)  # warnings are errors here
    assert found.check.ok
    assert found.check.doubtful
    assert len(found.notes) == 1
    assert "may be somewhat above the one asked for" in found.notes[0]
    assert found.explain().count("Sampling does not explain all of the difference") == 1
    assert "the knockoffs nearly have the correlations of X" in found._repr_html_()
    found.save(tmp_path / "found.npz")
    assert riata.load(tmp_path / "found.npz").notes == found.notes
    assert riata.knockoff_selection(X, y, knockoffs=right, fdr=0.2, cv=3).notes == []


def test_results_are_kept(tmp_path):
    X, made, y, _ = independent()
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(30)])
    groups = np.repeat(np.arange(15), 2)
    found = riata.knockoff_selection(
        frame, y, knockoffs=[made, made[::-1]], n_draws=2, groups=groups, fdr=0.3, check=True
    )
    found.save(tmp_path / "found.npz")
    back = riata.load(tmp_path / "found.npz")
    for name in ("draws", "e_values", "q_values", "selected", "lead", "alphas", "group_names"):
        np.testing.assert_array_equal(getattr(back, name), getattr(found, name))
    assert back.check == found.check
    assert repr(back) == repr(found)
    assert back.explain() == found.explain()
    pd.testing.assert_frame_equal(back.to_frame(), found.to_frame())


def test_checkpoints_are_kept_for_each_draw(tmp_path):
    X, _, y, _ = independent(n=80, p=20)
    file = str(tmp_path / "state")
    asked = {"n_draws": 3, "fdr": 0.3, "check": False, "cv": 4}
    whole = riata.knockoff_selection(X, y, knockoffs=Copies(), **asked)

    class Tired(Copies):
        def draw(self, X, *, draw=0, **rest):
            if draw == 2:
                raise KeyboardInterrupt
            return super().draw(X, draw=draw, **rest)

    with pytest.warns(KnockoffWarning, match="stopped after 2 of 3 draws"):
        part = riata.knockoff_selection(X, y, knockoffs=Tired(), checkpoint=file, **asked)
    assert np.array_equal(part.draws, whole.draws[:2])
    assert sorted(os.listdir(tmp_path)) == ["state.1", "state.2"]
    again = riata.knockoff_selection(X, y, knockoffs=Copies(), checkpoint=file, **asked)
    assert np.array_equal(again.draws, whole.draws)
    assert os.listdir(tmp_path) == []


def test_ctrl_c_before_the_first_draw_is_complete():
    class Gone(Copies):
        def draw(self, X, **rest):
            raise KeyboardInterrupt

    X, _, y, _ = independent(n=80, p=20)
    with pytest.raises(KeyboardInterrupt):
        riata.knockoff_selection(X, y, knockoffs=Gone(), check=False)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fdr": 0.03}, r"fdr must be at least 1/30 = 0.0333 with 30 features, got 0.03"),
        ({"fdr": 0.1, "groups": np.arange(30) // 5}, "fdr must be at least 1/6 = 0.167 with 6 groups"),
        ({"fdr": 1.5}, "fdr must be > 0 and <= 1, got 1.5"),
        ({"statistic": "lcd"}, "statistic must be one of"),
        ({"knockoff_offset": 2}, "knockoff_offset must be 0 or 1"),
        ({"knockoff_offset": 0, "n_draws": 2}, "knockoff_offset must be 1 with several draws"),
        ({"knockoffs": "hmm"}, "knockoffs must be 'auto', a sampler of riata.knockoffs or knockoffs"),
        ({"knockoffs": np.zeros((30, 3))}, r"knockoffs must have the shape of X, \(120, 30\), got \(30, 3\)"),
        (
            {"knockoffs": [np.ones((120, 30)), np.ones((12, 30))], "n_draws": 2},
            r"knockoffs must have the shape of X, \(120, 30\), got \(12, 30\)",
        ),
        ({"knockoffs": riata.knockoffs.Gaussian}, r"got the class Gaussian: write Gaussian\(\)"),
        (
            {"knockoffs": Knockoffs(np.ones((120, 30)), groups=np.arange(30) // 3)},
            "groups must keep the groups whole that the knockoffs were made for, but features 0 and 1",
        ),
        (
            {
                "knockoffs": Knockoffs(np.ones((120, 30)), groups=np.arange(30) // 3),
                "groups": np.arange(30) // 3,
                "penalty_factor": np.repeat([1.0, 0.0, 1.0], [4, 1, 25]),  # a covariate in a group
            },
            "but features 3 and 4 of one of these are apart",
        ),
        (
            {
                "knockoffs": Knockoffs(np.ones((120, 30)), groups=np.arange(30) // 3),
                "groups": np.arange(30) // 3,
                "penalty_factor": np.repeat([1.0, 0.0, 1.0], [4, 1, 25]),
            },
            "apart: feature 4 is unpenalised and cannot change places",
        ),
        ({"penalty": riata.penalties.SLOPE()}, "penalty must be ElasticNet, MCP or SCAD"),
        ({"l1_ratio": 0.0}, "l1_ratio must be > 0"),
        ({"groups": [[0, 1], [1, 2]]}, "groups must be disjoint"),
        ({"check": 3}, "check must be"),
        ({"run": riata.RunOptions(max_groups=3)}, "run must leave max_groups out"),
        ({"cv": 1}, "cv must be"),
    ],
)
def test_what_is_refused(given, message):
    X, made, y, _ = independent()
    with pytest.raises((ValueError, TypeError), match=message):
        riata.knockoff_selection(X, y, **{"knockoffs": made, **given})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cv": 5}, "cv must be left out with statistic='entry', which takes no cross-validation, got 5"),
        ({"cv": [(np.arange(60), np.arange(60, 120))]}, "cv must be left out"),
        ({"blocks": np.arange(120)}, "blocks must be left out"),
        ({"blocks": []}, "blocks must be left out"),
        ({"scoring": "mae"}, "scoring must be left out"),
        ({"alpha_rule": "1se"}, "alpha_rule must be left out with statistic='entry'"),
        ({"patience": None}, "patience must be left out"),
        ({"patience": 3}, "patience must be left out"),
    ],
)
def test_entry_refuses_what_is_of_cross_validation(given, message):
    X, made, y, _ = independent()
    asked = {"knockoffs": made, "fdr": 0.2, "check": False, "statistic": "entry"}
    with pytest.raises(ValueError, match=message):
        riata.knockoff_selection(X, y, **asked, **given)
    blocks = {"blocks": given.pop("blocks")} if "blocks" in given else {}
    with pytest.raises(ValueError, match=message):
        riata.KnockoffSelector(**asked, **given).fit(X, y, **blocks)
    defaults = {"cv": 10, "blocks": None, "scoring": None, "alpha_rule": "min", "patience": 10}
    found = riata.knockoff_selection(X, y, **asked, **defaults)
    assert np.array_equal(found.W, riata.knockoff_selection(X, y, **asked).W)


def test_numbers_that_are_not_finite_are_named_by_feature():
    X, made, y, _ = independent()
    given = {"fdr": 0.3, "check": False, "cv": 3}
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(30)])
    bad = made.copy()
    bad[3, 7] = np.nan
    said = "must hold finite numbers only, got NaN or infinity in"
    with pytest.raises(ValueError, match=f"^knockoffs {said} the knockoff of feature 7$"):
        riata.knockoff_selection(X, y, knockoffs=bad, **given)
    with pytest.raises(ValueError, match=rf"^knockoffs {said} the knockoff of feature 7 \(x7\)$"):
        riata.knockoff_selection(frame, y, knockoffs=bad, statistic="entry", fdr=0.3, check=False)
    with pytest.raises(ValueError, match=f"^knockoffs, draw 2, {said} the knockoff of feature 7$"):
        riata.knockoff_selection(X, y, knockoffs=[made, bad], n_draws=2, **given)
    holes = X.copy()
    holes[3, 7] = np.nan
    with pytest.raises(ValueError, match=f"^X {said} column 7$"):
        riata.knockoff_selection(holes, y, knockoffs=made, **given)
    # Where a cell of X is missing, so is that of its knockoff, and nowhere else.
    found = riata.knockoff_selection(holes, y, knockoffs=bad, impute="mean", **given)
    assert np.array_equal(
        found.W, riata.knockoff_selection(holes, y, knockoffs=made, impute="mean", **given).W
    )
    bad[4, 7] = np.nan
    with pytest.raises(ValueError, match=f"^knockoffs {said} the knockoff of feature 7$"):
        riata.knockoff_selection(holes, y, knockoffs=bad, impute="mean", **given)


def test_knockoffs_of_groups_serve_for_coarser_ones_and_beside_what_is_left_out():
    X, made, y, _ = independent()
    groups = np.arange(30) // 3
    given = {"fdr": 0.3, "check": False}
    of_groups = Knockoffs(made, groups=groups)
    coarse = riata.knockoff_selection(X, y, knockoffs=of_groups, groups=np.arange(30) // 6, **given)
    plain = riata.knockoff_selection(X, y, knockoffs=made, groups=np.arange(30) // 6, **given)
    assert np.array_equal(coarse.W, plain.W)
    left_out = np.setdiff1d(np.arange(30), np.arange(0, 30, 3))  # one of each group remains
    found = riata.knockoff_selection(X, y, knockoffs=of_groups, exclude=left_out, **given)
    assert len(found.items) == 10


def test_arguments_of_the_fit_that_groups_decide():
    with pytest.raises(TypeError, match=r"knockoff_selection\(\) takes no max_groups"):
        riata.knockoff_selection(np.eye(20), np.arange(20.0), max_groups=3)


def test_covariates_beside_genotypes(tmp_path):
    """As the command line joins them: knockoffs are of the genotypes alone, and of the samples in use."""
    from riata.study.study import StudyDesign

    bed = riata.simulate_genotypes(str(tmp_path / "study"), 160, 60, missing=0.0, seed=2)
    whole = riata.open_genotypes(bed)
    rng = np.random.default_rng(3)
    rows = np.sort(rng.choice(160, 120, replace=False))
    geno = whole.subset(samples=rows)
    copies, age = geno.to_numpy(), rng.standard_normal((120, 1))
    y = 2.0 * age[:, 0] + copies[:, ::6].sum(axis=1) + 0.5 * rng.standard_normal(120)
    X = StudyDesign(geno, age, [*map(str, geno.feature_names), "age"])

    class Shuffled:
        def fit(self, X, *, n_threads=None, progress=None):
            assert X is geno
            return self

        def draw(self, X, *, groups=None, random_state=0, draw=0, out=None, n_threads=None):
            assert groups is None or len(groups) == 60
            order = np.random.default_rng(draw).permutation(120)
            Knockoffs(X.subset(samples=order)).save(tmp_path / f"made{draw}.bed")
            return Knockoffs(riata.open_genotypes(str(tmp_path / f"made{draw}.bed")), groups=groups)

    given = {"penalty_factor": [1.0] * 60 + [0.0], "fdr": 0.2, "check": False}
    found = riata.knockoff_selection(X, y, knockoffs=Shuffled(), **given)
    order = np.random.default_rng(0).permutation(120)
    numbers = np.column_stack([copies, age])
    made = np.column_stack([copies[order], age])
    by_numbers = riata.knockoff_selection(numbers, y, knockoffs=made, **given)
    np.testing.assert_allclose(found.W, by_numbers.W, atol=2e-3)
    assert found.W[60] == 0.0
    assert found.coefs[0, 60] == pytest.approx(2.0, abs=0.5)
    pairs = riata.knockoff_selection(X, y, knockoffs=Shuffled(), groups=np.arange(61) // 2, **given)
    assert len(pairs.items) == 30
    with pytest.warns(KnockoffWarning, match="do not have the law of X"):
        riata.knockoff_selection(X, y, knockoffs=Shuffled(), **{**given, "check": True})
