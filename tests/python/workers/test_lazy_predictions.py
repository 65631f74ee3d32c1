"""Predictions for Dask arrays: lazy, of the columns in use alone, and those of the array in memory."""

import numpy as np
import pytest
import scipy.sparse as sp

import riata

dask_array = pytest.importorskip("dask.array")

N, P = 80, 120


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((N, P)))
    y = X[:, 3] - 2 * X[:, 70] + 0.3 * rng.standard_normal(N)
    return X, y


def lazily(X, chunks=(27, 50)):
    return dask_array.from_array(X, chunks=chunks)


def assert_lazy_and_same(found, expected):
    assert hasattr(found, "dask")
    assert found.shape == expected.shape
    computed = found.compute(scheduler="synchronous")
    assert computed.dtype == found.dtype == expected.dtype
    assert np.array_equal(computed, expected)


@pytest.mark.parametrize("kind", ["response", "link", "class"])
@pytest.mark.parametrize("loss", ["gaussian", "binomial", "multinomial", "poisson"])
def test_paths(data, loss, kind):
    X, y = data
    target = {
        "gaussian": y,
        "binomial": np.where(y > 0, "yes", "no"),
        "multinomial": np.digitize(y, [-1, 1]),
        "poisson": np.round(np.exp(y / 3)),
    }[loss]
    path = riata.fit_path(X, target, loss=loss, alphas=8)
    if kind == "class" and path.classes is None:
        with pytest.raises(ValueError, match="kind must be"):
            path.predict(lazily(X), kind=kind)
        return
    for at in (None, path.alphas[5], path.alphas[[2, 6]]):
        assert_lazy_and_same(path.predict(lazily(X), at, kind=kind), path.predict(X, at, kind=kind))
    assert_lazy_and_same(path.predict(lazily(X), path.alphas[0]), path.predict(X, path.alphas[0]))


def test_offsets_gaps_and_constrained_fits(data):
    X, y = data
    shift = np.linspace(-1, 1, N)
    path = riata.fit_path(X, y, offset=shift, alphas=6)
    assert_lazy_and_same(path.predict(lazily(X), offset=shift), path.predict(X, offset=shift))
    assert_lazy_and_same(path.predict(lazily(X), offset=0.5), path.predict(X, offset=0.5))
    with pytest.raises(ValueError, match="offset must be given"):
        path.predict(lazily(X))
    holes = X.copy()
    holes[::7, 3] = np.nan
    filled = riata.fit_path(holes, y, impute="mean", alphas=6)
    assert_lazy_and_same(filled.predict(lazily(holes)), filled.predict(holes))
    constrained = riata.constrained_lasso(X, y, 1.0)
    assert_lazy_and_same(constrained.predict(lazily(X)), constrained.predict(X))
    cv = riata.cv_path(X, y, alphas=6, cv=3)
    assert_lazy_and_same(cv.predict(lazily(X)), cv.predict(X))


def test_rows_of_which_the_number_is_not_known(data):
    X, y = data
    path = riata.fit_path(X, y, alphas=6)
    some = lazily(X)
    some = some[some[:, 0] > 0]
    expected = path.predict(X)[X[:, 0] > 0]
    assert np.array_equal(path.predict(some).compute(scheduler="synchronous"), expected)
    with pytest.raises(ValueError, match="known number of rows"):
        path.predict(some, offset=1.0)


@pytest.mark.parametrize(
    ("model", "methods"),
    [
        (riata.Lasso(0.1), ["predict", "transform"]),
        (riata.Lasso(1e6), ["predict"]),
        (riata.LassoCV(cv=3, alphas=6), ["predict"]),
        (
            riata.SparseLogisticRegression(0.05),
            ["predict", "decision_function", "predict_proba", "predict_log_proba"],
        ),
        (riata.SparsePoissonRegressor(0.1), ["predict"]),
        (riata.MultiTaskLasso(0.1), ["predict"]),
        (riata.SparseCox(0.05), ["predict"]),
    ],
    ids=lambda given: type(given).__name__ if hasattr(given, "fit") else "",
)
def test_estimators(data, model, methods):
    X, y = data
    name = type(model).__name__
    target = y
    if "Logistic" in name:
        target = np.where(y > 0, "yes", "no")
    elif "Poisson" in name:
        target = np.round(np.exp(y / 3))
    elif "MultiTask" in name:
        target = np.column_stack([y, -y])
    elif "Cox" in name:
        target = np.column_stack([np.exp(-y), np.arange(N) % 4 > 0])
    model.fit(X, target)
    for method in methods:
        assert_lazy_and_same(getattr(model, method)(lazily(X)), getattr(model, method)(X))
    with pytest.raises(ValueError, match=f"the {P} features of the fit, got {P - 1}"):
        getattr(model, methods[0])(lazily(X[:, 1:]))


def test_columns_that_are_not_in_use_are_not_read(data):
    X, y = data
    path = riata.fit_path(X, y, alphas=6)
    used = np.unique(path.coefs.indices)
    read = []

    def column(j):
        read.append(j)
        return X[:, [j]]

    from dask import delayed

    columns = [dask_array.from_delayed(delayed(column)(j), shape=(N, 1), dtype=np.float64) for j in range(P)]
    found = path.predict(dask_array.concatenate(columns, axis=1))
    assert read == []
    assert_lazy_and_same(found, path.predict(X))
    assert sorted(read) == used.tolist()


def test_sparse_blocks(data):
    X, y = data
    X = np.where(np.abs(X) < 1, 0.0, X)
    path = riata.fit_path(sp.csc_array(X), y, alphas=6)
    blocks = lazily(X, chunks=(27, -1)).map_blocks(sp.csr_matrix)
    found = path.predict(blocks).compute(scheduler="synchronous")
    assert np.array_equal(found, path.predict(sp.csc_array(X)))
