"""Penalties that `fit_path` and `cv_path` accept.

Where there are several weights, they are on the scale of alpha: with `standardize` coefficients are measured
on columns of unit standard deviation.
"""

from riata.penalties._concave import MCP, SCAD
from riata.penalties._elastic_net import ElasticNet
from riata.penalties._groups import GroupLasso, SparseGroupLasso
from riata.penalties._penalty import Penalty
from riata.penalties._slope import SLOPE
from riata.penalties._univariate import UniLasso

__all__ = ["MCP", "SCAD", "SLOPE", "ElasticNet", "GroupLasso", "Penalty", "SparseGroupLasso", "UniLasso"]
