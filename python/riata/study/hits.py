"""The selected features as a table: alleles, effects on both scales, and when each entered the path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import is_missing
from riata._io.text_columns import TextColumn
from riata.genetics.genotypes import Genotypes
from riata.genetics.quality import observe
from riata.losses._known import loss_of
from riata.path.coefs import entry_alphas
from riata.path.group_parts import names_of_groups
from riata.path.many_classes import sizes, strongest
from riata.study.study import Study

#: Columns of a variant in ``.hits.tsv``, before its effects.
VARIANT_COLUMNS = ("CHROM", "POS", "ID", "EFFECT_ALLELE", "OTHER_ALLELE", "EAF", "N", "MISSING")


@dataclass(frozen=True)
class Described:
    """Some features of a study: which, their names, how much they vary, and what tables say of them.

    Attributes
    ----------
    positions : (k,) array
        Feature numbers, increasing.
    names : (k,) array of str
    spread : (k,) array
        Standard deviation over the analysed samples (1/n), missing calls at their mean.
    columns : dict of (k,) arrays
        `VARIANT_COLUMNS` for genotypes, else ``FEATURE``.
    shared : (k,) array
        Whether another variant of the study has the same id, or it has none.
    """

    positions: NDArray[np.int64]
    names: NDArray[Any]
    spread: NDArray[np.float64]
    columns: dict[str, NDArray[Any]]
    shared: NDArray[np.bool_]


def active_features(path: Any, n_features: int) -> NDArray[np.int64]:
    """Return the penalised features that are active somewhere on a path."""
    coefs = sizes(path.coefs)
    active = np.unique(coefs.indices[coefs.data != 0.0]).astype(np.int64)
    return np.asarray(active[active < n_features])


def describe(study: Study, chosen: NDArray[np.int64]) -> Described:
    """Describe the chosen features of a study."""
    spread = study.standard_deviations(chosen)
    if not isinstance(study.main, Genotypes):
        names = study.features["name"][chosen]
        return Described(chosen, names, spread, {"FEATURE": names}, np.zeros(len(names), dtype=np.bool_))
    geno = study.main
    variants = geno.variants[chosen]
    seen = observe(geno, chosen)
    values = (
        variants.chrom,
        variants.pos,
        variants.id,
        geno.effect_allele[chosen],
        geno.other_allele[chosen],
        seen.frequency,
        seen.called,
        seen.missing_rate,
    )
    columns = {name: np.asarray(value) for name, value in zip(VARIANT_COLUMNS, values, strict=True)}
    return Described(
        chosen, columns["ID"], spread, columns, shared_ids(geno.variants.id, columns["ID"].tolist())
    )


def shared_ids(ids: TextColumn, names: list[str]) -> NDArray[np.bool_]:
    """Whether each name stands for several of the ids, or for none."""
    match = np.asarray(ids.match(names), dtype=np.int64)  # the first of the same names
    counts = np.bincount(match[match >= 0], minlength=len(names))
    first = {name: k for k, name in reversed(list(enumerate(names)))}
    return np.array([is_missing(name) or counts[first[name]] > 1 for name in names], dtype=np.bool_)


#: The column that says for which output an effect is, of losses that have several.
SPOKEN_FOR = ("CLASS", "RESPONSE")


class Hits:
    """Features with a nonzero coefficient at one alpha, in the order they entered the path.

    Parameters
    ----------
    source : Described
        At least the features active at `alpha`.
    path : Path
    alpha : float
    covariate_names : sequence of str
        Names of the unpenalised features, the last of the path.

    Attributes
    ----------
    columns : list of (name, values)
        As written to ``.hits.tsv``; a hazard or rate ratio, HR or RR, is that of one unit.
    names : list of str
    beta, beta_std : (k,) array
        Effect of one unit (one copy of the effect allele), and of one standard deviation; of several classes
        on the one it is largest for.
    by_class : dict of str to (k,) array
        Effects of one unit on each of several classes.
    positions : (k,) array
        Feature numbers.
    frequency : (k,) array
        Of genotypes, half the mean count over the samples of the fit, where missing calls stand.
    shared : (k,) array
        Whether other variants have the same id, or it is none.
    covariates : list of (name, coefficient)
        The unpenalised part.
    """

    def __init__(self, source: Described, path: Any, alpha: float, covariate_names: Sequence[str]) -> None:
        every = np.asarray(path.coef(alpha))
        speaks = strongest(every) if every.ndim > 1 else None
        coef = every if speaks is None else every[np.arange(len(every)), speaks]
        p = len(coef) - len(covariate_names)
        entry = entry_alphas(sizes(path.coefs), path.alphas)
        rows = np.flatnonzero(coef[source.positions])
        chosen = source.positions[rows]
        beta_std = coef[chosen] * source.spread[rows]
        # an interpolated alpha may hold a feature of the next grid point only
        enters = np.where(np.isnan(entry[chosen]), alpha, entry[chosen])
        order = np.lexsort((-np.abs(beta_std), -enters))
        rows = rows[order]
        self.source, self.alpha = source, float(alpha)
        self.positions = source.positions[rows]
        self.beta, self.beta_std, self.entry = coef[self.positions], beta_std[order], enters[order]
        self.names = [str(name) for name in source.names[rows]]
        self.frequency = np.asarray(path.mean, dtype=np.float64)[self.positions] / 2.0
        self.shared = source.shared[rows]
        self.covariates = list(zip(covariate_names, coef[p:].tolist(), strict=True))
        self.by_class: dict[str, NDArray[np.float64]] = {}
        if speaks is not None:
            labels = [str(label) for label in path.outputs]
            self.by_class = {label: every[self.positions, k] for k, label in enumerate(labels)}
            self.covariates = [
                (f"{name} [{label}]", float(every[p + j, k]))
                for j, name in enumerate(covariate_names)
                for k, label in enumerate(labels)
            ]
        spoken = SPOKEN_FOR[path.classes is None]
        self.columns: list[tuple[str, Any]] = [
            *((name, values[rows]) for name, values in source.columns.items()),
            *([] if path.groups is None else [("GROUP", names_of_groups(path, alpha, self.positions))]),
            *([] if speaks is None else [(spoken, path.outputs[speaks[self.positions]])]),
            ("BETA", self.beta),
            *((name, np.exp(self.beta)) for name in [loss_of(path.loss).ratio] if name),
            ("BETA_STD", self.beta_std),
            ("ENTRY_ALPHA", self.entry),
            ("RANK", np.arange(1, len(rows) + 1)),
            *((f"BETA_{label}", values) for label, values in self.by_class.items()),
        ]

    def __len__(self) -> int:
        return len(self.positions)

    def column(self, name: str) -> Any:
        """Return one column of the table."""
        return dict(self.columns)[name]

    @property
    def strongest(self) -> NDArray[np.int64]:
        """Rows by decreasing effect of one standard deviation."""
        return np.argsort(-np.abs(self.beta_std), kind="stable")
