"""Fits of columns that Dask workers hold: the same bits as of the same columns in this process."""

import gc
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from held_columns import assert_same_path

import riata

dask_array = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

N, P = 80, 330


@pytest.fixture(scope="module")
def client():
    """Two workers in processes of their own, of two threads each."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def problem(seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.integers(0, 3, (N, P)).astype(dtype))
    if dtype != np.int8:
        X += np.asfortranarray(rng.standard_normal((N, P)).astype(dtype))
    y = X[:, ::40] @ rng.standard_normal(len(range(0, P, 40))) + rng.standard_normal(N)
    return X, y


def held(X, client, chunks=110):
    return riata.distributed.from_array(dask_array.from_array(X, chunks=(-1, chunks)), client=client)


@pytest.mark.parametrize(
    ("dtype", "chunks"), [(np.float64, 330), (np.float64, 50), (np.float32, 110), (np.int8, 110)]
)
def test_arrays_give_the_same_path(client, dtype, chunks):
    X, y = problem(dtype=dtype)
    assert_same_path(riata.fit_path(held(X, client, chunks), y), riata.fit_path(X, y))


@pytest.mark.parametrize(
    ("loss", "options"),
    [
        ("binomial", {}),
        ("poisson", {}),
        ("gaussian", {"penalty": riata.penalties.ElasticNet(0.5)}),
        ("gaussian", {"penalty": riata.penalties.MCP()}),
    ],
)
def test_losses_and_penalties_give_the_same_path(client, loss, options):
    X, y = problem(1)
    y = {"gaussian": y, "binomial": (y > 0).astype(float), "poisson": np.round(np.exp(y / 6))}[loss]
    alphas = {"alphas": 20}
    assert_same_path(
        riata.fit_path(held(X, client), y, loss=loss, **options, **alphas),
        riata.fit_path(X, y, loss=loss, **options, **alphas),
    )


def test_cross_validation_gives_the_same_scores(client):
    X, y = problem(2)
    found, expected = riata.cv_path(held(X, client), y, cv=3), riata.cv_path(X, y, cv=3)
    assert_same_path(found.path, expected.path)
    assert np.array_equal(found.scores, expected.scores)


def test_results_are_local(client):
    X, y = problem(3)
    path = riata.fit_path(held(X, client), y, alphas=10)
    again = pickle.loads(pickle.dumps(path))
    assert_same_path(again, path)
    assert np.array_equal(path.predict(X), riata.fit_path(X, y, alphas=10).predict(X))


@pytest.fixture(scope="module")
def genotypes(tmp_path_factory):
    return riata.simulate_genotypes(str(tmp_path_factory.mktemp("bed") / "study"), 90, 400, seed=4)


@pytest.mark.parametrize("load", ["memory", "map"])
def test_genotypes_give_the_same_path(client, genotypes, load):
    here = riata.open_genotypes(genotypes)
    there = riata.distributed.open_genotypes(genotypes, client=client, load=load)
    y = np.random.default_rng(5).standard_normal(90)
    assert_same_path(riata.fit_path(there, y), riata.fit_path(here, y))
    assert np.array_equal(there.counts(), here.counts())
    assert np.array_equal(there.allele_frequency(), here.allele_frequency())
    some = {"samples": np.arange(70), "variants": np.arange(3, 390, 2)}
    assert_same_path(
        riata.fit_path(there.subset(**some), y[:70], alphas=20),
        riata.fit_path(here.subset(**some), y[:70], alphas=20),
    )


def test_a_worker_that_is_killed_changes_nothing(client):
    X, y = problem(6)
    expected = riata.fit_path(X, y, alphas=60)
    lost = []

    def kill(done, *_):
        if done in (5, 25) and len(lost) < 2:
            address = sorted(client.nthreads())[0]
            lost.append(client.run(os.getpid, workers=[address])[address])
            os.kill(lost[-1], signal.SIGKILL)
        return True

    ended = threading.Event()
    watch = threading.Timer(120, lambda: ended.is_set() or os.kill(os.getpid(), signal.SIGINT))
    watch.start()
    try:
        assert_same_path(riata.fit_path(held(X, client), y, alphas=60, progress=kill), expected)
    finally:
        ended.set()
        watch.cancel()
    assert len(lost) == 2


@pytest.mark.parametrize(("first", "second"), [(0, 110), (110, 0), (110, 50), (330, 110)])
@pytest.mark.parametrize("folds", [False, True])
def test_a_fit_goes_on_with_other_workers(client, tmp_path, first, second, folds):
    """From the checkpoint of one process (0 columns a chunk here) or of another division of the columns."""
    X, y = problem(10)
    fit = (
        (lambda X, **given: riata.cv_path(X, y, cv=3, **given))
        if folds
        else (lambda X, **given: riata.fit_path(X, y, **given))
    )
    expected = fit(X, alphas=40)
    given = {"alphas": 40, "checkpoint": str(tmp_path / "fit.checkpoint")}
    stopped = fit(held(X, client, first) if first else X, progress=lambda done, *_: done < 12, **given)
    assert (tmp_path / "fit.checkpoint").exists()
    found = fit(held(X, client, second) if second else X, **given)
    if folds:
        stopped, found, expected = stopped.path, found.path, expected.path
    assert len(stopped.alphas) < len(expected.alphas)
    assert_same_path(found, expected)


def parts_held():
    from riata.distributed.workers import _PARTS

    return set(_PARTS)


def test_knockoffs_of_held_genotypes_are_refused(client, genotypes):
    """Gaussian ones, which are for numbers, do not stand in for those of haplotypes."""
    held_genotypes = riata.distributed.open_genotypes(genotypes, client=client)
    with pytest.raises(ValueError, match="genotypes of this process for haplotype models, got some that wor"):
        riata.knockoff_selection(held_genotypes, np.arange(held_genotypes.shape[0]) % 7.0, fdr=0.2, cv=3)


def test_halves_and_intervals_of_held_columns(client):
    X, y = problem()
    there = held(X, client)
    given = {"n_pairs": 2, "pfer": 1}
    found, expected = (riata.stability_selection(one, y, **given) for one in (there, X))
    assert np.array_equal(found.frequency, expected.frequency)
    assert found.frequency.max() > 0.5
    intervals, by_one = (riata.debiased_lasso(one, y, features=[40], cv=2, alphas=10) for one in (there, X))
    assert np.array_equal(intervals.coef, by_one.coef)
    assert np.array_equal(intervals.se, by_one.se)


def test_halves_and_intervals_need_more_columns_than_samples(client):
    X, y = problem()
    few = held(X[:, :30], client, chunks=15)
    with pytest.raises(ValueError, match="X must be in this process where it has fewer columns than rows"):
        riata.stability_selection(few, y, n_pairs=2, pfer=1)
    two = (y > np.median(y)).astype(float)
    for loss, target in (("gaussian", y), ("binomial", two)):
        with pytest.raises(ValueError, match="X must be in this process where it has fewer columns"):
            riata.debiased_lasso(few, target, loss=loss, features=[0])
    found, expected = (
        riata.stability_selection(one, two, loss="binomial", n_pairs=2, pfer=1) for one in (few, X[:, :30])
    )
    assert np.array_equal(found.frequency, expected.frequency)


def test_knockoffs_of_held_columns(client):
    X, y = problem()
    made = np.asfortranarray(np.random.default_rng(9).permutation(X))
    given = {"fdr": 0.2, "cv": 3, "check": False}
    expected = riata.knockoff_selection(X, y, knockoffs=made, **given)
    assert np.count_nonzero(expected.W) > 5
    for copies in (made, held(made, client)):
        found = riata.knockoff_selection(held(X, client), y, knockoffs=copies, **given)
        assert np.array_equal(found.W, expected.W)
    some, copies = X[:, :30], made[:, :30]
    few = riata.knockoff_selection(held(some, client, 15), y, knockoffs=copies, **given)
    one = riata.knockoff_selection(some, y, knockoffs=copies, **given)
    np.testing.assert_allclose(few.W, one.W, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.int8])
def test_knockoffs_of_narrow_numbers(client, dtype):
    X, y = problem(dtype=dtype)
    made = np.asfortranarray(np.random.default_rng(9).permutation(X))
    given = {"fdr": 0.2, "check": False, "loss": "binomial", "statistic": "entry"}
    expected = riata.knockoff_selection(X, y > 0, knockoffs=made, **given)
    found = riata.knockoff_selection(held(X, client), y > 0, knockoffs=held(made, client, 33), **given)
    assert np.count_nonzero(expected.W) > 5
    assert np.array_equal(found.W, expected.W)


def test_ready_made_knockoffs_of_genotypes(client, genotypes, tmp_path):
    made = riata.simulate_genotypes(tmp_path / "made", 90, 400, seed=6)
    for end in (".bim", ".fam"):
        shutil.copy(Path(genotypes).with_suffix(end), tmp_path / f"made{end}")
    y = np.random.default_rng(5).standard_normal(90)
    given = {"fdr": 0.5, "cv": 3, "check": False}
    X, copies = (riata.open_genotypes(one) for one in (genotypes, made))
    expected = riata.knockoff_selection(X, y, knockoffs=copies, **given)
    there, over = (riata.distributed.open_genotypes(one, client=client) for one in (genotypes, made))
    found = riata.knockoff_selection(there, y, knockoffs=over, **given)
    assert np.array_equal(found.W, expected.W)


def test_no_variants_of_held_genotypes(client, genotypes):
    """Those that a model has selected may be none."""
    there, here = riata.distributed.open_genotypes(genotypes, client=client), riata.open_genotypes(genotypes)
    none, expected = (one.subset(variants=[]) for one in (there, here))
    assert none.shape == (90, 0)
    assert none.counts().shape == expected.counts().shape
    assert len(none.allele_frequency()) == 0
    path = riata.fit_path(there, np.random.default_rng(5).standard_normal(90), alphas=[10.0])
    assert path.n_active.tolist() == [0]


@pytest.mark.parametrize("on_the_loop", [False, True], ids=["here", "on the loop"])
def test_workers_forget_what_is_no_more_in_use(client, on_the_loop):
    """Also where garbage is collected by the thread of the client's loop."""
    before = set().union(*client.run(parts_held).values())  # some of which may be forgotten meanwhile
    X, y = problem()
    held_x = held(X, client)
    riata.fit_path(held_x, y, alphas=3)
    parts = set().union(*client.run(parts_held).values()) - before
    assert len(parts) == 3
    kept = [held_x]
    del held_x
    if on_the_loop:
        client.loop.add_callback(kept.clear)
    else:
        kept.clear()
    for _ in range(100):
        gc.collect()
        if parts.isdisjoint(set().union(*client.run(parts_held).values())):
            break
        time.sleep(0.05)
    assert parts.isdisjoint(set().union(*client.run(parts_held).values()))


