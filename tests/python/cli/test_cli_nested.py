"""What `riata cv` says of how well it predicts: nested folds, no intervals where they would flatter."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import riata
from riata.cli.parser import main


def write(folder, n=80, p=12, signal=1.0):
    """A table of features, a numeric response, one of two classes, one of three, and a covariate."""
    rng = np.random.default_rng(11)
    X = rng.standard_normal((n, p)).round(4)
    age = rng.standard_normal(n).round(4)
    score = signal * (X[:, 0] - X[:, 1]) + 0.5 * age
    columns = {
        "id": [f"s{i}x" for i in range(n)],
        "height": (score + rng.standard_normal(n)).round(4),
        "noise": rng.standard_normal(n).round(4),
        "ill": np.where(score + rng.logistic(size=n) > 0, "yes", "no"),
        "kind": np.array(["a", "b", "c"])[np.digitize(score + rng.logistic(size=n), [-0.8, 0.8])],
        "age": age,
    }
    tables = {"x.csv": {"id": columns["id"]} | {f"g{j}": X[:, j] for j in range(p)}, "y.csv": columns}
    for name, table in tables.items():
        rows = [",".join(table), *(",".join(map(str, row)) for row in zip(*table.values(), strict=True))]
        (folder / name).write_text("\n".join(rows) + "\n")
    return X, columns


def run(capsys, folder, *given, name="out"):
    arguments = [
        "cv",
        "--matrix",
        folder / "x.csv",
        "--pheno",
        folder / "y.csv",
        *given,
        "--out",
        folder / name,
    ]
    assert main([str(item) for item in arguments]) == 0
    return (
        capsys.readouterr().out,
        riata.load(folder / f"{name}.path.npz"),
        json.loads((folder / f"{name}.json").read_text()),
        (folder / f"{name}.html").read_text(),
    )


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "multinomial"])
def test_nested_is_that_of_python(tmp_path, capsys, loss):
    X, columns = write(tmp_path)
    name = {"gaussian": "height", "binomial": "ill", "multinomial": "kind"}[loss]
    given = ["--pheno-name", name, "--loss", loss, "--cv", 4, "--nested", 5, "--alphas", 30]
    text, cv, record, page = run(capsys, tmp_path, *given)
    direct = riata.cv_path(X, np.array(columns[name]), loss=loss, cv=4, nested=5, alphas=30)
    assert_allclose(cv.nested.alphas, direct.nested.alphas, rtol=1e-6)
    assert_array_equal(cv.nested.fold_ids, direct.nested.fold_ids)
    found = direct.evaluate(np.array(columns[name]))
    told = record["evaluation"]
    assert told["part"] == found.part == "nested cross-validation, alpha chosen anew without each fold"
    for measure, value in found.measures.items():
        assert_allclose(
            [told[measure][part] for part in ("value", "low", "high")],
            [value.value, value.low, value.high],
            rtol=1e-5,
        )
        assert f"(95 % {value.low:.4f} to" in text
    assert "nested: 5 outer folds, each with 64 samples to train on, chose alpha " in text
    assert "95 % interval" in page
    assert record["cross_validation"]["null_score"] == pytest.approx(direct.null_score)
    if loss == "multinomial":
        assert told["classes"]["observed_by_predicted"] == found.table.counts
        assert "recall of b" in text
        assert "recall of b" in page
    assert main(["report", "--model", f"{tmp_path}/out.path.npz", "--out", f"{tmp_path}/again"]) == 0
    assert json.loads((tmp_path / "again.json").read_text())["evaluation"] == told
    assert found.lines()[1].split("(")[0] in capsys.readouterr().out


def test_folds_that_chose_alpha_have_no_intervals(tmp_path, capsys):
    write(tmp_path)
    text, cv, record, page = run(capsys, tmp_path, "--pheno-name", "ill", "--loss", "binomial", "--cv", 5)
    assert record["evaluation"]["part"] == "cross-validated, optimistic: these folds chose alpha"
    assert set(record["evaluation"]["auc"]) == {"value"}
    assert set(record["evaluation"]["classes"]["sensitivity"]) == {"value"}
    for told in (text, page):
        assert "95 %" not in told
    assert "These samples had a part in the choice of the penalty: the figures flatter" in page
    lines = text.splitlines()
    row = next(line for line in lines if "intercept alone" in line)
    assert row.split()[2] == f"{cv.null_score:.4g}"
    header = next(line for line in lines if "lower is better" in line)
    assert " ".join(header.split()) == "lower is better deviance standard error alpha features"
    assert sum(line.startswith("    best, reported  ") for line in lines) == 1
    assert "one standard error" in text
    asked = run(capsys, tmp_path, "--pheno-name", "ill", "--loss", "binomial", "--cv", 5, "--alpha", cv.alpha)
    assert asked[2]["evaluation"]["part"] == "held-out folds, at the alpha asked for"
    assert set(asked[2]["evaluation"]["auc"]) == {"value"}
    assert "If the penalty was chosen after a look at these samples, the figures flatter" in asked[3]


@pytest.mark.parametrize("adjusted", [False, True])
def test_nothing_selected_is_one_sentence(tmp_path, capsys, adjusted):
    write(tmp_path)
    more = ["--covar", tmp_path / "y.csv", "--covar-name", "age"] if adjusted else []
    given = ["--pheno-name", "noise", *more, "--cv", 5, "--alpha", 10.0]
    text, _, record, page = run(capsys, tmp_path, *given)
    assert record["selected"]["features"] == 0
    assert record["evaluation"]["nothing_selected"]
    assert ("r2_covariates" in record["evaluation"]) == adjusted
    assert not {"r2", "correlation"} & set(record["evaluation"])
    sentence = (
        "othing was selected: the model predicts what the covariates alone do"
        if adjusted
        else "othing was selected: the model predicts the same for every sample, and there is nothing to "
        "evaluate"
    )
    assert text.count(f"n{sentence}") == 1
    section = page[page.index("<h2>How predictions compare") :].split("</section>")[0]
    assert f"N{sentence}." in section
    assert "<svg" not in section
    assert "slope" not in section
    assert "correlation" not in section


def test_outer_folds_that_select_nothing(tmp_path, capsys):
    write(tmp_path)
    given = ["--pheno-name", "noise", "--cv", 4, "--nested", 4, "--select", "1se"]
    text, cv, record, page = run(capsys, tmp_path, *given)
    assert not cv.nested.n_active.any()
    assert record["evaluation"]["nothing_selected"]
    assert " and no features\n" in text
    assert "alpha was chosen anew within each, so that predictions of its held-out samples" in page
    assert "95 %" not in text
    assert "95 %" not in page


def test_a_test_part_judges_already(tmp_path, capsys):
    write(tmp_path)
    rows = (tmp_path / "y.csv").read_text().splitlines()
    parts = ["part", *("test" if i % 4 == 0 else "train" for i in range(len(rows) - 1))]
    table = "\n".join(f"{row},{part}" for row, part in zip(rows, parts, strict=True))
    (tmp_path / "y.csv").write_text(table + "\n")
    files = ["--matrix", f"{tmp_path}/x.csv", "--pheno", f"{tmp_path}/y.csv", "--pheno-name", "height"]
    assert main(["cv", *files, "--split", "part", "--nested", "--out", f"{tmp_path}/out"]) == 2
    told = "--nested must be left out with a test part of --split, which judges the fit already"
    assert told in capsys.readouterr().err


def test_nested_windows_train_on_more_and_more(tmp_path, capsys):
    """Windows that expand over 80 samples in order of time: 16, 32, 48 and 64 to train on for 4 folds."""
    write(tmp_path)
    rows = (tmp_path / "y.csv").read_text().splitlines()
    dated = [f"{row},{1900 + k}" for k, row in enumerate(rows[1:])]
    (tmp_path / "y.csv").write_text("\n".join([rows[0] + ",year", *dated]) + "\n")
    given = ["--pheno-name", "height", "--time-order", "year", "--cv", 4, "--nested"]
    text, _, _, page = run(capsys, tmp_path, *given)
    assert "nested: 4 outer folds, with 16 to 64 samples to train on, chose alpha " in text
    assert "each tested on what follows it. The line is the mean" in page
    assert ".pair th{white-space:normal" in page  # headers in half a page's width


def test_covariates_alike_in_a_fold_are_no_warning(tmp_path, capsys):
    """Two covariates that differ in one sample are the same one where a fold holds that out."""
    write(tmp_path)
    rng = np.random.default_rng(5)
    ids = [line.split(",")[0] for line in (tmp_path / "y.csv").read_text().splitlines()[1:]]
    first = rng.integers(0, 2, len(ids))
    second = first.copy()
    second[7] = 1 - second[7]
    rows = [f"{i},{a},{b}" for i, a, b in zip(ids, first, second, strict=True)]
    (tmp_path / "c.csv").write_text("\n".join(["id,first,second", *rows]) + "\n")
    text, *_ = run(capsys, tmp_path, "--pheno-name", "height", "--covar", tmp_path / "c.csv", "--cv", 5)
    assert "R² of the covariates alone" in text


def test_threshold_is_of_two_classes(tmp_path, capsys):
    write(tmp_path)
    for name, loss in (("height", "gaussian"), ("kind", "multinomial")):
        given = ["--pheno", f"{tmp_path}/y.csv", "--pheno-name", name, "--loss", loss, "--threshold", "0.6"]
        for verb in ("fit", "cv"):
            arguments = [verb, "--matrix", f"{tmp_path}/x.csv", *given, "--out", f"{tmp_path}/out"]
            assert main(arguments) == 2
            told = f"--threshold is for two classes, with --loss binomial, not {loss}"
            assert told in capsys.readouterr().err
        run(capsys, tmp_path, "--pheno-name", name, "--loss", loss, "--cv", 3, "--alphas", 5)
        model = ["predict", "--model", f"{tmp_path}/out.path.npz", "--matrix", f"{tmp_path}/x.csv"]
        assert main([*model, "--threshold", "0.6", "--out", f"{tmp_path}/p"]) == 2
        assert told in capsys.readouterr().err


def test_penalty_between_those_of_the_path_is_beside_the_nearest(tmp_path, capsys):
    """The table of choices has scores and counts of the path's own penalties, and says which these are."""
    write(tmp_path)
    run(capsys, tmp_path, "--pheno-name", "height", "--cv", 4, "--alphas", 8)
    cv = riata.load(tmp_path / "out.path.npz")
    near, count = float(cv.path.alphas[2]), int(cv.path.n_active[2])
    between = 0.97 * near
    again = [
        "report",
        "--model",
        f"{tmp_path}/out.path.npz",
        "--out",
        f"{tmp_path}/r",
        "--alpha",
        f"{between}",
    ]
    assert main(again) == 0
    text = capsys.readouterr().out
    row = next(line for line in text.splitlines() if "nearest to that asked for" in line)
    assert row.split()[-4:] == [
        f"{cv.mean_score[2]:.4g}", f"{cv.se_score[2]:.2g}", f"{near:.4g}", str(count)
    ]  # fmt: skip


