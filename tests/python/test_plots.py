"""Matplotlib figures: what is drawn, on which scales, and what is refused."""

import numpy as np
import pytest

import riata

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")

from matplotlib import pyplot as plt  # noqa: E402

from riata.plots import plot_cv, plot_path  # noqa: E402


@pytest.fixture(scope="module")
def cv():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((50, 20))
    y = X[:, 0] - 2 * X[:, 4] + 0.3 * rng.standard_normal(50)
    return riata.cv_path(X, y, cv=4, alphas=20)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_path(cv):
    path = cv.path
    ax = plot_path(path, labels=2)
    ever = np.unique(path.coefs.indices)
    assert len(ax.lines) == len(ever) + 1  # and the line at zero
    assert ax.get_xscale() == "log"
    left, right = ax.get_xlim()
    assert left == pytest.approx(path.alphas[0])
    assert right == pytest.approx(path.alphas[-1])
    assert [text.get_text() for text in ax.texts] == ["4", "0"] or [text.get_text() for text in ax.texts] == [
        "0",
        "4",
    ]
    ends = sorted(float(line.get_ydata()[-1]) for line in ax.lines[:-1])
    expected = (
        path.coefs[ever, -1].toarray().ravel()
        if hasattr(path.coefs[ever, -1], "toarray")
        else path.coefs[ever, -1]
    )
    assert ends == pytest.approx(sorted(expected * path.scale[ever]))
    ax.figure.canvas.draw()


@pytest.mark.parametrize("xaxis", ["alpha", "l1_norm", "deviance_ratio"])
def test_axes(cv, xaxis):
    _, given = plt.subplots()
    assert plot_path(cv.path, given, xaxis=xaxis) is given
    assert given.get_xscale() == ("log" if xaxis == "alpha" else "linear")
    given.figure.canvas.draw()


def test_cv(cv):
    ax = plot_cv(cv)
    assert "mean squared error" in ax.get_ylabel()
    marked = {float(line.get_xdata()[0]) for line in ax.lines if line.get_linestyle() == "--"}
    assert marked == {cv.alpha_min, cv.alpha_1se}
    assert cv.plot() is not None
    assert plot_path(cv).get_xscale() == "log"


def test_one_alpha_and_nothing_active(cv):
    X = np.random.default_rng(0).standard_normal((20, 5))
    path = riata.fit_path(X, X[:, 0], alphas=[100.0])
    plot_path(path, labels=3).figure.canvas.draw()


def test_refused(cv):
    with pytest.raises(ValueError, match="xaxis must be one of alpha, l1_norm, deviance_ratio, got 'lambda'"):
        plot_path(cv.path, xaxis="lambda")
    with pytest.raises(ValueError, match="labels must be >= 0, got -1"):
        plot_path(cv.path, labels=-1)
