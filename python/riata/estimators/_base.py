"""How all estimators fit: at one alpha, or at that which a cross-validation chooses."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riata import penalties
from riata._input.design import (
    DesignView,
)
from riata._input.renamed import old_name
from riata._input.survival import SurvivalTarget
from riata._input.validation import (
    Float,
    check_alpha,
    check_alphas,
    check_choice,
    check_flag,
    check_integer,
    check_real,
    check_solver,
    check_threads,
)
from riata.estimators._selector import SparseSelector
from riata.genetics.variants import fitted_variants
from riata.losses._known import GREATER_IS_BETTER, check_scoring, loss_of
from riata.path.arguments import Features, Options, check_features
from riata.path.certificates import CERTIFICATES
from riata.path.coefs import each_output
from riata.path.cross_validation import (
    cross_validate,
    warn_if_grid_ends,
    warn_unless_all_converged,
)
from riata.path.cv_result import CVPath
from riata.path.fit import solve
from riata.path.fit_point import FitPoint, response_scale
from riata.path.fit_warnings import warn_unless_converged
from riata.path.fold_scores import Reweigh
from riata.path.folds import Split, make_splits
from riata.path.given import ALPHA_RULES
from riata.path.result import RegularizationPath
from riata.penalties import Penalty

if TYPE_CHECKING:
    from typing_extensions import Self

#: The l1_ratio that stands for 0 where the grid begins: to end where that of the lasso does.
RIDGE_RATIO = 1e-3

#: What scikit-learn's `selection` may be: the order of its sweeps, of which there are none here.
DESCENTS = ("cyclic", "random")


@dataclass(slots=True)
class Problem:
    """What `fit` was given, checked: `X` and `y` as they came, too, for splitters."""

    given: tuple[Any, Any]
    design: DesignView
    target: Any  # numbers, or a SurvivalTarget
    weights: Float
    offset: Float | None = None
    classes: NDArray[Any] | None = None
    reweigh: Reweigh | None = None  # what training samples count, from observation weights


class SparseLinearModel(SparseSelector):
    """Fitting at one alpha, and choosing it by cross-validation.

    Attributes
    ----------
    certificate_ : str
        What certifies the fit: "duality_gap".
    dual_gap_ : float
        Duality gap, as in scikit-learn: the objective is at most this far above its least value.
    relative_gap_ : float
        The same as a share of what there is to explain, on the scale of `tol`.
    converged_ : bool
        Whether that is within `tol`.
    n_iter_ : int
        Iterations of the solver.

    Raises
    ------
    ValueError, TypeError
        When a parameter or the data are not what they must be; the message says what is allowed.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the gap is above `tol` after `max_iter` iterations.

    Data
    ----
    sample_weight : float or array of shape (n,)
        Non-negative; only their proportions matter. Held-out samples of a cross-validation count by their
        weights within a fold. Default: 1 for all.
    groups : array of shape (n,)
        Groups of samples, not of features: handed to the splitter `cv`.
    """

    _loss: str
    _scores = "score_path_"  # where the scores of a cross-validation go
    _ridge_at_zero = True  # whether nothing is zero at l1_ratio 0

    # What holds where a model has no such parameter.
    l1_ratio: Any = 1.0
    fit_intercept: Any = True
    positive: Any = False
    lower: Any = None
    upper: Any = None
    n_jobs: Any = None
    scoring: Any = None

    alpha: Any
    alphas: Any
    eps: Any
    cv: Any
    alpha_rule: Any
    selection: Any
    standardize: Any
    penalty_factor: Any
    tol: Any
    max_iter: Any
    solver: Any
    verbose: Any

    @property
    def penalty(self) -> str:
        """Read by `SelectFromModel`: "l1" where coefficients can be zero, so that it keeps the others."""
        l1_ratio = np.asarray(getattr(self, "l1_ratio_", self.l1_ratio))
        return "l2" if self._ridge_at_zero and np.all(l1_ratio == 0.0) else "l1"

    def _penalty(self, l1_ratio: Any) -> Penalty:
        """Return the penalty of the parameters, with one value of `l1_ratio`."""
        return penalties.ElasticNet(l1_ratio)

    def _candidates(self) -> list[Penalty]:
        """Return the penalties that cross-validation chooses from: one for each `l1_ratio`."""
        values = np.atleast_1d(np.asarray(self.l1_ratio, dtype=object))
        if values.ndim != 1 or len(values) == 0:
            raise ValueError(f"l1_ratio must be a number or a 1-D sequence of numbers, got {self.l1_ratio!r}")
        return [self._penalty(value) for value in values]

    def _options(self, alphas: Float | None, penalty: Penalty, **others: Any) -> Options:
        """The parameters every estimator has, checked; one alpha and no early end unless given."""
        given: dict[str, Any] = {"n_alphas": 1, "eps": 0.0, "stop_early": False} | others
        return Options(
            loss=loss_of(self._loss),
            penalty=penalty,
            l1_ratio=penalty.l1_share,
            alphas=alphas,
            fit_intercept=check_flag("fit_intercept", self.fit_intercept),
            standardize=check_flag("standardize", self.standardize),
            tol=check_real("tol", self.tol, at_least=0.0),
            max_iter=check_integer("max_iter", self.max_iter, at_least=1),
            solver=check_solver(self.solver),
            n_threads=check_threads(self.n_threads, self.n_jobs),
            max_active=-1,
            memory=0.0,
            progress=None,
            grouped=loss_of(self._loss).always_grouped,
            **given,
        )

    def _grid_options(self, penalty: Penalty) -> Options:
        """As `_options`, for the grid that the parameters `alphas` and `eps` describe."""
        grid, n_alphas = check_alphas(self.alphas)
        if grid is not None and grid[-1] == 0.0 and not self._may_be_zero(penalty):
            raise ValueError(f"alphas must be > 0 for {type(self).__name__}, got 0")
        eps = 0.0 if self.eps is None else check_real("eps", self.eps, above=0.0, at_most=1.0)
        return self._options(grid, penalty, n_alphas=n_alphas, eps=eps)

    def _may_be_zero(self, penalty: Penalty) -> bool:
        """Whether alpha may be 0, the model without a penalty."""
        return penalty.kind == "elastic_net"

    def _warn_without_penalty(self, alpha: float) -> None:
        """Warn, in scikit-learn's words, where a model without a penalty has an estimator of its own."""

    def _check_data(self, X: Any, y: Any, sample_weight: Any, options: Options, **beside: Any) -> Problem:
        """Check what `fit` was given; where classes decide the loss, set it in `options`."""
        raise NotImplementedError

    def _check_features(self, design: DesignView, penalty: Penalty) -> Features:
        """Return the checked parameters that describe features."""
        positive = check_flag("positive", self.positive)
        return check_features(
            design, self.penalty_factor, self.lower, self.upper, positive=positive, penalty=penalty
        )

    def _fit_at_alpha(self, X: Any, y: Any, sample_weight: Any, **beside: Any) -> Self:
        """Fit at `alpha`."""
        self._fit_problem(*self._read_at_alpha(X, y, sample_weight, **beside))
        return self

    def _read_at_alpha(
        self, X: Any, y: Any, sample_weight: Any, **beside: Any
    ) -> tuple[Problem, Features, Options]:
        """Check parameters and data of a fit at `alpha`."""
        if hasattr(self, "selection"):
            check_choice("selection", self.selection, DESCENTS)
        penalty = self._penalty(self.l1_ratio)
        alpha = check_alpha(self.alpha, may_be_zero=self._may_be_zero(penalty))
        options = self._options(np.array([alpha]), penalty)
        problem = self._check_data(X, y, sample_weight, options, **beside)
        return problem, self._check_features(problem.design, penalty), options

    def _fit_problem(self, problem: Problem, features: Features, options: Options) -> None:
        """Fit what was checked, at the only alpha of `options`."""
        weights = problem.weights[:, None]
        fit = solve(problem.design, problem.target, weights, problem.offset, features, options)[0]
        self._keep_fit(fit, problem, features, options)

    def _choose_alpha(self, X: Any, y: Any, sample_weight: Any, groups: Any, **beside: Any) -> Self:
        """Choose alpha, and l1_ratio when there are several, by scores; keep the fit to all samples there."""
        check_scoring(self.scoring, self._loss)
        rule = self._rule()
        candidates = self._candidates()
        options = self._grid_options(candidates[0])
        problem = self._check_data(X, y, sample_weight, options, **beside)
        splits = self._splits(problem, groups, options)
        results = []
        for penalty in candidates:
            ridge = penalty.kind == "elastic_net" and penalty.l1_share == 0.0
            eps = options.eps * (RIDGE_RATIO if ridge else 1.0)
            results.append(
                cross_validate(
                    problem.design,
                    problem.target,
                    problem.weights,
                    problem.offset,
                    self._check_features(problem.design, penalty),
                    replace(options, penalty=penalty, l1_ratio=penalty.l1_share, eps=eps),
                    splits,
                    check_scoring(self.scoring, options.loss),
                    rule,
                    problem.classes,
                    weigh_folds=False,
                    reweigh=problem.reweigh,
                )
            )
        sign = -1.0 if results[0].scoring in GREATER_IS_BETTER else 1.0
        best = int(np.argmin([np.min(sign * result.mean_score) for result in results]))
        self._keep_selected(results[best], problem)
        several = len(candidates) > 1
        grids, scores = [result.path.alphas for result in results], [result.scores for result in results]
        self.alphas_ = np.stack(grids) if several and options.alphas is None else grids[0]
        setattr(self, self._scores, np.stack(scores) if several else scores[0])
        ratio = getattr(candidates[best], "l1_ratio", None)
        if ratio is not None:
            self.l1_ratio_ = float(ratio)
        warn_unless_all_converged(results[best], options)
        warn_if_grid_ends(results[best], options)
        return self

    def _rule(self) -> str:
        """Which alpha is taken: `alpha_rule`, or what `selection` was before."""
        rule = check_choice("alpha_rule", self.alpha_rule, ALPHA_RULES)
        selection = check_choice("selection", self.selection, (*DESCENTS, *ALPHA_RULES))
        if selection in DESCENTS:
            return rule
        warnings.warn(
            f"selection={selection!r} is now alpha_rule={selection!r}; selection is scikit-learn's 'cyclic' "
            "or 'random', and its old values are understood for one version.",
            FutureWarning,
            stacklevel=4,
        )
        return selection

    def _splits(self, problem: Problem, groups: Any, options: Options) -> list[Split]:
        """The folds that `cv` makes."""
        cv = 5 if self.cv is None else self.cv
        return make_splits(
            cv, *problem.given, problem.target, problem.weights, groups, loss=options.loss, shuffle=False
        )

    def _keep_fit(
        self,
        fit: dict[str, Any],
        problem: Problem,
        features: Features,
        options: Options,
    ) -> None:
        """Set the attributes from the last point of a path; warn when it missed the tolerance."""
        y, weights = problem.target, problem.weights
        outputs = np.shape(fit["intercepts"])[1:] or (1,)
        coef = np.zeros((self.n_features_in_, *outputs))
        last = slice(fit["coef_indptr"][-2], None)
        coef.flat[fit["coef_indices"][last]] = fit["coef_values"][last]
        alphas, gaps, converged = (fit[name][-1:] for name in ("alphas", "dual_gaps", "converged"))
        self._keep(
            float(alphas[0]),
            coef.T,
            np.reshape(fit["intercepts"][-1], -1),
            options.penalty.certificate,
            float(gaps[0]),
            float(fit["null_objective"]) - float(fit["saturated_objective"]),
            bool(converged[0]),
            int(np.sum(fit["n_iter"])),
            fit["counters"],
            np.asarray(fit["scale"]) if options.standardize else None,
        )
        self._fit_point = FitPoint(
            loss=options.loss.name,
            alpha=float(alphas[0]),
            l1_ratio=options.l1_ratio,
            grouped=options.grouped,
            fit_intercept=options.fit_intercept,
            weight_sum=float(weights.sum()),
            response_scale=response_scale(y.time if isinstance(y, SurvivalTarget) else y, weights),
            scale=np.asarray(fit["scale"]) if options.standardize else None,
            penalty_factor=features.penalty_factor,
            penalty=options.penalty.kind,
        )
        warn_unless_converged(alphas, gaps, converged, options, np.asarray(fit["n_iter"])[-1:])
        self._warn_without_penalty(float(alphas[0]))

    def _keep_selected(self, result: CVPath, problem: Problem) -> None:
        """Set the attributes from a cross-validation, at its selected alpha."""
        path, at = result.path, result.position
        self.cv_result_ = result
        self.alpha_, self.alpha_min_, self.alpha_1se_ = result.alpha, result.alpha_min, result.alpha_1se
        self.alphas_ = path.alphas
        self.coef_path_ = path.coefs
        if path.variants is not None:
            self.variants_, self._genotypes = path.variants, None
        coef = np.stack([coefs[:, [at]].toarray()[:, 0] for coefs in each_output(path.coefs)])
        self._keep_at(path, at, coef, np.atleast_2d(path.intercepts)[:, at])
        self._warn_without_penalty(self.alpha_)

    def _keep_at(self, path: RegularizationPath, at: int, coef: Float, intercept: Float) -> None:
        """Set the attributes of a fit whose certificate is that of a point of a path."""
        self._keep_gaps(path)
        self._keep(
            float(path.alphas[at]),
            coef,
            intercept,
            path.certificate,
            float(path.dual_gaps[at]),
            path.null_objective - path.saturated_objective,
            bool(path.converged[at]),
            int(path.n_iter[at]),
            path.counters,
        )

    def _keep_gaps(self, path: RegularizationPath) -> None:
        """Set what certifies the fits along a path."""
        self.dual_gaps_ = path.dual_gaps
        if path.certificate == "duality_gap":
            self.relative_gaps_ = path.dual_gaps
            self.dual_gaps_ = path.dual_gaps * (path.null_objective - path.saturated_objective)

    def _keep(
        self,
        alpha: float,
        coef: Float,
        intercept: Float,
        certificate: str,
        gap: float,
        unit: float,
        converged: bool,
        n_iter: int,
        counters: dict[str, float],
        sd: Float | None = None,
    ) -> None:
        self.coef_, self.intercept_ = self._shaped(coef, intercept)
        genotypes = self.__dict__.pop("_genotypes", None)
        if genotypes is not None:
            active = np.flatnonzero(coef.any(axis=0))
            self.variants_ = fitted_variants(genotypes, sd=sd, active=active)
        words = CERTIFICATES[certificate]
        self.certificate_, self.converged_, self.n_iter_ = certificate, converged, max(n_iter, 1)
        if certificate == "duality_gap":
            self.relative_gap_, self.dual_gap_ = gap, gap * unit
        else:
            setattr(self, f"{words.attribute}_", gap)
        if self.verbose:
            print(
                f"{type(self).__name__}: alpha {alpha:.6g}, {np.count_nonzero(coef.any(axis=0))} active, "
                f"{words.short} {gap:.1e}, {counters['passes']:.1f} passes over X, "
                f"{counters['seconds_total']:.2f} s"
            )

    def _shaped(self, coef: Float, intercept: Float) -> tuple[Float, Any]:
        """Coefficients (K, p) and intercepts (K,) as `coef_` and `intercept_`: here of the only output."""
        return coef[0], float(intercept[0])


