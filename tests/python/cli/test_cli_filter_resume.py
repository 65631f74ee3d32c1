"""``riata select --fdr`` that is cut short: what is made is kept, and not made again."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from commands import run

import riata
from riata.cli import filtering


@pytest.fixture
def asked(tmp_path):
    """80 samples x 30 genes, some of them correlated, with two phenotypes."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal((80, 30)) @ (np.eye(30) + 0.5 * np.eye(30, k=1))
    y, z = X[:, :8].sum(axis=1), X[:, 8:16].sum(axis=1)
    rows = np.column_stack([X, y, z])
    rows[:, 30:] += 0.3 * rng.standard_normal((80, 2))
    head = "\t".join(["id", *(f"g{j}" for j in range(30)), "y", "z"])
    lines = ["\t".join([f"s{i}", *(f"{v:.5f}" for v in row)]) for i, row in enumerate(rows)]
    (tmp_path / "t.tsv").write_text("\n".join([head, *lines]) + "\n")
    return [
        "select",
        "--matrix",
        tmp_path / "t.tsv",
        "--target",
        "y,z",
        "--fdr",
        0.3,
        "--draws",
        2,
        "--cv",
        4,
    ]


def cut_short(asked, out, monkeypatch, where, at):
    """Run until a method is called for the `at`-th time, at which Ctrl-C comes."""
    method, calls = getattr(filtering.Filtering, where), []

    def interrupted(self, *given):
        calls.append(given)
        if len(calls) == at:
            os.kill(os.getpid(), signal.SIGINT)
        return method(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(filtering.Filtering, where, interrupted)
        assert run(*asked, "--out", out) == 130


def counted(monkeypatch):
    """Count what is learned and drawn from now on."""
    counts = {"fit": 0, "draw": 0}
    for name in counts:
        method = getattr(riata.knockoffs.Gaussian, name)

        def counting(self, *given, _name=name, _method=method, **more):
            counts[_name] += 1
            return _method(self, *given, **more)

        monkeypatch.setattr(riata.knockoffs.Gaussian, name, counting)
    return counts


@pytest.mark.parametrize(
    ("where", "at", "made"), [("_knockoffs", 2, 1), ("_select", 1, 2), ("_select", 2, 3)]
)
def test_goes_on_to_the_result_of_one_run(tmp_path, asked, monkeypatch, capsys, where, at, made):
    assert run(*asked, "--out", tmp_path / "whole") == 0
    cut_short(asked, tmp_path / "o", monkeypatch, where, at)
    told = capsys.readouterr()
    kept = tmp_path / "o.knockoffs.checkpoint"
    assert f"riata: interrupted; --resume goes on from {kept}" in told.err
    assert len(json.loads(kept.read_text())["made"]) == made
    assert not (tmp_path / "o.y.html").exists()
    assert run(*asked, "--out", tmp_path / "o") == 2
    assert "--resume goes on with it" in capsys.readouterr().err
    counts = counted(monkeypatch)
    assert run(*asked, "--resume", "--out", tmp_path / "o") == 0
    assert f"Resuming after {made} of 4 parts" in capsys.readouterr().out
    assert counts == {"fit": int(made < 2), "draw": max(2 - made, 0)}
    for name in ("y.selected.tsv", "z.selected.tsv", "y.statistics.tsv", "z.statistics.tsv"):
        assert (tmp_path / f"o.{name}").read_text() == (tmp_path / f"whole.{name}").read_text()
    assert not list(tmp_path.glob("*checkpoint*"))


def test_other_options_are_refused(tmp_path, asked, monkeypatch, capsys):
    cut_short(asked, tmp_path / "o", monkeypatch, "_select", 1)
    capsys.readouterr()
    assert run(*asked, "--seed", 1, "--resume", "--out", tmp_path / "o") == 2
    assert "--seed was 0, is 1" in capsys.readouterr().err
    (tmp_path / "o.knockoffs.checkpoint").write_text('{"made": 3}')
    assert run(*asked, "--resume", "--out", tmp_path / "o") == 2
    assert "is not a checkpoint of knockoffs, or is damaged" in capsys.readouterr().err


def test_knockoffs_are_drawn_once_for_all_phenotypes_and_kept(tmp_path, asked, monkeypatch):
    counts = counted(monkeypatch)
    assert run(*asked, "--keep-knockoffs", "--quiet", "--out", tmp_path / "o") == 0
    assert counts == {"fit": 1, "draw": 2}
    kept = np.load(tmp_path / "o.draw2.knockoffs.npz")
    assert kept["X"].shape == (80, 30)
    assert kept["feature_names"].tolist() == [f"g{j}" for j in range(30)]
    lines = Path(asked[2]).read_text().splitlines()[1:]
    X = np.asfortranarray([[float(v) for v in line.split("\t")[1:31]] for line in lines])
    drawn = riata.knockoffs.Gaussian().fit(X).draw(X, random_state=0, draw=1)
    assert np.array_equal(kept["X"], drawn.X)
    one = [
        *asked[:4],
        "y",
        "--drop",
        "z",
        "--fdr",
        0.3,
        "--cv",
        4,
        "--knockoffs",
        tmp_path / "o.draw2.knockoffs.npz",
    ]
    assert run(*one, "--quiet", "--out", tmp_path / "again") == 0
    y = [float(line.split("\t")[31]) for line in lines]
    found = riata.knockoff_selection(X, y, knockoffs=drawn, fdr=0.3, cv=4)
    rows = [line.split("\t")[0] for line in (tmp_path / "again.selected.tsv").read_text().splitlines()[1:]]
    assert rows == [f"g{j}" for j in found.selected]


def test_a_model_of_haplotypes_is_not_fitted_again(tmp_path, monkeypatch, capsys):
    riata.simulate_genotypes(tmp_path / "g", 120, 100, n_chromosomes=2, seed=3)
    asked = ["select", "--bfile", tmp_path / "g", "--fdr", 0.3, "--ld-groups", "0.3,0.7", "--cv", 3]
    assert run(*asked, "--out", tmp_path / "whole") == 0
    cut_short(asked, tmp_path / "o", monkeypatch, "_knockoffs", 2)
    made = json.loads((tmp_path / "o.knockoffs.checkpoint").read_text())["made"]
    assert list(made)[:2] == ["model", "r2_0.3.draw1"]
    assert len(made) == 3
    assert (tmp_path / "o.knockoffs.checkpoint.r2_0.3.draw1.bed").exists()

    def fit(*_, **__):
        raise AssertionError("fitted again")

    monkeypatch.setattr(riata.knockoffs.Haplotypes, "fit", fit)
    capsys.readouterr()
    assert run(*asked, "--resume", "--out", tmp_path / "o") == 0
    told = capsys.readouterr().out
    assert "Resuming after 3 of 5 parts" in told
    assert "model of haplotypes: kept from before" in told
    for r2 in (0.3, 0.7):
        name = f"r2_{r2}.statistics.tsv"
        assert (tmp_path / f"o.{name}").read_text() == (tmp_path / f"whole.{name}").read_text()
    assert not list(tmp_path.glob("*checkpoint*"))
