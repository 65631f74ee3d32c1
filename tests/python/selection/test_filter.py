"""The knockoff filter against its definitions, tried out on every threshold there is."""

import numpy as np
import pytest

import riata
from riata.selection.filter import selected_by_e_values

RATES = (0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.75)


def statistics():
    """Small statistics with ties, zeros, all of one sign, and of random sizes."""
    yield np.zeros(4)
    yield -np.arange(1.0, 6.0)
    yield np.arange(1.0, 41.0)
    yield np.array([1.0])
    yield np.array([-1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    rng = np.random.default_rng(0)
    for k in range(150):
        W = rng.standard_normal(rng.integers(2, 40)) + rng.choice([0.0, 0.7])
        yield np.round(W, 1) if k % 3 == 0 else np.round(W) if k % 3 == 1 else W


def rate_at(W, t, offset):
    return (offset + sum(w <= -t for w in W)) / max(1, sum(w >= t for w in W))


@pytest.mark.parametrize("offset", [0, 1])
def test_thresholds_are_the_least_that_will_do(offset):
    for W in statistics():
        for fdr in RATES:
            good = [t for t in np.abs(W) if t > 0 and rate_at(W, t, offset) <= fdr]
            expected = min(good, default=np.inf)
            assert riata.knockoff_threshold(W, fdr, offset) == expected


@pytest.mark.parametrize("offset", [0, 1])
def test_q_values_are_the_least_rates_that_select(offset):
    for W in statistics():
        q = riata.knockoff_q_values(W, offset)
        rates = sorted({min(1.0, rate_at(W, t, offset)) for t in np.abs(W) if t > 0})
        for g, w in enumerate(W):
            selecting = [
                rate for rate in rates if 0 < rate < 1 and w >= riata.knockoff_threshold(W, rate, offset)
            ]
            if 0.0 in rates and w >= riata.knockoff_threshold(W, 1e-12, offset):
                selecting.append(0.0)
            assert q[g] == min(selecting, default=1.0)
        for fdr in RATES:
            chosen = riata.knockoff_threshold(W, fdr, offset) <= W
            assert np.array_equal(q <= fdr, chosen)


def test_knockoff_plus_needs_one_over_fdr_items():
    assert riata.knockoff_threshold(np.arange(1.0, 11.0), 0.1) == 1.0
    assert riata.knockoff_threshold(np.arange(1.0, 10.0), 0.1) == np.inf


def e_values_by_definition(draws, fdr):
    total = np.zeros(len(draws[0]))
    for W in draws:
        for t in sorted({abs(w) for w in W if w != 0}):
            if rate_at(W, t, 1) <= fdr / 2 or sum(w >= t for w in W) < 2 / fdr:
                total += [len(W) * (w >= t) / (1 + sum(v <= -t for v in W)) for w in W]
                break
    return total / len(draws)


def test_e_values_by_definition():
    rng = np.random.default_rng(1)
    for k in range(60):
        shape = rng.integers(1, 5), rng.integers(2, 60)
        draws = rng.standard_normal(shape) + (rng.random(shape[1]) < 0.5) * 2.0
        if k % 2:
            draws = np.round(draws)
        for fdr in RATES:
            np.testing.assert_allclose(
                riata.knockoff_e_values(draws, fdr), e_values_by_definition(draws, fdr), rtol=1e-14
            )


def test_what_e_bh_selects():
    rng = np.random.default_rng(2)
    for _ in range(60):
        e = np.round(rng.exponential(3.0, rng.integers(1, 30)), 1)
        for fdr in RATES:
            largest = sorted(e, reverse=True)
            numbers = [k for k in range(1, len(e) + 1) if largest[k - 1] >= len(e) / (fdr * k) - 1e-9]
            k = max(numbers, default=0)
            found = selected_by_e_values(e, fdr)
            assert len(found) == k
            assert sorted(e[found], reverse=True) == largest[:k]


def test_one_draw_by_e_values_selects_no_fewer_than_half_the_rate():
    """With one draw e-BH at fdr selects what the filter selects at fdr / 2."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        W = rng.standard_normal(100) + (rng.random(100) < 0.5) * 3.0
        e = riata.knockoff_e_values(W[None], 0.2)
        below = riata.knockoff_threshold(W, 0.1)
        if below < np.inf:
            assert selected_by_e_values(e, 0.2).tolist() == np.flatnonzero(below <= W).tolist()


def test_signs_of_false_items_keep_the_rate():
    """20 true items among 60; the sizes of false ones overlap theirs, and their signs are fair."""
    rng = np.random.default_rng(4)
    shares = []
    for _ in range(400):
        W = np.concatenate([rng.exponential(2.0, 20), rng.exponential(1.0, 40) * rng.choice([-1, 1], 40)])
        chosen = riata.knockoff_threshold(W, 0.2) <= W
        shares.append(chosen[20:].sum() / max(1, chosen.sum()))
    assert np.mean(shares) <= 0.2 + 2 * np.std(shares) / 20


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: riata.knockoff_threshold([1.0, np.nan]), "W must hold finite numbers"),
        (lambda: riata.knockoff_threshold([1.0, np.inf]), "W must hold finite numbers"),
        (lambda: riata.knockoff_threshold([]), "W must hold a number for each item"),
        (lambda: riata.knockoff_threshold([1.0], 0.0), "fdr must be > 0"),
        (lambda: riata.knockoff_threshold([1.0], 1.0), "fdr must be < 1"),
        (lambda: riata.knockoff_threshold([1.0], 0.1, 2), "offset must be 0 or 1, got 2"),
        (lambda: riata.knockoff_q_values([1.0], True), "offset must be 0 or 1, got True"),
        (lambda: riata.knockoff_e_values([1.0]), r"W must have shape \(draws, items\)"),
        (lambda: riata.knockoff_e_values([[np.nan]]), "W must hold finite numbers"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
