"""How paths and cross-validated paths are kept in ``.npz`` archives, and read back."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from typing import Any

import numpy as np
import scipy.sparse as sp

from riata._io.archive import check_folds, check_path, meta_of, read_arrays, restoring
from riata._io.text_columns import PlainColumn, TextColumn, plain_column
from riata.genetics.variants import FittedVariants
from riata.path.coefs import side_by_side, taken_apart
from riata.path.cv_result import CVPath
from riata.path.nested import NestedCV
from riata.path.result import RegularizationPath

__all__ = ["load"]

FORMAT = 1  # of saved paths
KEPT = ("study_", "report_")  # how the names of arrays begin that the command line adds
#: How archives call the sparse matrices of a path, and the array that has an entry for each of their rows.
_MATRICES = {"coefs": ("coef", "mean"), "parts": ("part", "members")}
#: How archives call what has had another name since.
_KEYS = {"stop_reason": "stopped", "grouped": "row_grouped"}


def arrays_of_path(path: RegularizationPath) -> dict[str, Any]:
    """Return the arrays that keep a path, read back by `path_of`."""
    arrays = _columns("coef", path.coefs)
    if path.parts is not None:
        arrays |= _columns("part", path.parts)
    arrays |= path.kept
    meta: dict[str, Any] = {"kind": "path", "format": FORMAT}
    for item in fields(path):
        value = getattr(path, item.name)
        if isinstance(value, np.ndarray):
            arrays[item.name] = value
        elif isinstance(value, TextColumn):
            plain = plain_column(value)
            arrays[f"{item.name}_data"], arrays[f"{item.name}_offsets"] = plain.data, plain.offsets
        elif isinstance(value, FittedVariants):
            arrays |= value.to_arrays()
        elif item.name not in _MATRICES and item.name != "kept":
            meta[_KEYS.get(item.name, item.name)] = value
    arrays["meta"] = np.array(json.dumps(meta))
    return arrays


def path_of(arrays: dict[str, Any]) -> RegularizationPath:
    """Restore the path that `arrays_of_path` gave the arrays of."""
    meta = json.loads(str(arrays["meta"]))
    parts: dict[str, Any] = {}
    for item in fields(RegularizationPath):
        if item.name == "kept":
            parts["kept"] = {name: a for name, a in arrays.items() if name.startswith(KEPT)}
        elif item.name in _MATRICES:
            name, rows = _MATRICES[item.name]
            if rows in arrays:
                csc = tuple(arrays[f"{name}_{part}"] for part in ("values", "indices", "indptr"))
                wide = sp.csc_array(csc, shape=(len(arrays[rows]), len(csc[2]) - 1))
                parts[item.name] = taken_apart(wide, arrays["intercepts"].shape[:-1])
        elif item.name in arrays:
            parts[item.name] = arrays[item.name]
        elif f"{item.name}_offsets" in arrays:
            parts[item.name] = PlainColumn(arrays[f"{item.name}_data"], arrays[f"{item.name}_offsets"])
        elif item.name == "variants":
            parts["variants"] = variants_in(arrays)
        elif (key := _KEYS.get(item.name, item.name)) in meta:  # what older files lack has the default
            parts[item.name] = meta[key]
    return RegularizationPath(**parts)


def arrays_of_cv(cv: CVPath) -> dict[str, Any]:
    """Return the arrays that keep a path and its cross-validation, read back by `cv_of`."""
    arrays = arrays_of_path(cv.path)
    path_meta = json.loads(str(arrays["meta"]))
    cv_meta = {
        "kind": "cv_path",
        "format": FORMAT,
        "scoring": cv.scoring,
        "alpha_min": cv.alpha_min,
        "alpha_1se": cv.alpha_1se,
        "selection": cv.alpha_rule,
        "folds_made": cv.folds_made,
        "null_score": cv.null_score,
        "null_se": cv.null_se,
    }
    arrays["meta"] = np.array(json.dumps(path_meta | cv_meta))
    for name in ("scores", "mean_score", "se_score", "fold_gaps"):
        arrays[f"cv_{name}"] = getattr(cv, name)
    arrays["cv_fold_sizes"] = np.array([len(rows) for rows in cv.folds], dtype=np.int64)
    arrays["cv_fold_rows"] = np.concatenate(cv.folds) if cv.folds else np.empty(0, dtype=np.int64)
    if cv.oof_link is not None:
        arrays["cv_held_out"] = cv.oof_link
    if cv.nested is not None:
        arrays |= cv.nested.pack()
    return arrays


def cv_of(arrays: dict[str, Any]) -> CVPath:
    """Restore what `arrays_of_cv` gave the arrays of."""
    meta = json.loads(str(arrays["meta"]))
    check_folds(arrays)
    ends = np.cumsum(arrays["cv_fold_sizes"])[:-1]
    return CVPath(
        path=path_of(arrays),
        scores=arrays["cv_scores"],
        scoring=meta["scoring"],
        mean_score=arrays["cv_mean_score"],
        se_score=arrays["cv_se_score"],
        alpha_min=meta["alpha_min"],
        alpha_1se=meta["alpha_1se"],
        alpha_rule=meta["selection"],
        folds=np.split(arrays["cv_fold_rows"], ends),
        fold_gaps=arrays["cv_fold_gaps"],
        oof_link=arrays.get("cv_held_out"),
        folds_made=meta.get("folds_made", ""),
        null_score=float(meta.get("null_score", np.nan)),
        null_se=float(meta.get("null_se", np.nan)),
        nested=NestedCV.unpack(arrays),
    )


def load(path: str | os.PathLike[str]) -> Any:
    """Read what the `save` of a path, a cross-validation or a selection wrote.

    Parameters
    ----------
    path : str or path-like
        The archive, a ``.npz``.

    Returns
    -------
    RegularizationPath, CVPath, StabilitySelected or KnockoffSelected
        What was saved, with everything that its methods need.

    Raises
    ------
    OSError
        When the file is missing or is not an archive of riata.
    ValueError
        When it is one, but its arrays do not fit together.

    Examples
    --------
    >>> import numpy as np, riata, tempfile, pathlib
    >>> path = riata.fit_path(np.eye(4), [1.0, 2.0, 3.0, 4.0], alphas=[0.5, 0.25])
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "identity.path.npz"
    >>> path.save(file)
    >>> bool(np.all(riata.load(file).coef(0.25) == path.coef(0.25)))
    True
    """
    what = "a path saved by riata, a .npz file such as PREFIX.path.npz"
    arrays = read_arrays(path, what)
    try:
        meta = meta_of(arrays)
        kind, version = meta["kind"], int(meta["format"])
    except (LookupError, TypeError, ValueError) as error:
        raise OSError(f"{os.fspath(path)} is not {what}") from error
    if version > FORMAT:
        raise OSError(
            f"{os.fspath(path)} was written by a newer riata (format {version}, this one reads {FORMAT})"
        )
    with restoring(path):
        if kind == "stability":
            from riata.selection.archive import selected_of

            return selected_of(arrays)
        if kind == "knockoffs":
            from riata.selection.knockoff_archive import knockoffs_of

            return knockoffs_of(arrays)
        check_path(arrays, meta)
        if kind == "cv_path":
            return cv_of(arrays)
        return path_of(arrays)


def _columns(name: str, coefs: Any) -> dict[str, Any]:
    """The arrays of a sparse matrix, or of one per output, for an archive."""
    wide = side_by_side(coefs)
    return {f"{name}_indptr": wide.indptr, f"{name}_indices": wide.indices, f"{name}_values": wide.data}


def variants_in(arrays: dict[str, Any]) -> FittedVariants | None:
    if "variants_pos" in arrays:
        if "feature_names" in arrays:  # of a file that an earlier riata saved, saved again
            names = plain_column(arrays["feature_names"].tolist())
        else:
            names = PlainColumn(arrays["feature_names_data"], arrays["feature_names_offsets"])
        return FittedVariants.from_arrays(arrays, names)
    return FittedVariants.from_earlier(arrays) if "study_effect" in arrays else None
