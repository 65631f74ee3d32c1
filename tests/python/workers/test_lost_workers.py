"""Workers that are killed, paused, retired or added while something is fitted: the same bits."""

import asyncio
import logging
import os
import signal
import socket
import threading
import time

import numpy as np
import pytest
from held_columns import assert_same_path, held_by, numbers_and_response

import riata

pytestmark = pytest.mark.slow

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


WAYS = {"directly": 2**25, "handed on": 2**8, "as tasks": 2**25, "tasks, handed on": 2**8}


@pytest.mark.parametrize("way", WAYS)
def test_killed_at_ten_moments(client, data, monkeypatch, way):
    """Each in the midst of a message, or of opening a part again, whichever way messages go."""
    from riata.distributed import host
    from riata.distributed.carrier import Carrier

    monkeypatch.setattr(host, "_LARGE", WAYS[way])
    if "tasks" in way:
        monkeypatch.setattr(Carrier, "_reaches", out_of_reach)
    X, y = data
    expected = riata.fit_path(X, y, alphas=30)
    gaps = np.random.default_rng(6).integers(1, 6, 10).tolist()  # calls from one to the next
    left, killed, numbers = [4], set(), {}

    def and_kill(call):
        async def called(self, home, *what):
            left[0] -= 1
            if left[0] > 0 or not gaps:
                return await call(self, home, *what)
            if home not in numbers:  # one that was killed is not asked: Dask tries for half a minute
                numbers.update(await client.run(os.getpid, workers=[home], on_error="ignore"))
            doing = asyncio.ensure_future(call(self, home, *what))
            await asyncio.sleep(0.002)
            if (number := numbers.get(home)) is not None and number not in killed and gaps:
                os.kill(number, signal.SIGKILL)
                killed.add(number)
                left[0] = gaps.pop()
            return await doing

        return called

    there = held_by(client, X, 64)
    there._design()  # so that all of it is while something is fitted
    for name in ("_directly", "run"):
        monkeypatch.setattr(Carrier, name, and_kill(getattr(Carrier, name)))
    found = riata.fit_path(there, y, alphas=30)
    assert_same_path(found, expected)
    assert len(killed) == 10
    assert found.counters["parts_lost"] >= 3  # several while one part was being opened


async def out_of_reach(self, home):
    return False


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
        if done >= 4:
            time.sleep(0.6)  # so that the host looks which workers there are
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
        if done >= 4:
            time.sleep(0.6)
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
            time.sleep(0.6)
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
        if done >= 3:
            time.sleep(0.6)
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


def submitted(client, monkeypatch):
    """Names of the functions that are sent as tasks, from now on."""
    names, submit = [], client.submit

    def counted(function, *arguments, **options):
        names.append(function.__name__)
        return submit(function, *arguments, **options)

    monkeypatch.setattr(client, "submit", counted)
    return names


def test_messages_go_past_the_scheduler(client, data, monkeypatch):
    X, y = data
    there = held_by(client, X, 112)
    names = submitted(client, monkeypatch)
    found = riata.fit_path(there, y, alphas=8)
    assert_same_path(found, riata.fit_path(X, y, alphas=8))
    assert names == ["open_part"] * 2
    assert found.counters["messages"] > 8


def closed_port():
    """An address at which nothing listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{listening.getsockname()[1]}"


def test_workers_that_cannot_be_reached(client, data, monkeypatch, caplog):
    """One has its port closed, for this process: the same bits, with tasks for that one alone."""
    from riata.distributed import carrier

    monkeypatch.setattr(carrier, "_CONNECT", 0.3)
    X, y = data
    there, closed = held_by(client, X, 64), sorted(client.nthreads())[0]
    rpc = client.rpc
    elsewhere = closed_port()

    class Gate:
        def __call__(self, address):
            return rpc(elsewhere if address == closed else address)

        def __getattr__(self, name):
            return getattr(rpc, name)

    names = submitted(client, monkeypatch)
    with caplog.at_level(logging.WARNING, "riata.distributed"), monkeypatch.context() as patched:
        patched.setattr(client, "rpc", Gate())
        found = riata.fit_path(there, y, alphas=8)
    assert_same_path(found, riata.fit_path(X, y, alphas=8))
    said = [record.getMessage() for record in caplog.records if "cannot be reached" in record.getMessage()]
    assert len(said) == 1
    assert closed in said[0]
    assert found.counters["parts_lost"] == 0
    assert set(names) == {"open_part", "answer"}
    assert names.count("answer") < found.counters["messages"] * len(there._host.firsts)


def test_another_worker_at_the_address(client, data, monkeypatch, caplog):
    """What answers there has never heard of X, as behind a tunnel to another cluster."""
    X, y = data
    there = held_by(client, X, 112)
    one, other = sorted(client.nthreads())
    rpc = client.rpc

    class Crossed:
        def __call__(self, address):
            return rpc({one: other, other: one}.get(address, address))

        def __getattr__(self, name):
            return getattr(rpc, name)

    with caplog.at_level(logging.WARNING, "riata.distributed"), monkeypatch.context() as patched:
        patched.setattr(client, "rpc", Crossed())
        found = riata.fit_path(there, y, alphas=4)
    assert_same_path(found, riata.fit_path(X, y, alphas=4))
    assert sum("cannot be reached" in record.getMessage() for record in caplog.records) == 2


def deaf(dask_worker):
    """As a worker that begins at the address of one that has ended."""
    from riata.distributed import workers

    del dask_worker.handlers[workers.HANDLER]
    workers._PARTS.clear()


def test_a_worker_begins_at_the_address_of_another(client, data, caplog):
    X, y = data
    there = held_by(client, X, 112)

    def watch(done, *_):
        if done == 2:
            client.run(deaf, workers=[there._host.homes[0]])
        return True

    with caplog.at_level(logging.WARNING, "riata.distributed"):
        found = riata.fit_path(there, y, alphas=30, progress=watch)
    assert_same_path(found, riata.fit_path(X, y, alphas=30))
    assert found.counters["parts_lost"] == 1
    assert not [record for record in caplog.records if "cannot be reached" in record.getMessage()]


def test_workers_behind_certificates(data):
    pytest.importorskip("cryptography")
    from distributed.security import Security

    X, y = data
    security = Security.temporary()
    with (
        distributed.LocalCluster(
            2, threads_per_worker=1, security=security, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster, security=security, set_as_default=False) as client,
        pytest.MonkeyPatch.context() as patched,
    ):
        assert cluster.scheduler_address.startswith("tls://")
        there = held_by(client, X, 112)
        names = submitted(client, patched)
        assert_same_path(riata.fit_path(there, y, alphas=4), riata.fit_path(X, y, alphas=4))
    assert names == ["open_part"] * 2


def test_an_error_of_a_part_is_raised_here(client, data):
    """Also one that the network might raise: it is none."""
    X, _ = data
    there = held_by(client, X, 112)
    there._design()
    with pytest.raises(FileNotFoundError, match="no such thing"):
        there._host.ask(raises)


def raises(_):
    raise FileNotFoundError("no such thing")
