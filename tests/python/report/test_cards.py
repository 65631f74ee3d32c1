"""Cards in notebooks: well formed, escaped, true, and harmless to the rest of the page."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from support import make_problem
from test_report import Balanced

import riata
from riata.report.charts.paths import cv_chart
from riata.report.charts.svg import drawn
from riata.report.styles import card_style, page_style, scoped

pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")
TINY = Path(__file__).parents[2] / "data" / "genotypes" / "tiny.bed"
LOSSES = ("gaussian", "binomial", "cox", "poisson", "huber", "multinomial", "multigaussian")


def read(html):
    """The text of a card that is well formed and loads nothing."""
    page = Balanced()
    page.feed(html)
    page.close()
    assert not page.open
    assert not page.loads
    return re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))
    )


def response(loss):
    X, y = make_problem("gaussian" if loss.startswith("multi") else loss)
    if loss == "multinomial":
        y = np.array(["a", "b", "c"])[np.digitize(y, [-1.0, 1.5])]
    return X, np.column_stack([y, X[:, 3]]) if loss == "multigaussian" else y


@pytest.mark.parametrize("loss", LOSSES)
def test_paths(loss):
    pd = pytest.importorskip("pandas")
    X, y = response(loss)
    cv = riata.cv_path(pd.DataFrame(X).add_prefix("<b>gene&"), y, loss=loss, cv=3, alphas=15)
    html = cv._repr_html_()
    told = read(html)
    assert "<b>gene" not in html
    assert "&lt;b&gt;gene&amp;" in html
    assert f"{cv.path.n_active[cv.position]:,} at alpha {cv.alpha:.3g}" in told
    assert f"{cv.mean_score[cv.position]:.4g}" in told
    assert "samples 40" in told
    assert html.count("<svg") == 2
    alone = read(cv.path._repr_html_())
    assert f"active at the last {cv.path.n_active[-1]:,}" in alone


def test_few_of_many_curves_are_drawn():
    X, y = make_problem(n=50, p=900)
    path = riata.fit_path(X, y, l1_ratio=0.0, alphas=6)  # all are active
    html = path._repr_html_()
    read(html)
    drawn = re.findall(r"<title>x(\d+)</title>", html)
    assert len(drawn) == 60
    size = np.abs(path.coef(path.alphas[-1])) * path.scale
    assert {int(j) for j in drawn} == set(np.argsort(-size)[:60].tolist())


def test_a_path_of_nothing_and_one_that_did_not_converge():
    X, y = make_problem()
    assert "active at the last 0" in read(riata.fit_path(X, y, alphas=[1e3])._repr_html_())
    with pytest.warns(Warning, match="did not converge"):
        path = riata.fit_path(X, y, alphas=5, solver="cd", tol=1e-14, max_iter=1)
    assert "NOT certified" in read(path._repr_html_())


def test_relaxed_paths_and_constrained_fits():
    pd = pytest.importorskip("pandas")
    X, y = make_problem()
    frame = pd.DataFrame(X).add_prefix("<b>gene&")
    relaxed = riata.relax(riata.fit_path(frame, y, alphas=12), frame, y)
    told = read(relaxed._repr_html_())
    k = np.flatnonzero(relaxed.relaxed)[-1]
    reach = f"{relaxed.relaxed.sum()} of 12 alphas, to {relaxed.alphas[k]:.3g}"
    assert f"{reach} with {relaxed.path.n_active[k]} active" in told
    fit = riata.constrained_lasso(frame, y, radius=1.5)
    html = fit._repr_html_()
    strongest = int(np.argmax(np.abs(fit.coef)))
    assert f'<td>&lt;b&gt;gene&amp;{strongest}</td><td class="num">' in html
    assert f"budget {fit.norm:.4g} of 1.5 alpha" in read(html)
    assert f"active {np.count_nonzero(fit.coef)} " in read(html)
    read(riata.constrained_lasso(X, y, radius=1e-9)._repr_html_())


@pytest.mark.parametrize("loss", ["gaussian", "binomial"])
def test_evaluations(loss):
    X, y = make_problem(loss)
    found = riata.evaluate(y, X[:, 0], loss=loss, baseline=X[:, 20], part="a <part>")
    html = found._repr_html_()
    told = read(html)
    assert "&lt;part&gt;" in html
    rates = {} if found.table is None else found.table.rates
    for measure in [*found.measures.values(), *rates.values()]:
        assert f"{measure.value:.3f}".replace("-", "\u2212") in told
        assert f"{measure.low:.3f} to {measure.high:.3f}".replace("-", "\u2212") in told
    assert html.count("<svg") == sum(name != "log_loss" for name in (*found.measures, *rates))
    assert "95 % interval" in told
    assert "95 % interval" not in read(found.bare._repr_html_())


def test_an_evaluation_of_classes_and_one_of_nothing():
    _, y = make_problem()
    labels = np.digitize(y, [-1.0, 1.5])
    link = np.column_stack([-y, 0.0 * y, y])
    found = riata.evaluate(labels, link, loss="multinomial", classes=["<low>", "middle", "top"])
    told = read(found._repr_html_())
    assert "predicted &lt;low&gt;" in told
    for counts in found.table.counts:
        assert " ".join(str(count) for count in counts) in re.sub(r"\s+", " ", told)
    nothing = riata.evaluate(y, np.zeros(len(y)))
    assert "nothing was selected" in read(nothing._repr_html_())


def test_genotypes():
    geno = riata.open_genotypes(TINY)
    told = read(geno._repr_html_())
    assert f"variants {geno.shape[1]:,}" in told
    assert f"samples {geno.shape[0]:,}" in told
    counts = {}
    for name in geno.variants.chrom:
        counts[name] = counts.get(name, 0) + 1
    bars = re.findall(r"<title>(\w+): ([\d,]+)</title>", geno._repr_html_())
    assert {int(count) for _, count in bars} == set(counts.values())
    cv = riata.cv_path(geno, np.arange(len(geno)) % 7.0, cv=3, alphas=9)
    assert f"variants {geno.shape[1]:,}" in read(cv._repr_html_())


def test_styles_stay_in_the_card():
    style = re.sub(r"/\*.*?\*/", "", card_style(), flags=re.DOTALL)
    rules = re.sub(r"@media[^{]*\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1", style)
    selectors = [one for found in re.findall(r"([^{}]+)\{", rules) for one in found.split(",")]
    assert selectors
    assert all(".riata-card" in one for one in selectors)
    assert scoped("a,b c{x:1}d{y:2}", ".k") == ".k a,.k b c{x:1}.k d{y:2}"
    assert "--s0" in page_style()
    assert ".curve" in page_style()


def test_what_is_written_at_levels_and_marks_stands_apart():
    """A level near the top, whose name would be written over that of one standard error."""
    alphas = np.geomspace(0.36, 0.024, 60)
    mean = 0.56 + 0.62 * np.linspace(1.0, -1.0, 60) ** 2
    chart = cv_chart(
        alphas,
        mean,
        np.full(60, 0.05),
        np.arange(60),
        alpha_min=float(alphas[31]),
        alpha_1se=float(alphas[20]),
        score="deviance",
        null=1.2,
    )
    boxes = []
    for text in ET.fromstring(drawn(chart, (440, 240))).iter("text"):
        if text.get("class", "").startswith("marktext"):
            x, width = float(text.get("x")), 6.0 * len(text.text)
            boxes.append(
                (x - (width if text.get("text-anchor") == "end" else 0.0), width, float(text.get("y")))
            )
    assert len(boxes) == 3
    for k, (x, width, y) in enumerate(boxes):
        for other, wide, level in boxes[k + 1 :]:
            assert abs(level - y) >= 14 or x + width <= other or other + wide <= x


def test_a_card_of_a_cox_fit_has_no_intercept():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 5))
    y = np.column_stack([rng.exponential(np.exp(-X[:, 0])), np.ones(60)])
    card = riata.cv_path(X, y, loss="cox", cv=3, alphas=10)._repr_html_()
    assert "no effects" in card
    assert "intercept alone" not in card
