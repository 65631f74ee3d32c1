"""Fits of one held X at the same time, and fits that are stopped."""

import asyncio
import logging
import os
import pickle
import signal
import threading
import time

import numpy as np
import pytest
from held_columns import assert_same_path, held_by, numbers_and_response

import riata

dask_array = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

N, P = 60, 200


@pytest.fixture(scope="module")
def data():
    return numbers_and_response(N, P, seed=3)


class Heard(logging.Handler):
    """Whether one waits for its turn."""

    def __init__(self):
        super().__init__()
        self.waits = threading.Event()

    def emit(self, record):
        if "waits for another fit of this X" in record.getMessage():
            self.waits.set()


def test_two_fits_take_turns_and_have_the_same_bits(cluster_client, data):
    X, y = data
    there, heard, found = held_by(cluster_client, X, 112), Heard(), {}

    def second():
        found["second"] = riata.fit_path(there, -y, alphas=5)

    thread = threading.Thread(target=second)

    def watch(done, *_):
        if done == 2:
            thread.start()
            found["waited"] = heard.waits.wait(60)
        return True

    logging.getLogger("riata.distributed").addHandler(heard)
    try:
        first = riata.fit_path(there, y, alphas=5, progress=watch)
        thread.join(60)
    finally:
        logging.getLogger("riata.distributed").removeHandler(heard)
    assert found["waited"]
    assert_same_path(first, riata.fit_path(X, y, alphas=5))
    assert_same_path(found["second"], riata.fit_path(X, -y, alphas=5))


def test_a_fit_within_another_of_the_same_thread(cluster_client, data):
    X, y = data
    there, inner = held_by(cluster_client, X, 112), []

    def watch(done, *_):
        if done == 2:
            inner.append(riata.fit_path(there, -y, alphas=3))
        return True

    outer = riata.fit_path(there, y, alphas=5, progress=watch)
    assert_same_path(outer, riata.fit_path(X, y, alphas=5))
    assert_same_path(inner[0], riata.fit_path(X, -y, alphas=3))


