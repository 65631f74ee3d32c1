"""Finding equations in data: the Lorenz system from one trajectory.

A trajectory (x, y, z) of Lorenz's equations (1963)

    x' = 10 (y - x),    y' = x (28 - z) - y,    z' = x y - 8/3 z

is sampled at 5,000 times, and its derivatives are observed with noise. Candidate terms are the 20 products of
x, y and z up to the third degree; which of them make up each derivative is a sparse regression (Brunton,
Proctor & Kutz 2016). Of 3 x 20 coefficients 7 are not zero.

The terms are strongly correlated, as a trajectory lives on a thin set: x and y nearly go together, and so do
xz and yz. There the lasso alone fails. At no alpha of its path are the true terms, and they alone, in the
model: what it shrinks off a true term it lets the correlated ones make up for. This is known of the lasso
(Zhao & Yu 2006, the irrepresentable condition), and no choice of alpha helps.

The adaptive lasso (Zou 2006) does find them. Least squares on all 20 terms, of which there are samples
enough, is unbiased but gives every term a coefficient; the penalty on each term is then divided by the size
of that coefficient. Terms that least squares hardly needs become dear, those that it needs are nearly free. A
last least-squares fit on the selected terms (a refit) takes out what shrinkage is left.

`AdaptiveLasso` below does this for any number of targets, and has what pysindy asks of an optimizer:
``fit(terms, targets)`` and ``coef_`` of shape (targets, terms). If pysindy is installed, the lesson puts it
to use there.

    python examples/lorenz.py [FOLDER]
"""

from __future__ import annotations

import importlib.util
from itertools import combinations_with_replacement

import numpy as np
from lesson import BLUE, GREEN, GREY, INK, ORANGE, blank_figure, main
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy.integrate import solve_ivp
from sklearn.base import BaseEstimator

import riata

STATES = ("x", "y", "z")
TRUTH = {
    "x": {"x": -10.0, "y": 10.0},
    "y": {"x": 28.0, "y": -1.0, "xz": -1.0},
    "z": {"z": -8.0 / 3.0, "xy": 1.0},
}
NOISE = 1.0  # standard deviation, in units of the derivatives, whose own is 43, 65 and 78


class AdaptiveLasso(BaseEstimator):
    """Least squares, a lasso with penalties divided by its coefficients, and a refit; each target by itself.

    alpha is the largest one whose cross-validated error is within a standard error of the least. There is no
    intercept: give a term 1.

    Attributes
    ----------
    coef_ : ndarray of shape (n_targets, n_terms)
    """

    def fit(self, terms, targets):
        """Fit to terms (n, p) and targets (n, K)."""
        terms, targets = np.asarray(terms), np.asarray(targets)
        everything = np.ones(terms.shape[1], dtype=bool)
        self.coef_ = np.zeros((targets.shape[1], terms.shape[1]))
        for k, y in enumerate(targets.T):
            weights = 1.0 / np.abs(refit(terms, y, everything))
            cv = riata.cv_path(
                terms, y, cv=5, alpha_rule="1se", penalty_factor=weights, eps=1e-7, standardize=False,
                fit_intercept=False, n_threads=1,
            )  # fmt: skip
            self.coef_[k] = refit(terms, y, cv.coef() != 0.0)
        return self

    def predict(self, terms):
        """Return targets (n, K)."""
        return np.asarray(terms) @ self.coef_.T


def refit(terms, y, support):
    """Return least-squares coefficients on the support, zero elsewhere."""
    coef = np.zeros(terms.shape[1])
    coef[support] = np.linalg.lstsq(terms[:, support], y, rcond=None)[0]
    return coef


def trajectory():
    """Return times (n,), states (n, 3) and exact derivatives (n, 3)."""
    times = np.arange(0.0, 10.0, 0.002)

    def rhs(_, state):
        x, y, z = state
        return np.array([10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z])

    states = solve_ivp(rhs, (0.0, 10.0), [-8.0, 8.0, 27.0], t_eval=times, rtol=1e-9, atol=1e-9).y.T
    return times, states, np.array([rhs(0.0, state) for state in states])


def polynomials(states, degree):
    """Return the names of all products up to a degree and their values (n, p)."""
    powers = [c for d in range(degree + 1) for c in combinations_with_replacement(range(3), d)]
    names = ["".join(STATES[j] for j in c) or "1" for c in powers]
    return names, np.column_stack([np.prod(states[:, c], axis=1) for c in powers])


