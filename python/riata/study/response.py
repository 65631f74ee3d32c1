"""The response as numbers: missing codes, case/control coding, and refusing what could mean two things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._io.case_words import ask_case, case_of
from riata._io.missing_codes import MissingCodes, same_cell
from riata._io.tables import no_number, some, to_number
from riata.losses import Binomial, Loss, Multinomial
from riata.losses._known import loss_of

#: Codes of controls and cases: those of a table, of PLINK, of svmlight.
TWO_CODES = (("0", "1"), ("1", "2"), ("-1", "1"))
#: More labels than this make a column an identifier, or a measurement.
MAX_CLASSES = 100


@dataclass(frozen=True)
class Response:
    """One coded response.

    `values` is (n,) float64 with NaN where missing, for the Cox loss an array of
    `riata.study.survival_times.TIMES` whose times are NaN where missing; `classes` are the two labels of a
    binomial response, the second being the one whose probability is modelled (coded 1), the labels coded 0,
    1, 2 and so on of a multinomial one, and empty for a measurement; `ties` is how the Cox loss handles
    events at the same time, `positive` the label of events where it was named, `censored` the labels of no
    event; `offset`, (n,) or None, is added to the linear predictor; `huber_delta` is that of the Huber
    loss, None its default.
    """

    name: str
    loss: str
    values: NDArray[Any]
    classes: tuple[str, ...]
    note: str
    ties: str = "breslow"
    positive: str | None = None
    offset: NDArray[np.float64] | None = None
    huber_delta: float | None = None
    censored: tuple[str, ...] = ()

    @property
    def loss_function(self) -> Loss:
        """The loss as an object of `riata.losses`."""
        return loss_of(self.loss, self.huber_delta)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which samples have a response, (n,)."""
        numbers = self.values["time"] if self.loss_function.has_times else self.values
        return np.asarray(~np.isnan(numbers))


def code_response(
    cells: Sequence[str],
    name: str,
    *,
    loss: str | None,
    missing_code: str | None = None,
    positive: str | None = None,
    classes: Sequence[str] = (),
) -> Response:
    """Turn the cells of a phenotype column into a response.

    Cells that spell a missing value, or a code of `missing_code` (default -9; several between commas), become
    NaN. For ``loss="binomial"`` two numeric codes must be 0/1 (1 = case) or 1/2 (2 = case, as PLINK); of two
    text labels `positive` names the one to model, or words for cases and controls tell. For
    ``loss="multinomial"`` classes are numbered by their place in `classes`, those of a model, or by name.

    Raises
    ------
    ValueError
        When the column is not what `loss` needs, or could be read in two ways: not two classes, codes 0, 1
        and 2 together, two labels of which none is known as case or control, two values and no `loss`.
    """
    codes = MissingCodes.parse(missing_code)
    hidden, missing = codes.split(cells)
    labels = labels_of(cells, missing, name)
    numbers = as_numbers(labels)
    if loss is None:
        distinct = len(set(labels if numbers is None else numbers.values()))
        if distinct == 2:
            raise ValueError(
                f"{name} holds two values ({' and '.join(labels[:2])}): say --loss binomial for two "
                "classes, or --loss gaussian to treat them as measurements"
            )
        if distinct == 3 and numbers is not None and set(numbers.values()) == {0.0, 1.0, 2.0}:
            raise ValueError(
                f"{name} holds 0, 1 and 2: say --loss gaussian to treat them as measurements, or --loss "
                "binomial --missing-code 0,-9 for cases and controls coded 2 and 1"
            )
    chosen = loss_of(loss)
    if chosen.many_classes:
        if positive is not None:
            raise ValueError(
                f"--case must be left out with --loss multinomial, which models every class, got {positive!r}"
            )
        response = _many_classes(cells, missing, name, labels, numbers, classes)
    elif chosen.has_classes:
        response = _two_classes(cells, missing, name, labels, numbers, positive)
    else:
        if chosen.has_counts and numbers is not None and min(numbers.values()) < 0.0:
            raise ValueError(
                f"{name}: --loss poisson needs counts, numbers >= 0, got {min(numbers.values()):g}"
            )
        values, note = _measurements(cells, hidden, missing, name, labels, codes)
        return Response(name, chosen.name, values, (), note)
    told = codes.note(hidden)
    return replace(response, note="; ".join(part for part in (response.note, told) if part))


def code_numbers(
    cells: Sequence[str], name: str, missing_code: str | None = None
) -> tuple[NDArray[np.float64], str]:
    """Turn cells of measurements into numbers, NaN where missing, and say what is to be told of them.

    A missing code 0 does not apply: it is for classes.

    Raises
    ------
    ValueError
        When a cell is no number.
    """
    codes = MissingCodes.parse(missing_code).for_measurements()
    hidden, missing = codes.split(cells)
    return _measurements(cells, hidden, missing, name, labels_of(cells, missing, name), codes)


def labels_of(cells: Sequence[str], missing: NDArray[np.bool_], name: str) -> list[str]:
    """Return the distinct cells that are not missing, in order; refuse a column without any."""
    labels = sorted({cell for cell, gone in zip(cells, missing, strict=True) if not gone})
    if not labels:
        raise ValueError(f"{name}: every value is missing")
    return labels


