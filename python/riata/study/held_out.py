"""Samples that took no part in a fit: their linear predictors, the penalty they choose, how good it is."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.survival import SURVIVAL_SCORERS, check_survival_target
from riata._input.targets import one_hot
from riata.genetics.genotypes import Genotypes
from riata.losses._known import GREATER_IS_BETTER
from riata.path.cv_evaluation import by_fold, fold_nulls, fold_numbers, mean_size
from riata.path.evaluation import ASKED, FOLDS, NESTED, OPTIMISTIC, Evaluation, evaluate
from riata.path.fitted import FitResult
from riata.path.folds import Rows
from riata.path.many_classes import links_of
from riata.path.nested import NestedCV
from riata.study.response import Response
from riata.study.splitting import Part
from riata.study.study import Study, decode, target_of
from riata.study.survival_times import has_times

Float = NDArray[np.float64]

#: Columns decoded at a time.
BLOCK = 64


@dataclass(frozen=True)
class Baseline:
    """The fit of the covariates alone, on the samples of the fit.

    For the Cox loss the intercept makes the mean over these samples zero: fits to different samples can be
    compared then.
    """

    intercept: Any
    coef: Float

    def link(self, covariates: Float) -> Float:
        """Return linear predictors, (m,)."""
        return np.asarray(self.intercept + covariates @ self.coef)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as kept with a model."""
        return {"intercept": np.asarray(self.intercept).tolist(), "coef": self.coef.tolist()}

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Baseline:
        """Read what `to_dict` wrote."""
        intercept = kept["intercept"]
        level = np.array(intercept) if isinstance(intercept, list) else float(intercept)
        return cls(level, np.array(kept["coef"], dtype=np.float64))


