"""Units matter to a penalty: the same data in metres and in millimetres.

Least squares does not care for units: a feature in millimetres gets a coefficient a thousand times smaller
and predicts the same. A penalty does care, for it counts coefficients as they are. The effect of one standard
deviation s_j of a feature is e_j = b_j s_j, so

    alpha |b_j|  =  (alpha / s_j) |e_j|.

In units that make a feature's spread small (metres) its effect is dear, in units that make it large
(millimetres) it is nearly free. Weight is made here from height, waist and age, whose standard deviations are
worth 7, 5 and 3 kg. Without standardising, height in metres enters last, though it matters most, and in
millimetres first; nothing else changed.

With ``standardize=True``, the default of `riata.fit_path`, the penalty is on e_j itself, and units do not
matter: the two paths are the same to rounding. ``penalty_factor=s``
without standardising is the same. (The estimators such
as `riata.Lasso` default to False, as those of scikit-learn do. When columns share one unit, such as genes on
one array, not standardising can be the better choice: those that hardly vary then need a larger effect to
enter.)

    python examples/scale.py [FOLDER]
"""

from __future__ import annotations

import numpy as np
from lesson import BLUE, GREEN, ORANGE, SOFT, main, new_figure
from matplotlib.figure import Figure

import riata

NAMES = ("height", "waist", "age")
STYLES = ((BLUE, "-"), (ORANGE, (0, (5, 2))), (GREEN, "-."))


def lesson() -> dict[str, Figure]:
    """Fit in metres and in millimetres, with and without standardising; draw effects per deviation."""
    rng = np.random.default_rng(0)
    n = 300
    height = rng.normal(1.70, 0.09, n)  # m
    waist = rng.normal(88.0, 11.0, n)  # cm
    age = rng.normal(45.0, 13.0, n)  # years
    metres = np.column_stack([height, waist, age])
    weight = (
        70.0 + (metres - metres.mean(axis=0)) / metres.std(axis=0) @ [7.0, 5.0, 3.0] + rng.normal(0.0, 5.0, n)
    )
    millimetres = metres * [1000.0, 1.0, 1.0]

    fits = {}
    for unit, X in (("m", metres), ("mm", millimetres)):
        for standardize in (False, True):
            fits[unit, standardize] = riata.fit_path(X, weight, standardize=standardize, tol=1e-10)
        spread = X.std(axis=0)
        dear = ", ".join(f"{name} {1.0 / s:.3g}" for name, s in zip(NAMES, spread, strict=True))
        print(f"height in {unit}: penalty on the effect of one standard deviation, in alphas: {dear}")
        print("  enter in the order", ", ".join(entry_order(fits[unit, False])))
        # Standardising is a penalty factor for each feature: its standard deviation.
        alphas = fits[unit, True].alphas
        same = riata.fit_path(X, weight, alphas=alphas, standardize=False, penalty_factor=spread, tol=1e-10)
        np.testing.assert_allclose(effects(same, X), effects(fits[unit, True], X), atol=1e-3)
    assert entry_order(fits["m", False])[-1] == "height"
    assert entry_order(fits["mm", False])[0] == "height"
    np.testing.assert_allclose(fits["m", True].alphas, fits["mm", True].alphas)
    difference = np.abs(effects(fits["m", True], metres) - effects(fits["mm", True], millimetres)).max()
    print(f"standardised, the effects in m and in mm differ by at most {difference:.0e} kg")
    assert difference < 1e-3

    figure, axes = new_figure(3.3, 1, 3, sharey=True)
    panels = (
        ("height in metres", metres, fits["m", False]),
        ("in millimetres", millimetres, fits["mm", False]),
        ("either, standardised", metres, fits["m", True]),
    )
    for ax, (title, X, fit) in zip(axes, panels, strict=True):
        for name, (colour, line), curve in zip(NAMES, STYLES, effects(fit, X), strict=True):
            ax.plot(fit.alphas, curve, color=colour, ls=line, lw=2.0, label=name)
        ax.axhline(0.0, color=SOFT, lw=0.8)
        ax.set(
            title=title,
            xscale="log",
            xlim=(fit.alphas[0], fit.alphas[-1]),
            xlabel="alpha (weaker to the right)",
        )
        ax.xaxis.set_major_formatter("{x:g}")
    every = slice(0, None, 6)
    again = fits["mm", True]
    for (colour, _), curve in zip(STYLES, effects(again, millimetres), strict=True):
        axes[2].plot(again.alphas[every], curve[every], "o", color=colour, mfc="white", ms=4)
    axes[2].plot([], [], "o", color=SOFT, mfc="white", ms=4, label="from mm")
    axes[0].set_ylabel("effect of one std. deviation (kg)")
    axes[2].legend(loc="lower right", bbox_to_anchor=(1.0, 0.02))
    return {"scale": figure}


def effects(fit, X):
    """Return coefficients times the standard deviations of their features, features x alphas."""
    return fit.coefs.toarray() * X.std(axis=0)[:, None]


def entry_order(fit):
    """Return the names of the features in the order in which they become nonzero."""
    first = np.argmax(fit.coefs.toarray() != 0.0, axis=1)
    return [NAMES[j] for j in np.argsort(first, kind="stable")]


if __name__ == "__main__":
    main(lesson, __doc__)
