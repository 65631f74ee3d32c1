"""Warnings of a fit: what did not converge, ended early, or left nothing to explain."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.design import DesignView
from riata._input.validation import Float
from riata._io.sizes import bytes_text
from riata.path.arguments import Options
from riata.path.certificates import CERTIFICATES
from riata.path.result import RegularizationPath


def warn_of_free_features(fits: list[dict[str, Any]], design: DesignView, options: Options) -> None:
    """Warn of unpenalised features that depend on each other, and of those that leave nothing to explain."""
    names = design.feature_names
    dependent = [j if names is None else names[j] for j in fits[0]["dependent"]]
    if dependent:
        some = ", ".join(f"{name}" for name in dependent[:5]) + (", ..." if len(dependent) > 5 else "")
        what = "feature is a combination" if len(dependent) == 1 else "features are combinations"
        gets = "gets" if len(dependent) == 1 else "get"
        warnings.warn(
            f"{len(dependent)} unpenalised {what} of others, up to rounding, and {gets} "
            f"coefficient 0: {some}.",
            UserWarning,
            stacklevel=4,
        )
    spent, parted = (sum(bool(fit[key]) for fit in fits) for key in ("exhausted", "separated"))
    if spent > 0:
        warnings.warn(
            f"the unpenalised features {options.loss.separated}: nothing is left for penalised ones"
            + (f" in {spent} of {len(fits)} fits." if len(fits) > 1 else "."),
            UserWarning,
            stacklevel=4,
        )
    if parted > 0:
        warnings.warn(
            "the unpenalised features separate some samples from all others, as a level does whose samples "
            f"{options.loss.alike}: their coefficients have no finite optimum"
            + (f" in {parted} of {len(fits)} fits" if len(fits) > 1 else "")
            + ", and are left where the loss no longer changes.",
            UserWarning,
            stacklevel=4,
        )


def warn_if_constant(
    y: Any, weights: Float, offset: Float | None, options: Options, of: str = "", *, stacklevel: int = 3
) -> None:
    """Warn of a response that the intercept alone predicts without error, so that nothing is selected."""
    if options.loss.has_times or not options.fit_intercept or offset is not None:
        return
    counted = np.asarray(y)[weights > 0.0]
    if (counted == counted[0]).all():
        value = f"the value {counted[0]:g}" if counted.ndim == 1 else "the same values"
        warnings.warn(
            f"{of}y has {value} for all samples of the fit: nothing is left to explain, and no feature is "
            "selected.",
            UserWarning,
            stacklevel=stacklevel,
        )


def warn_unless_converged(
    alphas: Float,
    gaps: Float,
    converged: NDArray[np.bool_],
    options: Options,
    n_iter: NDArray[np.integer[Any]] | None = None,
) -> None:
    """Warn with the worst certificate and what to raise when some fit missed the tolerance.

    `n_iter` tells whether the worst fit ended before `max_iter`, where rounding leaves no better certificate.
    """
    missed = np.flatnonzero(~converged)
    if len(missed) == 0:
        return
    from sklearn.exceptions import ConvergenceWarning

    worst = missed[np.argmax(np.abs(gaps[missed]))]
    advice = f"Raise max_iter={options.max_iter} or tol, or use larger alphas."
    in_other_words = ""
    if n_iter is not None and n_iter[worst] >= options.max_iter:  # in scikit-learn's
        in_other_words = "Objective did not converge. You might want to increase the number of iterations. "
    elif n_iter is not None:
        advice = "Rounding allows no smaller value: raise tol, or use larger alphas."
    warnings.warn(
        f"{in_other_words}{len(missed)} of {len(alphas)} fits did not converge: "
        f"the {CERTIFICATES[options.penalty.certificate].name} is {gaps[worst]:.2e} at "
        f"alpha={alphas[worst]:.6g}, above tol={options.tol:g}. "
        f"{advice}",
        ConvergenceWarning,
        stacklevel=3,
    )


def warn_if_memory_ended(path: RegularizationPath, options: Options) -> None:
    """Warn when the path ended because it held more than it was allowed to."""
    if path.stop_reason != "memory":
        return
    asked = options.n_alphas if options.alphas is None else len(options.alphas)
    warnings.warn(
        f"the path ended after {len(path)} of {asked} alphas, at alpha={path.alphas[-1]:.6g}: it holds "
        f"{bytes_text(path.counters['memory'])} and memory={bytes_text(options.memory)} allows no "
        "more. Raise memory, or use larger alphas.",
        UserWarning,
        stacklevel=3,
    )
