"""The demonstration: what it finds, writes and says."""

import json
from pathlib import Path

import numpy as np

import riata
from riata.cli.demo import load_leukemia, training_study
from riata.cli.parser import main


def test_shipped_data():
    data = load_leukemia()
    assert data.X.shape == (72, 7129)
    assert int(data.is_train.sum()) == 38
    assert int(data.y.sum()) == 25
    assert int(data.y[data.is_train].sum()) == 11
    study = training_study(data)
    assert "ZYX (X95735_at)" in study.feature_names
    assert len(set(study.feature_names)) == 7129


def test_demo(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {f"riata-demo.{kind}" for kind in ("html", "hits.tsv", "json", "log", "path.npz")}

    record = json.loads(Path("riata-demo.json").read_text())
    assert record["fit"]["converged"] is True
    assert record["fit"]["largest_gap"] <= 1e-6
    right, n = record["accuracy"]["test"]
    assert n == 34
    assert right >= 29
    assert record["accuracy"]["training"] == [38, 38]
    assert record["cross_validation"]["folds"] == 10

    cv = riata.load("riata-demo.path.npz")
    data = load_leukemia()
    called = cv.predict(data.X[~data.is_train]) > 0.5
    assert int(np.sum(called == data.y[~data.is_train])) == right
    assert f"{right} of 34 test patients" in said.out
    assert "ZYX (X95735_at)" in said.out
    assert "fits certified" in said.out
    hits = Path("riata-demo.hits.tsv").read_text().splitlines()
    assert len(hits) - 1 == record["selected"]["features"] == np.count_nonzero(cv.coef())
    page = Path("riata-demo.html").read_text()
    assert f"{len(hits) - 1} genes out of 7,129 tell two leukemias apart" in page
    assert "http" not in page
