"""Every function and estimator that takes X, of columns that workers hold: the same bits, or one sentence."""

import numpy as np
import pytest
from held_columns import assert_same_path
from sklearn.base import clone

import riata
from riata import _core
from riata._input.design import as_design

dask_array = pytest.importorskip("dask.array")

N, P = 70, 144


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = np.asfortranarray(rng.standard_normal((N, P)))
    return X, 2 * X[:, ::40] @ rng.standard_normal(4) + rng.standard_normal(N)


@pytest.fixture(scope="module")
def held(data, cluster_client):
    return riata.distributed.from_array(
        dask_array.from_array(data[0], chunks=(-1, 64)), client=cluster_client
    )


GROUPS = np.arange(P) // 4


def target(kind, y):
    return {
        "numbers": y,
        "classes": np.where(y > np.median(y), "b", "a"),
        "three": np.digitize(y, [-1, 1]),
        "counts": np.round(np.exp(y / 4)),
        "times": np.column_stack([np.exp(-y / 3), np.arange(N) % 4 > 0]),
        "several": np.column_stack([y, y[::-1]]),
    }[kind]


@pytest.mark.parametrize(
    ("fit", "kind"),
    [
        (lambda X, y: riata.fit_path(X, y, loss="huber", alphas=4), "numbers"),
        (lambda X, y: riata.fit_path(X, y, loss="cox", alphas=4), "times"),
        (lambda X, y: riata.fit_path(X, y, loss="multinomial", alphas=4), "three"),
        (lambda X, y: riata.fit_path(X, y, loss="multigaussian", alphas=4), "several"),
        (lambda X, y: riata.fit_path(X, y, penalty=riata.penalties.SCAD(), alphas=4), "numbers"),
        (lambda X, y: riata.fit_path(X, y, penalty=riata.penalties.GroupLasso(GROUPS), alphas=4), "numbers"),
        (lambda X, y: riata.cv_path(X, y, loss="cox", cv=3, alphas=4), "times"),
        (lambda X, y: riata.cv_path(X, y, cv=3, nested=2, alphas=4), "numbers"),
        (lambda X, y: riata.fit_multi_path(X, [y, y[::-1]], alphas=4)[1], "numbers"),
        (lambda X, y: riata.cv_multi_path(X, [y, y[::-1]], alphas=4, cv=3)[1], "numbers"),
        (lambda X, y: riata.relax(riata.fit_path(X, y, alphas=4), X, y), "numbers"),
    ],
)  # fmt: skip
def test_functions(data, held, fit, kind):
    X, y = data
    y = target(kind, y)
    assert_same_path(fit(held, y), fit(X, y))


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (riata.Lasso(0.2), "numbers"),
        (riata.Lasso(0.2), "several"),
        (riata.LassoCV(cv=3, alphas=4), "numbers"),
        (riata.ElasticNet(0.2), "numbers"),
        (riata.AdaptiveLasso(0.2), "numbers"),
        (riata.RelaxedLasso(0.2), "numbers"),
        (riata.UniLasso(0.2), "numbers"),
        (riata.MCPRegressor(0.2), "numbers"),
        (riata.GroupLasso(alpha=0.2, groups=GROUPS), "numbers"),
        (riata.SparseLogisticRegression(0.05), "classes"),
        (riata.SparseLogisticRegressionCV(cv=3, alphas=4), "classes"),
        (riata.SparsePoissonRegressor(0.1), "counts"),
        (riata.SparseCox(0.05), "times"),
        (riata.MultiTaskLasso(0.2), "several"),
    ],
    ids=lambda given: type(given).__name__ if hasattr(given, "fit") else given,
)
def test_estimators(data, held, model, kind):
    X, y = data
    y = target(kind, y)
    found, expected = (clone(model).fit(one, y) for one in (held, X))
    assert np.array_equal(found.coef_, expected.coef_)
    assert np.array_equal(found.intercept_, expected.intercept_)
    assert np.array_equal(found.predict(held), expected.predict(X))
    assert np.array_equal(found.transform(held), expected.transform(X))
    if hasattr(found, "predict_proba"):
        assert np.array_equal(found.predict_proba(held), expected.predict_proba(X))


def test_selectors(data, held):
    X, y = data
    for model in (
        riata.StabilitySelection(n_pairs=2, pfer=2),
        riata.KnockoffSelector(fdr=0.5, statistic="entry", random_state=0, knockoff_offset=0, check=False),
    ):
        found, expected = (clone(model).fit(one, y) for one in (held, X))
        assert expected.get_support().any()
        assert np.array_equal(found.get_support(), expected.get_support())
        assert np.array_equal(found.transform(held), X[:, expected.get_support()])


def test_constrained_lasso(data, held):
    X, y = data
    found, expected = (riata.constrained_lasso(one, y, 1.0) for one in (held, X))
    assert np.array_equal(found.coef, expected.coef)
    assert np.array_equal(found.predict(held), expected.predict(X))


def test_slope_is_refused(data, held):
    with pytest.raises(ValueError, match='X must be in this process with penalty "slope"'):
        riata.SLOPE().fit(held, data[1])


def test_identical_variants(cluster_client, tmp_path):
    here = riata.open_genotypes(riata.simulate_genotypes(tmp_path / "study", 30, 300, seed=1, missing=0.0))
    there = riata.distributed.open_genotypes(tmp_path / "study", client=cluster_client)
    found, expected = there.qc(), here.qc()
    for name in ("missing_rate", "frequency", "hwe_p", "monomorphic", "identical_to"):
        assert np.array_equal(found[name], expected[name], equal_nan=True)
    few = {"samples": np.arange(1, 30, 6)}
    assert (here.subset(**few).identical_to() >= 0).sum() > 50
    assert np.array_equal(there.identical_to(), here.identical_to())
    assert np.array_equal(there.subset(**few).identical_to(), here.subset(**few).identical_to())
    some = {**few, "variants": np.arange(290, 3, -3)}
    assert np.array_equal(there.subset(**some).identical_to(), here.subset(**some).identical_to())


class Beside:
    """Columns with others of this process beside them, which are not penalised."""

    def __init__(self, main, few):
        self.main, self.few, self.shape = main, few, (main.shape[0], main.shape[1] + few.shape[1])

    def _design(self):
        return _core.hstack_design([as_design(self.main).core, _core.dense_design(self.few)]), None


@pytest.mark.parametrize("dtype", ["f8", "f4", "i1"])
def test_products_and_columns_of_this_process(data, cluster_client, dtype):
    X, y = data
    X = np.asfortranarray((3 * X).astype(dtype))
    held = riata.distributed.from_array(dask_array.from_array(X, chunks=(-1, 64)), client=cluster_client)
    there, here = (as_design(one).core for one in (held, X))
    columns, rng = np.array([0, 3, 17, 64, 65, 70, 100, 143]), np.random.default_rng(3)
    for k in (1, 3):
        B = np.asfortranarray(rng.standard_normal((len(columns), k)))
        assert np.array_equal(there.multiply(columns, B, 1), here.multiply(columns, B, 1))
    factor = np.append(np.ones(P), np.zeros(3))
    for kind in ("f8", "f4"):
        few = np.asfortranarray(rng.standard_normal((N, 3)).astype(kind))
        assert_same_path(
            *(riata.fit_path(Beside(one, few), y, penalty_factor=factor, alphas=6) for one in (held, X))
        )
