"""scikit-learn's own contract: every check passes that gives an estimator the kind of y it is for."""

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from tests.python.independent_copies import IndependentCopies

import riata

SMALL = {"alphas": 20, "eps": 0.05, "cv": 3}  # the checks are about the contract: short grids keep them quick

ESTIMATORS = [
    riata.Lasso(),
    riata.ElasticNet(),
    riata.SparseLogisticRegression(),
    riata.LassoCV(**SMALL),
    riata.ElasticNetCV(**SMALL),
    riata.SparseLogisticRegressionCV(**SMALL),
    riata.MultiTaskLasso(),
    riata.MultiTaskElasticNet(),
    riata.MultiTaskLassoCV(**SMALL),
    riata.MultiTaskElasticNetCV(**SMALL),
    riata.SparseLogisticRegression(grouped=True, tol=1e-12),
    riata.SparsePoissonRegressor(),
    riata.SparsePoissonRegressorCV(**SMALL),
    riata.GroupLasso(),
    riata.SparseGroupLasso(),
    riata.MCPRegressor(),
    riata.SCADRegressor(),
    riata.SLOPE(),
    riata.UniLasso(),
    riata.GroupLassoCV(**SMALL),
    riata.SparseGroupLassoCV(**SMALL),
    riata.MCPRegressorCV(**SMALL),
    riata.SCADRegressorCV(**SMALL),
    riata.SLOPECV(**SMALL),
    riata.UniLassoCV(**SMALL),
    riata.StabilitySelection(n_pairs=4),
    riata.KnockoffSelector(
        knockoffs=IndependentCopies(), fdr=0.5, knockoff_offset=0, statistic="entry", check=False
    ),
    riata.DebiasedLasso(cv=3),
    riata.RelaxedLasso(),
    riata.RelaxedLassoCV(**SMALL),
    riata.AdaptiveLasso(),
    riata.AdaptiveLassoCV(**SMALL),
    riata.AdaptiveLassoCV(initial="lasso", n_steps=2, **SMALL),
    riata.AdaptiveLasso(initial="marginal"),
]


# scikit-learn excepts only its own transformers of several responses from them.
ONE_RESPONSE = (
    "check_transformer_data_not_an_array",
    "check_transformer_general",
    "check_transformer_n_iter",
    "check_transformer_preserve_dtypes",
)


# A sample in two rows is not left out of a one-feature model as one of weight 2 is.
REPEATED = ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data")


def expected_failures(estimator):
    if isinstance(estimator, riata.UniLassoCV | riata.StabilitySelection | riata.KnockoffSelector):
        return dict.fromkeys(REPEATED, "samples are left out by rows")
    several = not estimator.__sklearn_tags__().target_tags.single_output
    return dict.fromkeys(ONE_RESPONSE, "its y has one response") if several else {}


@pytest.mark.filterwarnings("ignore")  # those of scikit-learn and of checks on degenerate data
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_scikit_learn_estimator(estimator, check):
    check(estimator)


# Survival times are a y that no check gives: those of scikit-learn's checks that need none.
CONSTRUCTOR_CHECKS = [
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_set_params,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_mixin_order,
    estimator_checks.check_valid_tag_types,
]


@pytest.mark.parametrize("check", CONSTRUCTOR_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("kind", [riata.SparseCox, riata.SparseCoxCV])
def test_survival_estimator_is_constructed_as_others(kind, check):
    check(kind.__name__, kind())
