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
