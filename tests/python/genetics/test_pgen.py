"""PLINK 2 files: what is read is what is in them, and what is wrong with them is said."""

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from genotype_files import SHARED, random_copies, random_dosages, write_pgen
from numpy.testing import assert_allclose, assert_array_equal

from riata.genetics.loading import read_copies
from riata.genetics.pgen import PgenReader, read_psam, read_pvar

pytest.importorskip("pgenlib")
zstandard = pytest.importorskip("zstandard")

needs_plink2 = pytest.mark.skipif(shutil.which("plink2") is None, reason="plink2 is not installed")
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="no shared data beside the checkout")


def read_all(path):
    reader = PgenReader(path)
    return read_copies(reader, np.arange(len(reader.variants)))


@pytest.mark.parametrize("n", [5, 64, 131])
def test_hard_calls(tmp_path, n):
    copies = random_copies(n, 30, seed=n)
    reader = PgenReader(write_pgen(tmp_path / "x", copies))
    assert reader.has_dosages is False
    assert_array_equal(read_copies(reader, np.arange(30)), copies)
    assert_array_equal(read_copies(reader, np.array([7, 3])), copies[[7, 3]])
    assert reader.read(np.array([7, 3])).dtype == np.uint8


def test_dosages_are_exact(tmp_path):
    dosages = random_dosages(41, 30)
    reader = PgenReader(write_pgen(tmp_path / "x", dosages, dosages=True))
    assert reader.has_dosages is True
    assert_array_equal(read_copies(reader, np.arange(30)), dosages)


def test_one_variant_with_dosages_among_many_without(tmp_path):
    """The header is read over its blocks of 65,536 variants."""
    copies = random_copies(3, 70_000)
    assert PgenReader(write_pgen(tmp_path / "calls", copies, dosages=True)).has_dosages is False
    copies[69_000] = 0.5
    reader = PgenReader(write_pgen(tmp_path / "one", copies, dosages=True))
    assert reader.has_dosages is True
    assert_array_equal(read_copies(reader, np.array([69_000]))[0], copies[69_000])


def test_tables(tmp_path):
    reader = PgenReader(write_pgen(tmp_path / "x", random_copies(4, 3)))
    assert reader.variants.columns == ["chrom", "id", "cm", "pos", "a1", "a2"]
    assert (reader.variants.a1[0], reader.variants.a2[0]) == ("A", "G")
    assert_array_equal(reader.variants.pos, [100, 101, 102])
    assert reader.samples.columns == ["fid", "iid", "father", "mother", "sex", "phenotype", "weight"]
    assert list(reader.samples.sex) == ["1", "2", "1", "2"]
    assert list(reader.samples.phenotype) == list(reader.samples.weight) == ["0.0", "0.5", "1.0", "1.5"]
    again = pickle.loads(pickle.dumps(reader))
    assert_array_equal(again.read(np.array([1])), reader.read(np.array([1])))


def test_bim_and_fam_serve_too(tmp_path):
    copies = random_copies(4, 2)
    path = write_pgen(tmp_path / "x", copies)
    (tmp_path / "x.pvar").unlink()
    (tmp_path / "x.psam").unlink()
    (tmp_path / "x.bim").write_text("1 rs0 0.5 10 A G\n1 rs1 0.6 20 A G\n")
    (tmp_path / "x.fam").write_text("".join(f"f i{i} 0 0 1 -9\n" for i in range(4)))
    assert_array_equal(read_all(path), copies)
    assert list(PgenReader(path).variants.cm) == [0.5, 0.6]


def test_compressed_pvar(tmp_path):
    path = write_pgen(tmp_path / "x", random_copies(4, 3))
    plain = tmp_path / "x.pvar"
    before = PgenReader(path).variants
    (tmp_path / "x.pvar.zst").write_bytes(zstandard.compress(plain.read_bytes()))
    plain.unlink()
    assert list(PgenReader(path).variants.id) == list(before.id)


def test_pvar_columns_are_found_by_name(tmp_path):
    pvar = tmp_path / "x.pvar"
    pvar.write_text("##a b c\n#CHROM\tPOS\tID\tREF\tALT\tINFO\tCM\nX\t7\trs1\tG\tA,T\tAF=1;B\t2.5\n")
    table = read_pvar(pvar)
    assert [table[name][0] for name in table.columns] == ["X", "rs1", 2.5, 7, "A,T", "G"]
    pvar.write_text("X rs1 7 A G\n")
    table = read_pvar(pvar)
    assert [table[name][0] for name in table.columns] == ["X", "rs1", 0.0, 7, "A", "G"]


def test_psam_without_families(tmp_path):
    psam = tmp_path / "x.psam"
    psam.write_text("##note\n#IID SEX\na M\nb 2\nc NA\n")
    table = read_psam(psam)
    assert list(table.iid) == ["a", "b", "c"]
    assert list(table.fid) == ["0"] * 3
    assert list(table.sex) == ["1", "2", "0"]
    assert list(table.phenotype) == ["NA"] * 3
    psam.write_text("f a 0 0 1 5\n")
    assert read_psam(psam).phenotype[0] == "5"


