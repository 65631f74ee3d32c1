"""The page and the terminal summary of a stability selection: what was selected, which errors to expect."""

from __future__ import annotations

from dataclasses import dataclass, field

from riata._io.shell_words import in_shell
from riata._io.tables import align_columns, some
from riata._io.wording import counted, counted_of
from riata.report.charts.stability import stability_chart
from riata.report.charts.svg import drawn
from riata.report.page import Fact, Page, Section, code, figure, table
from riata.selection.result import StabilitySelected
from riata.study.account import Account
from riata.study.fit_result import seconds_text
from riata.study.selection_columns import Columns

#: Rows of the table of what was selected, and of the summary in the terminal.
MAX_ROWS, FEW = 100, 10
#: Columns of files as the page calls them.
TITLES = {
    "GROUP": "Group", "N_VARIANTS": "Variants", "N_FEATURES": "Features", "CHROM": "Chromosome",
    "POS": "Position", "ID": "Variant", "FEATURE": "Feature", "EFFECT_ALLELE": "Effect allele",
    "BETA": "Mean effect", "SIGN_AGREEMENT": "Same sign", "FREQ": "Share of halves",
    "PFER": "Bound there", "P_VALUE": "p-value", "W": "W", "Q_VALUE": "q-value", "E_VALUE": "e-value",
    "SHARE": "Share of draws", "WITHIN": "Part of",
}  # fmt: skip
TEXTS = ("Group", "Chromosome", "Variant", "Feature", "Effect allele", "Part of")


@dataclass
class SelectionRun:
    """A finished stability selection with everything that reports on it.

    Attributes
    ----------
    found : StabilitySelected
    account : Account
    columns : list of (name, values)
        Of what was selected, as in ``PREFIX.selected.tsv``.
    blocks : str
        The column of samples that stay together, empty without.
    ld_r2 : float
        The r2 of groups of variants in linkage disequilibrium, 0 without.
    prefix, version, command, date : str
    seconds : dict
        By stage.
    interrupted : bool
    warnings : list of str
    """

    found: StabilitySelected
    account: Account
    columns: Columns
    prefix: str
    version: str
    command: str
    date: str
    blocks: str = ""
    ld_r2: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    interrupted: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def noun(self) -> str:
        """What is selected, in the plural."""
        return "groups" if self.found.group_names is not None else self.account.noun


def selection_lines(run: SelectionRun) -> list[str]:
    """Return what the terminal and the log show of a stability selection."""
    found, plan = run.found, run.found.plan
    lines = [
        "Stability selection",
        f"  {found.n_halves} halves of {counted(found.n_samples, 'sample')}, each selecting up to "
        f"{plan.q:,} of {counted_of(plan.p, run.noun)}, {seconds_text(run.seconds.get('fit', 0.0))}",
    ]
    if plan.capped:
        lines.append("  that is a third of the samples of a half: with more samples each could select more")
    lines += [f"  warning: {text}" for text in run.warnings]
    lines += ["", f"Selected: {counted_of(len(found.selected), run.noun)}, {_share(run)}"]
    lines.append(f"  false ones expected: at most {plan.pfer:.2g} ({plan.bound} bound)")
    if found.p_values is not None:
        few = int((found.p_values[found.selected] <= 0.05).sum())
        lines.append(f"  p-values of at most 0.05: {few:,} of them (family-wise)")
    shown = {"ID", "FEATURE", "GROUP", "EFFECT_ALLELE", "BETA", "FREQ", "P_VALUE"}
    told = [(name, list(values)[:FEW]) for name, values in run.columns if name in shown]
    if len(found.selected):
        rows = [[cell(value) for value in row] for row in zip(*(values for _, values in told), strict=True)]
        lines += [f"  {line}".rstrip() for line in align_columns([name.lower() for name, _ in told], rows)]
        if len(found.selected) > FEW:
            lines.append(f"  and {len(found.selected) - FEW:,} more in {run.prefix}.selected.tsv")
    else:
        lines.append(f"  {in_shell(found.nothing_selected())}")
    return lines + [f"  note: {in_shell(text)}" for text in found.notes]


def selection_page(run: SelectionRun) -> Page:
    """Return the report of ``riata select``."""
    found, plan, account = run.found, run.found.plan, run.account
    adjusted = f", adjusted for {some(account.covariate_names, 5)}" if account.covariate_names else ""
    page = Page(
        title=f"{len(found.selected):,} of {counted_of(plan.p, run.noun)} selected for {account.response}",
        lead=f"Stability selection on {counted(account.n_samples, 'sample')}{adjusted}: what comes back when "
        f"half the samples are used. At most {plan.pfer:.2g} false selections are expected.",
        kicker=f"stability selection \u00b7 {run.date}",
    )
    if run.interrupted:
        page.notice = f"The run was interrupted after {found.n_halves // 2} pairs of halves: all is of these."
    elif not len(found.selected):
        page.notice = f"Nothing was selected. {in_shell(found.nothing_selected())}"
    page.facts = [
        Fact("Samples", f"{account.n_samples:,}", f"of {account.n_in_file:,} in the file"),
        Fact(run.noun.capitalize(), f"{plan.p:,}", "to select from"),
        Fact("Selected", f"{len(found.selected):,}", _share(run)),
        Fact("False ones expected", f"\u2264 {plan.pfer:.2g}", f"{plan.bound} bound"),
    ]
    page.sections = [
        part
        for part in (_errors(run), _path(run), _selected(run), samples_section(account), _next(run))
        if part is not None
    ]
    page.footer = [f"Made by riata {run.version} on {run.date}.", run.command]
    return page


