"""What a run reads and how its samples are dealt out: typed, and named as on the command line."""

from __future__ import annotations

from dataclasses import dataclass

#: Options that name the column that folds go by, or halves of the samples.
FOLD_OPTIONS = ("fold_groups", "folds", "time_order", "blocks")

Names = tuple[str, ...]


@dataclass(frozen=True)
class SourceOptions:
    """Where the features are: one of ``bfile, pfile, bgen, matrix``, and how it is to be read."""

    bfile: str | Names | None = None
    pfile: str | Names | None = None
    bgen: str | Names | None = None
    sample: str | None = None
    chr_set: Names | None = None
    matrix: str | None = None
    orient: str = "samples-rows"
    feature_names: str | None = None
    sample_ids: str | None = None
    layer: str | None = None


@dataclass(frozen=True)
class StudyOptions(SourceOptions):
    """A source, and which response, covariates, samples and features of it.

    `fit_validation` makes the validation part of a split take part in the fit, for folds that are drawn from
    both.
    """

    scheduler: str | None = None
    scheduler_file: str | None = None
    load: str | None = None
    scratch: str | None = None
    target: str | None = None
    drop: Names = ()
    pheno: str | None = None
    pheno_name: str | None = None
    time: str | None = None
    event: str | None = None
    entry: str | None = None
    strata: str | None = None
    offset: str | None = None
    ties: str | None = None
    huber_delta: float | None = None
    covar: str | None = None
    covar_name: Names | None = None
    cat_covar: Names = ()
    split: str | None = None
    fold_groups: str | None = None
    folds: str | None = None
    time_order: str | None = None
    blocks: str | None = None
    populations: str | None = None
    fit_validation: bool = False
    keep: str | None = None
    remove: str | None = None
    extract: str | None = None
    exclude: str | None = None
    chrom: Names | None = None
    maf: float = 0.0
    geno: float = 1.0
    hwe: float = 0.0
    counted_allele: str = "A1"
    missing_code: str | None = None
    positive: str | None = None
    loss: str | None = None
    groups: str | None = None
    univariate: str | None = None
    min_set_size: int | None = None
    max_set_size: int | None = None
    sets_only: bool = False
    duplicates: str | None = None
    impute: str | None = None

    @property
    def sample_columns(self) -> list[str]:
        """Columns that part the samples: they are neither features nor covariates nor phenotypes."""
        given = [self.split, self.populations, *(getattr(self, option) for option in FOLD_OPTIONS)]
        return [name for name in dict.fromkeys(given) if name is not None]


@dataclass(frozen=True)
class FoldOptions:
    """How cross-validation deals samples out to folds, and how it chooses along the path."""

    cv: int | None = None
    repeats: int = 1
    seed: int = 0
    select: str = "min"
    patience: int | None = None  # 0: off
    nested: int | bool | None = None
