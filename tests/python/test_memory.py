"""The estimate of memory: its parts, and that a fit stays below it."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import scipy.sparse as sp

import riata

MEASURE = """
import resource, sys
import numpy as np
import riata

rng = np.random.default_rng(0)
X = np.empty((1000, 16000), order="F")
for j in range(X.shape[1]):
    X[:, j] = rng.standard_normal(1000)
y = X[:, :5].sum(axis=1) + rng.standard_normal(1000)
riata.cv_path(X[:50, :50], y[:50], alphas=3, cv=3)  # imports, and buffers of the runtime
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
call = {"path": riata.fit_path, "cv": riata.cv_path}[sys.argv[1]]
call(X, y, alphas=30, eps=0.1, n_threads=2)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) * 1024 / X.nbytes)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is in other units elsewhere")
@pytest.mark.parametrize(("call", "share"), [("path", 0.35), ("cv", 0.5)])
def test_peak_memory_is_a_fraction_of_x_and_below_the_estimate(call, share):
    command = [sys.executable, "-c", textwrap.dedent(MEASURE), call]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    used = float(done.stdout)
    assert used < share
    X = np.empty((1000, 16000), order="F")
    assert used * X.nbytes < riata.estimate_memory(X, alphas=30, cv=10 if call == "cv" else None).total


def test_parts_add_up():
    X = np.zeros((100, 5000), order="F")
    plain, folds = riata.estimate_memory(X), riata.estimate_memory(X, cv=10)
    assert plain.design == X.nbytes
    assert (
        plain.total
        == plain.compact_copy + plain.working_set + plain.gram + plain.certificates + plain.responses
    )
    assert plain.cross_validation == 0
    assert folds.total == plain.total + folds.cross_validation
    assert "total on top of X" in repr(folds)


def test_storage_decides_what_is_copied():
    X = np.zeros((100, 5000), order="F")
    tall = np.zeros((5000, 100), order="F")
    assert riata.estimate_memory(X).working_set > 0
    assert riata.estimate_memory(tall).working_set == 0  # columns are used in place
    assert riata.estimate_memory(np.ascontiguousarray(tall)).working_set > 0
    assert riata.estimate_memory(tall.astype(np.float32)).working_set > 0
    assert riata.estimate_memory(X.astype(np.int64)).conversion == X.nbytes
    assert riata.estimate_memory(X.astype(np.float32)).conversion == 0
    assert riata.estimate_memory(sp.csc_matrix((100, 5000))).conversion == 0


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"cv must be >= 2, got 1"):
        riata.estimate_memory(np.zeros((3, 3)), cv=1)
    with pytest.raises(ValueError, match="X must be 2-D"):
        riata.estimate_memory(np.zeros(3))
