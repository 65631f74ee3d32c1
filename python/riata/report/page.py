"""The HTML report: one self-contained page that reads well without knowing riata, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from riata.report.styles import page_style


@dataclass(frozen=True)
class Fact:
    """One key number: what it is, its value, and a line that explains it."""

    what: str
    value: str
    note: str = ""
    good: bool = False


@dataclass(frozen=True)
class Section:
    """A heading, a sentence or two (plain text), and a body of ready HTML."""

    heading: str
    text: str
    body: str = ""


@dataclass
class Page:
    """Everything a report shows. Texts are plain and escaped here; section bodies are HTML."""

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
    empty = '<div class="fact empty"></div>' * (-len(page.facts) % columns)
    facts = "".join(
        f'<div class="fact{" good" if fact.good else ""}"><div class="what">{escape(fact.what)}</div>'
        f'<div class="value">{escape(fact.value)}</div><div class="note">{escape(fact.note)}</div></div>'
        for fact in page.facts
    )
    sections = "".join(
        f"<section><h2>{escape(s.heading)}</h2>"
        f"{f'<p>{escape(s.text)}</p>' if s.text else ''}{s.body}</section>"
        for s in page.sections
    )
    kicker = f" {escape(page.kicker)}" if page.kicker else ""
    notice = f'<p class="notice">{escape(page.notice)}</p>' if page.notice else ""
    footer = "".join(f"<p>{escape(line)}</p>" for line in page.footer)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(page.title)}</title><style>{page_style()}</style></head>\n<body><main>"
        f'<p class="kicker"><b>riata</b>{kicker}</p><h1>{escape(page.title)}</h1><p class="lead">'
        f"{escape(page.lead)}</p>"
        f'{notice}<div class="facts" style="--columns:{columns}">{facts}{empty}</div>{sections}<footer>'
        f"{footer}</footer></main></body></html>\n"
    )


def figure(svg: str) -> str:
    """Frame a chart."""
    return f"<figure>{svg}</figure>" if svg else ""


def pair(parts: Sequence[str]) -> str:
    """Set two parts side by side, one above the other where the page is narrow."""
    return '<div class="pair">' + "".join(f"<div>{part}</div>" for part in parts if part) + "</div>"


def note(text: str) -> str:
    """Add a sentence below a table or chart."""
    return f'<p class="below">{escape(text)}</p>'


def code(text: str) -> str:
    """Show commands or code."""
    return f"<pre>{escape(text)}</pre>"


def table(
    columns: Sequence[tuple[str, Sequence[Any]]], *, numeric: Sequence[str] = (), strong: str = ""
) -> str:
    """Return an HTML table; columns in `numeric` are right-aligned, `strong` is set in a heavier weight."""
    head = "".join(f"<th{' class=num' if name in numeric else ''}>{escape(name)}</th>" for name, _ in columns)
    rows = []
    for cells in zip(*(values for _, values in columns), strict=True):
        row = ""
        for (name, _), cell in zip(columns, cells, strict=True):
            kind = "num" if name in numeric else "id" if name == strong else ""
            row += f"<td{f' class={kind}' if kind else ''}>{escape(cell_text(cell))}</td>"
        rows.append(f"<tr>{row}</tr>")
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def effects_table(
    columns: Sequence[tuple[str, Sequence[Any]]],
    effects: Sequence[float],
    *,
    numeric: Sequence[str],
    strong: str,
    first: int = 25,
    limit: int = 200,
) -> str:
    """Return a table of hits with a bar for each effect, orange for positive and blue for negative.

    The `first` rows are shown, those up to `limit` fold out.
    """
    largest = max((abs(value) for value in effects), default=0.0) or 1.0
    rows = list(zip(zip(*(values for _, values in columns), strict=True), effects, strict=True))[:limit]
    names = [name for name, _ in columns]
    drawn = [_effect_row(names, cells, effect, largest, numeric, strong) for cells, effect in rows]
    head = "".join(f"<th{' class=num' if name in numeric else ''}>{escape(name)}</th>" for name in names)
    head = f"<thead><tr>{head}<th></th></tr></thead>"

    def body(part: Sequence[str]) -> str:
        return f'<div class="scroll"><table>{head}<tbody>{"".join(part)}</tbody></table></div>'

    if len(drawn) <= first + 5:
        return body(drawn)
    rest = f"<details><summary>{len(drawn) - first:,} more</summary>{body(drawn[first:])}</details>"
    return body(drawn[:first]) + rest


def _effect_row(
    names: Sequence[str],
    cells: Sequence[Any],
    effect: float,
    largest: float,
    numeric: Sequence[str],
    strong: str,
) -> str:
    row = ""
    for name, cell in zip(names, cells, strict=True):
        kind = "num" if name in numeric else "id" if name == strong else ""
        row += f"<td{f' class={kind}' if kind else ''}>{escape(cell_text(cell))}</td>"
    side, share = "p" if effect > 0 else "n", 50 * abs(effect) / largest
    bar = f'<div class="bar"><u></u><i class="{side}" style="width:{share:.1f}%"></i></div>'
    return f"<tr>{row}<td>{bar}</td></tr>"


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
