"""Clusters of Dask on this machine, for what workers hold."""

import os

import pytest

# Read when Dask is imported: processes of workers begin as copies of one that has imported it already.
os.environ.setdefault("DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD", "forkserver")


@pytest.fixture(scope="session")
def cluster_of():
    """A function that starts workers in processes of their own, of two threads each."""
    distributed = pytest.importorskip("distributed")

    def start(n_workers, **options):
        options = {"threads_per_worker": 2, "processes": True, "dashboard_address": ":0"} | options
        return distributed.LocalCluster(n_workers=n_workers, **options)

    return start


@pytest.fixture(scope="session")
def cluster_client(cluster_of):
    """A client of two workers."""
    distributed = pytest.importorskip("distributed")
    with cluster_of(2) as cluster, distributed.Client(cluster) as client:
        yield client
