"""Sparse logistic regression, for two classes or more, as scikit-learn estimators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from riata._input.alignment import check_rows_named_alike
from riata._input.renamed import warn_renamed
from riata._input.responses import check_two_outcomes
from riata._input.targets import check_every_class, one_hot
from riata._input.validation import Float, check_flag, check_offset, check_real, show_label
from riata.estimators._base import ChoiceWithOffset, FitWithOffset, Problem, SparseLinearModel
from riata.estimators._params import (
    Bounds,
    EarlierRows,
    Intercept,
    Jobs,
    Mixing,
    Mixtures,
    Precision,
    Randomness,
    Rows,
    Running,
    Scale,
    ScoredSearch,
    Sign,
    Strength,
    WarmStart,
    declared,
    parameter,
)
from riata.estimators._selector import lazy_on_dask
from riata.losses import Multinomial
from riata.losses._scores import expit
from riata.path.arguments import Features, Options, refuse_bounds

__all__ = ["SparseLogisticRegression", "SparseLogisticRegressionCV"]


@declared
class _Inverse:
    C: float | None = parameter(
        "float",
        "Another way to give the strength, scikit-learn's: alpha is ``1 / (C Σw)``, and `alpha` is not used.",
        default=None,
    )


@declared
class _ClassWeight:
    class_weight: Any = parameter(
        'dict or "balanced"',
        """Multiplies the sample weights. "balanced" gives all classes the same total weight; a sample of
        weight k counts as k. Held-out samples of a cross-validation are scored without it, and each fold
        is balanced by the samples it trains on.""",
        default=None,
    )


class _Classifier(ClassifierMixin, SparseLinearModel):  # type: ignore[misc]
    """Checks and prediction common to the binomial and multinomial estimators.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
        The labels, sorted.
    coef_ : ndarray of shape (1, p), or (K, p) for K > 2 classes
        Coefficients on the original scale of X.
    sparse_coef_ : scipy.sparse.csr_matrix of the shape of `coef_`
        The same, sparse.
    intercept_ : ndarray of shape (1,), or (K,) with the sum zero
        The intercepts; 0 without.
    has_offset_ : bool
        Whether `fit` was given an offset.

    Objective
    ---------
    Minimises, for outcomes y in {0, 1}, linear predictors eta_i = b0 + x_i·b + offset_i and weights w (ones
    by default),

        (1 / Σw) Σ_i w_i (log(1 + exp(eta_i)) - y_i eta_i)
            + alpha Σ_j pf_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j²)   with lower <= b <= upper.

    With K > 2 classes each has its own intercept and coefficients, whose penalties are summed, and the loss
    is log Σ_k exp(eta_ik) - eta_ic for a sample of class c (multinomial). With `grouped` the penalty of a
    feature is on its K coefficients together, l1_ratio ‖b_j‖₂ + (1 - l1_ratio)/2 ‖b_j‖₂²: it enters for all
    classes or for none.

    Data
    ----
    y : array of shape (n,)
        Labels. Of two classes the second in sorted order is the one whose probability is modelled.
    sample_weight : float or array of shape (n,)
        Non-negative; only their proportions matter. Held-out samples of a cross-validation count by their
        weights within a fold. Default: 1 for all. A class whose samples all have weight zero, as in a
        bootstrap, gets the probability zero, its intercept being minus infinity; a cross-validation refuses
        it.
    offset : array of shape (n,), or (n, K) for K > 2 classes
        Added to the linear predictor: known log-odds, such as those of an earlier model.

    New data
    --------
    offset : array of shape (m,), or (m, K) for K > 2 classes, or float
        Added to the linear predictor; needed when `fit` was given one. 0 predicts without.

    References
    ----------
    Koh, Kim & Boyd (2007), An interior-point method for large-scale l1-regularized logistic regression, JMLR
    8. Simon, Friedman & Hastie (2013), A blockwise descent algorithm for group-penalized multiresponse and
    multinomial regression, arXiv:1311.6529.
    """

    _loss = "binomial"

    classes_: NDArray[Any]
    class_weight: Any
    grouped: Any
    row_grouped: Any

    @lazy_on_dask
    def decision_function(self, X: Any, offset: ArrayLike | None = None) -> Float:
        """Predict the log-odds of ``classes_[1]``; of more than two classes the linear predictor of each.

        Returns
        -------
        ndarray of shape (m,), or (m, K) for K > 2 classes
            Linear predictors, offset included.
        """
        links = self._shifted_links(X, offset)[0]
        return links[:, 0] if links.shape[1] == 1 else links

    @lazy_on_dask
    def predict(self, X: Any, offset: ArrayLike | None = None) -> NDArray[Any]:
        """Predict the most probable class.

        Returns
        -------
        ndarray of shape (m,)
            Labels from `classes_`.
        """
        link = self.decision_function(X, offset)
        labels: NDArray[Any] = self.classes_[
            link.argmax(axis=1) if link.ndim > 1 else (link > 0.0).astype(np.intp)
        ]
        return labels

    @lazy_on_dask
    def predict_proba(self, X: Any, offset: ArrayLike | None = None) -> Float:
        """Predict the probability of each class.

        Returns
        -------
        ndarray of shape (m, K)
            In the order of `classes_`.
        """
        link = self.decision_function(X, offset)
        return (
            np.column_stack([expit(-link), expit(link)]) if link.ndim == 1 else np.asarray(softmax(link, 1))
        )

    @lazy_on_dask
    def predict_log_proba(self, X: Any, offset: ArrayLike | None = None) -> Float:
        """Predict the logarithm of the probability of each class; as `predict_proba`, without underflow.

        Returns
        -------
        ndarray of shape (m, K)
            In the order of `classes_`.
        """
        link = self.decision_function(X, offset)
        if link.ndim == 1:
            return np.column_stack([-np.logaddexp(0.0, link), -np.logaddexp(0.0, -link)])
        return np.asarray(log_softmax(link, 1))

    def score(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> float:
        """Return the share of samples whose class is predicted.

        Returns
        -------
        float
            From 0 to 1, the accuracy.
        """
        from sklearn.metrics import accuracy_score

        check_rows_named_alike(X, y=y, sample_weight=sample_weight)
        return float(accuracy_score(y, self.predict(X, offset), sample_weight=sample_weight))

    def _check_data(
        self, X: Any, y: Any, sample_weight: Any, options: Options, offset: Any = None, **beside: Any
    ) -> Problem:
        """Check what `fit` was given, and set the loss by the number of classes.

        The weights are the observation weights; `reweigh` says what training samples count by class too.
        """
        design, y, weights = self._check_fit_input(X, y, sample_weight, offset=offset)
        _, classes, codes = read_classes(y)
        check_class_weight(self.class_weight, classes)

        def reweigh(weights: Float) -> Float:
            return weights * class_factors(self.class_weight, classes, codes, weights)[codes]

        grouped = self._check_grouped()
        if grouped:
            refuse_bounds(lower=self.lower, upper=self.upper, positive=self.positive or None)
        if len(classes) == 2:
            target = codes.astype(np.float64)
        else:
            options.loss, options.grouped = Multinomial(), grouped
            target = one_hot(codes, len(classes))
        self.classes_ = classes
        shift = check_offset(offset, design.n_samples, target.shape[1:])
        self.has_offset_ = shift is not None
        return Problem((X, y), design, target, weights, shift, classes, reweigh)

    def _check_grouped(self) -> bool:
        """Return whether features enter for all classes together, by the parameter or its earlier name."""
        grouped = check_flag("grouped", self.grouped)
        if isinstance(self.row_grouped, str) and self.row_grouped == "deprecated":
            return grouped
        warn_renamed("row_grouped", "grouped", stacklevel=7)
        if grouped:
            raise ValueError("row_grouped is the earlier name of grouped: give grouped alone")
        return check_flag("row_grouped", self.row_grouped)

    def _refuse_absent(self, target: Float, weights: Float) -> None:
        """Refuse classes of which no sample counts."""
        check = check_two_outcomes if target.ndim == 1 else check_every_class
        check(target, weights, self.classes_)

    def _shaped(self, coef: Float, intercept: Float) -> tuple[Float, Any]:
        return coef, intercept


def check_inverse(C: Any) -> float:
    """Return scikit-learn's C, > 0; infinite for no penalty."""
    if isinstance(C, float) and np.inf == C:
        return np.inf
    return check_real("C", C, above=0.0)


