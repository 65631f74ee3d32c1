"""How good a score is on samples that did not make it: R², AUC, concordance, and what covariates reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riata._input.survival import SurvivalTarget
from riata._input.validation import Float, check_choice, check_real
from riata._io.wording import counted
from riata.losses import Loss
from riata.losses._known import LOSSES, check_loss, loss_of
from riata.path import intervals
from riata.path.class_tables import ClassTable, many_classes, two_classes
from riata.path.intervals import Measure
from riata.path.measures import (
    HeldOut,
    add_baseline,
    concordance,
    explained,
    held_by,
    log_losses,
    measure_classes,
    measure_deviance,
    measure_numbers,
)

#: What each measure is called in words.
LABELS = {
    "r2": "R\u00b2",
    "correlation": "correlation",
    "auc": "AUC",
    "log_loss": "log-loss",
    "concordance": "concordance",
    "accuracy": "share of right classes",
    "d2": "D\u00b2 (deviance explained)",
    "r2_nagelkerke": "Nagelkerke R\u00b2",
    "r2_covariates": "R\u00b2 of the covariates alone",
    "d2_covariates": "D\u00b2 of the covariates alone",
    "concordance_covariates": "concordance of the covariates alone",
    "auc_covariates": "AUC of the covariates alone",
    "r2_nagelkerke_covariates": "Nagelkerke R\u00b2 of the covariates alone",
    "r2_increment": "R\u00b2 added to the covariates",
    "d2_increment": "D\u00b2 added to the covariates",
    "concordance_increment": "concordance added to the covariates",
    "auc_increment": "AUC added to the covariates",
    "r2_nagelkerke_increment": "Nagelkerke R\u00b2 added to the covariates",
}


#: What figures of cross-validations are, in words.
NESTED = "nested cross-validation, alpha chosen anew without each fold"
OPTIMISTIC = "cross-validated, optimistic: these folds chose alpha"
FOLDS, ASKED = "held-out folds", "at the alpha asked for"
#: What is said where every sample gets the same prediction.
NOTHING = (
    "nothing was selected: the model predicts the same for every sample, and there is nothing to evaluate"
)
NOTHING_ADDED = "nothing was selected: the model predicts what the covariates alone do"


@dataclass(frozen=True)
class Evaluation:
    """How well predictions fit samples they were not made from. Made by :func:`evaluate`.

    Attributes
    ----------
    loss : {"gaussian", "binomial", "cox", "poisson", "huber", "multinomial"}
    n : int
        Samples.
    n_cases : int or None
        Samples of the second class for the binomial loss, samples with an event for the Cox loss.
    measures : dict of str to Measure
        ``r2, correlation`` for the gaussian, ``auc, log_loss, r2_nagelkerke`` for the binomial,
        ``concordance`` for the Cox, ``d2`` for the Poisson and Huber loss, ``accuracy, log_loss, d2`` for the
        multinomial loss; with a baseline also
        ``r2_covariates, r2_increment`` and the like: the baseline alone, and the difference. Empty, or of the
        covariates alone, where `nothing` was selected.
    part : str
        What the samples are called.
    table : ClassTable or None
        Counts by observed and predicted class, for losses with classes.
    nothing : bool
        Whether the predictions are the same for all samples, or those of the covariates alone.
    inflation : float
        The factor by which the variances of intervals were multiplied: see `evaluate`.

    Examples
    --------
    >>> import riata
    >>> found = riata.evaluate([1.0, 2.0, 3.0, 4.0], [1.1, 1.9, 3.2, 3.8])
    >>> round(found.measures["r2"].value, 2)
    0.98
    """

    loss: str
    n: int
    n_cases: int | None
    measures: dict[str, Measure] = field(default_factory=dict)
    part: str = "held-out samples"
    table: ClassTable | None = None
    nothing: bool = False
    inflation: float = 1.0

    @property
    def bare(self) -> Evaluation:
        """The same without intervals: for samples that had a part in the choice of the model."""
        table = self.table
        if table is not None:
            table = replace(table, rates={name: rate.bare for name, rate in table.rates.items()})
        return replace(self, measures={name: m.bare for name, m in self.measures.items()}, table=table)

    @property
    def has_intervals(self) -> bool:
        """Whether the figures are those of a test, with confidence intervals."""
        return any(m.low is not None for m in self.measures.values())

    @property
    def of_nothing(self) -> Evaluation:
        """What remains where nothing was selected: what the covariates alone reach."""
        return _of_those_that_tell(replace(self, nothing=True))

    def at_threshold(self, y: Float, link: Float, threshold: float) -> Evaluation:
        """The same samples, (y, link), with the second of two classes predicted at another threshold."""
        if self.nothing:
            return self
        if self.table is None or self.table.threshold is None:
            raise ValueError("threshold is for two classes")
        check_real("threshold", threshold, above=0.0, below=1.0)
        table = two_classes(y, link, threshold, self.table.classes, self.inflation)
        without = all(rate.low is None for rate in self.table.rates.values())
        found = replace(self, table=table)
        return replace(found, table=found.bare.table) if without else found

    def lines(self) -> list[str]:
        """Return the evaluation as aligned text."""
        which = "with an event" if loss_of(self.loss).has_times else "of the class modelled"
        cases = "" if self.n_cases is None else f", {self.n_cases:,} of them {which}"
        count = f"{self.n:,}" if self.part.startswith("samples") else counted(self.n, "sample")
        lines = [f"{self.part}: {count}{cases}"]
        if self.nothing:
            lines.append(f"  {NOTHING_ADDED if self.measures else NOTHING}")
        width = max((len(LABELS[name]) for name in self.measures), default=0)
        for name, m in self.measures.items():
            interval = f"  (95 % {m.interval})" if m.interval else ""
            lines.append(f"  {LABELS[name]:<{width}}  {m.value:.4f}{interval}")
        return lines + ([] if self.table is None else self.table.lines())

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        """Show a card in notebooks."""
        from riata.report.cards import evaluation_card

        return evaluation_card(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, for the manifest."""
        told: dict[str, Any] = {
            "part": self.part,
            "loss": self.loss,
            "n": self.n,
            "n_cases": self.n_cases,
            "nothing_selected": self.nothing,
            **{name: m.to_dict() for name, m in self.measures.items()},
        }
        return told if self.table is None else told | {"classes": self.table.to_dict()}

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Evaluation:
        """Read what `dataclasses.asdict` made of one."""
        measures = {name: Measure(**values) for name, values in kept["measures"].items()}
        table = None if kept.get("table") is None else ClassTable.from_dict(kept["table"])
        return cls(**{**kept, "measures": measures, "table": table})


