"""The genetic part of a model as a scoring file of the PGS Catalog, and how other programs count it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.output_files import write_tsv
from riata._io.tables import some
from riata._io.wording import counted
from riata.genetics.chromosomes import ChromosomeSet
from riata.losses._known import loss_of
from riata.path.many_classes import file_part
from riata.study.hits import Hits

Float = NDArray[np.float64]

#: Genome builds that readers of the PGS Catalog's format know; NR: not reported.
BUILDS = ("NR", "GRCh37", "GRCh38", "NCBI36", "hg18", "hg19", "hg38")
#: What an id has to begin with to stand in the column rsID.
_RS = ("rs", "ss", "HLA")


def check_build(name: str) -> str:
    """Return a genome build as readers spell it, in any case; ValueError lists those there are."""
    known = {build.lower(): build for build in BUILDS}
    if name.lower() not in known:
        raise ValueError(f"expected one of {', '.join(BUILDS)} (for any other, NR), got {name!r}")
    return known[name.lower()]


@dataclass(frozen=True)
class Copies:
    """How other programs count the selected variants: as PLINK 2 does.

    PLINK counts one copy where riata counts the two that are stored: on Y, on MT, and everywhere in haploid
    species. On Y it counts none in women.

    Attributes
    ----------
    chrom : (k,) array of str
        Plain names; empty for variants without a place.
    pos : (k,) array
        0 for variants without a place.
    scale : (k,) array
        What effects are multiplied by: 2 where PLINK counts one copy for two.
    on_y : (k,) array
    frequency : (k,) array
        Of the effect allele in the fit, where missing calls stand.
    """

    chrom: NDArray[Any]
    pos: NDArray[np.int64]
    scale: Float
    on_y: NDArray[np.bool_]
    frequency: Float


def copies_of(hits: Hits, chromosome_set: ChromosomeSet) -> Copies:
    """Return how other programs count the variants of `hits`."""
    names = [str(name) for name in hits.column("CHROM")]
    kinds = [chromosome_set.kind(name) for name in names]
    pos = np.asarray(hits.column("POS"), dtype=np.int64)
    placed = (pos > 0) & np.array([kind != "unplaced" for kind in kinds], dtype=np.bool_)
    # contigs are called as their files call them
    plain = [
        name if kind == "other" else chromosome_set.plain(name)
        for name, kind in zip(names, kinds, strict=True)
    ]
    haploid = [kind in ("Y", "MT") or (kind == "autosome" and chromosome_set.haploid) for kind in kinds]
    return Copies(
        chrom=np.where(placed, np.array(plain, dtype=object), ""),
        pos=np.where(placed, pos, 0),
        scale=np.where(haploid, 2.0, 1.0),
        on_y=np.array([kind == "Y" for kind in kinds], dtype=np.bool_),
        frequency=hits.frequency,
    )


def write_weights(
    path: Path,
    hits: Hits,
    beta: Float,
    copies: Copies,
    *,
    name: str,
    trait: str,
    loss: str,
    version: str,
    build: str = "NR",
) -> int:
    """Write the selected variants as a scoring file of the PGS Catalog, format 2.0; return how many.

    Variants that the format cannot name, without an rs number and without a place, are left out and named in
    a comment; one that was listed twice, with the same id and alleles, is one row.

    Parameters
    ----------
    path : Path
    hits : Hits
        Of a genotype study.
    beta : (k,) array
        Their effects; those of zero are left out.
    copies : Copies
    name, trait : str
        Of the score, and what it predicts.
    loss : str
    version : str
        Of riata.
    build : str, default "NR"
        Genome build of the positions, one of `BUILDS`.

    References
    ----------
    Lambert et al. (2021). The Polygenic Score Catalog as an open database for reproducibility and systematic
    evaluation. Nature Genetics 53, 420-425.
    """
    named = nameable(hits, copies)
    rows = _rows(hits, beta * copies.scale, copies, (beta != 0.0) & named)
    comments = [f"MADE BY riata {version}"]
    if lost := [str(name) for name in hits.column("ID")[(beta != 0.0) & ~named]]:
        of = counted(len(lost), "variant")
        comments.append(f"LEFT OUT: {of} without an rs number and a place: {some(lost)}")
    if np.any((copies.scale != 1.0) & (beta != 0.0)):
        comments.append(
            "COPIES: one on Y, MT and haploid chromosomes, and none on Y in women, as PLINK counts"
        )
    header = [
        "###PGS CATALOG SCORING FILE - see https://www.pgscatalog.org/downloads/ for the format",
        "#format_version=2.0",
        "##POLYGENIC SCORE (PGS) INFORMATION",
        f"#pgs_id={file_part(name)}",
        f"#pgs_name={_plain(name)}",
        f"#trait_reported={_plain(trait)}",
        f"#genome_build={build}",
        f"#variants_number={len(rows)}",
        f"#weight_type={loss_of(loss).weight_type}",
        *(f"##{comment}" for comment in comments),
    ]
    columns = [(title, [row[k] for row in rows]) for k, title in enumerate(_ROW[:-1])]
    columns.append(("effect_weight", exact(weight for weight, _ in rows.values())))
    columns.append(("allelefrequency_effect", exact(frequency for _, frequency in rows.values())))
    if any(row[-1] for row in rows):
        columns.append(("variant_description", [row[-1] for row in rows]))
    write_tsv(path, columns, comments=header)
    return len(rows)


#: What the PGS Catalog's format tells a variant by.
_ROW = ("rsID", "chr_name", "chr_position", "effect_allele", "other_allele", "variant_description")


def _rows(
    hits: Hits, weight: Float, copies: Copies, kept: NDArray[np.bool_]
) -> dict[tuple[str, ...], tuple[float, float]]:
    """Return weight and frequency of each variant by what tells it; of one listed twice the sum."""
    out: dict[tuple[str, ...], tuple[float, float]] = {}
    for k in np.flatnonzero(kept).tolist():
        name, pos = str(hits.column("ID")[k]), int(copies.pos[k])
        effect, other = (str(hits.column(f"{which}_ALLELE")[k]).upper() for which in ("EFFECT", "OTHER"))
        is_rs = name.startswith(_RS)
        own = "" if is_rs or name == "." else f"ID={name}"
        row = (name if is_rs else "", str(copies.chrom[k]), str(pos or ""), effect, other, own)
        before, frequency = out.get(row, (0.0, float(copies.frequency[k])))
        out[row] = before + float(weight[k]), frequency
    return out


def nameable(hits: Hits, copies: Copies) -> NDArray[np.bool_]:
    """Whether the PGS Catalog's format can name each variant: by an rs number or a place."""
    rs = np.array([str(name).startswith(_RS) for name in hits.column("ID")], dtype=np.bool_)
    return np.asarray(rs | (copies.chrom != ""))


def exact(values: Any) -> list[str]:
    """Write numbers with as many digits as it takes to read the same number back."""
    return [repr(float(value)) for value in values]


def _plain(text: str) -> str:
    """Return text for a line of a header, which readers split at its only ``=``."""
    return " ".join(text.replace("=", ":").split())
