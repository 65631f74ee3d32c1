"""The page and the terminal summary of a fit: key numbers, and the words around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import some
from riata._io.wording import counted, counted_of
from riata.losses._known import RATIO_NAMES
from riata.path.certificates import CERTIFICATES, certificate_text, gap_text
from riata.path.cv_result import CVPath
from riata.report.page import Fact, Page
from riata.report.plots import score_label
from riata.report.sections import fit_sections
from riata.study.cv_choices import choice_lines, choice_notes, nested_text
from riata.study.fit_result import Fitted, seconds_text
from riata.study.hits import SPOKEN_FOR, Hits


def summary_lines(fitted: Fitted, limit: int = 10) -> list[str]:
    """Return what the terminal and the log show of a fit."""
    path, account, hits = fitted.path, fitted.account, fitted.hits
    lines = ["Fit"]
    lines.append(
        f"  {fitted.model_name}, {_grid(path.alphas)}, {seconds_text(fitted.seconds.get('fit', 0.0))}, "
        f"{path.n_passes:.1f} passes over the data" + (f", {fitted.shared}" if fitted.together else "")
    )
    lines.append(f"  {certificate_text(path)}")
    if fitted.interrupted:
        lines.append(
            f"  INTERRUPTED after {counted(len(path.alphas), 'alpha')}: all that follows is for these"
        )
    if fitted.cv is not None:
        lines.append(f"  {cross_validation_text(fitted.cv)}")
        lines += [f"    {line}" for line in choice_lines(fitted)]
        if fitted.cv.nested is not None:
            lines.append(f"  {nested_text(fitted)}")
        lines += [f"  note: {text}" for text in choice_notes(fitted)]
    lines += [f"  warning: {text}" for text in fitted.warnings]
    lines += ["", f"Selected at alpha {fitted.alpha:.4g} ({fitted.rule})"]
    lines.append(f"  {len(hits):,} of {counted_of(account.n_candidates, fitted.noun)}")
    if fitted.groups is not None:
        lines.append(f"  {groups_text(fitted)}")
    lines += [f"  {line}" for line in hits_lines(hits, limit, genotypes=account.is_genotypes)]
    if hits.covariates:
        lines.append("  covariates: " + some([f"{name} {value:.4g}" for name, value in hits.covariates], 6))
    return lines


def _grid(alphas: NDArray[np.float64]) -> str:
    if len(alphas) == 1:
        return f"at alpha {alphas[0]:.4g} alone"
    return f"{len(alphas)} alphas from {alphas[0]:.4g} to {alphas[-1]:.4g}"


def cross_validation_text(cv: CVPath) -> str:
    """Name a cross-validation by its folds, and say how they came about."""
    name = f"{len(cv.first_folds)}-fold cross-validation"
    made = cv.folds_made.removeprefix(f"{len(cv.first_folds)} folds ")
    return f"{name}: {made}" if made else name


def groups_text(fitted: Fitted) -> str:
    """Say which of the groups were selected, and how many features that are in none."""
    assert fitted.groups is not None
    named = fitted.groups.numbers < fitted.account.n_groups
    names = fitted.groups.column("GROUP")[named].tolist()
    text = f"in {len(names):,} of {counted(fitted.account.n_groups, 'group')}"
    text += f": {some(names, 6)}" if names else ""
    alone = int(np.count_nonzero(~named))
    return f"{text}; {alone:,} in no group" if alone else text


def hits_lines(hits: Hits, limit: int, *, genotypes: bool) -> list[str]:
    """Return the first hits as aligned text."""
    if len(hits) == 0:
        return []
    count = min(limit, len(hits))
    columns = dict(hits.columns)
    names = list(hits.names[:count])
    if genotypes:
        names = [f"{name} ({columns['EFFECT_ALLELE'][i]})" for i, name in enumerate(names)]
    head = "name (effect allele)" if genotypes else "name"
    speaks = next((name for name in SPOKEN_FOR if name in columns), "")
    if speaks:
        names = [f"{name} [{columns[speaks][i]}]" for i, name in enumerate(names)]
        head += f" [{speaks.lower()}]"
    width = max(len(name) for name in [*names, "name"])
    width = max(width, len(head))
    ratio = next((name for name in RATIO_NAMES if name in columns), "")
    shown = f"  {ratio:>10}" if ratio else ""
    lines = [f"{'entry':>5}  {head:<{width}}  {'beta':>10}{shown}  {'per sd':>10}"]
    for i in range(count):
        shown = f"  {columns[ratio][i]:>10.4g}" if ratio else ""
        lines.append(
            f"{i + 1:>5}  {names[i]:<{width}}  {hits.beta[i]:>10.4g}{shown}  {hits.beta_std[i]:>10.3g}"
        )
    if "GROUP" in columns:
        groups = ["group", *columns["GROUP"][:count]]
        lines = [f"{line}  {group}" for line, group in zip(lines, groups, strict=True)]
    if len(hits) > count:
        lines.append(f"       and {len(hits) - count:,} more in the hits file")
    if speaks:
        of_all = "classes" if speaks == "CLASS" else "responses"
        lines.append(
            f"beta is for the {speaks.lower()} it is largest for, the hits file has those of all {of_all}"
        )
    unit = "copy of the effect allele" if genotypes else "unit"
    told = f"; {ratio}: {RATIO_NAMES[ratio]}" if ratio else ""
    lines.append(f"entry: order of entering the path; beta: per {unit}; per sd: per standard deviation{told}")
    return lines


def fit_page(fitted: Fitted) -> Page:
    """Return the report of ``riata fit`` or ``riata cv``."""
    account, hits = fitted.account, fitted.hits
    classes = account.pair
    what = f"{classes[1]} against {classes[0]}" if classes else fitted.outcome
    if len(account.classes) > 2:
        what = f"{account.response} ({some(account.classes, 5)})"
    candidates = counted_of(account.n_candidates, fitted.noun)
    title = f"{len(hits):,} of {candidates} selected for {account.response}"
    if fitted.cv is None and fitted.alpha == fitted.path.alphas[-1]:
        title = (
            f"Path of {counted(len(fitted.path.alphas), 'model')} for {account.response}; the weakest "
            f"penalty keeps {len(hits):,} of {candidates}"
        )
    article = "An" if fitted.model_name.startswith(("elastic", "MCP")) else "A"
    lead = (
        f"{article} {fitted.model_name} of {what} on {counted(account.n_samples, 'sample')}"
        + (f", adjusted for {some(account.covariate_names, 5)}" if account.covariate_names else "")
        + f". {fitted.noun.capitalize()} were chosen jointly, at penalty alpha "
        f"{fitted.alpha:.3g} ({fitted.rule})."
    )
    page = Page(
        title=title, lead=lead, kicker=f"{'cross-validated fit' if fitted.cv else 'fit'} \u00b7 {fitted.date}"
    )
    if fitted.interrupted:
        page.notice = (
            "The run was interrupted: this is the part of the path that was finished and certified by then."
        )
    else:
        page.notice = " ".join(f"{text[0].upper()}{text[1:]}." for text in choice_notes(fitted))
    page.facts = fit_facts(fitted)
    page.sections = fit_sections(fitted)
    page.footer = [f"Made by riata {fitted.version} on {fitted.date}.", fitted.command]
    return page


def fit_facts(fitted: Fitted) -> list[Fact]:
    """Return the key numbers of a fit."""
    account, path, hits = fitted.account, fitted.path, fitted.hits
    n_aside = account.n_features - account.n_candidates
    aside = f"{n_aside:,} set aside" if n_aside else "all taken into account"
    facts = [
        Fact(
            "Samples",
            f"{account.n_samples:,}",
            f"of {account.n_in_file:,} in the file" if account.n_in_file else "of positive weight",
        ),
        Fact(fitted.noun.capitalize(), f"{account.n_features:,}", aside),
        Fact("Selected", f"{len(hits):,}", f"at alpha {fitted.alpha:.3g}"),
    ]
    if fitted.cv is not None:
        k = fitted.at
        facts.append(
            Fact(
                f"Cross-validated {score_label(fitted.cv.scoring).split(',')[0]}",
                f"{fitted.cv.mean_score[k]:.3g}",
                f"\u00b1 {fitted.cv.se_score[k]:.2g} standard error, {fitted.cv.folds_text}",
            )
        )
    certified = bool(np.all(path.converged))
    facts += [
        Fact(
            "Explained in the samples fitted",
            f"{100 * float(path.deviance_ratio[fitted.at]):.0f} %",
            "of the deviance; optimistic, see the curve"
            if fitted.cv is not None
            else "of the deviance; optimistic",
        ),
        Fact(
            "Certificate",
            gap_text(fitted.largest_gap),
            f"largest {CERTIFICATES[path.certificate].name}, {'within' if certified else 'ABOVE'} tol "
            f"{gap_text(path.tol)}",
            good=certified,
        ),
        Fact(
            "Passes over the data",
            f"{path.n_passes:.1f}",
            fitted.shared or f"for {counted(len(path.alphas), 'penalty', 'penalties')}",
        ),
        Fact("Time to fit", seconds_text(fitted.seconds.get("fit", 0.0)), "on this machine"),
    ]
    return facts
