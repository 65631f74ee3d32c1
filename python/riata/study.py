"""From files to a problem: join samples, code the response, line up covariates, set variants aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riata.genotypes import Genotypes, open_genotypes
from riata.joining import Joiner, JoinReport, repeated
from riata.matrices import MatrixTable, read_matrix
from riata.response import Response, code_response
from riata.tables import Table, TextTable, is_missing, read_list, read_text_table, some, text_array
from riata.text_columns import TextColumn, join_columns

if TYPE_CHECKING:
    from riata import _core


@dataclass(frozen=True)
class StudyOptions:
    """What the user asked for; names as on the command line."""

    bfile: str | None = None
    matrix: str | None = None
    orient: str = "samples-rows"
    target: str | None = None
    drop: tuple[str, ...] = ()
    pheno: str | None = None
    pheno_name: str | None = None
    covar: str | None = None
    covar_name: tuple[str, ...] | None = None
    keep: str | None = None
    remove: str | None = None
    extract: str | None = None
    exclude: str | None = None
    chrom: tuple[str, ...] | None = None
    maf: float = 0.0
    geno: float = 1.0
    counted_allele: str = "A1"
    missing_code: str | None = None
    positive: str | None = None
    loss: str | None = None


class StudyDesign:
    """Penalised features, then unpenalised covariates, as one design with names.

    Parameters
    ----------
    main : Genotypes or (n, p) array
    covariates : (n, k) array
        Finite numbers; k may be 0.
    feature_names : sequence of str or TextColumn
        p + k names.
    """

    def __init__(
        self,
        main: Genotypes | NDArray[Any],
        covariates: NDArray[np.float64],
        feature_names: Sequence[str] | TextColumn,
    ) -> None:
        self.main, self.covariates, self.feature_names = main, covariates, feature_names

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
            base = _core.dense_design(self.main)
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
    noun : str
        What reports call the features: variants, genes.
    """

    main: Genotypes | NDArray[Any]
    y: NDArray[np.float64]
    response: Response
    features: Table
    covariate_names: list[str]
    covariates: NDArray[np.float64]
    excluded: list[tuple[int, str]]
    samples: Table
    join: JoinReport
    files: list[str]
    noun: str = "features"

    @property
    def X(self) -> StudyDesign:
        return StudyDesign(self.main, self.covariates, self.feature_names)

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

    def columns(self, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        """Decode the chosen penalised features, (n, k), NaN where missing."""
        if isinstance(self.main, Genotypes):
            return self.main.to_numpy(chosen)
        return np.asarray(self.main[:, chosen], dtype=np.float64)

    def standard_deviations(self, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the 1/n standard deviation of the chosen features, missing calls at their mean."""
        out = np.empty(len(chosen))
        for start in range(0, len(chosen), 64):
            block = self.columns(chosen[start : start + 64])
            missing = np.isnan(block)
            called = np.maximum((~missing).sum(axis=0), 1)
            mean = np.where(missing, 0.0, block).sum(axis=0) / called
            out[start : start + 64] = np.sqrt((np.where(missing, 0.0, block - mean) ** 2).mean(axis=0))
        return out


def load_study(options: StudyOptions) -> Study:
    """Read every file the options name and line them up.

    Raises
    ------
    OSError, ValueError
        For files that cannot be read or do not fit together; the message names file and line.
    """
    if (options.bfile is None) == (options.matrix is None):
        raise ValueError("give exactly one of --bfile and --matrix")
    if not 0.0 <= options.maf <= 0.5:
        raise ValueError(f"--maf must lie in [0, 0.5], got {options.maf}")
    if not 0.0 <= options.geno <= 1.0:
        raise ValueError(f"--geno must lie in [0, 1], got {options.geno}")
    return _genotype_study(options, options.bfile) if options.bfile is not None else _matrix_study(options)


def _genotype_study(options: StudyOptions, bfile: str) -> Study:
    for given, flag in ((options.target, "--target"), (options.drop or None, "--drop")):
        if given is not None:
            raise ValueError(f"{flag} is for --matrix; with --bfile use --pheno and --pheno-name")
    geno = open_genotypes(bfile, counted_allele="A1" if options.counted_allele == "A1" else "A2")
    prefix = geno.path.removesuffix(".bed")
    files = [f"{prefix}.bed", f"{prefix}.bim", f"{prefix}.fam"]
    joiner = Joiner(f"{prefix}.fam", list(geno.samples.iid), list(geno.samples.fid))
    _apply_lists(joiner, options, files)
    if options.pheno is None:
        if options.pheno_name is not None:
            raise ValueError("--pheno-name needs --pheno FILE")
        cells, name = list(geno.samples.phenotype), "phenotype (.fam, column 6)"
    else:
        cells, name = _phenotype_cells(joiner, options, files)
    response = _code(joiner, cells, name, options)
    covariates, names = read_covariates(joiner, options.covar, options.covar_name, files)
    rows = joiner.finish()
    if len(rows) < len(geno):
        geno = geno.subset(samples=rows)
    y, covariates, names = _take(response, covariates, names, rows, joiner)
    study = Study(
        main=geno,
        y=y,
        response=response,
        features=geno.variants,
        covariate_names=names,
        covariates=covariates,
        excluded=_set_aside(geno, options, files),
        samples=Table({k: geno.samples[k] for k in ("fid", "iid")}),
        join=joiner.report,
        files=files,
        noun="variants",
    )
    _check_left(study)
    return study


def _matrix_study(options: StudyOptions) -> Study:
    assert options.matrix is not None
    for given, flag in (
        (options.extract, "--extract"),
        (options.exclude, "--exclude"),
        (options.chrom, "--chr"),
        (options.maf or None, "--maf"),
        (None if options.geno == 1.0 else options.geno, "--geno"),
    ):
        if given is not None:
            raise ValueError(f"{flag} is for --bfile")
    table = read_matrix(options.matrix, options.orient)
    files = [options.matrix]
    if (options.target is None) == (options.pheno is None):
        raise ValueError("with --matrix give the response as --target COLUMN of the table or as --pheno FILE")
    cells: list[str] = []
    if options.target is not None:
        cells = table.pop_column(options.target)
    for name in options.drop:
        table.pop_column(name)
    joiner = Joiner(options.matrix, list(table.sample_ids))
    joiner.report.notes.extend(table.notes)
    _apply_lists(joiner, options, files)
    if options.target is not None:
        name = options.target
    else:
        cells, name = _phenotype_cells(joiner, options, files)
    if table.text:
        raise ValueError(
            f"{options.matrix}: text, not numbers, in {some(list(table.text))}; leave out with --drop"
        )
    response = _code(joiner, cells, name, options)
    covariates, names = read_covariates(joiner, options.covar, options.covar_name, files)
    rows = joiner.finish()
    X = table.X if len(rows) == table.shape[0] else table.X[rows]
    check_finite(X, table)
    y, covariates, names = _take(response, covariates, names, rows, joiner)
    constant = np.flatnonzero(X.min(axis=0) == X.max(axis=0))
    study = Study(
        main=X,
        y=y,
        response=response,
        features=Table({"name": table.feature_names}),
        covariate_names=names,
        covariates=covariates,
        excluded=[(int(j), "constant") for j in constant],
        samples=Table({"id": table.sample_ids[rows]}),
        join=joiner.report,
        files=files,
    )
    _check_left(study)
    return study


def check_finite(X: NDArray[Any], table: MatrixTable) -> None:
    """Refuse NaN and infinity, naming the first feature and sample that hold one."""
    bad = ~np.isfinite(X).all(axis=0)
    if bad.any():
        names = [str(table.feature_names[j]) for j in np.flatnonzero(bad)]
        raise ValueError(
            f"{table.path}: missing or infinite values in {some(names)}; fill them in, or leave features out "
            f"with --drop"
        )


def _apply_lists(joiner: Joiner, options: StudyOptions, files: list[str]) -> None:
    if options.keep is not None:
        joiner.drop(joiner.listed(options.keep), f"not in {Path(options.keep).name} (--keep)")
        files.append(options.keep)
    if options.remove is not None:
        joiner.drop(~joiner.listed(options.remove), f"in {Path(options.remove).name} (--remove)")
        files.append(options.remove)


def _phenotype_cells(joiner: Joiner, options: StudyOptions, files: list[str]) -> tuple[list[str], str]:
    assert options.pheno is not None
    table = read_text_table(options.pheno)
    files.append(options.pheno)
    rows, data = joiner.match(table)
    name = options.pheno_name
    if name is None:
        if len(data) != 1:
            raise ValueError(f"{options.pheno}: choose one of its columns with --pheno-name: {some(data)}")
        name = data[0]
    column = table.column(name)
    joiner.drop(rows >= 0, f"not in {Path(options.pheno).name}")
    return [column[i] if i >= 0 else "NA" for i in rows], name


def _code(joiner: Joiner, cells: list[str], name: str, options: StudyOptions) -> Response:
    if not joiner.use.any():
        joiner.finish()
    shown = [cell if use else "NA" for cell, use in zip(cells, joiner.use, strict=True)]
    response = code_response(
        shown, name, loss=options.loss, missing_code=options.missing_code, positive=options.positive
    )
    joiner.drop(~np.isnan(response.values), f"{name} missing")
    if response.note:
        joiner.report.notes.append(f"{name}: {response.note}")
    return response


def read_covariates(
    joiner: Joiner, path: str | None, chosen: Sequence[str] | None, files: list[str]
) -> tuple[NDArray[np.float64], list[str]]:
    """Read covariates, drop the samples that lack one, and return (samples, k) values with their names."""
    if path is None:
        if chosen is not None:
            raise ValueError("--covar-name needs --covar FILE")
        return np.empty((len(joiner.ids), 0)), []
    files.append(path)
    table = read_text_table(path)
    rows, data = joiner.match(table)
    names = list(data if chosen is None else chosen)
    twice = repeated(names)
    if twice:
        raise ValueError(f"--covar-name: {twice[0]} is given twice")
    values = np.full((len(joiner.ids), len(names)), np.nan)
    for k, name in enumerate(names):
        column = _covariate_numbers(table, name)
        values[:, k] = np.where(rows >= 0, column[np.maximum(rows, 0)], np.nan)
    joiner.drop(rows >= 0, f"not in {Path(path).name}")
    joiner.drop(np.isfinite(values).all(axis=1), "a covariate is missing")
    return values, names


def _covariate_numbers(table: TextTable, name: str) -> NDArray[np.float64]:
    cells = table.column(name)
    out = np.empty(len(cells))
    for i, cell in enumerate(cells):
        try:
            out[i] = np.nan if is_missing(cell) else float(cell)
        except ValueError:
            raise ValueError(
                f"{table.path}, line {table.lines[i]}: covariate {name} must be a number, got {cell!r}; "
                "write classes as 0/1 columns"
            ) from None
    if (out == -9.0).any() and np.nanmin(np.where(out == -9.0, np.nan, out), initial=np.inf) >= 0.0:
        raise ValueError(
            f"{table.path}: covariate {name} holds -9 and no other negative value; "
            "if it means missing, write NA"
        )
    return out


def _take(
    response: Response,
    covariates: NDArray[np.float64],
    names: list[str],
    rows: NDArray[np.int64],
    joiner: Joiner,
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    y = response.values[rows]
    if len(y) < 2:
        raise ValueError(f"{response.name}: at least two samples are needed, {len(y)} left")
    if response.classes and len(np.unique(y)) < 2:
        left = response.classes[int(y[0])]
        raise ValueError(f"{response.name}: only class {left} is left after joining samples; two are needed")
    if not response.classes and len(np.unique(y)) < 2:
        raise ValueError(f"{response.name}: all {len(y)} samples have the same value, {y[0]:g}")
    inside = covariates[rows]
    varies = np.array([len(np.unique(inside[:, k])) > 1 for k in range(len(names))], dtype=bool)
    for k in np.flatnonzero(~varies):
        joiner.report.notes.append(f"covariate {names[k]} is the same for all samples: left out")
    return (
        y,
        np.ascontiguousarray(inside[:, varies]),
        [name for name, keep in zip(names, varies, strict=True) if keep],
    )


def _set_aside(geno: Genotypes, options: StudyOptions, files: list[str]) -> list[tuple[int, str]]:
    reasons: dict[int, str] = {}

    def mark(mask: NDArray[np.bool_], why: str) -> None:
        for j in np.flatnonzero(mask):
            reasons.setdefault(int(j), why)

    ids = geno.variants.id
    if options.chrom is not None:
        wanted = {name.removeprefix("chr") for name in options.chrom}
        here = np.array([str(c).removeprefix("chr") in wanted for c in geno.variants.chrom], dtype=bool)
        if not here.any():
            raise ValueError(f"--chr: no variant on chromosome {some(sorted(wanted))}")
        mark(~here, "--chr")
    for path, flag in ((options.extract, "--extract"), (options.exclude, "--exclude")):
        if path is None:
            continue
        files.append(path)
        listed = {row[0] for row in read_list(path)}
        named = np.array([name in listed for name in ids], dtype=bool)
        if not named.any():
            raise ValueError(
                f"{path}: none of its {len(listed):,} variant ids is in {geno.path.removesuffix('.bed')}.bim"
            )
        mark(~named if flag == "--extract" else named, flag)
    counts = geno.counts()
    called = counts[:, :3].sum(axis=1)
    mark(called == 0, "all calls missing")
    mark((counts[:, :3] > 0).sum(axis=1) <= 1, "monomorphic")
    if options.geno < 1.0:
        mark(geno.missing_rate() > options.geno, f"missing rate above {options.geno:g}")
    if options.maf > 0.0:
        frequency = geno.allele_frequency()
        mark(
            np.minimum(frequency, 1.0 - frequency) < options.maf,
            f"minor allele frequency below {options.maf:g}",
        )
    return sorted(reasons.items())


def _check_left(study: Study) -> None:
    if len(study.excluded) == study.n_features:
        raise ValueError(
            f"no feature is left: all {study.n_features:,} were set aside ({study.excluded[0][1]} first)"
        )


def sample_columns(study_samples: Table) -> list[tuple[str, NDArray[Any]]]:
    """Return the id columns of an output table: FID and IID, or ID."""
    return [(name.upper(), text_array(list(study_samples[name]))) for name in study_samples.columns]
