"""`.h5ad` files: matrix, names and columns of samples as AnnData writes them, and runs from them."""

import json
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

import riata
from riata._io.h5ad_files import read_h5ad
from riata._io.tables import read_text_table
from riata.cli.parser import main
from riata.study.matrices import read_matrix

h5py = pytest.importorskip("h5py")
pd = pytest.importorskip("pandas")
assert_frame_equal = pd.testing.assert_frame_equal
N, P = 40, 12
KINDS = {"dense": np.asarray, "float32": np.float32, "csr": sp.csr_matrix, "csc": sp.csc_matrix}


def problem():
    rng = np.random.default_rng(3)
    X = np.where(rng.random((N, P)) < 0.4, rng.integers(1, 9, (N, P)), 0).astype(float)
    score = X[:, 1] - X[:, 5] + 0.2 * rng.standard_normal(N)
    obs = {
        "score": score,
        "kind": np.where(score > np.median(score), "case", "control"),
        "batch": np.array([f"b{i % 3}" for i in range(N)]),
        "age": 30.0 + np.arange(N) % 17,
        "doublet": np.arange(N) % 5 == 0,
        "reads": np.arange(N),
    }
    return X, obs


def text(group, name, values):
    group.create_dataset(name, data=np.array(values, dtype=object), dtype=h5py.string_dtype())


def write_matrix(file, name, X):
    if not sp.issparse(X):
        file.create_dataset(name, data=X)
        return
    group = file.create_group(name)
    group.attrs.update({"encoding-type": f"{X.format}_matrix", "shape": np.array(X.shape)})
    for part in ("data", "indices", "indptr"):
        group.create_dataset(part, data=getattr(X, part))


def write_frame(file, name, index, columns):
    group = file.create_group(name)
    group.attrs["_index"] = "index"
    group.attrs.create("column-order", np.array(list(columns), dtype=object), dtype=h5py.string_dtype())
    text(group, "index", index)
    for column, values in columns.items():
        if column == "batch":  # as categories, of which one has no name
            labels = sorted(set(values))
            part = group.create_group(column)
            part.attrs["encoding-type"] = "categorical"
            part.create_dataset("codes", data=np.array([labels.index(v) for v in values], dtype=np.int8))
            text(part, "categories", labels)
        elif column == "reads":  # nullable
            part = group.create_group(column)
            part.attrs["encoding-type"] = "nullable-integer"
            part.create_dataset("values", data=values)
            part.create_dataset("mask", data=values == 7)
        elif values.dtype.kind == "U":
            text(group, column, values)
        else:
            group.create_dataset(column, data=values)


def write(path, kind, maker="h5py", genes=None):
    """Write the problem, its layer ``double`` too, with h5py by hand or by the package."""
    X, obs = problem()
    cells = [f"cell{i}" for i in range(N)]
    genes = genes or [f"gene{j}" for j in range(P)]
    if maker == "package":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            package = pytest.importorskip("anndata")
            frame = pd.DataFrame(obs, index=cells)
            frame["batch"] = frame["batch"].astype("category")
            frame["reads"] = frame["reads"].astype("Int64").mask(frame["reads"] == 7)
            found = package.AnnData(KINDS[kind](X), frame, pd.DataFrame(index=genes))
            found.layers["double"] = KINDS[kind](2 * X)
            found.write_h5ad(path)
        return
    with h5py.File(path, "w") as file:
        write_matrix(file, "X", KINDS[kind](X))
        write_matrix(file.create_group("layers"), "double", KINDS[kind](2 * X))
        write_frame(file, "obs", cells, obs)
        write_frame(file, "var", genes, {})


