"""The plan of the final run, the pages it writes, slopes, and the clock of the cluster."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).resolve().parents[1]
sys.path += [os.fspath(BENCH), os.fspath(BENCH / "cluster")]

import final  # noqa: E402
from growth import (  # noqa: E402
    Point,
    foreseen,
    slope,
)
from peers import NAMES  # noqa: E402
from problems import SPECS  # noqa: E402
from run import settings, spelt  # noqa: E402
from sections import SECTIONS, fill, single_fits  # noqa: E402
from simulate import Size, Wire, Work, grown, run  # noqa: E402
from stored import read_bed  # noqa: E402
from table import README  # noqa: E402


def test_the_plan_names_problems_packages_and_scripts_that_there_are():
    """Each row has a file of its own."""
    stems = [row.stem for row in final.PLAN]
    assert len(set(stems)) == len(stems)
    for row in final.PLAN:
        if row.script:
            assert (final.ROOT / row.script.split()[0]).is_file()
        else:
            assert row.name in SPECS
            assert set(row.packages.split(",")) <= set(NAMES)


def test_every_section_has_its_marks_in_the_page():
    page = README.read_text()
    for name in ("tables", *SECTIONS):
        assert fill(page, name, "words").count("words") == page.count("words") + 1 - between(
            page, name
        ).count("words")


def between(page, name):
    return page.split(f"<!-- {name}: begin -->")[1].split(f"<!-- {name}: end -->")[0]


def test_fill_refuses_a_page_without_marks():
    with pytest.raises(ValueError, match="ridge: begin"):
        fill("nothing", "ridge", "table")
    assert fill("a <!-- x: begin --> old <!-- x: end --> b", "x", "new") == (
        "a <!-- x: begin -->\n\nnew\n\n<!-- x: end --> b"
    )


def test_settings_are_read_as_they_are_spelt():
    given = {"adelie": [1e-5, 1e-7], "celer": [1e-4]}
    text = ",".join(f"{package}={spelt(tols)}" for package, tols in given.items())
    assert settings(text) == given
    assert settings(None) == {}


def test_single_fits_compares_with_riata():
    about = {"date": "d", "commit": "c", "machine": "m", "problem": "p", "asked": "0.1", "support": "7"}
    rows = [about | {"package": "riata", "seconds": "0.5", "path_s": "0.6"}]
    rows += [about | {"package": "celer", "seconds": "2.0", "path_s": "0.6"}]
    assert single_fits(rows).endswith("| `p` | 0.1 of the largest | 7 | 0.6 | 0.5 | 2 (4.0×) |")


def test_slopes_are_those_of_the_upper_decades():
    """Constant up to 1,000, then with the power 1.5."""
    rows = [
        {"line": "samples", "at": at, "seconds": max(1.0, (at / 1e3) ** 1.5)}
        for at in (10, 100, 1e3, 1e4, 1e5)
    ]
    np.testing.assert_allclose(slope(rows, "seconds"), 1.5)
    assert slope(rows[:1], "seconds") is None


def test_the_next_point_is_foreseen_by_the_growth_of_the_last_two():
    point = Point("samples", 1000.0, "dense", 1000, 5)
    assert foreseen([], point) == 0.0
    np.testing.assert_allclose(foreseen([(10.0, 1.0), (100.0, 100.0)], point), 1e4)
    np.testing.assert_allclose(foreseen([(10.0, 1.0), (100.0, 1.0)], point), 10.0)  # in proportion, at least


def test_the_clock_adds_client_workers_and_wire():
    work = Work((("begin", 8e6, 4e6, 6.0, 1.0), ("read", 0.0, 0.0, 2.0, 0.5)))
    clock = run(work, Wire(2, 0.25, 1e6, 2e6), cores=2.0)
    assert (clock.client, clock.workers, clock.wire) == (1.5, 2.0, 0.5 + 4.0 + 4.0)


def test_larger_problems_cost_what_is_assumed():
    """Twice the samples, three times the features, five times those in use, on four cores of the client."""
    methods = ("begin", "bound", "read", "fetch")
    work = Work(tuple((method, 10.0, 100.0, 1.0, 8.0) for method in methods))
    larger = grown(work, Size(10, 10, 1.0), Size(20, 30, 5.0), 4.0)
    costs = {method: cost for method, *cost in larger.messages}
    assert costs["begin"] == [20.0, 300.0, 6.0, 20.0]
    assert costs["bound"] == [10.0, 100.0, 3.0, 20.0]
    assert costs["read"] == [20.0, 100.0, 6.0, 20.0]
    assert costs["fetch"] == [10.0, 1000.0, 3.0, 20.0]


def test_what_all_are_told_goes_as_a_tree():
    """Nine machines are reached in two generations, in each of which a holder sends twice."""
    assert Wire.of(1).spread == Wire.of(1).bandwidth
    assert Wire.of(9).spread == Wire.of(9).bandwidth / 4
    assert Wire.of(64).spread == Wire.of(64).bandwidth / 8


def test_genotypes_are_read_as_they_were_written(tmp_path):
    from problems import genotypes, write_bed

    X = genotypes(np.random.default_rng(0), 7, 11)
    assert (read_bed(write_bed(tmp_path / "X", X)) == X).all()
