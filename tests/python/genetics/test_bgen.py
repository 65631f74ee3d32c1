"""BGEN files: expected copies of the second allele, and whose they are."""

import pickle
import sys

import numpy as np
import pytest
from genotype_files import random_copies, random_dosages, write_bgen
from numpy.testing import assert_allclose, assert_array_equal

from riata.genetics.bgen import BgenReader, read_sample
from riata.genetics.loading import load, unpack

bgen = pytest.importorskip("bgen")


def read_all(path):
    reader = BgenReader(path)
    return reader.read(np.arange(len(reader.variants)))


@pytest.mark.parametrize("bits", [1, 8, 16])
def test_hard_calls_are_exact_and_packed(tmp_path, bits):
    copies = random_copies(33, 20)
    reader = BgenReader(write_bgen(tmp_path / "x", copies, bits=bits))
    assert_array_equal(reader.read(np.arange(20)), copies)
    assert_array_equal(unpack(load(reader, np.arange(20)).packed, 33), copies)


@pytest.mark.parametrize(("bits", "atol"), [(8, 1.5 / 255), (16, 1.5 / 65535), (24, 3e-7)])
def test_expected_dosages_are_not_rounded(tmp_path, bits, atol):
    dosages = random_dosages(33, 20)
    read = read_all(write_bgen(tmp_path / "x", dosages, bits=bits))
    assert read.dtype == np.float32
    assert_allclose(read, dosages, atol=atol, rtol=0)


def test_expected_dosage_from_probabilities(tmp_path):
    probabilities = np.array([[1, 0, 0], [0.2, 0.2, 0.6], [0.4, 0.2, 0.4], [np.nan] * 3])
    with bgen.BgenWriter(str(tmp_path / "x.bgen"), 4, samples=list("abcd")) as writer:
        writer.add_variant("v", "rs1", "1", 5, ["A", "G"], probabilities)  # fifths are whole in 8 bits
    assert_allclose(read_all(tmp_path / "x.bgen")[0], [0, 1.4, 1.0, np.nan], rtol=1e-6)


def test_haploid_phased_and_many_alleles(tmp_path):
    nan = np.nan
    with bgen.BgenWriter(str(tmp_path / "x.bgen"), 4, samples=list("abcd")) as writer:
        mixed = np.array([[0.6, 0.4, nan], [0.2, 0.2, 0.6], [0, 1, nan], [nan] * 3])
        ploidy = np.array([1, 2, 1, 2], dtype=np.uint8)
        writer.add_variant("v1", "rs1", "X", 1, ["A", "G"], mixed, ploidy=ploidy)
        phased = np.array([[1, 0, 0, 1], [1, 0, 1, 0], [0, 1, 0.4, 0.6], [nan] * 4])
        writer.add_variant("v2", "rs2", "1", 2, ["A", "G"], phased, phased=True)
        # 00, 01, 11, 02, 12, 22
        many = np.array([[0.2, 0.2, 0, 0.4, 0, 0.2], [0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 1], [nan] * 6])
        writer.add_variant("v3", ".", "1", 3, ["A", "G", "T"], many)
        phased = np.array([[1, 0, 0, 0, 0, 1], [1, 0, 0, 1, 0, 0], [0, 1, 0, 0.4, 0, 0.6], [nan] * 6])
        writer.add_variant("v4", "rs4", "1", 4, ["A", "G", "T"], phased, phased=True)
        some_haploid = np.array(
            [[0.2, 0.2, 0.6, nan, nan, nan], [0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0], [nan] * 6]
        )
        writer.add_variant(
            "v5", "rs5", "X", 5, ["A", "G", "T"], some_haploid, ploidy=np.array([1, 2, 2, 2], dtype=np.uint8)
        )
    reader = BgenReader(tmp_path / "x.bgen")
    assert list(reader.variants.a1) == ["G", "G", "G,T", "G,T", "G,T"]
    assert list(reader.variants.a2) == ["A"] * 5
    assert list(reader.variants.id) == ["rs1", "rs2", "v3", "rs4", "rs5"]
    expected = [[0.8, 1.4, 2, nan], [1, 0, 1.6, nan], [1.0, 2, 2, nan], [1, 0, 1.6, nan], [1.6, 2, 0, nan]]
    assert_allclose(reader.read(np.arange(5)), expected, rtol=1e-6, atol=1e-6)


def test_more_than_two_copies_are_refused(tmp_path):
    with bgen.BgenWriter(str(tmp_path / "x.bgen"), 2, samples=list("ab")) as writer:
        writer.add_variant("v", "rs1", "1", 5, ["A", "G"], np.array([[1.0, 0, 0, 0], [0, 0, 0, 1]]), ploidy=3)
    with pytest.raises(OSError, match=r"x\.bgen: variant rs1: ploidy must be 1 or 2, got 3"):
        read_all(tmp_path / "x.bgen")


