"""AnnData as X: what its matrix gives, with its names of variables, aligned by those of observations."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from support import make_problem

import riata

pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")


class Annotated:
    """The parts of an AnnData that riata looks at, for where the package is not installed."""

    def __init__(self, X, obs, var):
        self.X, self.obs, self.var, self.layers = X, obs, var, {"counts": X}

    @property
    def obs_names(self):
        return self.obs.index

    @property
    def var_names(self):
        return self.var.index

    @property
    def shape(self):
        return len(self.obs), len(self.var)

    def __len__(self):
        return len(self.obs)


def made(maker, X, genes=None):
    n, p = X.shape
    obs = pd.DataFrame({"kind": ["a", "b"] * (n // 2)}, index=[f"cell{i}" for i in range(n)])
    var = pd.DataFrame(index=genes or [f"gene{j}" for j in range(p)])
    return maker(X, obs, var)


def anndata():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("anndata")


@pytest.fixture(params=["parts", "package"])
def maker(request):
    return Annotated if request.param == "parts" else anndata().AnnData


def matrix():
    X, y = make_problem()
    X[np.abs(X) < 0.8] = 0.0
    return X, y


@pytest.mark.parametrize("kind", [np.asarray, np.float32, sp.csr_matrix, sp.csc_matrix, sp.csr_array])
def test_paths_are_those_of_the_matrix(maker, kind):
    X, y = matrix()
    given = made(maker, kind(X))
    path = riata.fit_path(given, y, alphas=9)
    expected = riata.fit_path(kind(X), y, alphas=9)
    assert (path.coefs != expected.coefs).nnz == 0
    assert list(path.feature_names) == list(given.var_names)
    assert_array_equal(path.predict(given), expected.predict(kind(X)))
    with pytest.raises(ValueError, match=r"got 'gene0' where the fit had 'gene1'"):
        riata.fit_path(made(maker, kind(X), [f"gene{(j + 1) % X.shape[1]}" for j in range(X.shape[1])]), y,
                       alphas=3).predict(given)  # fmt: skip


def test_cross_validation(maker):
    X, y = matrix()
    given = made(maker, sp.csr_matrix(X))
    cv = riata.cv_path(given, pd.Series(y, given.obs_names), cv=3, alphas=9)
    assert_array_equal(cv.scores, riata.cv_path(sp.csc_matrix(X), y, cv=3, alphas=9).scores)
    assert len(riata.cv_multi_path(given, [y, -y], cv=3, alphas=5)) == 2
    assert riata.estimate_memory(given, cv=3).total == riata.estimate_memory(sp.csr_matrix(X), cv=3).total
    from sklearn.model_selection import KFold

    assert len(riata.cv_path(given, y, cv=KFold(4), alphas=5).folds) == 4


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_estimators(maker, kind):
    X, y = matrix()
    given = made(maker, kind(X))
    model = riata.Lasso(0.05).fit(given, y)
    plain = riata.Lasso(0.05).fit(kind(X), y)
    assert_array_equal(model.coef_, plain.coef_)
    assert list(model.feature_names_in_) == list(given.var_names)
    assert_allclose(model.predict(given), plain.predict(kind(X)))
    assert model.score(given, y) == pytest.approx(plain.score(kind(X), y))
    kept = model.transform(given)
    assert_array_equal(kept.toarray() if sp.issparse(kept) else kept, X[:, model.coef_ != 0])
    assert riata.LassoCV(cv=3).fit(given, y).alpha_ == riata.LassoCV(cv=3).fit(kind(X), y).alpha_
    classes = np.asarray(given.obs["kind"])
    logistic = riata.SparseLogisticRegression(0.05).fit(given, classes)
    assert set(logistic.predict(given)) <= {"a", "b"}
    turned = made(maker, kind(X), list(given.var_names)[::-1])
    for ask in (model.predict, model.transform):
        with pytest.raises(ValueError, match="X must have the features of the fit in the same order"):
            ask(turned)


def test_rows_of_other_names_are_refused(maker):
    X, y = matrix()
    given = made(maker, X)
    other = pd.Series(y, given.obs_names[::-1])
    for fit in (riata.fit_path, riata.cv_path, riata.Lasso().fit):
        with pytest.raises(ValueError, match=r"y must have the samples of X .* X has 'cell0'; .*obs_names\]"):
            fit(given, other)
    riata.Lasso().fit(given, pd.Series(y))  # an index that counts rows says nothing


def test_a_matrix_that_is_not_there(maker):
    X, y = matrix()
    given = made(maker, X)
    given.layers["counts"] = X
    given.X = None
    with pytest.raises(ValueError, match=r"X is None \(its layers: 'counts'\); set X\.X = X\.layers"):
        riata.fit_path(given, y)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, sp.csc_matrix])
def test_backed(tmp_path, kind):
    package = anndata()
    X, y = matrix()
    made(package.AnnData, kind(X)).write_h5ad(tmp_path / "t.h5ad")
    backed = package.read_h5ad(tmp_path / "t.h5ad", backed="r")
    assert backed.isbacked
    path = riata.fit_path(backed, y, alphas=9)
    expected = riata.fit_path(X, y, alphas=9)
    assert_allclose(path.coefs.toarray(), expected.coefs.toarray(), atol=1e-6)
    part = backed[10:30]
    assert_allclose(path.predict(part), path.predict(X)[10:30])
    backed.file.close()
