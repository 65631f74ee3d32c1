"""Names that look like HTML stay names: in a whole report, in cards, in charts, in every section."""

import re
from html import unescape

import numpy as np
import pytest
from support import make_problem
from test_report import check

import riata
from riata.cli.parser import main
from riata.report.page import Page, Section, render, table

pd = pytest.importorskip("pandas")
pytestmark = pytest.mark.filterwarnings("ignore:the best alpha is the last of the grid")

NASTY = """<script>alert("1")</script> & 'x' {{ 7 * 7 }}"""


def named(what):
    return f"{NASTY} {what}"


def cohort(folder):
    """A table in which everything that has a name has a nasty one; its file too."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((120, 15))
    eta = 2 * X[:, 0] - 2 * X[:, 1]
    frame = pd.DataFrame(X, columns=[named(f"gene{j}") for j in range(15)])
    frame.insert(0, "id", [named(f"sample{i}") for i in range(120)])
    frame.insert(1, named("trait"), np.where(eta + rng.logistic(size=120) > 0, named("sick"), named("well")))
    frame.insert(
        2, named("site"), np.array([named("north"), named("south"), named("west")])[np.arange(120) % 3]
    )
    frame.iloc[5, 1] = None  # a sample that is named as left out
    frame.to_csv(folder / "c&<b>.csv", index=False)
    sets = "\n".join(
        f"{named(f'set{k}')}\t-\t" + "\t".join(frame.columns[3 + 5 * k : 8 + 5 * k]) for k in range(3)
    )
    (folder / "sets.gmt").write_text(sets + "\n")
    return folder / "c&<b>.csv"


@pytest.mark.parametrize("groups", [False, True])
def test_a_report(tmp_path, groups):
    site = named("site").replace('"', '""')
    path = cohort(tmp_path)
    out = tmp_path / "r<i>&"
    more = ["--groups", str(tmp_path / "sets.gmt"), "--penalty", "group"] if groups else []
    assert main([
        "cv", "--matrix", str(path), "--target", named("trait"), "--loss", "binomial",
        "--case", named("sick"), "--covar", f'"{site}"', "--cv", "3", "--alphas", "12",
        "--quiet", "--out", str(out), *more,
    ]) == 0  # fmt: skip
    page = (tmp_path / "r<i>&.html").read_text()
    text = re.sub(r"\s+", " ", check(page))  # no script, nothing unbalanced
    for what in ("trait", "sick", "well", "gene0", "gene1", "sample5", "north"):
        assert named(what) in text
    if groups:
        assert named("set0") in text
    assert "<i>" not in re.sub(r"<i class=", "", page)
    assert not [given for given in re.findall(r'="([^"]*)"', page) if "<" in given]
    riata.load(f"{out}.path.npz").report(tmp_path / "again.html")
    assert named("gene0") in re.sub(r"\s+", " ", check((tmp_path / "again.html").read_text()))


def test_cards():
    X, y = make_problem()
    classes = np.where(y > 0, named("yes"), named("no"))
    frame = pd.DataFrame(X, columns=[named(j) for j in range(X.shape[1])])
    cv = riata.cv_path(frame, classes, loss="binomial", cv=3, alphas=8)
    for shown in (cv, cv.path, riata.evaluate(y > 0, X[:, 0], loss="binomial", part=NASTY)):
        html = shown._repr_html_()
        assert "<script" not in html
        assert "{{ 7 * 7 }}" in unescape(html) or shown is cv.path
        check(html)


def test_a_body_that_is_no_markup_is_escaped():
    page = Page(NASTY, NASTY, sections=[Section(NASTY, NASTY, NASTY)], footer=[NASTY], notice=NASTY)
    assert check(render(page)).count(NASTY) == 8  # the title twice
    columns = [(NASTY, [NASTY])]
    assert (
        check(render(Page("t", "l", sections=[Section("h", "", table(columns, strong=NASTY))]))).count(NASTY)
        == 2
    )
