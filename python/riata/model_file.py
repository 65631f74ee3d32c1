"""What the command line keeps beside a saved path: counted alleles, covariates, the chosen alpha."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.archive import meta_of, read_arrays, restoring, vector, within
from riata.covariates import Coding
from riata.held_out import Baseline, fit_baseline
from riata.hits import active_features
from riata.outputs import append_arrays
from riata.study import Study
from riata.tables import StrPath, text_array
from riata.variants import FittedVariants

_META = "study_meta"
_TEXTS = ("chrom", "id", "effect", "other")


@dataclass
class Model:
    """A saved fit with what is needed to score new samples.

    Attributes
    ----------
    path : riata.Path
    cv : riata.CVPath or None
    kind : {"genotypes", "matrix"}
    n_features : int
        Penalised features; covariates follow them.
    covariates : list of str
    alpha : float
        The alpha reported with the fit.
    response : str
    classes : list of str
        Empty, or the two labels; the second is the one whose probability is modelled.
    active : (k,) array
        Features that are active somewhere on the path.
    variants : dict of (k,) arrays
        ``chrom, pos, id, effect, other`` of those, for genotypes.
    codings : list of Coding
        How the columns of a covariate file become `covariates`.
    baseline : Baseline or None
        The fit of the covariates alone.
    columns : dict of str to str
        Which columns were ``time, event, entry, strata, offset``, where there were any.
    ties : str
        How the Cox loss handled events at the same time.
    positive : str or None
        The label of events, where it was named.
    censored : tuple of str
        The labels of censored times.
    missing_code : str or None
        What meant missing in phenotype and covariates, where it was told.
    duplicates : str or None
        What became of features of one name in the table.
    """

    path: Any
    cv: Any
    kind: str
    n_features: int
    covariates: list[str]
    alpha: float
    response: str
    classes: list[str]
    active: NDArray[np.int64]
    variants: dict[str, NDArray[Any]]
    codings: list[Coding]
    baseline: Baseline | None
    columns: dict[str, str]
    ties: str
    positive: str | None
    missing_code: str | None = None
    censored: tuple[str, ...] = ()
    duplicates: str | None = None


def save_model(file: Path, fit: Any, study: Study, alpha: float) -> None:
    """Save a Path or CVPath and add what :func:`load_model` needs; ``riata.load`` reads the result too."""
    fit.save(file)
    path = getattr(fit, "path", fit)
    active = active_features(path, study.n_features)
    meta = {
        "kind": "genotypes" if study.is_genotypes else "matrix",
        "n_features": study.n_features,
        "covariates": study.covariate_names,
        "alpha": alpha,
        "response": study.response.name,
        "classes": list(study.response.classes),
        "codings": [coding.to_dict() for coding in study.codings],
        "baseline": fit_baseline(study).to_dict() if study.covariate_names else None,
        "columns": study.response_columns,
        "ties": study.response.ties,
        "positive": study.response.positive,
        "censored": study.response.censored,
        "missing_code": study.missing_code,
        "duplicates": study.duplicates,
    }
    arrays: dict[str, NDArray[Any]] = {_META: np.array(json.dumps(meta)), "study_active": active}
    append_arrays(file, arrays)


def variant_columns(variants: FittedVariants, features: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return ``chrom, pos, id, effect, other`` of some features."""
    rows = variants.rows(features)
    texts = {name: text_array(getattr(variants, name).take(rows).tolist()) for name in _TEXTS}
    return {**texts, "pos": variants.pos[rows]}


def is_model(file: StrPath) -> bool:
    """Say whether a file is an archive that :func:`save_model` wrote."""
    try:
        return _META in read_arrays(file, "a model")
    except OSError:
        return False


def load_model(file: StrPath) -> Model:
    """Read what :func:`save_model` wrote.

    Raises
    ------
    OSError
        When the file is missing, or was not written by ``riata fit`` or ``riata cv``.
    ValueError
        When what it holds does not fit together.
    """
    import riata

    fit = riata.load(file)
    arrays = read_arrays(file, "a model")
    if _META not in arrays:
        raise OSError(
            f"{file}: not a model written by riata fit or riata cv (Path.save alone names no alleles)"
        )
    with restoring(file):
        return _model_of(fit, meta_of(arrays, _META), vector(arrays, "study_active", "iu"))


def _model_of(fit: Any, meta: dict[str, Any], active: NDArray[np.int64]) -> Model:
    cv = fit if hasattr(fit, "path") else None
    path = fit if cv is None else cv.path
    if meta["n_features"] + len(meta["covariates"]) != path.n_features:
        raise ValueError(f"the path must be of {meta['n_features']} features and the covariates")
    within("study_active", active, int(meta["n_features"]))
    if meta["kind"] == "genotypes" and path.variants is None:
        raise KeyError("variants_pos")
    return Model(
        path=path,
        cv=cv,
        kind=meta["kind"],
        n_features=int(meta["n_features"]),
        covariates=list(meta["covariates"]),
        alpha=float(meta["alpha"]),
        response=str(meta["response"]),
        classes=list(meta["classes"]),
        active=active,
        variants={} if path.variants is None else variant_columns(path.variants, active),
        codings=[Coding.from_dict(kept) for kept in meta["codings"]],
        baseline=None if meta["baseline"] is None else Baseline.from_dict(meta["baseline"]),
        columns=dict(meta["columns"]),
        ties=str(meta["ties"]),
        positive=meta["positive"],
        censored=tuple(meta.get("censored", ())),
        missing_code=meta.get("missing_code"),
        duplicates=meta.get("duplicates"),
    )
