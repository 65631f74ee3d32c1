"""Refuse responses that leave nothing to fit, or stand among what is to explain them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import TextTable, quoted
from riata._io.text_files import same_file
from riata.study.covariates import Covariates
from riata.study.matrix_table import MatrixTable
from riata.study.options import StudyOptions
from riata.study.response import Response
from riata.study.response_columns import ResponseColumns
from riata.study.study import Rows
from riata.study.survival_times import has_times


def refuse_hidden_response(
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


def refuse_response_as_covariate(
    columns: ResponseColumns, asked: Sequence[StudyOptions], covariates: Covariates
) -> None:
    """Refuse a response that is its own covariate, as --covar-name may say of one file that holds both."""
    if not same_file(columns.path, covariates.path):
        return
    harmless = {name for each in asked for name in (each.entry, each.strata, each.offset)}
    for name in covariates.names:
        if name in columns.taken - harmless:
            raise ValueError(f"--covar-name: {name} is the phenotype: leave it out")


def refuse_copies(covariates: NDArray[np.float64], names: Sequence[str], response: Response, y: Any) -> None:
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


def check_response(response: Response, rows: Rows, where: str) -> None:
    """Refuse a response that does not vary among the samples of `rows`; messages say `where` these are."""
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
