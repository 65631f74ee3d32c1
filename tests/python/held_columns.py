"""Columns that workers hold, and paths that have to have the same bits."""

import numpy as np

import riata


def numbers_and_response(n, p, seed):
    """Columns in Fortran order, and what every fortieth of them says but for noise."""
    rng = np.random.default_rng(seed)
    X = np.asfortranarray(rng.standard_normal((n, p)))
    return X, X[:, ::40].sum(axis=1) + rng.standard_normal(n)


def held_by(client, X, columns):
    """X at the workers of a client, so many columns a chunk."""
    from dask import array

    return riata.distributed.from_array(array.from_array(X, chunks=(-1, columns)), client=client)


def assert_same_path(found, expected):
    """Of paths, or what has one: alphas, coefficients, intercepts and gaps."""
    found, expected = (getattr(one, "path", one) for one in (found, expected))
    assert np.array_equal(found.alphas, expected.alphas)
    several = isinstance(found.coefs, list)
    pairs = zip(found.coefs, expected.coefs, strict=True) if several else [(found.coefs, expected.coefs)]
    assert all((one != other).nnz == 0 for one, other in pairs)
    assert np.array_equal(found.intercepts, expected.intercepts)
    assert np.array_equal(found.dual_gaps, expected.dual_gaps, equal_nan=True)
