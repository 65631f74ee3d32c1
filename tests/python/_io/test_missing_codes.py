"""Missing codes mean what they do in PLINK, in phenotypes, covariates, offsets and times, and are told."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import write_plink

import riata
from riata._io.tables import read_text_table
from riata.cli.parser import main
from riata.study.loading import load_study
from riata.study.options import StudyOptions
from riata.study.response import code_numbers, code_response
from riata.study.survival_times import code_times

N = 80


@pytest.fixture
def study(tmp_path):
    """Genotypes, and a function that writes columns of a table, by sample."""
    rng = np.random.default_rng(3)
    dosage = rng.binomial(2, 0.4, (N, 12)).astype(float)
    prefix = write_plink(tmp_path / "t", dosage).removesuffix(".bed")
    trait = dosage[:, 0] + rng.standard_normal(N)

    def write(name, **columns):
        path = tmp_path / name
        rows = zip(*columns.values(), strict=True)
        lines = [f"f{i} i{i} {' '.join(map(str, row))}\n" for i, row in enumerate(rows)]
        path.write_text(f"FID IID {' '.join(columns)}\n" + "".join(lines))
        return str(path)

    return prefix, [f"{value:.6f}" for value in trait], write


def scores(seed=1):
    """Principal components and the like: numbers of both signs."""
    return [f"{value:.4f}" for value in np.random.default_rng(seed).standard_normal(N) / 9]


def with_codes(cells, code, every=10):
    return [code if i % every == 0 else cell for i, cell in enumerate(cells)]


@pytest.mark.parametrize("code", ["-9", "-9.0", "-9.000", "NA", "nan", "Na"])
@pytest.mark.parametrize("where", ["phenotype", "covariate"])
def test_samples_analysed_are_those_of_plink(study, plink1, plink2, tmp_path, code, where):
    """Among numbers of both signs, too: PLINK's count of samples in a regression is the referee."""
    prefix, trait, write = study
    pheno = write("p.txt", y=with_codes(trait, code) if where == "phenotype" else trait)
    covar = write("c.txt", pc=with_codes(scores(), code) if where == "covariate" else scores())
    found = load_study(StudyOptions(bfile=prefix, pheno=pheno, covar=covar))
    assert found.n_samples == 72
    if code[0] == "-":
        place = "y" if where == "phenotype" else "covariate pc"
        (note,) = [note for note in found.join.notes if "-9" in note]
        assert note.startswith(f"{place}: -9 counts as missing (8 samples) though others are negative")
    plink2("--bfile", prefix, "--pheno", pheno, "--covar", covar, "--glm", "hide-covar")
    table = read_text_table(tmp_path / "out.y.glm.linear")
    assert {int(count) for count in table.column("OBS_CT")} == {found.n_samples}
    if code in ("-9", "-9.0", "-9.000", "NA"):  # PLINK 1.9 takes nan for a number
        plink1(
            "--bfile", prefix, "--pheno", pheno, "--covar", covar, "--linear", "hide-covar", "--allow-no-sex"
        )
        rows = [line.split() for line in (tmp_path / "out.assoc.linear").read_text().splitlines()]
        assert {int(row[rows[0].index("NMISS")]) for row in rows[1:]} == {found.n_samples}


@pytest.mark.parametrize("code", ["-9,-99,999", None, "NA", "none"])
def test_codes_of_ones_own(study, code):
    prefix, trait, write = study
    pcs = with_codes(with_codes(scores(), "-9"), "-99", every=16)
    trait = with_codes(trait, "999", every=7)
    found = load_study(
        StudyOptions(
            bfile=prefix, pheno=write("p.txt", y=trait), covar=write("c.txt", pc=pcs), missing_code=code
        )
    )
    codes = {"-9,-99,999": ("-9", "-99", "999"), None: ("-9",)}.get(code, ())
    expected = [i for i in range(N) if trait[i] not in codes and pcs[i] not in codes]
    assert list(found.samples.iid) == [f"i{i}" for i in expected]
    assert_array_equal(found.y, [float(trait[i]) for i in expected])
    assert_array_equal(found.covariates[:, 0], [float(pcs[i]) for i in expected])
    assert any("counts as missing" in note for note in found.join.notes) == bool(codes)


def levels_of(found, name):
    (coding,) = [coding for coding in found.codings if coding.name == name]
    return {*coding.levels, coding.reference}


