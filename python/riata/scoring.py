"""Scoring new samples: match features by name, variants by id (or place) and alleles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.filters import plain_chromosome
from riata.genotypes import Genotypes
from riata.held_out import add_features
from riata.matrices import MatrixTable
from riata.model_file import Model
from riata.score_file import Weights
from riata.tables import some, text_array

Float = NDArray[np.float64]

_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass
class Scores:
    """Scores of new samples.

    `total` is the sum of weights times features, (m,) or (m, K) for K classes, without intercept and
    covariates; `missing` the genotypes of each sample that stood at a mean; `absent` (variant, reason) of
    those that did so for all; `notes` say what was done to make the files fit.
    """

    total: Float
    missing: NDArray[np.int64]
    absent: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class Found:
    """Where variants are in other genotypes.

    `rows` are those of the wanted ones that were found, `where` their positions in the genotypes, `flipped`
    whether their effect allele is the one not counted there; `absent` holds (row, reason) of the others.
    """

    rows: NDArray[np.int64]
    where: NDArray[np.int64]
    flipped: NDArray[np.bool_]
    absent: list[tuple[int, str]]


def model_weights(model: Model, alpha: float) -> Weights:
    """Return the variants of a model that are active at `alpha`; frequencies are those of its samples."""
    coef = np.asarray(model.path.coef(alpha))  # (p,), or (p, K) for K classes
    kept_coef = coef[model.active].reshape(len(model.active), -1)
    needed = np.flatnonzero(np.any(kept_coef != 0.0, axis=1))  # positions within the variants kept
    features = model.active[needed]
    kept = {name: values[needed] for name, values in model.variants.items()}
    return Weights(
        source="the model",
        id=text_array([str(name) for name in kept["id"]]),
        chrom=text_array([str(name) for name in kept["chrom"]]),
        pos=np.asarray(kept["pos"], dtype=np.int64),
        effect=text_array([str(name) for name in kept["effect"]]),
        other=text_array([str(name) for name in kept["other"]]),
        weight=coef[features],
        frequency=np.asarray(model.path.mean)[features] / 2.0,
    )


def score_genotypes(weights: Weights, geno: Genotypes, *, allow_missing: bool = False) -> Scores:
    """Sum weights times copies of the effect alleles.

    Variants are found by id, or by chromosome and position where they have none; where the genotypes name the
    alleles the other way round, copies are counted from the other side. Missing calls stand at twice the
    frequency that `weights` tell, else at the mean over the samples scored.

    Raises
    ------
    ValueError
        When a variant is absent or has other alleles, unless `allow_missing` puts the mean in its place; or
        when it is there more than once.
    """
    if weights.by_copies is not None:
        raise ValueError(f"{weights.source}: weights that are not additive cannot be applied")
    found = find_variants(weights, geno)
    if found.absent and not allow_missing:
        hint = "; --allow-missing lets the mean stand in for missing variants"
        raise ValueError(refusal(weights, geno, found.absent) + hint)
    total = np.zeros((geno.shape[0], *weights.weight.shape[1:]))
    mean = 2.0 * weights.frequency
    observed = np.flatnonzero(np.isnan(mean[found.rows]))
    if len(observed):
        frequency = geno.subset(variants=found.where[observed]).allele_frequency()
        away = found.flipped[observed]
        mean[found.rows[observed]] = 2.0 * np.nan_to_num(np.where(away, 1.0 - frequency, frequency))
    order = np.argsort(found.where, kind="stable")  # as they lie in the file
    rows, where, flipped = found.rows[order], found.where[order], found.flipped[order]
    missing = add_features(total, geno, where, weights.weight[rows], mean[rows], flipped)
    scores = Scores(total, missing, found.absent, _notes(weights, found))
    if found.absent:
        gone = np.array([k for k, _ in found.absent])
        total += np.nan_to_num(2.0 * weights.frequency[gone]) @ weights.weight[gone]
        missing += len(gone)
        unknown = int(np.isnan(weights.frequency[gone]).sum())
        scores.notes.append(
            f"{len(gone):,} of {len(weights):,} variants are missing: the mean stands in for them"
            + (f", but {unknown:,} have no known frequency and add nothing" if unknown else "")
        )
    return scores


def score_matrix(model: Model, table: MatrixTable, alpha: float) -> Scores:
    """Sum coefficients times features of a table, matched by name; further features are passed over."""
    coef = np.asarray(model.path.coef(alpha))
    features = np.flatnonzero(np.any(coef[: model.n_features].reshape(model.n_features, -1) != 0.0, axis=1))
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
    return Scores(X @ coef[features], np.zeros(len(X), dtype=np.int64))


def find_variants(weights: Weights, geno: Genotypes) -> Found:
    """Find each variant among the genotypes by id (or place) and alleles.

    Raises
    ------
    ValueError
        When one fits several variants that its position does not tell apart.
    """
    candidates = _candidates(weights, geno)
    rows = np.array(sorted({j for found in candidates for j in found}), dtype=np.int64)
    alleles: dict[int, tuple[str, str]] = dict(
        zip(
            rows.tolist(),
            zip(geno.effect_allele[rows].tolist(), geno.other_allele[rows].tolist(), strict=True),
            strict=True,
        )
    )
    found: list[tuple[int, int, bool]] = []
    absent: list[tuple[int, str]] = []
    for k, here in enumerate(candidates):
        effect, other = str(weights.effect[k]), str(weights.other[k])
        fits = [(j, way) for j in here if (way := _way(*alleles[j], effect, other)) is not None]
        if len(fits) > 1:  # the same id and alleles: tell them apart by where they are
            fits = [fit for fit in fits if _is_at(weights, k, geno, fit[0])] or fits
        if len(fits) > 1:
            of = f"alleles {effect} and {other}" if other else f"allele {effect}"
            raise ValueError(f"{geno.path}: variant {weights.label(k)} with {of} appears more than once")
        if fits:
            found.append((k, *fits[0]))
        elif here:
            absent.append((k, f"has alleles {alleles[here[0]][0]} and {alleles[here[0]][1]}"))
        else:
            absent.append((k, "not in it"))
    return Found(
        rows=np.array([k for k, _, _ in found], dtype=np.int64),
        where=np.array([j for _, j, _ in found], dtype=np.int64),
        flipped=np.array([way for _, _, way in found], dtype=np.bool_),
        absent=absent,
    )


def _candidates(weights: Weights, geno: Genotypes) -> list[list[int]]:
    """Return, for each variant, the positions in `geno` that have its id, or its place if it has no id."""
    out: list[list[int]] = [[] for _ in range(len(weights))]
    names = [str(name) for name in weights.id]
    by_name: dict[str, list[int]] = {}
    match = geno.variants.id.match(names)
    for j in np.flatnonzero(match >= 0).tolist():
        by_name.setdefault(names[match[j]], []).append(j)
    unnamed = [k for k, name in enumerate(names) if not name]
    by_place: dict[tuple[str, int], list[int]] = {}
    if unnamed:
        rows = np.flatnonzero(np.isin(geno.variants.pos, weights.pos[unnamed]))
        for j, chrom, pos in zip(
            rows.tolist(), geno.variants.chrom[rows], geno.variants.pos[rows].tolist(), strict=True
        ):
            by_place.setdefault((plain_chromosome(chrom), pos), []).append(j)
    for k, name in enumerate(names):
        place = (plain_chromosome(str(weights.chrom[k])), int(weights.pos[k]))
        out[k] = by_name.get(name, []) if name else by_place.get(place, [])
    return out


def _is_at(weights: Weights, k: int, geno: Genotypes, j: int) -> bool:
    here = plain_chromosome(str(geno.variants.chrom[j])), int(geno.variants.pos[j])
    return here == (plain_chromosome(str(weights.chrom[k])), int(weights.pos[k]))


def _way(counted: str, second: str, effect: str, other: str) -> bool | None:
    """Return False when `counted` is `effect`, True when `second` is, None when the alleles differ.

    PLINK writes 0 for an allele no sample carries: it fits whichever one is left. An empty `other` fits any.
    """
    if (counted, second) == ("0", "0"):
        return None
    if not other:
        return False if counted == effect else True if second == effect else None
    if counted in (effect, "0") and second in (other, "0"):
        return False
    if counted in (other, "0") and second in (effect, "0"):
        return True
    return None


def refusal(weights: Weights, geno: Genotypes, absent: Sequence[tuple[int, str]]) -> str:
    """Say which variants cannot be scored; other alleles first, since these may be a mistake."""
    differ = [(k, why) for k, why in absent if why != "not in it"]
    if differ:
        k, why = differ[0]
        effect, other = str(weights.effect[k]), str(weights.other[k])
        against = f" against {other}" if other else ""
        seen = set(why.removeprefix("has alleles ").split(" and "))
        strand = seen == {effect.translate(_COMPLEMENT), other.translate(_COMPLEMENT)}
        return (
            f"{geno.path}: variant {weights.label(k)} {why}, but {weights.source} counts {effect}{against}"
            + (", which may be the other strand" if strand else "")
            + (f" ({len(differ) - 1:,} more like it)" if len(differ) > 1 else "")
        )
    names = sorted({weights.label(k) for k, _ in absent})
    return (
        f"{geno.path}: {len(absent):,} of the {len(weights):,} variants of {weights.source} are not in it: "
        f"{some(names)}"
    )


def _notes(weights: Weights, found: Found) -> list[str]:
    flipped = found.rows[found.flipped]
    if len(flipped) == 0:
        return []
    either = sum(
        str(weights.effect[k]).translate(_COMPLEMENT) == str(weights.other[k]) for k in flipped.tolist()
    )
    note = f"{len(flipped):,} variants name their alleles the other way round: counted from the other side"
    if either:
        note += f"; {either:,} of them are A/T or C/G, where the other strand would look the same"
    return [note]


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
