"""Training, validation and test parts: what is fitted, what chooses, what judges; covariates as classes."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import riata
from riata.cli.parser import main
from riata.path.evaluation import evaluate
from riata.study.held_out import fit_baseline, part_links
from riata.study.loading import load_study
from riata.study.options import StudyOptions
from riata.study.splitting import code_split

WORDS = ["train", "train", "train", "Validation", "test", "valid", "train", "val", "TEST", "train"]
CITIES = ["Rome", "Oslo", "Rome", "Kyiv", "Rome", "Oslo", "Rome"]


def run(*arguments):
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Simulated genotypes, and one table of phenotypes, parts and covariates."""
    prefix = tmp_path_factory.mktemp("split") / "s"
    riata.simulate_genotypes(prefix, 150, 300, n_chromosomes=2, missing=0.03, h2=0.6, n_causal=5, seed=4)
    rows = [line.split() for line in Path(f"{prefix}.pheno.txt").read_text().splitlines()[1:]]
    rng = np.random.default_rng(0)
    lines = ["FID IID height t2d part age city batch"]
    for i, (fid, iid, value) in enumerate(rows):
        age, batch = rng.integers(20, 80), rng.integers(1, 4)
        y = float(value) + 0.05 * age + 0.4 * batch
        case = 1 + (y > 3.4)
        word = "NA" if i == 7 else WORDS[i % len(WORDS)]
        lines.append(f"{fid} {iid} {y:.5f} {case} {word} {age} {CITIES[i % len(CITIES)]} {batch}")
    table = prefix.parent / "table.txt"
    table.write_text("\n".join(lines) + "\n")
    return str(prefix), str(table)


def options(files, **given):
    prefix, table = files
    shared = {"bfile": prefix, "pheno": table, "pheno_name": "height", "covar": table, "split": "part"}
    return StudyOptions(**{**shared, "covar_name": ("age",), **given})


def flags(files, pheno="height"):
    prefix, table = files
    study = ["--bfile", prefix, "--pheno", table, "--pheno-name", pheno, "--covar", table]
    return [*study, "--covar-name", "age", "--cat-covar", "batch", "--split", "part"]


def test_parts(files):
    study = load_study(options(files))
    words = [word.lower() for word in WORDS]
    known = [words[i % 10] for i in range(150) if i != 7]
    assert study.n_samples == known.count("train") == study.main.shape[0]
    assert {part.name: len(part.y) for part in study.parts} == {
        "validation": sum(word.startswith("val") for word in known),
        "test": known.count("test"),
    }
    assert study.join.dropped == [("part (--split) missing", [study.join.lost[0][0][1]])]
    assert study.covariate_names == ["age"]
    both = load_study(options(files, fit_validation=True))
    assert both.n_samples == study.n_samples + len(study.part("validation").y)
    assert [part.name for part in both.parts] == ["test"]
    every = riata.open_genotypes(files[0])
    rows = [list(every.samples.iid).index(name) for name in study.part("test").samples.iid]
    assert_array_equal(study.part("test").main.to_numpy([0, 5]), every.to_numpy([0, 5])[rows])


def test_classes_become_indicators(files):
    study = load_study(options(files, covar_name=("age", "city"), cat_covar=("batch",)))
    cities = [column for column in study.covariate_names if column.startswith("city")]
    assert cities == ["city=Kyiv", "city=Oslo"]
    assert sum(name.startswith("batch=") for name in study.covariate_names) == 2
    assert any("covariate city: 3 levels, reference Rome" in note for note in study.join.notes)
    block = study.covariates[:, 1:3]
    assert set(block.ravel()) == {0.0, 1.0}
    assert block.sum(axis=1).max() == 1.0


