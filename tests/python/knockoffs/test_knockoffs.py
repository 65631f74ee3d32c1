"""What holds knockoffs: its groups, and files of it that are read back."""

import numpy as np
import pytest
import scipy.sparse as sp

import riata
from riata.knockoffs import Knockoffs


def test_what_it_holds():
    X = np.asfortranarray(np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32))
    made = Knockoffs(X, groups=[7, -1, 3, 7], sampler="by hand", seed=3, draw=1, info={"blocks": 2})
    assert made.shape == (6, 4)
    assert made.nbytes == X.nbytes
    assert made.labels.tolist() == [0, -1, 1, 0]
    assert (made.sampler, made.seed, made.draw, made.info) == ("by hand", 3, 1, {"blocks": 2})
    assert not made.fixed.any()
    assert repr(made) == "<riata.knockoffs.Knockoffs: 6 x 4, by hand, seed 3, draw 1>"


def test_correlation_groups_are_groups():
    X = np.random.default_rng(1).standard_normal((50, 3))
    X = np.hstack([X, X[:, :1]])
    groups = riata.correlation_groups(X, r2=0.9)
    assert Knockoffs(X, groups=groups).labels.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"X": np.zeros(3)}, "X must be 2-D"),
        ({"groups": [0, 1]}, "groups must hold a whole number for each of 3 features"),
        ({"groups": [0.5, 1, 1]}, "groups must hold a whole number for each of 3 features"),
        ({"fixed": [True]}, r"fixed must have shape \(3,\)"),
    ],
)
def test_what_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Knockoffs(**{"X": np.zeros((2, 3)), **given})


def test_numbers_are_kept_as_npy(tmp_path):
    X = np.random.default_rng(2).standard_normal((5, 3))
    Knockoffs(X).save(tmp_path / "made.npy")
    assert np.array_equal(np.load(tmp_path / "made.npy"), X)
    Knockoffs(sp.csc_array(X)).save(tmp_path / "sparse.npy")
    assert np.array_equal(np.load(tmp_path / "sparse.npy"), X)
    with pytest.raises(ValueError, match=r"path must end in \.npy"):
        Knockoffs(X).save(tmp_path / "made.bed")


def test_groups_and_what_is_fixed_are_kept_beside(tmp_path):
    rng = np.random.default_rng(3)
    groups, fixed = np.array([4, 4, -1, 0, 4]), np.array([False, True, False, True, False])
    X = rng.standard_normal((6, 5))
    Knockoffs(X, groups=groups, fixed=fixed).save(tmp_path / "made.npy")
    back = Knockoffs.load(tmp_path / "made.npy")
    assert np.array_equal(back.X, X)
    assert back.labels.tolist() == [0, 0, -1, 1, 0]
    assert back.fixed.tolist() == fixed.tolist()
    geno = riata.open_genotypes(riata.simulate_genotypes(str(tmp_path / "study"), 23, 5, seed=2))
    Knockoffs(geno, groups=groups, fixed=fixed).save(tmp_path / "of.bed")
    for allele in (None, "A2"):
        back = Knockoffs.load(tmp_path / "of.bed", counted_allele=allele)
        assert back.labels.tolist() == [0, 0, -1, 1, 0]
        assert back.fixed.tolist() == fixed.tolist()
        assert back.X.counted_allele == (allele or "A1")
    names = (tmp_path / "of.exchange.tsv").read_text().splitlines()
    assert names[0].split("\t") == ["FEATURE", "GROUP", "FIXED"]
    assert [line.split("\t")[0] for line in names[1:]] == list(geno.feature_names)
    Knockoffs(X, fixed=fixed).save(tmp_path / "made.npy")
    back = Knockoffs.load(tmp_path / "made.npy")
    assert back.labels is None
    assert back.fixed.tolist() == fixed.tolist()
    Knockoffs(X).save(tmp_path / "made.npy")  # nothing of those before remains
    assert not (tmp_path / "made.exchange.tsv").exists()
    assert Knockoffs.load(tmp_path / "made.npy").labels is None
    with pytest.raises(ValueError, match=r"path must end in \.bed or \.npy, got 'made\.npz'"):
        Knockoffs.load("made.npz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have the columns FEATURE, GROUP, FIXED"),
        ("FEATURE\tGROUP\n0\t0\n1\t0\n", "must have the columns FEATURE, GROUP, FIXED"),
        ("FEATURE\tGROUP\tFIXED\n0\t0\n", "must have the columns FEATURE, GROUP, FIXED"),
        ("FEATURE\tGROUP\tFIXED\n0\t0\tno\n1\t-2\tno\n", "line 3: feature 1 must have a number or NA"),
        ("FEATURE\tGROUP\tFIXED\n0\t0\tno\n1\t0\tmaybe\n", "got 0 and maybe"),
        ("FEATURE\tGROUP\tFIXED\n0\t0\tno\n", "must tell of the 2 features of the knockoffs beside it"),
        ("FEATURE\tGROUP\tFIXED\n1\t0\tno\n0\t0\tno\n", "must tell of the 2 features"),
    ],
)
def test_damaged_groups_are_refused(tmp_path, text, message):
    Knockoffs(np.eye(2), groups=[0, 0]).save(tmp_path / "made.npy")
    (tmp_path / "made.exchange.tsv").write_text(text)
    with pytest.raises(ValueError, match=rf"made\.exchange\.tsv.*{message}"):
        Knockoffs.load(tmp_path / "made.npy")


@pytest.mark.parametrize("allele", ["A1", "A2"])
def test_genotypes_are_kept_as_bed(tmp_path, allele):
    bed = riata.simulate_genotypes(str(tmp_path / "study"), 23, 30, missing=0.1, seed=2)
    geno = riata.open_genotypes(bed, counted_allele=allele)
    part = geno.subset(samples=[1, 4, 5, 20, 22, 7], variants=np.arange(3, 28))
    Knockoffs(part).save(tmp_path / "made.bed")
    back = riata.open_genotypes(str(tmp_path / "made.bed"), counted_allele=allele)
    np.testing.assert_array_equal(back.to_numpy(), part.to_numpy())
    assert list(back.feature_names) == list(part.feature_names)
    assert list(back.samples.iid) == list(part.samples.iid)
    assert list(back.effect_allele) == list(part.effect_allele)
    Knockoffs(geno).save(tmp_path / "whole.bed")
    assert (tmp_path / "whole.bed").read_bytes() == (tmp_path / "study.bed").read_bytes()
    with pytest.raises(ValueError, match=r"path must end in \.bed"):
        Knockoffs(geno).save(tmp_path / "made.npy")
