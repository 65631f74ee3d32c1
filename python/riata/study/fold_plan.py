"""How ``riata cv`` makes its folds: how many, by what, and what has to be told of it."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.option_names import flag_of
from riata._io.tables import some
from riata._io.wording import agree, counted, counted_of
from riata.path.expanding_windows import ExpandingWindows
from riata.path.folds import Rows, Split, describe_draw, describe_windows
from riata.study.fold_columns import seconds_of
from riata.study.options import FOLD_OPTIONS, FoldOptions, StudyOptions
from riata.study.study import Study
from riata.study.survival_times import has_times

#: Folds where ``--cv`` does not tell.
DEFAULT = 10
#: Names within names of samples that end in a number of their own: P1_1 and P1_2.
_STEM = re.compile(r"(.+)[-_.][A-Za-z]{0,3}\d{0,3}")
#: Names of columns that tell when, and of columns that tell who.
_WHEN = frozenset({"date", "day", "week", "month", "quarter", "year", "time", "timestamp", "period"})
_WHO = frozenset({"patient", "subject", "person", "individual", "donor", "participant", "animal", "family"})
#: Most names that are taken for repeats of one.
_MAX_REPEATS = 12


class GivenFolds:
    """Folds by labels, as scikit-learn's `LeaveOneGroupOut`, but without a look at X."""

    by_groups_alone = True

    def split(self, X: Any, y: Any, groups: NDArray[Any]) -> Iterator[Split]:
        """Hold out the samples of one label after those of the other."""
        for label in np.unique(groups):
            yield np.flatnonzero(groups != label), np.flatnonzero(groups == label)


@dataclass(frozen=True)
class FoldPlan:
    """What `cv_path` takes, how that came about in words, what the user should know, and by which option."""

    cv: Any
    groups: NDArray[Any] | None
    repeats: int
    made: str
    notes: list[str] = field(default_factory=list)
    flag: str = "--cv"

    def nested(self, asked: int | bool | None) -> Any:
        """Return what `cv_path` takes for outer folds: `asked` for, in order of time as the others are."""
        if isinstance(self.cv, ExpandingWindows) and asked is not None and asked is not True:
            return ExpandingWindows(asked)
        return asked

    @property
    def arguments(self) -> dict[str, Any]:
        """What `cv_path` and `cv_multi_path` take."""
        return {"cv": self.cv, "groups": self.groups, "repeats": self.repeats}

    @contextlib.contextmanager
    def named(self) -> Iterator[None]:
        """Tell of folds that cannot be fitted by the options that made them."""
        try:
            yield
        except ValueError as error:
            raise in_options(error, self.flag) from None


def check_fold_options(columns: StudyOptions, folds: FoldOptions) -> None:
    """Refuse options of folds that contradict each other."""
    given = [flag_of(name) for name in FOLD_OPTIONS if getattr(columns, name) is not None]
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} are ways to make the folds: give one of them")
    if columns.folds is not None and folds.cv is not None:
        raise ValueError("--cv must be left out with --folds, whose column tells how many there are")
    if folds.repeats > 1 and given and given != ["--fold-groups"]:
        raise ValueError(f"--repeats is for folds that are drawn at random, not for {given[0]}")


def plan_folds(
    studies: Sequence[Study], rows: Sequence[Rows], n: int, options: FoldOptions, scoring: str
) -> FoldPlan:
    """Say how samples are dealt out to folds, the same for all of several responses.

    Parameters
    ----------
    studies : sequence of Study
    rows : sequence of arrays
        Which of the `n` samples those of each study are.
    options : FoldOptions
    scoring : str

    Raises
    ------
    ValueError
        When the samples, their groups or classes do not allow the folds that are asked for.
    """
    if options.nested and studies[0].part("test") is not None:
        raise ValueError(
            "--nested must be left out with a test part of --split, which judges the fit already"
        )
    column = studies[0].fold_column
    if column is None:
        return _drawn(studies, None, options, scoring)
    labels = np.zeros(n, dtype=column.labels.dtype)
    for study, mine in zip(studies, rows, strict=True):
        assert study.fold_column is not None
        labels[mine] = study.fold_column.labels
    if column.option == "fold_groups":
        return _drawn(studies, labels, options, scoring)
    flag = f"{flag_of(column.option)} {column.name}"
    least = min(len(np.unique(study.fold_column.labels)) for study in studies if study.fold_column)
    if least < 2:
        raise ValueError(f"{flag} must hold at least two values, it has {least}")
    if column.option == "folds":
        count = len(np.unique(labels))
        made = f"{count} folds as column {column.name} gives them"
        return FoldPlan(GivenFolds(), labels, 1, made, flag="--folds")
    return _windows(studies, labels, options.cv, least)


