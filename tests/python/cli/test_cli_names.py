"""Names and lists on the command line: ranges, names with commas, and riata's own tables as lists."""

import json
from pathlib import Path

import numpy as np
import pytest
from support import write_plink

from riata._io.tables import read_text_table
from riata.cli.parser import main

N = 70


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(8)
    dosage = rng.binomial(2, 0.4, (N, 20)).astype(float)
    dosage[:, 7] = 1.0  # set aside
    prefix = write_plink(tmp_path / "t", dosage).removesuffix(".bed")
    pcs = rng.standard_normal((N, 4)) / 9
    traits = dosage[:, [0, 3, 5]] + 0.4 * rng.standard_normal((N, 3))
    names = ["FID", "IID", "bmi", "hdl, fasting", "ldl-c", "PC1", "PC2", "PC3", "PC4"]
    rows = [[f"f{i}", f"i{i}", *map(str, traits[i]), *map(str, pcs[i])] for i in range(N)]
    table = tmp_path / "table.tsv"
    table.write_text("".join("\t".join(row) + "\n" for row in [names, *rows]))
    return prefix, str(table)


def fit(files, out, *more):
    prefix, table = files
    arguments = ["fit", "--bfile", prefix, "--pheno", table, "--alpha", "0.1", "--quiet", "--out", str(out)]
    return main([*arguments, *more])


def test_ranges_of_covariates_and_phenotypes(files, tmp_path):
    covar = ["--covar", files[1], "--covar-name", "PC1-PC3"]
    assert fit(files, tmp_path / "m", "--pheno-name", "bmi", *covar) == 0
    record = json.loads((tmp_path / "m.json").read_text())
    assert record["features"]["covariates"] == ["PC1", "PC2", "PC3"]
    assert fit(files, tmp_path / "m", "--pheno-name", "bmi-ldl-c", *covar) == 0
    for name, place in (("bmi", "bmi"), ("hdl, fasting", "hdl_fasting"), ("ldl-c", "ldl-c")):
        assert json.loads((tmp_path / f"m.{place}.json").read_text())["response"]["name"] == name


def test_names_that_hold_commas_stand_in_quotes(files, tmp_path, capsys):
    assert fit(files, tmp_path / "m", "--pheno-name", '"hdl, fasting"') == 0
    assert json.loads((tmp_path / "m.json").read_text())["response"]["name"] == "hdl, fasting"
    model = ["predict", "--model", str(tmp_path / "m.path.npz"), "--bfile", files[0], "--pheno", files[1]]
    for name in ([], ["--pheno-name", '"hdl, fasting"'], ["--pheno-name", "hdl, fasting"]):
        assert main([*model, *name, "--out", str(tmp_path / "new")]) == 0
        assert "correlation" in capsys.readouterr().out
    assert (
        fit(
            files,
            tmp_path / "m",
            "--pheno-name",
            'bmi,"hdl, fasting"',
            "--covar",
            files[1],
            "--covar-name",
            "PC4",
        )
        == 0
    )
    assert (tmp_path / "m.hdl_fasting.json").exists()
    assert (
        fit(
            files,
            tmp_path / "m",
            "--pheno-name",
            "bmi",
            "--covar",
            files[1],
            "--covar-name",
            '"hdl, fasting",PC1',
        )
        == 0
    )
    assert json.loads((tmp_path / "m.json").read_text())["features"]["covariates"] == ["hdl, fasting", "PC1"]
    assert (
        fit(files, tmp_path / "m", "--pheno-name", "bmi", "--covar", files[1], "--covar-name", "PC3-PC1") == 2
    )
    assert "column PC3 of PC3-PC1 stands after column PC1" in capsys.readouterr().err
    assert (
        fit(files, tmp_path / "m", "--pheno-name", "bmi", "--covar", files[1], "--covar-name", "PC1-PC2,PC2")
        == 2
    )
    assert "--covar-name: PC2 is given twice" in capsys.readouterr().err
    assert fit(files, tmp_path / "m", "--pheno-name", "bmi", "--covar", files[1], "--covar-name", '"PC1') == 2
    assert "a quote that opens a cell is not closed" in capsys.readouterr().err


def test_phenotypes_that_would_share_files_are_refused(files, tmp_path, capsys):
    text = Path(files[1]).read_text()
    Path(files[1]).write_text(text.replace("ldl-c", "hdl,fasting", 1))
    assert fit(files, tmp_path / "m", "--pheno-name", '"hdl, fasting","hdl,fasting"') == 2
    assert "hdl, fasting, hdl,fasting would be written to the same files" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["hits.tsv", "weights.tsv", "score", "excluded.tsv"])
