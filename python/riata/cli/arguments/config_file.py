"""Options in a TOML file: read with ``--config FILE``, written by ``riata config``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from riata.cli.arguments.parsing import Parser, UsageError

#: Options that a file cannot hold: they say what to do now.
NOT_IN_FILES = frozenset({"--help", "--debug", "--config", "--version"})

#: Says of an option that a verb does not have which of its options, or which other verb, may have been meant.
Hint = Callable[[str], str]


def take_config(parser: Parser, file: str, hint: Hint) -> None:
    """Make the values of a file the defaults of a parser, so that the command line wins over them.

    Keys are long options without their dashes. Tables hold keys too: their names are for those who read them.

    Raises
    ------
    OSError
        When the file cannot be read.
    UsageError
        Naming the file, and the key that is no option of the verb, or whose value the option does not take.
    """
    taken: dict[str, str] = {}
    for key, value in _entries(_read(file)):
        flag = f"--{key}"
        action = None if flag in NOT_IN_FILES else parser.options.get(flag)
        if action is None:
            raise UsageError(f"{file}: unknown key {key}{hint(flag)}")
        if action.dest in taken:
            raise UsageError(f"{file}: {taken[action.dest]} and {key} are one option, and given twice")
        taken[action.dest] = key
        try:
            parser.default_to(action, _arguments(action, value))
        except (argparse.ArgumentError, ValueError) as error:
            told = error.message if isinstance(error, argparse.ArgumentError) else error
            raise UsageError(f"{file}: {key}: {told}") from None


def _read(file: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    with open(file, "rb") as stream:
        try:
            table: dict[str, Any] = tomllib.load(stream)
        except ValueError as error:  # of the syntax, or of UTF-8
            hint = f"; riata config {file} writes its options as TOML" if file.endswith(".json") else ""
            raise UsageError(f"{file}: not TOML: {error}{hint}") from None
    return table


def _entries(table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield keys and values, those of tables too."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _entries(value)
        else:
            yield key, value


def _arguments(action: argparse.Action, value: Any) -> list[str] | bool:
    """Return a value as it would be typed, or whether a flag is given; refuses what cannot be typed."""
    if action.nargs == 0 or (action.nargs == "?" and isinstance(value, bool)):
        if not isinstance(value, bool):
            raise ValueError(f"expected true or false, got {_toml(value)}")
        return value
    if isinstance(value, list):
        texts = [_typed(item) for item in value]
        if action.nargs == "+":
            return texts
        if "," not in str(action.metavar):
            raise ValueError(f"expected one value, got {_toml(value)}")
        alone = len(value) == 1 and isinstance(value[0], int)
        end = "," if alone else ""  # a penalty: --alphas 2 would be a number of them
        return [",".join(_quoted(text) for text in texts) + end]
    return [_typed(value)]


def _typed(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(f"expected text or a number, got {_toml(value)}")
    return value if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    """Return a name as it stands between commas."""
    return '"' + text.replace('"', '""') + '"' if set(text) & set('",') else text


def config_lines(parser: Parser, asked: Mapping[str, Any]) -> list[str]:
    """Return options by their names as lines of a file, those left out that are as if they were not given."""
    lines = []
    for action in parser.options.values():
        flag = action.option_strings[0]
        value = asked.get(action.dest, action.default)
        line = f"{flag.removeprefix('--')} = {_toml(True if action.nargs == 0 else value)}"
        if flag.startswith("--") and flag not in NOT_IN_FILES and not _same(value, action.default):
            lines.append(line)
    return list(dict.fromkeys(lines))


def _same(value: Any, default: Any) -> bool:
    return (list(value) if isinstance(value, tuple) else value) == (
        list(default) if isinstance(default, tuple) else default
    )


def _toml(value: Any) -> str:
    """Return a value in TOML, whose text, numbers and arrays are those of JSON."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False, default=str).replace("\x7f", "\\u007f")
