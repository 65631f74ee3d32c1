"""Tables as they come: which columns are ids, responses and covariates, and what names and cells may hold."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import riata
from riata.cli.parser import main
from riata.study.loading import load_study
from riata.study.matrices import read_matrix
from riata.study.options import StudyOptions

pandas = pytest.importorskip("pandas")


def run(*arguments):
    return main([str(argument) for argument in arguments])


def read(path):
    return Path(path).read_text()


def frame_of(n=60, p=8, seed=1):
    """Genes of patients, a relapse that the first decides, age and sex."""
    rng = np.random.default_rng(seed)
    frame = pandas.DataFrame(rng.standard_normal((n, p)).round(4), columns=[f"G{j}" for j in range(p)])
    frame.insert(0, "sex", rng.choice(["F", "M"], n))
    frame.insert(0, "age", rng.integers(40, 80, n))
    frame.insert(0, "patient", [f"P{i:03d}" for i in range(n)])
    frame.insert(0, "relapse", np.where(frame.G0 + 0.5 * rng.standard_normal(n) > 0, "yes", "no"))
    return frame


CV = ["cv", "--target", "relapse", "--loss", "binomial", "--alphas", 20, "--cv", 4]


# Ids


@pytest.mark.parametrize(
    ("text", "named", "ids", "features"),
    [
        ("relapse,patient,g\nyes,p1,1\nno,p2,2\n", ["relapse"], ["p1", "p2"], ["g"]),
        ("relapse,g\nyes,1\nno,2\n", ["relapse"], ["1", "2"], ["g"]),
        ("patient_id,g\n71,1\n72,2\n", [], ["71", "72"], ["g"]),
        ("Sample ID,g\n71,1\n72,2\n", [], ["71", "72"], ["g"]),
        ("id,g\n71,1\n72,2\n", ["id"], ["1", "2"], ["id", "g"]),
        ("months,died,g\n71,1,3\n72,0,4\n", ["months", "died"], ["1", "2"], ["months", "died", "g"]),
        ("a,b,c,g\np,1,2,3\nq,1,2,4\n", ["a-c"], ["1", "2"], ["b", "c", "g"]),
        ("y,IID,g\n1,7,3\n2,8,4\n", [], ["7", "8"], ["y", "g"]),
        ("grade,g\n71,1\n72,2\n", [], ["1", "2"], ["grade", "g"]),
        ("relapse,site,who,g\nyes,A,p1,1\nno,A,p2,2\nno,B,p3,5\n", [], ["p1", "p2", "p3"], ["g"]),
        ("relapse,age,who,g\nyes,50,p1,1\nno,60,p2,2\nno,70,p3,5\n", [], ["1", "2", "3"], ["age", "g"]),
    ],
)
def test_ids_are_the_first_column_that_no_option_names(tmp_path, text, named, ids, features):
    (tmp_path / "t.csv").write_text(text)
    table = read_matrix(tmp_path / "t.csv", named=named)
    assert list(table.sample_ids) == ids
    assert list(table.feature_names) == features


def test_text_that_repeats_names_no_samples(tmp_path):
    (tmp_path / "t.csv").write_text("sex,g\nF,1\nM,2\nF,3\n")
    table = read_matrix(tmp_path / "t.csv")
    assert list(table.sample_ids) == ["1", "2", "3"]
    assert table.text == {"sex": ["F", "M", "F"]}
    assert table.notes == ["no column of sample ids: samples are numbered from 1"]
    late = "".join(f"t{i % 70},{i}\n" for i in range(80))  # repeats further down
    (tmp_path / "t.csv").write_text("kind,g\n" + late)
    table = read_matrix(tmp_path / "t.csv")
    assert list(table.sample_ids) == [str(i + 1) for i in range(80)]
    assert len(table.text["kind"]) == 80
    told = "no column of sample ids: samples are numbered from 1, since column 'kind' repeats"
    assert table.notes == [told]
    (tmp_path / "t.csv").write_text("sample,g\nF,1\nM,2\nF,3\n")
    with pytest.raises(ValueError, match="sample names must be distinct, repeated: F"):
        read_matrix(tmp_path / "t.csv")


def test_a_column_of_labels_alone_has_no_ids(tmp_path, capsys):
    frame_of().to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "y.csv").write_text("y\n0\n1\n0\n")
    given = ["--matrix", tmp_path / "t.csv", "--pheno", tmp_path / "y.csv", "--pheno-name", "y"]
    assert run("cv", *given, "--out", tmp_path / "o") == 2
    told = "y.csv, line 4: sample 0 appears more than once; there is no column beside these, which are taken"
    assert told in capsys.readouterr().err


def test_new_samples_in_columns_are_told_of(tmp_path, capsys):
    frame = frame_of()
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert run(*CV, "--matrix", tmp_path / "t.csv", "--covar", "age,sex", "--out", tmp_path / "o") == 0
    genes = frame.set_index("patient")[[f"G{j}" for j in range(8)]]
    genes.T.to_csv(tmp_path / "turned.csv")
    arguments = ["predict", "--model", f"{tmp_path}/o.path.npz", "--matrix", tmp_path / "turned.csv"]
    covar = ["--covar", tmp_path / "c.csv"]
    frame[["patient", "age", "sex"]].to_csv(tmp_path / "c.csv", index=False)
    capsys.readouterr()
    assert run(*arguments, *covar, "--orient", "samples-columns", "--out", tmp_path / "p") == 0
    frame[["age", "sex"]].head(8).assign(gene=genes.columns).to_csv(tmp_path / "c.csv", index=False)
    capsys.readouterr()
    assert run(*arguments, *covar, "--out", tmp_path / "p") == 2
    assert "a row has that name: is --orient the other one" in capsys.readouterr().err


def test_a_response_in_the_first_column_is_no_id(tmp_path, capsys):
    frame_of().to_csv(tmp_path / "t.csv", index=False)
    out = tmp_path / "o"
    assert run(*CV, "--matrix", tmp_path / "t.csv", "--covar", "age,sex", "--out", out) == 0
    assert "note: sample ids from column 'patient'" in capsys.readouterr().out
    new = frame_of(seed=2)[["patient", *[f"G{j}" for j in range(8)], "sex", "age"]]
    new.to_csv(tmp_path / "new.csv", index=False)
    model = ["predict", "--model", f"{out}.path.npz"]
    assert run(*model, "--matrix", tmp_path / "new.csv", "--out", tmp_path / "p", "--quiet") == 0
    scores = pandas.read_csv(tmp_path / "p.scores.tsv", sep="\t")
    assert list(scores.ID) == list(new.patient)


@pytest.mark.parametrize("name", ["patient", None])
@pytest.mark.parametrize("suffix", ["parquet", "feather", "arrow"])
def test_an_index_saved_by_pandas_names_the_samples(tmp_path, suffix, name):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import feather

    frame = frame_of().set_index("patient")
    frame.index.name = name
    path = tmp_path / f"t.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    else:
        feather.write_feather(pyarrow.Table.from_pandas(frame), str(path))
    table = read_matrix(path, named=["relapse"])
    assert list(table.sample_ids) == [f"P{i:03d}" for i in range(60)]
    assert list(table.feature_names) == ["age", *[f"G{j}" for j in range(8)]]
    assert list(table.text) == ["relapse", "sex"]
    saved = "index 'patient' saved with the table" if name else "saved index"
    assert table.notes == [f"sample ids from the {saved}"]


def test_other_indexes_of_pandas(tmp_path):
    pytest.importorskip("pyarrow")
    frame = frame_of()
    frame.drop(columns="patient").to_parquet(tmp_path / "counted.parquet")  # an index that counts is none
    assert list(read_matrix(tmp_path / "counted.parquet", named=["relapse"]).sample_ids)[:2] == ["1", "2"]
    frame[frame.G0 > 0].drop(columns="patient").to_parquet(tmp_path / "rows.parquet")
    table = read_matrix(tmp_path / "rows.parquet", named=["relapse"])
    assert list(table.sample_ids) == [str(i) for i in np.flatnonzero(frame.G0 > 0)]
    frame["visit"] = frame.index % 2
    levels = frame.set_index(["patient", "visit"])
    levels.to_parquet(tmp_path / "levels.parquet")
    assert list(read_matrix(tmp_path / "levels.parquet").sample_ids)[:2] == ["P000:0", "P001:1"]
    frame.set_index("relapse").to_parquet(tmp_path / "y.parquet")
    table = read_matrix(tmp_path / "y.parquet", named=["relapse"])
    assert table.pop_column("relapse") == list(frame.relapse)
    assert list(table.sample_ids) == list(frame.patient)


def test_ids_of_other_files_are_no_responses_either(tmp_path, capsys):
    """The first column of a file of phenotypes, of covariates, and in predict."""
    frame = frame_of()
    frame.drop(columns=["relapse", "age", "sex"]).to_csv(tmp_path / "x.csv", index=False)
    frame[["relapse", "patient"]].to_csv(tmp_path / "y.csv", index=False)
    frame[["age", "sex", "patient"]].to_csv(tmp_path / "c.csv", index=False)
    frame[["patient", "relapse"]].to_csv(tmp_path / "y2.csv", index=False)
    frame[["patient", "age", "sex"]].to_csv(tmp_path / "c2.csv", index=False)
    for y, c, out in (("y.csv", "c.csv", "a"), ("y2.csv", "c2.csv", "b")):
        given = ["--matrix", tmp_path / "x.csv", "--pheno", tmp_path / y, "--pheno-name", "relapse"]
        given += ["--covar", tmp_path / c, "--covar-name", "age,sex"]
        assert run("cv", *CV[3:], *given, "--out", tmp_path / out) == 0
    told = capsys.readouterr().out
    assert "note: y.csv: sample ids from column 'patient'" in told
    assert "note: c.csv: sample ids from column 'patient'" in told
    here, there = (json.loads(read(tmp_path / f"{name}.json")) for name in "ab")
    assert here["selected"] == there["selected"]
    model = ["predict", "--model", tmp_path / "a.path.npz", "--matrix", tmp_path / "x.csv", "--quiet"]
    for y, c, out in (("y.csv", "c.csv", "a"), ("y2.csv", "c2.csv", "b")):
        given = [*model, "--pheno", tmp_path / y, "--covar", tmp_path / c]
        assert run(*given, "--out", tmp_path / f"{out}.p") == 0
    assert read(tmp_path / "a.p.scores.tsv") == read(tmp_path / "b.p.scores.tsv")


# Covariates and responses of the table itself


@pytest.mark.parametrize(
    "covariates",
    [
        ["--covar", "age,sex"],
        ["--covar-name", "age-sex"],
        ["--covar", "TABLE", "--covar-name", "age,sex"],
        ["--covar-name", "age", "--cat-covar", "sex"],
    ],
)
def test_covariates_are_columns_of_the_table(tmp_path, covariates, capsys):
    """As from a file of their own, and no features."""
    frame = frame_of()
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame[["patient", "age", "sex"]].to_csv(tmp_path / "c.csv", index=False)
    frame.drop(columns=["age", "sex"]).to_csv(tmp_path / "x.csv", index=False)
    covariates = [tmp_path / "t.csv" if word == "TABLE" else word for word in covariates]
    assert run(*CV, "--matrix", tmp_path / "t.csv", *covariates, "--out", tmp_path / "a") == 0
    assert "covariates, not penalised: age, sex=F" in capsys.readouterr().out
    assert (
        run(*CV, "--matrix", tmp_path / "x.csv", "--covar", tmp_path / "c.csv", "--out", tmp_path / "b") == 0
    )
    here, there = (json.loads((tmp_path / f"{name}.json").read_text()) for name in "ab")
    assert here["features"] == there["features"]
    assert here["selected"]["features"] == there["selected"]["features"]
    for name in ("alpha", "intercept", "deviance_ratio"):
        assert_allclose(here["selected"][name], there["selected"][name], rtol=1e-6)
    model = ["predict", "--model", tmp_path / "a.path.npz", "--quiet", "--out", tmp_path / "p"]
    assert run(*model, "--matrix", tmp_path / "t.csv") == 0
    whole = read(tmp_path / "p.scores.tsv")
    assert run(*model, "--matrix", tmp_path / "x.csv", "--covar", tmp_path / "c.csv") == 0
    scores = [
        pandas.read_csv(io.StringIO(text), sep="\t") for text in (whole, read(tmp_path / "p.scores.tsv"))
    ]
    assert_array_equal(scores[0].ID, scores[1].ID)
    assert_allclose(scores[0].LINEAR_PREDICTOR, scores[1].LINEAR_PREDICTOR, rtol=1e-12)
    assert run(*model, "--matrix", tmp_path / "x.csv") == 2
    assert "with --covar FILE, or as columns of the table" in capsys.readouterr().err


def test_responses_are_columns_of_the_table(tmp_path):
    frame = frame_of()
    frame["months"], frame["died"] = np.arange(60) + 1.5, np.arange(60) % 2
    path = str(tmp_path / "t.csv")
    frame.to_csv(path, index=False)
    genes = [f"G{j}" for j in range(8)]
    drop = {"drop": ("sex", "age"), "matrix": path}
    for given in ({"target": "relapse"}, {"pheno_name": "relapse"}, {"pheno": path, "pheno_name": "relapse"}):
        study = load_study(
            StudyOptions(**drop | {"drop": ("sex", "age", "months", "died")}, loss="binomial", **given)
        )
        assert study.feature_names == genes
        assert_array_equal(study.y, frame.relapse == "yes")
    for given in ({}, {"pheno": path}):
        times = {"loss": "cox", "time": "months", "event": "died", "covar": "age,sex"}
        study = load_study(StudyOptions(matrix=path, drop=("relapse",), **times, **given))
        assert study.feature_names == [*genes, "age", "sex=F"]
        assert_array_equal(study.y["time"], frame.months)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--covar", "ages.txt"], "--covar: no file 'ages.txt', and no column 'ages.txt' in "),
        (["--covar", "bmi"], "columns of another file are --covar FILE --covar-name bmi"),
        (["--covar-name", "weight"], "--covar: no column 'weight' in "),
        (["--covar", "relapse,age"], "--covar: relapse is the phenotype: leave it out"),
        (["--covar", "TABLE"], "is the table itself: say --covar COLUMN,COLUMN"),
        ([], "text, not numbers, in sex; leave out with --drop, or make covariates of it with --covar"),
    ],
)
def test_bad_covariates_of_the_table(tmp_path, given, message, capsys):
    frame_of().to_csv(tmp_path / "t.csv", index=False)
    given = [tmp_path / "t.csv" if word == "TABLE" else word for word in given]
    assert run(*CV, "--matrix", tmp_path / "t.csv", *given, "--out", tmp_path / "o") == 2
    assert message in capsys.readouterr().err


def test_a_response_of_a_file_is_no_feature(tmp_path, capsys):
    frame = frame_of()
    frame["height"] = frame.G0 * 2.0
    frame[["patient", "height"]].to_csv(tmp_path / "y.csv", index=False)
    frame.drop(columns=["relapse", "sex"]).to_csv(tmp_path / "t.csv", index=False)
    given = ["fit", "--matrix", tmp_path / "t.csv", "--pheno", tmp_path / "y.csv", "--out", tmp_path / "o"]
    assert run(*given, "--pheno-name", "height") == 2
    assert "leave it out of the features with --drop height" in capsys.readouterr().err
    assert run(*given, "--pheno-name", "height", "--drop", "height", "--quiet") == 0


# Names that repeat


def test_features_of_one_name(tmp_path):
    rows = "gene,s1,s2,s3\nTP53,1,2,3\nA,5,6,8\nTP53,3,NA,5\nTP53.1,0,0,1\nTP53,5,6,NA\n"
    (tmp_path / "t.csv").write_text(rows)
    with pytest.raises(
        ValueError, match="feature names must be distinct, repeated: TP53; --duplicates suffix"
    ):
        read_matrix(tmp_path / "t.csv", "samples-columns")
    table = read_matrix(tmp_path / "t.csv", "samples-columns", duplicates="suffix")
    assert list(table.feature_names) == ["TP53", "A", "TP53.2", "TP53.1", "TP53.3"]
    assert_array_equal(table.X[:, 0], [1, 2, 3])
    assert table.notes == [
        "3 features share a name with another (TP53): numbered those after the first (--duplicates suffix)"
    ]
    table = read_matrix(tmp_path / "t.csv", "samples-columns", duplicates="mean")
    assert list(table.feature_names) == ["TP53", "A", "TP53.1"]
    assert_array_equal(table.X, [[3, 5, 0], [4, 6, 0], [4, 8, 1]])


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz"])
def test_columns_of_one_name(tmp_path, suffix):
    path = tmp_path / f"t.{suffix}"
    if suffix == "csv":
        path.write_text("id,a,b,a\np,1,2,3\nq,4,5,6\n")
    elif suffix == "npz":
        np.savez(path, X=[[1, 2, 3], [4, 5, 6]], feature_names=["a", "b", "a"], sample_ids=["p", "q"])
    else:
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        columns = [pyarrow.array(values) for values in (["p", "q"], [1, 4], [2, 5], [3, 6])]
        parquet.write_table(pyarrow.Table.from_arrays(columns, names=["id", "a", "b", "a"]), path)
    with pytest.raises(ValueError, match="names must be distinct, repeated: a; --duplicates suffix"):
        read_matrix(path)
    table = read_matrix(path, duplicates="suffix")
    assert list(table.feature_names) == ["a", "b", "a.1"]
    assert list(table.sample_ids) == ["p", "q"]
    table = read_matrix(path, duplicates="mean")
    assert list(table.feature_names) == ["a", "b"]
    assert_array_equal(table.X, [[2, 2], [5, 5]])


@pytest.mark.parametrize("duplicates", ["suffix", "mean"])
def test_predict_does_with_names_what_the_fit_did(tmp_path, duplicates):
    frame = frame_of().drop(columns=["age", "sex"]).rename(columns={"G1": "G0"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    out = tmp_path / "o"
    given = ["--matrix", tmp_path / "t.csv", "--quiet", "--out", out]
    assert run(*CV, *given, "--duplicates", duplicates) == 0
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["features"]["in_file"] == {"suffix": 8, "mean": 7}[duplicates]
    assert run("predict", "--model", f"{out}.path.npz", *given[:-1], tmp_path / "p") == 0
    scores = pandas.read_csv(tmp_path / "p.scores.tsv", sep="\t")
    hits = pandas.read_csv(f"{out}.hits.tsv", sep="\t").set_index("FEATURE").BETA
    G = frame.drop(columns=["patient", "relapse"]).to_numpy()
    names = ["G0", "G0.1", *[f"G{j}" for j in range(2, 8)]]
    if duplicates == "mean":
        G, names = np.column_stack([G[:, :2].mean(axis=1), G[:, 2:]]), names[:1] + names[2:]
    link = record["selected"]["intercept"] + G[:, [names.index(name) for name in hits.index]] @ hits
    assert_allclose(scores.LINEAR_PREDICTOR, link, rtol=1e-5)


# Cells


def test_minus_nine_among_genotypes_is_told(tmp_path, capsys):
    rng = np.random.default_rng(3)
    G = rng.integers(0, 3, (50, 4))
    G[[3, 7], 1] = -9
    frame = pandas.DataFrame(G, columns=["rs1", "rs2", "rs3", "rs4"])
    frame["log_ratio"] = rng.integers(-12, 3, 50)
    frame["y"] = G[:, 0] + rng.standard_normal(50)
    frame.to_csv(tmp_path / "t.csv", index=False)
    given = ["fit", "--matrix", tmp_path / "t.csv", "--target", "y", "--out", tmp_path / "o"]
    assert run(*given) == 0
    told = "-9 is in 2 cells of 1 feature that else holds 0, 1 and 2 (rs2) and is taken as a number"
    assert told in capsys.readouterr().out
    assert run(*given, "--missing-code", "-9") == 2
    assert "2 of 250 values missing, in 1 of 5 features (rs2) and 2 of 50 samples" in capsys.readouterr().err


def test_infinite_cells_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text("y,g,h\n1,inf,2\n2,3,4\n3,4,6\n")
    with pytest.raises(ValueError, match=r"t\.csv: infinite values in g; leave them out with --drop"):
        load_study(StudyOptions(matrix=str(tmp_path / "t.csv"), target="y"))


def with_gaps(frame, seed=5):
    """Gaps in two genes, of patients whose expression is high."""
    frame, rng = frame.copy(), np.random.default_rng(seed)
    for name in ("G0", "G3"):
        frame.loc[rng.random(len(frame)) < 0.3 * (frame[name] > 0), name] = np.nan
    return frame


def test_missing_cells_stand_at_means_of_the_samples_that_train(tmp_path, capsys):
    frame = with_gaps(frame_of()).drop(columns=["sex"])
    frame.to_csv(tmp_path / "t.csv", index=False)
    given = [*CV, "--matrix", tmp_path / "t.csv", "--covar", "age", "--out", tmp_path / "o"]
    genes = [f"G{j}" for j in range(8)]
    gaps = int(frame[genes].isna().to_numpy().sum())
    rows = int(frame[genes].isna().any(axis=1).sum())
    assert run(*given) == 2
    told = (
        f"{gaps} of 480 values missing, in 2 of 8 features (G0, G3) and {rows} of 60 samples: --impute mean"
    )
    assert told in capsys.readouterr().err
    assert run(*given, "--impute", "mean") == 0
    note = f"{gaps} missing values in 2 features and {rows} samples at the mean of the samples that train"
    assert note in capsys.readouterr().out
    assert note in (tmp_path / "o.html").read_text()
    record = json.loads(read(tmp_path / "o.json"))
    assert record["options"]["impute"] == "mean"
    X = frame[[*genes, "age"]].to_numpy()
    cv = riata.cv_path(
        X, frame.relapse == "yes", loss="binomial", alphas=20, cv=4, impute="mean",
        penalty_factor=np.repeat([1.0, 0.0], [8, 1]),
    )  # fmt: skip
    assert_allclose(record["cross_validation"]["mean_score"], cv.mean_score.min(), rtol=1e-4)
    assert_allclose(record["selected"]["alpha"], cv.alpha, rtol=1e-6)

    new = with_gaps(frame_of(seed=8), seed=6)
    new.to_csv(tmp_path / "new.csv", index=False)
    model = ["predict", "--model", tmp_path / "o.path.npz", "--matrix", tmp_path / "new.csv"]
    assert run(*model, "--out", tmp_path / "p") == 0
    assert "missing values of the features used at the means of the fit" in capsys.readouterr().out
    scores = pandas.read_csv(tmp_path / "p.scores.tsv", sep="\t")
    filled = new[genes].fillna(frame[genes].mean())
    link = cv.intercept() + np.column_stack([filled, new.age]) @ cv.coef()
    assert_allclose(scores.LINEAR_PREDICTOR, link, rtol=1e-4, atol=1e-5)


def test_a_test_part_is_filled_by_the_means_of_the_fit(tmp_path):
    frame = with_gaps(frame_of(n=120))
    frame["part"] = np.resize(["train", "train", "test"], 120)
    frame["size"] = frame_of(n=120).G0 + 0.1 * frame.age
    frame.to_csv(tmp_path / "t.csv", index=False)
    given = ["fit", "--matrix", tmp_path / "t.csv", "--target", "size", "--split", "part", "--alpha", 0.1]
    assert run(*given, "--drop", "sex,relapse", "--impute", "mean", "--quiet", "--out", tmp_path / "o") == 0
    found = json.loads(read(tmp_path / "o.json"))["evaluation"]["correlation"]["value"]
    names = ["age", *[f"G{j}" for j in range(8)]]
    train, test = (frame[frame.part == part] for part in ("train", "test"))
    model = make_pipeline(SimpleImputer(), StandardScaler(), Lasso(0.1)).fit(train[names], train["size"])
    wanted = np.corrcoef(model.predict(test[names]), test["size"])[0, 1]
    assert_allclose(found, wanted, rtol=1e-4)


def test_several_responses_of_a_table_with_gaps(tmp_path):
    """Each as by itself."""
    frame = with_gaps(frame_of()).drop(columns=["sex", "relapse"])
    frame["a"], frame["b"] = frame_of().G0 + 0.1 * frame.age, frame_of().G3
    frame.loc[:9, "b"] = np.nan
    frame.to_csv(tmp_path / "t.csv", index=False)
    given = ["cv", "--matrix", tmp_path / "t.csv", "--impute", "mean", "--alphas", 10, "--cv", 3, "--quiet"]
    assert run(*given, "--target", "a,b", "--out", tmp_path / "both") == 0
    for name, other in ("ab", "ba"):
        assert run(*given, "--target", name, "--drop", other, "--out", tmp_path / name) == 0
        here, there = (json.loads(read(tmp_path / file)) for file in (f"both.{name}.json", f"{name}.json"))
        for what in ("mean_score", "se_score"):
            assert_allclose(here["cross_validation"][what], there["cross_validation"][what], rtol=1e-5)


def test_a_model_without_gaps_says_how_to_fill_new_ones(tmp_path, capsys):
    frame_of().to_csv(tmp_path / "t.csv", index=False)
    assert (
        run(*CV, "--matrix", tmp_path / "t.csv", "--drop", "sex,age", "--quiet", "--out", tmp_path / "o") == 0
    )
    new = with_gaps(frame_of(seed=8))
    new.to_csv(tmp_path / "new.csv", index=False)
    model = ["predict", "--model", tmp_path / "o.path.npz", "--matrix", tmp_path / "new.csv"]
    assert run(*model, "--out", tmp_path / "p") == 2
    assert "--impute mean puts the means of the fit in their place" in capsys.readouterr().err
    assert run(*model, "--impute", "mean", "--quiet", "--out", tmp_path / "p") == 0
    path = riata.load(tmp_path / "o.path.npz")
    filled = new[[f"G{j}" for j in range(8)]].fillna(frame_of()[[f"G{j}" for j in range(8)]].mean())
    scores = pandas.read_csv(tmp_path / "p.scores.tsv", sep="\t")
    alpha = json.loads(read(tmp_path / "o.json"))["selected"]["alpha"]
    assert_allclose(scores.PROBABILITY, path.predict(filled.to_numpy(), alpha), rtol=1e-9)


@pytest.mark.parametrize("option", [["--impute", "mean"], ["--duplicates", "suffix"]])
def test_options_of_tables_are_not_for_genotypes(tmp_path, option, capsys):
    bfile = str(Path(__file__).parents[2] / "data" / "genotypes" / "tiny")
    assert run("fit", "--bfile", bfile, *option, "--out", tmp_path / "o") == 2
    assert f"{option[0]} is for --matrix: " in capsys.readouterr().err


def test_a_frame_in_python_is_scored_as_its_file(tmp_path):
    """Columns of one name, gaps, and covariates among the columns."""
    frame = with_gaps(frame_of()).rename(columns={"G1": "G0"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    given = ["--matrix", tmp_path / "t.csv", "--quiet"]
    fit = [*CV, *given, "--covar", "age,sex", "--duplicates", "mean", "--impute", "mean"]
    assert run(*fit, "--out", tmp_path / "o") == 0
    assert run("predict", "--model", tmp_path / "o.path.npz", *given, "--out", tmp_path / "p") == 0
    scores = pandas.read_csv(tmp_path / "p.scores.tsv", sep="\t")
    model = riata.load(tmp_path / "o.path.npz")
    indexed = frame.set_index("patient")
    for given in ({"covariates": indexed[["age", "sex"]]}, {}):
        here = riata.predict_samples(model, indexed, **given)
        assert_allclose(here.PROBABILITY, scores.PROBABILITY, rtol=1e-9)
