"""What a check says of the knockoffs of a selection, and what there is to note beyond it."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from riata._input.design import as_design
from riata.knockoffs import Gaussian, KnockoffCheck, Knockoffs
from riata.knockoffs._check import check_knockoffs
from riata.path.arguments import Options
from riata.path.given import Problem
from riata.selection.items import Items

#: What is said of such knockoffs, whatever their check finds.
GAUSSIAN_OF_GENOTYPES = (
    "The knockoffs of these genotypes are Gaussian. Rare variants, of which nearly all dosages are close to "
    "a whole number, are not, and correlations do not show it: the check cannot see how far the false "
    "discovery rate is from the one asked for."
)


def worst_verdict(problem: Problem, ready: list[Any], items: Items, options: Options) -> KnockoffCheck:
    """What the check says of the worst of several ready-made draws, each of which may be from elsewhere."""
    verdicts = []
    for draw, one in enumerate(ready, start=1):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            verdicts.append(verdict_of(problem, one.X if isinstance(one, Knockoffs) else one, items, options))
        for warning in caught:
            which = f"draw {draw} of {len(ready)}: " if len(ready) > 1 else ""
            warnings.warn(f"{which}{warning.message}", warning.category, stacklevel=4)
    return max(verdicts, key=lambda verdict: (not verdict.ok, verdict.doubtful, verdict.excess))


def verdict_of(problem: Problem, made: Any, items: Items, options: Options) -> KnockoffCheck:
    """What the check of knockoffs says; between items alone."""
    label = items.of_feature.copy()
    alone = np.flatnonzero(label < 0)
    label[alone] = items.count + np.arange(len(alone))
    missing = problem.design.gaps is not None and isinstance(made, np.ndarray)
    beside = as_design(made, "mean" if missing else None)
    return check_knockoffs(replace(problem.design, gaps=None), beside, label, n_threads=options.n_threads)


def notes_of(check: KnockoffCheck | None, of_genotypes: bool, sampler: str) -> list[str]:
    """What the check leaves in doubt, or cannot see; where it fails there is a warning instead."""
    notes = []
    if check is not None and check.doubtful:
        notes.append(f"The knockoffs passed their check, but not by much. {check.explain()}")
    if of_genotypes and sampler.startswith(Gaussian.__name__):
        notes.append(GAUSSIAN_OF_GENOTYPES)
    return notes
