"""What is selected along the genome at several resolutions: bars lie where their groups do."""

import xml.etree.ElementTree as ET
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

from riata.genetics.chromosomes import HUMAN
from riata.report.charts.resolutions import draw_resolutions, resolutions_chart, resolutions_svg

matplotlib.use("agg")
CHROM, POS = np.array(["1"] * 4 + ["2"] * 4), np.array([10, 20, 30, 40, 100, 200, 300, 400])


def selection(labels, selected, chrom=CHROM):
    labels = np.asarray(labels)
    return SimpleNamespace(
        variants=SimpleNamespace(chrom=chrom, pos=POS, chromosome_set=HUMAN, rows=lambda features: features),
        selected=np.asarray(selected, dtype=np.int64), W=np.ones(8), item_name=lambda item: f"<{item}>",
        members=lambda item: np.flatnonzero(labels == item),
    )  # fmt: skip


def test_bars_of_groups():
    chart = resolutions_chart(
        [selection([0, 0, 0, 0, 1, 1, 1, 1], [0, 1]), selection([0, 0, 1, 1, 2, 3, 3, 3], [3])],
        ["coarse", "fine"],
    )
    assert [name for name, _ in chart.rows] == ["coarse", "fine"]
    assert [chart.span(bar) for bar in chart.rows[0][1]] == [(0.0, 30.0), (30.0, 330.0)]
    assert [chart.span(bar) for bar in chart.rows[1][1]] == [(130.0, 330.0)]
    assert chart.rows[1][1][0].told == "<3>, W 1"


@pytest.mark.parametrize("chrom", [CHROM, np.array(["7"] * 8), np.array(["0"] * 8)])
def test_both_drawings(chrom):
    chart = resolutions_chart([selection(np.arange(8), [0, 6], chrom)], ["variants"])
    page = ET.fromstring(resolutions_svg(chart))
    bars = [each for each in page.iter("rect") if each.find("title") is not None]
    assert [each.find("title").text for each in bars] == ["<0>, W 1", "<6>, W 1"]
    assert all(float(each.get("width")) >= 4.0 for each in bars)
    left, right = (float(each.get("x")) for each in bars)
    assert left < right
    ax = draw_resolutions(chart)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["variants"]
    (pieces,) = ax.collections
    assert len(pieces.get_paths()) == 2
