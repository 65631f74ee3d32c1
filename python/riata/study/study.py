"""A study: a problem ready to fit, and the story of how it came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riata._input.design import as_table, view
from riata._input.gaps import Gaps
from riata._io.tables import Table, text_array
from riata._io.text_columns import TextColumn, join_columns
from riata.genetics.genotypes import Genotypes
from riata.study.covariates import Coding
from riata.study.feature_sets import FeatureGroups
from riata.study.fold_columns import FoldColumn
from riata.study.joining import JoinReport
from riata.study.matrix_table import dense_columns
from riata.study.response import Response
from riata.study.splitting import Part
from riata.study.survival_times import has_times, survival_arguments, two_columns
from riata.study.univariate_slopes import UnivariateSlopes

if TYPE_CHECKING:
    from riata import _core


Rows = NDArray[np.int64]


class StudyDesign:
    """Penalised features, then unpenalised covariates, as one design with names.

    Parameters
    ----------
    main : Genotypes or (n, p) array
    covariates : (n, k) array
        Finite numbers; k may be 0.
    feature_names : sequence of str or TextColumn
        p + k names.
    gaps : Gaps, optional
        Cells of `main` that were missing: see `riata.fit_path`, ``impute``.
    """

    def __init__(
        self,
        main: Genotypes | NDArray[Any],
        covariates: NDArray[np.float64],
        feature_names: Sequence[str] | TextColumn,
        gaps: Gaps | None = None,
    ) -> None:
        self.main, self.covariates, self.feature_names = main, covariates, feature_names
        self.gaps = gaps

    @property
    def shape(self) -> tuple[int, int]:
        return self.main.shape[0], self.main.shape[1] + self.covariates.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def _design(self) -> tuple[_core.Design, NDArray[np.int64] | None]:
        """Return the core design and, when samples were chosen, the row of the file of each of them."""
        from riata import _core

        base: _core.Design
        rows: NDArray[np.int64] | None = None
        if isinstance(self.main, Genotypes):
            base, rows = self.main._design()
        else:
            base = view(as_table(self.main)[0]).core
        if self.covariates.shape[1] == 0:
            return base, rows
        beside = np.asfortranarray(self.covariates)
        if rows is not None:  # rows of the file not in use have weight zero: any finite number will do
            beside = np.zeros((base.shape[0], self.covariates.shape[1]), order="F")
            beside[rows] = self.covariates
        return _core.hstack_design([base, _core.dense_design(beside)]), rows


@dataclass
class Study:
    """A problem ready to fit, and the story of how it came about.

    Attributes
    ----------
    X : StudyDesign
        What :func:`riata.fit_path` takes; covariates are its last columns.
    y : (n,) array
        Numbers, or survival times: see `riata.study.survival_times.TIMES`.
    offset : (n,) array or None
        Added to the linear predictor.
    response : Response
    features : Table
        One row a penalised feature: for genotypes ``chrom, id, pos, a1, a2`` and so on, for tables ``name``.
    covariate_names : list of str
    covariates : (n, k) array
    penalty_factor : (p + k,) array or None
        0 for covariates, infinity for features set aside.
    excluded : list of (position, reason)
    samples : Table
        ``fid, iid`` or ``id`` of the samples in use.
    join : JoinReport
    files : list of str
        Every file read, for the manifest.
    codings : list of Coding
        How the columns of the covariate file became `covariates`.
    parts : list of Part
        Samples that a split keeps out of the fit.
    left_out : list of (reason, count)
        Variants that were not asked for, and are not among `features`.
    noun : str
        What reports call the features: variants, genes.
    response_columns : dict of str to str
        Which columns were ``time, event, entry, strata, offset``, where there were any.
    groups : FeatureGroups or None
        Of the penalised features.
    univariate : UnivariateSlopes or None
        Slopes of one-feature models elsewhere.
    missing_code : str or None
        What meant missing in phenotype and covariates, where it was told.
    duplicates : str or None
        What became of features of one name.
    fold_column : FoldColumn or None
        What folds go by.
    populations : FoldColumn or None
        The population that each sample is of.
    gaps : Gaps or None
        Cells of `main` that were missing and are set to the mean of their column.
    """

    main: Genotypes | NDArray[Any]
    y: NDArray[Any]
    response: Response
    features: Table
    covariate_names: list[str]
    covariates: NDArray[np.float64]
    excluded: list[tuple[int, str]]
    samples: Table
    join: JoinReport
    files: list[str]
    codings: list[Coding] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    left_out: list[tuple[str, int]] = field(default_factory=list)
    noun: str = "features"
    offset: NDArray[np.float64] | None = None
    response_columns: dict[str, str] = field(default_factory=dict)
    groups: FeatureGroups | None = None
    univariate: UnivariateSlopes | None = None
    missing_code: str | None = None
    duplicates: str | None = None
    fold_column: FoldColumn | None = None
    populations: FoldColumn | None = None
    gaps: Gaps | None = None

    @property
    def target(self) -> dict[str, Any]:
        """What `riata.fit_path` and its like take of the response."""
        return target_of(self.response, self.y, self.offset)

    @property
    def X(self) -> StudyDesign:
        return StudyDesign(self.main, self.covariates, self.feature_names, self.gaps)

    @property
    def is_genotypes(self) -> bool:
        return isinstance(self.main, Genotypes)

    @property
    def n_samples(self) -> int:
        return len(self.y)

    @property
    def n_features(self) -> int:
        """Penalised features, those set aside included."""
        return len(self.features)

    @property
    def feature_names(self) -> Sequence[str] | TextColumn:
        if self.is_genotypes:
            return join_columns([self.features["id"], self.covariate_names])
        return [*(str(name) for name in self.features["name"]), *self.covariate_names]

    @property
    def penalty_factor(self) -> NDArray[np.float64] | None:
        if not self.covariate_names and not self.excluded:
            return None
        factor = np.ones(self.n_features + len(self.covariate_names))
        factor[self.n_features :] = 0.0
        factor[[j for j, _ in self.excluded]] = np.inf
        return factor

    @property
    def univariate_slopes(self) -> NDArray[np.float64] | None:
        """Slopes of one-feature models, NaN for covariates, (p + k,)."""
        if self.univariate is None:
            return None
        return np.append(self.univariate.slopes, np.full(len(self.covariate_names), np.nan))

    def columns(self, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        """Decode the chosen penalised features, (n, k), NaN where missing."""
        return decode(self.main, chosen)

    def part(self, name: str) -> Part | None:
        """Return a part that the split keeps out of the fit, or None."""
        return next((part for part in self.parts if part.name == name), None)

    def standard_deviations(self, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the 1/n standard deviation of the chosen features, missing calls at their mean."""
        if isinstance(self.main, Genotypes):
            return self.main.subset(variants=chosen)._standard_deviations()
        out = np.empty(len(chosen))
        for start in range(0, len(chosen), 64):
            out[start : start + 64] = self.columns(chosen[start : start + 64]).std(axis=0)
        return out


