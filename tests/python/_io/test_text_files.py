"""One table in every dress: packed, encoded and parted as programs write it, or refused by what is wrong."""

import bz2
import gzip
import lzma
import sys
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import write_plink

import riata
from riata._io.tables import parse_numbers, read_list, read_text_table
from riata._io.text_files import is_comment
from riata.cli.parser import main
from riata.study.feature_sets import read_sets
from riata.study.joining import Joiner
from riata.study.loading import load_study
from riata.study.matrices import read_matrix
from riata.study.options import StudyOptions


def rows_of(table):
    return [list(row) for row in zip(*(table.column(name) for name in table.header), strict=True)]


HEADER = ["FID", "IID", "trait"]
ROWS = [[f"F{i}", f"I{i}", str(i / 4)] for i in range(1, 80)]


def parted(by, *, before="", header=None, end="\n"):
    return before + "".join(by.join(row) + end for row in [header or HEADER, *ROWS])


def quoted(by, names=False):
    lines = [by.join(f'"{name}"' for name in HEADER)]
    for k, (fid, iid, value) in enumerate(ROWS, 1):
        lines.append(by.join([*([f'"{k}"'] if names else []), f'"{fid}"', f'"{iid}"', value]))
    return "\n".join(lines) + "\n"


DRESSES = {
    "blanks": parted(" "),
    "tabs": parted("\t"),
    "commas": parted(","),
    "comma and blank": parted(", "),
    "semicolons": parted(";"),
    "runs of blanks": parted("   "),
    "blanks before": "  " + parted(" ").replace("\n", "\n  "),
    "header with tabs, rows with blanks": "\t".join(HEADER) + parted(" ")[len("FID IID trait") :],
    "blanks and tabs mixed": parted(" ").replace("IID trait", "IID \t trait").replace("F7 ", "F7\t"),
    "only the last blank is a tab": "".join(f"{a} {b}\t{c}\n" for a, b, c in [HEADER, *ROWS]),
    "quotes": quoted(" "),
    "quotes and tabs": quoted("\t"),
    "quotes and commas": quoted(","),
    "quotes, comma and blank": quoted(", "),
    "row names of R": quoted(" ", names=True),
    "row names of R and tabs": quoted("\t", names=True),
    "row names of R without quotes": quoted(" ", names=True).replace('"', ""),
    "row names of pandas": parted(",", before="").replace("FID", ",FID").replace("\nF", "\n0,F"),
    "a tab at the end of rows": parted("\t", end="\t\n").replace("trait\t\n", "trait\n"),
    "a tab at the end of every line": parted("\t", end="\t\n"),
    "commas at the end, and lines of them": parted(",", end=",,\n") + ",,,,\n,,,,\n",
    "blank lines": parted("\t") + "\n\t\t\n  \n",
    "lines end as in Windows": parted("\t", end="\r\n"),
    "lines end as in old Macs": parted("\t", end="\r"),
    "# before the header": parted("\t", header=["#FID", "IID", "trait"]),
    "comments": parted("\t", before="##one\n# two, of four words\n#three=3\n#four words here\n"),
}
WRITERS = {
    "utf-8": str.encode,
    "utf-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16 of the other order": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "utf-32": lambda text: text.encode("utf-32"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "gzip, in two members": lambda text: (
        gzip.compress(text[:99].encode()) + gzip.compress(text[99:].encode())
    ),
    "gzip of utf-16": lambda text: gzip.compress(text.encode("utf-16")),
    "bzip2": lambda text: bz2.compress(text.encode()),
    "xz": lambda text: lzma.compress(text.encode()),
}


@pytest.mark.parametrize("dress", sorted(DRESSES))
def test_dresses(tmp_path, dress):
    for name in ("t.txt", "t.csv", "t.tsv", "t"):
        path = tmp_path / name
        path.write_bytes(DRESSES[dress].encode())
        table = read_text_table(path)
        joiner = Joiner("x.fam", [iid for _, iid, _ in ROWS], [fid for fid, _, _ in ROWS])
        rows, data = joiner.match(table)
        assert data == ["trait"]
        assert_array_equal(rows, np.arange(len(ROWS)))
        assert table.column("trait") == [value for _, _, value in ROWS]


@pytest.mark.parametrize("writer", sorted(WRITERS))
@pytest.mark.parametrize("name", ["t.txt", "t.csv.gz"])
def test_packed_and_encoded(tmp_path, writer, name):
    path = tmp_path / name
    path.write_bytes(WRITERS[writer](parted(",")))
    table = read_text_table(path)
    assert table.header == HEADER
    assert rows_of(table) == ROWS
    assert list(table.lines) == list(range(2, len(ROWS) + 2))


def test_zstd(tmp_path, monkeypatch):
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "t.txt"
    text = parted("\t").encode()
    path.write_bytes(zstandard.compress(text[:400]) + zstandard.compress(text[400:]))  # as pzstd writes
    assert rows_of(read_text_table(path)) == ROWS
    whole = zstandard.ZstdCompressor(write_checksum=True).compress(text)
    for packed in (whole[:-4], whole[:-30], whole[:12], whole[:-9] + b"x" + whole[-8:], whole + b"x"):
        path.write_bytes(packed)
        with pytest.raises(OSError, match=r"t\.txt: cannot be decompressed"):
            read_text_table(path)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(ImportError, match=r't\.txt: is packed with zstd, .*pip install "riata\[genotypes\]"'):
        read_text_table(path)


def test_tables_of_one_column_and_of_empty_cells(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("IID\nI1\nI2\n")
    assert rows_of(read_text_table(path)) == [["I1"], ["I2"]]
    path.write_text("IID\ta trait\tb\nI1\t\t2\nI2\tx y\t\nI3\t\t\n")
    assert rows_of(read_text_table(path)) == [["I1", "", "2"], ["I2", "x y", ""], ["I3", "", ""]]
    path.write_text('IID,"a ""b"", c",d\nI1,"1,5",2\n')
    table = read_text_table(path)
    assert table.header == ["IID", 'a "b", c', "d"]
    assert rows_of(table) == [["I1", "1,5", "2"]]


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", ValueError, r"t\.txt: the file is empty"),
        (b"# only\n## comments\n", ValueError, r"t\.txt: the file is empty"),
        (
            b"IID y\nI1 1\nI2\n",
            ValueError,
            r"line 3: expected 2 cells .*, got 1 \(with blanks between cells\)",
        ),
        (b"IID\ty\tz\nI1\t1\t\nI2 2 3\n", ValueError, r"line 3: .* got 1 \(with tabs between cells\)"),
        (b"IID,y\nI1,1,\nI2,2,3\n", ValueError, r"line 3: .* got 3 \(with commas between cells\)"),
        (b"IID age\nI1 30 2.5\nI2 31 2.6\n", ValueError, r"line 2: expected 2 cells .*, got 3"),
        (b"IID y y\nI1 1 2\n", ValueError, r"name each column once, it has y more than once"),
        (b'IID y\nI1 "1\n', ValueError, r"line 2: a quote that opens a cell is not closed"),
        (b'IID\ty\nI1\t"1\n', ValueError, r"line 2: a quote that opens a cell is not closed"),
        (b"IID y\nI1 1\nI2 \0\n", ValueError, r"t\.txt, line 3: holds a NUL byte"),
        ("IID y\n".encode("utf-16-le"), ValueError, r"line 1: holds a NUL byte: .*UTF-16 without its mark"),
        (b"\xff\xfeI\0I\0D\0\n", ValueError, r"t\.txt, line 1: cannot be read as utf-16"),
        (b"BZh is a word\nx y\n", ValueError, r"line 2: expected 4 cells"),
        (b"PK\x03\x04 whatever", ValueError, r"t\.txt: a zip archive or a spreadsheet"),
        (gzip.compress(parted("\t").encode())[:-30], OSError, r"t\.txt: cannot be decompressed"),
        (gzip.compress(b"IID y\n", mtime=0)[:5], OSError, r"t\.txt: cannot be decompressed"),
    ],
)
def test_refused(tmp_path, content, error, message):
    path = tmp_path / "t.txt"
    path.write_bytes(content)
    with pytest.raises(error, match=message):
        read_text_table(path)


