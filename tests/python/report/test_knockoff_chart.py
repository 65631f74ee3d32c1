"""The chart of a knockoff filter: what its bars and lines are, whoever draws them."""

import xml.etree.ElementTree as ET
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

from riata.report.charts.figure import draw, prepared
from riata.report.charts.knockoffs import knockoff_chart
from riata.report.charts.svg import drawn

matplotlib.use("agg")


def selected(values, threshold):
    W = np.asarray(values, dtype=float)
    return SimpleNamespace(
        W=W, threshold=threshold, selected=np.flatnonzero(threshold <= W), e_values=None, group_names=None,
        item_name=lambda item: f"<gene> {item}",
    )  # fmt: skip


def test_bars_in_order_of_size():
    chart = knockoff_chart(selected([0.5, -3.0, 4.0, 0.0, 2.0, -0.1], 2.0), labels=2)
    assert [stem.y for stem in chart.stems] == [4.0, -3.0, 2.0, 0.5, -0.1]  # without the 0
    assert [stem.x for stem in chart.stems] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert [stem.colour for stem in chart.stems] == [0, 1, 0, None, None]
    assert [stem.label for stem in chart.stems] == ["<gene> 2", "", "", "", ""]
    assert [level.value for level in chart.levels] == [2.0, -2.0]
    assert chart.y.first <= -3.0
    assert chart.y.last >= 4.0


def test_all_that_is_selected_is_drawn():
    W = np.linspace(1.0, 2.0, 400)
    assert len(knockoff_chart(selected(W, 1.2)).stems) == np.count_nonzero(W >= 1.2)
    assert len(knockoff_chart(selected(W, np.inf)).stems) == 150


@pytest.mark.parametrize("threshold", [2.0, np.inf])
def test_both_drawings(threshold):
    chart = knockoff_chart(selected([0.5, -3.0, 4.0, 0.0, 2.0], threshold))
    page = ET.fromstring(drawn(chart))
    bars = [each for each in page.iter() if each.tag == "rect"]
    assert len(bars) == 4
    zero = next(float(each.get("y1")) for each in page.iter() if each.get("class") == "zero")
    up = [float(each.get("y")) + float(each.get("height")) <= zero + 0.11 for each in bars]
    assert up == [True, False, True, True]
    ax = draw(chart, prepared())
    assert [bar.get_height() for bar in ax.patches] == [4.0, -3.0, 2.0, 0.5]
    told = {each.get_text() for each in ax.texts}
    assert ("selected above this line" in told) == np.isfinite(threshold)
