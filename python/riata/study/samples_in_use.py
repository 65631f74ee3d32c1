"""Which samples take part: those that have a response, all covariates and a place in the split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import Table, TextTable, read_text_table
from riata._io.text_files import same_file
from riata.genetics.genotypes import Genotypes
from riata.study.covariates import Coding, Covariates, read_covariates
from riata.study.fold_columns import FoldColumn, SampleColumns, read_fold_column, read_labels
from riata.study.inputs import sample_text_table
from riata.study.joining import Joiner, JoinReport
from riata.study.options import StudyOptions
from riata.study.response import Response
from riata.study.response_checks import check_response, refuse_copies, refuse_response_as_covariate
from riata.study.response_columns import ResponseColumns, columns_taken, read_responses
from riata.study.splitting import PARTS, Part, code_split
from riata.study.study import Rows


@dataclass(frozen=True)
class Tables:
    """The phenotype and covariate files, read once each."""

    pheno: TextTable | None
    covar: TextTable | None

    @classmethod
    def read(cls, asked: Sequence[StudyOptions], options: StudyOptions, files: list[str]) -> Tables:
        """Read the files of `options`, of which the columns are kept that any of those `asked` names."""
        given = [path for path in (options.pheno, options.covar) if path is not None]
        files.extend(dict.fromkeys(given))
        whole = options.covar if options.covar_name is None else None  # all its columns are covariates
        named = _named(asked)
        read = {path: read_text_table(path, wanted=None if path == whole else named) for path in given}
        return cls(read.get(options.pheno or ""), read.get(options.covar or ""))

    def with_samples(self, joiner: Joiner, phenotypes: dict[str, Any], options: StudyOptions) -> Tables:
        """Return tables that take what no file was given for from the phenotypes beside the genotypes."""
        covar = self.covar
        if covar is None and options.covar_name is not None:
            covar = sample_text_table(joiner, phenotypes)
        return Tables(self.pheno, covar)


@dataclass(frozen=True)
class Joined:
    """Responses and covariates of a source's samples, and which of these are fitted and which held out."""

    response: Response
    covariates: Covariates
    codings: list[Coding]
    names: list[str]
    rows: Rows
    held_out: dict[str, Rows]
    report: JoinReport
    fold_column: FoldColumn | None = None
    populations: FoldColumn | None = None

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


def join_samples(
    columns: ResponseColumns,
    asked: Sequence[StudyOptions],
    tables: Tables,
    apart: SampleColumns,
) -> tuple[Rows, list[Joined]]:
    """Return the samples that take part in the fit of some response, and what is joined for each response."""
    joiner, options = columns.joiner, asked[0]
    responses = read_responses(columns, asked)
    part = _read_split(joiner, options, apart)
    folds = read_fold_column(apart, options, options.missing_code)
    name = options.populations
    populations = None if name is None else read_labels(apart, "populations", name, options.missing_code)
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
    refuse_response_as_covariate(columns, asked, covariates)
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
        check_response(coded.response, mine, "to fit" if held_out else "")
        given = named_columns(covariates, codings, names, mine)
        refuse_copies(given, names, coded.response, coded.response.values[mine])
        for name, held in held_out.items():
            check_response(coded.response, held, f"in the {name} part")
        dealt = None if folds is None else folds.of(mine)
        of = None if populations is None else populations.of(mine)
        joined.append(Joined(coded.response, covariates, codings, names, mine, held_out, report, dealt, of))
    return rows, joined


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
