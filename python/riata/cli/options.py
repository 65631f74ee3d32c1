"""What the parser makes of a command line: one frozen dataclass per verb, made of those that verbs share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riata.study.options import FoldOptions, SourceOptions, StudyOptions

#: For how many alphas `riata cv` goes on where held-out samples score worse than at best.
DEFAULT_PATIENCE = 10


@dataclass(frozen=True)
class Command:
    """A command line for records: its verb, the line to type again, and each option by its name."""

    verb: str
    line: str
    asked: Mapping[str, Any]


@dataclass(frozen=True)
class ModelOptions:
    """What is minimised, at which penalties, how closely, and which model of the path is reported."""

    penalty: str = "elastic-net"
    l1_ratio: float | None = None
    gamma: float | None = None
    slope_q: float | None = None
    ld_groups: float | None = None
    grouped: bool = False
    standardize: bool = True
    alphas: int | tuple[float, ...] = 100
    eps: float | None = None
    tol: float = 1e-6
    solver: str = "auto"
    alpha: float | None = None
    scoring: str | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class LimitOptions:
    """What a fit may take of the machine, and whether it goes on from a checkpoint."""

    threads: int | None = None
    memory: str | None = None
    max_active: int | None = None
    alphas_per_pass: int | None = None
    resume: bool = False


@dataclass(frozen=True)
class LDOptions:
    """Which variants count as partners of a hit in linkage disequilibrium."""

    ld_window_kb: float = 500.0
    ld_r2: float = 0.5


@dataclass(frozen=True)
class OutputOptions:
    """Where a run writes, and how much it tells."""

    out: str
    quiet: bool = False
    verbose: bool = False
    genome_build: str = "NR"


@dataclass(frozen=True)
class FitOptions:
    """Of ``riata fit``, and with `folds` of ``riata cv``."""

    command: Command
    study: StudyOptions
    model: ModelOptions
    output: OutputOptions
    folds: FoldOptions | None = None
    limits: LimitOptions = LimitOptions()
    ld: LDOptions = LDOptions()

    @property
    def patience(self) -> int | None:
        """What `cv_path` takes: a path that was asked for, or a model of it, is fitted to its end."""
        given = None if self.folds is None else self.folds.patience
        if given is not None:
            return given or None
        asked = isinstance(self.model.alphas, tuple) or self.model.alpha is not None
        cannot = self.model.penalty == "unilasso"  # whose folds are fitted one after the other
        return None if asked or cannot else DEFAULT_PATIENCE


@dataclass(frozen=True)
class SelectionOptions:
    """How stability selection halves the samples, which errors it may make, and how halves are fitted."""

    pfer: float | None = None
    threshold: float | None = None
    q: int | None = None
    pairs: int = 50
    bound: str = "r-concave"
    p_values: bool = False
    stop_early: bool = False
    seed: int = 0
    ld_groups: tuple[float, ...] = ()
    grouped: bool = False
    l1_ratio: float = 1.0
    standardize: bool = True
    tol: float | None = None


@dataclass(frozen=True)
class KnockoffOptions:
    """At which false discovery rate the knockoff filter selects, and with which knockoffs."""

    fdr: float | None = None
    knockoffs: str = "auto"
    keep_knockoffs: bool = False
    statistic: str = "coef-difference"
    draws: int = 1
    knockoff_offset: int = 1
    cv: int = 10
    clusters: int = 10
    related: str | None = None
    phased: bool = False


@dataclass(frozen=True)
class SelectOptions:
    """Of ``riata select``."""

    command: Command
    study: StudyOptions
    selection: SelectionOptions
    output: OutputOptions
    limits: LimitOptions = LimitOptions()
    filter: KnockoffOptions = KnockoffOptions()

    @property
    def does_filter(self) -> bool:
        """Whether the knockoff filter is asked for."""
        return self.filter.fdr is not None

    @property
    def does_stability(self) -> bool:
        """Whether stability selection is asked for: by its errors, or because nothing else is."""
        chosen = self.selection
        return not self.does_filter or any(v is not None for v in (chosen.pfer, chosen.threshold, chosen.q))


@dataclass(frozen=True)
class PredictOptions:
    """Of ``riata predict``; `study` says what to score, and what to compare the scores with."""

    command: Command
    study: StudyOptions
    output: OutputOptions
    model: str | None = None
    weights: str | None = None
    alpha: float | None = None
    threshold: float | None = None
    allow_missing: bool = False
    ignore_positions: bool = False


@dataclass(frozen=True)
class ReportOptions:
    """Of ``riata report``; `source` holds genotypes of the fit, or nothing."""

    command: Command
    model: str
    source: SourceOptions
    output: OutputOptions
    ld: LDOptions = LDOptions()
    alpha: float | None = None
    threshold: float | None = None
    threads: int | None = None


@dataclass(frozen=True)
class InfoOptions:
    """Of ``riata info``."""

    command: Command
    source: SourceOptions
    path: str | None = None
    model: str | None = None


@dataclass(frozen=True)
class SimulateOptions:
    """Of ``riata simulate``."""

    command: Command
    out: str
    samples: int
    variants: int
    quiet: bool = False
    seed: int = 0
    chromosomes: int = 22
    maf_min: float = 0.05
    missing: float = 0.01
    block: int = 50
    ld: float = 0.95
    loss: str = "gaussian"
    h2: float = 0.5
    causal: int | None = None
    prevalence: float = 0.5


@dataclass(frozen=True)
class DemoOptions:
    """Of ``riata demo``."""

    command: Command
    out: str = "riata-demo"
    threads: int | None = None


@dataclass(frozen=True)
class ConfigOptions:
    """Of ``riata config``."""

    command: Command
    run: str
