"""A set of outputs is one transaction: killed at any step it is old, new, or says that it is neither."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from riata._io.output_files import OutputSet, set_lines
from riata._io.staging import commit_folder, settle
from riata.cli.parser import main

posix = pytest.mark.skipif(os.name == "nt", reason="processes are killed differently there")
KINDS = ("a.tsv", "b.tsv", "old.tsv", "new.tsv", "*.score", "json", "log")

WRITE = """
import os, signal, sys
from riata._io.output_files import OutputSet

kinds = ("a.tsv", "b.tsv", "old.tsv", "new.tsv", "*.score", "json", "log")
steps = 0

def counted(call, kill_at):
    def step(*args, **kwargs):
        global steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **kwargs)
    return step

def write(prefix, label, suffixes, kill_at):
    with OutputSet(prefix, kinds) as outputs:
        for suffix in suffixes.split(","):
            outputs.path(suffix).write_text(f"{label} {suffix}")
        outputs.write_manifest({"label": label})
        for name in ("replace", "rename", "link", "unlink", "rmdir", "fsync"):
            setattr(os, name, counted(getattr(os, name), int(kill_at)))
    print(steps, flush=True)

for line in sys.stdin:  # each in a process of its own
    child = os.fork()
    if child == 0:
        write(*line.split())
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        print("killed", flush=True)
"""
OLD, NEW = "a.tsv,b.tsv,old.tsv,log", "a.tsv,b.tsv,new.tsv,log"


@pytest.fixture(scope="module")
def write():
    """Write a set in a process of its own; returns how many steps it took, or "killed" at the given one."""
    command = [sys.executable, "-W", "ignore", "-c", WRITE]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:

        def call(prefix, label, suffixes, kill_at=0):
            print(prefix, label, suffixes, kill_at, file=process.stdin, flush=True)
            return process.stdout.readline().strip()

        yield call
        process.stdin.close()


def content(prefix):
    start = f"{prefix.name}."
    files = (p for p in prefix.parent.iterdir() if p.is_file() and p.name.startswith(start))
    return {p.name.removeprefix(start): p.read_text() for p in files}


def verdict(prefix):
    """What a reader can tell who knows no more than the manifest: whose set it is, or None."""
    found = content(prefix)
    told = json.loads(found.pop("json"))
    if "incomplete" in told:
        return None
    assert all(OutputSet(str(prefix)).final(suffix) in told["outputs"] for suffix in told["sha256"])
    assert {suffix: f"{told['label']} {suffix}" for suffix in told["sha256"]} == found
    return told["label"]


@posix
def test_killed_at_each_step(tmp_path, write):
    """No file of the set is ever absent, and what is there is one set, or says that it is not."""
    prefix = tmp_path / "in" / "x"
    assert write(prefix, "old", OLD) != "killed"
    before = content(prefix)
    assert verdict(prefix) == "old"
    whole = tmp_path / "other" / "x"
    write(whole, "old", OLD)
    steps = int(write(whole, "new", NEW))
    assert steps > 32
    kept = {file: file.read_bytes() for file in prefix.parent.iterdir()}
    seen = []
    for kill_at in range(1, steps + 1):
        assert write(prefix, "new", NEW, kill_at) == "killed"
        seen.append(verdict(prefix))
        if seen[-1] != "new":
            assert set(before) - {"old.tsv"} <= set(content(prefix))
        settle(str(prefix))
        assert verdict(prefix) == ("old" if seen[-1] == "old" and "new.tsv" not in content(prefix) else "new")
        with OutputSet(str(prefix), KINDS):  # sweeps
            pass
        assert not [p.name for p in prefix.parent.iterdir() if p.is_dir()]
        for file in prefix.parent.iterdir():
            if file.is_file():
                file.unlink()
        for file, raw in kept.items():
            file.write_bytes(raw)
    assert {"old", None, "new"} == set(seen)
    assert seen == sorted(seen, key=["old", None, "new"].index)


@posix
def test_the_next_run_finishes_it_and_sweeps(tmp_path, write):
    prefix = tmp_path / "x"
    write(prefix, "old", OLD)
    for kill_at in (1, 25):
        write(prefix, "new", NEW, kill_at)
    left = [p.name for p in tmp_path.iterdir() if p.is_dir()]
    assert len(left) in (1, 2)
    assert write(prefix, "third", OLD) != "killed"
    assert verdict(prefix) == "third"
    assert not [p for p in tmp_path.iterdir() if p.is_dir()]


@posix
def test_the_folder_of_a_run_under_way_is_left_alone(tmp_path):
    prefix = str(tmp_path / "x")
    with OutputSet(prefix) as first:
        first.path("a").write_text("1")
        with OutputSet(prefix) as second:
            second.path("a").write_text("2")
        assert first.path("a").read_text() == "1"
    assert Path(f"{prefix}.a").read_text() == "1"
    assert [p.name for p in tmp_path.iterdir()] == ["x.a"]


def test_folders_of_others_are_left_alone(tmp_path):
    for name in (".x.mine.part", ".x.commit"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "precious").write_text("precious")
    with pytest.raises(OSError, match="of another program is in the way"), OutputSet(str(tmp_path / "x")):
        pass
    assert (tmp_path / ".x.commit" / "precious").read_text() == "precious"
    assert (tmp_path / ".x.mine.part" / "precious").read_text() == "precious"


@pytest.mark.parametrize("suffix", ["a.tsv", "any.score", "json", "log"])
def test_a_folder_under_the_name_of_an_output(tmp_path, suffix):
    """Refused before any work, with all that lies in it."""
    folder = tmp_path / f"x.{suffix}" / "deeper"
    folder.mkdir(parents=True)
    (folder / "file").write_text("precious")
    with pytest.raises(OSError, match=rf"x\.{suffix}: a folder has the name of an output"):  # noqa: SIM117
        with OutputSet(str(tmp_path / "x"), KINDS):
            pytest.fail("it went on")
    assert (folder / "file").read_text() == "precious"
    assert os.listdir(tmp_path) == [f"x.{suffix}"]


def test_a_folder_that_comes_in_between(tmp_path):
    for suffix in ("a.tsv", "b.tsv", "json"):
        (tmp_path / f"x.{suffix}").write_text("old")

    def run():
        with OutputSet(str(tmp_path / "x")) as outputs:
            for suffix in ("a.tsv", "b.tsv", "json"):
                outputs.path(suffix).write_text("new")
            (tmp_path / "x.b.tsv").unlink()
            (tmp_path / "x.b.tsv").mkdir()

    with pytest.raises(OSError, match=r"x\.b\.tsv: a folder"):
        run()
    assert (tmp_path / "x.a.tsv").read_text() == (tmp_path / "x.json").read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["x.a.tsv", "x.b.tsv", "x.json"]


@posix
def test_pipes_are_refused_and_links_replaced(tmp_path):
    os.mkfifo(tmp_path / "x.log")
    with pytest.raises(OSError, match="not a file"), OutputSet(str(tmp_path / "x"), KINDS):
        pass
    (tmp_path / "x.log").unlink()
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / "x.log").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "x.a.tsv").symlink_to(tmp_path / "nothing")
    with OutputSet(str(tmp_path / "x"), KINDS) as outputs:
        outputs.path("log").write_text("new")
        outputs.path("a.tsv").write_text("new")
    assert (tmp_path / "elsewhere").read_text() == "precious"
    assert (tmp_path / "x.log").read_text() == (tmp_path / "x.a.tsv").read_text() == "new"
    assert not (tmp_path / "x.log").is_symlink()


def test_a_step_that_fails_puts_everything_back(tmp_path, monkeypatch):
    """Each renaming in turn fails once: what was there is there again, with what is no longer written."""
    prefix = tmp_path / "x"

    def run(label, suffixes):
        with OutputSet(str(prefix), KINDS) as outputs:
            for suffix in suffixes.split(","):
                outputs.path(suffix).write_text(f"{label} {suffix}")
            outputs.write_manifest({"label": label})

    run("old", OLD)
    before, move, count = content(prefix), os.replace, [0, 0]

    def failing(*args, **kwargs):
        count[0] += 1
        if count[0] == count[1]:
            raise OSError(5, "Input/output error")
        return move(*args, **kwargs)

    monkeypatch.setattr(os, "replace", failing)
    for fail_at in range(1, 7):
        count[:] = 0, fail_at
        with pytest.raises(OSError, match="Input/output error"):
            run("new", NEW)
        assert content(prefix) == before
        assert sorted(os.listdir(tmp_path)) == sorted(f"x.{suffix}" for suffix in before)
    count[:] = 0, 0
    run("new", NEW)
    assert verdict(prefix) == "new"


def test_what_is_not_written_again_goes_unless_it_was_changed(tmp_path):
    prefix = tmp_path / "x"

    def run(suffixes):
        with OutputSet(str(prefix), KINDS) as outputs:
            for suffix in suffixes:
                outputs.path(suffix).write_text("1")
            outputs.write_manifest({})

    run(["old.tsv", "A.score", "log"])
    (tmp_path / "x.mine.score").write_text("of the user")
    run(["log"])
    assert sorted(os.listdir(tmp_path)) == ["x.json", "x.log", "x.mine.score"]
    run(["old.tsv", "log"])
    (tmp_path / "x.old.tsv").write_text("edited")
    run(["log"])
    assert (tmp_path / "x.old.tsv").read_text() == "edited"


def test_info_tells_whether_a_set_is_whole(tmp_path, capsys):
    with OutputSet(str(tmp_path / "x")) as outputs:
        outputs.path("a.tsv").write_text("1")
        outputs.path("b.tsv").write_text("1")
        outputs.write_manifest({})
    manifest = str(tmp_path / "x.json")
    (tmp_path / "x.a.tsv").write_text("2")
    (tmp_path / "x.b.tsv").unlink()
    assert main(["info", manifest]) == 0
    said = capsys.readouterr().out
    assert "x.a.tsv  CHANGED" in said
    assert "x.b.tsv  GONE" in said
    assert set_lines(manifest) == said.splitlines()
    (tmp_path / "y.json").write_text("{}")
    assert main(["info", str(tmp_path / "y.json")]) == 2
    assert "y.json: not the record of a run" in capsys.readouterr().err


def test_inputs_are_not_written_over(tmp_path, capsys):
    table = tmp_path / "x.hits.tsv"
    table.write_text(
        "id\ty\ta\tb\n" + "".join(f"s{i}\t{i % 5}\t{i * 7 % 11}\t{i * 5 % 7}\n" for i in range(30))
    )
    before = table.read_bytes()
    assert main(["fit", "--matrix", str(table), "--target", "y", "--out", str(tmp_path / "x")]) == 2
    assert f"would write over {table}, which is read" in capsys.readouterr().err
    assert table.read_bytes() == before


@posix
def test_signals_wait_until_all_files_are_in_place(tmp_path, monkeypatch):
    """Those that come by another thread too: any thread may get one that is sent to the process."""
    prefix, move, done = str(tmp_path / "x"), os.replace, threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()

    def interrupted(source, target):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        move(source, target)

    def write():
        with OutputSet(prefix, KINDS) as outputs:
            for suffix in ("a.tsv", "b.tsv"):
                outputs.path(suffix).write_text("new")
            outputs.write_manifest({})
            monkeypatch.setattr(os, "replace", interrupted)

    try:
        with pytest.raises(KeyboardInterrupt):
            write()
    finally:
        done.set()
        other.join()
    assert sorted(os.listdir(tmp_path)) == ["x.a.tsv", "x.b.tsv", "x.json"]


@posix
def test_genotypes_that_are_not_all_in_place_are_told(tmp_path, capsys):
    script = """
    import os, signal, sys
    import riata
    move = os.replace
    def kill(source, target):
        if str(target).endswith(".bim"):
            os.kill(os.getpid(), signal.SIGKILL)
        move(source, target)
    riata.simulate_genotypes(sys.argv[1], 40, 100)
    os.replace = kill
    riata.simulate_genotypes(sys.argv[1], 44, 100, seed=1)
    """
    import riata

    prefix = str(tmp_path / "g")
    command = [sys.executable, "-c", textwrap.dedent(script), prefix]
    assert subprocess.run(command, check=False, timeout=60).returncode == -signal.SIGKILL
    assert commit_folder(prefix).is_dir()
    with pytest.raises(OSError, match=r"g\.bed: .* killed before all files were in place"):
        riata.open_genotypes(prefix)
    assert main(["info", f"{prefix}.bed"]) == 0
    assert "44 samples x 100 variants" in capsys.readouterr().out
    assert riata.open_genotypes(prefix).shape == (44, 100)


@posix
def test_what_a_killed_save_leaves_is_swept(tmp_path):
    """Beside a path that is saved, and in the folder of a run of the command line."""
    script = """
    import os, signal, sys
    import numpy as np
    import riata
    from riata.cli.parser import main
    import riata._io.archive
    X = np.eye(6)
    path = riata.fit_path(X, np.arange(6.0), alphas=3)
    def kill(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)
    riata._io.archive.np.savez_compressed = kill
    if sys.argv[2] == "save":
        path.save(sys.argv[1] + ".npz")
    else:
        main(["fit", "--bfile", sys.argv[3], "--alphas", "3", "--out", sys.argv[1]])
    """
    import riata

    simulated = riata.simulate_genotypes(str(tmp_path / "in"), 30, 50).removesuffix(".bed")
    for how in ("save", "run"):
        prefix = tmp_path / how / "x"
        prefix.parent.mkdir()
        command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script), str(prefix), how, simulated]
        assert subprocess.run(command, check=False, timeout=120).returncode == -signal.SIGKILL
        assert [p.name for p in prefix.parent.iterdir() if p.name.endswith(".part")]
        if how == "save":
            for left in prefix.parent.iterdir():
                os.utime(left, (0, 0))
            riata.fit_path([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0], alphas=2).save(f"{prefix}.npz")
        else:
            with OutputSet(str(prefix)):
                pass
        assert not [p.name for p in prefix.parent.iterdir() if p.name.endswith(".part")]
