"""Names, order and defaults of every estimator's parameters: what code written for them relies on."""

import inspect

import pytest
from sklearn.base import BaseEstimator, clone

import riata

SIGNATURES = {
    "SLOPE": """
        alpha=1.0, *, q=0.1, weights=None, fit_intercept=True, standardize=False,
        penalty_factor=None, tol=1e-06, max_iter=10000, solver='auto', n_threads=None, verbose=0
    """,
    "SLOPECV": """
        *, q=0.1, weights=None, alphas=100, eps=0.001, cv=5, alpha_rule='min', selection='cyclic',
        fit_intercept=True, standardize=False, penalty_factor=None, tol=1e-06, max_iter=10000,
        solver='auto', n_threads=None, n_jobs=None, verbose=0
    """,
    "UniLasso": """
        alpha=1.0, *, univariate=None, fit_intercept=True, standardize=False,
        penalty_factor=None, tol=1e-06, max_iter=10000, solver='auto', n_threads=None, verbose=0
    """,
    "UniLassoCV": """
        *, univariate=None, alphas=100, eps=0.001, cv=5, alpha_rule='min', selection='cyclic',
        fit_intercept=True, standardize=False, penalty_factor=None, tol=1e-06, max_iter=10000,
        solver='auto', n_threads=None, n_jobs=None, verbose=0
    """,
    "StabilitySelection": """
        *, pfer=None, threshold=None, q=None, n_pairs=50, bound='r-concave', groups=None, p_values=False,
        stop_early=False, loss='gaussian', penalty=None, l1_ratio=1.0, standardize=True,
        penalty_factor=None, lower=None, upper=None, exclude=None, tol=0.0001, impute=None, memory=None,
        n_threads=None, random_state=0
    """,
    "DebiasedLasso": """
        *, features='selected', level=0.95, adjust='auto', robust=False, cv=10, loss='gaussian',
        fit_intercept=True, standardize=True, penalty_factor=None, exclude=None, tol=1e-06,
        n_threads=None, random_state=0
    """,
    "KnockoffSelector": """
        *, fdr=0.1, knockoffs='auto', groups=None, statistic='coef_difference', knockoff_offset=1, n_draws=1,
        cv=10, scoring=None, alpha_rule='min', patience=10, check=True, loss='gaussian', penalty=None,
        l1_ratio=1.0, standardize=True, penalty_factor=None, lower=None, upper=None, exclude=None, tol=1e-05,
        impute=None, memory=None, n_threads=None, random_state=0
    """,
    "AdaptiveLasso": """
        alpha=1.0, *, initial='ridge', initial_alpha=None, power=1.0, n_steps=1, cv=5,
        fit_intercept=True, standardize=False, penalty_factor=None, tol=1e-06, max_iter=10000,
        solver='auto', n_threads=None, verbose=0
    """,
    "AdaptiveLassoCV": """
        *, alphas=100, eps=0.001, cv=5, alpha_rule='min', selection='cyclic', initial='ridge',
        initial_alpha=None, power=1.0, n_steps=1, fit_intercept=True, standardize=False,
        penalty_factor=None, tol=1e-06, max_iter=10000, solver='auto', n_threads=None, verbose=0
    """,
    "ElasticNet": """
        alpha=1.0, *, l1_ratio=0.5, fit_intercept=True, positive=False, standardize=False,
        penalty_factor=None, lower=None, upper=None, tol=1e-06, max_iter=10000, warm_start=False,
        solver='auto', n_threads=None, verbose=0, precompute=False, copy_X=True, random_state=None,
        selection='cyclic'
    """,
    "ElasticNetCV": """
        *, l1_ratio=0.5, alphas=100, eps=0.001, cv=5, alpha_rule='min', selection='cyclic',
        fit_intercept=True, positive=False, standardize=False, penalty_factor=None, lower=None,
        upper=None, tol=1e-06, max_iter=10000, solver='auto', n_threads=None, n_jobs=None,
        verbose=0, precompute='auto', copy_X=True, random_state=None
    """,
    "GroupLasso": """
        groups=None, alpha=1.0, *, weights='sqrt_size', l2_ratio=0.0, fit_intercept=True,
        standardize=False, penalty_factor=None, tol=1e-06, max_iter=10000, solver='auto',
        n_threads=None, verbose=0
    """,
    "GroupLassoCV": """
        groups=None, *, weights='sqrt_size', l2_ratio=0.0, alphas=100, eps=0.001, cv=5,
        alpha_rule='min', selection='cyclic', fit_intercept=True, standardize=False,
        penalty_factor=None, tol=1e-06, max_iter=10000, solver='auto', n_threads=None, n_jobs=None,
        verbose=0
    """,
    "Lasso": """
        alpha=1.0, *, fit_intercept=True, positive=False, standardize=False, penalty_factor=None,
        lower=None, upper=None, tol=1e-06, max_iter=10000, warm_start=False, solver='auto',
        n_threads=None, verbose=0, precompute=False, copy_X=True, random_state=None,
        selection='cyclic'
    """,
    "LassoCV": """
        *, alphas=100, eps=0.001, cv=5, alpha_rule='min', selection='cyclic', fit_intercept=True,
        positive=False, standardize=False, penalty_factor=None, lower=None, upper=None, tol=1e-06,
        max_iter=10000, solver='auto', n_threads=None, n_jobs=None, verbose=0, precompute='auto',
        copy_X=True, random_state=None
    """,
    "MCPRegressor": """
        alpha=1.0, *, gamma=3.0, fit_intercept=True, standardize=False, penalty_factor=None,
        tol=1e-06, max_iter=10000, solver='auto', n_threads=None, verbose=0
    """,
    "MCPRegressorCV": """
        *, gamma=3.0, alphas=100, eps=0.001, cv=5, alpha_rule='min', selection='cyclic',
        fit_intercept=True, standardize=False, penalty_factor=None, tol=1e-06, max_iter=10000,
        solver='auto', n_threads=None, n_jobs=None, verbose=0
    """,
    "MultiTaskElasticNet": """
        alpha=1.0, *, l1_ratio=0.5, fit_intercept=True, standardize=False, penalty_factor=None,
        tol=1e-06, max_iter=10000, warm_start=False, solver='auto', n_threads=None, verbose=0,
        copy_X=True, random_state=None, selection='cyclic'
    """,
    "MultiTaskElasticNetCV": """
        *, l1_ratio=0.5, alphas=100, eps=0.001, cv=5, alpha_rule='min', selection='cyclic',
        fit_intercept=True, standardize=False, penalty_factor=None, tol=1e-06, max_iter=10000,
        solver='auto', n_threads=None, n_jobs=None, verbose=0, copy_X=True, random_state=None
    """,
    "MultiTaskLasso": """
        alpha=1.0, *, fit_intercept=True, standardize=False, penalty_factor=None, tol=1e-06,
        max_iter=10000, warm_start=False, solver='auto', n_threads=None, verbose=0, copy_X=True,
        random_state=None, selection='cyclic'
    """,
    "MultiTaskLassoCV": """
        *, alphas=100, eps=0.001, cv=5, alpha_rule='min', selection='cyclic', fit_intercept=True,
        standardize=False, penalty_factor=None, tol=1e-06, max_iter=10000, solver='auto',
        n_threads=None, n_jobs=None, verbose=0, copy_X=True, random_state=None
    """,
    "RelaxedLasso": """
        alpha=1.0, *, gamma=0.0, fit_intercept=True, standardize=False, penalty_factor=None,
        tol=1e-06, max_iter=10000, solver='auto', n_threads=None, verbose=0
    """,
    "RelaxedLassoCV": """
        *, alphas=100, gammas=(0.0, 0.25, 0.5, 0.75, 1.0), eps=0.001, cv=5, alpha_rule='min',
        selection='cyclic', fit_intercept=True, standardize=False, penalty_factor=None, tol=1e-06,
        max_iter=10000, solver='auto', n_threads=None, verbose=0
    """,
    "SCADRegressor": """
        alpha=1.0, *, gamma=3.7, fit_intercept=True, standardize=False, penalty_factor=None,
        tol=1e-06, max_iter=10000, solver='auto', n_threads=None, verbose=0
    """,
    "SCADRegressorCV": """
        *, gamma=3.7, alphas=100, eps=0.001, cv=5, alpha_rule='min', selection='cyclic',
        fit_intercept=True, standardize=False, penalty_factor=None, tol=1e-06, max_iter=10000,
        solver='auto', n_threads=None, n_jobs=None, verbose=0
    """,
    "SparseCox": """
        alpha=0.01, *, l1_ratio=1.0, ties='breslow', positive=False, standardize=False,
        penalty_factor=None, lower=None, upper=None, tol=1e-06, max_iter=10000, solver='auto',
        n_threads=None, verbose=0
    """,
    "SparseCoxCV": """
        *, alphas=100, eps=None, cv=5, scoring=None, alpha_rule='min', selection='cyclic',
        l1_ratio=1.0, ties='breslow', positive=False, standardize=False, penalty_factor=None,
        lower=None, upper=None, tol=1e-06, max_iter=10000, solver='auto', n_threads=None, verbose=0
    """,
    "SparseGroupLasso": """
        groups=None, alpha=1.0, *, l1_ratio=0.5, weights='sqrt_size', fit_intercept=True,
        standardize=False, penalty_factor=None, tol=1e-06, max_iter=10000, solver='auto',
        n_threads=None, verbose=0
    """,
    "SparseGroupLassoCV": """
        groups=None, *, l1_ratio=0.5, weights='sqrt_size', alphas=100, eps=0.001, cv=5,
        alpha_rule='min', selection='cyclic', fit_intercept=True, standardize=False,
        penalty_factor=None, tol=1e-06, max_iter=10000, solver='auto', n_threads=None, n_jobs=None,
        verbose=0
    """,
    "SparseLogisticRegression": """
        alpha=0.01, *, C=None, l1_ratio=1.0, class_weight=None, fit_intercept=True, positive=False,
        grouped=False, standardize=False, penalty_factor=None, lower=None, upper=None,
        tol=1e-06, max_iter=10000, warm_start=False, solver='auto', n_threads=None, verbose=0,
        n_jobs=None, random_state=None, row_grouped='deprecated'
    """,
    "SparseLogisticRegressionCV": """
        *, alphas=100, eps=None, cv=5, scoring=None, alpha_rule='min', selection='cyclic',
        l1_ratio=1.0, class_weight=None, fit_intercept=True, positive=False, grouped=False,
        standardize=False, penalty_factor=None, lower=None, upper=None, tol=1e-06, max_iter=10000,
        solver='auto', n_threads=None, verbose=0, n_jobs=None, random_state=None,
        row_grouped='deprecated'
    """,
    "SparsePoissonRegressor": """
        alpha=0.01, *, l1_ratio=1.0, fit_intercept=True, positive=False, standardize=False,
        penalty_factor=None, lower=None, upper=None, tol=1e-06, max_iter=10000, warm_start=False,
        solver='auto', n_threads=None, verbose=0, n_jobs=None, random_state=None
    """,
    "SparsePoissonRegressorCV": """
        *, alphas=100, eps=None, cv=5, scoring=None, alpha_rule='min', selection='cyclic',
        l1_ratio=1.0, fit_intercept=True, positive=False, standardize=False, penalty_factor=None,
        lower=None, upper=None, tol=1e-06, max_iter=10000, solver='auto', n_threads=None, verbose=0,
        n_jobs=None, random_state=None
    """,
}


def plain(function):
    """The signature without types, as text."""
    signature = inspect.signature(function)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def test_every_estimator_is_here():
    public = {name: getattr(riata, name) for name in riata.__all__}
    kinds = {n for n, kind in public.items() if isinstance(kind, type) and issubclass(kind, BaseEstimator)}
    assert kinds == SIGNATURES.keys()


@pytest.mark.parametrize("name", SIGNATURES)
def test_parameters_are_what_they_were(name):
    kind = getattr(riata, name)
    assert plain(kind) == f"({' '.join(SIGNATURES[name].split())})"
    parameters = inspect.signature(kind).parameters
    assert kind().get_params() == {key: parameter.default for key, parameter in parameters.items()}
    assert all(parameter.annotation is not inspect.Parameter.empty for parameter in parameters.values())


@pytest.mark.parametrize("name", SIGNATURES)
def test_parameters_are_kept_as_given(name):
    """Nothing is checked, copied or renamed before `fit`."""
    kind = getattr(riata, name)
    given = {key: object() for key in inspect.signature(kind).parameters}
    model = kind(**given)
    assert all(getattr(model, key) is value for key, value in given.items())
    assert clone(model, safe=False).get_params(deep=False).keys() == given.keys()
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        kind(alpa=1.0)
