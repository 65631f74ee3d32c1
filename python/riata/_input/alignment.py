"""Rows that carry names must carry the same ones: nothing is taken by position against its own labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.annotated import is_anndata
from riata._input.storage import Design
from riata._input.validation import show_label


def check_rows_named_alike(X: Any, **beside: Any) -> None:
    """Refuse a Series or DataFrame whose index names other samples than `X` does, or in another order.

    `X` are genotypes or an AnnData. The index may hold the IIDs of the samples, or pairs of FID and IID, or
    the names of the observations; or plainly count the rows from 0, unless such numbers are the names.
    Other tables are taken by position, as scikit-learn takes them.

    Raises
    ------
    ValueError
        Naming the argument and the first row that differs.
    """
    X = getattr(X, "genotypes", X)  # those in which a model's variants were found
    samples = getattr(X, "samples", None)
    annotated = is_anndata(X)
    if not annotated and (samples is None or not hasattr(X, "_design") or isinstance(X, Design)):
        return
    named: Any = X.obs_names if annotated else samples
    for name, value in beside.items():
        index = getattr(value, "index", None)
        if index is None or callable(index) or not hasattr(value, "iloc"):
            continue
        labels = np.asarray(index)
        if len(labels) != len(named):
            continue  # told where the values are checked
        mine = labels_as_text(np.asarray(X.obs_names)) if annotated else _ids(samples, labels)
        if _counts_rows(labels) and set(mine) != set(labels_as_text(labels)):
            continue
        differ = np.flatnonzero(labels_as_text(labels) != mine)
        if len(differ):
            i, where = int(differ[0]), "X.obs_names" if annotated else "list(X.samples.iid)"
            raise ValueError(
                f"{name} must have the samples of X in the same order in its index, got "
                f"{show_label(labels[i])} in row {i} where X has {mine[i]!r}; align it with "
                f"{name}.loc[{where}], or give {name}.to_numpy() if it is in that order"
            )


def labels_as_text(labels: NDArray[Any]) -> NDArray[Any]:
    """Index labels as strings, those of a MultiIndex joined by a blank."""
    out = np.empty(len(labels), dtype=object)
    out[:] = [" ".join(map(str, label)) if isinstance(label, tuple) else str(label) for label in labels]
    return out


def _ids(samples: Any, labels: NDArray[Any]) -> NDArray[Any]:
    out = np.empty(len(samples), dtype=object)
    paired = len(labels) > 0 and isinstance(labels[0], tuple) and len(labels[0]) == 2
    out[:] = (
        [f"{fid} {iid}" for fid, iid in zip(samples.fid, samples.iid, strict=True)]
        if paired
        else list(samples.iid)
    )
    return out


def _counts_rows(labels: NDArray[Any]) -> bool:
    return labels.dtype.kind in "iu" and np.array_equal(labels, np.arange(len(labels)))
