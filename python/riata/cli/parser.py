"""The ``riata`` command: which verbs there are, one-line errors, exit codes."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from riata._io import stopping, streams
from riata._io.shell_words import in_shell
from riata.cli.arguments.parsing import Parser, UsageError

_DESCRIPTION = (
    "Sparse models of wide data: few features out of many, each fit with a certificate of its optimality."
)
_EXAMPLES = """examples:
  riata demo
  riata cv --bfile study --pheno traits.txt --pheno-name height --out results/height
  riata predict --model results/height.path.npz --bfile newcomers --out results/newcomers

riata VERB --help tells more about a verb; riata demo is the place to start.
"""


class Verb(NamedTuple):
    """What a verb is for, the module of `riata.cli.arguments` with its options, and what runs it."""

    what: str
    arguments: str
    run: str


VERBS = {
    "demo": Verb("try riata on a leukemia data set that comes with it", "demo", "demo.run_demo"),
    "info": Verb(
        "describe genotypes, a table, a saved model or the outputs of a run", "info", "info.run_info"
    ),
    "fit": Verb("fit a path of models, from the sparsest to the fullest", "fit", "joint.run_fit"),
    "cv": Verb("fit a path and choose a model along it by cross-validation", "fit", "joint.run_fit"),
    "select": Verb(
        "select features with a bound on the false ones, by halves of the samples or by knockoffs",
        "select",
        "select.run_select",
    ),
    "predict": Verb("score new samples with a saved model or a score file", "predict", "predict.run_predict"),
    "simulate": Verb("simulate genotypes and a phenotype", "simulate", "simulate.run_simulate"),
    "report": Verb("report another model of a saved path", "report", "report.run_report"),
    "config": Verb(
        "print the options of a run as a file that --config takes, to repeat it",
        "config",
        "config.run_config",
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default ``sys.argv[1:]``.

    Returns
    -------
    int
        0; 2 after an error, told in one line on standard error; 130 when interrupted, 143 and 129 when ended
        by SIGTERM and SIGHUP, which are taken as Ctrl-C is.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    streams.open_closed()
    with contextlib.suppress(AttributeError, ValueError):  # a name the terminal cannot show is no error
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    with stopping.stoppable():
        try:
            return streams.finish(_run(given))
        except SystemExit:  # of --help and --version
            streams.finish(0)
            raise


def _run(given: list[str]) -> int:
    """Do what the arguments ask; return the exit status."""
    debug = "--debug" in given
    try:
        options = parse(given)
        if options is None:
            build_parser().print_help()
            return 0
        return _runner(options.command.verb)(options)
    except KeyboardInterrupt as interrupt:
        if debug:
            raise
        streams.tell(f"riata: {stopping.told()}; {str(interrupt) or 'nothing was written'}")
        return stopping.exit_status()
    except BrokenPipeError:  # of standard output: finish() sees to it
        return 0
    except UsageError as error:
        return _fail(str(error))
    except Exception as error:  # the promise of the command line: one line, never a traceback
        if debug:
            raise
        return _fail(_one_line(error))


def parse(given: Sequence[str]) -> Any:
    """Return the options of the verb that is given, one of `riata.cli.options`; None without a verb.

    Raises
    ------
    UsageError
        Naming the argument, its value, and what is allowed.
    """
    given = _with_codes(given)
    verb = next((word for word in given if word in VERBS), None)
    parser = build_parser(verb, _config_of(given, verb))
    found, unknown = parser.parse_known_args(given)
    if unknown:
        raise UsageError(_unknown_option(found.verb, unknown[0]))
    if found.verb is None:
        return None
    from riata.cli.options import Command

    asked = {name: value for name, value in vars(found).items() if name not in ("debug", "config")}
    command = Command(found.verb, shlex.join(["riata", *given]), asked)
    return _arguments(found.verb).read(found, command)


def build_parser(declared: str | None = None, config: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of all verbs, with the options of one of them, whose defaults a file may hold."""
    parser = Parser(
        prog="riata", description=_DESCRIPTION, epilog=_EXAMPLES, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="verb", parser_class=Parser)
    for name, verb in VERBS.items():
        if name != declared:
            verbs.add_parser(name, help=verb.what)
            continue
        chosen = _declare(verbs.add_parser(name, help=verb.what, **_words(name)), name)
        if config is not None:
            from riata.cli.arguments.config_file import take_config

            take_config(chosen, config, lambda flag: _hint(declared, flag).replace("--", ""))
    return parser


