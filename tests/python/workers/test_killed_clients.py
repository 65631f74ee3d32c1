"""The process that fits is killed, and others go on from its checkpoint: the same bits."""

import subprocess
import sys
import time

import numpy as np
import pytest

import riata

pytestmark = pytest.mark.slow

dask_array = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

PROGRAM = """
import sys
import dask.array
import numpy as np
import riata
import riata.distributed
import riata.path.fit
from distributed import Client

address, chunks, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
riata.path.fit.CHECKPOINT_SECONDS = 0.0
data = np.load(f"{folder}/data.npz")


def say(done, *_):
    print(done, flush=True)


with Client(address) as client:
    X = riata.distributed.from_array(dask.array.from_array(data["X"], chunks=(-1, chunks)), client=client)
    path = riata.fit_path(X, data["y"], alphas=12, progress=say, checkpoint=f"{folder}/checkpoint")
np.savez(f"{folder}/path.npz", coefs=path.coefs.toarray(), gaps=path.dual_gaps, alphas=path.alphas)
"""


def keys_held():
    from riata.distributed import workers

    return {key for key, _ in workers._PARTS}


def test_killed_at_five_moments(cluster_of, tmp_path):
    """Each goes on with other parts; workers forget what they held for those that are no more."""
    rng = np.random.default_rng(7)
    X = np.asfortranarray(rng.standard_normal((60, 200)))
    y = X[:, ::40].sum(axis=1) + rng.standard_normal(60)
    np.savez(tmp_path / "data.npz", X=X, y=y)
    moments = np.sort(rng.choice(np.arange(2, 12), 5, replace=False))
    with cluster_of(2) as cluster, distributed.Client(cluster, set_as_default=False) as client:

        def start(chunks):
            command = [sys.executable, "-c", PROGRAM, cluster.scheduler_address, str(chunks), str(tmp_path)]
            return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

        for moment, chunks in zip(moments, (64, 112, 208, 48, 96), strict=True):
            with start(chunks) as process:
                seen = [next(process.stdout)]
                while int(seen[-1]) < moment:
                    seen.append(next(process.stdout))
                process.kill()
        with start(80) as process:
            said, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert int(said.split()[0]) > 1  # it went on
        held = riata.distributed.from_array(dask_array.from_array(X, chunks=(-1, 64)), client=client)
        riata.fit_path(held, y, alphas=2)
        until = time.monotonic() + 30
        while len(set.union(*client.run(keys_held).values())) > 1 and time.monotonic() < until:
            time.sleep(0.1)
        assert set.union(*client.run(keys_held).values()) == {held._host.key}
    expected, found = riata.fit_path(X, y, alphas=12), np.load(tmp_path / "path.npz")
    assert np.array_equal(found["alphas"], expected.alphas)
    assert np.array_equal(found["coefs"], expected.coefs.toarray())
    assert np.array_equal(found["gaps"], expected.dual_gaps)
