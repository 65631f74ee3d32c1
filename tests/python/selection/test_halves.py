"""Halves of the samples: disjoint, balanced, whole blocks, and each pair by itself."""

import numpy as np
import pytest

from riata._input.validation import check_seed
from riata.selection.halves import draw_pair

ROWS = np.arange(101)


def test_halves_are_disjoint_and_of_half_the_samples():
    for pair in range(20):
        first, second = draw_pair(3, pair, ROWS)
        assert len(first) == len(second) == 50
        assert len(np.union1d(first, second)) == 100
        assert np.all(np.diff(first) > 0)
        assert np.all(np.diff(second) > 0)


def test_a_pair_is_the_same_in_any_order_and_others_differ():
    forward = [draw_pair(1, pair, ROWS)[0].tolist() for pair in range(5)]
    backward = [draw_pair(1, pair, ROWS)[0].tolist() for pair in reversed(range(5))]
    assert forward == backward[::-1]
    assert len({tuple(half) for half in forward}) == 5
    assert draw_pair(2, 0, ROWS)[0].tolist() != forward[0]


def test_every_sample_is_as_likely_as_another():
    """Each of 9 samples is in the first half of 2,000 pairs with probability 4/9; limits at 4.5 s.d."""
    count = np.zeros(9)
    together = np.zeros((9, 9))
    for pair in range(2000):
        first = draw_pair(0, pair, np.arange(9))[0]
        count[first] += 1
        together[np.ix_(first, first)] += 1
    sd = np.sqrt(2000 * 4 / 9 * 5 / 9)
    assert np.abs(count - 2000 * 4 / 9).max() < 4.5 * sd
    pairs = together[np.triu_indices(9, 1)]
    expected = 2000 * 4 / 9 * 3 / 8
    assert np.abs(pairs - expected).max() < 4.5 * np.sqrt(expected)


@pytest.mark.parametrize("sizes", [(50, 51), (3, 98), (7, 9, 11), (5, 6, 7, 8, 1)])
def test_classes_are_halved(sizes):
    strata = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    left_out = np.zeros(len(sizes))
    for pair in range(200):
        halves = draw_pair(0, pair, np.arange(len(strata)), strata)
        assert [len(half) for half in halves] == [len(strata) // 2] * 2
        counts = [np.bincount(strata[half], minlength=len(sizes)) for half in halves]
        assert np.abs(counts[0] - counts[1]).max() <= 1
        left_out += np.array(sizes) - counts[0] - counts[1]
    if sum(sizes) % 2:  # that of an odd class, of every such class in turn
        assert np.all((left_out > 0) == (np.array(sizes) % 2 == 1))


def test_blocks_stay_whole():
    rng = np.random.default_rng(1)
    units = rng.permutation(np.repeat(np.arange(20), rng.integers(1, 6, 20)))
    rows = np.flatnonzero(rng.random(len(units)) < 0.9)
    strata = (units % 3 == 0).astype(np.int64)
    for pair in range(30):
        first, second = draw_pair(0, pair, rows, strata, units)
        held = [set(units[half]) for half in (first, second)]
        assert not held[0] & held[1]
        assert len(held[0]) == len(held[1]) == len(np.unique(units[rows])) // 2
        assert set(first) | set(second) <= set(rows)
        for half, mine in zip((first, second), held, strict=True):
            assert np.array_equal(half, rows[np.isin(units[rows], list(mine))])
        assert abs(len(first) - len(second)) <= 10


def test_the_numbers_are_those_of_philox():
    """The first of the generator with key (seed, pair), as Random123 publishes the algorithm."""
    key = np.array([7, 2], dtype=np.uint64)
    random = np.random.Philox(key=key).random_raw(8 * 2)
    order = np.argsort(random[:8], kind="stable")
    heads = random[8:12] >= 2**63
    first = np.where(heads, order[0::2], order[1::2])
    assert draw_pair(7, 2, np.arange(8))[0].tolist() == sorted(first.tolist())


def test_seeds():
    assert check_seed(5) == 5
    assert check_seed(None) != check_seed(None)
    assert check_seed(np.random.RandomState(0)) == check_seed(np.random.RandomState(0))
    assert check_seed(np.random.default_rng(0)) == check_seed(np.random.default_rng(0))
    with pytest.raises(ValueError, match="random_state must be >= 0, got -1"):
        check_seed(-1)
