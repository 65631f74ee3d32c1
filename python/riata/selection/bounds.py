"""How many false selections stability selection makes at most, on average: three bounds, exactly.

Shah & Samworth (2013), Variable selection with error control: another look at stability selection, J. R.
Statist. Soc. B 75. Nothing here sees data.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from riata._input.validation import Float, check_choice, check_integer, check_real

__all__ = ["pfer_bound"]

_HALVINGS = 80  # of an interval of logarithms: to the last bits of a root
_WITHIN = 9  # laws looked at between two neighbouring roots, their ends included


def pfer_bound(q: float, p: int, threshold: float, n_pairs: int = 50, bound: str = "r-concave") -> float:
    """Bound how many items that chance alone would explain are selected, on average.

    Each of 2B halves of the samples selects q of p items on average, and those that at least a share
    `threshold` of the halves select are kept. An item is counted as false when a half selects it with
    probability at most q / p, as if it were drawn blindly. With B = `n_pairs`, tau = `threshold` rounded up
    to a multiple of 1 / 2B and theta = q / p, the expected number of such items that are kept is at most

    - "worst": ``q² / (p (2 tau - 1))``,
    - "unimodal": ``C q² / p`` with ``C = 1 / (2 (2 tau - 1 - 1/2B))`` for tau <= 3/4 and
      ``C = 4 (1 - tau + 1/2B) / (1 + 1/B)`` above,
    - "r-concave": ``p min{D(theta², 2 tau - 1; B, -1/2), D(theta, tau; 2B, -1/4)}``, where D(eta, t; B, r) is
      the largest P(V >= t) of all r-concave laws on {0, 1/B, ..., 1} with mean at most eta; one of the other
      two bounds where that is smaller, as both hold then.

    "worst" holds always. "unimodal" assumes that the share of pairs in which both halves select a false item
    has a unimodal distribution; "r-concave" that this share is -1/2-concave and that of single halves
    -1/4-concave, which all simulations known to its authors bear out.

    Parameters
    ----------
    q : float
        Items that a half selects, on average.
    p : int
        Items in all: features, or groups of them.
    threshold : float
        From 0 to 1; above 1/2 for "worst" and "unimodal".
    n_pairs : int, default=50
        Pairs of halves, B.
    bound : {"r-concave", "unimodal", "worst"}, default="r-concave"

    Returns
    -------
    float
        The bound on the expected number of false selections (per-family error rate).

    Raises
    ------
    ValueError
        Where the bound says nothing: thresholds of at most 1/2 with "worst" and "unimodal", with the latter
        also a little above it for large q / p.

    References
    ----------
    Shah & Samworth (2013), J. R. Statist. Soc. B 75, equations 4, 7 and 8. Meinshausen & Bühlmann (2010),
    Stability selection, J. R. Statist. Soc. B 72.

    Examples
    --------
    >>> import riata
    >>> [round(riata.pfer_bound(20, 1000, 0.75, bound=b), 3) for b in ("worst", "unimodal", "r-concave")]
    [0.8, 0.408, 0.097]
    """
    items = check_integer("p", p, at_least=1)
    size = check_real("q", q, above=0.0, at_most=items)
    tau = check_real("threshold", threshold, above=0.0, at_most=1.0)
    pairs = check_integer("n_pairs", n_pairs, at_least=1)
    which = check_choice("bound", bound, tuple(BOUNDS))
    value = bound_of(size, items, votes_for(tau, pairs), pairs, which)
    if math.isfinite(value):
        return value
    raise ValueError(
        f"threshold must be above 1/2{'' if which == 'worst' else ', by more the larger q / p is,'} with "
        f"bound={which!r}, got {threshold!r} with q={size:g} and p={items}"
    )


def votes_for(threshold: float, n_pairs: int) -> int:
    """Of 2B halves, how many have to select an item: `threshold` rounded up to a multiple of 1 / 2B."""
    return max(math.ceil(2 * n_pairs * threshold - 1e-9), 1)


def bound_of(q: float, items: int, votes: int, n_pairs: int, bound: str) -> float:
    """Return a bound for items that `votes` of 2B halves select; infinite where it says nothing."""
    return BOUNDS[bound](float(q), items, votes, n_pairs)


def all_bounds(q: float, items: int, votes: int, n_pairs: int) -> dict[str, float]:
    """Return every bound, infinite where it says nothing."""
    return {name: bound_of(q, items, votes, n_pairs, name) for name in BOUNDS}


def _worst(q: float, items: int, votes: int, n_pairs: int) -> float:
    margin = votes / n_pairs - 1.0
    return q * q / (items * margin) if margin > 0.0 else math.inf


def _unimodal(q: float, items: int, votes: int, n_pairs: int) -> float:
    theta, tau, step = q / items, votes / (2 * n_pairs), 1.0 / (2 * n_pairs)
    least = 0.5 + min(theta**2, step + 0.75 * theta**2)
    if theta > 1.0 / math.sqrt(3.0) or tau <= least:
        return math.inf
    if tau > 0.75:
        factor = 4.0 * (1.0 - tau + step) / (1.0 + 2.0 * step)
    elif 2.0 * tau - 1.0 - step > 0.0:
        factor = 1.0 / (2.0 * (2.0 * tau - 1.0 - step))
    else:
        return math.inf
    return factor * q * q / items


def _r_concave(q: float, items: int, votes: int, n_pairs: int) -> float:
    theta = q / items
    together = largest_tail(theta**2, votes - n_pairs, n_pairs, -2.0)
    single = largest_tail(theta, votes, 2 * n_pairs, -4.0)
    sharper = items * min(together, single)
    return min(sharper, _unimodal(q, items, votes, n_pairs), _worst(q, items, votes, n_pairs))


#: The bounds by name, the sharpest first.
BOUNDS: dict[str, Callable[[float, int, int, int], float]] = {
    "r-concave": _r_concave,
    "unimodal": _unimodal,
    "worst": _worst,
}


@functools.lru_cache(maxsize=4096)
def largest_tail(eta: float, least: int, n: int, power: float) -> float:
    """Return the largest P(V >= least / n) of 1/power-concave laws on {0, 1/n, ..., 1} of mean at most eta.

    D(eta, t; B, r) of Shah & Samworth (2013) with t = least / n, B = n, r = 1 / power < 0. The extremal laws
    have masses proportional to (a + i)^power on i = 0 ... k and the rest at k + 1, for some k < n and a in
    [a_(k+1), a_k], where a_k gives the law on 0 ... k the mean eta n. 1 where the mean is too large for any
    of them, or `least` too small.
    """
    mean = eta * n
    first = math.ceil(2.0 * mean) + 1  # uniform on 0 ... k has mean k / 2
    if least < first or first >= n:
        return 1.0
    sizes = np.arange(max(first, least - 1), n + 1)  # with k + 1 < least nothing reaches `least`
    roots = _roots(mean, sizes, n, power)
    best = 0.0
    for place, k in enumerate(sizes[:-1]):
        a = np.exp(np.linspace(roots[place + 1], roots[place], _WITHIN))
        i = np.arange(k + 1)
        mass = np.exp(power * np.log1p(i / a[:, None]))
        tail = 1.0 - (k + 1 - mean) * mass[:, :least].sum(axis=1) / ((k + 1 - i) * mass).sum(axis=1)
        best = max(best, float(tail.max()))
    return best


def _roots(mean: float, sizes: NDArray[np.int64], n: int, power: float) -> Float:
    """Return log a_k for each k of `sizes`: where the masses (a + i)^power on 0 ... k have this mean."""
    i = np.arange(n + 1)
    there = i <= sizes[:, None]
    low, high = np.full(len(sizes), -40.0), np.full(len(sizes), 40.0)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        mass = np.where(there, np.exp(power * np.log1p(i * np.exp(-middle)[:, None])), 0.0)
        below = ((i - mean) * mass).sum(axis=1) < 0.0  # the mean rises with a
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(0.5 * (low + high))
