"""More than two classes from the command line: a table, a file of weights for each class, probabilities."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import read_arrays, run
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax

import riata
from riata.cli.parser import main
from riata.path.evaluation import evaluate
from riata.study.response import code_response

LABELS = ("high", "low", "mid")


def test_codes_are_places_in_alphabetical_order():
    response = code_response(["low", "high", "NA", "mid", "low"], "y", loss="multinomial")
    assert response.classes == LABELS
    assert_array_equal(response.values, [1, 0, np.nan, 2, 1])
    numbers = code_response(["10.0", "2.0", "-9", "3.0"], "y", loss="multinomial")
    assert numbers.classes == ("10", "2", "3")
    assert_array_equal(numbers.values, [0, 1, np.nan, 2])


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["a", "b", "a"], "needs three classes or more, got a, b; for two use --loss binomial"),
        (["a", "a"], "needs three classes or more, got a$"),
        ([f"{k}.5" for k in range(200)], "200 classes for --loss multinomial, at most 100"),
    ],
)
def test_what_is_not_several_classes_is_refused(cells, message):
    with pytest.raises(ValueError, match="--case must be left out with --loss multinomial"):
        code_response(["a", "b", "c"], "y", loss="multinomial", positive="a")
    with pytest.raises(ValueError, match=message):
        code_response(cells, "y", loss="multinomial")


def test_evaluation():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 60)
    link = rng.standard_normal((60, 3)) + 2.0 * np.eye(3)[y]
    base = 0.5 * link + 7.0  # what is common to all classes does not count
    found = evaluate(y, link, loss="multinomial", baseline=base).measures
    shares = softmax(link, axis=1)[np.arange(60), y]
    assert_allclose(found["accuracy"].value, (link.argmax(axis=1) == y).mean())
    assert_allclose(found["log_loss"].value, -np.log(shares).mean())
    null = -np.log(np.bincount(y)[y] / 60).mean()
    assert_allclose(found["d2"].value, 1.0 + np.log(shares).mean() / null)
    alone = 1.0 + np.log(softmax(0.5 * link, axis=1)[np.arange(60), y]).mean() / null
    assert_allclose(found["d2_increment"].value, found["d2"].value - alone)
    with pytest.raises(ValueError, match="link must be 60 rows of finite numbers, one per class"):
        evaluate(y, link[:, 0], loss="multinomial")
    with pytest.raises(ValueError, match="y must hold the numbers of classes, 0 to 1"):
        evaluate(y, link[:, :2], loss="multinomial")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Simulated genotypes; a phenotype of three classes, an age, parts."""
    prefix = tmp_path_factory.mktemp("classes") / "s"
    riata.simulate_genotypes(prefix, 150, 120, n_chromosomes=2, missing=0.02, h2=0.9, n_causal=3, seed=7)
    rows = [line.split() for line in Path(f"{prefix}.pheno.txt").read_text().splitlines()[1:]]
    rng = np.random.default_rng(1)
    values = np.array([float(row[2]) for row in rows])
    cuts = np.quantile(values, [1 / 3, 2 / 3])
    lines = ["FID IID kind part age"]
    for i, ((fid, iid, _), value) in enumerate(zip(rows, values, strict=True)):
        label = "NA" if i == 2 else ("low", "mid", "high")[int((value > cuts).sum())]
        lines.append(f"{fid} {iid} {label} {'test' if i % 3 == 0 else 'train'} {rng.integers(20, 80)}")
    table = prefix.parent / "table.txt"
    table.write_text("\n".join(lines) + "\n")
    return str(prefix), str(table)


def flags(files):
    prefix, table = files
    study = ["--bfile", prefix, "--pheno", table, "--pheno-name", "kind", "--loss", "multinomial"]
    return [*study, "--covar", table, "--covar-name", "age"]


