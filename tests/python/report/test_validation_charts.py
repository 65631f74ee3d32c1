"""Calibration and ROC from their definitions."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import roc_auc_score

from riata.report.charts.validation import calibrate, calibration_chart, roc_chart, roc_curve


def test_calibration_of_numbers():
    rng = np.random.default_rng(0)
    predicted = rng.standard_normal(995)
    y = 2.0 * predicted + 1.0 + rng.standard_normal(995)
    result = calibrate(y, predicted, shares=False)
    assert result.sizes.sum() == 995
    assert result.sizes.max() - result.sizes.min() <= 1
    assert np.all(np.diff(result.predicted) > 0)
    assert_allclose(result.observed @ result.sizes / 995, y.mean())
    assert result.slope == pytest.approx(np.polyfit(predicted, y, 1)[0])
    lowest = y[np.argsort(predicted)[: result.sizes[0]]]
    half = 1.96 * lowest.std(ddof=1) / np.sqrt(len(lowest))
    assert_allclose([result.low[0], result.high[0]], [lowest.mean() - half, lowest.mean() + half])


def test_calibration_of_shares():
    p = np.repeat([0.0, 0.3, 1.0], 20)
    y = np.r_[np.zeros(20), np.ones(6), np.zeros(14), np.ones(20)]
    result = calibrate(y, p, shares=True, groups=3)
    assert_allclose(result.observed, [0.0, 0.3, 1.0])
    # Wilson's limits are the shares at which the observed one is 1.96 standard errors away
    for share, low, high in zip(result.observed, result.low, result.high, strict=True):
        for limit in (low, high):
            at_edge = min(abs(limit), abs(1 - limit)) < 1e-12
            assert at_edge or abs(share - limit) == pytest.approx(1.96 * np.sqrt(limit * (1 - limit) / 20))
    assert len(calibrate(y[:4], p[:4], shares=True).sizes) == 4


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_area_under_the_curve(decimals):
    rng = np.random.default_rng(decimals)
    y = (rng.random(300) < 0.4).astype(float)
    score = np.round(y + rng.standard_normal(300), decimals)
    controls, cases = roc_curve(y, score)
    assert (controls[0], cases[0], controls[-1], cases[-1]) == (0, 0, 1, 1)
    area = float(np.sum(np.diff(controls) * (cases[1:] + cases[:-1]) / 2))
    assert area == pytest.approx(roc_auc_score(y, score))


@pytest.mark.parametrize("n", [2, 30, 3000])
def test_charts_are_well_formed(n):
    rng = np.random.default_rng(n)
    y = np.arange(n) % 2 * 1.0
    link = y + rng.standard_normal(n)
    text = roc_chart(*roc_curve(y, link), "<ill>", ["AUC & more"])
    assert len(ET.fromstring(text).find("polyline").get("points").split()) <= 400
    for values in (link, np.zeros(n)):
        text = calibration_chart(calibrate(y, values, shares=True), "predicted <x>", "observed")
        assert "nan" not in text
        assert len(list(ET.fromstring(text).iter("circle"))) == min(n, 10)


def test_ticks_are_written_as_what_they_are():
    """Steps of 2.5 among numbers of three digits: 172.5 is not 172."""
    y = np.linspace(170.0, 181.0, 200)
    drawn = ET.fromstring(calibration_chart(calibrate(y, y, shares=False), "predicted", "observed"))
    told = [text.text for text in drawn.iter("text") if text.get("class") == "tick"]
    assert {"170", "172.5", "175", "177.5", "180"} <= set(told)