def test_names_that_are_not_utf_8_stay_apart_and_match(tmp_path):
    """Latin-1, as Windows programs write: two labels are two, and ids are the same in every file."""
    path = tmp_path / "t.txt"
    path.write_bytes("IID city\nAnna Malmö\nBjörn Malmå\n".encode("latin-1"))
    table = read_text_table(path)
    assert rows_of(table) == [["Anna", "Malmö"], ["Björn", "Malmå"]]
    prefix = write_plink(tmp_path / "t", np.array([[0.0, 1], [1, 0], [2, 1]])).removesuffix(".bed")
    names = ["Björn", "Zoë", "Anna"]
    fam = "".join(f"0 {name} 0 0 0 -9\n" for name in names)
    for of_fam in ("utf-8", "latin-1"):
        (tmp_path / "t.fam").write_bytes(fam.encode(of_fam))
        for of_table in ("utf-8", "latin-1", "utf-16"):
            path.write_bytes("".join(["IID y\n", *(f"{n} {len(n)}\n" for n in names)]).encode(of_table))
            study = load_study(StudyOptions(bfile=prefix, pheno=str(path), loss="gaussian"))
            assert list(study.samples.iid) == names
            assert_array_equal(study.y, [5, 3, 4])


def test_headers_that_could_be_comments(tmp_path):
    """#word word: a header when it names as many columns as the rows have, and no other header follows."""
    path = tmp_path / "t.txt"
    path.write_text("#patient g1 g2\ns1 1 2\ns2 3 4\n")
    table = read_matrix(path)
    assert list(table.feature_names) == ["g1", "g2"]
    assert list(table.sample_ids) == ["s1", "s2"]
    path.write_text("#made by us\nFID IID y\nF1 I1 3\n")
    assert rows_of(read_text_table(path)) == [["F1", "I1", "3"]]
    path.write_text("#made by us, twice\n#as told\nname g1 g2\ns1 1 2\n")
    table = read_text_table(path)
    assert table.header == ["name", "g1", "g2"]
    assert table.comments == ["#made by us, twice", "#as told"]


