"""riata: sparse linear, logistic, Poisson and Cox models, fast, each fit with a certificate of optimality."""

from __future__ import annotations

import importlib
from typing import Any

#: The public names that each module defines. `python tests/python/test_names.py` writes from this what type
#: checkers see, `__init__.pyi`.
_PUBLIC = {
    "_core": "__version__",
    "_input.storage": "Design",
    "estimators.adaptive": "AdaptiveLasso AdaptiveLassoCV",
    "estimators.concave": "MCPRegressor MCPRegressorCV SCADRegressor SCADRegressorCV",
    "estimators.cox": "SparseCox SparseCoxCV",
    "estimators.groups": "GroupLasso GroupLassoCV SparseGroupLasso SparseGroupLassoCV",
    "estimators.linear": "ElasticNet ElasticNetCV Lasso LassoCV",
    "estimators.logistic": "SparseLogisticRegression SparseLogisticRegressionCV",
    "estimators.multi_task": "MultiTaskElasticNet MultiTaskElasticNetCV MultiTaskLasso MultiTaskLassoCV",
    "estimators.poisson": "SparsePoissonRegressor SparsePoissonRegressorCV",
    "estimators.relaxed": "RelaxedLasso RelaxedLassoCV",
    "estimators.slope": "SLOPE SLOPECV",
    "estimators.univariate": "UniLasso UniLassoCV",
    "genetics.chromosomes": "ChromosomeSet ChromosomeWarning",
    "genetics.genotypes": "Genotypes",
    "genetics.opening": "open_genotypes",
    "genetics.simulate": "simulate_genotypes",
    "genetics.variants": "FittedVariants",
    "grouping.correlated": "correlation_groups",
    "grouping.groups": "CorrelationGroups",
    "grouping.ld": "ld_groups",
    "path.adaptive": "adaptive_weights",
    "path.applying": "MatchedGenotypes VariantWarning match_variants",
    "path.archive": "load",
    "path.as_scikit_learn": "enet_path lasso_path",
    "path.constrained": "ConstrainedFit constrained_lasso",
    "path.conversions": "Conversions conversions",
    "path.cross_validation": "cv_path",
    "path.cv_result": "CVPath",
    "path.evaluation": "Evaluation evaluate",
    "path.expanding_windows": "ExpandingWindows",
    "path.fit": "fit_path",
    "path.memory": "MemoryEstimate estimate_memory",
    "path.multi_response": "cv_multi_path fit_multi_path",
    "path.relaxed": "RelaxedPath relax",
    "path.result": "RegularizationPath",
    "path.run_options": "RunOptions",
    "selection.bounds": "pfer_bound",
    "selection.debiased": "debiased_lasso",
    "selection.debiased_estimator": "DebiasedLasso",
    "selection.estimator": "StabilitySelection",
    "selection.filter": "knockoff_e_values knockoff_q_values knockoff_threshold",
    "selection.intervals": "Intervals",
    "selection.knockoff_estimator": "KnockoffSelector",
    "selection.knockoff_result": "KnockoffSelected",
    "selection.knockoff_selection": "knockoff_selection",
    "selection.plan": "StabilityPlan stability_plan",
    "selection.result": "StabilitySelected StabilityWarning",
    "selection.stability": "stability_selection",
    "study.feature_sets": "FeatureGroups read_gene_sets",
    "study.predictions": "predict_samples",
    "study.univariate_slopes": "UnivariateSlopes read_univariate",
}
_MODULES = ("distributed", "knockoffs", "losses", "penalties", "plotting")
_HOME = {name: module for module, names in _PUBLIC.items() for name in names.split()}

__all__ = sorted([*_HOME, *_MODULES])

#: Names of earlier versions, understood for one version, with a warning.
_RENAMED = {
    "Equivalents": "Conversions",
    "Path": "RegularizationPath",
    "adaptive_factors": "adaptive_weights",
    "cv_paths": "cv_multi_path",
    "equivalents": "conversions",
    "fit_paths": "fit_multi_path",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: `import riata` itself stays cheap."""
    if name in _MODULES:
        return importlib.import_module(f"riata.{name}")
    if name in _RENAMED:
        from riata._input.renamed import warn_renamed

        warn_renamed(f"riata.{name}", f"riata.{_RENAMED[name]}")
        return getattr(importlib.import_module("riata"), _RENAMED[name])
    if name not in _HOME:
        raise AttributeError(f"module 'riata' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"riata.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