@pytest.mark.parametrize("grouped", [False, True])
def test_fit_predict_and_report(files, tmp_path, capsys, grouped):
    out, new = tmp_path / "m", tmp_path / "new"
    more = ["--grouped"] if grouped else []
    asked = [*flags(files), *more, "--split", "part", "--cv", 3, "--alphas", 12, "--eps", 0.2]
    assert run("cv", *asked, "--out", out) == 0
    said = capsys.readouterr().out
    assert "classes high, low, mid" in said
    assert "share of right classes" in said
    path, record = riata.load(f"{out}.path.npz").path, json.loads(Path(f"{out}.json").read_text())
    alpha = record["selected"]["alpha"]
    coef = path.coef(alpha)
    hits = read_arrays(f"{out}.hits.tsv")
    each = np.column_stack([hits[f"BETA_{label}"].astype(float) for label in LABELS])
    geno = riata.open_genotypes(files[0])
    place = [list(geno.variants.id).index(name) for name in hits["ID"]]
    assert_allclose(each, coef[place], rtol=1e-9)
    assert set(place) == set(np.flatnonzero(coef[:120].any(axis=1)))
    assert_allclose(hits["BETA"].astype(float), each[np.arange(len(each)), np.abs(each).argmax(axis=1)])
    assert_array_equal(hits["CLASS"], np.array(LABELS)[np.abs(each).argmax(axis=1)])
    for k, label in enumerate(LABELS):
        weights = read_arrays(f"{out}.{label}.weights.tsv")
        assert_allclose(weights["effect_weight"].astype(float), each[each[:, k] != 0.0, k], rtol=1e-9)
        assert len(read_arrays(f"{out}.{label}.score")["ID"]) == np.count_nonzero(each[:, k])
    if grouped:
        assert np.all((coef[:120] != 0.0).all(axis=1) == (coef[:120] != 0.0).any(axis=1))

    model = ["--model", f"{out}.path.npz", "--bfile", files[0], "--covar", files[1]]
    assert run("predict", *model, "--pheno", files[1], "--out", new) == 0
    assert "share of right classes" in capsys.readouterr().out
    scores = read_arrays(f"{new}.scores.tsv", skip="##")
    shares = np.column_stack([scores[f"PROBABILITY_{label}"].astype(float) for label in LABELS])
    X = geno.to_numpy()
    age = [float(line.split()[4]) for line in Path(files[1]).read_text().splitlines()[1:]]
    X = np.column_stack([np.where(np.isnan(X), path.mean[:120], X), age])
    assert_allclose(shares, softmax(X @ coef + path.intercept(alpha), axis=1), atol=1e-8)
    assert_array_equal(scores["CLASS"], np.array(LABELS)[shares.argmax(axis=1)])
    test = np.arange(150) % 3 == 0
    table = [line.split()[2] for line in Path(files[1]).read_text().splitlines()[1:]]
    right = np.mean(scores["CLASS"][test] == np.array(table)[test])
    assert record["evaluation"]["accuracy"]["value"] == pytest.approx(right)

    assert run("report", "--model", f"{out}.path.npz", "--out", tmp_path / "again", "--quiet") == 0
    for stem in ("m", "again"):
        page = (tmp_path / f"{stem}.html").read_text()
        assert "predicted mid" in page
        assert f"riata predict --model {out}.path.npz" in page
        assert f"{stem}.path.npz" not in page or stem == "m"
        assert "multinomial logistic regression of kind (high, low, mid)" in page
    capsys.readouterr()
    assert run("info", f"{out}.path.npz") == 0
    said = capsys.readouterr().out
    assert f"alpha {alpha:.4g}, {len(hits['ID'])} selected" in said
    assert "classes     high, low, mid" in said


@pytest.mark.parametrize("flag", ["--grouped", "--row-grouped"])
def test_grouped_is_for_classes(files, tmp_path, capsys, flag):
    asked = [*flags(files)[:4], "--pheno-name", "age", flag, "--out", tmp_path / "x"]
    assert run("fit", *asked) == 2
    assert "error: --grouped needs --loss multinomial" in capsys.readouterr().err


