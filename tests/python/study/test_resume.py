"""`--resume`: a run of the command line that was cut short goes on to the same result."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import riata
from riata._io.progress import Progress
from riata.cli.parser import main

DATA = Path(__file__).parents[2] / "data" / "genotypes"

KILLED = """
import os, signal, sys
import riata.path.fit
from riata.cli.parser import main
from riata._io.progress import Progress

riata.path.fit.CHECKPOINT_SECONDS = 0.0
draw = Progress.__call__

def killed(self, done, *rest):
    if done >= 20:
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(self, done, *rest)

Progress.__call__ = killed
main(sys.argv[1:])
"""


@pytest.fixture
def study(tmp_path):
    """Options for a copy of a small study, whose files may be changed."""
    for file in DATA.glob("tiny.*"):
        shutil.copy(file, tmp_path)
    return [
        *("--bfile", str(tmp_path / "tiny"), "--pheno", str(tmp_path / "tiny.phe")),
        *("--pheno-name", "height", "--covar", str(tmp_path / "tiny.cov")),
    ]


def cut_short(verb, study, out, monkeypatch):
    """Run to the tenth alpha, as Ctrl-C would stop it."""

    def stop(self, done, *rest):
        self.interrupted = done >= 10
        return not self.interrupted

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "__call__", stop)
        assert main([verb, *study, "--out", out]) == 130
    assert os.path.exists(f"{out}.checkpoint")


def same_fit(a, b):
    a, b = (riata.load(f"{prefix}.path.npz") for prefix in (a, b))
    for one, other in ((getattr(a, "path", a), getattr(b, "path", b)),):
        assert_array_equal(one.alphas, other.alphas)
        assert_array_equal(one.coefs.toarray(), other.coefs.toarray())
        assert_array_equal(one.intercepts, other.intercepts)
        assert_array_equal(one.dual_gaps, other.dual_gaps)
    if hasattr(a, "scores"):
        assert_array_equal(a.scores, b.scores)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="processes are killed differently there")
@pytest.mark.parametrize("verb", ["fit", "cv"])
def test_killed_and_resumed(tmp_path, study, capsys, verb):
    out, whole = str(tmp_path / "cut"), str(tmp_path / "whole")
    command = [sys.executable, "-c", textwrap.dedent(KILLED), verb, *study, "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert main([verb, *study, "--out", out, "--resume"]) == 0
    printed = capsys.readouterr().out
    assert "Resuming after 19 of 100 alphas\n" in printed
    assert "Resuming after 19 of 100 alphas\n" in Path(f"{out}.log").read_text()
    assert main([verb, *study, "--out", whole]) == 0
    same_fit(out, whole)
    hits = Path(f"{out}.hits.tsv").read_text()
    assert hits == Path(f"{whole}.hits.tsv").read_text()
    assert not list(tmp_path.glob("*.checkpoint*"))


@pytest.mark.parametrize("changed", ["tiny.bed", "tiny.bim", "tiny.phe", "tiny.cov"])
def test_a_changed_input_is_refused_by_name(tmp_path, study, capsys, monkeypatch, changed):
    out = str(tmp_path / "cut")
    cut_short("fit", study, out, monkeypatch)
    file = tmp_path / changed
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    capsys.readouterr()
    assert main(["fit", *study, "--out", out, "--resume"]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"riata: error: --resume: {file} has changed since {out}.checkpoint was made from it; "
        f"delete {out}.checkpoint, or give another --out, to start anew\n"
    )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_changed_options_and_inputs_are_refused(tmp_path, study, capsys, monkeypatch):
    out = str(tmp_path / "cut")
    cut_short("fit", study, out, monkeypatch)
    cases = [
        ([*study, "--l1-ratio", "0.5"], "--resume: --l1-ratio was not given, is 0.5: give what"),
        ([*study, "--eps", "0.01", "--maf", "0.05"], "--maf was 0, is 0.05; --eps was not given, is 0.01: "),
        ([*study, "--no-standardize"], "--no-standardize was not given, is given: "),
        (study[:-2], f"--covar was {tmp_path / 'tiny.cov'}, is not given: "),
    ]
    for options, message in cases:
        assert main(["fit", *options, "--out", out, "--resume"]) == 2
        assert message in capsys.readouterr().err
        assert os.path.exists(f"{out}.checkpoint")
    os.remove(f"{out}.checkpoint.json")
    assert main(["fit", *study, "--out", out, "--resume"]) == 2
    assert "cut.checkpoint was made from, is missing" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["fit", "cv"])
def test_nothing_is_fitted_again_after_outputs_failed(tmp_path, study, capsys, monkeypatch, verb):
    out, whole = str(tmp_path / "cut"), str(tmp_path / "whole")

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("riata.cli.outputs.write_tsv", full)
        assert main([verb, *study, "--out", out]) == 2
    assert "No space left on device" in capsys.readouterr().err
    told = []
    monkeypatch.setattr(Progress, "__call__", lambda self, done, *rest: told.append(done))
    assert main([verb, *study, "--out", out, "--resume"]) == 0
    assert len(told) <= 1
    monkeypatch.undo()
    assert main([verb, *study, "--out", whole]) == 0
    same_fit(out, whole)
    assert not list(tmp_path.glob("*.checkpoint*"))


def test_an_error_leaves_nothing(tmp_path, study, capsys):
    out = tmp_path / "new" / "folder" / "cut"
    assert main(["fit", *study, "--tol", "-1", "--out", str(out)]) == 2
    assert "tol must be >= 0" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("verb", ["fit", "cv"])
@pytest.mark.parametrize("names", ["height", "height,code"])
def test_without_resume_a_checkpoint_stays(tmp_path, study, capsys, monkeypatch, verb, names):
    out = str(tmp_path / "cut")
    study = [names if text == "height" else text for text in study] + ["--loss", "gaussian"]
    cut_short(verb, study, out, monkeypatch)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    capsys.readouterr()
    assert main([verb, *study, "--out", out]) == 2
    assert capsys.readouterr().err == (
        f"riata: error: {out}.checkpoint is of a run that was cut short: --resume goes on with it; to start "
        "anew, delete it or give another --out\n"
    )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert main([verb, *study, "--out", out, "--resume", "--threads", "1", "--quiet"]) == 0
    assert not list(tmp_path.glob("*.checkpoint*"))


def test_the_verb_of_a_checkpoint(tmp_path, study, capsys, monkeypatch):
    out = str(tmp_path / "cut")
    cut_short("fit", study, out, monkeypatch)
    assert main(["cv", *study, "--out", out, "--resume"]) == 2
    assert f"--resume: {out}.checkpoint is of riata fit; delete" in capsys.readouterr().err
    os.remove(f"{out}.checkpoint")
    assert main(["fit", *study, "--out", out]) == 0
    assert main(["fit", *study, "--out", out, "--resume"]) == 0
    assert f"Nothing to resume: there is no {out}.checkpoint; starting" in capsys.readouterr().out
    assert np.all(riata.load(f"{out}.path.npz").converged)


def test_folds_are_those_of_the_checkpoint(tmp_path, study, capsys, monkeypatch):
    """Other folds are refused by the names of their options; the same go on to the same result."""
    out, whole = str(tmp_path / "cut"), str(tmp_path / "whole")
    folds = ["--fold-groups", "FID", "--repeats", "2", "--cv", "4"]
    cut_short("cv", [*study, *folds], out, monkeypatch)
    for other, message in (
        ([*folds, "--seed", "5"], "--resume: --seed was 0, is 5: give what"),
        (["--fold-groups", "FID", "--cv", "5"], "--cv was 4, is 5; --repeats was 2, is 1: give what"),
        (["--time-order", "age", "--cv", "4"], "--repeats was 2, is 1; --fold-groups was FID, is not "),
    ):
        assert main(["cv", *study, *other, "--out", out, "--resume"]) == 2
        assert message in capsys.readouterr().err
    assert main(["cv", *study, *folds, "--out", out, "--resume"]) == 0
    assert main(["cv", *study, *folds, "--out", whole]) == 0
    same_fit(out, whole)