def test_comments_are_told_from_headers():
    for line in ("#FID IID", "#IID\ty", "#ID\tA1", "#CHROM POS", "#\tg1\tg2", "#my\tg1", "FID IID", ""):
        assert not is_comment(line)
    for line in ("##FID IID", "# FID IID", "#made by me", "#pgs_id=PGS1", "#"):
        assert is_comment(line) or line == "#"


def test_only_what_reads_as_a_number_everywhere_is_one(tmp_path):
    """Python alone reads 1_2 as 12: as a label it is none."""
    with pytest.raises(ValueError, match=r"x, line 7: '1_2' is not a number"):
        parse_numbers(["3", "1_2"], "x", [6, 7])
    (tmp_path / "t.csv").write_text("id,a,b\ns1,1,1_2\ns2,2,2_2\n")
    table = read_matrix(tmp_path / "t.csv")
    assert list(table.feature_names) == ["a"]
    assert table.text == {"b": ["1_2", "2_2"]}


def test_lists(tmp_path):
    path = tmp_path / "list"
    words = {"id", "iid"}
    path.write_text("rs1\n\nrs2 more\n")
    assert read_list(path, words) == ([], [["rs1"], ["rs2", "more"]])
    path.write_text("#note=1\nCHROM\tPOS\tID\tREASON\n1\t5\trs1\tall calls missing\n")
    assert read_list(path, words)[0] == ["chrom", "pos", "id", "reason"]
    assert read_list(path, words)[1] == [["1", "5", "rs1", "all calls missing"]]
    path.write_bytes(gzip.compress(b'"IID","x"\n"I1",2\n'))
    assert read_list(path, words) == (["iid", "x"], [["I1", "2"]])
    path.write_text("1:100:A:C,G\n1:200:A:T\n")  # a comma may belong to an id
    assert read_list(path, words)[1] == [["1:100:A:C,G"], ["1:200:A:T"]]
    (tmp_path / "list.csv").write_text("F1,I1\nF2,I2\n")
    assert read_list(tmp_path / "list.csv", words)[1] == [["F1", "I1"], ["F2", "I2"]]


def test_groups_are_read_by_the_same_rules(tmp_path):
    path = tmp_path / "groups.txt"
    for content in (
        b"rs1 A\nrs2 B\nrs3 A\n",
        b"rs1\tA\t\nrs2\tB\t\nrs3\tA\t\n",
        b"# mine\nrs1, A\nrs2, B\nrs3, A\n",
        gzip.compress(b'"rs1" "A"\n"rs2" "B"\n"rs3" "A"\n'),
        "rs1\tA\nrs2\tB\nrs3\tA\n".encode("utf-16"),
    ):
        path.write_bytes(content)
        listed = read_sets(path)
        names = list(listed.numbers)
        groups = {group: [names[k] for k in members] for group, members in listed.members.items()}
        assert groups == {"A": ["rs1", "rs3"], "B": ["rs2"]}


RAW = "FID IID PAT MAT SEX PHENOTYPE rs0_A rs1_A(/G) rs1_HET\n"


