"""Reading the response of a study: columns of a phenotype file or a table, and who is dropped for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import TextTable, expand_names, some
from riata.losses._known import loss_of
from riata.study.joining import Joiner
from riata.study.matrix_table import MatrixTable
from riata.study.response import Response, code_numbers, code_response
from riata.study.survival_times import code_times

if TYPE_CHECKING:
    from riata.study.options import StudyOptions

#: Options of a study that name columns of the response, beside that of the phenotype.
COLUMNS = ("time", "event", "entry", "strata", "offset")


class ResponseColumns:
    """Columns of the phenotype file if there is one, else of the table of ``--matrix``, else of the samples.

    Parameters
    ----------
    joiner : Joiner
    pheno : TextTable or None
    table : MatrixTable or None
        Loses the columns that are asked for: they are no features.
    beside : dict of str to columns, or None
        The phenotypes of the ``.psam``, ``.sample`` or ``.fam``.
    popped : dict of str to columns, optional
        Those that were taken from the table before.

    Attributes
    ----------
    names : list of str
        Columns of the phenotype file.
    path : str
        The file that columns are read from.
    taken : set of str
        Those that were read.
    """

    def __init__(
        self,
        joiner: Joiner,
        pheno: TextTable | None,
        table: MatrixTable | None,
        beside: Mapping[str, Sequence[str]] | None,
        popped: Mapping[str, list[str]] | None = None,
    ) -> None:
        self.joiner, self.pheno, self.table, self.beside = joiner, pheno, table, beside
        self.names: list[str] = []
        self.path = joiner.source if pheno is None else pheno.path
        self.taken: set[str] = set()
        self._popped = dict(popped or {})
        self._rows: NDArray[np.int64] | None = None
        if pheno is not None:
            self._rows, self.names = joiner.match(pheno)

    def drop_unknown(self) -> None:
        """Drop samples that the phenotype file does not know."""
        if self.pheno is not None and self._rows is not None:
            self.joiner.drop(self._rows >= 0, f"not in {Path(self.pheno.path).name}")

    def cells(self, name: str) -> list[str]:
        """Return a column, NA for samples that it lacks or that are not in use."""
        self.taken.add(name)
        if self.pheno is not None and self._rows is not None:
            column = self.pheno.column(name)
            cells = [column[i] if i >= 0 else "NA" for i in self._rows]
        elif self.table is not None:
            if name not in self._popped:  # several responses may share one
                self._popped[name] = self.table.pop_column(name)
            cells = self._popped[name]
        elif self.beside is not None and name in self.beside:
            cells = list(self.beside[name])
        else:
            there = some(list(self.beside or ()))
            raise ValueError(f"column {name!r} needs --pheno FILE; {self.joiner.source} has {there}")
        return self._in_use(cells)

    def phenotype(self, options: StudyOptions) -> tuple[list[str], str]:
        """Return the column of the phenotype and its name."""
        if self.table is not None and options.target is not None:
            return self.cells(options.target), options.target
        name = options.pheno_name
        if name is None:
            others = [*options.sample_columns, *(getattr(options, item) for item in COLUMNS)]
            names, path = self.names, "" if self.pheno is None else self.pheno.path
            if self.pheno is None:
                names, path = list(self.beside or ()), self.joiner.source
                if options.covar is None and options.covar_name is not None:
                    others += expand_names(options.covar_name, [*names, "SEX"], "--covar-name")
            left = [column for column in names if column not in others]
            if not left and self.pheno is not None:
                raise ValueError(
                    f"{path}: no column of a phenotype beside the ids and what other options name"
                )
            if len(left) != 1:
                raise ValueError(f"{path}: choose one of its columns with --pheno-name: {some(left)}")
            name = left[0]
        in_fam = self.pheno is None and name == "PHENO1" and self.joiner.source.endswith(".fam")
        return self.cells(name), "phenotype (.fam, column 6)" if in_fam else name

    def _in_use(self, cells: list[str]) -> list[str]:
        if not self.joiner.use.any():
            self.joiner.finish()
        return [cell if use else "NA" for cell, use in zip(cells, self.joiner.use, strict=True)]


@dataclass(frozen=True)
class Coded:
    """A response of all samples of a source; `reasons` are (why, mask) of samples that cannot be used."""

    response: Response
    reasons: list[tuple[str, NDArray[np.bool_]]]

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which samples can be used, (n,)."""
        return np.asarray(~np.any([bad for _, bad in self.reasons], axis=0))

    def notes(self) -> list[str]:
        """Return what is to be told of the coding."""
        return [f"{self.response.name}: {self.response.note}"] if self.response.note else []