def _windows(studies: Sequence[Study], labels: NDArray[Any], asked: int | None, times: int) -> FoldPlan:
    """Return windows in order of time: ten, or as many as leave every class in the first."""
    column = studies[0].fold_column
    assert column is not None
    if asked is not None and asked > times - 1:
        raise ValueError(f"--cv {asked} must be less than the number of times in {column.name}, {times}")
    count = most = asked or min(DEFAULT, times - 1)
    while count > 0 and _absent_at_first(studies, count):
        count -= 1
    if count == 0 or (asked is not None and count < asked):
        lacking = _absent_at_first(studies, most)
        hint = f"give --cv {count} or fewer" if count else "which no number of windows changes"
        raise ValueError(f"--time-order {column.name}: the first of {most} windows holds {lacking}: {hint}")
    notes = []
    if count < most:
        lacking = _absent_at_first(studies, count + 1)
        notes.append(f"{count} windows, not {most}: the first of more would hold {lacking}")
    elif asked is None and count < DEFAULT:
        notes.append(f"{count} windows, not {DEFAULT}: {column.name} has {times} times")
    return FoldPlan(
        ExpandingWindows(count), labels, 1, describe_windows(count, column.name), notes, "--time-order"
    )


def _absent_at_first(studies: Sequence[Study], count: int) -> str:
    """Say what the first training window of a response would lack; empty when nothing."""
    for study in studies:
        assert study.fold_column is not None
        first = next(iter(ExpandingWindows(count).split(None, groups=study.fold_column.labels)))[0]
        y = study.y[first]
        if has_times(y):
            if not y["event"].any():
                return f"no event of {study.response.name}"
            continue
        for code, label in enumerate(study.response.classes):
            if not np.any(y == code):
                return f"no sample of class {label}"
    return ""


def _drawn(
    studies: Sequence[Study], labels: NDArray[Any] | None, options: FoldOptions, scoring: str
) -> FoldPlan:
    """Return folds drawn at random: ten, or as many as there are samples, groups or members of a class."""
    column = studies[0].fold_column
    limits = [limit for study in studies for limit in _limits(study)]
    notes = []
    if options.cv is None:
        most, what, _ = min(limits, key=lambda limit: limit[0])
        folds = min(DEFAULT, most)
        if folds < DEFAULT:
            notes.append(f"{folds} folds, not {DEFAULT}: {_there_are(most, what, 'only ')}")
    else:
        folds = options.cv
        for most, what, split in limits:
            if folds > most and (not split or scoring in ("auc", "concordance")):
                raise ValueError(
                    f"--cv {folds} is more than there are {what}, {most:,}: give --cv {most} or fewer"
                    + (f", or another --scoring than {scoring}" if split else "")
                )
            if folds > most:
                held = "it" if most == 1 else "them"
                notes.append(f"{_there_are(most, what)}: some of the {folds} folds hold none of {held}")
    if folds < 2:
        most, what, split = min(limits, key=lambda limit: limit[0])
        rest = ": leave them out, or use riata fit, which needs no folds" if split else ""
        raise ValueError(f"--cv must be at least 2, but {_there_are(most, what, 'only ')}{rest}")
    made = describe_draw(folds, options.repeats, options.seed, studies[0].response.loss)
    if column is None:
        notes += [*identifier_notes(studies[0]), *column_notes(studies[0])]
    else:
        groups = len(np.unique(column.labels))
        made += f", samples of one {column.name} together"
        made += f" ({counted(groups, 'group')})" if len(studies) == 1 else ""
        if groups == studies[0].n_samples:
            notes.append(f"no two samples share a value of {column.name}: --fold-groups keeps none together")
    flag = "--cv" if column is None else flag_of(column.option)
    return FoldPlan(folds, labels, options.repeats, made, notes, flag)


