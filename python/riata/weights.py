"""The genetic part of a model as files that other programs score with."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.chromosomes import HUMAN, ChromosomeSet
from riata.hits import Hits
from riata.many_classes import file_part
from riata.outputs import write_tsv
from riata.tables import some

Float = NDArray[np.float64]

SCORE_NOTE = (
    "the sum over variants of weight x copies of the effect allele; the intercept and covariates are not in "
    "it, and missing calls stand at the means of the fit"
)
#: Genome builds that readers of the PGS Catalog's format know; NR: not reported.
BUILDS = ("NR", "GRCh37", "GRCh38", "NCBI36", "hg18", "hg19", "hg38")
#: As the PGS Catalog words them; the ratio of rates is no type of its own there.
_WEIGHT_TYPES = {"binomial": "log(OR)", "multinomial": "log(OR)", "cox": "log(HR)", "poisson": "log(RR)"}
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
    a comment.

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
    kept = (beta != 0.0) & named
    ids = [str(name) for name in hits.column("ID")[kept]]
    is_rs = [name.startswith(_RS) for name in ids]
    comments = [f"MADE BY riata {version}"]
    if lost := [str(name) for name in hits.column("ID")[(beta != 0.0) & ~named]]:
        comments.append(f"LEFT OUT: {len(lost)} variants without an rs number and a place: {some(lost)}")
    if np.any(copies.scale[kept] != 1.0):
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
        f"#variants_number={len(ids)}",
        f"#weight_type={_WEIGHT_TYPES.get(loss, 'beta')}",
        *(f"##{comment}" for comment in comments),
    ]
    columns: list[tuple[str, Any]] = [
        ("rsID", [name if rs else "" for name, rs in zip(ids, is_rs, strict=True)]),
        ("chr_name", copies.chrom[kept]),
        ("chr_position", [pos or "" for pos in copies.pos[kept].tolist()]),
        ("effect_allele", [str(allele).upper() for allele in hits.column("EFFECT_ALLELE")[kept]]),
        ("other_allele", [str(allele).upper() for allele in hits.column("OTHER_ALLELE")[kept]]),
        ("effect_weight", exact((beta * copies.scale)[kept])),
        ("allelefrequency_effect", exact(copies.frequency[kept])),
    ]
    if not all(is_rs):
        own = [f"ID={name}" if not rs and name != "." else "" for name, rs in zip(ids, is_rs, strict=True)]
        columns.append(("variant_description", own))
    write_tsv(path, columns, comments=header)
    return len(ids)


def nameable(hits: Hits, copies: Copies) -> NDArray[np.bool_]:
    """Whether the PGS Catalog's format can name each variant: by an rs number or a place."""
    rs = np.array([str(name).startswith(_RS) for name in hits.column("ID")], dtype=np.bool_)
    return np.asarray(rs | (copies.chrom != ""))


@dataclass(frozen=True)
class PlinkNames:
    """What PLINK 2 calls the selected variants, and the options that make it do so.

    Attributes
    ----------
    ids : (k,) array of str
    named : (k,) array
        Those that have one.
    options : tuple of str
    notes : tuple of str
    """

    ids: NDArray[Any]
    named: NDArray[np.bool_]
    options: tuple[str, ...]
    notes: tuple[str, ...]


def plink_names(hits: Hits, copies: Copies, chromosome_set: ChromosomeSet) -> PlinkNames:
    """Return ids that tell the selected variants apart in PLINK 2, and the options that it needs for them.

    Where ids do not, variants are called by chromosome, place and alleles: those without an id, or all where
    ids are repeated.
    """
    ids = np.array([str(name) for name in hits.column("ID")], dtype=object)
    options = [] if chromosome_set == HUMAN else ["--chr-set", *str(chromosome_set).split()]
    if any(chromosome_set.kind(str(name)) == "other" for name in hits.column("CHROM")):
        options.append("--allow-extra-chr")
    if not hits.shared.any():
        return PlinkNames(ids, np.ones(len(ids), dtype=np.bool_), tuple(options), ())
    blank = ids == "."
    every = bool(np.any(hits.shared & ~blank))
    renamed = np.ones(len(ids), dtype=np.bool_) if every else blank
    alleles = [
        sorted((str(one), str(two)))
        for one, two in zip(hits.column("EFFECT_ALLELE"), hits.column("OTHER_ALLELE"), strict=True)
    ]
    for k in np.flatnonzero(renamed).tolist():
        ids[k] = ":".join([str(copies.chrom[k]), str(copies.pos[k]), *alleles[k]])
    named = ~renamed | (copies.chrom != "")
    longest = max(len(allele) for pair in alleles for allele in pair)
    if np.all(copies.chrom[named] != ""):
        options += ["--not-chr", "0"]  # PLINK 2 of 2022 cannot name variants at 0
    options += ["--output-chr", "MT", f"--set-{'all' if every else 'missing'}-var-ids", "@:#:$1:$2"]
    options += ["--new-id-max-allele-len", str(max(longest, 23)), "missing", "--rm-dup", "force-first"]
    shared = int(hits.shared.sum())
    what = "share their id with another or have none: all" if every else "have no id: they"
    notes = [
        f"{shared:,} selected variants {what} are named by chromosome, place and alleles",
        "of variants with the same chromosome, place and alleles PLINK takes the first, with the sum of "
        "their weights",
    ]
    if lost := int((~named).sum()):
        notes.append(f"{lost:,} of them have no place either and are left out of its sums")
    return PlinkNames(ids, np.asarray(named), tuple(options), tuple(notes))


