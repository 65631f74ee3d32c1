"""Responses with several outputs, classes or columns of numbers, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.features import as_names
from riata._input.validation import Float, check_table, plain_labels, show_label

ROUNDING = 1e-6  # by which proportions may miss the sum of one


def check_multinomial_target(y: Any, n: int, weights: Float) -> tuple[Float, NDArray[Any]]:
    """Return (proportions of the classes, n x K in Fortran order, the K classes).

    `y` holds one label per sample, of which the distinct ones in sorted order are the classes, or
    proportions: n x K numbers >= 0, each row with the sum one.
    """
    names = _column_names(y)
    array = np.asarray(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2:
        shares = _proportions(array, n)
        classes = np.arange(shares.shape[1]) if names is None else names
    else:
        codes, classes = _codes(array, n)
        shares = one_hot(codes, len(classes))
    check_every_class(shares, weights, classes)
    return shares, classes


def check_multigaussian_target(y: Any, n: int) -> tuple[Float, NDArray[Any] | None]:
    """Return (n x K finite numbers in Fortran order, the names of the columns or None)."""
    names = _column_names(y)
    shape = np.shape(y)
    if len(shape) != 2:
        raise ValueError(
            f"y must be 2-D, samples x responses, for the multigaussian loss, got shape {shape}; "
            "loss='gaussian' takes a single response"
        )
    if shape[1] == 0:
        raise ValueError(f"y must hold at least one response per sample, got shape {shape}")
    return check_table("y", y, (n, shape[1]), "number"), names


def check_every_class(shares: Float, weights: Float, classes: NDArray[Any], where: str = "y") -> None:
    """Refuse classes of which one has no weight: no finite intercept exists."""
    for mass, label in zip(weights @ shares, classes, strict=True):
        if mass <= 0.0:
            raise ValueError(
                f"{where} must hold every class with positive weight, got none of {show_label(label)}"
            )


def one_hot(codes: NDArray[Any], n_classes: int) -> Float:
    """1.0 in the column of each sample's class."""
    out = np.zeros((len(codes), n_classes), order="F")
    out[np.arange(len(codes)), codes] = 1.0
    return out


def _column_names(y: Any) -> NDArray[Any] | None:
    return np.asarray(as_names(y.columns)) if hasattr(y, "columns") else None


def _codes(labels: NDArray[Any], n: int) -> tuple[NDArray[np.intp], NDArray[Any]]:
    if labels.ndim != 1:
        raise ValueError(f"y must hold one label per sample, or proportions (n, K), got shape {labels.shape}")
    if len(labels) != n:
        raise ValueError(f"y must hold one label per sample of X: {n}, got {len(labels)}")
    if labels.dtype.kind == "f":
        bad = ~np.isfinite(labels) | (labels % 1.0 != 0.0)
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            raise ValueError(
                "y must hold labels for the multinomial loss (whole numbers or text), "
                f"got {labels[i]} at position {i}"
            )
    try:
        classes, codes = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise TypeError("y must hold labels of one kind that can be ordered") from error
    if len(classes) < 2:
        raise ValueError(
            "y must hold at least two classes for the multinomial loss, "
            f"got one class only: {show_label(classes[0])}"
        )
    return codes, plain_labels(classes)


def _proportions(array: NDArray[Any], n: int) -> Float:
    shares = check_table("y", array, (n, array.shape[1]), "proportion")
    if shares.shape[1] < 2:
        raise ValueError(f"y must hold the proportions of at least two classes, got shape {array.shape}")
    if shares.min() < 0.0:
        i, k = np.argwhere(shares < 0.0)[0]
        raise ValueError(f"y must hold proportions >= 0, got {shares[i, k]} at position ({i}, {k})")
    total = shares.sum(axis=1)
    bad = np.abs(total - 1.0) > ROUNDING
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        raise ValueError(f"y must hold proportions with the sum 1 in each row, got {total[i]:.6g} in row {i}")
    shares /= total[:, None]
    return shares
