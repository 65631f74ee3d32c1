"""Samples matched across files: headers of every kind, ids in one column or two, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from riata.joining import Joiner
from riata.response import code_response
from riata.tables import read_text_table


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
        (["0", "2", "2"], "binomial", "codes must be 0/1 or 1/2, got 0, 2"),
        (["0", "1", "2"], None, "say --loss gaussian .* or --loss binomial --missing-code 0,-9"),
        (["3", "4", "4"], "binomial", "0/1 or 1/2, got 3, 4; of other codes --case names the one to model"),
    ],
)
def test_case_control_codes_refused(cells, loss, message):
    with pytest.raises(ValueError, match=message):
        code_response(cells, "y", loss=loss)
