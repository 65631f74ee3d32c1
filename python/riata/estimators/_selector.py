"""A fitted linear model: reading X as scikit-learn does, predicting, and selecting features."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

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
from riata._input.features import Names
from riata._input.lazy import by_rows, check_computed, check_lazy_shape, is_lazy
from riata._input.validation import Float, check_new_offset, check_threads, check_weights, threads_for
from riata.path.applying import is_genotypes, n_samples_of, predict_genotypes, warn_of_unknown_alleles

if TYPE_CHECKING:
    from typing_extensions import Self

Method = TypeVar("Method", bound=Callable[..., Any])


def lazy_on_dask(method: Method) -> Method:
    """Let a method that computes something of each row of X, and an offset, return a Dask array for one."""

    @wraps(method)
    def predict(self: SparseSelector, X: Any, *offset: Any, **named: Any) -> Any:
        if not is_lazy(X):
            return method(self, X, *offset, **named)
        check_is_fitted(self, "coef_")
        check_lazy_shape(X, self.n_features_in_)
        given = offset[0] if offset else named.get("offset")
        support, block = self._active()
        support = support if len(support) else np.zeros(1, dtype=np.intp)
        outputs = block.shape[1:] if block.shape[1] > 1 else ()
        shift = None
        if hasattr(self, "has_offset_") or given is not None:
            shift = check_new_offset(
                given, n_samples_of(X), outputs, fitted=getattr(self, "has_offset_", False)
            )
        return by_rows(X, support, OfRows(self._narrow(support), method.__name__), shift)

    return predict  # type: ignore[return-value]


class OfRows:
    """A method of an estimator that knows the features in use alone."""

    def __init__(self, model: SparseSelector, method: str) -> None:
        self.model, self.method = model, method

    def __call__(self, X: Any, offset: Float | None = None) -> Any:
        """Of rows of X, with their offset."""
        given = {} if offset is None else {"offset": offset}
        return getattr(self.model, self.method)(X, **given)


class SparseSelector(SelectorMixin, BaseEstimator):  # type: ignore[misc]
    """A linear model with few nonzero coefficients, which is also a selector of their features.

    Attributes
    ----------
    coef_ : ndarray of shape (p,)
        Coefficients on the original scale of X.
    sparse_coef_ : scipy.sparse.csr_matrix of shape (1, p)
        The same, sparse.
    intercept_ : float
        The intercept; 0 without.
    n_features_in_ : int
        p, the number of features.
    feature_names_in_ : ndarray of str, shape (p,)
        Names of the features; only when X has names that are all strings.
    variants_ : riata.FittedVariants
        The variants, with the alleles that the fit counted; only when X holds genotypes.

    Data
    ----
    X : array, memory map, SciPy sparse matrix, DataFrame, Arrow table, AnnData or Genotypes, shape (n, p)
        float64, float32 and int8 arrays and SciPy CSC are read where they are.
    y : array of shape (n,)
        The response.
    offset : array of shape (n,)
        Added to the linear predictor. Default: none.

    New data
    --------
    X : array, memory map, SciPy sparse matrix, DataFrame, Arrow table, AnnData or Genotypes, shape (m, p)
        New samples; columns of frames and variants of genotypes are matched by name.
    offset : array of shape (m,) or float
        Added to the linear predictor; needed when `fit` was given one. 0 predicts without.
    """

    _fitted = "coef_"  # what there is after `fit`

    n_threads: Any

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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

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
        design = view(*checked_table(X)) if not hasattr(X, "_design") else as_design(X)
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
            table, names = checked_table(X)
            assert_all_finite(table.data if is_scipy_sparse(table) else table, input_name="X")
            design = view(table, names)
        plain = type(X) is np.ndarray and not hasattr(self, "feature_names_in_")
        if is_anndata(X):
            check_same_features(design, self.n_features_in_, getattr(self, "feature_names_in_", None))
        elif not plain or X.shape[1] != self.n_features_in_:
            validate_data(self, X if hasattr(X, "shape") else table, skip_check_array=True, reset=False)
        return np.asarray(self._multiply(design, *self._active()) + np.asarray(self.intercept_))

    def _active(self) -> tuple[NDArray[np.intp], Float]:
        """Features that are active, (k,), and their coefficients, (k, K)."""
        coef = np.atleast_2d(np.asarray(self.coef_, dtype=np.float64))
        support = np.flatnonzero(np.any(coef != 0.0, axis=0))
        return support, coef[:, support].T

    def _narrow(self, support: NDArray[np.intp]) -> Self:
        """The model of some features, for one thread, with what predictions need."""
        few = copy(self)
        beside = ("feature_names_in_", "variants_", "cv_result_", "_genotypes", "_there")
        for name in [name for name in vars(few) if name in beside or name.endswith("path_")]:
            del few.__dict__[name]
        few.coef_ = np.asarray(self.coef_)[..., support]
        few.n_features_in_, few.n_threads = len(support), 1
        return few

    def _multiply(self, design: DesignView, support: NDArray[np.intp], block: Float) -> Float:
        """X[:, support] @ block, by as many threads as it is worth."""
        threads = threads_for(check_threads(self.n_threads), float(design.core.shape[0]) * block.size)
        return design.multiply(support, block, threads)

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
        support, block = self._active()
        variants = getattr(self, "variants_", None)
        if variants is not None:
            products = predict_genotypes(variants, X, support, block)
        else:
            warn_of_unknown_alleles(X)
            design = as_design(X)
            check_same_features(design, self.n_features_in_, getattr(self, "feature_names_in_", None))
            products = self._multiply(design, support, block)
        return np.asarray(products + np.asarray(self.intercept_))

    def transform(self, X: Any) -> Any:
        """Reduce X to the selected features.

        Returns
        -------
        array of shape (m, k)
            Of genotypes the copies that the fit counted, missing calls at its means, in float64; of a Dask
            array one of its columns.
        """
        if is_lazy(X):
            check_is_fitted(self, self._fitted)
            check_lazy_shape(X, self.n_features_in_)
            return X[:, np.flatnonzero(self._get_support_mask())]
        if hasattr(X, "_design") and not is_genotypes(X):  # a Design, or columns that workers hold
            check_is_fitted(self, self._fitted)
            validate_data(self, X, skip_check_array=True, reset=False)
            chosen = as_design(X).gather(np.flatnonzero(self._get_support_mask()))
            return chosen.astype(getattr(X, "dtype", chosen.dtype), copy=False)
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
        """Return the names of the selected features.

        Parameters
        ----------
        input_features : array of str, shape (p,), optional
            Names of all features; by default `feature_names_in_`, or x0, x1 and so on.

        Returns
        -------
        ndarray of object, shape (k,)
            Their names, as str.
        """
        return np.asarray(super().get_feature_names_out(input_features), dtype=object)


def _refuse_repeated_names(X: Any) -> None:
    """Estimators find columns again by name, and scikit-learn refuses names that are there twice."""
    columns: Any = getattr(X, "columns", None)
    if hasattr(columns, "is_unique") and not columns.is_unique:
        name = columns[columns.duplicated()][0]
        raise ValueError(
            f"X must have column names that differ, got {name!r} more than once; "
            "give X.to_numpy(), or use fit_path, which goes by place"
        )


def checked_table(X: Any) -> tuple[Any, Names | None]:
    """`as_table`, with scikit-learn's words for everything that is not a plain table of numbers."""
    check_computed(X)
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