def test_several_alternate_alleles_count_together(tmp_path):
    import pgenlib

    alleles = np.array([[0, 0], [0, 1], [0, 2], [1, 2], [2, 2], [-9, -9]], dtype=np.int32)
    path = write_pgen(tmp_path / "x", random_copies(6, 1))
    with pgenlib.PgenWriter(path.encode(), 6, variant_ct=1, nonref_flags=False, allele_ct_limit=3) as writer:
        writer.append_alleles(alleles.ravel(), allele_ct=3)
    (tmp_path / "x.pvar").write_text("#CHROM\tPOS\tID\tREF\tALT\n1\t5\trs1\tA\tC,T\n")
    assert PgenReader(path).variants.a1[0] == "C,T"
    assert_array_equal(read_all(path)[0], [0, 1, 1, 2, 2, np.nan])


def damage(name):
    def change(tmp_path):
        path = tmp_path / "x.pgen"
        raw = path.read_bytes()
        if name == "garbage":
            path.write_bytes(b"not genotypes at all")
        elif name == "bed":
            path.write_bytes(b"\x6c\x1b\x01" + raw[3:])
        elif name == "tiny":
            path.write_bytes(raw[:8])
        elif name == "cut":
            path.write_bytes(raw[:-3])
        elif name == "absent":
            path.unlink()
        elif name == "no .pvar":
            (tmp_path / "x.pvar").unlink()

    return change


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("garbage", r"not a \.pgen file"),
        ("bed", r"PLINK 1 \.bed file under the name of a \.pgen"),
        ("tiny", "too few"),
        ("cut", "damaged or cut short"),
        ("absent", "no such file"),
        ("no .pvar", r"x\.pvar: no such file .*\.pvar\.zst, \.bim"),
    ],
)
def test_damaged_files(tmp_path, what, message):
    path = write_pgen(tmp_path / "x", random_copies(50, 20))
    damage(what)(tmp_path)
    with pytest.raises(OSError, match=message) as error:
        read_all(path)
    assert "x.p" in str(error.value)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("x.psam", "#IID\na\nb\n", r"x\.pgen holds 4 samples, .*x\.psam lists 2: .* belong together"),
        ("x.psam", "#SID\na\n", r"x\.psam, line 1: it must begin with #FID IID or #IID"),
        ("x.psam", "#IID SEX\na\n", r"x\.psam, line 2: expected 2 fields, got 1"),
        ("x.psam", "#IID SEX\n", r"x\.psam: no sample"),
        ("x.pvar", "#CHROM POS ID REF ALT\n1 1 a A C\n", r"x\.pgen holds 3 variants, .*x\.pvar lists 1"),
        ("x.pvar", "#CHROM POS ID REF\n", r"x\.pvar, line 1: the header lacks ALT"),
        ("x.pvar", "#CHROM POS ID REF ALT\n1 one a A C\n", r"line 2: position 'one' is not a number"),
        (
            "x.pvar",
            "#CHROM POS ID REF ALT\n1 1 a A\n",
            r"x\.pvar, line 2: expected at least 5 fields \(CHROM, POS, ID, REF, ALT\), got 4",
        ),
        ("x.pvar", "##only a comment\n", r"x\.pvar: no variant"),
        ("x.pvar", "chromosome\n", r"x\.pvar, line 1: expected a header that begins with #CHROM"),
    ],
)
def test_malformed_tables(tmp_path, file, text, message):
    path = write_pgen(tmp_path / "x", random_copies(4, 3))
    (tmp_path / file).write_text(text)
    with pytest.raises(ValueError, match=message):
        PgenReader(path)


def test_missing_package_is_named(tmp_path, monkeypatch):
    path = write_pgen(tmp_path / "x", random_copies(4, 3))
    monkeypatch.setitem(sys.modules, "pgenlib", None)
    with pytest.raises(
        ImportError, match=r'reading \.pgen files needs Pgenlib: pip install "riata\[genotypes\]"'
    ):
        PgenReader(path)


@needs_plink2
def test_frequencies_are_those_of_plink2(tmp_path):
    path = write_pgen(tmp_path / "x", random_dosages(60, 25), dosages=True)
    stem = path.removesuffix(".pgen")
    subprocess.run(["plink2", "--pfile", stem, "--freq", "--out", stem], check=True, capture_output=True)
    lines = [line.split() for line in Path(stem + ".afreq").read_text().splitlines()[1:]]
    copies = read_all(path)
    assert_allclose(np.nanmean(copies, axis=1) / 2, [float(line[4]) for line in lines], rtol=1e-5)
    assert_array_equal(2 * (~np.isnan(copies)).sum(axis=1), [int(line[5]) for line in lines])


@needs_shared
@needs_plink2
def test_thousand_genomes_counts_are_those_of_plink2(tmp_path):
    stem, out = SHARED / "kg_chr21_start", tmp_path / "kg"
    command = ["plink2", "--pfile", str(stem), "vzs", "--freq", "counts", "--nonfounders", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    reader = PgenReader(f"{stem}.pgen")
    copies = read_copies(reader, np.arange(len(reader.variants)))
    lines = [line.split() for line in Path(f"{out}.acount").read_text().splitlines()[1:]]
    assert [line[3] for line in lines] == list(reader.variants.a1)
    assert_array_equal([sum(map(int, line[4].split(","))) for line in lines], np.nansum(copies, axis=1))
    assert sorted(a for a in reader.variants.a1 if "," in a) == ["A,C", "C,G", "C,T"]
