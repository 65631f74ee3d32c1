"""Counts agree with their nouns in all that people read, also where there is one of something."""

import re

import pytest

from riata._io.wording import agree, counted, counted_of
from riata.cli.parser import main

ONE_OF_MANY = re.compile(
    r"(?<![\d.,])1 (samples|features|variants|alphas|folds|groups|models|penalties|fits|rows|cells|values"
    r"|levels|weights|outputs|families|hits|classes|genes)\b"
)


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_counts_with_nouns_and_verbs():
    assert [counted(n, "sample") for n in (0, 1, 2)] == ["0 samples", "1 sample", "2 samples"]
    assert counted(1204, "sample") == "1,204 samples"
    assert [counted(n, "family", "families") for n in (1, 2)] == ["1 family", "2 families"]
    assert [counted_of(n, "variants") for n in (0, 1, 2)] == ["0 variants", "1 variant", "2 variants"]
    assert [agree(n, "is", "are") for n in (0, 1, 2)] == ["are", "is", "are"]


def refuse_one_of_many(text, where):
    found = ONE_OF_MANY.search(text)
    assert found is None, f"{where}: {text[max(found.start() - 80, 0) : found.end() + 40]!r}"


@pytest.fixture
def table(tmp_path):
    """One gene that decides, one that is constant, one sample without a response, one missing cell."""
    rows = [f"s{i},{i * 0.5 + (i % 3) * 0.1},{i + (i % 5) * 0.2},7" for i in range(20)]
    rows[4], rows[7] = "s4,NA,4,7", "s7,3.6,,7"
    path = tmp_path / "t.csv"
    path.write_text("id,y,g,flat\n" + "\n".join(rows) + "\n")
    return path


def read(folder):
    for file in sorted(folder.iterdir()):
        if file.suffix in (".html", ".log"):
            yield file.name, re.sub(r"<svg.*?</svg>|<style.*?</style>", "", file.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("verb", [["fit", "--alphas", "0.5,"], ["cv", "--cv", 3, "--alphas", "0.5,"]])
def test_one_of_everything_in_a_table(tmp_path, table, verb, capsys):
    out = tmp_path / "o"
    out.mkdir()
    assert run("info", table) == 0
    assert run(*verb, "--matrix", table, "--target", "y", "--impute", "mean", "--out", out / "m") == 0
    assert run("report", "--model", out / "m.path.npz", "--out", out / "r") == 0
    new = tmp_path / "new.csv"
    new.write_text("id,g\ns1,3.5\n")
    assert run("predict", "--model", out / "m.path.npz", "--matrix", new, "--out", out / "p") == 0
    assert run("info", out / "m.path.npz") == 0
    assert run("info", out / "m.json") == 0
    said = capsys.readouterr().out
    assert "1 of 1 feature" in said
    assert "Scored 1 sample " in said
    refuse_one_of_many(said, "terminal")
    for name, text in read(out):
        refuse_one_of_many(text, name)


def test_one_variant(tmp_path, capsys):
    out = tmp_path / "o"
    out.mkdir()
    assert run("simulate", "--samples", 60, "--variants", 1, "--causal", 1, "--out", tmp_path / "g") == 0
    assert run("info", tmp_path / "g") == 0
    assert run("cv", "--bfile", tmp_path / "g", "--cv", 3, "--alphas", 2, "--out", out / "m") == 0
    model = ["--model", out / "m.path.npz", "--bfile", tmp_path / "g"]
    assert run("predict", *model, "--out", out / "p") == 0
    said = capsys.readouterr().out
    assert "60 samples x 1 variant" in said
    refuse_one_of_many(said, "terminal")
    for name, text in read(out):
        refuse_one_of_many(text, name)