def test_one_phenotype_at_a_time(files, tmp_path, capsys):
    asked = [*flags(files)[:4], "--pheno-name", "kind,part", "--loss", "multinomial", "--out", tmp_path / "x"]
    assert run("fit", *asked) == 2
    assert "--loss multinomial takes one phenotype at a time" in capsys.readouterr().err


def test_responses_that_enter_together_are_not_for_the_command_line(files, tmp_path, capsys):
    asked = [*flags(files)[:4], "--pheno-name", "age,part", "--loss", "multigaussian"]
    assert run("fit", *asked, "--out", tmp_path / "x") == 2
    assert "--loss multigaussian is for riata.fit_path" in capsys.readouterr().err


@pytest.mark.parametrize("absent", ["mid", "low", None])
def test_samples_that_lack_a_class_are_compared_with_their_own(files, tmp_path, absent):
    """Classes are those of the model, whichever of them the phenotypes hold: shares of right ones by hand."""
    out, new, pheno = str(tmp_path / "m"), str(tmp_path / "new"), tmp_path / "p.txt"
    assert run("fit", *flags(files), "--alpha", 0.05, "--quiet", "--out", out) == 0
    rows = [line.split() for line in Path(files[1]).read_text().splitlines()]
    kept = [rows[0], *([*row[:2], "NA" if row[2] == absent else row[2], *row[3:]] for row in rows[1:])]
    pheno.write_text("\n".join(" ".join(row) for row in kept) + "\n")
    arguments = [
        "predict",
        "--model",
        f"{out}.path.npz",
        "--bfile",
        files[0],
        "--covar",
        files[1],
        "--out",
        new,
    ]
    asked = [*arguments, "--pheno", pheno, "--quiet"]
    assert run(*asked) == 0
    guess = dict(zip(*(read_arrays(f"{new}.scores.tsv")[name] for name in ("IID", "CLASS")), strict=True))
    right = [guess[row[1]] == row[2] for row in kept[1:] if row[2] != "NA"]
    found = json.loads(Path(f"{new}.json").read_text())["evaluation"]
    assert found["n"] == len(right)
    assert found["accuracy"]["value"] == pytest.approx(np.mean(right))


def test_classes_that_a_model_does_not_have_are_refused():
    given = {"loss": "multinomial", "classes": ("a", "b", "c")}
    assert_array_equal(code_response(["c", "a", "NA"], "y", **given).values, [2, 0, np.nan])
    with pytest.raises(
        ValueError, match=r"y: z is no class of the model, which has a, b, c; .* --missing-code z,-9$"
    ):
        code_response(["c", "z"], "y", **given)
    numbers = code_response(["2.0", "3"], "y", loss="multinomial", classes=("1", "2", "3"))
    assert_array_equal(numbers.values, [1, 2])


def test_classes_that_would_share_a_file_are_refused_before_the_fit(tmp_path, capsys):
    bfile = str(Path(__file__).parents[2] / "data" / "genotypes" / "tiny")
    samples = [line.split()[:2] for line in Path(f"{bfile}.fam").read_text().splitlines()]
    labels = ["Case", "case", "other"]
    rows = [f"{fid} {iid} {labels[k % 3]}" for k, (fid, iid) in enumerate(samples)]
    (tmp_path / "t.phe").write_text("\n".join(["FID IID kind", *rows]) + "\n")
    study = ["--bfile", bfile, "--pheno", str(tmp_path / "t.phe"), "--pheno-name", "kind"]
    assert main(["fit", *study, "--loss", "multinomial", "--out", str(tmp_path / "o")]) == 2
    assert "classes Case, case would be written to the same files" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["t.phe"]


def test_of_two_classes_with_effects_as_large_the_first_is_named():
    from riata.path.many_classes import strongest

    effects = np.array([[0.3, -0.3 * (1 + 1e-12), 0.0], [-0.2, 0.2, 0.4], [0.1, 0.0, -0.1 * (1 - 1e-9)]])
    assert strongest(effects).tolist() == [0, 2, 0]
    assert strongest(effects[:, ::-1]).tolist() == [1, 0, 0]
