"""How good a cross-validated path is, from the folds that it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._input.survival import SurvivalTarget
from riata._input.validation import Float, check_offset
from riata.losses import Loss
from riata.losses._known import check_loss
from riata.path.evaluation import ASKED, FOLDS, NESTED, OPTIMISTIC, Evaluation, evaluate
from riata.path.folds import Rows
from riata.path.many_classes import label_text

if TYPE_CHECKING:
    from riata.path.cv_result import CVPath


def evaluate_cv(
    cv: CVPath,
    y: Any,
    alpha: float | None,
    *,
    baseline: ArrayLike | None,
    threshold: float,
    start: Any,
    strata: Any,
    offset: Any,
) -> Evaluation:
    """See `CVPath.evaluate`."""
    path = cv.path
    loss = check_loss(path.loss, start=start, strata=strata, huber_delta=path.huber_delta)
    if loss.many_responses:
        raise ValueError("evaluate takes losses of one response; give riata.evaluate one response at a time")
    nested = cv.nested if alpha is None else None
    if nested is None and cv.oof_link is None:
        raise ValueError("cv_path keeps held-out predictions when no sample is held out twice")
    link = cv.predict_held_out(alpha, kind="link") if nested is None else nested.link
    n = len(link)
    target, labels = loss.check_target(y, n, np.ones(n))
    if path.classes is not None and (labels is None or list(labels) != list(path.classes)):
        raise ValueError(f"y must hold the classes of the fit, {path.classes.tolist()}")
    shift = check_offset(offset, n, target.shape[1:])
    null: Float | None
    if nested is None:
        folds = cv.first_folds
        rows = np.arange(n)
        trained = cv.trained_on or [np.setdiff1d(rows, fold) for fold in folds]
        ids, n_train = fold_numbers(n, folds), mean_size(trained[: len(folds)])
        null = fold_nulls(loss, target, shift, trained[: len(folds)], folds)
    else:
        ids, n_train, null = nested.fold_ids, nested.n_train, nested.null
    values = np.asarray(y) if isinstance(target, SurvivalTarget) else target
    if loss.many_classes:
        values = target.argmax(axis=1)  # type: ignore[union-attr]
    part = NESTED if nested is not None else OPTIMISTIC if alpha is None else f"{FOLDS}, {ASKED}"
    known = np.isfinite(link.reshape(n, -1)).all(axis=1)

    def rows_of(array: Any) -> Any:
        return None if array is None else np.asarray(array)[known]

    found = evaluate(
        values[known],
        link[known],
        loss=path.loss,
        baseline=rows_of(baseline),
        part=part,
        start=rows_of(start),
        strata=rows_of(strata),
        offset=rows_of(shift) if loss.has_counts else None,
        huber_delta=path.huber_delta,
        threshold=threshold,
        classes=None if path.classes is None else [label_text(label) for label in path.classes.tolist()],
        folds=ids[known],
        n_train=n_train,
        null=rows_of(null),
    )
    return found.bare if nested is None else found


def fold_numbers(n: int, folds: Sequence[Rows]) -> NDArray[np.int64]:
    """Return the fold of each sample, -1 for samples of none."""
    ids = np.full(n, -1, dtype=np.int64)
    for k, rows in enumerate(folds):
        ids[rows] = k
    return ids


def mean_size(trained: Sequence[Rows]) -> int:
    """Return how many samples fits were trained on, on average."""
    return round(float(np.mean([len(np.unique(rows)) for rows in trained])))


def by_fold(n: int, folds: Sequence[Rows], parts: Sequence[Float]) -> Float:
    """Put what is known of each fold where its samples are; NaN for samples of none."""
    out = np.full((n, *parts[0].shape[1:]), np.nan)
    for held, values in zip(folds, parts, strict=True):
        out[held] = values
    return out


def fold_nulls(
    loss: Loss,
    y: Float | SurvivalTarget,
    offset: Float | None,
    trained: Sequence[Rows],
    folds: Sequence[Rows],
) -> Float | None:
    """What the intercept alone predicts of each fold; None for survival times, where it is nothing."""
    if isinstance(y, SurvivalTarget):
        return None
    shift = np.zeros(y.shape) if offset is None else offset
    parts = [
        shift[held] + loss.null_level(y[train], np.ones(len(train)), shift[train])
        for train, held in zip(trained, folds, strict=True)
    ]
    return by_fold(len(y), folds, parts)
