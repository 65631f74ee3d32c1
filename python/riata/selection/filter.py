"""The knockoff filter: thresholds, q-values and e-values of statistics that are symmetric for false items."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._input.validation import Float, check_real, refuse_first

__all__ = ["knockoff_e_values", "knockoff_q_values", "knockoff_threshold"]

OFFSETS = (0, 1)


def knockoff_threshold(W: ArrayLike, fdr: float = 0.1, offset: int = 1) -> float:
    """Return the least threshold at which the estimated false discovery rate is at most `fdr`.

        T = min { t > 0 : (offset + #{g : W_g <= -t}) / max(1, #{g : W_g >= t}) <= fdr }

    Items with W_g >= T are selected. Given the sizes of all W_g, the signs of those of false items are fair
    coins, so that the negative ones count what is false among the positive ones.

    Parameters
    ----------
    W : array-like of shape (G,)
        Statistics of the items: positive where the item does better than its knockoff.
    fdr : float, default=0.1
        Between 0 and 1.
    offset : {1, 0}, default=1
        With 1 the false discovery rate is controlled; with 0 the expected value of (false selections) /
        (selections + 1/fdr).

    Returns
    -------
    float
        T; infinite where no threshold will do, so that nothing is selected.

    References
    ----------
    Barber & Candès (2015), Controlling the false discovery rate via knockoffs, Annals of Statistics 43.
    Candès, Fan, Janson & Lv (2018), Panning for gold: model-X knockoffs for high dimensional controlled
    variable selection, J. R. Statist. Soc. B 80.

    Examples
    --------
    >>> import riata
    >>> W = [5.0, 4.0, -1.0, 3.5, 2.0, 0.5, 0.0]
    >>> riata.knockoff_threshold(W, fdr=0.25), riata.knockoff_threshold(W, fdr=0.1)
    (2.0, inf)
    """
    rate, shift = check_fdr(fdr), check_knockoff_offset("offset", offset)
    sizes, ratios = _ratios(_checked(W), shift)
    good = np.flatnonzero(ratios <= rate)
    return float(sizes[good[0]]) if len(good) else np.inf


def knockoff_q_values(W: ArrayLike, offset: int = 1) -> Float:
    """Return the least `fdr` at which the knockoff filter selects each item.

        q_g = min { (offset + #{h : W_h <= -t}) / max(1, #{h : W_h >= t}) : 0 < t <= W_g },

    at most 1, and 1 for items with W_g <= 0, which are never selected.

    Parameters
    ----------
    W : array-like of shape (G,)
        Statistics of the items.
    offset : {1, 0}, default=1
        Of the rates of `knockoff_threshold`, 1 is that of the false discovery rate.

    Returns
    -------
    ndarray of shape (G,)
        The items with q_g <= fdr are those selected at `fdr`. To look for an fdr at which something is
        selected, and then report that fdr, is not covered by its promise.

    Examples
    --------
    >>> import riata
    >>> riata.knockoff_q_values([5.0, 4.0, -1.0, 3.5, 2.0, 0.5, 0.0])
    array([0.25, 0.25, 1.  , 0.25, 0.25, 0.4 , 1.  ])
    """
    values = _checked(W)
    sizes, ratios = _ratios(values, check_knockoff_offset("offset", offset))
    out = np.ones(len(values))
    positive = values > 0.0
    least = np.minimum(np.minimum.accumulate(ratios), 1.0)
    out[positive] = least[np.searchsorted(sizes, values[positive])]
    return out


def knockoff_e_values(W: ArrayLike, fdr: float = 0.1) -> Float:
    """Return e-values of items from several independent draws of knockoffs.

        e_g = (1/M) Σ_m G 1{W_g^m >= T^m} / (1 + #{h : W_h^m <= -T^m}),

    T^m the least t > 0 with (1 + #{W^m <= -t}) / max(1, #{W^m >= t}) <= fdr/2, or with fewer than 2/fdr items
    at or above t. Their sum over false items is at most G on average, however much draws depend on each
    other, so that `fdr` is controlled when the k items of the largest e_g are selected, k the largest number
    with e_(k) >= G / (fdr k) (e-BH, Wang & Ramdas 2022).

    Parameters
    ----------
    W : array-like of shape (M, G)
        Statistics of the items, a row for each draw.
    fdr : float, default=0.1
        The rate that will be asked for.

    Returns
    -------
    ndarray of shape (G,)
        The e-values.

    References
    ----------
    Ren & Barber (2024), Derandomised knockoffs: leveraging e-values for false discovery rate control, J. R.
    Statist. Soc. B 86. Wang & Ramdas (2022), False discovery rate control with e-values, J. R. Statist. Soc.
    B 84.

    Examples
    --------
    >>> import riata
    >>> W = [[5.0, 4.0, 3.0, -1.0, 0.5], [4.0, 5.0, 2.0, 1.0, -0.5]]
    >>> riata.knockoff_e_values(W, fdr=0.6)
    array([3.75, 3.75, 3.75, 2.5 , 0.  ])
    """
    rate = check_fdr(fdr)
    draws = np.asarray(W, dtype=np.float64)
    if draws.ndim != 2 or 0 in draws.shape:
        raise ValueError(f"W must have shape (draws, items), none of them 0, got shape {draws.shape}")
    refuse_first("W", draws.ravel(), ~np.isfinite(draws.ravel()), "finite numbers")
    total = np.zeros(draws.shape[1])
    for one in draws:
        sizes, above, below = _counts(one)
        good = np.flatnonzero(((1.0 + below) / np.maximum(1, above) <= rate / 2.0) | (above < 2.0 / rate))
        if len(good):
            at = good[0]
            total += draws.shape[1] * (one >= sizes[at]) / (1.0 + below[at])
    return total / len(draws)


def selected_by_e_values(e: Float, fdr: float) -> NDArray[np.int64]:
    """Return the items that e-BH selects, increasing: the k largest, k the most with e_(k) >= G / (fdr k)."""
    order = np.argsort(-e, kind="stable")
    enough = np.flatnonzero(e[order] * fdr * np.arange(1, len(e) + 1) >= len(e) * (1.0 - 1e-12))
    return np.sort(order[: enough[-1] + 1]) if len(enough) else np.empty(0, dtype=np.int64)


def check_fdr(fdr: Any) -> float:
    """Return a rate between 0 and 1."""
    rate = check_real("fdr", fdr, above=0.0, at_most=1.0)
    if rate == 1.0:
        raise ValueError("fdr must be < 1, got 1.0")
    return rate


def check_knockoff_offset(name: str, offset: Any) -> int:
    """Return 0 or 1."""
    if isinstance(offset, bool) or offset not in OFFSETS:
        raise ValueError(f"{name} must be 0 or 1, got {offset!r}")
    return int(offset)


def _checked(W: ArrayLike) -> Float:
    values = np.asarray(W, dtype=np.float64)
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"W must hold a number for each item, got shape {values.shape}")
    refuse_first("W", values, ~np.isfinite(values), "finite numbers")
    return values


def _counts(W: Float) -> tuple[Float, NDArray[np.int64], NDArray[np.int64]]:
    """Return the sizes > 0, increasing, and how many W are at least each, and at most minus each."""
    sizes = np.unique(np.abs(W[W != 0.0]))
    up, down = np.sort(W[W > 0.0]), np.sort(-W[W < 0.0])
    above = len(up) - np.searchsorted(up, sizes)
    below = len(down) - np.searchsorted(down, sizes)
    return sizes, above, below


def _ratios(W: Float, offset: int) -> tuple[Float, Float]:
    """Return the sizes > 0, increasing, and the estimated rate at each as threshold."""
    sizes, above, below = _counts(W)
    return sizes, (offset + below) / np.maximum(1, above)
