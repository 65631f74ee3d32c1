"""From files to a problem: join samples, code the response, line up covariates, set variants aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riata._input.design import as_table, view
from riata._input.gaps import Gaps
from riata._io.tables import Table, TextTable, quoted, read_text_table, some, text_array
from riata._io.text_columns import TextColumn, join_columns
from riata._io.text_files import same_file
from riata._io.wording import counted
from riata.genetics.genotypes import Genotypes
from riata.genetics.pgen import covariates_of, phenotypes_of
from riata.genetics.variant_filter import choose_variants, filter_notes, set_aside
from riata.losses._known import loss_of
from riata.study.covariates import Coding, Covariates, read_covariates
from riata.study.feature_sets import FeatureGroups, find_groups
from riata.study.fold_columns import FoldColumn, SampleColumns, read_fold_column
from riata.study.inputs import genotype_joiner, genotypes_of, given_source, sample_text_table
from riata.study.joining import Joiner, JoinReport
from riata.study.matrices import read_matrix
from riata.study.matrix_table import MatrixTable, constant_columns, dense_columns
from riata.study.options import StudyOptions
from riata.study.response import Response
from riata.study.response_columns import ResponseColumns, check_columns, columns_taken, read_responses
from riata.study.splitting import PARTS, Part, code_split
from riata.study.survival_times import has_times, survival_arguments, two_columns
from riata.study.table_cells import check_complete, code_missing, completed
from riata.study.table_columns import from_the_table, named_columns_of, take_covariates

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
    missing_code : str or None
        What meant missing in phenotype and covariates, where it was told.
    duplicates : str or None
        What became of features of one name.
    fold_column : FoldColumn or None
        What folds go by.
    gaps : Gaps or None
        Cells of `main` that were missing and stand at the mean of their column.
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
    missing_code: str | None = None
    duplicates: str | None = None
    fold_column: FoldColumn | None = None
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


def load_study(options: StudyOptions) -> Study:
    """Read every file the options name and line them up.

    Raises
    ------
    OSError, ValueError
        For files that cannot be read or do not fit together; the message names file and line.
    """
    return load_studies([options]).studies[0]


def load_studies(asked: Sequence[StudyOptions]) -> Studies:
    """Read every file that options name which differ in the response alone: see `load_study`."""
    options = asked[0]
    kind = given_source(options)
    for flag, value, highest in (
        ("--maf", options.maf, 0.5),
        ("--geno", options.geno, 1.0),
        ("--hwe", options.hwe, 1.0),
    ):
        if not 0.0 <= value <= highest:
            raise ValueError(f"{flag} must lie in [0, {highest:g}], got {value}")
    if options.cat_covar and kind != "matrix" and options.covar is None and options.covar_name is None:
        raise ValueError("--cat-covar needs --covar FILE")
    for each in asked:
        check_columns(each)
    joint = _matrix_studies(asked) if kind == "matrix" else _genotype_studies(asked, kind)
    if options.groups is not None:
        _read_groups(joint.studies, options)
    return joint


def _read_groups(studies: list[Study], options: StudyOptions) -> None:
    """Find the groups of the features, which all studies have in common."""
    first = studies[0]
    assert options.groups is not None
    names = first.features["id" if first.is_genotypes else "name"]
    groups = find_groups(
        options.groups,
        names,
        first.noun,
        smallest=options.min_set_size or 1,
        largest=options.max_set_size,
    )
    first.files.append(options.groups)  # one list for all studies
    groups = replace(groups, only=options.sets_only)
    for study in studies:
        study.groups = groups
        if options.sets_only:
            aside = dict.fromkeys(groups.alone(study.n_features).tolist(), "in no group")
            study.excluded = sorted((aside | dict(study.excluded)).items())
            _check_left(study)


def _genotype_studies(asked: Sequence[StudyOptions], kind: str) -> Studies:
    options = asked[0]
    for given, flag in ((options.target, "--target"), (options.drop or None, "--drop")):
        if given is not None:
            raise ValueError(f"{flag} is for --matrix; with --{kind} use --pheno and --pheno-name")
    if options.duplicates is not None:
        raise ValueError("--duplicates is for --matrix: variants of one id are all kept")
    if options.impute is not None:
        raise ValueError("--impute is for --matrix: missing calls of genotypes stand at the mean anyway")
    geno = genotypes_of(options, options.counted_allele)
    files = list(geno.files)
    joiner = genotype_joiner(geno)
    joiner.report.notes.extend(geno.notes)
    _apply_lists(joiner, options, files)
    tables = _Tables.read(asked, options, files)
    phenotypes = phenotypes_of(geno.samples)
    columns = ResponseColumns(joiner, tables.pheno, None, phenotypes)
    beside = covariates_of(geno.samples)
    apart = SampleColumns(joiner, [tables.pheno, tables.covar], {}, beside)
    rows, parts = _join(columns, asked, tables.with_samples(joiner, beside, options), apart)
    chosen = choose_variants(geno, options, files)
    geno = chosen.geno
    fitted = geno if len(rows) == len(geno) else geno.subset(samples=rows)
    excluded = set_aside(fitted, options)
    for report in (joiner.report, *(joined.report for joined in parts)):
        report.notes.extend([*chosen.notes, *filter_notes(fitted, options)])
    ids = geno.samples[["fid", "iid"]]
    studies = []
    for each, joined in zip(asked, parts, strict=True):
        study = Study(
            main=fitted if len(joined.rows) == len(rows) else geno.subset(samples=joined.rows),
            y=joined.y(joined.rows),
            offset=joined.offset(joined.rows),
            response_columns=columns_taken(each),
            missing_code=each.missing_code,
            fold_column=joined.fold_column,
            response=joined.response,
            features=geno.variants,
            covariate_names=joined.names,
            covariates=joined.columns(joined.rows),
            excluded=excluded,
            samples=ids[joined.rows],
            join=joined.report,
            files=files,
            codings=joined.codings,
            parts=[
                joined.part(name, held, geno.subset(samples=held), ids[held])
                for name, held in joined.held_out.items()
            ],
            left_out=chosen.left_out,
            noun="variants",
        )
        _check_left(study)
        studies.append(study)
    return _together(studies, parts, fitted, None, rows, joiner.report)


def _together(
    studies: list[Study],
    parts: list[_Joined],
    main: Genotypes | NDArray[Any],
    gaps: Gaps | None,
    rows: Rows,
    report: JoinReport,
) -> Studies:
    X = StudyDesign(main, parts[0].columns(rows), studies[0].feature_names, gaps)
    return Studies(studies, X, [np.searchsorted(rows, joined.rows) for joined in parts], report)


def _matrix_studies(asked: Sequence[StudyOptions]) -> Studies:
    asked = [from_the_table(each) for each in asked]
    options = asked[0]
    assert options.matrix is not None
    for given, flag in (
        (options.extract, "--extract"),
        (options.exclude, "--exclude"),
        (options.chrom, "--chr"),
        (options.maf or None, "--maf"),
        (None if options.geno == 1.0 else options.geno, "--geno"),
        (options.hwe or None, "--hwe"),
    ):
        if given is not None:
            raise ValueError(f"{flag} is for genotypes, not for --matrix")
    if not loss_of(options.loss).has_times and (options.target is None) == (options.pheno is None):
        raise ValueError("with --matrix give the response as --target COLUMN of the table or as --pheno FILE")
    table = read_matrix(
        options.matrix,
        options.orient,
        named=named_columns_of(asked),
        duplicates=options.duplicates,
        feature_names=options.feature_names,
        sample_ids=options.sample_ids,
        layer=options.layer,
    )
    files = [options.matrix]
    code_missing(table, options.missing_code)
    joiner = table.joiner(named_columns_of(asked, everywhere=True))
    covariates = take_covariates(table, joiner, asked)
    if covariates is not None:
        options = replace(options, covar=None, covar_name=tuple(covariates[1]))
    there = set(table.columns)
    taken = table.pop_columns([name for name in options.sample_columns if name in there])
    table.pop_columns([name for name in options.drop if covariates is None or name not in covariates[1]])
    _apply_lists(joiner, options, files)
    tables = _Tables.read(asked, options, files)
    _refuse_hidden_response(table, tables.pheno, asked)
    if covariates is not None:
        tables = replace(tables, covar=covariates[0])
    columns = ResponseColumns(joiner, tables.pheno, table, None, taken)
    apart = SampleColumns(joiner, [tables.pheno, tables.covar], taken, {}, table.columns)
    rows, parts = _join(columns, [options, *asked[1:]], tables, apart)
    if table.text:
        raise ValueError(
            f"{options.matrix}: text, not numbers, in {some(list(table.text))}; leave out with --drop, or "
            "make covariates of it with --covar"
        )
    used = np.flatnonzero(joiner.use)
    told = check_complete(table.X if len(used) == table.shape[0] else table.X[used], table, options.impute)
    for report in (joiner.report, *(joined.report for joined in parts)):
        report.notes.extend(told)
    X, gaps = completed(table.X if len(rows) == table.shape[0] else table.X[rows], options.impute)
    constant = constant_columns(X)
    studies = []
    for each, joined in zip(asked, parts, strict=True):
        same = len(joined.rows) == len(rows)
        own, own_gaps = (X, gaps) if same else completed(table.X[joined.rows], options.impute)
        study = Study(
            main=own,
            gaps=own_gaps,
            y=joined.y(joined.rows),
            offset=joined.offset(joined.rows),
            response_columns=columns_taken(each),
            missing_code=each.missing_code,
            fold_column=joined.fold_column,
            response=joined.response,
            features=Table({"name": table.feature_names}),
            duplicates=options.duplicates,
            covariate_names=joined.names,
            covariates=joined.columns(joined.rows),
            excluded=[(int(j), "constant") for j in constant],
            samples=table.samples(joined.rows),
            join=joined.report,
            files=files,
            codings=joined.codings,
            parts=[
                joined.part(name, held, table.X[held], table.samples(held))
                for name, held in joined.held_out.items()
            ],
        )
        _check_left(study)
        studies.append(study)
    return _together(studies, parts, X, gaps, rows, joiner.report)


@dataclass(frozen=True)
class _Tables:
    """The phenotype and covariate files, read once each."""

    pheno: TextTable | None
    covar: TextTable | None

    @classmethod
    def read(cls, asked: Sequence[StudyOptions], options: StudyOptions, files: list[str]) -> _Tables:
        """Read the files of `options`, of which the columns are kept that any of those `asked` names."""
        given = [path for path in (options.pheno, options.covar) if path is not None]
        files.extend(dict.fromkeys(given))
        whole = options.covar if options.covar_name is None else None  # all its columns are covariates
        named = _named(asked)
        read = {path: read_text_table(path, wanted=None if path == whole else named) for path in given}
        return cls(read.get(options.pheno or ""), read.get(options.covar or ""))

    def with_samples(self, joiner: Joiner, phenotypes: dict[str, Any], options: StudyOptions) -> _Tables:
        """Return tables that take what no file was given for from the phenotypes beside the genotypes."""
        covar = self.covar
        if covar is None and options.covar_name is not None:
            covar = sample_text_table(joiner, phenotypes)
        return _Tables(self.pheno, covar)


@dataclass(frozen=True)
class _Joined:
    """Responses and covariates of a source's samples, and which of these are fitted and which held out."""

    response: Response
    covariates: Covariates
    codings: list[Coding]
    names: list[str]
    rows: Rows
    held_out: dict[str, Rows]
    report: JoinReport
    fold_column: FoldColumn | None = None

    def y(self, rows: Rows) -> NDArray[Any]:
        return self.response.values[rows]

    def offset(self, rows: Rows) -> NDArray[np.float64] | None:
        return None if self.response.offset is None else self.response.offset[rows]

    def columns(self, rows: Rows) -> NDArray[np.float64]:
        """Return the covariates in use, one column for each of `names`."""
        return named_columns(self.covariates, self.codings, self.names, rows)

    def part(self, name: str, rows: Rows, main: Genotypes | NDArray[Any], samples: Table) -> Part:
        return Part(name, main, self.y(rows), self.columns(rows), samples, self.offset(rows))


