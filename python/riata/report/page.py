"""The HTML report: one self-contained page that reads well without knowing riata, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from markupsafe import Markup

from riata.report.styles import page_style
from riata.report.templates import block, filled


@dataclass(frozen=True)
class Fact:
    """One key number: what it is, its value, and a line that explains it."""

    what: str
    value: str
    note: str = ""
    good: bool = False


@dataclass(frozen=True)
class Section:
    """A heading, a sentence or two, and a body of the parts below; what is no Markup is escaped."""

    heading: str
    text: str
    body: Markup | str = ""


@dataclass
class Page:
    """Everything a report shows. Texts are plain, and escaped by the template."""

    title: str
    lead: str
    facts: list[Fact] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    notice: str = ""
    kicker: str = ""
    footer: list[str] = field(default_factory=list)


def render(page: Page) -> str:
    """Return the page as HTML that loads nothing from anywhere."""
    columns = 3 if len(page.facts) in (3, 5, 6, 9) else 4
    empty = -len(page.facts) % columns
    return str(filled("page.html.j2", page=page, style=page_style(), columns=columns, empty=empty))


def figure(svg: Markup | str) -> Markup:
    """Frame a chart."""
    return block("figure", svg) if svg else Markup()


def pair(parts: Sequence[Markup]) -> Markup:
    """Set two parts side by side, one above the other where the page is narrow."""
    return block("pair", [part for part in parts if part])


def stack(*parts: Markup) -> Markup:
    """Set parts one below the other, apart from each other."""
    return block("stack", [part for part in parts if part])


def note(text: str) -> Markup:
    """Add a sentence below a table or chart."""
    return block("note", text)


def code(text: str) -> Markup:
    """Show commands or code."""
    return block("code", text)


@dataclass(frozen=True)
class _Column:
    """A column of a table: its name, and how its cells are set, ``num``, ``id`` or as they come."""

    name: str
    kind: str


def _laid_out(
    columns: Sequence[tuple[str, Sequence[Any]]], numeric: Sequence[str], strong: str
) -> tuple[list[_Column], list[list[str]]]:
    """Return columns and rows of text."""
    heads = [
        _Column(name, "num" if name in numeric else "id" if name == strong else "") for name, _ in columns
    ]
    cells = zip(*(values for _, values in columns), strict=True)
    return heads, [[cell_text(cell) for cell in row] for row in cells]


def table(
    columns: Sequence[tuple[str, Sequence[Any]]], *, numeric: Sequence[str] = (), strong: str = ""
) -> Markup:
    """Return an HTML table; columns in `numeric` are right-aligned, `strong` is set in a heavier weight."""
    return block("table", *_laid_out(columns, numeric, strong))


def effects_table(
    columns: Sequence[tuple[str, Sequence[Any]]],
    effects: Sequence[float],
    *,
    numeric: Sequence[str],
    strong: str,
    first: int = 25,
    limit: int = 200,
) -> Markup:
    """Return a table of hits with a bar for each effect, orange for positive and blue for negative.

    The `first` rows are shown, those up to `limit` fold out.
    """
    largest = max((abs(value) for value in effects), default=0.0) or 1.0
    heads, rows = _laid_out([(name, values[:limit]) for name, values in columns], numeric, strong)
    drawn = [
        (row, "p" if effect > 0 else "n", f"{50 * abs(effect) / largest:.1f}")
        for row, effect in zip(rows, effects[:limit], strict=True)
    ]
    shown = first if len(drawn) > first + 5 else len(drawn)
    return block("effects", heads, drawn[:shown], drawn[shown:])


def cell_text(value: Any) -> str:
    """Write a table cell for reading: few digits, a real minus sign, thin thousands."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return f"{int(value):,}".replace("-", "\u2212")
    if isinstance(value, (float, np.floating)):
        if not np.isfinite(value):
            return "\u2013"
        return f"{float(value):.3g}".replace("e-0", "e-").replace("-", "\u2212")
    return str(value)