def evaluate(
    y: ArrayLike,
    link: ArrayLike,
    *,
    loss: str | Loss = "gaussian",
    baseline: ArrayLike | None = None,
    part: str = "held-out samples",
    start: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    huber_delta: float | None = None,
    threshold: float = 0.5,
    classes: Sequence[str] | None = None,
    folds: ArrayLike | None = None,
    n_train: int | None = None,
    null: ArrayLike | None = None,
) -> Evaluation:
    """Compare predictions with the responses of samples that did not take part in the fit.

    Parameters
    ----------
    y : array of shape (n,)
        Responses; 0 and 1 for the binomial loss; a structured array (event, time) or columns [time, event]
        for the Cox loss; numbers of at least 0 for the Poisson loss; numbers of classes, from 0, for the
        multinomial loss.
    link : array of shape (n,)
        Linear predictors, as from ``path.predict(X, alpha, kind="link")``, offset included;
        (n, K) for K classes.
    loss : {"gaussian", "binomial", "cox", "poisson", "huber", "multinomial"} or Loss, default="gaussian"
        The loss of the fit, or its name.
    baseline : array of shape (n,), optional
        Linear predictors of the covariates alone, fitted to the same training samples. Adds what they reach
        by themselves, and what `link` reaches beyond it.
    part : str, default="held-out samples"
        What to call these samples.
    start, strata : arrays of shape (n,), optional
        Cox loss: samples are at risk after their `start`, and compared within their stratum only.
    offset : array of shape (n,), optional
        Poisson loss: the offset that `link` includes, such as the log of exposures.
    huber_delta : float, optional
        The `delta` of the Huber loss.
    threshold : float, default=0.5
        Binomial loss: the second class is predicted where its probability is above this.
    classes : sequence of str, optional
        What the classes are called; by default by their numbers.
    folds : array of int of shape (n,), optional
        The fold that held each sample out, where fits to the other folds made the predictions: ranks are then
        compared within folds only, and intervals allow for fits that share samples. See Notes.
    n_train : int, optional
        The number of samples those fits had, on average; by default all that are not in the fold.
    null : array of the shape of `link`, optional
        What the intercept alone predicts, fitted to the training samples; by default the best constant here.

    Returns
    -------
    Evaluation
        Measures of the predictions, with intervals.

    Raises
    ------
    ValueError
        When lengths differ, values are not finite, fewer than two samples are given, `y` does not vary, or no
        two survival times can be compared.

    Notes
    -----
    With residuals e of the predictions and e0 those of `null` (by default of the mean of `y` here), R² = 1 -
    Σe²/Σe0²: negative when the prediction is worse than that. The AUC is the share of case-control pairs in
    the right order, ties counting half. Nagelkerke's R² is (1 - exp(2(l0 - l))) / (1 - exp(2 l0)), with l the
    mean log-likelihood of the predicted probabilities as they are and l0 that of `null`. The concordance is
    Harrell's c: of the pairs of an event and a sample of its stratum still at risk after it, the share in
    which the event has the larger score, equal scores counting half. D² = 1 - Σd/Σd0 with d the deviances of
    the predictions and d0 those of `null`, by default of the best constant here: of the rate, mean count over
    mean exp(offset), of the number with the least Huber loss, or of the shares of the classes.

    With `folds`, pairs of the AUC and the concordance are of samples of one fold, and the correlation is of
    deviations from the means of the fold: predictions of different fits do not compare, and their levels run
    against the responses (where few cases are held out, more of them are trained on), so that pure noise
    would seem to be predicted worse than by chance.

    Intervals are for 95 %, and never beyond what is possible. Shares (accuracy, sensitivity and the like):
    Wilson's. AUC: the standard error of DeLong et al. on the logit scale, pooled over folds where there are
    any; concordance: likewise, with that of the infinitesimal jackknife (Therneau & Watson). Near 0 and 1
    both have Wilson's interval, for as many independent answers as have that error, and at 0 and 1, where it
    vanishes, for min(cases, controls), or for the number of events (Birnbaum & Klose's bound of the
    variance). Correlation: Fisher's z. R², D² and log-loss: standard errors by the delta method (the standard
    deviation of the influence of each sample over √n), on the logarithm of what is left unexplained.
    Differences: value ± 1.96 standard errors. Without `folds` all take the fitted model as given.

    With `folds` the truth that intervals are for is what the procedure that made the fits reaches on new
    samples, on average over training sets of `n_train` samples. Fits share most of their samples, so that
    their errors go together: variances are multiplied by 1 + n/n_train, about 2, and 1.96 standard errors
    become the quantile of Student's t with one degree of freedom less than folds (Nadeau & Bengio 2003, their
    corrected resampled t). With few folds intervals are long: ten or more are better.

    References
    ----------
    Birnbaum & Klose (1957), Annals of Mathematical Statistics 28, 933. DeLong, DeLong & Clarke-Pearson
    (1988), Biometrics 44, 837. Harrell et al. (1982), JAMA 247, 2543. LeDell, Petersen & van der Laan (2015),
    Electronic Journal of Statistics 9, 1583. Nadeau & Bengio (2003), Machine Learning 52, 239. Nagelkerke
    (1991), Biometrika 78, 691. Therneau & Watson (2017), The concordance statistic and the Cox model, Mayo
    Clinic Technical Report 85. Wilson (1927), JASA 22, 209.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> link = rng.standard_normal(500)
    >>> result = riata.evaluate(link + rng.standard_normal(500), link)
    >>> bool(result.measures["r2"].low < 0.5 < result.measures["r2"].high)
    True
    """
    name = loss if isinstance(loss, str) else getattr(loss, "name", loss)
    check_choice("loss", name, [name for name, kind in LOSSES.items() if kind.is_evaluated])
    chosen = check_loss(loss, start=start, strata=strata, huber_delta=huber_delta)
    n = len(np.asarray(y))
    held = held_by(folds, n, n_train)
    if chosen.many_classes:
        found = _evaluate_classes(y, link, baseline, null, chosen, classes, held)
    elif chosen.has_times:
        found = _evaluate_times(y, link, baseline, chosen, held)
    else:
        found = _evaluate_numbers(y, link, baseline, null, chosen, offset, threshold, classes, held)
    return replace(found, part=part, inflation=held.inflation)


