"""Which of two classes is the one to model, by what the classes are called."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

#: Words of labels that say: this is what is modelled, as 2 of 1/2 in PLINK files, or an event.
CASE_WORDS = frozenset({
    "case", "cases", "affected", "yes", "true", "positive", "pos", "patient", "patients", "diseased", "sick",
    "ill", "event", "dead", "deceased", "died", "death", "relapse", "relapsed", "recurred", "recurrence",
    "progressed", "progression", "failed", "failure", "success", "succeeded",
})  # fmt: skip
#: Words of labels that say: this is what cases are compared with, or that no event was seen.
CONTROL_WORDS = frozenset({
    "control", "controls", "ctrl", "ctrls", "ctl", "ctls", "healthy", "normal", "normals", "unaffected", "no",
    "none", "false", "negative", "neg", "absent", "benign", "wildtype", "wt", "never", "reference", "ref",
    "baseline", "alive", "living", "survived", "censored",
})  # fmt: skip
#: What is a case only beside its own opposite: F and M are two sexes.
_PAIRS = {"y": "n", "t": "f", "+": "-"}
_NEGATIONS = ("no", "non", "not", "un", "without", "never")


def case_of(labels: Sequence[str]) -> str | None:
    """Return which of two labels is the one to model; None when words leave it open.

    It is the one that is a word for cases, or that the other denies (``smoker`` and ``non-smoker``), or whose
    other is a word for controls. Alphabets say nothing.
    """
    first, second = labels
    for a, b in ((first, second), (second, first)):
        if _PAIRS.get(a.strip().lower(), "") == b.strip().lower():
            return a
    cases = [a for a, b in ((first, second), (second, first)) if _is_case(_plain(a), _plain(b))]
    controls = [a for a, b in ((first, second), (second, first)) if _is_control(_plain(a), _plain(b))]
    if len(cases) == 1 and cases != controls:
        return cases[0]
    if len(controls) == 1 and not cases:
        return second if controls[0] == first else first
    return None


def is_case_word(label: str) -> bool:
    """Say whether a label alone is a word for cases or events."""
    return _is_case(_plain(label), "")


def ask_case(name: str, labels: Sequence[str]) -> str:
    """Return the question which class is to be modelled."""
    quoted = [shlex.quote(label) for label in labels]
    return (
        f"{name}: which of {' and '.join(labels)} is to be modelled? Say --case {' or --case '.join(quoted)}"
    )


def _plain(label: str) -> str:
    """Return a label in small letters, words apart, without the number of ``1:DECEASED``."""
    return " ".join(re.split(r"[\s_\-]+", label.strip().lower().split(":")[-1]))


def _is_control(label: str, other: str) -> bool:
    if _denies(label, other) or label in CONTROL_WORDS or label.replace(" ", "") in CONTROL_WORDS:
        return True
    words = [word for word in label.split() if len(word) > 1]
    return any(word in CONTROL_WORDS for word in words) and not any(word in CASE_WORDS for word in words)


def _is_case(label: str, other: str) -> bool:
    if _denies(label, other):
        return False
    words = [word for word in label.split() if len(word) > 1]
    named = label in CASE_WORDS or any(word in CASE_WORDS for word in words)
    denied = other != "" and _denies(other, label)
    return denied or (named and not any(word in CONTROL_WORDS for word in words))


def _denies(label: str, other: str) -> bool:
    """Say whether a label says no: ``no disease``, ``unaffected`` beside ``affected``, ``relapse free``."""
    first, _, rest = label.partition(" ")
    if rest and (first in _NEGATIONS or label.endswith(" free")):
        return True
    return any(label == negation + other.replace(" ", "") for negation in _NEGATIONS) if other else False
