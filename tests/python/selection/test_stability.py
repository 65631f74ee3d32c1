"""Stability selection: the halves it fits, what it selects, and how often what is false is among it."""

import os
import signal

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.stats import binom
from tests.python.genotype_files import random_copies, write_bed
from tests.python.support import make_problem

import riata
from riata.selection.halves import draw_pair

LOSSES = ("gaussian", "binomial", "poisson", "huber", "cox")


def last_set(path, q):
    """Features active at the smallest alpha of a path with at most q of them."""
    k = np.flatnonzero(path.n_active <= q)[-1]
    return np.flatnonzero(path.coefs[:, [k]].toarray()[:, 0])


def by_hand(X, y, q, n_pairs, strata=None, **fit):
    """Frequencies and coefficients of a loop of `fit_path` over copies of the rows of each half."""
    counts, coefs = np.zeros(X.shape[1]), []
    for b in range(n_pairs):
        for half in draw_pair(0, b, np.arange(len(y)), strata):
            path = riata.fit_path(X[half], y[half], alphas=301, eps=1e-3, tol=1e-4, max_active=q, **fit)
            counts[last_set(path, q)] += 1
            k = np.flatnonzero(path.n_active <= q)[-1]
            coefs.append(path.coefs[:, [k]].toarray()[:, 0])
    return counts / (2 * n_pairs), np.array(coefs)


@pytest.mark.parametrize("loss", LOSSES)
def test_frequencies_are_those_of_a_loop_over_the_halves(loss):
    X, y = make_problem(loss, n=60, p=40)
    strata = {"binomial": y, "cox": y[:, 1] if y.ndim > 1 else y}.get(loss)
    strata = None if strata is None else strata.astype(int)
    frequency, coefs = by_hand(X, y, 6, 6, strata, loss=loss)
    found = riata.stability_selection(X, y, loss=loss, q=6, threshold=0.75, n_pairs=6)
    assert np.array_equal(found.frequency, frequency)
    assert np.allclose(found.coefs.toarray(), coefs, rtol=1e-6, atol=1e-9)
    assert found.selected.tolist() == sorted(found.selected, key=lambda j: -frequency[j])
    assert set(found.selected) == set(np.flatnonzero(frequency >= 0.75))


def storages(X):
    yield "float32", X.astype(np.float32)
    yield "rows first", np.ascontiguousarray(X)
    yield "sparse", sp.csc_array(X)
    yield "frame", pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])


@pytest.mark.parametrize("which", ["float32", "rows first", "sparse", "frame"])
def test_every_storage(which):
    rng = np.random.default_rng(5)
    X = np.asfortranarray(rng.integers(-3, 4, (50, 30)).astype(float))  # the same in float32
    y = X[:, 2] - X[:, 7] + rng.standard_normal(50)
    frequency, _ = by_hand(X, y, 5, 5)
    found = riata.stability_selection(dict(storages(X))[which], y, q=5, n_pairs=5)
    assert np.array_equal(found.frequency, frequency)


def test_genotypes(tmp_path):
    copies = random_copies(60, 40, missing=0.0, seed=3)
    variants = [("1", f"rs{j}", 100 + j, "A", "G") for j in range(40)]
    study = riata.open_genotypes(write_bed(tmp_path / "study", variants, copies))
    X = np.asfortranarray(study.to_numpy() if hasattr(study, "to_numpy") else copies.T.astype(float))
    y = 2.0 * X[:, 4] - 2.0 * X[:, 20] + np.random.default_rng(0).standard_normal(60)
    frequency, _ = by_hand(X, y, 5, 5)
    found = riata.stability_selection(study, y, q=5, n_pairs=5)
    assert np.array_equal(found.frequency, frequency)
    table = found.to_frame()
    first = table.iloc[0]
    assert (first["feature"], first["chrom"], first["pos"]) in {("rs4", "1", 104), ("rs20", "1", 120)}
    assert first["selected"]


