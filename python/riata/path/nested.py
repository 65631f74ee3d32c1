"""Nested cross-validation: folds that take no part in the choice of alpha judge the whole procedure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._input.design import DesignView
from riata._input.survival import SurvivalTarget
from riata._input.validation import Float, check_integer
from riata._io.archive import vector, within
from riata.losses import Loss
from riata.losses._known import GREATER_IS_BETTER
from riata.path.arguments import Options
from riata.path.expanding_windows import ExpandingWindows
from riata.path.fold_scores import Reweigh, choose, fold_columns, held_out_rows, score_folds, summarise
from riata.path.folds import (
    Rows,
    Split,
    count_repeats,
    is_count,
    looks_at_tables,
    make_splits,
    rows_of_given,
    rows_of_target,
    strata_of,
)
from riata.path.null_model import null_predictor
from riata.path.validation import FoldScorer

#: What is kept of a nested cross-validation in an archive.
_SAVED = ("alphas", "n_active", "link", "null", "fold_ids", "n_train")


@dataclass(slots=True, repr=False)
class NestedCV:
    """Predictions by fits whose alpha was chosen without the predicted samples. Made by `cv_path`.

    Attributes
    ----------
    alphas : ndarray of shape (K,)
        The alpha that each outer training set chose for itself, by cross-validation within it.
    n_active : ndarray of shape (K,)
        Nonzero coefficients there, those of unpenalised features included.
    link : ndarray of shape (n,), or (n, outputs)
        Linear predictor of each sample by the fit that held it out; NaN for samples that no fit held out. For
        the Cox loss, minus its mean over the samples of that fit.
    null : ndarray, as `link`
        What the intercept alone predicts, fitted to the same samples.
    fold_ids : ndarray of shape (n,)
        The outer fold of each sample, -1 where there is none.
    n_train : int
        The number of samples an outer fit is trained on, on average.
    trained_on : list of ndarray of int, or None
        The samples that each outer fit was trained on; None after `riata.load`.
    """

    alphas: Float
    n_active: NDArray[np.int64]
    link: Float
    null: Float
    fold_ids: NDArray[np.int64]
    n_train: int
    trained_on: list[Rows] | None = None

    @property
    def folds(self) -> list[Rows]:
        """Held-out samples of each outer fold."""
        return [np.flatnonzero(self.fold_ids == k) for k in range(len(self.alphas))]

    def __repr__(self) -> str:
        return (
            f"<riata.NestedCV {len(self.alphas)} folds, alpha {self.alphas.min():.4g} to "
            f"{self.alphas.max():.4g}, {self.n_active.min()} to {self.n_active.max()} active>"
        )

    def of_rows(self, rows: Rows) -> NestedCV:
        """Number the samples as a smaller set does, that of `rows`, which holds all that were predicted."""
        trained = self.trained_on
        return replace(
            self,
            link=self.link[rows],
            null=self.null[rows],
            fold_ids=self.fold_ids[rows],
            trained_on=None if trained is None else [np.searchsorted(rows, part) for part in trained],
        )

    def pack(self) -> dict[str, NDArray[Any]]:
        """Return arrays to save, read back by `unpack`."""
        return {f"nested_{name}": np.asarray(getattr(self, name)) for name in _SAVED}

    @classmethod
    def unpack(cls, arrays: dict[str, Any]) -> NestedCV | None:
        """Read what `pack` returned; None where there is none. Refuses arrays that do not fit together."""
        if "nested_alphas" not in arrays:
            return None
        count = len(vector(arrays, "nested_alphas", "f"))
        vector(arrays, "nested_n_active", "iu", count)
        ids = vector(arrays, "nested_fold_ids", "iu")
        within("nested_fold_ids", ids + 1, count + 1)
        for name in ("nested_link", "nested_null"):
            if len(arrays[name]) != len(ids) or arrays[name].shape != arrays["nested_link"].shape:
                raise ValueError(f"{name} must have {len(ids)} rows, got shape {arrays[name].shape}")
        kept = {name: arrays[f"nested_{name}"] for name in _SAVED}
        return cls(**kept | {"n_train": int(kept["n_train"])})


@dataclass(slots=True)
class OuterFold:
    """Samples that an outer fold trains on and holds out, and the folds drawn from the former."""

    train: Rows
    test: Rows
    inner: list[Split]

    def of_rows(self, rows: Rows) -> OuterFold:
        """Number the samples as a larger set does, of which they are `rows`."""
        inner = [(rows[train], rows[test]) for train, test in self.inner]
        return OuterFold(rows[self.train], rows[self.test], inner)


def outer_folds(
    nested: Any,
    cv: Any,
    X: Any,
    y: Any,
    target: Float | SurvivalTarget,
    weights: Float,
    groups: ArrayLike | None,
    *,
    loss: Loss,
    random_state: Any,
    repeats: int = 1,
) -> list[OuterFold]:
    """Draw outer folds by `nested`, by `cv` where that is True, and within each the folds of `cv`.

    Raises
    ------
    ValueError
        When a sample is held out by two outer folds, or inner folds cannot be drawn.
    """
    drawn: dict[str, Any] = {"loss": loss, "shuffle": True, "random_state": random_state}
    rule = cv if nested is True else nested
    if isinstance(rule, int | np.integer):
        check_integer("nested", rule, at_least=2)
    try:
        outer = make_splits(rule, X, y, target, weights, groups, **drawn)
    except (ValueError, TypeError) as error:
        raise type(error)(f"nested: {error}") from error
    held = np.concatenate([test for _, test in outer])
    if len(np.unique(held)) < len(held):
        raise ValueError("nested must hold out no sample twice, got folds that overlap")
    if len(outer) < 2:
        raise ValueError("nested must give at least two folds, got one")
    out = []
    for k, (train, test) in enumerate(outer):
        rows = np.unique(train)
        try:
            inner = _inner_folds(cv, X, y, target, weights, groups, rows, drawn | {"repeats": repeats})
        except (ValueError, TypeError) as error:
            raise type(error)(f"within outer fold {k} of nested: {error}") from error
        out.append(OuterFold(train, test, inner))
    return out


def _inner_folds(
    cv: Any,
    X: Any,
    y: Any,
    target: Float | SurvivalTarget,
    weights: Float,
    groups: ArrayLike | None,
    rows: Rows,
    drawn: dict[str, Any],
) -> list[Split]:
    """Draw the folds of `cv` from some rows; of folds that are given, take what lies within them."""
    if isinstance(cv, list):
        given = make_splits(cv, X, y, target, weights, groups, **drawn)
        parts = [(train[np.isin(train, rows)], test[np.isin(test, rows)]) for train, test in given]
        return [(train, test) for train, test in parts if len(train) and len(test)]
    given_X = given_y = None
    if looks_at_tables(cv):
        given_X, given_y = rows_of_given(X, rows), rows_of_given(y, rows)
    of_rows = None if groups is None else np.asarray(groups)[rows]
    known = rows_of_target(target, rows)
    if is_count(cv):
        whole = _most_folds(target, weights, groups, drawn["loss"])
        within = _most_folds(known, weights[rows], of_rows, drawn["loss"])
        cv = max(2, min(int(cv), within.of_samples, within.of_class if cv <= whole.of_class else int(cv)))
    elif isinstance(cv, ExpandingWindows):
        times = len(rows) if of_rows is None else len(np.unique(of_rows))
        cv = ExpandingWindows(min(cv.n_splits, times - 1))
    splits = make_splits(cv, given_X, given_y, known, weights[rows], of_rows, **drawn)
    return [(rows[train], rows[test]) for train, test in splits]


@dataclass(frozen=True)
class MostFolds:
    """How many folds some samples allow, and for how many each class has a sample."""

    of_samples: int
    of_class: int


def _most_folds(
    target: Float | SurvivalTarget, weights: Float, groups: ArrayLike | None, loss: Loss
) -> MostFolds:
    """Count samples, or their groups, and those with a member of the rarest class."""
    rows = np.flatnonzero(weights > 0.0)
    units = np.arange(len(weights)) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = len(np.unique(units[rows]))
    classes = strata_of(target) if loss.balanced_by else None
    if classes is None:
        return MostFolds(count, count)
    pairs = np.unique(np.column_stack([classes[rows], units[rows]]), axis=0)
    return MostFolds(count, int(np.unique(pairs[:, 0], return_counts=True)[1].min()))


@dataclass(slots=True)
class OuterColumns:
    """Weights of an outer fold's fit and of the fits within it, (n, 1 + inner folds)."""

    fold: OuterFold
    weights: Float
    columns: Float


