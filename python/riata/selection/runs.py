"""Fitting the halves: pairs in batches, until all are or something ends it.

The halves of a batch share the passes over X. Where the storage says that it pays, as genotypes and sparse
matrices do, each is fitted to rows of its own instead, which are half as many as X has.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.validation import Float
from riata._io.progress import bar_of
from riata._io.sizes import bytes_text
from riata.losses import Loss
from riata.path.arguments import Options
from riata.path.fit import solve
from riata.path.given import Problem
from riata.selection.bounds import votes_for
from riata.selection.halves import draw_pair
from riata.selection.items import Items
from riata.selection.multi_split import Splits, SplitValues, Tested
from riata.selection.plan import StabilityPlan
from riata.selection.record import fingerprint_of, read_record, write_record
from riata.selection.votes import Vote, Votes, read_vote

PAIRS_A_BATCH = 10  # fitted together where `memory` does not say
COLUMN, VECTORS = 45, 72  # bytes a half takes for each column of X, and doubles for each sample
MOST_COPIED = 256 * 2**20  # bytes of rows of its own that a half may have where `memory` does not say
PAIRS_APART = 2  # that `memory` has to have room for, so that halves have rows of their own


@dataclass(frozen=True, slots=True)
class Halves:
    """The halves of the samples, as weights."""

    problem: Problem
    loss: Loss
    seed: int
    rows: NDArray[np.int64]
    strata: NDArray[np.int64] | None
    units: NDArray[np.int64] | None

    def columns(self, pairs: range) -> Float:
        """Weights of the halves of some pairs, (n, 2 pairs): those of the samples, or zero."""
        out = np.zeros((len(self.problem.weights), 2 * len(pairs)), order="F")
        for place, pair in enumerate(pairs):
            for side, half in enumerate(draw_pair(self.seed, pair, self.rows, self.strata, self.units)):
                column = out[:, 2 * place + side]
                column[half] = self.problem.weights[half]
                where = f"half {side + 1} of pair {pair + 1} of the samples"
                self.loss.check_part(self.problem.target, column, self.problem.labels, where)
        return out


@dataclass(slots=True)
class Run:
    """One stability selection.

    Attributes
    ----------
    worst_gap, passes : float
        The largest certificate and the passes over X so far.
    interrupted : bool
        Whether Ctrl-C or `progress` ended it.
    """

    problem: Problem
    options: Options
    loss: Loss
    items: Items
    plan: StabilityPlan
    halves: Halves
    with_p_values: bool
    stop_early: bool
    worst_gap: float = 0.0
    passes: float = 0.0
    interrupted: bool = False
    latest: tuple[float, int] = (math.nan, 0)  # alpha and active features at the end of a path

    @property
    def outputs(self) -> int:
        return math.prod(self.problem.target.shape[1:])

    def go(self) -> tuple[Votes, SplitValues]:
        """Fit the pairs that are not in the checkpoint yet."""
        votes, values = Votes(self.items, self.outputs, []), SplitValues([])
        file = self.options.checkpoint
        for pair in range(self.plan.n_pairs):  # refused now what would be refused later
            self.halves.columns(range(pair, pair + 1))
        fingerprint = self._fingerprint() if file else ""
        if file and os.path.exists(file):
            votes, values = read_record(file, fingerprint, self.items, self.outputs)
        try:
            with bar_of(self.options.progress):
                for batch in self._batches(len(votes) // 2):
                    chosen = self._fit(batch)
                    if chosen is None:
                        break
                    if self.with_p_values:
                        values.values += self._p_values(batch, chosen)
                    votes.votes += chosen
                    if file:
                        write_record(file, fingerprint, self.plan.n_pairs, votes, values)
                    self._tell(batch.stop)
                    if self.interrupted or (self.stop_early and self._decided(votes)):
                        break
        except KeyboardInterrupt:
            if not votes.votes:
                raise
            self.interrupted = True
        if not votes.votes:
            raise ValueError("progress returned False before the first pairs were complete: nothing to keep")
        keep = self.interrupted or self.options.keep_checkpoint
        if file and not keep and os.path.exists(file):
            os.unlink(file)
        return votes, values

    def _fingerprint(self) -> str:
        halves = self.halves
        drawn = halves.rows, halves.strata, halves.units, halves.seed
        return fingerprint_of(self.problem, self.options, self.items, self.plan, drawn, self.with_p_values)

    def _batches(self, done: int) -> Iterator[range]:
        size = self._pairs_at_once()
        while done < self.plan.n_pairs:
            end = min(done + size, self.plan.n_pairs)
            yield range(done, end)
            done = end

    def _pairs_at_once(self) -> int:
        """As many pairs as `memory` has room for, at least one; ten where it does not say."""
        if not self.options.memory:
            return PAIRS_A_BATCH
        if self.apart:  # with nothing to share, more at a time would save nothing
            return int(min(self.options.memory / (2.0 * self._bytes_apart()), PAIRS_A_BATCH))
        n, p = len(self.problem.weights), self.problem.design.n_features
        active = self.plan.q
        half = COLUMN * p + 8.0 * self.outputs * (VECTORS * n + active**2)
        room = self.options.memory - 2.0 * COLUMN * p
        return int(min(max(room / (2.0 * half), 1), self.plan.n_pairs))

    @property
    def apart(self) -> bool:
        """Whether each half is fitted to rows of its own: the same whatever the number of threads is."""
        if not self.problem.design.core.subset_pays:
            return False
        if not self.options.memory:
            return self._bytes_of_rows() <= MOST_COPIED
        return self.options.memory >= 2.0 * PAIRS_APART * self._bytes_apart()

    def _bytes_of_rows(self) -> float:
        """What the rows of a half take, as the storage holds them."""
        core = self.problem.design.core
        return core.nbytes * len(self.halves.rows) / (2.0 * core.shape[0])

    def _bytes_apart(self) -> float:
        """What a half takes that shares nothing."""
        n, p = len(self.halves.rows) / 2.0, self.problem.design.n_features
        return self._bytes_of_rows() + 2.0 * COLUMN * p + 8.0 * self.outputs * (VECTORS * n + self.plan.q**2)

    def _fit(self, batch: range) -> list[Vote] | None:
        """What the halves of some pairs select; None where `progress` asked to stop."""
        columns = self.halves.columns(batch)
        done, total = batch.start, self.plan.n_pairs
        fits = self._paths(columns, _counting(self.options.progress, done, total))
        if any(fit["stopped"] == "progress" for fit in fits):
            return None
        if any(fit["stopped"] == "memory" for fit in fits):
            return self._fit_in_two(batch)
        passes = [float(fit["counters"]["passes"]) for fit in fits]
        self.passes += sum(passes) if self.apart else passes[-1]  # which are those of all fits of a call
        self.worst_gap = max([self.worst_gap, *(float(np.abs(fit["dual_gaps"]).max()) for fit in fits)])
        self.latest = float(fits[-1]["alphas"][-1]), int(fits[-1]["n_active"][-1])
        return [read_vote(fit, self.plan.q, self.items, self.outputs) for fit in fits]

    def _tell(self, done: int) -> None:
        """Tell `progress` of complete pairs, which may ask to stop."""
        watch, total = self.options.progress, self.plan.n_pairs
        if watch is not None and watch(done, total, *self.latest, self.worst_gap, self.passes) is False:
            self.interrupted = done < total

    def _fit_in_two(self, batch: range) -> list[Vote] | None:
        """As `_fit`, in two parts: together they would hold more than `memory` allows."""
        if len(batch) == 1:
            raise ValueError(
                f"memory must be larger, got {bytes_text(self.options.memory)}: it does not hold the "
                f"paths of one pair of halves with q={self.plan.q}; or give a smaller q"
            )
        middle = batch.start + len(batch) // 2
        first = self._fit(range(batch.start, middle))
        second = None if first is None else self._fit(range(middle, batch.stop))
        return None if first is None or second is None else first + second

    def _paths(self, columns: Float, watch: Any) -> list[dict[str, Any]]:
        """Paths of some halves, each with a grid and an end of its own, where q items are active."""
        problem = self.problem
        options = replace(self.options, max_groups=self.plan.q, progress=watch, checkpoint="")
        features = replace(problem.features, label=self.items.of_feature)
        return solve(
            problem.design, problem.target, columns, problem.offset, features, options,
            leaders=list(range(columns.shape[1])), tell=False, apart=self.apart,
        )  # fmt: skip

    def _decided(self, votes: Votes) -> bool:
        """Whether the pairs to come cannot change what is selected."""
        needed = votes_for(self.plan.threshold, self.plan.n_pairs)
        left = 2 * self.plan.n_pairs - len(votes)
        counts = votes.counts()
        return bool(np.all((counts >= needed) | (counts + left < needed)))

    def _p_values(self, batch: range, chosen: list[Vote]) -> list[Tested]:
        """P-values of what each half selected, on the other half of its pair."""
        columns = self.halves.columns(batch)
        splits = Splits(self.problem, self.options, self.items)
        return [splits.test(vote.features, columns[:, k ^ 1]) for k, vote in enumerate(chosen)]


def _counting(watch: Any, done: int, total: int) -> Callable[..., bool | None] | None:
    """Return what the core calls: `watch` told of pairs, where a pass of the core counts alphas."""
    if watch is None:
        return None

    def told(_: int, __: int, alpha: float, n_active: int, gap: float, passes: float) -> bool | None:
        return watch(done, total, alpha, n_active, gap, passes)  # type: ignore[no-any-return]

    return told
