"""Pages and charts: well formed, escaped, self-contained, and right about numbers."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

from riata.report.charts.paths import cv_chart, mark_of_chosen, path_chart
from riata.report.charts.scales import log_ticks, nice_ticks, number, spread
from riata.report.charts.svg import drawn
from riata.report.page import Fact, Page, Section, cell_text, code, effects_table, figure, render, table

VOID = {"meta", "br", "hr", "img", "link"}


class Balanced(HTMLParser):
    """Fails on a tag that is closed out of order; collects what the page would load."""

    def __init__(self):
        super().__init__()
        self.open, self.loads, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.loads += [value for name, value in attrs if name in ("src", "href", "data", "action")]
        assert tag not in ("link", "script", "iframe", "img")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def check(html):
    parser = Balanced()
    parser.feed(html)
    assert parser.open == []
    assert parser.loads == []
    assert not re.search(r"url\(|@import|https?://", html)
    return parser.text


def chart(n=30, k=12):
    alphas = np.geomspace(1.0, 0.01, n)
    curves = np.outer(np.linspace(1, -1, k), np.log(1 / alphas))
    described = path_chart(
        alphas, curves, [f"g<{j}>" for j in range(k)], np.arange(n),
        colours=[j if j < 8 else None for j in range(k)], labels=range(8),
        marks=[mark_of_chosen(alphas, 0.1)],
    )  # fmt: skip
    return drawn(described, (860, 450))


def test_page_is_self_contained_and_escaped():
    page = Page(
        title="3 of <many> & more",
        lead="A <b>lead</b>",
        kicker="today",
        notice="cut <short>",
        facts=[Fact("what", "1 < 2", "note & note", good=True)] * 5,
        sections=[
            Section("Heading & co", "Text <i>", figure(chart()) + code("a < b")),
            Section("Empty", ""),
            Section("Table", "", table([("name", ["<x>"]), ("n", [1234567])], numeric=("n",), strong="name")),
            Section("Hits", "", effects_table([("v", ["a", "b"])], [0.5, -1.0], numeric=(), strong="v")),
        ],
        footer=["made & done"],
    )
    html = render(page)
    text = check(html)
    for piece in (
        "3 of <many> & more",
        "A <b>lead</b>",
        "cut <short>",
        "1 < 2",
        "g<3>",
        "a < b",
        "1,234,567",
    ):
        assert piece in text
    assert html.count('class="fact empty"') == 1  # five facts fill two rows of three
    assert "prefers-color-scheme:dark" in html
    assert 'class="p" style="width:25.0%"' in html
    assert 'class="n" style="width:50.0%"' in html


def test_charts_are_well_formed():
    svg = ET.fromstring(chart())
    lines = list(svg.iter("polyline"))
    assert len(lines) == 12
    assert sum("rest" in e.get("class") for e in lines) == 4
    assert [e.text for e in svg.iter("title")][-1] == "g<0>"
    inside = [float(v) for e in lines for pair in e.get("points").split() for v in pair.split(",")]
    assert min(inside) >= 0
    assert max(inside) <= 860


@pytest.mark.parametrize("n", [1, 2, 50])
def test_charts_of_any_length(n):
    alphas = np.geomspace(1.0, 1e-4, n)
    active = np.arange(n)
    ET.fromstring(drawn(path_chart(alphas, np.zeros((0, n)), [], active, colours=[])))
    mean = 1.0 + np.linspace(0, 1, n)
    svg = drawn(cv_chart(
        alphas, mean, 0.1 * mean, active, alpha_min=alphas[-1], alpha_1se=alphas[0], score="deviance"
    ))  # fmt: skip
    ET.fromstring(svg)
    assert "NaN" not in svg
    assert "nan" not in svg


def test_ticks_and_numbers():
    assert nice_ticks(0.0, 1.0) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert nice_ticks(3.0, 3.0) == [3.0]
    assert log_ticks(-2.0, 0.0) == pytest.approx(np.log10([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]))
    assert number(0.0) == "0"
    assert number(-0.25) == "\u22120.25"
    assert cell_text(np.float64("nan")) == "\u2013"
    assert cell_text(-1234) == "\u22121,234"
    assert cell_text(1.5e-7) == "1.5e\u22127"


def test_spread_keeps_order_and_distance():
    wanted = [0.0, 1.0, 1.5, 50.0, 99.0, 99.5]
    placed = spread(wanted, 10.0, 0.0, 100.0)
    assert np.all(np.diff(placed) >= 10.0 - 1e-9)
    assert placed[3] == 50.0
    assert placed[0] >= 0.0
    assert placed[-1] <= 100.0
    assert spread([], 10.0, 0.0, 100.0) == []
