"""How results of stability selection are kept in ``.npz`` archives, and read back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import scipy.sparse as sp

from riata._input.features import Names
from riata._io.text_columns import PlainColumn, TextColumn, plain_column
from riata.path.archive import variants_in
from riata.selection.plan import StabilityPlan
from riata.selection.result import StabilitySelected

FORMAT = 1
#: Fields that are numbers and words.
_PLAIN = (
    "n_items", "loss", "outputs", "n_samples", "seed", "splits_without_p_values", "at_end", "columns",
    "notes",
)  # fmt: skip


def arrays_of(found: StabilitySelected) -> dict[str, Any]:
    """Return the arrays that keep a result, read back by `selected_of`."""
    arrays: dict[str, Any] = {}
    for name in ("coefs", "ranks"):
        arrays |= sparse_arrays(name, getattr(found, name))
    for name in ("sizes", "of_feature", "group_names", "p_values"):
        if getattr(found, name) is not None:
            arrays[name] = getattr(found, name)
    arrays |= names_arrays(found.feature_names)
    if found.variants is not None:
        arrays |= found.variants.to_arrays()
    plan = asdict(found.plan)
    plan["bounds"] = {name: value if np.isfinite(value) else None for name, value in plan["bounds"].items()}
    meta = {"kind": "stability", "format": FORMAT, "plan": plan}
    meta |= {name: getattr(found, name) for name in _PLAIN}
    return arrays | {"meta": np.array(json.dumps(meta))}


def selected_of(arrays: dict[str, Any]) -> StabilitySelected:
    """Restore what `arrays_of` gave the arrays of."""
    meta = json.loads(str(arrays["meta"]))
    plan = dict(meta["plan"])
    plan["bounds"] = {name: np.inf if value is None else value for name, value in plan["bounds"].items()}
    halves, features, width = len(arrays["sizes"]), len(arrays["of_feature"]), meta["outputs"] or 1
    parts = {
        name: sparse_in(arrays, name, shape)
        for name, shape in (("coefs", (halves, features * width)), ("ranks", (halves, meta["n_items"])))
    }
    rest = {name: meta[name] for name in _PLAIN}
    return StabilitySelected(
        plan=StabilityPlan(**plan),
        **parts,
        sizes=arrays["sizes"],
        of_feature=arrays["of_feature"],
        group_names=arrays.get("group_names"),
        feature_names=names_in(arrays),
        variants=variants_in(arrays),
        p_values=arrays.get("p_values"),
        **rest,
    )


def sparse_arrays(name: str, rows: Any) -> dict[str, Any]:
    """The arrays of a sparse matrix."""
    return {f"{name}_{part}": getattr(rows, part) for part in ("data", "indices", "indptr")}


def sparse_in(arrays: dict[str, Any], name: str, shape: tuple[int, int]) -> Any:
    """Restore the matrix of `sparse_arrays`, checked."""
    rows = sp.csr_array(
        tuple(arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr")), shape=shape
    )
    rows.check_format(full_check=True)
    return rows


def names_arrays(names: Names | None) -> dict[str, Any]:
    """The arrays of the names of features."""
    if isinstance(names, TextColumn):
        plain = plain_column(names)
        return {"feature_names_data": plain.data, "feature_names_offsets": plain.offsets}
    return {} if names is None else {"feature_names": names}


def names_in(arrays: dict[str, Any]) -> Names | None:
    """Restore the names of `names_arrays`."""
    if "feature_names_offsets" in arrays:
        return PlainColumn(arrays["feature_names_data"], arrays["feature_names_offsets"])
    return arrays.get("feature_names")
