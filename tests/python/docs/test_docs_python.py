"""What docs/python.md shows runs, and prints what the page says it prints."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from riata.cli.parser import main

PAGE = (Path(__file__).parents[3] / "docs" / "python.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```\n(?:\s*^```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def test_the_page(tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for language, block, expected in BLOCK.findall(PAGE):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            if language == "python":
                exec(compile(block, "python.md", "exec"), names)
            else:
                for line in block.splitlines():
                    assert main(shlex.split(line)[1:]) == 0
        if expected:
            assert said.getvalue().strip() == expected.strip()
    assert "Scored 3 samples for status" in (tmp_path / "new.log").read_text()
    assert "AUC" in (tmp_path / "new.log").read_text()
    written = {path.name for path in tmp_path.iterdir()}
    assert {"relapse.html", "new.scores.tsv", "sparser.html"} <= written
