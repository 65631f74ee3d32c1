"""``riata info`` of a table: what a cross-validation will take, and tables that lie on their side."""

import re

import numpy as np
import pytest
import scipy.sparse as sp

import riata
from riata._io.orientation import transposed_hint
from riata.cli.parser import main

UNITS = {"B": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}


def run(*arguments):
    return main([str(argument) for argument in arguments])


def told_bytes(text):
    found = re.search(
        r"riata cv +about [\d.]+ \w+ of processor time and ([\d.]+) (\w+) beside the data", text
    )
    assert found is not None, text
    return float(found[1]) * UNITS[found[2]]


def response(X, rng):
    eta = np.asarray(X[:, :10] @ rng.standard_normal(10)).ravel()
    return eta + eta.std() * rng.standard_normal(len(eta))


@pytest.mark.parametrize(
    ("n", "p", "share"),
    [(100, 2000, None), (150, 8000, None), (400, 1500, None), (1500, 100, None), (200, 5000, 0.05)],
)
def test_memory_of_a_cross_validation_is_told(tmp_path, n, p, share, capsys):
    """Within a factor of two of what the engine counts."""
    rng = np.random.default_rng(7)
    X = rng.standard_normal((n, p)) if share is None else sp.random(n, p, share, format="csc", random_state=1)
    if share is None:
        np.savez(tmp_path / "t.npz", X=X)
    else:
        sp.save_npz(tmp_path / "t.npz", X)
    assert run("info", tmp_path / "t.npz") == 0
    told = told_bytes(capsys.readouterr().out)
    held = riata.cv_path(X, response(X, rng)).path.counters["memory"]
    assert 0.5 < told / held < 2.0


def test_memory_with_genotypes_is_told(tmp_path, capsys):
    riata.simulate_genotypes(tmp_path / "g", 200, 3000)
    assert run("info", tmp_path / "g") == 0
    told = told_bytes(capsys.readouterr().out)
    geno = riata.open_genotypes(tmp_path / "g")
    y = np.nansum(geno.to_numpy(np.arange(10)), axis=1) + np.random.default_rng(0).standard_normal(200)
    assert 0.5 < told / riata.cv_path(geno, y).path.counters["memory"] < 2.0


@pytest.mark.parametrize(
    ("samples", "features", "header", "hint"),
    [
        (
            ["ENSG00000141510", "ENSG00000012048.7"],
            ["GSM1", "GSM2"],
            "",
            "ENSG0.* look like features",
        ),
        (
            ["1007_s_at", "1053_at"],
            ["TCGA-02-0001", "TCGA-02-0002"],
            "",
            "TCGA-.* look like samples",
        ),
        (["TP53", "BRCA1"], ["A1", "A2"], "gene_symbol", "TP53, BRCA1 look like features"),
        (["TP53", "BRCA1"], ["patient 1", "patient_2"], "", "patient 1, patient_2 look like samples"),
        (["GSM1", "GSM2"], ["ENSG00000141510", "x"], "ID_REF", ""),
        (["P1", "P2"], ["TP53", "BRCA1"], "id", ""),
        (["HG00096", "HG00097"], ["rs1234", "rs77"], "IID", ""),
        (["GSM1", "GSM2"], ["GSM3", "GSM4"], "gene", ""),
    ],
)
def test_tables_on_their_side(samples, features, header, hint):
    told = transposed_hint(samples, features, header, "samples-rows")
    assert re.search(hint, told) if hint else told == ""
    assert ("--orient samples-columns" in told) == bool(hint)


def test_a_table_on_its_side_is_told(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("gene,GSM1,GSM2,GSM3\nTP53,1,2,3\nBRCA1,2,3,5\nEGFR,4,1,7\nKRAS,1,1,2\n")
    (tmp_path / "y.csv").write_text("sample,size\nGSM1,1.5\nGSM2,2.5\nGSM3,4\n")
    assert run("info", tmp_path / "t.csv") == 0
    told = (
        "hint        TP53, BRCA1 and 2 more look like features, GSM1, GSM2 and 1 more look like samples: is"
    )
    assert told in capsys.readouterr().out
    assert run("info", tmp_path / "t.csv", "--orient", "samples-columns") == 0
    assert "hint" not in capsys.readouterr().out
    given = ["fit", "--matrix", tmp_path / "t.csv", "--out", tmp_path / "o"]
    assert run(*given, "--pheno", tmp_path / "y.csv") == 2
    told = "its ids are what the columns of t.csv are called: is --orient the other one"
    assert told in capsys.readouterr().err.replace(f"{tmp_path}/", "")
    assert run(*given, "--target", "EGFR") == 2
    told = "no column 'EGFR'; columns are GSM1, GSM2, GSM3; a row has that name: is --orient"
    assert told in capsys.readouterr().err
    turned = [*given, "--orient", "samples-columns", "--pheno", tmp_path / "y.csv", "--quiet"]
    assert run(*turned, "--alphas", 3) == 0