def _named(asked: Sequence[StudyOptions]) -> list[str]:
    """Return the columns of phenotype and covariate files that options name, ranges as they are."""
    first = asked[0]
    names = [*(first.covar_name or ()), *first.cat_covar]
    for each in asked:
        names += [*each.sample_columns, *columns_taken(each).values()]
        names += [] if each.pheno_name is None else [each.pheno_name]
    return names


def named_columns(
    covariates: Covariates, codings: Sequence[Coding], names: Sequence[str], rows: Rows
) -> NDArray[np.float64]:
    """Return those columns that `names` lists, in its order, (rows, k)."""
    every = [name for coding in codings for name in coding.columns]
    chosen = [every.index(name) for name in names]
    return np.ascontiguousarray(covariates.columns(codings, rows)[:, chosen])


def _join(
    columns: ResponseColumns,
    asked: Sequence[StudyOptions],
    tables: _Tables,
    apart: SampleColumns,
) -> tuple[Rows, list[_Joined]]:
    """Return the samples that take part in the fit of some response, and what is joined for each response."""
    joiner, options = columns.joiner, asked[0]
    responses = read_responses(columns, asked)
    part = _read_split(joiner, options, apart)
    folds = read_fold_column(apart, options, options.missing_code)
    if tables.covar is None and options.covar_name is not None:
        raise ValueError("--covar-name needs --covar FILE")
    covariates = read_covariates(
        joiner,
        tables.covar,
        chosen=options.covar_name,
        classes=options.cat_covar,
        beside=_beside(columns, asked, tables.covar),
        missing_code=options.missing_code,
    )
    _refuse_response(columns, asked, covariates)
    used = joiner.finish()
    fitted = (0, 1) if options.fit_validation else (0,)
    rows = used[np.isin(part[used], fitted)]
    codings = covariates.codings(rows)
    names = _varying(covariates, codings, rows, joiner)
    joined = []
    for coded in responses:
        mine = used[coded.usable[used]]
        held_out = {
            name: mine[part[mine] == k]
            for k, name in enumerate(PARTS)
            if k not in fitted and np.any(part[mine] == k)
        }
        notes = []
        if options.split is not None:
            counts = [f"{name} {int((part[mine] == k).sum()):,}" for k, name in enumerate(PARTS)]
            notes.append(f"split by {options.split}: {', '.join(counts)}")
        if len(responses) > 1:
            notes = coded.notes() + notes
        report = joiner.report_without(coded.reasons, notes)
        mine = mine[np.isin(part[mine], fitted)]
        _check_response(coded.response, mine, "to fit" if held_out else "")
        given = named_columns(covariates, codings, names, mine)
        _refuse_copies(given, names, coded.response, coded.response.values[mine])
        for name, held in held_out.items():
            _check_response(coded.response, held, f"in the {name} part")
        dealt = None if folds is None else folds.of(mine)
        joined.append(_Joined(coded.response, covariates, codings, names, mine, held_out, report, dealt))
    return rows, joined


