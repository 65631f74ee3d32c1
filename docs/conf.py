"""The site: `python -m sphinx -W docs build/site`, with `pip install ".[docs]"`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import riata

DOCS = Path(__file__).parent

project = "riata"
author = "The riata developers"
copyright = "The riata developers"
release = version = riata.__version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["README.md", "_templates"]
templates_path = ["_templates"]
default_role = "literal"

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"riata {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0072b2", "color-brand-content": "#0072b2"},
    "dark_css_variables": {"color-brand-primary": "#58b4e9", "color-brand-content": "#58b4e9"},
}

#: Pages that stand elsewhere in the repository: page of the site, file, and folder that its links start from.
ELSEWHERE = {
    "changelog": ("../CHANGELOG.md", ""),
    "contributing": ("../CONTRIBUTING.md", ""),
    "benchmarks": ("../bench/README.md", "bench/"),
}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")


def _read_page(_app: Any, name: str, source: list[str]) -> None:
    """Take pages from where they stand; links to files become links to pages, or paths."""
    folder = DOCS / Path(name).parent
    if name in ELSEWHERE:
        file = DOCS / ELSEWHERE[name][0]
        source[0], folder = file.read_text(encoding="utf-8"), file.parent
    pages = {(DOCS / file).resolve(): page for page, (file, _) in ELSEWHERE.items()}
    pages[(DOCS / "../README.md").resolve()] = "index"

    def replaced(match: re.Match[str]) -> str:
        image, text, link, anchor = match[1], match[2], match[3], match[4] or ""
        target = (folder / link).resolve()
        up = "../" * name.count("/")
        if target in pages:
            return f"[{text}]({up}{pages[target]}.md{anchor if pages[target] != 'index' else ''})"
        if image or target.is_relative_to(DOCS):
            return f"{image}[{text}]({os.path.relpath(target, (DOCS / name).parent)}{anchor})"
        path = target.relative_to(DOCS.parent.resolve())
        return text if str(path) in text else f"{text} (`{path}`)"

    source[0] = _LINK.sub(replaced, source[0])


def _docstring(_app: Any, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Formulae stand apart as they are written; |b| and names that end in _ mean themselves."""
    header = next((i for i, line in enumerate(lines) if line and set(line) == {"-"}), len(lines) + 1) - 1
    out: list[str] = []
    for i, line in enumerate(lines):
        starts_block = i and line.startswith("    ") and not lines[i - 1].strip()
        if (
            i < header
            and starts_block
            and not next((s for s in reversed(out) if s.strip()), "").startswith("    ")
        ):
            out += ["::", ""]
        if not (i < header and line.startswith("    ")) and not line.lstrip().startswith((">>>", "...")):
            parts = line.split("`")
            parts[::2] = [re.sub(r"(?<=\w)_(?!\w)", r"\\_", part.replace("|", r"\|")) for part in parts[::2]]
            line = "`".join(parts)
        out.append(line)
    lines[:] = out


def _is_routing(_app: Any, _what: str, name: str, _object: Any, skip: bool, _options: Any) -> bool | None:
    """Leave out what scikit-learn adds to every class for metadata routing."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def setup(app: Any) -> None:
    app.connect("source-read", _read_page)
    app.connect("autodoc-process-docstring", _docstring, priority=100)
    app.connect("autodoc-skip-member", _is_routing)
