"""How results of the knockoff filter are kept in ``.npz`` archives, and read back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from riata.knockoffs import KnockoffCheck
from riata.path.archive import variants_in
from riata.selection.archive import names_arrays, names_in, sparse_arrays, sparse_in
from riata.selection.knockoff_result import KnockoffSelected

FORMAT = 1
KIND = "knockoffs"
#: Fields that are numbers and words.
_PLAIN = (
    "fdr", "n_items", "statistic", "offset", "loss", "outputs", "n_samples", "seed", "sampler", "columns",
    "notes",
)  # fmt: skip


def arrays_of(found: KnockoffSelected) -> dict[str, Any]:
    """Return the arrays that keep a result, read back by `knockoffs_of`."""
    arrays: dict[str, Any] = {"draws": found.draws, "alphas": found.alphas, "of_feature": found.of_feature}
    arrays |= sparse_arrays("coefs", found.coefs) | sparse_arrays("strengths", found.strengths)
    if found.group_names is not None:
        arrays["group_names"] = found.group_names
    arrays |= names_arrays(found.feature_names)
    if found.variants is not None:
        arrays |= found.variants.to_arrays()
    meta: dict[str, Any] = {"kind": KIND, "format": FORMAT}
    meta |= {name: getattr(found, name) for name in _PLAIN}
    meta["check"] = None if found.check is None else asdict(found.check)
    return arrays | {"meta": np.array(json.dumps(meta))}


def knockoffs_of(arrays: dict[str, Any]) -> KnockoffSelected:
    """Restore what `arrays_of` gave the arrays of."""
    meta = json.loads(str(arrays["meta"]))
    draws, of_feature = arrays["draws"], arrays["of_feature"]
    if draws.ndim != 2 or draws.shape[1] != meta["n_items"]:
        raise ValueError(f"draws must have {meta['n_items']} columns, got shape {draws.shape}")
    features, width = len(of_feature), meta["outputs"] or 1
    check = meta["check"]
    return KnockoffSelected(
        draws=draws,
        strengths=sparse_in(arrays, "strengths", (len(draws), features)),
        coefs=sparse_in(arrays, "coefs", (len(draws), features * width)),
        alphas=arrays["alphas"],
        of_feature=of_feature,
        group_names=arrays.get("group_names"),
        feature_names=names_in(arrays),
        variants=variants_in(arrays),
        check=None if check is None else KnockoffCheck(**check),
        **{name: meta[name] for name in _PLAIN},
    )
