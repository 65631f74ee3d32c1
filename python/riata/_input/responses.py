"""Responses of one output, checked: numbers, two outcomes, counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.validation import Float, as_floats, plain_labels, refuse_first, show_label, show_value


def check_gaussian_target(y: Any, n: int) -> Float:
    """Return a numeric response as n finite float64 numbers."""
    array = as_floats("y", y, "numbers")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0].copy()
    if array.ndim != 1:
        raise ValueError(
            f"y must be 1-D, one number per sample, got shape {array.shape}; "
            "loss='multigaussian' fits several responses together, fit_multi_path fits each separately"
        )
    if array.shape[0] != n:
        raise ValueError(f"y must hold one number per sample of X: {n}, got {array.shape[0]}")
    refuse_first("y", array, ~np.isfinite(array), "finite numbers")
    return array


def check_binomial_target(y: Any, n: int, weights: Float) -> tuple[Float, NDArray[Any]]:
    """Return (y as n numbers in [0, 1], the two classes).

    Numbers within [0, 1] are kept: 0/1 outcomes or proportions. Anything else must hold exactly two labels;
    the second in sorted order is coded 1.
    """
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"y must be 1-D, one outcome per sample, got shape {array.shape}")
    if array.shape[0] != n:
        raise ValueError(f"y must hold one outcome per sample of X: {n}, got {array.shape[0]}")
    if array.dtype.kind in "fiub":
        values = array.astype(np.float64)
        refuse_first("y", values, ~np.isfinite(values), "finite numbers")
        if values.min() >= 0.0 and values.max() <= 1.0:
            outcomes = np.array([False, True]) if array.dtype.kind == "b" else np.array([0, 1])
            check_two_outcomes(values, weights, outcomes)
            return values, outcomes
    try:
        classes, codes = np.unique(array, return_inverse=True)
    except TypeError as error:
        raise TypeError(f"y must hold two labels that can be ordered, got {show_value(y)}") from error
    classes = plain_labels(classes)
    if len(classes) != 2:
        shown = ", ".join(show_value(label) for label in classes[:4].tolist()) + (
            ", ..." if len(classes) > 4 else ""
        )
        raise ValueError(
            f"y must hold two classes or numbers from 0 to 1 for the binomial loss, got {len(classes)} class"
            f"{'es' if len(classes) != 1 else ''}: {shown}"
        )
    codes01 = codes.astype(np.float64)
    check_two_outcomes(codes01, weights, classes)
    return codes01, classes


def check_poisson_target(y: Any, n: int, weights: Float) -> Float:
    """Return counts, or any numbers >= 0 that are not all 0, as n float64 numbers."""
    array = check_gaussian_target(y, n)
    refuse_first("y", array, array < 0.0, "numbers >= 0 for the poisson loss")
    check_some_count(array, weights)
    return array


def check_some_count(y: Float, weights: Float, where: str = "y") -> None:
    """Refuse counts that are all 0 where the weight is positive: no finite intercept exists."""
    if not np.any(y[weights > 0.0] > 0.0):
        raise ValueError(f"{where} must hold a count above 0 with positive weight, got zeros only")


def check_two_outcomes(y: Float, weights: Float, classes: NDArray[Any], where: str = "y") -> None:
    """Refuse outcomes all 0 or all 1 where the weight is positive: no finite intercept exists."""
    seen = y[weights > 0.0]
    for value, label in zip((0.0, 1.0), classes, strict=True):
        if np.all(seen == value):
            raise ValueError(
                f"{where} must hold two classes with positive weight, got one class only: {show_label(label)}"
            )