def _share(run: SelectionRun) -> str:
    return f"in at least {100 * run.found.plan.threshold:g} % of the halves"


def _errors(run: SelectionRun) -> Section:
    """Return what the error rate means, in words and with all bounds."""
    found, plan = run.found, run.found.plan
    text = (
        f"Each of {found.n_halves} halves of the samples selects up to {plan.q:,} {run.noun} "
        f"({found.sizes.mean():.1f} on average). Those that {100 * plan.threshold:g} % of the halves agree "
        "on are selected. A selection is called false when a half would make it no more often than by "
        f"drawing {plan.q:,} of {plan.p:,} blindly; of these at most {plan.pfer:.2g} are expected among "
        "what is selected, in the mean over studies such as this one. It says nothing of a single one of "
        "them, and nothing of the size of effects."
    )
    if run.ld_r2:
        text += (
            " Groups are neighbouring variants in linkage disequilibrium (mean r2 of at least "
            f"{run.ld_r2:g}): a half selects a group with any of its variants, and false ones are counted "
            "by group."
        )
    if run.blocks:
        text += f" Samples of one {run.blocks} stayed in one half."
    if found.p_values is not None:
        text += (
            " The p-values test what a half selects on the other half. They are adjusted for all: the "
            "chance that any of those at most 0.05 is false is at most 0.05, if the model holds and "
            "halves find what has an effect."
        )
        if found.splits_without_p_values:
            text += (
                f" {found.splits_without_p_values} halves selected too many to be tested, and count with "
                "p-values of 1."
            )
    needs = {
        "r-concave": "how often halves select a false one falls off as it does in all cases studied",
        "unimodal": "it has one peak",
        "worst": "nothing",
    }
    body = table(
        [
            ("Bound", list(plan.bounds)),
            ("Assumes", [needs[name] for name in plan.bounds]),
            ("False ones, at most", list(plan.bounds.values())),
        ],
        numeric=("False ones, at most",),
        strong="Bound",
    )
    return Section(
        "Which errors to expect", " ".join([text, *(f"Note: {in_shell(note)}" for note in found.notes)]), body
    )


def _path(run: SelectionRun) -> Section | None:
    """Return the stability path."""
    if not len(run.found.ranked):
        return None
    text = (
        f"From left to right halves are allowed more {run.noun}. A line is the share of the halves that "
        "has one among them. Those selected are coloured and end above the dotted line; what is chosen by "
        "chance stays low."
    )
    return Section(
        "How they stand out", text, figure(drawn(stability_chart(run.found, 12, run.noun), (860, 420)))
    )


def _selected(run: SelectionRun) -> Section | None:
    """Return the table of what was selected."""
    found = run.found
    if not len(found.selected):
        return None
    text = (
        "Bound there is the bound on false selections of a threshold that it would just have reached. "
        "Mean effect is over the halves that selected it, shrunken by the penalty; same sign the share of "
        "them that agree on its sign."
    )
    if found.group_names is not None:
        text += " Of a group its most frequent member is shown."
    if len(found.selected) > MAX_ROWS:
        text += f" The first {MAX_ROWS} are here, all {len(found.selected):,} in {run.prefix}.selected.tsv."
    hidden = ("CHROM", "POS") if run.ld_r2 else ()  # groups are called by their places
    shown = [
        (TITLES[name], list(values)[:MAX_ROWS])
        for name, values in run.columns
        if name in TITLES and name not in hidden
    ]
    numeric = tuple(name for name, _ in shown if name not in TEXTS)
    strong = next(name for name in ("Group", "Variant", "Feature") if name in dict(shown))
    return Section("What was selected", text, table(shown, numeric=numeric, strong=strong))


def samples_section(account: Account) -> Section:
    """Return what became of the samples."""
    rows = account.samples
    body = table(
        [
            ("Samples", [what[0].upper() + what[1:] for what, _, _ in rows]),
            ("Count", [count for _, count, _ in rows]),
            ("For example", [examples for _, _, examples in rows]),
        ],
        numeric=("Count",),
    )
    notes = "; ".join(account.notes)
    return Section("Which samples were used", f"Note: {notes}." if notes else "", body)


def _next(run: SelectionRun) -> Section:
    text = (
        f"How often every one that some half selected was is in {run.prefix}.frequencies.tsv. The halves "
        f"are drawn from the seed {run.found.seed}: the same command gives the same result."
    )
    lines = f'import riata\n\nfound = riata.load("{run.prefix}.selection.npz")\nprint(found.explain())'
    return Section("To go on", text, code(lines))


def cell(value: object) -> str:
    """Write a cell for the terminal."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