@dataclass(frozen=True)
class Validation:
    """Score of each alpha on the validation part, (L,), the alpha it chooses, and that one's score."""

    scoring: str
    scores: Float
    alpha: float
    best: float
    n: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, for the manifest."""
        return {
            "scoring": self.scoring,
            "n": self.n,
            "alpha": self.alpha,
            "score": self.best,
            "scores": self.scores,
        }


def add_features(
    link: Float, main: Genotypes | NDArray[Any], columns: NDArray[np.int64], weights: Float, mean: Float
) -> None:
    """Add `columns` of `main` times `weights`, (k, L), to `link`; missing values stand at `mean`, (k,)."""
    if len(columns) == 0:
        return
    if isinstance(main, Genotypes):
        copies = np.broadcast_to([0.0, 1.0, 2.0], (len(columns), 3))
        link += main._weighing(columns).multiply(np.column_stack((copies, mean)), weights)
        return
    for start in range(0, len(columns), BLOCK):
        part = slice(start, start + BLOCK)
        values = decode(main, columns[part])
        link += np.where(np.isnan(values), mean[part], values) @ weights[part]


def _stand_ins(path: Any, chosen: NDArray[np.int64]) -> Float:
    """What missing values of features stood at in a fit."""
    if path.variants is None:
        return np.asarray(path.mean if path.fill is None else path.fill)[chosen]
    return np.asarray(2.0 * path.variants.frequency[path.variants.rows(chosen)])


def part_links(path: Any, part: Part, coefs: Any, intercepts: Float) -> Float:
    """Return the linear predictors of a part for every alpha of `coefs`, (m, L) or (m, K, L), with offset."""
    p = part.main.shape[1]
    wide, level, shape = links_of(coefs, intercepts)
    rows = np.unique(wide.indices[wide.data != 0.0]).astype(np.int64)
    block = wide.tocsr()[rows].toarray()
    features = rows < p
    link = np.tile(level, (len(part.y), 1))
    link += part.covariates[:, rows[~features] - p] @ block[~features]
    chosen = rows[features]
    add_features(link, part.main, chosen, block[features], _stand_ins(path, chosen))
    if part.offset is not None:
        link += part.offset[:, None]
    return link.reshape(-1, *shape)


def validate(path: Any, part: Part, scoring: str, study: Study) -> Validation:
    """Score the whole path on a part of a study; among equals the sparsest wins."""
    links = part_links(path, part, path.coefs, path.intercepts)
    if has_times(part.y):
        scores = _score_times(path, part, links, scoring, study)
    else:
        y = one_hot(part.y.astype(np.int64), links.shape[1]) if links.ndim > 2 else part.y
        scores = path.loss_function.scorer(scoring)(y, links, np.ones(len(part.y)))
    k = int(np.argmin(-scores if scoring in GREATER_IS_BETTER else scores))
    return Validation(scoring, scores, float(path.alphas[k]), float(scores[k]), len(part.y))


def _score_times(path: Any, part: Part, links: Float, scoring: str, study: Study) -> Float:
    """Score survival times beside those of the fit, as cross-validation does."""
    both = target_of(study.response, np.concatenate([study.y, part.y]))
    n = len(both["y"])
    held = np.repeat([0.0, 1.0], [study.n_samples, n - study.n_samples])
    target = check_survival_target(both["y"], n, np.ones(n), both["start"], both["strata"], both["ties"])
    fitted = path.predict(study.X, kind="link", offset=study.offset)
    return SURVIVAL_SCORERS[scoring](target, np.vstack([fitted, links]), 1.0 - held, held)


def fit_baseline(study: Study, rows: NDArray[np.int64] | None = None) -> Baseline:
    """Fit intercept and covariates, unpenalised, to the samples of the study or to some of its `rows`."""
    import riata

    chosen = slice(None) if rows is None else rows
    covariates = study.covariates[chosen]
    offset = None if study.offset is None else study.offset[chosen]
    target = target_of(study.response, study.y[chosen], offset)
    k = covariates.shape[1]
    if k == 0:  # a column that is left out: the intercept alone
        covariates = np.zeros((len(covariates), 1))
    factor = np.zeros(k) if k else [np.inf]
    with warnings.catch_warnings():  # the fit itself has told of covariates that depend on each other
        warnings.filterwarnings("ignore", message=".*unpenalised feature", category=UserWarning)
        path = riata.fit_path(covariates, **target, alphas=[1.0], penalty_factor=factor, n_threads=1)
    intercept, coef = path.intercept(1.0), np.asarray(path.coef(1.0))[:k]
    if not study.response.loss_function.has_intercept:
        intercept = -float(covariates.mean(axis=0)[:k] @ coef)
    return Baseline(intercept, coef)


@dataclass(frozen=True)
class Outer:
    """The same samples by the outer folds of a nested cross-validation."""

    link: Float
    null: Float
    baseline: Float | None
    folds: NDArray[np.int64]
    n_train: int


@dataclass(frozen=True)
class HeldOut:
    """Samples that the fits did not see: what it takes to evaluate a path on them, at any of its alphas.

    Attributes
    ----------
    name : str
        Which samples these are: test part, validation part or held-out folds.
    y : (m,) array
        Responses.
    links : (m, L) or (m, K, L) array
        Linear predictors, offset included; NaN for samples that no fold held out.
    baseline, null : (m,) or (m, K) array, or None
        Those of the covariates alone, and of the intercept alone where that was fitted to other samples.
    offset : (m,) array or None
    folds : (m,) array of int, or None
        The fold that held each sample out.
    n_train : int or None
        Samples that the fits without a fold had, on average.
    outer : Outer or None
        Predictions of nested cross-validation, which alpha was not chosen by.
    """

    name: str
    y: NDArray[Any]
    links: Float
    baseline: Float | None = None
    offset: Float | None = None
    null: Float | None = None
    folds: NDArray[np.int64] | None = None
    n_train: int | None = None
    outer: Outer | None = None

    @property
    def chose(self) -> bool:
        """Whether alpha was chosen by these samples, where none was asked for."""
        return self.name != TEST

    def at(
        self,
        path: Any,
        alpha: float,
        response: Response,
        *,
        chosen: bool,
        threshold: float = 0.5,
        selected: int = 1,
    ) -> tuple[tuple[NDArray[Any], Float], Evaluation]:
        """Return (y, linear predictors) at an alpha, and how well they agree.

        `chosen`: by a score, of these samples unless they are the test part; of nested cross-validation the
        outer folds are evaluated then. Figures that flatter, or may as who asks for an alpha can have seen
        them, have no intervals. Of a model with no feature `selected` there is nothing to evaluate.
        """
        outer = self.outer if chosen else None
        link = path.interpolate(self.links, alpha) if outer is None else outer.link
        judge = self if outer is None else outer
        known = np.asarray(np.isfinite(link.reshape(len(link), -1)).all(axis=1))

        def part(values: Any) -> Any:
            return None if values is None else values[known]

        found = evaluate_link(
            response,
            self.y[known],
            link[known],
            baseline=part(judge.baseline),
            part=self._told(chosen),
            offset=part(self.offset),
            threshold=threshold,
            folds=part(judge.folds),
            n_train=judge.n_train,
            null=part(judge.null),
        )
        if selected == 0:
            found = found.of_nothing
        if outer is None and self.chose:
            found = found.bare
        return (self.y[known], link[known]), found

    def _told(self, chosen: bool) -> str:
        """Say which samples these are, and what their figures are worth."""
        if not self.chose:
            return self.name
        if not chosen:
            return f"{self.name}, {ASKED}"
        if self.outer is not None:
            return NESTED
        return OPTIMISTIC if self.name == FOLDS else f"{self.name}, optimistic: it chose alpha"

    def arrays(self, *, links: bool) -> dict[str, NDArray[Any]]:
        """Return what is kept with a model, `links` among it unless the cross-validation has them."""
        names = ("y", "baseline", "offset", "null", "folds")
        kept = {name: getattr(self, name) for name in names} | {"links": self.links if links else None}
        kept["outer_baseline"] = None if self.outer is None else self.outer.baseline
        return {name: array for name, array in kept.items() if array is not None}

    @classmethod
    def of_arrays(cls, name: str, n_train: int | None, kept: dict[str, Any], fit: Any) -> HeldOut:
        """Read what `arrays` returned, with the predictions of a cross-validation that has them."""
        links = kept.get("links")
        if links is None:
            links = fit.oof_link
        arrays = {part: kept.get(part) for part in ("baseline", "offset", "null", "folds")}
        outer = None
        if name == FOLDS and fit.nested is not None:
            n = fit.nested
            outer = Outer(n.link, n.null, kept.get("outer_baseline"), n.fold_ids, n.n_train)
        return cls(name, kept["y"], links, n_train=n_train, outer=outer, **arrays)


#: The name of samples that had no part in a fit.
TEST = "test part"


def held_out_of(study: Study, fit: FitResult) -> HeldOut | None:
    """Return the samples that a fit did not see: the test part, or the folds, or the validation part."""
    path, cv = fit.path, fit.cv
    part = study.part("test") or study.part("validation")
    if part is not None and (part.name == "test" or cv is None):
        links = part_links(path, part, path.coefs, path.intercepts)
        alone = fit_baseline(study).link(part.covariates) if study.covariate_names else None
        return HeldOut(f"{part.name} part", part.y, links, _with_offset(alone, part.offset), part.offset)
    if cv is None or cv.oof_link is None:
        return None
    assert cv.trained_on is not None
    folds = cv.first_folds
    trained = cv.trained_on[: len(folds)]
    return HeldOut(
        FOLDS,
        study.y,
        cv.oof_link,
        _fold_baseline(study, trained, folds),
        study.offset,
        None if has_times(study.y) else _nulls(study, trained, folds),
        fold_numbers(study.n_samples, folds),
        mean_size(trained),
        None if cv.nested is None else _outer(study, cv.nested),
    )


def _outer(study: Study, nested: NestedCV) -> Outer:
    assert nested.trained_on is not None
    baseline = _fold_baseline(study, nested.trained_on, nested.folds)
    return Outer(nested.link, nested.null, baseline, nested.fold_ids, nested.n_train)


def _with_offset(link: Float | None, offset: Float | None) -> Float | None:
    return link if link is None or offset is None else link + offset


def evaluate_link(
    response: Response,
    y: NDArray[Any],
    link: Float,
    *,
    baseline: Float | None,
    part: str,
    offset: Float | None = None,
    **how: Any,
) -> Evaluation:
    """Evaluate linear predictors, offset included, of some samples of a response: see `riata.evaluate`."""
    target = target_of(response, y, offset if response.loss_function.has_counts else None)
    target.pop("ties", None)
    if response.loss_function.many_classes:
        target["y"] = y  # the numbers of the classes
    classes = response.classes or None
    return evaluate(link=link, baseline=baseline, part=part, classes=classes, **target, **how)


def _fold_baseline(study: Study, trained: Sequence[Rows], folds: Sequence[Rows]) -> Float | None:
    """Predict each fold from covariates fitted to what it was trained on; NaN for samples of none."""
    if not study.covariate_names:
        return None
    parts = [
        fit_baseline(study, train).link(study.covariates[held])
        for train, held in zip(trained, folds, strict=True)
    ]
    return _with_offset(by_fold(study.n_samples, folds, parts), study.offset)


def _nulls(study: Study, trained: Sequence[Rows], folds: Sequence[Rows]) -> Float | None:
    """What the intercept alone predicts of each fold."""
    response, y = study.response, study.y
    if response.loss_function.many_classes:
        y = one_hot(y.astype(np.int64), len(response.classes))
    return fold_nulls(response.loss_function, y, study.offset, trained, folds)
