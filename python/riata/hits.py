"""The selected features as a table: alleles, effects on both scales, and when each entered the path."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.genotypes import Genotypes
from riata.study import Study


def entry_alphas(coefs: Any, alphas: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest alpha at which each feature is active, (p,); NaN for those that never are.

    `coefs` is the (p, L) CSC array of a path whose `alphas` decrease.
    """
    first = np.full(coefs.shape[0], np.nan)
    column = np.repeat(np.arange(coefs.shape[1]), np.diff(coefs.indptr))
    nonzero = coefs.data != 0.0
    rows, column = coefs.indices[nonzero], column[nonzero]
    first[rows[::-1]] = alphas[column[::-1]]  # columns run from large to small alpha: the first one wins
    return first


class Hits:
    """Features with a nonzero coefficient at one alpha, in the order they entered the path.

    Attributes
    ----------
    columns : list of (name, values)
        As written to ``.hits.tsv``.
    names : list of str
    beta, beta_std : (k,) array
        Effect of one unit (one copy of the effect allele), and of one standard deviation.
    positions : (k,) array
        Feature numbers.
    covariates : list of (name, coefficient)
        The unpenalised part.
    """

    def __init__(self, study: Study, path: Any, alpha: float) -> None:
        p = study.n_features
        coef = np.asarray(path.coef(alpha))
        entry = entry_alphas(path.coefs, path.alphas)[:p]
        chosen = np.flatnonzero(coef[:p]).astype(np.int64)
        spread = study.standard_deviations(chosen)
        beta_std = coef[chosen] * spread
        # an interpolated alpha may hold a feature of the next grid point only
        enters = np.where(np.isnan(entry[chosen]), alpha, entry[chosen])
        order = np.lexsort((-np.abs(beta_std), -enters))
        self.alpha = float(alpha)
        self.positions = chosen[order]
        self.beta, self.beta_std, self.entry = coef[self.positions], beta_std[order], enters[order]
        names = study.feature_names
        self.names = [names[j] for j in self.positions]
        self.covariates = list(zip(study.covariate_names, coef[p:].tolist(), strict=True))
        self.columns = self._describe(study)

    def __len__(self) -> int:
        return len(self.positions)

    def _describe(self, study: Study) -> list[tuple[str, Any]]:
        effects: list[tuple[str, Any]] = [
            ("BETA", self.beta),
            ("BETA_STD", self.beta_std),
            ("ENTRY_ALPHA", self.entry),
            ("RANK", np.arange(1, len(self) + 1)),
        ]
        if not isinstance(study.main, Genotypes):
            return [("FEATURE", self.names), *effects]
        geno = study.main
        variants, rows = geno.variants[self.positions], self.positions
        counts = geno.counts()[rows]
        return [
            ("CHROM", variants.chrom),
            ("POS", variants.pos),
            ("ID", variants.id),
            ("EFFECT_ALLELE", geno.effect_allele[rows]),
            ("OTHER_ALLELE", geno.other_allele[rows]),
            ("EAF", geno.allele_frequency()[rows]),
            ("N", counts[:, :3].sum(axis=1)),
            ("MISSING", geno.missing_rate()[rows]),
            *effects,
        ]
