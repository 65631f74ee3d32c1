"""The response as numbers: missing codes, case/control coding, and refusing what could mean two things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata.tables import is_missing, some

#: Labels that say which of two classes is the one to model.
CASE_WORDS = frozenset({"case", "cases", "affected", "yes", "true", "positive"})

#: More labels than this make a column an identifier, or a measurement.
MAX_CLASSES = 100


@dataclass(frozen=True)
class Response:
    """One coded response.

    `values` is (n,) float64 with NaN where missing, for the Cox loss an array of `riata.survival_times.TIMES`
    whose times are NaN where missing; `classes` are the two labels of a binomial response, the second being
    the one whose probability is modelled (coded 1), the labels coded 0, 1, 2 and so on of a multinomial one,
    and empty for a measurement; `ties` is how the Cox loss handles events at the same time, `positive` the
    label of events where it was named; `offset`, (n,) or None, is added to the linear predictor;
    `huber_delta` is that of the Huber loss, None its default.
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

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which samples have a response, (n,)."""
        numbers = self.values["time"] if self.loss == "cox" else self.values
        return np.asarray(~np.isnan(numbers))


def code_response(
    cells: Sequence[str],
    name: str,
    *,
    loss: str | None,
    missing_code: str | None = None,
    positive: str | None = None,
) -> Response:
    """Turn the cells of a phenotype column into a response.

    Cells that spell a missing value, or a code of `missing_code` (default -9; several between commas), become
    NaN. For ``loss="binomial"`` two
    numeric codes must be 0/1 (1 = case) or 1/2 (2 = case, as PLINK); two text labels are taken in
    alphabetical order, or the one of `CASE_WORDS`, unless `positive` names the one to model.

    Raises
    ------
    ValueError
        When the column is not what `loss` needs, or could be read in two ways: not two classes, codes 0, 1
        and 2 together, a measurement in which the missing code may be a value, two values and no `loss`.
    """
    hidden, missing = missing_cells(cells, missing_code)
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
        loss = "gaussian"
    if loss == "multinomial":
        if positive is not None:
            raise ValueError(
                "--positive must be left out with --loss multinomial, which models every class, "
                f"got {positive!r}"
            )
        return _many_classes(cells, missing, name, labels, numbers)
    if loss == "binomial":
        return _two_classes(cells, missing, name, labels, numbers, positive)
    if loss == "poisson" and numbers is not None and min(numbers.values()) < 0.0:
        raise ValueError(f"{name}: --loss poisson needs counts, numbers >= 0, got {min(numbers.values()):g}")
    values, note = _numbers(cells, hidden, missing, name, labels, missing_code)
    return Response(name, loss, values, (), note)


def code_numbers(cells: Sequence[str], name: str, missing_code: str | None = None) -> NDArray[np.float64]:
    """Turn cells into numbers, NaN where missing.

    Raises
    ------
    ValueError
        When a cell is no number, or the missing code may be a value.
    """
    hidden, missing = missing_cells(cells, missing_code)
    return _numbers(cells, hidden, missing, name, labels_of(cells, missing, name), missing_code)[0]


def missing_cells(
    cells: Sequence[str], missing_code: str | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which cells are a missing code, and which are that or spell a missing value."""
    codes = _codes(missing_code)
    hidden = np.array([any(same_cell(cell, code) for code in codes) for cell in cells], dtype=bool)
    return hidden, hidden | np.array([is_missing(cell) for cell in cells], dtype=bool)


def labels_of(cells: Sequence[str], missing: NDArray[np.bool_], name: str) -> list[str]:
    """Return the distinct cells that are not missing, in order; refuse a column without any."""
    labels = sorted({cell for cell, gone in zip(cells, missing, strict=True) if not gone})
    if not labels:
        raise ValueError(f"{name}: every value is missing")
    return labels


def _codes(missing_code: str | None) -> list[str]:
    return [code.strip() for code in ("-9" if missing_code is None else missing_code).split(",")]


