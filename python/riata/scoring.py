"""Scoring new samples with a saved model: match features by name, variants by id and alleles."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from riata.genotypes import Genotypes
from riata.matrices import MatrixTable
from riata.model_file import Model
from riata.tables import some

Float = NDArray[np.float64]


@dataclass
class Scores:
    """Scores of new samples.

    `link` is the linear predictor, (m,), `missing` the genotypes of each sample that stood at the training
    mean, and `notes` say what was done to make the files fit.
    """

    link: Float
    missing: NDArray[np.int64]
    notes: list[str] = field(default_factory=list)


def score_genotypes(model: Model, geno: Genotypes, covariates: Float, alpha: float) -> Scores:
    """Score samples of a PLINK fileset.

    Variants are found by id; where the new file names the alleles the other way round, copies are counted
    from the other side. Missing calls stand at the mean of the training samples.

    Raises
    ------
    ValueError
        When a variant the model needs is absent, appears twice, or has other alleles; nothing is guessed.
    """
    if model.kind != "genotypes":
        raise ValueError("--bfile: the model was fitted to a table; score with --matrix")
    coef = np.asarray(model.path.coef(alpha))
    needed = np.flatnonzero(coef[model.active])  # positions within the variants kept with the model
    where, flipped, notes = _find_variants(model, geno, needed)
    features = model.active[needed]
    beta, mean = coef[features], np.asarray(model.path.mean)[features]
    link = np.full(geno.shape[0], float(model.path.intercept(alpha)))
    missing = np.zeros(geno.shape[0], dtype=np.int64)
    for start in range(0, len(needed), 64):
        part = slice(start, start + 64)
        copies = geno.to_numpy(where[part])
        copies[:, flipped[part]] = 2.0 - copies[:, flipped[part]]
        gone = np.isnan(copies)
        missing += gone.sum(axis=1)
        link += np.where(gone, mean[part], copies) @ beta[part]
    return Scores(link + covariates @ coef[model.n_features :], missing, notes)


def score_matrix(model: Model, table: MatrixTable, covariates: Float, alpha: float) -> Scores:
    """Score samples of a table; features are matched by name, further ones are passed over."""
    if model.kind != "matrix":
        raise ValueError("--matrix: the model was fitted to genotypes; score with --bfile")
    coef = np.asarray(model.path.coef(alpha))
    features = np.flatnonzero(coef[: model.n_features])
    names = np.asarray(model.path.feature_names)[features]
    place = {str(name): k for k, name in enumerate(table.feature_names)}
    absent = [name for name in names if str(name) not in place]
    if absent:
        raise ValueError(
            f"{table.path} lacks {len(absent):,} of the {len(names):,} features of the model: {some(absent)}"
        )
    X = np.asarray(table.X[:, [place[str(name)] for name in names]], dtype=np.float64)
    bad = ~np.isfinite(X).all(axis=0)
    if bad.any():
        raise ValueError(
            f"{table.path}: missing or infinite values in {some(list(names[bad]))}, which the model needs"
        )
    link = X @ coef[features] + float(model.path.intercept(alpha)) + covariates @ coef[model.n_features :]
    return Scores(link, np.zeros(len(link), dtype=np.int64))


def _find_variants(
    model: Model, geno: Genotypes, needed: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], list[str]]:
    """Return where each needed variant is in `geno`, and where its effect allele is not counted."""
    wanted = {str(model.variants["id"][k]) for k in needed}
    place: dict[str, list[int]] = {}
    for j, name in enumerate(geno.variants.id):
        if name in wanted:
            place.setdefault(name, []).append(j)
    absent = [name for name in wanted if name not in place]
    if absent:
        raise ValueError(
            f"{geno.path}: {len(absent):,} of the {len(wanted):,} variants of the model are not in it: "
            f"{some(sorted(absent))}"
        )
    where = np.empty(len(needed), dtype=np.int64)
    flipped = np.zeros(len(needed), dtype=bool)
    for i, k in enumerate(needed):
        name, effect, other = (str(model.variants[column][k]) for column in ("id", "effect", "other"))
        fits = [(j, way) for j in place[name] if (way := _alleles(geno, j, effect, other)) is not None]
        if len(fits) > 1:  # the same id and alleles: tell them apart by where they are
            here = (str(model.variants["chrom"][k]), int(model.variants["pos"][k]))
            chrom, pos = geno.variants.chrom, geno.variants.pos
            fits = [fit for fit in fits if (str(chrom[fit[0]]), int(pos[fit[0]])) == here] or fits
        if len(fits) > 1:
            raise ValueError(
                f"{geno.path}: variant {name} with alleles {effect} and {other} appears more than once"
            )
        if not fits:
            j = place[name][0]
            raise ValueError(
                f"{geno.path}: variant {name} has alleles {geno.variants.a1[j]} and {geno.variants.a2[j]}, "
                f"but the model counts {effect} against {other}"
            )
        where[i], flipped[i] = fits[0][0], fits[0][1]
    notes = []
    if flipped.any():
        notes.append(
            f"{int(flipped.sum()):,} variants name their alleles the other way round: counted from the "
            "other side"
        )
    return where, flipped, notes


def _alleles(geno: Genotypes, j: int, effect: str, other: str) -> bool | None:
    """Return False when variant j counts `effect`, True when it counts `other`, None when the alleles differ.

    PLINK writes 0 for an allele no sample carries: it fits whichever one is left.
    """
    counted, second = str(geno.effect_allele[j]), str(geno.other_allele[j])
    if counted in (effect, "0") and second in (other, "0") and (counted, second) != ("0", "0"):
        return False
    if counted in (other, "0") and second in (effect, "0") and (counted, second) != ("0", "0"):
        return True
    return None
