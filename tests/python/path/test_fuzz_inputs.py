"""A short run of the fuzzer of inputs; `tests/fuzz/inputs.py` says how to run it for long."""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz" / "inputs.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="every run is a process that is forked")
def test_damaged_inputs():
    command = [sys.executable, "-W", "ignore", str(FUZZ), "--runs", "96", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 faults in 96 runs" in done.stdout
