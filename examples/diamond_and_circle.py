"""Why an L1 penalty gives exact zeros: the diamond has corners, the circle has none.

Take two features and least squares. The loss

    f(b) = (1/2n) ||y - X b||^2

is a bowl over the plane of the two coefficients; its level sets are ellipses around the least-squares
solution. A penalty is the same as a budget: the lasso finds the point of the diamond |b1| + |b2| <= t where
the loss is least, ridge that of the circle b1^2 + b2^2 <= t^2. Both are where the smallest ellipse that
reaches the region touches it.

A circle is touched at one point for each direction that the ellipse can come from, and of all these a single
one leads to each of its points on the axes. A corner of the diamond is touched from a whole wedge of
directions: minus the gradient of f there may be any (alpha, s alpha) with |s| <= 1. This is why the lasso
sets coefficients to zero with positive probability, and ridge with probability zero. The last line counts it
over 2,000 draws of the noise. In the figure the wedge is grey, and the arrow is minus the gradient.

    python examples/diamond_and_circle.py [FOLDER]
"""

from __future__ import annotations

import numpy as np
from lesson import GREY, HALO, INK, LASSO, PLAIN, RIDGE, SOFT, main, new_figure
from matplotlib.figure import Figure
from scipy.optimize import brentq

import riata

ALPHA = 1.6
TRUTH = np.array([2.0, 0.8])
NOISE = 1.5


def lesson() -> dict[str, Figure]:
    """Fit both at the same budget, check where they touch, draw it."""
    rng = np.random.default_rng(8)
    n = 60
    X = rng.standard_normal((n, 2)) @ np.array([[1.0, 0.45], [0.0, 0.9]])
    y = X @ TRUTH + NOISE * rng.standard_normal(n)

    least_squares = np.linalg.lstsq(X, y, rcond=None)[0]
    lasso = coefficients(X, y, ALPHA, l1_ratio=1.0)
    budget = np.abs(lasso).sum()
    # The ridge solution of the same budget: its length falls as alpha grows, so there is one alpha that fits.
    ridge_alpha = brentq(lambda a: np.linalg.norm(coefficients(X, y, a, 0.0)) - budget, 1e-6, 1e3)
    ridge = coefficients(X, y, ridge_alpha, l1_ratio=0.0)
    print(f"least squares {least_squares.round(3)}")
    print(f"lasso         {lasso.round(3)}  |b1| + |b2| = {budget:.3f}")
    print(f"ridge         {ridge.round(3)}  length      = {np.linalg.norm(ridge):.3f}")

    assert lasso[0] > 0.0
    assert lasso[1] == 0.0  # exactly: the point is the corner
    assert np.all(ridge != 0.0)
    # Minus the gradient is alpha times a slope of the penalty: (1, s), |s| <= 1, at the corner; b for ridge.
    pull = X.T @ (y - X @ lasso) / n
    assert abs(pull[0] - ALPHA) < 1e-6
    assert abs(pull[1]) < ALPHA
    np.testing.assert_allclose(X.T @ (y - X @ ridge) / n, ridge_alpha * ridge, atol=1e-6)

    draws = [X @ TRUTH + NOISE * rng.standard_normal(n) for _ in range(2000)]
    zeros = {
        name: share_of_zeros(X, draws, a, r)
        for name, a, r in (("lasso", ALPHA, 1.0), ("ridge", ridge_alpha, 0.0))
    }
    print(
        f"a coefficient is exactly zero in {zeros['lasso']:.0%} of the lasso's fits, "
        f"{zeros['ridge']:.0%} of ridge's"
    )
    assert zeros["lasso"] > 0.4
    assert zeros["ridge"] == 0.0

    figure, (left, right) = new_figure(3.3, 1, 2, sharex=True, sharey=True)
    corner = budget * np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 0]])
    turn = np.linspace(0.0, 2.0 * np.pi, 241)
    circle = budget * np.column_stack([np.cos(turn), np.sin(turn)])
    draw(left, X, y, corner, lasso, least_squares, LASSO)
    wedge = lasso + np.array([[0.0, 0.0], [0.75, 0.75], [0.75, -0.75]])
    left.fill(*wedge.T, color=SOFT, alpha=0.25, lw=0)
    draw(right, X, y, circle, ridge, least_squares, RIDGE)
    left.set_title("lasso: $|b_1| + |b_2| \\leq t$")
    right.set_title("ridge: $b_1^2 + b_2^2 \\leq t^2$")
    left.set_ylabel("$b_2$, coefficient of feature 2")
    for one, b in ((left, lasso), (right, ridge)):
        text = f"({b[0]:.2f}, {'0' if b[1] == 0.0 else f'{b[1]:.2f}'})"
        one.annotate(text, b, (-22, 5), textcoords="offset points", ha="right")
        one.set_xlabel("$b_1$, coefficient of feature 1")
    return {"diamond-and-circle": figure}


def coefficients(X, y, alpha, l1_ratio):
    """Return the two coefficients, without an intercept, to a tight certificate."""
    return riata.ElasticNet(alpha, l1_ratio=l1_ratio, fit_intercept=False, tol=1e-12).fit(X, y).coef_


def share_of_zeros(X, responses, alpha, l1_ratio):
    """Return the share of responses whose fit has a coefficient that is exactly zero."""
    paths = riata.fit_multi_path(
        X, responses, alphas=[alpha], l1_ratio=l1_ratio, fit_intercept=False, standardize=False, n_threads=1
    )
    return np.mean([np.any(path.coef(alpha) == 0.0) for path in paths])


def draw(ax, X, y, region, touched, least_squares, style):
    """Draw the region, ellipses of equal loss, and minus the gradient where they touch."""
    b1, b2 = np.meshgrid(np.linspace(-1.6, 3.4, 100), np.linspace(-1.6, 2.2, 76))
    error = y[:, None] - X @ np.stack([b1.ravel(), b2.ravel()])
    loss = (error**2).mean(axis=0).reshape(b1.shape) / 2.0
    least, here = (np.mean((y - X @ b) ** 2) / 2.0 for b in (least_squares, touched))
    others = least + (here - least) * np.array([0.15, 0.5, 1.8, 3.0])
    ax.contour(b1, b2, loss, levels=np.sort(others), colors=GREY, linewidths=0.9)
    ax.contour(b1, b2, loss, levels=[here], colors=INK, linewidths=1.4)
    ax.fill(*region.T, color=style["color"], alpha=0.14, lw=0)
    ax.plot(*region.T, **style)
    ax.plot(*least_squares, "x", color=INK, ms=7, mew=1.8)
    ax.annotate("least squares", least_squares, (-24, 11), textcoords="offset points", path_effects=HALO)
    pull = X.T @ (y - X @ touched) / len(y)
    arrow = {"arrowstyle": "-|>", "color": INK, "lw": 1.4}
    ax.annotate("", touched + 0.7 * pull / np.linalg.norm(pull), touched, arrowprops=arrow)
    ax.plot(*touched, "o", color=style["color"], mec="white", mew=1.2, ms=9, zorder=5)
    ax.axhline(0.0, **PLAIN | {"lw": 0.9})
    ax.axvline(0.0, **PLAIN | {"lw": 0.9})
    ax.set_aspect("equal")
    ax.grid(False)


if __name__ == "__main__":
    main(lesson, __doc__)
