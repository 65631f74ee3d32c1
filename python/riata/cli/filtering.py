"""``riata select --fdr``: knockoffs drawn once for all phenotypes, and the filter at each resolution."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import riata
from riata._io.output_files import OutputSet
from riata._io.progress import Progress
from riata._io.shell_words import in_shell
from riata._io.wording import counted_of
from riata.cli.log import Log
from riata.cli.manifest import today, version
from riata.cli.options import KnockoffOptions, SelectOptions
from riata.genetics.bed_writer import write_bed
from riata.genetics.genotypes import Genotypes
from riata.genetics.sources import PackedPart
from riata.knockoffs import Knockoffs
from riata.knockoffs._exchange import ENDING, write_exchange
from riata.path.many_classes import file_part
from riata.report.filter_page import FilterList, FilterRun, items_of
from riata.study.account import account_of
from riata.study.filter_columns import filter_columns, within_columns
from riata.study.fit_result import seconds_text
from riata.study.knockoff_store import KnockoffStore, kept_knockoffs
from riata.study.ready_knockoffs import check_made_for, files_of, joint_names, read_ready
from riata.study.resolutions import Resolution
from riata.study.study import Studies, Study, StudyDesign

GAUSSIAN = "gaussian"  # the law of knockoffs, not the loss
SAMPLERS = ("auto", GAUSSIAN, "haplotypes")


@dataclass
class Filtering:
    """The knockoff filter for some studies.

    Attributes
    ----------
    joint : Studies
    options : SelectOptions
    resolutions : list of Resolution
    store : KnockoffStore
    log : Log
    lines : list of str
        What was told of the knockoffs.
    seconds : dict
        By stage, of what phenotypes share.
    spent : dict of str to float
        Seconds of the fits, by phenotype.
    doubts : list of str
        What samplers warned of.
    warnings : dict of str to list of str
        Of the fits, by phenotype.
    drawn : dict of (Resolution, int) to Knockoffs
        Of the samples of all studies, by the number of the draw.
    """

    joint: Studies
    options: SelectOptions
    resolutions: list[Resolution]
    store: KnockoffStore
    log: Log
    lines: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    drawn: dict[tuple[Resolution, int], Knockoffs] = field(default_factory=dict)
    _sampler: Any = None
    _main: Any = None

    def go(self) -> list[list[FilterList]]:
        """Return the lists of each study, one for each resolution.

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C; what is made by then is in the store.
        """
        chosen, studies = self.options.filter, self.joint.studies
        draws = range(chosen.draws)
        self._main = self.joint.X.main
        self.store.total = len(self.resolutions) * (len(draws) + len(studies)) + self._by_haplotypes
        if chosen.keep_knockoffs and isinstance(self._main, Genotypes) and not self._by_haplotypes:
            raise ValueError("--keep-knockoffs is for knockoffs by haplotypes, and for those of --matrix")
        if chosen.knockoffs == "auto" and not self._by_haplotypes:
            self._refuse_of_haplotypes()
        self._say("Knockoffs")
        found: list[list[FilterList]] = [[] for _ in studies]
        for resolution in self.resolutions:
            made = [self._knockoffs(resolution, draw) for draw in draws]
            for study, rows, lists in zip(studies, self.joint.rows, found, strict=True):
                lists.append(self._select(study, rows, resolution, made))
        return found

    def _knockoffs(self, resolution: Resolution, draw: int) -> Knockoffs:
        """Return knockoffs of the samples of all studies, of one draw."""
        chosen, seed = self.options.filter, self.options.selection.seed
        name = part_name(resolution, draw)
        if chosen.knockoffs not in SAMPLERS:
            if self._sampler is None:
                self._sampler = read_ready(chosen.knockoffs, self.joint)
                self._say(f"  read from {chosen.knockoffs}")
                check_made_for(self._sampler, chosen.knockoffs, self.joint, resolution)
            ready: Knockoffs = self._sampler
            return ready
        there, began = self.store.made(name) is not None, time.perf_counter()

        def make(out: str | None) -> Knockoffs:
            nonlocal began
            sampler, began = self._fitted(), time.perf_counter()
            with self._watched("chromosomes") as progress:
                more = {"progress": progress.count} if self._by_haplotypes else {}
                made: Knockoffs = sampler.draw(
                    self._main, out=out, groups=resolution.labels, random_state=seed, draw=draw,
                    n_threads=self.options.limits.threads, **more,
                )  # fmt: skip
            return made

        drawn = kept_knockoffs(self.store, name, self._main, resolution.labels, self._kind_of_file(), make)
        spent = "kept from before" if there else seconds_text(time.perf_counter() - began)
        first = self.joint.studies[0]
        what = "groups" if resolution.labels is not None else first.noun
        of = counted_of(resolution.count(first), what) + (f" at {resolution.plain}" if resolution.r2 else "")
        number = f", draw {draw + 1}" if chosen.draws > 1 else ""
        self._say(f"  knockoffs of {of}{number}: {spent}")
        self.drawn[resolution, draw] = drawn
        return drawn

    @property
    def _by_haplotypes(self) -> bool:
        """Whether a model of haplotypes draws, as it can where genotypes are hard calls."""
        chosen, main = self.options.filter.knockoffs, self._main
        hard = isinstance(main, Genotypes) and all(isinstance(part, PackedPart) for part in main._parts())
        return hard if chosen == "auto" else chosen == "haplotypes"

    def _refuse_of_haplotypes(self) -> None:
        """Refuse options that imputed dosages leave without a use."""
        chosen = self.options.filter
        for given, flag in (
            (chosen.clusters != KnockoffOptions.clusters, "--clusters"),
            (chosen.related is not None, "--related"),
            (chosen.phased, "--phased"),
            (self.options.study.populations is not None, "--populations"),
        ):
            if given:
                raise ValueError(
                    f"{flag} is for knockoffs by haplotypes, which dosages do not have: theirs are gaussian"
                )

    def _kind_of_file(self) -> str:
        return "bed" if self._by_haplotypes else "npy"

    def _fitted(self) -> Any:
        """Return the sampler, its law of the features learned, or kept from before."""
        if self._sampler is None:
            began, file = time.perf_counter(), self.store.path("model.npz")
            if self._by_haplotypes and file is not None and self.store.made("model") is not None:
                self._sampler = riata.knockoffs.Haplotypes.load(file)
                self.doubts += self.store.made("model")["doubts"]
                self._say("  model of haplotypes: kept from before")
                return self._sampler
            sampler = self._haplotypes() if self._by_haplotypes else riata.knockoffs.Gaussian()
            with self._watched("steps") as progress:
                self._sampler = sampler.fit(
                    self._main, n_threads=self.options.limits.threads, progress=progress.count
                )
            spent = time.perf_counter() - began
            self.seconds["model"] = spent
            kind = "model of haplotypes" if self._by_haplotypes else "normal law"
            self._say(f"  {kind}: {seconds_text(spent)}")
            if self._by_haplotypes and file is not None:
                self._sampler.save(file)
                self.store.note("model", {"doubts": self.doubts})
        return self._sampler

    @contextlib.contextmanager
    def _watched(self, unit: str) -> Iterator[Progress]:
        """Show how work goes, and keep what it warns of, once."""
        with (
            Progress(quiet=self.options.output.quiet, unit=unit, stops=False) as progress,
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always")
            yield progress
        texts = (in_shell(str(item.message)) for item in caught)
        told = [text for text in texts if text not in self.doubts]
        self.doubts += dict.fromkeys(told)

    def _haplotypes(self) -> Any:
        """Return a model of haplotypes that is yet to be fitted, one a population."""
        labels: Any = None
        if self.options.study.populations is not None:
            labels = np.empty(len(self.joint.X), dtype=object)
            for study, rows in zip(self.joint.studies, self.joint.rows, strict=True):
                assert study.populations is not None
                labels[rows] = [str(label) for label in study.populations.labels.tolist()]
        chosen = self.options.filter
        return riata.knockoffs.Haplotypes(
            n_clusters=chosen.clusters, random_state=self.options.selection.seed, strata=labels,
            related=chosen.related or "refuse", phased=chosen.phased,
        )  # fmt: skip

    def _select(
        self, study: Study, rows: Any, resolution: Resolution, made: Sequence[Knockoffs]
    ) -> FilterList:
        """Compare the features of one study with their knockoffs; what was found before is read."""
        name = f"found.{file_part(study.response.name)}.{resolution.name or 'all'}.npz"
        file, began = self.store.path(name), time.perf_counter()
        if file is not None and self.store.made(name) is not None:
            found: Any = riata.load(file)
        else:
            found = self._compare(study, resolution, [of_study(one, study, rows, self.joint) for one in made])
            if file is not None:
                found.save(file)
                self.store.note(name, {"selected": len(found.selected)})
        spent = time.perf_counter() - began
        self.spent[study.response.name] = self.spent.get(study.response.name, 0.0) + spent
        return FilterList(resolution, found, filter_columns(found, study))

    def _compare(self, study: Study, resolution: Resolution, made: list[Knockoffs]) -> Any:
        chosen, fits, limits = self.options.filter, self.options.selection, self.options.limits
        tol, blocks = {} if fits.tol is None else {"tol": fits.tol}, study.fold_column
        entry = chosen.statistic == "entry"  # takes no folds; halves may have asked for blocks
        labels = None if blocks is None or entry else blocks.labels
        with (
            Progress(quiet=self.options.output.quiet, stops=False) as progress,
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always")
            found = riata.knockoff_selection(
                study.X, **study.target, penalty_factor=study.penalty_factor, groups=resolution.groups,
                fdr=chosen.fdr, knockoffs=made, n_draws=len(made),
                statistic=chosen.statistic.replace("-", "_"), knockoff_offset=chosen.knockoff_offset,
                cv=chosen.cv, blocks=labels, random_state=fits.seed, l1_ratio=fits.l1_ratio,
                standardize=fits.standardize, grouped=fits.grouped, memory=limits.memory, **tol,
                n_threads=limits.threads, progress=progress,
            )  # fmt: skip
        if found.n_draws < len(made):  # on Ctrl-C it returns the draws that it has
            raise KeyboardInterrupt
        told = self.warnings.setdefault(study.response.name, [])
        told += [
            str(item.message)
            for item in caught
            if not issubclass(item.category, riata.knockoffs.KnockoffWarning)  # told with the check
        ]
        return found

    def _say(self, line: str) -> None:
        self.log.say(line)
        self.lines.append(line)


def check_knockoff_options(options: SelectOptions) -> None:
    """Refuse options of knockoffs that need no file but their own to be found wrong."""
    chosen, study = options.filter, options.study
    kind = chosen.knockoffs
    genotypes = study.matrix is None
    if kind == "haplotypes" and not genotypes:
        raise ValueError("--knockoffs haplotypes is for genotypes; with --matrix give gaussian, or a file")
    if study.populations is not None and (not genotypes or kind == GAUSSIAN):
        raise ValueError("--populations is for knockoffs of genotypes by haplotypes")
    if chosen.clusters != KnockoffOptions.clusters and (not genotypes or kind == GAUSSIAN):
        raise ValueError("--clusters is for knockoffs of genotypes by haplotypes")
    if chosen.related is not None and (not genotypes or kind == GAUSSIAN):
        raise ValueError("--related is for knockoffs of genotypes by haplotypes")
    if chosen.phased and (not genotypes or kind == GAUSSIAN):
        raise ValueError("--phased is for knockoffs of genotypes by haplotypes")
    if chosen.knockoff_offset == 0 and chosen.draws > 1:
        raise ValueError("--knockoff-offset 0 is for one draw: e-values of several have offset 1")
    if chosen.statistic == "entry" and chosen.cv != KnockoffOptions.cv:
        raise ValueError("--cv is for --statistic coef-difference: entry takes no cross-validation")
    if chosen.statistic == "entry" and study.blocks is not None and not options.does_stability:
        raise ValueError("--blocks is for --statistic coef-difference: entry takes no cross-validation")
    if kind in SAMPLERS:
        return
    files_of(kind, genotypes=genotypes)
    for given, flag in (
        (chosen.draws > 1, "--draws"),
        (chosen.keep_knockoffs, "--keep-knockoffs"),
        (chosen.clusters != KnockoffOptions.clusters, "--clusters"),
        (study.populations is not None, "--populations"),
        (chosen.related is not None, "--related"),
        (chosen.phased, "--phased"),
    ):
        if given:
            raise ValueError(f"{flag} is for knockoffs that are drawn here, not for --knockoffs {kind}")
    if len(options.selection.ld_groups) > 1:
        raise ValueError("--knockoffs FILE is for one resolution: give --ld-groups one r2")


def check_filter(options: SelectOptions, studies: Sequence[Study], resolutions: Sequence[Resolution]) -> None:
    """Refuse a rate at which nothing could be selected."""
    fdr = options.filter.fdr
    assert fdr is not None
    if options.filter.knockoff_offset == 0:
        return
    for resolution in resolutions:
        count = min(resolution.count(study) for study in studies)
        if fdr * count < 1.0 - 1e-12:  # as knockoff_selection allows for rounding
            what = "groups" if resolution.labels is not None else studies[0].noun
            raise ValueError(
                f"--fdr must be at least {1.0 / count:.3g}, one over the {counted_of(count, what)} to select "
                f"from, got {fdr:g}"
            )


def new_run(
    study: Study,
    options: SelectOptions,
    work: Filtering,
    lists: list[FilterList],
    prefix: str,
    kept: list[str],
) -> FilterRun:
    """Put together what reports tell of the filter of one study."""
    for k, one in enumerate(lists[1:], start=1):
        coarser = [(other.resolution, other.found) for other in lists[:k]]
        one.columns = [*one.columns, *within_columns(one.found, one.resolution, coarser)]
    active = [one.found.lead[one.found.selected] for one in lists]
    return FilterRun(
        lists=lists,
        account=account_of(study, np.unique(np.concatenate(active)).astype(np.int64)),
        knockoffs=[line.strip() for line in work.lines[1:]],
        prefix=prefix,
        version=version(),
        command=options.command.line,
        date=today(),
        seconds=work.seconds | {"fit": work.spent[study.response.name]},
        warnings=list(dict.fromkeys([*work.doubts, *work.warnings.get(study.response.name, [])])),
        kept=kept,
    )


def keep_knockoffs(work: Filtering, outputs: OutputSet) -> list[str]:
    """Write the knockoffs beside the other outputs; return the names of their files."""
    names = []
    for (resolution, draw), made in work.drawn.items():
        stem = part_name(resolution, draw, several=work.options.filter.draws > 1)
        stem = f"{stem}." if stem and (len(work.resolutions) > 1 or work.options.filter.draws > 1) else ""
        if isinstance(made.X, Genotypes):
            paths = [outputs.path(f"{stem}knockoffs.{kind}") for kind in ("bed", "bim", "fam")]
            write_bed(made.X, str(paths[0])[: -len(".bed")])
            names.append(outputs.final(f"{stem}knockoffs.bed"))
            features = [str(name) for name in made.X.feature_names]
        else:
            features = [str(name) for name in work.joint.studies[0].features["name"]]
            with open(outputs.path(f"{stem}knockoffs.npz"), "wb") as file:
                np.savez(file, X=made.X, feature_names=features, sample_ids=joint_names(work.joint))
            names.append(outputs.final(f"{stem}knockoffs.npz"))
        write_exchange(outputs.path(f"{stem}knockoffs.{ENDING}"), features, made.labels, made.fixed)
    return names


def filter_record(run: FilterRun) -> dict[str, Any]:
    """Return what a manifest tells of a knockoff filter."""
    first = run.lists[0].found
    return {
        "fdr": run.fdr,
        "statistic": first.statistic,
        "offset": first.offset,
        "draws": first.n_draws,
        "seed": first.seed,
        "knockoffs": run.knockoffs,
        "kept": run.kept,
        "warnings": run.warnings,
        "lists": [
            {
                "file": one.file,
                "ld_groups": one.resolution.r2,
                "items": items_of(one.found),
                "selected": one.count,
                "threshold": float(one.found.threshold),
                "check_passed": None if one.found.check is None else bool(one.found.check.ok),
                "check": None if one.found.check is None else one.found.check.explain(),
                "notes": one.found.notes,
            }
            for one in run.lists
        ],
    }


def table_row(run: FilterRun) -> list[str]:
    """Return the row of a phenotype in the table of a run of several."""
    counts = [f"{one.count:,}" for one in run.lists]
    return [run.account.response, f"{run.account.n_samples:,}", *counts, run.rate]


def of_study(made: Knockoffs, study: Study, rows: Any, joint: Studies) -> Knockoffs:
    """Return knockoffs of the samples of one study, beside them its covariates."""
    X = made.X
    if len(rows) < len(joint.X):
        X = X.subset(samples=rows) if isinstance(X, Genotypes) else X[rows]
    labels, fixed = made.labels, made.fixed
    if study.covariate_names and not isinstance(X, Genotypes):
        X = StudyDesign(X, study.covariates, study.feature_names)
        rest = np.full(len(study.covariate_names), -1, dtype=np.int64)
        labels = None if labels is None else np.append(labels, rest)
        fixed = np.append(fixed, np.zeros(len(rest), dtype=np.bool_))
    return Knockoffs(
        X, groups=labels, sampler=made.sampler, seed=made.seed, draw=made.draw, info=made.info, fixed=fixed
    )


def part_name(resolution: Resolution, draw: int, *, several: bool = True) -> str:
    """Name the knockoffs of a resolution and a draw, as their files are called."""
    draws = [f"draw{draw + 1}"] if several or not resolution.name else []
    return ".".join([*([resolution.name] if resolution.name else []), *draws])
