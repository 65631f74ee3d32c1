"""Writing ``.npz`` archives whole, and reading those that may be damaged: one clear sentence, no crash."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.staging import check_folder, held, sweep_files, umask

Arrays = dict[str, NDArray[Any]]

#: Arrays of a saved path by their lengths: L alphas, p features; and the kinds of numbers they hold.
_ALONG_PATH = {
    "primal": "f", "dual": "f", "dual_gaps": "f", "deviance_ratio": "f", "converged": "b", "n_active": "iu",
    "n_iter": "iu", "locally_convex": "b",
}  # fmt: skip
_PER_FEATURE = {"scale": "f", "penalty_factor": "f", "fill": "f"}
_NUMBERS = (
    "l1_ratio", "alpha_max", "null_objective", "saturated_objective", "tol", "n_samples", "weight_sum",
    "response_scale",
)  # fmt: skip


def write_archive(path: str | os.PathLike[str], arrays: dict[str, Any]) -> None:
    """Write an .npz archive beside its destination, then rename it into place."""
    target = Path(path)
    check_folder(target)
    sweep_files(target)
    handle, aside = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    try:
        with held(aside):
            with os.fdopen(handle, "wb") as stream:
                np.savez_compressed(stream, **arrays)
            os.chmod(aside, 0o666 & ~umask())
            os.replace(aside, target)
    except BaseException:
        os.unlink(aside)
        raise


def read_arrays(path: str | os.PathLike[str], what: str) -> Arrays:
    """Return all arrays of an archive.

    Parameters
    ----------
    path : str or path-like
    what : str
        What it should be, for the message.

    Raises
    ------
    OSError
        When it is missing, damaged or no archive of plain arrays.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # zipfile's, zlib's and NumPy's own, of many kinds
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise OSError(f"{os.fspath(path)} is not {what}, or is damaged") from error


