"""What the parser makes of a command line: typed options that nobody can change on the way."""

from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from riata.cli.arguments.config_file import config_lines
from riata.cli.options import (
    ConfigOptions,
    DemoOptions,
    FitOptions,
    InfoOptions,
    KnockoffOptions,
    LDOptions,
    LimitOptions,
    ModelOptions,
    PredictOptions,
    ReportOptions,
    SelectionOptions,
    SelectOptions,
    SimulateOptions,
)
from riata.cli.parser import VERBS, parse, parser_of
from riata.study.options import FoldOptions, SourceOptions, StudyOptions

LINES = {
    "demo": ("demo", DemoOptions),
    "info": ("info study.bed", InfoOptions),
    "fit": ("fit --bfile a b --out o", FitOptions),
    "cv": ("cv --bfile a --out o", FitOptions),
    "select": ("select --bfile a --out o", SelectOptions),
    "predict": ("predict --model m --bfile a --out o", PredictOptions),
    "simulate": ("simulate --samples 5 --variants 7 --out o", SimulateOptions),
    "report": ("report --model m --out o", ReportOptions),
    "config": ("config results/height", ConfigOptions),
}


def test_every_verb_has_a_line():
    assert LINES.keys() == VERBS.keys()


@pytest.mark.parametrize("verb", LINES)
def test_options_are_frozen_and_know_their_command(verb):
    line, kind = LINES[verb]
    options = parse(line.split())
    assert type(options) is kind
    assert options.command.verb == verb
    assert options.command.line == f"riata {line}"
    for item in fields(options):
        part = getattr(options, item.name)
        inner = fields(part) if is_dataclass(part) else ()
        for owner, name in [(options, item.name), *((part, each.name) for each in inner)]:
            with pytest.raises(FrozenInstanceError):
                setattr(owner, name, None)


def test_what_is_left_out_is_the_default_of_its_field():
    options = parse(["cv", "--bfile", "a", "--out", "o"])
    assert options.study == StudyOptions(bfile=("a",), fit_validation=True)
    assert (options.model, options.folds, options.limits, options.ld) == (
        ModelOptions(), FoldOptions(), LimitOptions(), LDOptions()
    )  # fmt: skip
    assert parse(["info", "x.bed"]).source == SourceOptions()
    assert parse(["fit", "--bfile", "a", "--out", "o"]).folds is None


def test_what_is_given_has_its_type():
    line = (
        "cv --pfile a b --chr-set dog --maf .05 --covar-name sex,PC1-PC3 --alphas 0.5,0.25 --no-standardize "
        "--alphas-per-pass 4 --nested --cv 5 --max-active 9 --ld-r2 0.3 --case ill "
        "--missing-code -9,-1 --out o"
    )
    options = parse(line.split())
    assert options.study == StudyOptions(
        pfile=("a", "b"), chr_set=("dog",), maf=0.05, covar_name=("sex", "PC1-PC3"), positive="ill",
        missing_code="-9,-1", fit_validation=True,
    )  # fmt: skip
    assert options.model == ModelOptions(alphas=(0.5, 0.25), standardize=False)
    assert options.folds == FoldOptions(cv=5, nested=True)
    assert options.limits == LimitOptions(max_active=9, alphas_per_pass=4)
    assert options.ld.ld_r2 == 0.3
    assert options.command.asked["positive"] == "ill"


def test_no_verb_is_no_options():
    assert parse([]) is None


@pytest.mark.parametrize("verb", ["fit", "cv"])
@pytest.mark.parametrize("name", ["grouped", "row-grouped"])
def test_grouped_by_its_earlier_name(verb, name, tmp_path):
    """Records of runs keep the key that earlier versions read, and options are written by today's name."""
    file = tmp_path / "run.toml"
    file.write_text(f"{name} = true\n")
    line = [verb, "--bfile", "a", "--out", "o"]
    for given in ([*line, f"--{name}"], [*line, "--config", str(file)]):
        options = parse(given)
        assert options.model == ModelOptions(grouped=True)
        assert options.command.asked["row_grouped"] is True
        assert "grouped = true" in config_lines(parser_of(verb), options.command.asked)
    assert parse(line).command.asked["row_grouped"] is False
    help_text = parser_of(verb).format_help()
    assert "--grouped" in help_text
    assert "--row-grouped" not in help_text


def test_selections_that_are_asked_for(tmp_path):
    start = ["select", "--bfile", "a", "--out", "o"]
    asked = {
        "": (False, True), "--fdr 0.1": (True, False), "--fdr 0.1 --pfer 1": (True, True),
        "--fdr 0.1 --q 9": (True, True), "--pairs 7": (False, True),
    }  # fmt: skip
    for given, wanted in asked.items():
        options = parse([*start, *given.split()])
        assert (options.does_filter, options.does_stability) == wanted
    line = "--fdr .2 --draws 3 --statistic entry --knockoff-offset 0 --ld-groups .5,.2 --related ok --cv 4"
    options = parse([*start, *line.split(), "--keep-knockoffs", "--knockoffs", "made"])
    assert options.filter == KnockoffOptions(
        fdr=0.2, knockoffs="made", keep_knockoffs=True, statistic="entry", draws=3, knockoff_offset=0, cv=4,
        related="ok",
    )  # fmt: skip
    assert options.selection == SelectionOptions(ld_groups=(0.5, 0.2))
    file = tmp_path / "run.toml"
    file.write_text("\n".join(config_lines(parser_of("select"), options.command.asked)))
    again = parse(["select", "--config", str(file)])
    assert (again.filter, again.selection) == (options.filter, options.selection)
    assert parse([*start, "--ld-groups", "none"]).selection.ld_groups == (0.0,)
