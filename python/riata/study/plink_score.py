"""The genetic part of a model as files for ``plink2 --score``, and the command that adds them up as riata."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.output_files import write_tsv
from riata._io.wording import agree, counted
from riata.genetics.chromosomes import HUMAN, ChromosomeSet
from riata.study.hits import Hits
from riata.study.weights import Copies, exact, nameable

Float = NDArray[np.float64]

SCORE_NOTE = (
    "the sum over variants of weight x copies of the effect allele; the intercept and covariates are not in "
    "it, and missing calls are set to the means of the fit"
)
#: How PLINK 2 opens genotypes, by the ending of their files' names.
_NEW = {
    ".bed": ("--bfile", "NEW"),
    ".pgen": ("--pfile", "NEW"),
    ".bgen": ("--bgen", "NEW.bgen", "ref-first", "--sample", "NEW.sample"),
}


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
    own = agree(shared, "shares its id", "share their id")
    none = agree(shared, "has no id: it is", "have no id: they are")
    what = f"{own} with another or {agree(shared, 'has', 'have')} none: all are" if every else none
    notes = [
        f"{counted(shared, 'selected variant')} {what} named by chromosome, place and alleles",
        "of variants with the same chromosome, place and alleles PLINK takes the first, with the sum of "
        "their weights",
    ]
    if lost := int((~named).sum()):
        have, are = agree(lost, "has", "have"), agree(lost, "is", "are")
        notes.append(f"{lost:,} of them {have} no place either and {are} left out of its sums")
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
    calls = np.asarray(hits.column("N"), dtype=np.float64)[rows]  # which a fit made in Python does not keep
    columns = [
        ("#CHROM", [name or "0" for name in copies.chrom[rows].tolist()]),
        ("ID", names.ids[rows]),
        ("REF", hits.column("OTHER_ALLELE")[rows]),
        ("ALT", hits.column("EFFECT_ALLELE")[rows]),
        ("ALT_FREQS", exact(copies.frequency[rows])),
        *([] if np.isnan(calls).any() else [("OBS_CT", 2 * calls.astype(np.int64))]),
    ]
    write_tsv(path, columns)


def score_command(prefix: str, part: str, names: PlinkNames, file_type: str) -> str:
    """Return how PLINK 2 scores the samples of NEW with ``PREFIX.score``, as it can be typed."""
    words = ["plink2", *_NEW.get(file_type, _NEW[".bed"]), *names.options]
    words += ["--read-freq", f"{prefix}.afreq"]
    words += ["--score", f"{prefix}.{part}score", "1", "2", "3", "header", "cols=+scoresums"]
    return shlex.join(words)


def score_notes(hits: Hits, copies: Copies, names: PlinkNames) -> list[str]:
    """Return what else the other program's user should know."""
    notes = list(names.notes)
    if copies.on_y.any():
        notes.append(
            "PLINK counts Y in men alone: women and samples of unknown sex are set to the mean of the fit "
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
            f"{counted(lost, 'variant')} without an rs number and a place {agree(lost, 'is', 'are')} left "
            f"out of the PGS Catalog's format, which cannot name {agree(lost, 'it', 'them')}"
        )
    return notes