@pytest.mark.parametrize("maker", ["h5py", "package"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_read(tmp_path, kind, maker):
    path = tmp_path / "t.h5ad"
    write(path, kind, maker)
    X, obs = problem()
    for layer, factor in ((None, 1), ("double", 2)):
        table = read_matrix(path, layer=layer)
        assert_array_equal(table.X.toarray() if sp.issparse(table.X) else table.X, factor * X)
    assert sp.issparse(table.X) == (kind in ("csr", "csc"))
    assert list(table.feature_names) == [f"gene{j}" for j in range(P)]
    assert list(table.sample_ids) == [f"cell{i}" for i in range(N)]
    assert list(table.beside) == list(obs)
    assert [float(cell) for cell in table.beside["score"]] == obs["score"].tolist()
    for name in ("kind", "batch"):
        assert table.beside[name] == obs[name].tolist()
    assert table.beside["reads"] == ["NA" if k == 7 else str(k) for k in range(N)]
    assert table.beside["doublet"] == [str(bool(value)) for value in obs["doublet"]]


@pytest.mark.parametrize("kind", ["dense", "csr"])
def test_a_run_is_that_of_the_table_as_csv(tmp_path, kind):
    write(tmp_path / "t.h5ad", kind)
    X, obs = problem()
    frame = pd.DataFrame(X, columns=[f"gene{j}" for j in range(P)])
    frame.insert(0, "id", [f"cell{i}" for i in range(N)])
    frame.assign(**{name: obs[name] for name in ("kind", "batch", "age")}).to_csv(
        tmp_path / "t.csv", index=False
    )
    chosen = "--target kind --covar age --cat-covar batch --loss binomial --alpha 0.05 --case case --quiet"
    records = {}
    for ending in ("h5ad", "csv"):
        command = ["fit", "--matrix", str(tmp_path / f"t.{ending}"), *chosen.split()]
        assert main([*command, "--out", str(tmp_path / ending)]) == 0
        hits = read_text_table(tmp_path / f"{ending}.hits.tsv")
        records[ending] = hits.column("FEATURE"), [float(cell) for cell in hits.column("BETA")]
        assert main([
            "predict", "--model", str(tmp_path / f"{ending}.path.npz"), "--matrix",
            str(tmp_path / "t.h5ad"), "--out", str(tmp_path / f"{ending}.new"), "--quiet",
        ]) == 0  # fmt: skip
    assert records["h5ad"][0] == records["csv"][0] != []
    assert_allclose(records["h5ad"][1], records["csv"][1], rtol=1e-4)
    scores = [read_text_table(tmp_path / f"{ending}.new.scores.tsv") for ending in records]
    assert scores[0].column("ID") == scores[1].column("ID") == [f"cell{i}" for i in range(N)]
    one, other = ([float(cell) for cell in table.column("LINEAR_PREDICTOR")] for table in scores)
    assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_layers_on_the_command_line(tmp_path, capsys):
    write(tmp_path / "t.h5ad", "csr")
    command = ["fit", "--matrix", str(tmp_path / "t.h5ad"), "--target", "score", "--alpha", "0.1", "--quiet"]
    betas = []
    for more in ([], ["--layer", "double"]):
        out = tmp_path / f"m{len(more)}"
        assert main([*command, *more, "--out", str(out)]) == 0
        hits = read_text_table(f"{out}.hits.tsv")
        betas.append([float(cell) for cell in hits.column("BETA")])
    assert_allclose(betas[0], 2 * np.array(betas[1]), rtol=1e-4)
    assert json.loads((tmp_path / "m2.json").read_text())["options"]["layer"] == "double"
    assert main([*command, "--layer", "raw", "--out", str(tmp_path / "x")]) == 2
    assert "no layer 'raw'; layers are double" in capsys.readouterr().err
    assert main(["info", "--matrix", str(tmp_path / "t.h5ad")]) == 0
    assert "kind: c" in capsys.readouterr().out


def test_names_that_repeat_are_refused_or_settled(tmp_path):
    write(tmp_path / "t.h5ad", "csr", genes=["gene0", "gene0", *(f"g{j}" for j in range(P - 2))])
    with pytest.raises(ValueError, match="feature names must be distinct, repeated: gene0; --duplicates"):
        read_matrix(tmp_path / "t.h5ad")
    assert list(read_matrix(tmp_path / "t.h5ad", duplicates="suffix").feature_names[:2]) == [
        "gene0",
        "gene0.1",
    ]


def test_what_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "t.h5ad"
    path.write_bytes(b"not HDF5")
    with pytest.raises(OSError, match=r"t\.h5ad"):
        read_matrix(path)
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=np.eye(3))
    with pytest.raises(ValueError, match=r"t\.h5ad: no obs with names as AnnData writes since version 0\.7"):
        read_matrix(path)
    write(path, "csr")
    for given, message in (
        ({"layer": "none"}, "no layer 'none'; layers are double"),
        ({"orient": "samples-columns"}, "leave out --orient samples-columns"),
        ({"feature_names": "x"}, "--feature-names and --sample-ids are for"),
    ):
        with pytest.raises(ValueError, match=message):
            read_matrix(path, **given)
    with h5py.File(path, "a") as file:
        del file["X"]
    with pytest.raises(ValueError, match="it has no X; choose a layer with --layer: double"):
        read_matrix(path)
    write(path, "csr")
    with h5py.File(path, "a") as file:
        file["X/indices"][0] = P + 3
    with pytest.raises((ValueError, OSError), match=r"t\.h5ad"):
        read_matrix(path)
    write(path, "dense")
    with h5py.File(path, "a") as file:
        del file["obs/age"]
        file["obs"].create_dataset("age", data=np.zeros(3))
    with pytest.raises(ValueError, match="column 'age' of obs has 3 of 40 values"):
        read_h5ad(str(path))
    (tmp_path / "t.csv").write_text("id,a\ns1,1\n")
    with pytest.raises(ValueError, match=r"t\.csv: --layer is for \.h5ad files"):
        read_matrix(tmp_path / "t.csv", layer="x")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(
        ImportError, match=r't\.h5ad: reading \.h5ad needs h5py: pip install "riata\[anndata\]"'
    ):
        read_matrix(path)


def test_an_anndata_in_python_is_scored_as_its_file(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package = pytest.importorskip("anndata")
    write(tmp_path / "t.h5ad", "csr", "package")
    command = [
        "fit",
        "--matrix",
        str(tmp_path / "t.h5ad"),
        "--target",
        "kind",
        "--covar",
        "age,reads",
        "--loss",
        "binomial",
    ]
    assert main([*command, "--alpha", "0.05", "--quiet", "--out", str(tmp_path / "m")]) == 0
    fit = riata.load(tmp_path / "m.path.npz")
    data = package.read_h5ad(tmp_path / "t.h5ad")
    found = riata.predict_samples(fit, data[:, ::-1])
    assert_frame_equal(found, riata.predict_samples(fit, str(tmp_path / "t.h5ad")))
    assert list(found["ID"]) == [f"cell{i}" for i in range(N) if i != 7]