def outer_columns(
    folds: list[OuterFold],
    y: Float | SurvivalTarget,
    weights: Float,
    options: Options,
    scoring: str,
    labels: NDArray[Any] | None,
    reweigh: Reweigh | None = None,
) -> list[OuterColumns]:
    """Return the weights of all fits of each outer fold; refuse folds that cannot be fitted."""
    out = []
    for k, fold in enumerate(folds):
        within = np.zeros(len(y))
        np.add.at(within, fold.train, weights[fold.train])
        try:
            columns = fold_columns(y, within, fold.inner, options, scoring, labels, reweigh)
        except ValueError as error:
            raise ValueError(f"within outer fold {k} of nested: {error}") from error
        out.append(OuterColumns(fold, within, columns))
    return out


def outer_scorers(
    parts: list[OuterColumns],
    first: int,
    design: DesignView,
    y: Float | SurvivalTarget,
    offset: Float | None,
    options: Options,
    scoring: str,
    *,
    weigh_folds: bool,
) -> dict[int, FoldScorer]:
    """Return what scores the inner folds of each outer fold, by the column that leads, from `first` on."""
    scorers = {}
    for part in parts:
        scorers[first] = FoldScorer(
            part.columns, design, y, part.weights, offset, options, part.fold.inner, scoring,
            weigh_folds=weigh_folds,
        )  # fmt: skip
        first += part.columns.shape[1]
    return scorers


