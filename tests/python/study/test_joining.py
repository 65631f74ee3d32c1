"""Samples matched across files: headers of every kind, ids in one column or two, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support import write_plink

import riata
from riata._io.tables import expand_names, read_text_table, split_names
from riata.genetics.variant_filter import choose_variants
from riata.study.inputs import genotype_joiner
from riata.study.joining import Joiner
from riata.study.options import StudyOptions
from riata.study.response import code_response


def table(tmp_path, text, name="p.txt"):
    path = tmp_path / name
    path.write_text(text)
    return read_text_table(path)


def joiner(families=("A", "B", "B"), ids=("1", "2", "3")):
    return Joiner("x.fam", ids, families)


@pytest.mark.parametrize(
    "text",
    [
        "FID IID y\nB 2 6\nA 1 5\n",
        "#FID IID y\nB 2 6\nA 1 5\n",
        "#FID\tIID\ty\nB\t2\t6\nA\t1\t5\n",
        "#IID y\n2 6\n1 5\n",
        "IID y\n2 6\n1 5\n",
        "y iid\n6 2\n5 1\n",
        "FID,IID,y\nB,2,6\nA,1,5\n",
        "FID IID y\n0 2 6\n0 1 5\n",
    ],
)
def test_headers(tmp_path, text):
    found = table(tmp_path, text)
    rows, data = joiner().match(found)
    assert data == ["y"]
    assert_array_equal(rows, [1, 0, -1])


def test_samples_without_families(tmp_path):
    """PLINK 2 and BGEN files without FID: 0 for all, whatever the tables say."""
    rows, _ = joiner(("0", "0", "0")).match(table(tmp_path, "FID IID y\n1 1 5\n3 3 6\n"))
    assert_array_equal(rows, [0, -1, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A 1 5.5\nB 2 6.1\n", r"p\.txt: the first line must name the columns, .* it reads 'A 1 5\.5'"),
        ("1 1 5.5\n2 2 6.1\n", r"p\.txt: the first line must name each column once, it has 1"),
        ("FID IID y\n", "no rows below the header"),
        (
            "FID IID y\nC 1 5\n",
            r"no sample of x\.fam is in it; ids look like C 1 there, A 1, B 2 and 1 more here",
        ),
        ("FID IID y\nA 1 5\nB 2\n", "line 3: expected 3 cells"),
    ],
)
def test_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        joiner().match(table(tmp_path, text))


def test_table_without_header_for_a_matrix(tmp_path):
    with pytest.raises(ValueError, match=r"reads 's1 2\.5'"):
        Joiner("x.csv", ["s1", "s2"]).match(table(tmp_path, "s1 2.5\ns2 2.6\n"))


@pytest.mark.parametrize(
    "text",
    [
        "B 2\nB 3\n",
        "#FID IID\nB 2\nB 3\n",
        "#IID SID\n2 9\n3 9\n",
        "2\n3\n",
        "0 2\n0 3\n",
        "fid,iid\nB,2\nB,3\n",
        "IID\tFID\n2\tB\n3\tB\n",
        "# mine\nB 2\nB 3\n",
    ],
)
def test_lists(tmp_path, text):
    Path(tmp_path / "keep").write_text(text)
    assert_array_equal(joiner().listed(tmp_path / "keep", "--keep"), [False, True, True])


def test_dropped_samples_as_a_table():
    samples = joiner()
    samples.drop(np.array([True, False, True]), "too tall")
    samples.drop(np.array([False, False, True]), "too old")
    columns = [("FID", ["B", "A"]), ("IID", ["2", "1"]), ("REASON", ["too tall", "too old"])]
    assert samples.report.columns() == columns
    assert_array_equal(samples.finish(), [2])


@pytest.mark.parametrize(
    ("cells", "given", "values"),
    [
        (["1", "2", "0", "-9"], {"loss": "binomial", "missing_code": "0,-9"}, [0, 1, np.nan, np.nan]),
        (["-9", "2", "1", "NA"], {"loss": "binomial"}, [np.nan, 1, 0, np.nan]),
        (["-9.0", "2.0", "1"], {"loss": "binomial"}, [np.nan, 1, 0]),
        (["0", "1", "2"], {"loss": "gaussian"}, [0, 1, 2]),
    ],
)
def test_case_control_codes(cells, given, values):
    assert_array_equal(code_response(cells, "y", **given).values, values)


@pytest.mark.parametrize(
    ("cells", "loss", "message"),
    [
        (["1", "1", "NA"], "binomial", "only one class"),
        (["2", "2", "-9"], "binomial", "only one class"),
        (["0", "2", "2"], "binomial", "codes must be 0/1, 1/2 or -1/1, got 0, 2"),
        (["0", "1", "2"], None, "say --loss gaussian .* or --loss binomial --missing-code 0,-9"),
        (
            ["3", "4", "4"],
            "binomial",
            "0/1, 1/2 or -1/1, got 3, 4; of other codes --case names the one to model",
        ),
    ],
)
def test_case_control_codes_refused(cells, loss, message):
    with pytest.raises(ValueError, match=message):
        code_response(cells, "y", loss=loss)


@pytest.mark.parametrize(
    ("families", "text", "note"),
    [
        (
            "ABB",
            "FID IID y\n0 2 6\n0 1 5\n",
            "p.txt: samples are matched by IID alone, FID is 0 throughout p.txt",
        ),
        (
            "000",
            "FID IID y\nB 2 6\nA 1 5\n",
            "p.txt: samples are matched by IID alone, FID is 0 throughout x.fam",
        ),
        ("ABB", "FID IID y\nB 2 6\nA 1 5\n", None),
        ("000", "FID IID y\n0 2 6\n0 1 5\n", None),
        ("ABB", "IID y\n2 6\n1 5\n", None),
        ("A0B", "FID IID y\n0 2 6\nA 1 5\n", None),
    ],
)
def test_matching_by_iid_alone_is_told_where_one_side_has_families(tmp_path, families, text, note):
    samples = joiner(families)
    rows, _ = samples.match(table(tmp_path, text))
    assert_array_equal(rows, [1, 0, -1])
    assert samples.report.notes == ([note] if note else [])
    listed = joiner(families)
    (tmp_path / "p.txt").write_text("\n".join(line.rsplit(" ", 1)[0] for line in text.splitlines()))
    assert_array_equal(listed.listed(tmp_path / "p.txt", "--keep"), [True, True, False])
    assert listed.report.notes == ([note] if note else [])


def test_samples_of_a_table_have_no_families_to_tell_of(tmp_path):
    samples = Joiner("x.csv", ["1", "2", "3"])
    rows, _ = samples.match(table(tmp_path, "FID IID y\nB 2 6\nA 1 5\n"))
    assert_array_equal(rows, [1, 0, -1])
    (tmp_path / "keep").write_text("FID IID\nB 2\n")
    assert_array_equal(samples.listed(tmp_path / "keep", "--keep"), [False, True, False])
    for text in ("B 2\n", "2 B\n", "2\n", "2 2\n", "IID FID\n2 3\n"):
        (tmp_path / "keep").write_text(text)
        assert_array_equal(samples.listed(tmp_path / "keep", "--keep"), [False, True, False])
    (tmp_path / "keep").write_text("1 2\n1 3\n")
    with pytest.raises(
        ValueError, match="keep: names of samples are in both its columns; put a header above"
    ):
        samples.listed(tmp_path / "keep", "--keep")
    assert samples.report.notes == []


@pytest.mark.parametrize("flag", ["--keep", "--remove"])
def test_lists_that_name_nobody_are_refused_and_partly_found_ones_told(tmp_path, flag):
    path = tmp_path / "list"
    path.write_text("X 1\nX 2\n")
    with pytest.raises(
        ValueError,
        match=rf"list: {flag} names no sample of x\.fam; ids look like X 1, X 2 there, A 1, B 2 and 1 more",
    ):
        joiner().listed(path, flag)
    path.write_text("#FID IID\n")
    with pytest.raises(ValueError, match=rf"list: the list of {flag} is empty"):
        joiner().listed(path, flag)
    path.write_text("B 2\nX 9\nA 9\nX 9\n")
    samples = joiner()
    assert_array_equal(samples.listed(path, flag), [False, True, False])
    assert (f"ignored: in list ({flag}) only", 2, "X 9, A 9") in samples.report.rows()


def test_samples_of_one_name_in_several_families(tmp_path):
    """By FID and IID they are found; by IID alone they are refused, whichever side repeats it."""
    twins = joiner("AB", ("1", "1"))
    rows, _ = twins.match(table(tmp_path, "FID IID y\nB 1 6\nA 1 5\n"))
    assert_array_equal(rows, [1, 0])
    (tmp_path / "keep").write_text("1\n")
    with pytest.raises(ValueError, match="keep: needs FID and IID, since IID 1 appears twice"):
        twins.listed(tmp_path / "keep", "--keep")
    with pytest.raises(ValueError, match=r"line 3: sample 1 appears more than once"):
        joiner("00", ("1", "2")).match(table(tmp_path, "FID IID y\nB 1 6\nA 1 5\n"))


COLUMNS = ["age", "PC1", "PC2", "PC3", "HLA-A", "a-b-c", "a", "c"]


@pytest.mark.parametrize(
    ("names", "expanded"),
    [
        ("PC1-PC3", ["PC1", "PC2", "PC3"]),
        ("age,PC2-PC3", ["age", "PC2", "PC3"]),
        ("PC2-PC2", ["PC2"]),
        ("HLA-A,a-b-c", ["HLA-A", "a-b-c"]),
        ("PC3-HLA-A", ["PC3", "HLA-A"]),
        ("HLA-A-a", ["HLA-A", "a-b-c", "a"]),
        ("a-c", ["a", "c"]),
        ("pc1-pc3,x-y", ["pc1-pc3", "x-y"]),  # no columns: refused by whoever looks for them
    ],
)
def test_ranges_of_columns(names, expanded):
    assert expand_names(split_names(names), COLUMNS, "--covar-name") == expanded


def test_ranges_the_wrong_way_round_and_names_with_commas():
    with pytest.raises(ValueError, match="--covar-name: column PC3 of PC3-PC1 stands after column PC1"):
        expand_names(["PC3-PC1"], COLUMNS, "--covar-name")
    assert split_names('"a, b", c,"d ""e"""') == ["a, b", "c", 'd "e"']
    assert split_names(" a ,, b,") == ["a", "b"]
    with pytest.raises(ValueError, match="a quote that opens a cell is not closed"):
        split_names('"a,b')


