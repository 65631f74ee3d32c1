"""Paths with coefficients for each of several classes: what files and reports take of them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Float = NDArray[np.float64]


def each(coefs: Any) -> list[Any]:
    """Return the (p, L) coefficients of every class; of a model without classes its own."""
    return list(coefs) if isinstance(coefs, list) else [coefs]


def sizes(coefs: Any) -> Any:
    """Return coefficients whose nonzeros are those of any class: sums of absolute values over classes."""
    return sp.csc_array(sum(abs(one) for one in each(coefs))) if isinstance(coefs, list) else coefs


def links_of(coefs: Any, intercepts: Float) -> tuple[Any, Float, tuple[int, ...]]:
    """Return coefficients side by side (p, K L), intercepts (K L,), and (K, L), the shape of a row."""
    wide = sp.csc_array(sp.hstack(each(coefs), format="csc"))
    return wide, np.asarray(intercepts, dtype=np.float64).ravel(), np.shape(intercepts)


def strongest(values: Float) -> NDArray[np.int64]:
    """Return for each row of (k, K) the class with the largest absolute value."""
    return np.asarray(np.abs(values).argmax(axis=1), dtype=np.int64)


def one_hot(codes: Float, n_classes: int) -> Float:
    """Return 1.0 in the column of each sample's class, (n, K)."""
    return np.asarray(np.eye(n_classes)[codes.astype(np.int64)])


def file_part(label: str) -> str:
    """Return a class as part of the name of a file."""
    return re.sub(r"[^\w.+-]+", "_", label)
