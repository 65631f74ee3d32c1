"""Whether a table lies on its side: rows that are called as genes are, columns as samples."""

from __future__ import annotations

import re
from collections.abc import Sequence

from riata._io.tables import some

#: Headers of a first column that names features.
_FEATURE_HEADERS = re.compile(
    r"(gene|symbol|probe|probeset|feature|ensembl|transcript|protein|peptide|metabolite|taxon|snp|cpg|mirna|"
    r"hgnc)(s|[ _.-]?(ids?|names?|symbols?))*",
    re.IGNORECASE,
)
_FEATURES = re.compile(
    r"ENS[A-Z]*[GT]\d{6,}(\.\d+)?|rs\d+(_[ACGT]+)?|cg\d{8}|\d+(_[a-z])?_at|AFFX-.*|ILMN_\d+|[NX][MR]_\d+(\.\d+)?"
    r"|hsa-(mir|let)-.*|chr\w+[:_]\d+.*|[OPQ]\d[A-Z0-9]{3}\d",
    re.IGNORECASE,
)
_SAMPLES = re.compile(
    r"GSM\d+.*|TCGA-.*|[SED]R[RSX]\d+.*|(HG|NA)\d{5}|(sample|patient|subject|donor|control|case|tumou?r|normal)"
    r"[ _.-]?\d+.*|[ACGT]{12,}(-\d+)?",
    re.IGNORECASE,
)
_LOOKED_AT = 200


def transposed_hint(
    samples: Sequence[object], features: Sequence[object], id_header: str, orient: str
) -> str:
    """Say that a table may have been read the wrong way round; empty when nothing points to it."""
    headed = _FEATURE_HEADERS.fullmatch(id_header) is not None and orient == "samples-rows"
    as_features, as_samples = _share(_FEATURES, samples), _share(_SAMPLES, features)
    if not (headed or as_features > 0.5 or as_samples > 0.5):
        return ""
    if _share(_SAMPLES, samples) > 0.5 or _share(_FEATURES, features) > 0.5:
        return ""
    told = [f"{some(samples, 2)} look like features"] if headed or as_features > 0.5 else []
    told += [f"{some(features, 2)} look like samples"] if as_samples > 0.5 else []
    remedy = "--orient samples-columns" if orient == "samples-rows" else "without --orient samples-columns"
    return f"{', '.join(told)}: is the table to be read the other way round ({remedy})?"


def _share(pattern: re.Pattern[str], names: Sequence[object]) -> float:
    looked_at = [str(name) for name in names[:_LOOKED_AT]]
    return sum(pattern.fullmatch(name) is not None for name in looked_at) / max(len(looked_at), 1)
