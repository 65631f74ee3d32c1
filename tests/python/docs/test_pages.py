"""The programs of the site's pages run, and print what the pages say they print."""

import ast
import contextlib
import importlib.util
import io
import re
import shlex
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest

from riata.cli.parser import main

DOCS = Path(__file__).parents[3] / "docs"
PAGES = [
    DOCS / "getting_started.md",
    *sorted((DOCS / "how_to").glob("*.md")),
    *sorted((DOCS / "migration").glob("*.md")),
]
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```\n(?:\s*^```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def packages_of(code: str) -> set[str]:
    """Top-level names of what a program imports."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def run_command(line: str) -> None:
    words = shlex.split(line)
    if words[0] == "riata":
        assert main(words[1:]) == 0
    elif words[0] != "pip" and shutil.which(words[0]):
        subprocess.run(words, check=True, capture_output=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).with_suffix("").as_posix())
def test_page(page, tmp_path, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for language, block, expected in BLOCK.findall(page.read_text(encoding="utf-8")):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            if language == "sh":
                for line in block.splitlines():
                    run_command(line)
            elif all(importlib.util.find_spec(name) for name in packages_of(block)):
                with warnings.catch_warnings():
                    if "riata" not in block:  # what packages compared with warn of is theirs
                        warnings.simplefilter("ignore")
                    exec(compile(block, page.name, "exec"), names)
        if expected:
            assert said.getvalue().strip() == expected.strip()
    if "theirs" in names:  # both packages fitted the same model
        assert names["ours"] == pytest.approx(names["theirs"], abs=1e-5)


def test_the_reference_lists_every_public_name():
    import riata

    page = (DOCS / "reference.md").read_text(encoding="utf-8")
    listed = re.findall(r"^   (\w+)$", page, re.MULTILINE)
    modules = ("distributed", "knockoffs", "losses", "penalties", "plotting")
    public = [*riata.__all__, *(name for module in modules for name in getattr(riata, module).__all__)]
    assert sorted(listed) == sorted(name for name in public if name not in ("__version__", *modules))
