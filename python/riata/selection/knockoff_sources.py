"""Where knockoffs come from: a sampler that is fitted to X and draws, or what is ready made."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._input.design import VIEWED, DesignView, as_design, is_scipy_sparse
from riata.genetics.genome import chromosomes
from riata.genetics.genotypes import Genotypes
from riata.genetics.sources import PackedSource
from riata.knockoffs import Haplotypes, Knockoffs
from riata.knockoffs._exchange import parted
from riata.path.arguments import Features
from riata.selection.beside import check_shape
from riata.selection.items import Items

READY = "ready made"


def check_sources(knockoffs: Any, n_draws: int) -> Any:
    """Refuse, before any work, what is none of the things that `knockoffs` may be."""
    if isinstance(knockoffs, str):
        if knockoffs != "auto":
            raise ValueError(
                f"knockoffs must be 'auto', a sampler of riata.knockoffs or knockoffs, got {knockoffs!r}"
            )
        return knockoffs
    if isinstance(knockoffs, type):
        raise TypeError(
            f"knockoffs must be a sampler or knockoffs, got the class {knockoffs.__name__}: write "
            f"{knockoffs.__name__}()"
        )
    if is_sampler(knockoffs):
        return knockoffs
    ready = knockoffs if isinstance(knockoffs, list | tuple) and _hold_draws(knockoffs) else [knockoffs]
    if len(ready) != n_draws:
        raise ValueError(
            f"n_draws must be the number of ready-made knockoffs, {len(ready)}, got {n_draws}; a sampler "
            "draws as many as are asked for, and a list may hold several"
        )
    return list(ready)


def check_ready(knockoffs: Any, design: DesignView, items: Items, features: Features) -> None:
    """Refuse, before any fit, ready-made knockoffs of another shape, or made for groups that are parted."""
    for one in knockoffs if isinstance(knockoffs, list) else []:
        check_shape(design, as_design(one.X if isinstance(one, Knockoffs) else one))
        labels = one.labels if isinstance(one, Knockoffs) else None
        if labels is None:
            continue
        factor = features.penalty_factor
        of = np.ones(len(labels), dtype=np.bool_) if factor is None else np.isfinite(factor[: len(labels)])
        apart = parted(labels, items.of_feature[: len(labels)], of)  # those left out may be of any group
        if apart is not None:
            told = "give groups as the sampler had them, or knockoffs that are drawn for the groups given"
            free = [j for j in apart if items.of_feature[j] < 0]
            if free:
                told = (
                    f"feature {free[0]} is unpenalised and cannot change places; draw knockoffs with it in a "
                    "group of its own"
                )
            raise ValueError(
                "groups must keep the groups whole that the knockoffs were made for, but features "
                f"{apart[0]} and {apart[1]} of one of these are apart: {told}"
            )


def is_sampler(value: Any) -> bool:
    """Whether something draws knockoffs."""
    return callable(getattr(value, "fit", None)) and callable(getattr(value, "draw", None))


def is_fitted(sampler: Any) -> bool:
    """Whether a sampler has learnt the law of some X: it has an attribute that ends in an underscore."""
    return any(name.endswith("_") and not name.startswith("_") for name in getattr(sampler, "__dict__", ()))


def draws_of(
    knockoffs: Any, X: Any, design: DesignView, items: Items, seed: int, n_draws: int, n_threads: int | None
) -> Iterator[Knockoffs]:
    """Yield `n_draws` independent knockoffs of X, one at a time."""
    if isinstance(knockoffs, list):
        for made in knockoffs:
            yield made if isinstance(made, Knockoffs) else Knockoffs(made, sampler=READY)
        return
    source = design.genotypes if design.genotypes is not None else _complete(X, design)
    sampler = _automatic(source) if isinstance(knockoffs, str) else copy.copy(knockoffs)
    if not is_fitted(sampler):
        sampler = sampler.fit(source, n_threads=n_threads)
    labels = _labels(items, source.shape[1])
    if labels is not None and isinstance(sampler, Haplotypes) and isinstance(source, Genotypes):
        labels = _runs(labels, _without_knockoffs(items, len(labels)), source)
    for draw in range(n_draws):
        yield sampler.draw(source, groups=labels, random_state=seed, draw=draw, n_threads=n_threads)


def _hold_draws(values: Any) -> bool:
    """Whether a list holds knockoffs rather than rows of numbers."""
    return all(isinstance(one, Knockoffs) or len(getattr(one, "shape", ())) == 2 for one in values)


def _automatic(source: Any) -> Any:
    """The sampler for X: of haplotypes for hard calls of genotypes, else Gaussian."""
    from riata import knockoffs as samplers

    hard = isinstance(source, Genotypes) and all(isinstance(each, PackedSource) for each in source.sources)
    return getattr(samplers, "Haplotypes" if hard else "Gaussian")()


def _complete(X: Any, design: DesignView) -> Any:
    """X as samplers take it: itself where it is numbers without gaps, else as it was read."""
    plain = isinstance(X, np.ndarray) or is_scipy_sparse(X) or hasattr(X, "_design")
    gaps = design.gaps is not None and len(design.gaps) > 0
    return X if plain and not gaps and getattr(X, "dtype", VIEWED[0]) in VIEWED else _Seen(design)


class _Seen:
    """A design that was read already, gaps at the means of its columns, in the place of X."""

    def __init__(self, design: DesignView) -> None:
        self._view = design
        self.shape = design.n_samples, design.n_features

    def _design(self) -> tuple[_core.Design, NDArray[np.int64] | None]:
        return self._view.core, self._view.rows

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self._view.gather(np.arange(self.shape[1])), dtype=dtype)


def _runs(labels: NDArray[np.int64], between: NDArray[np.bool_], geno: Genotypes) -> NDArray[np.int64]:
    """Groups of variants in parts, cut at those `between` that are in the model without a knockoff.

    Models of haplotypes have runs of consecutive variants for groups. Knockoffs of the parts of a group are
    knockoffs of the group as well.
    """
    stretch, first = np.empty(len(labels), dtype=np.int64), 0
    for chromosome in chromosomes(geno.variants, geno.chromosome_set):
        stretch[chromosome.columns] = first + np.cumsum(between[chromosome.columns])
        first += len(chromosome.columns) + 1
    return np.asarray(np.unique(labels * first + stretch, return_inverse=True)[1])


def _without_knockoffs(items: Items, p: int) -> NDArray[np.bool_]:
    """Which features are in the model without a penalty, and have no knockoff there."""
    free = items.of_feature[:p] < 0
    return free if items.left_out is None else free & (items.left_out[:p] < 0)


def _labels(items: Items, p: int) -> Any:
    """Groups as samplers take them, with what is left out of the model; None without groups.

    Features that are in the model without a knockoff, such as covariates, are each by themselves: in a group
    they would have to change places with it.
    """
    if not items.grouped:
        return None
    label = items.of_feature[:p].copy()
    if items.left_out is not None:
        label = np.maximum(label, items.left_out[:p])
    alone = np.flatnonzero(_without_knockoffs(items, p))
    label[alone] = items.count + np.arange(len(alone))
    return label
