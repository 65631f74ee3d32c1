"""The parameters of the estimators, each declared and described once.

An estimator inherits from the classes here that declare its parameters, and `declared` makes the constructor.
As in all data classes the parameters of the last base come first.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from inspect import cleandoc
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


def parameter(kind: str, text: str, *, default: Any, kw_only: bool = True) -> Any:
    """A parameter, with its entry in docstrings: of which kind it is, and what it means."""
    entry = [f" : {kind}", *(f"    {line}" for line in cleandoc(text).split("\n"))]
    return field(default=default, kw_only=kw_only, metadata={"entry": "\n".join(entry)})


@dataclass_transform(eq_default=False, kw_only_default=True, field_specifiers=(field, parameter))
def declared(cls: Kind) -> Kind:
    """Give a class the constructor of the parameters it declares and inherits, and its whole docstring."""
    told = vars(cls)["__doc__"]
    dataclass(eq=False, repr=False, kw_only=True)(cls)
    if issubclass(cls, BaseEstimator):
        complete(cls)
    elif told is None:
        entries = [f"{one.name}{one.metadata['entry']}" for one in fields(cls) if "entry" in one.metadata]
        cls.__doc__ = "\n".join([cls.__name__, "", "Parameters", "----------", *entries])
    return cls


@declared
class Strength:
    alpha: float = parameter(
        "float",
        "Strength of the penalty; 0 is none, where the penalty is an elastic net.",
        default=1.0,
        kw_only=False,
    )


@declared
class Mixing:
    l1_ratio: float = parameter("float", "From 0 (ridge) to 1 (lasso).", default=1.0)


@declared
class Mixtures:
    l1_ratio: float | ArrayLike = parameter(
        "float or sequence of float",
        """From 0 (ridge) to 1 (lasso). Of several values all are tried, and the one with the best mean score
        is taken.""",
        default=1.0,
    )


@declared
class Grid:
    alphas: int | ArrayLike = parameter(
        "int or sequence of float",
        "A number of grid points or the values themselves.",
        default=100,
    )


@declared
class Folds:
    eps: float | None = parameter(
        "float or None",
        """Smallest over largest alpha of the grid. With `l1_ratio` 0, for which scikit-learn has no grid, the
        last alpha is this share of the largest one of a lasso; None: at any `l1_ratio` 0.01 of that when
        there are more features than samples, else 1e-4.""",
        default=1e-3,
    )
    cv: Any = parameter(
        "int, splitter or iterable of (train, test)",
        "An integer gives consecutive folds without shuffling, as in scikit-learn.",
        default=5,
    )


@declared
class Scoring:
    """How held-out samples are scored."""

    scoring: str | None = None


@declared
class Choice:
    alpha_rule: str = parameter(
        '{"min", "1se"}',
        "The alpha with the best mean score over the folds, or the largest within a standard error of it.",
        default="min",
    )
    selection: str = parameter(
        '{"cyclic", "random"}',
        """Accepted so that code written for scikit-learn runs; it has no effect. "min" and "1se", as in
        earlier versions, are understood as `alpha_rule` for one version, with a warning.""",
        default="cyclic",
    )


@declared
class Search(Choice, Folds, Grid):
    """A cross-validation by squared errors."""


@declared
class ScoredSearch(Choice, Scoring, Folds, Grid):
    """A cross-validation by a score."""


@declared
class Intercept:
    fit_intercept: bool = parameter(
        "bool",
        "Whether there is an intercept. It is not penalised.",
        default=True,
    )


@declared
class Sign:
    positive: bool = parameter("bool", "Keep all coefficients >= 0.", default=False)


@declared
class Rows:
    grouped: bool = parameter(
        "bool",
        """Let a feature enter for all classes together. Two classes have one coefficient per feature anyway.
        Not together with `positive`, `lower` or `upper`.""",
        default=False,
    )


@declared
class EarlierRows:
    row_grouped: bool | str = parameter(
        "bool",
        "The earlier name of `grouped`, understood for one version, with a warning.",
        default="deprecated",
    )


@declared
class Scale:
    standardize: bool = parameter(
        "bool",
        """Penalise coefficients as on columns of unit standard deviation. They come back on the original
        scale.""",
        default=False,
    )
    penalty_factor: ArrayLike | None = parameter(
        "array of shape (p,), dict or Series by feature name",
        """What the penalty of each feature is multiplied by, pf: 0 leaves it unpenalised, infinity leaves the
        feature out. Default: 1 for all.""",
        default=None,
    )


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
    tol: float = parameter(
        "float",
        """Bound on the relative duality gap, (primal - dual) / (null - saturated objective), where the null
        model has no feature but the unpenalised ones and the saturated model fits every sample.""",
        default=1e-6,
    )
    max_iter: int = parameter("int", "Most iterations of the solver at one alpha.", default=10_000)


@declared
class WarmStart:
    warm_start: bool = parameter(
        "bool",
        """Accepted as in scikit-learn, without effect: within the tolerance the solution does not depend on
        the start. For many alphas there is `riata.fit_path`, which takes over more than a start: where a
        fit from nothing takes 3 to 40 ms, a neighbouring alpha adds 0.4 to 5 (``bench/warm_start.py``).""",
        default=False,
    )


@declared
class Work:
    solver: str = parameter(
        '{"auto", "active_set", "cd", "prox"}',
        """"active_set" is Newton's method on the features that are not zero, "cd" coordinate descent and
        "prox" accelerated proximal gradient. All fit the same model.""",
        default="auto",
    )
    n_threads: int | None = parameter(
        "int",
        """Default: every available core, or OMP_NUM_THREADS, or one for a small problem. The result is the
        same to the last bit for any value.""",
        default=None,
    )


@declared
class Jobs:
    n_jobs: int | None = parameter(
        "int",
        "Used for `n_threads` when that is None, as scikit-learn's estimators have it.",
        default=None,
    )


@declared
class Verbosity:
    verbose: int = parameter("int", "1 prints one line about the fit.", default=0)


@declared
class Precompute:
    precompute: Any = parameter(
        "any",
        "Accepted so that code written for scikit-learn runs; it has no effect.",
        default=False,
    )


@declared
class Copying:
    copy_X: bool = parameter(
        "bool",
        "Accepted so that code written for scikit-learn runs; X is never changed, and never copied.",
        default=True,
    )


@declared
class Randomness:
    random_state: Any = parameter(
        "any",
        "Accepted so that code written for scikit-learn runs; nothing is random.",
        default=None,
    )


@declared
class Sweeps:
    selection: str = parameter(
        '{"cyclic", "random"}',
        "Accepted so that code written for scikit-learn runs; it has no effect.",
        default="cyclic",
    )


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
