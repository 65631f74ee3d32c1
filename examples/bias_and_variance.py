"""Why shrink at all: bias against variance along a path.

Fix a design X, a true f(x), and draw many responses y = f(x) + noise. Each gives a path. At a new point x the
error of a prediction, the mean over draws and noise, is

    E (y_new - fhat(x))^2  =  (f(x) - E fhat(x))^2  +  Var fhat(x)  +  sigma^2
                                     bias^2              variance       noise

A strong penalty (left) gives almost the same fit for every draw: no variance, all bias. A weak one follows
each draw: less bias, much variance. The sum is least in between. Here 100 samples and 200 features are given,
of which 6 matter; least squares would not even be unique. As few features matter, the lasso's best is below
ridge's: ridge spreads the effects of the 6 over all 200 coefficients, and with fewer samples than features no
alpha rids it of that bias.

More than half of what the lasso's best leaves above the noise is bias: the penalty takes its share off the
coefficients that matter, too. Fits that are relaxed (refitted without the penalty on the features that the
lasso selected) or whose penalty levels off for large coefficients (MCP, SCAD) trade this bias against a
little variance.

The paths of all draws come from one call of `riata.fit_multi_path`, whose responses share each pass over X.

    python examples/bias_and_variance.py [FOLDER]
"""

from __future__ import annotations

import numpy as np
from lesson import GREEN, INK, PINK, SOFT, main, new_figure
from matplotlib.figure import Figure

import riata

N, P, N_DRAWS, SIGMA = 100, 200, 100, 2.0
TRUTH = np.zeros(P)
TRUTH[::35] = [2.0, -2.0, 1.5, -1.5, 1.0, -1.0]


def lesson() -> dict[str, Figure]:
    """Estimate the three parts of the error along the paths of lasso and ridge; draw them."""
    rng = np.random.default_rng(3)
    X, X_new = design(rng, N), design(rng, 1000)
    truth, truth_new = X @ TRUTH, X_new @ TRUTH
    responses = [truth + SIGMA * rng.standard_normal(N) for _ in range(N_DRAWS)]
    noise_new = SIGMA * rng.standard_normal((N_DRAWS, 1000))

    figure, axes = new_figure(3.6, 1, 2, sharey=True)
    best = {}
    for ax, (name, l1_ratio, low, high) in zip(
        axes, (("lasso", 1.0, 0.03, 3.0), ("ridge", 0.0, 0.03, 300.0)), strict=True
    ):
        alphas = np.geomspace(high, low, 30)
        paths = riata.fit_multi_path(X, responses, alphas=alphas, l1_ratio=l1_ratio, tol=1e-5, n_threads=1)
        fitted = np.stack([path.predict(X_new, alphas) for path in paths])  # draws x points x alphas
        bias2 = ((truth_new[:, None] - fitted.mean(axis=0)) ** 2).mean(axis=0)
        variance = fitted.var(axis=0).mean(axis=0)
        error = ((truth_new + noise_new)[:, :, None] - fitted) ** 2
        test_error = error.mean(axis=(0, 1))

        k = int(np.argmin(test_error))
        best[name] = test_error[k]
        print(f"{name}: least test error {test_error[k]:.2f} at alpha {alphas[k]:.3g} "
              f"= bias² {bias2[k]:.2f} + variance {variance[k]:.2f} + noise {SIGMA**2:.2f}")  # fmt: skip
        # The identity, up to the spread of the mean noise over the draws.
        np.testing.assert_allclose(test_error, bias2 + variance + SIGMA**2, rtol=0.02)
        assert bias2[0] > 20.0 * variance[0]
        assert bias2[-1] < 0.8 * bias2[0]
        assert variance[-1] > 20.0 * variance[0]
        assert 0 < k < len(alphas) - 1
        assert bias2[k] > variance[k]

        parts(ax, alphas, bias2, variance, test_error, k)
        ax.set_title(f"{name}: least error {test_error[k]:.1f}")
    assert best["lasso"] - SIGMA**2 < 0.6 * (best["ridge"] - SIGMA**2)
    axes[0].set_ylabel("mean squared error at new points")
    axes[0].set_ylim(0.0, 24.0)
    axes[0].legend(loc="upper right")
    return {"bias-and-variance": figure}


def design(rng, n):
    """Features of unit variance, neighbours correlated by one half."""
    X = rng.standard_normal((n, P))
    for j in range(1, P):
        X[:, j] = 0.5 * X[:, j - 1] + np.sqrt(0.75) * X[:, j]
    return X


def parts(ax, alphas, bias2, variance, test_error, k):
    """Draw the parts and their sum against alpha, weaker to the right."""
    noise = np.full_like(alphas, SIGMA**2)
    ax.plot(alphas, bias2, color=PINK, ls="--", lw=2.0, label="bias²")
    ax.plot(alphas, variance, color=GREEN, ls="-.", lw=2.0, label="variance")
    ax.plot(alphas, noise, color=SOFT, ls=":", lw=1.6, label="noise")
    ax.plot(alphas, bias2 + variance + noise, color=INK, lw=2.2, label="their sum")
    ax.plot(alphas, test_error, "o", color=INK, mfc="white", ms=4, label="test error", zorder=4)
    ax.axvline(alphas[k], color=SOFT, lw=0.9)
    ax.set_xscale("log")
    ax.set_xlim(alphas[0], alphas[-1])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("alpha (weaker penalty to the right)")


if __name__ == "__main__":
    main(lesson, __doc__)
