"""Docstrings filled in from those of base classes: what estimators share is told where it is declared.

A docstring of numpydoc's form may have three more sections, which are not shown: "Objective" is what all
subclasses minimise; "Data" and "New data" describe arguments of `fit` and `score`, and of other methods.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

#: Of a section with entries: each name with the lines of its entry, shared by names told together.
Entries = dict[str, list[str]]

ORDER = (
    "Parameters", "Attributes", "Returns", "Raises", "Warns", "See Also", "Notes", "References", "Examples",
)  # fmt: skip
MERGED = ("Attributes", "Raises", "Warns")
FITTING = ("fit", "score")


def complete(cls: type) -> None:
    """Fill in the docstrings of a class and of the public methods that it or its bases define here."""
    if not cls.__doc__:
        return  # Python runs without docstrings
    cls.__doc__ = _class_text(cls)
    for base in _ours(cls):
        for name, method in vars(base).items():
            if inspect.isfunction(method) and not name.startswith("_") and method.__doc__:
                _complete_method(base, method)


def _ours(cls: type) -> list[type]:
    return [base for base in cls.__mro__ if base.__module__.startswith("riata.")]


def _told(cls: type) -> list[dict[str, list[str]]]:
    """The sections of the class and its bases, nearest first."""
    return [_sections(base.__dict__.get("__doc__"))[1] for base in _ours(cls)]


def _class_text(cls: type) -> str:
    text, own = _sections(cls.__doc__)
    bases = _told(cls)
    objective = next((part["Objective"] for part in bases if "Objective" in part), [])
    sections = {name: own[name] for name in ORDER if name in own}
    parameters = inspect.signature(cls).parameters
    sections["Parameters"] = _described(parameters.values(), bases, "Parameters")
    for name in MERGED:
        entries: Entries = {}
        for part in reversed(bases):
            entries |= _entries(part.get(name, []))
        sections[name] = _joined(entries)
    for name in ("Notes", "References"):
        sections.setdefault(name, next((part[name] for part in bases if name in part), []))
    return _assembled([*text, "", *objective], sections)


def _complete_method(base: type, method: Callable[..., Any]) -> None:
    if getattr(method, "_is_told", False):
        return
    text, sections = _sections(method.__doc__)
    bases = _told(base)
    kind = "Data" if method.__name__ in FITTING else "New data"
    own, sections = {kind: sections.get("Parameters", [])}, dict(sections)
    parameters = [item for item in inspect.signature(method).parameters.values() if item.name != "self"]
    sections["Parameters"] = _described(parameters, [own, *bases], kind)
    if method.__name__ == "fit":
        sections.setdefault("Returns", ["self : object", "    This estimator, fitted."])
    method.__doc__ = _assembled(text, sections)
    method._is_told = True  # type: ignore[attr-defined]


def _described(
    parameters: Iterable[inspect.Parameter], bases: list[dict[str, list[str]]], kind: str
) -> list[str]:
    """The entries of parameters in the order of the signature, each as the nearest class tells it."""
    told: Entries = {}
    for part in reversed(bases):
        told |= _entries(part.get(kind, []))
    known = [item for item in parameters if item.name in told]
    return _joined({item.name: _with_default(told[item.name], item) for item in known})


def _with_default(lines: list[str], parameter: inspect.Parameter) -> list[str]:
    """The entry with what happens when the parameter is left out."""
    head, value = lines[0], parameter.default
    if value is inspect.Parameter.empty or "default" in head or "optional" in head:
        return lines
    shown = repr(value).replace("e-0", "e-") if value != 1e-3 else "1e-3"
    return [f"{head}, {'optional' if value is None else f'default={shown}'}", *lines[1:]]


@cache
def _sections(doc: str | None) -> tuple[list[str], dict[str, list[str]]]:
    """The lines before the first section, and those of each section."""
    lines = inspect.cleandoc(doc or "").split("\n")
    heads = [i for i in range(len(lines) - 1) if lines[i] and lines[i + 1] == "-" * len(lines[i])]
    ends = [*heads[1:], len(lines)]
    sections = {lines[i]: _trimmed(lines[i + 2 : end]) for i, end in zip(heads, ends, strict=False)}
    return _trimmed(lines[: heads[0]] if heads else lines), sections


def _entries(lines: list[str]) -> Entries:
    out: Entries = {}
    entry: list[str] = []
    for line in lines:
        if line and not line.startswith(" "):
            entry = [line]
            out |= dict.fromkeys(line.split(" : ")[0].split(", "), entry)
        elif entry:
            entry.append(line)
    return out


def _joined(entries: Entries) -> list[str]:
    """Lines of the entries; one for several names only once."""
    out: dict[str, list[str]] = {lines[0]: lines for lines in entries.values()}
    return [line for lines in out.values() for line in _trimmed(lines)]


def _assembled(text: list[str], sections: dict[str, list[str]]) -> str:
    lines = _trimmed(text)
    for name in ORDER:
        if sections.get(name):
            lines += ["", name, "-" * len(name), *sections[name]]
    return "\n".join(lines) + "\n"


def _trimmed(lines: list[str]) -> list[str]:
    """Without empty lines at the ends."""
    full = [i for i, line in enumerate(lines) if line.strip()]
    return lines[full[0] : full[-1] + 1] if full else []