def _config_of(given: Sequence[str], verb: str | None) -> str | None:
    """Return the file that ``--config`` names."""
    parser = Parser(prog=f"riata {verb}", add_help=False, allow_abbrev=False)
    parser.add_argument("--config")
    name: str | None = parser.parse_known_args(given)[0].config
    return name


def _words(name: str) -> dict[str, Any]:
    """Return what is said of a verb around its options."""
    arguments, what = _arguments(name), VERBS[name].what
    usage, examples = getattr(arguments, "USAGE", None), getattr(arguments, "EXAMPLES", "")
    return {
        "usage": usage and f"riata {name} {usage}",
        "description": f"{what[0].upper()}{what[1:]}.",
        "epilog": examples.format(verb=name),
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }


def _declare(parser: Parser, name: str) -> Parser:
    """Declare the options of a verb, and those that every verb has."""
    parser.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    _arguments(name).declare(parser, name)
    if name != "config":
        parser.add_argument_group("options from a file").add_argument(
            "--config",
            metavar="FILE",
            help="a TOML file of options, such as riata config prints; the command line wins over it",
        )
    return parser


def _arguments(name: str) -> Any:
    """Import what declares and reads the options of a verb."""
    return importlib.import_module(f"riata.cli.arguments.{VERBS[name].arguments}")


def _runner(name: str) -> Callable[[Any], int]:
    """Import what runs a verb."""
    module, function = VERBS[name].run.split(".")
    run: Callable[[Any], int] = getattr(importlib.import_module(f"riata.cli.{module}"), function)
    return run


def _unknown_option(verb: str | None, given: str) -> str:
    """Return what is wrong with an option that a verb does not have, and what may have been meant."""
    name = given.split("=")[0]
    prog = "riata" if verb is None else f"riata {verb}"
    hint = _hint(verb, name)
    if "which is one of" in hint:
        return f"{prog} has no option {name}{hint}"
    return f"unknown option {given}{hint} (see {prog} --help)"


def _hint(verb: str | None, flag: str) -> str:
    """Say which verbs have an option that this one does not have, or which of its own may have been meant."""
    known = {other: list(parser_of(other).options) for other in VERBS}
    others = [f"riata {other}" for other, options in known.items() if flag in options]
    if others:
        return f", which is one of {' and '.join(others)}"
    close = difflib.get_close_matches(flag, ["--version"] if verb is None else known[verb], 1)
    return f"; did you mean {close[0]}?" if close else ""


def parser_of(name: str) -> Parser:
    """Return the parser of one verb."""
    return _declare(Parser(prog=f"riata {name}", allow_abbrev=False), name)


def _with_codes(given: Sequence[str]) -> list[str]:
    """Join ``--missing-code`` and its value: argparse takes ``-9,-99`` for an option."""
    out: list[str] = []
    for text in given:
        if out and out[-1] == "--missing-code" and re.match(r"-[\d.]", text):
            out[-1] += f"={text}"
        else:
            out.append(text)
    return out


def _fail(message: str) -> int:
    streams.tell(f"riata: error: {_printable(message)}")
    return 2


def _printable(text: str) -> str:
    """Escape what would steer a terminal, and bytes of names that are not UTF-8."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _one_line(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "not enough memory"
    if isinstance(error, OSError) and error.strerror:
        name = f"{error.filename}: " if error.filename else ""
        return f"{name}{error.strerror}"
    text = in_shell(" ".join(str(error).split())) or type(error).__name__
    if isinstance(error, (ValueError, TypeError, OSError, ImportError)):
        return text
    return f"{type(error).__name__}: {text} (a bug; --debug shows where)"


class _Version(argparse.Action):
    """Show the version, which the compiled core knows: it is loaded only then, and nothing else."""

    def __init__(self, **options: Any) -> None:
        super().__init__(nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *rest: Any) -> None:
        from riata._core import __version__

        streams.show(f"riata {__version__}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
