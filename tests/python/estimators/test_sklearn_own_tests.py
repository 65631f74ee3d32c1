"""scikit-learn's own tests of its coordinate descent, with riata's estimators and paths in their place.

`docs/migration/scikit_learn.md` names every one that fails, with the reason; no other may.
"""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest
import sklearn

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parents[1] / "docs" / "migration" / "scikit_learn.md"
MODULE = "sklearn.linear_model.tests.test_coordinate_descent"


def documented():
    """Version of scikit-learn, number of its tests, and how many cases of which of them fail."""
    text = PAGE.read_text(encoding="utf-8")
    version, count = re.search(
        r"`test_coordinate_descent.py` of scikit-learn (\S+): (\d+) tests", text
    ).groups()
    rows = re.findall(r"^\| `(test_\w+)` \| (\d+) \| (.+) \|$", text, re.MULTILINE)
    assert all(len(reason) > 20 for *_, reason in rows)
    return version, int(count), {name: int(cases) for name, cases, _ in rows}


@pytest.mark.slow
def test_all_pass_but_those_that_are_named(tmp_path):
    version, count, expected = documented()
    if sklearn.__version__ != version:
        pytest.skip(f"the failures are named for scikit-learn {version}, not {sklearn.__version__}")
    pytest.importorskip(MODULE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [
        sys.executable, "-m", "pytest", "-c", "pytest.ini", "-q", "-p", "riata_for_scikit_learn",
        "-p", "no:cacheprovider", "-p", "no:xdist", "--junitxml", "report.xml", "--pyargs", MODULE,
    ]  # fmt: skip
    paths = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "SKLEARN_TESTS_GLOBAL_RANDOM_SEED"):
        environment.pop(name, None)
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (tmp_path / "report.xml").exists(), done.stdout + done.stderr
    cases = list(ElementTree.parse(tmp_path / "report.xml").iter("testcase"))
    failed = [
        case.get("name")
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    ]
    assert len(cases) == count
    assert Counter(name.partition("[")[0] for name in failed) == expected, sorted(failed)
