"""What notebooks show of paths, cross-validations, evaluations and genotypes: facts and a small chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from riata.losses._known import loss_of
from riata.path.certificates import CERTIFICATES, gap_text
from riata.path.coefs import each_output
from riata.path.many_classes import strongest
from riata.path.path_values import nearest
from riata.report.charts.description import Axis
from riata.report.charts.knockoffs import knockoff_chart
from riata.report.charts.paths import mark_of_chosen, path_chart
from riata.report.charts.stability import stability_chart
from riata.report.charts.svg import Frame, drawn, element, line, svg, text
from riata.report.page import cell_text, table
from riata.report.plots import described_cv, score_label
from riata.report.styles import card_style
from riata.report.templates import block, filled
from riata.study.cv_choices import null_name

if TYPE_CHECKING:
    from riata.genetics.genotypes import Genotypes
    from riata.path.class_tables import ClassTable
    from riata.path.evaluation import Evaluation
    from riata.path.intervals import Measure

Fact = tuple[str, str]

#: Curves in a chart, and those among them that are named.
MAX_CURVES, N_NAMED = 60, 6
#: Coefficients in a table.
MAX_COEFS = 10
_CHART, _BARS = (560, 320), (560, 150)
_MINUS = "\u2212"


def card(
    title: str,
    about: str,
    facts: Sequence[Fact],
    parts: Sequence[Markup] = (),
    note: str = "",
    *,
    kind: str = "charts",
) -> str:
    """Return a card with parts of a `kind`, ``charts`` or ``tables``; what is no Markup is escaped."""
    given = {"title": title, "about": about, "facts": facts, "note": note, "kind": kind}
    return str(filled("card.html.j2", **given, parts=[part for part in parts if part], style=card_style()))


def path_card(path: Any) -> str:
    """Return the card of a RegularizationPath."""
    facts = [
        *_sizes(path),
        ("alphas", f"{len(path):,}, {path.alphas[0]:.3g} to {path.alphas[-1]:.3g}"),
        ("active at the last", f"{int(path.n_active[-1]):,}"),
        ("deviance explained there", f"{100 * float(path.deviance_ratio[-1]):.0f} %"),
        _certificate(path),
    ]
    return card("riata.RegularizationPath", _kind(path), facts, [_path_chart(path, None)])


def relaxed_card(relaxed: Any) -> str:
    """Return the card of a RelaxedPath: that of its path, and how far the refits reach."""
    path, known = relaxed.path, relaxed.relaxed
    reach = f"{int(known.sum()):,} of {len(path):,} alphas"
    if known.any():
        last = int(np.flatnonzero(known)[-1])
        reach += f", to {path.alphas[last]:.3g} with {int(path.n_active[last]):,} active"
    facts = [*_sizes(path), ("refits", reach), _certificate(path)]
    note = "The penalised fits, which are gamma 1; gamma 0 are the refits of those active."
    return card("riata.RelaxedPath", _kind(path), facts, [_path_chart(path, None)], note)


def constrained_card(fit: Any) -> str:
    """Return the card of a ConstrainedFit, with its largest coefficients."""
    active = np.flatnonzero(fit.coef)
    state = "" if fit.converged else ", NOT certified"
    facts = [
        ("features", f"{fit.n_features:,}"),
        ("active", f"{len(active):,}"),
        ("budget", f"{fit.norm:.4g} of {fit.radius:.4g}{'' if fit.active else ', does not bind'}"),
        ("alpha", f"{fit.alpha:.3g}"),
        ("gap", f"{gap_text(fit.dual_gap)}{state}"),
    ]
    order = active[np.argsort(-np.abs(fit.coef[active]), kind="stable")][:MAX_COEFS]
    names = [f"x{j}" if fit.feature_names is None else str(fit.feature_names[int(j)]) for j in order]
    told = [("feature", names), ("coefficient", fit.coef[order].tolist())]
    note = f"The {MAX_COEFS} largest coefficients." if len(active) > MAX_COEFS else ""
    tables = [table(told, numeric=("coefficient",))] if len(active) else []
    return card(
        "riata.ConstrainedFit", f"{fit.loss}, L1 norm within a budget", facts, tables, note, kind="tables"
    )


def cv_card(cv: Any) -> str:
    """Return the card of a CVPath."""
    path, k = cv.path, cv.position
    score = score_label(cv.scoring).split(",")[0]
    facts = [
        *_sizes(path),
        ("folds", f"{len(cv.folds):,}"),
        ("selected", f"{int(path.n_active[k]):,} at alpha {cv.alpha:.3g} ({cv.alpha_rule})"),
        (score, f"{cv.mean_score[k]:.4g} \u00b1 {cv.se_score[k]:.2g}"),
        *([(null_name(path.loss), f"{cv.null_score:.4g}")] if np.isfinite(cv.null_score) else []),
        _certificate(path),
    ]
    shown = path.alphas >= cv.alpha_min / 4 * (1 - 1e-9)  # beyond, scores rise out of the picture
    chart = drawn(described_cv(cv, shown), _CHART)
    note = "Left: score of held-out samples; 1 SE: sparsest within one standard error. Right: the fit to all."
    return card("riata.CVPath", _kind(path), facts, [chart, _path_chart(path, cv.alpha)], note)


def stability_card(found: Any) -> str:
    """Return the card of a StabilitySelected, with its stability path and the most frequent items."""
    plan, what = found.plan, "groups" if found.group_names is not None else "features"
    facts = [
        ("samples", f"{found.n_samples:,}"),
        (what, f"{plan.p:,}"),
        ("halves", f"{found.n_halves:,}, each selecting up to {plan.q:,}"),
        ("selected", f"{len(found.selected):,}, in at least {100 * plan.threshold:g} % of the halves"),
        ("false ones expected, at most", f"{plan.pfer:.2g} ({plan.bound} bound)"),
    ]
    note = found.explain()
    parts = [drawn(stability_chart(found, 6), _CHART)] if len(found.ranked) else []
    return card("riata.StabilitySelected", loss_of(found.loss).model, facts, parts, note)


def knockoff_card(found: Any) -> str:
    """Return the card of a KnockoffSelected, with the W of its strongest items."""
    what = "groups" if found.group_names is not None else "features"
    facts = [
        ("samples", f"{found.n_samples:,}"),
        (what, f"{len(found.items):,}, each beside its knockoff"),
        ("selected", f"{len(found.selected):,}, at a false discovery rate of {found.fdr:g}"),
    ]
    if found.n_draws > 1:
        facts.append(("draws of knockoffs", f"{found.n_draws:,}, put together by e-values"))
    if found.check is not None:
        word = ("nearly have" if found.check.doubtful else "have") if found.check.ok else "do not have"
        facts.append(("check", f"the knockoffs {word} the correlations of X"))
    parts = [drawn(knockoff_chart(found, 6), _CHART)] if len(found.ranked) else []
    return card("riata.KnockoffSelected", loss_of(found.loss).model, facts, parts, found.explain())


def evaluation_card(evaluation: Evaluation) -> str:
    """Return the card of an Evaluation."""
    from riata.path.evaluation import LABELS, NOTHING, NOTHING_ADDED

    facts = [("samples", f"{evaluation.n:,}")]
    if evaluation.n_cases is not None:
        which = "with an event" if loss_of(evaluation.loss).has_times else "of the class modelled"
        facts.append((which, f"{evaluation.n_cases:,}"))
    shown = {LABELS.get(name, name): m for name, m in evaluation.measures.items()}
    classes = evaluation.table
    if classes is not None:
        shown |= {classes.rate_words(name): rate for name, rate in classes.rates.items()}
    tables = [_measures(shown, LABELS["log_loss"])] if shown else []
    if classes is not None:
        tables.append(_classes(classes))
    note = "" if not evaluation.nothing else NOTHING_ADDED if evaluation.measures else NOTHING
    return card("riata.Evaluation", evaluation.part, facts, tables, note, kind="tables")


def _measures(shown: dict[str, Measure], unbounded: str) -> Markup:
    """Return a table of values and their intervals, drawn where they end at 1."""
    low = min([0.0, *(v for name, m in shown.items() if name != unbounded for v in _ends(m))])
    head = "95 % interval" if any(m.interval for m in shown.values()) else ""
    rows = [
        (name, _number(m.value), _interval(m), "" if name == unbounded else _whisker(m, low))
        for name, m in shown.items()
    ]
    return block("measures", head, rows)


def _classes(found: ClassTable) -> Markup:
    """Return predicted beside observed classes."""
    return block("classes", found.classes, list(zip(found.classes, found.counts, strict=True)))


def genotypes_card(geno: Genotypes) -> str:
    """Return the card of Genotypes; reads no calls."""
    n, p = geno.shape
    more = f" and {len(geno.sources) - 1} more" if len(geno.sources) > 1 else ""
    counts = _by_chromosome(geno)
    facts = [
        ("samples", f"{n:,}"),
        ("variants", f"{p:,}"),
        ("chromosomes", f"{len(counts):,}"),
        ("counting", f"allele {geno.counted_allele}"),
    ]
    chart = (
        _bars([name for name, _ in counts], [count for _, count in counts]) if len(counts) > 1 else Markup()
    )
    return card("riata.Genotypes", f"{geno.path}{more}", facts, [chart], "; ".join(geno.notes[:3]))


def _sizes(path: Any) -> list[Fact]:
    outputs = [] if path.outputs is None else [("outputs", f"{len(path.outputs)}")]
    noun = "features" if path.variants is None else "variants"
    return [("samples", f"{path.n_samples:,}"), (noun, f"{path.n_features:,}"), *outputs]


def _certificate(path: Any) -> Fact:
    words = CERTIFICATES[path.certificate]
    missed = int(np.sum(~np.asarray(path.converged)))
    state = f", {missed} NOT {words.reached}" if missed else ""
    return f"largest {words.name}", f"{gap_text(float(np.max(path.dual_gaps, initial=0.0)))}{state}"


def _kind(path: Any) -> str:
    from riata.study.fit_result import model_name

    return model_name(path)


def _path_chart(path: Any, chosen: float | None) -> Markup:
    shown = np.full(len(path), True) if chosen is None else path.alphas >= chosen / 4 * (1 - 1e-9)
    alphas = path.alphas[shown]
    features = _to_draw(path, shown, alphas[-1] if chosen is None else chosen)
    curves = np.stack([one[features][:, shown].toarray() for one in _rows_of(path)])
    curves = curves[strongest(np.abs(curves).max(axis=2, initial=0.0).T), np.arange(len(features))]
    names = path.feature_names
    named = [f"x{j}" if names is None else str(names[int(j)]) for j in features]
    coloured = range(min(N_NAMED, len(features)))
    chart = path_chart(
        alphas, curves * path.scale[features, None], named, path.n_active[shown],
        colours=[k if k in coloured else None for k in range(len(features))], labels=coloured,
        marks=[] if chosen is None else [mark_of_chosen(alphas, chosen)],
        label="per standard deviation" if path.standardize else "coefficient",
    )  # fmt: skip
    return drawn(chart, _CHART)


def _rows_of(path: Any) -> list[Any]:
    return [one.tocsr() for one in each_output(path.coefs)]


def _to_draw(path: Any, shown: NDArray[np.bool_], alpha: float) -> NDArray[np.int64]:
    """Return the features with the largest effects at an alpha, then those that get farthest: few of many."""
    at, reach = np.zeros((2, path.n_features))
    place = nearest(path.alphas, alpha)
    for one in each_output(path.coefs):
        size = abs(one)
        np.maximum(at, size[:, [place]].toarray()[:, 0], out=at)
        np.maximum(reach, size[:, shown].max(axis=1).toarray().ravel(), out=reach)
    order = np.lexsort((-reach * path.scale, -at * path.scale))[:MAX_CURVES]
    return np.asarray(order[reach[order] > 0.0])


def _ends(measure: Measure) -> list[float]:
    ends = (measure.value, measure.low, measure.high)
    return [float(v) for v in ends if v is not None and math.isfinite(v)]


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", _MINUS) if math.isfinite(value) else "\u2013"


def _interval(measure: Measure) -> str:
    if measure.low is None or measure.high is None:
        return ""
    return f"{_number(measure.low)} to {_number(measure.high)}"


def _whisker(measure: Measure, low: float) -> Markup:
    """Draw a value and its interval from `low` to 1, beside a line at 0."""
    if not math.isfinite(measure.value):
        return Markup()
    across, up = Axis("", low, 1.0), Axis("", 0.0, 1.0)
    frame = Frame(across, up, width=150, height=16, left=5, right=5, top=0, bottom=0)
    value = frame.x(min(max(measure.value, low), 1.0))
    parts = [line("grid", frame.x(low), 8, frame.x(1.0), 8), line("axis", frame.x(0.0), 3, frame.x(0.0), 13)]
    if measure.low is not None and measure.high is not None:
        first, last = (frame.x(min(max(v, low), 1.0)) for v in (measure.low, measure.high))
        parts.append(line("interval", first, 8, last, 8))
    parts.append(element("circle", class_="dot", cx=value, cy=8, r=3.5))
    return svg(frame, parts, f"{measure.value:.3f}")


def _by_chromosome(geno: Genotypes) -> list[tuple[str, int]]:
    """Return how many variants each chromosome has, in reading order."""
    chrom, known = geno.variants.chrom, geno.chromosome_set
    counts: dict[str, int] = {}
    for name, count in zip(chrom.names, np.bincount(chrom.codes, minlength=len(chrom.names)), strict=True):
        if count:
            plain = known.plain(str(name))
            counts[plain] = counts.get(plain, 0) + int(count)
    return sorted(counts.items(), key=lambda item: known.order(item[0]))


def _bars(names: Sequence[str], counts: Sequence[int]) -> Markup:
    """Draw a bar for each chromosome."""
    across, up = Axis("", 0.0, float(len(names))), Axis("", 0.0, float(max(counts)))
    frame = Frame(across, up, *_BARS, left=8, right=8, top=22, bottom=22)
    wide = (frame.side - frame.left) / len(names)
    parts = [text("label", 8, 13, "variants on each chromosome")]
    for k, (name, count) in enumerate(zip(names, counts, strict=True)):
        x, y = frame.x(float(k)), frame.y(float(count))
        told = element("title", f"{name}: {cell_text(count)}")
        parts.append(
            element(
                "rect", told, class_="block", x=x + 0.1 * wide, y=y, width=0.8 * wide, height=frame.floor - y
            )
        )
        if wide > 7 * len(name):
            parts.append(text("tick", x + wide / 2, frame.floor + 16, name, "middle"))
    return svg(frame, parts, "Variants on each chromosome")
