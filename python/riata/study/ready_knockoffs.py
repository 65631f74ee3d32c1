"""Knockoffs from elsewhere: a second ``.bed`` or table, lined up with the samples and features in use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.tables import some
from riata.genetics.genotypes import Genotypes
from riata.genetics.opening import open_genotypes
from riata.knockoffs import Knockoffs
from riata.knockoffs._exchange import exchange_file, parted, read_exchange
from riata.study.matrices import read_matrix
from riata.study.resolutions import Resolution
from riata.study.study import Studies

Rows = NDArray[np.int64]
FLAG = "--knockoffs"


def files_of(name: str, *, genotypes: bool) -> list[str]:
    """Return the files that ``--knockoffs`` names; last the groups that are kept beside them, if any.

    Raises
    ------
    FileNotFoundError
        When one is missing.
    """
    stem = name.removesuffix(".bed")
    files = [f"{stem}.{kind}" for kind in ("bed", "bim", "fam")] if genotypes else [name]
    for file in files:
        if not Path(file).is_file():
            kinds = "auto, gaussian or haplotypes, or a file of knockoffs"
            raise FileNotFoundError(f"{FLAG} must be {kinds}, got {name}: there is no {file}")
    beside = exchange_file(files[0])
    return [*files, *([str(beside)] if beside.is_file() else [])]


def read_ready(name: str, joint: Studies) -> Knockoffs:
    """Read knockoffs of the features of some studies, for the samples of any of them, and their groups.

    Samples and features are matched by name; those that are not in use are passed over.

    Raises
    ------
    ValueError
        Naming samples or features that it lacks, or whose alleles differ.
    OSError
        When it cannot be read.
    """
    main = joint.X.main
    X, columns, names = _genotypes(name, main) if isinstance(main, Genotypes) else _table(name, joint)
    beside = exchange_file(files_of(name, genotypes=isinstance(main, Genotypes))[0])
    labels, fixed = read_exchange(beside, names) if beside.is_file() else (None, None)
    return Knockoffs(
        X,
        groups=None if labels is None else labels[columns],
        sampler=f"read from {name}",
        fixed=None if fixed is None else fixed[columns],
    )


def check_made_for(made: Knockoffs, name: str, joint: Studies, resolution: Resolution) -> None:
    """Refuse knockoffs of groups that a resolution parts.

    Raises
    ------
    ValueError
        Naming two features that change places together, but are selected apart.
    """
    if made.labels is None:
        return
    p = len(made.labels)
    items = np.arange(p, dtype=np.int64) if resolution.labels is None else resolution.labels[:p]
    for study in joint.studies:
        of = np.ones(p, dtype=np.bool_)
        of[[j for j, _ in study.excluded if j < p]] = False
        apart = parted(made.labels, items, of)
        if apart is None:
            continue
        a, b = (str(study.features["id" if study.is_genotypes else "name"][j]) for j in apart)
        option = "--ld-groups" if study.is_genotypes and study.groups is None else "--groups"
        raise ValueError(
            f"{FLAG} {name} was made for groups that are parted here: {a} and {b} change places with their "
            f"knockoffs together, so that neither is selected alone; give {option} as when it was made, or "
            "coarser groups"
        )


def _genotypes(name: str, main: Genotypes) -> tuple[Genotypes, Rows, list[str]]:
    """Knockoffs of the genotypes in use, where these stand in the file, and the names of all it has."""
    file, allele = files_of(name, genotypes=True)[0], main.counted_allele
    found = open_genotypes(file, counted_allele=allele, chr_set=main.chromosome_set)  # type: ignore[arg-type]
    rows = _places(_pairs(found), _pairs(main), f"{FLAG} {file}", "samples")
    mine, theirs = _sites(main), _sites(found)
    columns = np.arange(len(mine)) if mine == theirs else _places(theirs, mine, f"{FLAG} {file}", "variants")
    out = found.subset(
        samples=None if np.array_equal(rows, np.arange(len(found))) else rows,
        variants=None if np.array_equal(columns, np.arange(found.shape[1])) else columns,
    )
    for part, other in ((out.effect_allele, main.effect_allele), (out.other_allele, main.other_allele)):
        differ = np.flatnonzero(np.asarray(part[:]) != np.asarray(other[:]))
        if len(differ):
            j = int(differ[0])
            raise ValueError(
                f"{FLAG} {file}: variant {main.variants.id[j]} has the alleles {out.effect_allele[j]} and "
                f"{out.other_allele[j]}, where the genotypes have {main.effect_allele[j]} and "
                f"{main.other_allele[j]}"
            )
    return out, columns, [str(each) for each in found.feature_names]


def _pairs(geno: Genotypes) -> list[tuple[str, str]]:
    return list(zip(map(str, geno.samples.fid), map(str, geno.samples.iid), strict=True))


def _sites(geno: Genotypes) -> list[tuple[str, int, str]]:
    table = geno.variants
    plain = {str(name): geno.chromosome_set.plain(str(name)) for name in set(map(str, table.chrom))}
    places = np.asarray(table.pos).tolist()
    return list(zip([plain[str(c)] for c in table.chrom], places, map(str, table.id), strict=True))


def _table(name: str, joint: Studies) -> tuple[NDArray[Any], Rows, list[str]]:
    """Knockoffs of the table in use, where its features stand in the file, and the names of all it has."""
    first = joint.studies[0]
    table = read_matrix(files_of(name, genotypes=False)[0], duplicates=first.duplicates)
    features = [str(feature) for feature in first.features["name"]]
    names = [str(each) for each in table.feature_names]
    columns = _places(names, features, f"{FLAG} {name}", "features")
    rows = _places(_sample_names(table.samples(np.arange(table.shape[0]))), joint_names(joint),
                   f"{FLAG} {name}", "samples")  # fmt: skip
    chosen = table.X[rows][:, columns]
    X = np.asarray(chosen.toarray() if hasattr(chosen, "toarray") else chosen)
    if np.isnan(X).any():
        raise ValueError(f"{FLAG} {name}: knockoffs must be complete, got missing values")
    return X, columns, names


def _sample_names(samples: Any) -> list[str]:
    columns = [map(str, samples[name]) for name in samples.columns]
    return [" ".join(cells) for cells in zip(*columns, strict=True)]


def joint_names(joint: Studies) -> list[str]:
    """Names of the samples of any study, in the order of the rows of their X."""
    out = [""] * len(joint.X)
    for study, rows in zip(joint.studies, joint.rows, strict=True):
        for row, name in zip(rows.tolist(), _sample_names(study.samples), strict=True):
            out[row] = name
    return out


def _places(there: Sequence[Any], wanted: Sequence[Any], where: str, what: str) -> Rows:
    """Return where each of `wanted` stands in `there`."""
    at: dict[Any, int] = {}
    for k, name in enumerate(there):
        at.setdefault(name, k)
    missing = [name for name in wanted if name not in at]
    if missing:
        told = [" ".join(map(str, name)) if isinstance(name, tuple) else name for name in missing]
        raise ValueError(
            f"{where} must hold all {len(wanted):,} {what} in use, got none of the name {some(told, 3)}"
        )
    return np.array([at[name] for name in wanted], dtype=np.int64)