def test_threshold(tmp_path, capsys):
    write(tmp_path)
    given = ["--pheno-name", "ill", "--loss", "binomial", "--cv", 5, "--nested", 4]
    text, cv, record, page = run(capsys, tmp_path, *given, "--threshold", 0.3)
    y = np.array([line.split(",")[3] == "yes" for line in (tmp_path / "y.csv").read_text().splitlines()[1:]])
    said = 1.0 / (1.0 + np.exp(-cv.nested.link)) > 0.3
    sensitivity = np.mean(said[y])
    assert record["evaluation"]["classes"]["sensitivity"]["value"] == pytest.approx(sensitivity)
    assert f"sensitivity, of yes, predicted yes  {sensitivity:.4f}  (95 % " in text
    assert "Predicted yes: probability above 0.3" in page
    assert main(["report", "--model", f"{tmp_path}/out.path.npz", "--out", f"{tmp_path}/r"]) == 0
    assert "probability above 0.3" in capsys.readouterr().out
    again = ["report", "--model", f"{tmp_path}/out.path.npz", "--threshold", "0.8", "--out", f"{tmp_path}/r"]
    assert main(again) == 0
    told = json.loads(Path(f"{tmp_path}/r.json").read_text())["evaluation"]["classes"]
    said = 1.0 / (1.0 + np.exp(-cv.nested.link)) > 0.8
    assert told["observed_by_predicted"] == [
        [int(np.sum((y == k) & (said == j))) for j in (0, 1)] for k in (0, 1)
    ]
    assert {"value", "low", "high"} == set(told["specificity"])
    scored = ["predict", "--model", f"{tmp_path}/out.path.npz", "--matrix", f"{tmp_path}/x.csv"]
    scored += ["--pheno", f"{tmp_path}/y.csv", "--pheno-name", "ill", "--threshold", "0.4"]
    capsys.readouterr()
    assert main([*scored, "--out", f"{tmp_path}/s"]) == 0
    assert "predicted yes: probability above 0.4" in capsys.readouterr().out
    assert "npv" in json.loads(Path(f"{tmp_path}/s.json").read_text())["evaluation"]["classes"]
    assert main([*scored[:-2], "--out", f"{tmp_path}/s"]) == 0  # as the fit did
    assert "predicted yes: probability above 0.3" in capsys.readouterr().out


