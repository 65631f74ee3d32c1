"""A cross-validated path: scores of the folds, the alpha that they choose, held-out predictions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._input.renamed import old_name
from riata._input.validation import Float, check_choice
from riata.path.folds import Rows, count_repeats
from riata.path.path_values import nearest
from riata.path.result import RegularizationPath

if TYPE_CHECKING:
    from riata.path.evaluation import Evaluation
    from riata.path.nested import NestedCV

__all__ = ["CVPath"]

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
        log-likelihood short of that of a perfect fit; for the Cox loss what the held-out samples add to minus
        twice the log partial likelihood), "misclassification", "auc" (with several classes the mean over
        classes of each against the others) or "concordance".
    mean_score, se_score : ndarray of shape (L,)
        Mean over folds, weighted by the folds' observation weights, and its standard error. When folds are
        drawn several times, the standard error is that of one cross-validation, the root mean square over the
        repeats: repeats remove the luck of the draw, not that of the sample.
    alpha_min : float
        The largest alpha with the best mean score.
    alpha_1se : float
        The largest alpha whose mean score is within one standard error of the best (Breiman et al. 1984).
    alpha_rule : {"min", "1se"}
        Which of the two `alpha` is.
    folds : list of ndarray of int
        Held-out samples of each fold, those of one repeat after those of the other.
    fold_gaps : ndarray of shape (L, K)
        Certificates of the fits without each fold, as `RegularizationPath.dual_gaps`.
    oof_link : ndarray of shape (n, L), or (n, K, L) with K outputs, or None
        Linear predictor of each sample by the fits that held it out, NaN for samples that no fit held out;
        for the Cox loss, which has no intercept, minus its mean over the samples of that fit. For repeated
        folds, that of the first draw. None when folds overlap otherwise, and in the estimators.
    trained_on : list of ndarray of int, or None
        The samples that the fit of each fold was trained on; None after `riata.load`.
    folds_made : str
        How the folds were made, in words; empty when `cv_path` did not make them.
    null_score, null_se : float
        The score of the intercept alone on the held-out folds, which a model has to beat, and its standard
        error. NaN in archives of earlier versions.
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
    alpha_rule: str
    folds: list[Rows]
    fold_gaps: Float
    oof_link: Float | None = None
    trained_on: list[Rows] | None = None
    folds_made: str = ""
    null_score: float = np.nan
    null_se: float = np.nan
    nested: NestedCV | None = None

    held_out = old_name("held_out", "oof_link")
    selection = old_name("selection", "alpha_rule")

    @property
    def cv(self) -> CVPath:
        """The cross-validation itself, which a `RegularizationPath` alone does not have."""
        return self

    @property
    def repeats(self) -> int:
        """How many times the samples were divided into folds."""
        return count_repeats(self.folds)

    @property
    def first_folds(self) -> list[Rows]:
        """The folds of the first draw, to which `oof_link` belongs."""
        return self.folds[: len(self.folds) // self.repeats]

    @property
    def alpha(self) -> float:
        """The selected alpha."""
        return self.alpha_1se if self.alpha_rule == "1se" else self.alpha_min

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
        """Position of the selected alpha on the grid."""
        return nearest(self.path.alphas, self.alpha)

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
        """The fold that holds each sample out, by number; -1 for samples in no fold.

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
            f"alpha_min {self.alpha_min:.4g}, alpha_1se {self.alpha_1se:.4g}; at {self.alpha_rule}: "
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
            raise ValueError("cv_path keeps held-out predictions when no sample is held out twice")
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
        new samples (see `riata.evaluate`). Otherwise they are those of the folds that chose alpha, or at
        `alpha`: optimistic, and so without intervals.

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

        With many samples, `oof_link` takes most of the space.
        """
        from riata._io.archive import write_archive
        from riata.path.archive import arrays_of_cv

        write_archive(path, arrays_of_cv(self))