def _measurements(
    cells: Sequence[str],
    hidden: NDArray[np.bool_],
    missing: NDArray[np.bool_],
    name: str,
    labels: list[str],
    codes: MissingCodes,
) -> tuple[NDArray[np.float64], str]:
    """Return the cells as numbers, NaN where missing, and a note about missing codes."""
    numbers = as_numbers(labels)
    if numbers is None:
        bad = next(label for label in labels if as_numbers([label]) is None)
        hint = "; for two classes use --loss binomial" if len(labels) == 2 else ""
        if bad.lower() == "none":
            hint = f"; if it means missing, say --missing-code {bad},-9"
        raise ValueError(f"{name}: {no_number(bad)}{hint}")
    values = np.array([np.nan if gone else numbers[cell] for cell, gone in zip(cells, missing, strict=True)])
    if not np.isfinite(values[~missing]).all():
        raise ValueError(f"{name}: values must be finite")
    return values, codes.note(hidden, values)


def _many_classes(
    cells: Sequence[str],
    missing: NDArray[np.bool_],
    name: str,
    labels: list[str],
    numbers: dict[str, float] | None,
    of_model: Sequence[str],
) -> Response:
    """Code classes by their place in those of a model, or in alphabetical order."""
    label_of = {label: label if numbers is None else code_text(numbers[label]) for label in labels}
    classes = tuple(of_model) or tuple(sorted(set(label_of.values())))
    unknown = sorted(set(label_of.values()) - set(classes))
    if unknown:
        raise ValueError(
            f"{name}: {some(unknown)} is no class of the model, which has {some(classes)}; to leave it out "
            f"say --missing-code {','.join([*unknown, '-9'])}"
        )
    if len(classes) < 3:
        hint = "; for two use --loss binomial" if len(classes) == 2 else ""
        raise ValueError(f"{name}: --loss multinomial needs three classes or more, got {some(classes)}{hint}")
    if len(classes) > MAX_CLASSES:
        raise ValueError(f"{name}: {len(classes):,} classes for --loss multinomial, at most {MAX_CLASSES}")
    values = np.array(
        [
            np.nan if gone else float(classes.index(label_of[cell]))
            for cell, gone in zip(cells, missing, strict=True)
        ]
    )
    return Response(name, Multinomial.name, values, classes, f"classes {some(classes)}")


def _two_classes(
    cells: Sequence[str],
    missing: NDArray[np.bool_],
    name: str,
    labels: list[str],
    numbers: dict[str, float] | None,
    positive: str | None,
) -> Response:
    label_of = {label: label if numbers is None else code_text(numbers[label]) for label in labels}
    classes = sorted(set(label_of.values())) if numbers is None else _in_order(numbers)
    if len(classes) != 2 and (numbers is None or positive is not None):
        what = "only one class" if len(classes) == 1 else f"{len(classes)} classes"
        raise ValueError(f"{name}: {what} for --loss binomial, which needs two; got {some(classes)}")
    if positive is not None:
        case = next((label for label in classes if same_cell(label, positive)), None)
        if case is None:
            raise ValueError(f"{name}: --case {positive!r} is not one of the classes {' and '.join(classes)}")
    elif numbers is not None:
        case = _case_of_codes(name, classes)
    else:
        case = case_of(classes)
        if case is None:
            raise ValueError(ask_case(name, classes))
    control = next(label for label in classes if label != case)
    values = np.array(
        [np.nan if gone else float(label_of[c] == case) for c, gone in zip(cells, missing, strict=True)]
    )
    note = modelled_text((control, case))
    if numbers is not None:
        note = f"coded {control}/{case}, {case} = case"
    return Response(name, Binomial.name, values, (control, case), note)


def _case_of_codes(name: str, codes: Sequence[str]) -> str:
    """Return which of two codes marks cases: 1 of 0 and 1, 2 of 1 and 2."""
    if list(codes) == ["0", "1", "2"]:
        raise ValueError(
            f"{name} holds 0, 1 and 2: with 1/2 coding 0 means missing in PLINK files; if it does here, "
            "say --missing-code 0,-9"
        )
    if tuple(codes) not in TWO_CODES:
        what = "only one class" if len(codes) == 1 else "not two classes"
        named = "; of other codes --case names the one to model" if len(codes) == 2 else ""
        raise ValueError(
            f"{name}: {what} for --loss binomial, codes must be 0/1, 1/2 or -1/1, got {some(codes)}{named}"
        )
    return codes[1]


def _in_order(numbers: dict[str, float]) -> list[str]:
    return [code_text(value) for value in sorted(set(numbers.values()))]


def modelled_text(classes: Sequence[str]) -> str:
    """Say which of two classes is modelled; empty when there are not two."""
    return f"probability of {classes[1]} against {classes[0]}" if len(classes) == 2 else ""


def code_text(value: float) -> str:
    """Write the number of a class: 1.0 is 1."""
    return f"{value:.15g}"


def as_numbers(labels: Sequence[str]) -> dict[str, float] | None:
    """Return the number that each label spells; None when some is none."""
    try:
        return {label: to_number(label) for label in labels}
    except ValueError:
        return None
