"""One, two and three processes of workers: the bits of this process, for storages, losses and penalties."""

from functools import cache

import numpy as np
import pytest
import scipy.sparse as sp

import riata
from riata.penalties import MCP, SLOPE, ElasticNet, GroupLasso

dask_array = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

N, P = 60, 192
STORAGES = ("float64", "float32", "int8", "csc", "bed")
LOSSES = ("gaussian", "binomial", "poisson", "cox", "multigaussian")
PENALTIES = (
    ElasticNet(1.0),
    ElasticNet(0.5),
    GroupLasso(np.arange(P) // 4),
    MCP(),
)


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    return riata.simulate_genotypes(str(tmp_path_factory.mktemp("bed") / "study"), N, P, seed=4)


def numbers(storage):
    """X in this process, for arrays."""
    rng = np.random.default_rng(1)
    X = rng.integers(0, 3, (N, P)).astype(np.float64)
    if storage == "csc":
        return sp.csc_array(X)
    if storage != "int8":
        X += rng.standard_normal((N, P))
    return np.asfortranarray(X.astype(storage))


def here(storage, bed):
    return riata.open_genotypes(bed) if storage == "bed" else numbers(storage)


def there(storage, bed, client, n_processes):
    if storage == "bed":
        return riata.distributed.open_genotypes(bed, client=client)
    X = numbers(storage)
    chunks = -(-P // n_processes)
    if storage != "csc":
        array = dask_array.from_array(X, chunks=(-1, chunks))
    else:
        array = dask_array.from_array(X.toarray(), chunks=(-1, chunks)).map_blocks(sp.csc_array)
    return riata.distributed.from_array(array, client=client)


@cache
def response(storage, bed, loss):
    X = here(storage, bed)
    columns = np.arange(0, P, 24)
    if storage == "bed":
        causal = np.nan_to_num(riata.open_genotypes(bed).to_numpy(columns))
    else:
        causal = np.asarray(X[:, columns].toarray() if storage == "csc" else X[:, columns], dtype=float)
    rng = np.random.default_rng(3)
    eta = causal.sum(axis=1) + rng.standard_normal(N)
    eta = (eta - eta.mean()) / eta.std()
    if loss == "binomial":
        return (eta > 0).astype(float)
    if loss == "poisson":
        return rng.poisson(np.exp(eta)).astype(float)
    if loss == "cox":
        return np.column_stack([rng.exponential(np.exp(-eta)), rng.random(N) < 0.7])
    if loss == "multigaussian":
        return np.column_stack([eta, rng.standard_normal(N) + eta, rng.standard_normal(N)])
    return eta


def cases():
    """Every pair of a storage and a loss, of a storage and a penalty, and of a loss and a penalty."""
    for s, storage in enumerate(STORAGES):
        for k, loss in enumerate(LOSSES):
            penalty = (s + k) % 4
            if loss == "multigaussian" and penalty == 3:  # which is for one output
                penalty = 0
            yield storage, loss, penalty, s == k


@cache
def expected(storage, bed, loss, penalty, folds):
    return fitted(here(storage, bed), response(storage, bed, loss), loss, penalty, folds)


def fitted(X, y, loss, penalty, folds):
    given = {"loss": loss, "penalty": PENALTIES[penalty], "alphas": 4, "eps": 0.2}
    return riata.cv_path(X, y, cv=2, **given) if folds else riata.fit_path(X, y, **given)


@pytest.mark.slow
@pytest.mark.parametrize("n_processes", [1, 2, 3])
def test_the_same_bits(cluster_of, bed, n_processes):
    with (
        cluster_of(n_processes) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        held = {storage: there(storage, bed, client, n_processes) for storage in STORAGES}
        different = []
        for case in cases():
            storage, loss, penalty, folds = case
            found = fitted(held[storage], response(storage, bed, loss), loss, penalty, folds)
            wanted = expected(storage, bed, *case[1:])
            if folds:
                different += [case] * (not np.array_equal(found.scores, wanted.scores))
                found, wanted = found.path, wanted.path
            different += [case] * (not same(found, wanted))
            assert wanted.n_active[-1] > 0
        assert len({address for one in held.values() for address in homes(one)}) == n_processes
    assert not different


def same(found, wanted):
    numbers = ("alphas", "intercepts", "primal", "dual_gaps")
    coefs = (one if isinstance(one, list) else [one] for one in (found.coefs, wanted.coefs))
    return all(
        np.array_equal(getattr(found, name), getattr(wanted, name), equal_nan=True) for name in numbers
    ) and not any((ours != theirs).nnz for ours, theirs in zip(*coefs, strict=True))


def homes(held):
    return held._host.homes


@pytest.mark.parametrize(
    ("penalty", "words"),
    [
        (SLOPE(), 'with penalty "slope", which ties all of its columns'),
        (ElasticNet(0.0), "where l1_ratio is 0, which keeps all of its columns at hand"),
        (GroupLasso([[0, 1, 2], [2, 3]]), "where groups overlap"),
    ],
)
def test_penalties_that_tie_all_columns_are_refused(cluster_client, bed, penalty, words):
    held = riata.distributed.open_genotypes(bed, client=cluster_client)
    with pytest.raises(ValueError, match=f"X must be in this process {words}, got one that others hold"):
        riata.fit_path(held, response("bed", bed, "gaussian"), penalty=penalty)
