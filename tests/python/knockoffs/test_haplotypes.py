"""Knockoffs of genotypes: what the sampler takes, refuses, keeps and draws."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import riata
from riata.knockoffs import Haplotypes


@pytest.fixture(scope="module")
def geno(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("haplotypes") / "study"
    return riata.open_genotypes(riata.simulate_genotypes(str(prefix), 203, 400, missing=0.01, seed=3))


@pytest.fixture(scope="module")
def fitted(geno):
    return Haplotypes(n_clusters=5, n_iter=6).fit(geno)


def counts(knockoffs):
    return knockoffs.X.to_numpy()


def test_knockoffs_are_genotypes_of_the_same_samples_and_variants(geno, fitted):
    made = fitted.draw(geno)
    assert (made.shape, made.sampler, made.seed, made.draw, made.labels) == (
        geno.shape, "haplotypes", 0, 0, None,
    )  # fmt: skip
    assert made.nbytes == 400 * 51
    assert made.X.variants is geno.variants
    X, Z = geno.to_numpy(), counts(made)
    assert np.array_equal(np.isnan(X), np.isnan(Z))
    moving = ~made.fixed
    assert np.array_equal(made.fixed, geno.monomorphic())
    frequency, theirs = (np.nanmean(table[:, moving], axis=0) for table in (X, Z))
    assert np.corrcoef(frequency, theirs)[0, 1] > 0.98
    assert (X != Z)[:, moving].mean() > 0.1


def test_neighbours_are_correlated_as_before(geno, fitted):
    made = fitted.draw(geno)
    X, Z = geno.to_numpy(), counts(made)
    ok = np.flatnonzero(~made.fixed)
    ok = ok[np.minimum(np.nanmean(X[:, ok], axis=0), 2 - np.nanmean(X[:, ok], axis=0)) > 0.2]
    X, Z = (np.where(np.isnan(table), np.nanmean(table, axis=0), table)[:, ok] for table in (X, Z))
    cor = np.corrcoef(X.T, Z.T)
    m = len(ok)
    near = [(j, j + 1) for j in range(m - 1) if ok[j] // 20 == ok[j + 1] // 20]
    ours, theirs, across = (
        np.array([cor[a + x, b + y] for a, b in near]) for x, y in ((0, 0), (m, m), (0, m))
    )
    assert np.sqrt(np.mean(ours**2)) > 0.4
    assert np.sqrt(np.mean((ours - theirs) ** 2)) < 0.2
    assert np.sqrt(np.mean((ours - across) ** 2)) < 0.2


def test_seeds_draws_threads(geno, fitted):
    groups = riata.ld_groups(geno, r2=0.3)
    made = fitted.draw(geno, groups=groups, random_state=4, draw=1, n_threads=1)
    again = fitted.draw(geno, groups=groups, random_state=4, draw=1, n_threads=3)
    assert np.array_equal(counts(made), counts(again), equal_nan=True)
    assert np.array_equal(made.labels, groups.labels)
    for other in (
        fitted.draw(geno, groups=groups, random_state=4, draw=2),
        fitted.draw(geno, groups=groups, random_state=5, draw=1),
        fitted.draw(geno, random_state=4, draw=1),
    ):
        assert not np.array_equal(counts(made), counts(other), equal_nan=True)
    twice = Haplotypes(n_clusters=5, n_iter=6).fit(geno, n_threads=3)
    assert np.array_equal(
        counts(twice.draw(geno, groups=groups, random_state=4, draw=1)), counts(made), equal_nan=True
    )


def test_some_samples_of_a_file(geno, fitted, tmp_path):
    some = geno.subset(samples=np.arange(200, 20, -3))
    made = fitted.draw(some)
    written = fitted.draw(some, out=tmp_path / "k.bed")
    assert made.X._design()[0].shape[0] == 203
    assert np.array_equal(counts(made), counts(written), equal_nan=True)
    assert list(written.X.samples.iid) == list(some.samples.iid)
    assert np.array_equal(np.isnan(counts(made)), np.isnan(some.to_numpy()))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["k.bed", "k.bim", "k.fam"]


def test_the_other_allele(geno, fitted, tmp_path):
    other = riata.open_genotypes(geno.path, counted_allele="A2")
    twin = Haplotypes(n_clusters=5, n_iter=6).fit(other)
    assert np.allclose(twin.chains_[""][0].allele, 1.0 - fitted.chains_[""][0].allele)
    assert np.array_equal(2.0 - counts(twin.draw(other)), counts(fitted.draw(geno)), equal_nan=True)
    with pytest.raises(ValueError, match="counting the same alleles"):
        fitted.draw(other)


def test_models_are_saved(geno, fitted, tmp_path):
    fitted.save(tmp_path / "model.npz")
    back = Haplotypes.load(tmp_path / "model.npz")
    assert np.array_equal(counts(back.draw(geno)), counts(fitted.draw(geno)), equal_nan=True)
    assert back.chains_[""][1].log_likelihood == fitted.chains_[""][1].log_likelihood
    np.savez(tmp_path / "other.npz", x=np.arange(3))
    with pytest.raises(ValueError, match="holds no haplotype models"):
        Haplotypes.load(tmp_path / "other.npz")


def test_populations_have_models_of_their_own(geno, tmp_path):
    strata = np.where(np.arange(203) < 80, "north", "south")
    sampler = Haplotypes(n_clusters=3, n_iter=3, strata=strata).fit(geno)
    assert sorted(sampler.chains_) == ["north", "south"]
    alone = Haplotypes(n_clusters=3, n_iter=3, strata=strata[:80]).fit(geno.subset(samples=np.arange(80)))
    assert np.array_equal(alone.chains_["north"][2].allele, sampler.chains_["north"][2].allele)
    backwards = geno.subset(samples=np.arange(202, -1, -1))
    sampler.save(tmp_path / "two.npz")
    Z = counts(Haplotypes.load(tmp_path / "two.npz").draw(backwards))
    assert np.array_equal(np.isnan(Z), np.isnan(backwards.to_numpy()))
    with pytest.raises(ValueError, match="strata told the population"):
        alone.draw(geno)


def test_progress(geno):
    seen = []
    Haplotypes(n_clusters=2, n_iter=2).fit(geno, progress=lambda *at: seen.append(at))
    assert seen == [(k, 44) for k in range(1, 45)]


def write_fastphase(prefix, chain, name):
    stay = chain.stay.copy()
    stay[0] = 0.5
    np.savetxt(f"{prefix}_rhat.txt", -np.log(stay))
    np.savetxt(f"{prefix}_alphahat.txt", chain.landing)
    np.savetxt(f"{prefix}_thetahat.txt", chain.allele)
    return name, prefix


def test_files_of_fastphase(geno, fitted, tmp_path):
    files = dict(write_fastphase(tmp_path / f"c{c.name}", c, c.name) for c in fitted.chains_[""])
    back = Haplotypes.from_fastphase(files)
    for ours, theirs in zip(back.chains_[""], fitted.chains_[""], strict=True):
        assert np.allclose(ours.allele, theirs.allele)
        assert np.allclose(ours.landing, theirs.landing, atol=1e-4)
        assert np.allclose(ours.stay, theirs.stay)
    assert back.draw(geno).shape == geno.shape
    one = geno.subset(variants=np.flatnonzero(np.asarray(geno.variants.chrom[:]) == "1"))
    single = Haplotypes.from_fastphase(files["1"])
    assert single.draw(one).shape == one.shape
    with pytest.raises(ValueError, match="must have the variants that the model is of"):
        single.draw(geno)
    (tmp_path / "c1_rhat.txt").write_text("0.1\nnought\n")
    with pytest.raises(ValueError, match=r"c1_rhat.txt: line 2 must hold numbers, got 'nought'"):
        Haplotypes.from_fastphase(files)


@pytest.mark.parametrize(
    ("chromosome", "sex", "message"),
    [
        ("X", "1", "400 on X, of which some samples have one copy"),
        ("Y", "1", "400 on Y, of which samples have one copy"),
        ("MT", "2", "400 on MT, of which samples have one copy"),
        ("0", "2", "400 without a chromosome"),
    ],
)
def test_chromosomes_of_one_copy(geno, tmp_path, chromosome, sex, message):
    other = renamed(geno, tmp_path, chromosome, sex)
    with pytest.raises(ValueError, match=message):
        Haplotypes().fit(other)


def test_x_of_women(geno, tmp_path):
    assert (
        Haplotypes(n_clusters=2, n_iter=1).fit(renamed(geno, tmp_path, "X", "2")).chains_[""][0].name == "X"
    )


def renamed(geno, tmp_path, chromosome, sex):
    prefix = geno.path.removesuffix(".bed")
    shutil.copy(prefix + ".bed", tmp_path / "r.bed")
    bim = [line.split() for line in Path(prefix + ".bim").read_text().splitlines()]
    (tmp_path / "r.bim").write_text("".join("\t".join([chromosome, *row[1:]]) + "\n" for row in bim))
    fam = [line.split() for line in Path(prefix + ".fam").read_text().splitlines()]
    (tmp_path / "r.fam").write_text("".join("\t".join([*row[:4], sex, row[5]]) + "\n" for row in fam))
    return riata.open_genotypes(tmp_path / "r.bed")


def test_groups_have_to_be_runs(geno, fitted):
    labels = np.arange(400)
    labels[[2, 7]] = 2
    with pytest.raises(ValueError, match="groups must be runs of consecutive variants"):
        fitted.draw(geno, groups=labels)
    ends = np.flatnonzero(np.asarray(geno.variants.chrom[1:] != geno.variants.chrom[:-1]))
    across = np.arange(400)
    across[ends[0] + 1] = across[ends[0]]
    with pytest.raises(ValueError, match="of one chromosome"):
        fitted.draw(geno, groups=across)


def test_a_constant_variant_parts_no_group(geno, tmp_path):
    packed = bytearray(Path(geno.path).read_bytes())
    packed[3 + 5 * 51 : 3 + 6 * 51] = b"\xff" * 50 + b"\x3f"
    other = tmp_path / "c.bed"
    other.write_bytes(bytes(packed))
    for suffix in (".bim", ".fam"):
        shutil.copy(geno.path.removesuffix(".bed") + suffix, tmp_path / f"c{suffix}")
    constant = riata.open_genotypes(other)
    labels = np.where(np.arange(400) < 10, 0, np.arange(400))
    labels[5] = 500
    made = Haplotypes(n_clusters=2, n_iter=1).fit(constant).draw(constant, groups=labels)
    assert made.fixed[5]
    assert (counts(made)[:, 5] == 0).all()


def test_what_is_refused(geno, fitted, tmp_path):
    with pytest.raises(TypeError, match=r"X must be riata\.Genotypes for haplotype models, got ndarray"):
        Haplotypes().fit(np.zeros((3, 3)))
    with pytest.raises(ValueError, match=r"must be fitted before it draws"):
        Haplotypes().draw(geno)
    with pytest.raises(ValueError, match=r"n_clusters must be >= 1, got 0"):
        Haplotypes(n_clusters=0).fit(geno)
    with pytest.raises(ValueError, match=r"strata must have a label for each of 203 samples"):
        Haplotypes(strata=["a"]).fit(geno)
    with pytest.raises(ValueError, match=r"out must end in \.bed, got"):
        fitted.draw(geno, out=str(tmp_path / "x.npy"))
    with pytest.raises(ValueError, match="400 variants that the model was fitted to"):
        fitted.draw(geno.subset(variants=np.arange(399)))
