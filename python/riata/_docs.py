"""Docstrings filled in from others: what classes or functions share is told once.

The docstring of a class may have four sections more than those of numpydoc, which are not shown: "Objective"
is what its subclasses minimise; "Data" and "New data" describe arguments of `fit` and `score`, and of other
methods; "Absent" names attributes of its bases that they lack. Defaults are those of the signature. Classes
without an example show that of the nearest base, with their own name in the place of NAME.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from functools import cache, update_wrapper
from types import FunctionType
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

#: Of a section with entries: each name with the lines of its entry, shared by names told together.
Entries = dict[str, list[str]]
Sections = dict[str, list[str]]

ORDER = (
    "Parameters", "Attributes", "Returns", "Raises", "Warns", "See Also", "Notes", "References", "Examples",
)  # fmt: skip
MERGED = ("Attributes", "Raises", "Warns")
FITTING = ("fit", "score")
DEFAULT = re.compile(r", (default=.*|optional)$")


def complete(cls: type) -> None:
    """Fill in the docstrings of a class and of the public methods that it or its bases define here.

    A method that means other data in this class than where it is defined is there once more, told anew.
    """
    if not cls.__doc__:
        return  # Python runs without docstrings
    cls.__doc__ = _class_text(cls)
    seen = set()
    for base in _ours(cls):
        for name, method in list(vars(base).items()):
            if name in seen or not inspect.isfunction(method) or name.startswith("_") or not method.__doc__:
                continue
            seen.add(name)
            source = method.__dict__.setdefault("_source", method.__doc__)
            method.__doc__ = _method_text(base, method, source)
            text = _method_text(cls, method, source)
            if text != method.__doc__:
                setattr(cls, name, _told_anew(method, text))


def described_by(*sources: Callable[..., Any]) -> Callable[[Function], Function]:
    """Describe the parameters of a function that its docstring leaves out as the first of `sources` does.

    Errors and warnings are told together.
    """

    def fill(function: Function) -> Function:
        if function.__doc__:
            text, own = _sections(function.__doc__)
            told = [own, *(_sections(source.__doc__)[1] for source in sources)]
            sections = dict(own)
            parameters = inspect.signature(function).parameters.values()
            sections["Parameters"] = _described(parameters, told, "Parameters")
            for name in ("Raises", "Warns"):
                sections[name] = _together(told, name)
            function.__doc__ = _assembled(text, sections)
        return function

    return fill


def _ours(cls: type) -> list[type]:
    return [base for base in cls.__mro__ if base.__module__.startswith("riata.")]


def _told(cls: type) -> list[Sections]:
    """The sections of the class and its bases, nearest first."""
    return [_sections(base.__dict__.get("__doc__"))[1] for base in _ours(cls)]


def _class_text(cls: type) -> str:
    text, own = _sections(cls.__doc__)
    bases = _told(cls)
    objective = next((part["Objective"] for part in bases if "Objective" in part), [])
    sections = {name: own[name] for name in ORDER if name in own}
    parameters = inspect.signature(cls).parameters
    sections["Parameters"] = _described(parameters.values(), bases, "Parameters")
    absent = {name for part in bases for name in _entries(part.get("Absent", []))}
    for name in MERGED:
        sections[name] = _together(bases, name, absent)
    sections.setdefault(
        "References", next((part["References"] for part in bases if "References" in part), [])
    )
    if "Examples" not in own:
        shown = next((part["Examples"] for part in bases if "Examples" in part), [])
        sections["Examples"] = [line.replace("NAME", cls.__name__) for line in shown]
    notes = [paragraph for part in bases for paragraph in "\n".join(part.get("Notes", [])).split("\n\n")]
    sections["Notes"] = _trimmed("\n\n".join(dict.fromkeys(notes)).split("\n"))
    return _assembled([*text, "", *objective], sections)


def _told_anew(method: Function, text: str) -> Function:
    copy = FunctionType(
        method.__code__, method.__globals__, method.__name__, method.__defaults__, method.__closure__
    )
    copy.__kwdefaults__ = method.__kwdefaults__
    update_wrapper(copy, method)
    del copy.__dict__["__wrapped__"]
    copy.__doc__ = text
    return copy  # type: ignore[return-value]


def _method_text(cls: type, method: Callable[..., Any], source: str) -> str:
    text, sections = _sections(source)
    bases = _told(cls)
    kind = "Data" if method.__name__ in FITTING else "New data"
    own, sections = {kind: sections.get("Parameters", [])}, dict(sections)
    parameters = [item for item in inspect.signature(method).parameters.values() if item.name != "self"]
    sections["Parameters"] = _described(parameters, [own, *bases], kind)
    if method.__name__ == "fit":
        sections.setdefault("Returns", ["self : object", "    This estimator, fitted."])
    return _assembled(text, sections)


def _described(parameters: Iterable[inspect.Parameter], told: list[Sections], kind: str) -> list[str]:
    """The entries of parameters in the order of the signature, each as the first that tells of it does."""
    entries = _first_entries(told, kind)
    named = {f"{'**' * (item.kind is item.VAR_KEYWORD)}{item.name}": item for item in parameters}
    return _joined(
        {name: _with_default(entries[name], item) for name, item in named.items() if name in entries}
    )


def _with_default(lines: list[str], parameter: inspect.Parameter) -> list[str]:
    """The entry with what happens when the parameter is left out."""
    head, value = DEFAULT.sub("", lines[0]), parameter.default
    if value is inspect.Parameter.empty:
        return [head, *lines[1:]]
    shown = f'"{value}"' if isinstance(value, str) else f"{value!r}".replace("e-0", "e-")
    return [f"{head}, {'optional' if value is None else f'default={shown}'}", *lines[1:]]


def _together(told: list[Sections], kind: str, absent: Iterable[str] = ()) -> list[str]:
    entries = _first_entries(told, kind)
    return _joined({name: lines for name, lines in entries.items() if name not in absent})


def _first_entries(told: list[Sections], kind: str) -> Entries:
    entries: Entries = {}
    for part in reversed(told):
        entries |= _entries(part.get(kind, []))
    return entries


@cache
def _sections(doc: str | None) -> tuple[list[str], Sections]:
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
    out: Sections = {lines[0]: lines for lines in entries.values()}
    return [line for lines in out.values() for line in _trimmed(lines)]


def _assembled(text: list[str], sections: Sections) -> str:
    lines = _trimmed(text)
    for name in ORDER:
        if sections.get(name):
            lines += ["", name, "-" * len(name), *sections[name]]
    return "\n".join(lines) + "\n"


def _trimmed(lines: list[str]) -> list[str]:
    """Without empty lines at the ends."""
    full = [i for i, line in enumerate(lines) if line.strip()]
    return lines[full[0] : full[-1] + 1] if full else []
