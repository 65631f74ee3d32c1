"""Columns of text: as lists of strings in everything they can do."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from riata._io.tables import Table, concat_tables
from riata._io.text_columns import (
    CodedColumn,
    coded_column,
    coded_texts,
    differing_rows,
    join_columns,
    plain_column,
)
from riata.genetics.plink_tables import read_fields

WORDS = ["rs1", "", "chr2:77:A:AT", "é", "rs1", "x", "rs12345678901234567890", "x", "rs1"]


def coded(words):
    return coded_texts(["unused", *words])[1:]


@pytest.fixture(params=[plain_column, coded])
def make(request):
    return request.param


def test_a_column_is_a_sequence_of_strings(make):
    column = make(WORDS)
    assert len(column) == column.size == 9
    assert column.shape == (9,)
    assert list(column) == column.tolist() == WORDS
    assert [column[k] for k in range(-9, 9)] == WORDS + WORDS
    assert "é" in column
    assert "rs" not in column
    assert 3 not in column
    assert repr(column) == "<9 texts: 'rs1', '', 'chr2:77:A:AT', ...>"
    array = np.asarray(column)
    assert array.dtype == object
    assert array.tolist() == WORDS
    assert list(pickle.loads(pickle.dumps(column))) == WORDS
    for bad in (9, -10):
        with pytest.raises(IndexError):
            column[bad]
    assert list(make([])) == []


@pytest.mark.parametrize(
    "key", [slice(2, 6), slice(None, None, -2), np.array([8, 0, -1, 3]), [1, 1], np.arange(9) % 2 == 0, []]
)
def test_rows_of_a_column_are_a_column(make, key):
    some = make(WORDS)[key]
    want = np.array(WORDS, dtype=object)[np.array(key, dtype=int) if isinstance(key, list) else key]
    assert type(some) is type(make(WORDS))
    assert some.tolist() == want.tolist()


def test_bad_rows(make):
    with pytest.raises(IndexError, match="mask"):
        make(WORDS)[np.ones(3, dtype=bool)]
    with pytest.raises(IndexError):
        make(WORDS)[np.array([0, 9])]
    with pytest.raises(IndexError):
        make(WORDS)[np.array([-10])]


def test_comparisons(make):
    column, array = make(WORDS), np.array(WORDS, dtype=object)
    assert_array_equal(column == "x", array == "x")
    assert_array_equal(column != "x", array != "x")
    other = [*WORDS[:3], "e", *WORDS[4:]]
    assert_array_equal(column == other, np.arange(9) != 3)
    assert_array_equal(column != make(other), np.arange(9) == 3)
    assert_array_equal(differing_rows(column, make(other)), [3])
    assert len(differing_rows(column, make(WORDS))) == 0
    assert (column == 3) is False


def test_finding_texts(make):
    column = make(WORDS)
    first, count = column.find(["x", "nothing", "rs1", "x", ""])
    assert_array_equal(first, [5, -1, 0, 5, 1])
    assert_array_equal(count, [2, 0, 3, 2, 1])
    assert_array_equal(column.isin({"x", "rs1"}), [word in ("x", "rs1") for word in WORDS])
    assert not column.isin([]).any()
    assert_array_equal(column.repeated(), [word in WORDS[:k] for k, word in enumerate(WORDS)])


def test_many_texts_are_found():
    rng = np.random.default_rng(0)
    words = [f"v{k}" for k in rng.integers(0, 30_000, 50_000)]
    wanted = [f"v{k}" for k in rng.integers(0, 40_000, 200)]
    for column in (plain_column(words), coded(words[:2000])):
        known = column.tolist()
        place = {word: k for k, word in reversed(list(enumerate(known)))}
        first, count = column.find(wanted)
        assert_array_equal(first, [place.get(word, -1) for word in wanted])
        assert_array_equal(count, [known.count(word) for word in wanted])
        assert_array_equal(column.repeated(), [place[word] != k for k, word in enumerate(known)])


def test_coded_columns_are_as_narrow_as_they_can_be():
    for size, dtype in ((255, np.uint8), (256, np.uint16), (70_000, np.int32)):
        names = [str(k) for k in range(size)]
        column = coded_column(np.arange(size, dtype=np.int32), names)
        assert column.codes.dtype == dtype
        assert column.tolist() == names
    assert coded(WORDS)[[5, 0, 5]].unique() == ["x", "rs1"]


def test_columns_are_joined():
    for first, second in ((plain_column, plain_column), (coded, plain_column), (coded, coded), (list, coded)):
        assert join_columns([first(WORDS), second([]), second(["new", "x"])]).tolist() == [*WORDS, "new", "x"]
    assert isinstance(join_columns([coded(WORDS), coded(["a"])]), CodedColumn)
    one = Table({"id": plain_column(["a"]), "pos": np.array([1])})
    two = concat_tables([one, one[[]], one])
    assert two.id.tolist() == ["a", "a"]
    assert_array_equal(two.pos, [1, 1])


FIELDS = {"chrom": (0, "code"), "pos": (1, "integer"), "id": (2, "text"), "cm": (4, "real")}


def test_fields_are_read_from_files_and_bytes(tmp_path):
    text = b"##note\n#CHROM POS ID X CM\n1\t5\trs1\t.\t0\r\n\n  X 7 rs\xc3\xa9 . 1.5e-3 more\n1 -8 \xff . -2"
    path = tmp_path / "x.pvar"
    path.write_bytes(text)
    for source in (text, path, str(path)):
        table = read_fields(source, FIELDS, name="x.pvar", skipped_lines=2)
        assert table.columns == list(FIELDS)
        assert table.chrom.tolist() == ["1", "X", "1"]
        assert_array_equal(table.pos, [5, 7, -8])
        assert table.id.tolist() == ["rs1", "rsé", "\u00ff"]  # what is no UTF-8 is read as Latin-1
        assert_array_equal(table.cm, [0.0, 0.0015, -2.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"1 5 a . 0\n\n1 5 a\n", r"x, line 3: expected at least 5 fields \(names\), got 3"),
        (b"1 5 a . 0\n1 5x a . 0\n", "x, line 2: position '5x' is not a number"),
        (b"1 99999999999999999999 a . 0\n", "x, line 1: position '99999999999999999999' is not a number"),
        (b"1 5 a . \xff\n", "x, line 1: centimorgans '\udcff' is not a number"),
        (b"", "x: the file is empty"),
        (b" \n\r\n", "x: the file is empty"),
    ],
)
def test_bad_lines_are_named(text, message):
    with pytest.raises(ValueError, match=message):
        read_fields(text, FIELDS, name="x", field_names="names")


def test_missing_files(tmp_path):
    with pytest.raises(OSError, match=r"no\.pvar"):
        read_fields(tmp_path / "no.pvar", FIELDS, name="x")
