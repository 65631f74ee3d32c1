"""What messages quote of files, and which digits are digits."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from riata._io.tables import no_number, parse_numbers, quoted, shortened, some, to_number, to_numbers
from riata.cli.parser import main
from riata.study.matrices import read_matrix

ARABIC, WIDE = "\u0661\u0662", "\uff11"


@pytest.mark.parametrize("cell", [ARABIC, f"1{ARABIC}", WIDE, "1_000", "1.5\u0663", "\u22121"])
def test_only_ascii_spells_numbers(cell):
    with pytest.raises(ValueError, match="is not a number"):
        to_number(cell)
    assert_array_equal(to_numbers(["1", cell]), [1.0, np.nan])
    with pytest.raises(ValueError, match=r"where, line 7: .* is not a number"):
        parse_numbers(["1", cell], "where", [6, 7])


def test_a_table_with_other_digits(tmp_path, capsys):
    file = tmp_path / "t.csv"
    rows = [f"s{i},{i % 3},{i % 4}" for i in range(20)]
    file.write_text("\n".join(["id,a,y", *rows, f"s20,{ARABIC},1"]) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"t\.csv, line 22, column 'a': .* is not a number"):
        read_matrix(file)
    assert main(["fit", "--matrix", str(file), "--target", "y", "--out", str(tmp_path / "o")]) == 2
    assert "line 22" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    [["--tol", ARABIC], ["--alphas", "1_0"], ["--alphas", WIDE], ["--maf", "0.0_1"], ["--threads", WIDE]],
)
def test_options_are_in_ascii_too(capsys, option):
    assert main(["fit", "--bfile", "x", "--out", "o", *option]) == 2
    assert f"argument {option[0]}" in capsys.readouterr().err


def test_at_most_eighty_characters_are_quoted():
    assert quoted("a" * 80) == repr("a" * 80)
    assert len(quoted("a" * 10**6)) == 82
    assert quoted("\x1b[2J\n") == r"'\x1b[2J\n'"
    assert shortened("plain name") == "plain name"
    assert shortened("\x07bell") == r"\x07bell"
    assert len(some(["x" * 500, "y"])) < 90
    assert len(no_number("z" * 500)) < 110


def test_messages_do_not_steer_the_terminal(tmp_path, capsys):
    file = tmp_path / "t.csv"
    file.write_text("id,a,y\n" + "".join(f"s{i},{i % 3},{i % 4}\n" for i in range(20)) + "s,\x1b[2Jx,2\n")
    assert main(["fit", "--matrix", str(file), "--target", "y", "--out", str(tmp_path / "o")]) == 2
    assert main(["info", str(tmp_path / "none\x1b[2J.bed")]) == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert said.count("\n") == 2
