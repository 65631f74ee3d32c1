"""Tables through the Arrow interface: the same cells in pyarrow, polars and pandas, with either maker."""

import sys
from pathlib import Path

import numpy as np
import pytest

import riata
from riata._io.tables import Table
from riata._io.text_columns import PlainColumn, coded_texts, plain_column

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")
TINY = Path(__file__).parents[2] / "data" / "genotypes" / "tiny.bed"
WORDS = ["rs1", "", "é", "rs1", "chr2:77:A:AT"]


@pytest.fixture(params=["pyarrow", "polars"])
def maker(request, monkeypatch):
    if request.param == "polars":
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    return request.param


@pytest.fixture
def table():
    return Table(
        {
            "plain": plain_column(WORDS),
            "coded": coded_texts(["not used", *WORDS])[1:],
            "object": np.array(WORDS, dtype=object),
            "wide": np.array(WORDS),
            "whole": np.arange(5),
            "number": np.array([0.5, np.nan, -1.0, np.inf, 2.0]),
            "truth": np.array([True, False, True, True, False]),
        }
    )


def test_the_cells_are_those_of_the_table(table, maker):
    frame = pl.DataFrame(table)
    assert frame.columns == table.columns
    for name in ("plain", "coded", "object", "wide"):
        assert frame[name].to_list() == WORDS
        assert frame[name].dtype == pl.String
    np.testing.assert_array_equal(frame["number"].to_numpy(), table.number)
    assert frame["whole"].to_list() == [0, 1, 2, 3, 4]
    assert frame["truth"].to_list() == table.truth.tolist()


def test_rows_and_no_rows(table, maker):
    assert pl.DataFrame(table[table.whole > 2])["plain"].to_list() == WORDS[3:]
    assert pl.DataFrame(table[table.whole > 9]).shape == (0, 7)


def test_text_that_is_not_utf_8_is_read_as_everywhere():
    data = np.frombuffer(b"Malm\xf6ok", dtype=np.uint8)
    column = PlainColumn(data, np.array([0, 5, 7], dtype=np.uint32))
    assert pa.table(Table({"city": column}))["city"].to_pylist() == column.tolist() == ["Malmö", "ok"]


def test_variants_of_files_and_of_a_fit(maker):
    geno = riata.open_genotypes(TINY)
    for found in (geno.variants, geno.samples, geno.qc()):
        frame = pl.DataFrame(found)
        assert frame.columns == found.columns
        for name in found.columns:
            assert frame[name].to_list() == pytest.approx(list(found[name]), nan_ok=True)
    y = np.random.default_rng(0).standard_normal(geno.shape[0])
    variants = riata.fit_path(geno, y, alphas=3).variants
    frame = pl.DataFrame(variants)
    assert frame["id"].to_list() == list(geno.variants.id)
    assert frame["effect_allele"].to_list() == list(geno.effect_allele)
    assert frame["feature"].to_list() == list(range(geno.shape[1]))
    assert variants.table().to_frame()["pos"].tolist() == frame["pos"].to_list()


def test_pandas_reads_it_too(table):
    pd = pytest.importorskip("pandas", minversion="3")
    assert pd.DataFrame.from_arrow(table)["plain"].tolist() == WORDS


def test_without_either(table, monkeypatch):
    for name in ("pyarrow", "polars"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'an Arrow stream needs pyarrow: pip install "riata\[parquet\]"'):
        table.__arrow_c_stream__()
