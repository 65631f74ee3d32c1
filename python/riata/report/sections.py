"""The parts of the report of a fit: each a figure or a table with a sentence or two about it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from riata._io.wording import agree, counted, counted_of
from riata.genetics.chromosomes import ChromosomeSet
from riata.losses._known import GREATER_IS_BETTER, RATIO_NAMES
from riata.path.certificates import CERTIFICATES, convex_text, gap_text
from riata.report.charts.description import N_COLOURS
from riata.report.charts.genome import Hit, genome_chart
from riata.report.charts.paths import mark_of_chosen, path_chart
from riata.report.charts.svg import drawn
from riata.report.held_out_sections import held_out_section
from riata.report.methods import methods_text
from riata.report.page import Section, code, effects_table, figure, note, stack, table
from riata.report.plots import described_cv, main_curves
from riata.study.cv_choices import choices_of, score_name
from riata.study.fit_result import Fitted
from riata.study.hits import SPOKEN_FOR, Hits
from riata.study.ld import SAME

#: Curves drawn in the report: beyond some hundreds they only add weight.
MAX_CURVES = 250
#: Columns of labels beside the name of a hit.
LABELLED = (*SPOKEN_FOR, "GROUP")
#: Hits in its table.
MAX_ROWS = 200


def fit_sections(fitted: Fitted) -> list[Section]:
    """Return the figures, tables and instructions of a fit."""
    sections = [
        cv_section(fitted) if fitted.cv is not None else None,
        held_out_section(fitted),
        genome_section(fitted),
        groups_section(fitted),
        hits_section(fitted),
        path_section(fitted),
        samples_section(fitted),
        features_section(fitted),
        certificate_section(fitted),
        Section("Methods, in words for a paper", methods_text(fitted)),
        next_section(fitted),
    ]
    return [section for section in sections if section is not None]


def cv_section(fitted: Fitted) -> Section:
    """Return the cross-validation curve."""
    cv, path = fitted.cv, fitted.path
    loss = path.loss_function
    shown = slice(worth_drawing(cv.mean_score, greater_is_better=cv.scoring in GREATER_IS_BETTER))
    chart = drawn(described_cv(cv, shown, fitted.n_active))
    made = cv.folds_made or cv.folds_text
    turns = "" if "windows" in made else "; each was held out in turn"
    text = (
        f"{made[0].upper()}{made[1:]}{turns}. The line is the mean score over folds, the "
        f"band one standard error. On the left the penalty is strong and keeps few {fitted.noun}, on the "
        "right it is weak and keeps many. 1 SE marks the sparsest model within one standard error of the "
        "best."
    )
    if np.isfinite(cv.null_score):
        of_intercept = "the intercept alone, fitted to the same samples"
        what = of_intercept if loss.has_intercept else "a model without effects"
        text += f" The dashed line is {what}: what a model has to beat."
    if shown.stop < len(path.alphas):
        text += " Weaker penalties, which do far worse, are not drawn."
    choices, score = choices_of(fitted), score_name(cv.scoring)
    score, noun = score[0].upper() + score[1:], fitted.noun.capitalize()
    body = stack(
        figure(chart),
        table(
            [
                ("Model", [c.name.capitalize() + (", reported here" if c.chosen else "") for c in choices]),
                (score_name(cv.scoring).capitalize().replace("Auc", "AUC"), [c.score for c in choices]),
                ("Standard error", [c.error for c in choices]),
                ("Alpha", ["" if c.alpha is None else c.alpha for c in choices]),
                (noun, [c.selected for c in choices]),
            ],
            numeric=(score, "Standard error", "Alpha", noun),
        ),
    )
    return Section("How well it predicts samples it has not seen", text, body)


def worth_drawing(mean: NDArray[np.float64], *, greater_is_better: bool) -> int:
    """Return how many scores of a curve to draw: up to where it has lost ten times what it gained."""
    cost = -mean if greater_is_better else mean
    best = int(np.nanargmin(cost))
    lost = np.flatnonzero(cost[best:] - cost[best] > 10.0 * (cost[0] - cost[best]))
    return best + int(lost[0]) if best > 0 and len(lost) else len(mean)


def genome_section(fitted: Fitted) -> Section | None:
    """Return effects along the genome, when there are chromosomes to place them on."""
    account, hits = fitted.account, fitted.hits
    if not account.genome or len(hits) == 0:
        return None
    chrom, eaf = hits.column("CHROM"), hits.column("EAF")
    places = variant_places(hits)
    plain = ChromosomeSet.of(account.chromosome_set).plain
    genome = [replace(stretch, name=plain(stretch.name)) for stretch in account.genome]
    marks = [
        Hit(
            chromosome=plain(str(chrom[k])),
            place=account.places[int(hits.positions[k])],
            effect=float(hits.beta_std[k]),
            name=named(hits, int(k)),
            told=f"{hits.names[k]} at {places[k]}: {hits.beta_std[k]:.3g} per standard deviation, "
            f"{hits.beta[k]:.3g} per copy, frequency {eaf[k]:.3g}",
        )
        for k in hits.strongest
    ]
    log_of = "odds" if account.classes else fitted.path.loss_function.log_of
    scale = f"log {log_of}" if log_of else account.response
    label = f"effect of one standard deviation, {scale}"
    return Section(
        "Where they lie",
        "Effects along the genome, given all other selected variants: upwards where the effect allele "
        f"raises {fitted.outcome}, downwards where it lowers it. The strongest are named.",
        figure(genome_chart(genome, marks, label)),
    )


def variant_places(hits: Hits) -> list[str]:
    """Return chromosome and position of each hit, as 3:1,234,567."""
    return [f"{c}:{int(p):,}" for c, p in zip(hits.column("CHROM"), hits.column("POS"), strict=True)]


def named(hits: Hits, row: int) -> str:
    """Name a variant: by its place when it has no id."""
    if hits.names[row] != ".":
        return hits.names[row]
    return f"{hits.column('CHROM')[row]}:{hits.column('POS')[row]}"


def groups_section(fitted: Fitted) -> Section | None:
    """Return the table of the groups that were selected."""
    groups, account = fitted.groups, fitted.account
    if groups is None or len(groups) == 0:
        return None
    named = int(np.count_nonzero(groups.numbers < account.n_groups))
    alone = len(groups) - named
    heading = f"Which groups were selected: {named:,} of {account.n_groups:,}"
    text = (
        f"Selected is how many of the {fitted.noun} of a group have an effect. Norm is the root of the sum "
        f"of their squared effects of one standard deviation, in {fitted.unit}."
    )
    if fitted.path.members is not None:
        text += " Groups overlap: these are a group's parts of effects, which add up to the effects."
    if alone:
        own = agree(alone, "is in no group, a group of its own", "are in no group, groups of their own")
        text += f" {alone:,} of those selected {own} here."
    if len(groups) > MAX_ROWS:
        text += f" The first {MAX_ROWS} are here, all {len(groups):,} in {fitted.listed('groups.tsv')}."
    if account.group_notes:
        text += f" Read: {'; '.join(account.group_notes)}."
    shown = [
        ("Rank", groups.column("RANK")),
        ("Group", groups.column("GROUP")),
        (fitted.noun.capitalize(), groups.column("SIZE")),
        ("Selected", groups.column("NONZERO")),
        ("Norm", groups.column("NORM_STD")),
        ("Enters at alpha", groups.column("ENTRY_ALPHA")),
    ]
    body = table(
        [(name, values[:MAX_ROWS].tolist()) for name, values in shown],
        numeric=("Rank", fitted.noun.capitalize(), "Selected", "Norm", "Enters at alpha"),
        strong="Group",
    )
    return Section(heading, text, body)


def hits_section(fitted: Fitted) -> Section:
    """Return the table of hits."""
    hits, account = fitted.hits, fitted.account
    heading = f"What was selected: {counted_of(len(hits), fitted.noun)}"
    if len(hits) == 0:
        without = ["the intercept"] if fitted.path.loss_function.has_intercept else []
        without += ["the covariates"] if account.covariate_names else []
        rest = " and ".join(without) or f"a model without {fitted.noun}"
        return Section(heading, f"Nothing improves on {rest} at this penalty.")
    feature = fitted.noun.removesuffix("s").capitalize()
    columns: list[tuple[str, Any]] = (
        _variant_columns(fitted) if account.is_genotypes else [(feature, hits.column("FEATURE"))]
    )
    columns = [
        ("Rank", hits.column("RANK")),
        *columns,
        *((name.capitalize(), values) for name, values in hits.columns if name in LABELLED),
        ("Beta", hits.beta),
        *((name, hits.column(name)) for name in RATIO_NAMES if name in dict(hits.columns)),
        ("Per sd", hits.beta_std),
    ]
    if not account.is_genotypes:
        columns.append(("Enters at alpha", hits.entry))
    unit = "copy of the effect allele" if account.is_genotypes else "unit"
    text = (
        f"Beta is the effect of one {unit}, given all other selected {fitted.noun}; per sd that of one "
        f"standard deviation, both in {fitted.unit}. Rank is the order of entry into the path."
    )
    if account.is_genotypes:
        text += " Alleles are the effect allele, whose frequency is given, and the other one."
    if len(account.classes) > 2:
        text += (
            " Beta is for the class that it is largest for: what it adds to the log of its probability, up "
            f"to what is common to all classes. Those of all classes are in {fitted.listed('hits.tsv')}."
        )
    if ratio := fitted.path.loss_function.ratio:
        text += f" {ratio} is the {RATIO_NAMES[ratio]} of one {unit}."
    text += (
        " Effects are not estimates with p-values: they were selected"
        if fitted.path.certificate == "kkt"
        else " Penalised effects are shrunk towards zero and are not estimates with p-values"
    ) + "."
    if len(hits) > MAX_ROWS:
        text += f" The first {MAX_ROWS} are here, all {len(hits):,} in {fitted.listed('hits.tsv')}."
    body = effects_table(
        columns,
        hits.beta_std.tolist(),
        numeric=("Rank", "Freq.", "Beta", *RATIO_NAMES, "Per sd", "Enters at alpha"),
        strong=feature,
        limit=MAX_ROWS,
    )
    body += _ld_note(fitted)
    if hits.covariates:
        names, values = zip(*hits.covariates, strict=True)
        body = stack(body, table([("Covariate, not penalised", names), ("Beta", values)], numeric=("Beta",)))
    return Section(heading, text, body)


def _variant_columns(fitted: Fitted) -> list[tuple[str, Any]]:
    hits = fitted.hits
    alleles = [
        f"{_short(a)} / {_short(b)}"
        for a, b in zip(hits.column("EFFECT_ALLELE"), hits.column("OTHER_ALLELE"), strict=True)
    ]
    columns: list[tuple[str, Any]] = [
        ("Variant", hits.names),
        ("Position", variant_places(hits)),
        ("Alleles", alleles),
        ("Freq.", hits.column("EAF")),
    ]
    if fitted.partners is not None and len(fitted.partners.hits):
        columns.append(("In LD with", ld_cells(fitted)))
    return columns


def _short(allele: str) -> str:
    return allele if len(allele) <= 8 else f"{allele[:5]}\u2026 ({len(allele)})"


def ld_cells(fitted: Fitted) -> list[str]:
    """Return for each hit its closest partner, r2, and how many more there are."""
    hits, partners = fitted.hits, fitted.partners
    assert partners is not None
    looked_at = set(partners.looked_at.tolist())
    cells = []
    for k in range(len(hits)):
        of = partners.of(k)
        count = of.stop - of.start
        if count == 0:
            cells.append("" if k in looked_at else "not looked at")
            continue
        r2 = float(partners.r2[of.start])
        best = str(partners.names[of.start])
        shown = f"same as {best}" if r2 >= SAME else f"{best} {math.floor(100 * r2) / 100:.2f}"
        cells.append(shown + (f", +{count - 1}" if count > 1 else ""))
    return cells


def _ld_note(fitted: Fitted) -> Markup:
    partners = fitted.partners
    if partners is None:
        return Markup()
    reach, least = f"{partners.window_kb:g} kb", f"{partners.least_r2:g}"
    if len(partners.hits) == 0:
        return note(f"No variant within {reach} of a hit has an r\u00b2 of {least} or more with it.")
    text = (
        f"In LD with: the variant within {reach} with the largest r\u00b2, and how many more reach {least}; "
        f"all are in {fitted.prefix}.ld.tsv."
    )
    twins = len(np.unique(partners.hits[partners.r2 >= SAME]))
    if twins:
        text += (
            f" {twins:,} of the hits {agree(twins, 'shares', 'share')} all genotypes with another variant: "
            "which of them is selected is arbitrary, the data cannot tell them apart."
        )
    if len(partners.looked_at) < len(fitted.hits):
        looked_at = counted(len(partners.looked_at), "strongest hit")
        text += f" Only the {looked_at} {agree(len(partners.looked_at), 'was', 'were')} looked at."
    return note(text)


def path_section(fitted: Fitted) -> Section:
    """Return the coefficient paths."""
    path, hits = fitted.path, fitted.hits
    features, curves = main_curves(path)
    weakest = fitted.alpha / 4 * (1 - 1e-9) if fitted.cv is not None else 0.0
    shown = path.alphas >= weakest
    curves = curves[:, shown]
    keep = (features < fitted.account.n_features) & curves.any(axis=1)
    features, curves = features[keep], curves[keep]
    rank = {int(j): i for i, j in enumerate(hits.positions[hits.strongest])}
    size = np.abs(curves).max(axis=1, initial=0.0)
    order = sorted(range(len(features)), key=lambda k: (rank.get(int(features[k]), len(rank)), -size[k]))
    order = order[:MAX_CURVES]
    names = dict(zip(hits.source.positions.tolist(), hits.source.names, strict=True))
    coloured = min(N_COLOURS, len(rank) or N_COLOURS, len(order))
    chart = path_chart(
        path.alphas[shown], curves[order], [str(names[int(features[k])]) for k in order],
        fitted.n_active[shown], colours=[k if k < coloured else None for k in range(len(order))],
        labels=range(coloured), marks=[mark_of_chosen(path.alphas[shown], fitted.alpha)],
        label="effect of one standard deviation" if path.standardize else "coefficient",
    )  # fmt: skip
    more = (
        f" The {MAX_CURVES} largest of {len(features):,} curves are drawn."
        if len(features) > MAX_CURVES
        else ""
    )
    return Section(
        "How effects enter as the penalty weakens",
        f"Each curve is one of the {fitted.noun}, from the penalty at which it enters. The strongest at "
        "the chosen penalty are named." + more,
        figure(drawn(chart, (860, 450))),
    )


def samples_section(fitted: Fitted) -> Section:
    """Return which samples were used and why others were not."""
    account = fitted.account
    rows = account.samples
    notes = "; ".join(account.notes)
    body = table(
        [
            ("Samples", [what[0].upper() + what[1:] for what, _, _ in rows]),
            ("Count", [count for _, count, _ in rows]),
            ("For example", [examples for _, _, examples in rows]),
        ],
        numeric=("Count",),
    )
    return Section("Which samples were used", f"Note: {notes}." if notes else "", body)


def features_section(fitted: Fitted) -> Section | None:
    """Return which features were set aside, and why."""
    account = fitted.account
    if not account.set_aside:
        return None
    rows = [
        (f"In the file, all {fitted.noun}", account.n_features),
        *((f"Set aside: {why}", count) for why, count in account.set_aside.items()),
        ("Offered to the fit", account.n_candidates),
    ]
    noun = fitted.noun.capitalize()
    body = table([(noun, [row[0] for row in rows]), ("Count", [row[1] for row in rows])], numeric=("Count",))
    listed = f"Those set aside are listed in {fitted.prefix}.excluded.tsv." if fitted.prefix else ""
    return Section(f"Which {fitted.noun} were used", listed, body)


def certificate_section(fitted: Fitted) -> Section:
    """Return what the certificate means."""
    text = CERTIFICATES[fitted.path.certificate].meaning.format(gap_text(fitted.largest_gap))
    convex = convex_text(fitted.path)
    if convex:
        text += f" The problem is {convex}" + (
            "."
            if convex.startswith("not")
            else ": there it is a strict minimum among those with its features."
        )
    return Section("What the certificate means", text)


def next_section(fitted: Fitted) -> Section:
    """Return commands that take the fit further."""
    model = f"--model {fitted.model_file}"
    flag = "--bfile NEW" if fitted.account.is_genotypes else "--matrix NEW.csv"
    covar = " --covar NEW.cov" if fitted.account.covariate_names else ""
    alpha, out = f"{_another_alpha(fitted):.3g}", fitted.prefix or "model"
    if not (fitted.prefix or fitted.saved):
        body = code(f'fit.table({alpha})\nfit.save("{fitted.model_file}")')
    else:
        body = code(f'import riata\nfit = riata.load("{fitted.model_file}")\nfit.plot()')
    body = (
        code(f"riata predict {model} {flag}{covar} --out scores")
        + code(f"riata report {model} --alpha {alpha} --out {out}-other")
        + body
    )
    return Section(
        "What to do next",
        "Score new samples, look at another penalty of the same path, or continue in Python.",
        body,
    )


def _another_alpha(fitted: Fitted) -> float:
    """Return an alpha of the path to try: the other choice of cross-validation, or one half way."""
    alphas = fitted.path.alphas
    if fitted.cv is not None:
        other = fitted.cv.alpha_1se if fitted.alpha == fitted.cv.alpha_min else fitted.cv.alpha_min
        if other not in (fitted.alpha, alphas[0], alphas[-1]):
            return float(other)
    return float(alphas[len(alphas) // 2])
