"""The style sheets of pages and cards: one palette, light and dark, and one set of rules for charts."""

from __future__ import annotations

import re
from functools import cache

from markupsafe import Markup

from riata.report.templates import source_of

LIGHT = (
    "--bg:#fbfbfa;--card:#fff;--ink:#16191d;--soft:#59636e;--line:#e4e7ea;--tint:#f2f4f5;--accent:#0072b2;"
    "--good:#00734f;--up:#c8500a;--down:#0072b2;--grey:#b9c0c7;"
    "--s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#b8519a;--s4:#a37a00;--s5:#3a9bd1;--s6:#7a4fc0;--s7:#5b646d"
)
DARK = (
    "--bg:#101316;--card:#171b1f;--ink:#e8eaec;--soft:#9aa5b0;--line:#2b3138;--tint:#1e2328;--accent:#58b4e9;"
    "--good:#3ecf9b;--up:#f0883e;--down:#58b4e9;--grey:#4b545d;"
    "--s0:#58b4e9;--s1:#f0883e;--s2:#2fc699;--s3:#e08fc6;--s4:#e2bd3d;--s5:#8fd0f5;--s6:#b79af0;--s7:#a9b3bc"
)
#: Where a notebook says which of the two it is; without a word the system's choice holds.
_SAYS_LIGHT = ('[data-jp-theme-light="true"]', ".vscode-light", '[theme="light"]')
_SAYS_DARK = ('[data-jp-theme-light="false"]', ".vscode-dark", '[theme="dark"]')


def palette(*, dark: bool) -> dict[str, str]:
    """Return the colours by name, as figures of Matplotlib take them."""
    pairs = (pair.split(":") for pair in (DARK if dark else LIGHT).split(";"))
    return {name.removeprefix("--"): colour for name, colour in pairs}


@cache
def page_style() -> Markup:
    """Return the style sheet of the report."""
    colours = f":root{{color-scheme:light dark;{LIGHT}}}@media (prefers-color-scheme:dark){{:root{{{DARK}}}}}"
    return Markup(f"{colours}\n{source_of('report.css')}{source_of('charts.css')}")


@cache
def card_style() -> Markup:
    """Return the style sheet of cards in notebooks, which touches nothing else on the page."""
    card = ".riata-card"
    colours = f"{card}{{{LIGHT}}}@media (prefers-color-scheme:dark){{{card}{{{DARK}}}}}"
    for told, palette in ((_SAYS_LIGHT, LIGHT), (_SAYS_DARK, DARK)):
        colours += f"{','.join(f'{where} {card}' for where in told)}{{{palette}}}"
    return Markup(f"{colours}\n{source_of('card.css')}{scoped(source_of('charts.css'), card)}")


def scoped(style: str, scope: str) -> str:
    """Return plain rules with `scope` before each of their selectors."""

    def rule(match: re.Match[str]) -> str:
        return ",".join(f"{scope} {one.strip()}" for one in match[1].split(",")) + match[2]

    return re.sub(r"([^{}]+)(\{[^{}]*\})", rule, re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL))
