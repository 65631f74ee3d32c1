"""Which samples are held out together: folds drawn, or taken from a splitter, and checked."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._input.alignment import check_rows_named_alike
from riata._input.storage import shown_to_splitter
from riata._input.survival import SurvivalTarget
from riata._input.validation import Float, check_integer
from riata.losses import Loss
from riata.losses._known import loss_of

Rows = NDArray[np.int64]
Split = tuple[Rows, Rows]


def make_splits(
    cv: Any,
    X: Any,
    y: Any,
    target: Float | SurvivalTarget,
    weights: Float,
    groups: ArrayLike | None,
    *,
    loss: str | Loss,
    shuffle: bool,
    random_state: Any = None,
    repeats: int = 1,
) -> list[Split]:
    """Return the (train, test) row numbers of each fold, checked.

    An integer `cv` deals the samples of positive weight out to folds, by class or event where there are any,
    `repeats` times. A splitter is shown `X`, `y` and `groups` as the user gave them.
    """
    check_rows_named_alike(X, groups=groups)
    n = len(target)
    strata = strata_of(target) if loss_of(loss).balanced_by else None
    labels = None if groups is None else check_groups(groups, n)
    repeats = check_integer("repeats", repeats, at_least=1)
    counted = is_count(cv)
    if repeats > 1 and not counted:
        raise ValueError(
            f"repeats must be 1 unless cv is an integer, got {repeats}; use a splitter that "
            "repeats, such as RepeatedKFold"
        )
    if counted:
        from sklearn.utils import check_random_state

        rng = check_random_state(random_state) if shuffle else None  # one for all repeats: each goes on in it
        rows = np.flatnonzero(weights > 0.0)
        pairs: list[Any] = []
        for _ in range(repeats):
            pairs += _drawn(cv, n, rows, strata, labels, rng)
    elif hasattr(cv, "split") and not isinstance(cv, str):
        outcome = strata if strata is not None and _sorts_into_classes(cv) else y
        with warnings.catch_warnings():  # of classes rarer than folds: a fold short of one is refused later
            warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
            pairs = list(cv.split(shown_to_splitter(X), outcome, groups))
    elif isinstance(cv, Iterable) and not isinstance(cv, str):
        pairs = list(cv)
    else:
        raise TypeError(f"cv must be an integer >= 2, a splitter or pairs of (train, test), got {cv!r}")
    if not pairs:
        raise ValueError("cv must give at least one split, got none")
    return [_check_split(k, pair, n) for k, pair in enumerate(pairs)]


def is_count(cv: Any) -> bool:
    """Whether `cv` is a number of folds."""
    return isinstance(cv, int | np.integer) and not isinstance(cv, bool)


def count_repeats(folds: Sequence[Rows]) -> int:
    """How often folds deal out the same samples, each time once; 1 where they do not."""
    rows = np.concatenate([*folds, np.empty(0, dtype=np.int64)])
    held = np.unique(rows)
    repeats = len(rows) // max(len(held), 1)
    if repeats < 2 or len(folds) % repeats or len(folds) < 2 * repeats:
        return 1
    each = len(folds) // repeats
    parts = (np.concatenate(folds[k : k + each]) for k in range(0, len(folds), each))
    return repeats if all(np.array_equal(np.sort(part), held) for part in parts) else 1


def describe_folds(
    cv: Any, splits: Sequence[Split], *, loss: str | Loss, grouped: bool, repeats: int, random_state: Any
) -> str:
    """Say how the folds of `make_splits` came about."""
    if not is_count(cv):
        from riata.path.expanding_windows import ExpandingWindows  # which imports this module

        if isinstance(cv, ExpandingWindows):
            return describe_windows(len(splits), "time")
        by = f" by {type(cv).__name__}" if hasattr(cv, "split") else " as given"
        return f"{len(splits)} folds{by}"
    seed = random_state if is_count(random_state) else None
    return describe_draw(cv, repeats, seed, loss) + (", whole groups together" if grouped else "")


def describe_windows(count: int, order: str) -> str:
    """Say how expanding windows are laid."""
    windows = "window" if count == 1 else "windows"
    return f"{count} expanding {windows} in order of {order}, each tested on what follows it"


def describe_draw(folds: int, repeats: int, seed: int | None, loss: str | Loss) -> str:
    """Say how folds are drawn."""
    text = f"{folds} folds drawn {f'{repeats} times ' if repeats > 1 else ''}at random"
    text += "" if seed is None else f" (seed {seed})"
    by = loss_of(loss).balanced_by
    return f"{text}, balanced by {by}" if by else text


def rows_of_given(table: Any, rows: Rows) -> Any:
    """Return some rows of X or y as the user gave it, to show to a splitter."""
    from sklearn.utils import _safe_indexing

    table = shown_to_splitter(table)
    if table is None or len(rows) == len(table):
        return table
    return table.subset(samples=rows) if hasattr(table, "_design") else _safe_indexing(table, rows)


def rows_of_target(target: Float | SurvivalTarget, rows: Rows) -> Float | SurvivalTarget:
    """Return the responses of some samples, to draw folds from."""
    if isinstance(target, SurvivalTarget):
        return replace(target, time=target.time[rows], event=target.event[rows], start=None, strata=None)
    return target[rows]


def strata_of(target: Float | SurvivalTarget) -> NDArray[np.int64] | None:
    """Class or event of each sample, None where these are not whole numbers."""
    outcome = target.event if isinstance(target, SurvivalTarget) else target
    if not np.all((outcome == 0.0) | (outcome == 1.0)):
        return None
    return (outcome.argmax(axis=1) if outcome.ndim > 1 else outcome).astype(np.int64)


def looks_at_tables(cv: Any) -> bool:
    """Whether it is a splitter that is to see X and y, not one that goes by groups alone."""
    return hasattr(cv, "split") and not getattr(cv, "by_groups_alone", False)


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


def check_groups(groups: Any, n: int, name: str = "groups") -> NDArray[np.int64]:
    """Return the group of each sample as a number, in their order."""
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise ValueError(f"{name} must hold one label per sample, shape ({n},), got shape {labels.shape}")
    for i, label in enumerate(labels.tolist()):
        if label is None or type(label).__name__ in ("NAType", "NaTType") or _is_nan(labels[i]):
            raise ValueError(f"{name} must hold a label for every sample, got {label!r} at position {i}")
    try:
        return np.unique(labels, return_inverse=True)[1].astype(np.int64)
    except TypeError as error:
        raise TypeError(f"{name} must hold labels of one kind that can be ordered") from error


def _is_nan(label: Any) -> bool:
    """Whether a label is NaN, or a date that is missing."""
    return isinstance(label, float | np.datetime64 | np.timedelta64) and bool(label != label)


def _drawn(
    cv: Any,
    n: int,
    rows: Rows,
    strata: NDArray[np.int64] | None,
    groups: NDArray[np.int64] | None,
    rng: np.random.RandomState | None,
) -> list[Split]:
    """Deal `rows` out to `cv` folds as evenly as classes and groups allow, in random order with `rng`."""
    from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

    folds = check_integer("cv", cv, at_least=2)
    if folds > len(rows):
        what = "samples" if len(rows) == n else "samples of positive weight"
        raise ValueError(f"cv must be at most the number of {what}, n_samples={len(rows)}, got {folds}")
    groups = None if groups is None else groups[rows]
    if groups is not None and folds > len(np.unique(groups)):
        raise ValueError(f"cv must be at most the number of groups, {len(np.unique(groups))}, got {folds}")
    strata = None if strata is None else strata[rows]
    shuffled = {"shuffle": rng is not None, "random_state": rng}
    if strata is None:
        splitter = (KFold if groups is None else GroupKFold)(folds, **shuffled)
    elif groups is None and folds <= np.bincount(strata).max():
        splitter = StratifiedKFold(folds, **shuffled)
    else:
        units = np.arange(len(rows)) if groups is None else groups
        fold = deal_out(strata, units, folds, rng)
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