def test_own_outputs_are_lists_of_variants(files, tmp_path, suffix, capsys):
    """Their column of ids is found by its name, whatever stands first."""
    assert fit(files, tmp_path / "m", "--pheno-name", "bmi") == 0
    path = str(tmp_path / f"m.{suffix}")
    if suffix == "excluded.tsv":
        listed = ["rs7"]
    else:
        listed = read_text_table(tmp_path / "m.hits.tsv").column("ID")
    assert fit(files, tmp_path / "n", "--pheno-name", "bmi", "--exclude", path) == 0
    record = json.loads((tmp_path / "n.json").read_text())
    assert record["features"]["left_out"] == {f"in {path} (--exclude)": len(listed)}
    if suffix != "excluded.tsv":
        assert fit(files, tmp_path / "n", "--pheno-name", "bmi", "--extract", path) == 0
        record = json.loads((tmp_path / "n.json").read_text())
        assert record["features"]["in_file"] - sum(record["features"]["left_out"].values()) == len(listed)
    assert "error" not in capsys.readouterr().err


def test_rows_without_an_id_name_no_variant(files, tmp_path):
    """In tables, where another column tells which variant it is; in plain lists "." is an id, as in PLINK."""
    bim = Path(f"{files[0]}.bim")
    names = ["1:103:C:G", ".", "."]
    lines = [line.split() for line in bim.read_text().splitlines()]
    for k, name in enumerate(names):
        lines[k][1] = name
    bim.write_text("".join(" ".join(line) + "\n" for line in lines))
    (tmp_path / "t.tsv").write_text("POS\tID\n1\t1:103:C:G\n2\t.\n3\t\n4\trs5\n")
    (tmp_path / "w.tsv").write_text(
        "#pgs_id=x\nrsID\tvariant_description\n\tID=1:103:C:G\n\tof a friend\nrs5\t\n"
    )
    (tmp_path / "l.txt").write_text("rs5\n.\n")
    for name, n_kept, told in (
        ("t.tsv", 2, ["2 of its rows have no id, and name no variant"]),
        ("w.tsv", 2, ["1 of its rows has no id, and names no variant"]),
        ("l.txt", 3, []),
    ):
        path = str(tmp_path / name)
        assert fit(files, tmp_path / "m", "--pheno-name", "bmi", "--extract", path) == 0
        record = json.loads((tmp_path / "m.json").read_text())
        assert (
            record["features"]["in_file"] - record["features"]["left_out"][f"not in {path} (--extract)"]
            == n_kept
        )
        notes = [note for note in record["samples"]["notes"] if "--extract" in note]
        assert notes == [f"{path} (--extract): {what}" for what in told]


def test_lists_that_are_partly_found_are_told(files, tmp_path):
    (tmp_path / "v").write_text("# mine\nrs1 rs2\nrs99\t rs98\n#rs3\n")  # any word is an id, as in PLINK
    (tmp_path / "s").write_text("f1 i1\nf2 i2\nf99 i99\n")
    more = ["--exclude", str(tmp_path / "v"), "--remove", str(tmp_path / "s")]
    assert fit(files, tmp_path / "m", "--pheno-name", "bmi", *more) == 0
    log, record = (tmp_path / "m.log").read_text(), json.loads((tmp_path / "m.json").read_text())
    assert (
        f"{tmp_path / 'v'} (--exclude): 2 of its ids are not here: rs99, rs98" in record["samples"]["notes"]
    )
    assert "ignored: in s (--remove) only" in log
    assert "in s (--remove) only" in (tmp_path / "m.html").read_text()
    assert record["features"]["left_out"] == {f"in {tmp_path / 'v'} (--exclude)": 2}
    assert record["samples"]["dropped"] == {"in s (--remove)": 2}


@pytest.mark.parametrize("flag", ["--keep", "--remove", "--extract", "--exclude"])
def test_lists_that_are_not_found_are_refused(files, tmp_path, flag, capsys):
    (tmp_path / "list").write_text("nobody\nnothing\n")
    assert fit(files, tmp_path / "m", "--pheno-name", "bmi", flag, str(tmp_path / "list")) == 2
    said = capsys.readouterr().err
    assert ("names no sample of" if flag in ("--keep", "--remove") else "none of its 2 variant ids") in said
    (tmp_path / "list").write_text("")
    assert fit(files, tmp_path / "m", "--pheno-name", "bmi", flag, str(tmp_path / "list")) == 2
