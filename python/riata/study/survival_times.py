"""Survival times as a response of the command line: time, event, late entry and stratum of each sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riata._input.survival import rejoin_ties
from riata._input.validation import Float
from riata._io.case_words import ask_case, case_of, is_case_word
from riata._io.missing_codes import MissingCodes, same_cell
from riata._io.tables import some
from riata.losses import Cox
from riata.study.response import Response, as_numbers, code_numbers, labels_of

#: What is known of a sample: whether its time is that of an event, when it comes under observation (-inf:
#: from the start), and the number of its stratum.
TIMES = np.dtype([("event", "?"), ("time", "f8"), ("start", "f8"), ("stratum", "i8")])


def code_times(
    time: Sequence[str],
    event: Sequence[str],
    entry: Sequence[str] | None,
    strata: Sequence[str] | None,
    *,
    names: tuple[str, str, str],
    missing_code: str | None = None,
    positive: str | None = None,
    ties: str = "breslow",
) -> tuple[Response, list[tuple[str, NDArray[np.bool_]]]]:
    """Turn columns of cells into the response of a Cox fit.

    Parameters
    ----------
    time, event, entry, strata : sequences of n str
        As `code_events` reads events; strata are labels.
    names : (time, event, entry)
        Names of the columns, for messages; the second names the response.
    missing_code, positive : str, optional
        As in `riata.study.response.code_response`; `positive` is the label of samples with an event.
    ties : {"breslow", "efron"}

    Returns
    -------
    response : Response
        `values` are of dtype `TIMES`.
    reasons : list of (why, (n,) mask)
        Samples that cannot be used.

    Raises
    ------
    ValueError
        When a column cannot be read or could be read in two ways.
    """
    times, time_note = code_numbers(time, names[0], missing_code)
    events, note = code_events(event, names[1], missing_code=missing_code, positive=positive)
    values = np.zeros(len(times), dtype=TIMES)
    starts, start_note = (None, "") if entry is None else code_numbers(entry, names[2], missing_code)
    for column, told in ((names[0], time_note), (names[2], start_note)):
        note += f"; {column}: {told}" if told else ""
    times, starts = _rejoined(times, starts)
    values["time"], values["event"], values["start"] = times, events == 1.0, -np.inf
    reasons = [(f"{names[0]} missing", np.isnan(times)), (f"{names[1]} missing", np.isnan(events))]
    if starts is not None:
        values["start"] = starts
        late = starts >= times
        note += "; late entry"
        reasons += [
            (f"{names[2]} missing", np.isnan(starts)),
            (f"never at risk: {names[2]} is not before {names[0]}", late),
        ]
    if strata is not None:
        gone = MissingCodes.parse(missing_code).for_measurements().split(strata)[1]
        labels = {label: k for k, label in enumerate(sorted(set(strata)))}
        values["stratum"] = [labels[cell] for cell in strata]
        reasons.append(("stratum missing", gone))
        note += f"; {len({cell for cell, bad in zip(strata, gone, strict=True) if not bad})} strata"
    for _, bad in reasons:
        values["time"][bad] = np.nan
    censored = tuple(sorted({cell for cell, coded in zip(event, events, strict=True) if coded == 0.0}))
    return Response(names[1], Cox.name, values, (), note, ties, positive, censored=censored), reasons


def _rejoined(times: Float, starts: Float | None) -> tuple[Float, Float | None]:
    """Ties that rounding broke, made ties again; missing numbers stay so."""
    both = times if starts is None else np.concatenate([times, starts])
    known = np.isfinite(both)
    if known.any():
        both[known] = rejoin_ties(both[known])[0][0]
    return both[: len(times)], None if starts is None else both[len(times) :]


def code_events(
    cells: Sequence[str], name: str, *, missing_code: str | None = None, positive: str | None = None
) -> tuple[NDArray[np.float64], str]:
    """Return 1 for events, 0 for censored times, NaN where missing, and a note that says how they were told.

    Numeric codes must be 0/1 (1 = event) or 1/2 (2 = event, as PLINK codes cases); one code alone is 0 for no
    event, else an event for all. Of two labels the event is `positive`, or the one that words tell.
    """
    codes = MissingCodes.parse(missing_code)
    hidden, missing = codes.split(cells)
    labels = labels_of(cells, missing, name)
    numbers = as_numbers(labels)
    chosen = {label for label in labels if positive is not None and same_cell(label, positive)}
    if positive is not None and not chosen:
        raise ValueError(f"{name}: --case {positive!r} is none of its labels {some(labels)}")
    if numbers is not None and positive is None:
        found = sorted(set(numbers.values()))
        if found == [0.0, 1.0, 2.0]:
            raise ValueError(
                f"{name} holds 0, 1 and 2: events are 1 of 0/1 or 2 of 1/2; if 0 means missing say "
                "--missing-code 0,-9, if 1 and 2 are different events name the one to model with --case"
            )
        if found not in ([0.0, 1.0], [1.0, 2.0], [0.0], [1.0], [2.0]):
            shown = some([f"{value:g}" for value in found])
            raise ValueError(f"{name}: --event must hold 0/1 (1 = event) or 1/2 (2 = event), got {shown}")
        events = {label for label, value in numbers.items() if value == found[-1] and value > 0.0}
        note = f"{found[-1]:g} = event" + (
            f", {found[0]:g} = censored" if len(found) == 2 else ", no time is censored"
        )
    else:
        events = chosen or {_event_of(labels, name)}
        rest = [label for label in labels if label not in events]
        told = f"{some(rest)} = censored" if rest else "no time is censored"
        note = f"{positive or next(iter(events))} = event, {told}"
    coded = np.array([float(cell in events) for cell in cells])
    coded[missing] = np.nan
    if hidden.any():
        note += f"; {codes.note(hidden)}"
    if not events:
        raise ValueError(f"{name}: no sample has an event, all {int((~missing).sum()):,} are censored")
    return coded, note


def _event_of(labels: Sequence[str], name: str) -> str:
    """Return the label of events."""
    if len(labels) > 2:
        raise ValueError(f"{name}: --event needs two labels, or --case LABEL; got {some(labels)}")
    event = case_of(labels) if len(labels) == 2 else labels[0] if is_case_word(labels[0]) else None
    if event is None:
        raise ValueError(ask_case(name, labels))
    return event


def has_times(y: NDArray[Any]) -> bool:
    """Say whether responses are survival times."""
    return y.dtype == TIMES


def survival_arguments(y: NDArray[Any]) -> dict[str, Any]:
    """Return what `fit_path` and `evaluate` take of survival times besides y: ``start`` and ``strata``."""
    late, several = bool(np.isfinite(y["start"]).any()), bool(np.any(y["stratum"] != y["stratum"][:1]))
    return {"start": y["start"] if late else None, "strata": y["stratum"] if several else None}


def two_columns(y: NDArray[Any]) -> NDArray[Any]:
    """Return survival times as `fit_path` takes them: columns [time, event], (n, 2)."""
    return np.column_stack([y["time"], y["event"].astype(np.float64)])