def lesson() -> dict[str, Figure]:
    """Show that the lasso alone does not select the true terms, and that the adaptive lasso does."""
    _, states, exact = trajectory()
    rng = np.random.default_rng(0)
    derivatives = exact + NOISE * rng.standard_normal(exact.shape)
    names, terms = polynomials(states, degree=3)
    truth = np.array([[TRUTH[state].get(name, 0.0) for name in names] for state in STATES])

    scale = np.sqrt(np.mean(terms**2, axis=0))  # the plain lasso penalises terms as if of equal size
    lasso = riata.cv_multi_path(
        terms, list(derivatives.T), cv=5, alphas=300, eps=1e-6, penalty_factor=scale, standardize=False,
        fit_intercept=False, n_threads=1,
    )  # fmt: skip
    plain = np.array([cv.coef(cv.alpha_1se) for cv in lasso])
    for cv, state, row, coef in zip(lasso, STATES, truth, plain, strict=True):
        hits = np.all((cv.path.coefs.toarray() != 0.0) == (row != 0.0)[:, None], axis=0)
        false = np.sum((coef != 0.0) & (row == 0.0))
        print(f"{state}': the lasso alone has {false} false terms at alpha_1se, and exactly the true ones at "
              f"{hits.sum()} of {len(cv.alphas)} alphas")  # fmt: skip
        assert not hits.any()

    model = AdaptiveLasso().fit(terms, derivatives)
    for row, state in zip(model.coef_, STATES, strict=True):
        print(f"{state}' =", " ".join(f"{b:+.3f} {names[j]}" for j, b in enumerate(row) if b != 0.0))
    off = np.abs(model.coef_ - truth).max()
    print(f"adaptive lasso: all 7 true terms and no other, coefficients off by at most {off:.3f}")
    assert np.array_equal(model.coef_ != 0.0, truth != 0.0)
    assert off < 0.05
    pysindy_agrees(states, derivatives, model)
    return {"lorenz": picture(states, names, truth, lasso[1].path, plain, model.coef_)}


def pysindy_agrees(states, derivatives, model):
    """With pysindy, if it is there: the same class in its slot for optimizers gives the same equations."""
    if importlib.util.find_spec("pysindy") is None:
        print("pysindy is not installed: the check of its optimizer slot is left out")
        return
    import pysindy

    sindy = pysindy.SINDy(optimizer=AdaptiveLasso(), feature_library=pysindy.PolynomialLibrary(degree=3))
    sindy.fit(states, t=0.002, x_dot=derivatives, feature_names=list(STATES))
    np.testing.assert_allclose(np.sort(sindy.coefficients()), np.sort(model.coef_), atol=1e-6)
    print("pysindy with the same optimizer:")
    sindy.print()


def picture(states, names, truth, path, plain, adaptive):
    """Draw the trajectory, the lasso's path for y', and the coefficients of all equations."""
    figure = blank_figure(6.6)
    axes = figure.subplot_mosaic([["orbit", "path"], ["table", "table"]], height_ratios=[1.0, 1.1])

    axes["orbit"].plot(*states[::7, [0, 2]].T, color=BLUE, lw=0.7)
    axes["orbit"].set(title="the trajectory, 10 units of time", xlabel="x", ylabel="z")

    ax = axes["path"]
    effects = path.coefs.toarray() * np.sqrt(np.mean(polynomials(states, 3)[1] ** 2, axis=0))[:, None]
    styles = iter(((BLUE, "-"), (ORANGE, (0, (5, 2))), (GREEN, "-.")))
    for j, curve in enumerate(effects):
        if truth[1, j] != 0.0:
            colour, line = next(styles)
            ax.plot(path.alphas, curve, color=colour, ls=line, lw=2.0, label=f"{names[j]}, true", zorder=3)
        elif curve.any():
            ax.plot(path.alphas, curve, color=GREY, lw=1.0)
    ax.plot([], [], color=GREY, lw=1.0, label="other terms")
    ax.set(title="y': the path of the lasso alone", xscale="log", xlabel="alpha (weaker to the right)")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set(xlim=(path.alphas[0], path.alphas[-1]), ylabel="coefficient × size of term")
    ax.legend(loc="best")

    ax = axes["table"]
    rows = (("true", truth), ("lasso", plain), ("adaptive", adaptive))
    for k in range(len(STATES)):
        for i, (_, coef) in enumerate(rows):
            y = -(4.0 * k + i)
            for j, b in enumerate(coef[k]):
                ax.add_patch(Rectangle((j - 0.47, y - 0.45), 0.94, 0.9, fc=cell(b, truth[k, j]), ec="none"))
                if b != 0.0:
                    colour = "white" if truth[k, j] != 0.0 else INK
                    ax.text(j, y, short(b), ha="center", va="center_baseline", fontsize=7, color=colour)
    ax.set_title("coefficients: blue belong in the equations, orange do not (~0: less than 0.005)")
    ax.set(xlim=(-0.6, len(names) - 0.4), ylim=(-10.6, 0.6))
    ax.set_xticks(range(len(names)), names)
    labels = [
        f"{state}' {label}" if k == 0 else label for state in STATES for k, (label, _) in enumerate(rows)
    ]
    ax.set_yticks([-(4 * k + i) for k in range(3) for i in range(3)], labels)
    ax.tick_params(length=0)
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return figure


def cell(b, true):
    """Return the colour of a cell of the table."""
    if b == 0.0:
        return "#f2f4f5"
    return BLUE if true != 0.0 else "#f3b88a"


def short(b):
    """Write a coefficient in at most four characters and a sign."""
    text = f"{b:.0f}" if abs(b) >= 9.95 else f"{b:.1f}" if abs(b) >= 0.95 else f"{b:.2f}"
    return text.replace("-", "\u2212").replace("0.", ".") if abs(b) >= 0.005 else "~0"


if __name__ == "__main__":
    main(lesson, __doc__)
