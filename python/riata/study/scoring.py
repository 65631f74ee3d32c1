"""Scores of new samples for the command line: of genotypes, or of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import some
from riata._io.wording import counted
from riata.genetics.genotypes import Genotypes
from riata.genetics.score_file import Weights
from riata.path.polygenic_score import Scores, score_genotypes, weights_of
from riata.study.joining import TURN
from riata.study.matrix_table import MatrixTable, dense_columns
from riata.study.model_file import Model


def model_features(model: Model, alpha: float) -> NDArray[np.int64]:
    """Return the penalised features with an effect at `alpha`."""
    coef = np.asarray(model.path.coef(alpha))[: model.n_features]  # (p,), or (p, K) for K classes
    return np.flatnonzero(np.any(coef.reshape(len(coef), -1) != 0.0, axis=1))


def score_model(model: Model, alpha: float, geno: Genotypes, **consent: Any) -> tuple[Weights, Scores]:
    """Apply the genetic part of a saved model at `alpha`; also returns it as weights."""
    variants, features = model.path.variants, model_features(model, alpha)
    weights = weights_of(variants, features, np.asarray(model.path.coef(alpha))[features])
    return weights, score_genotypes(weights, geno, fitted=variants, features=features, **consent)


def score_matrix(model: Model, table: MatrixTable, alpha: float, impute: str | None = None) -> Scores:
    """Sum coefficients times features of a table, matched by name; further features are passed over.

    Missing values are set to the means of the fit where `impute` says so, or the fit did.
    """
    coef, features = np.asarray(model.path.coef(alpha)), model_features(model, alpha)
    names = np.asarray(model.feature_names[features])
    place = {str(name): k for k, name in enumerate(table.feature_names)}
    absent = [name for name in names if str(name) not in place]
    if absent and table.open_ended:
        there = [str(name) in place for name in names]
        names, features = names[there], features[there]
    elif absent:
        text = [name for name in absent if str(name) in table.text]
        if text:
            raise ValueError(f"{table.path}: text where the model needs numbers, in {some(text)}")
        turned = f"; a row has that name: {TURN}" if str(absent[0]) in set(table.sample_ids) else ""
        raise ValueError(
            f"{table.path} lacks {len(absent):,} of the {counted(len(names), 'feature')} of the model: "
            f"{some(absent)}{turned}"
        )
    X = dense_columns(table.X, [place[str(name)] for name in names])
    means, notes = model.path.fill, []
    if means is None and impute is not None:
        means = model.path.mean
    gaps = np.isnan(X)
    if means is not None and gaps.any():
        X = np.where(gaps, means[features], X)
        notes = [f"{counted(int(gaps.sum()), 'missing value')} of the features used at the means of the fit"]
    bad = ~np.isfinite(X).all(axis=0)
    if bad.any():
        hint = "; --impute mean puts the means of the fit in their place (in Python impute='mean')"
        hint = "" if means is not None else hint
        raise ValueError(
            f"{table.path}: missing or infinite values in {some(list(names[bad]))}, which the model "
            f"needs{hint}"
        )
    return Scores(X @ coef[features], np.zeros(len(X), dtype=np.int64), notes=notes)


def missing_columns(weights: Weights, absent: Sequence[tuple[int, str]]) -> list[tuple[str, Any]]:
    """Return the variants that were not found, as a table."""
    rows = np.array([k for k, _ in absent], dtype=np.int64)
    return [
        ("CHROM", weights.chrom[rows]),
        ("POS", weights.pos[rows]),
        ("ID", weights.id[rows]),
        ("EFFECT_ALLELE", weights.effect[rows]),
        ("OTHER_ALLELE", weights.other[rows]),
        ("WEIGHT", weights.weight[rows]),
        ("REASON", [why for _, why in absent]),
    ]
