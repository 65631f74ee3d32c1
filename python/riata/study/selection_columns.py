"""Tables of a stability selection: what was selected, how often everything was, members of groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.selection.bounds import bound_of
from riata.selection.result import StabilitySelected
from riata.study.study import Study

Columns = list[tuple[str, Iterable[Any]]]


def selected_columns(found: StabilitySelected, study: Study) -> Columns:
    """Return one row per selected feature or group, the most frequent first."""
    return _item_columns(found, study, found.selected)


def frequency_columns(found: StabilitySelected, study: Study) -> Columns:
    """Return one row per feature or group that some half selected, the most frequent first."""
    columns = _item_columns(found, study, found.ranked)
    chosen = np.isin(found.ranked, found.selected)
    return [*columns, ("SELECTED", np.where(chosen, "yes", "no"))]


def member_columns(found: StabilitySelected, study: Study) -> Columns:
    """Return one row per feature of the groups that some half selected."""
    members = [found.members(int(item)) for item in found.ranked]
    item = np.repeat(found.ranked, [len(each) for each in members])
    feature = np.concatenate([np.empty(0, dtype=np.int64), *members]).astype(np.int64)
    return [
        ("GROUP", [found.item_name(int(k)) for k in item]),
        *places(study, feature),
        ("FREQ", found.feature_frequency[feature]),
        ("LEAD", np.where(found.lead[item] == feature, "yes", "no")),
    ]


def _item_columns(found: StabilitySelected, study: Study, items: NDArray[np.int64]) -> Columns:
    columns = lead_columns(found, study, items)
    if found.outputs is None:
        sign = found.sign[items]
        columns += [("BETA", found.coef_mean[items]), ("BETA_SD", found.coef_sd[items])]
        columns.append(("SIGN_AGREEMENT", np.maximum(sign, 1.0 - sign)))
    columns += [
        ("FREQ", found.frequency[items]),
        ("SIMULTANEOUS", found.simultaneous[items]),
        ("PFER", [bound_at(found, int(item)) for item in items]),
    ]
    if found.p_values is not None:
        columns.append(("P_VALUE", found.p_values[items]))
    return columns


def lead_columns(found: Any, study: Study, items: NDArray[np.int64]) -> Columns:
    """Return which items these are: groups, where their leads lie, and how frequent those are."""
    lead = found.lead[items]
    columns: Columns = []
    if found.group_names is not None:
        columns = group_columns(found, study, items)
    columns += places(study, lead)
    if found.variants is not None:
        at = found.variants.rows(lead)
        columns.append(("EAF", np.where(at >= 0, found.variants.frequency[at], np.nan)))
    return columns


def bound_at(found: StabilitySelected, item: int) -> float:
    """Return the bound on false selections of a threshold that this item would just have reached."""
    votes = round(float(found.frequency[item]) * found.n_halves)
    value = bound_of(found.plan.q, found.plan.p, votes, found.n_halves // 2, found.plan.bound)
    return min(value, float(found.plan.p))


def group_columns(found: Any, study: Study, items: NDArray[np.int64]) -> Columns:
    """Return names, extents and sizes of groups; `found` knows their names and members."""
    members = [found.members(int(item)) for item in items]
    columns: Columns = [("GROUP", [found.item_name(int(item)) for item in items])]
    if study.is_genotypes:
        pos, chrom = np.asarray(study.features["pos"]), study.features["chrom"]
        one = [len({str(c) for c in chrom[each]}) == 1 for each in members]
        columns += [
            (
                "FROM",
                [int(pos[each].min()) if same else "NA" for each, same in zip(members, one, strict=True)],
            ),
            ("TO", [int(pos[each].max()) if same else "NA" for each, same in zip(members, one, strict=True)]),
        ]
    columns.append(("N_VARIANTS" if study.is_genotypes else "N_FEATURES", [len(each) for each in members]))
    return columns


def places(study: Study, features: NDArray[np.int64]) -> Columns:
    """Return names of features, of variants also where they lie and their alleles."""
    table = study.features
    if not study.is_genotypes:
        return [("FEATURE", np.asarray([str(name) for name in table["name"][features]], dtype=object))]
    main: Any = study.main
    return [
        ("CHROM", table["chrom"][features]),
        ("POS", np.asarray(table["pos"])[features]),
        ("ID", table["id"][features]),
        ("EFFECT_ALLELE", main.effect_allele[features]),
        ("OTHER_ALLELE", main.other_allele[features]),
    ]
