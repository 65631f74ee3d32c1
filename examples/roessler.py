"""Finding equations with a constant in them: the Roessler system, and why the intercept is left out.

Roessler's equations (1976)

    x' = -y - z,    y' = x + 0.2 y,    z' = 0.2 + z (x - 5.7)

have seven terms among the 3 x 20 products of x, y and z up to the third degree, and one of the seven is a
constant. The derivatives are observed with noise.

The constant is a candidate like any other: the column 1 that a polynomial library has. So the fit must not
have an intercept of its own, ``fit_intercept=False``. With one, the column 1 is constant, which an intercept
makes good for at no penalty, and its coefficient is zero: the equation that is read off `coef_`, as pysindy
reads it, has lost its constant. (Nor is the intercept penalised: it would be in every equation.)

A lasso whose penalties are divided by first estimates (Zou 2006) depends on its alpha and on these estimates:
what a noisy one calls large stays in. `riata.AdaptiveLasso` with `n_steps` goes on: the coefficients of each
step are the weights of the next, at the same alpha (Candes, Wakin & Boyd 2008). Terms that have left never
return, and a wide range of alphas ends at the same terms. It takes targets of shape (samples, equations),
each fitted by itself, and so stands in pysindy's slot for optimizers as it is:

    optimizer = riata.AdaptiveLasso(1e-3, n_steps=3, initial_alpha=1e-8, fit_intercept=False)
    pysindy.SINDy(optimizer=optimizer, feature_library=pysindy.PolynomialLibrary(degree=3))

    python examples/roessler.py [FOLDER]
"""

from __future__ import annotations

import importlib.util

import numpy as np
from lesson import BLUE, GREEN, INK, ORANGE, blank_figure, main
from lorenz import polynomials, refit
from matplotlib.figure import Figure
from scipy.integrate import solve_ivp

import riata

STATES = ("x", "y", "z")
TRUTH = {
    "x": {"y": -1.0, "z": -1.0},
    "y": {"x": 1.0, "y": 0.2},
    "z": {"1": 0.2, "z": -5.7, "xz": 1.0},
}
NOISE = 0.3  # standard deviation, in units of the derivatives, whose own is 5.2, 5.2 and 10
START = (1.0, 1.0, 1.0)


def optimizer(alpha=1e-3, n_steps=3, **more):
    """Return the sequential adaptive lasso: least squares, or nearly, and three steps."""
    given = {"initial_alpha": 1e-8, "fit_intercept": False, "n_threads": 1} | more
    return riata.AdaptiveLasso(alpha, n_steps=n_steps, **given)


def right_hand_side(_, state):
    """Return the derivatives of a state."""
    x, y, z = state
    return np.array([-y - z, x + 0.2 * y, 0.2 + z * (x - 5.7)])


def trajectory(rhs=right_hand_side, until=100.0):
    """Return times (n,) and states (n, 3), from the same start."""
    times = np.arange(0.0, until, 0.02)
    solved = solve_ivp(rhs, (0.0, until), START, t_eval=times, rtol=1e-9, atol=1e-9)
    return times, solved.y.T


