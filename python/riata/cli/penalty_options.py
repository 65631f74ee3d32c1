"""``--penalty`` and the options that go with it."""

from __future__ import annotations

from typing import Any

from riata import penalties
from riata.cli.options import ModelOptions
from riata.genetics.genotypes import Genotypes
from riata.losses._known import loss_of
from riata.study.feature_sets import made_groups
from riata.study.options import StudyOptions
from riata.study.study import Study

#: For each option, the penalties that it is for.
GOES_WITH = {
    "groups": ("group", "sparse-group"),
    "l1_ratio": ("elastic-net", "sparse-group"),
    "gamma": ("mcp", "scad"),
    "slope_q": ("slope",),
    "univariate": ("unilasso",),
}
#: Those that name files of the study.
OF_THE_STUDY = ("groups", "univariate")
#: Above what --gamma must be.
LEAST_GAMMA = {"mcp": 1.0, "scad": 2.0}


def check_penalty_options(study: StudyOptions, model: ModelOptions) -> None:
    """Refuse options that do not go with the penalty."""
    kind = model.penalty
    for name, kinds in GOES_WITH.items():
        if getattr(study if name in OF_THE_STUDY else model, name) is not None and kind not in kinds:
            flag = "--" + name.replace("_", "-")
            raise ValueError(f"{flag} needs --penalty {' or --penalty '.join(kinds)}, not {kind}")
    if model.ld_groups:
        if kind not in GOES_WITH["groups"]:
            raise ValueError(f"--ld-groups needs --penalty group or --penalty sparse-group, not {kind}")
        if study.matrix is not None:
            raise ValueError("--ld-groups is for genotypes, not for --matrix: give --groups FILE")
        if study.groups is not None:
            raise ValueError("give --groups or --ld-groups, not both")
    elif kind in GOES_WITH["groups"] and study.groups is None:
        raise ValueError(f"--penalty {kind} needs --groups FILE, or with genotypes --ld-groups R2")
    for name in ("min_set_size", "max_set_size", "sets_only"):
        if getattr(study, name) not in (None, False) and study.groups is None:
            raise ValueError(f"--{name.replace('_', '-')} needs --groups FILE")
    smallest, largest = study.min_set_size or 1, study.max_set_size
    if largest is not None and largest < smallest:
        raise ValueError(f"--max-set-size must be at least --min-set-size {smallest}, got {largest}")
    if model.gamma is not None and model.gamma <= LEAST_GAMMA[kind]:
        raise ValueError(
            f"--gamma must be above {LEAST_GAMMA[kind]:g} for --penalty {kind}, got {model.gamma:g}"
        )
    if kind != "elastic-net":
        if loss_of(study.loss).many_classes and kind not in GOES_WITH["groups"]:
            raise ValueError(f"--penalty {kind} is not for --loss multinomial, but for losses of one output")
        if loss_of(study.loss).many_classes and model.solver == "cd":
            raise ValueError(f"--penalty {kind} with --loss multinomial needs --solver auto or prox, not cd")
        if model.solver == "active-set":
            raise ValueError(f"--penalty {kind} needs --solver auto, cd or prox, not active-set")


def group_by_ld(studies: list[Study], model: ModelOptions, threads: int | None) -> None:
    """Give studies of the same genotypes the groups in linkage disequilibrium that are asked for."""
    if model.ld_groups:
        import riata

        main = studies[0].main
        assert isinstance(main, Genotypes)
        found = riata.ld_groups(main, r2=model.ld_groups, n_threads=threads)
        groups = made_groups(found, f"linkage disequilibrium (mean r2 of at least {found.r2:g})")
        for study in studies:
            study.groups = groups


def penalty_of(options: ModelOptions, study: Study | None) -> penalties.Penalty:
    """Return the penalty that the options ask for, those left out at the library's default."""

    def given(**names: str) -> dict[str, Any]:
        values = {name: getattr(options, option) for name, option in names.items()}
        return {name: value for name, value in values.items() if value is not None}

    members = None if study is None or study.groups is None else study.groups.members
    if options.penalty == "group":
        return penalties.GroupLasso(members)
    if options.penalty == "sparse-group":
        return penalties.SparseGroupLasso(members, **given(l1_ratio="l1_ratio"))
    if options.penalty == "mcp":
        return penalties.MCP(**given(gamma="gamma"))
    if options.penalty == "scad":
        return penalties.SCAD(**given(gamma="gamma"))
    if options.penalty == "slope":
        return penalties.SLOPE(**given(q="slope_q"))
    if options.penalty == "unilasso":
        return penalties.UniLasso(None if study is None else study.univariate_slopes)
    return penalties.ElasticNet(**given(l1_ratio="l1_ratio"))
