"""The templates of pages and cards: whatever is not ready HTML is escaped when it is put in."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup


def source_of(name: str) -> str:
    """Return a template or style sheet that lies beside this file."""
    return (files("riata.report") / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(source_of),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def filled(template: str, **given: Any) -> Markup:
    """Return a template filled in."""
    return Markup(_environment().get_template(template).render(given))


def block(name: str, *given: Any) -> Markup:
    """Return a block of ``blocks.html.j2`` filled in."""
    blocks: Any = _environment().get_template("blocks.html.j2").module
    return Markup(getattr(blocks, name)(*given))
