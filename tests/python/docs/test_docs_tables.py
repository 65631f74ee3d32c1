"""The commands of docs/tables.md run, and say what the page says they say."""

import re
import shlex
from pathlib import Path

import pytest

from riata.cli.parser import main

PAGE = (Path(__file__).parents[3] / "docs" / "tables.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_does_what_it_says(tmp_path, monkeypatch, capsys):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    told = ""
    for kind, block in BLOCKS:
        if kind == "python":
            exec(compile(block, "tables.md", "exec"), {"__name__": "__main__"})
        elif kind == "sh":
            assert main(shlex.split(block)[1:]) == 0
            told = capsys.readouterr().out
        else:
            absent = [line for line in block.splitlines() if line not in told]
            assert not absent, told
    assert [kind for kind, _ in BLOCKS].count("sh") == 3
    assert "ERBB2" in (tmp_path / "results" / "relapse.hits.tsv").read_text()
    page = (tmp_path / "results" / "relapse.html").read_text()
    quoted = " ".join(line[2:] for line in PAGE.splitlines() if line.startswith("> "))
    for sentence in re.split(r" \[\.\.\.\] ", quoted):
        assert sentence in " ".join(page.split())