def test_threads_batches_and_the_number_of_pairs_do_not_change_a_pair():
    X, y = make_problem(n=60, p=80)
    one = riata.stability_selection(X, y, q=8, n_pairs=12, n_threads=1)
    two = riata.stability_selection(X, y, q=8, n_pairs=12, n_threads=2)
    assert np.array_equal(one.coefs.toarray(), two.coefs.toarray())
    tight = riata.stability_selection(X, y, q=8, n_pairs=12, memory=250_000)
    assert np.array_equal(one.frequency, tight.frequency)
    assert np.allclose(one.coefs.toarray(), tight.coefs.toarray(), rtol=0, atol=1e-12)
    fewer = riata.stability_selection(X, y, q=8, n_pairs=5)
    assert np.array_equal(one.ranks.toarray()[:10], fewer.ranks.toarray())


def test_weights_offsets_and_rows_without_a_response():
    X, y = make_problem(n=60, p=30)
    weights = np.ones(60)
    weights[:9] = 0.0
    rows = np.arange(9, 60)
    offset = np.linspace(-1, 1, 60)
    found = riata.stability_selection(X, y, q=5, n_pairs=5, sample_weight=weights, offset=offset)
    counts = np.zeros(30)
    for b in range(5):
        for half in draw_pair(0, b, rows):
            path = riata.fit_path(
                X[half], y[half], alphas=301, eps=1e-3, tol=1e-4, max_active=5, offset=offset[half]
            )
            counts[last_set(path, 5)] += 1
    assert found.n_samples == 51
    assert np.array_equal(found.frequency, counts / 10)


def test_unpenalised_features_are_no_items():
    X, y = make_problem(n=60, p=30)
    factor = np.ones(30)
    factor[[0, 1]] = 0.0
    found = riata.stability_selection(X, y, q=4, n_pairs=5, penalty_factor=factor, exclude=[9])
    assert found.plan.p == 27
    assert found.sizes.max() == 4  # beside the two that every half has
    assert not found.frequency[[0, 1, 9]].any()


def test_groups_are_selected_when_any_of_their_features_is():
    X, y = make_problem(n=80, p=40)
    groups = np.arange(40) // 4
    found = riata.stability_selection(X, y, q=4, n_pairs=6, groups=groups, threshold=0.6)
    counts, members = np.zeros(10), np.zeros(40)
    for b in range(6):
        for half in draw_pair(0, b, np.arange(80)):
            path = riata.fit_path(X[half], y[half], alphas=301, eps=1e-3, tol=1e-4)
            active = path.coefs.toarray() != 0.0
            k = np.flatnonzero([len(np.unique(groups[column])) <= 4 for column in active.T])[-1]
            assert len(np.unique(groups[active[:, -1]])) > 4
            counts[np.unique(groups[active[:, k]])] += 1
            members += active[:, k]
    assert np.array_equal(found.frequency, counts / 12)
    assert np.array_equal(found.feature_frequency, members / 12)
    for g in found.selected:
        mine = np.flatnonzero(groups == g)
        assert found.members(g).tolist() == mine.tolist()
        assert members[found.lead[g]] == members[mine].max()
        assert found.lead[g] == mine[members[mine].argmax()]
    named = riata.stability_selection(
        X, y, q=4, n_pairs=6, threshold=0.6, groups={f"g{g}": np.flatnonzero(groups == g) for g in range(10)}
    )
    assert np.array_equal(named.frequency, found.frequency)
    assert named.to_frame()["group"].iloc[0] == f"g{found.ranked[0]}"
    with pytest.raises(ValueError, match="groups must be disjoint, got feature 3 in more than one"):
        riata.stability_selection(X, y, groups=[[0, 3], [3, 4]])


def test_blocks_stay_together():
    """With every sample there twice, halves that keep the two together are those of the samples once."""
    X, y = make_problem(n=40, p=30)
    twice = np.repeat(np.arange(40), 2)
    once = riata.stability_selection(X, y, q=4, n_pairs=5)
    both = riata.stability_selection(X[twice], y[twice], q=4, n_pairs=5, blocks=twice)
    assert np.array_equal(once.frequency, both.frequency)