def _there_are(count: int, what: str, only: str = "") -> str:
    """Say how many there are of something whose first word is a noun in the plural."""
    noun, _, rest = what.partition(" ")
    return f"there {agree(count, 'is', 'are')} {only}{counted_of(count, noun)}{rest and ' ' + rest}"


def _limits(study: Study) -> list[tuple[int, str, bool]]:
    """Return (most folds, of what, whether these are members of a class) that a study allows."""
    n, name = study.n_samples, study.response.name
    labels = np.arange(n) if study.fold_column is None else study.fold_column.labels
    of = "samples" if study.fold_column is None else f"groups of {study.fold_column.name}"
    out = [(len(np.unique(labels)), of, False)]
    if has_times(study.y):
        out.append((len(np.unique(labels[study.y["event"]])), f"{of} with an event of {name}", True))
    elif study.response.loss_function.balanced_by:
        codes = study.y.astype(np.int64)
        for code, label in enumerate(study.response.classes):
            out.append((len(np.unique(labels[codes == code])), f"{of} of class {label}", True))
    return out


def identifier_notes(study: Study) -> list[str]:
    """Say what names of samples give away: times, families, repeats of one patient."""
    samples = study.samples
    ids = [str(name) for name in samples["iid" if "iid" in samples.columns else "id"]]
    notes = []
    if all(_is_date(name) for name in ids):
        notes.append(
            f"names of samples look like dates ({some(ids, 2)}), but folds are drawn at random: of a time "
            "series they see the future; --time-order takes a column of times"
        )
    if "fid" in samples.columns:
        families = [str(name) for name in samples["fid"]]
        shared = [name for name, count in Counter(families).items() if count > 1 and name != "0"]
        if shared:
            notes.append(
                f"{counted(len(shared), 'family', 'families')} (FID) {agree(len(shared), 'has', 'have')} "
                "several members, who may be in different folds: "
                "--fold-groups FID keeps them together"
            )
            return notes
    stems = Counter(found[1] for name in ids if (found := _STEM.fullmatch(name)))
    again = [stem for stem, count in stems.items() if count > 1]
    if again and sum(stems.values()) > 0.5 * len(ids) and max(stems.values()) <= _MAX_REPEATS and not notes:
        stem = again[0]
        pair = [name for name in ids if name.startswith(stem)]
        notes.append(
            f"names of samples repeat ({some(pair, 2)}): if these are of one patient, give a column that "
            "names patients as --fold-groups, so that none is on both sides of a fold"
        )
    return notes


def column_notes(study: Study) -> list[str]:
    """Say which columns of a table, by their names, tell when samples are from, or whose they are."""
    if study.is_genotypes:
        return []
    notes = []
    for j, name in enumerate(study.features["name"]):
        told = str(name).lower().removesuffix("_id").removesuffix("id").rstrip("_ ")
        if told not in _WHEN and told not in _WHO:
            continue
        values = study.columns(np.array([j]))[:, 0]
        distinct = len(np.unique(values))
        if told in _WHEN and distinct > 2 and np.all(np.diff(values) >= 0.0):
            notes.append(
                f"column {name} rises from sample to sample, but folds are drawn at random: of a time series "
                f"they see the future; --time-order {name} keeps it from them"
            )
        elif told in _WHO and 2 < distinct < len(values):
            notes.append(
                f"column {name} repeats, and is taken for a feature: if it names whose samples these are, "
                f"--fold-groups {name} keeps them together"
            )
    return notes


def _is_date(name: str) -> bool:
    """Say whether a name is a date, of a year that numbers of samples seldom look like."""
    return seconds_of(name) is not None and 1700 <= int(name[:4]) <= 2200


def in_options(error: ValueError, flag: str) -> ValueError:
    """Return an error about folds as one about the option that made them."""
    text = str(error)
    if text.startswith(("within outer fold", "nested")):
        text = text.removeprefix("nested: ").replace(" of nested: cv", ",", 1).replace(",: ", ", ", 1)
        return ValueError(f"--nested: {text}; give another --nested or --cv")
    if not text.startswith(("cv", "scoring='auc': y of the held-out")):
        return error
    text = text.removeprefix("cv: ").removeprefix("cv ")
    return ValueError(f"{flag}: {text}; give another {'--cv' if flag == '--time-order' else flag}")
