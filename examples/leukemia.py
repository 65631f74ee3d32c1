"""Many more features than samples: which of 7,129 genes tell two leukemias apart?

The data of Golub et al. (1999), which ship with riata: 38 patients to learn from, 27 with acute lymphoblastic
leukemia (ALL) and 11 with acute myeloid (AML), 7,129 genes measured on each, and 34 other patients to test
on, collected separately. Least squares or logistic regression would fit any labels at all here, in infinitely
many ways.

1. *The path.* Sparse logistic regression at 100 values of alpha, from no gene to 18.
2. *Cross-validation* on the 38 chooses alpha. The 34 have no part in it, so their score is an honest one: 30
   are classified correctly.
3. *Stability.* The model is fitted again at this alpha to 100 bootstrap samples of the 38 (drawn with
   replacement: as weights, so that no row is copied). Only two of the 13 genes come back in half of the
   samples or more, while 191 are selected at least once. Correlated genes stand in for each other: the model
   predicts well, but its list of genes is one of many that would. Stability selection (Meinshausen &
   Buehlmann 2010) makes a rule of such counts.

    python examples/leukemia.py [FOLDER]
"""

from __future__ import annotations

import numpy as np
from lesson import BLUE, GREY, blank_figure, main
from matplotlib.figure import Figure

import riata
from riata.cli.demo import gene_symbols, load_leukemia, named

N_BOOTSTRAP = 100


def lesson() -> dict[str, Figure]:
    """Fit, choose, test, and count selections over bootstrap samples."""
    data = load_leukemia()
    X, y = np.asfortranarray(data.X[data.is_train]), data.y[data.is_train]
    X_test, y_test = data.X[~data.is_train], data.y[~data.is_train]
    symbols = gene_symbols()
    names = [named(str(gene), symbols).split(" (")[0].removesuffix("_at") for gene in data.genes]

    cv = riata.cv_path(X, y, loss="binomial", cv=10, n_threads=1)
    selected = np.flatnonzero(cv.coef())
    right = int(np.sum((cv.predict(X_test) > 0.5) == y_test))
    chance = int(max(y_test.sum(), len(y_test) - y_test.sum()))
    print(f"alpha {cv.alpha:.3g} keeps {len(selected)} of {X.shape[1]} genes")
    print(f"{right} of {len(y_test)} test patients classified correctly; always saying ALL gets {chance}")
    assert max(cv.path.dual_gaps) <= 1e-6
    assert len(selected) < len(y)
    assert right >= 30

    rng = np.random.default_rng(0)
    counts = np.zeros(X.shape[1])
    for _ in range(N_BOOTSTRAP):
        weights = np.bincount(rng.integers(0, len(y), len(y)), minlength=len(y)).astype(float)
        path = riata.fit_path(
            X, y, loss="binomial", alphas=[cv.alpha], sample_weight=weights, tol=1e-4, n_threads=1
        )
        counts += path.coef(cv.alpha) != 0.0
    share = counts / N_BOOTSTRAP
    print("share of bootstrap samples that select each gene:")
    order = selected[np.argsort(-share[selected], kind="stable")]
    for j in order:
        print(
            f"  {names[j]:10} {share[j]:4.0%}  coefficient per deviation {cv.coef()[j] * X[:, j].std():+.3f}"
        )
    print(
        f"{np.sum(share > 0.0)} genes are selected at least once, "
        f"{np.sum(share >= 0.5)} in half of the samples or more"
    )
    assert {"ZYX", "CD33"} < {names[j] for j in selected}  # two of the genes that the original study names
    assert np.sum(share > 0.0) > 5 * len(selected)  # the list is one of many
    assert np.sum(share[selected] >= 0.5) < len(selected) / 2

    figure = blank_figure(6.4)
    axes = figure.subplot_mosaic([["path", "cv"], ["bars", "bars"]], height_ratios=[1.0, 1.15])
    cv.path.plot(axes["path"])
    axes["path"].set_title("genes along the path", pad=30)
    cv.plot(axes["cv"])
    axes["cv"].set_title("held-out error", pad=30)
    stability(axes["bars"], [names[j] for j in order], share[order])
    return {"leukemia": figure}


def stability(ax, names, share):
    """Draw how often each gene was selected."""
    ax.bar(names, 100.0 * share, color=[BLUE if value >= 0.5 else GREY for value in share], width=0.7)
    for k, value in enumerate(share):
        ax.text(k, 100.0 * value + 1.5, f"{100 * value:.0f}", ha="center", fontsize=8.5)
    ax.set(title=f"how often {N_BOOTSTRAP} bootstrap samples select the same genes", ylabel="% of samples")
    ax.set(ylim=(0.0, 102.0), yticks=range(0, 101, 25))
    ax.grid(axis="x", visible=False)
    ax.tick_params(axis="x", length=0)
    for label in ax.get_xticklabels():
        label.set(rotation=35, ha="right", rotation_mode="anchor")


if __name__ == "__main__":
    main(lesson, __doc__)
