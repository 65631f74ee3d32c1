"""The genetic part of a model as files that other programs score with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.hits import Hits
from riata.outputs import write_tsv

#: How PLINK reads ``PREFIX.score``: columns of id, allele and weight.
SCORE_COMMAND = "plink2 --bfile NEW --score {file} 1 2 3 header cols=+scoresums"
SCORE_NOTE = (
    "the sum over variants of weight x copies of the effect allele; the intercept and covariates are not in "
    "it, and missing calls stand at the mean of the samples being scored, not of those fitted"
)
#: As the PGS Catalog words them; the ratio of rates is no type of its own there.
_WEIGHT_TYPES = {"binomial": "log(OR)", "multinomial": "log(OR)", "cox": "log(HR)", "poisson": "log(RR)"}


def write_weights(
    path: Path,
    hits: Hits,
    beta: NDArray[np.float64],
    *,
    name: str,
    trait: str,
    loss: str,
    version: str,
    build: str = "NR",
) -> None:
    """Write the selected variants as a scoring file of the PGS Catalog, format 2.0.

    Parameters
    ----------
    path : Path
    hits : Hits
        Of a genotype study.
    beta : (k,) array
        Their effects; those of zero are left out.
    name, trait : str
        Of the score, and what it predicts.
    loss : str
    version : str
        Of riata.
    build : str, default "NR"
        Genome build of the positions; NR: not reported.

    References
    ----------
    Lambert et al. (2021). The Polygenic Score Catalog as an open database for reproducibility and systematic
    evaluation. Nature Genetics 53, 420-425.
    """
    kept = beta != 0.0
    header = [
        "###PGS CATALOG SCORING FILE - see https://www.pgscatalog.org/downloads/ for the format",
        "#format_version=2.0",
        "##POLYGENIC SCORE (PGS) INFORMATION",
        f"#pgs_name={_plain(name)}",
        f"#trait_reported={_plain(trait)}",
        f"#genome_build={_plain(build)}",
        f"#variants_number={int(kept.sum())}",
        f"#weight_type={_WEIGHT_TYPES.get(loss, 'beta')}",
        f"##MADE BY riata {version}",
    ]
    columns = [
        ("rsID", hits.column("ID")[kept]),
        ("chr_name", hits.column("CHROM")[kept]),
        ("chr_position", hits.column("POS")[kept]),
        ("effect_allele", hits.column("EFFECT_ALLELE")[kept]),
        ("other_allele", hits.column("OTHER_ALLELE")[kept]),
        ("effect_weight", exact(beta[kept])),
        ("allelefrequency_effect", hits.column("EAF")[kept]),
    ]
    write_tsv(path, columns, comments=header)


def write_score(path: Path, hits: Hits, beta: NDArray[np.float64]) -> None:
    """Write id, effect allele and weight of each variant whose weight is not zero, for ``plink --score``."""
    kept = beta != 0.0
    ids, alleles = hits.column("ID")[kept], hits.column("EFFECT_ALLELE")[kept]
    write_tsv(path, [("ID", ids), ("A1", alleles), ("BETA", exact(beta[kept]))])


def score_problem(hits: Hits) -> str:
    """Say which ids keep other programs from telling variants apart; empty when none does."""
    names, counts = np.unique([str(name) for name in hits.column("ID")], return_counts=True)
    again = int(counts[(counts > 1) | (names == ".")].sum())
    if again == 0:
        return ""
    return f"{again:,} selected variants share their id with another or have none: give them ids of their own"


def exact(values: Any) -> list[str]:
    """Write numbers with as many digits as it takes to read the same number back."""
    return [repr(float(value)) for value in values]


def _plain(text: str) -> str:
    return " ".join(text.split())
