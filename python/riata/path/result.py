"""Regularisation paths: reading one, predicting with it, keeping it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata._input.alignment import check_rows_named_alike
from riata._input.renamed import old_name
from riata._input.validation import (
    Float,
    check_choice,
    check_new_offset,
    check_threads,
)
from riata.path.applying import LinkTo, applied, n_samples_of
from riata.path.certificates import CERTIFICATES
from riata.path.path_values import PathValues
from riata.penalties._penalty import penalty_name

if TYPE_CHECKING:
    from riata.study.model_file import Model

__all__ = ["RegularizationPath"]

KINDS = ("response", "link", "class")


@dataclass(slots=True, repr=False)
class RegularizationPath(PathValues):
    """A regularisation path: one certified fit for each alpha of a decreasing grid.

    Made by `fit_path`; kept with `save` and read back with `riata.load`. Losses with K outputs, one per class
    (multinomial) or a response (multigaussian), have coefficients and an intercept for each.

    Attributes
    ----------
    alphas : ndarray of shape (L,)
        Penalty strengths, decreasing.
    coefs : scipy.sparse.csc_array of shape (p, L), or list of K of them
        Coefficients on the original scale of X, one column per alpha; a list when the loss has K outputs.
    intercepts : ndarray of shape (L,), or (K, L)
    primal, dual : ndarray of shape (L,)
        The objective and a lower bound of its minimum, both computed from the data in float64.
    dual_gaps : ndarray of shape (L,)
        Certificates: (primal - dual) / (null_objective - saturated_objective). `tol` bounds them.
    converged : ndarray of bool, shape (L,)
        Whether the dual gap is at most `tol`.
    deviance_ratio : ndarray of shape (L,)
        Share of the null deviance explained; R² for the gaussian loss.
    n_active : ndarray of int, shape (L,)
        Features with a nonzero coefficient, unpenalised ones included, the intercept not.
    n_iter : ndarray of int, shape (L,)
        Inner iterations at each alpha, without those on the way to it from the alpha before.
    solver : list of str
        The solver used at each alpha.
    loss : str
    l1_ratio : float
    alpha_max : float
        The smallest alpha at which no penalised feature is active.
    null_objective, saturated_objective : float
        Loss of the intercept and unpenalised features alone; loss of a perfect fit.
    mean, scale : ndarray of shape (p,)
        Weighted column means, and the scales the penalty was measured on (ones when not standardised).
    standardize, fit_intercept : bool
    tol : float
    n_samples : int
        Samples of positive weight.
    weight_sum : float
        Sum of the observation weights.
    response_scale : float
        Weighted standard deviation of y (1/n), of the times for the Cox loss; of several outputs the root of
        the sum of their variances.
    feature_names : ndarray of str or TextColumn, shape (p,), or None
    classes : ndarray of shape (2,) or (K,), or None
        Labels coded 0 and 1 by the binomial loss; those of the outputs of the multinomial loss.
    stop_reason : {"", "progress", "deviance", "max_active", "max_groups", "patience", "memory"}
        Why the path ended before the end of the grid: the progress function asked for it, 0.999 of the
        deviance about the mean was explained, more features than `max_active` or groups than `max_groups`
        were active, the score of held-out samples had not come back to its best for `patience` alphas, or
        more memory than `memory` was held.
    counters : dict
        Work done: passes over X, columns streamed, solver steps, bytes held beside X, seconds. `inserted` are
        the alphas that were fitted on the way to those asked for and are not part of the path. Where workers
        held X also `messages` to them, `bytes_out`, `bytes_in`, `seconds_waiting` and `parts_lost`.
    certificate : {"duality_gap", "kkt"}
        What `tol` bounds and `dual_gaps` holds. ``"kkt"``, for the penalties MCP and SCAD, which have no
        useful dual: the largest violation of an optimality condition, over alpha; `dual` is NaN then.
    grouped : bool
        Whether a feature enters all outputs together: the penalty is on the norm of its K coefficients.
    responses : ndarray of str, shape (K,), or None
        Names of the columns of y, for the multigaussian loss and a DataFrame.
    huber_delta : float or None
        The `delta` of the Huber loss.
    penalty : {"elastic_net", "group", "mcp", "scad", "slope"}
    penalty_parameters : dict
        Those parameters of the penalty that are numbers or words.
    locally_convex : ndarray of bool, shape (L,), or None
        MCP and SCAD: whether the objective is strictly convex in the active features, whatever their size:
        the smallest eigenvalue of their Gram matrix exceeds the concavity of the penalty (Breheny & Huang
        2011).
    groups : ndarray of int, shape (p,) or (m,), or None
        Group lasso: the group of each feature, as a position in `group_names`; of each member where groups
        overlap.
    group_names : ndarray or None
        What the groups are called.
    members : ndarray of int, shape (m,), or None
        Where groups overlap: the members of all of them, by the numbers of their features.
    parts : scipy.sparse.csc_array of shape (m, L), or list of K of them, or None
        Where groups overlap: what each member adds to the coefficient of its feature, which is the sum.
    penalty_factor : ndarray of shape (p,), or None
        As given, with infinity for excluded features; None stands for ones.
    n_events : float or None
        Sum of the weights of samples with an event, for the Cox loss.
    has_offset : bool or None
        Whether the fit had an offset, which `predict` then requires. None when the file is of an older
        version that does not record it.
    variants : FittedVariants or None
        For genotypes: ids, places and alleles of the variants, the frequencies of the counted alleles, and
        standard deviations.
    sd : ndarray of shape (p,), or None
        Weighted standard deviations (1/n) of the features, for a fit that was not standardised; otherwise
        they are in `scale`.
    columns : dict of str to str
        The names of y and of the arguments given with it: ``y``, or ``time`` and ``event``, and ``entry``,
        ``strata``, ``offset``; only for those with names, such as a Series or the columns of a DataFrame.
    kept : dict of str to ndarray
        Other contents of the archive the path was loaded from, which `save` keeps: see `study`.
    fill : ndarray of shape (p,), or None
        With ``impute="mean"``: the means that replace missing values, also in `predict`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> path = riata.fit_path(X, 3 * X[:, 0] - 2 * X[:, 7], alphas=[0.5, 0.1])
    >>> path.n_active
    array([2, 2])
    >>> path.predict(X, 0.1).shape
    (50,)
    """

    stopped = old_name("stopped", "stop_reason")
    row_grouped = old_name("row_grouped", "grouped")

    @property
    def path(self) -> RegularizationPath:
        """The path itself, for code that also takes a `CVPath`."""
        return self

    @property
    def cv(self) -> None:
        """None: only a `CVPath` has a cross-validation."""
        return

    @property
    def study(self) -> Model | None:
        """What ``riata fit`` and ``riata cv`` keep beside a path: the response and its classes, covariates,
        how their columns were coded, the columns of times, events and offsets, the alpha reported.

        None for fits made in Python.
        """
        from riata.study.model_file import study_of

        return study_of(self)

    @property
    def interrupted(self) -> bool:
        """Whether the progress function ended the path."""
        return self.stop_reason == "progress"

    @property
    def n_passes(self) -> float:
        """How many times the fit read the whole of X."""
        return float(self.counters.get("passes", np.nan))

    def __repr__(self) -> str:
        last = f"{self.n_active[-1]} active at {self.alphas[-1]:.3g}"
        state = "" if self.converged.all() else f", {int((~self.converged).sum())} not converged"
        penalty = ""
        if self.penalty != "elastic_net":
            penalty = f"{penalty_name(self.penalty, self.penalty_parameters)}, "
        return (
            f"<riata.RegularizationPath {penalty}{self.loss}, "
            f"{self.n_samples} samples x {self.n_features} features, "
            f"{_count_outputs(self)}{len(self)} alphas from {self.alphas[0]:.3g}, {last}, "
            f"deviance ratio {self.deviance_ratio[-1]:.3f}, largest "
            f"{CERTIFICATES[self.certificate].short} {self.dual_gaps.max():.1e}{state}>"
        )

    def _repr_html_(self) -> str:
        """Show a card in notebooks."""
        from riata.report.cards import path_card

        return path_card(self)

    def group_coef(self, group: Any, alpha: float) -> NDArray[Any]:
        """Part of one group in the coefficients at `alpha`, interpolated as `coef` is.

        Parameters
        ----------
        group : label
            One of `group_names`.
        alpha : float

        Returns
        -------
        ndarray of shape (p,), or (p, K)
            Zero outside the group. Where groups do not overlap these are the coefficients of its features;
            the parts of all groups add up to the coefficients.

        Raises
        ------
        ValueError
            When the path has no such group, or `alpha` lies outside the grid.
        """
        from riata.path.group_parts import part_of

        return part_of(self, group, alpha)

    def selected_groups(self, alpha: float) -> NDArray[Any]:
        """Labels of the groups with a nonzero coefficient at `alpha`, the strongest first.

        Strength is the norm of the coefficients, or of a group's part in them where groups overlap, on the
        scale of the penalty.

        Examples
        --------
        >>> import numpy as np, riata
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((80, 30))
        >>> y = X[:, 2] + X[:, 3] + X[:, 4] + 0.1 * rng.standard_normal(80)
        >>> sets = {"repair": [0, 1, 2, 3], "growth": [2, 3, 4], "rest": range(5, 30)}
        >>> path = riata.fit_path(X, y, penalty=riata.penalties.GroupLasso(sets))
        >>> path.selected_groups(0.5).tolist()
        ['growth']
        >>> np.flatnonzero(path.coef(0.5)).tolist()
        [2, 3, 4]
        """
        from riata.path.group_parts import groups_at

        found = groups_at(self, alpha)
        return self.group_names[found.numbers[np.argsort(-found.norm, kind="stable")]]  # type: ignore[index]

    def predict(
        self,
        X: Any,
        alpha: float | ArrayLike | None = None,
        *,
        kind: str = "response",
        offset: ArrayLike | None = None,
        n_threads: int | None = None,
    ) -> NDArray[Any]:
        """Predict for the samples of `X`.

        Parameters
        ----------
        X : array, memory map, SciPy sparse matrix, DataFrame, Arrow table, AnnData or Genotypes, shape (m, p)
            Genotypes may hold other variants too, in any order, and count the other allele: those of the fit
            are found by id, place and alleles, and missing calls are set to the means of the fit. See
            `riata.match_variants` for variants that are absent or lie elsewhere. A Dask array gives a Dask
            array of predictions, which reads the columns in use alone.
        alpha : float or sequence of float, optional
            Where on the path; interpolated as `coef` does. None: every alpha of the grid.
        kind : {"response", "link", "class"}, default="response"
            The mean (for the binomial loss the probability of ``classes[1]``, for the multinomial loss those
            of all classes, for the Poisson loss the exponential of the linear predictor), the linear
            predictor, or the class label (binomial and multinomial only). The Cox loss has only the linear
            predictor: the log of the hazard relative to the baseline.
        offset : array of shape (m,), or (m, K), or number, optional
            Added to the linear predictor. Needed when the fit had one (`has_offset`); 0 predicts without, as
            rates for one unit of exposure.
        n_threads : int, optional
            Default: every available core.

        Returns
        -------
        ndarray of shape (m,) for one alpha, else (m, k)
            With K outputs (m, K) and (m, K, k); class labels have the shape of one output.

        Raises
        ------
        ValueError
            When X lacks features of the fit, or names others; for genotypes, when a variant that the model
            uses is absent, has other alleles, or lies at another position.

        Warns
        -----
        riata.VariantWarning
            When variants of genotypes were found in a way that deserves a second look.
        """
        check_choice("kind", kind, KINDS)
        if kind == "class" and self.classes is None:
            raise ValueError(f"kind must be 'response' or 'link' for the {self.loss} loss, got 'class'")
        coefs, intercepts = (self.coefs, self.intercepts) if alpha is None else self._at(alpha)
        shift = check_new_offset(offset, n_samples_of(X), intercepts.shape[:-1], fitted=self.has_offset)
        check_rows_named_alike(X, offset=offset)
        finish = LinkTo(
            kind, self.loss_function, self.classes, alone=alpha is not None and np.ndim(alpha) == 0
        )
        return applied(self, X, coefs, intercepts, check_threads(n_threads), finish, shift)

    def information_criterion(
        self, criterion: str, *, ebic_gamma: float = 1.0, noise_variance: float | None = None
    ) -> Float:
        """A criterion of each fit that weighs likelihood against size: the smaller, the better.

        With k the degrees of freedom, n the number of samples, and p of the penalised features and k_p of
        the selected ones among them,

            aic    -2 log L + 2 k
            bic    -2 log L + k log n
            ebic   -2 log L + k log n + 2 ebic_gamma log binom(p, k_p).

        For squares -2 log L is n log(2π RSS / n) + n, where the variance of the noise is unknown and each
        fit has its own estimate RSS / n; or, given `noise_variance` = σ², n log(2π σ²) + RSS / σ², for
        which "aic" is Mallows' Cp up to constants. The first says little where k nears n, and nothing where a
        fit is perfect. For the other losses -2 log L is the deviance, which is this up to a constant; for the
        Cox loss L is the partial likelihood and n of "bic" and "ebic" the number of events (Volinsky &
        Raftery 2000).

        k is the number of nonzero coefficients, which for the lasso is unbiased for the degrees of freedom
        (Zou, Hastie & Tibshirani 2007). With a ridge part, and where coefficients are grouped or sorted and
        so shrunk together, it is rather an upper bound; with MCP and SCAD it leaves out the price of the
        search. Intercept and noise variance, which all fits have, are not counted. Weights count
        samples: one of weight 2 is as good as two, so that weights which only say how far to trust samples
        should be scaled to sum to their number. With K responses n is K times that.

        Parameters
        ----------
        criterion : {"aic", "bic", "ebic"}
        ebic_gamma : float, default=1.0
            From 0, which is "bic", to 1: how strongly many candidate features count against a fit.
        noise_variance : float, optional
            Gaussian and multigaussian loss: σ², when it is known or estimated otherwise.

        Returns
        -------
        ndarray of shape (L,)

        Raises
        ------
        ValueError
            For the Huber loss, which has no likelihood, and l1_ratio 0, with which nothing is selected; for
            penalties other than the elastic net, where some features are unpenalised and the path begins
            below alpha_max.

        References
        ----------
        Akaike (1974). Schwarz (1978). Chen & Chen (2008), Extended Bayesian information criteria for model
        selection with large model spaces, Biometrika 95. Zou, Hastie & Tibshirani (2007), On the "degrees of
        freedom" of the lasso, Annals of Statistics 35. Volinsky & Raftery (2000), Bayesian information
        criterion for censored survival models, Biometrics 56.

        Examples
        --------
        >>> import numpy as np, riata
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((80, 200))
        >>> y = 3 * X[:, 0] - 2 * X[:, 7] + rng.standard_normal(80)
        >>> path = riata.fit_path(X, y, eps=0.1)
        >>> alpha = path.select("ebic")
        >>> np.flatnonzero(path.coef(alpha))
        array([0, 7])
        """
        from riata.path.criteria import information_criterion

        return information_criterion(self, criterion, ebic_gamma, noise_variance)

    def select(
        self, criterion: str, *, ebic_gamma: float = 1.0, noise_variance: float | None = None
    ) -> float:
        """The alpha of the grid with the smallest information criterion; the largest such one.

        Parameters
        ----------
        criterion : {"aic", "bic", "ebic"}
            The criterion, as defined by `information_criterion`.
        ebic_gamma : float, default=1.0
            Weight of the number of features in "ebic", from 0 (that is "bic") to 1.
        noise_variance : float, optional
            Gaussian loss: the variance of the noise, where it is known.

        Returns
        -------
        float
            To be given to `coef`, `predict` and the like.

        Warns
        -----
        UserWarning
            When the fit has more coefficients than half the samples, unless `noise_variance` is given: what
            remains tells little.
        """
        from riata.path.criteria import select

        return select(self, criterion, ebic_gamma, noise_variance)

    def to_frame(self) -> Any:
        """The nonzero coefficients as a long pandas table: alpha, feature, coef, in the order of the path.

        With several outputs there is also the column output: the label of the class, or the response.
        """
        from riata.path.selected_table import long_table

        return long_table(self)

    def table(self, alpha: float | None = None) -> Any:
        """The features selected at `alpha`, in the order they entered the path.

        Parameters
        ----------
        alpha : float, optional
            Default: the smallest.

        Returns
        -------
        pandas.DataFrame, or `riata._io.tables.Table` without pandas
            One row for each feature with a nonzero coefficient, with several outputs for each feature and
            `output`: `feature`, its `coef`, that for one standard deviation (`coef_sd`), the largest alpha at
            which it is active (`entry_alpha`, infinite for unpenalised features), and the order of entry
            (`rank`). For genotypes also `chrom`, `pos`, `effect_allele`, `other_allele` and `frequency`, for
            a group penalty `group`.

        Examples
        --------
        >>> import numpy as np, riata
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((80, 20)) * np.arange(1, 21)
        >>> y = X[:, 4] - 0.1 * X[:, 9] + rng.standard_normal(80)
        >>> found = riata.fit_path(X, y, eps=0.1).table(0.5)
        >>> found["feature"].tolist(), found["rank"].tolist()
        ([4, 9], [1, 2])
        """
        from riata.path.selected_table import selected_table

        return selected_table(self, float(self.alphas[-1]) if alpha is None else float(alpha))

    def methods(self, alpha: float | None = None) -> str:
        """What was done, as a paragraph for a paper: see `CVPath.methods`."""
        from riata.report.fit_report import methods_of

        return methods_of(self, alpha)

    def report(self, file: str | os.PathLike[str], alpha: float | None = None) -> None:
        """Write a page about the path, as ``riata report`` does: see `CVPath.report`."""
        from riata.report.fit_report import write_report

        write_report(self, file, alpha)

    def plot(self, ax: Any = None, *, xaxis: str = "alpha", labels: int = 5, output: Any = None) -> Any:
        """Draw the coefficients along the path with matplotlib; returns the axes: see `plots.plot_path`."""
        from riata.report.plots import plot_path

        return plot_path(self, ax=ax, xaxis=xaxis, labels=labels, output=output)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the path to an ``.npz`` archive, whole or not at all; read it back with `riata.load`."""
        from riata._io.archive import write_archive
        from riata.path.archive import arrays_of_path

        write_archive(path, arrays_of_path(self))


def _count_outputs(path: RegularizationPath) -> str:
    what = "classes" if path.loss_function.has_classes else "responses"
    return "" if path.outputs is None else f"{len(path.outputs)} {what}, "
