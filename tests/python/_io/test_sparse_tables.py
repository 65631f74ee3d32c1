"""Sparse tables in the shell: archives of SciPy, svmlight text, Matrix Market, beside the same in csv."""

import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import dump_svmlight_file
from support import SHARED

from riata.cli.parser import main
from riata.study.matrices import read_matrix

pandas = pytest.importorskip("pandas")


def run(*arguments):
    return main([str(argument) for argument in arguments])


def problem(n=80, p=30, seed=2):
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((n, p)) < 0.2, rng.integers(1, 6, (n, p)), 0).astype(float)
    X[:, 0] = rng.integers(0, 2, n)
    y = np.where(X[:, 0] + 0.4 * X[:, 3] + 0.3 * rng.standard_normal(n) > 0.8, 1, -1)
    return X, y


def write_csv(path, X, y, ids=None):
    frame = pandas.DataFrame(X, columns=[f"x{j + 1}" for j in range(X.shape[1])])
    frame.insert(0, "label", y)
    frame.insert(0, "id", range(1, len(X) + 1) if ids is None else ids)
    frame.to_csv(path, index=False)


def write(folder, kind, X, y, name="t"):
    """Return the options that name the table and its response, in one of the formats."""
    if kind == "svm":
        dump_svmlight_file(X, y, str(folder / f"{name}.svm"), zero_based=False)
        return ["--matrix", folder / f"{name}.svm"]
    if kind == "svm.gz":
        text = io.BytesIO()
        dump_svmlight_file(X, y, text, zero_based=False)
        (folder / f"{name}.svmlight.gz").write_bytes(gzip.compress(text.getvalue()))
        return ["--matrix", folder / f"{name}.svmlight.gz"]
    if kind == "npz":  # as the parts of a CSR matrix, with the response beside them
        parts = sp.csr_array(X)
        np.savez(
            folder / f"{name}.npz", data=parts.data, indices=parts.indices, indptr=parts.indptr,
            shape=parts.shape, label=y,
        )  # fmt: skip
        return ["--matrix", folder / f"{name}.npz", "--target", "label"]
    ids = [str(i + 1) for i in range(len(y))]
    lines = ["id,label", *(f"{i},{value}" for i, value in zip(ids, y, strict=True))]
    (folder / f"{name}.y.csv").write_text("\n".join(lines) + "\n")
    pheno = ["--pheno", folder / f"{name}.y.csv"]
    if kind in ("csr", "csc", "coo"):
        sp.save_npz(folder / f"{name}.npz", getattr(sp, f"{kind}_matrix")(X))
        return ["--matrix", folder / f"{name}.npz", *pheno]
    scipy.io.mmwrite(folder / f"{name}.mtx", sp.coo_matrix(X))
    return ["--matrix", folder / f"{name}.mtx", *pheno]


@pytest.mark.parametrize("kind", ["npz", "csr", "csc", "coo", "svm", "svm.gz", "mtx"])
def test_sparse_tables_fit_as_dense_ones_do(tmp_path, kind, capsys):
    X, y = problem()
    write_csv(tmp_path / "d.csv", X, y)
    table = write(tmp_path, kind, X, y)
    options = ["--loss", "binomial", "--alphas", 15, "--cv", 4]
    sparse, dense = tmp_path / "s", tmp_path / "d"
    assert run("cv", *table, *options, "--out", sparse) == 0
    assert "coded -1/1, 1 = case" in capsys.readouterr().out
    assert run("cv", "--matrix", tmp_path / "d.csv", "--target", "label", *options, "--out", dense) == 0
    records = [json.loads(Path(f"{out}.json").read_text()) for out in (sparse, dense)]
    for part in ("selected", "cross_validation"):
        for name, value in records[1][part].items():
            if isinstance(value, float):
                assert_allclose(records[0][part][name], value, rtol=1e-5)
    hits = [pandas.read_csv(f"{out}.hits.tsv", sep="\t") for out in (sparse, dense)]
    assert list(hits[0].FEATURE) == list(hits[1].FEATURE)
    assert_allclose(hits[0].BETA, hits[1].BETA, rtol=1e-4)
    assert_allclose(hits[0].BETA_STD, hits[1].BETA_STD, rtol=1e-4)

    new_X, new_y = problem(seed=3)
    new_X[:, -4:] = 0.0  # of which an svmlight file then says nothing
    write_csv(tmp_path / "new.csv", new_X, new_y)
    for out, new in (
        (sparse, write(tmp_path, kind, new_X, new_y, "new")),
        (dense, ["--matrix", tmp_path / "new.csv"]),
    ):
        given = ["predict", "--model", f"{out}.path.npz", *new[:2], "--quiet", "--out", f"{out}.p"]
        assert run(*given) == 0
    scores = [pandas.read_csv(f"{out}.p.scores.tsv", sep="\t") for out in (sparse, dense)]
    assert_array_equal(scores[0].ID, scores[1].ID)
    assert_allclose(scores[0].LINEAR_PREDICTOR, scores[1].LINEAR_PREDICTOR, rtol=1e-4, atol=1e-6)

    capsys.readouterr()
    assert run("info", table[1]) == 0
    told = capsys.readouterr().out
    assert "80 samples x 30 features, sparse, 21 % of the cells stored" in told
    assert run("report", "--model", f"{sparse}.path.npz", "--quiet", "--out", tmp_path / "r") == 0
    assert "x1" in (tmp_path / "r.html").read_text()


