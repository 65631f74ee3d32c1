"""Knockoffs brought into the rows and columns of X, whose design may be a file of more samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata import _core
from riata._input.design import VIEWED, DesignView, as_design
from riata._io.text_columns import differing_rows
from riata.genetics.bed_writer import packed_codes
from riata.genetics.genotypes import Genotypes
from riata.genetics.sources import PackedPart

_BYTES_AT_ONCE = 1 << 26  # of decoded columns
_COLUMNS_AT_ONCE = 256


def core_beside(design: DesignView, knockoffs: Any) -> _core.Design:
    """Return the core design of knockoffs, with the rows and columns of that of X.

    Features that X has beyond the knockoffs, such as covariates beside genotypes, stand in for themselves.
    """
    made = as_design(knockoffs)
    check_shape(design, made)
    p = design.n_features
    core = made.core if _same_rows(design, made) else _in_rows_of(design, made, knockoffs)
    if made.n_features < p:
        rest = np.arange(made.n_features, p, dtype=np.int64)
        core = _core.hstack_design([core, _core.dense_design(design.core.gather(rest))])
    return core


def check_shape(design: DesignView, made: DesignView) -> None:
    """Refuse knockoffs of other samples, features or variants."""
    n, p = design.n_samples, design.n_features
    of_main = p if design.genotypes is None else design.genotypes.shape[1]
    if made.n_samples != n or made.n_features not in (p, of_main):
        allowed = f"({n}, {p})" if of_main == p else f"({n}, {p}) or ({n}, {of_main})"
        raise ValueError(
            f"knockoffs must have the shape of X, {allowed}, got ({made.n_samples}, {made.n_features})"
        )
    if design.genotypes is not None and made.genotypes is not None:
        _check_same_variants(design.genotypes, made.genotypes)


def check_finite(design: DesignView, knockoffs: Any, which: str) -> None:
    """Refuse NaN and infinity in X, or in its knockoffs but where X has gaps, by the number of the feature.

    The fit, of pairs, names the column of a pair.
    """
    sides = ("X", design, "column"), (which, as_design(knockoffs), "the knockoff of feature")
    for side, view, what in sides:
        for begin in range(0, view.n_features, _COLUMNS_AT_ONCE):
            columns = np.arange(begin, min(begin + _COLUMNS_AT_ONCE, view.n_features), dtype=np.int64)
            finite = np.isfinite(view.gather(columns))
            if design.gaps is not None:
                here = (design.gaps.columns >= begin) & (design.gaps.columns <= columns[-1])
                finite[design.gaps.rows[here], design.gaps.columns[here] - begin] = True
            bad = np.flatnonzero(~finite.all(axis=0))
            if len(bad) == 0:
                continue
            j = begin + int(bad[0])
            named = "" if design.feature_names is None else f" ({design.feature_names[j]})"
            raise ValueError(
                f"{side} must hold finite numbers only, got NaN or infinity in {what} {j}{named}"
            ) from None


def _same_rows(design: DesignView, made: DesignView) -> bool:
    """Whether row i of both designs is the same sample, wherever it is one."""
    total = design.core.shape[0]
    if made.core.shape[0] != total:
        return False
    ours, theirs = (np.arange(total) if rows is None else rows for rows in (design.rows, made.rows))
    return bool(np.array_equal(ours, theirs))


def _in_rows_of(design: DesignView, made: DesignView, knockoffs: Any) -> _core.Design:
    """A copy of knockoffs with their samples where the design of X has them; 2 bits a call stay so."""
    total, p = design.core.shape[0], made.n_features
    ours = np.arange(total, dtype=np.int64) if design.rows is None else design.rows
    step = max(1, _BYTES_AT_ONCE // (8 * total))
    blocks = [np.arange(k, min(k + step, p), dtype=np.int64) for k in range(0, p, step)]
    if isinstance(knockoffs, Genotypes) and all(isinstance(part, PackedPart) for part in knockoffs._parts()):
        packed = np.empty((p, -(-total // 4)), dtype=np.uint8)
        a1 = knockoffs.counted_allele == "A1"
        for block in blocks:
            copies = np.full((total, len(block)), np.nan)
            copies[ours] = knockoffs._decode(block)
            packed[block] = packed_codes(copies, a1)
        include = np.zeros(total, dtype=np.uint8)
        include[ours] = 1
        return _core.plink_design([packed], total, [p], a1, include, None, 1)
    dtype: Any = getattr(knockoffs, "dtype", np.dtype(np.float64))
    out: NDArray[Any] = np.zeros(
        (total, p), dtype=dtype if dtype in VIEWED else np.dtype(np.float64), order="F"
    )
    for block in blocks:
        out[np.ix_(ours, block)] = made.gather(block)
    return _core.dense_design(out)


def _check_same_variants(ours: Genotypes, theirs: Genotypes) -> None:
    """Refuse knockoffs of other variants, or that count other alleles."""
    for name, what in (("feature_names", "variants"), ("effect_allele", "counted alleles")):
        mine, other = getattr(ours, name), getattr(theirs, name)
        differ = differing_rows(mine, other)
        if len(differ):
            j = int(differ[0])
            raise ValueError(
                f"knockoffs must have the {what} of X in the same order, got {str(other[j])!r} where X has "
                f"{str(mine[j])!r}"
            )
