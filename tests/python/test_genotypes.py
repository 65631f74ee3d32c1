"""PLINK filesets: what opening, counting and decoding give, and what a damaged one says."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import riata
from riata.genotypes import read_bim, read_fam

DATA = Path(__file__).parents[1] / "data" / "genotypes"


def decode(path, n, p):
    """Copies of A1 straight from the format's definition, NaN for missing."""
    meaning = {0b00: 2.0, 0b01: np.nan, 0b10: 1.0, 0b11: 0.0}
    raw, stride = Path(path).read_bytes()[3:], -(-n // 4)
    X = np.empty((n, p))
    for j in range(p):
        for i in range(n):
            X[i, j] = meaning[raw[j * stride + i // 4] >> (2 * (i % 4)) & 3]
    return X


@pytest.fixture
def geno():
    return riata.open_genotypes(DATA / "tiny.bed")


@pytest.fixture
def copy(tmp_path):
    for suffix in ("bed", "bim", "fam"):
        shutil.copy(DATA / f"tiny.{suffix}", tmp_path / f"tiny.{suffix}")
    return tmp_path / "tiny"


def test_tables(geno):
    assert geno.shape == (46, 60)
    assert len(geno) == 46
    assert geno.variants.columns == ["chrom", "id", "cm", "pos", "a1", "a2"]
    assert geno.variants.id[0] == "rs1"
    assert geno.variants.pos.dtype == np.int64
    assert geno.samples.iid[1] == "S2"
    assert geno.samples.fid[1] == "F1"
    assert "46 samples x 60 variants" in repr(geno)
    frame = geno.variants.to_frame()
    assert list(frame.columns) == geno.variants.columns
    assert frame.a1[4] == "AT"


@pytest.mark.parametrize("counted", ["A1", "A2"])
def test_decoding_matches_the_format(counted):
    geno = riata.open_genotypes(str(DATA / "tiny"), counted_allele=counted)
    X = decode(DATA / "tiny.bed", 46, 60)
    if counted == "A2":
        X = 2.0 - X
    assert_array_equal(geno.to_numpy(), X)
    assert_array_equal(geno.to_numpy([5, 2]), X[:, [5, 2]])
    assert_array_equal(geno.to_numpy(["rs3", "rs60"]), X[:, [2, 59]])
    assert geno.effect_allele[0] == ("A" if counted == "A1" else "G")
    assert geno.other_allele[0] == ("G" if counted == "A1" else "A")


def test_counts_and_frequencies(geno):
    X = geno.to_numpy()
    counts = geno.counts()
    for k in range(3):
        assert_array_equal(counts[:, k], np.equal(X, k).sum(axis=0))
    assert_array_equal(counts[:, 3], np.isnan(X).sum(axis=0))
    called = np.arange(60) != 8
    assert_allclose(geno.allele_frequency()[called], np.nanmean(X[:, called], axis=0) / 2)
    assert np.isnan(geno.allele_frequency()[8])
    assert geno.missing_rate()[8] == 1.0
    assert_array_equal(np.flatnonzero(geno.monomorphic()), [6, 8])


def test_subset_is_a_view(geno):
    X = geno.to_numpy()
    rows = np.array([7, 3, 40, 12])
    some = geno.subset(samples=rows)
    assert some.shape == (4, 60)
    assert list(some.samples.iid) == ["S8", "S4", "S41", "S13"]
    assert_array_equal(some.to_numpy(), X[rows])
    assert_array_equal(some.counts()[:, 3], np.isnan(X[rows]).sum(axis=0))
    both = some.subset(samples=[True, False, True, False], variants=["rs5", "rs2"])
    assert_array_equal(both.to_numpy(), X[np.ix_([7, 40], [4, 1])])
    assert_array_equal(both.counts()[:, 2], (X[np.ix_([7, 40], [4, 1])] == 2).sum(axis=0))
    assert_array_equal(geno.subset(samples=["S2", "S1"]).to_numpy(), X[[1, 0]])


def test_pickle(geno):
    some = geno.subset(samples=[3, 1, 2])
    some.counts()
    again = pickle.loads(pickle.dumps(some))
    assert_array_equal(again.to_numpy(), some.to_numpy())
    assert_array_equal(again.counts(), some.counts())
    assert list(again.variants.id) == list(geno.variants.id)


def test_design_holds_imputed_counts(geno):
    rows = np.array([4, 9, 10, 30, 31])
    design, index = geno.subset(samples=rows)._design()
    assert_array_equal(index, rows)
    X = decode(DATA / "tiny.bed", 46, 60)
    used = X[rows]
    called = ~np.isnan(used)
    mean = np.where(called, used, 0).sum(axis=0) / np.maximum(called.sum(axis=0), 1)
    dense = design.gather(np.arange(60))
    assert_allclose(dense[rows], np.where(called, used, mean))


def test_fit_on_genotypes_is_the_fit_on_decoded_numbers(geno):
    rng = np.random.default_rng(3)
    rows = rng.permutation(46)[:31]
    some = geno.subset(samples=rows)
    X = some.to_numpy()
    X = np.where(np.isnan(X), np.nan_to_num(np.nanmean(np.where(np.isnan(X).all(0), 0, X), axis=0)), X)
    y = X[:, 2] - X[:, 14] + rng.standard_normal(31)
    mine = riata.fit_path(some, y, alphas=15, tol=1e-10)
    dense = riata.fit_path(np.asfortranarray(X), y, alphas=15, tol=1e-10)
    assert_allclose(mine.alphas, dense.alphas, rtol=1e-12)
    assert_allclose(mine.coefs.toarray(), dense.coefs.toarray(), atol=1e-6)
    assert_allclose(mine.predict(some, mine.alphas[5]), dense.predict(X, mine.alphas[5]), atol=1e-6)


@pytest.mark.parametrize(
    ("chosen", "error", "message"),
    [
        ({"samples": [0, 46]}, ValueError, r"samples positions must lie in \[0, 46\)"),
        ({"samples": [1, 1]}, ValueError, "distinct"),
        ({"samples": ["S1", "nobody"]}, ValueError, "samples not in the file: nobody"),
        ({"samples": [True, False]}, ValueError, "must have 46 entries, got 2"),
        ({"variants": [0.5]}, TypeError, "variants must be a boolean mask"),
        ({"variants": [[1]]}, ValueError, "one-dimensional"),
    ],
)
def test_bad_subsets(geno, chosen, error, message):
    with pytest.raises(error, match=message):
        geno.subset(**chosen)


def test_variant_subsets_are_not_fitted(geno):
    with pytest.raises(ValueError, match="exclude="):
        riata.fit_path(geno.subset(variants=[1, 2, 3]), np.arange(46.0))


def test_bad_counted_allele():
    with pytest.raises(ValueError, match="counted_allele must be 'A1' or 'A2', got 'minor'"):
        riata.open_genotypes(DATA / "tiny", counted_allele="minor")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: raw[:-1], "722 bytes, but 46 samples"),
        (lambda raw: raw + b"\x00", "724 bytes"),
        (lambda raw: raw[:2] + b"\x00" + raw[3:], "sample-major"),
        (lambda raw: b"PK\x03" + raw[3:], "not a PLINK 1 .bed file.*50 4b 03"),
        (lambda raw: b"", "not a PLINK 1 .bed file"),
    ],
)
def test_damaged_bed(copy, damage, message):
    bed = Path(f"{copy}.bed")
    bed.write_bytes(damage(bed.read_bytes()))
    with pytest.raises(OSError, match=message):
        riata.open_genotypes(copy)