def tenfold(folder, X, symbols, packed=".gz", prefix=""):
    """Write what Cell Ranger does: features in rows, cells in columns, three files."""
    genes, cells = X.shape[1], X.shape[0]
    text = io.BytesIO()
    scipy.io.mmwrite(text, sp.coo_matrix(X.T))
    lines = {
        "matrix.mtx": text.getvalue().decode(),
        "features.tsv": "".join(f"ENSG{j:05d}\t{symbols[j]}\tGene Expression\n" for j in range(genes)),
        "barcodes.tsv": "".join(f"ACGT{i:03d}-1\n" for i in range(cells)),
    }
    for name, content in lines.items():
        data = gzip.compress(content.encode()) if packed else content.encode()
        (folder / f"{prefix}{name}{packed}").write_bytes(data)
    return folder / f"{prefix}matrix.mtx{packed}"


@pytest.mark.parametrize(("packed", "prefix"), [(".gz", ""), ("", "GSM1_")])
def test_matrix_market_of_10x(tmp_path, packed, prefix):
    X, _ = problem(n=12, p=5)
    path = tenfold(tmp_path, X, ["A", "B", "C", "D", "E"], packed, prefix)
    table = read_matrix(path)
    assert_array_equal(table.X.toarray(), X)
    assert list(table.feature_names) == ["A", "B", "C", "D", "E"]
    assert list(table.sample_ids)[:2] == ["ACGT000-1", "ACGT001-1"]


def test_symbols_of_10x_that_repeat(tmp_path):
    X, _ = problem(n=12, p=5)
    path = tenfold(tmp_path, X, ["A", "B", "A", "D", "E"])
    table = read_matrix(path)
    assert list(table.feature_names) == [f"ENSG{j:05d}" for j in range(5)]
    assert "its ids, since symbols repeat (--duplicates takes these)" in table.notes[0]
    assert list(read_matrix(path, duplicates="suffix").feature_names) == ["A", "B", "A.1", "D", "E"]
    table = read_matrix(path, duplicates="mean")
    assert list(table.feature_names) == ["A", "B", "D", "E"]
    assert_array_equal(table.X.toarray()[:, 0], (X[:, 0] + X[:, 2]) / 2.0)
    (tmp_path / "barcodes.tsv.gz").write_bytes(gzip.compress(b"ACGT-1\n"))
    with pytest.raises(
        ValueError, match=r"5 rows x 12 columns, but features\.tsv\.gz has 5 lines and barcodes"
    ):
        read_matrix(path)


