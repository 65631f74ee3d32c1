"""Counts, offsets and robust fits from the command line."""

import json

import numpy as np
import pytest
from commands import read_arrays, run
from numpy.testing import assert_allclose

import riata


@pytest.fixture
def files(tmp_path):
    """A table of 120 samples x 20 genes; counts over unequal times, a dose with outliers, parts."""
    rng = np.random.default_rng(12)
    X = rng.standard_normal((120, 20)).round(5)
    log_time = rng.uniform(-1.0, 1.5, 120).round(5)
    counts = rng.poisson(np.exp(log_time + 0.7 * X[:, 2] - 0.5 * X[:, 5]))
    dose = X[:, 1] - X[:, 3] + 0.5 * rng.standard_t(1.5, 120)
    part = np.resize(["train", "train", "validation", "test"], 120)
    table = ["IID," + ",".join(f"g{j}" for j in range(20))]
    table += [f"s{i}," + ",".join(map(repr, map(float, row))) for i, row in enumerate(X)]
    (tmp_path / "x.csv").write_text("\n".join(table) + "\n")
    rows = ["IID visits logtime dose part"]
    rows += [
        f"s{i} {'NA' if i == 7 else counts[i]} {log_time[i]} {dose[i]:.4f} {part[i]}" for i in range(120)
    ]
    (tmp_path / "y.txt").write_text("\n".join(rows) + "\n")
    return tmp_path, X, counts.astype(float), log_time


def flags(files, name, loss):
    return [
        "--matrix",
        files[0] / "x.csv",
        "--pheno",
        files[0] / "y.txt",
        "--pheno-name",
        name,
        "--loss",
        loss,
    ]


def test_an_offset_is_added(files):
    folder, X, _, log_time = files
    arguments = [*flags(files, "dose", "gaussian"), "--offset", "logtime", "--alphas", 10]
    assert run("fit", *arguments, "--out", folder / "f", "--quiet") == 0
    dose = np.array([line.split()[3] for line in (folder / "y.txt").read_text().splitlines()[1:]], float)
    direct = riata.fit_path(X, dose, offset=log_time, alphas=10)
    path = riata.load(folder / "f.path.npz")
    assert_allclose(path.coefs.toarray(), direct.coefs.toarray())
    plain = riata.fit_path(X, dose, alphas=10)
    assert np.abs(path.coefs.toarray()[:, -1] - plain.coefs.toarray()[:, -1]).max() > 1e-3
    record = json.loads((folder / "f.json").read_text())
    assert record["response"]["offset"] == "logtime"


def test_counts(files, capsys):
    folder, X, counts, log_time = files
    arguments = [*flags(files, "visits", "poisson"), "--offset", "logtime"]
    assert run("cv", *arguments, "--cv", 4, "--out", folder / "cv") == 0
    said = capsys.readouterr().out
    assert "dropped: visits missing" in said
    assert "sparse Poisson regression" in said
    hits = read_arrays(folder / "cv.hits.tsv")
    assert_allclose(np.exp(hits["BETA"].astype(float)), hits["RR"].astype(float), rtol=1e-8)
    cv = riata.load(folder / "cv.path.npz")
    kept = np.arange(120) != 7
    direct = riata.cv_path(X[kept], counts[kept], offset=log_time[kept], loss="poisson", cv=4)
    assert_allclose(cv.scores, direct.scores, rtol=1e-8)
    found = direct.evaluate(counts[kept], offset=log_time[kept])
    record = json.loads((folder / "cv.json").read_text())
    assert record["evaluation"]["d2"]["value"] == pytest.approx(found.measures["d2"].value)
    page = (folder / "cv.html").read_text()
    assert "the rate of visits" in page
    assert "observed visits" in page

    model = ["--model", folder / "cv.path.npz", "--matrix", folder / "x.csv", "--pheno", folder / "y.txt"]
    assert run("predict", *model, "--out", folder / "p") == 0
    scores = read_arrays(folder / "p.scores.tsv")
    note = "rates are for an offset of 0: logtime of the fit is left out"
    said = capsys.readouterr().out
    assert f"note: {note}" in said
    assert note in json.loads((folder / "p.json").read_text())["notes"]
    link = cv.predict(X, kind="link", offset=0)
    assert_allclose(scores["RATE"].astype(float), np.exp(link), rtol=1e-6)
    fits = (
        riata.evaluate(counts[kept], (link + log_time)[kept], loss="poisson", offset=log_time[kept])
        .measures["d2"]
        .value
    )
    assert f"{fits:.4f}" in said


def test_counts_below_zero_are_refused(files, capsys):
    assert run("fit", *flags(files, "dose", "poisson"), "--out", files[0] / "n") == 2
    assert "dose: --loss poisson needs counts, numbers >= 0, got -" in capsys.readouterr().err


def test_robust_fit(files, capsys):
    folder, X, _, _ = files
    arguments = [*flags(files, "dose", "huber"), "--huber-delta", 0.8, "--split", "part", "--eps", 0.1]
    assert run("fit", *arguments, "--out", folder / "h") == 0
    assert "test part" in capsys.readouterr().out
    train = np.resize([True, True, False, False], 120)
    dose = np.array([line.split()[3] for line in (folder / "y.txt").read_text().splitlines()[1:]], float)
    direct = riata.fit_path(X[train], dose[train], loss="huber", huber_delta=0.8, eps=0.1)
    path = riata.load(folder / "h.path.npz")
    assert_allclose(path.coefs.toarray(), direct.coefs.toarray())
    record = json.loads((folder / "h.json").read_text())
    test = np.resize([False, False, False, True], 120)
    link = direct.predict(X[test], record["selected"]["alpha"], kind="link")
    found = riata.evaluate(dose[test], link, loss="huber", huber_delta=0.8).measures["d2"]
    assert record["evaluation"]["d2"]["value"] == pytest.approx(found.value)


def test_delta_without_the_loss_is_refused(files, capsys):
    assert run("fit", *flags(files, "dose", "gaussian"), "--huber-delta", 2, "--out", files[0] / "n") == 2
    assert "--huber-delta needs --loss huber" in capsys.readouterr().err


def test_a_score_has_no_level_to_compare_counts_with(files, capsys):
    asked = ["--weights", "w.tsv", "--bfile", "s", "--pheno", files[0] / "y.txt", "--loss", "poisson"]
    assert run("predict", *asked, "--out", files[0] / "n") == 2
    assert "invalid choice 'poisson' (choose from gaussian, binomial, cox)" in capsys.readouterr().err