def _evaluate_numbers(
    y: ArrayLike,
    link: ArrayLike,
    baseline: ArrayLike | None,
    null: ArrayLike | None,
    loss: Loss,
    offset: ArrayLike | None,
    threshold: float,
    classes: Sequence[str] | None,
    held: HeldOut,
) -> Evaluation:
    """Evaluate losses of one number per sample."""
    target = _checked("y", y, None)
    n = len(target)
    eta = _checked("link", link, n)
    base = None if baseline is None else _checked("baseline", baseline, n)
    if n < 2:
        raise ValueError(f"y must hold at least two samples, got {n}")
    if len(np.unique(target)) < 2:
        raise ValueError(f"y must vary to be predicted, got {target[0]:g} for all {n} samples")
    if loss.has_classes and not np.all((target == 0.0) | (target == 1.0)):
        raise ValueError(f"y must hold 0 and 1 only for loss={loss.name!r}")
    if loss.has_counts and target.min() < 0.0:
        raise ValueError(f"y must hold numbers >= 0 for loss={loss.name!r}, got {target.min():g}")
    shift = np.zeros(n)
    if loss.has_counts and offset is not None:
        shift = _checked("offset", offset, n)
    level = shift + loss.null_level(target, np.ones(n), shift) if null is None else _checked("null", null, n)
    table = None
    if loss.has_classes:
        share = check_real("threshold", threshold, above=0.0, below=1.0)
        table = two_classes(target, eta, share, _named(classes, 2), held.inflation)
        measures = measure_classes(target, eta, base, level, held)
    elif loss.squares:
        measures = measure_numbers(target, eta, base, level, held)
    else:
        measures = measure_deviance(target, eta, base, loss, level, held)
    nothing = _adds_nothing(eta - shift, None if base is None else base - shift, held)
    cases = int(target.sum()) if loss.has_classes else None
    return _of_those_that_tell(Evaluation(loss.name, n, cases, measures, table=table, nothing=nothing))


