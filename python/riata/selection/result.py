"""What stability selection found: how often halves selected everything, and what errors to expect."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from riata._input.features import Names
from riata._input.validation import Float
from riata._io.tables import frame_or_table
from riata.genetics.variants import FittedVariants
from riata.selection.bounds import bound_of, votes_for
from riata.selection.item_results import ItemResult, Numbers
from riata.selection.plan import StabilityPlan

__all__ = ["StabilitySelected", "StabilityWarning"]


class StabilityWarning(UserWarning):
    """A stability selection ended before all pairs of halves were fitted.

    Examples
    --------
    >>> import riata
    >>> issubclass(riata.StabilityWarning, UserWarning)
    True
    """


@dataclass(repr=False)
class StabilitySelected(ItemResult):
    """What stability selection selected, and how often halves of the samples selected everything.

    Made by `riata.stability_selection`; kept with `save` and read back with `riata.load`. Items are features,
    or groups of them where there are `group_names`. G is the number of items, H that of the halves.

    Attributes
    ----------
    plan : StabilityPlan
        q, threshold and error rate.
    coefs : scipy.sparse.csr_array of shape (H, p), or (H, p K) with K outputs
        Coefficients of what each half selected, at the end of its path, on the original scale.
    ranks : scipy.sparse.csr_array of shape (H, G)
        The place of each item in the order of entry, in each half: 1 for the first.
    sizes : ndarray of int, shape (H,)
        Items that each half selected.
    of_feature : ndarray of int, shape (p,)
        The item of each feature; -1 for those that are unpenalised or left out.
    n_items : int
        G.
    group_names : ndarray or None
        What the groups are called.
    loss : str
    outputs : int or None
        K, for losses with several outputs.
    n_samples : int
        Samples that were halved.
    seed : int
        Seed of the halves.
    feature_names : ndarray of str or TextColumn, shape (p,), or None
    variants : FittedVariants or None
        For genotypes: ids, places and alleles.
    p_values : ndarray of shape (G,), or None
        Multi-split p-values, adjusted for all items: the chance that any item without an effect has one of
        at most 0.05 is at most 0.05 (family-wise error), when halves contain what has an effect. 1 for items
        that are never tested.
    splits_without_p_values : int
        Halves whose selection could not be tested, as it was too large for the other half.
    at_end : int
        Halves whose path ended before more than q items were active.
    columns : dict of str to str
        The names of y and of the arguments given with it.
    notes : list of str
        What else there is to know, in sentences.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((120, 300))
    >>> found = riata.stability_selection(X, X[:, 4] - X[:, 9] + rng.standard_normal(120))
    >>> found
    <StabilitySelected: 2 of 300 features, in at least 64 % of 100 halves; at most 0.915 false ones expected>
    >>> found.sign[[4, 9]]
    array([1., 0.])
    """

    plan: StabilityPlan
    coefs: Any
    ranks: Any
    sizes: Numbers
    of_feature: Numbers
    n_items: int
    group_names: NDArray[Any] | None
    loss: str
    outputs: int | None
    n_samples: int
    seed: int
    feature_names: Names | None = None
    variants: FittedVariants | None = None
    p_values: Float | None = None
    splits_without_p_values: int = 0
    at_end: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def n_halves(self) -> int:
        """H, the number of halves that were fitted."""
        return len(self.sizes)

    @property
    def needed(self) -> int:
        """Halves that must select an item, of those planned."""
        return votes_for(self.plan.threshold, self.plan.n_pairs)

    @property
    def pfer(self) -> float:
        """Bound on the expected number of false selections when each half selects q items."""
        return self.plan.pfer

    @cached_property
    def pfer_observed(self) -> float:
        """The same at the mean number of items that halves selected, which is at most q."""
        size = float(self.sizes.mean())
        if size == 0.0:
            return 0.0
        return bound_of(size, self.plan.p, self.needed, self.plan.n_pairs, self.plan.bound)

    @property
    def bounds(self) -> dict[str, float]:
        """The bound at q by every method; infinite where one says nothing."""
        return self.plan.bounds

    @cached_property
    def _chosen(self) -> Any:
        """(H, G), 1 where a half selected an item."""
        rows = np.repeat(np.arange(self.n_halves), np.diff(self.coefs.indptr))
        item = self.of_feature[self.coefs.indices // (self.outputs or 1)]
        pairs = np.unique(rows * np.int64(self.n_items) + item)
        rows, item = np.divmod(pairs, self.n_items)
        return sp.csr_array((np.ones(len(pairs)), (rows, item)), shape=(self.n_halves, self.n_items))

    @cached_property
    def _counts(self) -> Numbers:
        return np.bincount(self._chosen.indices, minlength=self.n_items)

    @cached_property
    def frequency(self) -> Float:
        """Share of the halves that selected each item, (G,)."""
        return self._counts / self.n_halves

    @cached_property
    def simultaneous(self) -> Float:
        """Share of the pairs in which both halves selected each item, (G,)."""
        both = self._chosen[0::2].multiply(self._chosen[1::2])
        return np.asarray(both.sum(axis=0)).ravel() / (self.n_halves // 2)

    @cached_property
    def selected(self) -> Numbers:
        """The items selected, in the order of `ranked`."""
        return self.ranked[self._counts[self.ranked] >= self.needed]

    @cached_property
    def ranked(self) -> Numbers:
        """Items that some half selected, the most frequent first; of equal ones those that enter first."""
        ever = np.flatnonzero(self._counts)
        place = np.asarray(self.ranks.sum(axis=0)).ravel()[ever]
        entered = np.bincount(self.ranks.indices, minlength=self.n_items)[ever]
        return ever[np.lexsort((ever, place / np.maximum(entered, 1), -self._counts[ever]))]

    @cached_property
    def feature_frequency(self) -> Float:
        """Share of the halves that selected each feature, (p,)."""
        features = self.coefs.indices[:: self.outputs or 1] // (self.outputs or 1)
        return np.bincount(features, minlength=self.n_features) / self.n_halves

    @cached_property
    def lead(self) -> Numbers:
        """The most frequent feature of each item, (G,); -1 for an item without one."""
        if self.group_names is None:
            return np.where(self.of_feature >= 0, np.arange(self.n_features), -1)
        out = np.full(self.n_items, -1, dtype=np.int64)
        order = np.argsort(self.feature_frequency, kind="stable")
        order = order[self.of_feature[order] >= 0]
        order = np.concatenate([order[self.feature_frequency[order] == 0.0][::-1], order])
        frequency = self.feature_frequency[order]
        ranked = order[np.lexsort((-order, frequency))]  # of equal ones the first feature comes last
        out[self.of_feature[ranked]] = ranked
        return out

    def _of_leads(self, items: Numbers) -> Any:
        """Coefficients of the leading feature of some items, (H, items) or (H, items K)."""
        width, lead = self.outputs or 1, self.lead[items]
        return self.coefs.tocsc()[:, (lead[:, None] * width + np.arange(width)).ravel()]

    def _summary(self, what: str) -> Float:
        """A number of the coefficients of each item's lead over the halves that chose it, NaN for none."""
        width = self.outputs or 1
        out = np.full((self.n_items, width), np.nan)
        items = self.ranked
        if len(items):
            values = self._of_leads(items)
            count = np.maximum(
                np.repeat(np.round(self.feature_frequency[self.lead[items]] * self.n_halves), width), 1
            )
            total = np.asarray(values.sum(axis=0)).ravel()
            if what == "sign":
                found = np.asarray((values > 0).sum(axis=0)).ravel() / count
            elif what == "mean":
                found = total / count
            else:
                square = np.asarray(values.multiply(values).sum(axis=0)).ravel()
                spread = np.maximum(square - total**2 / count, 0.0)
                found = np.where(count > 1, np.sqrt(spread / np.maximum(count - 1, 1)), np.nan)
            out[items] = found.reshape(len(items), width)
        return out[:, 0] if self.outputs is None else out

    @cached_property
    def sign(self) -> Float:
        """Share of positive coefficients among the halves that selected each item, (G,) or (G, K); else NaN.

        Of a group those of its lead, also in `coef_mean` and `coef_sd`.
        """
        return self._summary("sign")

    @cached_property
    def coef_mean(self) -> Float:
        """Mean coefficient over the halves that selected each item, (G,) or (G, K), on the original scale."""
        return self._summary("mean")

    @cached_property
    def coef_sd(self) -> Float:
        """Standard deviation of the coefficient over the halves that selected each item, (G,) or (G, K)."""
        return self._summary("sd")

    def first_q(self, items: ArrayLike | None = None) -> Float:
        """Return how often items are among the first 1, 2, ..., q to enter: the stability path.

        Items that enter at the same alpha count from the place of the last of them on.

        Parameters
        ----------
        items : sequence of int, optional
            Default: those selected.

        Returns
        -------
        ndarray of shape (len(items), q)
            Shares of the halves.
        """
        which = self.selected if items is None else np.atleast_1d(np.asarray(items, dtype=np.int64))
        out = np.zeros((len(which), self.plan.q))
        ranks = self.ranks.tocsc()
        for row, item in enumerate(which):
            places = ranks.data[ranks.indptr[item] : ranks.indptr[item + 1]].astype(np.int64)
            out[row] = np.cumsum(np.bincount(places - 1, minlength=self.plan.q))[: self.plan.q]
        return out / self.n_halves

    def explain(self) -> str:
        """Say in words what was done, what it found and what the error rate means.

        Returns
        -------
        str
            A few sentences; when nothing is selected, what would change that.
        """
        plan, what = self.plan, self._what
        count = len(self.selected)
        kept = f"{count} {what}{'' if count == 1 else 's'}" if count else f"No {what}"
        parts = [
            f"{self.n_halves} halves of {self.n_samples:,} samples selected {self.sizes.mean():.1f} of "
            f"{plan.p:,} {what}s on average (at most {plan.q}). {kept} came back in at least "
            f"{100 * plan.threshold:g} % of them.",
            f"Of {what}s that a half selects no more often than by chance, at most {plan.pfer:.2g} are "
            f"expected among those selected ({plan.bound} bound; {_all_bounds(plan)}).",
        ]
        if not count:
            parts.append(self.nothing_selected())
        if self.splits_without_p_values:
            parts.append(
                f"{self.splits_without_p_values} of {self.n_halves} halves selected too many to be tested "
                "on the other half, and count with p-values of 1: a smaller q has none of these."
            )
        return " ".join([*parts, *self.notes])

    def nothing_selected(self) -> str:
        """Say how far the most frequent item was from being selected, and what would change that.

        Returns
        -------
        str
            A sentence or two.
        """
        larger = "a larger pfer (more features a half), groups= for features that are alike, or more samples"
        if not len(self.ranked):
            return f"No half selected anything. What would change that: {larger}."
        first = int(self.ranked[0])
        votes = int(self._counts[first])
        close = bound_of(self.plan.q, self.plan.p, votes, self.n_halves // 2, self.plan.bound)
        bound = f"a bound of {close:.2g}" if np.isfinite(close) and close < self.plan.p else "no useful bound"
        return (
            f"The most frequent, {self.item_name(first)}, was in {100 * self.frequency[first]:.0f} % of "
            f"the halves, which as a threshold has {bound}. What would change that: {larger}."
        )

    def to_frame(self) -> Any:
        """Return every item that some half selected, the most frequent first, as a table.

        Returns
        -------
        pandas.DataFrame, or `riata._io.tables.Table` without pandas
            `feature` (of a group: `group`, `lead` and `n_features`), for genotypes also where its lead lies
            and its alleles, `selected`, `frequency`, `simultaneous`, `sign`, `coef_mean` and `coef_sd` (with
            several outputs left out), `p_value` where there are p-values.
        """
        items = self.ranked
        columns = self._named(items, self.lead[items])
        columns["selected"] = self._counts[items] >= self.needed
        columns["frequency"] = self.frequency[items]
        columns["simultaneous"] = self.simultaneous[items]
        if self.outputs is None:
            for name in ("sign", "coef_mean", "coef_sd"):
                columns[name] = getattr(self, name)[items]
        if self.p_values is not None:
            columns["p_value"] = self.p_values[items]
        return frame_or_table(columns)

    def plot(self, ax: Any = None, *, labels: int = 8) -> Any:
        """Draw the stability path with Matplotlib: how often items are among the first to enter.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; default a new figure.
        labels : int, default=8
            Number of items to name, the most frequent ones.

        Returns
        -------
        matplotlib Axes
            What was drawn on.
        """
        from riata.report.plots import plot_stability

        return plot_stability(self, ax, labels=labels)

    def __repr__(self) -> str:
        return (
            f"<StabilitySelected: {len(self.selected)} of {self.plan.p:,} {self._what}s, in at least "
            f"{100 * self.plan.threshold:g} % of {self.n_halves} halves; at most {self.plan.pfer:.3g} "
            "false ones expected>"
        )

    def _repr_html_(self) -> str:
        from riata.report.cards import stability_card

        return stability_card(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result to an ``.npz`` archive, whole or not at all; read it back with `riata.load`.

        Parameters
        ----------
        path : str or path-like
            The archive.
        """
        from riata._io.archive import write_archive
        from riata.selection.archive import arrays_of

        write_archive(path, arrays_of(self))


def _all_bounds(plan: StabilityPlan) -> str:
    """The other bounds, in words."""
    others = {name: value for name, value in plan.bounds.items() if name != plan.bound}
    return ", ".join(
        f"{name} {value:.2g}" if np.isfinite(value) else f"{name} says nothing"
        for name, value in others.items()
    )
