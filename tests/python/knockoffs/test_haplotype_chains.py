"""Chains of haplotype clusters: the law of their knockoffs, what is drawn from it, and EM."""

import numpy as np
import pytest
from knockoffs.haplotype_law import (
    emission,
    genotypes_of,
    joint,
    law_of_genotypes,
    law_of_knockoff,
    log_likelihood,
    p_value,
    random_chain,
    simulate,
    swapped,
    words_of,
)

from riata import _core

ENDS = ([1, 2, 3, 4], [2, 4], [1, 4], [3, 4], [4])


def law_of_library(chain, ends, path, knockoff):
    each = _core.haplotype_law(*chain, ends, path, knockoff)
    return np.prod(each[np.arange(len(path)), list(knockoff)])


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("law", [law_of_knockoff, law_of_library])
def test_swaps_leave_the_joint_law_alone(law, ends):
    chain = random_chain(np.random.default_rng(1), 4, 2)
    paths, table = joint(chain, ends, law)
    assert abs(table.sum() - 1.0) < 1e-12
    for start, end in zip([0, *ends], ends, strict=False):
        assert abs(table - swapped(paths, table, start, end)).max() < 1e-12
    if ends == [2, 4]:  # parts of groups may not be swapped
        assert abs(table - swapped(paths, table, 0, 1)).max() > 1e-4


@pytest.mark.parametrize("ends", [[1, 2, 3], [2, 3], [3]])
def test_probabilities_are_those_of_the_recursion(ends):
    chain = random_chain(np.random.default_rng(2), 3, 3)
    _, table = joint(chain, ends)
    _, ours = joint(chain, ends, law_of_library)
    assert abs(table - ours).max() < 1e-12


@pytest.mark.parametrize("ends", [[1, 2, 3], [2, 3]])
def test_what_is_drawn_has_the_law(ends):
    """Genotypes beside their knockoffs, over all 27 x 27 pairs."""
    rng = np.random.default_rng(3)
    chain = random_chain(rng, 3, 2)
    n = 60_000
    G = simulate(rng, chain, n)
    drawn = _core.knock_off_haplotypes(words_of(G), n, *chain, ends, np.zeros(3, np.uint8), 5)
    number = np.array([9, 3, 1])
    seen = np.zeros((27, 27))
    np.add.at(seen, (G @ number, genotypes_of(drawn, n) @ number), 1)
    law = law_of_genotypes(chain, ends)
    assert abs(law.sum() - 1.0) < 1e-10
    assert p_value(seen, law) > 1e-4


def test_likelihood_is_that_of_all_pairs_and_never_falls():
    rng = np.random.default_rng(4)
    G = simulate(rng, random_chain(rng, 90, 3), 37)
    G[rng.random(G.shape) < 0.05] = -1
    words = words_of(G)
    chain = _core.start_haplotypes(words, 37, 4, 7)
    values = []
    for _ in range(25):
        after, value = _core.step_haplotypes(words, 37, *chain)
        values.append(value)
        if len(values) in (1, 10):
            assert abs(value / log_likelihood(chain, G) - 1.0) < 1e-6
        chain = after
    assert (np.diff(values) > -1e-6 * abs(values[0])).all()
    assert values[-1] > values[0] + 100
    assert np.allclose(chain[1].sum(axis=1), 1.0)


