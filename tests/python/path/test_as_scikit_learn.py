"""`lasso_path` and `enet_path` beside scikit-learn's."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model as peers
from numpy.testing import assert_allclose
from several_outputs import make_outputs
from support import make_problem

import riata


@pytest.mark.parametrize("storage", [np.asarray, sp.csr_array])
@pytest.mark.parametrize(
    "given", [{}, {"positive": True}, {"alphas": [0.5, 0.01, 0.1]}, {"eps": 0.1}], ids=str
)
@pytest.mark.parametrize("name", ["lasso_path", "enet_path"])
def test_one_response(name, given, storage):
    X, y = make_problem(n=40, p=30)
    given = {"alphas": 12} | given
    ours = getattr(riata, name)(storage(X), y, tol=1e-10, return_n_iter=True, **given)
    theirs = getattr(peers, name)(X, y, tol=1e-10, max_iter=10**5, **given)
    assert [part.shape for part in ours[:3]] == [part.shape for part in theirs]
    assert_allclose(ours[0], theirs[0], rtol=1e-9)
    assert_allclose(ours[1], theirs[1], atol=1e-5)
    assert np.all(ours[2] <= 1e-10 * (y @ y) / 80)
    assert len(ours[3]) == len(ours[0])


@pytest.mark.parametrize("name", ["lasso_path", "enet_path"])
def test_several_responses(name):
    X, Y = make_outputs("multigaussian", 40, 15, 3)
    ours = getattr(riata, name)(X, Y, alphas=8, tol=1e-10)
    theirs = getattr(peers, name)(X, Y, alphas=8, tol=1e-10, max_iter=10**5)
    assert_allclose(ours[0], theirs[0], rtol=1e-9)
    assert_allclose(ours[1], theirs[1], atol=1e-5)
    with pytest.raises(ValueError, match="positive must be False with a response of several columns"):
        getattr(riata, name)(X, Y, positive=True)


def test_older_arguments():
    X, y = make_problem(n=40, p=10)
    with pytest.warns(FutureWarning, match="'n_alphas' was deprecated"):
        assert len(riata.lasso_path(X, y, n_alphas=7)[0]) == 7
    with pytest.warns(FutureWarning, match="'alphas=None' is deprecated"):
        assert len(riata.enet_path(X, y, alphas=None)[0]) == 100
    with pytest.raises(
        ValueError, match=r"Unexpected parameters in params: must be among .* got \['normalize'\]"
    ):
        riata.lasso_path(X, y, normalize=True)
