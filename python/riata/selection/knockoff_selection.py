"""Selection with a false discovery rate: features against their knockoffs in one fit."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from riata._docs import described_by
from riata._input.validation import Float, check_choice, check_flag, check_integer, check_seed
from riata.knockoffs import KnockoffWarning
from riata.losses._known import check_scoring
from riata.path.arguments import Options
from riata.path.fit import as_labels, fit_path, names_beside
from riata.path.folds import check_groups
from riata.path.given import (
    FitArguments,
    Given,
    Problem,
    check_alpha_rule,
    read_given,
    read_problem,
    shows_arguments_of,
)
from riata.path.validation import check_patience
from riata.selection.beside import check_finite
from riata.selection.filter import check_fdr, check_knockoff_offset
from riata.selection.items import Items, items_of, variants_of
from riata.selection.knockoff_result import KnockoffSelected
from riata.selection.knockoff_sources import check_ready, check_sources, draws_of
from riata.selection.knockoff_statistics import STATISTICS, Folds, Strengths, fit_pairs
from riata.selection.knockoff_verdict import notes_of, verdict_of, worst_verdict
from riata.selection.paired import draw_order, pair

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["knockoff_selection"]

TOL = 1e-5  # of coefficients whose signs are compared; they differ by much more
PATIENCE = 10
ALPHAS_OF_ENTRY = 300  # a finer grid parts more of those that enter together
PENALTIES = ("elastic_net", "mcp", "scad")  # of single features, on their own coefficients
CV = 10
#: What is of cross-validation, each with its default.
OF_FOLDS = {"cv": CV, "blocks": None, "scoring": None, "alpha_rule": "min", "patience": PATIENCE}
DECIDED_BY_ITEMS = ("max_groups", "feature_groups")


@described_by(fit_path)
@shows_arguments_of(fit_path, tol=TOL)
def knockoff_selection(
    X: Any,
    y: ArrayLike,
    *,
    fdr: float = 0.1,
    knockoffs: Any = "auto",
    groups: Any = None,
    statistic: str = "coef_difference",
    knockoff_offset: int = 1,
    n_draws: int = 1,
    cv: int | Any = CV,
    blocks: ArrayLike | None = None,
    scoring: str | None = None,
    alpha_rule: str = "min",
    patience: int | None = PATIENCE,
    check: bool = True,
    random_state: int | np.random.RandomState | np.random.Generator | None = 0,
    **fit: Unpack[FitArguments],
) -> KnockoffSelected:
    """Select as many features as possible at a false discovery rate, by the knockoff filter.

    Minimises, over coefficients b of the features and c of their knockoffs x̃,

        (1 / Σw) Σ_i w_i loss(y_i, b0 + x_i·b + x̃_i·c + offset_i)
            + alpha Σ_j pf_j (l1_ratio (|b_j| + |c_j|) + (1 - l1_ratio)/2 (b_j² + c_j²)),

    and selects the features, or groups g of them, whose W_g is at least the threshold of
    `riata.knockoff_threshold`, where with alpha chosen by cross-validation

        W_g = Σ_{j in g} s_j |b_j| - Σ_{j in g} s̃_j |c_j|,    s the scales of the columns.

    Of those selected at most the share `fdr` is expected to be false: independent of y given all other
    features. That needs no model of y, and holds for any number of samples; it needs knockoffs that have the
    law of X, which `KnockoffSelected.check` looks at. Features with a penalty factor of 0, such as
    covariates, are fitted without a penalty and have no knockoffs. Nothing that is given may come from
    looking at y beside the features: penalty factors, groups or features left out that do break the promise.

    Parameters
    ----------
    fdr : float, default=0.1
        The expected share of false ones among those selected, at most. Fewer than 1/fdr items are never
        selected, so that with few true ones nothing is found: then a larger `fdr`, or coarser groups.
    knockoffs : {"auto"}, sampler, Knockoffs, array, Genotypes, or list of these, default="auto"
        "auto" is `riata.knockoffs.Haplotypes` for genotypes of hard calls and `riata.knockoffs.Gaussian`
        else; where that is of genotypes, as of dosages, the result has a note. A sampler that is fitted
        already draws as it is. What is ready made has the shape of X; a list holds several draws.
    groups : array-like of shape (p,), mapping, or list of lists, optional
        Disjoint groups of features, as for `riata.penalties.GroupLasso`; features in none are groups of their
        own. A group is selected as a whole, and the rate is that of groups. Ready-made knockoffs must be made
        for them, or for parts of them; of `Knockoffs` that is checked.
    statistic : {"coef_difference", "entry"}, default="coef_difference"
        W as above, or "entry", max(Z_g, Z̃_g) sign(Z_g - Z̃_g), where Z is the largest alpha with a member
        active: without cross-validation, so that `cv`, `blocks`, `scoring`, `alpha_rule` and `patience` are
        refused.
    knockoff_offset : {1, 0}, default=1
        0 controls only the expected value of (false selections) / (selections + 1/fdr); it can select fewer
        than 1/fdr.
    n_draws : int, default=1
        Independent draws of the knockoffs. One draw is one toss of the coin, fixed by the seed. Several are
        put together by e-values: what is found then hardly depends on the seed, at the cost of power, so that
        an `fdr` of 0.2 is in place.
    cv : int, splitter or iterable of (train, test), default=10
        Folds, as `cv_path` has them; the same for all draws.
    blocks : array of shape (n,), optional
        Labels of samples that stay together in one fold: families, patients, centres.
    scoring : str, optional
        Score of held-out samples, as in `cv_path`.
    alpha_rule : {"min", "1se"}, default="min"
        How alpha is chosen.
    patience : int, optional
        End the path once the score has been worse than its best by more than a standard error at this many
        alphas in a row; None fits all of it.
    check : bool, default=True
        Compare correlations of the knockoffs with those of X, and warn when they differ by more than
        sampling explains: see `riata.knockoffs.KnockoffCheck`. Of a sampler that is the first draw, which
        stands for all of its law; of what is ready made each is compared, and the worst is told of.
    random_state : int, RandomState, Generator or None, default=0
        Seed of the knockoffs, of the order inside pairs and of the folds.
    penalty : one of riata.penalties, optional
        ElasticNet, MCP or SCAD, in place of the penalty above.
    tol : float, default=1e-5
        Bound on the relative duality gap of every fit.
    run : RunOptions, optional
        How the fits run: solver, iterations, threads, progress, `max_active`, `memory`, checkpoint.
    **shorthand
        Any parameter of `RunOptions` by itself but `max_groups` and `feature_groups`. With several draws each
        has a checkpoint file of its own, with its number at the end.

    Returns
    -------
    KnockoffSelected
        What is selected, W, q-values, and the check of the knockoffs.

    Raises
    ------
    ValueError, TypeError
        For bad input, naming the argument, the value and what is allowed, before any fitting: also for
        knockoffs of another shape, and for `fdr` below 1 / (number of items).
    KeyboardInterrupt
        On Ctrl-C before the first draw is complete.

    Warns
    -----
    riata.knockoffs.KnockoffWarning
        When the check of the knockoffs fails, or Ctrl-C ended later draws.

    Notes
    -----
    Of X that Dask workers hold (`riata.distributed`) the knockoffs that are drawn are the same bits as of X
    in memory, and so are W and what follows from it where there are more features than samples; else these
    are equal up to rounding.

    References
    ----------
    Barber & Candès (2015), Controlling the false discovery rate via knockoffs, Annals of Statistics 43.
    Candès, Fan, Janson & Lv (2018), Panning for gold, J. R. Statist. Soc. B 80. Dai & Barber (2016), The
    knockoff filter for FDR control in group-sparse and multitask regression, ICML. Ren & Barber (2024),
    Derandomised knockoffs, J. R. Statist. Soc. B 86.

    Examples
    --------
    Knockoffs of independent features are new draws:

    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X, made = rng.standard_normal((2, 200, 100))
    >>> y = X[:, :12] @ np.ones(12) + rng.standard_normal(200)
    >>> found = riata.knockoff_selection(X, y, knockoffs=made)
    >>> np.sort(found.selected)
    array([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11])
    """
    alpha_rule = check_alpha_rule(alpha_rule, fit)
    for name in DECIDED_BY_ITEMS:
        if name in fit:
            raise TypeError(f"knockoff_selection() takes no {name}: give groups")
    asked = read_given("knockoff_selection", {"tol": TOL, **fit}, stop_early=statistic == "entry")
    return select(
        asked,
        lambda: read_problem(X, y, asked),
        X,
        y,
        names_beside(asked.loss, y, fit.get("offset")),
        fdr=fdr, knockoffs=knockoffs, groups=groups, statistic=statistic, knockoff_offset=knockoff_offset,
        n_draws=n_draws, cv=cv, blocks=blocks, scoring=scoring, alpha_rule=alpha_rule, patience=patience,
        check=check, random_state=random_state,
    )  # fmt: skip


def select(
    asked: Given,
    read: Callable[[], Problem],
    X: Any,
    y: Any,
    columns: dict[str, str],
    *,
    fdr: float,
    knockoffs: Any,
    groups: Any,
    statistic: str,
    knockoff_offset: int,
    n_draws: int,
    cv: Any,
    blocks: ArrayLike | None,
    scoring: str | None,
    alpha_rule: str,
    patience: int | None,
    check: bool,
    random_state: Any,
) -> KnockoffSelected:
    """Do what `knockoff_selection` does, with checked arguments of the fit and data yet to be `read`."""
    rate, offset = check_fdr(fdr), check_knockoff_offset("knockoff_offset", knockoff_offset)
    check_choice("statistic", statistic, STATISTICS)
    if statistic == "entry":
        _refuse_of_folds(cv=cv, blocks=blocks, scoring=scoring, alpha_rule=alpha_rule, patience=patience)
    draws = check_integer("n_draws", n_draws, at_least=1)
    if draws > 1 and offset == 0:
        raise ValueError("knockoff_offset must be 1 with several draws, whose e-values have no other, got 0")
    made = check_sources(knockoffs, draws)
    checked = check_flag("check", check)
    options = _checked_options(asked, statistic, patience)
    score = check_scoring(scoring, asked.loss)
    seed = check_seed(random_state)
    problem = read()
    items = items_of(problem.design, problem.features, groups)
    _check_enough(items, rate, offset)
    check_ready(made, problem.design, items, problem.features)
    if blocks is not None:
        check_groups(blocks, problem.design.n_samples, "blocks")
    folds = Folds(cv, blocks, score, alpha_rule, seed, X, y)
    splits = folds.of(problem, options) if statistic == "coef_difference" else []
    threads = None if options.n_threads <= 0 else options.n_threads
    found: list[Strengths] = []
    statistics: list[Float] = []
    ready = isinstance(made, list)
    sampler, verdict = "", worst_verdict(problem, made, items, options) if ready and checked else None
    try:
        for draw, one in enumerate(draws_of(made, X, problem.design, items, seed, draws, threads)):
            pairs = draw_order(items, seed, draw)
            both = pair(problem, one.X, items, pairs)
            if draw == 0:
                sampler = one.sampler
                if checked and not ready:
                    verdict = verdict_of(problem, one.X, items, options)
            own = _options_of_draw(options, draw, draws)
            try:
                found.append(fit_pairs(both, pairs, own, statistic, splits, folds))
            except ValueError:
                check_finite(
                    problem.design, one.X, f"knockoffs, draw {draw + 1}," if draws > 1 else "knockoffs"
                )
                raise
            statistics.append(found[-1].of_items(items, statistic, one.fixed))
    except KeyboardInterrupt:
        if not found:
            raise
        warnings.warn(
            f"stopped after {len(found)} of {draws} draws of knockoffs: what is selected is of these",
            KnockoffWarning,
            stacklevel=3,
        )
    else:
        _remove_checkpoints(options, draws)
    return _collect(
        found, problem, items, fdr=rate, draws=np.array(statistics), statistic=statistic, offset=offset,
        loss=asked.loss.name, seed=seed, sampler=sampler, check=verdict, columns=columns,
    )  # fmt: skip


def _refuse_of_folds(**given: Any) -> None:
    """Refuse what is of a cross-validation where there is none; defaults stand for nothing given."""
    for name, value in given.items():
        default = OF_FOLDS[name]
        if value is not default and not (isinstance(value, int | np.integer | str) and value == default):
            raise ValueError(
                f"{name} must be left out with statistic='entry', which takes no cross-validation, got "
                f"{value!r:.60}"
            )


def _checked_options(asked: Given, statistic: str, patience: int | None) -> Options:
    options = asked.options
    if options.penalty.kind not in PENALTIES:
        raise ValueError(f"penalty must be ElasticNet, MCP or SCAD, got {options.penalty!r}")
    if options.l1_ratio == 0.0:
        raise ValueError("l1_ratio must be > 0, got 0: ridge regression selects nothing")
    if options.max_groups >= 0:
        raise ValueError("run must leave max_groups out: give groups")
    if statistic == "coef_difference":
        return check_patience(patience, options)
    if options.alphas is None and options.n_alphas == 100:
        return replace(options, n_alphas=ALPHAS_OF_ENTRY)
    return options


def _check_enough(items: Items, fdr: float, offset: int) -> None:
    """Refuse a rate at which nothing could be selected even if all items were."""
    count = int(items.eligible.sum())
    if offset and fdr * count < 1.0 - 1e-12:
        what = "groups" if items.grouped else "features"
        raise ValueError(
            f"fdr must be at least 1/{count} = {1 / count:.3g} with {count} {what}, got {fdr:g}: the filter "
            "selects at least 1/fdr of them or none"
        )


def _options_of_draw(options: Options, draw: int, draws: int) -> Options:
    """Options with a checkpoint of each draw, kept until all are complete."""
    if draws == 1 or not options.checkpoint:
        return options
    return replace(options, checkpoint=_checkpoint(options, draw), keep_checkpoint=True)


def _checkpoint(options: Options, draw: int) -> str:
    return f"{options.checkpoint}.{draw + 1}"


def _remove_checkpoints(options: Options, draws: int) -> None:
    if draws == 1 or not options.checkpoint or options.keep_checkpoint:
        return
    for draw in range(draws):
        if os.path.exists(_checkpoint(options, draw)):
            os.unlink(_checkpoint(options, draw))


def _collect(found: list[Strengths], problem: Problem, items: Items, **rest: Any) -> KnockoffSelected:
    """Put together what the draws found."""
    design = problem.design
    outputs = problem.target.shape[1] if len(problem.target.shape) > 1 else None
    coefs = sp.csr_array(sp.vstack([one.coefs for one in found], format="csr"))
    return KnockoffSelected(
        strengths=sp.csr_array(np.array([one.features for one in found])),
        coefs=coefs,
        alphas=np.array([one.alpha for one in found]),
        of_feature=items.of_feature,
        n_items=items.count,
        group_names=None if items.labels is None else as_labels(items.labels),
        outputs=outputs,
        n_samples=int(np.count_nonzero(problem.weights)),
        feature_names=design.feature_names,
        notes=notes_of(rest["check"], design.genotypes is not None, rest["sampler"]),
        variants=variants_of(problem, coefs, outputs or 1),
        **rest,
    )