@pytest.mark.parametrize(
    "text",
    [
        "f1 i1\nf3 i3\n",
        "f1\ti1\textra\nf3\ti3\textra\n",
        "#FID IID\nf1 i1\nf3 i3\nf9 i9\n",
        "#FID\tIID\nf1\ti1\nf3\ti3\n\n",
        "  f1   i1\n f3 i3\n",
        "f1 i1\nf1 i1\nf3 i3\n",
        "f1 i1\r\nf3 i3\r\n",
        "f1 i3\nf3 i3\nf1 i1\n",
    ],
)
def test_lists_keep_whom_plink_keeps(tmp_path, plink2, text):
    prefix = write_plink(tmp_path / "t", np.random.default_rng(0).integers(0, 3, (5, 4)).astype(float))
    prefix = prefix.removesuffix(".bed")
    (tmp_path / "list").write_bytes(text.encode())
    samples = genotype_joiner(riata.open_genotypes(prefix))
    for flag in ("--keep", "--remove"):
        plink2("--bfile", prefix, flag, tmp_path / "list", "--write-samples")
        theirs = read_text_table(tmp_path / "out.id").column("IID")
        named = samples.listed(tmp_path / "list", flag)
        assert [f"i{k}" for k in np.flatnonzero(named if flag == "--keep" else ~named)] == theirs


@pytest.mark.parametrize(
    "text",
    [
        "rs0\nrs2\n",
        "rs0 rs2\n",
        "rs0\trs2 rs9\n",
        "\nrs0\r\nrs2\r\n",
        "ID BETA\nrs0 1\nrs2 2\n",
        "rs2\nrs0\nrs2\n",
    ],
)
def test_lists_take_the_variants_that_plink_takes(tmp_path, plink2, text):
    prefix = write_plink(tmp_path / "t", np.random.default_rng(0).integers(0, 3, (5, 4)).astype(float))
    prefix = prefix.removesuffix(".bed")
    (tmp_path / "list").write_bytes(text.encode())
    for flag in ("--extract", "--exclude"):
        plink2("--bfile", prefix, flag, tmp_path / "list", "--write-snplist")
        theirs = (tmp_path / "out.snplist").read_text().split()
        asked = StudyOptions(bfile=prefix, **{flag[2:]: str(tmp_path / "list")})
        assert list(choose_variants(riata.open_genotypes(prefix), asked, []).geno.variants.id) == theirs
