"""The page and the terminal summary of a knockoff filter: lists with a false discovery rate, and a check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from riata._io.shell_words import in_shell
from riata._io.tables import align_columns, some
from riata._io.wording import counted, counted_of
from riata.report.charts.knockoffs import knockoff_chart
from riata.report.charts.resolutions import resolutions_chart, resolutions_svg
from riata.report.charts.svg import drawn
from riata.report.page import Fact, Page, Section, code, figure, note, stack, table
from riata.report.selection_page import FEW, MAX_ROWS, TEXTS, TITLES, cell, samples_section
from riata.study.account import Account
from riata.study.fit_result import seconds_text
from riata.study.resolutions import Resolution
from riata.study.selection_columns import Columns

#: Columns whose titles differ from those of halves.
_TITLES = {"BETA": "Effect"}
#: What features and knockoffs are compared by.
_BY = {"coef_difference": "coefficients where cross-validation is best", "entry": "entry into the path"}
#: W plots on one page.
MAX_CHARTS = 4


@dataclass
class FilterList:
    """What was selected at one resolution, at a false discovery rate of its own.

    Attributes
    ----------
    resolution : Resolution
    found : KnockoffSelected
    columns : list of (name, values)
        Of what was selected, as in ``PREFIX.selected.tsv``.
    file : str
        Where these are written.
    """

    resolution: Resolution
    found: Any
    columns: Columns
    file: str = ""

    @property
    def count(self) -> int:
        """How many are selected."""
        return len(self.found.selected)


@dataclass
class FilterRun:
    """A finished knockoff filter with everything that reports on it.

    Attributes
    ----------
    lists : list of FilterList
        The coarsest resolution first.
    account : Account
    knockoffs : list of str
        What was told of them as they were drawn.
    prefix, version, command, date : str
    seconds : dict
        By stage.
    warnings : list of str
    kept : list of str
        Files of knockoffs that are kept.
    """

    lists: list[FilterList]
    account: Account
    knockoffs: list[str]
    prefix: str
    version: str
    command: str
    date: str
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    @property
    def noun(self) -> str:
        """What is selected, in the plural."""
        return "groups" if self.lists[0].found.group_names is not None else self.account.noun

    @property
    def fdr(self) -> float:
        """The rate asked for."""
        return float(self.lists[0].found.fdr)

    @property
    def rate(self) -> str:
        """The rate asked for, in per cent."""
        return f"{100 * self.fdr:g} %"

    @property
    def rate_of(self) -> str:
        """What is at most that rate, on average: with offset 0 a little less than the share of false ones."""
        if self.lists[0].found.offset:
            return "false ones, at most"
        return f"false ones / (selected + {1 / self.fdr:.3g}), at most"

    @property
    def promise(self) -> str:
        """What holds of each list, as a sentence goes on."""
        if self.lists[0].found.offset:
            return f"at most {self.rate} of what is selected is false, on average"
        return f"false ones / (selected + {1 / self.fdr:.3g}) is at most {self.rate}, on average"

    @property
    def several(self) -> bool:
        """Whether there are lists at several resolutions."""
        return len(self.lists) > 1

    @property
    def failed(self) -> list[FilterList]:
        """Lists whose knockoffs did not pass their check."""
        return [one for one in self.lists if one.found.check is not None and not one.found.check.ok]

    @property
    def empty(self) -> bool:
        """Whether no list has anything."""
        return not any(one.count for one in self.lists)

    @property
    def counts(self) -> str:
        """How many are selected, of each list."""
        counts = [f"{one.count:,}" for one in self.lists]
        return counts[0] if not self.several else f"{', '.join(counts[:-1])} and {counts[-1]}"


def filter_lines(run: FilterRun) -> list[str]:
    """Return what the terminal and the log show of a knockoff filter."""
    lines = [
        "Knockoff filter",
        f"  {counted(run.account.n_samples, 'sample')}, compared by {_BY[run.lists[0].found.statistic]}, "
        f"{seconds_text(run.seconds.get('fit', 0.0))}",
    ]
    lines += [f"  warning: {text}" for text in run.warnings]
    for one in run.failed:
        lines.append(f"  WARNING: {_of(one)}the check of the knockoffs FAILED: {one.found.check.explain()}")
    for one in run.lists:
        lines += ["", *_list_lines(run, one)]
    if run.several:
        lines += [
            "",
            "  That is said of each list by itself; it does not hold of all of them together.",
        ]
    return lines


def _of(one: FilterList) -> str:
    """Name the resolution of a list before what is said of it."""
    return f"{one.resolution.plain}: " if one.resolution.r2 else ""


def _list_lines(run: FilterRun, one: FilterList) -> list[str]:
    found = one.found
    at = f" at {one.resolution.plain}" if run.several else ""
    head = f"Selected{at}: {counted_of(one.count, run.noun)} of {items_of(found):,}"
    doubt = "; the check puts this in doubt" if one in run.failed else ""
    rate = "false discovery rate" if found.offset else "a modified false discovery rate"
    lines = [head, f"  {run.promise} ({rate}){doubt}"]
    shown = ("ID", "FEATURE", "GROUP", "EFFECT_ALLELE", "BETA", "W", "Q_VALUE", "E_VALUE")
    told = [(name, list(values)[:FEW]) for name, values in one.columns if name in shown]
    if one.count:
        rows = [[cell(value) for value in row] for row in zip(*(values for _, values in told), strict=True)]
        lines += [f"  {line}".rstrip() for line in align_columns([name.lower() for name, _ in told], rows)]
        if one.count > FEW:
            lines.append(f"  and {one.count - FEW:,} more in {one.file}")
    else:
        lines.append(f"  {in_shell(found.nothing_selected())}")
    return lines + [f"  note: {text}" for text in found.notes]


def items_of(found: Any) -> int:
    """Return how many items there were to select from."""
    return len(found.items)


def filter_page(run: FilterRun) -> Page:
    """Return the report of ``riata select --fdr``."""
    account = run.account
    adjusted = f", adjusted for {some(account.covariate_names, 5)}" if account.covariate_names else ""
    first = run.lists[0]
    if run.several:
        title = f"{run.counts} {run.noun} selected for {account.response}, at {len(run.lists)} resolutions"
    else:
        of = counted_of(items_of(first.found), run.noun)
        title = f"{first.count:,} of {of} selected for {account.response}"
    each = " Each resolution has a list of its own." if run.several else ""
    page = Page(
        title=title,
        lead=f"Knockoff filter on {counted(account.n_samples, 'sample')}{adjusted}: what stands out from "
        f"copies that know nothing of {account.response}. {run.promise[0].upper()}{run.promise[1:]}.{each}",
        kicker=f"knockoff filter \u00b7 {run.date}",
    )
    page.notice = _notice(run)
    page.facts = [
        Fact("Samples", f"{account.n_samples:,}", f"of {account.n_in_file:,} in the file"),
        Fact(
            f"{run.noun.capitalize()}", " / ".join(f"{items_of(one.found):,}" for one in run.lists),
            "to select from" + (", by resolution" if run.several else ""),
        ),
        Fact(
            "Selected", " / ".join(f"{one.count:,}" for one in run.lists),
            f"{run.rate_of.replace(', at most', ': at most')} {run.rate}, on average",
        ),
        _check_fact(run),
    ]  # fmt: skip
    page.sections = filter_sections(run)
    page.footer = [f"Made by riata {run.version} on {run.date}.", run.command]
    return page


def filter_sections(run: FilterRun) -> list[Section]:
    """Return the sections of the page."""
    samples = samples_section(run.account)
    parts = (_errors(run), _stand_out(run), _genome(run), *_selected(run), _check(run), samples, _next(run))
    return [part for part in parts if part is not None]


def _notice(run: FilterRun) -> str:
    if run.failed:
        which = some([one.resolution.told for one in run.failed]) if run.several else ""
        return (
            f"The check of the knockoffs failed{f' ({which})' if which else ''}: they do not look like the "
            f"{run.account.noun} they stand for, and more than {run.rate} of what is selected may be false. "
            "See below, and do not report these lists as they are."
        )
    parts = [f"Nothing was selected. {in_shell(run.lists[-1].found.nothing_selected())}"] if run.empty else []
    return " ".join([*parts, *(f"Warning: {text}." for text in run.warnings)])


def _check_fact(run: FilterRun) -> Fact:
    if any(one.found.check is None for one in run.lists):
        return Fact("Knockoffs", "not checked", "see below")
    if run.failed:
        return Fact("Knockoffs", "FAILED", "their check: see below")
    if any(one.found.check.doubtful for one in run.lists):
        return Fact("Knockoffs", "passed in part", "their check: see below")
    return Fact("Knockoffs", "passed", "their check: see below", good=True)


def _errors(run: FilterRun) -> Section:
    """Return what the error rate means, in words, and where each list stands."""
    found, account = run.lists[0].found, run.account
    one, others = run.noun.removesuffix("s"), run.noun
    many = f": of ten selected about {10 * run.fdr:g} may be" if found.offset else ""
    given = f"all other {others}" + (" and the covariates" if account.covariate_names else "")
    text = (
        f"Each {one} competes with a knockoff: a copy that has the same law and the same neighbours, but is "
        f"made without looking at {account.response}. A {one} that matters beats its knockoff; one that does "
        f"not is as likely to lose. So the losses tell how many wins are chance. A selection is false when, "
        f"given {given}, the {one} says nothing more about {account.response}. Over many studies such as "
        f"this one, {run.promise}{many}. It is not said which are false, and nothing is said of the size of "
        f"effects. Nothing is assumed of how {account.response} depends on the {account.noun}; what is "
        "assumed is that knockoffs have their law, which is checked below."
    )
    if found.offset == 0:
        text += (
            " That is less than the share of false ones, and where few are selected much less: with offset 0 "
            "that share itself has no bound."
        )
    if found.n_draws > 1:
        text += (
            f" {found.n_draws} draws of knockoffs were combined by e-values, so that the answer hardly "
            "depends on the seed; the rate holds whatever the draws have in common."
        )
    if run.lists[0].resolution.r2:
        text += (
            " Groups are neighbouring variants in linkage disequilibrium: what is said of a group is that "
            "some variant in it, or one that it stands for, matters, not which."
        )
    if run.several:
        text += (
            " Each resolution has knockoffs of its own and a list of its own with this rate. All lists taken "
            "together do not have it: report one of them, or each by itself."
        )
    columns: list[tuple[str, list[Any]]] = []
    if run.several:
        columns.append(("Resolution", [item.resolution.told for item in run.lists]))
    columns += [
        (f"{others.capitalize()}", [items_of(item.found) for item in run.lists]),
        ("Selected", [item.count for item in run.lists]),
        (
            "Threshold of e" if found.n_draws > 1 else "Threshold of W",
            [item.found.threshold for item in run.lists],
        ),
        ("Smallest q-value", [float(np.min(item.found.q_values, initial=1.0)) for item in run.lists]),
    ]
    numeric = tuple(name for name, _ in columns if name != "Resolution")
    notes = [f"Note: {each}" for item in run.lists for each in item.found.notes]
    return Section(
        "What the error rate means",
        " ".join([text, *dict.fromkeys(notes)]),
        table(columns, numeric=numeric, strong="Resolution"),
    )


def _stand_out(run: FilterRun) -> Section | None:
    shown = [one for one in run.lists if np.any(np.asarray(one.found.W) != 0.0)][:MAX_CHARTS]
    if not shown:
        return None
    one = run.noun.removesuffix("s")
    text = (
        f"A bar is a {one}, those with the largest difference first. Upwards: the {one} does better than "
        "its knockoff. Downwards: its knockoff does better, which chance alone can do. As many as reach "
        "below the lower dotted line are expected by chance above the upper one, where those selected are "
        "(blue)."
    )
    parts = []
    for item in shown:
        if run.several:
            parts.append(note(f"{item.resolution.told}: {item.count:,} selected"))
        size = (860, 320 if len(shown) > 1 else 400)
        parts.append(figure(drawn(knockoff_chart(item.found, 8, run.account.noun), size)))
    return Section("How they stand out", text, stack(*parts))


def _genome(run: FilterRun) -> Section | None:
    """Return where what was selected lies, a row for each resolution."""
    if not run.account.genome or run.empty:
        return None
    text = "Where what is selected lies, " + (
        "a row for each resolution, the coarsest on top: a group of a finer one lies below the coarser group "
        "that it is part of. Where the bars end, the data do not say more precisely what matters."
        if run.several
        else "as bars along the chromosomes."
    )
    names = [one.resolution.told or run.noun for one in run.lists]
    chart = resolutions_chart([one.found for one in run.lists], names)
    return Section("Along the genome", text, figure(resolutions_svg(chart)))


def _selected(run: FilterRun) -> list[Section]:
    """Return the table of each list."""
    out = []
    for one in run.lists:
        if not one.count:
            continue
        text = (
            "q-value: the smallest rate at which it would have been selected. W: how far it is ahead of its "
            "knockoff. Effect: its coefficient in the fit beside the knockoffs, shrunken by the penalty."
        )
        if one.found.group_names is not None:
            text += " Of a group the member with the largest coefficient is shown."
        if one.count > MAX_ROWS:
            text += f" The first {MAX_ROWS} are here, all {one.count:,} in {one.file}."
        hidden = ("CHROM", "POS") if one.resolution.r2 else ()
        shown = [
            (_TITLES.get(name, TITLES[name]), list(values)[:MAX_ROWS])
            for name, values in one.columns
            if name in TITLES and name not in hidden
        ]
        numeric = tuple(name for name, _ in shown if name not in TEXTS)
        strong = next(name for name in ("Group", "Variant", "Feature") if name in dict(shown))
        title = f"What was selected at {one.resolution.told}" if run.several else "What was selected"
        out.append(Section(title, text, table(shown, numeric=numeric, strong=strong)))
    return out


def _check(run: FilterRun) -> Section:
    """Return what the check of the knockoffs says, with its figures."""
    noun, checked = run.account.noun, [one for one in run.lists if one.found.check is not None]
    text = (
        f"Knockoffs have to be correlated with one another, and with {noun} that they do not stand for, as "
        f"the {noun} themselves are. What differs by more than sampling explains makes more selections false "
        "than asked for; the check fails beyond twice that, where it is also more than 5 % of the squared "
        "correlations. Beyond twice that but within the 5 %, it passes in part. "
    )
    text += " ".join(f"{line[0].upper()}{line[1:]}." for line in run.knockoffs)
    rows: list[tuple[Any, ...]] = []
    for one in checked:
        check = one.found.check
        verdict = ("passed in part" if check.doubtful else "passed") if check.ok else "FAILED"
        told = one.resolution.told
        rows += [
            (told, "among knockoffs", check.between, check.expected_between, check.ratio_between, verdict),
            (told, f"with the {noun}", check.across, check.expected_across, check.ratio_across, ""),
        ]
    names = ("Resolution", "Correlations", "Mean squared difference", "Sampling alone", "Ratio", "Check")
    columns = [(name, [row[k] for row in rows]) for k, name in enumerate(names)]
    columns = columns if run.several else columns[1:]
    body = (
        table(columns, numeric=names[2:5], strong="Correlations") if rows else note("They were not checked.")
    )
    more = [*(one.found.check.explain() for one in run.failed), *run.warnings]
    return Section("The check of the knockoffs", text, stack(body, *(note(each) for each in more)))


def _next(run: FilterRun) -> Section:
    one = run.lists[-1]
    text = (
        f"W and q-value of everything are in {one.file.replace('selected.tsv', 'statistics.tsv')}. The "
        f"knockoffs are drawn from the seed {one.found.seed}: the same command gives the same result, "
        "another seed a slightly different one; --draws 10 --fdr 0.2 hardly depends on it."
    )
    if run.kept:
        text += f" The knockoffs are kept in {some(run.kept, 4)}: --knockoffs takes them for another trait."
    elif run.account.is_genotypes:
        text += " With --keep-knockoffs they are kept, for other traits of the same samples."
    if not run.empty:  # which is told at the top
        for item in run.lists:
            if not item.count:
                text += f" Nothing at {item.resolution.told}: {in_shell(item.found.nothing_selected())}"
    lines = (
        f'import riata\n\nfound = riata.load("{one.file.replace("selected.tsv", "selection.npz")}")\n'
        "print(found.explain())"
    )
    return Section("To go on", text, code(lines))
