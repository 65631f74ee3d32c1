"""How many of the selected features may one believe? Stability selection, with a known truth.

Ten of 1,000 independent features matter, each by half a standard deviation of the noise, in 200 samples.
Three ways to select, on the same data, drawn again and again:

1. *The lasso at the penalty that predicts best* (ten folds). What predicts best keeps many features that
   matter nothing: they cost little, and a stronger penalty would shrink those that matter.
2. *The sparsest lasso within one standard error of it.* Fewer, with no promise how many are false.
3. *Stability selection*: a hundred halves of the samples each select their first q features; what 61 % of
   them agree on is kept. Both numbers come from the bound: on average at most one feature is kept that halves
   select no more often than by chance. The count of false ones stays well below it, as the bound is cautious.

Columns that are much alike would share the votes, and none of them may pass: then give `groups`.

In the shell: ``riata select --matrix table.csv --target y --pfer 1 --out results/y``.

    python examples/false_selections.py [FOLDER]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lesson import BLUE, GREY, INK, ORANGE, SOFT, main, new_figure
from matplotlib.figure import Figure

import riata

N, P, TRUE, EFFECT, RUNS = 200, 1000, 10, 0.5, 12
WAYS = ("lasso, best score", "lasso, 1 SE", "stability, pfer 1")


def draw(seed: int) -> tuple[Any, Any]:
    """Draw independent features, of which the first ten matter."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, P))
    signs = np.where(np.arange(TRUE) % 2, -1.0, 1.0)
    return X, EFFECT * X[:, :TRUE] @ signs + rng.standard_normal(N)


def select(X: Any, y: Any) -> tuple[list[Any], riata.StabilitySelected]:
    """Return what each way selects."""
    cv = riata.cv_path(X, y, n_threads=1)
    found = riata.stability_selection(X, y, pfer=1, n_threads=1)
    sets = [np.flatnonzero(cv.path.coef(alpha)) for alpha in (cv.alpha_min, cv.alpha_1se)]
    return [*sets, found.selected], found


def lesson() -> dict[str, Figure]:
    """Count true and false selections of each way, over responses."""
    counts = np.zeros((RUNS, len(WAYS), 2), dtype=int)
    for seed in range(RUNS):
        sets, found = select(*draw(seed))
        for k, chosen in enumerate(sets):
            counts[seed, k] = np.sum(chosen < TRUE), np.sum(chosen >= TRUE)
        if seed == 0:
            shown = found
    mean = counts.mean(axis=0)
    print(f"of {TRUE} features that matter and {P - TRUE} that do not, on average over {RUNS} responses:")
    for way, (right, wrong) in zip(WAYS, mean, strict=True):
        print(f"  {way:<18} {right:4.1f} right, {wrong:5.1f} wrong")
    print(shown.explain())
    assert mean[0, 1] > 20  # the lasso that predicts best: more false ones than true ones
    assert mean[2, 1] <= 1.0  # as the bound says
    assert mean[2, 0] >= 7.0

    figure, (left, right) = new_figure(3.0, 1, 2)
    size = np.arange(1, shown.plan.q + 1)
    others = [j for j in shown.ranked if j >= TRUE][:40]
    for path in shown.first_q(others):
        left.plot(size, path, color=GREY, lw=0.7)
    for path in shown.first_q(np.arange(TRUE)):
        left.plot(size, path, color=BLUE, lw=1.6)
    left.axhline(shown.plan.threshold, color=SOFT, lw=1.0, ls=":")
    left.text(size[-1], shown.plan.threshold + 0.02, "threshold", color=SOFT, fontsize=8.5, ha="right")
    left.set(
        title="the ten that matter stand out", xlim=(1, size[-1]), ylim=(0, 1.02),
        xlabel="features that each half selects", ylabel="share of halves",
    )  # fmt: skip

    jitter = np.linspace(-0.13, 0.13, RUNS)
    for k in range(len(WAYS)):
        for what, colour, shift in ((0, BLUE, -0.2), (1, ORANGE, 0.2)):
            right.plot(k + shift + jitter, counts[:, k, what] + 1, "o", ms=3.5, color=colour, alpha=0.8)
    right.set_yscale("log")
    right.set_yticks([1, 2, 3, 6, 11, 31, 101], ["0", "1", "2", "5", "10", "30", "100"])
    right.minorticks_off()
    right.set_xticks(range(len(WAYS)), [way.replace(", ", "\n") for way in WAYS])
    right.set(title="how many, in each of 12 responses", ylim=(0.8, 130), xlim=(-0.5, 2.5))
    right.text(0.97, 0.95, "right", color=BLUE, transform=right.transAxes, ha="right", va="top")
    right.text(0.97, 0.87, "wrong", color=ORANGE, transform=right.transAxes, ha="right", va="top")
    right.tick_params(axis="x", labelcolor=INK)
    return {"false-selections": figure}


if __name__ == "__main__":
    main(lesson, __doc__)
