"""Complementary-pairs stability selection: halves of the samples as problems that share the passes over X."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from riata._docs import described_by
from riata._input.validation import check_flag, check_integer, check_seed
from riata.path.arguments import Options
from riata.path.fit import as_labels, fit_path, names_beside
from riata.path.folds import check_groups, strata_of
from riata.path.given import FitArguments, Given, Problem, read_given, read_problem, shows_arguments_of
from riata.selection.alike import sharing_votes
from riata.selection.bounds import all_bounds, votes_for
from riata.selection.items import items_of, variants_of
from riata.selection.multi_split import SplitValues, combine
from riata.selection.plan import StabilityPlan, stability_plan
from riata.selection.result import StabilitySelected, StabilityWarning
from riata.selection.runs import Halves, Run
from riata.selection.votes import Votes

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["stability_selection"]

LEAST_SAMPLES = 4  # two a half
TOL = 1e-4  # what enters, and in which order, is settled long before
A_DECADE, DECADES = 100, 3  # alphas of the grid of each half, which ends where q does
PENALTIES = ("elastic_net", "mcp", "scad")  # of single features, on their own coefficients
DECIDED_BY_PLAN = ("alphas", "eps", "max_active", "max_groups", "feature_groups")


@described_by(fit_path)
@shows_arguments_of(fit_path, without=DECIDED_BY_PLAN, tol=TOL)
def stability_selection(
    X: Any,
    y: ArrayLike,
    *,
    pfer: float | None = None,
    threshold: float | None = None,
    q: int | None = None,
    n_pairs: int = 50,
    bound: str = "r-concave",
    groups: Any = None,
    blocks: ArrayLike | None = None,
    p_values: bool = False,
    stop_early: bool = False,
    random_state: int | np.random.RandomState | np.random.Generator | None = 0,
    **fit: Unpack[FitArguments],
) -> StabilitySelected:
    """Select the features that come back when half the samples are used, with a bound on the false ones.

    Fits, to each half A of `n_pairs` pairs of disjoint halves of the samples, the path that minimises

        (1 / Σw) Σ_{i in A} w_i loss(y_i, b0 + x_i·b + offset_i)
            + alpha Σ_j pf_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j²),

    down to the smallest alpha at which at most q features are active, and selects those that are active there
    in at least the share `threshold` of all halves. `riata.stability_plan` says how many false selections
    that makes at most, on average; a selection counts as false when it is of a feature that a half would
    choose no more often than by drawing q of them blindly.

    All halves share the passes over X, of which no row is copied. Features that are much alike share their
    votes, so that none of them may reach the threshold: give `groups`.

    Parameters
    ----------
    pfer : float, optional
        Expected number of false selections (per-family error rate), at most. Of `pfer`, `threshold` and `q`
        two may be given, and the third follows. By default 1, with `threshold` 0.75,
        or down to 0.6 when samples are so few that they, and not `pfer`, limit q.
    threshold : float, optional
        Share of the halves that must select a feature.
    q : int, optional
        Features, or groups, that each half selects, at most.
    n_pairs : int, default=50
        Pairs of halves.
    bound : {"r-concave", "unimodal", "worst"}, default="r-concave"
        The bound on false selections; see `riata.pfer_bound`. The result has all three.
    groups : array-like of shape (p,), mapping, or list of lists, optional
        Disjoint groups of features, as for `riata.penalties.GroupLasso`; features in none are groups of their
        own. A group is selected as often as a half selects any of its features, and false selections are
        counted by group.
    blocks : array of shape (n,), optional
        Labels of samples that stay together in one half: families, patients, centres, months.
    p_values : bool, default=False
        Also p-values from the same halves; see `StabilitySelected.p_values`. For losses with a likelihood.
    stop_early : bool, default=False
        Stop when the rest of the pairs cannot change what is selected. Frequencies are then of fewer pairs.
        Not with `p_values`, which are of all of them.
    random_state : int, RandomState, Generator or None, default=0
        Seed of the halves. Pair b is the same for a seed whatever `n_pairs` and threads are.
    penalty : one of riata.penalties, optional
        ElasticNet, MCP or SCAD, in place of the penalty above.
    tol : float, default=1e-4
        Bound on the relative duality gap of every fit. What is active is settled at much larger gaps.
    run : RunOptions, optional
        How the fits run: solver, iterations, threads, progress, `memory`, checkpoint.
    **shorthand
        Any parameter of `RunOptions` by itself but those that end a path. `progress` is called
        as ``progress(done, total, alpha, n_active, gap, passes)``, counting pairs; returning False keeps the
        pairs that are complete. `memory` bounds what halves that are fitted together hold, for genotypes
        and sparse X the rows of each as well; without it each thread may hold 256 MiB of those.
        `checkpoint` is a file that keeps complete pairs: the same call goes on from it, and removes it at
        the end.

    Returns
    -------
    StabilitySelected
        What is selected, how often everything was, and the bounds.

    Raises
    ------
    ValueError, TypeError
        For bad input, naming the argument, the value and what is allowed, before any fitting: also when
        `pfer` and `threshold` leave no q, when groups overlap, or when a half would lack a class.
    KeyboardInterrupt
        On Ctrl-C before the first pairs are complete.

    Warns
    -----
    StabilityWarning
        On Ctrl-C later, with the bound that goes with the pairs that are complete.

    References
    ----------
    Meinshausen & Bühlmann (2010), Stability selection, J. R. Statist. Soc. B 72. Shah & Samworth (2013),
    Variable selection with error control: another look at stability selection, J. R. Statist. Soc. B 75.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((120, 300))
    >>> y = X[:, 4] - X[:, 9] + rng.standard_normal(120)
    >>> found = riata.stability_selection(X, y)
    >>> found.selected, found.frequency[[4, 9]]
    (array([4, 9]), array([1., 1.]))
    >>> found.plan.q, round(found.pfer, 2)
    (20, 0.91)
    """
    for name in DECIDED_BY_PLAN:
        if name in fit:
            raise TypeError(f"stability_selection() takes no {name}: q ends the path of each half")
    asked = read_given("stability_selection", {"tol": TOL, **fit})
    return select(
        asked,
        lambda: read_problem(X, y, asked),
        names_beside(asked.loss, y, fit.get("offset")),
        pfer=pfer, threshold=threshold, q=q, n_pairs=n_pairs, bound=bound, groups=groups, blocks=blocks,
        p_values=p_values, stop_early=stop_early, random_state=random_state,
    )  # fmt: skip


def select(
    asked: Given,
    read: Callable[[], Problem],
    columns: dict[str, str],
    *,
    pfer: float | None,
    threshold: float | None,
    q: int | None,
    n_pairs: int,
    bound: str,
    groups: Any,
    blocks: ArrayLike | None,
    p_values: bool,
    stop_early: bool,
    random_state: Any,
) -> StabilitySelected:
    """Do what `stability_selection` does, with checked arguments of the fit and data yet to be `read`."""
    options = _checked_options(asked.options)
    pairs = check_integer("n_pairs", n_pairs, at_least=1)
    with_p_values = check_flag("p_values", p_values)
    if with_p_values and not asked.loss.likelihood:
        raise ValueError(f"p_values must be False with loss={asked.loss.name!r}, which has no likelihood")
    early = check_flag("stop_early", stop_early)
    if early and with_p_values:
        raise ValueError(
            "stop_early must be False with p_values=True: which pairs there are would depend on what they say"
        )
    seed = check_seed(random_state)
    problem = read()
    n = problem.design.n_samples
    rows = np.flatnonzero(problem.weights > 0.0)
    if len(rows) < LEAST_SAMPLES:
        raise ValueError(
            f"X must have at least {LEAST_SAMPLES} samples of positive weight, got n_samples={len(rows)}"
        )
    units = None if blocks is None else check_groups(blocks, n, "blocks")
    if units is not None and len(np.unique(units[rows])) < 2:
        raise ValueError("blocks must hold at least two blocks, got one")
    items = items_of(problem.design, problem.features, groups)
    plan = stability_plan(
        int(items.eligible.sum()), pfer=pfer, threshold=threshold, q=q, n_pairs=pairs, bound=bound,
        n_samples=len(rows) if q is None else None,
    )  # fmt: skip
    strata = strata_of(problem.target) if asked.loss.balanced_by else None
    halves = Halves(problem, asked.loss, seed, rows, strata, units)
    run = Run(problem, options, asked.loss, items, plan, halves, with_p_values, early)
    found, values = run.go()
    return _collect(run, found, values, columns)


def _checked_options(options: Options) -> Options:
    """Return the options of every half but for where its path ends."""
    if options.penalty.kind not in PENALTIES:
        raise ValueError(f"penalty must be ElasticNet, MCP or SCAD, got {options.penalty!r}")
    if options.max_active >= 0 or options.max_groups >= 0:
        raise ValueError("run must leave max_active and max_groups out: q ends the path of each half")
    if options.l1_ratio == 0.0:
        raise ValueError("l1_ratio must be > 0, got 0: ridge regression selects nothing")
    return replace(options, n_alphas=A_DECADE * DECADES + 1, eps=10.0**-DECADES, alphas=None)


def _collect(run: Run, votes: Votes, values: SplitValues, columns: dict[str, str]) -> StabilitySelected:
    """Put together what the halves selected."""
    problem, plan, design = run.problem, run.plan, run.problem.design
    done = len(votes) // 2
    if run.interrupted and done < plan.n_pairs:
        plan = _plan_of(plan, done)
        warnings.warn(
            f"stopped after {done} of {run.plan.n_pairs} pairs: what is selected is of these, and the "
            f"bound that goes with them is {plan.pfer:.3g} false selections (threshold {plan.threshold:g})",
            StabilityWarning,
            stacklevel=3,
        )
    if run.worst_gap > run.options.tol:
        from sklearn.exceptions import ConvergenceWarning

        warnings.warn(
            f"some fits did not converge: the largest gap is {run.worst_gap:.2e}, above "
            f"tol={run.options.tol:g}. Selections hardly depend on it; otherwise raise "
            f"max_iter={run.options.max_iter}.",
            ConvergenceWarning,
            stacklevel=3,
        )
    coefs = votes.coefs()
    found = StabilitySelected(
        plan=plan,
        coefs=coefs,
        ranks=votes.ranks(),
        sizes=np.array([len(vote.items(run.items)) for vote in votes.votes], dtype=np.int64),
        of_feature=run.items.of_feature,
        n_items=run.items.count,
        group_names=None if run.items.labels is None else as_labels(run.items.labels),
        loss=run.loss.name,
        outputs=run.outputs if len(problem.target.shape) > 1 else None,
        n_samples=len(run.halves.rows),
        seed=run.halves.seed,
        feature_names=design.feature_names,
        variants=variants_of(problem, coefs, run.outputs),
        p_values=combine(values.values, run.items.count) if run.with_p_values else None,
        splits_without_p_values=values.refused,
        at_end=int(sum(vote.at_end for vote in votes.votes)),
        columns=columns,
    )
    found.notes = sharing_votes(design, run.halves.rows, found, run.options.n_threads)
    return found


def _plan_of(plan: StabilityPlan, done: int) -> StabilityPlan:
    """Return the plan with only `done` of its pairs."""
    votes = votes_for(plan.threshold, done)
    bounds = all_bounds(plan.q, plan.p, votes, done)
    return replace(
        plan, n_pairs=done, threshold=votes / (2 * done), pfer=bounds[plan.bound], bounds=bounds
    )  # fmt: skip