def _numbers(
    cells: Sequence[str],
    hidden: NDArray[np.bool_],
    missing: NDArray[np.bool_],
    name: str,
    labels: list[str],
    missing_code: str | None,
) -> tuple[NDArray[np.float64], str]:
    """Return the cells as numbers, NaN where missing, and a note about missing codes."""
    numbers = as_numbers(labels)
    if numbers is None:
        bad = next(label for label in labels if as_numbers([label]) is None)
        hint = "; for two classes use --loss binomial" if len(labels) == 2 else ""
        raise ValueError(f"{name}: {bad!r} is not a number{hint}")
    values = np.array([np.nan if gone else numbers[cell] for cell, gone in zip(cells, missing, strict=True)])
    if not np.isfinite(values[~missing]).all():
        raise ValueError(f"{name}: values must be finite")
    coded = int(hidden.sum())
    if coded and missing_code is None and min(numbers.values()) < 0:
        raise ValueError(
            f"{name}: -9 marks a missing value, but {min(numbers.values()):g} shows that negative numbers "
            "are measurements here; say --missing-code NA to keep -9 as a number, or --missing-code=-9 to "
            "confirm"
        )
    return values, f"{' or '.join(_codes(missing_code))} counts as missing ({coded} samples)" if coded else ""


def _many_classes(
    cells: Sequence[str],
    missing: NDArray[np.bool_],
    name: str,
    labels: list[str],
    numbers: dict[str, float] | None,
) -> Response:
    """Code classes by their place in alphabetical order."""
    label_of = {label: label if numbers is None else f"{numbers[label]:g}" for label in labels}
    classes = tuple(sorted(set(label_of.values())))
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
    return Response(name, "multinomial", values, classes, f"classes {some(classes)}")


def _two_classes(
    cells: Sequence[str],
    missing: NDArray[np.bool_],
    name: str,
    labels: list[str],
    numbers: dict[str, float] | None,
    positive: str | None,
) -> Response:
    if numbers is not None and positive is None:
        found = sorted(set(numbers.values()))
        shown = some([f"{value:g}" for value in found])
        if found == [0.0, 1.0, 2.0]:
            raise ValueError(
                f"{name} holds 0, 1 and 2: with 1/2 coding 0 means missing in PLINK files; if it does here, "
                "say --missing-code 0,-9"
            )
        if found not in ([0.0, 1.0], [1.0, 2.0]):
            what = "only one class" if len(found) == 1 else "not two classes"
            raise ValueError(f"{name}: {what} for --loss binomial, codes must be 0/1 or 1/2, got {shown}")
        case = found[1]
        values = np.array(
            [np.nan if gone else float(numbers[c] == case) for c, gone in zip(cells, missing, strict=True)]
        )
        classes = (f"{found[0]:g}", f"{case:g}")
        return Response(
            name, "binomial", values, classes, f"coded {classes[0]}/{classes[1]}, {classes[1]} = case"
        )
    if len(labels) != 2:
        what = "only one class" if len(labels) == 1 else f"{len(labels)} classes"
        raise ValueError(f"{name}: {what} for --loss binomial, which needs two; got {some(labels)}")
    if positive is not None and positive not in labels:
        raise ValueError(f"{name}: --positive {positive!r} is not one of the classes {' and '.join(labels)}")
    named = [label for label in labels if label.lower() in CASE_WORDS]
    case_label = positive if positive is not None else named[0] if len(named) == 1 else labels[1]
    control = next(label for label in labels if label != case_label)
    values = np.array(
        [np.nan if gone else float(c == case_label) for c, gone in zip(cells, missing, strict=True)]
    )
    return Response(
        name, "binomial", values, (control, case_label), f"probability of {case_label} against {control}"
    )


def as_numbers(labels: Sequence[str]) -> dict[str, float] | None:
    """Return the number that each label spells; None when some is none."""
    try:
        return {label: float(label) for label in labels}
    except ValueError:
        return None


def same_cell(cell: str, code: str) -> bool:
    """Say whether two cells are the same text or the same number."""
    if cell == code:
        return True
    try:
        return float(cell) == float(code)
    except ValueError:
        return False
