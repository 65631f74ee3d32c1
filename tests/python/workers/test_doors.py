"""What is refused before any work where workers hold X, in one sentence."""

import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest

import riata
from riata import _core

distributed = pytest.importorskip("distributed")
doors = pytest.importorskip("riata.distributed.doors")


@pytest.fixture(scope="module")
def genotypes(tmp_path_factory):
    return riata.simulate_genotypes(str(tmp_path_factory.mktemp("bed") / "study"), 90, 400, seed=4)


def test_a_client_that_is_closed(cluster_client, genotypes):
    other = distributed.Client(cluster_client.scheduler.address, set_as_default=False)
    geno = riata.distributed.open_genotypes(genotypes, client=other)
    other.close()
    with pytest.raises(ValueError, match="client must be open, got one that is closed"):
        riata.distributed.open_genotypes(genotypes, client=other)
    with pytest.raises(ValueError, match="client must be open, got one that is closed"):
        riata.fit_path(geno, np.arange(90.0))


def test_what_is_no_client(genotypes):
    with pytest.raises(TypeError, match=r"client must be a dask.distributed.Client, got .* type str"):
        riata.distributed.open_genotypes(genotypes, client="tcp://scheduler:8786")


def test_deadlines_of_dask_are_known():
    """Its class of them is no built-in one before Python 3.11."""
    from riata.distributed.waiting import TIMED_OUT

    assert issubclass(distributed.TimeoutError, TIMED_OUT)


def test_a_cluster_without_workers(cluster_of, genotypes, monkeypatch):
    monkeypatch.setattr(doors, "PATIENCE", 0.1)
    with (
        cluster_of(0, processes=False) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
        pytest.raises(RuntimeError, match="client must have workers, got none within 0 seconds"),
    ):
        riata.distributed.open_genotypes(genotypes, client=client)


def test_files_that_a_worker_does_not_see_or_that_differ(cluster_client, genotypes, tmp_path, monkeypatch):
    folder, name = os.path.split(genotypes)
    monkeypatch.chdir(folder)
    address = sorted(cluster_client.nthreads())[1]
    before = cluster_client.run(os.getcwd)
    try:
        cluster_client.run(os.chdir, folder)
        y = np.random.default_rng(0).standard_normal(90)
        riata.fit_path(riata.distributed.open_genotypes(name, client=cluster_client), y, alphas=2)
        cluster_client.run(os.chdir, str(tmp_path), workers=[address])
        geno = riata.distributed.open_genotypes(name, client=cluster_client)
        named = f"path must name the same files on every worker: {re.escape(address)} on .* "
        with pytest.raises(OSError, match=named + f"cannot read {name} .No such file"):
            riata.fit_path(geno, y)
        found, copy = Path(name).read_bytes(), tmp_path / name
        for bytes_there, what in ((found[:-1], "bytes, not"), (bytes(len(found)), "the same size and other")):
            copy.write_bytes(bytes_there)
            with pytest.raises(OSError, match=named + f"has {name} with .*{what}"):
                riata.fit_path(geno, y)
        copy.write_bytes(found)
        with pytest.raises(OSError, match=named + f"has {name} with another time of change"):
            riata.fit_path(geno, y)
        status = os.stat(name)
        os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
        riata.fit_path(geno, y, alphas=2)
    finally:
        for worker, there in before.items():
            cluster_client.run(os.chdir, there, workers=[worker])


def test_parts_that_a_worker_cannot_hold(cluster_client):
    rooms = cluster_client.run(doors.room)
    assert all(room.limit > 0 and room.share == 0.8 for room in rooms.values())
    limit = next(iter(rooms.values())).limit
    doors.check_memory(cluster_client, 0.5 * limit, "memory")
    with pytest.raises(ValueError, match=r"X must fit the memory of the workers, got .* GiB a worker"):
        doors.check_memory(cluster_client, 0.9 * limit, "memory")
    with pytest.warns(UserWarning, match="set distributed.worker.memory.target, spill, pause and terminate"):
        doors.check_memory(cluster_client, 0.9 * limit, "map")


def test_a_worker_that_needs_no_room_is_not_warned_of():
    free = doors.Room(0, 0.6, 0.7, 0.8, 0.95)
    off = doors.Room(2**30, False, False, False, False)
    assert (free.share, off.share) == (0.8, 1.0)

    class Client:
        def run(self, _, callback_timeout):
            return {"here": free, "there": off}

    doors.check_memory(Client(), 2.0**35, "map")
    with pytest.raises(ValueError, match=r"there may use 1 of its limit of 1\.0 GiB"):
        doors.check_memory(Client(), 2.0**35, "memory")


