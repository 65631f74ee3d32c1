"""Sets that overlap: which variables come out, when sets share some of them?

The experiment of Jacob, Obozinski & Vert (2009), section 6.1: 82 variables in ten sets of ten, each of which
shares two with the next, as pathways share genes. The response depends on the 18 variables of the fourth and
the fifth set, seen in 50 samples with noise.

1. *The lasso* knows nothing of the sets and picks single variables.
2. *The group lasso, each variable in its first set only*, as one must do where groups may not overlap: the
   fifth set has lost its first two variables, and every set but the first is two short.
3. *The latent group lasso*: a coefficient is the sum of a part for each set that the variable is in, and a
   set's part enters whole. What is selected is a union of sets.

    python examples/gene_sets.py [FOLDER]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lesson import BLUE, GREY, ORANGE, SOFT, main, new_figure
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

import riata
from riata.penalties import GroupLasso

P, SIZE, SHARED, N, RUNS = 82, 10, 2, 50, 50
STARTS = range(0, P - SHARED, SIZE - SHARED)
SETS = {f"set {k + 1}": list(range(first, first + SIZE)) for k, first in enumerate(STARTS)}
TRUE = sorted({*SETS["set 4"], *SETS["set 5"]})
FIRST_SET = [next(k for k, members in enumerate(SETS.values()) if j in members) for j in range(P)]
PENALTIES: dict[str, Any] = {
    "lasso": None,
    "group lasso, first set only": GroupLasso(FIRST_SET),
    "latent group lasso": GroupLasso(SETS),
}
RATIOS = np.geomspace(1.0, 0.01, 60)  # of the largest alpha


def lesson() -> dict[str, Figure]:
    """Count, over responses, how often each variable is selected along the path."""
    rng = np.random.default_rng(0)
    share = {name: np.zeros((P, len(RATIOS))) for name in PENALTIES}
    exact = dict.fromkeys(PENALTIES, 0)
    for _ in range(RUNS):
        X = rng.standard_normal((N, P))
        signal = X[:, TRUE] @ rng.standard_normal(len(TRUE))
        y = signal + 0.3 * signal.std() * rng.standard_normal(N)
        for name, penalty in PENALTIES.items():
            top = riata.fit_path(X, y, penalty=penalty, alphas=1, n_threads=1).alpha_max
            path = riata.fit_path(X, y, penalty=penalty, alphas=top * RATIOS, n_threads=1)
            assert path.dual_gaps.max() <= 1e-6
            active = path.coefs.toarray() != 0.0
            share[name] += active / RUNS
            exact[name] += any(np.flatnonzero(column).tolist() == TRUE for column in active.T)
    print(f"responses, of {RUNS}, on whose path there is a fit with exactly the {len(TRUE)} variables:")
    for name, count in exact.items():
        print(f"  {name}: {count}")
    assert exact["latent group lasso"] >= 40
    assert exact["lasso"] == exact["group lasso, first set only"] == 0

    figure, panels = new_figure(3.1, 1, 3, sharey=True)
    shades = LinearSegmentedColormap.from_list("shades", ["white", BLUE])
    for panel, (name, values) in zip(panels, share.items(), strict=True):
        panel.imshow(values, aspect="auto", cmap=shades, vmin=0.0, vmax=1.0, extent=(0.0, 2.0, P, 0.0))
        panel.grid(visible=False)
        for k, members in enumerate(SETS.values()):
            at = 2.05 + 0.07 * (k % 2)
            colour = ORANGE if k in (3, 4) else GREY
            panel.plot([at, at], [members[0], members[-1] + 1], color=colour, lw=2.5, clip_on=False)
        for edge in (TRUE[0], TRUE[-1] + 1):
            panel.axhline(edge, color=SOFT, lw=0.8, ls=":")
        panel.set(
            title=f"{name}\nexact in {exact[name]} of {RUNS}",
            xticks=[0.0, 1.0, 2.0],
            xticklabels=["1", "0.1", "0.01"],
            xlabel="alpha / alpha_max",
            xlim=(0.0, 2.0),
        )
    panels[0].set(ylabel="variable", yticks=[0, 20, 40, 60, 80])
    return {"gene-sets": figure}


if __name__ == "__main__":
    main(lesson, __doc__)
