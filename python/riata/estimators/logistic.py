"""Sparse logistic regression, for two classes or more, as scikit-learn estimators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from riata._input.alignment import check_rows_named_alike
from riata._input.design import DesignView
from riata._input.targets import check_every_class, one_hot
from riata._input.validation import (
    UNPENALISED,
    Float,
    check_alpha,
    check_flag,
    check_offset,
    check_real,
    check_threads,
    check_two_outcomes,
    show_label,
)
from riata.estimators._base import CrossValidated, SparseLinearModel
from riata.path.arguments import Features, Options, check_features
from riata.path.cross_validation import Reweigh
from riata.path.fit import solve
from riata.path.result import expit

__all__ = ["SparseLogisticRegression", "SparseLogisticRegressionCV"]


class _Classifier(ClassifierMixin, SparseLinearModel):  # type: ignore[misc]
    """Checks and prediction common to the binomial and multinomial estimators."""

    classes_: NDArray[Any]
    class_weight: Any
    positive: bool
    row_grouped: bool
    penalty_factor: Any
    lower: Any
    upper: Any

    def decision_function(self, X: Any, offset: ArrayLike | None = None) -> Float:
        """Log-odds of ``classes_[1]``; of more than two classes the linear predictor of each.

        Parameters
        ----------
        X : as in `fit`, shape (m, p)
        offset : array of shape (m,), or (m, K) for K > 2 classes, or number, optional
            Needed when `fit` was given one; 0 predicts without.

        Returns
        -------
        ndarray of shape (m,), or (m, K) for K > 2 classes
        """
        links = self._shifted_links(X, offset)[0]
        return links[:, 0] if links.shape[1] == 1 else links

    def predict(self, X: Any, offset: ArrayLike | None = None) -> NDArray[Any]:
        """Predict the most probable class.

        Parameters
        ----------
        X, offset
            As in `decision_function`.

        Returns
        -------
        ndarray of shape (m,), of labels from `classes_`
        """
        link = self.decision_function(X, offset)
        labels: NDArray[Any] = self.classes_[
            link.argmax(axis=1) if link.ndim > 1 else (link > 0.0).astype(np.intp)
        ]
        return labels

    def predict_proba(self, X: Any, offset: ArrayLike | None = None) -> Float:
        """Predict the probability of each class.

        Parameters
        ----------
        X, offset
            As in `decision_function`.

        Returns
        -------
        ndarray of shape (m, K), in the order of `classes_`
        """
        link = self.decision_function(X, offset)
        return (
            np.column_stack([expit(-link), expit(link)]) if link.ndim == 1 else np.asarray(softmax(link, 1))
        )

    def predict_log_proba(self, X: Any, offset: ArrayLike | None = None) -> Float:
        """Predict the logarithm of the probability of each class; as `predict_proba`, without underflow."""
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
        """Share of samples whose class is predicted.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        offset : as in `decision_function`

        Returns
        -------
        float
        """
        from sklearn.metrics import accuracy_score

        check_rows_named_alike(X, y=y, sample_weight=sample_weight)
        return float(accuracy_score(y, self.predict(X, offset), sample_weight=sample_weight))

    def _check_all(
        self, X: Any, y: Any, sample_weight: Any, offset: Any, options: Options
    ) -> tuple[DesignView, Float, Float, Float | None, Features, Reweigh]:
        """Check what `fit` was given, and set the loss by the number of classes.

        The weights are the observation weights; the last says what training samples count by class too.
        """
        design, y, weights = self._check_fit_input(X, y, sample_weight, offset=offset)
        _, classes, codes = read_classes(y)
        check_class_weight(self.class_weight, classes)

        def reweigh(weights: Float) -> Float:
            return weights * class_factors(self.class_weight, classes, codes, weights)[codes]

        grouped = check_flag("row_grouped", self.row_grouped)
        if len(classes) == 2:
            target = codes.astype(np.float64)
        else:
            options.loss, options.row_grouped = "multinomial", grouped
            target = one_hot(codes, len(classes))
        self.classes_ = classes
        shift = check_offset(offset, design.n_samples, target.shape[1:])
        self.has_offset_ = shift is not None
        positive = check_flag("positive", self.positive)
        features = check_features(
            design, self.penalty_factor, self.lower, self.upper, positive=positive, row_grouped=grouped
        )
        return design, target, weights, shift, features, reweigh

    def _refuse_absent(self, target: Float, weights: Float) -> None:
        """Refuse classes of which no sample counts."""
        check = check_two_outcomes if target.ndim == 1 else check_every_class
        check(target, weights, self.classes_)

    def _shaped(self, coef: Float, intercept: Float) -> tuple[Float, Any]:
        return coef, intercept


def check_inverse(C: Any) -> float:
    """Return scikit-learn's C, finite and > 0."""
    if isinstance(C, float) and np.inf == C:
        raise ValueError(f"C must be finite and > 0, got inf; {UNPENALISED}")
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


