"""Matplotlib figures: what is drawn, on which scales, and what is refused."""

import itertools
import re

import numpy as np
import pytest

import riata

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.text import Text  # noqa: E402

from riata.report.plots import plot_cv, plot_path  # noqa: E402


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
    with plt.style.context("dark_background"):
        colours = {text.get_text(): text.get_color() for text in plot_cv(cv).texts}
        assert colours[f"best: {cv.path.n_active[cv.path.alphas == cv.alpha_min][0]} active"] == "white"
    assert plot_path(cv).get_xscale() == "log"


def test_one_alpha_and_nothing_active(cv):
    X = np.random.default_rng(0).standard_normal((20, 5))
    path = riata.fit_path(X, X[:, 0], alphas=[100.0])
    plot_path(path, labels=3).figure.canvas.draw()


@pytest.fixture(scope="module")
def classes():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((60, 12))
    labels = np.array(["a", "b", "c"])[np.digitize(X[:, 0] + 0.3 * rng.standard_normal(60), [-0.5, 0.5])]
    return X, labels


def test_a_panel_for_each_class(classes):
    X, labels = classes
    cv = riata.cv_path(X, labels, loss="multinomial", alphas=10, cv=3)
    axes = plot_path(cv, labels=1)
    assert [ax.get_title(loc="left") for ax in axes] == ["a", "b", "c"]
    for k, ax in enumerate(axes):
        active = np.unique(cv.path.coefs[k].indices)
        assert len(ax.lines) == len(active) + 3  # and the line at zero, and two alphas
        reach = np.abs(cv.path.coefs[k].toarray() * cv.path.scale[:, None]).max(axis=1)
        named = [text.get_text() for text in ax.texts if not re.match("1 SE|best", text.get_text())]
        assert named == [str(reach.argmax())]
        colours = {line.get_color() for line in ax.lines if line.get_linewidth() > 1.5}
        assert len(colours) == sum(line.get_linewidth() > 1.5 for line in ax.lines)
    axes[0].figure.canvas.draw()
    alone = plot_path(cv.path, output="b")
    assert alone.get_title(loc="left") == "b"
    assert cv.path.plot(output="b").get_title(loc="left") == "b"
    with pytest.raises(ValueError, match=r"output must be one of \['a', 'b', 'c'\], got 'd'"):
        plot_path(cv.path, output="d")
    with pytest.raises(ValueError, match="ax must hold 3 axes, one per output, got 1"):
        plot_path(cv.path, alone)
    assert plot_cv(cv).get_ylabel().startswith("deviance")


def test_names_stand_apart_and_are_cut():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(5)
    X = rng.standard_normal((80, 30))
    y = X[:, :6] @ np.array([2.0, 1.99, 1.98, 1.97, 1.96, 1.95]) + 0.1 * rng.standard_normal(80)
    frame = pd.DataFrame(
        X, columns=[f"a_long_name_of_a_gene_that_is_number_{j}" if j else "g0" for j in range(30)]
    )
    ax = riata.fit_path(frame, y).plot()
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts]  # without the lines to the curves
    boxes.sort(key=lambda box: box.y0)
    assert len(boxes) == 5
    assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))
    texts = [text.get_text() for text in ax.texts]
    assert max(map(len, texts)) == 24
    assert sum(text.endswith("\u2026") for text in texts) >= 4
    width = ax.figure.bbox.width
    assert all(box.x1 <= width for box in boxes)
    assert not riata.fit_path(frame, y).plot(labels=0).texts


def test_features_that_enter_together_are_norms(classes):
    X, labels = classes
    path = riata.fit_path(X, labels, loss="multinomial", alphas=10, grouped=True)
    ax = plot_path(path)
    size = np.linalg.norm(np.stack([c.toarray() for c in path.coefs]) * path.scale[:, None], axis=0)
    ends = sorted(line.get_ydata()[-1] for line in ax.lines[:-1])
    assert ends == pytest.approx(sorted(size[size.any(axis=1), -1]))
    assert "norm" in ax.get_ylabel()


def test_refused(cv):
    with pytest.raises(ValueError, match="xaxis must be one of alpha, l1_norm, deviance_ratio, got 'lambda'"):
        plot_path(cv.path, xaxis="lambda")
    with pytest.raises(ValueError, match="labels must be >= 0, got -1"):
        plot_path(cv.path, labels=-1)
    with pytest.raises(ValueError, match=r"output must be one of \[\], got 'a'"):
        plot_path(cv.path, output="a")
