"""What reports say of a study: small, and saved with the model so that they can be made again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._core import __version__
from riata._io.archive import meta_of, restoring, vector
from riata._io.output_files import append_arrays
from riata._io.tables import StrPath, Table, is_missing
from riata.genetics.genome import chromosomes, drawn_positions
from riata.genetics.genotypes import Genotypes
from riata.path.evaluation import Evaluation
from riata.path.fitted import FitResult
from riata.study.held_out import HeldOut
from riata.study.hits import VARIANT_COLUMNS, Described, active_features, describe, shared_ids
from riata.study.model_file import Model
from riata.study.study import Study

_META = "report_meta"
#: Where the columns of a hit are in a saved model; the others are kept with what scoring needs.
_SCORING = {"CHROM": "chrom", "POS": "pos", "ID": "id", "EFFECT_ALLELE": "effect", "OTHER_ALLELE": "other"}


@dataclass(frozen=True)
class Stretch:
    """A chromosome as charts draw it: from `first` to `last`, in base pairs when `placed`, else by order."""

    name: str
    first: float
    last: float
    placed: bool


@dataclass
class Account:
    """A study in a few numbers.

    Attributes
    ----------
    response : str
    classes : list of str
        Empty, or the labels coded 0, 1 and so on.
    noun : str
        What the features are called.
    n_samples, n_in_file, n_features : int
        Without a file there are 0 in it.
    samples : list of (what, count, examples)
        What became of the samples.
    notes : list of str
    covariate_names : list of str
    set_aside : dict
        How many features were set aside, by reason.
    genome : list of Stretch
        Empty for tables.
    columns : dict of str to str
        Which columns were ``time, event, entry, strata, offset``, where there were any.
    places : dict of feature number to position
        Where on its chromosome each feature that is ever active is drawn.
    n_groups : int
        Groups of a file; other features are groups of their own.
    group_notes : list of str
        What was read and found of them.
    chromosome_set : str
        What the names of chromosomes mean, in the words of ``--chr-set``.
    file_type : str
        Ending of the genotype files' names.
    ties : str
        How the Cox loss handled events at the same time, where it is known.
    imputed : bool
        Whether missing values of features stood at means.
    """

    response: str
    classes: list[str]
    noun: str
    is_genotypes: bool
    n_samples: int
    n_in_file: int
    n_features: int
    samples: list[tuple[str, int, str]]
    notes: list[str]
    covariate_names: list[str]
    set_aside: dict[str, int]
    counted_allele: str = ""
    genome: list[Stretch] = field(default_factory=list)
    places: dict[int, float] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    n_groups: int = 0
    group_notes: list[str] = field(default_factory=list)
    chromosome_set: str = "22"
    file_type: str = ".bed"
    ties: str = ""
    imputed: bool = False

    @property
    def pair(self) -> list[str]:
        """The labels coded 0 and 1; empty unless there are two."""
        return self.classes if len(self.classes) == 2 else []

    @property
    def n_candidates(self) -> int:
        return self.n_features - sum(self.set_aside.values())


def account_of(study: Study, active: NDArray[np.int64]) -> Account:
    """Sum up a study whose features `active` may be drawn."""
    account = Account(
        response=study.response.name,
        classes=list(study.response.classes),
        noun=study.noun,
        is_genotypes=study.is_genotypes,
        n_samples=study.n_samples,
        n_in_file=study.join.n_source,
        n_features=study.n_features,
        samples=study.join.rows(),
        notes=list(study.join.notes),
        covariate_names=list(study.covariate_names),
        set_aside=dict(Counter(why for _, why in study.excluded)),
        columns=dict(study.response_columns),
        n_groups=0 if study.groups is None else len(study.groups),
        group_notes=[] if study.groups is None else study.groups.lines(study.noun),
        ties=study.response.ties if study.response.loss_function.has_times else "",
        imputed=study.gaps is not None,
    )
    if isinstance(study.main, Genotypes):
        genome = chromosomes(study.main.variants, study.main.chromosome_set)
        account.counted_allele = study.main.counted_allele
        account.chromosome_set = str(study.main.chromosome_set)
        account.file_type = Path(study.main.path).suffix
        account.genome = [Stretch(c.name, *c.extent, c.placed) for c in genome]
        account.places = dict(zip(active.tolist(), drawn_positions(genome, active).tolist(), strict=True))
    return account


@dataclass
class Kept:
    """What :func:`save_account` kept; `run` holds words and numbers of the run."""

    account: Account
    source: Described
    run: dict[str, Any]
    samples: dict[str, NDArray[Any]]
    aside: HeldOut | None
    evaluation: Evaluation | None


def save_account(file: Path, fitted: Any) -> None:
    """Add to a saved model what :func:`load_account` reads."""
    source: Described = fitted.hits.source
    arrays: dict[str, NDArray[Any]] = {"report_spread": source.spread, "report_shared": source.shared}
    for name in VARIANT_COLUMNS:
        if name in source.columns and name not in _SCORING:
            arrays[f"report_{name}"] = source.columns[name]
    for name in fitted.study.samples.columns:
        arrays[f"report_sample_{name}"] = np.array(list(fitted.study.samples[name]), dtype=np.str_)
    aside: HeldOut | None = fitted.aside
    told = None
    if aside is not None:
        told = {"name": aside.name, "n_train": aside.n_train}
        in_folds = fitted.cv is not None and aside.links is fitted.cv.oof_link
        for name, array in aside.arrays(links=not in_folds).items():
            arrays[f"report_held_out_{name}"] = array
    evaluation = None if fitted.evaluation is None else asdict(fitted.evaluation)
    meta = {"account": asdict(fitted.account), "run": fitted.run, "evaluation": evaluation, "aside": told}
    append_arrays(file, {_META: np.array(json.dumps(meta)), **arrays})


def threshold_of_fit(model: Model) -> float:
    """Return the probability above which the fit predicted the second of two classes, else 0.5."""
    meta = json.loads(str(model.path.kept.get(_META, "{}")))
    table = (meta.get("evaluation") or {}).get("table") or {}
    return float(table.get("threshold") or 0.5)


def load_account(file: StrPath, model: Model) -> Kept:
    """Read what :func:`save_account` added to the file of a model.

    Raises
    ------
    OSError
        When a study was saved without it.
    ValueError
        When what it holds does not fit together.
    """
    arrays = model.path.kept
    if not arrays:
        return account_of_fit(model)
    if _META not in arrays:
        raise OSError(f"{file}: holds no account of its fit; fit again with this version of riata")
    kept = {name.removeprefix("report_"): values for name, values in arrays.items() if "report_" in name}
    with restoring(file):
        return _kept_of(kept, model)


def account_of_fit(model: Model) -> Kept:
    """Tell of a fit that was made in Python what it knows itself."""
    path, genotypes = model.path, model.kind == "genotypes"
    factor = path.penalty_factor
    left_out = 0 if factor is None else int(np.isinf(factor).sum())
    account = Account(
        response=model.response,
        classes=list(model.classes),
        noun="variants" if genotypes else "features",
        is_genotypes=genotypes,
        n_samples=path.n_samples,
        n_in_file=0,
        n_features=model.n_features,
        samples=[("analysed", path.n_samples, "")],
        notes=[],
        covariate_names=list(model.covariates),
        set_aside={"excluded": left_out} if left_out else {},
        columns=dict(model.columns),
        n_groups=0 if path.groups is None else len(path.group_names),
    )
    names = np.asarray(model.feature_names[model.active])
    columns = {"FEATURE": names}
    shared = np.zeros(len(names), dtype=np.bool_)
    if genotypes:
        columns, shared = _describe_variants(model)
        names = columns["ID"]
        account.chromosome_set = str(path.variants.chromosome_set)
        genome = chromosomes(_variant_table(path.variants), path.variants.chromosome_set)
        account.genome = [Stretch(c.name, *c.extent, c.placed) for c in genome]
        drawn = drawn_positions(genome, model.active)
        account.places = dict(zip(model.active.tolist(), drawn.tolist(), strict=True))
    run = {
        "alpha": model.alpha,
        "rule": rule_of(path if model.cv is None else model.cv),
        "version": str(__version__),
        "command": f"riata.{'fit_path' if model.cv is None else 'cv_path'}, in Python",
        "date": "",
        "seconds": {"fit": path.counters.get("seconds_total", 0.0)},
        "interrupted": path.interrupted,
        "warnings": [],
        "build": "NR",
        "together": [],
    }
    source = Described(model.active, names, path.spreads[model.active], columns, shared)
    return Kept(account, source, run, samples={}, aside=None, evaluation=None)


def rule_of(fit: FitResult) -> str:
    """Say how the alpha of a fit is chosen when nobody asks for one."""
    if fit.cv is None:
        return "the weakest penalty fitted, not validated: riata cv chooses one"
    if fit.cv.alpha_rule == "1se":
        return "the sparsest within one standard error of the best cross-validation score"
    return "the best cross-validation score"


def _describe_variants(model: Model) -> tuple[dict[str, NDArray[Any]], NDArray[np.bool_]]:
    """Return what tables say of the active variants of a fit, and which share their ids with others."""
    variants = model.path.variants
    rows = variants.rows(model.active)
    ids = variants.id.take(rows).tolist()
    told = {name: model.variants[where] for name, where in _SCORING.items()}
    unknown = np.full(len(rows), np.nan)
    told |= {"EAF": variants.frequency[rows], "N": unknown, "MISSING": unknown}
    return {name: told[name] for name in VARIANT_COLUMNS}, shared_ids(variants.id, ids)


def _variant_table(variants: Any) -> Table:
    return Table({"chrom": variants.chrom, "pos": variants.pos})


def _kept_of(kept: dict[str, NDArray[Any]], model: Model) -> Kept:
    meta = meta_of(kept)
    for name in ("spread", *(name for name in kept if name in VARIANT_COLUMNS)):
        vector(kept, name, "fiuUO", len(model.active))
    told, told_of = meta["account"], meta["evaluation"]
    told["samples"] = [tuple(row) for row in told["samples"]]
    told["genome"] = [Stretch(**stretch) for stretch in told["genome"]]
    told["places"] = {int(j): float(place) for j, place in told["places"].items()}
    account = Account(**told)
    if account.is_genotypes:
        columns = {
            name: model.variants[_SCORING[name]] if name in _SCORING else kept[name]
            for name in VARIANT_COLUMNS
        }
        names = columns["ID"]
    else:
        names = np.asarray(model.path.feature_names)[model.active]
        columns = {"FEATURE": names}
    return Kept(
        account=account,
        source=Described(model.active, names, kept["spread"], columns, _shared(kept, names)),
        run=meta["run"],
        samples={name.removeprefix("sample_"): v for name, v in kept.items() if name.startswith("sample_")},
        aside=_aside(meta.get("aside"), kept, model),
        evaluation=None if told_of is None else Evaluation.from_dict(told_of),
    )


def _shared(kept: dict[str, NDArray[Any]], names: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether ids are shared; of a model saved before this was kept, with another of these variants."""
    if "shared" in kept:
        return kept["shared"]
    seen = Counter(names.tolist())
    return np.array([is_missing(name) or seen[name] > 1 for name in names.tolist()], dtype=np.bool_)


def _aside(told: dict[str, Any] | None, kept: dict[str, NDArray[Any]], model: Model) -> HeldOut | None:
    """Return the samples that were not seen; None of a model saved before these were kept for every alpha."""
    if told is None:
        return None
    parts = {name.removeprefix("held_out_"): v for name, v in kept.items() if name.startswith("held_out_")}
    aside = HeldOut.of_arrays(told["name"], told.get("n_train"), parts, model.cv)
    if aside.links is None or aside.links.shape != (len(aside.y), *model.path.intercepts.shape):
        raise ValueError(f"held_out_links must be {len(aside.y)} samples x {model.path.intercepts.shape}")
    return aside


def describe_active(study: Study, path: Any) -> Described:
    """Describe the features of a study that are active somewhere on a path."""
    return describe(study, active_features(path, study.n_features))
