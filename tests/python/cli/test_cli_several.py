"""Several phenotypes in one run of the command line: outputs of each, shared passes, going on, refusals."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import run
from numpy.testing import assert_allclose, assert_array_equal

import riata
from riata._io.progress import Progress
from riata.cli.joint import phenotypes
from riata.study.loading import load_studies, load_study
from riata.study.options import StudyOptions

DATA = Path(__file__).parents[2] / "data" / "genotypes"
NAMES = ("height", "weight", "bmi")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Simulated genotypes; phenotypes with gaps of their own, two diseases, times, an age, parts."""
    prefix = tmp_path_factory.mktemp("several") / "s"
    riata.simulate_genotypes(prefix, 140, 200, n_chromosomes=2, missing=0.0, h2=0.7, n_causal=4, seed=6)
    rows = [line.split() for line in Path(f"{prefix}.pheno.txt").read_text().splitlines()[1:]]
    rng = np.random.default_rng(2)
    lines = ["FID IID height weight bmi t2d cad months dead part age"]
    for i, (fid, iid, value) in enumerate(rows):
        age, noise = rng.integers(30, 70), rng.standard_normal(3)
        height = float(value) + 0.02 * age
        weight = "NA" if i % 10 == 4 else f"{2 + 0.5 * float(value) + 0.5 * noise[0]:.4f}"
        bmi = "-9" if i in (4, 5) else f"{3 + abs(noise[1]):.4f}"
        cases = [int(height + noise[2] > 1.0), "NA" if i < 8 else int(noise[1] > 0.2) + 1]
        numbers = f"{height if i != 4 else 'NA'} {weight} {bmi} {cases[0]} {cases[1]}"
        part = "test" if i % 4 == 0 else "train"
        lines.append(f"{fid} {iid} {numbers} {rng.integers(1, 50)} {i % 3 != 0:d} {part} {age}")
    table = prefix.parent / "table.txt"
    table.write_text("\n".join(lines) + "\n")
    return str(prefix), str(table)


def flags(files, names):
    prefix, table = files
    return [
        "--bfile",
        prefix,
        "--pheno",
        table,
        "--pheno-name",
        names,
        "--covar",
        table,
        "--covar-name",
        "age",
    ]


@pytest.mark.parametrize("verb", ["fit", "cv"])
def test_each_is_as_if_alone(files, tmp_path, capsys, verb):
    more = ["--tol", 1e-12, "--alphas", 12, "--eps", 0.1, *(["--cv", 4] if verb == "cv" else [])]
    assert run(verb, *flags(files, ",".join(NAMES)), *more, "--out", tmp_path / "all") == 0
    said = capsys.readouterr().out
    passes, apart = None, 0.0
    for name in NAMES:
        assert run(verb, *flags(files, name), *more, "--out", tmp_path / name, "--quiet") == 0
        alone, record = (
            json.loads((tmp_path / file).read_text()) for file in (f"{name}.json", f"all.{name}.json")
        )
        assert record["samples"]["analysed"] == alone["samples"]["analysed"]
        assert record["response"] == alone["response"]
        assert record["selected"]["alpha"] == pytest.approx(alone["selected"]["alpha"])
        assert record["selected"]["features"] == alone["selected"]["features"]
        ours, theirs = (riata.load(tmp_path / f"{stem}.path.npz") for stem in (f"all.{name}", name))
        mine, other = (getattr(fit, "path", fit) for fit in (ours, theirs))
        assert_allclose(mine.coefs.toarray(), other.coefs.toarray(), atol=1e-9)
        if verb == "cv":
            assert_allclose(ours.scores, theirs.scores, rtol=1e-7)
            for fold, expected in zip(ours.folds, theirs.folds, strict=True):
                assert_array_equal(fold, expected)
            added = [found["evaluation"]["r2_covariates"]["value"] for found in (record, alone)]
            assert added[0] == pytest.approx(added[1], abs=1e-8)
            assert f"{added[0]:.4f}" in said
            nothing = record["selected"]["features"] == 0
            assert record["evaluation"]["nothing_selected"] == nothing
            assert ("r2" in record["evaluation"]) == (not nothing)
            if not nothing:
                value = record["evaluation"]["r2"]["value"]
                assert value == pytest.approx(alone["evaluation"]["r2"]["value"], abs=1e-8)
                assert f"{value:.4f}" in said
        passes, apart = record["fit"]["passes"], apart + alone["fit"]["passes"]
        rows = [(tmp_path / f"{stem}.hits.tsv").read_text().count("\n") for stem in (f"all.{name}", name)]
        assert rows[0] == rows[1]
        assert "fitted together" in (tmp_path / f"all.{name}.html").read_text()
        assert f"\n  {name}" in said
    assert passes < apart
    if verb == "cv":
        assert passes < 0.7 * apart


