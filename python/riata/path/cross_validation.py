"""Cross-validated paths: every fold and the full fit in one call, without copying rows."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._docs import described_by
from riata._input.design import DesignView
from riata._input.renamed import old_name
from riata._input.survival import SurvivalTarget
from riata._input.validation import (
    Float,
    check_choice,
)
from riata._io.archive import check_folds
from riata.losses._known import GREATER_IS_BETTER, check_scoring
from riata.path.arguments import (
    Features,
    Options,
)
from riata.path.fit import (
    fit_path,
    leaders_of,
    make_path,
    names_beside,
    solve,
)
from riata.path.fit_warnings import warn_if_memory_ended, warn_unless_converged
from riata.path.fold_scores import (
    Reweigh,
    choose,
    fold_columns,
    predict_fold,
    score_folds,
    score_nulls,
    summarise,
)
from riata.path.folds import Rows, Split, count_repeats, describe_folds, make_splits
from riata.path.given import FitArguments, read_given, read_problem, shows_arguments_of
from riata.path.result import FORMAT, RegularizationPath, write_archive

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from riata.path.evaluation import Evaluation
    from riata.path.nested import NestedCV, OuterFold

__all__ = ["CVPath", "cv_path"]


SELECTIONS = ("min", "1se")
STILL_GAINS = 0.01  # of the standard error of the score, at the end of a grid


@dataclass(slots=True, repr=False)
class CVPath:
    """A path and its cross-validation. Made by `cv_path`.

    Attributes
    ----------
    path : RegularizationPath
        The fit to all samples.
    scores : ndarray of shape (L, K)
        Score of each alpha on each held-out fold.
    scoring : str
        "mse", "mae" (means over responses), "huber" (mean Huber loss), "deviance" (twice the mean
        log-likelihood that is missing to that of a perfect fit; for the Cox loss what the held-out samples
        add to minus twice the log partial likelihood), "misclassification", "auc" (of several classes the
        mean of each against the others) or "concordance".
    mean_score, se_score : ndarray of shape (L,)
        Mean over folds, weighted by the folds' observation weights, and its standard error. Of folds that are
        drawn several times the standard error is that of one cross-validation, the root mean square over the
        repeats: repeats take out the luck of the draw, not that of the sample.
    alpha_min : float
        The largest alpha with the best mean score.
    alpha_1se : float
        The largest alpha whose mean score is within one standard error of the best (Breiman et al. 1984).
    selection : {"min", "1se"}
        Which of the two `alpha` is.
    folds : list of ndarray of int
        Held-out samples of each fold, those of one repeat after those of the other.
    fold_gaps : ndarray of shape (L, K)
        Certificates of the fits without each fold, as `RegularizationPath.dual_gaps`.
    oof_link : ndarray of shape (n, L), or (n, K, L) with K outputs, or None
        Linear predictor of each sample by the fits that held it out, NaN for samples that none did; for the
        Cox loss, which has no level of its own, less its mean over the samples of that fit. Of repeated folds
        those of the first draw. None when folds overlap otherwise, and in the estimators.
    trained_on : list of ndarray of int, or None
        The samples that the fit of each fold was trained on; None after `riata.load`.
    folds_made : str
        How folds came about, in words; empty when `cv_path` did not make them.
    null_score, null_se : float
        What the intercept alone scores on the held-out folds, and the standard error of that: what a model
        has to beat. NaN in archives of earlier versions.
    nested : NestedCV or None
        Predictions by folds that took no part in the choice of alpha, when asked for with `nested`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(3)
    >>> X = rng.standard_normal((60, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.5 * rng.standard_normal(60)
    >>> cv = riata.cv_path(X, y, cv=5)
    >>> bool(cv.alpha_1se >= cv.alpha_min)
    True
    >>> cv.scores.shape[1]
    5
    """

    path: RegularizationPath
    scores: Float
    scoring: str
    mean_score: Float
    se_score: Float
    alpha_min: float
    alpha_1se: float
    selection: str
    folds: list[Rows]
    fold_gaps: Float
    oof_link: Float | None = None
    trained_on: list[Rows] | None = None
    folds_made: str = ""

    held_out = old_name("held_out", "oof_link")

    @property
    def cv(self) -> CVPath:
        """The cross-validation itself, which a `Path` alone does not have."""
        return self

    @property
    def repeats(self) -> int:
        """How often the samples were dealt out to folds."""
        return count_repeats(self.folds)

    @property
    def first_folds(self) -> list[Rows]:
        """The folds of the first draw, which `oof_link` is of."""
        return self.folds[: len(self.folds) // self.repeats]

    null_score: float = np.nan
    null_se: float = np.nan
    nested: NestedCV | None = None

    @property
    def alpha(self) -> float:
        """The selected alpha."""
        return self.alpha_1se if self.selection == "1se" else self.alpha_min

    @property
    def best_is_last(self) -> bool:
        """Whether the best alpha is the last that was fitted, so that smaller ones may be better."""
        return len(self.path) > 1 and self.alpha_min == self.path.alphas[-1]

    @property
    def still_gains(self) -> bool:
        """Whether the score still changes at the end of the path, by a hundredth of its standard error."""
        mean = self.mean_score
        return len(mean) > 1 and bool(abs(mean[-1] - mean[-2]) > STILL_GAINS * self.se_score[-1])

    @property
    def position(self) -> int:
        """Where the selected alpha stands on the grid."""
        return int(np.argmin(np.abs(self.path.alphas - self.alpha)))

    @property
    def alphas(self) -> Float:
        """The grid of the path."""
        return self.path.alphas

    @property
    def folds_text(self) -> str:
        """Number of folds, and of repeats, in words."""
        folds = f"{len(self.first_folds)} folds"
        return folds if self.repeats == 1 else f"{folds} drawn {self.repeats} times"

    @property
    def fold_ids(self) -> NDArray[np.int64]:
        """Number of the fold that holds each sample out, -1 for samples that none does.

        Raises ValueError when folds overlap, as those of repeated splitters do.
        """
        n = 1 + max((int(rows.max()) for rows in self.folds if len(rows)), default=-1)
        ids = np.full(n, -1, dtype=np.int64)
        for k, rows in enumerate(self.folds):
            if np.any(ids[rows] >= 0):
                raise ValueError("fold_ids exist only when no sample is held out twice; see folds")
            ids[rows] = k
        return ids

    def __repr__(self) -> str:
        k = self.position
        return (
            f"<riata.CVPath {self.path.loss}, {self.folds_text}, {len(self.path)} alphas, "
            f"alpha_min {self.alpha_min:.4g}, alpha_1se {self.alpha_1se:.4g}; at {self.selection}: "
            f"{self.scoring} {self.mean_score[k]:.4g} (se {self.se_score[k]:.2g}), "
            f"{self.path.n_active[k]} active>"
        )

    def _repr_html_(self) -> str:
        """Show a card in notebooks."""
        from riata.report.cards import cv_card

        return cv_card(self)

    def coef(self, alpha: float | None = None) -> Any:
        """Coefficients at `alpha`, by default the selected one: see `RegularizationPath.coef`."""
        return self.path.coef(self.alpha if alpha is None else alpha)

    def intercept(self, alpha: float | None = None) -> Any:
        """Intercept at `alpha`, by default the selected one: see `RegularizationPath.intercept`."""
        return self.path.intercept(self.alpha if alpha is None else alpha)

    def predict(
        self,
        X: Any,
        alpha: float | ArrayLike | None = None,
        *,
        kind: str = "response",
        offset: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> NDArray[Any]:
        """Predict at `alpha`, by default the selected one: see `RegularizationPath.predict`."""
        at = self.alpha if alpha is None else alpha
        return self.path.predict(X, at, kind=kind, offset=offset, n_threads=n_threads)

    def predict_held_out(self, alpha: float | None = None, *, kind: str = "response") -> Float:
        """Predict each sample by the fit that held it out, at `alpha`, by default the selected one.

        Parameters
        ----------
        alpha : float, optional
            Within the grid; between grid points predictions are interpolated as coefficients are.
        kind : {"response", "link"}, default="response"

        Returns
        -------
        ndarray of shape (n,), or (n, K) with K outputs
            NaN for samples that no fold held out.

        Raises
        ------
        ValueError
            When the predictions were not kept: see `oof_link`.
        """
        check_choice("kind", kind, ("response", "link"))
        if self.oof_link is None:
            raise ValueError("held-out predictions are kept by cv_path when no sample is held out twice")
        link = self.path.interpolate(self.oof_link, self.alpha if alpha is None else float(alpha))
        return self.path.loss_function.mean(link[..., None])[..., 0] if kind == "response" else link

    def table(self, alpha: float | None = None) -> Any:
        """The features selected at `alpha`, by default the selected one: see `RegularizationPath.table`."""
        return self.path.table(self.alpha if alpha is None else alpha)

    def methods(self, alpha: float | None = None) -> str:
        """What was done, as a paragraph for a paper: model, penalty, samples, folds, alpha, software.

        Parameters
        ----------
        alpha : float, optional
            The penalty that is reported; by default the selected one.

        Examples
        --------
        >>> import numpy as np, riata
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((60, 100))
        >>> cv = riata.cv_path(X, X[:, 3] + rng.standard_normal(60), cv=5)
        >>> print(cv.methods().partition(". ")[0])
        y was modelled by linear regression, with an L1 (lasso) penalty (Tibshirani 1996)
        """
        from riata.report.fit_report import methods_of

        return methods_of(self, alpha)

    def report(
        self,
        file: str | os.PathLike[str],
        alpha: float | None = None,
        *,
        y: ArrayLike | None = None,
        start: ArrayLike | None = None,
        strata: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> None:
        """Write a page about the fit, the one that ``riata cv`` and ``riata report`` write: HTML in one file.

        Parameters
        ----------
        file : str or path-like
            Written whole or not at all.
        alpha : float, optional
            Which penalty to report; by default the selected one.
        y, start, strata, offset : optional
            As given to `cv_path`: then the page compares held-out predictions with the responses, see
            `evaluate`. A fit keeps no responses.

        Raises
        ------
        ValueError
            When `alpha` lies outside the path, or `y` is not that of the fit.
        OSError
            When the file cannot be written.

        Examples
        --------
        >>> import numpy as np, os, riata, tempfile
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((60, 100))
        >>> y = X[:, 3] + rng.standard_normal(60)
        >>> cv = riata.cv_path(X, y, cv=5)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cv.report(os.path.join(folder, "page.html"), y=y)
        ...     os.listdir(folder)
        ['page.html']
        """
        from riata.report.fit_report import write_report

        write_report(self, file, alpha, y=y, start=start, strata=strata, offset=offset)

    def evaluate(
        self,
        y: ArrayLike,
        alpha: float | None = None,
        *,
        baseline: ArrayLike | None = None,
        threshold: float = 0.5,
        start: ArrayLike | None = None,
        strata: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> Evaluation:
        """Compare the predictions of samples that were held out with their responses.

        After nested cross-validation these are the predictions of its outer folds, in each of which alpha was
        chosen anew: the evaluation is of the whole procedure, and its intervals are for what that reaches on
        new samples (see `riata.evaluate`). Else they are those of the folds that chose alpha, or at `alpha`:
        optimistic, and so without intervals.

        Parameters
        ----------
        y, start, strata, offset
            As given to `cv_path`. Samples count alike, whatever their weights.
        alpha : float, optional
            Evaluate the folds at this one, also after nested cross-validation.
        baseline : array of shape (n,), optional
            Linear predictors of covariates alone, made without each sample's fold.
        threshold : float, default=0.5
            Binomial loss: the second class is predicted where its probability is above this.

        Returns
        -------
        Evaluation

        Raises
        ------
        ValueError
            When the predictions were not kept (see `oof_link`), or `y` is not that of the fit.

        Examples
        --------
        >>> import numpy as np, riata
        >>> rng = np.random.default_rng(1)
        >>> X = rng.standard_normal((120, 30))
        >>> y = np.where(X[:, 0] + 0.5 * rng.standard_normal(120) > 0, "ill", "well")
        >>> cv = riata.cv_path(X, y, loss="binomial", cv=5, nested=5)
        >>> found = cv.evaluate(y)
        >>> found.part
        'nested cross-validation, alpha chosen anew without each fold'
        >>> bool(found.measures["auc"].low > 0.7)
        True
        """
        from riata.path.cv_evaluation import evaluate_cv

        return evaluate_cv(
            self, y, alpha,
            baseline=baseline, threshold=threshold, start=start, strata=strata, offset=offset,
        )  # fmt: skip

    def plot(self, ax: Any = None) -> Any:
        """Draw the mean score with its standard error along the path; returns the axes."""
        from riata.report.plots import plot_cv

        return plot_cv(self, ax=ax)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to an ``.npz`` archive, whole or not at all; read it back with `riata.load`.

        `oof_link` takes most of its room where samples are many.
        """
        arrays = self.path._pack()
        path_meta = json.loads(str(arrays["meta"]))
        cv_meta = {
            "kind": "cv_path",
            "format": FORMAT,
            "scoring": self.scoring,
            "alpha_min": self.alpha_min,
            "alpha_1se": self.alpha_1se,
            "selection": self.selection,
            "folds_made": self.folds_made,
            "null_score": self.null_score,
            "null_se": self.null_se,
        }
        arrays["meta"] = np.array(json.dumps(path_meta | cv_meta))
        for name in ("scores", "mean_score", "se_score", "fold_gaps"):
            arrays[f"cv_{name}"] = getattr(self, name)
        arrays["cv_fold_sizes"] = np.array([len(rows) for rows in self.folds], dtype=np.int64)
        arrays["cv_fold_rows"] = np.concatenate(self.folds) if self.folds else np.empty(0, dtype=np.int64)
        if self.oof_link is not None:
            arrays["cv_held_out"] = self.oof_link
        if self.nested is not None:
            arrays |= self.nested.pack()
        write_archive(path, arrays)

    @classmethod
    def _unpack(cls, arrays: dict[str, Any]) -> CVPath:
        from riata.path.nested import NestedCV

        meta = json.loads(str(arrays["meta"]))
        check_folds(arrays)
        ends = np.cumsum(arrays["cv_fold_sizes"])[:-1]
        return cls(
            path=RegularizationPath._unpack(arrays),
            scores=arrays["cv_scores"],
            scoring=meta["scoring"],
            mean_score=arrays["cv_mean_score"],
            se_score=arrays["cv_se_score"],
            alpha_min=meta["alpha_min"],
            alpha_1se=meta["alpha_1se"],
            selection=meta["selection"],
            folds=np.split(arrays["cv_fold_rows"], ends),
            fold_gaps=arrays["cv_fold_gaps"],
            oof_link=arrays.get("cv_held_out"),
            folds_made=meta.get("folds_made", ""),
            null_score=float(meta.get("null_score", np.nan)),
            null_se=float(meta.get("null_se", np.nan)),
            nested=NestedCV.unpack(arrays),
        )


@described_by(fit_path)
@shows_arguments_of(fit_path)
def cv_path(
    X: Any,
    y: ArrayLike,
    *,
    cv: int | Any | Iterable[tuple[ArrayLike, ArrayLike]] = 10,
    groups: ArrayLike | None = None,
    repeats: int = 1,
    nested: bool | int | Any | None = None,
    scoring: str | None = None,
    selection: str = "min",
    random_state: int | np.random.RandomState | None = 0,
    **fit: Unpack[FitArguments],
) -> CVPath:
    """Fit a path and cross-validate it; the folds share every pass over X and no row is copied.

    The objective is that of `fit_path`. Every fold is fitted on the grid of the full fit, with its own
    centres, scales and intercept, by giving its held-out rows the weight zero.

    Parameters
    ----------
    alphas : int or sequence of float
        A number of grid points, from alpha_max down to ``eps * alpha_max`` on a log scale, fitted to the end:
        held-out samples say where the path is best. Or the values themselves, in decreasing order.
    checkpoint : str or path-like
        A file that keeps the state of the fit, written at most once a minute. When it exists, the fit goes on
        from it and ends with the same bits as one that was never stopped, however the earlier one ended. The
        arguments must be those it was made with, but for `n_threads` and `progress`, and the folds the same:
        from a splitter or `random_state` that draws them again. The file is removed at the end of the path.
    cv : int, splitter or iterable of (train, test), default=10
        An integer draws that many shuffled folds from the samples of positive weight, stratified by class or
        event for the binomial, multinomial and Cox losses; as many folds as samples are leave-one-out. A
        splitter is used as it is, and sees X, y and `groups` as they are given: `LeaveOneGroupOut()` takes
        `groups` for given folds, `riata.ExpandingWindows()` for times, so that each fold is tested on what
        follows all it was trained on. Folds need not cover all samples: those in neither part of a split are
        left out of it, as time-series splits want.
    groups : array of shape (n,), optional
        Handed to the splitter; with an integer `cv`, samples of one group (a family, a patient) stay
        together, and folds are shuffled and stratified as far as that allows.
    repeats : int, default=1
        How often an integer `cv` draws folds, each time anew; the first draw is that of ``repeats=1``.
    nested : bool, int, splitter or iterable of (train, test), optional
        Nested cross-validation (Stone 1974): the whole procedure, the choice of alpha included, is repeated
        on the training samples of outer folds, and predicts those that they hold out; see `CVPath.nested`
        and `CVPath.evaluate`. True draws outer folds as `cv` does, a number that many; within each, folds are
        drawn by `cv` again, or are those of `cv` as far as they lie within. Each outer fold has a grid of its
        own. All fits share the passes over X: (outer folds) x (1 + folds) more fits.
    scoring : str, optional
        "mse" or "mae" (gaussian and multigaussian loss), "deviance", "auc" or "misclassification" (binomial
        and multinomial), "deviance", "mse" or "mae" (Poisson, errors of the mean), "huber", "mae" or "mse"
        (Huber), "deviance" or "concordance" (Cox); the first by default. With several responses the mean over
        them, and with several classes the auc is the mean of that of each against the others (by its
        probability). Held-out samples count by their weights. The Cox deviance
        of a fold is the difference between that of training and held-out samples together and that of the
        training samples (Verweij & van Houwelingen 1993).
    selection : {"min", "1se"}, default="min"
        What `CVPath.alpha`, and so `predict`, uses.
    random_state : int, RandomState or None, default=0
        Of the shuffled folds of an integer `cv`.

    Returns
    -------
    CVPath
        The path of all samples, the scores of the folds, and what they choose.

    Warns
    -----
    GridEndWarning
        When the best alpha is the last of a grid that was not given, and the score still gains there.

    References
    ----------
    Friedman, Hastie & Tibshirani (2010), Journal of Statistical Software 33(1), section 7. Verweij & van
    Houwelingen (1993), Cross-validation in survival analysis, Statistics in Medicine 12. Stone (1974),
    Cross-validatory choice and assessment of statistical predictions, J. R. Statist. Soc. B 36.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(3)
    >>> X = rng.standard_normal((60, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.5 * rng.standard_normal(60)
    >>> cv = riata.cv_path(X, y, cv=5, selection="1se")
    >>> np.flatnonzero(cv.coef())
    array([0, 7])
    """
    asked = read_given("cv_path", fit, stop_early=False)
    loss, options = asked.loss, asked.options
    scoring = check_scoring(scoring, loss)
    check_choice("selection", selection, SELECTIONS)
    problem = read_problem(X, y, asked)
    target, weights = problem.target, problem.weights
    if not hasattr(cv, "split") and isinstance(cv, Iterable) and not isinstance(cv, str):
        cv = list(cv)
    drawn: dict[str, Any] = {"loss": loss, "random_state": random_state, "repeats": repeats}
    splits = make_splits(cv, X, y, target, weights, groups, shuffle=True, **drawn)
    outer = None
    if nested is not None and nested is not False:
        from riata.path.nested import outer_folds

        outer = outer_folds(nested, cv, X, y, target, weights, groups, **drawn)
    result = cross_validate(
        problem.design,
        target,
        weights,
        problem.offset,
        problem.features,
        options,
        splits,
        scoring,
        selection,
        problem.labels,
        weigh_folds=True,
        keep=True,
        outer=outer,
    )
    result.folds_made = describe_folds(
        cv, splits, loss=loss, grouped=groups is not None, repeats=repeats, random_state=random_state
    )
    result.path.columns = names_beside(loss, y, fit.get("offset"))
    warn_unless_all_converged(result, options)
    warn_if_grid_ends(result, options)
    warn_if_memory_ended(result.path, options)
    return result


def warn_unless_all_converged(result: CVPath, options: Options) -> None:
    """Warn when the full fit or that of some fold missed the tolerance."""
    path = result.path
    gaps = np.column_stack([path.dual_gaps, result.fold_gaps])
    converged = path.converged & (np.abs(result.fold_gaps) <= options.tol).all(axis=1)
    warn_unless_converged(path.alphas, gaps.max(axis=1), converged, options)


class GridEndWarning(UserWarning):
    """The best alpha is the last of an automatic grid."""


def warn_if_grid_ends(result: CVPath, options: Options, of: str = "") -> None:
    """Warn when an automatic grid ends at the best alpha while the score still gains on the way there.

    Not for less than a hundredth of the standard error from one alpha to the next: then nothing is missed.
    """
    path = result.path
    asked = options.alphas is not None or path.stop_reason != ""
    if asked or not (result.best_is_last and result.still_gains):
        return
    warnings.warn(
        f"{of}the best alpha is the last of the grid, {path.alphas[-1]:.4g}: smaller ones may score better. "
        "Give a smaller eps, or alphas.",
        GridEndWarning,
        stacklevel=3,
    )


def cross_validate(
    design: DesignView,
    y: Float | SurvivalTarget,
    weights: Float,
    offset: Float | None,
    features: Features,
    options: Options,
    splits: list[Split],
    scoring: str,
    selection: str,
    labels: NDArray[Any] | None,
    *,
    weigh_folds: bool,
    keep: bool = False,
    reweigh: Reweigh | None = None,
    outer: list[OuterFold] | None = None,
) -> CVPath:
    """Fit the full data and every fold in one call of the core; score held-out rows, `keep` predictions.

    Training samples count by their weights as `reweigh` changes them, held-out samples by `weights`. With
    `outer` folds these and the folds within them are fitted in the same call, on grids of their own.
    """
    columns = fold_columns(y, weights, splits, options, scoring, labels, reweigh)
    alone = not isinstance(y, SurvivalTarget)  # else held-out rows are scored beside the training rows
    values = y.time if isinstance(y, SurvivalTarget) else y
    outputs = y.shape[1:]

    def fold_scores(predictors: list[Float]) -> Float:
        """Score one alpha on each fold's held-out rows."""
        out = np.empty(len(splits))
        score = options.loss.scorer(scoring)
        for k, (_, test) in enumerate(splits):
            kept = {"linear_predictor": predictors[1 + k]}
            eta = predict_fold(kept, columns[:, 1 + k], design, outputs, test, offset, options.n_threads)
            out[k] = score(values[test], eta, weights[test])[0]
        return out

    apart = alone and not any(np.any(columns[test, 1 + k]) for k, (_, test) in enumerate(splits))
    watch = getattr(options.progress, "watch_scores", None) if apart and outer is None else None
    asked, leaders = columns, None
    if outer is not None:
        from riata.path.nested import collect_nested, outer_columns

        parts = outer_columns(outer, y, weights, options, scoring, labels, reweigh)
        blocks = [columns, *(part.columns for part in parts)]
        asked, leaders = np.hstack(blocks), leaders_of(blocks)
    fits = solve(
        design, y, asked, offset, features, options, keep_linear_predictor=alone, leaders=leaders,
        held_out=None if watch is None else lambda predictors: watch(scoring, fold_scores(predictors)),
    )  # fmt: skip
    own = columns.shape[1]
    result = collect_folds(
        fits[:own], columns, design, y, weights, offset, features, options, splits, scoring, selection,
        labels, weigh_folds=weigh_folds, keep=keep,
    )  # fmt: skip
    if outer is not None:
        result.nested = collect_nested(
            fits[own:], parts, design, y, offset, options, scoring, selection, weigh_folds=weigh_folds
        )
    return result


def collect_folds(
    fits: list[dict[str, Any]],
    columns: Float,
    design: DesignView,
    y: Float | SurvivalTarget,
    weights: Float,
    offset: Float | None,
    features: Features,
    options: Options,
    splits: list[Split],
    scoring: str,
    selection: str,
    labels: NDArray[Any] | None,
    *,
    weigh_folds: bool,
    keep: bool,
) -> CVPath:
    """Score the held-out rows of every fold, given the fits to the columns of `fold_columns`."""
    path = make_path(fits[0], design, y, columns[:, 0], features, options, labels, offset=offset)
    scored = score_folds(fits, columns, design, y, weights, offset, options, splits, scoring, keep=keep)
    sizes = np.array([weights[test].sum() for _, test in splits]) if weigh_folds else np.ones(len(splits))
    repeats = count_repeats([test for _, test in splits])
    mean, error = summarise(scored.scores, sizes, repeats)
    best, frugal = choose(mean, error, greater_is_better=scoring in GREATER_IS_BETTER)
    null = score_nulls(columns, y, weights, offset, options, splits, scoring)
    null_mean, null_error = summarise(null[None], sizes, repeats)
    return CVPath(
        path=path,
        scores=scored.scores,
        scoring=scoring,
        mean_score=mean,
        se_score=error,
        alpha_min=float(path.alphas[best]),
        alpha_1se=float(path.alphas[frugal]),
        selection=selection,
        folds=[test for _, test in splits],
        fold_gaps=scored.gaps,
        oof_link=scored.held_out,
        trained_on=[train for train, _ in splits],
        null_score=float(null_mean[0]),
        null_se=float(null_error[0]),
    )