class SparseLogisticRegression(_Classifier):
    """Logistic regression with an elastic-net penalty, certified by its duality gap.

    Minimises, for outcomes y in {0, 1}, linear predictors eta_i = b0 + x_i·b and weights w (ones by default),

        (1 / Σw) Σ_i w_i (log(1 + exp(eta_i)) - y_i eta_i)
            + alpha Σ_j pf_j (l1_ratio |b_j| + (1 - l1_ratio)/2 b_j²)   with lower <= b <= upper.

    With K > 2 classes each has its own intercept and coefficients, whose penalties are summed, and the loss
    is log Σ_k exp(eta_ik) - eta_ic for a sample of class c (multinomial). With `row_grouped` the penalty of a
    feature is on its K coefficients together, l1_ratio ‖b_j‖₂ + (1 - l1_ratio)/2 ‖b_j‖₂²: it enters for all
    classes or for none.

    Parameters
    ----------
    alpha : float, default=0.01
        Strength of the penalty, > 0. scikit-learn's `C` is ``1 / (alpha n)``.
    C : float, optional
        scikit-learn's way to say it: when given, alpha is ``1 / (C Σw)`` and `alpha` is not used.
    l1_ratio : float, default=1.0
        From 0 (ridge) to 1 (lasso).
    class_weight : dict or "balanced", optional
        Multiplies the sample weights. "balanced" gives all classes the same total weight; a sample of weight
        k counts as k. Held-out samples of a cross-validation are scored without it, and each fold is balanced
        by the samples it trains on.
    fit_intercept : bool, default=True
        The intercept is not penalised.
    positive : bool, default=False
        Keep all coefficients >= 0.
    row_grouped : bool, default=False
        Let a feature enter for all classes together. Two classes have one coefficient a feature anyway. Not
        together with `positive`, `lower` or `upper`.
    standardize : bool, default=False
        Penalise coefficients as on columns of unit standard deviation. They come back on the original scale.
    penalty_factor : array of shape (p,), dict or Series by feature name, optional
        Multiplies the penalty of each feature: 0 leaves it unpenalised, infinity leaves the feature out.
    lower, upper : float, array of shape (p,), dict or Series by feature name, optional
        Bounds on the coefficients, ``lower <= 0 <= upper``.
    tol : float, default=1e-6
        Bound on the relative duality gap, (primal - dual) / (loss of the intercept alone).
    max_iter : int, default=10000
    warm_start : bool, default=False
        Accepted as in scikit-learn. The solution does not depend on where the solver starts.
    solver : {"auto", "homotopy", "cd", "prox"}, default="auto"
    n_threads : int, optional
        Default: every available core, or OMP_NUM_THREADS, or one for a small problem. The result is the same
        to the last bit for any value.
    verbose : int, default=0
        1 prints one line about the fit.
    n_jobs, random_state : any
        Accepted so that code written for scikit-learn runs; `n_jobs` is used for `n_threads` when that is
        None.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
    coef_ : ndarray of shape (1, p), or (K, p) for K > 2 classes
    sparse_coef_ : scipy.sparse.csr_matrix of the shape of `coef_`
    intercept_ : ndarray of shape (1,), or (K,) with the sum zero
    has_offset_ : bool
        Whether `fit` was given an offset.
    dual_gap_ : float
        Relative duality gap, on the scale of `tol`.
    converged_ : bool
    n_iter_ : int
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (p,)
        Only when X has names that are all strings.

    Warns
    -----
    sklearn.exceptions.ConvergenceWarning
        When the gap is above `tol` after `max_iter` iterations.

    References
    ----------
    Koh, Kim & Boyd (2007), An interior-point method for large-scale l1-regularized logistic regression, JMLR
    8. Simon, Friedman & Hastie (2013), A blockwise descent algorithm for group-penalized multiresponse and
    multinomial regression, arXiv:1311.6529.

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

    def __init__(
        self,
        alpha: float = 0.01,
        *,
        C: float | None = None,
        l1_ratio: float = 1.0,
        class_weight: Any = None,
        fit_intercept: bool = True,
        positive: bool = False,
        row_grouped: bool = False,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower: float | ArrayLike | None = None,
        upper: float | ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        warm_start: bool = False,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.alpha = alpha
        self.C = C
        self.l1_ratio = l1_ratio
        self.class_weight = class_weight
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.row_grouped = row_grouped
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower = lower
        self.upper = upper
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start
        self.solver = solver
        self.n_threads = n_threads
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> SparseLogisticRegression:
        """Fit the model.

        Parameters
        ----------
        X : array, memory map, SciPy sparse matrix, DataFrame or Genotypes, shape (n, p)
            float64, float32 and int8 arrays and SciPy CSC are read where they are.
        y : array of shape (n,)
            Labels. Of two classes the second in sorted order is the one whose probability is modelled.
        sample_weight : float or array of shape (n,), optional
            Non-negative. A class whose samples all have weight zero, as in a bootstrap, gets the probability
            zero: its intercept is minus infinity.
        offset : array of shape (n,), or (n, K) for K > 2 classes, optional
            Added to the linear predictor: known log-odds, such as those of an earlier model.

        Returns
        -------
        self
        """
        alpha = check_alpha(self.alpha)
        inverse = None if self.C is None else check_inverse(self.C)
        l1_ratio = check_real("l1_ratio", self.l1_ratio, at_least=0.0, at_most=1.0)
        options = self._options("binomial", None, l1_ratio=l1_ratio)
        options.n_threads = check_threads(self.n_threads, self.n_jobs)
        design, target, weights, shift, features, reweigh = self._check_all(
            X, y, sample_weight, offset, options
        )
        weights = reweigh(weights)
        if inverse is not None:
            alpha = 1.0 / (inverse * float(weights.sum()))
        options.alphas = np.array([alpha])
        self._there = self._counted(target, weights)
        if self._there.sum() == 1:
            self._keep_certain(alpha)
            return self
        if target.ndim > 1:
            target = np.asfortranarray(target[:, self._there])
            shift = None if shift is None else np.asfortranarray(shift[:, self._there])
        fit = solve(design, target, weights[:, None], shift, features, options)[0]
        self._keep_fit(fit, target, weights, features, options)
        return self

    def _counted(self, target: Float, weights: Float) -> NDArray[np.bool_]:
        """Which classes have samples of positive weight; all must where no intercept could tell of it."""
        if not self.fit_intercept:
            self._refuse_absent(target, weights)
        shares = np.column_stack([1.0 - target, target]) if target.ndim == 1 else target
        return np.asarray(weights @ shares > 0.0)

    def _keep_certain(self, alpha: float) -> None:
        """Keep the limit of the fit to one class: no feature matters, and its probability is one."""
        level = 0.0 if len(self._there) > 2 else np.inf if self._there[1] else -np.inf
        counters = {"passes": 0.0, "seconds_total": 0.0}
        coef = np.zeros((1, self.n_features_in_))
        self._keep(alpha, coef, np.array([level]), "duality_gap", 0.0, True, 0, counters)

    def _shaped(self, coef: Float, intercept: Float) -> tuple[Float, Any]:
        """A class that no sample of positive weight has gets the probability zero."""
        if len(self._there) == 2 or self._there.all():
            return coef, intercept
        whole, levels = np.zeros((len(self._there), coef.shape[1])), np.full(len(self._there), -np.inf)
        whole[self._there], levels[self._there] = coef, intercept
        return whole, levels


class SparseLogisticRegressionCV(_Classifier, CrossValidated):
    """`SparseLogisticRegression` with `alpha` chosen by cross-validation.

    All folds and the final fit share every pass over X, and no row is copied.

    Parameters
    ----------
    alphas : int or sequence of float, default=100
        A number of grid points or the values themselves.
    eps : float, optional
        Smallest over largest alpha of the grid. Default as in `riata.fit_path`.
    cv : int, splitter or iterable of (train, test), default=5
        An integer gives stratified folds without shuffling, as in scikit-learn.
    scoring : {"deviance", "auc", "misclassification"}, optional
        What the held-out folds are scored by, default "deviance". See `riata.cv_path`.
    selection : {"min", "1se"}, default="min"
        The alpha with the best score, or the largest one within a standard error of it.
    l1_ratio, class_weight, fit_intercept, positive, row_grouped, standardize, penalty_factor, lower, upper
        As in `SparseLogisticRegression`.
    tol, max_iter, solver, n_threads, verbose, n_jobs, random_state
        As in `SparseLogisticRegression`.

    Attributes
    ----------
    alpha_ : float
        The alpha of the final fit: `alpha_min_` or `alpha_1se_`, as `selection` says.
    alpha_min_, alpha_1se_ : float
    alphas_ : ndarray of shape (L,)
    score_path_ : ndarray of shape (L, K)
        Score on each held-out fold; see `scoring`.
    coef_path_ : scipy.sparse.csc_array of shape (p, L), or list of K > 2 of them
        Coefficients of the final fit along its path.
    dual_gaps_ : ndarray of shape (L,)
    cv_path_ : riata.CVPath
        All of the cross-validation, with `predict` and `plot`.
    classes_, coef_, sparse_coef_, intercept_, has_offset_, dual_gap_, converged_, n_iter_, n_features_in_,
    feature_names_in_
        As in `SparseLogisticRegression`, at `alpha_`.

    Examples
    --------
    >>> import numpy as np, riata
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((100, 50))
    >>> y = X[:, 3] + 0.5 * rng.standard_normal(100) > 0
    >>> model = riata.SparseLogisticRegressionCV(selection="1se", scoring="auc").fit(X, y)
    >>> model.get_support(indices=True)
    array([3])
    """

    def __init__(
        self,
        *,
        alphas: int | ArrayLike = 100,
        eps: float | None = None,
        cv: Any = 5,
        scoring: str | None = None,
        selection: str = "min",
        l1_ratio: float = 1.0,
        class_weight: Any = None,
        fit_intercept: bool = True,
        positive: bool = False,
        row_grouped: bool = False,
        standardize: bool = False,
        penalty_factor: ArrayLike | None = None,
        lower: float | ArrayLike | None = None,
        upper: float | ArrayLike | None = None,
        tol: float = 1e-6,
        max_iter: int = 10_000,
        solver: str = "auto",
        n_threads: int | None = None,
        verbose: int = 0,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.alphas = alphas
        self.eps = eps
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.l1_ratio = l1_ratio
        self.class_weight = class_weight
        self.fit_intercept = fit_intercept
        self.positive = positive
        self.row_grouped = row_grouped
        self.standardize = standardize
        self.penalty_factor = penalty_factor
        self.lower = lower
        self.upper = upper
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.n_threads = n_threads
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        offset: ArrayLike | None = None,
    ) -> SparseLogisticRegressionCV:
        """Cross-validate and fit.

        Parameters
        ----------
        X, y, sample_weight, offset
            As in `SparseLogisticRegression.fit`. Held-out samples count by their weights within a fold.
        groups : array of shape (n,), optional
            Handed to the splitter.

        Returns
        -------
        self
        """
        options = self._check_search("binomial")
        options.n_threads = check_threads(self.n_threads, self.n_jobs)
        design, target, weights, shift, features, reweigh = self._check_all(
            X, y, sample_weight, offset, options
        )
        self._refuse_absent(target, reweigh(weights))
        self._search(
            options, (X, y), design, target, weights, features, groups, self.classes_, shift, reweigh
        )
        return self
