"""A fit that was killed goes on from its checkpoint to the same bits."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support import make_problem

import riata
import riata.path.fit
from riata import _core

FIELDS = ("alphas", "intercepts", "primal", "dual", "dual_gaps", "deviance_ratio", "n_active", "n_iter")

SCRIPT = """
import os, signal, sys, threading
import numpy as np
import riata
import riata.path.fit

data, loss, cv, checkpoint, result, when = sys.argv[1:]
riata.path.fit.CHECKPOINT_SECONDS = 0.0
X, y = (np.load(data)[name] for name in ("X", "y"))

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def watch(done, total, *rest):
    if when.startswith("after") and done >= int(when[5:]):
        die()

if when.startswith("in"):
    timer = threading.Timer(float(when[2:]), die)
    timer.daemon = True
    timer.start()
common = dict(loss=loss, checkpoint=checkpoint, progress=watch, eps=0.01)
fit = riata.cv_path(X, y, cv=3, **common) if cv == "cv" else riata.fit_path(X, y, **common)
fit.save(result)
"""


def assert_same_bits(a, b):
    for name in FIELDS:
        assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
    for part in ("indptr", "indices", "data"):
        assert_array_equal(getattr(a.coefs, part), getattr(b.coefs, part))
    assert a.solver == b.solver
    assert a.n_passes == b.n_passes


@pytest.fixture
def often(monkeypatch):
    """A checkpoint after every alpha."""
    monkeypatch.setattr(riata.path.fit, "CHECKPOINT_SECONDS", 0.0)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="processes are killed differently there")
@pytest.mark.parametrize(
    ("loss", "cv", "moments"),
    [
        ("gaussian", "path", ["after1", "after20", "after57"]),
        ("binomial", "path", ["in0.02", "in0.1", "in0.23", "after60", "in0.05"]),
        ("gaussian", "cv", ["in0.1", "after25", "in0.31", "in0.03"]),
        ("poisson", "cv", ["in0.1", "after12", "in0.31"]),
        ("huber", "path", ["in0.1", "after12", "in0.31"]),
        ("cox", "cv", ["in0.1", "after12", "in0.31", "in0.03"]),
    ],
)
def test_killed_at_any_moment(tmp_path, loss, cv, moments):
    X, y = make_problem(loss, n=150, p=1500, seed=4, noise=2.0)
    np.savez(tmp_path / "data.npz", X=X, y=y)
    checkpoint = tmp_path / "state"

    def run(when):
        names = [tmp_path / "data.npz", loss, cv, checkpoint, tmp_path / "fit.npz", when]
        command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(SCRIPT), *map(os.fspath, names)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    kills = 0
    for when in moments:
        done = run(when)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        kills += 1
    assert kills > 0
    done = run("never")
    assert done.returncode == 0, done.stderr
    assert not checkpoint.exists()
    if cv == "cv":
        expected = riata.cv_path(X, y, loss=loss, cv=3, eps=0.01)
        found = riata.load(tmp_path / "fit.npz")
        assert_same_bits(found.path, expected.path)
        assert_array_equal(found.scores, expected.scores)
        assert_array_equal(found.fold_gaps, expected.fold_gaps)
    else:
        assert_same_bits(riata.load(tmp_path / "fit.npz"), riata.fit_path(X, y, loss=loss, eps=0.01))


def stopped(tmp_path, X, y, **options):
    """Fit the first ten alphas; the checkpoint that is left."""
    checkpoint = tmp_path / "state"
    path = riata.fit_path(X, y, checkpoint=checkpoint, progress=lambda done, *rest: done < 10, **options)
    assert len(path) == 10
    assert path.interrupted
    return checkpoint


def test_goes_on_without_fitting_again(tmp_path):
    X, y = make_problem(n=80, p=300)
    checkpoint = stopped(tmp_path, X, y)
    assert _core.checkpoint_progress(str(checkpoint)) == (9, 100)
    told = []
    path = riata.fit_path(X, y, checkpoint=checkpoint, progress=lambda done, *rest: told.append(done))
    assert told == list(range(10, len(path) + 1))
    assert not path.interrupted
    assert not checkpoint.exists()
    assert_same_bits(path, riata.fit_path(X, y))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_written_after_every_alpha_changes_nothing(tmp_path, often, kind):
    X, y = make_problem(n=80, p=300)
    X = np.asfortranarray(X.astype(kind))
    assert_same_bits(riata.fit_path(X, y, checkpoint=tmp_path / "state"), riata.fit_path(X, y))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_in_progress_leaves_a_checkpoint(tmp_path):
    X, y = make_problem(n=80, p=300)

    def interrupt(done, *rest):
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        riata.fit_path(X, y, checkpoint=tmp_path / "state", progress=interrupt)
    assert _core.checkpoint_progress(str(tmp_path / "state")) == (29, 100)
    assert_same_bits(riata.fit_path(X, y, checkpoint=tmp_path / "state"), riata.fit_path(X, y))


def test_another_fit_is_refused(tmp_path):
    X, y = make_problem(n=80, p=300)
    checkpoint = stopped(tmp_path, X, y)
    other = X.copy(order="F")
    other[3, 200] += 0.01
    weights = np.ones(80)
    weights[5] = 2.0
    cases = [
        ((other, y, {}), "the values of X"),
        ((X, y + 1e-9 * np.arange(80), {}), "y"),
        ((X, y, {"tol": 1e-5}), "tol"),
        ((X, y, {"alphas": 50}), "alphas"),
        ((X, y, {"l1_ratio": 0.5}), "l1_ratio"),
        ((X, y, {"sample_weight": weights}), "the weights or folds"),
        ((X[:, :299], y, {}), "the shape of X"),
    ]
    for (given_X, given_y, options), name in cases:
        with pytest.raises(
            ValueError, match=rf"checkpoint '.*state' was made by another fit.*: {name}\. Give"
        ):
            riata.fit_path(given_X, given_y, checkpoint=checkpoint, **options)
        assert checkpoint.exists()


def test_other_survival_times_are_refused(tmp_path):
    X, y = make_problem("cox", n=80, p=300)
    start = np.zeros(80)
    checkpoint = stopped(tmp_path, X, y, loss="cox", start=start)
    event = y.copy()
    event[7, 1] = 1.0 - event[7, 1]
    cases = [
        (event, {"start": start}, "y"),
        (y, {}, "start"),
        (y, {"start": start, "strata": np.arange(80) % 2}, "strata"),
        (y, {"start": start, "ties": "efron"}, "ties"),
    ]
    for given_y, options, name in cases:
        with pytest.raises(ValueError, match=rf"what differs: {name}\. Give"):
            riata.fit_path(X, given_y, loss="cox", checkpoint=checkpoint, **options)
    path = riata.fit_path(X, y, loss="cox", start=start, checkpoint=checkpoint)
    assert_same_bits(path, riata.fit_path(X, y, loss="cox", start=start))


def test_a_damaged_one_is_refused(tmp_path):
    X, y = make_problem(n=80, p=300)
    checkpoint = stopped(tmp_path, X, y)
    content = checkpoint.read_bytes()
    for bad in (content[:-100], content[:500] + b"!" + content[501:], b"not one at all, but long enough"):
        checkpoint.write_bytes(bad)
        with pytest.raises(
            OSError, match="state': not a checkpoint of this version of riata, or a damaged one"
        ):
            riata.fit_path(X, y, checkpoint=checkpoint)
        assert checkpoint.read_bytes() == bad


def test_where_it_cannot_be_written(tmp_path):
    X, y = make_problem()
    with pytest.raises(OSError, match=r"cannot write '.*none.state': No such file"):
        riata.fit_path(X, y, checkpoint=tmp_path / "none" / "state")
    with pytest.raises(ValueError, match="checkpoint must be the name of a file, got"):
        riata.fit_path(X, y, checkpoint=tmp_path)
    with pytest.raises(TypeError, match="checkpoint must be a file name or None, got 3"):
        riata.fit_path(X, y, checkpoint=3)


def test_no_room_on_the_disk(tmp_path, often):
    """A limit on the size of files stands for a full disk: what was there before stays."""
    resource = pytest.importorskip("resource")
    X, y = make_problem(n=80, p=3000)
    checkpoint = stopped(tmp_path, X, y)
    content = checkpoint.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))
    try:
        with pytest.warns(UserWarning, match=r"cannot write '.*state': File too large; the fit goes on"):
            path = riata.fit_path(X, y, checkpoint=checkpoint, keep_checkpoint=True)
        assert_same_bits(path, riata.fit_path(X, y))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [file.name for file in tmp_path.iterdir()] == ["state"]
    assert checkpoint.read_bytes() == content
    assert_same_bits(riata.fit_path(X, y, checkpoint=checkpoint), riata.fit_path(X, y))
