"""Where workers have their columns: copies on local disks, sparse chunks."""

import os

import numpy as np
import pytest
import scipy.sparse as sp
from held_columns import assert_same_path

import riata

dask_array = pytest.importorskip("dask.array")


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    return riata.simulate_genotypes(str(tmp_path_factory.mktemp("bed") / "study"), 90, 400, seed=4)


def open_nameless(folder):
    """Files of a folder without a name that this process has."""
    with open("/proc/self/maps") as maps:
        return sum(folder in line and "(deleted)" in line for line in maps)


def test_copies_on_local_disks(cluster_client, bed, tmp_path):
    y = np.random.default_rng(5).standard_normal(90)
    here = riata.open_genotypes(bed)
    there = riata.distributed.open_genotypes(bed, client=cluster_client, load="map", scratch=tmp_path)
    assert_same_path(riata.fit_path(there, y, alphas=8), riata.fit_path(here, y, alphas=8))
    some = {"samples": np.arange(70), "variants": np.arange(3, 390, 2)}
    assert np.array_equal(there.subset(**some).counts(), here.subset(**some).counts())
    assert list(tmp_path.iterdir()) == []
    if os.path.exists("/proc/self/maps"):
        held = cluster_client.run(open_nameless, str(tmp_path))
        assert sum(held.values()) >= 2


def test_folders_for_copies_are_checked_before(cluster_client, bed, tmp_path, monkeypatch):
    from riata.distributed import bed_parts

    def asked(**given):
        geno = riata.distributed.open_genotypes(bed, client=cluster_client, **given)
        geno.counts()

    with pytest.raises(ValueError, match="scratch needs load='map', got load='memory'"):
        asked(scratch=tmp_path)
    with pytest.raises(
        OSError, match=r"scratch must be a folder that workers can write to, but tcp.*no folder"
    ):
        asked(load="map", scratch=tmp_path / "absent")
    a_byte = 400 // 2 // 16 * 16 * 23  # what the larger part needs, at the most twice on one disk
    monkeypatch.setattr(bed_parts, "room", lambda folder: (("host", 1), a_byte))
    with pytest.raises(
        OSError, match=r"iB free, and needs \d.* [KMGT]iB: name another folder, or use load='memory'"
    ):
        asked(load="map", scratch=tmp_path)


@pytest.mark.parametrize(("kind", "dtype"), [("csc", "f8"), ("csr", "f4"), ("csr", "i2")])
def test_sparse_chunks(cluster_client, kind, dtype):
    rng = np.random.default_rng(2)
    X = np.where(rng.random((80, 330)) < 0.2, rng.integers(1, 9, (80, 330)), 0).astype(dtype)
    y = X[:, ::40] @ rng.standard_normal(9) + rng.standard_normal(80)
    make = {"csc": sp.csc_array, "csr": sp.csr_matrix}[kind]
    chunks = dask_array.from_array(X, chunks=(-1, 110)).map_blocks(make)
    held = riata.distributed.from_array(chunks, client=cluster_client)
    here = sp.csc_array(X)
    assert_same_path(riata.fit_path(held, y, alphas=12), riata.fit_path(here, y, alphas=12))
    two = (y > np.median(y)).astype(float)
    found, expected = (riata.cv_path(one, two, loss="binomial", alphas=6, cv=3) for one in (held, here))
    assert_same_path(found.path, expected.path)


def test_sparse_chunks_of_rows_are_refused_and_made_anew(cluster_client):
    X = sp.random_array((80, 330), density=0.1, format="csr", rng=np.random.default_rng(0))
    y = np.asarray(X[:, [5]].sum(axis=1)).ravel() + np.random.default_rng(1).standard_normal(80)
    rows = dask_array.from_array(X.toarray(), chunks=(40, -1)).map_blocks(sp.csr_array)
    with pytest.raises(ValueError, match=r"rechunk\(\{0: -1"):
        riata.distributed.from_array(rows, client=cluster_client)
    held = riata.distributed.from_array(rows.rechunk({0: -1, 1: 160}), client=cluster_client)
    assert_same_path(riata.fit_path(held, y, alphas=8), riata.fit_path(X.tocsc(), y, alphas=8))
