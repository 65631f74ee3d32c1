"""The pages and the terminal summary of a fit: which numbers are shown, and the words around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.charts import cv_chart, genome_chart, path_chart
from riata.evaluation import Evaluation
from riata.hits import Hits
from riata.plots import active_curves, score_label
from riata.report import Fact, Page, Section, code, effects_table, figure, table
from riata.study import Study
from riata.tables import some

#: Curves drawn in the report: beyond some hundreds they only add weight.
MAX_CURVES = 250


@dataclass
class Fitted:
    """A finished fit with everything that reports on it.

    `fit` is the Path or CVPath; `rule` says in words how `alpha` was chosen; `seconds` are by stage.
    `held_out` are responses and linear predictors of samples that took no part in the fit, and `evaluation`
    measures these; its `part` says which samples they are.
    """

    study: Study
    fit: Any
    hits: Hits
    alpha: float
    rule: str
    prefix: str
    version: str
    command: str
    date: str
    seconds: dict[str, float] = field(default_factory=dict)
    interrupted: bool = False
    warnings: list[str] = field(default_factory=list)
    held_out: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    evaluation: Evaluation | None = None

    @property
    def path(self) -> Any:
        return getattr(self.fit, "path", self.fit)

    @property
    def cv(self) -> Any:
        return self.fit if hasattr(self.fit, "path") else None

    @property
    def noun(self) -> str:
        return self.study.noun

    @property
    def largest_gap(self) -> float:
        return float(np.max(self.path.dual_gaps))

    @property
    def n_candidates(self) -> int:
        return self.study.n_features - len(self.study.excluded)

    @property
    def at(self) -> int:
        """Grid point nearest to alpha."""
        return int(np.argmin(np.abs(self.path.alphas - self.alpha)))

    @property
    def n_active(self) -> NDArray[np.int64]:
        """Penalised features active along the path, (L,)."""
        coefs = self.path.coefs
        selectable = coefs.indices < self.study.n_features
        column = np.repeat(np.arange(coefs.shape[1]), np.diff(coefs.indptr))
        return np.bincount(column[selectable & (coefs.data != 0.0)], minlength=coefs.shape[1]).astype(
            np.int64
        )

    @property
    def model_name(self) -> str:
        kind = {"gaussian": "linear regression", "binomial": "logistic regression"}.get(
            self.path.loss, self.path.loss
        )
        penalty = (
            "sparse" if self.path.l1_ratio == 1.0 else "ridge" if self.path.l1_ratio == 0.0 else "elastic net"
        )
        return f"{penalty} {kind}"


def gap_text(gap: float) -> str:
    """Write a duality gap."""
    return "0" if gap <= 0.0 else f"{gap:.1e}".replace(".0e", "e").replace("e-0", "e-").replace("e+0", "e")


def seconds_text(seconds: float) -> str:
    """Write a duration."""
    if seconds < 1.0:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 90.0:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min"


def certificate_text(fitted: Fitted) -> str:
    """Say in one sentence what is proven about the fits."""
    path = fitted.path
    if bool(np.all(path.converged)):
        return (
            f"all {len(path.alphas)} fits certified: largest relative duality gap "
            f"{gap_text(fitted.largest_gap)} "
            f"(tol {path.tol:.0e})".replace("e-0", "e-")
        )
    missed = int(np.sum(~np.asarray(path.converged)))
    return (
        f"{missed} of {len(path.alphas)} fits are NOT certified: relative duality gap up to "
        f"{gap_text(fitted.largest_gap)}, tol {path.tol:g}"
    )


def summary_lines(fitted: Fitted, limit: int = 10) -> list[str]:
    """Return what the terminal and the log show of a fit."""
    path, study, hits = fitted.path, fitted.study, fitted.hits
    lines = ["Fit"]
    lines.append(
        f"  {fitted.model_name}, {len(path.alphas)} alphas from {path.alphas[0]:.4g} to "
        f"{path.alphas[-1]:.4g}, {seconds_text(fitted.seconds.get('fit', 0.0))}, {path.n_passes:.1f} "
        "passes over the data"
    )
    lines.append(f"  {certificate_text(fitted)}")
    if fitted.interrupted:
        lines.append(f"  INTERRUPTED after {len(path.alphas)} alphas: what follows knows only these")
    if fitted.cv is not None:
        k = fitted.at
        lines.append(
            f"  {len(fitted.cv.folds)}-fold cross-validation: "
            f"{score_label(fitted.cv.scoring).split(',')[0]} {fitted.cv.mean_score[k]:.4g} (standard error "
            f"{fitted.cv.se_score[k]:.2g}) at alpha {fitted.alpha:.4g}"
        )
    lines += [f"  warning: {text}" for text in fitted.warnings]
    lines += ["", f"Selected at alpha {fitted.alpha:.4g} ({fitted.rule})"]
    lines.append(f"  {len(hits):,} of {fitted.n_candidates:,} {fitted.noun}")
    lines += [f"  {line}" for line in hits_lines(hits, limit, genotypes=study.is_genotypes)]
    if hits.covariates:
        lines.append("  covariates: " + some([f"{name} {value:.4g}" for name, value in hits.covariates], 6))
    return lines


def hits_lines(hits: Hits, limit: int, *, genotypes: bool) -> list[str]:
    """Return the first hits as aligned text."""
    if len(hits) == 0:
        return []
    count = min(limit, len(hits))
    columns = dict(hits.columns)
    names = list(hits.names[:count])
    if genotypes:
        names = [f"{name} ({columns['EFFECT_ALLELE'][i]})" for i, name in enumerate(names)]
    width = max(len(name) for name in [*names, "name"])
    head = "name (effect allele)" if genotypes else "name"
    width = max(width, len(head))
    lines = [f"{'entry':>5}  {head:<{width}}  {'beta':>10}  {'per sd':>10}"]
    for i in range(count):
        lines.append(f"{i + 1:>5}  {names[i]:<{width}}  {hits.beta[i]:>10.4g}  {hits.beta_std[i]:>10.3g}")
    if len(hits) > count:
        lines.append(f"       and {len(hits) - count:,} more in the hits file")
    unit = "copy of the effect allele" if genotypes else "unit"
    lines.append(f"entry: order of entering the path; beta: per {unit}; per sd: per standard deviation")
    return lines


def fit_page(fitted: Fitted) -> Page:
    """Return the report of ``riata fit`` or ``riata cv``."""
    study, hits = fitted.study, fitted.hits
    response = study.response
    what = f"{response.classes[1]} against {response.classes[0]}" if response.classes else response.name
    title = f"{len(hits):,} of {fitted.n_candidates:,} {fitted.noun} selected for {response.name}"
    if fitted.cv is None and fitted.alpha == fitted.path.alphas[-1]:
        title = (
            f"Path of {len(fitted.path.alphas)} models for {response.name}; the weakest penalty keeps "
            f"{len(hits):,} of {fitted.n_candidates:,} {fitted.noun}"
        )
    lead = (
        f"A {fitted.model_name} of {what} on {study.n_samples:,} samples"
        + (f", adjusted for {some(study.covariate_names, 5)}" if study.covariate_names else "")
        + f". {fitted.noun.capitalize()} were chosen jointly, at penalty alpha "
        f"{fitted.alpha:.3g}: {fitted.rule}."
    )
    page = Page(
        title=title, lead=lead, kicker=f"{'cross-validated fit' if fitted.cv else 'fit'} \u00b7 {fitted.date}"
    )
    if fitted.interrupted:
        page.notice = (
            "The run was interrupted: this is the part of the path that was finished and certified by then."
        )
    page.facts = fit_facts(fitted)
    page.sections = [section for section in fit_sections(fitted) if section is not None]
    page.footer = [f"Made by riata {fitted.version} on {fitted.date}.", fitted.command]
    return page


def fit_facts(fitted: Fitted) -> list[Fact]:
    """Return the key numbers of a fit."""
    study, path, hits = fitted.study, fitted.path, fitted.hits
    aside = f"{len(study.excluded):,} set aside" if study.excluded else "all taken into account"
    facts = [
        Fact("Samples", f"{study.n_samples:,}", f"of {study.join.n_source:,} in the file"),
        Fact(fitted.noun.capitalize(), f"{study.n_features:,}", aside),
        Fact("Selected", f"{len(hits):,}", f"at alpha {fitted.alpha:.3g}"),
    ]
    if fitted.cv is not None:
        k = fitted.at
        facts.append(
            Fact(
                f"Cross-validated {score_label(fitted.cv.scoring).split(',')[0]}",
                f"{fitted.cv.mean_score[k]:.3g}",
                f"\u00b1 {fitted.cv.se_score[k]:.2g} standard error, {len(fitted.cv.folds)} folds",
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
            f"largest relative duality gap, {'within' if certified else 'ABOVE'} tol {gap_text(path.tol)}",
            good=certified,
        ),
        Fact("Passes over the data", f"{path.n_passes:.1f}", f"for {len(path.alphas)} penalties"),
        Fact("Time to fit", seconds_text(fitted.seconds.get("fit", 0.0)), "on this machine"),
    ]
    return facts


def fit_sections(fitted: Fitted) -> list[Section | None]:
    """Return the figures, tables and instructions of a fit."""
    return [
        _cv_section(fitted),
        hits_section(fitted),
        genome_section(fitted),
        path_section(fitted),
        samples_section(fitted),
        certificate_section(fitted),
        next_section(fitted),
    ]


def _cv_section(fitted: Fitted) -> Section | None:
    return cv_section(fitted) if fitted.cv is not None else None


def cv_section(fitted: Fitted) -> Section:
    """Return the cross-validation curve."""
    cv, path = fitted.cv, fitted.path
    chart = cv_chart(
        path.alphas, cv.mean_score, cv.se_score, fitted.n_active, alpha_min=cv.alpha_min,
        alpha_1se=cv.alpha_1se, score=score_label(cv.scoring),
    )  # fmt: skip
    return Section(
        "How well it predicts samples it has not seen",
        f"Each of {len(cv.folds)} folds was held out in turn. The line is the mean score over folds, the "
        f"band one standard error. On the left the penalty is strong and keeps few {fitted.noun}, on the "
        "right it is weak and keeps many. 1 SE marks the sparsest model within one standard error of the "
        "best.",
        figure(chart),
    )


def path_section(fitted: Fitted) -> Section:
    """Return the coefficient paths."""
    path, study = fitted.path, fitted.study
    features, curves = active_curves(path)
    keep = features < study.n_features
    features, curves = features[keep], curves[keep]
    rank = {int(j): i for i, j in enumerate(fitted.hits.positions[np.argsort(-np.abs(fitted.hits.beta_std))])}
    size = np.abs(curves).max(axis=1, initial=0.0)
    order = sorted(range(len(features)), key=lambda k: (rank.get(int(features[k]), len(rank)), -size[k]))[
        :MAX_CURVES
    ]
    names = study.feature_names
    shown = np.asarray(path.alphas >= fitted.alpha / 4 * (1 - 1e-9)) if fitted.cv is not None else slice(None)
    chart = path_chart(
        path.alphas[shown], curves[order][:, shown], [names[features[k]] for k in order],
        fitted.n_active[shown], chosen=fitted.alpha, n_highlighted=min(8, len(rank)) if rank else 8,
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
        "the chosen penalty are "
        "named." + more,
        figure(chart),
    )


def hits_section(fitted: Fitted) -> Section:
    """Return the table of hits."""
    hits, study = fitted.hits, fitted.study
    heading = f"What was selected: {len(hits):,} {fitted.noun}"
    if len(hits) == 0:
        return Section(heading, "Nothing improves on the intercept and covariates at this penalty.")
    columns = {name: list(values) for name, values in hits.columns}
    feature = fitted.noun.removesuffix("s").capitalize()
    if study.is_genotypes:
        columns["PLACE"] = [f"{c}:{p:,}" for c, p in zip(columns["CHROM"], columns["POS"], strict=True)]
        wanted = {
            "Rank": "RANK", "Variant": "ID", "Position": "PLACE", "Effect allele": "EFFECT_ALLELE",
            "Other": "OTHER_ALLELE", "Frequency": "EAF", "Beta": "BETA", "Per sd": "BETA_STD",
        }  # fmt: skip
        text = "Beta is the effect of one copy of the effect allele, given all other selected variants; "
    else:
        wanted = {
            "Rank": "RANK", feature: "FEATURE", "Beta": "BETA", "Per sd": "BETA_STD",
            "Enters at alpha": "ENTRY_ALPHA",
        }  # fmt: skip
        text = f"Beta is the effect of one unit, given all other selected {fitted.noun}; "
    unit = (
        "log odds of " + study.response.classes[1]
        if study.response.classes
        else f"units of {study.response.name}"
    )
    text += (
        f"per sd that of one standard deviation, both in {unit}. Rank is the order of entry into the path."
    )
    if len(hits) > 500:
        text += f" The first 500 are here; all are in {fitted.prefix}.hits.tsv."
    text += " Penalised effects are shrunk towards zero and are not estimates with p-values."
    body = effects_table(
        [(shown, columns[name]) for shown, name in wanted.items()], hits.beta_std.tolist(),
        numeric=("Rank", "Frequency", "Beta", "Per sd", "Enters at alpha"),
        strong="Variant" if study.is_genotypes else feature,
    )  # fmt: skip
    if hits.covariates:
        names, values = zip(*hits.covariates, strict=True)
        body += "<p></p>" + table([("Covariate, not penalised", names), ("Beta", values)], numeric=("Beta",))
    return Section(heading, text, body)


def genome_section(fitted: Fitted) -> Section | None:
    """Return effects along the genome, when there are positions to place them."""
    study, hits = fitted.study, fitted.hits
    if not study.is_genotypes or len(hits) == 0:
        return None
    chrom, pos = study.features["chrom"], study.features["pos"].astype(np.float64)
    names = sorted(set(chrom), key=chromosome_order)
    gap = 0.0
    starts, ends, offset = [], [], {}
    for name in names:
        here = pos[chrom == name]
        offset[name] = gap - here.min()
        starts.append(gap)
        ends.append(gap + max(here.max() - here.min(), 1.0))
        gap = ends[-1]
    where = np.array([offset[chrom[j]] + pos[j] for j in hits.positions])
    chart = genome_chart(names, np.array(starts), np.array(ends), where, hits.beta_std, hits.names)
    return Section(
        "Where they lie",
        "Effects along the genome, upwards for alleles that raise the response.",
        figure(chart),
    )


def chromosome_order(name: str) -> tuple[int, str]:
    """Sort chromosomes as people do: 1 to 22, then X, Y, XY, MT, then other names."""
    bare = name.removeprefix("chr")
    if bare.isdigit():
        return int(bare), ""
    letters = {"X": 23, "Y": 24, "XY": 25, "M": 26, "MT": 26}
    return letters.get(bare.upper(), 1000), bare


def samples_section(fitted: Fitted) -> Section:
    """Return which samples were used and why others were not."""
    rows = fitted.study.join.rows()
    body = table(
        [
            ("Samples", [r[0] for r in rows]),
            ("Count", [r[1] for r in rows]),
            ("For example", [r[2] for r in rows]),
        ],
        numeric=("Count",),
    )
    notes = "; ".join(fitted.study.join.notes)
    return Section("Which samples were used", f"Note: {notes}." if notes else "", body)


def certificate_section(fitted: Fitted) -> Section:
    """Return what the duality gap means."""
    return Section(
        "What the certificate means",
        "For every penalty riata computes, from the data, a lower bound on the best objective any "
        "coefficients could reach. The gap between that bound and the fit, as a share of what there is "
        f"to explain, is the relative duality gap: here at most {gap_text(fitted.largest_gap)}. To that "
        "precision the fit is proven to be the best there is for the problem as stated, not merely where "
        "a solver stopped. It does not say that the model is true.",
    )


def next_section(fitted: Fitted) -> Section:
    """Return commands that take the fit further."""
    flag = "--bfile NEW" if fitted.study.is_genotypes else "--matrix NEW.csv"
    covar = " --covar NEW.cov" if fitted.study.covariate_names else ""
    body = code(f"riata predict --model {fitted.prefix}.path.npz {flag}{covar} --out scores") + code(
        f'import riata\nfit = riata.load("{fitted.prefix}.path.npz")\nfit.plot()'
    )
    return Section("What to do next", "Score new samples, or continue in Python.", body)
