"""scikit-learn's own contract: every check passes and none is expected to fail."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import riata

SMALL = {"alphas": 20, "eps": 0.05, "cv": 3}  # the checks are about the contract: short grids keep them quick

ESTIMATORS = [
    riata.Lasso(),
    riata.ElasticNet(),
    riata.SparseLogisticRegression(),
    riata.LassoCV(**SMALL),
    riata.ElasticNetCV(**SMALL),
    riata.SparseLogisticRegressionCV(**SMALL),
    riata.SparsePoissonRegressor(),
    riata.SparsePoissonRegressorCV(**SMALL),
]


@pytest.mark.filterwarnings("ignore")  # those of scikit-learn and of checks on degenerate data
@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_estimator(estimator, check):
    check(estimator)