@contextlib.contextmanager
def restoring(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what goes wrong where an archive lacks something, or holds it otherwise, into one sentence.

    Raises
    ------
    ValueError
        Naming the file.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{os.fspath(path)}: damaged, or not as riata saves it: {reason}") from error


def meta_of(arrays: Arrays, name: str = "meta") -> dict[str, Any]:
    """Return the words and numbers of an archive.

    Raises
    ------
    KeyError, ValueError
        When it has none.
    """
    meta = json.loads(str(arrays[name]))
    if not isinstance(meta, dict):
        raise ValueError(f"{name} must be a table of names")
    return meta


def check_path(arrays: Arrays, meta: dict[str, Any]) -> None:
    """Refuse arrays of a path that do not fit together, before anything follows an index in them.

    Raises
    ------
    KeyError, TypeError, ValueError
        Naming the array.
    """
    length = len(vector(arrays, "alphas", "f"))
    p = len(vector(arrays, "mean", "f"))
    for table, size in ((_ALONG_PATH, length), (_PER_FEATURE, p)):
        for name, kinds in table.items():
            if name in arrays or name not in ("locally_convex", "penalty_factor", "fill"):
                vector(arrays, name, kinds, size)
    intercepts = arrays["intercepts"]
    if intercepts.ndim not in (1, 2) or intercepts.shape[-1] != length or intercepts.dtype.kind != "f":
        raise ValueError(f"intercepts must have {length} numbers, got shape {intercepts.shape}")
    outputs = 1 if intercepts.ndim == 1 else intercepts.shape[0]
    check_columns(arrays, outputs * length, p)
    if len(meta["solver"]) != length:
        raise ValueError(f"solver must have {length} entries, got {len(meta['solver'])}")
    for name in _NUMBERS:
        if isinstance(meta[name], bool) or not isinstance(meta[name], (int, float)):
            raise TypeError(f"{name} must be a number")
    labels = {"classes": 2 if intercepts.ndim == 1 else outputs, "responses": outputs, "feature_names": p}
    for name, size in labels.items():
        if name in arrays and arrays[name].shape != (size,):
            raise ValueError(f"{name} must have {size} entries, got shape {arrays[name].shape}")
    if "feature_names_offsets" in arrays:
        check_texts(arrays, "feature_names", p)
    if "groups" in arrays:
        groups = vector(arrays, "groups", "iu", None if "members" in arrays else p)
        within("groups", groups, len(arrays["group_names"]))
    if "members" in arrays:
        within("members", vector(arrays, "members", "iu", len(arrays["groups"])), p)
        check_columns(arrays, outputs * length, len(arrays["members"]), "part")
    if "variants_pos" in arrays:
        check_variants(arrays, p)


def check_variants(arrays: Arrays, p: int) -> None:
    """Refuse what an archive keeps of the variants of a path when it does not fit together."""
    size = len(vector(arrays, "variants_pos", "iu"))
    if "variants_features" in arrays:
        within("variants_features", vector(arrays, "variants_features", "iu", size), p)
    elif size > p:
        raise ValueError(f"variants_pos must have at most {p} entries, got {size}")
    vector(arrays, "variants_frequency", "f", size)
    vector(arrays, "variants_sd", "f", size)
    for name in (
        n.removesuffix("_codes") for n in arrays if n.startswith("variants_") and n.endswith("_codes")
    ):
        count = len(vector(arrays, f"{name}_offsets", "iu")) - 1
        check_texts(arrays, name, count)
        within(f"{name}_codes", vector(arrays, f"{name}_codes", "iu", size), count)


def check_folds(arrays: Arrays) -> None:
    """Refuse arrays of a cross-validation that do not fit together."""
    length = len(arrays["alphas"])
    sizes, rows = vector(arrays, "cv_fold_sizes", "iu"), vector(arrays, "cv_fold_rows", "iu")
    if (sizes < 0).any() or sizes.sum() != len(rows):
        raise ValueError(f"cv_fold_sizes must add up to the {len(rows)} cv_fold_rows")
    for name in ("cv_mean_score", "cv_se_score"):
        vector(arrays, name, "f", length)
    for name in ("cv_scores", "cv_fold_gaps"):
        if arrays[name].ndim != 2 or arrays[name].shape != (length, len(sizes)):
            raise ValueError(f"{name} must be {length} x {len(sizes)}, got shape {arrays[name].shape}")
    if "cv_held_out" in arrays:
        _check_held_out(arrays, rows)


def _check_held_out(arrays: Arrays, rows: NDArray[Any]) -> None:
    """Refuse predictions of other alphas or outputs than the path has, or of too few samples."""
    held_out = arrays["cv_held_out"]
    if held_out.dtype.kind != "f" or held_out.shape[1:] != arrays["intercepts"].shape:
        raise ValueError(f"cv_held_out must be samples x {arrays['intercepts'].shape}, got {held_out.shape}")
    within("cv_fold_rows", rows, len(held_out))


def check_columns(arrays: Arrays, columns: int, rows: int, name: str = "coef") -> None:
    """Refuse sparse columns whose indices leave the matrix."""
    indptr, indices = vector(arrays, f"{name}_indptr", "iu"), vector(arrays, f"{name}_indices", "iu")
    vector(arrays, f"{name}_values", "f", len(indices))
    ends = (int(indptr[0]), int(indptr[-1])) if len(indptr) == columns + 1 else None
    if ends != (0, len(indices)) or (np.diff(indptr) < 0).any():
        raise ValueError(f"{name}_indptr must rise from 0 to {len(indices)} in {columns} steps")
    within(f"{name}_indices", indices, rows)


def check_texts(arrays: Arrays, name: str, count: int) -> None:
    """Refuse offsets of texts that leave their bytes."""
    data, offsets = arrays[f"{name}_data"], vector(arrays, f"{name}_offsets", "iu", count + 1)
    if data.dtype != np.uint8 or data.ndim != 1:
        raise TypeError(f"{name}_data must be bytes")
    if (np.diff(offsets.astype(np.int64)) < 0).any() or offsets[-1] > len(data):
        raise ValueError(f"{name}_offsets must rise within the {len(data)} bytes of the texts")


def vector(arrays: Arrays, name: str, kinds: str, length: int | None = None) -> NDArray[Any]:
    """Return an array of one dimension, of a length and a kind of numbers."""
    array = arrays[name]
    if array.ndim != 1 or (length is not None and len(array) != length):
        wanted = "one dimension" if length is None else f"{length} entries"
        raise ValueError(f"{name} must have {wanted}, got shape {array.shape}")
    if array.dtype.kind not in kinds:
        raise TypeError(f"{name} must not hold values of type {array.dtype}")
    return array


def within(name: str, numbers: NDArray[Any], end: int) -> None:
    """Refuse numbers outside [0, end)."""
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= end):
        raise ValueError(f"{name} must lie in [0, {end}), got {numbers.min()} to {numbers.max()}")