@pytest.mark.parametrize("loss", ["multinomial", "multigaussian"])
def test_several_outputs(loss):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((90, 30))
    y = np.column_stack([X[:, 3], -X[:, 3] + X[:, 5]]) + 0.5 * rng.standard_normal((90, 2))
    if loss == "multinomial":
        y = np.digitize(X[:, 3] + 0.3 * rng.standard_normal(90), [-0.4, 0.4])
    found = riata.stability_selection(X, y, loss=loss, q=4, n_pairs=6)
    assert 3 in found.selected
    assert found.coef_mean.shape == (30, 3 if loss == "multinomial" else 2)
    assert found.frequency[3] == 1.0


def test_summaries_from_their_definitions():
    X, y = make_problem(n=60, p=40)
    found = riata.stability_selection(X, y, q=6, n_pairs=6)
    coefs = found.coefs.toarray()
    chosen = coefs != 0.0
    assert np.array_equal(found.frequency, chosen.mean(axis=0))
    assert np.allclose(found.simultaneous, (chosen[0::2] & chosen[1::2]).mean(axis=0))
    assert np.all(found.simultaneous >= 2 * found.frequency - 1 - 1e-12)
    for j in np.flatnonzero(chosen.any(axis=0)):
        mine = coefs[chosen[:, j], j]
        assert found.sign[j] == (mine > 0).mean()
        assert found.coef_mean[j] == pytest.approx(mine.mean())
        if len(mine) > 1:
            assert found.coef_sd[j] == pytest.approx(mine.std(ddof=1))
    assert np.isnan(found.coef_mean[~chosen.any(axis=0)]).all()
    observed = riata.pfer_bound(chosen.sum(axis=1).mean(), 40, found.plan.threshold, 6)
    assert found.pfer_observed == observed <= found.pfer
    # The stability path rises, and ends at the frequency but for items that left again or that came later.
    path = found.first_q(np.arange(40))
    assert np.all(np.diff(path, axis=1) >= 0)
    assert path.shape == (40, 6)
    assert np.all(path.sum(axis=0) <= np.arange(1, 7) + 1e-12)
    assert np.all(path[:, -1] >= found.frequency - 1e-12)


def test_stopping_early_selects_the_same():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 300))
    y = X[:, :3].sum(axis=1) + 0.1 * rng.standard_normal(200)
    whole = riata.stability_selection(X, y, q=6, n_pairs=40)
    early = riata.stability_selection(X, y, q=6, n_pairs=40, stop_early=True)
    assert set(early.selected) == set(whole.selected)
    assert 60 <= early.n_halves < 80  # threshold 0.75 of 40 pairs: 30 at the earliest
    assert early.pfer == whole.pfer
    with pytest.raises(ValueError, match="stop_early must be False with p_values=True"):
        riata.stability_selection(X, y, q=6, p_values=True, stop_early=True)


def test_groups_named_like_numbers_of_features():
    X, y = make_problem(n=60, p=10)
    found = riata.stability_selection(X, y, q=3, n_pairs=4, groups={"3": [0, 1], "new": [2]})
    assert found.group_names.tolist() == ["3", "new", *(f"feature {j}" for j in range(3, 10))]
    found = riata.stability_selection(X, y, q=3, n_pairs=4, groups={"a": [0, 1]})
    assert found.group_names.tolist() == ["a", *map(str, range(2, 10))]


