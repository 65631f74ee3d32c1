"""Chromosomes in reading order, and effects drawn along them."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from riata._io.tables import Table, text_array
from riata.genetics.chromosomes import SPECIES
from riata.genetics.genome import chromosomes, drawn_positions
from riata.report.charts.genome import Hit, genome_chart
from riata.study.account import Stretch


def variants(chrom, pos):
    return Table({"chrom": text_array(chrom), "pos": np.array(pos, dtype=np.int64)})


def test_chromosomes_of_any_file():
    table = variants(["2", "2", "1", "2", "0", "Un"], [50, 20, 7, 30, 99, 0])
    genome = chromosomes(table)
    assert [c.name for c in genome] == ["1", "2", "Un", "0"]
    assert [c.placed for c in genome] == [True, True, False, False]
    two = genome[1]
    assert two.columns.tolist() == [1, 3, 0]
    assert two.extent == (20.0, 50.0)
    assert two.within(30, 10).tolist() == [1, 3]
    assert two.locate(np.array([0, 2, 3])).tolist() == [2, -1, 1]
    columns = np.array([4, 2, 0])
    assert drawn_positions(genome, columns).tolist() == [0.0, 7.0, 50.0]
    assert chromosomes(variants([], [])) == []


def test_names_for_one_chromosome_are_one():
    table = variants(["chr1", "01", "1", "chr10", "2", "23"], [30, 10, 20, 5, 5, 5])
    assert [c.name for c in chromosomes(table)] == ["1", "2", "10", "X"]
    assert [c.name for c in chromosomes(table, SPECIES["cow"])] == ["1", "2", "10", "23"]
    assert chromosomes(table)[0].columns.tolist() == [1, 2, 0]


GENOMES = {
    "one": [Stretch("7", 1e6, 9e6, placed=True)],
    "many": [Stretch(str(k), 0.0, 1e8 / k, placed=True) for k in range(1, 30)],
    "odd": [Stretch("<x>&", 1e6, 2e6, placed=True), Stretch("0", 0.0, 3.0, placed=False)],
    "unplaced": [Stretch("0", 0.0, 0.0, placed=False)],
    "a point": [Stretch("1", 5.0, 5.0, placed=True)],
}


@pytest.mark.parametrize("genome", GENOMES.values(), ids=GENOMES)
@pytest.mark.parametrize("count", [1, 50, 900])
def test_chart(genome, count):
    rng = np.random.default_rng(count)
    marks = []
    for k in range(count):
        s = genome[k % len(genome)]
        effect = float(rng.standard_normal())
        marks.append(Hit(s.name, float(rng.uniform(s.first, s.last)), effect, f"<rs{k}>", f"told & {k}"))
    marks.sort(key=lambda m: -abs(m.effect))
    text = genome_chart(genome, marks, "effect")
    assert "nan" not in text
    drawn = ET.fromstring(text)
    sides = [e.get("class") for e in drawn.iter("g")]
    assert sides.count("up") == sum(m.effect > 0 for m in marks)
    assert sides.count("down") == sum(m.effect < 0 for m in marks)
    names = [e for e in drawn.iter("text") if e.get("class") == "hitname"]
    assert names[0].text == marks[0].name
    assert {e.text for e in names} <= {m.name for m in marks[:10]}
    boxes = [(float(e.get("x")), float(e.get("y")), 6.9 * len(e.text)) for e in names]
    for i, (x, y, w) in enumerate(boxes):
        assert x - w / 2 >= 0
        assert x + w / 2 <= 860
        for a, b, v in boxes[:i]:
            assert abs(x - a) >= (w + v) / 2 - 0.2 or abs(y - b) >= 13.9
    circles = [float(e.get("cx")) for e in drawn.iter("circle")]
    assert len(circles) == count
    assert 64 <= min(circles) <= max(circles) <= 836