def test_errors_of_workers_are_those_of_x(client):
    X, y = problem(7)
    X[3, 200] = np.nan
    with pytest.raises(ValueError, match="NaN or infinity"):
        riata.fit_path(held(X, client), y)


def test_what_cannot_be_held_is_refused(client):
    X, y = problem(8)
    rows = dask_array.from_array(X, chunks=(40, -1))
    with pytest.raises(ValueError, match=r"rechunk\(\{0: -1"):
        riata.distributed.from_array(rows, client=client)
    with pytest.raises(ValueError, match="X must be in this process where l1_ratio is 0"):
        riata.fit_path(held(X, client), y, penalty=riata.penalties.ElasticNet(0.0))
    with pytest.raises(TypeError, match="2-D dask"):
        riata.distributed.from_array(X, client=client)


def test_nothing_is_imported_before_it_is_used():
    program = "import sys, riata.distributed; print('dask' in sys.modules or 'distributed' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_parts_begin_at_multiples_of_sixteen():
    from riata.distributed.arrays import whole_lanes
    from riata.distributed.held_genotypes import parts_of

    assert whole_lanes((100, 100, 7)) == (96, 96, 15)
    assert whole_lanes((5, 5, 5)) == (15,)
    assert parts_of(100, 3) == [0, 32, 64, 100]
    assert parts_of(10, 3) == [0, 10]