def test_names_from_files(tmp_path, capsys):
    X, y = problem(n=40, p=6)
    table = write(tmp_path, "csr", X, y)
    (tmp_path / "genes.txt").write_text("".join(f"G{j}\n" for j in range(6)))
    (tmp_path / "ids.txt").write_text("".join(f"P{i}\n" for i in range(40)))
    names = ["--feature-names", tmp_path / "genes.txt", "--sample-ids", tmp_path / "ids.txt"]
    (tmp_path / "y.csv").write_text("id,size\n" + "".join(f"P{i},{X[i, 2] + 0.1 * i}\n" for i in range(40)))
    given = [*table[:2], "--pheno", tmp_path / "y.csv", *names]
    assert run("fit", *given, "--alpha", 0.1, "--out", tmp_path / "o", "--quiet") == 0
    assert set(pandas.read_csv(tmp_path / "o.hits.tsv", sep="\t").FEATURE) <= {f"G{j}" for j in range(6)}
    predict = ["predict", "--model", tmp_path / "o.path.npz", *table[:2], *names, "--quiet"]
    assert run(*predict, "--out", tmp_path / "p") == 0
    assert list(pandas.read_csv(tmp_path / "p.scores.tsv", sep="\t").ID) == [f"P{i}" for i in range(40)]
    (tmp_path / "genes.txt").write_text("G1\nG2\n")
    assert run("info", *table[:2], *names[:2]) == 2
    assert "2 names for 6 features; it begins with G1, G2" in capsys.readouterr().err
    (tmp_path / "d.csv").write_text("id,g\na,1\nb,2\n")
    assert run("info", tmp_path / "d.csv", *names[:2]) == 2
    assert "--feature-names and --sample-ids are for .npz and sparse files" in capsys.readouterr().err


def test_columns_of_sparse_tables(tmp_path):
    """The response and covariates are taken out, constant columns set aside, whatever is stored."""
    X, _ = problem(n=40, p=6)
    X[:, 4], X[:, 5] = 0.0, 2.0
    path = tmp_path / "t.npz"
    parts = sp.csc_array(X)
    names = ["a", "b", "c", "d", "none", "two"]
    np.savez(
        path, data=parts.data, indices=parts.indices, indptr=parts.indptr, shape=parts.shape,
        format=b"csc", feature_names=names,
    )  # fmt: skip
    given = ["fit", "--matrix", path, "--target", "b", "--covar", "c", "--alphas", 5, "--quiet"]
    assert run(*given, "--out", tmp_path / "o") == 0
    record = json.loads((tmp_path / "o.json").read_text())
    assert record["features"]["covariates"] == ["c"]
    assert record["features"]["in_file"] == 4
    excluded = pandas.read_csv(tmp_path / "o.excluded.tsv", sep="\t")
    assert list(excluded.FEATURE) == ["none", "two"]


def test_bad_sparse_files(tmp_path, capsys):
    X, y = problem(n=20, p=4)
    X[3, 1] = np.nan
    write(tmp_path, "npz", X, y)
    given = ["--matrix", tmp_path / "t.npz", "--target", "label", "--out", tmp_path / "o"]
    given += ["--loss", "binomial"]
    assert run("fit", *given) == 2
    assert "missing or infinite values in x2; leave them out with --drop" in capsys.readouterr().err
    assert run("fit", *given, "--impute", "mean") == 2
    assert "--impute is for tables that are not sparse: what is absent is zero" in capsys.readouterr().err
    (tmp_path / "bad.svm").write_text("1 1:2 2:x\n")
    assert run("info", tmp_path / "bad.svm") == 2
    (tmp_path / "bad.mtx").write_text("%%MatrixMarket matrix coordinate real general\n2 2 9\n1 1 1\n")
    assert run("info", tmp_path / "bad.mtx") == 2
    np.savez(tmp_path / "bad.npz", data=[1.0], indices=[7], indptr=[0, 1, 1], shape=(2, 2))
    assert run("info", tmp_path / "bad.npz") == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert all(f"bad.{kind}: " in line for kind, line in zip(("svm", "mtx", "npz"), told, strict=True))


@pytest.mark.skipif(not (SHARED / "rcv1_small.svm.gz").is_file(), reason="needs the shared data")
def test_svmlight_text_holds_the_archive():
    stored = np.load(SHARED / "rcv1_small.npz")
    table = read_matrix(SHARED / "rcv1_small.svm.gz")
    parts = (stored["data"], stored["indices"], stored["indptr"])
    X = sp.csr_array(parts, shape=stored["shape"]).tocsc()
    assert table.shape == tuple(stored["shape"])
    assert_allclose((table.X - X).data, 0.0, atol=1e-5)
    assert_array_equal(np.array(table.beside["label"], dtype=float), stored["y"])
    assert_array_equal(read_matrix(SHARED / "rcv1_small.npz").X.toarray(), X.toarray())
