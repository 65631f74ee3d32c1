"""The Python examples of README.md run, and print what the page says they print."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\s*^```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
EXAMPLES = [match.groups() for match in BLOCK.finditer(README)]


def test_readme_has_an_example_with_output():
    assert any(output for _, output in EXAMPLES)


@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_readme_example(code, output, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # an example may write files
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    if output is not None:
        assert capsys.readouterr().out.strip() == output.strip()
