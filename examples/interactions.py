"""Columns that nobody stores: every product of two features, made when it is asked for.

A fit never needs X as a block of numbers. It asks four questions about many columns at once, and whoever
answers them is a matrix: `riata.Design`. Here X holds q features and their q (q - 1) / 2 products. Columns
are made on request, and the question that is asked again and again, X'r for the residuals r of a fit, is a
product of two small matrices,

    sum_i r_i z_ia z_ib  =  (Z' diag(r) Z)_ab,

so that no pass ever forms a column. The fit is the one on the dense matrix, with the same certificate, and
holds a third of its bytes, most of them for a moment.

    python examples/interactions.py [FOLDER]
"""

from __future__ import annotations

import tracemalloc

import numpy as np
from lesson import BLUE, GREEN, GREY, ORANGE, PINK, PURPLE, SOFT, main, new_figure
from matplotlib.figure import Figure

import riata

TRUTH = {"z3": 1.0, "z17": -0.8, "z5*z40": 1.0, "z17*z90": -0.9, "z60*z61": 0.8}
COLOURS = (BLUE, ORANGE, GREEN, PINK, PURPLE)


class Interactions(riata.Design):
    """Features Z, n x q, then their products z_a z_b for a < b."""

    def __init__(self, Z):
        q = Z.shape[1]
        self.Z = Z
        self.left, self.right = np.triu_indices(q, 1)
        self.shape = (len(Z), q + len(self.left))
        products = zip(self.left, self.right, strict=True)
        self.feature_names = [f"z{a}" for a in range(q)] + [f"z{a}*z{b}" for a, b in products]

    def gather(self, columns):
        """Return columns by name: a feature, or two features multiplied."""
        q = self.Z.shape[1]
        out = np.empty((len(self.Z), len(columns)))
        single = columns < q
        out[:, single] = self.Z[:, columns[single]]
        pair = columns[~single] - q
        out[:, ~single] = self.Z[:, self.left[pair]] * self.Z[:, self.right[pair]]
        return out

    def correlate(self, columns, R):
        """Return X'R without a column of X."""
        everything = np.empty((self.shape[1], R.shape[1]))
        for k, r in enumerate(R.T):
            everything[:, k] = np.r_[self.Z.T @ r, ((self.Z.T * r) @ self.Z)[self.left, self.right]]
        return everything[columns]


def lesson() -> dict[str, Figure]:
    """Fit main effects and all their products, find those that matter, and compare with the dense matrix."""
    rng = np.random.default_rng(0)
    n, q = 400, 300
    Z = rng.standard_normal((n, q))
    X = Interactions(Z)
    place = {name: X.feature_names.index(name) for name in TRUTH}
    signal = X.gather(np.array(list(place.values()))) @ np.array(list(TRUTH.values()))
    y = signal + rng.standard_normal(n)

    common = {"alphas": 30, "eps": 0.1, "tol": 1e-10}
    tracemalloc.start()
    path = riata.fit_path(X, y, **common)
    held = tracemalloc.get_traced_memory()[1] + path.counters["memory"]
    tracemalloc.stop()
    dense = X.gather(np.arange(X.shape[1]))
    print(f"{X.shape[0]} x {X.shape[1]:,}: {dense.nbytes / 2**20:.0f} MiB as a dense matrix")
    print(f"the fit held {held / 2**20:.1f} MiB at most and asked for {path.counters['passes']:.1f} passes")
    assert held < dense.nbytes

    same = riata.fit_path(dense, y, **common)
    np.testing.assert_allclose(path.coefs.toarray(), same.coefs.toarray(), atol=1e-5)
    assert path.dual_gaps.max() <= 1e-10
    coefs = path.coefs.toarray()
    first = np.argmax(coefs != 0.0, axis=1) + np.where((coefs != 0.0).any(axis=1), 0, len(path))
    entered = [X.feature_names[j] for j in np.argsort(first, kind="stable")[: len(TRUTH)]]
    print("first to enter:", ", ".join(entered))
    assert set(entered) == set(TRUTH)

    figure, ax = new_figure(3.4)
    others = np.delete(coefs, list(place.values()), axis=0)
    ax.fill_between(path.alphas, others.min(axis=0), others.max(axis=0), color=GREY, label="all others")
    for (name, truth), colour in zip(TRUTH.items(), COLOURS, strict=True):
        ax.plot(path.alphas, coefs[place[name]], color=colour, lw=2.0, label=name.replace("*", " × "))
        ax.plot(path.alphas[-1], truth, "<", color=colour, ms=5, clip_on=False)
    ax.axhline(0.0, color=SOFT, lw=0.8)
    ax.set(
        title=f"{X.shape[1]:,} columns, none of them stored (triangles: truth)",
        xscale="log",
        xlim=(path.alphas[0], path.alphas[-1]),
        xlabel="alpha (weaker to the right)",
        ylabel="coefficient",
    )
    ax.set_xticks([0.8, 0.4, 0.2, 0.1], labels=["0.8", "0.4", "0.2", "0.1"])
    ax.set_xticks([], minor=True)
    ax.legend(loc="lower left", ncols=2)
    return {"interactions": figure}


if __name__ == "__main__":
    main(lesson, __doc__)
