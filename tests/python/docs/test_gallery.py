"""The lessons of examples/ run, what they assert holds, and docs/gallery.md shows the figures they make."""

import importlib
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
LESSONS = sorted({file.stem for file in EXAMPLES.glob("*.py")} - {"lesson", "run_all"})


@pytest.fixture(autouse=True)
def _examples_can_be_imported(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)


def test_run_all_runs_every_lesson():
    assert sorted(importlib.import_module("run_all").LESSONS) == LESSONS


@pytest.mark.slow
@pytest.mark.parametrize("name", LESSONS)
def test_lesson(name, tmp_path):
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    files = importlib.import_module("lesson").run(importlib.import_module(name).lesson, tmp_path)
    assert files
    for file in files:
        assert file.read_text(encoding="utf-8").rstrip().endswith("</svg>")
        assert f"](gallery/{file.name})" in page
        assert (ROOT / "docs" / "gallery" / file.name).stat().st_size < 150_000
    assert f"python examples/{name}.py" in page


def test_forecast_reads_the_layout_of_fred_md(tmp_path):
    """Dates month/day/year, a line of codes, series with gaps left out, both ends cut."""
    file = tmp_path / "current.csv"
    lines = ["sasdate,UNRATE,INDPRO,NEW", "Transform:,2,5,1"]
    for t in range(40):
        lines.append(f"{t % 12 + 1}/1/{1959 + t // 12},{t**2},{2.0**t},{'' if t < 20 else t}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    panel = importlib.import_module("forecast").load_fred_md(file)
    assert panel.names == ["UNRATE", "INDPRO"]
    assert panel.dates[0] == 1960.0
    assert panel.series.shape == (25, 2)
    assert panel.series[0] == pytest.approx([12**2 - 11**2, 0.6931471805599453])