def test_fits_that_wait_for_each_other_are_refused():
    from riata.distributed.turns import Turn

    one, other, both, errors = Turn(), Turn(), threading.Barrier(2), []

    def take(first, second, fit):
        first.take(fit)
        both.wait(30)
        try:
            second.take(fit)
        except RuntimeError as error:
            errors.append(str(error))
        finally:
            first.give(fit)
            second.give(fit)

    threads = [
        threading.Thread(target=take, args=(one, other, b"1")),
        threading.Thread(target=take, args=(other, one, b"2")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert len(errors) == 1
    assert "which wait for each other" in errors[0]


def slow_down():
    """Make this worker answer nothing until it is told to stop; notes when."""
    from riata.distributed import workers

    workers.stopped_at = []

    class Slow:
        def answer(self, method, common, own, stop=None):
            if method == "end":
                return b""
            until = time.monotonic() + 60
            while not stop.is_set and time.monotonic() < until:
                time.sleep(0.01)
            workers.stopped_at.append((time.time(), bool(stop.is_set)))
            return None

    for mine in workers._PARTS.values():
        mine.server = Slow()


def stops():
    from riata.distributed import workers

    return len(workers._RUNNING), workers.stopped_at


def test_what_workers_do_ends_with_control_c(cluster_client, data):
    X, y = data
    there = held_by(cluster_client, X, 112)

    def watch(done, *_):
        if done == 3:
            cluster_client.run(slow_down)
            threading.Thread(target=interrupt).start()
        return True

    def interrupt():
        """Once both workers are at it."""
        until = time.monotonic() + 60
        while min(n for n, _ in cluster_client.run(stops).values()) < 1 and time.monotonic() < until:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            riata.fit_path(there, y, alphas=10, progress=watch)
    finally:
        signal.signal(signal.SIGINT, handler)
    until = time.monotonic() + 30
    while any(running for running, _ in cluster_client.run(stops).values()) and time.monotonic() < until:
        time.sleep(0.05)
    found = cluster_client.run(stops)
    assert all(running == 0 for running, _ in found.values())
    assert sum(len(at) for _, at in found.values()) == 2
    assert all(told for _, at in found.values() for _, told in at)
    cluster_client.run(forget)
    assert_same_path(riata.fit_path(there, y, alphas=5), riata.fit_path(X, y, alphas=5))


def forget():
    from riata.distributed import workers

    workers._PARTS.clear()


def test_an_answer_is_ended_by_its_flag(data):
    """The fit does without: it tells the part what it has to know again."""
    from riata import _core

    X, y = data
    tried, stopped = [], []

    class Here:
        def __init__(self):
            self.server = _core.ColumnServer(_core.dense_design(X), 0)

        def call(self, method, common, parts, own):
            if method in ("begin", "bound", "read") and method not in tried:
                tried.append(method)
                flag = _core.StopFlag()
                assert not flag.is_set
                flag.set()
                if self.server.answer(method, common, own[0], flag) is None:
                    stopped.append(method)
            return [(0, self.server.answer(method, common, own[0]))]

    class Both:
        shape = X.shape

        def _design(self):
            return _core.hosted_design(Here(), 1), None

    assert_same_path(riata.fit_path(Both(), y, alphas=5), riata.fit_path(X, y, alphas=5))
    assert tried == ["begin", "bound", "read"]
    assert "begin" in stopped


@pytest.mark.parametrize("looks", [True, False])
def test_reading_a_part_ends_as_well(looks):
    """Also where what reads it does not look: then what it has read is forgotten."""
    from riata.distributed import workers

    opened, told, ends = threading.Event(), threading.Event(), []

    def opener(_):
        opened.set()
        if not looks:
            assert told.wait(60)
            return None, None
        until = time.monotonic() + 60
        while time.monotonic() < until:
            workers.check_stop()
            time.sleep(0.01)
        raise AssertionError("it was not stopped")

    def read():
        ends.append(workers.open_part("key", 0, "call", 0, opener, workers.Kind.here(), "owner", None))

    thread = threading.Thread(target=read)
    thread.start()
    assert opened.wait(30)
    asyncio.run(workers.stop("key", ["call"]) if looks else workers.close("key"))
    told.set()
    thread.join(30)
    assert ends == [None]
    assert ("key", 0) not in workers._PARTS
    workers.check_stop()


def test_a_path_that_is_stopped_goes_on_from_its_checkpoint(cluster_client, data, tmp_path):
    X, y = data
    file, there = tmp_path / "path.riata", held_by(cluster_client, X, 112)
    part = riata.fit_path(there, y, alphas=8, progress=lambda done, *_: done < 4, checkpoint=file)
    assert len(part.alphas) == 4
    assert_same_path(riata.fit_path(there, y, alphas=8, checkpoint=file), riata.fit_path(X, y, alphas=8))


def test_results_are_local(cluster_client, data):
    """Also of folds: no client and no futures, and what went over the wire on the counters."""
    X, y = data
    there = held_by(cluster_client, X, 112)
    found, expected = (riata.cv_path(x, y, cv=3, alphas=8) for x in (there, X))
    with pytest.raises(TypeError, match="an array that workers hold cannot be pickled"):
        pickle.dumps(there)
    again = pickle.loads(pickle.dumps(found))
    assert_same_path(again.path, expected.path)
    assert np.array_equal(again.scores, expected.scores)
    assert np.array_equal(again.path.predict(X), expected.path.predict(X))
    assert not [name for name in ("distributed", "dask") if name.encode() in pickle.dumps(found)]
    sent = {"messages", "bytes_out", "bytes_in", "seconds_waiting", "parts_lost"}
    assert sent <= set(found.path.counters)
    assert not sent & set(expected.path.counters)
    counters = found.path.counters
    assert counters["messages"] > 8
    assert counters["bytes_out"] > 8 * N  # the weights alone
    assert counters["bytes_in"] > 16 * P  # means and variances alone
    assert counters["seconds_waiting"] > 0
    assert counters["parts_lost"] == 0


def test_progress_says_what_goes_over_the_wire(cluster_client, data, capsys):
    X, y = data
    riata.fit_path(X, y, alphas=3, progress=True)
    assert "worker" not in capsys.readouterr().err
    riata.fit_path(held_by(cluster_client, X, 112), y, alphas=3, progress=True)
    assert "2 workers" in (shown := capsys.readouterr().err)
    assert " KiB" in shown
