"""Knockoffs of genotypes whose haplotypes are known: chains of one haplotype, and files with phase."""

import importlib.util

import numpy as np
import pytest
from genotype_files import write_bed, write_bgen, write_pgen, write_phased_bgen
from knockoffs.haplotype_law import (
    genotypes_of,
    law_of_genotypes,
    p_value,
    random_chain,
    simulate,
    simulate_haplotypes,
    step,
    words_of,
)

import riata
from riata import _core
from riata.knockoffs import Haplotypes
from riata.knockoffs._phased_words import join, phased_words_of, split


def haplotype_words(haplotypes):
    """Words of haplotypes (samples, variants), -1 where missing, as samples of one haplotype each."""
    return words_of(np.where(haplotypes < 0, -1, 2 * haplotypes))


def interleaved(both):
    """Haplotypes (2, n, p) as (2n, p), those of one sample beside each other."""
    return both.transpose(1, 0, 2).reshape(-1, both.shape[2])


def emission(theta, allele):
    return theta if allele == 1 else 1.0 - theta if allele == 0 else np.ones(len(theta))


def expectations(chain, haplotypes):
    """Log-likelihood, expected jumps, copies and reads, from matrices of all transitions."""
    p, K = chain[1].shape
    likelihood, jumps, have, reads = 0.0, np.zeros((p, K)), np.zeros((p, K)), np.zeros((p, K))
    for sample in haplotypes:
        e = [emission(chain[2][j], sample[j]) for j in range(p)]
        f = [chain[1][0] * e[0]]
        for j in range(1, p):
            f.append((f[-1] @ step(chain, j)) * e[j])
        total, back = f[-1].sum(), np.ones(K)
        likelihood += np.log(total)
        for j in range(p - 1, -1, -1):
            visits = f[j] * back / total
            before = f[j - 1].sum() if j > 0 else 1.0
            jumps[j] += before * (1.0 - chain[0][j]) * chain[1][j] * e[j] * back / total
            if sample[j] >= 0:
                reads[j] += visits
                have[j] += visits * sample[j]
            back = step(chain, j) @ (e[j] * back)
    return likelihood, jumps, have, reads


def test_one_step_is_that_of_expectations():
    rng = np.random.default_rng(5)
    chain, n = random_chain(rng, 70, 3), 21
    H = simulate_haplotypes(rng, chain, n)[0]
    H[rng.random(H.shape) < 0.1] = -1
    likelihood, jumps, have, reads = expectations(chain, H)
    after, value = _core.step_haplotypes(haplotype_words(H), n, *chain, phased=True)
    assert abs(value / likelihood - 1.0) < 1e-6
    assert np.allclose(after[0][1:], 1.0 - jumps[1:].sum(axis=1) / n, atol=2e-5)
    assert np.allclose(after[1], jumps / jumps.sum(axis=1, keepdims=True), atol=3e-5)
    assert np.allclose(after[2], np.clip(have / reads, 1e-5, 1.0 - 1e-5), atol=2e-5)


@pytest.mark.parametrize("K", [4, 50])
def test_likelihood_never_falls(K):
    rng = np.random.default_rng(4)
    H = interleaved(simulate_haplotypes(rng, random_chain(rng, 90, 3), 37))
    H[rng.random(H.shape) < 0.05] = -1
    words = haplotype_words(H)
    chain = _core.start_haplotypes(words, 74, K, 7)
    values = []
    for _ in range(25):
        chain, value = _core.step_haplotypes(words, 74, *chain, phased=True)
        values.append(value)
    assert (np.diff(values) > -1e-6 * abs(values[0])).all()
    assert values[-1] > values[0] + 100
    assert np.allclose(chain[1].sum(axis=1), 1.0)


@pytest.mark.parametrize("K", [2, 3])
def test_a_model_is_found_again(K):
    """Up to the names of clusters, as likely as the truth; EM ends in a local optimum: the best of three."""
    rng, n = np.random.default_rng(K), 4000
    stay, landing, _ = random_chain(rng, 40, K)
    stay[1:] = 0.95
    chain = stay, 0.5 / K + 0.5 * landing, np.clip(rng.beta(0.3, 0.3, (40, K)), 0.02, 0.98)
    words, others = (haplotype_words(interleaved(simulate_haplotypes(rng, chain, n))) for _ in range(2))
    ended = []
    for seed in range(3):
        found = _core.start_haplotypes(words, 2 * n, K, seed)
        for _ in range(60):
            found, value = _core.step_haplotypes(words, 2 * n, *found, phased=True)
        ended.append((value, found))
    found = max(ended, key=lambda each: each[0])[1]
    for some, sign in ((words, 1.0), (others, -1.0)):
        truth, ours = (_core.step_haplotypes(some, 2 * n, *one, phased=True)[1] for one in (chain, found))
        assert 0.0 < sign * (ours - truth) < 2e-3 * abs(truth)


