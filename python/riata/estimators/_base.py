"""What the estimators share: checking input as scikit-learn does, predicting, and selecting features."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import assert_all_finite, check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted, validate_data

from riata._input.alignment import check_rows_named_alike
from riata._input.annotated import is_anndata
from riata._input.design import (
    VIEWED,
    DesignView,
    as_design,
    as_table,
    check_same_features,
    is_arrow,
    is_scipy_sparse,
    view,
)
from riata._input.storage import Design
from riata._input.survival import SurvivalTarget
from riata._input.validation import (
    SOLVERS,
    Float,
    Names,
    check_alphas,
    check_choice,
    check_flag,
    check_integer,
    check_new_offset,
    check_real,
    check_threads,
    check_weights,
    threads_for,
)
from riata.genetics.variants import fitted_variants
from riata.path.applying import is_genotypes, predict_genotypes, warn_of_unknown_alleles
from riata.path.arguments import LASSO, Features, Options
from riata.path.certificates import CERTIFICATES
from riata.path.coefs import each_output
from riata.path.cross_validation import (
    SELECTIONS,
    CVPath,
    Reweigh,
    check_scoring,
    cross_validate,
    warn_if_grid_ends,
    warn_unless_all_converged,
)
from riata.path.fit import warn_unless_converged
from riata.path.fit_point import FitPoint, response_scale
from riata.path.folds import make_splits


class SparseLinearModel(SelectorMixin, BaseEstimator):  # type: ignore[misc]
    """A linear model with few nonzero coefficients, which is also a selector of their features."""

    fit_intercept: bool
    standardize: bool
    tol: float
    max_iter: int
    solver: str
    n_threads: int | None
    verbose: int
    alphas: Any
    eps: float | None

    coef_: Float
    intercept_: Any
    has_offset_: bool

    @property
    def sparse_coef_(self) -> Any:
        """The coefficients as a SciPy CSR matrix of shape (1, p), or (K, p) with K outputs."""
        return sp.csr_matrix(np.atleast_2d(self.coef_))

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self, "coef_")
        mask: NDArray[np.bool_] = np.any(np.atleast_2d(self.coef_) != 0.0, axis=0)
        return mask

    @property
    def penalty(self) -> str:
        """Read by `SelectFromModel`: "l1" where coefficients can be zero, so that it keeps the others."""
        l1_ratio = getattr(self, "l1_ratio_", getattr(self, "l1_ratio", 1.0))
        return "l2" if np.all(np.asarray(l1_ratio) == 0.0) else "l1"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _options(self, loss: str, alphas: Float | None, **others: Any) -> Options:
        """The parameters every estimator has, checked; one alpha and no early end unless given."""
        given: dict[str, Any] = {
            "n_alphas": 1,
            "eps": 0.0,
            "stop_early": False,
            "l1_ratio": 1.0,
            "penalty": LASSO,
        }
        given |= {"row_grouped": loss == "multigaussian"} | others
        return Options(
            loss=loss,
            alphas=alphas,
            fit_intercept=check_flag("fit_intercept", self.fit_intercept),
            standardize=check_flag("standardize", self.standardize),
            tol=check_real("tol", self.tol, at_least=0.0),
            max_iter=check_integer("max_iter", self.max_iter, at_least=1),
            solver=check_choice("solver", self.solver, SOLVERS),
            n_threads=check_threads(self.n_threads),
            max_active=-1,
            memory=0.0,
            progress=None,
            **given,
        )

    def _grid_options(self, loss: str, **others: Any) -> Options:
        """As `_options`, for the grid that the parameters `alphas` and `eps` describe."""
        grid, n_alphas = check_alphas(self.alphas)
        eps = 0.0 if self.eps is None else check_real("eps", self.eps, above=0.0, at_most=1.0)
        return self._options(loss, grid, n_alphas=n_alphas, eps=eps, **others)

    def _check_fit_input(
        self, X: Any, y: Any, sample_weight: Any, **beside: Any
    ) -> tuple[DesignView, Any, Float]:
        """Check what `fit` was given, record features; the core looks for NaN in its first pass over X.

        Of what stands `beside` them only that its rows are those of X.
        """
        check_rows_named_alike(X, y=y, sample_weight=sample_weight, **beside)
        if type(X) is np.ndarray and X.ndim == 2 and y is not None:  # what validate_data does, at once
            self.n_features_in_ = X.shape[1]
            self.__dict__.pop("feature_names_in_", None)
        else:
            _refuse_repeated_names(X)
            validate_data(self, X, y, skip_check_array=True)
        design = view(*_checked_table(X)) if not hasattr(X, "_design") else as_design(X)
        self.__dict__.pop("variants_", None)
        self._genotypes = design.genotypes  # until their variants are kept
        if design.genotypes is not None or is_anndata(X):
            self.feature_names_in_ = design.feature_names
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y is None."
            )
        if not isinstance(y, np.ndarray) or y.ndim not in (1, 2) or len(y) != design.n_samples:
            check_consistent_length(np.empty(design.n_samples), y)
        return design, y, check_weights(sample_weight, design.n_samples)

    def _link(self, X: Any) -> Float:
        """Intercept plus X coef for new samples, (m,), of the only output."""
        return self._links(X)[:, 0]

    def _links(self, X: Any) -> Float:
        """Intercepts plus X coef for new samples, (m, K)."""
        check_is_fitted(self, "coef_")
        if is_genotypes(X):
            return self._genotype_links(X)
        if hasattr(X, "_design"):
            design = as_design(X)
        else:
            table, names = _checked_table(X)
            assert_all_finite(table.data if is_scipy_sparse(table) else table, input_name="X")
            design = view(table, names)
        plain = type(X) is np.ndarray and not hasattr(self, "feature_names_in_")
        if is_anndata(X):
            check_same_features(design, self.n_features_in_, getattr(self, "feature_names_in_", None))
        elif not plain or X.shape[1] != self.n_features_in_:
            validate_data(self, X if hasattr(X, "shape") else table, skip_check_array=True, reset=False)
        coef = np.atleast_2d(np.asarray(self.coef_, dtype=np.float64))
        support = np.flatnonzero(np.any(coef != 0.0, axis=0))
        block = coef[:, support].T
        threads = threads_for(check_threads(self.n_threads), float(design.core.shape[0]) * block.size)
        return np.asarray(design.multiply(support, block, threads) + np.asarray(self.intercept_))

    def _shifted_links(self, X: Any, offset: Any) -> tuple[Float, Float | None]:
        """`_links` plus the offset of the new samples, and that: asked for where the fit had one."""
        links = self._links(X)
        check_rows_named_alike(X, offset=offset)
        outputs = links.shape[1:] if links.shape[1] > 1 else ()
        shift = check_new_offset(offset, len(links), outputs, fitted=self.has_offset_)
        if shift is not None:
            links = links + shift.reshape(links.shape)
        return links, shift

    def _genotype_links(self, X: Any) -> Float:
        """`_links` of genotypes: the variants of the fit are found in them."""
        coef = np.atleast_2d(np.asarray(self.coef_, dtype=np.float64))
        support = np.flatnonzero(np.any(coef != 0.0, axis=0))
        variants = getattr(self, "variants_", None)
        if variants is not None:
            products = predict_genotypes(variants, X, support, coef[:, support].T)
        else:
            warn_of_unknown_alleles(X)
            design = as_design(X)
            check_same_features(design, self.n_features_in_, getattr(self, "feature_names_in_", None))
            products = design.multiply(support, coef[:, support].T, check_threads(self.n_threads) or 1)
        return np.asarray(products + np.asarray(self.intercept_))

    def transform(self, X: Any) -> Any:
        """Reduce X to the selected features.

        Parameters
        ----------
        X : as in `fit`, shape (m, p)

        Returns
        -------
        array of shape (m, k)
            Of genotypes the copies that the fit counted, missing calls at its means, in float64.
        """
        if isinstance(X, Design):
            check_is_fitted(self, "coef_")
            validate_data(self, X, skip_check_array=True, reset=False)
            return as_design(X).gather(np.flatnonzero(self._get_support_mask()))
        if is_anndata(X):
            table, names = as_table(X)
            design = view(table, names)
            check_same_features(design, self.n_features_in_, getattr(self, "feature_names_in_", None))
            return table[:, self._get_support_mask()]
        variants = getattr(self, "variants_", None)
        if variants is None or not is_genotypes(X):
            return super().transform(X)
        support = np.flatnonzero(self._get_support_mask())
        return predict_genotypes(variants, X, support, np.eye(len(support)))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the selected features, as an array of str."""
        return np.asarray(super().get_feature_names_out(input_features), dtype=object)

    def _keep_fit(
        self,
        fit: dict[str, Any],
        y: Float | SurvivalTarget,
        weights: Float,
        features: Features,
        options: Options,
    ) -> None:
        """Set the attributes from the last point of a path; warn when it missed the tolerance."""
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
            bool(converged[0]),
            int(np.sum(fit["n_iter"])),
            fit["counters"],
            np.asarray(fit["scale"]) if options.standardize else None,
        )
        self._fit_point = FitPoint(
            loss=options.loss,
            alpha=float(alphas[0]),
            l1_ratio=options.l1_ratio,
            row_grouped=options.row_grouped,
            fit_intercept=options.fit_intercept,
            weight_sum=float(weights.sum()),
            response_scale=response_scale(y.time if isinstance(y, SurvivalTarget) else y, weights),
            scale=np.asarray(fit["scale"]) if options.standardize else None,
            penalty_factor=features.penalty_factor,
            penalty=options.penalty.kind,
        )
        warn_unless_converged(alphas, gaps, converged, options, np.asarray(fit["n_iter"]))

    def _keep_selected(self, result: CVPath) -> None:
        """Set the attributes from a cross-validation, at its selected alpha."""
        path, at = result.path, result.position
        self.cv_path_ = result
        self.alpha_, self.alpha_min_, self.alpha_1se_ = result.alpha, result.alpha_min, result.alpha_1se
        self.alphas_ = path.alphas
        self.coef_path_ = path.coefs
        self.dual_gaps_ = path.dual_gaps
        if path.variants is not None:
            self.variants_, self._genotypes = path.variants, None
        self._keep(
            self.alpha_,
            np.stack([coefs[:, [at]].toarray()[:, 0] for coefs in each_output(path.coefs)]),
            np.atleast_2d(path.intercepts)[:, at],
            path.certificate,
            float(path.dual_gaps[at]),
            bool(path.converged[at]),
            int(path.n_iter[at]),
            path.counters,
        )

    def _keep(
        self,
        alpha: float,
        coef: Float,
        intercept: Float,
        certificate: str,
        gap: float,
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


class TakesGroups:
    """Estimators whose `fit` hands `groups` to a splitter: routed there without a request of the user's."""

    __metadata_request__fit = {"groups": True}  # noqa: RUF012


class CrossValidated(TakesGroups, SparseLinearModel):
    """What those share that choose `alpha` by cross-validation and a score."""

    cv: Any
    scoring: str | None
    selection: str
    l1_ratio: float

    def _check_search(self, loss: str) -> Options:
        """Check the parameters that need no data."""
        check_scoring(self.scoring, loss)
        check_choice("selection", self.selection, SELECTIONS)
        return self._grid_options(
            loss, l1_ratio=check_real("l1_ratio", self.l1_ratio, at_least=0.0, at_most=1.0)
        )

    def _search(
        self,
        options: Options,
        given: tuple[Any, Any],
        design: DesignView,
        target: Float | SurvivalTarget,
        weights: Float,
        features: Features,
        groups: Any,
        classes: NDArray[Any] | None = None,
        offset: Float | None = None,
        reweigh: Reweigh | None = None,
    ) -> None:
        """Cross-validate, keep the fit at the selected alpha; `given` are X and y as the user has them."""
        cv = 5 if self.cv is None else self.cv
        splits = make_splits(cv, *given, target, weights, groups, loss=options.loss, shuffle=False)
        result = cross_validate(
            design,
            target,
            weights,
            offset,
            features,
            options,
            splits,
            check_scoring(self.scoring, options.loss),
            self.selection,
            classes,
            weigh_folds=False,
            reweigh=reweigh,
        )
        self._keep_selected(result)
        self.score_path_ = result.scores
        warn_unless_all_converged(result, options)
        warn_if_grid_ends(result, options)


def _refuse_repeated_names(X: Any) -> None:
    """Estimators find columns again by name, and scikit-learn refuses names that are there twice."""
    columns: Any = getattr(X, "columns", None)
    if hasattr(columns, "is_unique") and not columns.is_unique:
        name = columns[columns.duplicated()][0]
        raise ValueError(
            f"X must have column names that differ, got {name!r} more than once; "
            "give X.to_numpy(), or use fit_path, which goes by place"
        )


def _checked_table(X: Any) -> tuple[Any, Names | None]:
    """`as_table`, with scikit-learn's words for everything that is not a plain table of numbers."""
    if isinstance(X, np.matrix):
        plain = False
    elif isinstance(X, np.ndarray):
        plain = X.dtype in VIEWED and X.ndim == 2 and 0 not in X.shape
    elif is_scipy_sparse(X):
        plain = X.dtype.kind in "fiub" and 0 not in X.shape
    else:
        plain = (
            is_arrow(X) or is_anndata(X) or (hasattr(X, "columns") and hasattr(X, "to_numpy"))
        ) and 0 not in X.shape
    if not plain:
        X = check_array(
            X, accept_sparse="csc", dtype=[np.float64, np.float32], order="F", ensure_all_finite=False
        )
    return as_table(X)