@pytest.mark.slow
def test_arrays_and_calls_that_workers_cannot_hold(cluster_client):
    arrays, xarray = pytest.importorskip("dask.array"), pytest.importorskip("xarray")

    def never(block):
        if block.size:  # Dask looks at an empty one
            raise AssertionError("computed")
        return block

    limit = next(iter(cluster_client.run(doors.room).values())).limit
    p = int(2 * 0.9 * limit / (8 * 2**20)) // 16 * 16
    array = arrays.zeros((2**20, p), chunks=(-1, 16)).map_blocks(never, dtype=float, meta=np.empty((0, 0)))
    too_much = (
        r"X must fit the memory of the workers, got .* GiB a worker, .*: use more workers or larger ones$"
    )
    in_all = (
        r"array must fit the memory of the workers, got .* GiB, .* in its largest chunk, and 2 workers that"
    )
    with pytest.raises(ValueError, match=in_all):
        riata.distributed.from_array(array, cluster_client)
    n, p = 2**20, int(2 * 0.9 * limit / 2**18)
    calls = arrays.zeros((p, n, 2), dtype=np.int8, chunks=(64, -1, -1))
    calls = calls.map_blocks(never, dtype=np.int8, meta=np.empty((0, 0, 0), np.int8))
    held = riata.distributed.from_sgkit(
        xarray.Dataset(
            {
                "call_genotype": (("variants", "samples", "ploidy"), calls),
                "contig_id": ("contigs", np.array(["1"])),
                "variant_contig": ("variants", np.zeros(p, int)),
                "variant_position": ("variants", np.arange(p)),
                "variant_allele": (("variants", "alleles"), np.tile(["A", "C"], (p, 1))),
                "sample_id": ("samples", np.arange(n).astype(str)),
            }
        ),
        cluster_client,
    )
    with pytest.raises(ValueError, match=too_much):
        held.counts()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes are not stopped by signals")
def test_a_worker_that_does_not_answer(cluster_client, genotypes, monkeypatch):
    address, process = sorted(cluster_client.run(os.getpid).items())[0]
    monkeypatch.setattr(doors, "PATIENCE", 2.0)
    os.kill(process, signal.SIGSTOP)
    try:
        silent = f"workers must answer within 2 seconds, got nothing from {re.escape(address)}: they have"
        with pytest.raises(RuntimeError, match=silent):
            riata.distributed.open_genotypes(genotypes, client=cluster_client)
    finally:
        os.kill(process, signal.SIGCONT)
    monkeypatch.undo()
    assert riata.distributed.open_genotypes(genotypes, client=cluster_client).shape == (90, 400)


def test_a_worker_that_goes_while_it_is_asked(monkeypatch):
    class Client:
        asked = 0

        def run(self, question, callback_timeout):
            self.asked += 1
            if self.asked == 1:
                raise OSError("in <TCP>: Stream is closed")
            return {"here": question()}

    monkeypatch.setattr(doors, "running", lambda client: ["here"])
    assert doors.asked(Client(), lambda: 7) == {"here": 7}


def test_workers_with_another_version(cluster_client, genotypes):
    address = sorted(cluster_client.nthreads())[0]

    def pretend(version):
        import riata

        riata.__version__ = version

    cluster_client.run(pretend, "0.0.1", workers=[address])
    try:
        named = f"got 0.0.1 at worker {address} and {riata.__version__} here"
        with pytest.raises(ValueError, match="the same on all workers and here, " + re.escape(named)):
            riata.distributed.open_genotypes(genotypes, client=cluster_client)
    finally:
        cluster_client.run(pretend, riata.__version__, workers=[address])


@pytest.mark.skipif(_core.isa() == "baseline", reason="there is only one instruction set")
@pytest.mark.parametrize("lowest", ["baseline", "avx512"])
def test_instruction_sets_become_the_lowest_there_is(cluster_client, genotypes, lowest):
    if doors.LEVELS.index(lowest) >= doors.LEVELS.index(_core.isa()):
        pytest.skip(f"{_core.isa()} is no wider")
    address = sorted(cluster_client.nthreads())[0]
    y = np.random.default_rng(0).standard_normal(90)
    try:
        cluster_client.run(_core.set_isa, lowest, workers=[address])
        with pytest.warns(UserWarning, match=f"for the same bits all of them use {lowest} from now on"):
            geno = riata.distributed.open_genotypes(genotypes, client=cluster_client)
        assert {_core.isa(), *cluster_client.run(_core.isa).values()} == {lowest}
        found = riata.fit_path(geno, y, alphas=5)
        assert (found.coefs != riata.fit_path(riata.open_genotypes(genotypes), y, alphas=5).coefs).nnz == 0
        cluster_client.run(_core.set_isa, "auto")  # as those that come later
        again = riata.fit_path(geno.subset(variants=np.arange(400)), y, alphas=5)
        assert (found.coefs != again.coefs).nnz == 0
        assert set(cluster_client.run(_core.isa).values()) == {lowest}
    finally:
        cluster_client.run(_core.set_isa, "auto")
        _core.set_isa("auto")


def test_a_worker_that_comes_later_and_is_not_fit():
    from riata.distributed.workers import Kind, UnfitError

    Kind.here().take()
    with pytest.raises(UnfitError, match=f"it has riata {riata.__version__}, not 9"):
        Kind("9", _core.isa()).take()
    with pytest.raises(UnfitError, match="it lacks the instruction set: isa must be one of"):
        Kind(riata.__version__, "avx1024").take()