def test_samples_of_each(files):
    prefix, table = files
    asked = phenotypes(StudyOptions(bfile=prefix, pheno=table, pheno_name="height, weight,bmi"))
    joint = load_studies(asked)
    assert joint.join.dropped == [("none of height, weight, bmi", [joint.join.dropped[0][1][0]])]
    assert len(joint.X) == 139
    for study, rows, given in zip(joint.studies, joint.rows, asked, strict=True):
        alone = load_study(given)
        assert_array_equal(study.y, alone.y)
        assert list(study.samples.iid) == list(alone.samples.iid)
        assert study.join.n_analysed == len(rows) == alone.n_samples
        assert len(study.join.lost) == len(alone.join.lost)
        assert_array_equal(study.main.to_numpy([0, 3]), joint.X.main.to_numpy([0, 3])[rows])
    assert joint.studies[1].join.dropped[-1][0] == "weight missing"


def test_diseases_in_two_codings_and_a_test_part(files, tmp_path, capsys):
    asked = [*flags(files, "t2d,cad"), "--loss", "binomial", "--split", "part", "--eps", 0.2, "--cv", 3]
    assert run("cv", *asked, "--out", tmp_path / "d") == 0
    said = capsys.readouterr().out
    heads = [line for line in said.splitlines() if line.startswith("  phenotype ")]
    words = " ".join(" ".join(line.split()) for line in heads)  # what is too wide goes on below
    assert "AUC covariates alone" in words
    assert "added to them" in words
    assert max(len(line) for line in heads) <= 102
    assert "  measures: test part\n" in said
    assert "coded 0/1, 1 = case" in said
    assert "coded 1/2, 2 = case" in said
    for name, cases in (("t2d", ["0", "1"]), ("cad", ["1", "2"])):
        record = json.loads((tmp_path / f"d.{name}.json").read_text())
        assert record["response"]["classes"] == cases
        assert record["evaluation"]["part"] == "test part"
    model = ["--model", tmp_path / "d.cad.path.npz", "--bfile", files[0], "--covar", files[1]]
    assert run("predict", *model, "--pheno", files[1], "--out", tmp_path / "p") == 0
    assert "AUC" in capsys.readouterr().out


def test_times_of_several_events(files, tmp_path, capsys):
    prefix, table = files
    asked = ["--bfile", prefix, "--pheno", table, "--loss", "cox", "--alphas", 10, "--eps", 0.2]
    times = ["--time", "months", "--event", "dead,t2d"]
    assert run("cv", *asked, *times, "--cv", 3, "--out", tmp_path / "s") == 0
    said = capsys.readouterr().out
    assert "  concordance" in said
    assert "  measures: cross-validated, optimistic: these folds chose alpha\n" in said
    alone = ["--time", "months", "--event", "t2d", "--cv", 3, "--quiet", "--out", tmp_path / "t"]
    assert run("cv", *asked, *alone) == 0
    mine, other = (riata.load(tmp_path / f"{stem}.path.npz").path for stem in ("s.t2d", "t"))
    assert_allclose(mine.coefs.toarray(), other.coefs.toarray(), atol=1e-4)
    assert run("cv", *asked, "--time", "months,age,part", "--event", "dead,t2d", "--out", tmp_path / "u") == 2
    assert "--time must name one column, or one for each of --event, got 3 for 2" in capsys.readouterr().err


def test_resume(files, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("riata.path.fit.CHECKPOINT_SECONDS", 0.0)
    asked = ["cv", *flags(files, "height,weight"), "--cv", 3, "--alphas", 15, "--out"]
    assert run(*asked, tmp_path / "whole", "--quiet") == 0

    def stop(self, done, *rest):
        self.interrupted = done >= 9
        return not self.interrupted

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "__call__", stop)
        assert run(*asked, tmp_path / "cut", "--quiet") == 130
    assert (tmp_path / "cut.checkpoint").exists()
    capsys.readouterr()
    assert run(*asked, tmp_path / "cut", "--resume") == 0
    assert "Resuming after" in capsys.readouterr().out
    assert not list(tmp_path.glob("*checkpoint*"))
    for name in ("height", "weight"):
        whole, cut = (riata.load(tmp_path / f"{stem}.{name}.path.npz") for stem in ("whole", "cut"))
        assert_array_equal(whole.path.coefs.toarray(), cut.path.coefs.toarray())
        assert_array_equal(whole.scores, cut.scores)


def test_targets_of_a_table(tmp_path, capsys):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((50, 12))
    lines = ["sample," + ",".join(f"g{j}" for j in range(12)) + ",a,b"]
    for i, row in enumerate(X):
        y = [row[0] + 0.1 * rng.standard_normal(), row[1] - row[2]]
        lines.append(
            ",".join([f"s{i}", *(f"{v:.6f}" for v in [*row, y[0]]), "NA" if i < 3 else f"{y[1]:.5f}"])
        )
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    given = ["--matrix", tmp_path / "t.csv", "--target", "a,b", "--cv", 5]
    assert run("cv", *given, "--out", tmp_path / "r") == 0
    assert [riata.load(tmp_path / f"r.{name}.path.npz").path.n_samples for name in "ab"] == [50, 47]
    assert run("cv", *given[:2], "--target", "a,a", "--out", tmp_path / "r") == 2
    assert "phenotype a is named twice" in capsys.readouterr().err
    assert run("cv", *given[:2], "--target", "a,c", "--out", tmp_path / "new") == 2
    assert "no column 'c'" in capsys.readouterr().err
    assert not list(tmp_path.glob("new*"))