def _refuse_hidden_response(
    table: MatrixTable, pheno: TextTable | None, asked: Sequence[StudyOptions]
) -> None:
    """Refuse a response that is read from a phenotype file and stands among the features too."""
    if pheno is None:
        return
    names = {name for each in asked for name in (each.pheno_name, each.time, each.event) if name}
    there = next((name for name in table.columns if name in names and name in pheno.header), None)
    if there is not None:
        raise ValueError(
            f"{table.path}: column {quoted(there)} has the name of the response in {pheno.path}: leave it "
            f"out of the features with --drop {there}"
        )


def _refuse_response(columns: ResponseColumns, asked: Sequence[StudyOptions], covariates: Covariates) -> None:
    """Refuse a response that is its own covariate, as --covar-name may say of one file that holds both."""
    if not same_file(columns.path, covariates.path):
        return
    harmless = {name for each in asked for name in (each.entry, each.strata, each.offset)}
    for name in covariates.names:
        if name in columns.taken - harmless:
            raise ValueError(f"--covar-name: {name} is the phenotype: leave it out")


def _refuse_copies(covariates: NDArray[np.float64], names: Sequence[str], response: Response, y: Any) -> None:
    """Refuse a covariate that holds the response itself, whatever it is called: nothing is left to explain.

    Of two classes any column of two values that tells them apart does.
    """
    if has_times(y) or response.loss_function.many_classes:
        return
    for name, column in zip(names, covariates.T, strict=True):
        values = column
        if response.loss_function.two_classes:
            values = (column == column.max()).astype(np.float64)
            if len(np.unique(column)) == 2 and np.array_equal(values, 1.0 - y):
                values = 1.0 - values
        if np.array_equal(values, y):
            raise ValueError(
                f"--covar: {name} is the phenotype {response.name} itself in all {len(y):,} samples: name "
                "the other columns with --covar-name"
            )