def test_several_phenotypes_say_what_covariates_give(tmp_path, capsys):
    write(tmp_path)
    covar = ["--covar", str(tmp_path / "y.csv"), "--covar-name", "age"]
    given = ["--pheno-name", "height,noise", *covar, "--cv", "4", "--nested", "4"]
    arguments = ["cv", "--matrix", f"{tmp_path}/x.csv", "--pheno", f"{tmp_path}/y.csv", *given]
    assert main([*arguments, "--out", f"{tmp_path}/all"]) == 0
    text = capsys.readouterr().out
    alone = run(capsys, tmp_path, "--pheno-name", "height", *covar, "--cv", 4, "--nested", 4)[2]["evaluation"]
    for name in ("r2", "r2_covariates", "r2_increment"):
        assert f"{alone[name]['value']:.4f} ({alone[name]['low']:.4f} to {alone[name]['high']:.4f})" in text
    assert "covariates alone" in text
    assert "added to them" in text
    assert "measures: nested cross-validation, alpha chosen anew without each fold" in text
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_folds_in_order_of_time_and_groups(tmp_path, capsys):
    write(tmp_path)
    given = ["--pheno-name", "height", "--time-order", "t", "--cv", 3, "--nested", 4]
    rows = (tmp_path / "x.csv").read_text().splitlines()
    (tmp_path / "x.csv").write_text(
        "\n".join([rows[0] + ",t", *(f"{row},{i // 2}" for i, row in enumerate(rows[1:]))]) + "\n"
    )
    _, cv, _, _ = run(capsys, tmp_path, *given)
    assert_array_equal(cv.nested.fold_ids, np.repeat([-1, 0, 1, 2, 3], 16))
    _, cv, _, _ = run(
        capsys, tmp_path, "--pheno-name", "height", "--fold-groups", "t", "--cv", 3, "--nested", name="g"
    )
    assert len(cv.nested.folds) == 3
    assert_array_equal(cv.nested.fold_ids[::2], cv.nested.fold_ids[1::2])
