"""A cluster of Dask on this machine, for what workers hold."""

import pytest


@pytest.fixture(scope="session")
def cluster_client():
    """Two workers in processes of their own, of two threads each."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
