"""X that Dask has not computed: one sentence that says what to do, and nothing is computed for it."""

import numpy as np
import pytest

import riata

arrays = pytest.importorskip("dask.array")

N, P = 30, 40
Y = np.random.default_rng(2).standard_normal(N)


def refuse_to_compute(block):
    if block.size:  # Dask looks at an empty one
        raise AssertionError("computed")
    return block


@pytest.fixture
def lazy():
    X = arrays.from_array(np.zeros((N, P)), chunks=(-1, 16))
    return X.map_blocks(refuse_to_compute, dtype=float, meta=np.empty((0, 0)))


WAYS = {
    "fit_path": lambda X: riata.fit_path(X, Y),
    "cv_path": lambda X: riata.cv_path(X, Y),
    "fit_multi_path": lambda X: riata.fit_multi_path(X, [Y, Y[::-1]]),
    "impute": lambda X: riata.fit_path(X, Y, impute="mean"),
    "estimator": lambda X: riata.Lasso().fit(X, Y),
    "search": lambda X: riata.LassoCV().fit(X, Y),
    "stability": lambda X: riata.stability_selection(X, Y, pfer=1),
    "knockoffs": lambda X: riata.knockoff_selection(X, Y, fdr=0.1),
    "debiased": lambda X: riata.debiased_lasso(X, Y, features=[0]),
    "memory": lambda X: riata.estimate_memory(X),
    "constrained": lambda X: riata.constrained_lasso(X, Y, 1.0),
}


@pytest.mark.parametrize("way", WAYS)
def test_arrays(lazy, way):
    told = (
        r"^X must be in memory or held by workers, got an object of type Array that Dask has not computed: "
        r"give riata.distributed.from_array\(X\), or X.compute\(\)"
    )
    with pytest.raises(TypeError, match=told):
        WAYS[way](lazy)


def test_arrays_of_xarray(lazy):
    xarray = pytest.importorskip("xarray")
    with pytest.raises(
        TypeError, match=r"got an object of type DataArray that .* riata.distributed.from_array\(X.data\)"
    ):
        riata.fit_path(xarray.DataArray(lazy), Y)
    X = np.random.default_rng(0).standard_normal((N, P))
    here = riata.fit_path(xarray.DataArray(X), Y, alphas=3)
    assert np.array_equal(here.primal, riata.fit_path(X, Y, alphas=3).primal)


def test_data_frames(lazy):
    frames = pytest.importorskip("dask.dataframe")
    X = frames.from_dask_array(lazy.rechunk((10, -1)))
    for way in ("fit_path", "estimator", "memory"):
        with pytest.raises(
            TypeError,
            match=r"got an object of type DataFrame .*from_array\(X.to_dask_array\(lengths=True\)\)",
        ):
            WAYS[way](X)


def test_a_lazy_matrix_of_anndata(lazy):
    class Annotated:
        X = lazy
        obs_names = obs = range(N)
        var_names = range(P)
        layers = ()
        shape = (N, P)

    with pytest.raises(TypeError, match=r"riata.distributed.from_array\(X.X\), or X.X.compute\(\)"):
        riata.fit_path(Annotated(), Y)