@pytest.mark.parametrize("pheno", ["height", "t2d"])
def test_fit_chooses_by_validation_and_is_judged_by_the_test_part(files, tmp_path, capsys, pheno):
    out, loss = tmp_path / "fit", "binomial" if pheno == "t2d" else "gaussian"
    assert run("fit", *flags(files, pheno), "--loss", loss, "--eps", 0.1, "--out", out) == 0
    study = load_study(options(files, pheno_name=pheno, loss=loss, cat_covar=("batch",)))
    path = riata.load(f"{out}.path.npz")
    direct = riata.fit_path(study.X, study.y, loss=loss, eps=0.1, penalty_factor=study.penalty_factor)
    assert_array_equal(path.coefs.toarray(), direct.coefs.toarray())

    part = study.part("validation")
    links = part_links(path, part, path.coefs, path.intercepts)
    X = part.main.to_numpy()
    X = np.hstack([np.where(np.isnan(X), path.mean[: X.shape[1]], X), part.covariates])
    assert_allclose(links, X @ path.coefs.toarray() + path.intercepts, atol=1e-10)
    if loss == "gaussian":
        scores = ((part.y[:, None] - links) ** 2).mean(axis=0)
    else:
        scores = 2.0 * (np.logaddexp(0.0, links) - part.y[:, None] * links).mean(axis=0)
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["selected"]["alpha"] == path.alphas[np.argmin(scores)]
    assert_allclose(record["validation"]["scores"], scores)
    assert "no refit" in record["selected"]["rule"]

    test = study.part("test")
    alpha = record["selected"]["alpha"]
    link = part_links(path, test, path.coef([alpha]), path.intercept([alpha]))[:, 0]
    baseline = fit_baseline(study).link(test.covariates)
    classes = study.response.classes or None
    expected = evaluate(test.y, link, loss=loss, baseline=baseline, part="test part", classes=classes)
    for name, value in expected.to_dict().items():  # sums in another order
        close = pytest.approx(value, rel=1e-12) if isinstance(value, dict) and name != "classes" else value
        assert record["evaluation"][name] == close
    assert record["samples"]["parts"] == {"validation": len(part.y), "test": len(test.y)}
    said = capsys.readouterr().out
    assert f"test part: {len(test.y)} samples" in said
    assert "added to the covariates" in said


def test_baseline_is_the_fit_of_covariates_alone(files):
    study = load_study(options(files))
    A = np.column_stack([np.ones(study.n_samples), study.covariates])
    coef = np.linalg.lstsq(A, study.y, rcond=None)[0]
    baseline = fit_baseline(study)
    assert_allclose([baseline.intercept, *baseline.coef], coef, rtol=1e-6)


def test_cv_keeps_the_test_part_out(files, tmp_path):
    out = tmp_path / "cv"
    assert run("cv", *flags(files), "--cv", 3, "--alphas", 20, "--eps", 0.1, "--out", out, "--quiet") == 0
    study = load_study(options(files, cat_covar=("batch",), fit_validation=True))
    path = riata.load(f"{out}.path.npz").path
    assert path.n_samples == study.n_samples
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["evaluation"]["part"] == "test part"
    assert record["evaluation"]["n"] == len(study.part("test").y)


def test_folds_judge_where_there_is_no_test_part(files, tmp_path):
    out = tmp_path / "cv"
    study = [item for item in flags(files) if item not in ("--split", "part")]
    assert run("cv", *study, "--cv", 3, "--alphas", 20, "--eps", 0.1, "--out", out, "--quiet") == 0
    record = json.loads(Path(f"{out}.json").read_text())
    assert record["evaluation"]["part"] == "cross-validated, optimistic: these folds chose alpha"
    assert record["evaluation"]["n"] == 150
    scores = record["cross_validation"]
    left = 1.0 - record["evaluation"]["r2"]["value"]
    assert_allclose(left, scores["mean_score"] / scores["null_score"], rtol=1e-9)
    cv = riata.load(f"{out}.path.npz")
    y = load_study(options(files, split=None, cat_covar=("batch",))).y
    rest = [(y[fold] - np.delete(y, fold).mean()) ** 2 for fold in cv.folds]
    assert_allclose(scores["null_score"], np.concatenate(rest).mean(), rtol=1e-9)


