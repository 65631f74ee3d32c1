"""riata: sparse linear, logistic, Poisson and Cox models, fast, each fit with a certificate of optimality."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riata import losses, penalties, plotting
    from riata._core import __version__
    from riata._input.storage import Design
    from riata.estimators.adaptive import AdaptiveLasso, AdaptiveLassoCV
    from riata.estimators.concave import MCPRegressor, MCPRegressorCV, SCADRegressor, SCADRegressorCV
    from riata.estimators.cox import SparseCox, SparseCoxCV
    from riata.estimators.groups import GroupLasso, GroupLassoCV, SparseGroupLasso, SparseGroupLassoCV
    from riata.estimators.linear import ElasticNet, ElasticNetCV, Lasso, LassoCV
    from riata.estimators.logistic import SparseLogisticRegression, SparseLogisticRegressionCV
    from riata.estimators.multi_task import (
        MultiTaskElasticNet,
        MultiTaskElasticNetCV,
        MultiTaskLasso,
        MultiTaskLassoCV,
    )
    from riata.estimators.poisson import SparsePoissonRegressor, SparsePoissonRegressorCV
    from riata.estimators.relaxed import RelaxedLasso, RelaxedLassoCV
    from riata.estimators.slope import SLOPE, SLOPECV
    from riata.genetics.chromosomes import ChromosomeSet, ChromosomeWarning
    from riata.genetics.genotypes import Genotypes
    from riata.genetics.opening import open_genotypes
    from riata.genetics.simulate import simulate_genotypes
    from riata.genetics.variants import FittedVariants
    from riata.path.adaptive import adaptive_weights
    from riata.path.applying import MatchedGenotypes, VariantWarning, match_variants
    from riata.path.archive import load
    from riata.path.as_scikit_learn import enet_path, lasso_path
    from riata.path.constrained import ConstrainedFit, constrained_lasso
    from riata.path.conversions import Conversions, conversions
    from riata.path.cross_validation import cv_path
    from riata.path.cv_result import CVPath
    from riata.path.evaluation import Evaluation, evaluate
    from riata.path.expanding_windows import ExpandingWindows
    from riata.path.fit import fit_path
    from riata.path.memory import MemoryEstimate, estimate_memory
    from riata.path.multi_response import cv_multi_path, fit_multi_path
    from riata.path.relaxed import RelaxedPath, relax
    from riata.path.result import RegularizationPath
    from riata.path.run_options import RunOptions
    from riata.selection.bounds import pfer_bound
    from riata.selection.plan import StabilityPlan, stability_plan
    from riata.study.feature_sets import FeatureGroups, read_gene_sets
    from riata.study.predictions import predict_samples

__all__ = [
    "SLOPE",
    "SLOPECV",
    "AdaptiveLasso",
    "AdaptiveLassoCV",
    "CVPath",
    "ChromosomeSet",
    "ChromosomeWarning",
    "ConstrainedFit",
    "Conversions",
    "Design",
    "ElasticNet",
    "ElasticNetCV",
    "Evaluation",
    "ExpandingWindows",
    "FeatureGroups",
    "FittedVariants",
    "Genotypes",
    "GroupLasso",
    "GroupLassoCV",
    "Lasso",
    "LassoCV",
    "MCPRegressor",
    "MCPRegressorCV",
    "MatchedGenotypes",
    "MemoryEstimate",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "RegularizationPath",
    "RelaxedLasso",
    "RelaxedLassoCV",
    "RelaxedPath",
    "RunOptions",
    "SCADRegressor",
    "SCADRegressorCV",
    "SparseCox",
    "SparseCoxCV",
    "SparseGroupLasso",
    "SparseGroupLassoCV",
    "SparseLogisticRegression",
    "SparseLogisticRegressionCV",
    "SparsePoissonRegressor",
    "SparsePoissonRegressorCV",
    "StabilityPlan",
    "VariantWarning",
    "__version__",
    "adaptive_weights",
    "constrained_lasso",
    "conversions",
    "cv_multi_path",
    "cv_path",
    "enet_path",
    "estimate_memory",
    "evaluate",
    "fit_multi_path",
    "fit_path",
    "lasso_path",
    "load",
    "losses",
    "match_variants",
    "open_genotypes",
    "penalties",
    "pfer_bound",
    "plotting",
    "predict_samples",
    "read_gene_sets",
    "relax",
    "simulate_genotypes",
    "stability_plan",
]

_HOME = {
    "AdaptiveLasso": "estimators.adaptive",
    "AdaptiveLassoCV": "estimators.adaptive",
    "CVPath": "path.cv_result",
    "ChromosomeSet": "genetics.chromosomes",
    "ChromosomeWarning": "genetics.chromosomes",
    "ConstrainedFit": "path.constrained",
    "Design": "_input.storage",
    "ElasticNet": "estimators.linear",
    "ElasticNetCV": "estimators.linear",
    "Conversions": "path.conversions",
    "Evaluation": "path.evaluation",
    "ExpandingWindows": "path.expanding_windows",
    "FeatureGroups": "study.feature_sets",
    "FittedVariants": "genetics.variants",
    "Genotypes": "genetics.genotypes",
    "GroupLasso": "estimators.groups",
    "GroupLassoCV": "estimators.groups",
    "Lasso": "estimators.linear",
    "LassoCV": "estimators.linear",
    "MCPRegressor": "estimators.concave",
    "MCPRegressorCV": "estimators.concave",
    "MatchedGenotypes": "path.applying",
    "MemoryEstimate": "path.memory",
    "MultiTaskElasticNet": "estimators.multi_task",
    "MultiTaskElasticNetCV": "estimators.multi_task",
    "MultiTaskLasso": "estimators.multi_task",
    "MultiTaskLassoCV": "estimators.multi_task",
    "StabilityPlan": "selection.plan",
    "RegularizationPath": "path.result",
    "RelaxedLasso": "estimators.relaxed",
    "RelaxedLassoCV": "estimators.relaxed",
    "RelaxedPath": "path.relaxed",
    "RunOptions": "path.run_options",
    "SCADRegressor": "estimators.concave",
    "SCADRegressorCV": "estimators.concave",
    "SLOPE": "estimators.slope",
    "SLOPECV": "estimators.slope",
    "SparseCox": "estimators.cox",
    "SparseCoxCV": "estimators.cox",
    "SparseGroupLasso": "estimators.groups",
    "SparseGroupLassoCV": "estimators.groups",
    "SparseLogisticRegression": "estimators.logistic",
    "SparseLogisticRegressionCV": "estimators.logistic",
    "SparsePoissonRegressor": "estimators.poisson",
    "SparsePoissonRegressorCV": "estimators.poisson",
    "VariantWarning": "path.applying",
    "__version__": "_core",
    "adaptive_weights": "path.adaptive",
    "constrained_lasso": "path.constrained",
    "cv_path": "path.cross_validation",
    "conversions": "path.conversions",
    "cv_multi_path": "path.multi_response",
    "enet_path": "path.as_scikit_learn",
    "estimate_memory": "path.memory",
    "evaluate": "path.evaluation",
    "fit_multi_path": "path.multi_response",
    "fit_path": "path.fit",
    "lasso_path": "path.as_scikit_learn",
    "load": "path.archive",
    "match_variants": "path.applying",
    "open_genotypes": "genetics.opening",
    "pfer_bound": "selection.bounds",
    "predict_samples": "study.predictions",
    "read_gene_sets": "study.feature_sets",
    "relax": "path.relaxed",
    "simulate_genotypes": "genetics.simulate",
    "stability_plan": "selection.plan",
}


#: Names of earlier versions, understood for one version, with a warning.
_RENAMED = {
    "Equivalents": "Conversions",
    "Path": "RegularizationPath",
    "adaptive_factors": "adaptive_weights",
    "cv_paths": "cv_multi_path",
    "equivalents": "conversions",
    "fit_paths": "fit_multi_path",
}
_MODULES = ("losses", "penalties", "plotting")


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
    return sorted(__all__)