def collect_nested(
    fits: list[dict[str, Any]],
    parts: list[OuterColumns],
    design: DesignView,
    y: Float | SurvivalTarget,
    offset: Float | None,
    options: Options,
    scoring: str,
    alpha_rule: str,
    *,
    weigh_folds: bool,
) -> NestedCV | None:
    """Choose alpha within each outer fold and predict what it holds out, given the fits to `parts` in order.

    None when a path ended, as by an interrupt, before it had an alpha.
    """
    outputs = y.shape[1:]
    link = np.full((len(y), *outputs), np.nan)
    null = np.full((len(y), *outputs), np.nan)
    ids = np.full(len(y), -1, dtype=np.int64)
    alphas, active = [], []
    for k, part in enumerate(parts):
        mine, fits = fits[: part.columns.shape[1]], fits[part.columns.shape[1] :]
        if len(mine[0]["alphas"]) == 0:
            return None
        at = _choice(mine, part, design, y, offset, options, scoring, alpha_rule, weigh_folds)
        test = part.fold.test
        eta = held_out_rows(mine[0], part.columns[:, 0], design, y, test, offset, options.n_threads)
        link[test] = eta[..., at]
        null[test] = null_predictor(y, part.columns[:, 0], offset, options)[test]
        ids[test] = k
        alphas.append(float(mine[0]["alphas"][at]))
        active.append(int(mine[0]["n_active"][at]))
        mine[0]["linear_predictor"] = None
    n_train = round(float(np.mean([np.count_nonzero(part.weights) for part in parts])))
    counts = np.array(active, dtype=np.int64)
    trained = [part.fold.train for part in parts]
    return NestedCV(np.array(alphas), counts, link, null, ids, n_train, trained)


def _choice(
    fits: list[dict[str, Any]],
    part: OuterColumns,
    design: DesignView,
    y: Float | SurvivalTarget,
    offset: Float | None,
    options: Options,
    scoring: str,
    alpha_rule: str,
    weigh_folds: bool,
) -> int:
    """Return the position of the alpha that the inner folds choose, as `cv_path` does."""
    inner = part.fold.inner
    scored = score_folds(
        fits, part.columns, design, y, part.weights, offset, options, inner, scoring, keep=False
    )
    sizes = np.array([part.weights[test].sum() for _, test in inner]) if weigh_folds else np.ones(len(inner))
    mean, error = summarise(scored.scores, sizes, count_repeats([test for _, test in inner]))
    best, frugal = choose(mean, error, greater_is_better=scoring in GREATER_IS_BETTER)
    return frugal if alpha_rule == "1se" else best
