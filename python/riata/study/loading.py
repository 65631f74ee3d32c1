"""From files to a problem: read every file that options name, and set features aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from riata._input.gaps import Gaps
from riata._io.tables import Table, some
from riata._io.wording import counted
from riata.genetics.genotypes import Genotypes
from riata.genetics.pgen import covariates_of, phenotypes_of
from riata.genetics.variant_filter import choose_variants, filter_notes, set_aside
from riata.losses._known import loss_of
from riata.study.cluster import at_workers
from riata.study.feature_sets import find_groups
from riata.study.fold_columns import SampleColumns
from riata.study.inputs import genotype_joiner, genotypes_of, given_source
from riata.study.joining import Joiner, JoinReport
from riata.study.matrices import read_matrix
from riata.study.matrix_table import constant_columns
from riata.study.options import StudyOptions
from riata.study.response_checks import refuse_hidden_response
from riata.study.response_columns import ResponseColumns, check_columns, columns_taken
from riata.study.samples_in_use import Joined, Tables, join_samples
from riata.study.study import Rows, Studies, Study, StudyDesign
from riata.study.table_cells import check_complete, code_missing, completed
from riata.study.table_columns import from_the_table, named_columns_of, take_covariates
from riata.study.univariate_slopes import read_feature_slopes, read_variant_slopes

if TYPE_CHECKING:
    from distributed import Client


def load_study(options: StudyOptions, client: Client | None = None) -> Study:
    """Read every file the options name and line them up; the workers of a client, if any, hold genotypes.

    Raises
    ------
    OSError, ValueError
        For files that cannot be read or do not fit together; the message names file and line.
    """
    return load_studies([options], client).studies[0]


def load_studies(asked: Sequence[StudyOptions], client: Client | None = None) -> Studies:
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
    joint = _matrix_studies(asked) if kind == "matrix" else _genotype_studies(asked, kind, client)
    if options.groups is not None:
        _read_groups(joint.studies, options)
    if options.univariate is not None:
        _read_univariate(joint.studies, options.univariate)
    return joint


def _read_univariate(studies: list[Study], path: str) -> None:
    """Find the slopes of the features, which all studies have in common."""
    first = studies[0]
    if isinstance(first.main, Genotypes):
        found = read_variant_slopes(path, first.main)
    else:
        found = read_feature_slopes(path, [str(name) for name in first.features["name"]])
    first.files.append(path)  # one list for all studies
    for study in studies:
        study.univariate = found


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


def _genotype_studies(asked: Sequence[StudyOptions], kind: str, client: Client | None) -> Studies:
    options = asked[0]
    for given, flag in ((options.target, "--target"), (options.drop or None, "--drop")):
        if given is not None:
            raise ValueError(f"{flag} is for --matrix; with --{kind} use --pheno and --pheno-name")
    if options.duplicates is not None:
        raise ValueError("--duplicates is for --matrix: variants of one id are all kept")
    if options.impute is not None:
        raise ValueError("--impute is for --matrix: missing calls of genotypes are set to the mean anyway")
    geno = at_workers(genotypes_of(options, options.counted_allele), client, options)
    files = list(geno.files)
    joiner = genotype_joiner(geno)
    joiner.report.notes.extend(geno.notes)
    _apply_lists(joiner, options, files)
    tables = Tables.read(asked, options, files)
    phenotypes = phenotypes_of(geno.samples)
    columns = ResponseColumns(joiner, tables.pheno, None, phenotypes)
    beside = covariates_of(geno.samples)
    apart = SampleColumns(joiner, [tables.pheno, tables.covar], {}, beside)
    rows, parts = join_samples(columns, asked, tables.with_samples(joiner, beside, options), apart)
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
            populations=joined.populations,
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
    parts: list[Joined],
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
    tables = Tables.read(asked, options, files)
    refuse_hidden_response(table, tables.pheno, asked)
    if covariates is not None:
        tables = replace(tables, covar=covariates[0])
    columns = ResponseColumns(joiner, tables.pheno, table, None, taken)
    apart = SampleColumns(joiner, [tables.pheno, tables.covar], taken, {}, table.columns)
    rows, parts = join_samples(columns, [options, *asked[1:]], tables, apart)
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
            populations=joined.populations,
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
