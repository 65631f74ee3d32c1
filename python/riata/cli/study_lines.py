"""What a run says of the samples and features that it read, and of those that it left out."""

from __future__ import annotations

from typing import Any

from riata._io.tables import some
from riata._io.wording import agree, counted, counted_of
from riata.distributed.held_genotypes import HeldGenotypes
from riata.genetics.genotypes import Genotypes
from riata.genetics.quality import repeated_sites
from riata.study.study import Study


def study_lines(study: Study, prefix: str) -> list[str]:
    """Return what was read and what was left out."""
    lines = ["Samples", *study.join.lines()]
    if study.join.lost:
        lines.append(f"  {counted(len(study.join.lost), 'sample')} dropped: see {prefix}.dropped.tsv")
    return lines + feature_lines(study, prefix)


def feature_lines(study: Study, prefix: str) -> list[str]:
    """Return which features take part."""
    lines = ["Features"]
    lines += [f"  {counted_of(count, study.noun)} left out: {why}" for why, count in study.left_out]
    lines.append(f"  {counted_of(study.n_features, study.noun)}")
    reasons: dict[str, int] = {}
    for _, why in study.excluded:
        reasons[why] = reasons.get(why, 0) + 1
    if study.groups is not None:
        lines += [f"  {line}" for line in study.groups.lines(study.noun)]
        lines.append(f"  what each group lists and has here is in {prefix}.sets.tsv")
    if study.univariate is not None:
        lines += [f"  {line}" for line in study.univariate.lines(study.noun)]
    lines += [f"  {count:,} set aside: {why}" for why, count in reasons.items()]
    if study.excluded:
        lines.append(f"  listed in {prefix}.excluded.tsv")
    if isinstance(study.main, Genotypes):
        missing = float(study.main.counts()[:, 3].mean()) / study.main.shape[0]
        lines.append(
            f"  counting allele {study.main.counted_allele}{allele_source(study.main)}; "
            f"{100 * missing:.2g} % of calls missing"
        )
        lines += _duplicates(study.main)
    if isinstance(study.main, HeldGenotypes):
        lines.append(f"  {_where(study.main.cluster())}")
    if study.covariate_names:
        lines.append(f"  covariates, not penalised: {some(study.covariate_names)}")
    return lines


def _where(cluster: dict[str, Any]) -> str:
    """Say which workers hold the genotypes, and how."""
    how = "in memory" if cluster["load"] == "memory" else "mapped"
    if cluster["scratch"] is not None:
        how = f"mapped from copies in {cluster['scratch']}"
    workers, threads = counted(cluster["workers"], "worker"), counted(cluster["threads"], "thread")
    return f"held by {workers} ({threads}) of {cluster['scheduler']}, {how}"


def _duplicates(geno: Genotypes) -> list[str]:
    """Say how many variants are listed again, which other programs may refuse."""
    table = geno.variants
    told = (
        (repeated_sites(geno) & (table.pos > 0), "chromosome, position and alleles"),
        (table.id.repeated() & ~table.id.isin([".", ""]), "the id"),
    )
    counts = [(int(mask.sum()), what) for mask, what in told]
    return [
        f"  note: {counted(n, 'variant')} {agree(n, 'shares', 'share')} {what} with an earlier one: all are "
        "kept"
        for n, what in counts
        if n
    ]


def allele_source(geno: Genotypes) -> str:
    """Say where the allele that is counted has its name."""
    if geno.path.endswith(".bed"):
        return " of the .bim"
    return ", the alternative one" if geno.counted_allele == "A1" else ", the reference one"
