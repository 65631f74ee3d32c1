"""What the command line imports, and what it does without: no library before it is needed, no extra."""

import subprocess
import sys
import textwrap

import pytest

import riata

SLOW = ("numpy", "scipy", "sklearn", "pandas", "polars", "matplotlib")


def in_new_process(code, *arguments):
    """Run code in a Python of its own; return what it printed."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


LIBRARIES = """
    import sys
    from riata.cli.parser import main
    try:
        main(sys.argv[2:])
    except SystemExit:
        pass
    print("imported:", *(name for name in sys.argv[1].split(",") if name in sys.modules))
"""


@pytest.mark.parametrize(
    "line", [["--version"], ["--help"], *([verb, "--help"] for verb in ("fit", "cv", "predict", "report"))]
)
def test_what_is_not_needed_is_not_imported(line):
    said = in_new_process(LIBRARIES, ",".join(SLOW), *line)
    assert said.splitlines()[-1].split() == ["imported:"]
    assert said.startswith(f"riata {riata.__version__}" if line == ["--version"] else "usage: riata")