class CrossValidated:
    """What those share that choose `alpha`; `groups` are routed to `fit` without a request of the user's.

    Attributes
    ----------
    alpha_ : float
        The alpha of the final fit: `alpha_min_` or `alpha_1se_`, as `alpha_rule` says.
    alpha_min_ : float
        The alpha with the best mean score.
    alpha_1se_ : float
        The largest alpha whose mean score is within a standard error of the best.
    alphas_ : ndarray of shape (L,)
        The grid, decreasing.
    coef_path_ : scipy.sparse.csc_array of shape (p, L)
        Coefficients of the final fit along its path.
    dual_gaps_ : ndarray of shape (L,)
        What `certificate_` says, along the path.
    relative_gaps_ : ndarray of shape (L,)
        Duality gaps on the scale of `tol`, along the path.
    cv_result_ : riata.CVPath
        All of the cross-validation, with `predict` and `plot`.

    Warns
    -----
    riata.path.cross_validation.GridEndWarning
        When the best alpha is the last of a grid that was not given.
    """

    __metadata_request__fit = {"groups": True}  # noqa: RUF012

    cv_result_: CVPath

    cv_path_ = old_name("cv_path_", "cv_result_")


class ByScore(CrossValidated):
    """Models that choose alpha by a score of the loss.

    Attributes
    ----------
    l1_ratio_ : float
        The `l1_ratio` of the final fit.
    alphas_ : ndarray of shape (L,), or (R, L) where each of R > 1 values of `l1_ratio` has a grid of its own
        The grid, decreasing.
    score_path_ : ndarray of shape (L, F), or (R, L, F) for R > 1 values of `l1_ratio`
        Score at each alpha on each of F held-out folds; see `scoring`.

    Notes
    -----
    All folds and the final fit share every pass over X, and no row is copied.
    """


class FitWithOffset(SparseLinearModel):
    """Fits at one alpha with a loss whose linear predictor may have an offset."""

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> Self:
        """Fit the model at `alpha`."""
        return self._fit_at_alpha(X, y, sample_weight, offset=offset)


class ChoiceWithOffset(ByScore, SparseLinearModel):
    """Fits at the best alpha with a loss whose linear predictor may have an offset."""

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> Self:
        """Choose `alpha` by cross-validation, and fit the model to all samples there."""
        return self._choose_alpha(X, y, sample_weight, groups, offset=offset)