def test_one_step_is_that_of_expectations_over_ordered_pairs():
    rng = np.random.default_rng(5)
    chain, K, p = random_chain(rng, 6, 3), 3, 6
    G = simulate(rng, chain, 20)
    G[3, 2] = G[7, 0] = -1
    jumps, have, reads = np.zeros((p, K)), np.zeros((p, K)), np.zeros((p, K))
    stay, landing, allele = chain
    for sample in G:
        e = [emission(allele[j], sample[j]) for j in range(p)]
        f, before = [], None
        for j in range(p):
            Q = None if j == 0 else stay[j] * np.eye(K) + (1 - stay[j]) * landing[j]
            before = np.outer(landing[0], landing[0]) if j == 0 else Q.T @ f[-1] @ Q
            f.append(before * e[j])
        back = np.ones((K, K))
        total = f[-1].sum()
        for j in range(p - 1, -1, -1):
            post = f[j] * back / total
            g = e[j] * back
            if j == 0:
                jumps[0] += post.sum(axis=1)
            else:
                Q = stay[j] * np.eye(K) + (1 - stay[j]) * landing[j]
                other = Q.T @ f[j - 1].T  # of the second haplotype, before the first moves
                jumps[j] += (1 - stay[j]) * landing[j] * (g * other.sum(axis=1)[None, :]).sum(axis=1) / total
                back = Q @ g @ Q.T
            if sample[j] >= 0:
                reads[j] += post.sum(axis=1)
                if sample[j] == 2:
                    have[j] += post.sum(axis=1)
                elif sample[j] == 1:
                    share = np.outer(allele[j], 1 - allele[j])
                    have[j] += (post * share / (share + share.T)).sum(axis=1)
    after, _ = _core.step_haplotypes(words_of(G), 20, *chain)
    assert np.allclose(after[0][1:], 1.0 - jumps[1:].sum(axis=1) / 20, atol=1e-5)
    assert np.allclose(after[1], jumps / jumps.sum(axis=1, keepdims=True), atol=1e-5)
    assert np.allclose(after[2], have / reads, atol=1e-5)


@pytest.mark.parametrize("K", [2, 3])
def test_a_model_is_found_again(K):
    """Up to the names of clusters: as likely as the truth, in the samples of the fit and in others.

    EM ends in a local optimum: the best of three starts counts.
    """
    rng, n = np.random.default_rng(K), 4000
    stay, landing, _ = random_chain(rng, 40, K)
    stay[1:] = 0.95
    chain = stay, 0.5 / K + 0.5 * landing, np.clip(rng.beta(0.3, 0.3, (40, K)), 0.02, 0.98)
    words, others = (words_of(simulate(rng, chain, n)) for _ in range(2))
    ended = []
    for seed in range(3):
        found = _core.start_haplotypes(words, n, K, seed)
        for _ in range(60):
            found, value = _core.step_haplotypes(words, n, *found, n_threads=2)
        ended.append((value, found))
    found = max(ended, key=lambda each: each[0])[1]
    for some, sign in ((words, 1.0), (others, -1.0)):
        truth, ours = (_core.step_haplotypes(some, n, *one)[1] for one in (chain, found))
        assert 0.0 < sign * (ours - truth) < 2e-3 * abs(truth)


@pytest.mark.parametrize("n", [1, 16, 70])
def test_the_same_bits_for_any_threads(n):
    rng = np.random.default_rng(7)
    G = simulate(rng, random_chain(rng, 150, 4), n)
    words = words_of(G)
    chain = _core.start_haplotypes(words, n, 5, 2)
    one, two = (_core.step_haplotypes(words, n, *chain, n_threads=k) for k in (1, 3))
    assert one[1] == two[1]
    for a, b in zip(one[0], two[0], strict=True):
        assert np.array_equal(a, b)
    ends, fixed = np.array([40, 41, 150]), np.zeros(150, np.uint8)
    drawn = [_core.knock_off_haplotypes(words, n, *one[0], ends, fixed, 9, 0, k) for k in (1, 3)]
    assert np.array_equal(*drawn)


def test_batches_missing_calls_and_fixed_variants():
    rng = np.random.default_rng(8)
    G = simulate(rng, random_chain(rng, 80, 3), 48)
    G[rng.random(G.shape) < 0.1] = -1
    words = words_of(G)
    chain, _ = _core.step_haplotypes(words, 48, *_core.start_haplotypes(words, 48, 3, 1))
    fixed = (np.arange(80) % 7 == 0).astype(np.uint8)
    ends = np.arange(1, 81)
    drawn = _core.knock_off_haplotypes(words, 48, *chain, ends, fixed, 3)
    later = _core.knock_off_haplotypes(words[1:], 32, *chain, ends, fixed, 3, 1)
    assert np.array_equal(drawn[1:], later)
    made = genotypes_of(drawn, 48)
    assert np.array_equal(made < 0, G < 0)
    assert np.array_equal(made[:, fixed == 1], G[:, fixed == 1])
    assert (made != G)[:, fixed == 0].mean() > 0.05
    other = _core.knock_off_haplotypes(words, 48, *chain, ends, fixed, 4)
    assert (genotypes_of(other, 48) != made).mean() > 0.05