def test_labels_of_covariates(study):
    """-9 among labels, and among labels that are numbers; none is a label unless it is told not to be."""
    prefix, trait, write = study
    site = ["north", "south", "none", "east"] * (N // 4)
    covar = write(
        "c.txt", site=with_codes(site, "-9"), code=with_codes(["1", "2"] * (N // 2), "-9.0", every=16)
    )
    given = {"bfile": prefix, "pheno": write("p.txt", y=trait), "covar": covar}
    found = load_study(StudyOptions(**given, cat_covar=("code",)))
    assert found.n_samples == N - 8 - 4
    assert levels_of(found, "site") == {"north", "south", "none", "east"}
    assert levels_of(found, "code") == {"1", "2"}
    assert "covariate site: -9 counts as missing (8 samples)" in found.join.notes
    assert "covariate code: -9 counts as missing (5 samples)" in found.join.notes
    found = load_study(StudyOptions(**given, cat_covar=("code", "site"), missing_code="none"))
    assert found.n_samples == N - 20 + sum(k % 10 == 0 for k in range(2, N, 4))
    assert levels_of(found, "site") == {"north", "south", "-9", "east"}
    assert levels_of(found, "code") == {"1", "2", "-9.0"}


def test_zero_among_the_codes_is_for_classes(study):
    """--missing-code 0,-9 says that 0 of 0/1/2 is no class; 0 of a covariate, time or offset is a number."""
    prefix, _, write = study
    status = ["0", "1", "2", "2"] * (N // 4)
    covar = write("c.txt", sex=["0", "1"] * (N // 2), batch=["0", "a"] * (N // 2))
    found = load_study(
        StudyOptions(
            bfile=prefix, pheno=write("p.txt", y=status), covar=covar, missing_code="0,-9", loss="binomial",
            cat_covar=("batch",),
        )
    )  # fmt: skip
    assert found.n_samples == N * 3 // 4
    assert set(found.covariates[:, 0]) == {0.0, 1.0}
    assert "0" in (*found.codings[1].levels, found.codings[1].reference)
    response, reasons = code_times(
        ["0", "2", "-9", "4"], ["1", "2", "2", "0"], None, None, names=("t", "e", ""), missing_code="0,-9"
    )
    assert_array_equal(response.values["time"], [0.0, 2.0, np.nan, np.nan])
    assert [int(bad.sum()) for _, bad in reasons] == [1, 1]
    values, told = code_numbers(["0", "-9", "NA", "3"], "o", "0,-9")
    assert_array_equal(values, [0.0, np.nan, np.nan, 3.0])
    assert told == "-9 counts as missing (1 sample)"


def test_codes_of_ones_own_that_leave_minus_nine_a_number_are_told(study):
    """They stand in place of -9; --missing-code NA says outright that no number is a code."""
    prefix, trait, write = study
    given = {"bfile": prefix, "pheno": write("p.txt", y=with_codes(trait, "-9"))}
    given["covar"] = write("c.txt", pc=with_codes(scores(), "-9", every=5))
    told = "-9 is a number ({} samples): --missing-code leaves it out"
    notes = load_study(StudyOptions(**given, missing_code="-1,-3")).join.notes
    assert f"y: {told.format(8)}" in notes
    assert f"covariate pc: {told.format(16)}" in notes
    for code in ("NA", "-9,-1"):
        assert not any(
            "is a number" in n for n in load_study(StudyOptions(**given, missing_code=code)).join.notes
        )


@pytest.mark.parametrize("loss", ["gaussian", "binomial", "multinomial", "poisson", "huber"])
def test_every_loss_tells(loss):
    cells = {"binomial": ["case", "control"], "multinomial": ["a", "b", "none"]}.get(loss, ["0", "3", "7"])
    response = code_response([*cells, "-9", "NA"], "y", loss=loss)
    assert np.isnan(response.values[-2:]).all()
    assert not np.isnan(response.values[:-2]).any()
    assert response.note.endswith("-9 counts as missing (1 sample)")
    if loss == "multinomial":
        assert response.classes == ("a", "b", "none")


def test_predict_reads_covariates_as_the_fit_did(study, tmp_path, capsys):
    prefix, trait, write = study
    pheno, covar = write("p.txt", y=trait), write("c.txt", pc=with_codes(scores(), "-9"), age=range(N))
    data = ["--bfile", prefix, "--covar", covar, "--quiet", "--out"]
    new = str(tmp_path / "new")

    def scored(out, *more):
        assert main(["predict", "--model", f"{out}.path.npz", *data, new, *more]) == 0
        return read_text_table(f"{new}.scores.tsv").column("IID")

    plink, number = str(tmp_path / "plink"), str(tmp_path / "number")
    assert main(["fit", "--pheno", pheno, "--alpha", "0.3", *data, plink]) == 0
    assert len(scored(plink)) == 72
    assert "covariate pc: -9 counts as missing (8 samples)" in (tmp_path / "new.log").read_text()
    told = json.loads((tmp_path / "new.json").read_text())["samples"]
    assert told["dropped"] == {"a covariate is missing": 8}
    assert any("covariate pc: -9 counts as missing (8 samples)" in note for note in told["notes"])
    assert len(scored(plink, "--missing-code", "NA")) == N
    assert main(["fit", "--pheno", pheno, "--alpha", "0.3", "--missing-code", "NA", *data, number]) == 0
    assert len(scored(number)) == N  # as in the fit
    assert len(scored(number, "--missing-code", "-9,-99")) == 72
    record = json.loads((tmp_path / "number.json").read_text())
    assert not any("missing" in note for note in record["samples"]["notes"])
    capsys.readouterr()
    assert (
        main(
            [
                "predict",
                "--model",
                f"{plink}.path.npz",
                "--bfile",
                prefix,
                "--missing-code",
                "5",
                "--out",
                new,
            ]
        )
        == 2
    )
    assert "--missing-code needs --pheno or --covar FILE" in capsys.readouterr().err


def test_the_fit_is_that_without_the_samples(study, tmp_path):
    """A covariate of -9 is as good as a sample left out."""
    prefix, trait, write = study
    pheno, covar = write("p.txt", y=trait), write("c.txt", pc=with_codes(scores(), "-9"))
    found = load_study(StudyOptions(bfile=prefix, pheno=pheno, covar=covar))
    kept = np.arange(N) % 10 != 0
    geno = riata.open_genotypes(prefix).subset(samples=kept)
    X = np.column_stack([geno.to_numpy(), np.array(scores(), dtype=float)[kept]])
    y = np.array(trait, dtype=float)[kept]
    factor = np.r_[np.ones(12), 0.0]
    here = riata.fit_path(
        found.X, alphas=[0.3, 0.1], penalty_factor=found.penalty_factor, tol=1e-10, **found.target
    )
    there = riata.fit_path(X, y, alphas=[0.3, 0.1], penalty_factor=factor, tol=1e-10)
    assert_allclose(here.coefs.toarray(), there.coefs.toarray(), atol=1e-7)
