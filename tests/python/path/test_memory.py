"""The estimate of memory: its parts, and that a fit stays below it."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import scipy.sparse as sp

import riata

pytestmark = pytest.mark.slow

MEASURE = """
import sys, threading, time, warnings
import numpy as np
import riata

kind, call, n, p, eps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
loss, together = sys.argv[6].split(",")
outputs = 1 if loss == "gaussian" else 4
rng = np.random.default_rng(0)
if kind == "bed":
    X = riata.open_genotypes(sys.argv[7])
    X.counts()
    y = X.to_numpy(np.arange(40)).sum(axis=1)
    y = np.where(np.isnan(y), np.nanmean(y), y)
else:
    X = np.empty((n, p), dtype=kind, order="F")
    for j in range(p):
        X[:, j] = rng.standard_normal(n)
    y = X[:, :5].sum(axis=1).astype(float)
if outputs > 1:
    y = X[:, :5] @ rng.standard_normal((5, outputs))
y = y + y.std() * rng.standard_normal(y.shape)
if loss == "multinomial":
    y = np.eye(outputs)[y.argmax(axis=1)]
common = {"loss": loss, "grouped": together == "together"}
few = {"alphas": 3, "cv": 3}
riata.cv_path(rng.standard_normal((200, 50)), y[:200], **few, **common)  # imports, and buffers of the runtime

def held():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))

def watch():
    while not done:
        peaks.append(held())
        time.sleep(0.002)

done, peaks, before = False, [], held()
watcher = threading.Thread(target=watch)
watcher.start()
fit = {"path": riata.fit_path, "cv": riata.cv_path}[call](X, y, eps=eps, n_threads=2, **common)
done = True
watcher.join()
path = getattr(fit, "path", fit)
estimate = riata.estimate_memory(
    X, cv=10 if call == "cv" else None, max_active=int(path.n_active.max()), outputs=outputs, **common
)
print((max(peaks) - before) / estimate.total, (max(peaks) - before) / estimate.design)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measured in /proc")
@pytest.mark.parametrize(
    ("kind", "call", "n", "p", "eps", "loss", "share"),
    [
        ("float64", "path", 1000, 16000, 0.02, "gaussian,", 0.42),
        ("float64", "cv", 1000, 16000, 0.1, "gaussian,", 0.52),
        ("float64", "path", 3000, 1500, 0.01, "gaussian,", None),
        ("float32", "path", 800, 12000, 0.05, "gaussian,", None),
        ("bed", "path", 2000, 60000, 0.05, "gaussian,", None),
        ("float64", "path", 1000, 16000, 0.1, "multigaussian,together", 0.5),
        ("float64", "path", 1000, 16000, 0.15, "multinomial,", 0.5),
        ("float64", "path", 1000, 16000, 0.3, "multinomial,together", 0.5),
    ],
)
def test_peak_memory_is_as_estimated(tmp_path, kind, call, n, p, eps, loss, share):
    files = []
    if kind == "bed":
        riata.simulate_genotypes(tmp_path / "x", n, p)
        files = [str(tmp_path / "x")]
    command = [
        sys.executable,
        "-c",
        textwrap.dedent(MEASURE),
        kind,
        call,
        str(n),
        str(p),
        str(eps),
        loss,
        *files,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    of_estimate, of_x = map(float, done.stdout.split())
    assert 0.8 < of_estimate < 1.2
    if share is not None:
        assert of_x < share


def test_parts_add_up():
    X = np.zeros((100, 5000), order="F")
    plain, folds = riata.estimate_memory(X), riata.estimate_memory(X, cv=10)
    assert plain.design == X.nbytes
    assert (
        plain.total
        == plain.compact_copy + plain.working_set + plain.gram + plain.certificates + plain.responses
    )
    assert plain.cross_validation == 0
    assert plain.working_set > folds.working_set == 0  # folds use columns in place
    assert folds.total == plain.total - plain.working_set + folds.cross_validation
    few = riata.estimate_memory(X, max_active=10)
    assert few.gram < plain.gram
    assert few.working_set < plain.working_set
    assert "total on top of X" in repr(folds)


def test_storage_decides_what_is_copied():
    X = np.zeros((100, 5000), order="F")
    tall = np.zeros((5000, 100), order="F")
    assert riata.estimate_memory(X).working_set > 0
    assert riata.estimate_memory(tall).gram > 100 * 100 * 8  # of all columns, for squares
    assert riata.estimate_memory(tall.astype(np.float32)).working_set == 0
    assert riata.estimate_memory(tall, loss="binomial").working_set == 0  # columns are used in place
    assert riata.estimate_memory(np.ascontiguousarray(tall), loss="binomial").working_set > 0
    assert riata.estimate_memory(tall.astype(np.float32), loss="binomial").working_set > 0
    assert riata.estimate_memory(X.astype(np.int64)).conversion == X.nbytes
    assert riata.estimate_memory(X.astype(np.float32)).conversion == 0
    assert riata.estimate_memory(sp.csc_matrix((100, 5000))).conversion == 0


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"cv must be >= 2, got 1"):
        riata.estimate_memory(np.zeros((3, 3)), cv=1)
    with pytest.raises(ValueError, match=r"max_active must be >= 1, got 0"):
        riata.estimate_memory(np.zeros((3, 3)), max_active=0)
    with pytest.raises(ValueError, match=r"outputs must be 1 for the gaussian loss, got 3"):
        riata.estimate_memory(np.zeros((3, 3)), outputs=3)
    with pytest.raises(ValueError, match=r"grouped must be False unless"):
        riata.estimate_memory(np.zeros((3, 3)), grouped=True)
    with pytest.raises(ValueError, match=r"loss must be one of .*, got 'squared'"):
        riata.estimate_memory(np.zeros((3, 3)), loss="squared")
    with pytest.raises(ValueError, match="X must be 2-D"):
        riata.estimate_memory(np.zeros(3))