def _named(classes: Sequence[str] | None, count: int) -> list[str]:
    return [str(label) for label in (range(count) if classes is None else classes)]


def _adds_nothing(link: Float, base: Float | None, held: HeldOut) -> bool:
    """Whether all samples of a fold get one prediction, or that of the covariates alone."""
    beyond = link if base is None else link - base
    beyond = beyond.reshape(len(beyond), -1)
    size = max(1.0, float(np.abs(link).max()))
    spread = max(float(np.abs(held.centred(column)).max()) for column in beyond.T)
    return spread <= 1e-9 * size


def _of_those_that_tell(found: Evaluation) -> Evaluation:
    """Where nothing was selected keep what the covariates alone reach, without a class table."""
    if not found.nothing:
        return found
    kept = {name: m for name, m in found.measures.items() if name.endswith("_covariates")}
    return replace(found, measures=kept, table=None)


def _evaluate_classes(
    y: ArrayLike,
    link: ArrayLike,
    baseline: ArrayLike | None,
    null: ArrayLike | None,
    loss: Loss,
    classes: Sequence[str] | None,
    held: HeldOut,
) -> Evaluation:
    codes = _checked("y", y, None).astype(np.int64)
    n = len(codes)
    eta = np.asarray(link, dtype=np.float64)
    if eta.ndim != 2 or len(eta) != n or not np.isfinite(eta).all():
        raise ValueError(f"link must be {n} rows of finite numbers, one per class, got shape {eta.shape}")
    if codes.min() < 0 or codes.max() >= eta.shape[1]:
        raise ValueError(f"y must hold the numbers of classes, 0 to {eta.shape[1] - 1}")
    if len(np.unique(codes)) < 2:
        raise ValueError(f"y must vary to be predicted, got class {codes[0]} for all {n} samples")
    level = -np.log(np.bincount(codes)[codes] / n)
    if null is not None:
        level = log_losses(codes, np.asarray(null, dtype=np.float64))
    losses = log_losses(codes, eta)
    value, influence = explained(losses, level)
    out = {
        "accuracy": intervals.share(float(np.sum(eta.argmax(axis=1) == codes)), n, held.inflation),
        "log_loss": intervals.on_log(float(losses.mean()), held.error(losses - losses.mean())),
        "d2": intervals.explained(value, held.error(influence)),
    }
    base = None if baseline is None else np.asarray(baseline, dtype=np.float64)
    if base is not None:
        add_baseline(out, "d2", (value, influence), explained(log_losses(codes, base), level), held)
    table = many_classes(codes, eta, _named(classes, eta.shape[1]), held.inflation)
    nothing = _adds_nothing(eta, base, held)
    return _of_those_that_tell(Evaluation(loss.name, n, None, out, table=table, nothing=nothing))


def _evaluate_times(
    y: ArrayLike, link: ArrayLike, baseline: ArrayLike | None, loss: Loss, held: HeldOut
) -> Evaluation:
    n = len(np.asarray(y))
    target, _ = loss.check_target(y, n, np.ones(n))
    assert isinstance(target, SurvivalTarget)
    if held.count > 1:  # pairs of one fold and stratum
        ids = held.folds if target.strata is None else held.folds * n + target.strata
        target = replace(target, strata=np.unique(ids, return_inverse=True)[1].astype(np.float64))
    eta = _checked("link", link, n)
    value, influence = concordance(target, eta)
    if np.isnan(value):
        raise ValueError("y must hold an event at whose time another sample is at risk, got none")
    events = int(target.event.sum())
    room = events / held.inflation
    measures = {"concordance": intervals.on_logit(value, held.error(influence), room)}
    base = None if baseline is None else _checked("baseline", baseline, n)
    if base is not None:
        alone, of_alone = concordance(target, base)
        measures["concordance_covariates"] = intervals.on_logit(alone, held.error(of_alone), room)
        measures["concordance_increment"] = intervals.difference(
            value - alone, held.error(influence - of_alone), 1.0
        )
    nothing = _adds_nothing(eta, base, held)
    return _of_those_that_tell(Evaluation(loss.name, n, events, measures, nothing=nothing))


def _checked(name: str, values: ArrayLike, n: int | None) -> Float:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or (n is not None and len(array) != n):
        wanted = "(n,)" if n is None else f"({n},), as y"
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must hold finite numbers only")
    return array