def _beside(columns: ResponseColumns, asked: Sequence[StudyOptions], covar: TextTable | None) -> list[str]:
    """Return columns that are no covariates, should the covariate file hold them."""
    named = {name for each in asked for name in (*each.sample_columns, *columns_taken(each).values()) if name}
    same = covar is not None and same_file(columns.path, covar.path)
    return sorted(named | columns.taken if same else named)


def _read_split(joiner: Joiner, options: StudyOptions, apart: SampleColumns) -> NDArray[np.int64]:
    """Return the part of each sample; those without one are dropped."""
    name = options.split
    if name is None:
        return np.zeros(len(joiner.ids), dtype=np.int64)
    cells, path = apart.cells(name, "--split")
    part = code_split(cells, name, path, options.missing_code)
    joiner.drop(part >= 0, f"{name} (--split) missing")
    return part


def _check_response(response: Response, rows: Rows, where: str) -> None:
    y = response.values[rows]
    place = f" {where}" if where else ""
    if len(y) < 2:
        raise ValueError(f"{response.name}: at least two samples are needed{place}, {len(y)} left")
    if has_times(y):
        if not y["event"].any():
            raise ValueError(f"{response.name}: none of the {len(y):,} samples{place} has an event")
        return
    if response.loss_function.many_classes:
        gone = [label for k, label in enumerate(response.classes) if not np.any(y == k)]
        if gone:
            raise ValueError(f"{response.name}: no sample of class {gone[0]} is left{place}")
        return
    if len(np.unique(y)) < 2:
        if response.classes:
            left = response.classes[int(y[0])]
            raise ValueError(
                f"{response.name}: only class {left} is left{place} after joining samples; two are needed"
            )
        raise ValueError(f"{response.name}: all {len(y)} samples{place} have the same value, {y[0]:g}")


