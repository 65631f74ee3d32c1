"""``riata fit --scheduler``: genotypes held by a cluster of another process, the same outputs."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import run

import riata
from riata._io.progress import Progress

pytest.importorskip("distributed")

DATA = Path(__file__).parents[2] / "data" / "genotypes"
STUDY = ["--bfile", DATA / "tiny", "--pheno", DATA / "tiny.phe", "--covar", DATA / "tiny.cov"]
#: A cluster of two workers that lives until its input ends.
CLUSTER = """
import sys
from distributed import Client, LocalCluster

if __name__ == "__main__":
    workers = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**workers) as cluster, Client(cluster) as client:
        client.write_scheduler_file(sys.argv[1])
        print("ready", flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def scheduler_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    program, file = folder / "cluster.py", folder / "scheduler.json"
    program.write_text(CLUSTER)
    process = subprocess.Popen(
        [sys.executable, program, file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout.readline().strip() == b"ready"
    yield file
    process.stdin.close()
    process.stdout.close()
    process.wait(60)


def assert_same_fit(out, expected):
    both = [riata.load(f"{one}.path.npz") for one in (out, expected)]
    found, here = (getattr(one, "path", one) for one in both)
    assert np.array_equal(found.alphas, here.alphas)
    assert (found.coefs != here.coefs).nnz == 0
    assert np.array_equal(found.intercepts, here.intercepts)


@pytest.mark.slow
def test_fit_and_cv(scheduler_file, tmp_path, capsys):
    address = json.loads(scheduler_file.read_text())["address"]
    lines = [line.split("\t") for line in (DATA / "tiny.phe").read_text().splitlines()]
    pheno = tmp_path / "two.phe"
    rows = [[*line[:3], line[2] if k == 0 else f"{k % 7}.5"] for k, line in enumerate(lines)]
    rows[0][3] = "weight"
    pheno.write_text("\n".join("\t".join(row) for row in rows) + "\n")
    for verb, name, more, cluster in (
        ("fit", "height", [], ["--scheduler-file", scheduler_file]),
        ("cv", "height", ["--cv", 3], ["--scheduler", address]),
        ("cv", "height,weight", ["--cv", 3], ["--scheduler-file", scheduler_file, "--load", "map"]),
        ("fit", "height", [], ["--scheduler", address, "--load", "map", "--scratch", tmp_path]),
    ):
        given = [*STUDY, "--pheno", pheno, "--pheno-name", name, "--alphas", 8, "--eps", 0.1, *more]
        out, expected = tmp_path / "out", tmp_path / "expected"
        assert run(verb, *given, "--out", expected, "--quiet") == 0
        capsys.readouterr()
        assert run(verb, *given, *cluster, "--out", out) == 0
        told = capsys.readouterr().out
        assert f"held by 2 workers (2 threads) of {address}" in told
        for one in name.split(",") if "," in name else [None]:
            suffix = "" if one is None else f".{one}"
            assert_same_fit(f"{out}{suffix}", f"{expected}{suffix}")
            hits = [Path(f"{each}{suffix}.hits.tsv").read_text() for each in (out, expected)]
            assert hits[0] == hits[1]
            record = json.loads(Path(f"{out}{suffix}.json").read_text())
            assert record["cluster"]["workers"] == 2
            assert record["cluster"]["scheduler"] == address
    assert run("config", out) == 0
    assert 'load = "map"' in capsys.readouterr().out


def test_select(scheduler_file, tmp_path):
    given = [
        "select",
        *STUDY,
        "--pheno-name",
        "disease",
        "--loss",
        "binomial",
        "--pairs",
        3,
        "--pfer",
        1,
        "--quiet",
    ]
    assert run(*given, "--out", tmp_path / "expected") == 0
    assert run(*given, "--scheduler-file", scheduler_file, "--out", tmp_path / "out") == 0
    found, expected = ((tmp_path / f"{name}.frequencies.tsv").read_text() for name in ("out", "expected"))
    assert found == expected


def test_resume(scheduler_file, tmp_path, monkeypatch):
    given = [*STUDY, "--pheno-name", "height", "--alphas", 60, "--eps", 0.1, "--quiet"]
    assert run("fit", *given, "--out", tmp_path / "expected") == 0
    draw, calls = Progress.__call__, []

    def interrupt(self, *state):
        calls.append(state)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return draw(self, *state)

    given += ["--scheduler-file", scheduler_file, "--out", tmp_path / "out"]
    with monkeypatch.context() as patch:
        patch.setattr(Progress, "__call__", interrupt)
        assert run("fit", *given) == 130
    assert (tmp_path / "out.checkpoint").exists()
    assert run("fit", *given, "--load", "map", "--resume") == 0
    assert_same_fit(tmp_path / "out", tmp_path / "expected")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            ["--scheduler", "tcp://a:1", "--scheduler-file", "b"],
            "give --scheduler or --scheduler-file, not both",
        ),
        (["--load", "map"], "--load needs --scheduler or --scheduler-file"),
        (["--scheduler", "tcp://a:1", "--scratch", "c"], "--scratch needs --load map"),
        (["--scheduler-file", "absent.json"], "--scheduler-file: absent.json: no such file"),
    ],
)
@pytest.mark.parametrize("verb", ["fit", "cv", "select"])
def test_refusals(verb, given, words, tmp_path, capsys):
    assert run(verb, *STUDY, "--pheno-name", "height", *given, "--out", tmp_path / "out") != 0
    told = capsys.readouterr().err
    assert words in told
    assert len(told.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["study 1", '{"address": 7}', "[]", "\x00\xff"])
def test_a_file_that_no_scheduler_wrote(text, tmp_path, capsys):
    file = tmp_path / "scheduler.json"
    file.write_bytes(text.encode("latin-1"))
    given = [*STUDY, "--pheno-name", "height", "--scheduler-file", file, "--out", tmp_path / "out"]
    assert run("fit", *given) != 0
    assert f"{file}: it must be what a scheduler of Dask writes" in capsys.readouterr().err


def test_other_sources_and_knockoffs_are_refused(tmp_path, capsys):
    cluster = ["--scheduler", "tcp://a:1", "--out", tmp_path / "out"]
    assert run("fit", "--matrix", "a.csv", "--target", "b", *cluster) != 0
    assert (
        "--scheduler is for --bfile, whose .bed files workers can read, got --matrix"
        in capsys.readouterr().err
    )
    assert run("select", *STUDY, "--pheno-name", "height", "--fdr", 0.1, *cluster) != 0
    assert "leave out --scheduler, or give --knockoffs FILE" in capsys.readouterr().err


def test_no_scheduler(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("riata.study.cluster._PATIENCE", 2)
    assert (
        run(
            "fit",
            *STUDY,
            "--pheno-name",
            "height",
            "--scheduler",
            "tcp://127.0.0.1:9",
            "--out",
            tmp_path / "o",
        )
        != 0
    )
    told = capsys.readouterr().err
    assert "--scheduler tcp://127.0.0.1:9: no scheduler of Dask answers there" in told