@pytest.mark.parametrize(("name", "by"), [("t.raw", " "), ("t.raw", "\t"), ("t.tsv", "\t"), ("t.txt", " ")])
def test_additive_tables_of_plink(tmp_path, name, by):
    """FID and IID name the samples; none of the six leading columns is a feature, PHENOTYPE a response."""
    path = tmp_path / name
    rows = [(k % 2, k, 0, 0, 1 + k % 2, k / 2, k % 3, (k + 1) % 3, int(k % 3 == 1)) for k in range(1, 9)]
    path.write_text((RAW + "".join(" ".join(map(str, row)) + "\n" for row in rows)).replace(" ", by))
    table = read_matrix(path)
    assert list(table.feature_names) == ["rs0_A", "rs1_A(/G)", "rs1_HET"]
    assert_array_equal(table.X, [row[6:] for row in rows])
    assert list(table.families) == [str(row[0]) for row in rows]
    assert list(table.sample_ids) == [str(row[1]) for row in rows]
    study = load_study(StudyOptions(matrix=str(path), target="PHENOTYPE"))
    assert_array_equal(study.y, [row[5] for row in rows])
    assert study.feature_names == ["rs0_A", "rs1_A(/G)", "rs1_HET"]
    told = "; PAT, MAT, SEX, PHENOTYPE are those of a PLINK .raw: no features"
    assert any(told in note for note in study.join.notes)
    assert any("1 feature whose name ends in _HET" in note for note in study.join.notes)
    pheno = tmp_path / "p.txt"
    pheno.write_text("FID IID y\n" + "".join(f"{row[0]} {row[1]} {10 - row[1]}\n" for row in rows))
    study = load_study(StudyOptions(matrix=str(path), pheno=str(pheno)))
    assert_array_equal(study.y, [10 - row[1] for row in rows])
    assert list(study.samples.fid) == [str(row[0]) for row in rows]


def test_an_additive_table_is_scored_by_its_own_ids(tmp_path):
    path = tmp_path / "t.raw"
    rng = np.random.default_rng(0)
    G = rng.integers(0, 3, (40, 3))
    rows = [f"f{k % 3} i{k // 3} 0 0 0 {G[k, 0] + 0.1 * rng.standard_normal():.4f}" for k in range(40)]
    cells = [" ".join([row, *map(str, g)]) for row, g in zip(rows, G, strict=True)]
    path.write_text("\n".join([RAW.strip(), *cells]))
    out = str(tmp_path / "m")
    source = ["--matrix", str(path), "--quiet", "--out"]
    assert main(["fit", "--target", "PHENOTYPE", "--alpha", "0.1", *source, out]) == 0
    assert main(["predict", "--model", f"{out}.path.npz", *source, str(tmp_path / "q")]) == 0
    scores = read_text_table(tmp_path / "q.scores.tsv")
    assert scores.header[:2] == ["FID", "IID"]
    assert [row[:2] for row in rows_of(scores)] == [row.split()[:2] for row in rows]
    hits = read_text_table(tmp_path / "m.hits.tsv")
    assert set(hits.column("FEATURE")) <= {"rs0_A", "rs1_A(/G)", "rs1_HET"}