def _varying(covariates: Covariates, codings: list[Coding], rows: Rows, joiner: Joiner) -> list[str]:
    values = covariates.columns(codings, rows)
    every = [name for coding in codings for name in coding.columns]
    kept = []
    for name, column in zip(every, values.T, strict=True):
        if len(column) and column.min() < column.max():
            kept.append(name)
        else:
            joiner.report.notes.append(f"covariate {name} is the same for all samples: left out")
    for coding in codings:
        if coding.levels is not None and not coding.levels:
            joiner.report.notes.append(f"covariate {coding.name} has one level: left out")
        elif coding.levels is not None:
            joiner.report.notes.append(
                f"covariate {coding.name}: {len(coding.levels) + 1} levels, reference {coding.reference}"
            )
    return kept


def _apply_lists(joiner: Joiner, options: StudyOptions, files: list[str]) -> None:
    if options.keep is not None:
        joiner.drop(joiner.listed(options.keep, "--keep"), f"not in {Path(options.keep).name} (--keep)")
        files.append(options.keep)
    if options.remove is not None:
        joiner.drop(~joiner.listed(options.remove, "--remove"), f"in {Path(options.remove).name} (--remove)")
        files.append(options.remove)


def _check_left(study: Study) -> None:
    if len(study.excluded) == study.n_features:
        raise ValueError(
            f"no feature is left: {counted(study.n_features, 'was', 'were')} set aside "
            f"({study.excluded[0][1]} first)"
        )


def sample_columns(study_samples: Table) -> list[tuple[str, NDArray[Any]]]:
    """Return the id columns of an output table: FID and IID, or ID."""
    return [(name.upper(), text_array(list(study_samples[name]))) for name in study_samples.columns]
