"""Which columns of a table are its response, its covariates and so on, and so no features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from riata._io.sparse_files import LABEL, is_svmlight
from riata._io.tables import TextTable, expand_names, quoted, some, split_names
from riata._io.text_files import same_file
from riata.losses._known import loss_of
from riata.study.inputs import sample_text_table
from riata.study.joining import Joiner
from riata.study.matrix_table import MatrixTable
from riata.study.response_columns import columns_taken

if TYPE_CHECKING:
    from riata.study.options import StudyOptions


def from_the_table(options: StudyOptions) -> StudyOptions:
    """Say of the table itself what options say of a phenotype file, where that is the table, or none."""
    if options.pheno is not None and same_file(options.pheno, str(options.matrix)):
        options = replace(options, pheno=None)
    if options.pheno is not None or options.target is not None or loss_of(options.loss).has_times:
        return options
    label = LABEL if is_svmlight(str(options.matrix)) else None
    return replace(options, target=options.pheno_name or label, pheno_name=None)


def named_columns_of(asked: Sequence[StudyOptions], *, everywhere: bool = False) -> list[str]:
    """Return the columns of the table that options name, or `everywhere`: those of other files too."""
    first = asked[0]
    names = [*first.drop, *(own_covariates(first) or ()), *first.sample_columns]
    if everywhere:
        names += [*(first.covar_name or ()), *first.cat_covar]
    for options in asked:
        if everywhere or options.pheno is None:
            given = (options.target, options.pheno_name, *columns_taken(options).values())
            names += [name for name in given if name]
    return list(dict.fromkeys(names))


def own_covariates(options: StudyOptions) -> list[str] | None:
    """Return the covariates that are columns of the table, or None: they are in a file of their own.

    They are named by ``--covar`` where there is no such file, or by ``--covar-name`` and ``--cat-covar``
    without a file or with that of the table.
    """
    names = [*(options.covar_name or ()), *options.cat_covar]
    if options.covar is None:
        return names or None
    if same_file(options.covar, str(options.matrix)):
        if not names:
            raise ValueError(f"--covar: {options.covar} is the table itself: say --covar COLUMN,COLUMN")
        return names
    if Path(options.covar).exists():
        return None
    return [*(options.covar_name or split_names(options.covar)), *options.cat_covar]


def take_covariates(
    table: MatrixTable, joiner: Joiner, asked: Sequence[StudyOptions]
) -> tuple[TextTable, list[str]] | None:
    """Take the covariates out of the table; return them as one of text, and their names.

    Raises
    ------
    ValueError
        When a column is absent, or is the response.
    """
    options = asked[0]
    names = own_covariates(options)
    if names is None:
        return None
    names = list(dict.fromkeys(expand_names(names, table.columns, f"--covar: {table.path}")))
    absent = next((name for name in names if name not in set(table.columns)), None)
    if absent is not None:
        no_file = f"no file {quoted(options.covar)}, and " if options.covar is not None else ""
        raise ValueError(
            f"--covar: {no_file}no column {quoted(absent)} in {table.path}; columns are "
            f"{some(table.columns)}; columns of another file are --covar FILE --covar-name {absent}"
        )
    harmless = {name for each in asked for name in (each.entry, each.strata, each.offset)}
    responses = {each.target for each in asked}
    responses |= {name for each in asked for name in columns_taken(each).values()} - harmless
    if any(each.pheno is None for each in asked) and responses & set(names):
        raise ValueError(
            f"--covar: {next(n for n in names if n in responses)} is the phenotype: leave it out"
        )
    cells = table.pop_columns(names)
    table.beside.update({name: cells[name] for name in names if name in harmless})
    return sample_text_table(joiner, cells), names