def target_of(
    response: Response, y: NDArray[Any], offset: NDArray[np.float64] | None = None
) -> dict[str, Any]:
    """Return what the functions of the library take of some samples' responses: y, loss and so on."""
    target: dict[str, Any] = {"y": y, "loss": response.loss, "offset": offset}
    if has_times(y):
        target |= {"y": two_columns(y), "ties": response.ties, **survival_arguments(y)}
    if response.loss_function.many_classes:
        target["y"] = np.array(response.classes)[y.astype(np.int64)]
    if response.huber_delta is not None:
        target["huber_delta"] = response.huber_delta
    return target


def decode(main: Genotypes | NDArray[Any], columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return some features of genotypes or of a table, (n, k), NaN where missing."""
    if isinstance(main, Genotypes):
        return main._decode(columns)
    return dense_columns(main, columns)


@dataclass
class Studies:
    """Studies of several responses of the same features, to be fitted together.

    Attributes
    ----------
    studies : list of Study
        Each of the samples that have its response.
    X : StudyDesign
        Of the samples that have any of them; features set aside and covariates are those of these samples.
    rows : list of arrays
        For each study, which rows of `X` its samples are.
    join : JoinReport
        Of the samples of `X`.
    """

    studies: list[Study]
    X: StudyDesign
    rows: list[Rows]
    join: JoinReport


def sample_columns(study_samples: Table) -> list[tuple[str, NDArray[Any]]]:
    """Return the id columns of an output table: FID and IID, or ID."""
    return [(name.upper(), text_array(list(study_samples[name]))) for name in study_samples.columns]
