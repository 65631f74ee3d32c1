"""The parameters of the estimators, each declared and described once.

An estimator inherits from the classes here that declare its parameters, and `declared` makes the constructor.
As in all data classes the parameters of the last base come first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from riata._docs import complete

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Any:
        """For type checkers alone."""
        return lambda function: function


Kind = TypeVar("Kind", bound=type)


@dataclass_transform(eq_default=False, kw_only_default=True, field_specifiers=(field,))
def declared(cls: Kind) -> Kind:
    """Give a class the constructor of the parameters it declares and inherits, and its whole docstring."""
    dataclass(eq=False, repr=False, kw_only=True)(cls)
    if issubclass(cls, BaseEstimator):
        complete(cls)
    return cls


@declared
class Strength:
    """A fit at one alpha.

    Parameters
    ----------
    alpha : float
        Strength of the penalty; 0 is none, where the penalty is an elastic net.
    """

    alpha: float = field(default=1.0, kw_only=False)


@declared
class Mixing:
    """One mixture of both norms.

    Parameters
    ----------
    l1_ratio : float
        From 0 (ridge) to 1 (lasso).
    """

    l1_ratio: float = 1.0


@declared
class Mixtures:
    """One or more mixtures of both norms.

    Parameters
    ----------
    l1_ratio : float or sequence of float
        From 0 (ridge) to 1 (lasso). Of several values all are tried, and the one with the best mean score is
        taken.
    """

    l1_ratio: float | ArrayLike = 1.0


@declared
class Grid:
    """The alphas of a cross-validation.

    Parameters
    ----------
    alphas : int or sequence of float
        A number of grid points or the values themselves.
    """

    alphas: int | ArrayLike = 100


@declared
class Folds:
    """The end of the grid, and the folds.

    Parameters
    ----------
    eps : float or None
        Smallest over largest alpha of the grid. With `l1_ratio` 0, for which scikit-learn has no grid, the
        last alpha is this share of the largest one of a lasso; None: at any `l1_ratio` 0.01 of that when
        there are more features than samples, else 1e-4.
    cv : int, splitter or iterable of (train, test)
        An integer gives consecutive folds without shuffling, as in scikit-learn.
    """

    eps: float | None = 1e-3
    cv: Any = 5


@declared
class Scoring:
    """How held-out samples are scored."""

    scoring: str | None = None


@declared
class Choice:
    """Which alpha is taken.

    Parameters
    ----------
    alpha_rule : {"min", "1se"}
        The alpha with the best mean score over the folds, or the largest one within a standard error of it.
    selection : {"cyclic", "random"}
        Accepted so that code written for scikit-learn runs; it has no effect. "min" and "1se", as in earlier
        versions, are understood as `alpha_rule` for one version, with a warning.
    """

    alpha_rule: str = "min"
    selection: str = "cyclic"


@declared
class Search(Choice, Folds, Grid):
    """A cross-validation by squared errors."""


@declared
class ScoredSearch(Choice, Scoring, Folds, Grid):
    """A cross-validation by a score."""


@declared
class Intercept:
    """An intercept.

    Parameters
    ----------
    fit_intercept : bool
        Whether there is an intercept. It is not penalised.
    """

    fit_intercept: bool = True


@declared
class Sign:
    """A bound at zero.

    Parameters
    ----------
    positive : bool
        Keep all coefficients >= 0.
    """

    positive: bool = False


@declared
class Rows:
    """Classes whose features are the same.

    Parameters
    ----------
    grouped : bool
        Let a feature enter for all classes together. Two classes have one coefficient per feature anyway. Not
        together with `positive`, `lower` or `upper`.
    """

    grouped: bool = False


@declared
class EarlierRows:
    """The earlier name of `grouped`.

    Parameters
    ----------
    row_grouped : bool
        The earlier name of `grouped`, understood for one version, with a warning.
    """

    row_grouped: bool | str = "deprecated"


@declared
class Scale:
    """On what scale coefficients are penalised, and how much.

    Parameters
    ----------
    standardize : bool
        Penalise coefficients as on columns of unit standard deviation. They come back on the original scale.
    penalty_factor : array of shape (p,), dict or Series by feature name
        What the penalty of each feature is multiplied by, pf: 0 leaves it unpenalised, infinity leaves the
        feature out. Default: 1 for all.
    """

    standardize: bool = False
    penalty_factor: ArrayLike | None = None


@declared
class Bounds:
    """Bounds on the coefficients.

    Parameters
    ----------
    lower, upper : float, array of shape (p,), dict or Series by feature name
        Bounds on the coefficients, ``lower <= 0 <= upper``. Default: none.
    """

    lower: float | ArrayLike | None = None
    upper: float | ArrayLike | None = None


@declared
class Precision:
    """How near to the optimum the fit must be.

    Parameters
    ----------
    tol : float
        Bound on the relative duality gap, (primal - dual) / (null - saturated objective), where the null
        model has no feature but the unpenalised ones and the saturated model fits every sample.
    max_iter : int
        Most iterations of the solver at one alpha.
    """

    tol: float = 1e-6
    max_iter: int = 10_000


@declared
class WarmStart:
    """Accepted, nothing to gain.

    Parameters
    ----------
    warm_start : bool
        Accepted as in scikit-learn, without effect: within the tolerance the solution does not depend on the
        start. For many alphas there is `riata.fit_path`, which takes over more than a start: where a fit from
        nothing takes 3 to 40 ms, a neighbouring alpha adds 0.4 to 5 (``bench/warm_start.py``).
    """

    warm_start: bool = False


@declared
class Work:
    """How the fit is computed.

    Parameters
    ----------
    solver : {"auto", "homotopy", "cd", "prox"}
        "homotopy" follows the path of least squares exactly, "cd" is coordinate descent and "prox"
        accelerated proximal gradient. All fit the same model.
    n_threads : int
        Default: every available core, or OMP_NUM_THREADS, or one for a small problem. The result is the same
        to the last bit for any value.
    """

    solver: str = "auto"
    n_threads: int | None = None


@declared
class Jobs:
    """scikit-learn's name for the number of threads.

    Parameters
    ----------
    n_jobs : int
        Used for `n_threads` when that is None, as scikit-learn's estimators have it.
    """

    n_jobs: int | None = None


@declared
class Verbosity:
    """Whether the fit is told.

    Parameters
    ----------
    verbose : int
        1 prints one line about the fit.
    """

    verbose: int = 0


@declared
class Precompute:
    """Accepted, without effect.

    Parameters
    ----------
    precompute : any
        Accepted so that code written for scikit-learn runs; it has no effect.
    """

    precompute: Any = False


@declared
class Copying:
    """Accepted, without effect.

    Parameters
    ----------
    copy_X : bool
        Accepted so that code written for scikit-learn runs; X is never changed, and never copied.
    """

    copy_X: bool = True


@declared
class Randomness:
    """Accepted, without effect.

    Parameters
    ----------
    random_state : any
        Accepted so that code written for scikit-learn runs; nothing is random.
    """

    random_state: Any = None


@declared
class Sweeps:
    """Accepted, without effect.

    Parameters
    ----------
    selection : {"cyclic", "random"}
        Accepted so that code written for scikit-learn runs; it has no effect.
    """

    selection: str = "cyclic"


@declared
class Running(Verbosity, Work):
    """How the fit is computed and told."""


@declared
class RunningJobs(Verbosity, Jobs, Work):
    """How the fits of a cross-validation are computed and told."""


@declared
class Linear(Precision, Scale, Intercept):
    """A linear model."""


@declared
class BoundedLinear(Precision, Bounds, Scale, Sign, Intercept):
    """A linear model whose coefficients may have bounds."""