def test_checkpoint_goes_on_with_the_same_bits(tmp_path):
    X, y = make_problem(n=60, p=80)
    asked = {"q": 8, "n_pairs": 24, "p_values": True}
    file = tmp_path / "halves.npz"
    seen = []

    def stop(done, total, *_):
        seen.append((done, total))
        return done < 10

    with pytest.warns(riata.StabilityWarning, match="stopped after 10 of 24 pairs"):
        part = riata.stability_selection(X, y, **asked, checkpoint=file, progress=stop)
    assert part.n_halves == 20
    assert part.plan.n_pairs == 10
    assert part.pfer == riata.pfer_bound(8, 80, 0.75, 10)
    assert file.exists()
    assert seen[-1] == (10, 24)
    with pytest.raises(ValueError, match="checkpoint must be of the same stability selection"):
        riata.stability_selection(X, 2 * y, **asked, checkpoint=file)
    seen.clear()
    rest = riata.stability_selection(
        X, y, **asked, checkpoint=file, progress=lambda done, *_: seen.append(done)
    )
    assert min(seen) == 10
    assert not file.exists()
    whole = riata.stability_selection(X, y, **asked)
    assert np.array_equal(rest.coefs.toarray(), whole.coefs.toarray())
    assert np.array_equal(rest.p_values, whole.p_values)


def test_control_c_keeps_complete_pairs():
    X, y = make_problem(n=60, p=80)

    def interrupt(done, *_):
        if done >= 10:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.warns(riata.StabilityWarning, match="stopped after 10 of 30 pairs"):
            found = riata.stability_selection(X, y, q=8, n_pairs=30, progress=interrupt)
        assert found.n_halves == 20
        with pytest.raises(KeyboardInterrupt):
            riata.stability_selection(
                X, y, q=8, n_pairs=30, progress=lambda *_: os.kill(os.getpid(), signal.SIGINT)
            )
    finally:
        signal.signal(signal.SIGINT, before)


def test_saved_and_loaded(tmp_path):
    X, y = make_problem(n=60, p=30)
    frame = pd.DataFrame(X, columns=[f"gene{j}" for j in range(30)])
    found = riata.stability_selection(frame, y, q=5, n_pairs=5, p_values=True, groups=np.arange(30) // 2)
    found.save(tmp_path / "found.npz")
    back = riata.load(tmp_path / "found.npz")
    assert back.to_frame().equals(found.to_frame())
    assert back.plan == found.plan
    assert back.explain() == found.explain()
    assert "riata.StabilitySelected" in back._repr_html_()


def test_nothing_selected_says_what_would_change_it():
    rng = np.random.default_rng(0)
    found = riata.stability_selection(rng.standard_normal((60, 300)), rng.standard_normal(60), threshold=0.75)
    assert len(found.selected) == 0
    assert found.selected.dtype.kind == "i"
    told = found.explain()
    assert "No feature came back in at least 75 % of them" in told
    assert f"The most frequent, {found.ranked[0]}," in told
    assert "a larger pfer" in told


def test_features_alike_are_told():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 50))
    level = X[:, 0].copy()
    X[:, :2] = level[:, None] + 0.15 * X[:, 1:3]
    y = level + rng.standard_normal(80)
    found = riata.stability_selection(X, y, q=1)
    assert "Two features that halves often select have r² above 0.9 (0 and 1)" in found.explain()
    groups = np.maximum(np.arange(50), 1)
    together = riata.stability_selection(X, y, groups=groups, q=1)
    assert together.group_names[together.selected].tolist() == [1]
    assert "groups=" not in together.explain()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"alphas": 5}, "stability_selection() takes no alphas: q ends the path of each half"),
        ({"l1_ratio": 0.0}, "l1_ratio must be > 0, got 0: ridge regression selects nothing"),
        ({"p_values": True, "loss": "huber"}, "p_values must be False with loss='huber'"),
        ({"blocks": [0] * 20}, "blocks must hold at least two blocks, got one"),
        ({"penalty_factor": [0.0] * 10}, "must leave a penalised feature to select, got none"),
        ({"penalty": riata.penalties.SLOPE()}, "penalty must be ElasticNet, MCP or SCAD"),
        ({"bound": "worst", "threshold": 0.5}, "threshold must be above 1/2"),
        ({"typo": 1}, "unexpected keyword argument 'typo'"),
    ],
)
def test_bad_input(given, message):
    X, y = make_problem(n=20, p=10)
    with pytest.raises((ValueError, TypeError)) as error:
        riata.stability_selection(X, y, **given)
    assert message in str(error.value)


