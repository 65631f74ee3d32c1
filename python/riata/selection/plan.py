"""How many features each half may select: of error rate, threshold and q, two give the third."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from riata._input.validation import check_choice, check_integer, check_real
from riata.selection.bounds import BOUNDS, all_bounds, bound_of, votes_for

__all__ = ["StabilityPlan", "stability_plan"]

PFER, THRESHOLD = 1.0, 0.75  # where they are not given
LEAST_THRESHOLD = 0.6  # to which the latter falls where few samples allow no more features
HALF_SHARE = 3  # at most a third of the samples of a half: beyond, its path is near interpolation


@dataclass(frozen=True, slots=True)
class StabilityPlan:
    """What stability selection will do, and the errors it may make. Made by `riata.stability_plan`.

    Attributes
    ----------
    q : int
        Items that each half selects, at most.
    threshold : float
        Share of the halves that must select an item; a multiple of 1 / 2B.
    pfer : float
        The bound on the expected number of false selections that these give, by `bound`.
    bound : {"r-concave", "unimodal", "worst"}
    n_pairs : int
        Pairs of halves, B.
    p : int
        Items in all.
    bounds : dict of str to float
        The same by every bound; infinite where a bound says nothing.
    capped : bool
        Whether q is held down by few samples, to a third of those of a half.

    Examples
    --------
    >>> import riata
    >>> riata.stability_plan(20_000, pfer=1, threshold=0.9).q
    554
    """

    q: int
    threshold: float
    pfer: float
    bound: str
    n_pairs: int
    p: int
    bounds: dict[str, float]
    capped: bool = False

    def __str__(self) -> str:
        fewer = ", a third of the samples of a half" if self.capped else ""
        return (
            f"{2 * self.n_pairs} halves of the samples select up to {self.q} of {self.p:,} items "
            f"each{fewer}; those that {100 * self.threshold:g} % of them agree on hold at most "
            f"{self.pfer:.3g} false ones on average ({self.bound} bound)"
        )


def stability_plan(
    p: int,
    *,
    pfer: float | None = None,
    threshold: float | None = None,
    q: int | None = None,
    n_pairs: int = 50,
    bound: str = "r-concave",
    n_samples: int | None = None,
) -> StabilityPlan:
    """Complete the plan of a stability selection: of error rate, threshold and q, two give the third.

    The error rate is a bound on the expected number of false selections, which rises with q and falls with
    the threshold (`riata.pfer_bound`). Given `pfer` and `threshold`, q is the largest for which the bound is
    at most `pfer`; given `pfer` and `q` the threshold is the smallest such; given `threshold` and `q` the
    bound is what it is. What is missing to two is ``pfer=1`` or ``threshold=0.75``.

    Parameters
    ----------
    p : int
        Items in all: features that are penalised, or groups of them.
    pfer : float, optional
        Expected number of false selections, at most: 1 means one on average, among all that are selected.
    threshold : float, optional
        Share of the halves that must select an item.
    q : int, optional
        Items that each half selects.
    n_pairs : int, default=50
        Pairs of halves, B.
    bound : {"r-concave", "unimodal", "worst"}, default="r-concave"
        See `riata.pfer_bound`. The sharper the bound, the more items may be selected at the same error rate.
    n_samples : int, optional
        When it is given, q is at most a third of ``n_samples // 2``: with more, the path of a half is near
        interpolation. A smaller q has a smaller bound; a threshold that is not given then falls as far as
        `pfer` allows, to 0.6.

    Returns
    -------
    StabilityPlan
        q, threshold and error rate, and what every bound says of them.

    Raises
    ------
    ValueError
        When all three are given, or no q or threshold keeps to the error rate.

    References
    ----------
    Shah & Samworth (2013), Variable selection with error control: another look at stability selection, J. R.
    Statist. Soc. B 75.

    Examples
    --------
    >>> import riata
    >>> plan = riata.stability_plan(1000, pfer=1)
    >>> plan.q, plan.threshold
    (61, 0.75)
    >>> riata.stability_plan(1000, pfer=1, q=31).threshold
    0.59
    >>> riata.stability_plan(1000, threshold=0.75, q=61, bound="worst").pfer
    7.442
    """
    items = check_integer("p", p, at_least=1)
    pairs = check_integer("n_pairs", n_pairs, at_least=1)
    which = check_choice("bound", bound, tuple(BOUNDS))
    if pfer is not None and threshold is not None and q is not None:
        raise ValueError(
            f"at most two of pfer, threshold and q may be given, got pfer={pfer!r}, "
            f"threshold={threshold!r} and q={q!r}: each follows from the other two"
        )
    loose = threshold is None and q is None
    if pfer is None and q is None:
        pfer = PFER
    if threshold is None and (pfer is None or q is None):
        threshold = THRESHOLD
    rate = None if pfer is None else check_real("pfer", pfer, above=0.0)
    tau = None if threshold is None else check_real("threshold", threshold, above=0.0, at_most=1.0)
    size = None if q is None else check_integer("q", q, at_least=1)
    if size is not None and size > items:
        raise ValueError(f"q must be at most the number of items, {items}, got {size}")
    most = items
    if n_samples is not None:
        most = max(check_integer("n_samples", n_samples, at_least=2) // 2 // HALF_SHARE, 1)
    if size is None:
        assert rate is not None
        assert tau is not None
        votes = votes_for(tau, pairs)
        wanted = _largest_q(rate, items, votes, pairs, which)
    else:
        wanted = size
    found = min(wanted, most)
    if loose and found < wanted:
        assert rate is not None
        least = _least_votes(rate, found, items, pairs, which)
        votes = min(max(least, votes_for(LEAST_THRESHOLD, pairs)), votes_for(THRESHOLD, pairs))
    elif tau is None:
        assert rate is not None
        votes = _least_votes(rate, found, items, pairs, which)
    else:
        votes = votes_for(tau, pairs)
    bounds = all_bounds(found, items, votes, pairs)
    if not math.isfinite(bounds[which]):
        raise ValueError(_says_nothing(which, votes / (2 * pairs), found, items))
    return StabilityPlan(
        q=found,
        threshold=votes / (2 * pairs),
        pfer=bounds[which],
        bound=which,
        n_pairs=pairs,
        p=items,
        bounds=bounds,
        capped=found < wanted,
    )


def _largest_q(rate: float, items: int, votes: int, pairs: int, bound: str) -> int:
    """Return the largest q whose bound is at most `rate`."""

    def too_many(q: int) -> bool:
        return bound_of(q, items, votes, pairs, bound) > rate

    if too_many(1):
        tau, least = votes / (2 * pairs), bound_of(1, items, votes, pairs, bound)
        if not math.isfinite(least):
            raise ValueError(_says_nothing(bound, tau, 1, items))
        raise ValueError(
            f"pfer must be at least {least:.3g} with threshold={tau:g}, bound={bound!r} and {items} items, "
            f"got {rate:g}: not even one item a half keeps to it; give a larger pfer or threshold"
        )
    return _last(lambda q: not too_many(q), 1, items)


def _least_votes(rate: float, q: int, items: int, pairs: int, bound: str) -> int:
    """Return the fewest votes whose bound is at most `rate`."""
    least = bound_of(q, items, 2 * pairs, pairs, bound)
    if least > rate:
        raise ValueError(
            f"pfer must be at least {least:.3g} with q={q}, bound={bound!r} and {items} items, got "
            f"{rate:g}: not even items that every half selects keep to it; give a larger pfer or a smaller "
            "q"
        )
    fails = _last(lambda votes: bound_of(q, items, votes, pairs, bound) > rate, 0, 2 * pairs)
    return fails + 1


def _last(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Return the last number from `low`, where it holds, to `high` before it ceases to hold."""
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _says_nothing(bound: str, tau: float, q: int, items: int) -> str:
    more = "" if bound == "worst" else ", by more the larger q is,"
    return (
        f"threshold must be above 1/2{more} with bound={bound!r}, got {tau:g} with q={q} of {items} items; "
        "bound='r-concave' allows smaller ones"
    )
