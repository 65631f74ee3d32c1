"""The record of a run: what was asked, read, done and found."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from riata.cli.options import Command
from riata.distributed.held_genotypes import HeldGenotypes
from riata.genetics.genotypes import Genotypes
from riata.path.certificates import CERTIFICATES
from riata.report.methods import methods_text
from riata.study.cv_choices import choices_of
from riata.study.fit_result import Fitted
from riata.study.response import modelled_text
from riata.study.study import Study
from riata.study.survival_times import has_times

#: Names of dropped samples in the manifest, for each reason; all are in ``.dropped.tsv``.
MAX_NAMES = 1000


def manifest(fitted: Fitted, command: Command, inputs: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return the record of a run: what was asked, read, done and found."""
    study, path, cv = fitted.study, fitted.path, fitted.cv
    record: dict[str, Any] = {
        **inputs_record(study, command, fitted.version, fitted.date, inputs),
        "fit": {
            "alphas": len(path.alphas),
            "alpha_max": path.alpha_max,
            "alpha_smallest": path.alphas[-1],
            "penalty": path.penalty,
            "penalty_parameters": path.penalty_parameters,
            "l1_ratio": path.l1_ratio,
            "standardize": path.standardize,
            "tol": path.tol,
            "certificate": path.certificate,
            f"largest_{CERTIFICATES[path.certificate].short.lower()}": fitted.largest_gap,
            "converged": bool(np.all(path.converged)),
            "passes": path.n_passes,
            "counters": path.counters,
            "interrupted": fitted.interrupted,
            "together": fitted.together,
            "warnings": fitted.warnings,
        },
        "selected": {
            "alpha": fitted.alpha,
            "rule": fitted.rule,
            "features": len(fitted.hits),
            "deviance_ratio": path.deviance_ratio[fitted.at],
            "intercept": path.intercept(fitted.alpha),
            "covariates": dict(fitted.hits.covariates),
        },
        "evaluation": None if fitted.evaluation is None else fitted.evaluation.to_dict(),
        "methods": methods_text(fitted),
        "seconds": fitted.seconds,
    }
    if has_times(study.y):
        record["response"] |= {"ties": study.response.ties, "events": int(study.y["event"].sum())}
    if isinstance(study.main, Genotypes):
        record["features"]["counted_allele"] = study.main.counted_allele
    if study.groups is not None and path.groups is not None:
        record["features"]["groups"] = study.groups.to_dict()
    if cv is not None:
        record["cross_validation"] = {
            "folds": len(cv.first_folds),
            "repeats": cv.repeats,
            "made": cv.folds_made,
            "sizes": [len(rows) for rows in cv.folds],
            "scoring": cv.scoring,
            "alpha_min": cv.alpha_min,
            "alpha_1se": cv.alpha_1se,
            "mean_score": cv.mean_score[fitted.at],
            "se_score": cv.se_score[fitted.at],
            "null_score": cv.null_score,
            "null_se": cv.null_se,
            "choices": [asdict(choice) for choice in choices_of(fitted)],
            "best_is_last": cv.best_is_last,
        }
    return record


def inputs_record(
    study: Study, command: Command, version: str, date: str, inputs: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return what was asked and read: of every run that has samples with a response."""
    held = study.main if isinstance(study.main, HeldGenotypes) else None
    return {
        "riata": version,
        "date": date,
        "command": command.line,
        "options": dict(sorted(command.asked.items())),
        "inputs": list(inputs),
        **({} if held is None else {"cluster": held.cluster()}),
        "samples": {
            "in_file": study.join.n_source,
            "analysed": study.n_samples,
            "dropped": {why: len(names) for why, names in study.join.dropped},
            "dropped_names": {why: names[:MAX_NAMES] for why, names in study.join.dropped},
            "parts": {part.name: len(part.y) for part in study.parts},
            "notes": study.join.notes,
        },
        "features": {
            "in_file": study.n_features + sum(count for _, count in study.left_out),
            "left_out": dict(study.left_out),
            "set_aside": len(study.excluded),
            "covariates": study.covariate_names,
        },
        "response": {
            "name": study.response.name,
            "loss": study.response.loss,
            "classes": list(study.response.classes),
            **({"models": models} if (models := modelled_text(study.response.classes)) else {}),
            **study.response_columns,
        },
    }


def version() -> str:
    """Return riata's version."""
    import riata

    return str(riata.__version__)


def today() -> str:
    """Return the date and time in ISO form, to the minute."""
    return datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