@pytest.mark.parametrize("ends", [[1, 2, 3], [2, 3]])
def test_genotypes_and_knockoffs_have_the_law_of_those_without_phase(ends):
    """Over all 27 x 27 pairs, against the enumeration that draws without phase are held to."""
    rng = np.random.default_rng(3)
    chain, n = random_chain(rng, 3, 2), 60_000
    both = simulate_haplotypes(rng, chain, n)
    drawn = _core.knock_off_haplotypes(
        haplotype_words(interleaved(both)), 2 * n, *chain, ends, np.zeros(3, np.uint8), 5, phased=True
    )
    G, number = both.sum(axis=0), np.array([9, 3, 1])
    seen = np.zeros((27, 27))
    np.add.at(seen, (G @ number, genotypes_of(join(drawn, n // 16), n) @ number), 1)
    assert p_value(seen, law_of_genotypes(chain, ends)) > 1e-4


@pytest.mark.parametrize("n", [1, 16, 70])
def test_the_same_bits_for_any_threads_and_batches(n):
    rng = np.random.default_rng(7)
    H = simulate_haplotypes(rng, random_chain(rng, 150, 4), n)[0]
    H[rng.random(H.shape) < 0.1] = -1
    words = haplotype_words(H)
    chain = _core.start_haplotypes(words, n, 5, 2)
    one, two = (_core.step_haplotypes(words, n, *chain, k, True) for k in (1, 3))
    assert one[1] == two[1]
    for a, b in zip(one[0], two[0], strict=True):
        assert np.array_equal(a, b)
    ends, fixed = np.array([40, 41, 150]), (np.arange(150) % 7 == 0).astype(np.uint8)
    drawn = [_core.knock_off_haplotypes(words, n, *one[0], ends, fixed, 9, 0, k, True) for k in (1, 3)]
    assert np.array_equal(*drawn)
    made = genotypes_of(drawn[0], n)
    assert np.array_equal(made < 0, H < 0)
    assert np.array_equal(made[:, fixed == 1], genotypes_of(words, n)[:, fixed == 1])
    if n > 16:
        assert (made != genotypes_of(words, n))[:, fixed == 0].mean() > 0.05
        later = _core.knock_off_haplotypes(words[1:], n - 16, *one[0], ends, fixed, 9, 1, 1, True)
        assert np.array_equal(drawn[0][1:], later)


@pytest.mark.parametrize("n", [1, 8, 9, 16, 37])
def test_haplotypes_beside_each_other_in_words(n):
    rng = np.random.default_rng(n)
    both = rng.integers(0, 2, (2, n, 5))
    both[:, rng.random((n, 5)) < 0.2] = -1
    G = np.where(both[0] < 0, -1, both.sum(axis=0))
    words = split(words_of(G), haplotype_words(both[0]), -(-n // 8))
    assert np.array_equal(words, haplotype_words(interleaved(both)))
    assert np.array_equal(join(words, -(-n // 16)), words_of(G))


@pytest.fixture(scope="module")
def both():
    """Haplotypes (2, n, p) of two chromosomes, calls missing, one variant that does not vary."""
    rng = np.random.default_rng(1)
    chains = [random_chain(rng, 60, 4, least=0.02) for _ in range(2)]
    for chain in chains:
        chain[0][1:] = 0.97
    out = np.concatenate([simulate_haplotypes(rng, chain, 203) for chain in chains], axis=2)
    out[:, rng.random(out.shape[1:]) < 0.02] = -1
    out[:, :, 5] = np.where(out[:, :, 5] < 0, -1, 1)
    return out


VARIANTS = [(1 + j // 60, f"rs{j}", 100 + j % 60, "A", "G") for j in range(120)]


@pytest.fixture(scope="module")
def geno(both, tmp_path_factory):
    pytest.importorskip("bgen")
    stem = tmp_path_factory.mktemp("phased") / "study"
    file = write_phased_bgen(stem, np.where(both < 0, np.nan, both).transpose(0, 2, 1), variants=VARIANTS)
    return riata.open_genotypes(file)


@pytest.fixture(scope="module")
def fitted(geno):
    return Haplotypes(n_clusters=6, n_iter=8, phased=True).fit(geno)


def counts(knockoffs):
    return knockoffs.X.to_numpy()


def test_words_are_those_of_the_file(geno, both):
    G = np.where(both[0] < 0, np.nan, both.sum(axis=0))
    assert np.array_equal(geno.to_numpy(), G, equal_nan=True)
    rows = np.array([200, 3, 77, 4, 9, 10, 150, 2, 1])
    some = geno.subset(samples=rows, variants=np.arange(100, 20, -3))
    columns, samples = np.array([7, 0, 3]), np.array([8, 2, 0])
    expected = both[:, rows[samples]][:, :, np.arange(100, 20, -3)[columns]]
    assert np.array_equal(phased_words_of(some, columns, samples), haplotype_words(interleaved(expected)))


def test_knockoffs_are_those_of_the_haplotypes(geno, fitted, both):
    chain = fitted.chains_[""][0]
    assert (np.diff(chain.log_likelihood) > 0.0).all()
    words = haplotype_words(interleaved(both[:, :, :60]))
    assert _core.step_haplotypes(words, 406, *chain.arrays, phased=True)[1] > chain.log_likelihood[-1]
    made = fitted.draw(geno)
    X, Z = geno.to_numpy(), counts(made)
    assert np.array_equal(np.isnan(X), np.isnan(Z))
    assert made.fixed[5]
    assert np.array_equal(X[:, 5], Z[:, 5], equal_nan=True)
    assert (X != Z)[:, ~made.fixed].mean() > 0.1
    assert made.check(geno).ok


def test_models_with_and_without_phase_agree(geno, fitted):
    """In what knockoffs keep of the correlations, by the ratios to what sampling explains."""
    other = Haplotypes(n_clusters=6, n_iter=8).fit(geno)
    one, two = (sampler.draw(geno) for sampler in (fitted, other))
    found = [made.check(geno) for made in (one, two)]
    for check in found:
        assert check.ratio_between < 2.0
        assert check.ratio_across < 2.0
    X = geno.to_numpy()
    same = [np.mean((counts(made) == X)[:, ~made.fixed]) for made in (one, two)]
    assert abs(same[0] - same[1]) < 0.03


def test_many_clusters_explain_what_few_do_not(tmp_path):
    """Mosaics of 60 haplotypes, which are mosaics of 8."""
    pytest.importorskip("bgen")
    rng, n, p, F = np.random.default_rng(0), 1500, 300, 60
    old, of_old = (rng.random((8, p)) < rng.beta(0.4, 0.4, p)).astype(int), rng.integers(0, 8, F)
    founders, of = np.empty((F, p), dtype=int), rng.integers(0, F, (2, n))
    for j in range(p):
        of_old = np.where(rng.random(F) < 0.08, rng.integers(0, 8, F), of_old)
        founders[:, j] = old[of_old, j]
    founders = abs(founders - (rng.random((F, p)) < 0.02))
    H = np.empty((2, p, n))
    for j in range(p):
        of = np.where(rng.random((2, n)) < 0.02, rng.integers(0, F, (2, n)), of)
        H[:, j] = founders[of, j]
    geno = riata.open_genotypes(write_phased_bgen(tmp_path / "x", H))
    few, many = (Haplotypes(n_clusters=K, phased=True, related="ok").fit(geno).draw(geno) for K in (10, 50))
    assert many.check(geno).excess < 0.05
    with pytest.warns(riata.knockoffs.KnockoffWarning):
        assert few.check(geno).excess > 0.08


def test_seeds_threads_places_and_archives(geno, fitted, tmp_path):
    groups = np.arange(120) // 4
    made = fitted.draw(geno, groups=groups, random_state=4, n_threads=1)
    again = Haplotypes(n_clusters=6, n_iter=8, phased=True).fit(geno, n_threads=3)
    assert np.array_equal(
        counts(again.draw(geno, groups=groups, random_state=4, n_threads=3)), counts(made), equal_nan=True
    )
    assert not np.array_equal(
        counts(fitted.draw(geno, groups=groups, random_state=5)), counts(made), equal_nan=True
    )
    fitted.save(tmp_path / "model.npz")
    back = Haplotypes.load(tmp_path / "model.npz")
    some = geno.subset(samples=np.arange(200, 20, -3))
    kept, written = back.draw(some), fitted.draw(some, out=tmp_path / "k.bed")
    assert np.array_equal(counts(kept), counts(written), equal_nan=True)
    assert np.array_equal(np.isnan(counts(kept)), np.isnan(some.to_numpy()))


def test_many_samples_at_a_time(geno, fitted, monkeypatch):
    whole = counts(fitted.draw(geno))
    monkeypatch.setattr("riata.knockoffs._haplotypes._WORDS_AT_ONCE", 120)
    assert np.array_equal(counts(fitted.draw(geno)), whole, equal_nan=True)


def test_the_other_allele(geno, fitted):
    other = riata.open_genotypes(geno.path, counted_allele="A2")
    twin = Haplotypes(n_clusters=6, n_iter=8, phased=True).fit(other)
    assert np.allclose(twin.chains_[""][0].allele, 1.0 - fitted.chains_[""][0].allele)
    assert np.array_equal(2.0 - counts(twin.draw(other)), counts(fitted.draw(geno)), equal_nan=True)


def test_several_alleles(tmp_path):
    """Copies of all but the first are counted together."""
    bgen = pytest.importorskip("bgen")
    nan = np.nan
    with bgen.BgenWriter(str(tmp_path / "x.bgen"), 4, samples=list("abcd")) as writer:
        many = np.array([[1, 0, 0, 0, 0, 1], [0, 1, 0, 1, 0, 0], [0, 0, 1, 0, 1, 0], [nan] * 6])
        writer.add_variant("v", "rs", "1", 4, ["A", "G", "T"], many, phased=True)
    opened = riata.open_genotypes(tmp_path / "x.bgen")
    assert np.array_equal(opened.to_numpy()[:, 0], [1, 1, 2, nan], equal_nan=True)
    alleles = np.array([[0, 1], [1, 0], [1, 1], [-1, -1]]).reshape(8, 1)
    words = phased_words_of(opened, np.array([0]), np.arange(4))
    assert np.array_equal(words, haplotype_words(alleles))


def test_what_is_refused(geno, fitted, both, tmp_path):
    bgen = pytest.importorskip("bgen")
    G = np.where(both[0] < 0, np.nan, both.sum(axis=0)).T
    plain = riata.open_genotypes(write_bgen(tmp_path / "plain", G, variants=VARIANTS))
    with pytest.raises(ValueError, match=r"plain\.bgen: variant rs0: genotypes must be phased"):
        Haplotypes(phased=True).fit(plain)
    with pytest.raises(ValueError, match=r"plain\.bgen: variant rs0: genotypes must be phased"):
        fitted.draw(plain)
    calls = riata.open_genotypes(write_bed(tmp_path / "calls", VARIANTS, G))
    with pytest.raises(ValueError, match=r"calls\.bed: phased genotypes are read from \.bgen files"):
        Haplotypes(phased=True).fit(calls)
    if importlib.util.find_spec("pgenlib"):
        calls = riata.open_genotypes(write_pgen(tmp_path / "calls", G))
        with pytest.raises(ValueError, match=r"calls\.pgen: phased genotypes are read from \.bgen files"):
            Haplotypes(phased=True).fit(calls)
    unsure = np.zeros((2, 1, 3))
    unsure[:, 0, 1] = 1 / 3, 2 / 3  # whole copies all the same
    either = riata.open_genotypes(write_phased_bgen(tmp_path / "either", unsure, bits=2))
    assert np.array_equal(either.to_numpy()[:, 0], [0, 1, 0])
    with pytest.raises(
        ValueError, match=r"either\.bgen: variant rs0: .* must be certain.* 0\.667 and 0\.333 in sample 2"
    ):
        Haplotypes(phased=True).fit(either)
    dosages = riata.open_genotypes(write_phased_bgen(tmp_path / "dosages", unsure / 2.0))
    with pytest.raises(ValueError, match="got imputed dosages"):
        Haplotypes(phased=True).fit(dosages)
    with bgen.BgenWriter(str(tmp_path / "one.bgen"), 2, samples=["a", "b"]) as writer:
        copies = np.array([[1, 0, np.nan, np.nan], [0, 1, 1, 0]])
        ploidy = np.array([1, 2], dtype=np.uint8)
        writer.add_variant("v", "rs1", "1", 1, ["A", "G"], copies, ploidy=ploidy, phased=True)
    single = riata.open_genotypes(tmp_path / "one.bgen")
    with pytest.raises(ValueError, match=r"one\.bgen: variant rs1: samples must have two haplotypes each"):
        Haplotypes(phased=True).fit(single)
    with pytest.raises(TypeError, match="phased must be True or False, got 'yes'"):
        Haplotypes(phased="yes").fit(geno)


def test_simulated_haplotypes_are_those_of_genotypes():
    chain = random_chain(np.random.default_rng(2), 5, 3)
    G, H = (make(np.random.default_rng(3), chain, 40) for make in (simulate, simulate_haplotypes))
    assert np.array_equal(H.sum(axis=0), G)
