"""Joining files into a problem: who is kept, how responses are coded, what is refused."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from riata._io.tables import Table, read_text_table, text_array
from riata.study.joining import Joiner
from riata.study.loading import load_study
from riata.study.matrices import read_matrix
from riata.study.options import StudyOptions
from riata.study.response import code_response

DATA = Path(__file__).parents[2] / "data" / "genotypes"


def options(**given):
    files = {"bfile": str(DATA / "tiny"), "pheno": str(DATA / "tiny.phe"), "pheno_name": "height"}
    return StudyOptions(**{**files, **given})


def write(path, text):
    path.write_text(text)
    return str(path)


def test_join_drops_and_reports():
    study = load_study(options(covar=str(DATA / "tiny.cov")))
    dropped = dict(study.join.dropped)
    assert dropped == {
        "not in tiny.phe": ["F3 S6"],
        "height missing": ["F2 S4", "F6 S12", "F11 S21"],
        "a covariate is missing": ["F5 S9"],
    }
    assert study.join.n_analysed == study.n_samples == len(study.y) == 41
    only = dict(study.join.unmatched)["in tiny.phe only"]
    assert "F900 S900" in only
    assert len(only) == 19
    assert study.covariate_names == ["age", "sex"]
    assert any("batch is the same for all samples" in note for note in study.join.notes)
    assert any("-9 counts as missing (1 sample)" in note for note in study.join.notes)
    text = "\n".join(study.join.lines())
    assert "samples in tiny.fam" in text
    assert "dropped: height missing" in text
    assert study.X.shape == (41, 62)
    assert len(study.feature_names) == 62


def test_rows_line_up():
    study = load_study(options(covar=str(DATA / "tiny.cov")))
    table = read_text_table(DATA / "tiny.phe")
    keys = zip(table.column("FID"), table.column("IID"), strict=True)
    value = dict(zip(keys, table.column("height"), strict=True))
    ages = read_text_table(DATA / "tiny.cov")
    age = dict(zip(ages.column("IID"), ages.column("age"), strict=True))
    for i, (fid, iid) in enumerate(zip(study.samples.fid, study.samples.iid, strict=True)):
        assert study.y[i] == float(value[fid, iid])
        assert study.covariates[i, 0] == float(age[iid])
    assert list(study.main.samples.iid) == list(study.samples.iid)


def test_columns_of_wide_tables(tmp_path):
    """Those that options name, in whatever role, of files with far more columns than are kept."""
    rng = np.random.default_rng(0)
    width, n = 60, 30
    values = rng.integers(0, 9, (n, width)) + 0.5
    names = [f"s{i}" for i in range(n)]
    G = np.column_stack([np.arange(n), rng.standard_normal((n, 2))])
    head = "id," + ",".join(f"P{k}" for k in range(width))
    cells = [[f"{v}" for v in row] for row in values]
    for i, row in enumerate(cells):
        row[40], row[41] = ("train", "test")[i % 3 == 0], f"team {i % 4}"
    lines = [",".join([name, *row]) for name, row in zip(names[::-1], cells[::-1], strict=True)]
    pheno = write(tmp_path / "wide.csv", "\n".join([head, *lines]) + "\n")
    rows = [",".join([name, *map(str, row)]) for name, row in zip(names, G, strict=True)]
    matrix = write(tmp_path / "x.csv", "\n".join(["id,a,b,c", *rows]) + "\n")
    found = load_study(StudyOptions(
        matrix=matrix, pheno=pheno, pheno_name="P5", covar=pheno, covar_name=("P20-P22", "P59"),
        cat_covar=("P30",), split="P40", fold_groups="P41", loss="gaussian",
    ))  # fmt: skip
    train = np.arange(n) % 3 != 0
    assert_array_equal(found.y, values[train, 5])
    assert_array_equal(found.covariates[:, :4], values[train][:, [20, 21, 22, 59]])
    assert found.covariate_names[4].startswith("P30=")
    assert found.fold_column.labels.tolist() == [f"team {i % 4}" for i in np.flatnonzero(train)]
    with pytest.raises(ValueError, match=r"choose one of its columns with --pheno-name: P0, P1"):
        load_study(StudyOptions(matrix=matrix, pheno=pheno, loss="gaussian"))
    with pytest.raises(ValueError, match=r"no column 'P60'; columns are id, P0"):
        load_study(StudyOptions(matrix=matrix, pheno=pheno, pheno_name="P60", loss="gaussian"))
    with pytest.raises(ValueError, match=r"wide\.csv: column P9 of P9-P3 stands after column P3"):
        load_study(StudyOptions(
            matrix=matrix, pheno=pheno, pheno_name="P1", covar=pheno, covar_name=("P9-P3",), loss="gaussian",
        ))  # fmt: skip


def test_covariates_that_are_neither_numbers_nor_labels(tmp_path):
    site = write(tmp_path / "site.cov", "FID IID site\nF1 S1 north\nF1 S2 3\n")
    with pytest.raises(
        ValueError, match=r"site\.cov, line 2: covariate site: 'north' is not a number; if it"
    ):
        load_study(options(covar=site))
    with pytest.raises(ValueError, match=r"inf\.cov, line 2: covariate age must be finite, got 'inf'"):
        load_study(options(covar=write(tmp_path / "inf.cov", "FID IID age\nF1 S1 inf\nF1 S2 3\n")))


def test_set_aside_and_penalty_factors():
    study = load_study(options(covar=str(DATA / "tiny.cov")))
    assert study.excluded == [(6, "monomorphic"), (8, "all calls missing")]
    factor = study.penalty_factor
    assert_array_equal(np.flatnonzero(np.isinf(factor)), [6, 8])
    assert_array_equal(factor[-2:], [0.0, 0.0])


def test_variant_filters(tmp_path):
    keep = write(tmp_path / "keep.txt", "rs1\nrs2\nrs9\n")
    study = load_study(options(extract=keep))
    assert list(study.features["id"]) == ["rs1", "rs2", "rs9"]
    assert study.excluded == [(2, "all calls missing")]
    assert study.left_out == [(f"not in {keep} (--extract)", 57)]
    study = load_study(options(exclude=keep, maf=0.2, geno=0.05, hwe=0.3))
    assert study.n_features == 57
    assert {why for _, why in study.excluded} == {
        "monomorphic",
        "missing rate above 0.05",
        "minor allele frequency below 0.2",
        "Hardy-Weinberg p below 0.3",
    }
    chromosomes = list(load_study(options()).features["chrom"])
    study = load_study(options(chrom=("chr23", "1-2")))
    assert study.n_features == sum(name in ("1", "2", "X") for name in chromosomes)
    with pytest.raises(ValueError, match="none of its 1 variant ids"):
        load_study(options(extract=write(tmp_path / "none.txt", "rs999\n")))
    with pytest.raises(ValueError, match=r"no variant is left of 60: 59 not in .*; 1 in .*--exclude"):
        load_study(options(extract=write(tmp_path / "x.txt", "rs1"), exclude=keep))
    with pytest.raises(ValueError, match="no variant on chromosome 7"):
        load_study(options(chrom=("7",)))


def test_keep_and_remove(tmp_path):
    keep = write(
        tmp_path / "keep.txt", "#FID IID\n" + "".join(f"F{i // 2 + 1} S{i + 1}\n" for i in range(20))
    )
    remove = write(tmp_path / "remove.txt", "S1\nS2\n")
    study = load_study(options(keep=keep, remove=remove))
    assert set(study.samples.iid) <= {f"S{i}" for i in range(3, 21)}
    assert study.join.dropped[0][0] == "not in keep.txt (--keep)"
    assert study.join.dropped[1] == ("in remove.txt (--remove)", ["F1 S1", "F1 S2"])


def test_case_control_codings_agree():
    by_plink = load_study(options(pheno_name="disease", loss="binomial"))
    by_zero = load_study(options(pheno_name="code", loss="binomial"))
    assert_array_equal(by_plink.y, by_zero.y)
    assert by_plink.response.classes == ("1", "2")
    assert "2 = case" in by_plink.response.note


def test_fam_phenotype(tmp_path):
    for suffix in ("bed", "bim"):
        (tmp_path / f"t.{suffix}").write_bytes((DATA / f"tiny.{suffix}").read_bytes())
    lines = (DATA / "tiny.fam").read_text().splitlines()
    rows = [[*line.split()[:5], str(i * 0.5 if i > 4 else -9)] for i, line in enumerate(lines)]
    (tmp_path / "t.fam").write_text("\n".join(" ".join(row) for row in rows))
    study = load_study(StudyOptions(bfile=str(tmp_path / "t")))
    assert study.n_samples == 41
    assert_allclose(study.y, np.arange(5, 46) * 0.5)
    with pytest.raises(ValueError, match="every value is missing"):
        load_study(StudyOptions(bfile=str(DATA / "tiny")))


@pytest.mark.parametrize(
    ("cells", "given", "values", "classes"),
    [
        (["1", "2", "-9", "2"], {"loss": "binomial"}, [0, 1, np.nan, 1], ("1", "2")),
        (["0", "1", "NA", "1.0"], {"loss": "binomial"}, [0, 1, np.nan, 1], ("0", "1")),
        (
            ["ALL", "AML", "", "ALL"],
            {"loss": "binomial", "positive": "AML"},
            [0, 1, np.nan, 0],
            ("ALL", "AML"),
        ),
        (["3", "4.0", "4", "3"], {"loss": "binomial", "positive": "3"}, [1, 0, 0, 1], ("4", "3")),
        (["1000001", "1000002"], {"loss": "binomial", "positive": "1000002"}, [0, 1], ("1000001", "1000002")),
        (["b", "a"], {"loss": "binomial", "positive": "a"}, [0, 1], ("b", "a")),
        (["1.5", "nan", "-9", "3", "8"], {"loss": None}, [1.5, np.nan, np.nan, 3, 8], ()),
        (["-9", "-8", "-7", "NA"], {"loss": "gaussian", "missing_code": "NA"}, [-9, -8, -7, np.nan], ()),
        (["-9", "-8", "-7", "2"], {"loss": "gaussian", "missing_code": "-9"}, [np.nan, -8, -7, 2], ()),
        (["0", "1", "1"], {"loss": "gaussian"}, [0, 1, 1], ()),
    ],
)
def test_response_codings(cells, given, values, classes):
    response = code_response(cells, "y", **given)
    assert_array_equal(response.values, values)
    assert response.classes == classes


@pytest.mark.parametrize(
    ("cells", "given", "message"),
    [
        (["0", "1", "2"], {"loss": "binomial"}, "holds 0, 1 and 2: .* --missing-code 0,-9"),
        (["1", "1", "-9"], {"loss": "binomial"}, "only one class"),
        (["3", "4"], {"loss": "binomial"}, "codes must be 0/1, 1/2 or -1/1, got 3, 4"),
        (["a", "b", "c"], {"loss": "binomial"}, "3 classes .*needs two; got a, b, c"),
        (["a", "b"], {"loss": "binomial", "positive": "z"}, "'z' is not one of the classes a and b"),
        (["0", "1", "1"], {"loss": None}, "say --loss binomial .* or --loss gaussian"),
        (
            ["1.2", "tall"],
            {"loss": "gaussian"},
            "'tall' is not a number; for two classes use --loss binomial",
        ),
        (["a", "b"], {"loss": "binomial"}, "y: which of a and b is to be modelled. Say --case a or --case b"),
        (
            ["1", "None", "3"],
            {"loss": "gaussian"},
            "y: 'None' is not a number; .* say --missing-code None,-9",
        ),
        (["1_0", "2_0"], {"loss": "gaussian"}, "'1_0' is not a number"),
        (["1,5", "2,5", "3,5"], {"loss": "gaussian"}, "y: '1,5' is not a number; write 1.5"),
        (["NA", "-9", "."], {"loss": "gaussian"}, "every value is missing"),
        (["1", "inf", "2"], {"loss": "gaussian"}, "must be finite"),
    ],
)
def test_ambiguous_responses_are_refused(cells, given, message):
    with pytest.raises(ValueError, match=message):
        code_response(cells, "y", **given)


def test_joiner_refuses_ambiguous_samples(tmp_path):
    with pytest.raises(ValueError, match="repeated: A 1"):
        Joiner("x.fam", ["1", "1"], ["A", "A"])
    joiner = Joiner("x.fam", ["1", "1", "2"], ["A", "B", "B"])
    table = read_text_table(write(tmp_path / "p.txt", "IID y\n1 5\n2 6\n"))
    with pytest.raises(ValueError, match="needs FID and IID, since IID 1 appears twice"):
        joiner.match(table)
    table = read_text_table(write(tmp_path / "q.txt", "FID IID y\nA 1 5\nB 2 6\nA 1 7\n"))
    with pytest.raises(ValueError, match=r"q\.txt, line 4: sample A 1 appears more than once"):
        joiner.match(table)
    table = read_text_table(write(tmp_path / "r.txt", "FID IID y\nZ 1 5\n"))
    with pytest.raises(ValueError, match=r"no sample of x\.fam is in it; ids look like Z 1 there, A 1, B 1"):
        joiner.match(table)
    table = read_text_table(write(tmp_path / "s.txt", "person y\n1 5\n"))
    with pytest.raises(ValueError, match=r"must name the columns, FID and IID .* reads 'person y'"):
        joiner.match(table)


# Tables of numbers


TABLE = {
    "csv": "sample,g1,g2,relapse\ns1,1,2.5,yes\ns2,3,4,no\ns3,5,NA,yes\n",
    "tsv": "\tg1\tg2\trelapse\ns1\t1\t2.5\tyes\ns2\t3\t4\tno\ns3\t5\t\tyes\n",
    "txt": "id g1 g2 relapse\ns1 1 2.5 yes\ns2 3 4 no\ns3 5 nan yes\n",
}


@pytest.mark.parametrize("kind", sorted(TABLE))
def test_text_tables(tmp_path, kind):
    table = read_matrix(write(tmp_path / f"t.{kind}", TABLE[kind]))
    assert_array_equal(table.X, [[1, 2.5], [3, 4], [5, np.nan]])
    assert list(table.feature_names) == ["g1", "g2"]
    assert list(table.sample_ids) == ["s1", "s2", "s3"]
    assert table.text == {"relapse": ["yes", "no", "yes"]}


def test_gzip_quotes_and_orientation(tmp_path):
    import gzip

    text = 'gene;"a, b";c\ng1;1;2\ng2;3;4\ntype;x;y\n'
    with gzip.open(tmp_path / "t.csv.gz", "wt") as file:
        file.write(text)
    table = read_matrix(tmp_path / "t.csv.gz", "samples-columns")
    assert_array_equal(table.X, [[1, 3], [2, 4]])
    assert list(table.sample_ids) == ["a, b", "c"]
    assert list(table.feature_names) == ["g1", "g2"]
    assert table.text == {"type": ["x", "y"]}


def test_npz_and_parquet(tmp_path):
    pandas = pytest.importorskip("pandas")
    X = np.arange(12.0).reshape(4, 3)
    np.savez(tmp_path / "t.npz", X=X.T, feature_names=["a", "b", "c"], y=[0, 1, 1, 0])
    table = read_matrix(tmp_path / "t.npz", "samples-columns")
    assert_array_equal(table.X, X)
    assert table.pop_column("y") == ["0", "1", "1", "0"]
    np.savez(tmp_path / "u.npz", X=X, y=[0, 1, 1, 0], fold=[1, 2, 1, 2])
    study = load_study(StudyOptions(matrix=str(tmp_path / "u.npz"), target="y", loss="binomial"))
    assert study.feature_names == ["x1", "x2", "x3"]
    frame = pandas.DataFrame(X, columns=["a", "b", "c"], index=[f"s{i}" for i in range(4)])
    frame["kind"] = list("uvuv")
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_matrix(tmp_path / "t.parquet")
    assert_array_equal(table.X, X)
    assert list(table.sample_ids) == ["s0", "s1", "s2", "s3"]
    assert table.text == {"kind": list("uvuv")}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "id,a,b\ns1,1,2\ns2,1\n", r"t\.csv, line 3: expected 3 cells as in the header, got 2"),
        ("t.csv", "id,a,b\ns1,1,2\ns2,1,x\n", r"t\.csv, line 3, column 'b': 'x' is not a number"),
        ("t.csv", "id,a,a\ns1,1,2\n", "column names must be distinct, repeated: a"),
        ("t.csv", "id,a\ns1,1\ns1,2\n", "sample names must be distinct, repeated: s1"),
        ("t.csv", "", "the file is empty"),
        ("t.csv", "id,a,b\n", "no rows below the header"),
        ("t.xlsx", "id,a,b\n", "must end in .csv"),
    ],
)
def test_bad_tables(tmp_path, name, text, message):
    with pytest.raises(ValueError, match=message):
        read_matrix(write(tmp_path / name, text))


def test_matrix_study(tmp_path):
    rows = ["sample,g1,g2,flat,relapse", "s1,1,2.5,7,yes", "s2,3,4,7,no", "s3,5,6,7,yes", "s4,5,6,7,NA"]
    path = write(tmp_path / "t.csv", "\n".join(rows))
    study = load_study(StudyOptions(matrix=path, target="relapse", loss="binomial"))
    assert_array_equal(study.y, [1, 0, 1])
    assert study.response.classes == ("no", "yes")
    assert study.excluded == [(2, "constant")]
    assert list(study.samples.id) == ["s1", "s2", "s3"]
    pheno = write(tmp_path / "p.csv", "sample,bmi\ns3,30\ns1,20\ns9,1\ns2,25\n")
    study = load_study(StudyOptions(matrix=path, pheno=pheno, drop=("relapse",)))
    assert_array_equal(study.y, [20, 25, 30])
    with pytest.raises(ValueError, match="text, not numbers, in relapse"):
        load_study(StudyOptions(matrix=path, pheno=pheno))
    with pytest.raises(ValueError, match="no column 'death'"):
        load_study(StudyOptions(matrix=path, target="death"))


def test_table_behaves():
    table = Table({"id": text_array(["a", "b"]), "pos": np.array([1, 2])})
    assert table.columns == ["id", "pos"]
    assert "pos" in table
    assert table[table.pos > 1].id[0] == "b"
    with pytest.raises(AttributeError, match="no column 'chrom'; columns are id, pos"):
        _ = table.chrom
    with pytest.raises(ValueError, match="equal lengths"):
        Table({"a": np.zeros(2), "b": np.zeros(3)})


@pytest.mark.parametrize(
    ("labels", "modelled"),
    [
        (("control", "case"), "case"),
        (("Yes", "No"), "Yes"),
    ],
)
def test_words_for_cases_are_the_class_modelled(labels, modelled):
    response = code_response([*labels, labels[0]], "y", loss="binomial")
    assert response.classes[1] == modelled
    assert f"probability of {modelled} against" in response.note


def test_files_without_phenotypes_and_phenotypes_as_covariates(tmp_path):
    ids = write(tmp_path / "ids.txt", "FID IID\nF1 S1\nF1 S2\n")
    with pytest.raises(ValueError, match=r"ids\.txt: no column of a phenotype beside the ids"):
        load_study(options(pheno=ids, pheno_name=None))
    both = str(DATA / "tiny.phe")
    with pytest.raises(ValueError, match="--covar-name: height is the phenotype: leave it out"):
        load_study(options(covar=both, covar_name=("height",)))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError, match="pipe: a pipe, not a file: save it first"):
        load_study(options(pheno=str(tmp_path / "pipe")))
