"""A pull that stays against a pull that fades: how L1 and ridge penalties shrink one coefficient.

The slope of a penalty is the force with which it pulls a coefficient to zero. The slope of |b| is 1 however
small b has become; that of b^2/2 is b itself, and fades as the coefficient shrinks. Follow each pull from b =
1 in steps of a tenth: the first arrives at zero after ten steps and stays, the second takes a tenth of what
is left each time and never arrives.

With a loss that pulls the other way, (z - b)^2/2 with z the least-squares value, the minimum of

    (z - b)^2/2 + alpha penalty(b)

is the *proximal operator* of the penalty at z:

    lasso   sign(z) max(|z| - alpha, 0)     soft threshold: alpha off every coefficient, zero up to alpha
    ridge   z / (1 + alpha)                 the same share off every coefficient, zero only at zero

When columns are orthogonal with x_j·x_j = n, the whole regression falls apart into such problems, one for
each feature, z_j = x_j·y / n: the dots are riata's coefficients on such a design, the curves are the
formulas.

    python examples/shrinkage.py [FOLDER]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from lesson import LASSO, PLAIN, RIDGE, main, new_figure
from matplotlib.figure import Figure

import riata

ALPHA = 1.0


@dataclass(frozen=True)
class Penalty:
    """A penalty on one coefficient, and how riata is told of it."""

    name: str
    value: Any  # of b
    slope: Any  # of b > 0
    prox: Any  # of z, at ALPHA
    zero_up_to: float  # the largest |z| that becomes zero
    told: dict[str, Any]  # what fit_path takes
    style: dict[str, Any]
    marker: str


PENALTIES = (
    Penalty(
        name="lasso, |b|",
        value=np.abs,
        slope=np.sign,
        prox=lambda z: np.sign(z) * np.maximum(np.abs(z) - ALPHA, 0.0),
        zero_up_to=ALPHA,
        told={"l1_ratio": 1.0},
        style=LASSO,
        marker="o",
    ),
    Penalty(
        name="ridge, b²/2",
        value=lambda b: b**2 / 2.0,
        slope=lambda b: b,
        prox=lambda z: z / (1.0 + ALPHA),
        zero_up_to=0.0,
        told={"l1_ratio": 0.0},
        style=RIDGE,
        marker="s",
    ),
)


def lesson() -> dict[str, Figure]:
    """Draw penalties, slopes, steps down them, and shrinkage with riata's coefficients on it."""
    rng = np.random.default_rng(1)
    n, p = 64, 15
    X = np.linalg.qr(rng.standard_normal((n, p)))[0] * np.sqrt(n)  # X'X / n is the identity
    y = X @ np.linspace(-3.0, 3.0, p) + 0.5 * rng.standard_normal(n)
    z = X.T @ y / n

    figure, ((values, slopes), (steps, shrunk)) = new_figure(5.6, 2, 2)
    b = np.linspace(-2.0, 2.0, 401)
    right = np.linspace(0.0, 2.0, 201)[1:]
    shrunk.plot([-3.2, 3.2], [-3.2, 3.2], **PLAIN, label="least squares")
    for penalty in PENALTIES:
        values.plot(b, penalty.value(b), **penalty.style, label=penalty.name)
        slopes.plot(right, penalty.slope(right), **penalty.style)
        slopes.plot(-right, -penalty.slope(right), **penalty.style)

        walk = follow(penalty.slope, start=1.0, step=0.1, n_steps=25)
        steps.plot(walk, marker=penalty.marker, ms=4, **penalty.style | {"lw": 1.0})
        arrived = np.flatnonzero(walk == 0.0)
        print(
            f"{penalty.name}: "
            + (f"zero after {arrived[0]} steps" if len(arrived) else f"{walk[-1]:.3f} after 25")
        )
        assert bool(len(arrived)) == (penalty.zero_up_to > 0.0)

        path = riata.fit_path(
            X, y, alphas=[ALPHA], fit_intercept=False, standardize=False, tol=1e-12, **penalty.told
        )
        coef = path.coef(ALPHA)
        off = np.abs(coef - penalty.prox(z)).max()
        print(f"  {np.sum(coef == 0.0)} of {p} coefficients are zero; off the formula by {off:.0e}")
        assert off < 1e-6
        assert np.array_equal(coef == 0.0, np.abs(z) <= penalty.zero_up_to)
        line = np.linspace(-3.2, 3.2, 641)
        shrunk.plot(line, penalty.prox(line), **penalty.style)
        shrunk.plot(z, coef, penalty.marker, color=penalty.style["color"], mec="white", mew=0.8, ms=6.5)

    values.set(title="the penalty", xlabel="coefficient b", ylabel="penalty(b)")
    values.legend(loc="upper center")
    slopes.set(title="its slope: the pull to zero", xlabel="coefficient b", ylabel="slope at b")
    steps.set(title="followed in steps of a tenth", xlabel="step", ylabel="coefficient b")
    shrunk.set(
        title="what becomes of least squares, alpha = 1",
        xlabel="least-squares coefficient z",
        ylabel="penalised coefficient",
    )
    shrunk.legend(loc="upper left")
    return {"shrinkage": figure}


def follow(slope, start, step, n_steps):
    """Step down a penalty alone; a step that would cross zero ends there."""
    walk = [start]
    for _ in range(n_steps):
        b = walk[-1] - step * slope(walk[-1])
        walk.append(b if b > 1e-12 else 0.0)
    return np.array(walk)


if __name__ == "__main__":
    main(lesson, __doc__)
