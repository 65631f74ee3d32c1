"""A file that keeps complete pairs, so that a run that was stopped goes on from there."""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any

import numpy as np

from riata._input.survival import SurvivalTarget
from riata._input.validation import Float
from riata._io.archive import meta_of, read_arrays, restoring, write_archive
from riata.path.arguments import Options
from riata.path.given import Problem
from riata.selection.items import Items
from riata.selection.multi_split import SplitValues
from riata.selection.plan import StabilityPlan
from riata.selection.votes import Votes

FORMAT = 2


def _weighing(n: int) -> Float:
    """A fixed vector, whose products with all columns tell X from another."""
    return np.random.default_rng(0).standard_normal((n, 1))


def write_record(file: str, fingerprint: str, n_pairs: int, votes: Votes, values: SplitValues) -> None:
    """Keep complete pairs, whole or not at all."""
    meta: dict[str, Any] = {"kind": "stability_checkpoint", "format": FORMAT, "fingerprint": fingerprint}
    meta["n_pairs"] = n_pairs
    write_archive(file, {"meta": np.array(json.dumps(meta)), **votes.pack(), **values.pack()})


def read_record(file: str, fingerprint: str, items: Items, outputs: int) -> tuple[Votes, SplitValues]:
    """Return the pairs that a file keeps, of the same problem alone."""
    what = "a checkpoint of a stability selection"
    arrays = read_arrays(file, what)
    try:
        meta = meta_of(arrays)
        kind = meta["kind"]
    except (LookupError, TypeError, ValueError) as error:
        raise OSError(f"{os.fspath(file)} is not {what}") from error
    if kind != "stability_checkpoint":
        raise OSError(f"{os.fspath(file)} is not {what}")
    if meta.get("format") != FORMAT or meta.get("fingerprint") != fingerprint:
        raise ValueError(
            f"checkpoint must be of the same stability selection, got {file!r}, which has other data or "
            "arguments: remove it, or give another name"
        )
    with restoring(file):
        return Votes.unpack(arrays, items, outputs), SplitValues.unpack(arrays)


def pairs_done(file: str) -> tuple[int, int]:
    """Return how many pairs a file keeps, and how many there are in all."""
    arrays = read_arrays(file, "a checkpoint of a stability selection")
    with restoring(file):
        return len(arrays["sizes"]) // 2, int(meta_of(arrays)["n_pairs"])


def fingerprint_of(
    problem: Problem,
    options: Options,
    items: Items,
    plan: StabilityPlan,
    drawn: tuple[Any, ...],
    p_values: bool,
) -> str:
    """Return what tells a stability selection from another: its data and all that changes its numbers."""
    digest = hashlib.sha256()

    def add(value: Any) -> None:
        if isinstance(value, np.ndarray):
            digest.update(str((value.dtype.str, value.shape)).encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        else:
            digest.update(repr(value).encode())
        digest.update(b";")

    design = problem.design
    target: Any = problem.target
    add((design.core.shape, design.core.kind, design.n_features))
    add(design.core.correlate(_weighing(design.core.shape[0]), None, 1))
    if isinstance(target, SurvivalTarget):
        add((target.time.tobytes(), target.event.tobytes(), target.ties))
        add(target.start)
        add(target.strata)
    else:
        add(target)
    for part in (problem.weights, problem.offset, items.of_feature, *drawn):
        add(part)
    features = problem.features
    for part in (features.penalty_factor, features.lower, features.upper):
        add(part)
    add((options.loss.name, options.loss.huber_delta, options.penalty.kind, options.penalty.parameters))
    add((options.l1_ratio, options.grouped, options.fit_intercept, options.standardize, options.tol))
    add((options.solver, options.max_iter, options.n_alphas, options.eps))
    add((plan.q, plan.threshold, plan.n_pairs, p_values))
    return digest.hexdigest()
