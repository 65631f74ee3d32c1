"""The page of ``riata select``: of halves of the samples, of knockoffs, or of both."""

from __future__ import annotations

from dataclasses import replace

from riata._io.wording import counted
from riata.report.filter_page import FilterRun, filter_page
from riata.report.page import Fact, Page, Section
from riata.report.selection_page import SelectionRun, selection_page


def selection_report(halved: SelectionRun | None, filtered: FilterRun | None) -> Page:
    """Return the page of the analyses that were made."""
    if filtered is None:
        assert halved is not None
        return selection_page(halved)
    if halved is None:
        return filter_page(filtered)
    first, second = filter_page(filtered), selection_page(halved)
    account = filtered.account
    page = Page(
        title=f"What to believe of {account.response}: {filtered.counts} selected with knockoffs, "
        f"{len(halved.found.selected):,} by halves",
        lead=f"Two selections on {counted(account.n_samples, 'sample')}. With knockoffs "
        f"{filtered.promise}; by halves of the samples at most "
        f"{halved.found.plan.pfer:.2g} false selections are expected in all. Read each list by itself.",
        kicker=f"knockoff filter and stability selection \u00b7 {filtered.date}",
        notice=" ".join(part for part in (first.notice, second.notice) if part),
        footer=first.footer,
    )
    page.facts = [
        first.facts[0],
        *(_named(fact, "knockoffs") for fact in first.facts[2:]),
        *(_named(fact, "halves") for fact in second.facts[2:]),
    ]
    kept = [part for part in first.sections if part.heading != "Which samples were used"]
    page.sections = [_titled(part, "Knockoffs") for part in kept]
    page.sections += [_titled(part, "Halves") for part in second.sections]
    return page


def _named(fact: Fact, how: str) -> Fact:
    return replace(fact, what=fact.what if fact.what.lower() == how else f"{fact.what}, {how}")


def _titled(part: Section, how: str) -> Section:
    if part.heading == "Which samples were used":
        return part
    return replace(part, heading=f"{how}: {part.heading[0].lower()}{part.heading[1:]}")