def test_tables_and_pickle(tmp_path):
    reader = BgenReader(write_bgen(tmp_path / "x", random_copies(3, 4)))
    assert reader.variants.columns == ["chrom", "id", "cm", "pos", "a1", "a2"]
    assert (reader.variants.a1[0], reader.variants.a2[0]) == ("A", "G")
    assert_array_equal(reader.variants.pos, [100, 101, 102, 103])
    assert list(reader.samples.iid) == ["i0", "i1", "i2"]
    assert list(reader.samples.fid) == ["0"] * 3
    again = pickle.loads(pickle.dumps(reader))
    assert_array_equal(again.read(np.array([2])), reader.read(np.array([2])))


def test_sample_file_beside(tmp_path):
    path = write_bgen(tmp_path / "x", random_copies(3, 4), samples=False)
    (tmp_path / "x.sample").write_text(
        "ID_1 ID_2 missing sex\n0 0 0 D\n" + "".join(f"f{i} i{i} 0 {i}\n" for i in range(3))
    )
    samples = BgenReader(path).samples
    assert list(samples.fid) == ["f0", "f1", "f2"]
    assert list(samples.iid) == ["i0", "i1", "i2"]
    assert list(samples.sex) == ["0", "1", "2"]
    other = tmp_path / "other.sample"
    other.write_text("ID missing\n0 0\na 0\nb 0\nc 0\n")
    assert list(BgenReader(path, other).samples.iid) == ["a", "b", "c"]
    assert list(read_sample(other).fid) == ["0"] * 3


def test_names_without_a_sample_file(tmp_path):
    with pytest.warns(
        UserWarning, match="holds no sample ids and x.sample is not beside it: samples are named 1 to 3"
    ):
        reader = BgenReader(write_bgen(tmp_path / "x", random_copies(3, 4), samples=False))
    assert list(reader.samples.iid) == ["1", "2", "3"]
    one = np.array([[1.0, 0, 0]] * 2)
    for names, fid, iid in (
        (["S1_S1", "S_2_S_2"], ["S1", "S_2"], ["S1", "S_2"]),
        (["S1_S1", "S1_S2"], ["0", "0"], ["S1_S1", "S1_S2"]),
    ):
        with bgen.BgenWriter(str(tmp_path / "y.bgen"), 2, samples=names) as writer:
            writer.add_variant("v", "rs1", "1", 5, ["A", "G"], one)
        samples = BgenReader(tmp_path / "y.bgen").samples
        assert (list(samples.fid), list(samples.iid)) == (fid, iid)
        (tmp_path / "y.bgen.bgi").unlink()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ID_1 ID_2 missing\n0 0 0\nf0 i0 0\n", r"x\.bgen holds 3 samples, .*x\.sample lists 1"),
        ("ID_1 ID_2 missing\n0 0 0\na a 0\nb b 0\nc c 0\n", r"names sample a a where .*x\.bgen has i0"),
        ("f0 i0\nf1 i1\nf2 i2\n", r"x\.sample: not a \.sample file"),
        ("ID_1 ID_2 missing\n0 0 0\nf0 i0\n", r"x\.sample, line 3: expected 3 fields, got 2"),
        ("ID_1 ID_2 missing\n0 0 0\n", r"x\.sample: no sample is in it"),
    ],
)
def test_sample_files_that_do_not_fit(tmp_path, text, message):
    path = write_bgen(tmp_path / "x", random_copies(3, 4))
    (tmp_path / "x.sample").write_text(text)
    with pytest.raises(ValueError, match=message):
        BgenReader(path)


@pytest.mark.parametrize("keep", [0, 10, 60, -40, -3])
def test_damaged_files(tmp_path, keep):
    path = write_bgen(tmp_path / "x", random_dosages(33, 20))
    raw = (tmp_path / "x.bgen").read_bytes()
    (tmp_path / "x.bgen").write_bytes(raw[:keep])
    with pytest.raises(OSError, match=r"x\.bgen: "):
        read_all(path)


def test_garbage_and_absent(tmp_path):
    (tmp_path / "x.bgen").write_bytes(b"not genotypes at all, whatever the name")
    with pytest.raises(OSError, match=r"x\.bgen: cannot be read as BGEN"):
        BgenReader(tmp_path / "x.bgen")
    with pytest.raises(FileNotFoundError, match=r"y\.bgen: no such file"):
        BgenReader(tmp_path / "y.bgen")


def test_missing_package_is_named(tmp_path, monkeypatch):
    path = write_bgen(tmp_path / "x", random_copies(3, 4))
    monkeypatch.setitem(sys.modules, "bgen", None)
    with pytest.raises(
        ImportError, match=r'reading \.bgen files needs bgen: pip install "riata\[genotypes\]"'
    ):
        BgenReader(path)
