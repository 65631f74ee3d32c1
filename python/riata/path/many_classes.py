"""Paths with coefficients for each of several classes: what files and reports take of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from riata.path.coefs import side_by_side

Float = NDArray[np.float64]

_SAME = 1e-6  # by how much less, as a share, an effect is still as large


def sizes(coefs: Any) -> Any:
    """Return coefficients whose nonzeros are those of any class: sums of absolute values over classes."""
    return sp.csc_array(sum(abs(one) for one in coefs)) if isinstance(coefs, list) else coefs


def links_of(coefs: Any, intercepts: Float) -> tuple[Any, Float, tuple[int, ...]]:
    """Return coefficients side by side (p, K L), intercepts (K L,), and (K, L), the shape of a row."""
    return side_by_side(coefs), np.asarray(intercepts, dtype=np.float64).ravel(), np.shape(intercepts)


def strongest(values: Float) -> NDArray[np.int64]:
    """Return for each row of (k, K) the first class with the largest absolute value.

    Often two classes have the same but for its sign, and which is the larger by rounding means nothing.
    """
    size = np.abs(values)
    return np.asarray(
        (size >= (1.0 - _SAME) * size.max(axis=1, keepdims=True)).argmax(axis=1), dtype=np.int64
    )


def label_text(label: Any) -> str:
    """Write the label of a class as a table would hold it: 1.0 as 1."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def file_part(label: str) -> str:
    """Return a class, or the name of a response, as part of the name of a file."""
    return re.sub(r"[^\w.+-]+", "_", label)


def check_file_parts(labels: Sequence[str], what: str = "classes") -> None:
    """Refuse labels that would be one in the names of files, as some systems see them: without case.

    Raises
    ------
    ValueError
        Naming two of them.
    """
    seen: dict[str, str] = {}
    for label in labels:
        other = seen.setdefault(unicodedata.normalize("NFC", file_part(label)).casefold(), label)
        if other is not label:
            raise ValueError(
                f"{what} {other}, {label} would be written to the same files: rename one of them"
            )
