"""The coefficients of a path as tables, for Python: all of them, or those selected at one alpha."""

from __future__ import annotations

from typing import Any

import numpy as np

from riata._io.tables import frame_or_table
from riata.path.coefs import each_output, entry_alphas, side_by_side
from riata.path.group_parts import names_of_groups


def long_table(path: Any) -> Any:
    """See `RegularizationPath.to_frame`."""
    import pandas as pd

    wide, names, outputs = side_by_side(path.coefs), path.feature_names, path.outputs
    column = np.repeat(np.arange(wide.shape[1]), np.diff(wide.indptr))
    output, at = np.divmod(column, len(path))
    order = np.lexsort((output, wide.indices, at))
    rows = wide.indices[order]
    table = {
        "alpha": path.alphas[at[order]],
        "feature": rows if names is None else np.asarray(names[rows]),
        "coef": wide.data[order],
    }
    if outputs is not None:
        table["output"] = outputs[output[order]]
    return pd.DataFrame(table)


def selected_table(path: Any, alpha: float) -> Any:
    """See `RegularizationPath.table`."""
    coef = np.asarray(path.coef(alpha)).reshape(path.n_features, -1)
    entry = np.column_stack([entry_alphas(one, path.alphas) for one in each_output(path.coefs)])
    entry[np.isnan(entry)] = alpha  # an interpolated alpha may hold a feature of the next grid point only
    if path.penalty_factor is not None:
        entry[path.penalty_factor == 0.0] = np.inf
    rows, output = np.nonzero(coef)
    first = np.where(coef != 0.0, entry, -np.inf).max(axis=1)[rows]
    per_sd = coef[rows, output] * path.spreads[rows]
    size = np.abs(coef[rows]).max(axis=1) * path.spreads[rows]
    order = np.lexsort((output, rows, -np.nan_to_num(size), -first))
    rows, output = rows[order], output[order]
    new = np.concatenate([[True], rows[1:] != rows[:-1]])[: len(rows)]
    columns: dict[str, Any] = {"feature": rows if path.feature_names is None else path.feature_names[rows]}
    if path.variants is not None:
        columns |= variant_columns(path.variants, rows)
    if path.groups is not None:
        columns["group"] = names_of_groups(path, alpha, rows)
    if path.outputs is not None:
        columns["output"] = np.asarray(path.outputs)[output]
    columns |= {
        "coef": coef[rows, output],
        "coef_sd": per_sd[order],
        "entry_alpha": entry[rows, output],
        "rank": np.cumsum(new),
    }
    return frame_or_table(columns)


def variant_columns(variants: Any, features: Any) -> dict[str, Any]:
    """Return places, alleles and frequencies of those features that are variants."""
    at = variants.rows(features)
    known = at >= 0
    out: dict[str, Any] = {}
    for name in ("chrom", "effect", "other"):
        column = np.full(len(at), "", dtype=object)
        column[known] = getattr(variants, name).take(at[known]).tolist()
        out["chrom" if name == "chrom" else f"{name}_allele"] = column
    out["frequency"] = np.where(known, variants.frequency[at], np.nan)
    pos = np.where(known, variants.pos[at], 0)
    return {"chrom": out.pop("chrom"), "pos": pos, **out}
