"""What happens around a run of the command line: streams that are gone, signals, inputs that change."""

import hashlib
import json
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

pytestmark = pytest.mark.skipif(os.name == "nt", reason="of POSIX systems")
DATA = Path(__file__).parents[2] / "data" / "genotypes"
RUN = "import sys; from riata.cli.parser import main; sys.exit(main(sys.argv[1:]))"
SUFFIXES = {"html", "hits.tsv", "weights.tsv", "score", "ld.tsv", "path.npz", "json", "log"}


@pytest.fixture
def study(tmp_path):
    """Options for a copy of a small study, whose files may be changed."""
    for file in DATA.glob("tiny.*"):
        shutil.copy(file, tmp_path)
    return [
        *("fit", "--bfile", str(tmp_path / "tiny"), "--pheno", str(tmp_path / "tiny.phe")),
        *("--pheno-name", "height", "--out", str(tmp_path / "o")),
    ]


def shell(study, redirections, *more):
    words = [sys.executable, "-c", RUN, *study, *more]
    line = " ".join(f"'{word}'" for word in words) + " " + redirections
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=120, check=False)


def written(folder):
    return {path.name.removeprefix("o.") for path in folder.glob("o.*")}


@pytest.mark.parametrize("redirections", [">&-", "2>&-", ">&- 2>&-", ">&- 2>&- <&-", "| head -n 1", "| true"])
def test_streams_that_are_closed(tmp_path, study, redirections):
    done = shell(study, redirections, "--alphas", "5", "--verbose")
    assert done.returncode == 0, done.stderr
    assert written(tmp_path) >= SUFFIXES
    assert "samples" in (tmp_path / "o.log").read_text()
    assert "Traceback" not in done.stderr
    assert "a bug" not in done.stderr
    for file in tmp_path.glob("tiny.*"):  # nothing was printed into one of them
        assert file.read_bytes() == (DATA / file.name).read_bytes()


full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")


@full
def test_streams_that_are_full(tmp_path, study):
    done = shell(study, ">/dev/full", "--alphas", "5")
    assert done.returncode == 0
    assert done.stderr == (
        "riata: warning: standard output: No space left on device; the files are written all the same\n"
    )
    assert written(tmp_path) >= SUFFIXES
    done = shell(study, "2>/dev/full", "--alphas", "5", "--verbose")
    assert done.returncode == 0
    assert "Written" in done.stdout


@full
@pytest.mark.parametrize("asked", [["info", str(DATA / "tiny.bed")], ["--version"]])
def test_what_is_only_printed_must_be_printed(asked):
    done = shell(asked, ">/dev/full")
    assert "standard output: No space left on device" in done.stderr
    assert done.stderr.count("\n") == 1
    assert shell(asked, "| true").stderr == ""


STOPPED = """
import os, signal, sys
from riata.cli.parser import main
from riata._io.progress import Progress

number, when = int(sys.argv[1]), sys.argv[2]
draw = Progress.__call__
calls = 0

def stopped(self, *state):
    global calls
    calls += 1
    if calls == 5:
        os.kill(os.getpid(), number)
        if when == "twice":
            os.kill(os.getpid(), number)
    return draw(self, *state)

if when == "reading":
    import riata.cli.fit
    riata.cli.fit.load_study = lambda *options: os.kill(os.getpid(), number)
if when == "ignored":
    signal.signal(number, signal.SIG_IGN)
Progress.__call__ = stopped
sys.exit(main(sys.argv[3:]))
"""
NAMES = {signal.SIGINT: "interrupted", signal.SIGTERM: "ended by SIGTERM", signal.SIGHUP: "ended by SIGHUP"}


