"""What was done, as the paragraph of a paper: true of the fit it is made from, whatever made that."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from riata._io.tables import some
from riata._io.wording import agree, counted, counted_of
from riata.path.certificates import CERTIFICATES, gap_text
from riata.report.plots import score_label
from riata.study.fit_result import Fitted

#: How the software is cited, with a place for its version.
CITATION = (
    "The riata developers, riata: sparse models on wide data, with certificates of optimality, version {}"
)

#: Penalties in words and where they are from; with places for their parameters.
PENALTIES = {
    "lasso": "an L1 (lasso) penalty (Tibshirani 1996)",
    "ridge": "an L2 (ridge) penalty (Hoerl & Kennard 1970)",
    "elastic_net": "an elastic net penalty with L1 share {l1_ratio:g} (Zou & Hastie 2005)",
    "rows": "an L1/L2 penalty that admits a feature for all {outputs} together (Obozinski et al. 2011)",
    "group": "a group lasso penalty (Yuan & Lin 2006)",
    "sparse_group": "a sparse group lasso penalty with L1 share {l1_ratio:g} (Simon et al. 2013)",
    "mcp": "the minimax concave penalty with gamma {gamma:g} (Zhang 2010)",
    "scad": "the smoothly clipped absolute deviation penalty with gamma {gamma:g} (Fan & Li 2001)",
    "unilasso": "the univariate-guided lasso (uniLasso, Chatterjee, Hastie & Tibshirani 2025), by which no "
    "coefficient has another sign than its feature alone{elsewhere}",
    "slope": "a sorted L1 penalty (SLOPE, Bogdan et al. 2015){aim}",
}

#: Why a path ended before its grid did.
_ENDS = {
    "progress": "it was cut short",
    "deviance": "nearly all is explained there",
    "max_active": "more features than allowed were active beyond",
    "max_groups": "features of more groups than allowed were active beyond",
    "patience": "held-out samples had scored worse for long, by more than one standard error",
    "memory": "more memory than allowed was needed beyond",
}


def methods_text(fitted: Fitted) -> str:
    """Return the paragraph: model, penalty, samples, features, choice of alpha, evaluation, software."""
    parts = [_model(fitted), _samples(fitted), _features(fitted), _penalised(fitted), _path(fitted)]
    parts += [_choice(fitted), _evaluation(fitted), _errors(fitted), _software(fitted)]
    return " ".join(part for part in parts if part)


def methods_lines(fitted: Fitted) -> list[str]:
    """Return the paragraph as lines for the terminal."""
    text = textwrap.wrap(methods_text(fitted), 96, initial_indent="  ", subsequent_indent="  ")
    return ["Methods, in words for a paper", *text]


def _model(fitted: Fitted) -> str:
    path, account = fitted.path, fitted.account
    name = account.response
    labels = path.outputs
    count = 0 if labels is None else len(labels)
    loss = path.loss_function
    what = f"{name} was"
    if loss.many_classes:
        what = f"{name}, of {count} classes, was"
    elif loss.many_responses:
        what = f"{count} responses were"
    elif loss.two_classes:
        pair = account.pair or ([str(label) for label in path.classes] if path.classes is not None else [])
        of = f"the probability of {pair[1]} against {pair[0]}" if pair else name
        of += f" in {name}" if pair and name != "y" else ""
        what = f"{of} was"
    what += f" modelled by {loss.modelled_by}"
    what = what[0].upper() + what[1:] if what[:1] not in name[:1] else what
    if loss.has_times:
        column = account.columns
        with_ties = {"breslow": "Breslow's", "efron": "Efron's"}.get(account.ties)
        told = [
            f"time in {column['time']}" if "time" in column else "",
            f"entry at {column['entry']}" if "entry" in column else "",
            f"a baseline hazard for each {column['strata']}" if "strata" in column else "",
            f"{with_ties} treatment of ties" if with_ties else "",
        ]
        what += f" ({', '.join(part for part in told if part)})" if any(told) else ""
    if path.has_offset:
        offset = account.columns.get("offset")
        what += ", with an offset" if offset in (None, "offset") else f", with {offset} as offset"
    return f"{what}, with {_penalty(path)}."


def _penalty(path: Any) -> str:
    kind = path.penalty
    if kind == "elastic_net":
        kind = {1.0: "lasso", 0.0: "ridge"}.get(path.l1_ratio, kind)
        loss = path.loss_function
        if path.grouped or loss.always_grouped:
            outputs = "classes" if loss.has_classes else "responses"
            return PENALTIES["rows"].format(outputs=outputs) + _mixed(path)
    elif kind == "group" and "l1_ratio" in path.penalty_parameters:
        kind = "sparse_group"
    extra = "" if kind != "group" or path.l1_ratio == 1.0 else _mixed(path)
    if getattr(path, "parts", None) is not None:
        extra += ", of parts where groups overlap (Jacob et al. 2009)"
    given = {"l1_ratio": path.l1_ratio, **path.penalty_parameters}
    aim = f", its weights those of a share {given['q']:g} of false discoveries" if "q" in given else ""
    elsewhere = " in other samples" if given.get("slopes") == "given" else ""
    return PENALTIES[kind].format(**given, aim=aim, elsewhere=elsewhere) + extra


def _mixed(path: Any) -> str:
    return "" if path.l1_ratio == 1.0 else f", mixed with an L2 penalty of share {1.0 - path.l1_ratio:g}"


def _samples(fitted: Fitted) -> str:
    account, path = fitted.account, fitted.path
    text = f"The fit was to {counted(path.n_samples, 'sample')}"
    rows = [(what.removeprefix("dropped: "), n) for what, n, _ in account.samples if "dropped: " in what]
    lost = [f"{n:,} {why}" for why, n in rows]
    if lost:
        text += f" of {account.n_in_file:,} (left out: {'; '.join(lost)})"
    if path.n_events is not None:
        text += f", {path.n_events:g} of them with an event"
    if not np.isclose(path.weight_sum, path.n_samples):
        text += ", which were weighted"
    return f"{text}."


def _features(fitted: Fitted) -> str:
    account, path = fitted.account, fitted.path
    count = account.n_candidates
    text = f"{counted_of(count, account.noun)} {agree(count, 'was a candidate', 'were candidates')}"
    if account.set_aside:
        told = "; ".join(f"{count:,} {why}" for why, count in account.set_aside.items())
        text += f" (set aside: {told})"
    if account.n_groups:
        text += f", with {counted(account.n_groups, 'group')} among them"
    if account.is_genotypes:
        text += f", as counts of allele {account.counted_allele or 'A1'}, missing calls at the mean"
    elif account.imputed:
        text += ", missing values at the mean of those that train"
    free = 0 if path.penalty_factor is None else int(np.count_nonzero(path.penalty_factor == 0.0))
    if account.covariate_names:
        names = some(account.covariate_names)
        text += f"; adjusted, without penalty, for {names}"
    elif free:
        text += f"; {free:,} of them {agree(free, 'was', 'were')} not penalised"
    return f"{text}."


def _penalised(fitted: Fitted) -> str:
    path, factor = fitted.path, fitted.path.penalty_factor
    text = (
        "The penalty was on effects of one standard deviation"
        if path.standardize
        else "The penalty was on coefficients in the units of the data"
    )
    if path.fit_intercept and path.loss_function.has_intercept:
        text += ", not on the intercept"
    own = factor is not None and not np.isin(factor, [0.0, 1.0, np.inf]).all()
    return text + (", times a factor for each of them." if own else ".")


def _path(fitted: Fitted) -> str:
    path = fitted.path
    words, gap = CERTIFICATES[path.certificate], gap_text(fitted.largest_gap)
    many = f"{len(path.alphas)} values of the penalty's strength alpha, from {path.alphas[0]:.4g} to "
    many += f"{path.alphas[-1]:.4g}, were fitted" if len(path.alphas) > 1 else ""
    if len(path.alphas) == 1:
        many = f"One strength of the penalty, alpha {path.alphas[0]:.4g}, was fitted"
    end = f", where the path ended: {_ENDS[path.stop_reason]}" if path.stop_reason in _ENDS else ""
    return f"{many}{end}, with a {words.name} of at most {gap}."


def _choice(fitted: Fitted) -> str:
    cv = fitted.cv
    rule = fitted.rule.split(": riata cv")[0].replace(" with --alpha", "")
    text = f"Reported is alpha {fitted.alpha:.4g}, {rule}."
    if cv is None:
        return text
    score = score_label(cv.scoring).split(",")[0]
    return (
        f"Cross-validation was by {cv.folds_made or cv.folds_text}, with the {score} as score; each fit to "
        f"training samples had means, scales and unpenalised effects of its own. {text}"
    )


def _evaluation(fitted: Fitted) -> str:
    """Say what the figures of predictive performance are of."""
    nested = None if fitted.cv is None else getattr(fitted.cv, "nested", None)
    asked = "as asked" in fitted.rule
    told = []
    if nested is not None and not asked:  # else the figures are not of that procedure
        intervals = (
            "; 95 % intervals are for what this procedure reaches on new samples, and allow for training "
            "sets that overlap (Nadeau & Bengio 2003)"
        )
        without = fitted.evaluation is not None and not fitted.evaluation.has_intervals
        told.append(
            f"In nested cross-validation with {len(nested.alphas)} outer folds alpha was chosen anew within "
            "each, so that predictions of its held-out samples had no part in that choice"
            f"{'' if without else intervals}."
        )
    aside = fitted.aside
    if aside is not None and not aside.chose:
        told.append(
            f"Predictions were judged on {counted(len(aside.y), 'sample')}, the {aside.name}, that had no "
            "part in the fit or the choice of alpha."
        )
    elif (aside is not None or fitted.cv is not None) and nested is None and not asked:
        told.append("The same held-out samples chose alpha, so that their score is somewhat too good.")
    return " ".join(told)


def _errors(fitted: Fitted) -> str:
    path = fitted.path
    if path.l1_ratio == 0.0 and path.penalty == "elastic_net":
        return "Ridge selects nothing: every feature has a coefficient, shrunk towards zero."
    if path.penalty == "slope" and "q" in path.penalty_parameters:
        return (
            "SLOPE's bound on the false discovery rate holds for orthogonal features and an alpha set by the "
            "noise; for the features selected here no error rate is claimed."
        )
    shrunk = "" if path.certificate == "kkt" else "Penalised coefficients are shrunk towards zero. "
    return (
        f"{shrunk}Selection is for prediction: no false discovery or family-wise error rate is controlled, "
        "and coefficients of selected features carry no p-values."
    )


def _software(fitted: Fitted) -> str:
    return f"Software: {CITATION.format(fitted.version)}."