def check_class_weight(class_weight: Any, classes: NDArray[Any]) -> None:
    """Refuse what is not None, "balanced" or weights by label."""
    if class_weight is None or (isinstance(class_weight, str) and class_weight == "balanced"):
        return
    if not isinstance(class_weight, Mapping):
        raise ValueError(f"class_weight must be None, 'balanced' or a dict of weights, got {class_weight!r}")
    for label, weight in class_weight.items():
        check_real(f"class_weight of class {show_label(label)}", weight, at_least=0.0)
    unknown = [label for label in class_weight if label not in classes.tolist()]
    if unknown and any(label not in class_weight for label in classes.tolist()):
        raise ValueError(
            f"class_weight must hold weights of the classes {classes.tolist()}, got {show_label(unknown[0])}"
        )


def class_factors(class_weight: Any, classes: NDArray[Any], codes: NDArray[np.intp], weights: Float) -> Float:
    """Return what `class_weight` multiplies the weights of each class by.

    "balanced" gives every class that is there the same total; a sample of weight k counts as k.
    """
    if class_weight is None:
        return np.ones(len(classes))
    if not isinstance(class_weight, str):
        return np.array([float(class_weight.get(label, 1.0)) for label in classes.tolist()])
    mass = np.bincount(codes, weights, len(classes))
    there = mass > 0.0
    return np.where(there, mass.sum() / (there.sum() * np.where(there, mass, 1.0)), 1.0)


