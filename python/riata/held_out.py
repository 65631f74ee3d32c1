"""Samples that took no part in a fit: their linear predictors, the penalty they choose, how good it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._arguments import HUBER_DELTA
from riata._survival import SURVIVAL_SCORERS, check_survival_target
from riata._targets import one_hot
from riata.evaluation import Evaluation, evaluate
from riata.genotypes import Genotypes
from riata.many_classes import links_of
from riata.model_selection import GREATER_IS_BETTER, CVPath, scorer
from riata.response import Response
from riata.splitting import Part
from riata.study import Study, decode, target_of
from riata.survival_times import has_times

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
        score = scorer(path.loss, scoring, path.huber_delta or HUBER_DELTA)
        scores = score(y, links, np.ones(len(part.y)))
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
    path = riata.fit_path(covariates, **target, alphas=[1.0], penalty_factor=factor, n_threads=1)
    intercept, coef = path.intercept(1.0), np.asarray(path.coef(1.0))[:k]
    if study.response.loss == "cox":
        intercept = -float(covariates.mean(axis=0)[:k] @ coef)
    return Baseline(intercept, coef)


@dataclass(frozen=True)
class HeldOut:
    """Samples that the fits did not see: what it takes to evaluate a path on them, at any of its alphas.

    Attributes
    ----------
    name : str
        Which samples these are.
    chose : bool
        Whether alpha was chosen by them, where none was asked for.
    y : (m,) array
        Responses.
    links : (m, L) or (m, K, L) array
        Linear predictors, offset included; NaN for samples that no fold held out.
    baseline : (m,) or (m, K) array, or None
        Those of the covariates alone.
    offset : (m,) array or None
    """

    name: str
    chose: bool
    y: NDArray[Any]
    links: Float
    baseline: Float | None = None
    offset: Float | None = None

    def at(
        self, path: Any, alpha: float, response: Response, *, chosen: bool
    ) -> tuple[tuple[NDArray[Any], Float], Evaluation]:
        """Return (y, linear predictors) at an alpha, and how well they agree; `chosen`: by a score."""
        link = path.interpolate(self.links, alpha)
        known = np.isfinite(link.reshape(len(link), -1)).all(axis=1)
        y, link = self.y[known], link[known]
        what = f"{self.name}, which chose alpha" if self.chose and chosen else self.name
        baseline, offset = (None if part is None else part[known] for part in (self.baseline, self.offset))
        return (y, link), evaluate_link(response, y, link, baseline=baseline, part=what, offset=offset)

    def arrays(self, *, links: bool) -> dict[str, NDArray[Any]]:
        """Return what is kept with a model, `links` among it unless the cross-validation has them."""
        kept = {"y": self.y, "links": self.links if links else None}
        kept |= {"baseline": self.baseline, "offset": self.offset}
        return {name: array for name, array in kept.items() if array is not None}


def held_out_of(study: Study, fit: Any) -> HeldOut | None:
    """Return the samples that a fit did not see: the test part, or the folds, or the validation part."""
    path = getattr(fit, "path", fit)
    part = study.part("test") or study.part("validation")
    adjusted = bool(study.covariate_names)
    if part is not None and (part.name == "test" or not hasattr(fit, "path")):
        links = part_links(path, part, path.coefs, path.intercepts)
        alone = fit_baseline(study).link(part.covariates) if adjusted else None
        name, chose, y, offset = f"{part.name} part", part.name != "test", part.y, part.offset
    elif hasattr(fit, "path") and fit.held_out is not None:
        alone = _fold_baseline(study, fit) if adjusted else None
        name, chose, y, offset, links = "held-out folds", True, study.y, study.offset, fit.held_out
    else:
        return None
    if alone is not None and offset is not None:
        alone = alone + offset
    return HeldOut(name, chose, y, links, alone, offset)


def evaluate_link(
    response: Response,
    y: NDArray[Any],
    link: Float,
    *,
    baseline: Float | None,
    part: str,
    offset: Float | None = None,
) -> Evaluation:
    """Evaluate linear predictors, offset included, of some samples of a response: see `riata.evaluate`."""
    target = target_of(response, y, offset if response.loss == "poisson" else None)
    target.pop("ties", None)
    if response.loss == "multinomial":
        target["y"] = y  # the numbers of the classes
    return evaluate(link=link, baseline=baseline, part=part, **target)


def _fold_baseline(study: Study, cv: CVPath) -> Float:
    """Predict each fold from covariates fitted to what it was trained on; NaN for samples of none."""
    assert cv.trained_on is not None
    folds, parts = cv.first_folds, []
    for train, held in zip(cv.trained_on, folds, strict=False):  # more of them where folds were drawn again
        parts.append(fit_baseline(study, train).link(study.covariates[held]))
    out = np.full((study.n_samples, *parts[0].shape[1:]), np.nan)
    for held, link in zip(folds, parts, strict=True):
        out[held] = link
    return out