def test_columns_of_text_may_begin_with_missing_cells(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,g,kind\ns1,1,NA\ns2,2,yes\ns3,3,no\n")
    assert read_matrix(path).text == {"kind": ["NA", "yes", "no"]}


@pytest.mark.parametrize("suffix", ["raw", "parquet"])
def test_an_additive_table_fits_as_its_genotypes_do(tmp_path, plink1, suffix):
    """PLINK writes it; numeric ids, sex and phenotype beside the genotypes change nothing."""
    pandas = pytest.importorskip("pandas")
    rng = np.random.default_rng(5)
    dosage = rng.binomial(2, 0.3, (50, 12)).astype(float)
    prefix = write_plink(tmp_path / "t", dosage).removesuffix(".bed")
    y = dosage[:, 2] - dosage[:, 7] + 0.3 * rng.standard_normal(50)
    fam = "".join(f"{k + 1} {k + 1} 0 0 {1 + k % 2} {value:.5f}\n" for k, value in enumerate(y))
    (tmp_path / "t.fam").write_text(fam)
    plink1("--bfile", prefix, "--recode", "A")
    path = tmp_path / "out.raw"
    if suffix == "parquet":
        path = tmp_path / "out.parquet"
        pandas.read_csv(tmp_path / "out.raw", sep=" ").to_parquet(path)
    there = load_study(StudyOptions(matrix=str(path), target="PHENOTYPE"))
    here = load_study(StudyOptions(bfile=prefix))
    assert there.feature_names == [f"rs{j}_A" for j in range(12)]
    assert list(there.samples.iid) == list(here.samples.iid)
    assert_allclose(there.y, here.y, rtol=1e-5)  # PLINK writes six digits
    y = here.y
    paths = [riata.fit_path(s.X, y, alphas=[0.2, 0.05], tol=1e-10) for s in (here, there)]
    assert_allclose(paths[1].coefs.toarray(), paths[0].coefs.toarray(), atol=1e-8)


def test_gaps_of_an_additive_table_point_to_the_genotypes(tmp_path):
    path = tmp_path / "t.raw"
    path.write_text(
        "FID IID PAT MAT SEX PHENOTYPE rs0_A\n"
        "1 1 0 0 1 2.5 0\n2 2 0 0 1 -9 1\n3 3 0 0 2 1.5 NA\n4 4 0 0 2 3.5 1\n"
    )
    with pytest.raises(
        ValueError,
        match=r"1 of 3 values missing, in 1 of 1 feature \(rs0_A\) and 1 of 3 .* with --bfile",
    ):
        load_study(StudyOptions(matrix=str(path), target="PHENOTYPE"))
    with pytest.raises(ValueError, match=r"t\.raw: a PLINK \.raw has one sample per row"):
        read_matrix(path, "samples-columns")


def test_missing_cells_of_typed_tables_are_missing(tmp_path):
    """None and NaN of parquet are no class None."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"g": [1.0, 2, 3, 4], "status": ["case", None, "control", "none"]})
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_matrix(tmp_path / "t.parquet")
    assert table.text == {"status": ["case", "NA", "control", "none"]}
    study = load_study(StudyOptions(matrix=str(tmp_path / "t.parquet"), target="status", loss="multinomial"))
    assert study.response.classes == ("case", "control", "none")
    assert study.n_samples == 3


def test_columns_of_one_name_are_refused_whatever_they_hold(tmp_path):
    path = tmp_path / "t.csv"
    for text in ("id,g,kind,kind\ns1,1,a,b\n", "id,g,g\ns1,1,a\n"):
        path.write_text(text)
        with pytest.raises(ValueError, match="column names must be distinct, repeated: "):
            read_matrix(path)
    path.write_text("id,s1,s2\ng,1,2\nkind,a,b\nkind,c,d\n")
    with pytest.raises(ValueError, match="line 4: feature names must be distinct, repeated: kind"):
        read_matrix(path, "samples-columns")


def wide(path, n_columns=40, end="\n"):
    """A table of more columns than are kept unasked, some cells in quotes, some not ASCII; its rows."""
    names = ["FID", "IID", *(f"P{k}" for k in range(1, n_columns + 1))]
    rows = [[f"F{i}", f"I{i}", *(f"å,{i} {k}" if k % 7 == 0 else f"{i}.{k}" for k in range(1, n_columns + 1))]
            for i in range(3000)]  # fmt: skip
    lines = [",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in [names, *rows]]
    path.write_bytes("".join(line + end for line in lines).encode())
    return names, rows


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_columns_that_are_kept_and_columns_that_are_read_again_are_the_same(tmp_path, end, packed):
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    names, rows = wide(path, end=end)
    if packed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    expected = dict(zip(names, zip(*rows, strict=True), strict=True))
    whole = read_text_table(path)
    some = read_text_table(path, wanted=["P7", "P20-P22", "no such"])
    for table in (whole, some):
        assert table.header == names
        assert list(table.lines) == list(range(2, len(rows) + 2))
        for name in ("IID", "P7", "P21", "P40", "P35"):  # the last two are read when they are asked for
            assert tuple(table.column(name)) == expected[name]


def test_a_file_that_changes_before_a_column_is_asked_for_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    wide(path)
    table = read_text_table(path, wanted=["P1"])
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    assert len(table.column("P1")) == 3000
    with pytest.raises(OSError, match=r"t\.csv: the file changed while it was read"):
        table.column("P2")


def test_every_row_is_checked_whatever_is_kept(tmp_path):
    path = tmp_path / "t.csv"
    wide(path)
    path.write_text(path.read_text() + "F,I,1\n")
    with pytest.raises(ValueError, match="line 3002: expected 42 cells"):
        read_text_table(path, wanted=["P1"])


def test_memory_goes_by_the_columns_that_are_kept(tmp_path):
    """A column of 3,000 cells of 4 or 5 letters and their offsets, not 40 of them as strings."""
    path = tmp_path / "t.csv"
    wide(path, n_columns=300)
    read_text_table(path, wanted=["P1"])
    tracemalloc.start()
    table = read_text_table(path, wanted=["P1"])
    kept = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert table.column("P1")[-1] == "2999.1"
    assert kept[0] < 400_000  # ids and P1; one string a cell of all is 50 MB
    assert kept[1] < 12_000_000
