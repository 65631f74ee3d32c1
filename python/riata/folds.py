"""Which samples are held out together: folds drawn, or taken from a splitter, and checked."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._alignment import check_rows_named_alike
from riata._survival import SurvivalTarget
from riata._validation import Float, check_integer

Rows = NDArray[np.int64]
Split = tuple[Rows, Rows]

STRATIFIED = ("binomial", "cox", "multinomial")


def make_splits(
    cv: Any,
    X: Any,
    y: Any,
    target: Float | SurvivalTarget,
    weights: Float,
    groups: ArrayLike | None,
    *,
    loss: str,
    shuffle: bool,
    random_state: Any = None,
) -> list[Split]:
    """Return the (train, test) row numbers of each fold, checked.

    An integer `cv` deals the samples of positive weight out to folds, by class or event where there are any.
    A splitter is shown `X`, `y` and `groups` as the user gave them.
    """
    check_rows_named_alike(X, groups=groups)
    n = len(target)
    strata = _strata(target) if loss in STRATIFIED else None
    labels = None if groups is None else _check_groups(groups, n)
    if isinstance(cv, int | np.integer) and not isinstance(cv, bool):
        pairs: list[Any] = _drawn(cv, n, np.flatnonzero(weights > 0.0), strata, labels, shuffle, random_state)
    elif hasattr(cv, "split") and not isinstance(cv, str):
        outcome = strata if strata is not None and _sorts_into_classes(cv) else y
        with warnings.catch_warnings():  # of classes rarer than folds: a fold short of one is refused later
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            pairs = list(cv.split(X, outcome, groups))
    elif isinstance(cv, Iterable) and not isinstance(cv, str):
        pairs = list(cv)
    else:
        raise TypeError(f"cv must be an integer >= 2, a splitter or pairs of (train, test), got {cv!r}")
    if not pairs:
        raise ValueError("cv must give at least one split, got none")
    return [_check_split(k, pair, n) for k, pair in enumerate(pairs)]


def _strata(target: Float | SurvivalTarget) -> NDArray[np.int64] | None:
    """Class or event of each sample, None where these are not whole numbers."""
    outcome = target.event if isinstance(target, SurvivalTarget) else target
    if not np.all((outcome == 0.0) | (outcome == 1.0)):
        return None
    return (outcome.argmax(axis=1) if outcome.ndim > 1 else outcome).astype(np.int64)


def _sorts_into_classes(splitter: Any) -> bool:
    """Whether it is one of scikit-learn's that want class labels, which survival times and shares are not."""
    from sklearn import model_selection as given

    kinds = (
        given.StratifiedKFold,
        given.StratifiedGroupKFold,
        given.RepeatedStratifiedKFold,
        given.StratifiedShuffleSplit,
    )
    return isinstance(splitter, kinds)


def _check_groups(groups: Any, n: int) -> NDArray[np.int64]:
    """Return the group of each sample as a number."""
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise ValueError(f"groups must hold one label a sample, shape ({n},), got shape {labels.shape}")
    for i, label in enumerate(labels.tolist()):
        if label is None or type(label).__name__ == "NAType" or (isinstance(label, float) and label != label):
            raise ValueError(f"groups must hold a label for every sample, got {label!r} at position {i}")
    try:
        return np.unique(labels, return_inverse=True)[1].astype(np.int64)
    except TypeError as error:
        raise TypeError("groups must hold labels of one kind, that can be ordered") from error


def _drawn(
    cv: Any,
    n: int,
    rows: Rows,
    strata: NDArray[np.int64] | None,
    groups: NDArray[np.int64] | None,
    shuffle: bool,
    random_state: Any,
) -> list[Split]:
    """Deal `rows` out to `cv` folds as evenly as classes and groups allow."""
    from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold
    from sklearn.utils import check_random_state

    folds = check_integer("cv", cv, at_least=2)
    if folds > len(rows):
        what = "samples" if len(rows) == n else "samples of positive weight"
        raise ValueError(f"cv must be at most the number of {what}, n_samples={len(rows)}, got {folds}")
    groups = None if groups is None else groups[rows]
    if groups is not None and folds > len(np.unique(groups)):
        raise ValueError(f"cv must be at most the number of groups, {len(np.unique(groups))}, got {folds}")
    strata = None if strata is None else strata[rows]
    seed = random_state if shuffle else None
    if strata is None:
        splitter = (KFold if groups is None else GroupKFold)(folds, shuffle=shuffle, random_state=seed)
    elif groups is None and folds <= np.bincount(strata).max():
        splitter = StratifiedKFold(folds, shuffle=shuffle, random_state=seed)
    else:
        units = np.arange(len(rows)) if groups is None else groups
        fold = deal_out(strata, units, folds, check_random_state(seed) if shuffle else None)
        return [(rows[fold != k], rows[fold == k]) for k in range(folds)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        parts = list(splitter.split(np.zeros((len(rows), 1)), strata, groups))
    return [(rows[train], rows[test]) for train, test in parts]


def deal_out(
    strata: NDArray[np.int64], units: NDArray[np.int64], folds: int, rng: np.random.RandomState | None
) -> NDArray[np.int64]:
    """Return the fold of each sample: units stay whole, and each class is spread as far as they allow.

    Those with the largest share of some class come first, in random order with `rng`; each goes to the fold
    that has least of that class, and of those to the smallest. So no fold is empty unless units are too few.
    """
    _, unit = np.unique(units, return_inverse=True)
    counts = np.zeros((unit.max() + 1, strata.max() + 1))
    np.add.at(counts, (unit, strata), 1.0)
    share = counts / np.maximum(counts.sum(axis=0), 1.0)
    order = np.arange(len(counts)) if rng is None else rng.permutation(len(counts))
    order = order[np.argsort(-share.max(axis=1)[order], kind="stable")]
    held = np.zeros((folds, counts.shape[1]))
    fold_of = np.empty(len(counts), dtype=np.int64)
    for u in order:
        fold = np.lexsort((held.sum(axis=1), held[:, share[u].argmax()]))[0]
        held[fold] += counts[u]
        fold_of[u] = fold
    return np.asarray(fold_of[unit])


def _check_split(k: int, pair: Any, n: int) -> Split:
    try:
        train, test = (np.asarray(part) for part in pair)
    except (TypeError, ValueError) as error:
        raise TypeError(f"cv must give pairs of (train, test), got {pair!r} as split {k}") from error
    parts = []
    for name, part in (("train", train), ("test", test)):
        if part.dtype.kind == "b" and part.shape == (n,):
            part = np.flatnonzero(part)
        if part.dtype.kind not in "iu" or part.ndim != 1 or part.size == 0:
            raise ValueError(
                f"cv must give non-empty 1-D row numbers, got {part!r} as {name} rows of split {k}"
            )
        if part.min() < 0 or part.max() >= n:
            raise ValueError(
                f"cv must give row numbers from 0 to {n - 1}, got {part.min()}..{part.max()} in split {k}"
            )
        parts.append(part.astype(np.int64))
    return parts[0], parts[1]
