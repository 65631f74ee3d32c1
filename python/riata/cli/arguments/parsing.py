"""The parser that all verbs share: its errors are one line and say what may have been meant."""

from __future__ import annotations

import argparse
import difflib
from dataclasses import MISSING, fields
from typing import Any, ClassVar, NoReturn, TypeVar

from riata.cli.arguments.values import LibraryNames

Options = TypeVar("Options")


class UsageError(Exception):
    """What is wrong with a command line."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and say what may have been meant."""

    #: Other names of what can be chosen, beside those of losses.
    _SYNONYMS: ClassVar[dict[str, str]] = {
        "newton": "active-set", "lars": "active-set", "coordinate-descent": "cd", "fista": "prox",
        "cindex": "concordance", "lasso": "elastic-net", "ridge": "elastic-net", "group-lasso": "group",
        "sgl": "sparse-group",
        "best": "min", "accuracy": "misclassification", "error": "misclassification", "logloss": "deviance",
        "mean-squared-error": "mse", "rows": "samples-rows", "columns": "samples-columns",
    }  # fmt: skip

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices = action.type if isinstance(action.type, LibraryNames) else action.choices
        allowed = None if choices is None else [str(choice) for choice in choices]
        if allowed is None or value in allowed:
            return
        from riata.losses._known import SYNONYMS  # no command line without an error needs it

        meant = (SYNONYMS | self._SYNONYMS).get(str(value).lower(), str(value).lower())
        close = [meant] if meant in allowed else difflib.get_close_matches(meant, allowed, 1)
        hint = f"; did you mean {close[0]}?" if close else f" (choose from {', '.join(allowed)})"
        raise argparse.ArgumentError(action, f"invalid choice {str(value)!r}{hint}")

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")

    @property
    def options(self) -> dict[str, argparse.Action]:
        """Every option by each name it can be given by, such as ``--out``."""
        return dict(self._option_string_actions)

    def add_earlier_name(self, name: str, action: argparse.Action) -> None:
        """Let an option be given by the name that it had, too; help does not show it."""
        self._option_string_actions[name] = action

    def default_to(self, action: argparse.Action, given: list[str] | bool) -> None:
        """Take what was given elsewhere for an option that the command line leaves out.

        Raises
        ------
        argparse.ArgumentError
            When it is not what the option takes.
        """
        if given is not False:
            action.default = action.const if given is True else self._get_values(action, given)
            action.required = False

    def take_defaults(self, *kinds: type) -> None:
        """Take the values of options that are left out from the fields of the dataclasses that hold them."""
        known = {action.dest for action in self._actions}
        for kind in kinds:
            told = {item.name: item.default for item in fields(kind) if item.default is not MISSING}
            self.set_defaults(**{name: value for name, value in told.items() if name in known})


def picked(kind: type[Options], given: argparse.Namespace, **more: Any) -> Options:
    """Return options of one kind, a dataclass, out of all that were parsed; lists become tuples."""
    names = [item.name for item in fields(kind) if item.name in given]  # type: ignore[arg-type]
    values = {name: getattr(given, name) for name in names}
    return kind(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}, **more
    )