def write_score(path: Path, hits: Hits, beta: Float, copies: Copies, names: PlinkNames) -> int:
    """Write id, allele and weight of what ``plink2 --score`` adds up; return how many variants it is.

    A variant on Y has a line for each allele, whose weights cancel at the mean of the fit, where women stand
    who count 0 copies there; what this mean adds is in two more weights, of both alleles of `mean_carrier`.
    """
    kept = (beta != 0.0) & names.named
    carrier = mean_carrier(kept, copies)
    weights: dict[tuple[str, str], float] = {}  # summed where a variant was listed twice

    def add(k: int, allele: str, weight: float) -> None:
        key = str(names.ids[k]), str(hits.column(allele)[k])
        weights[key] = weights.get(key, 0.0) + weight

    for k in np.flatnonzero(kept).tolist():
        weight = float(beta[k] * copies.scale[k])
        if not copies.on_y[k]:
            add(k, "EFFECT_ALLELE", weight)
            continue
        mean = weight * float(copies.frequency[k])
        add(k, "EFFECT_ALLELE", weight - mean)
        add(k, "OTHER_ALLELE", -mean)
        if carrier is not None:
            for allele in ("EFFECT_ALLELE", "OTHER_ALLELE"):
                add(carrier, allele, mean * float(copies.scale[carrier]) / 2.0)
    if not weights and names.named.any():  # PLINK refuses a file of none
        add(int(np.argmax(names.named)), "EFFECT_ALLELE", 0.0)
    ids, alleles = [name for name, _ in weights], [allele for _, allele in weights]
    write_tsv(path, [("ID", ids), ("A1", alleles), ("BETA", exact(weights.values()))])
    return int(kept.sum())


def mean_carrier(kept: NDArray[np.bool_], copies: Copies) -> int | None:
    """Return the first variant that everybody has copies of; None when there is none or no need of it."""
    others = np.flatnonzero(kept & ~copies.on_y)
    return int(others[0]) if len(others) and np.any(kept & copies.on_y) else None


def write_frequencies(path: Path, hits: Hits, copies: Copies, names: PlinkNames) -> None:
    """Write the frequencies of the fit as ``plink2 --freq`` does, for ``--read-freq``."""
    _, first = np.unique(names.ids.astype(str), return_index=True)
    rows = np.array([k for k in sorted(first.tolist()) if names.named[k]], dtype=np.int64)
    columns = [
        ("#CHROM", [name or "0" for name in copies.chrom[rows].tolist()]),
        ("ID", names.ids[rows]),
        ("REF", hits.column("OTHER_ALLELE")[rows]),
        ("ALT", hits.column("EFFECT_ALLELE")[rows]),
        ("ALT_FREQS", exact(copies.frequency[rows])),
        ("OBS_CT", 2 * np.asarray(hits.column("N"), dtype=np.int64)[rows]),
    ]
    write_tsv(path, columns)


def score_command(prefix: str, part: str, names: PlinkNames) -> str:
    """Return how PLINK 2 scores the samples of NEW with ``PREFIX.score``, as it can be typed."""
    words = ["plink2", "--bfile", "NEW", *names.options, "--read-freq", f"{prefix}.afreq"]
    words += ["--score", f"{prefix}.{part}score", "1", "2", "3", "header", "cols=+scoresums"]
    return shlex.join(words)


def score_notes(hits: Hits, copies: Copies, names: PlinkNames) -> list[str]:
    """Return what else the other program's user should know."""
    notes = list(names.notes)
    if copies.on_y.any():
        notes.append(
            "PLINK counts Y in men alone: women and samples of unknown sex stand at the mean of the fit "
            "there, whatever their calls; so variants on Y have a line for each allele, and another variant "
            "has one more, which adds that mean"
        )
        betas = list(hits.by_class.values()) or [hits.beta]
        for beta in betas:
            kept = (beta != 0.0) & names.named
            if np.any(kept) and mean_carrier(kept, copies) is None and np.any(kept & copies.on_y):
                mean = float((beta * copies.scale * copies.frequency)[kept].sum())
                notes.append(f"all variants are on Y: add {mean:.6g} to its sums")
    if lost := int((~nameable(hits, copies)).sum()):
        notes.append(
            f"{lost:,} variants without an rs number and a place are left out of the PGS Catalog's format, "
            "which cannot name them"
        )
    return notes


def exact(values: Any) -> list[str]:
    """Write numbers with as many digits as it takes to read the same number back."""
    return [repr(float(value)) for value in values]


def _plain(text: str) -> str:
    """Return text for a line of a header, which readers split at its only ``=``."""
    return " ".join(text.replace("=", ":").split())
