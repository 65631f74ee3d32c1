"""Messages with arguments of Python say in the shell which option to give."""

import ast
from pathlib import Path

import riata
from riata._io.shell_words import WORDS, in_shell


def texts(node):
    """Strings of a program, formatted ones with nothing in the place of values."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
        elif isinstance(each, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "" for part in each.values)


def test_all_of_them_are_said_somewhere():
    folder = Path(riata.__file__).parent
    files = [file for name in ("selection", "knockoffs") for file in (folder / name).glob("*.py")]
    said = [text for file in files for text in texts(ast.parse(file.read_text("utf-8")))]
    assert [words for words in WORDS if not any(words in text for text in said)] == []


def test_options_stand_for_arguments():
    told = "Only 3 features did better, and at fdr=0.1 fewer than 10 (1/fdr) are never selected."
    assert in_shell(told) == told.replace("fdr=0.1", "--fdr 0.1")
    assert in_shell("nothing to change") == "nothing to change"
    assert not any("=" in options for options in WORDS.values())
