"""Options from a TOML file: what the command line says wins; a run repeats from its own record."""

import argparse
import json
from pathlib import Path

import pytest

from riata.cli.arguments.config_file import NOT_IN_FILES
from riata.cli.arguments.parsing import UsageError
from riata.cli.options import ModelOptions
from riata.cli.parser import VERBS, main, parse, parser_of
from riata.study.options import FoldOptions, StudyOptions

DATA = Path(__file__).parents[2] / "data" / "genotypes"


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a file of options and returns its name."""

    def write(text):
        file = tmp_path / "run.toml"
        file.write_text(text, encoding="utf-8")
        return str(file)

    return write


TEXT = """
out = "results/height"
seed = 7

[data]
bfile = ["a", "b"]
chr-set = "dog"
maf = 0.05
chr = ["1-4", "X"]

[model.penalty]
alphas = [0.5, 0.25]
no-standardize = true
nested = true
quiet = false
missing-code = -9
covar-name = ["age", "body, mass", 'the "first"']
"""


def test_a_file_says_what_the_command_line_would(written):
    given = parse(["cv", "--config", written(TEXT)])
    assert given.study == StudyOptions(
        bfile=("a", "b"), chr_set=("dog",), maf=0.05, chrom=("1-4", "X"), missing_code="-9",
        covar_name=("age", "body, mass", 'the "first"'), fit_validation=True,
    )  # fmt: skip
    assert given.model == ModelOptions(alphas=(0.5, 0.25), standardize=False)
    assert given.folds == FoldOptions(seed=7, nested=True)
    assert (given.output.out, given.output.quiet) == ("results/height", False)


@pytest.mark.parametrize(("text", "alphas"), [("[2]", (2.0,)), ("2", 2), ("[2, 1]", (2.0, 1.0))])
def test_an_array_holds_penalties_and_a_number_is_their_number(written, text, alphas):
    given = parse(["fit", "--bfile", "a", "--out", "o", "--config", written(f"alphas = {text}")])
    assert given.model.alphas == alphas


def test_the_command_line_wins(written):
    line = ["--bfile", "c", "--seed", "8", "--alphas", "20", "--out", "o", "--nested", "4"]
    given = parse(["cv", *line, "--config", written(TEXT)])
    assert given.study.bfile == ("c",)
    assert (given.folds.seed, given.folds.nested, given.model.alphas) == (8, 4, 20)
    assert (given.output.out, given.study.maf) == ("o", 0.05)


def typed(action):
    """A value that an option takes, in TOML and on the command line."""
    if action.nargs == 0:
        return "true", []
    if action.choices is not None or action.type is not None:
        numbers = ["3", "0.5", "1"]
        names = list(action.choices or ["4G", "GRCh38"] if not hasattr(action.type, "table") else action.type)
    else:
        numbers, names = [], ["a"]
    for text in (*numbers, *names):
        try:
            parser_of("cv")._get_values(action, [text])
        except argparse.ArgumentError:
            continue
        return text if text in numbers else f'"{text}"', [text]
    raise AssertionError(action)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "config"])
def test_every_long_option_is_a_key(written, verb):
    parser = parser_of(verb)
    required = [action for action in parser._actions if action.required]
    rest = [word for action in required for word in (action.option_strings[0], *typed(action)[1])]
    for flag, action in parser.options.items():
        if not flag.startswith("--") or flag in NOT_IN_FILES or action in required:
            continue
        toml, words = typed(action)
        by_file = parse([verb, *rest, "--config", written(f"{flag[2:]} = {toml}")])
        by_line = parse([verb, *rest, flag, *words])
        assert dict(by_file.command.asked) == dict(by_line.command.asked), flag


@pytest.mark.parametrize(
    ("verb", "text", "told"),
    [
        ("cv", "[model]\nalpha-s = 3", "unknown key alpha-s; did you mean alphas?"),
        ("fit", "repeats = 3", "unknown key repeats, which is one of riata cv"),
        ("fit", "qqqqqq = 3", "unknown key qqqqqq"),
        ("fit", 'config = "other.toml"', "unknown key config"),
        ("fit", 'maf = "x"', "maf: expected a number, got 'x'"),
        ("fit", 'alphas = [1, "x"]', "alphas: expected a number of at least 0, got 'x'"),
        ("fit", 'loss = "logit"', "loss: invalid choice 'logit'; did you mean binomial?"),
        ("fit", 'out = ["a", "b"]', 'out: expected one value, got ["a", "b"]'),
        ("fit", "out = 2026-01-31", 'out: expected text or a number, got "2026-01-31"'),
        ("fit", "out = true", "out: expected text or a number, got true"),
        ("fit", "quiet = 1", "quiet: expected true or false, got 1"),
        ("fit", 'case = "a"\npositive = "b"', "case and positive are one option, and given twice"),
        ("fit", "out = ", "not TOML: "),
    ],
)
def test_what_is_wrong_is_told_by_file_and_key(written, verb, text, told):
    file = written(text)
    with pytest.raises(UsageError) as error:
        parse([verb, "--bfile", "a", "--out", "o", "--config", file])
    assert str(error.value).startswith(f"{file}: {told}")
    if told.endswith(("qqqqqq", "key config")):
        assert "mean" not in str(error.value) or "config" in told


def test_a_file_that_is_not_there_and_one_that_is_no_toml(tmp_path, capsys):
    assert main(["fit", "--config", str(tmp_path / "no.toml")]) == 2
    assert capsys.readouterr().err == f"riata: error: {tmp_path / 'no.toml'}: No such file or directory\n"
    (tmp_path / "run.json").write_text('{"out": 3}')
    assert main(["fit", "--config", str(tmp_path / "run.json")]) == 2
    assert "run.json writes its options as TOML" in capsys.readouterr().err
    (tmp_path / "latin.toml").write_bytes(b'out = "d\xe9j"')
    assert main(["fit", "--config", str(tmp_path / "latin.toml")]) == 2
    assert "latin.toml: not TOML: " in capsys.readouterr().err
    assert main(["fit", "--config"]) == 2
    assert "argument --config: expected one argument (see riata fit --help)" in capsys.readouterr().err


def outputs_of(prefix):
    return {
        suffix: Path(f"{prefix}.{suffix}").read_text()
        for suffix in ("hits.tsv", "score", "ld.tsv")
        if Path(f"{prefix}.{suffix}").exists()
    }


def repeated(prefix, tmp_path, capsys):
    """Repeat a run from its record under another prefix; return that."""
    capsys.readouterr()
    assert main(["config", str(prefix)]) == 0
    text = capsys.readouterr().out
    file = tmp_path / "again.toml"
    file.write_text(text)
    verb = json.loads(Path(f"{prefix}.json").read_text())["options"]["verb"]
    assert f"# To repeat the run: riata {verb} --config FILE" in text
    again = tmp_path / f"again-{verb}"
    assert main([verb, "--config", str(file), "--out", str(again)]) == 0
    return again


def test_runs_repeat_from_their_records(tmp_path, capsys):
    study = ["--bfile", str(DATA / "tiny"), "--pheno", str(DATA / "tiny.phe"), "--pheno-name", "height"]
    first = tmp_path / "first"
    options = ["--covar", str(DATA / "tiny.cov"), "--alphas", "9", "--cv", "3", "--select", "1se", "--quiet"]
    assert main(["cv", *study, *options, "--seed", "4", "--out", str(first)]) == 0
    again = repeated(first, tmp_path, capsys)
    assert outputs_of(again) == outputs_of(first) != {}
    records = [json.loads(Path(f"{prefix}.json").read_text()) for prefix in (first, again)]
    assert {**records[0]["options"], "out": ""} == {**records[1]["options"], "out": ""}

    scores = tmp_path / "scores"
    model = ["--model", f"{first}.path.npz", "--bfile", str(DATA / "tiny")]
    assert main(["predict", *model, "--covar", str(DATA / "tiny.cov"), "--quiet", "--out", str(scores)]) == 0
    again = repeated(scores, tmp_path, capsys)
    assert Path(f"{again}.scores.tsv").read_text() == Path(f"{scores}.scores.tsv").read_text()

    report = tmp_path / "report"
    assert main(["report", "--model", f"{first}.path.npz", "--alpha", "0.5", "--out", str(report)]) == 0
    again = repeated(report, tmp_path, capsys)
    assert outputs_of(again) == outputs_of(report) != {}


def test_records_that_are_none(tmp_path, capsys):
    assert main(["config", str(tmp_path / "none")]) == 2
    assert f"{tmp_path / 'none'}.json: no such file: give the PREFIX of a run" in capsys.readouterr().err
    for text in ("{}", "[", '{"options": {"verb": "dance"}}', "3"):
        (tmp_path / "odd.json").write_text(text)
        assert main(["config", str(tmp_path / "odd.json")]) == 2
        assert "odd.json: not the record of a run of riata" in capsys.readouterr().err