def read_responses(columns: ResponseColumns, asked: Sequence[StudyOptions]) -> list[Coded]:
    """Read and code the responses that the options name.

    Samples without a response are dropped and reported; of several responses those that have none of them.

    Raises
    ------
    ValueError
        When a column is absent, cannot be read, could be read in two ways, or is not what the loss takes.
    """
    joiner = columns.joiner
    columns.drop_unknown()
    responses = [code_columns(columns, options) for options in asked]
    if len(responses) == 1:
        for why, bad in responses[0].reasons:
            joiner.drop(~bad, why)
        joiner.report.notes += responses[0].notes()
    else:
        names = some([coded.response.name for coded in responses])
        joiner.drop(np.any([coded.usable for coded in responses], axis=0), f"none of {names}")
    return responses


def code_columns(columns: ResponseColumns, options: StudyOptions, classes: Sequence[str] = ()) -> Coded:
    """Code the response that the options name; `classes` are those of a model of several."""
    if loss_of(options.loss).has_times:
        response, reasons = _times(columns, options)
    else:
        cells, name = columns.phenotype(options)
        response = code_response(
            cells,
            name,
            loss=options.loss,
            missing_code=options.missing_code,
            positive=options.positive,
            classes=classes,
        )
        response = replace(response, huber_delta=options.huber_delta)
        reasons = [(f"{name} missing", ~response.known)]
    if options.offset is None:
        return Coded(response, reasons)
    offset, told = code_numbers(columns.cells(options.offset), options.offset, options.missing_code)
    if told:
        notes = [response.note, f"{options.offset}: {told}"]
        response = replace(response, note="; ".join(note for note in notes if note))
    reasons.append((f"{options.offset} missing", np.isnan(offset)))
    return Coded(replace(response, offset=offset), reasons)


def columns_taken(options: StudyOptions) -> dict[str, str]:
    """Return which columns the options name, beside that of the phenotype."""
    given = {name: getattr(options, name) for name in COLUMNS}
    return {name: column for name, column in given.items() if column is not None}


def check_columns(options: StudyOptions) -> None:
    """Refuse options that name columns the loss does not take, or lack some that it needs."""
    if options.huber_delta is not None and loss_of(options.loss).huber_delta is None:
        raise ValueError("--huber-delta needs --loss huber")
    if not loss_of(options.loss).has_times:
        for flag in ("time", "event", "entry", "strata"):
            if getattr(options, flag) is not None:
                raise ValueError(f"--{flag} needs --loss cox")
        if options.ties is not None:
            raise ValueError("--ties needs --loss cox")
        return
    for given, flag in ((options.pheno_name, "--pheno-name"), (options.target, "--target")):
        if given is not None:
            raise ValueError(f"{flag}: --loss cox takes its response from --time NAME and --event NAME")
    if options.time is None or options.event is None:
        raise ValueError(
            "--loss cox needs --time NAME and --event NAME, columns of the phenotype file or of the table"
        )


def _times(
    columns: ResponseColumns, options: StudyOptions
) -> tuple[Response, list[tuple[str, NDArray[np.bool_]]]]:
    assert options.time is not None
    assert options.event is not None
    return code_times(
        columns.cells(options.time),
        columns.cells(options.event),
        None if options.entry is None else columns.cells(options.entry),
        None if options.strata is None else columns.cells(options.strata),
        names=(options.time, options.event, options.entry or ""),
        missing_code=options.missing_code,
        positive=options.positive,
        ties=options.ties or "breslow",
    )
