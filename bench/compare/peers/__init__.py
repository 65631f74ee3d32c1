"""One adapter a package. Each module offers

    TOLERANCES                         settings to sweep, loosest first
    version() -> str
    refuses(problem) -> str | None     why this problem is beyond the package
    prepare(problem, threads) -> data  what a user does once, untimed: file formats, dense copies
    fit(data, problem, tol, threads) -> PathFit      the timed call
    cross_validate(data, problem, tol, threads) -> CVFit      path and folds, where the package has that

Coefficients come back for the columns of X as the problem stores them. Where the problem has K responses or
classes, those of the first come first: row k p + j belongs to column j and response k.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from problems import Problem
from scipy import sparse

NAMES = ("riata", "sklearn", "celer", "skglm", "adelie", "glmnet", "glmstar", "sortedl1")


def lacks(problem: Problem, *penalties: str) -> str | None:
    """The refusal of a package that has no other penalties than these, by their names in penalties.py."""
    penalty = problem.penalty
    return None if penalty.name in penalties else f"it has no {penalty.title} penalty"


@dataclass
class PathFit:
    """What a package returned: coefs (K p x L), intercepts (L,) or (K, L), and what it claims about itself.

    reported_gap is the largest duality gap the package itself reports, as a share of the null objective.
    seconds and peak_mb are set only where the package runs outside this process.
    """

    coefs: sparse.csc_matrix
    intercepts: np.ndarray
    reported_gap: float | None = None
    passes: float | None = None
    seconds: float | None = None
    peak_mb: float | None = None


@dataclass
class CVFit:
    """What a cross-validation returned: the mean squared error on held-out samples at each of its alphas."""

    curve: np.ndarray
    alphas: np.ndarray
    passes: float | None = None
    seconds: float | None = None
    peak_mb: float | None = None
