"""A penalty as a prior: the lasso is the posterior mode under Laplace's density, ridge under the normal.

With noise of variance sigma^2 the loss (1/2n)||y - X b||^2 is minus the log-likelihood times sigma^2/n, plus
a constant. So minimising loss + alpha |b| is maximising the posterior density of b under the prior

    p(b)  proportional to  exp(-|b| / tau),      tau = sigma^2 / (n alpha)      (Laplace)

and with alpha b^2/2 under a normal prior of variance tau (Tibshirani 1996, section 5). Laplace's density has
a kink at zero and heavier tails: more mass near zero, and less reluctance to large values, than the normal.

A mode is not the whole posterior, though. In the figure one coefficient is estimated from 20 samples, once
where its true value is small and once where it is large. For the small one the mode under Laplace's prior,
which is riata's coefficient, is exactly zero, as the kink of the prior outlasts the likelihood. But the
posterior is a density: it puts no mass on zero, its mean is not zero, and none of 10,000 draws from it is.
Who wants a posterior with zeros in it needs a prior that puts mass on zero (a spike and a slab). The lasso's
zeros are a property of the optimum, not a belief.

    python examples/prior.py [FOLDER]
"""

from __future__ import annotations

import numpy as np
from lesson import GREY, INK, LASSO, RIDGE, SOFT, main, new_figure
from matplotlib.figure import Figure

import riata

N, SIGMA, ALPHA = 20, 1.0, 0.25
TAU = SIGMA**2 / (N * ALPHA)
GRID = np.linspace(-3.0, 3.0, 60_001)
STEP = GRID[1] - GRID[0]
PRIORS = {  # minus the log density, up to a constant
    "Laplace": lambda b: np.abs(b) / TAU,
    "normal": lambda b: b**2 / (2.0 * TAU),
}


def lesson() -> dict[str, Figure]:
    """Compute both posteriors on a grid, compare their modes with riata, draw them."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal(N)
    noise = SIGMA * rng.standard_normal(N)
    noise -= x * (x @ noise) / (x @ x)  # for the sake of the picture: least squares then finds the true value
    styles = {"Laplace": LASSO, "normal": RIDGE}

    figure, axes = new_figure(3.5, 1, 3)
    for name, minus_log in PRIORS.items():
        axes[0].plot(GRID, normalised(np.exp(-minus_log(GRID))), **styles[name], label=f"{name} prior")
    axes[0].set(title="priors", xlim=(-1.5, 1.5), ylabel="density", xlabel="coefficient b")

    for ax, truth in zip(axes[1:], (0.2, 1.0), strict=True):
        y = truth * x + noise
        estimates = {"Laplace": coefficient(x, y, l1_ratio=1.0), "normal": coefficient(x, y, l1_ratio=0.0)}
        loglik = -((y[:, None] - x[:, None] * GRID) ** 2).sum(axis=0) / (2.0 * SIGMA**2)
        ax.plot(
            GRID, normalised(np.exp(loglik - loglik.max())), color=SOFT, ls=":", lw=1.6, label="likelihood"
        )
        for name, minus_log in PRIORS.items():
            log_posterior = loglik - minus_log(GRID)
            density = normalised(np.exp(log_posterior - log_posterior.max()))
            mode, mean = GRID[np.argmax(density)], (GRID * density).sum() * STEP
            draws = rng.choice(GRID, 10_000, p=density * STEP) + STEP * (rng.random(10_000) - 0.5)
            print(
                f"true b = {truth}, {name} prior: riata {estimates[name]:.4f}, posterior mode {mode:.4f}, "
                f"mean {mean:.4f}, {np.sum(draws == 0.0)} of 10,000 draws are zero"
            )
            assert abs(mode - estimates[name]) < STEP
            assert not np.any(draws == 0.0)
            if name == "normal":
                assert abs(mean - mode) < 1e-3  # the posterior is normal, too
            else:
                assert mean > mode + 0.05
                assert (estimates[name] == 0.0) == (truth == 0.2)
                counts, edges = np.histogram(draws, bins=70, density=True)
                ax.stairs(counts, edges, fill=True, color=GREY, alpha=0.5, label="10,000 draws")
            ax.plot(GRID, density, **styles[name])
            marks = {"color": styles[name]["color"], "mec": "white", "ls": "", "zorder": 5, "clip_on": False}
            ax.plot(mode, density.max(), "o", ms=7.5, **marks)
            ax.plot(mean, 0.0, "^", ms=8.5, **marks)
        ax.axvline(0.0, color=SOFT, lw=0.8)
        ax.set(
            title=f"posteriors, true b = {truth}", xlabel="coefficient b", xlim=(-1.0, 2.0), ylim=(0.0, 3.1)
        )
    axes[0].set_ylim(0.0, 3.1)
    axes[0].plot([], [], "o", color=INK, label="mode = riata's coefficient")
    axes[0].plot([], [], "^", color=INK, label="mean")
    handles = [h for ax in axes[:2] for h in ax.get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return {"prior": figure}


def coefficient(x, y, l1_ratio):
    """Return riata's coefficient of the only feature."""
    model = riata.ElasticNet(ALPHA, l1_ratio=l1_ratio, fit_intercept=False, tol=1e-12)
    return model.fit(x[:, None], y).coef_[0]


def normalised(density):
    """Scale so that the integral over the grid is 1."""
    return density / (density.sum() * STEP)


if __name__ == "__main__":
    main(lesson, __doc__)
