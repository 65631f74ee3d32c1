"""A path as the command line scores with it: counted alleles, covariates, the chosen alpha."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.archive import meta_of, read_arrays, restoring, vector, within
from riata._io.output_files import append_arrays
from riata._io.tables import StrPath, text_array
from riata.genetics.variants import FittedVariants
from riata.path.fitted import FitResult
from riata.path.many_classes import label_text
from riata.study.covariates import Coding
from riata.study.held_out import Baseline, fit_baseline
from riata.study.hits import active_features
from riata.study.study import Study

_META = "study_meta"
_TEXTS = ("chrom", "id", "effect", "other")


@dataclass
class Model:
    """A fit with what is needed to score new samples.

    Attributes
    ----------
    path : riata.RegularizationPath
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

    @property
    def response_named(self) -> bool:
        """Whether the name of the response is its own, and not made up for a fit of plain numbers."""
        return bool(self.path.kept) or "y" in self.path.columns

    @property
    def feature_names(self) -> Any:
        """Names of all features of the path; x0, x1 and so on where they have none."""
        names = self.path.feature_names
        return numbered_names(self.path.n_features) if names is None else names


def numbered_names(count: int) -> NDArray[np.str_]:
    """Name features that have no names by their places: x0, x1 and so on."""
    return np.array([f"x{j}" for j in range(count)], dtype=np.str_)


def save_model(file: Path, fit: FitResult, study: Study, alpha: float) -> None:
    """Save a fit and add what :func:`load_model` needs; ``riata.load`` reads the result too."""
    path = fit.path
    if study.response.classes:
        path.classes = np.array(study.response.classes)  # which the fit took as numbers
    fit.save(file)
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
    """Say whether a file is an archive of a path."""
    try:
        return "coef_indptr" in read_arrays(file, "a model")
    except OSError:
        return False


def load_model(file: StrPath) -> Model:
    """Read a path, with what :func:`save_model` added if it did.

    Raises
    ------
    OSError
        When the file is missing, or is no archive of riata.
    ValueError
        When what it holds does not fit together.
    """
    import riata

    fit = riata.load(file)
    with restoring(file):
        return model_of(fit)


def study_of(fit: FitResult) -> Model | None:
    """Return what the command line keeps beside a path; None when it has not made it."""
    return model_of(fit) if fit.path.kept else None


def model_of(fit: FitResult) -> Model:
    """See a fit as what the command line scores samples with, wherever it was fitted."""
    path, cv = fit.path, fit.cv
    return _of_study(path, cv) if path.kept else _of_python(path, cv)


def _of_study(path: Any, cv: Any) -> Model:
    meta, active = meta_of(path.kept, _META), vector(path.kept, "study_active", "iu")
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


def _of_python(path: Any, cv: Any) -> Model:
    """Return the model of a fit that was made in Python: covariates are what follows variants."""
    genotypes = path.variants is not None
    n_features = path.variants.n_features if genotypes else path.n_features
    covariates = [str(path.feature_names[j]) for j in range(n_features, path.n_features)]
    active = active_features(path, n_features)
    columns = {what: name for what, name in path.columns.items() if what != "y"}
    if path.has_offset:
        columns.setdefault("offset", "offset")
    return Model(
        path=path,
        cv=cv,
        kind="genotypes" if genotypes else "matrix",
        n_features=n_features,
        covariates=covariates,
        alpha=float(path.alphas[-1] if cv is None else cv.alpha),
        response=path.columns.get("y", columns.get("event", "y")),
        classes=[] if path.classes is None else [label_text(label) for label in path.classes.tolist()],
        active=active,
        variants=variant_columns(path.variants, active) if genotypes else {},
        codings=[Coding(name) for name in covariates],
        baseline=None,
        columns=columns,
        ties="breslow",
        positive=None,
    )
