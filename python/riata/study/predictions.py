"""Predictions of samples that are matched by id and features that are matched by name, from any fit."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.annotated import is_anndata
from riata._io.tables import TextTable, frame_or_table, read_text_table, some, text_array, text_table_of
from riata.genetics.genotypes import Genotypes
from riata.genetics.opening import open_genotypes
from riata.genetics.pgen import covariates_of
from riata.path.applying import VariantWarning
from riata.path.cv_result import CVPath
from riata.path.polygenic_score import Scores
from riata.path.result import RegularizationPath
from riata.study.covariates import read_covariates
from riata.study.inputs import SOURCES, genotype_joiner, sample_text_table
from riata.study.joining import Joiner
from riata.study.matrices import matrix_of_anndata, matrix_of_frame, read_matrix
from riata.study.matrix_table import MatrixTable
from riata.study.model_file import Model, load_model, model_of
from riata.study.samples_in_use import named_columns
from riata.study.scoring import score_matrix, score_model
from riata.study.table_cells import code_missing

__all__ = ["predict_samples"]

Float = NDArray[np.float64]
Rows = NDArray[np.int64]


def predict_samples(
    model: Any,
    data: Any,
    *,
    alpha: float | None = None,
    covariates: Any = None,
    allow_missing: bool = False,
    ignore_positions: bool = False,
    impute: str | None = None,
) -> Any:
    """Predict for the samples of a table or of genotypes, as ``riata predict`` does.

    Features are found by name, in any order and among others, variants by id, place and alleles; covariates
    are joined by the ids of samples and coded as in the fit. Samples that lack a covariate are left out.

    Parameters
    ----------
    model : RegularizationPath, CVPath, or str or path-like
        A fit, or the archive of one: of `save`, ``riata fit`` or ``riata cv``.
    data : DataFrame, AnnData, Genotypes, or str or path-like
        Samples: a DataFrame whose index holds their ids, or columns FID and IID; or a file that
        ``riata predict`` would read.
    alpha : float, optional
        Where on the path. Default: the alpha that was reported, or is selected, or is the smallest.
    covariates : DataFrame, or str or path-like, optional
        For models with covariates: by the same ids, further columns are passed over. Genotypes may have them
        beside.
    allow_missing, ignore_positions : bool, default=False
        For genotypes: set variants that are absent to the mean of the fit; take a variant by its id
        where it lies at another position. See `match_variants`.
    impute : {"mean", None}, default=None
        For tables: "mean" puts the means of the fit in the place of missing values, which are an error else.
        A fit with ``impute`` does so anyway.

    Returns
    -------
    pandas.DataFrame, or `riata._io.tables.Table` without pandas
        One row per sample, with the columns that ``riata predict`` writes: its ids, LINEAR_PREDICTOR and
        PROBABILITY, PREDICTION, and so on. Offsets are left out.

    Raises
    ------
    TypeError, ValueError, OSError
        When data and model do not go together, or features, covariates or all samples are missing.

    Warns
    -----
    VariantWarning
        When variants were found in a way that deserves a second look.

    Examples
    --------
    >>> import numpy as np, pandas as pd, riata
    >>> rng = np.random.default_rng(0)
    >>> names = [f"gene{j}" for j in range(30)]
    >>> train = pd.DataFrame(rng.standard_normal((40, 30)), columns=names)
    >>> y = 2 * train["gene3"] - train["gene8"] + rng.standard_normal(40)
    >>> cv = riata.cv_path(train, y, cv=4)
    >>> new = pd.DataFrame(rng.standard_normal((2, 30)), columns=names[::-1], index=["Ann", "Bo"])
    >>> found = riata.predict_samples(cv, new)
    >>> found["ID"].tolist(), bool(np.allclose(found["PREDICTION"], cv.predict(new[names])))
    (['Ann', 'Bo'], True)
    """
    fitted = _model(model)
    at = fitted.alpha if alpha is None else float(alpha)
    fitted.path.coef([at])  # refuses what lies outside the path
    main = _source(fitted, data)
    if impute not in (None, "mean"):
        raise ValueError(f"impute must be 'mean' or None, got {impute!r}")
    if impute is not None and isinstance(main, Genotypes):
        raise ValueError("impute must be None for genotypes, whose missing calls are set to the mean anyway")
    joiner = joiner_of(main, columns_of(fitted))
    check_source(fitted, main)
    table = None if covariates is None else _text_table(covariates, "covariates", columns_of(fitted))
    if table is not None and not fitted.covariates:
        raise ValueError("covariates must be left out: the model has none")
    beside, rows = join_covariates(fitted, joiner, main, table, "with covariates")
    if isinstance(main, Genotypes):
        _, scores = score_model(
            fitted,
            at,
            main.subset(samples=rows),
            allow_missing=allow_missing,
            ignore_positions=ignore_positions,
        )
        _warn(main.path, scores)
    else:
        main.X = main.X[rows]
        scores = score_matrix(fitted, main, at, impute)
    link = link_of(fitted, at, scores, beside)
    columns = [*id_columns(joiner, rows), *prediction_columns(fitted, at, link)]
    return frame_or_table(dict(columns))


def _model(model: Any) -> Model:
    if isinstance(model, (str, os.PathLike)):
        return load_model(model)
    if not isinstance(model, (CVPath, RegularizationPath)):
        raise TypeError(
            f"model must be a RegularizationPath, a CVPath or a file of one, got {type(model).__name__}"
        )
    return model_of(model)


def _source(model: Model, data: Any) -> Genotypes | MatrixTable:
    """Open or read samples: a file by the ending of its name."""
    if isinstance(data, Genotypes):
        return data
    if isinstance(data, (str, os.PathLike)):
        name = os.fspath(data)
        return open_genotypes(name) if name.endswith(tuple(SOURCES.values())) else table_for(model, name)
    if hasattr(data, "columns") or is_anndata(data):
        read = matrix_of_anndata if is_anndata(data) else matrix_of_frame
        table = read(data, duplicates=model.duplicates)
        code_missing(table, model.missing_code)
        return table
    raise TypeError(
        "data must be a DataFrame, an AnnData, riata.Genotypes or a file, whose features have names, got "
        f"{type(data).__name__}; predict of the fit takes features by place"
    )


def table_for(
    model: Model,
    path: str,
    orient: str = "samples-rows",
    *,
    duplicates: str | None = None,
    missing_code: str | None = None,
    feature_names: str | None = None,
    sample_ids: str | None = None,
    layer: str | None = None,
) -> MatrixTable:
    """Read a table to score; columns that the model knows as something else than features are no ids."""
    table = read_matrix(
        path,
        orient,
        named=columns_of(model),
        duplicates=duplicates or model.duplicates,
        feature_names=feature_names,
        sample_ids=sample_ids,
        layer=layer,
    )
    code_missing(table, model.missing_code if missing_code is None else missing_code)
    return table


def _text_table(given: Any, name: str, wanted: Collection[str]) -> TextTable:
    if isinstance(given, (str, os.PathLike)):
        return read_text_table(given, wanted=wanted)
    if not hasattr(given, "columns"):
        raise TypeError(f"{name} must be a DataFrame or a file, got {type(given).__name__}")
    return text_table_of(given, name)


def _warn(path: str, scores: Scores) -> None:
    import warnings

    if scores.doubts:
        warnings.warn(f"{path}: {'; '.join(scores.doubts)}", VariantWarning, stacklevel=3)


def check_source(model: Model, main: Genotypes | MatrixTable) -> None:
    """Refuse genotypes for a model of a table, and the other way round."""
    genotypes = isinstance(main, Genotypes)
    if genotypes != (model.kind == "genotypes"):
        fitted, given = ("genotypes", "a table") if genotypes is False else ("a table", "genotypes")
        raise TypeError(f"the model was fitted to {fitted}, and cannot score {given}")


def joiner_of(main: Genotypes | MatrixTable, named: Collection[str]) -> Joiner:
    """Return the samples to match other tables to, whose columns `named` are no ids."""
    return genotype_joiner(main) if isinstance(main, Genotypes) else main.joiner(named)


def columns_of(model: Model) -> set[str]:
    """Return the columns that a model knows as something else than features."""
    return {model.response, *model.columns.values(), *(coding.name for coding in model.codings)}


def join_covariates(
    model: Model,
    joiner: Joiner,
    main: Genotypes | MatrixTable,
    table: TextTable | None,
    how: str,
    missing_code: str | None = None,
) -> tuple[Float, Rows]:
    """Return the covariates of a model, (m, k), and the samples that have them.

    Where no table is given, columns beside genotypes stand in, or those of the table that is scored; `how`
    says how to give one.
    """
    if not model.covariates:
        rows = joiner.finish()
        return np.empty((len(rows), 0)), rows
    needed = [coding for coding in model.codings if set(coding.columns) & set(model.covariates)]
    names = [coding.name for coding in needed]
    if table is None:
        table = sample_text_table(joiner, _beside(main, names, f"{some(model.covariates)}: give them {how}"))
    codes = model.missing_code if missing_code is None else missing_code
    covariates = read_covariates(joiner, table, codings=needed, missing_code=codes)
    rows = joiner.finish()
    return named_columns(covariates, needed, model.covariates, rows), rows


def _beside(main: Genotypes | MatrixTable, names: Sequence[str], hint: str) -> Mapping[str, Sequence[str]]:
    """Return covariates that stand beside genotypes, or in the table."""
    if isinstance(main, Genotypes):
        found = covariates_of(main.samples)
        if all(name in found for name in names):
            return found
        raise ValueError(f"the model has covariates {hint}")
    if set(names) <= set(main.columns):
        return main.pop_columns(names)
    raise ValueError(f"the model has covariates {hint}, or as columns of the table")


def link_of(model: Model, alpha: float, scores: Scores, covariates: Float) -> Float:
    """Return linear predictors without offset, (m,), or (m, K) of K outputs."""
    coef = np.asarray(model.path.coef(alpha))[model.n_features :]
    return np.asarray(scores.total + model.path.intercept(alpha) + covariates @ coef)


def id_columns(joiner: Joiner, rows: Rows) -> list[tuple[str, NDArray[Any]]]:
    """Return the ids of samples as columns: FID and IID, or ID."""
    keys = [joiner.key(int(i)) for i in rows]
    names = ("FID", "IID") if len(keys[0]) == 2 else ("ID",)
    return [(name, text_array([key[k] for key in keys])) for k, name in enumerate(names)]


def prediction_columns(model: Model, alpha: float, link: Float) -> list[tuple[str, Any]]:
    """Return predictions as columns, in the words of the loss."""
    path = model.path
    loss = path.loss_function
    mean = loss.mean(link)
    if loss.many_classes:
        labels, shares = model.classes, mean
        parts = [(f"PROBABILITY_{label}", shares[:, k]) for k, label in enumerate(labels)]
        return [*parts, ("CLASS", text_array([labels[k] for k in link.argmax(axis=1)]))]
    if loss.many_responses:
        return [(f"PREDICTION_{label}", link[:, k]) for k, label in enumerate(path.outputs.tolist())]
    if loss.two_classes:
        return [("LINEAR_PREDICTOR", link), ("PROBABILITY", mean)]
    if loss.has_times:  # compared to a sample at the means of those fitted
        usual = float(np.asarray(path.coef(alpha)) @ path.mean)
        with np.errstate(over="ignore"):
            return [("LINEAR_PREDICTOR", link), ("HAZARD_RATIO", np.exp(link - usual))]
    if loss.has_counts:
        what = "RATE" if "offset" in model.columns else "PREDICTION"
        return [("LINEAR_PREDICTOR", link), (what, mean)]
    return [("PREDICTION", link)]
