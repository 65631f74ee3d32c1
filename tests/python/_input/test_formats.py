"""The same genotypes in .bed, .pgen and BGEN: opened the same way, and the same fit."""

import shutil

import numpy as np
import pytest
from genotype_files import SHARED, random_copies, random_dosages, write_bgen, write_pgen
from numpy.testing import assert_allclose, assert_array_equal
from support import write_plink

import riata
from riata.genetics.pgen import read_psam

pytest.importorskip("pgenlib")
pytest.importorskip("bgen")


def fit(X, y):
    return riata.fit_path(X, y, alphas=20, tol=1e-8, l1_ratio=0.9)


def same_path(a, b):
    assert_array_equal(a.alphas, b.alphas)
    assert (a.coefs != b.coefs).nnz == 0
    assert_array_equal(a.intercepts, b.intercepts)


@pytest.fixture
def three(tmp_path):
    """The same calls in three files of the same samples."""
    copies = random_copies(61, 90, missing=0.05)
    bed = write_plink(tmp_path / "bed", copies.T.astype(float))
    pgen = write_pgen(tmp_path / "pgen", copies)
    bgen = write_bgen(tmp_path / "bgen", copies)
    shutil.copy(tmp_path / "bed.fam", tmp_path / "pgen.fam")
    (tmp_path / "pgen.psam").unlink()
    rows = "".join(f"f{i} i{i} 0\n" for i in range(61))
    (tmp_path / "bgen.sample").write_text("ID_1 ID_2 missing\n0 0 0\n" + rows)
    return copies, [bed, pgen, bgen]


def test_three_formats_are_one_fit(three):
    copies, names = three
    y = np.random.default_rng(5).standard_normal(61) + np.nan_to_num(copies[3])
    rows = np.random.default_rng(6).permutation(61)[:50]
    for choose in (
        lambda geno: (geno, y),
        lambda geno: (geno.subset(samples=rows, variants=np.arange(3, 70)), y[rows]),
    ):
        for counted in ("A1", "REF"):
            fits = [fit(*choose(riata.open_genotypes(name, counted_allele=counted))) for name in names]
            same_path(fits[0], fits[1])
            same_path(fits[0], fits[2])


def test_views_agree(three):
    copies, names = three
    for name in names:
        geno = riata.open_genotypes(name)
        assert_array_equal(geno.to_numpy(), copies.T)
        some = geno.subset(samples=[5, 2], variants=["rs7", "rs2"])
        assert_array_equal(some.to_numpy(), copies[[7, 2]][:, [5, 2]].T)
        assert_array_equal(geno.counts()[:, 3], np.isnan(copies).sum(axis=1))
        assert_array_equal(some.counts()[:, 3], np.isnan(copies[[7, 2]][:, [5, 2]]).sum(axis=1))
        assert list(geno.qc().identical_to) == [-1] * 90
        assert geno.path == name
        assert name in geno.files


def test_files_of_several_formats_are_one_design(three):
    copies, names = three
    geno = riata.open_genotypes(names)
    assert geno.shape == (61, 270)
    assert_array_equal(geno.to_numpy(), np.vstack([copies] * 3).T)
    assert geno._design()[0].kind == "plink"


def test_prefixes_and_chromosomes(tmp_path):
    copies = random_copies(20, 30)
    write_pgen(tmp_path / "p_chr1", copies[:12])
    write_pgen(tmp_path / "p_chr2", copies[12:], chrom=2)
    assert riata.open_genotypes(tmp_path / "p_chr1").path.endswith("p_chr1.pgen")
    for name in ("p_chr@", "p_@.pgen"):
        assert_array_equal(riata.open_genotypes(tmp_path / name).to_numpy(), copies.T)
    write_bgen(tmp_path / "b1", copies[:12])
    write_bgen(tmp_path / "b2", copies[12:], chrom="02")
    rows = "".join(f"f{i} i{i} 0\n" for i in range(20))
    (tmp_path / "all.sample").write_text("ID_1 ID_2 missing\n0 0 0\n" + rows)
    geno = riata.open_genotypes(tmp_path / "b@.bgen", sample=tmp_path / "all.sample")
    assert_array_equal(geno.to_numpy(), copies.T)
    assert geno.samples.fid[3] == "f3"
    with pytest.raises(ValueError, match=r"sample is for \.bgen files, got 'x\.sample' with .*p_chr1\.pgen"):
        riata.open_genotypes(tmp_path / "p_chr1", sample="x.sample")
    with pytest.raises(FileNotFoundError, match=r"other\.pgen: no such file"):
        riata.open_genotypes(tmp_path / "other.pgen")


@pytest.mark.parametrize(
    "write", [lambda s, d: write_pgen(s, d, dosages=True), lambda s, d: write_bgen(s, d, bits=24)]
)
@pytest.mark.parametrize("counted", ["ALT", "REF"])
def test_dosages_are_fitted_as_the_same_array_is(tmp_path, write, counted):
    path = write(tmp_path / "x", random_dosages(61, 90, missing=0.05))
    geno = riata.open_genotypes(path, counted_allele=counted)
    X = geno.to_numpy()
    rows = np.random.default_rng(6).permutation(61)[:50]
    y = np.random.default_rng(5).standard_normal(61) + np.nan_to_num(X[:, 3])
    for some, used in ((geno, slice(None)), (geno.subset(samples=rows), rows)):
        mean = np.nanmean(X[used], axis=0)
        assert_allclose(some.allele_frequency(), mean / 2, rtol=1e-6)
        filled = np.where(np.isnan(X[used]), mean, X[used])
        a, b = fit(some, y[used]), fit(filled, y[used])
        assert_allclose(a.alphas, b.alphas, rtol=1e-6)
        assert_allclose(a.coefs.toarray(), b.coefs.toarray(), atol=2e-5)
        assert_array_equal(some.to_numpy(), X[used])  # also after the design was made
        assert list(some.identical_to()) == [-1] * 90
    calls = np.rint(X)
    assert_array_equal(geno.counts()[:, :3], np.stack([(calls == k).sum(axis=0) for k in range(3)], axis=1))


def test_identical_dosages(tmp_path):
    dosages = random_dosages(31, 6)
    dosages[4], dosages[5] = dosages[1], dosages[0]
    geno = riata.open_genotypes(write_pgen(tmp_path / "x", dosages, dosages=True))
    assert list(geno.identical_to()) == [-1, -1, -1, -1, 1, 0]


@pytest.mark.skipif(not SHARED.is_dir(), reason="no shared data beside the checkout")
def test_regenie_example_in_three_formats():
    stem = str(SHARED / "regenie_example")
    bed = riata.open_genotypes(f"{stem}.bed")
    pgen = riata.open_genotypes(f"{stem}.pgen")
    bgen = riata.open_genotypes(f"{stem}.bgen", counted_allele="REF")  # a1 of the .bed is its first allele
    y = np.array([float(cell) for cell in read_psam(f"{stem}.psam").phenotype])
    for other in (pgen, bgen):
        assert list(other.effect_allele) == list(bed.effect_allele)
        assert list(other.samples.iid) == list(bed.samples.iid)
        assert list(other.samples.fid) == list(bed.samples.fid)
    one = fit(bed, y)
    same_path(one, fit(pgen, y))
    turned = fit(bgen, y)  # its codes are of the other allele: equal but for rounding
    assert_allclose(turned.alphas, one.alphas, rtol=1e-12)
    assert_allclose(turned.coefs.toarray(), one.coefs.toarray(), atol=1e-9)
    assert_allclose(turned.intercepts, one.intercepts, atol=1e-9)