def test_split_column_of_a_table(tmp_path):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((40, 6))
    lines = ["sample,a,b,c,d,e,f,y,part"]
    for i, row in enumerate(X):
        values = ",".join(f"{v:.6f}" for v in row)
        lines.append(f"s{i},{values},{row[0] - row[2]:.6f},{'test' if i % 4 == 0 else 'train'}")
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines) + "\n")
    study = load_study(StudyOptions(matrix=str(path), target="y", split="part"))
    assert study.X.shape == (30, 6)
    assert list(study.part("test").samples.id) == [f"s{i}" for i in range(0, 40, 4)]
    arguments = ["--matrix", path, "--target", "y", "--split", "part", "--out", tmp_path / "f"]
    assert run("fit", *arguments, "--quiet") == 0
    record = json.loads((tmp_path / "f.json").read_text())
    assert record["evaluation"]["r2"]["value"] > 0.99


def edited(files, tmp_path, edit):
    rows = [line.split() for line in Path(files[1]).read_text().splitlines()]
    path = tmp_path / "edited.txt"
    path.write_text("\n".join(" ".join(row) for row in edit(rows)) + "\n")
    return str(path)


def test_what_a_split_must_not_be(files, tmp_path):
    def named(word):
        return edited(files, tmp_path, lambda rows: [rows[0], *([*r[:4], word, *r[5:]] for r in rows[1:])])

    with pytest.raises(ValueError, match=r"edited\.txt: --split part must hold train, .* got 'training'"):
        load_study(options(files, pheno=named("training")))
    with pytest.raises(ValueError, match=r"no sample is left of 150: .*150 part .--split. missing"):
        load_study(options(files, pheno=named("NA")))


def test_what_a_split_must_hold(files, tmp_path):
    def edit(rows):
        words = [rows[0][4], "test", *["train"] * (len(rows) - 2)]
        return [[*row[:4], word, *row[5:]] for row, word in zip(rows, words, strict=True)]

    one = edited(files, tmp_path, edit)
    with pytest.raises(ValueError, match="height: at least two samples are needed in the test part, 1 left"):
        load_study(options(files, pheno=one))
    with pytest.raises(ValueError, match=r"--split: no column 'fold'; .*table\.txt has FID, IID"):
        load_study(options(files, split="fold"))


def test_covariates_that_are_refused(files, tmp_path):
    with pytest.raises(ValueError, match="--cat-covar needs --covar"):
        load_study(options(files, covar=None, covar_name=None, cat_covar=("batch",)))
    given = {"pheno_name": "t2d", "loss": "binomial", "remove": one_less(files, tmp_path, 2)}
    with pytest.raises(ValueError, match="covariate height has 148 levels among"):
        load_study(options(files, split=None, cat_covar=("height",), **given))
    nine = edited(files, tmp_path, lambda rows: [rows[0], *([*r[:7], "-9"] for r in rows[1:])])
    with pytest.raises(ValueError, match=r"no sample is left of 150: .* 149 a covariate is missing"):
        load_study(options(files, covar=nine, cat_covar=("batch",)))
    word = WORDS.index("test")
    new = edited(
        files,
        tmp_path,
        lambda rows: [[*r[:6], "Bonn" if i == word + 1 else r[6], r[7]] for i, r in enumerate(rows)],
    )
    with pytest.raises(ValueError, match=r"line 6: covariate city is 'Bonn', .* it knows Kyiv, Oslo, Rome"):
        load_study(options(files, covar=new, covar_name=("city",)))


def one_less(files, tmp_path, count):
    samples = riata.open_genotypes(files[0]).samples[:count]
    path = tmp_path / "remove.txt"
    path.write_text("".join(f"{f} {i}\n" for f, i in zip(samples.fid, samples.iid, strict=True)))
    return str(path)


def test_samples_of_no_part():
    """None, NA and missing codes: of no part."""
    cells = ["train", "none", "NA", "-9", "Test", "", "val"]
    assert_array_equal(code_split(cells, "part", "t"), [0, -1, -1, -1, 2, -1, 1])
    assert_array_equal(code_split(["train", "out"], "part", "t", "out"), [0, -1])
    with pytest.raises(ValueError, match=r"t: --split part must hold train, .*, got '-9'"):
        code_split(cells, "part", "t", "NA")
