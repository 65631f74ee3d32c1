"""Fixtures every test module may use."""

import shutil
import subprocess

import pytest
from hypothesis import settings

settings.register_profile("explicit seeds", derandomize=True)
settings.load_profile("explicit seeds")


@pytest.fixture(autouse=True)
def _quiet_threads(monkeypatch):
    """Two threads at most, tests of threads say their own number."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")


def _plink(program, tmp_path):
    """A function that runs a PLINK, whose outputs are tmp_path/out.*, and returns what it said."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")

    def run(*arguments):
        command = [program, *map(str, arguments), "--threads", "1", "--out", str(tmp_path / "out")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def plink1(tmp_path):
    return _plink("plink1.9", tmp_path)


@pytest.fixture
def plink2(tmp_path):
    return _plink("plink2", tmp_path)