@pytest.mark.parametrize("suffix", ["bed", "bim", "fam"])
def test_missing_file(copy, suffix):
    Path(f"{copy}.{suffix}").unlink()
    with pytest.raises(FileNotFoundError, match=rf"tiny\.{suffix}: no such file"):
        riata.open_genotypes(copy)


def test_sample_count_must_match(copy):
    fam = Path(f"{copy}.fam")
    fam.write_text("".join(fam.read_text().splitlines(keepends=True)[:-3]))
    with pytest.raises(OSError, match="43 samples"):
        riata.open_genotypes(copy)


def test_malformed_lines_are_named(copy):
    bim, fam = Path(f"{copy}.bim"), Path(f"{copy}.fam")
    lines = bim.read_text().splitlines()
    bim.write_text("\n".join([*lines[:4], "1 rs5 0 5000 A", *lines[5:]]))
    with pytest.raises(ValueError, match=r"tiny\.bim, line 5: expected 6 fields .*got 5"):
        read_bim(bim)
    bim.write_text("\n".join([*lines[:6], "1 rs7 0 here A G", *lines[7:]]))
    with pytest.raises(ValueError, match=r"tiny\.bim, line 7: position 'here' is not a number"):
        read_bim(bim)
    fam.write_text("F1 S1 0 0 1\n")
    with pytest.raises(ValueError, match=r"tiny\.fam, line 1: expected 6 fields .*got 5"):
        read_fam(fam)
    fam.write_text("")
    with pytest.raises(ValueError, match="empty"):
        read_fam(fam)