def lesson() -> dict[str, Figure]:
    """Show that steps make alpha matter less, that all seven terms are found, and what an intercept does."""
    _, states = trajectory()
    exact = np.array([right_hand_side(0.0, state) for state in states])
    derivatives = exact + NOISE * np.random.default_rng(0).standard_normal(exact.shape)
    names, terms = polynomials(states, degree=3)
    truth = np.array([[TRUTH[state].get(name, 0.0) for name in names] for state in STATES])

    alphas = np.geomspace(1e-5, 1.0, 16)
    wrong = {}
    for n_steps in (1, 2, 3):
        fits = [optimizer(alpha, n_steps).fit(terms, derivatives).coef_ for alpha in alphas]
        wrong[n_steps] = np.array([np.sum((coef != 0.0) != (truth != 0.0)) for coef in fits])
        right = alphas[wrong[n_steps] == 0]
        print(
            f"{n_steps} step{'s' if n_steps > 1 else ''}: exactly the seven terms at {len(right)} of "
            f"{len(alphas)} alphas, from {right.min():.2g} to {right.max():.2g}"
        )
    assert np.sum(wrong[3] == 0) > 1.4 * np.sum(wrong[1] == 0)

    model = optimizer().fit(terms, derivatives)
    equations = [refit(terms, y, coef != 0.0) for y, coef in zip(derivatives.T, model.coef_, strict=True)]
    found = np.array(equations)
    for row, state in zip(found, STATES, strict=True):
        print(f"{state}' =", " ".join(f"{b:+.3f} {names[j]}" for j, b in enumerate(row) if b != 0.0))
    off = np.abs(found - truth).max()
    print(f"all 7 true terms and no other; least squares on them is off by at most {off:.3f}")
    assert np.array_equal(model.coef_ != 0.0, truth != 0.0)
    assert off < 0.02

    spoilt = optimizer(fit_intercept=True).fit(terms, derivatives)
    constant = names.index("1")
    print(
        f"with an intercept: the coefficient of 1 in z' is {spoilt.coef_[2, constant]:g}, and intercept_ "
        f"{spoilt.intercept_[2]:.3f} has its place"
    )
    assert spoilt.coef_[2, constant] == 0.0
    assert abs(spoilt.intercept_[2] - 0.2) < 0.1
    pysindy_agrees(states, derivatives, model)
    return {"roessler": picture(states, names, found, alphas, wrong)}


def pysindy_agrees(states, derivatives, model):
    """With pysindy, if it is there: the estimator itself as its optimizer finds the same coefficients."""
    if importlib.util.find_spec("pysindy") is None:
        print("pysindy is not installed: the check of its optimizer slot is left out")
        return
    import pysindy

    sindy = pysindy.SINDy(optimizer=optimizer(), feature_library=pysindy.PolynomialLibrary(degree=3))
    sindy.fit(states, t=0.02, x_dot=derivatives, feature_names=list(STATES))
    np.testing.assert_allclose(np.sort(sindy.coefficients()), np.sort(model.coef_), atol=1e-6)
    print("pysindy with the same optimizer:")
    sindy.print()


def picture(states, names, found, alphas, wrong):
    """Draw the orbit, that of the equations found with and without their constant, and terms by alpha."""
    figure = blank_figure(6.4)
    axes = figure.subplot_mosaic([["true", "found"], ["steps", "steps"]], height_ratios=[1.15, 1.0])

    def simulated(coef):
        return trajectory(lambda _, state: coef @ polynomials(state[None], 3)[1][0], until=50.0)[1][::3]

    ax = axes["true"]
    ax.plot(*states[::4, :2].T, color=INK, lw=0.5)
    ax.set(title="the system, 100 units of time", xlabel="x", ylabel="y")

    ax = axes["found"]
    without = found.copy()
    without[2, names.index("1")] = 0.0
    ax.plot(*simulated(found)[:, :2].T, color=BLUE, lw=0.7, label="equations found")
    orbit = simulated(without)
    orbit = orbit[np.all(np.abs(orbit[:, :2]) < 30.0, axis=1)]
    ax.plot(*orbit[:, :2].T, color=ORANGE, lw=1.2, ls=(0, (5, 2)), label="without the constant")
    ax.set(title="simulated from the equations", xlabel="x", ylabel="y")
    ax.set(xlim=(-14.0, 14.0), ylim=(-14.0, 16.0))
    ax.legend(loc="upper left", ncols=2, fontsize=7.5, columnspacing=1.0)

    ax = axes["steps"]
    styles = ((ORANGE, (0, (5, 2))), (GREEN, "-."), (BLUE, "-"))
    for (n_steps, count), (colour, line) in zip(wrong.items(), styles, strict=True):
        label = "one step" if n_steps == 1 else f"{n_steps} steps"
        ax.plot(alphas, count, color=colour, ls=line, lw=1.8, marker="o", ms=3.5, label=label)
    ax.set(
        title="terms of 60 that are false or missing", xscale="log", xlabel="alpha (stronger to the right)"
    )
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set(ylabel="terms", ylim=(-0.6, None))
    ax.legend(loc="upper center")
    return figure


if __name__ == "__main__":
    main(lesson, __doc__)
