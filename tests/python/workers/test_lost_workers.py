"""Workers that are killed, paused, retired or added while something is fitted: the same bits."""

import os
import signal
import threading

import numpy as np
import pytest
from held_columns import assert_same_path, held_by, numbers_and_response

import riata

dask_array = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

N, P = 60, 200


@pytest.fixture(scope="module")
def data():
    return numbers_and_response(N, P, seed=5)


@pytest.fixture
def cluster(cluster_of):
    with cluster_of(2) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster, set_as_default=False) as client:
        yield client


@pytest.fixture(autouse=True)
def _deadline():
    """A fit that hangs is interrupted."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    watch = threading.Timer(240, os.kill, (os.getpid(), signal.SIGINT))
    watch.start()
    yield
    watch.cancel()
    signal.signal(signal.SIGINT, handler)


@pytest.mark.parametrize("large", [2**16, 2**8], ids=["messages to each", "messages handed on"])
def test_killed_at_ten_moments(client, data, monkeypatch, large):
    """Each just after a task was sent, and some in the midst of opening a part again."""
    from riata.distributed import host
    from riata.distributed.host import Host

    monkeypatch.setattr(host, "_LARGE", large)
    X, y = data
    expected = riata.fit_path(X, y, alphas=30)
    gaps = np.random.default_rng(6).integers(1, 6, 10).tolist()  # tasks from one to the next
    left, killed, numbers, submit = [4], set(), {}, Host._submit

    def submit_and_kill(self, task, what):
        future = submit(self, task, what)
        left[0] -= 1
        if left[0] <= 0 and gaps:
            if task.home not in numbers:  # one that was killed is not asked: Dask tries for half a minute
                numbers.update(client.run(os.getpid, workers=[task.home], on_error="ignore"))
            if (number := numbers.get(task.home)) is not None and number not in killed:
                os.kill(number, signal.SIGKILL)
                killed.add(number)
                left[0] = gaps.pop()
        return future

    there = held_by(client, X, 64)
    there._design()  # so that all of it is while something is fitted
    monkeypatch.setattr(Host, "_submit", submit_and_kill)
    found = riata.fit_path(there, y, alphas=30)
    assert_same_path(found, expected)
    assert len(killed) == 10
    assert found.counters["parts_lost"] >= 3  # several while one part was being opened


def pause(paused, dask_worker):
    from distributed.core import Status

    dask_worker.memory_manager.memory_pause_fraction = False if paused else 0.8
    dask_worker.status = Status.paused if paused else Status.running


def test_a_worker_that_is_paused(client, data, monkeypatch):
    from riata.distributed import host

    monkeypatch.setattr(host, "_GRACE", 0.5)
    X, y = data
    address, there = sorted(client.nthreads())[0], held_by(client, X, 64)

    def watch(done, *_):
        if done == 4:
            client.run(pause, True, workers=[address])
        return True

    found = riata.fit_path(there, y, alphas=8, progress=watch)
    assert_same_path(found, riata.fit_path(X, y, alphas=8))
    assert found.counters["parts_lost"] >= 1
    assert address not in there._host.homes
    client.run(pause, False, workers=[address])


def test_a_worker_that_is_paused_for_a_moment(client, data, monkeypatch):
    """Its part stays where it is."""
    from riata.distributed import host

    monkeypatch.setattr(host, "_GRACE", 60.0)  # a moment may be long where much else runs
    X, y = data
    address, there = sorted(client.nthreads())[0], held_by(client, X, 64)

    def watch(done, *_):
        if done == 4:
            client.run(pause, True, workers=[address])
            threading.Timer(1.0, client.run, (pause, False), {"workers": [address]}).start()
        return True

    found = riata.fit_path(there, y, alphas=8, progress=watch)
    assert_same_path(found, riata.fit_path(X, y, alphas=8))
    assert found.counters["parts_lost"] == 0
    assert address in there._host.homes


def test_workers_that_come_and_go(cluster, client, data):
    """One is added, and each of the others retired: parts move to it."""
    X, y = data
    there, old = held_by(client, X, 64), sorted(client.nthreads())

    def watch(done, *_):
        if done == 3:
            cluster.scale(3)
            client.wait_for_workers(3, timeout=60)
        if done in (4, 6):
            client.retire_workers([old[(done == 6)]])
        return True

    found = riata.fit_path(there, y, alphas=8, progress=watch)
    assert_same_path(found, riata.fit_path(X, y, alphas=8))
    assert not set(old) & set(there._host.homes)


def test_a_cluster_that_takes_no_tasks(client, data, monkeypatch):
    from riata.distributed import doors, host

    monkeypatch.setattr(host, "_GRACE", 0.2)
    monkeypatch.setattr(doors, "PATIENCE", 1.0)
    X, y = data
    there = held_by(client, X, 64)

    def watch(done, *_):
        if done == 3:
            client.run(pause, True)
        return True

    with pytest.raises(RuntimeError, match="no worker of the cluster takes tasks, for 1 seconds"):
        riata.fit_path(there, y, alphas=8, progress=watch)
    client.run(pause, False)


def test_data_that_the_cluster_has_no_more(client, data):
    X, y = data
    there = held_by(client, X, 64)
    client.restart()
    with pytest.raises(RuntimeError, match="the cluster has the data of X no longer"):
        riata.fit_path(there, y, alphas=3)
