"""riata: sparse linear, logistic, Poisson and Cox models, fast, each fit with a certificate of optimality."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riata import penalties
    from riata._core import __version__
    from riata._equivalents import Equivalents, equivalents
    from riata.adaptive import adaptive_factors
    from riata.adaptive_lasso import AdaptiveLasso, AdaptiveLassoCV
    from riata.applying import MatchedGenotypes, VariantWarning, match_variants
    from riata.chromosomes import ChromosomeSet, ChromosomeWarning
    from riata.constrained import ConstrainedFit, constrained_lasso
    from riata.cox import SparseCox, SparseCoxCV
    from riata.evaluation import Evaluation, evaluate
    from riata.expanding_windows import ExpandingWindows
    from riata.feature_groups import FeatureGroups, read_gene_sets
    from riata.fitting import fit_path
    from riata.genotypes import Genotypes, open_genotypes
    from riata.glm import SparseLogisticRegression, SparseLogisticRegressionCV
    from riata.linear_model import ElasticNet, ElasticNetCV, Lasso, LassoCV
    from riata.memory import MemoryEstimate, estimate_memory
    from riata.model_selection import CVPath, cv_path
    from riata.multi_task import MultiTaskElasticNet, MultiTaskElasticNetCV, MultiTaskLasso, MultiTaskLassoCV
    from riata.path import Path, load
    from riata.poisson import SparsePoissonRegressor, SparsePoissonRegressorCV
    from riata.predictions import predict_samples
    from riata.relaxed import RelaxedPath, relax
    from riata.relaxed_lasso import RelaxedLasso, RelaxedLassoCV
    from riata.several import cv_paths, fit_paths
    from riata.simulate import simulate_genotypes
    from riata.storage import Design
    from riata.structured import (
        SLOPE,
        SLOPECV,
        GroupLasso,
        GroupLassoCV,
        MCPRegressor,
        MCPRegressorCV,
        SCADRegressor,
        SCADRegressorCV,
        SparseGroupLasso,
        SparseGroupLassoCV,
    )
    from riata.variants import FittedVariants

__all__ = [
    "SLOPE",
    "SLOPECV",
    "AdaptiveLasso",
    "AdaptiveLassoCV",
    "CVPath",
    "ChromosomeSet",
    "ChromosomeWarning",
    "ConstrainedFit",
    "Design",
    "ElasticNet",
    "ElasticNetCV",
    "Equivalents",
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
    "Path",
    "RelaxedLasso",
    "RelaxedLassoCV",
    "RelaxedPath",
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
    "VariantWarning",
    "__version__",
    "adaptive_factors",
    "constrained_lasso",
    "cv_path",
    "cv_paths",
    "equivalents",
    "estimate_memory",
    "evaluate",
    "fit_path",
    "fit_paths",
    "load",
    "match_variants",
    "open_genotypes",
    "penalties",
    "predict_samples",
    "read_gene_sets",
    "relax",
    "simulate_genotypes",
]

_HOME = {
    "AdaptiveLasso": "adaptive_lasso",
    "AdaptiveLassoCV": "adaptive_lasso",
    "CVPath": "model_selection",
    "ChromosomeSet": "chromosomes",
    "ChromosomeWarning": "chromosomes",
    "ConstrainedFit": "constrained",
    "Design": "storage",
    "ElasticNet": "linear_model",
    "ElasticNetCV": "linear_model",
    "Equivalents": "_equivalents",
    "Evaluation": "evaluation",
    "ExpandingWindows": "expanding_windows",
    "FeatureGroups": "feature_groups",
    "FittedVariants": "variants",
    "Genotypes": "genotypes",
    "GroupLasso": "structured",
    "GroupLassoCV": "structured",
    "Lasso": "linear_model",
    "LassoCV": "linear_model",
    "MCPRegressor": "structured",
    "MCPRegressorCV": "structured",
    "MatchedGenotypes": "applying",
    "MemoryEstimate": "memory",
    "MultiTaskElasticNet": "multi_task",
    "MultiTaskElasticNetCV": "multi_task",
    "MultiTaskLasso": "multi_task",
    "MultiTaskLassoCV": "multi_task",
    "Path": "path",
    "RelaxedLasso": "relaxed_lasso",
    "RelaxedLassoCV": "relaxed_lasso",
    "RelaxedPath": "relaxed",
    "SCADRegressor": "structured",
    "SCADRegressorCV": "structured",
    "SLOPE": "structured",
    "SLOPECV": "structured",
    "SparseCox": "cox",
    "SparseCoxCV": "cox",
    "SparseGroupLasso": "structured",
    "SparseGroupLassoCV": "structured",
    "SparseLogisticRegression": "glm",
    "SparseLogisticRegressionCV": "glm",
    "SparsePoissonRegressor": "poisson",
    "SparsePoissonRegressorCV": "poisson",
    "VariantWarning": "applying",
    "__version__": "_core",
    "adaptive_factors": "adaptive",
    "constrained_lasso": "constrained",
    "cv_path": "model_selection",
    "cv_paths": "several",
    "equivalents": "_equivalents",
    "estimate_memory": "memory",
    "evaluate": "evaluation",
    "fit_path": "fitting",
    "fit_paths": "several",
    "load": "path",
    "match_variants": "applying",
    "open_genotypes": "genotypes",
    "predict_samples": "predictions",
    "read_gene_sets": "feature_groups",
    "relax": "relaxed",
    "simulate_genotypes": "simulate",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are first used: `import riata` itself stays cheap."""
    if name == "penalties":
        return importlib.import_module("riata.penalties")
    if name not in _HOME:
        raise AttributeError(f"module 'riata' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"riata.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