def test_halves_need_both_classes():
    X, _ = make_problem(n=20, p=10)
    y = np.zeros(20)
    y[3] = 1.0
    with pytest.raises(ValueError, match=r"half [12] of pair 1 of the samples"):
        riata.stability_selection(X, y, loss="binomial")


@pytest.mark.parametrize("signals", [0, 10])
def test_false_selections_stay_within_the_bound(signals):
    """On independent columns, where every null is chosen no more often than by chance.

    The number of replicates with a false selection is at most binomial with the bound, which holds for it by
    Markov's inequality; fails for a right program once in 10,000 runs.
    """
    n, p, replicates, pfer = 100, 200, 12, 0.5
    false = 0
    for seed in range(replicates):
        rng = np.random.default_rng(100 + seed)
        X = rng.standard_normal((n, p))
        y = X[:, :signals] @ np.full(signals, 0.5) + rng.standard_normal(n)
        found = riata.stability_selection(X, y, pfer=pfer, n_pairs=25, q=None, n_threads=1)
        false += bool((found.selected >= signals).any())
    assert false <= binom.ppf(1 - 1e-4, replicates, pfer)


def test_p_values_of_a_response_that_is_constant_in_halves():
    """Nothing can be tested where there is no variance."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 100))
    y = np.full(120, 0.1)
    y[[3, 70]] = 1.1
    found = riata.stability_selection(X, y, p_values=True, n_pairs=10)
    assert found.p_values.min() > 0.05


@pytest.mark.parametrize("loss", ["binomial", "poisson"])
def test_p_values_do_not_hang_on_the_unit_of_weights(loss):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((160, 60))
    y = rng.integers(0, 2, 160).astype(float) if loss == "binomial" else rng.poisson(1.0, 160).astype(float)
    one, ten = (
        riata.stability_selection(
            X, y, loss=loss, p_values=True, n_pairs=5, sample_weight=np.full(160, weight)
        )
        for weight in (1.0, 10.0)
    )
    np.testing.assert_allclose(ten.p_values, one.p_values, rtol=1e-5)


def test_a_checkpoint_knows_every_column(tmp_path):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((80, 300))
    y = X[:, 4] + rng.standard_normal(80)
    file = tmp_path / "c"
    whole = riata.stability_selection(X, y, n_pairs=12, checkpoint=file, keep_checkpoint=True)
    again = riata.stability_selection(X, y, n_pairs=12, checkpoint=file, keep_checkpoint=True)
    np.testing.assert_array_equal(again.frequency, whole.frequency)
    assert file.exists()
    X[5, 1] += 1e-3
    with pytest.raises(ValueError, match="checkpoint must be of the same stability selection"):
        riata.stability_selection(X, y, n_pairs=12, checkpoint=file)


def test_limits_and_penalties_that_do_not_go_with_it():
    rng = np.random.default_rng(3)
    X, y = rng.standard_normal((60, 40)), rng.standard_normal(60)
    with pytest.raises(ValueError, match="run must leave max_active"):
        riata.stability_selection(X, y, run=riata.RunOptions(max_active=3))
    for penalty in (riata.penalties.SLOPE(), riata.penalties.UniLasso()):
        with pytest.raises(ValueError, match="penalty must be ElasticNet, MCP or SCAD"):
            riata.stability_selection(X, y, penalty=penalty)
    with pytest.raises(ValueError, match="blocks must hold a label"):
        riata.stability_selection(X, y, blocks=np.where(np.arange(60) == 3, np.nan, 1.0))


def test_halves_are_checked_before_any_fit():
    rng = np.random.default_rng(4)
    X, y = rng.standard_normal((120, 50)), np.zeros(120)
    y[:7] = 1.0
    seen = []
    with pytest.raises(ValueError, match="of the samples"):
        riata.stability_selection(
            X, y, loss="poisson", n_pairs=200, progress=lambda *state: seen.append(state), random_state=0
        )
    assert not seen