def read_classes(y: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.intp]]:
    """Return (labels as a 1-D array, the classes, two or more, the class number of each sample)."""
    labels = y if type(y) is np.ndarray and y.ndim == 1 else column_or_1d(y, warn=True)
    if labels.dtype.kind == "f":
        assert_all_finite(labels, input_name="y")
    if labels.dtype.kind in "biuf":  # two whole numbers, seen without sorting
        low, high = labels.min(), labels.max()
        upper = labels == high
        if low < high and low % 1 == 0 == high % 1 and np.all(upper | (labels == low)):
            return labels, np.array([low, high]), upper.astype(np.intp)
    check_classification_targets(labels)
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y must hold at least two classes, got one class only: {show_label(classes[0])}")
    return labels, classes, codes


@declared
class SparseLogisticRegression(
    FitWithOffset, _Classifier, EarlierRows, Randomness, Jobs, Running, WarmStart, Precision, Bounds, Scale,
    Rows, Sign, Intercept, _ClassWeight, Mixing, _Inverse, Strength,
):  # fmt: skip
    """Logistic regression with an elastic-net penalty, certified by its duality gap.

    Parameters
    ----------
    alpha : float
        Strength of the penalty, > 0. scikit-learn's `C` is ``1 / (alpha n)``.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> y = np.where(X[:, 3] + 0.5 * rng.standard_normal(100) > 0, "case", "control")
    >>> model = riata.SparseLogisticRegression(alpha=0.2).fit(X, y)
    >>> model.get_support(indices=True)
    array([3])
    >>> model.classes_
    array(['case', 'control'], dtype='<U7')
    """

    alpha: float = field(default=0.01, kw_only=False)

    def _fit_problem(self, problem: Problem, features: Features, options: Options) -> None:
        """Fit the classes that have samples of positive weight."""
        assert problem.reweigh is not None
        target, weights, shift = problem.target, problem.reweigh(problem.weights), problem.offset
        if self.C is not None:
            options.alphas = np.array([1.0 / (check_inverse(self.C) * float(weights.sum()))])
        self._there = self._counted(target, weights)
        if self._there.sum() == 1:
            self._keep_certain(options)
            return
        if target.ndim > 1:
            target = np.asfortranarray(target[:, self._there])
            shift = None if shift is None else np.asfortranarray(shift[:, self._there])
        counted = replace(problem, target=target, weights=weights, offset=shift)
        super()._fit_problem(counted, features, options)

    def _counted(self, target: Float, weights: Float) -> NDArray[np.bool_]:
        """Which classes have samples of positive weight; all must where no intercept could tell of it."""
        if not self.fit_intercept:
            self._refuse_absent(target, weights)
        shares = np.column_stack([1.0 - target, target]) if target.ndim == 1 else target
        return np.asarray(weights @ shares > 0.0)

    def _keep_certain(self, options: Options) -> None:
        """Keep the limit of the fit to one class: no feature matters, and its probability is one."""
        level = 0.0 if len(self._there) > 2 else np.inf if self._there[1] else -np.inf
        counters = {"passes": 0.0, "seconds_total": 0.0}
        coef = np.zeros((1, self.n_features_in_))
        assert options.alphas is not None
        alpha = float(options.alphas[0])
        self._keep(alpha, coef, np.array([level]), "duality_gap", 0.0, 0.0, True, 0, counters)

    def _shaped(self, coef: Float, intercept: Float) -> tuple[Float, Any]:
        """A class that no sample of positive weight has gets the probability zero."""
        if len(self._there) == 2 or self._there.all():
            return coef, intercept
        whole, levels = np.zeros((len(self._there), coef.shape[1])), np.full(len(self._there), -np.inf)
        whole[self._there], levels[self._there] = coef, intercept
        return whole, levels


@declared
class SparseLogisticRegressionCV(
    ChoiceWithOffset, _Classifier, EarlierRows, Randomness, Jobs, Running, Precision, Bounds, Scale, Rows,
    Sign, Intercept, _ClassWeight, Mixtures, ScoredSearch,
):  # fmt: skip
    """Logistic regression with an elastic-net penalty chosen by cross-validation.

    Parameters
    ----------
    cv : int, splitter or iterable of (train, test)
        An integer gives stratified folds without shuffling, as in scikit-learn.
    scoring : {"deviance", "auc", "misclassification"}
        What the held-out folds are scored by. Default: "deviance". See `riata.cv_path`.

    Attributes
    ----------
    coef_path_ : scipy.sparse.csc_array of shape (p, L), or list of K > 2 of them
        Coefficients of the final fit along its path.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> y = X[:, 3] + 0.5 * rng.standard_normal(100) > 0
    >>> model = riata.SparseLogisticRegressionCV(alpha_rule="1se", scoring="auc").fit(X, y)
    >>> model.get_support(indices=True)
    array([3])
    """

    eps: float | None = None

    def _check_data(
        self, X: Any, y: Any, sample_weight: Any, options: Options, offset: Any = None, **beside: Any
    ) -> Problem:
        problem = super()._check_data(X, y, sample_weight, options, offset)
        assert problem.reweigh is not None
        self._refuse_absent(problem.target, problem.reweigh(problem.weights))
        return problem
