"""What the knockoff filter selected, at which rate, and how every item compares with its knockoff."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.features import Names
from riata._input.validation import Float
from riata._io.tables import frame_or_table
from riata.genetics.variants import FittedVariants
from riata.knockoffs import KnockoffCheck
from riata.selection.filter import (
    knockoff_e_values,
    knockoff_q_values,
    knockoff_threshold,
    selected_by_e_values,
)
from riata.selection.item_results import ItemResult, Numbers

__all__ = ["KnockoffSelected"]


@dataclass(repr=False)
class KnockoffSelected(ItemResult):
    """What the knockoff filter selected, and how every item compares with its knockoff.

    Made by `riata.knockoff_selection`; kept with `save` and read back with `riata.load`. Items are features,
    or groups of them where there are `group_names`. G is the number of items, M that of the draws of
    knockoffs.

    Attributes
    ----------
    fdr : float
        The false discovery rate asked for.
    draws : ndarray of shape (M, G)
        W of each item in every draw: positive where it does better than its knockoff, 0 where neither is
        active.
    strengths : scipy.sparse.csr_array of shape (M, p)
        What W is made of, for the features themselves: sizes of coefficients on the scale of the penalty, or
        alphas of entry.
    coefs : scipy.sparse.csr_array of shape (M, p), or (M, p K) with K outputs
        Coefficients of the features, beside their knockoffs, on the original scale.
    alphas : ndarray of shape (M,)
        Where they were read.
    of_feature : ndarray of int, shape (p,)
        The item of each feature; -1 for those that are unpenalised or left out.
    n_items : int
        G.
    group_names : ndarray or None
        What the groups are called.
    statistic : {"coef_difference", "entry"}
    offset : {1, 0}
        Of the estimated rate.
    loss : str
    outputs : int or None
        K, for losses with several outputs.
    n_samples : int
    seed : int
        Seed of the knockoffs, of the order in pairs and of the folds.
    sampler : str
        What made the knockoffs.
    feature_names : ndarray of str or TextColumn, shape (p,), or None
    variants : FittedVariants or None
        For genotypes: ids, places and alleles.
    check : KnockoffCheck or None
        Whether the knockoffs have the correlations of X: of a sampler the first draw, of ready-made ones the
        worst.
    columns : dict of str to str
        The names of y and of the arguments given with it.
    notes : list of str
        What else there is to know, in sentences.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X, made = rng.standard_normal((2, 200, 100))
    >>> y = X[:, :12] @ np.ones(12) + rng.standard_normal(200)
    >>> found = riata.knockoff_selection(X, y, knockoffs=made)
    >>> found
    <KnockoffSelected: 12 of 100 features, false discovery rate at most 0.1>
    >>> bool(found.W[3] >= found.threshold), bool(found.q_values[3] <= 0.1)
    (True, True)
    """

    fdr: float
    draws: Float
    strengths: Any
    coefs: Any
    alphas: Float
    of_feature: Numbers
    n_items: int
    group_names: NDArray[Any] | None
    statistic: str
    offset: int
    loss: str
    outputs: int | None
    n_samples: int
    seed: int
    sampler: str = ""
    feature_names: Names | None = None
    variants: FittedVariants | None = None
    check: KnockoffCheck | None = None
    columns: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def n_draws(self) -> int:
        """M, the number of draws of knockoffs."""
        return len(self.draws)

    @cached_property
    def items(self) -> Numbers:
        """The items that could be selected: those with a penalised feature."""
        return np.unique(self.of_feature[self.of_feature >= 0])

    @cached_property
    def W(self) -> Float:
        """Statistics of the items, (G,); the mean over draws where there are several."""
        return np.asarray(self.draws.mean(axis=0))

    @cached_property
    def e_values(self) -> Float | None:
        """E-values of the items over the draws at `fdr`, (G,); None with one draw."""
        if self.n_draws == 1:
            return None
        out = np.zeros(self.n_items)
        out[self.items] = knockoff_e_values(self.draws[:, self.items], self.fdr)
        return out

    @cached_property
    def threshold(self) -> float:
        """The least W that is selected, of several draws the least e-value; infinite for none."""
        if self.e_values is None:
            return knockoff_threshold(self.W, self.fdr, self.offset)
        chosen = selected_by_e_values(self.e_values[self.items], self.fdr)
        return float(self.e_values[self.items[chosen]].min()) if len(chosen) else np.inf

    @cached_property
    def q_values(self) -> Float:
        """The least fdr at which each item would be selected, (G,); 1 for those that never are.

        With several draws by the e-values at hand, which are those for `fdr`.
        """
        if self.e_values is None:
            return knockoff_q_values(self.W, self.offset)
        out = np.ones(self.n_items)
        e = self.e_values[self.items]
        order = np.argsort(-e, kind="stable")
        with np.errstate(divide="ignore"):
            rates = len(e) / (np.arange(1, len(e) + 1) * e[order])
        out[self.items[order]] = np.minimum(np.minimum.accumulate(rates[::-1])[::-1], 1.0)
        return out

    @cached_property
    def selected(self) -> Numbers:
        """The items selected, in the order of `ranked`."""
        score = self.W if self.e_values is None else self.e_values
        return self.ranked[score[self.ranked] >= self.threshold]

    @cached_property
    def ranked(self) -> Numbers:
        """Items with a W other than 0 in some draw, those that are selected first at the front."""
        ever = np.flatnonzero((self.draws != 0.0).any(axis=0))
        score = self.W[ever] if self.e_values is None else self.e_values[ever]
        return np.asarray(ever[np.lexsort((ever, -self.W[ever], -score))])

    @cached_property
    def share(self) -> Float:
        """Share of the draws that by themselves select each item at `fdr`, (G,): a description, no rate."""
        chosen = [knockoff_threshold(W, self.fdr, self.offset) <= W for W in self.draws]
        return np.asarray(np.mean(chosen, axis=0))

    @cached_property
    def lead(self) -> Numbers:
        """The strongest feature of each item over the draws, (G,); -1 for an item without one."""
        if self.group_names is None:
            return np.where(self.of_feature >= 0, np.arange(self.n_features), -1)
        out = np.full(self.n_items, -1, dtype=np.int64)
        mean = np.asarray(self.strengths.sum(axis=0)).ravel()
        order = np.lexsort((-np.arange(self.n_features), mean))  # of equal ones the first feature comes last
        order = order[self.of_feature[order] >= 0]
        out[self.of_feature[order]] = order
        return out

    @cached_property
    def coef_mean(self) -> Float:
        """Mean coefficient of each item's lead over the draws, (G,) or (G, K), on the original scale.

        Of a fit to features beside their knockoffs, which shrinks it: not an estimate of an effect.
        """
        width = self.outputs or 1
        mean = np.asarray(self.coefs.sum(axis=0)).reshape(self.n_features, width) / self.n_draws
        out = np.where(self.lead[:, None] >= 0, mean[self.lead], np.nan)
        return out[:, 0] if self.outputs is None else out

    def explain(self) -> str:
        """Say in words what was done, what it found and what the error rate means.

        Returns
        -------
        str
            A few sentences; when nothing is selected, what would change that.
        """
        what, count = self._what, len(self.selected)
        kept = f"{count} {what}{'' if count == 1 else 's'}" if count else f"No {what}"
        of = {"coef_difference": "their coefficients", "entry": "where they enter the path"}[self.statistic]
        draws = "" if self.n_draws == 1 else f", in {self.n_draws} draws"
        rate = (
            f"Of those selected at most {100 * self.fdr:g} % are expected to be false, that is, to tell"
            if self.offset
            else f"(False ones) / (selected + {1 / self.fdr:.3g}) is expected to be at most {self.fdr:g}, "
            "false meaning to tell"
        )
        so = "did so much better"
        as_it_is = f"that {'it is' if count == 1 else 'they are'} selected" if count else "as to be selected"
        parts = [
            f"{len(self.items):,} {what}s of {self.n_samples:,} samples were fitted beside their knockoffs"
            f"{draws}, and compared by {of}. {kept} {so} {as_it_is}.",
            f"{rate} nothing about y beyond what the other {what}s tell, provided that the "
            "knockoffs have the law of X.",
        ]
        if not count:
            parts.append(self.nothing_selected())
        if self.check is not None and not self.check.ok:
            parts.append(self.check.explain())
        return " ".join([*parts, *self.notes])

    def nothing_selected(self) -> str:
        """Say how far the strongest items were from being selected, and what would change that.

        Returns
        -------
        str
            A sentence or two.
        """
        least = int(np.ceil(1.0 / self.fdr - 1e-9))
        change = "What would change that: a larger fdr, groups= for features that are alike, or more samples."
        ahead = int((self.W > 0.0).sum())
        least_q = float(self.q_values[self.items].min())
        parts = []
        if self.offset and ahead < least:
            many = f"Only {ahead} {self._what}{'' if ahead == 1 else 's'}" if ahead else f"No {self._what}"
            whose = "its knockoff" if ahead <= 1 else "their knockoffs"
            parts.append(
                f"{many} did better than {whose}, and at fdr={self.fdr:g} fewer than {least} (1/fdr) are "
                "never selected."
            )
        if least_q < 1.0:
            reach = int((self.q_values <= least_q).sum())
            parts.append(f"The least estimated rate is {least_q:.2g}, of the {reach} strongest.")
        return " ".join([*parts, change])

    def to_frame(self) -> Any:
        """Return every item that did better or worse than its knockoff, the strongest first, as a table.

        Returns
        -------
        pandas.DataFrame, or `riata._io.tables.Table` without pandas
            `feature` (of a group: `group`, `lead` and `n_features`), for genotypes also where its lead lies
            and its alleles, `selected`, `W`, `q_value`, `coef` of the lead (with several outputs left out),
            and with several draws `e_value` and `share` of the draws that select it.
        """
        items = self.ranked
        columns = self._named(items, self.lead[items])
        columns["selected"] = np.isin(items, self.selected)
        columns["W"] = self.W[items]
        columns["q_value"] = self.q_values[items]
        if self.outputs is None:
            columns["coef"] = self.coef_mean[items]
        if self.e_values is not None:
            columns["e_value"] = self.e_values[items]
            columns["share"] = self.share[items]
        return frame_or_table(columns)

    def plot(self, ax: Any = None, *, labels: int = 8) -> Any:
        """Draw W with Matplotlib: items in order of size, those that lose to their knockoffs below.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; default a new figure.
        labels : int, default=8
            Number of items to name, the strongest ones.

        Returns
        -------
        matplotlib Axes
            What was drawn on.
        """
        from riata.report.plots import plot_knockoffs

        return plot_knockoffs(self, ax, labels=labels)

    def __repr__(self) -> str:
        rate = "false discovery rate" if self.offset else "modified false discovery rate"
        draws = "" if self.n_draws == 1 else f", {self.n_draws} draws"
        return (
            f"<KnockoffSelected: {len(self.selected)} of {len(self.items):,} {self._what}s, {rate} at most "
            f"{self.fdr:g}{draws}>"
        )

    def _repr_html_(self) -> str:
        from riata.report.cards import knockoff_card

        return str(knockoff_card(self))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result to an ``.npz`` archive, whole or not at all; read it back with `riata.load`.

        Parameters
        ----------
        path : str or path-like
            The archive.
        """
        from riata._io.archive import write_archive
        from riata.selection.knockoff_archive import arrays_of

        write_archive(path, arrays_of(self))