def stopped(study, number, when):
    command = [sys.executable, "-c", textwrap.dedent(STOPPED), str(int(number)), when, *study]
    return subprocess.run(
        [*command, "--alphas", "30", "--quiet"], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("number", NAMES)
def test_signals_keep_the_path(tmp_path, study, number):
    done = stopped(study, number, "once")
    assert done.returncode == 128 + number
    assert done.stderr == f"riata: {NAMES[number]}; the path so far was kept, --resume goes on with it\n"
    assert len(riata.load(tmp_path / "o.path.npz").alphas) == 5
    assert json.loads((tmp_path / "o.json").read_text())["fit"]["interrupted"] is True
    assert main([*study, "--alphas", "30", "--resume", "--quiet"]) == 0
    assert len(riata.load(tmp_path / "o.path.npz").alphas) == 30


@pytest.mark.parametrize("when", ["twice", "reading"])
@pytest.mark.parametrize("number", NAMES)
def test_signals_that_come_again_or_early_leave_nothing(tmp_path, study, number, when):
    before = set(os.listdir(tmp_path))
    done = stopped(study, number, when)
    assert done.returncode == 128 + number, done.stderr
    assert done.stderr.startswith(f"riata: {NAMES[number]}; ")
    assert done.stderr.count("\n") == 1
    assert {name for name in set(os.listdir(tmp_path)) - before if ".checkpoint" not in name} == set()


@pytest.mark.parametrize("number", NAMES)
def test_signals_that_are_ignored_stay_so(tmp_path, study, number):
    """As under nohup, or in the background of a shell."""
    done = stopped(study, number, "ignored")
    assert done.returncode == 0, done.stderr
    assert len(riata.load(tmp_path / "o.path.npz").alphas) == 30


def change_during_fit(monkeypatch, change):
    draw, calls = Progress.__call__, []

    def changed(self, *state):
        calls.append(state)
        if len(calls) == 3:
            change()
        return draw(self, *state)

    monkeypatch.setattr(Progress, "__call__", changed)


@pytest.mark.parametrize("suffix", ["bed", "bim", "fam", "phe"])
@pytest.mark.parametrize("how", ["replaced", "deleted"])
def test_a_file_that_is_replaced_during_the_run(tmp_path, study, monkeypatch, capsys, suffix, how):
    """The results are of the file as it was, its hash too; the run says what happened."""
    file = tmp_path / f"tiny.{suffix}"
    raw = file.read_bytes()
    assert main([*study, "--alphas", "8"]) == 0
    right = {s: (tmp_path / f"o.{s}").read_bytes() for s in ("hits.tsv", "ld.tsv", "score")}
    capsys.readouterr()

    def change():
        if how == "deleted":
            file.unlink()
        else:
            (tmp_path / "other").write_bytes(raw[:-60] + raw[-60:].swapcase()[::-1])
            os.replace(tmp_path / "other", file)

    change_during_fit(monkeypatch, change)
    assert main([*study, "--alphas", "8"]) == 0
    assert {s: (tmp_path / f"o.{s}").read_bytes() for s in right} == right
    told = f"{file} was {how} during the run: the results are of the file as it was"
    assert told in capsys.readouterr().out
    record = json.loads((tmp_path / "o.json").read_text())
    assert told in record["fit"]["warnings"]
    assert hashlib.sha256(raw).hexdigest() in [item["sha256"] for item in record["inputs"]]


def test_genotypes_that_are_written_to_during_the_run(tmp_path, study, monkeypatch, capsys):
    file = tmp_path / "tiny.bed"
    raw = bytearray(file.read_bytes())
    before = file.stat()

    def change():
        raw[100] ^= 0x30
        with open(file, "r+b") as stream:
            stream.write(raw)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))

    change_during_fit(monkeypatch, change)
    assert main([*study, "--alphas", "8", "--quiet"]) == 2
    assert f"{file}: the file was written to while it was in use" in capsys.readouterr().err
    assert {name for name in written(tmp_path) if "checkpoint" not in name} == set()


def test_a_file_that_changes_while_it_is_read(tmp_path, study, monkeypatch, capsys):
    from riata.cli import fit

    load = fit.load_study

    def change(*options):
        read = load(*options)
        file = tmp_path / "tiny.phe"
        (tmp_path / "other").write_text(file.read_text() + "\n")
        os.replace(tmp_path / "other", file)
        return read

    monkeypatch.setattr(fit, "load_study", change)
    assert main([*study, "--alphas", "8", "--quiet"]) == 2
    assert f"{tmp_path / 'tiny.phe'}: the file changed while it was read" in capsys.readouterr().err


@full
def test_no_checkpoint_is_a_warning(tmp_path, study, monkeypatch, capsys):
    """The fit goes on, and its outputs are written."""
    import riata.study.resume

    def no_room(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(riata.study.resume, "replace_json", no_room)
    assert main([*study, "--alphas", "8"]) == 0
    said = capsys.readouterr().out
    assert "o.checkpoint.json: No space left on device; the fit goes on, but could not be resumed" in said
    assert written(tmp_path) >= SUFFIXES


@pytest.mark.slow
def test_a_name_that_is_not_utf8(tmp_path, study):
    """From end to end: inputs, outputs, checkpoint, the record, and messages."""
    folder = os.fsencode(tmp_path) + b"/g\xe9n"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    for file in DATA.glob("tiny.*"):
        shutil.copy(file, os.path.join(os.fsdecode(folder), file.name))
    prefix = os.fsdecode(folder) + "/"
    arguments = ["--bfile", prefix + "tiny", "--pheno", prefix + "tiny.phe", "--pheno-name", "height"]
    whole = [sys.executable, "-c", RUN, "fit", *arguments, "--alphas", "5", "--out", prefix + "o\udcff"]
    done = subprocess.run(whole, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert {name for name in os.listdir(folder) if name.startswith(b"o\xff.")} >= {
        b"o\xff.json",
        b"o\xff.html",
    }
    record = json.loads(Path(prefix + "o\udcff.json").read_text("utf-8"))
    assert prefix + "tiny.bed" in [item["path"] for item in record["inputs"]]
    path = riata.load(prefix + "o\udcff.path.npz")
    geno = riata.open_genotypes(prefix + "tiny")
    again = riata.fit_path(geno, np.arange(46.0), alphas=3, checkpoint=prefix + "state\udcfe")
    assert len(again) == 3
    path.save(prefix + "copy\udcfe.npz")
    assert_array_equal(riata.load(prefix + "copy\udcfe.npz").alphas, path.alphas)
    for verb in (
        [
            "predict",
            "--model",
            prefix + "o\udcff.path.npz",
            "--bfile",
            prefix + "tiny",
            "--out",
            prefix + "p",
        ],
        ["report", "--model", prefix + "o\udcff.path.npz", "--out", prefix + "r\udcff"],
        ["info", prefix + "o\udcff.path.npz"],
        ["info", prefix + "o\udcff.json"],
    ):
        command = [sys.executable, "-c", RUN, *verb]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
    command = [sys.executable, "-c", RUN, "info", prefix + "none\udcff.bed"]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 2
    assert b"none\\udcff.bed: no such file" in done.stderr
