"""``riata predict``: scores of new samples from a saved model or a score file, and how good they are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.input_files import InputFiles
from riata._io.missing_codes import MissingCodes, same_cell
from riata._io.output_files import OutputSet, write_tsv
from riata._io.tables import read_text_table, some, split_names
from riata._io.text_files import same_file
from riata._io.wording import counted
from riata.cli.choosing import check_alpha
from riata.cli.log import Log
from riata.cli.manifest import today, version
from riata.cli.options import PredictOptions
from riata.cli.outputs import conclude_outputs
from riata.genetics.genotypes import Genotypes
from riata.genetics.pgen import phenotypes_of
from riata.genetics.score_file import Weights, read_weights
from riata.losses._known import loss_of
from riata.path.class_tables import threshold_of
from riata.path.evaluation import Evaluation
from riata.path.polygenic_score import Scores, score_genotypes
from riata.study.account import threshold_of_fit
from riata.study.held_out import evaluate_link
from riata.study.inputs import genotypes_of, given_source, opening_notes
from riata.study.joining import Joiner
from riata.study.matrix_table import MatrixTable
from riata.study.model_file import Model, load_model
from riata.study.options import StudyOptions
from riata.study.predictions import (
    columns_of,
    id_columns,
    join_covariates,
    joiner_of,
    link_of,
    prediction_columns,
    table_for,
)
from riata.study.response import TWO_CODES, Response, modelled_text
from riata.study.response_columns import COLUMNS, ResponseColumns, check_columns, code_columns
from riata.study.scoring import missing_columns, score_matrix, score_model
from riata.study.survival_times import has_times

Float = NDArray[np.float64]

#: Measures that do not depend on the level and unit of a score.
_SCALE_FREE = ("correlation", "auc", "concordance")


@dataclass
class _Task:
    """What to score: the samples, a model or weights, and the responses to compare with."""

    options: PredictOptions
    kind: str
    model: Model | None
    alpha: float
    weights: Weights | None
    files: list[str] = field(default_factory=list)

    @property
    def what(self) -> str:
        if self.model is None:
            return f"with {self.options.weights}"
        models = modelled_text(self.model.classes)
        return f"for {self.model.response}{models and f' ({models})'} at alpha {self.alpha:.4g}"


def run_predict(options: PredictOptions) -> int:
    """Score new samples."""
    prefix, command = options.output.out, options.command.line
    inputs = InputFiles(options.command.asked)
    task = _task_of(options)
    log = Log(quiet=options.output.quiet)
    with OutputSet(prefix, ("scores.tsv", "missing.tsv", "json", "log")) as outputs:
        main: Any
        if task.kind == "matrix":
            main = _table_of(task)
            task.files.append(main.path)
        else:
            main = genotypes_of(options.study)
            task.files += main.files
        joiner = joiner_of(main, _named(task))
        if isinstance(main, Genotypes):
            joiner.report.notes.extend(opening_notes(main))
        covariates, rows = _covariates(task, joiner, main)
        compared = _responses(task, joiner, main)
        if isinstance(main, Genotypes):
            chosen = main if len(rows) == len(main) else main.subset(samples=rows)
            scores = _score(task, chosen)
            assert task.weights is not None
            scores.notes[:0] = task.weights.notes
        else:
            assert task.model is not None
            main.X = main.X[rows]
            scores = score_matrix(task.model, main, task.alpha, options.study.impute)
        link = scores.total if task.model is None else link_of(task.model, task.alpha, scores, covariates)
        evaluation = _evaluate(task, compared, rows, link, covariates)
        log.say("Samples", *joiner.report.lines())
        scores.notes += _offset_note(task)
        if compared is not None:
            scores.notes += _fitted_note(task.model, joiner, rows[compared[1][rows]])
        log.say(*(f"  note: {note}" for note in scores.notes), "")
        log.say(f"Scored {counted(len(rows), 'sample')} {task.what}")
        if evaluation is not None:
            log.say("", *evaluation.lines())
        write_tsv(outputs.path("scores.tsv"), _columns(task, scores, link, joiner, rows), digits=15)
        if scores.absent:
            assert task.weights is not None
            write_tsv(outputs.path("missing.tsv"), missing_columns(task.weights, scores.absent))
        record = {
            "riata": version(),
            "date": today(),
            "command": command,
            "options": dict(sorted(options.command.asked.items())),
            "inputs": inputs.describe(task.files),
            "alpha": None if task.model is None else task.alpha,
            "response": None if task.model is None else task.model.response,
            "models": "" if task.model is None else modelled_text(task.model.classes),
            "samples": {
                "in_file": joiner.report.n_source,
                "scored": len(rows),
                "dropped": {why: len(names) for why, names in joiner.report.dropped},
                "notes": joiner.report.notes,
            },
            "missing_variants": len(scores.absent),
            "notes": scores.notes,
            "evaluation": None if evaluation is None else evaluation.to_dict(),
        }
        if isinstance(main, Genotypes):
            main.check_files()
        conclude_outputs(outputs, record, log, [f"riata {version()}, {today()}", command])
    return 0


def _task_of(options: PredictOptions) -> _Task:
    """Read the model or the weights, and refuse what does not go with them."""
    asked = options.study
    kind = given_source(asked)
    for name in ("duplicates", "impute"):
        if kind != "matrix" and getattr(asked, name) is not None:
            raise ValueError(f"--{name} is for --matrix")
    if (options.model is None) == (options.weights is None):
        raise ValueError("give exactly one of --model and --weights")
    if asked.pheno is None and kind != "matrix" and not _asks_phenotypes(asked):
        for name in ("pheno_name", "positive", *COLUMNS):
            if getattr(asked, name) is not None:
                flag = "case" if name == "positive" else name.replace("_", "-")
                raise ValueError(f"--{flag} needs --pheno FILE")
        if asked.missing_code is not None and asked.covar is None and kind != "matrix":
            raise ValueError("--missing-code needs --pheno or --covar FILE")
    if options.weights is not None:
        for value, flag in ((asked.covar, "--covar"), (options.alpha, "--alpha")):
            if value is not None:
                raise ValueError(f"{flag} is for --model: a score file is applied as it is")
        if kind == "matrix":
            raise ValueError("--weights is for genotypes: give --bfile, --pfile or --bgen")
        return _Task(options, kind, None, np.nan, read_weights(options.weights), [options.weights])
    assert options.model is not None
    if asked.loss is not None:
        raise ValueError("--loss is for --weights: a model knows its own")
    model = load_model(options.model)
    threshold_of(options.threshold, model.path.loss)
    if (model.kind == "matrix") != (kind == "matrix"):
        fitted = "a table: score with --matrix" if model.kind == "matrix" else "genotypes: score with --bfile"
        raise ValueError(f"--{kind}: the model was fitted to {fitted}")
    alpha = model.alpha if options.alpha is None else options.alpha
    check_alpha(model.path, alpha)
    return _Task(options, kind, model, alpha, None, [options.model])


def _table_of(task: _Task) -> MatrixTable:
    """Read the table to score."""
    model, options = task.model, task.options.study
    assert model is not None
    assert options.matrix is not None
    return table_for(
        model,
        options.matrix,
        options.orient,
        duplicates=options.duplicates,
        missing_code=options.missing_code,
        feature_names=options.feature_names,
        sample_ids=options.sample_ids,
        layer=options.layer,
    )


def _score(task: _Task, geno: Genotypes) -> Scores:
    consent = {name: getattr(task.options, name) for name in ("allow_missing", "ignore_positions")}
    if task.model is None:
        assert task.weights is not None
        return score_genotypes(task.weights, geno, **consent)
    task.weights, scores = score_model(task.model, task.alpha, geno, **consent)
    return scores


def _asks_phenotypes(options: StudyOptions) -> bool:
    """Whether columns of phenotypes are named, which may be those beside genotypes."""
    return any(getattr(options, name) is not None for name in ("pheno_name", *COLUMNS))


def _covariates(task: _Task, joiner: Joiner, main: Any) -> tuple[Float, NDArray[np.int64]]:
    """Return the covariates of the model, (m, k), and the samples that have them."""
    asked, model = task.options.study, task.model
    path = asked.covar
    if path is not None and (model is None or not model.covariates):
        raise ValueError("--covar: the model has no covariates")
    if model is None:
        rows = joiner.finish()
        return np.empty((len(rows), 0)), rows
    if path is not None and asked.matrix is not None and same_file(path, asked.matrix):
        path = None
    table = None
    if path is not None:
        table = read_text_table(path, wanted=_named(task))
        task.files.append(path)
    return join_covariates(model, joiner, main, table, "with --covar FILE", asked.missing_code)


def _named(task: _Task) -> set[str]:
    """Return columns of other files that are no ids: those that the model or options name."""
    given = {getattr(task.options.study, name) for name in ("pheno_name", *COLUMNS)}
    return {name for name in given if name} | (set() if task.model is None else columns_of(task.model))


def _responses(task: _Task, joiner: Joiner, main: Any) -> tuple[Response, NDArray[np.bool_]] | None:
    """Read the responses to compare with and which are known; samples without one are scored all the same."""
    options, model = task.options.study, task.model
    if options.pheno is not None:
        task.files.append(options.pheno)
        pheno = read_text_table(options.pheno, wanted=_named(task))
        return _compared(task, ResponseColumns(joiner, pheno, None, None))
    if task.kind == "matrix":
        return _in_table(task, model, joiner, main) if model is not None else None
    if _asks_phenotypes(options):
        return _compared(task, ResponseColumns(joiner, None, None, phenotypes_of(main.samples)))
    return None


def _in_table(
    task: _Task, model: Model, joiner: Joiner, table: MatrixTable
) -> tuple[Response, NDArray[np.bool_]] | None:
    """Read the response from the table that is scored: as asked, else where it has the columns of the fit."""
    columns = ResponseColumns(joiner, None, table, None)
    if _asks_phenotypes(task.options.study):
        return _compared(task, columns)
    wanted = response_names(model)
    there = {*table.text, *table.beside, *table.feature_names}.difference(model.feature_names)
    absent = [name for name in wanted if name not in there]
    if not wanted or len(absent) == len(wanted):
        return None
    try:
        if absent:
            raise ValueError(f"{table.path} lacks {some(absent)} of the response of the fit")
        return _compared(task, columns)
    except ValueError as error:  # nobody asked for it: the scores are what counts
        joiner.report.notes.append(f"not compared with a response: {error}")
        return None


def response_names(model: Model) -> list[str]:
    """Return which columns a response like that of a fit consists of; none where they are not known."""
    loss = model.path.loss_function
    if loss.many_responses or (not loss.has_times and not model.response_named):
        return []
    own = [] if loss.has_times else [model.response]
    if loss.has_times and not {"time", "event"} <= set(model.columns):
        return []
    return [*own, *(model.columns[name] for name in COLUMNS if name in model.columns)]


def _compared(task: _Task, columns: ResponseColumns) -> tuple[Response, NDArray[np.bool_]]:
    """Code the columns of a response as in the fit; refuse one that leaves nothing to compare."""
    options, model, joiner = task.options.study, task.model, columns.joiner
    asked = StudyOptions(
        pheno_name=_one_name(options.pheno_name),
        loss=options.loss,
        missing_code=options.missing_code,
        positive=options.positive,
        **{name: getattr(options, name) for name in COLUMNS},
    )
    if model is not None:
        if model.path.loss_function.many_responses:
            raise ValueError(
                "--pheno and --pheno-name: a model of several responses is not compared with any"
            )
        asked = _as_fitted(asked, model, columns)
    if columns.table is not None and not loss_of(asked.loss).has_times:
        asked = replace(asked, target=asked.pheno_name, pheno_name=None)
    check_columns(asked)
    if model is not None and asked.positive is None:
        if asked.event is not None:
            _refuse_censored(columns.cells(asked.event), asked, model)
        asked = replace(asked, positive=_case_as_fitted(asked, model, columns))
    coded = code_columns(columns, asked, () if model is None else model.classes)
    joiner.report.notes += coded.notes()
    response, usable = coded.response, coded.usable
    known = response.values[usable]
    if len(known) == 0 or (not has_times(known) and len(np.unique(known)) < 2):
        raise ValueError(
            f"{response.name}: all {len(known):,} samples scored have the same value: nothing to compare"
        )
    return response, usable


def _refuse_censored(cells: list[str], asked: StudyOptions, model: Model) -> None:
    """Refuse events that are all what the fit took for censored: alone, 1 of 1/2 would pass for one."""
    missing = MissingCodes.parse(asked.missing_code).split(cells)[1]
    labels = sorted({cell for cell, gone in zip(cells, missing, strict=True) if not gone})
    if labels and all(any(same_cell(label, known) for known in model.censored) for label in labels):
        raise ValueError(
            f"{asked.event}: no sample has an event: {some(labels)} meant censored in the fit; --case names "
            "the label of events"
        )


def _one_name(given: str | None) -> str | None:
    """Return the name of a column, which may stand in quotes as where several can be named."""
    names = [] if given is None or '"' not in given else split_names(given)
    return names[0] if len(names) == 1 else given


def _as_fitted(asked: StudyOptions, model: Model, columns: ResponseColumns) -> StudyOptions:
    """Fill in what was not asked for from the fit of the model."""
    name = asked.pheno_name
    loss = model.path.loss_function
    if not loss.has_times and name is None and (columns.table or model.response in columns.names):
        name = model.response
    given: dict[str, Any] = {what: getattr(asked, what) or model.columns.get(what) for what in COLUMNS}
    asked = replace(asked, pheno_name=name, **given)
    return replace(
        asked,
        loss=model.path.loss,
        missing_code=model.missing_code if asked.missing_code is None else asked.missing_code,
        positive=asked.positive or model.positive,
        ties=model.ties if loss.has_times else None,
        huber_delta=model.path.huber_delta,
    )


def _case_as_fitted(asked: StudyOptions, model: Model, columns: ResponseColumns) -> str | None:
    """Return the class that the model models, where the phenotypes to compare with have it.

    None where codes 0/1 or 1/2 say the same, as they do for any model fitted to such codes, or where the
    labels are others and speak for themselves.
    """
    classes = tuple(model.classes)
    if len(classes) != 2 or classes in TWO_CODES:
        return None
    cells = columns.phenotype(asked)[0]
    return classes[1] if any(same_cell(cell, classes[1]) for cell in cells) else None


def _offset_note(task: _Task) -> list[str]:
    """Say that predictions leave out the offset of the fit, where it had one."""
    if task.model is None or "offset" not in task.model.columns:
        return []
    what = "rates" if task.model.path.loss_function.has_counts else "predictions"
    return [f"{what} are for an offset of 0: {task.model.columns['offset']} of the fit is left out"]


def _fitted_note(model: Model | None, joiner: Joiner, rows: NDArray[np.int64]) -> list[str]:
    """Say that samples compared with their responses have ids of samples of the fit, where they do."""
    kept = {} if model is None else model.path.kept
    names = [
        kept[f"report_sample_{name}"].tolist()
        for name in ("fid", "iid", "id")
        if f"report_sample_{name}" in kept
    ]
    fitted = set(zip(*names, strict=True))
    if fitted in ({(str(i + start),) for i in range(len(fitted))} for start in (0, 1)):
        return []  # numbers of rows, not names
    shared = sum(joiner.key(int(i)) in fitted for i in rows)
    if shared == 0:
        return []
    return [
        f"{shared:,} of the {counted(len(rows), 'sample')} compared go by the id of a sample of the fit: if "
        "they are those, the figures flatter and their intervals do not hold"
    ]


def _evaluate(
    task: _Task,
    compared: tuple[Response, NDArray[np.bool_]] | None,
    rows: NDArray[np.int64],
    link: Float,
    covariates: Float,
) -> Evaluation | None:
    if compared is None:
        return None
    response, usable = compared
    y, known = response.values[rows], usable[rows]
    model = task.model
    if response.offset is not None:
        link = link + response.offset[rows]
    baseline = None
    if model is not None and model.baseline is not None and model.covariates:
        baseline = model.baseline.link(covariates)
        if response.offset is not None:
            baseline += response.offset[rows]
        baseline = baseline[known]
    offset = None if response.offset is None else response.offset[rows][known]
    of_fit = 0.5 if model is None else threshold_of_fit(model)
    found = evaluate_link(
        response, y[known], link[known], baseline=baseline, part="samples scored", offset=offset,
        threshold=threshold_of(task.options.threshold, response.loss, of_fit),
    )  # fmt: skip
    if model is not None:
        return found
    kept = {name: found.measures[name] for name in _SCALE_FREE if name in found.measures}
    return replace(found, measures=kept, table=None)  # the level of a score is not that of a probability


def _columns(
    task: _Task, scores: Scores, link: Float, joiner: Joiner, rows: NDArray[np.int64]
) -> list[tuple[str, Any]]:
    columns: list[tuple[str, Any]] = [*id_columns(joiner, rows)]
    if task.kind != "matrix":
        columns.append(("MISSING_CALLS", scores.missing))
        if scores.total.ndim == 1:
            columns.append(("SCORE", scores.total))
    return columns if task.model is None else columns + prediction_columns(task.model, task.alpha, link)
